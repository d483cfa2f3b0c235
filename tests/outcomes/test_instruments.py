"""Scoring: agreement with an independent scorer, and what is done with answers that cannot be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import DataError, StudyError
from evalkit.outcomes import score

DATA = Path(__file__).parents[1] / "data"


def expected(table):
    return table.filter(like="exp_").rename(columns=lambda name: name.removeprefix("exp_")).astype(float)


@pytest.mark.parametrize(
    ("file", "instrument"),
    [
        ("v20_sdq_parent.csv", "sdq_parent"),
        ("v20_sdq_teacher.csv", "sdq_teacher"),
        ("v20_sdq_self.csv", "sdq_self"),
        ("v22_swemwbs.csv", "swemwbs"),
    ],
)
def test_scores_and_bands_equal_those_of_an_independent_scorer(file, instrument):
    table = pd.read_csv(DATA / file)
    pd.testing.assert_frame_equal(score(table, instrument), expected(table), rtol=0, atol=1e-9)


def sdq(**answers):
    """A form with 1 everywhere, but for the items named."""
    return pd.DataFrame([{f"q{number}": 1 for number in range(1, 26)} | answers])


@pytest.mark.parametrize(
    ("answers", "conduct"),
    [
        ({"q22": None, "q5": 0, "q7": 2}, 3),  # 2 x 5 / 4 = 2.5: half up
        ({"q22": None, "q5": 2, "q12": 2, "q7": 1}, 8),  # 6 x 5 / 4 = 7.5: half up
        ({"q22": None, "q18": None}, 5),  # three of five are enough
        ({"q22": None, "q18": None, "q12": None}, None),  # two are not
    ],
)
def test_a_scale_is_pro_rated_and_rounded_half_up(answers, conduct):
    found = score(sdq(**answers), "sdq_parent")["conduct"].iloc[0]
    assert found == conduct if conduct is not None else np.isnan(found)


def test_without_the_supplement_impact_is_missing_and_the_rest_is_there():
    found = score(sdq(), "sdq_parent").iloc[0]
    assert found["total"] == 20
    assert np.isnan(found["impact"])
    assert np.isnan(found["impact_band4"])


def test_item_columns_of_any_name_are_taken_in_the_instruments_order():
    table = pd.read_csv(DATA / "v20_sdq_parent.csv")
    renamed = table.rename(columns={f"q{number}": f"item {number:02d}" for number in range(1, 26)})
    named = [f"item {number:02d}" for number in range(1, 26)]
    found = score(renamed, "sdq_parent", columns=named)
    assert found["total"].equals(expected(table)["total"])
    assert found["impact"].isna().all()


def test_answers_already_reversed_are_not_reversed_again():
    ticked = pd.read_csv(DATA / "v20_sdq_parent.csv")
    turned = ticked.assign(**{item: 2 - ticked[item] for item in ("q7", "q11", "q14", "q21", "q25")})
    pd.testing.assert_frame_equal(score(turned, "sdq_parent", coding="as_scored"), score(ticked, "sdq_parent"))


@pytest.mark.parametrize("kind", ["Int64", "float64", "object", "str"])
def test_the_type_of_the_columns_does_not_matter(kind):
    table = pd.read_csv(DATA / "v22_swemwbs.csv")
    items = table.filter(regex=r"^sw\d")
    typed = items.astype("Int64").astype(kind)
    pd.testing.assert_frame_equal(score(typed, "swemwbs"), score(items, "swemwbs"))


def test_the_index_of_the_forms_is_kept():
    found = score(sdq().set_axis(["form 7"]), "sdq_parent")
    assert list(found.index) == ["form 7"]


def test_all_impossible_answers_are_named_at_once_with_rows_count_and_remedy():
    table = pd.concat([sdq()] * 12, ignore_index=True).astype({"q3": object})
    table.loc[2:9, "q1"] = 3
    table.loc[4, "q2"] = -1
    table.loc[11, "q3"] = "often"
    table["q4"] = table["q4"].astype(float)
    table.loc[0, "q4"] = 0.5
    with pytest.raises(DataError, match="has 4 problems") as caught:
        score(table, "sdq_parent")
    message = str(caught.value)
    assert 'Column "q1", rows 2, 3, 4, 5 and 6 and others (8 in all)' in message
    assert 'Column "q2", row 4' in message
    assert 'Column "q3", row 11' in message
    assert 'Column "q4", row 0' in message
    assert "whole number from 0 to 2" in message
    assert "leave it blank" in message
    assert "often" not in message


def test_a_missing_item_column_is_named():
    with pytest.raises(DataError, match='1 of 25 item columns are not there: "q9"'):
        score(sdq().drop(columns="q9"), "sdq_parent")


def test_the_wrong_number_of_item_columns_is_an_error():
    with pytest.raises(DataError, match="24 item columns were named and the instrument has 25, or 30"):
        score(sdq(), "sdq_parent", columns=[f"q{number}" for number in range(1, 25)])


def test_an_unknown_instrument_or_coding_is_answered_with_the_nearest():
    with pytest.raises(StudyError, match='Did you mean "swemwbs"'):
        score(sdq(), "swemwb")
    with pytest.raises(DataError, match='Did you mean "as_scored"'):
        score(sdq(), "sdq_parent", coding="as_score")
