"""The list that checks of the data set are on, and how what they find is written down and told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from evalkit.errors import Flag, Level
from evalkit.tables.words import rows_listed
from evalkit.words import number

COLUMNS = ["fault", "project", "table", "rows", "column", "what", "question", "level"]
Tables = dict[str, pd.DataFrame]
Found = Iterable["Finding"]
RANK = {"serious": 0, "caution": 1, "note": 2}


@dataclass(frozen=True)
class Finding:
    """One fault of one project in one column.

    Parameters
    ----------
    project : str
        "" where it concerns the whole data set.
    table, column : str
        Where it stands.
    rows : tuple of int
        Lines of the file.
    what : str
        The finding in words.
    """

    project: str
    table: str
    column: str
    rows: tuple[int, ...]
    what: str


@dataclass(frozen=True)
class Check:
    """One kind of fault: its name, how much it matters, the question it raises, and how it is found."""

    fault: str
    level: Level
    question: str
    find: Callable[[Tables], Found]


CHECKS: dict[str, Check] = {}


def check(fault: str, level: Level, question: str = "") -> Callable[[Callable[[Tables], Found]], Callable]:
    """Put a check on the list, under the name of the fault that it finds.

    Parameters
    ----------
    fault : str
        Its name, as it stands in the table of findings.
    level : {"serious", "caution", "note"}
        How much it can matter to a project's figures.
    question : str
        What to ask those who keep the record; a difference is a question, not a finding about anybody.

    Returns
    -------
    function
        A decorator of a function from the tables to findings.
    """

    def put(function: Callable[[Tables], Found]) -> Callable[[Tables], Found]:
        CHECKS[fault] = Check(fault, level, question, function)
        return function

    return put


def find_all(tables: Tables) -> pd.DataFrame:
    """Run every check.

    Parameters
    ----------
    tables : dict of str to DataFrame
        As read.

    Returns
    -------
    DataFrame
        fault, project, table, rows (a tuple of lines), column, what, question, level; in the order of the checks.
    """
    lines = [
        (one.fault, found.project, found.table, found.rows, found.column, found.what, one.question, one.level)
        for one in CHECKS.values()
        for found in one.find(tables)
    ]
    return pd.DataFrame(lines, columns=COLUMNS)


def by_project(
    name: str, column: str, rows: pd.DataFrame, what: Callable[[pd.DataFrame], str], key: str = "project"
) -> Iterator[Finding]:
    """One finding per project from the rows that are wrong.

    Parameters
    ----------
    name, column : str
        The table and column.
    rows : DataFrame
        The wrong rows only.
    what : function
        From one project's wrong rows to a sentence.
    key : str
        The column that says whose they are.

    Yields
    ------
    Finding
        In the table's order.
    """
    if rows.empty:
        return
    for project, part in rows.groupby(key, sort=False):
        yield Finding(str(project), name, column, tuple(part["line"].tolist()), what(part))


def flags_of(found: Iterable[Any]) -> tuple[Flag, ...]:
    """Write findings as flags, serious ones first.

    Parameters
    ----------
    found : iterable of named tuples
        Rows of `find_all`, as `records` gives them.

    Returns
    -------
    tuple of Flag
        The place in the file and the question stand in the detail.
    """
    rows = sorted(found, key=lambda row: RANK[row.level])
    return tuple(Flag("contract", row.level, row.what, _detail(row), row.table) for row in rows)


def _detail(row: Any) -> str:
    place = f"Table {row.table}, {rows_listed(row.rows)}." if row.rows else f"Table {row.table}."
    return f"{place} {row.question}".strip()


def records(table: pd.DataFrame) -> Iterator[Any]:
    """The rows of a table as named tuples, whose index is ``Index``."""
    return table.itertuples()


def summary_of(findings: pd.DataFrame) -> tuple[Flag, ...]:
    """One flag per kind of fault over the whole data set, with counts of projects and rows."""
    flags = []
    for fault, rows in findings.groupby("fault", sort=False):
        one = CHECKS[str(fault)]
        cells, projects = int(rows["rows"].map(len).sum()), rows.loc[rows["project"] != "", "project"].nunique()
        counts = f"{many(cells, 'row')} of {many(projects, 'project')}" if cells else many(projects, "project")
        text = f"{one.fault[:1].upper()}{one.fault[1:]}: {counts}."
        flags.append(Flag("contract", one.level, text, one.question, str(rows["table"].iloc[0])))
    return tuple(sorted(flags, key=lambda flag: RANK[flag.level]))


def many(count: int, thing: str) -> str:
    """Write a count with its thing: "1 row", "2 rows"."""
    return f"1 {thing}" if count == 1 else f"{number(count, 0)} {thing}s"
