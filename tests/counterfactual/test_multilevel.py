"""People in clusters as a two-level model."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit import counterfactual as cf
from evalkit.errors import EstimationError
from evalkit.simulate.effect_worlds import clustered

EXAM = Path(__file__).parents[1] / "data" / "exam_inner_london.csv"


@pytest.fixture(scope="module")
def exam():
    return pd.read_csv(EXAM)


def on_exam(exam, **options):
    told = {"outcome": "normexam", "treated": "standLRT", "cluster": "school", "method": "ml"}
    return cf.estimate(exam, "multilevel", **{**told, **options})


def on_teams(frame, **options):
    told = {"outcome": "y", "treated": "treated", "covariates": ["x1", "x2"], "person": "person", "cluster": "cluster"}
    return cf.estimate(frame, "multilevel", **{**told, **options})


def texts(found, level=None):
    return " ".join(flag.text for flag in found.flags if level in (None, flag.level))


# ------------------------------------------------------------------ Goldstein and others (1993): V9


def test_goldstein_exam_scores_with_schools_that_differ_in_level(exam):
    found = on_exam(exam, random="intercept")
    assert (found.effect, found.se) == pytest.approx((0.563371, 0.012465), abs=1e-3)
    parts = found.diagnostics["variance_components"]
    assert parts["school intercept"] == pytest.approx(0.092129, abs=1e-3)
    assert parts["residual"] == pytest.approx(0.565731, abs=1e-3)
    assert found.diagnostics["minus_2_log_likelihood"] == pytest.approx(9357.2432, abs=1e-3)
    assert found.n_clusters == 65


def test_goldstein_exam_scores_with_slopes_that_differ_too(exam):
    found = on_exam(exam, random="slope")
    fixed, parts = found.diagnostics["fixed_effects"], found.diagnostics["variance_components"]
    assert (found.effect, found.se) == pytest.approx((0.556730, 0.019938), abs=1e-3)
    assert fixed.loc["(constant)"].tolist() == pytest.approx([-0.011505, 0.039783], abs=1e-3)
    assert parts.tolist() == pytest.approx([0.090443, 0.014537, 0.018040, 0.553657], abs=1e-3)
    assert found.diagnostics["minus_2_log_likelihood"] == pytest.approx(9316.8710, abs=1e-3)


def test_slopes_that_differ_unseen_make_the_models_standard_error_too_small_and_cr2_says_so(exam):
    level, robust = on_exam(exam, random="intercept"), on_exam(exam, random="intercept", se="cr2")
    slopes = on_exam(exam, random="slope")
    assert robust.se > 1.4 * level.se
    assert robust.se == pytest.approx(slopes.se, rel=0.05)


def test_of_an_amount_there_is_no_comparison_arm_and_no_deadweight(exam):
    found = on_exam(exam)
    assert (found.n_treated, found.n_comparison, found.deadweight) == (4059, 0, None)
    assert "an amount" in found.why_no_deadweight
    assert found.observed - found.counterfactual == pytest.approx(found.effect)


# ------------------------------------------------------------------ two arms


def test_it_agrees_with_statsmodels():
    from statsmodels.regression.mixed_linear_model import MixedLM

    frame = clustered(3, within=True)
    x = np.column_stack([np.ones(len(frame)), frame[["treated", "x1", "x2"]]])
    peer = MixedLM(frame["y"].to_numpy(), x, groups=frame["cluster"].to_numpy()).fit(reml=True)
    found = on_teams(frame)
    assert found.effect == pytest.approx(peer.params[1], rel=1e-4)
    assert found.se == pytest.approx(peer.bse[1], rel=1e-3)


def test_contributions_of_people_sum_to_the_standard_error_by_cluster():
    frame = clustered(4)
    team = frame.set_index("person")["cluster"]
    for kind in ("model", "cr2"):
        found = on_teams(frame, se=kind)
        sums = found.influence["effect"].groupby(team.reindex(found.influence.index)).sum()
        assert np.sqrt((sums**2).sum()) == pytest.approx(found.se, rel=1e-9)


def test_whole_clusters_leave_no_more_degrees_of_freedom_than_clusters_less_two():
    assert on_teams(clustered(5)).df <= 10
    assert on_teams(clustered(5, within=True)).df > 100
    assert on_teams(clustered(5, within=True), random="slope").df <= 11


def test_clusters_that_seem_alike_are_said():
    seeds = (on_teams(clustered(seed, icc=0.0)) for seed in range(8))
    singular = next(found for found in seeds if found.diagnostics["singular"])
    assert "estimated not to differ" in texts(singular, "caution")


def test_maximum_likelihood_on_few_clusters_is_said():
    assert "Maximum likelihood makes 12 clusters look more alike" in texts(on_teams(clustered(6), method="ml"))


def test_what_it_cannot_do_is_said():
    frame = clustered(7)
    with pytest.raises(EstimationError, match=r"needs the column that says which school.*cluster = "):
        on_teams(frame, cluster=None)
    with pytest.raises(EstimationError, match="everybody is in one cluster"):
        on_teams(frame.assign(cluster="a"))
    with pytest.raises(EstimationError, match="a cluster of their own"):
        on_teams(frame.assign(cluster=frame["person"]))
    with pytest.raises(EstimationError, match=r'random = "slopes" is not known\. Did you mean "slope"'):
        on_teams(frame, random="slopes")
    with pytest.raises(EstimationError, match="terms that repeat each other"):
        on_teams(frame.assign(x2=frame["treated"]))
    with pytest.raises(EstimationError, match="needs clusters in which some are treated and others are not"):
        on_teams(frame, random="slope")


@pytest.mark.parametrize("within", [True, False])
def test_with_twelve_clusters_its_interval_covers(within):
    found = [on_teams(clustered(seed, within=within)) for seed in range(120)]
    assert 0.90 <= np.mean([one.low <= 2 <= one.high for one in found]) <= 0.995
