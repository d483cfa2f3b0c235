"""What fell due, what was paid, and what was paid for what would have happened anyway."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from evalkit.contract import due, returns, settle_contract
from evalkit.errors import DataError, StudyError
from evalkit.study import Study


def table(text: str) -> pd.DataFrame:
    """A table drawn with bars."""
    rows = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]
    frame = pd.DataFrame(rows[1:], columns=rows[0]).replace("", None)
    return frame.apply(lambda column: pd.to_numeric(column, errors="coerce") if numeric(column) else column)


def numeric(column: pd.Series) -> bool:
    """Whether every filled cell is a number."""
    return bool(pd.to_numeric(column.dropna(), errors="coerce").notna().all()) and column.notna().any()


@pytest.fixture
def folder(tmp_path):
    """A study folder made of drawn tables and contract settings."""

    def make(contract: dict[str, Any] | None = None, tables: dict[str, str] | None = None, **parts: Any) -> Study:
        named = {}
        for name, text in (tables or {}).items():
            table(text).to_csv(tmp_path / f"{name}.csv", index=False)
            named[name] = f"{name}.csv"
        about = {"id": "demo", "title": "Demo", "kind": "synthetic", "price_year": 2023, "seed": 7}
        return Study(study=about, contract={**named, **(contract or {})}, folder=tmp_path, **parts)

    return make


def effects_of(study: Study, rows: list[dict[str, Any]], spread: float = 0.05) -> SimpleNamespace:
    """Effects with a deadweight per outcome, drawn jointly (perfectly correlated) around it."""
    empty = {
        "better": "higher",
        "observed": np.nan,
        "counterfactual": np.nan,
        "effect": np.nan,
        "why_no_deadweight": "",
    }
    frame = pd.DataFrame([{**empty, **row} for row in rows])

    def joint(draws: int, seed: int) -> pd.DataFrame:
        error = np.random.default_rng(seed).normal(size=draws) * spread
        known = frame[frame["deadweight"].notna() & (frame["estimator"] != "assumed")]
        columns = {(r["outcome"], "deadweight"): r["deadweight"] + error for r in known.to_dict("records")}
        return pd.DataFrame(columns, columns=pd.MultiIndex.from_tuples(columns)) if columns else pd.DataFrame()

    return SimpleNamespace(study=study, table=frame, joint=joint)


# ---------------------------------------------------------------- due


def test_dwp_innovation_fund_claims_of_one_person_are_priced_first_and_capped_second():
    card = table("""
        metric       | price | cap_person
        behaviour    | 1300  | 8200
        attendance   | 800   | 8200
        L1           | 700   | 8200
        L2           | 2200  | 8200
        employment13 | 2600  | 8200
        employment26 | 1000  | 8200
    """)
    ledger = due(card, pd.DataFrame({"metric": card["metric"], "units": 1, "person": "P1"}))
    assert ledger[["gross", "paid", "cut_off"]].sum().tolist() == [8600, 8200, 400]
    assert ledger["why"].tolist() == ["", "", "", "", "", "cap of 8,200 for one person"]


def test_adoption_bond_milestones_count_once_per_child():
    card = table("""
        metric       | price | mechanism
        registration | 8000  | milestone
        placement    | 23000 | milestone
        one_year     | 6800  | milestone
        two_years    | 15800 | milestone
    """)
    reached = {
        "C01": ["registration", "placement", "one_year", "two_years"],
        "C02": ["registration", "placement", "placement"],
        "C03": ["registration"],
        "C04": ["registration", "placement", "one_year"],
        "C05": ["registration", "placement", "one_year", "two_years"],
    }
    claims = [{"metric": metric, "person": child, "units": 1} for child, found in reached.items() for metric in found]
    ledger = due(card, pd.DataFrame(claims))
    assert ledger.groupby("person")["paid"].sum().tolist() == [53600, 31000, 8000, 37800, 53600]
    assert ledger.groupby("metric", sort=False)["paid"].sum().to_dict() == {
        "registration": 40000,
        "placement": 92000,
        "one_year": 20400,
        "two_years": 31600,
    }
    assert ledger["why"].value_counts()["milestone already counted for this person"] == 1


def test_caps_bind_in_date_order_and_then_in_file_order():
    card = table("""
        metric | price | cap_metric
        a      | 100   | 250
        b      | 10    |
    """)
    achieved = table("""
        metric | units | date
        a      | 2     | 2024-03-01
        a      | 2     | 2024-01-01
        b      | 5     |
        b      | 9     | 2024-03-01
    """)
    ledger = due(card, achieved, cap=300)
    assert ledger["date"].dt.strftime("%Y-%m").tolist()[:3] == ["2024-01", "2024-03", "2024-03"]
    assert ledger["paid"].tolist() == [200, 50, 50, 0]
    assert ledger["why"].tolist() == [
        "",
        "cap of 250 for the metric",
        "cap of 300 for the contract",
        "cap of 300 for the contract",
    ]


@pytest.mark.parametrize(
    ("reduction", "payment"),
    [(0, 0), (8.49, 0), (8.5, 4.8e6), (9.99, 4.8e6), (10, 9.6e6), (12.5, 10.272e6), (35, 11.712e6)],
)
def test_a_step_pays_the_highest_step_reached_and_nothing_in_between(reduction, payment):
    steps = {8.5: 4.8e6, 10: 9.6e6, 11: 10.08e6, 12: 10.176e6, 12.5: 10.272e6, 13: 10.368e6, 16: 10.944e6, 20: 11.712e6}
    card = pd.DataFrame({"metric": "fall", "mechanism": "step", "threshold": steps.keys(), "price": steps.values()})
    assert due(card, pd.DataFrame({"metric": ["fall"], "units": [reduction]}))["paid"].sum() == payment


def test_a_step_reached_later_pays_only_what_the_earlier_step_had_not():
    card = pd.DataFrame({"metric": "fall", "mechanism": "step", "threshold": [5, 10], "price": [100, 300]})
    assert due(card, pd.DataFrame({"metric": "fall", "units": [6, 4, 12]}))["paid"].tolist() == [100, 0, 200]


def test_a_slide_pays_for_every_unit_above_its_threshold_up_to_the_cap():
    card = table("""
        metric | price | mechanism | threshold | cap_metric
        fall   | 1000  | slide     | 5         | 4000
    """)
    paid = [due(card, pd.DataFrame({"metric": ["fall"], "units": [level]}))["paid"].sum() for level in (4, 5, 7.5, 12)]
    assert paid == [0, 0, 2500, 4000]


def test_everything_wrong_with_a_rate_card_or_with_claims_is_said_at_once():
    card = table("""
        metric | price | mechanism | threshold
        a      | 100   | unti      |
        b      | -5    | unit      | 3
        c      | 10    | step      |
    """)
    with pytest.raises(DataError) as error:
        due(card, pd.DataFrame({"metric": ["a"], "units": [1]}))
    assert "has 4 problems" in str(error.value)
    assert 'mechanism "unti" is not known. Did you mean "unit"?' in str(error.value)
    good = pd.DataFrame({"metric": ["exclusion", "school"], "price": [1.0, 2.0]})
    with pytest.raises(DataError) as error:
        due(good, pd.DataFrame({"metric": ["exclusoin", "exclusoin", "home"], "units": [1, 1, 1]}))
    assert 'Metric "exclusoin" (rows: 2) is not on the rate card. Did you mean "exclusion"?' in str(error.value)
    assert 'Metric "home"' in str(error.value)
    with pytest.raises(DataError, match="1 rows have negative units"):
        due(good, pd.DataFrame({"metric": ["school"], "units": [-1]}))


def test_returns_are_actual_over_365_and_none_where_nothing_comes_back():
    flows = pd.DataFrame(
        {
            "date": ["2010-09-10", "2011-09-10", "2012-09-10", "2017-07-27"],
            "amount": [-2000000.0, -1500000.0, -1500000.0, 5882673.437146681],
        }
    )
    found = returns(flows)
    assert found.irr == pytest.approx(0.027509, rel=1e-4)
    assert found.multiple == pytest.approx(1.1765, rel=1e-4)
    assert (found.peak_drawdown, round(found.net, 2)) == (5000000.0, 882673.44)
    assert returns(flows.head(3)).irr is None
    assert returns(flows.head(3)).multiple == 0


# ---------------------------------------------------------------- settling


def test_reboot_west_payments_differ_from_units_times_price_for_ten_metrics(folder, tmp_path, beside):
    file = beside("domain/10_indigo_reconcile_care_leavers/rate_card_and_results.csv")
    expected = json.loads((file.parent / "expected.json").read_text())["expected"]["INDIGO-POJ-0121"]
    rows = pd.read_csv(file).query("project == 'INDIGO-POJ-0121'")
    rows[["metric", "price"]].to_csv(tmp_path / "rate_card.csv", index=False)
    rows[["metric"]].assign(units=rows["achieved"]).to_csv(tmp_path / "achieved.csv", index=False)
    rows[["metric"]].assign(kind="actual", amount=rows["paid"]).to_csv(tmp_path / "payments.csv", index=False)
    names = {name: f"{name}.csv" for name in ("rate_card", "achieved", "payments")}
    contract = settle_contract(folder({**names, "published": True, "maximum_recorded": 2_250_000}))
    assert (contract.totals["owed"], contract.totals["paid"]) == (1_617_330, 1_871_540)
    assert contract.totals["difference"] == expected["difference_paid_minus_calc"]
    apart = contract.table[contract.table["difference"].abs() > 0.5]
    assert apart[["metric", "owed", "paid", "implied_units"]].to_numpy().tolist() == [
        list(one.values()) for one in expected["mismatched_metrics"]
    ]
    asked = next(flag for flag in contract.flags if flag.about == "payments")
    assert asked.text == "Payments differ from units times price for 10 of 23 metrics."
    question = "£115,940 was paid for 231 recorded units at £220 (£50,820): were 527 units paid, or other prices?"
    assert question in asked.detail
    assert asked.detail.count("?") == 10


CARD = """
    metric | title   | outcome | price | mechanism | cap_metric
    home   | At home | no_care | 1000  | unit      | 40000
    school | School  |         | 500   | unit      |
"""
ACHIEVED = """
    metric | units | date
    home   | 50    | 2024-01-31
    school | 20    | 2024-02-29
"""


def test_a_difference_that_rests_on_few_people_is_asked_about_without_its_figures(folder):
    study = folder(
        tables={
            "rate_card": "metric | price\n visit | 500",
            "achieved": "metric | units\n visit | 4",
            "payments": "metric | kind | amount\n visit | actual | 3000",
        }
    )
    asked = next(flag for flag in settle_contract(study).flags if flag.about == "payments")
    assert "visit: paid and owed differ; the figures rest on a hidden count." in asked.detail
    assert "£" not in asked.detail


def test_plan_versions_are_never_added_and_each_has_its_own_share(folder):
    study = folder(
        tables={
            "rate_card": CARD,
            "achieved": ACHIEVED,
            "payments": """
                metric | kind    | plan  | amount
                       | planned | plan1 | 100000
                       | planned | Plan1 | 20000
                       | planned | plan2 | 60000
                       | actual  |       | 45000
                       |         |       | 700
            """,
        }
    )
    contract = settle_contract(study)
    assert contract.totals["planned"] == {"plan1": 120000, "plan2": 60000}
    assert contract.plans["share"].tolist() == [0.375, 0.75]
    assert contract.totals["difference"] == 45000 - 50000
    assert contract.table["paid"].isna().all()
    texts = " ".join(flag.text for flag in contract.flags)
    assert "There are 2 versions of the payment plan (plan1 and plan2); they are never added." in texts
    assert "£45,000 of the payments name no metric: they are reconciled in total only." in texts
    assert "£700 is recorded without saying whether it was planned or paid" in texts


def test_paid_above_a_cap_or_a_recorded_maximum_is_a_question(folder):
    tables = {"rate_card": CARD, "achieved": ACHIEVED, "payments": "metric|kind|amount\nhome|actual|60000"}
    flags = settle_contract(folder({"cap": 50_000, "maximum_recorded": 55_000}, tables)).flags
    asked = {flag.about: flag for flag in flags if flag.text.endswith("?")}
    assert (asked["cap"].level, asked["maximum"].level) == ("serious", "caution")


def test_metrics_that_are_not_on_the_rate_card_are_refused_in_every_table_at_once(folder):
    study = folder(
        tables={
            "rate_card": CARD,
            "achieved": "metric|units\nhoem|3",
            "payments": "metric|kind|amount\nschol|actual|9\nschool|actal|9",
        }
    )
    with pytest.raises(DataError) as error:
        settle_contract(study)
    assert 'achieved.csv: metric "hoem" (rows: 1) is not on the rate card. Did you mean "home"?' in str(error.value)
    assert 'payments.csv: metric "schol" (rows: 1) is not on the rate card. Did you mean "school"?' in str(error.value)
    assert 'kind "actal"' in str(error.value)


def test_a_study_without_a_contract_says_so(tmp_path):
    with pytest.raises(StudyError, match=r"has no \[contract\]"):
        settle_contract(Study(study={"id": "x", "title": "x", "kind": "real"}, folder=tmp_path))


# ---------------------------------------------------------------- paid for deadweight


def test_paid_for_deadweight_is_the_mechanism_run_again_cap_included(folder):
    study = folder(tables={"rate_card": CARD, "achieved": ACHIEVED})
    row = {"outcome": "no_care", "estimator": "aipw", "deadweight": 0.6, "deadweight_low": 0.5, "deadweight_high": 0.7}
    contract = settle_contract(effects_of(study, [row]))
    home, school = contract.table.to_dict("records")
    assert home["owed"] == 40000  # 50 units at 1,000 met the cap
    assert home["anyway"] == 30000  # 30 units do not: not 0.6 x 40,000
    assert home["anyway_share"] == 0.75
    assert home["anyway_low"] == pytest.approx(30000 - 1.96 * 0.05 * 50000, rel=0.05)
    assert home["anyway_high"] == pytest.approx(30000 + 1.96 * 0.05 * 50000, rel=0.05)
    assert pd.isna(school["anyway"])
    assert school["why_no_anyway"] == "the rate card links it to no estimated outcome"
    assert (contract.totals["judged"], contract.totals["anyway"]) == (40000, 30000)
    assert contract.totals["anyway_share_low"] == pytest.approx(home["anyway_low"] / 40000)


def test_draws_are_joint_so_that_the_total_of_two_metrics_is_as_wide_as_both_together(folder):
    card = "metric|outcome|price\na|x|100\nb|y|100"
    study = folder(tables={"rate_card": card, "achieved": "metric|units\na|50\nb|50"})
    rows = [
        {"outcome": name, "estimator": "ols", "deadweight": 0.5, "deadweight_low": 0.4, "deadweight_high": 0.6}
        for name in "xy"
    ]
    contract = settle_contract(effects_of(study, rows))
    assert contract.totals["anyway_low"] == pytest.approx(contract.table["anyway_low"].sum())
    assert contract.totals["anyway_high"] == pytest.approx(contract.table["anyway_high"].sum())


def settled(folder, card: str, achieved: str, cap: float | None = None, **rows: dict[str, Any]) -> Any:
    """A contract settled over outcomes named x, y with the rows given."""
    usual = {"estimator": "aipw", "values": "yes or no", "deadweight_low": 0.0, "deadweight_high": 1.0}
    study = folder({} if cap is None else {"cap": cap}, {"rate_card": card, "achieved": achieved})
    return settle_contract(effects_of(study, [{"outcome": name, **usual, **row} for name, row in rows.items()]))


def test_under_a_shared_cap_the_total_is_held_to_what_was_owed_only_after_it_is_summed(folder):
    card, achieved = "metric|outcome|price\na|x|100\nb|y|100", "metric|units\na|50\nb|50"
    contract = settled(folder, card, achieved, 5000, x={"deadweight": 0.698}, y={"deadweight": 0.593})
    assert contract.table["owed"].tolist() == [5000, 0]  # a took the whole cap
    assert contract.table["anyway"].tolist() == pytest.approx([3490, 0])
    # at what would have happened anyway a claims 3,490 and leaves 1,510 of b's 2,965 under the cap
    assert (contract.totals["judged"], contract.totals["anyway"]) == (5000, 5000)
    assert contract.totals["anyway_share"] == 1
    assert contract.totals["anyway_low"] == pytest.approx(5000)
    few = settled(folder, card, achieved, 5000, x={"deadweight": 0.3}, y={"deadweight": 0.2})
    assert few.totals["anyway"] == pytest.approx(2500)
    assert few.totals["anyway_high"] == pytest.approx(2500 + 1.96 * 0.05 * 10_000, rel=0.03)


@pytest.mark.parametrize(("mechanism", "owed"), [("step", 5000), ("slide", 5000)])
def test_a_step_reached_by_single_people_is_paid_for_the_share_of_them_who_reach_it_anyway(folder, mechanism, owed):
    price = 100 if mechanism == "step" else 200
    card = f"metric|outcome|price|mechanism|threshold\na|x|{price}|{mechanism}|{1 if mechanism == 'step' else 0.5}"
    achieved = "metric|units|person\n" + "\n".join(f"a|1|P{n}" for n in range(50))
    found = settled(folder, card, achieved, x={"deadweight": 0.6976}).table.loc[0]
    assert (found["owed"], found["anyway"]) == (owed, pytest.approx(3488))  # a share of a person reaches no step
    assert found["anyway_low"] == pytest.approx(5000 * (0.6976 - 1.96 * 0.05), rel=0.03)
    days = settled(folder, card, achieved, x={"deadweight": 0.6976, "values": "amount"})
    assert pd.isna(days.table.loc[0, "anyway"])
    assert "not defined for a level that single people reach" in days.table.loc[0, "why_no_anyway"]
    together = settled(folder, card, "metric|units\na|1", x={"deadweight": 0.6976, "values": "amount"})
    assert together.table.loc[0, "why_no_anyway"] == ""


def test_a_step_of_single_people_pays_only_what_is_further_than_before_at_the_share_too(folder):
    card = "metric|outcome|price|mechanism|threshold\na|x|100|step|5\na|x|300|step|10"
    found = settled(folder, card, "metric|units|person\na|6|P\na|12|P\na|4|Q", x={"deadweight": 0.5})
    assert found.table.loc[0, ["owed", "anyway"]].tolist() == [300, 150]


def test_a_deadweight_whose_draws_differ_by_rounding_only_has_no_interval(folder):
    study = folder(tables={"rate_card": CARD, "achieved": ACHIEVED})
    row = {"outcome": "no_care", "estimator": "aipw", "deadweight": 0.3, "deadweight_low": 0.3, "deadweight_high": 0.3}
    contract = settle_contract(effects_of(study, [row], spread=1e-16))
    assert contract.table.loc[0, ["anyway_low", "anyway_high"]].isna().all()
    assert contract.totals["anyway_low"] is None
    assert any("its deadweight has no range" in flag.text for flag in contract.flags)


def test_where_nobody_in_the_comparison_had_the_event_payments_reach_up_to_the_exact_bound(folder):
    study = folder(tables={"rate_card": CARD, "achieved": ACHIEVED})
    row = {"outcome": "no_care", "estimator": "aipw", "deadweight": 0.0, "deadweight_low": 0.0, "deadweight_high": 0.3}
    contract = settle_contract(effects_of(study, [row], spread=0.0))
    assert contract.table.loc[0, ["anyway", "anyway_low"]].tolist() == [0, 0]
    assert contract.table.loc[0, "anyway_high"] == pytest.approx(0.3 * 50_000, rel=0.15)  # a far tail of 2,000 draws
    mirrored = {**row, "deadweight": 1.0, "deadweight_low": 0.7, "deadweight_high": 1.0}
    high = settle_contract(effects_of(study, [mirrored], spread=0.0)).table.loc[0]
    assert high["anyway_low"] == pytest.approx(0.7 * 50_000, rel=0.1)
    assert high["anyway_high"] == 40_000


def test_an_unbounded_deadweight_gives_a_payment_that_is_not_bounded_and_never_a_clipped_interval(folder):
    study = folder(tables={"rate_card": CARD, "achieved": ACHIEVED})
    row = {
        "outcome": "no_care",
        "estimator": "aipw",
        "deadweight": 0.6,
        "deadweight_low": -np.inf,
        "deadweight_high": np.inf,
    }
    contract = settle_contract(effects_of(study, [row], spread=3.0))
    assert contract.table.loc[0, ["anyway_low", "anyway_high"]].tolist() == [-np.inf, np.inf]
    assert contract.totals["anyway_high"] == np.inf
    assert any("not bounded for home" in flag.text for flag in contract.flags)


def test_harm_pays_nothing_anyway_less_than_nothing_and_never_more_than_was_owed(folder):
    study = folder(tables={"rate_card": CARD, "achieved": ACHIEVED})
    for share, anyway in ((-0.2, 0), (1.3, 40000)):
        row = {
            "outcome": "no_care",
            "estimator": "ols",
            "deadweight": share,
            "deadweight_low": share,
            "deadweight_high": share,
        }
        assert settle_contract(effects_of(study, [row])).table.loc[0, "anyway"] == anyway


def test_a_stated_deadweight_has_the_interval_of_its_stated_range_or_none(folder):
    study = folder(tables={"rate_card": CARD, "achieved": ACHIEVED})
    row = {
        "outcome": "no_care",
        "estimator": "assumed",
        "deadweight": 0.4,
        "deadweight_low": 0.2,
        "deadweight_high": 0.6,
    }
    ranged = settle_contract(effects_of(study, [row])).table.loc[0]
    assert ranged["anyway_low"] == pytest.approx(0.21 * 50000, rel=0.02)
    alone = settle_contract(effects_of(study, [{**row, "deadweight_low": np.nan, "deadweight_high": np.nan}]))
    assert alone.table.loc[0, "anyway"] == 20000
    assert pd.isna(alone.table.loc[0, "anyway_low"])
    assert any("its deadweight has no range" in flag.text for flag in alone.flags)


def test_deadweight_in_the_price_is_not_taken_again(folder):
    study = folder({"deadweight_in_price": True}, {"rate_card": CARD, "achieved": ACHIEVED})
    row = {"outcome": "no_care", "estimator": "aipw", "deadweight": 0.6, "deadweight_low": 0.5, "deadweight_high": 0.7}
    contract = settle_contract(effects_of(study, [row]))
    assert contract.table["anyway"].isna().all()
    assert any("already allows for deadweight" in flag.text for flag in contract.flags)


def test_the_reason_for_no_deadweight_reaches_the_table(folder):
    study = folder(tables={"rate_card": CARD, "achieved": ACHIEVED})
    row = {
        "outcome": "no_care",
        "estimator": "aipw",
        "deadweight": None,
        "why_no_deadweight": "not defined for a score",
    }
    contract = settle_contract(effects_of(study, [row]))
    assert contract.table.loc[0, "why_no_anyway"] == "not defined for a score"
    assert contract.totals["anyway"] is None


def test_a_rate_card_that_names_an_outcome_nobody_estimated_is_refused(folder):
    study = folder(tables={"rate_card": CARD, "achieved": ACHIEVED})
    with pytest.raises(StudyError, match=r'outcome "no_care" is not estimated\. Did you mean "no_cares"'):
        settle_contract(effects_of(study, [{"outcome": "no_cares", "estimator": "ols", "deadweight": 0.1}]))


# ---------------------------------------------------------------- triggers


@pytest.mark.parametrize(
    ("at_least", "judged", "met"),
    [
        (0.10, True, "not met"),
        (0.075, True, "met"),
        (0.08, True, "not settled by the rounding"),
        (0.075, False, "not judged"),
    ],
)
def test_peterborough_triggers_are_held_to_the_whole_rounding_interval(folder, at_least, judged, met):
    trigger = {"id": "t", "says": "a fall", "outcome": "reconvictions", "at_least": at_least, "judged": judged}
    study = folder({"trigger": [trigger]})
    row = {
        "outcome": "reconvictions", "estimator": "published", "better": "lower", "observed": 142, "counterfactual": 155,
        "effect": -13, "relative": -13 / 155, "relative_low": 141.5 / 155.5 - 1, "relative_high": 142.5 / 154.5 - 1,
        "deadweight": None,
    }  # fmt: skip
    found = settle_contract(effects_of(study, [row])).triggers.iloc[0]
    assert found["met"] == met
    if judged:
        assert found["relative"] == pytest.approx(0.08387, abs=1e-5)
        assert [round(found["relative_low"], 4), round(found["relative_high"], 4)] == [0.0777, 0.0900]


def test_the_contract_shows_itself_without_its_ledger(folder):
    study = folder(tables={"rate_card": CARD, "achieved": "metric|units|person\nhome|1|child_0042"})
    assert "child_0042" not in settle_contract(study)._repr_html_()


def test_a_negative_effect_stays_negative_through_payments(folder):
    """Deadweight 1.25: all of the 2,000 owed was for what would have come anyway, and 500 more would have been."""
    contract = settled(
        folder, "metric|outcome|price\na|x|100", "metric|units\na|20",
        x={"deadweight": 1.25, "deadweight_low": 1.1, "deadweight_high": 1.4},
    )  # fmt: skip
    assert contract.table["anyway"].tolist() == [2_000]
    assert (contract.totals["anyway"], contract.totals["added"]) == (2_000, -500)
    assert contract.totals["added_low"] < -500 < contract.totals["added_high"] < 0
