"""Who starts, who is picked, who leaves at which rule, and what stops the count."""

from __future__ import annotations

import datetime as dt
import itertools

import pandas as pd
import pytest

from evalkit.cohort import build_cohort, select
from evalkit.errors import DataError, StudyError

PEOPLE = """
    person | born       | sex
    a      | 2008-05-01 | f
    b      | 2009-05-01 | m
    c      |            | f
    d      | 1990-05-01 | m
    e      | 2007-05-01 |
"""
REFERRALS = """
    person | referred_on | arm        | team
    b      | 2020-06-01  | usual care | south
    a      | 2021-01-01  | usual care | north
    a      | 2020-01-01  | therapy    | north
    c      | 2020-03-01  | therapy    | south
    d      | 2020-03-01  | usual care | south
    e      |             | therapy    | south
"""
PLAN = {
    "person": "person",
    "index": {"table": "referrals", "date": "referred_on"},
    "arm": {"column": "arm", "treated": "therapy", "comparison": "usual care"},
    "include": [{"says": "aged 11 to 17", "rule": "11 <= age(born, referred_on) <= 17"}],
}


@pytest.fixture
def two(table):
    return {"people": table(PEOPLE), "referrals": table(REFERRALS)}


def test_the_flow_counts_who_left_at_each_step_and_for_whom_it_was_unknown(two):
    flow = select(two, PLAN).flow
    assert flow[["kind", "left_out", "unknown", "people", "treated", "comparison"]].values.tolist() == [
        ["start", 0, 0, 5, 3, 2],
        ["pick", 1, 1, 4, 2, 2],
        ["include", 2, 1, 2, 1, 1],
        ["arm", 0, 0, 2, 1, 1],
    ]


def test_the_reasons_name_every_rule_a_person_does_not_meet(two):
    plan = PLAN | {"exclude": [{"says": "girls", "rule": "sex == 'f'"}], "arm": None}
    reasons = select(two, plan).reasons
    assert reasons.values.tolist() == [
        ["a", "girls", "no"],
        ["c", "aged 11 to 17", "unknown"],
        ["c", "girls", "no"],
        ["d", "aged 11 to 17", "no"],
        ["e", "first row of referrals by referred_on", "unknown"],
    ]


def test_someone_of_whom_an_exclude_rule_is_unknown_stays_and_is_counted(table):
    plan = {"person": "person", "index": {"date": "2020-01-01"}, "exclude": [{"says": "boys", "rule": "sex == 'm'"}]}
    cohort = select({"people": table(PEOPLE)}, plan)
    assert cohort.table["person"].tolist() == ["a", "c", "e"]
    assert cohort.flow.iloc[-1][["left_out", "unknown", "people"]].tolist() == [2, 1, 3]
    assert "unknown does not exclude" in cohort.flags[0].detail
    assert "e" not in cohort.reasons["person"].tolist()


def test_the_table_has_the_cohorts_columns_first_and_is_sorted_by_person(two):
    plan = PLAN | {"cluster": "team", "columns": {"age": "age(born, referred_on)"}}
    table = select(two, plan).table
    first = ["person", "index_date", "arm", "treated", "cluster", "age", "referred_on", "team", "born", "sex"]
    assert table.columns.tolist() == first
    assert table["person"].tolist() == ["a", "b"]
    assert table["arm"].tolist() == ["treated", "comparison"]
    assert table["treated"].tolist() == [1, 0]
    assert table["age"].tolist() == [11, 11]
    assert table["age"].dtype == "int64"
    assert table["index_date"].tolist() == [pd.Timestamp("2020-01-01"), pd.Timestamp("2020-06-01")]


def test_first_means_first_of_all_and_only_then_the_rules(table):
    referrals = table("person | on\na | 2018-01-01\na | 2020-01-01\nb | 2020-01-01")
    plan = {"person": "person", "include": [{"says": "2020", "rule": "on >= '2020-01-01'"}]}
    kept = {
        pick: select({"referrals": referrals}, plan | {"index": {"table": "referrals", "date": "on", "pick": pick}})
        for pick in ("first", "last", "first eligible")
    }
    assert {pick: cohort.table["person"].tolist() for pick, cohort in kept.items()} == {
        "first": ["b"],
        "last": ["a", "b"],
        "first eligible": ["a", "b"],
    }
    assert kept["first eligible"].table["index_date"].dt.year.tolist() == [2020, 2020]


def test_someone_who_meets_every_rule_but_never_in_one_row_is_listed_where_the_last_row_left(table):
    referrals = table("person | on | x | y\na | 2020-01-01 | 1 | 0\na | 2020-02-01 | 0 | 1\nb | 2020-01-01 | 1 | 1")
    rules = [{"says": "x", "rule": "x == 1"}, {"says": "y", "rule": "y == 1"}]
    index = {"table": "referrals", "date": "on", "pick": "first eligible"}
    cohort = select({"referrals": referrals}, {"person": "person", "index": index, "include": rules})
    assert cohort.reasons.values.tolist() == [["a", "y", "no"]]
    assert cohort.flow["people"].tolist() == [2, 2, 2, 1]


def test_of_two_referrals_on_one_day_the_order_of_the_file_decides_and_a_flag_says_so(table):
    referrals = table("person | on | n\na | 2020-01-01 | 3\na | 2020-01-01 | 1\na | 2020-01-01 | 2\nb | 2020-01-01 | 9")
    for pick, kept in (("first", 3), ("last", 2)):
        index = {"table": "referrals", "date": "on", "pick": pick}
        cohort = select({"referrals": referrals}, {"person": "person", "index": index})
        assert cohort.table["n"].tolist() == [kept, 9]
        assert "more than one row of referrals on the index date" in cohort.flags[0].text


def test_the_order_of_rules_and_of_rows_changes_neither_cohort_nor_reasons(two):
    rules = [
        {"says": "young", "rule": "age(born, referred_on) < 18"},
        {"says": "boys", "rule": "sex == 'm'"},
        {"says": "early", "rule": "referred_on < '2020-12-31'"},
    ]
    plan = PLAN | {"arm": None}
    found = set()
    for order in itertools.permutations(rules):
        shuffled = {name: frame.sample(frac=1, random_state=len(found)) for name, frame in two.items()}
        cohort = select(shuffled, plan | {"include": list(order)})
        reasons = cohort.reasons.sort_values(["person", "rule"]).to_csv(index=False)
        found.add((tuple(cohort.table["person"]), reasons))
    assert len(found) == 1


def test_people_in_neither_arm_are_left_out_with_a_reason(two, table):
    two["referrals"] = pd.concat(
        [two["referrals"], table("person | referred_on | arm\nx | 2020-01-01 | pilot\ny | 2020-01-01 |")]
    )
    two["people"] = pd.concat([two["people"], table("person | born\nx | 2008-01-01\ny | 2008-01-01")])
    cohort = select(two, PLAN)
    assert cohort.flow.iloc[-1][["kind", "left_out", "unknown", "people"]].tolist() == ["arm", 2, 1, 2]
    arm = cohort.reasons[cohort.reasons["rule"].str.contains("arms")]
    assert arm[["person", "answer"]].values.tolist() == [["x", "no"], ["y", "unknown"]]


@pytest.mark.parametrize(
    ("column", "treated", "comparison"),
    [
        ([1, 0], 1, 0),
        ([1.0, 0.0], 1, 0),
        (["1", "0"], 1, 0),
        ([True, False], True, False),
        ([True, False], 1, 0),
        ([1, 0], True, False),
    ],
)
def test_an_arm_is_recognised_as_number_text_or_yes_and_no(column, treated, comparison):
    people = pd.DataFrame({"person": ["a", "b"], "offered": column})
    arm = {"column": "offered", "treated": treated, "comparison": comparison}
    cohort = select({"people": people}, {"person": "person", "index": {"date": dt.date(2020, 1, 1)}, "arm": arm})
    assert cohort.table["treated"].tolist() == [1, 0]


def test_a_missing_cluster_is_flagged_without_a_small_count(two):
    two["referrals"].loc[2, "team"] = None
    flags = select(two, PLAN | {"cluster": "team"}).flags
    assert "For fewer than 10 people the cluster (team) is missing." in [flag.text for flag in flags]


def test_rows_that_end_before_they_start_ages_before_birth_and_ids_of_others_are_flagged(two, table):
    episodes = table("person | start | end\nz | 2020-02-01 | 2020-01-01\nz | | 2020-01-01")
    people = table(PEOPLE.replace("2008-05-01", "2021-05-01"))
    plan = PLAN | {"arm": None, "exclude": [{"says": "in care", "rule": "exists(episodes, days=(0, 9))"}]}
    texts = " ".join(flag.text for flag in select({**two, "people": people, "episodes": episodes}, plan).flags)
    assert "No row of table episodes belongs to anybody who started." in texts
    assert "rows end before they start" in texts
    assert "have no date in start" in texts
    assert "An age was asked for on a day before birth" in texts


def _changed(two, table, **changes):
    return {**two, **{name: table(text) for name, text in changes.items()}}


@pytest.mark.parametrize(
    ("changes", "plan", "finding"),
    [
        (
            {"people": PEOPLE + "    a | 2008-05-01 | f"},
            {},
            "1 person stands there more than once, in 2 rows (2 and 7)",
        ),
        (
            {"referrals": REFERRALS + "    q | 2020-01-01 | therapy | north"},
            {},
            "1 row (8) name a person who is not in table people",
        ),
        ({"people": "id | born\na | 2008-01-01"}, {}, 'table people has no column "person"'),
        ({"referrals": "person | arm\na | therapy"}, {}, 'table referrals has no column "referred_on"'),
        ({"referrals": "person | referred_on | arm"}, {}, "table referrals has no rows"),
        ({"referrals": "person | referred_on | arm\na |  | therapy"}, {}, "every index date is missing"),
        (
            {"referrals": "person | referred_on | arm\na | 2020-01-01 | therapy\nb | 31/02/2020 | therapy"},
            {},
            "column referred_on should hold dates (year-month-day), and 1 row (3) hold something else",
        ),
        (
            {},
            {"include": [{"says": "very old", "rule": "age(born, referred_on) > 90"}]},
            'nobody is left after include "very old"',
        ),
        ({}, {"exclude": [{"says": "boys", "rule": "sex == 'm'"}]}, 'has nobody in it after exclude "boys"'),
        ({}, {"arm": {"column": "arm", "treated": "Therapy", "comparison": "usual care"}}, 'Did you mean "therapy"?'),
    ],
)
def test_data_that_contradict_the_plan_stop_the_count(two, table, changes, plan, finding):
    with pytest.raises(DataError) as caught:
        select(_changed(two, table, **changes), PLAN | plan)
    assert finding in str(caught.value)


@pytest.mark.parametrize(
    ("plan", "finding"),
    [
        ({"index": {"table": "referral", "date": "referred_on"}}, 'Did you mean "referrals"?'),
        ({"index": {"date": "31/02/2020"}}, '"31/02/2020" is not a date'),
        ({"people": "peple"}, 'Did you mean "people"?'),
        ({"cluster": "teams"}, 'cluster names "teams"'),
        ({"arm": {"column": "arms", "treated": 1, "comparison": 0}}, 'Did you mean "arm"?'),
        ({"includes": []}, "includes"),
        ({"columns": {"born": "index_date"}}, "table people has a column of that name"),
        ({"columns": {"treated": "1"}}, "the cohort has a column of that name itself"),
        ({"exclude": [{"says": "aged 11 to 17", "rule": "sex == 'm'"}]}, 'two rules say "aged 11 to 17"'),
    ],
)
def test_a_plan_that_cannot_be_followed_is_a_study_error(two, plan, finding):
    with pytest.raises(StudyError) as caught:
        select(two, PLAN | plan)
    assert finding in str(caught.value)


def test_neither_its_repr_nor_its_html_shows_a_person(two):
    two = {name: frame.replace({"a": "SECRET-1", "b": "SECRET-2"}) for name, frame in two.items()}
    cohort = select(two, PLAN)
    assert "SECRET" not in repr(cohort) + cohort._repr_html_()
    assert "aged 11 to 17" in cohort._repr_html_()


def test_the_tables_given_are_left_as_they_were(two):
    before = {name: frame.copy() for name, frame in two.items()}
    select(two, PLAN)
    for name, frame in two.items():
        pd.testing.assert_frame_equal(frame, before[name])


def test_tables_may_be_given_as_files(two, tmp_path):
    two["referrals"].to_csv(tmp_path / "referrals.csv", index=False)
    from_file = select({**two, "referrals": tmp_path / "referrals.csv"}, PLAN)
    pd.testing.assert_frame_equal(from_file.flow, select(two, PLAN).flow)
    assert from_file.table["person"].tolist() == ["a", "b"]


def test_a_study_is_counted_from_its_folder(make_study, table):
    import evalkit

    text = """
        [tables]
        people = "people.csv"
        referrals = "referrals.csv"
        [cohort]
        person = "person"
        index = { table = "referrals", date = "referred_on", pick = "first" }
        [[cohort.include]]
        says = "aged 11 to 17"
        rule = "11 <= age(born, referred_on) <= 17"
    """
    study = evalkit.read_study(make_study(text, people=table(PEOPLE), referrals=table(REFERRALS)))
    cohort = build_cohort(study)
    assert cohort.study is study
    assert cohort.flow["people"].tolist() == [5, 4, 2]
    assert set(cohort.tables) == {"people", "referrals"}
