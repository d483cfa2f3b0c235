"""Inverse probability weighting."""

from __future__ import annotations

import numpy as np

from evalkit.counterfactual.arms import allow_for_size
from evalkit.counterfactual.inference import conclude
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.panel import Panel, Plan
from evalkit.counterfactual.registry import estimator
from evalkit.counterfactual.scores import Score, describe_weights, propensity


@estimator(
    "ipw",
    options={"normalise": True},
    se=("m-estimation", "hc0"),
    clustered_se="m-estimation",
    estimands=("ATT", "ATE"),
    says="comparison people weighted by how likely they were to be treated",
)
def ipw(panel: Panel, plan: Plan) -> Estimate:
    """Hajek-weighted means; the standard error allows for the score being estimated (stacked equations)."""
    score = propensity(panel)
    e, t = score.probability, panel.treated
    ate = plan.estimand == "ATE"
    arms = {
        1: (t / e, -t * (1 - e) / e) if ate else (t, np.zeros(len(t))),
        0: ((1 - t) / (1 - e), (1 - t) * e / (1 - e)) if ate else ((1 - t) * e / (1 - e), (1 - t) * e / (1 - e)),
    }
    means, rows = {}, {}
    for arm, (weights, slope) in arms.items():
        means[arm], rows[arm] = _arm_mean(panel, plan, score, weights, slope)
    weights = arms[1][0] + arms[0][0]
    modelled = ("treated", "comparison") if ate else ("comparison",)
    scale, df = allow_for_size(panel, rows[1] - rows[0], weights, modelled)
    observed = rows[1] * scale
    found, flags = describe_weights(panel, score, weights)
    return conclude(
        panel,
        plan,
        means[1] - means[0],
        {"effect": (rows[1] - rows[0]) * scale, "observed": observed},
        df,
        observed=means[1],
        balance=found.pop("balance"),
        diagnostics=found,
        flags=flags,
    )


def _arm_mean(
    panel: Panel, plan: Plan, score: Score, weights: np.ndarray, slope: np.ndarray
) -> tuple[float, np.ndarray]:
    """A weighted mean and the rows' contributions to it; slope is the weight's derivative by the logit."""
    hajek = bool(plan.options["normalise"])
    total = weights.sum() if hajek else float(panel.treated.sum() if plan.estimand == "ATT" else len(panel.y))
    mean = float((weights * panel.y).sum() / total)
    spread = panel.y - mean if hajek else panel.y
    rows = (
        weights * spread / total
        if hajek
        else (weights * panel.y - mean * (panel.treated if plan.estimand == "ATT" else 1)) / total
    )
    if plan.se == "m-estimation":
        rows = rows + score.influence @ (score.design.T @ (slope * spread) / total)
    return mean, rows
