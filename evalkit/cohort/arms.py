"""Arms, groups, clusters and strata: what people of a cohort come in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from sqlglot import exp

from evalkit.cohort.answers import ANSWERS, Asked, Question, typed
from evalkit.cohort.checks import FEW, how_many, raise_data
from evalkit.cohort.engines.base import Engine
from evalkit.cohort.flow import Step
from evalkit.cohort.kinds import as_ids
from evalkit.cohort.scope import Scope
from evalkit.errors import Flag, StudyError, did_you_mean, several
from evalkit.study.counted import CohortPlan, Group
from evalkit.words import listed

MOST_WORDS = 100_000  # different values of an arm's column that are looked at
ROLES = ("treated", "comparison")
CAVEATS = {
    "referred, not started": (
        "caution",
        "The comparison is people who were referred and did not start.",
        "Who starts is rarely a matter of chance: what differs between them and those who started may be why outcomes "
        "differ. See how they differ at the start.",
    ),
    "historical period": (
        "note",
        "The comparison is people of an earlier period.",
        "Whatever else changed between the periods (thresholds, services, recording) is not told apart from the "
        "programme.",
    ),
    "another area": (
        "note",
        "The comparison is people of another area.",
        "Whatever else differs between the areas is not told apart from the programme.",
    ),
}


def text_of(values: pd.Series) -> pd.Series:
    """Write a column of groups as text: 17, 17.0 and "17" are the same group.

    Parameters
    ----------
    values : Series
        Names or numbers of groups.

    Returns
    -------
    Series of str
        Missing where it was missing.
    """
    return as_ids(values)


@dataclass(frozen=True, eq=False)
class Arms:
    """How a row's arm or group is told.

    Parameters
    ----------
    numbers : dict of str to int
        "treated", "comparison" and the ids of groups shown beside, and the number of each.
    code : Expression
        Over the answers: that number, 0 for none of them.
    step : Step or None
        The last step of the flow; None without arms.
    words : Series
        The different values of the arm's column.
    counts : Series
        How many rows hold each.
    """

    numbers: dict[str, int] = field(default_factory=dict)
    code: exp.Expr = field(default_factory=lambda: exp.convert(0))
    step: Step | None = None
    words: pd.Series = field(default_factory=lambda: pd.Series([], dtype="str"))
    counts: pd.Series = field(default_factory=lambda: pd.Series([], dtype="int64"))


def check_names(plan: CohortPlan, scope: Scope, where: str) -> None:
    """Whether the columns of arm, cluster, strata and drift are there, and arm and groups go together.

    Parameters
    ----------
    plan : CohortPlan
        The plan.
    scope : Scope
        What names mean.
    where : str
        The study or definition, for messages.

    Raises
    ------
    StudyError
        All that is wrong.
    """
    known = [*scope.origin, *plan.columns]
    problems = [
        f'[cohort] {key} names "{name}", not a column of the index row or of people. {did_you_mean(name, known)}'
        for key, name in named_columns(plan)
        if name not in known
    ]
    roles: list[str] = [group.role for group in plan.group]
    if plan.arm is not None and plan.group:
        problems.append("[cohort] has both arm and group. Keep one: a group's rule may name the arm's column.")
    if plan.group and any(roles.count(role) != 1 for role in ROLES):
        problems.append("[[cohort.group]]: one group has role treated and one comparison; the others are beside.")
    problems += [
        f"[[cohort.group]] {name}: more than one group has that id. Give each its own."
        for name in dict.fromkeys(group.id for group in plan.group)
        if sum(group.id == name for group in plan.group) > 1
    ]
    if problems:
        raise StudyError(several(where, problems))


def named_columns(plan: CohortPlan) -> list[tuple[str, str]]:
    """The columns that the plan names outright: which key, which column.

    Parameters
    ----------
    plan : CohortPlan
        The plan.

    Returns
    -------
    list of (str, str)
        In the order of the study file.
    """
    named = [("arm.column", plan.arm.column if plan.arm else None), ("cluster", plan.cluster), ("strata", plan.strata)]
    if plan.drift is not None:
        named += [*(("drift.by", name) for name in plan.drift.by), ("drift.who", plan.drift.who)]
    return [(key, name) for key, name in named if name is not None]


def questions(plan: CohortPlan) -> list[Question]:
    """What must be asked to tell arms and groups: the columns named, the rules of groups.

    Parameters
    ----------
    plan : CohortPlan
        The plan.

    Returns
    -------
    list of Question
        Keys "=name" for a column, "group id" for a group's rule.
    """
    names = dict.fromkeys(name for _, name in named_columns(plan))
    asked = [Question(f"={name}", f"[cohort] {name}", f"column({name!r})", truth=False) for name in names]
    groups = [
        Question(f"group {group.id}", f'[[cohort.group]] {place} "{group.says}"', group.rule, kind="group")
        for place, group in enumerate(plan.group, start=1)
    ]
    return [*asked, *groups]


def find_arms(plan: CohortPlan, engine: Engine, asked: Asked) -> Arms:
    """Tell how a row's arm is read from its answers.

    Parameters
    ----------
    plan : CohortPlan
        With an arm, with groups, or with neither.
    engine : Engine
        Which holds the answers.
    asked : Asked
        Where the answers stand.

    Returns
    -------
    Arms
        Empty without arm and groups.
    """
    if plan.group:
        return _by_rules(plan.group, asked)
    if plan.arm is None:
        return Arms()
    answer = asked.column(f"={plan.arm.column}")
    counted = exp.select(answer.as_("w"), exp.Count(this=exp.Star()).as_("n")).from_(exp.to_table(ANSWERS, quoted=True))
    place = asked.place(f"={plan.arm.column}")
    found = engine.fetch(counted.group_by(answer.copy()).limit(MOST_WORDS))
    raw = found["w"]
    words = typed(raw, asked.values[place].kind, asked.values[place].whole)
    numbers = {"treated": 1, "comparison": 2}
    branches = [
        exp.If(this=answer.copy().eq(exp.convert(_plain(word))), true=exp.convert(numbers[role]))
        for role, value in zip(ROLES, (plan.arm.treated, plan.arm.comparison), strict=True)
        for word in raw[_is(words, value)]
    ]
    code = exp.Case(ifs=branches, default=exp.convert(0)) if branches else exp.convert(0)
    met = exp.Case(
        ifs=[exp.If(this=answer.copy().is_(exp.null()), true=exp.null())], default=exp.paren(code.copy()) > 0
    )
    names = [plan.arm.treated_name or str(plan.arm.treated), plan.arm.comparison_name or str(plan.arm.comparison)]
    step = Step("arm", f"in one of the two arms: {names[0]} or {names[1]}", "", met)
    return Arms(numbers, code, step, words, found["n"].astype("int64"))


def _plain(word: object) -> object:
    """A value as a literal holds it."""
    return word.item() if isinstance(word, np.generic) else word


def _by_rules(groups: list[Group], asked: Asked) -> Arms:
    """Groups by rules of their own: who meets two of them counts in the first."""
    ordered = sorted(groups, key=lambda group: (*ROLES, "beside").index(group.role))
    numbers = {group.role if group.role in ROLES else group.id: n for n, group in enumerate(ordered, start=1)}
    answers = [asked.column(f"group {group.id}") for group in ordered]
    branches = [exp.If(this=answer, true=exp.convert(n)) for n, answer in enumerate(answers, start=1)]
    code = exp.Case(ifs=branches, default=exp.convert(0))
    arms = exp.or_(*(answer.copy() for answer in answers[:2]))
    says = [group.says for group in ordered[:2]]
    step = Step("group", f"in one of the two groups compared: {says[0]}; or {says[1]}", "", arms)
    return Arms(numbers, code, step)


def _is(values: pd.Series, value: str | int | bool) -> np.ndarray:
    """Where a column holds a value of the plan; 1, 1.0, "1" and yes are alike where the column is of another type."""
    if isinstance(value, bool) and not pd.api.types.is_string_dtype(values.dtype):
        return (values.astype("object") == value).fillna(False).to_numpy(dtype=bool)
    text = text_of(values)
    if isinstance(value, bool) or pd.api.types.is_bool_dtype(values.dtype):
        words = {True: ("true", "yes", "1"), False: ("false", "no", "0")}
        wanted = value if isinstance(value, bool) else str(value).lower() in words[True]
        return text.str.lower().isin(words[wanted]).to_numpy(dtype=bool)
    return (text == str(value)).fillna(False).to_numpy(dtype=bool)


def check_arms(plan: CohortPlan, arms: Arms, flow: pd.DataFrame, where: str) -> None:
    """Somebody must be left in each arm.

    Parameters
    ----------
    plan : CohortPlan
        With an arm, groups or neither.
    arms : Arms
        How arms are told.
    flow : DataFrame
        The finished flow.
    where : str
        The study or definition, for messages.

    Raises
    ------
    DataError
        An arm has nobody in it.
    """
    problems = []
    for name, lead in _arm_leads(plan):
        if flow[name].iloc[-1]:
            continue
        if flow[name].max() > 0:
            empty = flow[flow[name] == 0].iloc[0]
            problems.append(f'{lead} after {empty["kind"]} "{empty["says"]}". Check that rule.')
            continue
        words = text_of(arms.words).dropna().unique()
        value = str(getattr(plan.arm, name)) if plan.arm else ""
        hint = did_you_mean(value, words) if plan.arm and len(words) <= 10 else ""
        problems.append(f"{lead}: no row has that value. {hint}".strip() if plan.arm else f"{lead}. Check its rule.")
    raise_data(where, problems)


def _arm_leads(plan: CohortPlan) -> Iterable[tuple[str, str]]:
    if plan.arm is not None:
        for name in ROLES:
            value = getattr(plan.arm, name)
            yield name, f'the {name} arm ({plan.arm.column} is "{value}") has nobody in it'
    for group in plan.group:
        if group.role in ROLES:
            yield group.role, f'the {group.role} group ("{group.says}") has nobody in it'


def flag_words(plan: CohortPlan, arms: Arms) -> list[Flag]:
    """A caveat on words of the arm's column that are neither arm: often a slip of the pen.

    Parameters
    ----------
    plan : CohortPlan
        With an arm, or without.
    arms : Arms
        With the words of the column.

    Returns
    -------
    list of Flag
        At most one, naming the words.
    """
    if plan.arm is None:
        return []
    neither = (
        ~(_is(arms.words, plan.arm.treated) | _is(arms.words, plan.arm.comparison)) & arms.words.notna().to_numpy()
    )
    if not neither.any():
        return []
    # A word that few have may be anything, even a name: it is not told.
    told = text_of(arms.words[neither & (arms.counts >= FEW).to_numpy()]).dropna().unique()
    shown = [f'"{word}"' for word in told[:5]]
    rare = int(arms.counts[neither & (arms.counts < FEW).to_numpy()].sum())
    shown += [f"others in {how_many(rare, 'row', 'rows')}"] if rare else []
    text = f"Column {plan.arm.column} holds words that are neither arm: {listed(shown)}."
    detail = (
        f'These people are left out. The arms are "{plan.arm.treated}" and "{plan.arm.comparison}", letter by letter.'
    )
    return [Flag("cohort", "caution", text, detail, plan.arm.column)]


def flag_groups(plan: CohortPlan, table: pd.DataFrame, flow: pd.DataFrame, engine: Engine, asked: Asked) -> list[Flag]:
    """Caveats on people whose cluster or stratum is missing, and on what makes a comparison group.

    Parameters
    ----------
    plan : CohortPlan
        With cluster, strata and groups.
    table : DataFrame
        The cohort's table.
    flow : DataFrame
        The flow.
    engine : Engine
        Which holds the answers.
    asked : Asked
        Where they stand.

    Returns
    -------
    list of Flag
        One per column with missing values, one per kind of comparison, one where groups overlap.
    """
    flags = []
    for name, source in (("cluster", plan.cluster), ("strata", plan.strata)):
        missing = int(table[name].isna().sum()) if source is not None else 0
        if missing:
            who = how_many(missing, "person", "people")
            detail = (
                "Intervals that allow for clusters cannot count them."
                if name == "cluster"
                else "They belong to no block."
            )
            flags.append(Flag("cohort", "caution", f"For {who} the {name} ({source}) is missing.", detail, str(source)))
    for group in plan.group:
        if group.role == "beside" and not flow[group.id].iloc[0]:
            text = f'Nobody is in the group "{group.says}", which is shown beside.'
            flags.append(Flag("cohort", "caution", text, "Check its rule.", group.id))
        if group.role == "comparison" and group.kind in CAVEATS:
            level, text, detail = CAVEATS[group.kind]
            flags.append(Flag("cohort", level, text, detail, group.id))  # type: ignore[arg-type]
    return flags + _flag_overlap(plan, engine, asked)


def _flag_overlap(plan: CohortPlan, engine: Engine, asked: Asked) -> list[Flag]:
    """People who meet the rules of two groups."""
    if len(plan.group) < 2:
        return []
    one = [
        exp.Case(ifs=[exp.If(this=asked.column(f"group {group.id}"), true=exp.convert(1))], default=exp.convert(0))
        for group in plan.group
    ]
    total: exp.Expr = one[0]
    for other in one[1:]:
        total = exp.Add(this=total, expression=other)
    query = exp.select(exp.Count(this=exp.Star()).as_("n")).from_(exp.to_table(ANSWERS, quoted=True))
    both = int(engine.fetch(query.where(exp.paren(total) > 1))["n"].iloc[0])
    if not both:
        return []
    text = f"{how_many(both, 'person meets', 'people meet').capitalize()} the rules of two groups."
    order = "in the first of them: treated before comparison before those beside"
    return [Flag("cohort", "caution", text, f"They count {order}. Make the groups' rules exclude each other.", "group")]
