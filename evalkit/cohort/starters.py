"""Whether the tables that start people are what the plan says."""

from __future__ import annotations

import datetime as dt

import pandas as pd
from sqlglot import exp

from evalkit.cohort.checks import check_columns, how_many, raise_data
from evalkit.cohort.held import ORDER, PERSON, ROW, SHOWN, Held, column, places
from evalkit.cohort.kinds import as_dates
from evalkit.cohort.scope import Scope
from evalkit.cohort.sql import KNOWN, START
from evalkit.errors import Flag, StudyError, did_you_mean, several
from evalkit.study.counted import CohortPlan
from evalkit.words import number


def named(scope: Scope, table: str, columns: list[str], order: bool = False) -> exp.Select:
    """The rows of a table that say whose they are.

    Parameters
    ----------
    scope : Scope
        The tables.
    table : str
        Which of them.
    columns : list of str
        Columns to be read beside the person.
    order : bool
        Whether the place of a row is read too.

    Returns
    -------
    sqlglot.exp.Select
        With the alias t.
    """
    source = exp.alias_(scope.tables[table].relation(columns, scope.whole_ids, order), "t", table=True)
    return exp.select(column(PERSON, "t")).from_(source).where(column(PERSON, "t").is_(exp.null()).not_())


def flag_blank(scope: Scope, table: str) -> list[Flag]:
    """Rows that name nobody.

    Parameters
    ----------
    scope : Scope
        The tables and the engine.
    table : str
        The table that starts people.

    Returns
    -------
    list of Flag
        At most one.
    """
    held = scope.tables[table]
    source = exp.alias_(held.relation([], scope.whole_ids, order=False), "t", table=True)
    counted = exp.select((exp.Count(this=exp.Star()) - exp.Count(this=column(PERSON, "t"))).as_("n")).from_(source)
    blank = int(scope.engine.fetch(counted)["n"].iloc[0])
    if not blank:
        return []
    text = f"In table {table}, {how_many(blank, 'row', 'rows')} name nobody."
    return [Flag("cohort", "caution", text, "They are left out: nobody can be followed without an id.", table)]


def people_table(plan: CohortPlan, tables: dict[str, Held], where: str) -> str | None:
    """The table with one row per person, if there is one.

    Parameters
    ----------
    plan : CohortPlan
        The plan.
    tables : dict of str to Held
        The tables.
    where : str
        For messages.

    Returns
    -------
    str or None
        Its name.

    Raises
    ------
    StudyError
        The plan names a table that is not there, or does not say which holds the people.
    """
    problems = [
        f'{key} names "{name}", which is not a table of the study. {did_you_mean(name, tables)}'
        for key, name in (("cohort.index.table", plan.index.table), ("cohort.people", plan.people))
        if name is not None and name not in tables
    ]
    if problems:
        raise StudyError(several(where, problems))
    if plan.people is not None:
        return plan.people
    if "people" in tables:
        return "people"
    if plan.index.table is not None:
        return None
    if len(tables) == 1:
        return next(iter(tables))
    finding = (
        f'[cohort] does not say which table holds the people. Write people = "...". {did_you_mean("people", tables)}'
    )
    raise StudyError(several(where, [finding]))


def check_plan(plan: CohortPlan, scope: Scope, people: str | None, where: str) -> None:
    """Whether the tables that start people are what the plan says, all findings at once.

    Parameters
    ----------
    plan : CohortPlan
        The plan.
    scope : Scope
        The tables and the engine.
    people : str or None
        The table with one row per person.
    where : str
        For messages.

    Raises
    ------
    StudyError, DataError
        All that is wrong.
    """
    index, date = plan.index.table, plan.index.date
    wrong = []
    if index is not None and not isinstance(date, str):
        wrong.append(f"[cohort] index.date must name a column of {index}. Write its name, or leave index.table out.")
    if plan.index.pick != "every" and (plan.index.gap_days or plan.index.exit):
        wrong.append('[cohort] index.gap_days and index.exit need pick = "every". Write it, or leave them out.')
    if index is None and plan.index.pick != "first":
        wrong.append("[cohort] index.pick needs index.table: with one fixed date there is nothing to pick.")
    if wrong:
        raise StudyError(several(where, wrong))
    named = list(dict.fromkeys(name for name in (index, people) if name is not None))
    problems = [p for name in named for p in check_columns(name, scope.tables[name].columns, [plan.person])]
    if index is not None:
        problems += check_columns(index, scope.tables[index].columns, [str(date), plan.index.exit])
    problems += [f"table {name} has no rows. Is it the right file?" for name in named if not scope.tables[name].rows]
    raise_data(where, problems)
    if people is not None and index is None:
        problems += _one_row_each(scope, people)
    for name in (str(date), plan.index.exit) if index is not None else ():
        problems += _check_dates(scope.tables[str(index)], name, required=name != plan.index.exit) if name else []
    raise_data(where, problems)


def check_people(scope: Scope, where: str) -> None:
    """Whether everybody who starts stands once in the table of people, by the starting rows just made.

    Parameters
    ----------
    scope : Scope
        The tables and the engine.
    where : str
        The study or definition, for messages.

    Raises
    ------
    DataError
        Somebody stands there twice, or not at all.
    """
    if len(scope.home) < 2:
        return
    index, people = scope.home
    rows = exp.Count(this=exp.Star())
    unknown = exp.Filter(this=rows.copy(), expression=exp.Where(this=column(KNOWN).not_()))
    picked = exp.Count(this=exp.Distinct(expressions=[column(ROW)]))
    started = exp.select(rows.as_("n"), unknown.as_("u"), picked.as_("p")).from_(exp.to_table(START, quoted=True))
    found = scope.engine.fetch(started).iloc[0]
    problems = _one_row_each(scope, people) if found["n"] > found["p"] else []
    raise_data(where, problems + (_known_people(scope, index, people) if found["u"] else []))


def _check_dates(table: Held, name: str, required: bool) -> list[str]:
    """Whether the index dates are dates at all."""
    kind = table.kind(name)
    if kind == "date" or (kind == "empty" and not required):
        return []
    if kind == "empty":
        return [f"table {table.name}, column {name}: every index date is missing, so nobody can start."]
    count, first = table.rows, list[int]()
    if kind == "text":
        _, count, first = table.not_of_kind(name, "date")
    finding = f"should hold dates (year-month-day), and {places(first, count)} hold something else"
    return [f"table {table.name}, column {name} {finding}. Mend the table."]


def _found(scope: Scope, table: str, rows: exp.Select) -> tuple[int, list[int]]:
    """How many rows, and the places of the first where rows have places."""
    count = scope.engine.count(rows)
    if not count or not scope.tables[table].has_places:
        return count, []
    first = exp.select(column(ORDER)).from_(rows.subquery("f")).order_by(column(ORDER)).limit(SHOWN)
    return count, [int(place) for place in scope.engine.fetch(first)[ORDER]]


def _one_row_each(scope: Scope, people: str) -> list[str]:
    """A table of people that repeats a person."""
    ids = column(PERSON, "t")
    distinct = exp.Count(this=exp.Distinct(expressions=[ids.copy()]))
    source = exp.alias_(scope.tables[people].relation([], scope.whole_ids, order=False), "t", table=True)
    counted = exp.select((exp.Count(this=ids) - distinct).as_("n")).from_(source)
    if not int(scope.engine.fetch(counted)["n"].iloc[0]):
        return []
    places_known = scope.tables[people].has_places
    times = exp.Window(this=exp.Count(this=exp.Star()), partition_by=[column(PERSON, "t")])
    rows = named(scope, people, [], order=places_known).select(times.as_("_times", quoted=True))
    rows = rows.select(column(ORDER, "t")) if places_known else rows
    again = exp.select(exp.Star()).from_(rows.subquery("q")).where(column("_times") > 1)
    count, first = _found(scope, people, again)
    who = exp.select(exp.Count(this=exp.Distinct(expressions=[column(PERSON)])).as_("n")).from_(again.subquery("w"))
    told = number(int(scope.engine.fetch(who)["n"].iloc[0]), 0)
    noun = "person stands" if told == "1" else "people stand"
    remedy = "Keep one row per person, or name the table in cohort.index and say which row to pick"
    found = places(first, count)
    return [f"table {people}, column {scope.person}: {told} {noun} there more than once, in {found}. {remedy}."]


def _known_people(scope: Scope, index: str, people: str) -> list[str]:
    """Index rows of people who are not in the table of people."""
    with_place = scope.tables[index].has_places
    rows = named(scope, index, [], order=with_place)
    rows = rows.select(column(ORDER, "t")) if with_place else rows
    known = exp.alias_(scope.tables[people].relation([], scope.whole_ids, order=False), "p", table=True)
    on = column(PERSON, "p").eq(column(PERSON, "t"))
    count, first = _found(
        scope, index, rows.join(known, on=on, join_type="left").where(column(PERSON, "p").is_(exp.null()))
    )
    if not count:
        return []
    finding = f"{places(first, count)} name a person who is not in table {people}"
    return [f"table {index}, column {scope.person}: {finding}. Add the person, or take the rows out."]


def fixed_date(plan: CohortPlan, where: str) -> pd.Timestamp:
    """The one index date of everybody.

    Parameters
    ----------
    plan : CohortPlan
        With index.date.
    where : str
        For messages.

    Returns
    -------
    Timestamp
        The day.

    Raises
    ------
    StudyError
        It is no date.
    """
    date = plan.index.date
    if isinstance(date, dt.date):
        return pd.Timestamp(date.year, date.month, date.day)
    found = as_dates(pd.Series([date], dtype="str")).iloc[0]
    if pd.isna(found):
        remedy = "Write year-month-day such as 2020-01-31, or add index.table if it is a column."
        raise StudyError(several(where, [f'[cohort] index.date "{date}" is not a date. {remedy}']))
    return found
