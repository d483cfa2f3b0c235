"""What errors that are related in time do to the uncertainty of a series' coefficients."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from evalkit.counterfactual.areas.segmented import Fit
from evalkit.errors import EstimationError

Array = np.ndarray
LONGEST = 600  # periods of which all pairs are looked at
CLEAR = {True: 0.01, False: 0.05}  # one-sided p at which errors of counts, and of amounts, are taken as related
MOST_ALIKE = 0.95  # correlation of neighbouring errors; nearer to 1 a change of level cannot be told from a drift


def covariance(fit: Fit, se: str, lags: int | None = None) -> tuple[Array, float]:
    """Covariance of the coefficients and the degrees of freedom that go with it.

    Parameters
    ----------
    fit : Fit
        The model.
    se : {"model", "quasi", "hac", "ar1"}
        "model": the counts' own variance (linear: as "quasi"); "quasi": times the dispersion; "hac": Newey and West,
        Bartlett weights, times n / (n - k); "ar1": errors that follow a first-order autoregression, of counts in what
        exceeds their Poisson variance, with the bias of residuals allowed for.
    lags : int, optional
        Of "hac"; default `newey_west_lags`.

    Returns
    -------
    (ndarray of shape (k, k), float)
        Degrees of freedom are infinite for "model" of counts, n - k for "quasi" and "hac", Satterthwaite's for "ar1".

    References
    ----------
    Newey and West (1987), Econometrica 55, 703-708; Zeger (1988), Biometrika 75, 621-629; Satterthwaite (1946),
    Biometrics Bulletin 2, 110-114.
    """
    if se == "model" and fit.design.log:
        return fit.bread, math.inf
    if se in ("model", "quasi"):
        return fit.bread * fit.dispersion, float(fit.df)
    if se == "hac":
        return _newey_west(fit, newey_west_lags(len(fit.fitted)) if lags is None else lags), float(fit.df)
    return _autoregressive(fit)


def newey_west_lags(n: int) -> int:
    """The number of lags: 4 (n / 100)^(2/9), rounded down (Newey and West 1994); at least 1."""
    return max(1, int(4 * (n / 100) ** (2 / 9)))


def _newey_west(fit: Fit, lags: int) -> Array:
    """The sandwich with products of scores up to so many periods apart."""
    scores = fit.design.x * (fit.root * fit.residuals)[:, None]
    steps, n = fit.design.steps, len(fit.fitted)
    middle = scores.T @ scores
    for back in range(1, min(lags, n - 1) + 1):
        apart = steps[back:] - steps[:-back]
        weight = np.maximum(0.0, 1 - apart / (lags + 1))
        cross = (scores[back:] * weight[:, None]).T @ scores[:-back]
        middle = middle + cross + cross.T
    return np.asarray(fit.bread @ middle @ fit.bread * n / fit.df)


def _autoregressive(fit: Fit) -> tuple[Array, float]:
    """Errors of which a share fades by rho with every period between them, and the rest are of their own."""
    if len(fit.fitted) > LONGEST:
        raise EstimationError(f'se = "ar1" is for series of up to {LONGEST} periods. Use "hac" for longer ones.')
    alike = _Alike.of(fit)
    share, rho, scale = alike.solve()
    related = alike.related(share, rho)
    x = fit.design.x * fit.root[:, None]
    middle = x.T @ related @ x * scale
    return np.asarray(fit.bread @ middle @ fit.bread), max(1.0, alike.satterthwaite(related))


def error_correlation(fit: Fit) -> float:
    """The correlation of errors one period apart, freed of the residuals' bias towards less.

    Residuals of a model with level and trend are less alike than the errors. The correlation given is the one under
    which the expected ratio of their products one period apart to their squares is the one found.

    Parameters
    ----------
    fit : Fit
        The model.

    Returns
    -------
    float
        From 0 to 0.95; 0 where neighbours are no more alike than chance makes them. In series longer than 600 that of
        the residuals, in which the bias is nothing.
    """
    if len(fit.fitted) > LONGEST:
        return float(np.clip(neighbour_correlation(fit), 0.0, MOST_ALIKE))
    return _Alike.of(fit).rho_at(1.0)


def plain_or_fading(fit: Fit) -> str:
    """Choose the standard error by whether neighbouring errors are clearly alike.

    Counts are held to the stricter test: their dispersion already holds part of what fades, and published intervals of
    counts are those of the dispersion.

    Parameters
    ----------
    fit : Fit
        The model.

    Returns
    -------
    str
        "quasi"; where they are alike "ar1", in series too long for it "hac".
    """
    n = len(fit.fitted)
    if not error_correlation(fit) > stats.norm.isf(CLEAR[fit.design.log]) / math.sqrt(n):
        return "quasi"
    return "ar1" if n <= LONGEST else "hac"


@dataclass(frozen=True, eq=False)
class _Alike:
    """What residuals tell of the errors' correlation: the terms' basis (n, k), periods apart (n, n), products found."""

    basis: Array
    apart: Array
    neighbours: Array
    found: float
    squares: float
    counts: bool

    @classmethod
    def of(cls, fit: Fit) -> _Alike:
        """Of a fit."""
        steps = fit.design.steps
        basis = np.linalg.qr(fit.design.x * fit.root[:, None])[0]
        apart = np.abs(steps[:, None] - steps[None, :])
        squares = float((fit.residuals**2).sum())
        return cls(
            basis, apart, np.flatnonzero(np.diff(steps) == 1), neighbour_correlation(fit), squares, fit.design.log
        )

    def related(self, share: float, rho: float) -> Array:
        """The errors' correlations: a share of their variance fades by rho per period."""
        matrix = share * rho**self.apart
        np.fill_diagonal(matrix, 1.0)
        return matrix

    def trace(self, related: Array) -> float:
        """Expected sum of squared residuals, in units of the errors' variance."""
        return float(np.trace(related) - np.trace(self.basis.T @ related @ self.basis))

    def expected(self, share: float, rho: float) -> float:
        """Expected products of neighbouring residuals over expected squares."""
        related, basis, near = self.related(share, rho), self.basis, self.neighbours
        wide = related @ basis
        inner = basis.T @ wide
        after, here = basis[near + 1], basis[near]
        crossed = (after * wide[near]).sum() + (here * wide[near + 1]).sum() - ((here @ inner) * after).sum()
        return float((related[near, near + 1].sum() - crossed) / (np.trace(related) - np.trace(inner)))

    def rho_at(self, share: float) -> float:
        """The fading that gives the products found, if that share of the variance fades."""
        from scipy.optimize import brentq

        if not self.squares > 0 or self.found <= self.expected(share, 0.0):
            return 0.0
        if self.found >= self.expected(share, MOST_ALIKE):
            return MOST_ALIKE
        return float(brentq(lambda rho: self.expected(share, rho) - self.found, 0.0, MOST_ALIKE, xtol=1e-4))

    def solve(self) -> tuple[float, float, float]:
        """Share, rho and the errors' variance; of counts only what exceeds their own variance fades (Zeger 1988)."""
        least = self.rho_at(1.0)
        if not self.counts:
            return 1.0, least, self.squares / self.trace(self.related(1.0, least))
        floor = min(1.0, least / MOST_ALIKE)
        share = max(floor, 1 - (len(self.basis) - self.basis.shape[1]) / max(self.squares, 1e-300))
        rho = self.rho_at(share)
        for _ in range(2):  # settles to the third decimal
            share = max(floor, 1 - self.trace(self.related(share, rho)) / max(self.squares, 1e-300))
            rho = self.rho_at(share)
        return share, rho, self.squares / self.trace(self.related(share, rho))

    def satterthwaite(self, related: Array) -> float:
        """Degrees of freedom of the sum of squared residuals."""
        wide = related @ self.basis
        inner = self.basis.T @ wide
        spread = float((related**2).sum() - 2 * (wide**2).sum() + (inner**2).sum())
        return self.trace(related) ** 2 / spread


def neighbour_correlation(fit: Fit) -> float:
    """Products of residuals one period apart, over their squares (lag-1 autocorrelation)."""
    e = fit.residuals
    near = np.diff(fit.design.steps) == 1
    squares = float((e**2).sum())
    return float((e[1:] * e[:-1])[near].sum() / squares) if squares > 0 else 0.0


def ljung_box(fit: Fit, lags: int) -> float:
    """Test whether residuals are related at any of the first lags.

    Parameters
    ----------
    fit : Fit
        The model.
    lags : int
        How many.

    Returns
    -------
    float
        p of the chi-square with that many degrees of freedom.

    References
    ----------
    Ljung and Box (1978), Biometrika 65, 297-303.
    """
    e, n = fit.residuals - fit.residuals.mean(), len(fit.residuals)
    squares = float((e**2).sum())
    if not squares > 0:
        return 1.0
    related = np.array([float((e[back:] * e[:-back]).sum()) / squares for back in range(1, lags + 1)])
    statistic = n * (n + 2) * float((related**2 / (n - np.arange(1, lags + 1))).sum())
    return float(stats.chi2.sf(statistic, lags))
