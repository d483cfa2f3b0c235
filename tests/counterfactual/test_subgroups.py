"""Effects by subgroup: each from its own people, and the test that they differ."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from evalkit.counterfactual import estimate
from evalkit.counterfactual.many.equality import equal_effects
from evalkit.counterfactual.many.subgroups import subgroup_effects
from evalkit.errors import EstimationError

ABOUT = {"outcome": "y", "treated": "treated"}


def people(seed=1, n=400, more=0.0, clusters=20, between=False):
    random = np.random.default_rng(seed)
    girl, age = random.integers(0, 2, n), random.integers(10, 18, n)
    team = np.arange(n) % clusters
    treated = team % 2 if between else random.integers(0, 2, n)
    y = treated * (1 + more * girl) + random.normal(size=clusters)[team] * 0.4 + random.normal(size=n)
    sex = np.where(girl == 1, "girl", "boy")
    ids = [f"p{i}" for i in range(n)]
    return pd.DataFrame({"person": ids, "sex": sex, "age": age, "team": team, "treated": treated, "y": y})


def test_each_group_is_the_estimate_from_its_own_people():
    frame = people()
    found = subgroup_effects(frame, "ols", "sex", covariates=["age"], **ABOUT).table.set_index("group")
    for sex in ("boy", "girl"):
        alone = estimate(frame[frame["sex"] == sex], "ols", covariates=["age"], **ABOUT)
        told = found.loc[sex, ["effect", "se", "low", "high", "p", "n_treated", "n_comparison"]]
        wanted = (alone.effect, alone.se, alone.low, alone.high, alone.p, alone.n_treated, alone.n_comparison)
        assert tuple(told) == pytest.approx(wanted)


def test_two_groups_are_compared_by_welchs_t():
    frame = people(more=0.5)
    found = subgroup_effects(frame, "difference", "sex", **ABOUT)
    one, two = (estimate(frame[frame["sex"] == sex], "difference", **ABOUT) for sex in ("boy", "girl"))
    variance = one.se**2 + two.se**2
    df = variance**2 / (one.se**4 / one.df + two.se**4 / two.df)
    t = (two.effect - one.effect) / variance**0.5
    test = found.interactions.iloc[0]
    assert (test["statistic"], test["df_error"]) == pytest.approx((t**2, df))
    assert test["p"] == pytest.approx(2 * stats.t.sf(abs(t), df))
    row = found.table.set_index("group").loc["girl"]
    assert (row["difference"], row["difference_se"]) == pytest.approx((two.effect - one.effect, variance**0.5))


def test_welchs_test_of_several_means_is_the_known_one():
    random = np.random.default_rng(2)
    samples = [random.normal(size=n) * spread for n, spread in ((12, 1.0), (20, 2.0), (9, 0.5))]
    means = np.array([one.mean() for one in samples])
    variances = np.array([one.var(ddof=1) / len(one) for one in samples])
    found = equal_effects(means, np.diag(variances), np.array([len(one) - 1.0 for one in samples]), False)
    known = stats.f_oneway(*samples, equal_var=False)
    assert (found.statistic, found.p) == pytest.approx((known.statistic, known.pvalue))


def test_groups_that_share_clusters_are_compared_by_cluster_sums():
    frame = people(between=True)
    found = subgroup_effects(frame, "difference", "sex", cluster="team", **ABOUT)
    boys, girls = (frame[frame["sex"] == sex] for sex in ("boy", "girl"))
    alone = [estimate(one, "difference", cluster="team", **ABOUT) for one in (boys, girls)]
    apart = np.hypot(alone[0].se, alone[1].se)
    row = found.table.set_index("group").loc["girl"]
    assert found.interactions["method"].iloc[0].startswith("Hotelling")
    assert row["difference_se"] < apart  # what a team does to both sexes cancels in their difference


def test_the_test_of_equal_effects_keeps_its_size_with_shared_clusters():
    found = [
        subgroup_effects(people(seed, 240, clusters=16, between=True), "difference", "sex", cluster="team", **ABOUT)
        for seed in range(80)
    ]
    p = np.array([one.interactions["p"].iloc[0] for one in found])
    assert 0.0 <= (p < 0.05).mean() <= 0.12
    assert 0.35 < p.mean() < 0.65
    covered = [((one.table["difference_low"] < 0) & (one.table["difference_high"] > 0)).all() for one in found]
    assert np.mean(covered) > 0.88


def test_a_difference_that_is_there_is_found():
    found = subgroup_effects(people(more=1.5), "ols", "sex", **ABOUT)
    assert found.interactions["p"].iloc[0] < 0.001
    assert "differs between the groups of sex" in found.says


def test_p_values_are_adjusted_over_all_groups_of_all_columns():
    found = subgroup_effects(people(), "ols", {"sex": None, "age": [14]}, **ABOUT)
    assert found.table["group"].tolist() == ["boy", "girl", "below 14", "14 or over"]
    order = found.table["p"].sort_values()
    holm = np.minimum(np.maximum.accumulate(order.to_numpy() * np.array([4, 3, 2, 1])), 1)
    assert found.table.loc[order.index, "p_adjusted"].to_numpy() == pytest.approx(holm)
    tests = found.interactions
    assert (tests["p_adjusted"] >= tests["p"]).all()


def test_cuts_are_where_they_were_declared():
    frame = people()
    found = subgroup_effects(frame, "difference", {"age": [12, 14]}, **ABOUT).table.set_index("group")
    assert list(found.index) == ["below 12", "12 to below 14", "14 or over"]
    middle = frame[(frame["age"] >= 12) & (frame["age"] < 14)]
    assert found.loc["12 to below 14", "effect"] == pytest.approx(estimate(middle, "difference", **ABOUT).effect)


def test_a_number_is_never_cut_by_the_data():
    frame = people().assign(need=np.random.default_rng(4).normal(size=400))
    with pytest.raises(EstimationError, match="Say where to cut it before looking"):
        subgroup_effects(frame, "difference", "need", **ABOUT)
    with pytest.raises(EstimationError, match="cuts that do not ascend"):
        subgroup_effects(frame, "difference", {"need": [1, 0]}, **ABOUT)


def test_groups_too_small_are_not_estimated_and_not_counted_out():
    frame = people()
    frame.loc[:14, "sex"] = "other"
    found = subgroup_effects(frame, "difference", "sex", **ABOUT)
    row = found.table.set_index("group").loc["other"]
    assert row["why"] == "fewer than 10 people in an arm"
    assert row[["effect", "n_treated", "n_comparison"]].isna().all()
    assert found.interactions["groups"].iloc[0] == 2
    assert any("Some groups of sex were not estimated" in flag.text for flag in found.flags)


def test_an_arm_of_a_group_in_one_cluster_is_not_estimated():
    frame = people(between=True)
    frame["place"] = np.where(frame["team"].isin([0, 1, 3, 5]), "north", "south")
    found = subgroup_effects(frame, "difference", "place", cluster="team", **ABOUT).table.set_index("group")
    assert found.loc["north", "why"] == "fewer than 2 clusters in an arm"
    assert found.loc["south", "why"] == ""


def test_exploring_is_called_exploring():
    texts = [flag.text for flag in subgroup_effects(people(), "difference", "sex", **ABOUT).flags]
    assert any("exploratory" in text for text in texts)
    texts = [flag.text for flag in subgroup_effects(people(), "difference", "sex", planned=True, **ABOUT).flags]
    assert not any("exploratory" in text for text in texts)


def test_significant_beside_not_significant_is_no_difference():
    seeds = range(1, 30)
    found = [
        subgroup_effects(people(seed, 160).assign(y=lambda f: f["y"] * 2), "ols", "sex", **ABOUT) for seed in seeds
    ]
    wanted = [
        ((one.table["p"] < 0.05).sum() == 1) and one.interactions["p"].iloc[0] >= 0.05 for one in found
    ]  # fmt: skip
    told = [any("that is no difference in effect" in flag.text for flag in one.flags) for one in found]
    assert any(wanted)
    assert told == wanted


def test_matching_is_done_within_the_group():
    frame = people(n=600)
    frame["treated"] = (np.random.default_rng(5).uniform(size=600) < 0.3).astype(int)
    found = subgroup_effects(frame, "matching", "sex", covariates=["age"], person="person", **ABOUT)
    girls = frame[frame["sex"] == "girl"]
    alone = estimate(girls, "matching", covariates=["age"], person="person", **ABOUT)
    assert found.table.set_index("group").loc["girl", "effect"] == pytest.approx(alone.effect)


def test_people_seen_twice_belong_to_one_group():
    frame = pd.concat([people().assign(time=0, y=0.0), people().assign(time=1)])
    found = subgroup_effects(frame, "did", "sex", time="time", person="person", **ABOUT)
    assert found.interactions["p"].notna().all()
    frame.loc[(frame["person"] == "p3") & (frame["time"] == 1), "sex"] = "other"
    with pytest.raises(EstimationError, match="changes over time for 1 people"):
        subgroup_effects(frame, "did", "sex", time="time", person="person", **ABOUT)


def test_people_without_a_value_are_counted_in_no_group():
    frame = people()
    frame.loc[:59, "sex"] = None
    found = subgroup_effects(frame, "difference", "sex", **ABOUT)
    assert found.table[["n_treated", "n_comparison"]].sum().sum() == 340
    assert any("in none of its groups" in flag.text and "15%" in flag.detail for flag in found.flags)


def test_the_outcome_makes_no_subgroups_and_a_misspelt_column_is_told():
    with pytest.raises(EstimationError, match="is the treated"):
        subgroup_effects(people(), "difference", "treated", **ABOUT)
    with pytest.raises(EstimationError, match='Did you mean "sex"'):
        subgroup_effects(people(), "difference", "sexx", **ABOUT)
    with pytest.raises(EstimationError, match="no subgroups to take"):
        subgroup_effects(people(), "published", "sex", **ABOUT)


def test_the_table_is_left_alone_and_shows_no_person():
    frame = people()
    before = frame.copy(deep=True)
    found = subgroup_effects(frame, "ols", "sex", **ABOUT)
    pd.testing.assert_frame_equal(frame, before)
    assert "p17" not in repr(found) + found._repr_html_()
