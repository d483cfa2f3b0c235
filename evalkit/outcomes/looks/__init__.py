"""Looks: what is seen in the outcomes beside their means. One file each, on a list; `look_at_all` takes them all."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from evalkit import disclosure
from evalkit.errors import DataError, EstimationError, Flag, several
from evalkit.outcomes.looks.base import LOOKS, View


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
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    seen: dict[str, Any] = {}
    flags: list[Flag] = []
    wrong: list[str] = []
    for name, function in sorted(LOOKS.items()):  # whatever was imported first
        try:
            found, said = function(view)
        except EstimationError as problem:
            text = f"{name[:1].upper()}{name[1:]} could not be shown."
            flags.append(Flag("outcomes", "caution", text, disclosure.uncounted(str(problem))))
            continue
        except DataError as problem:
            wrong.append(f"{name}: {problem}")
            continue
        flags += said
        if found is not None and (not isinstance(found, list) or found):
            seen[name] = found
    if wrong:
        raise DataError(several(f"{view.study.id}: outcomes", wrong))
    return seen, flags
