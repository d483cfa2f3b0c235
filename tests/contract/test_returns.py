"""What investors got back: rates, multiples, draw-downs, and why there is sometimes no rate."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.contract import returns
from evalkit.contract.irr import counted, roots
from evalkit.errors import DataError


def flows(*rows: tuple[str, object]) -> pd.DataFrame:
    """Cash flows as they are typed."""
    return pd.DataFrame(rows, columns=["date", "amount"])


def worth(rate: float, table: pd.DataFrame) -> float:
    """The flows discounted by hand, days over 365 from the first."""
    days = (pd.to_datetime(table["date"]) - pd.to_datetime(table["date"]).min()).dt.days
    return float((table["amount"].astype(float) / (1 + rate) ** (days / 365)).sum())


def test_the_documented_example_of_a_spreadsheet_s_xirr_gives_its_documented_rate():
    """Microsoft's documentation of XIRR: 37.3362535 %."""
    found = returns(
        flows(
            ("2008-01-01", -10_000), ("2008-03-01", 2_750), ("2008-10-30", 4_250),
            ("2009-02-15", 3_250), ("2009-04-01", 2_750),
        )
    )  # fmt: skip
    assert found.irr == pytest.approx(0.373362535, abs=5e-9)
    assert (found.multiple, found.net, found.peak_drawdown) == (1.3, 3_000, 10_000)
    assert found.day_count == "Actual/365"


def test_the_illustrative_bond_of_the_reference_data_has_its_rate_multiple_and_draw_down():
    folder = Path(__file__).parents[1] / "data" / "domain" / "20_investor_returns"
    expected = json.loads((folder / "expected.json").read_text())["expected"]["peterborough_like"]
    found = returns(pd.read_csv(folder / "cashflows.csv"))
    assert 100 * found.irr == pytest.approx(expected["irr_pct"], rel=1e-4)
    assert found.multiple == pytest.approx(expected["money_multiple"], rel=1e-4)
    assert found.peak_drawdown == expected["peak_drawdown"]
    assert found.net == pytest.approx(expected["net"], rel=1e-6)
    assert (found.drawdown_on, found.back_on) == (dt.date(2012, 9, 10), dt.date(2017, 7, 27))


def test_a_year_is_365_days_leap_years_too_and_time_begins_with_the_first_flow():
    assert returns(flows(("2019-01-01", -100), ("2020-01-01", 110))).irr == pytest.approx(0.1)
    leap = returns(flows(("2020-01-01", -100), ("2021-01-01", 110)))  # 366 days
    assert leap.irr == pytest.approx(1.1 ** (365 / 366) - 1)


def test_the_order_of_rows_and_the_split_of_one_day_change_nothing():
    whole = returns(flows(("2020-01-01", -300), ("2021-01-01", 100), ("2022-01-01", 250)))
    split = flows(("2022-01-01", 250), ("2021-01-01", 400), ("2020-01-01", -300), ("2021-01-01", -300))
    found = returns(split)
    assert found.irr == pytest.approx(whole.irr)
    assert (found.net, found.peak_drawdown, found.back_on) == (whole.net, whole.peak_drawdown, whole.back_on)
    assert (found.paid_in, whole.paid_in) == (600, 300)  # what was paid in is not netted


def test_money_is_summed_exactly():
    found = returns(pd.DataFrame({"date": ["2020-01-01"] * 10 + ["2021-01-01"], "amount": [-0.1] * 10 + [1.1]}))
    assert (found.paid_in, found.net, found.peak_drawdown, found.multiple) == (1.0, 0.1, 1.0, 1.1)


def test_dates_and_amounts_may_come_as_the_types_people_have():
    expected = returns(flows(("2020-01-01", -100), ("2021-06-30", 120.5)))
    for dates in ([dt.date(2020, 1, 1), dt.date(2021, 6, 30)], pd.to_datetime(["2020-01-01", "2021-06-30"])):
        for amounts in (["-100", "120.5"], [Decimal("-100"), Decimal("120.5")], np.array([-100.0, 120.5])):
            assert returns(pd.DataFrame({"date": dates, "amount": amounts})).irr == pytest.approx(expected.irr)


def test_the_caller_s_table_is_left_as_it_was():
    table = flows(("2021-01-01", "110"), ("2020-01-01", "-100"))
    before = table.copy(deep=True)
    returns(table)
    pd.testing.assert_frame_equal(table, before)


# ---------------------------------------------------------------- no rate, and why


def test_where_nothing_comes_back_there_is_no_rate_and_the_reason_is_a_total_loss():
    lost = returns(flows(("2020-01-01", -100), ("2021-01-01", -50)))
    assert (lost.irr, lost.multiple, lost.net, lost.back_on) == (None, 0.0, -150, None)
    assert lost.why.startswith("nothing came back")


def test_where_nothing_was_paid_in_there_is_neither_rate_nor_multiple():
    given = returns(flows(("2020-01-01", 100), ("2021-01-01", 50)))
    assert (given.irr, given.multiple, given.peak_drawdown, given.drawdown_on) == (None, None, 0, None)
    assert given.why.startswith("nothing was paid in")


def test_flows_of_a_single_day_have_no_time_to_earn_a_rate():
    found = returns(flows(("2020-01-01", -100), ("2020-01-01", 130)))
    assert (found.irr, found.net) == (None, 30)
    assert "one day" in found.why


def test_where_no_rate_at_all_fits_that_is_said():
    """-100, 150, -100: the sum stays below nothing at every rate."""
    found = returns(flows(("2020-01-01", -100), ("2020-12-31", 150), ("2021-12-31", -100)))
    assert found.irr is None
    assert found.why.startswith("no rate makes these flows worth nothing")


def test_where_two_rates_fit_none_is_chosen_and_both_are_listed():
    """-100, 230, -132 at exact years: 10 % and 20 %, as any textbook has it."""
    found = returns(flows(("2021-01-01", -100), ("2022-01-01", 230), ("2023-01-01", -132)))
    assert found.irr is None
    assert found.rates == pytest.approx((0.10, 0.20))
    assert "2 rates fit" in found.why
    assert "10.0% and 20.0%" in found.why


def test_a_small_last_cost_does_not_take_the_rate_away():
    """A second root lies near a total loss, at -99.9 %; it is not a rate anybody earned."""
    found = returns(flows(("2021-01-01", -1_000), ("2022-01-01", 1_100), ("2023-01-01", -1)))
    assert found.irr == pytest.approx(0.0990908, abs=1e-6)
    assert worth(found.irr, flows(("2021-01-01", -1_000), ("2022-01-01", 1_100), ("2023-01-01", -1))) < 1e-6


def test_very_small_and_very_large_rates_are_found():
    assert returns(flows(("2021-01-01", -1_000), ("2022-01-01", 1))).irr == pytest.approx(-0.999)
    assert returns(flows(("2021-01-01", -1), ("2022-01-01", 5_000))).irr == pytest.approx(4_999)
    assert returns(flows(("2021-01-01", -1_000), ("2022-01-01", 1_000))).irr == pytest.approx(0, abs=1e-12)


def test_every_rate_is_found_as_a_fine_search_finds_them():
    random, grid = np.random.default_rng(11), np.linspace(-5, 5, 40_001)
    several = 0
    for _ in range(60):
        size = int(random.integers(2, 15))
        years = np.sort(random.choice(2_500, size, replace=False)) / 365
        amounts = np.round(random.normal(size=size) * 1_000, 2)
        powers = -np.outer(grid, years)
        heights = (amounts * np.exp(powers - powers.max(axis=1, keepdims=True))).sum(axis=1)
        searched = grid[:-1][np.diff(np.sign(heights)) != 0]
        found = [np.log1p(rate) for rate in roots(amounts, years) if -5 < np.log1p(rate) < 5]
        assert len(found) == len(searched)
        assert np.allclose(found, searched, atol=3e-4)
        several += len(found) > 1
    assert several > 5  # the search had something to miss


def test_of_several_roots_those_near_a_total_loss_are_left_out_and_a_single_one_never():
    assert counted([-0.999, 0.1]) == [0.1]
    assert counted([-0.999]) == [-0.999]
    assert counted([-0.5, 0.1]) == [-0.5, 0.1]


def test_a_rate_too_large_to_be_told_exactly_stops_nothing():
    """What doubles overnight has a rate of 2^365 a year."""
    found = returns(flows(("2020-01-01", -1), ("2020-01-02", 2)))
    assert np.log2(1 + found.irr) == pytest.approx(365)
    several = returns(flows(("2020-01-01", -1), ("2020-01-02", 2), ("2030-01-01", -3), ("2030-02-01", 1)))
    assert len(several.rates) == 2
    assert "over 1,000,000% a year" in several.why


# ---------------------------------------------------------------- bad input


def test_everything_wrong_with_the_flows_is_said_at_once_with_its_lines():
    table = pd.DataFrame(
        {
            "date": ["2020-01-01", "31/12/2020", None, "2021-02-30"],
            "amount": ["-1,000", "£500", "200", None],
            "currency": ["GBP", "GBP", "USD", "GBP"],
        }
    )
    with pytest.raises(DataError) as error:
        returns(table)
    text = str(error.value)
    assert "has 5 problems" in text
    assert 'Column "date": 2 lines: 3, 5 are not dates (the first: "31/12/2020"). Write dates as year-month-day' in text
    assert 'Column "date": empty in line 4.' in text
    assert 'Column "amount": 2 lines: 2, 3 are not amounts (the first: "-1,000"). Write amounts as -1000' in text
    assert 'Column "amount": empty in line 5.' in text
    assert "2 currencies (GBP and USD), which are never added" in text


def test_missing_columns_are_named_with_what_may_have_been_meant():
    with pytest.raises(DataError, match=r'lacks the column "amount"\. Did you mean "amounts"'):
        returns(pd.DataFrame({"date": ["2020-01-01"], "amounts": [1]}))
    with pytest.raises(DataError, match="have no rows"):
        returns(pd.DataFrame({"date": [], "amount": []}))


def test_a_date_written_as_one_number_is_refused_and_not_taken_for_nanoseconds():
    with pytest.raises(DataError, match="not dates"):
        returns(pd.DataFrame({"date": [20200101, 20210101], "amount": [-1, 2]}))
