"""Forms in a study's table: whose they are, which version, and what a score is said to be."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import DataError, StudyError
from evalkit.outcomes import score, score_outcomes
from evalkit.outcomes.ground import Ground
from evalkit.outcomes.measures import read_measure

OCCASIONS = [
    {"id": "baseline", "title": "start", "day": 0, "window": [-30, 14]},
    {"id": "m6", "title": "6 months", "day": 183, "window": [-45, 45]},
    {"id": "m12", "title": "12 months", "day": 365, "window": [-45, 45]},
]
DATES = {"baseline": "2024-01-01", "m6": "2024-07-02", "m12": "2024-12-31"}


def forms(people, instrument_items, occasions=("baseline",), **columns):
    """One form per person and occasion with 1 everywhere, and further columns of as many values."""
    rows = [(person, pd.Timestamp(DATES[occasion])) for occasion in occasions for person in people["person"]]
    table = pd.DataFrame(rows, columns=["id", "date"])
    return table.assign(**dict.fromkeys(instrument_items, 1), **columns)


SW = [f"sw{number}" for number in range(1, 8)]
SDQ = [f"q{number}" for number in range(1, 26)]


def read(cohort_of, people, table, occasions=OCCASIONS, **plan):
    measure = {"id": "m", "instrument": "swemwbs", "table": "forms"} | plan
    cohort = cohort_of(people, {"forms": table}, {"occasion": occasions, "measure": [measure]})
    ground = Ground(cohort)
    return read_measure(ground, ground.study.measure[0], {})


def texts(found):
    return [flag.text for flag in found.flags]


def test_a_reversed_scale_brings_its_own_direction_and_title(cohort_of, people):
    table = forms(people(), SDQ)
    prosocial = read(cohort_of, people(), table, instrument="sdq_parent", scale="prosoc")
    assert prosocial.about["better"] == "higher"
    assert "Prosocial" in prosocial.about["title"]
    assert read(cohort_of, people(), table, instrument="sdq_parent").about["better"] == "lower"


def test_the_answers_behind_the_readings_go_with_them_as_they_are_scored(cohort_of, people):
    table = forms(people(), SDQ)
    table.loc[0, "q7"] = 0
    table["q8"] = table["q8"].astype(float)
    table.loc[1, "q8"] = np.nan
    found = read(cohort_of, people(), table, instrument="sdq_parent", scale="conduct")
    behind = found.forms.behind(found.readings[0])
    assert behind["q7"].tolist() == [2, 1, 1, 1]
    assert np.isnan(behind["q8"][1])
    assert found.forms.scale == ["q5", "q7", "q12", "q18", "q22"]


def test_a_total_rests_on_the_items_of_its_parts(cohort_of, people):
    found = read(cohort_of, people(), forms(people(), SDQ), instrument="sdq_parent", scale="internal")
    assert len(found.forms.scale) == 10
    assert read(cohort_of, people(), forms(people(), SW)).forms.scale == SW


def test_questions_that_are_not_combined_must_be_named(cohort_of, people):
    table = forms(people(), ["ons_satisfied", "ons_worthwhile", "ons_happy", "ons_anxious"])
    with pytest.raises(DataError, match="Name one: scale = satisfaction"):
        read(cohort_of, people(), table, instrument="ons4")
    assert read(cohort_of, people(), table, instrument="ons4", scale="anxiety").about["better"] == "lower"


def test_a_record_is_not_a_questionnaire(cohort_of, people):
    with pytest.raises(StudyError, match="kind of record"):
        read(cohort_of, people(), forms(people(), SW), instrument="days_in_care")


# ---------------------------------------------------------------- versions


def test_a_version_changed_midway_is_said_with_its_occasions(cohort_of, people):
    versions = ["first print"] * 4 + ["first print"] * 4 + ["second print"] * 4
    table = forms(people(), SW, DATES, version=versions)
    found = read(cohort_of, people(), table)
    assert [text for text in texts(found) if "version" in text] == [
        "The version of the form changed between 6 months and 12 months."
    ]
    assert not any("print" in flag.text + flag.detail for flag in found.flags)


def test_two_versions_at_one_occasion_are_said(cohort_of, people):
    table = forms(people(), SW, ("baseline", "m6"), version=["a", "b", "a", "b"] * 2)
    found = read(cohort_of, people(), table)
    assert [text for text in texts(found) if "version" in text] == [
        "Forms of more than one version are mixed at: start, 6 months."
    ]


def test_one_version_throughout_and_versions_of_forms_not_used_are_not_said(cohort_of, people):
    table = forms(people(), SW, ("baseline", "m6"), version="a")
    stray = table.iloc[:1].assign(date=pd.Timestamp("2020-01-01"), version="b")
    found = read(cohort_of, people(), pd.concat([table, stray], ignore_index=True))
    assert not any("version" in text for text in texts(found))


def test_the_lines_of_two_informants_do_not_mix_up_whose_version_is_read(cohort_of, people):
    table = forms(people(), SW, ("baseline", "m6"), version="a", informant="self")
    other = table.assign(version="b", informant="parent")
    both = pd.concat([other, table], ignore_index=True)
    assert not any("version" in text for text in texts(read(cohort_of, people(), both, informant="self")))


# ---------------------------------------------------------------- informants


def test_mixed_informants_are_an_error_that_names_them(cohort_of, people):
    table = forms(people(), SW, informant=["parent", "self", "self", "self"])
    with pytest.raises(DataError, match="forms of parent and self, which are not to be mixed"):
        read(cohort_of, people(), table)


def test_an_informant_whose_form_it_is_not_is_said(cohort_of, people):
    table = forms(people(), SDQ, informant="teacher")
    found = read(cohort_of, people(), table, instrument="sdq_parent")
    assert any(
        "forms are those of the informant teacher, and sdq_parent is for parent" in text for text in texts(found)
    )
    found = read(cohort_of, people(), table.assign(informant="parent"), instrument="sdq_parent")
    assert not any("informant" in text for text in texts(found))


def test_forms_that_do_not_say_whose_they_are_are_said(cohort_of, people):
    table = forms(people(), SW, informant=["self", "self", "self", None])
    assert any("do not say who answered" in text for text in texts(read(cohort_of, people(), table)))


# ---------------------------------------------------------------- nothing to read


def test_a_scale_of_which_no_form_has_enough_answers_is_named(cohort_of, people):
    table = forms(people(), SDQ).assign(q3=np.nan, q8=np.nan, q13=np.nan)
    with pytest.raises(DataError, match="no form has enough answers for Emotional symptoms"):
        read(cohort_of, people(), table, instrument="sdq_parent")


def test_impact_without_the_supplement_says_which_columns_it_needs(cohort_of, people):
    with pytest.raises(DataError, match=r'has no columns for imp1, imp2, .* which "impact" needs'):
        read(cohort_of, people(), forms(people(), SDQ), instrument="sdq_parent", scale="impact")


def test_rows_of_impossible_answers_are_lines_of_the_file_also_when_one_informant_is_read(cohort_of, people):
    table = forms(people(), SW, informant=["parent", "self", "parent", "self"])
    table.loc[3, "sw2"] = 9
    with pytest.raises(DataError, match='Column "sw2", row 5'):
        read(cohort_of, people(), table, informant="self")


def test_words_and_codes_for_missing_are_read_as_the_study_explains_them(cohort_of, people):
    words = {0: "Not true", 1: "somewhat true ", 2: "CERTAINLY TRUE"}
    numbers = [[person % 3, (person + item) % 3] for person in range(12) for item in (1,)]
    answers = pd.DataFrame({f"q{item}": [numbers[p][item % 2] for p in range(12)] for item in range(1, 26)})
    told = answers.map(words.get).astype(object)
    told.loc[3, "q3"] = 99
    told = told.assign(id=[f"p{p:03d}" for p in range(12)], date=pd.Timestamp("2024-01-01"))
    measure = {
        "id": "sdq", "instrument": "sdq_parent", "table": "forms",
        "answers": {"not true": 0, "somewhat true": 1, "certainly true": 2, "99": ""},
    }  # fmt: skip
    plan = {"occasion": [{"id": "baseline", "day": 0}], "measure": [measure]}
    found = score_outcomes(cohort_of(people(12), {"forms": told}, plan)).wide["sdq@baseline"]
    answers = answers.astype(float)
    answers.loc[3, "q3"] = np.nan
    assert found.tolist() == score(answers, "sdq_parent")["total"].tolist()
    del measure["answers"]
    with pytest.raises(DataError, match="say what each stands for") as caught:
        score_outcomes(cohort_of(people(12), {"forms": told}, plan))
    message = str(caught.value)
    assert "25 columns, " in message
    assert "true" not in message.split("Words are not read")[0].lower()
