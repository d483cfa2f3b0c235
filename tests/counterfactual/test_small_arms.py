"""Where an arm is small, lies in few clusters or does not vary: intervals that do not promise too much."""

import math

import numpy as np
import pandas as pd
import pytest

from evalkit import counterfactual as cf
from evalkit.counterfactual.effects import Effects
from evalkit.counterfactual.rows import conclude_in_words
from evalkit.errors import EstimationError

ON_ARMS = ("difference", "ols", "matching", "ipw", "aipw")


def in_clusters(treated, clusters=25, each=12, seed=1):
    """People in clusters, the first of which are treated; clusters differ, and the effect is 1."""
    random = np.random.default_rng([seed, 9])
    place = np.repeat(np.arange(clusters), each)
    n = len(place)
    frame = pd.DataFrame({"id": [f"p{i:04}" for i in range(n)], "place": place, "x": random.normal(size=n)})
    frame["arm"] = (place < treated).astype(int)
    common = random.normal(0, 0.4, clusters)[place]
    return frame.assign(y=frame["arm"] + 0.5 * frame["x"] + common + random.normal(size=n))


def run(frame, estimator, **options):
    told = {"outcome": "y", "treated": "arm", "person": "id"}
    return cf.estimate(frame, estimator, **told, covariates=[] if estimator == "difference" else ["x"], **options)


def levels(found, part):
    return [flag.level for flag in found.flags if part in flag.text]


@pytest.mark.parametrize("name", ON_ARMS)
def test_an_arm_in_one_cluster_has_an_effect_but_no_interval(name):
    found = run(in_clusters(1), name, cluster="place", values="amount")
    assert np.isfinite(found.effect)
    assert np.isnan([found.se, found.low, found.high, found.p]).all()
    assert found.influence is None
    assert levels(found, "The whole treated arm lies in one cluster") == ["serious"]
    assert (found.deadweight.low, found.deadweight.high) == (-math.inf, math.inf)


@pytest.mark.parametrize("name", ON_ARMS)
def test_an_arm_in_few_clusters_is_flagged_even_where_there_are_many_in_all(name):
    found = run(in_clusters(3), name, cluster="place")
    assert levels(found, "The treated arm lies in few clusters (3)") == ["caution"]
    assert found.df < 4


@pytest.mark.parametrize("name", ["ipw", "aipw"])
def test_the_interval_covers_the_effect_where_three_clusters_are_treated(name):
    found = [run(in_clusters(3, seed=seed), name, cluster="place") for seed in range(60)]
    assert np.mean([one.low <= 1 <= one.high for one in found]) >= 0.9


@pytest.mark.parametrize("name", ["ipw", "aipw"])
def test_the_interval_covers_the_effect_where_people_are_few(name):
    covered = []
    for seed in range(150):
        random = np.random.default_rng([seed, 3])
        frame = pd.DataFrame({"id": range(24), "x": random.normal(size=24), "z": random.normal(size=24)})
        frame["arm"] = np.arange(24) % 2
        frame["y"] = frame["arm"] + frame["x"] + frame["z"] + random.normal(size=24)
        found = cf.estimate(frame, name, outcome="y", treated="arm", person="id", covariates=["x", "z"])
        assert found.df < 23
        covered.append(found.low <= 1 <= found.high)
    assert np.mean(covered) >= 0.92


def test_more_covariates_than_comparison_people_are_refused():
    random = np.random.default_rng(4)
    frame = pd.DataFrame(random.normal(size=(30, 4)), columns=list("abcd")).assign(arm=[0] * 5 + [1] * 25)
    frame["y"] = random.normal(size=30)
    with pytest.raises(EstimationError, match=r"comparison arm has 5 people for 4 covariates|without fail"):
        cf.estimate(frame, "aipw", outcome="y", treated="arm", covariates=list("abcd"))


# ------------------------------------------------------------------ no variation


@pytest.mark.parametrize("name", ON_ARMS)
def test_an_outcome_that_is_the_same_for_everybody_has_effect_0_and_is_not_known(name):
    frame = in_clusters(12, each=4).assign(y=0.3)
    frame["arm"] = np.random.default_rng(2).permutation([0, 1] * (len(frame) // 2))
    found = run(frame, name)
    assert found.effect == 0
    assert conclude_in_words(found.low, found.high, "higher") == "not known"
    assert levels(found, "does not vary within the arms") == ["serious"]


def test_did_of_a_change_that_is_the_same_for_everybody_is_0_and_not_known():
    frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3, 4, 4], "t": [0, 1] * 4, "arm": [0] * 4 + [1] * 4})
    frame["y"] = [0.1, 0.4, 0.2, 0.5, 0.7, 1.0, 0.3, 0.6]
    found = cf.estimate(frame, "did", outcome="y", treated="arm", time="t", person="id")
    assert found.effect == 0
    assert np.isnan(found.p)


def test_three_against_three_who_are_all_alike_prove_nothing():
    frame = pd.DataFrame({"id": range(6), "arm": [1, 1, 1, 0, 0, 0], "y": [1, 1, 1, 0, 0, 0]})
    found = cf.estimate(frame, "difference", outcome="y", treated="arm", person="id")
    assert found.effect == pytest.approx(1)
    assert np.isnan([found.se, found.p, found.low]).all()


# ------------------------------------------------------------------ deadweight


def yes_no(treated, comparison, each=30):
    """Yes or no with these numbers of events in arms of 30."""
    y = [1] * treated + [0] * (each - treated) + [1] * comparison + [0] * (each - comparison)
    return pd.DataFrame({"id": range(2 * each), "arm": [1] * each + [0] * each, "y": y, "place": np.arange(2 * each)})


@pytest.mark.parametrize("end", ["low", "high"])
def test_no_event_among_the_comparison_gives_an_exact_bound(grid, end):
    grid(  # 0.025 to the power of 1/30 is 0.88430
        """
        treated | comparison | better | low     | high
        15      | 0          | higher | 0       | 0.23141
        15      | 30         | lower  | 0       | 0.23141
        30      | 0          | higher | 0       | 0.13084
        """,
        lambda row: getattr(
            cf.estimate(
                yes_no(row.treated, row.comparison), "difference", outcome="y", treated="arm", better=row.better
            ).deadweight,
            end,
        ),
        end,
    )


@pytest.mark.parametrize(("comparison", "better"), [(30, "higher"), (0, "lower")])
def test_where_all_of_the_comparison_achieve_it_the_share_may_be_lower_and_the_treateds_error_stays(comparison, better):
    found = cf.estimate(
        yes_no(25 if better == "higher" else 5, comparison), "difference", outcome="y", treated="arm", better=better
    )
    assert found.deadweight.value == pytest.approx(1.2)
    assert found.deadweight.low <= 0.025 ** (1 / 30) / (25 / 30)
    assert found.deadweight.high > 1.3
    assert "exact bound" in found.deadweight.method


def test_no_event_among_the_comparison_in_clusters_is_not_bounded():
    frame = yes_no(15, 0)
    found = cf.estimate(frame, "difference", outcome="y", treated="arm", cluster="place")
    assert (found.deadweight.low, found.deadweight.high) == (-math.inf, math.inf)
    assert levels(found, "the deadweight has no bounds") == ["caution"]


def scores(seed, n=300, slope=1.5):
    """A score of which half of the improvement would have come anyway."""
    random = np.random.default_rng([seed, 6])
    x = random.normal(size=n)
    frame = pd.DataFrame({"id": range(n), "x": x, "arm": (random.uniform(size=n) < 1 / (1 + np.exp(0.5 - slope * x)))})
    frame["before"] = 10 + 3 * x + random.normal(size=n)
    frame["y"] = frame["before"] + 2 + 2 * frame["arm"] + random.normal(size=n)
    return frame.assign(arm=frame["arm"].astype(int))


def test_a_scores_deadweight_is_of_the_matched_and_not_of_all_treated():
    options = {"values": "score", "baseline": "before", "caliper": 0.1, "adjust": True}
    found = run(scores(1), "matching", **options)
    weights = found.diagnostics["weights"]
    frame = scores(1).assign(id=lambda table: table["id"].astype(str)).set_index("id")
    matched = frame.loc[weights[weights > 0].index].query("arm == 1")
    gain = (matched["y"] - matched["before"]).mean()
    assert len(matched) < (frame["arm"] == 1).sum()
    assert found.deadweight.value == pytest.approx((gain - found.effect) / gain)
    assert 0.35 < found.deadweight.value < 0.65


def test_a_scores_deadweight_is_of_people_read_twice_and_the_others_are_said():
    frame = scores(2, slope=0.3)
    frame["before"] = frame["before"].where((frame["before"] < 11) | (frame["arm"] == 0))
    found = run(frame, "aipw", values="score", baseline="before")
    twice = frame[(frame["arm"] == 1) & frame["before"].notna()]
    gain = (twice["y"] - twice["before"]).mean()
    assert found.deadweight.value == pytest.approx((gain - found.effect) / gain)
    assert levels(found, "leaves out the treated who have no reading from before") == ["caution"]


@pytest.mark.parametrize("name", ["ipw", "aipw"])
def test_a_score_has_no_deadweight_in_the_average_effect_on_everybody(name):
    found = run(scores(3, slope=0.3), name, values="score", baseline="before", estimand="ATE")
    assert found.deadweight is None
    assert "on everybody" in found.why_no_deadweight


def test_joint_draws_keep_each_outcomes_own_degrees_of_freedom():
    random = np.random.default_rng(7)
    frame = pd.DataFrame({"id": [f"p{i:03}" for i in range(200)], "arm": [0, 1] * 100, "y": random.normal(size=200)})
    told = {"outcome": "y", "treated": "arm", "person": "id"}
    many, few = (cf.estimate(part, "difference", **told) for part in (frame, frame.iloc[:5]))
    nothing = dict.fromkeys(("outcomes", "study", "table", "also", "measures", "benchmark", "attrition", "evidence"))
    both = Effects(**nothing, estimates={"many": many, "few": few}, flags=()).joint(40_000, seed=1)
    low, high = np.quantile(both[("many", "effect")], [0.025, 0.975])
    assert (low, high) == pytest.approx((many.low, many.high), abs=0.05 * many.se)
    low, high = np.quantile(both[("few", "effect")], [0.025, 0.975])
    assert (low, high) == pytest.approx((few.low, few.high), abs=0.2 * few.se)
