"""Checks of the parts about persons: ids, tables, files, occasions, measures, domains."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from evalkit.errors import StudyError
from evalkit.library import load
from evalkit.study.databases import address_problem
from evalkit.study.files import files_named, missing_file
from evalkit.study.model import Measure, Study, TableInDatabase
from evalkit.study.names import Names, quoted, reading
from evalkit.words import listed

RECORDS = ("days_in", "attendance", "offending", "placements")
SOURCES = ("instrument", "ladder", "column", "columns", *RECORDS, "rule", "over_time", "improved")
RECORD = "Write days_in, attendance, offending, placements, ladder or column in the place of instrument."
Problems = Iterator[str]


# ---------------------------------------------------------------- ids


def _duplicates(study: Study, names: Names) -> Problems:
    lists: dict[str, Iterable[Any]] = {
        "occasion": study.occasion,
        "measure": study.measure,
        "domain": study.domain,
        "series": study.series,
        "valued": study.valued,
        "constituency": study.constituency,
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
        for key in (*RECORDS, "ladder"):
            if plan := getattr(measure, key):
                yield f"[[measure]] {measure.id}: {key}.table", plan.table
        if measure.offending and measure.offending.custody:
            yield f"[[measure]] {measure.id}: offending.custody.table", measure.offending.custody.table
    if study.engagement:
        yield "[engagement] table", study.engagement.table
    if study.counterfactual and study.counterfactual.benchmark:
        yield "[counterfactual.benchmark] table", study.counterfactual.benchmark.table
    if study.counterfactual and study.counterfactual.areas:
        yield "[counterfactual.areas] table", study.counterfactual.areas.table


def _tables(study: Study, names: Names) -> Problems:
    for place, table in _tables_used(study):
        if table is not None and table not in names.tables:
            yield f"{place}: {quoted(table, 'table', names.tables)} Tables are listed under [tables]."
    if study.cohort and not study.tables and "tables" not in names.parts:
        yield '[cohort] has no tables to count from. Write [tables] and, for example, people = "people.csv".'


def _databases(study: Study, _: Names) -> Problems:
    """Addresses of databases, and tables that lie in more than one."""
    found = {name: table for name, table in study.tables.items() if isinstance(table, TableInDatabase)}
    for name, table in found.items():
        if problem := address_problem(table.database):
            yield f"[tables] {name}: {problem}"


def _cohort_ids(study: Study, names: Names) -> Problems:
    """Groups and sets that share an id; starts and invented people that name what is not there."""
    plan = study.cohort
    if plan is None:
        return
    known = [one.id for one in plan.set]
    for part, ids in (("group", [one.id for one in plan.group]), ("set", known)):
        for name, count in Counter(ids).items():
            if count > 1:
                yield f'[[cohort.{part}]] {name}: {count} entries have the id "{name}". Give each its own.'
    if plan.drift and plan.drift.starts is not None and plan.drift.starts not in known:
        yield f"[cohort.drift] starts: {quoted(plan.drift.starts, 'set', known)}"
    if plan.drift and plan.drift.planned is not None and plan.drift.starts is None:
        yield "[cohort.drift] has planned starts and not whose. Write starts, the id of the [[cohort.set]] of starters."
    for place, one in enumerate(plan.assure, start=1):
        for table in one.tables:
            if table not in names.tables:
                yield f"[[cohort.assure]] {place}: {quoted(table, 'table', names.tables)}"


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


def files_there(study: Study, _: Names) -> Problems:
    """Files that the study names and its folder has not.

    Parameters
    ----------
    study : Study
        Whose files.

    Yields
    ------
    str
        Place, finding, remedy.
    """
    for place, file in files_named(study):
        if problem := missing_file(study.folder, file):
            drawn = " evalkit simulate draws the tables of a synthetic study." if study.simulation else ""
            yield f"{place}: {problem}{drawn}"


def id_of_its_own(study: Study, _: Names) -> Problems:
    """Another study beside this one with the same id: one report would take the place of the other.

    Parameters
    ----------
    study : Study
        Whose id.

    Yields
    ------
    str
        Place, finding, remedy.
    """
    for file in sorted(study.folder.parent.glob("*/study.toml")):
        elsewhere = file.parent.resolve() != study.folder.resolve()  # a link to this very folder is no twin
        if elsewhere and _id_in(file) == study.id:
            twin = f'"{study.id}" is the id of {file.parent.name} too'
            yield f"[study] id: {twin}, and reports go by id. Write another id."


def _id_in(file: Path) -> object:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))["study"]["id"]
    except (OSError, ValueError, KeyError, TypeError):  # whatever is wrong with a neighbour is for its own check
        return None


# ---------------------------------------------------------------- occasions and measures


def _occasions(study: Study, names: Names) -> Problems:
    for occasion in study.occasion:
        first, last = occasion.window
        if first > last:
            yield f"[[occasion]] {occasion.id}: window = [{first}, {last}] ends before it begins. Turn it round."
    for measure in study.measure:
        used = {"occasion": measure.occasion, "improved.start": measure.improved.start if measure.improved else None}
        used |= {f"columns.{key}": key for key in measure.columns or ()}
        for key, named in used.items():
            if named is not None and named not in names.occasions:
                yield f"[[measure]] {measure.id}: {key}: {quoted(named, 'occasion', names.occasions)}"
        if (measure.instrument or measure.ladder) and not names.occasions:
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
            yield f"[[measure]] {measure.id}: improved: {quoted(measure.improved.measure, 'measure', names.measures)}"
        elif measure.improved and measure.improved.measure == measure.id:
            yield f"[[measure]] {measure.id}: improved.measure is the measure itself. Name the one that is to improve."


def _over_time(study: Study, names: Names) -> Problems:
    for measure in study.measure:
        plan, place = measure.over_time, f"[[measure]] {measure.id}: over_time"
        if plan is None:
            continue
        if plan.of == measure.id:
            yield f"{place}.of is the measure itself. Name the one that is read on occasions."
        elif plan.of not in (*names.measures, *names.domains):
            yield f"{place}: {quoted(plan.of, 'measure or domain', [*names.measures, *names.domains])}"
        if plan.start not in names.occasions:
            yield f"{place}.start: {quoted(plan.start, 'occasion', names.occasions)}"
    summaries = {measure.id for measure in study.measure if measure.over_time}
    for domain in study.domain:
        for name in summaries & set(domain.measures):
            yield f"[[domain]] {domain.id}: measures: {name} is made over occasions, after domains. Leave it out."


def _instrument(measure: Measure) -> Problems:
    if measure.table is None:
        yield f"[[measure]] {measure.id} lacks table: which of [tables] holds its assessments?"
    try:
        entry = load("instrument", str(measure.instrument))
    except StudyError as error:
        yield f"[[measure]] {measure.id}: {error}"
        return
    if entry.get("type") == "record":
        yield f'[[measure]] {measure.id}: "{measure.instrument}" is counted from records, not answered. {RECORD}'
        return
    scales = [str(scale["id"]) for scale in entry.get("scale", ())]
    if measure.scale is None and not entry.get("main"):
        known = listed(scales, "or")
        yield f"[[measure]] {measure.id}: {measure.instrument} has no main score. Write scale = one of {known}."
    if measure.scale is not None and measure.scale not in scales:
        yield f"[[measure]] {measure.id}: scale: {quoted(measure.scale, 'scale', scales)}"
    if measure.items is not None and len(measure.items) < len(entry.get("items", ())):
        count = len(entry["items"])
        yield f"[[measure]] {measure.id}: items has {len(measure.items)} columns and the instrument has {count} items."


# ---------------------------------------------------------------- domains


def _domains(study: Study, names: Names) -> Problems:
    for domain in study.domain:
        place = f"[[domain]] {domain.id}"
        for name in domain.measures:
            if problem := reading(name, study, names, domains=False):
                yield f"{place}: measures: {problem}"
        dated = [name for name in domain.measures if "@" in name]
        if dated and len(dated) < len(domain.measures):
            yield f"{place}: some measures have an @occasion and some have none. Write it on all of them, or on none."
        for name, count in Counter(domain.measures).items():
            if count > 1:
                yield f'{place}: measures has "{name}" {count} times. Write it once.'
        for name in domain.norms:
            if name not in domain.measures:
                yield f"{place}: norms: {quoted(name, 'measure', domain.measures)}"
        plain = [study.find_measure(name) for name in domain.measures if "@" not in name]
        repeated = any(one is not None and (one.instrument or one.columns or one.ladder) for one in plain)
        needs_baseline = repeated and domain.reference == "comparison at baseline"
        if (needs_baseline or "baseline" in domain.model_fields_set) and domain.baseline not in names.occasions:
            yield f"{place}: baseline: {quoted(domain.baseline, 'occasion', names.occasions)}"


CHECKS = (
    _duplicates,
    _unusable_ids,
    _tables,
    _databases,
    _cohort_ids,
    _people_table,
    _index_date,
    _occasions,
    _sources,
    _improved,
    _over_time,
    _domains,
)
