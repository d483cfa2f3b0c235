"""Spark: the rules run on a team's cluster, in the session that is open or the one its settings name."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from sqlglot import exp, parse_one

from evalkit.cohort.engines.base import Engine, Stored, without_cells
from evalkit.cohort.engines.vocabulary import Words, as_type, call, literal, row_number, same, wrap
from evalkit.errors import DataError
from evalkit.tables.files import find_csv_fault

if TYPE_CHECKING:
    import pandas as pd

STORED: dict[str, Stored] = {
    **dict.fromkeys(("tinyint", "smallint", "int", "bigint"), "whole"),
    **dict.fromkeys(("float", "double", "decimal"), "number"),
    **dict.fromkeys(("string", "varchar", "char"), "text"),
    "timestamp_ntz": "time",
    "timestamp": "instant",
    "date": "date",
    "boolean": "yes or no",
}
# Compensated addition in the order of the values, as DuckDB's fsum does it.
TOTAL = (
    "AGGREGATE(ARRAY_SORT(ek_values), NAMED_STRUCT('s', CAST(0 AS DOUBLE), 'c', CAST(0 AS DOUBLE)), "
    "(a, x) -> NAMED_STRUCT('s', a.s + (x - a.c), 'c', ((a.s + (x - a.c)) - a.s) - (x - a.c)), a -> a.s)"
)
SUBSTITUTE = "spark.sql.variable.substitute"
MICROS = 86_400_000_000  # microseconds of a day


def _ends(function: str, known: bool) -> Callable[..., exp.Expr]:
    """The value in the first or last row by date; rows of a table have no order, so of one day by the value itself."""

    def box(value: exp.Expr, day: exp.Expr, tie: exp.Expr) -> exp.Expr:
        missing = wrap(tie.copy()).is_(exp.null())
        key = call("STRUCT", day, missing.not_() if known else missing, tie)
        return call(function, call("NAMED_STRUCT", exp.Literal.string("v"), value), key)

    return box


def _total(values: exp.Expr) -> exp.Expr:
    """The sum of collected values; none of them is missing, and without any there is no sum."""
    found = parse_one(TOTAL, read="spark")
    for node in list(found.find_all(exp.Column)):
        if node.name == "ek_values":
            node.replace(values.copy())
    some = exp.GT(this=call("SIZE", values.copy()), expression=exp.convert(0))
    return exp.Case(ifs=[exp.If(this=some, true=found)])


def _local_day(instant: exp.Expr, zone: exp.Expr) -> exp.Expr:
    """The day on a clock, worked out in microseconds: a cast would take the session's clock."""
    moved = call("UNIX_MICROS", call("FROM_UTC_TIMESTAMP", instant, zone))
    days = as_type(call("FLOOR", exp.Div(this=moved, expression=exp.convert(MICROS), typed=False, safe=False)), "INT")
    return call("DATE_ADD", as_type(exp.Literal.string("1970-01-01"), "DATE"), days)


class SparkEngine(Engine):
    """The Spark session that is open, or the one that the environment's settings open."""

    dialect = "spark"
    reads_files = True
    words: ClassVar[Words] = {
        "PLUS_DAYS": lambda day, n: call("DATE_ADD", day, n),
        "PLUS_MONTHS": lambda day, n: call("ADD_MONTHS", day, exp.convert(literal(n))),
        "DAYS_BETWEEN": lambda start, end: call("DATEDIFF", end, start),
        "NOT_NAN": lambda x: exp.Case(ifs=[exp.If(this=call("ISNAN", x).not_(), true=x.copy())]),
        "FINITE": same,
        "NO_DAY": lambda day: day.is_(exp.null()),
        "CODE": same,
        "CONTAINS": lambda text, part: call("CONTAINS", text, part),
        "FIRST": _ends("MIN_BY", known=False),
        "LAST": _ends("MAX_BY", known=True),
        "UNBOX": lambda box: exp.Dot(this=box, expression=exp.to_identifier("v")),
        "VALUES": lambda x: call("COLLECT_LIST", x),
        "TOTAL": _total,
        "LOCAL_DAY": _local_day,
        "MATCHES": lambda text, pattern: call("REGEXP_LIKE", text, exp.Literal.string(f"^({pattern.name})$")),
        "ROW_ID": lambda *keys: row_number(*keys) if keys else call("MONOTONICALLY_INCREASING_ID"),
    }

    def __init__(self) -> None:
        try:
            from pyspark.sql import SparkSession
        except ImportError:
            raise DataError("tables in Spark need pyspark. Install it: pip install 'evalkit[spark]'.") from None
        super().__init__()
        self._spark: Any = SparkSession.getActiveSession() or SparkSession.builder.appName("evalkit").getOrCreate()
        self._mark = f"ek_{uuid.uuid4().hex[:8]}_"
        self._made: dict[str, tuple[str, Any]] = {}
        self._csv: list[Path] = []

    def sql(self, query: exp.Expr, pretty: bool = False) -> str:
        """A statement with the session's own tables under their own names, so that two cohorts do not meet."""
        renamed = query.copy()
        for table in renamed.find_all(exp.Table):
            if not table.db and table.name in self._made:
                table.set("this", exp.to_identifier(self._made[table.name][0], quoted=True))
        return super().sql(renamed, pretty)

    def _run(self, text: str) -> Any:
        # Spark would read ${name} in a text as a setting of its own.
        before = self._spark.conf.get(SUBSTITUTE)
        self._spark.conf.set(SUBSTITUTE, "false")
        try:
            return self._spark.sql(text)
        except Exception as error:  # pyspark has many errors of its own
            raise DataError(f"The cohort's rules could not be answered by Spark: {_first(error)}") from None
        finally:
            self._spark.conf.set(SUBSTITUTE, before)

    def fetch(self, query: exp.Expr) -> pd.DataFrame:
        """The rows of a statement, Arrow-backed as those of the other engines."""
        import pandas as pd

        frame = self._run(self.sql(query))
        try:
            return frame.toArrow().to_pandas(types_mapper=pd.ArrowDtype)
        except Exception as error:
            fault = next((f"{path.name}: {found}" for path in self._csv if (found := find_csv_fault(path))), "")
            raise DataError(fault or f"The cohort's rules could not be answered by Spark: {_first(error)}") from None

    def _create(self, name: str, query: exp.Expr) -> None:
        """A view of the session whose rows are kept, so that they are worked out once."""
        frame = self._run(self.sql(query)).persist()
        self._name(name, frame)

    def drop(self, name: str) -> None:
        """Let the rows of a view go; those of views made from it are kept already."""
        if name in self._made:
            self._made[name][1].unpersist()

    def load(self, name: str, columns: Mapping[str, object]) -> None:
        """A DataFrame's columns as a view of the session."""
        import pyarrow as pa

        self._name(name, self._spark.createDataFrame(pa.table(dict(columns))))

    def _name(self, name: str, frame: Any) -> None:
        if name in self._made:
            self._made[name][1].unpersist()
        view = f"{self._mark}{len(self._made) if name not in self._made else self._made[name][0].rsplit('_', 1)[1]}"
        frame.createOrReplaceTempView(view)
        self._made[name] = (view, frame)

    def file(self, path: Path) -> tuple[exp.Expr, exp.Expr, exp.Expr | None]:
        """A file as a view; its rows have no order here."""
        if path.suffix.lower() == ".parquet":
            frame = self._spark.read.parquet(str(path))
        else:
            self._csv.append(path)
            delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
            frame = self._spark.read.csv(
                str(path), header=True, sep=delimiter, escape='"', multiLine=True, mode="FAILFAST"
            )
        self._name(f"file {path}", frame)
        table = exp.to_table(self._made[f"file {path}"][0])
        return table, table, None

    def stored(self, source: exp.Expr) -> dict[str, Stored]:
        """The columns of a table or view."""
        fields = self._run(self.sql(exp.select("*").from_(source).limit(0))).schema.fields
        return {one.name: STORED.get(one.dataType.simpleString().split("(")[0], "other") for one in fields}

    def explain(self, query: exp.Expr) -> str:
        """Spark's plan of a statement."""
        return str(self._run(f"EXPLAIN {self.sql(query)}").collect()[0][0])

    def close(self) -> None:
        """Let go of the session's views; the Spark session is the user's and stays open."""
        for view, frame in self._made.values():
            try:
                frame.unpersist()
                self._spark.catalog.dropTempView(view)
            except Exception:  # the user has stopped the session: nothing is left to let go of
                return
        self._made.clear()


def _first(error: Exception) -> str:
    """The first line of what Spark said, without cells."""
    return without_cells(str(error) or type(error).__name__).rstrip(".") + "."
