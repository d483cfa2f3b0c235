"""What describes a cohort once it is counted: analysis sets, drift, the arms at the start, who did not start."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sqlglot import exp

from evalkit.cohort.answers import ANSWERS
from evalkit.cohort.arms import CAVEATS
from evalkit.cohort.baseline import baseline_flags, compare, overall_p, selection_flags
from evalkit.cohort.checks import how_many
from evalkit.cohort.drift import SEED, drift_flags, drift_table
from evalkit.cohort.flow import PEOPLE
from evalkit.cohort.held import DATE, ROW, column
from evalkit.cohort.planned import read_planned
from evalkit.cohort.session import Session
from evalkit.errors import Flag, StudyError, did_you_mean, several
from evalkit.study.counted import CohortPlan, Drift
from evalkit.words import listed

if TYPE_CHECKING:
    from evalkit.cohort.noun import Cohort
    from evalkit.study import Study

STARTED = ("started", "not_started")
RULE = "uk-children-10"


# ---------------------------------------------------------------- analysis sets


def sets_of(plan: CohortPlan, table: pd.DataFrame) -> pd.DataFrame:
    """Count everyone eligible, then each analysis set, and who is lost between them.

    Parameters
    ----------
    plan : CohortPlan
        With its sets, in order.
    table : DataFrame
        The cohort's table.

    Returns
    -------
    DataFrame
        set, says, rule, people, lost, unknown, treated, comparison; no rows without sets.
    """
    rows = []
    before = pd.Series(True, index=table.index)
    arm = table.get("arm")
    sets: list[Any] = [None, *plan.set] if plan.set else []
    elsewhere = any(group.role == "comparison" and group.kind in CAVEATS for group in plan.group)
    for one in sets:
        answer = before.astype("boolean") if one is None else table[f"in_{one.id}"]
        here = answer.fillna(False).astype(bool)
        row = {"set": "eligible" if one is None else one.id}
        row |= {"says": "referred and eligible" if one is None else one.says, "rule": "" if one is None else one.rule}
        row |= {"people": here.sum(), "lost": (before & ~here).sum(), "unknown": answer.isna().sum()}
        row |= {name: pd.NA if arm is None else (here & (arm == name)).sum() for name in ("treated", "comparison")}
        if one is not None and elsewhere and arm is not None and row["comparison"] == 0:
            row["comparison"] = pd.NA  # nobody there could: that is the design, and tells of nobody
        rows.append(row)
        before = here
    counts = ["people", "lost", "unknown", "treated", "comparison"]
    return pd.DataFrame(rows, columns=["set", "says", "rule", *counts]).astype(dict.fromkeys(counts, "Int64"))


def _flag_sets(plan: CohortPlan, table: pd.DataFrame) -> list[Flag]:
    """People of a later set who are not in the one before: who completed and never started?"""
    flags = []
    for earlier, later in zip(plan.set, plan.set[1:], strict=False):
        without = int((table[f"in_{later.id}"].fillna(False) & ~table[f"in_{earlier.id}"].fillna(False)).sum())
        if without:
            text = f'{how_many(without, "person is", "people are")} in the set "{later.id}" and not in "{earlier.id}".'
            flags.append(Flag("cohort", "caution", text.capitalize(), "Check the rules of both sets.", later.id))
    return flags


# ---------------------------------------------------------------- drift


def drift_of(study: Study | None, plan: CohortPlan, session: Session) -> pd.DataFrame:
    """Referrals from quarter to quarter: how many, the share eligible, starts against the plan, the mix.

    Parameters
    ----------
    study : Study or None
        For the folder of the planned starts.
    plan : CohortPlan
        With or without [cohort.drift].
    session : Session
        Holds the answers.

    Returns
    -------
    DataFrame
        quarter, series, value, people, of, share; no rows where everyone has one fixed index date.

    Raises
    ------
    StudyError, DataError
        The set of starts is not there, or the planned starts cannot be read.
    """
    if plan.index.table is None:
        return pd.DataFrame(columns=["quarter", "series", "value", "people", "of", "share"])
    watched = plan.drift or Drift.model_validate({})
    known = [one.id for one in plan.set]
    if watched.starts is not None and watched.starts not in known:
        finding = f'[cohort.drift] starts names "{watched.starts}", not a set. {did_you_mean(watched.starts, known)}'
        raise StudyError(several("The cohort", [finding]))
    planned = read_planned(watched.planned, study.folder if study else Path.cwd()) if watched.planned else None
    return drift_table(_counts(watched, session), watched, planned)


def _counts(watched: Drift, session: Session) -> pd.DataFrame:
    """People by quarter of their index date and by each watched column, counted inside the engine."""
    names = dict.fromkeys([*watched.by, *([watched.who] if watched.who else [])])
    return pd.concat([_counted(watched, session, name) for name in ("", *names)], ignore_index=True)


def _counted(watched: Drift, session: Session, name: str) -> pd.DataFrame:
    day = column(DATE, "p")
    value = session.asked.column(f"={name}", "a") if name else exp.Literal.string("")
    keys = [exp.Year(this=day), exp.Month(this=day.copy()), exp.cast(value, "TEXT")]
    eligible = session.meets("p")
    # Starts are those of the sets, of people who are counted; whoever meets every rule is eligible, whatever the arm.
    started = (
        exp.and_(session.counts("p"), session.asked.column(f"set {watched.starts}", "a")) if watched.starts else None
    )
    rows = exp.Count(this=exp.Star())
    chosen = [key.as_(alias) for key, alias in zip(keys, ("y", "m", "v"), strict=True)] + [rows.as_("referred")]
    chosen.append(exp.Filter(this=rows.copy(), expression=exp.Where(this=eligible)).as_("eligible"))
    if started is not None:
        chosen.append(exp.Filter(this=rows.copy(), expression=exp.Where(this=started)).as_("starts"))
    query = exp.select(*chosen).from_(exp.alias_(exp.to_table(PEOPLE, quoted=True), "p"))
    if name or started is not None:
        answers = exp.alias_(exp.to_table(ANSWERS, quoted=True), "a")
        query = query.join(answers, on=column(ROW, "a").eq(column("_rep", "p")))
    query = query.where(day.copy().is_(exp.null()).not_()).group_by(*(key.copy() for key in keys))
    found = session.scope.engine.fetch(query)
    first = (found["m"].astype("int64") - 1) // 3 * 3 + 1
    quarter = pd.to_datetime({"year": found["y"].astype("int64"), "month": first, "day": 1})
    table = pd.DataFrame({"quarter": quarter, "by": name, "value": found["v"].astype("str")})
    for count in ("referred", "eligible", "starts"):
        table[count] = found[count].astype("Int64") if count in found else pd.Series(pd.NA, found.index, dtype="Int64")
    counts = ["referred", "eligible", "starts"]
    return table.groupby(["quarter", "by", "value"], dropna=False)[counts].sum(min_count=1).reset_index()


# ---------------------------------------------------------------- at the start


def baseline_of(cohort: Cohort) -> pd.DataFrame:
    """Compare the arms at the start.

    Parameters
    ----------
    cohort : Cohort
        With or without arms.

    Returns
    -------
    DataFrame
        From `compare`; no rows without arms or columns.
    """
    table, columns = cohort.table, _described(cohort)
    if "arm" not in table.columns or not columns:
        return pd.DataFrame()
    return compare(table, table["arm"] == "treated", table["arm"] == "comparison", columns)


def selection_of(cohort: Cohort) -> pd.DataFrame:
    """Compare those eligible who started with those who did not.

    Parameters
    ----------
    cohort : Cohort
        With or without analysis sets.

    Returns
    -------
    DataFrame
        From `compare`; no rows without a set of starters (that which drift.starts names, else "started"), without
        columns, or where one side has nobody. Whether somebody started being unknown, that person is on neither side.
    """
    columns, starters = _described(cohort), _starters(cohort)
    if starters is None or not columns or not ((starters == 1).any() and (starters == 0).any()):
        return pd.DataFrame()
    offered = _offered(cohort)
    return compare(cohort.table[offered], starters[offered] == 1, starters[offered] == 0, columns, STARTED)


def _offered(cohort: Cohort) -> np.ndarray:
    """Those who could start: everyone, or the treated arm where there are arms."""
    table = cohort.table
    return (table["arm"] == "treated").to_numpy() if "arm" in table.columns else np.ones(len(table), dtype=bool)


def _starters(cohort: Cohort) -> np.ndarray | None:
    """1 for those who started, 0 for those who did not, not a number where that is unknown; None without such a set."""
    plan = _plan(cohort)
    name = (plan.drift.starts if plan is not None and plan.drift else None) or STARTED[0]
    if f"in_{name}" not in cohort.table.columns:
        return None
    return cohort.table[f"in_{name}"].to_numpy(dtype=float, na_value=np.nan)


def _plan(cohort: Cohort) -> CohortPlan | None:
    return cohort._session.plan


def _described(cohort: Cohort) -> list[str]:
    """The columns that describe people at the start: those named, else new columns and covariates."""
    plan = _plan(cohort)
    if plan is None:
        return []
    covariates = cohort.study.counterfactual.covariates if cohort.study and cohort.study.counterfactual else []
    wanted = plan.baseline or [name for name in (*plan.columns, *covariates) if name not in later_columns(cohort)]
    return [name for name in dict.fromkeys(wanted) if name in cohort.table.columns]


def later_columns(cohort: Cohort) -> list[str]:
    """New columns that look past the index date: they describe nobody at the start.

    Parameters
    ----------
    cohort : Cohort
        Counted.

    Returns
    -------
    list of str
        Their names.
    """
    windows = cohort.windows
    ahead = windows[(windows["kind"] == "column") & (windows["high"].isna() | (windows["high"] > 0).fillna(True))]
    return [str(name) for name in ahead["says"].unique()]


def _flag_later(plan: CohortPlan, cohort: Cohort) -> list[Flag]:
    """Columns named for the comparison at the start that are of later."""
    named = [name for name in plan.baseline if name in later_columns(cohort)]
    if not named:
        return []
    text = f"Compared at the start, and of a later day: {listed(named)}."
    return [Flag("cohort", "caution", text, "What happens after the index date does not describe the start.", named[0])]


def flag_described(plan: CohortPlan, cohort: Cohort) -> Cohort:
    """Add the caveats of what describes a cohort.

    Parameters
    ----------
    plan : CohortPlan
        The plan.
    cohort : Cohort
        Counted.

    Returns
    -------
    Cohort
        The same with more flags.
    """
    rule = cohort.study.disclosure.rule if cohort.study else RULE
    seed = cohort.study.study.seed if cohort.study else SEED
    absent = [name for name in plan.baseline if name not in cohort.table.columns]
    if absent:
        hint = did_you_mean(absent[0], cohort.table.columns)
        raise StudyError(several("The cohort", [f'[cohort] baseline names "{absent[0]}", not a column. {hint}']))
    flags = [*_flag_sets(plan, cohort.table), *_flag_later(plan, cohort)]
    if len(cohort.drift):
        flags += drift_flags(cohort.drift, plan.drift or Drift.model_validate({}), rule, seed)
    if plan.baseline and len(cohort.baseline):
        flags += baseline_flags(cohort.baseline)
    if len(cohort.selection):
        offered, starters = _offered(cohort), _starters(cohort)
        people = cohort.table[offered]
        sides = starters[offered] == 1, starters[offered] == 0  # type: ignore[index]
        p = overall_p(people, *sides, _described(cohort), seed)
        told = selection_flags(cohort.selection, p, STARTED)
        alone = " The test takes people as independent, and they come in clusters: it is a little too keen."
        flags += [replace(one, detail=one.detail + alone) if plan.cluster else one for one in told]
    return replace(cohort, flags=(*cohort.flags, *flags))
