"""The named functions of the rule language.

`age`, `days`, `months`, `date`, `missing`, `column`, `startswith` and `followed` work on one row; `exists`, `count`,
`first`, `last`, `sum` and `mean` look at a person's rows of a table, within a window of days or months from the index
date, both ends counted (`looks`).
"""

from __future__ import annotations

import ast
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

from evalkit.cohort import looks
from evalkit.cohort.calls import Window
from evalkit.cohort.engines.vocabulary import wrap
from evalkit.cohort.kinds import ISO_DATE
from evalkit.cohort.language import NOTHING, Translator, Value, days_between
from evalkit.cohort.looks import bound, whole, window_ends
from evalkit.errors import did_you_mean, nearest
from evalkit.words import listed as listed_words

ZERO = exp.Literal.number(0)
ONE = exp.Literal.number(1)


def call(rule: Translator, node: ast.Call) -> Value:
    """Translate a call of one of the named functions.

    Parameters
    ----------
    rule : Translator
        The rule the call stands in.
    node : ast.Call
        The call.

    Returns
    -------
    Value
        Its SQL and kind; problems are kept on ``rule``.
    """
    if not isinstance(node.func, ast.Name):
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        hint = f' Write {method}(x, "...").' if method in FUNCTIONS else ""
        return rule.problem(node, f"only the functions by name are part of the rule language.{hint}")
    name = node.func.id
    rule.names_anything = True
    if name not in FUNCTIONS:
        found = f'"{name}" is not a function of the rule language. {did_you_mean(name, FUNCTIONS)}'.strip()
        nothing, meant = rule.problem(node, found), nearest(name, FUNCTIONS)
        # It is read on as the function that was probably meant, so that what else is wrong is told at once.
        return _made(rule, node, FUNCTIONS[meant]) if meant else nothing
    return _made(rule, node, FUNCTIONS[name])


def _made(rule: Translator, node: ast.Call, function: Function) -> Value:
    allowed = ("on", "days", "months") if function.asks_table else function.keywords
    fits = function.least <= len(node.args) <= function.most and all(key.arg in allowed for key in node.keywords)
    if not fits or any(isinstance(given, ast.Starred) for given in node.args):
        return rule.problem(node, f"write {function.usage}.")
    return function.make(rule, node)


# ---------------------------------------------------------------- on one row


def _dates(rule: Translator, node: ast.Call) -> tuple[exp.Expr, exp.Expr]:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    first, second = (rule.need(rule.value(part), "date", part, f"{name} needs dates") for part in node.args)
    return first.sql, second.sql


def _part(unit: type[exp.Func], day: exp.Expr) -> exp.Expr:
    return unit(this=day.copy())


def _age(rule: Translator, node: ast.Call) -> Value:
    """Completed birthdays from year, month and day: born on 29 February turns on 1 March."""
    born, on = _dates(rule, node)
    if rule.table is None:
        rule.births.append(exp.GT(this=born.copy(), expression=on.copy()))
    before = exp.or_(
        exp.LT(this=_part(exp.Month, on), expression=_part(exp.Month, born)),
        exp.and_(
            exp.EQ(this=_part(exp.Month, on), expression=_part(exp.Month, born)),
            exp.LT(this=_part(exp.Day, on), expression=_part(exp.Day, born)),
        ),
    )
    years = exp.Sub(this=_part(exp.Year, on), expression=_part(exp.Year, born))
    return Value(wrap(_less_one_if(years, before)), "number", whole=True)


def _months(rule: Translator, node: ast.Call) -> Value:
    """Whole months: the largest n for which `from` moved by n months (clamped to the month's end) is not after `to`."""
    start, end = _dates(rule, node)
    years = exp.Sub(this=_part(exp.Year, end), expression=_part(exp.Year, start))
    months = exp.Sub(this=_part(exp.Month, end), expression=_part(exp.Month, start))
    counted = exp.Add(this=exp.Mul(this=wrap(years), expression=exp.Literal.number(12)), expression=wrap(months))
    short = exp.LT(this=_part(exp.Day, end), expression=_part(exp.Day, start))
    not_last = exp.LT(this=_part(exp.Day, end), expression=exp.Day(this=exp.LastDay(this=end.copy())))
    return Value(wrap(_less_one_if(counted, exp.and_(short, not_last))), "number", whole=True)


def _less_one_if(number: exp.Expr, condition: exp.Expr) -> exp.Expr:
    return exp.Sub(this=number, expression=exp.Case(ifs=[exp.If(this=condition, true=ONE.copy())], default=ZERO.copy()))


def _days(rule: Translator, node: ast.Call) -> Value:
    start, end = _dates(rule, node)
    return days_between(Value(start, "date"), Value(end, "date"))


def _date(rule: Translator, node: ast.Call) -> Value:
    given = rule.value(node.args[0])
    if not isinstance(given.literal, str):
        return rule.problem(node, f"write {FUNCTIONS['date'].usage}.")
    return rule.date_literal(given.literal, node.args[0])


def _missing(rule: Translator, node: ast.Call) -> Value:
    given = rule.value(node.args[0])
    return Value(exp.Is(this=wrap(given.sql), expression=exp.null()), "yes or no")


def _column(rule: Translator, node: ast.Call) -> Value:
    given = node.args[0]
    if not isinstance(given, ast.Constant) or not isinstance(given.value, str):
        return rule.problem(node, f"write {FUNCTIONS['column'].usage}.")
    return rule.column_named(given.value, given)


def _startswith(rule: Translator, node: ast.Call) -> Value:
    """Whether text begins with a prefix, or with one of several."""
    text = rule.need(rule.value(node.args[0]), "text", node.args[0], "startswith needs text")
    listed = [
        part for given in node.args[1:] for part in (given.elts if isinstance(given, ast.Tuple | ast.List) else [given])
    ]
    prefixes = [rule.need(rule.value(part), "text", part, "startswith needs text") for part in listed]
    if not prefixes:
        return rule.problem(node, f"write {FUNCTIONS['startswith'].usage}.")
    tests = [exp.StartsWith(this=text.sql.copy(), expression=prefix.sql) for prefix in prefixes]
    return Value(wrap(exp.or_(*tests)) if len(tests) > 1 else tests[0], "yes or no")


# ---------------------------------------------------------------- who can be seen


def _followed(rule: Translator, node: ast.Call) -> Value:
    """Whether a person can be seen on every day of a window, by the dates and columns of cohort.followed."""
    plan, given = rule.scope.followed, node.keywords[0] if len(node.keywords) == 1 else None
    if rule.inside:
        return rule.problem(node, "followed(...) is about the person: it cannot stand inside a table's condition.")
    if given is None:
        return rule.problem(node, f"write {FUNCTIONS['followed'].usage}.")
    ends = _one_or_two(rule, given.value)
    if ends is None:
        return NOTHING
    if plan is None:
        return rule.problem(node, "followed(...) needs [cohort.followed]. Write since and until there.")
    low, high = ends
    after = (
        [_seen(rule, node, until, high, str(given.arg), last=True) for until in plan.until] if high is not None else []
    )
    before = (
        [_seen(rule, node, since, low, str(given.arg), last=False) for since in plan.since] if low is not None else []
    )
    wanted = [name for name, end, listed in (("until", high, after), ("since", low, before)) if end and not listed]
    if wanted:
        return rule.problem(node, f"[cohort.followed] lacks {listed_words(wanted)}, which this needs.")
    if high and any(not is_date_text(until) for until in plan.until):
        rule.windows.append(Window("followed", "until", str(given.arg), low, high))
    return Value(wrap(exp.and_(*before, *after)), "yes or no") if before or after else Value(exp.true(), "yes or no")


def _one_or_two(rule: Translator, node: ast.expr) -> tuple[int | None, int | None] | None:
    """365 stands for (0, 365), -365 for (-365, 0)."""
    one = whole(node)
    if one is None or one is False:
        return window_ends(rule, node)
    return (min(int(one), 0), max(int(one), 0))


def is_date_text(given: dt.date | str) -> bool:
    """Tell a date from the name of a column.

    Parameters
    ----------
    given : date or str
        An entry of cohort.followed.

    Returns
    -------
    bool
        Whether it is a date.
    """
    return isinstance(given, dt.date) or bool(ISO_DATE.fullmatch(given))


def _seen(rule: Translator, node: ast.Call, limit: dt.date | str, n: int, unit: str, last: bool) -> exp.Expr:
    """Whether an end of the window lies within one limit; an empty cell sets no limit."""
    if is_date_text(limit):
        day = rule.date_literal(limit.isoformat() if isinstance(limit, dt.date) else limit, node)
    else:
        day = rule.need(rule.column_named(str(limit), node), "date", node, "cohort.followed names dates")
    end = bound(rule, n, unit)
    inside = (exp.LTE if last else exp.GTE)(this=end, expression=wrap(day.sql))
    return wrap(exp.or_(exp.Is(this=wrap(day.sql.copy()), expression=exp.null()), inside))


@dataclass(frozen=True)
class Function:
    """One function of the language: how it is written, how many parts it takes, and what it makes."""

    usage: str
    least: int
    most: int
    make: Callable[[Translator, ast.Call], Value]
    asks_table: bool = False
    keywords: tuple[str, ...] = ()


WINDOW = "days=(a, b)"
FUNCTIONS: dict[str, Function] = {
    "age": Function("age(born, on): two dates", 2, 2, _age),
    "days": Function("days(from, to): two dates", 2, 2, _days),
    "months": Function("months(from, to): two dates", 2, 2, _months),
    "date": Function('date("2020-01-31"): one date as text', 1, 1, _date),
    "missing": Function("missing(x): one column or value", 1, 1, _missing),
    "column": Function('column("its name"): one name as text', 1, 1, _column),
    "startswith": Function('startswith(x, "prefix"): text, and how it begins', 2, 20, _startswith),
    "followed": Function(
        "followed(days=365), followed(days=-365) or followed(months=(a, b))",
        0,
        0,
        _followed,
        keywords=("days", "months"),
    ),
    "exists": Function(
        f"exists(table, condition, {WINDOW}): condition and window may be left out", 1, 2, looks.exists, True
    ),
    "count": Function(
        f"count(table, condition, {WINDOW}): condition and window may be left out", 1, 2, looks.count, True
    ),
    "first": Function(
        f"first(table, column, condition, {WINDOW}): condition and window may be left out",
        2,
        3,
        looks.end_of("FIRST"),
        True,
    ),
    "last": Function(
        f"last(table, column, condition, {WINDOW}): condition and window may be left out",
        2,
        3,
        looks.end_of("LAST"),
        True,
    ),
    "sum": Function(
        f"sum(table, column, condition, {WINDOW}): condition and window may be left out", 2, 3, looks.sum_of, True
    ),
    "mean": Function(
        f"mean(table, column, condition, {WINDOW}): condition and window may be left out", 2, 3, looks.mean, True
    ),
}
