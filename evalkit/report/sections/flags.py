"""Flags from every room, and what this report cannot say."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from evalkit.errors import Flag
from evalkit.report.blocks import Flags, Heading, Html, Text
from evalkit.report.common import characteristic
from evalkit.report.html import esc, sentence
from evalkit.report.phrases import outcome_name, said
from evalkit.report.sections import section


@section("flags", "Flags and limits", 90)
def flags(evaluation: Any) -> list[Any]:
    """The flags in order, then the limits in plain sentences."""
    found = list(evaluation.flags)
    named = names_of(evaluation)
    told = [in_words(flag, named) for flag in found]
    blocks: list[Any] = [Flags(told, named)] if found else [Text("No room raised a flag.")]
    limits = [sentence(text) for text in evaluation.study.study.cannot_say]
    absent = dict(evaluation.absent)
    if "cohort" in absent:  # where nobody is counted, that nobody was measured goes without saying
        absent.pop("outcomes", None)
    limits += [sentence(text) for text in absent.values() if sentence(text) not in limits]
    if limits:
        items = "".join(f"<li>{esc(limit)}</li>" for limit in limits)
        blocks += [Heading("What this report cannot say"), Html(f"<ul>{items}</ul>")]
    return blocks


def in_words(flag: Flag, named: dict[str, str]) -> Flag:
    """A flag with the study's titles in the place of its ids: "Difficulties, at referral", not "sdq@baseline".

    Parameters
    ----------
    flag : Flag
        Of any room.
    named : dict of str to str
        From `names_of`.

    Returns
    -------
    Flag
        The same, in the words of the page.
    """
    ids = sorted((name for name in named if "_" in name or "@" in name or any(map(str.isdigit, name))), key=len)
    if not ids or flag.room == "study":  # the study speaks of its sources, where an id is meant as an id
        return flag
    known = re.compile("|".join(rf"(?<![\w@]){re.escape(name)}(?![\w@])" for name in reversed(ids)))
    text, detail = (known.sub(lambda found: named[found[0]], said_so) for said_so in (flag.text, flag.detail))
    return replace(flag, text=text, detail=detail)


def names_of(evaluation: Any) -> dict[str, str]:
    """What the ids that flags are about are called on this page.

    Parameters
    ----------
    evaluation : Evaluation
        Any.

    Returns
    -------
    dict of str to str
        Id to title.
    """
    study = evaluation.study
    named = {part.id: part.title for part in (*study.measure, *study.domain) if part.title}
    if evaluation.outcomes is not None:
        named |= {key: characteristic(evaluation, key) for key in evaluation.outcomes.wide.columns}
    if study.cohort is not None:
        named |= study.cohort.titles
    if evaluation.contract is not None and len(evaluation.contract.table):
        named |= {row.metric: said(row.title) for row in evaluation.contract.table.itertuples() if said(row.title)}
    if evaluation.effects is not None:
        named |= {row.outcome: outcome_name(row) for row in evaluation.effects.table.itertuples()}
    return named
