"""Two groups compared on characteristics: counts of answers, values that are missing, and the shares and means on them.

A share of a known number is a count. So the counts behind shares are judged, and where few values are missing (and so
the number of known ones is hidden) the share is written coarsely: a fine one would give that number away.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from evalkit import words
from evalkit.disclosure.complement import Cell
from evalkit.disclosure.ledger import Counts, Ledger

Groups = Sequence[tuple[str, str]]
NOT_KNOWN = "not known"
STEPS = (0.01, 0.05)  # to what a share is rounded whose number must not follow from it
# The other counts of a characteristic; tuples, so that no answer can have their names.
KNOWN, MISSING, ALL, OTHER = ("known",), ("missing",), ("all",), ("other answers",)
WIDTH = 2  # so many whole numbers of people must at least fit such a rounded share


@dataclass(frozen=True)
class Sides:
    """The two groups of a comparison: the prefixes of their columns, and the cells that count all of each."""

    names: tuple[str, str]
    totals: tuple[Cell | None, Cell | None]


def enter_comparison(
    ledger: Ledger, table: pd.DataFrame, label: str, sides: Sides, same: Sequence[Groups] = ()
) -> pd.DataFrame:
    """Enter a comparison of two groups in a ledger.

    Parameters
    ----------
    ledger : Ledger
        Holding the cells that count all of each group.
    table : DataFrame
        As `evalkit.cohort.baseline.compare` gives it: column, value, kind ("mean" or "share"), difference, and for
        each side s: s_n (with a value; for a share, with that answer), s_missing, s (mean, or share of those whose
        answer is known), s_sd. Rows of the value "not known" say what s_missing says, and are left out.
    label : str
        The table's own word in the ledger: its cells are ((label, column, value), side).
    sides : Sides
        The two groups.
    same : sequence of list of (label, side)
        Groups of earlier comparisons that may together be the same people as these two: answer by answer, the sums
        are then equal.

    Returns
    -------
    DataFrame
        The same with "[c]" in hidden cells; s_n is whose value is known, in every row; s_step says to what the shares
        of a side are rounded (NaN: not).
    """
    table, counts = _plain(table, sides.names), Counts()
    for column, rows in table.groupby("column", sort=False):
        for side, total in zip(sides.names, sides.totals, strict=True):
            _enter_column(counts, ledger, (label, str(column)), rows, (side, total))
    for wholes in same:
        _link(counts, ledger, wholes, [(label, side) for side in sides.names])
    hidden = ledger.add(counts) | _coarse(counts, ledger.rule.below)
    records: list[dict[str, Any]] = table.astype(object).to_dict("records")  # type: ignore[assignment]
    lines = [_line(row, label, sides.names, hidden, ledger) for row in records]
    steps = [f"{side}_step" for side in sides.names]
    shown = pd.DataFrame(lines, columns=list(dict.fromkeys([*table.columns, *steps])))
    shown.attrs = dict(table.attrs)
    return shown


def _plain(table: pd.DataFrame, sides: Sequence[str]) -> pd.DataFrame:
    """The comparison with the number of known values in every row, and without the rows of those not known."""
    plain = table[table["value"].astype(object) != NOT_KNOWN].reset_index(drop=True)
    plain["value"] = plain["value"].astype(object).where(plain["value"].notna(), "").astype(str)
    share = plain["kind"] == "share"
    for side in sides:
        known, missing = f"{side}_n", f"{side}_missing"
        everyone = how_many(table, side)
        plain[known] = plain[known].where(~share, everyone - plain[missing]).astype("Int64")
    return plain


def how_many(table: pd.DataFrame, side: str) -> int:
    """How many people a side of a comparison has.

    Parameters
    ----------
    table : DataFrame
        As it was made: its ``attrs["people"]``, else with and without a value, else one answer by its share.
    side : str
        The prefix of its columns.

    Returns
    -------
    int
        0 where nothing tells.
    """
    if side in table.attrs.get("people", {}):
        return int(table.attrs["people"][side])
    for row in table.to_dict("records"):
        known = row[f"{side}_n"] if row["kind"] == "mean" else row[f"{side}_n"] / row[side] if row[side] else math.nan
        if not pd.isna(known):
            return round(known) + int(row[f"{side}_missing"])
    return 0


def _link(counts: Counts, ledger: Ledger, wholes: Groups, parts: Groups) -> None:
    """Answer by answer, the sums of two comparisons, where these are of the same people."""
    values = ledger.values | counts.values
    label, side = parts[0]
    for row in [row for row, name in counts.values if isinstance(row, tuple) and (row[0], name) == (label, side)]:
        sums: list[list[Cell]] = [[((table, *row[1:]), name) for table, name in groups] for groups in (wholes, parts)]
        people = [
            sum(values.get(((table, row[1], key), name), -1) for table, name in groups for key in (KNOWN, MISSING))
            for groups in (wholes, parts)
        ]
        size = sum(values.get(cell, 0) for cell in sums[0])
        if people[0] != people[1] or not size or not all(cell in values for cells in sums for cell in cells):
            continue
        both: Cell = (("both", len(wholes), *row), side)
        counts.values[both] = size
        counts.unseen.add(both)
        counts.sums.extend((both, cells) for cells in sums)


def _enter_column(
    counts: Counts, ledger: Ledger, place: tuple[str, str], rows: pd.DataFrame, who: tuple[str, Cell | None]
) -> None:
    """One characteristic of one group: all = known + missing; known = its answers (and others not listed)."""
    side, total = who
    first = rows.iloc[0]
    known, missing = _whole(first[f"{side}_n"]), _whole(first[f"{side}_missing"])
    answers = rows[rows["kind"] == "share"]
    cells: list[Cell] = [((*place, str(value)), side) for value in answers["value"]]
    n: Cell = ((*place, KNOWN), side)
    gone: Cell = ((*place, MISSING), side)
    everyone: Cell = ((*place, ALL), side)
    if total is None or ledger.values.get(total) != known + missing:
        counts.printed(everyone, known + missing)  # known from the two, wherever it is printed
        total = everyone
    counts.printed(n, known)
    counts.printed(gone, missing)
    counts.quiet.add(gone)
    counts.sums.append((total, [n, gone]))
    for cell, share in zip(cells, answers[side], strict=True):
        counts.printed(cell, _count(share, known))
    if cells:
        counts.split(n, cells, ((*place, OTHER), side), {})
    if 0 < missing < ledger.rule.below:  # then neither stands in the table, and shares are too coarse for counts
        counts.unseen.update({n, gone, *cells})


def _coarse(counts: Counts, below: int) -> set[Cell]:
    """What is not printed where few values are missing: their number, and answers of few people with a cover."""
    gone = {cell for cell in counts.unseen if _key(cell) in (KNOWN, MISSING)}
    groups: dict[tuple[object, str], list[Cell]] = {}
    for cell in counts.unseen:
        if isinstance(_key(cell), str):
            groups.setdefault((cell[0][:-1], cell[1]), []).append(cell)  # type: ignore[index]
    for cells in groups.values():
        ordered = sorted(cells, key=lambda cell: (counts.values[cell], str(cell)))
        few = [cell for cell in ordered if counts.values[cell] < below]
        while few and len(few) < len(ordered) and (len(few) < 2 or sum(counts.values[c] for c in few) < below):
            few = ordered[: len(few) + 1]
        gone.update(few)
    return gone


def _key(cell: Cell) -> object:
    row = cell[0]
    return row[-1] if isinstance(row, tuple) else None


def _line(row: dict[str, Any], label: str, sides: tuple[str, str], hidden: set[Cell], ledger: Ledger) -> dict[str, Any]:
    """One row as it may be printed."""
    place, out = (label, str(row["column"])), dict(row)
    for side in sides:
        known, missing = _whole(row[f"{side}_n"]), _whole(row[f"{side}_missing"])
        secret_n = ((*place, KNOWN), side) in hidden
        step = _step(known) if secret_n or ledger.rule.nearest > 1 else math.nan
        gone = known < ledger.rule.below
        if row["kind"] == "share":
            gone = gone or step is None or ((*place, str(row["value"])), side) in hidden
        out[f"{side}_n"] = words.SUPPRESSED if secret_n else ledger.rule.shown(known)
        few = ((*place, MISSING), side) in hidden
        out[f"{side}_missing"] = 0 if missing == 0 else words.SUPPRESSED if few else ledger.rule.shown(missing)
        out |= {name: words.SUPPRESSED for name in (side, f"{side}_sd") if gone}
        out[f"{side}_step"] = math.nan if row["kind"] == "mean" or step is None else step
    out["difference"] = _difference(out, sides)
    return out


def _difference(row: Mapping[str, Any], sides: tuple[str, str]) -> object:
    """The difference as it may be printed: from the rounded shares where they are rounded, hidden where one is."""
    values = [row[side] for side in sides]
    if words.SUPPRESSED in values:
        return words.SUPPRESSED
    steps = [float(row[f"{side}_step"]) for side in sides]
    if all(math.isnan(step) for step in steps) or any(pd.isna(value) for value in values):
        return row["difference"]
    if max(step for step in steps if not math.isnan(step)) > STEPS[0]:
        return words.SUPPRESSED  # from shares rounded so far the difference would be wrong
    first, second = (rounded(value, step) for value, step in zip(values, steps, strict=True))
    spread = math.sqrt((first * (1 - first) + second * (1 - second)) / 2)
    return (first - second) / spread if spread > 0 else words.SUPPRESSED


def rounded(share: Any, step: float) -> float:
    """A share as it is printed.

    Parameters
    ----------
    share : float
        The exact one.
    step : float
        To what it is rounded; NaN leaves it as it is.

    Returns
    -------
    float
        The nearest multiple of the step.
    """
    exact = float(share)
    return exact if math.isnan(step) else math.floor(exact / step + 0.5) * step


def _step(known: int) -> float | None:
    """The finest rounding of a share of so many people that fits several numbers of people; None: none does."""
    return next((step for step in STEPS if step * known >= WIDTH), None)


def _whole(value: Any) -> int:
    return 0 if value is None or pd.isna(value) else int(value)


def _count(share: Any, known: int) -> int:
    return 0 if share is None or pd.isna(share) else round(float(share) * known)
