"""What the pages about money say where little is on record: no zero for a fact, no empty column, points for shares."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from evalkit import evaluate, show
from evalkit.evidence import check_claim
from evalkit.report.html import plain
from evalkit.value.savings import savings_by_agency

HEAD = """
[study]
id = "little"
title = "Little is <known>"
kind = "published figures"
[contract]
published = true
source = "invented"
"""
CARD = "metric,title,price,mechanism\nhome,At home,1300,unit\nwork,In work,800,unit\n"
PAID = "metric,kind,plan,start,end,amount,payer\n,actual,,2020-01-01,2020-12-31,5000,North\n"


@pytest.fixture
def study(tmp_path):
    def make(toml: str, **files: str):
        folder = tmp_path / "apart"  # by itself: studies side by side may not share an id
        folder.mkdir(exist_ok=True)
        (folder / "study.toml").write_text(HEAD + toml)
        for name, text in files.items():
            (folder / f"{name}.csv").write_text(text)
        return evaluate(folder)

    return make


def page(evaluation, section: str) -> str:
    return re.sub(r"\s+", " ", plain(show(evaluation, section).html))


def cells(evaluation, section: str) -> list[str]:
    return [plain(cell) for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", show(evaluation, section).html, re.S)]


def test_prices_without_anything_achieved_on_record_print_no_zero_owed(study):
    found = study('rate_card = "card.csv"\npayments = "paid.csv"', card=CARD, paid=PAID)
    assert "£5,000 was paid; what was owed is not known" in page(found, "payments")
    assert "nothing that was achieved is on record" in page(found, "payments")
    assert "0" not in cells(found, "payments")
    assert not {"Owed", "Achieved", "Cut by cap"} & set(cells(found, "payments"))


def test_without_a_cap_there_is_no_column_for_what_caps_cut_and_with_one_there_is(study):
    files = {"card": CARD, "done": "metric,units\nhome,10\nwork,20\n"}
    without = cells(study('rate_card = "card.csv"\nachieved = "done.csv"', **files), "payments")
    assert "Owed" in without
    assert "13,000" in without
    assert "Cut by cap" not in without
    capped = cells(study('rate_card = "card.csv"\nachieved = "done.csv"\ncap = 90000', **files), "payments")
    assert "Cut by cap" in capped


def test_what_was_paid_without_any_price_on_record_is_told_where_payments_are(study):
    found = study('payments = "paid.csv"', paid=PAID)
    assert "£5,000 was paid. No prices are on record, so what was owed cannot be worked out." in page(found, "payments")


def test_a_plan_is_set_beside_what_was_paid_once(study):
    planned = PAID + ",planned,plan1,2020-01-01,2020-12-31,8000,\n"
    found = study('payments = "paid.csv"', paid=planned)
    assert "62% of plan1" in page(found, "timescales") or "63% of plan1" in page(found, "timescales")
    assert "plan1" not in page(found, "payments")


def test_payers_are_held_to_shares_only_where_shares_and_payers_are_on_record(study):
    party = '\n[[party]]\nrole = "commissioner"\nname = "North"\n'
    alone = study('payments = "paid.csv"' + party, paid=PAID)
    assert "recorded as having paid" not in page(alone, "sib")
    shared = study('payments = "paid.csv"' + party + "share = 1.0\n", paid=PAID)
    assert "Who was to pay, and who is recorded as having paid" in page(shared, "sib")
    nameless = study('payments = "paid.csv"' + party + "share = 1.0\n", paid=PAID.replace("North", ""))
    assert "recorded as having paid" not in page(nameless, "sib")


def test_an_outcome_for_which_nothing_is_recorded_as_paid_has_no_price_of_nothing(study):
    paid = "metric,kind,plan,start,end,amount\nhome,actual,,2020-01-01,2020-12-31,13000\n"
    toml = 'rate_card = "card.csv"\nachieved = "done.csv"\npayments = "paid.csv"'
    found = study(toml, card=CARD, done="metric,units\nhome,10\nwork,20\n", paid=paid)
    table = found.contract.looks["bought"].table.set_index("metric")
    assert table.loc["home", "cost_per_outcome"] == 1300
    assert pd.isna(table.loc["work", "cost_per_outcome"])
    assert "£0.00" not in page(found, "bought")
    assert "In work: nothing is recorded as paid for 20 recorded units at £800 (£16,000): why?" in page(found, "flags")


def test_shares_differ_in_points_and_rounding_is_never_called_an_interval(study):
    rates = "outcome,title,treated,comparison,per,values,better,rounding,published,source\n"
    rates += "eet,Share in work,59,75,100,yes or no,higher,1,true,invented\n"
    found = study('[counterfactual]\nestimator = "published"\nrates = "rates.csv"\n', rates=rates)
    brief = page(found, "brief")
    assert "59.0% against 75.0% in the comparison, 16.0 points lower" in brief
    assert "15.0 to 17.0 points lower" in brief
    assert "21.3%" not in brief + page(found, "effect")
    assert "95%" not in cells(found, "effect")


def test_one_claim_reads_as_a_sentence_and_an_unknown_result_is_told(study):
    toml = 'rate_card = "card.csv"\nachieved = "done.csv"\n[[claim]]\nid = "a"\nsays = "paid £7.60 for every £1"\n'
    toml += 'result = "contract.owde"\n'
    found = study(toml, card=CARD, done="metric,units\nhome,10\nwork,20\n")
    told = page(found, "claims")
    assert "was held to the numbers. It cannot be checked." in told
    assert 'contract.owde, which is no result of this study. Did you mean "contract.owed"?' in told


def test_one_step_reads_as_one_and_a_lone_step_without_a_plan_is_no_table(study):
    step = '\n[[contract.step]]\nsays = "Began"\nphase = "delivery"\ndone = 2020-01-01\n'
    files = {"card": CARD, "done": "metric,units\nhome,10\n"}
    toml = 'rate_card = "card.csv"\nachieved = "done.csv"'
    assert "Began" not in page(study(toml + step, **files), "timescales")
    both = page(study(toml + step + "planned = 2020-01-01\n", **files), "timescales")
    assert "The one step whose planned and actual dates are on record did not come late" in both


def test_a_contract_shows_neither_its_ledger_nor_its_plan(study):
    done = "metric,units,person\nhome,1,Somebody\nwork,1,Somebody\n"
    contract = study('rate_card = "card.csv"\nachieved = "done.csv"', card=CARD, done=done).contract
    shown = repr(contract) + contract._repr_html_()
    assert repr(contract) == f"Contract(owed £2,100, paid not known; 2 metrics, {len(contract.flags)} flags)"
    assert "Somebody" not in shown
    assert "<known>" not in contract._repr_html_()


def test_a_claim_and_savings_show_themselves_without_a_ratio_that_lacks_its_range():
    found = check_claim("£7.60 for every £1", {"ratio": 0.91, "ratio_low": 0.43, "ratio_high": 1.42})
    assert "0.43 to 1.42" in repr(found)
    assert "net_ratio" not in repr(found)
    assert "May be said" in found._repr_html_()
    saved = savings_by_agency(pd.DataFrame({"agency": ["school"], "amount": [7000]}), 6)
    assert "42,000.00" in repr(saved)
    assert "not money in hand" in saved._repr_html_()
