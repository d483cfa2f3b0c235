"""The headline as each group of people would weigh it, from the effects and what they share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evalkit.counterfactual.effects import sums_by_cluster
from evalkit.counterfactual.nouns import Estimate
from evalkit.errors import EvalkitError, Flag
from evalkit.outcomes import WeightedViews, weighted_views

if TYPE_CHECKING:
    from evalkit.outcomes import Outcomes


def views_of(outcomes: Outcomes, found: dict[str, Estimate], level: float) -> tuple[WeightedViews | None, list[Flag]]:
    """Weigh the planned effects by the views of the study's constituencies.

    Parameters
    ----------
    outcomes : Outcomes
        With the study.
    found : dict of str to Estimate
        Planned estimates by outcome.
    level : float
        Of the intervals.

    Returns
    -------
    (WeightedViews or None, list of Flag)
        In SD of the comparison, better to the right; None without constituencies, or where no view names an outcome
        that was estimated.
    """
    study = outcomes.cohort.study
    if study is None or not study.constituency:
        return None, []
    known = {name: estimate for name, estimate in found.items() if estimate.influence is not None}
    if not known:
        text = "The views of who counts could not be weighed: no effect has a sampling distribution."
        return None, [Flag("counterfactual", "caution", text)]
    scale = {name: _scale(outcomes, name) for name in known}
    names = {name: outcomes.find(name) for name in known}
    effects = pd.DataFrame(
        {
            "measure": list(known),
            "effect": [known[name].effect * scale[name] for name in known],
            "se": [known[name].se * abs(scale[name]) for name in known],
            "df": [known[name].df for name in known],
        }
    )
    views = pd.DataFrame([_view(outcomes, one.views, names) for one in study.constituency],
                         index=[one.id for one in study.constituency]).fillna(0.0)  # fmt: skip
    weights = {one.id: one.weight for one in study.constituency}
    try:
        told = weighted_views(effects, views, weights, _covariance(outcomes, known, scale), level)
    except EvalkitError as reason:
        return None, [Flag("counterfactual", "caution", "The views of who counts could not be weighed.", str(reason))]
    return told, list(told.flags)


def _view(outcomes: Outcomes, views: dict[str, float], names: dict[str, str]) -> dict[str, float]:
    """A view by the planned name of each outcome: "wellbeing" means the planned "wellbeing@m12"."""
    stems = {name.partition("@")[0]: name for name in names}
    keys = {key: name for name, key in names.items()}
    return {keys.get(name, stems.get(name.partition("@")[0], name)): weight for name, weight in views.items()}


def _scale(outcomes: Outcomes, name: str) -> float:
    """What turns an effect into SD of the comparison, better to the right."""
    told = outcomes.describe(name)
    sign = -1.0 if told["better"] == "lower" else 1.0
    if told["kind"] == "domain":
        return sign
    treated = outcomes.cohort.table["treated"].to_numpy(dtype=float, na_value=np.nan)
    spread = float(np.nanstd(outcomes.wide[told["key"]].to_numpy()[treated == 0], ddof=1))
    return sign / spread if spread > 0 else np.nan


def _covariance(outcomes: Outcomes, known: dict[str, Estimate], scale: dict[str, float]) -> pd.DataFrame:
    """Of the scaled effects, from what each cluster (or person) contributes to all of them."""
    parts = {name: estimate.influence["effect"] * scale[name] for name, estimate in known.items()}  # type: ignore[index]
    sums = sums_by_cluster(outcomes, parts)
    return sums.T @ sums
