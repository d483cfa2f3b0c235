"""How far people came on a ladder whose areas the study names, beside the comparison's."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from evalkit.errors import Flag
from evalkit.outcomes.change.distance import DistanceTravelled, distance_by_arm, distance_travelled
from evalkit.outcomes.ground import Found
from evalkit.outcomes.looks.base import View, look
from evalkit.study.model import Ladder, Measure


@dataclass(frozen=True, eq=False, repr=False)
class Travelled:
    """One ladder: what came of each arm, by area; ``differences`` the share that went up, between the arms.

    ``arms`` by arm (those with ratings): areas and stages, no person's row. ``titles`` by area.
    """

    measure: str
    title: str
    top: float
    start: str
    end: str
    titles: dict[str, str]
    arms: dict[str, DistanceTravelled]
    differences: pd.DataFrame | None
    stages: str

    def __repr__(self) -> str:
        return f"Travelled({self.measure}, {len(self.titles)} areas, {len(self.arms)} arms)"


@look("distance travelled")
def distance(view: View) -> tuple[list[Travelled], list[Flag]]:
    """Every ladder that was rated before and after."""
    found, flags = [], []
    for measure in view.study.measure:
        if measure.ladder is None or measure.id not in view.found:
            continue
        one, said = _travelled(view, measure, measure.ladder, view.found[measure.id])
        if one is not None:
            found.append(one)
        flags += [replace(flag, about=measure.id) for flag in said]
    return found, flags


def _travelled(view: View, measure: Measure, plan: Ladder, found: Found) -> tuple[Travelled | None, list[Flag]]:
    ends = view.ends(measure.id)
    if ends is None or found.forms is None:
        text = "The ladder was not rated before and after, so no distance travelled can be shown."
        return None, [Flag("outcomes", "caution", text)]
    first, last = (found.forms.behind(reading)[plan.areas] for reading in ends)
    twice = (first.notna() & last.notna()).any(axis=1).to_numpy()

    def stage(step: float) -> float:
        return float(-(-step // plan.stage_width))

    stages = f"A stage is {plan.stage_width} steps." if plan.stage_width > 1 else "Every step is a stage."

    arms: dict[str, DistanceTravelled] = {}
    flags: list[Flag] = []
    for arm, rows in view.ground.arms.items():
        if (twice & rows).any():
            arms[arm] = distance_travelled(first[rows], last[rows], plan.top, stage)
            flags += arms[arm].flags
    differences = None
    if len(arms) > 1 and view.treated is not None:
        differences = distance_by_arm(first, last, view.treated, plan.top, stage, view.cluster).areas
    titles = {area: plan.titles.get(area, area.replace("_", " ")) for area in plan.areas}
    labels = (view.title(ends[0].occasion), view.title(ends[1].occasion))
    one = Travelled(measure.id, found.about["title"], plan.top, *labels, titles, arms, differences, stages)
    return one, list(dict.fromkeys(flags))
