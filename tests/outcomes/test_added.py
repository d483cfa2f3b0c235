"""The added value score of the parent SDQ: agreement with an independent scorer, and what it says of itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import DataError, EstimationError, EvalkitWarning
from evalkit.outcomes.questionnaires.added import added_value, added_value_effect_size, added_value_summary

DATA = Path(__file__).parents[1] / "data"
pytestmark = pytest.mark.filterwarnings("ignore::evalkit.errors.EvalkitWarning")


def vector():
    table = pd.read_csv(DATA / "v21_sdq_added_value.csv", index_col="id")
    return table, added_value(table["t1_total"], table["t1_impact"], table["t1_emotion"], table["t2_total"])


def test_added_value_equals_that_of_an_independent_scorer():
    table, found = vector()
    pd.testing.assert_series_equal(found, table["exp_added_value"], check_names=False, rtol=0, atol=1e-9)
    effect = added_value_effect_size(found)
    pd.testing.assert_series_equal(effect, table["exp_effect_size"], check_names=False, rtol=0, atol=1e-9)
    assert (found.name, effect.name) == ("added_value", "effect_size")


def test_it_says_each_time_that_its_coefficients_are_unconfirmed():
    with pytest.warns(EvalkitWarning, match="coefficients of the added value score are unconfirmed"):
        found = added_value(20, 3, 5, 12)
    assert found.tolist() == [pytest.approx(2.3 + 0.8 * 20 + 0.2 * 3 - 0.3 * 5 - 12)]


def test_a_score_missing_leaves_added_value_missing():
    found = added_value([20, 20, np.nan], [3, np.nan, 3], [5, 5, 5], [12, 12, 12])
    assert found.notna().tolist() == [True, False, False]


def test_scores_that_cannot_be_are_named_at_once_without_being_repeated():
    with pytest.raises(DataError, match="has 3 problems") as caught:
        added_value([41, 20], [3, 3], [5, 11], pd.Series(["twelve", 3], dtype=object))
    message = str(caught.value)
    assert "total_1, row 0" in message
    assert "emotion_1, row 1" in message
    assert "total_2, row 0" in message
    assert "41" not in message
    assert "twelve" not in message


def test_scores_of_other_rows_are_refused():
    one = pd.Series([20, 21], index=["a", "b"])
    with pytest.raises(DataError, match="same rows"):
        added_value(one, 3, 5, one.rename({"a": "c"}))
    with pytest.raises(DataError, match="same rows"):
        added_value([20, 21], [3, 3, 3], 5, 12)


def test_the_summary_has_an_interval_by_t_and_says_what_nought_means():
    values = pd.Series([1.0, 2.0, 3.0, np.nan])
    found = added_value_summary(values)
    assert (found.n, found.n_missing, found.mean) == (3, 1, 2)
    assert found.high - found.mean == pytest.approx(4.30265273 / np.sqrt(3))
    assert found.effect_size == pytest.approx(0.4)
    assert found.effect_size_high == pytest.approx(found.high / 5)
    assert "0 = no added value" in found.text
    assert "no added value is shown" in found.text


@pytest.mark.parametrize(("values", "says"), [([5.0, 6, 7, 6], "better than"), ([-5.0, -6, -7, -6], "worse than")])
def test_the_summary_says_which_way_it_went(values, says):
    assert says in added_value_summary(pd.Series(values)).text


def test_one_child_has_no_interval():
    with pytest.raises(EstimationError, match="at least two"):
        added_value_summary(pd.Series([3.0, np.nan]))
