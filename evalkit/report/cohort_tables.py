"""The tables of "Who was followed": reasons, sets, the groups at the start, who started, and the mix by quarter."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from evalkit import words
from evalkit.disclosure import ProtectedCohort, rounded
from evalkit.report.blocks import Column, How, Table
from evalkit.report.common import hidden, shown
from evalkit.report.figures.love import LIMIT
from evalkit.report.figures.quarters import told
from evalkit.report.html import Cell
from evalkit.report.phrases import finite, real, said

MEANINGS = {words.SUPPRESSED: "suppressed: a count below the threshold, or one from which it could be found"}
YES = {"1", "1.0", "True", "true", "yes"}
PERIODS = 8  # a table of the mix has at most so many periods; the rest is in the figure


def reasons_table(safe: ProtectedCohort, who: str) -> Table | None:
    """Set out how the reasons for leaving overlap.

    Parameters
    ----------
    safe : ProtectedCohort
        Its reasons.
    who : str
        What the study calls the people.

    Returns
    -------
    Table or None
        None with fewer than two rules, or where nothing may be shown.
    """
    table = safe.reasons
    if table is None or len(table) < 2 or all(hidden(n) for n in (*table["failed"], *table["only"])):
        return None
    rows = [
        [Cell(_capital(said(row.says)), small="keeps out" if row.kind == "exclude" else "must be met"), *_reason(row)]
        for row in table.itertuples()
    ]
    return Table(
        "reasons",
        _reasons_finding(table),
        f"{_capital(who)} at the first step; one may fail several rules. All but the first count to the nearest 10",
        [
            Column("Rule", False),
            Column("Left at this step"),
            Column("Fail this rule"),
            Column("Fail this rule only"),
        ],
        rows,
        notes=[f"Rounded so that no small number can be worked out. Rule in force: {safe.rule}."],
        meanings=MEANINGS,
        width=34,
    )


def _reason(row: Any) -> list[str]:
    return [shown(row.left_out), *(_about(n) for n in (row.failed, row.only))]


def _about(n: object) -> str:
    return shown(n) if hidden(n) or not finite(n) else f"about {shown(n)}"


def _reasons_finding(table: pd.DataFrame) -> str:
    known = [(real(row.only), said(row.says)) for row in table.itertuples() if finite(row.only) and real(row.only) > 0]
    if not known:
        return "How the reasons for leaving overlap"
    most, says = max(known)
    return f"One rule by itself kept out about {words.number(most, 0)}: {says}"


def sets_table(safe: ProtectedCohort, names: dict[str, str]) -> Table | None:
    """Set out the analysis sets and who is lost between them.

    Parameters
    ----------
    safe : ProtectedCohort
        Its sets.
    names : dict
        Column of an arm -> what the report calls it.

    Returns
    -------
    Table or None
        None where everyone eligible is the only set.
    """
    table = safe.sets
    if table is None or len(table) < 2:
        return None
    arms = [name for name in names if name in table and table[name].notna().any()]
    rows = [
        [
            _capital(said(row["says"])),
            shown(row["people"]),
            "" if place == 0 else shown(row["lost"]),
            *(shown(row[name]) if hidden(row[name]) or finite(row[name]) else words.NOT_APPLICABLE for name in arms),
        ]
        for place, row in enumerate(table.to_dict("records"))
    ]
    return Table(
        "sets",
        _sets_finding(table),
        "People in each analysis set; the headline rests on the first, everyone referred and eligible",
        [Column("Set", False), Column("People"), Column("Not in it, of the set above"), *map(_arm(names), arms)],
        rows,
        notes=[
            "A set that depends on what happened after the index date is a choice of people, not a fair comparison."
        ],
        meanings=MEANINGS,
        width=30,
    )


def _arm(names: dict[str, str]) -> Callable[[str], Column]:
    return lambda name: Column(_capital(names[name]))


def _sets_finding(table: pd.DataFrame) -> str:
    counts = [shown(n) for n in table["people"]]
    parts = [f'{n} in "{said(name)}"' for n, name in zip(counts[1:], table["set"].iloc[1:], strict=True)]
    return f"Of {counts[0]} eligible, {words.listed(parts)}"


def comparison_table(
    table: pd.DataFrame, sides: Sequence[tuple[str, str, str]], label: Callable[[str], str], safe: ProtectedCohort
) -> Table:
    """Set two groups side by side, characteristic by characteristic.

    Parameters
    ----------
    table : DataFrame
        A protected comparison.
    sides : sequence of (column, name, count)
        The two groups: their columns' prefix, their name, how many they are.
    label : callable
        From a column's name to its title.
    safe : ProtectedCohort
        For the rule in force.

    Returns
    -------
    Table
        Missing values, means or shares, and the standardised difference.
    """
    keys = tuple(side for side, *_ in sides)
    columns = [Column("Characteristic", False)]
    for _, name, count in sides:
        group = _capital(f"{name} ({count})" if count and count != words.SUPPRESSED else name)
        columns += [Column("Mean (SD) or share", group=group), Column("Missing", group=group)]
    columns.append(Column("Difference, SD"))
    rows, before = [], ""
    for row in _records(_without_no(table)):
        first = row["column"] != before
        before = row["column"]
        cells = [part for key in keys for part in (_value(row, key), _missing(row, key) if first else "")]
        difference = words.number(real(row["difference"]), 2, sign=True) if finite(row["difference"]) else None
        far = finite(row["difference"]) and abs(round(real(row["difference"]), 2)) > LIMIT
        text = words.SUPPRESSED if hidden(row["difference"]) else difference or words.NOT_AVAILABLE
        rows.append([_heading(row, label), *cells, Cell(text, bold=far)])
    return Table("", "", "", columns, rows, notes=_comparison_notes(table, keys, safe), meanings=MEANINGS, width=48)


def together(table: pd.DataFrame, more: pd.DataFrame | None) -> pd.DataFrame:
    """Two protected comparisons of the same groups, one under the other.

    Parameters
    ----------
    table : DataFrame
        The first.
    more : DataFrame or None
        The second, if there is one.

    Returns
    -------
    DataFrame
        With what the first says of how it was made.
    """
    if more is None:
        return table
    both = pd.concat([table.astype(object), more.astype(object)], ignore_index=True)
    both.attrs = dict(table.attrs)
    return both


def _heading(row: dict[str, Any], label: Callable[[str], str]) -> str:
    answer = said(row["value"])
    return label(row["column"]) if not answer or answer in YES else f"{label(row['column'])}: {answer}"


def _without_no(table: pd.DataFrame) -> pd.DataFrame:
    """Of two answers, yes and another, only yes is printed: the other is the rest."""
    answers: dict[str, set[str]] = {}
    for row in _records(table):
        answers.setdefault(row["column"], set()).add(said(row["value"]))
    plain = {column for column, values in answers.items() if len(values) == 2 and values & YES}
    keep = [row.column not in plain or said(row.value) in YES for row in table.itertuples()]
    return table[keep]


def _value(row: dict[str, Any], side: str) -> str:
    value, step = row[side], row[f"{side}_step"]
    if hidden(value) or not finite(value):
        return words.SUPPRESSED if hidden(value) else words.NOT_AVAILABLE
    if row["kind"] == "mean":
        digits = 0 if abs(real(value)) >= 1000 else 1
        return f"{words.number(real(value), digits)} ({words.number(real(row[f'{side}_sd']), digits)})"
    return words.percent(rounded(value, step), 1 if math.isnan(step) else 0)


def _missing(row: dict[str, Any], side: str) -> str:
    return "none" if row[f"{side}_missing"] == 0 else shown(row[f"{side}_missing"])


def _comparison_notes(table: pd.DataFrame, sides: Sequence[str], safe: ProtectedCohort) -> list[str]:
    divided = said(table.attrs.get("denominator"))
    notes = [f"Difference: first group less second, divided by the {divided}."] if divided else []
    notes.append("Bold: more than 0.1 SD apart.")
    if any(finite(step) for side in sides for step in table[f"{side}_step"]):
        notes.append(
            "Where few values are missing, shares are rounded, and the difference is that of the rounded ones."
        )
    return [" ".join(notes), f"Shares are of people whose value is known. Rule in force: {safe.rule}."]


def how_alike(table: pd.DataFrame) -> tuple[int, str]:
    """On how many characteristics two groups differ by more than 0.1 SD, and of how many, in words.

    Parameters
    ----------
    table : DataFrame
        A protected comparison.

    Returns
    -------
    tuple of (int, str)
        A characteristic of several answers counts once: (2, "5 characteristics that can be shown"); no words where
        none can be shown.
    """
    known = table[[finite(value) for value in table["difference"]]]
    largest = known["difference"].map(lambda value: abs(round(real(value), 2))).groupby(known["column"]).max()
    word = "characteristic" if len(largest) == 1 else "characteristics"
    tail = " that can be shown" if len(largest) < table["column"].nunique() else ""
    return int((largest > LIMIT).sum()), f"{len(largest)} {word}{tail}" if len(largest) else ""


def mix_table(safe: ProtectedCohort, series: str, title: str) -> Table | None:
    """Set out the mix of referrals by period for one column.

    Parameters
    ----------
    safe : ProtectedCohort
        Its drift.
    series : str
        The column.
    title : str
        What the study calls it.

    Returns
    -------
    Table or None
        Shares by answer; the latest periods where there are many.
    """
    if safe.drift is None:
        return None
    table = safe.drift[safe.drift["series"] == series]
    periods = list(dict.fromkeys(table["period"]))[-PERIODS:]
    answers = sorted(dict.fromkeys(table["value"]))
    cells = table.set_index(["value", "period"])["share"].to_dict()
    rows = [[answer, *(_share(cells.get((answer, period))) for period in periods)] for answer in answers]
    if all(text in (words.SUPPRESSED, words.NOT_AVAILABLE) for row in rows for text in row[1:]):
        return None
    return Table(
        f"mix-{series}",
        _mix_finding(title, rows, periods),
        f"{title}, share of those referred in the period",
        [Column(title, False), *(Column(_short(period)) for period in periods)],
        rows,
        meanings=MEANINGS,
        dense=True,
        width=8 + 5 * len(periods),
    )


def _short(period: str) -> str:
    return period.replace("-", " ")


def _mix_finding(title: str, rows: list[list[str]], periods: Sequence[str]) -> str:
    changes = [(abs(_number(row[-1]) - _number(row[1])), row) for row in rows if _known(row[1]) and _known(row[-1])]
    if len(changes) * 2 <= len(rows) or len(periods) < 2:
        return f"Who was referred, by {title[:1].lower()}{title[1:]}"
    size, row = max(changes, key=lambda change: change[0])
    if size < 5:
        return f"The mix by {title[:1].lower()}{title[1:]} is much the same at the end as at the start"
    return f"{row[0]}: {row[1]} of referrals in {told(periods[0])}, {row[-1]} in {told(periods[-1])}"


def _known(text: str) -> bool:
    return text.endswith("%")


def _number(text: str) -> float:
    return float(text.rstrip("%"))


def _share(value: object) -> str:
    if hidden(value):
        return words.SUPPRESSED
    return words.percent(real(value), 0) if finite(value) else words.NOT_AVAILABLE


def drift_numbers(safe: ProtectedCohort) -> How | None:
    """The numbers behind the drift figure, for its drawer."""
    if safe.drift is None:
        return None
    heads = [("referred", "Referred"), ("eligible", "Eligible"), ("starts", "Started"), ("planned", "Planned starts")]
    there = [(name, head) for name, head in heads if name in set(safe.drift["series"])]
    cells = safe.drift.drop_duplicates(["period", "series"]).set_index(["period", "series"])["people"].to_dict()
    periods = list(dict.fromkeys(safe.drift["period"]))
    rows = [[_capital(told(period)), *(shown(cells.get((period, name))) for name, _ in there)] for period in periods]
    table = Table(
        "drift-numbers",
        "Referrals and starts by period",
        "",
        [Column("Period", False), *(Column(h) for _, h in there)],
        rows,
    )
    return How(table=table, summary="Numbers")


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
