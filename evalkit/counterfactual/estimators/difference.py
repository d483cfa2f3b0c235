"""The plain difference between the arms."""

from __future__ import annotations

import numpy as np

from evalkit.counterfactual.inference import conclude
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.panel import Panel, Plan
from evalkit.counterfactual.registry import estimator
from evalkit.linear import degrees_of_freedom, least_squares, row_contributions


@estimator(
    "difference",
    adjusts=False,
    assumes="random assignment",
    says="difference between the arms' means, nothing adjusted for",
)
def difference(panel: Panel, plan: Plan) -> Estimate:
    """Difference in means by least squares on the arm."""
    fit = least_squares(panel.y, np.column_stack([np.ones(len(panel.y)), panel.treated]))
    effect, observed = np.array([0.0, 1.0]), np.array([1.0, 1.0])
    rows = {
        "effect": row_contributions(fit, effect, plan.se, panel.cluster),
        "observed": row_contributions(fit, observed, plan.se, panel.cluster),
    }
    df = degrees_of_freedom(fit, effect, plan.se, panel.cluster)
    return conclude(panel, plan, float(fit.beta[1]), rows, df)
