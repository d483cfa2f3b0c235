"""Dates of first treatment, however they are written."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalkit.counterfactual.covariates import is_number
from evalkit.errors import EstimationError

NEVER_WORDS = {"never", "never treated", "none", "no", "control", "comparison", ""}
YEARS = (1000, 9999)


def start_dates(first: pd.Series) -> pd.Series:
    """Dates, years (their first day), or text that reads as one of them.

    Parameters
    ----------
    first : Series
        Of first treatment; 0, nothing or "never" for units that never were.

    Returns
    -------
    Series of datetime
        NaT for never.

    Raises
    ------
    EstimationError
        Something that is neither a date nor a year nor "never": nobody is counted as untreated for a slip of the pen.
    """
    if pd.api.types.is_datetime64_any_dtype(first):
        return first
    if is_number(first):
        values = pd.Series(first.to_numpy(dtype=float, na_value=np.nan), index=first.index)
        text = values.where(np.isfinite(values) & (values != 0)).map("{:g}".format, na_action="ignore").fillna("")
    else:
        text = first.astype(object).where(first.notna(), "").astype(str).str.strip().str.casefold()
    never = text.isin(NEVER_WORDS | {"0"})
    found = pd.to_datetime(text.where(~never), format="ISO8601", errors="coerce")
    year = pd.to_numeric(text.where(text.str.fullmatch("[0-9]{4}") & ~never), errors="coerce")
    wrong = int((~never & (found.isna() | (is_number(first) & ~year.between(*YEARS)))).sum())
    if wrong:
        raise EstimationError(
            f'column "{first.name}" has {wrong} rows that are no date or year, and the times are dates. '
            "Write the date of first treatment, and 0 or nothing for never."
        )
    return found
