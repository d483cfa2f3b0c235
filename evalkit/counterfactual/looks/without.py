"""The estimate without some of the people: one cluster at a time, and those at the edges."""

from __future__ import annotations

from evalkit.counterfactual.looks.base import Seen, View, look
from evalkit.counterfactual.registry import find_estimator
from evalkit.counterfactual.sensitivity import leave_one_cluster_out, trimmed
from evalkit.errors import Flag

MOST = 200  # clusters: with more of them one cannot decide the result
WEIGHTED = ("ipw", "aipw", "matching", "entropy balancing")
SHARES = (0.0, 0.01, 0.05)


@look("without one cluster")
def without_one(view: View) -> tuple[Seen | None, list[Flag]]:
    """The first outcome without each cluster in turn."""
    asked = view.asked(view.first)
    cluster = asked.arguments.get("cluster")
    if cluster is None or not 2 < asked.frame[cluster].nunique() <= MOST:
        return None, []
    return view.seen(view.first, leave_one_cluster_out(asked.frame, asked.estimator, **asked.arguments)), []


@look("without the edges")
def without_edges(view: View) -> tuple[Seen | None, list[Flag]]:
    """The first outcome without people of extreme scores, where scores decide who counts how much."""
    asked = view.asked(view.first)
    if find_estimator(asked.estimator).name not in WEIGHTED or not asked.arguments.get("covariates"):
        return None, []
    return view.seen(view.first, trimmed(asked.frame, asked.estimator, SHARES, **asked.arguments)), []
