"""How a price turns units into money, mechanism by mechanism, and what caps, floors, dates and lags do to it."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from evalkit.contract import due, settle_contract
from evalkit.contract.limits import ORDER
from evalkit.contract.milestones import anniversary, milestones_earned
from evalkit.contract.paying import CONTRACT_FLOOR, pay_at, trigger_key
from evalkit.contract.pennies import ROUNDING
from evalkit.contract.reading import read_papers
from evalkit.errors import DataError
from evalkit.study import Study

DOMAIN = Path(__file__).parents[1] / "data" / "domain"


def expected(folder: str) -> dict:
    """What a worked example must come to."""
    return json.loads((DOMAIN / folder / "expected.json").read_text(encoding="utf-8"))["expected"]


def claims(units: list[float], metric: str = "m", **columns: object) -> pd.DataFrame:
    """One metric's claims."""
    return pd.DataFrame({"metric": metric, "units": units, **columns})


def card(**columns: object) -> pd.DataFrame:
    """The rate card of one metric "m"."""
    rows = max((len(value) for value in columns.values() if isinstance(value, list)), default=1)
    return pd.DataFrame({"metric": ["m"] * rows, **columns})


def paid(rate_card: pd.DataFrame, achieved: pd.DataFrame, **terms: object) -> list[float]:
    """What each line of the ledger pays."""
    return due(rate_card, achieved, **terms)["paid"].tolist()


# ---------------------------------------------------------------- mechanisms


@pytest.mark.parametrize(
    ("mechanism", "owed"),
    [("threshold", [0, 0, 600, 50]), ("excess", [0, 0, 100, 50]), ("unit", [200, 100, 300, 50])],
)
def test_below_its_threshold_a_price_pays_nothing_and_then_all_units_or_only_those_above(mechanism, owed):
    terms = {} if mechanism == "unit" else {"threshold": 50}
    found = due(card(price=10, mechanism=mechanism, **terms), claims([20, 10, 30, 5]))
    assert found["paid"].tolist() == owed
    assert (found["why"] == "below the threshold").sum() == (0 if mechanism == "unit" else 2)


def test_a_threshold_of_exactly_as_many_units_is_reached():
    assert paid(card(price=10, mechanism="threshold", threshold=50), claims([49.999])) == [0]
    assert paid(card(price=10, mechanism="threshold", threshold=50), claims([50])) == [500]


def test_a_threshold_is_each_persons_where_people_are_named_unless_the_card_says_the_cohort():
    named = claims([8, 12, 6], person=["a", "b", "a"])
    own = card(price=10, mechanism="threshold", threshold=10)
    assert paid(own, named) == [0, 120, 140]
    assert paid(own.assign(per="cohort"), named) == [0, 200, 60]


def test_saved_pays_for_what_lies_below_the_baseline_person_by_person_and_nothing_back():
    saved = card(price=45, mechanism="saved", baseline=180)
    found = due(saved, claims([100, 200, 180], person=["a", "b", "c"]))
    assert found["paid"].tolist() == [3600, 0, 0]
    assert found["why"].tolist() == ["", "not below the baseline", "not below the baseline"]
    assert found["units"].tolist() == [100, 200, 180]  # as observed


def test_a_claw_back_takes_money_back_and_gives_the_cap_its_room_again():
    saved = card(price=10, mechanism="saved", baseline=180, claw_back="yes", cap_metric=1400)
    assert paid(saved, claims([30, 200, 0])) == [1400, -200, 200]


def test_a_slide_of_several_rows_pays_each_band_at_its_own_rate_and_a_row_of_nothing_ends_it():
    bands = card(price=[100, 50, 0], mechanism="slide", threshold=[5, 10, 20])
    totals = [sum(paid(bands, claims([level]))) for level in (5, 7, 10, 12, 20, 30)]
    assert totals == [0, 200, 500, 600, 1000, 1000]


def test_a_scale_runs_on_straight_lines_between_its_amounts_with_a_ceiling_and_if_wanted_a_floor():
    scale = card(price=[100, 1000], mechanism="scale", threshold=[0.2, 0.4])
    assert [sum(paid(scale, claims([level]))) for level in (0.1, 0.2, 0.3, 0.4, 0.9)] == [0, 100, 550, 1000, 1000]
    floored = card(price=[100, 100, 1000], mechanism="scale", threshold=[0, 0.2, 0.4])
    assert [sum(paid(floored, claims([level]))) for level in (0, 0.1, 0.25)] == [100, 100, 325]


def test_levels_of_a_scale_pay_only_what_is_further_than_before():
    scale = card(price=[100, 1000], mechanism="scale", threshold=[0.2, 0.4])
    assert paid(scale, claims([0.3, 0.25, 0.4])) == [550, 0, 450]


def test_able_steps_pay_the_highest_step_reached():
    steps = pd.read_csv(DOMAIN / "17_able_stepped_payment" / "steps.csv")
    rates = steps.rename(columns={"min_reduction_pct": "threshold", "payment_usd": "price"})
    rates = rates.assign(metric="m", mechanism="step")
    for reduction, amount in expected("17_able_stepped_payment")["payments"].items():
        assert paid(rates, claims([float(reduction)])) == [amount]


# ---------------------------------------------------------------- caps, floors, years, lags, price changes

YEARS = {"date": ["2020-03-31", "2020-04-01", "2021-03-31", "2021-04-01"]}


def test_a_cap_of_a_year_counts_from_the_month_in_which_the_contracts_year_begins():
    rates = card(price=100)
    calendar = due(rates, claims([1, 1, 1, 1], **YEARS), cap_year=150)
    assert calendar["paid"].tolist() == [100, 50, 100, 50]
    assert calendar["why"].tolist()[1] == "cap of 150 for the contract in 2020"
    april = due(rates, claims([1, 1, 1, 1], **YEARS), cap_year=150, year_starts_month=4)
    assert april["paid"].tolist() == [100, 100, 50, 100]
    assert april["why"].tolist()[2] == "cap of 150 for the contract in 2020/21"


def test_a_payment_counts_in_a_year_by_achievement_or_by_the_day_it_falls_due():
    rates, achieved = card(price=100, lag_days=30), claims([1, 1], date=["2020-12-20", "2021-01-05"])
    assert paid(rates, achieved, cap_year=150) == [100, 100]
    late = due(rates, achieved, cap_year=150, year_by="due")
    assert late["paid"].tolist() == [100, 50]
    assert late["due_on"].dt.date.tolist() == [dt.date(2021, 1, 19), dt.date(2021, 2, 4)]


def test_a_metric_may_have_a_cap_of_a_year_of_its_own():
    rates = pd.DataFrame({"metric": ["m", "n"], "price": 100, "cap_year": [150, None]})
    both = pd.concat([claims([1, 1], date="2020-05-01"), claims([3], "n", date="2020-05-01")])
    assert paid(rates, both) == [100, 50, 300]


def test_caps_of_person_metric_year_and_contract_cut_one_after_another_and_why_names_each():
    rates = card(price=100, cap_person=90, cap_metric=140)
    found = due(rates, claims([1, 1, 1], person=["a", "b", "c"], date="2020-05-01"), cap=1000, cap_year=130)
    assert found["paid"].tolist() == [90, 40, 0]
    every = "cap of 90 for one person, cap of 140 for the metric and cap of 130 for the contract in 2020"
    assert found["why"].tolist() == ["cap of 90 for one person", every, every]
    assert (found["gross"] - found["paid"]).tolist() == found["cut_off"].tolist()


def test_a_floor_is_a_line_of_its_own_that_lifts_the_sum_and_says_so():
    rates = pd.DataFrame({"metric": ["m", "n"], "price": [100, 5], "floor_metric": [500, None]})
    found = due(rates, claims([1]), floor=1000)
    assert found["paid"].tolist() == [100, 400, 500]
    assert found["metric"].tolist() == ["m", "m", CONTRACT_FLOOR]
    assert found["why"].tolist()[1:] == ["floor of 500 for the metric", "floor of 1,000 for the contract"]
    assert found["mechanism"].tolist() == ["unit", "floor", "floor"]
    assert paid(rates, claims([20]), floor=1000) == [2000]  # above both floors: no line


def test_a_floor_above_a_cap_and_a_limit_that_is_no_amount_are_refused():
    with pytest.raises(DataError, match="floor is above its cap"):
        due(card(price=1), claims([1]), cap=10, floor=11)
    with pytest.raises(DataError, match="m: the floor is negative or above the metric's cap"):
        due(card(price=1, cap_metric=5, floor_metric=6), claims([1]))
    with pytest.raises(DataError, match=r'cap "£1,000" is not a plain amount'):
        due(card(price=1), claims([1]), cap="£1,000")


def test_prices_that_follow_each_other_are_chosen_by_the_date_of_the_claim():
    rates = card(price=[100, 120], **{"from": [None, "2021-01-01"], "until": ["2020-12-31", None]})
    found = due(rates, claims([1, 2], date=[dt.date(2020, 12, 31), dt.date(2021, 1, 1)]))
    assert found[["price", "paid"]].to_numpy().tolist() == [[100, 100], [120, 240]]
    with pytest.raises(DataError, match="no price for the date of row 3"):
        due(rates, claims([1, 2], date=["2020-12-31", None]))
    gap = rates.assign(**{"from": [None, "2021-02-01"]})
    with pytest.raises(DataError, match="no price for the date of row 2"):
        due(gap, claims([1], date=["2021-01-15"]))


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"price": [1, 2], "from": ["2020-01-01", "2020-06-01"], "until": ["2020-06-01", None]}, "of the same time"),
        ({"price": [1, 2], "from": [None, "2020-06-01"], "until": [None, None]}, "of the same time"),
        ({"price": [1], "from": ["2020-06-01"], "until": ["2020-01-01"]}, "ends .* before it begins"),
        ({"price": [1, 2]}, "stands on 2 rows"),
        ({"price": [1], "mechanism": "saved"}, '"saved" needs a baseline'),
        ({"price": [1], "mechanism": "scale", "threshold": [1]}, "needs two rows or more"),
        ({"price": [1, 2], "mechanism": "step", "threshold": [5, 5]}, "a threshold is given twice"),
        ({"price": [1], "mechanism": "threshold"}, "a threshold needs a threshold"),
        ({"price": [1], "lag_days": [2.5]}, "whole number of days"),
        ({"price": [1], "claw_back": ["yes"]}, 'claw_back belongs to "saved"'),
        ({"price": [1], "deadweight_in_price": ["perhaps"]}, "write yes or no"),
        ({"price": [1], "per": ["parson"]}, 'Did you mean "person"'),
        ({"price": [1, 2], "mechanism": "step", "threshold": [1, 2], "cap_metric": [5, 6]}, "differs between its rows"),
        ({"price": [1], "mechanism": "trigger"}, 'mechanism "trigger" is not known'),
    ],
)
def test_a_rate_card_that_cannot_be_is_refused_with_the_reason(columns, says):
    with pytest.raises(DataError, match=says):
        due(card(**columns), claims([1], date="2020-03-01"))


def test_the_order_of_limits_and_the_rounding_are_named():
    assert ORDER.index("person") < ORDER.index("metric") < ORDER.index("floors")
    assert "halves up" in ROUNDING


# ---------------------------------------------------------------- published and worked examples


def test_innovation_fund_claims_of_one_person_are_cut_by_400_at_the_cap_of_8200():
    case = expected("05_dwp_innovation_fund_negative")
    rates = pd.read_csv(DOMAIN / "05_dwp_innovation_fund_negative" / "rate_card.csv")
    rates = rates.rename(columns={"outcome": "metric", "price_gbp": "price"})
    example = case["rate_card_payment_example"]
    made = pd.DataFrame({"metric": list(example["claims"]), "units": list(example["claims"].values()), "person": "p"})
    ledger = due(rates.assign(cap_person=case["per_participant_cap_gbp"]), made)
    sums = ledger[["gross", "paid", "cut_off"]].sum().tolist()
    assert sums == [example["gross_gbp"], example["paid_gbp"], example["capped_off_gbp"]]


def test_educate_girls_is_paid_at_prices_and_at_target_and_a_cap_in_another_currency_is_not_applied(tmp_path):
    case = expected("04_educate_girls")
    terms = pd.read_csv(DOMAIN / "04_educate_girls" / "terms.csv")
    counts = pd.read_csv(DOMAIN / "04_educate_girls" / "counts.csv").set_index("item")["n"]
    rates = terms.rename(columns={"price_chf": "price"})[["metric", "price"]]
    share = terms.set_index("metric")["achieved"] / terms.set_index("metric")["target"] * 100
    rate = counts["enrolled"] / counts["eligible_out_of_school_girls"] * 100
    at_target = due(rates, terms[["metric", "target"]].rename(columns={"target": "units"}))
    achieved = terms[["metric", "achieved"]].rename(columns={"achieved": "units"})
    uncapped = due(rates, achieved)
    assert share["learning_levels"] == pytest.approx(case["learning_pct_of_target"], rel=1e-4)
    assert share["enrolment_pct"] == pytest.approx(case["enrolment_pct_of_target"], rel=1e-4)
    assert rate == pytest.approx(case["enrolment_rate_pct"], rel=1e-4)
    assert uncapped["paid"].sum() == pytest.approx(case["payment_at_published_prices_chf_uncapped"], rel=1e-4)
    assert at_target["paid"].sum() == pytest.approx(case["payment_at_target_chf"], rel=1e-4)
    learning = at_target.loc[at_target["metric"] == "learning_levels", "paid"].sum() / at_target["paid"].sum()
    assert learning * 100 == pytest.approx(case["learning_share_at_target_pct"], rel=1e-4)
    rates.to_csv(tmp_path / "rate_card.csv", index=False)
    achieved.to_csv(tmp_path / "achieved.csv", index=False)
    about = {"id": "eg", "title": "EG", "kind": "published figures", "currency": "CHF"}
    limit = case["max_outcome_funds_usd"]
    contract = {"rate_card": "rate_card.csv", "achieved": "achieved.csv", "published": True}
    found = settle_contract(
        Study(study=about, contract={**contract, "cap": limit, "cap_currency": "USD"}, folder=tmp_path)
    )
    assert found.totals["owed"] == uncapped["paid"].sum().round(2) > limit
    said = next(flag for flag in found.flags if flag.about == "cap")
    assert (said.level, "$422,000 was not applied: prices are in CHF" in said.text) == ("serious", True)
    same = settle_contract(Study(study=about, contract={**contract, "cap": limit}, folder=tmp_path))
    assert same.totals["owed"] == limit


MILESTONES = {
    "registration": "registered",
    "placement": "placed",
    "one_year": ("placed", 12),
    "two_years": ("placed", 24),
}


def test_adoption_milestones_are_earned_from_dates_of_registration_placement_and_breakdown():
    case = expected("06_iaam_milestone_ledger")
    folder = DOMAIN / "06_iaam_milestone_ledger"
    rates = pd.read_csv(folder / "rate_card.csv").rename(columns={"milestone": "metric", "price_gbp": "price"})
    earned = milestones_earned(pd.read_csv(folder / "ledger.csv"), case["observation_date"], MILESTONES)
    ledger = due(rates.assign(mechanism="milestone"), earned)
    assert rates["price"].sum() == case["price_per_full_success"]
    assert ledger["paid"].sum() == case["total"]
    assert ledger.groupby("metric")["paid"].sum().to_dict() == case["by_milestone"]
    for child in case["by_child"]:
        mine = ledger[ledger["person"] == child["child"]]
        assert (mine["paid"].sum(), list(mine["metric"])) == (child["paid"], child["milestones"])


@pytest.mark.parametrize(
    ("placed", "breakdown", "observed", "earned"),
    [
        ("2014-07-31", None, "2015-07-31", True),  # the day itself counts
        ("2014-07-31", None, "2015-07-30", False),
        ("2014-07-31", "2015-07-30", "2016-01-01", False),
        ("2014-07-31", "2015-07-31", "2016-01-01", True),  # a breakdown on the day is not before it
        ("2012-02-29", None, "2013-02-28", True),
        ("2012-02-29", None, "2013-02-27", False),
        (None, None, "2016-01-01", False),
    ],
)
def test_a_year_is_earned_on_its_anniversary_if_nothing_broke_down_before_it(placed, breakdown, observed, earned):
    row = pd.DataFrame({"child": ["c"], "placed": [placed], "breakdown": [breakdown]})
    found = milestones_earned(row, observed, {"one_year": ("placed", 12)})
    assert len(found) == earned
    assert list(found) == ["metric", "person", "date", "units"]


def test_after_29_february_a_year_ends_on_the_28th_or_by_choice_on_1_march():
    day = pd.Timestamp("2012-02-29")
    assert anniversary(day, 12) == pd.Timestamp("2013-02-28")
    assert anniversary(day, 12, "1 March") == pd.Timestamp("2013-03-01")
    assert anniversary(day, 48, "1 March") == pd.Timestamp("2016-02-29")
    assert anniversary(pd.Timestamp("2014-08-31"), 6) == pd.Timestamp("2015-02-28")


def test_a_milestone_ledger_names_all_that_is_wrong_at_once_and_no_person():
    rows = pd.DataFrame(
        {"child": ["Ann", "Ann"], "placed": ["1/2/2014", "2014-02-01"], "breakdown": [None, "2014-01-01"]}
    )
    with pytest.raises(DataError) as error:
        milestones_earned(rows, "soon", {"one_year": ("plced", 12), "placement": "placed"})
    for part in ('"soon" is not a date', 'Did you mean "placed"', "is not a date, in row 2", "row 3 name a person"):
        assert part in str(error.value)
    assert "Ann" not in str(error.value)


# ---------------------------------------------------------------- triggers in the ledger


def peterborough(tmp_path: Path, at_least: float, pays: float | None = 1000.0, **more: object) -> object:
    """A contract with one trigger on a relative fall of 142 against 155, each known to the nearest whole number."""
    trigger = {
        "id": "early",
        "says": "a fall",
        "outcome": "r",
        "at_least": at_least,
        "pays": pays,
        "due_on": dt.date(2014, 8, 7),
    }
    about = {"id": "p", "title": "P", "kind": "published figures"}
    study = Study(study=about, contract={"published": True, "trigger": [trigger], **more}, folder=tmp_path)
    rates = pd.read_csv(DOMAIN / "01_peterborough_threshold" / "rates.csv").set_index("arm")["convictions_per_100"]
    row = {"outcome": "r", "estimator": "published", "better": "lower", "deadweight": None, "why_no_deadweight": "",
           "observed": rates["treated"], "counterfactual": rates["comparison"],
           "effect": rates["treated"] - rates["comparison"],
           "relative": rates["treated"] / rates["comparison"] - 1,
           "relative_low": (rates["treated"] - 0.5) / (rates["comparison"] + 0.5) - 1,
           "relative_high": (rates["treated"] + 0.5) / (rates["comparison"] - 0.5) - 1}  # fmt: skip
    effects = SimpleNamespace(study=study, table=pd.DataFrame([row]), joint=lambda draws, seed: pd.DataFrame())
    return settle_contract(effects)


def test_peterborough_early_payment_is_not_triggered_and_the_reduction_lies_in_its_rounding_interval(tmp_path):
    case, rules = expected("01_peterborough_threshold"), DOMAIN / "01_peterborough_threshold" / "rules.csv"
    at_least = pd.read_csv(rules).set_index("trigger")["min_reduction_pct"] / 100
    found = peterborough(tmp_path, float(at_least["early"]))
    row = found.triggers.iloc[0]
    assert row["relative"] * 100 == pytest.approx(case["cohort1_relative_reduction_pct_from_rounded_rates"], rel=1e-4)
    ends = [row["relative_low"] * 100, row["relative_high"] * 100]
    assert ends == pytest.approx(case["rounding_interval_pct"], rel=1e-4)
    assert (row["met"] == "met") is case["cohort1_early_payment_10pct_triggered"]
    assert found.ledger.empty
    assert found.table.loc[0, ["metric", "mechanism", "owed"]].tolist() == ["trigger early", "trigger", 0]
    final = peterborough(tmp_path, float(at_least["final"]))
    assert (final.triggers.iloc[0]["met"] == "met") is case["final_payment_7_5pct_triggered"]


def test_a_trigger_that_is_met_is_a_line_of_the_ledger_with_its_day(tmp_path):
    found = peterborough(tmp_path, 0.075)
    line = found.ledger.iloc[0]
    assert line[["metric", "paid", "mechanism", "price"]].tolist() == ["trigger early", 1000, "trigger", 1000]
    assert line["due_on"] == pd.Timestamp("2014-08-07")
    assert (found.totals["owed"], found.totals["triggers"], found.table["owed"].sum()) == (1000, 1000, 1000)


def test_a_trigger_that_rounding_does_not_settle_pays_nothing_and_says_so(tmp_path):
    found = peterborough(tmp_path, 0.08)
    assert found.ledger[["paid", "why"]].to_numpy().tolist() == [[0, "not settled by the rounding: nothing is paid"]]
    said = next(flag for flag in found.flags if flag.about == "trigger")
    assert said.detail == "£1,000 hangs on it, and nothing is counted as owed."


def test_a_trigger_is_held_to_the_contracts_cap(tmp_path):
    found = peterborough(tmp_path, 0.075, cap=600)
    assert found.ledger[["gross", "paid", "cut_off"]].to_numpy().tolist() == [[1000, 600, 400]]
    assert found.ledger["why"].tolist() == ["cap of 600 for the contract"]


def test_a_trigger_with_money_on_it_that_nobody_judged_is_flagged(tmp_path):
    trigger = {"id": "t", "says": "a fall", "outcome": "r", "at_least": 0.1, "pays": 5000}
    study = Study(study={"id": "p", "title": "P", "kind": "real"}, contract={"trigger": [trigger]}, folder=tmp_path)
    found = settle_contract(study)
    assert any("£5,000 hangs on a trigger that is not judged" in flag.text for flag in found.flags)
    assert found.totals["owed"] is None


# ---------------------------------------------------------------- the same contract at other outcomes


def papers_of(tmp_path: Path, rates: pd.DataFrame, achieved: pd.DataFrame, **contract: object) -> tuple:
    """Papers and plan of a study made of two tables."""
    rates.to_csv(tmp_path / "rate_card.csv", index=False)
    achieved.to_csv(tmp_path / "achieved.csv", index=False)
    named = {"rate_card": "rate_card.csv", "achieved": "achieved.csv"}
    study = Study(study={"id": "d", "title": "D", "kind": "synthetic"}, contract={**named, **contract}, folder=tmp_path)
    return read_papers(study), study.contract, study


EVERYTHING = pd.DataFrame(
    [
        {"metric": "unit", "price": 33.335, "mechanism": "unit", "cap_metric": 900},
        {"metric": "stone", "price": 250, "mechanism": "milestone", "cap_person": 300},
        {"metric": "saved", "price": 7.005, "mechanism": "saved", "baseline": 180, "floor_metric": 800},
        {"metric": "gate", "price": 40, "mechanism": "threshold", "threshold": 10, "per": "cohort"},
        {"metric": "step", "price": 100, "mechanism": "step", "threshold": 5},
        {"metric": "step", "price": 300, "mechanism": "step", "threshold": 9},
        {"metric": "slide", "price": 12.5, "mechanism": "slide", "threshold": 2},
        {"metric": "scale", "price": 10, "mechanism": "scale", "threshold": 0},
        {"metric": "scale", "price": 90, "mechanism": "scale", "threshold": 8},
    ]
)
DONE = pd.DataFrame(
    [
        {"metric": name, "units": units, "date": f"20{20 + place % 3}-0{place % 9 + 1}-15", "person": person}
        for place, (name, units, person) in enumerate(
            [("unit", 13, ""), ("unit", 17.5, ""), ("stone", 1, "a"), ("stone", 1, "b"), ("saved", 100, "a"),
             ("saved", 171.3, "b"), ("gate", 6, ""), ("gate", 7, ""), ("step", 6, ""), ("step", 11, ""),
             ("slide", 4, ""), ("scale", 3, ""), ("stone", 1, "a")]
        )
    ]
)  # fmt: skip


def test_at_full_shares_every_draw_pays_what_the_ledger_pays(tmp_path):
    papers, plan, study = papers_of(tmp_path, EVERYTHING, DONE, cap=4000, cap_year=900, floor=2600)
    settled = settle_contract(study).table.set_index("metric")["owed"]
    for shares in ({}, {name: np.ones(3) for name in papers.prices}):
        found = pay_at(papers, plan, shares, 3)
        assert set(found) == set(settled.index)
        for metric, amounts in found.items():
            assert amounts.tolist() == pytest.approx([settled[metric]] * 3, abs=1e-9)


def test_draws_go_through_thresholds_caps_and_floors_one_by_one(tmp_path):
    rates = pd.DataFrame([{"metric": "g", "price": 10, "mechanism": "threshold", "threshold": 50, "cap_metric": 700},
                          {"metric": "u", "price": 1, "mechanism": "unit", "floor_metric": 40}])  # fmt: skip
    papers, plan, _ = papers_of(tmp_path, rates, pd.concat([claims([100], "g"), claims([100], "u")]), floor=300)
    found = pay_at(papers, plan, {"g": np.array([0.0, 0.49, 0.5, 1.0]), "u": np.array([1.0, 0.3, 0.5, np.nan])}, 4)
    assert found["g"].tolist() == [0, 0, 500, 700]
    assert found["u"].tolist() == [100, 40, 50, 40]
    assert found[CONTRACT_FLOOR].tolist() == [200, 260, 0, 0]


def test_a_share_of_what_was_saved_is_a_share_of_the_saving_and_not_of_what_was_observed(tmp_path):
    rates = pd.DataFrame([{"metric": "s", "price": 2, "mechanism": "saved", "baseline": 180}])
    papers, plan, _ = papers_of(tmp_path, rates, claims([100, 200], "s", person=["a", "b"]))
    assert pay_at(papers, plan, {"s": np.array([0.5, 1.0])}, 2)["s"].tolist() == [80, 160]


def test_units_may_be_replaced_outright(tmp_path):
    rates = pd.DataFrame([{"metric": "u", "price": 2, "mechanism": "unit", "cap_metric": 50},
                          {"metric": "s", "price": 1, "mechanism": "saved", "baseline": 100},
                          {"metric": "l", "price": 100, "mechanism": "step", "threshold": 5},
                          {"metric": "n", "price": 3, "mechanism": "unit"}])  # fmt: skip
    done = pd.concat([claims([4, 6], "u"), claims([40, 60], "s"), claims([3, 4], "l")])
    papers, plan, _ = papers_of(tmp_path, rates, done)
    found = pay_at(papers, plan, {}, 2, units={"u": [20.0, 30.0], "s": 150, "l": [4.9, 5.0], "n": 7})
    assert found["u"].tolist() == [40, 50]
    assert found["s"].tolist() == [200 - 150] * 2
    assert found["l"].tolist() == [0, 100]
    assert found["n"].tolist() == [21, 21]


def test_a_trigger_pays_in_the_draws_in_which_it_is_met_and_spends_the_cap(tmp_path):
    trigger = {"id": "t", "says": "x", "outcome": "o", "at_least": 0.1, "pays": 500, "due_on": dt.date(2020, 1, 1)}
    papers, plan, _ = papers_of(tmp_path, card(price=10), claims([10], date="2021-01-01"), trigger=[trigger], cap=550)
    found = pay_at(papers, plan, {trigger_key("t"): np.array([0.0, 1.0])}, 2)
    assert found[trigger_key("t")].tolist() == [0, 500]
    assert found["m"].tolist() == [100, 50]
    assert pay_at(papers, plan, {}, 1)[trigger_key("t")].tolist() == [0]


def test_whether_deadweight_is_in_the_price_is_said_by_the_row_and_else_by_the_contract(tmp_path):
    rates = pd.DataFrame({"metric": list("abc"), "price": 1, "deadweight_in_price": ["yes", "no", None]})
    for whole in (True, False):
        papers, _, _ = papers_of(tmp_path, rates, claims([1], "a"), deadweight_in_price=whole)
        assert [price.in_price for price in papers.prices.values()] == [True, False, whole]
