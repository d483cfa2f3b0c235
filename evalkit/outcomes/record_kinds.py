"""The kinds of measure that are counted from records, or rated on a ladder."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalkit import library
from evalkit.errors import DataError, Flag, did_you_mean, nearest, several
from evalkit.outcomes.alignment import dated_readings
from evalkit.outcomes.ground import Forms, Found, Ground, amounts, dates, ids, lines
from evalkit.outcomes.kinds import Earlier, about, horizon_flags, kind, occasions_of, once
from evalkit.outcomes.questionnaires.answers import rows_in_words
from evalkit.outcomes.records.counts import Counted, attendance, definition, offending, placements
from evalkit.words import listed

if TYPE_CHECKING:
    from evalkit.study.model import Measure

_DAY = pd.Timedelta(days=1)
_SHOWN = 5


@kind("attendance")
def attendance_kind(ground: Ground, measure: Measure, _: Earlier) -> Found:
    """Share of half-days attended, or persistent absence by the year's line, in rows that begin within the window."""
    plan: Any = measure.attendance
    table = ground.need(plan.table, [plan.missed, plan.possible, plan.date]).reset_index(drop=True)
    where = ground.where(plan.table)
    position, when = ground.positions(plan.table), dates(table[plan.date], where)
    _dated(when, position >= 0, plan.date, where)
    windows = _windows(ground, plan.window_days)
    inside = _within(position, when, windows)
    rows = table.loc[inside, [plan.missed, plan.possible]].assign(_person=position[inside])
    rows.index = pd.Index(lines(rows.index))
    absent = plan.says == "persistent absence"
    if absent:
        definition("attendance", plan.says, plan.year)
    counted = _named(
        where, lambda: attendance(rows, "_person", plan.missed, plan.possible, plan.year if absent else None)
    )
    values = counted.table["absent" if absent else "share_attended"].reindex(np.arange(len(windows))).to_numpy()
    flags = _flags(ground, measure, counted, windows, "Half-days after that are not seen.")
    facts = {"better": "lower", "values": "yes or no"} if absent else {"unit": "share", "values": "amount"}
    return Found([once(measure, values)], about(measure, **facts), flags)


@kind("offending")
def offending_kind(ground: Ground, measure: Measure, _: Earlier) -> Found:
    """Proven offences within the window: any, how many, or their severity per year at risk."""
    plan: Any = measure.offending
    table = ground.need(plan.table, [plan.date, *([plan.severity] if plan.severity else [])])
    where = ground.where(plan.table)
    events = _ours(ground, plan.table, {"date": plan.date}, np.ones(len(table), dtype=bool))
    if plan.severity:
        severity = table[plan.severity].reset_index(drop=True)
        events["severity"] = severity[ground.positions(plan.table) >= 0].to_numpy()
    custody = _custody(ground, plan.custody) if plan.custody else None
    windows = _windows(ground, plan.window_days)
    counted = _named(where, lambda: offending(events, windows, custody, "severity" if plan.severity else None))
    column = {"any": "any", "count": "count", "severity per year at risk": "severity_rate"}[plan.says]
    unit = {"any": "", "count": "offences"}.get(plan.says, _per_year(plan))
    values = "yes or no" if plan.says == "any" else "amount"
    flags = _flags(ground, measure, counted, windows, "Offences after that are not seen.")
    facts = about(measure, unit=unit, better="lower", values=values)
    return Found([once(measure, counted.table[column].to_numpy(dtype=float))], facts, flags)


def _per_year(plan: Any) -> str:
    return "points of severity per year at risk" if plan.severity else "offences per year at risk"


def _custody(ground: Ground, plan: Any) -> pd.DataFrame:
    table = ground.need(plan.table, [plan.start, plan.end, plan.state_column])
    inside = _in_state(ground, plan.table, table[plan.state_column], plan.state, needed=False)
    return _ours(ground, plan.table, {"start": plan.start, "end": plan.end}, inside)


@kind("placements")
def placements_kind(ground: Ground, measure: Measure, _: Earlier) -> Found:
    """Placements within the window, or the moves between them."""
    plan: Any = measure.placements
    table = ground.need(plan.table, [plan.start, plan.end, *([plan.state_column] if plan.state_column else [])])
    inside = np.ones(len(table), dtype=bool)
    if plan.state is not None:
        column = plan.state_column or "state"
        ground.need(plan.table, [column])
        inside = _in_state(ground, plan.table, table[column], plan.state)
    episodes = _ours(ground, plan.table, {"start": plan.start, "end": plan.end}, inside)
    windows = _windows(ground, plan.window_days)
    counted = _named(ground.where(plan.table), lambda: placements(episodes, windows))
    values = counted.table[plan.says].to_numpy(dtype=float)
    flags = _flags(ground, measure, counted, windows, "Placements after that are not seen.")
    unit = "moves" if plan.says == "moves" else "placements"
    return Found([once(measure, values)], about(measure, unit=unit, better="lower", values="amount"), flags)


@kind("ladder")
def ladder_kind(ground: Ground, measure: Measure, _: Earlier) -> Found:
    """Areas rated on a ladder, one row per person and date: the mean of the areas, all of them needed."""
    plan: Any = measure.ladder
    table = ground.need(plan.table, [*plan.areas, plan.date]).reset_index(drop=True)
    where = ground.where(plan.table)
    used = _one_informant(measure, table, where)
    steps = pd.DataFrame({area: amounts(table[area], where) for area in plan.areas})
    _on_the_ladder(steps[used], float(plan.top), where)
    rows = pd.DataFrame(
        {
            "person": np.where(used, ground.positions(plan.table), -1),
            "date": dates(table[plan.date], where).to_numpy(),
            "value": steps.mean(axis=1, skipna=False),
        }
    )
    readings, flags = dated_readings(ground, measure.id, rows, occasions_of(ground, measure))
    keys = library.load("instruments", "ladder")
    keys |= {"top": plan.top, "stage_width": plan.stage_width, "areas": list(plan.areas), "titles": dict(plan.titles)}
    facts = about(measure, unit=keys["unit"], better=keys["better"], values=keys["values"])
    return Found(readings, facts, flags, Forms(steps, keys, list(plan.areas)))


def _one_informant(measure: Measure, table: pd.DataFrame, where: str) -> np.ndarray:
    """Which rows are the rater's; ratings of two raters are never mixed."""
    if "informant" not in table.columns:
        return np.ones(len(table), dtype=bool)
    who = table["informant"].astype("str")
    present = sorted(who[table["informant"].notna()].unique())
    if len(present) > 1 and not measure.informant:
        raise DataError(
            f"{where} holds ratings by {listed(present[:_SHOWN])}, which are not to be mixed. "
            'Say whose this measure is: informant = "...".'
        )
    if measure.informant and measure.informant not in present:
        hint = did_you_mean(measure.informant, present[:_SHOWN])
        raise DataError(f'{where} has no informant "{measure.informant}". {hint}')
    return (who == measure.informant).to_numpy() if measure.informant else np.ones(len(table), dtype=bool)


def _on_the_ladder(steps: pd.DataFrame, top: float, where: str) -> None:
    problems = []
    for area in steps.columns:
        wrong = ((steps[area] > top) | (steps[area] < 0)).to_numpy()
        if wrong.any():
            rows = rows_in_words(lines(steps.index[wrong]))
            problems.append(
                f'Column "{area}", {rows}: above the top of {top:g}, or below 0. Correct it, or mend "top"; areas on '
                "ladders of other lengths are measures of their own."
            )
    if problems:
        raise DataError(several(where, problems))


# ---------------------------------------------------------------- parts


def _windows(ground: Ground, days: int) -> pd.DataFrame:
    opens = ground.index_date
    ends = opens + pd.Timedelta(days=days)
    return pd.DataFrame({"person": ground.people.to_numpy(), "start": opens, "end": ends})


def _within(position: np.ndarray, when: pd.Series, windows: pd.DataFrame) -> np.ndarray:
    """Rows of people in the cohort whose day lies in their window."""
    ours = position >= 0
    start, end = (windows[name].to_numpy()[position] for name in ("start", "end"))
    day = when.to_numpy()
    return ours & (day >= start) & (day < end)


def _dated(when: pd.Series, ours: np.ndarray, column: str, where: str) -> None:
    blank = when.isna().to_numpy() & ours
    if blank.any():
        rows = rows_in_words(lines(np.flatnonzero(blank)))
        raise DataError(f'{where}: column "{column}", {rows}: no date. Give it, or take the row out.')


def _in_state(ground: Ground, name: str, column: pd.Series, state: str, needed: bool = True) -> np.ndarray:
    """Rows in a state; one that nobody is in is an error where it is needed, or where another was probably meant."""
    states = column.astype("str")
    known = set(states[column.notna()])
    if state not in known and (needed or nearest(state, known)):
        hint = did_you_mean(state, states[column.notna()].unique())
        raise DataError(f'{ground.where(name)} has no state "{state}". {hint}')
    return (states == state).to_numpy()


def _ours(ground: Ground, name: str, columns: dict[str, str], inside: np.ndarray) -> pd.DataFrame:
    """The rows of the cohort's people, with person and days, numbered as in the file."""
    person = ground.study.cohort.person  # type: ignore[union-attr]
    table = ground.need(name, [person]).reset_index(drop=True)
    where = ground.where(name)
    days = {target: dates(table[source], where) for target, source in columns.items()}
    place = {"place": table["place"]} if "place" in table.columns and "start" in columns else {}
    frame = pd.DataFrame({"person": ids(table[person]), **days, **place}, index=table.index)
    frame.index = pd.Index(lines(frame.index))
    return frame[inside & (ground.positions(name) >= 0)]


def _named(where: str, count: Any) -> Counted:
    """Count, with the table's name before anything that is wrong in it."""
    try:
        return count()
    except DataError as problem:
        raise DataError(f"{where}: {problem}") from problem


def _flags(ground: Ground, measure: Measure, counted: Counted, windows: pd.DataFrame, later: str) -> list[Flag]:
    """What was said in counting, and whether the data reach to the end of the windows."""
    said = [replace(flag, about=measure.id) for flag in counted.flags]
    return said + horizon_flags(ground, measure, windows["end"], ground.last_date(), later)
