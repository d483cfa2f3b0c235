"""What it cost to run, who pays which share, and budgets of several funders: to the penny, each pound once."""

import math

import pandas as pd
import pytest

from evalkit.contract.budgets import budgets_of
from evalkit.contract.costs import cost_to_run
from evalkit.contract.parties import agency_flags, payers_of, split
from evalkit.errors import DataError
from tests.conftest import parse_grid


def drawn(text):
    return pd.DataFrame([vars(row) for row in parse_grid(text)])


COSTS = """
    phase                           | what                   | party    | planned | actual   | days
    Development and design          | Feasibility study      | Council  | 20000   | 21000.10 | -
    contract set-up and negotiation | Legal advice           | Council  | 15000   | 18000.20 | -
    operational and management      | Evaluation costs       | Academy  | 60000   | 55000    | 40
    operational and management      | Service delivery costs | Provider | 1000000 | 900000   | -
    operational and management      | Monitoring costs       | Provider | - | 4999.70  | -
    operational and management      | Governance costs (boards) | Council | - | - | 12
"""


def texts(found):
    return " ".join(f"{flag.level}: {flag.text} {flag.detail}" for flag in found.flags)


# ---------------------------------------------------------------- what it cost to run


def test_running_cost_is_set_up_management_evaluation_and_measurement_and_not_delivery():
    found = cost_to_run(drawn(COSTS))
    assert found.totals["running"] == 99000.00  # 21,000.10 + 18,000.20 + 55,000 + 4,999.70
    assert found.totals["running_planned"] == 95000
    assert found.totals["actual"] == 999000.00
    assert found.totals["running_from"] == "actual"


def test_a_line_has_the_kind_of_its_class_and_before_delivery_it_is_set_up():
    kinds = cost_to_run(drawn(COSTS)).lines["kind"].tolist()
    assert kinds == ["set-up", "set-up", "evaluation", "delivery", "measurement", "management"]


def test_sums_by_phase_kind_and_party_each_come_to_the_total_to_the_penny():
    found = cost_to_run(drawn(COSTS))
    for table in (found.by_phase, found.by_kind, found.by_party):
        assert round(table["actual"].sum() * 100) == round(found.totals["actual"] * 100)
        assert round(table["planned"].sum() * 100) == round(found.totals["planned"] * 100)


def test_a_thousand_lines_of_a_tenth_lose_no_penny():
    lines = pd.DataFrame({"phase": "operational and management", "what": "Evaluation costs", "actual": [0.1] * 999})
    assert cost_to_run(lines).totals["running"] == 99.9


def test_half_a_penny_is_rounded_up_once_per_line():
    lines = pd.DataFrame({"phase": "operational and management", "what": "Evaluation costs", "actual": [1.005, 2.675]})
    assert cost_to_run(lines).totals["running"] == 3.69


def test_shares_are_of_what_was_paid_and_of_the_most_that_could_be_and_per_person():
    found = cost_to_run(drawn(COSTS), {"outcome payments": 990_000, "cap": 1_980_000, "nothing": None}, people=198)
    assert found.against["what"].tolist() == ["outcome payments", "cap"]
    assert found.against["share"].tolist() == pytest.approx([0.1, 0.05])
    assert found.per_person == 500


def test_a_size_with_an_interval_gives_a_share_with_one_and_an_unbounded_one_where_it_may_be_nothing():
    found = cost_to_run(drawn(COSTS), {"added": (500_000, 0.0, 990_000)})
    row = found.against.iloc[0]
    assert (row["share"], row["low"]) == pytest.approx((0.198, 0.1))
    assert math.isinf(row["high"])


def test_days_without_money_are_kept_as_days_and_never_priced():
    found = cost_to_run(drawn(COSTS))
    assert (found.totals["days"], found.totals["unpriced_days"]) == (52, 12)
    assert "12 staff days are on record without money" in texts(found)


def test_what_is_only_planned_is_called_planned():
    lines = drawn(COSTS).assign(actual=None)
    found = cost_to_run(lines.dropna(subset=["planned"]))
    assert (found.totals["running"], found.totals["running_from"]) == (95000, "planned")
    assert "no actual amount is on record" in texts(found)


def test_a_planned_line_without_an_actual_amount_is_not_lost_without_a_word():
    lines = drawn(COSTS)
    lines.loc[2, "actual"] = None
    found = cost_to_run(lines)
    assert found.totals["running"] == 44000.00
    assert "£60,000 of planned running cost has no actual amount on record" in texts(found)


def test_a_cost_of_no_known_kind_is_counted_in_all_costs_and_not_in_the_running_cost():
    lines = pd.DataFrame({"phase": ["operational and management"], "what": ["Vans"], "actual": [750]})
    found = cost_to_run(lines)
    assert found.totals["actual"] == 750
    assert math.isnan(found.totals["running"])
    assert "£750 of costs do not say of which kind they are" in texts(found)


def test_outcome_payments_among_the_costs_are_left_out_and_said():
    lines = pd.DataFrame(
        {"phase": "operational and management", "what": ["Outcome payments", "Evaluation costs"], "actual": [900, 100]}
    )
    found = cost_to_run(lines)
    assert found.totals["actual"] == 100
    assert "outcome payments" in texts(found)


def test_a_cost_written_twice_alike_is_a_question_and_is_counted_twice():
    lines = pd.concat([drawn(COSTS)] * 2)
    found = cost_to_run(lines)
    assert found.totals["running"] == 198000.00
    assert "spent twice, or typed twice?" in texts(found)


def test_everything_that_is_wrong_with_a_table_of_costs_is_said_at_once_with_its_lines():
    lines = drawn(COSTS).assign(kind=["", "manage", "", "", "", ""], currency=["GBP", "USD", "EUR", "", "", ""])
    lines = lines.astype({"actual": object})
    lines.loc[0, "phase"] = "Development and dezign"
    lines.loc[1, "actual"] = "£1,000"
    lines.loc[3, "planned"] = -5.0
    lines.loc[5, "days"] = None
    with pytest.raises(DataError) as error:
        cost_to_run(lines)
    text = str(error.value)
    assert "has 6 problems" in text
    assert 'phase "development and dezign" (line 2) is not known. Did you mean "development and design"?' in text
    assert 'kind "manage" (line 3) is not known. Did you mean "management"?' in text
    assert 'actual "£1,000" is not a plain number (line 3)' in text
    assert "planned is negative (line 5)" in text
    assert "planned, actual and days are all empty (line 7)" in text
    assert "EUR and USD (2 rows, lines 3, 4) and the study is in GBP" in text


def test_a_table_of_costs_without_its_columns_is_refused():
    with pytest.raises(DataError, match='column "phase" is missing'):
        cost_to_run(pd.DataFrame({"stage": ["x"], "what": ["y"], "actual": [1]}))


def test_the_callers_table_stays_as_it_is():
    lines = drawn(COSTS)
    before = lines.copy()
    cost_to_run(lines)
    pd.testing.assert_frame_equal(lines, before)


# ---------------------------------------------------------------- who pays


PAYMENTS = """
    kind    | amount | payer
    actual  | 60.02  | A Council (for all)
    actual  | 40.01  | b council
    planned | 500    | B Council
"""


def test_agreed_shares_of_what_was_paid_stand_against_what_is_recorded():
    found = payers_of(drawn(PAYMENTS), [("A Council", 0.5), ("B Council", 0.5)])
    assert found.table["recorded"].tolist() == [60.02, 40.01]
    assert found.table["agreed"].tolist() == [50.02, 50.01]  # the odd penny goes to the first
    assert found.table["difference"].tolist() == [10.0, -10.0]
    assert found.paid == 100.03
    assert "differs from the agreed share for 2 of 2" in texts(found)


@pytest.mark.parametrize("pennies", [1, 2, 100, 10_001, 99_999_999])
def test_shares_of_a_third_each_add_up_to_all_pennies(pennies):
    assert sum(split(pennies, [1 / 3, 1 / 3, 1 / 3])) == pennies


def test_shares_below_one_ask_who_pays_the_rest():
    found = payers_of(drawn(PAYMENTS), [("A Council", 0.6), ("B Council", 0.25)])
    assert "leave 15.0% of the payments: who pays the rest?" in texts(found)


def test_shares_above_one_in_sum_or_outside_0_to_1_are_refused():
    with pytest.raises(DataError, match=r"1\.1 in sum"):
        payers_of(drawn(PAYMENTS), [("A", 0.6), ("B", 0.5)])
    with pytest.raises(DataError, match=r"the share of A is 60\. Write a share between 0 and 1"):
        payers_of(drawn(PAYMENTS), [("A", 60)])


def test_a_payer_who_is_no_commissioner_is_shown_and_asked_about():
    found = payers_of(drawn(PAYMENTS), [("A Council", 1.0)])
    rest = found.table[~found.table["commissioner"]]
    assert rest[["payer", "recorded"]].to_numpy().tolist() == [["b council", 40.01]]
    assert round(found.table["recorded"].sum(), 2) == found.paid
    assert "for whom did they pay?" in texts(found)


def test_payments_without_payers_are_not_a_difference():
    found = payers_of(drawn(PAYMENTS).assign(payer=""), [("A", 0.5), ("B", 0.5)])
    assert found.table["difference"].isna().all()
    assert "differs" not in texts(found)
    assert found.table["agreed"].sum() == pytest.approx(100.03)


def test_an_agency_that_the_impact_map_lacks_is_a_flag_with_the_nearest_name():
    class Party:
        name, agency = "The council", "local authorty"

    (flag,) = agency_flags([Party()], ["local authority", "NHS"])
    assert 'Did you mean "local authority"?' in flag.detail
    assert agency_flags([Party()], []) == []


# ---------------------------------------------------------------- budgets


BUDGETS = """
    funder | year | kind   | amount    | spent  | pool
    LA     | 2018 | pooled | 100000.01 | - | Pool A
    Health | 2018 | pooled | 50000.02  | - | Pool A
    Pool A | 2018 | pooled | 150000.03 | 140000 | -
    LA     | 2019 | single | 20000     | 15000  | -
    LA     | 2020 | - | 20000     | 24000  | -
    LA     | 2019 | lead professional | 1000 | 900 | Pool A
"""


def test_a_pool_and_what_is_handed_out_of_it_are_not_counted_again():
    found = budgets_of(drawn(BUDGETS))
    assert found.totals == {"amount": 190000.03, "spent": 179000.0, "left": 11000.03}
    assert found.funders == ("LA", "Health")
    assert round(found.by_year["amount"].sum() * 100) == 19000003


def test_a_pool_is_listed_with_who_paid_in():
    found = budgets_of(drawn(BUDGETS))
    assert found.pools[["contributor", "amount"]].to_numpy().tolist() == [["LA", 100000.01], ["Health", 50000.02]]
    row = found.pool_years.iloc[0]
    assert (row["paid_in"], row["spent"], row["carried"]) == (150000.03, 140000, 10000.03)


def test_underspend_is_carried_over_and_overspend_eats_it():
    rows = budgets_of(drawn(BUDGETS)).by_year.set_index(["funder", "year"])
    assert rows.loc[("LA", "2019"), "carried"] == 5000
    assert rows.loc[("LA", "2020"), "carried"] == 1000


def test_spending_beyond_what_was_left_asks_who_paid():
    table = drawn(BUDGETS)
    table.loc[4, "spent"] = 26000
    assert "LA in 2020 by £1,000" in texts(budgets_of(table))


def test_once_spending_is_not_recorded_nothing_is_said_to_be_left():
    table = drawn(BUDGETS)
    table.loc[3, "spent"] = None
    found = budgets_of(table)
    rows = found.by_year.set_index(["funder", "year"])
    assert rows.loc[("LA", "2019"), "carried"] != rows.loc[("LA", "2019"), "carried"]
    assert math.isnan(rows.loc[("LA", "2020"), "carried"])
    assert math.isnan(found.totals["left"])


def test_a_pool_that_is_not_the_sum_of_its_contributions_is_a_question():
    table = drawn(BUDGETS)
    table.loc[2, "amount"] = 150000
    assert "Pool A is recorded with £150,000.00 in 2018 and £150,000.03 was paid into it: why?" in texts(
        budgets_of(table)
    )


def test_a_lead_professionals_budget_from_nobodys_pool_is_the_funders_money():
    table = drawn("""
        funder | year | kind              | amount | pool
        LA     | 2018 | lead professional | 500    | Nowhere
        LA     | 2018 | lead professional | 700    | -
    """)
    found = budgets_of(table)
    assert found.totals["amount"] == 1200
    assert found.leads[["holders", "amount"]].to_numpy().tolist() == [[2, 1200]]


def test_years_stand_in_the_order_of_time_however_written():
    table = pd.DataFrame({"funder": "LA", "year": ["2019/20", "2017/18", "2018/19"], "amount": [1, 2, 3]})
    assert budgets_of(table).years == ("2017/18", "2018/19", "2019/20")


def test_everything_that_is_wrong_with_a_table_of_budgets_is_said_at_once():
    table = drawn(BUDGETS).astype({"amount": object})
    table.loc[0, "kind"] = "pooling"
    table.loc[1, "pool"] = None
    table.loc[3, "amount"] = "20k"
    table.loc[4, ["amount", "spent"]] = None
    table.loc[5, "funder"] = None
    with pytest.raises(DataError) as error:
        budgets_of(table)
    text = str(error.value)
    assert 'kind "pooling" (line 2) is not known. Did you mean "pooled"?' in text
    assert "kind is pooled and no pool is named (line 3)" in text
    assert 'amount "20k" is not a plain number (line 5)' in text
    assert "amount and spent are both empty (line 6)" in text
    assert "funder is empty (line 7)" in text
