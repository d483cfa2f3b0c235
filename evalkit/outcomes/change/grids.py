"""Readings of persons on occasions as a grid: who, when, in which order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.errors import DataError, EstimationError, Flag, did_you_mean
from evalkit.words import number, percent

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Grid:
    """Values and days, shape (people, occasions), NaN where not read; days None without times."""

    people: pd.Index
    occasions: list[object]
    values: Array
    days: Array | None
    flags: tuple[Flag, ...] = ()


def grid_of(frame: pd.DataFrame, columns: tuple[str, str, str, str | None], baseline: object) -> Grid:
    """Put readings (columns: person, occasion, value, time or None) into a grid from the baseline on."""
    person, occasion, value, time = columns
    for column in columns:
        if column is not None and column not in frame.columns:
            raise DataError(f'There is no column "{column}". {did_you_mean(column, frame.columns)}')
    lacking = [name for name in (person, occasion) if frame[name].isna().any()]
    if lacking:
        raise DataError(f'Rows lack "{lacking[0]}": say whose reading, and on which occasion, or drop them.')
    if not pd.api.types.is_numeric_dtype(frame[value]):
        raise DataError(f'Column "{value}" must hold numbers. Score the answers first.')
    days = _days(frame, occasion, time)
    order = _ordered(frame[occasion], days)
    who, people = pd.factorize(frame[person], sort=True)
    where = pd.Index(order).get_indexer(pd.Index(frame[occasion]))
    twice = int(pd.Series(who * len(order) + where).duplicated().sum())
    if twice:
        raise DataError(
            f"{number(twice, 0)} readings are a person's second on the same occasion. Choose one first (see `align`)."
        )
    values = np.full((len(people), len(order)), np.nan)
    values[who, where] = frame[value].to_numpy(dtype=float, na_value=np.nan)
    on = None
    if days is not None:
        on = np.full(values.shape, np.nan)
        on[who, where] = days
        on[np.isnan(values)] = np.nan
    return _from_baseline(Grid(pd.Index(people, name=person), order, values, on), baseline)


def _days(frame: pd.DataFrame, occasion: str, time: str | None) -> Array | None:
    """Days of the readings, from any start."""
    column = frame[time if time is not None else occasion]
    if time is None and not pd.api.types.is_datetime64_any_dtype(column):
        return None
    if pd.api.types.is_datetime64_any_dtype(column):
        return ((column - column.min()) / pd.Timedelta(days=1)).to_numpy(dtype=float)
    if pd.api.types.is_numeric_dtype(column) and not isinstance(column.dtype, pd.CategoricalDtype):
        return column.to_numpy(dtype=float, na_value=np.nan)
    raise DataError(f'Column "{time}" must hold dates or numbers of days.')


def _ordered(occasion: pd.Series, days: Array | None) -> list[object]:
    if isinstance(occasion.dtype, pd.CategoricalDtype):
        seen = set(occasion)
        return [one for one in occasion.cat.categories if one in seen]
    if pd.api.types.is_numeric_dtype(occasion) or pd.api.types.is_datetime64_any_dtype(occasion):
        return sorted(occasion.unique())
    if days is None:
        raise DataError("Occasions that are words need an order: give their days (time=), or a categorical column.")
    return list(pd.Series(days).groupby(occasion.to_numpy()).median().sort_values(kind="stable").index)


def _from_baseline(read: Grid, baseline: object) -> Grid:
    if baseline is None:
        return read
    if baseline not in read.occasions:
        raise DataError(f'There is no occasion "{baseline}". {did_you_mean(str(baseline), read.occasions)}')
    at = read.occasions.index(baseline)
    days = None if read.days is None else read.days[:, at:]
    return Grid(read.people, read.occasions[at:], read.values[:, at:], days, read.flags)


def enough_occasions(kind: str, read: Grid) -> None:
    """Raise an EstimationError where a kind of summary needs more occasions than there are."""
    least = 3 if kind == "peak and hold" else 2
    if len(read.occasions) < least:
        have = "one occasion" if len(read.occasions) == 1 else f"{len(read.occasions)} occasions"
        raise EstimationError(
            f'"{kind}" needs at least {least} occasions, the baseline among them, and there is {have}. '
            "Report the readings as they are."
        )


def on_days(read: Grid, kind: str) -> Grid:
    """The readings whose day is known, from each person's first one on."""
    if read.days is None:
        raise DataError(f'"{kind}" goes by true days: give a column of dates or days (time=).')
    dated = ~np.isnan(read.days)
    undated = int((~dated & ~np.isnan(read.values)).sum())
    flags = list(read.flags)
    if undated:
        share = percent(undated / max(int((~np.isnan(read.values)).sum()), 1))
        flags.append(
            Flag("outcomes", "caution", f"{share} of the readings have no date and are left out of the {kind}.")
        )
    values = np.where(dated, read.values, np.nan)
    _in_order(read.days)
    return Grid(read.people, read.occasions, values, read.days, tuple(flags))


def _in_order(days: Array) -> None:
    last = np.fmax.accumulate(days, axis=1)
    back = (days[:, 1:] <= last[:, :-1]).any(axis=1)
    if back.any():
        raise DataError(
            f"{number(int(back.sum()), 0)} people have a reading dated on or before that of an earlier occasion. "
            "Correct the dates, or align the readings by date first."
        )
