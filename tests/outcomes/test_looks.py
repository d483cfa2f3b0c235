"""What is looked at beside the means, from the study file to the numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evalkit.outcomes import (
    distance_travelled,
    reliability,
    reliable_change,
    score,
    score_outcomes,
)

OCCASIONS = [
    {"id": "baseline", "title": "at the start", "day": 0},
    {"id": "m6", "title": "6 months", "day": 183},
    {"id": "m12", "title": "12 months", "day": 365},
]
PERSONS = 120


@pytest.fixture(scope="module")
def forms():
    """Three forms of seven answers for each of 120 people; the programme's rise by about one point an item."""
    rng = np.random.default_rng(5)
    rows = []
    for person in range(PERSONS):
        level = rng.normal(3, 0.8)
        for place, day in enumerate(("2024-01-01", "2024-07-01", "2024-12-31")):
            gain = 0.4 * place if person < PERSONS / 2 else 0.0
            answers = np.clip(np.round(level + gain + rng.normal(0, 0.6, 7)), 1, 5).astype(int)
            rows.append([f"p{person:03d}", pd.Timestamp(day), *answers])
    return pd.DataFrame(rows, columns=["id", "date", *[f"sw{item}" for item in range(1, 8)]])


@pytest.fixture
def outcomes_of(cohort_of, people, forms):
    """A function: (measures, rest of the plan, further tables) -> outcomes of 120 people in 12 teams."""

    def make(measures, plan=None, tables=None):
        table = people(PERSONS, cluster=[f"team {person % 12}" for person in range(PERSONS)])
        parts = {"occasion": OCCASIONS, "measure": measures, **(plan or {})}
        parts["cohort"] = {
            "person": "id",
            "index": {"table": "people", "date": "start"},
            "arm": {"column": "arm", "treated": "treated", "comparison": "comparison"},
            "cluster": "team",
        }
        return score_outcomes(cohort_of(table, {"forms": forms, **(tables or {})}, parts))

    return make


CHANGE = {"sd": 4.0, "reliability": 0.85, "source": "this test"}
SCORE = {"id": "swemwbs", "instrument": "swemwbs", "table": "forms"}


def about(outcomes, name):
    return [flag for flag in outcomes.flags if flag.about == name]


def test_reliable_change_is_that_of_the_first_and_the_last_occasion_by_arm(outcomes_of):
    found = outcomes_of([SCORE | {"reliable_change": CHANGE}])
    one = found.looks["reliable change"][0]
    before, after = found.wide["swemwbs@baseline"], found.wide["swemwbs@m12"]
    treated = found.cohort.table["treated"].to_numpy() == 1
    own = reliable_change(before[treated], after[treated], 4.0, 0.85, better="higher").counts["n"]
    mine = one.table[one.table["arm"] == "treated"].set_index("class")["count"]
    assert mine.to_dict() == own.to_dict()
    assert (one.start, one.end) == ("at the start", "12 months")
    assert one.cells["treated"].sum() == one.cells["comparison"].sum() == 60
    assert "only the difference" in one.words


def test_without_a_source_of_the_error_nothing_is_sorted(outcomes_of):
    assert "reliable change" not in outcomes_of([SCORE]).looks


def test_a_confirmed_threshold_of_the_shelf_is_used_as_it_was_published(outcomes_of):
    rng = np.random.default_rng(1)
    people = [f"p{person:03d}" for person in range(PERSONS)]
    rows = [pd.DataFrame({"id": people, "date": pd.Timestamp(day)}) for day in ("2024-01-01", "2024-12-31")]
    gad = pd.concat(rows, ignore_index=True)
    gad = gad.assign(**{f"gad{item}": rng.integers(0, 4, len(gad)) for item in range(1, 8)})
    found = outcomes_of([{"id": "gad", "instrument": "gad_7", "table": "gad"}], tables={"gad": gad})
    one = found.looks["reliable change"][0]
    assert one.threshold == pytest.approx(4)
    assert "published: 4 or more" in one.source
    change = found.wide["gad@m12"] - found.wide["gad@baseline"]
    treated = found.cohort.table["treated"].to_numpy() == 1
    mine = one.table[one.table["arm"] == "treated"].set_index("class")["count"]
    assert mine["deteriorated"] == (change[treated] >= 4).sum() > (change[treated] > 4).sum()


def test_reliability_rests_on_the_forms_of_the_first_occasion(outcomes_of, forms):
    found = outcomes_of([SCORE]).looks["reliability"].set_index("kind")
    first = forms[forms["date"] == "2024-01-01"].filter(like="sw")
    assert found.loc["alpha", "value"] == pytest.approx(reliability(first).value)
    assert found.loc["omega", "value"] == pytest.approx(reliability(first, "omega").value)
    assert found.loc["alpha", "n"] == PERSONS


def test_many_forms_with_a_hole_are_said_roughly(outcomes_of):
    rng = np.random.default_rng(4)
    core = pd.DataFrame({"id": [f"p{person:03d}" for person in range(PERSONS)], "date": pd.Timestamp("2024-01-01")})
    distress = rng.normal(2, 1, PERSONS)
    for item in range(1, 11):
        ticked = np.clip(np.round(distress + rng.normal(0, 0.7, PERSONS)), 0, 4)
        core[f"core{item}"] = 4 - ticked if item in (2, 3) else ticked
    core.loc[core.index % 5 == 0, "core1"] = np.nan  # one blank is allowed: the score is there, the item is not
    found = outcomes_of([{"id": "core", "instrument": "core_10", "table": "core"}], tables={"core": core})
    assert found.wide["core@baseline"].notna().all()
    texts = [flag.text for flag in about(found, "core")]
    assert any("about 20% of the forms lack an answer" in text for text in texts)
    assert not any(str(number) in text for text in texts for number in (24, 96, 120))


def test_comparability_is_looked_at_where_the_study_asks_for_it(outcomes_of):
    plan = {"comparability": {"measures": ["swemwbs"], "across": ["arm", "occasion"]}}
    found = outcomes_of([SCORE], plan).looks["comparability"]
    assert found.groupby("across")["model"].apply(list).to_dict() == {
        across: ["configural", "metric", "scalar", "strict"] for across in ("arm", "occasion")
    }
    assert (found["n"] == PERSONS).all()


def test_growth_uses_the_dates_of_the_readings(outcomes_of, forms):
    found = outcomes_of([SCORE], {"growth": {"outcomes": ["swemwbs"]}}).looks["growth"][0]
    scores = score(forms, "swemwbs")["metric"]
    years = (forms["date"] - pd.Timestamp("2024-01-01")).dt.days / 365.25
    slopes = {
        arm: np.mean([np.polyfit(years[rows.index], scores[rows.index], 1)[0] for _, rows in mine.groupby("id")])
        for arm, mine in forms.groupby(forms["id"] < f"p{PERSONS // 2:03d}")
    }
    assert found.comparison == pytest.approx(slopes[False], abs=0.01)
    assert found.effect == pytest.approx(slopes[True] - slopes[False], abs=0.01)
    assert found.low < found.effect < found.high
    assert (found.people, found.services) == (PERSONS, 12)


def test_growth_over_two_occasions_is_not_shown_and_says_why(outcomes_of):
    parts = {"growth": {"outcomes": ["swemwbs"]}, "occasion": OCCASIONS[:2]}
    found = outcomes_of([SCORE], parts)
    assert "growth" not in found.looks
    assert any("three occasions or more" in flag.text for flag in about(found, "swemwbs"))


def test_services_are_those_of_the_treated_unless_everyone_is_asked_for(outcomes_of):
    plan = {"services": {"column": "cluster", "outcomes": ["swemwbs@m12"]}}
    table = outcomes_of([SCORE], plan).looks["services"][0].services.table
    assert table["n"].tolist() == [5] * 12
    plan["services"]["people"] = "all"
    assert outcomes_of([SCORE], plan).looks["services"][0].services.table["n"].tolist() == [10] * 12


def test_a_ladder_is_told_by_area_and_its_missing_comparison_is_said(outcomes_of):
    rng = np.random.default_rng(2)
    people = [f"p{person:03d}" for person in range(60)]
    before = pd.DataFrame({"id": people, "date": pd.Timestamp("2024-01-01"), "home": rng.integers(1, 9, 60)})
    after = before.assign(date=pd.Timestamp("2024-12-31"), home=before["home"] + rng.integers(0, 3, 60))
    steps = pd.concat([before, after]).assign(friends=4)
    ladder = {"id": "ladder", "ladder": {"table": "steps", "areas": ["home", "friends"], "titles": {"home": "Home"}}}
    found = outcomes_of([ladder], tables={"steps": steps})
    one = found.looks["distance travelled"][0]
    own = distance_travelled(before[["home"]], after[["home"]])
    assert one.arms["treated"].areas.loc["home", "up"] == pytest.approx(own.areas.loc["home", "up"])
    assert (one.differences, list(one.arms), one.titles) == (None, ["treated"], {"home": "Home", "friends": "friends"})
    assert any("was read for nobody in the arm comparison" in flag.text for flag in about(found, "ladder"))


def test_days_add_up_by_month_to_what_the_measure_counts(outcomes_of):
    rng = np.random.default_rng(3)
    start = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, 80), unit="D")
    spells = pd.DataFrame({
        "id": [f"p{person:03d}" for person in rng.integers(0, PERSONS, 80)],
        "start": start, "end": start + pd.Timedelta(days=30), "state": "care",
    })  # fmt: skip
    measure = {"id": "care", "days_in": {"table": "spells", "state": "care", "window_days": 365}}
    found = outcomes_of([measure], tables={"spells": spells})
    curve = found.looks["cumulative outcomes"][0].curve.table
    last = curve[curve["day"] == 365].set_index("arm")["mean"]
    assert last["treated"] == pytest.approx(found.wide["care"].to_numpy()[:60].mean())
    assert set(curve["day"]) == {*(round(month * 30.4375) for month in range(12)), 365}


def test_what_each_measure_adds_is_set_against_its_cost(outcomes_of):
    raw = SCORE | {"id": "raw", "scale": "raw", "cost": 4.0, "minutes": 5.0}
    plan = {"domain": [{"id": "well", "measures": ["swemwbs", "raw"]}]}
    table = outcomes_of([SCORE | {"cost": 2.0}, raw], plan).looks["what each measure adds"].set_index("measure")
    assert table["cost"].to_dict() == {"swemwbs@m12": 2.0, "raw@m12": 4.0}
    assert table.loc["raw@m12", "hours_all"] == pytest.approx(5 * PERSONS / 60)
    assert table["unique"].max() < 0.1  # the one is made of the other


def test_those_who_were_not_seen_are_supposed_to_be_better_or_worse(outcomes_of, forms):
    lost = forms[~((forms["date"] == "2024-12-31") & (forms.index % 9 == 2))]
    plan = {
        "missing": {"outcomes": ["holed@m12"], "deltas": [-1.0, 0.0, 1.0], "sets": 10},
        "counterfactual": {"estimator": "ols", "covariates": ["holed@baseline"], "outcomes": ["holed@m12"]},
    }
    found = outcomes_of([SCORE | {"id": "holed", "table": "lost"}], plan, {"lost": lost})
    one = found.looks["missing outcomes"][0]
    assert one.adjusted_for == ("holed@baseline",)
    assert one.shift.table["effect"].is_monotonic_increasing
    share = found.wide["holed@m12"].to_numpy()[:60]
    sd = np.nanstd(found.wide["holed@m12"].to_numpy()[60:], ddof=1)
    gap = one.shift.table["effect"].iloc[2] - one.shift.table["effect"].iloc[1]
    assert gap == pytest.approx(np.isnan(share).mean() * sd, rel=0.1)


def test_whose_outcomes_they_are_is_told_where_the_study_says_it(outcomes_of):
    measure = SCORE | {"proposed_by": "young people", "about": "child", "paid": True}
    plan = {"valued": [{"id": "heard", "says": "being listened to", "proposed_by": "service users"}]}
    found = outcomes_of([measure], plan).looks["whose outcomes"]
    assert found.counts.loc["service users"].tolist() == [1, 0, 1]
    assert "whose outcomes" not in outcomes_of([SCORE]).looks


def test_sessions_are_counted_for_those_who_were_offered_them(outcomes_of):
    people = [f"p{person:03d}" for person in range(60)]
    sessions = pd.concat([
        pd.DataFrame({"id": people, "date": pd.Timestamp("2024-02-01") + pd.Timedelta(days=7 * week), "came": 1})
        for week in range(4)
    ])  # fmt: skip
    sessions.loc[sessions["id"] < "p030", "came"] = 0
    plan = {"engagement": {"table": "sessions", "attended": "came", "until_days": 365, "complete_at": 4}}
    plan |= {"domain": [{"id": "well", "measures": ["swemwbs", "raw"]}]}
    found = outcomes_of([SCORE, SCORE | {"id": "raw", "scale": "raw"}], plan, {"sessions": sessions})
    summary = found.looks["engagement"].found.summary.set_index("what")
    assert summary.loc["reach", ["n", "of"]].tolist() == [30, 60]
    assert list(found.looks["engagement"].by) == ["well@m12"]


def test_what_the_data_cannot_support_leaves_a_flag_and_stops_nothing_else(outcomes_of):
    plan = {"services": {"column": "cluster", "outcomes": ["same@m12"]}, "growth": {"outcomes": ["swemwbs"]}}
    constant = pd.DataFrame({"id": [f"p{person:03d}" for person in range(PERSONS)], "flat": 1.0})
    measures = [SCORE, {"id": "same", "table": "flat", "columns": {"m12": "flat"}}]
    found = outcomes_of(measures, plan, {"flat": constant})
    assert "services" not in found.looks
    assert "growth" in found.looks
    assert any(flag.text == "Services could not be shown." for flag in found.flags)


def test_an_outcomes_noun_shows_no_persons_row_of_any_look(outcomes_of):
    found = outcomes_of([SCORE | {"reliable_change": CHANGE}], {"growth": {"outcomes": ["swemwbs"]}})
    for one in found.looks.values():
        for part in one if isinstance(one, list) else [one]:
            assert "p000" not in repr(part)
            assert "p000" not in getattr(part, "_repr_html_", str)()


def test_a_measure_and_a_domain_are_summed_up_over_their_occasions_as_outcomes_of_their_own(outcomes_of):
    measures = [
        {"id": "held", "over_time": {"of": "well", "kind": "peak and hold"}},
        SCORE,
        SCORE | {"id": "raw", "scale": "raw"},
        {"id": "after", "over_time": {"of": "swemwbs"}},
        {"id": "steep", "over_time": {"of": "swemwbs", "kind": "slope"}},
    ]
    found = outcomes_of(measures, {"domain": [{"id": "well", "measures": ["swemwbs", "raw"]}]})
    wide = found.wide
    assert wide["after"].to_numpy() == pytest.approx(wide[["swemwbs@m6", "swemwbs@m12"]].mean(axis=1).to_numpy())
    assert wide["held"].to_numpy() == pytest.approx(wide[["well@m6", "well@m12"]].min(axis=1).to_numpy())
    days = np.array([0, 182, 365]) / 365.25
    slopes = np.polyfit(days, wide[["swemwbs@baseline", "swemwbs@m6", "swemwbs@m12"]].to_numpy().T, 1)[0]
    assert wide["steep"].to_numpy() == pytest.approx(slopes)
    assert (found.describe("steep")["unit"], found.describe("held")["unit"]) == ("points a year", "SD")
    assert found.describe("after")["title"].endswith(", mean of post")
