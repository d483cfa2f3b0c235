"""The occasions of one outcome, however they come: columns, rows, or tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evalkit.counterfactual.covariates import is_number
from evalkit.counterfactual.many.joint import with_ids
from evalkit.errors import EstimationError, did_you_mean, several

Given = tuple[Mapping[str, float] | None, "str | Mapping[Any, float] | None"]


@dataclass(frozen=True, eq=False, repr=False)
class Moment:
    """One occasion: its name, years since the start, its table and outcome, and who was read (None: not known)."""

    occasion: Any
    time: float
    frame: pd.DataFrame
    outcome: str
    people: frozenset[str] | None


def moments_of(
    frame: pd.DataFrame | Mapping[Any, pd.DataFrame],
    estimator: str,
    given: Given,
    same_people: bool,
    arguments: dict[str, Any],
) -> tuple[list[Moment], dict[str, Any]]:
    """Sort out the occasions.

    Parameters
    ----------
    frame, estimator, same_people, arguments
        As for `persistence`.
    given : (outcomes, occasions)
        As there.

    Returns
    -------
    (list of Moment, dict)
        By time; and the arguments of `evalkit.counterfactual.estimate` without the outcome, with ids of people where
        rows are people.

    Raises
    ------
    EstimationError
        As for `persistence`.
    """
    outcomes, occasions = given
    if isinstance(frame, pd.DataFrame) and outcomes is not None and occasions is None:
        frame, arguments = with_ids(frame, estimator, arguments)
        parts = [(name, time, frame, name) for name, time in outcomes.items()]
    elif isinstance(frame, pd.DataFrame) and isinstance(occasions, str) and outcomes is None:
        parts = _from_rows(frame, occasions, arguments)
    elif not isinstance(frame, pd.DataFrame) and outcomes is None and not isinstance(occasions, str):
        parts = _from_tables(frame, occasions, arguments)
    else:
        raise EstimationError(
            'say the occasions in one way: outcomes = {"y_12m": 1.0, ...} with a column each, occasions = "years" '
            'with a row each, or a table each with occasions = {"12 months": 1.0, ...}.'
        )
    _check(parts, arguments)
    told = [
        Moment(name, float(time), one, outcome, _people(one, outcome, arguments)) for name, time, one, outcome in parts
    ]
    told.sort(key=lambda one: one.time)
    if same_people:
        told = _same(told, arguments)
    return told, {name: value for name, value in arguments.items() if name != "outcome"}


def _outcome(arguments: dict[str, Any]) -> str:
    if arguments.get("outcome") is None:
        raise EstimationError("the occasions are rows or tables, so the outcome's column is needed: outcome = ...")
    return str(arguments["outcome"])


def _from_rows(frame: pd.DataFrame, column: str, arguments: dict[str, Any]) -> list[tuple]:
    """A table per value of the column of times."""
    outcome = _outcome(arguments)
    if column not in frame.columns:
        raise EstimationError(f'occasions = "{column}" is not in the table. {did_you_mean(column, frame.columns)}')
    if not is_number(frame[column]) or pd.api.types.is_datetime64_any_dtype(frame[column]):
        raise EstimationError(f'occasions = "{column}" must hold years since the start, as numbers.')
    times = sorted(frame[column].dropna().unique())
    if len(times) > 50:
        raise EstimationError(f'occasions = "{column}" has {len(times)} values. Give each occasion one time.')
    return [(f"{float(time):g} years", time, frame[(frame[column] == time).to_numpy()], outcome) for time in times]


def _from_tables(frames: Mapping[Any, pd.DataFrame], occasions: Any, arguments: dict[str, Any]) -> list[tuple]:
    """A table per occasion, whose names may be the years themselves."""
    outcome = _outcome(arguments)
    times = dict(occasions) if occasions is not None else {name: name for name in frames}
    absent = [str(name) for name in frames if name not in times]
    if absent:
        raise EstimationError(f"occasions gives no years for {', '.join(absent)}. Give each table its time.")
    return [(name, times[name], one, outcome) for name, one in frames.items()]


def _check(parts: list[tuple], arguments: dict[str, Any]) -> None:
    """Two occasions or more, at different times, each with its columns."""
    problems = []
    if len(parts) < 2:
        problems.append("fewer than two occasions are given.")
    numbers = [time for _, time, _, _ in parts if isinstance(time, int | float | np.number) and np.isfinite(time)]
    if len(numbers) < len(parts):
        problems.append("the time of each occasion must be a number: years since the start.")
    elif len(set(map(float, numbers))) < len(parts):
        problems.append("two occasions have the same time.")
    roles = [arguments.get(role) for role in ("person", "treated", "cluster")]
    problems += [
        f'column "{column}" ({name}) is not in the table. {did_you_mean(column, one.columns)}'
        for name, _, one, outcome in parts
        for column in (outcome, *roles)
        if column is not None and column not in one.columns
    ]
    if problems:
        raise EstimationError(several("persistence", list(dict.fromkeys(problems))))


def _people(one: pd.DataFrame, outcome: str, arguments: dict[str, Any]) -> frozenset[str] | None:
    """Who has the outcome at this occasion."""
    person = arguments.get("person") or arguments.get("unit")
    needed = [outcome, *([arguments["treated"]] if arguments.get("treated") is not None else [])]
    if person is None or person not in one.columns:
        return None
    return frozenset(one.loc[one[needed].notna().all(axis=1), person].astype(str))


def _same(moments: list[Moment], arguments: dict[str, Any]) -> list[Moment]:
    """Only people who were read at every occasion."""
    known = [one.people for one in moments if one.people is not None]
    if len(known) < len(moments):
        raise EstimationError("same_people = True needs the column of ids: person = ...")
    every = frozenset.intersection(*known)
    if not every:
        raise EstimationError("nobody was read at every occasion. Leave same_people out, or name fewer occasions.")
    person = arguments.get("person") or arguments.get("unit")
    return [
        Moment(
            one.occasion, one.time, one.frame[one.frame[person].astype(str).isin(every).to_numpy()], one.outcome, every
        )
        for one in moments
    ]
