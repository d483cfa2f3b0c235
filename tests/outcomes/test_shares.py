"""Shares, their differences, and errors from sums per cluster."""

from __future__ import annotations

import numpy as np
import pytest

from evalkit.errors import DataError
from evalkit.linear import degrees_of_freedom, least_squares, row_contributions
from evalkit.outcomes.change.shares import compare_shares, newcombe, read_arm, wilson
from evalkit.outcomes.records.ratios import cluster_codes, error, ratio


@pytest.mark.parametrize(
    ("count", "n", "low", "high"), [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611)]
)
def test_wilsons_interval_equals_the_examples_of_newcombe_1998(count, n, low, high):
    assert wilson(count, n) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [((56, 70), (48, 80), 0.0524, 0.3339), ((9, 10), (3, 10), 0.1705, 0.8090), ((10, 10), (0, 10), 0.6075, 1.0)],
)
def test_the_interval_of_a_difference_equals_the_examples_of_newcombe_1998(first, second, low, high):
    assert newcombe(*first, *second) == pytest.approx((low, high), abs=5e-5)


def test_an_empty_group_has_no_interval():
    assert np.isnan(wilson(0, 0)).all()
    assert np.isnan(newcombe(1, 2, 0, 0)).all()


@pytest.mark.parametrize("crossing", [False, True], ids=["clusters within arms", "clusters across arms"])
def test_the_difference_of_two_means_has_the_error_of_cr2_regression(crossing):
    rng = np.random.default_rng(0)
    cluster = rng.integers(0, 14, 300)
    treated = (rng.random(300) < 0.4).astype(int) if crossing else (cluster < 6).astype(int)
    y = rng.normal(size=14)[cluster] + rng.normal(size=300)
    fit = least_squares(y, np.column_stack([np.ones(300), treated]))
    contrast = np.array([0.0, 1.0])
    rows = row_contributions(fit, contrast, "cr2", cluster)
    parts = [ratio(y[treated == arm], np.ones((treated == arm).sum()), cluster[treated == arm], 14) for arm in (1, 0)]
    se, df = error(parts, [1, -1])
    assert parts[0].value - parts[1].value == pytest.approx(fit.beta[1])
    assert se == pytest.approx(np.sqrt((np.bincount(cluster, rows) ** 2).sum()), rel=1e-9)
    assert df == pytest.approx(degrees_of_freedom(fit, contrast, "cr2", cluster), rel=1e-9)


def test_equal_clusters_have_one_degree_of_freedom_less_than_their_number():
    part = ratio(np.arange(40.0), np.ones(40), np.repeat(np.arange(8), 5), 8)
    se, df = error([part], [1])
    means = np.arange(40.0).reshape(8, 5).mean(axis=1)
    assert df == pytest.approx(7)
    assert se == pytest.approx(means.std(ddof=1) / np.sqrt(8))


def test_one_cluster_gives_no_error_and_no_interval():
    part = ratio(np.arange(5.0), np.ones(5), np.zeros(5, dtype=int), 1)
    assert np.isnan(error([part], [1])).all()
    found = compare_shares(np.array([1, 0, 1, 0.0]), np.array([1, 1, 0, 0]), ["a", "a", "b", "b"])
    assert np.isnan(found.difference_low)


def test_the_robust_interval_covers_a_difference_of_nothing_as_often_as_it_says():
    rng = np.random.default_rng(11)
    hits = 0
    for _ in range(400):
        cluster = np.repeat(np.arange(24), 10)
        yes = rng.random(240) < rng.beta(2, 3, 24)[cluster]
        found = compare_shares(yes, (cluster < 12).astype(float), cluster)
        hits += found.difference_low <= 0 <= found.difference_high
    assert 0.92 <= hits / 400 <= 0.98


def test_clusters_in_which_all_are_alike_are_counted_once_each():
    found = compare_shares(np.repeat([1.0, 0.0], 30), np.repeat([1.0, 0.0], 30), np.repeat(np.arange(12), 5))
    assert found.method == "Newcombe, every cluster counted as one person"
    assert (found.difference_low, found.difference_high) == pytest.approx(newcombe(6, 6, 0, 6))


def test_a_person_without_a_cluster_is_one_of_their_own():
    codes, clusters = cluster_codes(["a", None, "a", None], 4)
    assert clusters == 3
    assert codes[0] == codes[2]
    assert len(set(codes[[0, 1, 3]])) == 3
    with pytest.raises(DataError, match="3 entries for 4 rows"):
        cluster_codes(["a", "b", "c"], 4)


@pytest.mark.parametrize("arm", [["treated", "comparison", None], [1, 0, None], [True, False, None], ["1", "0", None]])
def test_arms_are_read_from_words_numbers_and_yes_or_no(arm):
    found = read_arm(arm, 3)
    assert found[:2].tolist() == [1, 0]
    assert np.isnan(found[2])
