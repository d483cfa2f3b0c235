"""Planned against done: plans, late outcomes, variations, the contract's end, steps; and what a study may not say."""

import datetime as dt

import pandas as pd
import pytest

from evalkit import StudyError, read_study, settle_contract
from evalkit.contract.looks.schedule import in_order
from evalkit.contract.variations import ending_of, variation_flags, variations_of
from evalkit.errors import DataError
from tests.conftest import parse_grid


def drawn(text):
    return pd.DataFrame([vars(row) for row in parse_grid(text)])


CARD = "metric,title,price\nhome,Living at home,1000\nwork,In work,500"
ACHIEVED = "metric,units,date\nhome,10,2020-03-31\nhome,10,2020-09-30\nwork,20,2021-03-31"
PAYMENTS = """kind,plan,metric,start,end,amount
planned,plan1,home,2020-01-01,2020-03-31,10000
planned,plan1,home,2020-07-01,2020-09-30,10000
planned,plan1,work,2020-07-01,2020-09-30,10000
planned,plan2,home,2020-01-01,2020-03-31,5000
planned,plan2,work,2020-10-01,2021-03-31,40000
actual,,home,2020-01-01,2020-03-31,10000
actual,,home,2020-07-01,2020-09-30,10000
actual,,work,2020-10-01,2021-03-31,10000.50"""
PLAN = """
    [contract]
    rate_card = "card.csv"
    achieved = "achieved.csv"
    payments = "payments.csv"
"""
STEPS = """
    [[contract.step]]
    says = "Contract signed"
    phase = "commissioning"
    planned = 2019-06-30
    done = 2019-09-28
    [[contract.step]]
    says = "First referral"
    phase = "delivery"
    planned = 2020-01-01
    done = 2019-12-31
    [[contract.step]]
    says = "Report"
    phase = "evaluation"
    planned = 2022-01-01
"""


@pytest.fixture
def settled(make_study):
    def settle(more="", **tables):
        files = {"card": CARD, "achieved": ACHIEVED, "payments": PAYMENTS} | tables
        return settle_contract(read_study(make_study(PLAN + more, **files)))

    return settle


def texts(flags):
    return " ".join(f"{flag.text} {flag.detail}" for flag in flags)


# ---------------------------------------------------------------- the schedule


def test_each_version_of_the_plan_has_its_own_share_and_they_may_tell_opposite_stories(settled):
    contract = settled()
    plans = contract.looks["schedule"].plans.set_index("plan")
    assert plans["share"].round(6).to_dict() == {"plan1": 1.000017, "plan2": 0.666678}
    assert "opposite stories" not in texts(contract.flags)  # 100% and 67%
    more = PAYMENTS.replace("10000.50", "16000")
    assert "opposite stories: paid were 120% of plan1 and 80% of plan2" in texts(settled(payments=more).flags)


def test_plans_stand_in_the_order_of_their_numbers():
    assert in_order(pd.DataFrame({"plan": ["plan10", "plan2", "plan1"]}))["plan"].tolist() == [
        "plan1",
        "plan2",
        "plan10",
    ]


def test_the_outcome_that_came_late_is_named_by_plan(settled):
    found = settled().looks["schedule"].by_metric.set_index(["metric", "plan"])
    assert found.loc[("home", "plan1"), "months_late"] == 0
    assert found.loc[("work", "plan1"), "months_late"] == 6
    assert pd.isna(found.loc[("work", "plan2"), "months_late"])  # half of 40,000 was never reached
    assert set(found["actual_from"]) == {"the payments"}


def test_without_payments_by_metric_what_was_achieved_at_its_price_says_what_came_late(settled):
    nameless = "\n".join(
        line.replace("actual,,home", "actual,,").replace("actual,,work", "actual,,") for line in PAYMENTS.split("\n")
    )
    found = settled(payments=nameless).looks["schedule"].by_metric.set_index(["metric", "plan"])
    assert set(found["actual_from"]) == {"units achieved at their price"}
    assert found.loc[("work", "plan1"), "months_late"] == 6
    assert found.loc[("work", "plan1"), "actual"] == 10000


def test_running_sums_end_at_the_totals(settled):
    curves = settled().looks["schedule"].curves
    last = curves.groupby("series")["so_far"].last()
    assert last.to_dict() == {"actual": 30000.5, "plan1": 30000, "plan2": 45000}


def test_lcf_plans_have_the_shares_and_months_of_the_acceptance_example(beside, make_study):
    import json

    folder = beside("domain/12_lcf_schedule/payments.csv").parent
    rows = pd.read_csv(folder / "payments.csv")
    expected = json.loads((folder / "expected.json").read_text())["expected"]
    for project, told in expected.items():
        mine = rows[rows["project"] == project].rename(columns={"type": "kind"})
        for name in ("start", "end"):
            mine[name] = [f"{month}-01" for month in mine[name]]
        folder = make_study('[contract]\npayments = "payments.csv"', payments=mine.drop(columns="project"))
        plans = settle_contract(read_study(folder)).looks["schedule"].plans.set_index("plan")
        for plan, row in told["plans"].items():
            assert plans.loc[plan, "share"] * 100 == pytest.approx(row["actual_over_planned_total_pct"], abs=5e-4)
            assert plans.loc[plan, "months_late"] == row["months_late_at_half"]


# ---------------------------------------------------------------- variations and the end


LOG = """
    date       | kind      | what              | reason
    2021-04-01 | Extension | a further year    | the pandemic
    2020-02-01 | - | panel meets twice | -
"""


def test_variations_stand_in_the_order_of_their_dates_and_a_blank_kind_is_other():
    table = variations_of(drawn(LOG))
    assert table["kind"].tolist() == ["other", "extension"]
    assert table["date"].is_monotonic_increasing


def test_unknown_kinds_and_missing_dates_of_variations_are_refused_together():
    table = drawn(LOG).astype(object)
    table.loc[0, "kind"] = "extensionn"
    table.loc[1, "date"] = "April 2020"
    with pytest.raises(DataError) as error:
        variations_of(table)
    assert 'kind "extensionn" (line 2) is not known. Did you mean "extension"?' in str(error.value)
    assert "date is empty or no date (line 3)" in str(error.value)


def test_a_recorded_extension_or_termination_is_said_with_its_date_and_reason():
    extended = ending_of(variations_of(drawn(LOG)), dt.date(2021, 6, 30), "2022-06")
    assert extended.how == "extended"
    assert extended.says.startswith("The contract was extended by a variation of 1 April 2021: the pandemic.")
    assert not extended.question
    log = drawn(LOG).assign(kind=["termination", "price"])
    assert ending_of(variations_of(log)).how == "terminated"


def test_what_only_the_payments_suggest_about_the_end_is_a_question(grid):
    none = variations_of(pd.DataFrame({"date": [], "what": []}))
    grid(
        """
        last    | how
        2021-06 | as planned
        2021-09 | as planned
        2020-06 | paid before the end
        2022-06 | paid after the end
                - | not known
        """,
        lambda row: ending_of(none, dt.date(2021, 6, 30), row.last).how,
        "how",
    )
    assert ending_of(none, dt.date(2021, 6, 30), "2020-06").question
    assert ending_of(none).how == "not known"


def test_plan_versions_without_a_variation_on_record_are_a_question(settled):
    assert "2 versions of the payment plan, and no variation of the contract is on record" in texts(settled().flags)
    log = "date,kind,what,reason\n2020-06-01,target,fewer people,few referrals"
    assert "versions of the payment plan, and" not in texts(
        settled('variations = "log.csv"', log=log).flags,
    )


def test_a_variation_without_a_reason_or_before_the_contract_is_asked_about():
    flags = variation_flags(variations_of(drawn(LOG)), 1, starts=dt.date(2020, 6, 1))
    assert "no reason on record: why? panel meets twice" in texts(flags)
    assert "Is the date right?" in texts(flags)


# ---------------------------------------------------------------- steps


def test_steps_have_months_late_and_phases_their_first_and_last_days(settled):
    found = settled(STEPS).looks["timeline"]
    assert found.steps["days_late"].fillna(-99).tolist() == [90, -1, -99]
    assert found.steps["months_late"].fillna(-99).tolist() == [3, 0, -99]
    assert found.phases.loc[0, "done_until"] == dt.date(2019, 9, 28)
    assert found.phases["done"].tolist() == [1, 1, 0]


def test_steps_done_in_another_order_than_written_are_a_question(settled):
    swapped = STEPS.replace("2019-12-31", "2019-07-01")
    assert "First referral before Contract signed" in texts(settled(swapped).flags)


# ---------------------------------------------------------------- what a study may not say


def test_everything_that_contradicts_itself_in_a_contract_is_said_at_once(make_study):
    folder = make_study("""
        [[party]]
        role = "commissioner"
        name = "A"
        share = 0.7
        [[party]]
        role = "commissioner"
        name = "B"
        share = 0.4
        [contract]
        starts = 2021-01-01
        ends = 2020-01-01
        cap = 100
        floor = 200
        [[contract.risk]]
        risk = "few referrals"
        carried_by = []
        [[contract.trigger]]
        id = "early"
        says = "none"
        outcome = "x"
        at_least = 0.0
        pays = 500
        due_on = 2020-06-01
        [[contract.step]]
        says = "Signed"
    """)
    with pytest.raises(StudyError) as error:
        read_study(folder)
    text = str(error.value)
    for words in (
        "[contract] starts on 2021-01-01, after it ends (2020-01-01).",
        "[contract] floor = 200 is above cap = 100",
        "the commissioners' shares are 1.1 in sum",
        '[[contract.risk]] "few referrals": nobody carries it.',
        "[[contract.trigger]] early: at_least = 0 is met by no change at all.",
        "[[contract.trigger]] early pays 500 and nothing in the study estimates x.",
        "due_on 2020-06-01 is before the contract starts (2021-01-01)",
        '[[contract.step]] "Signed" has no date.',
    ):
        assert words in text


def test_a_share_outside_0_to_1_is_refused_by_the_model(make_study):
    with pytest.raises(StudyError, match="share"):
        read_study(make_study('[[party]]\nrole = "commissioner"\nname = "A"\nshare = 40'))


def test_shares_that_come_to_one_in_tenths_are_no_problem(make_study):
    parties = "".join(f'[[party]]\nrole = "commissioner"\nname = "{i}"\nshare = 0.1\n' for i in range(10))
    assert len(read_study(make_study(parties)).party) == 10
