"""The flow of a cohort: each step's people are the last step's less those who left."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from evalkit.disclosure.complement import Cell, Sum, hide_complements
from evalkit.disclosure.rules import find_rule
from evalkit.disclosure.tables import Protected, check_counts, numbers, written


def protect_flow(flow: pd.DataFrame, rule: str = "uk-children-10") -> Protected:
    """Protect the flow of a cohort, where each step's people are the last step's less those who left.

    Parameters
    ----------
    flow : DataFrame
        Columns people, left_out, unknown and, where there are arms, treated and comparison; one row per step.
    rule : str
        The rule set in force.

    Returns
    -------
    Protected
        Steps are joined (their people hidden) until nobody can find by subtraction a step at which 1 to 9 left, in
        all or from one arm. Where nobody left, the count is hidden as the rule asks but the people before and after
        stay: that everyone remaining meets every rule is no news about anyone.

    Raises
    ------
    DisclosureError
        A column is not a column of counts.
    """
    found = find_rule(rule)
    table = flow.reset_index(drop=True)
    names = [name for name in ("people", "left_out", "unknown", "treated", "comparison") if name in table]
    check_counts(table, names, {})
    values = {(row, name): value for name in names for row, value in numbers(table, name)}
    small = {cell for cell, value in values.items() if value < found.below}
    sums = _flow_sums(values, len(table)) if found.nearest == 1 else []
    unseen = {cell for whole, parts in sums for cell in (whole, *parts) if cell not in values}
    everything = values | {cell: _leavers(values, cell) for cell in unseen}
    keep = {(row, name) for row in (0, len(table) - 1) for name in ("people", "treated", "comparison")}
    sensitive = {c for c, v in everything.items() if v < found.below and not (v == 0 and _leaving(c))}
    known_zero = {c for c, v in everything.items() if v == 0 and _leaving(c)}
    hidden = hide_complements(everything, sensitive, sums, found.below, unseen - known_zero, keep)
    return written(table, names, {}, found, (small, (hidden | small) & set(values)))


def _flow_sums(values: Mapping[Cell, float], steps: int) -> list[Sum]:
    """People before = people after + those who left, in all and by arm; people = both arms where that holds."""
    sums: list[Sum] = []
    for name, leaving in (("people", "left_out"), ("treated", "leaving treated"), ("comparison", "leaving comparison")):
        for step in range(1, steps):
            before, after = (step - 1, name), (step, name)
            if before in values and after in values:
                sums.append((before, [(step, leaving), after]))
    for step in range(steps):
        arms: list[Cell] = [(step, "treated"), (step, "comparison")]
        whole: Cell = (step, "people")
        if all(cell in values for cell in (whole, *arms)) and values[whole] == values[arms[0]] + values[arms[1]]:
            sums.append((whole, arms))
    return sums


def _leaving(cell: Cell) -> bool:
    """Whether a cell of a flow counts people who left."""
    return cell[1] in ("left_out", "leaving treated", "leaving comparison")


def _leavers(values: Mapping[Cell, float], cell: Cell) -> float:
    """How many left at a step, for a count of leavers that is not printed."""
    name = str(cell[1]).removeprefix("leaving ").replace("left_out", "people")
    return values[(cell[0] - 1, name)] - values[(cell[0], name)]  # type: ignore[operator]
