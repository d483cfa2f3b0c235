"""A number that decided who was treated: published results, the contract, doubts, bad input."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit import counterfactual as cf
from evalkit.counterfactual.placebo_cutoffs import placebo_cutoffs
from evalkit.errors import EstimationError
from evalkit.simulate.effect_panels import discontinuity_world

DATA = Path(__file__).parents[1] / "data"
SENATE = {"outcome": "vote", "running": "margin"}


def run(frame, **options):
    return cf.estimate(frame, "regression discontinuity", outcome="y", running="score", person="person", **options)


def texts(found):
    return " ".join(flag.text for flag in found.flags)


@pytest.fixture(scope="module")
def world():
    return discontinuity_world(600, 2.0, seed=3)


@pytest.fixture(scope="module")
def senate():
    return pd.read_csv(DATA / "senate_rdd.csv")


# ----------------------------------------------- Cattaneo, Frandsen and Titiunik (2015), incumbents in the Senate: V8


def test_cattaneo_frandsen_titiunik_incumbents_in_the_senate(senate):
    found = cf.estimate(senate, "regression discontinuity", **SENATE)
    told = found.diagnostics
    assert (found.effect, found.se) == pytest.approx((7.414131, 1.458716), abs=1e-5)
    assert (found.low, found.high) == pytest.approx((4.093699, 10.919306), abs=1e-5)
    assert (told["bandwidth"], told["bandwidth_bias"]) == pytest.approx((17.754398, 28.028089), abs=1e-5)
    assert told["bias_corrected"] == pytest.approx(7.506502, abs=1e-5)
    assert (told["n_left"], told["n_right"]) == (360, 323)
    assert told["robust_p"] == found.p < 0.001
    assert told["dropped"] == 93
    assert told["density_p"] > 0.1
    assert found.observed - found.counterfactual == pytest.approx(found.effect)


def test_incumbents_in_the_senate_at_other_cutoffs_and_bandwidths(senate):
    placebos = placebo_cutoffs(senate, **SENATE)
    assert len(placebos) == 6
    assert (placebos["p"] > 0.05).all()
    table = cf.estimate(senate, "regression discontinuity", **SENATE).diagnostics["bandwidths"]
    assert table["bandwidth"].to_numpy() / table["bandwidth"].iloc[1] == pytest.approx([0.5, 1, 2])
    assert (table["low"] > 0).all()


# ------------------------------------------------------------------------------------------------------- the contract


def test_it_recovers_a_known_effect_and_its_interval_covers_it():
    found = [run(discontinuity_world(400, 2.0, seed)) for seed in range(60)]
    effects = np.array([one.effect for one in found])
    assert abs(effects.mean() - 2.0) < 4 * effects.std() / 60**0.5
    assert 0.88 <= np.mean([one.low <= 2.0 <= one.high for one in found]) <= 0.995
    assert 0.8 < np.mean([one.se for one in found]) / effects.std() < 1.3


def test_the_order_of_rows_does_not_matter_and_the_input_is_left_alone(world):
    frame = world.assign(score=world["score"].round(2))
    before = frame.copy(deep=True)
    plain = {"outcome": "y", "running": "score", "covariates": ["x"]}
    given = cf.estimate(frame, "regression discontinuity", **plain)
    moved = frame.sample(frac=1, random_state=1).reset_index(drop=True)
    shuffled = cf.estimate(moved, "regression discontinuity", **plain)
    assert (given.effect, given.se, given.low, given.p) == (shuffled.effect, shuffled.se, shuffled.low, shuffled.p)
    pd.testing.assert_frame_equal(given.diagnostics["points"], shuffled.diagnostics["points"])
    pd.testing.assert_frame_equal(frame, before)


def test_it_scales_with_the_unit(world):
    one, hundred = run(world), run(world.assign(y=world["y"] * 100))
    assert (hundred.effect, hundred.se) == pytest.approx((100 * one.effect, 100 * one.se), rel=1e-8)
    assert hundred.p == pytest.approx(one.p, rel=1e-6)


def test_those_below_the_cutoff_may_be_the_treated():
    frame = discontinuity_world(600, 2.0, seed=5, cutoff=40.0, side="below")
    said = run(frame, cutoff=40.0, treated_side="below")
    seen = run(frame, cutoff=40.0, treated="treated")
    assert (said.effect, said.low, said.high) == (seen.effect, seen.low, seen.high)
    assert said.low < 2 < said.high
    assert said.observed - said.counterfactual == pytest.approx(said.effect)
    other = run(frame, cutoff=40.0)
    assert (other.effect, other.low, other.high) == pytest.approx((-said.effect, -said.high, -said.low))
    with pytest.raises(EstimationError, match="everybody treated is on the other side"):
        run(frame, cutoff=40.0, treated="treated", treated_side="above")


def test_people_at_the_cutoff_go_where_the_column_of_the_treated_puts_them(world):
    frame = world.assign(score=world["score"].round(1))
    frame["treated"] = (frame["score"] <= 0).astype(int)
    found = run(frame, treated="treated")
    assert found.diagnostics["fuzzy"] is False
    moved = frame.assign(score=frame["score"].where(frame["score"] != 0, -1e-9))
    assert found.effect == pytest.approx(run(moved, treated_side="below").effect, abs=1e-6)


def test_a_cutoff_that_did_not_decide_alone_gives_the_effect_on_those_it_moved():
    frame = discontinuity_world(4000, 2.0, seed=6, takeup=(0.1, 0.7))
    found = run(frame, treated="treated")
    assert found.diagnostics["fuzzy"] is True
    assert found.low < 2 < found.high
    assert found.diagnostics["jump_in_treatment"] == pytest.approx(0.6, abs=0.15)
    assert found.counterfactual == pytest.approx(10, abs=0.6)
    assert "whom it moved into treatment" in texts(found)
    below = run(discontinuity_world(4000, 2.0, seed=6, takeup=(0.1, 0.7), side="below"), treated="treated")
    assert below.low < 2 < below.high


def test_a_covariate_that_explains_the_outcome_narrows_the_interval():
    frame = discontinuity_world(1500, 2.0, seed=7)
    frame["y"] += 3 * frame["x"]
    plain, adjusted = run(frame), run(frame, covariates=["x"])
    assert adjusted.se < 0.6 * plain.se
    assert adjusted.low < 2 < adjusted.high


def test_deadweight_counts_that_both_limits_are_uncertain(world):
    found = run(world, values="amount")
    assert found.deadweight.value == pytest.approx(found.counterfactual / found.observed)
    assert "Fieller" in found.deadweight.method
    assert found.deadweight.low < found.deadweight.value < found.deadweight.high


def test_the_variances_of_both_limits_add_up_to_that_of_their_difference(world):
    from evalkit.counterfactual.cutoffs import Side, limit_variances

    found, sorted_ = run(world), world.sort_values("score")
    none = pd.DataFrame(index=range(len(world)))
    side = Side(sorted_["score"].to_numpy(), sorted_["y"].to_numpy(), None, none, 0.0, True)
    both = limit_variances(side, found.diagnostics["bandwidth"], "triangular", 1)
    assert sum(both) ** 0.5 == pytest.approx(found.se, rel=0.02)


def test_binned_means_hold_ten_people_or_more_and_never_cross_the_cutoff(world):
    table = run(world.assign(score=world["score"].round(1))).diagnostics["points"]
    assert table["n"].min() >= 10
    assert table["n"].sum() == 600
    assert (table.loc[table["side"] == "left", "running"] < 0).all()
    assert (table.loc[table["side"] == "right", "running"] >= 0).all()


def test_few_people_near_the_cutoff_widen_the_interval_and_are_flagged():
    found = run(discontinuity_world(200, 2.0, seed=8))
    assert np.isfinite(found.df)
    assert "Few people lie within the bandwidth" in texts(found)
    with pytest.raises(EstimationError, match="are needed for an honest interval"):
        run(discontinuity_world(200, 2.0, seed=8), bandwidth=0.03)


# ------------------------------------------------------------------------------------------------------------- doubts


def test_crowding_at_the_cutoff_is_a_serious_flag():
    frame = discontinuity_world(3000, 2.0, seed=9)
    assert "crowd" not in texts(run(frame))
    pushed = frame["score"].between(-0.06, 0)
    crowded = run(frame.assign(score=frame["score"].where(~pushed, -frame["score"] + 1e-6)))
    assert any(flag.level == "serious" and "crowd on one side" in flag.text for flag in crowded.flags)
    assert crowded.diagnostics["binomial_p"] < 0.001


def test_a_covariate_that_jumps_at_the_cutoff_is_a_serious_flag():
    frame = discontinuity_world(1500, 2.0, seed=10)
    even = run(frame, covariates=["x"])
    assert "also differ in" not in texts(even)
    assert list(even.balance.index) == ["x"]
    uneven = run(frame.assign(age=frame["x"] + 2 * (frame["score"] >= 0)), covariates=["x", "age"])
    assert "people also differ in age" in texts(uneven)
    assert uneven.diagnostics["covariate_jumps"].loc["age", "jump"] == pytest.approx(2, abs=0.6)


def test_a_number_of_few_values_is_flagged(world):
    found = run(world.assign(score=(world["score"] * 20).round() / 20))
    assert "takes the same values for many people" in texts(found)


def test_every_effect_at_a_cutoff_says_that_it_is_local(world):
    assert "The effect is that on people at the cutoff" in texts(run(world))


# ---------------------------------------------------------------------------------------------------------- bad input


def test_people_without_the_number_are_left_out_and_counted(world):
    frame = world.copy()
    frame.loc[:59, "score"] = np.nan
    frame.loc[60:69, "y"] = np.nan
    found = run(frame)
    assert found.diagnostics["dropped"] == 70
    assert found.effect == run(frame.iloc[70:]).effect
    assert "People without the number" in texts(found)


def test_it_says_what_it_cannot_do(world):
    with pytest.raises(EstimationError, match="needs the number that decided"):
        cf.estimate(world, "regression discontinuity", outcome="y")
    with pytest.raises(EstimationError, match=r"600 people below the cutoff 9\.00 and 0 at or above it"):
        run(world, cutoff=9.0)
    with pytest.raises(EstimationError, match="has no interval for clusters"):
        run(world.assign(team=world["person"].str[-1]), cluster="team")
    with pytest.raises(EstimationError) as several:
        run(world, kernel="gauss", order=9, bandwidth=-1, treated_side="left")
    assert "has 4 problems" in str(several.value)
    found = run(world.assign(treated=world["person"].str[-1].astype(int) % 2), treated="treated")
    assert "Treatment hardly jumps" in texts(found)
    with pytest.raises(EstimationError, match="true cutoff"):
        placebo_cutoffs(world, outcome="y", running="score", cutoffs=[0.0])
