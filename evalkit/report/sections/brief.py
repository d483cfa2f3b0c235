"""In brief: the answer first, with its interval; what may be said; what was also found; what to read with care."""

from __future__ import annotations

import math
from typing import Any

from evalkit import words
from evalkit.report.blocks import Html, Tile
from evalkit.report.figures.bars import anyway_bar
from evalkit.report.figures.ranges import small_range
from evalkit.report.html import esc, lower_first, sentence
from evalkit.report.phrases import Wording, finding, finite, lead, outcome_name, real, said, wording
from evalkit.report.rests import printed_totals, printed_value
from evalkit.report.results import primary
from evalkit.report.sections import section
from evalkit.report.sections.flags import in_words, names_of
from evalkit.report.sections.value import verdict

_ON = ' class="ek-on"'
SERIOUS = 3  # serious flags named in the box


@section("brief", "In brief", 10, numbered=False)
def brief(evaluation: Any) -> list[Any]:
    """The headline box."""
    row = primary(evaluation)
    tiles = "".join(tile.html() for tile in _tiles(evaluation, row))
    parts = [
        f'<p class="ek-lead">{esc(headline(evaluation))}</p>',
        f"<p>{esc(' '.join(_second(evaluation, row)))}</p>" if _second(evaluation, row) else "",
        f'<dl class="ek-tiles">{tiles}</dl>' if tiles else "",
        _evidence(evaluation),
        _also(evaluation, row),
        _care(evaluation),
    ]
    return [Html("".join(parts))]


def headline(evaluation: Any) -> str:
    """The lead sentence of a report: what was found, or that nothing can be said.

    Parameters
    ----------
    evaluation : Evaluation
        Any.

    Returns
    -------
    str
        One sentence.
    """
    row = primary(evaluation)
    if row is not None and finite(row.effect):
        return lead(row, evaluation.study)
    if real(printed_totals(evaluation).get("paid")) > 0:
        return sentence(f"{_paid(evaluation)}; whether the programme made a difference is not known")
    return "Nothing can be said yet about what this programme changed."


def _paid(evaluation: Any) -> str:
    totals, currency = printed_totals(evaluation), evaluation.study.study.currency
    paid, gap = words.whole_money(real(totals["paid"]), currency), real(totals.get("difference"))
    if not finite(totals.get("owed")) or real(totals["owed"]) <= 0:
        return f"{paid} was paid for outcomes"
    told = f"{paid} was paid for outcomes against {words.whole_money(real(totals['owed']), currency)} by the rate card"
    return (
        told if round(gap) == 0 else f"{told}, {words.whole_money(abs(gap), currency)} {'more' if gap > 0 else 'less'}"
    )


def _second(evaluation: Any, row: Any) -> list[str]:
    told = []
    if row is not None and finite(row.effect):
        told += [*_uncertainty(evaluation, row), *_benchmark(evaluation, row)]
    elif evaluation.contract is not None:
        told.append("There is no comparison, so what would have happened anyway is not known.")
    contract, currency = evaluation.contract, evaluation.study.study.currency
    totals = printed_totals(evaluation)
    if finite(totals.get("anyway")):
        ends = [words.money(real(totals.get(f"anyway_{end}")), currency) for end in ("low", "high")]
        span = f" ({ends[0]} to {ends[1]})" if words.NOT_AVAILABLE not in ends else " (not bounded)"
        told.append(
            f"Of {words.money(real(totals['judged']), currency)} owed that can be judged, "
            f"about {words.money(real(totals['anyway']), currency)}{span} was for "
            "outcomes that would have happened anyway."
        )
    if contract is not None:
        told += [_trigger(one) for one in contract.triggers.itertuples() if finite(one.relative)]
        unjudged = [one for one in contract.triggers.itertuples() if not finite(one.relative)]
        told += [sentence(f"{said(one.says)}: {lower_first(said(one.note))}") for one in unjudged if said(one.note)]
    found = printed_value(evaluation)
    if found is not None and finite(found.ratio_low) and finite(found.ratio_high):
        told.append(verdict(found))
    return told


def _benchmark(evaluation: Any, row: Any) -> list[str]:
    """What an experiment with the same people found, and how far off the planned estimate is."""
    table = evaluation.effects.benchmark
    planned = [one for one in table.to_dict("records") if one["id"] == "planned"] if table is not None else []
    if not planned:
        return []
    form, one = wording(row, evaluation.study.study.currency), planned[0]
    gap = f"{form.directed(one['difference'])} ({form.spread(one['difference_low'], one['difference_high'])})"
    close = "which can be chance" if one["includes_zero"] else "which is more than chance explains"
    return [f"An experiment found {form.signed(one['benchmark'])}; the estimate is {gap}, {close}."]


def _uncertainty(evaluation: Any, row: Any) -> list[str]:
    form = wording(row, evaluation.study.study.currency)
    if finite(row.low) and finite(row.high):
        return (
            []
            if row.conclusion == "no clear difference"
            else [f"The data are compatible with anything from {form.spread(row.low, row.high, with_unit=True)}."]
        )
    if finite(row.rounding_low) or finite(getattr(row, "relative_low", None)):
        span = _rounding(row, form)
        return [
            f"The rounding of the published figures alone allows {span}; sampling error is "
            "not known, so chance cannot be ruled out."
        ]
    if finite(row.p):
        return ["No interval can be given; p is the place among all areas, each taken in turn as if it had had it."]
    return ["Sampling error is not known, so chance cannot be ruled out."]


def _rounding(row: Any, form: Wording) -> str:
    """What the rounding of published figures allows: shares in points, other rates in per cent of the comparison."""
    if form.kind == "share" and finite(row.rounding_low):
        return form.spread(row.rounding_low, row.rounding_high, with_unit=True)
    low, high = sorted((abs(real(row.relative_low)), abs(real(row.relative_high))))
    return words.interval(low, high, 2, percent=True)


def _trigger(one: Any) -> str:
    at = words.percent(real(one.threshold), 1).replace(".0%", "%")
    told = {
        "met": f"The {at} needed for payment was reached",
        "not met": f"The {at} needed for payment was not reached",
    }.get(said(one.met), f"Whether the {at} needed for payment was reached is not settled by the rounded figures")
    return sentence(f"{told} ({said(one.scope)})" if said(one.scope) else told)


def _tiles(evaluation: Any, row: Any) -> list[Tile]:
    tiles = []
    if row is not None and finite(row.effect):
        tiles.append(_effect_tile(evaluation, row))
    if row is not None and finite(row.deadweight):
        tiles.append(_anyway_tile(row))
    tiles += _contract_tiles(evaluation)
    found = printed_value(evaluation)
    if found is not None and finite(found.ratio):
        tiles.append(_value_tile(evaluation))
    return tiles


def _effect_tile(evaluation: Any, row: Any) -> Tile:
    form = wording(row, evaluation.study.study.currency)
    big, unit = form.change(row.effect), form.signed(row.effect)[len(form.change(row.effect)) :].strip()
    if not finite(row.low):
        change = (
            f"{words.percent(real(row.relative), 1, sign=True)}; sampling error not known"
            if finite(row.relative) and form.kind != "share"
            else "sampling error not known"
        )
        return Tile(f"Difference in {lower_first(outcome_name(row))}", big, unit, change)
    several = int(evaluation.effects.table["p_adjusted"].map(finite).sum()) > 1
    p = row.p_adjusted if finite(row.p_adjusted) else row.p
    adjusted = "adjusted " if finite(row.p_adjusted) and several else ""
    printed = [form.change(row.low), form.change(row.high), words.number(form.none, 0)]
    drawing = small_range(real(row.effect), real(row.low), real(row.high), form.none, printed)
    under = f"95% interval {form.interval(row.low, row.high)}; {adjusted}p {_p(real(p))}"
    return Tile(f"Effect on {lower_first(outcome_name(row))}", big, unit, under, drawing)


def _p(p: float) -> str:
    text = words.p_value(p)
    return text if text.startswith("<") else f"= {text}"


def _anyway_tile(row: Any) -> Tile:
    drawing = anyway_bar(1.0, min(max(real(row.deadweight), 0.0), 1.0), 0.0, "tile-deadweight")
    return Tile(
        "Would have happened anyway",
        words.percent(real(row.deadweight), 0),
        "of what was achieved",
        _span_of_anyway(row),
        drawing,
    )


def _span_of_anyway(row: Any) -> str:
    """The interval of a deadweight, called by what it holds; none where there is none."""
    if math.isnan(float(row.deadweight_low)):
        return "no interval: sampling error not known"
    span = words.interval(real(row.deadweight_low), real(row.deadweight_high), 0, percent=True)
    if not finite(row.low) and finite(getattr(row, "rounding_low", None)):
        return f"rounding alone allows {span}; sampling error not known"
    return f"95% interval {span}"


def _contract_tiles(evaluation: Any) -> list[Tile]:
    totals, currency = printed_totals(evaluation), evaluation.study.study.currency
    if not finite(totals.get("paid")) or not real(totals["paid"]):
        return []
    under = _beside_owed(totals.get("difference"), currency)
    planned = [
        f"{words.money(real(amount), currency)} planned ({plan})"
        for plan, amount in (totals.get("planned") or {}).items()
        if finite(amount)
    ]
    drawing = ""
    if finite(totals.get("anyway")) and real(totals["owed"]) > 0:
        drawing = anyway_bar(
            real(totals["owed"]), real(totals["anyway"]), real(totals["owed"]) - real(totals["judged"]), "tile-paid"
        )
        under += f"; {words.money(real(totals['anyway']), currency)} for what would have happened anyway"
    if len(planned) == 1:
        planned = [planned[0].split(" (")[0]]
    unit = f"of {words.listed(planned)}" if planned else ""
    return [Tile("Paid for outcomes", words.whole_money(real(totals["paid"]), currency), unit, under, drawing)]


def _beside_owed(difference: object, currency: str) -> str:
    """How what was paid stands to what was owed."""
    if not finite(difference):
        return "what was owed cannot be worked out"
    gap = real(difference)
    if round(gap) == 0:
        return "the same as owed"
    return f"{words.whole_money(abs(gap), currency)} {'more' if gap > 0 else 'less'} than owed"


def _value_tile(evaluation: Any) -> Tile:
    found, currency = evaluation.value, evaluation.study.study.currency
    unit = words.whole_money(1, currency)
    centre = words.whole_money(real(found.ratio), currency, 2)
    if not finite(found.ratio_low) or not finite(found.ratio_high):
        return Tile(
            f"Value for each {unit} spent", words.NOT_AVAILABLE, "", f"central reading {centre}; no ranges were given"
        )
    low, high = (words.whole_money(real(end), currency, 2) for end in (found.ratio_low, found.ratio_high))
    printed = [words.number(real(found.ratio_low), 2), words.number(real(found.ratio_high), 2), "1 = cost"]
    drawing = small_range(real(found.ratio), real(found.ratio_low), real(found.ratio_high), 1.0, printed)
    around = (
        "the range includes less than it cost"
        if real(found.ratio_low) < 1 < real(found.ratio_high)
        else verdict(found).rstrip(".").lower()
    )
    return Tile(f"Value for each {unit} spent", f"{low} to {high}", "", f"central estimate {centre}; {around}", drawing)


def _evidence(evaluation: Any) -> str:
    level = getattr(evaluation.effects, "evidence", None)
    sms = getattr(level, "sms", None)
    if not finite(sms):
        badge = (
            "Evidence level<b>none</b>no comparison"
            if evaluation.effects is None
            else "Evidence level<b>not scored</b>Maryland scale"
        )
    else:
        pips = "".join(f"<i{_ON if index < int(real(sms)) else ''}></i>" for index in range(5))
        badge = (
            f'Evidence level<b>{int(real(sms))} of 5</b><span class="ek-pips" '
            f'aria-hidden="true">{pips}</span>Maryland scale'
        )
    may, may_not = _claims(evaluation)
    why = said(getattr(level, "reason", "")) or "No comparison group, so no effect can be claimed"
    head = f"Why level {int(real(sms))}" if finite(sms) else "Why"
    rows = [("May be said", may), ("May not be said", may_not), (head, sentence(why))]
    items = "".join(f"<dt>{esc(name)}</dt><dd>{esc(text)}</dd>" for name, text in rows)
    return f'<div class="ek-say"><div class="ek-badge">{badge}</div><dl>{items}</dl></div>'


def _claims(evaluation: Any) -> tuple[str, str]:
    level, row = getattr(evaluation.effects, "evidence", None), primary(evaluation)
    if level is None or row is None or not finite(row.effect):
        return "What was agreed, achieved and paid.", "That the programme caused, reduced, improved or saved anything."
    refused = [sentence(level.may_not_say)]
    if row.conclusion == "no clear difference":
        refused.append("That there was no effect.")
    found = printed_value(evaluation)
    if found is not None and (not finite(found.ratio_low) or real(found.ratio_low) <= 1):
        refused.append("That it paid for itself.")
    return sentence(level.may_say), " ".join(refused)


def _also(evaluation: Any, row: Any) -> str:
    if row is None:
        return ""
    others = [other for other in evaluation.effects.table.itertuples() if other.outcome != row.outcome]
    lines = [finding(other, evaluation.study) for other in others]
    items = "".join(f"<li><b>{esc(bold)}</b>{esc(rest)}</li>" for bold, rest in lines)
    return f'<div class="ek-also"><h3>Also found</h3><ul>{items}</ul></div>' if items else ""


def _weightiest(cautions: list[tuple[int, Any]]) -> list[tuple[int, Any]]:
    """Of the cautions, those on the estimate and the money before those on the questionnaires."""
    order = {"counterfactual": 0, "contract": 1, "value": 2, "outcomes": 3}
    return sorted(cautions, key=lambda one: (order.get(one[1].room, 4), one[0]))


def _care(evaluation: Any) -> str:
    named = names_of(evaluation)
    numbered = enumerate((in_words(flag, named) for flag in evaluation.flags), start=1)
    once: dict[str, tuple[int, Any]] = {}
    for one in numbered:
        if one[1].level != "note":
            once.setdefault(one[1].text, one)
    grave = list(once.values())
    serious = [one for one in grave if one[1].level == "serious"] or _weightiest(grave)
    items = "".join(
        f'<li>{esc(sentence(flag.text).rstrip("."))} (<a href="#flag-{place}">flag {place}</a>).</li>'
        for place, flag in serious[:SERIOUS]
    )
    rest = len(grave) - min(len(serious), SERIOUS)
    counted = "1 more flag" if rest == 1 else f"{rest} more flags"
    more = f'<li>{counted} (<a href="#flags">all flags</a>).</li>' if rest > 0 else ""
    return f'<div class="ek-also"><h3>Read with care</h3><ol>{items}{more}</ol></div>' if items else ""
