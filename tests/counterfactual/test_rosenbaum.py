"""Rosenbaum bounds, held to the count of every way in which the signs of the pairs could have fallen."""

import math
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from evalkit.counterfactual.sensitivity import matched_differences, rosenbaum_bounds
from evalkit.errors import EstimationError

MIXED = [3.1, 1.2, 2.5, 4.0, -0.5, 2.0, 0.7, -1.9, 5.5]
TIED = [2, 2, -2, 1, 1, 3, -1, 0, 4, 4]
YES_NO = [1, 1, 0, -1, 1, 1, 0, 1, -1, 1, 1]


def counted(differences, chance):
    """P(signed-rank statistic at least as large) by all 2^n sets of signs."""
    kept = np.array([d for d in differences if d != 0], float)
    ranks = stats.rankdata(np.abs(kept))
    seen = ranks[kept > 0].sum()
    total = 0.0
    for signs in product([0, 1], repeat=len(kept)):
        if ranks @ np.array(signs) >= seen - 1e-9:
            total += math.prod(chance if sign else 1 - chance for sign in signs)
    return total


@pytest.mark.parametrize("differences", [MIXED, TIED, YES_NO], ids=["numbers", "ties and zeros", "yes or no"])
@pytest.mark.parametrize("gamma", [1.0, 1.5, 3.0])
def test_both_bounds_equal_the_count_of_all_signs(differences, gamma):
    row = rosenbaum_bounds(differences, gamma).table.iloc[0]
    assert row["p_low"] == pytest.approx(counted(differences, 1 / (1 + gamma)), rel=1e-12)
    assert row["p_high"] == pytest.approx(counted(differences, gamma / (1 + gamma)), rel=1e-12)


@pytest.mark.parametrize("differences", [MIXED, TIED, YES_NO], ids=["numbers", "ties and zeros", "yes or no"])
def test_every_hidden_bias_up_to_gamma_lies_between_the_bounds(differences):
    kept = np.array([d for d in differences if d != 0], float)
    ranks, random, gamma = stats.rankdata(np.abs(kept)), np.random.default_rng(3), 2.0
    signs = np.array(list(product([0, 1], repeat=len(kept))))
    more = signs @ ranks >= ranks[kept > 0].sum() - 1e-9
    row = rosenbaum_bounds(differences, gamma).table.iloc[0]
    for _ in range(200):
        chances = random.uniform(1 / (1 + gamma), gamma / (1 + gamma), len(kept))
        p = np.where(signs == 1, chances, 1 - chances).prod(axis=1)[more].sum()
        assert row["p_low"] - 1e-12 <= p <= row["p_high"] + 1e-12


def test_without_hidden_bias_it_is_the_wilcoxon_and_the_mcnemar_test_of_scipy():
    random = np.random.default_rng(8)
    for n in (12, 40):
        values = random.normal(0.4, 1, n)
        for alternative in ("greater", "less", "two-sided"):
            p = rosenbaum_bounds(values, 1, alternative).table["p_high"].iloc[0]
            assert p == pytest.approx(stats.wilcoxon(values, alternative=alternative, method="exact").pvalue)
    p = rosenbaum_bounds(YES_NO, 1, "two-sided").table["p_high"].iloc[0]
    assert p == pytest.approx(stats.binomtest(7, 9).pvalue)


def test_many_pairs_are_approximated_and_close_to_the_count():
    values = np.random.default_rng(2).normal(0.3, 1, 260)
    near, exact = (rosenbaum_bounds(values, (1, 1.3, 1.6), exact=one) for one in (None, True))
    assert "normal approximation" in near.method
    assert "exact" in exact.method
    assert near.table["p_high"].to_numpy() == pytest.approx(exact.table["p_high"].to_numpy(), abs=2e-3)
    assert near.gamma_at == pytest.approx(exact.gamma_at, rel=0.01)
    for name in ("hl_low", "hl_high", "low", "high"):
        assert near.table[name].to_numpy() == pytest.approx(exact.table[name].to_numpy(), abs=0.01)


def test_estimates_are_quantiles_of_the_averages_of_two_pairs():
    values = np.array(MIXED)
    averages = np.sort([(a + b) / 2 for i, a in enumerate(values) for b in values[i:]])
    plain, biased = rosenbaum_bounds(values, (1, 2)).table.to_dict("records")
    assert plain["hl_low"] == plain["hl_high"] == pytest.approx(np.median(averages))
    # 45 averages: a statistic of 30 is expected where every pair leans to more, of 15 where it leans to less.
    assert biased["hl_low"] == pytest.approx((averages[14] + averages[15]) / 2)
    assert biased["hl_high"] == pytest.approx((averages[29] + averages[30]) / 2)


def test_the_interval_holds_the_effects_that_no_allowed_bias_rejects():
    values = np.array(MIXED)
    row = rosenbaum_bounds(values, 1.3, level=0.9).table.iloc[0]
    for shift, held in ((row["low"] - 1e-6, False), (row["low"] + 1e-6, True), (row["high"] + 1e-6, False)):
        sides = [
            rosenbaum_bounds(values - shift, 1.3, side, exact=True).table["p_high"].iloc[0]
            for side in ("greater", "less")
        ]
        assert (min(sides) > 0.05) == held


def test_a_wider_bias_widens_everything():
    table = rosenbaum_bounds(np.random.default_rng(1).normal(1, 1, 50), (1, 1.5, 2, 4)).table
    assert table["p_high"].is_monotonic_increasing
    assert table["p_low"].is_monotonic_decreasing
    assert table["low"].is_monotonic_decreasing
    assert table["hl_high"].is_monotonic_increasing


@pytest.mark.parametrize("alternative", ["greater", "two-sided"])
def test_gamma_at_is_where_the_larger_p_value_passes_five_per_cent(alternative):
    values = np.random.default_rng(4).normal(1, 1, 40)
    found = rosenbaum_bounds(values, 1, alternative)
    just = rosenbaum_bounds(values, (found.gamma_at - 1e-4, found.gamma_at + 1e-4), alternative).table["p_high"]
    assert just.iloc[0] <= 0.05 < just.iloc[1]
    assert "-fold in their odds of being treated" in found.says


def test_a_difference_that_chance_explains_leaves_nothing_to_hide():
    found = rosenbaum_bounds([1.0, -1.1, 2.0, -2.2, 0.3], 1)
    assert found.gamma_at is None
    assert "nothing for a hidden cause to explain away" in found.says


def test_fewer_of_an_adverse_outcome_is_tested_on_its_own_side():
    less = rosenbaum_bounds([-d for d in MIXED], (1, 2), "less").table
    more = rosenbaum_bounds(MIXED, (1, 2), "greater").table
    assert less["p_high"].tolist() == more["p_high"].tolist()
    assert less["low"].to_numpy() == pytest.approx(-more["high"].to_numpy())


def test_two_columns_are_pairs_and_missing_readings_are_left_out_and_said():
    table = pd.DataFrame({"treated": [5.0, 7, np.nan, 6], "comparison": [1.0, 2, 3, 4]})
    found = rosenbaum_bounds(table, 1)
    assert (found.pairs, found.differing) == (3, 3)
    assert found.table["p_high"].iloc[0] == 0.125
    assert any("reading is missing" in flag.text for flag in found.flags)


def test_differences_of_decimals_are_tied_where_only_rounding_parts_them():
    found = rosenbaum_bounds([0.3, 0.1 + 0.2, -0.3, 1.0], 1).table["p_high"].iloc[0]
    assert found == pytest.approx(counted([1, 1, -1, 2], 0.5))


def test_pairs_come_from_a_column_of_matched_sets():
    frame = pd.DataFrame({"set": [1, 1, 2, 2, np.nan], "arm": [1, 0, 0, 1, 0], "y": [5.0, 3, 2, 9, 1]})
    assert matched_differences(frame, sets="set", outcome="y", treated="arm").tolist() == [2, 7]
    with pytest.raises(EstimationError, match="1 matched sets are not one treated and one comparison"):
        matched_differences(frame.assign(set=[1, 1, 1, 2, 2]), sets="set", outcome="y", treated="arm")
    with pytest.raises(EstimationError, match='Did you mean "set"'):
        matched_differences(frame, sets="sets", outcome="y", treated="arm")
    gap = matched_differences(frame.assign(y=[5.0, np.nan, 2, 9, 1]), sets="set", outcome="y", treated="arm")
    assert gap.tolist() == [7]


def test_few_pairs_are_not_counted_out_in_words():
    found = rosenbaum_bounds([1.0, 2.0, 3.5, -0.2], 1)
    assert "pairs=[c]" in repr(found)
    assert any("Few pairs differ" in flag.text for flag in found.flags)


@pytest.mark.parametrize(
    ("pairs", "options", "said"),
    [
        ([], {}, "no pairs with both readings"),
        ([np.nan], {}, "no pairs with both readings"),
        ([0, 0, 0.0], {}, "no pair differs"),
        (["a", "b"], {}, "one number each"),
        ([1.0, np.inf], {}, "infinite"),
        (pd.DataFrame({"treat": [1], "comparison": [0]}), {}, 'Did you mean "treat"'),
        ([1.0, 2.0], {"gammas": (0.5, 2)}, "1 or more"),
        ([1.0, 2.0], {"alternative": "grater"}, 'Did you mean "greater"'),
        ([1.0, 2.0], {"level": 5}, "between 0.5 and 1"),
    ],
)
def test_what_cannot_be_bounded_is_said(pairs, options, said):
    with pytest.raises(EstimationError, match=said):
        rosenbaum_bounds(pairs, **options)
