"""Days spent in a state (in care, in custody) within a window."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalkit.errors import DataError, did_you_mean
from evalkit.outcomes.instruments import rows_in_words


def days_in_state(episodes: pd.DataFrame, windows: pd.DataFrame) -> pd.Series:
    """Count the days of each window that fall within at least one episode.

    Episodes and windows are half open: the first day counts, the last does not. Episodes are clipped to the window,
    days covered by several episodes count once, and an empty end means still in the state.

    Parameters
    ----------
    episodes : DataFrame, shape (n_episodes, 3 or more)
        ``person``, ``start``, ``end`` (dates).
    windows : DataFrame, shape (n_windows, 3 or more)
        ``person``, ``start``, ``end`` (dates); a person may have several windows.

    Returns
    -------
    Series of float, shape (n_windows,)
        Days, with the index and in the row order of ``windows``; 0 without an episode, missing where a window has
        no start or end.

    Raises
    ------
    DataError
        A missing column, an episode without a start, or one that ends before it starts.
    """
    for table, name in ((episodes, "episodes"), (windows, "windows")):
        for column in ("person", "start", "end"):
            if column not in table.columns:
                raise DataError(f'{name} lacks the column "{column}". {did_you_mean(column, table.columns)}')
    spells = _spells(episodes)
    row = pd.DataFrame({"person": windows["person"].to_numpy(), "window": np.arange(len(windows))})
    row["opens"], row["closes"] = windows["start"].to_numpy("datetime64[D]"), windows["end"].to_numpy("datetime64[D]")
    inside = row.merge(spells, on="person")
    inside["start"] = inside[["start", "opens"]].max(axis=1)
    inside["end"] = inside["end"].fillna(inside["closes"])
    inside["end"] = inside[["end", "closes"]].min(axis=1)
    inside = inside[inside["start"] < inside["end"]].sort_values(["window", "start", "end"])
    days = _covered(inside["window"].to_numpy(), inside["start"].to_numpy(), inside["end"].to_numpy(), len(windows))
    days[(row["opens"].isna() | row["closes"].isna()).to_numpy()] = np.nan
    return pd.Series(days, index=windows.index, name="days")


def _spells(episodes: pd.DataFrame) -> pd.DataFrame:
    """The episodes as days, or a message about those that cannot be."""
    spells = pd.DataFrame({name: episodes[name] for name in ("person", "start", "end")})
    for name in ("start", "end"):
        spells[name] = pd.to_datetime(spells[name]).dt.normalize()
    absent = spells.index[spells["start"].isna()]
    if len(absent):
        raise DataError(
            f"episodes: {rows_in_words(list(absent))} have no start. Give the date, or take the episode out."
        )
    backwards = spells.index[spells["end"] < spells["start"]]
    if len(backwards):
        raise DataError(f"episodes: {rows_in_words(list(backwards))} end before they start. Correct the dates.")
    return spells


def _covered(window: np.ndarray, start: np.ndarray, end: np.ndarray, windows: int) -> np.ndarray:
    """Length of the union of intervals per window; intervals sorted by window and start."""
    if not len(window):
        return np.zeros(windows)
    first, last = start.astype("datetime64[D]").astype(np.int64), end.astype("datetime64[D]").astype(np.int64)
    # An offset per window, larger than any date, lets one running maximum serve all windows.
    offset = window.astype(np.int64) * (last.max() - first.min() + 1)
    reached = np.maximum.accumulate(last + offset)
    before = np.concatenate([[np.iinfo(np.int64).min], reached[:-1]])
    fresh = np.maximum(last + offset - np.maximum(first + offset, before), 0)
    return np.bincount(window, weights=fresh, minlength=windows).astype(float)
