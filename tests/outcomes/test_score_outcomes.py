"""From a cohort to its outcomes: each kind of measure, occasions, domains, and what must be said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import DataError, StudyError
from evalkit.outcomes import score_outcomes

OCCASIONS = [
    {"id": "baseline", "day": 0, "window": [-30, 14]},
    {"id": "m6", "title": "6 months", "day": 183, "window": [-45, 45]},
    {"id": "m12", "title": "12 months", "day": 365, "window": [-45, 45]},
]
WELLBEING = {"id": "swemwbs", "instrument": "swemwbs", "table": "forms"}
RAW = {7: 7.00, 14: 15.32, 21: 19.25, 28: 25.03, 35: 35.00}


def forms(*rows):
    """Rows of (person, date, the answer given to all seven items)."""
    table = pd.DataFrame([(person, *[answer] * 7) for person, _, answer in rows])
    table.columns = ["id", *[f"sw{number}" for number in range(1, 8)]]
    return table.assign(date=pd.to_datetime([date for _, date, _ in rows]))


def texts(outcomes, about=None):
    return [flag.text for flag in outcomes.flags if about in (None, flag.about)]


def test_of_two_readings_in_a_window_the_one_nearest_the_day_is_used(cohort_of, people):
    table = forms(
        ("p000", "2024-01-10", 1),
        ("p000", "2024-01-02", 3),
        ("p001", "2023-12-30", 4),  # two days before
        ("p001", "2024-01-03", 5),  # two days after: as near, so the earlier is used
    )
    found = score_outcomes(cohort_of(people(), {"forms": table}, {"occasion": OCCASIONS, "measure": [WELLBEING]}))
    assert found.wide["swemwbs@baseline"].tolist()[:2] == [RAW[21], RAW[28]]
    assert any("fall into an occasion that already has one" in text for text in texts(found, "swemwbs"))


def test_both_ends_of_a_window_count_and_a_day_more_does_not(cohort_of, people):
    table = forms(
        ("p000", "2023-12-02", 3), ("p001", "2024-01-15", 3), ("p002", "2024-01-16", 3), ("p003", "2023-12-01", 3)
    )
    found = score_outcomes(cohort_of(people(), {"forms": table}, {"occasion": OCCASIONS, "measure": [WELLBEING]}))
    assert found.wide["swemwbs@baseline"].notna().tolist() == [True, True, False, False]
    flag = next(flag for flag in found.flags if "outside every occasion" in flag.text)
    assert flag.text.startswith("A few readings fall outside")  # two: no number that tells of so few
    assert flag.detail == "Too early and between two windows."


def test_the_share_of_readings_outside_every_window_is_told(cohort_of, people):
    table = forms(*[(f"p{n:03d}", "2024-01-01" if n < 30 else "2022-01-01", 3) for n in range(40)])
    found = score_outcomes(cohort_of(people(40), {"forms": table}, {"occasion": OCCASIONS, "measure": [WELLBEING]}))
    flag = next(flag for flag in found.flags if "outside every occasion" in flag.text)
    assert flag.text == "About 10 readings (25%) fall outside every occasion's window and are not used."
    assert (flag.level, flag.detail) == ("caution", "Too early.")


def test_a_form_that_cannot_be_scored_does_not_take_the_place_of_one_that_can(cohort_of, people):
    table = forms(("p000", "2024-01-01", 3), ("p000", "2024-01-09", 5), ("p001", "2024-01-01", 3))
    table["sw3"] = table["sw3"].astype(float)
    table.loc[0, "sw3"] = np.nan
    found = score_outcomes(cohort_of(people(), {"forms": table}, {"occasion": OCCASIONS, "measure": [WELLBEING]}))
    assert found.wide["swemwbs@baseline"].iloc[0] == RAW[35]
    assert any("too few answers" in text for text in texts(found))


def test_impossible_answers_stop_with_file_column_rows_and_remedy(cohort_of, people):
    table = forms(("p000", "2024-01-01", 3), ("p001", "2024-01-01", 9))
    with pytest.raises(DataError, match=r'forms\.csv \(table "forms"\)') as caught:
        score_outcomes(cohort_of(people(), {"forms": table}, {"occasion": OCCASIONS, "measure": [WELLBEING]}))
    assert 'Column "sw7", row 3' in str(caught.value)
    assert "from 1 to 5" in str(caught.value)


def test_forms_of_two_informants_are_never_mixed(cohort_of, people):
    table = forms(("p000", "2024-01-01", 3), ("p000", "2024-01-01", 5)).assign(informant=["child", "parent"])
    plan = {"occasion": OCCASIONS, "measure": [WELLBEING]}
    with pytest.raises(DataError, match="not to be mixed"):
        score_outcomes(cohort_of(people(), {"forms": table}, plan))
    plan = {"occasion": OCCASIONS, "measure": [WELLBEING | {"informant": "parent"}]}
    found = score_outcomes(cohort_of(people(), {"forms": table}, plan))
    assert found.wide["swemwbs@baseline"].iloc[0] == RAW[35]


def test_items_reversed_twice_are_noticed(cohort_of, people):
    count = 40
    level = np.tile([0, 1, 2, 1], count // 4)
    answers = {f"q{number}": level for number in range(1, 26)}  # all alike, so reversing some of them opposes the rest
    table = pd.DataFrame(answers).assign(id=people(count)["person"], date=pd.Timestamp("2024-01-01"))
    measure = {"id": "sdq", "instrument": "sdq_parent", "table": "forms"}
    ticked = score_outcomes(cohort_of(people(count), {"forms": table}, {"occasion": OCCASIONS, "measure": [measure]}))
    assert any("coding may be wrong" in text for text in texts(ticked))
    scored = measure | {"coding": "as_scored"}
    found = score_outcomes(cohort_of(people(count), {"forms": table}, {"occasion": OCCASIONS, "measure": [scored]}))
    assert not any("coding may be wrong" in text for text in texts(found))
    assert found.wide["sdq@baseline"].tolist()[:3] == [0, 20, 40]


def test_a_column_of_the_person_table_is_read_once_and_yes_or_no_is_recognised(cohort_of, people):
    table = people(earnings=[1200.0, 0.0, np.nan, 400.0], employed=["yes", "no", "yes", "yes"])
    measures = [{"id": "re78", "column": "earnings", "values": "amount"}, {"id": "job", "column": "employed"}]
    found = score_outcomes(cohort_of(table, {}, {"measure": measures}))
    assert found.wide["re78"].tolist()[:2] == [1200, 0]
    assert found.wide["job"].tolist() == [1, 0, 1, 1]
    assert found.describe("job")["values"] == "yes or no"
    assert found.describe("re78")["values"] == "amount"
    assert found.table.query("outcome == 'job'")["occasion"].eq("").all()


def test_text_in_a_number_column_is_an_error_with_its_row(cohort_of, people):
    table = people(earnings=["1200", "lots", None, "400"])
    with pytest.raises(DataError, match='column "earnings", row 3'):
        score_outcomes(cohort_of(table, {}, {"measure": [{"id": "re78", "column": "earnings"}]}))


def test_a_person_twice_in_a_person_table_is_an_error(cohort_of, people):
    scores = pd.DataFrame({"id": ["p000", "p001", "p000"], "read": [1.0, 2.0, 3.0]})
    with pytest.raises(DataError, match=r"row 4 .* stands there again"):
        score_outcomes(
            cohort_of(people(), {"scores": scores}, {"measure": [{"id": "read", "table": "scores", "column": "read"}]})
        )


def test_columns_give_a_key_per_occasion_and_a_bare_name_means_the_last(cohort_of, people):
    scores = pd.DataFrame({"id": [f"p{n:03d}" for n in (3, 2, 1, 0)], "r0": [1.0, 2, 3, 4], "r1": [5.0, 6, 7, 8]})
    plan = {
        "occasion": OCCASIONS,
        "measure": [{"id": "read", "table": "scores", "columns": {"baseline": "r0", "m12": "r1"}}],
    }
    found = score_outcomes(cohort_of(people(), {"scores": scores}, plan))
    assert found.wide["read@baseline"].tolist() == [4, 3, 2, 1]
    assert found.find("read") == "read@m12"
    assert found.describe("read")["baseline_key"] == "read@baseline"
    assert found.describe("read@m12")["occasion_title"] == "12 months"
    with pytest.raises(StudyError, match='Did you mean "read@m12"'):
        found.find("read@m2")


def test_days_in_a_state_count_from_the_index_date_within_the_window(cohort_of, people):
    episodes = pd.DataFrame(
        [
            ("p000", "2023-12-01", "2024-01-11", "care"),  # 10 days of it after the index date
            ("p000", "2024-01-06", "2024-01-21", "care"),  # overlaps: 20 days together
            ("p001", "2024-02-01", None, "care"),  # still in: from day 31 to day 100
            ("p002", "2024-02-01", "2024-03-01", "home"),
        ],
        columns=["id", "start", "end", "state"],
    ).assign(start=lambda t: pd.to_datetime(t["start"]), end=lambda t: pd.to_datetime(t["end"]))
    measure = {
        "id": "care_days",
        "days_in": {"table": "episodes", "state": "care", "window_days": 100},
        "better": "lower",
    }
    found = score_outcomes(cohort_of(people(), {"episodes": episodes}, {"measure": [measure]}))
    assert found.wide["care_days"].tolist() == [20, 69, 0, 0]
    assert any("runs past the last date" in text for text in texts(found, "care_days"))
    facts = found.describe("care_days")
    assert (facts["unit"], facts["values"], facts["better"]) == ("days", "amount", "lower")


def test_an_episode_that_ends_before_it_starts_is_an_error_with_its_row(cohort_of, people):
    episodes = pd.DataFrame({"id": ["p000"], "start": ["2024-02-01"], "end": ["2024-01-01"], "state": ["care"]})
    measure = {"id": "care_days", "days_in": {"table": "episodes", "state": "care", "window_days": 100}}
    with pytest.raises(DataError, match=r'row 2 .*"end" is before "start"'):
        score_outcomes(cohort_of(people(), {"episodes": episodes}, {"measure": [measure]}))


def test_a_rule_answers_yes_no_or_unknown(cohort_of, people):
    answers = pd.Series([True, False, pd.NA, True], index=["p000", "p001", "p002", "p003"], dtype="boolean")
    plan = {"measure": [{"id": "no_care", "rule": "stays at home"}]}
    found = score_outcomes(cohort_of(people(), {}, plan, {"stays at home": answers}))
    assert found.wide["no_care"].fillna(-1).tolist() == [1, 0, -1, 1]
    assert found.describe("no_care")["values"] == "yes or no"


def test_improved_means_towards_better_by_at_least_so_much(cohort_of, people):
    scores = pd.DataFrame(
        {"id": [f"p{n:03d}" for n in range(4)], "t0": [20.0, 20, 20, np.nan], "t1": [15.0, 16, 25, 3]}
    )
    measures = [
        {"id": "better", "improved": {"measure": "sdq", "start": "baseline", "by": 5}, "occasion": "m12"},
        {"id": "sdq", "table": "scores", "columns": {"baseline": "t0", "m12": "t1"}, "better": "lower"},
    ]
    found = score_outcomes(cohort_of(people(), {"scores": scores}, {"occasion": OCCASIONS, "measure": measures}))
    assert found.wide["better"].fillna(-1).tolist() == [1, 0, 0, -1]
    assert found.describe("better")["occasion"] == "m12"


# ---------------------------------------------------------------- domains


def two_measures(count=60, seed=1):
    """Two measures at two occasions: both arms grow by one baseline SD, the treated by half an SD more."""
    draw = np.random.default_rng(seed)
    start = draw.normal(size=count)
    treated = np.arange(count) < count / 2
    scores = pd.DataFrame({"id": [f"p{n:03d}" for n in range(count)]})
    for name, sign in (("well", 1), ("ill", -1)):
        noise = draw.normal(size=count) / 2
        scores[f"{name}0"] = 50 + 10 * sign * (start + noise)
        scores[f"{name}1"] = scores[f"{name}0"] + 10 * sign * (1 + treated / 2)
    return scores


TWO = [
    {"id": "well", "table": "scores", "columns": {"baseline": "well0", "m12": "well1"}, "kind": "subjective"},
    {
        "id": "ill",
        "table": "scores",
        "columns": {"baseline": "ill0", "m12": "ill1"},
        "better": "lower",
        "kind": "objective",
    },
]


def test_a_domain_keeps_the_baseline_unit_so_that_growth_survives(cohort_of, people):
    plan = {"occasion": OCCASIONS, "measure": TWO, "domain": [{"id": "health", "measures": ["well", "ill"]}]}
    found = score_outcomes(cohort_of(people(60), {"scores": two_measures()}, plan))
    comparison = found.wide.iloc[30:]
    assert comparison["health@baseline"].mean() == pytest.approx(0, abs=1e-12)
    assert comparison["health@baseline"].std() == pytest.approx(1)
    growth = (found.wide["health@m12"] - found.wide["health@baseline"]).groupby(np.arange(60) < 30).mean()
    assert growth[True] == pytest.approx(1.5 * growth[False])
    assert found.domains["health@m12"].weights.equals(found.domains["health@baseline"].weights)
    assert found.find("health") == "health@m12"
    assert found.describe("health")["unit"] == "SD"
    assert found.describe("health")["baseline_key"] == "health@baseline"


def test_a_domain_of_measures_with_occasions_is_one_index_each_on_its_own_comparison(cohort_of, people):
    named = ["well@baseline", "well@m12", "ill@m12"]
    domain = {"id": "health", "measures": named, "reference": "comparison at each measure's own occasion"}
    plan = {"occasion": OCCASIONS, "measure": TWO, "domain": [domain]}
    found = score_outcomes(cohort_of(people(60), {"scores": two_measures()}, plan))
    index = found.domains["health"]
    assert list(index.weights.index) == named
    assert index.mean["well@m12"] == pytest.approx(two_measures()["well1"][30:].mean())
    assert found.wide["health"][30:].mean() == pytest.approx(0, abs=1e-12)


def test_without_a_comparison_the_unit_is_everyone_and_the_reader_is_told(cohort_of, people):
    plan = {"occasion": OCCASIONS, "measure": TWO, "domain": [{"id": "health", "measures": ["well", "ill"]}]}
    table = people(60).drop(columns=["arm", "treated"])
    found = score_outcomes(cohort_of(table, {"scores": two_measures()}, plan))
    assert found.wide["health@baseline"].mean() == pytest.approx(0, abs=1e-12)
    assert any("no comparison arm" in text for text in texts(found, "health"))
    assert set(found.summary["arm"]) == {"all"}


def test_a_thin_or_one_sided_domain_is_flagged_with_the_reason(cohort_of, people):
    measures = [measure | {"kind": "subjective"} for measure in TWO]
    plan = {
        "occasion": OCCASIONS,
        "measure": measures,
        "domain": [{"id": "health", "title": "Health", "measures": ["well", "ill"]}],
    }
    found = score_outcomes(cohort_of(people(60), {"scores": two_measures()}, plan))
    flags = {flag.text: flag.detail for flag in found.flags if flag.about == "health"}
    assert "at least one of each" in flags["Health has no measure declared as objective."]
    assert "regular intervals" in flags["Health is measured on two occasions; three or more are advised."]


def test_all_problems_of_the_plan_and_the_data_are_told_at_once(cohort_of, people):
    measures = [
        {"id": "a", "instrument": "sdq_parnet", "table": "forms"},
        {"id": "b", "column": "earnigs"},
        {"id": "c", "rule": "never"},
    ]
    nobody = pd.Series([pd.NA] * 4, index=[f"p{n:03d}" for n in range(4)], dtype="boolean")
    plan = {"occasion": OCCASIONS, "measure": measures, "domain": [{"id": "d", "measures": ["a", "zz"]}]}
    with pytest.raises(StudyError, match="has 3 problems") as caught:
        score_outcomes(
            cohort_of(people(earnings=1.0), {"forms": forms(("p000", "2024-01-01", 3))}, plan, {"never": nobody})
        )
    message = str(caught.value)
    assert 'Did you mean "sdq_parent"?' in message
    assert 'Did you mean "earnings"?' in message
    assert "[[measure]] c: every value is missing" in message


# ---------------------------------------------------------------- summary


def test_the_summary_has_a_mean_and_an_interval_per_arm_robust_to_clusters(cohort_of, people):
    table = people(12, score=[float(n) for n in range(12)], cluster=[f"c{n // 3}" for n in range(12)])
    found = score_outcomes(cohort_of(table, {}, {"measure": [{"id": "score", "column": "score"}]}))
    row = found.summary.set_index("arm").loc["treated"]  # scores 0 to 5 in two clusters: residual sums -4.5 and 4.5
    se = np.sqrt(2 / 1 * (4.5**2 + 4.5**2)) / 6
    assert row["mean"] == 2.5
    assert row["high"] - row["mean"] == pytest.approx(12.7062047 * se)
    assert (row["n"], row["n_people"]) == (6, 6)


def test_less_than_seventy_in_a_hundred_is_flagged_with_the_share_of_each_arm(cohort_of, people):
    table = people(60, score=[1.0] * 30 + [2.0] * 18 + [np.nan] * 12)
    found = score_outcomes(cohort_of(table, {}, {"measure": [{"id": "score", "title": "Score", "column": "score"}]}))
    flag = next(flag for flag in found.flags if flag.about == "score")
    assert flag.text == "Score: fewer than 70% have a value."
    assert flag.detail == "Share with a value: comparison 60.0%."
    shares = found.completeness.set_index("arm")["share"]
    assert (shares["treated"], shares["comparison"]) == (1.0, 0.6)


def test_a_share_that_rests_on_few_people_is_not_printed(cohort_of, people):
    table = people(20, score=[1.0] * 10 + [2.0] * 6 + [np.nan] * 4)
    found = score_outcomes(cohort_of(table, {}, {"measure": [{"id": "score", "column": "score"}]}))
    assert [flag.detail for flag in found.flags] == ["Share with a value: comparison under 70%."]


def test_the_page_of_the_outcomes_shows_no_person_and_nothing_resting_on_few(cohort_of, people):
    table = people(26, score=[1.5] * 13 + [7.25] * 4 + [np.nan] * 9)
    page = score_outcomes(cohort_of(table, {}, {"measure": [{"id": "score", "column": "score"}]}))._repr_html_()
    assert "1.50" in page
    assert "7.25" not in page
    assert "p00" not in page


def test_the_cohort_and_its_tables_are_left_as_they_were(cohort_of, people):
    table, scores = people(60), two_measures()
    before = table.copy(), scores.copy()
    plan = {"occasion": OCCASIONS, "measure": TWO, "domain": [{"id": "health", "measures": ["well", "ill"]}]}
    score_outcomes(cohort_of(table, {"scores": scores}, plan))
    pd.testing.assert_frame_equal(table, before[0])
    pd.testing.assert_frame_equal(scores, before[1])


def test_rows_of_the_tables_in_another_order_change_nothing(cohort_of, people):
    scores = two_measures()
    plan = {"occasion": OCCASIONS, "measure": TWO, "domain": [{"id": "health", "measures": ["well", "ill"]}]}
    first = score_outcomes(cohort_of(people(60), {"scores": scores}, plan)).wide
    again = score_outcomes(cohort_of(people(60), {"scores": scores.sample(frac=1, random_state=3)}, plan)).wide
    pd.testing.assert_frame_equal(first, again)


def test_ids_that_nobody_has_are_an_error_where_they_are_all_and_a_flag_where_they_are_some(cohort_of, people):
    spells = pd.DataFrame({
        "id": [f"p{number:03d}" for number in range(20)], "start": pd.Timestamp("2024-02-01"),
        "end": pd.Timestamp("2024-03-01"), "state": "care",
    })  # fmt: skip
    measure = {"id": "days", "days_in": {"table": "spells", "state": "care", "window_days": 100}}
    tables = {"people": pd.DataFrame({"id": [f"p{number:03d}" for number in range(40)]})}
    sound = score_outcomes(cohort_of(people(30), {**tables, "spells": spells}, {"measure": [measure]}))
    assert not any("does not know" in text for text in texts(sound))
    some = spells.assign(id=[name.upper() if place < 12 else name for place, name in enumerate(spells["id"])])
    found = score_outcomes(cohort_of(people(30), {**tables, "spells": some}, {"measure": [measure]}))
    flag = next(flag for flag in found.flags if "does not know" in flag.text)
    assert (flag.level, flag.text[:10], flag.about) == ("serious", "About 60% ", "days")
    everyone = spells.assign(id=spells["id"].str.upper())
    with pytest.raises(DataError, match=r'spells\.csv \(table "spells"\): no id in "id" is that of anyone'):
        score_outcomes(cohort_of(people(30), {**tables, "spells": everyone}, {"measure": [measure]}))
