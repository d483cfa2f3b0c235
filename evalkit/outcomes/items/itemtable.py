"""Answers to items, or ratings by raters, as a matrix: checked once for every room that needs one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from evalkit.errors import DataError, several
from evalkit.outcomes.questionnaires.instruments import numbers, rows_in_words

POLICIES = ("listwise", "pairwise")


def item_matrix(items: Any, where: str = "items", least: int = 2, what: str = "item") -> tuple[list[str], np.ndarray]:
    """Read a table of answers, saying everything that is wrong with it at once.

    Parameters
    ----------
    items : DataFrame or array, shape (n_persons, n_items)
        One row per person, one column per item, scored (reverse keys applied); a blank is missing.
    where : str
        What the table is called in messages.
    least : int
        How many columns are needed.
    what : str
        What a column is: "item", "rater" or "occasion".

    Returns
    -------
    names : list of str
        The columns.
    values : ndarray of float, shape (n_persons, n_items)
        NaN where missing.

    Raises
    ------
    DataError
        Too few columns, two columns of one name, text, infinite numbers, a column without answers or without spread.
    """
    table = _as_table(items, what)
    names = [str(name) for name in table.columns]
    if len(names) < least:
        raise DataError(
            f"{where}: {len(names)} {what} column(s) given; at least {least} are needed. Give more {what}s."
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f'{where}: column "{twice[0]}" stands there twice. Give each {what} once.')
    columns = [numbers(table.iloc[:, place]) for place in range(len(names))]
    problems = [
        problem
        for place, name in enumerate(names)
        if (problem := _problem(name, columns[place], table.iloc[:, place], what))
    ]
    if problems:
        raise DataError(several(where, problems))
    return names, np.column_stack(columns)


def _as_table(items: Any, what: str) -> pd.DataFrame:
    if isinstance(items, pd.DataFrame):
        return items
    values = np.asarray(items)
    if values.ndim != 2:
        raise DataError(f"A table is needed: one row per person, one column per {what}. Give a DataFrame.")
    return pd.DataFrame(values, columns=[f"{what}_{place + 1}" for place in range(values.shape[1])])


def _problem(name: str, values: np.ndarray, column: pd.Series, what: str) -> str | None:
    """What is wrong with one column, by rows and never by their content."""
    seen = ~np.isnan(values)
    text = np.flatnonzero(~seen & column.notna().to_numpy())
    if len(text):
        rows = rows_in_words(list(column.index[text]))
        return f'Column "{name}", {rows}: not a number. Score the answers first, or leave them blank where missing.'
    if np.isinf(values).any():
        rows = rows_in_words(list(column.index[np.isinf(values)]))
        return f'Column "{name}", {rows}: an infinite number. Correct it, or leave it blank.'
    if not seen.any():
        return f'Column "{name}" holds no answer at all. Leave this {what} out, or find its answers.'
    if np.ptp(values[seen]) == 0:
        return f'Column "{name}": all {seen.sum()} answers are alike, so it tells nobody apart. Leave this {what} out.'
    return None


def complete_rows(values: np.ndarray) -> np.ndarray:
    """Which rows have no hole."""
    return ~np.isnan(values).any(axis=1)


def still_spread(names: Sequence[str], values: np.ndarray, where: str) -> None:
    """Refuse columns that lose their spread once rows with holes are left out.

    Raises
    ------
    DataError
        Naming the columns.
    """
    flat = [name for name, width in zip(names, np.ptp(values, axis=0), strict=True) if width == 0]
    if flat:
        shown = ", ".join(f'"{name}"' for name in flat[:5])
        raise DataError(
            f"{where}: among the {len(values)} complete rows all answers to {shown} are alike. Leave these out, "
            'or use missing = "pairwise" where it is offered.'
        )


def pairwise_covariance(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Covariance of each pair of columns from the rows that have both.

    Parameters
    ----------
    values : ndarray, shape (n, p)
        NaN where missing.

    Returns
    -------
    covariance : ndarray, shape (p, p)
        Divisor n - 1 of the pair; NaN where a pair has fewer than two rows.
    counts : ndarray, shape (p, p)
        Rows behind each.
    """
    seen = ~np.isnan(values)
    # Centring first keeps the sums of products exact where the mean is far from zero.
    filled = np.where(seen, values - np.nanmean(values, axis=0), 0.0)
    there = seen.astype(float)
    counts = there.T @ there
    sums = filled.T @ there
    with np.errstate(invalid="ignore", divide="ignore"):
        covariance = (filled.T @ filled - sums * sums.T / counts) / (counts - 1)
    covariance[counts < 2] = np.nan
    return covariance, counts
