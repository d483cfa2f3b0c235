"""Whether several effects are one: the joint test, with as many degrees of freedom as there are people or clusters."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class EqualEffects:
    """A test that effects are equal: F, its degrees of freedom, p, how it was made, and why there is none."""

    statistic: float = math.nan
    df: float = math.nan
    df_error: float = math.nan
    p: float = math.nan
    method: str = ""
    why: str = ""


def equal_effects(effects: np.ndarray, covariance: np.ndarray, df: np.ndarray, shared: bool) -> EqualEffects:
    """Test that all effects are the same.

    Parameters
    ----------
    effects : ndarray, shape (k,)
        Estimates.
    covariance : ndarray, shape (k, k)
        Of the estimates.
    df : ndarray, shape (k,)
        Degrees of freedom of each.
    shared : bool
        Whether clusters contribute to more than one of them; else they are independent.

    Returns
    -------
    EqualEffects
        Independent effects: Welch's test (for two, his t). Else Hotelling's, with the fewest degrees of freedom.

    References
    ----------
    Welch (1951), Biometrika 38, 330-336. Tipton and Pustejovsky (2015), J. Educational and Behavioral Statistics 40,
    604-634, for Hotelling's T-squared with few clusters.
    """
    if not (np.isfinite(effects).all() and np.isfinite(covariance).all()):
        return EqualEffects(why="an effect has no standard error")
    return _hotelling(effects, covariance, float(np.min(df))) if shared else _welch(effects, np.diag(covariance), df)


def _welch(effects: np.ndarray, variances: np.ndarray, df: np.ndarray) -> EqualEffects:
    k = len(effects)
    if not (variances > 0).all():
        return EqualEffects(why="an effect has no standard error")
    weight = 1 / variances
    share = weight / weight.sum()
    mean = float(share @ effects)
    spare = float((((1 - share) ** 2) / df).sum())
    top = float((weight * (effects - mean) ** 2).sum()) / (k - 1)
    statistic = top / (1 + 2 * (k - 2) / (k**2 - 1) * spare)
    error = (k**2 - 1) / (3 * spare) if spare > 0 else math.inf
    p = (
        float(stats.f.sf(statistic, k - 1, error))
        if math.isfinite(error)
        else float(stats.chi2.sf(top * (k - 1), k - 1))
    )
    return EqualEffects(statistic, float(k - 1), error, p, "Welch, groups of different people")


def _hotelling(effects: np.ndarray, covariance: np.ndarray, df: float) -> EqualEffects:
    q = len(effects) - 1
    contrast = np.hstack([np.ones((q, 1)), -np.eye(q)])
    spread = contrast @ covariance @ contrast.T
    if np.linalg.matrix_rank(spread, tol=1e-10 * max(float(np.trace(spread)), 1e-300)) < q:
        return EqualEffects(why="the clusters are too few to tell so many groups apart")
    gap = contrast @ effects
    distance = float(gap @ np.linalg.solve(spread, gap))
    error = df - q + 1
    if not error > 0:
        return EqualEffects(why="the clusters are too few for a joint test of so many groups")
    if math.isinf(df):
        return EqualEffects(distance / q, float(q), math.inf, float(stats.chi2.sf(distance, q)), "Wald")
    statistic = error / (df * q) * distance
    return EqualEffects(statistic, float(q), error, float(stats.f.sf(statistic, q, error)), "Hotelling, by cluster")
