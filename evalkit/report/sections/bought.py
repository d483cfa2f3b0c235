"""What was bought: of every pound, how much was for what would have happened anyway; the price of what was added."""

from __future__ import annotations

from typing import Any

from evalkit import words
from evalkit.report.blocks import Column, Figure, How, Table, Text
from evalkit.report.bought import (
    NOT_ADDED,
    each_added,
    form_of,
    found_in,
    of_effects,
    per_cent,
    price,
    results,
    span_of,
)
from evalkit.report.common import split_legend
from evalkit.report.figures.pound import Share, pound
from evalkit.report.html import Cell, sentence
from evalkit.report.phrases import finite, real, said
from evalkit.report.rests import hidden_metrics, judged_tell
from evalkit.report.sections import section

EVERY = "Every price already allows for what would have happened anyway, so nothing is taken off again."
HIDDEN = words.SUPPRESSED
INSIDE = {True: "yes", False: "no", None: words.NOT_AVAILABLE}
WAY = (
    "Added = achieved \u00d7 (1 \u2212 deadweight); for everybody in the programme this is effect \u00d7 people. "
    "The interval of the cost is that of the deadweight turned over: where it holds no effect at all, the cost has no "
    "upper bound."
)
BREAK_EVEN = (
    "The contract's mechanism is run at smaller and smaller effects, with what was achieved as it is, until all that "
    "was owed would have been paid anyway. A price for each unit without a cap reaches this only at no effect; a cap, "
    "a threshold or a step reaches it sooner."
)


@section("bought", "What was bought", 72, results=results)
def bought(evaluation: Any) -> list[Any]:
    """Split of every pound, cost of an outcome and of an added one, the effect that pays for nothing."""
    found = found_in(evaluation)
    if found is None:
        return []
    gone = hidden_metrics(evaluation)
    blocks = [_said(evaluation, found, gone), _figure(evaluation, found, gone), _costs(evaluation, found, gone)]
    blocks += [_nothing(evaluation, found, gone), _inprice(evaluation, found, gone)]
    return [block for block in blocks if block is not None]


def _said(evaluation: Any, found: Any, gone: set[str]) -> Text:
    """The split of every pound in words."""
    whole, totals, currency = found.whole, evaluation.contract.totals, str(evaluation.study.study.currency)
    if whole["anyway"] is None:
        return Text(_unknown(found))
    if judged_tell(evaluation):
        return Text("The split of the total is not shown: it rests on a hidden count.")
    return Text(
        _of_every(whole, currency) + _interval(evaluation, totals),
        _below_nothing(totals, currency),
        _of_paid(evaluation, found, gone),
    )


def _unknown(found: Any) -> str:
    reasons = list(dict.fromkeys(said(why) for why in found.table["why_no_anyway"] if said(why)))
    if found.table["in_price"].all():
        return EVERY
    told = words.listed([reason.rstrip(".") for reason in reasons])
    return sentence(f"how much was for outcomes that would have happened anyway is not known: {told}")


def _of_every(whole: dict[str, Any], currency: str) -> str:
    """ "Of every £1 owed, 47p was for outcomes that would have happened anyway ..."; the parts add up."""
    pound_, penny = ("\u00a31", "p") if currency == "GBP" else (f"{currency} 100", "")
    owed = whole["owed"]
    anyway, unknown = round(100 * whole["anyway"] / owed), round(100 * whole["unknown"] / owed)
    parts = [
        f"{anyway}{penny} was for outcomes that would have happened anyway",
        f"{100 - anyway - unknown}{penny} for outcomes that the programme added",
    ]
    parts += [f"{unknown}{penny} cannot be split"] if unknown else []
    return f"Of every {pound_} owed, {words.listed(parts)}."


def _interval(evaluation: Any, totals: dict[str, Any]) -> str:
    """The interval of the share that can be judged."""
    share = words.percent(real(totals["anyway_share"]), 0)
    low, high = real(totals.get("anyway_share_low")), real(totals.get("anyway_share_high"))
    span = words.interval(low, high, 0, percent=True)
    if span == words.NOT_AVAILABLE:
        return f" Of what can be judged {share} was for outcomes that would have happened anyway; there is no interval."
    return (
        f" Of what can be judged {share} was for outcomes that would have happened anyway "
        f"({per_cent(evaluation)} interval: {span})."
    )


def _below_nothing(totals: dict[str, Any], currency: str) -> str:
    added = totals.get("added")
    if not finite(added) or real(added) >= 0:
        return ""
    return (
        f"The programme added {words.whole_money(real(added), currency, sign=True)} to what is owed: by the same "
        "mechanism more would have been earned without it."
    )


def _of_paid(evaluation: Any, found: Any, gone: set[str]) -> str:
    """What the split of what was owed means for what was paid, where they differ."""
    table, currency = found.table, str(evaluation.study.study.currency)
    beyond = float(table["paid_unexplained"].map(lambda value: real(value) if finite(value) else 0.0).sum())
    gap = evaluation.contract.totals.get("difference")
    if not finite(gap) or abs(real(gap)) < 0.5:
        return ""
    if gone or beyond < 0.5:
        return (
            "The split is of what was owed. What was paid differs from it; which outcomes that concerns is a question."
        )
    return (
        f"The split is of what was owed. {words.whole_money(beyond, currency)} was paid beyond what the recorded "
        "outcomes earn, and is in neither part: which outcomes it was for is a question."
    )


def _figure(evaluation: Any, found: Any, gone: set[str]) -> Figure | None:
    """Each metric's pound."""
    whole, totals = found.whole, evaluation.contract.totals
    if whole["anyway"] is None or judged_tell(evaluation):
        return None
    unknown = whole["unknown"] / whole["owed"]
    ends = [real(totals.get(f"anyway_share{end}")) for end in ("", "_low", "_high")]
    bars = [Share("All that was owed", ends[0], ends[1], ends[2], unknown, True)]
    bars += [
        Share(said(row.title), real(row.anyway_share), real(row.anyway_share_low), real(row.anyway_share_high))
        for row in found.table.itertuples()
        if row.metric not in gone and row.owed > 0
    ]
    drawn = pound(bars, "pound")
    return Figure(
        "pound",
        f"{words.percent(ends[0], 0)} of what can be judged would have been paid anyway",
        "Each amount owed, whatever its size, as a bar of one length",
        drawn.wide,
        drawn.narrow,
        legend=split_legend("poundkey"),
        notes=[f"The line below a bar is the {per_cent(evaluation)} interval of the boundary between the two parts."],
    )


def _units(value: object, sign: bool = False) -> str:
    if not finite(value):
        return words.NOT_AVAILABLE
    return words.number(real(value), 0 if abs(real(value)) >= 10 or real(value).is_integer() else 1, sign)


def _costs(evaluation: Any, found: Any, gone: set[str]) -> Table:
    """Cost of what was achieved, and of what was added."""
    currency, level = str(evaluation.study.study.currency), per_cent(evaluation)
    added = [row.metric for row in found.table.itertuples() if row.verdict]
    kept = slice(None) if added else slice(4)  # without any added outcome those columns would say nothing
    rows = [_cost_row(row, currency, row.metric in gone)[kept] for row in found.table.itertuples()]
    names = [f"contract.cost_per_outcome.{row.metric}" for row in found.table.itertuples() if row.metric not in gone]
    names += [f"contract.cost_per_additional.{metric}" for metric in added if metric not in gone]
    owed = any(row.basis == "owed" for row in found.table.itertuples())
    too = " and for each that the programme added" if added else ""
    return Table(
        "bought",
        _costs_finding(found, gone, currency),
        f"{'Owed' if owed else 'Paid'} for each outcome achieved{too}",
        [
            Column("Metric", False),
            Column("Owed" if owed else "Paid"),
            Column("Number", group="Achieved"),
            Column("For each", group="Achieved"),
            Column("Number", group="Added by the programme"),
            Column(f"{level} interval", group="Added by the programme"),
            Column("For each", group="Added by the programme"),
            Column(f"{level} interval", group="Added by the programme"),
        ][kept],
        rows,
        notes=_cost_notes(found, gone),
        how=How([WAY] if added else [], names),
        meanings=_meanings(found),
        dense=True,
        width=58 if added else 0,
    )


def _cost_row(row: Any, currency: str, gone: bool) -> list[object]:
    title = Cell(said(row.title) or said(row.metric))
    if gone:
        return [title, *[HIDDEN] * 7]
    each = price(row.cost_per_outcome, currency) if finite(row.cost_per_outcome) else words.NOT_APPLICABLE
    start = [title, words.number(real(row.amount), 0), _units(row.achieved), each]
    if not row.verdict:
        return [*start, *[words.NOT_APPLICABLE if row.why_no_cost else words.NOT_AVAILABLE] * 4]
    low, high = real(row.additional_low), real(row.additional_high)
    span = words.interval(low, high, 0 if abs(real(row.additional)) >= 10 else 1)
    return [*start, _units(row.additional), span, each_added(row, currency), span_of(row, currency)]


def _costs_finding(found: Any, gone: set[str], currency: str) -> str:
    """The first metric whose added outcomes can be counted, in one sentence."""
    judged = [row for row in found.table.itertuples() if row.verdict and row.metric not in gone]
    if not judged:
        return "What one outcome cost; what one added outcome cost is not known"
    row = next((row for row in judged if row.verdict == "bounded"), judged[0])
    name = said(row.title) or said(row.metric)
    if row.verdict == NOT_ADDED:
        return f"{name}: none were added by the estimate, {_units(abs(real(row.additional)))} fewer than without"
    span = span_of(row, currency)
    told = "no interval" if span == words.NOT_AVAILABLE else span
    each, added = price(row.cost_per_outcome, currency), each_added(row, currency)
    return f"{name}: {each} for each, {added} ({told}) for each added"


def _cost_notes(found: Any, gone: set[str]) -> list[str]:
    table = found.table[~found.table["metric"].isin(gone)]
    notes = [
        f"{said(row.title)}: none were added; {_units(abs(real(row.additional)))} fewer were achieved than would have "
        "been without the programme, by the estimate."
        for row in table[table["verdict"] == NOT_ADDED].itertuples()
    ]
    if (table["verdict"] == "at least").any():
        notes.append(
            "At least: the interval of the effect holds no effect at all, so the cost of one has no upper bound."
        )
    if (table["verdict"] == "not bounded").any():
        notes.append("Not bounded: the deadweight itself has no bound.")
    return notes


def _meanings(found: Any) -> dict[str, str]:
    """Why a cost is not there, where one reason serves."""
    levels = list(dict.fromkeys(said(why) for why in found.table["why_no_cost"] if said(why)))
    unknown = found.table[(found.table["verdict"] == "") & (found.table["why_no_cost"] == "")]
    reasons = list(dict.fromkeys(said(why) for why in unknown["why_no_anyway"] if said(why)))
    meanings = {words.NOT_APPLICABLE: f"not applicable: {levels[0]}"} if len(levels) == 1 else {}
    if len(reasons) == 1:
        meanings[words.NOT_AVAILABLE] = f"not available: {reasons[0].rstrip('.')}"
    return meanings


def _nothing(evaluation: Any, found: Any, gone: set[str]) -> Table | None:
    """The effect at which the contract pays for nothing."""
    judged = [row for row in found.table.itertuples() if finite(row.nothing_share) and row.metric not in gone]
    effects = evaluation.contract.effects
    if not judged or effects is None:
        return None
    known = {row.outcome: row for row in effects.table.itertuples()}
    rows: list[list[object]] = []
    for row in judged:
        form, effect = form_of(evaluation, row.outcome), known[row.outcome]
        at = form.signed(row.nothing_effect) if finite(row.nothing_effect) else _as_share(row.nothing_share)
        span = form.interval(effect.low, effect.high)
        rows.append([said(row.title), form.signed(effect.effect), span, at, INSIDE[row.nothing_inside]])
    total = not judged_tell(evaluation) and found.whole["scale"] is not None
    if total:
        whole = found.whole
        rows.append(["The whole contract", "", "", of_effects(whole), INSIDE[whole["inside"]]])
    within = [row for row in judged if row.nothing_inside]
    return Table(
        "pays-for-nothing",
        _nothing_finding(within, judged),
        "The effect at which all that was owed would have been paid without the programme too",
        [
            Column("Metric", False),
            Column("Estimated effect"),
            Column(f"{per_cent(evaluation)} interval"),
            Column("Pays for nothing at"),
            Column("Within the interval", False),
        ],
        rows,
        how=How(
            [BREAK_EVEN], [f"contract.pays_for_nothing_at.{row.metric}" for row in judged if finite(row.nothing_effect)]
        ),
        total=1 if total else 0,
        width=44,
    )


def _as_share(share: float) -> str:
    return f"a deadweight of {words.percent(share, 0)}"


def _nothing_finding(within: list[Any], judged: list[Any]) -> str:
    if not within:
        return "The effect that pays for nothing lies outside the interval of every effect"
    names = words.listed([said(row.title) for row in within])
    if len(judged) == 1:
        return "The effect that pays for nothing is within the interval of the effect"
    return (
        f"It is not established that anything was bought with what was paid for {len(within)} of {len(judged)}: {names}"
    )


def _inprice(evaluation: Any, found: Any, gone: set[str]) -> Table | None:
    """Deadweight that the price already allows for, beside what was estimated."""
    table = found.table[found.table["in_price"] & ~found.table["metric"].isin(gone)]
    rows: list[list[object]] = [
        [
            said(row.title),
            words.percent(real(row.estimated), 0),
            words.interval(real(row.estimated_low), real(row.estimated_high), 0, percent=True),
        ]
        for row in table.itertuples()
        if finite(row.estimated)
    ]
    if not rows:
        return None
    return Table(
        "deadweight-in-price",
        "Prices that already allow for deadweight are not reduced again",
        "Estimated share of what was achieved that would have been achieved anyway, for prices that allow for some",
        [Column("Metric", False), Column("Estimated"), Column(f"{per_cent(evaluation)} interval")],
        rows,
        notes=["Whether the price allowed for as much is a question to those who set it."],
        width=0,
    )
