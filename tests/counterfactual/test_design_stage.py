"""The design stage: what a design can find and what its contract would pay for, on data whose truth is known."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from evalkit.counterfactual import estimate
from evalkit.counterfactual.design import design_stage, study_design
from evalkit.counterfactual.design.settings import setting_for
from evalkit.counterfactual.design.trials import Trials
from evalkit.counterfactual.design.worlds import people, shift_for
from evalkit.counterfactual.registry import find_estimator
from evalkit.errors import EstimationError, StudyError
from evalkit.study import read_study


def row(stage, name):
    return stage.table.set_index("name").loc[name]


def setting(estimator="aipw", **given):
    return setting_for(find_estimator(estimator), {"treated": 100, "comparison": 200, **given})


def test_cohen_1988_a_difference_of_half_a_standard_deviation_needs_64_people_in_each_arm():
    """Cohen (1988), Statistical Power Analysis, table 2.3: n = 64, d = .5, two-sided .05: power .80."""
    stage = design_stage("difference", treated=64, comparison=64, effect=0.5, threshold=0.3, draws=200, seed=1)
    expected, nothing = row(stage, "expected"), row(stage, "no effect")
    assert abs(expected["power"] - 0.801) <= 3 * expected["power_error"]
    assert abs(nothing["power"] - 0.05) <= 3 * nothing["power_error"]
    assert abs(nothing["coverage"] - 0.95) <= 3 * nothing["coverage_error"]
    assert abs(nothing["bias"]) <= 3 * nothing["bias_error"]
    assert stage.detectable == pytest.approx(0.4987, abs=0.07)
    assert nothing["coverage_error"] == pytest.approx(math.sqrt(0.95 * 0.05 / 200), rel=0.3)


def test_a_threshold_pays_for_nothing_as_often_as_chance_alone_passes_it():
    stage = design_stage("difference", treated=64, comparison=64, effect=0.5, threshold=0.3, draws=200, seed=2)
    spread = math.sqrt(2 / 64)
    assert abs(stage.pays_for_nothing - stats.norm.sf(0.3 / spread)) <= 3 * stage.pays_for_nothing_error
    assert abs(stage.misses - stats.norm.cdf((0.3 - 0.5) / spread)) <= 3 * stage.misses_error
    assert "still pays in" in " ".join(stage.says)


def test_where_less_is_better_the_contract_pays_for_reductions_as_a_share_of_the_level_without_it():
    """A fall of 4 from 40 is 10 in 100: half of all estimates reach a trigger of 10 %."""
    stage = design_stage(
        "difference",
        treated=200,
        comparison=200,
        effect=-4.0,
        mean=40.0,
        sd=10.0,
        better="lower",
        threshold=0.1,
        threshold_is="relative",
        draws=300,
    )
    assert abs(stage.misses - 0.5) <= 3 * stage.misses_error
    assert stage.pays_for_nothing < 0.01
    assert stage.detectable < 0


def test_shares_have_the_textbook_power_too():
    """40 % against 20 %, 82 in each arm: power .80 (Fleiss, Levin and Paik 2003, formula 4.14, no correction)."""
    stage = design_stage(
        "difference",
        treated=82,
        comparison=82,
        effect=0.2,
        values="yes or no",
        base_rate=0.2,
        r2=0.0,
        draws=200,
    )
    expected = row(stage, "expected")
    assert abs(expected["power"] - 0.80) <= 3 * expected["power_error"] + 0.01
    assert abs(expected["bias"]) <= 3 * expected["bias_error"]
    assert "+20.0 points" in " ".join(stage.says)


def test_whole_clusters_cost_power_and_the_design_effect_says_how_much():
    """Variance 2 (icc / clusters + (1 - icc) / people): 1 + (25 - 1) x 0.1 = 3.4 times that of people alone."""
    sizes = {"treated": 300, "comparison": 300, "effect": 0.3, "draws": 120}
    alone = design_stage("difference", **sizes)
    together = design_stage("difference", **sizes, clusters=24, icc=0.1)
    wide = 3 / math.sqrt(2 * 120)
    assert row(alone, "no effect")["sd"] == pytest.approx(math.sqrt(2 / 300), rel=wide)
    assert row(together, "no effect")["sd"] == pytest.approx(math.sqrt(2 / 300 * 3.4), rel=wide)
    assert row(together, "expected")["power"] < row(alone, "expected")["power"] - 0.2
    assert row(together, "no effect")["coverage"] > 0.9
    within = design_stage("difference", **{**sizes, "draws": 60}, clusters=24, icc=0.1, assigned="people")
    assert row(within, "no effect")["sd"] < row(together, "no effect")["sd"]


def test_arms_that_start_apart_bias_the_plain_difference_and_not_an_estimator_that_adjusts():
    told = {"treated": 150, "comparison": 300, "confounding": 0.5, "r2": 0.4, "draws": 120}
    plain, adjusted = design_stage("difference", **told), design_stage("aipw", **told)
    assert row(plain, "no effect")["bias"] == pytest.approx(0.5 * math.sqrt(0.4), abs=0.04)
    assert abs(row(adjusted, "no effect")["bias"]) <= 3 * row(adjusted, "no effect")["bias_error"]
    assert next(flag.text for flag in plain.flags if flag.level == "serious") == "This design is off on average."


def test_causes_that_nobody_recorded_bias_both_and_make_the_contract_pay_for_nothing():
    stage = design_stage("aipw", treated=150, comparison=300, unmeasured=0.3, threshold=0.15, draws=80)
    assert row(stage, "no effect")["bias"] == pytest.approx(0.3, abs=0.06)
    assert stage.pays_for_nothing > 0.8
    assert "The contract would often pay for nothing." in [flag.text for flag in stage.flags if flag.level == "serious"]


@pytest.mark.parametrize("everybody", [False, True])
@pytest.mark.parametrize("effect", [-0.1, 0.2])
def test_the_true_effect_on_a_yes_or_no_is_the_one_that_was_asked_for(effect, everybody):
    world = setting(treated=20_000, comparison=40_000, values="yes or no", base_rate=0.3, confounding=0.6, r2=0.4)
    drawn = people(world, np.random.default_rng(5))
    shift = shift_for(world, effect, everybody)
    who = slice(None) if everybody else drawn.reached
    change = ((drawn.plain + shift > 0).astype(float) - (drawn.plain > 0))[who].mean()
    assert change == pytest.approx(effect, abs=0.01)
    assert (drawn.plain[~drawn.reached] > 0).mean() == pytest.approx(0.3, abs=0.01)


def test_a_draw_has_the_spread_the_clusters_and_the_loss_it_was_asked_for():
    world = setting(
        treated=6000, comparison=9000, sd=4.0, mean=20.0, icc=0.2, clusters=(300, 450), attrition=(0.1, 0.3)
    )
    drawn = people(world, np.random.default_rng(1))
    rest = ~drawn.reached
    assert drawn.reached.sum() == pytest.approx(5400, rel=0.03)
    assert rest.sum() == pytest.approx(6300, rel=0.03)
    assert drawn.plain[rest].mean() == pytest.approx(20, abs=0.4)
    assert drawn.plain[rest].std() == pytest.approx(4, rel=0.04)
    means = pd.Series(drawn.plain[rest]).groupby(drawn.frame["cluster"][rest].to_numpy()).mean()
    assert means.var() == pytest.approx(16 * (0.2 + 0.8 / 14), rel=0.25)
    assert len(set(drawn.frame["cluster"][rest]) & set(drawn.frame["cluster"][drawn.reached])) == 0


def test_effects_that_only_move_the_estimate_are_moved_and_not_drawn_again():
    entry = find_estimator("ols")
    trials = Trials(entry, setting("ols"), {"level": 0.95}, 5, 0)
    assert trials.moves_alike(0.4)
    from evalkit.counterfactual.design.trials import moved

    pd.testing.assert_frame_equal(moved(trials.under(0.0), 0.4), trials.under(0.4), check_exact=False, rtol=1e-8)
    assert not Trials(entry, setting("ols", values="yes or no"), {"level": 0.95}, 5, 0).moves_alike(0.1)


def test_the_real_estimator_is_run_with_its_own_options():
    asked = {"distance": "mahalanobis", "ratio": 2}
    trials = Trials(find_estimator("matching"), setting("matching"), asked, 3, 0)
    drawn = trials.drawn(1)
    frame = drawn.frame.assign(outcome=drawn.plain)
    by_hand = estimate(
        frame, "matching", outcome="outcome", treated="treated", person="person", covariates=["x1", "x2", "x3"], **asked
    )
    assert trials.under(0.0)["effect"].iloc[1] == pytest.approx(by_hand.effect, abs=1e-12)


@pytest.mark.parametrize(
    ("estimator", "given"),
    [
        ("did", {"treated": 80, "comparison": 80}),
        ("staggered did", {"treated": 20, "comparison": 20}),
        ("synthetic control", {"treated": 1, "comparison": 24}),
        ("regression discontinuity", {"treated": 150, "comparison": 150}),
        ("interrupted time series", {"treated": 24, "comparison": 36, "mean": 60.0, "sd": 5.0}),
    ],
)
def test_every_kind_of_design_finds_a_large_effect_and_is_not_far_off(estimator, given):
    big = 12.0 if "mean" in given else 4.0
    stage = design_stage(estimator, effect=big, draws=20, **given)
    assert row(stage, "expected")["power"] > 0.8
    assert abs(row(stage, "expected")["bias"]) < 4 * row(stage, "expected")["bias_error"]
    assert math.isfinite(stage.detectable)
    assert stage.detectable < big


def test_the_same_seed_gives_the_same_answer():
    one, two, other = (design_stage("difference", treated=20, comparison=20, draws=30, seed=s) for s in (4, 4, 5))
    pd.testing.assert_frame_equal(one.table, two.table)
    assert not one.table.equals(other.table)


@pytest.mark.slow
def test_two_processes_give_the_answer_of_one():
    told = {"treated": 20, "comparison": 20, "draws": 110, "seed": 4}
    shared = design_stage("difference", **told, workers=2)
    pd.testing.assert_frame_equal(design_stage("difference", **told).table, shared.table)


def test_draws_that_cannot_be_estimated_are_counted_as_effects_not_found():
    stage = design_stage("ipw", treated=6, comparison=6, confounding=1.5, covariates=4, effect=3.0, draws=40, seed=3)
    expected = row(stage, "expected")
    assert 0 < expected["failed"] < 40
    assert expected["power"] <= 1 - expected["failed"] / 40
    assert "could not be estimated" in stage.says[0]
    assert "In many draws there is no estimate, or no interval; they count as effects not found." in [
        flag.text for flag in stage.flags
    ]


def test_all_that_cannot_be_is_said_at_once():
    with pytest.raises(EstimationError) as told:
        design_stage("aipw", treated=1, comparison=50, icc=1.2, sd=0, values="yes", better="up", threshold_is="share")
    for finding in ("treated = 1 is too few", "icc = 1.2", "sd = 0", 'values = "yes"', 'better = "up"', "threshold_is"):
        assert finding in str(told.value)


def test_what_cannot_be_drawn_says_what_to_try_instead():
    with pytest.raises(EstimationError, match=r"cannot be tried on invented data\. Its sizes are those of two groups"):
        design_stage("published", treated=50, comparison=50)
    with pytest.raises(EstimationError, match="nothing simulated can say whether the times changed"):
        design_stage("historical baseline", treated=50, comparison=50)
    with pytest.raises(EstimationError, match=r'"calliper" is not known\. Did you mean "caliper"'):
        design_stage("matching", treated=50, comparison=50, calliper=0.2)
    with pytest.raises(EstimationError, match="would have a yes anyway"):
        design_stage("difference", treated=50, comparison=50, values="yes or no", base_rate=0.1, effect=-0.2, draws=5)


# ---------------------------------------------------------------- a study's own design

STUDY = """
[tables]
people = "people.csv"

[cohort]
person = "person_id"
index = { table = "people", date = "referred_on" }
arm = { column = "arm", treated = "therapy", comparison = "usual care" }
cluster = "team"

[[occasion]]
id = "baseline"
day = 0

[[measure]]
id = "days"
column = "days"
table = "people"
values = "amount"
better = "lower"

[counterfactual]
estimator = "aipw"
covariates = ["age", "days@baseline"]
design = "RDD"

[contract]

[[contract.trigger]]
id = "early"
says = "a tenth fewer"
outcome = "days"
at_least = 0.1

"""
DESIGN = (
    "[design]\ntreated = 60\ncomparison = 90\nmean = 40.0\nsd = 12.0\neffect = -8.0\nicc = 0.05\nclusters = [6, 9]\n"
)


def drawn_people(n=120):
    random = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "person_id": [f"p{i}" for i in range(n)],
            "referred_on": "2024-01-01",
            "arm": np.where(np.arange(n) % 3 == 0, "therapy", "usual care"),
            "team": [f"t{i % 10}" for i in range(n)],
            "age": random.integers(11, 18, n),
            "days": random.poisson(20, n),
        }
    )


def test_a_study_is_tried_with_the_sizes_and_the_trigger_it_plans(make_study):
    stage = study_design(read_study(make_study(STUDY + DESIGN), with_files=False), draws=60)
    assert (stage.setting.treated, stage.setting.comparison, stage.setting.clusters) == (60, 90, (6, 9))
    assert (stage.setting.better, stage.setting.threshold, stage.setting.threshold_is) == ("lower", 0.1, "relative")
    assert row(stage, "expected")["effect"] == -8
    assert 0 <= stage.pays_for_nothing < 0.6
    told = " ".join(flag.text for flag in stage.flags)
    assert 'The threshold is that of the trigger "early".' in told
    assert 'does not carry out the design "RDD"' in told


def test_a_study_with_a_cohort_keeps_its_people_clusters_and_covariates_and_looks_at_no_outcome(make_study):
    from evalkit.cohort import build_cohort

    plan = STUDY.split("[contract]")[0]
    study = read_study(make_study(plan, people=drawn_people()))
    stage = study_design(study, build_cohort(study), draws=20)
    assert (stage.setting.treated, stage.setting.comparison) == (40, 80)
    assert stage.setting.assigned == "people"
    assert list(stage.setting.people) == ["person", "treated", "cluster", "age"]
    told = " ".join(flag.text for flag in stage.flags)
    assert "Covariates that are readings are not looked at here: days@baseline." in told
    assert math.isnan(stage.pays_for_nothing)
    assert "person" not in repr(stage)
    assert "p1" not in stage._repr_html_()


def test_a_study_whose_sizes_nobody_knows_is_told_what_to_write(make_study):
    study = read_study(make_study(STUDY), with_files=False)
    with pytest.raises(StudyError, match=r"Write \[design\] with treated = \.\.\. and comparison = \.\.\. \."):
        study_design(study, draws=20)


def test_a_share_of_an_unknown_level_is_no_threshold_and_that_is_said(make_study):
    plan = STUDY + DESIGN.replace("mean = 40.0\n", "")
    stage = study_design(read_study(make_study(plan), with_files=False), draws=20)
    assert math.isnan(stage.pays_for_nothing)
    assert "[design] gives no mean" in " ".join(flag.text for flag in stage.flags)


def test_a_design_that_cannot_be_is_refused_by_the_study_file(make_study):
    with pytest.raises(StudyError, match=r"\[design\] icc = 1\.5: it must be less than 1"):
        read_study(make_study(STUDY + DESIGN.replace("icc = 0.05", "icc = 1.5")), with_files=False)
