"""Two independent shares, each with a score interval: their difference, its p-value, and their ratio."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import stats


@dataclass(frozen=True)
class Share:
    """A share of people and what its uncertainty comes from.

    Parameters
    ----------
    value : float
        Between 0 and 1; beyond where a trend takes it there.
    n : float
        People it was counted in (Wilson's interval); infinite where it is known exactly.
    moved : float
        What was added to the counted share (a trend).
    also : float
        Standard error of what was added.
    """

    value: float
    n: float
    moved: float = 0.0
    also: float = 0.0

    def ends(self, z: float) -> tuple[float, float]:
        """The interval at z standard errors."""
        counted = self.value - self.moved
        low, high = wilson_at(counted, self.n, z)
        down, up = math.hypot(counted - low, z * self.also), math.hypot(high - counted, z * self.also)
        return self.value - down, self.value + up

    def absence(self) -> Share:
        """The share of those without it."""
        return Share(1 - self.value, self.n, -self.moved, self.also)


def wilson_at(share: float, n: float, z: float) -> tuple[float, float]:
    """Wilson's score interval at z standard errors.

    Parameters
    ----------
    share, n : float
        The share, and of how many; n may be infinite.
    z : float
        Normal quantile.

    Returns
    -------
    (float, float)
        Between 0 and 1.

    References
    ----------
    Wilson (1927), JASA 22, 209-212.
    """
    if math.isinf(n):
        return share, share
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return (0.0 if share == 0 else middle - half), (1.0 if share == 1 else middle + half)


def difference_ends(one: Share, other: Share, z: float) -> tuple[float, float]:
    """Newcombe's interval of the first share less the second.

    Parameters
    ----------
    one, other : Share
        Independent of each other.
    z : float
        Normal quantile.

    Returns
    -------
    (float, float)
        The bounds.

    References
    ----------
    Newcombe (1998), Statistics in Medicine 17, 873-890, method 10.
    """
    (low, high), (other_low, other_high) = one.ends(z), other.ends(z)
    gap = one.value - other.value
    down = math.hypot(one.value - low, other_high - other.value)
    return gap - down, gap + math.hypot(high - one.value, other.value - other_low)


def p_of_difference(one: Share, other: Share) -> float:
    """The p-value that says what the interval says: 1 less the level at which an end of it touches 0.

    Parameters
    ----------
    one, other : Share
        Independent of each other.

    Returns
    -------
    float
        1 where the shares are equal.
    """
    gap = one.value - other.value
    if gap == 0:
        return 1.0
    inside, outside = 0.0, 40.0
    for _ in range(80):
        z = (inside + outside) / 2
        low, high = difference_ends(one, other, z)
        inside, outside = (inside, z) if low <= 0 <= high else (z, outside)
    return float(2 * stats.norm.sf(inside))


def ratio_ends(top: Share, bottom: Share, z: float) -> tuple[float, float]:
    """The interval of one share over another, from the intervals of both.

    Parameters
    ----------
    top, bottom : Share
        Independent of each other.
    z : float
        Normal quantile.

    Returns
    -------
    (float, float)
        The bounds; unbounded where the lower share may be 0.

    References
    ----------
    Donner and Zou (2012), Statistical Methods in Medical Research 21, 347-359; Fagerland and Newcombe (2013),
    Statistics in Medicine 32, 2823-2836.
    """
    (low_1, high_1), (low_2, high_2) = top.ends(z), bottom.ends(z)
    if not low_2 > 0:
        return -math.inf, math.inf
    both = top.value * bottom.value
    first, second = low_1 * (2 * top.value - low_1), high_2 * (2 * bottom.value - high_2)
    third, fourth = high_1 * (2 * top.value - high_1), low_2 * (2 * bottom.value - low_2)
    under = both + math.sqrt(max(both**2 - first * second, 0.0))
    low = first / under if under > 0 else 0.0
    return low, (both + math.sqrt(max(both**2 - third * fourth, 0.0))) / fourth
