"""From activities to community outcomes: what was asked for, how it is told, and what poses as an outcome."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from evalkit import library, tables, words
from evalkit.errors import DataError, Flag, StudyError, as_list, did_you_mean, several
from evalkit.tables.kinds import Kind

COLUMNS: dict[str, Kind] = {
    "activity": "text",
    "output": "text",
    "service_outcome": "text",
    "community_outcome": "text",
    "indicator": "text",
    "kind": "text",
    "measure": "text",
    "target": "text",
    "weight": "number",
    "bottom_line": "text",
    "tags": "text",
    "source": "text",
}
KINDS = ("input", "output", "outcome", "impact")
BOTTOM_LINES = ("social", "environmental", "economic")
LEFT = "left to the provider"
TOTALS = (1.0, 100.0)
POSES = "an output or input stands where an outcome should"


@dataclass(frozen=True, eq=False)
class Framework:
    """A framework of outcomes.

    Parameters
    ----------
    table : DataFrame
        A row per indicator: activity and output ("left to the provider" where blank), service_outcome,
        community_outcome, indicator, kind, measure, target, weight, bottom_line, tags (tuple), source, poses (why the
        row looks like an output in an outcome's place; empty where it does not), result and interval (as text, where
        the study estimated the measure).
    weights : DataFrame
        service_outcome, indicators, weight; their sum is in ``total``.
    total : float or None
        Sum of the weights; None where there are none.
    bottom_lines : DataFrame
        bottom_line, indicators, weight.
    coverage : dict of str to DataFrame
        Title of a set of headings -> heading, indicators, measured, standing ("measured", "indicator only", "none").
    flags : tuple of Flag
        What a reader must be told.
    """

    table: pd.DataFrame
    weights: pd.DataFrame
    total: float | None
    bottom_lines: pd.DataFrame
    coverage: dict[str, pd.DataFrame] = field(default_factory=dict)
    flags: tuple[Flag, ...] = ()

    def __repr__(self) -> str:
        """Counts, in one line."""
        return (
            f"Framework({len(self.table)} indicators, {len(self.coverage)} sets of headings, {len(self.flags)} flags)"
        )

    def _repr_html_(self) -> str:
        """The rows that say something, and the flags."""
        shown = self.table.drop(columns=["tags", "poses"], errors="ignore")
        shown = shown.loc[:, [name for name in shown if shown[name].fillna("").astype(str).str.strip().any()]]
        return shown.fillna("").to_html(index=False) + as_list(self.flags)


def frame_outcomes(
    rows: pd.DataFrame,
    tag_sets: Sequence[str] = (),
    sets: Mapping[str, Sequence[str]] | None = None,
    results: Mapping[str, tuple[str, str]] | None = None,
    headline: str = "",
) -> Framework:
    """Read a framework from its rows.

    Parameters
    ----------
    rows : DataFrame
        service_outcome and indicator at least; where known activity, output, community_outcome, kind (input, output,
        outcome, impact), measure, target, weight, bottom_line (social, environmental, economic), tags (separated by
        semicolons), source. Blank activities and outputs are right: the commissioner leaves them to the provider.
    tag_sets : sequence of str
        Frameworks on the shelf: "every_child_matters", "girfec", "rights_to_action", "our_pledge"; unconfirmed ones by
        their full name.
    sets : dict, optional
        Sets of the study's own: name -> headings.
    results : dict, optional
        Measure -> (result, interval) as they are printed, for the measures that the study estimated.
    headline : str, optional
        The measure that the study's headline rests on.

    Returns
    -------
    Framework
        With flags for outputs posing as outcomes, weights that do not sum to 1 or 100, tags that no set knows.

    Raises
    ------
    DataError
        A kind or a bottom line that is not known, a negative weight, a row with neither outcome nor indicator.
    StudyError
        No such framework on the shelf.

    References
    ----------
    Camden's sustainable commissioning model, in nef and Action for Children (2009), A guide to commissioning children's
    services for better outcomes.
    """
    table = _clean(rows)
    table["poses"] = [_poses(row) for row in table.to_dict("records")]
    known = results or {}
    for place, name in enumerate(("result", "interval")):
        table[name] = [known[one][place] if one in known else "" for one in table["measure"]]
    weights, total, how = _weights(table)
    headings = {**{_set(name)["title"]: _headings(name) for name in tag_sets}, **_own(sets or {})}
    coverage = {title: _coverage(table, found) for title, found in headings.items()}
    flags = [*how, *_posing(table, headline), *_measures(table, known), *_unknown_tags(table, headings)]
    lines = table[table["bottom_line"] != ""].groupby("bottom_line", sort=False)
    by_line = lines["weight"].agg(indicators="size", weight=lambda one: one.sum(min_count=1)).reset_index()
    return Framework(table, weights, total, by_line, coverage, tuple(flags))


def study_framework(
    study: Any, results: Mapping[str, tuple[str, str]] | None = None, headline: str = ""
) -> Framework | None:
    """The framework that a study names.

    Parameters
    ----------
    study : Study
        With or without [framework].
    results, headline
        As for `frame_outcomes`.

    Returns
    -------
    Framework or None
        None without [framework].
    """
    plan = study.framework
    if plan is None:
        return None
    rows = tables.read_csv_checked(study, plan.file, COLUMNS, required=["service_outcome", "indicator"])
    try:
        return frame_outcomes(rows, plan.tag_sets, plan.sets, results, headline)
    except DataError as fault:
        raise DataError(f"[framework] {plan.file}: {fault}") from fault


def _clean(rows: pd.DataFrame) -> pd.DataFrame:
    """Every column, of its kind, with blanks as empty text; everything wrong at once."""
    absent = [name for name in ("service_outcome", "indicator") if name not in rows]
    if absent:
        told = [f'column "{name}" is missing. {did_you_mean(name, rows.columns)}' for name in absent]
        raise DataError(several("The framework", told))
    table = pd.DataFrame(index=range(len(rows)))
    for name, kind in COLUMNS.items():
        given = rows[name].reset_index(drop=True) if name in rows else pd.Series([None] * len(rows), dtype=object)
        table[name] = pd.to_numeric(given, errors="coerce") if kind == "number" else _texts(given)
    problems = [
        problem for place, row in enumerate(table.to_dict("records"), start=2) for problem in _wrong(place, row)
    ]
    if "weight" in rows:
        lost = rows["weight"].reset_index(drop=True).notna() & table["weight"].isna()
        bad = lost & (_texts(rows["weight"].reset_index(drop=True)) != "")
        problems += [
            f'line {place + 2}: weight "{rows["weight"].iloc[place]}" is no number. Write 0.25.'
            for place in bad.index[bad]
        ]
    if problems:
        raise DataError(several("The framework", problems))
    table["kind"] = table["kind"].str.lower().replace("", "outcome")
    table["bottom_line"] = table["bottom_line"].str.lower()
    table["tags"] = [tuple(part.strip() for part in text.split(";") if part.strip()) for text in table["tags"]]
    for name in ("activity", "output"):
        table[name] = table[name].replace("", LEFT)
    return table


def _texts(column: pd.Series) -> pd.Series:
    return column.astype(object).where(column.notna(), "").astype(str).str.strip()


def _wrong(place: int, row: Mapping[Any, Any]) -> list[str]:
    found = []
    if not row["indicator"] and not row["service_outcome"]:
        found.append(
            f"line {place}: neither a service outcome nor an indicator is named. Name them, or take the line out."
        )
    for name, known in (("kind", KINDS), ("bottom_line", BOTTOM_LINES)):
        if row[name] and row[name].lower() not in known:
            found.append(f'line {place}: {name} "{row[name]}" is not known. {did_you_mean(row[name].lower(), known)}')
    if not math.isnan(row["weight"]) and row["weight"] < 0:
        found.append(f"line {place}: weight {row['weight']:g} is below 0. Write a share of 1 or of 100.")
    return found


# ---------------------------------------------------------------- outputs posing as outcomes


@functools.cache
def _counting() -> tuple[tuple[re.Pattern[str], re.Pattern[str] | None, str], ...]:
    """The words that count activity, what they must spare, and why."""
    entries = library.load("frameworks", "output_words")["word"]
    return tuple(
        (
            re.compile(entry["pattern"], re.IGNORECASE),
            re.compile(entry["unless"], re.IGNORECASE) if entry.get("unless") else None,
            entry["reason"],
        )
        for entry in entries
    )


def counts_activity(indicator: str) -> str:
    """Why an indicator seems to count what a service does rather than what changes; empty where it does not.

    Parameters
    ----------
    indicator : str
        Its words.

    Returns
    -------
    str
        The reason, from the word list on the shelf.
    """
    for pattern, unless, reason in _counting():
        if pattern.search(indicator) and not (unless and unless.search(indicator)):
            return reason
    return ""


def _poses(row: Mapping[Any, Any]) -> str:
    """Why a row is no outcome although it stands as one."""
    if row["kind"] in ("input", "output"):
        return POSES if row["service_outcome"] or row["community_outcome"] else ""
    return counts_activity(row["indicator"]) or counts_activity(row["service_outcome"])


def _posing(table: pd.DataFrame, headline: str) -> list[Flag]:
    """Each indicator that poses as an outcome; and the headline, where it rests on one."""
    posing = table[table["poses"] != ""]
    flags = []
    if len(posing):
        told = "\n".join(
            f"{row['indicator'] or row['service_outcome']}: {row['poses']}." for row in posing.to_dict("records")
        )
        count = "1 indicator counts" if len(posing) == 1 else f"{len(posing)} indicators count"
        text = f"{count} activity where an outcome is asked for."
        flags.append(
            Flag(
                "value", "note", text, f"What changes for those served, and how would it be seen?\n{told}", "framework"
            )
        )
    if headline and (posing["measure"] == headline).any():
        text = "The headline rests on what the framework itself calls an output."
        flags.append(Flag("value", "caution", text, "An output says what was done, not what changed.", headline))
    return flags


# ---------------------------------------------------------------- weights, measures, tags


def _weights(table: pd.DataFrame) -> tuple[pd.DataFrame, float | None, list[Flag]]:
    """Weight by service outcome, and whether all of them come to 1 or 100."""
    grouped = table.groupby("service_outcome", sort=False)["weight"]
    summed = grouped.agg(
        indicators="size", weight=lambda one: one.sum(min_count=1), most="max", least="min"
    ).reset_index()
    flags = []
    if summed["weight"].notna().any() and not _whole(summed["weight"].sum()):
        same = bool((summed["most"].fillna(-1) == summed["least"].fillna(-1)).all())
        if same and _whole(summed["most"].sum()):  # the outcome's weight, written on each of its lines
            summed["weight"] = summed["most"]
    weights = summed[["service_outcome", "indicators", "weight"]]
    if weights["weight"].isna().all():
        return weights, None, []
    total = float(weights["weight"].sum())
    if not _whole(total):
        text = (
            f"The weights sum to {total:g}, which is neither 1 nor 100: each counts for another share than is written."
        )
        flags.append(Flag("value", "caution", text, about="framework"))
    if weights["weight"].isna().any():
        bare = words.listed([f'"{one}"' for one in weights.loc[weights["weight"].isna(), "service_outcome"]])
        flags.append(Flag("value", "note", f"No weight is given to {bare}.", about="framework"))
    return weights, total, flags


def _whole(total: float) -> bool:
    return any(math.isclose(total, one, rel_tol=1e-6) for one in TOTALS)


def _measures(table: pd.DataFrame, known: Mapping[str, Any]) -> list[Flag]:
    """Measures that are named and of which this study has no result."""
    lost = [one for one in dict.fromkeys(table["measure"]) if one and one not in known]
    if not lost or not known:
        return []
    text = f"The framework names {words.listed(lost)}, of which this study has no estimated result."
    return [Flag("value", "note", text, about="framework")]


def _set(name: str) -> dict[str, Any]:
    """A set of headings from the shelf."""
    entry = library.load("frameworks", name)
    if "heading" not in entry:
        known = [one for one in library.catalogue().query("kind == 'frameworks'")["id"] if one != entry["id"]]
        raise StudyError(f'"{name}" on the shelf holds no headings. {did_you_mean(name, known)}')
    return entry


def _headings(name: str) -> dict[str, tuple[str, ...]]:
    """Title of each heading -> every way of naming it."""
    entry = _set(name)
    return {
        one["title"]: (one["title"], one["id"], f"{entry['id']}:{one['id']}", *one.get("also", ()))
        for one in entry["heading"]
    }


def _own(sets: Mapping[str, Sequence[str]]) -> dict[str, dict[str, tuple[str, ...]]]:
    return {name: {heading: (heading, f"{name}:{heading}") for heading in headings} for name, headings in sets.items()}


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9:]+", " ", text.lower()).replace(" :", ":").replace(": ", ":").strip()


def _coverage(table: pd.DataFrame, headings: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Which headings have an indicator, which a measured result, which neither."""
    rows = []
    for title, names in headings.items():
        wanted = {_plain(name) for name in names}
        mine = table[[any(_plain(tag) in wanted for tag in tags) for tags in table["tags"]]]
        measured = mine[mine["result"] != ""]
        standing = "measured" if len(measured) else "indicator only" if len(mine) else "none"
        rows.append([title, len(mine), len(measured), standing])
    return pd.DataFrame(rows, columns=["heading", "indicators", "measured", "standing"])


def _unknown_tags(table: pd.DataFrame, headings: Mapping[str, Mapping[str, Sequence[str]]]) -> list[Flag]:
    """Tags that no set knows, with the nearest heading."""
    if not headings:
        return []
    names = {_plain(name) for found in headings.values() for ways in found.values() for name in ways}
    titles = [title for found in headings.values() for title in found]
    lost = [tag for tag in dict.fromkeys(tag for tags in table["tags"] for tag in tags) if _plain(tag) not in names]
    told = "\n".join(f'"{tag}": {did_you_mean(tag, titles)}' for tag in lost)
    if not lost:
        return []
    many = "1 tag of the framework belongs" if len(lost) == 1 else f"{len(lost)} tags of the framework belong"
    text = f"{many} to no set of headings that is shown."
    return [Flag("value", "note", text, f"They count for no heading.\n{told}", "framework")]
