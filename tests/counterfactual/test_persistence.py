"""Whether an effect lasts: by occasion, how it fades, and what share is lost each year."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from evalkit.counterfactual import estimate
from evalkit.counterfactual.deadweights import fieller
from evalkit.counterfactual.many.fading import drop_off_of, fade_of, stated_drop_off
from evalkit.counterfactual.many.persistence import persistence
from evalkit.errors import EstimationError, StudyError

ABOUT = {"treated": "treated", "person": "person"}
TIMES = {"y_6m": 0.5, "y_12m": 1.0, "y_24m": 2.0}


def people(seed=1, effects=(0.9, 0.8, 0.56), n=300, lost=0.0):
    random = np.random.default_rng(seed)
    treated, level = random.integers(0, 2, n), random.normal(size=n)
    frame = pd.DataFrame({"person": [f"p{i}" for i in range(n)], "treated": treated})
    for place, (name, effect) in enumerate(zip(TIMES, effects, strict=True)):
        y = level + effect * treated + 0.7 * random.normal(size=n)
        frame[name] = np.where(random.uniform(size=n) < lost * place, np.nan, y)
    return frame


def rows(frame):
    long = frame.melt(["person", "treated"], list(TIMES), "name", "y")
    return long.assign(years=long["name"].map(TIMES))


def test_each_occasion_is_the_estimate_from_its_own_column():
    frame = people()
    found = persistence(frame, "difference", outcomes=TIMES, ends=1.0, **ABOUT).table
    assert found["time"].tolist() == [0.5, 1.0, 2.0]
    assert found["after_end"].tolist() == [False, True, True]
    alone = estimate(frame, "difference", outcome="y_24m", **ABOUT)
    row = found.iloc[2]
    assert (row["effect"], row["se"], row["p"], row["n"]) == pytest.approx((alone.effect, alone.se, alone.p, 300))


def test_columns_rows_and_tables_say_the_same():
    frame = people(lost=0.1)
    wide = persistence(frame, "difference", outcomes=TIMES, ends=1.0, **ABOUT)
    long = persistence(rows(frame), "difference", occasions="years", ends=1.0, outcome="y", **ABOUT)
    parts = {name: frame[["person", "treated", name]].rename(columns={name: "y"}) for name in TIMES}
    tables = persistence(parts, "difference", occasions=TIMES, ends=1.0, outcome="y", **ABOUT)
    for other in (long, tables):
        assert other.table["effect"].tolist() == pytest.approx(wide.table["effect"].tolist())
        assert other.fade.low == pytest.approx(wide.fade.low)
        assert other.drop_off.high == pytest.approx(wide.drop_off.high)


def test_the_change_of_two_occasions_of_the_same_people_is_the_effect_on_their_change():
    frame = people()
    found = persistence(frame, "difference", outcomes={"y_12m": 1.0, "y_24m": 2.0}, ends=1.0, **ABOUT)
    change = estimate(frame.assign(d=frame["y_24m"] - frame["y_12m"]), "difference", outcome="d", **ABOUT)
    assert (found.fade.value, found.fade.p) == pytest.approx((change.effect, change.p))
    assert (found.fade.low, found.fade.high) == pytest.approx((change.low, change.high))


def test_two_occasions_a_year_apart_give_fiellers_interval():
    effects, covariance = np.array([0.8, 0.5]), np.array([[0.01, 0.004], [0.004, 0.012]])
    found = drop_off_of(effects, covariance, np.array([1.0, 2.0]), (0.95, 100))
    low, high = fieller(0.5, 0.8, covariance[::-1, ::-1], stats.t.ppf(0.975, 100))
    assert (found.value, found.low, found.high) == pytest.approx((1 - 0.5 / 0.8, 1 - high, 1 - low), abs=1e-7)


def test_half_a_year_is_taken_to_a_year():
    effects, covariance = np.array([0.8, 0.6]), np.diag([0.005, 0.005])
    year = drop_off_of(effects, covariance, np.array([0.0, 1.0]), (0.95, 50))
    half = drop_off_of(effects, covariance, np.array([0.0, 0.5]), (0.95, 50))
    for name in ("value", "low", "high"):
        assert 1 - getattr(half, name) == pytest.approx((1 - getattr(year, name)) ** 2, abs=1e-7)


def test_three_occasions_on_one_curve_give_its_rate():
    effects = 0.9 * 0.7 ** np.array([0.0, 0.5, 3.0])
    found = drop_off_of(effects, np.diag([1e-4] * 3), np.array([1.0, 1.5, 4.0]), (0.95, 200))
    assert found.value == pytest.approx(0.3, abs=1e-6)
    assert found.low < 0.3 < found.high


def test_a_drop_off_that_is_not_bounded_is_said_to_be():
    found = drop_off_of(np.array([0.3, 0.4]), np.diag([0.04, 0.04]), np.array([0.0, 1.0]), (0.95, 100))
    assert (found.low, found.high) == (-math.inf, math.inf)
    assert "not bounded" in found.says


def test_a_negative_effect_drops_off_as_a_positive_one_does():
    covariance = np.array([[0.01, 0.004], [0.004, 0.012]])
    up = drop_off_of(np.array([0.8, 0.5]), covariance, np.array([1.0, 2.0]), (0.95, 100))
    down = drop_off_of(np.array([-0.8, -0.5]), covariance, np.array([1.0, 2.0]), (0.95, 100))
    assert (up.value, up.low, up.high) == pytest.approx((down.value, down.low, down.high))


def test_intervals_of_fade_and_drop_off_cover():
    found = [
        persistence(people(seed, lost=0.1), "difference", outcomes=TIMES, ends=1.0, **ABOUT) for seed in range(120)
    ]
    fades = np.mean([one.fade.low <= 0.56 - 0.8 <= one.fade.high for one in found])
    offs = np.mean([one.drop_off.low <= 0.3 <= one.drop_off.high for one in found if one.drop_off is not None])
    assert sum(one.drop_off is not None for one in found) > 112
    assert 0.89 < fades < 0.995
    assert 0.89 < offs < 0.995


def test_without_enough_data_there_is_no_drop_off_but_a_reason():
    frame = people()
    unsaid = persistence(frame, "difference", outcomes=TIMES, **ABOUT)
    assert unsaid.drop_off is None
    assert "when the programme ended was not said" in unsaid.why_no_drop_off
    late = persistence(frame, "difference", outcomes=TIMES, ends=2.0, **ABOUT)
    assert "fewer than two occasions" in late.why_no_drop_off
    nothing = persistence(people(3, (0, 0, 0)), "difference", outcomes=TIMES, ends=1.0, **ABOUT)
    assert "cannot be told apart from none" in nothing.why_no_drop_off
    assert any("stated_drop_off" in flag.detail for flag in nothing.flags)


def test_without_ids_the_interval_of_the_change_is_the_widest_it_may_be():
    frame = people()
    parts = {1.0: frame[["treated", "y_12m"]].set_axis(["treated", "y"], axis=1),
             2.0: frame[["treated", "y_24m"]].set_axis(["treated", "y"], axis=1)}  # fmt: skip
    found = persistence(parts, "difference", ends=1.0, outcome="y", treated="treated")
    known = persistence(frame, "difference", outcomes={"y_12m": 1.0, "y_24m": 2.0}, ends=1.0, **ABOUT)
    assert found.fade.value == pytest.approx(known.fade.value)
    assert found.fade.high - found.fade.low > known.fade.high - known.fade.low
    assert found.drop_off is None
    assert any("is not known" in flag.text for flag in found.flags)


def test_people_who_drop_out_are_counted_and_can_be_left_out():
    frame = people(lost=0.2)
    found = persistence(frame, "difference", outcomes=TIMES, ends=1.0, **ABOUT)
    assert found.table["n"].tolist() == frame[list(TIMES)].notna().sum().tolist()
    assert any("Not the same people" in flag.text for flag in found.flags)
    same = persistence(frame, "difference", outcomes=TIMES, ends=1.0, same_people=True, **ABOUT)
    assert same.table["n"].tolist() == [len(frame.dropna())] * 3
    assert not any("Not the same people" in flag.text for flag in same.flags)
    assert found.table["n"].iloc[0] == 300


def test_occasions_beyond_the_end_are_named():
    found = persistence(people(), "difference", outcomes=TIMES, ends=1.0, **ABOUT)
    assert [flag.text for flag in found.flags if "Beyond the end" in flag.text] == [
        "Beyond the end of the programme: y_24m."
    ]
    assert "Drop-off:" in found.says


def test_clusters_carry_the_joint_covariance():
    frame = people()
    frame["team"] = np.arange(300) % 25
    two = {"y_12m": 1.0, "y_24m": 2.0}
    found = persistence(frame, "difference", outcomes=two, ends=1.0, cluster="team", **ABOUT)
    influence = [estimate(frame, "difference", outcome=name, cluster="team", **ABOUT).influence for name in two]
    teams = frame.set_index("person")["team"]
    first, second = (one["effect"].groupby(teams.reindex(one.index)).sum() for one in influence)
    se = ((second - first) ** 2).sum() ** 0.5
    reach = (found.fade.high - found.fade.low) / 2
    df = persistence(frame, "difference", outcomes=two, cluster="team", **ABOUT)
    assert 1.96 * se < reach < 2.4 * se
    assert df.fade.low == pytest.approx(found.fade.low)


def test_a_stated_drop_off_needs_its_source():
    told = stated_drop_off(0.2, 0.1, 0.3, "Author (2020), table 2")
    assert (told.value, told.low, told.high, told.method) == (0.2, 0.1, 0.3, "stated")
    assert told.says == "20% a year (10% to 30%), as stated by Author (2020), table 2"
    with pytest.raises(StudyError, match="needs its source"):
        stated_drop_off(0.2, 0.1, 0.3, "")
    with pytest.raises(StudyError, match="low, value and high must stand in that order"):
        stated_drop_off(0.2, 0.3, 0.4, "x")
    with pytest.raises(StudyError, match="must be a share"):
        stated_drop_off(1.2, source="x")


def test_occasions_said_wrongly_are_errors():
    frame = people()
    with pytest.raises(EstimationError, match="say the occasions in one way"):
        persistence(frame, "difference", **ABOUT)
    with pytest.raises(EstimationError, match='Did you mean "y_12m"'):
        persistence(frame, "difference", outcomes={"y_12": 1.0, "y_24m": 2.0}, **ABOUT)
    with pytest.raises(EstimationError, match="two occasions have the same time"):
        persistence(frame, "difference", outcomes={"y_12m": 1.0, "y_24m": 1.0}, **ABOUT)
    with pytest.raises(EstimationError, match="fewer than two occasions are given"):
        persistence(frame, "difference", outcomes={"y_12m": 1.0}, **ABOUT)


def test_a_straight_line_weighs_occasions_alike():
    effects, times = np.array([1.0, 0.8, 0.3]), np.array([0.0, 1.0, 3.0])
    found = fade_of(effects, np.diag([0.01] * 3), np.full(3, 0.1), times, (0.95, np.inf))
    assert found.value == pytest.approx(np.polyfit(times, effects, 1)[0])
    assert found.high - found.value == pytest.approx(1.959964 * 0.1 / ((times - times.mean()) ** 2).sum() ** 0.5)


def test_the_table_is_left_alone_and_no_person_is_shown():
    frame = people(lost=0.1)
    before = frame.copy(deep=True)
    found = persistence(frame, "difference", outcomes=TIMES, ends=1.0, **ABOUT)
    pd.testing.assert_frame_equal(frame, before)
    assert "p17" not in repr(found) + found._repr_html_()


def test_effects_that_differ_by_a_constant_still_have_their_yearly_ratio():
    """1.2 and half a year later 0.6, whatever the sampling error: half in half a year is three quarters in a year."""
    random = np.random.default_rng(3)
    arm = np.tile([0, 1], 60)
    first = 1.2 * arm + random.normal(0, 0.4, 120)
    frame = pd.DataFrame({"id": np.arange(120), "arm": arm, "early": first, "late": first - 0.6 * arm})
    found = persistence(
        frame, "difference", outcomes={"early": 0.5, "late": 1.0}, ends=0.5, treated="arm", person="id"
    )  # fmt: skip
    early, late = found.table["effect"]
    assert found.drop_off.value == pytest.approx(1 - (late / early) ** 2, abs=1e-3)
