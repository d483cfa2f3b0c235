"""Tornado: one assumption at a time over its own range, the others as they stand; the widest first."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.errors import Flag
from evalkit.value.discount import line_factors
from evalkit.value.looks.base import View, look
from evalkit.value.switch import Assumption, assumptions_of, present_value_with
from evalkit.value.whole_life import Cost
from evalkit.value.worth import by_year_of, last_year, numbers_of

COLUMNS = [
    "says", "name", "kind", "low", "central", "high", "ratio_low", "ratio_high", "npv_low", "npv_high", "width",
    "crosses", "source",
]  # fmt: skip
Row = dict[str, Any]


@look("tornado")
def tornado(view: View) -> tuple[pd.DataFrame | None, list[Flag]]:
    """Work out the ratio at both ends of every range, one at a time.

    Parameters
    ----------
    view : View
        What may be seen.

    Returns
    -------
    (DataFrame or None, list of Flag)
        One row per assumption with a range, the widest bar first: says, name, kind ("line", "effect", "unit value",
        "cost"), low, central, high (of the assumption; of the first line where several share it), ratio_low and
        ratio_high (the ratio at its low and its high end), npv_low, npv_high, width (of the ratios), crosses (whether
        value exceeds cost at one end only), source. None where nothing has a range. A note names what moves most.
    """
    numbers = numbers_of(view.lines)
    years = max(last_year(view.lines), view.cost.last_year)
    factors = line_factors(view.lines["rate"].tolist(), view.discounting, years)
    total = float((by_year_of(numbers, years) * factors).sum())
    rows = []
    for one in assumptions_of(view.lines):
        if one.ranged:
            now = present_value_with(numbers, factors, one, one.central)
            ends = [_end(one, end) for end in (one.low, one.high)]
            values = [total - now + present_value_with(numbers, factors, one, end) for end in ends]
            told = (float(ends[0][0]), float(one.central[0]), float(ends[1][0]))
            rows.append(_row((one.says, one.name, one.kind, one.source), told, values, [view.cost.amount] * 2))
    rows += _costs(view.cost, total)
    if not rows:
        return None, []
    table = pd.DataFrame(rows, columns=COLUMNS).sort_values("width", ascending=False, kind="stable")
    return table.reset_index(drop=True), _said(table)


def _end(one: Assumption, end: np.ndarray) -> np.ndarray:
    """One end of the range, where a line has one."""
    return np.where(np.isnan(end), one.central, end)


def _row(what: tuple[str, str, str, str], told: tuple[float, float, float], values: Any, costs: Any) -> Row:
    """A bar of the tornado."""
    says, name, kind, source = what
    ratios = [value / cost for value, cost in zip(values, costs, strict=True)]
    npvs = [value - cost for value, cost in zip(values, costs, strict=True)]
    crosses = min(ratios) < 1 < max(ratios)
    ends = [*told, *ratios, *npvs, abs(ratios[1] - ratios[0]), crosses, source]
    return dict(zip(COLUMNS, [says, name, kind, *ends], strict=True))


def _costs(cost: Cost, total: float) -> list[Row]:
    """The bars of the cost: of the one sum, or of each cost with a range."""
    if not cost.varies:
        return []
    if cost.rows is None:
        low, high = (cost.amount if end is None else end for end in (cost.low, cost.high))
        return [_row(("Cost", "cost", "cost", ""), (low, cost.amount, high), [total] * 2, [low, high])]
    rows = []
    ranged: Any = cost.rows[cost.rows["high"] > cost.rows["low"]].itertuples()
    for row in ranged:
        ends = [cost.amount + row.factor * (end - row.amount) for end in (row.low, row.high)]
        says = f"Cost of year {int(row.year)}" + (f": {row.what}" if row.what else "")
        rows.append(_row((says, "cost", "cost", row.source), (row.low, row.amount, row.high), [total] * 2, ends))
    return rows


def _said(table: pd.DataFrame) -> list[Flag]:
    """What moves the ratio most."""
    first = table.iloc[0]
    low, high = sorted((float(first["ratio_low"]), float(first["ratio_high"])))
    text = f"What moves the ratio most is {first['says']}: over its range {words.interval(low, high, 2)}."
    return [Flag("value", "note", text, "The other assumptions as they stand.", "tornado")]
