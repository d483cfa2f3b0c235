"""Pooled and multi-year budgets by funder and year."""

from __future__ import annotations

from evalkit import tables
from evalkit.contract.budgets import Budgets, budgets_of
from evalkit.contract.looks.base import View, look
from evalkit.errors import Flag
from evalkit.tables.kinds import Kind

COLUMNS: dict[str, Kind] = {
    "funder": "text",
    "year": "text",
    "kind": "text",
    "amount": "money",
    "spent": "money",
    "pool": "text",
    "holder": "text",
    "currency": "text",
    "source": "text",
}


@look("budgets")
def budgets(view: View) -> tuple[Budgets | None, list[Flag]]:
    """Budgets by funder and year, pools once, lead professionals' budgets beside.

    Parameters
    ----------
    view : View
        With [contract] budgets.

    Returns
    -------
    Budgets or None, list of Flag
        None where the study has no budgets.
    """
    file = view.plan.budgets
    if file is None:
        return None, []
    table = tables.read_csv_checked(view.study, file, COLUMNS, required=["funder", "year", "amount"])
    found = budgets_of(table, view.study.study.currency)
    return found, list(found.flags)
