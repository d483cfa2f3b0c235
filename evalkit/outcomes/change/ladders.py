"""Reading a ladder: its top, its stages, and who stood where first and last."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evalkit import disclosure, library
from evalkit.errors import DataError, Flag, did_you_mean
from evalkit.outcomes.change.pairs import readings
from evalkit.outcomes.questionnaires.answers import rows_in_words
from evalkit.words import listed

Top = float | Mapping[str, float]
Stage = Callable[[float], float]


def areas_of(start: Any, end: Any) -> tuple[pd.DataFrame, pd.DataFrame, list[Flag]]:
    """Put first and last readings into two frames of the same shape, persons x areas.

    Parameters
    ----------
    start, end : DataFrame, Series or ndarray
        The same people in the same order; areas by name, or by position where no name is shared.

    Returns
    -------
    start, end : DataFrame of float
        With the index and the columns of ``start``.
    flags : list of Flag
        Where areas were matched by position.

    Raises
    ------
    DataError
        Other people, other areas, or what is not a number, with the rows.
    """
    one, two = _frame(start), _frame(end)
    if len(one) != len(two) or not one.index.equals(two.index):
        raise DataError("start and end are not of the same people in the same order. Write end.reindex(start.index).")
    flags: list[Flag] = []
    if set(one.columns) == set(two.columns):
        two = two[list(one.columns)]
    elif len(one.columns) == len(two.columns) and not set(one.columns) & set(two.columns):
        two = two.set_axis(one.columns, axis=1)
        flags = [Flag("outcomes", "note", "Areas at the start and at the end were matched by their position.")]
    else:
        absent = sorted(set(map(str, one.columns)) ^ set(map(str, two.columns)))
        shown = listed([f'"{name}"' for name in absent[:5]])
        raise DataError(f"start and end have different areas: {shown} in one of them only. Give both the same columns.")
    return _numeric(one, "start"), _numeric(two, "end"), flags


def _frame(values: Any) -> pd.DataFrame:
    if isinstance(values, pd.DataFrame):
        if values.columns.duplicated().any():
            raise DataError("Two areas have the same name. Give each area a name of its own.")
        return values
    if isinstance(values, pd.Series):
        return values.to_frame(values.name if values.name is not None else "area")
    array = np.asarray(values)
    return pd.DataFrame(array if array.ndim == 2 else array[:, None]).rename(columns=lambda n: f"area {n + 1}")


def _numeric(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    return pd.DataFrame({area: readings(frame[area], f'{name}, area "{area}"') for area in frame.columns})


def tops(start: pd.DataFrame, end: pd.DataFrame, top: Top) -> tuple[pd.Series, list[Flag]]:
    """The highest step of each area, held against the readings.

    Returns
    -------
    top : Series, by area
        In steps.
    flags : list of Flag
        Areas whose readings look like those of a shorter ladder than was said.

    Raises
    ------
    DataError
        An area without a top, a top that cannot be, readings above it or below 0, with the rows.
    """
    areas = list(start.columns)
    if isinstance(top, Mapping):
        absent = [str(area) for area in areas if area not in top]
        if absent:
            hint = did_you_mean(absent[0], top)
            raise DataError(f"top says nothing about {listed(absent[:5])}: the areas may have unequal ranges. {hint}")
        given = pd.Series({area: float(top[area]) for area in areas})
    else:
        given = pd.Series(float(top), index=pd.Index(areas))
    if not (np.isfinite(given) & (given > 0)).all():
        raise DataError("top must be above 0: the highest step of the ladder, or one for each area.")
    problems = [text for frame, name in ((start, "start"), (end, "end")) for text in _impossible(frame, given, name)]
    if problems:
        raise DataError(" ".join(problems))
    return given, _short_ladders(start, end, given, isinstance(top, Mapping))


def _impossible(frame: pd.DataFrame, top: pd.Series, name: str) -> list[str]:
    found = []
    for area in frame.columns:
        values = frame[area].to_numpy()
        wrong = (values > top[area]) | (values < 0)
        if wrong.any():
            rows = rows_in_words(list(frame.index[wrong]))
            found.append(
                f'{name}, area "{area}", {rows}: above the top of {top[area]:g}, or below 0. '
                'Correct it, or give each area its own top = {"area": 5}.'
            )
    return found


def _short_ladders(start: pd.DataFrame, end: pd.DataFrame, top: pd.Series, said: bool) -> list[Flag]:
    """Areas that nobody rates above half of the top: five steps taken for ten would halve the headroom used."""
    if said:
        return []
    highest = pd.concat([start, end]).max()
    short = [str(area) for area in start.columns if highest[area] <= top[area] / 2]
    if not short:
        return []
    text = f"No reading of {listed(short)} is above half of the top that was said."
    detail = "If that ladder is shorter, write its own top; the share of headroom used depends on it."
    return [Flag("outcomes", "caution", text, detail)]


def stage_rule(stage: Stage | None, top: pd.Series) -> tuple[Stage | None, str]:
    """The rule from reading to stage, and how to say it; without one the shelf's, for ladders of its length."""
    if stage is not None:
        return stage, "as given"
    shelf = library.load("instruments", "ladder")
    if not (top == float(shelf["top"])).all():
        return None, "none"
    width = float(shelf["stage_width"])
    return (lambda reading: float(np.ceil(reading / width))), f"reading / {width:g}, rounded up (the shelf's ladder)"


def staged(frame: pd.DataFrame, stage: Stage) -> pd.DataFrame:
    """Readings as stages; the rule is asked once for each different reading."""
    values = frame.to_numpy(dtype=float)
    known, place = np.unique(values, return_inverse=True)
    try:
        stages = np.array([np.nan if np.isnan(one) else float(stage(float(one))) for one in known])
    except (TypeError, ValueError) as problem:
        raise DataError("stage must turn one reading into one number, as lambda x: math.ceil(x / 2) does.") from problem
    return pd.DataFrame(stages[place].reshape(values.shape), index=frame.index, columns=frame.columns)


# ---------------------------------------------------------------- first and last


@dataclass(frozen=True, eq=False, repr=False)
class FirstAndLast:
    """The first and the last reading that each person has.

    Attributes
    ----------
    start, end : DataFrame, shape (n_persons, n_areas)
        By person; an area that was rated once only is missing in both. Never shown.
    people, with_two : int
        Everyone with a row, and those with two occasions or more (the rows of ``start`` and ``end``).
    flags : tuple of Flag
        People left out.
    """

    start: pd.DataFrame
    end: pd.DataFrame
    people: int
    with_two: int
    flags: tuple[Flag, ...]

    def __repr__(self) -> str:
        return f"FirstAndLast({self.with_two:,} people, {self.start.shape[1]} areas)"


def first_and_last(readings_: pd.DataFrame, person: str, occasion: str, areas: Sequence[str]) -> FirstAndLast:
    """Take each person's first and last available reading of each area.

    Parameters
    ----------
    readings_ : DataFrame
        One row per person and occasion.
    person, occasion : str
        Columns: who, and when (a number, a date, or an ordered category).
    areas : sequence of str
        Columns of readings.

    Returns
    -------
    FirstAndLast
        ``start`` and ``end`` of those with two or more occasions.

    Raises
    ------
    DataError
        Missing columns; an occasion that is blank, twice for a person, or text, whose order is not known.
    """
    names = list(areas)
    for column in (person, occasion, *names):
        if column not in readings_.columns:
            raise DataError(f'readings lack the column "{column}". {did_you_mean(column, readings_.columns)}')
    _ordered(readings_, person, occasion)
    numeric = readings_[[person, occasion]].join(_numeric(readings_[names], "readings"))
    rated = numeric[numeric[names].notna().any(axis=1)].sort_values([person, occasion], kind="stable")
    grouped = rated.groupby(person, sort=True)
    often = grouped.size()
    two = often.index[often >= 2]
    rated_twice = grouped[names].count().loc[two] >= 2
    start, end = (part.loc[two].where(rated_twice) for part in (grouped[names].first(), grouped[names].last()))
    people = int(readings_[person].nunique())
    flags = []
    if len(two) < people:
        share = disclosure.roughly(people - len(two), people)
        text = "People with fewer than two readings have no distance travelled and are left out."
        flags.append(Flag("outcomes", "caution", text, f"That is {share}; they may be those who left early."))
    return FirstAndLast(start, end, people, len(two), tuple(flags))


def _ordered(table: pd.DataFrame, person: str, occasion: str) -> None:
    when = table[occasion]
    ordered = isinstance(when.dtype, pd.CategoricalDtype) and when.cat.ordered
    if not (ordered or pd.api.types.is_numeric_dtype(when) or pd.api.types.is_datetime64_any_dtype(when)):
        raise DataError(
            f'Column "{occasion}" is text, so which occasion came first is not known. Give numbers or dates, or an '
            "ordered category."
        )
    for column in (person, occasion):
        blank = table[column].isna().to_numpy()
        if blank.any():
            rows = rows_in_words(list(table.index[blank]))
            raise DataError(f'readings: column "{column}", {rows}: blank. Give it, or take the row out.')
    again = table.duplicated([person, occasion]).to_numpy()
    if again.any():
        rows = rows_in_words(list(table.index[again]))
        raise DataError(f"readings, {rows}: the person and occasion stand there again. Keep one row of each.")
