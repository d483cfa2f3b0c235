"""Questions in the rule language, and everybody's answers to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd
from sqlglot import exp

from evalkit.cohort.calls import Calls, Window
from evalkit.cohort.engines.vocabulary import as_type
from evalkit.cohort.held import DATE, ROW, column
from evalkit.cohort.hits import set_aside
from evalkit.cohort.kinds import Kind
from evalkit.cohort.language import Translator, Value
from evalkit.cohort.problems import Problem, raise_all
from evalkit.cohort.scope import Scope
from evalkit.cohort.sql import START, self_contained, starting_rows, statement, written

UNBORN = "unborn"
ANSWERS = "_answers"
PICKED = "_picked"


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
    kind : str
        What it is for: "include", "exclude", "column", "group", "set", or "" for a column passed on.
    """

    key: str
    where: str
    rule: str
    truth: bool = True
    kind: str = ""


@dataclass(frozen=True, eq=False)
class Asked:
    """What the engine holds of the answers: the table _answers, a row per starting row.

    Parameters
    ----------
    questions : sequence of Question
        In the order asked: the answer to the first is column a0.
    values : list of Value
        What each gives.
    windows : list of list of Window
        For each, the windows it looks at.
    named : list of bool
        For each, whether it names anything at all; a rule that does not is always or never true.
    read : tuple of str
        Tables other than the starting rows that were read.
    """

    questions: Sequence[Question]
    values: list[Value]
    windows: list[list[Window]]
    named: list[bool]
    read: tuple[str, ...]

    def column(self, key: str, alias: str = "") -> exp.Column:
        """The column of the answer to a question."""
        return column(f"a{self.place(key)}", alias)

    def place(self, key: str) -> int:
        """Which answer it is."""
        return next(n for n, question in enumerate(self.questions) if question.key == key)


@dataclass
class Reading:
    """Rules read into SQL, and everything that was wrong with them."""

    calls: Calls
    values: list[Value] = field(default_factory=list)
    births: list[exp.Expr] = field(default_factory=list)
    windows: list[list[Window]] = field(default_factory=list)
    named: list[bool] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def unborn(self) -> exp.Expr:
        """Whether an age was asked for on a day before birth."""
        return exp.or_(*self.births) if self.births else exp.false()


def _typed_null(value: Value) -> exp.Expr:
    return as_type(exp.null(), "TEXT") if value.kind == "empty" else value.sql


def read_rules(scope: Scope, questions: Sequence[Question]) -> Reading:
    """Read rules without answering them.

    Parameters
    ----------
    scope : Scope
        What names mean.
    questions : sequence of Question
        The rules.

    Returns
    -------
    Reading
        With ``problems`` empty where every rule can be answered.
    """
    reading = Reading(Calls(scope))
    for question in questions:
        defining = (
            (question.key,) if scope.definitions.get(question.key) == question.rule and not question.truth else ()
        )
        rule = Translator(scope, reading.calls, question.where, question.rule, defining)
        reading.values.append(rule.translate(question.truth))
        reading.births += rule.births
        reading.windows.append(list(dict.fromkeys(rule.windows)))
        reading.named.append(rule.names_anything)
        reading.problems += rule.problems
    return reading


def ask(scope: Scope, questions: Sequence[Question], where: str, picked: exp.Expr, into: str = ANSWERS) -> Asked:
    """Answer all questions for every picked row in one statement, inside the engine.

    Parameters
    ----------
    scope : Scope
        What names mean.
    questions : sequence of Question
        In any order: no answer depends on another.
    where : str
        The file or definition, for messages.
    picked : Expression
        The picked rows, a table of the engine or a subquery.
    into : str
        The engine's table that the answers are put into.

    Returns
    -------
    Asked
        Where the answers stand.

    Raises
    ------
    StudyError, DataError
        Every problem of every rule at once.
    """
    reading = read_rules(scope, questions)
    raise_all(where, list(dict.fromkeys(reading.problems)))
    calls = reading.calls
    calls.number_rows()
    scope.engine.make(START, starting_rows(calls, picked))
    set_aside(calls)
    chosen = {f"a{place}": _typed_null(value) for place, value in enumerate(reading.values)}
    chosen[UNBORN] = reading.unborn
    scope.engine.make(into, statement(calls, chosen, [column(DATE, "i")]))
    read = tuple(name for name in calls.used if name is not None)
    return Asked(questions, reading.values, reading.windows, reading.named, read)


def audit(scope: Scope, questions: Sequence[Question], picked: exp.Expr) -> list[str]:
    """Each question by itself as SQL, with what was asked and how rows are dated above it.

    Parameters
    ----------
    scope : Scope
        What names mean.
    questions : sequence of Question
        Rules that can be read.
    picked : Expression
        The picked rows.

    Returns
    -------
    list of str
        One text each.
    """
    shown = []
    for question in questions:
        reading = read_rules(scope, [question])
        query = statement(reading.calls, {"answer": _typed_null(reading.values[0])}).order_by(column(ROW, "i"))
        made = {**scope.engine.made, START: starting_rows(reading.calls, picked)}
        query = self_contained(query, made)
        heading = [question.key, question.rule.strip(), *reading.calls.notes]
        shown.append(written(scope.engine.sql(query, pretty=True), heading))
    return shown


def typed(found: pd.Series, kind: Kind, whole: bool) -> pd.Series:
    """An answer as pandas holds it.

    Parameters
    ----------
    found : Series
        As the engine gave it.
    kind : {"number", "text", "date", "yes or no", "empty"}
        What it holds.
    whole : bool
        Whether its numbers are whole.

    Returns
    -------
    Series
        Numbers with missing values are float, dates datetime64, text str, yes and no boolean.
    """
    if kind == "yes or no":
        return found.astype("boolean")
    if kind == "number":
        return _number(found, whole)
    if kind == "date":
        return _day(found)
    return pd.Series(float("nan"), found.index) if kind == "empty" else found.astype("str")


def _number(found: pd.Series, whole: bool) -> pd.Series:
    """Whole numbers stay exact; those with gaps, and those too large to be told apart, are float."""
    stored_whole = pd.api.types.is_integer_dtype(found.dtype)
    if found.isna().any() or not whole:
        return found.astype("float64")
    if stored_whole:
        return found.astype("int64")
    numbers = found.astype("float64")
    return numbers.astype("int64") if bool((numbers.abs() < 2**53).all()) else numbers


def _day(found: pd.Series) -> pd.Series:
    """Dates; one beyond the year 9999 is missing, since nobody means it."""
    days = found.astype("timestamp[s][pyarrow]").astype("datetime64[s]")
    return days.where(days.dt.year.between(1, 9999)).astype("datetime64[us]")
