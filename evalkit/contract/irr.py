"""Every rate at which a row of cash flows is worth nothing: found one by one, none missed."""

from __future__ import annotations

import numpy as np

LEAST = -0.99  # a second root below this, near a total loss, is an artefact of a small last payment
TOP = 700.0  # the logarithm of the greatest number that is still a number


def roots(amounts: np.ndarray, years: np.ndarray) -> list[float]:
    """Find every rate of return above -1, lowest first.

    Between two neighbouring roots of such a sum of powers lies a root of its derivative, and the derivative has one
    term less. So the roots of the shorter sums, down to one whose signs change once, bracket those of the longer ones.

    Parameters
    ----------
    amounts : ndarray, shape (n,)
        One amount per date; negative ones were paid in.
    years : ndarray, shape (n,)
        Time of each in years, rising.

    Returns
    -------
    list of float
        Shares a year; empty where no rate makes the flows worth nothing.

    References
    ----------
    The number of roots is at most the number of changes of sign (Descartes' rule for sums of exponentials: Laguerre
    1883; Jameson 2006, Mathematical Gazette 90, 223-234).
    """
    kept = amounts != 0
    times = years[kept]
    levels = [amounts[kept] / np.abs(amounts).max()] if kept.any() else []
    while levels and _changes(levels[-1]) > 1:
        start = len(levels) - 1
        shorter = levels[-1][1:] * (times[start + 1 :] - times[start])
        levels.append(shorter / np.abs(shorter).max())
    found: list[float] = []
    for start in reversed(range(len(levels))):
        found = _between(levels[start], times[start:], found)
    with np.errstate(over="ignore"):
        return [float(np.expm1(min(root, TOP))) for root in found]


def counted(found: list[float]) -> list[float]:
    """Leave out roots near a total loss where there are others.

    Parameters
    ----------
    found : list of float
        From `roots`.

    Returns
    -------
    list of float
        A single root as it is; of several, those above -99 % a year.
    """
    return found if len(found) < 2 else [root for root in found if root > LEAST]


def _changes(amounts: np.ndarray) -> int:
    """How often the sign changes from one amount to the next."""
    signs = np.sign(amounts[amounts != 0])
    return int((signs[1:] != signs[:-1]).sum())


def _between(amounts: np.ndarray, times: np.ndarray, turns: list[float]) -> list[float]:
    """The roots of one sum, in log(1 + rate), given where its slope (times a power) is nothing."""
    from scipy.optimize import brentq  # here, so that importing evalkit stays fast

    if _changes(amounts) == 0:
        return []

    def worth(log_rate: float) -> float:
        powers = -log_rate * times
        return float((amounts * np.exp(powers - powers.max())).sum())

    low, high = _bounds(amounts, times)
    ends = [low, *(turn for turn in turns if low < turn < high), high]
    heights = [worth(end) for end in ends]
    found = [end for end, height in zip(ends, heights, strict=True) if height == 0]
    crossed = [place for place in range(len(ends) - 1) if heights[place] * heights[place + 1] < 0]
    found += [float(brentq(worth, ends[at], ends[at + 1], xtol=1e-14, rtol=1e-14, maxiter=500)) for at in crossed]
    return sorted(found)


def _bounds(amounts: np.ndarray, times: np.ndarray) -> tuple[float, float]:
    """Beyond these the first, or the last, amount outweighs all others."""
    sizes = np.maximum(np.abs(amounts), np.finfo(float).tiny)  # of very many flows the smallest vanish
    high = (np.log(sizes[1:].sum()) - np.log(sizes[0])) / (times[1] - times[0])
    low = (np.log(sizes[:-1].sum()) - np.log(sizes[-1])) / (times[-1] - times[-2])
    return -max(float(low), 0.0) - 1.0, max(float(high), 0.0) + 1.0
