"""How strong a cause that nobody measured would have to be."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evalkit.counterfactual.looks.base import Seen, View, about, look
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.sensitivity import (
    EValue,
    OmittedVariable,
    Rosenbaum,
    e_value_of,
    omitted_variable_bounds,
    rosenbaum_bounds,
)
from evalkit.errors import EstimationError, Flag
from evalkit.study.compared import Unmeasured

DEFAULT = Unmeasured(outcomes=None)


@dataclass(frozen=True, eq=False)
class Unknown:
    """What an unmeasured cause would need: as a risk ratio, as shares explained, as odds within matched pairs."""

    e_value: EValue | None
    omitted: OmittedVariable | None
    rosenbaum: Rosenbaum | None


@look("unmeasured causes")
def unmeasured(view: View) -> tuple[list[Seen], list[Flag]]:
    """For each outcome named; where chance decided only if the study asks."""
    plan = view.plan.unmeasured
    if not view.arms or (plan is None and not view.rests_on_what_was_measured):
        return [], []
    seen, flags = [], []
    for outcome in view.these(plan.outcomes if plan else None):
        found = view.estimates.get(outcome)
        if found is None or not math.isfinite(found.low):
            continue
        omitted = _omitted(view, outcome, plan or DEFAULT)
        rosenbaum = _pairs(view, outcome, found, plan or DEFAULT)
        seen.append(view.seen(outcome, Unknown(_e_value(view, outcome, found), omitted, rosenbaum)))
        flags += about(rosenbaum.flags, outcome) if rosenbaum is not None else []
    return seen, flags


def _e_value(view: View, outcome: str, found: Estimate) -> EValue | None:
    """Of a score in the comparison's standard deviations; None where no ratio can be made of it."""
    told = view.outcomes.describe(outcome)
    readings = view.outcomes.wide[told["key"]].reindex(view.outcomes.cohort.table["person"]).to_numpy(dtype=float)
    mine = (view.outcomes.cohort.table["treated"] == 0).fillna(False).to_numpy(dtype=bool)
    sd = float(np.nanstd(readings[mine], ddof=1)) if mine.sum() > 1 else math.nan
    try:
        return e_value_of(found, sd=None if told["values"] == "yes or no" else sd)
    except EstimationError:
        return None


def _omitted(view: View, outcome: str, plan: Unmeasured) -> OmittedVariable | None:
    """By a linear regression on the planned covariates, whatever the planned estimator."""
    arguments = view.asked(outcome).arguments
    covariates: list[str] = list(arguments.get("covariates") or ())
    if not covariates or "time" in arguments or "treated" not in arguments:
        return None
    columns: dict[str, Any] = {name: arguments[name] for name in ("outcome", "treated", "covariates")}
    names = {name: name if name in covariates else view.outcomes.find(name) for name in plan.benchmarks}
    return omitted_variable_bounds(
        view.asked(outcome).frame, **columns, benchmark=list(names.values()), times=plan.times, person="person",
        cluster=arguments.get("cluster"), level=view.plan.level,
    )  # fmt: skip


def _pairs(view: View, outcome: str, found: Estimate, plan: Unmeasured) -> Rosenbaum | None:
    """Where the estimate is by pairs of two people each."""
    matches: pd.DataFrame | None = found.diagnostics.get("matches")
    if matches is None or matches["treated"].duplicated().any() or matches["comparison"].duplicated().any():
        return None
    asked = view.asked(outcome)
    readings = pd.Series(
        asked.frame[asked.arguments["outcome"]].to_numpy(dtype=float), index=asked.frame["person"].astype(str)
    )
    pairs = readings.loc[matches["treated"]].to_numpy() - readings.loc[matches["comparison"]].to_numpy()
    side = "greater" if view.outcomes.describe(outcome)["better"] == "higher" else "less"
    return rosenbaum_bounds(pairs, plan.gammas, alternative=side, level=view.plan.level)
