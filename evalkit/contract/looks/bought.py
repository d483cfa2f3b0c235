"""What the payments bought."""

from __future__ import annotations

from evalkit.contract.bought import Bought, buy
from evalkit.contract.looks.base import View, look
from evalkit.errors import Flag


@look("bought")
def bought(view: View) -> tuple[Bought | None, list[Flag]]:
    """Cost of outcomes and of added outcomes, and the effect that pays for nothing; None without a rate card."""
    contract = view.contract
    if contract.table.empty or not float(contract.table["owed"].sum()) > 0:
        return None, []
    found = buy(view.papers, contract)
    return found, _flags(found)


def _flags(found: Bought) -> list[Flag]:
    flags = []
    none = found.table[found.table["verdict"] == "none added"]
    if len(none):
        named = ", ".join(none["title"])
        text = f"By the estimate nothing was added to what was paid for: {named}."
        flags.append(
            Flag("contract", "serious", text, "There is no price of an added outcome where none was added.", "bought")
        )
    if found.whole["at_estimate"]:
        text = "At the estimated effects the contract would have paid just as much without the programme."
        flags.append(Flag("contract", "serious", text, about="bought"))
    return flags
