"""The share of days in a state: what contracts on days in care count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evalkit import disclosure
from evalkit.errors import DataError
from evalkit.outcomes.change.shares import newcombe, read_arm, wilson
from evalkit.outcomes.questionnaires.answers import rows_in_words
from evalkit.outcomes.records.ratios import Ratio, cluster_codes, error, quantile, ratio
from evalkit.outcomes.records.states import usual_names, window_days
from evalkit.words import SUPPRESSED, percent

_NO_SPREAD = 1e-12


@dataclass(frozen=True, eq=False, repr=False)
class CareProportion:
    """The share of all days of all windows that were spent in the state.

    Attributes
    ----------
    share, low, high : float
        Pooled: total days in the state over total days, with its 95 % interval.
    days, child_days : float
        The two totals.
    n : int
        Windows with both ends.
    groups : int
        Clusters (or persons) the interval rests on.
    table : DataFrame
        By arm where arms were given, else one row "all": ``n``, ``groups``, ``days``, ``child_days``, ``share``,
        ``low``, ``high``.
    difference, difference_low, difference_high : float
        Treated less comparison; NaN without arms.
    """

    share: float
    low: float
    high: float
    days: float
    child_days: float
    n: int
    groups: int
    table: pd.DataFrame
    difference: float
    difference_low: float
    difference_high: float

    def __repr__(self) -> str:
        shown = percent(self.share) if disclosure.count(self.n) != SUPPRESSED else SUPPRESSED
        return f"CareProportion({shown} of the days)"


def care_proportion(days: pd.Series, windows: pd.DataFrame, arm: Any = None, cluster: Any = None) -> CareProportion:
    """Pool days in a state into one share of all days, as contracts on days in care do.

    Parameters
    ----------
    days : Series of float, shape (n_windows,)
        As `days_in_state` gives it, in the row order of ``windows``.
    windows : DataFrame, shape (n_windows, 3 or more)
        As in `days_in_state`, under any of its names.
    arm : array-like, shape (n_windows,), optional
        "treated" or 1, "comparison" or 0; then both shares and their difference are given.
    cluster : array-like, shape (n_windows,), optional
        Who belongs together; without it a person's windows do.

    Returns
    -------
    CareProportion
        The interval is that of a ratio of two sums (CR2, Satterthwaite's degrees of freedom), made on the logit scale
        so that it stays between 0 and 1; where all are alike, Wilson's (and of the difference Newcombe's) with every
        cluster counted once.

    Raises
    ------
    DataError
        Days that do not fit the windows, or no window with both ends.

    References
    ----------
    Cochran (1977), Sampling Techniques, chapter 6 (ratio estimators). Essex care proportion: socialfinance.org.uk.
    """
    windows = usual_names(windows, "windows")
    spent, length = _checked(days, windows)
    codes, clusters = cluster_codes(windows["person"] if cluster is None else cluster, len(windows))
    counted = length > 0
    sides = {"all": counted}
    if arm is not None:
        treated = read_arm(arm, len(windows))
        sides |= {"treated": counted & (treated == 1), "comparison": counted & (treated == 0)}
    parts = {name: ratio(spent[rows], length[rows], codes[rows], clusters) for name, rows in sides.items()}
    table = pd.DataFrame([_line(parts[name], int(rows.sum())) for name, rows in sides.items()], index=list(sides))
    whole = _line(parts["all"], int(counted.sum()))
    reach = _apart(parts) if arm is not None else (np.nan, np.nan, np.nan)
    return CareProportion(
        whole["share"], whole["low"], whole["high"], whole["days"], whole["child_days"], int(counted.sum()),
        parts["all"].groups, table, *reach,
    )  # fmt: skip


def _checked(days: Any, windows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Days spent and days there were; 0 of 0 for a window without both ends."""
    length, known = window_days(windows)
    spent = np.asarray(days, dtype=float)
    if len(spent) != len(length):
        raise DataError(f"There are {len(spent)} numbers of days for {len(length)} windows. Give one per window.")
    wrong = known & ~((spent >= 0) & (spent <= length))
    if wrong.any():
        rows = rows_in_words(list(windows.index[wrong]))
        raise DataError(f"days, {rows}: missing, below 0 or more than the window has. Use days_in_state.")
    if not (length > 0).any():
        raise DataError("No window has a length, so there is no share of days. Check the windows' start and end.")
    return np.where(known, spent, 0.0), length.astype(float)


def _line(part: Ratio, n: int) -> dict[str, float]:
    low, high = _within_0_and_1(part)
    return {
        "n": n, "groups": part.groups, "days": part.top, "child_days": part.bottom, "share": part.value, "low": low,
        "high": high,
    }  # fmt: skip


def _within_0_and_1(part: Ratio) -> tuple[float, float]:
    se, df = error([part], [1.0])
    spread = part.value * (1 - part.value)  # the slope of the logit, upside down
    if np.isnan(se) or np.isnan(spread):
        return np.nan, np.nan
    if spread < _NO_SPREAD or se < _NO_SPREAD:
        return wilson(part.value * part.groups, part.groups)
    middle, half = np.log(part.value / (1 - part.value)), quantile(df) * se / spread
    return tuple(float(1 / (1 + np.exp(-(middle + side * half)))) for side in (-1, 1))  # type: ignore[return-value]


def _apart(parts: dict[str, Ratio]) -> tuple[float, float, float]:
    one, other = parts["treated"], parts["comparison"]
    se, df = error([one, other], [1.0, -1.0])
    half, difference = quantile(df) * se, one.value - other.value
    if se < _NO_SPREAD:
        return difference, *newcombe(one.value * one.groups, one.groups, other.value * other.groups, other.groups)
    return difference, difference - half, difference + half
