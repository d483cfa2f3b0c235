"""People by what they are: levels of a column, or a number cut where the evaluator says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from evalkit.counterfactual.covariates import is_number
from evalkit.errors import EstimationError, did_you_mean, several

By = str | Sequence[str] | Mapping[str, Sequence[float] | None]
LEVELS = 10  # a column of numbers with more values than this must be cut


def groups_of(frame: pd.DataFrame, by: By, arguments: dict[str, Any]) -> dict[str, pd.Series]:
    """Put every row into a group of each column.

    Parameters
    ----------
    frame : DataFrame
        The people.
    by : str, sequence of str, or dict of column to cuts
        Levels of a column; a number by its cuts (14: below 14, 14 or over).
    arguments : dict
        Keyword arguments of `evalkit.counterfactual.estimate`.

    Returns
    -------
    dict of column to Series
        Categories in their order (numbers ascending, words by the alphabet); missing where the value is.

    Raises
    ------
    EstimationError
        A column is missing, is the outcome or the arm, has one group, changes within a person, or is a number with
        many values and no cuts.
    """
    wanted: dict[str, list[float]] = (
        {str(name): list(cuts or ()) for name, cuts in by.items()}
        if isinstance(by, Mapping)
        else {name: [] for name in ([by] if isinstance(by, str) else list(by))}
    )
    problems = [] if wanted else ["by names no column. Name one or more."]
    found: dict[str, pd.Series] = {}
    for name, cuts in wanted.items():
        problem = _problem(frame, name, cuts, arguments)
        if not problem:
            found[name] = _cut(frame[name], cuts) if cuts else _levels(frame[name])
            problem = _of_people(found[name], frame, arguments)
        problems += [f'by: column "{name}" {problem}'] if problem else []
    if problems:
        raise EstimationError(several("the subgroups", problems))
    return found


def _problem(frame: pd.DataFrame, name: str, cuts: list[float], arguments: dict[str, Any]) -> str:
    """Why a column makes no subgroups."""
    if name not in frame.columns:
        return f"is not in the table. {did_you_mean(name, frame.columns)}"
    role = next((key for key in ("outcome", "treated", "person", "unit") if arguments.get(key) == name), None)
    if role is not None:
        return f"is the {role}: people must be grouped by what was known before the programme."
    column = frame[name]
    if cuts and not (is_number(column) and not pd.api.types.is_datetime64_any_dtype(column)):
        return "is not a number, so it cannot be cut. Give no cuts."
    if sorted(set(cuts)) != cuts:
        return "has cuts that do not ascend."
    if not cuts and is_number(column) and column.nunique() > LEVELS:
        return f'has {column.nunique()} values. Say where to cut it before looking: by = {{"{name}": [14]}}.'
    return ""


def _of_people(groups: pd.Series, frame: pd.DataFrame, arguments: dict[str, Any]) -> str:
    """Whether there are two groups, and each person is in one of them."""
    if groups.nunique() < 2:
        return "puts everybody into one group."
    person = arguments.get("person") or arguments.get("unit")
    if person is None or person not in frame.columns:
        return ""
    by_person = groups.astype(object).reset_index(drop=True).groupby(frame[person].to_numpy())
    changing = int((by_person.nunique() > 1).sum())
    return f"changes over time for {changing} people or units. Use its value before the programme." if changing else ""


def _levels(column: pd.Series) -> pd.Series:
    """Words by the alphabet; numbers in their order, written without useless decimals."""
    values = column.dropna().unique()
    if is_number(column) and not pd.api.types.is_datetime64_any_dtype(column):
        order = sorted(values)
        yes_no = pd.api.types.is_bool_dtype(column)
        names = {one: ("yes" if one else "no") if yes_no else f"{float(one):g}" for one in order}
    else:
        names = {one: str(one) for one in sorted(values, key=str)}
    labels = list(dict.fromkeys(names.values()))
    return pd.Series(pd.Categorical(column.map(names), categories=labels), index=column.index)


def _cut(column: pd.Series, cuts: list[float]) -> pd.Series:
    """Below the first, from one to below the next, the last or over."""
    marks = [f"{one:g}" for one in cuts]
    between = [f"{low} to below {high}" for low, high in pairwise(marks)]
    labels = [f"below {marks[0]}", *between, f"{marks[-1]} or over"]
    values = column.to_numpy(dtype=float, na_value=np.nan)
    place = np.where(np.isnan(values), -1, np.searchsorted(np.array(cuts, dtype=float), values, side="right"))
    return pd.Series(pd.Categorical.from_codes(place.tolist(), categories=pd.Index(labels)), index=column.index)
