"""Least squares with honest errors: the wild cluster bootstrap."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from evalkit.errors import DataError, EstimationError
from evalkit.linear import cluster_numbers, least_squares, row_contributions, wild_cluster

EFFECT = np.array([0.0, 1.0])


def clustered(groups, size, seed, effect=0.0, sd=1.0):
    """Clusters treated in turn, with a shared error each: y, x, cluster."""
    draw = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(groups), size)
    treated = (cluster % 2).astype(float)
    y = effect * treated + sd * draw.normal(size=groups)[cluster] + draw.normal(size=len(cluster))
    return y, np.column_stack([np.ones(len(y)), treated]), cluster


def by_refitting(y, x, cluster, values, tested):
    """The same p-value, each bootstrap sample made and regressed in full."""

    def t(outcome, value):
        fit = least_squares(outcome, x)
        scores = np.bincount(cluster, row_contributions(fit, EFFECT, "hc0"))
        return abs(fit.beta[1] - value) / np.sqrt((scores**2).sum())

    null = least_squares(y - tested * x[:, 1], x[:, :1])
    fitted, residuals = tested * x[:, 1] + null.beta[0], null.residuals
    found = t(y, tested)
    sets = list(product(values, repeat=cluster.max() + 1))
    drawn = [t(fitted + np.array(one)[cluster] * residuals, tested) for one in sets]
    return np.mean([one >= found * (1 - 1e-9) for one in drawn])


@pytest.mark.parametrize(
    ("weights", "values", "groups"),
    [
        ("rademacher", [-1, 1], 6),
        ("webb", [-np.sqrt(1.5), -1, -np.sqrt(0.5), np.sqrt(0.5), 1, np.sqrt(1.5)], 4),
    ],
)
def test_all_sets_of_weights_give_the_p_value_of_refitting_every_one(weights, values, groups):
    y, x, cluster = clustered(groups, 7, 3, effect=1.0)
    found = wild_cluster(y, x, EFFECT, cluster, weights=weights)
    assert found.enumerated
    assert found.sets == len(values) ** groups
    assert found.p == pytest.approx(by_refitting(y, x, cluster, values, 0.0))
    assert found.estimate == pytest.approx(least_squares(y, x).beta[1])


def test_the_interval_holds_the_values_that_the_test_does_not_reject():
    y, x, cluster = clustered(10, 8, 5, effect=1.0)
    found = wild_cluster(y, x, EFFECT, cluster)
    assert found.weights == "rademacher"
    assert found.low < found.estimate < found.high
    for bound, inward in ((found.low, 1), (found.high, -1)):
        moved = [wild_cluster(y - (bound + step) * x[:, 1], x, EFFECT, cluster).p for step in (-0.01, 0.01)]
        assert moved[inward > 0] > 0.05 >= moved[inward < 0]


def test_the_interval_turns_with_the_outcome_and_grows_with_its_unit():
    y, x, cluster = clustered(10, 8, 5, effect=1.0)
    plain, turned = wild_cluster(y, x, EFFECT, cluster), wild_cluster(-3 * y, x, EFFECT, cluster)
    assert turned.p == plain.p
    assert [turned.low, turned.high] == pytest.approx([-3 * plain.high, -3 * plain.low], rel=1e-4)


def test_clusters_may_be_named_and_rows_in_any_order():
    y, x, cluster = clustered(12, 5, 8, effect=0.5)
    order = np.random.default_rng(0).permutation(len(y))
    names = np.array([f"service {number:02d}" for number in cluster])
    one, other = (wild_cluster(y, x, EFFECT, cluster), wild_cluster(y[order], x[order], EFFECT, names[order]))
    assert one.p == other.p
    assert one.low == pytest.approx(other.low)


def test_with_8_clusters_the_test_rejects_a_true_null_about_as_often_as_it_says():
    p = [wild_cluster(*clustered(8, 5, seed)[:2], EFFECT, clustered(8, 5, seed)[2], 399).p for seed in range(300)]
    assert 0.02 <= np.mean(np.array(p) <= 0.05) <= 0.085
    assert 0.05 <= np.mean(np.array(p) <= 0.10) <= 0.15


def test_a_draw_of_weights_repeats_with_its_seed():
    y, x, cluster = clustered(30, 4, 1, effect=0.3)
    first, again = (wild_cluster(y, x, EFFECT, cluster, 999, seed=4) for _ in range(2))
    assert first == again
    assert not first.enumerated
    assert first.p != wild_cluster(y, x, EFFECT, cluster, 999, seed=5).p


def test_three_clusters_bound_nothing():
    y, x, cluster = clustered(3, 10, 2)
    found = wild_cluster(y, x, EFFECT, cluster, weights="rademacher")
    assert np.isinf([found.low, found.high]).all()


def test_what_cannot_be_judged_is_said():
    y, x, cluster = clustered(6, 4, 2)
    with pytest.raises(DataError, match=r'"web" are not known\. Did you mean "webb"'):
        wild_cluster(y, x, EFFECT, cluster, weights="web")
    with pytest.raises(EstimationError, match="two clusters or more"):
        wild_cluster(y, x, EFFECT, np.zeros(24))
    with pytest.raises(EstimationError, match="one cluster decides it, or the outcome has no spread"):
        wild_cluster(np.ones(24), x, EFFECT, cluster)


def test_whoever_has_no_cluster_is_one_of_their_own_and_the_order_of_rows_does_not_matter():
    labels = np.array(["b", None, "a", "b", None], dtype=object)
    assert cluster_numbers(labels).tolist() == [1, 2, 0, 1, 3]
    assert cluster_numbers(labels[::-1])[::-1].tolist()[0] == 1
    assert cluster_numbers(np.array([], dtype=object)).tolist() == []
