"""Taking looks: each function of a list in the order of its name, what it found, and what it could not show."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from evalkit import disclosure
from evalkit.errors import DataError, EstimationError, Flag, parts_of, several


def found_in(package: str, path: Iterable[str]) -> None:
    """Import every module of a folder, so that its looks are on their list.

    Parameters
    ----------
    package : str
        The folder's name as a package.
    path : iterable of str
        Its path.
    """
    for module in pkgutil.iter_modules(path):
        importlib.import_module(f"{package}.{module.name}")


def take_all(
    looks: Mapping[str, Callable[[Any], tuple[Any, list[Flag]]]], view: Any, room: str, study: str
) -> tuple[dict[str, Any], list[Flag]]:
    """Take every look of a list.

    Parameters
    ----------
    looks : mapping of str to callable
        Each takes the view and returns what it found, or None, with its flags.
    view : object
        What may be seen.
    room : str
        Whose flags these are: "outcomes", "counterfactual".
    study : str
        The study's id, for messages.

    Returns
    -------
    dict of str to object, list of Flag
        By name, without those that found nothing. A look that the data cannot support leaves a flag with the reason.

    Raises
    ------
    DataError
        The tables hold what cannot be (all such problems together).
    """
    seen: dict[str, Any] = {}
    flags: list[Flag] = []
    wrong: list[DataError] = []
    for name, function in sorted(looks.items()):  # whatever was imported first
        try:
            found, said = function(view)
        except EstimationError as problem:
            text = f"{name[:1].upper()}{name[1:]} could not be shown."
            flags.append(Flag(room, "caution", text, disclosure.uncounted(str(problem))))
            continue
        except DataError as problem:
            wrong.append(problem)
            continue
        flags += said
        if found is not None and (not isinstance(found, list) or found):
            seen[name] = found
    if len(wrong) == 1:
        raise wrong[0]
    if wrong:
        where = f"{study}: {room}"
        raise DataError(several(where, [one for problem in wrong for one in parts_of(str(problem), where)]))
    return seen, flags
