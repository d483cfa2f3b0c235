"""DuckDB, embedded: the engine unless a study says otherwise.

It sees no Python variable, loads no extension, and reads no file but those named as tables.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from sqlglot import exp

from evalkit.cohort.engines.aside import place_aside
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
    same,
    wrap,
)
from evalkit.errors import DataError
from evalkit.tables.files import find_csv_fault

if TYPE_CHECKING:
    import pandas as pd

DAY_ONE = "0001-01-01"
ROWS_AT_MOST = 2**40  # rows of a table that a day and a place in the file can be told apart by in one number
STORED: dict[str, Stored] = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"), "whole"),
    **dict.fromkeys(("UBIGINT", "HUGEINT", "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL"), "number"),
    **dict.fromkeys(("VARCHAR", "UUID", "ENUM"), "text"),
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"), "time"),
    "TIMESTAMP WITH TIME ZONE": "instant",
    "DATE": "date",
    "BOOLEAN": "yes or no",
}


def _moment(day: exp.Expr, order: exp.Expr) -> exp.Expr:
    """A day and a place in the file as one number, so that no two rows tie."""
    days = minus(as_type(exp.Literal.string(DAY_ONE), "DATE"), day)
    return exp.Add(
        this=exp.Mul(this=as_type(days, "BIGINT"), expression=exp.Literal.number(ROWS_AT_MOST)), expression=order
    )


def _end(function: str) -> Any:
    def box(value: exp.Expr, day: exp.Expr, order: exp.Expr) -> exp.Expr:
        boxed = call("STRUCT_PACK", exp.PropertyEQ(this=exp.to_identifier("v"), expression=value))
        return call(function, boxed, _moment(day, order))

    return box


def _contains(text: exp.Expr, part: exp.Expr) -> exp.Expr:
    return call("CONTAINS", text, part)


def _function(name: str, path: Path, **options: str) -> exp.Table:
    """A table function that reads one file."""
    given = [exp.EQ(this=exp.to_identifier(key), expression=exp.var(value)) for key, value in options.items()]
    return exp.Table(this=call(name, exp.Literal.string(str(path)), *given))


class DuckEngine(Engine):
    """DuckDB in this process, in memory, spilling to a temporary folder where memory ends."""

    dialect = "duckdb"
    reads_files = True
    words: ClassVar[Words] = {
        "PLUS_DAYS": plus,
        "PLUS_MONTHS": lambda day, n: as_type(
            exp.Add(
                this=wrap(day), expression=exp.Interval(this=exp.Literal.string(str(literal(n))), unit=exp.var("MONTH"))
            ),
            "DATE",
        ),
        "DAYS_BETWEEN": minus,
        "FINITE": finite,
        "NO_DAY": no_day,
        # Not by comparing: from the statistics of a parquet file, which leave NaN out, DuckDB takes x = NaN for false.
        "NOT_NAN": lambda x: exp.Case(ifs=[exp.If(this=exp.IsNan(this=x).not_(), true=x.copy())]),
        "CODE": same,
        "CONTAINS": _contains,
        "FIRST": _end("ARG_MIN"),
        "LAST": _end("ARG_MAX"),
        "UNBOX": lambda box: call("STRUCT_EXTRACT", box, exp.Literal.string("v")),
        # The values in their own order, added with compensation: the sum does not depend on the order of the rows.
        "VALUES": lambda x: exp.ArrayAgg(
            this=exp.Order(this=x, expressions=[exp.Ordered(this=x.copy(), nulls_first=False)])
        ),
        "TOTAL": lambda values: call("LIST_AGGREGATE", values, exp.Literal.string("fsum")),
        "LOCAL_DAY": lambda instant, zone: as_type(exp.AtTimeZone(this=wrap(instant), zone=zone), "DATE"),
        "MATCHES": lambda text, pattern: call("REGEXP_FULL_MATCH", text, pattern),
        "ROW_ID": row_number,
    }

    def __init__(self, files: list[Path] | None = None) -> None:
        super().__init__()
        import duckdb

        self._csv = [path for path in files or [] if path.suffix.lower() != ".parquet"]
        self._engine = duckdb.connect(
            ":memory:",
            config={
                "python_enable_replacements": "false",
                "autoload_known_extensions": "false",
                "temp_directory": str(place_aside()),  # of its own: DuckDB may read whatever lies there
            },
        )
        allowed = ", ".join("'" + str(path).replace("'", "''") + "'" for path in files or [])
        self._engine.execute(f"SET allowed_paths = [{allowed}]")
        self._engine.execute("SET enable_external_access = false")
        self._engine.execute("SET TimeZone = 'UTC'")

    def _run(self, text: str, arrow: bool = False) -> Any:
        import duckdb

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = self._engine.execute(text)
                return found.to_arrow_table() if arrow else found
        except duckdb.Error as error:
            for path in self._csv:
                if str(path) in str(error) and (fault := find_csv_fault(path)):
                    raise DataError(f"{path.name}: {fault}") from None
            raise DataError(
                f"The cohort's rules could not be answered from these tables: {without_cells(str(error))}"
            ) from None

    def fetch(self, query: exp.Expr) -> pd.DataFrame:
        """The rows of a statement in Arrow-backed columns, so that a missing answer is not a number."""
        import pandas as pd

        return self._run(self.sql(query), arrow=True).to_pandas(types_mapper=pd.ArrowDtype)

    def _create(self, name: str, query: exp.Expr) -> None:
        """A temporary table of the session."""
        table = exp.to_identifier(name, quoted=True).sql(self.dialect)
        self._run(f"CREATE OR REPLACE TEMP TABLE {table} AS {self.sql(query)}")

    def _define(self, name: str, query: exp.Expr) -> None:
        """A view of the session: columns of a table in memory are read faster than copied."""
        view = exp.to_identifier(name, quoted=True).sql(self.dialect)
        self._run(f"CREATE OR REPLACE TEMP VIEW {view} AS {self.sql(query)}")

    def drop(self, name: str) -> None:
        """Drop a temporary table."""
        self._run(f"DROP TABLE IF EXISTS {exp.to_identifier(name, quoted=True).sql(self.dialect)}")

    def load(self, name: str, columns: Mapping[str, object]) -> None:
        """Arrow arrays under a name; nothing is copied."""
        import pyarrow as pa

        self._engine.register(name, pa.table(dict(columns)))

    def file(self, path: Path) -> tuple[exp.Expr, exp.Expr, exp.Expr | None]:
        """A file as a table function; parquet tells the place of a row, a csv file's rows are counted."""
        if path.suffix.lower() == ".parquet":
            place: exp.Expr = exp.column("file_row_number", quoted=True)
            return _function("READ_PARQUET", path), _function("READ_PARQUET", path, file_row_number="true"), place
        delimiter = "'\t'" if path.suffix.lower() == ".tsv" else "','"
        told = {"all_varchar": "true", "header": "true", "delim": delimiter, "quote": "'\"'", "escape": "'\"'"}
        source = _function("READ_CSV", path, **told)
        place = exp.Sub(this=exp.Window(this=exp.RowNumber()), expression=exp.Literal.number(1))
        return source, source, place

    def stored(self, source: exp.Expr) -> dict[str, Stored]:
        """The columns of a file, by its own heading."""
        described = self._run(f"DESCRIBE {self.sql(exp.select('*').from_(source))}").fetchall()
        return {str(name): STORED.get(str(kind).split("(")[0], "other") for name, kind, *_ in described}

    def explain(self, query: exp.Expr) -> str:
        """DuckDB's plan of a statement."""
        return "\n".join(str(row[1]) for row in self._run(f"EXPLAIN {self.sql(query)}").fetchall())

    def close(self) -> None:
        """Close the database in memory, and with it what was put aside."""
        self._engine.close()
