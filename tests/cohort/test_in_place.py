"""Large files stay where they are; many rules cost little; what is smuggled into a rule stays text."""

from __future__ import annotations

import random

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import evalkit
from evalkit.cohort import build, build_cohort, select
from evalkit.errors import DataError, StudyError

ROWS = 50_000


@pytest.fixture(scope="module")
def register(tmp_path_factory):
    """Two thousand people, fifty thousand events, as parquet and as csv."""
    draw = random.Random(7)
    folder = tmp_path_factory.mktemp("register")
    first = pd.Timestamp("2018-01-01")
    people = pd.DataFrame(
        {"person": range(2000), "born": first - pd.to_timedelta([draw.randrange(7000) for _ in range(2000)], "D")}
    )
    referrals = pd.DataFrame({"person": [draw.randrange(2000) for _ in range(3000)]})
    referrals["on"] = first + pd.to_timedelta([draw.randrange(1000) for _ in range(3000)], "D")
    events = pd.DataFrame({"person": [draw.randrange(2000) for _ in range(ROWS)]})
    events["day"] = first + pd.to_timedelta([draw.randrange(-300, 1300) for _ in range(ROWS)], "D")
    events["kind"] = [draw.choice(["visit", "call", "edge", "concern", "court"]) for _ in range(ROWS)]
    events["value"] = [draw.randrange(400) / 4 for _ in range(ROWS)]
    tables = {"people": people, "referrals": referrals, "events": events}
    for name, table in tables.items():
        days = {c: pa.date32() for c in table.columns if table[c].dtype.kind == "M"}
        arrow = pa.Table.from_pandas(table)
        fields = [pa.field(f.name, days.get(f.name, f.type)) for f in arrow.schema]
        pq.write_table(arrow.cast(pa.schema(fields)), folder / f"{name}.parquet", row_group_size=7000)
        table.to_csv(folder / f"{name}.csv", index=False)
    return folder, tables


def rules(many: int) -> dict[str, str]:
    kinds, windows = (
        ["visit", "call", "edge", "concern", "court"],
        ["days=(-365, 0)", "months=(-6, 2)", "days=(-30, 90)"],
    )
    forms = ["count(events, {0})", "exists(events, {0})", "last(events, value, {0})", "mean(events, value, {0})",
             "sum(events, value, {0})", "first(events, day, {0})"]  # fmt: skip
    asked = {}
    for n in range(many):
        window = "" if n % 11 == 10 else f", {windows[n % 3]}"
        asked[f"r{n}"] = forms[n % len(forms)].format(f"kind == '{kinds[(n * 3) % 5]}'{window}")
    return asked | {"rest": "count(events, value > 50)", "twice": "count(events, kind == 'visit' and value > 50)"}


PLAN = {"person": "person", "index": {"table": "referrals", "date": "on"}}


def test_many_rules_over_one_table_answer_as_each_does_alone(register):
    _, tables = register
    asked = rules(26)
    together = select(tables, PLAN | {"columns": asked})
    assert any("part 2" in str(query) for query in together._session.scope.engine.made.values())
    for name, rule in asked.items():
        alone = select(tables, PLAN | {"columns": {name: rule}}).table[name]
        pd.testing.assert_series_equal(together.table[name], alone)


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_files_in_place_answer_as_tables_in_memory_do(register, suffix):
    folder, tables = register
    plan = PLAN | {
        "columns": rules(14) | {"age": "age(born, on)"},
        "include": [{"says": "young", "rule": "age(born, on) < 15"}],
    }
    inside = select({name: folder / f"{name}.{suffix}" for name in tables}, plan)
    memory = select(tables, plan)
    pd.testing.assert_frame_equal(inside.flow, memory.flow)
    pd.testing.assert_frame_equal(inside.table, memory.table, check_dtype=False)
    pd.testing.assert_frame_equal(inside.reasons, memory.reasons)


def test_only_the_rows_of_the_cohort_come_back_from_a_file(register, monkeypatch):
    from evalkit.cohort.engines.duck import DuckEngine

    folder, tables = register
    sizes: list[int] = []
    fetch = DuckEngine.fetch

    def counted(self, query):
        found = fetch(self, query)
        sizes.append(len(found))
        return found

    monkeypatch.setattr(DuckEngine, "fetch", counted)
    plan = PLAN | {"include": [{"says": "concern", "rule": "exists(events, kind == 'concern', days=(-60, 0))"}]}
    cohort = select({name: folder / f"{name}.parquet" for name in tables}, plan)
    assert 0 < len(cohort.table) < 700
    assert max(sizes) <= len(cohort.table)


def test_the_rules_run_inside_by_the_engines_own_plan(register):
    folder, tables = register
    plan = PLAN | {"columns": {"seen": "count(events, kind == 'visit', days=(-60, 0))"}}
    cohort = select({name: folder / f"{name}.parquet" for name in tables}, plan)
    engine = cohort._session.scope.engine
    plan_of_answers = engine.explain(engine.made["_answers"])
    assert "HASH_GROUP_BY" in plan_of_answers.upper().replace(" ", "_")
    assert "READ_PARQUET" in plan_of_answers.upper()


def test_a_study_leaves_large_files_in_place_and_small_ones_are_read_whole(register, make_study, monkeypatch):
    _, tables = register
    text = """
        [tables]
        people = "people.csv"
        referrals = "referrals.csv"
        events = "events.csv"
        [cohort]
        person = "person"
        index = { table = "referrals", date = "on" }
        [[cohort.include]]
        says = "a concern"
        rule = "exists(events, kind == 'concern', days=(-60, 0))"
    """
    study = evalkit.read_study(make_study(text, **tables))
    whole = build_cohort(study)
    monkeypatch.setattr(build, "LARGE", 100_000)
    assert set(build.in_place(study)) == {"events"}
    placed = build_cohort(study)
    pd.testing.assert_frame_equal(placed.flow, whole.flow)
    pd.testing.assert_frame_equal(placed.table, whole.table)
    theirs = placed.tables["events"]
    assert set(theirs["person"]) <= set(placed.table["person"])
    assert placed.tables.rows()["events"] == ROWS


@pytest.mark.parametrize("row_group", [1, 100])
def test_rows_with_no_day_or_an_endless_one_are_told_of_a_file(tmp_path, row_group):
    path = tmp_path / "visits.parquet"
    with duckdb.connect() as engine:
        days = "unnest(['2020-03-01', 'infinity', null, '-infinity', '2020-04-01']::timestamp[]) as seen"
        rows = f"select unnest(['a', 'a', 'b', 'b', 'b']) as person, {days}"
        engine.execute(f"copy (select * from ({rows}), range(10)) to '{path}' (row_group_size {row_group})")
    people = pd.DataFrame({"person": ["a", "b"]})
    plan = {"person": "person", "people": "people", "index": {"date": "2020-01-01"}}
    cohort = select({"people": people, "visits": path}, plan | {"columns": {"n": "count(visits, days=(0, 365))"}})
    assert "In table visits, 30 rows have no date in seen." in [flag.text for flag in cohort.flags]
    assert cohort.table["n"].tolist() == [10, 10]


@pytest.mark.parametrize(
    ("content", "finding"),
    [
        ("person,day\n1,2020-01-01\n2\n", "row 3"),
        ("person;day\n1;2020-01-01\n", "semicolons"),
        ("person,day,day\n1,2020-01-01,x\n", "more than once"),
        ("", "the file is empty"),
        ("\x89PNG\r\n", "PNG image"),
    ],
)
def test_a_csv_file_that_is_none_is_one_clear_error(tmp_path, content, finding):
    path = tmp_path / "events.csv"
    path.write_bytes(content.encode("latin-1"))
    people = pd.DataFrame({"person": ["1"]})
    plan = {"person": "person", "people": "people", "index": {"date": "2020-01-01"}, "columns": {"n": "count(events)"}}
    with pytest.raises(DataError) as caught:
        select({"people": people, "events": path}, plan)
    assert finding in str(caught.value)
    assert 'table "events"' in str(caught.value) or "table events" in str(caught.value)


def test_a_parquet_file_that_is_none_is_one_clear_error(tmp_path):
    path = tmp_path / "events.parquet"
    path.write_text("person,day\n")
    with pytest.raises(DataError, match='table "events"'):
        select({"events": path}, {"person": "person", "index": {"date": "2020-01-01"}})


def test_a_file_that_is_not_there_is_one_clear_error(tmp_path):
    with pytest.raises(DataError, match="the file is not in the folder"):
        select({"events": tmp_path / "events.parquet"}, {"person": "person", "index": {"date": "2020-01-01"}})


def test_what_does_not_fit_into_memory_is_put_aside_privately_and_removed(register, monkeypatch, tmp_path):
    import stat
    import tempfile

    from evalkit.cohort.engines.duck import DuckEngine

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "evalkit-left").mkdir()
    engine = DuckEngine()
    engine._run("SET memory_limit = '40MB'")
    engine._run("SET threads = 1")
    engine._run("CREATE TEMP TABLE t AS SELECT range AS a, md5(range::TEXT) AS b FROM range(1500000)")
    home = next(path for path in tmp_path.iterdir() if path.name != "evalkit-left")
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert any(path.is_file() for path in home.rglob("*"))
    engine.close()
    assert not any(path.is_file() for path in home.rglob("*"))


def test_what_a_killed_process_left_aside_is_swept(monkeypatch, tmp_path):
    import tempfile

    from evalkit.cohort.engines.aside import place_aside

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = place_aside().parent / "999999999-dead"
    left.mkdir()
    (left / "rows").write_text("personal")
    mine = place_aside()
    mine.mkdir()
    place_aside()
    assert not left.exists()
    assert mine.exists()


SMUGGLED = ['x"; DROP TABLE people; --', "x'); DROP TABLE people; --", "x /* */ ; SELECT 1", "${x}", "x\\"]


@pytest.mark.parametrize("text", SMUGGLED)
def test_sql_in_a_name_a_value_or_a_rule_is_only_text(text):
    people = pd.DataFrame({"person": ["a", "b"], text: [1, 2], "word": [text, "other"]})
    plan = {"person": "person", "index": {"date": "2020-01-01"}}
    asked = {"columns": {"one": f"column({text!r})", "same": f"word == {text!r}"}, "cluster": text}
    cohort = select({"people": people}, plan | asked)
    assert cohort.table["one"].tolist() == [1, 2]
    assert cohort.table["same"].tolist() == [True, False]
    assert select({text: people}, plan).table["person"].tolist() == ["a", "b"]
    arm = {"arm": {"column": "word", "treated": text, "comparison": "other"}}
    assert select({"people": people}, plan | arm).table["treated"].tolist() == [1, 0]


@pytest.mark.parametrize(
    "rule",
    [
        "__import__('os').system('true') == 0",
        "eval('1') == 1",
        "open('/etc/passwd') == 1",
        "exists(read_csv('/etc/passwd'))",
        "().__class__.__bases__ == 1",
        "exists(people, person == 'a'); drop table people",
        "1 == 1 -- comment",
        "(select 1) == 1",
        "getattr(person, 'x') == 1",
        "[p for p in person] == 1",
    ],
)
def test_python_or_sql_in_a_rule_is_refused_and_never_run(rule):
    people = pd.DataFrame({"person": ["a"]})
    plan = {"person": "person", "index": {"date": "2020-01-01"}}
    with pytest.raises(StudyError):
        select({"people": people}, plan | {"include": [{"says": "x", "rule": rule}]})


def test_no_other_file_can_be_read_by_the_engine(tmp_path):
    (tmp_path / "secret.csv").write_text("a\n1\n")
    cohort = select({"people": pd.DataFrame({"person": ["a"]})}, {"person": "person", "index": {"date": "2020-01-01"}})
    with pytest.raises(DataError):
        cohort._session.scope.engine._run(f"SELECT * FROM read_csv('{tmp_path}/secret.csv')")


# ---------------------------------------------------------------- flags


def flags_of(rule: str, kind: str = "include", followed: dict | None = None) -> list[str]:
    people = pd.DataFrame({"person": ["a", "b"], "sex": ["f", "m"], "died": ["2021-01-01", None]})
    visits = pd.DataFrame({"person": ["a", "b"], "seen": ["2020-01-01", "2020-01-02"]})
    plan = {"person": "person", "index": {"date": "2020-01-01"}, kind: [{"says": "the rule", "rule": rule}]}
    plan |= {"followed": followed} if followed else {}
    return [flag.text for flag in select({"people": people, "visits": visits}, plan).flags]


@pytest.mark.parametrize(
    ("rule", "reach"),
    [
        ("exists(visits, days=(-9, 90))", "up to 90 days after it"),
        ("exists(visits, months=(-9, 3))", "up to 3 months after it"),
        ("exists(visits, days=(-9, None))", "without an end"),
        ("exists(visits)", "without an end"),
    ],
)
def test_a_rule_that_looks_into_the_future_is_flagged(rule, reach):
    assert f'The rule "the rule" looks past the index date, {reach}.' in flags_of(rule)


def test_a_rule_that_looks_back_is_not_flagged_for_it():
    assert not [text for text in flags_of("exists(visits, days=(-9, 1)) or sex == 'f'") if "without" in text]
    assert not [text for text in flags_of("count(visits, days=(-9, 0)) < 5 and sex == 'f'") if "looks past" in text]


def test_follow_up_against_death_is_immortal_time_and_against_the_end_of_the_data_is_not():
    told = flags_of("followed(days=366) or sex == 'm'", followed={"until": ["2022-12-31", "died"]})
    assert 'The rule "the rule" looks past the index date, up to 366 days after it.' in told
    told = flags_of("followed(days=366) and sex == 'm'", followed={"until": ["2022-12-31"]})
    assert not [text for text in told if "looks past" in text]


def test_a_rule_that_is_always_true_or_asks_nothing_is_flagged():
    assert 'The rule "the rule" is always true: nobody is left out by it.' in flags_of("sex in ('f', 'm')")
    assert 'The rule "the rule" is never true: nobody is left out by it.' in flags_of("sex == 'x'", "exclude")
    assert any("names no column and no table" in text for text in flags_of("1 < 2"))


def test_followed_without_its_limits_says_what_to_write():
    with pytest.raises(StudyError, match=r"needs \[cohort.followed\]"):
        flags_of("followed(days=365)")
    with pytest.raises(StudyError, match="lacks since"):
        flags_of("followed(days=-365)", followed={"until": ["2022-12-31"]})
