"""The engine behind a cohort, kept open for what is asked of it later."""

from __future__ import annotations

import threading
import weakref
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from sqlglot import exp

from evalkit.cohort.answers import ANSWERS, Asked, Question, ask, audit, typed
from evalkit.cohort.engines.vocabulary import word
from evalkit.cohort.flow import PEOPLE, Step, reasons_table
from evalkit.cohort.held import DATE, EPISODE, ORDER, PERSON, ROW, FrameTable, column
from evalkit.cohort.scope import Scope
from evalkit.cohort.sql import START
from evalkit.errors import EvalkitError
from evalkit.study.counted import CohortPlan

KEPT = "_kept"
LATER = "_later"


@dataclass(frozen=True, eq=False)
class Session:
    """An open engine, and what was asked of it.

    Parameters
    ----------
    scope : Scope
        What names mean.
    asked : Asked
        The questions of the plan and where their answers stand.
    steps : list of Step
        The steps of the flow.
    plan : CohortPlan
        Who is counted.
    picked : Expression
        The rows that may count.
    """

    scope: Scope
    asked: Asked
    steps: list[Step]
    plan: CohortPlan
    picked: exp.Expr
    _lock: Any = field(default_factory=threading.RLock, repr=False)

    def __post_init__(self) -> None:
        weakref.finalize(self, self.scope.engine.close)

    def __getstate__(self) -> None:
        raise EvalkitError("A cohort holds an open engine and cannot be sent elsewhere: send its tables.")

    @property
    def episodes(self) -> bool:
        """Whether a person may count several times."""
        return self.plan.index.pick == "every"

    # ------------------------------------------------------------ those counted

    def keep(self) -> pd.DataFrame:
        """Make the engine's table of those counted, and fetch their rows with all answers.

        Returns
        -------
        DataFrame
            Sorted by person and episode: _row, _person (text), _index_date, _order, _episode, _code, then by their
            place the answers that become columns.
        """
        engine = self.scope.engine
        keys = [column(name, "e") for name in (ROW, PERSON, DATE, ORDER, EPISODE)]
        joined = (
            exp.select(*keys, column("_code", "p"))
            .from_(exp.alias_(exp.to_table(PEOPLE, quoted=True), "p"))
            .join(exp.alias_(exp.to_table(START, quoted=True), "e"), on=column(ROW, "e").eq(column("_rep", "p")))
            .where(self._kept("p"))
        )
        engine.make(KEPT, joined)
        wanted = [n for n, question in enumerate(self.asked.questions) if question.kind not in ("include", "exclude")]
        person = exp.cast(column(PERSON, "k"), "TEXT")
        chosen = [column(name, "k") for name in (ROW, DATE, ORDER, EPISODE, "_code")]
        chosen += [column(f"a{place}", "a") for place in wanted]
        rows = exp.select(person.as_(PERSON, quoted=True), *chosen)
        rows = rows.from_(exp.alias_(exp.to_table(KEPT, quoted=True), "k"))
        rows = rows.join(exp.alias_(exp.to_table(ANSWERS, quoted=True), "a"), on=column(ROW, "a").eq(column(ROW, "k")))
        found = engine.fetch(rows.order_by(*_order()))
        columns: dict[object, pd.Series] = {
            ROW: found[ROW].astype("int64"),
            PERSON: found[PERSON].astype("str"),
            DATE: typed(found[DATE], "date", False),
            ORDER: found[ORDER],
            EPISODE: found[EPISODE].astype("int64"),
            "_code": found["_code"].astype("int64"),
        }
        for place in wanted:
            value = self.asked.values[place]
            columns[place] = typed(found[f"a{place}"], value.kind, value.whole)
        return pd.DataFrame(columns)

    def counts(self, alias: str) -> exp.Expr:
        """Whether somebody in the table of people is counted in the end, in one of the arms if there are any."""
        return column("_left", alias) >= len(self.steps)

    def meets(self, alias: str) -> exp.Expr:
        """Whether somebody in the table of people meets every rule, whatever the arm."""
        return column("_left", alias) >= sum(step.kind not in ("arm", "group") for step in self.steps)

    def _kept(self, alias: str) -> exp.Expr:
        """Whether a person's row is fetched: those counted, and those of groups shown beside them."""
        if self.steps[-1].kind != "group":
            return self.counts(alias)
        beside = exp.and_(column("_left", alias) >= len(self.steps) - 1, column("_code", alias) > 0)
        return exp.or_(self.counts(alias), beside)

    def home_columns(self, kept: pd.DataFrame) -> pd.DataFrame:
        """The columns of the index row and of people for those counted, in the order of ``kept``."""
        parts = []
        for place, table in enumerate(self.scope.home):
            theirs = [name for name in self.scope.origin if self.scope.origin[name] == table]
            by_order = self.scope.by_order and place == 0
            held = self.scope.tables[table]
            if isinstance(held, FrameTable):
                parts.append(_from_frame(held, kept, theirs, by_order))
            else:
                parts.append(self._from_engine(table, kept, theirs, by_order))
        return pd.concat(parts, axis=1)[list(self.scope.origin)]

    def _from_engine(self, table: str, kept: pd.DataFrame, theirs: list[str], by_order: bool) -> pd.DataFrame:
        held = self.scope.tables[table]
        key = ORDER if by_order else PERSON
        source = exp.alias_(held.relation(theirs, self.scope.whole_ids, order=by_order), "h", table=True)
        chosen = [column(held.sql_name(name), "h").as_(f"c{n}") for n, name in enumerate(theirs)]
        rows = exp.select(*chosen).from_(exp.alias_(exp.to_table(KEPT, quoted=True), "k"))
        rows = rows.join(source, on=column(key, "h").eq(column(key, "k")), join_type="left")
        found = self.scope.engine.fetch(rows.order_by(*_order()))
        columns = {name: self._column(table, name, found[f"c{n}"]) for n, name in enumerate(theirs)}
        return pd.DataFrame({name: values.array for name, values in columns.items()}, index=kept.index)

    def _column(self, table: str, name: str, found: pd.Series) -> pd.Series:
        if name == self.scope.person:
            return found.astype("str")
        return typed(found, self.scope.kind(table, name), self.scope.whole(table, name))

    def rows_of_table(self, name: str) -> pd.DataFrame:
        """A table: whole where it is in memory, else the rows of people in the cohort."""
        with self._lock:
            return self._rows_of_table(name)

    def _rows_of_table(self, name: str) -> pd.DataFrame:
        held = self.scope.tables[name]
        if isinstance(held, FrameTable):
            return held.frame
        whole_ids = self.scope.whole_ids and self.scope.person in held.columns
        source = exp.alias_(held.relation(held.columns, whole_ids, order=False), "t", table=True)
        rows = exp.select(*(column(held.sql_name(one), "t").as_(f"c{n}") for n, one in enumerate(held.columns))).from_(
            source
        )
        if self.scope.person in held.columns:
            kept = exp.select(column(PERSON)).from_(exp.to_table(KEPT, quoted=True))
            rows = rows.where(exp.In(this=column(PERSON, "t"), query=kept.subquery()))
        found = self.scope.engine.fetch(rows)
        return pd.DataFrame({one: self._column(name, one, found[f"c{n}"]) for n, one in enumerate(held.columns)})

    # ------------------------------------------------------------ asked later

    def answer(self, rule: str, where: str) -> pd.Series:
        """The answer to one more rule for everyone counted, by person (and episode, where several count)."""
        with self._lock:  # the engine's tables are made anew for each rule
            return self._answer(rule, where)

    def _answer(self, rule: str, where: str) -> pd.Series:
        found = ask(self.scope, [Question("rule", "rule", rule)], where, exp.to_table(KEPT, quoted=True), LATER)
        rows = exp.select(column(PERSON, "l"), column(EPISODE, "k"), column("a0", "l"))
        rows = rows.from_(exp.alias_(exp.to_table(LATER, quoted=True), "l"))
        rows = rows.join(exp.alias_(exp.to_table(KEPT, quoted=True), "k"), on=column(ROW, "l").eq(column(ROW, "k")))
        answers = self.scope.engine.fetch(rows)
        people = answers[PERSON].astype("str")
        index: pd.Index = pd.Index(people, name="person")
        if self.episodes:
            index = pd.MultiIndex.from_arrays([people, answers[EPISODE].astype("int64")], names=["person", "episode"])
        return pd.Series(typed(answers["a0"], found.values[0].kind, False).array, index=index, name="answer")

    def reasons(self) -> pd.DataFrame:
        """Every rule that each person who started does not meet."""
        with self._lock:
            return reasons_table(self.scope.engine, self.steps)

    def audit(self) -> pd.DataFrame:
        """The SQL of every rule and new column."""
        asked = [question for question in self.asked.questions if question.kind]
        with self._lock:
            rows = list(zip(asked, audit(self.scope, asked, self.picked), strict=True))
        listed = [(question.kind, question.key, question.rule.strip(), sql) for question, sql in rows]
        return pd.DataFrame(listed, columns=["kind", "says", "rule", "sql"])

    def windows(self) -> pd.DataFrame:
        """The windows that rules and new columns look at."""
        rows = [
            (question.kind, question.key, window.table, window.on, window.unit, window.low, window.high)
            for question, windows in zip(self.asked.questions, self.asked.windows, strict=True)
            for window in windows
            if window.on
        ]
        table = pd.DataFrame(rows, columns=["kind", "says", "table", "on", "unit", "low", "high"])
        return table.astype({"low": "Int64", "high": "Int64"})


def _order() -> list[exp.Expr]:
    """Those counted by person, as text by code point, and episode."""
    return [word("CODE", exp.cast(column(PERSON, "k"), "TEXT")), column(EPISODE, "k")]


def _from_frame(held: FrameTable, kept: pd.DataFrame, theirs: list[str], by_order: bool) -> pd.DataFrame:
    """Rows of a table in memory as they are there, types and all."""
    frame = held.frame[theirs]
    if by_order:
        place = kept[ORDER].astype("int64").to_numpy()
    else:
        ids = held.frame[held.person]
        known = ids[ids.notna()]
        place = known.index[pd.Index(known).get_indexer(kept[PERSON])].to_numpy()
    return frame.take(place).set_index(kept.index)
