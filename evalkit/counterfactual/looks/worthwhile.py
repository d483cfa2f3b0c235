"""Whether an effect is worth having, can be ruled out, or could not have been seen."""

from __future__ import annotations

import math
from dataclasses import dataclass

from evalkit.counterfactual.looks.base import Seen, View, look
from evalkit.counterfactual.testing import Detectable, Finding, detectable_effect, finding
from evalkit.errors import Flag


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
        if not (math.isfinite(found.low) and math.isfinite(found.high)) or found.scale != "difference":
            continue
        told = view.plan.smallest_worthwhile
        smallest = told.get(outcome, told.get(outcome.split("@")[0]))
        judged = finding(found, smallest, view.outcomes.describe(outcome)["better"])
        detectable = detectable_effect(found) if math.isfinite(found.se) else None
        seen.append(view.seen(outcome, Worth(smallest, judged, detectable)))
    return seen, []
