"""Each measure of a domain beside the domain's index, in the unit of the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalkit.counterfactual.registry import find_estimator
from evalkit.counterfactual.rows import holm
from evalkit.errors import EvalkitError, Flag

if TYPE_CHECKING:
    from evalkit.outcomes import Outcomes
    from evalkit.study.model import Counterfactual

COLUMNS = ["domain", "measure", "title", "occasion_title", "effect", "se", "low", "high", "p", "p_adjusted", "n"]


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
        Effects in SD of the reference, better to the right, with Holm's p within each domain; flags for those that
        could not be estimated.
    """
    tables, flags = [], []
    for name in names:
        key = outcomes.find(name)
        if key not in outcomes.domains:
            continue
        rows = []
        for measure, sd in _measures(outcomes, key).items():
            try:
                rows.append(_row(outcomes, plan, chosen.get(name, plan.estimator), measure, sd) | {"domain": name})
            except EvalkitError as error:
                flags.append(
                    Flag("counterfactual", "note", "A single measure could not be estimated.", str(error), measure)
                )
        table = pd.DataFrame(rows, columns=COLUMNS)
        tables.append(table.assign(p_adjusted=holm(table["p"]) if len(table) else None))
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


def _row(outcomes: Outcomes, plan: Counterfactual, estimator: str, key: str, sd: float) -> dict[str, Any]:
    """One measure."""
    from evalkit.counterfactual.planned import planned_analysis, run

    entry = find_estimator(estimator)
    name = "difference" if entry.before_and_after or not entry.persons else estimator
    found = run(outcomes, key, planned_analysis(plan, name))
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
