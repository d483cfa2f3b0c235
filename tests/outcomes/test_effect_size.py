"""Standardised differences against R's effectsize, and where there is none."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import DataError, EstimationError
from evalkit.outcomes.change.effect_size import cohens_d, correction, glass_delta, hedges_g, paired_effects

DATA = Path(__file__).parents[1] / "data"
GIRLS = pd.read_csv(DATA / "v06_anorexia_prepost.csv")
EXPECTED = json.loads((DATA / "v06_anorexia_prepost.expected.json").read_text(encoding="utf-8"))
CHANGE = GIRLS["Postwt"] - GIRLS["Prewt"]


@pytest.mark.parametrize("treatment", ["FT", "CBT"])
def test_hedges_g_and_its_noncentral_t_interval_equal_those_of_effectsize(treatment):
    expected = EXPECTED["hedges_g"][f"{treatment}_vs_Cont"]
    one, other = (CHANGE[GIRLS["Treat"] == name] for name in (treatment, "Cont"))
    g, d, delta = hedges_g(one, other), cohens_d(one, other), glass_delta(one, other)
    assert [g.n_treated, g.n_comparison] == expected["n"]
    assert g.g == pytest.approx(expected["hedges_g"], abs=1e-10)
    assert [g.low, g.high] == pytest.approx(expected["hedges_ci95_nct"], abs=1e-5)
    assert d.d == pytest.approx(expected["cohens_d"], abs=1e-10)
    assert [d.low, d.high] == pytest.approx(expected["cohens_ci95"], abs=1e-5)
    assert delta.delta == pytest.approx(expected["glass_delta"], abs=1e-10)
    assert [delta.low, delta.high] == pytest.approx(expected["gl_ci"], abs=1e-5)


def test_paired_effects_of_all_the_girls_equal_those_of_r():
    found = paired_effects(GIRLS["Prewt"], GIRLS["Postwt"])
    expected = EXPECTED["paired_all"]
    names = ("cohens_dz", "d_av", "d_rm_morris_pre_sd", "r")
    assert [found.d_z, found.d_av, found.d_pre, found.r] == pytest.approx([expected[n] for n in names], abs=1e-10)
    assert found.n == 72


def test_the_exact_correction_differs_from_the_usual_approximation():
    assert correction(2) == pytest.approx(np.sqrt(1 / np.pi))  # gamma(1) / gamma(1/2), exactly
    assert correction(41) == pytest.approx(0.981576, abs=1e-6)
    assert abs(correction(41) - (1 - 3 / (4 * 41 - 1))) > 1e-5


def test_the_sign_turns_with_the_arms_and_the_unit_does_not_matter():
    one, other = CHANGE[GIRLS["Treat"] == "FT"], CHANGE[GIRLS["Treat"] == "Cont"]
    g, turned, grams = hedges_g(one, other), hedges_g(other, one), hedges_g(one * 453.6, other * 453.6)
    assert (turned.g, turned.low, turned.high) == pytest.approx((-g.g, -g.high, -g.low))
    assert (grams.g, grams.low, grams.high) == pytest.approx((g.g, g.low, g.high))


def test_missing_values_are_left_out_and_another_level_widens():
    one, other = [1.0, 2, 3, None, 5], [2.0, 3, 4, 1, None]
    assert hedges_g(one, other).n_treated == 4
    assert hedges_g(one, other) == hedges_g([1, 2, 3, 5], [2, 3, 4, 1])
    wide, narrow = hedges_g(one, other, level=0.99), hedges_g(one, other, level=0.8)
    assert wide.low < narrow.low < narrow.high < wide.high


@pytest.mark.parametrize("distance", [20, 300])
def test_arms_far_apart_still_have_an_interval_around_their_difference(distance):
    rng = np.random.default_rng(0)
    found = hedges_g(rng.normal(distance, 1, 50), rng.normal(0, 1, 50))
    assert found.low < found.g < found.high


def test_the_interval_of_g_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(3)
    draws = [hedges_g(rng.normal(0.5, 1, 12), rng.normal(0, 1, 12)) for _ in range(400)]
    assert 0.92 <= np.mean([one.low <= 0.5 <= one.high for one in draws]) <= 0.98
    assert np.mean([one.g for one in draws]) == pytest.approx(0.5, abs=0.05)  # without small-sample bias


def test_too_few_people_or_no_spread_is_an_error_and_not_a_number():
    with pytest.raises(EstimationError, match="comparison arm has fewer than two"):
        hedges_g([1, 2, 3], [1])
    with pytest.raises(EstimationError, match="alike within the arms"):
        hedges_g([1, 1, 1], [2, 2, 2])
    with pytest.raises(EstimationError, match="alike in the comparison"):
        glass_delta([1, 2, 3], [2, 2, 2])
    with pytest.raises(EstimationError, match="alike at the start"):
        paired_effects([1, 1, 1], [2, 3, 4])
    with pytest.raises(EstimationError, match="alike in the change"):
        paired_effects([0.1, 0.2, 0.3], [1.1, 1.2, 1.3])
    with pytest.raises(EstimationError, match="Fewer than two people have both"):
        paired_effects([1, None], [1, 2])
    with pytest.raises(DataError, match="not a number"):
        hedges_g([1, "high", 3], [1, 2, 3])
    with pytest.raises(DataError, match="not a number"):
        hedges_g([1, np.inf, 3], [1, 2, 3])


def test_an_effect_of_few_people_is_not_shown():
    assert "[c]" in repr(hedges_g([1, 2, 3], [2, 3, 4]))
    assert repr(hedges_g(CHANGE[GIRLS["Treat"] == "FT"], CHANGE[GIRLS["Treat"] == "Cont"])) == (
        "EffectSize(Hedges' g 0.99, 0.34 to 1.62)"
    )
    assert repr(paired_effects([1, 2, 3], [2, 4, 9])) == "PairedEffects(d_z [c], d_av [c], d_pre [c])"
