"""The table as it was given: its columns in plain types, and everything that is wrong with it at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evalkit.counterfactual.covariates import as_numbers
from evalkit.errors import EstimationError, did_you_mean, several

if TYPE_CHECKING:
    from evalkit.counterfactual.panel import Columns

NUMBERS = {"integer", "floating", "mixed-integer-float", "decimal", "boolean"}


def read_table(frame: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    """Take the columns that are needed, in plain types, after checking them.

    Parameters
    ----------
    frame : DataFrame
        As it was given; left as it is.
    columns : Columns
        Which column is what.

    Returns
    -------
    DataFrame
        Those columns only. Numbers kept as objects are numbers; times written as "1", "2" ... "10" too, which do not
        stand in order as text.

    Raises
    ------
    EstimationError
        No table, a column that is missing, there twice, or named in two parts that exclude each other; an outcome that
        is not of finite numbers.
    """
    if not isinstance(frame, pd.DataFrame):
        raise EstimationError(
            f"the table must be a DataFrame with one row per person, and is a {type(frame).__name__}."
        )
    problems = [*_absent(frame, columns), *_in_two_parts(columns)]
    if problems:
        raise EstimationError(several("the table", problems))
    used = frame[columns.named()].copy()
    parts = (columns.outcome, columns.treated, columns.running, columns.baseline, *columns.covariates)
    for name in dict.fromkeys(name for name in parts if name is not None):
        if used[name].dtype == object and pd.api.types.infer_dtype(used[name], skipna=True) in NUMBERS:
            used[name] = used[name].where(used[name].notna(), np.nan).astype(float)
    for name in columns.covariates:
        used[name] = _in_days(used[name])
    if columns.time is not None:
        used[columns.time] = _times(used[columns.time])
    if problems := _outcome(used[columns.outcome]):
        raise EstimationError(several("the table", problems))
    return used


def check_ids(used: pd.DataFrame, columns: Columns) -> None:
    """Every row says whose it is, where that is a column.

    Parameters
    ----------
    used : DataFrame
        The rows that count.
    columns : Columns
        Which column is what.

    Raises
    ------
    EstimationError
        Ids are missing: rows of nobody cannot be told from each other.
    """
    lost = 0 if columns.person is None else int(used[columns.person].isna().sum())
    if lost:
        who = "unit" if columns.person == columns.unit else "person"
        raise EstimationError(f'{lost} rows have no {who} ("{columns.person}"). Fill it in, or drop them.')


def _absent(frame: pd.DataFrame, columns: Columns) -> list[str]:
    """Columns that are not there, or more than once."""
    problems = []
    for name in columns.named():
        count = int((frame.columns == name).sum())
        if not count and name in frame.index.names:
            problems.append(f'"{name}" is in the index and no column. Use frame.reset_index() first.')
        elif not count:
            problems.append(f'column "{name}" is not in the table. {did_you_mean(name, frame.columns)}')
        elif count > 1:
            problems.append(f'the table has {count} columns "{name}". Keep one of them.')
    return problems


def _in_two_parts(columns: Columns) -> list[str]:
    """The outcome and the arm explain themselves, and nothing else, where they are among the covariates."""
    problems = [
        f'"{name}" is the {part} and among the covariates too. Leave it out there.'
        for name, part in ((columns.outcome, "outcome"), (columns.treated, "treated column"))
        if name is not None and name in columns.covariates
    ]
    if columns.outcome == columns.treated:
        problems.append(f'"{columns.outcome}" is named as the outcome and as the treated column.')
    return problems


def _outcome(column: pd.Series) -> list[str]:
    """An outcome is a column of finite numbers; a date or a complex number is none."""
    types = pd.api.types
    if not types.is_numeric_dtype(column) or types.is_complex_dtype(column):
        remedy = (
            "Turn it into days first."
            if types.is_datetime64_any_dtype(column)
            else "Turn its words into numbers first."
        )
        return [f'outcome "{column.name}" is not a column of numbers. {remedy}']
    infinite = np.flatnonzero(np.isinf(as_numbers(column)))
    if not len(infinite):
        return []
    rows = ", ".join(str(row + 1) for row in infinite[:3])
    return [f'outcome "{column.name}" has {len(infinite)} infinite values (first rows: {rows}).']


def _in_days(column: pd.Series) -> pd.Series:
    """Lengths of time in days, and months, quarters and years by their first day: as numbers, not as words."""
    if isinstance(column.dtype, pd.PeriodDtype):
        return column.dt.to_timestamp()
    return column.dt.total_seconds() / 86_400 if pd.api.types.is_timedelta64_dtype(column) else column


def _times(time: pd.Series) -> pd.Series:
    """Whole numbers written as text, without leading zeros, are numbers."""
    if not (time.dtype == object or isinstance(time.dtype, pd.StringDtype)):
        return time
    texts = time.dropna().astype(str)
    if len(texts) and texts.str.fullmatch("0|[1-9][0-9]{0,3}").all():
        return pd.to_numeric(time)
    return time
