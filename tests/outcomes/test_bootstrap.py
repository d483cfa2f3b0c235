"""The cluster bootstrap: sums by cluster give what refitting gives, intervals, and clusters too few to speak."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import DataError, EstimationError
from evalkit.linear import degrees_of_freedom, least_squares, row_contributions
from evalkit.outcomes.index.clustering import cluster_index
from evalkit.outcomes.resampling import bootstrap_index
from evalkit.outcomes.resampling.bootstrap import (
    bootstrap_means,
    bootstrap_occasion_summary,
    cluster_bootstrap,
    moments,
)
from evalkit.outcomes.resampling.bootstrap_fits import bootstrap_coefficients
from evalkit.outcomes.resampling.bootstrap_index import bootstrap_index_effect
from evalkit.outcomes.resampling.clusters import clusters_of, drawn_counts

HERE = Path(__file__).parents[1]
NAMES = ["a", "b", "c", "d"]


def people(rows=600, clusters=24, missing=0.2, seed=3, by_cluster=False):
    """Four measures with something in common, clusters that differ, holes, and half of them (or clusters) treated."""
    draw = np.random.default_rng(seed)
    team = draw.integers(0, clusters, rows)
    shared = draw.normal(size=rows) + 0.5 * draw.normal(size=clusters)[team]
    table = pd.DataFrame({name: 50 + 10 * (shared + draw.normal(size=rows)) for name in NAMES})
    table = table.mask(draw.random(table.shape) < missing)
    treated = team % 2 if by_cluster else draw.integers(0, 2, rows)
    return table.assign(team=team, treated=treated)


def difference(values, treated):
    return values[treated == 1].mean() - values[treated == 0].mean()


# ---------------------------------------------------------------- sums by cluster equal refitting


@pytest.mark.parametrize("by_cluster", [False, True])
def test_means_from_sums_equal_refitting_in_every_draw(by_cluster):
    table = people(by_cluster=by_cluster)
    slow = cluster_bootstrap(
        table,
        lambda one: {name: difference(one[name], one["treated"]) for name in NAMES},
        "team",
        draws=100,
        strata="treated" if by_cluster else None,
    )
    fast = bootstrap_means(table, NAMES, "team", table["treated"], draws=100)
    assert np.abs(slow.draws - fast.draws).max() < 1e-10
    pd.testing.assert_frame_equal(slow.table, fast.table)
    assert fast.strata == (2 if by_cluster else 1)
    everyone = bootstrap_means(table, ["a"], "team", draws=50)
    again = cluster_bootstrap(table, lambda one: one["a"].mean(), "team", draws=50)
    assert np.abs(everyone.draws - again.draws).max() < 1e-10


def test_least_squares_from_sums_equals_refitting_in_every_draw():
    table = people()

    def fit(one):
        one = one[["a", "b", "treated"]].dropna()
        x = np.column_stack([one["treated"], one["b"], np.ones(len(one))])
        return dict(zip(["treated", "b", "constant"], np.linalg.lstsq(x, one["a"], rcond=None)[0], strict=True))

    slow = cluster_bootstrap(table, fit, "team", draws=100)
    fast = bootstrap_coefficients(table, "a", ["treated", "b"], "team", draws=100)
    assert np.abs(slow.draws - fast.draws).max() < 1e-9
    assert list(fast.table.index) == ["treated", "b", "constant"]


@pytest.mark.parametrize("few", [True, False])
@pytest.mark.parametrize("covariance", ["full", "reference"])
@pytest.mark.parametrize("method", ["icw", "klk", "obrien"])
def test_the_index_with_new_weights_in_every_draw_equals_refitting(monkeypatch, method, covariance, few):
    monkeypatch.setattr(bootstrap_index, "few_patterns", lambda sums: few)
    table, polarity = people(), {"b": "lower"}

    def refit(one):
        index = cluster_index(one, NAMES, one["treated"] == 0, method, covariance, polarity)
        return {"effect": difference(index.scaled, one["treated"])} | index.weights.to_dict()

    slow = cluster_bootstrap(table, refit, "team", draws=40)
    fast = bootstrap_index_effect(table, NAMES, table["treated"], "team", 40, 1, method, covariance, polarity=polarity)
    assert np.abs(slow.draws[:, 0] - fast.draws[:, 0]).max() < 1e-10
    assert fast.weights_sd.to_numpy() == pytest.approx(slow.draws[:, 1:].std(axis=0, ddof=1), abs=1e-10)
    assert fast.effect == pytest.approx(slow.effect, abs=1e-12)


def test_the_reference_may_be_others_than_the_comparison():
    table = people()
    reference = (np.arange(len(table)) % 3 == 0) & (table["treated"] == 0)

    def refit(one):
        index = cluster_index(one, NAMES, one["inside"])
        return difference(index.scaled, one["treated"])

    slow = cluster_bootstrap(table.assign(inside=reference), refit, "team", draws=30)
    fast = bootstrap_index_effect(table, NAMES, table["treated"], "team", 30, reference=reference)
    assert np.abs(slow.draws - fast.draws).max() < 1e-10


def test_moments_are_the_sums_of_each_cluster():
    table = people(60, 3)
    found = moments(table, ["a", "b"], "team")
    both = table[(table["team"] == 1)][["a", "b"]].dropna()
    assert found.count[1, 0, 1] == len(both)
    assert found.total[1, 0, 1] == pytest.approx(both["a"].sum())
    assert found.product[1, 0, 1] == pytest.approx((both["a"] * both["b"]).sum())
    assert repr(found) == "Moments(2 columns, 3 clusters)"


# ---------------------------------------------------------------- Tennessee STAR


def test_tennessee_star_the_bootstrap_agrees_with_the_cluster_robust_error_of_r():
    expected = json.loads((HERE / "data" / "v05_star_icw.expected.json").read_text())
    star = pd.read_csv(HERE.parent / "data" / "raw" / "project_star" / "pupils.csv")
    found = bootstrap_index_effect(star, expected["measures"], star["small"], "sch", 2000)
    told = expected["effects_ols_cluster_school"]["icw_rescaled"]
    assert found.effect == pytest.approx(told["estimate"], abs=1e-8)
    # New weights and a new unit in every draw add little: R takes them as given.
    assert found.se == pytest.approx(told["se_CR2"], rel=0.06)
    assert (found.clusters, found.df, found.redrawn, found.flags) == (79, 78, 0, ())
    assert (found.weights_sd < 0.05).all()
    other = bootstrap_index_effect(star, expected["measures"], star["small"], "sch", 2000, interval="studentised")
    assert other.low == pytest.approx(found.low, abs=0.015)
    assert other.high == pytest.approx(found.high, abs=0.015)


# ---------------------------------------------------------------- standard errors and intervals


def test_the_standard_error_of_a_mean_is_that_of_the_cluster_sums():
    table = people(missing=0)
    found = bootstrap_means(table, ["a"], "team", draws=4000)
    sums = (table["a"] - table["a"].mean()).groupby(table["team"]).sum()
    se = np.sqrt(24 / 23 * (sums**2).sum()) / len(table)
    assert found.se == pytest.approx(se, rel=0.04)
    assert found.high - found.effect == pytest.approx(2.0687 * found.se, rel=1e-4)  # t with 23 degrees of freedom


def test_clusters_are_drawn_within_arms_where_whole_clusters_were_treated():
    table = people(by_cluster=True)
    clusters = clusters_of(table, "team", arms=table["treated"].to_numpy(dtype=float))
    counts = next(drawn_counts(clusters, 50, 1))
    treated = np.arange(24) % 2 == 1
    assert (counts[:, treated].sum(axis=1) == 12).all()
    assert (counts.sum(axis=1) == 24).all()
    assert clusters.df == 22
    found = bootstrap_means(table, ["a"], "team", table["treated"], draws=3000)
    x = np.column_stack([table["treated"], np.ones(len(table))])[table["a"].notna()].astype(float)
    codes = table["team"][table["a"].notna()].to_numpy()
    fit = least_squares(table["a"].dropna().to_numpy(), x)
    parts = np.bincount(codes, row_contributions(fit, np.array([1.0, 0.0]), "cr2", codes))
    assert found.se == pytest.approx(np.sqrt((parts**2).sum()), rel=0.08)
    assert degrees_of_freedom(fit, np.array([1.0, 0.0]), "cr2", codes) < 24


def test_a_studentised_interval_uses_the_standard_error_of_each_draw():
    table = people()
    table["a"] = np.exp(table["a"] / 10)  # skewed, so that the interval is not symmetric
    found = bootstrap_means(table, ["a"], "team", draws=2000, interval="studentised")
    assert found.low < found.effect < found.high
    assert found.high - found.effect > 1.2 * (found.effect - found.low)


def test_percentiles_are_those_of_the_draws():
    found = bootstrap_means(people(), ["a"], "team", draws=500, interval="percentile", level=0.9)
    assert [found.low, found.high] == pytest.approx(np.quantile(found.draws[:, 0], [0.05, 0.95]))


@pytest.mark.slow
def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    hits = []
    for seed in range(200):
        table = people(200, 14, 0.1, seed=100 + seed)
        found = bootstrap_means(table, ["a"], "team", table["treated"], draws=400, seed=seed)
        hits.append(found.low <= 0 <= found.high)
    assert 0.90 <= np.mean(hits) <= 0.99


def test_the_same_seed_gives_the_same_draws_in_any_order_of_rows():
    table = people()
    first = bootstrap_index_effect(table, NAMES, table["treated"], "team", 50, seed=7)
    shuffled = table.sample(frac=1, random_state=1)
    again = bootstrap_index_effect(shuffled, NAMES, shuffled["treated"], "team", 50, seed=7)
    assert np.abs(first.draws - again.draws).max() < 1e-10
    assert (
        np.abs(first.draws - bootstrap_index_effect(table, NAMES, table["treated"], "team", 50, 8).draws).max() > 0.01
    )


def test_without_clusters_persons_are_drawn():
    table = people(300)
    found = bootstrap_means(table, ["a"], None, table["treated"], draws=1000)
    halves = [table["a"][table["treated"] == arm] for arm in (0, 1)]
    assert found.clusters == 300
    assert found.se == pytest.approx(np.sqrt(sum(one.var() / one.count() for one in halves)), rel=0.1)


# ---------------------------------------------------------------- few clusters


def test_fewer_than_twelve_clusters_are_flagged_and_get_no_percentile_interval():
    table = people(200, 8)
    found = bootstrap_means(table, ["a"], "team", table["treated"], draws=200)
    assert found.flags[0].level == "serious"
    assert "8 clusters" in found.flags[0].text
    assert found.df == 7
    with pytest.raises(EstimationError, match="A percentile interval from 8 clusters is too narrow"):
        bootstrap_means(table, ["a"], "team", table["treated"], draws=200, interval="percentile")


def test_two_clusters_in_all_are_refused_and_so_is_an_arm_of_one():
    table = people(100, 2)
    with pytest.raises(EstimationError, match="2 clusters are too few to resample: at least 3 are needed"):
        bootstrap_means(table, ["a"], "team", table["treated"])
    alone = people(100, 5).assign(treated=lambda t: (t["team"] == 0).astype(int))
    with pytest.raises(EstimationError, match="An arm consists of a single cluster"):
        bootstrap_index_effect(alone, NAMES, alone["treated"], "team")
    with pytest.raises(EstimationError, match="A stratum consists of a single cluster"):
        cluster_bootstrap(alone, lambda one: one["a"].mean(), "team", strata="treated")


def test_a_cluster_of_one_person_is_a_cluster_and_a_person_without_one_is_their_own():
    table = people(200, 20).assign(team=lambda t: t["team"].astype(float))
    table.loc[0, "team"] = 99.0
    table.loc[1, "team"] = np.nan
    assert bootstrap_means(table, ["a"], "team", draws=20).clusters == 22


def test_draws_that_leave_an_arm_empty_are_drawn_again_and_counted():
    table = people(200, 14)
    table["treated"] = ((table["team"] < 2) & (np.arange(200) % 2 == 0)).astype(int)
    found = bootstrap_means(table, ["a"], "team", table["treated"], draws=400)
    assert found.redrawn > 0
    assert len(found.draws) == 400
    assert any("left an arm or the reference empty" in flag.text for flag in found.flags)
    assert np.isfinite(found.draws).all()


def test_a_bootstrap_most_of_whose_draws_say_nothing_is_refused():
    table = people(60, 12)

    def statistic(one):
        return 1.0 if (one["a"].count(), len(one)) == (table["a"].count(), len(table)) else np.nan

    with pytest.raises(EstimationError, match="In more than half of the draws"):
        cluster_bootstrap(table, statistic, "team", draws=20)


# ---------------------------------------------------------------- other statistics and bad input


def test_a_cluster_drawn_twice_counts_as_two_when_the_statistic_looks_at_it():
    table = people()
    found = cluster_bootstrap(table, lambda one: one["team"].nunique(), "team", draws=20)
    assert (found.draws == 24).all()


def test_a_summary_of_occasions_is_made_once_and_its_sums_drawn():
    draw = np.random.default_rng(5)
    rows = [
        {"id": n, "day": day, "y": 10 + 0.02 * day * (1 + n % 2) + draw.normal(), "team": n // 10, "treated": n % 2}
        for n in range(200)
        for day in (0, 180, 365)
        if draw.random() > 0.1
    ]
    table = pd.DataFrame(rows)
    found = bootstrap_occasion_summary(table, ("id", "day", "y"), "team", "treated", "slope", 500, time="day")
    assert found.effect == pytest.approx(0.02 * 365.25, abs=0.6)
    assert found.clusters == 20
    assert any("have no slope" in flag.text for flag in found.flags)
    with pytest.raises(DataError, match="more than one team or treated"):
        bootstrap_occasion_summary(table.assign(team=table.index), ("id", "day", "y"), "team", "treated", time="day")


def test_what_cannot_be_asked_is_told_before_any_draw():
    table = people()
    with pytest.raises(DataError, match='Did you mean "level"'):
        bootstrap_means(table, ["a"], "team", levle=0.9)
    with pytest.raises(DataError, match='"bca" is no kind of interval'):
        bootstrap_means(table, ["a"], "team", interval="bca")
    with pytest.raises(EstimationError, match="brings no standard error of its own"):
        cluster_bootstrap(table, lambda one: one["a"].mean(), "team", interval="studentised")
    with pytest.raises(DataError, match=r'no column "tem".*Did you mean "team"'):
        bootstrap_means(table, ["a"], "tem")
    with pytest.raises(DataError, match="more than one stratum"):
        bootstrap_means(table, ["a"], "team", strata="treated")
    with pytest.raises(EstimationError, match="repeat each other"):
        bootstrap_coefficients(table.assign(twice=2 * table["treated"]), "a", ["treated", "twice"], "team", draws=20)
    with pytest.raises(EstimationError, match="Use cluster_bootstrap"):
        bootstrap_index_effect(table, NAMES, table["treated"], "team", method="factor")


def test_a_bootstrap_shows_no_person():
    found = bootstrap_means(people(), ["a"], "team", draws=20)
    assert repr(found) == "Bootstrap(1 statistics, 20 draws of 24 clusters)"
    assert "95% intervals" in found._repr_html_()
