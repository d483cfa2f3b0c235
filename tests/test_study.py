"""The study file: what it may say, and what one is told when it is wrong."""

from __future__ import annotations

import datetime as dt
import importlib.resources
import shutil
from pathlib import Path
from typing import Annotated

import jsonschema
import pytest
from pydantic import TypeAdapter

from evalkit.errors import StudyError
from evalkit.study import ESTIMATORS, Study, read_study, schema

DEMOS = sorted(Path(__file__).parents[1].glob("data/raw/*/study.toml"))

PEOPLE = """
    person_id,started,arm,score_a,score_b
    1,2020-01-01,new,3,4
    2,2020-02-01,old,5,6
"""

WHOLE = """
[study]
id = "whole"
title = "Everything a study may have"
kind = "synthetic"
price_year = 2023

[tables]
people = "people.csv"

[cohort]
person = "person_id"
index = { table = "people", date = "started" }
arm = { column = "arm", treated = "new", comparison = "old" }

[[occasion]]
id = "baseline"
day = 0

[[occasion]]
id = "m12"
day = 365

[[measure]]
id = "score"
table = "people"
columns = { baseline = "score_a", m12 = "score_b" }

[[measure]]
id = "points"
table = "people"
columns = { baseline = "score_b", m12 = "score_a" }

[[domain]]
id = "both"
measures = ["score", "points"]

[counterfactual]
estimator = "ols"
outcomes = ["both@m12", "score@m12"]
covariates = ["score@baseline"]
"""


def problems(folder: Path) -> list[str]:
    """The numbered problems of a study that cannot be read."""
    with pytest.raises(StudyError) as caught:
        read_study(folder)
    return [line.strip().split(". ", 1)[1] for line in str(caught.value).splitlines()[1:]]


def test_a_study_remembers_its_folder_and_every_part(make_study):
    study = read_study(make_study(WHOLE, people=PEOPLE))
    assert isinstance(study, Study)
    assert study.folder.is_absolute()
    assert study.path("people.csv").is_file()
    assert (study.id, study.measure[0].columns["m12"]) == ("whole", "score_b")
    assert study.find_measure("score@m12").id == "score"
    assert study.find_domain("both@m12").id == "both"
    assert study.occasion_title("m12") == "m12"
    assert "Everything a study may have" in study._repr_html_()


def test_a_study_is_found_by_its_folder_or_its_file(make_study):
    folder = make_study(WHOLE, people=PEOPLE)
    assert read_study(folder).id == read_study(str(folder / "study.toml")).id == "whole"


def test_a_study_cannot_be_changed(make_study):
    study = read_study(make_study(WHOLE, people=PEOPLE))
    with pytest.raises(ValueError, match="frozen"):
        study.study.title = "another"


@pytest.mark.parametrize("file", DEMOS, ids=lambda file: file.parent.name)
def test_each_study_of_the_repository_can_be_read(file):
    assert read_study(file).folder == file.parent.resolve()


def test_dates_are_dates_and_numbers_are_numbers(make_study):
    study = read_study(make_study(WHOLE.replace('date = "started"', "date = 2020-09-01"), people=PEOPLE))
    assert study.cohort.index.date == dt.date(2020, 9, 1)


def test_all_that_is_wrong_is_said_at_once_with_the_remedy(make_study):
    text = WHOLE.replace('"score", "points"', '"scor", "points"').replace('"ols"', '"olss"')
    text += (
        '\n[value]\nimpact_map = "map.csv"\n\n[[measure]]\nid = "sdq"\ninstrument = "sdq_parnet"\ntable = "people"\n'
    )
    found = problems(make_study(text, people=PEOPLE, map="outcome\nscore"))
    assert found == [
        '[[measure]] sdq: instrument "sdq_parnet" is not known. Did you mean "sdq_parent"?',
        '[[domain]] both: measures: measure "scor" is not known. Did you mean "score"?',
        '[counterfactual] estimator: estimator "olss" is not known. Did you mean "ols"?',
        "[value] lacks cost. Write, for example, cost = 1_250_000 (what was spent, in the study's currency and price "
        "year), or name a table of costs by year: whole_life.",
    ]


# Each line: what stands in the file, what stands there instead, and the one sentence it must bring.
WRONG = {
    "a misspelt key": (
        'estimator = "ols"',
        'estimater = "ols"',
        '[counterfactual] has a key "estimater" that is not known. Did you mean "estimator"?',
    ),
    "a misspelt key in a list": (
        'id = "m12"\nday = 365',
        'id = "m12"\ndays = 365',
        '[[occasion]] m12 has a key "days" that is not known. Did you mean "day"?',
    ),
    "a misspelt key in an inner table": (
        'index = { table = "people"',
        'index = { tabel = "people"',
        '[cohort] index has a key "tabel" that is not known. Did you mean "table"?',
    ),
    "a misspelt part": (
        "[counterfactual]",
        "[counterfactal]",
        "[counterfactal] is not a part of a study file. Did you mean",
    ),
    "one bracket for two": (
        '[[domain]]\nid = "both"',
        '[domain]\nid = "both"',
        "[domain] is a list of parts. Write [[domain]], with two brackets, once for each.",
    ),
    "two brackets for one": (
        "[counterfactual]",
        "[[counterfactual]]",
        "[[counterfactual]]: there is only one of it, with keys. Write [counterfactual], with one bracket",
    ),
    "a number in quotes": (
        "price_year = 2023",
        'price_year = "2023"',
        '[study] price_year = "2023": it must be a whole number without quotes.',
    ),
    "text without quotes": (
        'id = "m12"\nday = 365',
        'id = "m12"\ntitle = 12\nday = 365',
        "[[occasion]] m12: title = 12: it must be text in quotes.",
    ),
    "a value outside its list": (
        'kind = "synthetic"',
        'kind = "synthetik"',
        '[study] kind = "synthetik": it must be one of "real", "published figures" or "synthetic". '
        'Did you mean "synthetic"?',
    ),
    "a part of the study that lacks a key": (
        'title = "Everything a study may have"\n',
        "",
        '[study] lacks title. Write, for example, title = "',
    ),
    "an id twice": (
        '[[domain]]\nid = "both"',
        '[[measure]]\nid = "score"\ncolumn = "score_a"\n\n[[domain]]\nid = "both"',
        '[[measure]] score: 2 entries have the id "score". Give each its own.',
    ),
    "a domain named like a measure": (
        "[counterfactual]\n",
        '[[domain]]\nid = "points"\nmeasures = ["score", "points"]\n\n[counterfactual]\n',
        '[[domain]] points: a measure has the id "points" too. Give one of them another.',
    ),
    "an occasion that is not there": (
        '"score@baseline"',
        '"score@basline"',
        '[counterfactual] covariates: "score@basline": occasion "basline" is not known. Did you mean "baseline"?',
    ),
    "an outcome that is not there": (
        '"score@m12"]',
        '"store@m12"]',
        '[counterfactual] outcomes: outcome "store" is not known. Did you mean "score"?',
    ),
    "an occasion of columns that is not there": (
        'columns = { baseline = "score_b", m12',
        'columns = { baseline = "score_b", m13',
        '[[measure]] points: columns.m13: occasion "m13" is not known. Did you mean "m12"?',
    ),
    "a table that is not listed": (
        'table = "people"\ncolumns = { baseline = "score_a"',
        'table = "peple"\ncolumns = { baseline = "score_a"',
        '[[measure]] score: table: table "peple" is not known. Did you mean "people"?',
    ),
    "a file that is not there": (
        'people = "people.csv"',
        'people = "peeple.csv"',
        '[tables] people: there is no file "peeple.csv" in the folder. Did you mean "people.csv"?',
    ),
    "two sources of one measure": (
        'columns = { baseline = "score_a"',
        'column = "score_a"\ncolumns = { baseline = "score_a"',
        "[[measure]] score has 2 sources (column, columns). Keep one.",
    ),
    "no source of a measure": (
        'columns = { baseline = "score_a", m12 = "score_b" }',
        "",
        "[[measure]] score has no source. Write one of: instrument, ladder, column, columns, days_in, "
        "attendance, offending, placements, rule, over_time, improved.",
    ),
    "a window that ends before it begins": (
        'id = "baseline"\nday = 0',
        'id = "baseline"\nday = 0\nwindow = [14, -30]',
        "[[occasion]] baseline: window = [14, -30] ends before it begins. Turn it round.",
    ),
    "a domain with and without occasions": (
        '"score", "points"]',
        '"score", "points@m12"]',
        "[[domain]] both: some measures have an @occasion and some have none. Write it on all of them, or on none.",
    ),
    "a domain of one measure": (
        '"score", "points"]',
        '"score"]',
        "[[domain]] both: measures = a list [ ... ]: it needs at least 2 entries.",
    ),
    "no baseline for a domain": (
        'measures = ["score", "points"]',
        'measures = ["score", "points"]\nbaseline = "start"',
        '[[domain]] both: baseline: occasion "start" is not known. Known: baseline, m12.',
    ),
    "no arm to compare": (
        'arm = { column = "arm", treated = "new", comparison = "old" }',
        "",
        '[counterfactual] estimator = "ols" compares two arms and [cohort] lacks arm.',
    ),
    "figures from a file that is not named": (
        'estimator = "ols"',
        'estimator = "published"',
        '[counterfactual] estimator = "published" takes its figures from a file and rates is not given.',
    ),
    "an index date without its table": (
        'index = { table = "people", date',
        "index = { date",
        '[cohort] index.date = "started" is a column and index.table is not given.',
    ),
    "an id with a space": (
        'id = "whole"',
        'id = "the whole"',
        '[study] id = "the whole": it must look like',
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_one_mistake_brings_one_sentence(case, make_study):
    right, wrong, sentence = WRONG[case]
    assert WHOLE.count(right) == 1, f"the case does not fit the study: {right}"
    found = problems(make_study(WHOLE.replace(right, wrong), people=PEOPLE))
    assert len(found) == 1, found
    assert found[0].startswith(sentence)


def test_measures_without_a_cohort_are_refused(make_study):
    text = '[[measure]]\nid = "score"\ncolumn = "score"\n'
    assert problems(make_study(text)) == [
        "[[measure]] there are measures and no [cohort]. Write [cohort]: whom are they measured on?"
    ]


def test_a_measure_read_once_has_no_occasion(make_study):
    text = WHOLE.replace('columns = { baseline = "score_b", m12 = "score_a" }', 'rule = "score_a > 3"')
    text = text.replace('"score@m12"]', '"points@m12"]')
    assert problems(make_study(text, people=PEOPLE)) == [
        '[counterfactual] outcomes: "points@m12": points is read once, not on occasions. Write "points".'
    ]


def test_a_real_study_is_never_drawn_over(make_study):
    text = WHOLE.replace('"synthetic"', '"real"') + "\n[simulation]\nseed = 2\n"
    found = problems(make_study(text, people=PEOPLE, truth="outcome\nscore"))
    assert found == [
        '[simulation] draws invented tables and [study] kind = "real". Drop [simulation], or write kind = "synthetic".'
    ]


def test_the_message_names_the_file_without_its_absolute_path(make_study):
    folder = make_study(WHOLE.replace('"ols"', '"olss"'), people=PEOPLE)
    with pytest.raises(StudyError, match=r"^demo/study.toml has 1 problem:") as caught:
        read_study(folder)
    assert str(folder) not in str(caught.value)


def test_the_schema_accepts_a_study_and_refuses_a_misspelt_key():
    good = {"study": {"id": "a", "title": "A", "kind": "real"}}
    jsonschema.validate(good, schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**good, "valu": {}}, schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"study": {"id": "a", "title": "A"}}, schema())


def test_every_example_a_message_gives_is_a_valid_value():
    from evalkit.study import model

    parts = [getattr(model, name) for name in model.__all__]
    parts = [part for part in parts if isinstance(part, type) and issubclass(part, model.Part)]
    required = [(part, key, field) for part in parts for key, field in part.model_fields.items() if field.is_required()]
    required = [one for one in required if one[0] not in (model.StudyFile, model.Study)]
    assert len(required) > 40
    for part, key, field in required:
        assert field.examples, f"{part.__name__}.{key} has no example for its message"
        TypeAdapter(Annotated[field.annotation, field]).validate_python(field.examples[0], strict=True)


def test_the_list_of_estimators_is_that_of_the_counterfactual_room():
    from evalkit.counterfactual import known_estimators

    assert set(ESTIMATORS) == set(known_estimators())


def test_the_template_of_a_new_study_is_part_of_the_package():
    template = importlib.resources.files("evalkit.study") / "new_study.toml"
    text = template.read_text(encoding="utf-8")
    parts = ("[study]", "[tables]", "[cohort]", "[[occasion]]", "[[measure]]", "[[domain]]", "[counterfactual]")
    for part in (*parts, "[contract]", "[value]", "[disclosure]"):
        assert f"\n{part}\n" in text


def test_a_study_may_be_renamed(make_study, tmp_path):
    folder = make_study(WHOLE, people=PEOPLE)
    moved = shutil.move(folder, tmp_path / "another name")
    assert read_study(moved).id == "whole"


def test_a_drawn_table_fails_where_the_function_says_otherwise(grid):
    table = """
    x | half
    2 | 1
    3 | 1.5
    """
    grid(table, lambda row: row.x / 2, "half")
    with pytest.raises(AssertionError, match=r"drawn half = 1\.5, found 2"):
        grid(table, lambda row: (row.x + 1) // 2, "half")
    grid("a | b\n1 | 0.33\n- | ", lambda row: row.a and row.a / 3, "b")


def test_a_link_to_the_folder_itself_is_no_other_study_of_the_same_id(tmp_path):
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / "study.toml").write_text('[study]\nid = "one"\ntitle = "One"\nkind = "synthetic"\n', encoding="utf-8")
    (tmp_path / "link").symlink_to(folder, target_is_directory=True)
    assert read_study(folder).id == "one"
