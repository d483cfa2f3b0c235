"""The plain difference between the arms."""

from __future__ import annotations

import numpy as np

from evalkit.counterfactual.few_events import by_scores, few_events
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.panel import Panel, Plan
from evalkit.counterfactual.registry import REGRESSION, estimator
from evalkit.counterfactual.resampled import RESAMPLED, conclude_regression
from evalkit.linear import least_squares


@estimator(
    "difference",
    options={"weights": "auto"},
    se=(*REGRESSION, *RESAMPLED),
    adjusts=False,
    assumes="random assignment",
    says="difference between the arms' means, nothing adjusted for",
)
def difference(panel: Panel, plan: Plan) -> Estimate:
    """Difference in means by least squares on the arm; a yes/no with few events gets Newcombe's interval."""
    fit = least_squares(panel.y, np.column_stack([np.ones(len(panel.y)), panel.treated]))
    contrasts = {"effect": np.array([0.0, 1.0]), "observed": np.array([1.0, 1.0])}
    found = conclude_regression(panel, plan, fit, contrasts)
    shares = few_events(panel, plan)
    return found if shares is None else by_scores(found, shares, plan)
