"""The SQL that answers rules: one grouped pass per table, joined to the starting rows, run in an embedded engine.

The engine reads no file, loads no extension and sees no Python variable: only the columns handed to it.
"""

from __future__ import annotations

import tempfile
import warnings
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from sqlglot import exp

from evalkit.cohort.kinds import as_arrow
from evalkit.cohort.scope import DATE, ORDER, PERSON, ROW, Scope
from evalkit.errors import DataError

START = "_start"
DIALECT = "duckdb"


def column(name: str, table: str) -> exp.Column:
    """A quoted column of an aliased table."""
    return exp.column(name, table=table, quoted=True)


def wrap(value: exp.Expr) -> exp.Expr:
    """Brackets around a part of an expression, where they could matter."""
    atomic = exp.Column | exp.Literal | exp.Cast | exp.Func | exp.Paren | exp.Boolean | exp.Null
    joined = exp.And | exp.Or
    return value if isinstance(value, atomic) and not isinstance(value, joined) else exp.paren(value)


def as_type(value: exp.Expr, to: str) -> exp.Expr:
    """A cast."""
    return exp.cast(value, to)


@dataclass
class Calls:
    """What one statement needs from the tables.

    Parameters
    ----------
    scope : Scope
        What names mean.

    Notes
    -----
    ``groups`` holds, per table, each aggregate once, with the condition on its rows; ``used`` the columns read per
    table (None: the starting rows); ``notes`` what an auditor must know and the SQL alone does not say.
    """

    scope: Scope
    groups: dict[str, dict[str, tuple[str, exp.Expr, exp.Expr | None]]] = field(default_factory=dict)
    used: dict[str | None, set[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def read(self, table: str | None, name: str) -> exp.Column:
        """A column of a table (alias t) or of the starting rows (alias i)."""
        self.used.setdefault(table, set()).add(name)
        return column(self.scope.sql_name(table, name), "i" if table is None else "t")

    def group(self, table: str, aggregate: exp.Expr, condition: exp.Expr | None) -> exp.Column:
        """The result of an aggregate over a person's rows of a table, as a column of the grouped pass."""
        self.used.setdefault(table, set())
        known = self.groups.setdefault(table, {})
        key = f"{aggregate.sql(DIALECT)} | {condition.sql(DIALECT) if condition is not None else ''}"
        if key not in known:
            known[key] = (f"v{len(known) + 1}", aggregate, condition)
        return column(known[key][0], f"of {table}")

    def note(self, text: str) -> None:
        """Remember a sentence for the head of the SQL, once."""
        if text not in self.notes:
            self.notes.append(text)


def _filtered(aggregate: exp.Expr, condition: exp.Expr | None) -> exp.Expr:
    if condition is None:
        return aggregate.copy()
    return exp.Filter(this=aggregate.copy(), expression=exp.Where(this=condition.copy()))


def _grouped(calls: Calls, table: str) -> exp.Select:
    """One pass over a table: every aggregate any rule asked of it, per starting row."""
    asked = list(calls.groups[table].values())
    row, person = column(ROW, "i"), column(PERSON, "i")
    conditions = {one[2].sql(DIALECT): one[2] for one in asked if one[2] is not None}
    # One condition for all: the rows are chosen before they are grouped.
    shared = len(conditions) == 1 and all(one[2] is not None for one in asked)
    chosen = [
        exp.alias_(_filtered(total, None if shared else condition), name, quoted=True)
        for name, total, condition in asked
    ]
    query = exp.select(row, *chosen).from_(exp.alias_(exp.to_table(START, quoted=True), "i"))
    source = exp.alias_(exp.Table(this=exp.to_identifier(table, quoted=True)), "t")
    query = query.join(source, on=exp.EQ(this=column(PERSON, "t"), expression=person))
    if shared:
        query = query.where(next(iter(conditions.values())).copy())
    return query.group_by(row)


def statement(calls: Calls, answers: dict[str, exp.Expr]) -> exp.Select:
    """Write one statement that answers everything asked, a row per starting row.

    Parameters
    ----------
    calls : Calls
        What the answers need from the tables.
    answers : dict of str to Expression
        Column name of each answer and the expression that gives it.

    Returns
    -------
    sqlglot.exp.Select
        In no dialect yet.
    """
    row, person = column(ROW, "i"), column(PERSON, "i")
    chosen = [exp.alias_(value.copy(), name, quoted=True) for name, value in answers.items()]
    query = exp.select(row, person, *chosen).from_(exp.alias_(exp.to_table(START, quoted=True), "i"))
    for table in calls.groups:
        name = exp.to_identifier(f"of {table}", quoted=True)
        query = query.with_(name, as_=_grouped(calls, table))
        query = query.join(
            exp.Table(this=name.copy()), on=exp.EQ(this=column(ROW, f"of {table}"), expression=row), join_type="left"
        )
    return query.order_by(row)


def written(query: exp.Select, heading: list[str]) -> str:
    """Write a statement for a reader, with comment lines above it.

    Parameters
    ----------
    query : sqlglot.exp.Select
        The statement.
    heading : list of str
        One line each.

    Returns
    -------
    str
        SQL that runs as it stands.
    """
    lines = [f"-- {line}" for text in heading for line in text.splitlines()]
    return "\n".join([*lines, query.sql(DIALECT, pretty=True)])


def relations(calls: Calls) -> dict[str, object]:
    """Collect the columns a statement reads, and no others, as Arrow tables.

    Parameters
    ----------
    calls : Calls
        What the statement needs.

    Returns
    -------
    dict of str to pyarrow.Table
        By the name the statement uses.
    """
    import pyarrow as pa

    scope, found = calls.scope, {}
    for table in [None, *(name for name in calls.used if name is not None)]:
        frame = scope.frame(table)
        if table is None:
            keys = {ROW: pa.array(frame[ROW]), PERSON: as_arrow(frame[PERSON], "text")}
            keys[DATE] = as_arrow(frame[DATE], "date")
        else:
            keys = {PERSON: as_arrow(frame[scope.person], "text"), ORDER: pa.array(range(len(frame)), type=pa.int64())}
        wanted = sorted(calls.used.get(table, set()))
        arrays = {scope.sql_name(table, name): as_arrow(frame[name], scope.kind(table, name)) for name in wanted}
        found[START if table is None else table] = pa.table({**keys, **arrays})
    return found


def run(query: str, tables: dict[str, object]) -> pd.DataFrame:
    """Run one statement in DuckDB.

    Parameters
    ----------
    query : str
        SQL in DuckDB's dialect.
    tables : dict of str to pyarrow.Table
        What the statement may read.

    Returns
    -------
    DataFrame
        Arrow-backed columns, so that a missing answer is not a number.

    Raises
    ------
    DataError
        The engine could not answer.
    """
    import duckdb

    closed = {
        "enable_external_access": "false",
        "python_enable_replacements": "false",
        "temp_directory": tempfile.gettempdir(),
    }
    with duckdb.connect(":memory:", config={**closed, "autoload_known_extensions": "false"}) as engine:
        for name, table in tables.items():
            engine.register(name, table)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                answer: Any = engine.execute(query).to_arrow_table()
        except duckdb.Error as error:
            first = str(error).splitlines()[0]
            raise DataError(f"The cohort's rules could not be answered from these tables: {first}") from error
    return answer.to_pandas(types_mapper=pd.ArrowDtype)
