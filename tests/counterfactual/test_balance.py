"""Balance and overlap: what a reader sees before believing an adjustment."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from evalkit.counterfactual.balances import balance, for_love_plot
from evalkit.counterfactual.matched.overlaps import overlap
from evalkit.errors import EstimationError

DATA = Path(__file__).parents[1] / "data"
COVARIATES = ["age", "educ", "race", "married", "nodegree", "re74", "re75"]


@pytest.fixture(scope="module")
def lalonde():
    return pd.read_csv(DATA / "lalonde.csv")


def test_v1g_dehejia_wahba_balance_before(lalonde, grid):
    table = balance(lalonde, "treat", COVARIATES)
    grid(
        """
        covariate  | smd
        age        | -0.309445
        educ       | 0.054965
        race black | 1.761542
        married    | -0.826309
        re74       | -0.721084
        re75       | -0.290263
        """,
        lambda row: table.loc[row.covariate, "smd_before"],
        "smd",
    )
    assert table.loc[["age", "re74"], "variance_ratio_before"].tolist() == pytest.approx([0.439995, 0.518128], abs=1e-5)


def test_kolmogorov_smirnov_distances_equal_scipys(lalonde):
    table = balance(lalonde, "treat", COVARIATES)
    arm = lalonde["treat"] == 1
    for name in ("age", "educ", "re74", "re75"):
        expected = stats.ks_2samp(lalonde.loc[arm, name], lalonde.loc[~arm, name]).statistic
        assert table.loc[name, "ks_before"] == pytest.approx(expected, abs=1e-12)
    assert table.loc["married", "ks_before"] == pytest.approx(0.5128205 - 0.1891892, abs=1e-6)


def test_whole_weights_are_as_if_people_were_there_several_times():
    random = np.random.default_rng(1)
    frame = pd.DataFrame({"x": random.normal(size=60).round(1), "arm": [0] * 40 + [1] * 20})
    weights = random.integers(0, 4, 60).astype(float)
    weights[frame["arm"] == 1] = 1.0
    weighted = balance(frame, "arm", ["x"], weights=weights).loc["x"]
    repeated = frame.loc[np.repeat(frame.index, weights.astype(int))]
    there_often = balance(repeated, "arm", ["x"]).loc["x"]
    assert weighted["ks_after"] == pytest.approx(there_often["ks_before"])
    assert weighted["mean_comparison_after"] == pytest.approx(there_often["mean_comparison"])
    assert weighted["smd_after"] == pytest.approx(there_often["smd_before"])


@pytest.mark.parametrize(("denominator", "sd"), [("treated", 1.0), ("comparison", 3.0), ("pooled", np.sqrt(5))])
def test_the_denominator_is_chosen_and_said(denominator, sd):
    frame = pd.DataFrame({"x": [4.0, 5, 6, 0, 3, 6], "arm": [1, 1, 1, 0, 0, 0]})
    table = balance(frame, "arm", ["x"], denominator=denominator)
    assert table.loc["x", "smd_before"] == pytest.approx(2 / sd)
    assert ("treated" in table.attrs["denominator"]) == (denominator == "treated")
    assert "before weighting" in table.attrs["denominator"]


def test_yes_and_no_has_no_variance_ratio_and_words_come_by_level(lalonde):
    table = balance(lalonde, "treat", ["married", "race"])
    assert list(table.index) == ["married", "race black", "race hispan", "race white"]
    assert table["variance_ratio_before"].isna().all()


def test_gaps_are_left_out():
    frame = pd.DataFrame({"x": [1.0, 2, np.nan, 4, 6, np.nan], "arm": [1, 1, 1, 0, 0, 0]})
    row = balance(frame, "arm", ["x"], weights=[1, 1, 1, 1, 3, 9]).loc["x"]
    assert (row["mean_treated"], row["mean_comparison"], row["mean_comparison_after"]) == (1.5, 5.0, 5.5)


def test_a_love_plot_has_a_line_for_each_covariate_and_time():
    frame = pd.DataFrame({"x": [4.0, 5, 6, 0, 3, 6], "z": [1.0, 2, 3, 1, 2, 3.5], "arm": [1, 1, 1, 0, 0, 0]})
    long = for_love_plot(balance(frame, "arm", ["z", "x"], weights=np.ones(6)))
    assert long["covariate"].tolist() == ["x", "z", "x", "z"]
    assert long["when"].tolist() == ["before", "before", "after", "after"]
    assert (long["difference"] >= 0).all()


def test_what_balance_cannot_do():
    frame = pd.DataFrame({"x": [1.0, 2, 3, 4], "arm": [1, 1, 0, 0]})
    with pytest.raises(EstimationError, match="3 weights for 4 rows"):
        balance(frame, "arm", ["x"], weights=[1, 1, 1])
    with pytest.raises(EstimationError, match="weights must be 0 or more"):
        balance(frame, "arm", ["x"], weights=[1, 1, 1, -1])
    with pytest.raises(EstimationError, match='Did you mean "pooled"'):
        balance(frame, "arm", ["x"], denominator="pool")
    with pytest.raises(EstimationError, match='column "w" is not in the table'):
        balance(frame, "arm", ["x"], weights="w")


# ------------------------------------------------------- overlap


def people(shift, n=600, seed=1):
    random = np.random.default_rng(seed)
    arm = (np.arange(n) < n // 3).astype(int)
    return pd.DataFrame({"x": random.normal(size=n) + shift * arm, "z": random.normal(size=n), "arm": arm})


def test_overlap_shows_each_arm_in_bands_of_ten_or_more():
    found = overlap(people(1.0), "arm", ["x", "z"])
    for arm, n in (("treated", 200), ("comparison", 400)):
        part = found.table[found.table["arm"] == arm]
        assert part["share"].sum() == pytest.approx(1, abs=0.03)
        assert (part["share"] >= (10 / n) - 0.006).all()
        assert part["low"].iloc[0] == 0
        assert part["high"].iloc[-1] == 1
        assert (part["low"].to_numpy()[1:] == part["high"].to_numpy()[:-1]).all()
    assert found.common_support > 0.95
    assert found.flags == ()


def test_few_people_are_never_split_into_bands():
    found = overlap(people(0.3, n=36), "arm", ["x"])
    assert (found.table["arm"] == "treated").sum() == 1


def test_treated_without_anybody_alike_are_said():
    frame = people(0.5)
    frame.loc[:79, "x"] += 8
    found = overlap(frame, "arm", ["x", "z"])
    assert found.common_support < 0.65
    assert [flag.level for flag in found.flags] == ["serious"]
    assert "unlike anybody in the comparison" in found.flags[0].text


def test_arms_told_apart_without_fail_have_no_overlap():
    found = overlap(people(30), "arm", ["x", "z"])
    assert found.common_support == 0
    assert len(found.table) == 0
    assert found.flags[-1].level == "serious"


def test_overlap_does_not_depend_on_the_order_of_rows_nor_change_its_input():
    frame = people(1.0)
    before = frame.copy()
    given = overlap(frame, "arm", ["x", "z"])
    shuffled = overlap(frame.sample(frac=1, random_state=2), "arm", ["x", "z"])
    pd.testing.assert_frame_equal(given.table, shuffled.table)
    pd.testing.assert_frame_equal(frame, before)


def test_an_overlap_shows_no_persons():
    found = overlap(people(1.0), "arm", ["x", "z"])
    assert len(found.table) <= 42
    assert "density" in found._repr_html_()


def test_what_overlap_cannot_do():
    frame = people(1.0)
    with pytest.raises(EstimationError, match='column "w" is not in the table'):
        overlap(frame, "arm", ["w"])
    with pytest.raises(EstimationError, match="must hold 1 for the treated and 0 for the comparison"):
        overlap(frame.assign(arm=1), "arm", ["x"])
    with pytest.raises(EstimationError, match="bands must be a whole number"):
        overlap(frame, "arm", ["x"], bands=0)
