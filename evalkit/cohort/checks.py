"""What the tables of a cohort must be, and what a reader must be told about them."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
from sqlglot import exp

from evalkit.cohort.answers import Asked, Question
from evalkit.cohort.calls import Window
from evalkit.cohort.held import PERSON, column
from evalkit.cohort.scope import Scope
from evalkit.cohort.sql import START
from evalkit.errors import DataError, Flag, did_you_mean, several
from evalkit.words import listed, number

FEW = 10


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


def check_columns(table: str, columns: Iterable[str], needed: Iterable[str | None]) -> list[str]:
    """Name the columns that a table should have and has not.

    Parameters
    ----------
    table : str
        Its name in the study.
    columns : iterable of str
        Those it has.
    needed : iterable of str or None
        Column names; None is skipped.

    Returns
    -------
    list of str
        One sentence per missing column.
    """
    there = list(columns)
    return [
        f'table {table} has no column "{name}". {did_you_mean(name, there)}'.strip()
        for name in needed
        if name is not None and name not in there
    ]


def flag_tables(scope: Scope, read: Iterable[str]) -> list[Flag]:
    """Caveats on the tables that rules asked about: empty, other people's, rows out of order, rows without a date.

    Parameters
    ----------
    scope : Scope
        The tables and the engine.
    read : iterable of str
        Names of the tables asked about.

    Returns
    -------
    list of Flag
        In the order of the tables.
    """
    flags = []
    for table in read:
        if not scope.tables[table].rows:
            flags.append(
                Flag("cohort", "caution", f"Table {table} has no rows, so no rule found anything in it.", about=table)
            )
            continue
        if not _of_anybody(scope, table):
            text = f"No row of table {table} belongs to anybody who started."
            detail = "Are the person ids written alike in both tables (leading zeros, capitals)?"
            flags.append(Flag("cohort", "serious", text, detail, about=table))
        flags += _flag_dates(scope, table)
    return flags + _flag_zones(scope)


def _of_anybody(scope: Scope, table: str) -> bool:
    """Whether any row belongs to somebody who started."""
    start = exp.alias_(exp.to_table(START, quoted=True), "i")
    on = column(PERSON, "t").eq(column(PERSON, "i"))
    whole = scope.tables[table].relation([], scope.whole_ids, order=False)
    few = exp.select(exp.Star()).from_(exp.alias_(whole.copy(), "r", table=True)).limit(1000).subquery()
    for rows in (few, whole):  # a look at the first rows nearly always tells
        source = exp.alias_(rows, "t", table=True)
        if len(scope.engine.fetch(exp.select(exp.convert(1).as_("n")).from_(source).join(start, on=on).limit(1))):
            return True
    return False


def _flag_dates(scope: Scope, table: str) -> list[Flag]:
    """Rows of a table that end before they start, or that have no date."""
    held, flags = scope.tables[table], []
    if held.is_spells and held.kind("end") == "date":
        start, end = (column(held.sql_name(name), "t") for name in ("start", "end"))
        rows = exp.alias_(held.relation(["start", "end"], scope.whole_ids, order=False), "t", table=True)
        wrong = scope.engine.count(exp.select(exp.convert(1).as_("one")).from_(rows).where(end < start))
        if wrong:
            text = f"In table {table}, {how_many(wrong, 'row', 'rows')} end before they start."
            flags.append(
                Flag("cohort", "caution", text, "They count in no window. Correct them in the source.", about=table)
            )
    day = held.date
    blank = scope.engine.count(held.without_day(day)) if day else 0
    if blank:
        text = f"In table {table}, {how_many(blank, 'row', 'rows')} have no date in {day}."
        flags.append(Flag("cohort", "caution", text, "They count in no window of days or months.", about=table))
    return flags


def _flag_zones(scope: Scope) -> list[Flag]:
    """Instants for which nobody has said on whose clock they are read."""
    flags = []
    for held in scope.placed():
        for name in held.zoneless:
            text = f"Column {name} of table {held.name} holds instants, and the study names no time zone."
            detail = (
                "They are read on the clock of Greenwich without summer time (UTC), so that what happens near midnight "
                'may fall on the day before. Write time_zone = "Europe/London", or another, under [cohort].'
            )
            flags.append(Flag("cohort", "caution", text, detail, held.name))
    return flags


def flag_rules(scope: Scope, asked: Asked, flow: pd.DataFrame, assigning: Iterable[str] = ()) -> list[Flag]:
    """Caveats on rules that decide nothing, and on rules that look into the future of the index date.

    Parameters
    ----------
    scope : Scope
        The tables.
    asked : Asked
        The rules and the windows they look at.
    flow : DataFrame
        The flow.
    assigning : iterable of str
        New columns that tell the arm.

    Returns
    -------
    list of Flag
        Notes on rules that nobody fails, or that everybody fails; cautions on immortal time.
    """
    failed = dict(zip(flow["says"], flow["failed"], strict=True))
    dated = int(flow["people"].iloc[min(1, len(flow) - 1)] if "pick" in set(flow["kind"]) else flow["people"].iloc[0])
    flags = []
    for question, windows, named in zip(asked.questions, asked.windows, asked.named, strict=True):
        ahead = [window for window in windows if not window.is_past]
        if question.kind == "group" or question.key in assigning:
            flags += _flag_assignment(question, ahead)
        if question.kind not in {"include", "exclude"}:
            continue
        if all(scope.tables[w.table].rows for w in windows if w.table in scope.tables):  # an empty one is told already
            flags += _flag_constant(question, int(failed[question.key]), dated, named)
        flags += _flag_future(question, ahead)
    return flags


def _flag_assignment(question: Question, windows: list[Window]) -> list[Flag]:
    """A group that is told by what happened after the index date: its people lived, stayed and came until then."""
    if not windows:
        return []
    says = question.key.removeprefix("group ")
    text = f'Who is in the group or arm "{says}" is settled by what happened after the index date.'
    detail = (
        "People who left, moved or died before could not get there, so the groups differ from the start (immortal "
        "time). Tell groups by what was known on the index date, such as an offer."
    )
    return [Flag("cohort", "serious", text, detail, says)]


def _flag_constant(question: Question, failed: int, dated: int, named: bool) -> list[Flag]:
    """A rule that is always or never true decides nothing: often a slip of the pen."""
    if not named:
        text = f'The rule "{question.key}" names no column and no table: it is the same for everybody.'
        return [Flag("cohort", "caution", text, f"It is: {question.rule.strip()}. Is that meant?", question.key)]
    if failed not in (0, dated):
        return []
    word = "always" if (failed == 0) == (question.kind == "include") else "never"
    fate = "nobody is" if failed == 0 else "everybody is"
    text = f'The rule "{question.key}" is {word} true: {fate} left out by it.'
    return [Flag("cohort", "note", text, "Check that it asks what its sentence says.", question.key)]


def _flag_future(question: Question, windows: list[Window]) -> list[Flag]:
    """A rule on what happens after the index date counts people in for what is only known later."""
    if not windows:
        return []
    far = [f"{number(w.high, 0)} {w.unit}" for w in windows if w.high is not None]
    reach = f"up to {listed(list(dict.fromkeys(far)))} after it" if len(far) == len(windows) else "without an end"
    text = f'The rule "{question.key}" looks past the index date, {reach}.'
    detail = (
        "Who is counted then depends on what happens later: on living, staying or being seen until then (immortal "
        "time). End the window at 0, or make it an analysis set."
    )
    return [Flag("cohort", "caution", text, detail, question.key)]


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
