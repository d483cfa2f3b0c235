"""Whose outcomes are measured: who asked for them, who reports them, whose life they are about, and who pays."""

from __future__ import annotations

import csv
from typing import Any

import pandas as pd

from evalkit.errors import Flag
from evalkit.outcomes.looks.base import View, look
from evalkit.outcomes.voices.whose import WhoseOutcomes, whose_outcomes
from evalkit.study.model import Valued


@look("whose outcomes")
def whose(view: View) -> tuple[WhoseOutcomes | None, list[Flag]]:
    """Every measure, and what is valued and not measured; nothing where the study says nothing of who asked."""
    measures, valued = view.study.measure, view.study.valued
    if not valued and not any(measure.proposed_by or measure.about for measure in measures):
        return None, []
    rows = [*_measured(view), *(_valued(one) for one in valued)]
    found = whose_outcomes(pd.DataFrame(rows))
    return found, list(found.flags)


def _measured(view: View) -> list[dict[str, Any]]:
    paid = _paid_for(view)
    titles = {name: found.about["title"] for name, found in view.found.items()}
    return [
        {
            "id": measure.id,
            "title": titles.get(measure.id, measure.title or measure.id),
            "proposed_by": measure.proposed_by,
            "informant": measure.informant,
            "about": measure.about or "",
            "paid": measure.id in paid if measure.paid is None else measure.paid,
            "measured": True,
        }
        for measure in view.study.measure
    ]


def _valued(one: Valued) -> dict[str, Any]:
    told = {"id": one.id, "title": one.says, "proposed_by": one.proposed_by, "about": one.about or ""}
    return told | {"paid": False, "measured": False, "valued": one.proposed_by or "somebody"}


def _paid_for(view: View) -> set[str]:
    """Measures to which the rate card links a price: by themselves, or as the part of a domain that it names."""
    plan = view.study.contract
    file = view.study.path(plan.rate_card) if plan and plan.rate_card else None
    if file is None or not file.is_file():
        return set()
    with file.open(encoding="utf-8-sig", newline="") as lines:
        named = {(row.get("outcome") or "").partition("@")[0] for row in csv.DictReader(lines)}
    parts = {name.partition("@")[0] for domain in view.study.domain if domain.id in named for name in domain.measures}
    return (named | parts) - {""}
