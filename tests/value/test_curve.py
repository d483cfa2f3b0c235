"""Turning the curve: forecasts with ranges, gaps that are never effects, tables as national statistics publish them."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from evalkit.errors import DataError, EstimationError, StudyError
from evalkit.report.html import plain
from evalkit.report.sections.curve import curve as section
from evalkit.study import read_study
from evalkit.value.area_series import read_area_series
from evalkit.value.curve import DAMPING, study_curves, turn_curve

DATA = Path(__file__).parents[1] / "data" / "domain" / "13_oba_turning_the_curve"
EXPECTED = json.loads((DATA / "expected.json").read_text(encoding="utf-8"))["expected"]


@pytest.fixture
def series():
    return pd.read_csv(DATA / "series.csv")


def a_series(values, first=2010):
    return pd.DataFrame({"year": range(first, first + len(values)), "rate": values})


# ---------------------------------------------------------------- re-referrals (acceptance 13)


@pytest.mark.parametrize("area", EXPECTED)
def test_trend_forecast_gap_and_residual_sd_are_those_worked_out_from_the_published_table(area, series):
    found, told = turn_curve(series, 2018, area=area), EXPECTED[area]
    assert found.slope_per_year == pytest.approx(told["slope_per_year"], rel=1e-4)
    assert found.residual_sd == pytest.approx(told["residual_sd"], rel=1e-4)
    for mine, key in ((found.forecast, "forecast"), (found.actual, "actual"), (found.gap, "gap_actual_minus_baseline")):
        assert {str(year): value for year, value in mine.items()} == pytest.approx(told[key], rel=1e-4, abs=6e-4)


def test_the_range_is_the_prediction_interval_of_an_ordinary_regression(series):
    found = turn_curve(series, 2018, area="Essex")
    past = series[(series["area"] == "Essex") & (series["year"] <= 2018)]
    fit = sm.OLS(past["re_referral_pct"], sm.add_constant(past[["year"]])).fit()
    ahead = sm.add_constant(found.table[["year"]].astype(float), has_constant="add")
    frame = fit.get_prediction(ahead).summary_frame(alpha=0.05)
    assert found.table["low"].to_numpy() == pytest.approx(frame["obs_ci_lower"].to_numpy(), rel=1e-8)
    assert found.table["high"].to_numpy() == pytest.approx(frame["obs_ci_upper"].to_numpy(), rel=1e-8)
    assert found.table["gap_low"].to_numpy() == pytest.approx(
        (found.actual.to_numpy() - frame["obs_ci_upper"]).to_numpy()
    )


def test_the_forecasts_of_essex_disagree_on_the_side_of_the_gap(series):
    found = turn_curve(series, 2018, area="Essex")
    assert found.gap[2023] > 0 > found.actual[2023] - found.alternatives["last"][2023]
    assert found.signs_differ
    assert any("disagree" in flag.text for flag in found.flags)
    assert any(flag.text.startswith("A gap is not an effect") for flag in found.flags)


# ---------------------------------------------------------------- forecasts


def test_a_straight_past_is_carried_on_and_the_alternatives_are_what_they_say():
    found = turn_curve(a_series([10, 12, 14, 16, 18, 20, 17]), 2015)
    row = found.table.iloc[0]
    assert (row["forecast"], row["last"], row["mean"]) == pytest.approx((22, 20, 15))
    assert row["damped"] == pytest.approx(20 + 2 * DAMPING)
    assert row["gap"] == pytest.approx(-5)
    assert found.residual_sd == pytest.approx(0, abs=1e-12)


def test_the_neighbours_movement_starts_from_the_areas_own_last_value():
    frame = pd.concat([a_series([5, 5, 5, 5, 9]).assign(area="a"), a_series([1, 1, 1, 1, 4]).assign(area="b"),
                       a_series([3, 3, 3, 3, 4]).assign(area="c")])  # fmt: skip
    found = turn_curve(frame, 2013, area="a", neighbours=["b", "c"])
    assert found.alternatives["neighbours"][2014] == pytest.approx(5 + (4 - 2))
    assert found.neighbours.iloc[-1][["areas", "low", "median", "high"]].tolist() == [2, 4, 4, 4]


def test_three_years_or_fewer_give_no_range_and_say_so():
    for years, sd in ((2, None), (3, 0.0)):
        found = turn_curve(a_series([*[10, 12, 14, 16][:years], 15]), 2009 + years)
        assert found.table["low"].isna().all()
        assert found.residual_sd == (sd if sd is None else pytest.approx(sd, abs=1e-12))
        assert any(f"rests on {years} years: no range is given" in flag.text for flag in found.flags)
    with pytest.raises(EstimationError, match="a line needs two at least"):
        turn_curve(a_series([10, 12]), 2010)


def test_the_past_can_begin_later_and_years_can_be_missing():
    frame = a_series([90, 10, 12, 14, 16, 18])
    assert turn_curve(frame, 2014, baseline_from=2011).slope_per_year == pytest.approx(2)
    holed = turn_curve(frame[frame["year"] != 2012], 2014, baseline_from=2011)
    assert holed.slope_per_year == pytest.approx(2)
    assert any("lacks 2012" in flag.text for flag in holed.flags)


def test_a_forecast_below_0_is_flagged_and_not_cut():
    found = turn_curve(a_series([8, 6, 4, 2]), 2013, desired={"2016": 1})
    assert found.forecast[2016] == pytest.approx(-4)
    assert any("falls below 0" in flag.text for flag in found.flags)
    assert found.latest is None


def test_wrong_areas_and_several_areas_are_answered(series):
    with pytest.raises(DataError, match='Did you mean "Essex"'):
        turn_curve(series, 2018, area="Esex")
    with pytest.raises(DataError, match="has 2 areas"):
        turn_curve(series, 2018)
    before = series.copy()
    turn_curve(series, 2018, area="England")
    pd.testing.assert_frame_equal(series, before)


# ---------------------------------------------------------------- tables as published


def test_symbols_are_missing_values_and_never_0(tmp_path):
    file = tmp_path / "published.csv"
    file.write_text(
        "time_period,time_identifier,geographic_level,country_name,region_name,new_la_code,la_name,rate\n"
        "2018,Reporting year,National,England,,,,71\n2018,Reporting year,Local authority,England,East,E1,Alderby,c\n"
        "2018,Reporting year,Local authority,England,East,E2,Castlewick,k\n2019,Reporting year,National,England,,,,72\n"
        "2019,Reporting year,Local authority,England,East,E1,Alderby,z\n"
        "2019,Reporting year,Local authority,England,East,E2,Castlewick,5\n",
        encoding="utf-8-sig",
    )
    found = read_area_series(file, "rate")
    local = found.table[found.table["level"] == "Local authority"]
    assert local["symbol"].tolist() == ["c", "k", "z", ""]
    assert local["value"].isna().tolist() == [True, True, True, False]
    assert any("none of them is taken for 0" in flag.text for flag in found.flags)


def test_text_that_is_no_symbol_is_refused_with_its_line():
    frame = pd.DataFrame({"area": ["a", "a"], "year": [2018, "20x9"], "value": ["5", "6"]})
    with pytest.raises(DataError, match='line 3: "20x9" is not a year'):
        read_area_series(frame)
    with pytest.raises(DataError, match='line 3: "1,200" is not a number'):
        read_area_series(frame.assign(year=[2018, 2019], value=["5", "1,200"]))


def test_a_school_or_financial_year_is_the_year_in_which_it_ends():
    frame = pd.DataFrame({"area": "a", "year": ["2016/17", "2017-18", "1999/00", "2019"], "value": [1, 2, 3, 4]})
    assert read_area_series(frame).table["year"].tolist() == [2017, 2018, 2000, 2019]


def test_several_measures_in_one_table_must_be_chosen_from(beside):
    file = beside("../data/dfe/cla_number_and_rate_per_10k_children.csv")
    with pytest.raises(DataError, match='"population_count" tells them apart') as refused:
        read_area_series(file, "rate_per_10000")
    assert "Children looked after at 31 March each year" in str(refused.value)
    where = {"population_count": "Children looked after at 31 March each year"}
    found = read_area_series(file, "rate_per_10000", where)
    assert found.table.query("area == 'England' and year == 2023")["value"].tolist() == [71]
    assert any("published rates" in flag.text for flag in found.flags)


def test_the_departments_tables_are_read_whole_with_authorities_that_start_or_stop(beside):
    file = beside("../data/dfe/c1_children_in_need_referrals_and_rereferrals_2013_to_2023.csv")
    found = read_area_series(file, "Re_referrals_percent")
    told = EXPECTED["Essex"]["forecast"]
    curve = turn_curve(found.table.drop(columns=["level", "code", "symbol"]), 2018, area="Essex", column="value")
    assert {str(year): value for year, value in curve.forecast.items()} == pytest.approx(told, rel=1e-4)
    assert found.table["symbol"].value_counts()["c"] == 10
    assert any("West Northamptonshire from 2022" in flag.detail for flag in found.flags)
    assert any("Northamptonshire until 2021" in flag.detail for flag in found.flags)


def test_the_neighbours_file_is_read_by_its_measure(beside):
    file = beside("../data/trafford/children_offending.csv")
    found = read_area_series(file, where={"measure": "Per 10,000 aged 10-17"})
    assert found.table.query("area == 'Bromley' and year == 2015")["value"].tolist() == [69]


# ---------------------------------------------------------------- in a study

PLAN = """
[[curve]]
id = "care"
title = "Children looked after"
file = "care.csv"
area = "Alderby"
column = "rate"
unit = "per 10,000 children"
baseline_until = 2015
source = "invented"
"""


def the_words(folder):
    from types import SimpleNamespace

    blocks = section(SimpleNamespace(study=read_study(folder)))
    return plain("".join(block.html(1) for block in blocks))


def test_the_page_calls_a_gap_a_gap_and_the_title_says_when_forecasts_disagree(make_study):
    rising = a_series([50, 52, 53, 56, 57, 60, 61]).assign(area="Alderby")
    page = the_words(make_study(PLAN, care=rising))
    assert "A gap is not an effect" in page
    assert "below its old trend; other forecasts put it on the other side" in page
    assert "Not written down: outcome, story, partners, what works and an action plan." in page
    assert "effect of" not in page


def test_a_steady_fall_below_every_forecast_is_still_a_gap(make_study):
    page = the_words(make_study(PLAN, care=a_series([50, 52, 53, 56, 57, 60, 40]).assign(area="Alderby")))
    assert "below its old trend, outside the range of the forecast" in page
    assert "other side" not in page


def test_a_curve_that_cannot_be_is_refused_with_the_remedy(make_study):
    text = PLAN.replace(
        'source = "invented"', 'neighbours = ["Alderby"]\nbaseline_from = 2016\ndesired = { "2014" = 3.0 }'
    )
    with pytest.raises(StudyError) as refused:
        read_study(make_study(text, care=a_series([1, 2]).assign(area="Alderby")))
    for words in ('neighbours name "Alderby" itself', "is not before baseline_until", "is no year after 2015"):
        assert words in str(refused.value)


def test_a_fault_in_the_file_names_the_curve(make_study):
    study = read_study(make_study(PLAN, care=a_series([1, 2]).assign(area="Elsewhere")))
    with pytest.raises(DataError, match=r'\[\[curve\]\] care \(care.csv\): area "Alderby" is not in the series'):
        study_curves(study)


def test_row_order_does_not_matter(series):
    mixed = series.sample(frac=1, random_state=np.random.default_rng(4))
    pd.testing.assert_frame_equal(
        turn_curve(mixed, 2018, area="Essex").table, turn_curve(series, 2018, area="Essex").table
    )
