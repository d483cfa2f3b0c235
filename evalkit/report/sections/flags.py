"""Flags from every room, and what this report cannot say."""

from __future__ import annotations

from typing import Any

from evalkit.report.blocks import Flags, Heading, Html, Text
from evalkit.report.html import esc, sentence
from evalkit.report.phrases import outcome_name, said
from evalkit.report.sections import section


@section("flags", "Flags and limits", 90)
def flags(evaluation: Any) -> list[Any]:
    """The flags in order, then the limits in plain sentences."""
    found = list(evaluation.flags)
    blocks: list[Any] = [Flags(found, _names(evaluation))] if found else [Text("No room raised a flag.")]
    limits = [sentence(text) for text in evaluation.study.study.cannot_say]
    limits += [sentence(text) for text in evaluation.absent.values() if sentence(text) not in limits]
    if limits:
        items = "".join(f"<li>{esc(limit)}</li>" for limit in limits)
        blocks += [Heading("What this report cannot say"), Html(f"<ul>{items}</ul>")]
    return blocks


def _names(evaluation: Any) -> dict[str, str]:
    """What the ids that flags are about are called on this page."""
    study = evaluation.study
    named = {part.id: part.title for part in (*study.measure, *study.domain) if part.title}
    if evaluation.contract is not None and len(evaluation.contract.table):
        named |= {row.metric: said(row.title) for row in evaluation.contract.table.itertuples() if said(row.title)}
    if evaluation.effects is not None:
        named |= {row.outcome: outcome_name(row) for row in evaluation.effects.table.itertuples()}
    return named
