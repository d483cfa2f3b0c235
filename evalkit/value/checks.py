"""What is wrong with the lines of an impact map, and what a reader must be told of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.errors import Flag, Level, did_you_mean
from evalkit.tables.rows import as_rows

Line = dict[str, Any]
BOTTOM_LINES = ("social", "environmental", "economic")
NOT_STATED = "not stated"
OTHER = "other"
# Whom a stakeholder belongs to, by a word of its name; the first group that knows one has it.
GROUPS = {
    "siblings": "sibling siblings brother brothers sister sisters",
    "carers": "carer carers parent parents family families mother mothers father fathers adopter adopters guardian "
    "guardians",
    "children": "child children young youth pupil pupils student students baby babies infant infants adolescents "
    "leavers",
    "community": "community communities neighbour neighbours resident residents victim victims public society employer "
    "employers environment",
    "agencies": "agency agencies council councils authority authorities commissioner commissioners service services "
    "nhs police prison prisons court courts justice government state department exchequer treasury taxpayer taxpayers "
    "school schools ministry",
}
_WORDS = {group: frozenset(known.split()) for group, known in GROUPS.items()}


def group_of(stakeholder: str) -> str:
    """Find the group that a stakeholder belongs to.

    Parameters
    ----------
    stakeholder : str
        As the map names it.

    Returns
    -------
    str
        "children", "siblings", "carers", "community" or "agencies"; "other" for a name that tells of none of them;
        "not stated" for none.
    """
    if not stakeholder:
        return NOT_STATED
    told = set(re.findall(r"[a-z]+", stakeholder.lower()))
    return next((group for group, known in _WORDS.items() if told & known), OTHER)


def groups_noted(lines: pd.DataFrame) -> list[Flag]:
    """Stakeholders of no known group, and lines without stakeholder or bottom line: noted, and counted as they stand.

    Parameters
    ----------
    lines : DataFrame
        With stakeholder, stakeholder_group, bottom_line and title.

    Returns
    -------
    list of Flag
        Notes.
    """
    flags = []
    strange = list(dict.fromkeys(lines.loc[lines["stakeholder_group"] == OTHER, "stakeholder"]))
    if strange:
        known = words.listed(list(GROUPS))
        text = f"Stakeholders that belong to none of {known} have subtotals of their own: {', '.join(strange)}."
        flags.append(Flag("value", "note", text, about="stakeholder"))
    for name, says in (("stakeholder", "stakeholder"), ("bottom_line", "bottom line")):
        silent = lines.loc[lines[name] == "", "title"]
        if len(silent):
            text = f"{len(silent)} of {len(lines)} lines name no {says}: their subtotal is called {NOT_STATED}."
            flags.append(Flag("value", "note", text, ", ".join(silent), name))
    return flags


def problems(lines: pd.DataFrame, ranged: Sequence[str], shares: Sequence[str]) -> list[str]:
    """List everything that is wrong with the numbers and labels.

    Parameters
    ----------
    lines : DataFrame
        Numbers as float, defaults filled.
    ranged, shares : sequence of str
        The assumptions that may have a range, and those that are shares.

    Returns
    -------
    list of str
        One finished sentence or more each, beginning with the line.
    """
    found: list[str] = []
    for line in as_rows(lines):
        told = [*_proxy(line), *_whole_years(line), *_labels(line)]
        told += [f"{n} {line[n]:g} is not a finite number." for n in ("quantity", "proxy") if np.isinf(line[n])]
        told += [f"{n} {line[n]:g} is not a share between 0 and 1." for n in shares if not 0 <= line[n] <= 1]
        if pd.notna(line["cashable"]) and not 0 <= line["cashable"] <= 1:
            told.append(f"cashable {line['cashable']:g} is not a share between 0 and 1.")
        told += [text for name in ranged for text in _range(line, name, name in shares)]
        found += [f"{line['line']}{'' if text.startswith('has ') else ':'} {text}" for text in told]
    return found


def _proxy(line: Line) -> list[str]:
    """A quantity that nobody prices must be said to stand beside the money."""
    if pd.isna(line["proxy"]) and pd.notna(line["quantity"]) and not (line["not_valued"] or line["unread"]):
        return ['has no proxy. Write an amount, the id of a unit value, or "not valued" to show it beside the money.']
    return []


def _whole_years(line: Line) -> list[str]:
    """Durations and first years that are no whole years."""
    return [
        f"{name} {line[name]:g} is not a whole number of years, 1 or more."
        for name in ("duration", "starts_year")
        if not line[name] >= 1 or line[name] % 1
    ]


def _labels(line: Line) -> list[str]:
    """A bottom line that is none of the three."""
    label = line["bottom_line"]
    if label and label not in BOTTOM_LINES:
        return [f'bottom_line "{label}" is not known. {did_you_mean(label, BOTTOM_LINES)}']
    return []


def _range(line: Line, name: str, share: bool) -> list[str]:
    """What is wrong with one range."""
    low, value, high = line[f"{name}_low"], line[name], line[f"{name}_high"]
    if pd.isna(low) and pd.isna(high):
        return []
    if pd.isna(low) or pd.isna(high):
        return [f"{name} has only one end of its range. Give {name}_low and {name}_high."]
    if name == "proxy" and (line["not_valued"] or line["unread"]):
        return []
    if pd.isna(value):
        return [f"{name} is empty and has a range: an effect brings its own. Drop {name}_low and {name}_high."]
    if not low <= value <= high:
        return [f"{name} {value:g} does not lie between {name}_low {low:g} and {name}_high {high:g}."]
    if share and not 0 <= low <= high <= 1:
        return [f"{name}_low and {name}_high must be shares between 0 and 1."]
    return []


def defaults(lines: pd.DataFrame) -> list[Flag]:
    """Say what was left empty and is counted as nothing.

    Parameters
    ----------
    lines : DataFrame
        Those with a proxy, before anything is filled in.

    Returns
    -------
    list of Flag
        Of attribution, displacement, drop-off and duration.
    """
    says = {
        "attribution": "nobody else is named who served only those treated",
        "displacement": "nothing is said of outcomes moved from elsewhere",
    }
    flags = []
    for name, why in says.items():
        empty = lines[name].isna()
        if empty.any():
            these = f"{int(empty.sum())} of {len(lines)} lines"
            text = f"{name.capitalize()} is not given for {these} and counted as 0: {why}."
            flags.append(Flag("value", "caution", text, about=name))
    lasting = lines["drop_off"].isna() & (lines["duration"].fillna(1) > 1)
    if lasting.any():
        text = f"Drop-off is not given for {int(lasting.sum())} lines that last longer than a year and counted as 0."
        flags.append(Flag("value", "caution", text, about="drop_off"))
    if (lines["duration"].isna()).any():
        text = f"Duration is not given for {int(lines['duration'].isna().sum())} lines and counted as one year."
        flags.append(Flag("value", "note", text, about="duration"))
    return flags


def unsupported(lines: pd.DataFrame) -> list[Flag]:
    """Say which assumptions do not tell whence they come, for whom, or in which prices.

    Parameters
    ----------
    lines : DataFrame
        Those with a proxy, shares filled, each assumption with its own source or the line's.

    Returns
    -------
    list of Flag
        A caution per kind of assumption, with the lines; a note for quantities.
    """
    flags = []
    nameless = lines.loc[(lines["attribution"] != 0) & (lines["partners"] == ""), "title"]
    if len(nameless):
        text = f"Attribution is taken off and no partner is named: {', '.join(nameless)}."
        detail = "Write in partners who served those treated, and not those compared."
        flags.append(Flag("value", "caution", text, detail, "attribution"))
    for name in ("deadweight", "displacement", "attribution", "drop_off"):
        flags += _silent(lines[lines[name] != 0], name, f"{name.replace('_', '-').capitalize()} is stated")
    flags += _silent(lines, "proxy", "A unit value is stated")
    flags += _silent(lines[lines["quantity"].notna()], "quantity", "A quantity is stated", "note")
    undated = lines.loc[lines["price_year"].isna(), "line"]
    if len(undated):
        text = f"{len(undated)} of {len(lines)} lines state no price year; they are taken to be in the study's."
        flags.append(Flag("value", "caution", text, f"{', '.join(undated)}. Write price_year.", "price_year"))
    return flags


def _silent(lines: pd.DataFrame, name: str, says: str, level: Level = "caution") -> list[Flag]:
    """Assumptions without a source."""
    silent = lines.loc[lines[f"{name}_source"] == "", "title"]
    if not len(silent):
        return []
    text = f"{says} without a source: {', '.join(silent)}."
    return [Flag("value", level, text, f"Write its source in the column {name}_source, or source.", name)]
