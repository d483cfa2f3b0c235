"""Money that never loses a penny: rounding, exact sums, caps that hold, whatever the card and the claims."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.contract import due, settle_contract
from evalkit.contract.pennies import exact, in_pennies, less, to_penny, total
from evalkit.errors import DataError
from evalkit.study import Study


def pennies(column: pd.Series) -> list[int]:
    """A column in whole pennies, and the proof that it holds nothing smaller."""
    whole = [round(value * 100) for value in column]
    assert all(float(Decimal(penny) / 100) == value for penny, value in zip(whole, column, strict=True))
    return whole


# ---------------------------------------------------------------- rounding


def test_a_line_is_rounded_half_up_from_the_decimals_that_were_typed(grid):
    grid(
        """
        price   | units  | paid
        1.005   | 1      | 1.01
        0.1     | 3      | 0.30
        2.675   | 1      | 2.68
        1.115   | 1      | 1.12
        0.004   | 1      | 0.00
        0.005   | 1      | 0.01
        33.3333 | 3      | 100.00
        0.07    | 100    | 7.00
        1234567.89 | 1000 | 1234567890.00
        """,
        lambda row: due(
            pd.DataFrame({"metric": ["m"], "price": [row.price]}), pd.DataFrame({"metric": ["m"], "units": [row.units]})
        )["paid"].iloc[0],
        "paid",
    )


def test_amounts_as_text_and_as_decimals_come_to_the_same_as_numbers():
    for price in ("1.005", 1.005, Decimal("1.005")):
        ledger = due(pd.DataFrame({"metric": ["m"], "price": [price]}), pd.DataFrame({"metric": ["m"], "units": ["3"]}))
        assert ledger["paid"].tolist() == [3.02]  # 3.015


def test_each_line_is_rounded_once_so_that_three_thirds_stay_a_penny_short():
    card = pd.DataFrame({"metric": ["m"], "price": [1]})
    assert total(due(card, pd.DataFrame({"metric": "m", "units": [1 / 3] * 3}))["paid"]) == 0.99


def test_sums_are_sums_of_pennies_where_floats_drift():
    assert total([0.1] * 3) == 0.3 != sum([0.1] * 3)
    assert total([1e9 + 0.01] * 1000) == 1e12 + 10
    assert less(0.3, 0.1) == 0.2 != 0.3 - 0.1
    assert np.isnan(less(np.nan, 1.0))
    assert in_pennies([1.005, -1.005, np.nan, 2.675]).tolist() == [101, -101, 0, 268]


@given(st.decimals(min_value=0, max_value=10**7, places=4), st.decimals(min_value=0, max_value=10**4, places=3))
def test_rounding_agrees_with_decimals_for_any_price_and_units(price, units):
    ledger = due(
        pd.DataFrame({"metric": ["m"], "price": [float(price)]}),
        pd.DataFrame({"metric": ["m"], "units": [float(units)]}),
    )
    wanted = (price * units).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    assert ledger["paid"].iloc[0] == float(wanted)


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=6))
def test_a_number_is_read_as_the_decimal_it_was_typed_as(value):
    assert to_penny(exact(float(value))) == value.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


# ---------------------------------------------------------------- any card, any claims, any caps

money = st.decimals(min_value=0, max_value=5000, places=3).map(float)
some_cap = st.none() | st.decimals(min_value=0, max_value=9000, places=2).map(float)
KINDS = ("unit", "day", "milestone", "saved", "threshold", "excess", "step", "slide", "scale")


@st.composite
def cards(draw, kinds=KINDS):
    """A rate card of up to four metrics."""
    rows = []
    for place in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(kinds))
        whole = {"metric": f"m{place}", "mechanism": kind, "cap_person": draw(some_cap), "cap_metric": draw(some_cap)}
        whole["cap_year"] = draw(some_cap)
        whole["baseline"] = draw(money) if kind == "saved" else None
        if kind == "saved" and draw(st.booleans()):
            whole["claw_back"] = "yes"
        steps = draw(st.lists(st.integers(0, 60), min_size=2, max_size=4, unique=True))
        levels = sorted(steps) if kind in ("step", "slide", "scale") else steps[:1]
        prices = sorted(draw(money) for _ in levels)  # a level further on is never worth less
        gated = kind in ("step", "slide", "scale", "threshold", "excess")
        rows += [{**whole, "price": price, "threshold": level if gated else None}
                 for level, price in zip(levels, prices, strict=True)]  # fmt: skip
    return pd.DataFrame(rows)


@st.composite
def claimed(draw, card):
    """Up to twelve claims on a card: some of named people, some without a date."""
    metrics = sorted(card["metric"].unique())
    row = st.fixed_dictionaries(
        {
            "metric": st.sampled_from(metrics),
            "units": st.decimals(min_value=0, max_value=90, places=2).map(float),
            "person": st.sampled_from(["", "a", "b", "c"]),
            "date": st.none() | st.dates(pd.Timestamp("2019-01-01").date(), pd.Timestamp("2022-12-31").date()),
        }
    )
    return pd.DataFrame(draw(st.lists(row, min_size=1, max_size=12)))


@st.composite
def contracts(draw, kinds=KINDS):
    """A card, claims and the terms of the contract."""
    card = draw(cards(kinds))
    terms = {"cap": draw(some_cap), "cap_year": draw(some_cap), "year_starts_month": draw(st.integers(1, 12))}
    return card, draw(claimed(card)), terms


@settings(max_examples=80, deadline=None)
@given(contracts())
def test_no_penny_is_lost_and_no_cap_is_exceeded(contract):
    card, achieved, terms = contract
    before = achieved.copy(deep=True)
    ledger = due(card, achieved, **terms)
    pd.testing.assert_frame_equal(achieved, before)
    gross, paid, cut = (pennies(ledger[name]) for name in ("gross", "paid", "cut_off"))
    assert [one - other for one, other in zip(gross, paid, strict=True)] == cut
    assert all(amount >= 0 for amount in cut)
    ledger = ledger.assign(pennies=paid)
    limits = card.drop_duplicates("metric").set_index("metric")
    most = {None: terms["cap"], **limits["cap_metric"].to_dict()}
    for metric, cap in most.items():
        rows = ledger if metric is None else ledger[ledger["metric"] == metric]
        if cap is not None and not np.isnan(cap):
            assert rows["pennies"].cumsum().max() <= round(cap * 100) or rows.empty
    start = terms["year_starts_month"]
    years = ledger["date"].dt.year - (ledger["date"].dt.month < start)
    for (_, metric), rows in ledger.groupby([years, "metric"]):
        if not np.isnan(cap := limits.loc[metric, "cap_year"] or np.nan):
            assert rows["pennies"].sum() <= round(cap * 100)
    if terms["cap_year"] is not None:
        assert ledger.groupby(years)["pennies"].sum().le(round(terms["cap_year"] * 100)).all()


@settings(max_examples=40, deadline=None)
@given(contracts(), st.decimals(min_value=0, max_value=5000, places=2).map(float))
def test_what_is_paid_in_all_never_falls_as_the_contracts_cap_rises(contract, more):
    card, achieved, terms = contract
    low = 0.0 if terms["cap"] is None else terms["cap"]
    paid = [sum(pennies(due(card, achieved, **{**terms, "cap": cap})["paid"])) for cap in (low, low + more, None)]
    assert paid == sorted(paid)


@settings(max_examples=40, deadline=None)
@given(contracts(("unit", "day", "step", "slide", "scale", "threshold")), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter_where_dates_are_all_different(contract, random):
    card, achieved, terms = contract
    days = random.sample(range(1000), len(achieved))
    achieved = achieved.assign(date=pd.Timestamp("2019-01-01") + pd.to_timedelta(pd.Series(days), unit="D"))
    order = random.sample(range(len(achieved)), len(achieved))
    first = due(card, achieved, **terms)
    second = due(card, achieved.iloc[order], **terms)
    pd.testing.assert_frame_equal(first, second)


@settings(max_examples=30, deadline=None)
@given(cards(("unit", "day")), st.data())
def test_claims_of_two_halves_come_to_the_whole_where_nothing_is_capped(card, data):
    achieved = data.draw(claimed(card))
    bare = card.assign(cap_person=None, cap_metric=None, cap_year=None)
    cut = data.draw(st.integers(0, len(achieved)))
    whole = total(due(bare, achieved)["paid"])
    parts = [total(due(bare, part)["paid"]) for part in (achieved.iloc[:cut], achieved.iloc[cut:])]
    assert total(parts) == whole


@settings(max_examples=40, deadline=None)
@given(contracts(), st.decimals(min_value=0, max_value=20000, places=2).map(float))
def test_with_a_floor_the_sum_is_the_larger_of_floor_and_payment_under_the_cap(contract, floor):
    card, achieved, terms = contract
    card = card.assign(floor_metric=None)
    if terms["cap"] is not None and floor > terms["cap"]:
        with pytest.raises(DataError, match="floor is above its cap"):
            due(card, achieved, floor=floor, **terms)
        return
    without = sum(pennies(due(card, achieved, **terms)["paid"]))
    ledger = due(card, achieved, floor=floor, **terms)
    assert sum(pennies(ledger["paid"])) == max(without, round(floor * 100))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(contracts())
def test_ledger_table_and_totals_are_the_same_sums_to_the_penny(tmp_path_factory, contract):
    card, achieved, terms = contract
    folder = tmp_path_factory.mktemp("contract")
    card.to_csv(folder / "rate_card.csv", index=False)
    achieved.to_csv(folder / "achieved.csv", index=False)
    terms = {name: value for name, value in terms.items() if value}
    named = {"rate_card": "rate_card.csv", "achieved": "achieved.csv", "floor": 1234.56}
    if terms.get("cap", 1e9) < 1234.56:
        named.pop("floor")
    study = Study(study={"id": "d", "title": "D", "kind": "synthetic"}, contract={**named, **terms}, folder=folder)
    found = settle_contract(study)
    for column, name, key in (("gross", "gross", "gross"), ("cut_off", "cut", "cut"), ("paid", "owed", "owed")):
        sums = [sum(pennies(found.ledger[column])), sum(pennies(found.table[name])), round(found.totals[key] * 100)]
        assert len(set(sums)) == 1
    assert (found.table["gross"] - found.table["cut"] - found.table["owed"]).abs().max() < 1e-6


# ---------------------------------------------------------------- amounts that are none


def test_signs_separators_and_words_in_plain_frames_are_refused_with_lines_and_remedy():
    card = pd.DataFrame({"metric": ["a", "b", "c"], "price": ["£1,200", "n/k", 5]})
    claims = pd.DataFrame({"metric": ["a", "a"], "units": ["2", "two"], "date": ["2020-01-01", "01/02/2020"]})
    with pytest.raises(DataError) as error:
        due(card, claims)
    text = str(error.value)
    assert text.startswith("What is due has 3 problems")
    assert 'The rate card: column "price": 2 cells are not amounts, in rows 2 and 3 (the first is "£1,200")' in text
    assert "Write amounts as 1200: no currency sign, no thousands separator" in text
    assert 'What was achieved: column "date": 1 cell is not a date, in row 3' in text
    assert '"two"' not in text  # rows may be people: only the shape is told
    assert 'looks like "aaa"' in text


def test_two_currencies_on_one_card_are_refused():
    card = pd.DataFrame({"metric": ["a", "b"], "price": 1, "currency": ["GBP", "CHF"]})
    with pytest.raises(DataError, match="prices are in GBP and CHF"):
        due(card, pd.DataFrame({"metric": ["a"], "units": [1]}))


def test_missing_units_negative_units_and_missing_metrics_are_said_together():
    with pytest.raises(DataError) as error:
        due(
            pd.DataFrame({"metric": ["a"], "price": [1]}),
            pd.DataFrame({"metric": ["a", "a", None], "units": [None, -1, 2]}),
        )
    for part in ("have no number of units (first at line 2)", "negative units", "have no metric (first at line 4)"):
        assert part in str(error.value)


def test_a_column_that_is_misspelt_is_named_with_the_one_that_was_meant():
    with pytest.raises(DataError, match='lacks the column "units"'):
        due(pd.DataFrame({"metric": ["a"], "price": [1]}), pd.DataFrame({"metric": ["a"], "unit": [1]}))
