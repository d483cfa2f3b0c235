"""Payments: what was owed, what was paid, and what was for outcomes that would have happened anyway."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from evalkit import words
from evalkit.contract.mechanisms import FLOOR, TRIGGER
from evalkit.contract.pennies import less, total
from evalkit.report import triggers
from evalkit.report.amounts import HALF_A_PENNY, pence
from evalkit.report.blocks import Column, Figure, How, Table, Text
from evalkit.report.common import absent, hidden, shown, split_legend
from evalkit.report.figures.bars import Bar, payments
from evalkit.report.html import Cell
from evalkit.report.ledger_tables import PER, by_mechanism, by_period, limits
from evalkit.report.payment_notes import method, notes
from evalkit.report.phrases import finite, real, said
from evalkit.report.rests import RESTS, hidden_metrics, printed_totals, totals_tell
from evalkit.report.results import Result
from evalkit.report.sections import section

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
AMOUNTS = ("gross", "cut", "owed", "paid", "difference")
BARS = ("Planned", "Paid", "Owed")
BEFORE = (3, 4)  # places of the columns "Price x achieved" and "Cut by cap"


def _results(evaluation: Any) -> Iterator[Result]:
    """What caps cut, floors added and triggers paid, and what of the differences by period nobody has explained."""
    contract = evaluation.contract
    if contract is None or not len(contract.table) or hidden_metrics(evaluation):
        return
    currency, source = _currency(evaluation), "rate card, achieved, payments"
    for name in ("gross", "cut", "floors", "triggers"):
        if finite(contract.totals.get(name)) and (name == "gross" or real(contract.totals[name])):
            value = real(contract.totals[name])
            text = words.whole_money(value, currency, pence([value]))
            yield Result(f"contract.{name}", value, currency, None, None, text, "payments", source)


@section("payments", "Payments", 70, results=_results)
def settled(evaluation: Any) -> list[Any]:
    """Rate card against payments, plans, triggers."""
    contract = evaluation.contract
    if contract is None:
        return [Text(absent(evaluation, "contract", "No payments are part of this study."))]
    blocks: list[Any] = []
    if len(contract.table) and _nothing_on_record(contract):
        blocks.append(_prices(evaluation))
    elif len(contract.table):
        blocks += [_card(evaluation), _bars(evaluation), by_mechanism(evaluation), limits(evaluation)]
        blocks += by_period(evaluation)
    if len(contract.plans):
        secret = totals_tell(evaluation)
        if "schedule" not in getattr(
            contract, "looks", {}
        ):  # the section on timescales holds the plans to what was paid
            blocks.append(Text(f"What was paid of the plan is not shown: {RESTS}") if secret else _plans(evaluation))
    if len(contract.triggers):
        blocks += [triggers.table(evaluation), *triggers.drawn(evaluation)]
    return [block for block in blocks if block is not None] or [Text(_without_prices(evaluation))]


def _without_prices(evaluation: Any) -> str:
    """What can be said of payments where no rate card is on record."""
    totals = evaluation.contract.totals
    if not finite(totals.get("paid")) or totals_tell(evaluation):
        return "The contract names no prices, payments or triggers."
    paid = words.whole_money(real(totals["paid"]), _currency(evaluation), pence([totals["paid"]]))
    return f"{paid} was paid. No prices are on record, so what was owed cannot be worked out."


def _nothing_on_record(contract: Any) -> bool:
    """Whether there are prices, and nothing that was achieved: then 0 owed would not be a fact."""
    return not len(contract.ledger) and not finite(contract.totals.get("owed"))


def _prices(evaluation: Any) -> Table:
    """The prices alone, and what was paid at each where that is on record."""
    contract, safe = evaluation.contract, _safe(evaluation)
    paid, digits = any(finite(one) for one in contract.table["paid"]), pence(contract.table["paid"])
    rows = [
        [Cell(said(row.title) or said(row.metric), small=_way(evaluation, row)), _price(row)]
        + ([_money(row.paid, digits=digits)] if paid else [])
        for row in safe.itertuples()
    ]
    return Table(
        "rate-card",
        _finding(evaluation),
        f"Prices, in {_unit_words(evaluation)}{_one_price(safe)}; nothing that was achieved is on record",
        [Column("Metric", number=False), Column("Price"), *([Column("Paid")] if paid else [])],
        rows,
        notes=notes(evaluation, False),
        source=evaluation.study.contract.source,
        width=0,
    )


def _money(value: object, sign: bool = False, digits: int = 0) -> str:
    if isinstance(value, str):
        return value
    return words.number(real(value), digits, sign) if finite(value) else words.NOT_AVAILABLE


def _safe(evaluation: Any) -> pd.DataFrame:
    """The table with amounts hidden that would give away a count of few people."""
    table, gone = evaluation.contract.table, hidden_metrics(evaluation)
    if not gone:
        return table
    names = [name for name in (*MONEY, "achieved") if name in table]
    safe = table.astype(dict.fromkeys(names, object))
    safe.loc[table["metric"].isin(gone), names] = words.SUPPRESSED
    return safe


def _card(evaluation: Any) -> Table:
    contract, totals = evaluation.contract, evaluation.contract.totals
    safe = _safe(evaluation)
    with_anyway = finite(printed_totals(evaluation).get("anyway"))
    floors = finite(totals.get("floors")) and real(totals["floors"]) > 0
    names = ["Metric", "Price", "Achieved", "Price \u00d7 achieved", "Cut by cap"]
    names += [*(["Lifted by floor"] if floors else []), "Owed", "Paid", "Paid less owed"]
    columns = [Column(name, number=index > 0) for index, name in enumerate(names)]
    if with_anyway:
        columns += [
            Column(words.SYMBOLS.get(_currency(evaluation), _currency(evaluation)), group="Of owed, anyway"),
            Column("share", group="Of owed, anyway"),
        ]
    digits = pence(*(contract.table[name] for name in AMOUNTS))
    small = {row.metric: _way(evaluation, row) for row in safe.itertuples()}
    rows = [_line(row, with_anyway, floors, (digits, small[row.metric])) for row in safe.itertuples()]
    rows.append(_total(contract, with_anyway, floors, (digits, bool(safe["owed"].map(hidden).any()))))
    kept = _kept(evaluation, safe, floors, len(columns))
    return Table(
        "rate-card",
        _finding(evaluation),
        f"Rate card \u00d7 achieved, in {_unit_words(evaluation)}{_one_price(safe)}",
        [columns[place] for place in kept],
        [[row[place] for place in kept] for row in rows],
        notes=notes(evaluation, with_anyway),
        source=evaluation.study.contract.source,
        how=How(
            method(contract),
            ["contract.owed", "contract.paid", "contract.difference", *(["contract.anyway"] if with_anyway else [])],
        ),
        total=1,
        meanings=_meanings(contract) if with_anyway else {},
        dense=True,
        width=54,
    )


def _kept(evaluation: Any, safe: pd.DataFrame, floors: bool, many: int) -> list[int]:
    """Which columns say something: without any cap or floor, price times achieved is what is owed."""
    plan, cut = evaluation.study.contract, evaluation.contract.totals.get("cut")
    told = plan.cap is not None or plan.cap_year is not None or floors or bool(safe["owed"].map(hidden).any())
    capped = told or not finite(cut) or abs(real(cut)) >= HALF_A_PENNY
    return [place for place in range(many) if capped or place not in BEFORE]


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
    if not finite(owed) or not finite(paid):
        return _half_known(paid, owed, currency)
    if totals_tell(evaluation):
        return "What was owed and paid rests on a hidden count"
    digits = pence([paid, owed])
    start = f"{words.whole_money(paid, currency, digits)} was paid against "
    start += f"{words.whole_money(owed, currency, digits)} owed"
    if not finite(gap) or abs(gap) < HALF_A_PENNY:
        return start
    return f"{start}: {words.whole_money(abs(gap), currency, digits)} {'more' if gap > 0 else 'less'}"


def _half_known(paid: float, owed: float, currency: str) -> str:
    """The finding where only one of paid and owed is on record, or neither."""
    if finite(paid):
        return f"{words.whole_money(paid, currency)} was paid; what was owed is not known"
    if finite(owed):
        return f"{words.whole_money(owed, currency)} was owed; no payment is on record"
    return "Prices are on record, and neither what was achieved nor what was paid"


def _way(evaluation: Any, row: Any) -> str:
    """How a row is paid, where rows differ; what became of a trigger."""
    mechanism = said(row.mechanism)
    if mechanism == TRIGGER:
        met = {f"trigger {one.id}": said(one.met) for one in evaluation.contract.triggers.itertuples()}
        return f"trigger: {met.get(said(row.metric), 'not judged')}"
    if mechanism == FLOOR or evaluation.contract.table["mechanism"].nunique() == 1:
        return ""
    return PER.get(mechanism, mechanism)


def _line(row: Any, with_anyway: bool, floors: bool, written: tuple[int, str]) -> list[object]:
    digits, small = written
    gap = real(row.difference) if not isinstance(row.difference, str) else 0.0
    achieved = row.achieved if isinstance(row.achieved, str) else real(row.achieved)
    beside = said(row.mechanism) in (TRIGGER, FLOOR)  # no units stand behind these
    cells: list[object] = [
        Cell(said(row.title) or said(row.metric), small=small),
        _price(row),
        "" if beside else shown(achieved, 0 if not finite(achieved) or real(achieved) == round(real(achieved)) else 1),
        *_before(row, digits, floors),
        _money(row.owed, digits=digits),
        _money(row.paid, digits=digits),
        Cell(_money(row.difference, sign=True, digits=digits), bold=bool(finite(gap) and abs(gap) >= HALF_A_PENNY)),
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


def _price(row: Any) -> str:
    if said(row.mechanism) == FLOOR:
        return ""
    return words.number(real(row.price), 2) if finite(row.price) else "several"


def _before(row: Any, digits: int, floors: bool) -> list[str]:
    """Price times achieved, what caps cut, and what a floor added: together they are what is owed."""
    if isinstance(row.gross, str):
        return [row.gross] * (3 if floors else 2)
    lifted = real(row.lifted) if floors else 0.0
    cells = [_money(less(real(row.gross), lifted), digits=digits), _money(-real(row.cut), digits=digits)]
    return [*cells, _money(lifted, digits=digits)] if floors else cells


def _total(contract: Any, with_anyway: bool, floors: bool, written: tuple[int, bool]) -> list[object]:
    totals, (digits, some_hidden) = contract.totals, written
    lifted = total(contract.table["lifted"]) if floors else 0.0
    sums = [less(real(totals.get("gross")), lifted), -real(totals.get("cut")), *([lifted] if floors else [])]
    amounts = [_money(one, digits=digits) for one in [*sums, totals.get("owed"), totals.get("paid")]]
    if some_hidden:  # no total from which a hidden amount follows
        amounts = [words.SUPPRESSED] * len(amounts)
    gap = words.SUPPRESSED if some_hidden else _money(totals.get("difference"), sign=True, digits=digits)
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
    known, owed = finite(printed_totals(evaluation).get("anyway")), real(totals["owed"])
    rest = owed - real(totals["judged"]) if known else 0.0
    span = (real(totals.get("anyway_low")), real(totals.get("anyway_high"))) if known else (float("nan"),) * 2
    if finite(totals.get("owed")):  # a rate card with nothing achieved yet owes nothing that is known
        bars.append(Bar("Owed", owed, real(totals["anyway"]) if known else None, rest, *span, split=known, bold=True))
    if not finite(totals.get("owed")):  # one bar of what was paid says no more than the table
        return None
    heads = words.listed([name for name in BARS if any(bar.label.startswith(name) for bar in bars)]).capitalize()
    if known:
        bars += [_metric_bar(row) for row in safe.itertuples() if real(row.owed) > 0]
    drawn = payments(bars, currency, "pay")
    return Figure(
        "payments",
        _bars_finding(evaluation, known),
        f"{heads}{', and owed by metric' if known else ''}, {_unit_words(evaluation)}",
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
        return "How much of what was owed was for outcomes that would have happened anyway is not known"
    span = words.interval(real(totals["anyway_share_low"]), real(totals["anyway_share_high"]), 0, percent=True)
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
