"""The arithmetic of an impact map: published examples, years, rates, costs by year, price years, and bad input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import DataError, EstimationError, StudyError
from evalkit.value import appraise
from evalkit.value.discount import read_rate
from evalkit.value.worth import payback, payback_of

DOMAIN = Path(__file__).parents[1] / "data" / "domain"
CONVENTIONS = {"guide_convention_year1_discounted": True, "year1_undiscounted": False}
LINE = {
    "outcome": "in work", "quantity": 60, "proxy": 8500, "deadweight": 0.4, "displacement": 0, "attribution": 0.3,
    "drop_off": 0.3, "duration": 2,
}  # fmt: skip


def map_of(*lines: dict[str, Any], **changes: Any) -> pd.DataFrame:
    """An impact map of lines that differ from one."""
    return pd.DataFrame([{**LINE, **changes, **line} for line in lines or ({},)])


def example(folder: str) -> tuple[pd.DataFrame, pd.Series, dict[str, Any]]:
    """A worked example: its map, its cost and rate, and what must come out."""
    place = DOMAIN / folder
    expected = json.loads((place / "expected.json").read_text())["expected"]
    inputs = pd.read_csv(place / "inputs.csv").set_index("item")["gbp"]
    return pd.read_csv(place / "impact_map.csv"), inputs, expected


@pytest.mark.parametrize("folder", ["07_sroi_employment", "08_sroi_family_support"])
@pytest.mark.parametrize("convention", CONVENTIONS)
def test_a_worked_example_comes_out_under_both_conventions(folder, convention):
    lines, inputs, expected = example(folder)
    value = appraise(lines, inputs["investment"], inputs["discount_rate"], CONVENTIONS[convention])
    wanted = expected[convention]
    assert value.lines["impact"].tolist() == pytest.approx([line["year1_impact"] for line in wanted["lines"]], rel=1e-4)
    by_year = value.by_year.set_index("year")["value"]
    assert {str(year): by_year[year] for year in by_year.index} == pytest.approx(wanted["by_year"], rel=1e-4)
    assert value.present_value == pytest.approx(wanted["total_present_value"], rel=1e-4)
    assert value.npv == pytest.approx(wanted["npv"], rel=1e-4)
    assert value.ratio == pytest.approx(wanted["sroi_ratio"], rel=1e-4)
    assert value.net_ratio == pytest.approx(wanted["net_sroi_ratio"], rel=1e-4)
    assert value.payback_months == pytest.approx(wanted["payback_months"], abs=0.005)


def test_without_its_negative_line_the_family_example_looks_better_and_its_break_even_deadweight_is_exact():
    lines, inputs, expected = example("08_sroi_family_support")
    better = appraise(lines[lines["proxy"] > 0], inputs["investment"], inputs["discount_rate"])
    assert better.ratio == pytest.approx(expected["ratio_without_negative_outcome"], rel=1e-4)
    value = appraise(lines, inputs["investment"], inputs["discount_rate"])
    assert value.looks["switching"].common_deadweight == value.break_even_deadweight
    at = appraise(lines.assign(deadweight=value.break_even_deadweight), inputs["investment"], inputs["discount_rate"])
    assert at.ratio == pytest.approx(1, abs=1e-9)


def test_value_may_begin_in_a_later_year_and_drops_off_from_then_on():
    value = appraise(map_of(starts_year=3, duration=2, drop_off=0.5), 1000, 0.1)
    assert value.by_year["value"].tolist() == pytest.approx([0, 0, 214200, 107100])
    assert value.present_value == pytest.approx(214200 / 1.1**3 + 107100 / 1.1**4)


def test_a_line_may_have_a_rate_of_its_own_and_the_table_of_rates_says_whose():
    two = map_of({"rate": "0.015", "title": "health"}, {"title": "work"}, drop_off=0)
    value = appraise(two, 1000, "stpr 2022")
    impact = 60 * 8500 * 0.6 * 0.7
    assert value.lines["present_value"].tolist() == pytest.approx(
        [impact * (1 / 1.015 + 1 / 1.015**2), impact * (1 / 1.035 + 1 / 1.035**2)]
    )
    assert value.rates["lines"].tolist() == ["", "health"]
    assert "HM Treasury" in value.rates["source"].iloc[0]


def test_the_health_rate_is_unconfirmed_and_comes_only_by_that_name():
    with pytest.raises(DataError, match=r"row 1 .*unconfirmed.*health_2022 \(unconfirmed\)"):
        appraise(map_of(rate="health"), 1000, 0.035)
    value = appraise(map_of(rate="health (unconfirmed)", drop_off=0), 1000, 0.035)
    assert value.present_value == pytest.approx(60 * 8500 * 0.42 * (1 / 1.015 + 1 / 1.015**2))
    assert "unconfirmed" in value.rates["source"].iloc[1]
    with pytest.raises(StudyError, match="no rate for year 31"):
        appraise(map_of(rate="health 2022 (unconfirmed)", duration=31), 1000, 0.035)


@pytest.mark.parametrize("name", ["stpr 2022", "green book 2026"])
@pytest.mark.parametrize(
    ("year", "rate"),
    [(1, 0.035), (30, 0.035), (31, 0.03), (75, 0.03), (76, 0.025), (125, 0.025), (126, 0.02), (200, 0.02),
     (201, 0.015), (300, 0.015), (301, 0.01)],
)  # fmt: skip
def test_the_green_book_rate_falls_after_30_years_and_each_year_has_the_rate_of_its_own_segment(name, year, rate):
    discounting = read_rate(name, first_year=True)
    factors = discounting.factors(year)
    before = 1.0 if year == 1 else factors[-2]
    assert before / factors[-1] - 1 == pytest.approx(rate)


def test_prompts_are_no_discount_rates():
    for name in ("additionality 2014", "optimism bias 2022"):
        with pytest.raises(StudyError, match="not a schedule"):
            read_rate(name, first_year=True)


# ---------------------------------------------------------------- costs by year


COSTS = pd.DataFrame({"year": [0, 1, 2], "what": ["set-up", "running", "running"], "amount": [40_000, 60_000, 60_000]})


def test_costs_by_year_are_discounted_like_the_value_and_those_before_year_1_are_not():
    value = appraise(map_of(drop_off=0), COSTS, 0.1)
    cost = 40_000 + 60_000 / 1.1 + 60_000 / 1.21
    assert value.cost == pytest.approx(cost)
    assert value.npv == pytest.approx(214200 * (1 / 1.1 + 1 / 1.21) - cost)
    assert value.by_year["year"].tolist() == [0, 1, 2]
    assert value.by_year["cost"].tolist() == [40_000, 60_000, 60_000]
    assert value.by_year["present_cost"].sum() == pytest.approx(value.cost)
    assert value.by_year["cumulative_net"].iloc[-1] == pytest.approx(value.npv)
    late = appraise(map_of(drop_off=0), COSTS, 0.1, discount_first_year=False)
    assert late.cost == pytest.approx(40_000 + 60_000 + 60_000 / 1.1)


def test_costs_after_the_last_year_of_value_still_count():
    value = appraise(map_of(duration=1), pd.DataFrame({"year": [1, 5], "amount": [1000, 200_000]}), 0.0)
    assert value.cost == 201_000
    assert value.by_year["year"].max() == 5
    assert value.payback_months is not None
    dearer = appraise(map_of(duration=1), pd.DataFrame({"year": [1, 5], "amount": [1000, 300_000]}), 0.0)
    assert dearer.payback_months is None  # it had caught up, and did not stay so


def test_years_of_the_calendar_count_from_the_first_and_mixing_them_is_refused():
    calendar = COSTS.assign(year=[2018, 2019, 2020])
    value = appraise(map_of(), calendar, 0.1)
    assert value.by_year["cost"].tolist()[:3] == [40_000, 60_000, 60_000]
    assert any("2018" in flag.text for flag in value.flags)
    with pytest.raises(DataError, match="mixes years of the calendar"):
        appraise(map_of(), COSTS.assign(year=[2018, 1, 2]), 0.1)


def test_everything_wrong_with_costs_by_year_is_said_at_once():
    wrong = pd.DataFrame({"year": [1, -1, 2], "amount": ["£1,000", 20, 30], "low": [None, 25, None]})
    with pytest.raises(DataError, match=r"row 1: amount .£1,000. is not an amount"):
        appraise(map_of(), wrong, 0.1)
    with pytest.raises(DataError, match=r"(?s)row 2: year is not.*row 2: amount does not lie"):
        appraise(map_of(), wrong.assign(amount=[1000, 20, 30]), 0.1)
    with pytest.raises(DataError, match="not above 0"):
        appraise(map_of(), pd.DataFrame({"year": [1], "amount": [-5]}), 0.1)


def test_payback_is_when_value_catches_up_for_good(grid):
    grid(
        """
        first | second | third | cost | months
        120   | 0      | 0     | 60   | 6
        60    | 60     | 0     | 60   | 12
        60    | 60     | 0     | 90   | 18
        10    | 10     | 10    | 90   | -
        120   | -90    | 60    | 60   | 30
        120   | -90    | 0     | 60   | -
        """,
        lambda row: payback(np.array([row.first, row.second, row.third], dtype=float), row.cost),
        "months",
    )
    paid = payback_of(np.array([[0.0, 0.0], [100, 10], [0, 10]]), np.array([[0.0, 0.0], [50, 50], [0, 0]]))
    assert paid.tolist() == [0, np.inf]


# ---------------------------------------------------------------- price years


def mixed(**changes: Any) -> pd.DataFrame:
    """Three lines in the prices of three years, as their unit costs state them."""
    return map_of({"price_year": "2013/14"}, {"price_year": 2005.0}, {"price_year": "2008-09"}, **changes)


def test_a_cost_in_other_prices_than_those_of_the_map_is_refused_or_deflated_like_an_amount_of_the_map():
    lines, costs = map_of(price_year=2022), pd.DataFrame({"year": [0], "amount": [900.0], "price_year": [2018]})
    with pytest.raises(DataError, match="row 1 are in other prices than those of 2022"):
        appraise(lines, costs, 0.035)
    index = pd.DataFrame({"year": [2018, 2022], "index": [90, 100], "source": "a national office"})
    assert appraise(lines, costs, 0.035, deflators=index).cost == pytest.approx(1000)
    assert appraise(lines.assign(price_year=2018), costs, 0.035).cost == 900


def test_costs_by_year_that_may_come_to_nothing_are_refused_since_no_ratio_can_be_told():
    costs = pd.DataFrame({"year": [1, 2], "amount": [5000, -3000], "low": [1000, -6000], "high": [9000, -100]})
    with pytest.raises(DataError, match="at the low ends, which is not above 0: a ratio needs something"):
        appraise(map_of(), costs, 0.0)
    assert appraise(map_of(), costs.assign(low=[4000, -3000]), 0.0).cost == 2000


def test_amounts_of_different_price_years_are_refused_with_their_rows():
    with pytest.raises(DataError, match=r"Price years differ \(row 1 .*: 2013; row 2 .*: 2005; row 3 .*: 2008\)"):
        appraise(mixed(), 1000, 0.035)


def test_told_to_go_on_the_sum_is_made_and_a_serious_flag_says_what_it_mixes():
    value = appraise(mixed(), 1000, 0.035, mixed_price_years="warn")
    assert value.ratio == pytest.approx(3 * appraise(map_of(), 1000, 0.035).ratio)
    (flag,) = [flag for flag in value.flags if flag.about == "price_year"]
    assert flag.level == "serious"
    for year in ("2013", "2005", "2008"):
        assert year in flag.text
    with pytest.raises(StudyError, match='Did you mean "warn"'):
        appraise(mixed(), 1000, 0.035, mixed_price_years="warm")
    with pytest.raises(StudyError, match='no option "mixed_prices"'):
        appraise(mixed(), 1000, 0.035, mixed_prices="warn")


DEFLATORS = pd.DataFrame({"year": ["2005/06", 2008, 2013, 2023], "index": [80, 90, 100, 130], "source": "the office"})


@pytest.mark.parametrize(("year", "top"), [(None, 100), (2013, 100), (2023, 130)])
def test_deflators_bring_every_amount_to_one_year_with_its_range(year, top):
    value = appraise(mixed(proxy_low=8000, proxy_high=9000), 1000, 0.035, deflators=DEFLATORS, price_year=year)
    factors = [top / 100, top / 80, top / 90]
    assert value.lines["price_factor"].tolist() == pytest.approx(factors)
    assert value.lines["proxy"].tolist() == pytest.approx([8500 * factor for factor in factors])
    assert value.lines["proxy_high"].tolist() == pytest.approx([9000 * factor for factor in factors])
    assert value.lines["proxy_stated"].tolist() == [8500] * 3
    assert set(value.lines["price_year"]) == {year or 2013}
    (flag,) = [flag for flag in value.flags if flag.about == "price_year"]
    assert flag.level == "note"
    assert "the office" in flag.detail


def test_deflators_need_a_source_each_year_once_and_the_years_wanted():
    with pytest.raises(DataError, match="no index for 2005"):
        appraise(mixed(), 1000, 0.035, deflators=DEFLATORS.iloc[1:])
    twice = pd.concat([DEFLATORS, DEFLATORS.head(1)]).assign(source=["x", "", "x", "x", "x"])
    with pytest.raises(DataError, match=r"(?s)row 5: its year stands there twice.*row 2: it has no source"):
        appraise(mixed(), 1000, 0.035, deflators=twice)


def test_unit_values_without_a_price_year_or_a_source_are_said_with_their_rows():
    value = appraise(map_of({"price_year": 2023, "source": "a study"}, {"title": "bare"}), 1000, 0.035)
    told = {flag.about: f"{flag.text} {flag.detail}" for flag in value.flags if flag.level == "caution"}
    assert 'row 2 ("bare")' in told["price_year"]
    assert "A unit value is stated without a source: bare." in told["proxy"]


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"proxy": "£8,500"}, r'proxy "£8,500" is not an amount\. Write amounts as 8500: no currency sign'),
        ({"proxy": "8 500"}, "Write amounts as 8500"),
        ({"proxy": "8.5k"}, "is not an amount"),
        ({"quantity": "sixty"}, r'quantity "sixty" is not a number'),
        ({"quantity": "1,200"}, "Write numbers as 1200"),
        ({"quantity": np.inf}, "not a finite number"),
        ({"deadweight": "40%"}, r"Write 18 % as 0\.18"),
        ({"attribution": 30}, "attribution 30 is not a share between 0 and 1"),
        ({"drop_off": -0.1}, "drop_off -0.1 is not a share"),
        ({"duration": 0}, "duration 0 is not a whole number"),
        ({"starts_year": 1.5}, "starts_year 1.5 is not a whole number"),
        ({"bottom_line": "sosial"}, 'Did you mean "social"'),
        ({"price_year": "last year"}, 'price_year "last year" is not a year'),
        ({"deadweight_low": 0.2}, "only one end of its range"),
        ({"deadweight_low": 0.5, "deadweight_high": 0.6}, "does not lie between"),
        ({"rate": "1.5%"}, "rate: .*not known"),
    ],
)
def test_what_is_wrong_is_one_error_that_names_the_row(change, told):
    with pytest.raises(DataError, match=rf"(?s)has 1 problem:.*row 2 \(\"in work\"\).*{told}"):
        appraise(map_of({}, change).astype(object), 250_000, 0.035)


@pytest.mark.parametrize("cost", [0, -5, "£250,000", float("nan"), float("inf")])
def test_a_cost_that_is_none_is_refused(cost):
    with pytest.raises(DataError, match="cost"):
        appraise(map_of(), cost, 0.035)


def test_a_plain_map_of_text_numbers_and_without_optional_columns_is_understood_and_left_alone():
    lines = map_of().astype(str)[["outcome", "quantity", "proxy"]]
    before = lines.copy()
    value = appraise(lines, 250_000, 0)
    assert value.ratio == pytest.approx(60 * 8500 / 250_000)
    pd.testing.assert_frame_equal(lines, before)


def test_too_few_draws_are_refused():
    with pytest.raises(EstimationError, match="too few"):
        appraise(map_of(proxy_low=1, proxy_high=9000), 1000, 0.035, draws=50)
