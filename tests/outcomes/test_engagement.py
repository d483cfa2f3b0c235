"""Who came, how often, for how long; and outcomes by dose, which are no effect."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import DataError
from evalkit.outcomes.sessions.dose import NOT_AN_EFFECT, by_dose
from evalkit.outcomes.sessions.engagement import engagement

START = pd.Timestamp("2024-01-01")


def cohort(*people, arm="therapy", treated=1):
    return pd.DataFrame({"person": list(people), "index_date": START, "arm": arm, "treated": treated})


def sessions(*rows):
    """(person, day after the start, attended)."""
    table = pd.DataFrame(list(rows), columns=["person", "day", "attended"])
    return table.assign(date=START + pd.to_timedelta(table["day"], unit="D")).drop(columns="day")


def weekly(person, pattern):
    """One session a week from day 7 on: "110" is two attended and one missed."""
    return [(person, 7 * (week + 1), int(came)) for week, came in enumerate(pattern)]


def of(found, person):
    return found.table.set_index("person").loc[person]


def line(found, what, arm="therapy"):
    return found.summary[(found.summary["what"] == what) & (found.summary["arm"] == arm)].iloc[0]


def test_a_persons_sessions_are_counted_by_day_and_week():
    found = engagement(sessions(("a", 0, 1), ("a", 3, 1), ("a", 10, 0), ("a", 21, 1)), cohort("a"), until=90, planned=8)
    a = of(found, "a")
    assert a[["offered", "attended", "first_day", "last_day", "weeks"]].tolist() == [4, 3, 0, 21, 2]
    assert a[["share", "dose", "continuity"]].tolist() == [0.75, 3 / 8, 0.5]  # weeks 1 and 4 of four


@pytest.mark.parametrize(("day", "counts"), [(-1, False), (0, True), (89, True), (90, False)])
def test_the_first_day_counts_and_the_last_does_not(day, counts):
    found = engagement(sessions(("a", day, 1), ("b", 5, 1)), cohort("a", "b"), until=90)
    assert of(found, "a")["reached"] == counts
    assert any(flag.text.startswith("Left out") for flag in found.flags) == (not counts)


def test_reach_and_completion_have_wilson_intervals():
    rows = [row for one in range(8) for row in weekly(f"p{one}", "1" * (one + 1))]
    found = engagement(sessions(*rows), cohort(*[f"p{one}" for one in range(10)]), until=90, complete_at=6)
    reach = line(found, "reach")
    assert reach[["kind", "value", "n", "of"]].tolist() == ["simple", 0.8, 8, 10]
    assert [reach["low"], reach["high"]] == pytest.approx([0.490162, 0.943318], abs=1e-6)
    assert line(found, "completion")[["value", "n", "of"]].tolist() == [0.3, 3, 10]
    assert line(found, "sessions attended")[["value", "low", "high"]].tolist() == [
        5,
        3,
        6,
    ]  # of 1 to 8: 4.5, 2.75, 6.25


def test_dropping_out_is_not_completing_or_else_missing_the_last_two():
    rows = [*weekly("stays", "1111"), *weekly("misses one", "1110"), *weekly("stops", "1100"), *weekly("never", "0000")]
    people = cohort("stays", "misses one", "stops", "never")
    found = engagement(sessions(*rows), people, until=90)
    assert [bool(of(found, one)["dropped_out"]) for one in ("stays", "misses one", "stops")] == [False, False, True]
    assert pd.isna(of(found, "never")["dropped_out"])
    assert line(found, "drop-out")[["n", "of"]].tolist() == [1, 3]
    by_course = engagement(sessions(*rows), people, until=90, complete_at=4)
    assert by_course.table["dropped_out"].tolist()[:3] == [False, True, True]


def test_where_only_attended_sessions_are_on_record_drop_out_is_not_told():
    found = engagement(sessions(*weekly("a", "11")).drop(columns="attended"), cohort("a", "b"), until=90)
    assert found.table["dropped_out"].isna().all()
    assert "drop-out" not in found.summary["what"].tolist()
    assert any("Drop-out cannot be told" in flag.text for flag in found.flags)


def test_the_curve_falls_from_all_who_were_reached():
    rows = [*weekly("a", "1"), *weekly("b", "111"), *weekly("c", "1" * 6), *weekly("d", "0")]
    curve = engagement(sessions(*rows), cohort(*"abcd"), until=61).curve
    by_session = curve[curve["by"] == "session"]
    assert by_session["still"].tolist() == [3, 2, 2, 1, 1, 1]
    assert by_session["share"].iloc[0] == 1
    by_month = curve[curve["by"] == "month"]
    assert by_month[["at", "still"]].to_numpy().tolist() == [[1, 3], [2, 1], [3, 0]]


def test_an_arm_without_sessions_has_no_engagement():
    both = pd.concat([cohort("a", "b"), cohort("c", arm="usual care", treated=0)])
    found = engagement(sessions(*weekly("a", "11")), both, until=90)
    assert found.summary["arm"].unique().tolist() == ["therapy"]
    assert found.table["person"].tolist() == ["a", "b"]


def test_a_comparison_that_attended_is_a_serious_flag():
    both = pd.concat([cohort("a", "b"), cohort("c", "d", arm="usual care", treated=0)])
    found = engagement(sessions(*weekly("a", "11"), *weekly("c", "1")), both, until=90)
    assert found.summary["arm"].unique().tolist() == ["therapy", "usual care"]
    assert [flag.text for flag in found.flags if flag.level == "serious"] == [
        "Of the comparison, a few attended sessions."
    ]


def test_repeats_count_once_as_attended_if_one_record_says_so():
    table = sessions(("a", 7, 0), ("a", 7, 1), ("a", 14, 1), ("a", 14, 1))
    found = engagement(table, cohort("a"), until=90)
    assert of(found, "a")[["offered", "attended"]].tolist() == [2, 2]
    assert any("repeat another" in flag.text for flag in found.flags)
    apart = engagement(table.assign(session=[1, 2, 1, 2]), cohort("a"), until=90)
    assert of(apart, "a")[["offered", "attended"]].tolist() == [4, 3]


def test_sessions_of_others_and_unrecorded_attendance_are_said():
    table = sessions(("a", 7, 1), ("a", 14, None), ("stranger", 7, 1))
    found = engagement(table, cohort("a"), until=90)
    assert of(found, "a")[["offered", "attended"]].tolist() == [2, 1]
    told = " ".join(flag.text for flag in found.flags)
    assert "people outside the cohort" in told
    assert "not recorded whether the person came" in told


def test_records_that_end_before_a_persons_time_are_noted():
    late = cohort("a", "b").assign(index_date=[START, START + pd.Timedelta(days=60)])
    rows = [*weekly("a", "11111"), ("b", 67, 1), ("b", 74, 1)]
    found = engagement(sessions(*rows), late, until=70)
    assert any("records end while sessions of" in flag.text for flag in found.flags)
    over = engagement(sessions(*rows, ("a", 140, 1)), late, until=70)
    assert not any("records end" in flag.text for flag in over.flags)


def test_bad_sessions_are_told_by_row_and_without_what_they_say():
    table = sessions(("a", 7, 1), ("a", 14, 1), ("b", 7, 0)).astype({"attended": object, "date": object})
    table.loc[1, "attended"], table.loc[2, "date"] = "came with his mother", "soon"
    with pytest.raises(DataError) as told:
        engagement(table, cohort("a", "b"), until=90)
    assert "row 2 (1 in all): no date that can be read" in str(told.value)
    assert '"attended", row 1 (1 in all): neither 1 nor 0' in str(told.value)
    assert "mother" not in str(told.value)


def test_bad_requests():
    good = sessions(*weekly("a", "11"))
    with pytest.raises(DataError, match='sessions lacks the column "person"'):
        engagement(good.rename(columns={"person": "persons"}), cohort("a"), until=90)
    with pytest.raises(DataError, match="1 people twice"):
        engagement(good, cohort("a", "a"), until=90)
    with pytest.raises(DataError, match="until is 0"):
        engagement(good, cohort("a"), until=0)
    with pytest.raises(DataError, match="none is of a person in the cohort"):
        engagement(good, cohort("z"), until=90)


# ---------------------------------------------------------------- what may be seen


def crowd(count=60, reached=54):
    people = [f"kid{one:03d}" for one in range(count)]
    rows = [row for place, one in enumerate(people[:reached]) for row in weekly(one, "1" * (1 + place % 6) + "0" * 2)]
    return engagement(sessions(*rows), cohort(*people), until=365, complete_at=5), people


def test_no_person_and_no_small_count_is_shown():
    found, people = crowd()
    page = found._repr_html_() + repr(found) + found.curve_shown().to_html()
    assert not any(one in page for one in people)
    shown = found.shown().set_index("what")
    assert shown.loc["reach", ["people", "value", "low", "high"]].tolist() == [60, "all or nearly all", "[c]", "[c]"]
    assert shown.loc["completion", ["value", "low", "high"]].tolist() == [
        "about 30%",
        "20%",
        "45%",
    ]  # 18 of 60: .199 to .425
    assert shown.loc["sessions attended", "value"] == "4"
    assert "54" not in page


def test_few_people_hide_everything_that_rests_on_them():
    found, _ = crowd(count=9, reached=8)
    assert found.shown()["people"].unique().tolist() == ["[c]"]
    assert found.shown().set_index("what").loc["sessions attended", "value"] == "[c]"


# ---------------------------------------------------------------- dose


def test_outcomes_by_dose_keep_equal_doses_together_and_say_that_they_are_no_effect():
    found, people = crowd()
    outcome = pd.Series(np.arange(60, dtype=float), index=people)
    laid = by_dose(found, outcome)
    assert laid.table["dose"].tolist() == ["no session", "lowest third", "middle third", "highest third"]
    assert laid.table["n"].tolist() == [6, 18, 18, 18]
    assert laid.table["sessions"].tolist() == [0, 1.5, 3.5, 5.5]
    assert laid.table.loc[0, "mean"] == pytest.approx(56.5)
    assert laid.flags == (NOT_AN_EFFECT,)
    assert NOT_AN_EFFECT.text in laid._repr_html_()
    assert laid.shown().loc[0, ["people", "mean"]].tolist() == ["a few", "[c]"]


def test_a_dose_that_all_share_is_one_group():
    people = [f"p{one}" for one in range(6)]
    found = engagement(sessions(*[row for one in people for row in weekly(one, "11")]), cohort(*people), until=90)
    assert by_dose(found, pd.Series(1.0, index=people)).table["dose"].tolist() == ["lowest third"]


def test_outcomes_of_nobody_or_of_one_twice_are_errors():
    found, people = crowd()
    with pytest.raises(DataError, match="for nobody"):
        by_dose(found, pd.Series([1.0], index=["stranger"]))
    with pytest.raises(DataError, match="names a person twice"):
        by_dose(found, pd.Series([1.0, 2.0], index=[people[0]] * 2))
