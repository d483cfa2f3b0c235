"""The list of the kinds of measure, and what every kind says of a measure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalkit import disclosure
from evalkit.errors import Flag, StudyError
from evalkit.outcomes.ground import Found, Ground, Reading
from evalkit.words import month

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


def horizon_flags(ground: Ground, measure: Measure, closes: pd.Series, last: pd.Timestamp, detail: str) -> list[Flag]:
    """Say that windows run past the last date in the data, and so see less than they claim.

    Parameters
    ----------
    ground, measure
        Whose windows.
    closes : Series of datetime, shape (n_persons,)
        The day after each window.
    last : Timestamp
        The last date in the data.
    detail : str
        What that means for the measure.

    Returns
    -------
    list of Flag
        One, or none where the data reach to the end of every window.
    """
    past = int((closes > last + pd.Timedelta(days=1)).sum())
    if not past:
        return []
    share = disclosure.roughly(past, len(closes), ground.study.disclosure.rule)
    text = f"The window of {share} of the people runs past the last date in the data."
    return [Flag("outcomes", "caution", text, f"The data end in {month(last.date())}. {detail}", measure.id)]
