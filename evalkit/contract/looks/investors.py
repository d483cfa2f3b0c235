"""The investors' side."""

from __future__ import annotations

from evalkit.contract.investing import Investors, invest
from evalkit.contract.looks.base import View, look
from evalkit.errors import Flag


@look("investors")
def investors(view: View) -> tuple[Investors | None, list[Flag]]:
    """What investors paid in and got back, by investor and in other cases; None without cash flows."""
    if view.papers.cash_flows is None or view.papers.cash_flows.empty:
        return None, []
    return invest(view.papers, view.contract)
