"""Real contracts from published figures: what is typed in is what was published, and what follows from it."""

import re
from pathlib import Path

import pandas as pd
import pytest

from evalkit import evaluate
from evalkit.report import show
from evalkit.study import read_study

RAW = Path(__file__).parent.parent / "data" / "raw"
PROJECTS = {
    "project_apollo": "INDIGO-POJ-0123",
    "suffolk_stronger_families": "INDIGO-POJ-0183",
    "fostering_better_outcomes": "INDIGO-POJ-0171",
    "dwp_innovation_fund": "INDIGO-POJ-0143",
}
TYPED = [(study, file) for study in PROJECTS for file in ("rate_card.csv", "achieved.csv", "payments.csv")]


def table(study, file):
    return pd.read_csv(RAW / study / file)


def plain(evaluation):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", show(evaluation).html))


@pytest.fixture
def indigo(beside):
    """``indigo(table, project)``: the rows of one project in the data set that lies beside."""

    def rows(name, project):
        file = beside("../data/indigo") / f"original_projects_{name}.csv"
        found = pd.read_csv(file, dtype=str, encoding="utf-8-sig").rename(columns=lambda c: c.replace(" - (Value)", ""))
        return found[found["Project ID"] == project].reset_index(drop=True)

    return rows


@pytest.mark.parametrize(("study", "file"), TYPED)
def test_every_typed_figure_carries_its_source(study, file):
    if (RAW / study / file).exists():
        assert table(study, file)["source"].str.contains(PROJECTS[study]).all()


@pytest.mark.parametrize("study", ["project_apollo", "suffolk_stronger_families", "fostering_better_outcomes"])
def test_payments_are_the_published_ones_in_their_periods(study, indigo):
    ours, theirs = table(study, "payments.csv"), indigo("outcome_payments", PROJECTS[study])
    assert ours["amount"].tolist() == theirs["Payments - Amount"].astype(float).tolist()
    assert ours["kind"].str.capitalize().tolist() == theirs["Type"].tolist()
    assert ours["start"].str[:7].tolist() == theirs["Period - Start"].tolist()
    assert ours["end"].str[:7].tolist() == theirs["Period - End"].tolist()


def test_prices_and_units_of_project_apollo_are_the_published_ones(indigo):
    prices, results = indigo("outcome_pricings", "INDIGO-POJ-0123"), indigo("results", "INDIGO-POJ-0123")
    card, achieved = table("project_apollo", "rate_card.csv"), table("project_apollo", "achieved.csv")
    assert card["price"].tolist() == prices["Price Per Unit - Amount"].astype(float).tolist()
    assert achieved["units"].tolist() == results["Outcomes achieved"].astype(float).tolist()


def test_project_apollo_was_paid_220_less_than_its_rate_card_gives():
    contract = evaluate(RAW / "project_apollo").contract
    assert (contract.totals["owed"], contract.totals["paid"]) == (848_760, 848_540)
    assert contract.totals["difference"] == -220
    wrong = contract.table[contract.table["difference"].abs() > 0.5]
    assert wrong[["metric", "difference"]].to_numpy().tolist() == [["outcomemetric17", -220]]


def test_prices_of_the_innovation_fund_are_the_published_ones(indigo):
    prices = indigo("outcome_pricings", "INDIGO-POJ-0143")
    card = table("dwp_innovation_fund", "rate_card.csv")
    assert card["price"].tolist() == prices["Price Per Unit - Amount"].astype(float).tolist()
    assert set(card["cap_person"]) == {8200}


def test_the_innovation_fund_evaluation_of_2018_prints_a_negative_effect_as_negative():
    evaluation = evaluate(RAW / "dwp_innovation_fund")
    (row,) = evaluation.effects.table.to_dict("records")
    assert row["effect"] == pytest.approx(-0.16, rel=1e-12)
    assert row["deadweight"] > 1
    text = plain(evaluation)
    assert "\u221216.0 points" in text
    assert "better" not in str(row["conclusion"])


def test_essex_proportions_of_social_finance_give_a_deadweight_of_half_and_level_1():
    evaluation = evaluate(RAW / "essex_mst")
    (row,) = evaluation.effects.table.to_dict("records")
    assert row["effect"] == pytest.approx(-0.442, rel=1e-12)
    assert row["deadweight"] == pytest.approx((1 - 0.55) / (1 - 0.108), rel=1e-9)
    assert row["level"] == 1
    assert "The programme was followed by a lower share in care" in plain(evaluation)


def test_two_plans_of_one_contract_tell_opposite_stories():
    plans = evaluate(RAW / "fostering_better_outcomes").contract.plans.set_index("plan")
    assert plans["planned"].to_dict() == {"plan1": 4_180_000, "plan2": 1_028_922}
    assert plans["actual"].nunique() == 1
    assert plans["share"]["plan1"] < 0.25 < 0.85 < plans["share"]["plan2"]


def test_a_payment_at_its_cap_is_no_flag_and_no_price_is_made_up():
    evaluation = evaluate(RAW / "educate_girls")
    assert evaluation.contract.totals["paid"] == 422_000
    assert not [flag for flag in evaluation.flags if flag.about == "cap"]
    assert read_study(RAW / "educate_girls").contract.rate_card is None


def test_the_milestones_of_one_adopted_child_come_to_53600():
    assert table("iaam", "rate_card.csv")["price"].sum() == 53_600
    assert set(table("iaam", "rate_card.csv")["mechanism"]) == {"milestone"}
