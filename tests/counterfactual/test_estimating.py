"""One estimate from one table: covariates, clusters, options, ties, and what the data cannot support."""

import numpy as np
import pandas as pd
import pytest

from evalkit import counterfactual as cf
from evalkit.counterfactual.neighbours import nearest_on_line
from evalkit.errors import EstimationError
from evalkit.linear import degrees_of_freedom, least_squares, row_contributions


@pytest.fixture
def people():
    random = np.random.default_rng(5)
    n = 200
    frame = pd.DataFrame(
        {"id": np.arange(n).astype(str), "age": random.integers(11, 18, n), "sex": random.choice(["f", "m"], n)}
    )
    frame["team"] = np.arange(n) % 10
    frame["arm"] = (random.uniform(size=n) < 0.2 + 0.03 * (frame["age"] - 11)).astype(int)
    frame["y"] = frame["age"] + 2.0 * frame["arm"] + random.normal(size=n)
    return frame


def texts(found):
    return " ".join(flag.text for flag in found.flags)


def test_words_become_dummies_and_gaps_are_filled_and_said(people):
    people["age"] = people["age"].astype(float).where(people.index % 10 != 0)
    found = cf.estimate(people, "ols", outcome="y", treated="arm", covariates=["age", "sex"], person="id")
    assert "filled with their mean" in texts(found)
    assert "age (about 10%)" in texts(found)


def test_covariates_that_do_not_vary_or_repeat_others_are_left_out_and_said(people):
    people = people.assign(country="UK", months=people["age"] * 12)
    plain = cf.estimate(people, "ols", outcome="y", treated="arm", covariates=["age"], person="id")
    more = cf.estimate(people, "ols", outcome="y", treated="arm", covariates=["age", "months"], person="id")
    assert more.effect == pytest.approx(plain.effect, rel=1e-10)
    assert "Left out of the adjustment" in texts(more)


def test_covariates_that_tell_the_arms_apart_are_named(people):
    people["fee"] = people["arm"] * 10 + people["age"] / 100
    with pytest.raises(EstimationError, match=r"nobody comparable is left.*fee"):
        cf.estimate(people, "ipw", outcome="y", treated="arm", covariates=["age", "fee"], person="id")


def test_all_unknown_options_and_words_are_reported_at_once(people):
    with pytest.raises(EstimationError) as told:
        cf.estimate(people, "matching", outcome="y", treated="arm", calliper=1, estimand="ATE", values="scores")
    assert 'Did you mean "caliper"' in str(told.value)
    assert 'estimand = "ATE" is not offered' in str(told.value)
    assert 'Did you mean "score"' in str(told.value)


def test_standard_errors_that_forget_the_clusters_are_refused(people):
    with pytest.raises(EstimationError, match="leaves the clusters out"):
        cf.estimate(people, "ols", outcome="y", treated="arm", cluster="team", se="hc2")
    with pytest.raises(EstimationError, match="name the column of clusters"):
        cf.estimate(people, "ols", outcome="y", treated="arm", se="cr2")


def test_within_equals_dummies_and_absorbing_leaves_cr2_unchanged(people):
    absorbed = cf.estimate(people, "ols", outcome="y", treated="arm", within="team", cluster="team", person="id")
    dummies = people.assign(team_word="t" + people["team"].astype(str))
    full = cf.estimate(
        dummies, "ols", outcome="y", treated="arm", covariates=["team_word"], cluster="team", person="id"
    )
    assert (absorbed.effect, absorbed.se, absorbed.df) == pytest.approx((full.effect, full.se, full.df), rel=1e-8)


def test_within_a_column_that_has_one_arm_only_is_refused(people):
    with pytest.raises(EstimationError, match="no value of it has both arms"):
        cf.estimate(people.assign(place=people["arm"]), "ols", outcome="y", treated="arm", within="place", person="id")


def test_cr2_equals_its_definition_by_dense_matrices():
    random = np.random.default_rng(2)
    cluster = np.repeat(np.arange(7), [3, 5, 4, 6, 2, 8, 5])
    x = np.column_stack([np.ones(33), cluster % 2, random.normal(size=33)])
    y = random.normal(size=33) + random.normal(size=7)[cluster]
    fit = least_squares(y, x)
    hat = x @ fit.bread @ x.T
    contrast = np.array([0.0, 1.0, 0.0])
    variance, vectors = 0.0, []
    for group in range(7):
        rows = cluster == group
        values, axes = np.linalg.eigh(np.eye(rows.sum()) - hat[np.ix_(rows, rows)])
        root = (axes / np.sqrt(values)) @ axes.T
        pull = root @ (x[rows] @ fit.bread @ contrast)
        variance += float(pull @ fit.residuals[rows]) ** 2
        vectors.append((np.eye(33) - hat)[:, rows] @ pull)
    products = np.array(vectors) @ np.array(vectors).T
    df = np.trace(products) ** 2 / (products**2).sum()
    rows = row_contributions(fit, contrast, "cr2", cluster)
    assert (np.bincount(cluster, rows) ** 2).sum() == pytest.approx(variance, rel=1e-10)
    assert degrees_of_freedom(fit, contrast, "cr2", cluster) == pytest.approx(df, rel=1e-10)


def greedy(treated, comparison, order, ratio, caliper):
    """The slow way."""
    left, partners = set(range(len(comparison))), np.full((len(treated), ratio), -1)
    for turn in range(ratio):
        for person in order:
            near = sorted(left, key=lambda j: (abs(comparison[j] - treated[person]), j))
            if (
                near
                and (not turn or partners[person, turn - 1] >= 0)
                and abs(comparison[near[0]] - treated[person]) <= caliper
            ):
                partners[person, turn] = near[0]
                left.discard(near[0])
    return partners


@pytest.mark.parametrize("seed", range(20))
def test_fast_matching_takes_the_same_people_as_the_slow_way(seed):
    random = np.random.default_rng(seed)
    treated, comparison = random.normal(size=25), random.normal(size=60)
    order = np.argsort(-treated)
    ratio, caliper = (1, 0.3) if seed % 2 else (2, np.inf)
    fast = nearest_on_line(treated, comparison, order, ratio, None if np.isinf(caliper) else caliper)
    assert (fast == greedy(treated, comparison, order, ratio, caliper)).all()


@pytest.mark.parametrize("seed", range(10))
def test_with_ties_the_lowest_ids_are_taken(seed):
    random = np.random.default_rng(seed)
    treated, comparison = random.integers(0, 5, 6).astype(float), random.integers(0, 5, 20).astype(float)
    order = np.argsort(-treated, kind="stable")
    fast, slow = nearest_on_line(treated, comparison, order, 1, None), greedy(treated, comparison, order, 1, np.inf)
    assert set(fast.ravel()) == set(slow.ravel())


def test_a_caliper_and_exact_columns_hold_for_every_pair(people):
    found = cf.estimate(
        people,
        "matching",
        outcome="y",
        treated="arm",
        covariates=["age", "sex"],
        person="id",
        caliper=0.05,
        exact=["sex"],
    )
    assert found.diagnostics["pairs"] == found.n_treated == found.n_comparison
    weights = found.diagnostics["weights"]
    matched = people.set_index("id").loc[weights[weights > 0].index]
    assert (matched.groupby("sex")["arm"].mean() == 0.5).all()


def test_treated_without_a_neighbour_are_said(people):
    people.loc[people["arm"] == 1, "age"] = people["age"] + 3
    found = cf.estimate(people, "matching", outcome="y", treated="arm", covariates=["age"], person="id", caliper=0.1)
    assert "found no comparison person near enough" in texts(found)


def test_matching_with_clusters_is_never_surer_than_either_way_alone(people):
    told = {"outcome": "y", "treated": "arm", "covariates": ["age"], "person": "id"}
    pairs, both = cf.estimate(people, "matching", **told), cf.estimate(people, "matching", cluster="team", **told)
    assert both.effect == pairs.effect
    assert both.se >= pairs.se - 1e-12
    assert both.df == 9


def test_average_effect_on_everybody_differs_from_that_on_the_treated():
    random = np.random.default_rng(8)
    x = random.normal(size=4000)
    arm = (random.uniform(size=4000) < 1 / (1 + np.exp(-x))).astype(int)
    frame = pd.DataFrame({"x": x, "arm": arm, "y": x + arm * (1 + x) + random.normal(size=4000)})
    told = {"outcome": "y", "treated": "arm", "covariates": ["x"]}
    for name in ("ipw", "aipw"):
        everybody, treated = cf.estimate(frame, name, estimand="ATE", **told), cf.estimate(frame, name, **told)
        assert everybody.low < 1 < everybody.high
        assert treated.low < 1 + x[arm == 1].mean() < treated.high
        assert treated.effect > everybody.high


def test_weighting_that_rests_on_one_person_is_flagged():
    frame = pd.DataFrame({"x": [0.0] * 40 + [3.0] * 2 + [3.0] * 20 + [0.0] * 5, "arm": [0] * 42 + [1] * 25})
    frame["y"] = np.arange(67.0)
    found = cf.estimate(frame, "ipw", outcome="y", treated="arm", covariates=["x"])
    assert "of the comparison's weight" in texts(found)


def test_did_needs_two_times_and_four_groups():
    frame = pd.DataFrame({"y": [1.0, 2, 3, 4, 5, 6], "arm": [0, 0, 1, 1, 0, 1], "t": [0, 1, 0, 1, 2, 2]})
    with pytest.raises(EstimationError, match="exactly two times, and the table has 3"):
        cf.estimate(frame, "did", outcome="y", treated="arm", time="t")
    frame = pd.DataFrame({"y": [1.0, 2, 3, 4, 5, 6], "arm": [0, 0, 1, 1, 1, 0], "t": [0, 0, 1, 1, 0, 0]})
    with pytest.raises(EstimationError, match="one of the four groups is empty"):
        cf.estimate(frame, "did", outcome="y", treated="arm", time="t")


def test_did_on_repeated_cross_sections_is_the_difference_of_four_means():
    frame = pd.DataFrame({"y": [1.0, 3, 2, 4, 5, 7, 10, 12], "arm": [0, 0, 0, 0, 1, 1, 1, 1], "t": [0, 0, 1, 1] * 2})
    assert cf.estimate(frame, "did", outcome="y", treated="arm", time="t").effect == pytest.approx(5 - 1)


def test_a_person_in_two_clusters_is_refused():
    frame = pd.DataFrame(
        {"id": [1, 1, 2, 2, 3, 3, 4, 4], "t": [0, 1] * 4, "arm": [0, 0, 1, 1] * 2, "y": np.arange(8.0)}
    )
    frame["team"] = [1, 2, 1, 1, 2, 2, 2, 2]
    with pytest.raises(EstimationError, match="1 people are in more than one cluster"):
        cf.estimate(frame, "did", outcome="y", treated="arm", time="t", person="id", cluster="team")


def test_outcomes_that_are_infinite_are_named_by_row(people):
    people.loc[3, "y"] = np.inf
    with pytest.raises(EstimationError, match=r"1 infinite values \(first rows: 4\)"):
        cf.estimate(people, "difference", outcome="y", treated="arm")


def test_weights_may_be_a_column_of_the_balance_table(people):
    people["w"] = np.where(people["arm"] == 1, 1.0, 0.5)
    table = cf.balance(people, "arm", ["age", "sex"], weights="w")
    assert table.loc["age", "smd_after"] == pytest.approx(table.loc["age", "smd_before"])
    assert table.attrs["denominator"] == "standard deviation of the treated before weighting"
    assert list(table.index) == ["age", "sex f", "sex m"]


def test_e_value_of_an_interval_that_includes_1_is_1_and_below_1_is_turned_over():
    assert cf.e_value(1.5, 0.9, 2.5).interval == 1.0
    assert cf.e_value(0.5).value == pytest.approx(cf.e_value(2.0).value)
    with pytest.raises(EstimationError, match="must be above 0"):
        cf.e_value(-1)


def test_covariates_named_for_an_estimator_without_use_for_them_are_left_alone_and_said(people):
    people.loc[0, "sex"] = None
    found = cf.estimate(people, "difference", outcome="y", treated="arm", covariates=["sex"])
    assert "those named are not used" in texts(found)
    assert "filled with" not in texts(found)


def test_did_of_a_score_has_the_deadweight_of_its_improvement_even_when_some_were_seen_once():
    frame = pd.DataFrame({"id": [0, 0, 1, 1, 2, 2, 3, 3, 4, 5, 5], "t": [0, 1] * 4 + [1, 0, 1]})
    frame["arm"] = [1, 1, 1, 1, 0, 0, 0, 0, 1, 0, 0]
    frame["y"] = [10.0, 19, 12, 21, 10, 13, 12, 15, 20, 11, 14]
    found = cf.estimate(frame, "did", outcome="y", treated="arm", time="t", person="id", values="score")
    assert found.effect == pytest.approx((20 - 11) - (14 - 11))
    assert found.deadweight.value == pytest.approx(3 / 9)
