"""The room of the counterfactual: what would have happened anyway, and what the programme changed."""

from evalkit.counterfactual.analysed import (
    Bounds,
    attrition_bounds,
    attrition_weights,
    completers,
    with_attrition_weights,
)
from evalkit.counterfactual.areas.reruns import leave_one_donor_out, placebo_date
from evalkit.counterfactual.attrition import attrition_by_wave
from evalkit.counterfactual.balances import balance, for_love_plot
from evalkit.counterfactual.credit import attribution, displacement_of
from evalkit.counterfactual.deadweights import deadweight_from_levels
from evalkit.counterfactual.design import DesignStage, design_stage, study_design
from evalkit.counterfactual.effects import Effects
from evalkit.counterfactual.estimating import estimate
from evalkit.counterfactual.honest import PreTrends, honest_did, pre_trends
from evalkit.counterfactual.many.curve_tests import CurveTest, curve_test
from evalkit.counterfactual.many.curves import SpecificationCurve, specification_curve
from evalkit.counterfactual.many.fading import DropOff, stated_drop_off
from evalkit.counterfactual.many.gained import Gained, who_gained
from evalkit.counterfactual.many.persistence import Persistence, persistence
from evalkit.counterfactual.many.specifications import Specification, specifications
from evalkit.counterfactual.many.subgroups import Subgroups, subgroup_effects
from evalkit.counterfactual.matched.overlaps import Overlap, overlap
from evalkit.counterfactual.nouns import Deadweight, Estimate
from evalkit.counterfactual.of_areas import effects_from_areas
from evalkit.counterfactual.placebo_cutoffs import placebo_cutoffs
from evalkit.counterfactual.planned import estimate_effects
from evalkit.counterfactual.rates import effects_from_rates
from evalkit.counterfactual.registry import estimator, known_estimators
from evalkit.counterfactual.sensitivity import (
    Adjusted,
    EValue,
    OmittedVariable,
    Rosenbaum,
    adjusted_estimate,
    e_value,
    e_value_from_difference,
    e_value_from_odds_ratio,
    e_value_from_risk_difference,
    e_value_of,
    extreme_scenarios,
    leave_one_cluster_out,
    matched_differences,
    omitted_variable_bounds,
    partial_r2,
    placebo_outcomes,
    robustness_value,
    rosenbaum_bounds,
    trimmed,
)
from evalkit.counterfactual.taking_part import taking_part
from evalkit.counterfactual.testing import (
    Detectable,
    Equivalence,
    Finding,
    detectable_effect,
    detectable_effect_before,
    equivalence,
    finding,
    interval_at,
    joint_covariance,
)

__all__ = [
    "Adjusted",
    "Bounds",
    "CurveTest",
    "Deadweight",
    "DesignStage",
    "Detectable",
    "DropOff",
    "EValue",
    "Effects",
    "Equivalence",
    "Estimate",
    "Finding",
    "Gained",
    "OmittedVariable",
    "Overlap",
    "Persistence",
    "PreTrends",
    "Rosenbaum",
    "Specification",
    "SpecificationCurve",
    "Subgroups",
    "adjusted_estimate",
    "attribution",
    "attrition_bounds",
    "attrition_by_wave",
    "attrition_weights",
    "balance",
    "completers",
    "curve_test",
    "deadweight_from_levels",
    "design_stage",
    "detectable_effect",
    "detectable_effect_before",
    "displacement_of",
    "e_value",
    "e_value_from_difference",
    "e_value_from_odds_ratio",
    "e_value_from_risk_difference",
    "e_value_of",
    "effects_from_areas",
    "effects_from_rates",
    "equivalence",
    "estimate",
    "estimate_effects",
    "estimator",
    "extreme_scenarios",
    "finding",
    "for_love_plot",
    "honest_did",
    "interval_at",
    "joint_covariance",
    "known_estimators",
    "leave_one_cluster_out",
    "leave_one_donor_out",
    "matched_differences",
    "omitted_variable_bounds",
    "overlap",
    "partial_r2",
    "persistence",
    "placebo_cutoffs",
    "placebo_date",
    "placebo_outcomes",
    "pre_trends",
    "robustness_value",
    "rosenbaum_bounds",
    "specification_curve",
    "specifications",
    "stated_drop_off",
    "study_design",
    "subgroup_effects",
    "taking_part",
    "trimmed",
    "who_gained",
    "with_attrition_weights",
]
