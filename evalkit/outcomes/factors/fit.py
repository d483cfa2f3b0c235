"""How well a factor model fits, in the conventions of lavaan, so that figures can be set beside published ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_RMSEA_LEVEL = 0.90


@dataclass(frozen=True)
class FitIndices:
    """The usual fit indices of one model.

    Attributes
    ----------
    chisq, df, p
        Test of exact fit.
    cfi, tli
        Against the model in which nothing is related to anything.
    rmsea, srmr
        Misfit per degree of freedom; mean standardised residual.
    """

    chisq: float
    df: int
    p: float
    cfi: float
    tli: float
    rmsea: float
    srmr: float


def fit_indices(
    chisq: float, df: int, baseline: float, df_baseline: int, n: int, srmr: float, groups: int = 1
) -> FitIndices:
    """Work out CFI, TLI and RMSEA from two chi-squares.

    Parameters
    ----------
    chisq, df
        Of the model.
    baseline, df_baseline
        Of the independence model (means and variances free in every group).
    n : int
        Persons in all groups together.
    srmr : float
        Worked out beforehand from the residuals.
    groups : int
        The RMSEA is multiplied by the square root of their number (Steiger 1998).

    Returns
    -------
    FitIndices
        A saturated model has p missing and RMSEA 0.

    References
    ----------
    Bentler (1990), Psychological Bulletin 107, 238-246. Tucker and Lewis (1973), Psychometrika 38, 1-10.
    Steiger (1998), Structural Equation Modeling 5, 411-419.
    """
    from scipy.stats import chi2

    chisq = max(float(chisq), 0.0)
    excess, excess_baseline = max(chisq - df, 0.0), max(baseline - df_baseline, 0.0)
    worst = max(excess, excess_baseline)
    cfi = 1.0 if worst == 0 else 1 - excess / worst
    tli = _tli(chisq, df, baseline, df_baseline)
    rmsea = np.sqrt(excess / (n * df) * groups) if df else 0.0
    p = float(chi2.sf(chisq, df)) if df else np.nan
    return FitIndices(chisq, int(df), p, float(cfi), tli, float(rmsea), float(srmr))


def _tli(chisq: float, df: int, baseline: float, df_baseline: int) -> float:
    if df == 0:
        return 1.0
    ratio = baseline / df_baseline
    return float((ratio - chisq / df) / (ratio - 1)) if ratio != 1 else np.nan


def rmsea_interval(chisq: float, df: int, n: int, groups: int = 1) -> tuple[float, float]:
    """The 90 % interval of the RMSEA, from the noncentral chi-square distribution.

    Returns
    -------
    low, high : float
        0 to 0 for a saturated model.

    References
    ----------
    Browne and Cudeck (1993), in Bollen and Long, Testing Structural Equation Models, 136-162.
    """
    if df == 0:
        return 0.0, 0.0
    tails = ((1 + _RMSEA_LEVEL) / 2, (1 - _RMSEA_LEVEL) / 2)
    low, high = (np.sqrt(_noncentrality(chisq, df, tail) / (n * df) * groups) for tail in tails)
    return float(low), float(high)


def _noncentrality(chisq: float, df: int, tail: float) -> float:
    """The noncentrality under which a chi-square as small as this has the probability asked for."""
    from scipy.optimize import brentq
    from scipy.stats import chi2, ncx2

    if chi2.cdf(chisq, df) <= tail:
        return 0.0
    top = max(chisq, 1.0)
    while ncx2.cdf(chisq, df, top) > tail:
        top *= 2
    return float(brentq(lambda ncp: ncx2.cdf(chisq, df, ncp) - tail, 1e-10, top, xtol=1e-10))
