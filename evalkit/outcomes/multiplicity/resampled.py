"""Step-down tests where arms were not drawn by lot: clusters drawn again, or their contributions given random signs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.errors import DataError, EstimationError, Flag, did_you_mean
from evalkit.outcomes.multiplicity.assigned import Given, arms_of, chunk_of, codes_of, read_assignment
from evalkit.outcomes.multiplicity.stepdown import Beyond, checked_request, count_beyond, values_of
from evalkit.words import listed, number

_FEW = 15
_NOTHING = 1e-14
_FAR = 37.0  # a normal statistic beyond this has a chance that no floating-point number can hold
MULTIPLIERS = ("webb", "mammen", "rademacher", "normal")


def romano_wolf(
    frame: pd.DataFrame,
    group: Given,
    measures: Sequence[str],
    draws: int,
    seed: int,
    cluster: Given = None,
    strata: Given = None,
    assigned: str | None = None,
) -> pd.DataFrame:
    """Test several measures by drawing clusters again, for arms that were not drawn by lot.

    Parameters
    ----------
    frame : DataFrame, shape (n_people, n_columns)
        One row per person. Missing values of a measure stay out of that measure.
    group : str or array
        1 treated, 0 comparison: a column, or one value per row.
    measures : sequence of str
        The outcomes' columns.
    draws : int
        Bootstrap draws.
    seed : int
        The same seed gives the same answer.
    cluster : str or array, optional
        Clusters whose people belong together; drawn whole, and within an arm where each lies in one arm. Without it
        people are drawn.
    strata : str or array, optional
        Clusters are drawn within them, and arms compared within them. Each cluster lies in one.
    assigned : {"individual"}, optional
        Says that people came to their arms one by one where the data look as if clusters had.

    Returns
    -------
    DataFrame, one row per measure
        ``measure``; ``effect``, treated less comparison (within strata); ``se``, robust to clusters (CR1);
        ``statistic``; ``p`` of each alone and ``p_adjusted`` for all; ``draws``; ``resampled``, what was drawn.
        ``attrs["flags"]`` holds caveats.

    Raises
    ------
    DataError
        Columns missing or with gaps; clusters that reach over strata; arms that hold whole clusters, unnamed.
    EstimationError
        No measure with values in both arms, or fewer than three clusters.

    Notes
    -----
    Each draw's statistic is (its effect - the effect) / its own standard error, so a measure with a wide interval does
    not decide for all.

    References
    ----------
    Romano and Wolf (2005), JASA 100, 94-108, and Econometrica 73, 1237-1282, algorithms 3.1 and 4.2. Cameron, Gelbach
    and Miller (2008), REStat 90, 414-427, for clusters drawn whole.
    """
    checked_request(frame, measures, draws)
    if cluster is None:
        read_assignment(frame, group, measures, None, strata, assigned)
    arm, inside = arms_of(frame, group), codes_of(frame, strata, "strata")
    unit = np.arange(len(frame)) if cluster is None else codes_of(frame, cluster, "cluster")
    sums = _Sums(values_of(frame, measures), arm, unit, inside)
    effect, error = (part[0] for part in sums.parts(np.ones((1, sums.units))))
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where(error > 0, effect / error, np.nan)
    if np.isnan(statistic).all() or sums.units < 3:
        raise EstimationError("Nothing to test: no measure has spread in both arms of three clusters or more.")
    beyond = count_beyond(statistic, sums.recentred(draws, seed, effect))
    says = "people" if cluster is None else "clusters"
    table = _told(list(measures), effect, error, beyond)
    table["resampled"] = says + sums.within
    table.attrs["flags"] = tuple(_flags(list(measures), statistic, sums.fewest, says))
    return table


def romano_wolf_from_influence(
    effects: Sequence[float] | pd.Series,
    ses: Sequence[float] | pd.Series,
    influence_by_cluster: np.ndarray | pd.DataFrame,
    draws: int,
    seed: int,
    multiplier: str = "webb",
    df: Sequence[float] | pd.Series | None = None,
) -> pd.DataFrame:
    """Test several effects of any estimator from what each cluster contributes to them.

    Parameters
    ----------
    effects : Series or sequence of float, shape (n_measures,)
        Estimates; the names of a Series name the rows.
    ses : sequence of float, shape (n_measures,)
        Their standard errors, of any kind.
    influence_by_cluster : ndarray or DataFrame, shape (n_clusters, n_measures)
        What each cluster contributes to each estimate: the variance is about the sum of its squares (as
        `evalkit.linear.row_contributions` summed by cluster). 0 where a cluster is not in an estimate.
    draws : int
        Draws.
    seed : int
        The same seed gives the same answer.
    multiplier : {"webb", "mammen", "rademacher", "normal"}
        What each cluster's contribution is multiplied by, where ``df`` is not given.
    df : sequence of float, shape (n_measures,), optional
        Degrees of freedom of the estimates' t. Give them wherever an arm has few clusters: see the notes.

    Returns
    -------
    DataFrame, one row per effect
        As `romano_wolf`; ``resampled`` says "contributions of clusters (webb)".

    Raises
    ------
    DataError
        Shapes that do not agree, missing contributions, contributions that do not go with the standard errors.
    EstimationError
        Fewer than three clusters.

    Notes
    -----
    Random signs cannot show how uncertain a mean over two or three clusters is: with four treated clusters of 24 and
    six measures, studentised draws found something that was not there in a quarter of simulated studies. With ``df``
    each p is the estimate's own (Student's t), and the draws, normal with the contributions' covariance, say only how
    the tests go together; then it was one in forty.

    References
    ----------
    Romano and Wolf (2005); Webb (2023), Canadian Journal of Economics 56, 839-858; Mammen (1993). Hothorn, Bretz and
    Westfall (2008), Biometrical Journal 50, 346-363, for normal draws. MacKinnon and Webb (2018), Econometrics Journal
    21, 114-135, for few treated clusters.
    """
    names = list(effects.index) if isinstance(effects, pd.Series) else list(range(len(effects)))
    effect, error = np.asarray(effects, dtype=float), np.asarray(ses, dtype=float)
    parts = np.asarray(influence_by_cluster, dtype=float)
    _checked_influence(effect, error, parts, multiplier)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where(error > 0, effect / error, np.nan)
    if df is None:
        beyond, kind = count_beyond(statistic, _multiplied(parts, draws, seed, multiplier)), multiplier
        table = _told(names, effect, error, beyond)
    else:
        placed = _as_normal(statistic, np.asarray(df, dtype=float))
        beyond, kind = count_beyond(placed, _normal(parts, draws, seed)), "normal"
        table = _told(names, effect, error, beyond).assign(statistic=statistic)
    table["resampled"] = f"contributions of clusters ({kind})"
    table.attrs["flags"] = tuple(_flags(names, statistic, _worth(parts), "clusters"))
    return table


def _as_normal(statistic: np.ndarray, df: np.ndarray) -> np.ndarray:
    """The size of a normal statistic that is as rare as this t."""
    from scipy import stats

    if df.shape != statistic.shape or not (df[~np.isnan(statistic)] > 0).all():
        raise DataError("df must hold degrees of freedom above 0, one for each effect.")
    return np.minimum(stats.norm.isf(stats.t.sf(np.abs(statistic), df)), _FAR)


def _normal(parts: np.ndarray, draws: int, seed: int) -> Iterator[np.ndarray]:
    """Normal draws that go together as the contributions do."""
    rng = np.random.default_rng(seed)
    size = np.sqrt((parts**2).sum(axis=0))
    unit = np.divide(parts, size, out=np.zeros_like(parts), where=size > 0)
    step = chunk_of(max(parts.shape))
    for start in range(0, draws, step):
        yield rng.standard_normal((min(step, draws - start), len(parts))) @ unit


def _worth(parts: np.ndarray) -> int:
    """How many clusters decide: as many normal contributions would be as uneven as these."""
    fourth = (parts**4).sum(axis=0)
    uneven = np.divide(3 * (parts**2).sum(axis=0) ** 2, fourth, out=np.full(len(fourth), np.inf), where=fourth > 0)
    return int(min(len(parts), np.floor(uneven.min(initial=np.inf)))) if np.isfinite(uneven).any() else len(parts)


def _told(names: list, effect: np.ndarray, error: np.ndarray, beyond: Beyond) -> pd.DataFrame:
    table = pd.DataFrame({"measure": names, "effect": effect, "se": error, "statistic": beyond.statistics})
    return table.assign(p=beyond.raw(), p_adjusted=beyond.adjusted(), draws=beyond.draws)


def _flags(names: list, statistic: np.ndarray, fewest: int, says: str) -> Iterator[Flag]:
    untold = [str(name) for name, t in zip(names, statistic, strict=True) if np.isnan(t)]
    if untold:
        text = f"No test of {listed(untold)}: no spread, or no values in an arm."
        yield Flag("outcomes", "caution", text)
    if fewest < _FEW:
        text = f"The smaller group has {number(fewest, 0)} {says} only: p-values from so few are rough."
        detail = "Few clusters repeat each other when drawn again. Where arms were drawn by lot, shuffle them instead."
        yield Flag("outcomes", "caution", text, detail if says == "clusters" else "")


# ---------------------------------------------------------------- clusters drawn again


@dataclass(frozen=True)
class _Place:
    """One stratum: columns of its units, drawn apart by `pools` (positions of units that can replace each other)."""

    units: np.ndarray
    pools: tuple[np.ndarray, ...]


class _Sums:
    """Sums of each cluster by arm, from which the difference and its standard error follow for any weights.

    A cluster's score is linear in four sums (people and values of each arm), so the sum of squared scores is a
    quadratic form in ten sums of products: one product of matrices for all draws.
    """

    def __init__(self, values: np.ndarray, arm: np.ndarray, unit: np.ndarray, inside: np.ndarray) -> None:
        there = ~np.isnan(values)
        count = np.maximum(there.sum(axis=0), 1)
        filled = np.where(there, values, 0.0)
        y = np.where(there, filled - filled.sum(axis=0) / count, 0.0)
        self.units = int(unit.max()) + 1
        parts = [there * arm[:, None], y * arm[:, None], there * (1 - arm)[:, None], y * (1 - arm)[:, None]]
        self.four = [_by(part.astype(float), unit, self.units) for part in parts]
        self.ten = [self.four[i] * self.four[j] for i in range(4) for j in range(i, 4)]
        first = np.unique(unit, return_index=True)[1]
        if (inside[first][unit] != inside).any():
            raise DataError("strata: a cluster lies in more than one. Give strata that hold whole clusters.")
        share = np.bincount(unit, arm) / np.bincount(unit)
        whole = bool(np.isin(share, (0.0, 1.0)).all())
        self.places = tuple(self._place(inside[first] == one, share, whole) for one in np.unique(inside))
        self.within = {(True, 1): " within arms", (False, 1): ""}.get(
            (whole, len(self.places)), " within strata and arms" if whole else " within strata"
        )
        self.fewest = min(int((share > 0).sum()), int((share < 1).sum()))

    @staticmethod
    def _place(here: np.ndarray, share: np.ndarray, whole: bool) -> _Place:
        units = np.flatnonzero(here)
        pools = [units[share[units] == arm] for arm in (0.0, 1.0)] if whole else [units]
        return _Place(units, tuple(pool for pool in pools if len(pool)))

    def recentred(self, draws: int, seed: int, effect: np.ndarray) -> Iterator[np.ndarray]:
        """Statistics as if nothing had an effect, in chunks of shape (some draws, n_measures)."""
        rng = np.random.default_rng(seed)
        size = chunk_of(max(self.units, self.four[0].shape[1]))
        for start in range(0, draws, size):
            weight = np.empty((min(size, draws - start), self.units))
            for place in self.places:
                for pool in place.pools:
                    weight[:, pool] = _again(rng, len(weight), len(pool))
            drawn, error = self.parts(weight)
            with np.errstate(divide="ignore", invalid="ignore"):
                yield (drawn - effect) / error

    def parts(self, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Effect and CR1 standard error for weights of shape (some draws, n_units); NaN where an arm is empty."""
        sums = [[weight[:, place.units] @ four[place.units] for four in self.four] for place in self.places]
        room = sum(n1 * n0 / np.maximum(n1 + n0, 1) for n1, _, n0, _ in sums)
        with np.errstate(divide="ignore", invalid="ignore"):
            effect = sum((s1 * n0 - s0 * n1) / np.maximum(n1 + n0, 1) for n1, s1, n0, s0 in sums) / room
            squares = sum(
                self._squares(weight, place, one, effect) for place, one in zip(self.places, sums, strict=True)
            )
            return effect, np.sqrt(self._factor() * squares) / room

    def _squares(self, weight: np.ndarray, place: _Place, sums: list[np.ndarray], effect: np.ndarray) -> np.ndarray:
        n1, s1, n0, s0 = sums
        n = np.maximum(n1 + n0, 1)
        p, mean = n1 / n, (s1 + s0) / n
        pull = [-(1 - p) * (mean + effect * (1 - p)), 1 - p, p * (mean - effect * p), -p]
        pairs = [(i, j) for i in range(4) for j in range(i, 4)]
        drawn = weight[:, place.units]
        total: np.ndarray = np.zeros_like(effect)
        size: np.ndarray = np.zeros_like(effect)
        for (i, j), ten in zip(pairs, self.ten, strict=True):
            part = pull[i] * pull[j] * (drawn @ ten[place.units])
            total += part if i == j else 2 * part
            size += np.abs(part)
        return np.maximum(total, _NOTHING * size)

    def _factor(self) -> np.ndarray:
        people = (self.four[0] + self.four[2]).sum(axis=0)
        units = ((self.four[0] + self.four[2]) > 0).sum(axis=0)
        strata = len(self.places)
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = units / (units - strata) * (people - 1) / (people - 2)
            return np.where((units > strata) & (people > 2), factor, np.nan)


def _again(rng: np.random.Generator, draws: int, units: int) -> np.ndarray:
    """How often each unit is drawn when as many are drawn as there are; shape (n_draws, n_units)."""
    picked = rng.integers(0, units, (draws, units)) + np.arange(draws)[:, None] * units
    return np.bincount(picked.ravel(), minlength=draws * units).reshape(draws, units).astype(float)


def _by(values: np.ndarray, code: np.ndarray, groups: int) -> np.ndarray:
    return np.column_stack([np.bincount(code, column, minlength=groups) for column in values.T])


# ---------------------------------------------------------------- contributions multiplied


def _checked_influence(effect: np.ndarray, error: np.ndarray, parts: np.ndarray, multiplier: str) -> None:
    if multiplier not in MULTIPLIERS:
        raise DataError(f'multiplier "{multiplier}" is not known. {did_you_mean(multiplier, MULTIPLIERS)}')
    if parts.ndim != 2 or not effect.shape == error.shape == parts.shape[1:]:
        raise DataError(
            f"{effect.size} effects, {error.size} standard errors and contributions of shape {parts.shape} do not fit. "
            "Give one row per cluster and one column per effect."
        )
    if len(parts) < 3:
        raise EstimationError(f"{len(parts)} clusters are too few to draw from: three at least.")
    if not np.isfinite(parts).all():
        raise DataError("A contribution is missing. Where a cluster is not in an estimate, write 0.")
    own = np.sqrt((parts**2).sum(axis=0))
    known = ~np.isnan(error) & (error > 0)
    ratio = own[known] / error[known]
    if ((ratio < 0.3) | (ratio > 3)).any():
        raise DataError(
            "The contributions do not go with the standard errors: the root of the sum of their squares is "
            f"{number(float(ratio.min()), 2)} to {number(float(ratio.max()), 2)} times as large. Influence functions "
            "are divided by the number of people before they are summed by cluster."
        )


def _multiplied(parts: np.ndarray, draws: int, seed: int, multiplier: str) -> Iterator[np.ndarray]:
    """Studentised draws; each has a standard error of its own, so the kind of the given ones does not matter."""
    rng = np.random.default_rng(seed)
    size = chunk_of(max(parts.shape))
    for start in range(0, draws, size):
        weight = _multipliers(rng, (min(size, draws - start), len(parts)), multiplier)
        total = weight @ parts
        variance = weight**2 @ parts**2 - total**2 / len(parts)
        error = np.sqrt(np.maximum(variance, _NOTHING * (parts**2).sum(axis=0)))
        with np.errstate(divide="ignore", invalid="ignore"):
            yield np.where(error > 0, total / error, 0.0)


def _multipliers(rng: np.random.Generator, shape: tuple[int, int], kind: str) -> np.ndarray:
    if kind == "normal":
        return rng.standard_normal(shape)
    if kind == "rademacher":
        return rng.choice([-1.0, 1.0], shape)
    if kind == "webb":
        points = np.sqrt([0.5, 1.0, 1.5])
        return rng.choice(np.concatenate([-points, points]), shape)
    root = np.sqrt(5)
    low = rng.random(shape) < (root + 1) / (2 * root)
    return np.where(low, (1 - root) / 2, (1 + root) / 2)
