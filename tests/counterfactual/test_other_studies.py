"""Tables as other evaluators bring them: every way of writing the same thing, every slip met with a sentence."""

import numpy as np
import pandas as pd
import pytest

from evalkit import counterfactual as cf
from evalkit.errors import EstimationError

ON_PEOPLE = ("difference", "ols", "matching", "ipw", "entropy balancing", "aipw", "multilevel")
ADJUSTING = ON_PEOPLE[1:]


def people(n=120, seed=1):
    """Confounded people in twelve teams."""
    random = np.random.default_rng([seed, 21])
    x = random.normal(size=n)
    frame = pd.DataFrame({"id": [f"p{i:03}" for i in range(n)], "x": x, "z": random.normal(size=n)})
    frame["t"] = (0.5 * x + random.normal(size=n) > 0).astype(int)
    frame["team"] = np.arange(n) % 12
    return frame.assign(y=1 + x + frame["t"] + random.normal(size=n))


def on_people(name, frame, **told):
    cluster = {"cluster": "team"} if name == "multilevel" else {}
    return cf.estimate(frame, name, **{"outcome": "y", "treated": "t", "covariates": ["x", "z"], **cluster, **told})


def areas(units=12, times=10, start=6, treated=1):
    """Areas by times; the first of them are treated from the start on, and gain 2."""
    random = np.random.default_rng([units, 22])
    frame = pd.DataFrame([(f"u{i:02}", t) for i in range(units) for t in range(1, times + 1)], columns=["unit", "time"])
    place = frame["unit"].str[1:].astype(int)
    frame["first"] = np.where(place < treated, start, 0)
    frame["on"] = ((place < treated) & (frame["time"] >= start)).astype(int)
    level, shock = random.normal(0, 2, units), random.normal(0, 0.5, times)
    frame["y"] = 10 + level[place] + shock[frame["time"] - 1] + 2 * frame["on"] + random.normal(0, 0.3, len(frame))
    return frame


def on_areas(name, frame, **told):
    return cf.estimate(frame, name, **{"outcome": "y", "treated": "on", "time": "time", "unit": "unit", **told})


# ------------------------------------------------------- the same table, written otherwise


@pytest.mark.parametrize("name", ON_PEOPLE)
def test_numbers_kept_as_objects_are_numbers(name):
    frame = people()
    plain = on_people(name, frame)
    objects = frame.astype({"x": object, "y": object, "t": object})
    assert on_people(name, objects).effect == pytest.approx(plain.effect, abs=1e-12)


@pytest.mark.parametrize("name", ADJUSTING)
def test_lengths_of_time_are_numbers_and_no_words(name):
    frame = people()
    lengths = frame.assign(x=pd.to_timedelta(frame["x"], unit="D"))
    assert on_people(name, lengths).effect == pytest.approx(on_people(name, frame).effect, abs=1e-6)


def test_covariates_may_be_named_twice_in_an_index_or_not_at_all():
    frame = people()
    once = on_people("ols", frame).effect
    assert on_people("ols", frame, covariates=["x", "z", "x"]).effect == once
    assert on_people("ols", frame, covariates=frame.columns[1:3]).effect == once
    assert on_people("ols", frame, covariates=None).effect == pytest.approx(on_people("difference", frame).effect)


def test_a_covariate_in_tiny_units_counts():
    frame = people()
    tiny = on_people("ols", frame.assign(x=frame["x"] * 1e-13))
    assert tiny.effect == pytest.approx(on_people("ols", frame).effect, abs=1e-8)


def test_standard_errors_estimands_and_distances_are_known_in_any_case():
    frame = people()
    assert on_people("ols", frame, se="HC3").se == on_people("ols", frame, se="hc3").se
    assert on_people("ipw", frame, estimand="ate").effect == on_people("ipw", frame, estimand="ATE").effect
    options = {"distance": "Mahalanobis", "ratio": np.int64(2)}
    assert on_people("matching", frame, **options).effect == on_people(
        "matching", frame, distance="mahalanobis", ratio=2
    ).effect  # fmt: skip


@pytest.mark.parametrize("name", ["synthetic control", "synthetic did", "did"])
def test_times_written_as_text_stand_in_their_order(name):
    frame = areas(treated=2)
    plain = on_areas(name, frame)
    assert on_areas(name, frame.assign(time=frame["time"].astype(str))).effect == plain.effect


@pytest.mark.parametrize("name", ["synthetic control", "synthetic did"])
def test_the_time_of_first_treatment_says_who_is_treated_when(name):
    frame = areas()
    plain = on_areas(name, frame).effect
    assert on_areas(name, frame, treated=None, first_treated="first").effect == plain
    ever = frame.assign(on=(frame["first"] > 0).astype(int))
    assert on_areas(name, ever, first_treated="first").effect == plain
    with pytest.raises(EstimationError, match="do not say the same"):
        on_areas(name, frame.assign(first=np.where(frame["unit"] == "u03", 6, 0)), first_treated="first")
    with pytest.raises(EstimationError, match="no area is treated"):
        on_areas(name, frame.assign(first=0), treated=None, first_treated="first")


STARTS = {
    "years as numbers, 0 for never": lambda first: first,
    "years, infinite for never": lambda first: first.replace(0, np.inf).astype(float),
    "years as text": lambda first: first.astype(str).replace("0", "never"),
    "dates": lambda first: pd.to_datetime(first.astype(str).where(first > 0), format="%Y"),
    "dates as text": lambda first: (first.astype(str) + "-01-01").where(first > 0, "Never"),
    "periods": lambda first: pd.to_datetime(first.astype(str).where(first > 0), format="%Y").dt.to_period("Y"),
}


@pytest.mark.parametrize("way", STARTS)
@pytest.mark.parametrize("times", ["dates", "periods"])
def test_first_treatment_may_be_a_year_where_the_times_are_dates(way, times):
    frame = areas(treated=6).assign(year=lambda table: table["time"] + 2000)
    frame["first"] = frame["first"].where(frame["first"] == 0, frame["first"] + 2000)
    told = {"treated": None, "first_treated": "first", "time": "year"}
    plain = on_areas("staggered did", frame, **told)
    dates = pd.to_datetime(frame["year"].astype(str), format="%Y")
    other = frame.assign(year=dates if times == "dates" else dates.dt.to_period("Y"), first=STARTS[way](frame["first"]))
    found = on_areas("staggered did", other, **told, comparison="Never-treated")
    assert (found.effect, found.n_treated) == (plain.effect, 6)


def test_a_slip_in_the_date_of_first_treatment_makes_nobody_untreated():
    frame = areas(treated=6)
    frame["time"] = pd.to_datetime((frame["time"] + 2000).astype(str), format="%Y")
    frame["first"] = np.where(frame["first"] > 0, "2OO6", "never")
    with pytest.raises(EstimationError, match="60 rows that are no date or year"):
        on_areas("staggered did", frame, treated=None, first_treated="first")


def test_an_offset_may_be_given_as_values():
    random = np.random.default_rng(23)
    frame = pd.DataFrame({"month": range(48), "on": np.arange(48) >= 30, "people": 10_000 + 10 * np.arange(48)})
    frame["y"] = random.poisson(0.004 * frame["people"] * np.where(frame["on"], 0.8, 1.0))
    told = {"outcome": "y", "treated": "on", "time": "month"}
    named = cf.estimate(frame, "interrupted time series", offset="log(people)", **told)
    for values in (np.log(frame["people"]), np.log(frame["people"].to_numpy()), list(np.log(frame["people"]))):
        found = cf.estimate(frame, "interrupted time series", offset=values, **told)
        assert found.effect == pytest.approx(named.effect, rel=1e-12)
    for wrong in (np.log(frame["people"])[:40], np.log(frame["people"]).rename(lambda at: at + 1), 3, np.log):
        with pytest.raises(EstimationError, match="one value for each row"):
            cf.estimate(frame, "interrupted time series", offset=wrong, **told)


# ------------------------------------------------------- slips


SLIPS = {
    "a person without an id": (lambda f: f.assign(id=f["id"].where(f.index != 3)), {"person": "id"}, "no person"),
    "the same column twice": (lambda f: pd.concat([f, f[["y"]]], axis=1), {}, '2 columns "y"'),
    "a column in the index": (lambda f: f.set_index("y"), {}, "reset_index"),
    "a date as outcome": (lambda f: f.assign(y=pd.Timestamp("2020-01-01")), {}, "Turn it into days"),
    "a complex outcome": (lambda f: f.assign(y=f["y"] + 1j), {}, "not a column of numbers"),
    "a list of outcomes": (lambda f: f, {"outcome": ["y"]}, "outcome must be the name of one column"),
    "no outcome": (lambda f: f, {"outcome": None}, "outcome must be the name of one column"),
    "the arm as outcome": (lambda f: f, {"outcome": "t"}, "the outcome and as the treated column"),
    "no table": (lambda f: {"y": [1], "t": [1]}, {}, "must be a DataFrame"),
}


@pytest.mark.parametrize("slip", SLIPS)
@pytest.mark.parametrize("name", ON_PEOPLE)
def test_a_slip_is_named(name, slip):
    change, told, says = SLIPS[slip]
    with pytest.raises(EstimationError, match=says):
        on_people(name, change(people()), **told)


@pytest.mark.parametrize("name", ADJUSTING)
@pytest.mark.parametrize(
    ("covariates", "says"),
    [(["y", "x"], '"y" is the outcome'), (["x", "t"], '"t" is the treated'), ([["x"]], "each of covariates")],
)
def test_covariates_that_cannot_be_are_named(name, covariates, says):
    with pytest.raises(EstimationError, match=says):
        on_people(name, people(), covariates=covariates)


def test_covariates_that_hold_lists_are_named():
    with pytest.raises(EstimationError, match='covariate "x" holds lists'):
        on_people("ols", people().assign(x=[[1]] * 120))


@pytest.mark.parametrize("name", ["did", "synthetic control", "synthetic did"])
def test_rows_without_a_time_or_unit_are_no_time_or_unit_of_their_own(name):
    frame = areas(treated=2)
    with pytest.raises(EstimationError, match="1 rows have no time"):
        on_areas(name, frame.assign(time=frame["time"].where(frame.index != 7)))
    with pytest.raises(EstimationError, match="1 rows have no unit"):
        on_areas(name, frame.assign(unit=frame["unit"].where(frame.index != 7)))


@pytest.mark.parametrize("name", ["ols", "multilevel"])
def test_a_regression_says_where_the_arms_have_nothing_in_common(name):
    frame = people()
    apart = frame.assign(t=(frame["x"] > 0).astype(int))
    said = [flag for flag in on_people(name, apart).flags if "no values of x in common" in flag.text]
    assert [flag.level for flag in said] == ["serious"]
    assert not any("in common" in flag.text for flag in on_people(name, frame).flags)


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("assumed", {"deadweight": "a third"}, "deadweight must be a number"),
        ("assumed", {"deadweight": 30}, "write 0.3 for 30 %"),
        ("historical baseline", {"baseline_rate": "a", "baseline_n": 10}, "baseline_rate must be a number"),
        ("matching", {"replacement": "no"}, "replacement must be true or false"),
        ("ipw", {"normalise": "no"}, "normalise must be true or false"),
        ("matching", {"exact": 3}, 'exact names "3"'),
    ],
)
def test_options_of_the_wrong_kind_are_named(name, options, says):
    frame = people().assign(y=lambda table: (table["y"] > 1).astype(int))
    told = {} if name in ("assumed", "historical baseline") else {"treated": "t", "covariates": ["x"]}
    with pytest.raises(EstimationError, match=says):
        cf.estimate(frame, name, outcome="y", **told, **options)


def test_what_is_assumed_needs_no_comparison_even_where_the_arm_is_named():
    frame = people().assign(y=lambda table: (table["y"] > 1).astype(int), t=1)
    found = cf.estimate(frame, "assumed", outcome="y", treated="t", person="id", deadweight=0.3)
    assert (found.n_treated, found.deadweight.value) == (120, 0.3)


def test_numbers_of_people_are_numbers_above_nothing():
    rates = pd.DataFrame({"arm": [1, 0], "rate": [0.4, 0.5]})
    told = {"outcome": "rate", "treated": "arm", "values": "yes or no"}
    for n, says in (([-5, 5], "0 or less"), (["a", "b"], "not a column of numbers")):
        with pytest.raises(EstimationError, match=says):
            cf.estimate(rates.assign(n=n), "published", n="n", **told)
    with pytest.raises(EstimationError, match="n must be the name"):
        cf.estimate(rates, "published", n=[5, 5], **told)


def test_a_running_number_of_three_values_is_refused_in_words():
    random = np.random.default_rng(3)
    frame = pd.DataFrame({"r": np.sign(random.uniform(-1, 1, 600)), "y": random.normal(size=600)})
    with pytest.raises(EstimationError, match="nothing can be fitted"):
        cf.estimate(frame, "regression discontinuity", outcome="y", running="r")


def test_balance_leaves_out_people_without_an_arm_and_weights_go_by_their_index():
    frame = people().astype({"t": float})
    lost = frame.assign(t=frame["t"].where(frame.index > 9))
    assert cf.balance(lost, "t", ["x"]).equals(cf.balance(frame[10:], "t", ["x"]))
    weights = pd.Series(np.arange(120) % 5 + 1.0)
    assert cf.balance(frame, "t", ["x"], weights[::-1]).equals(cf.balance(frame, "t", ["x"], weights.to_numpy()))
    for wrong, says in (({"weights": weights.rename(lambda at: f"p{at}")}, "index of the weights"),):
        with pytest.raises(EstimationError, match=says):
            cf.balance(frame, "t", ["x"], **wrong)
    with pytest.raises(EstimationError, match="must be 1 for the treated"):
        cf.balance(frame.assign(t=frame["t"] + 1), "t", ["x"])


@pytest.mark.parametrize(
    "call",
    [
        lambda: cf.e_value("a"),
        lambda: cf.e_value(2, "a"),
        lambda: cf.robustness_value("a", 5),
        lambda: cf.robustness_value(2, "a"),
        lambda: cf.rosenbaum_bounds([1, 2, 3], "a"),
    ],
)
def test_sensitivity_of_what_is_no_number_is_refused_in_words(call):
    with pytest.raises(EstimationError):
        call()


# ------------------------------------------------------- numbers by another way


def by_hand(frame):
    """Callaway and Sant'Anna's weighting estimator of one cohort, from its formula, by Newton's method."""
    wide = frame.pivot(index="unit", columns="time", values="y")
    unit = frame.groupby("unit")[["first", "x"]].first().loc[wide.index]
    treated = (unit["first"] > 0).to_numpy(float)
    design, beta = np.column_stack([np.ones(len(unit)), unit["x"]]), np.zeros(2)
    for _ in range(50):
        score = 1 / (1 + np.exp(-design @ beta))
        step = np.linalg.solve((design.T * score * (1 - score)) @ design, design.T @ (treated - score))
        beta += step
    odds = (1 - treated) * score / (1 - score)
    change = wide[[6, 7, 8, 9, 10]].to_numpy() - wide[[5]].to_numpy()
    return score, float((treated @ change / treated.sum() - odds @ change / odds.sum()).mean())


def test_callaway_sant_anna_weighting_keeps_scores_below_a_hundredth_as_they_are():
    """R's did and csdid do; a floor of .01 moved the castle doctrine's effect by a tenth."""
    frame = areas(units=60, treated=4)
    x = np.random.default_rng(24).normal(size=60)
    x[:4] += 1.5
    frame["x"] = x[frame["unit"].str[1:].astype(int)]
    frame["y"] += frame["x"] * frame["time"] / 10
    score, wanted = by_hand(frame)
    assert (score < 0.01).sum() >= 5
    told = {"treated": None, "first_treated": "first", "covariates": ["x"]}
    assert on_areas("staggered did", frame, method="ipw", **told).effect == pytest.approx(wanted, abs=1e-9)


def test_neighbours_of_estimate_name_the_slip_too():
    frame = people().assign(g=lambda table: table["team"] % 2)
    with pytest.raises(EstimationError, match='column "arm" is not in the table'):
        cf.subgroup_effects(frame, "ols", "g", outcome="y", treated="arm", covariates=["x"])
    with pytest.raises(EstimationError, match="must hold 1 for the treated"):
        cf.overlap(frame.assign(t=np.where(frame["t"] == 1, "treated", "comparison")), "t", ["x"])
