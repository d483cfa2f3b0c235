"""Reliability: agreement with psych, lavaan and lme4, intervals, holes, and what cannot be told."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import DataError, EstimationError
from evalkit.outcomes.items.agreement import FORMS, agreement, full_table, mean_squares, values_by_form
from evalkit.outcomes.items.estimates import cluster_icc, reliability
from evalkit.outcomes.items.itemtable import pairwise_covariance
from evalkit.outcomes.items.unbalanced import holed_table

DATA = Path(__file__).parents[1] / "data"
BFI = json.loads((DATA / "v01_bfi_items.expected.json").read_text())
SHROUT = json.loads((DATA / "v07_shrout_fleiss.expected.json").read_text())["psych"]


@pytest.fixture(scope="module")
def bfi():
    table = pd.read_csv(DATA / "v01_bfi_items.csv")

    def scored(scale: str) -> pd.DataFrame:
        items = table[BFI[scale]["items"]].copy()
        for item in BFI[scale]["reverse"]:
            items[item] = 7 - items[item]
        return items

    return scored


@pytest.fixture(scope="module")
def judges():
    return pd.read_csv(DATA / "v07_shrout_fleiss.csv")[["J1", "J2", "J3", "J4"]]


def answers(n: int = 60, k: int = 4, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, 1)) + rng.normal(size=(n, k))
    return pd.DataFrame(values, columns=[f"i{place}" for place in range(k)])


# ---------------------------------------------------------------- alpha


@pytest.mark.parametrize("scale", list(BFI))
def test_bfi_alpha_equals_psych_listwise_and_pairwise(bfi, scale):
    want, items = BFI[scale], bfi(scale)
    for missing, n in (("listwise", want["n_complete"]), ("pairwise", want["n_all"])):
        found = reliability(items, "alpha", missing)
        assert found.value == pytest.approx(want[f"alpha_raw_{missing}"], abs=1e-6)
        assert found.standardised == pytest.approx(want[f"alpha_std_{missing}"], abs=1e-6)
        assert (found.n, found.policy) == (n, missing)


@pytest.mark.parametrize("scale", list(BFI))
def test_bfi_items_and_feldt_interval_equal_psych(bfi, scale):
    want, found = BFI[scale], reliability(bfi(scale))
    assert [found.low, found.high] == pytest.approx(want["feldt_ci95_listwise"], abs=1e-9)
    assert found.items["r_rest"].to_dict() == pytest.approx(want["item_total_r_drop"], abs=1e-6)
    assert found.items["alpha_without"].to_dict() == pytest.approx(want["alpha_if_dropped"], abs=1e-6)


def test_the_pairwise_interval_counts_the_thinnest_pair_and_so_is_the_wider():
    items = answers(200)
    items.loc[:149, "i0"] = np.nan
    whole = reliability(answers(200), missing="pairwise")
    holed = reliability(items, missing="pairwise")
    assert holed.n == 200
    assert holed.high - holed.low > 1.5 * (whole.high - whole.low)


def test_the_pairwise_covariance_is_that_of_pandas():
    items = answers(80).mask(np.random.default_rng(2).random((80, 4)) < 0.2)
    covariance, counts = pairwise_covariance(items.to_numpy())
    assert covariance == pytest.approx(items.cov().to_numpy(), abs=1e-12)
    assert counts[0, 1] == items[["i0", "i1"]].dropna().shape[0]


def test_an_item_that_was_not_reversed_is_flagged_by_name():
    items = answers(200)
    found = reliability(items.assign(i2=-items["i2"]))
    text = [flag for flag in found.flags if "reverse keys" in flag.text]
    assert len(text) == 1
    assert '"i2"' in text[0].detail
    assert not reliability(items).flags


def test_the_sentence_says_n_the_policy_and_how_many_were_left_out():
    items = answers(100)
    items.iloc[:30, 0] = np.nan
    found = reliability(items)
    assert "n 70 of 100" in found.text
    assert "listwise" in found.text
    assert [flag.level for flag in found.flags] == ["caution"]
    assert "30 of 100" in found.flags[0].detail


def test_the_table_given_is_left_alone():
    items = answers(50).mask(np.random.default_rng(4).random((50, 4)) < 0.1)
    before = items.copy()
    for kind, missing in (("alpha", "pairwise"), ("omega", "listwise"), ("icc", "pairwise")):
        reliability(items, kind, missing)
    pd.testing.assert_frame_equal(items, before)


# ---------------------------------------------------------------- omega


@pytest.mark.parametrize("scale", list(BFI))
def test_bfi_omega_equals_the_one_factor_omega_of_r(bfi, scale):
    want, found = BFI[scale], reliability(bfi(scale), "omega")
    assert found.value == pytest.approx(want["omega_total_mcdonald_1factor_ML"], abs=1e-4)
    assert found.low < found.value < found.high
    loadings = {f"f=~{item}": value for item, value in found.items["loading"].items()}
    assert loadings == pytest.approx(want["loadings_std_lv_ML"], abs=1e-4)


def test_the_interval_of_omega_is_as_wide_as_omega_varies_for_skewed_answers():
    rng, loadings = np.random.default_rng(5), np.array([0.5, 0.6, 0.7, 0.8, 0.4])

    def draw() -> pd.DataFrame:
        values = rng.normal(size=(200, 1)) * loadings + rng.normal(size=(200, 5)) * np.sqrt(1 - loadings**2)
        return pd.DataFrame(np.digitize(values, [0.3, 1.0, 1.8]).astype(float)).rename(columns=str)

    found = [reliability(draw(), "omega") for _ in range(150)]
    spread = np.std([one.value for one in found])
    half = np.mean([(one.high - one.low) / 2 for one in found])
    assert half / spread == pytest.approx(1.96, rel=0.15)


def test_omega_of_parallel_items_is_alpha():
    rng = np.random.default_rng(6)
    values = rng.normal(size=(500, 4))
    values -= values.mean(axis=0)
    white = values @ np.linalg.inv(np.linalg.cholesky(np.cov(values, rowvar=False))).T
    target = np.full((4, 4), 0.5) + 0.5 * np.eye(4)
    items = pd.DataFrame(white @ np.linalg.cholesky(target).T, columns=list("abcd"))
    assert reliability(items, "omega").value == pytest.approx(0.8, abs=1e-8)
    assert reliability(items, "alpha").value == pytest.approx(0.8, abs=1e-10)


# ---------------------------------------------------------------- intraclass correlations


def test_shrout_and_fleiss_1979_table_2_in_all_six_forms(judges):
    found = reliability(judges, "icc").table
    for form, want in zip(FORMS, SHROUT, strict=True):
        row = found.loc[form]
        have = [row["icc"], row["F"], row["df1"], row["df2"], row["p"], row["low"], row["high"]]
        names = ("ICC", "F", "df1", "df2", "p", "lower bound", "upper bound")
        assert have == pytest.approx([want[name] for name in names], abs=1e-6)
    assert found["icc"].round(2).tolist() == [0.17, 0.29, 0.71, 0.44, 0.62, 0.91]


def test_the_value_is_the_agreement_of_single_ratings(judges):
    found = reliability(judges, "icc")
    assert found.value == pytest.approx(agreement(mean_squares(judges.to_numpy(float))), abs=1e-12)


@pytest.mark.parametrize(
    ("columns", "labels"),
    [
        (("Type", "ICC"), FORMS),
        (("type", "icc"), ("ICC1", "ICC2", "ICC3", "ICC1k", "ICC2k", "ICC3k")),
        (("Form", "Value"), FORMS),
    ],
)
def test_renamed_columns_and_rows_of_pingouin_are_still_read(columns, labels):
    table = pd.DataFrame({columns[0]: labels, columns[1]: np.arange(6) / 10, "CI95": 0})
    want = dict(zip(FORMS, np.arange(6) / 10, strict=True))
    assert values_by_form(table.sample(frac=1, random_state=1)) == pytest.approx(want)


def test_a_table_of_pingouin_that_is_not_known_is_an_error_and_not_all_missing():
    with pytest.raises(EstimationError, match="pingouin"):
        values_by_form(pd.DataFrame({"Type": ["ICC one"], "ICC": [0.1]}))


def test_without_holes_the_mixed_model_gives_the_forms_of_the_mean_squares(judges):
    for table in (judges, answers(80, 3) + np.array([0.0, 0.5, -0.3])):
        values = table.to_numpy(float)
        assert holed_table(values, 0.95)["icc"].tolist() == pytest.approx(
            full_table(values, 0.95)["icc"].tolist(), abs=1e-6
        )


def test_ratings_with_holes_use_every_rating_and_come_near_the_full_table():
    full = answers(400, 4, seed=8) + np.array([0.0, 0.6, -0.4, 0.2])
    holed = full.mask(np.random.default_rng(9).random(full.shape) < 0.25)
    every, complete = reliability(holed, "icc", "pairwise"), reliability(holed, "icc", "listwise")
    truth = reliability(full, "icc").table["icc"]
    assert every.n == int(holed.notna().any(axis=1).sum()) > complete.n
    assert (every.table["icc"] - truth).abs().max() < 0.06
    assert every.table.loc["ICC(C,1)", "low"] < truth["ICC(C,1)"] < every.table.loc["ICC(C,1)", "high"]
    narrower = every.table.loc["ICC(C,1)"], complete.table.loc["ICC(C,1)"]
    assert narrower[0]["high"] - narrower[0]["low"] < narrower[1]["high"] - narrower[1]["low"]


def test_raudenbush_and_bryk_2002_high_school_and_beyond():
    table = pd.read_csv(DATA / "v08_hsb_mathach.csv")
    want = json.loads((DATA / "v08_hsb_mathach.expected.json").read_text())
    found = cluster_icc(table["MathAch"], table["School"])
    assert found.value == pytest.approx(want["icc1_reml"], abs=1e-6)
    assert found.anova == pytest.approx(want["icc1_anova"], abs=1e-9)
    assert found.n0 == pytest.approx(want["n0"], abs=1e-9)
    assert found.design_effect == pytest.approx(want["deff_mean_cluster"], rel=1e-6)
    variances = [row["vcov"] for row in want["null"]["varcorr"]]
    assert [found.between, found.within] == pytest.approx(variances, rel=1e-5)
    assert found.mean == pytest.approx(want["null"]["fixed"]["(Intercept)"]["estimate"], rel=1e-6)
    assert found.low < found.value < found.high


# ---------------------------------------------------------------- two occasions


def test_a_retest_gives_correlation_agreement_and_the_smallest_change():
    first = np.array([10.0, 12, 14, 16, 18, 20, 22, 24])
    second = first + np.array([1.0, -1, 1, -1, 1, -1, 1, -1])
    found = reliability(pd.DataFrame({"first": first, "second": second}), "retest")
    assert found.value == pytest.approx(np.corrcoef(first, second)[0, 1])
    consistent = found.table.loc["ICC(C,1)", "sem"]
    assert consistent == pytest.approx((second - first).std(ddof=1) / np.sqrt(2))
    assert found.table.loc["ICC(C,1)", "smallest_change"] == pytest.approx(1.959964 * np.sqrt(2) * consistent, rel=1e-6)
    assert found.low == pytest.approx(np.tanh(np.arctanh(found.value) - 1.959964 / np.sqrt(5)), rel=1e-6)


def test_a_shift_between_occasions_lowers_agreement_not_correlation_and_is_flagged():
    first = answers(100, 1)["i0"]
    still = reliability(pd.DataFrame({"a": first, "b": first + answers(100, 1, seed=3)["i0"] / 5}), "retest")
    moved = reliability(pd.DataFrame({"a": first, "b": first + answers(100, 1, seed=3)["i0"] / 5 + 3}), "retest")
    assert moved.value == pytest.approx(still.value)
    assert moved.table.loc["ICC(A,1)", "value"] < 0.5 * still.table.loc["ICC(A,1)", "value"]
    assert moved.smallest_change > still.smallest_change
    assert any("level moved" in flag.text for flag in moved.flags)


# ---------------------------------------------------------------- what cannot be told


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda t: t[["i0"]], "at least 2"),
        (lambda t: t.assign(i1=3.0), r'"i1": all 60 answers are alike'),
        (lambda t: t.assign(i1=np.nan), r'"i1" holds no answer'),
        (lambda t: t.assign(i1=["secret"] + ["1"] * 59), r'"i1", row 0 .*not a number'),
        (lambda t: t.assign(i1=[np.inf] + [1.0, 2] * 29 + [1]), "infinite"),
        (lambda t: t.head(2), "2 usable rows"),
        (lambda t: pd.concat([t, t[["i0"]]], axis=1), "stands there twice"),
    ],
)
def test_tables_that_cannot_be_used_are_refused_with_the_column_and_a_remedy(change, says):
    with pytest.raises(DataError, match=says) as caught:
        reliability(change(answers()))
    assert "secret" not in str(caught.value)


def test_all_bad_columns_are_named_at_once():
    with pytest.raises(DataError, match="2 problems"):
        reliability(answers().assign(i0=1.0, i1=np.nan))


def test_an_item_flat_among_complete_rows_is_named():
    items = answers(6).assign(i0=[1.0, 1, 1, 1, 1, 2])
    items.loc[5, "i1"] = np.nan
    with pytest.raises(DataError, match='among the 5 complete rows all answers to "i0"'):
        reliability(items)


def test_two_items_never_answered_together_have_no_pairwise_alpha():
    items = answers(20)
    items.loc[:9, "i0"] = np.nan
    items.loc[10:, "i1"] = np.nan
    with pytest.raises(DataError, match='"i0" and "i1"'):
        reliability(items, missing="pairwise")


@pytest.mark.parametrize(
    ("kind", "missing", "says"),
    [
        ("omgea", "listwise", 'Did you mean "omega"'),
        ("alpha", "pairwsie", 'Did you mean "pairwise"'),
        ("omega", "pairwise", "complete rows"),
        ("retest", "listwise", "two occasions; 4 columns"),
    ],
)
def test_words_that_are_not_known_are_answered_with_the_nearest(kind, missing, says):
    with pytest.raises(DataError, match=says):
        reliability(answers(), kind, missing)


def test_omega_of_two_items_points_to_alpha():
    with pytest.raises(DataError, match='Use kind = "alpha"'):
        reliability(answers(k=2), "omega")


def test_clusters_of_one_person_each_have_no_intraclass_correlation():
    with pytest.raises(DataError, match="two clusters"):
        cluster_icc([1.0, 2.0, 3.0], ["a", "b", "c"])
