"""Looks: what is seen in the outcomes beside their means. One file each, on a list; `look_at_all` takes them all."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from evalkit.errors import Flag
from evalkit.outcomes.looks.base import View


def look_at_all(view: View) -> tuple[dict[str, Any], list[Flag]]:
    """Take every look in this folder.

    Parameters
    ----------
    view : View
        What may be seen.

    Returns
    -------
    dict of str to object, list of Flag
        By name, without those that found nothing.
    """
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    from evalkit.outcomes.looks import base

    return base.look_at_all(view)
