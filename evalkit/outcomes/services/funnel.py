"""Funnel limits: how far a service of a given size strays by chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

Array = np.ndarray


def funnel_limits(
    n: Sequence[float] | Array,
    mean: float,
    sd: float | Array,
    level: float = 0.95,
    kind: Literal["score", "share"] = "score",
) -> tuple[Array, Array]:
    """Limits within which a service of n people stays by chance, if it is like the others.

    Parameters
    ----------
    n : array, shape (n_sizes,)
        People; whole numbers for shares.
    mean : float
        The overall line.
    sd : float, or array of shape (n_sizes,)
        Between people; not used for shares.
    level : float
        0.95 or 0.998.
    kind : {"score", "share"}
        Normal limits, or exact binomial ones, interpolated so that they fall smoothly with n.

    Returns
    -------
    low, high : ndarray, shape (n_sizes,)
        In the outcome's unit.

    References
    ----------
    Spiegelhalter (2005), Statistics in Medicine 24, 1185-1202, appendix A.1.1.
    """
    sizes = np.asarray(n, dtype=float)
    tails = ((1 - level) / 2, (1 + level) / 2)
    if kind == "share":
        low, high = (_binomial_limit(sizes, mean, tail) for tail in tails)
        return low, high
    from scipy.special import ndtri

    half = float(ndtri(tails[1])) * sd / np.sqrt(sizes)
    return mean - half, mean + half


def _binomial_limit(n: Array, share: float, tail: float) -> Array:
    from scipy.stats import binom

    count = binom.ppf(tail, n, share)
    reached, before = binom.cdf(count, n, share), binom.cdf(count - 1, n, share)
    return np.clip((count - (reached - tail) / (reached - before)) / n, 0, 1)
