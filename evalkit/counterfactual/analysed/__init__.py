"""Who is analysed: completers, people who were lost, and how far they could change the finding."""

from evalkit.counterfactual.analysed.bounds import Bounds, attrition_bounds, imbens_manski
from evalkit.counterfactual.analysed.completing import completers
from evalkit.counterfactual.analysed.weights import attrition_weights, with_attrition_weights

__all__ = [
    "Bounds",
    "attrition_bounds",
    "attrition_weights",
    "completers",
    "imbens_manski",
    "with_attrition_weights",
]
