"""Least squares with honest standard errors: per row, what it contributes to an estimate.

Every variance here is the sum over clusters (or rows) of squared sums of contributions, so that estimates which share
people can be compared and drawn jointly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from evalkit.errors import DataError, EstimationError, did_you_mean

Array = np.ndarray
CLUSTERED = ("cr1s", "cr2", "cr3")
_WEIGHTS = {
    "rademacher": np.array([-1.0, 1.0]),
    "webb": np.array([-1.0, 1.0])[:, None].repeat(3, 1).ravel() * np.sqrt([1.5, 1.0, 0.5, 0.5, 1.0, 1.5]),
}
_ALL = 50_000  # sets of weights up to which all are taken instead of a draw
_ENOUGH = 1_000  # sets below which all of them are too few to tell small p-values apart


@dataclass(frozen=True)
class Fit:
    """A least-squares fit: x (n, k), residuals (n,), beta (k,), bread = inverse of x'x (k, k), absorbed parameters."""

    x: Array
    residuals: Array
    beta: Array
    bread: Array
    absorbed: int = 0


def least_squares(y: Array, x: Array, absorbed: int = 0) -> Fit:
    """Fit y on the columns of x.

    Parameters
    ----------
    y : ndarray, shape (n,)
        Outcome.
    x : ndarray, shape (n, k)
        Design, constant included where there is one.
    absorbed : int
        Fixed effects already taken out of y and x that cost degrees of freedom.

    Returns
    -------
    Fit
        Coefficients, residuals and bread.

    Raises
    ------
    EstimationError
        Columns of the design repeat each other, or there are fewer rows than columns.
    """
    n, k = x.shape
    scale = np.sqrt((x**2).sum(axis=0))
    if n <= k + absorbed or (scale == 0).any() or np.linalg.matrix_rank(x / scale) < k:
        raise EstimationError(
            f"the regression has {k + absorbed} terms and {n} rows, or terms that repeat each other, so its effect "
            "cannot be told apart. Drop covariates."
        )
    q, r = np.linalg.qr(x / scale)
    inverse = np.linalg.inv(r) / scale[:, None]
    beta = inverse @ (q.T @ y)
    return Fit(x, y - x @ beta, beta, inverse @ inverse.T, absorbed)


def row_contributions(fit: Fit, contrast: Array, se: str, cluster: Array | None = None) -> Array:
    """What each row contributes to the estimate ``contrast @ beta``.

    Parameters
    ----------
    fit : Fit
        The regression.
    contrast : ndarray, shape (k,)
        Which combination of coefficients.
    se : {"classical", "hc0", "hc1", "hc2", "hc3", "cr1s", "cr2", "cr3"}
        The kind of standard error.
    cluster : ndarray of int, shape (n,), optional
        Cluster codes; needed by the kinds that begin with "cr".

    Returns
    -------
    ndarray, shape (n,)
        The variance is the sum of squares (over clusters: of cluster sums).

    References
    ----------
    MacKinnon and White (1985) for HC2 and HC3; Bell and McCaffrey (2002) and Pustejovsky and Tipton (2018) for CR2.
    """
    pull = fit.x @ (fit.bread @ contrast)
    n, k = len(pull), fit.x.shape[1] + fit.absorbed
    if se in CLUSTERED and cluster is not None:
        if se == "cr1s":
            groups = len(np.unique(cluster))
            return pull * fit.residuals * np.sqrt(groups / (groups - 1) * (n - 1) / (n - k))
        return pull * _adjusted(fit, cluster, fit.residuals, -0.5 if se == "cr2" else -1.0)
    raw = pull * fit.residuals
    if se == "classical":
        wanted = (fit.residuals**2).sum() / (n - k) * (pull**2).sum()
        return raw * np.sqrt(wanted / (raw**2).sum()) if (raw**2).sum() > 0 else raw
    if se == "hc1":
        return raw * np.sqrt(n / (n - k))
    power = {"hc0": 0.0, "hc2": 0.5, "hc3": 1.0}[se]
    room = 1 - np.einsum("ij,jk,ik->i", fit.x, fit.bread, fit.x)
    return raw * np.where(room > 1e-10, np.maximum(room, 1e-10) ** -power, 0.0)


def degrees_of_freedom(fit: Fit, contrast: Array, se: str, cluster: Array | None = None) -> float:
    """Degrees of freedom that go with `row_contributions`.

    Parameters
    ----------
    fit, contrast, se, cluster
        As there.

    Returns
    -------
    float
        n - k; with clusters G - 1; for "cr2" Satterthwaite's under independent rows.

    References
    ----------
    Bell and McCaffrey (2002); Pustejovsky and Tipton (2018), section 2.3.
    """
    if se not in CLUSTERED or cluster is None:
        return float(len(fit.residuals) - fit.x.shape[1] - fit.absorbed)
    groups = len(np.unique(cluster))
    if se != "cr2":
        return float(groups - 1)
    pull = fit.x @ (fit.bread @ contrast)
    bent = _adjusted(fit, cluster, pull, -0.5)
    squares = np.bincount(cluster, bent**2, minlength=groups)
    sums = np.column_stack([np.bincount(cluster, bent * column, minlength=groups) for column in fit.x.T])
    q = np.diag(squares) - sums @ fit.bread @ sums.T
    bottom = (q**2).sum()
    return float(np.trace(q) ** 2 / bottom) if bottom > 0 else float(groups - 1)


def _adjusted(fit: Fit, cluster: Array, values: Array, power: float) -> Array:
    """(I - H_gg)^power applied to each cluster's values; directions without room (leverage 1) are dropped."""
    factor = np.linalg.cholesky(fit.bread)
    thin = fit.x @ factor
    result = values.astype(float).copy()
    order = np.argsort(cluster, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(cluster[order])) + 1):
        u, s, _ = np.linalg.svd(thin[rows], full_matrices=False)
        room = 1 - s**2
        bend = np.where(room > 1e-10, np.maximum(room, 1e-10) ** power, 0.0) - 1
        result[rows] += u @ (bend * (u.T @ values[rows]))
    return result


def cluster_numbers(labels: pd.Series | Array) -> Array:
    """Number the clusters; whoever has none is one of their own.

    Parameters
    ----------
    labels : Series or array, shape (n,)
        Names of clusters, missing where there is none.

    Returns
    -------
    ndarray of int, shape (n,)
        From 0, in the order of the names, so that the order of rows does not matter; then those of their own.
    """
    found, known = pd.factorize(pd.Series(labels), sort=True)
    codes = found.astype(np.int64)
    alone = codes < 0
    codes[alone] = len(known) + np.arange(int(alone.sum()))
    return codes


def demean(values: Array, group: Array) -> Array:
    """Take group means out of a vector or of every column.

    Parameters
    ----------
    values : ndarray, shape (n,) or (n, k)
        What to centre.
    group : ndarray of int, shape (n,)
        Group codes from 0.

    Returns
    -------
    ndarray
        The same shape.
    """
    counts = np.bincount(group)
    if values.ndim == 1:
        return values - (np.bincount(group, values) / counts)[group]
    return np.column_stack([demean(column, group) for column in values.T])


@dataclass(frozen=True)
class WildTest:
    """A wild cluster bootstrap: estimate, p (of no effect), interval of level, sets of weights, whether all of them."""

    estimate: float
    p: float
    low: float
    high: float
    level: float
    weights: str
    sets: int
    enumerated: bool


def wild_cluster(
    y: Array,
    x: Array,
    contrast: Array,
    cluster: Array,
    draws: int = 9_999,
    seed: int = 0,
    weights: str = "auto",
    level: float = 0.95,
) -> WildTest:
    """Test and bound one combination of coefficients by the wild cluster bootstrap, with the hypothesis imposed.

    Parameters
    ----------
    y : ndarray, shape (n,)
        Outcome.
    x : ndarray, shape (n, k)
        Design, constant included where there is one.
    contrast : ndarray, shape (k,)
        Which combination of coefficients.
    cluster : ndarray, shape (n,)
        Who belongs together.
    draws : int
        Sets of weights drawn where not all are taken.
    seed : int
        Of the draw.
    weights : {"auto", "webb", "rademacher"}
        Webb's six or Rademacher's two values. "auto": all of Webb's sets up to 6 clusters, all of Rademacher's for 10
        to 15 clusters, else a draw of Webb's. Of a named kind all sets are taken where they are at most 50,000.
    level : float
        Of the interval.

    Returns
    -------
    WildTest
        Symmetric p-value; the interval holds the values whose test gives p above 1 - level. A bound is infinite where
        no value is rejected on that side, as with very few clusters.

    Raises
    ------
    DataError
        Unknown weights.
    EstimationError
        One cluster, repeated terms, or a contrast that one cluster alone decides.

    Notes
    -----
    Where only a few of many clusters are treated the imposed null makes the test reject too rarely (MacKinnon and Webb
    2017, J. Applied Econometrics 32, 233-254).

    References
    ----------
    Cameron, Gelbach and Miller (2008), Review of Economics and Statistics 90, 414-427; Webb (2023), Canadian J. of
    Economics 56, 839-858.
    """
    if weights not in ("auto", *_WEIGHTS):
        raise DataError(f'Weights "{weights}" are not known. {did_you_mean(weights, ("auto", *_WEIGHTS))}')
    code = np.unique(cluster, return_inverse=True)[1]
    groups = int(code.max()) + 1
    if groups < 2:
        raise EstimationError("The wild cluster bootstrap needs two clusters or more.")
    fit = least_squares(np.asarray(y, dtype=float), np.asarray(x, dtype=float))
    kind, sets, whole = _sets(weights, groups, draws, seed)
    estimate = float(contrast @ fit.beta)
    test = _wild_p(fit, np.asarray(contrast, dtype=float), code, sets, whole)
    scale = np.sqrt((np.bincount(code, row_contributions(fit, contrast, "cr1s", code)) ** 2).sum())
    low, high = (_bound(test, estimate, side * scale, 1 - level) for side in (-1, 1))
    return WildTest(estimate, test(0.0), low, high, level, kind, len(sets), whole)


def _sets(weights: str, groups: int, draws: int, seed: int) -> tuple[str, Array, bool]:
    """The sets of weights, shape (sets, groups), their kind, and whether they are all there are."""
    kind = weights
    if weights == "auto":
        kind = "rademacher" if 6**groups > _ALL and _ENOUGH <= 2**groups <= _ALL else "webb"
    values = _WEIGHTS[kind]
    if len(values) ** groups <= _ALL:
        return kind, np.array(list(product(values, repeat=groups))), True
    return kind, np.random.default_rng(seed).choice(values, size=(draws, groups)), False


def _wild_p(fit: Fit, contrast: Array, code: Array, sets: Array, whole: bool) -> Callable[[float], float]:
    """The p-value as a function of the value tested.

    Residuals under the null are those of the fit plus a multiple of one vector, so sums by cluster are taken once.
    """
    pull = fit.x @ (fit.bread @ contrast)
    shift = pull / (contrast @ fit.bread @ contrast)
    parts = [_cluster_sums(fit, pull, code, one) for one in (fit.residuals, shift)]
    taken = np.column_stack([np.bincount(code, pull * column) for column in fit.x.T]) @ fit.bread
    estimate = float(contrast @ fit.beta)

    def statistic(own: Array, cross: Array, weights: Array) -> Array:
        scores = weights * own - (weights @ cross) @ taken.T
        error = np.sqrt((scores**2).sum(axis=-1))
        top = np.abs(weights @ own)
        if (error <= 1e-12 * np.abs(own).sum()).all():
            raise EstimationError(
                "Nothing is left to judge the effect by: one cluster decides it, or the outcome has no spread."
            )
        return np.divide(top, error, out=np.where(top > 1e-12 * np.abs(own).sum(), np.inf, 0.0), where=error > 0)

    def p(tested: float) -> float:
        away = estimate - tested
        own, cross = (plain + away * moved for plain, moved in zip(*parts, strict=True))
        found = statistic(own, cross, np.ones((1, len(own))))[0]
        larger = int((statistic(own, cross, sets) >= found * (1 - 1e-9)).sum())
        return larger / len(sets) if whole else (1 + larger) / (1 + len(sets))

    return p


def _cluster_sums(fit: Fit, pull: Array, code: Array, residuals: Array) -> tuple[Array, Array]:
    """By cluster: pull'r, shape (groups,), and x'r, shape (groups, k)."""
    own = np.bincount(code, pull * residuals)
    return own, np.column_stack([np.bincount(code, column * residuals) for column in fit.x.T])


def _bound(test: Callable[[float], float], estimate: float, step: float, alpha: float) -> float:
    """The value on one side of the estimate at which p falls to alpha, by doubling and halving."""
    inside, outside = estimate, estimate + 2 * step
    for _ in range(12):
        if test(outside) <= alpha:
            break
        inside, outside = outside, estimate + 2 * (outside - estimate)
    else:
        return float(np.copysign(np.inf, step))
    for _ in range(40):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if test(middle) > alpha else (inside, middle)
        if abs(outside - inside) < 1e-6 * abs(step):
            break
    return outside
