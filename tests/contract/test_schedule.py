"""Planned against actual: running sums, one plan version at a time."""

import datetime as dt

import pandas as pd
import pytest

from evalkit.contract import schedule_of
from evalkit.errors import DataError


def payments(drawn):
    """kind plan start end amount, drawn; "-" is empty."""
    rows = [[None if cell == "-" else cell for cell in line.split()] for line in drawn.strip().splitlines()]
    return pd.DataFrame(rows, columns=["kind", "plan", "start", "end", "amount"])


QUARTERS = """
    planned plan1 2020-01 2020-03 100
    planned plan1 2020-04 2020-06 100
    planned plan1 2020-07 2020-09 100
    planned plan1 2020-10 2020-12 100
"""


def test_shares_are_of_the_whole_plan_and_of_the_plan_up_to_the_last_actual_period():
    table = schedule_of(payments(QUARTERS + "actual - 2020-01 2020-03 60\nactual - 2020-04 2020-06 30"))
    row = table.iloc[0]
    assert (row["planned"], row["planned_to_date"], row["actual"]) == (400, 200, 90)
    assert (row["share"], row["share_to_date"]) == (0.225, 0.45)


def test_half_is_the_first_period_end_at_which_the_running_sum_reaches_half_of_that_plan():
    table = schedule_of(payments(QUARTERS + "actual - 2020-01 2020-06 150\nactual - 2020-07 2020-11 50"))
    row = table.iloc[0]
    assert (row["half_planned_by"], row["half_actual_by"], row["months_late"]) == ("2020-06", "2020-11", 5)


def test_actual_payments_may_be_early():
    row = schedule_of(payments(QUARTERS + "actual - 2020-01 2020-03 200")).iloc[0]
    assert (row["half_actual_by"], row["months_late"]) == ("2020-03", -3)


def test_where_half_was_never_reached_nothing_is_late():
    row = schedule_of(payments(QUARTERS + "actual - 2020-01 2020-03 199.99")).iloc[0]
    assert row["half_actual_by"] is None
    assert row["months_late"] is None


def test_the_order_of_the_rows_does_not_matter():
    drawn = payments(QUARTERS + "actual - 2020-01 2020-06 150\nactual - 2020-07 2020-11 50")
    pd.testing.assert_frame_equal(schedule_of(drawn.iloc[::-1]), schedule_of(drawn))


def test_plan_versions_are_never_added_and_their_capitals_do_not_matter():
    drawn = (
        QUARTERS + "Planned Plan1 2021-01 2021-03 600\nPLANNED plan2 2020-01 2020-12 300\nActual - 2020-01 2020-12 300"
    )
    table = schedule_of(payments(drawn)).set_index("plan")
    assert table["planned"].to_dict() == {"plan1": 1000, "plan2": 300}
    assert table["share"].to_dict() == {"plan1": 0.3, "plan2": 1.0}


def test_half_of_each_plan_is_half_of_its_own_total():
    drawn = QUARTERS + "planned plan2 2020-01 2020-12 1000\nactual - 2020-01 2020-02 200\nactual - 2020-03 2020-05 300"
    table = schedule_of(payments(drawn)).set_index("plan")
    assert table["half_actual_by"].to_dict() == {"plan1": "2020-02", "plan2": "2020-05"}


def test_payments_whose_type_is_not_stated_are_neither_planned_nor_actual():
    row = schedule_of(payments(QUARTERS + "actual - 2020-01 2020-03 60\n- - 2020-01 2020-03 1000")).iloc[0]
    assert (row["planned"], row["actual"]) == (400, 60)


def test_payments_without_a_period_count_in_the_totals_and_are_said():
    row = schedule_of(payments(QUARTERS + "planned plan1 - - 100\nactual - - - 250\nactual - 2020-01 2020-03 50")).iloc[
        0
    ]
    assert (row["planned"], row["actual"], row["planned_to_date"]) == (500, 300, 100)
    assert (row["planned_without_period"], row["actual_without_period"]) == (100, 250)
    assert row["half_actual_by"] is None


def test_without_actual_payments_nothing_is_said_of_what_was_paid():
    row = schedule_of(payments(QUARTERS)).iloc[0]
    assert pd.isna(row["actual"])
    assert pd.isna(row["share"])
    assert pd.isna(row["planned_to_date"])


def test_planned_amounts_equal_to_an_actual_one_are_those_above_zero_and_less_than_a_pound_away():
    drawn = """
        planned plan1 2020-01 2020-03 100.40
        planned plan1 2020-04 2020-06 101
        planned plan1 2020-07 2020-09 0
        planned plan1 2020-10 2020-12 250
        actual - 2020-02 2020-04 100
        actual - 2020-05 2020-07 0
        actual - 2020-08 2020-10 250
    """
    row = schedule_of(payments(drawn)).iloc[0]
    assert (row["periods"], row["periods_equal_to_an_actual"]) == (4, 2)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (dt.date(2020, 4, 1), dt.date(2021, 3, 31)),
        (pd.Timestamp("2020-04-01"), pd.Timestamp("2021-03-31")),
        ("2020-04-01", "2021-03-31"),
        ("2020-04", "2021-03"),
    ],
)
def test_periods_may_be_dates_or_text(start, end):
    table = pd.DataFrame({"kind": ["planned", "actual"], "start": [start] * 2, "end": [end] * 2, "amount": [10, 10.0]})
    assert schedule_of(table).loc[0, ["half_planned_by", "half_actual_by"]].tolist() == ["2021-03", "2021-03"]


def test_a_bare_year_ends_in_december_whether_text_or_number():
    for year in ("2020", 2020):
        table = pd.DataFrame({"kind": ["planned"], "end": [year], "amount": [10]})
        assert schedule_of(table).loc[0, "half_planned_by"] == "2020-12"


def test_optional_columns_may_be_absent_and_the_table_is_left_alone():
    table = pd.DataFrame({"kind": ["Planned", "Actual"], "amount": ["10", "5"]})
    before = table.copy()
    row = schedule_of(table).iloc[0]
    assert (row["plan"], row["planned"], row["actual"], row["share"]) == ("", 10, 5, 0.5)
    pd.testing.assert_frame_equal(table, before)


def test_no_plan_gives_an_empty_table_with_the_same_columns():
    table = schedule_of(pd.DataFrame({"kind": ["actual"], "amount": [5]}))
    assert len(table) == 0
    assert {"plan", "months_late", "periods"} <= set(table.columns)


def test_pennies_are_never_lost():
    table = pd.DataFrame({"kind": ["planned"] * 1000 + ["actual"], "plan": "plan1", "amount": [0.1] * 1000 + [100.0]})
    assert schedule_of(table).loc[0, ["planned", "share"]].tolist() == [100.0, 1.0]


def test_everything_wrong_is_said_at_once_with_lines_and_remedies():
    wrong = payments("""
        forecast plan1 2020-01 2020-03 100
        planned plan1 2020-13 current £1,000
    """)
    with pytest.raises(DataError) as error:
        schedule_of(wrong)
    message = str(error.value)
    assert "4 problems" in message
    assert 'Kind "forecast" (line 2) is not known. Known: planned, actual.' in message
    assert 'Amount "£1,000" is not a plain number (line 3)' in message
    assert 'Period start "2020-13" is not a date (line 3)' in message
    assert 'Period end "current" is not a date (line 3)' in message


def test_a_missing_column_is_named():
    with pytest.raises(DataError, match='lacks the column "amount"'):
        schedule_of(pd.DataFrame({"kind": ["planned"]}))


def test_life_chances_fund_schedules_agree_with_the_reference(beside):
    """Acceptance example 12: three projects, seven plan versions."""
    import json

    folder = beside("domain/12_lcf_schedule/payments.csv").parent
    table = pd.read_csv(folder / "payments.csv").rename(columns={"type": "kind"})
    expected = json.loads((folder / "expected.json").read_text())["expected"]
    names = ["planned", "planned_to_date", "half_planned_by", "half_actual_by", "months_late", "periods"]
    keys = ["planned_total", "planned_to_last_actual", "half_of_plan_planned_by", "half_of_plan_actual_by"]
    keys += ["months_late_at_half", "plan_periods"]
    for project, one in expected.items():
        found = schedule_of(table[table["project"] == project]).set_index("plan")
        assert set(found.index) == set(one["plans"])
        for plan, want in one["plans"].items():
            row = found.loc[plan]
            assert row["actual"] == one["actual_total"]
            assert row[names].tolist() == [want[key] for key in keys]
            assert row["share"] * 100 == pytest.approx(want["actual_over_planned_total_pct"], rel=1e-4)
            assert row["share_to_date"] * 100 == pytest.approx(want["actual_over_planned_to_date_pct"], rel=1e-4)
            assert row["periods_equal_to_an_actual"] == want["plan_periods_equal_to_an_actual_within_1"]
