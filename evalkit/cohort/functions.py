"""The named functions of the rule language.

`age`, `days`, `months`, `date`, `missing` and `column` work on one row; `exists`, `count`, `first`, `last`, `sum` and
`mean` look at a person's rows of a table, within a window of days or months from the index date, both ends counted.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

from evalkit.cohort.language import NOTHING, Translator, Value, days_between, moved
from evalkit.cohort.scope import DATE, ORDER
from evalkit.cohort.sql import as_type, column, wrap
from evalkit.errors import did_you_mean

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
        return rule.problem(node, "only the functions by name are part of the rule language.")
    name = node.func.id
    if name not in FUNCTIONS:
        return rule.problem(
            node, f'"{name}" is not a function of the rule language. {did_you_mean(name, FUNCTIONS)}'.strip()
        )
    function = FUNCTIONS[name]
    allowed = ("on", "days", "months") if function.asks_table else ()
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


# ---------------------------------------------------------------- on a person's rows of a table


@dataclass(frozen=True)
class _Asked:
    """What a call asks of a table: what of each row, and of which rows."""

    table: str
    value: Value
    rows: exp.Expr | None
    day: exp.Expr | None


def _ask(rule: Translator, node: ast.Call, of_column: bool = False, dated: bool = False) -> _Asked | None:
    """Read table, value, condition and window of a call; None, with a problem kept, where that fails."""
    table = _table_name(rule, node.args[0])
    if table is None:
        return None
    rule.table = table
    try:
        value = rule.value(node.args[1]) if of_column else NOTHING
        conditions = [wrap(rule.truth(part).sql) for part in node.args[2 if of_column else 1 :]]
    finally:
        rule.table = None
    window, day = _window(rule, node, table, dated)
    rows = [*conditions, *window]
    if of_column and dated and day is not None:
        rows.append(exp.Not(this=exp.Is(this=day.copy(), expression=exp.null())))
    return _Asked(table, value, exp.and_(*rows) if rows else None, day)


def _table_name(rule: Translator, node: ast.expr) -> str | None:
    if rule.table is not None:
        rule.problem(node, "a table cannot be asked about inside another table's condition. Write two rules.")
        return None
    name = node.id if isinstance(node, ast.Name) else node.value if isinstance(node, ast.Constant) else None
    if isinstance(name, str) and name in rule.scope.tables:
        if rule.scope.person in rule.scope.tables[name].columns:
            return name
        known = did_you_mean(rule.scope.person, rule.scope.tables[name].columns)
        rule.problem(
            node, f'table {name} has no column "{rule.scope.person}", which says whose row it is. {known}', in_data=True
        )
        return None
    rule.problem(
        node, f'"{rule.words(node)}" is not a table of the study. {did_you_mean(str(name), rule.scope.tables)}'.strip()
    )
    return None


def _window(rule: Translator, node: ast.Call, table: str, dated: bool) -> tuple[list[exp.Expr], exp.Expr | None]:
    """The conditions of days= or months=, and the date the rows are read on."""
    given = {key.arg: key.value for key in node.keywords}
    units = [unit for unit in ("days", "months") if unit in given]
    if len(units) == 2:
        rule.problem(given["months"], "a window is given in days= or in months=, not in both.")
        return [], None
    if not units and not dated and "on" not in given:
        return [], None
    on = _date_column(rule, node, given.get("on"), table)
    if on is None:
        return ([exp.false()] if _is_blank(rule, table) else []), None
    day = rule.calls.read(table, on)
    if not units:
        rule.calls.note(f"rows of {table} are dated by {on}")
        return [], day
    ends = _ends(rule, given[units[0]])
    if ends is None:
        return [], day
    low, high = (
        None if n is None else moved(column(DATE, "i"), exp.Literal.number(n), units[0][:-1].upper()) for n in ends
    )
    if "on" not in given and rule.scope.is_spells(table):
        return _overlap(rule, table, low, high), day
    rule.calls.note(f"the window over {table} is read on its column {on}; both ends count")
    bounds = [] if low is None else [exp.GTE(this=day.copy(), expression=low)]
    return bounds + ([] if high is None else [exp.LTE(this=day.copy(), expression=high)]), day


def _overlap(rule: Translator, table: str, low: exp.Expr | None, high: exp.Expr | None) -> list[exp.Expr]:
    """Spells with at least one day in the window: the end day is the first day out, an empty end is still open."""
    lasts = f"a row of {table} lasts from start to the day before end (empty: still open)"
    rule.calls.note(f"{lasts} and counts if one of its days is in the window; both ends count")
    start = rule.calls.read(table, "start")
    end = rule.calls.read(table, "end") if rule.scope.kind(table, "end") == "date" else exp.cast(exp.null(), "DATE")
    is_open = exp.Is(this=end.copy(), expression=exp.null())
    parts = [wrap(exp.or_(is_open, exp.GT(this=end.copy(), expression=start.copy())))]
    if low is not None:
        parts.append(wrap(exp.or_(is_open.copy(), exp.GT(this=end.copy(), expression=low))))
    if high is not None:
        parts.append(exp.LTE(this=start.copy(), expression=high))
    return parts


def _date_column(rule: Translator, node: ast.Call, on: ast.expr | None, table: str) -> str | None:
    """The date column that on= names, or the one a table's rows are dated by."""
    if on is None:
        found = rule.scope.date_of(table)
        if found is None and not _is_blank(rule, table):
            rule.problem(node.args[0], f"table {table} has no column of dates, which this needs.", in_data=True)
        return found
    name = on.value if isinstance(on, ast.Constant) else on.id if isinstance(on, ast.Name) else None
    columns = rule.scope.tables[table].columns
    if name not in columns:
        rule.problem(on, f'"{rule.words(on)}" is not a column of {table}. {did_you_mean(str(name), columns)}'.strip())
        return None
    rule.table = table
    needed = rule.need(rule.column_named(str(name), on), "date", on, "on= names a column of dates")
    rule.table = None
    return str(name) if needed.kind == "date" and rule.scope.kind(table, str(name)) == "date" else None


def _is_blank(rule: Translator, table: str) -> bool:
    """Whether a table has no date because it has no rows, or none with a date: then nothing lies in any window."""
    others = [name for name in rule.scope.tables[table].columns if name != rule.scope.person]
    return any(rule.scope.kind(table, name) == "empty" for name in others)


def _ends(rule: Translator, node: ast.expr) -> tuple[int | None, int | None] | None:
    """The two whole numbers of a window; None in place of one: without limit."""
    ends = [_whole(part) for part in node.elts] if isinstance(node, ast.Tuple | ast.List) else []
    if len(ends) != 2 or any(end is False for end in ends):
        rule.problem(node, "a window has two whole numbers, such as (-365, 0); None stands for no limit.")
        return None
    low, high = ends
    if low is not None and high is not None and low > high:
        rule.problem(node, f"the window ends before it starts. Write ({high}, {low}).")
        return None
    return low, high  # type: ignore[return-value]


def _whole(node: ast.expr) -> int | bool | None:
    """A whole number as written, None for None, False for anything else."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        inner = _whole(node.operand)
        if inner is None or inner is False:
            return False
        return -inner if isinstance(node.op, ast.USub) else inner
    if not isinstance(node, ast.Constant):
        return False
    if node.value is None:
        return None
    number = node.value
    return number if isinstance(number, int) and not isinstance(number, bool) and abs(number) < 100_000 else False


def _count(rule: Translator, node: ast.Call) -> Value:
    asked = _ask(rule, node)
    if asked is None:
        return NOTHING
    rows = rule.calls.group(asked.table, exp.Count(this=exp.Star()), asked.rows)
    return Value(exp.Coalesce(this=rows, expressions=[ZERO.copy()]), "number", whole=True)


def _exists(rule: Translator, node: ast.Call) -> Value:
    counted = _count(rule, node)
    if counted is NOTHING:
        return NOTHING
    return Value(exp.GT(this=counted.sql, expression=ZERO.copy()), "yes or no")


def _end_of(descending: bool) -> Callable[[Translator, ast.Call], Value]:
    """first and last: the value in the row with the earliest or latest date; on one day, by the order of the file."""

    def make(rule: Translator, node: ast.Call) -> Value:
        asked = _ask(rule, node, of_column=True, dated=True)
        if asked is None or asked.day is None or asked.value.kind == "empty":
            return NOTHING
        keys = [exp.Ordered(this=key, desc=descending, nulls_first=False) for key in (asked.day, column(ORDER, "t"))]
        ordered = exp.First(this=exp.Order(this=asked.value.sql, expressions=keys))
        return Value(rule.calls.group(asked.table, ordered, asked.rows), asked.value.kind, asked.value.whole)

    return make


def _total(rule: Translator, node: ast.Call) -> tuple[_Asked, Value, exp.Expr] | None:
    """What is asked, its numbers and their sum; a sum of fractions does not depend on the order of the rows."""
    asked = _ask(rule, node, of_column=True)
    if asked is None:
        return None
    number = rule.need(asked.value, "number", node.args[1], "Only numbers can be added up")
    if number.kind == "empty":
        return None
    if number.whole:
        total = rule.calls.group(asked.table, exp.Sum(this=as_type(number.sql, "BIGINT")), asked.rows)
        return asked, number, as_type(total, "DOUBLE")
    ordered = exp.Order(this=number.sql, expressions=[exp.Ordered(this=number.sql.copy(), nulls_first=False)])
    values = rule.calls.group(asked.table, exp.ArrayAgg(this=ordered), asked.rows)
    return asked, number, exp.Anonymous(this="LIST_AGGREGATE", expressions=[values, exp.Literal.string("fsum")])


def _sum(rule: Translator, node: ast.Call) -> Value:
    """The sum of the values there are; 0 without a row, missing where there are rows and none has a value."""
    found = _total(rule, node)
    if found is None:
        return NOTHING
    asked, number, total = found
    rows = rule.calls.group(asked.table, exp.Count(this=exp.Star()), asked.rows)
    none = exp.EQ(this=exp.Coalesce(this=rows, expressions=[ZERO.copy()]), expression=ZERO.copy())
    return Value(exp.Case(ifs=[exp.If(this=none, true=ZERO.copy())], default=total), "number", number.whole)


def _mean(rule: Translator, node: ast.Call) -> Value:
    """The mean of the values there are; missing where there is none."""
    found = _total(rule, node)
    if found is None:
        return NOTHING
    asked, number, total = found
    counted = rule.calls.group(asked.table, exp.Count(this=number.sql.copy()), asked.rows)
    several = exp.func("NULLIF", counted, ZERO.copy())
    return Value(exp.Div(this=total, expression=several, typed=False, safe=False), "number")


@dataclass(frozen=True)
class Function:
    """One function of the language: how it is written, how many parts it takes, and what it makes."""

    usage: str
    least: int
    most: int
    make: Callable[[Translator, ast.Call], Value]
    asks_table: bool = False


WINDOW = "days=(a, b)"
FUNCTIONS: dict[str, Function] = {
    "age": Function("age(born, on): two dates", 2, 2, _age),
    "days": Function("days(from, to): two dates", 2, 2, _days),
    "months": Function("months(from, to): two dates", 2, 2, _months),
    "date": Function('date("2020-01-31"): one date as text', 1, 1, _date),
    "missing": Function("missing(x): one column or value", 1, 1, _missing),
    "column": Function('column("its name"): one name as text', 1, 1, _column),
    "exists": Function(
        f"exists(table, condition, {WINDOW}): condition and window may be left out", 1, 2, _exists, True
    ),
    "count": Function(f"count(table, condition, {WINDOW}): condition and window may be left out", 1, 2, _count, True),
    "first": Function(
        f"first(table, column, condition, {WINDOW}): condition and window may be left out", 2, 3, _end_of(False), True
    ),
    "last": Function(
        f"last(table, column, condition, {WINDOW}): condition and window may be left out", 2, 3, _end_of(True), True
    ),
    "sum": Function(f"sum(table, column, condition, {WINDOW}): condition and window may be left out", 2, 3, _sum, True),
    "mean": Function(
        f"mean(table, column, condition, {WINDOW}): condition and window may be left out", 2, 3, _mean, True
    ),
}
