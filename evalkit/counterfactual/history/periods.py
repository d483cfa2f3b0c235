"""Several earlier periods: their means, and a line through them drawn on to now."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from evalkit.errors import EstimationError, Flag

FEWEST = 5  # people in a period, on the whole: below, what was named as time is no period


def years_of(time: np.ndarray) -> np.ndarray:
    """Read periods as numbers of years.

    Parameters
    ----------
    time : ndarray, shape (n,)
        Years as numbers, or dates (of which the calendar year is taken).

    Returns
    -------
    ndarray of float, shape (n,)
        Years.

    Raises
    ------
    EstimationError
        They are neither, or some are missing.
    """
    column = pd.Series(time)
    if pd.api.types.is_datetime64_any_dtype(column):
        years = column.dt.year.astype(float)
    else:
        years = pd.to_numeric(column, errors="coerce").astype(float)
        if years.isna().all():
            years = pd.to_datetime(column, errors="coerce").dt.year.astype(float)
    if years.isna().any():
        count = int(years.isna().sum())
        raise EstimationError(f"time has {count} rows that are missing, or neither a year nor a date.")
    return years.to_numpy()


def period_means(y: np.ndarray, times: np.ndarray, sizes: np.ndarray | None) -> pd.DataFrame:
    """Mean of each earlier period with its sampling variance.

    Parameters
    ----------
    y, times : ndarray, shape (n,)
        Outcome and period of people, or of rates where ``sizes`` is given.
    sizes : ndarray, shape (n,), or None
        Numbers of people behind rates.

    Returns
    -------
    DataFrame
        time, mean, n, variance (of the mean; people's spread is pooled over periods), by time.

    Raises
    ------
    EstimationError
        A period holds hardly anybody, or two rates are of the same time.
    """
    if sizes is not None:
        if len(np.unique(times)) < len(times):
            raise EstimationError("two earlier rates are of the same time. Give one row for each period.")
        if not ((y >= 0) & (y <= 1)).all():
            raise EstimationError("an earlier rate must lie between 0 and per (1 for shares, 100 for rates per 100).")
        counted = (y * sizes + 1) / (sizes + 2)  # a share of nobody has an error too
        table = pd.DataFrame({"time": times, "mean": y, "n": sizes, "variance": counted * (1 - counted) / sizes})
        return table.sort_values("time", ignore_index=True)
    groups = pd.DataFrame({"time": times, "y": y}).groupby("time")["y"]
    table = groups.agg(mean="mean", n="size").reset_index()
    if table["n"].median() < FEWEST:
        raise EstimationError(
            f"time has {len(table)} different earlier values with hardly anybody in each. Use periods, such as years."
        )
    spread = float(((y - groups.transform("mean").to_numpy()) ** 2).sum()) / max(len(y) - len(table), 1)
    return table.assign(n=table["n"].astype(float), variance=spread / table["n"])


def extrapolate(table: pd.DataFrame, target: float) -> tuple[float, float, float, list[Flag]]:
    """Draw a line through the periods' means on to another time.

    Parameters
    ----------
    table : DataFrame
        From `period_means`, two periods or more.
    target : float
        The time wanted.

    Returns
    -------
    (float, float, float, list of Flag)
        Level expected at that time; its standard error, by which a new period's own chance is counted and the sampling
        of its people is not (they carry it themselves); degrees of freedom; flags.

    Notes
    -----
    Each period counts alike, since what moves whole periods is the larger error. The error is s (1 + h)^(1/2) less a
    new period's sampling, with s the residual standard deviation of the means and h the leverage of the time wanted;
    never below the line's sampling error.
    """
    x = np.column_stack([np.ones(len(table)), table["time"] - target])
    bread = np.linalg.inv(x.T @ x)
    beta = bread @ (x.T @ table["mean"].to_numpy())
    pull = x @ bread[0]
    sampling = float((pull**2 * table["variance"]).sum())
    df = len(table) - 2
    if df < 1:
        text = "A line through two earlier periods fits without fail: how much periods differ by chance is not counted."
        return float(beta[0]), math.sqrt(sampling), math.inf, [Flag("counterfactual", "serious", text, _MORE)]
    spread = float(((table["mean"] - x @ beta) ** 2).sum()) / df
    error = max(spread * (1 + float(bread[0, 0])) - float(table["variance"].mean()), sampling)
    return float(beta[0]), math.sqrt(error), float(df), [_line_flag(len(table), float(beta[1]))]


_MORE = "Three earlier periods are the fewest from which an interval can be given; five or more are wished for."


def _line_flag(periods: int, slope: float) -> Flag:
    """What is taken for granted."""
    text = f"A line through {periods} earlier periods was drawn on to now: the trend is taken to have gone on."
    return Flag("counterfactual", "caution", text, _MORE if periods < 5 else "")
