"""Weights of one arm that give its covariates wanted means, as near to even as possible (entropy balancing)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.errors import EstimationError

Array = np.ndarray
EXACT = 1e-9  # of a standard deviation: means nearer than this agree
STEPS = 200


def terms(x: pd.DataFrame, moments: int) -> pd.DataFrame:
    """Covariates and their powers, each with mean 0 and standard deviation 1.

    Parameters
    ----------
    x : DataFrame, shape (n, k)
        Numbers.
    moments : {1, 2, 3}
        1 for means; 2 for variances too, 3 for skewness too, of numbers with more than two values.

    Returns
    -------
    DataFrame, shape (n, k or more)
        Names say which power; powers that repeat what is there are left out.
    """
    found: dict[str, Array] = {}
    for name in x:
        values = x[name].to_numpy()
        plain = (values - values.mean()) / values.std()
        found[str(name)] = plain
        distinct = len(np.unique(values))
        for power in range(2, moments + 1):
            if distinct > power:
                raised = plain**power
                found[f"{name} to the power of {power}"] = (raised - raised.mean()) / raised.std()
    return pd.DataFrame(found)


def balancing_weights(z: pd.DataFrame, wanted: Array, who: str) -> Array:
    """Solve for the weights by Newton's method on the dual, with a line search.

    Parameters
    ----------
    z : DataFrame, shape (m, k)
        Terms of the arm that is weighted.
    wanted : ndarray, shape (k,)
        The means they shall have.
    who : str
        The arm, for messages: "comparison".

    Returns
    -------
    ndarray, shape (m,)
        Adding up to 1.

    Raises
    ------
    EstimationError
        No weights can give these means: the arm does not reach where it should.

    References
    ----------
    Hainmueller (2012), Political Analysis 20, 25-46.
    """
    away = z.to_numpy() - wanted
    slopes = np.zeros(away.shape[1])
    weights, now = _dual(away, slopes)
    for _ in range(STEPS):
        gradient = weights @ away
        if np.abs(gradient).max() < EXACT:
            return weights
        curvature = (away * weights[:, None]).T @ away - np.outer(gradient, gradient)
        step = np.linalg.lstsq(curvature, gradient, rcond=1e-12)[0]
        slopes, weights, now, moved = _searched(away, slopes, (weights, now), step, float(gradient @ step))
        if not moved or np.abs(slopes).max() > 1e4:
            break
    if np.abs(weights @ away).max() < 1e3 * EXACT:
        return weights
    raise EstimationError(_out_of_reach(z, wanted, who))


def _dual(away: Array, slopes: Array) -> tuple[Array, float]:
    """Weights at these slopes, and the log of the sum that is made smallest."""
    power = -(away @ slopes)
    top = power.max()
    raised = np.exp(power - top)
    total = raised.sum()
    return raised / total, float(top + np.log(total))


def _searched(
    away: Array, slopes: Array, here: tuple[Array, float], step: Array, gain: float
) -> tuple[Array, Array, float, bool]:
    """Go along the step, halving it until the dual falls as it should."""
    size = 1.0
    for _ in range(40):
        weights, value = _dual(away, slopes + size * step)
        if value <= here[1] - 1e-4 * size * gain + 1e-14 * abs(here[1]):
            return slopes + size * step, weights, value, True
        size /= 2
    return slopes, *here, False


def _out_of_reach(z: pd.DataFrame, wanted: Array, who: str) -> str:
    """Which terms lie outside the arm's range."""
    values = z.to_numpy()
    outside = (wanted <= values.min(axis=0)) | (wanted >= values.max(axis=0))
    names = [str(name) for name, out in zip(z.columns, outside, strict=True) if out]
    if names:
        found = f"the mean of {words.listed(names[:6])} lies outside the {who}'s range"
    else:
        found = f"each mean lies within the {who}'s range, but not all of them together"
    return (
        f"no weights of the {who} give it the means wanted, so nobody comparable is left: {found}. Drop or coarsen "
        "covariates, ask for fewer moments, or leave out by a cohort rule people without a counterpart."
    )
