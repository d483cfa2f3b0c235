"""Goals: change is end minus start goal by goal, so only goals that were rated each time may count.

A mean over goals 1 to 3 before and over goal 1 alone after would change because goals were dropped, added or reached,
and not because of anything in a child's life.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalkit import disclosure
from evalkit.errors import DataError, Flag, several
from evalkit.outcomes.change.ladders import areas_of
from evalkit.outcomes.questionnaires.answers import rows_in_words
from evalkit.outcomes.questionnaires.keys import questionnaire
from evalkit.outcomes.records.ratios import quantile
from evalkit.words import interval, number

if TYPE_CHECKING:
    from evalkit.outcomes.ground import Reading

Array = np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class GoalChange:
    """How far people came towards their goals.

    Attributes
    ----------
    table : DataFrame
        Per person: ``<goal>_change`` for each goal (missing unless rated at both times), ``mean_change`` over them,
        ``n_goals`` (rated at both times), ``n_unmatched`` (rated at one time only, which count for nothing). Never
        shown.
    goals : DataFrame
        By goal: ``n`` (rated at both times), ``mean_first``, ``mean_last``, ``mean_change``, ``sd_change``.
    n : int
        People with at least one goal rated at both times.
    mean, low, high : float
        Mean over people of their mean change, with its 95 % interval by t.
    flags : tuple of Flag
        Goals rated at one of the two times only; people without a goal rated at both.
    """

    table: pd.DataFrame
    goals: pd.DataFrame
    n: int
    mean: float
    low: float
    high: float
    flags: tuple[Flag, ...]

    def __repr__(self) -> str:
        if not isinstance(disclosure.count(self.n), int):
            return "GoalChange(too few people to be shown)"
        return f"GoalChange(mean {number(self.mean, 2, sign=True)}, 95% {interval(self.low, self.high, 2)})"

    def _repr_html_(self) -> str:
        """Show the goals, nothing that rests on few people, and no person's row."""
        shown = self.goals.reset_index()
        names = [str(name) for name in shown if name not in ("goal", "n")]
        for name in names:
            shown[name] = [number(value, 2) for value in shown[name]]
        return disclosure.protect(shown, counts=["n"], behind=dict.fromkeys(names, "n")).table.to_html(index=False)


def goal_change(start: Any, end: Any) -> GoalChange:
    """Measure change on Goal-Based Outcomes: end minus start goal by goal, then the mean of a person's goals.

    A goal rated at one of the two times only counts at neither, and is said. `distance_travelled` would read goals as
    the areas of a ladder, which are the same for everyone; goals are each person's own, so their mean comes first
    here, and no stages, ceilings or shares of headroom are made of them.

    Parameters
    ----------
    start, end : DataFrame, shape (n_persons, n_goals)
        Ratings of the same people in the same order, from 0 to 10; NaN where a goal was not set or not rated.

    Returns
    -------
    GoalChange
        ``table`` by person, ``goals`` by goal, and the mean with its interval. Of itself it says nothing about what
        would have happened anyway.

    Raises
    ------
    DataError
        Other people or goals, ratings that cannot be, with the rows; or nobody with a goal rated at both times.

    References
    ----------
    Goal-Based Outcomes: scoring at corc.uk.net.
    """
    first, last, flags = areas_of(start, end)
    _refuse_impossible(first, last)
    both = first.notna() & last.notna()
    if not both.to_numpy().any():
        raise DataError("Nobody has a goal that was rated at both times, so there is no change goal by goal.")
    change = (last - first).where(both)
    unmatched = (first.notna() ^ last.notna()).sum(axis=1)
    table = change.add_suffix("_change").assign(
        mean_change=change.mean(axis=1), n_goals=both.sum(axis=1), n_unmatched=unmatched
    )
    goals = pd.DataFrame(
        {
            "n": both.sum(), "mean_first": first.where(both).mean(), "mean_last": last.where(both).mean(),
            "mean_change": change.mean(), "sd_change": change.std(ddof=1),
        }
    ).rename_axis("goal")  # fmt: skip
    means = table["mean_change"].dropna().to_numpy()
    return GoalChange(table, goals, len(means), *_mean(means), (*flags, *_flags(table, first, last)))


def _refuse_impossible(first: pd.DataFrame, last: pd.DataFrame) -> None:
    low, high = questionnaire("gbo")["range"]
    problems = []
    for name, frame in (("start", first), ("end", last)):
        for goal in frame:
            wrong = (frame[goal] < low) | (frame[goal] > high)
            if wrong.any():
                rows = rows_in_words(list(frame.index[wrong]))
                problems.append(f'{name}, goal "{goal}", {rows}: not a rating from {low} to {high}. Correct it.')
    if problems:
        raise DataError(several("goals", problems))


def _mean(values: Array) -> tuple[float, float, float]:
    mean = float(values.mean())
    if len(values) < 2:
        return mean, np.nan, np.nan
    half = quantile(len(values) - 1) * float(values.std(ddof=1)) / np.sqrt(len(values))
    return mean, mean - half, mean + half


def _flags(table: pd.DataFrame, first: pd.DataFrame, last: pd.DataFrame) -> list[Flag]:
    seen = (first.notna().any(axis=1) & last.notna().any(axis=1)).to_numpy()
    uneven = int((seen & (table["n_unmatched"] > 0)).sum())
    lost = int((seen & (table["n_goals"] == 0)).sum())
    flags = _said(uneven, lost, int(seen.sum()), "at one of the two times", "have no change")
    if not seen.all():
        share = disclosure.roughly(int((~seen).sum()), len(seen))
        text = "People whose goals were not rated at both times are left out."
        flags.append(Flag("outcomes", "caution", text, f"That is {share}; they may be those who left early."))
    return flags


def _said(uneven: int, lost: int, people: int, when: str, then: str, rule: str = "uk-children-10") -> list[Flag]:
    """How many people, roughly, have goals that were not rated each time, and how many have no others."""
    if not uneven:
        return []
    text = f"Goals rated {when} only are left out: {disclosure.roughly(uneven, people, rule)} of the people have some."
    detail = "Change is end minus start goal by goal, so a goal counts where it was rated each time."
    if lost:
        detail += f" Of the people, {disclosure.roughly(lost, people, rule)} have no such goal and {then}."
    return [Flag("outcomes", "caution", text, detail)]


# ---------------------------------------------------------------- in a study


def same_goals(
    readings: Sequence[Reading], answers: pd.DataFrame, days: Mapping[str, float], rule: str
) -> tuple[list[Reading], list[Flag]]:
    """Make each person's readings the mean of the goals that were rated on every occasion on which they were read.

    Parameters
    ----------
    readings : sequence of Reading
        Means of the goals rated, by occasion.
    answers : DataFrame, shape (n_forms, n_goals)
        The ratings behind them.
    days : mapping of str to float
        The day of each occasion.
    rule : str
        The disclosure rule in force, for the words.

    Returns
    -------
    list of Reading, list of Flag
        In the same order. Who was read once keeps that reading; who has no goal in common to all occasions keeps
        the first reading and has none later.
    """
    if not readings:
        return [], []
    ratings = np.array([_behind(reading, answers) for reading in readings])
    read = np.array([np.isfinite(reading.values) for reading in readings])
    rated = np.isfinite(ratings)
    common = (rated | ~read[:, :, None]).all(axis=0)
    often = read.sum(axis=0) > 1
    uneven = often & (rated & read[:, :, None] & ~common).any(axis=(0, 2))
    lost = often & ~common.any(axis=1)
    order = np.argsort([days[reading.occasion] for reading in readings], kind="stable")
    first = order[read[order].argmax(axis=0)]
    count = np.maximum(common.sum(axis=1), 1)
    found = []
    for place, reading in enumerate(readings):
        means = np.where(common, ratings[place], 0.0).sum(axis=1) / count
        values = np.where(uneven & read[place], means, reading.values)
        values = np.where(lost, np.where(first == place, reading.values, np.nan), values)
        found.append(replace(reading, values=values))
    people, then = int(often.sum()), "keep their first reading only"
    return found, _said(int(uneven.sum()), int(lost.sum()), people, "on some of the occasions", then, rule)


def _behind(reading: Reading, answers: pd.DataFrame) -> Array:
    rows = np.full(len(reading.values), -1) if reading.rows is None else reading.rows
    values = answers.to_numpy(dtype=float)
    return np.where((rows >= 0)[:, None], values[np.maximum(rows, 0)], np.nan)
