"""The flow of a cohort: each step's people are the last step's less those who left."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from evalkit.disclosure.complement import Cell
from evalkit.disclosure.ledger import Counts, Ledger
from evalkit.disclosure.rules import find_rule
from evalkit.disclosure.tables import Protected, check_counts, numbers, written

ARMS = ("treated", "comparison")
WORDS = ("step", "kind", "says", "rule", "set", "people", "left_out", "unknown", "failed", "only")


def protect_flow(flow: pd.DataFrame, rule: str = "uk-children-10") -> Protected:
    """Protect the flow of a cohort, where each step's people are the last step's less those who left.

    Parameters
    ----------
    flow : DataFrame
        Columns people, left_out, unknown and, where there are arms or groups, treated, comparison and one further
        column of whole numbers for each group; one row per step.
    rule : str
        The rule set in force.

    Returns
    -------
    Protected
        Steps are joined (their people hidden) until nobody can find by subtraction a step at which 1 to 9 left, in
        all, from one arm or group, or from none of them. Where nobody left, the count is hidden as the rule asks but
        the people before and after stay: that everyone remaining meets every rule is no news about anyone. Columns
        ``failed`` and ``only`` do not leave by this door (see `protect_cohort`).

    Raises
    ------
    DisclosureError
        A column is not a column of counts.
    """
    return enter_flow(Ledger(find_rule(rule)), flow.reset_index(drop=True))


def enter_flow(ledger: Ledger, table: pd.DataFrame, last: int | None = None) -> Protected:
    """Enter a flow, and the sets beneath it, in a ledger.

    Parameters
    ----------
    ledger : Ledger
        Its cells are (row, column) for every count of the table.
    table : DataFrame
        Rows numbered from 0; rows after ``last`` are analysis sets.
    last : int, optional
        The row of the flow's end; default: the last row.

    Returns
    -------
    Protected
        The table as it may be printed.
    """
    table = table.drop(columns=[name for name in ("failed", "only") if name in table])
    groups = groups_of(table)
    names = [name for name in ("people", "left_out", "unknown", *groups) if name in table]
    check_counts(table, names, {})
    counts = Counts({(row, name): n for name in names for row, n in numbers(table, name)})
    for name in [name for name in ("people", *groups) if name in table]:
        _enter_steps(counts, len(table), name)
        _enter_spans(counts, len(table), name, ledger.rule.below)
    _enter_groups(counts, len(table), groups)
    _enter_unknown(counts, table)
    counts.quiet.update((row, name) for row, name in counts.values if name in ("left_out", "unknown"))
    rows = {0, len(table) - 1 if last is None else last, len(table) - 1}
    counts.keep.update(_ends(counts, rows, groups, ledger.rule.below))
    small = {cell for cell, n in counts.values.items() if n < ledger.rule.below and cell not in counts.unseen}
    return written(table, names, {}, ledger.rule, (small, ledger.add(counts)))


def groups_of(table: pd.DataFrame) -> list[str]:
    """The columns that count people of one arm or group.

    Parameters
    ----------
    table : DataFrame
        A flow, or a table of sets.

    Returns
    -------
    list of str
        treated and comparison first, where they hold any number.
    """
    further = [
        str(name) for name in table if name not in (*WORDS, *ARMS) and pd.api.types.is_integer_dtype(table[name])
    ]
    return [name for name in (*ARMS, *further) if name in table and table[name].notna().any()]


def _enter_steps(counts: Counts, steps: int, name: str) -> None:
    """Before = after + those who left; where some joined too, both are after = those who stayed + those who joined."""
    for step in range(1, steps):
        before, after = (step - 1, name), (step, name)
        if before not in counts.values or after not in counts.values:
            continue
        leaving: Cell = (step, "left_out" if name == "people" else f"leaving {name}")
        gone = counts.values.get(leaving, max(counts.values[before] - counts.values[after], 0))
        _unseen(counts, leaving, gone)
        if counts.values[before] - gone == counts.values[after]:
            counts.sums.append((before, [leaving, after]))
            continue
        staying: Cell = (step, f"staying {name}")
        _unseen(counts, staying, counts.values[before] - gone)
        counts.sums.append((before, [leaving, staying]))
        counts.split(after, [staying], (step, f"joining {name}"), {})


def _enter_spans(counts: Counts, steps: int, name: str, below: int) -> None:
    """Few who left over several steps together are as secret as few who left at one."""
    people = {step: counts.values[(step, name)] for step in range(steps) if (step, name) in counts.values}
    for first, before in people.items():
        for last, after in people.items():
            if last > first + 1 and 0 < before - after < below:
                leaving: Cell = ((first, last), f"leaving {name}")
                _unseen(counts, leaving, before - after)
                counts.sums.append(((first, name), [leaving, (last, name)]))


def _enter_groups(counts: Counts, steps: int, groups: Sequence[str]) -> None:
    """People = those of every group + those of none, and of the latter some leave too."""
    rest = "of no group"
    for step in range(steps):
        parts: list[Cell] = [(step, name) for name in groups if (step, name) in counts.values]
        if len(parts) > 1 and (step, "people") in counts.values:
            counts.split((step, "people"), parts, (step, rest), {})
    for step in range(1, steps):
        before, after = (step - 1, rest), (step, rest)
        if before in counts.values and after in counts.values:
            counts.split(before, [after], (step, f"leaving {rest}"), {})


def _enter_unknown(counts: Counts, table: pd.DataFrame) -> None:
    """Those left out by a rule are those for whom it could not be answered and those who do not meet it."""
    kinds = table["kind"] if "kind" in table else pd.Series("", index=table.index)
    for step, kind in kinds.items():
        whole, part = (step, "left_out"), (step, "unknown")
        if kind in ("include", "arm", "group", "set") and whole in counts.values and part in counts.values:
            counts.split(whole, [part], (step, "answered no"), {})


def _ends(counts: Counts, rows: set[int], groups: Sequence[str], below: int) -> set[Cell]:
    """The counts that matter most; the first is given up where so few left in all that one end must go."""
    found: set[Cell] = set()
    for name in ("people", *groups):
        ends = {row: counts.values[(row, name)] for row in rows if (row, name) in counts.values}
        few = any(0 < ends.get(0, 0) - people < below for people in ends.values())
        found |= {(row, name) for row in ends if row or not few}
    return found


def _unseen(counts: Counts, cell: Cell, value: float) -> None:
    """Enter a count of leavers that is not printed."""
    if cell not in counts.values:
        counts.values[cell] = value
        counts.unseen.add(cell)
        counts.quiet.add(cell)
