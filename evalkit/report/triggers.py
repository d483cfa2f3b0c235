"""Payments that fall due when an effect reaches a threshold."""

from __future__ import annotations

from typing import Any

from evalkit import words
from evalkit.report.blocks import Column, Figure, Table
from evalkit.report.figures.ranges import threshold
from evalkit.report.html import Cell
from evalkit.report.phrases import finite, real, said


def _finding(met: int, judged: int) -> str:
    if not judged:
        return "No trigger can be judged here"
    if judged == 1:
        return f"The one trigger that can be judged was {'met' if met else 'not met'}"
    return f"{met} of {judged} triggers that can be judged {'was' if met == 1 else 'were'} met"


def table(evaluation: Any) -> Table:
    """Each trigger of the contract against what the figures say.

    Parameters
    ----------
    evaluation : Evaluation
        With a contract that has triggers.

    Returns
    -------
    Table
        One row per trigger, with the interval that rounding alone leaves.
    """
    rows = []
    for row in evaluation.contract.triggers.itertuples():
        change = words.percent(real(row.relative), 1) if finite(row.relative) else words.NOT_APPLICABLE
        span = (
            words.interval(real(row.relative_low), real(row.relative_high), 2, percent=True)
            if finite(row.relative)
            else words.NOT_APPLICABLE
        )
        rows.append(
            [
                Cell(said(row.says), small=said(row.note)),
                words.percent(real(row.threshold), 1),
                change,
                span,
                Cell(said(row.met), bold=True),
            ]
        )
    judged = [row for row in evaluation.contract.triggers.itertuples() if said(row.met) != "not judged"]
    met = sum(said(row.met) == "met" for row in judged)
    return Table(
        "triggers",
        _finding(met, len(judged)),
        "Improvement as a share of the comparison, against the threshold of each payment",
        [
            Column("Payment", False),
            Column("At least"),
            Column("Improvement"),
            Column("Rounding alone"),
            Column("Reached", False),
        ],
        rows,
        meanings={words.NOT_APPLICABLE: "not applicable: these figures cannot judge it"},
        notes=[
            "Rounding alone: what the rounding of published figures leaves open. Sampling "
            "error comes on top and is not part of the contract's test."
        ],
        source=evaluation.study.contract.source,
        width=40,
    )


def drawn(evaluation: Any) -> list[Figure]:
    """The first trigger that can be judged, drawn against its threshold.

    Parameters
    ----------
    evaluation : Evaluation
        With a contract that has triggers.

    Returns
    -------
    list of Figure
        Empty where none can be judged.
    """
    judged = [row for row in evaluation.contract.triggers.itertuples() if finite(row.relative)]
    if not judged:
        return []
    first = judged[0]
    lines = [
        (real(row.threshold), f"{words.percent(real(row.threshold), 1)}: {said(row.id)} payment") for row in judged
    ]
    shape = threshold(real(first.relative), real(first.relative_low), real(first.relative_high), lines)
    verdict = {"met": "reached the threshold", "not met": "stayed below the threshold"}.get(
        said(first.met), "cannot be told from the threshold"
    )
    finding = (
        f"The improvement of {words.percent(real(first.relative), 1)} {verdict} of "
        f"{words.percent(real(first.threshold), 1)}"
    )
    return [
        Figure(
            "threshold",
            finding,
            f"{said(first.says)}; improvement as a share of the comparison",
            shape.wide,
            shape.narrow,
        )
    ]
