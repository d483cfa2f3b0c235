"""The kinds of measure: each is one function on a list, from the plan of a measure to its readings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import evalkit.outcomes.forms
import evalkit.outcomes.over_time
import evalkit.outcomes.record_kinds  # noqa: F401 - as forms: puts its kinds on the list
from evalkit.errors import DataError, StudyError, did_you_mean
from evalkit.outcomes.alignment import dated_readings
from evalkit.outcomes.ground import Found, Ground, Reading, amounts, dates, ids, lines
from evalkit.outcomes.kinds import KINDS, Earlier, about, horizon_flags, kind, occasions_of, once
from evalkit.outcomes.questionnaires.answers import rows_in_words
from evalkit.outcomes.records.states import days_in_state, overlap_flags
from evalkit.study.checks_persons import RECORDS
from evalkit.words import listed, number

if TYPE_CHECKING:
    from evalkit.study.model import Measure


def read_measure(ground: Ground, measure: Measure, earlier: Earlier) -> Found:
    """Read one measure for everyone in the cohort.

    Parameters
    ----------
    ground : Ground
        The cohort and its tables.
    measure : Measure
        The plan.
    earlier : dict of str to Found
        Measures already read, for those that rest on another.

    Returns
    -------
    Found
        One Reading per occasion, or a single one.

    Raises
    ------
    StudyError, DataError
        The plan cannot be carried out on these tables, or no value is there at all.
    """
    name = next((key for key in KINDS if getattr(measure, key) is not None), None)
    if name is None:
        raise StudyError(f"says nothing to measure. Give one of {listed(list(KINDS), last='or')}.")
    unknown = [flag for table in _tables(measure) for flag in ground.id_flags(table, measure.id)]
    found = KINDS[name](ground, measure, earlier)
    if not any(np.isfinite(reading.values).any() for reading in found.readings):
        raise DataError("every value is missing for the people of the cohort. Check table, ids and windows.")
    return replace(found, flags=[*unknown, *found.flags]) if unknown else found


def _tables(measure: Measure) -> list[str]:
    """The tables that a measure is read from."""
    plans = [getattr(measure, name) for name in (*RECORDS, "ladder")]
    plans.append(measure.offending.custody if measure.offending else None)
    named = [measure.table, *(plan.table for plan in plans if plan is not None)]
    return list(dict.fromkeys(name for name in named if name is not None))


# ---------------------------------------------------------------- columns


@kind("columns")
def _columns(ground: Ground, measure: Measure, _: Earlier) -> Found:
    """A column per occasion of a table with one row per person."""
    planned = {occasion.id for occasion in ground.study.occasion}
    readings = []
    for occasion, column in measure.columns.items():  # type: ignore[union-attr]
        if occasion not in planned:
            raise StudyError(f'columns names the occasion "{occasion}". {did_you_mean(occasion, planned)}')
        values = _person_column(ground, measure.table, column)
        readings.append(Reading(f"{measure.id}@{occasion}", measure.id, occasion, values))
    return Found(readings, about(measure))


@kind("column")
def _column(ground: Ground, measure: Measure, _: Earlier) -> Found:
    """A number as it stands: once per person, or dated readings where its table has dates and there are occasions."""
    column = str(measure.column)
    if measure.table and ground.study.occasion and _is_dated(ground, measure):
        table = ground.need(measure.table, [column, measure.date]).reset_index(drop=True)
        where = ground.where(measure.table)
        rows = pd.DataFrame(
            {
                "person": ground.positions(measure.table),
                "date": dates(table[measure.date], where).to_numpy(),
                "value": amounts(table[column], where),
            }
        )
        readings, flags = dated_readings(ground, measure.id, rows, occasions_of(ground, measure))
        return Found(readings, about(measure), flags)
    values = _person_column(ground, measure.table, column)
    yes_no = bool(np.isin(values[np.isfinite(values)], (0, 1)).all())
    return Found([once(measure, values)], about(measure, values="yes or no" if yes_no else "score"))


def _is_dated(ground: Ground, measure: Measure) -> bool:
    start = ground.study.cohort.index.table  # type: ignore[union-attr]
    return measure.table != start and measure.date in ground.table(str(measure.table)).columns


def _person_column(ground: Ground, table: str | None, column: str) -> np.ndarray:
    """A column with one value per person, from the cohort itself or from another table."""
    if table is None or table == ground.study.cohort.index.table:  # type: ignore[union-attr]
        frame = ground.cohort.table
        if column not in frame.columns:
            raise DataError(f'The cohort has no column "{column}". {did_you_mean(column, frame.columns)}')
        return amounts(frame[column].reset_index(drop=True), "the cohort")
    source = ground.need(table, [column]).reset_index(drop=True)
    position = ground.positions(table)
    repeated = np.flatnonzero(pd.Series(position).duplicated() & (position >= 0))
    if len(repeated):
        raise DataError(
            f"{ground.where(table)}, {rows_in_words(lines(repeated))}: the person stands there again. "
            "Keep one row per person, or give the table a date column."
        )
    values = np.full(len(ground.people), np.nan)
    values[position[position >= 0]] = amounts(source[column], ground.where(table))[position >= 0]
    return values


# ---------------------------------------------------------------- days, rules, improvement


@kind("days_in")
def _days_in(ground: Ground, measure: Measure, _: Earlier) -> Found:
    """Days in a state from the index date on; the window's last day is the day before its end."""
    plan: Any = measure.days_in
    person = ground.study.cohort.person  # type: ignore[union-attr]
    table = ground.need(plan.table, [person, plan.start, plan.end, plan.state_column]).reset_index(drop=True)
    states = table[plan.state_column].astype("str")
    if plan.state not in set(states):
        known = did_you_mean(plan.state, states.dropna().unique())
        raise DataError(f'{ground.where(plan.table)} has no state "{plan.state}". {known}')
    here = (states == plan.state).to_numpy()
    where = ground.where(plan.table)
    start, end = dates(table[plan.start], where), dates(table[plan.end], where)
    _checked_spells(where, plan, start, end, here)
    spells = pd.DataFrame({"person": ids(table[person]), "start": start, "end": end})[here]
    opens = ground.index_date
    closes = opens + pd.Timedelta(days=plan.window_days)
    windows = pd.DataFrame({"person": ground.people.to_numpy(), "start": opens, "end": closes})
    values = days_in_state(spells, windows).to_numpy()
    later = "Later days count as in the state where an episode has no end, and as not in it elsewhere."
    flags = horizon_flags(ground, measure, closes, ground.last_date(start, end), later)
    flags += overlap_flags(spells, about=measure.id)
    return Found([once(measure, values)], about(measure, unit="days", values="amount"), flags)


def _checked_spells(where: str, plan: Any, start: pd.Series, end: pd.Series, here: np.ndarray) -> None:
    absent = np.flatnonzero(start.isna().to_numpy() & here)
    if len(absent):
        raise DataError(f'{where}: column "{plan.start}", {rows_in_words(lines(absent))}: no date. Give it.')
    backwards = np.flatnonzero((end < start).to_numpy() & here)
    if len(backwards):
        rows = rows_in_words(lines(backwards))
        raise DataError(f'{where}, {rows}: "{plan.end}" is before "{plan.start}". Correct the dates.')


@kind("rule")
def _rule(ground: Ground, measure: Measure, _: Earlier) -> Found:
    """Yes or no by the cohort's rule language; missing where the rule cannot be answered."""
    answers = ground.cohort.rule_answers(str(measure.rule))
    by_person = pd.Series(answers.to_numpy(dtype=float, na_value=np.nan), index=ids(answers.index.to_series()))
    values = by_person.reindex(ground.people.to_numpy()).to_numpy()
    return Found([once(measure, values)], about(measure, values="yes or no"))


@kind("improved")
def _improved(ground: Ground, measure: Measure, earlier: Earlier) -> Found:
    """Whether another measure got better by at least so much; missing where either reading is."""
    plan: Any = measure.improved
    name, _, at = plan.measure.partition("@")
    if name not in earlier:
        raise StudyError(f'improved names the measure "{plan.measure}". {did_you_mean(name, earlier)}')
    found = earlier[name]
    readings = {reading.occasion: reading for reading in found.readings}
    end = at or measure.occasion or _last(ground, readings)
    for occasion in (plan.start, end):
        if occasion not in readings:
            raise StudyError(f'improved: "{name}" has no reading at "{occasion}". {did_you_mean(occasion, readings)}')
    sign = -1 if found.about["better"] == "lower" else 1
    gain = sign * (readings[end].values - readings[plan.start].values)
    values = np.where(np.isnan(gain), np.nan, gain >= plan.by - 1e-9)
    reading = Reading(measure.id, measure.id, end, values, readings[end].dates)
    title = f"{found.about['title']} better by at least {number(plan.by, 0 if float(plan.by).is_integer() else 1)}"
    return Found([reading], about(measure, values="yes or no", title=title))


def _last(ground: Ground, readings: dict[str, Reading]) -> str:
    days = {occasion.id: occasion.day for occasion in ground.study.occasion}
    return max(readings, key=lambda occasion: days.get(occasion, 0))
