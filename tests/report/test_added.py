"""The table of added value: what it prints is what was found, it says that it is unconfirmed, and hides what is few."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from evalkit import words
from evalkit.outcomes.looks.added import Added
from evalkit.outcomes.questionnaires.added_by_arm import added_value_by_arm
from evalkit.report.added import added
from evalkit.study import Study


@pytest.fixture
def evaluation(tmp_path):
    parts = {
        "study": {"id": "drawn", "title": "Drawn", "kind": "synthetic"},
        "tables": {"people": "people.csv"},
        "cohort": {
            "person": "id",
            "index": {"table": "people", "date": "start"},
            "arm": {"column": "arm", "treated": "therapy", "comparison": "usual care"},
        },
        "folder": tmp_path,
    }
    return SimpleNamespace(study=Study.model_validate(parts))


def look(n=120, comparison=60, arm=True):
    rng = np.random.default_rng(2)
    arms = np.array(["treated"] * (n - comparison) + ["comparison"] * comparison)
    values = pd.Series(rng.normal(0, 4, n) + 2 * (arms == "treated"))
    found = added_value_by_arm(values, arms if arm else None)
    return Added("sdq", "Parent SDQ", "At the start", "6 months", 6.0, found)


def text_of(table):
    return " ".join(
        [table.finding, *map(str, table.notes), *table.how.paragraphs, *(str(c) for r in table.rows for c in r)]
    )


def test_the_table_prints_each_arm_and_the_difference_as_they_were_found(evaluation):
    one = look()
    table = added(evaluation, one)
    assert [row[0] for row in table.rows][-1] == "Difference"
    assert [row[1] for row in table.rows] == ["60", "60", ""]
    treated, difference = one.found.table.loc["treated"], one.found.difference
    assert table.rows[0][2:4] == [
        words.number(treated["mean"], 1, sign=True),
        words.interval(treated["low"], treated["high"], 1),
    ]
    assert table.rows[2][4] == words.number(difference["effect_size"], 2, sign=True)
    assert words.number(difference["mean"], 1, sign=True) in table.finding


def test_the_finding_the_notes_and_the_method_say_that_it_is_unconfirmed(evaluation):
    for one in (look(), look(comparison=6), look(arm=False)):
        table = added(evaluation, one)
        assert "unconfirmed" in table.finding
        assert any("unconfirmed" in note for note in table.notes)
        assert any("unconfirmed" in line and "erratum" in line for line in table.how.paragraphs)


def test_an_arm_of_few_children_is_hidden_with_the_difference_and_the_words(evaluation):
    one = look(comparison=6)
    table = added(evaluation, one)
    assert table.rows[1][1:] == [words.SUPPRESSED] * 5
    assert table.rows[2][2:] == [words.SUPPRESSED] * 4
    shown = text_of(table)
    assert words.number(one.found.table.loc["comparison", "mean"], 1, sign=True) not in shown
    assert words.interval(one.found.difference["low"], one.found.difference["high"], 1) not in shown


def test_one_group_has_no_row_of_a_difference(evaluation):
    table = added(evaluation, look(arm=False))
    assert len(table.rows) == 1
    assert "Difference" not in text_of(table)
