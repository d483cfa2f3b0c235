"""The wild cluster bootstrap: tests and intervals where clusters are few."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np

from evalkit.errors import DataError, EstimationError, did_you_mean
from evalkit.linear.fitting import Array, Fit, least_squares, row_contributions

_WEIGHTS = {
    "rademacher": np.array([-1.0, 1.0]),
    "webb": np.array([-1.0, 1.0])[:, None].repeat(3, 1).ravel() * np.sqrt([1.5, 1.0, 0.5, 0.5, 1.0, 1.5]),
}
_ALL = 50_000  # sets of weights up to which all are taken instead of a draw
_ENOUGH = 1_000  # sets below which all of them are too few to tell small p-values apart


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
    low, high = (bound_by_test(test, estimate, side * scale, 1 - level) for side in (-1, 1))
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


def bound_by_test(test: Callable[[float], float], estimate: float, step: float, alpha: float) -> float:
    """Find the value on one side of the estimate at which a test's p falls to alpha, by doubling and halving.

    Parameters
    ----------
    test : callable
        The p-value of a value.
    estimate : float
        Where to start; never rejected.
    step : float
        A guess of the standard error, negative for the lower side.
    alpha : float
        1 less the level of the interval.

    Returns
    -------
    float
        Infinite where no value is rejected on that side.
    """
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
