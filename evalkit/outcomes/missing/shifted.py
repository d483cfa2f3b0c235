"""What if those who were not seen did worse than those who were: missing outcomes filled in, then shifted.

No data can say how the unseen fared. What can be said is how much worse they must have fared to undo the finding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit import disclosure
from evalkit.errors import DataError, EstimationError, Flag, Level, did_you_mean
from evalkit.linear import degrees_of_freedom, least_squares, row_contributions
from evalkit.outcomes.index.units import need_clusters
from evalkit.outcomes.missing.completed import Completed, complete_sets
from evalkit.outcomes.missing.imputed import Analysis, Pooled, pool_frames
from evalkit.outcomes.multiplicity.assigned import Given, arms_of, codes_of
from evalkit.words import number

WHO = {"treated": (1.0, 0.0), "comparison": (0.0, 1.0), "both": (1.0, 1.0)}
_SETS, _SEED = 20, 20_240_101
_CLOSE = 0.001


@dataclass(frozen=True, eq=False)
class DeltaShift:
    """The effect under each supposition about those who were not seen.

    Attributes
    ----------
    table : DataFrame
        A row per shift: ``delta`` (in SD of the comparison as observed), ``shift`` (in the outcome's unit), ``effect``,
        ``se``, ``low``, ``high``, ``p``, ``df``, ``fmi``, ``includes_zero``.
    tipping : float or None
        The smallest shift, in SD, at which the interval includes 0; None where no shift of the table does that.
    says : str
        That in words.
    unit : float
        One SD, in the outcome's unit.
    missing : Series of int
        People without the outcome, by arm.
    flags : tuple of Flag
        What a reader must know.
    """

    table: pd.DataFrame
    tipping: float | None
    says: str
    unit: float
    missing: pd.Series
    flags: tuple[Flag, ...]

    def __repr__(self) -> str:
        return f"DeltaShift({len(self.table)} shifts; {self.says})"

    def _repr_html_(self) -> str:
        counts = [f"{arm}: {disclosure.count(n)}" for arm, n in self.missing.items()]
        return f"<p>{self.says}</p><p>Not seen: {', '.join(counts)}.</p>" + self.table.round(3).to_html(index=False)


def delta_shift(
    frame: pd.DataFrame,
    outcome: str,
    treated: Given,
    deltas: Sequence[float],
    analysis: Analysis | None = None,
    cluster: Given = None,
    shifted: str = "treated",
    completed: Completed | None = None,
) -> DeltaShift:
    """Fill in missing outcomes as if the unseen were like the seen, shift them, and find where the finding tips.

    Parameters
    ----------
    frame : DataFrame, shape (n_people, n_columns)
        One row per person; missing outcomes are NaN.
    outcome : str
        Its column.
    treated : str or array
        1 treated, 0 comparison.
    deltas : sequence of float
        Shifts in SD of the comparison's observed outcomes: -0.5 supposes the unseen half an SD below what people like
        them had. 0 is added if it is not there.
    analysis : callable, optional
        From a completed set to (estimate, variance, degrees of freedom). Default: the difference of means, HC2, or CR2
        with Satterthwaite's degrees of freedom where there are clusters.
    cluster : str or array, optional
        Clusters: kept together in the filling in, and in the default analysis.
    shifted : {"treated", "comparison", "both"}
        Whose missing outcomes are shifted.
    completed : Completed, optional
        From `complete_sets`, to use covariates, more sets or another seed. Default: 20 sets by arm alone.

    Returns
    -------
    DeltaShift
        ``table``, ``tipping`` and the sentence that goes with it.

    Raises
    ------
    DataError
        Columns that are not there, an unknown ``shifted``, shifts that are not numbers.
    EstimationError
        No outcome is missing, an arm has too few to learn from, or lies in one cluster.

    References
    ----------
    Carpenter and Kenward (2013), Multiple Imputation and its Application, chapter 10. Cro, Morris, Kenward and
    Carpenter (2020), Statistics in Medicine 39, 2815-2842.
    """
    if shifted not in WHO:
        raise DataError(f'shifted is "{shifted}". {did_you_mean(str(shifted), WHO)}')
    grid = _grid(deltas)
    sets = (
        complete_sets(frame, outcome, treated, cluster=cluster, sets=_SETS, seed=_SEED)
        if completed is None
        else completed
    )
    if sets.outcome != outcome or len(sets.missing) != len(frame):
        raise DataError(f'completed holds "{sets.outcome}" of {len(sets.missing):,} people, which is another table.')
    if not sets.missing.any():
        raise EstimationError(f'No "{outcome}" is missing, so there is nothing to suppose.')
    arm = arms_of(frame, treated)
    if cluster is not None:
        need_clusters(arm, codes_of(frame, cluster, "cluster"))
    unit = float(frame.loc[(arm == 0), outcome].astype(float).std(ddof=1))
    codes = None if cluster is None else codes_of(frame, cluster, "cluster")
    chosen = analysis or adjusted_difference(outcome, arm, codes)
    pull = np.where(arm == 1, *WHO[shifted]) * sets.missing

    def at(delta: float) -> Pooled:
        return pool_frames(sets.frames(delta * unit * pull), chosen)

    table = _table(grid, [at(delta) for delta in grid], unit)
    tipping, says = _tipping(table, at, shifted)
    missing = pd.Series({"treated": int(sets.missing[arm == 1].sum()), "comparison": int(sets.missing[arm == 0].sum())})
    return DeltaShift(table, tipping, says, unit, missing, (*sets.flags, *_flags(tipping, says)))


def _grid(deltas: Sequence[float]) -> list[float]:
    values = np.asarray(deltas, dtype=float)
    if values.ndim != 1 or not np.isfinite(values).all():
        raise DataError("deltas must be numbers, in SD: [-1, -0.5, 0].")
    return sorted({0.0, *values.tolist()})


def adjusted_difference(
    outcome: str, arm: np.ndarray, cluster: np.ndarray | None = None, covariates: Sequence[str] = ()
) -> Analysis:
    """Prepare an analysis of completed sets: the difference of the arms, adjusted by linear regression.

    Parameters
    ----------
    outcome : str
        Column of the completed sets.
    arm : ndarray, shape (n_people,)
        1 treated, 0 comparison.
    cluster : ndarray of int, shape (n_people,), optional
        Codes; with them CR2, else HC2.
    covariates : sequence of str
        Columns of numbers without gaps.

    Returns
    -------
    callable
        From a completed set to (difference, variance, degrees of freedom).
    """
    kind = "hc2" if cluster is None else "cr2"
    contrast = np.eye(len(covariates) + 2)[1]

    def analysis(frame: pd.DataFrame) -> tuple[float, float, float]:
        beside = frame[list(covariates)].to_numpy(dtype=float)
        design = np.column_stack([np.ones(len(arm)), arm.astype(float), beside])
        fit = least_squares(frame[outcome].to_numpy(dtype=float), design)
        parts = row_contributions(fit, contrast, kind, cluster)
        sums = parts if cluster is None else np.bincount(cluster, parts)
        return float(fit.beta[1]), float((sums**2).sum()), degrees_of_freedom(fit, contrast, kind, cluster)

    return analysis


def _table(grid: list[float], found: list[Pooled], unit: float) -> pd.DataFrame:
    names = {"effect": "estimate", "se": "se", "low": "low", "high": "high", "p": "p", "df": "df", "fmi": "fmi"}
    table = pd.DataFrame({"delta": grid, "shift": [delta * unit for delta in grid]})
    for name, part in names.items():
        table[name] = [float(getattr(one, part)) for one in found]
    return table.assign(includes_zero=(table["low"] <= 0) & (table["high"] >= 0))


def _tipping(table: pd.DataFrame, at: Callable[[float], Pooled], shifted: str) -> tuple[float | None, str]:
    """The shift nearest to none at which the interval includes 0, found to a thousandth of an SD."""
    tips = table.loc[table["includes_zero"], "delta"]
    first, last = number(table["delta"].min(), 2), number(table["delta"].max(), 2)
    if tips.empty:
        return None, f"The interval does not include 0 for any shift from {first} to {last} SD."
    near = float(tips.loc[tips.abs().idxmin()])
    if near == 0:
        return 0.0, "The interval includes 0 already without a shift."
    steps = table["delta"].to_numpy()
    clear = float(steps[steps < near].max() if near > 0 else steps[steps > near].min())
    while abs(near - clear) > _CLOSE:
        middle = (near + clear) / 2
        found = at(middle)
        near, clear = (middle, clear) if found.low <= 0 <= found.high else (near, middle)
    whose = {"treated": "the treated", "comparison": "the comparison", "both": "both arms"}[shifted]
    way = "lower" if near < 0 else "higher"
    return near, (
        f"The interval includes 0 once those of {whose} who were not seen are {number(abs(near), 2)} SD {way} than "
        "people like them who were seen."
    )


def _flags(tipping: float | None, says: str) -> list[Flag]:
    if tipping is None or tipping == 0:
        return []
    level: Level = "caution" if abs(tipping) < 0.5 else "note"
    return [Flag("outcomes", level, says, "Whether that is likely is a judgement, which no data here can make.")]
