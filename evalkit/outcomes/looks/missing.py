"""How far the people without a reading would have to differ for the finding to go."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from evalkit.errors import Flag, StudyError
from evalkit.outcomes.looks.base import View, look
from evalkit.outcomes.missing.completed import complete_sets
from evalkit.outcomes.missing.shifted import DeltaShift, adjusted_difference, delta_shift
from evalkit.words import listed

_ARM = "(arm)"
_MOST_WORDS = 30


@dataclass(frozen=True, eq=False)
class Supposed:
    """One outcome: its wide key, title and unit, what is adjusted for, and what supposing does to the difference."""

    outcome: str
    title: str
    unit: str
    adjusted_for: tuple[str, ...]
    shift: DeltaShift


@look("missing outcomes")
def missing(view: View) -> tuple[list[Supposed], list[Flag]]:
    """Every outcome that the study names, filled in by what the planned analysis adjusts for, then shifted."""
    plan, treated = view.study.missing, view.treated
    supposed: list[Supposed] = []
    flags: list[Flag] = []
    if plan is None or treated is None:
        return supposed, flags
    rows = np.isfinite(treated)
    covariates, cluster, seed = _covariates(view, rows), view.clusters(rows), view.study.study.seed
    codes = None if cluster is None else np.unique(cluster.astype(str), return_inverse=True)[1]
    if left_out := _too_wordy(view):
        text = f"Not adjusted for among the people who were not seen: {listed(left_out)} (too many different words)."
        flags.append(Flag("outcomes", "caution", text))
    for name in plan.outcomes:
        key = view.outcomes.find(name)
        told = view.outcomes.describe(key)
        known = pd.DataFrame({key: view.outcomes.wide[key].to_numpy()[rows], _ARM: treated[rows]})
        if not known[key].isna().any():
            continue
        frame, names = pd.concat([known, covariates], axis=1), [str(name) for name in covariates]
        sets = complete_sets(frame, key, _ARM, names, cluster=cluster, sets=plan.sets, seed=seed)
        fit = adjusted_difference(key, treated[rows], codes, names)
        shift = delta_shift(frame, key, _ARM, plan.deltas, fit, cluster=cluster, completed=sets)
        supposed.append(Supposed(key, told["title"], told["unit"], tuple(names), shift))
        flags += [replace(flag, about=name) for flag in shift.flags]
    return supposed, flags


def _covariates(view: View, rows: np.ndarray) -> pd.DataFrame:
    """What the planned analysis adjusts for, as numbers: words as marks, a gap as the mean with a mark beside it."""
    plan = view.study.counterfactual
    columns: dict[str, pd.Series] = {}
    for name in plan.covariates if plan else ():
        values = _column(view, name).reset_index(drop=True)[rows].reset_index(drop=True)
        if pd.api.types.is_numeric_dtype(values.dtype):
            numbers = values.astype(float)
            columns[name] = numbers.fillna(numbers.mean())
            columns[f"{name} unknown"] = numbers.isna().astype(float)
        elif values.nunique() <= _MOST_WORDS:
            words = values.astype("str").fillna("unknown")
            columns |= {f"{name} {word}": (words == word).astype(float) for word in sorted(words.unique())[1:]}
    return _independent(pd.DataFrame(columns))


def _too_wordy(view: View) -> list[str]:
    plan = view.study.counterfactual
    columns = {name: _column(view, name) for name in (plan.covariates if plan else ())}
    words = {name: values for name, values in columns.items() if not pd.api.types.is_numeric_dtype(values.dtype)}
    return [name for name, values in words.items() if values.nunique() > _MOST_WORDS]


def _column(view: View, name: str) -> pd.Series:
    table = view.ground.cohort.table
    if name in table.columns:
        return table[name]
    try:
        return view.outcomes.wide[view.outcomes.find(name)]
    except StudyError:  # the effects' room says what is wrong with it
        return pd.Series(np.nan, index=table.index)


def _independent(frame: pd.DataFrame) -> pd.DataFrame:
    """Without columns that are constant or follow from those before."""
    kept: list[str] = []
    basis = np.ones((len(frame), 1))
    for name in frame:
        column = frame[name].to_numpy(dtype=float)
        rest = column - basis @ np.linalg.lstsq(basis, column, rcond=None)[0]
        if (rest**2).sum() > 1e-8 * max((column**2).sum(), 1e-12):
            kept.append(str(name))
            basis = np.column_stack([basis, column])
    return frame[kept]
