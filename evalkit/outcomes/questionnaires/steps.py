"""How a form becomes scores: steps that each fill some columns of some rows.

Every scale of whole numbers is a lookup by one sum, so the missing rule, the rounding, conversions and bands stand
in small tables; only scales that add up others, and answers that are no whole numbers, are worked out form by form.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from evalkit.outcomes.questionnaires.answers import ROWS, Answers
from evalkit.outcomes.questionnaires.keys import in_bands, scale_entry, shown_bands


def filled(answers: Answers, keys: dict[str, Any], names: list[str]) -> tuple[np.ndarray, dict[str, list[np.ndarray]]]:
    """Score all forms, some rows at a time.

    Parameters
    ----------
    answers : Answers
        The forms.
    keys : dict
        The instrument's entry.
    names : list of str
        The columns of the result.

    Returns
    -------
    ndarray, shape (n_names, n_forms)
        NaN for missing.
    dict of str to list of ndarray
        The rows of each column that hold what is no answer; their scores mean nothing.
    """
    out = np.empty((len(names), answers.count))
    steps = _steps(answers, keys, names)
    wrong: dict[str, list[np.ndarray]] = {}
    with np.errstate(invalid="ignore"):
        for start in range(0, answers.count, ROWS):
            rows = slice(start, start + ROWS)
            codes, impossible = answers.coded(rows)
            for column, places in impossible.items():
                wrong.setdefault(column, []).append(np.flatnonzero(places) + start)
            for step in steps:
                step.fill(codes, out[:, rows])
    return out, wrong


@dataclass(frozen=True, eq=False)
class _LookUp:
    """Scores, conversions and bands of one set of items, read from tables by the sum of their codes."""

    items: list[str]
    tables: list[tuple[int, np.ndarray]]

    def fill(self, codes: dict[str, np.ndarray], out: np.ndarray) -> None:
        total = codes[self.items[0]].copy()
        for item in self.items[1:]:
            total += codes[item]
        index = total.astype(np.intp)
        for place, table in self.tables:
            np.take(table, index, out=out[place], mode="clip")


@dataclass(frozen=True, eq=False)
class _Decimal:
    """A scale of answers that need not be whole numbers."""

    place: int
    scale: dict[str, Any]

    def fill(self, codes: dict[str, np.ndarray], out: np.ndarray) -> None:
        parts = np.array([codes[item] for item in self.scale["items"]])
        known = ~np.isnan(parts)
        answered = known.sum(axis=0)
        sums = np.where(known, parts, 0).sum(axis=0)
        enough = answered >= self.scale["answered"]
        out[self.place] = np.where(enough, sums * _weight(self.scale, np.maximum(answered, 1)), np.nan)


@dataclass(frozen=True, eq=False)
class _Total:
    """A scale that adds up others; missing where one of them is."""

    place: int
    parts: list[int]
    divide: float

    def fill(self, codes: dict[str, np.ndarray], out: np.ndarray) -> None:
        np.copyto(out[self.place], out[self.parts[0]])
        for part in self.parts[1:]:
            out[self.place] += out[part]
        if self.divide != 1:
            out[self.place] /= self.divide


@dataclass(frozen=True, eq=False)
class _Bands:
    """The bands of a scale that is not looked up."""

    place: int
    of: int
    bands: dict[str, Any]
    scale: dict[str, Any]
    keys: dict[str, Any]

    def fill(self, codes: dict[str, np.ndarray], out: np.ndarray) -> None:
        out[self.place] = in_bands(out[self.of], self.bands, self.scale, self.keys)


@dataclass(frozen=True, eq=False)
class _Absent:
    """Columns that stay empty, since their items were not given."""

    places: list[int]

    def fill(self, codes: dict[str, np.ndarray], out: np.ndarray) -> None:
        out[self.places] = np.nan


Step = _LookUp | _Decimal | _Total | _Bands | _Absent


def _steps(answers: Answers, keys: dict[str, Any], names: list[str]) -> list[Step]:
    """What is to be done for each scale, in the order in which one rests on another."""
    steps: list[Step] = []
    looked_up: dict[str, tuple[list[str], np.ndarray]] = {}
    for scale in keys["scale"]:
        place, name = names.index(scale["id"]), scale["id"]
        mine = [(names.index(column), bands) for column, bands in shown_bands(keys, name)]
        if any(item not in answers.items for item in scale.get("items", ())):
            steps.append(_Absent([place, *(at for at, _ in mine)]))
        elif answers.decimal or "sum_of" in scale:
            steps.append(_plain(scale, place, names))
            steps += [_Bands(at, place, bands, scale, keys) for at, bands in mine]
        else:
            looked_up[name] = _table(scale, answers, keys, looked_up)
            items, table = looked_up[name]
            steps.append(
                _LookUp(items, [(place, table), *((at, in_bands(table, bands, scale, keys)) for at, bands in mine)])
            )
    return steps


def _plain(scale: dict[str, Any], place: int, names: list[str]) -> Step:
    if "sum_of" in scale:
        return _Total(place, [names.index(part) for part in scale["sum_of"]], scale.get("divide", 1))
    return _Decimal(place, scale)


def _table(
    scale: dict[str, Any], answers: Answers, keys: dict[str, Any], found: dict[str, tuple[list[str], np.ndarray]]
) -> tuple[list[str], np.ndarray]:
    """The score behind every sum of codes; NaN where too few items are answered, or no form can have that sum."""
    if "convert" in scale:
        items, raw = found[scale["convert"]]
        return items, _converted(raw, scale["table"], scale_entry(keys, scale["convert"])["range"][0])
    count = len(scale["items"])
    low, span = answers.items[scale["items"][0]].scored
    table = np.full(count * answers.blank + 1, np.nan)
    for blanks in range(count - scale["answered"] + 1):
        answered = count - blanks
        sums = np.arange(answered * span + 1) + low * answered
        start = blanks * answers.blank
        table[start : start + len(sums)] = _score(scale, sums, answered, keys.get("rounding", "none"))
    return scale["items"], table


def _score(scale: dict[str, Any], sums: np.ndarray, answered: int, rounding: str) -> np.ndarray:
    """Sum x items / answered; half up in whole numbers, so that no half is lost to binary fractions."""
    count = len(scale["items"])
    if rounding == "half up":
        return (2 * sums * count + answered) // (2 * answered)
    return sums * count / answered if scale.get("combine", "sum") == "sum" else sums / answered


def _weight(scale: dict[str, Any], answered: np.ndarray) -> np.ndarray:
    return (1 if scale.get("combine", "sum") == "mean" else len(scale["items"])) / answered


def _converted(raw: np.ndarray, table: list[float], low: int) -> np.ndarray:
    values = np.array([*table, np.nan])
    return values[np.where(np.isnan(raw), len(table), raw - low).astype(np.intp)]
