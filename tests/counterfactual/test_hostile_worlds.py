"""Small arms, few events, amounts with a long tail, and arms that must stand for everybody: do intervals hold?"""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from evalkit import counterfactual as cf
from evalkit.counterfactual.arms import allow_for_skew, skew_flags
from evalkit.counterfactual.few_people import freedom
from evalkit.counterfactual.panel import Columns, Plan, prepare
from evalkit.counterfactual.registry import find_estimator
from evalkit.counterfactual.testing import detectable_effect, equivalence, interval_at
from evalkit.errors import EstimationError
from evalkit.linear import degrees_of_freedom, least_squares
from evalkit.simulate.effect_panels import discontinuity_world
from evalkit.simulate.effect_worlds import confounded

ARMS = {"outcome": "y", "treated": "t", "person": "p"}
FIVE = ["x1", "x2", "x3", "x4", "x5"]


def by_lot(seed, treated=20, comparison=2_000, tail="normal"):
    """Two arms by lot, and an effect of 1."""
    random = np.random.default_rng([seed, 1777])
    t = np.repeat([1, 0], [treated, comparison])
    noise = random.normal(size=len(t))
    y = 1.0 * t + (3 * noise if tail == "normal" else 3 * np.exp(0.9 * noise))
    return pd.DataFrame({"p": np.arange(len(t)), "t": t, "y": y})


def events(*, treated, comparison):
    """Yes or no: events and people of each arm."""
    arms = [[1] * number + [0] * (people - number) for number, people in (treated, comparison)]
    t = np.repeat([1, 0], [treated[1], comparison[1]])
    return pd.DataFrame({"p": np.arange(len(t)), "t": t, "y": [*arms[0], *arms[1]]})


def texts(found):
    return " ".join(f"{flag.text} {flag.detail}" for flag in found.flags)


def covered(estimates, truth):
    return np.mean([one.low <= truth <= one.high for one in estimates])


# ---------------------------------------------------------------------------------------------- small arms


@pytest.mark.parametrize("covariates", [0, 3])
def test_degrees_of_freedom_of_a_small_arm_are_those_of_cr2_with_everybody_a_cluster(covariates):
    frame = by_lot(1, comparison=200)
    random = np.random.default_rng(2)
    x = np.column_stack([frame["t"], np.ones(len(frame)), random.normal(size=(len(frame), covariates))]).astype(float)
    fit, contrast = least_squares(frame["y"].to_numpy(), x), np.eye(2 + covariates)[0]
    panel = prepare(frame, Columns("y", "t", person="p"), Plan("ols", "hc2"), find_estimator("ols"))
    peer = degrees_of_freedom(fit, contrast, "cr2", np.arange(len(frame)))
    assert freedom(panel, fit, contrast, "hc2", None) == pytest.approx(peer, rel=1e-9)
    assert freedom(panel, fit, contrast, "hc1", None) == len(frame) - 2 - covariates


def test_twenty_treated_beside_two_thousand_are_judged_by_the_twenty():
    found = cf.estimate(by_lot(3), "difference", **ARMS)
    assert 18.5 < found.df < 20
    assert found.high - found.effect == pytest.approx(stats.t.ppf(0.975, found.df) * found.se)
    assert cf.estimate(by_lot(3, treated=60), "difference", **ARMS).df == 2_058
    drawn = [cf.estimate(by_lot(seed, comparison=500), "difference", **ARMS) for seed in range(300)]
    assert 0.92 <= covered(drawn, 1.0) <= 0.98


def test_a_long_tail_in_a_small_arm_is_flagged_and_a_plain_outcome_is_not():
    said = "values far to one side"
    tails = [said in texts(cf.estimate(by_lot(seed, 20, 400, "long"), "difference", **ARMS)) for seed in range(40)]
    plain = [said in texts(cf.estimate(by_lot(seed, 20, 400), "difference", **ARMS)) for seed in range(40)]
    assert np.mean(tails) > 0.5
    assert np.mean(plain) < 0.1


# ---------------------------------------------------------------------------------------------- few events


def test_few_events_get_the_interval_of_published_rates():
    found = cf.estimate(events(treated=(3, 60), comparison=(2, 80)), "difference", **ARMS)
    rates = pd.DataFrame({"arm": [1, 0], "rate": [3 / 60, 2 / 80], "n": [60, 80]})
    peer = cf.estimate(rates, "published", outcome="rate", treated="arm", n="n", values="yes or no")
    assert (found.low, found.high, found.p) == pytest.approx((peer.low, peer.high, peer.p))
    assert (found.deadweight.low, found.deadweight.high) == pytest.approx((peer.deadweight.low, peer.deadweight.high))
    assert "score intervals of both" in texts(found)
    assert "may be too short" not in texts(found)


def test_few_events_keep_students_t_where_a_standard_error_is_asked_for_and_with_covariates_a_flag():
    frame = events(treated=(3, 60), comparison=(2, 80)).assign(x=np.arange(140) % 7)
    asked = cf.estimate(frame, "difference", se="hc1", **ARMS)
    adjusted = cf.estimate(frame, "ols", covariates=["x"], **ARMS)
    assert asked.high - asked.effect == pytest.approx(asked.effect - asked.low)
    assert all("Fewer than 10 people of an arm" in texts(one) for one in (asked, adjusted))
    many = cf.estimate(events(treated=(30, 60), comparison=(20, 80)), "difference", **ARMS)
    assert "Fewer than 10" not in texts(many)
    assert many.df == 138


def test_a_rare_event_in_a_small_arm_is_covered():
    random = np.random.default_rng(5)
    drawn = [
        cf.estimate(events(treated=(random.binomial(20, 0.05), 20), comparison=(random.binomial(400, 0.02), 400)),
                    "difference", **ARMS)
        for _ in range(200)
    ]  # fmt: skip
    assert covered(drawn, 0.03) > 0.88  # Student's t covers .63


# ------------------------------------------------------------------------------ an arm that stands for everybody


@pytest.mark.parametrize("estimator", ["aipw", "ipw"])
def test_the_effect_on_everybody_is_covered_where_few_stand_for_many(estimator):
    told = {"outcome": "y", "treated": "treated", "person": "person", "covariates": FIVE, "estimand": "ATE"}
    drawn = [cf.estimate(confounded(seed, nonlinear=True), estimator, **told) for seed in range(3_000, 3_080)]
    assert covered(drawn, 2.0) > 0.87


def test_contributions_to_one_side_widen_the_interval_and_even_ones_do_not():
    frame = by_lot(6, 50, 50)
    panel = prepare(frame, Columns("y", "t", person="p"), Plan("aipw", "influence"), find_estimator("aipw"))
    even, one_side = np.tile([-1.0, 1.0], 50), np.append(np.full(99, -0.01), 1.0)
    assert allow_for_skew(panel, even) == 1
    assert allow_for_skew(panel, np.zeros(100)) == 1
    assert allow_for_skew(panel, one_side) == pytest.approx(1 + 0.95 * (2 * 1.96**2 + 1) / (6 * 1.96), rel=0.02)
    assert skew_flags(1.05) == []
    assert [flag.level for flag in skew_flags(1.3)] == ["caution"]


# ------------------------------------------------------------------------------------------------- cutoffs


def at_cutoff(seed, people):
    frame = discontinuity_world(people, seed=seed)
    return cf.estimate(frame, "regression discontinuity", outcome="y", running="score", person="person")


def test_few_people_at_a_cutoff_are_allowed_for():
    found = at_cutoff(1, 200)
    near = min(found.diagnostics["n_left"], found.diagnostics["n_right"])
    assert (near < 100, found.df) == (True, near - 4)
    reach = stats.t.ppf(0.975, near - 4) * found.diagnostics["se_robust"] * math.sqrt(near / (near - 4))
    assert found.high - found.diagnostics["bias_corrected"] == pytest.approx(reach)


def test_margins_at_a_cutoff_are_judged_by_the_robust_interval():
    found = at_cutoff(2, 1_500)
    assert interval_at(found, 0.95) == (found.low, found.high)
    middle = (found.low + found.high) / 2
    low, high = interval_at(found, 0.9)
    assert ((low + high) / 2, high < found.high) == (pytest.approx(middle), True)
    tested = equivalence(found, margin=3.5)
    assert (tested.low, tested.high) == pytest.approx((low, high))
    assert detectable_effect(found).se == pytest.approx(found.diagnostics["se_robust"])


def test_an_interval_that_is_not_of_the_standard_error_has_no_other_level():
    found = cf.estimate(events(treated=(3, 60), comparison=(2, 80)), "difference", **ARMS)
    with pytest.raises(EstimationError, match=r"estimate again with level = 0\.9"):
        interval_at(found, 0.9)
    with pytest.raises(EstimationError, match=r"at level = 0\.9 instead"):
        equivalence(found, margin=0.1)
