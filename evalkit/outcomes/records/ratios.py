"""Ratios and means of arms with errors that respect who belongs together.

A mean, a share and a rate are all one sum over another. Where people share a cluster (or a person has several rows)
what counts is the sum per cluster, and with few clusters the plain variance is too small. The adjustment and the
degrees of freedom here are those of CR2 for a regression on the arms, in the closed form that a ratio allows, so that
half a million people cost no more than a few sums.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evalkit.errors import DataError
from evalkit.linear import cluster_numbers

Array = np.ndarray
LEVEL = 0.95


@dataclass(frozen=True, eq=False)
class Ratio:
    """One sum over another, with what each cluster contributes to its error.

    Attributes
    ----------
    value : float
        Sum of the tops over sum of the bottoms; NaN where the bottoms sum to 0.
    top, bottom : float
        The two sums.
    pull : ndarray, shape (n_clusters,)
        Contributions, CR2-adjusted; the variance is their sum of squares. 0 for clusters that have no part in it.
    share : ndarray, shape (n_clusters,)
        Each cluster's share of the bottom.
    groups : int
        Clusters that have a part in it.
    """

    value: float
    top: float
    bottom: float
    pull: Array
    share: Array
    groups: int


def ratio(top: Array, bottom: Array, cluster: Array, clusters: int) -> Ratio:
    """Estimate sum(top) / sum(bottom).

    Parameters
    ----------
    top, bottom : ndarray, shape (n,)
        No missing values; ``bottom`` not negative. For a mean the bottom is 1.
    cluster : ndarray of int, shape (n,)
        Codes from 0.
    clusters : int
        How many codes there are in the whole study, so that ratios of two arms can share clusters.

    Returns
    -------
    Ratio
        The estimate and its contributions.
    """
    above = np.bincount(cluster, weights=top, minlength=clusters)
    below = np.bincount(cluster, weights=bottom, minlength=clusters)
    whole = float(below.sum())
    if whole <= 0:
        return Ratio(np.nan, float(above.sum()), whole, np.zeros(clusters), np.zeros(clusters), 0)
    value = float(above.sum()) / whole
    share = below / whole
    room = np.where(share < 1 - 1e-12, 1 - share, np.inf)
    return Ratio(
        value, float(above.sum()), whole, (above - value * below) / whole / np.sqrt(room), share,
        int((below > 0).sum()),
    )  # fmt: skip


def error(parts: Sequence[Ratio], weights: Sequence[float]) -> tuple[float, float]:
    """Standard error and degrees of freedom of a weighted sum of ratios that may share clusters.

    Parameters
    ----------
    parts : sequence of Ratio
        Over the same list of clusters.
    weights : sequence of float
        (1,) for a ratio itself, (1, -1) for a difference, (1 / r1, -1 / r0) for the logarithm of a quotient.

    Returns
    -------
    se, df : float
        ``df`` is Satterthwaite's under independent clusters with variance in proportion to the bottom; both NaN
        where a ratio rests on fewer than two clusters.

    References
    ----------
    Bell and McCaffrey (2002), Survey Methodology 28, 169-181. Pustejovsky and Tipton (2018), JBES 36, 672-683.
    """
    if any(part.groups < 2 for part in parts):
        return np.nan, np.nan
    pull = np.sum([weight * part.pull for part, weight in zip(parts, weights, strict=True)], axis=0)
    scale = [weight**2 / part.bottom for part, weight in zip(parts, weights, strict=True)]
    diagonal = [part.share / np.where(part.share < 1, 1 - part.share, np.inf) for part in parts]
    outer = [part.share / np.sqrt(np.where(part.share < 1, 1 - part.share, np.inf)) for part in parts]
    squares = 0.0
    ready = list(zip(scale, diagonal, outer, strict=True))
    for (s, d, u), (t, e, v) in itertools.product(ready, ready):
        squares += s * t * float(d @ e - d @ v**2 - e @ u**2 + (u @ v) ** 2)
    traces = sum(s * float((d - u**2).sum()) for s, d, u in zip(scale, diagonal, outer, strict=True))
    return float(np.sqrt((pull**2).sum())), traces**2 / squares


def quantile(df: float, level: float = LEVEL) -> float:
    """How many standard errors an interval reaches to each side: of Student's t, NaN without degrees of freedom."""
    from scipy.stats import t

    return float(t.ppf((1 + level) / 2, df)) if np.isfinite(df) and df > 0 else np.nan


def cluster_codes(cluster: object, rows: int, where: str = "cluster") -> tuple[Array, int]:
    """Number the clusters; a row without one is a cluster of its own, and without clusters every row is.

    Parameters
    ----------
    cluster : array-like of length ``rows``, or None
        Names of clusters.
    rows : int
        How many rows there are.
    where : str
        What to call it in a message.

    Returns
    -------
    codes : ndarray of int, shape (rows,)
        From 0.
    clusters : int
        How many there are.

    Raises
    ------
    DataError
        Not as many clusters as rows.
    """
    import pandas as pd

    if cluster is None:
        return np.arange(rows), rows
    names = pd.Series(cluster)  # type: ignore[call-overload]
    if len(names) != rows:
        raise DataError(f"{where} has {len(names)} entries for {rows} rows. Give one per row, in the same order.")
    codes = cluster_numbers(names)
    return codes, int(codes.max(initial=-1)) + 1
