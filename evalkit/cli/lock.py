"""What evalkit lock writes and says: the plan's hash and date, and whether outcomes were in already."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit.errors import EvalkitError
from evalkit.study import Study, read_study, shown
from evalkit.study.locked import FILE, departures, lock_plan, read_lock
from evalkit.study.model import TableInDatabase
from evalkit.words import listed, month

if TYPE_CHECKING:
    import pandas as pd

    from evalkit.study.model import Measure

RECORDS = {"days_in": "start", "attendance": "date", "offending": "date", "placements": "start"}
NOT_IN = "No outcome was in the study's tables when the plan was locked."
UNKNOWN = "Whether outcomes were in when the plan was locked could not be seen"


def lock_lines(folder: Path, again: str | None = None) -> list[str]:
    """Lock a study's plan.

    Parameters
    ----------
    folder : Path
        The study's folder.
    again : str, optional
        Why it is locked again.

    Returns
    -------
    list of str
        What was done, in words.

    Raises
    ------
    StudyError
        The plan is wrong, or locked already and no reason is given.
    """
    study = read_study(folder, with_files=False)
    before = [one for one in departures(study) if not one.words_only] if read_lock(study) is not None else []
    lock = lock_plan(study, outcomes_in(study), again)
    lines = [f"{shown(study.folder)}: the plan is locked in {FILE}, hash {lock.sha256[:12]}."]
    lines += [str(lock.outcomes["says"])]
    lines += [f"Since the lock before: {one.says}" for one in before]
    return [*lines, "From now on the report lists every departure from it."]


def departure_lines(folder: Path) -> list[str]:
    """Every departure from the locked plan.

    Parameters
    ----------
    folder : Path
        The study's folder.

    Returns
    -------
    list of str
        One line each, and what the lock says of itself before them.

    Raises
    ------
    StudyError
        The plan is wrong, or the lock is damaged.
    """
    from evalkit.study.locked import lock_says

    study = read_study(folder, with_files=False)
    return [
        *lock_says(study),
        *(f"  {'words only: ' if one.words_only else ''}{one.says}" for one in departures(study)),
    ]


def outcomes_in(study: Study) -> dict[str, Any]:
    """Whether outcomes are in the study's tables already, and up to which month.

    Parameters
    ----------
    study : Study
        Its tables are read where they are files.

    Returns
    -------
    dict
        ``there`` (True, False, or None where it could not be seen), ``latest`` (a month, "2020-03", or None),
        ``tables``, ``says`` (a sentence). Never a day: the latest one may be one person's.
    """
    sources = _sources(study)
    if any(isinstance(study.tables.get(name), TableInDatabase) for name in sources):
        return _told(None, None, [], f"{UNKNOWN}: they are in a database.")
    from evalkit.tables import read_tables

    there = [name for name in study.tables if _file(study, name)]
    try:
        tables = read_tables(study, there)
    except EvalkitError:
        return _told(None, None, [], f"{UNKNOWN}: the tables cannot be read yet.")
    found = {name: _latest(tables[name], columns) for name, columns in sources.items() if name in tables}
    opens = _first_follow_up(study, tables)
    late = [name for name, (any_, last) in found.items() if any_ and (last is None or opens is None or last >= opens)]
    late += [*_published(study), *_of_areas(study, tables)]
    if not late:
        return _told(False, None, [], NOT_IN)
    dates = [last for name, (_, last) in found.items() if name in late and last is not None]
    latest = max(dates) if dates else None
    upto = f", up to {month(latest)}" if latest else ""
    says = (
        f"Outcomes were in already when the plan was locked ({listed(late)}{upto}): "
        "nothing shows that it was decided before they could be seen."
    )
    return _told(True, latest, late, says)


def _told(there: bool | None, latest: dt.date | None, tables: list[str], says: str) -> dict[str, Any]:
    return {"there": there, "latest": f"{latest:%Y-%m}" if latest else None, "tables": tables, "says": says}


def _file(study: Study, name: str) -> bool:
    """Whether a table's file is in the folder."""
    table = study.tables[name]
    file = table if isinstance(table, str) else getattr(table, "file", None)
    return file is not None and study.path(file).is_file()


def _sources(study: Study) -> dict[str, list[str]]:
    """The tables that outcomes come from: the date columns of dated ones, else the columns that hold outcomes."""
    found: dict[str, list[str]] = {}
    for measure in study.measure:
        for table, columns in _source(study, measure).items():
            found.setdefault(table, []).extend(columns)
    return {name: columns for name, columns in found.items() if name in study.tables}


def _source(study: Study, measure: Measure) -> dict[str, list[str]]:
    """Of one measure."""
    for kind, column in RECORDS.items():
        if part := getattr(measure, kind):
            return {part.table: [getattr(part, column)]}
    if measure.ladder is not None:
        return {measure.ladder.table: [measure.ladder.date]}
    if measure.rule is not None:
        return {name: [] for name in study.tables if f"({name}," in measure.rule or f"({name})" in measure.rule}
    named = [measure.table] if measure.table else _of_persons(study, measure)
    start = study.counterfactual.baseline if study.counterfactual else "baseline"
    held = [measure.column] if measure.column else []
    held += [column for occasion, column in (measure.columns or {}).items() if occasion != start]
    dated = [] if measure.columns is not None else [measure.date]
    return {name: [*dated, *held] for name in named}


def _of_persons(study: Study, measure: Measure) -> list[str]:
    """The tables with one row per person, where a measure names none and takes a column of them."""
    from evalkit.tables.expected import person_tables

    return list(person_tables(study)) if measure.column or measure.columns else []


def _latest(table: pd.DataFrame, columns: list[str]) -> tuple[bool, dt.date | None]:
    """Whether there is anything, and the last date; None where the outcomes bear none."""
    import pandas as pd

    held = [name for name in columns if name in table]
    dates = [table[name] for name in held if pd.api.types.is_datetime64_any_dtype(table[name])]
    last = max((day for day in (column.max() for column in dates) if not pd.isna(day)), default=None)
    there = table[held].notna().to_numpy().any() if held else not columns
    values = bool(len(table)) and bool(there)
    return values, None if last is None else last.date()


def _first_follow_up(study: Study, tables: dict[str, pd.DataFrame]) -> dt.date | None:
    """The first day on which anybody's outcome could have been read; None where that is not known."""
    import pandas as pd

    index = study.cohort.index if study.cohort else None
    if index is None:
        return None
    held = index.date if index.table is None else _column(tables, index.table, str(index.date))
    start: Any = pd.to_datetime(pd.Series(held), errors="coerce").min()
    if pd.isna(start):
        return None
    days = [one.day + one.window[0] for one in study.occasion if one.day > 0]
    return (start + pd.Timedelta(days=max(1, min(days, default=1)))).date()


def _published(study: Study) -> list[str]:
    """The contract's own record of outcomes, and rates that somebody published."""
    plan, contract = study.counterfactual, study.contract
    files = [contract.achieved if contract else None, plan.rates if plan and plan.estimator != "assumed" else None]
    return [file for file in files if file and study.path(file).is_file()]


def _of_areas(study: Study, tables: dict[str, pd.DataFrame]) -> list[str]:
    """The table of areas, where a period with the programme has an outcome in it."""
    areas = study.counterfactual.areas if study.counterfactual else None
    if areas is None or areas.table not in tables:
        return []
    table = tables[areas.table]
    with_it = table[areas.treated] == 1 if areas.treated else None
    if with_it is None and areas.first_treated:
        began = table[areas.first_treated]
        with_it = (began > 0) & (table[areas.time] >= began)
    if with_it is None:
        return []
    held = table.loc[with_it.fillna(False).astype(bool), [one.column for one in areas.outcome]]
    return [areas.table] if bool(held.notna().to_numpy().any()) else []


def _column(tables: dict[str, pd.DataFrame], table: str, column: str) -> Any:
    """A column of a table, if both are there."""
    return tables[table][column] if table in tables and column in tables[table] else None
