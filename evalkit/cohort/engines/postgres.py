"""PostgreSQL: the rules run inside the data provider's server, and only the cohort's rows come back.

Who asks is told by the environment (PGUSER, PGPASSWORD, a password file): never by the study, and never written. All
that is made on the way are temporary tables of the one session.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from sqlglot import exp

from evalkit.cohort.engines.base import Engine, Stored, without_cells
from evalkit.cohort.engines.vocabulary import (
    Words,
    as_type,
    call,
    finite,
    literal,
    minus,
    no_day,
    plus,
    row_number,
    wrap,
)
from evalkit.errors import DataError, StudyError
from evalkit.study.databases import address_problem

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")
STORED: dict[str, Stored] = {
    **dict.fromkeys(("int2", "int4", "int8"), "whole"),
    **dict.fromkeys(("float4", "float8", "numeric"), "number"),
    **dict.fromkeys(("text", "varchar", "bpchar", "uuid", "name"), "text"),
    "timestamp": "time",
    "timestamptz": "instant",
    "date": "date",
    "bool": "yes or no",
}
ARROW = {"int64": "BIGINT", "double": "DOUBLE PRECISION", "date32[day]": "DATE", "bool": "BOOLEAN"}


def _ends(descending: bool) -> Callable[..., exp.Expr]:
    """The value in the first or last row by date; rows of a table have no order, so of one day by the value itself."""

    def box(value: exp.Expr, day: exp.Expr, tie: exp.Expr) -> exp.Expr:
        keys = [exp.Ordered(this=key, desc=descending, nulls_first=False) for key in (day, tie)]
        return exp.ArrayAgg(this=exp.Order(this=value, expressions=keys))

    return box


class PostgresEngine(Engine):
    """One session with a PostgreSQL server.

    Parameters
    ----------
    url : str
        postgresql://host:port/base, without user and password.
    """

    dialect = "postgres"
    words: ClassVar[Words] = {
        "PLUS_DAYS": plus,
        "PLUS_MONTHS": lambda day, n: as_type(
            exp.Add(this=wrap(day), expression=exp.Interval(this=exp.Literal.string(f"{literal(n)} month"))), "DATE"
        ),
        "DAYS_BETWEEN": minus,
        "FINITE": finite,
        "NO_DAY": no_day,
        "NOT_NAN": lambda x: exp.func("NULLIF", x, as_type(exp.Literal.string("NaN"), "DOUBLE")),
        # By code point, whatever language the database sorts by.
        "CODE": lambda text: exp.Collate(this=wrap(text), expression=exp.to_identifier("C", quoted=True)),
        "CONTAINS": lambda text, part: exp.GT(this=call("STRPOS", text, part), expression=exp.convert(0)),
        "FIRST": _ends(descending=False),
        "LAST": _ends(descending=True),
        "UNBOX": lambda box: exp.Bracket(this=exp.paren(box), expressions=[exp.convert(1)], offset=1),
        # As decimal numbers sums are exact, so that they do not depend on the order of the rows.
        "VALUES": lambda x: exp.Sum(this=as_type(as_type(x, "TEXT"), "DECIMAL")),
        "TOTAL": lambda total: as_type(total, "DOUBLE"),
        "LOCAL_DAY": lambda instant, zone: as_type(exp.AtTimeZone(this=wrap(instant), zone=zone), "DATE"),
        "MATCHES": lambda text, pattern: exp.RegexpLike(
            this=wrap(text), expression=exp.Literal.string(f"^({pattern.name})$")
        ),
        "ROW_ID": row_number,
    }

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = checked(url)
        self._connection = _twice(self._connect, self._where)

    @property
    def _where(self) -> str:
        return re.sub(r"[?].*", "", self._url)

    def _connect(self) -> Any:
        try:
            import psycopg
        except ImportError:
            raise DataError("tables in PostgreSQL need psycopg. Install it: pip install 'evalkit[postgres]'.") from None
        found = psycopg.connect(self._url, connect_timeout=10, application_name="evalkit", autocommit=True)
        found.execute("SET TimeZone = 'UTC'")
        found.execute("SET client_min_messages = warning")
        return found

    def _run(self, text: str, parts: list[object] | None = None) -> Any:
        return self._answered(lambda: self._connection.execute(text, parts))

    def _answered(self, ask: Callable[[], T]) -> T:
        """What the server answers, or one clear error.

        What psycopg raises holds the connection and with it the password: only its words go on, from outside.
        """
        import psycopg

        try:
            return ask()
        except psycopg.errors.InsufficientPrivilege as error:
            hint = "Reading the tables and making temporary tables (grant temporary on database) are needed."
            said = f"{self._where} refused: {_first(error)} {hint}"
        except psycopg.OperationalError as error:
            said = f"{self._where} no longer answers: {_first(error)} Nothing is left behind."
        except psycopg.Error as error:
            # Errors of class 22 are about cells, which they quote.
            cells = str(error.sqlstate or "22").startswith("22")
            told = re.sub(r'"[^"]*"', "...", without_cells(str(error))) if cells else _first(error)
            said = f"The cohort's rules could not be answered by {self._where}: {told}"
        raise DataError(said)

    def fetch(self, query: exp.Expr) -> pd.DataFrame:
        """The rows of a statement, Arrow-backed as those of the other engines."""
        import pandas as pd
        import pyarrow as pa

        cursor = self._run(self.sql(query))
        names = [column.name for column in cursor.description]
        rows = self._answered(cursor.fetchall)
        columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
        arrays = [pa.array(_plain(values)) for values in columns]
        series = [pd.Series(values, dtype=pd.ArrowDtype(values.type)) for values in arrays]
        return pd.DataFrame(dict(zip(names, series, strict=True)))

    def _create(self, name: str, query: exp.Expr) -> None:
        """A temporary table of the session."""
        table = exp.to_identifier(name, quoted=True).sql(self.dialect)
        self.drop(name)
        self._run(f"CREATE TEMPORARY TABLE {table} AS {self.sql(query)}")
        self._run(f"ANALYZE pg_temp.{table}")

    def drop(self, name: str) -> None:
        """Drop a temporary table."""
        self._run(f"DROP TABLE IF EXISTS pg_temp.{exp.to_identifier(name, quoted=True).sql(self.dialect)}")

    def load(self, name: str, columns: Mapping[str, Any]) -> None:
        """A DataFrame's columns, carried into a temporary table of the session."""
        quoted = [exp.to_identifier(one, quoted=True).sql(self.dialect) for one in columns]
        kinds = [ARROW.get(str(values.type), "TEXT") for values in columns.values()]
        table = exp.to_identifier(name, quoted=True).sql(self.dialect)
        self._run(f"DROP TABLE IF EXISTS pg_temp.{table}")
        self._run(f"CREATE TEMPORARY TABLE {table} ({', '.join(map(' '.join, zip(quoted, kinds, strict=True)))})")
        self._answered(lambda: self._copy(table, columns))
        self._run(f"ANALYZE pg_temp.{table}")

    def _copy(self, table: str, columns: Mapping[str, Any]) -> None:
        import pyarrow as pa

        rows = pa.table(dict(columns)).to_pylist()
        with self._connection.cursor().copy(f"COPY {table} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(tuple(row.values()))

    def stored(self, source: exp.Expr) -> dict[str, Stored]:
        """The columns of a table of the server."""
        cursor = self._run(self.sql(exp.select("*").from_(source).limit(0)))
        kinds = {column.name: column.type_code for column in cursor.description}
        asked = "SELECT oid::int, typname FROM pg_type WHERE oid = ANY(%s)"
        named = dict(self._run(asked, [list(kinds.values())]))
        return {name: STORED.get(named.get(code, ""), "other") for name, code in kinds.items()}

    def explain(self, query: exp.Expr) -> str:
        """PostgreSQL's plan of a statement."""
        return "\n".join(str(row[0]) for row in self._run(f"EXPLAIN {self.sql(query)}").fetchall())

    def close(self) -> None:
        """End the session, and with it all that was made in it."""
        self._connection.close()


def checked(url: str) -> str:
    """Refuse an address that is none, or that says who asks.

    Parameters
    ----------
    url : str
        postgresql://host:port/base.

    Returns
    -------
    str
        The same.

    Raises
    ------
    StudyError
        What is wrong with it.
    """
    problem = address_problem(url)
    if problem:
        raise StudyError(problem)
    return url


def _twice(connect: Callable[[], T], where: str) -> T:
    """Try once more where the server does not answer at first."""
    import time

    said = ""
    for wait in (1, 0):
        try:
            return connect()
        except DataError:
            raise
        except Exception as error:  # what psycopg raises holds the password: only its words go on, from outside
            said = _first(error)
        time.sleep(wait)
    hint = "Is it running, and are PGUSER and PGPASSWORD set?"
    raise DataError(f"the database {where} does not answer (tried twice): {said} {hint}")


def _first(error: Exception) -> str:
    """The first line of what the server said."""
    text = str(error).strip().splitlines()
    return (text[0] if text else type(error).__name__).rstrip(".") + "."


def _plain(values: Any) -> list[object]:
    """Decimals as numbers; everything else as it came."""
    from decimal import Decimal

    return [float(value) if isinstance(value, Decimal) else value for value in values]
