"""What was measured: instruments scored, occasions aligned, measures clustered into domains."""

from __future__ import annotations

from evalkit.outcomes.alignment import align
from evalkit.outcomes.clustering import ClusterIndex, cluster_index
from evalkit.outcomes.instruments import score
from evalkit.outcomes.multiplicity import adjust
from evalkit.outcomes.noun import Outcomes
from evalkit.outcomes.scoring import reindexed, score_outcomes
from evalkit.outcomes.states import days_in_state

__all__ = [
    "ClusterIndex",
    "Outcomes",
    "adjust",
    "align",
    "cluster_index",
    "days_in_state",
    "reindexed",
    "score",
    "score_outcomes",
]
