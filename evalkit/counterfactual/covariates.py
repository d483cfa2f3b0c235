"""From covariates as people write them to columns a model can use: dummies, missing values, useless columns."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalkit import disclosure, words
from evalkit.errors import Flag


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


def levels_of(column: pd.Series) -> list[str]:
    """List the levels of a categorical covariate.

    Parameters
    ----------
    column : Series
        Words.

    Returns
    -------
    list of str
        Ascending, missing left out.
    """
    return sorted(column.dropna().astype(str).unique())


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
    """
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


def _numeric(column: pd.Series) -> dict[str, np.ndarray]:
    """A number, with the mean in its gaps and a column that says where they were."""
    values = as_numbers(column)
    gaps = np.isnan(values)
    if not gaps.any():
        return {str(column.name): values}
    filled = np.where(gaps, values[~gaps].mean() if not gaps.all() else 0.0, values)
    return {str(column.name): filled, f"{column.name} missing": gaps.astype(float)}


def _dummies(column: pd.Series) -> dict[str, np.ndarray]:
    """One column per level but the first; missing is a level."""
    text = column.astype(object).where(column.notna(), None)
    gaps = column.isna().to_numpy()
    result = {f"{column.name} {level}": (text.astype(str) == level).to_numpy(float) for level in levels_of(column)[1:]}
    if gaps.any():
        for values in result.values():
            values[gaps] = 0.0
        result[f"{column.name} missing"] = gaps.astype(float)
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
    basis = np.full((n, 1), 1 / np.sqrt(max(n, 1)))
    for name, values in columns.items():
        spread = values - values.mean()
        size = np.sqrt((spread**2).sum())
        if size <= 1e-12 * max(1.0, np.abs(values).max(initial=0.0)) * np.sqrt(max(n, 1)):
            dropped.append(name)
            continue
        rest = spread / size
        for _ in range(2):  # twice is enough against rounding
            rest = rest - basis @ (basis.T @ rest)
        left = np.sqrt((rest**2).sum())
        if left < 1e-8:
            dropped.append(name)
            continue
        kept[name] = values
        basis = np.column_stack([basis, rest / left])
    return pd.DataFrame(kept, index=range(n)), dropped
