"""What each measure adds, and O'Brien's tests over all of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import DataError, EstimationError
from evalkit.linear import least_squares, row_contributions
from evalkit.outcomes.index.adds import what_each_adds
from evalkit.outcomes.index.clustering import cluster_index
from evalkit.outcomes.index.globaltest import obrien_test

HERE = Path(__file__).parents[1]


def people(rows=600, seed=4):
    """Two measures that repeat each other, one that speaks of something else."""
    draw = np.random.default_rng(seed)
    shared = draw.normal(size=rows)
    treated = np.arange(rows) % 2
    return pd.DataFrame({
        "mood": shared + 0.3 * draw.normal(size=rows) + 0.3 * treated,
        "mood_again": shared + 0.3 * draw.normal(size=rows) + 0.3 * treated,
        "school": draw.normal(size=rows) + 0.3 * treated,
        "treated": treated,
        "team": np.arange(rows) // 20,
    })  # fmt: skip


MEASURES = ["mood", "mood_again", "school"]


def adds(table, **more):
    return what_each_adds(table, MEASURES, table["treated"], table["treated"] == 0, **more).set_index("measure")


def test_a_measure_that_repeats_another_adds_little_and_one_that_does_not_adds_much():
    found = adds(people())
    assert found.loc["school", "unique"] > 0.95
    assert found.loc["mood", "unique"] < 0.25
    assert found.loc["school", "precision_added"] > 0.2
    assert abs(found.loc["mood", "precision_added"]) < 0.1
    assert found.loc["mood", "correlation_without"] > 0.97 > found.loc["school", "correlation_without"]


def test_each_row_is_the_index_without_the_measure():
    table = people()
    table.loc[:50, "mood"] = np.nan
    found = adds(table, cluster=table["team"])
    without = cluster_index(table, ["mood_again", "school"], table["treated"] == 0).scaled
    x = np.column_stack([table["treated"], np.ones(600)]).astype(float)
    fit = least_squares(without.to_numpy(), x)
    codes = table["team"].to_numpy()
    parts = np.bincount(codes, row_contributions(fit, np.array([1.0, 0.0]), "cr2", codes))
    assert found.loc["mood", "effect_without"] == pytest.approx(fit.beta[0])
    assert found.loc["mood", "se_without"] == pytest.approx(np.sqrt((parts**2).sum()))
    lost = 1 - found.loc["mood", "precision_without"] / found.loc["mood", "precision"]
    assert found.loc["mood", "precision_added"] == pytest.approx(lost)
    assert found.loc["mood", ["n", "n_without"]].tolist() == [549, 600]
    alone = found.loc["school", "effect_alone"] * table["school"][table["treated"] == 0].std()
    assert alone == pytest.approx(table.groupby("treated")["school"].mean().diff()[1])


def test_the_precision_lost_is_that_of_the_sum_of_the_inverse_covariance():
    table = people()
    table[MEASURES] -= table.groupby("treated")[MEASURES].transform("mean")
    s = table[MEASURES].cov().to_numpy() / np.outer(*[table[MEASURES][table["treated"] == 0].std()] * 2)
    whole, without = np.linalg.inv(s).sum(), np.linalg.inv(s[1:, 1:]).sum()
    assert adds(table).loc["mood", "precision_added"] == pytest.approx(1 - without / whole, abs=1e-6)


def test_unique_variance_is_one_less_the_r_squared_on_the_others():
    table = people()
    x = np.column_stack([table["mood_again"], table["school"], np.ones(600)])
    left = table["mood"] - x @ np.linalg.lstsq(x, table["mood"], rcond=None)[0]
    assert adds(table).loc["mood", "unique"] == pytest.approx(left.var() / table["mood"].var())


def test_what_is_added_is_set_against_money_and_minutes():
    found = adds(people(), cost={"mood": 2.0, "school": 0.0}, minutes={"school": 30})
    assert found.loc["mood", "cost_all"] == 1200
    gained = found["precision"] - found["precision_without"]
    assert found.loc["mood", "precision_per_cost"] == pytest.approx(gained["mood"] / 1200)
    assert found.loc["school", "precision_per_hour"] == pytest.approx(gained["school"] / 300)
    assert np.isnan(found.loc["school", "precision_per_cost"])  # free: nothing to divide by
    assert np.isnan(found.loc["mood_again", "cost"])


def test_of_two_measures_each_stands_alone_without_the_other():
    table = people()
    found = what_each_adds(
        table.assign(school=-table["school"]), ["mood", "school"], table["treated"], table["treated"] == 0,
        polarity={"school": "lower"},
    ).set_index("measure")  # fmt: skip
    assert found.loc["mood", "effect_without"] == pytest.approx(found.loc["school", "effect_alone"])
    assert found.loc["school", "effect_alone"] > 0


def test_tennessee_star_no_measure_by_itself_is_as_precise_as_the_index():
    expected = json.loads((HERE / "data" / "v05_star_icw.expected.json").read_text())
    star = pd.read_csv(HERE.parent / "data" / "raw" / "project_star" / "pupils.csv")
    found = what_each_adds(star, expected["measures"], star["small"], star["small"] == 0, star["sch"])
    found = found.set_index("measure")
    assert (found["se"] < found["se_alone"]).all()
    for name, told in expected["measures_effects"].items():
        assert found.loc[name, "effect_alone"] == pytest.approx(told["estimate"], abs=1e-6)
        assert found.loc[name, "se_alone"] == pytest.approx(told["se_CR2"], abs=1e-6)
    assert found["se"].iloc[0] == pytest.approx(
        expected["effects_ols_cluster_school"]["icw_rescaled"]["se_CR2"], abs=1e-6
    )


def test_costs_that_cannot_be_and_an_empty_arm_are_errors():
    with pytest.raises(DataError, match='cost names "mod"'):
        adds(people(), cost={"mod": 1})
    with pytest.raises(DataError, match='minutes of "mood" must be 0 or more'):
        adds(people(), minutes={"mood": -1})
    table = people()
    with pytest.raises(EstimationError, match="fewer than two people"):
        what_each_adds(table, MEASURES, np.zeros(600), table["treated"] == 0)
    with pytest.raises(EstimationError, match="lies in one cluster"):
        adds(table, cluster=np.zeros(600))


# ---------------------------------------------------------------- O'Brien


def test_the_ols_test_is_the_two_sample_t_of_the_obrien_index():
    from scipy.stats import ttest_ind

    table = people(80)
    found = obrien_test(table, table["treated"], MEASURES)
    treated = table["treated"] == 1
    index = cluster_index(table, MEASURES, ~treated, "obrien").values
    assert found.statistic == pytest.approx(ttest_ind(index[treated], index[~treated]).statistic)
    assert found.weights.tolist() == pytest.approx([1 / 3] * 3)
    assert found.df == 80 - 6


def test_obrien_1984_the_ols_and_gls_forms_follow_from_the_t_statistics_and_their_correlation():
    from scipy.stats import ttest_ind

    table = people(80)
    treated = table["treated"] == 1
    t = np.array([ttest_ind(table[name][treated], table[name][~treated]).statistic for name in MEASURES])
    within = table[MEASURES] - table.groupby("treated")[MEASURES].transform("mean")
    r, ones = within.corr().to_numpy(), np.ones(3)
    inverse = np.linalg.inv(r)
    ols, gls = (obrien_test(table, table["treated"], MEASURES, form) for form in ("ols", "gls"))
    assert ols.single.to_numpy() == pytest.approx(t)
    assert ols.statistic == pytest.approx(ones @ t / np.sqrt(ones @ r @ ones))
    assert gls.statistic == pytest.approx(ones @ inverse @ t / np.sqrt(ones @ inverse @ ones))


def test_the_rank_form_is_a_t_test_on_mean_ranks_and_shrugs_at_outliers():
    from scipy.stats import ttest_ind

    table = people(80)
    treated = table["treated"] == 1
    mean = table[MEASURES].rank().mean(axis=1)
    found = obrien_test(table, table["treated"], MEASURES, "rank")
    assert found.statistic == pytest.approx(ttest_ind(mean[treated], mean[~treated]).statistic)
    wild = table.copy()
    wild.loc[wild["school"].idxmax(), "school"] = 1e6
    assert obrien_test(wild, table["treated"], MEASURES, "rank").statistic == found.statistic


def test_a_gls_test_that_points_the_wrong_way_is_flagged():
    draw = np.random.default_rng(1)
    shared = draw.normal(size=300)
    table = pd.DataFrame({"a": shared + 0.1 * draw.normal(size=300), "c": shared + draw.normal(size=300)})
    table["b"] = 3 * shared + table["c"] + 0.1 * draw.normal(size=300)
    found = obrien_test(table, np.arange(300) % 2, ["a", "b", "c"], "gls")
    wrong = found.weights.index[found.weights < 0]
    assert len(wrong)
    assert found.flags[0].level == "serious"
    assert all(f"{name} (" in found.flags[0].text for name in wrong)


def test_with_clusters_the_test_uses_cluster_robust_t_statistics():
    table = people()
    table["treated"] = table["team"] % 2
    table[MEASURES] += np.random.default_rng(1).normal(size=30)[table["team"]][:, None]
    plain, robust = (obrien_test(table, table["treated"], MEASURES, cluster=one) for one in (None, table["team"]))
    assert abs(robust.statistic) < abs(plain.statistic)
    assert robust.df < 30
    fit = least_squares(table["mood"].to_numpy(), np.column_stack([table["treated"], np.ones(600)]).astype(float))
    codes = table["team"].to_numpy()
    parts = np.bincount(codes, row_contributions(fit, np.array([1.0, 0.0]), "cr2", codes))
    assert robust.single["mood"] == pytest.approx(fit.beta[0] / np.sqrt((parts**2).sum()))


@pytest.mark.slow
@pytest.mark.parametrize("form", ["ols", "rank"])
def test_the_test_rejects_a_true_null_about_as_often_as_it_says(form):
    draw = np.random.default_rng(9)
    hits = []
    for _ in range(600):
        table = pd.DataFrame(draw.normal(size=(30, 4)) + draw.normal(size=(30, 1)), columns=list("abcd"))
        hits.append(obrien_test(table, np.arange(30) < 12, list("abcd"), form).p < 0.05)
    assert 0.03 <= np.mean(hits) <= 0.07


def test_a_test_that_is_not_defined_says_why():
    table = people(80)
    with pytest.raises(DataError, match="at least two different ones"):
        obrien_test(table, table["treated"], ["mood"])
    with pytest.raises(DataError, match='Did you mean "mood"'):
        obrien_test(table, table["treated"], ["mod", "school"])
    with pytest.raises(EstimationError, match='"school" has fewer than two readings in an arm'):
        obrien_test(table.assign(school=table["school"].where(table["treated"] == 0)), table["treated"], MEASURES)
    with pytest.raises(EstimationError, match='"gls" is not defined'):
        obrien_test(table.assign(copy=table["mood"]), table["treated"], ["mood", "copy"], "gls")
    with pytest.raises(EstimationError, match="Too few people"):
        obrien_test(table[:5], table["treated"][:5], MEASURES)
