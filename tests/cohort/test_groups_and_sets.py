"""Comparison groups by the same rules, analysis sets, person-episodes, what stands beside the flow."""

from __future__ import annotations

import pandas as pd
import pytest

from evalkit.cohort import select
from evalkit.errors import DataError, StudyError

PEOPLE = """
    person | born       | sex
    a      | 2008-01-01 | f
    b      | 2008-01-01 | m
    c      | 2008-01-01 | f
    d      | 2008-01-01 | m
    e      | 1990-01-01 | f
    f      | 2008-01-01 |
    g      | 2008-01-01 | m
"""
REFERRALS = """
    person | on         | area
    a      | 2019-06-01 | north
    b      | 2017-06-01 | north
    b      | 2019-06-01 | north
    c      | 2019-06-01 | south
    d      | 2019-07-01 | north
    e      | 2019-06-01 | north
    f      | 2017-01-01 | north
    g      | 2010-01-01 | west
"""
SESSIONS = """
    person | held_on    | last
    a      | 2019-06-10 | yes
    d      | 2019-12-01 | no
    c      | 2019-06-02 | yes
"""
GROUPS = [
    {"id": "south", "says": "referred in the South", "kind": "another area", "role": "beside",
     "rule": "area == 'south' and index_date >= '2018-01-01'"},
    {"id": "after", "says": "after the start", "kind": "offered", "role": "treated",
     "rule": "area == 'north' and index_date >= '2018-01-01'"},
    {"id": "before", "says": "before the start", "kind": "historical period", "role": "comparison",
     "rule": "area == 'north' and index_date < '2018-01-01'"},
]  # fmt: skip
PLAN = {
    "person": "person",
    "index": {"table": "referrals", "date": "on"},
    "include": [{"says": "under 18", "rule": "age(born, on) < 18"}],
    "group": GROUPS,
}


@pytest.fixture
def tables(table):
    return {"people": table(PEOPLE), "referrals": table(REFERRALS), "sessions": table(SESSIONS)}


def test_groups_go_through_the_same_rules_side_by_side(tables):
    cohort = select(tables, PLAN)
    flow = cohort.flow.set_index("kind")
    assert flow.columns.tolist()[-3:] == ["south", "failed", "only"]
    assert flow.loc["start", ["people", "treated", "comparison", "south"]].tolist() == [7, 3, 2, 1]
    assert flow.loc["include", ["people", "treated", "comparison", "south"]].tolist() == [6, 2, 2, 1]
    assert flow.loc["group", ["people", "left_out", "treated", "comparison", "south"]].tolist() == [4, 2, 2, 2, 1]
    assert cohort.table.set_index("person")["group"].to_dict() == {
        "a": "after", "b": "before", "d": "after", "f": "before",
    }  # fmt: skip
    assert cohort.table.set_index("person")["treated"].to_dict() == {"a": 1, "b": 0, "d": 1, "f": 0}
    assert cohort.beside[["person", "group"]].values.tolist() == [["c", "south"]]


def test_somebody_referred_before_and_after_the_start_counts_once_by_the_first(tables):
    assert select(tables, PLAN).table["person"].tolist().count("b") == 1


def test_a_comparison_over_time_is_flagged_as_such(tables):
    flags = {flag.about: flag for flag in select(tables, PLAN).flags}
    assert "earlier period" in flags["before"].text
    not_started = [{**group, "kind": "referred, not started"} if group["id"] == "before" else group for group in GROUPS]
    flags = {flag.about: flag for flag in select(tables, PLAN | {"group": not_started}).flags}
    assert flags["before"].level == "caution"
    assert "did not start" in flags["before"].text


def test_who_meets_the_rules_of_two_groups_counts_in_the_treated_one_and_a_flag_says_so(tables):
    wide = [{**group, "rule": "area == 'north'"} if group["id"] == "before" else group for group in GROUPS]
    cohort = select(tables, PLAN | {"group": wide})
    assert cohort.table.set_index("person")["group"]["a"] == "after"
    assert any("meet the rules of two groups" in flag.text for flag in cohort.flags)


@pytest.mark.parametrize(
    ("change", "error", "finding"),
    [
        ({"group": GROUPS[:1]}, StudyError, "one group has role treated and one comparison"),
        ({"group": [*GROUPS, GROUPS[0]]}, StudyError, "more than one group has that id"),
        ({"arm": {"column": "area", "treated": "north", "comparison": "south"}}, StudyError, "both arm and group"),
        ({"group": [{**GROUPS[1], "rule": "areaa == 'x'"}, GROUPS[2]]}, StudyError, 'Did you mean "area"?'),
        ({"group": [{**GROUPS[1], "rule": "area == 'east'"}, GROUPS[2]]}, DataError, "has nobody in it"),
    ],
)
def test_groups_that_cannot_be_are_refused(tables, change, error, finding):
    with pytest.raises(error) as caught:
        select(tables, PLAN | change)
    assert finding in str(caught.value)


SETS = [
    {"id": "started", "says": "a first session within 90 days", "rule": "exists(sessions, days=(0, 90))"},
    {"id": "completed", "says": "came to the last session", "rule": "exists(sessions, last)"},
]


def test_sets_count_who_is_lost_between_them(tables):
    cohort = select(tables, PLAN | {"set": SETS})
    assert cohort.sets[["set", "people", "lost", "treated"]].values.tolist() == [
        ["eligible", 4, 0, 2],
        ["started", 1, 3, 1],
        ["completed", 1, 0, 1],
    ]
    assert cohort.sets["comparison"].isna().tolist() == [False, True, True]  # nobody of before could start
    assert cohort.table["in_started"].tolist() == [True, False, False, False]
    assert cohort.only("started").table["person"].tolist() == ["a"]
    assert cohort.only("started").flags[-1].level == "serious"
    with pytest.raises(StudyError, match='Did you mean "started"'):
        cohort.only("start")


def test_a_later_set_that_holds_people_who_never_were_in_the_earlier_is_flagged(tables):
    late = [{**SETS[0], "rule": "exists(sessions, days=(0, 5))"}, SETS[1]]
    texts = [flag.text for flag in select(tables, PLAN | {"set": late}).flags]
    assert any('in the set "completed" and not in "started"' in text for text in texts)


def test_a_set_needs_a_name_of_its_own(tables):
    with pytest.raises(StudyError, match="stands for something else too"):
        select(tables, PLAN | {"set": [SETS[0], SETS[0]]})


def test_person_episodes_are_counted_each(tables):
    plan = {"person": "person", "index": {"table": "referrals", "date": "on", "pick": "every", "gap_days": 365}}
    cohort = select(tables, plan | {"include": PLAN["include"]})
    assert cohort.table[["person", "episode"]].values.tolist() == [
        ["a", 1], ["b", 1], ["b", 2], ["c", 1], ["d", 1], ["f", 1], ["g", 1],
    ]  # fmt: skip
    assert cohort.flow["people"].tolist() == [8, 8, 7]
    assert any("in more than one episode" in flag.text for flag in cohort.flags)
    answers = cohort.rule_answers("on >= '2019-01-01'")
    assert answers.loc[("b", 1)] is not True
    assert bool(answers.loc[("b", 2)]) is True


def test_the_flow_counts_who_fails_a_rule_whatever_the_order_and_who_fails_it_alone(tables):
    rules = [
        {"says": "under 18", "rule": "age(born, on) < 18"},
        {"says": "north", "rule": "area == 'north'"},
        {"says": "girls", "rule": "sex == 'f'"},
    ]
    plan = {"person": "person", "index": PLAN["index"]}
    for order in ([0, 1, 2], [2, 0, 1], [1, 2, 0]):
        flow = select(tables, plan | {"include": [rules[n] for n in order]}).flow.set_index("says")
        assert flow.loc[["under 18", "north", "girls"], "failed"].tolist() == [1, 2, 4]
        assert flow.loc[["under 18", "north", "girls"], "only"].tolist() == [1, 1, 3]


def test_drift_and_table_one_come_from_the_same_counts(tables):
    plan = PLAN | {"set": SETS, "baseline": ["sex"], "drift": {"by": ["area"], "starts": "started"}}
    cohort = select(tables, plan)
    drift = cohort.drift
    referred = drift[drift["series"] == "referred"].set_index("quarter")["people"]
    assert referred.sum() == cohort.flow["people"].iloc[0]
    assert referred["2019-Q2"] == 3
    meets_every_rule = cohort.flow.set_index("kind").loc["include", "people"]  # whatever the group
    assert drift[drift["series"] == "eligible"]["people"].sum() == meets_every_rule == 6
    assert drift[drift["series"] == "area"]["people"].sum() == referred.sum()
    assert drift[drift["series"] == "starts"]["people"].sum() == 1
    assert set(cohort.baseline["column"]) == {"sex"}
    assert cohort.baseline.attrs["people"] == {"treated": 2, "comparison": 2}
    assert cohort.selection.attrs["people"] == {"started": 1, "not_started": 1}


def test_a_baseline_column_that_is_not_there_is_refused(tables):
    with pytest.raises(StudyError, match='Did you mean "sex"'):
        select(tables, PLAN | {"baseline": ["sexx"]})


def test_starts_of_a_set_that_is_not_there_are_refused(tables):
    with pytest.raises(StudyError, match='Did you mean "started"'):
        select(tables, PLAN | {"set": SETS, "drift": {"starts": "startd"}})


def test_the_windows_of_rules_are_listed_as_they_look_at_the_data(tables):
    windows = select(tables, PLAN | {"set": SETS}).windows
    assert windows[["kind", "table", "on", "unit", "low", "high"]].astype(object).where(
        windows.notna(), None
    ).values.tolist() == [
        ["set", "sessions", "held_on", "days", 0, 90],
        ["set", "sessions", "held_on", "", None, None],
    ]


def test_the_engine_gives_up_its_tables_with_the_cohort(tables):
    import gc
    import weakref

    cohort = select(tables, PLAN)
    engine = weakref.ref(cohort._session.scope.engine)
    del cohort
    gc.collect()
    assert engine() is None


def test_reasons_are_fetched_only_when_asked_for(tables):
    cohort = select(tables, PLAN)
    assert "reasons" not in vars(cohort)
    assert isinstance(cohort.reasons, pd.DataFrame)
    assert "reasons" in vars(cohort)


def test_groups_are_the_arms_of_an_effect(make_study, table):
    import evalkit

    text = """
        [tables]
        people = "people.csv"
        [cohort]
        person = "person"
        index = { date = 2020-01-01 }
        [[cohort.group]]
        id = "north"
        says = "the North"
        kind = "offered"
        role = "treated"
        rule = "area == 'north'"
        [[cohort.group]]
        id = "south"
        says = "the South"
        kind = "another area"
        role = "comparison"
        rule = "area == 'south'"
        [[measure]]
        id = "score"
        column = "score"
        [counterfactual]
        estimator = "difference"
    """
    people = pd.DataFrame({"person": range(80), "area": ["north", "south"] * 40, "score": [5, 3] * 20 + [7, 3] * 20})
    found = evalkit.evaluate(make_study(text, people=people))
    assert found.effects.table["effect"].iloc[0] == pytest.approx(3)
    assert found.effects.table["n_treated"].iloc[0] == 40


def test_a_set_that_nobody_of_an_earlier_period_could_be_in_does_not_apply_there(tables):
    before = [{**SETS[0], "rule": "area == 'north' and index_date >= '2018-01-01'"}]
    sets = select(tables, PLAN | {"set": before}).sets
    assert sets["treated"].tolist() == [2, 2]
    assert sets["comparison"].isna().tolist() == [False, True]


def test_a_group_beside_that_nobody_is_in_is_flagged(tables):
    slip = [{**GROUPS[0], "rule": "area == 'soth'"}, *GROUPS[1:]]
    assert any("Nobody is in the group" in flag.text for flag in select(tables, PLAN | {"group": slip}).flags)


def test_the_cohort_of_a_set_goes_on_from_the_flow(tables):
    only = select(tables, PLAN | {"set": SETS}).only("started")
    assert only.flow.iloc[-1][["kind", "left_out", "people", "treated", "comparison"]].tolist() == ["set", 3, 1, 1, 0]


@pytest.mark.parametrize(
    ("definition", "finding"),
    [
        ({"index": {"date": "2020-01-01"}}, "lacks person"),
        ({"person": "p", "index": {"date": "2020-01-01"}, "includ": []}, 'Did you mean "include"?'),
        ({"person": "p", "index": {"date": "2020-01-01"}, "time_zone": "Europe/Lodnon"}, "Europe/London"),
    ],
)
def test_a_definition_is_told_as_a_study_file_would_be(definition, finding):
    with pytest.raises(StudyError) as caught:
        select({"people": pd.DataFrame({"p": ["a"]})}, definition)
    assert finding in str(caught.value)


def test_tables_in_a_list_are_one_clear_error():
    with pytest.raises(StudyError, match="are dicts"):
        select([pd.DataFrame()], {})
