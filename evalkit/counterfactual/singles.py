"""Each measure of a domain beside the domain's index, in the unit of the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalkit.counterfactual.asked import planned_analysis, run
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.registry import find_estimator
from evalkit.counterfactual.together import step_down
from evalkit.errors import EvalkitError, Flag

if TYPE_CHECKING:
    from evalkit.outcomes import Outcomes
    from evalkit.study.model import Counterfactual

COLUMNS = [
    *["domain", "measure", "title", "occasion_title", "effect", "se", "low", "high", "p", "p_adjusted", "n"],
    *["adjusted_by", "verdict"],
]


def single_measures(
    outcomes: Outcomes, plan: Counterfactual, names: list[str], chosen: dict[str, str]
) -> tuple[pd.DataFrame, list[Flag]]:
    """Estimate every single measure of every domain.

    Parameters
    ----------
    outcomes : Outcomes
        With the study.
    plan : Counterfactual
        The same estimator is used, unless it needs two times: then the plain difference.
    names : list of str
        Planned outcomes; those that are no domain are passed over.
    chosen : dict
        Outcomes with an estimator of their own.

    Returns
    -------
    (DataFrame, list of Flag)
        Effects in SD of the reference, better to the right, with p adjusted within each domain (``adjusted_by`` says
        how); flags for those that could not be estimated.
    """
    tables, flags = [], []
    for name in names:
        key = outcomes.find(name)
        if key not in outcomes.domains:
            continue
        rows, found = [], {}
        for measure, sd in _measures(outcomes, key).items():
            try:
                found[measure] = _estimate(outcomes, plan, chosen.get(name, plan.estimator), measure)
            except EvalkitError as error:
                flags.append(
                    Flag("counterfactual", "note", "A single measure could not be estimated.", str(error), measure)
                )
                continue
            rows.append(_row(outcomes, found[measure], measure, sd) | {"domain": name})
        table = pd.DataFrame(rows, columns=COLUMNS)
        if found:
            table["p_adjusted"], table["adjusted_by"] = step_down(outcomes, plan, found)
        tables.append(table)
    return (pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS)), flags


def _measures(outcomes: Outcomes, key: str) -> dict[str, float]:
    """The wide keys of a domain's measures and the reference SD of each."""
    index = outcomes.domains[key]
    occasion = key.partition("@")[2]
    found = {}
    for name, sd in index.sd.items():
        wide = name if name in outcomes.wide else f"{name}@{occasion}" if occasion else outcomes.find(str(name))
        if wide in outcomes.wide:
            found[str(wide)] = float(sd)
    return found


def _estimate(outcomes: Outcomes, plan: Counterfactual, estimator: str, key: str) -> Estimate:
    """One measure by the planned estimator, or by the plain difference where that one needs two times."""
    entry = find_estimator(estimator)
    name = "difference" if entry.before_and_after or not entry.persons else estimator
    return run(outcomes, key, planned_analysis(plan, name))


def _row(outcomes: Outcomes, found: Estimate, key: str, sd: float) -> dict[str, Any]:
    """One measure in the unit of the reference."""
    told = outcomes.describe(key)
    scale = (-1 if told["better"] == "lower" else 1) / sd if sd > 0 else np.nan
    low, high = sorted((found.low * scale, found.high * scale))
    return {
        "measure": key,
        "title": told["title"],
        "occasion_title": told["occasion_title"],
        "effect": found.effect * scale,
        "se": found.se * abs(scale),
        "low": low,
        "high": high,
        "p": found.p,
        "n": found.n_treated + found.n_comparison,
    }
