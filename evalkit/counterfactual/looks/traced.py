"""How far people without an outcome could change the finding: weighted for, and bounded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from evalkit.counterfactual.analysed import Bounds, attrition_bounds, with_attrition_weights
from evalkit.counterfactual.looks.base import Seen, View, about, look
from evalkit.counterfactual.nouns import Estimate
from evalkit.errors import EstimationError, Flag


@dataclass(frozen=True, eq=False)
class Traced:
    """The estimate as planned, weighted for who was traced, and the bounds that assume less."""

    planned: Estimate
    weighted: Estimate | None
    bounds: Bounds | None


@look("attrition")
def traced(view: View) -> tuple[list[Seen], list[Flag]]:
    """For each outcome named, where the study asks."""
    plan = view.plan.attrition
    seen: list[Seen] = []
    flags: list[Flag] = []
    for outcome in view.these(plan.outcomes) if plan and view.arms else ():
        if outcome not in view.estimates:
            continue
        weighted, why = _weighted(view, outcome)
        bounds, no_bounds = _bounds(view, outcome)
        flags += [Flag("counterfactual", "caution", text, detail, outcome) for text, detail in (*why, *no_bounds)]
        flags += about([*(weighted.flags if weighted else ()), *(bounds.flags if bounds else ())], outcome)
        seen.append(view.seen(outcome, Traced(view.estimates[outcome], weighted, bounds)))
    return seen, flags


def _weighted(view: View, outcome: str) -> tuple[Estimate | None, list[tuple[str, str]]]:
    plan, asked = view.plan.attrition, view.asked(outcome)
    arguments: dict[str, Any] = dict(asked.arguments)
    frame = asked.frame
    if plan is not None and plan.covariates is not None:
        for name in plan.covariates:
            if name not in frame:
                frame = frame.assign(**{name: view.column(name).to_numpy()})
        arguments["observed_by"] = list(plan.covariates)
    try:
        return with_attrition_weights(frame, asked.estimator, **arguments), []
    except EstimationError as error:
        return None, [("The estimate could not be weighted for who was traced.", str(error))]


def _bounds(view: View, outcome: str) -> tuple[Bounds | None, list[tuple[str, str]]]:
    """Lee's where chance decided; else from the range of the outcome, where one is known."""
    plan, asked = view.plan.attrition, view.asked(outcome)
    yes_or_no = asked.arguments.get("values") == "yes or no"
    ends = {} if plan is None else {"lowest": plan.lowest, "highest": plan.highest}
    given: dict[str, Any] = {name: value for name, value in ends.items() if value is not None}
    if not view.randomised and not yes_or_no and len(given) < 2:
        return None, []
    kind = "lee" if view.randomised else "manski"
    try:
        return attrition_bounds(
            asked.frame, outcome=asked.arguments["outcome"], treated="treated", kind=kind,
            cluster=asked.arguments.get("cluster"), level=view.plan.level, **(given if kind == "manski" else {}),
        ), []  # fmt: skip
    except EstimationError as error:
        return None, [("No bounds could be given for people without the outcome.", str(error))]
