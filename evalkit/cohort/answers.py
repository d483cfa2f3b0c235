"""Questions in the rule language, and everybody's answers to them."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from sqlglot import exp

from evalkit.cohort.language import Translator, Value
from evalkit.cohort.problems import Problem, raise_all
from evalkit.cohort.scope import ROW, Scope
from evalkit.cohort.sql import Calls, relations, run, statement, written

UNBORN = "unborn"


@dataclass(frozen=True)
class Question:
    """One thing asked about everybody.

    Parameters
    ----------
    key : str
        Under which its SQL is shown: the rule's sentence, or the new column's name.
    where : str
        The part of the study that holds it.
    rule : str
        In the rule language.
    truth : bool
        Whether it is answered by yes or no; else by any value.
    """

    key: str
    where: str
    rule: str
    truth: bool = True


@dataclass(frozen=True, eq=False)
class Answers:
    """What the engine answered.

    Parameters
    ----------
    table : DataFrame
        Indexed by starting row, one column per question, in the order asked (0, 1, ...).
    kinds : list of str
        The kind of each answer.
    whole : list of bool
        Whether a number is always whole.
    sql : dict of str to str
        By question, SQL that runs as it stands.
    unborn : int
        Starting rows whose age was asked for on a day before their birth.
    read : tuple of str
        Tables other than the starting rows that were read.
    """

    table: pd.DataFrame
    kinds: list[str]
    whole: list[bool]
    sql: dict[str, str]
    unborn: int = 0
    read: tuple[str, ...] = ()


def ask(scope: Scope, questions: list[Question], study: str) -> Answers:
    """Answer all questions for every starting row in one statement.

    Parameters
    ----------
    scope : Scope
        The tables and the starting rows.
    questions : list of Question
        In any order: no answer depends on another.
    study : str
        The file or definition, for messages.

    Returns
    -------
    Answers
        True, False or missing for a rule; the value for a new column.

    Raises
    ------
    StudyError, DataError
        Every problem of every rule at once.
    """
    calls, values, births, problems = Calls(scope), [], [], []
    for question in questions:
        rule = _translator(scope, calls, question)
        values.append(rule.translate(question.truth))
        births += rule.births
        problems += rule.problems
    raise_all(study, list(dict.fromkeys(problems)))
    chosen: dict[str, exp.Expr] = {str(place): value.sql for place, value in enumerate(values)}
    if births:
        chosen[UNBORN] = exp.or_(*births)
    found = run(statement(calls, chosen).sql("duckdb"), relations(calls)).set_index(ROW)
    table = pd.DataFrame(
        {place: _typed(found[str(place)], value) for place, value in enumerate(values)}, index=found.index
    )
    table.index = table.index.astype("int64")
    unborn = int(found[UNBORN].fillna(False).sum()) if births else 0
    read = tuple(name for name in calls.used if name is not None)
    return Answers(table, [v.kind for v in values], [v.whole for v in values], _audit(scope, questions), unborn, read)


def find_problems(scope: Scope, questions: list[Question]) -> list[Problem]:
    """Read rules without answering them.

    Parameters
    ----------
    scope : Scope
        The tables and the starting rows.
    questions : list of Question
        The rules.

    Returns
    -------
    list of Problem
        Empty where every rule can be answered.
    """
    found: list[Problem] = []
    for question in questions:
        rule = _translator(scope, Calls(scope), question)
        rule.translate(question.truth)
        found += rule.problems
    return found


def _translator(scope: Scope, calls: Calls, question: Question) -> Translator:
    defining = (question.key,) if scope.definitions.get(question.key) == question.rule and not question.truth else ()
    return Translator(scope, calls, question.where, question.rule, defining)


def _audit(scope: Scope, questions: list[Question]) -> dict[str, str]:
    """Each question by itself as SQL, with what was asked and how rows are dated above it."""
    shown = {}
    for question in questions:
        calls = Calls(scope)
        value = _translator(scope, calls, question).translate(question.truth)
        query = statement(calls, {"answer": value.sql})
        shown[question.key] = written(query, [question.key, question.rule.strip(), *calls.notes])
    return shown


def _typed(found: pd.Series, value: Value) -> pd.Series:
    """An answer as pandas holds it: numbers with missing values are float, dates datetime64, text str."""
    if value.kind == "yes or no":
        return found.astype("boolean")
    if value.kind == "number":
        whole = value.whole and not found.isna().any()
        return found.astype("float64").astype("int64") if whole else found.astype("float64")
    if value.kind == "date":
        return found.astype("timestamp[s][pyarrow]").astype("datetime64[s]")
    return found.astype("float64") if value.kind == "empty" else found.astype("str")
