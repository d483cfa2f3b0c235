"""Nearest-neighbour matching, with or without replacement."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from evalkit import disclosure
from evalkit.counterfactual.inference import conclude
from evalkit.counterfactual.matched.dropped import who_was_dropped
from evalkit.counterfactual.matched.pairs import Pairs, check_options, pair_up
from evalkit.counterfactual.matched.variance import by_sets, shared
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.panel import Panel, Plan
from evalkit.counterfactual.registry import estimator
from evalkit.counterfactual.scores import describe_weights, propensity
from evalkit.errors import Flag

OPTIONS = {"distance": "score", "caliper": None, "ratio": 1, "replacement": False, "exact": (), "adjust": False}
AGAIN = {"ties": "first", "tolerance": 0.0, "own_neighbours": 2}  # for matching with replacement
UNITS = {"score": "score", "logit": "logit of the score", "mahalanobis": "logit of the score"}


@estimator(
    "matching",
    options=OPTIONS | AGAIN,
    se=("pairs", "abadie-imbens"),
    clustered_se="pairs",
    says="each treated person beside the most similar comparison person",
)
def matching(panel: Panel, plan: Plan) -> Estimate:
    """Largest score first, nearest comparison left, ties by ascending id; standard error clustered by matched set.

    The effect is that on the treated who were matched. A caliper is in standard deviations (over all people, ddof 1)
    of the distance used; with Mahalanobis distance, of the logit of the score (Rosenbaum and Rubin 1985). ``ratio`` is
    how many different comparison people each treated person gets, as far as there are any. With clusters, two-way by
    set and cluster (Cameron, Gelbach and Miller 2011), never below either one-way.

    With replacement comparison people are shared, and the standard error is that of Abadie and Imbens (2006).
    ``ties="all"`` shares equally among all who are as near as the last one taken (squared distance within
    ``tolerance``, in variances of the score); ``own_neighbours`` is how many of the comparison tell how much outcomes
    vary among people alike, 0 for one variance for everybody.
    """
    plan = _with_its_error(plan)
    check_options(plan)
    pairs = pair_up(panel, plan, propensity(panel))
    effect, rows, df = (shared if plan.options["replacement"] else by_sets)(panel, plan, pairs)
    weights = pairs.used(len(panel.y))
    matched, treated = weights > 0, (weights > 0) & (panel.treated == 1)
    found, flags = describe_weights(panel, None, weights)
    observed = float(panel.y[treated].mean())
    spread = np.where(treated, panel.y - observed, 0.0) / treated.sum() * math.sqrt(treated.sum() / (treated.sum() - 1))
    dropped, said = who_was_dropped(panel, treated)
    told = _told(panel, plan, pairs)
    return conclude(
        panel,
        plan,
        effect,
        {"effect": rows, "observed": spread},
        df,
        observed=observed,
        analysed=matched,
        n_treated=int(treated.sum()),
        n_comparison=int((matched & (panel.treated == 0)).sum()),
        balance=found.pop("balance"),
        diagnostics=found | told | dropped,
        flags=[*_unmatched(panel, treated), *said, *_tied_flags(plan, told), *flags],
    )


def _with_its_error(plan: Plan) -> Plan:
    """The standard error that goes with the kind of matching, where none was asked for."""
    return replace(plan, se="abadie-imbens") if plan.options["replacement"] and plan.se == "pairs" else plan


def _told(panel: Panel, plan: Plan, pairs: Pairs) -> dict[str, Any]:
    """Counts, distances and reuse of the pairs."""
    used = pairs.used(len(panel.y))
    treated = int((panel.treated == 1).sum())
    times = np.bincount(pairs.none)
    matched = len(np.unique(pairs.one))
    unit = UNITS[plan.options["distance"]]
    caliper = None if pairs.width is None else f"{plan.options['caliper']} standard deviations of the {unit}"
    people = pd.DataFrame(
        {
            "treated": panel.person[pairs.one],
            "comparison": panel.person[pairs.none],
            "share": pairs.share,
            "distance": pairs.distance,
        }
    )
    return {
        "pairs": matched,
        "dropped_treated": treated - matched,
        "matches": people,
        "max_distance": float(pairs.distance.max()),
        "caliper": caliper,
        "caliper_width": pairs.width,
        "most_used": int(times.max()),
        "most_used_weight": float(used[panel.treated == 0].max()),
        "tied": _tied(panel, plan, pairs),
    }


def _tied(panel: Panel, plan: Plan, pairs: Pairs) -> float:
    """The share of pairs that only the order of ids decided: somebody with the very same score was left."""
    if plan.options["ties"] == "all":
        return 0.0
    everybody, counts = np.unique(pairs.line[panel.treated == 0], return_counts=True)
    chosen, times = np.unique(pairs.line[np.unique(pairs.none)], return_counts=True)
    left = counts[np.searchsorted(everybody, chosen)] > times
    return float(left[np.searchsorted(chosen, pairs.line[pairs.none])].mean())


def _tied_flags(plan: Plan, told: dict[str, Any]) -> list[Flag]:
    """Say how far the order of ids decided who was matched."""
    share = told["tied"]
    if not share > 0.05:
        return []
    decided = "the order of their ids decided" if plan.options["replacement"] else "the lowest ids were taken"
    text = f"For some pairs several comparison people were equally near, and {decided}."
    about = f"About {5 * round(20 * share)}% of the pairs; other ids could give another estimate."
    remedy = 'Weighting, or replacement = True with ties = "all", uses all of them.'
    return [Flag("counterfactual", "caution" if share > 0.25 else "note", text, f"{about} {remedy}")]


def _unmatched(panel: Panel, treated: np.ndarray) -> list[Flag]:
    """Treated people who found nobody: the effect is then not that of all treated."""
    lost = int((panel.treated == 1).sum() - treated.sum())
    if not lost:
        return []
    share = disclosure.roughly(lost, int((panel.treated == 1).sum()))
    who = f"{share[:1].upper()}{share[1:]} of the treated"
    text = f"{who} found no comparison person near enough and are not in this estimate."
    return [Flag("counterfactual", "caution", text, "The effect is that of the treated who could be matched.")]
