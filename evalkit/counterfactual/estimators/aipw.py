"""Augmented inverse probability weighting: right if either the score or the outcome model is right."""

from __future__ import annotations

import numpy as np

from evalkit.counterfactual.arms import allow_for_size
from evalkit.counterfactual.inference import conclude
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.panel import Panel, Plan
from evalkit.counterfactual.registry import estimator
from evalkit.counterfactual.scores import describe_weights, propensity
from evalkit.errors import EstimationError
from evalkit.linear import least_squares


@estimator(
    "aipw",
    options={"normalise": True},
    se=("influence",),
    clustered_se="influence",
    estimands=("ATT", "ATE"),
    says="weighting and regression together: right if either model is right",
)
def aipw(panel: Panel, plan: Plan) -> Estimate:
    """Logit score and linear outcome model; standard error from the influence function, allowing for small arms."""
    score = propensity(panel)
    run = _ate if plan.estimand == "ATE" else _att
    effect, observed, rows, observed_rows, weights = run(panel, score.probability, bool(plan.options["normalise"]))
    modelled = ("treated", "comparison") if plan.estimand == "ATE" else ("comparison",)
    scale, df = allow_for_size(panel, rows, weights, modelled)
    found, flags = describe_weights(panel, score, weights)
    return conclude(
        panel,
        plan,
        effect,
        {"effect": rows * scale, "observed": observed_rows * scale},
        df,
        observed=observed,
        balance=found.pop("balance"),
        diagnostics=found,
        flags=flags,
    )


def _outcome_model(panel: Panel, arm: float) -> np.ndarray:
    """What a linear model of one arm expects for everybody."""
    design = np.column_stack([np.ones(len(panel.y)), panel.x])
    rows = panel.treated == arm
    own = design[rows]
    varies = np.append(True, (own[:, 1:] != own[:1, 1:]).any(axis=0))
    try:
        fit = least_squares(panel.y[rows], own[:, varies])
    except EstimationError:
        beta = np.linalg.lstsq(own, panel.y[rows], rcond=None)[0]
        return design @ beta
    return design[:, varies] @ fit.beta


def _att(panel: Panel, e: np.ndarray, hajek: bool) -> tuple:
    """Average effect on the treated."""
    t, n1 = panel.treated, panel.treated.sum()
    residual = panel.y - _outcome_model(panel, 0.0)
    weights = (1 - t) * e / (1 - e)
    total = weights.sum() if hajek else n1
    effect = float((t * residual).sum() / n1 - (weights * residual).sum() / total)
    rows = (t * (residual - effect) - weights * residual) / n1
    observed = float((t * panel.y).sum() / n1)
    return effect, observed, rows, t * (panel.y - observed) / n1, t + weights


def _ate(panel: Panel, e: np.ndarray, hajek: bool) -> tuple:
    """Average effect on everybody; observed is then the estimated mean had all been treated."""
    t, n = panel.treated, len(panel.y)
    means, rows = [], []
    for arm, weights in ((1.0, t / e), (0.0, (1 - t) / (1 - e))):
        expected = _outcome_model(panel, arm)
        total = weights.sum() if hajek else n
        part = weights * (panel.y - expected)
        mean = float(expected.mean() + part.sum() / total)
        means.append(mean)
        rows.append((expected - mean + part) / n)
    return means[0] - means[1], means[0], rows[0] - rows[1], rows[0], t / e + (1 - t) / (1 - e)
