"""The walk from tables and a plan to the cohort: start, rules, arms, flow, those counted, what describes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlglot import exp

from evalkit.cohort.answers import ANSWERS, UNBORN, Asked, Question, ask
from evalkit.cohort.arms import (
    ROLES,
    Arms,
    check_arms,
    check_names,
    find_arms,
    flag_groups,
    flag_words,
    questions,
    text_of,
)
from evalkit.cohort.checks import flag_rules, flag_tables, how_many
from evalkit.cohort.described import drift_of, flag_described, sets_of
from evalkit.cohort.flow import Step, flow_table, judge
from evalkit.cohort.held import DATE, EPISODE, PERSON, column
from evalkit.cohort.noun import Cohort, Tables
from evalkit.cohort.scope import Scope
from evalkit.cohort.session import Session
from evalkit.cohort.sources import Given, hold
from evalkit.cohort.start import Start, find_start, flag_start
from evalkit.cohort.starters import check_people
from evalkit.errors import DataError, Flag, StudyError, several
from evalkit.study.counted import CohortPlan

if TYPE_CHECKING:
    from evalkit.cohort.engines.base import Engine
    from evalkit.study import Study

TAKEN = ("person", "index_date", "episode", "arm", "treated", "group", "cluster", "strata")


def walk(study: Study | None, plan: CohortPlan, given: Given, where: str) -> Cohort:
    """Find who is counted.

    Parameters
    ----------
    study : Study or None
        The study, if there is one.
    plan : CohortPlan
        Who is counted.
    given : dict of str to DataFrame, Path or TableInDatabase
        The tables.
    where : str
        The study or definition, for messages.

    Returns
    -------
    Cohort
        With its engine open for what is asked later.

    Raises
    ------
    StudyError, DataError
        The plan cannot be followed, or the tables contradict it.
    """
    engine, held = hold(given, plan, where)
    try:
        return _counted(study, plan, find_start(plan, engine, held, where), where)
    except BaseException:
        engine.close()
        raise


def _counted(study: Study | None, plan: CohortPlan, start: Start, where: str) -> Cohort:
    """Ask everything, count, and fetch those counted."""
    scope, engine = start.scope, start.scope.engine
    check_columns_named(plan, scope, where)
    check_names(plan, scope, where)
    asked = ask(scope, [*rule_questions(plan), *questions(plan)], where, start.picked)
    check_people(scope, where)
    arms = find_arms(plan, engine, asked)
    steps = rule_steps(plan, start, asked)
    steps += [arms.step] if arms.step is not None else []
    judge(engine, steps, start.several, arms.code)
    flow = flow_table(engine, steps, arms.numbers)
    _check_somebody(flow, where)
    check_arms(plan, arms, flow, where)
    session = Session(scope, asked, steps, plan, start.picked)
    everyone = _table(plan, session, arms)
    compared = [arms.numbers.get(role) for role in ROLES]
    of_arms = everyone["_code"].isin(compared) if arms.step else None
    table = (everyone if of_arms is None else everyone[of_arms]).drop(columns="_code").reset_index(drop=True)
    beside = everyone.iloc[:0] if of_arms is None else everyone[~of_arms & (everyone["_code"] > 0)]
    flags = [
        *start.flags,
        *flag_start(plan, scope),
        *flag_tables(scope, asked.read),
        *flag_rules(scope, asked, flow, [plan.arm.column] if plan.arm else []),
        *_flag_answers(flow, steps, _unborn(engine)),
        *flag_words(plan, arms),
        *_flag_hidden(plan, scope, everyone),
        *flag_groups(plan, table, flow, engine, asked),
    ]
    cohort = Cohort(
        study,
        table,
        flow,
        tuple(flags),
        Tables(session),
        sets_of(plan, table),
        drift_of(study, plan, session),
        beside.drop(columns="_code").reset_index(drop=True),
        session,
    )
    return flag_described(plan, cohort)


def rule_questions(plan: CohortPlan) -> list[Question]:
    """Everything the plan asks in the rule language: include, exclude, new columns, sets.

    Parameters
    ----------
    plan : CohortPlan
        The plan.

    Returns
    -------
    list of Question
        In the order of the flow.
    """
    rules = [
        Question(rule.says, f'[[cohort.{kind}]] {place} "{rule.says}"', rule.rule, kind=kind)
        for kind, given in (("include", plan.include), ("exclude", plan.exclude))
        for place, rule in enumerate(given, start=1)
    ]
    columns = [
        Question(name, f"cohort.columns.{name}", rule, truth=False, kind="column")
        for name, rule in plan.columns.items()
    ]
    sets = [
        Question(f"set {one.id}", f'[[cohort.set]] {place} "{one.says}"', one.rule, kind="set")
        for place, one in enumerate(plan.set, start=1)
    ]
    return [*rules, *columns, *sets]


def check_columns_named(plan: CohortPlan, scope: Scope, where: str) -> None:
    """Whether sentences are told apart and new columns, named rules and sets have names of their own.

    Parameters
    ----------
    plan : CohortPlan
        The plan.
    scope : Scope
        What names mean.
    where : str
        For messages.

    Raises
    ------
    StudyError
        All names that stand for two things.
    """
    says = [rule.says for rule in (*plan.include, *plan.exclude)]
    twice = list(dict.fromkeys(one for one in says if says.count(one) > 1))
    problems = [
        f'two rules say "{one}". Give each its own sentence: the flow and the reasons name rules by it.'
        for one in twice
    ]
    names = [(f"cohort.columns.{name}", name) for name in plan.columns]
    names += [(f"cohort.rules.{name}", name) for name in plan.rules]
    names += [(f"[[cohort.set]] {one.id}", f"in_{one.id}") for one in plan.set]
    for place, name in names:
        if name in scope.origin:
            problems.append(f"{place}: table {scope.origin[name]} has a column of that name. Choose another name.")
        elif name in TAKEN:
            problems.append(f"{place}: the cohort has a column of that name itself. Choose another name.")
        elif name in says:
            problems.append(f'{place}: a rule says "{name}". Choose another name.')
        elif sum(name == other for _, other in names) > 1:
            problems.append(f"{place}: the name stands for something else too. Choose another name.")
    if problems:
        raise StudyError(several(where, problems))


def rule_steps(plan: CohortPlan, start: Start, asked: Asked) -> list[Step]:
    """List the steps of the flow in their order: start, pick, include, exclude.

    Parameters
    ----------
    plan : CohortPlan
        The plan.
    start : Start
        Who starts.
    asked : Asked
        Where the answers stand.

    Returns
    -------
    list of Step
        Without the arms.
    """
    steps = [Step("start", start.says, "", exp.true())]
    if start.pick:
        dated = column(DATE).is_(exp.null()).not_()
        steps.append(Step("pick", start.pick, "", exp.Case(ifs=[exp.If(this=dated, true=exp.true())])))
    steps += [Step("include", rule.says, rule.rule, asked.column(rule.says)) for rule in plan.include]
    steps += [
        Step("exclude", rule.says, rule.rule, asked.column(rule.says).not_(), unknown_stays=True)
        for rule in plan.exclude
    ]
    return steps


def _check_somebody(flow: pd.DataFrame, where: str) -> None:
    """Somebody must be left."""
    empty = flow[flow["people"] == 0]
    if empty.empty:
        return
    step = empty.iloc[0]
    before = int(flow["people"].iloc[max(int(step["step"]) - 1, 0)])
    unknown = f" ({int(step['unknown'])} of them because it could not be answered)" if step["unknown"] else ""
    text = f'nobody is left after {step["kind"]} "{step["says"]}": all {before} who were left then went out{unknown}.'
    rule = f" The rule is: {step['rule']}." if step["rule"] else ""
    raise DataError(several(where, [f"{text}{rule} Check the rule and the columns it names."]))


def _table(plan: CohortPlan, session: Session, arms: Arms) -> pd.DataFrame:
    """One row per person, the cohort's own columns first."""
    kept = session.keep()
    home = session.home_columns(kept)
    columns: dict[str, Any] = {"person": kept[PERSON], "index_date": kept[DATE].array, "_code": kept["_code"]}
    if session.episodes:
        columns["episode"] = kept[EPISODE]
    if arms.step is not None:
        names = {number: name for name, number in arms.numbers.items()}
        columns["arm"] = kept["_code"].map(names).astype("str")
        columns["treated"] = (kept["_code"] == arms.numbers["treated"]).astype("int64")
    if plan.group:
        ids = {group.role: group.id for group in plan.group if group.role != "beside"}
        columns["group"] = columns["arm"].replace(ids)
    answers = {q.key: kept[place] for place, q in enumerate(session.asked.questions) if place in kept.columns}
    for name, source in (("cluster", plan.cluster), ("strata", plan.strata)):
        if source is not None:
            columns[name] = text_of(home[source] if source in home.columns else answers[f"={source}"])
    columns |= {f"in_{one.id}": answers[f"set {one.id}"] for one in plan.set}
    columns |= {name: answers[name] for name in plan.columns}
    columns |= {name: home[name] for name in home.columns if name not in columns}
    return pd.DataFrame(columns, index=kept.index)


def _flag_hidden(plan: CohortPlan, scope: Scope, table: pd.DataFrame) -> list[Flag]:
    """Columns of the index row or of people that have the name of one of the cohort's own."""
    meant = {scope.person, plan.cluster, plan.strata, plan.arm.column if plan.arm else None}  # what it is made from
    hidden = [name for name in scope.origin if name in TAKEN and name in table.columns and name not in meant]
    detail = "Rules can use it. Rename it in the table if you need it afterwards."
    return [
        Flag("cohort", "note", f'The cohort has a column "{name}" of its own, not that of {table}.', detail, name)
        for name, table in ((name, scope.origin[name]) for name in hidden)
    ]


def _unborn(engine: Engine) -> int:
    return engine.count(exp.select(column(UNBORN)).from_(exp.to_table(ANSWERS, quoted=True)).where(column(UNBORN)))


def _flag_answers(flow: pd.DataFrame, steps: list[Step], unborn: int) -> list[Flag]:
    """Rules that could not be answered for somebody, and ages before birth."""
    flags = []
    for step, unknown in zip(steps, flow["unknown"], strict=True):
        if not unknown or not step.judges:
            continue
        # No number here: the flow has it, and protects it together with its other counts.
        fate = "stay: unknown does not exclude" if step.unknown_stays else "are left out: unknown does not include"
        text = f'The rule "{step.says}" could not be answered for some people.'
        flags.append(Flag("cohort", "caution", text, f"They {fate}. The flow counts them."))
    if unborn:
        text = f"An age was asked for on a day before birth for {how_many(unborn, 'row', 'rows')}."
        flags.append(
            Flag("cohort", "caution", text, "Dates of birth or index dates are wrong there; such an age is below 0.")
        )
    return flags
