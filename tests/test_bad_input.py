"""Bad input: one clear error, all problems together, with the place and the remedy."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest

from evalkit.cohort import build_cohort
from evalkit.errors import DataError, EvalkitError, StudyError
from evalkit.study import read_study
from evalkit.tables import read_tables

PLAN = """
[tables]
people = "people.csv"
spells = "spells.csv"

[cohort]
person = "person_id"
people = "people"
index = { table = "people", date = "started" }
arm = { column = "arm", treated = "new", comparison = "old" }

[[cohort.include]]
says = "adults"
rule = "age(born, started) >= 18"

[[occasion]]
id = "later"
day = 100

[[measure]]
id = "score"
table = "people"
columns = { later = "score" }

[[measure]]
id = "days"
days_in = { table = "spells", state = "care", window_days = 100 }

[counterfactual]
estimator = "ols"
outcomes = ["days"]
covariates = ["sex"]
"""

PEOPLE = """
    person_id,born,started,arm,score,sex
    1,1980-01-01,2020-01-01,new,3,F
    2,1981-01-01,2020-01-01,old,4,M
    3,1982-01-01,2020-01-01,new,5,F
    4,1983-01-01,2020-01-01,old,6,M
"""

SPELLS = """
    person_id,start,end,state
    1,2020-02-01,2020-02-11,care
    3,2020-02-01,,care
"""


def tables_told(folder: Path) -> list[str]:
    """What reading the tables says, problem by problem."""
    with pytest.raises(DataError) as caught:
        read_tables(read_study(folder))
    return [line.strip().split(". ", 1)[1] for line in str(caught.value).splitlines()[1:]]


def test_the_study_of_these_tests_is_sound(make_study):
    study = read_study(make_study(PLAN, people=PEOPLE, spells=SPELLS))
    assert len(build_cohort(study).table) == 4


# ---------------------------------------------------------------- the study file


def test_a_folder_that_does_not_exist_suggests_the_nearest(make_study):
    folder = make_study(PLAN, folder="northbridge", people=PEOPLE, spells=SPELLS)
    with pytest.raises(StudyError, match=r"There is no study folder .*nothbridge\. Did you mean \".*northbridge\""):
        read_study(folder.parent / "nothbridge")


def test_a_folder_without_a_study_file_says_so(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(StudyError, match=r"empty has no study\.toml"):
        read_study(tmp_path / "empty")


def test_another_file_is_not_a_study(make_study):
    folder = make_study(PLAN, people=PEOPLE, spells=SPELLS)
    with pytest.raises(StudyError, match=r"people\.csv is not a study\. Give the study's folder"):
        read_study(folder / "people.csv")


@pytest.mark.parametrize(
    "content", [b"\x89PNG\r\n\x1a\n\0\0", "[study]\nid = 'é'".encode("latin-1"), "[study]".encode("utf-16")]
)
def test_a_study_file_that_is_no_text_says_so(content, tmp_path):
    (tmp_path / "study.toml").write_bytes(content)
    with pytest.raises(StudyError, match=r"study\.toml is not a text file in UTF-8"):
        read_study(tmp_path)


def test_an_error_of_toml_names_the_line_and_quotes_it(make_study):
    folder = make_study(PLAN.replace('id = "days"', "id = days"), people=PEOPLE, spells=SPELLS)
    with pytest.raises(StudyError, match=r"Line \d+ is not TOML: Invalid value\. The line reads: id = days"):
        read_study(folder)


def test_a_quote_left_open_at_the_end_is_told(tmp_path):
    (tmp_path / "study.toml").write_text('[study]\nsummary = """never closed\n', encoding="utf-8")
    with pytest.raises(StudyError, match="It ends too early"):
        read_study(tmp_path)


def test_an_empty_study_file_says_what_to_write(tmp_path):
    (tmp_path / "study.toml").write_text("", encoding="utf-8")
    with pytest.raises(StudyError, match=r"\[study\] is missing"):
        read_study(tmp_path)


# ---------------------------------------------------------------- the tables


def image() -> bytes:
    return b"\x89PNG\r\n\x1a\n" + bytes(64)


def excel() -> bytes:
    book = io.BytesIO()
    pd.DataFrame({"person_id": [1]}).to_excel(book, index=False)
    return book.getvalue()


def parquet() -> bytes:
    file = io.BytesIO()
    pd.DataFrame({"person_id": [1]}).to_parquet(file)
    return file.getvalue()


NOT_WHAT_IT_SAYS = {
    "an image": (image(), "the file is a PNG image, though its name ends in .csv."),
    "a web page": (b"<!DOCTYPE html><html><body>Log in</body></html>", "the file is a web page or XML"),
    "an Excel file": (excel(), "the file is a zip or Excel file, though its name ends in .csv."),
    "a parquet file": (parquet(), "the file is a parquet file, though its name ends in .csv."),
    "bytes": (b"a,b\n1,\0\0\0\n", "the file is not text, though its name ends in .csv."),
    "another encoding": ("person_id,name\n1,é\n".encode("latin-1"), "line 2 is not UTF-8 text."),
    "semicolons": (b"person_id;born;started\n1;1980;2020\n", "the columns are separated by semicolons."),
    "nothing at all": (b"", "the file is empty."),
    "a header only": (b"person_id,born,started,arm,score,sex\n", "the table is empty: a header and no rows."),
    "a column twice": (b"person_id,born,born\n1,2,3\n", "the header has the column born more than once."),
    "a column without a name": (b"person_id,,born\n1,2,3\n", "column 2 has no name in the header."),
    "ragged rows": (
        b"person_id,born,sex\n1,2,3\n1,2\n1,2,3\n1,2,3,4\n",
        "the header has 3 columns and rows 3 and 5 have 2 or 4 cells.",
    ),
}


@pytest.mark.parametrize("case", NOT_WHAT_IT_SAYS)
def test_a_table_that_is_not_what_its_name_says(case, make_study):
    content, sentence = NOT_WHAT_IT_SAYS[case]
    folder = make_study(PLAN, people=PEOPLE, spells=SPELLS)
    (folder / "people.csv").write_bytes(content)
    found = tables_told(folder)
    assert len(found) == 1, found
    assert found[0].startswith(f'table "people" (people.csv): {sentence}')


@pytest.mark.parametrize(
    ("suffix", "kind"), [("parquet", "parquet"), ("xlsx", "Excel"), ("sav", "SPSS"), ("dta", "dta")]
)
def test_text_under_another_suffix_is_told(suffix, kind, make_study):
    folder = make_study(PLAN.replace("people.csv", f"people.{suffix}"), people=PEOPLE, spells=SPELLS)
    (folder / "people.csv").rename(folder / f"people.{suffix}")
    found = tables_told(folder)
    assert len(found) == 1, found
    assert f"though its name ends in .{suffix}" in found[0]


def test_a_kind_of_file_that_is_not_read_lists_those_that_are(make_study):
    folder = make_study(PLAN.replace("people.csv", "people.docx"), people=PEOPLE, spells=SPELLS)
    (folder / "people.csv").rename(folder / "people.docx")
    assert 'files of the kind ".docx" are not read. Save it as one of: .csv, .tsv, .parquet' in tables_told(folder)[0]


BAD_CELLS = {
    "a missing column": (
        ("started,arm,score", "startd,arm,score"),
        [
            'table "people" (people.csv) has no column "started", which [cohort] index.date names. '
            'Did you mean "startd"?'
        ],
    ),
    "a missing person column": (
        ("person_id,", "person,"),
        ['table "people" (people.csv) has no column "person_id", which [cohort] person names. Did you mean "person"?'],
    ),
    "text in a number column": (
        ("new,3,F", "new,three,F"),
        [
            'table "people" (people.csv), column "score": 1 cell is not a number, '
            'in row 2 (the first looks like "aaaaa"). '
            "Write digits with a point for decimals; leave the cell empty where nothing is known."
        ],
    ),
    "31/02": (
        ("2,1981-01-01,2020-01-01", "2,1981-01-01,31/02"),
        [
            'table "people" (people.csv), column "started": 1 cell is not a date, '
            'in row 3 (the first looks like "99/99"). '
            "Write dates as year-month-day, such as 2024-01-31, and only days of the calendar."
        ],
    ),
    "31/02/2020 in a column of a rule": (
        ("2,1981-01-01,", "2,31/02/2020,"),
        [
            'table "people" (people.csv), column "born": 1 cell is not a date, '
            'in row 3 (the first looks like "99/99/9999"). '
            "Write dates as year-month-day, such as 2024-01-31, and only days of the calendar."
        ],
    ),
    "a row without a person": (
        ("    3,1982", "    ,1982"),
        ['table "people" (people.csv), column "person_id": 1 cell is empty, in row 4. Every row must say whose it is.'],
    ),
    "a covariate that is nowhere": (
        ("score,sex", "score,gender"),
        [
            '[counterfactual] names "sex", which is neither a column of a person nor a measure. '
            "Known: arm, born, days, gender, person_id, score, started."
        ],
    ),
}


@pytest.mark.parametrize("case", BAD_CELLS)
def test_one_fault_in_a_table_brings_one_sentence(case, make_study):
    (right, wrong), told = BAD_CELLS[case]
    assert PEOPLE.count(right) == 1
    folder = make_study(PLAN, people=PEOPLE.replace(right, wrong), spells=SPELLS)
    assert tables_told(folder) == told


def test_the_faults_of_all_tables_are_told_together(make_study):
    people = PEOPLE.replace("new,3,F", "new,three,F").replace("2,1981-01-01,2020-01-01", "2,1981-01-01,2020-02-31")
    found = tables_told(make_study(PLAN, people=people, spells=SPELLS.replace("2020-02-11", "11.2.2020")))
    assert [sentence.split(":")[0] for sentence in found] == [
        'table "people" (people.csv), column "started"',
        'table "people" (people.csv), column "score"',
        'table "spells" (spells.csv), column "end"',
    ]


def test_many_bad_cells_are_named_by_the_first_rows_and_a_count(make_study):
    rows = "\n".join(f"{number},1980-01-01,2020-01-01,new,x,F" for number in range(1, 1501))
    found = tables_told(make_study(PLAN, people="person_id,born,started,arm,score,sex\n" + rows, spells=SPELLS))
    assert '1,500 cells are not numbers, in rows 2, 3, 4 and 1,497 more (the first looks like "a")' in found[0]


def told_by_errors_or_flags(folder: Path) -> str:
    try:
        return "\n".join(f"{flag.text} {flag.detail}" for flag in build_cohort(read_study(folder)).flags)
    except EvalkitError as error:
        return str(error)


def test_an_arm_with_nobody_in_it_is_told(make_study):
    people = PEOPLE.replace(",new,", ",old,")
    assert '"new"' in told_by_errors_or_flags(make_study(PLAN, people=people, spells=SPELLS))


def test_a_person_twice_is_told(make_study):
    plan = PLAN.replace('index = { table = "people", date = "started" }', "index = { date = 2020-01-01 }")
    told = told_by_errors_or_flags(make_study(plan, people=PEOPLE.replace("    2,1981", "    1,1981"), spells=SPELLS))
    assert "people" in told
    assert "1 person" in told or "twice" in told or "more than one" in told or "more than once" in told


def test_every_value_missing_is_read_as_missing_numbers(make_study):
    people = PEOPLE
    for cell in ("3,F", "4,M", "5,F", "6,M"):
        people = people.replace(f",{cell}", f",,{cell[-1]}")
    tables = read_tables(read_study(make_study(PLAN, people=people, spells=SPELLS)))
    assert tables["people"]["score"].isna().all()
    assert tables["people"]["score"].dtype == "float64"


def test_a_cell_of_a_persons_row_is_never_quoted(make_study):
    people = PEOPLE.replace("new,3,F", "new,Smith,F").replace("1980-01-01", "17/06/1980")
    told = "\n".join(tables_told(make_study(PLAN, people=people, spells=SPELLS)))
    assert '"aaaaa"' in told
    assert '"99/99/9999"' in told
    assert "Smith" not in told
    assert "17/06" not in told
