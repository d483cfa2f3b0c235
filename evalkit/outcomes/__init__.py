"""What was measured: instruments scored, occasions aligned, measures clustered into domains."""

from __future__ import annotations

from evalkit.outcomes.alignment import align
from evalkit.outcomes.clustering import ClusterIndex, cluster_index
from evalkit.outcomes.instruments import score
from evalkit.outcomes.keys import measure_keys, part_of, questionnaire
from evalkit.outcomes.multiplicity import adjust, gatekeep
from evalkit.outcomes.noun import Outcomes
from evalkit.outcomes.resampled import romano_wolf, romano_wolf_from_influence
from evalkit.outcomes.scoring import reindexed, score_outcomes
from evalkit.outcomes.services import funnel_limits
from evalkit.outcomes.states import days_in_state
from evalkit.outcomes.stepdown import westfall_young
from evalkit.outcomes.weighted import WeightedViews, weighted_views

__all__ = [
    "ClusterIndex",
    "Outcomes",
    "WeightedViews",
    "adjust",
    "align",
    "cluster_index",
    "days_in_state",
    "funnel_limits",
    "gatekeep",
    "measure_keys",
    "part_of",
    "questionnaire",
    "reindexed",
    "romano_wolf",
    "romano_wolf_from_influence",
    "score",
    "score_outcomes",
    "weighted_views",
    "westfall_young",
]
