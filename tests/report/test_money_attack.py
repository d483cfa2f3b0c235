"""A reader with pencil and paper who wants to know how few people an amount was paid for, or was worth."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest

import evalkit as ek
from evalkit.indigo import export_indigo
from evalkit.provenance import record
from evalkit.report.html import plain
from evalkit.report.page import build
from evalkit.report.results import as_dicts, results
from evalkit.report.summary import summary

STUDY = """
[study]
id = "attacked"
title = "Records of real children"
kind = "real"
price_year = 2023
[[party]]
role = "commissioner"
name = "North"
share = 0.5
agency = "council"
[[party]]
role = "commissioner"
name = "South"
share = 0.5
agency = "police"
[tables]
people = "people.csv"
[cohort]
person = "person_id"
index = { table = "people", date = "from_day", pick = "first" }
arm = { column = "arm", treated = "a", comparison = "b" }
[[measure]]
id = "home"
rule = "home == 1"
kind = "objective"
better = "higher"
[[measure]]
id = "exam"
rule = "exam == 1"
kind = "objective"
better = "higher"
[counterfactual]
estimator = "difference"
outcomes = ["home", "exam"]
[contract]
rate_card = "card.csv"
achieved = "achieved.csv"
payments = "payments.csv"
CONTRACT
[disclosure]
reviewer = "A. Reader, statistician"
MORE
"""


def people(home=(60, 40), exam=(50, 30), arms=(120, 110)):
    """Two arms, and how many of each had either outcome."""
    rows = []
    for arm, n, at_home, passed in zip("ab", arms, home, exam, strict=True):
        places = np.arange(n)
        rows.append(pd.DataFrame({"arm": arm, "home": (places < at_home) * 1, "exam": (places[::-1] < passed) * 1}))
    found = pd.concat(rows, ignore_index=True)
    return found.assign(person_id=[f"p{n:03}" for n in range(len(found))], from_day="2020-01-06")


@pytest.fixture
def attacked(make_study):
    """Evaluate a contract; units and payments as lines of csv, other tables by name."""

    def make(card, achieved, payments, contract="", more="", who=None, **tables):
        plan = STUDY.replace("CONTRACT", contract).replace("MORE", more)
        tables |= {
            "card": f"metric,title,outcome,price\n{card}",
            "achieved": f"metric,units,date\n{achieved}",
            "payments": f"metric,kind,plan,start,end,amount,payer\n{payments}",
            "people": people() if who is None else who,
        }
        return ek.evaluate(make_study(plan, **tables))

    return make


def leaves(evaluation) -> str:
    """Everything that leaves: the page with its drawings in words, the results, the summary, INDIGO's form."""
    parts = [part.html for part in build(evaluation).values()]
    told = [plain(part) + " " + " ".join(re.findall(r'aria-label="([^"]*)"', part)) for part in parts]
    exported = export_indigo(evaluation)
    whole = [as_dicts(results(evaluation)), summary(evaluation), exported.project, exported.left_out, exported.sheets()]
    return " ".join([*told, *(json.dumps(one, default=str) for one in whole)])


def numbers(text: str) -> list[float]:
    """Every number in a text."""
    return [float(found.replace(",", "")) for found in re.findall(r"\d[\d,]*(?:\.\d+)?", text)]


def tells(evaluation, *amounts: float) -> list[float]:
    """Those of the amounts that are written somewhere, in whatever form."""
    told = np.array(numbers(leaves(evaluation)))
    return [amount for amount in amounts if (np.abs(told - amount) < 0.005).any()]


def paid(metric, amount, end="2020-03-31", payer="", kind="actual", plan=""):
    """One payment as a line of csv."""
    return f"{metric},{kind},{plan},2020-01-01,{end},{amount},{payer}"


def lines(*rows: str) -> str:
    return "\n".join(rows)


CARD = "home,At home,home,1000\nexam,Exam,exam,530\nrare,Feels safe,,700\nbig,Joined,,310\nsome,Stayed,,250"
ACHIEVED = "home,60,2020-03-31\nexam,50,2020-03-31\nrare,4,2020-03-31\nbig,100,2020-09-30\nsome,80,2020-09-30"
PAID = [paid("home", 60000, payer="North"), paid("exam", 26500, payer="South"), paid("rare", 2800, payer="South")]
PAID += [paid("big", 31000, "2020-09-30", "North"), paid("some", 20000, "2020-09-30", "North")]


# ---------------------------------------------------------------- totals less what else is known


def test_what_is_known_from_observed_outcomes_does_not_leave_the_hidden_amount(attacked):
    found = attacked(CARD, ACHIEVED, lines(*PAID))
    told = {one.id: one.value for one in results(found)}
    exact = 60 * 1000 + 50 * 530  # observed shares times everyone treated, at the prices of the rate card
    shown = sum(told.get(f"contract.cost_per_outcome.{metric}") is not None for metric in ("big", "some"))
    assert told["contract.owed"] == 140300
    assert shown == 0  # both must stay hidden, or the four children behind "rare" follow from the total
    assert 140300 - exact == 4 * 700 + 100 * 310 + 80 * 250


def test_what_can_be_judged_is_not_summed_where_it_would_leave_a_hidden_amount(attacked):
    """Two linked metrics of few people: their sum, and the sum of what was anyway, are two equations."""
    who = people(home=(7, 25), exam=(6, 22))
    achieved = ACHIEVED.replace("home,60", "home,7").replace("exam,50", "exam,6").replace("rare,4", "rare,40")
    rows = [paid("home", 7000), paid("exam", 3180), paid("rare", 28000), paid("big", 31000), paid("some", 20000)]
    found = attacked(CARD, achieved, lines(*rows), who=who)
    assert found.contract.totals["judged"] == 7000 + 3180
    assert tells(found, 7000, 3180, 10180) == []
    assert not [one.id for one in results(found) if one.id.startswith("contract.anyway")]
    assert "can be judged" not in leaves(found)


def test_one_metric_of_few_people_is_told_by_no_total(attacked):
    contract = 'costs = "costs.csv"\ncash_flows = "flows.csv"\nmaximum_recorded = 2000'
    rows = [paid("rare", 2800, payer="North"), paid("", 5600, kind="planned", plan="plan1")]
    costs = "phase,what,party,actual\ndevelopment and design,Feasibility study,North,1400"
    flows = "date,amount,kind\n2020-01-01,-2000,investment\n2020-03-31,2800,payment"
    found = attacked("rare,Feels safe,,700", "rare,4,2020-03-31", lines(*rows), contract, costs=costs, flows=flows)
    assert tells(found, 2800) == []
    told = [one for one in results(found) if one.value is not None]
    shares = {"contract.share_of_plan.plan1", "contract.running_cost_share", "investors.net", "investors.multiple"}
    assert shares.isdisjoint(one.id for one in told)
    assert "50%" not in plain(build(found)["payments"].html)
    assert "rests on a hidden count" in plain(build(found)["timescales"].html)


def test_amounts_paid_without_a_record_of_what_was_achieved_are_counts_too(attacked):
    rows = [paid("rare", 2800), paid("big", 31000, "2020-09-30")]
    found = attacked("rare,Feels safe,,700\nbig,Joined,,310", "big,100,2020-09-30", lines(*rows))
    assert tells(found, 2800, 33800) == []


def test_nearly_everybody_is_as_telling_as_nearly_nobody(attacked):
    """117 of 120 at home: three are not. The rest of the contract is known, so the total may not leave."""
    rows = [paid("home", 117000), paid("exam", 26500)]
    card, achieved = "home,At home,home,1000\nexam,Exam,exam,530", "home,117,2020-03-31\nexam,50,2020-03-31"
    found = attacked(card, achieved, lines(*rows), who=people(home=(117, 60)))
    assert tells(found, 117, 117000, 143500) == []


def test_a_question_about_a_difference_does_not_tell_that_nearly_everybody_succeeded(attacked):
    rows = [paid("home", 118000), paid("exam", 26500), paid("big", 31000, "2020-09-30")]
    card = "home,At home,home,1000\nexam,Exam,exam,530\nbig,Joined,,310"
    achieved = "home,117,2020-03-31\nexam,50,2020-03-31\nbig,100,2020-09-30"
    found = attacked(card, achieved, lines(*rows), who=people(home=(117, 60)))
    (asked,) = [flag for flag in found.contract.flags if "To ask the parties" in flag.detail]
    assert "At home: paid and owed differ; the figures rest on a hidden count." in asked.detail
    assert tells(found, 117, 118, 117000, 118000) == []


def test_files_of_a_contract_with_a_hidden_count_are_told_without_their_hash(attacked):
    found = attacked(CARD, ACHIEVED, lines(*PAID))
    told = {part["file"]: part["sha256"] for part in record(found)["tables"]}
    assert (told["achieved.csv"], told["payments.csv"]) == ("[c]", "[c]")
    assert len(told["card.csv"]) == 64
    honest = attacked(CARD, ACHIEVED.replace("rare,4", "rare,40"), lines(*PAID).replace("2800", "28000"))
    assert {len(part["sha256"]) for part in record(honest)["tables"]} == {64}


# ---------------------------------------------------------------- payers, agencies, periods, investors


def test_no_payer_and_no_agency_is_shown_with_what_only_a_hidden_metric_explains(attacked):
    value = '[value]\nimpact_map = "map.csv"\ncost = 90000'
    impact = "outcome,title,agency,kind_of_value,quantity,proxy,price_year\nhome,At home,council,fiscal,,900,2023"
    found = attacked(CARD, ACHIEVED, lines(*PAID), more=value, map=impact)
    assert tells(found, 29300, 29300 - 26500) == []  # South paid for exams, known, and for four children


def test_steps_of_the_curve_do_not_come_apart_into_the_prices(attacked):
    card = "many,Many,,1000\nless,Less,,531"
    achieved = "many,30,2020-03-31\nless,3,2020-03-31\nmany,30,2020-09-30\nless,30,2020-09-30"
    rows = [paid("many", 30000), paid("less", 1593), paid("many", 30000, "2020-09-30")]
    rows += [paid("less", 15930, "2020-09-30"), paid("many", 90000, kind="planned", plan="plan1")]
    flows = "date,amount,investor\n2020-01-01,-50000,One\n2020-03-31,31593,One\n2020-09-30,45930,One"
    found = attacked(card, achieved, lines(*rows), 'cash_flows = "flows.csv"', flows=flows)
    assert (31593 - 3 * 531) % 1000 == 0  # and no other number of children below 10 leaves whole thousands
    points = re.findall(r'class="solid" cx="([\d.]+)"', build(found)["timescales"].html)
    assert len(points) == 2  # the last one alone, wide and narrow
    assert 'id="fig-investment"' not in build(found)["investors"].html
    assert "Received so far" not in build(found)["investors"].html


def test_investors_are_not_told_apart_where_one_is_paid_for_a_hidden_metric(attacked):
    flows = "date,amount,investor\n2020-01-01,-50000,One\n2020-01-01,-2000,Two\n2020-09-30,137500,One\n"
    flows += "2020-09-30,2800,Two"
    found = attacked(CARD, ACHIEVED, lines(*PAID), 'cash_flows = "flows.csv"', flows=flows)
    assert tells(found, 2800, 137500) == []
    assert "would investors" not in plain(build(found)["investors"].html).lower() or found is None


# ---------------------------------------------------------------- people and their worth


def test_the_number_served_is_hidden_where_the_cohort_hides_it(attacked):
    costs = "phase,what,party,actual\ndevelopment and design,Feasibility study,North,14000"
    found = attacked(
        "big,Joined,,310", "big,100,2020-09-30", lines(paid("big", 31000, "2020-09-30")), 'costs = "costs.csv"',
        who=people(home=(60, 3), exam=(50, 2), arms=(120, 6)), costs=costs,
    )  # fmt: skip
    assert re.search(r"in the programme who are counted \[c\] \[c\]", plain(build(found)["costs"].html))
    assert tells(found, 120, round(14000 / 120)) == []  # all 126 are told, so the six would follow


def test_a_hidden_level_does_not_follow_from_the_effect_and_the_other_arm(attacked):
    """Four of 120 passed: the effect is printed, so neither arm's share may be; nor may what few of the others did."""
    for exam in ((4, 45), (50, 3)):  # shares that nothing else has
        found = attacked(CARD, ACHIEVED, lines(*PAID), who=people(exam=exam))
        told = {one.id: one.value for one in results(found)}
        assert told["exam.observed"] is None
        assert told["exam.counterfactual"] is None
        shares = [f"{100 * one / n:.1f}%" for one, n in zip(exam, (120, 110), strict=True)]
        assert not [share for share in shares if share in leaves(found)]


IMPACT = "outcome,title,stakeholder,agency,kind_of_value,quantity,proxy,price_year,deadweight\n"


def worth(attacked, quantity, contract="", arms=(120, 110), who=None):
    """A value with one line from an effect and one that somebody typed."""
    line = f"{IMPACT}home,At home,children,council,fiscal,,900,2023,\n,Placed with kin,children,council,fiscal,"
    value = '[value]\nimpact_map = "map.csv"\ncost = 90000\n[[claim]]\nid = "c"\nsays = "It pays for itself"\n'
    value += 'result = "value.ratio"'
    who = people(arms=arms) if who is None else who
    return attacked("big,Joined,,310", "big,100,2020-09-30", lines(paid("big", 31000, "2020-09-30")), contract,
                    value, who, map=f"{line}{quantity},12345,2023,0")  # fmt: skip


def test_a_typed_count_of_few_children_and_all_that_it_follows_from_is_not_shown(attacked):
    found = worth(attacked, 4)
    home = found.effects.table.set_index("outcome").loc["home", "effect"]
    whole = found.value.present_value
    assert whole == pytest.approx((home * 120 * 900 + 4 * 12345) / 1.035)  # of which a reader knows the first part
    assert tells(found, 4 * 12345, round(whole), round(whole / 90000, 2)) == []
    assert [one.id for one in results(found) if one.id.startswith(("value.", "savings."))] == []
    assert summary(found)["ratio"] is None
    assert "savings" not in build(found)
    assert "rests on a hidden count" in plain(build(found)["value"].html)


def test_larger_quantities_and_published_ones_are_shown(attacked):
    for quantity, contract in ((40, ""), (4, "published = true")):
        found = worth(attacked, quantity, contract)
        assert {one.id for one in results(found)} >= {"value.ratio", "savings.total_fiscal"}
        assert summary(found)["ratio"] is not None


def test_a_quantity_from_an_effect_does_not_tell_how_many_were_treated_where_that_is_hidden(attacked):
    found = worth(attacked, 40, who=people(home=(60, 3), exam=(50, 2), arms=(120, 6)))
    assert [one.id for one in results(found) if one.id.startswith("value.")] == []


# ---------------------------------------------------------------- nothing is lost where nobody can be counted


def test_an_honest_contract_of_many_keeps_every_exhibit(attacked):
    contract = 'cash_flows = "flows.csv"\ncosts = "costs.csv"'
    costs = "phase,what,party,actual\ndevelopment and design,Feasibility study,North,14000"
    flows = "date,amount,kind\n2020-01-01,-90000,investment\n2020-03-31,114500,payment\n2020-09-30,51000,payment"
    rows = [one.replace("2800", "28000") for one in PAID] + [paid("", 200000, kind="planned", plan="plan1")]
    found = attacked(CARD, ACHIEVED.replace("rare,4", "rare,40"), lines(*rows), contract, costs=costs, flows=flows)
    page = leaves(found)
    assert "[c]" not in " ".join(plain(build(found)[name].html) for name in ("payments", "bought", "sib", "costs"))
    assert tells(found, 165500, 28000, 86500) == [165500, 28000, 86500]
    assert {
        "contract.anyway_share",
        "contract.share_of_plan.plan1",
        "investors.irr",
        "contract.running_cost_share",
    } <= {one.id for one in results(found)}
    assert "Received so far less paid in so far" in page
