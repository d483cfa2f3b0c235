"""A few invented people, and the answer each must get: the rules' own tests, written in the study."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING

import pandas as pd

from evalkit.cohort.answers import ask
from evalkit.cohort.build import given_of
from evalkit.cohort.engines.base import Engine
from evalkit.cohort.engines.duck import DuckEngine
from evalkit.cohort.flow import judge
from evalkit.cohort.held import FrameTable, Held, told_apart
from evalkit.cohort.kinds import Kind, as_dates
from evalkit.cohort.session import Session
from evalkit.cohort.sources import hold
from evalkit.cohort.start import find_start
from evalkit.cohort.walk import check_columns_named, rule_questions, rule_steps
from evalkit.errors import EvalkitError, StudyError, did_you_mean, several
from evalkit.study.counted import Assured, CohortPlan
from evalkit.words import listed

if TYPE_CHECKING:
    from evalkit.study import Study

SOMEBODY = "1"  # the id of the one person whose rows name nobody
DTYPES = {"number": "float64", "text": "str", "date": "datetime64[us]", "yes or no": "boolean", "empty": "float64"}


def assure(study: Study) -> int:
    """Ask the rules about the invented people of a study.

    Parameters
    ----------
    study : Study
        With [[cohort.assure]], or without.

    Returns
    -------
    int
        How many people got the answer they must.

    Raises
    ------
    StudyError
        Somebody gets another answer, or the invented rows do not fit the tables: all of them at once.
    """
    from evalkit.study import shown

    plan = study.cohort
    if plan is None or not plan.assure:
        return 0
    where = shown(study.folder)
    engine, held = hold(given_of(study), plan, where)
    try:
        return assure_plan(plan, held, where)
    finally:
        engine.close()


def assure_plan(plan: CohortPlan, held: dict[str, Held], where: str) -> int:
    """The same for a plan and the tables whose columns the invented rows have.

    Parameters
    ----------
    plan : CohortPlan
        With invented people.
    held : dict of str to Held
        The study's own tables: only what their columns hold is asked of them.
    where : str
        For messages.

    Returns
    -------
    int
        How many people got the answer they must.

    Raises
    ------
    StudyError
        All that is not as it must be.
    """
    problems, people = [], 0
    for place, one in enumerate(plan.assure, start=1):
        found = list(_misfits(plan, one, held)) or _tried(plan, one, held)
        problems += [f'[[cohort.assure]] {place} "{one.says}": {problem}' for problem in found]
        people += len(_ids(plan, one))
    if problems:
        raise StudyError(several(where, problems))
    return people


def _misfits(plan: CohortPlan, one: Assured, held: dict[str, Held]) -> Iterable[str]:
    """Invented rows that no table of the study could have."""
    for table, rows in one.tables.items():
        if table not in held:
            yield f'"{table}" is not a table of the study. {did_you_mean(table, held)}'
            continue
        for name in dict.fromkeys(name for row in rows for name in row):
            if name not in held[table].columns:
                yield f'table {table} has no column "{name}". {did_you_mean(name, held[table].columns)}'
    known = [rule.says for rule in (*plan.include, *plan.exclude)]
    if one.at is not None and one.at not in known:
        yield f'at names "{one.at}", which no rule says. {did_you_mean(one.at, known)}'
    for name in one.columns:
        if name not in plan.columns:
            yield f'columns names "{name}", which is no new column. {did_you_mean(name, plan.columns)}'
    if isinstance(one.answer, dict):
        yield from (f'answer lacks person "{person}".' for person in _ids(plan, one) if person not in one.answer)


def _ids(plan: CohortPlan, one: Assured) -> list[str]:
    """The invented people."""
    rows = [row for rows in one.tables.values() for row in rows]
    return list(dict.fromkeys(str(row.get(plan.person, SOMEBODY)) for row in rows))


def _tried(plan: CohortPlan, one: Assured, held: dict[str, Held]) -> list[str]:
    """Where an answer is not what it must be."""
    engine = DuckEngine()
    try:
        start = find_start(plan, engine, _invented(plan, one, held, engine), "the invented people")
        check_columns_named(plan, start.scope, "the invented people")
        asked = ask(start.scope, rule_questions(plan), "the invented people", start.picked)
        steps = rule_steps(plan, start, asked)
        judge(engine, steps, several=start.several)
        return _compared(plan, one, Session(start.scope, asked, steps, plan, start.picked))
    except EvalkitError as error:
        return [str(error).replace("\n", "\n     ")]
    finally:
        engine.close()


def _compared(plan: CohortPlan, one: Assured, session: Session) -> list[str]:
    """What each person got against what each must get."""
    reasons = session.reasons()
    kept = session.keep()
    counted = set(kept["_person"])
    problems = []
    for person in _ids(plan, one):
        wanted = one.answer[person] if isinstance(one.answer, dict) else one.answer
        why = reasons[reasons["person"] == person]
        who = "" if len(_ids(plan, one)) == 1 else f"person {person} "
        if wanted == "counted" and person not in counted:
            at = listed([f'"{rule}"' for rule in why["rule"]])
            problems.append(f"{who}must be counted, and is left out at {at or 'the start: there is no index row'}.")
        elif wanted == "left out" and person in counted:
            problems.append(f"{who}must be left out, and is counted.")
        elif wanted == "left out" and one.at is not None and one.at not in set(why["rule"]):
            problems.append(f'{who}must be left out at "{one.at}", and meets that rule.')
        elif wanted == "counted":
            mine = kept[kept["_person"] == person].iloc[0]
            problems += [who + text for text in _columns(one, mine, session)]
    return problems


def _columns(one: Assured, mine: pd.Series, session: Session) -> Iterable[str]:
    for name, wanted in one.columns.items():
        value = mine[session.asked.place(name)]
        shown = "missing" if pd.isna(value) else str(value)[:10] if isinstance(value, pd.Timestamp) else str(value)
        if shown != str(wanted) and not _alike(value, wanted):
            yield f"{name} must be {wanted}, and is {shown}."


def _alike(value: object, wanted: object) -> bool:
    try:
        return float(value) == float(wanted)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False


def _invented(plan: CohortPlan, one: Assured, held: dict[str, Held], engine: Engine) -> dict[str, Held]:
    """Tables of the study's columns and kinds with the invented rows only."""
    found: dict[str, Held] = {}
    names = told_apart(held)
    for name, table in held.items():
        rows = [{plan.person: SOMEBODY, **row} for row in one.tables.get(name, [])]
        kinds: dict[str, Kind] = {c: "text" if c == plan.person else table.kind(c) for c in table.columns}
        columns = {column: _column([row.get(column) for row in rows], kind) for column, kind in kinds.items()}
        frame = pd.DataFrame(columns)
        found[name] = FrameTable(name, plan.person, frame, engine, kinds=kinds, sql_table=names[name])
    return found


def _column(values: list[object], kind: Kind) -> pd.Series:
    """Invented cells as a column of its kind."""
    if kind == "date":
        text = [v.isoformat()[:10] if isinstance(v, dt.date) else v for v in values]
        return as_dates(pd.Series(text, dtype="str")).astype("datetime64[us]")
    if kind == "number" and values and all(isinstance(v, int) and not isinstance(v, bool) for v in values):
        return pd.Series(values, dtype="int64")
    return pd.Series(values, dtype=DTYPES[kind])
