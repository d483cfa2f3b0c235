"""What the plan needs of the tables: which columns must be there, and of which kind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from evalkit.library import load
from evalkit.study import Study
from evalkit.study.model import Counterfactual, Custody, DaysIn, Measure, PlacementsIn
from evalkit.tables.kinds import Kind


@dataclass(frozen=True)
class Needed:
    """A column that the plan needs.

    Parameters
    ----------
    tables : tuple of str
        Where it may stand; in any one of them is enough.
    column : str
        Its name.
    kind : str
        "text", "number", "date" or "any".
    by : str
        The place in the study that needs it.
    """

    tables: tuple[str, ...]
    column: str
    kind: Kind
    by: str


def people_table(study: Study) -> str | None:
    """The table with one row per person.

    Parameters
    ----------
    study : Study
        Whose cohort.

    Returns
    -------
    str or None
        ``cohort.people``, else the table of the index, else the only table, else "people".
    """
    plan = study.cohort
    if plan is None:
        return None
    only = next(iter(study.tables)) if len(study.tables) == 1 else "people"
    return plan.people or plan.index.table or only


def columns_needed(study: Study) -> list[Needed]:
    """Every column that the plan names outright.

    Parameters
    ----------
    study : Study
        The plan.

    Returns
    -------
    list of Needed
        In the order of the study file.
    """
    plan = study.cohort
    if plan is None:
        return list(_of_areas(study))
    home = _home(study)
    needed = list(_of_cohort(study, home))
    for measure in study.measure:
        needed += _of_measure(measure, home, set(plan.columns))
    needed += _of_engagement(study)
    benchmark = study.counterfactual.benchmark if study.counterfactual else None
    if benchmark:
        place = "[counterfactual.benchmark]"
        needed.append(Needed((benchmark.table,), benchmark.person, "text", f"{place} person"))
        needed.append(Needed((benchmark.table,), benchmark.column, "number", f"{place} column"))
        needed.append(Needed((benchmark.table,), benchmark.treated, "number", f"{place} treated"))
    return [*needed, *_of_areas(study)]


def _of_areas(study: Study) -> Iterator[Needed]:
    areas = study.counterfactual.areas if study.counterfactual else None
    if areas is None:
        return
    place, table = "[counterfactual.areas]", (areas.table,)
    yield Needed(table, areas.time, "number", f"{place} time")
    if areas.unit:
        yield Needed(table, areas.unit, "text", f"{place} unit")
    for key in ("treated", "first_treated"):
        if column := getattr(areas, key):
            yield Needed(table, column, "number", f"{place} {key}")
    for one in areas.outcome:
        yield Needed(table, one.column, "number", f"{place} outcome.{one.id}")


def _home(study: Study) -> tuple[str, ...]:
    """The tables whose columns belong to a person: the index row's, then people's."""
    plan = study.cohort
    tables = (plan.index.table, people_table(study), "people") if plan else ()
    return tuple(dict.fromkeys(table for table in tables if table in study.tables))


def _of_cohort(study: Study, home: tuple[str, ...]) -> Iterator[Needed]:
    plan = study.cohort
    if plan is None:
        return
    benchmark = study.counterfactual.benchmark if study.counterfactual else None
    for table in study.tables:
        if benchmark is None or table != benchmark.table:
            yield Needed((table,), plan.person, "text", "[cohort] person")
    if isinstance(plan.index.date, str) and plan.index.table:
        yield Needed((plan.index.table,), plan.index.date, "date", "[cohort] index.date")
    columns = {"arm.column": plan.arm.column if plan.arm else None, "strata": plan.strata, "cluster": plan.cluster}
    for key, column in columns.items():
        if column is not None and column not in plan.columns:
            yield Needed(home, column, "any", f"[cohort] {key}")


def _of_measure(measure: Measure, home: tuple[str, ...], derived: set[str]) -> Iterator[Needed]:
    place = f"[[measure]] {measure.id}"
    table = (measure.table,) if measure.table else home
    kind: Kind = "any" if measure.values == "yes or no" else "number"
    if measure.instrument:
        yield Needed(table, measure.date, "date", f"{place}: date")
        for item in measure.items or load("instrument", measure.instrument).get("items", ()):
            yield Needed(table, item, "any" if measure.answers else "number", f"{place}: items")
    if measure.column and (measure.table or measure.column not in derived):
        yield Needed(table, measure.column, kind, f"{place}: column")
    for occasion, column in (measure.columns or {}).items():
        yield Needed(table, column, kind, f"{place}: columns.{occasion}")
    yield from _of_records(measure, place)


def _of_records(measure: Measure, place: str) -> Iterator[Needed]:
    """What episodes, offences, attendance and ladders are read from."""
    for key in ("days_in", "placements"):
        if spell := getattr(measure, key):
            yield from _of_spells(spell, f"{place}: {key}")
    if plan := measure.attendance:
        yield Needed((plan.table,), plan.date, "date", f"{place}: attendance.date")
        yield Needed((plan.table,), plan.missed, "number", f"{place}: attendance.missed")
        yield Needed((plan.table,), plan.possible, "number", f"{place}: attendance.possible")
    if offences := measure.offending:
        yield Needed((offences.table,), offences.date, "date", f"{place}: offending.date")
        if offences.severity:
            yield Needed((offences.table,), offences.severity, "number", f"{place}: offending.severity")
        if offences.custody:
            yield from _of_spells(offences.custody, f"{place}: offending.custody")
    if ladder := measure.ladder:
        yield Needed((ladder.table,), ladder.date, "date", f"{place}: ladder.date")
        for area in ladder.areas:
            yield Needed((ladder.table,), area, "number", f"{place}: ladder.areas")


def _of_spells(plan: DaysIn | PlacementsIn | Custody, place: str) -> Iterator[Needed]:
    yield Needed((plan.table,), plan.start, "date", f"{place}.start")
    yield Needed((plan.table,), plan.end, "date", f"{place}.end")
    if plan.state_column:
        yield Needed((plan.table,), plan.state_column, "any", f"{place}.state_column")


def _of_engagement(study: Study) -> Iterator[Needed]:
    if plan := study.engagement:
        yield Needed((plan.table,), plan.date, "date", "[engagement] date")
        if plan.attended:
            yield Needed((plan.table,), plan.attended, "any", "[engagement] attended")


def columns_used(study: Study) -> set[str]:
    """Words of the rules and covariates, some of which are columns.

    Parameters
    ----------
    study : Study
        The plan.

    Returns
    -------
    set of str
        Every name in a rule, a new column's formula or the covariates.
    """
    plan, effects = study.cohort, study.counterfactual
    rules = [rule.rule for rule in (*plan.include, *plan.exclude)] if plan else []
    rules += list(plan.columns.values()) if plan else []
    rules += [measure.rule for measure in study.measure if measure.rule]
    covariates = list(effects.covariates) if effects else []
    return set(re.findall(r"[A-Za-z_]\w*", " ".join(_without_text(rule) for rule in rules))) | set(covariates)


def _without_text(rule: str) -> str:
    return re.sub(r"'[^']*'|\"[^\"]*\"", " ", rule)


def covariates_unknown(study: Study, columns: set[str]) -> list[tuple[str, list[str]]]:
    """Covariates that are neither a column nor a measure.

    Parameters
    ----------
    study : Study
        The plan.
    columns : set of str
        Columns of the tables whose rows belong to a person.

    Returns
    -------
    list of (str, list of str)
        Each such covariate, and what would have been understood.
    """
    plan, effects = study.cohort, study.counterfactual
    if plan is None or effects is None or effects.estimator in ("published", "assumed"):
        return []
    known = columns | set(plan.columns) | {measure.id for measure in study.measure} | {d.id for d in study.domain}
    named = [*effects.covariates, *(name for also in effects.also for name in also.covariates or ())]
    named += [name for name in (effects.within, *(also.within for also in effects.also)) if name]
    named += [group.column for group in effects.subgroup]
    named += [name for name in (effects.running, *_taken(effects)) if name]
    sets = effects.specifications.covariate_sets.values() if effects.specifications else ()
    named += [name for names in sets for name in names]
    known |= {name for name in ("cluster", "strata") if getattr(plan, name)}
    missing = [name for name in dict.fromkeys(named) if "@" not in name and name not in known]
    return [(name, sorted(known)) for name in missing]


def _taken(effects: Counterfactual) -> tuple[str | None, ...]:
    """The columns that say who took part and who completed."""
    part = effects.taking_part
    return (part.column, part.completed) if part else ()


def person_tables(study: Study) -> tuple[str, ...]:
    """The tables whose columns belong to a person.

    Parameters
    ----------
    study : Study
        The plan.

    Returns
    -------
    tuple of str
        The index row's table and that of people.
    """
    return _home(study)
