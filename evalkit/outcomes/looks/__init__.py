"""Looks: what is seen in the outcomes beside their means. One file each, on a list; `look_at_all` takes them all."""

from __future__ import annotations

from typing import Any

from evalkit.errors import Flag
from evalkit.outcomes.looks.base import LOOKS, View
from evalkit.outcomes.looks.taking import found_in, take_all


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

    Raises
    ------
    DataError
        The tables hold what cannot be (all such problems together).
    """
    found_in(__name__, __path__)
    return take_all(LOOKS, view, "outcomes", view.study.id)
