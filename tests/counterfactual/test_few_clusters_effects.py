"""Twelve clusters: intervals of every estimator on people still cover, or are wider than they need be."""

import numpy as np
import pytest

from evalkit import counterfactual as cf
from evalkit.simulate.effect_worlds import clustered, confounded, rare

DRAWS = 100


def coverage(frames, estimator, truth, **options):
    covered = []
    for frame in frames:
        names = [name for name in frame if name in {"x1", "x2", "x3", "x4", "x5"}]
        covariates = [] if estimator in {"difference", "did"} else names
        told = {"outcome": "y", "treated": "treated", "person": "person", "covariates": covariates, **options}
        found = cf.estimate(frame, estimator, **told)
        covered.append(found.low <= truth <= found.high)
    return np.mean(covered)


@pytest.mark.parametrize("estimator", ["ols", "multilevel", "ipw", "aipw"])
@pytest.mark.parametrize("within", [True, False])
def test_confounded_in_twelve_clusters(estimator, within):
    frames = (clustered(seed, within=within) for seed in range(DRAWS))
    assert coverage(frames, estimator, 2.0, cluster="cluster") >= 0.89


@pytest.mark.parametrize("options", [{}, {"se": "wild"}, {"se": "permutation"}])
def test_six_clusters_against_six_by_lot(options):
    frames = (clustered(seed, lean=0.0) for seed in range(DRAWS))
    assert 0.89 <= coverage(frames, "difference", 2.0, cluster="cluster", **options) <= 1.0


@pytest.mark.parametrize("within", [True, False])
def test_changes_in_twelve_clusters(within):
    frames = (clustered(seed, within=within, times=2) for seed in range(DRAWS))
    assert coverage(frames, "did", 2.0, cluster="cluster", time="time") >= 0.89


def test_three_clusters_against_nine_are_covered_too():
    frames = [clustered(seed, 3, 9) for seed in range(60)]
    for estimator in ("ols", "multilevel"):
        assert coverage(frames, estimator, 2.0, cluster="cluster") >= 0.88


def test_people_without_clusters_and_a_rare_outcome():
    assert 0.88 <= coverage((confounded(seed) for seed in range(DRAWS)), "ols", 2.0) <= 1.0
    assert 0.88 <= coverage((rare(seed) for seed in range(DRAWS)), "ols", -0.04) <= 1.0
