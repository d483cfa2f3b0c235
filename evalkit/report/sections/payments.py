"""Payments: what was owed, what was paid, and what was for outcomes that would have happened anyway."""

from __future__ import annotations

from typing import Any

import pandas as pd

from evalkit import words
from evalkit.report import triggers
from evalkit.report.blocks import Column, Figure, How, Table, Text
from evalkit.report.common import absent, hidden, protected, rule_of, shown, split_legend
from evalkit.report.figures.bars import Bar, payments
from evalkit.report.html import Cell, sentence
from evalkit.report.phrases import finite, real, said
from evalkit.report.sections import section

PER = {
    "day": "per day below the baseline",
    "unit": "per outcome",
    "milestone": "per milestone",
    "step": "stepped",
    "slide": "sliding",
}
MONEY = (
    "gross",
    "cut",
    "owed",
    "paid",
    "difference",
    "implied_units",
    "anyway",
    "anyway_low",
    "anyway_high",
    "anyway_share",
)


@section("payments", "Payments", 70)
def settled(evaluation: Any) -> list[Any]:
    """Rate card against payments, plans, triggers."""
    contract = evaluation.contract
    if contract is None:
        return [Text(absent(evaluation, "contract", "No payments are part of this study."))]
    blocks: list[Any] = []
    if len(contract.table):
        blocks += [_card(evaluation), _bars(evaluation)]
    if len(contract.plans):
        blocks.append(_plans(evaluation))
    if len(contract.triggers):
        blocks += [triggers.table(evaluation), *triggers.drawn(evaluation)]
    blocks.append(_investor(evaluation))
    return [block for block in blocks if block is not None] or [
        Text("The contract names no prices, payments or triggers.")
    ]


def _investor(evaluation: Any) -> Text | None:
    """What those who carried the risk paid in and got back."""
    found, currency = evaluation.contract.investor, evaluation.study.study.currency
    if found is None:
        return None
    gained = f"{'gained' if found.net >= 0 else 'lost'} {words.money(abs(found.net), currency)}"
    rate = f", {words.percent(found.irr)} a year ({found.day_count})" if finite(found.irr) else ""
    return Text(
        f"Investors had up to {words.money(found.peak_drawdown, currency)} out of pocket and in the end {gained}{rate}."
    )


def _money(value: object, sign: bool = False, digits: int = 0) -> str:
    if isinstance(value, str):
        return value
    return words.number(real(value), digits, sign) if finite(value) else words.NOT_AVAILABLE


def _safe(evaluation: Any) -> pd.DataFrame:
    """The table with amounts hidden that would give away a count of few people."""
    table = evaluation.contract.table
    if evaluation.study.contract.published:
        return table
    people = pd.to_numeric(table["people"] if "people" in table else pd.Series(float("nan"), index=table.index))
    units = pd.to_numeric(table["achieved"]).where(table["mechanism"] != "day")  # days are not people
    behind_it = people.fillna(units).round().astype("Int64")
    safe = table.astype(dict.fromkeys((*MONEY, "achieved"), object))
    counted = table.assign(behind_it=behind_it)[behind_it.notna()]
    if len(counted):
        names = (*MONEY, "achieved")
        kept = protected(counted, evaluation, ["behind_it"], dict.fromkeys(names, "behind_it"))
        safe.loc[counted.index, list(names)] = kept[list(names)].astype(object).to_numpy()
    return _second_hidden(safe, behind_it)


def _second_hidden(safe: pd.DataFrame, people: pd.Series) -> pd.DataFrame:
    """Totals are printed, so one hidden metric would follow by subtraction: the next smallest is hidden too."""
    gone = safe["owed"].map(hidden)
    if gone.sum() != 1 or gone.all():
        return safe
    others = safe.index[~gone]
    sizes = people.reindex(others).astype("Float64").fillna(pd.to_numeric(safe.loc[others, "owed"]))
    safe.loc[sizes.astype(float).idxmin(), [*MONEY, "achieved"]] = words.SUPPRESSED
    return safe


def _card(evaluation: Any) -> Table:
    contract, totals = evaluation.contract, evaluation.contract.totals
    safe = _safe(evaluation)
    with_anyway = finite(totals.get("anyway"))
    names = ["Metric", "Price", "Achieved", "Price \u00d7 achieved", "Cut by cap", "Owed", "Paid", "Paid less owed"]
    columns = [Column(name, number=index > 0) for index, name in enumerate(names)]
    if with_anyway:
        columns += [
            Column(words.SYMBOLS.get(_currency(evaluation), _currency(evaluation)), group="Of owed, anyway"),
            Column("share", group="Of owed, anyway"),
        ]
    one_way = safe["mechanism"].nunique() == 1
    rows = [_line(row, with_anyway, one_way) for row in safe.itertuples()]
    return Table(
        "rate-card",
        _finding(evaluation),
        f"Rate card \u00d7 achieved, in {_unit_words(evaluation)}{_one_price(safe)}",
        columns,
        [*rows, _total(totals, with_anyway, any(hidden(row.owed) for row in safe.itertuples()))],
        notes=_notes(evaluation, with_anyway),
        source=evaluation.study.contract.source,
        how=How(
            _method(contract),
            ["contract.owed", "contract.paid", "contract.difference", *(["contract.anyway"] if with_anyway else [])],
        ),
        total=1,
        meanings=_meanings(contract),
        dense=True,
        width=54,
    )


def _one_price(safe: pd.DataFrame) -> str:
    ways = safe["mechanism"].dropna().unique()
    return f"; each price is {PER.get(ways[0], ways[0])}" if len(ways) == 1 else ""


def _currency(evaluation: Any) -> str:
    return str(evaluation.study.study.currency)


def _unit_words(evaluation: Any) -> str:
    return {"GBP": "pounds", "USD": "US dollars", "EUR": "euros"}.get(
        _currency(evaluation), _currency(evaluation)
    ) + " as paid"


def _finding(evaluation: Any) -> str:
    totals, currency = evaluation.contract.totals, _currency(evaluation)
    paid, owed, gap = (real(totals.get(name)) for name in ("paid", "owed", "difference"))
    start = f"{words.whole_money(paid, currency)} was paid against {words.whole_money(owed, currency)} owed"
    if not finite(gap) or round(gap) == 0:
        return start
    return f"{start}: {words.whole_money(abs(gap), currency)} {'more' if gap > 0 else 'less'}"


def _line(row: Any, with_anyway: bool, one_way: bool) -> list[object]:
    gap = real(row.difference) if not isinstance(row.difference, str) else 0.0
    achieved = row.achieved if isinstance(row.achieved, str) else real(row.achieved)
    cells: list[object] = [
        Cell(
            said(row.title) or said(row.metric),
            small="" if one_way else PER.get(said(row.mechanism), said(row.mechanism)),
        ),
        _money(row.price, digits=2),
        shown(achieved, 0 if not finite(achieved) or real(achieved) == round(real(achieved)) else 1),
        _money(row.gross),
        _money(-real(row.cut)) if not isinstance(row.cut, str) else row.cut,
        _money(row.owed),
        _money(row.paid),
        Cell(_money(row.difference, sign=True), bold=bool(finite(gap) and round(gap) != 0)),
    ]
    if with_anyway:
        share = (
            row.anyway_share
            if isinstance(row.anyway_share, str)
            else words.percent(real(row.anyway_share), 0)
            if finite(row.anyway_share)
            else words.NOT_AVAILABLE
        )
        cells += [_money(row.anyway), share]
    return cells


def _total(totals: dict[str, Any], with_anyway: bool, some_hidden: bool) -> list[object]:
    amounts = [
        _money(totals.get("gross")),
        _money(-real(totals.get("cut"))),
        _money(totals.get("owed")),
        _money(totals.get("paid")),
    ]
    if some_hidden:  # no total from which a hidden amount follows
        amounts = [words.SUPPRESSED] * 4
    gap = words.SUPPRESSED if some_hidden else _money(totals.get("difference"), sign=True)
    cells: list[object] = ["Total", "", "", *amounts, gap]
    if with_anyway:
        share = (
            words.percent(real(totals.get("anyway_share")), 0)
            if finite(totals.get("anyway_share"))
            else words.NOT_AVAILABLE
        )
        cells += [words.SUPPRESSED if some_hidden else _money(totals.get("anyway")), share]
    return cells


def _meanings(contract: Any) -> dict[str, str]:
    why = list(dict.fromkeys(said(reason) for reason in contract.table["why_no_anyway"] if said(reason)))
    return (
        {words.NOT_AVAILABLE: f"not available: {why[0][:1].lower()}{why[0][1:].rstrip('.')}"} if len(why) == 1 else {}
    )


def _notes(evaluation: Any, with_anyway: bool) -> list[str]:
    totals, currency, notes = evaluation.contract.totals, _currency(evaluation), []
    if with_anyway:
        span = words.interval(
            real(totals.get("anyway_share_low")), real(totals.get("anyway_share_high")), 0, percent=True
        )
        judged = words.whole_money(real(totals.get("judged")), currency)
        notes.append(
            f"The total share is that of the {judged} that can be judged; 95% interval "
            f"{span}. It is the contract's own mechanism recomputed at the outcome expected without the programme."
        )
        notes += _added(totals, currency)
    different = [
        said(row.title) or said(row.metric)
        for row in evaluation.contract.table.itertuples()
        if finite(row.difference) and round(real(row.difference)) != 0
    ]
    if different:
        notes.append(
            f"In bold: paid and owed differ in {len(different)} of "
            f"{len(evaluation.contract.table)} metrics. Each difference is a question, not a finding."
        )
    if finite(totals.get("cap")):
        notes.append(f"Most that could be paid: {words.whole_money(real(totals['cap']), currency)}.")
    recorded = evaluation.study.contract.maximum_recorded
    if finite(recorded):
        notes.append(
            f"A maximum of {words.whole_money(real(recorded), currency)} is on record; it is not known to be a cap."
        )
    if not evaluation.study.contract.published:
        notes.append(f"Rule in force: {rule_of(evaluation)}.")
    return notes


def _added(totals: dict[str, Any], currency: str) -> list[str]:
    """What the programme added to what is owed: below nothing where it did worse than what would have happened."""
    added = totals.get("added")
    if not finite(added) or real(added) >= 0:
        return []
    return [
        f"The programme added {words.whole_money(real(added), currency, sign=True)} to what is owed: by the same "
        "mechanism more would have been earned without it."
    ]


def _method(contract: Any) -> list[str]:
    why = dict.fromkeys(said(reason) for reason in contract.table["why_no_anyway"] if said(reason))
    return [
        "Owed = price \u00d7 achieved, cut where a cap of a person, a metric or the contract is reached.",
        *(sentence(reason) for reason in why),
    ]


def _bars(evaluation: Any) -> Figure | None:
    totals, currency = evaluation.contract.totals, _currency(evaluation)
    safe = _safe(evaluation)
    if any(hidden(row.owed) for row in safe.itertuples()):
        return None
    plans = totals.get("planned") or {}
    bars = [
        Bar(f"Planned, {plan}" if len(plans) > 1 else "Planned", real(amount))
        for plan, amount in plans.items()
        if finite(amount)
    ]
    bars += [Bar("Paid", real(totals["paid"]))] if finite(totals.get("paid")) else []
    known, owed = finite(totals.get("anyway")), real(totals["owed"])
    rest = owed - real(totals["judged"]) if known else 0.0
    span = (real(totals.get("anyway_low")), real(totals.get("anyway_high"))) if known else (float("nan"),) * 2
    bars.append(Bar("Owed", owed, real(totals["anyway"]) if known else None, rest, *span, split=known, bold=True))
    if known:
        bars += [_metric_bar(row) for row in safe.itertuples() if real(row.owed) > 0]
    drawn = payments(bars, currency, "pay")
    return Figure(
        "payments",
        _bars_finding(evaluation, known),
        f"Planned, paid and owed{', and owed by metric' if known else ''}, {_unit_words(evaluation)}",
        drawn.wide,
        drawn.narrow,
        legend=split_legend("paykey") if known else "",
        notes=["The line below a bar is the 95% interval of the boundary."] if known else [],
    )


def _metric_bar(row: Any) -> Bar:
    owed, judged = real(row.owed), finite(row.anyway)
    return Bar(
        said(row.title) or said(row.metric),
        owed,
        real(row.anyway) if judged else None,
        0.0 if judged else owed,
        split=True,
    )


def _bars_finding(evaluation: Any, known: bool) -> str:
    totals = evaluation.contract.totals
    if not known or not finite(totals.get("anyway_share")):
        return "How much of it was for outcomes that would have happened anyway is not known"
    span = words.interval(real(totals["anyway_share_low"]) * 100, real(totals["anyway_share_high"]) * 100, 0)
    return (
        f"{words.percent(real(totals['anyway_share']), 0)} ({span}) of what can be judged was "
        "for outcomes that would have happened anyway"
    )


def _plans(evaluation: Any) -> Table:
    rows = [
        [
            said(row.plan),
            _money(row.planned),
            _money(row.actual),
            words.percent(real(row.share), 0) if finite(row.share) else words.NOT_AVAILABLE,
        ]
        for row in evaluation.contract.plans.itertuples()
    ]
    told = [f"{row[3]} of {row[0]}" for row in rows if row[3] != words.NOT_AVAILABLE]
    return Table(
        "plans",
        _plans_finding(rows, told),
        f"Outcome payments, planned and actual, {_unit_words(evaluation)}",
        [Column("Plan", False), Column("Planned"), Column("Actual"), Column("Share of plan")],
        rows,
        width=0,
    )


def _plans_finding(rows: list[list[str]], told: list[str]) -> str:
    if not told:
        return "What was planned and paid"
    return f"{rows[0][3]} of what was planned was paid" if len(rows) == 1 else f"Paid: {words.listed(told)}"
