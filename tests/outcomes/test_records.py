"""Attendance, offending and placements, from plain tables and from a study."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import DataError, StudyError
from evalkit.outcomes import score_outcomes
from evalkit.outcomes.records.counts import attendance, offending, placements, share_of

START = pd.Timestamp("2024-01-01")


def day(number):
    return START + pd.Timedelta(days=number)


def school(*rows):
    return pd.DataFrame(list(rows), columns=["id", "missed", "possible"])


def attend(table, **how):
    return attendance(table, "id", "missed", "possible", **how)


# ---------------------------------------------------------------- attendance


@pytest.mark.parametrize(
    ("year", "missed", "absent"),
    [
        ("2018/19", 10, 1), ("2018/19", 9, 0), ("2015/16", 10, 1),  # 10% from 2015/16 on
        ("2014/15", 14, 0), ("2014/15", 15, 1), ("2010/11", 15, 1),  # 15% before
        ("2009/10", 19, 0), ("2009/10", 20, 1), ("1999/00", 20, 1),  # 20% before that
    ],
)  # fmt: skip
def test_persistent_absence_is_judged_by_the_years_own_line(year, missed, absent):
    found = attend(school(("a", missed, 100)), year=year)
    assert found.table.loc["a", "absent"] == absent
    assert found.definition["source"].startswith("Department for Education")


def test_the_line_is_met_exactly_although_a_tenth_is_not_a_binary_fraction():
    found = attend(school(*[(str(n), n, 10 * n) for n in range(1, 200)]), year="2018/19")
    assert (found.table["absent"] == 1).all()


def test_rows_of_a_person_are_added_up_in_the_order_of_their_first():
    table = attend(school(("b", 1, 10), ("a", 0, 10), ("b", 3, 10))).table
    assert table.index.tolist() == ["b", "a"]
    assert table["share_attended"].tolist() == pytest.approx([0.8, 1.0])
    assert "absent" not in table


def test_where_nothing_was_possible_there_is_no_share_and_blanks_are_said():
    found = attend(school(("a", 0, 0), ("b", None, 10), ("b", 2, 10)), year="2018/19")
    assert np.isnan(found.table.loc["a", "share_attended"])
    assert np.isnan(found.table.loc["a", "absent"])
    assert found.table.loc["b", "share_missed"] == 0.2
    assert len(found.flags) == 2


def test_attendance_that_cannot_be_is_named_all_at_once():
    table = school(("a", 11, 10), ("b", -1, 10), ("c", 1, "many"))
    with pytest.raises(DataError) as caught:
        attend(table)
    message = str(caught.value)
    assert "Row 0" in message
    assert 'Column "missed", row 1' in message
    assert 'Column "possible", row 2' in message
    assert "many" not in message
    with pytest.raises(DataError, match='Did you mean "missed"'):
        attendance(table, "id", "misst", "possible")
    with pytest.raises(DataError, match='column "id", row 0'):
        attend(school((None, 1, 10)))


def test_a_year_in_a_column_judges_each_row_by_its_own_line_and_says_that_it_moved():
    table = school(("a", 12, 100), ("a", 12, 100)).assign(year=["2014/15", "2015/16"])
    found = attend(table, year="year")
    assert found.table["absent"].to_dict() == {("a", "2014/15"): 0, ("a", "2015/16"): 1}
    assert "not comparable" in found.flags[0].text


def test_years_and_definitions_that_are_not_known_are_refused():
    with pytest.raises(StudyError, match="depends on the school year"):
        attend(school(("a", 1, 10)), year="2018")
    with pytest.raises(StudyError, match="depends on the school year"):
        attend(school(("a", 1, 10)), year="2018/20")
    with pytest.raises(StudyError, match="no second source"):
        attend(school(("a", 1, 10)), year="2018/19", says="severe absence")
    severe = attend(school(("a", 5, 10), ("b", 4, 10)), year="2018/19", says="severe absence (unconfirmed)")
    assert severe.table["absent"].tolist() == [1, 0]
    assert "no second source" in severe.flags[0].text


def test_a_share_of_people_comes_with_wilsons_interval():
    found = attend(school(*[(str(n), n, 20) for n in range(10)]), year="2018/19")
    share, low, high, n = share_of(found, "absent")
    assert (share, n) == (0.8, 10)
    assert (low, high) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    with pytest.raises(DataError, match='Did you mean "absent"'):
        share_of(found, "absence")


def test_no_person_is_seen_in_what_is_shown():
    found = attend(school(("Anna", 1, 10)))
    assert "Anna" not in repr(found)


# ---------------------------------------------------------------- offending


def window(**lengths):
    rows = [(name, START, day(length)) for name, length in lengths.items()]
    return pd.DataFrame(rows, columns=["person", "start", "end"])


def test_offending_is_told_as_any_how_often_how_grave_and_how_soon():
    offences = pd.DataFrame(
        [("a", day(30), 3), ("a", day(10), 1), ("b", day(-1), 9), ("b", day(365), 9)],
        columns=["person", "date", "severity"],
    )
    found = offending(offences, window(a=365, b=365), severity="severity").table.set_index("person")
    assert found.loc["a", ["any", "count", "severity", "days_to_first"]].tolist() == [1, 2, 4, 10]
    assert found.loc["b", ["any", "count", "severity_rate"]].tolist() == [0, 0, 0]
    assert np.isnan(found.loc["b", "days_to_first"])


# ---------------------------------------------------------------- placements


def placed(*rows):
    found = [(name, day(first), pd.NaT if last is None else day(last), *place) for name, first, last, *place in rows]
    return pd.DataFrame(found).set_axis(["person", "start", "end", "place"][: len(found[0])], axis=1)


@pytest.mark.parametrize(
    ("rows", "number", "moves"),
    [
        ([("a", -30, None)], 1, 0),
        ([("a", -30, 10), ("a", 10, 50)], 2, 1),
        ([("a", -30, 0), ("a", 0, 50)], 1, 0),  # the first ended before the window
        ([("a", 99, 200), ("a", 200, 300)], 1, 0),  # the second begins after it
        ([("a", 10, 20), ("a", 40, 50)], 2, 1),  # home in between
        ([("a", 10, 20), ("a", 10, 20)], 1, 0),  # the same row twice
        ([("a", 10, 10)], 1, 0),  # in and out on the same day
        ([("a", 100, 100)], 0, 0),
        ([("b", 10, 20)], 0, 0),
        ([("a", 0, 10, "x"), ("a", 10, 20, "y"), ("a", 20, 30, "x")], 2, 2),
        ([("a", 0, 10, "x"), ("a", 40, 50, "x")], 1, 0),  # back to the same place
        ([("a", 0, 10, "x"), ("a", 10, 20, None), ("a", 20, 30, None)], 3, 2),  # places not known are different
    ],
)
def test_placements_and_moves_of_the_first_hundred_days(rows, number, moves):
    row = placements(placed(*rows), window(a=100)).table.iloc[0]
    assert (row["number"], row["moves"]) == (number, moves)


def test_several_children_are_counted_apart():
    spells = placed(("b", 0, 10), ("a", 0, 10), ("b", 10, 20), ("c", 0, 5), ("b", 20, None))
    table = placements(spells, window(c=100, b=100, a=100, d=100)).table.set_index("person")
    assert table["number"].to_dict() == {"c": 1, "b": 3, "a": 1, "d": 0}
    assert table["moves"].to_dict() == {"c": 0, "b": 2, "a": 0, "d": 0}


def test_two_placements_at_once_are_said_and_unstable_is_asked_for_by_name():
    spells = placed(("a", 0, 10), ("a", 5, 20), ("a", 20, 30))
    found = placements(spells, window(a=100), says="unstable (unconfirmed)")
    assert found.table["unstable"].tolist() == [1]
    assert any("one placement at a time" in flag.detail for flag in found.flags)
    with pytest.raises(StudyError, match="no second source"):
        placements(spells, window(a=100), says="unstable")


# ---------------------------------------------------------------- as measures of a study


OCCASIONS = [
    {"id": "baseline", "day": 0, "window": [-30, 30]},
    {"id": "m6", "title": "6 months", "day": 183, "window": [-45, 45]},
]


def scored(cohort_of, people, tables, measure, **plan):
    plan = {"occasion": OCCASIONS, "measure": [{"id": "m", **measure}]} | plan
    return score_outcomes(cohort_of(people(4), tables, plan))


def terms(*rows):
    table = pd.DataFrame(list(rows), columns=["id", "date", "missed", "possible"])
    return table.assign(date=pd.to_datetime(table["date"]))


TERMS = terms(
    ("p000", "2024-01-08", 10, 100), ("p000", "2024-04-15", 20, 100), ("p000", "2023-09-04", 90, 100),
    ("p001", "2024-01-08", 5, 100), ("p002", "2024-01-08", 0, 0), ("stranger", "2024-01-08", 1, 100),
)  # fmt: skip


def test_attendance_of_a_study_counts_the_rows_that_begin_within_the_window(cohort_of, people):
    plan = {"attendance": {"table": "terms", "window_days": 365}}
    found = scored(cohort_of, people, {"terms": TERMS}, plan)
    assert found.wide["m"].tolist()[:2] == pytest.approx([0.85, 0.95])
    assert found.wide["m"].isna().tolist() == [False, False, True, True]
    facts = found.describe("m")
    assert (facts["values"], facts["better"], facts["unit"]) == ("amount", "higher", "share")


def test_persistent_absence_of_a_study_needs_the_school_year(cohort_of, people):
    plan = {"table": "terms", "window_days": 365, "says": "persistent absence"}
    with pytest.raises(StudyError, match="depends on the school year"):
        scored(cohort_of, people, {"terms": TERMS}, {"attendance": plan})
    found = scored(cohort_of, people, {"terms": TERMS}, {"attendance": plan | {"year": "2023/24"}})
    assert found.wide["m"].tolist()[:2] == [1, 0]
    assert (found.describe("m")["values"], found.describe("m")["better"]) == ("yes or no", "lower")


def test_attendance_that_cannot_be_is_named_by_file_and_line(cohort_of, people):
    plan = {"attendance": {"table": "terms", "window_days": 365}}
    with pytest.raises(DataError, match=r"(?s)terms\.csv.*Row 3 \(1 in all\): more in"):
        scored(cohort_of, people, {"terms": TERMS.assign(missed=[1, 120, 0, 0, 0, 0])}, plan)
    with pytest.raises(DataError, match=r'terms\.csv.*column "date", row 2 .*no date'):
        scored(cohort_of, people, {"terms": TERMS.assign(date=[pd.NaT, *TERMS["date"][1:]])}, plan)


OFFENCES = pd.DataFrame(
    {
        "id": ["p000", "p000", "p001", "p002", "stranger"],
        "date": pd.to_datetime(["2024-01-10", "2024-06-01", "2023-12-31", "2025-01-01", "2024-02-01"]),
        "severity": [3, 1, 5, 5, 5],
    }
)
CUSTODY = pd.DataFrame(
    {
        "id": ["p000", "p000"],
        "start": pd.to_datetime(["2024-02-01", "2024-03-01"]),
        "end": pd.to_datetime(["2024-04-14", "2024-03-09"]),  # 73 days in custody
        "state": ["custody", "care"],
    }
)


@pytest.mark.parametrize(
    ("says", "values"),
    [("any", [1, 0, 0, 0]), ("count", [2, 0, 0, 0]), ("severity per year at risk", [5, 0, 0, 0])],
)
def test_offending_of_a_study_in_its_three_forms(cohort_of, people, says, values):
    plan = {"table": "offences", "window_days": 365, "says": says, "severity": "severity",
            "custody": {"table": "episodes", "state": "custody"}}  # fmt: skip
    found = scored(cohort_of, people, {"offences": OFFENCES, "episodes": CUSTODY}, {"offending": plan})
    assert found.wide["m"].tolist() == pytest.approx(values)
    assert found.describe("m")["better"] == "lower"


def test_an_unknown_state_of_custody_is_answered_with_the_nearest(cohort_of, people):
    plan = {"table": "offences", "window_days": 365, "custody": {"table": "episodes", "state": "custdy"}}
    with pytest.raises(DataError, match='Did you mean "custody"'):
        scored(cohort_of, people, {"offences": OFFENCES, "episodes": CUSTODY}, {"offending": plan})


def test_windows_that_run_past_the_data_are_said(cohort_of, people):
    plan = {"offending": {"table": "offences", "window_days": 3650}}
    found = scored(cohort_of, people, {"offences": OFFENCES}, plan)
    assert any("runs past the last date" in flag.text and flag.about == "m" for flag in found.flags)


def test_placements_of_a_study_may_be_those_of_one_state(cohort_of, people):
    spells = pd.DataFrame(
        {
            "id": ["p000", "p000", "p000", "p001"],
            "start": pd.to_datetime(["2024-01-01", "2024-02-01", "2024-03-01", "2024-01-05"]),
            "end": pd.to_datetime(["2024-02-01", "2024-03-01", None, None]),
            "state": ["care", "home", "care", "care"],
        }
    )
    plan = {"table": "spells", "window_days": 365, "state_column": "state", "state": "care"}
    found = scored(cohort_of, people, {"spells": spells}, {"placements": plan})
    assert found.wide["m"].tolist() == [1, 0, 0, 0]
    found = scored(cohort_of, people, {"spells": spells}, {"placements": plan | {"says": "number", "state": None}})
    assert found.wide["m"].tolist() == [3, 1, 0, 0]


RATINGS = pd.DataFrame(
    {
        "id": ["p000", "p000", "p001", "p002"],
        "date": pd.to_datetime(["2024-01-02", "2024-07-01", "2024-01-03", "2024-01-04"]),
        "home": [2, 5, 4, None],
        "friends": [4, 4, 5, 3],
    }
)
LADDER = {"ladder": {"table": "ratings", "areas": ["home", "friends"]}}


def test_a_ladder_of_a_study_is_the_mean_of_all_its_areas_by_occasion(cohort_of, people):
    found = scored(cohort_of, people, {"ratings": RATINGS}, LADDER)
    assert found.wide["m@baseline"].tolist()[:2] == [3, 4.5]
    assert np.isnan(found.wide["m@baseline"].iloc[2])  # one area is not rated
    assert found.wide["m@m6"].iloc[0] == 4.5
    facts = found.describe("m@baseline")
    assert (facts["unit"], facts["better"], facts["values"]) == ("steps", "higher", "score")


def test_readings_off_the_ladder_are_named_by_file_and_line(cohort_of, people):
    with pytest.raises(DataError, match=r'ratings\.csv.*\n.*Column "home", row 3 .*above the top of 10'):
        scored(cohort_of, people, {"ratings": RATINGS.assign(home=[2, 11, 4, 4])}, LADDER)


def test_ratings_of_worker_and_young_person_are_never_mixed(cohort_of, people):
    both = RATINGS.assign(informant=["worker", "worker", "self", "worker"])
    with pytest.raises(DataError, match="ratings by self and worker, which are not to be mixed"):
        scored(cohort_of, people, {"ratings": both}, LADDER)
    found = scored(cohort_of, people, {"ratings": both}, LADDER | {"informant": "worker"})
    assert found.wide["m@baseline"].notna().tolist() == [True, False, False, False]
