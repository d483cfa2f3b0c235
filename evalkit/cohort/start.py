"""Who starts: the rows that may count a person in, with the person's own columns beside them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from evalkit.cohort.checks import check_columns, check_known_people, check_one_row_each, how_many, raise_data, rows_of
from evalkit.cohort.kinds import among, as_dates, kind_of
from evalkit.cohort.scope import DATE, PERSON, ROW
from evalkit.errors import Flag, StudyError, did_you_mean, several
from evalkit.study.model import CohortPlan


@dataclass(frozen=True, eq=False)
class Start:
    """The starting rows.

    Parameters
    ----------
    rows : DataFrame
        Sorted by person, index date and place in the file; beside the columns of index row and people: _row (from 0),
        _person, _index_date. A person without any index date has one row without a date.
    origin : dict of str to str
        The table each column came from.
    says : str
        Who they are, for the flow.
    pick : str
        How a person's row was chosen; empty with one fixed date.
    flags : list of Flag
        What was seen on the way.
    """

    rows: pd.DataFrame
    origin: dict[str, str]
    says: str
    pick: str
    flags: list[Flag]


def find_start(plan: CohortPlan, tables: dict[str, pd.DataFrame], where: str) -> Start:
    """Find everyone who starts, and the row that counts.

    Parameters
    ----------
    plan : CohortPlan
        Who is counted.
    tables : dict of str to DataFrame
        The prepared tables.
    where : str
        The study or definition, for messages.

    Returns
    -------
    Start
        With pick "first" or "last" one row per person; with "first eligible" all rows.

    Raises
    ------
    StudyError
        The plan names a table that is not there, or no date.
    DataError
        A person stands twice among people, or an index row belongs to nobody; columns or dates are missing.
    """
    people, index = _people_table(plan, tables, where), plan.index.table
    _check(plan, tables, people, where)
    home = str(index or people)
    blank = tables[home][plan.person].isna()
    rows, flags = tables[home][~blank], _flag_blank(home, int(blank.sum()))
    if index is None:
        rows = rows.assign(**{DATE: _fixed_date(plan, where)})
        says, pick = f"people in {home}", ""
    else:
        rows, tied = _picked(plan, rows.assign(**{DATE: rows[str(plan.index.date)].dt.normalize()}))
        says, pick = f"people in {home}", _pick_says(plan)
        flags += tied
    rows, origin = _joined(plan, tables, rows.assign(**{PERSON: rows[plan.person]}), people)
    rows = rows.sort_values([PERSON, DATE], kind="stable", na_position="last").reset_index(drop=True)
    return Start(rows.assign(**{ROW: range(len(rows))}), origin, says, pick, flags)


def _flag_blank(table: str, blank: int) -> list[Flag]:
    """Rows that name nobody."""
    if not blank:
        return []
    text = f"In table {table}, {how_many(blank, 'row', 'rows')} name nobody."
    return [Flag("cohort", "caution", text, "They are left out: nobody can be followed without an id.", table)]


def _people_table(plan: CohortPlan, tables: dict[str, pd.DataFrame], where: str) -> str | None:
    """The table with one row per person, if there is one."""
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


def _check(plan: CohortPlan, tables: dict[str, pd.DataFrame], people: str | None, where: str) -> None:
    """Whether the tables that start people are what the plan says, all findings at once."""
    index, date = plan.index.table, plan.index.date
    if index is not None and not isinstance(date, str):
        raise StudyError(
            several(
                where, [f"[cohort] index.date must name a column of {index}. Write its name, or leave index.table out."]
            )
        )
    named = list(dict.fromkeys(name for name in (index, people) if name is not None))
    problems = [p for name in named for p in check_columns(name, tables[name], [plan.person])]
    problems += check_columns(index, tables[index], [str(date)]) if index is not None else []
    problems += [f"table {name} has no rows. Is it the right file?" for name in named if tables[name].empty]
    raise_data(where, problems)
    if people is not None:
        problems += check_one_row_each(people, tables[people], plan.person)
    if index is not None:
        problems += _check_dates(index, str(date), tables[index][str(date)])
    if index is not None and people is not None and index != people:
        problems += check_known_people(index, tables[index], people, tables[people][plan.person], plan.person)
    raise_data(where, problems)


def _check_dates(table: str, name: str, column: pd.Series) -> list[str]:
    """Whether the index dates are dates at all."""
    kind = kind_of(column)
    if kind == "date":
        return []
    if kind == "empty":
        return [f"table {table}, column {name}: every index date is missing, so nobody can start."]
    bad = column.notna() if kind != "text" else column.notna() & as_dates(column).isna()
    finding = f"should hold dates (year-month-day), and {rows_of(bad)} hold something else"
    return [f"table {table}, column {name} {finding}. Mend the table."]


def _fixed_date(plan: CohortPlan, where: str) -> pd.Timestamp:
    """The one index date of everybody."""
    date = plan.index.date
    if isinstance(date, dt.date):
        return pd.Timestamp(date.year, date.month, date.day)
    found = as_dates(pd.Series([date], dtype="str")).iloc[0]
    if pd.isna(found):
        remedy = "Write year-month-day such as 2020-01-31, or add index.table if it is a column."
        raise StudyError(several(where, [f'[cohort] index.date "{date}" is not a date. {remedy}']))
    return found


def _pick_says(plan: CohortPlan) -> str:
    index = plan.index
    if index.pick == "first eligible":
        return f"has a date in {index.date}; the first row of {index.table} that meets every rule counts"
    return f"{index.pick} row of {index.table} by {index.date}"


def _picked(plan: CohortPlan, rows: pd.DataFrame) -> tuple[pd.DataFrame, list[Flag]]:
    """The row or rows of each person; on one day the order of the file decides, and a flag says so."""
    person, pick = plan.person, plan.index.pick
    rows = rows.sort_values([person, DATE], kind="stable", na_position="last")
    dated = rows[rows[DATE].notna()]
    keep: Literal["first", "last"] = "last" if pick == "last" else "first"
    chosen = dated if pick == "first eligible" else dated.drop_duplicates(person, keep=keep)
    undated = rows[~among(rows[person], dated[person])].drop_duplicates(person)
    tied = dated.merge(dated.drop_duplicates(person, keep=keep)[[person, DATE]], on=[person, DATE])
    twice = int((tied.groupby(person).size() > 1).sum()) if len(tied) > dated[person].nunique() else 0
    flags = []
    if twice:
        who = how_many(twice, "person", "people").capitalize()
        text = f"{who} have more than one row of {plan.index.table} on the index date."
        detail = f"The {keep} of them in the order of the file was taken."
        flags.append(Flag("cohort", "caution", text, detail, str(plan.index.table)))
    return pd.concat([chosen, undated]), flags


def _joined(
    plan: CohortPlan, tables: dict[str, pd.DataFrame], rows: pd.DataFrame, people: str | None
) -> tuple[pd.DataFrame, dict[str, str]]:
    """The person's columns of people beside the index row, which wins where both have a column."""
    home = str(plan.index.table or people)
    origin = {str(name): home for name in tables[home].columns}
    if people is None or people == home:
        return rows, origin
    extra = [name for name in tables[people].columns if name not in rows.columns]
    beside = tables[people].set_index(plan.person)[extra]
    return rows.join(beside, on=plan.person), origin | {str(name): people for name in extra}
