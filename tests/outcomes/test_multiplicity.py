"""Adjusted p-values, against R's p.adjust; domains before measures; people in clusters."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import DataError
from evalkit.outcomes.multiplicity.adjusting import METHODS, adjust, design_effect, effective_n, gatekeep

DATA = Path(__file__).parents[1] / "data"
STAR = json.loads((DATA / "v05_star_icw.expected.json").read_text())
TEXTBOOK = json.loads((DATA / "domain_18" / "expected.json").read_text())["expected"]
P = list(STAR["p_cr1s_tG1"].values())


@pytest.mark.parametrize(
    ("method", "name"),
    [(name.lower(), name) for name in ("holm", "hochberg", "hommel", "BH", "BY", "bonferroni")],
)
def test_adjusted_p_values_equal_those_of_r(method, name):
    assert adjust(P, method).tolist() == pytest.approx(STAR["adjust"][name], abs=1e-12)


def test_textbook_p_values_of_domain_example_18():
    p = pd.read_csv(DATA / "domain_18" / "p_values.csv")["p"]
    assert adjust(p, "holm").tolist() == pytest.approx(TEXTBOOK["holm"], abs=1e-9)
    assert adjust(p, "bh").tolist() == pytest.approx(TEXTBOOK["benjamini_hochberg"], abs=1e-6)


def test_hommel_rejects_what_simes_rejects_in_every_set_that_holds_it():
    p = np.array([0.012, 0.5, 0.03, 0.9, 0.021])
    expected = []
    for one in range(5):
        sets = [s for size in range(1, 6) for s in itertools.combinations(range(5), size) if one in s]
        expected.append(max((len(s) * np.sort(p[list(s)]) / np.arange(1, len(s) + 1)).min() for s in sets))
    assert adjust(p, "hommel").tolist() == pytest.approx(expected, abs=1e-12)


# ---------------------------------------------------------------- sharpened q-values


def by_the_grid(p):
    """Anderson's program: from 1 down in steps of 0.001, both stages at every step."""
    p, q = np.asarray(p), np.ones(len(p))

    def rejected(level):
        order = np.sort(p)
        below = np.flatnonzero(order <= level * np.arange(1, len(p) + 1) / len(p))
        return below[-1] + 1 if len(below) else 0

    for level in np.arange(1, 0, -0.001):
        first = level / (1 + level)
        found = rejected(first)
        second = rejected(first * len(p) / (len(p) - found)) if found < len(p) else len(p)
        q[np.argsort(p, kind="stable")[:second]] = level
    return q


def test_sharpened_q_values_of_four_tests_worked_by_hand():
    # First stage (Benjamini-Hochberg): 0.004, 0.04, 0.0533, 0.9, so r = 1, 2, 3, 4 tests found at these levels.
    # The smallest: level 0.004. The second: 0.04 finds it, and so does 0.03 with r = 1, 0.04 * 3/4. The third: with
    # r = 2 the greater of 0.04 and 0.0533 * 2/4. The last: with r = 3, 0.9 / 4. And q = level / (1 - level).
    q = adjust([0.001, 0.02, 0.04, 0.9], "sharpened")
    assert q.tolist() == pytest.approx([0.004 / 0.996, 0.03 / 0.97, 0.04 / 0.96, 0.225 / 0.775])


@pytest.mark.parametrize("seed", range(5))
def test_sharpened_q_values_equal_andersons_program_up_to_its_grid(seed):
    rng = np.random.default_rng(seed)
    p = rng.uniform(size=12) ** 3
    exact, stepped = adjust(p, "sharpened"), by_the_grid(p)
    assert (stepped >= exact - 1e-9).all()
    assert np.abs(stepped - exact).max() <= 0.001 + 1e-9


def test_a_larger_p_never_has_a_smaller_adjusted_one():
    p = np.sort(np.random.default_rng(3).uniform(size=40) ** 2)
    for method in METHODS:
        assert (np.diff(adjust(p, method)) >= -1e-15).all()


def test_the_order_of_the_tests_does_not_matter():
    p = np.random.default_rng(4).uniform(size=9)
    for method in METHODS:
        assert adjust(p[::-1], method)[::-1].tolist() == pytest.approx(adjust(p, method).tolist())


def test_a_missing_p_value_stays_missing_and_is_not_a_test():
    found = adjust([0.01, np.nan, 0.04])
    assert found[[0, 2]].tolist() == pytest.approx([0.02, 0.04])
    assert np.isnan(found[1])


def test_one_test_needs_no_adjustment_and_none_gives_none():
    for method in set(METHODS) - {"sharpened"}:
        assert adjust([0.03], method).tolist() == [0.03]
        assert adjust([], method).tolist() == []


def test_adjusted_p_values_never_pass_1():
    for method in METHODS:
        assert adjust([0.9, 0.8, 0.7], method).max() <= 1


def test_what_is_not_a_p_value_or_a_method_is_an_error():
    with pytest.raises(DataError, match="outside 0 to 1"):
        adjust([1.2])
    with pytest.raises(DataError, match='Did you mean "holm"'):
        adjust([0.1], "hollm")


# ---------------------------------------------------------------- domains before measures

MEASURES = pd.DataFrame({
    "domain": ["wellbeing", "wellbeing", "family"],
    "measure": ["sdq", "swemwbs", "score_15"],
    "p_adjusted": [0.01, 0.2, 0.001],
})  # fmt: skip


def test_a_domain_whose_index_does_not_pass_keeps_its_measures_shut():
    found = gatekeep(pd.Series({"wellbeing": 0.02, "family": 0.06}), MEASURES)
    assert found[["domain", "measure", "passed"]].to_numpy().tolist() == [
        ["wellbeing", "", True],
        ["wellbeing", "sdq", True],
        ["wellbeing", "swemwbs", False],
        ["family", "", False],
        ["family", "score_15", False],
    ]
    assert found["p_adjusted"].tolist() == pytest.approx([0.04, 0.01, 0.2, 0.06, 0.001])  # Holm over domains
    assert found["verdict"].tolist() == [
        "a difference in the domain (adjusted p 0.040)",
        "a difference in this measure (adjusted p 0.010)",
        "no clear difference in this measure (adjusted p 0.20)",
        "no clear difference in the domain (adjusted p 0.060)",
        "not tested further: the domain's index did not pass",
    ]


def test_a_missing_index_or_measure_is_said_and_passes_nothing():
    measures = MEASURES.assign(p_adjusted=[np.nan, 0.2, 0.001])
    found = gatekeep(pd.Series({"wellbeing": 0.02, "family": np.nan}), measures).set_index(["domain", "measure"])
    assert found.loc[("wellbeing", "sdq"), "verdict"] == "not tested: the measure has no p-value"
    assert found.loc[("family", ""), "verdict"] == "not tested: the index has no p-value"
    assert not found.loc[("family", "score_15"), "passed"]


def test_a_gate_without_its_domain_is_an_error():
    with pytest.raises(DataError, match='Domain "family" has no index'):
        gatekeep(pd.Series({"wellbeing": 0.02}), MEASURES)
    with pytest.raises(DataError, match='no column "p_adjusted"'):
        gatekeep(pd.Series({"wellbeing": 0.02}), MEASURES.drop(columns="p_adjusted"))
    with pytest.raises(DataError, match="alpha is 5"):
        gatekeep(pd.Series({"wellbeing": 0.02, "family": 0.1}), MEASURES, alpha=5)


# ---------------------------------------------------------------- people in clusters


def test_design_effect_and_effective_n_of_domain_example_18():
    given = TEXTBOOK["design_effect"]
    assert design_effect(given["m"], given["icc"]) == pytest.approx(given["deff"])
    assert effective_n(given["n"], given["m"], given["icc"]) == pytest.approx(given["effective_n"], abs=1e-3)


def test_unequal_clusters_cost_more_than_equal_ones():
    assert design_effect([20, 20, 20], 0.05) == pytest.approx(1.95)
    # (10^2 + 50^2) / 60 = 43.33 people in the cluster of a person drawn at random.
    assert design_effect([10, 50], 0.05) == pytest.approx(1 + (2600 / 60 - 1) * 0.05)


def test_clusters_of_one_cost_nothing_and_impossible_ones_are_errors():
    assert design_effect(1, 0.3) == 1
    with pytest.raises(DataError, match="m must be 1 or more"):
        design_effect(0.5, 0.1)
    with pytest.raises(DataError, match=r"icc is -0\.2"):
        design_effect(20, -0.2)
    with pytest.raises(DataError, match="n is -1"):
        effective_n(-1, 20, 0.1)
