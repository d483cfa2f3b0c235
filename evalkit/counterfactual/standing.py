"""How far what the estimates showed supports the design that the study names: its level of evidence."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from evalkit import evidence
from evalkit.counterfactual.gaps import largest_difference
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.registry import find_estimator
from evalkit.counterfactual.rows import no_effect
from evalkit.study.model import Counterfactual

WORST = {
    "outside_support": max,
    "pre_fit": max,
    "pre_test": min,
    "density_test": min,
    "first_stage_f": min,
    "fewest_clusters": min,
}
OTHER_NAMES = {"density_test": "density_p"}
FINDINGS = ("better", "worse", "no clear difference")


def shown_by(estimates: Mapping[str, Estimate], attrition: pd.DataFrame | None = None) -> dict[str, Any]:
    """The worst that any of the estimates showed about comparability.

    Parameters
    ----------
    estimates : dict of str to Estimate
        The planned ones by outcome.
    attrition : DataFrame, optional
        outcome, arm, share: how many of each arm have the outcome.

    Returns
    -------
    dict
        Keys that `evalkit.evidence.level` reads; only what is known.
    """
    found = list(estimates.values())
    shown: dict[str, Any] = _known("max_smd_after", max, (largest_difference(one) for one in found))
    for name, worst in WORST.items():
        shown |= _known(name, worst, (one.diagnostics.get(OTHER_NAMES.get(name, name)) for one in found))
    if attrition is not None and len(attrition):
        shares = attrition.pivot(index="outcome", columns="arm", values="share")
        shown |= _known("attrition_gap", max, (shares["treated"] - shares["comparison"]).abs())
    return shown


def _known(name: str, worst: Any, values: Iterable[Any]) -> dict[str, float]:
    numbers = [float(value) for value in values if value is not None and math.isfinite(float(value))]
    return {name: worst(numbers)} if numbers else {}


def levels(
    plan: Counterfactual, estimates: Mapping[str, Estimate], table: pd.DataFrame, attrition: pd.DataFrame | None = None
) -> dict[str, evidence.Level]:
    """The level of every outcome, by what its own estimate showed: people lost from one outcome are not lost from all.

    Parameters
    ----------
    plan : Counterfactual
        With the design, the smallest worthwhile differences and any replication.
    estimates : dict of str to Estimate
        By outcome.
    table : DataFrame
        The table of effects, with conclusions.
    attrition : DataFrame, optional
        outcome, arm, share.

    Returns
    -------
    dict of str to evidence.Level
        The most that this study alone can support, for every row of the table; the first row's is the headline's.
    """
    found = {}
    for row in table.itertuples():
        name = str(row.outcome)
        lost = None if attrition is None else attrition[attrition["outcome"] == name]
        own = {name: estimates[name]} if name in estimates else {}
        found[name] = _level_of(plan, row, shown_by(own, lost))
    return found


def _level_of(plan: Counterfactual, row: Any, shown: dict[str, Any]) -> evidence.Level:
    """Of one row of the table, its finding allowed for."""
    name = str(row.outcome)
    estimator = find_estimator(str(row.estimator)) if row.estimator else None
    if estimator is not None and not estimator.earns_level:
        return evidence.level(None)
    told: dict[str, Any] = {"estimator": row.estimator, **shown}
    none = no_effect(str(row.scale))  # a ratio's smallest worthwhile difference is a share of what would have been
    told |= {"low": row.low - none, "high": row.high - none, "better": row.better}
    told["smallest_worthwhile"] = plan.smallest_worthwhile.get(name, plan.smallest_worthwhile.get(name.split("@")[0]))
    if row.conclusion in FINDINGS:
        told["finding"] = row.conclusion
    else:  # nothing that has no interval was found to help
        told |= {"finding": "no clear difference", "no_interval": True}
    if plan.replication is not None:
        told["replication"] = plan.replication.model_dump()
    return evidence.level(plan.design, told)
