"""A share that is stated, not estimated."""

from __future__ import annotations

import math

import numpy as np

from evalkit.counterfactual.deadweights import define_deadweight
from evalkit.counterfactual.nouns import Deadweight, Estimate
from evalkit.counterfactual.panel import Panel, Plan
from evalkit.counterfactual.registry import estimator
from evalkit.errors import EstimationError, Flag

MOST = 5.0  # a share beyond it is a percentage written as a number


@estimator(
    "assumed",
    options={"deadweight": None, "low": None, "high": None},
    se=("none",),
    clustered_se="none",
    data="rates",
    comparison=False,
    earns_level=False,
    assumes="as stated",
    says="deadweight as stated; nothing is learnt from a comparison",
)
def assumed(panel: Panel, plan: Plan) -> Estimate:
    """The mean outcome of the treated less the stated share of it; never earns a level of evidence."""
    share, low, high = _stated(plan)
    treated = panel.treated == 1
    observed = float(panel.y[treated].mean())
    counterfactual, why = _counterfactual(plan, share, observed)
    stated = "stated, not estimated" + ("" if math.isnan(low) else "; the range is stated too")
    text = "Deadweight is assumed: no comparison was made, and the effect follows from the assumption alone."
    return Estimate(
        effect=observed - counterfactual,
        se=math.nan,
        low=math.nan,
        high=math.nan,
        p=math.nan,
        df=math.nan,
        scale="difference",
        n_treated=int(treated.sum()) if panel.columns.person else 0,
        n_comparison=0,
        observed=observed,
        counterfactual=counterfactual,
        deadweight=None if why else Deadweight(share, low, high, stated),
        balance=None,
        diagnostics={"dropped": panel.dropped},
        flags=(*panel.flags, Flag("counterfactual", "serious", text), *_without(why)),
        level=plan.level,
        estimator=plan.estimator,
        n_clusters=None,
        influence=None,
        why_no_deadweight=why,
    )


def _stated(plan: Plan) -> tuple[float, float, float]:
    """The share and its range."""
    share, low, high = (plan.options[name] for name in ("deadweight", "low", "high"))
    if share is None or not np.isfinite(share):
        raise EstimationError(
            "assumed needs the share that would have happened anyway: deadweight = 0.3, say, with its source."
        )
    if abs(share) > MOST:
        raise EstimationError(f"deadweight = {share} is a share, in which 1 is everybody: write 0.3 for 30 %.")
    if (low is None or np.isnan(low)) != (high is None or np.isnan(high)):
        raise EstimationError("give both ends of the range of the stated deadweight (low and high), or neither.")
    if low is None or np.isnan(low):
        return float(share), math.nan, math.nan
    if not low <= share <= high:
        raise EstimationError(f"the stated deadweight {share} does not lie between its low {low} and high {high}.")
    return float(share), float(low), float(high)


def _counterfactual(plan: Plan, share: float, observed: float) -> tuple[float, str]:
    """The level that the stated share implies, turning the definition of deadweight round."""
    definition = define_deadweight(plan, False)
    if definition.top is None or definition.bottom is None:
        return math.nan, definition.why
    bottom = sum(w * (1.0 if name == "one" else observed) for name, w in definition.bottom.items())
    return float((share * bottom - definition.top.get("one", 0.0)) / definition.top["counterfactual"]), ""


def _without(why: str) -> list[Flag]:
    """Why the stated share cannot be used."""
    return [Flag("counterfactual", "serious", f"The stated deadweight is not used: {why}.")] if why else []
