"""The framework of outcomes: what was asked for, how it is told, what was found, and which headings it covers."""

from __future__ import annotations

from typing import Any

import pandas as pd

from evalkit import words
from evalkit.report.blocks import Column, Table, Text
from evalkit.report.html import Cell
from evalkit.report.phrases import finite, real, said, wording
from evalkit.report.results import primary
from evalkit.report.sections import section
from evalkit.value.framework import LEFT, Framework, study_framework

IN_THE_TABLE = "where an outcome is asked for."  # the table itself marks each such indicator


@section("framework", "Outcomes asked for", 86)
def framework(evaluation: Any) -> list[Any]:
    """Rows, weights, outputs posing as outcomes, coverage; nothing where the study names no framework."""
    if evaluation.study.framework is None:
        return []
    row = primary(evaluation)
    headline = "" if row is None else str(row.outcome)
    found = study_framework(evaluation.study, results_of(evaluation), headline)
    if found is None or found.table.empty:
        return []
    blocks = [Text(_opening(found)), _rows(evaluation, found), *_caveats(found), _lines(found)]
    blocks += [_coverage(title, table, place) for place, (title, table) in enumerate(found.coverage.items())]
    return [block for block in blocks if block is not None]


def results_of(evaluation: Any) -> dict[str, tuple[str, str]]:
    """Measure -> (estimate, interval) as the page prints them, by outcome and by its name without the occasion.

    Parameters
    ----------
    evaluation : Evaluation
        With or without effects.

    Returns
    -------
    dict of str to (str, str)
        "no interval" where there is none.
    """
    if evaluation.effects is None:
        return {}
    found: dict[str, tuple[str, str]] = {}
    for row in evaluation.effects.table.itertuples():
        if not finite(row.effect):
            continue
        form = wording(row, evaluation.study.study.currency)
        bounded = finite(row.low) and finite(row.high)
        told = (form.signed(row.effect), form.interval(row.low, row.high) if bounded else "no interval")
        found[str(row.outcome)] = told
        found.setdefault(str(row.outcome).split("@")[0], told)
    return found


def _opening(found: Framework) -> str:
    """How much of what was asked for has a result, and how the weights sum."""
    asked, measured = len(found.table), int((found.table["result"] != "").sum())
    told = f"{asked} indicators are asked for" if asked != 1 else "1 indicator is asked for"
    told += (
        f"; this study estimated the change in {measured} of them."
        if measured
        else "; this study estimated none of them."
    )
    left = int((found.table["activity"] == LEFT).sum())
    if left:
        told += " Activities and outputs are left to the provider" + ("." if left == asked else f" in {left} of them.")
    if found.total is None:
        return f"{told} No weights are given."
    sums = " as they should" if found.total in (1, 100) else ", which is neither 1 nor 100"
    return f"{told} The weights sum to {found.total:g}{sums}."


def _rows(evaluation: Any, found: Framework) -> Table:
    with_weight = bool(found.table["weight"].notna().any())
    names = ["Service outcome", "Community outcome", "Indicator", "Target", *(["Weight"] if with_weight else [])]
    columns = [Column(name, name == "Weight") for name in names]
    columns += [Column("Found", False), Column("Activities and outputs", False)]
    posing = int((found.table["poses"] != "").sum())
    finding = "Every indicator tells of a change" if not posing else _posing(posing, len(found.table))
    return Table(
        "framework",
        finding,
        "The commissioner's outcomes, how each is told, and the change this study estimated",
        columns,
        [_row(row, with_weight) for row in found.table.itertuples()],
        notes=["Found: estimated change against the comparison, with its interval."],
        source=evaluation.study.framework.source,
        meanings={words.NOT_AVAILABLE: "not available: this study has no estimate of it"},
        dense=True,
        width=62,
    )


def _posing(posing: int, all_of_them: int) -> str:
    return (
        f"{posing} of {all_of_them} indicators count{'s' if posing == 1 else ''} activity where an outcome is asked for"
    )


def _row(row: Any, with_weight: bool) -> list[object]:
    kind = ", ".join(part for part in (row.kind, row.bottom_line) if part)
    small = f"{kind}. Reads as activity: {row.poses}" if row.poses else kind
    provider = row.activity if row.activity == row.output else f"{row.activity}; {row.output}"
    cells: list[object] = [
        row.service_outcome,
        row.community_outcome,
        Cell(row.indicator, small=small, bold=bool(row.poses)),
    ]
    cells += [row.target or "none set", *([_weight(row.weight)] if with_weight else [])]
    result: object = Cell(row.result, small=row.interval) if row.result else words.NOT_AVAILABLE
    return [*cells, result, provider]


def _weight(value: object) -> str:
    return f"{real(value):g}" if finite(value) else words.NOT_AVAILABLE


def _caveats(found: Framework) -> list[Text]:
    """What else must be told: the table says which indicators count activity."""
    told = [
        f"{flag.text} {' '.join(flag.detail.split(chr(10)))}".strip()
        for flag in found.flags
        if not flag.text.endswith(IN_THE_TABLE)
    ]
    return [Text(*told)] if told else []


def _lines(found: Framework) -> Table | None:
    if found.bottom_lines.empty:
        return None
    rows = [
        [said(row.bottom_line).capitalize(), str(row.indicators), _weight(row.weight)]
        for row in found.bottom_lines.itertuples()
    ]
    none = [one for one in ("social", "environmental", "economic") if one not in set(found.bottom_lines["bottom_line"])]
    finding = (
        f"Nothing is asked for under {words.listed(none, 'or')}"
        if none
        else "Social, environmental and economic outcomes are all asked for"
    )
    return Table(
        "framework-bottom-lines",
        finding,
        "Indicators and weight by bottom line",
        [Column("Bottom line", False), Column("Indicators"), Column("Weight")],
        rows,
        width=0,
    )


def _coverage(title: str, table: pd.DataFrame, place: int) -> Table:
    covered = int((table["indicators"] > 0).sum())
    measured = int((table["standing"] == "measured").sum())
    rows = [[row.heading, str(row.indicators), str(row.measured), row.standing] for row in table.itertuples()]
    return Table(
        f"framework-coverage-{place + 1}",
        f"{covered} of {len(table)} headings have an indicator, {measured} a result of this study",
        f"{title}: coverage, not a score",
        [Column("Heading", False), Column("Indicators"), Column("With a result"), Column("Standing", False)],
        rows,
        width=30,
    )
