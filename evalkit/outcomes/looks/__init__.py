"""Looks: what is seen in the outcomes beside their means. One file each, on a list; `look_at_all` takes them all."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from evalkit.errors import EvalkitError, Flag
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
    """
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    seen: dict[str, Any] = {}
    flags: list[Flag] = []
    for name, function in LOOKS.items():
        try:
            found, said = function(view)
        except EvalkitError as problem:
            flags.append(Flag("outcomes", "caution", f"{name[:1].upper()}{name[1:]} could not be shown.", str(problem)))
            continue
        flags += said
        if found is not None and len(found):
            seen[name] = found
    return seen, flags
