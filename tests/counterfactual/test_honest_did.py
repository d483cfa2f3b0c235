"""Bounds where trends may have parted, and tests of the times before treatment."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from evalkit import counterfactual as cf
from evalkit.counterfactual.honest import honest_did, pre_trends
from evalkit.errors import EstimationError
from evalkit.simulate.effect_panels import staggered_panel

# Benzarti and Carloni (2019), value-added tax and profits: estimates and covariance as the replication of Rambachan and
# Roth (2023, section 6) gives them, rounded; effects by year from 2004 to 2012, measured from 2008.
PROFITS = pd.DataFrame(
    {
        "event_time": [-5, -4, -3, -2, 0, 1, 2, 3],
        "effect": [
            0.006696352,
            0.029345034,
            -0.006472972,
            0.073014989,
            0.195961118,
            0.312063903,
            0.239541546,
            0.1260425,
        ],
    }
)
JOINT = 1e-4 * np.array(
    [
        [8.428358, 4.768687, 2.618051, 2.354220, 1.676371, 1.128708, 0.1992816, -1.368265],
        [4.768687, 6.425420, 3.987425, 2.435515, 2.201960, 1.804591, 0.3843765, -0.2960422],
        [2.618051, 3.987425, 5.229950, 2.117686, 1.840722, 1.458528, 0.7005197, 0.5952995],
        [2.354220, 2.435515, 2.117686, 3.089595, 1.197866, 1.334081, 1.016335, 1.079052],
        [1.676371, 2.201960, 1.840722, 1.197866, 3.599704, 2.478819, 1.749579, 1.654257],
        [1.128708, 1.804591, 1.458528, 1.334081, 2.478819, 4.263950, 2.171438, 2.892748],
        [0.1992816, 0.3843765, 0.7005197, 1.016335, 1.749579, 2.171438, 4.886698, 3.805322],
        [-1.368265, -0.2960422, 0.5952995, 1.079052, 1.654257, 2.892748, 3.805322, 7.617394],
    ]
)


@pytest.fixture(scope="module")
def growing():
    frame = staggered_panel(120, 7, 2.0, seed=3, cohorts=(4, 5))
    return cf.estimate(
        frame,
        "staggered did",
        outcome="y",
        unit="unit",
        time="time",
        first_treated="first_treated",
        aggregate="dynamic",
    )


def test_rambachan_roth_smoothness_on_profits_and_the_tax(grid):
    found = honest_did(PROFITS, "smoothness", m=[0, 0.1, 0.2], target=0, covariance=JOINT).set_index("m")
    drawn = """
        m   | low    | high
        0.0 | 0.1315 | 0.2161
        0.1 | 0.1194 | 0.4186
        0.2 | 0.0194 | 0.5186
    """
    grid(drawn, lambda row: found.loc[row.m, "low"], "low")
    grid(drawn, lambda row: found.loc[row.m, "high"], "high")


def test_rambachan_roth_relative_magnitude_holds_the_interval_of_the_peer():
    found = honest_did(PROFITS, "relative magnitude", m=[0.5, 1.0], target=0, covariance=JOINT).set_index("m")
    for m, (low, high) in {0.5: (0.1183, 0.2711), 1.0: (0.0678, 0.3186)}.items():
        assert low - 0.015 < found.loc[m, "low"] <= low
        assert high <= found.loc[m, "high"] < high + 0.015


def test_without_a_departure_the_interval_is_the_plain_one():
    row = honest_did(PROFITS, m=0, target=0, covariance=JOINT).iloc[0]
    half = stats.norm.ppf(0.975) * np.sqrt(JOINT[4, 4])
    assert (row["low"], row["high"]) == pytest.approx((0.195961118 - half, 0.195961118 + half))
    assert row["bounds_low"] == row["bounds_high"] == pytest.approx(0.195961118)


def test_larger_departures_give_wider_intervals_and_a_breakdown(growing):
    for kind in ("relative magnitude", "smoothness"):
        table = honest_did(growing, kind, m=[0, 0.5, 8])
        width = table["high"] - table["low"]
        assert (width.diff().dropna() > 0).all()
        assert table["m"].max() > table.attrs["breakdown"] >= 0
        assert not table["excludes_zero"].iloc[-1]


def test_what_the_estimates_allow_can_be_worked_by_hand():
    event = pd.DataFrame({"event_time": [-3, -2, 0, 1], "effect": [0.1, 0.3, 2.0, 3.0]})
    found = honest_did(event, m=2.0, target=1, covariance=np.eye(4) * 1e-8).iloc[0]
    largest = 0.3  # from -2 to -1, where it is 0
    assert (found["bounds_low"], found["bounds_high"]) == pytest.approx((3 - 2 * 2 * largest, 3 + 2 * 2 * largest))
    assert (found["low"], found["high"]) == pytest.approx((1.8, 4.2), abs=0.01)


def test_relative_magnitude_covers_where_trends_part_as_far_as_it_allows():
    random = np.random.default_rng(5)
    truth, drift = 1.0, np.array([-0.6, -0.3, 0.3, 0.6])  # a trend of 0.3 a time, before and after alike
    covered = []
    for _ in range(120):
        effect = drift + np.array([0, 0, truth, truth]) + random.normal(0, 0.15, 4)
        event = pd.DataFrame({"event_time": [-3, -2, 0, 1], "effect": effect})
        row = honest_did(event, m=1.0, covariance=np.eye(4) * 0.15**2).iloc[0]
        covered.append(row["low"] <= truth <= row["high"])
    assert np.mean(covered) >= 0.92


def test_bounds_say_that_they_are_experimental(growing):
    assert any("experimental" in flag.text for flag in honest_did(growing).attrs["flags"])
    assert "(experimental)" in honest_did.__doc__


def test_the_test_before_treatment_says_which_trend_it_would_have_missed(growing):
    found = pre_trends(growing)
    assert found.p == growing.diagnostics["pre_test_chi_squared"]
    assert found.p > 0.01
    assert 0 < found.detectable_slope < 1
    table = pre_trends(PROFITS, JOINT)
    before = PROFITS["effect"].to_numpy()[:4]
    assert table.statistic == pytest.approx(before @ np.linalg.solve(JOINT[:4, :4], before))
    assert table.hidden_effect == pytest.approx(table.detectable_slope * 2.5)


def test_the_detectable_slope_is_found_four_times_in_five():
    random, away = np.random.default_rng(1), np.array([-4.0, -3, -2, -1])
    root = np.linalg.cholesky(JOINT[:4, :4])
    slope = pre_trends(PROFITS, JOINT).detectable_slope
    drawn = slope * away[:, None] + root @ random.normal(size=(4, 20_000))
    statistic = (drawn * np.linalg.solve(JOINT[:4, :4], drawn)).sum(axis=0)
    assert (statistic > stats.chi2.ppf(0.95, 4)).mean() == pytest.approx(0.8, abs=0.01)


def test_a_weak_test_is_flagged():
    event = pd.DataFrame({"event_time": [-3, -2, 0, 1], "effect": [0.0, 0.1, 0.2, 0.3]})
    assert "could have been missed" in pre_trends(event, np.eye(4)).flags[0].text


def test_it_says_what_it_cannot_do(growing):
    with pytest.raises(EstimationError, match='Did you mean "smoothness"'):
        honest_did(growing, "smooth")
    with pytest.raises(EstimationError, match="needs the covariance"):
        honest_did(PROFITS)
    with pytest.raises(EstimationError, match="its covariance is"):
        honest_did(PROFITS, covariance=np.eye(3))
    with pytest.raises(EstimationError, match="effect at time -1"):
        honest_did(growing.diagnostics["event_study"], covariance=growing.diagnostics["event_study_covariance"])
    with pytest.raises(EstimationError, match="not consecutive"):
        honest_did(PROFITS.drop(index=3), covariance=np.delete(np.delete(JOINT, 3, 0), 3, 1))
    with pytest.raises(EstimationError, match="two times before treatment"):
        honest_did(PROFITS.tail(4), covariance=JOINT[4:, 4:])
    with pytest.raises(EstimationError, match="m must be 0 or more"):
        honest_did(growing, m=-1)
    with pytest.raises(EstimationError, match="no time after treatment"):
        honest_did(growing, target=9)
