"""From covariates as people write them to columns a model can use: dummies, missing values, useless columns."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalkit import disclosure, words
from evalkit.errors import EstimationError, Flag, several


def is_number(column: pd.Series) -> bool:
    """Whether a covariate is used as a number and not by its levels.

    Parameters
    ----------
    column : Series
        A covariate.

    Returns
    -------
    bool
        Dates count in days; yes/no counts as a number.
    """
    return pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column)


def as_numbers(column: pd.Series) -> np.ndarray:
    """Turn a numeric, yes/no or date column into floats.

    Parameters
    ----------
    column : Series
        Numbers, yes/no or dates.

    Returns
    -------
    ndarray of float, shape (n,)
        Missing is NaN; dates are days.
    """
    if pd.api.types.is_datetime64_any_dtype(column):
        return ((column - pd.Timestamp("2000-01-01")) / pd.Timedelta(days=1)).to_numpy(dtype=float)
    return column.to_numpy(dtype=float, na_value=np.nan)


def encode(covariates: pd.DataFrame) -> tuple[pd.DataFrame, list[Flag]]:
    """Turn covariates into numeric columns without missing values.

    Parameters
    ----------
    covariates : DataFrame, shape (n, k)
        As in the study's tables.

    Returns
    -------
    (DataFrame, list of Flag)
        Numbers as they are, one dummy per level but the first, mean plus an indicator for missing numbers, a level of
        their own for missing words; constant columns and columns that repeat others left out. Flags say so.

    Raises
    ------
    EstimationError
        A covariate is infinite somewhere.
    """
    _check_finite(covariates)
    columns: dict[str, np.ndarray] = {}
    flags: list[Flag] = []
    for name in covariates.columns:
        columns |= _numeric(covariates[name]) if is_number(covariates[name]) else _dummies(covariates[name])
    flags += _missing_flags(covariates)
    encoded, dropped = _useful(columns, len(covariates))
    if dropped:
        text = f"Left out of the adjustment because they do not vary or repeat others: {words.listed(dropped)}."
        flags.append(Flag("counterfactual", "note", text))
    return encoded, flags


def _check_finite(covariates: pd.DataFrame) -> None:
    """Nothing can be done with an infinite covariate; all are named at once."""
    problems = []
    for name in covariates.columns:
        if not is_number(covariates[name]):
            continue
        infinite = np.flatnonzero(np.isinf(as_numbers(covariates[name])))
        if len(infinite):
            problems.append(
                f'covariate "{name}" has {len(infinite)} infinite values. Correct them or leave them empty.'
            )
    if problems:
        raise EstimationError(several("the table", problems))


def _numeric(column: pd.Series) -> dict[str, np.ndarray]:
    """A number, with the mean in its gaps and a column that says where they were."""
    values = as_numbers(column)
    gaps = np.isnan(values)
    if not gaps.any():
        return {str(column.name): values}
    filled = np.where(gaps, values[~gaps].mean() if not gaps.all() else 0.0, values)
    return {str(column.name): filled, f"{column.name} missing": gaps.astype(float)}


def level_codes(column: pd.Series) -> tuple[np.ndarray, list[str]]:
    """Number the levels of a categorical covariate.

    Parameters
    ----------
    column : Series
        Words.

    Returns
    -------
    (ndarray of int of shape (n,), list of str)
        The place of each person's level among all levels in ascending order, -1 where it is missing; and the levels.
    """
    try:
        found, known = pd.factorize(column, use_na_sentinel=True)
    except TypeError:
        raise EstimationError(
            f'covariate "{column.name}" holds lists or the like. Turn it into numbers or words.'
        ) from None
    names = [str(level) for level in known]
    levels = sorted(set(names))
    place = {level: number for number, level in enumerate(levels)}
    places = np.array([*(place[name] for name in names), -1])
    return places[found], levels


def _dummies(column: pd.Series) -> dict[str, np.ndarray]:
    """One column per level but the first; missing is a level."""
    found, levels = level_codes(column)
    result = {f"{column.name} {level}": (found == place).astype(float) for place, level in enumerate(levels) if place}
    if (found < 0).any():
        result[f"{column.name} missing"] = (found < 0).astype(float)
    return result


def _missing_flags(covariates: pd.DataFrame) -> list[Flag]:
    """Which covariates had gaps and what was done."""
    counts = covariates.isna().sum()
    shares = [f"{name} ({disclosure.roughly(int(n), len(covariates))})" for name, n in counts.items() if n]
    if not shares:
        return []
    text = f"Missing covariates were filled with their mean and marked by an indicator: {words.listed(shares)}."
    return [Flag("counterfactual", "caution", text, "Shares are of people analysed.")]


def _useful(columns: dict[str, np.ndarray], n: int) -> tuple[pd.DataFrame, list[str]]:
    """Keep the columns that vary and are not linear combinations of those before them."""
    kept: dict[str, np.ndarray] = {}
    dropped: list[str] = []
    basis: list[np.ndarray] = []
    for name, values in columns.items():
        spread = values - values.mean()
        size = np.sqrt((spread**2).sum())
        if size <= 1e-12 * np.abs(values).max(initial=0.0) * np.sqrt(max(n, 1)):
            dropped.append(name)
            continue
        rest = spread / size
        for _ in range(2):  # twice is enough against rounding
            for one in basis:
                rest = rest - (one @ rest) * one
            rest -= rest.mean()
        left = np.sqrt((rest**2).sum())
        if left < 1e-8:
            dropped.append(name)
            continue
        kept[name] = values
        basis.append(rest / left)
    return pd.DataFrame(kept, index=range(n)), dropped
