"""Pulling services' means towards the overall mean, as far as each is small and all are alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from evalkit.linear import least_squares
from evalkit.outcomes.change.shares import wilson
from evalkit.outcomes.growing.fit import Fit, fit
from evalkit.outcomes.growing.likelihood import Point, evaluate
from evalkit.outcomes.growing.sums import free, sums_of
from evalkit.outcomes.services.rows import Array, Rows

_DRAWS, _SEED, _GRID, _POINTS = 4_000, 0, 200, 300


@dataclass(frozen=True)
class Found:
    """By service: estimate, se, low, high, and draws of all, (draws, services), for ranks; then whole figures."""

    estimate: Array
    se: Array
    low: Array
    high: Array
    draws: Array
    beta: Array
    mean: float
    between_sd: float
    within_sd: float
    icc: float
    precision: Array
    method: str


def scores(data: Rows, level: float) -> Found:
    """Random-intercept model; intervals averaged over the variance between services.

    Parameters
    ----------
    data : Rows
        The rows used.
    level : float
        Of the intervals.

    Returns
    -------
    Found
        Predictions at the restricted likelihood's best; intervals from the mixture over the grid.
    """
    levels = ["intercept"] * (2 if data.repeated else 1)
    units, group = (data.person, data.home) if data.repeated else (data.service, None)
    best = fit(sums_of(data.y, data.x, None, units, group), free(levels), True)
    average = np.eye(data.x.shape[1])[0]
    estimate, se = _predicted(best, best.point, average)
    means, errors, weights = _over_between(best, average)
    from scipy.special import ndtr

    def below(at: Array) -> Array:
        return weights @ ndtr((at - means) / errors)

    far = np.array([(means - 40 * errors).min(axis=0), (means + 40 * errors).max(axis=0)])
    random = np.random.default_rng(_SEED)
    picked = random.choice(len(weights), size=_DRAWS, p=weights)
    draws = means[picked] + errors[picked] * random.standard_normal((_DRAWS, means.shape[1]))
    between = float(best.covariance(len(levels) - 1)[0, 0])
    people = float(best.covariance(0)[0, 0]) if data.repeated else 0.0
    return Found(
        estimate, se, _quantile(below, far, (1 - level) / 2), _quantile(below, far, (1 + level) / 2), draws,
        best.sums.start + best.sums.unit * best.sums.turn @ best.point.beta, best.estimate(average),
        float(np.sqrt(between)), float(np.sqrt(people + best.residual)), between / (between + people + best.residual),
        _information(best, best.point) / best.residual, "random-intercept model (EBLUP)",
    )  # fmt: skip


def _information(best: Fit, point: Point) -> Array:
    """Z'V^-1 Z of each service given its own effect: rows that count; shape (services,)."""
    return point.h2[0, 0] / point.e2[0, 0] if best.sums.groups else best.sums.a[0, 0][best.sums.pattern]


def _predicted(best: Fit, point: Point, average: Array) -> tuple[Array, Array]:
    """Mean plus random effect by service, and its standard error given the variances; shapes (services,)."""
    sums = best.sums
    k, pulled = (point.k2[0, 0], point.pulled[0]) if sums.groups else (point.k[0, 0][sums.pattern], sums.c[0])
    turned = np.append(-point.beta, 1.0)
    inner = sums.turn.T @ average
    moves = inner - k[:, None] * pulled[:, :-1]
    variance = point.variance * (k + np.einsum("sp,pq,sq->s", moves, point.bread, moves))
    mean = average @ sums.start + sums.unit * (inner @ point.beta + k * (pulled @ turned))
    return mean, sums.unit * np.sqrt(variance)


def _over_between(best: Fit, average: Array) -> tuple[Array, Array, Array]:
    """Predictions, errors (points, services) and weights over a grid of the share of variance between services."""
    root = (np.arange(_GRID) + 0.5) / _GRID
    own = best.theta[0] ** 2 if best.sums.groups else 0.0
    ratio = root**2 * (1 + own) / (1 - root**2)
    points = [evaluate(best.sums, np.append(best.theta[:-1], one), best.entries, True) for one in np.sqrt(ratio)]
    height = np.log(root) - np.array([point.deviance for point in points]) / 2
    weights = np.exp(height - height.max())
    kept = weights > 1e-8
    pairs = [_predicted(best, point, average) for point, keep in zip(points, kept, strict=True) if keep]
    means, errors = (np.array(one) for one in zip(*pairs, strict=True))
    return means, errors, weights[kept] / weights[kept].sum()


def _systematic(weights: Array, size: int) -> Array:
    """As many points as asked for, each as often as its weight says, without chance; shape (size,)."""
    return np.searchsorted(np.cumsum(weights), (np.arange(size) + 0.5) / size).clip(max=len(weights) - 1)


def _quantile(below: Callable[[Array], Array], far: Array, share: float) -> Array:
    low, high = far[0].astype(float), far[1].astype(float)
    for _ in range(40):
        middle = (low + high) / 2
        under = below(middle) < share
        low, high = np.where(under, middle, low), np.where(under, high, middle)
    return (low + high) / 2


def shares(data: Rows, level: float) -> Found:
    """Beta-binomial, averaged over a grid of the mean and the share of variance between services.

    Parameters
    ----------
    data : Rows
        The rows used: one per person, the outcome 0 or 1, no covariates.
    level : float
        Of the intervals.

    Returns
    -------
    Found
        Means and quantiles of the mixture; both are even beforehand.
    """
    from scipy.special import betainc, betaln

    n = np.bincount(data.service).astype(float)
    yes = np.bincount(data.service, data.y)
    angle, root = (one.ravel() for one in np.meshgrid((np.arange(400) + 0.5) / 400, (np.arange(60) + 0.5) / 60))
    mean, share = np.sin(np.pi * angle / 2) ** 2, root**2
    a, b = mean * (1 / share - 1), (1 - mean) * (1 / share - 1)
    height = np.log(root) + np.log(np.sin(np.pi * angle)) - len(n) * betaln(a, b)
    for got, size in zip(yes, n, strict=True):
        height = height + betaln(a + got, b + size - got)
    weights = np.exp(height - height.max())
    picked = _systematic(weights / weights.sum(), _POINTS)
    a, b, mean, share = a[picked], b[picked], mean[picked], share[picked]
    weights = np.full(_POINTS, 1 / _POINTS)
    top, bottom = a[:, None] + yes, b[:, None] + n - yes
    means = top / (top + bottom)
    estimate = weights @ means
    spread = weights @ (means * (1 - means) / (top + bottom + 1) + means**2) - estimate**2

    def below(at: Array) -> Array:
        return weights @ betainc(top, bottom, at)

    random = np.random.default_rng(_SEED)
    picked = random.choice(len(weights), size=_DRAWS, p=weights)
    draws = random.beta(top[picked], bottom[picked])
    far = np.array([np.zeros(len(n)), np.ones(len(n))])
    overall = float(yes.sum() / n.sum())
    between = float(np.sqrt(weights @ (mean * (1 - mean) * share)))
    low, high = _quantile(below, far, (1 - level) / 2), _quantile(below, far, (1 + level) / 2)
    return Found(
        estimate, np.sqrt(spread), low, high, draws, np.array([overall]), overall,
        between, float(np.sqrt(overall * (1 - overall))), float(weights @ share), n,
        "beta-binomial, averaged over its mean and spread",
    )  # fmt: skip


def separate(data: Rows, plain: bool, level: float) -> Found:
    """Each service by itself, where there are too few to learn from each other.

    Parameters
    ----------
    data : Rows
        The rows used; a person's rows are averaged first.
    plain : bool
        Whether the outcome is a share without covariates, which has Wilson's interval.
    level : float
        Of the intervals.

    Returns
    -------
    Found
        Means adjusted by least squares; no variance between services.
    """
    from scipy.special import stdtrit

    code = data.home
    size = np.bincount(data.person)
    y = np.bincount(data.person, data.y) / size
    x = np.column_stack([np.bincount(data.person, column) / size for column in data.x.T[1:]] or [np.empty((len(y), 0))])
    dummies = (code[:, None] == np.arange(len(data.names))).astype(float)
    ols = least_squares(y, np.column_stack([dummies, x]))
    free_rows = len(y) - len(ols.beta)
    residual = float((ols.residuals**2).sum() / free_rows)
    services = len(data.names)
    estimate, se = ols.beta[:services], np.sqrt(residual * np.diag(ols.bread)[:services])
    half = float(stdtrit(free_rows, (1 + level) / 2)) * se
    low, high = estimate - half, estimate + half
    n = np.bincount(code).astype(float)
    if plain:
        low, high = wilson(estimate * n, n, level)
    draws = estimate + se * np.random.default_rng(_SEED).standard_normal((_DRAWS, services))
    overall = float(n @ estimate / n.sum())
    precision = n / residual if residual > 0 else np.full(services, np.inf)
    return Found(
        estimate, se, low, high, draws, np.append(overall, ols.beta[services:]), overall, np.nan,
        float(np.sqrt(residual)), np.nan, precision, "each by itself (too few to be pulled together)",
    )  # fmt: skip
