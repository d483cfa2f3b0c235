"""Owed against paid by metric and period: what explains the differences, what is asked, and what stays hidden."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evalkit as ek
from evalkit.contract import settle_contract
from evalkit.contract.explained import Row, explain
from evalkit.contract.hidden import hidden_metrics, totals_tell
from evalkit.contract.prices import read_prices
from evalkit.errors import DataError
from evalkit.report.html import plain
from evalkit.report.ledger_tables import by_mechanism, by_period, limits
from evalkit.report.results import results
from evalkit.report.sections.payments import settled
from evalkit.study import Study


def drawn(text: str) -> str:
    """A table drawn with bars as the text of a csv file."""
    return "\n".join(",".join(cell.strip() for cell in line.split("|")) for line in text.strip().splitlines()) + "\n"


@pytest.fixture
def settle(tmp_path):
    """Settle a contract made of drawn tables."""

    def make(currency: str = "GBP", terms: dict | None = None, **tables: str):
        for name, text in tables.items():
            (tmp_path / f"{name}.csv").write_text(drawn(text), encoding="utf-8")
        about = {"id": "d", "title": "D", "kind": "synthetic", "price_year": 2023, "currency": currency}
        named = {name: f"{name}.csv" for name in tables}
        return settle_contract(Study(study=about, contract={**named, **(terms or {})}, folder=tmp_path))

    return make


CARD = """
    metric | title   | price | cap_metric | lag_days
    home   | At home | 100   | 4000       |
    school | School  | 50    |            | 30
"""
HALVES = [("2020-01-01", "2020-06-30"), ("2020-07-01", "2020-12-31"), ("2021-01-01", "2021-06-30")]


def payments(metric: str, *amounts: float | None, why: str = "") -> str:
    """Rows of payments, one per half-year; None is no row."""
    rows = [
        f"{metric} | actual | {start} | {end} | {amount} | {why}"
        for (start, end), amount in zip(HALVES, amounts, strict=False)
        if amount is not None
    ]
    return "\n".join(rows)


HEAD = "metric | kind | start | end | amount | why\n"


def period(found, metric: str) -> pd.DataFrame:
    """One metric's rows, and its reasons."""
    table = found.looks["periods"].table
    return table[table["metric"] == metric].reset_index(drop=True)


def kinds(found) -> list[str]:
    """The kinds of explanation, in order."""
    return found.looks["periods"].reasons["kind"].tolist()


def test_what_was_owed_counts_in_the_period_in_which_it_fell_due_lag_included(settle):
    found = settle(
        rate_card=CARD,
        achieved="metric | units | date\nhome | 20 | 2020-06-30\nschool | 30 | 2020-06-15",
        payments=HEAD + payments("home", 2000, 0) + "\n" + payments("school", 0, 1500),
    )
    assert period(found, "home")["owed"].tolist() == [2000, 0]
    assert period(found, "school")["owed"].tolist() == [0, 1500]  # due on 15 July
    assert (found.looks["periods"].table["difference"] == 0).all()
    assert not any(flag.about == "periods" for flag in found.flags)


def test_what_one_period_owes_and_the_next_pays_is_a_lag_and_sums_to_nothing(settle):
    found = settle(
        rate_card=CARD,
        achieved="metric | units | date\nhome | 12 | 2020-02-01\nhome | 12 | 2020-08-01",
        payments=HEAD + payments("home", 900, 1500),
    )
    rows = period(found, "home")
    assert rows[["difference", "explained", "unexplained"]].to_numpy().tolist() == [[-300, -300, 0], [300, 300, 0]]
    assert kinds(found) == ["lag", "lag"]
    assert rows["owed_to_date"].tolist() == [1200, 2400]
    assert rows["paid_to_date"].tolist() == [900, 2400]


def test_payments_ahead_of_what_is_owed_are_called_early(settle):
    found = settle(
        rate_card=CARD,
        achieved="metric | units | date\nhome | 12 | 2020-02-01\nhome | 12 | 2020-08-01",
        payments=HEAD + payments("home", 1300, 1100),
    )
    assert kinds(found) == ["early", "early"]


def test_paid_as_if_no_cap_had_cut_is_explained_by_the_cap(settle):
    found = settle(
        rate_card=CARD,
        achieved="metric | units | date\nhome | 30 | 2020-02-01\nhome | 30 | 2020-08-01",
        payments=HEAD + payments("home", 3000, 3000),
    )
    rows = period(found, "home")
    assert rows["cut"].tolist() == [0, 2000]
    assert rows["unexplained"].tolist() == [0, 0]
    assert kinds(found) == ["cap"]


def test_paid_without_the_floor_is_explained_by_the_floor(settle):
    card = "metric | price | floor_metric\nhome | 100 | 5000"
    found = settle(
        rate_card=card,
        achieved="metric | units | date\nhome | 30 | 2020-02-01",
        payments=HEAD + payments("home", 3000, 0),
        terms={"ends": dt.date(2020, 12, 31)},
    )
    rows = period(found, "home")
    assert rows[["lifted", "owed", "paid"]].to_numpy().tolist() == [[0, 3000, 3000], [2000, 2000, 0]]
    assert kinds(found) == ["floor"]
    assert found.table.loc[0, ["gross", "lifted", "owed"]].tolist() == [5000, 2000, 5000]


def test_a_floor_without_a_date_is_owed_in_no_period_and_is_asked_about(settle):
    card = "metric | price | floor_metric\nhome | 100 | 5000"
    found = settle(rate_card=card, achieved="metric | units | date\nhome | 30 | 2020-02-01",
                   payments=HEAD + payments("home", 3000))  # fmt: skip
    assert period(found, "home")["end"].isna().tolist() == [False, True]
    assert kinds(found) == ["floor"]


def test_the_same_units_at_another_price_of_the_card_explain_a_difference(settle):
    found = settle(
        rate_card=CARD,
        achieved="metric | units | date\nschool | 30 | 2020-02-01\nhome | 20 | 2020-02-01",
        payments=HEAD + payments("school", 3000) + "\n" + payments("home", 2000),
    )
    reason = found.looks["periods"].reasons.iloc[0]
    assert reason[["kind", "amount"]].tolist() == ["price", 1500]
    assert reason["says"] == "the same 30 units at 100, another price of the rate card"


def test_a_number_of_units_at_the_metrics_own_price_is_a_question_and_no_explanation(settle):
    found = settle(
        rate_card=CARD,
        achieved="metric | units | date\nhome | 20 | 2020-02-01",
        payments=HEAD + payments("home", 2300),
    )
    assert period(found, "home")[["explained", "unexplained"]].to_numpy().tolist() == [[0, 300]]
    assert kinds(found) == []


def test_two_other_prices_that_would_both_do_explain_nothing():
    card = read_prices(pd.DataFrame({"metric": ["a", "b", "c"], "price": [30, 7, 14]}))
    rows = [Row("a", owed=30_00, paid=28_00, cut=0, lifted=0, units=1, stated="")]
    assert explain(rows, card) == [[]]
    one = read_prices(pd.DataFrame({"metric": ["a", "b"], "price": [30, 7]}))
    assert explain(rows, one)[0][0]["says"] == "4 units at 7, another price of the rate card"


def test_units_paid_although_their_threshold_was_not_reached_are_explained_so(settle):
    card = "metric | price | mechanism | threshold\nhome | 100 | threshold | 50"
    found = settle(rate_card=card, achieved="metric | units | date\nhome | 20 | 2020-02-01",
                   payments=HEAD + payments("home", 2000))  # fmt: skip
    assert kinds(found) == ["threshold"]


def test_a_reason_in_the_payments_table_takes_what_nothing_else_explains(settle):
    found = settle(
        rate_card=CARD,
        achieved="metric | units | date\nhome | 12 | 2020-02-01\nhome | 12 | 2020-08-01",
        payments=HEAD + payments("home", 900, 1700, why="transport refunded"),
    )
    reasons = found.looks["periods"].reasons
    assert reasons[["kind", "amount"]].to_numpy().tolist() == [["lag", -300], ["lag", 300], ["stated", 200]]
    assert reasons["says"].iloc[2] == "transport refunded"


def test_what_is_not_explained_is_flagged_by_metric_without_amounts(settle):
    found = settle(
        rate_card=CARD,
        achieved="metric | units | date\nhome | 20 | 2020-02-01\nhome | 20 | 2020-08-01\nschool | 30 | 2020-02-01",
        payments=HEAD + payments("home", 2000, 2777.77) + "\n" + payments("school", 1500),
    )
    asked = next(flag for flag in found.flags if flag.about == "periods")
    assert asked.text.startswith("Owed and paid differ in 1 of 4 periods of a metric; 1 of these is not explained")
    assert asked.detail == "To ask the parties about: At home."


def test_payments_that_name_no_metric_are_held_to_everything_owed_in_their_period(settle):
    found = settle(
        rate_card=CARD,
        achieved="metric | units | date\nhome | 20 | 2020-02-01\nschool | 20 | 2020-08-01",
        payments=HEAD + payments("", 2000, 900),
    )
    rows = period(found, "all metrics")
    assert rows["difference"].tolist() == [0, -100]


def test_periods_of_metrics_that_overlap_are_held_to_the_dates_of_the_metrics_own_payments(settle):
    rows = (
        "home | actual | 2020-01-01 | 2020-12-31 | 2000 |\n"
        "school | actual | 2020-01-01 | 2020-03-31 | 500 |\nschool | actual | 2020-04-01 | 2020-12-31 | 500 |"
    )
    found = settle(
        rate_card=CARD.replace("30", ""),
        achieved="metric | units | date\nhome | 20 | 2020-02-01\nschool | 10 | 2020-02-01\nschool | 10 | 2020-09-01",
        payments=HEAD + rows,
    )
    assert len(period(found, "home")) == 1
    assert period(found, "school")["end"].dt.month.tolist() == [3, 12]
    assert (found.looks["periods"].table["difference"] == 0).all()


TWO_PRICES = read_prices(pd.DataFrame({"metric": ["a", "b"], "price": [100, 33.33], "cap_metric": [5000, None]}))
amounts = st.integers(0, 400_000)
row = st.builds(
    Row,
    metric=st.sampled_from(["a", "b", ""]),
    owed=amounts,
    paid=amounts,
    cut=st.sampled_from([0, 0, 500, 100_000]),
    lifted=st.sampled_from([0, 0, 700]),
    units=st.integers(0, 40).map(float),
    stated=st.sampled_from(["", "", "agreed by letter"]),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(row, min_size=1, max_size=8))
def test_explained_and_unexplained_are_the_difference_to_the_penny_whatever_the_rows(rows):
    told = explain(rows, TWO_PRICES)
    for one, reasons in zip(rows, told, strict=True):
        assert sum(reason["amount"] for reason in reasons) + one.left == one.paid - one.owed
        assert not (one.stated and one.left)
    shifts = [reason["amount"] for reasons in told for reason in reasons if reason["kind"] in ("lag", "early")]
    assert sum(shifts) == 0


# ---------------------------------------------------------------- the published mismatches


@pytest.mark.parametrize("project", ["INDIGO-POJ-0121", "INDIGO-POJ-0123"])
def test_care_leavers_mismatches_by_metric_agree_with_the_data_set(settle, beside, project):
    file = beside("domain/10_indigo_reconcile_care_leavers/rate_card_and_results.csv")
    case = json.loads((file.parent / "expected.json").read_text(encoding="utf-8"))["expected"][project]
    rows = pd.read_csv(file).query("project == @project")
    card = "\n".join(["metric | price", *(f"{r.metric} | {r.price}" for r in rows.itertuples())])
    done = "\n".join(["metric | units", *(f"{r.metric} | {r.achieved}" for r in rows.itertuples())])
    made = "\n".join(["metric | kind | amount", *(f"{r.metric} | actual | {r.paid}" for r in rows.itertuples())])
    found = settle(rate_card=card, achieved=done, payments=made, terms={"published": True})
    assert found.totals["owed"] == pytest.approx(case["sum_price_x_achieved"], rel=1e-9)
    assert found.totals["paid"] == pytest.approx(case["sum_paid"], rel=1e-9)
    assert found.totals["difference"] == case["difference_paid_minus_calc"]
    apart = found.table[found.table["difference"].abs() > 0.5]
    assert apart[["metric", "owed", "paid", "implied_units"]].to_numpy().tolist() == [
        list(one.values()) for one in case["mismatched_metrics"]
    ]


# ---------------------------------------------------------------- odd papers


def test_dates_outside_the_contract_are_questions_that_name_their_rows(settle):
    found = settle(
        rate_card=CARD,
        achieved="metric | units | date\nhome | 20 | 2019-12-31\nhome | 20 | 2020-08-01\nschool | 20 | 2021-01-20",
        payments=HEAD + payments("home", 2000, 2000) + "\n" + payments("school", None, None, 1000)
        + "\nhome | actual | 2019-01-01 | 2019-06-30 | 5 |",
        terms={"starts": dt.date(2020, 1, 1), "ends": dt.date(2020, 12, 31)},
    )  # fmt: skip
    told = [flag.text for flag in found.flags if flag.about in ("claims", "payments") and "are dated" in flag.text]
    assert told == [
        "achieved.csv: claims are dated before the contract starts (2020-01-01), in row 2: are the dates right?",
        "payments.csv: payments are dated before the contract starts (2020-01-01), in row 5: are the dates right?",
    ]  # school's lag of 30 days ends on 30 January: neither its claim nor its payment is late


def test_a_claim_that_repeats_a_row_is_a_question(settle):
    found = settle(
        rate_card=CARD,
        achieved="metric | units | date\nhome | 20 | 2020-02-01\nhome | 21 | 2020-02-01\nhome | 20 | 2020-02-01",
    )
    asked = next(flag for flag in found.flags if flag.about == "achieved")
    assert asked.text == "achieved.csv: row 4 repeat an earlier row exactly: were they achieved twice?"
    assert found.totals["owed"] == 4000  # as they stand, under the cap


def test_wrong_cells_of_every_table_are_said_at_once(settle):
    with pytest.raises(DataError) as error:
        settle(
            rate_card="metric | price\nhome | £100\nschool | 1'000",
            achieved="metric | units\nhome | many",
            payments=HEAD + "home | actual | 2020-01-01 | 2020-06-30 | 1.2k |",
        )
    text = str(error.value)
    for part in ("rate_card.csv", "achieved.csv", "payments.csv", "rows 2 and 3", "no currency sign"):
        assert part in text


def test_another_currency_and_a_period_that_ends_before_it_starts_are_refused_together(settle):
    with pytest.raises(DataError) as error:
        settle(
            rate_card=CARD,
            achieved="metric | units\nhome | 1",
            payments="metric | kind | start | end | amount | currency\nhome | actual | 2020-06-30 | 2020-01-01 | 1 |\n"
            "home | actual | 2020-01-01 | 2020-06-30 | 1 | chf\nhoem | actual | 2020-01-01 | 2020-06-30 | 1 | GBP",
        )
    text = str(error.value)
    assert "has 3 problems" in text
    assert "the period ends before it starts, in row 2" in text
    assert "amounts are in CHF and the study is in GBP, in row 3: two currencies are never added" in text
    assert 'Did you mean "home"?' in text


def test_claims_without_a_date_count_under_no_cap_of_a_year_and_that_is_said(settle):
    found = settle(rate_card=CARD, achieved="metric | units | date\nhome | 10 |\nhome | 10 | 2020-01-01",
                   terms={"cap_year": 500})  # fmt: skip
    assert found.totals["owed"] == 1500
    assert any("row 2 have no date, so that they count in no year" in flag.text for flag in found.flags)


def test_paid_above_the_cap_of_a_metric_or_of_a_year_is_a_question(settle):
    found = settle(
        rate_card=CARD,
        achieved="metric | units | date\nhome | 50 | 2020-02-01",
        payments=HEAD + payments("home", 5000),
        terms={"cap_year": 4500},
    )
    told = {flag.about: flag.text for flag in found.flags}
    assert told["cap_metric"] == "More was paid for At home than the cap of the metric: was the cap varied?"
    assert told["cap_year"] == "More was paid in 2020 than the cap of a year: was the cap varied?"


def test_a_threshold_that_nobody_reached_alone_and_all_reached_together_is_asked_about(settle):
    card = "metric | price | mechanism | threshold\nhome | 10 | threshold | 20"
    people = "\n".join(f"home | 1 | p{n}" for n in range(25))
    found = settle(rate_card=card, achieved=f"metric | units | person\n{people}")
    asked = next(flag for flag in found.flags if "nobody reached the threshold alone" in flag.text)
    assert (asked.level, 'per = "cohort"' in asked.detail) == ("serious", True)


def test_a_payment_may_name_a_trigger_by_its_id(settle):
    trigger = {"id": "early", "says": "a fall", "outcome": "r", "at_least": 0.1, "pays": 900}
    found = settle(rate_card=CARD, achieved="metric | units\nhome | 1", payments=HEAD + payments("early", 900),
                   terms={"trigger": [trigger]})  # fmt: skip
    assert found.table.set_index("metric").loc["trigger early", ["owed", "paid"]].tolist() == [0, 900]


# ---------------------------------------------------------------- what stays hidden


def page(found) -> str:
    """The words of the section about payments."""
    return plain(" ".join(block.html(1) for block in settled(ek.Evaluation(found))))


def test_a_hidden_metric_cannot_be_got_from_totals_and_prices():
    """An attacker with every printed amount still finds three or more counts of few people possible."""
    rng = np.random.default_rng(5)
    about = {"id": "d", "title": "D", "kind": "synthetic"}
    study = Study(study=about, contract={"rate_card": "r.csv"}, folder=Path())
    for _ in range(120):
        size = int(rng.integers(2, 6))
        prices = rng.choice([110, 220, 330, 250.5, 1000, 1760, 7, 13.37], size)
        units = rng.choice([2, 4, 8, 11, 15, 40, 90], size).astype(float)
        owed = np.round(prices * units, 2)
        table = pd.DataFrame({"metric": [f"m{k}" for k in range(size)], "mechanism": "unit", "price": prices,
                              "achieved": units, "people": units, "owed": owed, "paid": owed})  # fmt: skip
        gone = hidden_metrics(study, table)
        small = [name for name, n in zip(table["metric"], units, strict=True) if n < 10]
        assert gone.issuperset(small)
        if not small or totals_tell(study, table):
            continue
        hidden = table[table["metric"].isin(gone)]
        left = round(hidden["owed"].sum() * 100)
        pennies = [round(price * 100) for price in hidden["price"]]
        for place, name in enumerate(hidden["metric"]):
            if name in small:
                others = [price for at, price in enumerate(pennies) if at != place]
                reachable = [
                    n for n in range(10) if left >= n * pennies[place] and fits(left - n * pennies[place], others)
                ]
                assert units[int(name[1:])] in reachable
                assert len(reachable) >= 3


def fits(left: int, prices: list[int]) -> bool:
    """Whether whole numbers of the prices come to what is left."""
    if len(prices) == 1:
        return left % prices[0] == 0
    return any(fits(left - n * prices[0], prices[1:]) for n in range(left // prices[0] + 1))


def test_with_one_metric_of_few_people_neither_table_nor_title_tells_the_total(settle):
    found = settle(rate_card="metric | price\nhome | 300", achieved="metric | units | date\nhome | 4 | 2020-02-01",
                   payments=HEAD + payments("home", 1200, 0))  # fmt: skip
    text = page(found)
    assert "1,200" not in text
    assert "rests on a hidden count" in text
    assert "1,200" not in found._repr_html_()


def test_a_metric_with_few_people_in_one_period_is_not_shown_by_period(settle):
    tables = {
        "rate_card": CARD,
        "achieved": "metric | units | date\nhome | 20 | 2020-02-01\nhome | 3 | 2020-08-01\nschool | 20 | 2020-02-01",
        "payments": HEAD + payments("home", 1900, 250) + "\n" + payments("school", 900, 0),
    }
    shown = " ".join(plain(block.html(1)) for block in by_period(ek.Evaluation(settle(**tables))))
    assert "At home" not in shown
    assert "School" in shown
    assert "Metrics with few people behind a period are not shown by period." in shown
    public = settle(**tables, terms={"published": True})
    assert "At home" in " ".join(plain(block.html(1)) for block in by_period(ek.Evaluation(public)))


def test_a_cap_of_one_person_that_cut_few_people_hides_the_metric(settle):
    card = "metric | price | cap_person\nhome | 100 | 150\nschool | 100 |"
    people = "\n".join(f"home | {1 + (n < 2)} | p{n}" for n in range(30))
    other = "\n".join(f"school | 1 | p{n}" for n in range(30))
    found = settle(rate_card=card, achieved=f"metric | units | person\n{people}\n{other}")
    assert found.table.loc[0, "people_cut"] == 2
    assert found.table.loc[0, "cut"] == 100
    text = page(found)
    assert "\u2212100" not in text
    assert limits(ek.Evaluation(found)) is None
    assert by_mechanism(ek.Evaluation(found)) is None


def test_a_flag_tells_no_figures_of_a_metric_that_is_hidden_beside_another(settle):
    found = settle(
        rate_card="metric | price\nfew | 100\nmore | 100\nmany | 100",
        achieved="metric | units\nfew | 3\nmore | 12\nmany | 90",
        payments="metric | kind | amount\nfew | actual | 300\nmore | actual | 1300\nmany | actual | 9100",
    )
    asked = next(flag for flag in found.flags if flag.about == "payments")
    assert "more: paid and owed differ; the figures rest on a hidden count." in asked.detail
    assert "many: £9,100 was paid for 90 recorded units" in asked.detail


def test_no_subset_of_printed_amounts_gives_a_hidden_one(settle):
    """Every sum and difference of up to three printed amounts, against the hidden metric's owed and paid."""
    found = settle(
        rate_card="metric | price | cap_metric\nfew | 310 |\nmore | 100 |\nmany | 70 | 5000\nmost | 33 |",
        achieved="metric | units | date\nfew | 3 | 2020-02-01\nmore | 14 | 2020-02-01\nmany | 90 | 2020-02-01\n"
        "most | 400 | 2020-02-01\nmost | 100 | 2020-08-01",
        payments=HEAD + "\n".join(payments(m, a, b) for m, a, b in (("few", 930, 0), ("more", 1400, 0),
                                                                  ("many", 5000, 0), ("most", 13200, 3000))),
    )  # fmt: skip
    gone = found.table[found.table["metric"].isin(hidden_metrics(found.study, found.table))]
    assert set(gone["metric"]) >= {"few", "more"}
    numbers = {int(text.replace(",", "")) for text in re.findall(r"\d[\d,]*", page(found))}
    numbers = sorted(n for n in numbers if n > 100 and n not in (310, 2020, 2021))  # not its price
    secret = {int(value) for value in gone.loc[gone["metric"] == "few", ["owed", "paid"]].to_numpy().ravel()}
    for one, two, three in itertools.product(numbers, [0, *numbers], [0, *numbers]):
        assert not secret & {one + two + three, one - two - three, one + two - three, one - two}


def test_the_section_shows_ledger_limits_and_periods_and_names_its_conventions(settle):
    found = settle(
        rate_card=CARD + "    nights | Nights | 20 | |\n",
        achieved="metric | units | date\nhome | 30 | 2020-02-01\nhome | 30 | 2020-08-01\nschool | 30 | 2020-06-15\n"
        "nights | 30 | 2020-03-01",
        payments=HEAD + "\n".join([payments("home", 2500, 1500), payments("school", 0, 1500), payments("nights", 600)]),
        terms={"cap_year": 9000, "year_starts_month": 4, "cap_year_by": "due", "floor": 8000},
    )  # fmt: skip
    text = page(found)
    for part in (
        "Caps cut off £2,000 and floors added £1,900",
        "Cap of 4,000 for the metric",
        "Floor of 8,000 for the contract",
        "Lifted by floor",
        "rounded once, to the penny, halves up",
        "A year of a cap begins in April; an amount counts in it by the date on which payment falls due.",
        "Amounts fall due some days after achievement",
        "Owed in one period and paid in the next.",
    ):
        assert part in text, part
    ids = {result.id: result.value for result in results(ek.Evaluation(found))}
    assert (ids["contract.cut"], ids["contract.floors"], ids["contract.owed"]) == (2000, 1900, 8000)


def test_a_milestone_claimed_again_is_not_counted_as_achieved_again(settle):
    contract = settle(
        rate_card="""
            metric | price | mechanism | baseline
            job    | 3000  | milestone |
            saved  | 10    | saved     | 200
        """,
        achieved="""
            metric | units | date       | person
            job    | 1     | 2020-01-05 | a
            job    | 1     | 2020-02-05 | a
            job    | 1     | 2020-02-06 | b
            saved  | 20    | 2020-01-10 | a
        """,
        payments="""
            metric | kind   | start      | end        | amount
            job    | actual | 2020-01-01 | 2020-03-31 | 6000
            saved  | actual | 2020-01-01 | 2020-03-31 | 1800
        """,
    )
    table = contract.table.set_index("metric")
    assert table["achieved"].to_dict() == {"job": 2.0, "saved": 180.0}
    assert table["owed"].to_dict() == {"job": 6000.0, "saved": 1800.0}
    periods = contract.looks["periods"].table.groupby("metric")["units"].sum()
    assert periods.to_dict() == {"job": 2.0, "saved": 180.0}


def test_cash_flows_in_another_currency_than_the_study_are_refused(settle):
    with pytest.raises(DataError, match=r"cash_flows\.csv: amounts are in USD and the study is in GBP, in row 2"):
        settle(
            cash_flows="""
                date       | amount | currency
                2020-01-01 | -100   | USD
                2021-01-01 | 120    |
            """
        )
