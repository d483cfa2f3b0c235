"""The design of a study as its plan has it: sizes, clusters and covariates from the cohort or from [design]."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import evidence, library
from evalkit.counterfactual.design.settings import check_can_be_drawn
from evalkit.counterfactual.design.stage import DesignStage, design_stage
from evalkit.counterfactual.registry import Entry, find_estimator
from evalkit.errors import EvalkitError, Flag, StudyError, did_you_mean
from evalkit.study import shown
from evalkit.study.designed import DesignPlan
from evalkit.study.planned import outcomes_named

if TYPE_CHECKING:
    from evalkit.cohort.noun import Cohort
    from evalkit.study import Study
    from evalkit.study.model import Counterfactual, Measure

RANDOMISED = 5
PASSED = ("icc", "assigned", "r2", "unmeasured", "attrition", "correlation", "periods", "before", "power")


@dataclass(frozen=True, eq=False)
class Planned:
    """What a study's design comes to.

    Parameters
    ----------
    outcome : str
        The outcome planned for.
    estimator : str
        Its estimator.
    given : dict
        Arguments of `design_stage`.
    flags : tuple of Flag
        What was taken for granted, or left out.
    """

    outcome: str
    estimator: str
    given: dict[str, Any]
    flags: tuple[Flag, ...]

    def __repr__(self) -> str:
        return f"Planned({self.outcome}, {self.estimator})"


def study_design(
    study: Study, cohort: Cohort | None = None, draws: int = 500, seed: int | None = None, workers: int = 1
) -> DesignStage:
    """Try a study's own design on invented outcomes, before its own exist.

    Parameters
    ----------
    study : Study
        With a [counterfactual]; sizes in [design], or a cohort.
    cohort : Cohort, optional
        Its people: the draws then keep their arms, clusters and covariates, and no outcome is read.
    draws : int
        Data sets.
    seed : int, optional
        Default: the study's own.
    workers : int
        Processes that share the draws.

    Returns
    -------
    DesignStage
        For the planned outcome; its flags say what was taken for granted.

    Raises
    ------
    StudyError
        No [counterfactual], or neither sizes nor a cohort.
    EstimationError
        The estimator's design cannot be drawn, or not one data set could be estimated.
    """
    planned = plan_of(study, cohort)
    seed = study.study.seed if seed is None else seed
    found = design_stage(planned.estimator, draws=draws, seed=seed, workers=workers, **planned.given)
    return replace(found, flags=(*found.flags, *planned.flags))


def plan_of(study: Study, cohort: Cohort | None = None) -> Planned:
    """Gather what a study's design is tried on.

    Parameters
    ----------
    study : Study
        The plan.
    cohort : Cohort, optional
        Its people.

    Returns
    -------
    Planned
        Outcome, estimator and the arguments of `design_stage`.

    Raises
    ------
    StudyError
        No [counterfactual], or neither sizes nor a cohort.
    """
    plan, asked = study.counterfactual, study.design or DesignPlan.model_validate({})
    if plan is None:
        raise StudyError(f"{shown(study.folder)} has no [counterfactual], so there is no design to try.")
    outcome = _outcome(study, asked)
    name = plan.by_outcome.get(outcome, plan.by_outcome.get(outcome.split("@")[0], plan.estimator))
    entry = find_estimator(name)
    check_can_be_drawn(entry)
    notes: list[str] = []
    sizes = _sizes(study, asked, cohort, entry, notes)
    given = {key: getattr(asked, key) for key in PASSED} | _world(asked, plan, outcome, _kind(study, outcome), notes)
    given |= _options(plan, entry, sizes.get("people"), notes) | sizes | _threshold(study, asked, outcome, given, notes)
    alone = ""
    if sizes.get("clusters") and not asked.icc:
        alone = "No icc is given in [design]: people of one cluster are taken to share nothing, which flatters power."
    if problem := evidence.fits(plan.design, name):
        notes.insert(0, problem)
    flags = tuple(Flag("counterfactual", "note", text[:1].upper() + text[1:], "", "design") for text in notes)
    flags = (*((Flag("counterfactual", "caution", alone, "", "design"),) if alone else ()), *flags)
    return Planned(outcome, name, {key: value for key, value in given.items() if value is not None}, flags)


def _outcome(study: Study, asked: DesignPlan) -> str:
    """The outcome planned for: the primary one unless [design] names another."""
    names = outcomes_named(study)
    if asked.outcome is None:
        return names[0] if names else "outcome"
    if names and asked.outcome not in names:
        raise StudyError(f'[design] outcome = "{asked.outcome}" is not estimated. {did_you_mean(asked.outcome, names)}')
    return asked.outcome


def _sizes(study: Study, asked: DesignPlan, cohort: Cohort | None, entry: Entry, notes: list[str]) -> dict[str, Any]:
    """How many, in how many clusters: as [design] says, else the cohort's own people."""
    if asked.treated is not None and asked.comparison is not None:
        return {"treated": asked.treated, "comparison": asked.comparison, "clusters": asked.clusters}
    if cohort is None or not entry.persons:
        what = "areas and times are not counted from a cohort" if cohort is not None else "there is no cohort to count"
        raise StudyError(
            f"{shown(study.folder)}: how many are in the design is not known, and {what}. "
            "Write [design] with treated = ... and comparison = ... ."
        )
    people = _people(study, cohort, notes)
    treated = people["treated"] == 1
    found: dict[str, Any] = {"treated": int(treated.sum()), "comparison": int((~treated).sum()), "people": people}
    if "cluster" in people:
        mine, theirs = (set(people.loc[rows, "cluster"]) for rows in (treated, ~treated))
        found["clusters"] = (len(mine), len(theirs))
        found["assigned"] = "people" if mine & theirs else "clusters"
    return found


def _people(study: Study, cohort: Cohort, notes: list[str]) -> pd.DataFrame:
    """The cohort's people with arm, cluster and the covariates that are no readings; never an outcome."""
    table = cohort.table[cohort.table["treated"].notna()] if "treated" in cohort.table else cohort.table.iloc[:0]
    if table.empty or table["treated"].nunique() < 2:
        raise StudyError(
            f"{shown(study.folder)}: the cohort has not both arms yet. Write [design] with the sizes planned."
        )
    wanted = list(study.counterfactual.covariates) if study.counterfactual else []
    known = [name for name in wanted if name in table]
    aside = [name for name in wanted if name not in table]
    if aside:
        notes.append(f"covariates that are readings are not looked at here: {', '.join(aside)}.")
    columns = {"person": table["person"].astype(str), "treated": table["treated"].astype(float)}
    if "cluster" in table and table["cluster"].notna().all():
        columns["cluster"] = table["cluster"].astype(str)
    return pd.DataFrame({**columns, **{name: table[name] for name in known}}).reset_index(drop=True)


# ---------------------------------------------------------------- the outcome


def _kind(study: Study, outcome: str) -> tuple[str, str]:
    """Score, amount or yes or no; and which way is better: from the plan alone."""
    areas = study.counterfactual.areas if study.counterfactual else None
    for one in areas.outcome if areas else ():
        if one.id == outcome:
            return one.values, one.better
    measure = study.find_measure(outcome)
    if measure is None:
        return "score", "higher"
    return measure.values or _values(measure), measure.better or _better(study, measure)


def _values(measure: Measure) -> str:
    records = [measure.attendance, measure.offending, measure.days_in, measure.placements]
    if measure.rule is not None or measure.improved is not None:
        return "yes or no"
    if any(getattr(part, "says", "") in ("any", "persistently absent") for part in records if part is not None):
        return "yes or no"
    return "amount" if any(part is not None for part in records) else "score"


def _better(study: Study, measure: Measure) -> str:
    """The instrument's own direction; records of trouble should fall; else higher."""
    if measure.offending is not None or measure.placements is not None or measure.days_in is not None:
        return "lower"
    if measure.instrument is None:
        return "higher"
    try:
        return str(library.load("instruments", measure.instrument, allow_unconfirmed=True).get("better", "higher"))
    except EvalkitError:
        return "higher"


def _world(
    asked: DesignPlan, plan: Counterfactual, outcome: str, kind: tuple[str, str], notes: list[str]
) -> dict[str, Any]:
    """Outcome, effects and how the arms start."""
    values, better = asked.values or kind[0], asked.better or kind[1]
    found: dict[str, Any] = {"values": values, "better": better, "level": plan.level, "effect": asked.effect}
    found |= {"sd": asked.sd, "mean": asked.mean, "base_rate": asked.base_rate, "confounding": asked.confounding}
    found["smallest_worthwhile"] = asked.smallest_worthwhile
    chance = plan.design is not None and evidence.level(plan.design).sms == RANDOMISED
    if asked.confounding is None and chance:
        found["confounding"] = 0.0
    if values == "yes or no" and asked.base_rate is None:
        notes.append("no base_rate is given in [design]: one half is taken, which needs the most people.")
    if values != "yes or no" and asked.sd is None:
        notes.append("no sd is given in [design]: effects are in standard deviations of the outcome.")
    stated = plan.smallest_worthwhile.get(outcome, plan.smallest_worthwhile.get(outcome.split("@")[0]))
    if found["smallest_worthwhile"] is None and stated is not None and (asked.sd is not None or values == "yes or no"):
        found["smallest_worthwhile"] = stated if better == "higher" else -stated
    if asked.effect is None and found["smallest_worthwhile"] is None:
        notes.append("no effect is given in [design], so nothing is said about not paying for something.")
    return found


def _options(plan: Counterfactual, entry: Entry, people: pd.DataFrame | None, notes: list[str]) -> dict[str, Any]:
    """The estimator's own options, as far as the invented data have the columns they name."""
    found = {name: value for name, value in plan.options.items() if name in entry.options}
    found |= {"se": plan.se} if plan.se in entry.se else {}
    columns = {} if plan.within is None else {"within": plan.within}
    columns |= {name: found.pop(name) for name in ("exact",) if name in found}
    for name, value in columns.items():
        wanted = [value] if isinstance(value, str) else list(value)
        if people is not None and set(wanted) <= set(people):
            found[name] = value
        else:
            notes.append(f"{name} = {', '.join(wanted)} is not among the invented people's columns and is left out.")
    return found


def _threshold(
    study: Study, asked: DesignPlan, outcome: str, given: dict[str, Any], notes: list[str]
) -> dict[str, Any]:
    """From which effect the contract pays: [design], else its trigger on this outcome."""
    if asked.threshold is not None:
        return {"threshold": asked.threshold, "threshold_is": asked.threshold_is}
    contract = study.contract
    triggers = [
        one for one in (contract.trigger if contract else []) if one.outcome.split("@")[0] == outcome.split("@")[0]
    ]
    if not triggers:
        if contract is not None and contract.rate_card:
            notes.append(
                "the contract pays by what is achieved, whatever would have happened anyway: there is no threshold on "
                "the effect, so what happens anyway is always paid for."
            )
        return {}
    first = next((one for one in triggers if one.judged), triggers[0])
    if given["values"] != "yes or no" and not (given.get("mean") or 0) > 0:
        notes.append(
            f"the trigger {first.id} is a share of the level without the programme, and [design] gives no mean: "
            "nothing is said about payment."
        )
        return {}
    notes.append(f'the threshold is that of the trigger "{first.id}".')
    return {"threshold": first.at_least, "threshold_is": "relative"}
