"""How sure is that?: an unmeasured cause, outcomes that cannot have moved, and the estimate made in other ways."""

from __future__ import annotations

from typing import Any

from evalkit.report.blocks import Heading
from evalkit.report.robust import curve, lost, without_edges, without_one
from evalkit.report.sections import section
from evalkit.report.unmeasured import placebos, unmeasured


@section("certainty", "How sure is that?", 52)
def certainty(evaluation: Any) -> list[Any]:
    """What could be wrong with the estimate, and what was done to see."""
    if evaluation.effects is None:
        return []
    groups = {
        "If something was not measured": [*unmeasured(evaluation), placebos(evaluation)],
        "If it hung on a few": [without_one(evaluation), without_edges(evaluation)],
        "If those who were lost were not alike": [lost(evaluation)],
        "If it had been analysed otherwise": [curve(evaluation)],
    }
    blocks: list[Any] = []
    for title, found in groups.items():
        there = [block for block in found if block is not None]
        blocks += [Heading(title), *there] if there else []
    return blocks
