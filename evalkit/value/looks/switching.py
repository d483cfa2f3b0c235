"""Switching values: how far each assumption would have to move for value to equal cost."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from evalkit import words
from evalkit.errors import Flag
from evalkit.value.discount import line_factors
from evalkit.value.looks.base import View, look
from evalkit.value.switch import Assumption, Switch, assumptions_of, switch_of
from evalkit.value.worth import last_year, numbers_of

COLUMNS = ["says", "name", "kind", "central", "switching", "times", "within_range", "why_none", "source"]


@dataclass(frozen=True, eq=False)
class Switching:
    """Where value would equal cost.

    Parameters
    ----------
    table : DataFrame
        One row per assumption, and one for the cost: says, name, kind, central, switching (the value at which the net
        present value is 0, the others as they stand; NaN where there is none), times (by which a quantity, a unit value
        or an effect would have to be taken; NaN for shares), within_range (whether it lies within the stated range;
        missing without one), why_none, source.
    common_deadweight : float or None
        One deadweight for all lines at which the ratio is 1; None where there is none between 0 and 1.
    beyond_estimates : bool
        Whether some lines come from estimated effects, for which it is what would have happened anyway beyond what
        the estimate takes off.
    """

    table: pd.DataFrame
    common_deadweight: float | None
    beyond_estimates: bool

    @property
    def says(self) -> str:
        """The common deadweight in words."""
        if self.common_deadweight is None:
            return "No common deadweight between 0 and 1 makes value equal cost."
        share = words.percent(self.common_deadweight, 1)
        more = " (beyond what the estimated effects take off already)" if self.beyond_estimates else ""
        return f"Value equals cost where {share} of every outcome would have happened anyway{more}."


@look("switching")
def switching(view: View) -> tuple[Switching, list[Flag]]:
    """Find the value of every assumption at which value equals cost, the others as they stand.

    Parameters
    ----------
    view : View
        What may be seen.

    Returns
    -------
    (Switching, list of Flag)
        A caution names the assumptions whose switching value lies within their own stated range.
    """
    numbers = numbers_of(view.lines)
    years = max(last_year(view.lines), view.cost.last_year)
    factors = line_factors(view.lines["rate"].tolist(), view.discounting, years)
    npv, rows = view.value.npv, []
    estimated = (view.lines["quantity_from"] == "effect").to_numpy(dtype=bool)
    for one in assumptions_of(view.lines):
        places = list(one.places)
        if one.name == "drop_off" and (numbers["duration"][places] <= 1).all():
            continue
        if one.name == "deadweight" and estimated[places].all():
            continue  # the estimate nets it out: the switching value of the effect says the same
        rows.append(_row(one, switch_of(numbers, factors, one, npv)))
    rows.append(_of_cost(view))
    table = pd.DataFrame(rows, columns=COLUMNS)
    return Switching(table, view.value.break_even_deadweight, bool(estimated.any())), _said(table)


def _row(one: Assumption, found: Switch) -> list[object]:
    """A row of the table."""
    within = None
    if one.ranged and found.value is not None:
        within = bool(one.low[0] <= found.value <= one.high[0])
    value = float("nan") if found.value is None else found.value
    return [one.says, one.name, one.kind, float(one.central[0]), value, found.times, within, found.why_none, one.source]


def _of_cost(view: View) -> list[object]:
    """The cost at which value equals it: the present value itself."""
    value, cost = view.value, view.cost
    within = None
    if cost.rows is None and cost.varies:
        low, high = (cost.amount if end is None else end for end in (cost.low, cost.high))
        within = bool(low <= value.present_value <= high)
    if value.present_value <= 0:
        return ["Cost", "cost", "cost", value.cost, float("nan"), float("nan"), None, "value is not above 0", ""]
    return ["Cost", "cost", "cost", value.cost, value.present_value, value.ratio, within, "", ""]


def _said(table: pd.DataFrame) -> list[Flag]:
    """Assumptions that by themselves could make value less than cost, or more."""
    inside = list(table.loc[table["within_range"].eq(True), "says"])
    if not inside:
        return []
    text = f"Within its own range alone, value could equal cost: {'; '.join(inside)}."
    return [Flag("value", "caution", text, "See the switching values.", "switching")]
