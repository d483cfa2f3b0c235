"""Every estimator on the list is held to one contract; a new file is found by itself."""

import numpy as np
import pandas as pd
import pytest

from evalkit import counterfactual as cf
from evalkit.errors import EstimationError

ON_PEOPLE = {name: entry for name, entry in cf.known_estimators().items() if entry.persons}
EFFECT = 2.0
DRAWS = 200


def world(assumes, seed, people=240):
    """A world that meets an estimator's assumptions, with an effect of 2 for everybody."""
    random = np.random.default_rng([seed, 7])
    x = random.normal(size=people)
    lean = 0.0 if assumes == "random assignment" else 0.5 * x
    treated = (random.uniform(size=people) < 1 / (1 + np.exp(0.8 - lean))).astype(int)
    treated[:2] = (0, 1)
    ids = [f"p{i}" for i in range(people)]
    if assumes == "parallel trends":
        level = 10 + 3 * treated + random.normal(size=people)
        before = level + random.normal(size=people)
        after = level + 1 + EFFECT * treated + random.normal(size=people)
        both = {"person": ids * 2, "time": [0] * people + [1] * people, "x": np.tile(x, 2)}
        return pd.DataFrame({**both, "treated": np.tile(treated, 2), "y": np.concatenate([before, after])})
    y = 10 + 1.5 * x + EFFECT * treated + random.normal(0, 2, people)
    return pd.DataFrame({"person": ids, "x": x, "treated": treated, "y": y})


def frame_of(name, seed):
    """The world of an estimator; one that needs clusters gets 24 teams, each with luck of its own."""
    frame = world(ON_PEOPLE[name].assumes, seed)
    if "cluster" in ON_PEOPLE[name].needs:
        number = frame["person"].str[1:].astype(int) % 24
        luck = np.random.default_rng([seed, 8]).normal(size=24)
        frame = frame.assign(team="t" + number.astype(str), y=frame["y"] + luck[number])
    return frame


def columns(entry):
    time = {"time": "time"} if entry.before_and_after else {}
    team = {"cluster": "team"} if "cluster" in entry.needs else {}
    return {"outcome": "y", "treated": "treated", "covariates": ["x"], "person": "person", **time, **team}


def run(name, frame, **options):
    return cf.estimate(frame, name, **{**columns(ON_PEOPLE[name]), **options})


@pytest.fixture(params=list(ON_PEOPLE))
def name(request):
    return request.param


def test_it_recovers_a_known_effect_and_its_interval_covers_it(name):
    found = [run(name, frame_of(name, seed)) for seed in range(DRAWS)]
    effects = np.array([one.effect for one in found])
    covered = np.mean([one.low <= EFFECT <= one.high for one in found])
    assert abs(effects.mean() - EFFECT) < 4 * effects.std() / np.sqrt(DRAWS) + 0.05
    assert 0.90 <= covered <= 0.995
    assert 0.85 < np.mean([one.se for one in found]) / effects.std() < 1.3


def test_the_order_of_rows_does_not_matter(name):
    frame = frame_of(name, 1)
    given = run(name, frame)
    shuffled = run(name, frame.sample(frac=1, random_state=3).reset_index(drop=True))
    assert (given.effect, given.se, given.df) == (shuffled.effect, shuffled.se, shuffled.df)


def test_it_scales_with_the_unit(name):
    frame = frame_of(name, 2)
    one, hundred = run(name, frame), run(name, frame.assign(y=frame["y"] * 100))
    assert (hundred.effect, hundred.se) == pytest.approx((100 * one.effect, 100 * one.se), rel=1e-8)
    assert hundred.p == pytest.approx(one.p, rel=1e-6)


def test_it_leaves_its_input_alone(name):
    frame = frame_of(name, 3)
    before = frame.copy(deep=True)
    run(name, frame)
    pd.testing.assert_frame_equal(frame, before)


def test_contributions_of_people_add_up_to_the_variance(name):
    frame = frame_of(name, 4)
    found = run(name, frame)
    together = frame.drop_duplicates("person").set_index("person").get("team", found.influence.index.to_series())
    sums = found.influence["effect"].groupby(together.reindex(found.influence.index)).sum()
    assert np.sqrt((sums**2).sum()) == pytest.approx(found.se, rel=1e-9)
    gap = found.influence["observed"] - found.influence["effect"] - found.influence["counterfactual"]
    assert gap.abs().max() < 1e-12


def test_with_clusters_contributions_add_up_by_cluster(name):
    frame = frame_of(name, 5)
    frame["team"] = "t" + (frame["person"].str[1:].astype(int) % 24).astype(str)
    found = run(name, frame, cluster="team")
    teams = frame.drop_duplicates("person").set_index("person")["team"]
    sums = found.influence["effect"].groupby(teams.reindex(found.influence.index)).sum()
    assert np.sqrt((sums**2).sum()) == pytest.approx(found.se, rel=1e-9)
    assert found.n_clusters == 24
    assert found.df <= 24 or "cluster" in ON_PEOPLE[name].needs  # a model of the spread also learns within clusters


def test_few_clusters_are_flagged(name):
    frame = frame_of(name, 5)
    frame["team"] = "t" + (frame["person"].str[1:].astype(int) % 8).astype(str)
    texts = [flag.text for flag in run(name, frame, cluster="team").flags]
    assert any("few clusters (8)" in text for text in texts)


def test_missing_outcomes_are_left_out_and_counted(name):
    frame = frame_of(name, 6)
    frame.loc[10:14, "y"] = np.nan
    found = run(name, frame)
    assert found.diagnostics["dropped"] == 5
    assert np.isfinite(found.effect)


def test_a_wider_level_gives_a_wider_interval(name):
    frame = frame_of(name, 7)
    narrow, wide = run(name, frame, level=0.9), run(name, frame, level=0.99)
    assert wide.low < narrow.low < narrow.effect < narrow.high < wide.high


def test_it_says_what_it_cannot_do(name):
    frame = frame_of(name, 8)
    told = columns(ON_PEOPLE[name])
    with pytest.raises(EstimationError, match="has no option"):
        run(name, frame, calliper=0.2)
    with pytest.raises(EstimationError, match=f'"{name}" compares two arms'):
        cf.estimate(frame, name, **{**told, "treated": None})
    with pytest.raises(EstimationError, match='column "z" is not in the table'):
        cf.estimate(frame, name, **{**told, "outcome": "z"})
    with pytest.raises(EstimationError, match="nobody in the treated arm"):
        run(name, frame.assign(treated=0))
    with pytest.raises(EstimationError, match="must be 1 or 0"):
        run(name, frame.assign(treated=frame["treated"] + 1))
    with pytest.raises(EstimationError, match="not a column of numbers"):
        run(name, frame.assign(y="a lot"))
    with pytest.raises(EstimationError, match="Nothing can be estimated"):
        run(name, frame.assign(y=np.nan))
    with pytest.raises(EstimationError, match="repeat a person"):
        run(name, pd.concat([frame, frame.head(3)]))


def test_every_estimator_names_its_method_in_a_line():
    assert all(entry.says and "\n" not in entry.says for entry in cf.known_estimators().values())


def test_an_unknown_estimator_is_met_with_the_nearest_name():
    with pytest.raises(EstimationError, match='Did you mean "matching"'):
        cf.estimate(world("random assignment", 1), "match", outcome="y", treated="treated")


def test_two_published_rates_with_numbers_cover_the_difference():
    random = np.random.default_rng(11)
    covered = []
    for _ in range(DRAWS):
        rates = pd.DataFrame({"arm": [1, 0], "n": [300, 400]})
        rates["rate"] = [random.binomial(300, 0.4) / 300, random.binomial(400, 0.5) / 400]
        found = cf.estimate(rates, "published", outcome="rate", treated="arm", n="n", values="yes or no")
        covered.append(found.low <= -0.1 <= found.high)
    assert 0.90 <= np.mean(covered) <= 0.99
