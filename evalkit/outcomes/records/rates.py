"""Events per year at risk: counted for each person, then summarised by arm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evalkit import disclosure
from evalkit.errors import DataError, Flag, did_you_mean
from evalkit.outcomes.change.shares import read_arm
from evalkit.outcomes.questionnaires.answers import numbers, rows_in_words
from evalkit.outcomes.records.ratios import LEVEL, Ratio, cluster_codes, error, quantile, ratio
from evalkit.outcomes.records.states import (
    NEVER,
    day_numbers,
    days_in_state,
    matched,
    read_spans,
    usual_names,
    window_days,
)
from evalkit.words import SUPPRESSED, number

YEAR = 365.0
_NO_SPREAD = 1e-12
_COUNTED = {"count": "count", "severity": "severity"}


@dataclass(frozen=True, eq=False, repr=False)
class Rates:
    """Events per year at risk, person by person.

    Attributes
    ----------
    table : DataFrame, shape (n_windows, 7)
        With the index of the windows: ``person``, ``count`` (events in the window), ``severity`` (their sum; the
        count without severities), ``days``, ``days_at_risk``, ``rate`` and ``severity_rate`` (per 365 days at risk;
        missing without a day at risk). Never shown.
    flags : tuple of Flag
        People never at risk; events on days that were not at risk.
    """

    table: pd.DataFrame
    flags: tuple[Flag, ...]

    def __repr__(self) -> str:
        return f"Rates({len(self.table):,} windows)"


def events_within(events: pd.DataFrame, windows: pd.DataFrame) -> pd.DataFrame:
    """Find which events fall into which window.

    Parameters
    ----------
    events : DataFrame, shape (n_events, 2 or more)
        ``person``, ``date``.
    windows : DataFrame, shape (n_windows, 3 or more)
        ``person``, ``start``, ``end``; half open.

    Returns
    -------
    DataFrame
        ``window`` and ``event`` (positions in the two tables), ``day`` (days after the window's start), sorted by
        window and day. An event counts in every window that holds it.

    Raises
    ------
    DataError
        Missing columns, events without a person or a date, windows that cannot be.
    """
    for column in ("person", "date"):
        if column not in events.columns:
            raise DataError(f'events lack the column "{column}". {did_you_mean(column, events.columns)}')
    when = day_numbers(events["date"], "events")
    for column, absent in {"person": events["person"].isna().to_numpy(), "date": np.isnan(when)}.items():
        if absent.any():
            rows = rows_in_words(list(events.index[absent]))
            raise DataError(f"events: {rows} have no {column}. Give it, or take the row out.")
    person, opens, _ = read_spans(windows, "windows")
    length, _ = window_days(windows)
    row, event = matched(person, events["person"])
    day = when[event].astype(np.int64) - np.where(opens == NEVER, 0, opens)[row]
    within = (day >= 0) & (day < length[row])
    found = pd.DataFrame({"window": row[within], "event": event[within], "day": day[within]})
    return found.sort_values(["window", "day"], kind="stable", ignore_index=True)


def rate_per_year(
    events: pd.DataFrame,
    windows: pd.DataFrame,
    out_of_risk: pd.DataFrame | None = None,
    severity: str | None = None,
) -> Rates:
    """Count each person's events per 365 days at risk.

    Parameters
    ----------
    events : DataFrame, shape (n_events, 2 or more)
        ``person``, ``date``.
    windows : DataFrame, shape (n_windows, 3 or more)
        ``person``, ``start``, ``end``: the days that are followed; the first counts, the last does not.
    out_of_risk : DataFrame, optional
        Episodes ``person``, ``start``, ``end`` (custody, abroad) whose days are not at risk, overlaps once.
    severity : str, optional
        Column of ``events`` with each event's weight, 0 or more.

    Returns
    -------
    Rates
        ``table`` and ``flags``. An event counts although its day was not at risk (often an arrest begins the custody
        that follows it); how many there were is said.

    Raises
    ------
    DataError
        Tables that cannot be read; a severity that is missing, text or negative, with the rows.
    """
    windows = usual_names(windows, "windows")
    found = events_within(events, windows)
    length, known = window_days(windows)
    weight = _severity(events, severity)[found["event"].to_numpy()]
    inside = found["window"].to_numpy()
    away = days_in_state(out_of_risk, windows).to_numpy() if out_of_risk is not None else np.zeros(len(windows))
    days = np.where(known, length, np.nan)
    table = pd.DataFrame({"person": windows["person"].to_numpy()}, index=windows.index)
    table["count"] = np.where(known, np.bincount(inside, minlength=len(windows)), np.nan)
    table["severity"] = np.where(known, np.bincount(inside, weights=weight, minlength=len(windows)), np.nan)
    table["days"], table["days_at_risk"] = days, days - np.where(known, away, 0)
    at_risk = table["days_at_risk"].where(table["days_at_risk"] > 0)
    table["rate"], table["severity_rate"] = table["count"] / at_risk * YEAR, table["severity"] / at_risk * YEAR
    return Rates(table, tuple(_never_at_risk(table) + _while_away(events, windows, found, out_of_risk)))


def _severity(events: pd.DataFrame, severity: str | None) -> np.ndarray:
    if severity is None:
        return np.ones(len(events))
    if severity not in events.columns:
        raise DataError(f'events lack the column "{severity}". {did_you_mean(severity, events.columns)}')
    weight = np.asarray(numbers(events[severity]), dtype=float)
    wrong = ~(np.isfinite(weight) & (weight >= 0))
    if wrong.any():
        rows = rows_in_words(list(events.index[wrong]))
        raise DataError(f'events: column "{severity}", {rows}: missing, negative or not a number. Correct it.')
    return weight


def _never_at_risk(table: pd.DataFrame) -> list[Flag]:
    never = int((table["days_at_risk"] <= 0).sum())
    if not never:
        return []
    text = "Some people were at risk on no day of their window and have no rate."
    return [Flag("outcomes", "caution", text, f"That is {disclosure.roughly(never, len(table))}.")]


def _while_away(
    events: pd.DataFrame, windows: pd.DataFrame, found: pd.DataFrame, away: pd.DataFrame | None
) -> list[Flag]:
    """Events on days that were taken out of the time at risk."""
    if away is None or found.empty:
        return []
    held = events.iloc[found["event"]]
    opens = pd.to_datetime(held["date"]).dt.normalize()
    days = pd.DataFrame({"person": held["person"], "start": opens, "end": opens + pd.Timedelta(days=1)})
    n = int(days_in_state(away, days).sum())
    if not n:
        return []
    text = "Some events fall on days that were not at risk; they are counted, and those days are not."
    return [Flag("outcomes", "note", text, f"That is {disclosure.roughly(n, len(held))} of the events.")]


# ---------------------------------------------------------------- by arm


@dataclass(frozen=True, eq=False, repr=False)
class RateSummary:
    """Pooled rates and, with arms, their ratio.

    Attributes
    ----------
    table : DataFrame
        By arm (or one row "all"): ``n`` (windows with a day at risk), ``groups``, ``events`` (or summed severity),
        ``days_at_risk``, ``rate`` (per 365 days at risk), ``low``, ``high`` (95 %).
    ratio, ratio_low, ratio_high, df : float
        Treated over comparison with its 95 % interval; NaN without arms, or where an arm has no event.
    of : str
        "count" or "severity".
    flags : tuple of Flag
        An arm without events.
    """

    table: pd.DataFrame
    ratio: float
    ratio_low: float
    ratio_high: float
    df: float
    of: str
    flags: tuple[Flag, ...]

    def __repr__(self) -> str:
        few = any(disclosure.count(int(n)) == SUPPRESSED for n in self.table["n"])
        return f"RateSummary(ratio {SUPPRESSED if few else number(self.ratio, 2)})"


def rate_summary(rates: Rates | pd.DataFrame, arm: Any = None, cluster: Any = None, of: str = "count") -> RateSummary:
    """Pool rates per year at risk, and compare the arms.

    Parameters
    ----------
    rates : Rates or DataFrame
        From `rate_per_year`, or a table with its columns.
    arm : array-like, shape (n_windows,), optional
        "treated" or 1, "comparison" or 0, in the row order of the windows.
    cluster : array-like, shape (n_windows,), optional
        Who belongs together; without it a person's windows do.
    of : {"count", "severity"}
        What is counted.

    Returns
    -------
    RateSummary
        Rates are all events over all days at risk, which is the Poisson estimate with an offset; intervals are made
        on the log scale from sums per cluster (CR2), so they hold where events come in bursts. An arm without an
        event has the exact Poisson upper bound, which takes events as independent, and no ratio. Where everybody has
        the same rate there is no spread to judge by, and no interval.

    Raises
    ------
    DataError
        An unknown ``of``, or nobody at risk.

    References
    ----------
    Zeger and Liang (1986), Biometrics 42, 121-130. Bell and McCaffrey (2002), Survey Methodology 28, 169-181.
    """
    table = rates.table if isinstance(rates, Rates) else rates
    if of not in _COUNTED:
        raise DataError(f'of = "{of}" is not known. {did_you_mean(of, _COUNTED)}')
    at_risk = np.asarray(table["days_at_risk"], dtype=float)
    there = at_risk > 0
    if not there.any():
        raise DataError("Nobody was at risk on any day, so there is no rate. Check windows and episodes.")
    codes, clusters = cluster_codes(table["person"] if cluster is None else cluster, len(table))
    sides = {"all": there}
    if arm is not None:
        treated = read_arm(arm, len(table))
        sides = {"treated": there & (treated == 1), "comparison": there & (treated == 0)}
    events = np.asarray(table[of], dtype=float)
    parts = {name: ratio(events[rows], at_risk[rows], codes[rows], clusters) for name, rows in sides.items()}
    lines = [_line(parts[name], int(rows.sum()), of) for name, rows in sides.items()]
    quotient = _quotient(parts) if arm is not None else (np.nan,) * 4
    return RateSummary(pd.DataFrame(lines, index=list(sides)), *quotient, of, tuple(_no_event(parts)))


def _line(part: Ratio, n: int, of: str) -> dict[str, float]:
    low, high = _around(part, of)
    return {
        "n": n, "groups": part.groups, "events": part.top, "days_at_risk": part.bottom, "rate": part.value * YEAR,
        "low": low * YEAR, "high": high * YEAR,
    }  # fmt: skip


def _around(part: Ratio, of: str) -> tuple[float, float]:
    if part.top == 0:
        # No severity can be bounded by events that were not seen; their number can.
        tail = -np.log((1 - LEVEL) / 2) / part.bottom if of == "count" and part.bottom else np.nan
        return (0.0, tail) if np.isfinite(tail) else (np.nan, np.nan)
    se, df = error([part], [1 / part.value])
    if se < _NO_SPREAD:
        return np.nan, np.nan
    reach = np.exp(quantile(df) * se)
    return part.value / reach, part.value * reach


def _quotient(parts: dict[str, Ratio]) -> tuple[float, float, float, float]:
    one, other = parts["treated"], parts["comparison"]
    if not one.top > 0 or not other.top > 0:
        return (np.nan,) * 4
    se, df = error([one, other], [1 / one.value, -1 / other.value])
    value, reach = one.value / other.value, np.exp(quantile(df) * se) if se >= _NO_SPREAD else np.nan
    return value, value / reach, value * reach, df


def _no_event(parts: dict[str, Ratio]) -> list[Flag]:
    arms = [name for name, part in parts.items() if part.top == 0 and name != "all"]
    text = "There is no event in the {} arm, so the ratio of the rates is not defined."
    return [Flag("outcomes", "caution", text.format(name)) for name in arms]
