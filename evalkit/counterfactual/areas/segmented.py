"""One series with a change of level: the model and its fit."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.errors import EstimationError

Array = np.ndarray
ROUNDS = 100  # of reweighting; a log-linear model that converges needs about six


@dataclass(frozen=True, eq=False)
class Design:
    """The terms of a segmented model.

    Parameters
    ----------
    y, offset : ndarray, shape (n,)
        Outcome, and what is added to the linear predictor.
    x, without : ndarray, shape (n, k)
        Terms; and the same with the change taken out (level and slope 0 throughout).
    names : tuple of str
        Of the terms; "level" is the change of level and "slope" the change of trend.
    after : ndarray of bool, shape (n,)
        Periods from the start on.
    steps : ndarray of int, shape (n,)
        Periods since the first.
    log : bool
        Whether terms act on the logarithm of the outcome (counts) or on the outcome itself.
    """

    y: Array
    offset: Array
    x: Array
    without: Array
    names: tuple[str, ...]
    after: Array
    steps: Array
    log: bool


@dataclass(frozen=True, eq=False)
class Fit:
    """A fit: beta (k,), fitted (n,), bread = inverse of x'wx (k, k), root weights (n,), Pearson residuals (n,)."""

    design: Design
    beta: Array
    fitted: Array
    bread: Array
    root: Array
    residuals: Array

    @property
    def df(self) -> int:
        """Periods less terms."""
        return len(self.fitted) - len(self.beta)

    @property
    def exact(self) -> bool:
        """Whether every period lies on the model, so that what is left is rounding and tells of no chance."""
        return bool(np.abs(self.residuals * self.root).max() <= 1e-9 * np.abs(self.design.y).max())

    @property
    def dispersion(self) -> float:
        """Pearson chi-square over degrees of freedom; for a linear model the error variance."""
        return float((self.residuals**2).sum() / self.df)


def design_terms(
    series: tuple[Array, Array, Array], offset: Array, covariates: pd.DataFrame, plan: dict[str, object], log: bool
) -> Design:
    """Lay out level, slope, trend, seasons and covariates.

    Parameters
    ----------
    series : (ndarray, ndarray, ndarray), each shape (n,)
        Outcome, whether after, periods since the first.
    offset : ndarray, shape (n,)
        Added to the linear predictor.
    covariates : DataFrame, shape (n, m)
        Further terms, numbers.
    plan : dict
        trend, slope (bool), harmonics (pairs of sine and cosine), period (periods in one season).
    log : bool
        Counts or amounts.

    Returns
    -------
    Design
        The slope counts periods since the last one before the start: 1 in the first after.
    """
    y, after, steps = series
    since = steps - steps[~after].max()
    columns: dict[str, Array] = {"constant": np.ones(len(y)), "level": after.astype(float)}
    if plan["slope"]:
        columns["slope"] = np.where(after, since, 0).astype(float)
    if plan["trend"]:
        columns["trend"] = since.astype(float)
    for k in range(1, int(str(plan["harmonics"])) + 1):
        turn = 2 * math.pi * k * steps / float(str(plan["period"]))
        columns |= {f"sine {k}": np.sin(turn), f"cosine {k}": np.cos(turn)}
    columns |= {str(name): covariates[name].to_numpy(float) for name in covariates}
    # At half the season a sine is 0 at every whole period: rounding, not a term.
    columns = {name: value for name, value in columns.items() if np.abs(value).max() > 1e-9}
    x = np.column_stack(list(columns.values()))
    change = np.array([name in ("level", "slope") for name in columns])
    return Design(y, offset, x, np.where(change, 0.0, x), tuple(columns), after, steps, log)


def fit_series(design: Design) -> Fit:
    """Fit by least squares, or by maximum likelihood of Poisson counts with a log link.

    Parameters
    ----------
    design : Design
        The terms.

    Returns
    -------
    Fit
        Coefficients and what intervals are made of.

    Raises
    ------
    EstimationError
        As many terms as periods, terms that repeat each other, or a model that does not settle.
    """
    _check_terms(design)
    if not design.log:
        beta, fitted = _solve(design.x, design.y - design.offset, np.ones(len(design.y)))
        weight = np.ones(len(design.y))
        fitted = fitted + design.offset
    else:
        beta, fitted = _counts(design)
        weight = fitted
    root = np.sqrt(weight)
    bread = _inverse(design.x * root[:, None])
    return Fit(design, beta, fitted, bread, root, (design.y - fitted) / root)


def _check_terms(design: Design) -> None:
    """The terms can be told apart and leave something over."""
    n, k = design.x.shape
    scaled = design.x / np.sqrt((design.x**2).sum(axis=0))
    if n - k < 1:
        raise EstimationError(f"the series has {n} periods and the model {k} terms. Leave out harmonics or covariates.")
    if np.linalg.matrix_rank(scaled, tol=1e-7) < k:
        raise EstimationError(
            f"the terms of the series ({', '.join(design.names[1:])}) repeat each other, so the change cannot be told "
            "apart. Leave out harmonics or covariates, or slope where there is one period after."
        )


def _solve(x: Array, y: Array, weight: Array) -> tuple[Array, Array]:
    """Weighted least squares: coefficients and fitted values."""
    root = np.sqrt(weight)
    scale = np.sqrt((x**2).sum(axis=0))
    beta = np.linalg.lstsq(x * root[:, None] / scale, y * root, rcond=None)[0] / scale
    return beta, x @ beta


def _inverse(x: Array) -> Array:
    """The inverse of x'x, by its triangular root so that large and small columns do not spoil it."""
    scale = np.sqrt((x**2).sum(axis=0))
    back = np.linalg.inv(np.linalg.qr(x / scale)[1]) / scale[:, None]
    return np.asarray(back @ back.T)


def _counts(design: Design) -> tuple[Array, Array]:
    """Iteratively reweighted least squares of counts."""
    y, offset = design.y, design.offset
    predictor = np.log(y + max(float(y.mean()), 1e-300) * 0.1)
    beta, before = np.zeros(design.x.shape[1]), math.inf
    for _ in range(ROUNDS):
        mean = np.exp(np.clip(predictor, -700, 700))
        beta, linear = _solve(design.x, predictor - offset + (y - mean) / mean, mean)
        predictor = linear + offset
        mean = np.exp(np.clip(predictor, -700, 700))
        deviance = 2 * float((np.where(y > 0, y * np.log(np.where(y > 0, y, 1.0) / mean), 0.0) - (y - mean)).sum())
        if abs(before - deviance) <= 1e-12 * (abs(deviance) + 0.1 * float(y.mean())):
            return beta, mean
        before = deviance
    raise EstimationError("the model of the series does not settle. Leave out covariates, harmonics or the slope.")
