"""Intervals in the worlds of the benchmark that the contract test does not draw: few clusters, and a rare yes or no."""

import numpy as np
import pytest

from evalkit import counterfactual as cf
from evalkit.errors import EvalkitError
from evalkit.simulate.effect_panels import staggered_panel
from evalkit.simulate.effect_worlds import clustered, confounded, rare

DRAWS = 200
FEW_CLUSTERS = {
    "outcome": "y",
    "treated": "treated",
    "covariates": ["x1", "x2"],
    "person": "person",
    "cluster": "cluster",
}
RARE = {"outcome": "y", "treated": "treated", "covariates": ["x1", "x2", "x3"], "person": "person"}
FIVE = {**RARE, "covariates": ["x1", "x2", "x3", "x4", "x5"]}
STAGGERED = {"outcome": "y", "unit": "unit", "time": "time", "first_treated": "first_treated"}


def over_draws(draw, estimator, **arguments):
    """Effects, standard errors and ends over 200 tables; shape (200, 4)."""
    found = (cf.estimate(draw(seed), estimator, **arguments) for seed in range(700, 700 + DRAWS))
    return np.array([(one.effect, one.se, one.low, one.high) for one in found])


def assert_it_covers(found, truth, bias, least=0.90, most=1.0):
    effect, _, low, high = found.T
    assert np.isfinite(found[:, [0, 2, 3]]).all()
    assert abs(effect.mean() - truth) <= bias + 3 * effect.std() / np.sqrt(DRAWS)
    assert least <= np.mean((low <= truth) & (truth <= high)) <= most


@pytest.mark.parametrize("name", ["ols", "aipw"])
def test_six_clusters_in_each_arm_are_enough_for_an_honest_interval(name):
    found = over_draws(clustered, name, **FEW_CLUSTERS)
    assert_it_covers(found, 2.0, 0.05)
    if name == "ols":
        assert 0.85 < found[:, 1].mean() / found[:, 0].std() < 1.3
    # aipw's standard error is the published one, too small here; what few clusters cost is in its degrees of freedom
    reach = (found[:, 3] - found[:, 2]).mean() / 2
    assert 0.95 < reach / (1.96 * found[:, 0].std()) < 2.0


def test_leaving_the_clusters_out_would_have_been_dishonest():
    people = {key: value for key, value in FEW_CLUSTERS.items() if key != "cluster"}
    _, _, low, high = over_draws(clustered, "ols", **people).T
    assert np.mean((low <= 2.0) & (high >= 2.0)) < 0.80


@pytest.mark.parametrize("name", ["ols", "aipw"])
def test_a_difference_of_four_points_in_a_rare_outcome_is_recovered(name):
    assert_it_covers(over_draws(rare, name, **RARE), -0.04, 0.005, most=0.995)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ipw", "entropy balancing", "matching", "multilevel"])
def test_other_estimators_are_honest_with_six_clusters_in_each_arm(name):
    assert_it_covers(over_draws(clustered, name, **FEW_CLUSTERS), 2.0, 0.05)


@pytest.mark.slow
def test_the_wild_bootstrap_is_honest_with_six_clusters_in_each_arm():
    assert_it_covers(over_draws(clustered, "ols", **FEW_CLUSTERS, se="wild", draws=399), 2.0, 0.05)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ipw", "entropy balancing", "matching"])
def test_other_estimators_recover_a_rare_outcome(name):
    assert_it_covers(over_draws(rare, name, **RARE), -0.04, 0.005, most=0.995)


@pytest.mark.slow
@pytest.mark.parametrize(("nonlinear", "rmse"), [(False, 0.28), (True, 0.33)])
def test_aipw_is_as_precise_as_it_should_be(nonlinear, rmse):
    found = over_draws(lambda seed: confounded(seed, nonlinear=nonlinear), "aipw", **FIVE)
    assert_it_covers(found, 2.0, 0.05)
    assert np.sqrt(((found[:, 0] - 2.0) ** 2).mean()) <= rmse * 1.1  # of 200 draws only


@pytest.mark.slow
def test_a_linear_model_is_biased_where_the_outcome_is_not_linear():
    effect = over_draws(lambda seed: confounded(seed, nonlinear=True), "ols", **FIVE)[:, 0]
    assert effect.mean() - 2.0 > 0.3


@pytest.mark.slow
def test_twenty_units_are_enough_for_an_honest_interval_of_staggered_did():
    found = over_draws(lambda seed: staggered_panel(20, seed=seed), "staggered did", **STAGGERED)
    assert_it_covers(found, 2.0, 0.05)


def test_staggered_did_refuses_a_handful_of_units():
    with pytest.raises(EvalkitError, match="too few for an honest interval"):
        cf.estimate(staggered_panel(6, seed=1), "staggered did", **STAGGERED)
