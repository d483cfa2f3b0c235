"""Units that start treatment at different times: published results, the contract, small panels, bad input."""

import numpy as np
import pandas as pd
import pytest

from evalkit import counterfactual as cf
from evalkit.errors import EstimationError
from evalkit.simulate.effect_panels import staggered_panel

COLUMNS = {"outcome": "y", "unit": "unit", "time": "time", "first_treated": "first_treated"}
MINIMUM_WAGE = {"outcome": "lemp", "unit": "countyreal", "time": "year", "first_treated": "first_treat"}


def run(frame, **options):
    return cf.estimate(frame, "staggered did", **COLUMNS, **options)


def texts(found):
    return " ".join(flag.text for flag in found.flags)


@pytest.fixture(scope="module")
def panel():
    return staggered_panel(80, 6, 2.0, seed=4)


# ------------------------------------------------- Callaway and Sant'Anna (2021), minimum wage and teen employment: V3


@pytest.fixture
def counties(beside):
    return pd.read_csv(beside("counterfactual/mpdta.csv"))


def test_callaway_sant_anna_the_four_aggregates(counties, grid):
    drawn = """
        aggregate | effect    | se
        simple    | -0.039951 | 0.01203
        group     | -0.031018 | 0.01245
        dynamic   | -0.077240 | 0.01996
        calendar  | -0.041700 | 0.01597
        """
    found = {
        kind: cf.estimate(counties, "staggered did", aggregate=kind, **MINIMUM_WAGE)
        for kind in ("simple", "group", "dynamic", "calendar")
    }
    grid(drawn, lambda row: found[row.aggregate].effect, "effect")
    grid(drawn, lambda row: found[row.aggregate].se, "se")
    assert found["simple"].effect == pytest.approx(-0.0399512752, abs=1e-9)
    assert found["simple"].se == pytest.approx(0.0120340128, abs=1e-9)
    beside = found["simple"].diagnostics["aggregates"]["effect"]
    assert all(beside[kind] == one.effect for kind, one in found.items())


def test_callaway_sant_anna_the_event_study_and_its_pre_test(counties):
    found = cf.estimate(counties, "staggered did", **MINIMUM_WAGE)
    table = found.diagnostics["event_study"].set_index("event_time")
    drawn = {
        -3: (0.0305067, 0.0150336),
        0: (-0.0199318, 0.0118264),
        1: (-0.0509574, 0.0168935),
        2: (-0.1372587, 0.0364357),
        3: (-0.1008114, 0.0343592),
    }
    for time, (effect, se) in drawn.items():
        assert table.loc[time, "effect"] == pytest.approx(effect, abs=1e-6)
        assert table.loc[time, "se"] == pytest.approx(se, abs=1e-5)
    assert found.diagnostics["pre_test_statistic"] == pytest.approx(7.791237, abs=1e-5)
    assert found.diagnostics["pre_test"] == pytest.approx(0.16812, abs=1e-5)
    assert found.diagnostics["pre_test_df"] == 5


def test_callaway_sant_anna_with_a_covariate_and_with_the_not_yet_treated(counties):
    adjusted = cf.estimate(counties, "staggered did", covariates=["lpop"], aggregate="simple", **MINIMUM_WAGE)
    assert (adjusted.effect, adjusted.se) == pytest.approx((-0.0417515, 0.0115029), abs=1e-5)
    assert adjusted.effect == pytest.approx(-0.0417515, abs=1e-6)
    later = cf.estimate(counties, "staggered did", comparison="not yet treated", **MINIMUM_WAGE)
    assert later.effect == pytest.approx(-0.0397636, abs=1e-6)
    assert later.se == pytest.approx(0.0120524, abs=1e-5)


def test_two_way_fixed_effects_stand_beside_with_their_warning(counties):
    found = cf.estimate(counties, "staggered did", **MINIMUM_WAGE).diagnostics["twfe"]
    assert (found["effect"], found["se"]) == pytest.approx((-0.036549, 0.013265), abs=1e-6)
    assert "wrong sign" in found["warning"]
    assert 0 < found["negative_weights"] < 1


def test_the_column_of_who_is_treated_may_be_given_too(counties):
    plain = cf.estimate(counties, "staggered did", **MINIMUM_WAGE)
    assert cf.estimate(counties, "staggered did", treated="treat", **MINIMUM_WAGE).effect == plain.effect


# ------------------------------------------------------------------------------------------------------- the contract


@pytest.mark.parametrize(("units", "draws"), [(200, 40), (20, 100)])
def test_it_recovers_a_known_effect_and_its_interval_covers_it(units, draws):
    found = [run(staggered_panel(units, 6, 2.0, seed)) for seed in range(draws)]
    effects = np.array([one.effect for one in found])
    assert abs(effects.mean() - 2.0) < 4 * effects.std() / np.sqrt(draws)
    assert 0.90 <= np.mean([one.low <= 2.0 <= one.high for one in found]) <= 0.995


def test_effects_that_grow_are_found_by_time_since_treatment():
    frame = staggered_panel(3000, 6, 1.0, seed=2, growth=0.5)
    found = run(frame, aggregate="dynamic")
    table = found.diagnostics["event_study"].set_index("event_time")["effect"]
    assert table.loc[[0, 1, 2, 3]].to_numpy() == pytest.approx([1.0, 1.5, 2.0, 2.5], abs=0.15)
    assert table.loc[[-3, -2, -1]].to_numpy() == pytest.approx([0, 0, 0], abs=0.15)
    assert found.effect == pytest.approx(1.75, abs=0.15)


def test_the_order_of_rows_does_not_matter_and_the_input_is_left_alone(panel):
    before = panel.copy(deep=True)
    given = run(panel, covariates=["x"])
    shuffled = run(panel.sample(frac=1, random_state=3).reset_index(drop=True), covariates=["x"])
    assert (given.effect, given.se, given.low, given.p) == (shuffled.effect, shuffled.se, shuffled.low, shuffled.p)
    pd.testing.assert_frame_equal(given.diagnostics["event_study"], shuffled.diagnostics["event_study"])
    pd.testing.assert_frame_equal(panel, before)


def test_it_scales_with_the_unit(panel):
    one, hundred = run(panel), run(panel.assign(y=panel["y"] * 100))
    assert (hundred.effect, hundred.se, hundred.low) == pytest.approx((100 * one.effect, 100 * one.se, 100 * one.low))
    assert hundred.p == pytest.approx(one.p)


def test_contributions_of_units_add_up_to_the_variance(panel):
    found = run(panel)
    assert len(found.influence) == 80
    assert np.sqrt((found.influence["effect"] ** 2).sum()) == pytest.approx(found.se)
    gap = found.influence["observed"] - found.influence["effect"] - found.influence["counterfactual"]
    assert gap.abs().max() < 1e-12


def test_without_covariates_the_effect_is_a_difference_of_changes():
    frame = staggered_panel(40, 4, 2.0, seed=3, cohorts=(3,), never=0.5)
    wide = frame.pivot(index="unit", columns="time", values="y")
    treated = frame.drop_duplicates("unit").set_index("unit")["first_treated"] == 3
    changes = wide[[3, 4]].mean(axis=1) - wide[2]
    by_hand = changes[treated].mean() - changes[~treated].mean()
    found = run(frame)
    assert found.effect == pytest.approx(by_hand)
    assert found.observed == pytest.approx(wide.loc[treated, [3, 4]].to_numpy().mean())
    assert found.counterfactual == pytest.approx(found.observed - by_hand)
    assert (found.n_treated, found.n_comparison) == (20, 20)


def test_clusters_coarser_than_the_unit_are_summed_before_squaring():
    frame = staggered_panel(80, 5, 2.0, seed=5)
    frame["district"] = "d" + (frame["unit"].str[1:].astype(int) % 16).astype(str)
    plain, found = run(frame), run(frame, cluster="district")
    home = frame.drop_duplicates("unit").set_index("unit")["district"]
    sums = plain.influence["effect"].groupby(home.reindex(plain.influence.index)).sum()
    assert found.effect == plain.effect
    assert found.se == pytest.approx(np.sqrt((sums**2).sum() * 16 / 15))
    assert found.n_clusters == 16
    assert found.df <= 15


def test_whole_districts_treated_together_have_fewer_degrees_of_freedom():
    districts = staggered_panel(16, 5, 2.0, seed=6)
    frame = pd.concat([districts.assign(district=districts["unit"], unit=districts["unit"] + end) for end in "abc"])
    found, alone = run(frame, cluster="district"), run(districts)
    assert found.effect == pytest.approx(alone.effect)
    assert found.high - found.low == pytest.approx(alone.high - alone.low)


def test_the_band_holds_all_times_at_once_and_is_wider_than_the_intervals(panel):
    found = run(panel, level=0.9)
    table = found.diagnostics["event_study"]
    assert found.diagnostics["band_level"] == 0.9
    assert ((table["band_low"] < table["low"]) & (table["band_high"] > table["high"])).all()


def test_deadweight_has_an_interval_from_the_units_themselves(panel):
    found = run(panel, values="amount")
    assert found.deadweight.value == pytest.approx(found.counterfactual / found.observed)
    assert found.deadweight.low < found.deadweight.value < found.deadweight.high
    score = run(panel, values="score").deadweight
    assert "improvement from baseline" in score.method


def test_dates_and_words_for_never_mean_what_numbers_and_zeros_do(panel):
    plain = run(panel)
    stamps = pd.to_datetime("2020-01-01") + pd.to_timedelta(91 * np.arange(7), unit="D")
    dated = panel.assign(time=stamps[panel["time"]])
    dated["first_treated"] = [stamps[one] if one else pd.NaT for one in panel["first_treated"]]
    worded = panel.assign(first_treated=[str(one) if one else "never" for one in panel["first_treated"]])
    infinite = panel.assign(first_treated=panel["first_treated"].replace(0, np.inf))
    empty = panel.assign(first_treated=panel["first_treated"].replace(0, np.nan))
    written = empty.assign(time=[str(7 + one) for one in panel["time"]], first_treated=empty["first_treated"] + 7)
    for other in (dated, worded, infinite, empty, written):
        assert run(other).effect == plain.effect


def test_times_may_begin_at_nought_or_below(panel):
    plain = run(panel).effect
    moved = panel.assign(time=panel["time"] - 3, first_treated=(panel["first_treated"] - 3.0))
    moved["first_treated"] = moved["first_treated"].where(panel["first_treated"] > 0)
    with pytest.raises(EstimationError, match="may mean never or the time 0"):
        run(moved.fillna({"first_treated": 0}))
    late = moved[panel["first_treated"] != 3]
    assert run(late).effect == run(panel[panel["first_treated"] != 3]).effect
    assert plain == pytest.approx(2, abs=1)


# ---------------------------------------------------------------------------------------------------------- bad input


def test_a_panel_with_gaps_keeps_units_seen_at_all_times_and_counts_the_others(panel):
    gaps = panel.copy()
    gaps.loc[[1, 2, 40], "y"] = np.nan
    found = run(gaps)
    lost = gaps.loc[[1, 2, 40], "unit"].unique()
    assert found.effect == run(panel[~panel["unit"].isin(lost)]).effect
    assert "2 of 80 units are left out because they lack an outcome" in texts(found)
    with pytest.raises(EstimationError, match="the panel has gaps: 2 of 80 units"):
        run(gaps, unbalanced="refuse")


def test_units_treated_from_the_first_time_on_are_left_out_with_a_flag(panel):
    always = panel.assign(first_treated=panel["first_treated"].where(panel["unit"] > "u0002", 1))
    found = run(always)
    assert "3 units were treated from the first time on and are left out" in texts(found)
    assert found.effect == run(panel[panel["unit"] > "u0002"]).effect


def test_treatment_that_is_switched_off_is_refused(panel):
    status = (panel["first_treated"] > 0) & (panel["time"] >= panel["first_treated"])
    run(panel.assign(on=status.astype(int)), treated="on")
    off = status & ~((panel["time"] == 6) & (panel["first_treated"] == 3))
    with pytest.raises(EstimationError, match="switched off"):
        run(panel.assign(on=off.astype(int)), treated="on")
    early = status | ((panel["time"] == 2) & (panel["first_treated"] == 5))
    with pytest.raises(EstimationError, match='treated before "first_treated" says so'):
        run(panel.assign(on=early.astype(int)), treated="on")
    twice = panel.assign(first_treated=panel["first_treated"].where(panel["time"] < 6, 0))
    with pytest.raises(EstimationError, match="more than one value"):
        run(twice)


def test_without_units_never_treated_the_not_yet_treated_must_be_asked_for():
    frame = staggered_panel(60, 6, 2.0, seed=7, cohorts=(3, 5), never=0.0)
    with pytest.raises(EstimationError, match='Use comparison = "not yet treated"'):
        run(frame)
    found = run(frame, comparison="not yet treated")
    assert "effects by cohort and time cannot be estimated" in texts(found)
    assert abs(found.effect - 2) < 1
    assert (found.n_treated, found.n_comparison) == (60, 30)
    clustered = run(
        frame.assign(home=frame["unit"].str[1:].astype(int) % 20), comparison="not yet treated", cluster="home"
    )
    assert np.isfinite(clustered.low)


def test_a_cohort_of_one_is_flagged_and_widens_the_interval():
    frame = staggered_panel(40, 6, 2.0, seed=8, cohorts=(4,), never=0.5)
    lone = frame.drop_duplicates("unit").query("first_treated == 4")["unit"].iloc[0]
    frame.loc[frame["unit"] == lone, "first_treated"] = 5
    found = run(frame)
    assert "1 of 2 cohorts are one unit each" in texts(found)
    alone = found.diagnostics["by_cohort"].set_index("first_treated")
    width = alone["high"] - alone["low"]
    assert width[5] > 2 * width[4]
    assert alone.loc[5, "se"] < alone.loc[4, "se"]  # the analytic error takes a cohort of one to be known exactly


def test_small_panels_say_that_the_interval_was_widened_and_the_smallest_are_refused():
    found = run(staggered_panel(20, 6, 2.0, seed=9))
    assert "Some cohorts are small" in texts(found)
    assert found.high - found.low > 2 * 2.1 * found.se
    assert found.diagnostics["pre_test_method"] == "F"
    with pytest.raises(EstimationError, match="7 units are too few"):
        run(staggered_panel(7, 4, 2.0, seed=9, cohorts=(3,), never=0.5))


def test_the_test_before_treatment_is_not_fooled_by_few_units():
    drawn = [run(staggered_panel(20, 6, 2.0, seed)).diagnostics for seed in range(40)]
    assert np.mean([one["pre_test"] < 0.05 for one in drawn]) <= 0.15
    assert np.mean([one["pre_test_chi_squared"] < 0.05 for one in drawn]) > 0.25
    lonely = run(staggered_panel(12, 6, 2.0, seed=2, cohorts=(4,), never=0.83))
    assert np.isnan(lonely.diagnostics["pre_test"])
    assert "too few units to test" in texts(lonely)


def test_trends_that_parted_before_treatment_are_a_serious_flag():
    frame = staggered_panel(200, 6, 0.0, seed=10)
    frame["y"] += 0.8 * frame["time"] * (frame["first_treated"] > 0)
    found = run(frame)
    assert found.diagnostics["pre_test"] < 0.001
    assert any(flag.level == "serious" and "parallel trends are in doubt" in flag.text for flag in found.flags)


def test_an_outcome_that_never_moves_has_effect_nought_and_no_interval(panel):
    found = run(panel.assign(y=5.0))
    assert found.effect == 0
    assert np.isnan(found.se)


def test_it_says_what_it_cannot_do(panel):
    with pytest.raises(EstimationError, match=r'comparison = "never" is not known. Did you mean.* never treated'):
        run(panel, comparison="never")
    with pytest.raises(EstimationError, match="no unit is treated after the first time"):
        run(panel.assign(first_treated=0))
    with pytest.raises(EstimationError, match="one time only"):
        run(panel[panel["time"] == 2])
    with pytest.raises(EstimationError, match="needs the time at which each unit was first treated"):
        cf.estimate(panel, "staggered did", **{**COLUMNS, "first_treated": None})
    with pytest.raises(EstimationError, match='neither a time nor "never"'):
        run(panel.assign(first_treated="soon"))
    with pytest.raises(EstimationError, match="is not known"):
        run(panel, unbalanced="fill")
