"""One person, rule by rule: each answer, and the rows of the tables that decided it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
from sqlglot import exp

from evalkit.cohort.answers import ANSWERS, Question, ask, read_rules, typed
from evalkit.cohort.arms import questions as arm_questions
from evalkit.cohort.build import given_of
from evalkit.cohort.calls import Calls, Pass
from evalkit.cohort.held import DATE, PERSON, ROW, column
from evalkit.cohort.language import Value
from evalkit.cohort.scope import Scope
from evalkit.cohort.sources import Given, hold
from evalkit.cohort.sql import START, beside, grouped, relation
from evalkit.cohort.start import Start, find_start
from evalkit.cohort.walk import check_columns_named, rule_questions
from evalkit.errors import DataError, StudyError, several
from evalkit.study.counted import CohortPlan
from evalkit.words import listed, number

if TYPE_CHECKING:
    from evalkit.study import Study

MOST = 10  # rows of a table that are shown
COUNTS = "counts"
WORDS = {True: "yes", False: "no", None: "not known"}


@dataclass(frozen=True, eq=False)
class Explanation:
    """What the rules answer for one person. Personal data: for the evaluator's eyes.

    Parameters
    ----------
    person : str
        The id.
    table : DataFrame
        row (1, 2 ... by index date), index_date, kind, says, rule, answer ("yes", "no", "not known", or a value), stays
        (whether the person stays at it; missing where it is no rule), columns (what the columns hold that it names).
    rows : dict of str to DataFrame
        By the sentence of a rule and the table it asks about, the person's rows of that table; the column "counts" says
        which of them the rule counted, from which row of the index.
    """

    person: str
    table: pd.DataFrame
    rows: dict[tuple[str, str], pd.DataFrame]

    @property
    def counted(self) -> bool:
        """Whether some index row meets every rule."""
        stays = self.table[self.table["stays"].notna()].groupby("row")["stays"].all()
        return bool(stays.any()) if len(stays) else bool(self.table["index_date"].notna().any())

    def lines(self) -> list[str]:
        """The same as lines of text for a terminal."""
        told = [f"{self.person}: {'meets every rule' if self.counted else 'is left out'}{self._group()}."]
        for row, part in self.table.groupby("row", sort=False):
            told.append(f"Index row {row}, {part['index_date'].iloc[0]}:")
            for one in part.to_dict("records"):
                fate = "" if pd.isna(one["stays"]) else ": stays" if one["stays"] else ": LEFT OUT"
                told += [f'  {one["kind"]} "{one["says"]}": {one["answer"]}{fate}', f"      {one['rule']}"]
                told += [f"      {one['columns']}"] if one["columns"] else []
                told += self._decided(str(one["says"]), row)
        return told

    def _group(self) -> str:
        """In which group somebody is who meets every rule."""
        groups = self.table[self.table["kind"] == "group"]
        if not self.counted or groups.empty:
            return ""
        found = list(dict.fromkeys(groups.loc[groups["answer"] == "yes", "says"]))
        return f"; group: {listed(found)}" if found else ", and is left out: in none of the groups"

    def _decided(self, says: str, row: object) -> list[str]:
        told = []
        for (sentence, table), rows in self.rows.items():
            if sentence != says:
                continue
            mine = rows[rows["row"] == row].drop(columns="row")
            counting = int(mine[COUNTS].sum())
            told.append(f"      {table}: {number(counting, 0)} of {number(len(mine), 0)} rows of this person count")
            shown = mine.sort_values(COUNTS, ascending=False, kind="stable").head(MOST)
            shown = shown.assign(**{COUNTS: shown[COUNTS].map({True: "counts", False: ""})})
            if len(shown):
                text = shown.apply(_plain).to_string(index=False)
                told += [f"        {line}" for line in text.splitlines()]
        return told


def explain(study: Study, person: str) -> Explanation:
    """Tell what each rule of a study answers for one person, and from which rows.

    Parameters
    ----------
    study : Study
        With a [cohort].
    person : str
        The id as the tables have it.

    Returns
    -------
    Explanation
        Rule by rule.

    Raises
    ------
    StudyError, DataError
        The plan cannot be followed, or nobody of that id starts.
    """
    from evalkit.study import shown

    where = f"The cohort of {shown(study.folder)}"
    if study.cohort is None:
        raise StudyError(several(where, ["the study has no [cohort], so there are no rules to explain."]))
    return explain_person(given_of(study), study.cohort, person, where)


def explain_person(given: Given, plan: CohortPlan, person: str, where: str) -> Explanation:
    """The same for tables and a plan.

    Parameters
    ----------
    given : dict of str to DataFrame, Path or TableInDatabase
        The tables.
    plan : CohortPlan
        The rules.
    person : str
        The id.
    where : str
        For messages.

    Returns
    -------
    Explanation
        Rule by rule.

    Raises
    ------
    DataError
        Nobody of that id starts.
    """
    engine, held = hold(given, plan, where)
    try:
        start = find_start(plan, engine, held, where)
        check_columns_named(plan, start.scope, where)
        picked = _of_person(start, person)
        questions = [*rule_questions(plan), *(one for one in arm_questions(plan) if one.kind == "group" or plan.arm)]
        asked = ask(start.scope, questions, where, picked)
        table = _answers(plan, start.scope, questions, asked.values)
        if table.empty and not _starts(start.scope):
            raise DataError(several(where, [f'nobody with the id "{person}" starts. Is it written as in the tables?']))
        rows = {
            (question.key, one.table): found
            for question in questions
            for one, found in _rows(start.scope, question, picked)
        }
        return Explanation(person, table, rows)
    finally:
        engine.close()


def _of_person(start: Start, person: str) -> exp.Expr:
    """The rows of one person that may count."""
    key = exp.cast(column(PERSON, "k"), "TEXT")
    everyone = exp.alias_(start.picked.copy(), "k", table=True)
    return exp.select("k.*").from_(everyone).where(key.eq(exp.Literal.string(person))).subquery()


def _starts(scope: Scope) -> bool:
    return len(scope.engine.fetch(exp.select(column(ROW)).from_(exp.to_table(START, quoted=True)).limit(1))) > 0


def _answers(plan: CohortPlan, scope: Scope, questions: list[Question], values: list[Value]) -> pd.DataFrame:
    """Every answer for every index row of the person, with what it says in the columns that the rule names."""
    order = [column(DATE), column(ROW)]
    found = scope.engine.fetch(exp.select("*").from_(exp.to_table(ANSWERS, quoted=True)).order_by(*order))
    start = scope.engine.fetch(exp.select("*").from_(exp.to_table(START, quoted=True)).order_by(*order))
    lines = []
    for place in range(len(found)):
        date = _day(found[DATE].iloc[place])
        for n, question in enumerate(questions):
            value = typed(found[f"a{n}"], values[n].kind, values[n].whole).iloc[place]
            answer = WORDS[None if pd.isna(value) else bool(value)] if values[n].kind == "yes or no" else _day(value)
            holds = not pd.isna(value) and bool(value)
            stays = {"include": holds, "exclude": not holds}.get(question.kind)
            names = read_rules(scope, [question]).calls.used.get(None, ())
            row = ", ".join(f"{name} {_day(start[scope.sql_name(None, name)].iloc[place])}" for name in sorted(names))
            says = question.key.removeprefix("set ").removeprefix("group ").removeprefix("=")
            kind = question.kind or ("arm" if plan.arm and says == plan.arm.column else "")
            if not kind:
                continue
            lines.append((place + 1, date, kind, says, question.rule.strip(), answer, stays, row))
    table = pd.DataFrame(lines, columns=["row", "index_date", "kind", "says", "rule", "answer", "stays", "columns"])
    return table.astype({"stays": "boolean"})


def _day(value: object) -> str:
    """A cell as text: dates without a time, nothing as missing."""
    if pd.isna(value):  # type: ignore[call-overload]
        return "missing"
    return str(value)[:10] if isinstance(value, dt.date) else str(value)


def _plain(cells: pd.Series) -> pd.Series:
    """A column for a terminal."""
    if pd.api.types.is_datetime64_any_dtype(cells):
        return cells.dt.strftime("%Y-%m-%d").fillna("")
    return cells.astype("object").where(cells.notna(), "")


def _rows(scope: Scope, question: Question, picked: exp.Expr) -> list[tuple[Pass, pd.DataFrame]]:
    """The person's rows of each table that a rule asks about directly, and which of them count."""
    calls = read_rules(scope, [question]).calls
    calls.number_rows()
    return [(one, _rows_of(scope, calls, one, picked)) for one in calls.passes if not one.inside]


def _rows_of(scope: Scope, calls: Calls, one: Pass, picked: exp.Expr) -> pd.DataFrame:
    held = scope.tables[one.table]
    asked = list(calls.passes[one].values())
    calls.used[one.table] = set(held.columns)
    if any(aggregate.rows is None for aggregate in asked):
        condition: exp.Expr = exp.true()
    else:
        condition = exp.or_(*(aggregate.rows.copy() for aggregate in asked if aggregate.rows is not None))
    order = exp.Order(expressions=[exp.Ordered(this=column(name, "i")) for name in (DATE, ROW)])
    place = exp.Window(this=exp.DenseRank(), order=order)
    chosen = [column(held.sql_name(name), "t").as_(f"c{n}") for n, name in enumerate(held.columns)]
    counts = exp.Coalesce(this=condition, expressions=[exp.false()])
    started = exp.alias_(exp.to_table(START, quoted=True), "i")
    query = exp.select(place.as_("row"), *chosen, counts.as_("counting")).from_(started)
    query = query.join(relation(calls, one.table, "t"), on=column(PERSON, "t").eq(column(PERSON, "i")))
    query = beside(query, asked, calls)
    for inner in (other for other in calls.passes if other.inside):
        query = query.with_(exp.to_identifier(inner.alias, quoted=True), as_=grouped(calls, inner))
    found = scope.engine.fetch(query)
    columns = {"row": found["row"].astype("int64")}
    for n, name in enumerate(held.columns):
        kind = "text" if name == scope.person else held.kind(name)
        columns[name] = typed(found[f"c{n}"], kind, scope.whole(one.table, name) if kind == "number" else False)
    return pd.DataFrame({**columns, COUNTS: found["counting"].astype("bool")}).drop(columns=scope.person)
