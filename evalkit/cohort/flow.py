"""How many were left after each step, and why each person left: worked out inside the engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sqlglot import exp

from evalkit.cohort.answers import ANSWERS
from evalkit.cohort.engines.base import Engine
from evalkit.cohort.engines.vocabulary import wrap
from evalkit.cohort.held import DATE, PERSON, ROW, column

PEOPLE = "_people"
RULES = ("include", "exclude", "arm", "group")


@dataclass(frozen=True, eq=False)
class Step:
    """One step of the flow.

    Parameters
    ----------
    kind : str
        "start", "pick", "include", "exclude", "arm" or "group".
    says : str
        The sentence a report prints.
    rule : str
        The rule as written, empty where there is none.
    met : Expression
        Over the answers: whether the row may stay; missing where that could not be answered.
    unknown_stays : bool
        Whether a row stays where that could not be answered (exclude rules).
    """

    kind: str
    says: str
    rule: str
    met: exp.Expr
    unknown_stays: bool = False

    @property
    def stays(self) -> exp.Expr:
        """Whether a row stays, unknown being settled."""
        return exp.Coalesce(this=self.met.copy(), expressions=[exp.true() if self.unknown_stays else exp.false()])

    @property
    def judges(self) -> bool:
        """Whether it is a rule, asked only of rows with an index date."""
        return self.kind in {"include", "exclude"}


def _count(condition: exp.Expr | None = None) -> exp.Expr:
    rows = exp.Count(this=exp.Star())
    return rows if condition is None else exp.Filter(this=rows, expression=exp.Where(this=condition))


def _any(condition: exp.Expr, among: exp.Expr | None = None) -> exp.Expr:
    """Whether a condition holds in any row of a person."""
    found = exp.LogicalOr(this=condition)
    return found if among is None else exp.Filter(this=found, expression=exp.Where(this=among))


def judge(engine: Engine, steps: Sequence[Step], several: bool, code: exp.Expr | None = None) -> None:
    """Make the engine's table of people: where each left, which rules each does not meet.

    Parameters
    ----------
    engine : Engine
        Which holds the answers.
    steps : sequence of Step
        In order, the first being the start.
    several : bool
        Whether a person has several rows, of which the first that meets every rule counts.
    code : Expression, optional
        The number of a row's arm or group, 0 for none.

    Notes
    -----
    _people has a row per person (per episode where each counts): _rep the row that stands for the person, its index
    date and its _code, _left the step at which the last row left (the number of steps where one stayed), _unknown
    whether that was because it could not be answered, f1 ... whether each step is not met in any row, u1 ... whether it
    could not be answered, s1 ... whether an exclude rule is unknown for a row that stayed.
    """
    dated = column(DATE).is_(exp.null()).not_()
    chosen: list[exp.Expr] = [
        column(ROW),
        column(PERSON),
        column(DATE),
        dated.as_("_dated", quoted=True),
        (code or exp.convert(0)).as_("_code", quoted=True),
    ]
    for k, step in enumerate(steps):
        chosen += [
            step.stays.as_(f"m{k}", quoted=True),
            wrap(step.met.copy()).is_(exp.null()).as_(f"u{k}", quoted=True),
        ]
    rows = exp.select(*chosen).from_(exp.to_table(ANSWERS, quoted=True), copy=False).subquery("a", copy=False)
    branches = [exp.If(this=column(f"m{k}").not_(), true=exp.convert(k)) for k in range(1, len(steps))]
    left = exp.Case(ifs=branches, default=exp.convert(len(steps))) if branches else exp.convert(len(steps))
    judged = exp.select(exp.Star(), left.as_("_left", quoted=True)).from_(rows, copy=False)
    if several:
        engine.make(PEOPLE, _gathered(steps, judged))
    else:
        engine.define(PEOPLE, _single(steps, judged))


def _fails(step: Step, k: int) -> exp.Expr:
    """Whether a row does not meet a step; rules are not asked of rows without an index date."""
    failed = column(f"m{k}").not_()
    return exp.and_(column("_dated"), failed) if step.kind in RULES else failed


def _single(steps: Sequence[Step], rows: exp.Select) -> exp.Select:
    """One row per person, where a person has one row only."""
    chosen = [column(ROW).as_("_rep", quoted=True), column(PERSON), column(DATE), column("_left"), column("_code")]
    chosen.append(_unknown_at(steps, column("_left")).as_("_unknown", quoted=True))
    for k, step in enumerate(steps):
        chosen += [_fails(step, k).as_(f"f{k}", quoted=True), column(f"u{k}")]
        if step.unknown_stays:
            chosen.append(exp.and_(column(f"u{k}"), column("_left") > k).as_(f"s{k}", quoted=True))
    return exp.select(*chosen).from_(rows.subquery("r", copy=False), copy=False)


def _gathered(steps: Sequence[Step], rows: exp.Select) -> exp.Select:
    """One row per person, where a person has several: the first of those that came furthest stands for the person.

    Its date and its arm are the person's at every step, so that nobody changes arms on the way.
    """
    top = exp.Window(this=exp.Max(this=column("_left")), partition_by=[column(PERSON)])
    inner = exp.select(exp.Star(), top.as_("_top", quoted=True)).from_(rows.subquery("r")).subquery("r")
    is_top = column("_left").eq(column("_top"))
    first = exp.Filter(this=exp.Min(this=column(ROW)), expression=exp.Where(this=is_top))
    in_group = exp.and_(is_top.copy(), column("_code") > 0)
    first_of_group = exp.Filter(this=exp.Min(this=column(ROW)), expression=exp.Where(this=in_group))
    chosen = [exp.Coalesce(this=first_of_group, expressions=[first]).as_("_rep", quoted=True), column(PERSON)]
    chosen.append(exp.Max(this=column("_left")).as_("_left", quoted=True))
    unknown = _any(_unknown_at(steps, column("_left")), is_top.copy())
    chosen.append(exp.Coalesce(this=unknown, expressions=[exp.false()]).as_("_unknown", quoted=True))
    for k, step in enumerate(steps):
        among = column("_dated") if step.kind in RULES else None
        chosen.append(_any(column(f"m{k}"), among).not_().as_(f"f{k}", quoted=True))
        chosen.append(_any(column(f"u{k}"), among).as_(f"u{k}", quoted=True))
        if step.unknown_stays:
            chosen.append(_any(exp.and_(column(f"u{k}"), column("_left") > k)).as_(f"s{k}", quoted=True))
    people = exp.select(*chosen).from_(inner).group_by(column(PERSON)).subquery("g")
    theirs = exp.select(column(ROW), column(DATE), column("_code")).from_(rows.copy().subquery("q")).subquery("x")
    whole = exp.select("g.*", column(DATE, "x"), column("_code", "x")).from_(people)
    return whole.join(theirs, on=column(ROW, "x").eq(column("_rep", "g")))


def _unknown_at(steps: Sequence[Step], left: exp.Expr) -> exp.Expr:
    """Whether the step at which a row left could not be answered for it."""
    branches = [exp.If(this=left.eq(k), true=column(f"u{k}")) for k in range(len(steps))]
    return exp.Case(ifs=branches, default=exp.false())


def flow_table(engine: Engine, steps: Sequence[Step], groups: dict[str, int]) -> pd.DataFrame:
    """Count people after each step.

    Parameters
    ----------
    engine : Engine
        Which holds the table of people.
    steps : sequence of Step
        In order, the first being the start.
    groups : dict of str to int
        "treated" and "comparison", then the ids of groups shown beside, and the number of each; empty without arms.

    Returns
    -------
    DataFrame
        One row per step, as `Cohort` describes it.
    """
    people = exp.to_table(PEOPLE, quoted=True)
    where_left = [column("_left"), column("_code"), column("_unknown")]
    counts = engine.fetch(
        exp.select(*where_left, _count().as_("n")).from_(people).group_by(*(c.copy() for c in where_left))
    )
    left, code = (counts[name].to_numpy(dtype="int64") for name in ("_left", "_code"))
    n, unknown = counts["n"].to_numpy(dtype="int64"), counts["_unknown"].to_numpy(dtype=bool)
    failing = _failing(engine, steps)
    lines: list[dict[str, object]] = []
    for k, step in enumerate(steps):
        line = {"step": k, "kind": step.kind, "says": step.says, "rule": step.rule, "left_out": n[left == k].sum()}
        line["unknown"] = failing[f"s{k}"] if step.unknown_stays else n[(left == k) & unknown].sum()
        line["people"] = n[left > k].sum()
        for name in ("treated", "comparison", *(one for one in groups if one not in ("treated", "comparison"))):
            if name not in groups:
                line[name] = pd.NA
            else:
                line[name] = n[(left > k) & (code == groups[name])].sum()
        if step.kind == "group":  # at this step everybody else leaves; a group shown beside keeps those it had
            line |= {name: lines[-1][name] for name in groups if name not in ("treated", "comparison")}
        line |= {name: failing[f"{name}{k}"] if step.kind in RULES else pd.NA for name in ("failed", "only")}
        lines.append(line)
    flow = pd.DataFrame(lines)
    words = ("step", "kind", "says", "rule")
    return flow.astype({name: "Int64" for name in flow.columns if name not in words})


def _number(condition: exp.Expr, value: int = 1) -> exp.Expr:
    return exp.Case(ifs=[exp.If(this=condition, true=exp.convert(value))], default=exp.convert(0))


def _total(parts: Sequence[exp.Expr]) -> exp.Expr:
    total: exp.Expr = exp.convert(0)
    for part in parts:
        total = exp.Add(this=total, expression=part)
    return total


def _failing(engine: Engine, steps: Sequence[Step]) -> dict[str, int]:
    """People who do not meet a rule, whatever the order of the rules, and those who fail that rule alone."""
    rules = [k for k, step in enumerate(steps) if step.kind in RULES]
    stayed = [k for k, step in enumerate(steps) if step.unknown_stays]
    if not rules:
        return {}
    people = exp.to_table(PEOPLE, quoted=True)
    asked = {f"failed{k}": exp.Sum(this=_number(column(f"f{k}"))) for k in rules}
    asked |= {f"s{k}": exp.Sum(this=_number(column(f"s{k}"))) for k in stayed}
    found = engine.fetch(exp.select(*(one.as_(name) for name, one in asked.items())).from_(people)).iloc[0]
    counts = {name: int(found[name]) for name in asked} | {f"only{k}": 0 for k in rules}
    # Who fails one rule only is counted under the number of that rule, which is then the sum of those failed.
    fails, which = (
        _total([_number(column(f"f{k}")) for k in rules]),
        _total([_number(column(f"f{k}"), k) for k in rules]),
    )
    rows = exp.select(fails.as_("fails"), which.as_("which")).from_(people.copy()).subquery("r")
    alone = exp.select(exp.column("which"), _count().as_("n")).from_(rows).where(exp.column("fails").eq(1))
    told = engine.fetch(alone.group_by(exp.column("which")))
    return counts | {f"only{int(k)}": int(n) for k, n in zip(told["which"], told["n"], strict=True)}


def reasons_table(engine: Engine, steps: Sequence[Step]) -> pd.DataFrame:
    """List every rule that each person who started does not meet, whatever the order of the rules.

    Parameters
    ----------
    engine : Engine
        Which holds the table of people.
    steps : sequence of Step
        All steps.

    Returns
    -------
    DataFrame
        person, rule, answer. Where a person has several rows, a rule is not met if it is met in none of them; a person
        who meets every rule, but never all in one row, is listed at the rule where the last row left.
    """
    asked = [k for k, step in enumerate(steps) if step.kind != "start"]
    fails = [column(f"f{k}") for k in asked]
    out = exp.or_(*fails, column("_left") < len(steps)) if fails else exp.false()
    chosen = [column(PERSON), column("_left"), *(column(f"{letter}{k}") for k in asked for letter in "fu")]
    found = engine.fetch(exp.select(*chosen).from_(exp.to_table(PEOPLE, quoted=True)).where(out))
    person = found[PERSON].astype("str").to_numpy(dtype=object)
    left = found["_left"].to_numpy(dtype="int64")
    failed = {k: found[f"f{k}"].fillna(False).to_numpy(dtype=bool) for k in asked}
    explained = np.logical_or.reduce([*failed.values(), np.zeros(len(found), dtype=bool)])
    parts = []
    for k in asked:
        here = failed[k] | (~explained & (left == k))
        unknown = found[f"u{k}"].fillna(False).to_numpy(dtype=bool)[here] & failed[k][here]
        answers = np.where(unknown, "unknown", "no")
        parts.append(pd.DataFrame({"person": person[here], "_at": k, "rule": steps[k].says, "answer": answers}))
    empty = pd.DataFrame({"person": [], "_at": [], "rule": [], "answer": []})
    listed = pd.concat(parts or [empty], ignore_index=True).sort_values(["person", "_at"], kind="stable")
    return listed[["person", "rule", "answer"]].astype("str").reset_index(drop=True)
