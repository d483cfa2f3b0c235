"""From tables and a plan to the cohort."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit.cohort.noun import Cohort
from evalkit.errors import StudyError, several
from evalkit.study.counted import CohortPlan
from evalkit.study.persons import TableInDatabase

if TYPE_CHECKING:
    from evalkit.study import Study

Table = pd.DataFrame | str | Path | Mapping[str, str]
LARGE = 32_000_000  # bytes of a csv or parquet file from which on it is read where it lies


def build_cohort(study: Study) -> Cohort:
    """Find who is counted in a study.

    Parameters
    ----------
    study : Study
        With a [cohort] part and the tables it names.

    Returns
    -------
    Cohort
        One row per person, the flow, the reasons and the SQL of each rule.

    Raises
    ------
    StudyError
        The plan cannot be followed; all rules' problems at once, each shown at the character.
    DataError
        The tables contradict the plan, nobody is left, or a database does not answer.
    """
    from evalkit.cohort.walk import walk
    from evalkit.study import shown

    where = f"The cohort of {shown(study.folder)}"
    if study.cohort is None:
        finding = "the study has no [cohort], so nobody can be counted. Add [cohort] with person and index."
        raise StudyError(several(where, [finding]))
    return walk(study, study.cohort, given_of(study), where)


def given_of(study: Study) -> dict[str, pd.DataFrame | Path | TableInDatabase]:
    """The tables of a study: small files read and checked cell by cell, the others as they are named.

    Parameters
    ----------
    study : Study
        With its tables.

    Returns
    -------
    dict of str to DataFrame, Path or TableInDatabase
        In the order of the study.

    Raises
    ------
    DataError
        What is wrong with the files, all at once.
    """
    from evalkit.tables import read_tables

    placed = in_place(study)
    read = read_tables(study, [name for name in study.tables if name not in placed])
    return {name: placed[name] if name in placed else read[name] for name in study.tables}


def in_place(study: Study) -> dict[str, Path | TableInDatabase]:
    """The tables of a study that are too large to be read whole, or lie in a database.

    Parameters
    ----------
    study : Study
        With its tables.

    Returns
    -------
    dict of str to Path or TableInDatabase
        Empty for most studies.
    """
    found: dict[str, Path | TableInDatabase] = {}
    for name, table in study.tables.items():
        if isinstance(table, TableInDatabase):
            found[name] = table
            continue
        path = study.path(table if isinstance(table, str) else table.file)
        # Small csv files too where instants are read on a named clock: text is read by that clock only in the engine.
        on_a_clock = study.cohort is not None and study.cohort.time_zone and path.suffix.lower() != ".parquet"
        large = path.is_file() and (on_a_clock or path.stat().st_size >= LARGE)
        if large and path.suffix.lower() in (".csv", ".tsv", ".parquet"):
            found[name] = path
    return found


def select(tables: Mapping[str, Table], definition: Mapping[str, Any]) -> Cohort:
    """Find who is counted in plain tables.

    Parameters
    ----------
    tables : dict of str to DataFrame, path or dict
        The tables by the names the rules use. csv and parquet files are read where they lie, however large; a table of
        a database is {"database": "postgresql://host/base", "table": "schema.table"}.
    definition : dict
        The [cohort] part of a study: person, index {table, date, pick} or {date}, arm, include, exclude, columns ...

    Returns
    -------
    Cohort
        As `build_cohort` gives it, without a study.

    Raises
    ------
    StudyError
        The definition cannot be followed.
    DataError
        The tables contradict the definition, nobody is left, or a database does not answer.
    """
    from evalkit.cohort.walk import walk

    where = "The cohort definition"
    if not isinstance(tables, Mapping) or not isinstance(definition, Mapping):
        raise StudyError(several(where, ['tables and definition are dicts: select({"people": frame}, {...}).']))
    plan = plan_of(definition, where)
    given = {str(name): _given(str(name), table, where) for name, table in tables.items()}
    return walk(None, plan, given, where)


def plan_of(definition: Mapping[str, Any], where: str) -> CohortPlan:
    """Check a definition as a study's [cohort] is checked.

    Parameters
    ----------
    definition : dict
        The [cohort] part.
    where : str
        For messages.

    Returns
    -------
    CohortPlan
        The plan.

    Raises
    ------
    StudyError
        All that is wrong with it.
    """
    from pydantic import ValidationError

    from evalkit.study.wording import sentences

    try:
        return CohortPlan.model_validate(dict(definition))
    except ValidationError as error:
        # Told as a study file would be, of which this is the part [cohort].
        found = [one | {"loc": ("cohort", *one["loc"])} for one in error.errors()]
        raise StudyError(several(where, sentences(found, {"cohort": dict(definition)}))) from None  # type: ignore[arg-type]


def _given(name: str, table: object, where: str) -> pd.DataFrame | Path | TableInDatabase:
    """What a table was given as."""
    if isinstance(table, pd.DataFrame):
        return table
    if isinstance(table, Mapping):
        from pydantic import ValidationError

        try:
            return TableInDatabase.model_validate(dict(table))
        except ValidationError as error:
            found = [f'table "{name}": {one["loc"][0]}: {one["msg"]}.' for one in error.errors()]
            raise StudyError(several(where, found)) from None
    if isinstance(table, str | Path):
        return Path(table).absolute()
    finding = f'table "{name}" is neither a DataFrame, a path nor a database. Give one of them.'
    raise StudyError(several(where, [finding]))
