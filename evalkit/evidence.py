"""How far a design lets one speak of cause, and the words that go with it."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from evalkit import words
from evalkit.errors import StudyError, did_you_mean


@dataclass(frozen=True)
class Level:
    """What a study's evidence is worth, and what may be said on it.

    Parameters
    ----------
    sms : int or None
        Level on the Maryland scale, 1 to 5; None where it is not scoreable.
    nesta : int or None
        Nesta's standard that the design alone can reach, 1 to 3.
    eif : str or None
        The EIF rating that one study of this design can reach at most: "NL2", "2", "3".
    reason : str
        Why, in one or two sentences.
    verbs : tuple of str
        The verbs a headline may use.
    may_say, may_not_say : str
        One sentence each.
    design : str
        The design by its name on the list; empty where none was named.
    """

    sms: int | None
    nesta: int | None
    eif: str | None
    reason: str
    verbs: tuple[str, ...]
    may_say: str
    may_not_say: str
    design: str = ""


@functools.cache
def _standard(name: str) -> dict[str, Any]:
    """One standard from the library."""
    return tomllib.loads((files("evalkit.library") / "standards" / f"{name}.toml").read_text(encoding="utf-8"))


def designs() -> tuple[str, ...]:
    """The designs on the Maryland scale's list.

    Returns
    -------
    tuple of str
        As a study may name them (upper or lower case).
    """
    return tuple(entry["name"] for entry in _standard("maryland_sms")["design"])


def level(design: str | None, diagnostics: Mapping[str, Any] | None = None) -> Level:
    """Rate a design on the Maryland scale, and say what follows for words.

    Parameters
    ----------
    design : str or None
        A name on the list of `designs`, in upper or lower case; None: no design was named, nothing is earned.
    diagnostics : dict, optional
        What the data showed. Comparability fails, and a design that rests on it falls one level, where
        ``max_smd_after`` (largest standardised difference after adjustment) is above 0.25, ``pre_test`` (p-value of
        equal trends before) is below 0.05, or ``pre_programme_outcome`` is False.

    Returns
    -------
    Level
        Levels, reason and wording.

    Raises
    ------
    StudyError
        The design is not on the list.

    References
    ----------
    What Works Centre for Local Economic Growth, scoring guide.
    """
    if design is None or not design.strip():
        return _worded(None, "No design was named, so no level of evidence is given.", "")
    entry = _find(design)
    sms = entry.get("level")
    if sms is None:
        return _worded(None, f"{_sentence(entry['why'])}.", entry["name"])
    failed = _failures(diagnostics or {}) if entry.get("rests_on_comparability") else []
    if not failed:
        return _worded(sms, f"{_sentence(entry['why'])} ({entry['name']}).", entry["name"])
    would_be = f"{_sentence(entry['why'])} ({entry['name']}) would be level {sms}"
    reason = f"{would_be}, but {words.listed(failed)}: level {sms - 1}."
    return _worded(sms - 1, reason, entry["name"])


def _find(design: str) -> dict[str, Any]:
    """The entry of a design."""
    entries = _standard("maryland_sms")["design"]
    for entry in entries:
        if entry["name"].casefold() == " ".join(design.split()).casefold():
            return entry
    raise StudyError(
        f'design "{design}" is not on the list of the Maryland scale. {did_you_mean(design, designs())} '
        "evalkit.evidence.designs() lists them."
    )


def _failures(diagnostics: Mapping[str, Any]) -> list[str]:
    """What speaks against comparability."""
    limit = _standard("maryland_sms")["comparability"]["largest_smd"]
    failed = []
    smd = diagnostics.get("max_smd_after")
    if smd is not None and smd > limit:
        failed.append(f"after adjustment the arms still differ by {words.number(smd, 2)} standard deviations")
    pre_test = diagnostics.get("pre_test")
    if pre_test is not None and pre_test < 0.05:
        failed.append(f"trends differed before the programme (p {words.p_value(pre_test)})")
    if diagnostics.get("pre_programme_outcome") is False:
        failed.append("the outcome before the programme is not among what was adjusted for")
    return failed


def _sentence(text: str) -> str:
    """With a capital."""
    return text[:1].upper() + text[1:]


def _worded(sms: int | None, reason: str, design: str) -> Level:
    """The level with the words that go with it."""
    wording = _standard("maryland_sms")["wording"]
    part = next((entry for entry in wording.values() if sms in entry.get("levels", ())), wording["none"])
    key = "none" if sms is None else str(sms)
    return Level(
        sms=sms,
        nesta=_standard("nesta")["from_sms"][key] if design else None,
        eif=_standard("eif")["from_sms"][key] if design else None,
        reason=reason,
        verbs=tuple(part["verbs"]),
        may_say=part["may_say"],
        may_not_say=part["may_not_say"],
        design=design,
    )
