"""Counts by quarter: joined to half-years or years where quarters hold few people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from evalkit import words
from evalkit.disclosure.complement import Cell
from evalkit.disclosure.ledger import Counts, Ledger

Others = dict[tuple[str, str], list[str]]
ALL_OTHERS = "all others"
MOST_ANSWERS = 6  # of a column, "all others" being one of them
SIZES = (1, 2, 4)  # quarters in a period
MOST_HIDDEN = 0.25  # a longer period is taken where more than this share of the main counts would be hidden
MAIN = ("referred", "eligible", "starts")
PLANNED = "planned"
# Counts that are not printed; tuples, so that no answer can have their names.
ASKED, NO_ANSWER, NOT, ALL, UNDATED, ELSEWHERE = (
    (word,) for word in ("asked", "no answer", "not", "all", "undated", "elsewhere")
)


@dataclass(frozen=True)
class Anchors:
    """Cells of earlier tables that the quarters add up to.

    Parameters
    ----------
    wholes : dict of str to list of Cell
        Series -> cells it may add up to (or be a part of): the first that is large enough and nearest.
    answers : list of (label, side)
        Comparisons whose groups hold the same answers.
    within : (label, series), optional
        The series of an earlier table of quarters of which all series together are a part.
    holding : (label, series, whole), optional
        The series of an earlier table of quarters that is part of one of these.
    """

    wholes: Mapping[str, Sequence[Cell]]
    answers: Sequence[tuple[str, str]] = ()
    within: tuple[str, str] | None = None
    holding: tuple[str, str, str] | None = None


def enter_quarters(
    ledger: Ledger, drift: pd.DataFrame, anchors: Anchors, label: str = "drift", sizes: Sequence[int] = SIZES
) -> pd.DataFrame:
    """Enter counts by quarter in a ledger.

    Parameters
    ----------
    ledger : Ledger
        Holding the cells the quarters add up to.
    drift : DataFrame
        quarter ("2019-Q1"), series, value, people, of, share.
    anchors : Anchors
        What the series add up to.
    label : str
        The table's own word in the ledger.
    sizes : sequence of int
        How many quarters a period may have, shortest first.

    Returns
    -------
    DataFrame
        period, series, value, people, of, share, with "[c]" in hidden cells; ``attrs["quarters"]``, how many quarters
        a period has: the fewest with which at most a quarter of the main counts is hidden.
    """
    drift, others = pooled(drift)
    for size in sizes:
        trial = ledger.copy()
        table = coarsened(drift, size)
        is_mix = table["value"] != ""
        # How many were referred and let in matters more than what they answered: it comes first, and stays.
        hidden = trial.add(_counts(trial, table[~is_mix], anchors, label, others))
        if is_mix.any():
            hidden |= trial.add(_counts(trial, table[is_mix], anchors, label, others, table[~is_mix]))
        if size == sizes[-1] or _share_hidden(table, hidden, label) <= MOST_HIDDEN:
            break
    ledger.values, ledger.small, ledger.dark, ledger.sums = trial.values, trial.small, trial.dark, trial.sums
    return _written(table, hidden, label, ledger, size)


def pooled(drift: pd.DataFrame) -> tuple[pd.DataFrame, Others]:
    """Put the rarer answers of a column together where there are many: few of them could be shown by themselves.

    Parameters
    ----------
    drift : DataFrame
        By quarter.

    Returns
    -------
    table : DataFrame
        The same with at most six answers per column, the last being "all others".
    others : dict
        By column and "all others", the answers in it.
    """
    table, others = drift.copy(), Others()
    table["value"] = table["value"].astype(object)
    for name in table.loc[table["value"].notna() & (table["value"] != ""), "series"].unique():
        here = table["series"] == name
        totals = pd.to_numeric(table.loc[here, "people"]).groupby(table.loc[here, "value"]).sum()
        rare = totals.sort_values(ascending=False, kind="stable").index[MOST_ANSWERS - 1 :]
        if len(totals) > MOST_ANSWERS:
            others[str(name), ALL_OTHERS] = [str(value) for value in rare]
            table.loc[here & table["value"].isin(rare), "value"] = ALL_OTHERS
    keys = ["quarter", "series", "value"]
    if others:
        added = table.groupby(keys, sort=False, dropna=False).agg({"people": "sum", "of": "first"}).reset_index()
        table = added.assign(share=pd.to_numeric(added["people"]) / pd.to_numeric(added["of"]))
    return table, others


def coarsened(drift: pd.DataFrame, size: int) -> pd.DataFrame:
    """Join quarters to longer periods.

    Parameters
    ----------
    drift : DataFrame
        By quarter.
    size : int
        1, 2 or 4 quarters.

    Returns
    -------
    DataFrame
        The same with period ("2019-Q1", "2019-H1" or "2019") in place of quarter; counts added, shares made anew.
    """
    year, quarter = drift["quarter"].str.slice(0, 4), drift["quarter"].str.slice(6, 7).astype(int)
    half = year + "-H" + ((quarter + 1) // 2).astype(str)
    table = drift.assign(period={1: drift["quarter"], 2: half, 4: year}[size])
    for name in ("people", "of"):
        table[name] = pd.to_numeric(table[name], errors="coerce").astype(float)
    table["value"] = table["value"].fillna("").astype(str)
    asked = table.drop_duplicates(["quarter", "series"]).groupby(["period", "series"])["of"].sum(min_count=1)
    added = table.groupby(["period", "series", "value"], sort=False)[["people"]].sum(min_count=1).reset_index()
    added = _every_answer(added)
    added["of"] = [asked[(row.period, row.series)] for row in _rows(added)]
    added["share"] = added["people"] / added["of"]
    return added.sort_values("period", kind="stable").reset_index(drop=True)


def _every_answer(table: pd.DataFrame) -> pd.DataFrame:
    """A row for every answer in every period: that one is not listed would say that nobody gave it."""
    answers = table.loc[table["value"] != "", ["series", "value"]].drop_duplicates()
    there = table.loc[table["series"].isin(answers["series"]), ["period", "series"]].drop_duplicates()
    return table.merge(there.merge(answers, on="series"), how="outer", sort=False).fillna({"people": 0.0})


def _counts(
    ledger: Ledger,
    table: pd.DataFrame,
    anchors: Anchors,
    label: str,
    others: Others,
    entered: pd.DataFrame | None = None,
) -> Counts:
    """Every cell; within a period answers add up to those asked; over the periods all add up to earlier tables."""
    counts = Counts()
    rows: list[Any] = [row for row in _rows(table) if row.series != PLANNED and pd.notna(row.people)]
    for row in rows:
        counts.printed(_cell(label, row), float(row.people))
    earlier: list[Any] = (
        [] if entered is None else [row for row in _rows(entered) if _cell(label, row) in ledger.values]
    )
    for period in table["period"].unique():
        here = [row for row in rows if row.period == period]
        before = [row for row in earlier if row.period == period]
        _enter_period(counts, label, str(period), [*before, *here], ledger.values)
        _enter_beside(counts, ledger, anchors, (label, str(period)), [_cell(label, row) for row in here])
    series = dict.fromkeys((str(row.series), str(row.value)) for row in rows)
    for name, value in series:
        parts = [_cell(label, row) for row in rows if (row.series, row.value) == (name, value)]
        answers = others.get((name, value), [value])
        _enter_whole(counts, ledger, parts, (label, name, value), (anchors, answers))
    return counts


def _enter_period(counts: Counts, label: str, period: str, rows: list[Any], known: Mapping[Cell, float]) -> None:
    """Referred = eligible and not; eligible = starts and not; each column's answers are of those asked."""
    cells: dict[str, list[Cell]] = {}
    asked: dict[str, float] = {}
    for row in rows:
        cells.setdefault(row.series, []).append(_cell(label, row))
        asked[row.series] = float(row.of)
    for whole, part in (("referred", "eligible"), ("eligible", "starts")):
        if whole in cells and part in cells and cells[part][0] in counts.values:
            counts.split(cells[whole][0], cells[part], ((label, period, NOT), part), {})
    for name, parts in cells.items():
        if name in MAIN:
            continue
        values = {**known, **counts.values}
        same = [whole for whole in MAIN if whole in cells and values[cells[whole][0]] == asked[name]]
        if same:
            counts.split(cells[same[0]][0], parts, ((label, period, NO_ANSWER), name), known)
        elif pd.notna(asked[name]):
            base: Cell = ((label, period, ASKED), name)
            counts.printed(base, asked[name])
            counts.split(base, parts, ((label, period, NO_ANSWER), name), {})


def _enter_beside(counts: Counts, ledger: Ledger, anchors: Anchors, place: tuple[str, str], cells: list[Cell]) -> None:
    """One period of an earlier table: all of these are part of one count there, and one of these holds another."""
    label, period = place
    if anchors.within is not None:
        whole = _earlier(counts, ledger, anchors.within, place)
        if whole is not None:
            counts.split(whole, cells, ((label, period, ELSEWHERE), anchors.within[1]), ledger.values)
    if anchors.holding is not None:
        part = _earlier(counts, ledger, anchors.holding[:2], place)
        here: Cell = ((label, period, ""), anchors.holding[2])
        if part is not None and here in counts.values:
            counts.split(here, [part], ((label, period, NOT), anchors.holding[1]), ledger.values)


def _earlier(counts: Counts, ledger: Ledger, series: tuple[str, str], place: tuple[str, str]) -> Cell | None:
    """The count of an earlier table for a period, added up where its periods are shorter."""
    label, period = place
    there = [
        (row, name)
        for row, name in ledger.values
        if isinstance(row, tuple)
        and row[0] == series[0]
        and row[-1] == ""
        and isinstance(row[1], str)
        and name == series[1]
    ]
    inside: list[Cell] = [cell for cell in there if covers(period, cell[0][1])]
    if len(inside) < 2:
        return inside[0] if inside else None
    added: Cell = ((label, period, ALL), series[1])
    counts.values[added] = sum(ledger.values[cell] for cell in inside)
    counts.unseen.add(added)
    counts.sums.append((added, inside))
    return added


def covers(longer: str, period: str) -> bool:
    """Whether a period lies in another of the same length or longer.

    Parameters
    ----------
    longer, period : str
        "2019", "2019-H1", "2019-Q2".

    Returns
    -------
    bool
        True for "2019-H1" and "2019-Q2".
    """
    year, _, part = longer.partition("-")
    if longer == period or not period.startswith(f"{year}-"):
        return longer == period
    quarter = period[5:]
    return not part or (part[0] == "H" and quarter[0] == "Q" and (int(quarter[1]) + 1) // 2 == int(part[1]))


def _enter_whole(
    counts: Counts,
    ledger: Ledger,
    parts: list[Cell],
    series: tuple[str, str, str],
    beside: tuple[Anchors, list[str]],
) -> None:
    """A series over all periods, and the earlier cells it is, or is part of; with it the answers that it stands for."""
    label, name, value = series
    anchors, answers = beside
    whole: Cell = ((label, ALL, value), name)
    total = sum(counts.values[part] for part in parts)
    counts.values[whole] = total
    counts.unseen.add(whole)
    counts.sums.append((whole, parts))
    known = {cell: ledger.values[cell] for cell in anchors.wholes.get(name, ()) if cell in ledger.values}
    near = sorted((n, str(cell), cell) for cell, n in known.items() if n >= total)
    if near:
        counts.split(near[0][2], [whole], ((label, UNDATED, value), name), known)
    elsewhere: list[Cell] = [((table, name, answer), side) for answer in answers for table, side in anchors.answers]
    if len(answers) > 1:
        elsewhere = [cell for cell in elsewhere if cell in ledger.values]
    if elsewhere and all(cell in ledger.values for cell in elsewhere):
        counts.split(whole, elsewhere, ((label, ELSEWHERE, value), name), ledger.values)


def _rows(table: pd.DataFrame) -> list[Any]:
    return list(table.itertuples())


def _cell(label: str, row: Any) -> Cell:
    return (label, row.period, row.value), str(row.series)


def _share_hidden(table: pd.DataFrame, hidden: set[Cell], label: str) -> float:
    cells = [_cell(label, row) for row in table.itertuples() if row.series != PLANNED and row.value == ""]
    return sum(cell in hidden for cell in cells) / max(len(cells), 1)


def _written(table: pd.DataFrame, hidden: set[Cell], label: str, ledger: Ledger, size: int) -> pd.DataFrame:
    """The counts as they may be printed; a share rests on both of its counts."""
    out = table.astype(object)
    for row in _rows(table):
        if row.series == PLANNED:
            continue
        base = _base(table, row, label)
        secret = pd.isna(row.people) or _cell(label, row) in hidden
        of = None if base is None else words.SUPPRESSED if base in hidden else ledger.rule.shown(int(row.of))
        out.at[row.Index, "people"] = words.SUPPRESSED if secret else ledger.rule.shown(int(row.people))
        out.at[row.Index, "of"] = of
        whole_hidden = of == words.SUPPRESSED
        out.at[row.Index, "share"] = words.SUPPRESSED if secret or whole_hidden else None if of is None else row.share
    out.attrs["quarters"] = size
    return out


def _base(table: pd.DataFrame, row: Any, label: str) -> Cell | None:
    """The count that a count is a share of: a main one of the same period, or those asked; None for other shares."""
    here = table[(table["period"] == row.period) & table["series"].isin(MAIN)]
    earlier = MAIN[: MAIN.index(row.series)] if row.series in MAIN else MAIN
    same = here[(here["people"] == row.of) & here["series"].isin(earlier)]
    if len(same):
        return _cell(label, next(same.itertuples()))
    asked = row.series not in MAIN and pd.notna(row.of) and row.value != ""
    return ((label, row.period, ASKED), str(row.series)) if asked else None
