"""Whether an effect is worth having, can be ruled out, or could not have been seen."""

from __future__ import annotations

import math
from dataclasses import dataclass

from evalkit.counterfactual.looks.base import Seen, View, look
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.testing import Detectable, Finding, detectable_effect, finding
from evalkit.errors import Flag
from evalkit.study.model import Counterfactual


@dataclass(frozen=True, eq=False)
class Worth:
    """The smallest worthwhile difference (None: not stated), the finding against it, what could have been detected."""

    smallest: float | None
    finding: Finding
    detectable: Detectable | None


@look("worthwhile")
def worthwhile(view: View) -> tuple[list[Seen], list[Flag]]:
    """Every outcome with an interval."""
    seen = []
    for outcome, found in view.estimates.items():
        worth = worth_of(view.plan, outcome, found, view.outcomes.describe(outcome)["better"])
        seen += [] if worth is None else [view.seen(outcome, worth)]
    return seen, []


def worth_of(plan: Counterfactual, outcome: str, found: Estimate, better: str) -> Worth | None:
    """Judge one estimate against the smallest difference worth having.

    Parameters
    ----------
    plan : Counterfactual
        With the smallest worthwhile differences.
    outcome : str
        As the study names it.
    found : Estimate
        Of it.
    better : {"higher", "lower"}
        Which way is good.

    Returns
    -------
    Worth or None
        None for a ratio, and where there is no interval.
    """
    if not (math.isfinite(found.low) and math.isfinite(found.high)) or found.scale != "difference":
        return None
    told = plan.smallest_worthwhile
    smallest = told.get(outcome, told.get(outcome.split("@")[0]))
    detectable = detectable_effect(found) if math.isfinite(found.se) else None
    return Worth(smallest, finding(found, smallest, better), detectable)
