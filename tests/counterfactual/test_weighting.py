"""Weighting: published results, exact means, models of the user's, trimming, and what cannot be weighted."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit import counterfactual as cf
from evalkit.errors import EstimationError

DATA = Path(__file__).parents[1] / "data"
COVARIATES = ["age", "educ", "race", "married", "nodegree", "re74", "re75"]
ALL = ("ipw", "entropy balancing", "aipw")


@pytest.fixture(scope="module")
def lalonde():
    return pd.read_csv(DATA / "lalonde.csv")


def on_lalonde(people, estimator, **options):
    told = {"outcome": "re78", "treated": "treat", "covariates": COVARIATES, "person": "uid"}
    return cf.estimate(people, estimator, **told, **options)


def world(seed, n=600, curved=False, values="number"):
    """People who take part the likelier, the higher x; the effect is 2, or 0.1 of a yes/no."""
    random = np.random.default_rng([seed, 31])
    x, z = random.normal(size=n), (random.uniform(size=n) < 0.4).astype(float)
    arm = (random.uniform(size=n) < 1 / (1 + np.exp(1.2 - 0.7 * x - 0.5 * z))).astype(int)
    y = 10 + 2 * x + z + (x**2 if curved else 0) + 2 * arm + random.normal(0, 2, n)
    yes = (random.uniform(size=n) < 0.1 + 0.05 * np.tanh(x) + 0.03 * z + 0.1 * arm).astype(float)
    ids = [f"p{i}" for i in range(n)]
    return pd.DataFrame({"id": ids, "x": x, "z": z, "arm": arm, "y": y if values == "number" else yes})


def run(frame, estimator, **options):
    told = {"outcome": "y", "treated": "arm", "covariates": ["x", "z"], "person": "id"}
    return cf.estimate(frame, estimator, **told, **options)


def texts(found, level=None):
    return " ".join(flag.text for flag in found.flags if level in (None, flag.level))


# ------------------------------------------------------- published and peer results


def test_v1d_dehejia_wahba_entropy_balancing(lalonde):
    found = on_lalonde(lalonde, "entropy balancing")
    assert found.effect == pytest.approx(1273.2618, abs=0.05)
    assert found.diagnostics["ess_comparison"] == pytest.approx(98.4578, abs=0.05)
    assert found.diagnostics["max_smd_after"] < 1e-8


def test_entropy_balancing_has_the_standard_error_of_its_stacked_equations(lalonde):
    """The same by the book: all equations written out, differentiated numerically, and sandwiched."""
    people = lalonde.assign(black=lalonde["race"] == "black", hispan=lalonde["race"] == "hispan")
    x = people[["age", "educ", "black", "hispan", "married", "nodegree", "re74", "re75"]].to_numpy(float)
    x, t, y = (x - x.mean(axis=0)) / x.std(axis=0), people["treat"].to_numpy(float), people["re78"].to_numpy()
    found = on_lalonde(lalonde, "entropy balancing")
    weights = found.diagnostics["weights"][people["uid"]].to_numpy()
    design = np.column_stack([np.ones(len(x)), x])
    slopes = np.linalg.lstsq(design[t == 0], np.log(weights[t == 0]), rcond=None)[0]

    def equations(theta):
        start, lean, treated_mean, other_mean = theta[:1], theta[1:9], theta[9], theta[10]
        own = (1 - t) * np.exp(start + x @ lean)
        balanced = own[:, None] * design - t[:, None] * design
        return np.column_stack([balanced, t * (y - treated_mean), own * (y - other_mean)])

    theta = np.array([*slopes, y[t == 1].mean(), y[t == 1].mean() - found.effect])
    steps = 1e-6 * np.maximum(np.abs(theta), 1)
    slope = np.column_stack(
        [
            (equations(theta + step * e) - equations(theta - step * e)).sum(axis=0) / (2 * step)
            for step, e in zip(steps, np.eye(len(theta)), strict=True)
        ]
    )
    assert np.abs(equations(theta).sum(axis=0)[:9]).max() < 1e-4
    rows = np.linalg.solve(slope, equations(theta).T)
    by_the_book = np.sqrt(((rows[9] - rows[10]) ** 2).sum())
    assert found.se == pytest.approx(by_the_book, rel=1e-4)
    reach = (found.high - found.low) / 2  # the interval is a little wider, for the size of the arms
    assert 1.96 * by_the_book < reach < 2.05 * by_the_book
    assert np.corrcoef(found.influence["effect"][people["uid"]], -(rows[9] - rows[10]))[0, 1] > 0.9999


def test_chance_models_by_sklearn_and_by_evalkit_agree(lalonde):
    from sklearn.linear_model import LinearRegression, LogisticRegression

    plain = on_lalonde(lalonde, "aipw")
    models = {
        "outcome_model": LinearRegression(),
        "score_model": LogisticRegression(C=np.inf, max_iter=10_000, solver="newton-cholesky"),
    }
    crossed = on_lalonde(lalonde, "aipw", **models)
    assert crossed.effect == pytest.approx(plain.effect, abs=0.6 * plain.se)
    assert crossed.se == pytest.approx(plain.se, rel=0.15)


# ------------------------------------------------------- what the weights do


@pytest.mark.parametrize("moments", [1, 2, 3])
def test_entropy_balancing_makes_the_wanted_moments_equal(moments):
    frame = world(1)
    weights = run(frame, "entropy balancing", moments=moments).diagnostics["weights"][frame["id"]].to_numpy()
    one, none = (frame["arm"] == arm for arm in (1, 0))
    for power in range(1, moments + 1):
        wanted = (frame.loc[one, "x"] ** power).mean()
        assert np.average(frame.loc[none, "x"] ** power, weights=weights[none]) == pytest.approx(wanted, abs=1e-6)
    assert np.average(frame.loc[none, "z"], weights=weights[none]) == pytest.approx(frame.loc[one, "z"].mean())
    assert weights[none].sum() == pytest.approx(one.sum())


def test_entropy_balancing_for_everybody_gives_both_arms_the_means_of_all():
    frame = world(2)
    weights = run(frame, "entropy balancing", estimand="ATE").diagnostics["weights"][frame["id"]].to_numpy()
    for arm in (1, 0):
        mine = frame["arm"] == arm
        for name in ("x", "z"):
            got = np.average(frame.loc[mine, name], weights=weights[mine])
            assert got == pytest.approx(frame[name].mean(), abs=1e-7)


def test_where_all_covariates_are_yes_or_no_balanced_by_cells_weighting_is_stratification():
    frame = world(3)
    means = frame[frame["arm"] == 0].groupby("z")["y"].mean()
    treated = frame[frame["arm"] == 1]
    truth = (treated["y"] - treated["z"].map(means)).mean()
    for estimator in ALL:
        told = {"outcome": "y", "treated": "arm", "covariates": ["z"], "person": "id"}
        assert cf.estimate(frame, estimator, **told).effect == pytest.approx(truth, abs=1e-8)


def test_trimming_leaves_people_out_counts_them_and_says_that_the_effect_is_another():
    frame = world(4)
    found = run(frame, "ipw", trim=(0.1, 0.6))
    weights = found.diagnostics["weights"]
    kept = frame[frame["id"].isin(weights[weights > 0].index)]
    assert found.diagnostics["trimmed"] == len(frame) - len(kept) > 0
    assert (found.n_treated, found.n_comparison) == (int((kept["arm"] == 1).sum()), int((kept["arm"] == 0).sum()))
    assert found.observed == pytest.approx(kept.loc[kept["arm"] == 1, "y"].mean())
    assert "extreme scores were left out" in texts(found, "caution")
    assert run(frame, "ipw", trim=None).effect != found.effect
    for wrong in (0.7, (0.6, 0.2), "a lot", True):
        with pytest.raises(EstimationError, match="trim must be"):
            run(frame, "ipw", trim=wrong)


def test_weights_that_were_lowered_are_counted_and_said():
    frame = world(5)
    found, plain = run(frame, "ipw", truncate=0.9), run(frame, "ipw")
    comparison = frame.loc[frame["arm"] == 0, "id"]
    top = np.quantile(plain.diagnostics["weights"][comparison], 0.9)
    assert found.diagnostics["weights"][comparison].max() == pytest.approx(top)
    assert found.diagnostics["truncated"] == (plain.diagnostics["weights"][comparison] > top).sum()
    assert "weights were lowered" in texts(found)
    with pytest.raises(EstimationError, match="truncate must be a share"):
        run(frame, "ipw", truncate=2)


# ------------------------------------------------------- models


def test_a_logit_of_the_outcome_is_one_of_the_comparison_alone():
    import statsmodels.api as sm

    frame = world(6, n=2000, values="yes or no")
    found = run(frame, "aipw", outcome_model="logit")
    x = sm.add_constant(frame[["x", "z"]])
    none = frame["arm"] == 0
    expected = sm.Logit(frame.loc[none, "y"], x[none]).fit(disp=0, tol=1e-12).predict(x)
    weights = found.diagnostics["weights"][frame["id"]].to_numpy()
    left = (frame["y"] - expected).to_numpy()
    by_hand = left[~none].mean() - np.average(left[none], weights=weights[none])
    assert found.effect == pytest.approx(by_hand, abs=1e-8)
    with pytest.raises(EstimationError, match="is for a yes/no outcome"):
        run(world(6), "aipw", outcome_model="logit")


def test_a_model_never_predicts_the_people_it_learnt_from():
    frame = world(7)
    seen = []

    def outcome_mean(x, y, x_new):
        seen.append((set(x["x"]), set(x_new["x"])))
        return np.full(len(x_new), y.mean())

    found = run(frame, "aipw", outcome_model=outcome_mean, folds=4)
    assert len(seen) == 4
    assert all(not inside & outside for inside, outside in seen)
    assert set().union(*(outside for _, outside in seen)) == set(frame["x"])
    again = run(frame.sample(frac=1, random_state=1), "aipw", outcome_model=outcome_mean, folds=4)
    assert (again.effect, again.se) == (found.effect, found.se)
    assert run(frame, "aipw", outcome_model=outcome_mean, folds=4, seed=1).effect != found.effect


def test_folds_keep_clusters_together():
    frame = world(8).assign(team=lambda table: np.arange(len(table)) % 30)
    seen = []

    def outcome_mean(x, y, x_new):
        seen.append((set(x["x"]), set(x_new["x"])))
        return np.full(len(x_new), y.mean())

    run(frame, "aipw", outcome_model=outcome_mean, cluster="team")
    teams = frame.set_index("x")["team"]
    assert all(not set(teams[list(inside)]) & set(teams[list(outside)]) for inside, outside in seen)


def test_it_is_right_if_either_model_is():
    def nothing(x, y, x_new):
        return np.full(len(x_new), y.mean())

    def even(x, y, x_new):
        return np.full(len(x_new), 0.3)

    found = [run(world(seed, n=1500), "aipw", outcome_model=nothing).effect for seed in range(25)]
    assert np.mean(found) == pytest.approx(2, abs=0.12)
    found = [run(world(seed, n=1500), "aipw", score_model=even).effect for seed in range(25)]
    assert np.mean(found) == pytest.approx(2, abs=0.12)
    found = [run(world(seed, n=1500), "aipw", score_model=even, outcome_model=nothing).effect for seed in range(5)]
    assert np.mean(found) > 2.8


def test_models_that_are_none_are_told():
    frame = world(9)
    with pytest.raises(EstimationError, match='Did you mean "linear"'):
        run(frame, "aipw", outcome_model="liner")
    with pytest.raises(EstimationError, match="an object with fit and predict, or a function"):
        run(frame, "aipw", score_model=3)
    with pytest.raises(EstimationError, match="folds must be"):
        run(frame, "aipw", folds=1)
    with pytest.raises(EstimationError, match="chances of 0 or 1"):
        run(frame, "aipw", score_model=lambda x, y, x_new: np.ones(len(x_new)))
    with pytest.raises(EstimationError, match="one prediction for each"):
        run(frame, "aipw", outcome_model=lambda x, y, x_new: 1.0)


# ------------------------------------------------------- intervals


@pytest.mark.parametrize(
    ("estimator", "options", "values"),
    [
        ("ipw", {}, "number"),
        ("entropy balancing", {}, "number"),
        ("entropy balancing", {"estimand": "ATE"}, "number"),
        ("entropy balancing", {}, "yes or no"),
        ("aipw", {"outcome_model": "logit"}, "yes or no"),
    ],
    ids=str,
)
def test_intervals_cover_the_effect(estimator, options, values):
    truth = 2 if values == "number" else 0.1
    found = [run(world(seed, n=400, values=values), estimator, **options) for seed in range(100)]
    assert np.mean([one.low <= truth <= one.high for one in found]) >= 0.89
    ratio = np.mean([one.se for one in found]) / np.std([one.effect for one in found])
    assert 0.85 < ratio < 1.25


def test_in_a_curved_world_entropy_balancing_of_variances_is_right():
    found = [run(world(seed, n=1500, curved=True), "entropy balancing", moments=2).effect for seed in range(25)]
    assert np.mean(found) == pytest.approx(2, abs=0.12)


# ------------------------------------------------------- what cannot be weighted


@pytest.mark.parametrize("estimator", ALL)
def test_covariates_that_tell_the_arms_apart_are_named(estimator):
    frame = world(10).assign(x=lambda table: table["x"] + 20 * table["arm"])
    with pytest.raises(EstimationError, match=r"nobody comparable is left.*\bx\b"):
        run(frame, estimator)


def test_means_that_cannot_be_reached_together_are_told():
    random = np.random.default_rng(3)
    x = random.uniform(-1, 1, 80)
    frame = pd.DataFrame({"id": range(80), "x": x, "z": x + random.normal(0, 0.01, 80), "arm": [0] * 60 + [1] * 20})
    frame.loc[frame["arm"] == 1, "z"] = 0.8
    frame.loc[frame["arm"] == 1, "x"] = random.uniform(-0.9, -0.7, 20)
    with pytest.raises(EstimationError, match="not all of them together"):
        run(frame.assign(y=random.normal(size=80)), "entropy balancing")


@pytest.mark.parametrize("estimator", ALL)
def test_weights_that_are_all_but_on_one_person_are_serious(estimator):
    random = np.random.default_rng(4)
    x = np.concatenate([random.normal(0, 0.3, 60), [2.0], random.normal(2, 0.3, 40)])
    frame = pd.DataFrame({"id": range(101), "x": x, "y": random.normal(size=101), "arm": [0] * 61 + [1] * 40})
    frame.loc[100, "x"] = 0.1
    found = cf.estimate(frame, estimator, outcome="y", treated="arm", covariates=["x"], person="id")
    assert "of the comparison's weight" in texts(found, "serious")


def test_no_covariates_constant_ones_and_infinite_ones():
    frame = world(11).assign(same=1.0)
    told = {"outcome": "y", "treated": "arm", "person": "id"}
    for estimator in (*ALL, "matching"):
        with pytest.raises(EstimationError, match="covariates that vary"):
            cf.estimate(frame, estimator, **told, covariates=["same"])
    frame.loc[3, "x"] = np.inf
    with pytest.raises(EstimationError, match='covariate "x" has 1 infinite values'):
        run(frame, "ipw")
    with pytest.raises(EstimationError, match="moments must be"):
        run(world(11), "entropy balancing", moments=4)


@pytest.mark.parametrize("estimator", [*ALL, "matching"])
def test_missing_covariates_are_filled_marked_and_counted(estimator):
    frame = world(12)
    frame["x"] = frame["x"].where(frame.index % 8 != 0)
    found = run(frame, estimator)
    assert found.diagnostics["missing_covariates"] == {"x": 0.125}
    assert "filled with their mean and marked" in texts(found, "caution")


@pytest.mark.parametrize("estimator", ALL)
def test_treated_who_can_hardly_stand_for_everybody_are_said(estimator):
    random = np.random.default_rng(6)
    x = random.normal(size=1200)
    arm = (random.uniform(size=1200) < 1 / (1 + np.exp(2.5 - 1.6 * x))).astype(int)
    frame = pd.DataFrame({"id": range(1200), "x": x, "arm": arm, "y": x + random.normal(size=1200)})
    told = {"outcome": "y", "treated": "arm", "covariates": ["x"], "person": "id"}
    assert "can hardly stand for everybody" in texts(cf.estimate(frame, estimator, estimand="ATE", **told), "caution")
    assert "can hardly stand for everybody" not in texts(cf.estimate(frame, estimator, **told))


def test_a_model_of_the_users_that_breaks_is_told_as_such():
    random = np.random.default_rng(1)
    frame = pd.DataFrame({"x": random.normal(size=200), "arm": np.tile([0, 1], 100)})
    frame["y"] = frame["x"] + random.normal(size=200)
    asked = {"outcome": "y", "treated": "arm", "covariates": ["x"]}
    with pytest.raises(EstimationError, match="outcome_model could not be used: ZeroDivisionError"):
        cf.estimate(frame, "aipw", **asked, outcome_model=lambda x, y, new: 1 / 0)
    with pytest.raises(EstimationError, match="outcome_model could not be used: ValueError"):
        cf.estimate(frame, "aipw", **asked, outcome_model=lambda x, y, new: ["high"] * len(new))
