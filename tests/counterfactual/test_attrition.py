"""People who were lost: by arm and wave, weights that speak for them, bounds on what they could change."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from evalkit import counterfactual as cf
from evalkit.counterfactual.analysed import attrition_bounds, attrition_weights, imbens_manski, with_attrition_weights
from evalkit.counterfactual.attrition import attrition_by_wave, attrition_flags
from evalkit.errors import EstimationError, EvalkitWarning
from evalkit.outcomes.change.shares import newcombe

EFFECT = 2.0


def lost(seed, people=400, groups=None):
    """Who is lost depends on x, in another way in each arm."""
    random = np.random.default_rng([seed, 9])
    cluster = np.arange(people) % (groups or people)
    arm = random.permutation(np.repeat([1, 0], (groups or people) // 2))[cluster]
    x = random.normal(size=people)
    luck = random.normal(0, 0.8, groups)[cluster] if groups else 0.0
    y = 5 + 2 * x + EFFECT * arm + luck + random.normal(0, 2, people)
    read = random.uniform(size=people) < 1 / (1 + np.exp(-(1 + np.where(arm == 1, 1.2, -0.6) * x)))
    ids = [f"p{i}" for i in range(people)]
    return pd.DataFrame({"person": ids, "arm": arm, "x": x, "y": np.where(read, y, np.nan), "team": cluster})


# ------------------------------------------------------------------ by arm and wave


def waves():
    people = pd.DataFrame({"id": range(40), "arm": ["programme"] * 20 + ["control"] * 20})
    people["m6"] = [1.0] * 18 + [np.nan] * 2 + [1.0] * 12 + [np.nan] * 8
    people["m12"] = [1.0] * 10 + [np.nan] * 10 + [1.0] * 10 + [np.nan] * 10
    return people


def test_the_tracing_rate_is_told_by_arm_and_wave_with_how_the_arms_differ():
    table = attrition_by_wave(waves(), ["m6", "m12"], "arm", treated_is="programme").set_index(["outcome", "arm"])
    assert table["share"].tolist() == [0.9, 0.6, 0.5, 0.5]
    assert table.loc[("m6", "treated"), ["people", "analysed"]].tolist() == [20, 18]
    six = table.loc[("m6", "treated")]
    assert (six["difference_low"], six["difference_high"]) == pytest.approx(newcombe(18, 20, 12, 20))
    assert (six["difference"], six["overall"], six["uneven"]) == (pytest.approx(0.3), 0.75, True)
    assert not table.loc[("m12", "treated"), "uneven"]
    assert "5 points" in six["standard"]


def test_only_those_due_are_counted():
    people = waves().assign(due=[1] * 10 + [0] * 10 + [1] * 10 + [None] * 10)
    table = attrition_by_wave(people, ["m6", "m12"], "arm", due={"m12": "due"}).set_index(["outcome", "arm"])
    assert table.loc["m12", "people"].tolist() == [10, 10]
    assert table.loc["m12", "share"].tolist() == [1.0, 1.0]
    assert table.loc["m6", "people"].tolist() == [20, 20]


def test_one_row_per_person_and_wave_gives_the_same():
    wide = waves()
    long = wide.melt(["id", "arm"], ["m6", "m12"], "wave", "y")
    unseen = long[long["y"].notna() | (long["wave"] == "m6")]  # whoever was not seen at a wave may have no row there
    table = attrition_by_wave(unseen, "y", "arm", time="wave", person="id")
    same = attrition_by_wave(wide, ["m12", "m6"], "arm")
    pd.testing.assert_frame_equal(table, same)


def test_the_flags_of_the_room_take_the_table():
    (flag,) = attrition_flags(attrition_by_wave(waves(), ["m6", "m12"], "arm"))
    assert (flag.about, flag.level) == ("m6", "caution")
    assert "about 30 points" in flag.text
    assert "18" not in flag.text + flag.detail


def test_clusters_widen_the_difference():
    frame = lost(1, groups=16)
    frame["y"] = frame["y"].where(frame["team"] % 5 > 0)
    plain, wide = (attrition_by_wave(frame, "y", "arm", cluster=cluster).iloc[0] for cluster in (None, "team"))
    assert wide["difference_high"] - wide["difference_low"] > plain["difference_high"] - plain["difference_low"]


def test_what_cannot_be_counted_is_said():
    with pytest.raises(EstimationError, match='column "m9" is not in the table'):
        attrition_by_wave(waves(), ["m9"], "arm")
    with pytest.raises(EstimationError, match="which is no wave"):
        attrition_by_wave(waves(), ["m6"], "arm", due={"m7": "id"})
    with pytest.raises(EstimationError, match="nobody in the comparison arm was due"):
        attrition_by_wave(waves().assign(due=[1] * 20 + [0] * 20), "m6", "arm", due={"m6": "due"})
    with pytest.raises(EstimationError, match="nobody is in the comparison arm"):
        attrition_by_wave(waves().assign(arm=1), "m6", "arm")
    with pytest.raises(EstimationError, match="say who is who"):
        attrition_by_wave(waves(), "m6", "arm", time="id")


# ------------------------------------------------------------------ weights


def test_weights_are_one_over_the_chance_of_being_read_within_each_arm():
    people = pd.DataFrame({"arm": [1] * 40 + [0] * 40, "place": (["town"] * 20 + ["land"] * 20) * 2})
    people["y"] = 1.0
    people.loc[[*range(5), *range(20, 30)], "y"] = np.nan  # 15 of 20 in town, 10 of 20 on the land
    weights = attrition_weights(people, "y", "arm", ["place"], stabilised=False)
    assert weights[:40].tolist() == pytest.approx([0.0] * 5 + [4 / 3] * 15 + [0.0] * 10 + [2.0] * 10)
    assert weights[40:].tolist() == [1.0] * 40  # nobody was lost
    stabilised = attrition_weights(people, "y", "arm", ["place"])
    assert stabilised[:40].sum() == pytest.approx(25)
    assert stabilised.index.equals(people.index)


def test_extreme_weights_are_warned_of_and_separation_is_refused():
    people = pd.DataFrame({"arm": [1] * 60 + [0] * 60, "place": (["town"] * 30 + ["land"] * 30) * 2, "y": 1.0})
    people.loc[list(range(31, 60)), "y"] = np.nan  # one of 30 on the land was read
    with pytest.warns(EvalkitWarning, match="speak for many who were lost"):
        weights = attrition_weights(people, "y", "arm", ["place"])
    assert "treated" in weights.attrs["flags"][0].text
    assert weights[:31].tolist() == pytest.approx([31 / 60] * 30 + [31 / 60 * 30])  # all of the town were read
    people.loc[30, "y"] = np.nan
    with pytest.raises(EstimationError, match="without fail"):
        attrition_weights(people, "y", "arm", ["place"])


def test_a_weighted_difference_undoes_the_loss_and_its_interval_covers():
    told = {"outcome": "y", "treated": "arm", "person": "person"}
    found = [with_attrition_weights(lost(seed), "difference", observed_by=["x"], **told) for seed in range(150)]
    assert np.mean([one.effect for one in found]) == pytest.approx(EFFECT, abs=0.12)
    assert np.mean([one.diagnostics["unweighted"] for one in found]) > EFFECT + 0.6
    assert 0.88 <= np.mean([one.low <= EFFECT <= one.high for one in found]) <= 0.99
    assert np.mean([one.se for one in found]) / np.std([one.effect for one in found]) == pytest.approx(1, abs=0.2)


def test_a_weighted_regression_is_weighted_least_squares():
    frame = lost(3)
    found = with_attrition_weights(frame, "ols", outcome="y", treated="arm", covariates=["x"], person="person")
    weights = attrition_weights(frame, "y", "arm", ["x"], stabilised=False)
    read = frame["y"].notna()
    x = np.column_stack([np.ones(read.sum()), frame.loc[read, "arm"], frame.loc[read, "x"]])
    root = np.sqrt(weights[read].to_numpy())
    beta = np.linalg.lstsq(x * root[:, None], frame.loc[read, "y"].to_numpy() * root, rcond=None)[0]
    assert found.effect == pytest.approx(beta[1])
    assert found.n_treated + found.n_comparison == read.sum()
    assert math.sqrt((found.influence["effect"] ** 2).sum()) == pytest.approx(found.se)
    assert len(found.influence) == len(frame)  # the lost, too, say how likely it was to be read


def test_with_nobody_lost_the_weights_change_nothing():
    frame = lost(4).assign(y=lambda table: table["x"] + table["arm"])
    frame["y"] += np.random.default_rng(1).normal(size=len(frame))
    told = {"outcome": "y", "treated": "arm", "covariates": ["x"]}
    for name in ("difference", "ols"):
        weighted, plain = with_attrition_weights(frame, name, **told), cf.estimate(frame, name, **told)
        assert weighted.effect == pytest.approx(plain.effect)
        assert weighted.se == pytest.approx(plain.se, rel=0.02)


def test_clusters_are_counted_in_the_weighted_interval():
    told = {"outcome": "y", "treated": "arm", "observed_by": ["x"]}
    frame = lost(5, groups=20)
    found = with_attrition_weights(frame, "difference", cluster="team", **told)
    assert found.n_clusters == 20
    assert found.se > with_attrition_weights(frame, "difference", **told).se


def test_an_estimator_without_weights_is_run_on_copies_with_a_bootstrap():
    frame = lost(6, people=300)
    told = {"outcome": "y", "treated": "arm", "covariates": ["x"], "person": "person", "values": "amount"}
    found = with_attrition_weights(frame, "aipw", draws=40, seed=1, **told)
    again = with_attrition_weights(frame.sample(frac=1, random_state=2), "aipw", draws=40, seed=1, **told)
    assert (found.effect, found.se) == (again.effect, again.se)
    assert abs(found.effect - EFFECT) < 3 * found.se
    assert found.deadweight.low < found.deadweight.value < found.deadweight.high
    assert (found.influence, found.diagnostics["draws"]) == (None, 40)


def test_what_cannot_be_weighted_is_refused():
    told = {"outcome": "y", "treated": "arm", "covariates": ["x"]}
    with pytest.raises(EstimationError, match="matching cannot be weighted"):
        with_attrition_weights(lost(1), "matching", **told)
    with pytest.raises(EstimationError, match="name what tells who was lost"):
        with_attrition_weights(lost(1), "difference", outcome="y", treated="arm")
    with pytest.raises(EstimationError, match="one row per person"):
        with_attrition_weights(lost(1), "did", time="x", **told)


# ------------------------------------------------------------------ bounds


def test_lees_bounds_by_hand():
    # 8 of 10 treated read, 6 of 10 others: a quarter of the treated, two people, are set aside.
    people = pd.DataFrame({"arm": [1] * 10 + [0] * 10})
    people["y"] = [1, 2, 3, 4, 5, 6, 7, 20, np.nan, np.nan] + [1, 2, 3, 4, 5, 6] + [np.nan] * 4
    found = attrition_bounds(people, outcome="y", treated="arm")
    assert (found.low, found.high) == pytest.approx((3.5 - 3.5, (3 + 4 + 5 + 6 + 7 + 20) / 6 - 3.5))
    assert found.trimmed == pytest.approx(0.25)
    turned = attrition_bounds(people.assign(arm=1 - people["arm"]), outcome="y", treated="arm")
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))
    assert "read in either arm" in found.on


def test_lees_standard_error_follows_his_formula():
    random = np.random.default_rng(3)
    n = 400
    y, arm = random.normal(size=2 * n), np.repeat([1, 0], n)
    read = np.concatenate([np.arange(n) < 320, np.arange(n) < 240])
    found = attrition_bounds(pd.DataFrame({"y": np.where(read, y, np.nan), "arm": arm}), outcome="y", treated="arm")
    p, kept = 0.25, np.sort(y[:320])[:240]  # the lower bound keeps the lowest three quarters
    cut, mean = kept[-1], kept.mean()
    own = kept.var() / (320 * (1 - p)) + (cut - mean) ** 2 * p / (320 * (1 - p))
    share = (cut - mean) ** 2 * ((1 - 0.8) / (0.8 * n) + (1 - 0.6) / (0.6 * n))
    other = y[400:640].var() / 240
    assert found.low_se == pytest.approx(math.sqrt(own + share + other), rel=0.01)


def test_lees_interval_covers_the_ends_of_what_is_possible():
    # Read in either arm: 60 %; with the programme 80 %, so a quarter of the treated is set aside, whoever they are.
    cut = stats.norm.ppf(0.75)
    low, high = 1 - stats.norm.pdf(cut) / 0.75, 1 + stats.norm.pdf(cut) / 0.75
    covered = []
    for seed in range(200):
        random = np.random.default_rng([seed, 1])
        arm = random.permutation(np.repeat([1, 0], 200))
        y = np.where(random.uniform(size=400) < np.where(arm == 1, 0.8, 0.6), random.normal(size=400) + arm, np.nan)
        found = attrition_bounds(pd.DataFrame({"arm": arm, "y": y}), outcome="y", treated="arm")
        covered.append((found.interval_low <= low, high <= found.interval_high))
    assert np.mean(covered, axis=0).min() >= 0.91
    assert np.mean([all(one) for one in covered]) <= 0.99


def test_strata_that_tell_the_outcome_tighten_lees_bounds():
    random = np.random.default_rng(8)
    arm, place = random.permutation(np.repeat([1, 0], 4000)), random.integers(0, 2, 8000)
    y = 10.0 * place + arm + random.normal(size=8000)
    y = np.where(random.uniform(size=8000) < np.where(arm == 1, 0.9, 0.7), y, np.nan)
    frame = pd.DataFrame({"arm": arm, "place": place, "y": y})
    loose = attrition_bounds(frame, outcome="y", treated="arm")
    tight = attrition_bounds(frame, outcome="y", treated="arm", strata="place")
    assert loose.low < tight.low < 1 < tight.high < loose.high
    assert tight.high - tight.low < 0.5 * (loose.high - loose.low)


def test_manskis_bounds_give_the_lost_the_ends_of_what_is_possible():
    people = pd.DataFrame({"arm": [1] * 10 + [0] * 10, "y": [1.0] * 6 + [0] * 2 + [np.nan] * 2 + [1.0] * 3 + [0] * 7})
    found = attrition_bounds(people, outcome="y", treated="arm", kind="manski")
    assert (found.low, found.high) == pytest.approx((0.6 - 0.3, 0.8 - 0.3))
    worst = attrition_bounds(people, outcome="y", treated="arm", kind="worst case")
    assert worst.low == worst.high == pytest.approx(0.3)
    adverse = attrition_bounds(people, outcome="y", treated="arm", kind="worst case", better="lower")
    assert adverse.low == pytest.approx(0.5)


def test_a_score_needs_the_ends_of_its_scale():
    people = pd.DataFrame({"arm": [1, 1, 1, 0, 0, 0], "y": [10.0, 20, None, 10, 10, None]})
    told = {"outcome": "y", "treated": "arm", "kind": "manski"}
    with pytest.raises(EstimationError, match="what the scale allows"):
        attrition_bounds(people, **told)
    found = attrition_bounds(people, **told, lowest=0, highest=40)
    assert (found.low, found.high) == pytest.approx((10 - 20, 70 / 3 - 20 / 3))
    with pytest.raises(EstimationError, match="lie outside"):
        attrition_bounds(people, **told, lowest=0, highest=15)


def test_the_interval_between_bounds_lies_between_one_sided_and_two_sided():
    one, two = stats.norm.ppf(0.95), stats.norm.ppf(0.975)
    for apart in (0.0, 0.5, 1.0, 3.0, 20.0):
        low, high = imbens_manski((0.0, apart), (1.0, 1.0), 0.95)
        c = -low
        assert one - 1e-9 <= c <= two + 1e-9
        assert stats.norm.cdf(c + apart) - stats.norm.cdf(-c) == pytest.approx(0.95, abs=1e-6)
        assert high == pytest.approx(apart + c)


def test_bounds_say_what_they_take_for_granted_and_show_no_person():
    found = attrition_bounds(lost(1), outcome="y", treated="arm", randomised=False)
    assert any("in one direction only" in flag.detail for flag in found.flags)
    assert any(flag.level == "serious" for flag in found.flags)
    assert "Bounds(lee" in repr(found)
    assert "p17" not in found._repr_html_()
    with pytest.raises(EstimationError, match='Did you mean "lee"'):
        attrition_bounds(lost(1), outcome="y", treated="arm", kind="le")
