"""Units by the time at which they were first treated: the panel checked, and every departure told."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.counterfactual.areas.starts import NEVER_WORDS, start_dates
from evalkit.counterfactual.covariates import is_number
from evalkit.counterfactual.panel import Panel, Plan
from evalkit.errors import EstimationError, Flag, did_you_mean, several

UNBALANCED = ("complete units", "refuse")
MANY_LOST = 0.05


@dataclass(frozen=True, eq=False)
class Cohorts:
    """A complete table of units and times.

    Parameters
    ----------
    units : ndarray of str, shape (n,)
        Ids, ascending as text.
    first : ndarray of float, shape (n,)
        Time of first treatment on the scale of ``times``; 0 for units untreated as long as they are seen.
    times : ndarray of float, shape (t,)
        Ascending, all above 0.
    shown : dict
        From a time on that scale to how the table writes it.
    y : ndarray, shape (n, t)
        Outcome.
    rows : ndarray of int, shape (n, t)
        Rows of the panel.
    cluster : ndarray of int, shape (n,), or None
        Clusters coarser than the unit.
    flags : tuple of Flag
        What was left out, and what is thin.
    """

    units: np.ndarray
    first: np.ndarray
    times: np.ndarray
    shown: dict[float, object]
    y: np.ndarray
    rows: np.ndarray
    cluster: np.ndarray | None
    flags: tuple[Flag, ...]

    @property
    def sizes(self) -> pd.DataFrame:
        """Units by time of first treatment; the untreated come last."""
        first, counts = np.unique(self.first, return_counts=True)
        order = np.argsort(np.where(first == 0, np.inf, first))
        names = ["never" if one == 0 else self.shown.get(one, one) for one in first[order]]
        return pd.DataFrame({"first_treated": names, "units": counts[order]})


def read_cohorts(panel: Panel, plan: Plan) -> Cohorts:
    """Check the panel and sort its units into cohorts.

    Parameters
    ----------
    panel : Panel
        One row per unit and time, sorted by both.
    plan : Plan
        ``unbalanced`` and ``comparison`` among its options.

    Returns
    -------
    Cohorts
        Units seen at all times and not treated from the first one on.

    Raises
    ------
    EstimationError
        Treatment is switched off, changes its date or contradicts the column ``treated``; nobody is left to treat or to
        compare with; the panel has gaps and ``unbalanced = "refuse"``.
    """
    times, first, shown = read_starts(panel)
    unit, names = _numbered(panel.person)
    flags: list[Flag] = []
    start = _one_each(panel, unit, first)
    _check_treated(panel, unit, times, start)
    clusters = _unit_clusters(panel, unit)
    axis = np.unique(times)
    if len(axis) < 2:
        raise EstimationError("the panel has one time only; a change needs a time before treatment and one after.")
    keep = _complete(np.bincount(unit), len(axis), plan, flags)
    keep &= _not_always(start, axis[0], keep, flags)
    start, late = np.where(start > axis[-1], 0.0, start), start > axis[-1]
    if (late & keep).any():
        text = f"{int((late & keep).sum())} units are treated only after the last time and count as not treated."
        flags.append(Flag("counterfactual", "note", text))
    _check_sides(start[keep], plan)
    flags += _thin(start[keep])
    order = np.lexsort((times, unit))  # times written as text are not sorted as numbers
    rows = order[keep[unit[order]]].reshape(-1, len(axis))
    cluster = None if clusters is None else np.unique(clusters[keep], return_inverse=True)[1]
    return Cohorts(names[keep], start[keep], axis, shown, panel.y[rows], rows, cluster, tuple(flags))


def _numbered(person: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Units as 0, 1, 2 ... in the order of the sorted rows, and their ids."""
    names, code = np.unique(person, return_inverse=True)
    return code, names


def read_starts(panel: Panel) -> tuple[np.ndarray, np.ndarray, dict[float, object]]:
    """Put times and first treatments on one scale.

    Parameters
    ----------
    panel : Panel
        With ``time`` and ``first_treated`` among its columns, as numbers, dates, periods or text.

    Returns
    -------
    (ndarray, ndarray, dict)
        Of each row the time, above 0, and that of first treatment, 0 for never; and how the table writes each time.

    Raises
    ------
    EstimationError
        A time is missing, or first treatments are no times.
    """
    time, first = panel.frame[panel.columns.time], panel.frame[panel.columns.first_treated]
    if time.isna().any():
        raise EstimationError(f'column "{time.name}" lacks a time in {int(time.isna().sum())} rows. Drop or mend them.')
    time, first = (_as_date(one) for one in (time, first))
    if not pd.api.types.is_datetime64_any_dtype(time):
        numbers = pd.to_numeric(time, errors="coerce")  # "2004" is a number too
        if numbers.notna().all():
            return _by_number(numbers, _as_start(first))
    return _by_position(time, first)


def _as_date(column: pd.Series) -> pd.Series:
    """A month, quarter or year is the date on which it begins."""
    return column.dt.to_timestamp() if isinstance(column.dtype, pd.PeriodDtype) else column


def _as_start(first: pd.Series) -> np.ndarray:
    """Numbers; NaN for never, however it is written."""
    if pd.api.types.is_datetime64_any_dtype(first):
        raise EstimationError(
            f'"{first.name}" holds dates and the times are numbers. Write first treatment in the unit of the times.'
        )
    if is_number(first):
        values = first.to_numpy(dtype=float, na_value=np.nan)
    else:
        text = first.astype(object).where(first.notna(), "").astype(str).str.strip().str.casefold()
        found = pd.to_numeric(text.where(~text.isin(NEVER_WORDS)), errors="coerce")
        wrong = int((found.isna() & ~text.isin(NEVER_WORDS)).sum())
        if wrong:
            raise EstimationError(
                f'column "{first.name}" has {wrong} rows that are neither a time nor "never". '
                "Write the time of first treatment, and 0 or nothing for never."
            )
        values = found.to_numpy(dtype=float)
    return np.where(np.isinf(values), np.nan, values)


def _by_number(time: pd.Series, first: np.ndarray) -> tuple[np.ndarray, np.ndarray, dict[float, object]]:
    """Times that are numbers keep their distances."""
    times = time.to_numpy(dtype=float)
    lowest = times.min()
    if lowest < 0 and (first == 0).any():
        raise EstimationError(
            "first treated at 0 may mean never or the time 0, since the times begin below 0. Leave never empty."
        )
    if lowest >= 0 and (first < 0).any():
        raise EstimationError(
            f"{int((first < 0).sum())} rows have a first treatment below 0, which is no time of this panel. "
            "Write 0 or nothing for never."
        )
    never = np.isnan(first) | ((first == 0) & (lowest >= 0))
    shift = 0.0 if lowest > 0 else 1 - lowest
    whole = bool((times == np.round(times)).all())
    shown: dict[float, object] = {
        one + shift: int(one) if whole else float(one) for one in np.unique(np.append(times, first[~never]))
    }
    # A start before the first time is "always treated", and must not fall on 0, which means never.
    start = np.where(never, 0.0, np.maximum(first + shift, 1e-9))
    return np.asarray(times + shift), start, shown


def _by_position(time: pd.Series, first: pd.Series) -> tuple[np.ndarray, np.ndarray, dict[float, object]]:
    """Dates and words count as first, second, third time; treatment begins at the first time that is not before it."""
    if pd.api.types.is_datetime64_any_dtype(time):
        start = start_dates(first)
        axis = np.sort(time.unique())
        position = np.searchsorted(axis, start.fillna(axis[0]).to_numpy(), side="left") + 1.0
        times = np.asarray(np.searchsorted(axis, time.to_numpy()) + 1.0)
        shown: dict[float, object] = {float(i + 1): pd.Timestamp(one).date() for i, one in enumerate(axis)}
        return times, np.where(start.isna(), 0.0, position), shown
    names = sorted(time.astype(str).unique())
    text = first.astype(object).where(first.notna(), "").astype(str).str.strip()
    never = text.str.casefold().isin(NEVER_WORDS | {"0"})
    wrong = int((~text.isin(names) & ~never).sum())
    if wrong:
        raise EstimationError(
            f'column "{first.name}" has {wrong} rows that name no time of column "{time.name}". '
            "Write both in the same way, and 0 or nothing for never."
        )
    place = {name: float(i + 1) for i, name in enumerate(names)}
    times = time.astype(str).map(place).to_numpy(float)
    return times, text.map(place).where(~never, 0.0).to_numpy(float), {at: name for name, at in place.items()}


def _one_each(panel: Panel, unit: np.ndarray, first: np.ndarray) -> np.ndarray:
    """The first treatment of each unit, the same in all its rows."""
    low, high = np.full(unit.max() + 1, np.inf), np.full(unit.max() + 1, -np.inf)
    np.minimum.at(low, unit, first)
    np.maximum.at(high, unit, first)
    moved = int((low != high).sum())
    if moved:
        raise EstimationError(
            f'{moved} units have more than one value of "{panel.columns.first_treated}". A unit is first treated once: '
            "write that time in all its rows. Treatment that is switched off and on again is not staggered adoption."
        )
    return low


def _check_treated(panel: Panel, unit: np.ndarray, times: np.ndarray, start: np.ndarray) -> None:
    """A column of who is treated, where one is given, says the same as the time of first treatment."""
    if panel.columns.treated is None:
        return
    said, begun = panel.treated == 1, (start[unit] > 0) & (times >= start[unit])
    if (said == begun).all() or (said == (start[unit] > 0)).all():
        return
    off = len(np.unique(unit[begun & ~said]))
    early = len(np.unique(unit[said & ~begun]))
    problems = []
    if off:
        problems.append(
            f"{off} units are not treated at some time after they were first treated: treatment that is switched off "
            "is not staggered adoption. Leave those units out, or end their series there."
        )
    if early:
        problems.append(f'{early} units are treated before "{panel.columns.first_treated}" says so. Mend one of them.')
    raise EstimationError(several(f'column "{panel.columns.treated}"', problems))


def _unit_clusters(panel: Panel, unit: np.ndarray) -> np.ndarray | None:
    """The cluster of each unit, which never changes."""
    if panel.cluster is None:
        return None
    pairs = np.unique(np.column_stack([unit, panel.cluster]), axis=0)
    if len(pairs) > unit.max() + 1:
        raise EstimationError(
            f"{len(pairs) - unit.max() - 1} changes of cluster within units. A unit belongs to one cluster for good."
        )
    return pairs[:, 1]


def _complete(seen: np.ndarray, times: int, plan: Plan, flags: list[Flag]) -> np.ndarray:
    """Units seen at all times; the others are left out, or refused, as the study asks."""
    policy = str(plan.options["unbalanced"]).replace("_", " ")
    if policy not in UNBALANCED:
        raise EstimationError(f'unbalanced = "{policy}" is not known. {did_you_mean(policy, UNBALANCED)}')
    keep = seen == times
    lost = int((~keep).sum())
    if not lost:
        return keep
    share = words.percent(lost / len(keep), 1)
    if policy == "refuse" or not keep.any():
        raise EstimationError(
            f"the panel has gaps: {lost} of {len(keep)} units ({share}) lack an outcome at some of the {times} times. "
            'Fill them, drop the times that most units lack, or use unbalanced = "complete units".'
        )
    text = f"{lost} of {len(keep)} units are left out because they lack an outcome at some of the {times} times."
    detail = f"{share} of the units: the effect is that on units seen at every time."
    flags.append(Flag("counterfactual", "caution" if lost / len(keep) > MANY_LOST else "note", text, detail))
    return keep


def _not_always(start: np.ndarray, begins: float, keep: np.ndarray, flags: list[Flag]) -> np.ndarray:
    """Units with a time before treatment; those treated from the first time on say nothing about change."""
    always = (start > 0) & (start <= begins)
    count = int((always & keep).sum())
    if count:
        text = (
            f"{count} units were treated from the first time on and are left out: nothing is known of them untreated."
        )
        flags.append(Flag("counterfactual", "caution", text, "The effect is not that on these units."))
    return ~always


def _check_sides(first: np.ndarray, plan: Plan) -> None:
    """There is somebody to be treated and somebody to compare with."""
    if not (first > 0).any():
        raise EstimationError(
            "no unit is treated after the first time of the panel, so there is no before and after to compare."
        )
    if (first == 0).any():
        return
    if plan.options["comparison"] == "never treated":
        raise EstimationError(
            'every unit is treated in the end, so nobody was never treated. Use comparison = "not yet treated".'
        )
    if len(np.unique(first)) < 2:
        raise EstimationError(
            "all units are treated at the same time, so nobody is left to compare with. Add units never treated."
        )


def _thin(first: np.ndarray) -> list[Flag]:
    """Cohorts of one, and one unit only to compare with."""
    cohorts, counts = np.unique(first[first > 0], return_counts=True)
    flags = []
    if lonely := int((counts == 1).sum()):
        text = (
            f"{lonely} of {len(cohorts)} cohorts are one unit each, and all that is particular to it counts as effect."
        )
        detail = "Its spread cannot be seen, so the interval takes it to be that of the other units."
        flags.append(Flag("counterfactual", "serious" if lonely == len(cohorts) else "caution", text, detail))
    if (first == 0).sum() == 1:
        text = "One unit only was never treated; what is particular to it moves every effect."
        flags.append(Flag("counterfactual", "serious", text))
    return flags
