"""Drawing whole clusters with replacement, within strata, as often as the statistic needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.errors import DataError, EstimationError, did_you_mean
from evalkit.outcomes.index.units import codes_of

Array = np.ndarray
_FEWEST_DEGREES = 2
# Cells of one block of draws times clusters (or rows): some tens of megabytes.
_CELLS = 4_000_000


# ---------------------------------------------------------------- clusters and draws


@dataclass(frozen=True, eq=False)
class Clusters:
    """Who is in which cluster (codes from 0, shape (n,)) and which cluster in which stratum (shape (clusters,)).

    ``apart``: strata are arms, whose means are set against each other; else parts of one whole.
    """

    codes: Array
    strata: Array
    apart: bool = False

    @property
    def count(self) -> int:
        """How many clusters."""
        return len(self.strata)

    @property
    def n_strata(self) -> int:
        """How many strata."""
        return int(self.strata.max()) + 1

    @property
    def fewest(self) -> int:
        """Clusters of the smaller arm where arms are drawn apart; else all."""
        return int(np.bincount(self.strata).min()) if self.apart else self.count

    @property
    def inflation(self) -> float:
        """By how much drawing as many clusters as there are understates a variance (Rao and Wu 1988)."""
        if not self.apart:
            return self.count / (self.count - self.n_strata)
        sizes = np.bincount(self.strata)
        return float((1 / sizes).sum() / ((sizes - 1) / sizes**2).sum())

    @property
    def df(self) -> float:
        """Clusters less strata; of arms Satterthwaite's, as in a difference of two means of clusters alike."""
        if not self.apart:
            return float(self.count - self.n_strata)
        sizes = np.bincount(self.strata)
        return round(float((1 / sizes).sum() ** 2 / (1 / (sizes**2 * (sizes - 1.0))).sum()), 9)


def clusters_of(
    frame: pd.DataFrame,
    cluster: str | pd.Series | Array | None,
    strata: str | pd.Series | Array | None = None,
    arms: Array | None = None,
) -> Clusters:
    """Find the clusters and the strata within which they are drawn.

    Parameters
    ----------
    frame : DataFrame
        One row per person.
    cluster : str, Series or array, optional
        A column of the frame, or one label per row; a person without one is a cluster of their own.
    strata : str, Series or array, optional
        Every cluster must lie in one stratum. Two strata are taken for arms that are set against each other.
    arms : ndarray, shape (n,), optional
        1 treated, 0 comparison, NaN neither. Where whole clusters were treated, they are drawn within arms, as they
        were assigned (unless strata are given).

    Returns
    -------
    Clusters

    Raises
    ------
    DataError
        An unknown column, or a cluster in two strata.
    EstimationError
        Too few clusters to resample.
    """
    codes = codes_in(frame, cluster, "cluster")
    if strata is not None:
        of_rows = codes_in(frame, strata, "strata")
    else:
        of_rows = np.zeros(len(frame)) if arms is None else np.nan_to_num(arms, nan=-1.0)
        whole = constant_within(codes, of_rows)
        of_rows = np.unique(of_rows, return_inverse=True)[1] if whole else np.zeros_like(codes)
    if not constant_within(codes, of_rows):
        raise DataError("Some clusters lie in more than one stratum. Use strata of whole clusters, or none.")
    of_clusters = np.zeros(codes.max(initial=-1) + 1, dtype=np.int64)
    of_clusters[codes] = of_rows
    found = Clusters(codes, of_clusters, bool(of_clusters.max() == 1))
    _enough(found, strata is None)
    return found


def codes_in(frame: pd.DataFrame, given: str | pd.Series | Array | None, what: str) -> Array:
    """Group codes from 0 of a column or of labels; without any, each row is a group."""
    if given is None:
        return np.arange(len(frame))
    if isinstance(given, str):
        if given not in frame.columns:
            raise DataError(
                f'There is no column "{given}" to take the {what} from. {did_you_mean(given, frame.columns)}'
            )
        given = frame[given]
    return codes_of(given, frame.index, what)


def constant_within(codes: Array, values: Array) -> bool:
    """Whether every group has one value only."""
    first = np.empty(codes.max(initial=-1) + 1, dtype=float)
    first[codes[::-1]] = values[::-1]
    return bool((first[codes] == values).all())


def _enough(found: Clusters, of_arms: bool) -> None:
    alone = found.count and np.bincount(found.strata).min() < 2
    if alone and found.n_strata > 1:
        what = "An arm" if of_arms else "A stratum"
        remedy = (
            "The programme cannot be told from that one cluster: say so, and show the figures without an interval."
            if of_arms
            else "Join strata until each has at least two."
        )
        raise EstimationError(
            f"{what} consists of a single cluster, so resampling clusters shows no variation. {remedy}"
        )
    if found.count - found.n_strata < _FEWEST_DEGREES:
        raise EstimationError(
            f"{found.count} clusters are too few to resample: at least {_FEWEST_DEGREES + found.n_strata} are needed. "
            "Show the figures without an interval, or permute the treatment among clusters as it was assigned."
        )


def drawn_counts(clusters: Clusters, draws: int, seed: int) -> Iterator[Array]:
    """Draw as many clusters as there are, with replacement, within strata.

    Parameters
    ----------
    clusters : Clusters
        Of the data.
    draws : int
        Draws in one round; the iterator goes on for as many rounds as it is asked.
    seed : int
        The same seed gives the same draws.

    Yields
    ------
    ndarray of float, shape (some draws, clusters)
        How often each cluster was drawn.
    """
    rng = np.random.default_rng(seed)
    inside = [np.flatnonzero(clusters.strata == stratum) for stratum in range(clusters.n_strata)]
    size = int(min(draws, max(1, _CELLS // clusters.count)))
    while True:
        for start in range(0, draws, size):
            rows = min(size, draws - start)
            counts = np.empty((rows, clusters.count))
            for members in inside:
                taken = rng.integers(0, len(members), (rows, len(members)))
                taken += np.arange(rows)[:, None] * len(members)
                found = np.bincount(taken.ravel(), minlength=rows * len(members))
                counts[:, members] = found.reshape(rows, len(members))
            yield counts


def accepted(
    compute: Callable[[Array], tuple[Array, ...]], clusters: Clusters, draws: int, seed: int
) -> tuple[list[Array], int]:
    """Compute the statistic on draws until there are enough that define it.

    Parameters
    ----------
    compute : callable
        From counts, shape (b, clusters), to arrays whose first axis is b. A draw whose first array is not finite is
        drawn again.
    clusters, draws, seed
        As in `drawn_counts`.

    Returns
    -------
    list of ndarray, int
        What was computed, shape (draws, ...) each, and how many draws were drawn again.

    Raises
    ------
    EstimationError
        More than half of the draws do not define the statistic.
    """
    if draws < 2:
        raise EstimationError("A bootstrap needs at least two draws; 2,000 are usual.")
    kept: list[tuple[Array, ...]] = []
    good = tried = 0
    for counts in drawn_counts(clusters, draws, seed):
        found = compute(counts)
        first = found[0].reshape(len(counts), -1)
        fine = np.isfinite(first).all(axis=1)
        kept.append(tuple(part[fine] for part in found))
        good, tried = good + int(fine.sum()), tried + len(counts)
        if good >= draws:
            break
        if tried >= draws and good < tried / 2:
            raise EstimationError(
                "In more than half of the draws an arm or the reference was empty or without spread, so a bootstrap "
                "says nothing here. Use fewer measures, or larger clusters."
            )
    return [np.concatenate(parts)[:draws] for parts in zip(*kept, strict=True)], tried - good
