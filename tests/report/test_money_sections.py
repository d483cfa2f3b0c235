"""Timescales, what it cost to run, budgets and who paid: what the page says of them, and what it does not give away."""

from __future__ import annotations

import re

import pytest

from evalkit import Evaluation, read_study, settle_contract, show
from evalkit.report.figures.planned import Line, Sum, planned_and_paid
from evalkit.report.html import plain
from evalkit.report.results import results

PLAN = """
[[party]]
role = "commissioner"
name = "North"
share = 0.75
[[party]]
role = "commissioner"
name = "South"
share = 0.25
[contract]
rate_card = "card.csv"
achieved = "achieved.csv"
payments = "payments.csv"
costs = "costs.csv"
budgets = "budgets.csv"
variations = "log.csv"
cap = 200000
ends = 2021-03-31
PUBLISHED
[[contract.step]]
says = "Contract signed"
phase = "commissioning"
planned = 2019-06-30
done = 2019-09-28
[[contract.step]]
says = "Report"
planned = 2022-01-01
"""
TABLES = {
    "card": "metric,title,price\nhome,Living at home,1000\nwork,In work,500",
    "achieved": "metric,units,date\nhome,60,2020-03-31\nhome,40,2020-09-30\nwork,40,2021-03-31",
    "payments": """kind,plan,metric,start,end,amount,payer
        planned,plan1,home,2020-01-01,2020-03-31,60000,
        planned,plan1,work,2020-04-01,2020-09-30,60000,
        planned,plan2,home,2020-01-01,2020-03-31,40000,
        planned,plan2,work,2020-10-01,2021-03-31,60000,
        actual,,home,2020-01-01,2020-03-31,60000,North
        actual,,home,2020-04-01,2020-09-30,40000,North
        actual,,work,2020-10-01,2021-03-31,20000,South""",
    "costs": """phase,what,party,planned,actual,days
        development and design,Feasibility study,North,10000,9000.50,
        operational and management,Evaluation costs,Academy,3000,3000,
        operational and management,Governance costs,South,,,7""",
    "budgets": """funder,year,kind,amount,spent,pool
        North,2020,pooled,90000,,The pool
        South,2020,pooled,30000,,The pool
        The pool,2020,pooled,120000,100000,
        North,2021,lead professional,1234,1200,""",
    "log": "date,kind,what,reason\n2020-06-01,target,fewer people in work,few referrals\n2020-07-01,price,a new price,",
}


@pytest.fixture
def evaluation(make_study):
    def settle(published=True, **tables):
        plan = PLAN.replace("PUBLISHED", "published = true" if published else "")
        return Evaluation(settle_contract(read_study(make_study(plan, **(TABLES | tables)))))

    return settle


def words(evaluation, section):
    return plain(show(evaluation, section).html)


# ---------------------------------------------------------------- timescales


def test_first_and_latest_plan_stand_in_one_sentence_and_every_share_with_its_version(evaluation):
    page = words(evaluation(), "timescales")
    assert "What was paid is 100% of plan1, the first plan, and 120% of plan2, the latest of 2." in page
    for share in re.findall(r"\d+% of (\S+)", page):
        assert share.startswith("plan")


def test_late_outcomes_variations_and_steps_are_told(evaluation):
    page = words(evaluation(), "timescales")
    assert "Half of the plan not reached: In work" in page
    assert "The contract was varied 2 times" in page
    assert "no reason is on record" in page
    assert "1 of 1 steps came late, the most: Contract signed (3 months)" in page
    assert "not on record as done" in page
    assert "The contract was planned to end on 31 March 2021, and no termination or extension is on record" in page


def test_results_of_each_plan_have_its_name_and_are_printed(evaluation):
    found = evaluation()
    by_id = {one.id: one for one in results(found)}
    assert by_id["contract.share_of_plan.plan1"].value == 1.0
    assert by_id["contract.share_of_plan.plan2"].value == 1.2
    assert by_id["contract.months_late.plan1"].text == "on time"
    assert by_id["contract.months_late.plan2"].value == -12
    assert by_id["contract.months_late.plan2"].text == "12 months early"
    page = words(found, "timescales") + words(found, "costs")
    mine = [one for one in by_id.values() if one.section in {"timescales", "costs"}]
    assert len(mine) == 6
    assert all(one.text in page and one.source for one in mine)


def test_the_curve_gives_its_numbers_in_words(evaluation):
    drawing = re.search(r'aria-label="(Running sums[^"]*)"', show(evaluation(), "timescales").html).group(1)
    assert "Paid £0.12m by March 2021" not in drawing  # 120,000 is a round amount
    assert "Paid £120,000 by March 2021; plan1 £120,000 by September 2020; plan2 £100,000 by March 2021" in drawing


def test_a_step_of_the_curve_that_tells_of_few_people_runs_into_the_next(evaluation):
    few = TABLES["payments"].replace("2020-04-01,2020-09-30,40000,North", "2020-04-01,2020-09-30,4000,North")
    found = evaluation(published=False, payments=few)
    paid = list(re.findall(r'class="solid" cx="([\d.]+)"', show(found, "timescales").html))
    shown = list(re.findall(r'class="solid" cx="([\d.]+)"', show(evaluation(payments=few), "timescales").html))
    assert len(paid) == len(shown) - 2  # one point less, wide and narrow


def test_a_plan_with_nothing_dated_is_said_and_not_drawn():
    assert "Nothing of the plan" in planned_and_paid([Line("plan1", False, [])], "GBP").alt


def test_one_month_alone_can_be_drawn():
    drawn = planned_and_paid([Line("Paid", True, [Sum(24240, 500.0)])], "GBP")
    assert "Paid £500 by January 2020" in drawn.alt


# ---------------------------------------------------------------- what it cost to run


def test_the_question_of_size_is_answered_with_numbers_and_no_verdict(evaluation):
    page = words(evaluation(), "costs")
    assert "cost £12,001" in page
    assert "That is 10.0% of the £120,000 of outcome payments: £0.10 for each £1 paid." in page
    assert "Running the contract cost £12,000.50, £999.50 less than planned" in page
    assert "Running cost was 10.0% of outcome payments and 6.0% of the most that could be paid" in page
    assert "they cannot settle it" in page
    for verdict in ("worth it", "too expensive", "justified", "good value", "reasonable"):
        assert verdict not in page


def test_days_stand_beside_the_money_and_are_not_priced(evaluation):
    page = words(evaluation(), "costs")
    assert "7 without money" in page
    assert "nobody said what a day costs" in page


def test_totals_of_the_tables_are_their_parts_to_the_penny(evaluation):
    html = show(evaluation(), "costs").html
    table = re.search(r'id="table-costs-by-party".*?</table>', html, re.DOTALL).group(0)
    rows = [re.findall(r">([\d,]+\.\d\d)<", row) for row in re.findall(r"<tr.*?</tr>", table)]
    amounts = [round(float(row[-1].replace(",", "")) * 100) for row in rows if row]
    assert sum(amounts[:-1]) == amounts[-1] == 1200050


def test_a_pool_is_listed_and_the_total_holds_each_pound_once(evaluation):
    page = words(evaluation(), "costs")
    assert "2 funders budgeted £0.12m over 2020 to 2021" in page
    assert "North 90,000; South 30,000" in page
    assert "121,234" in page
    assert "241,234" not in page


def test_a_single_lead_professionals_budget_is_hidden_with_every_total_it_follows_from(evaluation):
    shown, hidden = words(evaluation(), "costs"), words(evaluation(published=False), "costs")
    assert "1,234" in shown
    for amount in ("1,234", "1,200", "91,234", "121,234", "34 left"):
        assert amount not in hidden
    assert "[c]" in hidden


# ---------------------------------------------------------------- who paid


def test_agreed_shares_stand_beside_what_is_recorded_by_payer(evaluation):
    page = words(evaluation(), "sib")
    assert "Agreed share of payments" in page
    assert "North 75% 90,000 100,000 +10,000" in page
    assert "South 25% 30,000 20,000 \u221210,000" in page
    assert "All payers 100% 120,000 120,000" in page
    assert "A difference is a question" in page


def test_what_a_payer_paid_for_few_people_is_hidden_with_all_that_it_follows_from(evaluation):
    few = TABLES["payments"].replace("20000,South", "2000,South")
    page = words(evaluation(published=False, payments=few), "sib")
    assert "2,000" not in page
    assert "100,000" not in page
    assert "South 25% [c] [c] [c]" in page


def test_without_costs_plans_or_shares_nothing_is_shown(make_study):
    study = read_study(make_study('[contract]\nrate_card = "card.csv"', card="metric,price\na,1"))
    bare = Evaluation(settle_contract(study))
    assert show(bare, "timescales").html == ""
    assert show(bare, "costs").html == ""
    assert "table-payers" not in show(bare, "sib").html
