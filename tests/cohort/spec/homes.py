"""Where the tables of a page may live: in memory, in files, in PostgreSQL, in Spark.

The first three are answered by DuckDB. A machine without PostgreSQL or Java skips those homes and says how to get
them; with EVALKIT_TEST_ENGINES=all, as in .ci/run, a missing engine fails instead.
"""

from __future__ import annotations

import functools
import itertools
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

FILES = ("frames", "csv", "parquet")
DATABASES = ("postgres", "spark")
HOMES = (*FILES, *DATABASES)
Tables = dict[str, pa.Table]


def home_params(homes: tuple[str, ...] = HOMES) -> list:
    """One parameter per home; all that needs Spark runs in one worker, which starts it once."""
    return [pytest.param(home, marks=pytest.mark.xdist_group(home) if home == "spark" else ()) for home in homes]


def lacking(engine: str, reason: str) -> None:
    """Skip for want of an engine, or fail where all of them must be there."""
    told = f"{engine} is not here: {reason}"
    if os.environ.get("EVALKIT_TEST_ENGINES") == "all":
        pytest.fail(told)
    pytest.skip(told)


# ---------------------------------------------------------------- memory and files


@contextmanager
def frames(tables: Tables) -> Iterator[dict[str, Any]]:
    """As an evaluator holds them in a notebook."""
    yield {name: table.to_pandas(date_as_object=False) for name, table in tables.items()}


def _written(tables: Tables, suffix: str, write: Callable[[pa.Table, Path], object]) -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder) / f"{name}.{suffix}" for name in tables}
        for name, table in tables.items():
            write(table, paths[name])
        yield {name: str(path) for name, path in paths.items()}


@contextmanager
def csv(tables: Tables) -> Iterator[dict[str, Any]]:
    """Everything as text; an instant in UTC with a Z."""
    yield from _written(tables, "csv", lambda table, path: as_text(table).to_csv(path, index=False))


def as_text(table: pa.Table) -> Any:
    frame = table.to_pandas()
    for field in table.schema:
        if pa.types.is_timestamp(field.type):
            clock = frame[field.name].dt.tz_convert("UTC") if field.type.tz else frame[field.name]
            frame[field.name] = clock.dt.strftime("%Y-%m-%dT%H:%M:%SZ" if field.type.tz else "%Y-%m-%d %H:%M:%S")
        elif pa.types.is_integer(field.type):
            frame[field.name] = table[field.name].to_pandas(integer_object_nulls=True).astype("object")
    return frame


@contextmanager
def parquet(tables: Tables) -> Iterator[dict[str, Any]]:
    """As a statistical office hands them over."""
    import pyarrow.parquet as pq

    yield from _written(tables, "parquet", pq.write_table)


# ---------------------------------------------------------------- PostgreSQL


def postgres_url() -> str:
    """The address of the test database, without user or password: those are in the environment."""
    url = os.environ.get("EVALKIT_TEST_POSTGRES", "")
    if not url:
        how = "apt-get install postgresql, then `. .ci/postgres && start_postgres` in the shell that runs the tests"
        lacking("PostgreSQL", f"EVALKIT_TEST_POSTGRES is not set ({how})")
    return url


POSTGRES_TYPES = {
    pa.int64(): "bigint",
    pa.float64(): "double precision",
    pa.string(): "text",
    pa.large_string(): "text",
    pa.date32(): "date",
    pa.bool_(): "boolean",
}


def postgres_type(kind: pa.DataType) -> str:
    if pa.types.is_timestamp(kind):
        return "timestamptz" if kind.tz else "timestamp"
    return POSTGRES_TYPES[kind]


@contextmanager
def postgres(tables: Tables) -> Iterator[dict[str, Any]]:
    """In a schema of their own, which is dropped afterwards."""
    url = postgres_url()
    import psycopg
    from psycopg import sql

    schema = f"page_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
        try:
            for name, table in tables.items():
                _fill(connection, sql.Identifier(schema, name), table)
            yield {name: {"database": url, "table": f"{schema}.{name}"} for name in tables}
        finally:
            connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))


def _fill(connection: Any, place: Any, table: pa.Table) -> None:
    from psycopg import sql

    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(field.name), sql.SQL(postgres_type(field.type)))
        for field in table.schema
    )
    connection.execute(sql.SQL("CREATE TABLE {} ({})").format(place, columns))
    with connection.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(place)) as rows:
        for row in zip(*(column.to_pylist() for column in table.columns), strict=True):
            rows.write_row(row)


# ---------------------------------------------------------------- Spark


@functools.cache
def spark_session() -> Any:
    """One small local session; ANSI mode and everything else that changes answers stay as Spark ships them."""
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        lacking("Spark", "pip install -r requirements-spark.lock")
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        lacking("Spark", "Java is missing (apt-get install openjdk-17-jre-headless)")
    quiet = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        # Planning for large data, which takes longer than the few rows of a page; it changes no answer.
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "1g",
        # Java compiles quickly rather than well: the session lives for minutes.
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "spark.sql.warehouse.dir": tempfile.mkdtemp(prefix="evalkit-spark-"),
    }
    builder = SparkSession.builder.master("local[2]").appName("evalkit tests")
    for key, value in quiet.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


NUMBERS = itertools.count()
SPARK_TYPES = {
    pa.int64(): "LongType",
    pa.float64(): "DoubleType",
    pa.string(): "StringType",
    pa.date32(): "DateType",
    pa.bool_(): "BooleanType",
}


def spark_schema(table: pa.Table) -> Any:
    """Said beforehand, so that Spark need not read every file twice."""
    from pyspark.sql import types

    def of(kind: pa.DataType) -> str:
        if pa.types.is_timestamp(kind):
            return "TimestampType" if kind.tz else "TimestampNTZType"
        return SPARK_TYPES[kind]

    return types.StructType([types.StructField(field.name, getattr(types, of(field.type))()) for field in table.schema])


@contextmanager
def spark(tables: Tables) -> Iterator[dict[str, Any]]:
    """As views over Parquet files in the active session."""
    session = spark_session()
    views = {name: f"page_{next(NUMBERS)}" for name in tables}
    with parquet(tables) as paths:
        for name, path in paths.items():
            session.read.schema(spark_schema(tables[name])).parquet(path).createOrReplaceTempView(views[name])
        try:
            yield {name: {"database": "spark", "table": view} for name, view in views.items()}
        finally:
            for view in views.values():
                session.catalog.dropTempView(view)


HOLDING = {"frames": frames, "csv": csv, "parquet": parquet, "postgres": postgres, "spark": spark}


def holding(home: str, tables: Tables) -> Any:
    """``with holding("postgres", tables) as sources``: what `select` is given for tables that live there."""
    return HOLDING[home](tables)
