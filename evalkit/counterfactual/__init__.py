"""The room of the counterfactual: what would have happened anyway, and what the programme changed."""

from evalkit.counterfactual.balances import balance
from evalkit.counterfactual.effects import Effects
from evalkit.counterfactual.estimating import estimate
from evalkit.counterfactual.nouns import Deadweight, Estimate
from evalkit.counterfactual.of_areas import effects_from_areas
from evalkit.counterfactual.planned import estimate_effects
from evalkit.counterfactual.rates import effects_from_rates
from evalkit.counterfactual.registry import estimator, known_estimators
from evalkit.counterfactual.sensitivity import e_value, robustness_value

__all__ = [
    "Deadweight",
    "Effects",
    "Estimate",
    "balance",
    "e_value",
    "effects_from_areas",
    "effects_from_rates",
    "estimate",
    "estimate_effects",
    "estimator",
    "known_estimators",
    "robustness_value",
]
