"""Two published rates or counts: shares, events, rounding, and what cannot be known; stated shares beside them."""

import math

import numpy as np
import pandas as pd
import pytest

from evalkit import counterfactual as cf
from evalkit.counterfactual.two_shares import Share, difference_ends, p_of_difference, ratio_ends, wilson_at
from evalkit.errors import EstimationError
from evalkit.outcomes.change.shares import newcombe, wilson
from evalkit.study import read_study


def rates(treated, comparison, n=(None, None)):
    return pd.DataFrame({"arm": [1, 0], "rate": [treated, comparison], "n": list(n)})


def run(frame, **options):
    n = "n" if frame["n"].notna().all() else None
    return cf.estimate(frame, "published", outcome="rate", treated="arm", n=n, **options)


# ------------------------------------------------------------------ shares


def test_newcombe_1998_table_ii_first_row():
    found = difference_ends(Share(56 / 70, 70), Share(48 / 80, 80), 1.959964)
    assert found == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_the_interval_of_two_shares_is_newcombes():
    found = run(rates(59, 75, (445, 445)), values="yes or no", per=100)
    low, high = newcombe(0.59 * 445, 445, 0.75 * 445, 445)
    assert (found.low, found.high) == pytest.approx((100 * low, 100 * high))
    assert found.se == pytest.approx(3.106, abs=5e-4)
    assert wilson_at(0.59, 445, 1.959964) == pytest.approx(wilson(0.59 * 445, 445), abs=1e-6)


def test_the_p_value_says_what_the_interval_says():
    for treated, n in ((0.6, 60), (0.62, 60), (0.66, 60), (0.9, 60)):
        found = run(rates(treated, 0.45, (n, n)), values="yes or no")
        assert (found.p < 0.05) == (found.low > 0)
        edge = run(rates(treated, 0.45, (n, n)), values="yes or no", level=1 - found.p)
        assert edge.low == pytest.approx(0, abs=1e-6)
    assert p_of_difference(Share(0.5, 10), Share(0.5, 20)) == 1


def test_the_intervals_cover_near_nobody_and_near_everybody():
    random = np.random.default_rng(7)
    for share, n, other, m in ((0.1, 50, 0.05, 50), (0.97, 60, 0.6, 40), (0.3, 20, 0.1, 20)):
        effects, ratios = [], []
        for _ in range(300):
            one, none = Share(random.binomial(n, share) / n, n), Share(random.binomial(m, other) / m, m)
            low, high = difference_ends(one, none, 1.96)
            effects.append(low <= share - other <= high)
            if one.value > 0:
                low, high = ratio_ends(none, one, 1.96)
                ratios.append(low <= other / share <= high)
        assert np.mean(effects) >= 0.93
        assert np.mean(ratios) >= 0.93


def test_nobody_in_an_arm_has_an_interval_and_not_a_certainty():
    found = run(rates(0.3, 0.0, (50, 50)), values="yes or no")
    assert found.deadweight.value == 0
    assert 0 < found.deadweight.high < 0.5
    assert found.low < 0.3 < found.high


def test_an_adverse_share_is_turned_into_its_absence_with_its_interval():
    found = run(rates(0.108, 0.55, (388, 200)), values="yes or no", better="lower")
    low, high = ratio_ends(Share(0.45, 200), Share(0.892, 388), 1.959964)
    assert found.deadweight.value == pytest.approx(0.45 / 0.892)
    assert (found.deadweight.low, found.deadweight.high) == pytest.approx((low, high), abs=1e-6)


# ------------------------------------------------------------------ counts and events


def test_counts_become_rates_by_the_people_they_were_counted_in():
    shares = run(rates(0.59, 0.75, (400, 400)), values="yes or no")
    counted = run(rates(236, 300, (400, 400)), values="yes or no", counts=True)
    assert (counted.effect, counted.low, counted.p) == pytest.approx((shares.effect, shares.low, shares.p))
    with pytest.raises(EstimationError, match="counts need the numbers of people"):
        run(rates(236, 300), values="yes or no", counts=True)
    with pytest.raises(EstimationError, match="must lie between 0 and per"):
        run(rates(436, 300, (400, 400)), values="yes or no", counts=True)


def test_events_of_which_one_person_may_have_several_have_poissons_variance_at_the_least():
    found = run(rates(142, 155, (900, 9000)), values="amount", better="lower", per=100, events=True)
    assert found.effect == -13
    assert found.se == pytest.approx(100 * math.sqrt(1.42 / 900 + 1.55 / 9000))
    assert any(flag.level == "caution" and "least there can be" in flag.text for flag in found.flags)
    wider = run(rates(142, 155, (900, 9000)), values="amount", better="lower", per=100, events=True, dispersion=3.2)
    assert wider.se == pytest.approx(found.se * math.sqrt(3.2))
    low, high = found.diagnostics["relative_interval"]
    assert low < -13 / 155 < high
    same = run(rates(1278, 13950, (900, 9000)), values="amount", better="lower", per=100, events=True, counts=True)
    assert same.se == pytest.approx(found.se)


def test_events_cover_where_they_are_independent():
    random, covered = np.random.default_rng(3), []
    for _ in range(300):
        frame = rates(random.poisson(1.4 * 200), random.poisson(1.6 * 300), (200, 300))
        found = run(frame, values="amount", counts=True, events=True)
        covered.append(found.low <= -0.2 <= found.high)
    assert 0.91 <= np.mean(covered) <= 0.98


def test_an_amount_with_numbers_of_people_is_not_taken_for_a_share_or_for_events():
    found = run(rates(142, 155, (900, 900)), values="amount", per=100)
    assert math.isnan(found.se)
    assert "Sampling error unknown." in [flag.text for flag in found.flags]
    unsaid = run(rates(0.4, 0.5, (900, 900)))
    assert any("events = true" in flag.detail for flag in unsaid.flags)


# ------------------------------------------------------------------ without numbers


def test_without_numbers_there_is_the_rounding_and_a_serious_flag():
    found = run(rates(142, 155), values="amount", better="lower", rounding=1, per=100)
    assert all(math.isnan(value) for value in (found.se, found.low, found.high, found.p, found.df))
    assert (found.diagnostics["rounding_low"], found.diagnostics["rounding_high"]) == (-14, -12)
    assert found.diagnostics["relative"] == pytest.approx(-0.08387, abs=1e-5)
    (flag,) = [flag for flag in found.flags if flag.level == "serious"]
    assert flag.text == "Sampling error unknown."


def test_v12_peterborough_cohort_1_falls_short_of_its_trigger(make_study):
    folder = make_study(
        '[counterfactual]\nestimator = "published"\nrates = "rates.csv"\n',
        rates="""outcome,treated,comparison,per,values,better,rounding
        reconvictions,142,155,100,amount,lower,1""",
    )
    row = cf.effects_from_rates(read_study(folder)).table.iloc[0]
    assert 100 * row["relative"] == pytest.approx(-8.387, abs=0.001)
    assert -row["relative_low"] < 0.10  # no rounding of the two rates reaches the trigger of one cohort
    assert row["conclusion"] == "not known"


def test_options_that_contradict_the_world_are_refused():
    for options, told in (
        ({"rounding": -1}, "cannot be negative"),
        ({"per": 0}, "above 0"),
        ({"dispersion": 0}, "above 0"),
    ):
        with pytest.raises(EstimationError, match=told):
            run(rates(0.4, 0.5, (90, 90)), values="yes or no", **options)
    with pytest.raises(EstimationError, match="one row per arm"):
        run(pd.concat([rates(0.4, 0.5)] * 2), values="yes or no")


# ------------------------------------------------------------------ stated shares


def test_a_stated_share_never_has_a_sampling_interval_and_never_earns_a_level():
    found = cf.estimate(
        pd.DataFrame({"jobs": [0.6]}), "assumed", outcome="jobs", deadweight=1.2, low=0.8, high=1.4, values="yes or no"
    )
    assert (found.counterfactual, found.effect) == pytest.approx((0.72, -0.12))
    assert (found.deadweight.low, found.deadweight.high) == (0.8, 1.4)
    assert all(math.isnan(value) for value in (found.se, found.low, found.p))
    assert not cf.known_estimators()["assumed"].earns_level
    assert cf.known_estimators()["published"].earns_level
