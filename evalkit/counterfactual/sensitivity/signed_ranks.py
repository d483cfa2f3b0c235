"""The signed-rank statistic when a biased coin decides the sign of each pair's difference."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

EXACT = 200  # pairs up to which every value of the statistic is counted


def ranks_of(sizes: np.ndarray) -> np.ndarray:
    """Rank the sizes of differences, ties sharing their mean rank.

    Parameters
    ----------
    sizes : ndarray, shape (n,)
        Above 0; what agrees to 12 digits is tied, since differences of decimals carry rounding.

    Returns
    -------
    ndarray, shape (n,)
        From 1 to n, by halves.
    """
    return stats.rankdata(np.round(sizes / sizes.max(), 12))


def distribution(ranks: np.ndarray, chance: float) -> np.ndarray:
    """Probabilities of the sum of the ranks with a positive sign, in half ranks.

    Parameters
    ----------
    ranks : ndarray, shape (n,)
        Of the sizes, by halves.
    chance : float
        Of a positive sign, for each pair by itself.

    Returns
    -------
    ndarray, shape (2 * sum of ranks + 1,)
        Probability that twice the statistic is 0, 1, 2 ...
    """
    doubled = np.round(2 * ranks).astype(int)
    probability = np.zeros(int(doubled.sum()) + 1)
    probability[0] = 1.0
    reached = 0
    for step in np.sort(doubled):
        now = probability[: reached + 1].copy()
        probability[: reached + 1] *= 1 - chance
        probability[step : step + reached + 1] += chance * now
        reached += int(step)
    return probability


def tails(ranks: np.ndarray, positive: np.ndarray, gamma: float, exact: bool) -> tuple[float, float]:
    """The smallest and the largest one-sided p-value that a hidden bias up to gamma allows.

    Parameters
    ----------
    ranks, positive : ndarray, shape (n,)
        Rank of each difference, and whether it is positive.
    gamma : float
        Odds by which two matched people may differ in their chance of treatment.
    exact : bool
        Whether to count or to take the normal approximation.

    Returns
    -------
    (float, float)
        P(statistic at least as large) where every pair leans against, and where every pair leans towards a positive
        difference.
    """
    chance = gamma / (1 + gamma)
    if exact:
        probability = distribution(ranks, chance)
        seen, total = round(2 * float(ranks[positive].sum())), len(probability) - 1
        # Leaning the other way turns the distribution round, so one distribution gives both tails.
        return float(min(probability[: total - seen + 1].sum(), 1.0)), float(min(probability[seen:].sum(), 1.0))
    spread = math.sqrt(chance * (1 - chance) * float((ranks**2).sum()))
    ends = (float(ranks[positive].sum()) - lean * ranks.sum() for lean in (1 - chance, chance))
    low, high = (float(stats.norm.sf(end / spread)) for end in ends)
    return low, high


def critical_sum(n: int, gamma: float, alpha: float, exact: bool) -> float:
    """The smallest statistic that is significant when every pair leans towards a positive difference.

    Parameters
    ----------
    n : int
        Pairs, without ties.
    gamma : float
        As in `tails`.
    alpha : float
        One-sided level.
    exact : bool
        As in `tails`.

    Returns
    -------
    float
        Infinite where even all pairs positive are not significant.
    """
    ranks, chance = np.arange(1, n + 1.0), gamma / (1 + gamma)
    if not exact:
        return chance * ranks.sum() + float(stats.norm.isf(alpha)) * math.sqrt(chance * (1 - chance) * (ranks**2).sum())
    upper = np.cumsum(distribution(ranks, chance)[::-1])[::-1][::2]
    enough = np.flatnonzero(upper <= alpha)
    return float(enough[0]) if len(enough) else math.inf


def where_fewer(ordered: np.ndarray, count: float) -> float:
    """The smallest shift that leaves fewer than ``count`` averages of two differences (or one) above it.

    Parameters
    ----------
    ordered : ndarray, shape (n,)
        Differences, ascending.
    count : float
        Of the n (n + 1) / 2 averages; the signed-rank statistic of the shifted differences is the number above.

    Returns
    -------
    float
        Minus infinity where there are never so many.
    """
    n = len(ordered)
    if count > n * (n + 1) / 2:
        return -math.inf

    def above(shift: float) -> float:
        ordered_pairs = n * n - np.searchsorted(ordered, 2 * shift - ordered, side="right").sum()
        return (ordered_pairs + (ordered > shift).sum()) / 2

    low, high = float(ordered[0]), float(ordered[-1])
    if above(low) < count:
        return low
    for _ in range(200):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        low, high = (low, middle) if above(middle) < count else (middle, high)
    return high


def likeliest_shift(ordered: np.ndarray, gamma: float) -> tuple[float, float]:
    """The Hodges-Lehmann estimates at both ends of what a hidden bias up to gamma allows.

    Parameters
    ----------
    ordered : ndarray, shape (n,)
        Differences, ascending.
    gamma : float
        As in `tails`.

    Returns
    -------
    (float, float)
        The shift at which the statistic equals its expectation, every pair leaning towards and against a positive
        difference; equal where gamma is 1.
    """
    pairs = len(ordered) * (len(ordered) + 1) / 2
    ends = []
    for chance in (gamma / (1 + gamma), 1 / (1 + gamma)):
        expected = chance * pairs
        expected = float(round(expected)) if abs(expected - round(expected)) < 1e-9 * pairs else expected
        ends.append((where_fewer(ordered, expected) + where_fewer(ordered, math.floor(expected) + 1)) / 2)
    return ends[0], ends[1]
