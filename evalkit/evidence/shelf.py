"""The standards as they stand on the shelf, and a design found by any of its names."""

from __future__ import annotations

import functools
import tomllib
from importlib.resources import files
from typing import Any

from evalkit.errors import StudyError, did_you_mean

OWN_READING = "evalkit's reading"


@functools.cache
def standard(name: str) -> dict[str, Any]:
    """One standard from the library.

    Parameters
    ----------
    name : {"maryland_sms", "nesta", "eif"}
        Its file.

    Returns
    -------
    dict
        The file's content; not to be changed.
    """
    return tomllib.loads((files("evalkit.library") / "standards" / f"{name}.toml").read_text(encoding="utf-8"))


def designs() -> tuple[str, ...]:
    """The designs that can be rated on the Maryland scale.

    Returns
    -------
    tuple of str
        As a study may name them (upper or lower case). Those that the guide's own list does not name are marked as
        evalkit's own reading of its definitions in the shelf's file, and in `Level.limits`.
    """
    return tuple(entry["name"] for entry in standard("maryland_sms")["design"])


def plain(text: str) -> str:
    """A name without regard to capitals, spaces, hyphens and underscores.

    Parameters
    ----------
    text : str
        As written.

    Returns
    -------
    str
        For comparing.
    """
    return " ".join(text.replace("-", " ").replace("_", " ").casefold().split())


def find_design(design: str) -> dict[str, Any]:
    """The entry of a design, by its name or another name of it.

    Parameters
    ----------
    design : str
        As the study writes it.

    Returns
    -------
    dict
        name, level, why, lowered_by, estimators, status ...

    Raises
    ------
    StudyError
        Nothing on the list has that name; with the nearest one.
    """
    wanted = plain(design)
    for entry in standard("maryland_sms")["design"]:
        if wanted in {plain(name) for name in (entry["name"], *entry.get("also", ()))}:
            return entry
    raise StudyError(
        f'design "{design}" is not on the list of the Maryland scale. {did_you_mean(design, designs())} '
        "evalkit.evidence.designs() lists them."
    )
