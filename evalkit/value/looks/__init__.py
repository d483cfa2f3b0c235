"""Looks: what is seen in a value beside its ratio. One file each, on a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evalkit.errors import Flag
from evalkit.outcomes.looks.taking import found_in, take_all
from evalkit.value.looks.base import LOOKS, View

__all__ = ["View", "look_at_all", "look_at_some"]


def look_at_all(view: View) -> tuple[dict[str, Any], list[Flag]]:
    """Take every look in this folder that the study gives reason for.

    Parameters
    ----------
    view : View
        What may be seen.

    Returns
    -------
    dict of str to object, list of Flag
        By name, without those that found nothing. A look that the data cannot support leaves a flag with the reason,
        and stops nothing else.
    """
    found_in(__name__, __path__)
    return take_all(LOOKS, view, "value", view.study.id)


def look_at_some(view: View, names: Sequence[str]) -> tuple[dict[str, Any], list[Flag]]:
    """Take the looks that need no study.

    Parameters
    ----------
    view : View
        What may be seen; its value needs no study.
    names : sequence of str
        Which looks.

    Returns
    -------
    dict of str to object, list of Flag
        As for `look_at_all`.
    """
    found_in(__name__, __path__)
    return take_all({name: LOOKS[name] for name in names}, view, "value", "The impact map")
