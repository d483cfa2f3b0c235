"""The sections of a report, one file each: a function from an evaluation to a list of blocks.

A new section is a new file here with one function under ``@section(id, title, order)``; nothing else names it.
A section that returns no blocks does not appear.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

Blocks = list[Any]
Title = str | Callable[[Any], str]


@dataclass(frozen=True)
class Section:
    """A section: id (the anchor), title (or how to find it), place, the function that fills it, and its results."""

    id: str
    title: Title
    order: int
    blocks: Callable[[Any], Blocks]
    numbered: bool = True
    results: Callable[[Any], Iterable[Any]] | None = None

    def name(self, evaluation: Any) -> str:
        """The title as this evaluation needs it."""
        return self.title if isinstance(self.title, str) else self.title(evaluation)


_FOUND: dict[str, Section] = {}


def section(
    id: str,
    title: Title,
    order: int,
    numbered: bool = True,
    results: Callable[[Any], Iterable[Any]] | None = None,
) -> Callable[[Callable[[Any], Blocks]], Callable[[Any], Blocks]]:
    """Put a function on the list of sections.

    Parameters
    ----------
    id : str
        Stable word, used in ``show(evaluation, id)`` and as the anchor.
    title : str or callable
        The heading, or a function from the evaluation to it.
    order : int
        Sections appear in ascending order.
    numbered : bool
        Whether the heading carries a number.
    results : callable, optional
        From an evaluation to the `Result`s that the section prints, for results.json.

    Returns
    -------
    callable
        The decorator; the function itself is left as it is.
    """

    def register(function: Callable[[Any], Blocks]) -> Callable[[Any], Blocks]:
        _FOUND[id] = Section(id, title, order, function, numbered, results)
        return function

    return register


def sections() -> list[Section]:
    """Every section there is, in its order.

    Returns
    -------
    list of Section
        Found by looking into this folder.
    """
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return sorted(_FOUND.values(), key=lambda found: found.order)
