"""Turning the curve: where an area's series was heading, where it went, why, and what will be done."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from evalkit import words
from evalkit.report.blocks import Column, Figure, Heading, How, Table, Text
from evalkit.report.figures.turning import Path, turning
from evalkit.report.html import Cell, sentence
from evalkit.report.labelled import labelled
from evalkit.report.phrases import finite, real
from evalkit.report.results import Result
from evalkit.report.sections import section
from evalkit.value.curve import ALTERNATIVES, NOT_AN_EFFECT, Curve, study_curves

SHORT = {"last": "last value", "mean": "mean of past", "damped": "flattening", "neighbours": "as neighbours"}


def _results(evaluation: Any) -> Iterator[Result]:
    """The latest gap of each curve."""
    for curve in study_curves(evaluation.study):
        if (last := curve.latest) is not None:
            low, high = (real(end) if finite(end) else None for end in (last.gap_low, last.gap_high))
            source = f"{curve.indicator}, {curve.area}, {last.year}: actual less trend forecast; a gap, not an effect"
            text = words.number(real(last.gap), _digits(curve), sign=True)
            yield Result(
                f"curve.{curve.plan.id}.gap", real(last.gap), curve.plan.unit, low, high, text, "curve", source
            )


@section("curve", "Turning the curve", 84, results=_results)
def curve(evaluation: Any) -> list[Any]:
    """Each curve with its forecast, gap, story, partners and actions; nothing where the study names none."""
    curves = study_curves(evaluation.study)
    blocks: list[Any] = []
    for one in curves:
        if len(curves) > 1:
            blocks.append(Heading(f"{one.indicator}, {one.area}"))
        blocks += [Text(_opening(one), NOT_AN_EFFECT), _figure(one), _gaps(one), _around(one), *_steps(one)]
    return [block for block in blocks if block is not None]


def _digits(curve: Curve) -> int:
    """Decimals as the series itself has them: one, or none for large whole numbers."""
    values = [*curve.past["value"], *curve.table["actual"].dropna()]
    whole = all(float(value).is_integer() for value in values)
    return 0 if whole and max(map(abs, values)) >= 100 else 1


def _opening(curve: Curve) -> str:
    """The latest year in two sentences: actual, forecast with range, gap, and what other forecasts say."""
    last, digits, unit = curve.latest, _digits(curve), curve.plan.unit
    if last is None:
        return f"Nothing later than {int(curve.past['year'].max())} is known yet: only forecasts can be shown."
    stood = f"{_lower(curve.indicator)} stood at {words.number(last.actual, digits)} ({unit}) in {curve.area}"
    led = f"where the trend of {_span(curve)} would have led to {words.number(last.forecast, digits)}"
    told = f"In {last.year} {stood}, {led}"
    if finite(last.low):
        told += f" (95% range {words.interval(last.low, last.high, digits)})"
    told += f": a gap of {words.number(last.gap, digits, sign=True)}"
    told += (
        f" ({words.interval(last.gap_low, last.gap_high, digits)})."
        if finite(last.gap_low)
        else "; no range can be given."
    )
    return f"{told} {_against(curve)}"


def _against(curve: Curve) -> str:
    """What the other forecasts make of it."""
    last, digits = curve.latest, _digits(curve)
    others = {name: one[last.year] for name, one in curve.alternatives.items() if finite(one[last.year])}
    gaps = [f"{words.number(last.actual - value, digits, sign=True)} ({SHORT[name]})" for name, value in others.items()]
    start = "The other forecasts do not all" if curve.signs_differ else "The other forecasts"
    return f"{start} put the gap on the same side: {words.listed(gaps)}." if gaps else ""


def _rows(table: Any) -> list[Any]:
    return list(table.itertuples(index=False))


def _span(curve: Curve) -> str:
    return f"{int(curve.past['year'].min())} to {int(curve.past['year'].max())}"


def _lower(text: str) -> str:
    return text if text[1:2].isupper() else f"{text[:1].lower()}{text[1:]}"


def _finding(curve: Curve) -> str:
    """The figure's title: the side of the gap, and how far that can be trusted."""
    last, digits = curve.latest, _digits(curve)
    if last is None:
        return f"Where {_lower(curve.indicator)} in {curve.area} was heading"
    gap = words.number(abs(last.gap), digits)
    side = "above" if last.gap > 0 else "below"
    if not float(gap.replace(",", "")):
        gap, side = "", "on"
    told = " ".join(f"In {last.year} {curve.area} stood {gap} {side} its old trend".split())
    if curve.signs_differ:
        return f"{told}; other forecasts put it on the other side"
    if not finite(last.low):
        return f"{told}; no range of the forecast can be given"
    within = last.low <= last.actual <= last.high
    return f"{told}, {'within' if within else 'outside'} the range of the forecast"


def _figure(curve: Curve) -> Figure:
    plan, table, digits = curve.plan, curve.table, _digits(curve)
    past = [(int(row.year), float(row.value)) for row in _rows(curve.past)]
    start = past[-1]

    def path(name: str, css: str, column: str, marked: bool = False) -> Path:
        known = table[table[column].notna()]
        points = [(int(year), float(value)) for year, value in zip(known["year"], known[column], strict=True)]
        return Path(name, css, [start, *points] if marked else points, marked)

    paths = [path(SHORT[name], "axis", name) for name in curve.alternatives]
    paths += [path("trend", "startline", "forecast"), path("desired", "target", "desired")]
    paths += [Path("", "inkline", past, True), path("actual", "inkline", "actual", True)]
    paths = [one for one in paths if len(one.points) > (1 if one.marked else 0)]
    band = [(int(row.year), row.low, row.high) for row in _rows(table) if finite(row.low)]
    drawn = turning(paths, band, int(plan.baseline_until), digits, _alt(curve))
    return Figure(
        f"curve-{plan.id}",
        _finding(curve),
        f"{curve.indicator}, {curve.area}, {plan.unit}; {plan.better} is better",
        drawn.wide,
        drawn.narrow,
        notes=_notes(curve),
        source=plan.source,
        how=How(_method(curve), [f"curve.{plan.id}.gap"] if curve.latest is not None else []),
    )


def _notes(curve: Curve) -> list[str]:
    marks = "Squares and a solid line: what was observed. Dashes: the trend of the past carried forward"
    shade = f"{marks}, shaded its 95% range." if curve.table["low"].notna().any() else f"{marks}."
    rest = "Grey: other forecasts." + (
        " Dashes and dots: what is aimed at." if curve.table["desired"].notna().any() else ""
    )
    said = [
        f"{flag.text} {flag.detail}".strip() for flag in curve.flags if flag.text != NOT_AN_EFFECT and not _told(flag)
    ]
    return [f"{shade} {rest}", *said]


def _told(flag: Any) -> bool:
    """Whether the title tells it already."""
    return bool(flag.text.startswith("Forecasts of"))


def _method(curve: Curve) -> list[str]:
    slope = words.number(curve.slope_per_year, 2, sign=True)
    sd = (
        ""
        if curve.residual_sd is None
        else f"; residual standard deviation {words.number(curve.residual_sd, 2)} (n \u2212 2)"
    )
    others = "; ".join(f"{SHORT[name]}: {ALTERNATIVES[name]}" for name in curve.alternatives)
    return [
        f"Least squares over {len(curve.past)} years ({_span(curve)}), slope {slope} a year{sd}; prediction interval "
        "by t with n \u2212 2 degrees of freedom, the line's own uncertainty included. It takes the past for a "
        "straight line around which each year scatters by itself: where a year resembles the one before it, or the "
        "line bends, the range is too narrow.",
        f"Other forecasts: {others}.",
    ]


def _alt(curve: Curve) -> str:
    digits = _digits(curve)
    past = ", ".join(f"{int(row.year)} {words.number(row.value, digits)}" for row in _rows(curve.past))
    later = "; ".join(
        f"{row.year}: actual {words.number(row.actual, digits)}, trend {words.number(row.forecast, digits)}, "
        f"range {words.interval(row.low, row.high, digits)}"
        for row in _rows(curve.table)
    )
    return f"{curve.indicator}, {curve.area}. Past: {past}. {later}."


def _gaps(curve: Curve) -> Table:
    digits, plan = _digits(curve), curve.plan
    others = list(curve.alternatives)
    wanted = bool(curve.table["desired"].notna().any())
    columns = [Column("Year", False), Column("Actual"), *([Column("Desired")] if wanted else [])]
    columns += [Column("trend", group="Forecast"), Column("95% range", group="Forecast")]
    columns += [Column("trend", group="Gap to"), Column("95% range", group="Gap to")]
    columns += [Column(SHORT[name], group="Gap to") for name in others]
    rows = [_gap_row(row, others, wanted, digits) for row in curve.table.to_dict("records")]
    return Table(
        f"curve-gaps-{plan.id}",
        "Actual less forecast, year by year: gaps, not effects",
        f"{curve.indicator}, {curve.area}, {plan.unit}",
        columns,
        rows,
        notes=["A gap is the actual value less the forecast. Bold: outside the forecast's range."],
        meanings={words.NOT_APPLICABLE: "not applicable: no value is aimed at in that year"},
        dense=True,
        width=54,
    )


def _gap_row(row: dict[Any, Any], others: list[str], wanted: bool, digits: int) -> list[object]:
    number = lambda value, sign=False: words.number(real(value), digits, sign)  # noqa: E731
    outside = finite(row["low"]) and finite(row["actual"]) and not row["low"] <= row["actual"] <= row["high"]
    cells: list[object] = [str(int(row["year"])), number(row["actual"])]
    cells += [number(row["desired"]) if finite(row["desired"]) else words.NOT_APPLICABLE] if wanted else []
    cells += [number(row["forecast"]), words.interval(real(row["low"]), real(row["high"]), digits)]
    cells += [
        Cell(number(row["gap"], True), bold=outside),
        words.interval(real(row["gap_low"]), real(row["gap_high"]), digits),
    ]
    return cells + [number(real(row["actual"]) - real(row[name]), True) for name in others]


def _around(curve: Curve) -> Table | None:
    """The neighbours' median and range beside the area, from the last year of the past on: no rank."""
    if curve.neighbours.empty:
        return None
    digits, mine = (
        _digits(curve),
        {**dict(zip(curve.past["year"], curve.past["value"], strict=True)), **curve.actual.to_dict()},
    )
    rows = [
        [
            str(int(row.year)),
            words.number(real(mine.get(row.year)), digits),
            words.number(row.median, digits),
            words.interval(row.low, row.high, digits) if row.areas > 1 else words.NOT_APPLICABLE,
            str(int(row.areas)),
        ]
        for row in _rows(curve.neighbours)
        if row.year >= curve.plan.baseline_until
    ]
    return Table(
        f"curve-neighbours-{curve.plan.id}",
        f"Beside {curve.area}: its statistical neighbours",
        f"{curve.indicator}, {curve.plan.unit}; for context, no rank is given",
        [Column("Year", False), Column(curve.area), Column("Median", group="Neighbours"),
         Column("lowest to highest", group="Neighbours"), Column("areas", group="Neighbours")],
        rows,
        notes=[f"Neighbours: {words.listed(list(curve.plan.neighbours))}."],
        dense=True,
    )  # fmt: skip


def _steps(curve: Curve) -> list[Any]:
    """Outcome, story, partners, what works, action: the rest of the seven steps, or that they are not written."""
    plan = curve.plan
    told = {
        "Outcome": sentence(plan.outcome),
        "Indicator": f"{curve.indicator} ({plan.unit}).",
        "Story behind the curve": sentence(plan.story),
        "Partners": sentence(words.listed(list(plan.partners))),
        "What works": " ".join(sentence(one) for one in plan.works),
    }
    given = {"outcome": plan.outcome, "story": plan.story, "partners": plan.partners, "what works": plan.works}
    absent = [name for name, there in given.items() if not there] + ([] if plan.action else ["an action plan"])
    blocks: list[Any] = [labelled(told), _actions(curve)]
    return [*blocks, Text(f"Not written down: {words.listed(absent)}.")] if absent else blocks


def _actions(curve: Curve) -> Table | None:
    plan = curve.plan
    if not plan.action:
        return None
    rows = [[one.what, one.who or "nobody named", words.day(one.by) if one.by else "no date"] for one in plan.action]
    bare = sum(not one.who or one.by is None for one in plan.action)
    finding = (
        "Every action has an owner and a date" if not bare else f"{bare} of {len(rows)} actions lack an owner or a date"
    )
    return Table(
        f"curve-actions-{plan.id}",
        finding,
        "What will be done to turn the curve",
        [Column("Action", False), Column("Owner", False), Column("By", False)],
        rows,
    )
