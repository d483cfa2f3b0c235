"""An omitted variable: the formulas of Cinelli and Hazlett against regressions in which it is not omitted."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.counterfactual.sensitivity import (
    adjusted_estimate,
    extreme_scenarios,
    omitted_variable_bounds,
    partial_r2,
    robustness_value,
)
from evalkit.errors import EstimationError
from evalkit.linear import least_squares

DATA = Path(__file__).parent.parent / "data"
DARFUR = {
    "outcome": "peacefactor",
    "treated": "directlyharmed",
    "covariates": ["age", "farmer_dar", "herder_dar", "pastvoted", "hhsize_darfur", "female"],
    "within": "village",
}


@pytest.fixture(scope="module")
def darfur():
    return pd.read_csv(DATA / "darfur.csv")


def fitted(y, x):
    """Effect of the first column, its classical error, residual df and sum of squares."""
    fit = least_squares(y, x)
    df = len(y) - x.shape[1]
    left = float((fit.residuals**2).sum())
    return fit.beta[0], np.sqrt(left / df * fit.bread[0, 0]), df, left


def world(seed=1, n=500):
    """Treatment and outcome with two measured causes, and one that was not measured."""
    random = np.random.default_rng([seed, 3])
    x, w, z = random.normal(size=(3, n))
    arm = (0.5 * x + 0.4 * w + 0.5 * z + random.normal(size=n) > 0).astype(float)
    y = arm + x + 0.5 * w + 0.8 * z + random.normal(size=n)
    return pd.DataFrame({"y": y, "arm": arm, "x": x, "w": w, "z": z, "kind": np.where(w > 0.7, "a", "b")})


# ---------------------------------------------------------------- Cinelli and Hazlett (2020): V10


def test_cinelli_hazlett_2020_darfur_the_effect_and_its_robustness(darfur):
    found = omitted_variable_bounds(darfur, **DARFUR, benchmark="female")
    assert (found.effect, found.se, found.t) == pytest.approx((0.097316, 0.023257, 4.18445), abs=1e-5)
    assert found.df == 783
    assert found.partial_r2 == pytest.approx(0.021873, abs=1e-5)
    assert found.robustness_value == pytest.approx(0.138776, abs=1e-5)
    assert found.robustness_value_significance == pytest.approx(0.076258, abs=1e-5)
    assert "13.9%" in found.says
    assert "7.6%" in found.says


def test_cinelli_hazlett_2020_darfur_once_twice_and_thrice_as_strong_as_female(darfur, grid):
    found = omitted_variable_bounds(darfur, **DARFUR, benchmark="female", times=(1, 2, 3)).bounds.set_index("times")
    grid(
        """
        times | effect
        1     | 0.07522
        2     | 0.05292
        3     | 0.03040
        """,
        lambda row: found.loc[row.times, "effect"],
        "effect",
    )
    assert found["effect"].to_numpy() == pytest.approx([0.075220, 0.052915, 0.030396], abs=1e-5)
    assert found["low"].to_numpy() == pytest.approx([0.032283, 0.012968, -0.006253], abs=1e-5)


# ---------------------------------------------------------------- the formulas are an identity


def test_given_the_omitted_variables_own_shares_the_long_regression_comes_out():
    table = world()
    one, more = np.ones(len(table)), table[["x", "w"]].to_numpy()
    y, arm, z = (table[name].to_numpy() for name in ("y", "arm", "z"))
    short = fitted(y, np.column_stack([arm, more, one]))
    long = fitted(y, np.column_stack([arm, more, one, z]))
    with_outcome = 1 - long[3] / short[3]
    arms = [fitted(arm, np.column_stack(part)) for part in ([more, one], [more, one, z])]
    with_treatment = 1 - arms[1][3] / arms[0][3]
    found = adjusted_estimate(*short[:3], with_treatment, with_outcome)
    assert (found.effect, found.se) == pytest.approx(long[:2], rel=1e-10)
    smaller = adjusted_estimate(*short[:3], with_treatment, with_outcome, reduce=False)
    assert smaller.effect == pytest.approx(2 * short[0] - long[0], rel=1e-10)


def test_at_the_robustness_value_the_effect_is_gone_and_at_the_other_its_significance(grid):
    for t, df, q in ((4.18, 783, 1.0), (2.5, 40, 0.5), (9.0, 12, 1.0)):
        effect, se = t * 0.1, 0.1
        alone = robustness_value(t, df, q, alpha=None)
        assert adjusted_estimate(effect, se, df, alone, alone).effect == pytest.approx((1 - q) * effect)
    needed = robustness_value(4.18, 783)
    found = adjusted_estimate(0.418, 0.1, 783, needed, needed)
    assert found.low == pytest.approx(0, abs=1e-9)


def test_an_effect_that_is_not_significant_has_no_robustness_to_lose():
    assert robustness_value(1.5, 100) == 0
    assert robustness_value(0, 100, alpha=None) == 0
    assert robustness_value(1e9, 10) == pytest.approx(1, abs=1e-6)


def test_a_negative_effect_is_brought_to_zero_from_below():
    up, down = (adjusted_estimate(sign * 0.4, 0.1, 50, 0.1, 0.1) for sign in (1, -1))
    assert (down.effect, down.low, down.high) == pytest.approx((-up.effect, -up.high, -up.low))


def test_many_strengths_at_once_equal_each_by_itself():
    shares = np.array([0.0, 0.1, 0.4])
    many = adjusted_estimate(0.4, 0.1, 50, shares, 0.2)
    assert many.low.tolist() == [adjusted_estimate(0.4, 0.1, 50, share, 0.2).low for share in shares]


def test_a_variable_that_explains_all_of_the_outcome_needs_the_partial_r2_of_treatment():
    table = extreme_scenarios(4.18445, 783)
    assert table["r2_treatment"].iloc[0] == pytest.approx(partial_r2(4.18445, 783))
    for line in table.itertuples():
        assert adjusted_estimate(4.18445, 1, 783, line.r2_treatment, line.r2_outcome).effect == pytest.approx(
            0, abs=1e-9
        )


# ---------------------------------------------------------------- benchmarks


def test_a_benchmark_of_words_counts_with_all_its_levels_and_several_may_be_taken_together():
    table = world()
    table["level"] = pd.cut(table["w"], [-9, -1, 0, 1, 9], labels=list("abcd")).astype(str)
    table["b"], table["c"], table["d"] = ((table["level"] == name).astype(float) for name in "bcd")
    words = omitted_variable_bounds(table, outcome="y", treated="arm", covariates=["x", "level"], benchmark="level")
    dummies = omitted_variable_bounds(
        table, outcome="y", treated="arm", covariates=["x", "b", "c", "d"], benchmark=[("b", "c", "d")]
    )
    assert words.bounds["effect"].to_numpy() == pytest.approx(dummies.bounds["effect"].to_numpy())
    assert dummies.bounds["benchmark"].unique().tolist() == ["b, c and d"]


def test_shares_of_one_covariate_follow_from_its_t_statistics():
    table = world()
    one = np.ones(len(table))
    row = omitted_variable_bounds(
        table, outcome="y", treated="arm", covariates=["x", "w"], benchmark="w", times=1
    ).bounds
    effect, se, df, _ = fitted(table["arm"].to_numpy(), np.column_stack([table["w"], table["x"], one]))
    r2 = partial_r2(effect / se, df)
    assert row["r2_treatment"].iloc[0] == pytest.approx(r2 / (1 - r2))


def test_taking_areas_apart_equals_dummies_for_them():
    table = world()
    table["area"] = np.arange(len(table)) % 7
    for area in range(1, 7):
        table[f"area{area}"] = (table["area"] == area).astype(float)
    told = {"outcome": "y", "treated": "arm", "benchmark": "w"}
    inside = omitted_variable_bounds(table, **told, covariates=["x", "w"], within="area")
    dummies = omitted_variable_bounds(table, **told, covariates=["x", "w", *(f"area{i}" for i in range(1, 7))])
    assert (inside.effect, inside.se, inside.df) == pytest.approx((dummies.effect, dummies.se, dummies.df))
    pd.testing.assert_frame_equal(inside.bounds, dummies.bounds)


def test_with_clusters_the_estimates_stay_and_the_interval_allows_for_them():
    table = world()
    table["team"] = np.arange(len(table)) % 25
    told = {"outcome": "y", "treated": "arm", "covariates": ["x", "w"], "benchmark": "w"}
    plain, clustered = (omitted_variable_bounds(table, **told, **one) for one in ({}, {"cluster": "team"}))
    assert clustered.bounds["effect"].tolist() == plain.bounds["effect"].tolist()
    assert clustered.robustness_value == plain.robustness_value
    assert clustered.df < 25
    assert clustered.se != plain.se
    assert any("allows for clusters" in flag.text for flag in clustered.flags)
    needed = clustered.robustness_value_significance
    near = clustered.bounds.iloc[0]
    assert 0 < needed < plain.robustness_value
    assert near["high"] - near["low"] == pytest.approx(2 * near["se"] * (near["effect"] - near["low"]) / near["se"])


def test_a_benchmark_too_strong_to_be_multiplied_has_no_bound_and_says_so():
    table = world()
    table["strong"] = table["arm"] * 2 + np.random.default_rng(1).normal(size=len(table))
    found = omitted_variable_bounds(table, outcome="y", treated="arm", covariates=["strong", "x"], benchmark="strong")
    assert found.bounds["effect"].isna().any()
    assert any("more of treatment than is left" in flag.text for flag in found.flags)
    assert "nan" not in found.says


def test_the_contour_holds_the_effect_at_no_hidden_cause_and_reaches_every_benchmark():
    found = omitted_variable_bounds(world(), outcome="y", treated="arm", covariates=["x", "w"], benchmark=["x", "w"])
    start = found.contour.query("r2_treatment == 0 and r2_outcome == 0").iloc[0]
    assert start["effect"] == pytest.approx(found.effect)
    assert found.contour["r2_outcome"].max() >= found.bounds["r2_outcome"].max()
    assert (found.contour["r2_treatment"] < 1).all()


def test_the_order_of_rows_does_not_matter_and_the_table_is_left_alone():
    table = world()
    before = table.copy(deep=True)
    told = {"outcome": "y", "treated": "arm", "covariates": ["x", "w"], "benchmark": "w"}
    one, other = (omitted_variable_bounds(frame, **told) for frame in (table, table.sample(frac=1, random_state=2)))
    pd.testing.assert_frame_equal(one.bounds, other.bounds)
    pd.testing.assert_frame_equal(table, before)


# ---------------------------------------------------------------- what cannot be asked


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"benchmark": "wx"}, r'"wx" is not among the covariates'),
        ({"benchmark": "w", "times": 0}, "times must be above 0"),
        ({"benchmark": "w", "q": -1}, "q = -1 must be above 0"),
        ({"benchmark": "w", "clusters": "x"}, 'Did you mean "cluster"'),
        ({"benchmark": (), "covariates": []}, "covariates are missing"),
        ({"benchmark": "w", "within": "ares"}, "no such column"),
        ({"benchmark": "w", "cluster": "team"}, 'column "team" is not in the table'),
        ({"benchmark": "level", "covariates": ["x", "w", "level"]}, "nothing of it varies"),
    ],
)
def test_what_cannot_be_asked_is_said(options, said):
    table = world().assign(level=3.0)
    told = {"outcome": "y", "treated": "arm", "covariates": ["x", "w"]} | options
    with pytest.raises(EstimationError, match=said):
        omitted_variable_bounds(table, **told)


def test_numbers_that_are_no_shares_are_refused():
    with pytest.raises(EstimationError, match=r"(?s)2 problems.*below 1.*from 0 to 1"):
        adjusted_estimate(1, 0.1, 50, 1.0, 1.5)
    with pytest.raises(EstimationError, match="se must be above 0"):
        adjusted_estimate(1, 0, 50, 0.1, 0.1)
    with pytest.raises(EstimationError, match="t is not a finite number"):
        partial_r2(float("nan"), 50)
    with pytest.raises(EstimationError, match="alpha = 5"):
        robustness_value(2, 50, alpha=5)
    with pytest.raises(EstimationError, match="more than 1 degree"):
        robustness_value(2, 1)
