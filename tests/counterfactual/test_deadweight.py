"""Deadweight, defined once: what it is for each kind of outcome, its interval, and when there is none."""

import math

import numpy as np
import pandas as pd
import pytest

from evalkit import counterfactual as cf
from evalkit.counterfactual.deadweights import fieller
from evalkit.errors import EstimationError


def arms(treated, comparison, each=200):
    """People with these means in each arm, and some spread."""
    wobble = np.tile([-1.0, 1.0], each // 2)
    y = np.concatenate([treated + wobble * 5, comparison + wobble * 5])
    return pd.DataFrame({"y": y, "arm": [1] * each + [0] * each})


def shares(treated, comparison, each=200):
    """Yes or no with these shares in each arm."""
    yes = [1] * int(treated * each) + [0] * (each - int(treated * each))
    no = [1] * int(comparison * each) + [0] * (each - int(comparison * each))
    return pd.DataFrame({"y": yes + no, "arm": [1] * each + [0] * each})


def deadweight(frame, **options):
    return cf.estimate(frame, "difference", outcome="y", treated="arm", **options)


def test_each_kind_of_outcome_has_its_own_ratio(grid):
    grid(
        """
        kind   | better | treated | comparison | baseline | deadweight
        yes    | higher | 0.60    | 0.30       |          | 0.5
        yes    | lower  | 0.10    | 0.55       |          | 0.5
        amount | higher | 200     | 150        |          | 0.75
        amount | lower  | 60      | 100        | 180      | 0.6667
        amount | higher | 200     | 150        | 100      | 0.5
        """,
        lambda row: (
            deadweight(
                shares(row.treated, row.comparison) if row.kind is True else arms(row.treated, row.comparison),
                values="yes or no" if row.kind is True else "amount",
                better=row.better,
                contract_baseline=row.baseline,
            ).deadweight.value
        ),
        "deadweight",
    )


def test_a_share_above_1_is_printed_as_such():
    assert deadweight(shares(0.4, 0.5)).deadweight.value == pytest.approx(1.25)


def test_zeros_and_ones_are_a_yes_or_no_without_saying_so():
    assert deadweight(shares(0.5, 0.25)).deadweight.value == pytest.approx(0.5)


def test_there_is_none_for_a_score_and_the_flag_says_so():
    found = deadweight(arms(10, 8), values="score")
    assert found.deadweight is None
    assert found.why_no_deadweight == "not defined for a score"
    assert "No deadweight: not defined for a score." in [flag.text for flag in found.flags]


def test_an_amount_that_should_fall_needs_a_contract_baseline():
    assert "contract baseline" in deadweight(arms(60, 100), values="amount", better="lower").why_no_deadweight


def test_where_nothing_was_achieved_there_is_no_share_of_it():
    found = deadweight(arms(120, 130), values="amount", better="lower", contract_baseline=100)
    assert found.deadweight is None
    assert "nothing was achieved" in found.why_no_deadweight


def test_of_a_score_it_is_the_share_of_the_improvement_that_the_comparison_also_made():
    frame = arms(30, 26).assign(start=20.0)
    found = deadweight(frame, values="score", baseline="start")
    assert found.deadweight.value == pytest.approx((26 - 20) / (30 - 20))
    falling = deadweight(frame.assign(start=40.0), values="score", baseline="start", better="lower")
    assert falling.deadweight.value == pytest.approx((40 - 26) / (40 - 30))


def test_an_interval_without_bound_is_not_clipped():
    noisy = pd.DataFrame({"y": [-30.0, 31.0, -28.0, 33.0] * 3, "arm": [1, 1, 0, 0] * 3})
    found = deadweight(noisy, values="amount")
    assert (found.deadweight.low, found.deadweight.high) == (-math.inf, math.inf)
    assert "not bounded" in found.deadweight.method


def test_fiellers_bounds_solve_his_equation():
    covariance = np.array([[0.04, 0.01], [0.01, 0.05]])
    for bound in fieller(2.0, 3.0, covariance, 1.96):
        variance = covariance[0, 0] - 2 * bound * covariance[0, 1] + bound**2 * covariance[1, 1]
        assert (2.0 - bound * 3.0) ** 2 == pytest.approx(1.96**2 * variance)


def test_the_interval_covers_the_true_share():
    random = np.random.default_rng(3)
    covered = []
    for _ in range(300):
        frame = pd.DataFrame({"arm": [1] * 150 + [0] * 150})
        frame["y"] = (random.uniform(size=300) < np.where(frame["arm"] == 1, 0.6, 0.45)).astype(int)
        share = deadweight(frame).deadweight
        covered.append(share.low <= 0.75 <= share.high)
    assert 0.92 <= np.mean(covered) <= 0.98


def test_two_rates_without_numbers_have_the_interval_of_rounding_alone():
    rates = pd.DataFrame({"arm": [1, 0], "rate": [0.59, 0.40]})
    found = cf.estimate(rates, "published", outcome="rate", treated="arm", values="yes or no", rounding=0.01)
    assert found.deadweight.value == pytest.approx(0.40 / 0.59)
    assert found.deadweight.low == pytest.approx(0.395 / 0.595)
    assert found.deadweight.high == pytest.approx(0.405 / 0.585)
    assert "rounding only" in found.deadweight.method
    assert math.isnan(found.se)
    assert math.isnan(found.p)


def test_a_stated_share_gives_the_level_it_implies_and_no_error():
    frame = pd.DataFrame({"days": [40.0, 60.0]})
    found = cf.estimate(
        frame,
        "assumed",
        outcome="days",
        deadweight=0.5,
        low=0.4,
        high=0.6,
        values="amount",
        better="lower",
        contract_baseline=100,
    )
    assert (found.observed, found.counterfactual, found.effect) == (50, 75, -25)
    assert (found.deadweight.low, found.deadweight.high) == (0.4, 0.6)
    assert math.isnan(found.se)


def test_a_stated_share_must_be_stated_and_lie_in_its_range(grid):
    frame = pd.DataFrame({"jobs": [0.4]})
    for stated, told in (
        ({}, "needs the share"),
        ({"deadweight": 0.3, "low": 0.1}, "both ends"),
        ({"deadweight": 0.3, "low": 0.4, "high": 0.6}, "does not lie"),
    ):
        with pytest.raises(EstimationError, match=told):
            cf.estimate(frame, "assumed", outcome="jobs", values="yes or no", **stated)
