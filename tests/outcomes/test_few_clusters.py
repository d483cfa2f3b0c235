"""Intervals and tests where clusters are few or unequal, or nobody differs from anybody."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import EstimationError
from evalkit.linear import degrees_of_freedom, least_squares, row_contributions
from evalkit.outcomes import (
    bootstrap_means,
    care_proportion,
    cluster_bootstrap,
    cluster_index,
    complete_sets,
    delta_shift,
    mean_cumulative,
    obrien_test,
    rate_summary,
    romano_wolf_from_influence,
    weighted_views,
    what_each_adds,
)
from evalkit.outcomes.change.shares import compare_shares
from evalkit.outcomes.looks.change import Changed
from evalkit.outcomes.missing.completed import Completed
from evalkit.outcomes.resampling.clusters import clusters_of
from evalkit.outcomes.summaries import mean_interval

MEASURES = ["mood", "sleep", "school"]


def clustered(sizes: list[int], treated: int, seed: int) -> pd.DataFrame:
    """People whose clusters differ; the first clusters are treated, to no effect."""
    random = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(len(sizes)), sizes)
    shared = random.normal(size=(len(sizes), 3))[cluster] * 0.6
    frame = pd.DataFrame(shared + random.normal(size=(len(cluster), 3)), columns=MEASURES)
    return frame.assign(cluster=cluster, treated=(cluster < treated).astype(int))


# ---------------------------------------------------------------- an arm within one cluster


def test_a_test_of_several_measures_is_refused_where_an_arm_lies_in_one_cluster():
    people = clustered([20] * 11, 1, 1)
    for form in ("ols", "gls", "rank"):
        with pytest.raises(EstimationError, match="whole treated arm lies in one cluster"):
            obrien_test(people, people["treated"], MEASURES, form, people["cluster"])


def test_what_each_measure_adds_is_refused_where_an_arm_lies_in_one_cluster():
    people = clustered([20] * 11, 10, 1)
    with pytest.raises(EstimationError, match="whole comparison arm lies in one cluster"):
        what_each_adds(people, MEASURES, people["treated"], people["treated"] == 0, people["cluster"])


def test_a_shift_of_missing_outcomes_is_refused_where_an_arm_lies_in_one_cluster():
    people = clustered([20] * 11, 1, 1)
    people.loc[::7, "mood"] = np.nan
    with pytest.raises(EstimationError, match="whole treated arm lies in one cluster"):
        delta_shift(people, "mood", "treated", [0.0], cluster="cluster")


def test_filling_in_says_where_an_arm_has_too_few_clusters_to_learn_from():
    people = clustered([20] * 8, 2, 1)
    people.loc[::7, "mood"] = np.nan
    few = complete_sets(people, "mood", "treated", cluster="cluster", sets=2)
    assert any("The treated arm has too few clusters" in flag.text for flag in few.flags)
    enough = complete_sets(people.assign(treated=people["cluster"] < 4), "mood", "treated", cluster="cluster", sets=2)
    assert not any("too few clusters" in flag.text for flag in enough.flags)


def test_what_is_filled_in_varies_no_more_than_what_is_known_of_seen_clusters_allows():
    """With very many seen per cluster a cluster's mean is known, so the mean of what is filled in hardly moves."""
    random = np.random.default_rng(4)
    cluster = np.repeat(np.arange(10), 400)
    frame = pd.DataFrame({"mood": random.normal(size=10)[cluster] * 3 + random.normal(size=4000), "cluster": cluster})
    frame["treated"] = (cluster < 5).astype(int)
    frame.loc[frame.index % 2 == 0, "mood"] = np.nan
    sets: Completed = complete_sets(frame, "mood", "treated", cluster="cluster", sets=60, seed=2)
    filled = sets.values[:, sets.missing & (frame["treated"] == 1).to_numpy()].mean(axis=1)
    assert filled.std(ddof=1) < 0.15


# ---------------------------------------------------------------- arms of few clusters


def test_a_bootstrap_counts_the_arm_with_few_clusters():
    people = clustered([15] * 22, 2, 3)
    found = bootstrap_means(people, ["mood"], "cluster", people["treated"], draws=400)
    assert found.df == pytest.approx((1 / 2 + 1 / 20) ** 2 / (1 / 4 + 1 / (400 * 19)), rel=1e-6)
    assert any("2 clusters in the smaller arm" in flag.text for flag in found.flags)
    with pytest.raises(EstimationError, match="2 clusters in the smaller arm is too narrow"):
        bootstrap_means(people, ["mood"], "cluster", people["treated"], draws=400, interval="percentile")


def test_a_bootstrap_by_refitting_takes_two_strata_for_arms():
    people = clustered([15] * 22, 2, 3)
    general = cluster_bootstrap(
        people, lambda t: t.loc[t["treated"] == 1, "mood"].mean() - t.loc[t["treated"] == 0, "mood"].mean(),
        "cluster", draws=60, strata="treated",
    )  # fmt: skip
    assert general.df == bootstrap_means(people, ["mood"], "cluster", people["treated"], draws=60).df


def test_arms_of_equal_size_keep_their_degrees_of_freedom():
    people = clustered([5] * 12, 6, 3)
    found = clusters_of(people, "cluster", arms=people["treated"].to_numpy(dtype=float))
    assert (found.df, found.inflation) == (10, pytest.approx(12 / 10))


def test_the_bootstrap_covers_with_three_treated_clusters_of_twenty_three():
    hits = 0
    for seed in range(120):
        people = clustered([8] * 23, 3, seed)
        found = bootstrap_means(people, ["mood"], "cluster", people["treated"], draws=200, seed=seed)
        hits += found.low <= 0 <= found.high
    assert hits >= 110  # 85 % before arms counted apart, which is 102


def test_step_down_from_contributions_holds_the_family_error_with_four_treated_clusters():
    wrong = 0
    for seed in range(100):
        random = np.random.default_rng(seed)
        cluster = np.repeat(np.arange(24), 6)
        values = random.normal(size=(24, 6))[cluster] * 0.6 + random.normal(size=(len(cluster), 6))
        design, contrast = np.column_stack([np.ones(len(cluster)), cluster < 4]).astype(float), np.array([0.0, 1.0])
        fits = [least_squares(column, design) for column in values.T]
        parts = np.array([np.bincount(cluster, row_contributions(fit, contrast, "cr2", cluster)) for fit in fits]).T
        df = [degrees_of_freedom(fit, contrast, "cr2", cluster) for fit in fits]
        effects, errors = [fit.beta[1] for fit in fits], np.sqrt((parts**2).sum(axis=0))
        table = romano_wolf_from_influence(effects, errors, parts, 299, seed, df=df)
        wrong += (table["p_adjusted"] <= 0.05).any()
        assert any("clusters only" in flag.text for flag in table.attrs["flags"])
    assert wrong <= 10  # 24 of 100 without the degrees of freedom


def test_step_down_with_degrees_of_freedom_of_a_single_effect_is_its_own_p():
    from scipy import stats

    parts = np.array([[0.3], [-0.2], [0.1], [-0.4], [0.2]])
    error = np.sqrt((parts**2).sum(axis=0))
    table = romano_wolf_from_influence(2.5 * error, error, parts, 40_000, 1, df=[3.2])
    assert table["p_adjusted"].iloc[0] == pytest.approx(2 * stats.t.sf(2.5, 3.2), abs=0.005)


# ---------------------------------------------------------------- clusters of unequal size


def test_the_mean_of_an_arm_is_covered_where_one_cluster_is_large():
    cluster = np.repeat(np.arange(5), [5, 5, 5, 5, 60])
    hits = 0
    for seed in range(300):
        random = np.random.default_rng(seed)
        _, low, high = mean_interval(random.normal(size=5)[cluster] * 0.5 + random.normal(size=80), cluster)
        hits += low <= 0 <= high
    assert hits >= 275  # 68 % with G - 1 degrees of freedom, which is 204


def test_the_mean_cumulative_curve_is_covered_where_one_cluster_is_large():
    cluster = np.repeat(np.arange(5), [5, 5, 5, 5, 60])
    windows = pd.DataFrame({"person": np.arange(80), "start": "2020-01-01", "end": "2020-12-31"})
    hits = 0
    for seed in range(60):
        random = np.random.default_rng(seed)
        count = random.poisson(np.exp(random.normal(size=5) * 0.4 - 0.08)[cluster])
        events = pd.DataFrame({"person": np.repeat(np.arange(80), count), "date": "2020-06-01"})
        end = mean_cumulative(events, windows, cluster=cluster, grid=[365]).table.iloc[0]
        hits += end["low"] <= 1 <= end["high"]
    assert hits >= 53  # 72 % before, which is 43


def test_the_share_of_an_arm_is_covered_with_three_clusters():
    cluster = np.repeat(np.arange(6), 25)
    hits = 0
    for seed in range(300):
        random = np.random.default_rng(seed)
        yes = random.random(150) < random.beta(2.7, 6.3, size=6)[cluster]
        found = compare_shares(yes, cluster < 3, cluster)
        hits += found.low["treated"] <= 0.3 <= found.high["treated"]
    assert hits >= 280  # 86 % with the normal, which is 258


# ---------------------------------------------------------------- where nobody differs


def test_no_event_yet_is_no_certainty_that_there_will_be_none():
    windows = pd.DataFrame({"person": range(20), "start": "2020-01-01", "end": "2020-12-31"})
    events = pd.DataFrame({"person": [0], "date": ["2020-11-01"]})
    found = mean_cumulative(events, windows, np.arange(20) % 2, grid=[0, 30])
    for table in (found.table, found.difference):
        assert (table.loc[table["day"] == 0, ["low", "high"]] == 0).all(axis=None)
        assert table.loc[table["day"] == 30, ["low", "high"]].isna().all(axis=None)


def test_two_arms_without_a_day_in_care_differ_by_nothing_but_not_for_certain():
    windows = pd.DataFrame({"person": range(20), "start": "2020-01-01", "end": "2020-12-31"})
    found = care_proportion(pd.Series(np.zeros(20)), windows, np.arange(20) % 2)
    assert found.difference == 0
    assert found.difference_low == pytest.approx(-0.2775, abs=1e-4)
    assert found.difference_high == pytest.approx(0.2775, abs=1e-4)


def test_the_same_rate_for_everybody_has_no_interval():
    table = pd.DataFrame({"person": range(20), "count": 1.0, "severity": 1.0, "days_at_risk": 365.0})
    found = rate_summary(table, np.arange(20) % 2)
    assert found.ratio == 1
    assert np.isnan([found.ratio_low, found.ratio_high, *found.table["low"], *found.table["high"]]).all()


def test_a_headline_is_no_surer_than_the_only_effect_it_is_made_of():
    from scipy import stats

    effects = pd.DataFrame({"measure": ["mood", "sleep"], "effect": [0.3, 0.1], "se": [0.1, 0.1], "df": [4.0, 30.0]})
    views = pd.DataFrame({"mood": [1.0, 0.0], "sleep": [0.0, 1.0]}, index=["children", "carers"])
    table = weighted_views(effects, views, covariance=np.eye(2) / 100).table.set_index("constituency")
    half = (table["high"] - table["headline"]) / table["se"]
    expected = [stats.t.ppf(0.975, 4), stats.t.ppf(0.975, 30), stats.t.ppf(0.975, 4)]
    np.testing.assert_allclose(half.to_numpy(), expected)


def test_the_unit_of_an_index_counts_the_readings_of_each_measure():
    people = clustered([20] * 10, 5, 1)
    inside = people["treated"] == 0
    assert not any("fewer than 20" in flag.text for flag in cluster_index(people, MEASURES, inside).flags)
    people.loc[inside & (np.arange(200) > 105), "sleep"] = np.nan
    assert any("fewer than 20" in flag.text for flag in cluster_index(people, MEASURES, inside).flags)


def test_reliable_change_of_a_study_shows_no_small_cell():
    cells = {"treated": np.array([[1, 3], [2, 0]])}
    one = Changed(
        "mood", "Mood", "points", "lower", "start", "end", 6.0, 1.96, None, "", pd.DataFrame({"count": [3]}), None,
        np.arange(3.0), cells, "",
    )  # fmt: skip
    assert repr(one) == "Changed(mood, start to end, 1 arms)"


def test_o_briens_test_pays_for_every_measure_and_refuses_more_than_the_clusters_bear():
    people = clustered([15] * 16, 8, 2)
    found = obrien_test(people, people["treated"], MEASURES, "ols", people["cluster"])
    assert found.df == pytest.approx(14 - 2 * 2)
    assert obrien_test(people, people["treated"], MEASURES, "rank", people["cluster"]).df == pytest.approx(14)
    few = people[people["cluster"].isin([0, 1, 8, 9, 10])]
    with pytest.raises(EstimationError, match="Too few clusters for 3 measures"):
        obrien_test(few, few["treated"], MEASURES, "ols", few["cluster"])


def test_an_arm_of_which_nobody_is_counted_is_not_known_exactly():
    cluster = np.repeat(np.arange(10), 10)
    treated = (cluster < 5).astype(float)
    yes = np.zeros(100)
    yes[[50, 61, 72, 83]] = 1  # none of the treated, four of the comparison in four clusters
    found = compare_shares(yes, treated, cluster)
    assert found.difference == -0.08
    assert found.difference_high > 0  # nobody in 50 may be 7 in 100 in truth
    assert found.method == "from the two arms' intervals (Newcombe)"


def test_weights_learned_from_few_clusters_are_told_to_find_too_much():
    rng = np.random.default_rng(3)
    cluster = np.repeat(np.arange(16), 12)
    frame = pd.DataFrame(rng.normal(size=(192, 3)), columns=list("abc"))
    treated = (cluster % 2).astype(float)
    told = [flag.text for flag in obrien_test(frame, treated, list("abc"), "gls", cluster).flags]
    assert "The GLS test learns its weights from few clusters and finds too much." in told
    assert obrien_test(frame, treated, list("abc"), "ols", cluster).flags == ()
