"""What it cost to run the contract, against what was paid, what could be paid, and the people served."""

from __future__ import annotations

import math
from typing import Any

from evalkit import tables
from evalkit.contract.costs import CostToRun, cost_to_run
from evalkit.contract.looks.base import View, look
from evalkit.errors import Flag
from evalkit.tables.kinds import Kind

COLUMNS: dict[str, Kind] = {
    "phase": "text",
    "what": "text",
    "party": "text",
    "kind": "text",
    "planned": "money",
    "actual": "money",
    "date": "date",
    "days": "number",
    "currency": "text",
    "source": "text",
}


@look("costs")
def costs(view: View) -> tuple[CostToRun | None, list[Flag]]:
    """Set-up, management, evaluation and measurement by phase and party.

    Parameters
    ----------
    view : View
        With [contract] costs.

    Returns
    -------
    CostToRun or None, list of Flag
        None where the study has no costs.
    """
    file = view.plan.costs
    if file is None:
        return None, []
    table = tables.read_csv_checked(view.study, file, COLUMNS, required=["phase", "what"])
    found = cost_to_run(table, _sizes(view), served(view), view.study.study.currency)
    return found, list(found.flags)


def _sizes(view: View) -> dict[str, Any]:
    """What the cost is held to: what was paid, what the programme added to it, what could be paid."""
    totals, plan = view.contract.totals, view.plan
    sizes: dict[str, Any] = {"outcome payments": totals.get("paid")}
    if totals.get("added") is not None:
        ends = [totals.get(name) for name in ("added_low", "added_high")]
        low, high = (math.nan if end is None else end for end in ends)
        sizes["payments owed for what the programme added"] = (totals["added"], low, high)
    if plan.cap is not None:
        sizes["the most that could be paid"] = plan.cap
    if plan.maximum_recorded is not None:
        sizes["the maximum on record, not known to be a cap"] = plan.maximum_recorded
    return sizes


def served(view: View) -> int | None:
    """How many people were served: as published, else everyone of the treated arm.

    Parameters
    ----------
    view : View
        With people = ... in [contract], or with effects estimated from people.

    Returns
    -------
    int or None
        None where it is not known.
    """
    if view.plan.people is not None:
        return int(view.plan.people)
    outcomes = getattr(view.effects, "outcomes", None)
    table = getattr(getattr(outcomes, "cohort", None), "table", None)
    if table is None or "arm" not in table:
        return None
    return int((table["arm"] == "treated").sum()) or None
