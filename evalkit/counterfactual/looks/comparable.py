"""Whether there is anybody to compare with: how likely people of both arms were to be treated."""

from __future__ import annotations

from evalkit.counterfactual.looks.base import Seen, View, about, look
from evalkit.counterfactual.matched.overlaps import overlap
from evalkit.errors import Flag


@look("overlap")
def comparable(view: View) -> tuple[Seen | None, list[Flag]]:
    """The scores of both arms for the first outcome; nothing where chance decided or nothing is adjusted for."""
    asked = view.asked(view.first)
    covariates = asked.arguments.get("covariates")
    if view.randomised or not covariates or "treated" not in asked.arguments:
        return None, []
    there = asked.frame[asked.frame[asked.arguments["outcome"]].notna() & asked.frame["treated"].notna()]
    found = overlap(there, "treated", covariates)
    return view.seen(view.first, found), about(found.flags, view.first)
