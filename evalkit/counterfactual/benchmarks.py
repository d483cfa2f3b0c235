"""Estimates set against an experiment, with shared people counted once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats

from evalkit.counterfactual.effects import cluster_of
from evalkit.counterfactual.estimating import estimate
from evalkit.counterfactual.nouns import Estimate

if TYPE_CHECKING:
    from evalkit.outcomes import Outcomes
    from evalkit.study.model import Counterfactual

Analyses = list[tuple[dict[str, Any], Estimate]]


def benchmark_table(outcomes: Outcomes, plan: Counterfactual, by_outcome: dict[str, Analyses]) -> pd.DataFrame | None:
    """Compare every analysis of the benchmark's outcome with the experiment's difference in means.

    Parameters
    ----------
    outcomes : Outcomes
        With the study, whose tables hold the experiment.
    plan : Counterfactual
        With a benchmark, or without: then None.
    by_outcome : dict
        Analyses (row of ``Effects.also``, estimate) by outcome.

    Returns
    -------
    DataFrame or None
        id, says, estimator, estimate, se, low, high, benchmark, benchmark_se, difference, difference_low,
        difference_high, includes_zero. The benchmark's standard error is the classical one, as experiments print it;
        the difference's interval rests on robust contributions, joined by person.
    """
    if plan.benchmark is None:
        return None
    name = next(
        (key for key in by_outcome if key in (plan.benchmark.outcome, outcomes.find(plan.benchmark.outcome))), None
    )
    if name is None:
        return None
    experiment = _experiment(outcomes, plan)
    columns = {"outcome": plan.benchmark.column, "treated": plan.benchmark.treated, "person": plan.benchmark.person}
    robust = estimate(experiment, "difference", level=plan.level, **columns)
    classical = estimate(experiment, "difference", level=plan.level, se="classical", **columns)
    rows = [
        _row(outcomes, about, found, robust, classical)
        for about, found in by_outcome[name]
        if found.influence is not None
    ]
    return pd.DataFrame(rows)


def _experiment(outcomes: Outcomes, plan: Counterfactual) -> pd.DataFrame:
    """The experiment's table."""
    name = plan.benchmark.table  # type: ignore[union-attr]
    if name in outcomes.cohort.tables:
        return outcomes.cohort.tables[name]
    from evalkit.tables import read_tables

    return read_tables(outcomes.cohort.study, [name])[name]  # type: ignore[arg-type]


def _row(
    outcomes: Outcomes, about: dict[str, Any], found: Estimate, robust: Estimate, classical: Estimate
) -> dict[str, Any]:
    """One analysis against the experiment."""
    both = pd.concat([_contributions(found), -_contributions(robust)], axis=1).fillna(0.0).sum(axis=1)
    groups = cluster_of(outcomes, both.index)
    se = math.sqrt(float((both.groupby(groups.to_numpy()).sum() ** 2).sum()))
    critical = float(stats.t.ppf(0.5 + found.level / 2, np.fmin(found.df, robust.df)))
    difference = found.effect - robust.effect
    low, high = difference - critical * se, difference + critical * se
    return {
        "id": about["id"],
        "says": about["says"],
        "estimator": found.estimator,
        "estimate": found.effect,
        "se": found.se,
        "low": found.low,
        "high": found.high,
        "benchmark": robust.effect,
        "benchmark_se": classical.se,
        "difference": difference,
        "difference_low": low,
        "difference_high": high,
        "includes_zero": bool(low <= 0 <= high),
    }


def _contributions(found: Estimate) -> pd.Series:
    """Each person's contribution to the effect."""
    return pd.DataFrame(found.influence)["effect"]
