"""Augmented inverse probability weighting: right if either the score or the outcome model is right."""

from __future__ import annotations

import numpy as np

from evalkit.counterfactual.arms import allow_for_skew, freedom_for_size, skew_flags
from evalkit.counterfactual.inference import conclude
from evalkit.counterfactual.matched.models import check_models, expected_outcome, leverage, score_of
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.panel import Panel, Plan
from evalkit.counterfactual.registry import estimator
from evalkit.counterfactual.scores import describe_weights, for_everybody_flags

MODELS = {"outcome_model": "linear", "score_model": "logit", "folds": 5, "seed": 0}


@estimator(
    "aipw",
    options={"normalise": True, **MODELS},
    se=("influence", "m-estimation"),  # two names of one: contributions that count score and outcome model
    clustered_se="influence",
    estimands=("ATT", "ATE"),
    says="weighting and regression together: right if either model is right",
)
def aipw(panel: Panel, plan: Plan) -> Estimate:
    """Logit score and linear outcome model; standard error from the influence function, allowing for small arms.

    ``outcome_model`` may be "linear", "logit" (yes/no outcomes), an object with fit and predict (predict_proba where it
    has one), or a function (x, y, x_new) -> predictions; ``score_model`` likewise with "logit". A model of the user's
    is cross-fitted over ``folds``, drawn from ``seed`` and the ids, whole clusters together, so that nobody is
    predicted by a model that learnt from him or her (Chernozhukov and others 2018, Econometrics Journal 21).
    """
    check_models(plan)
    score = score_of(panel, plan)
    run = _ate if plan.estimand == "ATE" else _att
    effect, observed, rows, observed_rows, weights = run(panel, plan, score.probability)
    ate = plan.estimand == "ATE"
    scale, df = freedom_for_size(panel, rows, weights, () if ate else ("comparison",))
    skew = allow_for_skew(panel, rows * scale) if ate else 1.0
    scale = scale * skew
    found, flags = describe_weights(panel, score, weights)
    flags += [*for_everybody_flags(panel, weights), *skew_flags(skew)] if ate else []
    return conclude(
        panel,
        plan,
        effect,
        {"effect": rows * scale, "observed": observed_rows * scale},
        df,
        observed=observed,
        balance=found.pop("balance"),
        skew_counted=skew > 1,
        diagnostics=found,
        flags=flags,
    )


def _att(panel: Panel, plan: Plan, e: np.ndarray) -> tuple:
    """Average effect on the treated."""
    t, n1 = panel.treated, panel.treated.sum()
    residual = panel.y - expected_outcome(panel, plan, 0.0)
    weights = (1 - t) * e / (1 - e)
    total = weights.sum() if plan.options["normalise"] else n1
    effect = float((t * residual).sum() / n1 - (weights * residual).sum() / total)
    rows = (t * (residual - effect) - weights * residual) / n1
    observed = float((t * panel.y).sum() / n1)
    return effect, observed, rows, t * (panel.y - observed) / n1, t + weights


def _ate(panel: Panel, plan: Plan, e: np.ndarray) -> tuple:
    """Average effect on everybody; observed is then the estimated mean had all been treated.

    Those who weigh much are unlike the rest of their arm, so they pull its model towards themselves: contributions are
    of residuals from the model without the person (as in HC3), or intervals would be too short.
    """
    t, n = panel.treated, len(panel.y)
    means, rows = [], []
    for arm, weights in ((1.0, t / e), (0.0, (1 - t) / (1 - e))):
        expected = expected_outcome(panel, plan, arm)
        total = weights.sum() if plan.options["normalise"] else n
        part = weights * (panel.y - expected)
        mean = float(expected.mean() + part.sum() / total)
        means.append(mean)
        rows.append((expected - mean + part / (1 - leverage(panel, plan, arm))) / n)
    return means[0] - means[1], means[0], rows[0] - rows[1], rows[0], t / e + (1 - t) / (1 - e)
