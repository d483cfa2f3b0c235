"""The cluster index: agreement with R on Tennessee STAR, missing measures, and indices that are not defined."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import DataError
from evalkit.outcomes import cluster_index

HERE = Path(__file__).parents[1]
STAR = json.loads((HERE / "data" / "v05_star_icw.expected.json").read_text())


@pytest.fixture(scope="module")
def star():
    table = pd.read_csv(HERE.parent / "data" / "raw" / "project_star" / "pupils.csv", dtype={"id": "str"})
    return table.set_index("id")


@pytest.mark.parametrize(
    ("method", "covariance", "first", "summary", "weights"),
    [
        ("icw", "full", "icw_full_cov_first10", "icw", "weights_full"),
        ("icw", "reference", "icw_refcov_first10", "icw_refcov", "weights_ref"),
        ("klk", "full", "klk_first10", "klk", None),
    ],
)
def test_tennessee_star_gives_the_weights_and_values_of_r(star, method, covariance, first, summary, weights):
    found = cluster_index(star, STAR["measures"], star["small"] == 0, method, covariance)
    assert found.values[STAR["index_first10_ids"]].tolist() == pytest.approx(STAR[first], abs=1e-8)
    assert found.n == STAR["index_mean_sd"][summary]["n"] == 6149
    scaled = STAR["index_mean_sd"][f"{summary}_rescaled"]
    assert found.scaled[star["small"] == 1].mean() == pytest.approx(scaled["mean_treated"], abs=1e-8)
    assert found.scaled.std() == pytest.approx(scaled["sd"], abs=1e-8)
    assert found.mean.to_dict() == pytest.approx(STAR["ref_mean"], abs=1e-8)
    assert found.sd.to_dict() == pytest.approx(STAR["ref_sd"], abs=1e-8)
    if weights:
        assert found.weights.to_dict() == pytest.approx(STAR[weights], abs=1e-8)


def frame(rows=400, seed=2):
    draw = np.random.default_rng(seed)
    common = draw.normal(size=rows)
    return pd.DataFrame({name: common + draw.normal(size=rows) for name in "abc"})


HALF = np.arange(400) < 200


def test_a_missing_measure_leaves_the_weighted_mean_of_the_others():
    table = frame()
    table.loc[0, "b"] = np.nan
    table.loc[1, ["a", "b", "c"]] = np.nan
    found = cluster_index(table, ["a", "b", "c"], HALF)
    z = (table.loc[0] - found.mean) / found.sd
    weights = found.weights[["a", "c"]]
    assert found.values[0] == pytest.approx((z[["a", "c"]] * weights).sum() / weights.sum())
    assert np.isnan(found.values[1])
    assert found.n == 399


def test_the_reference_has_mean_0_and_sd_1_on_the_scaled_index():
    found = cluster_index(frame(), ["a", "b", "c"], HALF)
    assert found.scaled[HALF].mean() == pytest.approx(0, abs=1e-12)
    assert found.scaled[HALF].std() == pytest.approx(1)
    assert found.weights.sum() == pytest.approx(1)


def test_a_measure_of_which_less_is_better_counts_the_other_way_round():
    table = frame()
    turned = table.assign(b=-table["b"])
    plain = cluster_index(table, ["a", "b", "c"], HALF)
    for polarity in ({"b": "lower"}, {"b": -1, "a": 1}):
        found = cluster_index(turned, ["a", "b", "c"], HALF, polarity=polarity)
        assert np.allclose(found.values, plain.values)


def test_the_unit_of_a_measure_does_not_matter():
    table = frame()
    found = cluster_index(table.assign(a=1000 + 50 * table["a"]), ["a", "b", "c"], HALF)
    assert np.allclose(found.values, cluster_index(table, ["a", "b", "c"], HALF).values)


def test_a_frozen_index_applied_to_a_later_occasion_keeps_the_growth():
    table = frame()
    found = cluster_index(table, ["a", "b", "c"], HALF)
    later = found.on(table + found.sd)
    assert np.allclose(later.values - found.values, 1)
    assert later.weights.equals(found.weights)


def test_a_negative_weight_is_flagged_with_the_measure():
    draw = np.random.default_rng(4)
    common = draw.normal(size=400)
    table = pd.DataFrame({"a": common, "b": common + 0.1 * draw.normal(size=400)})
    table["c"] = 2 * common + 1.5 * draw.normal(size=400)
    table["d"] = table["a"] * 3 + table["c"] * 0.4 + 0.01 * draw.normal(size=400)
    found = cluster_index(table, list("abcd"), np.ones(400, dtype=bool))
    negative = found.weights.index[found.weights < 0]
    assert len(negative)
    assert all(f"{name} (" in found.flags[0].text for name in negative)


def test_measures_that_repeat_each_other_exactly_are_shrunk_and_the_reader_is_told():
    table = frame().assign(copy=lambda t: t["a"])
    found = cluster_index(table, ["a", "copy", "b"], HALF)
    assert any("had to be shrunk by 5%" in flag.text for flag in found.flags)
    assert found.weights["a"] == pytest.approx(found.weights["copy"])


@pytest.mark.parametrize(
    ("change", "measures", "message"),
    [
        (lambda t: t, ["a"], "at least two measures"),
        (lambda t: t, ["a", "bb"], 'no measure "bb"'),
        (lambda t: t.assign(b=7.0), ["a", "b"], '"b" has the same value for everyone in the reference'),
        (lambda t: t.assign(b=t["b"].where(~HALF)), ["a", "b"], '"b" has no two values in the reference'),
        (
            lambda t: t.assign(a=t["a"].where(t.index % 2 == 0), b=t["b"].where(t.index % 2 == 1)),
            ["a", "b"],
            "hardly ever observed in the same person",
        ),
    ],
)
def test_an_index_that_is_not_defined_says_why(change, measures, message):
    with pytest.raises(DataError, match=message):
        cluster_index(change(frame()), measures, HALF)


def test_an_unknown_method_or_polarity_is_an_error():
    with pytest.raises(DataError, match='"icv" is not known'):
        cluster_index(frame(), ["a", "b"], HALF, method="icv")
    with pytest.raises(DataError, match='Write "higher" or "lower"'):
        cluster_index(frame(), ["a", "b"], HALF, polarity={"a": "up"})
    with pytest.raises(DataError, match='polarity names "z"'):
        cluster_index(frame(), ["a", "b"], HALF, polarity={"z": 1})
