"""Goals: change goal by goal, so that a goal dropped or added changes nothing by itself."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import DataError
from evalkit.outcomes.ground import Ground
from evalkit.outcomes.measures import read_measure
from evalkit.outcomes.questionnaires.goals import goal_change

GOALS = ["goal1", "goal2", "goal3"]
OCCASIONS = [
    {"id": "m12", "title": "12 months", "day": 365},
    {"id": "baseline", "title": "start", "day": 0},
    {"id": "m6", "title": "6 months", "day": 183},
]
DATES = {"baseline": "2024-01-01", "m6": "2024-07-02", "m12": "2024-12-31"}


def goals(*rows):
    return pd.DataFrame(rows, columns=GOALS, dtype=float)


def test_change_is_end_minus_start_goal_by_goal_over_the_goals_rated_at_both_times():
    start, end = goals([2, 4, 9], [3, None, 1], [5, None, None]), goals([4, 7, None], [6, 8, 3], [None, 2, None])
    found = goal_change(start, end)
    assert found.table["mean_change"].tolist()[:2] == [2.5, 2.5]
    assert np.isnan(found.table["mean_change"][2])
    assert found.table["n_goals"].tolist() == [2, 2, 0]
    assert found.table["n_unmatched"].tolist() == [1, 1, 2]
    assert found.table["goal2_change"].fillna(-9).tolist() == [3, -9, -9]
    assert found.goals.loc["goal1", ["n", "mean_first", "mean_last", "mean_change"]].tolist() == [2, 2.5, 5, 2.5]
    assert (found.n, found.mean) == (2, 2.5)
    # Plain means of what was rated would say that the first person gained half a point only.
    assert end.mean(axis=1)[0] - start.mean(axis=1)[0] == pytest.approx(0.5)


def test_the_interval_is_that_of_a_mean_of_people():
    rng = np.random.default_rng(1)
    start = pd.DataFrame(rng.integers(0, 6, (40, 3)), columns=GOALS)
    end = start + rng.integers(0, 5, (40, 3))
    found = goal_change(start, end)
    means = (end - start).mean(axis=1)
    assert found.high - found.mean == pytest.approx(2.0226909 * means.std() / np.sqrt(40), rel=1e-6)
    assert found.flags == ()
    assert "95%" in repr(found)
    assert "too few" in repr(goal_change(start[:4], end[:4]))
    assert "[c]" in goal_change(start[:4], end[:4])._repr_html_()


def test_goals_rated_once_and_people_seen_once_are_said_roughly():
    start = goals(*[[1, 2, 3]] * 40)
    end = goals(*[[2, None, None]] * 20, *[[2, 3, 4]] * 16, *[[None] * 3] * 4)
    texts = [f"{flag.level}: {flag.text} {flag.detail}" for flag in goal_change(start, end).flags]
    assert texts == [
        "caution: Goals rated at one of the two times only are left out: about 55% of the people have some. Change is "
        "end minus start goal by goal, so a goal counts where it was rated each time.",
        "caution: People whose goals were not rated at both times are left out. That is a few; they may be those who "
        "left early.",
    ]


def test_ratings_that_cannot_be_and_people_without_a_goal_in_common_are_refused():
    with pytest.raises(DataError, match=r'end, goal "goal2", row 0 .* not a rating from 0 to 10'):
        goal_change(goals([1, 2, 3]), goals([1, 11, 3]))
    with pytest.raises(DataError, match="Nobody has a goal that was rated at both times"):
        goal_change(goals([1, None, None]), goals([None, 2, None]))
    with pytest.raises(DataError, match="not of the same people"):
        goal_change(goals([1, 2, 3]), goals([1, 2, 3], [1, 2, 3]))


# ---------------------------------------------------------------- in a study


def read(cohort_of, people, ratings, **plan):
    """ratings: occasion -> a row of three goals for each of the four people; None for no form."""
    rows = [
        (person, pd.Timestamp(DATES[occasion]), *row)
        for occasion, forms in ratings.items()
        for person, row in zip(people["person"], forms, strict=True)
        if row is not None
    ]
    table = pd.DataFrame(rows, columns=["id", "date", *GOALS])
    measure = {"id": "goals", "instrument": "gbo", "table": "forms"} | plan
    ground = Ground(cohort_of(people, {"forms": table}, {"occasion": OCCASIONS, "measure": [measure]}))
    found = read_measure(ground, ground.study.measure[0], {})
    return {reading.occasion: reading.values.tolist() for reading in found.readings}, found.flags


N = None


def test_a_reading_is_the_mean_of_the_goals_that_were_rated_on_every_occasion(cohort_of, people):
    values, flags = read(cohort_of, people(), {
        "baseline": [[2, 4, 9], [3, 5, N], [1, 1, 1], [4, 6, N]],
        "m6": [[4, N, 9], [4, 6, N], N, [6, 8, N]],
        "m12": [[5, 7, N], [9, 9, N], N, [8, 8, N]],
    })  # fmt: skip
    # The first person's goals 2 and 3 were not rated each time; the third was seen once and keeps what there is.
    assert values["baseline"] == [2, 4, 1, 5]
    assert values["m6"][:2] == [4, 5]
    assert values["m12"][:2] == [5, 9]
    assert np.isnan(values["m6"][2])
    said = [flag for flag in flags if "Goals rated" in flag.text]
    assert [(flag.level, flag.about) for flag in said] == [("caution", "goals")]
    assert "a few of the people have some" in said[0].text


def test_who_has_no_goal_in_common_keeps_the_first_reading_only_and_that_is_said(cohort_of, people):
    values, flags = read(cohort_of, people(), {
        "baseline": [[2, N, N], [3, 5, N], [3, 5, N], [4, 6, N]],
        "m6": [[N, 8, N], [4, 6, N], [4, 6, N], [6, 8, N]],
    })  # fmt: skip
    assert values["baseline"] == [2, 4, 4, 5]
    assert np.isnan(values["m6"][0])
    assert values["m6"][1:] == [5, 5, 7]
    assert any("keep their first reading only" in flag.detail for flag in flags)


def test_where_every_goal_was_rated_each_time_and_for_a_single_goal_nothing_is_changed(cohort_of, people):
    whole = {"baseline": [[2, 4, 9]] * 4, "m12": [[3, 5, 10]] * 4}
    values, flags = read(cohort_of, people(), whole)
    assert (values["baseline"], values["m12"]) == ([5] * 4, [6] * 4)
    assert not any("Goals" in flag.text for flag in flags)
    values, flags = read(cohort_of, people(), {"baseline": [[2, 4, N]] * 4, "m6": [[3, N, N]] * 4}, scale="goal_1")
    assert (values["baseline"], values["m6"]) == ([2] * 4, [3] * 4)
    assert not any("Goals" in flag.text for flag in flags)
