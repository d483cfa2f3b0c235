"""Times as whole periods: numbers, dates, months written as text."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalkit.errors import EstimationError

_REMEDY = "Give whole numbers (1, 2, 3 ...), dates, or months such as 2004-07, evenly spaced."


def whole_periods(time: pd.Series) -> np.ndarray:
    """Count periods since the first.

    Parameters
    ----------
    time : Series, shape (n,)
        Numbers, dates, pandas periods, or text that reads as dates.

    Returns
    -------
    ndarray of int, shape (n,)
        In units of the smallest distance between neighbours: months where the dates are whole months or quarters apart,
        else days, weeks or whatever lies between them.

    Raises
    ------
    EstimationError
        Times are missing, repeated, unreadable or not evenly spaced.
    """
    if time.isna().any():
        raise EstimationError(f'{int(time.isna().sum())} rows have no time ("{time.name}"). Fill or drop them.')
    values = _numbers(time)
    order = np.sort(values)
    gaps = np.diff(order)
    repeated = int((gaps == 0).sum())
    if repeated:
        raise EstimationError(
            f'{repeated} rows repeat a time ("{time.name}"). A series has one row per time: add its rows up, '
            "or take an estimator for panels."
        )
    if len(values) < 2:
        raise EstimationError("a series needs more than one time.")
    # Rounded fractions of a year (2004.08, 2004.17) are even only on the whole.
    for unit in (gaps.min(), (order[-1] - order[0]) / (len(order) - 1)):
        steps = (values - order[0]) / unit
        whole = np.round(steps)
        if np.abs(steps - whole).max() <= 0.25 and len(np.unique(whole)) == len(whole):
            return np.asarray(whole.astype(int))
    raise EstimationError(f'the times of "{time.name}" are not evenly spaced. {_REMEDY}')


def _numbers(time: pd.Series) -> np.ndarray:
    """Times as numbers that keep their distances."""
    if isinstance(time.dtype, pd.PeriodDtype):
        return np.asarray(time.astype("int64"), dtype=float)
    if pd.api.types.is_numeric_dtype(time):
        return time.to_numpy(dtype=float)
    if not pd.api.types.is_datetime64_any_dtype(time):
        try:
            time = pd.Series(pd.to_datetime(time.astype(str), format="ISO8601"), name=time.name)
        except ValueError:
            raise EstimationError(f'the times of "{time.name}" cannot be read as dates. {_REMEDY}') from None
    months = time.dt.year.to_numpy() * 12.0 + time.dt.month.to_numpy()
    same_day = time.dt.day.nunique() == 1 or bool(time.dt.is_month_end.all())
    if same_day and len(np.unique(months)) == len(months):
        return np.asarray(months)
    return np.asarray((time - time.min()) / pd.Timedelta(days=1), dtype=float)
