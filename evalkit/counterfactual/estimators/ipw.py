"""Inverse probability weighting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evalkit.counterfactual.arms import allow_for_skew, freedom_for_size, skew_flags
from evalkit.counterfactual.inference import conclude
from evalkit.counterfactual.matched.dropped import who_was_dropped
from evalkit.counterfactual.matched.trimming import kept_by, score_bounds, trim_flags, truncated
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.panel import Panel, Plan
from evalkit.counterfactual.registry import estimator
from evalkit.counterfactual.scores import Score, describe_weights, for_everybody_flags, propensity
from evalkit.errors import Flag


@dataclass(frozen=True, eq=False)
class Weighting:
    """Weights of each arm and their derivatives by the logit, who is kept, and for how many the weights stand."""

    arms: dict[int, tuple[np.ndarray, np.ndarray]]
    keep: np.ndarray
    stands_for: float
    lowered: int


@estimator(
    "ipw",
    options={"normalise": True, "trim": None, "truncate": None},
    se=("m-estimation", "hc0"),
    clustered_se="m-estimation",
    estimands=("ATT", "ATE"),
    says="comparison people weighted by how likely they were to be treated",
)
def ipw(panel: Panel, plan: Plan) -> Estimate:
    """Hajek-weighted means; the standard error allows for the score being estimated (stacked equations).

    ``trim`` leaves out people by their score: a pair of bounds, or one number a for those above 1 - a, and with
    estimand "ATE" also those below a (Crump and others 2009, Biometrika 96); the effect is then that on those kept.
    ``truncate`` (such as 0.99) lowers the weights above that quantile of an arm to it, which trades some bias for a
    smaller error. Both are counted and flagged, and the score is not fitted again.
    """
    score = propensity(panel)
    ways = _weighting(panel, plan, score)
    means, rows = {}, {}
    for arm in (1, 0):
        means[arm], rows[arm] = _arm_mean(panel, plan, score, ways, arm)
    weights = ways.arms[1][0] + ways.arms[0][0]
    modelled = ("treated", "comparison") if plan.estimand == "ATE" else ("comparison",)
    scale, df = freedom_for_size(panel, rows[1] - rows[0], weights, modelled)
    skew = allow_for_skew(panel, (rows[1] - rows[0]) * scale) if plan.estimand == "ATE" else 1.0
    scale = scale * skew
    found, flags = describe_weights(panel, score, weights)
    treated = ways.keep & (panel.treated == 1)
    dropped, said = who_was_dropped(panel, treated)
    return conclude(
        panel,
        plan,
        means[1] - means[0],
        {"effect": (rows[1] - rows[0]) * scale, "observed": rows[1] * scale},
        df,
        observed=means[1],
        analysed=ways.keep,
        n_treated=int(treated.sum()),
        n_comparison=int((ways.keep & (panel.treated == 0)).sum()),
        balance=found.pop("balance"),
        skew_counted=skew > 1,
        diagnostics=found | {"trimmed": int((~ways.keep).sum()), "truncated": ways.lowered} | dropped,
        flags=[
            *trim_flags(panel, ways.keep, ways.lowered),
            *said,
            *flags,
            *_everybody(panel, plan, weights),
            *skew_flags(skew),
        ],
    )


def _weighting(panel: Panel, plan: Plan, score: Score) -> Weighting:
    """Weights for the estimand, after trimming and truncation."""
    e, t = score.probability, panel.treated
    ate = plan.estimand == "ATE"
    trim: float | Sequence[float] | None = plan.options["trim"]
    keep = kept_by(panel, e, score_bounds(trim, ate))
    arms = {
        1: (t / e, -t * (1 - e) / e) if ate else (t, np.zeros(len(t))),
        0: ((1 - t) / (1 - e), (1 - t) * e / (1 - e)) if ate else ((1 - t) * e / (1 - e), (1 - t) * e / (1 - e)),
    }
    lowered = 0
    for arm, (weights, slope) in arms.items():
        own, high = truncated(weights * keep, plan.options["truncate"], panel.treated == arm)
        arms[arm] = own, np.where(high, 0.0, slope * keep)
        lowered += int(high.sum())
    return Weighting(arms, keep, float(keep.sum() if ate else (t * keep).sum()), lowered)


def _arm_mean(panel: Panel, plan: Plan, score: Score, ways: Weighting, arm: int) -> tuple[float, np.ndarray]:
    """A weighted mean and the rows' contributions to it."""
    weights, slope = ways.arms[arm]
    hajek = bool(plan.options["normalise"])
    total = weights.sum() if hajek else ways.stands_for
    mean = float((weights * panel.y).sum() / total)
    spread = panel.y - mean if hajek else panel.y
    if hajek:
        rows = weights * spread / total
    else:
        counted = ways.keep * (panel.treated if plan.estimand == "ATT" else 1.0)
        rows = (weights * panel.y - mean * counted) / total
    if plan.se == "m-estimation":
        rows = rows + score.influence @ (score.design.T @ (slope * spread) / total)
    return mean, rows


def _everybody(panel: Panel, plan: Plan, weights: np.ndarray) -> list[Flag]:
    """Where an arm can hardly stand for everybody, if it has to."""
    return for_everybody_flags(panel, weights) if plan.estimand == "ATE" else []
