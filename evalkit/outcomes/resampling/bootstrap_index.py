"""Cluster bootstrap of the effect on a domain index, its weights, unit and scale made anew in every draw."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Unpack

import numpy as np
import pandas as pd

from evalkit.errors import EstimationError
from evalkit.outcomes.index.clustering import ClusterIndex, cluster_index
from evalkit.outcomes.index.units import arms_of, matrix, members
from evalkit.outcomes.index.weights import positive_definite
from evalkit.outcomes.resampling import intervals
from evalkit.outcomes.resampling.bootstrap import kept_rows
from evalkit.outcomes.resampling.clusters import Clusters, accepted, clusters_of
from evalkit.outcomes.resampling.index_sums import IndexSums, Pulls, by_patterns, by_rows, few_patterns
from evalkit.outcomes.resampling.intervals import Bootstrap, checked, concluded

Array = np.ndarray
Method = Literal["icw", "klk", "obrien"]


class Rare(intervals.Rare, total=False):
    """What is seldom asked of the bootstrap of an index."""

    polarity: Mapping[str, object]
    reference: pd.Series | np.ndarray


def bootstrap_index_effect(
    frame: pd.DataFrame,
    measures: Sequence[str],
    treated: pd.Series | Array,
    cluster: str | pd.Series | Array | None,
    draws: int = 2000,
    seed: int = 1,
    method: Method = "icw",
    covariance: Literal["full", "reference"] = "full",
    **rare: Unpack[Rare],
) -> Bootstrap:
    """Bootstrap the difference between arms on a domain index.

    Parameters
    ----------
    frame : DataFrame, shape (n_persons, ...)
        One row per person.
    measures : sequence of str
        Two columns or more.
    treated : Series or array, shape (n_persons,)
        1 treated, 0 comparison; persons with neither, who are not in the reference, are left out.
    cluster : str, Series or array, shape (n_persons,)
        Column or labels; None draws persons.
    draws, seed : int
        How many, and from which start.
    method, covariance
        As in `cluster_index` ("factor" is not offered: use `cluster_bootstrap` with a few hundred draws).
    **rare : optional
        ``polarity``; ``reference`` (default: the comparison arm); ``strata`` (default: the arms where whole clusters
        were treated), ``level`` and ``interval`` ("t", "percentile" or "studentised").

    Returns
    -------
    Bootstrap
        One row: the difference of the means of ``scaled``. In every draw the measures are standardised, the weights
        made and the index rescaled anew, from sums by cluster and pattern of missing measures, so the draws equal
        those of refitting. ``weights_sd`` says how the weights varied.

    Raises
    ------
    DataError, EstimationError
        As in `cluster_index` and `cluster_bootstrap`.

    References
    ----------
    Anderson (2008), JASA 103, 1481-1495. Cameron, Gelbach and Miller (2008), Review of Economics and Statistics 90.
    """
    names = list(measures)
    if method not in ("icw", "klk", "obrien"):
        raise EstimationError(f'index = "{method}" is not summed by cluster. Use cluster_bootstrap, which refits.')
    arms = arms_of(treated, frame.index)
    inside = members(rare["reference"], frame.index, "reference") if "reference" in rare else arms == 0
    keep = ~np.isnan(arms) | inside
    inside = inside[keep]
    frame, arms, cluster, rest = kept_rows(keep, frame, arms, cluster, rare)
    clusters = clusters_of(frame, cluster, rest.get("strata"), arms)
    checked(rest, clusters, True)
    index = cluster_index(frame, names, inside, method, covariance, rare.get("polarity"))
    world = _world(frame, names, (arms, inside), clusters, index)
    make = by_patterns(world.sums) if few_patterns(world.sums) else by_rows(world.sums)

    def compute(counts: Array) -> tuple[Array, ...]:
        return _effects(world, make, counts)

    effect, own, _ = (part[0] for part in compute(np.ones((1, clusters.count))))
    if not np.isfinite(effect).all():
        raise EstimationError("An arm has nobody with a value of the index, so there is no difference to estimate.")
    (found, each, weights), redrawn = accepted(compute, clusters, draws, seed)
    varied = pd.Series(weights.std(axis=0, ddof=1), index=names)
    return concluded([f"{method} index"], effect, (found, redrawn), clusters, rest, (own, each), varied)


@dataclass(frozen=True, eq=False)
class _World:
    """What every draw is made from; sums of pairs and of the unit by cluster."""

    sums: IndexSums
    method: str
    pairs: Array
    own: Array
    within: Array | None


def _world(
    frame: pd.DataFrame, names: list[str], groups: tuple[Array, Array], clusters: Clusters, index: ClusterIndex
) -> _World:
    arms, inside = groups
    scale = (index.polarity / index.sd).to_numpy()
    z = (matrix(frame, names) - index.mean.to_numpy()) * scale
    there = ~np.isnan(z)
    filled = np.where(there, z, 0.0)
    sums = IndexSums(filled, there, clusters.codes, clusters.count, (arms == 1, arms == 0, inside))
    counted = inside if index.covariance == "reference" else np.ones(len(frame), dtype=bool)
    pairs = sums.crossed(counted)
    within = None
    if index.method == "obrien":
        within = np.concatenate([_own(sums, inside), _own(sums, ~inside)])
    return _World(sums, index.method, pairs, _own(sums, inside), within)


def _own(sums: IndexSums, group: Array) -> Array:
    """Count, sum and sum of squares of each measure in a group by cluster, shape (3, clusters, k)."""
    there, filled = sums.there[group].astype(float), sums.filled[group]
    return np.stack([sums.by_cluster(part, group) for part in (there, filled, filled**2)])


# ---------------------------------------------------------------- one block of draws


def _effects(world: _World, make: Callable[[Pulls, Array], Any], counts: Array) -> tuple[Array, ...]:
    """Effect (b, 1), its cluster-robust standard error (b, 1) and the weights (b, k) in each draw."""
    with np.errstate(divide="ignore", invalid="ignore"):
        mean, sd = _unit(np.matmul(counts, world.own))
        weights = _weights(world, counts, sd)
        fine = np.isfinite(weights).all(axis=1) & np.isfinite(sd).all(axis=1) & (sd > 1e-9).all(axis=1)
        pulls = Pulls(np.where(fine[:, None], weights / sd, 0.0), np.where(fine[:, None], weights, 1.0), mean)
        treated, comparison, reference = make(pulls, counts)
        (sum_t, n_t), (sum_c, n_c), (sum_r, n_r, square) = (
            tuple((counts * part).sum(axis=1) for part in group) for group in (treated, comparison, reference)
        )
        spread = np.sqrt((square - sum_r**2 / n_r) / (n_r - 1))
        mean_t, mean_c = sum_t / n_t, sum_c / n_c
        moved = (treated[0] - treated[1] * mean_t[:, None]) / n_t[:, None]
        moved -= (comparison[0] - comparison[1] * mean_c[:, None]) / n_c[:, None]
        groups = counts.sum(axis=1)
        error = np.sqrt((counts * moved**2).sum(axis=1) * groups / (groups - 1)) / spread
        effect = np.where(fine & (spread > 1e-9), (mean_t - mean_c) / spread, np.nan)
    return effect[:, None], error[:, None], weights


def _unit(own: Array) -> tuple[Array, Array]:
    count, total, square = own
    mean = total / count
    return mean, np.sqrt(np.maximum(square - total * mean, 0) / (count - 1))


def _weights(world: _World, counts: Array, sd: Array) -> Array:
    """The weights in each draw, shape (b, k); missing where a pair of measures is not observed together."""
    b, k = sd.shape
    if world.method == "klk":
        return np.full((b, k), 1 / k)
    if world.within is not None:
        drawn = np.matmul(counts, world.within)
        squares = sum(drawn[at + 2] - drawn[at + 1] ** 2 / np.maximum(drawn[at], 1) for at in (0, 3))
        degrees = sum(np.maximum(drawn[at] - 1, 0) for at in (0, 3))
        relative = sd / np.sqrt(squares / degrees)
        return relative / relative.sum(axis=1, keepdims=True)
    count, total, product = np.matmul(counts, world.pairs).reshape(3, b, k, k)
    spreads = (product - total * total.transpose(0, 2, 1) / count) / (count - 1) / (sd[:, :, None] * sd[:, None, :])
    fine = np.isfinite(spreads).all(axis=(1, 2)) & (count >= 2).all(axis=(1, 2))
    weights = np.full((b, k), np.nan)
    solved = np.linalg.solve(_invertible(spreads[fine]), np.ones((k, 1)))[..., 0]
    weights[fine] = solved / solved.sum(axis=1, keepdims=True)
    return weights


def _invertible(spreads: Array) -> Array:
    """Covariances, those that are not positive definite shrunk as in the index itself."""
    if not len(spreads):
        return spreads
    trace = np.trace(spreads, axis1=1, axis2=2)
    found = spreads.copy()
    for place in np.flatnonzero(np.linalg.eigvalsh(spreads)[:, 0] <= 1e-8 * trace):
        found[place] = positive_definite(spreads[place])[0]
    return found
