"""Where the tables are, and which engine runs the rules there.

A DataFrame is handed to the engine; a csv or parquet file and a table of a database stay where they are. Beside a
database, DataFrames and files are carried into it for the session.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from sqlglot import exp

from evalkit.cohort.engines.base import Engine
from evalkit.cohort.engines.duck import DuckEngine
from evalkit.cohort.held import FrameTable, Held, told_apart
from evalkit.cohort.placed import PlacedTable
from evalkit.errors import DataError, StudyError, did_you_mean, several
from evalkit.study.counted import CohortPlan
from evalkit.study.persons import TableInDatabase
from evalkit.tables.files import csv_header, read_file

Given = Mapping[str, pd.DataFrame | Path | TableInDatabase]
IN_PLACE = (".csv", ".tsv", ".parquet")


def hold(given: Given, plan: CohortPlan, where: str) -> tuple[Engine, dict[str, Held]]:
    """Open the engine and make every table known to it.

    Parameters
    ----------
    given : dict of str to DataFrame, Path or TableInDatabase
        The tables by the names the rules use.
    plan : CohortPlan
        Says who is identified by which column, on whose clock instants are read, and perhaps the engine.
    where : str
        The study or definition, for messages.

    Returns
    -------
    engine : Engine
        Open; whoever asked closes it.
    tables : dict of str to Held
        In the order given.

    Raises
    ------
    StudyError
        The engine named and the tables do not go together, or a database is named wrongly.
    DataError
        A file or a database cannot be read; all of them at once.
    """
    engine = _engine(given, plan, where)
    names, problems, held = told_apart(given), [], {}
    for name, table in given.items():
        try:
            held[name] = _held(name, names[name], table, plan, engine)
        except DataError as error:
            problems.append(f'table "{name}": {error}')
            continue
    if problems:
        engine.close()
        raise DataError(several(where, problems))
    return engine, held


def _engine(given: Given, plan: CohortPlan, where: str) -> Engine:
    """The engine where the tables are: one database, Spark, or DuckDB in this process."""
    urls = {table.database for table in given.values() if isinstance(table, TableInDatabase)}
    kinds = {"spark" if url.split(":")[0] == "spark" else "postgres" for url in urls}
    problems = []
    if len(urls) > 1:
        problems.append(
            f"the tables lie in {len(urls)} databases, and rules run inside one. Bring them together there."
        )
    if plan.engine == "postgres" and kinds != {"postgres"}:
        problems.append(
            'engine = "postgres" and no table lies there. Write { database = "postgresql://...", table = ... }.'
        )
    if plan.engine == "duckdb" and kinds:
        problems.append('engine = "duckdb" and a table lies in a database. Leave engine out.')
    if plan.engine == "spark" and "postgres" in kinds:
        problems.append('engine = "spark" and a table lies in PostgreSQL. Leave engine out, or read it from Spark.')
    if problems:
        raise StudyError(several(where, problems))
    if "postgres" in kinds:
        from evalkit.cohort.engines.postgres import PostgresEngine

        return PostgresEngine(next(iter(urls)))
    if plan.engine == "spark" or "spark" in kinds:
        from evalkit.cohort.engines.spark import SparkEngine

        return SparkEngine()
    return DuckEngine([table for table in given.values() if isinstance(table, Path)])


def _held(name: str, sql: str, table: pd.DataFrame | Path | TableInDatabase, plan: CohortPlan, engine: Engine) -> Held:
    """One table, wherever it is."""
    if isinstance(table, TableInDatabase):
        parts = [exp.to_identifier(part, quoted=True) for part in table.table.split(".")]
        source = exp.Table(**dict(zip(("this", "db", "catalog"), reversed(parts), strict=False)))
        return PlacedTable(name, plan.person, source, engine, zones={"": plan.time_zone})
    if isinstance(table, Path):
        if table.suffix.lower() in IN_PLACE and engine.reads_files:
            return _file(name, table, plan, engine)
        table = read_file(table)
    # Beside a database's own tables, what is carried there has a name that none of them has.
    loaded = sql if isinstance(engine, DuckEngine) else f"_given {sql}"
    return FrameTable(name, plan.person, table, engine, plan.time_zone, sql_table=loaded)


def _file(name: str, path: Path, plan: CohortPlan, engine: Engine) -> PlacedTable:
    """A csv or parquet file, read where it lies."""
    is_csv = path.suffix.lower() != ".parquet"
    if not path.is_file():
        there = path.parent.iterdir() if path.parent.is_dir() else []
        known = [one.name for one in there if one.suffix.lower() in IN_PLACE]
        raise DataError(f"the file is not in the folder: {path.name}. {did_you_mean(path.name, known)}".strip())
    names = csv_header(path) if is_csv else _parquet_schema(path).names
    plain, ordered, place = engine.file(path)
    zones = {"": plan.time_zone or ""} | ({} if is_csv or plan.time_zone else _zones(path))
    return PlacedTable(
        name, plan.person, plain, engine, zones=zones, typed=not is_csv, names=names, ordered=ordered, order=place
    )


def _parquet_schema(path: Path) -> Any:
    import pyarrow.parquet as pq

    try:
        return pq.read_schema(path)
    except Exception as error:  # arrow has errors of its own
        said = str(error).splitlines()[0][:120]
        raise DataError(f"it cannot be read as parquet: {said}. Export it again.") from error


def _zones(path: Path) -> dict[str, str]:
    """The clock of each column of instants, where the file tells."""
    return {field.name: zone for field in _parquet_schema(path) if (zone := getattr(field.type, "tz", None))}
