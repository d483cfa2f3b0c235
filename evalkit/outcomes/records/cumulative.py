"""Mean cumulative curves: days in a state, or events, per person since the start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evalkit import disclosure
from evalkit.errors import DataError, Flag
from evalkit.outcomes.change.shares import read_arm
from evalkit.outcomes.records.rates import events_within
from evalkit.outcomes.records.ratios import Ratio, cluster_codes, error, quantile
from evalkit.outcomes.records.states import covered_spans, usual_names, window_days
from evalkit.words import listed, percent

Array = np.ndarray
# Ticks a reader knows: days up to six weeks, weeks up to half a year, then months of 30 days.
_STEPS = ((42, 1), (182, 7))
_MONTH = 30
_ENOUGH = 0.5


@dataclass(frozen=True, eq=False, repr=False)
class MeanCumulative:
    """The mean number of days (or events) per person up to each day.

    Attributes
    ----------
    table : DataFrame
        ``arm`` ("all" without arms), ``day`` (days since the start), ``n`` (people still followed on it), ``mean``,
        ``se``, ``low``, ``high`` (95 %, pointwise). Means are missing after the last day that anyone is followed.
    difference : DataFrame or None
        Treated less comparison: ``day``, ``n`` (the smaller arm), ``difference``, ``se``, ``low``, ``high``.
    unit : str
        "days" or "events".
    flags : tuple of Flag
        Where most people are no longer followed at the end.
    """

    table: pd.DataFrame
    difference: pd.DataFrame | None
    unit: str
    flags: tuple[Flag, ...]

    def __repr__(self) -> str:
        return f"MeanCumulative({self.unit}, up to day {int(self.table['day'].max()):,})"


@dataclass(frozen=True, eq=False)
class _Curve:
    """One arm: means on the grid, people followed, and at each point what the clusters contribute."""

    mean: Array
    n: Array
    parts: tuple[Ratio, ...]


def mean_cumulative(
    records: pd.DataFrame,
    windows: pd.DataFrame,
    arm: Any = None,
    cluster: Any = None,
    grid: Sequence[int] | None = None,
) -> MeanCumulative:
    """Estimate how days in a state, or events, add up per person since the start.

    Parameters
    ----------
    records : DataFrame
        Episodes (``person``, ``start``, ``end``) whose days are counted, overlaps once; or events (``person``,
        ``date``).
    windows : DataFrame, shape (n_windows, 3 or more)
        ``person``, ``start`` (day 0), ``end`` (the day from which the person is no longer followed). Windows may
        differ in length: each day's mean is taken over those followed on it.
    arm : array-like, shape (n_windows,), optional
        "treated" or 1, "comparison" or 0.
    cluster : array-like, shape (n_windows,), optional
        Who belongs together; without it a person's windows do.
    grid : sequence of int, optional
        Days since the start to report; default: days, weeks or months by the length of the windows, and the last.

    Returns
    -------
    MeanCumulative
        The Nelson-Aalen estimate of the mean function. Its intervals allow any dependence within a person or cluster
        (Lawless and Nadeau), and few or unequal clusters (CR2 with Satterthwaite's degrees of freedom, by each
        cluster's share of the windows); where all are followed to the end the last point is the plain mean with its
        usual interval. Where nobody differs from anybody after day 0 there is no interval: nothing seen yet is not
        nothing for certain. Leaving early must not depend on what is counted.

    Raises
    ------
    DataError
        Tables that cannot be read, a grid with negative days, or no window with a length.

    References
    ----------
    Nelson (1995), Technometrics 37, 147-157. Lawless and Nadeau (1995), Technometrics 37, 158-168. Bell and McCaffrey
    (2002), Survey Methodology 28, 169-181.
    """
    windows = usual_names(windows, "windows")
    spans, unit = _spans(records, windows)
    length, _ = window_days(windows)
    if not (length > 0).any():
        raise DataError("No window has a length, so nothing adds up. Check the windows' start and end.")
    days = _grid(grid, int(length.max()))
    codes, clusters = cluster_codes(windows["person"] if cluster is None else cluster, len(windows))
    sides = {"all": np.ones(len(windows), dtype=bool)}
    if arm is not None:
        treated = read_arm(arm, len(windows))
        sides = {"treated": treated == 1, "comparison": treated == 0}
    curves = {name: _curve(spans, length, rows, (codes, clusters), days) for name, rows in sides.items()}
    table = pd.concat([_table(name, curve, days) for name, curve in curves.items()], ignore_index=True)
    difference = _difference(curves["treated"], curves["comparison"], days) if arm is not None else None
    return MeanCumulative(table, difference, unit, tuple(_few_left(table)))


def _spans(records: pd.DataFrame, windows: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """What is counted, as spans of days of a window; an event is a span of one day that counts once."""
    if "date" in records.columns and "start" not in records.columns:
        found = events_within(records, windows)
        return pd.DataFrame({"window": found["window"], "start": found["day"], "end": found["day"] + 1}), "events"
    spans = covered_spans(records, windows)
    return pd.DataFrame({"window": spans.window, "start": spans.start, "end": spans.end}), "days"


def _grid(grid: Sequence[int] | None, last: int) -> Array:
    if grid is not None:
        days = np.unique(np.asarray(grid, dtype=np.int64))
        if not len(days) or days[0] < 0 or days[-1] > last:
            raise DataError(f"grid must hold days from 0 to {last}, the length of the longest window.")
        return days
    step = next((step for until, step in _STEPS if last <= until), _MONTH)
    return np.unique(np.append(np.arange(0, last + 1, step), last))


def _curve(spans: pd.DataFrame, length: Array, inside: Array, who: tuple[Array, int], days: Array) -> _Curve:
    """The mean function of some windows and what each cluster adds to its error.

    A window's contribution up to a day is the sum, over the days it is followed, of (its own - the mean) / followed.
    Running sums of 1 / followed and of mean / followed give it without a loop over days.
    """
    codes, clusters = who
    last = int(length[inside].max(initial=0))
    followed = _followed(length[inside], last)
    rows = inside[spans["window"].to_numpy()]
    window, start, end = (spans[name].to_numpy()[rows] for name in ("window", "start", "end"))
    counted = np.bincount(start, minlength=last + 1) - np.bincount(end, minlength=last + 1)
    daily = np.cumsum(counted)[:last] / followed
    mean, ones, means = (np.concatenate([[0.0], np.cumsum(part)]) for part in (daily, 1 / followed, daily / followed))
    pull = np.zeros((len(days), clusters))
    for row, day in enumerate(np.minimum(days, last)):
        own = ones[np.minimum(end, day)] - ones[np.minimum(start, day)]
        pull[row] = np.bincount(codes[window], weights=own, minlength=clusters)
        expected = means[np.minimum(length[inside], day)]
        pull[row] -= np.bincount(codes[inside], weights=expected, minlength=clusters)
    reached = days <= last
    still = np.array([int((length[inside] >= max(day, 1)).sum()) for day in days])
    at = np.where(reached, mean[np.minimum(days, last)], np.nan)
    sizes = np.bincount(codes[inside & (length > 0)], minlength=clusters).astype(float)
    pull = np.where(reached[:, None], pull, np.nan)
    return _Curve(at, still, tuple(_part(value, own, sizes) for value, own in zip(at, pull, strict=True)))


def _part(value: float, pull: Array, sizes: Array) -> Ratio:
    """Contributions adjusted as those of a mean over windows (CR2)."""
    share = sizes / max(sizes.sum(), 1.0)
    room = np.where(share < 1 - 1e-12, 1 - share, np.inf)
    return Ratio(value, np.nan, float(sizes.sum()), pull / np.sqrt(room), share, int((sizes > 0).sum()))


def _followed(length: Array, last: int) -> Array:
    """How many windows are followed on each day before the last."""
    ended = np.bincount(length, minlength=last + 1)[: last + 1]
    return len(length) - np.cumsum(ended)[:last].astype(float)


def _reach(curves: Sequence[_Curve], days: Array) -> tuple[Array, Array]:
    """Standard errors of a curve or of a difference of two, and how far the intervals reach to each side."""
    weights = (1.0, -1.0)[: len(curves)]
    points = zip(*(curve.parts for curve in curves), strict=True)
    found = np.array([error(parts, weights) for parts in points]).reshape(-1, 2)
    half = np.array([quantile(df) * se if se > 0 else np.nan for se, df in found])
    # On day 0 nothing has added up: that is 0 without error.
    return found[:, 0], np.where((days == 0) & (found[:, 0] == 0), 0.0, half)


def _table(name: str, curve: _Curve, days: Array) -> pd.DataFrame:
    se, half = _reach([curve], days)
    columns = {"day": days, "n": curve.n, "mean": curve.mean, "se": se}
    return pd.DataFrame({"arm": name, **columns, "low": curve.mean - half, "high": curve.mean + half})


def _difference(one: _Curve, other: _Curve, days: Array) -> pd.DataFrame:
    """Clusters that stand in both arms are summed over both before they are squared."""
    se, half = _reach([one, other], days)
    gap = one.mean - other.mean
    n = np.minimum(one.n, other.n)
    columns = {"day": days, "n": n, "difference": gap, "se": se}
    return pd.DataFrame({**columns, "low": gap - half, "high": gap + half})


def _few_left(table: pd.DataFrame) -> list[Flag]:
    """Curves whose end rests on less than half of those at the start."""
    ends = []
    for arm, rows in table.groupby("arm", sort=False):
        share = rows["n"].iloc[-1] / rows["n"].max() if rows["n"].max() else np.nan
        if share < _ENOUGH:
            of = disclosure.roughly(int(rows["n"].iloc[-1]), int(rows["n"].max()))
            ends.append(f"{arm}: {of}")
    if not ends:
        return []
    text = f"Fewer than {percent(_ENOUGH, 0)} of those at the start are still followed at the end of the curve."
    return [Flag("outcomes", "caution", text, f"Still followed: {listed(ends)}.")]
