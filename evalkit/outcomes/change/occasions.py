"""One number per person from readings on several occasions, by a written rule for missing ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from evalkit import disclosure
from evalkit.errors import DataError, EstimationError, Flag, did_you_mean
from evalkit.outcomes.change.grids import Grid, enough_occasions, grid_of, on_days
from evalkit.words import percent

Array = np.ndarray
Kind = Literal["endpoint", "mean of post", "area under the curve", "slope", "peak and hold"]
DAYS_A_YEAR = 365.25
_MUCH = 0.2
RULES = {
    "endpoint": "the reading on the last occasion; nothing is carried forward, so without it the person has none",
    "mean of post": "the mean of the readings after the baseline; at least half of those occasions must be read",
    "area under the curve": (
        "the area under straight lines between readings on their true days, over the days between first and last; "
        "the first and the last occasion must be read, those between are bridged"
    ),
    "slope": "the least-squares line through the readings on their true days, per year; at least three days "
    "with a reading (two where only two occasions are planned)",
    "peak and hold": "the worse of the readings on the last two occasions: what was reached and held; both must be "
    "read",
}


@dataclass(frozen=True, eq=False, repr=False)
class OccasionSummary:
    """One number per person.

    Attributes
    ----------
    values : Series, shape (n_persons,)
        By person, sorted; missing where the rule is not met.
    kind : str
        Which number.
    rule : str
        In words, with what a person must have.
    occasions : tuple
        In order, the baseline among them.
    table : DataFrame
        By occasion: ``occasion``, ``n`` (persons read), ``people``, ``share``, ``day`` (median, missing without
        times).
    n, lost : int
        Persons with a number and without.
    flags : tuple of Flag
        How many were lost, what was left out.
    """

    values: pd.Series
    kind: str
    rule: str
    occasions: tuple[object, ...]
    table: pd.DataFrame
    n: int
    lost: int
    flags: tuple[Flag, ...]

    def __repr__(self) -> str:
        return f"OccasionSummary({self.kind}, {len(self.occasions)} occasions, {len(self.flags)} flags)"

    def _repr_html_(self) -> str:
        shown = self.table[["occasion", "n", "people", "share"]].copy()
        shown["share"] = [percent(share) for share in shown["share"]]
        safe = disclosure.protect(shown, counts=["n", "people"], behind={"share": "n"}).table
        return f"<p>{self.kind}: {self.rule}.</p>" + safe.to_html(index=False, border=0)


def occasion_summary(
    frame: pd.DataFrame,
    person: str,
    occasion: str,
    value: str,
    kind: Kind = "endpoint",
    time: str | None = None,
    baseline: object = None,
    better: str = "higher",
) -> OccasionSummary:
    """Summarise each person's readings over the occasions.

    Parameters
    ----------
    frame : DataFrame, shape (n_readings, ...)
        One row per person and occasion.
    person, occasion, value : str
        Columns. Occasions are put in order by their numbers or dates, by the order of a categorical column, else by
        the median of ``time``.
    kind : {"endpoint", "mean of post", "area under the curve", "slope", "peak and hold"}
        `RULES` says what each is and which readings a person must have.
    time : str, optional
        Column of days (numbers) or dates on which the readings were taken. The area and the slope need it, unless
        the occasions themselves are dates; numbers of occasions are not taken for days.
    baseline : optional
        The occasion before which nothing counts (default: the first).
    better : {"higher", "lower"}
        For "peak and hold", which reading is the worse.

    Returns
    -------
    OccasionSummary
        ``values`` by person in the measure's unit (of a slope: per year of 365.25 days), ``table``, ``flags``.

    Raises
    ------
    DataError
        Unknown columns, occasions without an order, two readings of a person on one occasion, readings that are not
        numbers.
    EstimationError
        One occasion only; or fewer than three, of "peak and hold".
    """
    if kind not in RULES:
        raise DataError(f'"{kind}" is no summary of occasions. {did_you_mean(kind, RULES)}')
    if better not in ("higher", "lower"):
        raise DataError(f'better = "{better}" is not understood. Write "higher" or "lower".')
    read = grid_of(frame, (person, occasion, value, time), baseline)
    enough_occasions(kind, read)
    if kind in ("area under the curve", "slope"):
        read = on_days(read, kind)
    values = pd.Series(_SUMMARIES[kind](read, better), index=read.people, name=kind)
    n = int(values.notna().sum())
    lost = len(values) - n
    flags = (*read.flags, *_lost_flags(kind, lost, len(values)))
    return OccasionSummary(values, kind, RULES[kind], tuple(read.occasions), _table(read), n, lost, flags)


def summary_shares(
    frame: pd.DataFrame,
    person: str,
    occasion: str,
    value: str,
    time: str | None = None,
    baseline: object = None,
) -> pd.DataFrame:
    """Say for each kind of summary how many people would have one.

    Parameters
    ----------
    frame, person, occasion, value, time, baseline
        As in `occasion_summary`.

    Returns
    -------
    DataFrame
        A row per kind: ``kind``, ``n``, ``people``, ``share`` (missing where the occasions do not allow it),
        ``rule``, ``why_not``. The counts are of people: let `disclosure.protect` see the table before it leaves.
    """
    rows = []
    for kind in get_args(Kind):
        row: dict[str, Any] = {"kind": kind, "n": 0, "people": 0, "share": np.nan, "rule": RULES[kind], "why_not": ""}
        try:
            found = occasion_summary(frame, person, occasion, value, kind, time, baseline)
            row |= {"n": found.n, "people": len(found.values), "share": found.n / max(len(found.values), 1)}
        except EstimationError as reason:
            row["why_not"] = str(reason)
        rows.append(row)
    return pd.DataFrame(rows)


def occasion_weights(days: Sequence[float], kind: Kind) -> Array:
    """Weights of the occasions, where all are read on the same days: the summary is their weighted sum.

    Parameters
    ----------
    days : sequence of float, shape (t,)
        In order, the baseline first.
    kind : str
        As in `occasion_summary`, but not "peak and hold", which is no weighted sum.

    Returns
    -------
    ndarray, shape (t,)
        They sum to 1; of a slope (per year) to 0.

    Raises
    ------
    DataError
        "peak and hold", or days that do not increase.
    """
    t = np.asarray(days, dtype=float)
    if len(t) < 2 or not (np.diff(t) > 0).all():
        raise DataError("Weights of occasions need at least two days, in increasing order.")
    if kind == "endpoint":
        return np.eye(len(t))[-1]
    if kind == "mean of post":
        return np.r_[0.0, np.full(len(t) - 1, 1 / (len(t) - 1))]
    if kind == "slope":
        away = t - t.mean()
        return away / (away**2).sum() * DAYS_A_YEAR
    if kind != "area under the curve":
        raise DataError(f'"{kind}" is not a weighted sum of the occasions. {did_you_mean(kind, list(RULES)[:4])}')
    width = np.diff(t)
    return (np.r_[width, 0.0] + np.r_[0.0, width]) / 2 / width.sum()


# ---------------------------------------------------------------- the summaries


def _endpoint(read: Grid, better: str) -> Array:
    return read.values[:, -1]


def _mean_of_post(read: Grid, better: str) -> Array:
    post = read.values[:, 1:]
    count = (~np.isnan(post)).sum(axis=1)
    enough = count * 2 >= post.shape[1]
    return np.divide(np.nansum(post, axis=1), count, out=np.full(len(post), np.nan), where=enough & (count > 0))


def _area(read: Grid, better: str) -> Array:
    """Trapezoids between neighbouring readings, holes bridged, over the days from first to last."""
    values, days = read.values, read.days
    area, before, day = np.zeros(len(values)), values[:, 0].copy(), days[:, 0].copy()  # type: ignore[index]
    for at in range(1, values.shape[1]):
        now, here = values[:, at], ~np.isnan(values[:, at])
        area += np.where(here, (now + before) / 2 * (days[:, at] - day), 0.0)  # type: ignore[index]
        before, day = np.where(here, now, before), np.where(here, days[:, at], day)  # type: ignore[index]
    whole = ~np.isnan(values[:, 0]) & ~np.isnan(values[:, -1])
    span = day - days[:, 0]  # type: ignore[index]
    return np.divide(area, span, out=np.full(len(values), np.nan), where=whole)


def _slope(read: Grid, better: str) -> Array:
    there = ~np.isnan(read.values)
    count = there.sum(axis=1)
    enough = count >= min(3, read.values.shape[1])
    shares = there / np.maximum(count, 1)[:, None]
    days = np.where(there, read.days, 0.0)  # type: ignore[arg-type]
    away = np.where(there, days - (days * shares).sum(axis=1, keepdims=True), 0.0)
    rise, run = (away * np.where(there, read.values, 0.0)).sum(axis=1), (away**2).sum(axis=1)
    return np.divide(rise, run, out=np.full(len(run), np.nan), where=enough & (run > 0)) * DAYS_A_YEAR


def _held(read: Grid, better: str) -> Array:
    worse = np.minimum if better == "higher" else np.maximum
    return worse(read.values[:, -1], read.values[:, -2])


_SUMMARIES = {
    "endpoint": _endpoint,
    "mean of post": _mean_of_post,
    "area under the curve": _area,
    "slope": _slope,
    "peak and hold": _held,
}


# ---------------------------------------------------------------- what must be said


def _table(read: Grid) -> pd.DataFrame:
    there = ~np.isnan(read.values)
    n, people = there.sum(axis=0), len(read.people)
    day = [np.nan] * len(n)
    if read.days is not None:
        day = [float(np.nanmedian(column)) if (~np.isnan(column)).any() else np.nan for column in read.days.T]
    return pd.DataFrame({"occasion": read.occasions, "n": n, "people": people, "share": n / max(people, 1), "day": day})


def _lost_flags(kind: str, lost: int, people: int) -> list[Flag]:
    if not lost:
        return []
    share = lost / people
    text = f"{percent(share)} of people have no {kind}, since they lack readings it needs."
    detail = f"The rule: {RULES[kind]}. Those left may differ from those lost: compare them at the start."
    return [Flag("outcomes", "caution" if share >= _MUCH else "note", text, detail)]
