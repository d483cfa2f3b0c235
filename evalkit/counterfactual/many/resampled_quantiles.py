"""Weighted quantiles and shares of both arms, drawn again by cluster: all from the same draws."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import stats

from evalkit.counterfactual.arms import arm_clusters
from evalkit.counterfactual.panel import Panel

AT_ONCE = 4_000_000  # numbers held in memory
BLOCKS = 2_500  # of an arm: more people than that are drawn in blocks, which for independent people is as good


@dataclass(frozen=True)
class Drawn:
    """Estimates of the two arms and their draws: treated and comparison, shape (2, k) and (draws, 2, k)."""

    found: np.ndarray
    draws: np.ndarray

    @property
    def difference(self) -> np.ndarray:
        """Treated less comparison, shape (k,)."""
        return np.asarray(self.found[0] - self.found[1])

    @property
    def differences(self) -> np.ndarray:
        """The same in each draw, shape (draws, k)."""
        return np.asarray(self.draws[:, 0] - self.draws[:, 1])


def quantiles(y: np.ndarray, weights: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Weighted quantiles of sorted values; halfway where the weight is exactly reached.

    Parameters
    ----------
    y : ndarray, shape (n,)
        Ascending.
    weights : ndarray, shape (draws, n)
        Of each value in each draw.
    at : ndarray, shape (k,)
        Shares of the weight.

    Returns
    -------
    ndarray, shape (draws, k)
        NaN in a draw without weight.
    """
    reached = np.cumsum(weights, axis=1)
    total = reached[:, -1:]
    out = np.full((len(weights), len(at)), np.nan)
    for draw in np.flatnonzero(total[:, 0] > 0):
        wanted, slack = at * total[draw], 1e-9 * total[draw]
        low = np.searchsorted(reached[draw], wanted - slack)
        high = np.searchsorted(reached[draw], wanted + slack)
        out[draw] = (y[np.minimum(low, len(y) - 1)] + y[np.minimum(high, len(y) - 1)]) / 2
    return out


def draw_quantiles(panel: Panel, weights: np.ndarray, at: np.ndarray, draws: int, seed: int) -> Drawn:
    """Quantiles of both arms, and in each draw.

    Parameters
    ----------
    panel : Panel
        The people.
    weights : ndarray, shape (n,)
        Of each person, fixed over the draws.
    at : ndarray, shape (k,)
        Shares.
    draws, seed : int
        Of the cluster bootstrap.

    Returns
    -------
    Drawn
        In the outcome's unit.
    """
    order = np.argsort(panel.y, kind="stable")
    arms = [order[panel.treated[order] == arm] for arm in (1.0, 0.0)]
    found = np.vstack([quantiles(panel.y[rows], weights[None, rows], at) for rows in arms])
    groups = _drawn_together(panel)
    told = [
        np.stack([quantiles(panel.y[rows], weights[rows] * times[:, groups[rows]], at) for rows in arms], axis=1)
        for times in _multiplicities(panel, groups, draws, seed)
    ]
    return Drawn(found, np.concatenate(told))


def draw_shares(panel: Panel, weights: np.ndarray, states: np.ndarray, draws: int, seed: int) -> Drawn:
    """Shares of both arms in each state, and in each draw (the same draws as those of `draw_quantiles`).

    Parameters
    ----------
    panel, weights, draws, seed
        As there.
    states : ndarray of bool, shape (n, k)
        Who is in which state; who is in none is not counted.

    Returns
    -------
    Drawn
        Shares.
    """
    groups, counted = _drawn_together(panel), states.any(axis=1)
    size = int(groups.max()) + 1
    sums = []
    for arm in (1.0, 0.0):
        mine = (weights * (panel.treated == arm) * counted)[:, None]
        sums.append(np.column_stack([np.bincount(groups, column, minlength=size) for column in (mine * states).T]))
    tops = np.stack(sums)  # arms, clusters, states
    found = tops.sum(axis=1) / tops.sum(axis=(1, 2))[:, None]
    told = []
    for times in _multiplicities(panel, groups, draws, seed):
        top = np.einsum("dc,acs->das", times, tops)
        with np.errstate(invalid="ignore"):
            told.append(top / top.sum(axis=2, keepdims=True))
    return Drawn(found, np.concatenate(told))


def _drawn_together(panel: Panel) -> np.ndarray:
    """Codes of those drawn as one: clusters, people, or blocks of one arm's people where they are very many."""
    if panel.cluster is not None or np.bincount(panel.treated.astype(int)).max() <= BLOCKS:
        return panel.groups
    groups = np.zeros(len(panel.y), int)
    for arm in (0, 1):
        mine = panel.treated == arm
        groups[mine] = np.arange(int(mine.sum())) % BLOCKS + arm * BLOCKS
    return np.unique(groups, return_inverse=True)[1]


def _multiplicities(panel: Panel, groups: np.ndarray, draws: int, seed: int) -> Iterator[np.ndarray]:
    """How often each cluster is drawn, in portions: within the arms where each cluster lies in one, else over all."""
    size = int(groups.max()) + 1
    treated = np.bincount(groups, panel.treated, minlength=size)
    people = np.bincount(groups, minlength=size)
    mixed = bool(((treated > 0) & (treated < people)).any())
    strata = [np.arange(size)] if mixed else [np.flatnonzero(treated > 0), np.flatnonzero(treated == 0)]
    random = np.random.default_rng(seed)
    portion = max(1, AT_ONCE // len(panel.y))
    for first in range(0, draws, portion):
        count = min(portion, draws - first)
        times = np.zeros((count, size))
        for stratum in strata:
            for draw in times:
                chosen = random.integers(0, len(stratum), len(stratum))
                draw[stratum] = np.bincount(chosen, minlength=len(stratum))
        yield times


def widened(panel: Panel, level: float) -> tuple[float, float]:
    """Which quantiles of the draws bound an interval, wider where the smaller arm has few clusters.

    Parameters
    ----------
    panel : Panel
        The people.
    level : float
        Of the interval.

    Returns
    -------
    (float, float)
        The expanded percentile interval's.

    References
    ----------
    Hesterberg (2015), The American Statistician 69, 371-386, section 5.3.
    """
    arms = arm_clusters(panel) or {name: int((panel.treated == arm).sum()) for name, arm in (("1", 1), ("0", 0))}
    size = min(arms.values())
    reach = math.sqrt(size / (size - 1)) * float(stats.t.ppf(0.5 + level / 2, size - 1))
    tail = float(stats.norm.sf(reach))
    return tail, 1 - tail
