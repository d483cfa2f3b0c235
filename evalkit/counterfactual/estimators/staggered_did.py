"""Staggered difference in differences: units that start treatment at different times (Callaway and Sant'Anna)."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.counterfactual.areas import grouptimes
from evalkit.counterfactual.areas.cohorts import Cohorts, read_cohorts
from evalkit.counterfactual.areas.eventstudy import (
    event_study,
    every_aggregate,
    group_time,
    joint_covariance,
    part_by_part,
    pre_test,
    two_way,
)
from evalkit.counterfactual.areas.grouptimes import AGGREGATES, Cells, Summed
from evalkit.counterfactual.inference import conclude
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.panel import Panel, Plan
from evalkit.counterfactual.registry import estimator
from evalkit.errors import EstimationError, Flag, did_you_mean, several

CHOICES = {
    "comparison": ("never treated", "not yet treated"),
    "aggregate": AGGREGATES,
    "method": ("dr", "ipw", "reg"),
    "base": ("varying", "universal"),
}
FEW_UNITS, WIDENED = 8, 1.05
# Scores below are set to it. Weighting alone would be moved by the library's .01 where cohorts are small (R's did moves
# none); beside an outcome model it hardly matters.
LEAST_SCORE = {True: 1e-6, False: 0.01}


@estimator(
    "staggered did",
    options={
        "comparison": "never treated",
        "aggregate": "simple",
        "method": "dr",
        "base": "varying",
        "unbalanced": "complete units",
    },
    se=("influence",),
    clustered_se="influence",
    data="panel",
    needs=("time", "unit", "first_treated"),
    comparison=False,
    assumes="parallel trends",
    says="changes of units treated at different times less those of units not treated, cohort by cohort",
)
def staggered_did(panel: Panel, plan: Plan) -> Estimate:
    """Effects by cohort and time, summed up as ``aggregate`` says; units are independent, or clusters where given.

    ``se`` is the analytic one of published software; the interval and p-value use degrees of freedom low enough to
    allow for small cohorts (Welch's over cohorts, each spread divided by its units less one).
    """
    plan = replace(plan, options=_chosen(plan.options))
    cohorts = read_cohorts(panel, plan)
    if len(cohorts.units) < FEW_UNITS:
        raise EstimationError(
            f"{len(cohorts.units)} units are too few for an honest interval of staggered did ({FEW_UNITS} or more are "
            'needed). Use "synthetic control" for one or two treated units, or report the cohorts as cases.'
        )
    cells, flags = fit_cells(panel, cohorts, plan, plan.options["base"])
    found = grouptimes.aggregate(cells, plan.options["aggregate"])
    diagnostics, more = _describe(panel, plan, cells)
    return _conclude(panel, plan, cells, found, (diagnostics, [*cohorts.flags, *flags, *more]))


def _chosen(options: dict[str, Any]) -> dict[str, Any]:
    """The options, with every word known."""
    tidy, problems = dict(options), []
    for name, allowed in CHOICES.items():
        said = " ".join(str(options[name]).replace("_", " ").replace("-", " ").lower().split())
        tidy[name] = {word.replace(" ", ""): word for word in allowed}.get(said.replace(" ", ""), said)
        if tidy[name] not in allowed:
            problems.append(f'{name} = "{options[name]}" is not known. {did_you_mean(tidy[name], allowed)}')
    if problems:
        raise EstimationError(several("the estimate", problems))
    return tidy


def fit_cells(panel: Panel, cohorts: Cohorts, plan: Plan, base: str) -> tuple[Cells, list[Flag]]:
    """Estimate every cohort's effect at every time, through diff-diff.

    Parameters
    ----------
    panel, cohorts : Panel, Cohorts
        The rows, and the units by first treatment.
    plan : Plan
        ``comparison`` and ``method``.
    base : {"varying", "universal"}
        Before treatment: measured from the time before, or from the last time before treatment.

    Returns
    -------
    (Cells, list of Flag)
        The cells that can be estimated; what the covariate models said, and how many cells cannot.

    Raises
    ------
    EstimationError
        No cell can be estimated, or a covariate model cannot be fitted.
    """
    from diff_diff import CallawaySantAnna

    frame, names = _long(panel, cohorts)
    library = CallawaySantAnna(
        control_group=plan.options["comparison"].replace(" ", "_"),
        estimation_method=plan.options["method"],
        base_period=base,
        pscore_trim=LEAST_SCORE[plan.options["method"] == "ipw"],
        rank_deficient_action="silent",
    )
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            result = library.fit(frame, "y", "unit", "time", "first", covariates=names or None)
    except (ValueError, np.linalg.LinAlgError) as fault:
        raise EstimationError(
            f"the model of {len(names)} covariates cannot be fitted in every cohort. Name fewer covariates, or use "
            'method = "reg".'
        ) from fault
    cells = _cells(result, cohorts, base, len(names))
    return cells, _fit_flags(cohorts, cells, plan, [one for one in said if names])


def _long(panel: Panel, cohorts: Cohorts) -> tuple[pd.DataFrame, list[str]]:
    """One row per unit and time as the library wants it, with covariates under plain names."""
    n, t = cohorts.y.shape
    columns = {
        "unit": np.repeat(np.arange(n), t),
        "time": np.tile(cohorts.times, n),
        "first": np.repeat(cohorts.first, t),
        "y": cohorts.y.ravel(),
    }
    x = panel.x.to_numpy()[cohorts.rows.ravel()]
    varying = [column for column in x.T if np.ptp(column) > 0]
    named = {f"x{i}": column for i, column in enumerate(varying)}
    return pd.DataFrame({**columns, **named}), list(named)


def _cells(result: Any, cohorts: Cohorts, base: str, modelled: int) -> Cells:
    """The library's cells with what each unit contributes; those it cannot estimate are not among them."""
    influence = result._aggregation_kit.influence if result._aggregation_kit is not None else {}
    wanted = [key for key in sorted(result.group_time_effects) if key in influence]
    effect = {key: float(result.group_time_effects[key]["effect"]) for key in wanted}
    wanted = [key for key in wanted if math.isfinite(effect[key])]
    if not any(time >= cohort for cohort, time in wanted):
        raise EstimationError("no cohort has both a time before treatment and somebody to compare with after it.")
    psi = np.zeros((len(cohorts.units), len(wanted)))
    for j, key in enumerate(wanted):
        for side in ("treated", "control"):
            psi[influence[key][f"{side}_idx"], j] += influence[key][f"{side}_inf"]
    cohort, time = np.array(wanted, dtype=float).T
    last = np.searchsorted(cohorts.times, cohort) - 1
    before = np.searchsorted(cohorts.times, time) - 1
    measured_from = np.where((time < cohort) & (base == "varying"), before, last)
    return Cells(cohort, time, np.array([effect[key] for key in wanted]), psi, measured_from, cohorts, modelled)


def _fit_flags(cohorts: Cohorts, cells: Cells, plan: Plan, said: list[Any]) -> list[Flag]:
    """Cells nobody can be compared in, and covariate models in difficulty."""
    flags = []
    starts = np.unique(cohorts.first[cohorts.first > 0])
    possible = sum(int((cohorts.times >= start).sum()) for start in starts)
    missing = possible - int(cells.post.sum())
    if missing:
        text = f"{missing} of {possible} effects by cohort and time cannot be estimated and are in no aggregate."
        detail = "Nobody was left untreated to compare with." if not (cohorts.first == 0).any() else ""
        flags.append(Flag("counterfactual", "caution", text, detail))
    if said:
        text = "The covariate models are strained: some cohorts are small for so many covariates, or hardly overlap."
        detail = 'Compare with fewer covariates, or with method = "reg".'
        flags.append(Flag("counterfactual", "caution", text, detail))
    return flags


def _conclude(panel: Panel, plan: Plan, cells: Cells, found: Summed, told: tuple) -> Estimate:
    """The estimate from one row per unit, with the level observed and that before treatment."""
    cohorts, (diagnostics, flags) = cells.cohorts, told
    scale = 1.0
    if cohorts.cluster is not None:
        groups = int(cohorts.cluster.max()) + 1
        scale = math.sqrt(groups / max(groups - 1, 1))
    sums = {"effect": found}
    for name, base in (("observed", False), ("baseline", True)):
        sums[name] = grouptimes.aggregate(grouptimes.with_levels(cells, base), plan.options["aggregate"])
    rows = {name: one.psi[:, 0] * scale for name, one in sums.items()}
    sampled = grouptimes.spread(cells, found)
    change = cohorts.y - cohorts.y[:, :1]
    result = conclude(
        _units(panel, cohorts),
        plan,
        float(found.value[0]),
        rows,
        sampled.working_df(plan.level),
        n_treated=int((cohorts.first > 0).sum()),
        n_comparison=_compared(cohorts, plan),
        observed=float(sums["observed"].value[0]),
        baseline=float(sums["baseline"].value[0]),
        diagnostics=diagnostics | {"se_small_sample": float(sampled.small[0])},
        flags=[*flags, *_size_flags(sampled, plan.level)],
        readings=(change - change.mean(axis=0)).ravel(),
    )
    return result if math.isfinite(sampled.small[0]) else _without_interval(result)


def _compared(cohorts: Cohorts, plan: Plan) -> int:
    """Units that serve as comparison at some time."""
    never = int((cohorts.first == 0).sum())
    if plan.options["comparison"] == "never treated":
        return never
    return never + int((cohorts.first > cohorts.first[cohorts.first > 0].min()).sum())


def _units(panel: Panel, cohorts: Cohorts) -> Panel:
    """One row per unit: its own mean, and on which side it counts (the last treated where nobody was never treated)."""
    first = cohorts.rows[:, 0]
    mean = cohorts.y.mean(axis=1)
    never = cohorts.first == 0
    other = never if never.any() else cohorts.first == cohorts.first.max()
    return replace(
        panel,
        y=mean,
        treated=(~other).astype(float),
        x=panel.x.iloc[first].reset_index(drop=True),
        covariates=panel.covariates.iloc[first].reset_index(drop=True),
        person=cohorts.units,
        cluster=cohorts.cluster,
        time=np.zeros(len(first)),
        baseline=mean,
        frame=panel.frame.iloc[first].reset_index(drop=True),
    )


def _size_flags(sampled: grouptimes.Spread, level: float) -> list[Flag]:
    """Small cohorts, for which the interval was widened."""
    ratio = sampled.ratio
    if not math.isfinite(ratio):
        text = "The spread of some cohort cannot be told from these units, so no interval or p-value can be given."
        return [Flag("counterfactual", "serious", text)]
    if ratio <= WIDENED:
        return []
    text = "Some cohorts are small, so the interval is wider than the standard error alone would make it."
    detail = (
        f"A standard error for small samples would be {words.percent(ratio - 1, 0)} larger; the interval reaches as "
        f"far by taking {words.number(sampled.working_df(level), 1)} degrees of freedom."
    )
    return [Flag("counterfactual", "caution", text, detail)]


def _without_interval(found: Estimate) -> Estimate:
    """The same without an interval that would be false."""
    nothing = math.nan
    return replace(found, se=nothing, low=nothing, high=nothing, p=nothing, df=nothing, influence=None)


def _describe(panel: Panel, plan: Plan, cells: Cells) -> tuple[dict[str, Any], list[Flag]]:
    """Every table a reader may ask for, and what the times before treatment say."""
    universal = cells if plan.options["base"] == "universal" else _universal(panel, plan, cells)
    parts, since = grouptimes.by_part(cells, "dynamic", before=True)
    pre, flags = pre_test(cells)
    joint, at = grouptimes.by_part(universal, "dynamic", before=True)
    found = {
        "event_study": event_study(cells, parts, since, plan.level),
        "event_study_covariance": joint_covariance(cells, parts, since),
        "event_study_universal": event_study(universal, joint, at, plan.level),
        "event_study_universal_covariance": joint_covariance(universal, joint, at),
        "band_level": plan.level,
        "group_time": group_time(cells, plan.level),
        "cohorts": cells.cohorts.sizes,
        "aggregates": every_aggregate(cells, plan.level),
        "by_cohort": part_by_part(cells, "group", plan.level),
        "by_time": part_by_part(cells, "calendar", plan.level),
        "twfe": two_way(cells.cohorts),
        **pre,
    }
    return found, flags


def _universal(panel: Panel, plan: Plan, cells: Cells) -> Cells:
    """The same with all times measured from the last before treatment, as honest bounds need it."""
    return fit_cells(panel, cells.cohorts, plan, "universal")[0]
