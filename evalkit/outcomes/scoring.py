"""The verb of this room: from a cohort to its outcomes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalkit.errors import DataError, EvalkitError, Flag, StudyError, several
from evalkit.outcomes.domains import index_domain
from evalkit.outcomes.ground import Found, Ground, Reading
from evalkit.outcomes.index.clustering import ClusterIndex
from evalkit.outcomes.looks import look_at_all
from evalkit.outcomes.looks.base import View
from evalkit.outcomes.measures import read_measure
from evalkit.outcomes.noun import Outcomes
from evalkit.outcomes.summaries import completeness, completeness_flags, summarise

if TYPE_CHECKING:
    from evalkit.cohort import Cohort

Problems = list[EvalkitError]


def score_outcomes(cohort: Cohort) -> Outcomes:
    """Measure everyone of a cohort as the study plans it.

    Parameters
    ----------
    cohort : Cohort
        Made by `build_cohort`, so that its study says what is measured.

    Returns
    -------
    Outcomes
        ``table``, ``wide``, ``summary``, ``domains``, ``completeness``, ``flags``; `find` and `describe`.

    Raises
    ------
    StudyError
        The plan names what is not there (all such problems together).
    DataError
        The tables hold what cannot be (all such problems together).
    """
    outcomes, ground, found = _scored(cohort)
    looks, said = look_at_all(View(ground, found, outcomes))
    return replace(outcomes, looks=looks, flags=(*outcomes.flags, *said))


def _scored(cohort: Cohort) -> tuple[Outcomes, Ground, dict[str, Found]]:
    """The outcomes without what is looked at beside them, and what they were made of."""
    ground = _checked(cohort)
    found, problems = _read_all(ground)
    indices, readings, flags = _index_all(ground, found, problems)
    found = _read_over_time(ground, found, readings, problems)
    _raise(ground, problems)
    measured = [reading for each in found.values() for reading in each.readings]
    facts = _facts(ground, found, measured, readings)
    every = measured + readings
    complete = completeness(ground, every)
    titles = {name: each.about["title"] for name, each in found.items()}
    only_measures = complete[complete["measure"].isin(titles)]
    notes = [flag for each in found.values() for flag in each.flags] + flags
    outcomes = Outcomes(
        cohort=cohort,
        table=_long(ground, every, facts),
        wide=pd.DataFrame({reading.key: reading.values for reading in every}, index=ground.people),
        summary=summarise(ground, every, facts.__getitem__),
        domains=indices,
        completeness=complete,
        flags=tuple(notes + completeness_flags(ground, only_measures, titles)),
        facts=facts,
    )
    return outcomes, ground, found


def _checked(cohort: Cohort) -> Ground:
    if cohort.study is None:
        raise StudyError("This cohort has no study, so nothing says what is measured. Use build_cohort(study).")
    if not cohort.study.measure:
        raise StudyError("The study has no [[measure]]. Add one to say what is measured.")
    if cohort.table["person"].duplicated().any():
        raise StudyError(
            'The cohort counts person-episodes (pick = "every"), and measures are read once per person. '
            'Write pick = "first", "last" or "first eligible" to evaluate outcomes.'
        )
    if cohort.table.empty:
        raise DataError("The cohort has nobody in it, so there is nothing to measure. See cohort.flow.")
    return Ground(cohort)


def _read_all(ground: Ground) -> tuple[dict[str, Found], Problems]:
    """Every measure; those that rest on others last. The problems are kept to be told together."""
    found: dict[str, Found] = {}
    problems: Problems = []
    failed = set()
    plain = [measure for measure in ground.study.measure if measure.over_time is None]
    for measure in sorted(plain, key=lambda measure: measure.improved is not None):
        if measure.improved is not None and measure.improved.measure.partition("@")[0] in failed:
            continue
        try:
            found[measure.id] = read_measure(ground, measure, found)
        except EvalkitError as problem:
            failed.add(measure.id)
            problems.append(type(problem)(f"[[measure]] {measure.id}: {problem}"))
    return _in_order(ground, found), problems


def _in_order(ground: Ground, found: dict[str, Found]) -> dict[str, Found]:
    return {measure.id: found[measure.id] for measure in ground.study.measure if measure.id in found}


def _read_over_time(
    ground: Ground, found: dict[str, Found], indexed: list[Reading], problems: Problems
) -> dict[str, Found]:
    """The measures that sum up others, or domains, over the occasions; told only where nothing before went wrong."""
    if problems:
        return found
    domains = {
        domain.id: Found(
            [reading for reading in indexed if reading.measure == domain.id],
            {"title": domain.title or domain.id, "unit": "SD", "better": "higher", "values": "score"},
        )
        for domain in ground.study.domain
    }
    for measure in [measure for measure in ground.study.measure if measure.over_time is not None]:
        try:
            found = found | {measure.id: read_measure(ground, measure, found | domains)}
        except EvalkitError as problem:
            problems.append(type(problem)(f"[[measure]] {measure.id}: {problem}"))
    return _in_order(ground, found)


def _index_all(
    ground: Ground, found: dict[str, Found], problems: Problems
) -> tuple[dict[str, ClusterIndex], list[Reading], list[Flag]]:
    """Every domain whose measures could be read."""
    indices: dict[str, ClusterIndex] = {}
    readings: list[Reading] = []
    flags: list[Flag] = []
    planned = {measure.id for measure in ground.study.measure}
    for domain in ground.study.domain:
        if any(name.partition("@")[0] in planned - set(found) for name in domain.measures):
            continue
        try:
            some, more, said = index_domain(ground, domain, found)
        except EvalkitError as problem:
            problems.append(type(problem)(f"[[domain]] {domain.id}: {problem}"))
            continue
        indices.update(some)
        readings += more
        flags += said
    return indices, readings, flags


def _raise(ground: Ground, problems: Problems) -> None:
    """Tell all problems at once; those of the plan first, since they may cause the others."""
    for kind in (StudyError, DataError, EvalkitError):
        these = [str(problem) for problem in problems if isinstance(problem, kind)]
        if these:
            rest = [str(problem) for problem in problems if not isinstance(problem, kind)]
            raise kind(several(f"{ground.study.id}: outcomes", these + rest))


# ---------------------------------------------------------------- what each outcome is


def _facts(
    ground: Ground, found: dict[str, Found], measured: list[Reading], indexed: list[Reading]
) -> dict[str, dict[str, Any]]:
    study = ground.study
    keys = {reading.key for reading in measured + indexed}
    start = study.counterfactual.baseline if study.counterfactual else "baseline"
    facts = {}
    for reading in measured:
        plan = study.find_measure(reading.measure)
        about = found[reading.measure].about | {"contract_baseline": plan.contract_baseline if plan else None}
        facts[reading.key] = _fact(ground, reading, about, start, keys)
    for reading in indexed:
        domain: Any = study.find_domain(reading.measure)
        about = {"title": domain.title or domain.id, "unit": "SD", "values": "score", "better": "higher"}
        about |= {"kind": "domain", "contract_baseline": None}
        facts[reading.key] = _fact(ground, reading, about, domain.baseline, keys)
    return facts


def _fact(ground: Ground, reading: Reading, about: dict[str, Any], start: str, keys: set[str]) -> dict[str, Any]:
    before = f"{reading.measure}@{start}"
    days = {occasion.id: occasion.day for occasion in ground.study.occasion}
    return about | {
        "key": reading.key,
        "id": reading.measure,
        "occasion": reading.occasion,
        "occasion_title": ground.study.occasion_title(reading.occasion) if reading.occasion else "",
        "baseline_key": before if before in keys and before != reading.key else None,
        "day": days.get(reading.occasion, 0),
    }


def _long(ground: Ground, readings: list[Reading], facts: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """One row per person and outcome, persons in the cohort's order within each."""
    people, count = len(ground.people), len(readings)
    once = {name: ground.column(name).reset_index(drop=True) for name in ("arm", "treated", "cluster", "strata")}
    blank = np.full(people, np.datetime64("NaT"), dtype="datetime64[s]")
    table: dict[str, Any] = {"person": np.tile(ground.people.to_numpy(), count)}
    table |= {name: pd.concat([column] * count, ignore_index=True) for name, column in once.items()}
    by_reading = {
        "outcome": [reading.key for reading in readings],
        "measure": [reading.measure for reading in readings],
        "kind": [facts[reading.key]["kind"] for reading in readings],
        "occasion": [reading.occasion for reading in readings],
    }
    table |= {name: np.repeat(values, people) for name, values in by_reading.items()}
    table["date"] = np.concatenate([blank if r.dates is None else r.dates for r in readings])
    table["value"] = np.concatenate([reading.values for reading in readings])
    return pd.DataFrame(table)


def reindexed(outcomes: Outcomes, method: str) -> Outcomes:
    """Score once more with every domain combined by another method; what was scored first is kept.

    Parameters
    ----------
    outcomes : Outcomes
        Made from a study.
    method : {"icw", "klk", "obrien", "factor"}
        How the measures of a domain are combined.

    Returns
    -------
    Outcomes
        Of the same cohort.

    Raises
    ------
    StudyError
        The outcomes were made without a study.
    """
    cohort, study = outcomes.cohort, outcomes.cohort.study
    if study is None:
        raise StudyError("These outcomes were made without a study, so there is no domain to combine anew.")
    domains = [domain.model_copy(update={"index": method}) for domain in study.domain]
    again, _, _ = _scored(replace(cohort, study=study.model_copy(update={"domain": domains})))
    return replace(again, looks=outcomes.looks)
