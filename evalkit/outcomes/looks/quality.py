"""How good the measures are here: their reliability, and whether they mean the same to everyone at every time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from evalkit import disclosure
from evalkit.errors import EvalkitError, Flag
from evalkit.outcomes.ground import Found, Reading
from evalkit.outcomes.items.comparable import invariance_across
from evalkit.outcomes.items.estimates import reliability
from evalkit.outcomes.looks.base import View, look
from evalkit.outcomes.questionnaires.keys import measure_keys

_LOW = 0.7
_MANY_LOST = 0.1
_ITEMS_FOR_OMEGA = 3


@look("reliability")
def reliable(view: View) -> tuple[pd.DataFrame | None, list[Flag]]:
    """Alpha and omega of every score of several items at its first occasion, everyone in an arm together.

    Returns
    -------
    (DataFrame or None, list of Flag)
        A row per measure and coefficient: ``measure``, ``title``, ``occasion_title``, ``kind``, ``value``, ``low``,
        ``high``, ``n``, ``k``, ``policy``, ``method``.
    """
    rows, flags = [], []
    for name, found in view.found.items():
        if found.forms is None or len(found.forms.scale) < 2:
            continue
        first = min(found.readings, key=lambda reading: _day(view, reading))
        answers = found.forms.behind(first)[found.forms.scale].dropna(how="all")
        for kind in ("alpha", "omega") if len(found.forms.scale) >= _ITEMS_FOR_OMEGA else ("alpha",):
            row, said = _coefficient(view, name, found, first, answers, kind)
            rows += row
            flags += said
    return (pd.DataFrame(rows) if rows else None), flags


def _day(view: View, reading: Reading) -> int:
    return next((occasion.day for occasion in view.study.occasion if occasion.id == reading.occasion), 0)


def _coefficient(
    view: View, name: str, found: Found, first: Reading, answers: pd.DataFrame, kind: Any
) -> tuple[list[dict[str, Any]], list[Flag]]:
    title = found.about["title"]
    try:
        told = reliability(answers, kind)
    except EvalkitError as reason:
        why = disclosure.uncounted(str(reason))
        return [], [Flag("outcomes", "note", f"{title}: {kind} could not be worked out.", why, name)]
    kept = {key: getattr(told, key) for key in ("kind", "value", "low", "high", "n", "k", "policy", "method")}
    row = {"measure": name, "title": title, "occasion_title": view.title(first.occasion), **kept}
    flags = _without_counts(told.flags, name)
    if kind == "alpha":
        flags += _lost(view, told.n, len(answers), title, name)
    if kind == "alpha" and told.value < _LOW:
        text = f"{title}: its items hang together less than is usual for comparing groups (alpha below 0.7)."
        flags.append(Flag("outcomes", "caution", text, "Effects on it are blurred by error of measurement.", name))
    return [row], flags


def _without_counts(flags: Sequence[Flag], name: str) -> list[Flag]:
    """Exact shares of people left out could be set against the tables: `_lost` says them roughly."""
    exact = re.compile(r"\d%|rests on fewer than")
    kept = [flag for flag in flags if not exact.search(flag.text)]
    return [replace(flag, about=name, detail=disclosure.uncounted(flag.detail)) for flag in kept]


def _lost(view: View, used: int, of: int, title: str, name: str) -> list[Flag]:
    lost = of - used
    if lost <= _MANY_LOST * of:
        return []
    share = disclosure.roughly(lost, of, view.rule)
    text = f"{title}: {share} of the forms lack an answer, and take no part in its reliability or comparability."
    return [Flag("outcomes", "caution", text, about=name)]


@look("comparability")
def comparable(view: View) -> tuple[pd.DataFrame | None, list[Flag]]:
    """Whether the planned measures are invariant across arms, services and occasions.

    Returns
    -------
    (DataFrame or None, list of Flag)
        A row per measure, grouping and model, as `evalkit.outcomes.invariance_across`, with ``measure``, ``title``,
        ``across`` and ``model`` as columns.
    """
    plan = view.study.comparability
    if plan is None:
        return None, []
    tables, flags = [], []
    for name in plan.measures:
        found = view.found.get(name)
        if found is None or found.forms is None:
            continue
        try:
            table, said = _across(view, found, list(plan.across))
        except EvalkitError as reason:
            told = disclosure.uncounted(str(reason))
            text = f"{found.about['title']}: whether it means the same everywhere could not be tested."
            flags.append(Flag("outcomes", "caution", text, told, name))
            continue
        table["verdict"] = [disclosure.uncounted(str(text)) for text in table["verdict"]]
        tables.append(table.assign(measure=name, title=found.about["title"]))
        flags += _without_counts(said, name)
    return (pd.concat(tables, ignore_index=True) if tables else None), flags


def _across(view: View, found: Found, across: list[str]) -> tuple[pd.DataFrame, list[Flag]]:
    answers = _stacked(view, found)
    items = [item for part in _factors(view, found).values() for item in part]
    table = invariance_across(
        answers[[*items, *across]], _factors(view, found), {one: one for one in across}, answers["person"]
    )
    return table.reset_index(), list(table.attrs["flags"])


def _factors(view: View, found: Found) -> dict[str, list[str]]:
    """The scales that make up the score, or the one scale that it is."""
    keys = found.forms.keys  # type: ignore[union-attr]
    scales = {scale["id"]: scale for scale in keys["scale"]}
    named = measure_keys(keys, None)["scale"] if "main" in keys else next(iter(scales))
    parts = [part for part in scales[named].get("sum_of", ()) if "items" in scales[part]]
    if parts:
        return {part: list(scales[part]["items"]) for part in parts}
    return {named: list(found.forms.scale)}  # type: ignore[union-attr]


def _stacked(view: View, found: Found) -> pd.DataFrame:
    """A row per person and occasion: the answers, the arm, the service."""
    arms = np.full(len(view.ground.people), None, dtype=object)
    for arm, rows in view.ground.arms.items():
        arms[rows] = arm
    service = _service(view)
    parts = []
    for reading in sorted(found.readings, key=lambda one: _day(view, one)):
        answers = found.forms.behind(reading)  # type: ignore[union-attr]
        person = view.ground.people.to_numpy()
        place = f"{_day(view, reading):05d}"
        parts.append(answers.assign(person=person, arm=arms, service=service, occasion=place))
    whole = pd.concat(parts, ignore_index=True)
    return whole[whole["arm"].notna() & whole[found.forms.scale].notna().any(axis=1)]  # type: ignore[union-attr]


def _service(view: View) -> np.ndarray:
    plan = view.study.services
    column = view.ground.column(plan.column if plan else "cluster")
    return column.astype(object).where(column.notna(), None).to_numpy()
