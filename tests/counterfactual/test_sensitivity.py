"""What was not measured, one cluster, the edges, and what cannot have changed: how far an effect depends on them."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from evalkit import counterfactual as cf
from evalkit.counterfactual.sensitivity import (
    e_value,
    e_value_from_difference,
    e_value_from_odds_ratio,
    e_value_from_risk_difference,
    e_value_of,
    leave_one_cluster_out,
    placebo_outcomes,
    trimmed,
)
from evalkit.errors import EstimationError


def people(seed=1, n=400):
    """Treated people lean to a high x; the effect is 2; services of 20; nothing had changed before."""
    random = np.random.default_rng([seed, 5])
    x = random.normal(size=n)
    arm = (random.uniform(size=n) < 1 / (1 + np.exp(-0.8 * x))).astype(int)
    frame = pd.DataFrame({"id": [f"p{i:03}" for i in range(n)], "x": x, "arm": arm})
    frame["service"] = [f"s{i % 20:02}" for i in range(n)]
    frame["y"] = 10 + x + 2 * arm + random.normal(size=n)
    for name in ("before", "earlier"):
        frame[name] = 5 + x + random.normal(size=n)
    frame["crime"] = (random.uniform(size=n) < 0.4 - 0.15 * arm).astype(int)
    return frame


TOLD = {"outcome": "y", "treated": "arm", "covariates": ["x"], "person": "id"}


# ---------------------------------------------------------------- E-values


def test_vanderweele_ding_2017_a_ratio_of_3_9_has_an_e_value_of_7_26_and_3_00():
    found = e_value(3.9, 1.8, 8.7)
    assert (found.value, found.interval) == pytest.approx((7.26, 3.00), abs=0.01)
    assert "risk ratio of 7.3 each" in found.says
    assert "by 3.0 each to move the interval" in found.says


def test_e_values_satisfy_the_bound_they_are_made_from():
    # With both associations equal to E the largest bias is E * E / (2 E - 1), which must be the ratio itself.
    for ratio in (1.05, 1.4, 2.0, 5.0):
        e = e_value(ratio).value
        assert e**2 / (2 * e - 1) == pytest.approx(ratio)


def test_what_is_given_on_other_scales_becomes_a_ratio_first(grid):
    ways = {
        "difference of shares": lambda: e_value_from_risk_difference(-0.2, 0.4, -0.3, -0.1),
        "rare odds ratio": lambda: e_value_from_odds_ratio(0.5, 0.25, 0.81, rare=True),
        "common odds ratio": lambda: e_value_from_odds_ratio(0.25, 0.0625, 0.81, rare=False),
        "standard deviations": lambda: e_value_from_difference(-math.log(2) / 0.91, -1.5, math.log(0.75) / 0.91),
    }
    grid(
        """
        scale                | ratio
        difference of shares | 0.500
        rare odds ratio      | 0.500
        common odds ratio    | 0.500
        standard deviations  | 0.500
        """,
        lambda row: ways[row.scale]().ratio,
        "ratio",
    )
    grid(
        """
        scale                | interval
        difference of shares | 2.000
        rare odds ratio      | 1.773
        common odds ratio    | 1.462
        standard deviations  | 2.000
        """,
        lambda row: ways[row.scale]().interval,
        "interval",
    )


def test_an_interval_that_includes_no_effect_needs_no_hidden_cause():
    found = e_value_from_risk_difference(0.05, 0.2, -0.01, 0.11)
    assert found.interval == 1.0
    assert "includes no effect already" in found.says
    assert e_value(1.0).says == "There is no effect to explain away."


def test_an_outcome_that_never_happened_among_the_treated_has_no_finite_e_value():
    found = e_value_from_risk_difference(-0.2, 0.2)
    assert math.isinf(found.value)
    assert "No unmeasured cause of a finite strength" in found.says


def test_e_value_of_a_yes_no_outcome_is_that_of_observed_over_counterfactual():
    found = cf.estimate(people(), "ols", **{**TOLD, "outcome": "crime"}, better="lower")
    ratio = found.observed / found.counterfactual
    limit = (found.counterfactual + found.high) / found.counterfactual
    assert e_value_of(found).value == pytest.approx(e_value(ratio).value)
    assert e_value_of(found).interval == pytest.approx(e_value(limit).value)


def test_e_value_of_a_score_needs_its_standard_deviation():
    found = cf.estimate(people(), "ols", **TOLD, values="score")
    with pytest.raises(EstimationError, match="give the outcome's standard deviation"):
        e_value_of(found)
    whole = e_value_of(found, sd=1.5)
    assert whole.value == pytest.approx(e_value(math.exp(0.91 * found.effect / 1.5)).value)
    assert whole.interval == pytest.approx(e_value(math.exp(0.91 * found.low / 1.5)).value)


def test_a_rate_ratio_is_taken_as_it_is():
    found = replace(cf.estimate(people(), "ols", **TOLD), scale="ratio", effect=0.8, low=0.7, high=0.9)
    assert e_value_of(found) == e_value(0.8, 0.7, 0.9)


def test_an_assumed_effect_has_no_e_value():
    found = cf.estimate(people(), "assumed", outcome="crime", treated="arm", deadweight=0.4, values="yes or no")
    with pytest.raises(EstimationError, match="was not estimated"):
        e_value_of(found)


def test_what_is_no_ratio_or_no_share_is_refused():
    with pytest.raises(EstimationError, match="above 0"):
        e_value(-1)
    with pytest.raises(EstimationError, match=r"high = 1\.5 is no limit"):
        e_value(2.0, 1.2, 1.5)
    with pytest.raises(EstimationError, match="between 0 and 1"):
        e_value_from_risk_difference(0.04, 20)
    with pytest.raises(EstimationError, match="is no share"):
        e_value_from_risk_difference(4, 0.2)
    with pytest.raises(EstimationError, match="sd = 0 must be above 0"):
        e_value_of(cf.estimate(people(), "ols", **TOLD), sd=0)
    with pytest.raises(EstimationError, match="not their logarithms"):
        e_value_from_odds_ratio(-0.3, rare=True)


# ---------------------------------------------------------------- one cluster at a time


def test_each_cluster_is_left_out_once_and_the_change_is_from_the_effect_with_all():
    frame = people()
    told = {**TOLD, "cluster": "service"}
    table = leave_one_cluster_out(frame, "ols", **told)
    full = cf.estimate(frame, "ols", **told)
    by_hand = {
        name: cf.estimate(frame[frame["service"] != name], "ols", **told).effect for name in frame["service"].unique()
    }
    assert table.set_index("cluster")["effect"].to_dict() == pytest.approx(by_hand)
    assert table["change"].to_numpy() == pytest.approx(table["effect"] - full.effect)
    assert table["effect"].is_monotonic_increasing
    assert table.attrs["says"].startswith("Leaving out one cluster at a time, the effect runs from")
    assert "Its sign never changes; no interval includes no effect." in table.attrs["says"]


def test_a_cluster_that_makes_the_effect_is_found():
    frame = people()
    frame.loc[(frame["service"] == "s07") & (frame["arm"] == 1), "y"] += 40
    table = leave_one_cluster_out(frame, "ols", **TOLD, cluster="service")
    assert table.loc[table["change"].abs().idxmax(), "cluster"] == "s07"


def test_clusters_of_fewer_than_ten_people_are_not_named():
    frame = people()
    frame["service"] = np.where(np.arange(len(frame)) < 7, "tiny", frame["service"])
    table = leave_one_cluster_out(frame, "difference", outcome="y", treated="arm", cluster="service")
    assert "tiny" not in table["cluster"].tolist()
    assert table["cluster"].tolist().count("a small cluster") == 1
    assert "tiny" not in table.attrs["says"]


def test_where_nothing_is_left_without_a_cluster_the_row_says_why():
    frame = people()
    frame["service"] = np.where(frame["arm"] == 1, "one", frame["service"])
    table = leave_one_cluster_out(frame, "difference", outcome="y", treated="arm", cluster="service").set_index(
        "cluster"
    )
    assert math.isnan(table.loc["one", "effect"])
    assert "nobody in the treated arm" in table.loc["one", "why"]
    assert "For 1 of 21 clusters nothing can be estimated" in table.attrs["says"]


def test_without_clusters_or_with_one_there_is_nothing_to_leave_out():
    frame = people().assign(all="one")
    with pytest.raises(EstimationError, match="name the column of clusters"):
        leave_one_cluster_out(frame, "ols", **TOLD)
    with pytest.raises(EstimationError, match="one cluster only"):
        leave_one_cluster_out(frame, "difference", outcome="y", treated="arm", cluster="all")


# ---------------------------------------------------------------- the edges


def test_trimming_by_score_cuts_the_tails_of_the_arms_and_says_whom_the_effect_is_on():
    frame = people()
    table = trimmed(frame, "ipw", **TOLD).set_index("rule")
    assert list(table.index[:3]) == ["everybody", "scores that both arms have", "scores from 0.1 to 0.9"]
    whole = table.loc["everybody"]
    assert whole["effect"] == cf.estimate(frame, "ipw", **TOLD).effect
    assert (whole["share_left"], whole["change"]) == (1, 0)
    tails = table[table["share"] > 0]
    assert tails["share_left"].is_monotonic_decreasing
    assert tails["effect"].sub(2).abs().max() < 0.5
    assert "not on all treated" in table.attrs["estimand"]


def test_trimming_follows_the_rule_of_crump_and_others_2009():
    frame = people()
    table = trimmed(frame, "ols", shares=0, **TOLD).set_index("rule")
    import statsmodels.api as sm

    score = sm.Logit(frame["arm"], sm.add_constant(frame["x"])).fit(disp=0).predict()
    stays = (score >= 0.1) & (score <= 0.9)
    line = table.loc["scores from 0.1 to 0.9"]
    assert (line["n_treated"], line["n_comparison"]) == (
        (stays & (frame.arm == 1)).sum(),
        (stays & (frame.arm == 0)).sum(),
    )
    assert line["effect"] == pytest.approx(cf.estimate(frame[stays], "ols", **TOLD).effect)


def test_trimming_the_largest_weights_leaves_the_treated_alone_unless_the_effect_is_on_everybody():
    frame = people()
    att = trimmed(frame, "ipw", shares=(0.05,), by="weights", **TOLD).iloc[0]
    ate = trimmed(frame, "ipw", shares=(0.05,), by="weights", **TOLD, estimand="ATE").iloc[0]
    treated = (frame["arm"] == 1).sum()
    assert att["n_treated"] == treated
    assert ate["n_treated"] < treated
    assert att["n_comparison"] == pytest.approx(0.95 * (frame["arm"] == 0).sum(), abs=1.5)


def test_trimming_by_outcome_is_a_difference_of_trimmed_means():
    frame = people()
    frame.loc[0, "y"] = 1e6
    table = trimmed(frame, "difference", shares=(0, 0.02), by="outcome", outcome="y", treated="arm")
    arms = [frame.loc[frame["arm"] == arm, "y"] for arm in (1, 0)]
    means = [y[(y >= y.quantile(0.02)) & (y <= y.quantile(0.98))].mean() for y in arms]
    assert table["effect"].iloc[1] == pytest.approx(means[0] - means[1])
    assert abs(table["effect"].iloc[0]) > 1000


def test_the_order_of_rows_does_not_matter_to_trimming():
    frame = people()
    shuffled = frame.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(trimmed(frame, "aipw", **TOLD), trimmed(shuffled, "aipw", **TOLD))


def test_trimming_says_what_it_cannot_do():
    frame = people()
    with pytest.raises(EstimationError, match=r'(?s)2 problems.*Did you mean "weights".*below 0.5'):
        trimmed(frame, "ols", shares=(0, 0.7), by="weight", **TOLD)
    with pytest.raises(EstimationError, match="needs covariates"):
        trimmed(frame, "difference", outcome="y", treated="arm")
    with pytest.raises(EstimationError, match="no more than two values"):
        trimmed(frame, "difference", by="outcome", outcome="crime", treated="arm")
    with pytest.raises(EstimationError, match="one row per person"):
        trimmed(frame, "did", outcome="y", treated="arm", time="x", covariates=["x"])


# ---------------------------------------------------------------- what cannot have changed


def test_placebo_outcomes_show_nothing_where_what_matters_was_adjusted_for():
    table = placebo_outcomes(people(), "ols", ["before", "earlier"], treated="arm", covariates=["x"], person="id")
    assert table["verdict"].str.startswith("no difference found; differences up to 0.").all()
    assert table.attrs["joint"]["p"] > 0.05
    assert table.attrs["says"].startswith("None of 2 placebo outcomes differs")


def test_placebo_outcomes_show_groups_that_were_not_alike():
    table = placebo_outcomes(people(), "difference", ["before", "earlier"], treated="arm")
    assert table["verdict"].str.contains("the groups were not alike").all()
    assert (table["p_adjusted"] >= table["p"]).all()
    assert table.attrs["joint"]["p"] < 1e-6
    assert "2 of 2 placebo outcomes differ" in table.attrs["says"]


def test_the_joint_test_of_one_outcome_is_its_own_and_of_two_hotellings():
    frame = people(n=60)
    one = placebo_outcomes(frame, "ols", "before", treated="arm", covariates=["x"])
    assert one.attrs["joint"]["p"] == pytest.approx(one["p"].iloc[0])
    two = placebo_outcomes(frame, "difference", ["before", "earlier"], treated="arm", se="classical")
    parts = [frame.loc[frame["arm"] == arm, ["before", "earlier"]] for arm in (1, 0)]
    gap = (parts[0].mean() - parts[1].mean()).to_numpy()
    n1, n0 = map(len, parts)
    pooled = ((n1 - 1) * parts[0].cov() + (n0 - 1) * parts[1].cov()) / (n1 + n0 - 2)
    squared = gap @ np.linalg.solve(pooled * (1 / n1 + 1 / n0), gap)
    # The contributions of people are scaled to classical errors one by one, so their correlation is not the pooled one.
    assert two.attrs["joint"]["statistic"] == pytest.approx(squared / 2 * (n1 + n0 - 3) / (n1 + n0 - 2), rel=0.1)


def test_the_joint_test_holds_its_level_with_clusters():
    rejected = []
    for seed in range(80):
        random = np.random.default_rng([seed, 21])
        place = np.repeat(np.arange(24), 8)
        frame = pd.DataFrame({"place": place, "arm": place % 2})
        for name in "abc":
            frame[name] = random.normal(size=24)[place] + random.normal(size=len(place))
        table = placebo_outcomes(frame, "difference", list("abc"), treated="arm", cluster="place")
        assert table.attrs["joint"]["method"] == "Hotelling's F"
        rejected.append(table.attrs["joint"]["p"] < 0.05)
    assert np.mean(rejected) < 0.15


def test_an_outcome_that_repeats_another_counts_once_in_the_joint_test():
    frame = people().assign(again=lambda table: 2 * table["before"])
    both = placebo_outcomes(frame, "ols", ["before", "again"], treated="arm", covariates=["x"])
    assert both.attrs["joint"]["df"] == 1
    assert both.attrs["joint"]["p"] == pytest.approx(both["p"].iloc[0])


def test_a_placebo_outcome_is_not_adjusted_for_itself():
    frame = people()
    told = {"treated": "arm", "covariates": ["x", "before"]}
    table = placebo_outcomes(frame, "ols", ["before"], **told)
    assert (
        table["effect"].iloc[0] == cf.estimate(frame, "ols", outcome="before", treated="arm", covariates=["x"]).effect
    )


def test_gaps_and_the_order_of_rows_do_not_matter_to_the_joint_test():
    frame = people()
    frame.loc[3:40, "before"] = np.nan
    told = {"treated": "arm", "covariates": ["x"]}
    with_ids, without = (
        placebo_outcomes(frame, "ols", ["before", "earlier"], **told, **one) for one in ({"person": "id"}, {})
    )
    shuffled = placebo_outcomes(frame.sample(frac=1, random_state=1), "ols", ["before", "earlier"], **told)
    assert without.attrs["joint"]["method"] == "Hotelling's F"
    assert without.attrs["joint"]["p"] == pytest.approx(with_ids.attrs["joint"]["p"])
    assert shuffled.attrs["joint"]["p"] == pytest.approx(with_ids.attrs["joint"]["p"])


def test_an_outcome_that_cannot_be_judged_says_so_and_the_rest_stands():
    frame = people().assign(same=1.0, never=np.nan)
    table = placebo_outcomes(frame, "ols", ["before", "same", "never"], treated="arm", covariates=["x"]).set_index(
        "outcome"
    )
    assert table.loc["same", "verdict"] == "no interval, so it says nothing"
    assert table.loc["never", "verdict"] == "could not be estimated"
    assert table.loc["before", "p_adjusted"] == table.loc["before", "p"]


def test_placebo_outcomes_that_cannot_be_are_named_all_at_once():
    frame = people().assign(words="a")
    with pytest.raises(EstimationError, match=r'(?s)4 problems.*Did you mean "before"'):
        placebo_outcomes(frame, "ols", ["befor", "words", "arm"], outcome="y", treated="arm")
    with pytest.raises(EstimationError, match="no placebo outcome"):
        placebo_outcomes(frame, "ols", [], treated="arm")


def test_the_callers_table_is_left_alone():
    frame = people()
    before = frame.copy(deep=True)
    leave_one_cluster_out(frame, "ols", **TOLD, cluster="service")
    trimmed(frame, "ols", **TOLD)
    placebo_outcomes(frame, "ols", ["before"], treated="arm")
    pd.testing.assert_frame_equal(frame, before)
