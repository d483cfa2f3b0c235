"""Matching: published results, the slow way beside the fast one, what must hold for every pair, and intervals."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit import counterfactual as cf
from evalkit.counterfactual.matched.pairs import Pairs, check_pairs
from evalkit.counterfactual.matched.space import Space, again_in_space, nearest_in_space
from evalkit.counterfactual.neighbours import again_on_line
from evalkit.errors import EstimationError

DATA = Path(__file__).parents[1] / "data"
COVARIATES = ["age", "educ", "race", "married", "nodegree", "re74", "re75"]


@pytest.fixture(scope="module")
def lalonde():
    return pd.read_csv(DATA / "lalonde.csv")


def on_lalonde(people, **options):
    told = {"outcome": "re78", "treated": "treat", "covariates": COVARIATES, "person": "uid"}
    return cf.estimate(people, "matching", **told, **options)


def confounded(seed, treated=150, comparison=450, values="number"):
    """People of two arms who differ in three covariates; the effect is 2, or 0.2 of a yes/no."""
    random = np.random.default_rng([seed, 12])
    n = treated + comparison
    arm = np.repeat([1, 0], [treated, comparison])
    x = random.normal(size=(n, 3)) + 0.4 * arm[:, None]
    frame = pd.DataFrame(x, columns=["a", "b", "c"]).assign(arm=arm, id=[f"p{i}" for i in range(n)])
    frame["c"] = (frame["c"] > 0.3).astype(float)
    frame["place"] = random.choice(["north", "south"], n)
    y = 10 + 2 * frame["a"] + frame["b"] + frame["c"] + 2 * arm + random.normal(0, 2, n)
    yes = (random.uniform(size=n) < 0.3 + 0.1 * np.tanh(frame["a"]) + 0.2 * arm).astype(float)
    return frame.assign(y=y if values == "number" else yes)


def run(frame, covariates=("a", "b", "c"), **options):
    told = {"outcome": "y", "treated": "arm", "person": "id", "covariates": list(covariates)}
    return cf.estimate(frame, "matching", **told, **options)


def pairs_of(found, frame):
    """The pairs, with both persons' rows."""
    matches = found.diagnostics["matches"]
    people = frame.assign(id=frame["id"].astype(str)).set_index("id")
    return people.loc[matches["treated"]].reset_index(), people.loc[matches["comparison"]].reset_index()


# ------------------------------------------------------- published and peer results


def test_dehejia_wahba_matching_with_replacement_equals_matchit(lalonde):
    assert on_lalonde(lalonde, replacement=True).effect == pytest.approx(1991.62, abs=0.005)
    assert on_lalonde(lalonde, replacement=True, ratio=3).effect == pytest.approx(1573.75, abs=0.005)


def test_abadie_imbens_2006_standard_error_equals_that_of_sekhons_matching(lalonde, grid):
    """R package Matching 4.10-8: Match(re78, treat, fitted score); its default tolerance for ties is 1e-5."""
    shared = {"replacement": True, "ties": "all", "own_neighbours": 0}
    grid(
        """
        distance | ratio | tolerance | adjust | effect    | se
        score    | 1     | 1e-5      | no     | 1933.3919 | 1090.6046
        logit    | 1     | 1e-5      | no     | 1969.2743 | 1098.9751
        score    | 3     | 1e-5      | no     | 1510.3061 | 1025.9607
        score    | 1     | 1e-14     | no     | 1968.7997 | 1085.8156
        score    | 3     | 1e-14     | no     | 1573.7442 | 1027.2886
        score    | 1     | 1e-14     | yes    | 2125.6959 | 1100.1192
        """,
        lambda row: round(
            on_lalonde(
                lalonde,
                distance=row.distance,
                ratio=row.ratio,
                tolerance=float(row.tolerance),
                adjust=row.adjust,
                **shared,
            ).effect,
            4,
        ),
        "effect",
    )
    found = on_lalonde(lalonde, tolerance=1e-5, **shared)
    assert found.se == pytest.approx(1090.6046, abs=1e-3)
    found = on_lalonde(lalonde, tolerance=1e-14, ratio=3, **shared)
    assert found.se == pytest.approx(1027.2886, abs=1e-3)
    found = on_lalonde(lalonde, tolerance=1e-14, adjust=True, **shared)
    assert found.se == pytest.approx(1100.1192, abs=1e-3)


def test_sekhon_2011_example_of_the_matching_package():
    """The example of the documentation of R's Matching: 2153.3 (825.4), on the experiment with squares and zeros."""
    people = pd.read_csv(DATA / "nsw_experimental.csv")
    for name in ("age", "educ", "re74", "re75"):
        people[f"{name} squared"] = people[name] ** 2
    people["u74"], people["u75"] = (people["re74"] == 0) * 1, (people["re75"] == 0) * 1
    told = ["age", "educ", "re74", "re75"]
    told = [*told, *(f"{name} squared" for name in told), "black", "hisp", "marr", "nodegree", "u74", "u75"]
    options = {"replacement": True, "ties": "all", "tolerance": 1e-5, "own_neighbours": 0}
    columns = {"outcome": "re78", "treated": "treat", "person": "uid", "covariates": told}
    found = cf.estimate(people, "matching", **columns, **options)
    assert (found.effect, found.se) == pytest.approx((2153.3060, 825.3981), abs=0.005)


# ------------------------------------------------------- the slow way


def slowly_again(treated, comparison, ratio, caliper):
    """The nearest by a walk along the line of scores, as it is documented."""
    found = set()
    line = np.lexsort((np.arange(len(comparison)), comparison))
    for who, score in enumerate(treated):
        above = [j for j in line if comparison[j] >= score]
        below = [j for j in line if comparison[j] < score][::-1]
        steps = {j: step for side in (above, below) for step, j in enumerate(side)}
        near = sorted(line, key=lambda j: (abs(comparison[j] - score), steps[j], j))[:ratio]
        found |= {(who, int(j)) for j in near if abs(comparison[j] - score) <= caliper}
    return found


@pytest.mark.parametrize("seed", range(20))
def test_with_replacement_the_fast_way_takes_the_same_people_as_the_slow_way(seed):
    random = np.random.default_rng(seed)
    treated, comparison = random.normal(size=12), random.normal(size=40)
    if seed % 2:
        treated, comparison = treated.round(1), comparison.round(1)
    ratio, caliper = (1, 0.2) if seed % 3 else (4, np.inf)
    fast = again_on_line(treated, comparison, ratio, None if np.isinf(caliper) else caliper)
    assert set(zip(*(side.tolist() for side in fast), strict=True)) == slowly_again(treated, comparison, ratio, caliper)


def test_ties_all_takes_everybody_who_is_as_near_as_the_last():
    treated, comparison = np.array([0.5, 0.9]), np.array([0.5, 0.75, 0.25, 0.5, 0.9])
    who, partner = again_on_line(treated, comparison, 1, None, 0.0)
    assert list(zip(who.tolist(), partner.tolist(), strict=True)) == [(0, 0), (0, 3), (1, 4)]
    who, partner = again_on_line(treated, comparison, 3, None, 0.0)
    assert partner[who == 0].tolist() == [0, 1, 2, 3]


def slowly_in_space(treated, comparison, line, at, order, width):
    """The nearest left, by all distances."""
    left, found = set(range(len(comparison))), np.full(len(treated), -1)
    for who in order:
        may = [j for j in left if width is None or abs(line[j] - at[who]) <= width]
        if may:
            found[who] = min(may, key=lambda j: (((comparison[j] - treated[who]) ** 2).sum(), j))
            left.discard(found[who])
    return found


@pytest.mark.parametrize("seed", range(12))
def test_in_space_the_fast_way_takes_the_same_people_as_the_slow_way(seed):
    random = np.random.default_rng(seed)
    treated, comparison = random.normal(size=(25, 3)), random.normal(size=(60, 3))
    if seed % 2:  # many people share a point
        treated, comparison = treated.round(), comparison.round()
    line, at = comparison.sum(axis=1), treated.sum(axis=1)
    width = 0.8 if seed % 3 else None
    order = np.argsort(-at, kind="stable")
    slow = slowly_in_space(treated, comparison, line, at, order, width)
    fast = nearest_in_space(treated, Space(comparison, line, width), order, 1, at)
    assert fast[:, 0].tolist() == slow.tolist()
    who, partner = again_in_space(treated, Space(comparison, line, width), 2, at)
    for person in range(25):
        may = [j for j in range(60) if width is None or abs(line[j] - at[person]) <= width]
        near = sorted(may, key=lambda j: (((comparison[j] - treated[person]) ** 2).sum(), j))[:2]
        assert partner[who == person].tolist() == near


# ------------------------------------------------------- what was promised holds

WAYS = [
    {},
    {"ratio": 3},
    {"replacement": True, "ratio": 2},
    {"replacement": True, "ties": "all"},
    {"distance": "mahalanobis"},
    {"distance": "mahalanobis", "replacement": True, "ratio": 2},
]


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_caliper_and_exact_columns_hold_for_every_pair(way):
    frame = confounded(1)
    distance = way.get("distance", "logit")
    found = run(frame, caliper=0.1, exact=["place", "c"], **{**way, "distance": distance})
    treated, comparison = pairs_of(found, frame)
    assert (treated["arm"] == 1).all()
    assert (comparison["arm"] == 0).all()
    for name in ("place", "c"):
        assert (treated[name] == comparison[name]).all()
    matches = found.diagnostics["matches"]
    assert not matches[["treated", "comparison"]].duplicated().any()
    assert matches.groupby("treated")["share"].sum().to_numpy() == pytest.approx(1)
    if not way.get("replacement"):
        assert not matches["comparison"].duplicated().any()
    logit = logit_of(frame)
    gap = np.abs(logit[treated["id"]].to_numpy() - logit[comparison["id"]].to_numpy())
    assert gap.max() <= 0.1 * logit.std() * (1 + 1e-6)
    assert found.diagnostics["caliper_width"] == pytest.approx(0.1 * logit.std())
    assert found.diagnostics["pairs"] + found.diagnostics["dropped_treated"] == 150


def logit_of(frame):
    """The logit of the score by statsmodels."""
    import statsmodels.api as sm

    x = sm.add_constant(frame[["a", "b", "c"]])
    fit = sm.Logit(frame["arm"], x).fit(disp=0, tol=1e-12)
    return pd.Series(np.asarray(x @ fit.params), index=frame["id"].astype(str))


def test_a_matcher_that_breaks_a_promise_is_stopped():
    line, groups = np.array([0.1, 0.2, 0.1, 0.9]), np.array([0, 0, 0, 0])
    ones, nones, even = np.array([0, 1]), np.array([2, 3]), np.ones(2)
    check_pairs(Pairs(ones, nones, even, even, line, 0.8), groups, False)
    with pytest.raises(EstimationError, match=r"outside the caliper; this is a fault of evalkit"):
        check_pairs(Pairs(ones, nones, even, even, line, 0.1), groups, False)
    with pytest.raises(EstimationError, match=r"differs where it must agree; this is a fault of evalkit"):
        check_pairs(Pairs(ones, nones, even, even, line, None), np.array([0, 1, 0, 0]), False)
    thrice = np.array([0, 0, 1]), np.array([2, 3, 2]), np.ones(3)
    with pytest.raises(EstimationError, match=r"used twice without replacement; this is a fault of evalkit"):
        check_pairs(Pairs(*thrice, np.ones(3), line, None), groups, False)
    again = np.array([0, 0, 1]), np.array([2, 2, 3]), np.ones(3)
    with pytest.raises(EstimationError, match=r"the same comparison person twice; this is a fault of evalkit"):
        check_pairs(Pairs(*again, np.ones(3), line, None), groups, True)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_the_order_of_rows_never_matters_even_with_ties(way):
    frame = confounded(2).round(0)
    given = run(frame, **way)
    for seed in range(3):
        shuffled = run(frame.sample(frac=1, random_state=seed).reset_index(drop=True), **way)
        assert (given.effect, given.se, given.df) == (shuffled.effect, shuffled.se, shuffled.df)


def test_ties_that_only_ids_decide_are_said(lalonde):
    frame = confounded(3)
    texts = [flag.text for flag in run(frame, ["c", "place"]).flags]
    assert any("the lowest ids were taken" in text for text in texts)
    assert run(frame).diagnostics["tied"] == 0
    assert run(frame, ["c", "place"], replacement=True, ties="all").diagnostics["tied"] == 0


def test_with_ties_all_and_one_yes_or_no_the_effect_is_a_difference_of_stratum_means():
    frame = confounded(4)
    found = run(frame, ["c"], replacement=True, ties="all")
    means = frame[frame["arm"] == 0].groupby("c")["y"].mean()
    treated = frame[frame["arm"] == 1]
    assert found.effect == pytest.approx((treated["y"] - treated["c"].map(means)).mean())


def test_who_was_dropped_is_told_by_means_of_ten_or_more():
    frame = confounded(5)
    frame.loc[:19, "a"] += 4
    found = run(frame, caliper=0.05)
    table = found.diagnostics["who_was_dropped"]
    assert table.loc["a", "mean_dropped"] > table.loc["a", "mean_kept"] + 1
    assert any("who are not in this estimate differ" in flag.text for flag in found.flags)
    frame = confounded(5).drop(index=range(9, 150))
    frame.loc[:3, "a"] += 6
    assert "who_was_dropped" not in run(frame, caliper=0.05).diagnostics


def test_shared_people_are_counted():
    frame = confounded(6, treated=300, comparison=60)
    found = run(frame, replacement=True)
    uses = found.diagnostics["matches"]["comparison"].value_counts()
    assert found.diagnostics["most_used"] == uses.max() > 3
    weights = uses.to_numpy()
    assert found.diagnostics["ess_comparison"] == pytest.approx(weights.sum() ** 2 / (weights**2).sum())
    assert found.n_comparison == len(uses)
    assert found.n_treated == 300


def test_wrong_options_are_told_at_once():
    with pytest.raises(EstimationError) as told:
        run(confounded(1), caliper=-1, ratio=0, distance="mahalanobus", ties="all")
    for part in (
        "caliper must be above 0",
        "ratio must be a whole",
        'Did you mean "mahalanobis"',
        "replacement = True",
    ):
        assert part in str(told.value)


def test_nobody_near_enough_is_an_error():
    frame = confounded(7)
    with pytest.raises(EstimationError, match="fewer than two treated people found"):
        run(frame, exact=["id"])


# ------------------------------------------------------- intervals


@pytest.mark.parametrize(
    ("values", "way"),
    [
        ("number", {"caliper": 0.2, "distance": "logit", "adjust": True}),
        ("number", {"replacement": True}),
        ("number", {"distance": "mahalanobis", "adjust": True, "replacement": True}),
        ("yes or no", {"replacement": True, "ratio": 3, "adjust": True}),
        ("yes or no", {"replacement": True, "own_neighbours": 0}),
    ],
    ids=str,
)
def test_intervals_cover_the_effect(values, way):
    truth = 2.0 if values == "number" else 0.2
    found = [run(confounded(seed, values=values), **way) for seed in range(80)]
    covered = np.mean([one.low <= truth <= one.high for one in found])
    ratio = np.mean([one.se for one in found]) / np.std([one.effect for one in found])
    assert covered >= 0.9
    assert 0.8 < ratio < 1.35


def test_with_replacement_and_clusters_the_interval_allows_for_clusters():
    covered, clusters = [], set()
    for seed in range(60):
        frame = confounded(seed, 200, 400)
        random = np.random.default_rng([seed, 44])
        frame["team"] = random.integers(0, 40, len(frame))
        frame["y"] += random.normal(0, 1.5, 40)[frame["team"]]
        alone = run(frame, replacement=True, adjust=True)
        found = run(frame, replacement=True, adjust=True, cluster="team")
        assert found.effect == alone.effect
        covered.append(found.low <= 2 <= found.high)
        clusters.add(found.n_clusters)
    assert np.mean(covered) >= 0.9
    assert clusters == {40}
