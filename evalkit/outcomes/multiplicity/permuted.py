"""The difference between arms, for the arms as they are and for thousands of shuffled ones at a time.

Everything a shuffle needs is a sum over units, so many shuffles are one product of matrices: shuffled arms times
what each unit holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from evalkit.outcomes.multiplicity.assigned import Assignment

_NOTHING = 1e-14
Again = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Compared:
    """Effects, statistics and p-values by measure, each of shape (n_measures,), and how to find them again.

    ``again`` takes arms of shape (some draws, n_units) and gives statistics of shape (some draws, n_measures).
    """

    effect: np.ndarray
    statistic: np.ndarray
    p_t: np.ndarray
    again: Again


def compare(values: np.ndarray, plan: Assignment) -> Compared:
    """Compare the arms in every measure.

    Parameters
    ----------
    values : ndarray of float, shape (n_people, n_measures)
        Missing ones are NaN.
    plan : Assignment
        What was assigned.

    Returns
    -------
    Compared
        Welch's t for people without strata; else the difference within strata over a robust standard error.
    """
    from scipy import stats

    arms = plan.treated[None, :].astype(float)
    plain = not plan.clustered and len(plan.blocks) == 1
    engine = _Welch(_by_unit(values, plan)) if plain else _Within(values, plan)
    effect, error, freedom = (part[0] for part in engine.parts(arms))
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where(error > 0, effect / error, np.nan)
        p = 2 * stats.t.sf(np.abs(statistic), np.where(freedom > 0, freedom, np.nan))
    return Compared(effect, statistic, p, engine.statistics)


def _by_unit(values: np.ndarray, plan: Assignment) -> np.ndarray:
    """Persons in the order of their units."""
    ordered = np.empty_like(values)
    ordered[plan.unit] = values
    return ordered


def _centred(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which values are there, and the values less their mean, 0 where missing."""
    there = ~np.isnan(values)
    count = np.maximum(there.sum(axis=0), 1)
    filled = np.where(there, values, 0.0)
    return there, np.where(there, filled - filled.sum(axis=0) / count, 0.0)


class _Welch:
    """Welch's t of one person each; with values centred, one sum and one sum of squares say it all."""

    def __init__(self, values: np.ndarray) -> None:
        there, self.y = _centred(values)
        self.squares = self.y**2
        self.all = self.squares.sum(axis=0)
        self.n = there.sum(axis=0).astype(float)
        self.there = None if there.all() else there.astype(float)

    def _sums(self, arms: np.ndarray) -> tuple[np.ndarray, ...]:
        n1 = arms.sum(axis=1)[:, None] if self.there is None else arms @ self.there
        n0 = self.n - n1
        total, squares = arms @ self.y, arms @ self.squares
        with np.errstate(divide="ignore", invalid="ignore"):
            one = (squares - total**2 / n1) / (n1 * (n1 - 1))
            other = (self.all - squares - total**2 / n0) / (n0 * (n0 - 1))
            effect = total * (1 / n1 + 1 / n0)
            least = _NOTHING * self.all * (1 / (n1 * (n1 - 1)) + 1 / (n0 * (n0 - 1)))
        usable = (n1 > 1) & (n0 > 1)
        one, other = np.where(usable, np.maximum(one, least), np.nan), np.where(usable, np.maximum(other, 0), np.nan)
        return effect, one, other, n1, n0

    def parts(self, arms: np.ndarray) -> tuple[np.ndarray, ...]:
        """Effect, standard error and Welch's degrees of freedom."""
        effect, one, other, n1, n0 = self._sums(arms)
        with np.errstate(divide="ignore", invalid="ignore"):
            freedom = (one + other) ** 2 / (one**2 / (n1 - 1) + other**2 / (n0 - 1))
        return effect, np.sqrt(one + other), freedom

    def statistics(self, arms: np.ndarray) -> np.ndarray:
        """T of each shuffle and measure; NaN where an arm has fewer than two values."""
        effect, one, other, _, _ = self._sums(arms)
        with np.errstate(divide="ignore", invalid="ignore"):
            return effect / np.sqrt(one + other)


class _Within:
    """The difference within strata by least squares, with a standard error robust to clusters (or to people alone).

    With D the arm of a unit, p the treated share of its stratum, n its people and a the sum of its values less the
    stratum's mean: effect = sum D a / sum n p (1 - p), and the unit's score is (D - p)(a - effect n (D - p)). Because D
    is 0 or 1, every power of (D - p) is linear in D, so squares of scores are sums over treated units as well.
    """

    def __init__(self, values: np.ndarray, plan: Assignment) -> None:
        there, y = _centred(values)
        stratum = np.repeat(np.arange(len(plan.blocks)), [block.stop - block.start for block in plan.blocks])
        within = stratum[plan.unit]
        seen = there.astype(float)
        inside = _summed(seen, within, len(plan.blocks))
        mean = _summed(y, within, len(plan.blocks)) / np.maximum(inside, 1)
        y = np.where(there, y - mean[within], 0.0)
        units = len(plan.treated)
        self.n, self.a = _summed(seen, plan.unit, units), _summed(y, plan.unit, units)
        self.blocks, self.clustered = plan.blocks, plan.clustered
        self.squares, self.products, self.sizes = self.a**2, self.a * self.n, self.n**2

    def parts(self, arms: np.ndarray) -> tuple[np.ndarray, ...]:
        """Effect, standard error and degrees of freedom."""
        people, units = self.n.sum(axis=0), (self.n > 0).sum(axis=0)
        strata = np.array([(self.n[block].sum(axis=0) > 0) for block in self.blocks]).sum(axis=0)
        effect, variance = self._sums(arms)
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.clustered:
                factor = units / (units - strata) * (people - 1) / (people - 2)
            else:
                factor = people / (people - strata - 1)
        freedom = units - strata - 1.0
        error = np.sqrt(np.where(freedom > 0, factor, np.nan) * variance)
        return effect, error, np.broadcast_to(freedom, effect.shape)

    def statistics(self, arms: np.ndarray) -> np.ndarray:
        """T of each shuffle and measure, but for a factor that no shuffle changes; NaN where an arm has no values."""
        effect, error, _ = self.parts(arms)
        with np.errstate(divide="ignore", invalid="ignore"):
            return effect / error

    def _sums(self, arms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        shape = (len(arms), self.n.shape[1])
        room, total, square, cross, size = (np.zeros(shape) for _ in range(5))
        for block in self.blocks:
            d, all_n = arms[:, block], self.n[block].sum(axis=0)
            n1 = d @ self.n[block]
            p = n1 / np.maximum(all_n, 1)
            room += n1 * (1 - p)
            total += d @ self.a[block]
            square += (1 - 2 * p) * (d @ self.squares[block]) + p**2 * self.squares[block].sum(axis=0)
            third = (1 - 3 * p + 3 * p**2) * (d @ self.products[block])
            cross += third - p**3 * self.products[block].sum(axis=0)
            fourth = ((1 - p) ** 4 - p**4) * (d @ self.sizes[block])
            size += fourth + p**4 * self.sizes[block].sum(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            effect = np.where(room > 0, total / room, np.nan)
            variance = np.maximum(square - 2 * effect * cross + effect**2 * size, _NOTHING * square) / room**2
        return effect, variance


def _summed(values: np.ndarray, code: np.ndarray, groups: int) -> np.ndarray:
    """Sums by group of every column, shape (n_groups, n_columns)."""
    return np.column_stack([np.bincount(code, column, minlength=groups) for column in values.T])
