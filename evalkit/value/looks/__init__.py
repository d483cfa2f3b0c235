"""Looks: what is seen in a value beside its ratio. One file each, on a list."""

from __future__ import annotations

from typing import Any

from evalkit.errors import Flag
from evalkit.outcomes.looks.taking import found_in, take_all
from evalkit.value.looks.base import LOOKS, View

__all__ = ["View", "look_at_all"]


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
