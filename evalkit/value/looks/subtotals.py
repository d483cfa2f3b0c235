"""Subtotals: to whom the value falls, on which bottom line, of which kind; and what is not valued in money."""

from __future__ import annotations

import pandas as pd

from evalkit import words
from evalkit.errors import Flag
from evalkit.value.checks import NOT_STATED
from evalkit.value.looks.base import View, look

COLUMNS = ["by", "name", "present_value", "low", "high", "lines", "not_in_money"]
BY = {
    "bottom line": ("bottom_line", "by_bottom_line"),
    "group": ("stakeholder_group", "by_group"),
    "stakeholder": ("stakeholder", "by_stakeholder"),
    "kind of value": ("kind_of_value", "by_kind"),
}
ADDED = ("fiscal", "economic", "social")


@look("subtotals")
def subtotals(view: View) -> tuple[pd.DataFrame, list[Flag]]:
    """Sum present value by bottom line, by group of stakeholders, by stakeholder and by kind of value.

    Parameters
    ----------
    view : View
        What may be seen.

    Returns
    -------
    (DataFrame, list of Flag)
        by ("bottom line", "group", "stakeholder", "kind of value"), name, present_value with low and high (of the joint
        draws: they do not add up, the present values do), lines (valued in money), not_in_money (lines beside it). A
        caution where fiscal, economic and social value are in one sum.
    """
    rows = []
    for by, (column, table) in BY.items():
        found = getattr(view.value, table).set_index(column)
        named = view.value.lines[column].where(view.value.lines[column] != "", NOT_STATED)
        beside = view.value.lines["present_value"].isna()
        for name in dict.fromkeys(named):
            ends = found.loc[name] if name in found.index else None
            mine = named == name
            amounts = (
                [float("nan")] * 3 if ends is None else [float(ends[key]) for key in ("present_value", "low", "high")]
            )
            rows.append([by, name, *amounts, int((mine & ~beside).sum()), int((mine & beside).sum())])
    return pd.DataFrame(rows, columns=COLUMNS), _kinds(view)


def _kinds(view: View) -> list[Flag]:
    """Fiscal, economic and social value are different things, and one sum of them is no saving of anybody."""
    kinds = [kind for kind in ADDED if (view.lines["kind_of_value"] == kind).any()]
    if len(kinds) < 2:
        return []
    text = f"The ratio adds {words.listed(kinds)} value: only fiscal value can be a saving of a budget."
    return [Flag("value", "note", text, "See the subtotals by kind of value.", "kind_of_value")]
