"""What can go wrong, and what a reader must be told.

Three kinds of error only: the plan is wrong, the data contradict the plan, the data cannot support what was
asked; and a fourth for what may not leave. What does not stop an evaluation is a `Flag`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Literal

Level = Literal["serious", "caution", "note"]
_SHOWN = 15
_COUNTED = re.compile(r" has \d+ problems?$")


class EvalkitError(Exception):
    """Something the user can mend. Its text names the place, the finding and the remedy."""


class StudyError(EvalkitError):
    """The plan (study.toml) is wrong."""


class DataError(EvalkitError):
    """The data contradict the plan, or themselves."""


class EstimationError(EvalkitError):
    """The data cannot support what was asked."""


class DisclosureError(EvalkitError):
    """A table or figure may not leave the workbench."""


class EvalkitWarning(UserWarning):
    """A caveat said at once, where a plain function has no noun to carry its flags."""


@dataclass(frozen=True)
class Flag:
    """A caveat that must reach the reader.

    Parameters
    ----------
    room : str
        The room that raised it: "study", "cohort", "outcomes", "counterfactual", "contract", "value", "disclosure".
    level : {"serious", "caution", "note"}
        "serious" could change a headline, "caution" changes how a number is read, "note" is for the record.
    text : str
        The finding, in one sentence.
    detail : str
        The numbers behind it, what was done about it, or the question it raises.
    about : str
        The id of the outcome, metric or table it concerns; empty when it concerns all.
    """

    room: str
    level: Level
    text: str
    detail: str = ""
    about: str = ""


def as_list(flags: Iterable[Flag]) -> str:
    """Write flags as an HTML list, for a noun in a notebook.

    Parameters
    ----------
    flags : iterable of Flag
        Serious ones first, as they are.

    Returns
    -------
    str
        Empty where there are none.
    """
    items = "".join(f"<li>{flag.level}: {escape(flag.text)} {escape(flag.detail)}</li>" for flag in flags)
    return f"<ul>{items}</ul>" if items else ""


def nearest(word: str, known: Iterable[object], alike: float = 0.6) -> str | None:
    """Find the known word that was probably meant.

    Parameters
    ----------
    word : str
        What the user wrote.
    known : iterable
        What would have been understood.
    alike : float
        How alike they must be, from 0 to 1 (`difflib.get_close_matches`).

    Returns
    -------
    str or None
        The most alike, if any is alike enough.
    """
    return next(iter(difflib.get_close_matches(str(word), [str(one) for one in known], n=1, cutoff=alike)), None)


def did_you_mean(word: str, known: Iterable[object]) -> str:
    """Suggest the nearest known word, or list the known ones.

    Parameters
    ----------
    word : str
        What the user wrote.
    known : iterable
        What would have been understood.

    Returns
    -------
    str
        'Did you mean "x"?', or 'Known: a, b, c.', or '' when nothing is known.
    """
    names = [str(name) for name in known]
    if (near := nearest(word, names)) is not None:
        return f'Did you mean "{near}"?'
    begin = [name for name in names if word and name.lower().startswith(str(word).lower())]
    if begin:
        return f"Did you mean one of: {', '.join(begin[:_SHOWN])}?"
    if not names:
        return ""
    shown = names if len(names) <= _SHOWN else [*names[:_SHOWN], "..."]
    return f"Known: {', '.join(shown)}."


def several(where: str, problems: list[str]) -> str:
    """Write all problems of one place as one message.

    Parameters
    ----------
    where : str
        The file, table or folder concerned.
    problems : list of str
        One finished sentence or more each: place, finding, remedy.

    Returns
    -------
    str
        "<where> has 1 problem: ..." or a numbered list.
    """
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    lines = [f"  {number}. {problem}" for number, problem in enumerate(problems, start=1)]
    return "\n".join([f"{where} has {count}:", *lines])


def parts_of(message: str, within: str = "") -> list[str]:
    """The problems of one message, so that several messages can be told as one list.

    Parameters
    ----------
    message : str
        Of an error; perhaps from `several`.
    within : str
        The place of the whole list: it is not said again for each problem.

    Returns
    -------
    list of str
        Each problem with the place that the message named; the message itself where it holds no list.
    """
    place, _, rest = message.partition(":\n")
    if not rest or not (counted := _COUNTED.search(place)):
        return [message]
    where = place[: counted.start()]
    before = "" if where == within else f"{where}: "
    return [f"{before}{one.strip()}" for one in re.split(r"(?m)^  \d+\. ", f"\n{rest}") if one.strip()]
