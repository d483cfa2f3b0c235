"""Reading tables: what a file's columns become, and what one is told when a file is not what the plan needs."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from evalkit.errors import DataError
from evalkit.study import read_study
from evalkit.tables import read_csv_checked, read_tables
from evalkit.tables.rows import as_rows

PLAN = """
[tables]
people = "people.csv"

[cohort]
person = "person_id"
index = { table = "people", date = "started" }
arm = { column = "arm", treated = "new", comparison = "old" }

[[measure]]
id = "score"
column = "score"
"""

PEOPLE = """
    person_id,started,arm,score,note
    007,2020-01-31,new,3,"a, quoted"
    012,2020-02-29,old,4.5,
    103,2020-03-01,old,,plain
"""

OTHER_FILE = PLAN.replace('"people.csv"', "{file}")


def read(make_study, plan=PLAN, **tables):
    return read_tables(read_study(make_study(plan, **tables)))


def problems(make_study, plan=PLAN, **tables):
    """The numbered problems of tables that cannot be read."""
    with pytest.raises(DataError) as caught:
        read(make_study, plan, **tables)
    return [line.strip().split(". ", 1)[1] for line in str(caught.value).splitlines()[1:]]


def test_each_column_becomes_what_its_values_are(make_study):
    people = read(make_study, people=PEOPLE)["people"]
    assert list(people.columns) == ["person_id", "started", "arm", "score", "note"]
    assert people["person_id"].tolist() == ["007", "012", "103"]
    assert people["started"].tolist() == [
        pd.Timestamp(2020, 1, 31),
        pd.Timestamp(2020, 2, 29),
        pd.Timestamp(2020, 3, 1),
    ]
    assert people["score"].tolist()[:2] == [3.0, 4.5]
    assert people["note"].tolist()[0] == "a, quoted"
    assert people.isna().sum().to_dict() == {"person_id": 0, "started": 0, "arm": 0, "score": 1, "note": 1}


def test_what_a_column_of_text_becomes(grid, make_study):
    def kind(row):
        cells = "\n".join(f'{number},2020-01-01,new,1,"{cell}"' for number, cell in enumerate(row.cells.split()))
        frame = read(make_study, people="person_id,started,arm,score,x\n" + cells.replace("~", ""))["people"]
        return str(frame["x"].dtype).removesuffix("[us]")

    grid(
        """
        cells                        | becomes
        1 2 ~                        | float64
        1 2 3                        | int64
        1.5 2 3                      | float64
        1 2 NA                       | float64
        007 012                      | str
        12 12A                       | str
        1,234 5                      | str
        2020-01-31 2020-02-29        | datetime64
        2020-01-31 soon              | str
        31/01/2020 01/02/2020        | str
        1.5 2.5 0.0                  | float64
        True False                   | bool
        true ~                       | boolean
        ~ ~                          | float64
        inf 3                        | str
        """,
        kind,
        "becomes",
    )


def test_a_person_is_text_in_every_table_and_every_kind_of_file(make_study, tmp_path):
    plan = PLAN.replace('"people.csv"', '"people.csv"\nvisits = "visits.parquet"')
    folder = make_study(plan, people=PEOPLE.replace("007", "7").replace("012", "12"))
    pd.DataFrame({"person_id": [7, 12], "seen": [1.5, 2.5]}).to_parquet(folder / "visits.parquet")
    tables = read_tables(read_study(folder))
    assert tables["people"]["person_id"].tolist() == ["7", "12", "103"]
    assert tables["visits"]["person_id"].tolist() == ["7", "12"]


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet", "xlsx", "sav", "dta"])
def test_the_same_table_from_any_kind_of_file_is_the_same(suffix, make_study):
    frame = pd.DataFrame(
        {
            "person_id": ["1", "2", "30"],
            "started": ["2020-01-31"] * 3,
            "arm": ["new", "old", "old"],
            "score": [1.5, 2, 3],
        }
    )
    folder = make_study(PLAN.replace("people.csv", f"people.{suffix}"))
    file = folder / f"people.{suffix}"
    if suffix == "sav":
        import pyreadstat

        pyreadstat.write_sav(frame.astype(object), file)
    elif suffix == "dta":
        frame.astype({"person_id": object, "started": object, "arm": object}).to_stata(file, write_index=False)
    elif suffix in ("csv", "tsv"):
        frame.to_csv(file, index=False, sep="\t" if suffix == "tsv" else ",")
    else:
        getattr(frame, {"parquet": "to_parquet", "xlsx": "to_excel"}[suffix])(file, index=False)
    people = read_tables(read_study(folder))["people"]
    assert people["person_id"].tolist() == ["1", "2", "30"]
    assert people["started"].tolist() == [pd.Timestamp(2020, 1, 31)] * 3
    assert people["score"].tolist() == [1.5, 2.0, 3.0]


def test_a_sheet_is_found_by_its_name_and_a_wrong_name_lists_the_sheets(make_study):
    plan = OTHER_FILE.replace("{file}", '{ file = "book.xlsx", sheet = "SHEET" }')
    frame = pd.DataFrame({"person_id": [1], "started": [dt.datetime(2020, 1, 31)], "arm": ["new"], "score": [1]})
    folder = make_study(plan.replace("SHEET", "wave 2"))
    with pd.ExcelWriter(folder / "book.xlsx") as book:
        pd.DataFrame({"x": [1]}).to_excel(book, sheet_name="wave 1", index=False)
        frame.to_excel(book, sheet_name="wave 2", index=False)
    people = read_tables(read_study(folder))["people"]
    assert people["person_id"].tolist() == ["1"]
    assert people["started"].tolist() == [pd.Timestamp(2020, 1, 31)]
    make_study(plan.replace("SHEET", "wave 3"))
    with pytest.raises(DataError, match=r'there is no sheet "wave 3"\. The file has: wave 1, wave 2'):
        read_tables(read_study(folder))


def test_a_byte_order_mark_and_spaces_do_no_harm(make_study):
    folder = make_study(PLAN, people=PEOPLE)
    file = folder / "people.csv"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b",new,", b", new ,").replace(b"\n", b"\r\n"))
    people = read_tables(read_study(folder))["people"]
    assert people.columns[0] == "person_id"
    assert people["arm"].tolist() == ["new", "old", "old"]


def test_only_the_tables_asked_for_are_read(make_study):
    plan = PLAN.replace('"people.csv"', '"people.csv"\nbroken = "broken.csv"')
    study = read_study(make_study(plan, people=PEOPLE, broken="nothing"))
    assert list(read_tables(study, ["people"])) == ["people"]
    with pytest.raises(DataError, match='table "broken"'):
        read_tables(study)
    with pytest.raises(DataError, match=r'"poeple": the study has no such table\. Did you mean "people"'):
        read_tables(study, ["poeple"])


def test_a_table_in_a_database_is_refused_in_plain_words(make_study):
    plan = OTHER_FILE.replace("{file}", '{ database = "postgresql://host/base", table = "s.people" }')
    found = problems(make_study, plan)
    assert found == ['table "people": tables in a database are not read by this version. Export it to a parquet file.']


def test_rows_are_named_by_their_line_in_the_file(make_study):
    people = 'person_id,started,arm,score\n1,2020-01-01,new,"1"\n\n2,2020-01-01,old,many\n3,2020-01-01,old,few\n'
    assert problems(make_study, people=people) == [
        'table "people" (people.csv), column "score": 2 cells are not numbers, '
        'in rows 4 and 5 (the first looks like "aaaa"). '
        "Write digits with a point for decimals; leave the cell empty where nothing is known."
    ]


def test_no_study_file_is_changed_by_reading(make_study):
    folder = make_study(PLAN, people=PEOPLE)
    before = (folder / "people.csv").read_bytes()
    read_tables(read_study(folder))
    assert (folder / "people.csv").read_bytes() == before


CARD = {"metric": "text", "price": "number", "from": "date", "share": "share", "cap": "number"}


def card(make_study, text, required=("metric", "price")):
    folder = make_study("", card=text)
    return read_csv_checked(read_study(folder), "card.csv", CARD, required)


def test_a_paper_has_the_columns_asked_for_and_missing_ones_are_empty(make_study):
    found = card(make_study, "price,metric,from,remark\n1.5,7,2020-01-31,later\n2,job,,\n")
    assert list(found.columns) == [*CARD, "remark"]
    assert found["metric"].tolist() == ["7", "job"]
    assert found["price"].tolist() == [1.5, 2.0]
    assert found["from"].tolist()[0] == pd.Timestamp(2020, 1, 31)
    assert found[["share", "cap"]].isna().all(axis=None)
    assert found["cap"].dtype == "float64"


def test_all_that_is_wrong_with_a_paper_is_said_at_once(make_study):
    with pytest.raises(DataError) as caught:
        card(make_study, "metric,prize,from,share,capp\njob,1,31/02/2020,18,3\nhome,2,2020-02-31,0.2,4\n")
    assert str(caught.value).splitlines() == [
        "demo/card.csv has 4 problems:",
        '  1. column "price" is missing. Did you mean "prize"?',
        '  2. column "capp" is not known. Did you mean "cap"?',
        '  3. column "from": 2 cells are not dates, in rows 2 and 3 (the first: "31/02/2020"). '
        "Write dates as year-month-day, such as 2024-01-31, and only days of the calendar.",
        '  4. column "share": 1 cell is not a share between 0 and 1, in row 2 (the first: "18"). Write 18 % as 0.18.',
    ]


def test_rows_are_plain_python_values_as_pandas_would_give_them():
    table = pd.DataFrame(
        {
            "whole": [1, 2],
            "part": [0.5, None],
            "says": pd.Series(["a", None], dtype="str"),
            "on": pd.to_datetime(["2024-01-31", None]),
            "yes": [True, False],
            7: [None, (1, 2)],
        }
    )
    plain = [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]
    assert [repr(row) for row in as_rows(table)] == [repr(row) for row in plain]
    assert as_rows(table.iloc[:0]) == []
