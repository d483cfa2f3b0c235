"""The planned analysis of every outcome, the others beside it, and what must be said about them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import evidence
from evalkit.counterfactual.asked import Analysis, planned_analysis, run
from evalkit.counterfactual.attrition import attrition_flags, attrition_table
from evalkit.counterfactual.benchmarks import benchmark_table
from evalkit.counterfactual.effects import Effects
from evalkit.counterfactual.gaps import gap_flags
from evalkit.counterfactual.kept import plan_flags
from evalkit.counterfactual.looks import look_at_all
from evalkit.counterfactual.looks.base import View
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.registry import find_estimator
from evalkit.counterfactual.rows import (
    ALSO,
    COLUMNS,
    also_row,
    as_table,
    conclude_jointly,
    effect_row,
    holm,
    unknown_row,
)
from evalkit.counterfactual.singles import single_measures
from evalkit.counterfactual.standing import levels
from evalkit.counterfactual.together import gates
from evalkit.counterfactual.views import views_of
from evalkit.errors import EstimationError, EvalkitError, Flag, StudyError, did_you_mean, several
from evalkit.outcomes import reindexed

if TYPE_CHECKING:
    from evalkit.outcomes import Outcomes
    from evalkit.study.model import Also, Counterfactual


RANDOMISED = 5  # on the Maryland scale, where chance decides


def estimate_effects(outcomes: Outcomes, **by_outcome: str) -> Effects:
    """Estimate the effect on every planned outcome, for everyone in the cohort, by the plan of the study.

    Parameters
    ----------
    outcomes : Outcomes
        With the cohort and the study.
    **by_outcome : str
        Another estimator for one outcome, by its name with or without "@occasion": ``wellbeing="did"``.

    Returns
    -------
    Effects
        A table with one row per outcome; Holm-adjusted over the planned outcomes.

    Raises
    ------
    StudyError
        The study has no [counterfactual], or an outcome is not known.
    EstimationError
        Not one of the outcomes can be estimated.
    """
    plan = _plan(outcomes)
    names = planned_outcomes(outcomes)
    chosen = _chosen(names, {**plan.by_outcome, **by_outcome})
    found, failed = _estimate_all(outcomes, plan, names, chosen)
    also, also_flags = _also(outcomes, plan, found, chosen)
    randomised = evidence.level(plan.design).sms == RANDOMISED
    own = [*_own_flags(found), *gap_flags(found, randomised)]
    rows = [_row(outcomes, name, place, found, failed) for place, name in enumerate(names)]
    table = as_table([row | {"estimator": row.get("estimator", plan.estimator)} for row in rows], COLUMNS)
    table["p_adjusted"] = holm(table["p"])
    table["conclusion"] = conclude_jointly(table, plan.level)
    table["truth"] = _truth(outcomes, names)
    attrition = attrition_table(outcomes, names)
    earned = levels(plan, found, table, attrition)
    table["level"] = pd.array([earned[str(name)].sms for name in table["outcome"]], dtype="Int64")
    measures, measure_flags = single_measures(outcomes, plan, names, chosen)
    measures["verdict"] = gates(table, measures, plan.level)
    benchmark = benchmark_table(outcomes, plan, {name: _benchmarked(name, found, also) for name in found})
    views, view_flags = views_of(outcomes, found, plan.level)
    looks, look_flags = look_at_all(View(outcomes, found, chosen, randomised))
    flags = [
        *plan_flags(outcomes.cohort.study),  # type: ignore[arg-type]
        *own,
        *view_flags,
        *_failed_flags(failed),
        *also_flags,
        *attrition_flags(attrition),
        *measure_flags,
        *look_flags,
    ]
    return Effects(
        outcomes=outcomes,
        study=outcomes.cohort.study,  # type: ignore[arg-type]
        table=table,
        also=as_table([row for row, _ in also], ALSO),
        estimates=found,
        measures=measures,
        benchmark=benchmark,
        attrition=attrition,
        evidence=earned[names[0]],
        flags=tuple(dict.fromkeys(flags)),
        views=views,
        looks=looks,
    )


def _plan(outcomes: Outcomes) -> Counterfactual:
    """The [counterfactual] part, which must be there and fit people."""
    study = outcomes.cohort.study
    if study is None or study.counterfactual is None:
        raise StudyError('the study has no [counterfactual]. Write at least estimator = "difference" under it.')
    armless = find_estimator(study.counterfactual.estimator).data in ("history", "running")
    if study.cohort is None or (study.cohort.arm is None and not study.cohort.group and not armless):
        raise EstimationError("the cohort has no arms, so there is nobody to compare with. Add arm under [cohort].")
    if not find_estimator(study.counterfactual.estimator).persons and study.counterfactual.rates:
        raise StudyError(f'estimator "{study.counterfactual.estimator}" works on rates: use effects_from_rates(study).')
    return study.counterfactual


def planned_outcomes(outcomes: Outcomes) -> list[str]:
    """The outcomes to estimate: those of the plan, else all domains and then the measures in no domain.

    Parameters
    ----------
    outcomes : Outcomes
        With the study.

    Returns
    -------
    list of str
        As the study names them.
    """
    study = outcomes.cohort.study
    plan = study.counterfactual  # type: ignore[union-attr]
    if plan is not None and plan.outcomes is not None:
        for name in plan.outcomes:
            outcomes.find(name)
        return list(plan.outcomes)
    inside = {part.split("@")[0] for domain in study.domain for part in domain.measures}  # type: ignore[union-attr]
    domains = [domain.id for domain in study.domain]  # type: ignore[union-attr]
    return [*domains, *(measure.id for measure in study.measure if measure.id not in inside)]  # type: ignore[union-attr]


def _chosen(names: list[str], by_outcome: dict[str, str]) -> dict[str, str]:
    """The outcomes with an estimator of their own."""
    chosen: dict[str, str] = {}
    problems: list[str] = []
    for given, estimator in by_outcome.items():
        fits = [name for name in names if given in (name, name.split("@")[0])]
        if not fits:
            problems.append(f'"{given}" is not among the outcomes estimated. {did_you_mean(given, names)}')
        find_estimator(estimator)
        chosen |= dict.fromkeys(fits, estimator)
    if problems:
        raise StudyError(several("the choice of estimators", problems))
    return chosen


def _estimate_all(
    outcomes: Outcomes, plan: Counterfactual, names: list[str], chosen: dict[str, str]
) -> tuple[dict[str, Estimate], dict[str, str]]:
    """Estimates by outcome, and why there is none."""
    found: dict[str, Estimate] = {}
    failed: dict[str, str] = {}
    for name in names:
        try:
            found[name] = run(outcomes, name, planned_analysis(plan, chosen.get(name)))
        except EvalkitError as error:
            failed[name] = str(error)
    if failed and not found:
        raise EstimationError(several("[counterfactual]", [f"{name}: {why}" for name, why in failed.items()]))
    return found, failed


def _beside(plan: Counterfactual, also: Also) -> Analysis:
    """One of the analyses beside the planned one."""
    covariates = plan.covariates if also.covariates is None else also.covariates
    return Analysis(
        also.estimator, tuple(covariates), also.within, dict(also.options), None, plan.level, running=plan.running
    )


def _about(outcomes: Outcomes, name: str, place: int) -> dict[str, Any]:
    """What the table says about an outcome beside its numbers."""
    told = outcomes.describe(name)
    kept = {key: told[key] for key in ("title", "occasion_title", "unit", "values", "better")}
    return {"outcome": name, **kept, "is_domain": told["kind"] == "domain", "primary": place == 0, "source": ""}


def _row(
    outcomes: Outcomes,
    name: str,
    place: int,
    found: dict[str, Estimate],
    failed: dict[str, str],
) -> dict[str, Any]:
    """The row of one outcome; its level is filled later."""
    about = _about(outcomes, name, place)
    if name not in found:
        return unknown_row(about, "", failed[name])
    return effect_row(about, found[name], None)


def _also(
    outcomes: Outcomes, plan: Counterfactual, found: dict[str, Estimate], chosen: dict[str, str]
) -> tuple[list[tuple[dict[str, Any], Estimate]], list[Flag]]:
    """Every analysis of every outcome; those not possible become flags."""
    rows: list[tuple[dict[str, Any], Estimate]] = []
    flags: list[Flag] = []
    methods = {also.index for also in plan.also if also.index}
    by_index: dict[str | None, Outcomes] = {method: reindexed(outcomes, method) for method in methods}
    for name, estimated in found.items():
        says = find_estimator(estimated.estimator).says
        rows.append((also_row(name, {"id": "planned", "says": says, "planned": True}, estimated), estimated))
        for also in plan.also:
            if also.outcomes is not None and not {name, name.split("@")[0]} & set(also.outcomes):
                continue
            if also.index and outcomes.describe(name)["kind"] != "domain":
                continue
            try:
                beside = run(by_index.get(also.index, outcomes), name, _beside(plan, also))
            except EvalkitError as error:
                flags.append(
                    Flag("counterfactual", "caution", f'The analysis "{also.says}" was not possible.', str(error), name)
                )
                continue
            rows.append((also_row(name, {"id": also.id, "says": also.says, "planned": False}, beside), beside))
    return rows, flags


def _benchmarked(
    name: str, found: dict[str, Estimate], also: list[tuple[dict[str, Any], Estimate]]
) -> list[tuple[dict[str, Any], Estimate]]:
    """All analyses of one outcome."""
    return [(row, estimated) for row, estimated in also if row["outcome"] == name]


def _truth(outcomes: Outcomes, names: list[str]) -> list[float]:
    """The effects that a simulated world has recorded of itself."""
    study = outcomes.cohort.study
    if study is None or study.simulation is None or not study.path(study.simulation.truth).exists():
        return [float("nan")] * len(names)
    table = pd.read_csv(study.path(study.simulation.truth))
    known = dict(zip(table["outcome"].astype(str), table["effect"].astype(float), strict=True))
    return [known.get(name, known.get(name.split("@")[0], float("nan"))) for name in names]


def _own_flags(found: dict[str, Estimate]) -> list[Flag]:
    """The estimates' flags; what is the same for all outcomes is said once."""
    by_text: dict[tuple[str, str, str], list[Flag]] = {}
    for estimated in found.values():
        for flag in estimated.flags:
            by_text.setdefault((flag.level, flag.text, flag.detail), []).append(flag)
    return [flags[0] if len(flags) == 1 else replace(flags[0], about="") for flags in by_text.values()]


def _failed_flags(failed: dict[str, str]) -> list[Flag]:
    """Outcomes without an estimate."""
    return [
        Flag("counterfactual", "serious", "The effect could not be estimated.", why, name)
        for name, why in failed.items()
    ]
