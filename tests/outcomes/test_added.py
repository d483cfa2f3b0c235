"""The added value score of the parent SDQ: agreement with an independent scorer, and what it says of itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from evalkit.errors import DataError, EstimationError, EvalkitWarning
from evalkit.linear import degrees_of_freedom, least_squares, row_contributions
from evalkit.outcomes.questionnaires.added import added_value, added_value_effect_size, added_value_summary
from evalkit.outcomes.questionnaires.added_by_arm import added_value_by_arm
from evalkit.outcomes.summaries import mean_interval

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
    assert found == pytest.approx(2.3 + 0.8 * 20 + 0.2 * 3 - 0.3 * 5 - 12)


def test_numbers_give_a_number_and_a_series_gives_a_series():
    one = added_value(15, 3, 4, 12)
    assert isinstance(one, float)
    assert one == pytest.approx(1.7)
    assert np.isnan(added_value(15, np.nan, 4, 12))
    series = pd.Series([15], index=["a"])
    found = added_value(series, 3, 4, 12)
    assert (type(found), found.to_dict()) == (pd.Series, {"a": pytest.approx(1.7)})
    assert isinstance(added_value([15], 3, 4, 12), pd.Series)


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


# ---------------------------------------------------------------- beside the comparison's


def children(n=60, gain=2.0, shift=0.0, seed=3, times=1.0):
    """Scores of two arms in 12 clusters that hold both."""
    rng = np.random.default_rng(seed)
    arm = np.arange(n) % 2
    cluster = np.arange(n) // (n // 12)
    values = rng.normal(0, 3, n) * times + gain * arm + shift + rng.normal(0, 1, 12)[cluster]
    return pd.Series(values), arm, cluster


def test_each_arms_interval_is_that_of_a_mean_and_the_difference_is_that_of_a_regression_with_cr2():
    values, arm, cluster = children()
    found = added_value_by_arm(values, arm, cluster)
    for name, code in (("treated", 1), ("comparison", 0)):
        mean, low, high = mean_interval(values[arm == code].to_numpy(), cluster[arm == code])
        assert found.table.loc[name, ["mean", "low", "high"]].tolist() == pytest.approx([mean, low, high])
    fit = least_squares(values.to_numpy(), np.column_stack([np.ones(60), arm]))
    contrast = np.array([0.0, 1.0])
    pull = row_contributions(fit, contrast, "cr2", cluster)
    se = np.sqrt((np.bincount(cluster, pull) ** 2).sum())
    half = stats.t.ppf(0.975, degrees_of_freedom(fit, contrast, "cr2", cluster)) * se
    assert found.difference["mean"] == pytest.approx(fit.beta[1])
    assert [found.difference["low"], found.difference["high"]] == pytest.approx(
        [fit.beta[1] - half, fit.beta[1] + half]
    )
    assert found.difference["effect_size"] == pytest.approx(fit.beta[1] / 5)


def test_without_clusters_the_error_of_the_difference_is_that_of_welch():
    values, arm, _ = children()
    found = added_value_by_arm(values, np.where(arm, "treated", "comparison")).difference
    se = np.sqrt(values[arm == 1].var() / 30 + values[arm == 0].var() / 30)
    assert (found["high"] - found["low"]) / 2 == pytest.approx(stats.t.ppf(0.975, 58) * se)


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"n": 240, "shift": 0.0}, "near 0 supports"),
        ({"n": 240, "shift": 4.0}, "away from 0 speaks against the formula"),
        ({"n": 24, "times": 2.0}, "too wide to support"),
    ],
)
def test_what_the_comparisons_value_says_of_the_formula(how, says):
    values, arm, _ = children(**how)
    assert says in added_value_by_arm(values, arm).text


def test_every_place_says_that_the_coefficients_are_unconfirmed_and_no_place_tells_of_few():
    values, arm, cluster = children()
    found = added_value_by_arm(values, arm, cluster)
    assert "unconfirmed" in repr(found)
    assert "unconfirmed" in found._repr_html_()
    assert "erratum" in found.flags[0].detail.lower()
    assert "unconfirmed" in found.flags[0].text
    few = added_value_by_arm(values[:12], arm[:12])
    assert "Too few" in few.text
    assert "points" not in few.text
    assert "[c]" in few._repr_html_()
    summary = added_value_summary(values[:4])
    assert "too few" in repr(summary)
    assert "unconfirmed" in repr(summary)


def test_one_group_has_no_difference_and_an_arm_without_scores_is_refused():
    values, arm, _ = children()
    alone = added_value_by_arm(values)
    assert list(alone.table.index) == ["all"]
    assert np.isnan(alone.difference["mean"])
    with pytest.raises(EstimationError, match="in each arm"):
        added_value_by_arm(values.where(arm == 1), arm)
