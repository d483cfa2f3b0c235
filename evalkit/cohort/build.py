"""From tables and a plan to the cohort."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit.cohort.arms import arm_of, arm_step, check_arms, flag_groups, flag_words, text_of
from evalkit.cohort.checks import flag_tables, how_many
from evalkit.cohort.flow import Step, flow_table, reasons_table
from evalkit.cohort.kinds import prepare
from evalkit.cohort.noun import Cohort
from evalkit.cohort.scope import DATE, PERSON, ROW, Scope
from evalkit.cohort.start import Start, find_start
from evalkit.errors import DataError, Flag, StudyError, several
from evalkit.study.model import CohortPlan

if TYPE_CHECKING:
    from evalkit.cohort.answers import Answers, Question
    from evalkit.study import Study

TAKEN = ("person", "index_date", "arm", "treated", "cluster", "strata")


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
        The tables contradict the plan, or nobody is left.
    """
    from evalkit.study import shown
    from evalkit.tables import read_tables

    where = f"The cohort of {shown(study.folder)}"
    if study.cohort is None:
        finding = "the study has no [cohort], so nobody can be counted. Add [cohort] with person and index."
        raise StudyError(several(where, [finding]))
    return _cohort(study, study.cohort, read_tables(study), where)


def select(tables: Mapping[str, pd.DataFrame | str | Path], definition: Mapping[str, Any]) -> Cohort:
    """Find who is counted in plain tables.

    Parameters
    ----------
    tables : dict of str to DataFrame or path
        The tables by the names the rules use.
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
        The tables contradict the definition, or nobody is left.
    """
    where = "The cohort definition"
    plan = _plan(definition, where)
    paths = {name: str(Path(given).absolute()) for name, given in tables.items() if not isinstance(given, pd.DataFrame)}
    read = _read(paths) if paths else {}
    frames = {str(name): read.get(name, given) for name, given in tables.items()}
    return _cohort(None, plan, frames, where)  # type: ignore[arg-type]


def _plan(definition: Mapping[str, Any], where: str) -> CohortPlan:
    """The definition, checked as a study's [cohort] is."""
    from pydantic import ValidationError

    try:
        return CohortPlan.model_validate(dict(definition))
    except ValidationError as error:
        found = [f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}." for one in error.errors()]
        raise StudyError(several(where, found)) from None


def _read(paths: dict[str, str]) -> dict[str, pd.DataFrame]:
    """Tables that were given as paths."""
    from evalkit.study.model import About, Study
    from evalkit.tables import read_tables

    about = About.model_validate({"id": "select", "title": "tables given as paths", "kind": "real"})
    return read_tables(Study.model_validate({"study": about, "tables": paths, "folder": Path.cwd()}))


def _cohort(study: Study | None, plan: CohortPlan, given: dict[str, pd.DataFrame], where: str) -> Cohort:
    """The walk: start, rules, arm, table."""
    from evalkit.cohort.answers import ask

    tables = {name: prepare(frame, plan.person) for name, frame in given.items()}
    start = find_start(plan, tables, where)
    rows = start.rows
    scope = Scope(plan.person, tables, rows, start.origin, dict(plan.columns))
    _check_names(plan, scope, where)
    answers = ask(scope, _questions(plan), where)
    made = _made(plan, scope, answers)
    arm = arm_of(plan, made, where)
    steps = _steps(plan, start, answers, arm)
    flow, alive = flow_table(rows, steps, arm)
    _check_somebody(flow, where)
    if arm is not None:
        check_arms(plan, made, arm, flow, where)
    chosen = rows[alive].drop_duplicates(PERSON)
    table = _table(plan, scope, chosen, _whole(plan, answers, made.loc[chosen.index]), arm)
    flags = [
        *start.flags,
        *flag_tables(scope, answers.read),
        *_flag_answers(steps, flow, answers),
        *flag_words(plan, made, arm),
        *flag_groups(plan, table),
    ]
    kept = Scope(
        plan.person,
        tables,
        chosen.assign(**{ROW: range(len(chosen))}).reset_index(drop=True),
        start.origin,
        dict(plan.columns),
    )
    reasons = reasons_table(rows, steps, alive)
    return Cohort(study, table, flow, reasons, answers.sql, tuple(flags), tables, kept)


def _questions(plan: CohortPlan) -> list[Question]:
    """Everything to ask: include rules, exclude rules, new columns."""
    from evalkit.cohort.answers import Question

    rules = [
        Question(rule.says, f'[[cohort.{kind}]] {place} "{rule.says}"', rule.rule)
        for kind, given in (("include", plan.include), ("exclude", plan.exclude))
        for place, rule in enumerate(given, start=1)
    ]
    return [
        *rules,
        *(Question(name, f"cohort.columns.{name}", rule, truth=False) for name, rule in plan.columns.items()),
    ]


def _check_names(plan: CohortPlan, scope: Scope, where: str) -> None:
    """Whether sentences are told apart and new columns have names of their own."""
    says = [rule.says for rule in (*plan.include, *plan.exclude)]
    twice = list(dict.fromkeys(one for one in says if says.count(one) > 1))
    problems = [
        f'two rules say "{one}". Give each its own sentence: the flow and the reasons name rules by it.'
        for one in twice
    ]
    for name in plan.columns:
        if name in scope.origin:
            problems.append(
                f"cohort.columns.{name}: table {scope.origin[name]} has a column of that name. Choose another name."
            )
        elif name in TAKEN:
            problems.append(f"cohort.columns.{name}: the cohort has a column of that name itself. Choose another name.")
        elif name in says:
            problems.append(f'cohort.columns.{name}: a rule says "{name}". Choose another name.')
    if problems:
        raise StudyError(several(where, problems))


def _made(plan: CohortPlan, scope: Scope, answers: Answers) -> pd.DataFrame:
    """The starting rows with the new columns beside them."""
    first = len(plan.include) + len(plan.exclude)
    new = {
        name: answers.table[first + place].reindex(scope.start[ROW]).array for place, name in enumerate(plan.columns)
    }
    return scope.start.assign(**new)


def _whole(plan: CohortPlan, answers: Answers, made: pd.DataFrame) -> pd.DataFrame:
    """Whole numbers as such again, where those whose number was missing have left."""
    numbers = answers.whole[len(plan.include) + len(plan.exclude) :]
    whole = [name for name, is_whole in zip(plan.columns, numbers, strict=True) if is_whole]
    return made.astype({name: "int64" for name in whole if made[name].notna().all()})


def _steps(plan: CohortPlan, start: Start, answers: Answers, arm: pd.Series | None) -> list[Step]:
    """The steps of the flow in their order: start, pick, include, exclude, arm."""
    rows = start.rows
    steps = [Step("start", start.says, "", pd.Series(True, index=rows.index, dtype="boolean"))]
    if start.pick:
        dated = pd.Series(rows[DATE].notna().to_numpy(), index=rows.index, dtype="boolean")
        steps.append(Step("pick", start.pick, "", dated.mask(~dated)))
    for place, rule in enumerate([*plan.include, *plan.exclude]):
        answer = pd.Series(answers.table[place].reindex(rows[ROW]).array, index=rows.index)
        excludes = place >= len(plan.include)
        steps.append(
            Step("exclude" if excludes else "include", rule.says, rule.rule, ~answer if excludes else answer, excludes)
        )
    if plan.arm is not None and arm is not None:
        steps.append(arm_step(plan.arm, rows, arm, start.origin))
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


def _table(
    plan: CohortPlan, scope: Scope, chosen: pd.DataFrame, made: pd.DataFrame, arm: pd.Series | None
) -> pd.DataFrame:
    """One row per person, the cohort's own columns first."""
    columns: dict[str, Any] = {"person": chosen[PERSON].astype("str"), "index_date": chosen[DATE]}
    if arm is not None:
        columns["arm"] = arm.loc[chosen.index].astype("str")
        columns["treated"] = (columns["arm"] == "treated").astype("int64")
    for name, source in (("cluster", plan.cluster), ("strata", plan.strata)):
        if source is not None:
            columns[name] = text_of(made[source])
    rest = [*plan.columns, *(name for name in scope.start.columns if name in scope.origin)]
    columns |= {name: made[name] for name in rest if name not in columns}
    return pd.DataFrame(columns, index=chosen.index).sort_values("person", kind="stable").reset_index(drop=True)


def _flag_answers(steps: list[Step], flow: pd.DataFrame, answers: Answers) -> list[Flag]:
    """Rules that could not be answered for somebody, and ages before birth."""
    flags = []
    for step, unknown in zip(steps, flow["unknown"], strict=True):
        if not unknown or step.kind not in {"include", "exclude"}:
            continue
        # No number here: the flow has it, and protects it together with its other counts.
        fate = "stay: unknown does not exclude" if step.unknown_stays else "are left out: unknown does not include"
        text = f'The rule "{step.says}" could not be answered for some people.'
        flags.append(Flag("cohort", "caution", text, f"They {fate}. The flow counts them."))
    if answers.unborn:
        text = f"An age was asked for on a day before birth for {how_many(answers.unborn, 'row', 'rows')}."
        flags.append(
            Flag("cohort", "caution", text, "Dates of birth or index dates are wrong there; such an age is below 0.")
        )
    return flags
