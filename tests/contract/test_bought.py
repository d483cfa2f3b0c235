"""What the payments bought: the price of what was added, the effect that pays for nothing, and the investors."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from evalkit.contract import settle_contract
from evalkit.contract.linked import Link
from evalkit.errors import DataError
from evalkit.report.bought import results
from evalkit.report.html import plain
from evalkit.report.sections.bought import bought as bought_section
from evalkit.report.sections.investors import _results as investor_results
from evalkit.report.sections.investors import investors as investor_section
from evalkit.study import Study


def table(text: str) -> pd.DataFrame:
    """A table drawn with bars."""
    rows = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]
    return pd.DataFrame(rows[1:], columns=rows[0]).replace("", None)


UNITS = "metric|title|outcome|price\nhome|At home|x|1000"
CAPPED = "metric|title|outcome|price|cap_metric\nhome|At home|x|1000|40000"
FIFTY = "metric|units\nhome|50"


@pytest.fixture
def settle(tmp_path):
    """``settle(x={...}, rate_card=..., achieved=...)``: a contract held against effects drawn in the test."""

    def make(
        contract: dict[str, Any] | None = None, spread: float = 0.05, alone: bool = False, **given: Any
    ) -> SimpleNamespace:
        texts = {"rate_card": UNITS, "achieved": FIFTY, **{k: v for k, v in given.items() if isinstance(v, str)}}
        for name, text in texts.items():
            table(text).to_csv(tmp_path / f"{name}.csv", index=False)
        study = Study(
            study={"id": "demo", "title": "Demo", "kind": "synthetic", "price_year": 2023, "seed": 7},
            contract={**{name: f"{name}.csv" for name in texts}, **(contract or {})},
            folder=tmp_path,
        )
        rows = {name: row for name, row in given.items() if isinstance(row, dict)}
        found = settle_contract(study if alone else effects_of(study, rows, spread))
        return SimpleNamespace(
            study=study, contract=found, effects=found.effects, cohort=None, outcomes=None, absent={}, value=None
        )

    return make


def effects_of(study: Study, rows: dict[str, dict[str, Any]], spread: float) -> SimpleNamespace:
    """Effects of yes-or-no outcomes by deadweight, or by levels; drawn jointly, what was observed staying as it was."""
    lines = []
    for name, row in rows.items():
        observed = row.get("observed", 0.6)
        share = row.get("deadweight", np.nan)
        line = {
            "outcome": name, "title": name, "estimator": "aipw", "values": "yes or no", "better": "higher",
            "scale": "difference", "unit": "share", "is_domain": False, "n_treated": 500, "observed": observed,
            "counterfactual": observed * share, "effect": observed * (1 - share),
            "deadweight_low": share - 1.96 * spread, "deadweight_high": share + 1.96 * spread, "why_no_deadweight": "",
        }  # fmt: skip
        line |= row
        line.setdefault("low", observed * (1 - line["deadweight_high"]))
        line.setdefault("high", observed * (1 - line["deadweight_low"]))
        lines.append(line)
    frame = pd.DataFrame(lines)

    def joint(draws: int, seed: int) -> pd.DataFrame:
        error = np.random.default_rng(seed).normal(size=draws) * spread
        columns = {}
        for line in lines:
            if line["estimator"] != "assumed" and np.isfinite(line["deadweight"]):
                share = line["deadweight"] + error
                columns[(line["outcome"], "effect")] = line["observed"] * (1 - share)
                columns[(line["outcome"], "deadweight")] = share
        return pd.DataFrame(columns, columns=pd.MultiIndex.from_tuples(columns)) if columns else pd.DataFrame()

    return SimpleNamespace(study=study, table=frame, joint=joint)


def looked(evaluation: Any) -> Any:
    """What was bought."""
    return evaluation.contract.looks["bought"]


def first(evaluation: Any) -> Any:
    """The first metric of what was bought."""
    return looked(evaluation).table.iloc[0]


def words_of(blocks: list[Any]) -> str:
    """The words of a section."""
    return plain("".join(block.html(1) for block in blocks))


# ---------------------------------------------------------------- cost of an outcome, and of an added one


def test_the_cost_of_an_added_outcome_is_what_was_paid_over_what_would_not_have_been_and_its_interval_is_turned_over(
    settle,
):
    row = first(settle(x={"deadweight": 0.6, "deadweight_low": 0.5, "deadweight_high": 0.7, "low": 0.18, "high": 0.3}))
    assert (row["cost_per_outcome"], row["amount"], row["basis"]) == (1_000, 50_000, "owed")
    assert row[["additional", "additional_low", "additional_high"]].tolist() == pytest.approx([20, 15, 25])
    ends = row[["cost_per_additional", "cost_per_additional_low", "cost_per_additional_high"]].tolist()
    assert ends == pytest.approx([2_500, 2_000, 50_000 / 15])
    assert row["verdict"] == "bounded"


def test_what_was_paid_is_priced_where_it_is_known_even_where_it_differs_from_what_was_owed(settle):
    row = first(settle(payments="metric|kind|amount\nhome|actual|60000", x={"deadweight": 0.6}))
    assert (row["basis"], row["cost_per_outcome"], row["cost_per_additional"]) == ("paid", 1_200, pytest.approx(3_000))
    assert (row["owed"], row["paid_anyway"], row["paid_unexplained"]) == (50_000, pytest.approx(30_000), 10_000)


def test_where_no_effect_is_within_the_interval_the_cost_has_a_lower_bound_only_and_says_so(settle):
    evaluation = settle(x={"deadweight": 0.9, "deadweight_low": 0.75, "deadweight_high": 1.05})
    row = first(evaluation)
    assert row["verdict"] == "at least"
    assert row["cost_per_additional_low"] == pytest.approx(4_000)
    assert row["cost_per_additional_high"] == np.inf
    page = words_of(bought_section(evaluation))
    assert "at least £4,000" in page
    assert "no upper bound" in page
    assert "inf" not in page.split()
    assert next(one for one in results(evaluation) if "additional" in one.id).high is None


def test_an_effect_whose_own_interval_holds_none_has_no_upper_bound_whatever_the_deadweight_s_interval_says(settle):
    row = first(settle(x={"deadweight": 0.6, "deadweight_low": 0.3, "deadweight_high": 0.9, "low": -0.01, "high": 0.5}))
    assert (row["verdict"], row["cost_per_additional_high"]) == ("at least", np.inf)


def test_an_unbounded_deadweight_leaves_the_cost_unbounded(settle):
    evaluation = settle(x={"deadweight": 0.6, "deadweight_low": -np.inf, "deadweight_high": np.inf})
    assert first(evaluation)["verdict"] == "not bounded"
    page = words_of(bought_section(evaluation))
    assert "£2,500 not bounded" in page


def test_where_nothing_was_added_there_is_no_price_of_it_and_the_page_says_how_many_fewer(settle):
    evaluation = settle(x={"deadweight": 1.25, "deadweight_low": 1.1, "deadweight_high": 1.4})
    row = first(evaluation)
    assert (row["verdict"], row["additional"]) == ("none added", pytest.approx(-12.5))
    assert np.isnan(row["cost_per_additional"])
    assert np.isnan(row["cost_per_additional_low"])
    page = words_of(bought_section(evaluation))
    assert "none were added; 13 fewer were achieved" in page
    assert "−£" not in page.replace("added −£12,500 to what is owed", "")  # no negative price
    assert "none at either end" in page
    assert any(flag.level == "serious" and "nothing was added" in flag.text for flag in evaluation.contract.flags)


def test_harm_with_an_interval_that_reaches_a_gain_prices_only_the_best_end(settle):
    row = first(settle(x={"deadweight": 1.1, "deadweight_low": 0.9, "deadweight_high": 1.3}))
    assert row["verdict"] == "none added"
    assert row["cost_per_additional_low"] == pytest.approx(10_000)
    assert row["cost_per_additional_high"] == np.inf


def test_a_level_is_not_priced_by_the_outcome(settle):
    card = "metric|title|outcome|price|mechanism|threshold\nhome|At home|x|50000|step|40\nhome|At home|x|80000|step|60"
    row = first(settle(rate_card=card, x={"deadweight": 0.6}))
    assert np.isnan(row["cost_per_outcome"])
    assert row["why_no_cost"] == "a level is paid for, not a number of outcomes"
    assert row["verdict"] == ""


def test_without_effects_there_is_a_cost_of_an_outcome_and_the_reason_for_no_more(settle):
    evaluation = settle(alone=True)
    row = first(evaluation)
    assert (row["cost_per_outcome"], row["verdict"]) == (1_000, "")
    assert "is not known: this study estimates no effect." in words_of(bought_section(evaluation))


# ---------------------------------------------------------------- of every pound


def test_of_every_pound_adds_up_with_what_cannot_be_split(settle):
    card = "metric|title|outcome|price\nhome|At home|x|1000\nschool|School||500"
    evaluation = settle(rate_card=card, achieved="metric|units\nhome|50\nschool|40", x={"deadweight": 0.6})
    whole = looked(evaluation).whole
    assert (whole["owed"], whole["anyway"], whole["added"], whole["unknown"]) == (
        70_000, pytest.approx(30_000), pytest.approx(20_000), 20_000,
    )  # fmt: skip
    page = words_of(bought_section(evaluation))
    assert (
        "Of every £1 owed, 43p was for outcomes that would have happened anyway, 28p for outcomes that the programme "
        "added and 29p cannot be split. Of what can be judged 60%" in page
    )


def test_a_floor_lifts_what_would_have_been_paid_anyway_even_where_it_lifted_nothing(settle):
    """50,000 was owed; anyway 10,000 by the units, and the floor of 30,000 would have been paid."""
    totals = settle({"floor": 30_000}, x={"deadweight": 0.2}).contract.totals
    assert (totals["judged"], totals["anyway"]) == (50_000, pytest.approx(30_000))
    assert totals["anyway_low"] == pytest.approx(30_000)
    assert settle(x={"deadweight": 0.2}).contract.totals["anyway"] == pytest.approx(10_000)


def test_a_floor_that_lifts_the_sum_is_a_row_of_its_own_that_buys_no_outcome(settle):
    evaluation = settle({"floor": 80_000}, x={"deadweight": 0.6})
    rows = looked(evaluation).table.set_index("metric")
    assert rows.loc["contract floor", ["owed", "why_no_cost"]].tolist() == [
        30_000,
        "a floor is paid whatever is achieved",
    ]
    assert evaluation.contract.totals["anyway"] == 80_000
    assert looked(evaluation).whole["at_estimate"]
    assert "100p was for outcomes that would have happened anyway" in words_of(bought_section(evaluation))
    assert not any("no range" in flag.text for flag in evaluation.contract.flags)


@pytest.mark.parametrize(("units", "told"), [(60_000, False), (90_000, True)])
def test_units_that_are_not_the_mean_times_people_are_asked_about(settle, units, told):
    """500 people, 60 days in care each against a baseline of 180: 60,000 days below it."""
    days = {
        "values": "amount", "better": "lower", "observed": 60, "counterfactual": 100, "effect": -40,
        "deadweight": 80 / 120, "deadweight_low": 0.5, "deadweight_high": 0.8, "low": -60, "high": -20,
    }  # fmt: skip
    card = "metric|title|outcome|price|mechanism\nhome|Days|x|10|day"
    contract = settle(rate_card=card, achieved=f"metric|units\nhome|{units}", x=days).contract
    asked = [flag for flag in contract.flags if "units paid for are not" in flag.text]
    assert bool(asked) is told
    assert not told or "Days: 150% of the mean times people" in asked[0].detail


def test_a_price_that_allows_for_deadweight_is_shown_beside_the_estimate_and_never_reduced(settle):
    card = "metric|title|outcome|price|deadweight_in_price\nhome|At home|x|1000|yes\nschool|School|x|100|no"
    evaluation = settle(rate_card=card, achieved="metric|units\nhome|50\nschool|50", x={"deadweight": 0.6})
    home, school = looked(evaluation).table.to_dict("records")
    assert np.isnan(home["anyway"])
    assert (home["in_price"], home["estimated"]) == (True, 0.6)
    assert (school["anyway"], school["in_price"]) == (pytest.approx(3_000), False)
    page = words_of(bought_section(evaluation))
    assert "Prices that already allow for deadweight are not reduced again" in page


def test_the_payment_of_a_trigger_is_for_a_difference_already_and_is_not_split(settle):
    trigger = {"id": "t", "says": "a tenth more", "outcome": "x", "at_least": 0.1, "pays": 5_000}
    evaluation = settle({"trigger": [trigger]}, x={"deadweight": 0.6})
    row = evaluation.contract.table.set_index("metric").loc["trigger t"]
    assert row["owed"] == 5_000
    assert np.isnan(row["anyway"])
    assert "a trigger pays for a difference" in row["why_no_anyway"]
    assert evaluation.contract.totals["anyway"] == pytest.approx(30_000)


def test_where_a_cap_of_one_person_binds_the_reader_is_told_by_how_much_the_share_may_be_too_high(settle):
    """Ten people with two claims of 1,000 and a cap of 1,500: at a half, 1,000 each; at most 250 each too much."""
    card = "metric|title|outcome|price|cap_person\nhome|At home|x|1000|1500"
    claims = "metric|units|person\n" + "\n".join(f"home|1|P{n}\nhome|1|P{n}" for n in range(10))
    contract = settle(rate_card=card, achieved=claims, x={"deadweight": 0.5}).contract
    assert (contract.totals["owed"], contract.totals["anyway"]) == (15_000, pytest.approx(10_000))
    flag = next(flag for flag in contract.flags if "cap of one person binds" in flag.text)
    assert "The most this can be is 17% of what was owed for home." in flag.detail  # 0.5 x 5,000 of 15,000


# ---------------------------------------------------------------- the effect that pays for nothing


def test_a_price_for_each_unit_pays_for_nothing_only_at_no_effect(settle):
    row = first(settle(x={"deadweight": 0.6, "low": 0.1, "high": 0.38}))
    assert (row["nothing_share"], row["nothing_effect"], row["nothing_inside"]) == (1, 0, False)
    assert first(settle(x={"deadweight": 0.9, "low": -0.02, "high": 0.14}))["nothing_inside"]


@pytest.mark.parametrize(("low", "inside"), [(0.10, True), (0.15, False)])
def test_under_a_cap_the_contract_pays_for_nothing_at_a_larger_effect(settle, low, inside):
    """50 units meet a cap of 40: 40 anyway pay as much. Of 60 % seen, 12 points is what may then have been added."""
    row = first(settle(rate_card=CAPPED, x={"deadweight": 0.6, "low": low, "high": 0.38}))
    assert row["nothing_share"] == pytest.approx(0.8, abs=1e-4)
    assert row["nothing_effect"] == pytest.approx(0.12, abs=1e-4)
    assert row["nothing_inside"] == inside


def test_a_step_pays_for_nothing_as_soon_as_the_same_step_would_have_been_reached_anyway(settle):
    card = "metric|title|outcome|price|mechanism|threshold\nhome|At home|x|30000|step|30\nhome|At home|x|60000|step|45"
    row = first(settle(rate_card=card, x={"deadweight": 0.6}))
    assert row["nothing_share"] == pytest.approx(0.9, abs=1e-4)  # 45 of 50
    assert row["nothing_effect"] == pytest.approx(0.06, abs=1e-4)


def test_the_whole_contract_pays_for_nothing_at_one_multiple_of_all_effects(settle):
    whole = looked(settle(rate_card=CAPPED, x={"deadweight": 0.6})).whole
    assert (whole["scale"], whole["at_estimate"], whole["inside"]) == (pytest.approx(0.5, abs=0.002), False, False)
    evaluation = settle(rate_card=CAPPED, x={"deadweight": 0.85})
    assert (looked(evaluation).whole["at_estimate"], looked(evaluation).whole["inside"]) == (True, True)
    assert any("just as much without the programme" in flag.text for flag in evaluation.contract.flags)


@pytest.mark.parametrize(
    ("link", "share", "effect"),
    [
        # 40 % in care against 70 %: staying out is 60 against 30, a half; at 3/4, 45 would have: 55 % in care
        (Link("m", "o", 0.5, -0.3, -0.4, -0.2, 0.4, False, -1 / 0.6), 0.75, -0.15),
        # a series: 80 seen, 100 expected, the contract counts from 120; at 3/4 of 40 saved 90 were expected
        (Link("m", "o", 0.5, 0.8, 0.7, 0.9, 80, True, np.nan), 0.75, 80 / 90),
    ],
)
def test_the_effect_that_belongs_to_a_deadweight_is_in_the_outcome_s_own_unit(link, share, effect):
    assert link.effect_at(share) == pytest.approx(effect)
    assert link.effect_at(link.deadweight) == pytest.approx(link.effect)


# ---------------------------------------------------------------- nothing leaks


def test_a_metric_of_few_people_has_every_cell_hidden_and_no_result(settle):
    card = "metric|title|outcome|price\nhome|At home|x|1000\nrare|Rare|y|777\nother|Other|x|500"
    claims = "metric|units\nhome|50\nrare|4\nother|30"
    evaluation = settle(rate_card=card, achieved=claims, x={"deadweight": 0.6}, y={"deadweight": 0.5})
    page = words_of(bought_section(evaluation))
    assert "Rare [c] [c] [c] [c] [c] [c] [c]" in page
    for number in ("3,108", "777", "1,554"):
        assert number not in page
    assert not any("rare" in one.id for one in results(evaluation))


def test_the_only_metric_of_few_people_hides_the_split_of_the_total_too(settle):
    evaluation = settle(achieved="metric|units\nhome|4", x={"deadweight": 0.6}, cash_flows=PLAIN)
    page = words_of(bought_section(evaluation))
    assert "it rests on a hidden count" in page
    assert "60%" not in page
    assert list(results(evaluation)) == []
    assert "No effect at all" not in words_of(investor_section(evaluation))


# ---------------------------------------------------------------- investors


PLAIN = "date|amount\n2020-01-01|-40000\n2021-12-31|50000"


def cases(evaluation: Any) -> dict[str, Any]:
    """Every case of the investors by its id."""
    found = evaluation.contract.looks["investors"]
    return {one.id: one for one in (*found.effects, *found.losses)}


def test_payments_among_the_flows_follow_the_contract_s_mechanism_at_other_effects(settle):
    """Anyway 30 of 50 units: with no effect 30,000 would have come back of 40,000; half of the effect breaks even."""
    evaluation = settle(x={"deadweight": 0.6}, cash_flows=PLAIN)
    found = cases(evaluation)
    assert (found["as_it_was"].found.net, found["no_effect"].found.net) == (10_000, -10_000)
    assert found["low"].found.net == pytest.approx(10_000 - 1.96 * 0.05 * 50_000, rel=0.1)
    assert found["high"].found.net == pytest.approx(10_000 + 1.96 * 0.05 * 50_000, rel=0.1)
    assert found["low"].found.irr < found["as_it_was"].found.irr < found["high"].found.irr
    back = evaluation.contract.looks["investors"].reach
    assert (back.needed, back.scale, back.inside) == (pytest.approx(0.8), pytest.approx(0.5, abs=0.002), False)
    assert (found["money_back"].found.net, found["money_back"].found.irr) == (0, pytest.approx(0, abs=1e-9))
    page = words_of(investor_section(evaluation))
    assert "They just get their money back at 50% of the estimated effects, outside that interval." in page


def test_a_cap_keeps_larger_effects_from_paying_investors_more(settle):
    found = cases(settle(rate_card=CAPPED, x={"deadweight": 0.6}, cash_flows=PLAIN))
    assert found["high"].payments == found["as_it_was"].payments == 50_000
    assert found["no_effect"].payments == pytest.approx(37_500)  # 30,000 of 40,000 owed
    assert found["cap"].payments == 50_000


def test_only_flows_of_kind_payment_follow_the_effect_and_each_investor_has_its_own_return(settle):
    flows = """
        date       | amount | kind       | investor
        2020-01-01 | -30000 | investment | Foundation
        2020-01-01 | -10000 | investment | Bank
        2020-06-30 | -1000  | cost       | Bank
        2021-12-31 | 40000  | payment    | Foundation
        2021-12-31 | 10000  | payment    | Bank
        2021-12-31 | 500    | repayment  | Bank
    """
    evaluation = settle(x={"deadweight": 0.6}, cash_flows=flows)
    found = evaluation.contract.looks["investors"]
    assert {name: one.net for name, one in found.by_investor.items()} == {"Foundation": 10_000, "Bank": -500}
    assert cases(evaluation)["no_effect"].found.net == 30_000 + 500 - 41_000
    assert cases(evaluation)["nothing"].found.net == 500 - 41_000
    assert found.taken.startswith("The outcome payments are the flows of kind payment.")
    page = words_of(investor_section(evaluation))
    assert "Foundation 30,000 40,000 +10,000 1.33" in page
    assert not any("do not say which" in flag.text for flag in evaluation.contract.flags)


def test_flows_without_a_kind_are_told_apart_by_sign_and_a_flag_says_so(settle):
    evaluation = settle(x={"deadweight": 0.6}, cash_flows=PLAIN)
    assert any("every positive flow is taken for one" in flag.text for flag in evaluation.contract.flags)


def test_a_kind_that_is_not_known_is_refused_with_its_line(settle):
    with pytest.raises(DataError, match=r'"paymnet" \(lines 3\) is not known\. Did you mean "payment"'):
        settle(cash_flows="date|amount|kind\n2021-12-31|50000|payment\n2020-01-01|-4|paymnet", x={"deadweight": 0.6})


def test_losses_stop_shrink_and_end_with_the_largest_possible(settle):
    flows = "date|amount\n2020-01-01|-40000\n2020-12-31|20000\n2021-06-30|20000\n2022-06-30|10000"
    found = cases(settle({"cap": 60_000, "floor": 25_000}, x={"deadweight": 0.6}, cash_flows=flows))
    assert found["less_25"].found.net == 37_500 - 40_000
    assert [found[name].payments for name in ("stop_2021", "stop_2022")] == [20_000, 40_000]
    assert (found["cap"].payments, found["floor"].payments) == (60_000, 25_000)
    assert (found["nothing"].found.net, found["nothing"].found.irr) == (-40_000, None)
    assert found["nothing"].found.peak_drawdown == 40_000


def test_rounding_of_single_payments_never_moves_their_sum(settle):
    flows = "date|amount\n2020-01-01|-100\n" + "\n".join(f"2021-{month:02}-01|33.33" for month in range(1, 8))
    found = cases(settle(x={"deadweight": 0.6}, cash_flows=flows))
    assert found["less_10"].payments == 209.98  # 0.9 x 233.31, to the penny
    assert found["money_back"].payments == 100


def test_no_rate_of_return_is_said_with_its_reason(settle):
    evaluation = settle(alone=True, cash_flows="date|amount\n2020-01-01|-40000\n2021-01-01|-10000")
    page = words_of(investor_section(evaluation))
    assert "There is no rate of return: nothing came back" in page
    assert any(flag.text.startswith("The investors have no rate of return") for flag in evaluation.contract.flags)


def test_results_of_the_investors_carry_their_range_and_stand_on_the_page(settle):
    evaluation = settle(x={"deadweight": 0.6}, cash_flows=PLAIN)
    page = words_of(investor_section(evaluation)) + words_of(bought_section(evaluation))
    found = {one.id: one for one in (*investor_results(evaluation), *results(evaluation))}
    assert found["investors.irr"].low < found["investors.irr"].value < found["investors.irr"].high
    assert {"investors.multiple", "investors.net", "investors.peak_drawdown", "contract.anyway_share"} <= set(found)
    assert [one.id for one in found.values() if one.text not in page] == []


def test_who_carried_which_risk_is_a_table_with_the_term_and_its_source(settle):
    risk = {"risk": "fewer referrals", "carried_by": ["investor", "provider"], "how": "no minimum", "source": "deed"}
    page = words_of(investor_section(settle({"risk": [risk]}, x={"deadweight": 0.6}, cash_flows=PLAIN)))
    assert "Fewer referrals deed investors and provider no minimum" in page
    assert "100% of what was owed was for metrics whose outcome the evaluation estimates." in page
    assert "100% of what investors paid in was paid before the first outcome payment." in page
