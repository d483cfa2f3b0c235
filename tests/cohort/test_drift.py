"""Referral drift: the mix by quarter, the share eligible, and starts against the plan."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from evalkit.cohort.drift import DRAWS, drift_flags, drift_table, homogeneity, read_planned
from evalkit.errors import DataError, StudyError
from evalkit.study.counted import Drift

PLAN = Drift(by=["area"], who="referrer", starts="started")
COUNTS = """
    quarter    | by       | value  | referred | eligible | starts
    2019-01-01 |          |        | 40       | 30       | 12
    2019-07-01 |          |        | 50       | 20       | 20
    2019-01-01 | area     | north  | 10       | 5        | 5
    2019-01-01 | area     |        | 30       | 25       | 7
    2019-07-01 | area     | north  | 50       | 20       | 20
    2019-07-01 | referrer | school | 50       | 20       | 20
    2019-01-01 | referrer | police | 40       | 30       | 12
"""


@pytest.fixture
def counts(table):
    return lambda text: table(text).assign(by=lambda frame: frame["by"].fillna(""))


def drawn(random, quarters=12, people=60, change=None, families=False):
    """Counts of invented quarters from 2017-Q1; ``change(quarter, eligible, north, school)`` gives that quarter's.

    With families half of the people come in pairs who are alike, which makes variances 1.5 times as large.
    """
    rows = []
    for at in range(quarters):
        day = (pd.Period("2017Q1", freq="Q") + at).start_time
        n = 4 * (random.poisson(people) // 4) if families else random.poisson(people)
        eligible, north, school = change(at, 0.6, 0.4, 0.5) if change else (0.6, 0.4, 0.5)
        let_in = alike(random, n, (eligible, 1 - eligible), families)[0]
        rows.append((day, "", None, n, let_in, random.binomial(let_in, 0.7)))
        for by, value, k in (("area", "north", north), ("referrer", "school", school)):
            mix = alike(random, n, (k, 0.6 * (1 - k), 0.4 * (1 - k)), families)
            rows += [(day, by, name, m, 0, 0) for name, m in zip((value, "other place", None), mix, strict=True)]
    frame = pd.DataFrame(rows, columns=["quarter", "by", "value", "referred", "eligible", "starts"])
    return frame.astype({"referred": "Int64", "eligible": "Int64", "starts": "Int64"})


def alike(random, n, shares, families):
    if not families:
        return random.multinomial(n, shares)
    return random.multinomial(n // 2, shares) + 2 * random.multinomial(n // 4, shares)


def exact(shares, people=100, by="area", value="north"):
    """Counts of quarters from 2017-Q1 in which exactly these shares have the value; everyone is eligible."""
    rows = []
    for at, share in enumerate(shares):
        day = (pd.Period("2017Q1", freq="Q") + at).start_time
        n = people[at] if isinstance(people, list) else people
        rows.append((day, "", None, n, n, None))
        rows += [(day, by, value, round(n * share), 0, None), (day, by, "south", n - round(n * share), 0, None)]
    frame = pd.DataFrame(rows, columns=["quarter", "by", "value", "referred", "eligible", "starts"])
    return frame.astype({"referred": "Int64", "eligible": "Int64", "starts": "Int64"})


def opened(shares, people=100):
    """Counts of quarters from 2017-Q1 in which exactly these shares are eligible."""
    days = [(pd.Period("2017Q1", freq="Q") + at).start_time for at in range(len(shares))]
    rows = [(day, "", None, people, round(people * share), None) for day, share in zip(days, shares, strict=True)]
    frame = pd.DataFrame(rows, columns=["quarter", "by", "value", "referred", "eligible", "starts"])
    return frame.astype({"referred": "Int64", "eligible": "Int64", "starts": "Int64"})


def flags_of(counts, plan=PLAN, planned=None, **options):
    return drift_flags(drift_table(counts, plan, planned), plan, **options)


def cautions(counts, plan=PLAN, **options):
    return [flag for flag in flags_of(counts, plan, **options) if flag.level == "caution"]


# ---------------------------------------------------------------- the table


def test_the_table_is_tidy_and_a_quarter_without_referrals_is_there_with_0(counts):
    table = drift_table(counts(COUNTS), PLAN, {"2018-Q4": 12.5, "2019-Q1": 20})
    told = table.astype(object).where(table.notna(), None).values.tolist()
    assert told == [
        ["2019-Q1", "referred", None, 40, None, None],
        ["2019-Q2", "referred", None, 0, None, None],
        ["2019-Q3", "referred", None, 50, None, None],
        ["2019-Q1", "eligible", None, 30, 40, 0.75],
        ["2019-Q2", "eligible", None, 0, 0, None],
        ["2019-Q3", "eligible", None, 20, 50, 0.4],
        ["2019-Q1", "starts", None, 12, 30, 0.4],
        ["2019-Q2", "starts", None, 0, 0, None],
        ["2019-Q3", "starts", None, 20, 20, 1],
        ["2018-Q4", "planned", None, 12.5, None, None],
        ["2019-Q1", "planned", None, 20, None, None],
        ["2019-Q1", "area", "north", 10, 40, 0.25],
        ["2019-Q2", "area", "north", 0, 0, None],
        ["2019-Q3", "area", "north", 50, 50, 1],
        ["2019-Q1", "area", "not known", 30, 40, 0.75],
        ["2019-Q2", "area", "not known", 0, 0, None],
        ["2019-Q3", "area", "not known", 0, 50, 0],
        ["2019-Q1", "referrer", "school", 0, 40, 0],
        ["2019-Q2", "referrer", "school", 0, 0, None],
        ["2019-Q3", "referrer", "school", 50, 50, 1],
        ["2019-Q1", "referrer", "police", 40, 40, 1],
        ["2019-Q2", "referrer", "police", 0, 0, None],
        ["2019-Q3", "referrer", "police", 0, 50, 0],
    ]


def test_without_a_set_of_starts_and_a_plan_there_are_no_such_rows(counts):
    frame = counts(COUNTS).assign(starts=pd.array([None] * 7, dtype="Int64"))
    assert drift_table(frame, Drift(), None)["series"].unique().tolist() == ["referred", "eligible"]


def test_of_nobody_there_is_a_table_without_rows_and_nothing_to_tell(counts):
    nobody = counts(COUNTS).iloc[:0]
    assert drift_table(nobody, PLAN, None).columns.tolist() == [
        *("quarter", "series", "value", "people", "of", "share"),
    ]
    assert flags_of(nobody) == []
    assert flags_of(nobody, planned={"2019-Q1": 20}) == []


def test_a_column_named_like_a_series_of_the_table_does_not_mix_with_it(counts):
    plan = Drift(by=["eligible"])
    table = drift_table(counts(COUNTS.replace("area ", "eligible ")), plan, None)
    mix = table[(table["series"] == "eligible") & table["value"].notna()]
    assert mix["people"].tolist() == [10, 0, 50, 30, 0, 0]
    leads = [flag.text.split(" differs")[0] for flag in drift_flags(table, plan) if flag.about == "eligible"]
    assert leads == ["The share of those referred who meet every rule", "The mix of referrals by eligible"]


# ---------------------------------------------------------------- the plan


def test_a_quarter_of_the_plan_is_written_as_such_or_by_its_first_day(tmp_path):
    given = {"2018-07-01": 12, "2018-Q2": 7.5}
    assert read_planned(given, tmp_path) == {"2018-Q2": 7.5, "2018-Q3": 12.0}
    (tmp_path / "plan.csv").write_text("quarter,planned,note\n2018-07-01,12,\n2018-Q2,7.5,first\n", encoding="utf-8")
    assert list(read_planned("plan.csv", tmp_path).items()) == [("2018-Q2", 7.5), ("2018-Q3", 12.0)]


def test_everything_wrong_with_planned_starts_in_the_study_is_told_at_once(tmp_path):
    given = {"2018 Q2": 1, "2018-05-01": 2, "2018-Q3": 3, "2018-07-01": 4, "2018-Q4": -1, "2019-Q1": float("inf")}
    with pytest.raises(StudyError) as error:
        read_planned(given, tmp_path)
    assert str(error.value) == (
        "[cohort.drift] planned has 3 problems:\n"
        '  1. "2018 Q2" and "2018-05-01" are no calendar quarter. Write 2018-Q2, or its first day, 2018-04-01.\n'
        '  2. "2018-07-01" is there already. Keep one row a quarter.\n'
        '  3. "2018-Q4" and "2019-Q1" are without a number of people. Write 0 or more, in digits.'
    )
    with pytest.raises(StudyError, match="no quarter is given"):
        read_planned({}, tmp_path)


def test_everything_wrong_with_a_file_of_planned_starts_is_told_by_row(tmp_path):
    lines = ["quarter,planned", "2018-Q2,10", "2018-Q2,", "Spring,11", "2018-Q3,twelve", ",3"]
    (tmp_path / "plan.csv").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(DataError) as error:
        read_planned("plan.csv", tmp_path)
    told = str(error.value)
    assert "plan.csv has 3 problems" in told
    assert 'rows 4 and 6 (the first: "Spring") are no calendar quarter' in told
    assert 'row 3 (the first: "2018-Q2") is there already' in told
    assert 'rows 3 and 5 (the first: "2018-Q2") are without a number of people' in told


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("quater,planned\n2018-Q2,1\n", 'column "quarter" is missing. Did you mean "quater"?'),
        ("a,b\n1,2\n", 'column "planned" is missing. Known: a, b.'),
        ("quarter,planned\n", "the table is empty"),
        (None, "the file is not in the folder"),
    ],
)
def test_a_file_of_planned_starts_that_cannot_be_read_is_named(tmp_path, text, finding):
    if text is not None:
        (tmp_path / "plan.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=re.escape(finding)) as error:
        read_planned("plan.csv", tmp_path)
    assert "plan.csv" in str(error.value)


# ---------------------------------------------------------------- the test of homogeneity


def test_shares_are_compared_by_chi_square_where_counts_suffice():
    # Each expected count is 15 and each differs by 5: 4 x 25 / 15 = 6.667 on one degree of freedom.
    p, how = homogeneity(np.array([[10, 20], [20, 10]]), np.random.default_rng(1))
    assert p == pytest.approx(0.009823, abs=1e-6)
    assert how == "Chi-square test"


def test_shares_of_few_people_are_compared_by_drawn_tables():
    # The tea tasting of Fisher: 3 and 1 of 4 and 4; tables as far from even have probability 34 / 70.
    p, how = homogeneity(np.array([[3, 1], [1, 3]]), np.random.default_rng(1))
    assert p == pytest.approx(34 / 70, abs=4 * np.sqrt(0.25 / DRAWS))
    assert "drawn tables" in how


@pytest.mark.parametrize("counts", [[[5, 5]], [[5, 0], [7, 0]], [[5, 5], [0, 0]], [[0, 0], [0, 0]]])
def test_one_quarter_or_one_answer_is_no_test(counts):
    assert np.isnan(homogeneity(np.array(counts), np.random.default_rng(1))[0])


def test_p_values_are_adjusted_as_statsmodels_does():
    from statsmodels.stats.multitest import multipletests

    from evalkit.cohort.drift import _holm

    p = np.random.default_rng(4).random(9) ** 3
    assert _holm(p) == pytest.approx(multipletests(p, method="holm")[1])


# ---------------------------------------------------------------- alarms, false and true


@pytest.mark.parametrize("people", [9, 45])
def test_no_more_than_one_study_in_twenty_without_drift_is_told_of_a_change(people):
    random = np.random.default_rng(people)
    assert sum(bool(cautions(drawn(random, people=people))) for _ in range(200)) <= 10


@pytest.mark.slow
def test_with_half_of_all_people_in_pairs_who_are_alike_it_is_about_one_in_ten():
    random = np.random.default_rng(1)
    told = sum(bool(cautions(drawn(random, people=45, families=True))) for _ in range(400))
    assert 20 <= told <= 60


def step(at, eligible, north, school):
    return (eligible, 0.15 if at >= 7 else north, school)


def slide(at, eligible, north, school):
    return (0.85 - 0.04 * at, north, school)


def once(at, eligible, north, school):
    return (eligible, north, 0.9 if at == 4 else school)


@pytest.mark.parametrize(("change", "about"), [(step, "area"), (slide, "eligible"), (once, "referrer")])
def test_a_step_a_slide_and_one_odd_quarter_are_found_in_the_series_they_are_in(change, about):
    random = np.random.default_rng(8)
    found = [[flag.about for flag in cautions(drawn(random, people=80, change=change))] for _ in range(40)]
    assert sum(about in flags for flags in found) >= 36
    assert sum(set(flags) != {about} and bool(flags) for flags in found) <= 4


def test_the_same_counts_give_the_same_flags():
    counts = drawn(np.random.default_rng(5), people=9, change=step)
    assert flags_of(counts, seed=7) == flags_of(counts, seed=7)


# ---------------------------------------------------------------- what is told


def test_a_moved_mix_is_told_with_both_halves_and_where_they_part():
    (flag,) = cautions(exact([0.6] * 5 + [0.3] * 3), Drift(by=["area"]))
    assert (flag.level, flag.about) == ("caution", "area")
    assert flag.text == (
        'The mix of referrals by area changed: "south" about 60% from 2018-Q1 to 2018-Q4, '
        "against about 40% from 2017-Q1 to 2017-Q4."
    )
    assert flag.detail.startswith("Chi-square test, first half against second, Holm over 2 tests: p < 0.001.")
    assert flag.detail.endswith("The quarters part most clearly after 2018-Q1.")


def test_one_odd_quarter_is_told_by_its_name():
    (flag,) = cautions(exact([0.5, 0.5, 0.8, 0.5, 0.5, 0.5, 0.5, 0.5], by="referrer"), Drift(who="referrer"))
    assert flag.text.startswith(
        'Who referred (referrer) differs in 2017-Q3: "north" about 80% then, against about 50% in all other quarters.'
    )
    assert "So it does" not in flag.text


def test_a_few_odd_quarters_in_one_half_are_told_as_such_and_not_as_a_move():
    (flag,) = cautions(exact([0.5, 0.5, 0.95, 0.5, 0.5, 0.5, 0.5, 0.5], people=400), Drift(by=["area"]))
    assert "differs in 2017-Q3" in flag.text
    (flag,) = cautions(exact([0.5, 0.7, 0.95, 0.7, 0.5, 0.5, 0.5, 0.5], people=400), Drift(by=["area"]))
    assert "changed: " in flag.text


def test_of_two_quarters_the_later_is_the_one_that_changed():
    (flag,) = cautions(opened([0.7, 0.4]), Drift())
    assert flag.text == (
        "The share of those referred who meet every rule differs in 2017-Q2: about 40% then, "
        "against about 70% in all other quarters."
    )


def test_a_change_that_comes_back_each_year_may_be_the_season():
    shares = [0.6, 0.6, 0.2, 0.6] * 3
    (flag,) = cautions(exact(shares), Drift(by=["area"]))
    assert "So it does in" in flag.text
    assert flag.text.endswith("All lie in the same season: a change, or the time of year?")


def test_a_sure_change_of_fewer_than_10_points_is_not_told():
    shares = [0.50] * 6 + [0.58] * 6
    assert cautions(exact(shares, people=100_000), Drift(by=["area"])) == []
    assert len(cautions(exact([0.50] * 6 + [0.61] * 6, people=100_000), Drift(by=["area"]))) == 1


def test_a_large_change_among_few_is_told_without_numbers():
    (flag,) = cautions(exact([0.5, 0.5, 0.96, 0.5, 0.5, 0.5, 0.5, 0.5], people=48), Drift(by=["area"]))
    assert "in 2017-Q3" in flag.text
    assert "(too few people to tell the shares)" in flag.text
    assert "%" not in flag.text


def test_one_small_quarter_of_another_mix_is_no_drift():
    people = [100, 100, 100, 9, 100, 100, 100, 100]
    assert cautions(exact([0.5, 0.5, 0.5, 1, 0.5, 0.5, 0.5, 0.5], people), Drift(by=["area"]))[0].about == "referred"
    people[3] = 40
    assert [f.about for f in cautions(exact([0.5] * 3 + [1] + [0.5] * 4, people), Drift(by=["area"]))] == ["area"]


def test_rare_answers_are_taken_together_so_that_they_do_not_drown_a_change():
    days = [(pd.Period("2017Q1", freq="Q") + at).start_time for at in range(8)]
    rows = [(day, "", None, 100, 100) for day in days]
    for at, day in enumerate(days):
        north = 30 if at < 4 else 50
        rows += [(day, "area", "north", north, 0)]
        rows += [(day, "area", f"place {k}", (100 - north) // 10 * (k < 10), 0) for k in range(60)]
    counts = pd.DataFrame(rows, columns=["quarter", "by", "value", "referred", "eligible"]).assign(starts=pd.NA)
    (flag,) = cautions(counts, Drift(by=["area"]))
    assert '"north" about 50%' in flag.text
    assert "all others" not in flag.text


# ---------------------------------------------------------------- the ends of the data


def test_an_unfinished_last_quarter_is_named_and_is_no_change():
    shares = [0.5] * 7 + [1]
    plan = Drift(by=["area"])
    flags = flags_of(exact(shares, people=[100] * 7 + [30]), plan)
    assert [(flag.level, flag.about) for flag in flags] == [("note", "referred")]
    assert flags[0].text == "2018-Q4 looks unfinished and cannot show a change."
    assert [f.about for f in cautions(exact(shares, people=[100] * 7 + [60]), plan)] == ["area"]


def test_two_quarters_may_be_unfinished_and_no_more():
    people = [100] * 5 + [40, 20, 5]
    assert flags_of(exact([0.5] * 8, people), Drift(by=["area"]))[0].text.startswith("2018-Q3 and 2018-Q4 look unf")


def test_quarters_that_the_rules_close_are_not_a_fall_of_the_share_eligible():
    followed = [0.6] * 7 + [0.2, 0, 0, 0]
    flags = flags_of(opened(followed), Drift())
    assert [flag.level for flag in flags] == ["note"]
    assert flags[0].text == "Whether the share eligible changed is judged from 2017-Q1 to 2018-Q3 only."
    begun = [0, 0, 0.3] + [0.6] * 7
    assert flags_of(opened(begun), Drift())[0].text.endswith("from 2017-Q4 to 2019-Q2 only.")
    fell = [0.6] * 7 + [0.2, 0.2, 0.2, 0.2]
    assert [flag.about for flag in cautions(opened(fell), Drift())] == ["eligible"]


def test_referrals_that_nearly_stop_between_busy_quarters_raise_a_question():
    (flag,) = cautions(exact([0.5] * 8, people=[10, 60, 60, 4, 60, 60, 60, 60]), Drift(by=["area"]))
    assert flag.text == "Referrals nearly stop in 2017-Q4: are records missing?"


def test_people_of_one_quarter_cannot_show_drift_and_the_reader_is_told():
    (flag,) = flags_of(exact([0.5]), Drift(by=["area"]))
    assert flag.level == "note"
    assert flag.text == "Whether referrals changed from quarter to quarter cannot be judged."


# ---------------------------------------------------------------- starts against the plan


def started(starts, people=100):
    counts = opened([0.5] * len(starts), people)
    return counts.assign(starts=pd.array(starts, dtype="Int64"))


@pytest.mark.parametrize(
    ("starts", "level", "text"),
    [
        ([30, 30, 30, 24], None, ""),
        (
            [30, 30, 20, 20],
            "note",
            "By 2017-Q4 about 15% fewer people had started than the 120 planned; behind the plan since 2017-Q3.",
        ),
        (
            [20, 20, 20, 20],
            "caution",
            "By 2017-Q4 about 35% fewer people had started than the 120 planned; behind the plan since 2017-Q1.",
        ),
        (
            [0, 1, 2, 3],
            "caution",
            "By 2017-Q4 fewer than 10 people had started of the 120 planned; behind the plan since 2017-Q1.",
        ),
    ],
)
def test_starts_are_set_against_the_plan_up_to_the_last_quarter_with_both(starts, level, text):
    planned = {f"2017-Q{k}": 30 for k in (1, 2, 3, 4)} | {"2018-Q1": 500}
    flags = [flag for flag in flags_of(started(starts), planned=planned) if flag.about == "starts"]
    assert [(flag.level, flag.text) for flag in flags] == ([(level, text)] if level else [])


def test_a_plan_that_begins_before_the_first_referral_counts_from_its_own_start():
    flags = flags_of(started([30, 30]), planned={"2016-Q4": 30, "2017-Q1": 30, "2017-Q2": 30})
    assert flags[-1].text.startswith("By 2017-Q2 about 35% fewer people had started than the 90 planned")
    assert flags[-1].text.endswith("since 2016-Q4.")


def test_an_unfinished_quarter_is_not_held_against_the_plan():
    counts = started([30, 30, 30, 30, 2])
    counts.loc[4, ["referred", "eligible"]] = [10, 5]
    planned = {f"2017-Q{k}": 30 for k in (1, 2, 3, 4)} | {"2018-Q1": 500}
    assert [flag.about for flag in flags_of(counts, planned=planned) if flag.about == "starts"] == []


def test_a_plan_without_a_set_of_starts_or_in_other_years_is_silent():
    assert [f for f in flags_of(opened([0.5] * 4), planned={"2017-Q1": 50}) if f.about == "starts"] == []
    assert [f for f in flags_of(started([9] * 4), planned={"2020-Q1": 50}) if f.about == "starts"] == []
