"""Which of a domain's measures differ, the chance of any false finding held: step-down maxT by permutation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.errors import DataError, EstimationError, Flag, Level, did_you_mean, several
from evalkit.outcomes.multiplicity.assigned import Assignment, Given, few_ways, read_assignment
from evalkit.outcomes.multiplicity.permuted import Compared, compare
from evalkit.words import listed

_ALIKE = 1e-9
_LOWEST_OF_USE = 0.05


def step_down(statistics: Sequence[float] | np.ndarray, null_draws: np.ndarray, exact: bool = False) -> np.ndarray:
    """Adjust for several tests by the largest statistic of those not yet rejected.

    Parameters
    ----------
    statistics : array of float, shape (n_measures,)
        Studentised estimates; their size counts, not their sign. A missing one is no test.
    null_draws : ndarray of float, shape (n_draws, n_measures)
        The same statistics drawn as if nothing had an effect: from shuffled arms, or recentred bootstrap draws. A
        statistic that could not be computed in a draw counts as 0 there.
    exact : bool
        Whether the draws are all there are, the observed one among them: then p = count / draws instead of
        (1 + count) / (1 + draws).

    Returns
    -------
    ndarray of float, shape (n_measures,)
        Adjusted p-values; a larger statistic never has a larger one.

    Raises
    ------
    DataError
        Shapes that do not agree, or no draws.

    References
    ----------
    Westfall and Young (1993), Resampling-Based Multiple Testing, algorithm 2.8; Romano and Wolf (2005), JASA 100.
    """
    observed, drawn = np.asarray(statistics, dtype=float), np.asarray(null_draws, dtype=float)
    if drawn.ndim != 2 or observed.shape != drawn.shape[1:] or not len(drawn):
        raise DataError(
            f"{observed.size} statistics and draws of shape {drawn.shape} do not fit. "
            "Give one row per draw and one column per statistic."
        )
    return count_beyond(observed, [drawn]).adjusted(exact)


@dataclass(frozen=True, eq=False)
class Beyond:
    """How often draws were at least as large as what was observed: alone, and as the largest not yet rejected."""

    statistics: np.ndarray
    order: np.ndarray
    alone: np.ndarray
    largest: np.ndarray
    draws: int

    def raw(self, exact: bool = False) -> np.ndarray:
        """P-values of each measure alone, shape (n_measures,)."""
        return self._placed(self._share(self.alone, exact))

    def adjusted(self, exact: bool = False) -> np.ndarray:
        """P-values adjusted for all measures, shape (n_measures,)."""
        return self._placed(np.maximum.accumulate(self._share(self.largest, exact)))

    def _share(self, count: np.ndarray, exact: bool) -> np.ndarray:
        return count / self.draws if exact else (1 + count) / (1 + self.draws)

    def _placed(self, values: np.ndarray) -> np.ndarray:
        result = np.full(len(self.statistics), np.nan)
        result[self.order] = values
        return result


def count_beyond(statistics: np.ndarray, chunks: Iterable[np.ndarray]) -> Beyond:
    """Count over chunks of draws, so that they need not be held at once.

    Parameters
    ----------
    statistics : ndarray of float, shape (n_measures,)
        What was observed.
    chunks : iterable of ndarray, shape (some draws, n_measures)
        Draws without effect.

    Returns
    -------
    Beyond
        Counts in the order of falling size.
    """
    size = np.abs(statistics)
    order = np.argsort(-size, kind="stable")[: int((~np.isnan(size)).sum())]
    # What is as large up to rounding is as large: ties are common when people are few.
    reached = size[order] - _ALIKE * np.maximum(1, size[order])
    alone, largest, draws = np.zeros(len(order)), np.zeros(len(order)), 0
    for chunk in chunks:
        drawn = np.nan_to_num(np.abs(chunk[:, order]), nan=0.0, posinf=np.inf)
        alone += (drawn >= reached).sum(axis=0)
        running = np.maximum.accumulate(drawn[:, ::-1], axis=1)[:, ::-1]
        largest += (running >= reached).sum(axis=0)
        draws += len(chunk)
    return Beyond(statistics, order, alone, largest, draws)


def westfall_young(
    frame: pd.DataFrame,
    group: Given,
    measures: Sequence[str],
    draws: int,
    seed: int,
    cluster: Given = None,
    strata: Given = None,
    assigned: str | None = None,
) -> pd.DataFrame:
    """Test several measures by shuffling the arms as they were assigned.

    Parameters
    ----------
    frame : DataFrame, shape (n_people, n_columns)
        One row per person. Missing values of a measure stay out of that measure.
    group : str or array
        1 treated, 0 comparison: a column, or one value per row.
    measures : sequence of str
        The outcomes' columns.
    draws : int
        How many shuffles. Where there are no more ways than that, all of them are gone through, and p is exact.
    seed : int
        The same seed gives the same answer.
    cluster : str or array, optional
        Clusters that were assigned whole; they are shuffled whole.
    strata : str or array, optional
        Within which the assignment was made; the shuffle stays within them.
    assigned : {"individual", "cluster"}, optional
        What was assigned, where the data would be read otherwise.

    Returns
    -------
    DataFrame, one row per measure
        ``measure``; ``effect``, treated less comparison in the measure's unit (within strata); ``statistic``, its t;
        ``p_t``, from the t distribution; ``p`` and ``p_adjusted`` from the shuffles; ``draws``; ``lowest_p``, the
        smallest p that could have come out; ``permuted``, what was shuffled. ``attrs["flags"]`` holds caveats.

    Raises
    ------
    DataError
        What `read_assignment` refuses: above all assignment by cluster without ``cluster``.
    EstimationError
        Arms that could have fallen in one way only.

    Notes
    -----
    The statistic is Welch's t where people were assigned without strata. Otherwise it is the difference within strata
    over a standard error that is robust, by cluster where there are clusters (CR1; with one stratum as Stata's).
    Shuffling supposes that the arm changes nothing at all, so neither who has a value.

    References
    ----------
    Westfall and Young (1993), algorithm 2.8; Ge, Dudoit and Speed (2003), Test 12, 1-77. Young (2019), QJE 134, 557.
    """
    checked_request(frame, measures, draws)
    plan = read_assignment(frame, group, measures, cluster, strata, assigned)
    if plan.ways < 2:
        raise EstimationError(
            f"The arms of these {plan.says} could have fallen in one way only, so there is nothing to shuffle."
        )
    exact = plan.ways <= draws
    found = compare(values_of(frame, measures), plan)
    shuffles = plan.all_ways() if exact else plan.drawn(draws, seed)
    beyond = count_beyond(found.statistic, (found.again(arms) for arms in shuffles))
    table = pd.DataFrame({"measure": list(measures), "effect": found.effect, "statistic": found.statistic})
    table["p_t"], table["p"], table["p_adjusted"] = found.p_t, beyond.raw(exact), beyond.adjusted(exact)
    table["draws"] = beyond.draws
    table["lowest_p"] = 1 / (beyond.draws if exact else beyond.draws + 1)
    table["permuted"] = plan.says
    table.attrs["flags"] = tuple(_flags(list(measures), plan, found, exact))
    return table


def checked_request(frame: pd.DataFrame, measures: Sequence[str], draws: int) -> None:
    """Refuse measures that are not there, and too few draws; everything at once.

    Parameters
    ----------
    frame : DataFrame
        One row per person.
    measures : sequence of str
        Columns.
    draws : int
        Shuffles or bootstrap draws.

    Raises
    ------
    DataError
        With what is wrong.
    """
    problems = [
        f'There is no measure "{name}". {did_you_mean(name, frame.columns)}'
        for name in measures
        if name not in frame.columns
    ]
    problems += [
        f'Measure "{name}" does not hold numbers. Score it first.'
        for name in measures
        if name in frame.columns and not pd.api.types.is_numeric_dtype(frame[name])
    ]
    if isinstance(measures, str) or not len(measures):
        problems = ['Give the measures as a list: ["sdq_parent", "swemwbs"].']
    if draws < 1:
        problems.append("draws must be 1 or more; 10,000 is usual.")
    if problems:
        raise DataError(several("The request", problems))


def values_of(frame: pd.DataFrame, measures: Sequence[str]) -> np.ndarray:
    """The measures as float, shape (n_people, n_measures)."""
    return frame[list(measures)].to_numpy(dtype=float, na_value=np.nan)


def _flags(measures: list[str], plan: Assignment, found: Compared, exact: bool) -> list[Flag]:
    flags = []
    untold = [name for name, t in zip(measures, found.statistic, strict=True) if np.isnan(t)]
    if untold:
        text = f"No test of {listed(untold)}: no spread, or fewer than two values in an arm."
        flags.append(Flag("outcomes", "caution", text))
    if exact:
        level: Level = "caution" if 1 / plan.ways > _LOWEST_OF_USE else "note"
        text = few_ways(plan.ways)
        flags.append(Flag("outcomes", level, text, "All of them were gone through: the p-values are exact."))
    alone = [block for block in plan.blocks if plan.treated[block].all() or not plan.treated[block].any()]
    if alone and len(plan.blocks) > 1:
        text = f"{len(alone):,} of {len(plan.blocks):,} strata hold one arm only and tell nothing of a difference."
        flags.append(Flag("outcomes", "caution", text, "Their people do not count in the effect or its test."))
    return flags
