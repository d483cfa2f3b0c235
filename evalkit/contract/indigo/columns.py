"""Recognising the columns and tables of the impact bond data set, however their labels are spelt."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from evalkit.contract.indigo.labels import LABELS

KINDS = {"t": "text", "n": "number", "m": "money", "d": "date"}
REQUIRED = "projects"
PERSONAL = re.compile(r"contact|e_?mail|phone|telephone|volunteer")


@dataclass(frozen=True)
class Column:
    """One column of the data set.

    Parameters
    ----------
    short : str
        Our name.
    kind : {"text", "number", "money", "date"}
        What it should hold.
    header : str
        Its label in the spreadsheet, without " - (Value)".
    """

    short: str
    kind: str
    header: str


@cache
def columns_of(table: str) -> dict[str, Column]:
    """List the known columns of a table, by their header without capitals and signs."""
    lines = [[part.strip() for part in line.split("|")] for line in LABELS.get(table, "").strip().splitlines()]
    return {plain(header): Column(short, KINDS[kind], header) for short, kind, header in lines}


def plain(header: object) -> str:
    """Write a header without " - (Value)", capitals and signs, so that two spellings of it are the same."""
    text = re.sub(r"\(value\)", " ", str(header).replace("\ufeff", "").lower())
    text = re.sub(r"admini?strative", "administrative", text)  # as the published header misspells it
    return re.sub(r"[^a-z0-9]+", "_", text).strip("_")


def table_of(name: str) -> str | None:
    """Recognise a table by the name of its file or sheet, such as "original_projects_results".

    Parameters
    ----------
    name : str
        Without its suffix.

    Returns
    -------
    str or None
        Our name of the table ("results"), or None for another file.
    """
    word = plain(name).removeprefix("original_")
    known = {re.sub(r"s$", "", table): table for table in LABELS}
    for form in (word, re.sub(r"^projects?_", "", word)):
        if (table := known.get(re.sub(r"s$", "", form))) is not None:
            return table
    return None
