"""Finding the covariances that fit best, and how sure one can be of them (Satterthwaite's degrees of freedom)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evalkit.errors import EstimationError
from evalkit.outcomes.growing.likelihood import (
    Entries,
    Point,
    bread_gradient,
    evaluate,
    gradient,
    rss_gradient,
)
from evalkit.outcomes.growing.sums import Array, Sums

_STEP = 1e-5  # of central differences of exact gradients: their error is of the order of its square
_ROUGH, _FINE = 1e-4, 1e-9  # gradients per row at which BFGS hands over to Newton, and at which Newton stops
_GAIN = 1e-5  # of the deviance, by one more Newton step, below which the optimum counts as found
_ALIKE = 0.1  # of the deviance, within which two starts that found no clear best count as having ended alike
_SINGULAR = 1e-4  # lme4's limit for a relative standard deviation that is none


@dataclass(frozen=True)
class Fit:
    """An optimum: data, place, curvature; whether a covariance lies on its edge; whether it is known roughly only."""

    sums: Sums
    point: Point
    theta: Array
    entries: Entries
    reml: bool
    curvature: Array
    singular: bool
    rough: bool = False

    @property
    def criterion(self) -> float:
        """-2 log likelihood, or lme4's REML criterion, in the outcome's own unit."""
        own = self.point.deviance + 2 * self.point.free * np.log(self.sums.unit)
        return float(own + self.sums.logdet) if self.reml else float(own)

    def covariance(self, level: int) -> Array:
        """Covariance of a level's random effects in the outcome's unit and the time given; shape (q, q)."""
        inner = self.point.relative[level] * self.point.variance
        return self.sums.unit**2 * self.sums.back @ inner @ self.sums.back.T

    @property
    def residual(self) -> float:
        """Residual variance in the outcome's unit."""
        return self.point.variance * self.sums.unit**2

    def estimate(self, contrast: Array) -> float:
        """``contrast`` @ coefficients."""
        return float(contrast @ (self.sums.start + self.sums.unit * self.sums.turn @ self.point.beta))

    def standard_error(self, contrast: Array) -> float:
        """Model-based standard error of ``contrast`` @ coefficients."""
        inner = self.sums.turn.T @ contrast
        return float(self.sums.unit * np.sqrt(self.point.variance * inner @ self.point.bread @ inner))


def fit(sums: Sums, entries: Entries, reml: bool) -> Fit:
    """Maximise the (restricted) likelihood.

    Parameters
    ----------
    sums : Sums
        The data.
    entries : list of (level, row, column)
        Free entries of the levels' relative covariance factors, see `sums.free`.
    reml : bool
        Restricted likelihood.

    Returns
    -------
    Fit
        With the curvature of the profiled deviance at the optimum.

    Raises
    ------
    EstimationError
        No optimum was found from any start.

    References
    ----------
    Bates, Maechler, Bolker and Walker (2015), J. Stat. Software 67(1), for the profiled deviance.
    """
    tried = []
    for size in (1.0, 10.0, 0.1, 100.0):
        theta = _descend(sums, entries, reml, size)
        point, slope, curvature = _around(sums, theta, entries, reml)
        singular = any(is_singular(theta, entries, one) for one in (0, 1))
        tried.append(Fit(sums, point, theta, entries, reml, curvature, singular, not _is_best(slope, curvature)))
        if not tried[-1].rough:
            return tried[-1]
    # Where almost nothing is error, rounding hides the curvature: then starts that end alike must do.
    first, second = sorted(tried, key=lambda one: one.point.deviance)[:2]
    if second.point.deviance - first.point.deviance < _ALIKE and np.isfinite(first.curvature).all():
        return first
    raise EstimationError(
        'The growth model found no best fit. Use random="intercept", or fewer covariates, or check the outcome for '
        "impossible values."
    )


def _is_best(slope: Array, curvature: Array) -> bool:
    """Whether a further Newton step would gain next to nothing, and no direction leads down."""
    if not (np.isfinite(slope).all() and np.isfinite(curvature).all()):
        return False
    values, vectors = np.linalg.eigh(curvature)
    gain = (vectors.T @ slope) ** 2 / np.maximum(np.abs(values), 1e-9 * np.abs(values).max()) / 2
    return bool(gain.sum() < _GAIN and values[0] > -1e-6 * values[-1])


def _descend(sums: Sums, entries: Entries, reml: bool, size: float) -> Array:
    """BFGS on exact gradients, then Newton within a trust region, which follows bent valleys to their end.

    A valley is bent where a variance is almost 0: there BFGS, and Newton without bounds, stop on the way.
    """
    from scipy.optimize import minimize

    def both(theta: Array) -> tuple[float, Array]:
        point = evaluate(sums, theta, entries, reml)
        return point.deviance / sums.n, gradient(sums, point, entries, reml) / sums.n

    def bend(theta: Array) -> Array:
        return _around(sums, theta, entries, reml)[2] / sums.n

    start = np.array([size if row == column else 0.0 for _, row, column in entries])
    with np.errstate(all="ignore"):
        rough = minimize(both, start, jac=True, method="BFGS", options={"gtol": _ROUGH}).x
        options = {"gtol": _FINE, "initial_trust_radius": 0.1, "maxiter": 200}
        fine = minimize(both, rough, jac=True, hess=bend, method="trust-exact", options=options).x
    return _upright(fine, entries)


def _around(sums: Sums, theta: Array, entries: Entries, reml: bool) -> tuple[Point, Array, Array]:
    """The point, its gradient and its curvature (symmetrised differences of gradients)."""

    def slope(at: Array) -> Array:
        return gradient(sums, evaluate(sums, at, entries, reml), entries, reml)

    point = evaluate(sums, theta, entries, reml)
    steps = np.eye(len(theta)) * _STEP * np.maximum(np.abs(theta), 0.1)
    rows = np.array([(slope(theta + one) - slope(theta - one)) / (2 * one.sum()) for one in steps])
    return point, gradient(sums, point, entries, reml), (rows + rows.T) / 2


def _upright(theta: Array, entries: Entries) -> Array:
    """Turn the sign of a factor's column so that its diagonal is not negative; the covariance stays."""
    turned = theta.copy()
    for place, (level, row, column) in enumerate(entries):
        if row == column and theta[place] < 0:
            same = [i for i, one in enumerate(entries) if one[0] == level and one[2] == column]
            turned[same] *= -1
    return turned


def is_singular(theta: Array, entries: Entries, level: int) -> bool:
    """Whether a level's relative covariance lies on its edge: a diagonal of its factor is nothing."""
    pairs = zip(theta, entries, strict=True)
    return any(one == level and row == column and value < _SINGULAR for value, (one, row, column) in pairs)


def satterthwaite(found: Fit, contrast: Array) -> float:
    """Degrees of freedom of the model-based standard error.

    Parameters
    ----------
    found : Fit
        The optimum.
    contrast : ndarray, shape (p,)
        Which combination of coefficients.

    Returns
    -------
    float
        2 v^2 / (g' A g), v the variance of the estimate, g its derivative by (theta, log residual variance) and A their
        asymptotic covariance, 2 / curvature; directions without curvature are left out.

    References
    ----------
    Satterthwaite (1946); Kuznetsova, Brockhoff and Christensen (2017), J. Stat. Software 82(13).
    """
    sums, point = found.sums, found.point
    inner = sums.turn.T @ contrast
    variance = point.variance * inner @ point.bread @ inner
    slope = np.append(point.variance * bread_gradient(sums, point, found.entries, inner), variance)
    mixed = -rss_gradient(sums, point, found.entries) / point.variance
    # The profiled curvature is what is left of the full one when the residual variance is at its own best.
    full = np.block([
        [found.curvature + np.outer(mixed, mixed) / point.free, mixed[:, None]],
        [mixed[None, :], np.array([[point.free]])],
    ])  # fmt: skip
    values, vectors = np.linalg.eigh(full)
    kept = values > 1e-8 * values.max()
    along = (vectors.T @ slope)[kept]
    spread = 2 * float((along**2 / values[kept]).sum())
    df = float(2 * variance**2 / spread) if spread > 0 else np.inf
    return min(df, _cautious(found)) if found.rough else df


def _cautious(found: Fit) -> float:
    """Clusters, or people, less fixed terms: what a fit whose curvature is not known may claim at most."""
    units = found.sums.groups or len(found.sums.pattern)
    return float(max(units - len(found.point.beta), 1))
