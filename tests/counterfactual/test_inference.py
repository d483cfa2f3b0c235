"""Standard errors by name, arms re-drawn by lot, and what an interval allows to be said."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit import counterfactual as cf
from evalkit.counterfactual.panel import Columns, Plan, codes, prepare
from evalkit.counterfactual.registry import find_estimator
from evalkit.counterfactual.testing import (
    detectable_effect,
    detectable_effect_before,
    equivalence,
    finding,
    interval_at,
    joint_covariance,
)
from evalkit.counterfactual.testing.examples import an_estimate
from evalkit.errors import EstimationError
from evalkit.simulate.effect_worlds import clustered

DATA = Path(__file__).parents[1] / "data"
SCHOOL = ["school_type", "father_ed", "mother_ed", "immigrant", "siblings", "q"]


@pytest.fixture(scope="module")
def girls():
    return pd.read_csv(DATA / "v06_achievement_girls_2001.csv", dtype={"q": str})


def on_girls(girls, **options):
    told = {"outcome": "Bagrut_status", "treated": "treated", "person": "student_id", "cluster": "school_id"}
    return cf.estimate(girls, "ols", **told, covariates=SCHOOL, **options)


def trial(n=12, effect=1.0, seed=3):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"id": [f"p{i:02}" for i in range(n)], "arm": [0, 1] * (n // 2)})
    return frame.assign(y=effect * frame["arm"] + random.normal(size=n), town=np.arange(n) // 4)


def on_trial(frame, **options):
    told = {"outcome": "y", "treated": "arm", "person": "id"}
    return cf.estimate(frame, options.pop("estimator", "difference"), **told, **options)


def texts(found):
    return " ".join(flag.text for flag in found.flags)


# ------------------------------------------------------------------ Angrist and Lavy (2009): V6


def test_angrist_lavy_by_every_clustered_standard_error(girls, grid):
    grid(
        """
        kind | se
        cr1s | 0.0443288086
        cr2  | 0.0471727191
        cr3  | 0.0512532931
        """,
        lambda row: on_girls(girls, se=row.kind).se,
        "se",
    )
    found = on_girls(girls)
    assert (found.effect, found.df) == pytest.approx((0.0998235124, 20.843114), abs=1e-6)
    assert (found.p, found.low, found.high) == pytest.approx((0.0465427, 0.0016775, 0.1979695), abs=1e-7)


def test_angrist_lavy_wild_bootstrap(girls):
    found = on_girls(girls, se="wild", weights="rademacher", draws=29_999)
    assert found.p == pytest.approx(0.0478, abs=0.004)
    assert np.isnan([found.se, found.df]).all()
    assert found.low < found.effect < found.high
    assert found.diagnostics["bootstrap"] == {"weights": "rademacher", "sets": 29_999, "all_sets": False}
    assert found.influence is not None


def test_a_bootstrap_repeats_with_its_seed(girls):
    one, again, other = (on_girls(girls, se="wild", draws=499, seed=seed) for seed in (1, 1, 2))
    assert (one.p, one.low) == (again.p, again.low)
    assert (one.p, one.low) != (other.p, other.low)


def test_with_few_clusters_all_sets_of_weights_are_taken():
    found = cf.estimate(
        clustered(2), "ols", outcome="y", treated="treated", covariates=["x1"], cluster="cluster", se="wild"
    )
    assert found.diagnostics["bootstrap"]["all_sets"]
    assert found.p * 2**12 == pytest.approx(round(found.p * 2**12))


def test_a_few_treated_clusters_make_the_wild_bootstrap_shy_and_that_is_said():
    frame = clustered(2, treated_clusters=3, comparison_clusters=9)
    found = cf.estimate(frame, "difference", outcome="y", treated="treated", cluster="cluster", se="wild")
    assert "With 3 treated clusters the wild bootstrap finds too little" in texts(found)


# ------------------------------------------------------------------ arms re-drawn by lot


def test_all_ways_give_the_p_value_of_counting_them():
    frame = trial(10)

    def welch(chosen):
        one, none = frame["y"][list(chosen)], frame["y"].drop(list(chosen))
        return abs(one.mean() - none.mean()) / np.sqrt(one.var(ddof=0) / len(one) + none.var(ddof=0) / len(none))

    own = welch(np.flatnonzero(frame["arm"]))
    peer = np.mean([welch(chosen) >= own * (1 - 1e-9) for chosen in combinations(range(10), 5)])
    found = on_trial(frame, se="permutation")
    assert found.p == pytest.approx(peer)
    assert found.diagnostics["permutation"] == {"redrawn": "people", "ways": 252, "all_ways": True}


def test_its_interval_holds_the_values_that_are_not_rejected():
    frame = trial(12)
    found = on_trial(frame, se="permutation")
    for value, inside in ((found.low + 0.02, True), (found.low - 0.02, False), (found.high + 0.02, False)):
        moved = frame.assign(y=frame["y"] - value * frame["arm"])
        assert (on_trial(moved, se="permutation").p > 0.05) == inside


def test_whole_clusters_are_redrawn_whole_and_people_within_strata():
    frame = clustered(3, lean=0.0)
    told = {"outcome": "y", "treated": "treated", "se": "permutation"}
    whole = cf.estimate(frame, "difference", cluster="cluster", **told)
    assert whole.diagnostics["permutation"] == {"redrawn": "clusters", "ways": 924, "all_ways": True}
    within = on_trial(trial(12), strata="town", se="permutation")
    assert within.diagnostics["permutation"] == {"redrawn": "people within strata", "ways": 6**3, "all_ways": True}
    mixed = on_trial(trial(12), cluster="town", se="permutation")
    assert mixed.diagnostics["permutation"]["redrawn"] == "people within clusters"


def test_covariates_sharpen_a_permutation_test():
    frame = trial(60, seed=5)
    frame["x"] = np.random.default_rng(9).normal(size=60)
    frame["y"] += 3 * frame["x"]
    plain = on_trial(frame, se="permutation", draws=999)
    sharp = on_trial(frame, se="permutation", draws=999, estimator="ols", covariates=["x"])
    assert sharp.high - sharp.low < 0.6 * (plain.high - plain.low)


def test_a_true_null_is_rejected_about_as_often_as_said():
    p = [on_trial(trial(12, 0.0, seed), se="permutation").p for seed in range(200)]
    assert 0.01 <= np.mean(np.array(p) <= 0.05) <= 0.09


def test_an_outcome_without_spread_has_no_permutation_interval_either():
    found = on_trial(trial(12).assign(y=1.5), se="permutation")
    assert np.isnan([found.low, found.high, found.p]).all()


# ------------------------------------------------------------------ options


def test_draws_and_seed_are_options_of_all(grid):
    assert on_trial(trial(), draws=99, seed=4).effect == on_trial(trial()).effect
    grid(
        """
        draws | seed | says
        0     | 0    | draws = 0 must be a whole number
        99    | -1   | seed = -1 must be a whole number
        """,
        lambda row: _refusal(draws=row.draws, seed=row.seed)[: len(row.says)],
        "says",
    )
    with pytest.raises(EstimationError, match="draws = 50 is too few for a p-value"):
        on_trial(trial(), se="permutation", draws=50)


def _refusal(**options):
    with pytest.raises(EstimationError) as caught:
        on_trial(trial(), **options)
    return str(caught.value).split("1 problem: ")[-1].split("\n  1. ")[-1]


def test_what_cannot_be_drawn_is_said():
    with pytest.raises(EstimationError, match=r'"wild" is for clustered data'):
        on_trial(trial(), se="wild")
    with pytest.raises(EstimationError, match=r'weights = "web" .* Did you mean "webb"'):
        on_trial(trial(), se="wild", weights="web", cluster="town")
    frame = trial(12).assign(arm=[0] * 4 + [1] * 8)
    with pytest.raises(EstimationError, match="could not have fallen otherwise"):
        on_trial(frame, se="permutation", strata="town")
    with pytest.raises(EstimationError, match=r'strata = "town" is empty in 12 rows'):
        on_trial(frame.assign(town=np.nan), se="permutation", strata="town")


# ------------------------------------------------------------------ preparing


@pytest.mark.parametrize(
    "ids",
    [
        [10, 9, 1, 100, 2],
        ["b10", "b9", "b1", "b100", "b01"],
        ["b", "a1", "a", "Z", "é"],
        [1.5, 10.0, 2.0, 0.5, 3.0],
    ],
)
def test_people_stand_in_the_order_of_their_ids_as_text(ids):
    frame = pd.DataFrame({"id": ids, "arm": [0, 1, 0, 1, 1], "y": [1.0, 2.0, 3.0, 4.0, 5.0]})
    panel = prepare(frame, Columns("y", "arm", person="id"), Plan("difference"), find_estimator("difference"))
    assert panel.person.tolist() == sorted(str(one) for one in ids)
    assert panel.y.tolist() == [frame["y"][[str(one) for one in ids].index(name)] for name in panel.person]
    assert codes(np.array(ids)).tolist() == np.unique(np.array(ids).astype(str), return_inverse=True)[1].tolist()


def test_arms_may_be_words_and_other_columns_are_not_told():
    frame = trial()
    words = frame.assign(arm=frame["arm"].map({1: "therapy", 0: "usual care"}))
    assert on_trial(words, treated_is="therapy").effect == pytest.approx(on_trial(frame).effect)
    with pytest.raises(EstimationError, match=r"holds therapy and usual care\. Say which of them"):
        on_trial(words)
    with pytest.raises(EstimationError, match="it holds 12 different values") as caught:
        on_trial(frame.assign(arm=frame["id"]))
    assert "p01" not in str(caught.value)
    with pytest.raises(EstimationError, match=r'treated_is = \'therapie\' is no value.*Did you mean "therapy"'):
        on_trial(words, treated_is="therapie")
    assert on_trial(frame.assign(arm=frame["arm"] + 1.0), treated_is=2).effect == pytest.approx(on_trial(frame).effect)


def test_one_person_against_many_has_no_interval_but_a_classical_one():
    frame = trial().assign(arm=[1] + [0] * 11)
    assert "The treated arm is one person or place" in texts(on_trial(frame))
    assert np.isnan(on_trial(frame).se)
    assert np.isfinite(on_trial(frame, se="classical").se)


def test_everybody_in_one_cluster_is_flagged_and_not_bounded():
    found = on_trial(trial().assign(town=1), cluster="town")
    assert "treated and comparison arm lies in one cluster" in texts(found)
    assert np.isnan([found.se, found.low]).all()


# ------------------------------------------------------------------ what an interval allows to be said


def test_an_interval_at_another_level_is_that_of_estimating_again():
    frame = trial(30)
    assert interval_at(on_trial(frame), 0.8) == pytest.approx(
        (on_trial(frame, level=0.8).low, on_trial(frame, level=0.8).high)
    )
    with pytest.raises(EstimationError, match=r"estimate again with level = 0\.8"):
        interval_at(on_trial(frame, se="permutation", draws=999), 0.8)


def test_a_verdict_for_every_place_an_interval_can_lie(grid):
    grid(
        """
        effect | se   | better | verdict
        1.0    | 0.2  | higher | better
        -1.0   | 0.2  | lower  | better
        -0.3   | 0.1  | higher | worse
        0.1    | 0.15 | higher | no worthwhile difference
        0.3    | 0.09 | higher | no worthwhile difference
        0.1    | 0.5  | higher | no clear difference
        -0.3   | 0.3  | higher | no clear difference
        """,
        lambda row: finding(an_estimate(row.effect, row.se), 0.5, row.better).verdict,
        "verdict",
    )
    assert finding(an_estimate(0.1, np.nan), 0.5).verdict == "not known"
    assert finding(an_estimate(0.1, 0.01)).verdict == "better"
    assert "rules out an improvement of 0.500 or more, but not harm" in finding(an_estimate(-0.3, 0.3), 0.5).says


def test_two_one_sided_tests():
    from scipy import stats

    found = equivalence(an_estimate(0.1, 0.2, df=30), 0.5)
    assert found.p == pytest.approx(stats.t.sf(0.4 / 0.2, 30))
    assert (found.low, found.high) == pytest.approx(interval_at(an_estimate(0.1, 0.2, df=30), 0.9))
    assert not equivalence(an_estimate(0.1, 0.3, df=30), 0.5).shown
    assert equivalence(an_estimate(0.4, 0.2), 0.2, better="higher").shown
    assert not equivalence(an_estimate(0.4, 0.2), 0.2).shown
    assert equivalence(an_estimate(0.4, 0.2), 0.2, better="higher").high == np.inf
    with pytest.raises(EstimationError, match="margin must be above 0"):
        equivalence(an_estimate(0.1, 0.2), 0)


def test_the_detectable_effect_is_found_as_often_as_said():
    from statsmodels.stats.power import TTestIndPower

    peer = TTestIndPower().solve_power(nobs1=12, power=0.8, alpha=0.05)
    assert detectable_effect_before(12, 12).effect == pytest.approx(peer, rel=1e-3)
    assert detectable_effect(an_estimate(3.0, 0.5)).effect == pytest.approx(0.5 * 2.8016, abs=1e-3)
    few = detectable_effect_before(180, 180, icc=0.1, treated_clusters=6, comparison_clusters=6)
    assert few.se == pytest.approx(np.sqrt(0.9 * 2 / 180 + 0.1 * 2 / 6))
    assert (few.df, detectable_effect_before(180, 180, icc=0.1, clusters=12, within=True).df) == (10, 11)
    with pytest.raises(EstimationError, match=r"2 problems"):
        detectable_effect_before(180, 0, icc=0.1)


def test_the_joint_covariance_has_each_variance_on_its_diagonal():
    frame = clustered(8, within=True)
    frame["z"] = frame["y"] + np.random.default_rng(1).normal(size=len(frame))
    told = {"treated": "treated", "covariates": ["x1"], "person": "person", "cluster": "cluster"}
    found = {name: cf.estimate(frame, "ols", outcome=name, **told) for name in ("y", "z")}
    joint = joint_covariance(found, frame.set_index("person")["cluster"])
    assert np.sqrt(np.diag(joint)) == pytest.approx([found["y"].se, found["z"].se])
    gap = cf.estimate(frame.assign(d=frame["y"] - frame["z"]), "ols", outcome="d", **told)
    both = joint.loc["y", "y"] + joint.loc["z", "z"] - 2 * joint.loc["y", "z"]
    assert np.sqrt(both) == pytest.approx(gap.se, rel=0.02)
    with pytest.raises(EstimationError, match="were made with clusters"):
        joint_covariance(found)


def test_one_person_unlike_all_others_is_said_to_decide_the_regression():
    random = np.random.default_rng(1)
    frame = pd.DataFrame({"x": random.normal(size=100), "arm": np.tile([0, 1], 50)})
    frame["y"] = frame["x"] + random.normal(size=100)
    asked = {"outcome": "y", "treated": "arm", "covariates": ["x"]}
    plain = cf.estimate(frame, "ols", **asked)
    assert plain.diagnostics["max_leverage"] < 0.2
    assert not any("follows one person" in flag.text for flag in plain.flags)
    odd = cf.estimate(frame.assign(x=frame["x"].where(frame.index > 0, 1e6)), "ols", **asked)
    assert odd.diagnostics["max_leverage"] == pytest.approx(1, abs=0.02)
    assert any("follows one person" in flag.text for flag in odd.flags)


def test_a_reading_before_that_is_not_adjusted_for_is_said():
    frame = pd.DataFrame({"before": np.arange(40.0), "arm": np.tile([0, 1], 20), "age": np.arange(40) % 7})
    frame["y"] = frame["before"] + frame["arm"] + (np.arange(40) % 3)
    asked = {"outcome": "y", "treated": "arm", "baseline": "before", "values": "score"}
    texts = [flag.text for flag in cf.estimate(frame, "ols", covariates=["age"], **asked).flags]
    assert "The reading before is used for the deadweight and is not adjusted for." in texts
    texts = [flag.text for flag in cf.estimate(frame, "ols", covariates=["age", "before"], **asked).flags]
    assert "The reading before is used for the deadweight and is not adjusted for." not in texts
