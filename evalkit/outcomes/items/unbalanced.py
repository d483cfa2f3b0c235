"""Intraclass correlations where ratings have holes, or clusters differ in size.

One mixed model for each form is fitted to all ratings there are, from sums over persons with equally many ratings, so
its size does not grow with the persons.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evalkit.errors import DataError
from evalkit.outcomes.items.agreement import FORMS, meaning, of_mean
from evalkit.outcomes.questionnaires.instruments import numbers

# ---------------------------------------------------------------- tables with holes


@dataclass(frozen=True, eq=False)
class RatingSums:
    """All a mixed model needs of a table with holes: one entry per number of ratings a person has.

    Attributes
    ----------
    sizes, people : ndarray, shape (m,)
        Numbers of ratings, and how many persons have so many.
    totals : ndarray, shape (m,)
        Sums over these persons of their squared sums.
    shares, together : ndarray, shape (m, k) and (m, k, k)
        By rater: sums of the person sums; how many persons two raters share.
    sums, counts : ndarray, shape (k,)
        Of all ratings, by rater.
    squares : float
        Sum of all squared ratings.
    """

    sizes: np.ndarray
    people: np.ndarray
    totals: np.ndarray
    shares: np.ndarray
    together: np.ndarray
    sums: np.ndarray
    counts: np.ndarray
    squares: float


def rating_sums(ratings: np.ndarray) -> RatingSums:
    """Sum a table with holes up, shape (n_persons, n_raters); the grand mean is taken off first."""
    there = ~np.isnan(ratings)
    filled = np.where(there, ratings - np.nanmean(ratings), 0.0)
    size = there.sum(axis=1)
    rows = filled.sum(axis=1)
    sizes = np.unique(size[size > 0])
    inside = [size == count for count in sizes]
    return RatingSums(
        sizes, np.array([one.sum() for one in inside]), np.array([(rows[one] ** 2).sum() for one in inside]),
        np.array([there[one].T.astype(float) @ rows[one] for one in inside]),
        np.array([there[one].T.astype(float) @ there[one].astype(float) for one in inside]),
        filled.sum(axis=0), there.sum(axis=0).astype(float), float((filled**2).sum()),
    )  # fmt: skip


def _criterion(sums: RatingSums, persons: float, raters: float, form: str) -> tuple[float, float]:
    """-2 log restricted likelihood (without constants) at two variance ratios, and the residual variance."""
    weight = persons / (1 + sums.sizes * persons)
    inner = np.diag(sums.counts) - np.tensordot(weight, sums.together, axes=1)
    cross = sums.sums - weight @ sums.shares
    left = sums.squares - weight @ sums.totals
    volume = (sums.people * np.log1p(sums.sizes * persons)).sum()
    if form == "C":
        design = inner
    else:
        if form == "A" and raters > 0:
            middle = np.eye(len(inner)) + raters * inner
            volume += np.linalg.slogdet(middle)[1]
            shrink = raters * np.linalg.solve(middle, np.column_stack([inner, cross]))
            left -= cross @ shrink[:, -1]
            cross = cross - inner @ shrink[:, -1]
            inner = inner - inner @ shrink[:, :-1]
        design, cross = np.atleast_2d(inner.sum()), np.atleast_1d(cross.sum())
    fixed = len(design)
    df = sums.counts.sum() - fixed
    left = max(left - cross @ np.linalg.solve(design, cross), 1e-300)
    return float(df * np.log(left / df) + volume + np.linalg.slogdet(design)[1] + df), left / df


def holed_table(ratings: np.ndarray, level: float) -> pd.DataFrame:
    """All six forms by restricted maximum likelihood on every rating there is.

    Parameters
    ----------
    ratings : ndarray, shape (n_persons, n_raters)
        NaN where a rating is missing.
    level : float
        Of the profile likelihood intervals.

    Returns
    -------
    DataFrame, shape (6, 8)
        As `full_table`; ``F``, ``df1``, ``df2`` and ``p`` are missing, since there is no exact test. The mean is that
        of as many ratings as there are columns.

    Raises
    ------
    DataError
        Nobody has two ratings, or a rater shares nobody with the others.

    References
    ----------
    McGraw and Wong (1996), Psychological Methods 1, 30-46; the model is of Henderson (1953), Biometrics 9, 226-252.
    """
    if ((~np.isnan(ratings)).sum(axis=1) >= 2).sum() < 2:
        raise DataError("Fewer than two persons have two ratings, so agreement cannot be told. Have some rated twice.")
    sums, k, rows = rating_sums(ratings), ratings.shape[1], {}
    for kind in ("1", "A", "C"):
        single, low, high = _profiled(sums, kind, level)
        for form in (f"ICC({kind},1)", f"ICC({kind},k)"):
            value, below, above = (
                (single, low, high) if form.endswith("1)") else (of_mean(bound, k) for bound in (single, low, high))
            )
            rows[form] = {
                "icc": value, "F": np.nan, "df1": np.nan, "df2": np.nan, "p": np.nan, "low": below, "high": above,
                "meaning": meaning(form),
            }  # fmt: skip
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("form").loc[list(FORMS)]


def _profiled(sums: RatingSums, form: str, level: float) -> tuple[float, float, float]:
    """The best intraclass correlation and where the profile has fallen by half a chi-square."""
    from scipy.stats import chi2

    def height(single: float) -> float:
        if form != "A":
            return _criterion(sums, single / (1 - single), 0.0, form)[0]
        return _lowest(lambda log: _criterion(sums, single * (1 + np.exp(log)) / (1 - single), np.exp(log), form)[0])

    best, least = _minimum(height)
    limit = least + chi2.ppf(level, 1)
    return best, _crossing(height, best, 0.0, limit), _crossing(height, best, 1 - 1e-9, limit)


def _lowest(curve: Callable[[float], float]) -> float:
    """The least value over the logarithm of the raters' variance ratio."""
    from scipy.optimize import minimize_scalar

    return float(
        min(minimize_scalar(curve, bounds=(-16, 8), method="bounded", options={"xatol": 1e-7}).fun, curve(-40))
    )


def _minimum(height: Callable[[float], float]) -> tuple[float, float]:
    """The least value over the correlation, looked for between a grid's best neighbours."""
    from scipy.optimize import minimize_scalar

    grid = np.concatenate([[0.0], np.linspace(0.02, 0.98, 25), [0.999]])
    values = [height(point) for point in grid]
    place = int(np.argmin(values))
    around = (grid[max(place - 1, 0)], grid[min(place + 1, len(grid) - 1)])
    found = minimize_scalar(height, bounds=around, method="bounded", options={"xatol": 1e-9})
    return (float(found.x), float(found.fun)) if found.fun < values[0] else (0.0, float(values[0]))


def _crossing(height: Callable[[float], float], best: float, end: float, limit: float) -> float:
    from scipy.optimize import brentq

    if best == end or height(end) <= limit:
        return end
    return float(brentq(lambda point: height(point) - limit, best, end, xtol=1e-8))


# ---------------------------------------------------------------- members of clusters


@dataclass(frozen=True)
class ClusterIcc:
    """How alike members of a cluster are: pupils of a school, children of a service.

    Attributes
    ----------
    value, low, high : float
        By restricted maximum likelihood, with its profile interval; never below 0.
    anova : float
        From mean squares; it may be negative.
    n0 : float
        The cluster size that stands for all in the mean squares.
    between, within, mean : float
        Variances, and the mean weighted by precision.
    design_effect : float
        By how much a mean's variance grows for clusters of average size (Kish).
    n, clusters : int
        Persons and clusters.
    """

    value: float
    low: float
    high: float
    anova: float
    n0: float
    between: float
    within: float
    mean: float
    design_effect: float
    n: int
    clusters: int


def cluster_icc(values: Any, clusters: Any, level: float = 0.95) -> ClusterIcc:
    """Intraclass correlation of one value per person within clusters of any size.

    Parameters
    ----------
    values : Series or array, shape (n,)
        Missing ones are left out.
    clusters : Series or array, shape (n,)
        Whose members they are; persons without a cluster are left out.
    level : float
        Of the interval.

    Returns
    -------
    ClusterIcc
        By a one-way random-effects model.

    Raises
    ------
    DataError
        Fewer than two clusters, or none with two persons, or no spread.

    References
    ----------
    Donner (1986), International Statistical Review 54, 67-82. Raudenbush and Bryk (2002), Hierarchical Linear Models,
    chapter 4. Kish (1965), Survey Sampling.
    """
    y = numbers(pd.Series(np.asarray(values)))
    code, _ = pd.factorize(np.asarray(clusters))
    y, code = y[~np.isnan(y) & (code >= 0)], code[~np.isnan(y) & (code >= 0)]
    _, code, size = np.unique(code, return_inverse=True, return_counts=True)
    if len(size) < 2 or size.max(initial=0) < 2:
        raise DataError(
            "clusters: two clusters, one of them with two persons, are the least. Check the cluster column."
        )
    if np.ptp(y) == 0:
        raise DataError("values: all are alike, so nothing can be shared within clusters. Check the column.")
    return _cluster_icc(y, code, size, level)


def _cluster_icc(y: np.ndarray, code: np.ndarray, size: np.ndarray, level: float) -> ClusterIcc:
    from scipy.stats import chi2

    n, count, centre = len(y), len(size), y.mean()
    means = np.bincount(code, weights=y - centre) / size
    inner = (((y - centre) - means[code]) ** 2).sum()
    n0 = (n - (size**2).sum() / n) / (count - 1)
    outer = (size * means**2).sum() / (count - 1)
    noise = inner / (n - count)
    anova = (outer - noise) / (outer + (n0 - 1) * noise)

    def state(single: float) -> tuple[float, float, float]:
        ratio = single / (1 - single)
        weight = size / (1 + size * ratio)
        mean = (weight * means).sum() / weight.sum()
        left = inner + (weight * (means - mean) ** 2).sum()
        height = (n - 1) * np.log(left) + np.log1p(size * ratio).sum() + np.log(weight.sum())
        return float(height), float(left / (n - 1)), float(mean)

    best, least = _minimum(lambda single: state(single)[0])
    limit = least + chi2.ppf(level, 1)
    low, high = (_crossing(lambda single: state(single)[0], best, end, limit) for end in (0.0, 1 - 1e-9))
    _, within, mean = state(best)
    effect = 1 + (n / count - 1) * best
    return ClusterIcc(best, low, high, anova, n0, within * best / (1 - best), within, centre + mean, effect, n, count)
