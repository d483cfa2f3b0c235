"""An estimator without weights, run on copies of people in proportion to their weights, with a bootstrap."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from evalkit.counterfactual.analysed.observing import extreme_flags, fit_observing
from evalkit.counterfactual.analysed.people import check_columns, read_arms
from evalkit.counterfactual.deadweights import Definition, deadweight_of
from evalkit.counterfactual.estimating import estimate
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.panel import codes
from evalkit.errors import EstimationError, Flag

COPIES = 4  # of a person with weight 1
MOST_FAILED = 0.1
PARTS = ("effect", "observed", "counterfactual")


def by_copies(
    frame: pd.DataFrame,
    estimator: str,
    names: tuple[str, ...],
    drawing: tuple[int, int],
    arguments: dict[str, Any],
    plain: Estimate,
) -> Estimate:
    """Run an estimator on copies in proportion to attrition weights.

    Parameters
    ----------
    frame : DataFrame
        Everyone, one row each.
    estimator : str
        Its name.
    names : tuple of str
        Covariates that tell who was lost.
    drawing : (int, int)
        Bootstrap draws and seed.
    arguments : dict
        Of `estimate`.
    plain : Estimate
        The same without weights, for numbers of people and flags.

    Returns
    -------
    Estimate
        With a bootstrap's standard error; t with clusters (or people) less 1.

    Raises
    ------
    EstimationError
        More than a tenth of the draws cannot be estimated.
    """
    check_columns(frame, [arguments["outcome"], arguments["treated"], *names])
    own = {key: value for key, value in arguments.items() if key not in ("person", "cluster")}
    people, groups = _ordered(frame, arguments)
    found, flags = _once(people, estimator, names, own)
    random, drawn = np.random.default_rng(drawing[1]), []
    rows = [np.flatnonzero(groups == group) for group in range(groups.max() + 1)]
    for _ in range(drawing[0]):
        taken = np.concatenate([rows[group] for group in random.integers(0, len(rows), len(rows))])
        try:
            again, _ = _once(people.iloc[taken].reset_index(drop=True), estimator, names, own)
        except EstimationError:
            continue
        drawn.append(
            [getattr(again, part) for part in PARTS] + [again.terms.get("values", {}).get("baseline", math.nan)]
        )
    failed = 1 - len(drawn) / drawing[0]
    if failed > MOST_FAILED:
        raise EstimationError(
            f"{failed:.0%} of the bootstrap's draws could not be estimated: too few people, or too many covariates."
        )
    return _concluded(found, plain, np.array(drawn), len(rows), flags)


def _ordered(frame: pd.DataFrame, arguments: dict[str, Any]) -> tuple[pd.DataFrame, np.ndarray]:
    """People with an arm in the order of their ids, and what is drawn together."""
    arm = read_arms(frame, arguments["treated"], arguments.get("treated_is"))
    known = ~np.isnan(arm)
    if arguments.get("cluster") is not None:
        known &= frame[arguments["cluster"]].notna().to_numpy()
    people = frame[known]
    if arguments.get("person") is not None:
        people = people.iloc[np.argsort(people[arguments["person"]].astype(str).to_numpy(), kind="stable")]
    people = people.reset_index(drop=True)
    cluster = arguments.get("cluster")
    return people, np.arange(len(people)) if cluster is None else codes(people[cluster])


def _once(
    people: pd.DataFrame, estimator: str, names: tuple[str, ...], own: dict[str, Any]
) -> tuple[Estimate, list[Flag]]:
    """Weights, copies, estimate."""
    arm = read_arms(people, own["treated"], own.get("treated_is"))
    read = people[own["outcome"]].notna().to_numpy(float)
    models = fit_observing(people[list(names)], read, arm)
    weights = np.zeros(len(people))
    for model in models:
        weights[model.rows] = read[model.rows] / model.probability
    ends = np.floor(np.cumsum(weights * COPIES) + 0.5).astype(int)
    copies = people.loc[np.repeat(np.arange(len(people)), np.diff(ends, prepend=0))].reset_index(drop=True)
    return estimate(copies, estimator, **own), extreme_flags(models, read)


def _concluded(found: Estimate, plain: Estimate, drawn: np.ndarray, groups: int, flags: list[Flag]) -> Estimate:
    """Interval and deadweight from the draws."""
    spread = (drawn - drawn.mean(axis=0)) / math.sqrt(len(drawn) - 1)
    se, df = float(np.sqrt((spread[:, 0] ** 2).sum())), float(groups - 1)
    critical = float(stats.t.ppf(0.5 + found.level / 2, df))
    names = [*PARTS, "baseline"]
    values = {name: float(found.terms["values"][name]) for name in names if name in found.terms.get("values", {})}
    values = values or {name: getattr(found, name) for name in PARTS}
    parts = {name: spread[:, place] for place, name in enumerate(names) if name in values}
    deadweight, why = found.deadweight, found.why_no_deadweight
    if deadweight is not None:
        says = deadweight.method.partition(";")[0]
        definition = Definition(found.terms["top"], found.terms["bottom"], says)
        deadweight, why = deadweight_of(definition, values, parts, critical)
    return replace(
        plain,
        effect=found.effect,
        se=se,
        low=found.effect - critical * se,
        high=found.effect + critical * se,
        p=float(2 * stats.t.sf(abs(found.effect) / se, df)) if se > 0 else math.nan,
        df=df,
        observed=found.observed,
        counterfactual=found.counterfactual,
        deadweight=deadweight,
        why_no_deadweight=why,
        influence=None,
        balance=found.balance,
        diagnostics={**found.diagnostics, "dropped": plain.diagnostics.get("dropped"), "draws": len(drawn)},
        flags=tuple(flags),
    )
