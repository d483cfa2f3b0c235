"""The same estimate for areas where nothing happened: how unusual is the treated area's gap, and which effects fit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations, islice

import numpy as np

from evalkit.counterfactual.areas.donors import donor_weights
from evalkit.counterfactual.areas.grid import Grid
from evalkit.counterfactual.inference import Interval

# A fit below this share of the outcome's spread is perfect up to rounding, and a ratio to it means nothing.
PERFECT = 1e-4


@dataclass(frozen=True, eq=False)
class Placebos:
    """The treated areas' estimate and those of other sets of as many areas.

    Parameters
    ----------
    sets : ndarray of int, shape (n_sets, n_treated)
        Which areas are taken as the treated; the first row is those that are.
    gaps : ndarray, shape (n_sets, n_times)
        Outcome less that of the mix of all other areas.
    weights : ndarray, shape (n_sets, n_units)
        The mixes; 0 for the areas of the set.
    pull : ndarray, shape (n_sets,)
        By how much a gap falls when the treated areas' outcome is lowered by 1.
    start : int
        First time after.
    spread : float
        Of all outcomes before, in the outcome's unit.
    """

    sets: np.ndarray
    gaps: np.ndarray
    weights: np.ndarray
    pull: np.ndarray
    start: int
    spread: float

    @property
    def before(self) -> np.ndarray:
        """Root mean square gap before, shape (n_sets,)."""
        return np.asarray(np.sqrt((self.gaps[:, : self.start] ** 2).mean(axis=1)))

    @property
    def after(self) -> np.ndarray:
        """Root mean square gap after, shape (n_sets,)."""
        return np.asarray(np.sqrt((self.gaps[:, self.start :] ** 2).mean(axis=1)))

    @property
    def perfect(self) -> bool:
        """Whether some set is fitted without any gap before, so that gaps after are compared and no ratios."""
        return bool((self.before <= PERFECT * self.spread).any())

    @property
    def unit(self) -> np.ndarray:
        """What a gap after is divided by: the gap before, or 1 for all where some fit perfectly; shape (n_sets,)."""
        return np.ones(len(self.before)) if self.perfect else self.before

    @property
    def rank(self) -> int:
        """Place of the treated areas' gap after against before, 1 the largest; ties count against them."""
        ratio = self.after / self.unit
        return int((ratio >= ratio[0] * (1 - 1e-9)).sum())


def run_placebos(grid: Grid, draws: int, seed: int) -> Placebos:
    """Estimate for the treated areas and for every other set of as many areas.

    The treated areas stay among the donors of the others: without an effect all sets are then on a par, and the rank is
    exact whatever the outcomes look like (to leave them out would favour the treated with one donor more).

    Parameters
    ----------
    grid : Grid
        Areas by times.
    draws : int
        At most so many other sets, drawn at random where there are more (several treated areas only).
    seed : int
        Of that draw.

    Returns
    -------
    Placebos
        The treated first.
    """
    sets = _sets(grid, draws, seed)
    n = len(grid.units)
    gaps, weights = np.empty((len(sets), grid.y.shape[1])), np.zeros((len(sets), n))
    for place, chosen in enumerate(sets):
        others = np.delete(np.arange(n), chosen)
        path = grid.y[chosen].mean(axis=0)
        weights[place, others] = donor_weights(path[: grid.start], grid.y[others, : grid.start])
        gaps[place] = path - weights[place] @ grid.y
    share = np.array([grid.treated[chosen].mean() for chosen in sets])
    pull = share - weights @ grid.treated
    return Placebos(sets, gaps, weights, pull, grid.start, float(grid.y[:, : grid.start].std()))


def _sets(grid: Grid, draws: int, seed: int) -> np.ndarray:
    """The treated set, then the others: all of them, or as many as asked."""
    n, size = len(grid.units), int(grid.treated.sum())
    mine = np.flatnonzero(grid.treated)
    if size == 1 or math.comb(n, size) - 1 <= draws:
        rest = [one for one in combinations(range(n), size) if one != tuple(mine)]
        return np.array([mine, *rest])
    random = np.random.default_rng(seed)
    drawn: dict[tuple[int, ...], None] = {}
    while len(drawn) < draws:
        one = tuple(sorted(random.choice(n, size, replace=False).tolist()))
        if one != tuple(mine):
            drawn[one] = None
    return np.array([mine, *islice(drawn, draws)])


def interval_of_rank(placebos: Placebos, level: float) -> Interval:
    """The effects that the rank test does not reject, if the effect is the same at every time after.

    For each effect the treated areas' outcome is lowered by it and all sets are ranked again; gaps are linear in it,
    so that the ends are roots of quadratics and nothing is searched for on a grid.

    Parameters
    ----------
    placebos : Placebos
        From `run_placebos`.
    level : float
        Such as 0.95.

    Returns
    -------
    Interval
        The effects not rejected around the estimate: far from it, where the lowered outcome spoils the donors' mixes,
        ranking may fail to reject again, and such pieces are left out. Infinite where there is no end; NaN where the
        sets are too few for the level (fewer than 1 / (1 - level)) or the estimate itself is rejected, because no
        constant effect fits the gaps. p is the rank's.

    References
    ----------
    Firpo and Possebom (2018), Journal of Causal Inference 6(2), section 4; Abadie, Diamond and Hainmueller (2015),
    American Journal of Political Science 59, 495-510, for the ratio.
    """
    n = len(placebos.gaps)
    p = placebos.rank / n
    if n * (1 - level) < 1 - 1e-9:
        return Interval(p=p)
    after = placebos.gaps[:, placebos.start :]
    square = (placebos.pull / placebos.unit) ** 2
    slope = -2 * placebos.pull * after.mean(axis=1) / placebos.unit**2
    level_0 = (placebos.after / placebos.unit) ** 2
    ends = _roots(square[1:] - square[0], slope[1:] - slope[0], level_0[1:] - level_0[0])
    # One effect from each stretch between neighbouring ends tells for all of it.
    between = (np.concatenate([[0.0], ends]) + np.concatenate([ends, [0.0]])) / 2
    if len(ends):
        between[[0, -1]] = ends[0] - 1 - abs(ends[0]), ends[-1] + 1 + abs(ends[-1])
    ratio = square * between[:, None] ** 2 + slope * between[:, None] + level_0
    kept = (ratio >= ratio[:, :1]).sum(axis=1) > n * (1 - level) + 1e-9
    here = int(np.searchsorted(ends, after[0].mean()))
    if not kept[here]:
        return Interval(p=p)
    edges = np.concatenate([[-math.inf], ends, [math.inf]])
    below, above = np.flatnonzero(~kept[:here]), np.flatnonzero(~kept[here:])
    low = float(edges[below[-1] + 1]) if len(below) else -math.inf
    return Interval(p=p, low=low, high=float(edges[here + above[0]]) if len(above) else math.inf)


def _roots(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """All real roots of the quadratics a t^2 + b t + c, ascending; as -2c / (b + sign(b) root) where a is near 0."""
    under = b**2 - 4 * a * c
    a, b, c = a[under >= 0], b[under >= 0], c[under >= 0]
    half = -(b + np.where(b >= 0, 1.0, -1.0) * np.sqrt(under[under >= 0])) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.concatenate([half / a, c / half])
    return np.unique(found[np.isfinite(found)])
