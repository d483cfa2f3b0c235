"""What a hostile reading found once, each held by a test."""

from __future__ import annotations

import datetime as dt
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evalkit.cohort import select
from evalkit.errors import DataError, EvalkitError, StudyError
from evalkit.study.databases import address_problem

FIXED = {"person": "id", "index": {"date": "2020-01-01"}}
PEOPLE = pd.DataFrame({"id": list("abc")})


@pytest.mark.parametrize("note", [None, "x"])
def test_a_window_over_dates_in_another_order_is_an_error_and_never_silently_no(note):
    visits = pd.DataFrame({"id": ["a", "b"], "seen": ["01/05/2019", "01/06/2019"], "note": [note, note]})
    rules = {"exclude": [{"says": "seen", "rule": "exists(v, days=(-365, 0))"}]}
    with pytest.raises(DataError, match="table v has no column of dates"):
        select({"people": PEOPLE, "v": visits}, FIXED | rules)


def test_with_several_rows_a_person_has_one_arm_at_every_step_and_groups_beside_keep_their_people():
    rows = pd.DataFrame(
        [("p", "2020-01-01", "C"), ("p", "2020-02-01", "A"), ("q", "2020-01-01", "B"), ("r", "2020-01-01", "C")],
        columns=["id", "on", "area"],
    )
    groups = [
        {"id": area, "says": f"area {area}", "kind": "another area", "role": role, "rule": f"area == '{area}'"}
        for area, role in (("A", "treated"), ("B", "comparison"), ("C", "beside"))
    ]
    plan = {"person": "id", "index": {"table": "r", "date": "on", "pick": "first eligible"}, "group": groups}
    cohort = select({"r": rows}, plan)
    for name in ("treated", "comparison", "C"):
        assert cohort.flow[name].is_monotonic_decreasing
    assert cohort.flow.iloc[-1][["treated", "comparison", "C"]].tolist() == [1, 1, 1]
    assert cohort.table["id" if "id" in cohort.table else "person"].tolist() == ["p", "q"]
    assert cohort.beside["person"].tolist() == ["r"]


def test_seventy_groups_are_told_apart():
    rows = pd.DataFrame({"id": [f"p{n}" for n in range(70)], "on": "2020-01-01", "n": range(70)})
    roles = {0: "treated", 1: "comparison"}
    groups = [
        {
            "id": f"g{n}",
            "says": f"number {n}",
            "kind": "another area",
            "role": roles.get(n, "beside"),
            "rule": f"n == {n}",
        }
        for n in range(70)
    ]
    for pick in ("first", "first eligible"):
        flow = select(
            {"r": rows}, {"person": "id", "index": {"table": "r", "date": "on", "pick": pick}, "group": groups}
        )
        assert flow.flow.iloc[-1][["treated", "comparison", "g69"]].tolist() == [1, 1, 1]


def test_whole_numbers_stay_exact_from_every_home(tmp_path):
    numbers = [2**53 + 1, 2**63 - 1, -5]
    people = pd.DataFrame({"id": list("abc"), "n": numbers})
    pq.write_table(pa.Table.from_pandas(people), tmp_path / "people.parquet")
    people.to_csv(tmp_path / "people.csv", index=False)
    for given in (people, tmp_path / "people.parquet", tmp_path / "people.csv"):
        table = select({"people": given}, FIXED | {"columns": {"k": "n"}}).table
        assert table["k"].tolist() == numbers
        assert table["n"].tolist() == numbers


def test_what_becomes_too_large_to_be_exact_is_no_other_number():
    people = pd.DataFrame({"id": ["a"], "n": [10**10]})
    square = select({"people": people}, FIXED | {"columns": {"k": "n * n"}}).table["k"].iloc[0]
    assert square == pytest.approx(1e20)


def test_arrow_backed_frames_answer_as_others_do():
    plain = pd.DataFrame(
        {
            "id": [1.0, 2.0, 3.0],
            "x": [float("nan"), 1.0, -1.0],
            "day": pd.to_datetime(["2019-01-01", None, "2021-01-01"]),
            "n": pd.array([1, None, 3], dtype="Int64"),
            "ok": pd.array([True, None, False], dtype="boolean"),
        }
    )
    arrow = pd.DataFrame(
        {
            "id": pd.array([1.0, 2.0, 3.0], dtype=pd.ArrowDtype(pa.float64())),
            "x": pd.array(pa.array([float("nan"), 1.0, -1.0]), dtype=pd.ArrowDtype(pa.float64())),
            "day": pd.array(
                pa.array([dt.date(2019, 1, 1), None, dt.date(2021, 1, 1)]), dtype=pd.ArrowDtype(pa.date32())
            ),
            "n": pd.array(pa.array([1, None, 3]), dtype=pd.ArrowDtype(pa.int64())),
            "ok": pd.array(pa.array([True, None, False]), dtype=pd.ArrowDtype(pa.bool_())),
        }
    )
    asked = {"columns": {"a": "x > 0", "b": "day < index_date", "c": "n + 1 > 3", "d": "ok"}}
    found, wanted = (select({"people": frame}, FIXED | asked).table for frame in (arrow, plain))
    pd.testing.assert_frame_equal(found[["person", *"abcd"]], wanted[["person", *"abcd"]])


def test_an_unsigned_number_beyond_64_bits_is_no_crash(tmp_path):
    ids = np.array([2**63 + 5, 7], dtype="uint64")
    people = pd.DataFrame({"id": ids, "n": ids})
    pq.write_table(pa.Table.from_pandas(people), tmp_path / "people.parquet")
    for given in (people, tmp_path / "people.parquet"):
        table = select({"people": given}, FIXED | {"columns": {"big": "n > 100"}}).table
        assert table["person"].tolist() == ["7", str(2**63 + 5)]
        assert table["big"].tolist() == [False, True]


def test_an_engines_message_never_quotes_a_cell():
    from evalkit.cohort.engines.base import without_cells

    said = "Conversion Error: Could not convert string 'Jane Doe 1234' to INT32 in column \"note\"\nLINE 1: secret"
    assert without_cells(said) == 'Conversion Error: Could not convert string ... to INT32 in column "note"'
    assert "9223372036854775813" not in without_cells("Type UINT64 with value 9223372036854775813 can't be cast")


def test_a_rare_word_in_the_column_of_the_arm_is_not_told():
    people = pd.DataFrame({"id": range(40), "arm": ["t"] * 10 + ["c"] * 10 + ["pilot"] * 19 + ["Jane Doe"]})
    plan = FIXED | {"arm": {"column": "arm", "treated": "t", "comparison": "c"}}
    text = next(flag.text for flag in select({"people": people}, plan).flags if "neither arm" in flag.text)
    assert '"pilot"' in text
    assert "Jane" not in text
    assert "fewer than 10 rows" in text


def test_groups_told_by_the_future_are_flagged_as_serious():
    visits = pd.DataFrame({"id": ["a"], "seen": ["2020-01-05"]})
    groups = [
        {"id": "t", "says": "came", "kind": "offered", "role": "treated", "rule": "exists(v, days=(0, 90))"},
        {
            "id": "c",
            "says": "did not",
            "kind": "usual services",
            "role": "comparison",
            "rule": "not exists(v, days=(0, 9))",
        },
    ]
    flags = select({"people": PEOPLE, "v": visits}, FIXED | {"group": groups}).flags
    assert [flag.about for flag in flags if flag.level == "serious" and "settled by what happened" in flag.text] == [
        "t",
        "c",
    ]
    plan = {
        "columns": {"came": "exists(v, days=(0, 90))"},
        "arm": {"column": "came", "treated": True, "comparison": False},
    }
    flags = select({"people": PEOPLE, "v": visits}, FIXED | plan).flags
    assert any("settled by what happened" in flag.text for flag in flags)


def test_a_condition_that_ends_on_the_index_date_is_no_look_into_the_future():
    visits = pd.DataFrame({"id": ["a"], "seen": ["2019-12-05"]})
    rule = {"include": [{"says": "seen", "rule": "exists(v, seen <= index_date) or id == 'b'"}]}
    assert not [f for f in select({"people": PEOPLE, "v": visits}, FIXED | rule).flags if "looks past" in f.text]


def test_a_new_column_of_later_does_not_describe_the_start():
    visits = pd.DataFrame({"id": ["a"] * 2, "seen": ["2019-12-05", "2020-02-01"]})
    people = pd.DataFrame({"id": list("abcd"), "arm": ["t", "t", "c", "c"]})
    plan = FIXED | {
        "arm": {"column": "arm", "treated": "t", "comparison": "c"},
        "columns": {"before": "count(v, days=(-99, 0))", "after": "count(v, days=(1, 99))", "ever": "count(v)"},
    }
    cohort = select({"people": people, "v": visits}, plan)
    assert set(cohort.baseline["column"]) == {"before"}
    named = select({"people": people, "v": visits}, plan | {"baseline": ["before", "after"]})
    assert any("Compared at the start, and of a later day: after" in flag.text for flag in named.flags)


def test_only_a_set_of_starters_is_said_to_have_started():
    people = pd.DataFrame({"id": range(60), "sex": ["f", "m"] * 30})
    sets = {"set": [{"id": "girls", "says": "girls", "rule": "sex == 'f'"}], "baseline": ["sex"]}
    assert select({"people": people}, FIXED | sets).selection.empty


@pytest.mark.parametrize("names", [("Visits", "visits"), ("of visits", "visits"), ("_of visits", "_in visits")])
def test_tables_whose_names_are_nearly_alike_are_told_apart(names):
    one = pd.DataFrame({"id": ["a"], "seen": ["2019-12-05"]})
    two = pd.DataFrame({"id": ["b", "b"], "seen": ["2019-12-05", "2019-12-06"]})
    asked = {"columns": {"first": f"count('{names[0]}')", "second": f"count('{names[1]}')"}, "people": "people"}
    table = select({"people": PEOPLE, names[0]: one, names[1]: two}, FIXED | asked).table
    assert table["first"].tolist() == [1, 0, 0]
    assert table["second"].tolist() == [0, 2, 0]


def test_columns_that_stand_twice_in_a_frame_are_an_error():
    with pytest.raises(DataError, match="more than once"):
        select({"people": pd.DataFrame([["a", 1, 2]], columns=["id", "n", "n"])}, FIXED)


def test_columns_named_by_numbers_are_asked_for_by_name():
    people = pd.DataFrame([["a", 5]], columns=["id", 7])
    assert select({"people": people}, FIXED | {"columns": {"x": "column('7')"}}).table["x"].tolist() == [5]


def test_a_date_moved_out_of_the_calendar_is_missing():
    people = pd.DataFrame({"id": ["a"], "n": [2_000_000]})
    moved = select({"people": people}, FIXED | {"columns": {"d": "index_date + n * 2"}}).table["d"]
    assert moved.isna().all()


def test_a_column_that_the_cohort_has_itself_is_not_lost_in_silence():
    people = pd.DataFrame({"id": ["a"], "cluster": ["x"], "team": ["y"]})
    cohort = select({"people": people}, FIXED | {"cluster": "team"})
    assert cohort.table["cluster"].tolist() == ["y"]
    assert any('a column "cluster" of its own' in flag.text for flag in cohort.flags)


def test_one_cohort_can_be_asked_by_several_threads_and_cannot_be_pickled():
    people = pd.DataFrame({"id": [str(n) for n in range(50)], "n": range(50)})
    cohort = select({"people": people}, FIXED)
    with ThreadPoolExecutor(4) as pool:
        sums = list(pool.map(lambda n: int(cohort.rule_answers(f"n < {n}").sum()), range(40)))
    assert sums == list(range(40))
    with pytest.raises(EvalkitError, match="holds an open engine"):
        pickle.dumps(cohort)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:secret@h/db",
        "postgresql://user:secret%40h/db",
        "postgresql://h/db?pass%77ord=hunter2",
        "postgresql://h/db?password=x",
        "postgresql://h/db?service=mine",
        "mysql://h/db",
        "postgresql://",
    ],
)
def test_an_address_that_says_who_asks_is_refused_and_not_repeated(url):
    problem = address_problem(url)
    assert problem
    assert not any(part in problem for part in ("secret", "hunter2", "mine"))
    people = {"database": url, "table": "t"}
    with pytest.raises(StudyError):
        select({"people": people}, FIXED)


def test_plain_addresses_are_fine():
    assert address_problem("spark") == address_problem("postgresql://db.example.org:5432/care?sslmode=require") == ""


def test_many_columns_of_a_csv_file_cost_few_looks_at_it(tmp_path, monkeypatch):
    from evalkit.cohort.engines.duck import DuckEngine

    frame = pd.DataFrame({"id": ["a", "b"], "day": ["2020-01-01", "2019-01-01"]})
    for n in range(30):
        frame[f"c{n}"] = [n, "x"] if n % 2 else [n, n + 1]
    frame.to_csv(tmp_path / "v.csv", index=False)
    looks: list[str] = []
    run = DuckEngine._run

    def counted(self, text, arrow=False):
        looks.append(text)
        return run(self, text, arrow)

    monkeypatch.setattr(DuckEngine, "_run", counted)
    asked = {"people": "people", "columns": {"n": "count(v, days=(-999, 0))"}}
    select({"people": PEOPLE, "v": tmp_path / "v.csv"}, FIXED | asked)
    assert sum("READ_CSV" in text for text in looks) <= 8
