"""What was measured: instruments scored, occasions aligned, measures clustered into domains, change looked at.

Every name below works on plain DataFrames; `score_outcomes` does what a study plans.
"""

from __future__ import annotations

from evalkit.outcomes.alignment import align
from evalkit.outcomes.change.distance import DistanceByArm, DistanceTravelled, distance_by_arm, distance_travelled
from evalkit.outcomes.change.effect_size import (
    EffectSize,
    PairedEffects,
    cohens_d,
    glass_delta,
    hedges_g,
    paired_effects,
)
from evalkit.outcomes.change.expected import (
    ExpectedChange,
    MeanChange,
    expected_change,
    mean_change,
    regression_to_the_mean,
)
from evalkit.outcomes.change.ladders import FirstAndLast, first_and_last
from evalkit.outcomes.change.occasions import OccasionSummary, occasion_summary, occasion_weights, summary_shares
from evalkit.outcomes.change.reliable import (
    ReliableChange,
    ReliableChangeByArm,
    clinical_cutoff,
    reliable_change,
    reliable_change_by_arm,
)
from evalkit.outcomes.factors.cfa import FactorModel, cfa
from evalkit.outcomes.growing import Growth, VarianceComponents, growth, variance_components
from evalkit.outcomes.index.adds import what_each_adds
from evalkit.outcomes.index.clustering import ClusterIndex, cluster_index
from evalkit.outcomes.index.globaltest import GlobalTest, obrien_test
from evalkit.outcomes.items.coefficients import Reliability
from evalkit.outcomes.items.comparable import invariance, invariance_across, partial_invariance
from evalkit.outcomes.items.estimates import reliability
from evalkit.outcomes.items.onefactor import OneFactor, one_factor
from evalkit.outcomes.items.pooling import Poolable, check_poolable, pool_readings, poolable
from evalkit.outcomes.items.unbalanced import ClusterIcc, cluster_icc
from evalkit.outcomes.missing.completed import Completed, complete_sets
from evalkit.outcomes.missing.imputed import Pooled, pool, pool_frames
from evalkit.outcomes.missing.shifted import DeltaShift, delta_shift
from evalkit.outcomes.multiplicity.adjusting import adjust, design_effect, effective_n, gatekeep
from evalkit.outcomes.multiplicity.resampled import romano_wolf, romano_wolf_from_influence
from evalkit.outcomes.multiplicity.stepdown import step_down, westfall_young
from evalkit.outcomes.noun import Outcomes
from evalkit.outcomes.questionnaires.added import (
    AddedValueSummary,
    added_value,
    added_value_effect_size,
    added_value_summary,
)
from evalkit.outcomes.questionnaires.added_by_arm import AddedValueByArm, added_value_by_arm
from evalkit.outcomes.questionnaires.goals import GoalChange, goal_change
from evalkit.outcomes.questionnaires.instruments import banded, score
from evalkit.outcomes.questionnaires.keys import measure_keys, part_of, questionnaire
from evalkit.outcomes.records.care import CareProportion, care_proportion
from evalkit.outcomes.records.counts import Counted, attendance, offending, placements, share_of
from evalkit.outcomes.records.cumulative import MeanCumulative, mean_cumulative
from evalkit.outcomes.records.rates import Rates, RateSummary, rate_per_year, rate_summary
from evalkit.outcomes.records.states import days_in_state
from evalkit.outcomes.resampling.bootstrap import (
    bootstrap_means,
    bootstrap_occasion_summary,
    cluster_bootstrap,
    moments,
)
from evalkit.outcomes.resampling.bootstrap_fits import bootstrap_coefficients
from evalkit.outcomes.resampling.bootstrap_index import bootstrap_index_effect
from evalkit.outcomes.resampling.intervals import Bootstrap
from evalkit.outcomes.scoring import reindexed, score_outcomes
from evalkit.outcomes.services import Services, compare_services, funnel_limits
from evalkit.outcomes.sessions.dose import ByDose, by_dose
from evalkit.outcomes.sessions.engagement import Engagement, engagement
from evalkit.outcomes.voices.weighted import WeightedViews, weighted_views
from evalkit.outcomes.voices.whose import WhoseOutcomes, paid_measured_valued, whose_outcomes

__all__ = [
    "AddedValueByArm",
    "AddedValueSummary",
    "Bootstrap",
    "ByDose",
    "CareProportion",
    "ClusterIcc",
    "ClusterIndex",
    "Completed",
    "Counted",
    "DeltaShift",
    "DistanceByArm",
    "DistanceTravelled",
    "EffectSize",
    "Engagement",
    "ExpectedChange",
    "FactorModel",
    "FirstAndLast",
    "GlobalTest",
    "GoalChange",
    "Growth",
    "MeanChange",
    "MeanCumulative",
    "OccasionSummary",
    "OneFactor",
    "Outcomes",
    "PairedEffects",
    "Poolable",
    "Pooled",
    "RateSummary",
    "Rates",
    "Reliability",
    "ReliableChange",
    "ReliableChangeByArm",
    "Services",
    "VarianceComponents",
    "WeightedViews",
    "WhoseOutcomes",
    "added_value",
    "added_value_by_arm",
    "added_value_effect_size",
    "added_value_summary",
    "adjust",
    "align",
    "attendance",
    "banded",
    "bootstrap_coefficients",
    "bootstrap_index_effect",
    "bootstrap_means",
    "bootstrap_occasion_summary",
    "by_dose",
    "care_proportion",
    "cfa",
    "check_poolable",
    "clinical_cutoff",
    "cluster_bootstrap",
    "cluster_icc",
    "cluster_index",
    "cohens_d",
    "compare_services",
    "complete_sets",
    "days_in_state",
    "delta_shift",
    "design_effect",
    "distance_by_arm",
    "distance_travelled",
    "effective_n",
    "engagement",
    "expected_change",
    "first_and_last",
    "funnel_limits",
    "gatekeep",
    "glass_delta",
    "goal_change",
    "growth",
    "hedges_g",
    "invariance",
    "invariance_across",
    "mean_change",
    "mean_cumulative",
    "measure_keys",
    "moments",
    "obrien_test",
    "occasion_summary",
    "occasion_weights",
    "offending",
    "one_factor",
    "paid_measured_valued",
    "paired_effects",
    "part_of",
    "partial_invariance",
    "placements",
    "pool",
    "pool_frames",
    "pool_readings",
    "poolable",
    "questionnaire",
    "rate_per_year",
    "rate_summary",
    "regression_to_the_mean",
    "reindexed",
    "reliability",
    "reliable_change",
    "reliable_change_by_arm",
    "romano_wolf",
    "romano_wolf_from_influence",
    "score",
    "score_outcomes",
    "share_of",
    "step_down",
    "summary_shares",
    "variance_components",
    "weighted_views",
    "westfall_young",
    "what_each_adds",
    "whose_outcomes",
]
