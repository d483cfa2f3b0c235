"""The effect at one occasion after another, and how it fades."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from evalkit.counterfactual.asked import planned_analysis, request
from evalkit.counterfactual.looks.base import Seen, View, about, look
from evalkit.counterfactual.many.fading import DropOff, stated_drop_off
from evalkit.counterfactual.many.persistence import Persistence, persistence
from evalkit.errors import Flag

YEAR = 365.25


@dataclass(frozen=True, eq=False)
class Lasting:
    """What the occasions show, and the drop-off that may be used: estimated, else stated with its source."""

    found: Persistence
    drop_off: DropOff | None


@look("persistence")
def lasting(view: View) -> tuple[Seen | None, list[Flag]]:
    """By the planned estimator at every occasion named."""
    plan = view.plan.persistence
    if plan is None:
        return None, []
    keys = {view.outcomes.find(f"{plan.outcome}@{occasion}"): occasion for occasion in plan.occasions}
    days = {one.id: one.day for one in view.study.occasion}
    first = f"{plan.outcome}@{plan.occasions[0]}"
    asked = request(view.outcomes, first, planned_analysis(view.plan, view.chosen.get(plan.outcome)))
    frame = asked.frame.assign(**{key: view.column(key).to_numpy() for key in keys if key not in asked.frame})
    arguments: dict[str, Any] = {name: value for name, value in asked.arguments.items() if name != "outcome"}
    found = persistence(
        frame, asked.estimator, outcomes={key: days[occasion] / YEAR for key, occasion in keys.items()},
        ends=None if plan.ends_day is None else plan.ends_day / YEAR, **arguments,
    )  # fmt: skip
    stated = plan.drop_off
    drop_off = found.drop_off
    if drop_off is None and stated is not None:
        drop_off = stated_drop_off(stated.value, stated.low, stated.high, stated.source)
    table = found.table.assign(title=[view.study.occasion_title(keys[str(key)]) for key in found.table["occasion"]])
    found = Persistence(**{**vars(found), "table": table})
    return view.seen(first, Lasting(found, drop_off)), about(found.flags, first)
