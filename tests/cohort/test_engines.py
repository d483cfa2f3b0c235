"""Rules run where the tables are: only the cohort's rows come back, and no password is ever told."""

from __future__ import annotations

import os
import re
import shutil
import socket
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from evalkit.cohort import Cohort, select
from evalkit.errors import DataError, StudyError
from tests.cohort.spec.homes import holding, lacking, postgres_url, spark_session

ROOT = Path(__file__).parents[2]
SECRET = "never-told-7f3a"
DEFINITION = {
    "person": "person",
    "index": {"date": "2020-03-31"},
    "include": [
        {"says": "lives in area 7", "rule": "area == 7"},
        {"says": "seen three times in a year", "rule": "count(visits, days=(-365, 0)) >= 3"},
    ],
    "columns": {
        "longest": "last(visits, minutes, minutes >= 30)",
        "minutes_all": "sum(visits, minutes, months=(-6, 0))",
    },
}


def town(people: int = 1000, visits: int = 20_000) -> dict[str, pa.Table]:
    """People in fifty areas, each with some twenty visits over four years: 20 live in area 7."""
    numbers = range(visits)
    first = pd.Timestamp("2018-01-01")
    days = [(first + pd.Timedelta(days=(n * 7919) % 1461)).date() for n in numbers]
    return {
        "people": pa.table({"person": [f"p{n:05d}" for n in range(people)], "area": [n % 50 for n in range(people)]}),
        "visits": pa.table(
            {
                "person": [f"p{(n * 31) % people:05d}" for n in numbers],
                "date": pa.array(days, type=pa.date32()),
                "minutes": [(n * 13) % 60 for n in numbers],
            }
        ),
    }


def everything_told(cohort: Cohort) -> str:
    """All that a cohort says of itself, in print or in a table."""
    tables = [cohort.flow, cohort.reasons, cohort.table, cohort.sql, cohort.sets, cohort.drift, cohort.windows]
    engine = cohort._session.scope.engine
    shown = [repr(cohort), cohort._repr_html_(), repr(vars(cohort)), repr(engine), *map(str, cohort.flags)]
    return "\n".join([*shown, *(table.to_csv() for table in tables)])


def told_by(error: BaseException) -> str:
    """An error with all that led to it, as a traceback prints it, and with what it holds."""
    found = []
    while error is not None:
        found += [*traceback.format_exception(error), repr(error), repr(vars(error))]
        error = error.__cause__ or error.__context__
    return "\n".join(found)


def sources(url: str, *tables: str) -> dict[str, Any]:
    return {name: {"database": url, "table": f"public.{name}"} for name in tables}


# ---------------------------------------------------------------- what comes back


@pytest.fixture
def rows_sent(monkeypatch) -> list[tuple[int, str]]:
    """How many rows PostgreSQL sent for each statement, by whatever way they were asked for."""
    import psycopg

    sent: list[tuple[int, str]] = []
    execute, copied = psycopg.Cursor.execute, psycopg.Copy.read

    def counted(self, query, *args, **kwargs):
        found = execute(self, query, *args, **kwargs)
        sent.append((self.pgresult.ntuples if self.pgresult else 0, str(query)))
        return found

    def counted_copy(self):
        data = copied(self)
        sent.append((bytes(data).count(b"\n"), "COPY"))
        return data

    monkeypatch.setattr(psycopg.Cursor, "execute", counted)
    monkeypatch.setattr(psycopg.Copy, "read", counted_copy)
    return sent


def test_only_the_rows_of_the_cohort_come_back_from_postgresql(rows_sent):
    with holding("postgres", town()) as inside:
        rows_sent.clear()
        cohort = select(inside, DEFINITION)
    assert 10 <= len(cohort.table) <= 20
    assert rows_sent, "no statement was seen"
    assert max(rows_sent)[0] <= len(cohort.table), max(rows_sent)


def test_postgresql_and_memory_find_the_same_cohort():
    with holding("postgres", town()) as inside, holding("frames", town()) as frames:
        found, expected = select(inside, DEFINITION), select(frames, DEFINITION)
    pd.testing.assert_frame_equal(found.table, expected.table)
    pd.testing.assert_frame_equal(found.flow, expected.flow)
    pd.testing.assert_frame_equal(found.reasons, expected.reasons)


def test_an_endless_day_in_postgresql_is_no_day():
    import psycopg

    with holding("postgres", town(50, 200)) as inside:
        schema, name = inside["visits"]["table"].split(".")
        with psycopg.connect(postgres_url(), autocommit=True) as connection:
            table = psycopg.sql.SQL("UPDATE {} SET date = %s WHERE minutes = %s").format(
                psycopg.sql.Identifier(schema, name)
            )
            endless = [
                connection.execute(table, pair).rowcount for pair in (("infinity", 0), ("-infinity", 13), (None, 26))
            ]
        cohort = select(inside, DEFINITION | {"include": [], "columns": {"n": "count(visits, days=(-9999, 9999))"}})
    assert min(endless) > 0
    assert cohort.table["n"].sum() == 200 - sum(endless)
    assert f"In table visits, {sum(endless)} rows have no date in date." in [flag.text for flag in cohort.flags]


@pytest.fixture
def plans(monkeypatch) -> list[str]:
    """How the engine itself says it will answer each statement, just before it does."""
    from evalkit.cohort.engines.postgres import PostgresEngine
    from evalkit.cohort.engines.spark import SparkEngine

    told: list[str] = []
    for engine in (PostgresEngine, SparkEngine):
        fetch, make = engine.fetch, engine.make
        monkeypatch.setattr(engine, "fetch", lambda self, q, do=fetch: told.append(self.explain(q)) or do(self, q))
        monkeypatch.setattr(
            engine, "make", lambda self, name, q, do=make: told.append(self.explain(q)) or do(self, name, q)
        )
    return told


def test_postgresqls_own_plan_aggregates_the_visits_inside(plans):
    with holding("postgres", town()) as inside:
        select(inside, DEFINITION)
    on_visits = [plan for plan in plans if "Scan on visits" in plan]
    assert on_visits, plans
    # Every statement that reads the visits sums them up, or looks at one row to see what a column holds.
    assert [plan for plan in on_visits if not re.search("Aggregate|Limit", plan)] == []
    assert any(re.search(r"(Hash|Group)Aggregate", plan) for plan in on_visits), on_visits


def test_nothing_stays_behind_in_postgresql():
    import psycopg

    seen = (
        "SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'v', 'm', 'S') "
        "AND relnamespace::regnamespace::text !~ '^(pg_|information_schema|page_)'"
    )
    with holding("postgres", town(50, 200)) as inside, psycopg.connect(postgres_url(), autocommit=True) as connection:
        before = connection.execute(seen).fetchone()
        inside_before = pg_tables(connection, inside)
        select(inside, {**DEFINITION, "include": DEFINITION["include"][:1]})
        assert connection.execute(seen).fetchone() == before
        assert pg_tables(connection, inside) == inside_before == ["people", "visits"]


def pg_tables(connection: Any, inside: dict[str, Any]) -> list[str]:
    schema = inside["people"]["table"].split(".")[0]
    found = connection.execute("SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace", [schema])
    return sorted(row[0] for row in found.fetchall())


def test_somebody_who_may_only_read_can_count_a_cohort():
    import psycopg

    with holding("postgres", town(50, 200)) as inside, psycopg.connect(postgres_url(), autocommit=True) as connection:
        schema = inside["people"]["table"].split(".")[0]
        for table in ("people", "visits"):
            connection.execute(f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON {schema}.{table} FROM CURRENT_USER")
        connection.execute(f"REVOKE CREATE ON SCHEMA {schema} FROM CURRENT_USER")
        assert len(select(inside, {**DEFINITION, "include": DEFINITION["include"][:1]}).table) == 1


def test_sql_in_the_name_of_a_table_is_a_name_of_no_table():
    smuggled = 'people"; DROP TABLE people; --'
    with holding("postgres", town(50, 200)) as inside:
        schema = inside["people"]["table"].split(".")[0]
        bad = {**inside, "visits": {**inside["visits"], "table": f"{schema}.{smuggled}"}}
        with pytest.raises((DataError, StudyError)):
            select(bad, DEFINITION)
        assert len(select(inside, {**DEFINITION, "include": DEFINITION["include"][:1]}).table) == 1


@pytest.mark.xdist_group("spark")
def test_only_the_rows_of_the_cohort_come_back_from_spark(monkeypatch):
    spark_session()
    from pyspark.sql.classic.dataframe import DataFrame

    sent = []
    for name in ("collect", "toPandas", "toArrow", "take", "tail", "toLocalIterator"):
        real = getattr(DataFrame, name)

        def counted(self, *args, real=real, name=name, **kwargs):
            found = real(self, *args, **kwargs)
            found = list(found) if name == "toLocalIterator" else found
            sent.append(len(found))
            return found

        monkeypatch.setattr(DataFrame, name, counted)
    with holding("spark", town()) as inside:
        cohort = select(inside, DEFINITION)
    assert 10 <= len(cohort.table) <= 20
    assert sent, "no answer was seen"
    assert max(sent) <= len(cohort.table)
    with holding("frames", town()) as frames:
        expected = select(frames, DEFINITION)
    pd.testing.assert_frame_equal(cohort.table, expected.table)
    pd.testing.assert_frame_equal(cohort.flow, expected.flow)


@pytest.mark.xdist_group("spark")
def test_sparks_own_plan_aggregates_the_visits_inside(plans):
    spark_session()
    with holding("spark", town()) as inside:
        select(inside, DEFINITION)
    assert any("Aggregate" in plan and "minutes" in plan for plan in plans), plans


# ---------------------------------------------------------------- no password is told


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://reader:{SECRET}@127.0.0.1:1/base",
        f"postgresql://:{SECRET}@127.0.0.1:1/base",
        f"postgres://reader:{SECRET}@127.0.0.1:1/base",
        f"postgresql://127.0.0.1:1/base?password={SECRET}",
        f"postgresql://127.0.0.1:1/base?user=reader&password={SECRET}",
        f"postgresql://127.0.0.1:1/base?passfile=/tmp/{SECRET}",
        f"host=127.0.0.1 password={SECRET}",
        f"postgresql://127.0.0.1:1/base?sslpassword={SECRET}",
    ],
    ids=range(8),
)
def test_credentials_in_an_address_are_refused_and_not_repeated(url):
    with pytest.raises(StudyError) as refused:
        select(sources(url, "people"), {"person": "person", "index": {"date": "2020-03-31"}})
    assert "PGPASSWORD" in str(refused.value) or "environment" in str(refused.value)
    assert SECRET not in told_by(refused.value)


def test_a_cohort_from_postgresql_never_tells_the_password():
    with holding("postgres", town(50, 200)) as inside:
        cohort = select(inside, {**DEFINITION, "include": DEFINITION["include"][:1]})
    assert os.environ["PGPASSWORD"] not in everything_told(cohort)


def test_an_error_of_postgresql_never_tells_the_password():
    with holding("postgres", town(50, 200)) as inside:
        bad = {**inside, "visits": {**inside["visits"], "table": "public.no_such_table"}}
        with pytest.raises((DataError, StudyError)) as failed:
            select(bad, DEFINITION)
    assert "no_such_table" in str(failed.value)
    assert os.environ["PGPASSWORD"] not in told_by(failed.value)


def test_a_wrong_password_is_one_clear_error(monkeypatch):
    url = postgres_url()
    monkeypatch.setenv("PGPASSWORD", SECRET)
    with pytest.raises(DataError) as failed:
        select(sources(url, "people", "visits"), DEFINITION)
    assert "PGPASSWORD" in str(failed.value) or "password" in str(failed.value)
    assert SECRET not in told_by(failed.value)


# ---------------------------------------------------------------- a server that is down, or gives up


@pytest.fixture
def closed_door(monkeypatch) -> Iterator[tuple[str, list[int]]]:
    """An address that hangs up on everybody, and how often somebody called."""
    pytest.importorskip("psycopg", reason="psycopg is not here: pip install evalkit[postgres]")
    monkeypatch.setenv("PGUSER", "reader")
    monkeypatch.setenv("PGPASSWORD", SECRET)
    monkeypatch.setenv("PGSSLMODE", "disable")
    monkeypatch.setenv("PGGSSENCMODE", "disable")
    calls: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        server.settimeout(0.1)
        done = threading.Event()

        def hang_up() -> None:
            while not done.is_set():
                try:
                    caller, _ = server.accept()
                except TimeoutError:
                    continue
                calls.append(port)
                caller.close()

        answering = threading.Thread(target=hang_up)
        answering.start()
        yield f"postgresql://127.0.0.1:{port}/base", calls
        done.set()
        answering.join()


def test_a_server_that_is_down_is_asked_twice_and_told_once(closed_door):
    url, calls = closed_door
    with pytest.raises(DataError) as failed:
        select(sources(url, "people", "visits"), DEFINITION)
    assert len(calls) == 2
    assert url in str(failed.value)
    assert str(failed.value).count("does not answer") == 1
    assert SECRET not in told_by(failed.value)


def test_nothing_is_written_when_the_server_is_down(closed_door, tmp_path, monkeypatch, capsys):
    from evalkit import cli

    url, _ = closed_door
    folder = tmp_path / "data" / "raw" / "town"
    folder.mkdir(parents=True)
    (folder / "study.toml").write_text(
        f"""
[study]
id = "town"
title = "A town"
kind = "synthetic"
price_year = 2023

[tables]
people = {{ database = "{url}", table = "public.people" }}

[cohort]
person = "person"
index = {{ date = 2020-03-31 }}
""",
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    for words in (("cohort", str(folder)), ("check", str(folder))):
        with pytest.raises(SystemExit) as ended:
            cli.main(words)
        told = capsys.readouterr()
        assert ended.value.code not in (0, None)
        assert "127.0.0.1" in told.out + told.err
        assert "Traceback" not in told.out + told.err
        assert SECRET not in told.out + told.err
    assert sorted(tmp_path.rglob("*")) == before


def test_a_statement_that_the_server_gives_up_is_one_clear_error(monkeypatch):
    with holding("postgres", town()) as inside:
        monkeypatch.setenv("PGOPTIONS", "-c statement_timeout=1ms")
        with pytest.raises(DataError) as failed:
            select(inside, DEFINITION)
    assert "timeout" in str(failed.value)
    assert os.environ["PGPASSWORD"] not in told_by(failed.value)


def test_tables_in_two_databases_are_refused():
    one, two = (sources(f"postgresql://{host}/base", name) for host, name in (("a", "people"), ("b", "visits")))
    with pytest.raises(StudyError, match="2 databases"):
        select(one | two, DEFINITION)


# ---------------------------------------------------------------- how the tests themselves find the engines


def test_a_missing_engine_fails_where_all_must_be_there(monkeypatch):
    monkeypatch.setenv("EVALKIT_TEST_ENGINES", "all")
    with pytest.raises(pytest.fail.Exception, match="apt-get install"):
        lacking("PostgreSQL", "apt-get install postgresql")
    monkeypatch.delenv("EVALKIT_TEST_ENGINES")
    with pytest.raises(pytest.skip.Exception, match="apt-get install"):
        lacking("PostgreSQL", "apt-get install postgresql")


def test_what_spark_needs_is_locked_in_the_same_versions_as_the_rest():
    def pins(name: str) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
            if pin := re.match(r"([A-Za-z0-9_.\-]+)==(\S+)", line):
                found.setdefault(pin[1], set()).add(pin[2])
        return found

    everything, spark = pins("requirements.lock"), pins("requirements-spark.lock")
    assert {name: spark[name] for name in spark if everything.get(name, spark[name]) != spark[name]} == {}
    assert set(spark) - set(everything) == {"py4j", "pyspark"}


# ---------------------------------------------------------------- the whole walk


def test_a_study_whose_tables_lie_in_postgresql_is_evaluated_as_from_its_files(tmp_path):
    """Cohort, outcomes, effects and money of the demonstration study, with every table of people in the database."""
    from evalkit import evaluate, read_study
    from evalkit.tables import read_tables

    source = ROOT / "data" / "raw" / "edge_of_care"
    shutil.copytree(source, tmp_path / "raw" / "edge_of_care")
    folder = tmp_path / "raw" / "edge_of_care"
    study = read_study(folder)
    tables = {name: pa.Table.from_pandas(days_as_dates(frame)) for name, frame in read_tables(study).items()}
    whole = evaluate(study)
    text = (folder / "study.toml").read_text(encoding="utf-8")
    with holding("postgres", tables) as inside:
        for name, file in study.tables.items():
            place = f'{{ database = "{inside[name]["database"]}", table = "{inside[name]["table"]}" }}'
            text = re.sub(rf'^{name} = "{re.escape(str(file))}"', f"{name} = {place}", text, flags=re.MULTILINE)
            (folder / str(file)).unlink()
        (folder / "study.toml").write_text(text, encoding="utf-8")
        found = evaluate(folder)
        pd.testing.assert_frame_equal(found.cohort.flow, whole.cohort.flow)
        pd.testing.assert_frame_equal(found.outcomes.table, whole.outcomes.table, check_dtype=False)
        pd.testing.assert_frame_equal(found.effects.table, whole.effects.table, check_dtype=False)
        pd.testing.assert_frame_equal(found.contract.table, whole.contract.table, check_dtype=False)
        assert set(found.cohort.tables["referrals"]["person_id"]) == set(found.cohort.table["person"])


def days_as_dates(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(**{name: frame[name].dt.date for name in frame.select_dtypes("datetime")})
