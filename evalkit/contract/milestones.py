"""Milestones earned by a day of observation, from dates: registered, placed, one year on, two years on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import pandas as pd

from evalkit.contract.prices import FIRST_LINE, cells, texts
from evalkit.errors import DataError, did_you_mean, several
from evalkit.tables.kinds import must_be_table
from evalkit.tables.words import rows_listed

Milestone = str | tuple[str, int]
Leap = Literal["28 February", "1 March"]
CONVENTION = "A milestone in time is earned if its anniversary is on or before the day of observation and there was no "
CONVENTION += "breakdown before it; a month without that day ends on its last day."


def milestones_earned(
    ledger: pd.DataFrame,
    observation_date: object,
    milestones: Mapping[str, Milestone],
    breakdown: str = "breakdown",
    leap: Leap = "28 February",
) -> pd.DataFrame:
    """Work out which milestones each person has earned by a day.

    A milestone that is an event is earned on its date; one in time on the anniversary of an event. Each is earned if
    that day is on or before the day of observation. One in time is not earned where there was a breakdown before it; a
    breakdown on the day itself does not undo it.

    Parameters
    ----------
    ledger : DataFrame
        One row per person: "person", or else the first column, names them; and columns of dates, empty where
        something has not happened.
    observation_date : date or str
        The last day that counts.
    milestones : mapping of str to (str or (str, int))
        Metric -> the column of an event, or (column, months after it): ``{"placement": "placed",
        "one_year": ("placed", 12)}``.
    breakdown : str
        The column of the day on which it ended; may be absent.
    leap : {"28 February", "1 March"}
        When a year after 29 February has passed. The first is the corresponding date rule: a month that lacks the
        day ends on its last day.

    Returns
    -------
    DataFrame
        metric, person, date, units (1): what `due` takes, person by person in the order given. It holds ids of people.

    Raises
    ------
    DataError
        Columns that are not there, dates that are not dates, events before the event they follow.

    References
    ----------
    Dodds v Walker [1981] 1 WLR 1027, on the corresponding date rule.
    """
    must_be_table(ledger, "The milestone ledger")
    day = pd.to_datetime(str(observation_date), errors="coerce", format="ISO8601")
    who = "person" if "person" in ledger else str(ledger.columns[0]) if len(ledger.columns) else "person"
    rules = {
        metric: (rule, 0) if isinstance(rule, str) else (rule[0], int(rule[1])) for metric, rule in milestones.items()
    }
    named = list(dict.fromkeys(column for column, _ in rules.values()))
    problems = (
        [] if pd.notna(day) else [f'The day of observation "{observation_date}" is not a date: write 2016-07-31.']
    )
    there = [str(name) for name in ledger.columns]
    problems += [f'column "{name}" is missing. {did_you_mean(name, there)}' for name in named if name not in ledger]
    dates = {name: cells(ledger, name, "date", problems, people=True) for name in [*named, breakdown]}
    problems += _unlikely(ledger, dates, named, breakdown, who)
    if problems:
        raise DataError(several("The milestone ledger", problems))
    people, ended = texts(ledger[who]), dates[breakdown]
    rows = [
        {"metric": metric, "person": people.iloc[place], "date": when, "units": 1}
        for place in range(len(ledger))
        for metric, (column, months) in rules.items()
        if _earned(when := anniversary(dates[column].iloc[place], months, leap), ended.iloc[place], day, months)
    ]
    found = pd.DataFrame(rows, columns=["metric", "person", "date", "units"])
    return found.astype({"metric": "str", "person": "str", "date": "datetime64[us]", "units": "int64"})


def anniversary(date: pd.Timestamp, months: int, leap: Leap = "28 February") -> Any:
    """The same day some months later.

    Parameters
    ----------
    date : Timestamp
        May be missing.
    months : int
        Calendar months.
    leap : {"28 February", "1 March"}
        What follows 29 February in a year without one.

    Returns
    -------
    Timestamp
        The month's last day where it lacks the day.
    """
    if pd.isna(date):
        return date
    later = date + pd.DateOffset(months=months)
    leaps = (date.month, date.day) == (2, 29) and (later.month, later.day) == (2, 28)
    return later + pd.Timedelta(days=1) if leaps and leap == "1 March" else later


def _earned(when: Any, ended: Any, day: Any, months: int) -> bool:
    """Whether a milestone was reached in time and, if it is one in time, without a breakdown before it."""
    if pd.isna(when) or when > day:
        return False
    return bool(months == 0 or pd.isna(ended) or ended >= when)


def _unlikely(
    ledger: pd.DataFrame, dates: Mapping[str, pd.Series], named: list[str], breakdown: str, who: str
) -> list[str]:
    """People named twice or not at all, and breakdowns before anything began."""
    people = texts(ledger[who]) if who in ledger else pd.Series(dtype="str")
    checks = {"name nobody": people == "", "name a person for the second time": people.duplicated() & (people != "")}
    started = pd.DataFrame({name: dates[name] for name in named if name != breakdown})
    if breakdown in ledger and not started.empty:
        checks["have a breakdown before anything began"] = dates[breakdown] < started.min(axis=1)
    return [
        f"{rows_listed([FIRST_LINE + place for place in range(len(wrong)) if wrong.iloc[place]])} {says}."
        for says, wrong in checks.items()
        if wrong.any()
    ]
