"""Two readings of the same people: numbers, in the same order, and who has both."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from evalkit.errors import DataError
from evalkit.outcomes.questionnaires.answers import numbers, rows_in_words


def readings(values: Any, name: str) -> pd.Series:
    """Take readings as numbers.

    Parameters
    ----------
    values : array-like, shape (n,)
        Numbers, blank where missing.
    name : str
        What to call them in a message.

    Returns
    -------
    Series of float, shape (n,)
        With the index it came with.

    Raises
    ------
    DataError
        Text among the numbers, or a number that is not finite, with the rows.
    """
    column = values if isinstance(values, pd.Series) else pd.Series(np.asarray(values))
    found = np.asarray(numbers(column), dtype=float)
    wrong = np.flatnonzero((np.isnan(found) & column.notna().to_numpy()) | np.isinf(found))
    if len(wrong):
        rows = rows_in_words(list(column.index[wrong]))
        raise DataError(f"{name}, {rows}: not a number. Correct it, or leave it blank when it is missing.")
    return pd.Series(found, index=column.index, name=name)


def pair(before: Any, after: Any) -> pd.DataFrame:
    """Put two readings of the same people side by side.

    Parameters
    ----------
    before, after : array-like, shape (n,)
        The same people in the same order.

    Returns
    -------
    DataFrame, shape (n, 2)
        ``before``, ``after``.

    Raises
    ------
    DataError
        Different lengths or different people, what is not a number, or nobody with both readings.
    """
    first, last = readings(before, "before"), readings(after, "after")
    if len(first) != len(last):
        raise DataError(f"before has {len(first)} entries and after {len(last)}. Give the same people in both.")
    named = isinstance(before, pd.Series) and isinstance(after, pd.Series)
    if named and not first.index.equals(last.index):
        raise DataError(
            "before and after are not of the same people in the same order (their index differs). "
            "Write after.reindex(before.index)."
        )
    both = pd.DataFrame({"before": first, "after": last.set_axis(first.index)})
    if both.isna().any(axis=1).all():
        raise DataError("Nobody has both readings. Check that both occasions are of the same people.")
    return both
