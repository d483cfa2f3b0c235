"""Investors: what they paid in, what came back, what would have in other cases, and who carried which risk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from evalkit import words
from evalkit.report.amounts import unit_words
from evalkit.report.blocks import Column, Figure, How, Table, Text
from evalkit.report.bought import per_cent
from evalkit.report.figures.investment import investment
from evalkit.report.html import Cell, sentence
from evalkit.report.ledger_tables import periods_shown
from evalkit.report.phrases import finite, real
from evalkit.report.rests import RESTS, hidden_metrics, judged_tell, totals_tell
from evalkit.report.results import Result
from evalkit.report.sections import section

ROLES = {
    "commissioner": "commissioner",
    "investor": "investors",
    "provider": "provider",
    "intermediary": "intermediary",
    "evaluator": "evaluator",
    "other": "others",
}
FORMULA = (
    "The rate of return makes the sum of all flows, each discounted by (1 + rate) to the power of days since the first "
    "flow over 365, come to nothing (Actual/365). Flows of one day are taken together. Multiple = received / paid in."
)
FOLLOWS = (
    "What would have happened anyway is held at its estimate; the effects are drawn together, the contract's mechanism "
    "is run on what would then have been achieved, and all outcome payments are taken to change in that proportion."
)


def found_in(evaluation: Any) -> Any:
    """The investors' side, as the contract's look found it; None where there is none."""
    looks = getattr(evaluation.contract, "looks", None) or {}
    return looks.get("investors")


def _results(evaluation: Any) -> Iterator[Result]:
    """Every number about the investors as a whole."""
    found = found_in(evaluation)
    if found is None or totals_tell(evaluation):
        return
    whole, currency = found.whole, str(evaluation.study.study.currency)
    cases = {one.id: one.found for one in _effects(evaluation, found)}
    told = (
        ("irr", "share a year", _rate(whole)),
        ("multiple", "received / paid in", _multiple(whole)),
        ("peak_drawdown", currency, words.money(whole.peak_drawdown, currency)),
        ("net", currency, _gained(whole, currency)),
    )
    for name, unit, text in told:
        value = getattr(whole, name)
        ends = sorted(
            getattr(cases[end], name) for end in ("low", "high") if end in cases and finite(getattr(cases[end], name))
        )
        low, high = ends if len(ends) == 2 else (None, None)
        yield Result(f"investors.{name}", value, unit, low, high, text, "investors", f"cash flows, {whole.day_count}")


@section("investors", "Investors", 74, results=_results)
def investors(evaluation: Any) -> list[Any]:
    """Returns, the curve, other cases, and who carried which risk."""
    if evaluation.contract is None:
        return []
    found, secret = found_in(evaluation), totals_tell(evaluation)
    risks = _risks(evaluation, None if secret else found)
    if found is None or secret:
        told = Text(f"What investors got back is not shown: {RESTS}") if found is not None else None
        return [block for block in (told, risks) if block is not None]
    blocks = [_said(evaluation, found), _curve(evaluation, found), _table(evaluation, found), _cases(evaluation, found)]
    return [block for block in [*blocks, risks] if block is not None]


def _rate(one: Any) -> str:
    return words.percent(one.irr) if finite(one.irr) else words.NOT_AVAILABLE


def _multiple(one: Any) -> str:
    return words.number(one.multiple, 2) if finite(one.multiple) else words.NOT_AVAILABLE


def _gained(one: Any, currency: str) -> str:
    return f"{'gained' if one.net >= 0 else 'lost'} {words.money(abs(one.net), currency)}"


def _said(evaluation: Any, found: Any) -> Text:
    """What came of it, in words."""
    whole, currency = found.whole, str(evaluation.study.study.currency)
    gained = _gained(whole, currency)
    rate = f", {words.percent(whole.irr)} a year ({whole.day_count})" if finite(whole.irr) else ""
    most = f" ({words.day(whole.drawdown_on)})" if whole.drawdown_on else ""
    first = (
        f"Investors had up to {words.money(whole.peak_drawdown, currency)} out of pocket{most} and in the end "
        f"{gained}{rate}."
    )
    back = f"Their money was back on {words.day(whole.back_on)}." if whole.back_on else ""
    none = sentence(f"there is no rate of return: {whole.why}") if whole.why else ""
    return Text(" ".join(part for part in (first, back, none) if part), _at_effects(evaluation, found))


def _at_effects(evaluation: Any, found: Any) -> str:
    """The range over the effects' interval, and the effects at which the money just comes back."""
    cases = {one.id: one for one in _effects(evaluation, found)}
    follows, currency = found.reach, str(evaluation.study.study.currency)
    if follows is None or "money_back" not in cases:
        return ""
    parts = []
    if "low" in cases:
        low, high = (cases[end].found.net for end in ("low", "high"))
        told = [f"{'a gain' if one >= 0 else 'a loss'} of {words.money(abs(one), currency)}" for one in (low, high)]
        parts.append(f"Over the effects' joint {per_cent(evaluation)} interval this runs from {told[0]} to {told[1]}.")
    parts.append(_money_back(follows))
    return " ".join(parts)


def _money_back(follows: Any) -> str:
    """The effects at which investors just get their money back, held to the interval."""
    if follows.scale is None:
        return "No effect that was looked at makes them just get their money back."
    inside = {True: "within that interval", False: "outside that interval", None: "there is no interval to hold it to"}
    share = words.percent(abs(follows.scale), 0)
    if follows.scale < 0:
        return f"They would just get their money back if the effects went the other way, at {share} of their size."
    return f"They just get their money back at {share} of the estimated effects, {inside[follows.inside]}."


def _effects(evaluation: Any, found: Any) -> list[Any]:
    """The cases at other effects, unless they would give away an amount that is hidden."""
    return [] if judged_tell(evaluation) else list(found.effects)


def _curve(evaluation: Any, found: Any) -> Figure | None:
    """The running sum; not where a payment of one day would tell of few people."""
    if not periods_shown(evaluation):
        return None
    whole, currency = found.whole, str(evaluation.study.study.currency)
    points = [(row.date.date(), real(row.balance)) for row in found.curve.itertuples()]
    drawn = investment(points, whole.drawdown_on, whole.back_on, currency)
    finding = (
        f"The money was back on {words.day(whole.back_on)}" if whole.back_on
        else "The money never came back in full" if whole.net < 0 or whole.drawdown_on
        else "Nothing was ever out of pocket"
    )  # fmt: skip
    return Figure(
        "investment",
        finding,
        "Received so far less paid in so far, at the end of each day with a cash flow",
        drawn.wide,
        drawn.narrow,
    )


def _amount(value: float) -> str:
    return words.number(value, 0)


def _line(name: object, one: Any) -> list[object]:
    back = words.day(one.back_on) if one.back_on else "never" if one.drawdown_on else words.NOT_APPLICABLE
    net = words.number(one.net, 0, sign=True)
    return [
        name,
        _amount(one.paid_in),
        _amount(one.paid_out),
        net,
        _multiple(one),
        _rate(one),
        _amount(one.peak_drawdown),
        back,
    ]


def _table(evaluation: Any, found: Any) -> Table:
    """Returns, by investor where the flows name several."""
    whole, currency = found.whole, str(evaluation.study.study.currency)
    apart = {} if hidden_metrics(evaluation) else found.by_investor  # one may be paid for one metric
    several = [_line(name, one) for name, one in apart.items()]
    rows = [*several, _line("All investors", whole)]
    each = words.whole_money(1, currency)
    back = words.whole_money(whole.multiple, currency, 2) if finite(whole.multiple) else ""
    kept = f"{back} came back for each {each} paid in" if back else ""
    return Table(
        "investor-returns",
        kept or "Nothing was paid in",
        f"Cash flows of the investors, in {unit_words(evaluation)} as paid; rate of return {whole.day_count}",
        [
            Column("Investor", False),
            Column("Paid in"),
            Column("Received"),
            Column("Gained"),
            Column("Multiple"),
            Column("A year"),
            Column("Most out of pocket"),
            Column("Money back"),
        ],
        rows,
        notes=[sentence(f"[x] {one.why}") for one in _reasons(found)],
        how=How([FORMULA], [f"investors.{name}" for name in ("irr", "multiple", "peak_drawdown", "net")]),
        total=1 if several else 0,
        width=54,
    )


def _reasons(found: Any) -> list[Any]:
    """One of each reason for no rate, over all investors."""
    return list({one.why: one for one in [*found.by_investor.values(), found.whole] if one.why}.values())


def _cases(evaluation: Any, found: Any) -> Table | None:
    """What would have come back in other cases."""
    effects = _effects(evaluation, found)
    if not effects and not found.losses:
        return None
    rows = [_case(one, found.payments) for one in [*effects, *found.losses]]
    return Table(
        "investor-cases",
        _cases_finding(effects, found, str(evaluation.study.study.currency)),
        f"Outcome payments and what investors would have got, in {unit_words(evaluation)}",
        [
            Column("If", False),
            Column("Outcome payments"),
            Column("Of what they were"),
            Column("Gained"),
            Column("Multiple"),
            Column("A year"),
            Column("Most out of pocket"),
        ],
        rows,
        notes=_case_notes(found, effects),
        how=How([FORMULA, *([FOLLOWS] if effects else [])]),
        meanings={words.NOT_AVAILABLE: "no rate of return: nothing came back, or more than one rate fits"},
        dense=True,
        width=54,
    )


def _case(one: Any, payments: float) -> list[object]:
    net = words.number(one.found.net, 0, sign=True)
    share = words.percent(one.payments / payments, 0)
    label = Cell(sentence(one.says).rstrip("."), bold=one.id == "as_it_was")
    return [
        label,
        _amount(one.payments),
        share,
        net,
        _multiple(one.found),
        _rate(one.found),
        _amount(one.found.peak_drawdown),
    ]


def _cases_finding(effects: list[Any], found: Any, currency: str) -> str:
    none = next((one for one in effects if one.id == "no_effect"), None)
    if none is not None:
        net = none.found.net
        told = f"{'gained' if net >= 0 else 'lost'} {words.money(abs(net), currency)}"
        return (
            f"With no effect at all investors would still have {told}"
            if net >= 0
            else f"With no effect at all investors would have {told}"
        )
    worst = found.losses[-1].found.net
    return f"The largest loss possible was {words.money(abs(min(worst, 0.0)), currency)}"


def _case_notes(found: Any, effects: list[Any]) -> list[str]:
    notes = [found.taken]
    if effects and found.reach is not None and found.reach.moved < 0.9995:
        moved = words.percent(found.reach.moved, 0)
        notes.append(f"{moved} of what was owed follows an estimated effect; the rest stays as it was.")
    return notes


def _risks(evaluation: Any, found: Any) -> Table | None:
    """Who carried which risk, by which term; and what the numbers say about it."""
    plan = evaluation.study.contract
    risks = list(plan.risk) if plan is not None else []
    if not risks:
        return None
    rows: list[list[object]] = [
        [
            Cell(sentence(one.risk).rstrip("."), small=one.source),
            words.listed([ROLES.get(role, role) for role in one.carried_by]),
            one.how or words.NOT_AVAILABLE,
        ]
        for one in risks
    ]
    return Table(
        "risks",
        _risk_finding(risks),
        "As the contract or its parties tell it",
        [Column("Risk", False), Column("Carried by", False), Column("By which term", False)],
        rows,
        notes=_in_numbers(evaluation, found),
        width=40,
    )


def _risk_finding(risks: list[Any]) -> str:
    on_investors = sum("investor" in one.carried_by for one in risks)
    return f"Investors carried {on_investors} of {len(risks)} named risks, alone or with others"


def _in_numbers(evaluation: Any, found: Any) -> list[str]:
    """What the figures say about who carried risk."""
    if found is None:
        return []
    facts, currency, notes = found.facts, str(evaluation.study.study.currency), []
    if finite(facts["on_outcomes"]) and not judged_tell(evaluation):
        share = words.percent(real(facts["on_outcomes"]), 0)
        notes.append(f"{share} of what was owed was for metrics whose outcome the evaluation estimates.")
    if finite(facts["paid_in_before"]):
        share = words.percent(real(facts["paid_in_before"]), 0)
        notes.append(f"{share} of what investors paid in was paid before the first outcome payment.")
    for name, word in (("cap", "most"), ("floor", "least")):
        if finite(facts[name]):
            notes.append(f"The {word} that could be paid: {words.whole_money(real(facts[name]), currency)}.")
    return notes
