"""From a long table to the columns of a growth model: checks, dummies, and who belongs to which cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api import types

from evalkit.errors import DataError, EstimationError, did_you_mean, several
from evalkit.outcomes.growing.sums import Array

CONSTANT = "(Intercept)"
_CHOICES = {
    "random": ("slope", "intercept"),
    "method": ("reml", "ml"),
    "cluster_random": ("same", "slope", "intercept", "none"),
    "robust": ("auto", "cr2", "model"),
}


@dataclass(frozen=True)
class Asked:
    """What was asked for: columns by role, and the kind of model."""

    outcome: str
    time: str | None
    person: str
    treated: str | None
    cluster: str | None
    covariates: tuple[str, ...]
    random: str
    method: str
    cluster_random: str
    robust: str
    level: float

    @property
    def levels(self) -> tuple[str, ...]:
        """Random terms by level, persons first."""
        if self.cluster is None:
            return (self.random,)
        return (self.random, self.random if self.cluster_random == "same" else self.cluster_random)

    @property
    def numbers(self) -> list[str]:
        """Columns that must hold numbers."""
        return [one for one in (self.outcome, self.time, self.treated) if one is not None]

    @property
    def columns(self) -> list[str]:
        """All columns used, each once."""
        named = [*self.numbers, self.person, *([self.cluster] if self.cluster else []), *self.covariates]
        return list(dict.fromkeys(named))


@dataclass(frozen=True)
class Design:
    """The rows used, as arrays.

    Attributes
    ----------
    asked : Asked
        Roles and kind of model.
    y, x, terms : ndarray (n,), ndarray (n, p), list of str
        Outcome, fixed terms and their names.
    time, treated : ndarray, shape (n,), or None
        As given.
    person, people : ndarray of int (n,), Index
        Codes and ids.
    group, clusters : ndarray of int (persons,) or None, Index
        Each person's cluster, and ids.
    moved : int
        Persons seen in more than one cluster.
    renumbered : bool
        Whether ids repeat from cluster to cluster and were taken as different persons.
    dropped, given : int
        Rows left out for missing values, of how many.
    """

    asked: Asked
    y: Array
    x: Array
    terms: list[str]
    time: Array | None
    treated: Array | None
    person: Array
    people: pd.Index
    group: Array | None
    clusters: pd.Index
    moved: int
    renumbered: bool
    dropped: int
    given: int


def read(frame: pd.DataFrame, asked: Asked) -> Design:
    """Check the table and lay out the model.

    Parameters
    ----------
    frame : DataFrame
        One row per person and occasion.
    asked : Asked
        Which columns, which model.

    Returns
    -------
    Design
        Complete rows only.

    Raises
    ------
    DataError
        Columns missing, of the wrong kind, or choices not known; all at once.
    EstimationError
        The rows left cannot support the model.
    """
    _check_request(frame, asked)
    used = frame.loc[_complete(frame, asked), asked.columns]
    if used.empty:
        raise EstimationError("No row has a value in every column of the growth model. Drop a covariate.")
    person, people, group, clusters, moved, renumbered = _people(used, asked)
    arrays = {name: used[name].to_numpy(dtype=float) for name in asked.numbers}
    time = None if asked.time is None else arrays[asked.time]
    treated = None if asked.treated is None else arrays[asked.treated]
    _check_support(asked, time, treated, person, group)
    x, terms = _fixed(used, asked, time, treated)
    return Design(
        asked, arrays[asked.outcome], x, terms, time, treated, person, people, group, clusters, moved, renumbered,
        len(frame) - len(used), len(frame),
    )  # fmt: skip


def _complete(frame: pd.DataFrame, asked: Asked) -> Array:
    kept = np.ones(len(frame), dtype=bool)
    for name in asked.columns:
        kept &= np.isfinite(frame[name].to_numpy(dtype=float, na_value=np.nan)) if _is_number(frame[name]) else True
        kept &= frame[name].notna().to_numpy()
    return kept


def _check_request(frame: pd.DataFrame, asked: Asked) -> None:
    problems = [
        f'{name}="{getattr(asked, name)}" is not known. {did_you_mean(getattr(asked, name), known)}'
        for name, known in _CHOICES.items()
        if getattr(asked, name) not in known
    ]
    problems += [
        f'has no column "{name}". {did_you_mean(name, map(str, frame.columns))}'
        for name in asked.columns
        if name not in frame.columns
    ]
    problems += [
        f'column "{name}" is there more than once. Rename one.'
        for name in asked.columns
        if (frame.columns == name).sum() > 1
    ]
    if not problems:
        problems = [_not_numbers(frame[name], name) for name in asked.numbers if not _is_number(frame[name])]
        problems += _dates(frame, asked.covariates)
    if asked.time is None and "slope" in asked.levels:
        problems.append('random="slope" needs time. Name the column of times, or write random="intercept".')
    if not 0 < asked.level < 1:
        problems.append("level must lie between 0 and 1. Write level=0.95.")
    if problems:
        raise DataError(several("The table for the growth model", problems))


def _is_number(column: pd.Series) -> bool:
    return bool(types.is_numeric_dtype(column) or types.is_bool_dtype(column))


def _not_numbers(column: pd.Series, name: str) -> str:
    if types.is_datetime64_any_dtype(column):
        return f'column "{name}" holds dates. Give days, months or years since each person\'s start.'
    return f'column "{name}" holds {column.dtype} values, not numbers. Give numbers (arms as 0 and 1).'


def _dates(frame: pd.DataFrame, covariates: Sequence[str]) -> list[str]:
    dated = [name for name in covariates if types.is_datetime64_any_dtype(frame[name])]
    return [f'covariate "{name}" holds dates. Give a number, such as age at the start.' for name in dated]


def _people(used: pd.DataFrame, asked: Asked) -> tuple[Array, pd.Index, Array | None, pd.Index, int, bool]:
    """Codes of persons and, for each, a cluster: the first one, in time, in which they were seen."""
    person, people = pd.factorize(used[asked.person])
    if asked.cluster is None:
        return person, pd.Index(people), None, pd.Index([]), 0, False
    cluster, clusters = pd.factorize(used[asked.cluster], sort=True)
    group = _first_seen(used, asked, person, cluster)
    elsewhere = group[person] != cluster
    renumbered = bool(elsewhere.any()) and _ids_repeat(used, asked, cluster, len(np.unique(person[elsewhere])))
    if renumbered:
        both = pd.MultiIndex.from_arrays([used[asked.cluster], used[asked.person]])
        person, pairs = pd.factorize(both)
        group = np.zeros(len(pairs), dtype=int)
        group[person] = cluster
        return person, pd.Index(pairs), group, pd.Index(clusters), 0, True
    return person, pd.Index(people), group, pd.Index(clusters), len(np.unique(person[elsewhere])), False


def _first_seen(used: pd.DataFrame, asked: Asked, person: Array, cluster: Array) -> Array:
    order = np.arange(len(used)) if asked.time is None else np.argsort(used[asked.time].to_numpy(), kind="stable")
    group = np.zeros(int(person.max()) + 1, dtype=int)
    group[person[order[::-1]]] = cluster[order[::-1]]  # of several, the last written is the first in time
    return group


def _ids_repeat(used: pd.DataFrame, asked: Asked, cluster: Array, elsewhere: int) -> bool:
    """Whether most ids that stand in two clusters do so at the same time: then they are two persons each."""
    if asked.time is None:
        return False
    keys = used[[asked.person, asked.time]].assign(_cluster=cluster).drop_duplicates()
    twice = keys.loc[keys.duplicated([asked.person, asked.time]), asked.person].nunique()
    return bool(twice >= elsewhere / 2)


def _check_support(asked: Asked, time: Array | None, treated: Array | None, person: Array, group: Array | None) -> None:
    persons = int(person.max()) + 1
    occasions = np.bincount(person)
    if occasions.max() == 1:
        raise EstimationError(
            "Every person has one occasion only, so nobody's change can be seen. Give a row for each further occasion, "
            "or compare the arms at that occasion."
        )
    if time is not None and np.ptp(time) == 0:
        raise EstimationError("All rows are of one time, so nobody's change can be seen. Give further occasions.")
    if asked.random == "slope" and len(person) <= 2 * persons:
        raise EstimationError(
            "With two occasions or fewer for each person, their slopes cannot be told from error. "
            'Use random="intercept", or give a third occasion.'
        )
    if treated is not None and np.ptp(treated) == 0:
        raise EstimationError(f'Column "{asked.treated}" has one value only: there is nothing to compare.')
    if group is not None and group.max() == 0:
        raise EstimationError(f'Column "{asked.cluster}" has one value only. Leave cluster out.')


def _fixed(used: pd.DataFrame, asked: Asked, time: Array | None, treated: Array | None) -> tuple[Array, list[str]]:
    columns: dict[str, Array] = {CONSTANT: np.ones(len(used))}
    if asked.time is not None and time is not None:
        columns[asked.time] = time
    if asked.treated is not None and treated is not None:
        columns[asked.treated] = treated
        if time is not None:
            columns[f"{asked.time}:{asked.treated}"] = time * treated
    for name in asked.covariates:
        columns |= coded(used[name], name)
    return np.column_stack(list(columns.values())), list(columns)


def coded(column: pd.Series, name: str) -> dict[str, Array]:
    """Lay out a covariate: numbers as they are, words as one column per value but the first.

    Parameters
    ----------
    column : Series
        No missing values.
    name : str
        What its terms are called.

    Returns
    -------
    dict of str to ndarray
        By term: ``name``, or ``name[value]``.
    """
    if _is_number(column):
        return {name: column.to_numpy(dtype=float)}
    codes, values = pd.factorize(column.astype(str), sort=True)
    return {f"{name}[{value}]": (codes == i).astype(float) for i, value in enumerate(values) if i}
