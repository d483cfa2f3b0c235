"""Interrupted time series: level and slope, offsets, seasons, events averted, and errors that are alike."""

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from evalkit import counterfactual as cf
from evalkit.counterfactual.areas.offsets import log_exposure
from evalkit.counterfactual.areas.reruns import placebo_date
from evalkit.errors import EstimationError

COLUMNS = {"outcome": "events", "treated": "law", "time": "month"}


def months(seed=1, n=60, start=36, ratio=0.8, alike=0.0, spread=0.08, level=200.0):
    """Monthly counts with a trend, a season, over-dispersion that may last, and a change of level."""
    random = np.random.default_rng([seed, 5])
    month = np.arange(1, n + 1)
    error = random.normal(0, spread, n)
    for place in range(1, n):
        error[place] = alike * error[place - 1] + math.sqrt(1 - alike**2) * error[place]
    law = (month > start).astype(int)
    season = 0.05 * np.sin(2 * np.pi * month / 12)
    mean = level * np.exp(0.004 * month + np.log(ratio) * law + season + error - spread**2 / 2)
    people = 50_000 + 20 * month
    return pd.DataFrame({"month": month, "law": law, "events": random.poisson(mean), "people": people})


def run(frame, **options):
    return cf.estimate(frame, "interrupted time series", **COLUMNS, **options)


def texts(found):
    return " ".join(f"{flag.text} {flag.detail}" for flag in found.flags)


# ------------------------------------------------- Lopez Bernal, Cummins and Gasparrini (2017), Sicily: V5


@pytest.fixture
def sicily(beside):
    frame = pd.read_csv(beside("counterfactual/sicily_its.csv"))

    def estimate(**options):
        columns = {"outcome": "aces", "treated": "smokban", "time": "time"}
        return cf.estimate(frame, "interrupted time series", **columns, **options)

    return estimate


def test_v5_lopez_bernal_level_change(sicily):
    found = sicily(offset="stdpop")
    assert found.scale == "ratio"
    assert found.effect == pytest.approx(0.894377, abs=1e-6)
    assert (found.low, found.high) == pytest.approx((0.8392, 0.9532), abs=5e-5)
    assert found.diagnostics["dispersion"] == pytest.approx(3.559195, abs=1e-5)
    assert found.diagnostics["interval_poisson"] == pytest.approx((0.8647, 0.9251), abs=5e-5)
    assert "holds amounts, not logarithms" in texts(found)


def test_v5_lopez_bernal_poisson_interval_is_flagged(sicily):
    found = sicily(exposure="stdpop", family="poisson")
    assert (found.low, found.high) == pytest.approx((0.8647, 0.9251), abs=5e-5)
    assert [flag.level for flag in found.flags if "Poisson interval supposes" in flag.text] == ["serious"]


def test_v5_lopez_bernal_with_seasons_and_events_averted(sicily):
    found = sicily(offset="stdpop", harmonics=2)
    about = found.diagnostics
    assert found.effect == pytest.approx(0.885072, abs=1e-6)
    assert (found.low, found.high) == pytest.approx((0.8394, 0.9332), abs=5e-5)
    assert about["dispersion"] == pytest.approx(2.262186, abs=1e-5)
    assert found.observed == 19723
    assert found.counterfactual == pytest.approx(22284.07, abs=0.01)
    assert about["averted"] == pytest.approx(2561.07, abs=0.01)
    assert about["averted_low"] == pytest.approx(19723 / found.high - 19723, rel=1e-9)
    assert about["averted_high"] == pytest.approx(19723 / found.low - 19723, rel=1e-9)
    assert (about["n_before"], about["n_after"]) == (36, 23)


def test_v5_lopez_bernal_level_and_slope(sicily):
    found = sicily(exposure="stdpop", harmonics=2, slope=True)
    assert found.effect == pytest.approx(0.876464, abs=1e-6)
    first = found.effect * found.diagnostics["slope"]
    assert found.diagnostics["effect_first"] == pytest.approx(first)
    assert "differs at every period after" in texts(found)


# ------------------------------------------------------------------------------------------ against a peer


def test_counts_equal_those_of_statsmodels():
    frame = months(2)
    found = run(frame, exposure="people")
    x = sm.add_constant(frame[["law", "month"]])
    peer = sm.GLM(frame["events"], x, family=sm.families.Poisson(), offset=np.log(frame["people"])).fit(scale="X2")
    assert found.effect == pytest.approx(np.exp(peer.params["law"]), rel=1e-8)
    assert found.diagnostics["terms"].loc["level", "se"] == pytest.approx(peer.bse["law"], rel=1e-8)
    assert found.p == pytest.approx(peer.pvalues["law"], rel=1e-6)


@pytest.mark.parametrize("se", ["quasi", "model"])
def test_amounts_equal_least_squares_with_students_t(se):
    frame = months(3)
    found = run(frame, family="gaussian", se=se)
    peer = sm.OLS(frame["events"], sm.add_constant(frame[["law", "month"]])).fit()
    assert (found.effect, found.se, found.df) == pytest.approx((peer.params["law"], peer.bse["law"], 57))
    assert (found.low, found.high) == pytest.approx(tuple(peer.conf_int().loc["law"]))
    assert (found.scale, found.observed - found.counterfactual) == ("difference", pytest.approx(found.effect))


def test_newey_west_equals_statsmodels():
    frame = months(4, alike=0.5)
    found = run(frame, family="gaussian", se="hac", lags=3)
    model = sm.OLS(frame["events"], sm.add_constant(frame[["law", "month"]]))
    peer = model.fit(cov_type="HAC", cov_kwds={"maxlags": 3, "use_correction": True}, use_t=True)
    assert (found.se, found.p) == pytest.approx((peer.bse["law"], peer.pvalues["law"]), rel=1e-8)


def test_a_covariate_is_in_the_model():
    frame = months(5)
    frame["rain"] = np.random.default_rng(1).normal(size=60)
    frame["events"] = np.random.default_rng(2).poisson(frame["events"] * np.exp(0.5 * frame["rain"]))
    found = run(frame, covariates=["rain"])
    x = sm.add_constant(frame[["law", "month", "rain"]])
    peer = sm.GLM(frame["events"], x, family=sm.families.Poisson()).fit(scale="X2")
    assert found.effect == pytest.approx(np.exp(peer.params["law"]), rel=1e-8)
    assert found.diagnostics["terms"].loc["rain", "estimate"] == pytest.approx(peer.params["rain"], rel=1e-6)


# ----------------------------------------------------------------------------------- offsets and exposures


def test_an_offset_of_logarithms_and_an_exposure_are_one():
    frame = months(6)
    frame["logged"] = np.log(frame["people"])
    one, two, three = run(frame, offset="logged"), run(frame, exposure="people"), run(frame, offset="people")
    assert one.effect == pytest.approx(two.effect, rel=1e-12)
    assert one.effect == pytest.approx(three.effect, rel=1e-12)
    assert "holds amounts" in texts(three)
    assert "holds amounts" not in texts(one) + texts(two)


def test_the_logarithm_of_a_column_may_be_written_out():
    frame = months(6)
    panel = SimpleNamespace(frame=frame, y=frame["events"].to_numpy())
    for written in ("log(people)", "np.log( people )"):
        values, flags = log_exposure(panel, written, None)
        assert values == pytest.approx(np.log(frame["people"]))
        assert flags == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"offset": "people", "exposure": "people"}, "both given"),
        ({"exposure": "peeple"}, 'exposure names "peeple"'),
        ({"family": "gaussian", "offset": "people"}, "has no offset"),
        ({"family": "poison"}, 'Did you mean "poisson"'),
        ({"harmonics": -1}, "whole number"),
        ({"harmonics": 7}, "more than half the period"),
        ({"period": 1}, "number of periods in one season"),
        ({"slope": "yes"}, "slope must be true or false"),
        ({"cluster": "people"}, "no clusters"),
        ({"se": "cr2"}, "not offered"),
    ],
)
def test_options_that_make_no_sense_are_named(options, told):
    with pytest.raises(EstimationError, match=told):
        run(months(1), **options)


def test_an_exposure_with_gaps_or_zeros_is_refused():
    frame = months(6)
    with pytest.raises(EstimationError, match="0 or negative in 2 periods"):
        run(frame.assign(people=frame["people"].where(frame["month"] > 2, 0)), exposure="people")
    with pytest.raises(EstimationError, match="missing in 1 periods"):
        run(frame.assign(people=frame["people"].where(frame["month"] > 1)), exposure="people")


# ------------------------------------------------------------------------------------------------ contract


def test_it_recovers_a_known_ratio_and_its_interval_covers_it():
    found = [run(months(seed), harmonics=1) for seed in range(100)]
    logs = np.log([one.effect for one in found])
    assert abs(logs.mean() - math.log(0.8)) < 3 * logs.std() / math.sqrt(100)
    assert 0.9 <= np.mean([one.low <= 0.8 <= one.high for one in found]) <= 0.99


def test_with_errors_that_last_the_flag_is_raised_and_ar1_covers_more_than_quasi():
    kinds = ("interval_quasi", "interval_ar1", "interval_hac")
    found = [run(months(seed, n=96, start=60, alike=0.6), harmonics=1) for seed in range(100)]
    covered = {kind: np.mean([a <= 0.8 <= b for a, b in (one.diagnostics[kind] for one in found)]) for kind in kinds}
    assert covered["interval_quasi"] < 0.9
    assert covered["interval_ar1"] > max(0.87, covered["interval_quasi"], covered["interval_hac"])
    flagged = np.mean(["Neighbouring errors are alike" in texts(one) for one in found])
    assert flagged > 0.6


@pytest.mark.parametrize("family", ["quasi-poisson", "gaussian"])
def test_clearly_related_errors_widen_the_plain_call_and_quasi_stays_on_request(family):
    lasting, own = months(21, n=96, start=60, alike=0.7), months(22, n=96, start=60)
    found, asked = run(lasting, harmonics=1, family=family), run(lasting, harmonics=1, family=family, se="quasi")
    assert found.diagnostics["se_kind"] == "ar1"
    assert (found.low, found.high) == pytest.approx(found.diagnostics["interval_ar1"])
    assert (asked.low, asked.high) == pytest.approx(found.diagnostics["interval_quasi"])
    assert found.high - found.low > 1.2 * (asked.high - asked.low)
    assert "the interval allows for it" in texts(found)
    assert "so the interval is too narrow" in texts(asked)
    plain, quasi = (run(own, harmonics=1, family=family, **se) for se in ({}, {"se": "quasi"}))
    assert plain.diagnostics["se_kind"] == "quasi"
    assert (plain.low, plain.high, plain.p) == (quasi.low, quasi.high, quasi.p)


def test_the_plain_call_covers_where_errors_last_and_quasi_does_not():
    found = [run(months(seed, n=96, start=60, alike=0.6), harmonics=1) for seed in range(200, 300)]
    plain = np.mean([one.low <= 0.8 <= one.high for one in found])
    quasi = np.mean([low <= 0.8 <= high for low, high in (one.diagnostics["interval_quasi"] for one in found)])
    assert plain > 0.85
    assert plain > quasi + 0.05


def test_without_errors_that_last_the_flag_is_rare_and_ar1_is_not_narrower():
    found = [run(months(seed), harmonics=1) for seed in range(60)]
    assert np.mean(["Neighbouring errors are alike" in texts(one) for one in found]) < 0.2
    for one in found:
        (low, high), (lower, higher) = one.diagnostics["interval_quasi"], one.diagnostics["interval_ar1"]
        assert higher - lower >= 0.99 * (high - low)


def test_the_same_in_any_order_of_rows_and_the_table_is_left_alone():
    frame = months(7)
    before = frame.copy(deep=True)
    given, mixed = run(frame, exposure="people"), run(frame.sample(frac=1, random_state=1), exposure="people")
    again = run(frame.sample(frac=1, random_state=2).reset_index(drop=True), exposure="people")
    assert (
        (given.effect, given.low, given.p) == (mixed.effect, mixed.low, mixed.p) == (again.effect, again.low, again.p)
    )
    pd.testing.assert_frame_equal(frame, before)


def test_it_scales_with_the_unit():
    frame = months(8)
    one, many = run(frame), run(frame.assign(events=1000.0 * frame["events"]))
    assert (many.effect, many.low, many.high) == pytest.approx((one.effect, one.low, one.high), rel=1e-8)
    one, many = run(frame, family="gaussian"), run(frame.assign(events=1e6 * frame["events"]), family="gaussian")
    assert (many.effect, many.se) == pytest.approx((1e6 * one.effect, 1e6 * one.se), rel=1e-8)


def test_months_may_be_numbers_dates_or_text():
    frame = months(9)
    dates = pd.date_range("2001-01-01", periods=60, freq="MS")
    wanted = run(frame, harmonics=2).effect
    written = {"dates": dates, "text": dates.strftime("%Y-%m"), "periods": dates.to_period("M")}
    written["fractions"] = np.round(2001 + np.arange(60) / 12, 2)
    for name, times in written.items():
        assert run(frame.assign(month=times), harmonics=2).effect == pytest.approx(wanted, rel=1e-9), name


def test_a_fall_in_events_is_deadweight_against_a_contract_baseline():
    found = run(months(10), values="amount", better="lower", contract_baseline=9000.0)
    share = (9000 - found.counterfactual) / (9000 - found.observed)
    assert found.deadweight.value == pytest.approx(share)
    assert found.deadweight.low < share < found.deadweight.high


def test_with_a_slope_the_counterfactual_is_that_of_all_periods_after():
    found = run(months(11), slope=True)
    series = found.diagnostics["series"]
    after = series["time"] > 36
    assert series.loc[after, "counterfactual"].sum() == pytest.approx(found.counterfactual)
    assert series.loc[after, "fitted"].sum() == pytest.approx(found.observed)
    assert series.loc[~after, "fitted"].to_numpy() == pytest.approx(series.loc[~after, "counterfactual"].to_numpy())
    assert found.diagnostics["averted_low"] < found.diagnostics["averted"] < found.diagnostics["averted_high"]


# ---------------------------------------------------------------------------------- what cannot be supported


def test_short_series_are_flagged_and_too_short_ones_refused():
    assert "The series is short: 6 periods before" in texts(run(months(1, n=12, start=6)))
    with pytest.raises(EstimationError, match="there are 2 periods before the start"):
        run(months(1, n=12, start=2))
    assert run(months(1, n=12, start=8)).df == 9  # Student's t in a short series


def test_seasons_from_fewer_than_two_rounds_are_flagged():
    found = run(months(1, n=40, start=20), harmonics=1)
    assert "fewer than two whole rounds" in texts(found)


def test_missing_and_repeated_periods():
    frame = months(12)
    found = run(frame[frame["month"] != 20])
    assert found.diagnostics["missing_periods"] == 1
    assert "Periods missing between the first and the last: 1." in texts(found)
    with pytest.raises(EstimationError, match="2 rows repeat a time"):
        run(pd.concat([frame, frame.head(2)]))
    with pytest.raises(EstimationError, match="not evenly spaced"):
        run(frame.assign(month=np.cumsum(np.random.default_rng(1).uniform(0.5, 2, 60))))


def test_treatment_that_switches_off_and_series_without_events():
    frame = months(13)
    with pytest.raises(EstimationError, match="switches off at 50"):
        run(frame.assign(law=frame["law"].where(frame["month"] != 50, 0)))
    with pytest.raises(EstimationError, match="no event at all before or after"):
        run(frame.assign(events=frame["events"].where(frame["law"] == 0, 0)))
    with pytest.raises(EstimationError, match="values are negative"):
        run(frame.assign(events=-frame["events"]))


def test_a_series_without_chance_is_refused():
    for family in ("poisson", "gaussian"):
        with pytest.raises(EstimationError, match="lies exactly on the model"):
            run(months(14).assign(events=5.0), family=family)


def test_terms_that_repeat_each_other_are_refused():
    frame = months(14)
    with pytest.raises(EstimationError, match="repeat each other"):
        run(frame.head(37), slope=True)
    with pytest.raises(EstimationError, match="repeat each other"):
        run(frame.assign(copy=frame["month"] * 2 + 1), covariates=["copy"])


def test_a_long_series_is_pointed_to_newey_west():
    frame = months(15, n=700, start=400, alike=0.6)
    frame["month"] = np.arange(700)
    assert 'Use se = "hac"' in texts(run(frame, se="quasi"))
    found, asked = run(frame), run(frame, se="hac")
    assert (found.low, found.high, found.diagnostics["se_kind"]) == (asked.low, asked.high, "hac")
    with pytest.raises(EstimationError, match="up to 600 periods"):
        run(frame, se="ar1")
    assert "too narrow in a series as short" in texts(run(months(15), se="hac"))


def test_placebo_dates_leave_out_everything_from_the_start_on():
    frame = months(16, n=60, start=40, ratio=0.3)
    table = placebo_date(frame, "interrupted time series", [13, 25], **COLUMNS)
    assert table["n_before"].tolist() == [12, 24]
    assert table["n_after"].tolist() == [28, 16]
    assert (table["effect"] > 0.7).all()
    labelled = frame.assign(law=np.where(frame["law"] == 1, "after", "before"))
    again = placebo_date(labelled, "interrupted time series", [13, 25], treated_is="after", **COLUMNS)
    pd.testing.assert_frame_equal(table, again)
