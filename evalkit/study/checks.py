"""Whether the parts of a study agree: ids, tables, files and names that point at each other.

Each check is a function from (study, names) to problems, on the list at the end; adding one is adding a line there.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from evalkit.errors import StudyError, did_you_mean
from evalkit.library import load
from evalkit.study.files import files_named, missing_file
from evalkit.study.model import Measure, Study

ESTIMATORS = ("difference", "ols", "matching", "ipw", "aipw", "did", "published", "assumed")
FROM_RATES = ("published", "assumed")
SOURCES = ("instrument", "column", "columns", "days_in", "rule", "improved")


@dataclass(frozen=True)
class Names:
    """What the file names, wrong entries included, so that one mistake is told once and not wherever it is used.

    Parameters
    ----------
    measures, domains, occasions, tables : tuple of str
        Ids as written.
    parts : tuple of str
        The parts the file has.
    """

    measures: tuple[str, ...]
    domains: tuple[str, ...]
    occasions: tuple[str, ...]
    tables: tuple[str, ...]
    parts: tuple[str, ...]

    @classmethod
    def of(cls, study: Study, raw: dict[str, Any]) -> Names:
        """Gather the names of a study and of the file it was read from.

        Parameters
        ----------
        study : Study
            What of the file could be understood.
        raw : dict
            The file as read.

        Returns
        -------
        Names
            Ids in the order of the file.
        """

        def ids(part: str) -> tuple[str, ...]:
            written = raw.get(part)
            entries = written if isinstance(written, list) else [written]
            found = [str(entry["id"]) for entry in entries if isinstance(entry, dict) and "id" in entry]
            return tuple(dict.fromkeys([*found, *(one.id for one in getattr(study, part))]))

        tables = raw.get("tables")
        return cls(
            measures=ids("measure"),
            domains=ids("domain"),
            occasions=ids("occasion"),
            tables=tuple(tables) if isinstance(tables, dict) else tuple(study.tables),
            parts=tuple(raw),
        )


Problems = Iterator[str]


def disagreements(study: Study, names: Names, with_files: bool = True) -> list[str]:
    """All problems between the parts of a study.

    Parameters
    ----------
    study : Study
        Each part valid in itself.
    names : Names
        What the file names.
    with_files : bool
        Whether the files it names must be there.

    Returns
    -------
    list of str
        One finished sentence or more each: place, finding, remedy.
    """
    checks = (*CHECKS, _files) if with_files else CHECKS
    return list(dict.fromkeys(problem for check in checks for problem in check(study, names)))


def _quoted(name: str, kind: str, known: Iterable[str]) -> str:
    """'measure "x" is not known. Did you mean "y"?'"""
    known = list(known)
    hint = did_you_mean(name, known) or f"The study has no {kind}s."
    return f'{kind} "{name}" is not known. {hint}'


# ---------------------------------------------------------------- ids


def _duplicates(study: Study, names: Names) -> Problems:
    lists: dict[str, Iterable[Any]] = {
        "occasion": study.occasion,
        "measure": study.measure,
        "domain": study.domain,
        "series": study.series,
        "counterfactual.also": study.counterfactual.also if study.counterfactual else (),
        "contract.trigger": study.contract.trigger if study.contract else (),
    }
    for part, entries in lists.items():
        for name, count in Counter(entry.id for entry in entries).items():
            if count > 1:
                yield f'[[{part}]] {name}: {count} entries have the id "{name}". Give each its own.'
    for name in set(names.measures) & set(names.domains):
        yield f'[[domain]] {name}: a measure has the id "{name}" too. Give one of them another.'


def _unusable_ids(study: Study, names: Names) -> Problems:
    for part, ids in (("measure", names.measures), ("domain", names.domains), ("occasion", names.occasions)):
        for name in ids:
            if "@" in name:
                yield f'[[{part}]] {name}: an id has no "@"; that joins a measure and an occasion.'


# ---------------------------------------------------------------- tables and files


def _tables_used(study: Study) -> Iterator[tuple[str, str | None]]:
    if study.cohort:
        yield "[cohort] index.table", study.cohort.index.table
        yield "[cohort] people", study.cohort.people
    for measure in study.measure:
        yield f"[[measure]] {measure.id}: table", measure.table
        if measure.days_in:
            yield f"[[measure]] {measure.id}: days_in.table", measure.days_in.table
    if study.counterfactual and study.counterfactual.benchmark:
        yield "[counterfactual.benchmark] table", study.counterfactual.benchmark.table


def _tables(study: Study, names: Names) -> Problems:
    for place, table in _tables_used(study):
        if table is not None and table not in names.tables:
            yield f"{place}: {_quoted(table, 'table', names.tables)} Tables are listed under [tables]."
    if study.cohort and not study.tables and "tables" not in names.parts:
        yield '[cohort] has no tables to count from. Write [tables] and, for example, people = "people.csv".'


def _people_table(study: Study, _: Names) -> Problems:
    plan = study.cohort
    if plan is None or plan.people or plan.index.table or len(study.tables) < 2 or "people" in study.tables:
        return
    yield (
        "[cohort] does not say which table has one row per person. "
        f'Write people = "{next(iter(study.tables))}", or name the table of the index.'
    )


def _index_date(study: Study, _: Names) -> Problems:
    plan = study.cohort
    if plan is None or isinstance(plan.index.date, dt.date) or plan.index.table:
        return
    yield (
        f'[cohort] index.date = "{plan.index.date}" is a column and index.table is not given. '
        "Write index.table too, or one fixed date without quotes, such as 2024-01-31."
    )


def _files(study: Study, _: Names) -> Problems:
    for place, file in files_named(study):
        if problem := missing_file(study.folder, file):
            drawn = " evalkit simulate draws the tables of a synthetic study." if study.simulation else ""
            yield f"{place}: {problem}{drawn}"


# ---------------------------------------------------------------- occasions and measures


def _occasions(study: Study, names: Names) -> Problems:
    for occasion in study.occasion:
        first, last = occasion.window
        if first > last:
            yield f"[[occasion]] {occasion.id}: window = [{first}, {last}] ends before it begins. Turn it round."
    for measure in study.measure:
        used = {"occasion": measure.occasion, "improved.start": measure.improved.start if measure.improved else None}
        used |= {f"columns.{key}": key for key in measure.columns or ()}
        for key, occasion in used.items():
            if occasion is not None and occasion not in names.occasions:
                yield f"[[measure]] {measure.id}: {key}: {_quoted(occasion, 'occasion', names.occasions)}"
        if measure.instrument and not names.occasions:
            yield f"[[measure]] {measure.id} is read on occasions and the study has none. Write [[occasion]] for each."


def _sources(study: Study, _: Names) -> Problems:
    for measure in study.measure:
        given = [source for source in SOURCES if getattr(measure, source) is not None]
        if len(given) == 1:
            yield from _source(measure, given[0])
        elif given:
            yield f"[[measure]] {measure.id} has {len(given)} sources ({', '.join(given)}). Keep one."
        else:
            yield f"[[measure]] {measure.id} has no source. Write one of: {', '.join(SOURCES)}."


def _source(measure: Measure, source: str) -> Problems:
    if source == "instrument":
        yield from _instrument(measure)
    elif source == "columns" and not measure.columns:
        yield f'[[measure]] {measure.id}: columns is empty. Write, for example, columns = {{ m12 = "score_m12" }}.'


def _improved(study: Study, names: Names) -> Problems:
    for measure in study.measure:
        if measure.improved and measure.improved.measure not in names.measures:
            yield f"[[measure]] {measure.id}: improved: {_quoted(measure.improved.measure, 'measure', names.measures)}"
        elif measure.improved and measure.improved.measure == measure.id:
            yield f"[[measure]] {measure.id}: improved.measure is the measure itself. Name the one that is to improve."


def _instrument(measure: Measure) -> Problems:
    if measure.table is None:
        yield f"[[measure]] {measure.id} lacks table: which of [tables] holds its assessments?"
    try:
        entry = load("instrument", str(measure.instrument))
    except StudyError as error:
        yield f"[[measure]] {measure.id}: {error}"
        return
    scales = [str(scale["id"]) for scale in entry.get("scale", ())]
    if measure.scale is not None and measure.scale not in scales:
        yield f"[[measure]] {measure.id}: scale: {_quoted(measure.scale, 'scale', scales)}"
    if measure.items is not None and len(measure.items) < len(entry.get("items", ())):
        count = len(entry["items"])
        yield f"[[measure]] {measure.id}: items has {len(measure.items)} columns and the instrument has {count} items."


# ---------------------------------------------------------------- domains


def _domains(study: Study, names: Names) -> Problems:
    for domain in study.domain:
        place = f"[[domain]] {domain.id}"
        for name in domain.measures:
            if problem := _reading(name, study, names, domains=False):
                yield f"{place}: measures: {problem}"
        dated = [name for name in domain.measures if "@" in name]
        if dated and len(dated) < len(domain.measures):
            yield f"{place}: some measures have an @occasion and some have none. Write it on all of them, or on none."
        for name, count in Counter(domain.measures).items():
            if count > 1:
                yield f'{place}: measures has "{name}" {count} times. Write it once.'
        plain = [study.find_measure(name) for name in domain.measures if "@" not in name]
        repeated = any(measure is not None and (measure.instrument or measure.columns) for measure in plain)
        needs_baseline = repeated and domain.reference == "comparison at baseline"
        if (needs_baseline or "baseline" in domain.model_fields_set) and domain.baseline not in names.occasions:
            yield f"{place}: baseline: {_quoted(domain.baseline, 'occasion', names.occasions)}"


def _reading(name: str, study: Study, names: Names, domains: bool = True) -> str:
    """What is wrong with "measure", "measure@occasion" or, where allowed, the same of a domain; empty if nothing."""
    stem, at, occasion = name.partition("@")
    known = [*names.measures, *(names.domains if domains else ())]
    if stem not in known:
        return _quoted(stem, "outcome" if domains else "measure", known)
    if not at:
        return ""
    if occasion not in names.occasions:
        return f'"{name}": {_quoted(occasion, "occasion", names.occasions)}'
    measure, domain = study.find_measure(stem), study.find_domain(stem)
    if measure and (measure.days_in or measure.rule or measure.improved):
        return f'"{name}": {stem} is read once, not on occasions. Write "{stem}".'
    if measure and measure.columns and occasion not in measure.columns:
        return f'"{name}": {stem} has no column for {occasion}. It has: {", ".join(measure.columns)}.'
    if domain and not measure and all("@" in each for each in domain.measures):
        return f'"{name}": {stem} is one index over all its occasions. Write "{stem}".'
    return ""


# ---------------------------------------------------------------- the counterfactual, contract and value


def _estimators(study: Study, _: Names) -> Problems:
    plan = study.counterfactual
    if plan is None:
        return
    named = {"[counterfactual] estimator": plan.estimator}
    named |= {f"[counterfactual] by_outcome.{outcome}": name for outcome, name in plan.by_outcome.items()}
    named |= {f"[[counterfactual.also]] {also.id}: estimator": also.estimator for also in plan.also}
    for place, name in named.items():
        if name not in ESTIMATORS:
            yield f"{place}: {_quoted(name, 'estimator', ESTIMATORS)}"
    if plan.estimator in FROM_RATES and plan.rates is None:
        yield (
            f'[counterfactual] estimator = "{plan.estimator}" takes its figures from a file and rates is not given. '
            'Write rates = "rates.csv".'
        )
    if plan.rates is not None and plan.estimator in ESTIMATORS and plan.estimator not in FROM_RATES:
        yield (
            f'[counterfactual] rates is given and estimator = "{plan.estimator}" does not use it. '
            'Drop rates, or write estimator = "published" or "assumed".'
        )


def _estimates_from_persons(study: Study) -> bool:
    return study.counterfactual is not None and study.counterfactual.estimator not in FROM_RATES


def _persons(study: Study, names: Names) -> Problems:
    if "cohort" not in names.parts and (names.measures or names.domains):
        yield "[[measure]] there are measures and no [cohort]. Write [cohort]: whom are they measured on?"
    if not _estimates_from_persons(study):
        return
    plan, cohort = study.counterfactual, study.cohort
    if not names.measures:
        yield f'[counterfactual] estimator = "{plan.estimator}" needs a [[measure]] and there is none.'
    if "cohort" not in names.parts and not names.measures:
        yield f'[counterfactual] estimator = "{plan.estimator}" needs people and there is no [cohort].'
    if cohort is not None and cohort.arm is None:
        yield f'[counterfactual] estimator = "{plan.estimator}" compares two arms and [cohort] lacks arm.'


def _outcomes(study: Study, names: Names) -> Problems:
    if not _estimates_from_persons(study):
        return
    plan = study.counterfactual
    used = {"[counterfactual] outcomes": plan.outcomes or (), "[counterfactual] by_outcome": plan.by_outcome}
    used |= {f"[[counterfactual.also]] {also.id}: outcomes": also.outcomes or () for also in plan.also}
    if plan.benchmark:
        used["[counterfactual.benchmark] outcome"] = (plan.benchmark.outcome,)
    if study.contract:
        used |= {f"[[contract.trigger]] {one.id}: outcome": (one.outcome,) for one in study.contract.trigger}
    covariates = [name for name in plan.covariates if "@" in name]
    covariates += [name for also in plan.also for name in also.covariates or () if "@" in name]
    used["[counterfactual] covariates"] = covariates
    for place, outcomes in used.items():
        for name in outcomes:
            if problem := _reading(name, study, names):
                yield f"{place}: {problem}"


def _before(study: Study, names: Names) -> Problems:
    plan = study.counterfactual
    if plan is None:
        return
    used = {plan.estimator, *plan.by_outcome.values(), *(also.estimator for also in plan.also)}
    if ("did" in used or "baseline" in plan.model_fields_set) and plan.baseline not in names.occasions:
        yield f"[counterfactual] baseline: {_quoted(plan.baseline, 'occasion', names.occasions)}"


def _money(study: Study, names: Names) -> Problems:
    contract, value = study.contract, study.value
    if contract and contract.achieved and not contract.rate_card:
        yield '[contract] has achieved and lacks rate_card: what is a unit paid? Write rate_card = "rate_card.csv".'
    if contract and contract.trigger and study.counterfactual is None and "counterfactual" not in names.parts:
        yield "[[contract.trigger]] a trigger is judged by an effect and there is no [counterfactual]."
    if value and value.cost_low is not None and value.cost_low > value.cost:
        yield f"[value] cost_low = {value.cost_low:_} is above cost = {value.cost:_}. It is the lower end."
    if value and value.cost_high is not None and value.cost_high < value.cost:
        yield f"[value] cost_high = {value.cost_high:_} is below cost = {value.cost:_}. It is the upper end."
    if value and study.study.price_year is None:
        yield "[study] lacks price_year: a value has no meaning without one. Write, for example, price_year = 2023."


def _simulation(study: Study, _: Names) -> Problems:
    if study.simulation and study.study.kind != "synthetic":
        yield (
            f'[simulation] draws invented tables and [study] kind = "{study.study.kind}". '
            'Drop [simulation], or write kind = "synthetic".'
        )


CHECKS = (
    _duplicates, _unusable_ids, _tables, _people_table, _index_date, _occasions, _sources, _improved,
    _domains, _persons, _estimators, _outcomes, _before, _money, _simulation,
)  # fmt: skip
