"""The likelihood of a growth model with persons, and clusters of persons, and its exact gradient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evalkit.outcomes.growing.sums import Array, Sums

Entries = list[tuple[int, int, int]]


@dataclass(frozen=True)
class Point:
    """The likelihood at one set of relative covariances (those of the random effects over the residual variance).

    Attributes
    ----------
    deviance : float
        -2 log likelihood, or the REML criterion, in the inner basis, with beta and the residual variance profiled out.
    factors, relative : list of ndarray, shape (q, q)
        Lower-triangular factor and covariance of each level, persons first.
    k, e, h : ndarray, shape (q, q, patterns)
        With V the covariance of a person's rows given the cluster, over the residual variance, and A = Z'Z:
        V^-1 = I - Z k Z'; e = I - A k, so that Z'V^-1 = e Z'; h = Z'V^-1 Z.
    k2, e2, h2 : ndarray, shape (q, q, clusters)
        The same one level up, where A is the sum of h over the cluster's persons.
    pulled : ndarray, shape (q, clusters, m)
        Z'V^-1 [X y] given the cluster, summed over its persons.
    cross : ndarray, shape (m, m)
        [X y]'V^-1 [X y].
    bread : ndarray, shape (p, p)
        Inverse of X'V^-1 X.
    beta : ndarray, shape (p,)
        Generalised least squares.
    rss : float
        Weighted residual sum of squares.
    free : int
        n, or n - p for REML.
    """

    deviance: float
    factors: list[Array]
    relative: list[Array]
    k: Array
    e: Array
    h: Array
    k2: Array
    e2: Array
    h2: Array
    pulled: Array
    cross: Array
    bread: Array
    beta: Array
    rss: float
    free: int

    @property
    def variance(self) -> float:
        """Residual variance, inner unit."""
        return self.rss / self.free


def evaluate(sums: Sums, theta: Array, entries: Entries, reml: bool) -> Point:
    """The likelihood at ``theta``.

    Parameters
    ----------
    sums : Sums
        The data.
    theta : ndarray, shape (len(entries),)
        Free entries of the relative covariance factors.
    entries : list of (level, row, column)
        Where they stand.
    reml : bool
        Restricted likelihood.

    Returns
    -------
    Point
        The deviance and all that its gradient and predictions need.
    """
    factors = [np.zeros(sums.back.shape), np.zeros(sums.back.shape)]
    for value, (level, row, column) in zip(theta, entries, strict=True):
        factors[level][row, column] = value
    relative = [one @ one.T for one in factors]
    k, e, h, det = _inverted(factors[0], sums.a)
    cross = sums.total - _outer(apply(k[:, :, sums.folded_pattern], sums.folded), sums.folded)
    information, pulled = _lift(sums, e, h)
    k2, e2, h2, det2 = _inverted(factors[1], information)
    cross = cross - _outer(apply(k2, pulled), pulled)
    logdet = float(sums.count @ np.log(det)) + float(np.log(det2).sum())
    p = len(cross) - 1
    free = sums.n - (p if reml else 0)
    bread = np.linalg.inv(cross[:p, :p])
    beta = bread @ cross[:p, p]
    rss = float(cross[p, p] - cross[p, :p] @ beta)
    fixed = float(np.linalg.slogdet(cross[:p, :p])[1]) if reml else 0.0
    deviance = logdet + fixed + free * (1 + np.log(2 * np.pi * rss / free))
    return Point(deviance, factors, relative, k, e, h, k2, e2, h2, pulled, cross, bread, beta, rss, free)


def product(x: Array, y: Array) -> Array:
    """Products of small matrices that lie along the last axis; shapes (q, q, n).

    Written out over the inner index, which is 1 or 2: far faster than a product of many small matrices.
    """
    return np.asarray(sum(x[:, [inner]] * y[[inner]] for inner in range(len(y))))


def apply(x: Array, c: Array) -> Array:
    """Matrices (q, q, n) times vectors of terms (q, n, m); shape (q, n, m)."""
    return np.asarray(sum(x[:, inner, :, None] * c[inner] for inner in range(len(c))))


def _outer(x: Array, y: Array) -> Array:
    """Sum over terms and persons of the outer products of (q, n, m); shape (m, m)."""
    m = x.shape[-1]
    return x.reshape(-1, m).T @ y.reshape(-1, m)


def _between(x: Array, middle: Array, y: Array) -> Array:
    """Sum over persons of x middle y', from (q, n, m); shape (q, q)."""
    return np.array([[((one.T @ other) * middle).sum() for other in y] for one in x])


def _inverted(factor: Array, a: Array) -> tuple[Array, Array, Array, Array]:
    """With t = factor factor' and every a: (I + t a)^-1 t, (I + a t)^-1, (I + a t)^-1 a and det(I + t a).

    q is 1 or 2, so they are written out by adjoints, as sums of terms of one sign: where random effects are large or
    of one rank, differences such as I - a k would lose all digits.
    """
    t = (factor @ factor.T)[:, :, None]
    if len(t) == 1:
        det = 1 + t * a
        return t / det, 1 / det, a / det, det[0, 0]
    det_t = (factor[0, 0] * factor[1, 1]) ** 2
    det_a = a[0, 0] * a[1, 1] - a[0, 1] * a[1, 0]
    det = 1 + (t * a).sum(axis=(0, 1)) + det_t * det_a
    other_t, other_a = _adjoint(t), _adjoint(a)
    e = np.eye(2)[:, :, None] + product(other_t, other_a)
    return (t + det_t * other_a) / det, e / det, (a + other_t * det_a) / det, det


def _adjoint(x: Array) -> Array:
    return np.array([[x[1, 1], -x[0, 1]], [-x[1, 0], x[0, 0]]])


def _lift(sums: Sums, e: Array, h: Array) -> tuple[Array, Array]:
    """Z'V^-1 Z and Z'V^-1 [X y] by cluster, V that of persons within it."""
    q, _, m = sums.c.shape
    if not sums.groups:
        return np.zeros((q, q, 0)), np.zeros((q, 0, m))
    starts = np.searchsorted(sums.cell_group, np.arange(sums.groups))
    h2 = np.add.reduceat(h[:, :, sums.cell_pattern] * sums.cell_count, starts, axis=2)
    return h2, np.add.reduceat(apply(e[:, :, sums.cell_pattern], sums.cell), starts, axis=1)


def gradient(sums: Sums, point: Point, entries: Entries, reml: bool) -> Array:
    """Derivative of the deviance by ``theta``.

    Parameters
    ----------
    sums, point, entries, reml
        As for `evaluate`, and what it returned.

    Returns
    -------
    ndarray, shape (len(entries),)
        d = tr(V^-1 dV) - tr(bread X'V^-1 dV V^-1 X) [REML] - r'V^-1 dV V^-1 r / variance.
    """
    return _by_theta(point, entries, _derivatives(sums, point, _middle(point, reml), 1.0))


def rss_gradient(sums: Sums, point: Point, entries: Entries) -> Array:
    """Derivative of the weighted residual sum of squares by ``theta``; shape (len(entries),)."""
    turned = np.append(-point.beta, 1.0)
    return _by_theta(point, entries, _derivatives(sums, point, -np.outer(turned, turned), 0.0))


def bread_gradient(sums: Sums, point: Point, entries: Entries, contrast: Array) -> Array:
    """Derivative of ``contrast @ bread @ contrast`` by ``theta``; shape (len(entries),)."""
    pull = np.append(point.bread @ contrast, 0.0)
    return _by_theta(point, entries, _derivatives(sums, point, np.outer(pull, pull), 0.0))


def _middle(point: Point, reml: bool) -> Array:
    p = len(point.beta)
    turned = np.append(-point.beta, 1.0)
    middle = -np.outer(turned, turned) / point.variance
    if reml:
        middle[:p, :p] -= point.bread
    return middle


def _by_theta(point: Point, entries: Entries, derivatives: list[Array]) -> Array:
    """From derivatives by the covariance to those by its factor: d(LL') = dL L' + L dL'."""
    return np.array([2 * (derivatives[level] @ point.factors[level])[row, column] for level, row, column in entries])


def _derivatives(sums: Sums, point: Point, middle: Array, trace: float) -> list[Array]:
    """By level: trace * tr(V^-1 Z dT Z') + sum of Z'V^-1 [X y] middle [X y]'V^-1 Z, as matrices (q, q)."""
    own = apply(point.e[:, :, sums.folded_pattern], sums.folded)
    first = trace * point.h @ sums.count + _between(own, middle, own)
    if not sums.groups:
        return [first, np.zeros_like(first)]
    h, group = point.h[:, :, sums.cell_pattern], sums.cell_group
    shrunk = apply(point.k2, point.pulled)
    spread = apply(h, shrunk[:, group])
    mixed = _between(apply(point.e[:, :, sums.cell_pattern], sums.cell), middle, spread)
    first = first - mixed - mixed.T + _between(spread * sums.cell_count[:, None], middle, spread)
    left = apply(point.e2, point.pulled)
    second = _between(left, middle, left)
    if trace:
        first = first - trace * product(product(h, point.k2[:, :, group]), h) @ sums.cell_count
        second = second + trace * point.h2.sum(axis=2)
    return [first, second]
