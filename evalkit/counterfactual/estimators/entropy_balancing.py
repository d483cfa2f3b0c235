"""Entropy balancing."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalkit.counterfactual.arms import allow_for_skew, freedom_for_size, skew_flags
from evalkit.counterfactual.inference import conclude
from evalkit.counterfactual.matched.entropy import balancing_weights, terms
from evalkit.counterfactual.matched.models import MOST_PULL
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.panel import Panel, Plan
from evalkit.counterfactual.registry import estimator
from evalkit.counterfactual.scores import describe_weights, for_everybody_flags
from evalkit.errors import EstimationError, Flag

ARM_NAMES = {1: "treated", 0: "comparison"}
LINEAR = Flag(
    "counterfactual",
    "note",
    "The effect on everybody is right here only where the outcome is linear in what was balanced.",
    'With estimand = "ATT" it is also right where the log odds of being treated are; or use "aipw".',
)


@estimator(
    "entropy balancing",
    options={"moments": 1},
    se=("m-estimation", "hc0"),
    clustered_se="m-estimation",
    estimands=("ATT", "ATE"),
    says="comparison people weighted so that the means of the covariates agree exactly",
)
def entropy_balancing(panel: Panel, plan: Plan) -> Estimate:
    """Weights as even as can be under exactly equal means; the standard error counts that they were estimated.

    Right if either the log odds of being treated or the outcome is linear in the covariates (and their powers with
    ``moments`` 2 or 3); with estimand "ATE" only if the outcome is. The error stacks the equations of the weights and
    of the means, which comes to residuals of the weighted regression on the balanced terms (Zhao and Percival 2017, J.
    of Causal Inference 5). "hc0" takes the weights as known.
    """
    z = _terms(panel, plan)
    ate = plan.estimand == "ATE"
    n, counted = len(panel.y), np.ones(len(panel.y)) if ate else panel.treated
    target = (counted @ z.to_numpy()) / counted.sum()
    weights, rows, means = np.zeros(n), {}, {}
    for arm in (1, 0):
        mine = panel.treated == arm
        own = np.full(int(mine.sum()), 1 / mine.sum())
        if arm == 0 or ate:
            own = balancing_weights(z[mine], target, ARM_NAMES[arm])
        weights[mine] = own
        means[arm] = float(own @ panel.y[mine])
        known = plan.se == "hc0" or (arm == 1 and not ate)
        rows[arm] = _rows(panel, z.to_numpy(), (mine, own, target, counted), means[arm], known)
    scale, df = freedom_for_size(panel, rows[1] - rows[0], weights, () if ate else ("comparison",))
    skew = allow_for_skew(panel, (rows[1] - rows[0]) * scale) if ate else 1.0
    scale = scale * skew
    found, flags = describe_weights(panel, None, _scaled(panel, weights, ate))
    flags += [LINEAR, *for_everybody_flags(panel, weights), *skew_flags(skew)] if ate else []
    return conclude(
        panel,
        plan,
        means[1] - means[0],
        {"effect": (rows[1] - rows[0]) * scale, "observed": rows[1] * scale},
        df,
        observed=means[1],
        balance=found.pop("balance"),
        skew_counted=skew > 1,
        diagnostics=found,
        flags=flags,
    )


def _terms(panel: Panel, plan: Plan) -> pd.DataFrame:
    """What is balanced."""
    moments = plan.options["moments"]
    if isinstance(moments, bool) or moments not in (1, 2, 3):
        raise EstimationError("moments must be 1 (means), 2 (and variances) or 3 (and skewness).")
    if panel.x.shape[1] == 0:
        raise EstimationError('entropy balancing needs covariates that vary. Name some, or use "difference".')
    return terms(panel.x, moments)


def _rows(panel: Panel, z: np.ndarray, how: tuple, mean: float, known: bool) -> np.ndarray:
    """Contributions to one arm's mean: its own residuals, and through the means wanted everybody who sets them.

    Where an arm has to stand for everybody those who weigh much are few and unlike the rest, and the balance fits their
    outcomes: residuals are then of a fit without the person (as in HC3).
    """
    mine, weights, target, counted = how
    rows = np.zeros(len(panel.y))
    spread = panel.y[mine] - mean
    if known:
        rows[mine] = weights * spread
        return rows
    away = z[mine] - target
    inside = (away * weights[:, None]).T @ away
    slopes = np.linalg.lstsq(inside, away.T @ (weights * spread), rcond=1e-12)[0]
    room, everybody = np.ones(len(spread)), bool(counted.all())
    if everybody:
        pull = weights * (1 + np.einsum("ij,jk,ik->i", away, np.linalg.pinv(inside, rcond=1e-12), away))
        room = 1 - np.minimum(pull, MOST_PULL)
    rows[mine] = weights * (spread - away @ slopes) / room
    return rows + counted * ((z - target) @ slopes) / counted.sum()


def _scaled(panel: Panel, weights: np.ndarray, ate: bool) -> np.ndarray:
    """Weights that add up to the number of those for whom they stand."""
    return weights * (len(weights) if ate else panel.treated.sum())
