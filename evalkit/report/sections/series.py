"""A published interim series, as arithmetic; it feeds neither the headline nor a payment."""

from __future__ import annotations

from typing import Any

from evalkit import words
from evalkit.report.blocks import Column, How, Table, Text
from evalkit.report.interim import Interim, interim
from evalkit.report.phrases import said
from evalkit.report.sections import section


@section("series", "Interim figures", 60)
def series(evaluation: Any) -> list[Any]:
    """Each series with its periods and its changes; nothing where the study names none."""
    found = interim(evaluation.study)
    if not found:
        return []
    blocks: list[Any] = [
        Text(
            "Arithmetic on published tables. It is not an estimate of an effect; no "
            "headline and no payment rests on it."
        )
    ]
    return blocks + [table for one in found for table in (_periods(one), _changes(one))]


def _periods(one: Interim) -> Table:
    rows = []
    periods: list[Any] = list(one.table.itertuples())
    for row in periods:
        gap = row.treated - row.comparison
        numbers = [words.number(row.treated, 0), words.number(row.comparison, 0), words.number(gap, 0, sign=True)]
        rows.append(
            [
                row.period,
                {"pre": "before", "post": "after"}.get(row.phase, row.phase),
                *numbers,
                words.number(row.treated / row.comparison, 2),
            ]
        )
    return Table(
        f"series-{one.id}",
        one.title,
        one.unit[:1].upper() + one.unit[1:],
        [
            Column("Period", False),
            Column("Service", False),
            Column(one.plan.treated_name),
            Column(one.plan.comparison_name),
            Column("Gap"),
            Column("Ratio"),
        ],
        rows,
        notes=[said(one.plan.note), _overlapping(one)],
        source=said(one.plan.source),
        dense=True,
        width=40,
    )


def _overlapping(one: Interim) -> str:
    if not one.overlaps:
        return ""
    pairs = "; ".join(f"{first} with {second}" for first, second in one.overlaps)
    return f"Periods that overlap, and so share people: {pairs}."


def _changes(one: Interim) -> Table | None:
    rows = [[change.says, change.text] for change in one.changes]
    return Table(
        f"series-{one.id}-changes",
        "What the figures come to, taken in four ways" if len(rows) == 4 else "What the figures come to",
        f"Differences in {one.unit}; relative changes in percent",
        [Column("Reckoned as", False), Column("Change")],
        rows,
        notes=["Sampling error is not known: no interval is given."],
        how=How([], [f"series.{one.id}.{change.id}" for change in one.changes]),
        width=0,
    )
