"""The room of the counterfactual: what would have happened anyway, and what the programme changed."""

from evalkit.counterfactual.balances import balance
from evalkit.counterfactual.estimating import estimate
from evalkit.counterfactual.nouns import Deadweight, Estimate
from evalkit.counterfactual.registry import estimator, known_estimators
from evalkit.counterfactual.sensitivity import e_value, robustness_value

__all__ = ["Deadweight", "Estimate", "balance", "e_value", "estimate", "estimator", "known_estimators", "robustness_value"]
