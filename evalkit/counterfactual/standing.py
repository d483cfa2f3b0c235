"""How far what the estimates showed supports the design that the study names: its level of evidence."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from evalkit import evidence
from evalkit.counterfactual.gaps import largest_difference
from evalkit.counterfactual.nouns import Estimate
from evalkit.study.model import Counterfactual

WORST = {"outside_support": max, "pre_fit": max, "pre_test": min, "density_test": min, "first_stage_f": min}
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
        shown |= _known(name, worst, (one.diagnostics.get(name) for one in found))
    shown |= _known("fewest_clusters", min, (one.diagnostics.get("fewest_clusters") for one in found))
    if attrition is not None and len(attrition):
        shares = attrition.pivot(index="outcome", columns="arm", values="share")
        shown |= _known("attrition_gap", max, (shares["treated"] - shares["comparison"]).abs())
    return shown


def _known(name: str, worst: Any, values: Iterable[Any]) -> dict[str, float]:
    numbers = [float(value) for value in values if value is not None and math.isfinite(float(value))]
    return {name: worst(numbers)} if numbers else {}


def level_of(plan: Counterfactual, shown: dict[str, Any], table: pd.DataFrame) -> evidence.Level:
    """The level that the study earns, the finding of its first outcome allowed for.

    Parameters
    ----------
    plan : Counterfactual
        With the design, the smallest worthwhile differences and any replication.
    shown : dict
        From `shown_by`.
    table : DataFrame
        The table of effects; its first row is the primary outcome's.

    Returns
    -------
    evidence.Level
        The most that this study alone can support.
    """
    told: dict[str, Any] = {"estimator": plan.estimator, **shown}
    if len(table):
        first = table.iloc[0]
        name = str(first["outcome"])
        told |= {"low": first["low"], "high": first["high"], "better": first["better"]}
        told["smallest_worthwhile"] = plan.smallest_worthwhile.get(
            name, plan.smallest_worthwhile.get(name.split("@")[0])
        )
        told |= {"finding": first["conclusion"]} if first["conclusion"] in FINDINGS else {}
    if plan.replication is not None:
        told["replication"] = plan.replication.model_dump()
    return evidence.level(plan.design, told)
