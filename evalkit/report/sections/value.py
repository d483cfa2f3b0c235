"""Value: what the outcomes were worth, to whom, in which year, and for each unit of cost."""

from __future__ import annotations

from typing import Any

import pandas as pd

from evalkit import words
from evalkit.report.blocks import Column, Figure, How, Table, Text
from evalkit.report.common import absent
from evalkit.report.figures.ranges import value_range
from evalkit.report.html import Cell, sentence
from evalkit.report.phrases import finite, real, said
from evalkit.report.sections import section

NET = "not applicable: the effect is net of it already, or the line is not valued in money"


@section("value", "Value", 80)
def value(evaluation: Any) -> list[Any]:
    """Ratio as a range, impact map, by agency, by year."""
    found = evaluation.value
    if found is None:
        return [
            Text(absent(evaluation, "value", "No impact map was drawn up: what the outcomes were worth is not known."))
        ]
    blocks = [
        Text(opening(evaluation)),
        _ratio(evaluation),
        _map(evaluation),
        _agencies(evaluation),
        _years(evaluation),
    ]
    return [block for block in blocks if block is not None]


def opening(evaluation: Any) -> str:
    """The range first, the centre second, and whether value exceeded cost.

    Parameters
    ----------
    evaluation : Evaluation
        With a value.

    Returns
    -------
    str
        Two or three sentences.
    """
    found, currency = evaluation.value, evaluation.study.study.currency
    unit = words.whole_money(1, currency)
    if not finite(found.ratio):
        return "No ratio of value to cost can be given."
    centre = words.whole_money(real(found.ratio), currency, 2)
    if not finite(found.ratio_low) or not finite(found.ratio_high):
        return (
            f"Each {unit} spent is reckoned to have brought {centre} of value; no ranges were "
            "given, so how sure that is cannot be said."
        )
    low, high = (words.whole_money(real(end), currency, 2) for end in (found.ratio_low, found.ratio_high))
    told = (
        f"Each {unit} spent is estimated to have brought {low} to {high} of value, with a central estimate of {centre}."
    )
    return f"{told} {verdict(found)} Ratios of different programmes should not be ranked."


def verdict(found: Any) -> str:
    """Whether value exceeded cost, judged by the whole range."""
    if real(found.ratio_low) > 1:
        return "Value exceeded cost over the whole range."
    if real(found.ratio_high) < 1:
        return "Value fell short of cost over the whole range."
    return "It is not established that value exceeded cost."


def _ratio(evaluation: Any) -> Figure | None:
    found, currency = evaluation.value, evaluation.study.study.currency
    if not finite(found.ratio):
        return None
    low, high, centre = real(found.ratio_low), real(found.ratio_high), real(found.ratio)
    alt = (
        f"Value for each {words.whole_money(1, currency)} of cost: "
        f"{words.interval(low, high, 2)}, centre {words.number(centre, 2)}, against 1, which is cost."
    )
    drawn = value_range((low, centre, high), [], alt)
    facts = [
        (
            f"Present value {words.money(real(found.present_value), currency)}; cost "
            f"{words.money(real(found.cost), currency)}; net present value {words.money(real(found.npv), currency)}."
        ),
        sentence(said(found.convention)),
    ]
    if finite(found.net_ratio):
        facts.append(f"Net ratio (value less cost, for each unit of cost): {words.number(real(found.net_ratio), 2)}.")
    if finite(found.payback_months):
        facts.append(f"Payback after {words.number(real(found.payback_months), 0)} months.")
    facts.append(sentence(said(getattr(found, "range_method", ""))))
    chance = getattr(found, "probability_exceeds_cost", None)
    if finite(chance):
        facts.append(f"Value exceeds cost in {words.percent(real(chance), 0)} of the joint draws.")
    return Figure(
        "ratio",
        verdict(found).rstrip(".") if finite(low) and finite(high) else "Value for each unit of cost",
        f"Value for each {words.whole_money(1, currency)} spent, present value; everything uncertain moved together",
        drawn.wide,
        drawn.narrow,
        how=How(facts, ["value.ratio"]),
    )


def _price_year(evaluation: Any) -> str:
    year = evaluation.study.study.price_year
    return f", {year} prices" if year else ""


def _share(value: object) -> str:
    return words.percent(real(value), 0) if finite(value) else words.NOT_APPLICABLE


def _taken(row: Any, name: str) -> str:
    """A share taken off; an estimated effect is net of deadweight already, so there it does not apply."""
    if name == "deadweight" and said(getattr(row, "quantity_from", "")) == "effect" and not real(row.deadweight):
        return words.NOT_APPLICABLE
    return _share(getattr(row, name))


def _map(evaluation: Any) -> Table | None:
    lines = evaluation.value.lines
    if not len(lines):
        return None
    currency = evaluation.study.study.currency
    parts = [name for name in ("deadweight", "displacement", "attribution", "drop_off") if name in lines]
    amount = next((name for name in ("present_value", "value", "total") if name in lines), None)
    columns = [Column("Outcome", False), Column("Quantity"), Column("Worth each")]
    columns += [Column(name.replace("_", "-").capitalize(), group="Taken off") for name in parts]
    columns += [Column("Years")] + ([Column("Present value")] if amount else [])
    rows = []
    for row in lines.itertuples():
        who = ", ".join(
            part for part in (said(getattr(row, "stakeholder", "")), said(getattr(row, "agency", ""))) if part
        )
        quantity = real(getattr(row, "quantity", None))
        cells: list[object] = [
            Cell(said(getattr(row, "title", "")) or said(row.outcome), small=who),
            words.number(quantity, 0 if abs(quantity) >= 100 else 1),
        ]
        worth = next(
            (
                getattr(row, name)
                for name in ("unit_value", "proxy_value", "price", "proxy")
                if finite(getattr(row, name, None))
            ),
            None,
        )
        cells += [words.number(real(worth), 2), *(_taken(row, name) for name in parts)]
        cells += [
            words.number(real(getattr(row, "duration", None)), 0),
            *([words.number(real(getattr(row, amount)), 0)] if amount else []),
        ]
        rows.append(cells)
    return Table(
        "impact-map",
        "What was valued, at what price, and what was taken off",
        (
            "Quantity \u00d7 worth \u00d7 (1 \u2212 deadweight) \u00d7 (1 \u2212 displacement) "
            f"\u00d7 (1 \u2212 attribution), {currency}{_price_year(evaluation)}"
        ),
        columns,
        rows,
        notes=[sentence(said(evaluation.value.convention))],
        source="; ".join(dict.fromkeys(said(s) for s in lines["source"] if said(s))) if "source" in lines else "",
        meanings={words.NOT_APPLICABLE: NET},
        dense=True,
        width=52,
    )


def _agencies(evaluation: Any) -> Table | None:
    return _amounts(evaluation, evaluation.value.by_agency, "agency", "by-agency", "Who the value falls to", "Agency")


def _years(evaluation: Any) -> Table | None:
    return _amounts(evaluation, evaluation.value.by_year, "year", "by-year", "When the value falls due", "Year")


def _amounts(evaluation: Any, table: pd.DataFrame | None, key: str, id: str, finding: str, head: str) -> Table | None:
    if table is None or not len(table):
        return None
    table = table if key in table else table.reset_index().rename(columns={"index": key})
    numeric = [name for name in table.columns if name != key and pd.api.types.is_numeric_dtype(table[name])]
    rows = [
        [_key(row[key]), *(words.number(real(row[name]), 3 if "factor" in name else 0) for name in numeric)]
        for _, row in table.iterrows()
    ]
    if len(rows) > 1 and key == "agency" and "present_value" in table:
        top = table[key].iloc[int(table["present_value"].astype(float).argmax())]
        finding = f"The largest part falls to {said(top)}"
    columns = [Column(head, False), *(Column(name.replace("_", " ").capitalize()) for name in numeric)]
    return Table(
        id,
        finding,
        f"{evaluation.study.study.currency}{_price_year(evaluation)}",
        columns,
        rows,
        width=24 + 6 * max(len(numeric) - 2, 0),
    )


def _key(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value == int(value) else str(value)
