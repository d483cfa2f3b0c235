"""Who is in which arm, and yes/no columns, on a plain table with gaps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from evalkit.counterfactual.covariates import as_numbers, is_number
from evalkit.counterfactual.panel import OTHER_WORDS, TREATED_WORDS
from evalkit.errors import EstimationError, did_you_mean, several


def read_arms(frame: pd.DataFrame, treated: str, treated_is: Any = None) -> np.ndarray:
    """Read who is treated, leaving gaps as gaps.

    Parameters
    ----------
    frame : DataFrame
        With the column.
    treated : str
        Column that is 1 or 0 (true or false), or two words.
    treated_is
        The word that means the treated.

    Returns
    -------
    ndarray of float, shape (n,)
        1, 0, or NaN where the arm is not known.

    Raises
    ------
    EstimationError
        The column holds something else, or an arm is empty.
    """
    column = frame[treated]
    known = column.notna().to_numpy()
    labels = sorted(column[known].astype(str).unique())
    words = column.astype(str).str.strip().str.casefold()
    if treated_is is not None and len(labels) <= 2 and str(treated_is) in labels:
        values = (column.astype(str) == str(treated_is)).to_numpy(float)
    elif is_number(column):
        values = as_numbers(column)
    elif len(labels) == 2 and (words[known].isin(TREATED_WORDS) | words[known].isin(OTHER_WORDS)).any():
        one = words.isin(TREATED_WORDS)
        values = (one if one[known].any() else ~words.isin(OTHER_WORDS)).to_numpy(float)
    else:
        values = np.full(len(column), 2.0)
    if not np.isin(values[known], (0.0, 1.0)).all():
        raise EstimationError(
            f'treated column "{treated}" must be 1 or 0 (true or false), or two words and treated_is.'
        )
    for code, name in ((1.0, "treated"), (0.0, "comparison")):
        if not (values[known] == code).any():
            raise EstimationError(f"nobody is in the {name} arm. There is nothing to compare.")
    return np.where(known, values, np.nan)


def yes(column: pd.Series, name: str) -> np.ndarray:
    """Read a yes/no column; missing counts as no.

    Parameters
    ----------
    column : Series
        1 and 0, or true and false.
    name : str
        What a message calls it.

    Returns
    -------
    ndarray of bool, shape (n,)
        Where it is yes.

    Raises
    ------
    EstimationError
        It holds something else.
    """
    values = pd.to_numeric(column.astype(object), errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    if (column.notna().to_numpy() & ~np.isin(values, (0.0, 1.0))).any():
        raise EstimationError(f'"{name}" must be 1 or 0 (true or false), empty where not known.')
    return values == 1


def check_columns(frame: pd.DataFrame, names: list[str]) -> None:
    """Every column named is there.

    Parameters
    ----------
    frame : DataFrame
        The table.
    names : list of str
        Columns.

    Raises
    ------
    EstimationError
        Some are not; all at once.
    """
    absent = [name for name in dict.fromkeys(names) if name not in frame.columns]
    if absent:
        problems = [f'column "{name}" is not in the table. {did_you_mean(name, frame.columns)}' for name in absent]
        raise EstimationError(several("the table", problems))
