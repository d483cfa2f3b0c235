"""Effects for parts of the cohort, and who gained and who lost."""

from __future__ import annotations

from evalkit.counterfactual.looks.base import Seen, View, about, look
from evalkit.counterfactual.many.gained import who_gained
from evalkit.counterfactual.many.subgroups import subgroup_effects
from evalkit.errors import Flag


@look("subgroups")
def subgroups(view: View) -> tuple[list[Seen], list[Flag]]:
    """Those fixed beforehand together, those found later by themselves."""
    seen: list[Seen] = []
    flags: list[Flag] = []
    wanted: dict[tuple[str, bool], dict[str, list[float]]] = {}
    for one in view.plan.subgroup:
        for outcome in view.these(one.outcomes):
            wanted.setdefault((outcome, one.planned), {})[one.column] = list(one.cuts)
    for (outcome, planned), by in wanted.items():
        asked = view.asked(outcome)
        frame = asked.frame.assign(**{name: view.column(name).to_numpy() for name in by if name not in asked.frame})
        found = subgroup_effects(frame, asked.estimator, by, planned=planned, **asked.arguments)
        seen.append(view.seen(outcome, found))
        flags += about(found.flags, outcome)
    return seen, flags


@look("who gained")
def gained(view: View) -> tuple[list[Seen], list[Flag]]:
    """Quantiles of both arms, the comparison weighted as the planned estimator weighs it."""
    plan = view.plan.gained
    seen: list[Seen] = []
    flags: list[Flag] = []
    for outcome in plan.outcomes if plan and view.arms else ():
        told, asked = view.outcomes.describe(outcome), view.asked(outcome)
        frame = asked.frame
        before = told["baseline_key"] if told["baseline_key"] not in ("", None, told["key"]) else None
        if before is not None and before not in frame:
            frame = frame.assign(**{before: view.column(before).to_numpy()})
        threshold = plan.threshold if plan and before is not None else None
        estimated = view.estimates.get(outcome)
        found = who_gained(
            frame, outcome=told["key"], treated="treated", person="person", baseline=before if threshold else None,
            threshold=threshold, cluster=asked.arguments.get("cluster"),
            weights=None if estimated is None else estimated.diagnostics.get("weights"),
            better=told["better"], level=view.plan.level, seed=view.study.study.seed,
        )  # fmt: skip
        seen.append(view.seen(outcome, found))
        flags += about(found.flags, outcome)
    return seen, flags
