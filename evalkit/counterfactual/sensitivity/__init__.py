"""How much an effect depends on what was not measured, on few people, and on what should not have changed."""

from evalkit.counterfactual.sensitivity.bounds import OmittedVariable, omitted_variable_bounds
from evalkit.counterfactual.sensitivity.clusters import leave_one_cluster_out
from evalkit.counterfactual.sensitivity.evalues import (
    EValue,
    e_value,
    e_value_from_difference,
    e_value_from_odds_ratio,
    e_value_from_risk_difference,
    e_value_of,
)
from evalkit.counterfactual.sensitivity.omitted import (
    Adjusted,
    adjusted_estimate,
    extreme_scenarios,
    partial_r2,
    robustness_value,
)
from evalkit.counterfactual.sensitivity.placebos import placebo_outcomes
from evalkit.counterfactual.sensitivity.rosenbaum import Rosenbaum, matched_differences, rosenbaum_bounds
from evalkit.counterfactual.sensitivity.trimming import trimmed

__all__ = [
    "Adjusted",
    "EValue",
    "OmittedVariable",
    "Rosenbaum",
    "adjusted_estimate",
    "e_value",
    "e_value_from_difference",
    "e_value_from_odds_ratio",
    "e_value_from_risk_difference",
    "e_value_of",
    "extreme_scenarios",
    "leave_one_cluster_out",
    "matched_differences",
    "omitted_variable_bounds",
    "partial_r2",
    "placebo_outcomes",
    "robustness_value",
    "rosenbaum_bounds",
    "trimmed",
]
