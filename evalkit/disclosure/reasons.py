"""How the reasons for leaving overlap: rounded, so that nothing exact follows from them and the flow together."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from evalkit import words
from evalkit.disclosure.complement import Cell
from evalkit.disclosure.ledger import Counts, Ledger
from evalkit.disclosure.rules import Rule

RULES = ("include", "exclude")
ROUNDED = 10  # counts of reasons are rounded to the nearest multiple
ROOM = 5  # a small count that follows from rounded ones must be able to take at least so many values


def enter_reasons(ledger: Ledger, flow: pd.DataFrame, shown: pd.DataFrame) -> pd.DataFrame | None:
    """Enter how many fail each rule, and how many fail only that rule, in a ledger.

    Parameters
    ----------
    ledger : Ledger
        Holding the flow.
    flow : DataFrame
        With failed and only: people who fail the rule whatever the order, and those who fail no other.
    shown : DataFrame
        The flow as it is printed.

    Returns
    -------
    DataFrame or None
        kind, says, left_out (as the flow prints it), failed, only: rounded, "[c]" where hidden. None without counts.

    Notes
    -----
    Where the flow hides how many left at a rule, nothing is printed for that rule. Elsewhere the counts are hidden as
    if they were printed exactly, as far as they equal counts of the flow (all who fail the first rule leave at it;
    all who leave at the last fail only that), and then rounded. What else could be had by subtraction (people who
    left at a rule and fail a later one, people who fail a rule and left before it) keeps some room by the rounding.
    """
    if "failed" not in flow or "only" not in flow or flow["failed"].isna().all():
        return None
    rows = [int(row) for row in flow.index[flow["failed"].notna() & flow["kind"].isin(RULES)]]
    if not rows:
        return None
    hidden = ledger.add(_counts(ledger, flow, rows)) | _by_room(flow, rows, ledger.rule)
    hidden |= {(row, name) for row in rows for name in ("failed", "only") if _secret(flow, shown, row)}
    rule = coarse(ledger.rule)
    table = shown.loc[rows, ["kind", "says", "left_out"]].copy()
    for name in ("failed", "only"):
        exact = {row: rule.shown(_n(flow, row, name)) for row in rows}
        cells = [words.SUPPRESSED if (row, name) in hidden else exact[row] for row in rows]
        table[name] = pd.Series(cells, index=rows, dtype=object)
    return table.reset_index(drop=True)


def coarse(rule: Rule) -> Rule:
    """The rule with which reasons are printed.

    Parameters
    ----------
    rule : Rule
        The rule in force.

    Returns
    -------
    Rule
        The same; one that does not round rounds to 10.
    """
    return replace(rule, nearest=ROUNDED) if rule.nearest == 1 else rule


def _counts(ledger: Ledger, flow: pd.DataFrame, rows: list[int]) -> Counts:
    """The counts that equal one of the flow: those who fail the first rule, those who fail only the last."""
    counts = Counts()
    for row in rows:
        for name in ("failed", "only"):
            counts.printed((row, name), _n(flow, row, name))
    for row, name in ((rows[0], "failed"), (rows[-1], "only")):
        left: Cell = (row, "left_out")
        if ledger.values.get(left) == counts.values[(row, name)]:
            counts.sums.append((left, [(row, name)]))
    return counts


def _secret(flow: pd.DataFrame, shown: pd.DataFrame, row: int) -> bool:
    """Whether the flow hides how many left; that nobody left is told, and hides nothing."""
    return shown.at[row, "left_out"] == words.SUPPRESSED and _n(flow, row, "left_out") > 0


def _by_room(flow: pd.DataFrame, rows: list[int], rule: Rule) -> set[Cell]:
    """Counts that, though rounded, would leave a small difference to the flow too little room."""
    if rule.nearest > 1:
        return set()
    found: set[Cell] = set()
    for row in rows:
        left, failed, only = (_n(flow, row, name) for name in ("left_out", "failed", "only"))
        low, high = _bounds(only, rule)
        later = left - only, min(left, left - low) - max(0, left - high)
        if flow["failed"].iloc[row + 1 :].fillna(0).any() and _tight(later, rule):
            found.add((row, "only"))
        low, high = _bounds(failed, rule)
        before = failed - left, high - left - max(0, low - left)
        if row != rows[0] and _tight(before, rule):
            found.add((row, "failed"))
    return found


def _bounds(n: int, rule: Rule) -> tuple[int, int]:
    """Between what a printed count lies."""
    if n < rule.below:
        return 0, rule.below - 1
    middle = int(coarse(rule).shown(n))
    return max(middle - ROUNDED // 2, rule.below), middle + ROUNDED - ROUNDED // 2 - 1


def _tight(difference: tuple[int, int], rule: Rule) -> bool:
    """Whether a count is small and its least and greatest possible values too close together."""
    value, room = difference
    return 0 <= value < rule.below and room + 1 < ROOM


def _n(flow: pd.DataFrame, row: int, name: str) -> int:
    return int(flow[name].iloc[row])
