"""Planned against actual payments: which share of each plan was paid, and how many months late half of it came."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.errors import DataError, did_you_mean, several
from evalkit.tables.kinds import must_be_table

COLUMNS = [
    *("plan", "planned", "planned_to_date", "actual", "share", "share_to_date", "half_planned_by", "half_actual_by"),
    *("months_late", "periods", "periods_equal_to_an_actual", "planned_without_period", "actual_without_period"),
]
KINDS = ("planned", "actual")
PERIOD = re.compile(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?(?:[T ].*)?")
CLOSE = 100  # pennies: a planned amount within less than one unit of an actual one counts as equal to it


def schedule_of(payments: pd.DataFrame) -> pd.DataFrame:
    """Hold each version of a payment plan to what was paid, by running sums.

    Parameters
    ----------
    payments : DataFrame
        kind ("planned", "actual", or blank for not stated, in any case), amount, and where they apply: plan (any case;
        versions are never added), start and end of the period (dates, or text ``2023-06-30``, ``2023-06``, ``2023``).

    Returns
    -------
    DataFrame
        One row per plan version: plan (lower case); planned, its total; planned_to_date, the part whose periods end no
        later than the last period of an actual payment; actual, all that was paid; share (actual / planned) and
        share_to_date (actual / planned_to_date); half_planned_by and half_actual_by ("2023-06"), the first period end
        at which the running sum of planned or of actual payments reaches half of *this plan's* total, None where it
        never does; months_late between the two, None where either is; periods, the planned amounts;
        periods_equal_to_an_actual, those above zero that are less than one unit away from an actual amount;
        planned_without_period and actual_without_period, amounts that count in the totals and in no running sum.
        Actual, shares and planned_to_date are missing where no actual payment is recorded. Money to the penny.
        Payments whose kind is not stated count as neither.

    Raises
    ------
    DataError
        Columns, kinds, amounts or periods that cannot be read: all at once.
    """
    table = _checked(payments)
    actual = _sums(table[table["kind"] == "actual"])
    planned = table[table["kind"] == "planned"]
    rows = [_one_plan(str(name), _sums(rows), actual) for name, rows in planned.groupby("plan", sort=True)]
    result = pd.DataFrame(rows, columns=COLUMNS)
    for name in ("half_planned_by", "half_actual_by", "months_late"):
        result[name] = pd.Series([row[name] for row in rows], index=result.index, dtype=object)
    return result


def _checked(payments: pd.DataFrame) -> pd.DataFrame:
    """kind, plan, start and end as months since year 0 (missing where there is none), and whole pennies."""
    must_be_table(payments, "The table of payments")
    problems = [f'It lacks the column "{name}".' for name in ("kind", "amount") if name not in payments]
    if problems:
        raise DataError(several("The table of payments", problems))
    blank = pd.Series([None] * len(payments), dtype=object)
    given = {name: payments.get(name, blank).reset_index(drop=True) for name in ("start", "end")}
    table = pd.DataFrame({name: _lower(payments.get(name, blank)) for name in ("kind", "plan")})
    table["pennies"] = _pennies(payments["amount"].reset_index(drop=True), problems)
    for name, last in (("start", False), ("end", True)):
        table[name] = _months(given[name], name, last, problems)
    table["end"] = table["end"].fillna(_months(given["start"], "start", True, []))
    table["start"] = table["start"].fillna(table["end"])
    for kind in sorted({*table["kind"]} - {*KINDS, ""}):
        lines = _lines(table["kind"] == kind)
        problems.append(f'Kind "{kind}" ({lines}) is not known. {did_you_mean(kind, KINDS)}')
    if problems:
        raise DataError(several("The table of payments", problems))
    return table


def _lower(column: pd.Series) -> pd.Series:
    """Text in lower case without outer blanks, "" where missing."""
    return column.astype("str").where(column.notna(), "").str.strip().str.lower().reset_index(drop=True)


def _pennies(column: pd.Series, problems: list[str]) -> pd.Series:
    numbers = pd.to_numeric(column, errors="coerce").astype(float)
    numbers = numbers.where(np.isfinite(numbers))
    wrong = numbers.isna() & column.notna() & (column.astype("str").str.strip() != "")
    if wrong.any():
        first = column[wrong].iloc[0]
        remedy = "Write 1250.50: no currency sign, no thousands separator, no words."
        problems.append(f'Amount "{first}" is not a plain number ({_lines(wrong)}). {remedy}')
    return (numbers * 100).round()


def _months(column: pd.Series, name: str, last: bool, problems: list[str]) -> pd.Series:
    """Months since year 0; a bare year is its last month for an end, its first for a start."""
    known = {value: month_of(value, last) for value in column.dropna().unique()}
    months = column.map(known).astype(float)
    wrong = column.notna() & months.isna() & (column.astype("str").str.strip() != "")
    if wrong.any():
        remedy = "Write 2023-06-30, 2023-06 or 2023."
        problems.append(f'Period {name} "{column[wrong].iloc[0]}" is not a date ({_lines(wrong)}). {remedy}')
    return months


def _lines(wrong: pd.Series) -> str:
    """How many rows, and the first few by their line in a file (the header is line 1)."""
    first = ", ".join(str(place + 2) for place in np.flatnonzero(wrong)[:3])
    count = int(wrong.sum())
    return f"line {first}" if count == 1 else f"{count} rows, lines {first}{', ...' if count > 3 else ''}"


def month_of(value: object, last: bool = False) -> float:
    """Count the months from year 0 to a date.

    Parameters
    ----------
    value : date, Timestamp, str or int
        A date, or "2023-06-30", "2023-06", "2023".
    last : bool
        Whether a bare year means its last month rather than its first.

    Returns
    -------
    float
        12 x year + month - 1; NaN where it is no date.
    """
    if isinstance(value, dt.date | pd.Period) and value is not pd.NaT:
        return float(value.year * 12 + value.month - 1)
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
    match = PERIOD.fullmatch(text)
    if match is None:
        return np.nan
    year, month, day = match.groups()
    if day is not None and not _in_calendar(text[:10]):
        return np.nan
    number = int(month) if month else 12 if last else 1
    return float(int(year) * 12 + number - 1) if 1 <= number <= 12 and int(year) > 0 else np.nan


def _in_calendar(text: str) -> bool:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def month_text(months: float | None) -> str | None:
    """Write months since year 0 as "2023-06"; None for none."""
    if months is None or np.isnan(months):
        return None
    return f"{int(months) // 12:04d}-{int(months) % 12 + 1:02d}"


@dataclass(frozen=True, eq=False)
class _Sums:
    """Payments of one kind as arrays: period ends in months, and pennies."""

    end: np.ndarray
    pennies: np.ndarray

    def total(self) -> float:
        known = self.pennies[~np.isnan(self.pennies)]
        return float(known.sum()) if len(known) else float("nan")

    def loose(self) -> float:
        """The pennies of payments without a period."""
        return float(np.nansum(self.pennies[np.isnan(self.end)]))

    def until(self, last: float) -> float:
        return float(np.nansum(self.pennies[self.end <= last]))

    def reaches(self, goal: float) -> float | None:
        """The first period end at which the running sum reaches a goal above zero."""
        dated = ~np.isnan(self.end) & ~np.isnan(self.pennies)
        if not goal > 0 or not dated.any():
            return None
        ends, place = np.unique(self.end[dated], return_inverse=True)
        reached = np.flatnonzero(np.cumsum(np.bincount(place, weights=self.pennies[dated])) >= goal)
        return float(ends[reached[0]]) if len(reached) else None


def _sums(table: pd.DataFrame) -> _Sums:
    return _Sums(table["end"].to_numpy(dtype=float), table["pennies"].to_numpy(dtype=float))


def _one_plan(name: str, planned: _Sums, actual: _Sums) -> dict[str, object]:
    total, paid = planned.total(), actual.total()
    known = actual.end[~np.isnan(actual.pennies) & ~np.isnan(actual.end)]
    to_date = planned.until(known.max()) if len(known) else float("nan")
    half_planned, half_actual = planned.reaches(total / 2), actual.reaches(total / 2)
    late = None if half_planned is None or half_actual is None else int(half_actual - half_planned)
    return {
        "plan": name,
        "planned": total / 100,
        "planned_to_date": to_date / 100,
        "actual": paid / 100,
        "share": _ratio(paid, total),
        "share_to_date": _ratio(paid, to_date),
        "half_planned_by": month_text(half_planned),
        "half_actual_by": month_text(half_actual),
        "months_late": late,
        "periods": len(planned.pennies),
        "periods_equal_to_an_actual": int(equal_to_one(planned.pennies, actual.pennies).sum()),
        "planned_without_period": planned.loose() / 100,
        "actual_without_period": actual.loose() / 100,
    }


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def equal_to_one(planned: np.ndarray, actual: np.ndarray) -> np.ndarray:
    """Which planned amounts above zero are less than one unit away from some actual amount.

    Parameters
    ----------
    planned, actual : ndarray of float
        Pennies; missing ones equal nothing.

    Returns
    -------
    ndarray of bool
        One per planned amount.
    """
    paid = np.sort(actual[~np.isnan(actual)])
    if not len(paid):
        return np.zeros(len(planned), dtype=bool)
    place = np.searchsorted(paid, planned)
    below, above = paid[np.clip(place - 1, 0, None)], paid[np.clip(place, None, len(paid) - 1)]
    return (planned > 0) & (np.minimum(np.abs(planned - below), np.abs(planned - above)) < CLOSE)
