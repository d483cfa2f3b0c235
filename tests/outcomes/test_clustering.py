"""The cluster index: agreement with R on Tennessee STAR, missing measures, norms, and indices that are not defined."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import DataError, EstimationError
from evalkit.linear import least_squares, row_contributions
from evalkit.outcomes import cluster_index
from evalkit.outcomes.index import stability
from evalkit.outcomes.index.units import Norm
from evalkit.outcomes.index.weights import pair_sums

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


def effect(values, treated, school):
    """The difference between arms with plain, cluster-robust (Stata's) and CR2 standard errors, n and clusters."""
    seen = values.notna().to_numpy()
    codes = pd.factorize(school[seen])[0]
    x = np.column_stack([treated[seen], np.ones(seen.sum())]).astype(float)
    fit, contrast = least_squares(values.to_numpy()[seen], x), np.array([1.0, 0.0])
    errors = {}
    for kind, name in (("classical", "se_ols"), ("cr1s", "se_CR1S_stata"), ("cr2", "se_CR2")):
        parts = row_contributions(fit, contrast, kind, None if kind == "classical" else codes)
        parts = parts if kind == "classical" else np.bincount(codes, parts)
        errors[name] = np.sqrt((parts**2).sum())
    return {"n": int(seen.sum()), "n_clusters": int(codes.max()) + 1, "estimate": fit.beta[0]} | errors


@pytest.mark.parametrize(
    ("drawn", "method", "covariance", "column"),
    [
        ("icw", "icw", "full", "values"),
        ("icw_rescaled", "icw", "full", "scaled"),
        ("icw_refcov_rescaled", "icw", "reference", "scaled"),
        ("klk", "klk", "full", "values"),
        ("klk_rescaled", "klk", "full", "scaled"),
    ],
)
def test_tennessee_star_gives_the_effects_and_standard_errors_of_r(star, drawn, method, covariance, column):
    found = cluster_index(star, STAR["measures"], star["small"] == 0, method, covariance)
    expected = STAR["effects_ols_cluster_school"][drawn]
    assert effect(getattr(found, column), star["small"], star["sch"]) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("occasion", "suffix"), [("K", "K"), ("G1", "1"), ("G2", "2"), ("G3", "3")])
def test_tennessee_star_gives_the_index_of_each_occasion_as_r_does(star, occasion, suffix):
    names, expected = [f"read_{suffix}", f"math_{suffix}"], STAR["by_occasion"][occasion]
    for method in ("icw", "klk"):
        found = cluster_index(star, names, star["small"] == 0, method)
        told = effect(found.values, star["small"], star["sch"])
        assert told == pytest.approx(expected[f"effect_{method}"], abs=1e-6)
        if method == "icw":
            assert found.weights.to_dict() == pytest.approx(expected["weights"], abs=1e-8)


def test_tennessee_star_the_index_has_a_smaller_standard_error_than_any_single_measure(star):
    found = cluster_index(star, STAR["measures"], star["small"] == 0)
    singles = {}
    for name, expected in STAR["measures_effects"].items():
        singles[name] = effect((star[name] - found.mean[name]) / found.sd[name], star["small"], star["sch"])
        assert singles[name] == pytest.approx(expected, abs=1e-6)
    index = effect(found.scaled, star["small"], star["sch"])
    assert index["se_CR1S_stata"] < min(single["se_CR1S_stata"] for single in singles.values())


@pytest.mark.parametrize(("only", "drawn"), [(False, "cov_z_full"), (True, "cov_z_ref")])
def test_tennessee_star_gives_the_pairwise_covariance_of_r(star, only, drawn):
    inside = (star["small"] == 0).to_numpy()
    pairs = pair_sums(star[STAR["measures"]].to_numpy(dtype=float), inside, only)
    sd = np.array(list(STAR["ref_sd"].values()))
    assert np.abs(pairs.covariance / np.outer(sd, sd) - STAR["cov_z_" + drawn[6:]]).max() < 1e-8


def test_tennessee_star_needs_no_warning_about_its_weights(star):
    found = cluster_index(star, STAR["measures"], star["small"] == 0, cluster=star["sch"])
    assert found.flags == ()
    assert (found.errors > 0).all()


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


# ---------------------------------------------------------------- missing measures and norms


def test_a_missing_measure_may_be_filled_with_the_mean_of_the_persons_own_arm():
    table = pd.DataFrame({"a": [1.0, 3, 5, 2, 4, 9], "b": [2.0, np.nan, 4, 1, 5, np.nan]})
    table.loc[6] = np.nan
    arm = np.array([1, 1, 1, 0, 0, 0, 0])
    found = cluster_index(table, ["a", "b"], arm == 0, "klk", missing="arm_mean", arm=arm)
    z = (table - found.mean) / found.sd
    assert found.values[1] == pytest.approx((z["a"][1] + z["b"][[0, 2]].mean()) / 2)
    assert found.values[5] == pytest.approx((z["a"][5] + z["b"][[3, 4]].mean()) / 2)
    assert np.isnan(found.values[6])
    assert any(flag.text.startswith("16.7% of the index's readings") for flag in found.flags)


def test_with_own_arm_means_the_klk_effect_is_the_mean_of_the_single_effects():
    table, arm = frame(), (~HALF).astype(int)
    table = table.mask(np.random.default_rng(1).random(table.shape) < 0.2)
    table.loc[table.isna().all(axis=1), "a"] = 0.5
    found = cluster_index(table, ["a", "b", "c"], HALF, "klk", missing="arm_mean", arm=arm)
    single = [(table[n][~HALF].mean() - table[n][HALF].mean()) / found.sd[n] for n in "abc"]
    assert found.values[~HALF].mean() - found.values[HALF].mean() == pytest.approx(np.mean(single))
    again = found.on(table, arm)
    assert np.allclose(again.values, found.values)
    with pytest.raises(DataError, match="give arm= as well"):
        found.on(table)


def test_norms_take_the_place_of_the_reference_and_are_named():
    table, plain = frame(), cluster_index(frame(), ["a", "b", "c"], HALF, "klk")
    norms = {"a": (0.0, 2.0), "b": {"mean": 0, "sd": 2, "source": "Author (2020), table 1"}, "c": Norm(0, 2, "x")}
    found = cluster_index(table, ["a", "b", "c"], HALF, "klk", norms=norms)
    assert np.allclose(found.values, table[["a", "b", "c"]].mean(axis=1) / 2)
    assert found.norms == ("a", "b", "c")
    assert (found.centre, found.sd["a"]) == (0.0, 2.0)
    z = table[HALF] - table[HALF].mean()
    spread = np.sqrt(np.full(3, 1 / 3) @ table.corr().to_numpy() @ np.full(3, 1 / 3))
    assert found.spread == pytest.approx(spread)
    assert found.scaled[HALF].std() < plain.scaled[HALF].std()  # a selected group varies less than the norms' people
    told = next(flag for flag in found.flags if "published norms" in flag.text)
    assert "Author (2020), table 1" in told.detail
    assert "no source given" in told.detail
    assert z.std().max() < 2


def test_norms_for_some_measures_only_are_flagged_as_a_mixture():
    found = cluster_index(frame(), ["a", "b"], HALF, norms={"a": (0, 2, "Author (2020)")})
    assert any(flag.level == "caution" and "mixes units" in flag.text for flag in found.flags)
    assert found.scaled[HALF].std() == pytest.approx(1)


@pytest.mark.parametrize(
    ("norms", "message"),
    [
        ({"z": (0, 1)}, 'norms names "z"'),
        ({"a": (0, 0)}, "must be above 0"),
        ({"a": 3}, "write a mean, a standard deviation"),
    ],
)
def test_norms_that_are_none_are_an_error(norms, message):
    with pytest.raises(DataError, match=message):
        cluster_index(frame(), ["a", "b"], HALF, norms=norms)


# ---------------------------------------------------------------- O'Brien and one factor


def test_the_obrien_index_weighs_measures_alike_in_units_of_the_sd_within_arms():
    table = frame()
    table.loc[~HALF, "a"] *= 3
    found = cluster_index(table, ["a", "b"], HALF, "obrien")
    within = {n: np.sqrt((table[n][HALF].var() + table[n][~HALF].var()) / 2) for n in "ab"}
    pulls = {n: found.weights[n] / found.sd[n] * within[n] for n in "ab"}
    assert pulls["a"] == pytest.approx(pulls["b"])
    assert found.weights.sum() == pytest.approx(1)


def one_factor_frame(rows=5000, loadings=(0.9, 0.7, 0.5, 0.6), seed=8):
    draw = np.random.default_rng(seed)
    factor = draw.normal(size=rows)
    noise = {n: np.sqrt(1 - load**2) * draw.normal(size=rows) for n, load in zip("abcd", loadings, strict=False)}
    return pd.DataFrame({n: load * factor + noise[n] for n, load in zip("abcd", loadings, strict=False)}), factor


def test_one_factor_scores_are_bartletts_from_the_measures_a_person_has():
    table, factor = one_factor_frame()
    table.loc[0, "b"] = np.nan
    everyone = np.ones(len(table), dtype=bool)
    found = cluster_index(table, list("abcd"), everyone, "factor")
    assert found.loadings.to_numpy() == pytest.approx([0.9, 0.7, 0.5, 0.6], abs=0.03)
    unique = 1 - found.loadings**2
    z = (table - found.mean) / found.sd
    have = ["a", "c", "d"]
    pull = found.loadings[have] / unique[have]
    assert found.values[0] == pytest.approx(
        (pull * z.loc[0, have]).sum() / (pull * found.loadings[have]).sum(), rel=1e-3
    )
    assert np.corrcoef(found.values, factor)[0, 1] > 0.9
    assert found.weights.sum() == pytest.approx(1)
    assert any("scalar invariance" in flag.text for flag in found.flags)


def test_one_factor_needs_three_measures_and_none_that_is_explained_altogether():
    with pytest.raises(DataError, match="at least three measures"):
        cluster_index(frame(), ["a", "b"], HALF, "factor")
    draw = np.random.default_rng(3)
    x, y = draw.normal(size=400), draw.normal(size=400)
    table = pd.DataFrame({"a": x + 0.8 * draw.normal(size=400), "b": x + y, "c": y + 0.8 * draw.normal(size=400)})
    with pytest.raises(EstimationError, match="Heywood"):
        cluster_index(table, list("abc"), HALF, "factor")


# ---------------------------------------------------------------- weights that cannot be relied on


@pytest.mark.parametrize("one_by_one", [2000, 0])
def test_the_standard_error_of_a_weight_is_that_of_the_bootstrap(monkeypatch, one_by_one):
    monkeypatch.setattr(stability, "_ONE_BY_ONE", one_by_one)
    table, draw = frame(300, seed=5).mask(np.random.default_rng(6).random((300, 3)) < 0.1), np.random.default_rng(7)
    everyone = np.ones(300, dtype=bool)
    found = cluster_index(table, list("abc"), everyone)
    drawn = [cluster_index(table.iloc[draw.integers(0, 300, 300)], list("abc"), everyone).weights for _ in range(400)]
    assert found.errors.to_numpy() == pytest.approx(pd.DataFrame(drawn).std().to_numpy(), rel=0.15)


def test_a_weight_whose_standard_error_exceeds_it_is_called_unstable():
    draw = np.random.default_rng(3)
    common = draw.normal(size=400)
    table = pd.DataFrame({n: common + 0.1 * draw.normal(size=400) for n in "abcdef"})
    found = cluster_index(table, list("abcdef"), np.arange(400) >= 20)
    loose = [n for n in "abcdef" if found.errors[n] > abs(found.weights[n])]
    told = next(flag for flag in found.flags if "unstable" in flag.text)
    assert loose
    assert all(f"{name} (" in told.text for name in loose)


@pytest.mark.parametrize("covariance", ["full", "reference"])
def test_leaving_out_clusters_one_by_one_equals_refitting_without_them(covariance):
    table = frame(200, seed=5).mask(np.random.default_rng(6).random((200, 3)) < 0.1)
    codes, inside = np.arange(200) % 8, np.arange(200) % 3 > 0
    names, norms = list("abc"), {"c": (0.1, 1.3)}
    found = cluster_index(table, names, inside, "icw", covariance, cluster=codes, norms=norms)
    without = [
        cluster_index(table[codes != one], names, inside[codes != one], "icw", covariance, norms=norms).weights
        for one in range(8)
    ]
    expected = pd.DataFrame(without).std(ddof=0) * np.sqrt(7)
    assert found.errors.to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-8)


def test_a_weight_that_rests_on_one_cluster_is_said_to():
    draw = np.random.default_rng(3)
    common = draw.normal(size=400)
    table = pd.DataFrame({n: common + 0.2 * draw.normal(size=400) for n in "abcdef"})
    codes = np.arange(400) // 20
    assert not cluster_index(table, list("abcdef"), codes > 0, cluster=codes).flags
    table.loc[codes == 0, "a"] += 4 * draw.normal(size=20)
    found = cluster_index(table, list("abcdef"), codes > 0, cluster=codes)
    told = next(flag.text for flag in found.flags if "One cluster alone" in flag.text)
    assert "weight of a:" in told
    assert np.abs(found.weights - cluster_index(table[20:], list("abcdef"), codes[20:] > 0).weights)["a"] > 1 / 12


def test_an_inverse_that_lives_on_small_differences_is_flagged_as_ivcvscore_does():
    draw = np.random.default_rng(4)
    common = draw.normal(size=2000)
    table = pd.DataFrame({"a": common, "b": common + 0.05 * draw.normal(size=2000), "c": draw.normal(size=2000)})
    table["b"] *= 1.3
    table["a"] = table["a"] * 0.5 + 0.5 * table["c"]
    found = cluster_index(table, list("abc"), np.ones(2000, dtype=bool))
    sums = np.linalg.inv(table.corr().to_numpy()).sum(axis=1)
    assert (sums > 2).any() == any("small differences" in flag.text for flag in found.flags)
    assert any("the closest pair is a and b" in flag.detail for flag in found.flags) or not (sums > 2).any()


def test_a_unit_from_fewer_than_twenty_people_is_flagged():
    found = cluster_index(frame(), ["a", "b"], np.arange(400) < 12)
    assert any("fewer than 20 people" in flag.text for flag in found.flags)


# ---------------------------------------------------------------- bad input


def test_text_and_infinite_values_are_told_with_column_and_rows():
    table = frame().astype({"a": object})
    table.loc[[2, 5], "a"] = "secret answer"
    with pytest.raises(DataError, match=r'"a" in 2 rows \(row 3, 6') as caught:
        cluster_index(table, ["a", "b"], HALF)
    assert "secret" not in str(caught.value)
    with pytest.raises(DataError, match="b hold infinite values"):
        cluster_index(frame().assign(b=np.inf), ["a", "b"], HALF)


def test_a_reference_with_other_labels_or_values_is_an_error_and_one_in_another_order_is_put_right():
    table = frame()
    with pytest.raises(DataError, match="reference has 3 entries"):
        cluster_index(table, ["a", "b"], [True, False, True])
    with pytest.raises(DataError, match="labelled otherwise"):
        cluster_index(table, ["a", "b"], pd.Series(HALF, index=np.arange(400) + 1000))
    with pytest.raises(DataError, match="yes or no"):
        cluster_index(table, ["a", "b"], np.arange(400))
    shuffled = pd.Series(HALF).sample(frac=1, random_state=1)
    assert cluster_index(table, ["a", "b"], shuffled).mean.equals(cluster_index(table, ["a", "b"], HALF).mean)


def test_an_option_that_is_not_known_is_an_error():
    with pytest.raises(DataError, match='Did you mean "missing"'):
        cluster_index(frame(), ["a", "b"], HALF, mising="available")
    with pytest.raises(DataError, match='"arm_means" is not known'):
        cluster_index(frame(), ["a", "b"], HALF, missing="arm_means", arm=HALF)
    with pytest.raises(DataError, match="would count twice"):
        cluster_index(frame(), ["a", "b", "a"], HALF)


def test_values_far_from_zero_lose_no_digits():
    table = frame()
    far = cluster_index(table + 1e9, ["a", "b", "c"], HALF)
    assert np.allclose(far.values, cluster_index(table, ["a", "b", "c"], HALF).values, atol=1e-6)
    steps = table.copy()
    steps.loc[HALF, "a"] = 1e7 + table.loc[HALF, "a"]
    assert cluster_index(steps, ["a", "b"], HALF).sd["a"] == pytest.approx(steps.loc[HALF, "a"].std(), rel=1e-7)


def test_the_order_of_persons_does_not_matter_and_the_frame_is_left_alone():
    table = frame().mask(np.random.default_rng(1).random((400, 3)) < 0.2)
    before, order = table.copy(), np.random.default_rng(2).permutation(400)
    first = cluster_index(table, ["a", "b", "c"], HALF)
    again = cluster_index(table.iloc[order], ["a", "b", "c"], HALF[order])
    pd.testing.assert_series_equal(again.values.sort_index(), first.values, atol=1e-12)
    pd.testing.assert_frame_equal(table, before)


def test_an_index_shows_no_person():
    found = cluster_index(frame(), ["a", "b"], HALF)
    assert repr(found) == "ClusterIndex(icw, 2 measures)"
    assert f"{found.values[0]:.4f}" not in found._repr_html_()


@pytest.mark.parametrize("method", ["icw", "klk", "obrien"])
def test_measures_that_run_against_each_other_are_named_with_the_sign(method):
    rng = np.random.default_rng(0)
    one = rng.normal(size=200)
    frame = pd.DataFrame({"one": one, "other": -one + rng.normal(size=200)})
    texts = [flag.text for flag in cluster_index(frame, ["one", "other"], np.arange(200) < 100, method).flags]
    assert any(re.search(r"run against each other \(correlation\): one and other \(−0\.\d+\)", text) for text in texts)
    turned = cluster_index(frame, ["one", "other"], np.arange(200) < 100, method, polarity={"other": "lower"})
    assert not any("against" in flag.text for flag in turned.flags)
