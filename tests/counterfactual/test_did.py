"""Before and after, with and without: published results, several times, and what cannot be compared."""

import numpy as np
import pandas as pd
import pytest

from evalkit import counterfactual as cf
from evalkit.errors import EstimationError


def run(frame, **options):
    return cf.estimate(frame, "did", **{"outcome": "y", "treated": "arm", "time": "t", "person": "id", **options})


def seen(times=6, people=60, after=4, trend=0.0, effect=2.0, seed=1):
    """People seen at several times, half of them treated from one of these on."""
    random = np.random.default_rng([seed, 5])
    frame = pd.DataFrame({"id": np.repeat(np.arange(people), times), "t": np.tile(np.arange(times), people)})
    frame["arm"] = frame["id"] % 2
    level = random.normal(0, 3, people)[frame["id"]]
    frame["y"] = level + frame["t"] + trend * frame["t"] * frame["arm"] + random.normal(size=len(frame))
    frame["y"] += effect * frame["arm"] * (frame["t"] >= after)
    return frame.assign(on=frame["arm"] * (frame["t"] >= after))


def texts(found):
    return " ".join(flag.text for flag in found.flags)


# ------------------------------------------------------------------ Card and Krueger (1994): V4; Proposition 99: V7


def test_card_krueger_minimum_wages(beside):
    frame = pd.read_csv(beside("counterfactual/card_krueger_long.csv"))
    told = {"outcome": "fte", "treated": "nj", "time": "wave", "person": "id"}
    everybody = cf.estimate(frame, "did", se="cr1s", **told)
    assert (everybody.effect, everybody.se) == pytest.approx((2.753606, 1.306607), abs=1e-5)
    assert everybody.observed == pytest.approx(21.0274, abs=1e-4)
    both = cf.estimate(frame, "did", balanced=True, **told)
    assert (both.effect, both.n_treated + both.n_comparison) == (pytest.approx(2.75, abs=1e-5), 384)
    assert both.se == pytest.approx(1.3423, abs=1e-4)


def test_proposition_99_as_a_block_before_and_after(beside):
    frame = pd.read_csv(beside("counterfactual/prop99.csv"))
    told = {"outcome": "PacksPerCapita", "treated": "treated", "time": "Year", "unit": "State"}
    found = cf.estimate(frame, "did", **told)
    assert found.effect == pytest.approx(-27.3491, abs=1e-3)
    assert (found.n_treated, found.n_comparison) == (1, 38)
    assert np.isnan([found.se, found.low, found.p]).all()
    assert "one person or place, so no interval" in texts(found)
    ranked = cf.estimate(frame, "did", se="permutation", **told)
    assert ranked.p * 39 == pytest.approx(round(ranked.p * 39))
    assert ranked.diagnostics["permutation"]["ways"] == 39


# ------------------------------------------------------------------ more than two times


def test_of_several_times_the_means_before_and_after_are_compared():
    frame = seen()
    means = frame.assign(late=frame["t"] >= 4).groupby(["arm", "late"])["y"].mean()
    change = means.xs(True, level="late") - means.xs(False, level="late")
    assert run(frame, post=4).effect == pytest.approx(change[1] - change[0])


def test_a_column_that_switches_on_says_which_times_come_after():
    frame = seen()
    one, other = run(frame, post=4), run(frame, treated="on", person=None, unit="id")
    assert (one.effect, one.se) == pytest.approx((other.effect, other.se))
    assert other.n_treated == 30


def test_with_readings_missing_people_and_times_have_levels_of_their_own():
    frame = seen().drop(index=[3, 40, 41, 200])
    found = run(frame, treated="on")
    x = np.column_stack([frame["on"], pd.get_dummies(frame["id"]), pd.get_dummies(frame["t"]).iloc[:, 1:]])
    peer = np.linalg.lstsq(x.astype(float), frame["y"].to_numpy(), rcond=None)[0][0]
    assert found.effect == pytest.approx(peer)
    assert "were not seen at every time and are kept" in texts(found)
    assert (
        run(frame, treated="on", balanced=True).n_treated + run(frame, treated="on", balanced=True).n_comparison == 57
    )


def test_people_who_moved_alike_before_pass_and_others_do_not():
    alike = [run(seen(seed=seed), post=4).diagnostics["pre_test"] for seed in range(100)]
    assert 0.0 <= np.mean(np.array(alike) < 0.05) <= 0.12
    apart = run(seen(trend=1.0), post=4)
    assert apart.diagnostics["pre_test"] < 0.001
    assert "did not move alike before" in texts(apart)


def test_effects_by_time_are_against_the_last_time_before():
    table = run(seen(), post=4).diagnostics["event_study"].set_index("relative")
    assert table.loc[-1, "effect"] == 0
    assert np.isnan(table.loc[-1, "se"])
    assert table.loc[0, "low"] < 2 < table.loc[0, "high"]
    assert list(table.index) == [-4, -3, -2, -1, 0, 1]


def test_two_times_have_no_test_of_what_went_before():
    found = run(seen(times=2, after=1))
    assert "pre_test" not in found.diagnostics
    assert found.low < 2 < found.high


def test_covariates_enter_the_change_when_asked():
    frame = seen(times=2, after=1, people=200)
    frame["x"] = np.random.default_rng(2).normal(size=200)[frame["id"]]
    frame["y"] += 3 * frame["x"] * frame["t"]
    plain, adjusted = run(frame, covariates=["x"]), run(frame, covariates=["x"], adjust=True)
    assert "those named are not used" in texts(plain)
    assert adjusted.se < 0.6 * plain.se
    assert adjusted.low < 2 < adjusted.high


# ------------------------------------------------------------------ times in words


@pytest.mark.parametrize(
    ("before", "after"), [("before", "after"), ("pre", "post"), ("wave 2", "wave 10"), ("2019-12-31", "2020-06-30")]
)
def test_words_for_times_are_put_in_their_order(before, after):
    frame = seen(times=2, after=1)
    named = frame.assign(t=frame["t"].map({0: before, 1: after}))
    assert run(named).effect == pytest.approx(run(frame).effect)


def test_words_that_have_no_order_are_not_guessed():
    frame = seen(times=2, after=1)
    named = frame.assign(t=frame["t"].map({0: "spring", 1: "autumn"}))
    with pytest.raises(EstimationError, match="cannot tell which of the times comes after"):
        run(named)
    assert run(named, post="autumn").effect == pytest.approx(run(frame).effect)


# ------------------------------------------------------------------ what cannot be compared


def test_treatment_that_starts_at_different_times_is_for_another_estimator():
    frame = seen()
    frame.loc[(frame["id"] == 1) & (frame["t"] == 3), "on"] = 1
    with pytest.raises(EstimationError, match=r'starts at 2 different times.*"staggered did"'):
        run(frame, treated="on")


def test_treatment_that_stops_or_was_always_there_is_refused():
    frame = seen()
    with pytest.raises(EstimationError, match="switches off again in 1 rows"):
        run(frame.assign(on=frame["on"].where((frame["id"] != 1) | (frame["t"] != 5), 0)), treated="on")
    with pytest.raises(EstimationError, match="1 units are treated from the first time on"):
        run(frame.assign(on=frame["on"].where(frame["id"] != 1, 1)), treated="on")


def test_several_times_without_a_word_of_which_come_after_are_refused():
    with pytest.raises(EstimationError, match=r"exactly two times, and the table has 6\. Say which come after"):
        run(seen())
    with pytest.raises(EstimationError, match="post leaves no time before"):
        run(seen(), post=0)
    with pytest.raises(EstimationError, match="post names no time of the table"):
        run(seen(), post="later")
