"""Synthetic control: weights on the outcome's path, ranks among all areas, and the effects that the rank allows."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from evalkit import counterfactual as cf
from evalkit.counterfactual.areas.donors import donor_weights
from evalkit.counterfactual.areas.grid import Grid
from evalkit.counterfactual.areas.placebos import interval_of_rank, run_placebos
from evalkit.counterfactual.areas.reruns import leave_one_donor_out, placebo_date
from evalkit.errors import EstimationError

COLUMNS = {"outcome": "y", "treated": "on", "time": "year", "unit": "area"}


def areas(seed=1, units=12, before=14, after=5, effect=0.0, treated=1):
    """Areas that share two moving causes; the first of them are treated."""
    random = np.random.default_rng([seed, 3])
    times = before + after
    causes = random.normal(size=(2, times)).cumsum(axis=1)
    y = 20 + 2 * random.normal(size=(units, 1)) + random.normal(size=(units, 2)) @ causes
    y = y + random.normal(size=(units, times))
    y[:treated, before:] += effect
    names = [f"area {i:02d}" for i in range(units)]
    frame = pd.DataFrame(y, index=names, columns=range(2000, 2000 + times)).stack().rename("y").reset_index()
    frame.columns = ["area", "year", "y"]
    frame["on"] = (frame["area"].isin(names[:treated]) & (frame["year"] >= 2000 + before)).astype(int)
    return frame


def run(frame, **options):
    return cf.estimate(frame, "synthetic control", **COLUMNS, **options)


def ranked(frame, treated=1):
    """The placebos of a drawn panel, without the rest of the estimate."""
    y = frame.pivot(index="area", columns="year", values="y")
    start = int((frame["on"] == 0).groupby(frame["year"]).all().sum())
    treats = np.arange(len(y)) < treated
    return run_placebos(Grid(y.to_numpy(), y.index.to_numpy(), y.columns.to_numpy(), treats, start), 200, 1)


def texts(found):
    return " ".join(f"{flag.text} {flag.detail}" for flag in found.flags)


# ---------------------------------------------------- Abadie, Diamond and Hainmueller (2010), Proposition 99: V7


@pytest.fixture
def prop99(beside):
    frame = pd.read_csv(beside("counterfactual/prop99.csv"))
    columns = {"outcome": "PacksPerCapita", "treated": "treated", "time": "Year", "unit": "State"}
    return frame, columns


def test_v7_abadie_diamond_hainmueller_effect_fit_and_weights(prop99):
    frame, columns = prop99
    found = cf.estimate(frame, "synthetic control", **columns)
    about = found.diagnostics
    assert found.effect == pytest.approx(-19.51363, abs=1e-4)
    assert about["gap"].loc[2000] == pytest.approx(-26.5966, abs=1e-3)
    assert about["rmspe_before"] == pytest.approx(1.656400, abs=1e-5)
    assert about["rmspe_ratio"] == pytest.approx(12.43997, abs=1e-4)
    assert about["did"] == pytest.approx(-27.3491, abs=1e-4)
    weights = {"Utah": 0.3939, "Montana": 0.2318, "Nevada": 0.2049, "Connecticut": 0.1091}
    weights |= {"New Hampshire": 0.0454, "Colorado": 0.0148}
    heavy = about["donor_weights"][about["donor_weights"] > 1e-4]
    assert heavy.to_dict() == pytest.approx(weights, abs=1e-4)
    assert about["donor_weights"].sum() == pytest.approx(1)


def test_v7_abadie_diamond_hainmueller_rank(prop99):
    frame, columns = prop99
    found = cf.estimate(frame, "synthetic control", **columns)
    assert (found.diagnostics["placebo_rank"], found.diagnostics["n_placebos"]) == (3, 38)
    assert found.p == found.diagnostics["placebo_p"] == pytest.approx(3 / 39)
    assert math.isnan(found.se)
    assert found.low < 0 < found.high  # p is above .05
    narrow = cf.estimate(frame, "synthetic control", level=0.9, **columns)
    assert narrow.low < found.effect < narrow.high < 0  # and below .1


# ---------------------------------------------------------------------------------------- the mix of donors


def test_the_weights_solve_the_quadratic_programme():
    random = np.random.default_rng(4)
    donors, path = random.normal(size=(6, 9)), random.normal(size=9)
    weights = donor_weights(path, donors)
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1)

    def loss(w):
        return float(((path - w @ donors) ** 2).sum())

    rule = {"type": "eq", "fun": lambda w: w.sum() - 1}
    peer = minimize(loss, np.full(6, 1 / 6), bounds=[(0, 1)] * 6, constraints=rule, tol=1e-14)
    assert loss(weights) <= peer.fun + 1e-8
    assert weights == pytest.approx(peer.x, abs=1e-4)


def test_no_other_mix_does_better_at_the_solution():
    random = np.random.default_rng(5)
    donors, path = random.normal(size=(20, 12)), 0.7 + random.normal(size=12)
    weights = donor_weights(path, donors)
    slope = -2 * donors @ (path - weights @ donors)
    # At the optimum no donor's slope lies below that of the donors in use, which all share one.
    used = weights > 1e-9
    assert np.ptp(slope[used]) < 1e-6
    assert slope.min() > slope[used].max() - 1e-6


def test_where_many_mixes_fit_the_most_even_one_is_taken():
    donors = np.array([[0.0, 0.0], [2.0, 2.0], [0.0, 0.0], [2.0, 2.0]])
    assert donor_weights(np.array([1.0, 1.0]), donors) == pytest.approx([0.25] * 4, abs=1e-6)


def test_weights_do_not_depend_on_the_order_or_unit_of_the_donors():
    random = np.random.default_rng(6)
    donors, path = random.normal(size=(30, 8)), random.normal(size=8)
    order = random.permutation(30)
    given = donor_weights(path, donors)
    assert donor_weights(path, donors[order]) == pytest.approx(given[order], abs=1e-7)
    assert donor_weights(1e6 * path + 5, 1e6 * donors + 5) == pytest.approx(given, abs=1e-6)


# ------------------------------------------------------------------------------------------------- contract


def test_it_recovers_a_known_effect():
    found = [run(areas(seed, effect=4.0)).effect for seed in range(40)]
    assert np.mean(found) == pytest.approx(4, abs=3 * np.std(found) / np.sqrt(40))


def test_the_same_in_any_order_of_rows_and_the_table_is_left_alone():
    frame = areas(2, effect=1.0)
    before = frame.copy(deep=True)
    given, mixed = run(frame), run(frame.sample(frac=1, random_state=1))
    assert (given.effect, given.low, given.high, given.p) == (mixed.effect, mixed.low, mixed.high, mixed.p)
    pd.testing.assert_frame_equal(frame, before)


def test_it_scales_with_the_unit():
    frame = areas(3, units=20, effect=2.0)
    one, many = run(frame), run(frame.assign(y=1000 * frame["y"]))
    assert (many.effect, many.low, many.high) == pytest.approx((1000 * one.effect, 1000 * one.low, 1000 * one.high))
    assert many.p == one.p


def test_without_an_effect_the_rank_has_the_size_it_says():
    p = np.array([ranked(areas(seed, units=10)).rank / 10 for seed in range(200)])
    assert 0.05 <= (p <= 0.1 + 1e-9).mean() <= 0.15
    assert 0.42 <= (p <= 0.5 + 1e-9).mean() <= 0.58


def test_a_large_effect_is_ranked_first():
    found = [run(areas(seed, units=20, effect=25.0)) for seed in range(20)]
    assert np.mean([one.diagnostics["placebo_rank"] == 1 for one in found]) >= 0.9
    assert min(one.p for one in found) == pytest.approx(1 / 20)


def test_the_interval_covers_a_constant_effect():
    found = [interval_of_rank(ranked(areas(seed, units=20, effect=2.0)), 0.95) for seed in range(120)]
    assert np.mean([one.low <= 2 <= one.high for one in found]) >= 0.9
    assert np.mean([math.isfinite(one.high - one.low) for one in found]) > 0.7


def test_the_interval_holds_the_effects_that_ranking_again_does_not_reject():
    frame = areas(14, units=12, before=12, after=8, effect=1.5)
    found = run(frame, level=0.8)
    for effect, inside in ((found.low - 0.01, False), (found.low + 0.01, True), (found.high - 0.01, True)):
        lowered = frame.assign(y=frame["y"] - effect * frame["on"])
        assert (run(lowered, level=0.8).p > 0.2 + 1e-9) == inside


def test_several_areas_with_one_start_are_ranked_among_sets_of_as_many():
    found = run(areas(5, units=8, treated=2, effect=30.0))
    assert (found.n_treated, found.n_comparison) == (2, 6)
    assert found.diagnostics["n_placebos"] == math.comb(8, 2) - 1
    assert found.diagnostics["placebo_rank"] == 1
    assert "plain average" in texts(found)
    drawn = run(areas(5, units=20, treated=4, effect=30.0), draws=99, seed=4)
    assert drawn.diagnostics["n_placebos"] == 99
    assert drawn.p == run(areas(5, units=20, treated=4, effect=30.0), draws=99, seed=4).p


def test_several_treated_areas_keep_the_size():
    p = np.array([ranked(areas(seed, units=8, treated=2), 2).rank / 28 for seed in range(120)])
    assert 0.02 <= (p <= 0.1).mean() <= 0.16


def test_diagnostics_hold_what_a_figure_needs():
    about = run(areas(6)).diagnostics
    assert list(about["series"].columns) == ["time", "observed", "counterfactual"]
    gap = (about["series"]["observed"] - about["series"]["counterfactual"]).to_numpy()
    assert gap == pytest.approx(about["gap"].to_numpy())
    assert about["placebo_gaps"].shape == (19, 11)
    assert (about["n_before"], about["n_after"], about["start"]) == (14, 5, 2014)


# ---------------------------------------------------------------------------------- what cannot be supported


def test_treatment_that_switches_off_is_named():
    frame = areas(7)
    frame.loc[(frame["area"] == "area 00") & (frame["year"] == 2016), "on"] = 0
    with pytest.raises(EstimationError, match=r"switches off in area 00 \(at 2016\)"):
        run(frame)


def test_an_area_treated_from_the_first_time_is_named():
    frame = areas(7)
    frame["on"] = (frame["area"] == "area 00").astype(int)
    with pytest.raises(EstimationError, match=r"area 00 is treated from the first time \(2000\)"):
        run(frame)


def test_different_starts_are_sent_to_staggered_did():
    frame = areas(7)
    frame.loc[(frame["area"] == "area 01") & (frame["year"] >= 2016), "on"] = 1
    with pytest.raises(EstimationError, match=r"\(2014 and 2016\)\. Use \"staggered did\""):
        run(frame)


def test_a_treated_area_with_a_gap_is_refused_and_a_donor_with_one_left_out():
    frame = areas(8)
    with pytest.raises(EstimationError, match="treated area 00 has no value at 2003"):
        run(frame[~((frame["area"] == "area 00") & (frame["year"] == 2003))])
    found = run(frame[~((frame["area"] == "area 04") & (frame["year"] == 2003))])
    assert found.diagnostics["left_out_units"] == ("area 04",)
    assert "1 of 11 comparison areas lack a value" in texts(found)
    assert found.n_comparison == 10


def test_no_donor_without_gaps_is_an_error_that_says_when_they_lack_values():
    frame = areas(8)
    with pytest.raises(
        EstimationError, match="none of the 11 comparison areas has a value at every time; 11 lack one at 2003"
    ):
        run(frame[(frame["area"] == "area 00") | (frame["year"] != 2003)])
    with pytest.raises(EstimationError, match="every area is treated"):
        run(areas(8, units=3, treated=3))


def test_one_donor_gives_the_gap_to_it_and_no_p():
    found = run(areas(9, units=2))
    assert math.isnan(found.p)
    assert math.isnan(found.low)
    assert "one comparison area only" in texts(found)
    assert np.isfinite(found.effect)


def test_too_few_areas_for_the_level_give_no_interval():
    found = run(areas(9, units=10))
    assert math.isnan(found.low)
    assert "There is no 95% interval" in texts(found)
    assert found.p >= 0.1


def test_a_poor_fit_and_an_area_beyond_all_others_are_flagged():
    frame = areas(10)
    frame.loc[frame["area"] == "area 00", "y"] += 100
    found = run(frame)
    assert "does not follow the treated area closely" in texts(found)
    assert "lies outside the range" in texts(found)
    assert "All weight is on one comparison area" in texts(found)
    assert {flag.level for flag in found.flags if "closely" in flag.text} == {"serious"}


def test_perfect_fits_are_ranked_by_their_gap_after():
    frame = areas(11, units=30, before=3)
    found = run(frame)
    assert "fitted without any gap before" in texts(found)
    assert "only 3 times before the start" in texts(found)
    assert 0 < found.p <= 1


def test_an_effect_that_changes_too_much_for_any_constant_one_is_said():
    frame = areas(12, units=20, effect=0.0)
    rising = frame["on"] * (frame["year"] - 2014) * 40
    found = run(frame.assign(y=frame["y"] + rising))
    assert found.p == pytest.approx(1 / 20)
    assert math.isnan(found.low)
    assert "no effect that is the same at every time" in texts(found)


def test_rows_without_a_place_and_outcomes_without_variation_are_refused():
    frame = areas(1)
    with pytest.raises(EstimationError, match=r"1 rows have no time \(\"year\"\)"):
        run(frame.assign(year=frame["year"].where(frame.index != 3)))
    with pytest.raises(EstimationError, match=r"1 rows have no unit \(\"area\"\)"):
        run(frame.assign(area=frame["area"].where(frame.index != 30)))
    with pytest.raises(EstimationError, match="the same everywhere and always"):
        run(frame.assign(y=1.0))
    assert "clusters named are not used" in texts(run(frame, cluster="area"))


def test_missing_columns_are_asked_for():
    with pytest.raises(EstimationError, match="needs the column that names the unit"):
        cf.estimate(areas(1), "synthetic control", outcome="y", treated="on", time="year")


# ---------------------------------------------------------------------------------------------- sensitivity


def test_leaving_out_a_donor_equals_estimating_without_its_rows():
    frame = areas(13, effect=3.0)
    table = leave_one_donor_out(frame, **COLUMNS)
    donor = table.index[0]
    assert table["effect"].iloc[0] == pytest.approx(run(frame[frame["area"] != donor]).effect, rel=1e-9)
    assert (table["weight"].diff().dropna() <= 0).all()
    with pytest.raises(EstimationError, match="has no donors to leave out"):
        leave_one_donor_out(frame, "interrupted time series", **COLUMNS)


def test_a_placebo_date_uses_only_what_was_before():
    frame = areas(13, effect=50.0)
    table = placebo_date(frame, "synthetic control", [2008, 2011], **COLUMNS)
    changed = placebo_date(frame.assign(y=frame["y"] + 99 * frame["on"]), "synthetic control", [2008, 2011], **COLUMNS)
    pd.testing.assert_frame_equal(table, changed)
    assert table["n_before"].tolist() == [8, 11]
    assert table["effect"].abs().max() < 10
    with pytest.raises(EstimationError, match=r"before the start \(2014\); 2016 does not"):
        placebo_date(frame, "synthetic control", [2016], **COLUMNS)
    with pytest.raises(EstimationError, match="has no start that could be moved"):
        placebo_date(frame, "ols", [2008], **COLUMNS)


def test_the_interval_of_the_rank_agrees_with_ranking_on_a_fine_grid():
    placebos = ranked(areas(15, units=12, before=12, after=8, effect=1.0))
    found = interval_of_rank(placebos, 0.8)
    effects = np.linspace(-60, 60, 4801)
    gaps = placebos.gaps[:, 12:, None] - placebos.pull[:, None, None] * effects
    ratio = (gaps**2).mean(axis=1) / placebos.before[:, None] ** 2
    kept = effects[(ratio >= ratio[0]).mean(axis=0) > 0.2 + 1e-9]
    assert kept.min() == pytest.approx(found.low, abs=0.05)
    assert kept.max() == pytest.approx(found.high, abs=0.05)
