"""Cluster bootstrap: of any statistic by refitting, of means and differences from sums by cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Unpack

import numpy as np
import pandas as pd

from evalkit.errors import DataError, EstimationError, EvalkitError, did_you_mean
from evalkit.outcomes.change.occasions import Kind, occasion_summary
from evalkit.outcomes.index.units import arms_of, codes_of, matrix
from evalkit.outcomes.resampling.clusters import accepted, clusters_of, codes_in
from evalkit.outcomes.resampling.intervals import Bootstrap, Interval, Rare, checked, concluded

Array = np.ndarray


def cluster_bootstrap(
    frame: pd.DataFrame,
    statistic: Callable[[pd.DataFrame], Any],
    cluster: str | pd.Series | Array | None,
    draws: int = 2000,
    seed: int = 1,
    strata: str | pd.Series | Array | None = None,
    level: float = 0.95,
    interval: Interval = "t",
) -> Bootstrap:
    """Resample whole clusters and refit: the general way, for any statistic.

    Parameters
    ----------
    frame : DataFrame, shape (n_persons, ...)
        One row per person (or reading).
    statistic : callable
        From a frame to a number, or to a mapping or Series of numbers by name.
    cluster : str, Series or array, shape (n_persons,)
        A column (numbered anew in every draw, so that a cluster drawn twice counts as two) or labels. None draws
        persons.
    draws : int
        How many.
    seed : int
        The same seed gives the same draws.
    strata : str, Series or array, optional
        Clusters are drawn within strata. Where whole clusters were treated, give the arm: two strata are taken for
        arms, so that the smaller one decides how sure the interval can be.
    level : float
        Of the intervals.
    interval : {"t", "percentile"}
        Estimate and t with as many degrees of freedom as clusters less strata (of two arms: Satterthwaite's; default),
        or the draws' quantiles, which fewer than 12 clusters, or 6 in an arm, do not support.

    Returns
    -------
    Bootstrap
        ``table`` (a row per number: effect, se, low, high), ``draws``, ``flags``; ``effect``, ``se``, ``low``,
        ``high`` of the first.

    Raises
    ------
    EstimationError
        Fewer than three clusters, an arm of one cluster, or a statistic that most draws do not define.

    References
    ----------
    Cameron, Gelbach and Miller (2008), Review of Economics and Statistics 90, 414-427.
    """
    clusters = clusters_of(frame, cluster, strata)
    rare: Rare = {"level": level, "interval": interval}
    checked(rare, clusters, False)
    names, effect = _named(statistic(frame))
    if not np.isfinite(effect).all():
        raise EstimationError("The statistic is not defined on the data themselves.")
    rows = np.split(np.argsort(clusters.codes, kind="stable"), np.cumsum(np.bincount(clusters.codes))[:-1])

    def compute(counts: Array) -> tuple[Array, ...]:
        found = np.full((len(counts), len(names)), np.nan)
        for place, taken in enumerate(counts.astype(int)):
            try:
                found[place] = _named(statistic(_taken(frame, rows, taken, cluster)))[1]
            except EvalkitError:
                continue
        return (found,)

    (found,), redrawn = accepted(compute, clusters, draws, seed)
    return concluded(names, effect, (found, redrawn), clusters, rare)


def _named(found: Any) -> tuple[list[str], Array]:
    if isinstance(found, pd.Series):
        found = found.to_dict()
    if not hasattr(found, "items"):
        found = {"statistic": found}
    return [str(name) for name in found], np.array([float(value) for value in found.values()])


def _taken(frame: pd.DataFrame, rows: list[Array], counts: Array, cluster: object) -> pd.DataFrame:
    drawn = np.repeat(np.arange(len(counts)), counts)
    found = frame.iloc[np.concatenate([rows[one] for one in drawn])].reset_index(drop=True)
    if isinstance(cluster, str):
        found[cluster] = np.repeat(np.arange(len(drawn)), [len(rows[one]) for one in drawn])
    return found


# ---------------------------------------------------------------- sums by cluster


@dataclass(frozen=True, eq=False, repr=False)
class Moments:
    """Sums by cluster, from which statistics of any draw follow.

    Attributes
    ----------
    columns : tuple of str
        What was summed.
    count : ndarray, shape (clusters, k, k)
        Persons who have both columns.
    total : ndarray, shape (clusters, k, k)
        Sum of the first over those who have both.
    product : ndarray, shape (clusters, k, k)
        Sum of products over those who have both.
    """

    columns: tuple[str, ...]
    count: Array
    total: Array
    product: Array

    def __repr__(self) -> str:
        return f"Moments({len(self.columns)} columns, {len(self.count)} clusters)"


def moments(frame: pd.DataFrame, columns: Sequence[str], by: str | pd.Series | Array | None) -> Moments:
    """Sum columns, and products of columns, by cluster.

    Parameters
    ----------
    frame : DataFrame, shape (n_persons, ...)
        One row per person.
    columns : sequence of str
        Numbers; missing ones are left out pair by pair.
    by : str, Series or array, shape (n_persons,)
        Cluster column or labels; clusters are in the order of their labels. None: each person.

    Returns
    -------
    Moments
        ``count``, ``total``, ``product``, each (clusters, k, k).
    """
    raw = columns_of(frame, list(columns))
    codes = codes_in(frame, by, "clusters")
    there = (~np.isnan(raw)).astype(float)
    filled = np.where(there > 0, raw, 0.0)
    parts = [
        by_cluster((one[:, :, None] * other[:, None, :]).reshape(len(raw), -1), codes)
        for one, other in ((there, there), (filled, there), (filled, filled))
    ]
    k = raw.shape[1]
    return Moments(tuple(columns), *(part.reshape(-1, k, k) for part in parts))


def columns_of(frame: pd.DataFrame, columns: list[str]) -> Array:
    """Columns as numbers, or a DataError for one that is not there."""
    _known(frame, columns)
    return matrix(frame, columns)


def _known(frame: pd.DataFrame, columns: Sequence[str]) -> None:
    for column in columns:
        if column not in frame.columns:
            raise DataError(f'There is no column "{column}". {did_you_mean(column, frame.columns)}')


def by_cluster(values: Array, codes: Array) -> Array:
    """Sums of rows by cluster, shape (clusters, k)."""
    order = np.argsort(codes, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(codes))[:-1]])
    return np.add.reduceat(values[order], starts, axis=0)


# ---------------------------------------------------------------- means


def bootstrap_means(
    frame: pd.DataFrame,
    columns: Sequence[str],
    cluster: str | pd.Series | Array | None,
    treated: pd.Series | Array | None = None,
    draws: int = 2000,
    seed: int = 1,
    **rare: Unpack[Rare],
) -> Bootstrap:
    """Bootstrap means, or differences of means between arms, from sums by cluster.

    Parameters
    ----------
    frame : DataFrame, shape (n_persons, ...)
        One row per person.
    columns : sequence of str
        Each gives one mean (or difference) over those who have it.
    cluster : str, Series or array, shape (n_persons,)
        Column or labels; None draws persons.
    treated : Series or array, shape (n_persons,), optional
        1 treated, 0 comparison; persons with neither are left out. Without it, means of everyone.
    draws, seed : int
        How many, and from which start.
    **rare : optional
        ``strata`` (default: the arms where whole clusters were treated), ``level`` and ``interval``, here also
        "studentised" (bootstrap-t with cluster-robust standard errors).

    Returns
    -------
    Bootstrap
        A row per column. The draws equal those of refitting.

    Raises
    ------
    DataError, EstimationError
        As in `cluster_bootstrap`.
    """
    names = list(columns)
    arms = np.zeros(len(frame)) if treated is None else arms_of(treated, frame.index)
    frame, arms, cluster, rare = kept_rows(~np.isnan(arms), frame, arms, cluster, rare)
    raw = columns_of(frame, names)
    clusters = clusters_of(frame, cluster, rare.get("strata"), None if treated is None else arms)
    checked(rare, clusters, True)
    there = ~np.isnan(raw)
    center = np.where(there, raw, 0.0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
    filled = np.where(there, raw - center, 0.0)
    kinds = (0.0,) if treated is None else (1.0, 0.0)
    sums = np.stack([
        by_cluster(part * (arms == kind)[:, None], clusters.codes) for kind in kinds for part in (filled, there)
    ])  # fmt: skip  # (2 per arm, clusters, k)

    asked = rare.get("interval") == "studentised"

    def compute(counts: Array) -> tuple[Array, ...]:
        return _differences(sums, counts, asked)

    effect, own = (part[0] for part in compute(np.ones((1, clusters.count))))
    if not np.isfinite(effect).all():
        lost = [name for name, value in zip(names, effect, strict=True) if not np.isfinite(value)]
        raise DataError(f"{', '.join(lost)}: nobody has a value, or nobody in one of the arms.")
    (found, each), redrawn = accepted(compute, clusters, draws, seed)
    shift = center if treated is None else np.zeros(len(names))
    return concluded(names, effect + shift, (found + shift, redrawn), clusters, rare, (own, each))


def _differences(sums: Array, counts: Array, errors: bool) -> tuple[Array, Array]:
    """Means or differences in each draw, shape (b, k), and their cluster-robust standard errors where asked for."""
    drawn = np.matmul(counts, sums)
    with np.errstate(divide="ignore", invalid="ignore"):
        means = drawn[::2] / drawn[1::2]
        sign = np.array([1.0, -1.0])[: len(means), None, None]
        effect = (means * sign).sum(axis=0)
        if not errors:
            return effect, np.full_like(effect, np.nan)
        parts = zip(means, drawn[1::2], sign, strict=True)
        pull = np.stack([part for mean, n, one in parts for part in (one / n, -one * mean / n)])
        square = np.zeros_like(effect)
        for one in range(len(sums)):
            for other in range(len(sums)):
                square += pull[one] * pull[other] * (counts @ (sums[one] * sums[other]))
        groups = counts.sum(axis=1, keepdims=True)
        return effect, np.sqrt(np.maximum(square, 0) * groups / (groups - 1))


def kept_rows(
    keep: Array, frame: pd.DataFrame, arms: Array, cluster: str | pd.Series | Array | None, rare: Rare
) -> tuple[pd.DataFrame, Array, Any, Rare]:
    """The rows that count, with whatever goes with them by row."""
    strata = rare.get("strata")
    cluster, strata = (_positional(given, frame) for given in (cluster, strata))
    if keep.all():
        return frame, arms, cluster, rare
    cluster, strata = (given[keep] if isinstance(given, np.ndarray) else given for given in (cluster, strata))
    rest: Rare = {**rare, **({} if strata is None else {"strata": strata})}
    return frame[keep], arms[keep], cluster, rest


def _positional(given: Any, frame: pd.DataFrame) -> Any:
    """Labels as codes by row, so that rows can be taken by position; a column's name stays one."""
    return given if given is None or isinstance(given, str) else codes_of(given, frame.index, "cluster or strata")


# ---------------------------------------------------------------- summaries of occasions


def bootstrap_occasion_summary(
    frame: pd.DataFrame,
    columns: tuple[str, str, str],
    cluster: str,
    treated: str | None = None,
    kind: Kind = "slope",
    draws: int = 2000,
    seed: int = 1,
    **rare: Any,
) -> Bootstrap:
    """Bootstrap the mean of an occasion summary, or its difference between arms.

    Parameters
    ----------
    frame : DataFrame, shape (n_readings, ...)
        One row per person and occasion.
    columns : (person, occasion, value)
        Their names.
    cluster : str
        Column; one cluster per person.
    treated : str, optional
        Column of 1 and 0; one arm per person.
    kind : str
        As in `occasion_summary`.
    draws, seed : int
        How many, and from which start.
    **rare : optional
        ``time``, ``baseline``, ``better`` of `occasion_summary`; ``strata`` (a column), ``level``, ``interval``.

    Returns
    -------
    Bootstrap
        One row, with the flags of the summary too. A person's summary does not depend on the draw, so it is made
        once and its sums by cluster are drawn.

    Raises
    ------
    DataError
        A person in two clusters or two arms; else as in `occasion_summary` and `bootstrap_means`.
    """
    person, occasion, value = columns
    about = {name: rare.pop(name) for name in ("time", "baseline", "better") if name in rare}
    summary = occasion_summary(frame, person, occasion, value, kind, **about)
    kept = [name for name in (cluster, treated, rare.get("strata")) if name is not None]
    _known(frame, kept)
    once = frame[[person, *kept]].drop_duplicates()
    if once[person].duplicated().any():
        raise DataError(f"Some people have more than one {' or '.join(kept)}. A person must have one of each.")
    people = once.set_index(person).loc[summary.values.index].assign(**{kind: summary.values})
    arms = None if treated is None else people[treated]
    found = bootstrap_means(people, [kind], cluster, arms, draws, seed, **rare)
    return replace(found, flags=(*summary.flags, *found.flags))
