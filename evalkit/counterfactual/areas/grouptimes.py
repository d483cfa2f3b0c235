"""Effects by cohort and time, and the ways to sum them up: with what each unit contributes to every one of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import optimize, stats

from evalkit.counterfactual.areas.cohorts import Cohorts

FEWEST_ALONE = 2  # units of a cohort whose own spread is not trusted by itself
AGGREGATES = ("simple", "group", "dynamic", "calendar")


@dataclass(frozen=True, eq=False)
class Cells:
    """Effects by cohort and time.

    Parameters
    ----------
    cohort, time, value : ndarray, shape (k,)
        When first treated, when looked at, and the effect (or another quantity of the treated) there.
    psi : ndarray, shape (n, k)
        What each unit contributes; the variance is the sum of squares.
    base : ndarray of int, shape (k,)
        Position of the time each is measured from.
    cohorts : Cohorts
        The units.
    modelled : int
        Covariates fitted to the comparison.
    """

    cohort: np.ndarray
    time: np.ndarray
    value: np.ndarray
    psi: np.ndarray
    base: np.ndarray
    cohorts: Cohorts
    modelled: int = 0

    @property
    def post(self) -> np.ndarray:
        """Which are at or after first treatment."""
        return self.time >= self.cohort

    @property
    def share(self) -> np.ndarray:
        """Each cell's cohort as a share of all units."""
        return (self.cohorts.first[:, None] == self.cohort[None, :]).mean(axis=0)


@dataclass(frozen=True, eq=False)
class Summed:
    """Weighted sums of cells: value (m,), weights of the cells (k, m), contributions (n, m)."""

    value: np.ndarray
    weights: np.ndarray
    psi: np.ndarray


def weigh_by_cohort(cells: Cells, cohort: np.ndarray, parts: Summed) -> Summed:
    """Average parts by the size of their cohorts, which are themselves a sample.

    Parameters
    ----------
    cells : Cells
        The cells behind the parts.
    cohort : ndarray, shape (m,)
        The cohort of each part.
    parts : Summed
        What is averaged.

    Returns
    -------
    Summed
        One average; its contributions count that cohort sizes vary from sample to sample.

    References
    ----------
    Callaway and Sant'Anna (2021), Journal of Econometrics 225, 200-230, section 4.
    """
    belongs = (cells.cohorts.first[:, None] == cohort[None, :]).astype(float)
    share = belongs.mean(axis=0)
    weights, total = share / share.sum(), share.sum()
    value = float(weights @ parts.value)
    away = belongs - share
    moved = (away - np.outer(away.sum(axis=1), weights)) @ parts.value / total
    psi = parts.psi @ weights + moved / len(belongs)
    return Summed(np.array([value]), (parts.weights @ weights)[:, None], psi[:, None])


def aggregate(cells: Cells, kind: str) -> Summed:
    """One effect out of all cells after treatment.

    Parameters
    ----------
    cells : Cells
        Effects by cohort and time.
    kind : {"simple", "group", "dynamic", "calendar"}
        All cells by cohort size; cohorts' own means by cohort size; times since treatment, each alike; calendar times,
        each alike.

    Returns
    -------
    Summed
        One column.
    """
    if kind == "simple":
        return _set(cells, cells.post)
    parts, cohort = by_part(cells, kind)
    if kind == "group":
        return weigh_by_cohort(cells, np.asarray(cohort, dtype=float), parts)
    even = np.full(len(parts.value), 1 / len(parts.value))
    return Summed(np.array([parts.value @ even]), (parts.weights @ even)[:, None], (parts.psi @ even)[:, None])


def by_part(cells: Cells, kind: str, before: bool = False) -> tuple[Summed, np.ndarray]:
    """The effects that an aggregate averages.

    Parameters
    ----------
    cells : Cells
        Effects by cohort and time.
    kind : {"group", "dynamic", "calendar"}
        By cohort, by time since treatment, by calendar time.
    before : bool
        Whether times before treatment are wanted too ("dynamic").

    Returns
    -------
    (Summed, ndarray)
        A column for each part, and what it is: the cohort, the time since treatment, the time.
    """
    key = {"group": cells.cohort, "dynamic": cells.time - cells.cohort, "calendar": cells.time}[kind]
    wanted = cells.post | before
    names = np.unique(np.round(key[wanted], 9))
    sums = [_set(cells, wanted & np.isclose(key, name)) for name in names]
    return join(sums), names


def join(sums: list[Summed]) -> Summed:
    """Put sums side by side.

    Parameters
    ----------
    sums : list of Summed
        Of the same cells.

    Returns
    -------
    Summed
        All their columns.
    """
    return Summed(
        np.concatenate([one.value for one in sums]),
        np.column_stack([one.weights for one in sums]),
        np.column_stack([one.psi for one in sums]),
    )


def every_cell(cells: Cells) -> Summed:
    """Each cell by itself.

    Parameters
    ----------
    cells : Cells
        Effects by cohort and time.

    Returns
    -------
    Summed
        A column for each.
    """
    return Summed(cells.value, np.eye(len(cells.value)), cells.psi)


def _set(cells: Cells, mask: np.ndarray) -> Summed:
    """Some cells, by cohort size."""
    own = np.eye(len(mask))[:, mask]
    return weigh_by_cohort(cells, cells.cohort[mask], Summed(cells.value[mask], own, cells.psi[:, mask]))


def with_levels(cells: Cells, base: bool) -> Cells:
    """The same cells with the treated's mean outcome in place of the effect.

    Parameters
    ----------
    cells : Cells
        Effects by cohort and time.
    base : bool
        The mean at the time the effect is measured from, instead of that of the cell.

    Returns
    -------
    Cells
        Levels, with what each unit contributes to them.
    """
    column = cells.base if base else np.searchsorted(cells.cohorts.times, cells.time)
    mine = cells.cohorts.first[:, None] == cells.cohort[None, :]
    count = mine.sum(axis=0)
    y = cells.cohorts.y[:, column]
    value = (y * mine).sum(axis=0) / count
    return replace(cells, value=value, psi=np.where(mine, y - value, 0.0) / count)


@dataclass(frozen=True, eq=False)
class Spread:
    """Standard errors (as published software gives them), the same for small cohorts, and degrees of freedom; (m,)."""

    se: np.ndarray
    small: np.ndarray
    df: np.ndarray

    def half(self, level: float) -> np.ndarray:
        """Half the width of the interval."""
        return stats.t.ppf(0.5 + level / 2, self.df) * self.small

    def p(self, value: np.ndarray) -> np.ndarray:
        """Two-sided, of no effect."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return 2 * stats.t.sf(np.abs(value) / self.small, self.df)

    @property
    def ratio(self) -> float:
        """How much larger the first small-sample error is; NaN where it cannot be told, 1 where nothing varies."""
        return float(self.small[0] / self.se[0]) if self.se[0] > 0 else 1.0

    def working_df(self, level: float) -> float:
        """The degrees of freedom at which the first ``se`` gives the interval of the small-sample one.

        So that the standard error agrees with published software and the interval still covers in small cohorts.
        """
        ratio, df = self.ratio, float(self.df[0])
        if not math.isfinite(ratio) or ratio <= 1:
            return df
        wanted = math.log(ratio * stats.t.ppf(0.5 + level / 2, df))
        return math.exp(optimize.brentq(lambda x: math.log(stats.t.ppf(0.5 + level / 2, math.exp(x))) - wanted, -3, 20))


def spread(cells: Cells, summed: Summed) -> Spread:
    """The sampling spread of sums of cells.

    Cohorts are independent samples, so for the interval each one's spread is divided by its units less one (the
    comparison's less its covariates), and the degrees of freedom are Welch's over cohorts. A cohort of one or two is
    taken to spread at least as units within all cohorts do.

    Parameters
    ----------
    cells, summed : Cells, Summed
        The cells and their sums.

    Returns
    -------
    Spread
        With clusters summed by cluster and times G / (G - 1).

    References
    ----------
    Welch (1947), Biometrika 34, 28-35; Bell and McCaffrey (2002), Survey Methodology 28, 169-181.
    """
    first, psi, one_each = cells.cohorts.first, summed.psi, cells.cohorts.cluster is None
    factor = 1.0
    if cells.cohorts.cluster is not None:
        groups = int(cells.cohorts.cluster.max()) + 1
        psi = np.column_stack([np.bincount(cells.cohorts.cluster, column, groups) for column in psi.T])
        factor = groups / max(groups - 1, 1)
        nested = _nested(cells.cohorts, cells.cohorts.cluster)
        if nested is None:
            se = np.sqrt(factor * (psi**2).sum(axis=0))
            return Spread(se, se, np.full(len(se), float(max(_fewer_clusters(cells.cohorts) - 1, 1))))
        first = nested
    se = np.sqrt(factor * (psi**2).sum(axis=0))
    parts, room = [], []
    for start in np.unique(first):
        mine = psi[first == start]
        n, lost = len(mine), cells.modelled if start == 0 and one_each else 0
        left = max(n - 1 - lost, 1)
        within = ((mine - mine.mean(axis=0)) ** 2).sum(axis=0) * n / left
        if n <= FEWEST_ALONE and one_each:
            borrowed, left = _borrowed(cells, summed, start, n)
            within = np.maximum(within, borrowed)
        parts += [within, n * mine.mean(axis=0) ** 2]
        room += [left, max(len(psi) - 1, 1)]
    variance, freedom = np.array(parts), np.array(room, dtype=float)[:, None]
    total = variance.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        df = total**2 / (variance**2 / freedom).sum(axis=0)
    return Spread(se, np.sqrt(total), np.where(np.isfinite(df), np.maximum(df, 1.0), 1.0))


def _nested(cohorts: Cohorts, cluster: np.ndarray) -> np.ndarray | None:
    """The cohort of each cluster, where every cluster lies in one and every cohort has two or more."""
    pairs = np.unique(np.column_stack([cluster, cohorts.first]), axis=0)
    if len(pairs) > len(np.unique(pairs[:, 0])) or np.unique(pairs[:, 1], return_counts=True)[1].min() < 2:
        return None
    return pairs[:, 1]


def _fewer_clusters(cohorts: Cohorts) -> int:
    """Clusters with treated units, or with others, whichever are fewer."""
    treated = cohorts.first > 0
    sides = [cohorts.cluster[side] for side in (treated, ~treated) if side.any() and cohorts.cluster is not None]
    return min(len(np.unique(side)) for side in sides)


def _borrowed(cells: Cells, summed: Summed, start: float, n: int) -> tuple[np.ndarray, int]:
    """The variance that a cohort of one or two adds, from how all units spread around their own cohort's mean.

    The never-treated are compared in every cell.
    """
    mine = (cells.cohort == start) | (start == 0)
    moves = np.zeros((len(cells.cohorts.times), summed.weights.shape[1]))
    at = np.searchsorted(cells.cohorts.times, cells.time)
    np.add.at(moves, at[mine], summed.weights[mine])
    np.add.at(moves, cells.base[mine], -summed.weights[mine])
    codes = np.unique(cells.cohorts.first, return_inverse=True)[1]
    belongs = (codes[:, None] == np.arange(codes.max() + 1)).astype(float)
    around = cells.cohorts.y - belongs @ (belongs.T @ cells.cohorts.y / belongs.sum(axis=0)[:, None])
    left = len(around) - belongs.shape[1]
    if left < 1:
        return np.full(moves.shape[1], np.nan), 1
    return ((around @ moves) ** 2).sum(axis=0) / left / n, left


def table(cells: Cells, summed: Summed, level: float) -> pd.DataFrame:
    """Effects as rows.

    Parameters
    ----------
    cells, summed : Cells, Summed
        The cells and their sums.
    level : float
        Of the intervals.

    Returns
    -------
    DataFrame
        effect, se, low, high, p.
    """
    found = spread(cells, summed)
    half = found.half(level)
    columns = {"effect": summed.value, "se": found.se, "low": summed.value - half, "high": summed.value + half}
    return pd.DataFrame({**columns, "p": found.p(summed.value)})


def covariance(cells: Cells, summed: Summed) -> np.ndarray:
    """Joint covariance of sums of cells.

    Parameters
    ----------
    cells, summed : Cells, Summed
        The cells and their sums.

    Returns
    -------
    ndarray, shape (m, m)
        From the units' contributions, by cluster where there are clusters.
    """
    if cells.cohorts.cluster is None:
        return summed.psi.T @ summed.psi
    groups = int(cells.cohorts.cluster.max()) + 1
    sums = np.column_stack([np.bincount(cells.cohorts.cluster, column, groups) for column in summed.psi.T])
    return sums.T @ sums * groups / max(groups - 1, 1)
