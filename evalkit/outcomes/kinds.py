"""The list of the kinds of measure, and what every kind says of a measure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from evalkit.errors import StudyError
from evalkit.outcomes.ground import Found, Ground, Reading

if TYPE_CHECKING:
    from evalkit.study.model import Measure, Occasion

Earlier = dict[str, Found]
Kind = Callable[[Ground, "Measure", Earlier], Found]
KINDS: dict[str, Kind] = {}


def kind(name: str) -> Callable[[Kind], Kind]:
    """Put a kind of measure on the list, under the key by which a measure asks for it."""

    def put(function: Kind) -> Kind:
        KINDS[name] = function
        return function

    return put


def about(measure: Measure, **default: Any) -> dict[str, Any]:
    """Say what a measure is, the study's own words first.

    Parameters
    ----------
    measure : Measure
        The plan.
    **default
        What holds where the study says nothing: ``unit``, ``better``, ``values``, ``title``, ``kind``.

    Returns
    -------
    dict
        Those five.
    """
    facts = {"unit": "", "better": "higher", "values": "score", "title": measure.id, "kind": "measure"} | default
    given = {name: getattr(measure, name) for name in ("unit", "better", "values", "title")}
    return facts | {name: value for name, value in given.items() if value}


def occasions_of(ground: Ground, measure: Measure) -> list[Occasion]:
    """Find the occasions at which a measure is read: the one it names, or all.

    Raises
    ------
    StudyError
        The study has no such occasion.
    """
    named = [occasion for occasion in ground.study.occasion if measure.occasion in (None, occasion.id)]
    if not named:
        raise StudyError("has dated readings and the study has no such [[occasion]]. Say on which days it is read.")
    return named


def once(measure: Measure, values: np.ndarray) -> Reading:
    """One reading for each person, at the occasion the measure names or at none."""
    return Reading(measure.id, measure.id, measure.occasion or "", values)
