"""Value: what the outcomes were worth, to whom, in which year, for each unit of cost, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from evalkit import words
from evalkit.report import value_robust, value_tables
from evalkit.report.blocks import Figure, Heading, How, Text
from evalkit.report.common import absent
from evalkit.report.figures.ranges import value_range
from evalkit.report.html import sentence
from evalkit.report.phrases import finite, real, said
from evalkit.report.rests import RESTS, printed_value
from evalkit.report.sections import section

REMEDY = (
    "A line of the impact map counts few people, and would follow from every total. It can be shown with a rounded "
    "quantity of 10 or more, with a quantity that comes from an effect, or with lines taken together."
)


def found_results(evaluation: Any) -> Iterator[Any]:
    """The figures of the value beside its ratio, as the page prints them.

    Parameters
    ----------
    evaluation : Evaluation
        Without a value, or with one that has no ranges of these figures, it yields nothing or figures without ends.

    Yields
    ------
    Result
        value.present_value, value.npv, value.payback, value.probability.
    """
    from evalkit.report.results import Result  # results imports the sections

    found = printed_value(evaluation)
    if found is None or not hasattr(found, "npv_low"):
        return
    currency, source = evaluation.study.study.currency, said(found.convention)
    for name in ("present_value", "npv"):
        ends = _ends(found, name)
        text = value_robust.money_range(evaluation, name)
        yield Result(f"value.{name}", real(getattr(found, name)), currency, *ends, text, "value", source)
    months = real(found.payback_months) if finite(found.payback_months) else None
    text = value_robust.payback_range(found)
    yield Result("value.payback", months, "months", *_ends(found, "payback"), text, "value", source)
    if finite(found.probability_exceeds_cost):
        chance = real(found.probability_exceeds_cost)
        yield Result("value.probability", chance, "share", None, None, value_robust.chance(found), "value",
                     said(found.range_method))  # fmt: skip


def _ends(found: Any, name: str) -> tuple[float | None, float | None]:
    """The range of a figure; an end that is not finite is none."""
    low, high = (getattr(found, f"{name}_{end}", None) for end in ("low", "high"))
    return (real(low) if finite(low) else None, real(high) if finite(high) else None)


@section("value", "Value", 80, results=found_results)
def value(evaluation: Any) -> list[Any]:
    """Ratio as a range, impact map, subtotals, by year, what moves it, what has no price."""
    if evaluation.value is None:
        return [
            Text(absent(evaluation, "value", "No impact map was drawn up: what the outcomes were worth is not known."))
        ]
    if printed_value(evaluation) is None:
        return [Text(f"What the outcomes were worth is not shown: {RESTS}", REMEDY)]
    map_ = [value_tables.impact_map(evaluation), value_tables.assumptions(evaluation)]
    whom = [value_tables.subtotals(evaluation), value_tables.agencies(evaluation), value_tables.years(evaluation)]
    sure = [value_robust.swings(evaluation), value_robust.switching(evaluation), value_robust.drop_offs(evaluation)]
    blocks = [
        Text(opening(evaluation)),
        _ratio(evaluation),
        value_robust.certainty(evaluation),
        *_under("What was valued", [*map_, value_tables.beside(evaluation)]),
        *_under("To whom, and when", whom),
        *_under("What it depends on", [*sure, value_tables.rates(evaluation)]),
    ]
    return [block for block in blocks if block is not None]


def _under(heading: str, blocks: list[Any]) -> list[Any]:
    """Blocks under a heading; nothing where there are none."""
    there = [block for block in blocks if block is not None]
    return [Heading(heading), *there] if there else []


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
    """The range of the ratio against 1; without a range there is nothing to draw but a point, and it is not drawn."""
    found, currency = evaluation.value, evaluation.study.study.currency
    if not all(finite(end) for end in (found.ratio, found.ratio_low, found.ratio_high)):
        return None
    low, high, centre = real(found.ratio_low), real(found.ratio_high), real(found.ratio)
    alt = (
        f"Value for each {words.whole_money(1, currency)} of cost: "
        f"{words.interval(low, high, 2)}, centre {words.number(centre, 2)}, against 1, which is cost."
    )
    drawn = value_range((low, centre, high), [], alt)
    facts = [sentence(said(found.convention)), sentence(said(getattr(found, "range_method", "")))]
    if not hasattr(found, "npv_low"):  # a value that tells its other figures has a table of them
        facts.append(f"Present value {words.money(real(found.present_value), currency)}.")
    return Figure(
        "ratio",
        verdict(found).rstrip("."),
        f"Value for each {words.whole_money(1, currency)} spent, present value; everything uncertain moved together",
        drawn.wide,
        drawn.narrow,
        how=How(facts, ["value.ratio"]),
    )
