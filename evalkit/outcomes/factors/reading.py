"""From a table of answers to what a factor model needs: checked items, groups, occasions, means and covariances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from evalkit.errors import DataError, EstimationError, Flag, Level, did_you_mean, several
from evalkit.outcomes.factors.structure import Design
from evalkit.outcomes.factors.surface import Sample
from evalkit.outcomes.items.itemtable import complete_rows, item_matrix
from evalkit.words import listed, percent

_FEW_ANSWERS = 5
_MANY_LOST = 0.1


def named_factors(items: pd.DataFrame, factors: Mapping[str, Sequence[str]]) -> tuple[list[str], np.ndarray]:
    """Which items belong to which factor, in one order.

    Parameters
    ----------
    items : DataFrame
        Holding the columns named.
    factors : dict of factor to its item columns
        Each item under one factor only.

    Returns
    -------
    columns : list of str
        All items, factor by factor.
    owner : ndarray of int
        The place of each item's factor.

    Raises
    ------
    DataError
        Unknown columns, an item under two factors.
    EstimationError
        A factor with too few items to be identified.
    """
    columns = [column for own in factors.values() for column in own]
    absent = [column for column in columns if column not in items.columns]
    problems = [f'There is no column "{column}". {did_you_mean(column, items.columns)}' for column in absent]
    shared = sorted({str(column) for column in columns if columns.count(column) > 1})
    problems += [f'Item "{column}" is named twice. Each item belongs to one factor, once.' for column in shared]
    if problems:
        raise DataError(several("factors", problems))
    thin = [name for name, own in factors.items() if len(own) < (3 if len(factors) == 1 else 2)]
    if thin or not factors:
        least = "at least three items" if len(factors) < 2 else "at least two items beside another factor, better three"
        who = listed([f'"{name}"' for name in thin]) or "The model"
        raise EstimationError(f"{who} cannot be told from the data: a factor needs {least}. Add items or join factors.")
    owner = np.repeat(np.arange(len(factors)), [len(own) for own in factors.values()])
    return columns, owner


def labels(items: pd.DataFrame, given: Any, what: str) -> pd.Series:
    """A grouping, given as a column name or as values in the rows' order.

    Returns
    -------
    Series
        With the index of ``items``.

    Raises
    ------
    DataError
        No such column, or another number of values than rows.
    """
    if isinstance(given, str):
        if given not in items.columns:
            raise DataError(f'{what}: there is no column "{given}". {did_you_mean(given, items.columns)}')
        return items[given]
    values = given.to_numpy() if isinstance(given, pd.Series) else np.asarray(given)
    if len(values) != len(items):
        raise DataError(
            f"{what}: {len(values)} values for {len(items)} rows of items. Give one per row, in their order."
        )
    return pd.Series(values, index=items.index)


def read_groups(
    items: pd.DataFrame, factors: Mapping[str, Sequence[str]], groups: Any = None, marker: bool = False
) -> tuple[Design, list[Flag]]:
    """Read independent groups of persons, one row each.

    Parameters
    ----------
    items, factors
        As in `named_factors`.
    groups : column name or array, shape (n_persons,), optional
        Persons without a group are left out. Without groups the means are not modelled.
    marker : bool
        How the factors get their scale.

    Returns
    -------
    design : Design
        One sample per group.
    flags : list of Flag
        Rows left out; items with few answers.
    """
    columns, owner = named_factors(items, factors)
    names, values = item_matrix(items[columns])
    group = None if groups is None else labels(items, groups, "groups")
    place, found = _places(group, len(values))
    kept = complete_rows(values) & (place >= 0)
    flags = [*left_out(kept, len(values), "rows"), *few_answers(names, values)]
    samples = [_sample(values[kept & (place == k)], names, label) for k, label in enumerate(found)]
    design = Design(tuple(names), tuple(factors), owner, tuple(found), ("",), tuple(samples), group is not None, marker)
    return design, flags


def _places(group: pd.Series | None, rows: int) -> tuple[np.ndarray, list[str]]:
    if group is None:
        return np.zeros(rows, dtype=int), [""]
    place, found = pd.factorize(group, sort=True)
    if len(found) < 2:
        raise DataError(
            "groups: fewer than two groups, so there is nothing to compare. Name a column with two or more."
        )
    return place, [str(label) for label in found]


def _sample(values: np.ndarray, names: Sequence[str], label: str) -> Sample:
    """Means and covariances of a group, or why it cannot be fitted."""
    where = f'Group "{label}"' if label else "The table"
    size = len(names)
    if len(values) <= size:
        raise EstimationError(
            f"{where} has {len(values)} complete rows for {size} items; it needs more rows than items. Join it with a "
            "like group, leave it out, or test fewer items at a time."
        )
    flat = [f'"{name}"' for name, width in zip(names, np.ptp(values, axis=0), strict=True) if width == 0]
    if flat:
        raise EstimationError(
            f"{where}: all complete rows give the same answer to {listed(flat)}. Leave these items out."
        )
    centred = values - values.mean(axis=0)
    covariance = centred.T @ centred / len(values)
    spread = np.sqrt(np.diag(covariance))
    if np.linalg.eigvalsh(covariance / np.outer(spread, spread))[0] < 1e-10:
        raise EstimationError(f"{where}: an item is the sum of others or repeats one. Leave it out.")
    return Sample(covariance, values.mean(axis=0), len(values))


def read_occasions(
    items: pd.DataFrame, factors: Mapping[str, Sequence[str]], occasions: Any, person: Any, groups: Any = None
) -> tuple[Design, list[Flag]]:
    """Read the same persons on several occasions, one row per person and occasion.

    Parameters
    ----------
    items, factors, groups
        As in `read_groups`; a person's group is that of the first row.
    occasions : column name or array
        In time order as sorted, or as the categories say.
    person : column name or array, optional
        Whose row it is; by default the index.

    Returns
    -------
    design : Design
        One sample per group, the items of all occasions side by side.
    flags : list of Flag
        Persons left out; items with few answers.
    """
    columns, owner = named_factors(items, factors)
    names, values = item_matrix(items[columns])
    who = labels(items, person, "person") if person is not None else pd.Series(items.index, index=items.index)
    when = labels(items, occasions, "occasions")
    group = None if groups is None else labels(items, groups, "groups")
    person_place, persons = pd.factorize(who)
    time_place, times = pd.factorize(when, sort=True)
    _check_occasions(person_place, time_place, len(times))
    wide = np.full((len(persons), len(times), len(names)), np.nan)
    seen = (person_place >= 0) & (time_place >= 0)
    wide[person_place[seen], time_place[seen]] = values[seen]
    flat = wide.reshape(len(persons), -1)
    place, found = _places(group, len(values))
    first = pd.Series(place).groupby(person_place).first().drop(-1, errors="ignore").to_numpy()
    kept = complete_rows(flat) & (first >= 0)
    flags = [*left_out(kept, len(persons), "persons"), *few_answers(names, values)]
    longer = [f"{name} ({time})" for time in times for name in names]
    samples = [_sample(flat[kept & (first == k)], longer, label) for k, label in enumerate(found)]
    times_said = tuple(str(time) for time in times)
    return Design(tuple(names), tuple(factors), owner, tuple(found), times_said, tuple(samples)), flags


def _check_occasions(person: np.ndarray, time: np.ndarray, times: int) -> None:
    if times < 2:
        raise DataError("occasions: fewer than two, so there is nothing to compare. Give two or more.")
    both = pd.Series(person[(person >= 0) & (time >= 0)] * times + time[(person >= 0) & (time >= 0)])
    twice = int(both.duplicated().sum())
    if twice:
        raise DataError(f"occasions: {twice} row(s) repeat a person at the same occasion. Keep one reading of each.")
    if pd.Series(person[person >= 0]).value_counts().max() < 2:
        raise DataError("occasions: nobody has two rows. Name the column that says whose row it is: person = ...")


def left_out(kept: np.ndarray, rows: int, what: str) -> list[Flag]:
    """Say how many had a hole, and so took no part."""
    lost = int(rows - kept.sum())
    if not lost:
        return []
    level: Level = "caution" if lost > _MANY_LOST * rows else "note"
    text = f"Rows with a missing item took no part ({percent(lost / rows)})."
    detail = f"{lost} of {rows} {what} left out, listwise; {int(kept.sum())} used."
    return [Flag("outcomes", level, text, detail)]


def few_answers(names: Sequence[str], values: np.ndarray) -> list[Flag]:
    """Say where answers are too few kinds to be treated as numbers without a word (Rhemtulla et al. 2012)."""
    few = [name for name, column in zip(names, values.T, strict=True) if _kinds(column) < _FEW_ANSWERS]
    if not few:
        return []
    text = (
        f"{len(few)} of {len(names)} items have fewer than {_FEW_ANSWERS} kinds of answer and are treated as numbers."
    )
    detail = (
        "Loadings come out somewhat small and chi-square somewhat large; compare changes in fit, not single values."
    )
    return [Flag("outcomes", "note", text, detail)]


def _kinds(column: np.ndarray) -> int:
    return len(np.unique(column[~np.isnan(column)]))
