"""What the tables of a cohort must be, and what a reader must be told about them."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from evalkit.cohort.kinds import among
from evalkit.cohort.scope import PERSON, Scope
from evalkit.errors import DataError, Flag, did_you_mean, several
from evalkit.words import listed, number

FEW = 10


def rows_of(bad: pd.Series) -> str:
    """Name rows: how many, and the first few as a spreadsheet numbers them (the header is row 1).

    Parameters
    ----------
    bad : Series of bool
        Over a table's rows in the order of the file.

    Returns
    -------
    str
        "3 rows (5, 17 and 20)".
    """
    places = [
        str(int(place) + 2) for place in bad.reset_index(drop=True).pipe(lambda b: b.index[b.to_numpy(dtype=bool)])
    ]
    shown = listed(places) if len(places) <= 5 else f"{', '.join(places[:5])}, ..."
    return f"{number(len(places), 0)} {'row' if len(places) == 1 else 'rows'} ({shown})"


def how_many(count: int, one: str, many: str) -> str:
    """Write a count in a text that may leave the workbench: small ones are not told.

    Parameters
    ----------
    count : int
        A count of people or of their records, at least 1.
    one, many : str
        The noun: "person", "people".

    Returns
    -------
    str
        "fewer than 10 people", "34 people".
    """
    return f"fewer than {FEW} {many}" if count < FEW else f"{number(count, 0)} {many if count != 1 else one}"


def check_columns(table: str, frame: pd.DataFrame, needed: Iterable[str | None]) -> list[str]:
    """Name the columns that a table should have and has not.

    Parameters
    ----------
    table : str
        Its name in the study.
    frame : DataFrame
        The table.
    needed : iterable of str or None
        Column names; None is skipped.

    Returns
    -------
    list of str
        One sentence per missing column.
    """
    return [
        f'table {table} has no column "{name}". {did_you_mean(name, frame.columns)}'.strip()
        for name in needed
        if name is not None and name not in frame.columns
    ]


def check_one_row_each(table: str, frame: pd.DataFrame, person: str) -> list[str]:
    """Say which rows of a table of people repeat a person.

    Parameters
    ----------
    table : str
        Its name in the study.
    frame : DataFrame
        The table, which should have one row per person.
    person : str
        The column of ids.

    Returns
    -------
    list of str
        Empty, or one sentence.
    """
    again = frame[person].notna() & frame[person].duplicated(keep=False)
    if not again.any():
        return []
    people = number(frame.loc[again, person].nunique(), 0)
    noun = "person stands" if people == "1" else "people stand"
    remedy = "Keep one row per person, or name the table in cohort.index and say which row to pick"
    return [f"table {table}, column {person}: {people} {noun} there more than once, in {rows_of(again)}. {remedy}."]


def check_known_people(table: str, frame: pd.DataFrame, people: str, known: pd.Series, person: str) -> list[str]:
    """Say which rows belong to nobody in the table of people.

    Parameters
    ----------
    table : str
        The table that starts people.
    frame : DataFrame
        Its rows.
    people : str
        The name of the table of people.
    known : Series of str
        The ids in it.
    person : str
        The column of ids.

    Returns
    -------
    list of str
        Empty, or one sentence.
    """
    stranger = frame[person].notna() & ~among(frame[person], known)
    if not stranger.any():
        return []
    finding = f"{rows_of(stranger)} name a person who is not in table {people}"
    return [f"table {table}, column {person}: {finding}. Add the person, or take the rows out."]


def flag_tables(scope: Scope, read: Iterable[str]) -> list[Flag]:
    """Caveats on the tables that rules asked about: empty, other people's, rows out of order, rows without a date.

    Parameters
    ----------
    scope : Scope
        The tables and the starting rows.
    read : iterable of str
        Names of the tables asked about.

    Returns
    -------
    list of Flag
        In the order of the tables.
    """
    flags = []
    for table in read:
        frame = scope.tables[table]
        if frame.empty:
            flags.append(
                Flag("cohort", "caution", f"Table {table} has no rows, so no rule found anything in it.", about=table)
            )
            continue
        if not among(scope.start[PERSON], frame[scope.person]).any():
            text = f"No row of table {table} belongs to anybody who started."
            detail = "Are the person ids written alike in both tables (leading zeros, capitals)?"
            flags.append(Flag("cohort", "serious", text, detail, about=table))
        flags += _flag_dates(scope, table)
    return flags


def _flag_dates(scope: Scope, table: str) -> list[Flag]:
    """Rows of a table that end before they start, or that have no date."""
    frame, flags = scope.tables[table], []
    if scope.is_spells(table) and scope.kind(table, "end") == "date":
        wrong = int((frame["end"] < frame["start"]).sum())
        if wrong:
            text = f"In table {table}, {how_many(wrong, 'row', 'rows')} end before they start."
            flags.append(
                Flag("cohort", "caution", text, "They count in no window. Correct them in the source.", about=table)
            )
    day = scope.date_of(table)
    blank = int(frame[day].isna().sum()) if day else 0
    if blank:
        text = f"In table {table}, {how_many(blank, 'row', 'rows')} have no date in {day}."
        flags.append(Flag("cohort", "caution", text, "They count in no window of days or months.", about=table))
    return flags


def raise_data(where: str, problems: list[str]) -> None:
    """Raise all contradictions of the data at once, if there are any.

    Parameters
    ----------
    where : str
        The study or definition concerned.
    problems : list of str
        One sentence each.

    Raises
    ------
    DataError
        Any problem was given.
    """
    if problems:
        raise DataError(several(where, problems))
