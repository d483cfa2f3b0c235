"""Splits: how the saving of a line is shared among agencies, by versions that are agreed or disputed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evalkit import tables, words
from evalkit.errors import DataError, Flag, did_you_mean, several
from evalkit.tables.files import line_numbers
from evalkit.tables.kinds import Kind, plain_text
from evalkit.tables.words import rows_listed

if TYPE_CHECKING:
    from evalkit.study import Study

COLUMNS: dict[str, Kind] = {
    "line": "text",
    "version": "text",
    "agency": "text",
    "share": "share",
    "standing": "text",
    "source": "text",
}
STANDINGS = ("agreed", "disputed")
OF_ONE = 0.0015  # thirds are written 0.333
Shares = dict[str, float]


@dataclass(frozen=True)
class Split:
    """How one line of the impact map is shared.

    Parameters
    ----------
    agreed : str
        The version whose shares are used.
    versions : dict
        Version -> agency -> share; shares of a version sum to 1.
    disputed : tuple of str
        Versions that are not agreed.
    """

    agreed: str
    versions: Mapping[str, Shares]
    disputed: tuple[str, ...] = field(default=())

    def of(self, version: str = "") -> Shares:
        """The shares by a version; by the one in use where this line has no such version."""
        return self.versions.get(version) or self.versions[self.agreed]


def read_splits(study: Study, lines: pd.DataFrame) -> tuple[dict[int, Split], list[Flag]]:
    """Read how savings are shared among agencies.

    Parameters
    ----------
    study : Study
        Its [value] may name splits: line (title or outcome of a line of the impact map), version, agency, share,
        standing (agreed or disputed), source.
    lines : DataFrame
        The impact map: outcome, title.

    Returns
    -------
    (dict of int to Split, list of Flag)
        By the place of the line. An outcome that several lines have splits all of them. Where no version is agreed
        the first of the file is used, and a flag says so.

    Raises
    ------
    DataError
        Everything that is wrong, with rows: lines that are not in the map, shares of a version that do not sum to 1,
        an agency twice in a version, standings that are not known or differ within a version, two agreed versions.
    """
    file = study.value.splits if study.value is not None else None
    if file is None:
        return {}, []
    table = tables.read_csv_checked(study, file, COLUMNS, required=["line", "agency", "share"]).reset_index(drop=True)
    for name in (name for name, kind in COLUMNS.items() if kind == "text"):
        table[name] = plain_text(table[name])
    numbers = line_numbers(study.path(file)) or [row + 2 for row in range(len(table))]
    standing = table["standing"].str.lower()
    table = table.assign(row=numbers, standing=standing.where(standing != "", STANDINGS[0]))
    problems = _cells(table, lines) + _sums(table)
    if problems:
        raise DataError(several(f"The splits of {study.id} ({file})", problems))
    found = {str(line): _split(part) for line, part in table.groupby("line", sort=False)}
    places = {place: found[line] for line in found for place in _places(line, lines)}
    return places, _flags(table, found)


def _places(line: str, lines: pd.DataFrame) -> list[int]:
    """Where in the map a line stands: by its title, else by its outcome."""
    for name in ("title", "outcome"):
        here = np.flatnonzero(lines[name] == line)
        if len(here):
            return [int(place) for place in here]
    return []


def _cells(table: pd.DataFrame, lines: pd.DataFrame) -> list[str]:
    """Cells that are empty or not known."""
    found = []
    for name in ("line", "agency", "share"):
        empty = table[name].isna() | (table[name].astype("str") == "")
        if empty.any():
            found.append(f'column "{name}" is empty in {rows_listed(list(table.loc[empty, "row"]))}. Fill it in.')
    known = [name for name in dict.fromkeys([*lines["title"], *lines["outcome"]]) if name]
    for line, part in table[table["line"] != ""].groupby("line", sort=False):
        if not _places(str(line), lines):
            rows = rows_listed(list(part["row"]))
            hint = did_you_mean(str(line), known)
            found.append(f'line "{line}" ({rows}) is no line of the impact map that is valued in money. {hint}')
    for standing, part in table[~table["standing"].isin(STANDINGS)].groupby("standing", sort=False):
        rows = rows_listed(list(part["row"]))
        found.append(f'standing "{standing}" ({rows}) is not known. {did_you_mean(str(standing), STANDINGS)}')
    return found


def _sums(table: pd.DataFrame) -> list[str]:
    """Versions that share out more or less than the whole, or contradict themselves."""
    found = []
    for (line, version), part in table.groupby(["line", "version"], sort=False):
        where = f"{_called(str(line), str(version))} ({rows_listed(list(part['row']))})"
        total = float(part["share"].sum())
        if part["share"].notna().all() and abs(total - 1) > OF_ONE:
            found.append(f"{where}: the shares sum to {words.number(total, 3)}, not to 1.")
        if twice := list(dict.fromkeys(part.loc[part["agency"].duplicated(), "agency"])):
            found.append(f"{where}: {words.listed(twice)} stands in it more than once.")
        if part["standing"].nunique() > 1:
            found.append(f"{where}: is it agreed or disputed? Write one standing for all of its rows.")
    for line, part in table[table["standing"] == STANDINGS[0]].groupby("line", sort=False):
        agreed = list(dict.fromkeys(part["version"]))
        if len(agreed) > 1:
            rows = rows_listed(list(part["row"]))
            text = f"has {len(agreed)} agreed versions. Keep one, and call the others disputed."
            found.append(f'line "{line!s}" ({rows}) {text}')
    return found


def _called(line: str, version: str) -> str:
    """What a message calls a version."""
    return f'line "{line}", version "{version}"' if version else f'line "{line}"'


def _split(part: pd.DataFrame) -> Split:
    """The versions of one line."""
    versions = {
        str(version): dict(zip(rows["agency"], rows["share"] / rows["share"].sum(), strict=True))
        for version, rows in part.groupby("version", sort=False)
    }
    standing = part.groupby("version", sort=False)["standing"].first()
    agreed = [str(version) for version, word in standing.items() if word == STANDINGS[0]]
    disputed = tuple(str(version) for version, word in standing.items() if word != STANDINGS[0])
    return Split(agreed[0] if agreed else disputed[0], versions, disputed)


def _flags(table: pd.DataFrame, found: Mapping[str, Split]) -> list[Flag]:
    """What is not agreed, and what has no source."""
    flags = []
    if disputed := [line for line, split in found.items() if split.disputed]:
        text = f"Who saves is disputed for {words.listed(disputed)}."
        detail = "The savings are printed by every version; which of them is right is a question to the parties."
        flags.append(Flag("value", "caution", text, detail, "splits"))
    for line, split in found.items():
        if split.agreed in split.disputed:
            text = f'No version of the split of {line} is agreed: "{split.agreed}", the first in the file, is used.'
            flags.append(Flag("value", "serious", text, about="splits"))
    silent = table["source"] == ""
    if silent.any():
        rows = rows_listed(list(table.loc[silent, "row"]))
        flags.append(Flag("value", "caution", f"Splits without a source: {rows}.", about="splits"))
    return flags
