"""`exists`, `count`, `first`, `last`, `sum`, `mean`: what they ask of a person's rows of a table.

Inside a table's condition one other table may be asked about. There a name is first a column of the inner table, then
of the outer table's row, then of the starting row; where the outer row is named, the answer is one for each such row.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlglot import exp

from evalkit.cohort.calls import Pass, Window, conjuncts
from evalkit.cohort.engines.vocabulary import as_type, word, wrap
from evalkit.cohort.held import DATE, column
from evalkit.cohort.language import NOTHING, Translator, Value, moved_days
from evalkit.errors import did_you_mean

ZERO = exp.Literal.number(0)
SPELLS = "start to end"
DEEPEST = 2  # tables in whose conditions a rule may stand
MOST = 100_000  # days or months of a window


@dataclass(frozen=True)
class _Asked:
    """What a call asks of a table: what of each row, and of which rows, in which grouped pass."""

    group: Pass
    value: Value
    rows: exp.Expr | None
    day: exp.Expr | None
    level: int
    span: tuple[exp.Expr, int, int] | None = None

    @property
    def table(self) -> str:
        return self.group.table


def _ask(rule: Translator, node: ast.Call, of_column: bool = False, dated: bool = False) -> _Asked | None:
    """Read table, value, condition and window of a call; None, with a problem kept, where that fails."""
    table = _table_name(rule, node.args[0])
    if table is None:
        return None
    before, rule.outer_read = rule.outer_read, False
    outer = rule.inside[-1] if rule.inside else ""
    rule.inside.append(table)
    level = rule.depth + len(rule.inside)
    try:
        value = rule.value(node.args[1]) if of_column else NOTHING
        conditions = [wrap(rule.truth(part).sql) for part in node.args[2 if of_column else 1 :]]
        window, day = _window(rule, node, table, dated)
        _end_today(rule, table, conditions)
    finally:
        rule.inside.pop()
    by_row, rule.outer_read = rule.outer_read, before
    rows = [*conditions, *window]
    if of_column and dated and day is not None:
        rows.append(exp.Not(this=exp.Is(this=day.copy(), expression=exp.null())))
    inside = "" if level < DEEPEST else outer if by_row else "any"
    group = Pass(table, inside, by_row)
    return _Asked(group, value, exp.and_(*rows) if rows else None, day, level, _span(rule, day))


def _table_name(rule: Translator, node: ast.expr) -> str | None:
    if rule.depth + len(rule.inside) >= DEEPEST:
        rule.problem(
            node, "a table cannot be asked about inside the condition of a table inside another's. Write two rules."
        )
        return None
    name = node.id if isinstance(node, ast.Name) else node.value if isinstance(node, ast.Constant) else None
    if isinstance(name, str) and name in rule.scope.tables:
        held = rule.scope.tables[name]
        if rule.scope.person in held.columns:
            return name
        known = did_you_mean(rule.scope.person, held.columns)
        rule.problem(
            node, f'table {name} has no column "{rule.scope.person}", which says whose row it is. {known}', in_data=True
        )
        return None
    rule.problem(
        node, f'"{rule.words(node)}" is not a table of the study. {did_you_mean(str(name), rule.scope.tables)}'.strip()
    )
    return None


def _end_today(rule: Translator, table: str, conditions: list[exp.Expr]) -> None:
    """A condition such as seen <= index_date ends the rows looked at there, as a window would."""
    window = rule.windows[-1] if rule.windows else None
    if window is None or window.table != table or window.high is not None:
        return
    ends = [column(DATE, "i")]
    if len(rule.inside) > 1 and (outer := rule.scope.tables[rule.inside[-2]]).date is not None:
        # Bounded by the outer row's own date, which has a window of its own.
        ends.append(column(outer.sql_name(str(outer.date)), "t"))
    for part in (inner for condition in conditions for inner in conjuncts(condition)):
        if isinstance(part, exp.LT | exp.LTE) and part.expression in ends and isinstance(part.this, exp.Column):
            rule.windows[-1] = replace(window, high=0)


def _span(rule: Translator, day: exp.Expr | None) -> tuple[exp.Expr, int, int] | None:
    """Days from the index date outside which no row can lie in the window just read."""
    window = rule.windows[-1] if rule.windows and day is not None else None
    if window is None or window.low is None or window.high is None or window.on == SPELLS:
        return None
    least, most = (28, 31) if window.unit == "months" else (1, 1)
    low, high = (
        n * (most if out else least) for n, out in ((window.low, window.low < 0), (window.high, window.high > 0))
    )
    return day, low, high  # type: ignore[return-value]


# ---------------------------------------------------------------- windows


def _window(rule: Translator, node: ast.Call, table: str, dated: bool) -> tuple[list[exp.Expr], exp.Expr | None]:
    """The conditions of days= or months=, and the date the rows are read on."""
    given = {key.arg: key.value for key in node.keywords}
    units = [unit for unit in ("days", "months") if unit in given]
    if len(units) == 2:
        rule.problem(given["months"], "a window is given in days= or in months=, not in both.")
        return [], None
    if not units and not dated and "on" not in given:
        _whole_table(rule, table)
        return [], None
    on = _date_column(rule, node, given.get("on"), table)
    if on is None:
        rule.windows.append(Window(table, "", "", None, 0))  # there is nothing in it to be looked at
        return ([exp.false()] if _is_blank(rule, table) else []), None
    day = rule.calls.read(table, on, rule.depth + len(rule.inside))
    if not units:
        rule.calls.note(f"rows of {table} are dated by {on}")
        rule.windows.append(Window(table, on, "", None, None))
        return [], day
    ends = window_ends(rule, given[units[0]])
    if ends is None:
        return [], day
    low, high = (None if n is None else bound(rule, n, units[0]) for n in ends)
    spells = "on" not in given and rule.scope.tables[table].is_spells
    rule.windows.append(Window(table, SPELLS if spells else on, units[0], *ends))
    if spells:
        return _overlap(rule, table, low, high), day
    rule.calls.note(f"the window over {table} is read on its column {on}; both ends count")
    bounds = [] if low is None else [exp.GTE(this=day.copy(), expression=low)]
    return bounds + ([] if high is None else [exp.LTE(this=day.copy(), expression=high)]), day


def _whole_table(rule: Translator, table: str) -> None:
    """A call without a window sees every row of the person, also those after the index date."""
    on = rule.scope.tables[table].date
    if on is not None:
        rule.windows.append(Window(table, on, "", None, None))


def bound(rule: Translator, n: int, unit: str) -> exp.Expr:
    """An end of a window as a date.

    Parameters
    ----------
    rule : Translator
        The rule it stands in.
    n : int
        Days or months from the index date.
    unit : {"days", "months"}
        Months clamp to the month's end.

    Returns
    -------
    sqlglot.exp.Expr
        Months are worked out once per starting row.
    """
    if n == 0:
        return column(DATE, "i")
    return moved_days(column(DATE, "i"), exp.convert(n)) if unit == "days" else rule.calls.bound(n)


def _overlap(rule: Translator, table: str, low: exp.Expr | None, high: exp.Expr | None) -> list[exp.Expr]:
    """Spells with at least one day in the window: the end day is the first day out, an empty end is still open."""
    lasts = f"a row of {table} lasts from start to the day before end (empty: still open)"
    rule.calls.note(f"{lasts} and counts if one of its days is in the window; both ends count")
    level = rule.depth + len(rule.inside)
    start = rule.calls.read(table, "start", level)
    dated = rule.scope.kind(table, "end") == "date"
    end = rule.calls.read(table, "end", level) if dated else exp.cast(exp.null(), "DATE")
    is_open = exp.Is(this=end.copy(), expression=exp.null())
    parts = [wrap(exp.or_(is_open, exp.GT(this=end.copy(), expression=start.copy())))]
    if high is None:
        parts.append(start.copy().is_(exp.null()).not_())  # a row that does not say when it began is in no window
    if low is not None:
        parts.append(wrap(exp.or_(is_open.copy(), exp.GT(this=end.copy(), expression=low))))
    if high is not None:
        parts.append(exp.LTE(this=start.copy(), expression=high))
    return parts


def _date_column(rule: Translator, node: ast.Call, on: ast.expr | None, table: str) -> str | None:
    """The date column that on= names, or the one a table's rows are dated by."""
    held = rule.scope.tables[table]
    if on is None:
        if held.date is None and not _is_blank(rule, table):
            rule.problem(node.args[0], f"table {table} has no column of dates, which this needs.", in_data=True)
        return held.date
    name = on.value if isinstance(on, ast.Constant) else on.id if isinstance(on, ast.Name) else None
    if name not in held.columns:
        hint = did_you_mean(str(name), held.columns)
        rule.problem(on, f'"{rule.words(on)}" is not a column of {table}. {hint}'.strip())
        return None
    needed = rule.need(rule.column_named(str(name), on), "date", on, "on= names a column of dates")
    return str(name) if needed.kind == "date" and held.kind(str(name)) == "date" else None


def _is_blank(rule: Translator, table: str) -> bool:
    """Whether a table has no date because it has no rows, or because a column has no value and all others are no dates.

    A column of text that could hold dates written in another order is no such thing: then the data are wrong.
    """
    held = rule.scope.tables[table]
    others = [name for name in held.columns if name != rule.scope.person]
    if not held.rows or all(held.kind(name) == "empty" for name in others):
        return True
    return any(held.kind(name) == "empty" for name in others) and not any(held.kind(name) == "text" for name in others)


def window_ends(rule: Translator, node: ast.expr) -> tuple[int | None, int | None] | None:
    """Read the two whole numbers of a window.

    Parameters
    ----------
    rule : Translator
        The rule it stands in, which keeps the problem where there is one.
    node : ast.expr
        As written: (-365, 0); None in place of a number: without limit.

    Returns
    -------
    tuple of two (int or None), or None
        None where it is no window.
    """
    ends = [whole(part) for part in node.elts] if isinstance(node, ast.Tuple | ast.List) else []
    if len(ends) != 2 or any(end is False for end in ends):
        rule.problem(node, "a window has two whole numbers, such as (-365, 0); None stands for no limit.")
        return None
    low, high = ends
    if low is not None and high is not None and low > high:
        rule.problem(node, f"the window ends before it starts. Write ({high}, {low}).")
        return None
    return low, high  # type: ignore[return-value]


def whole(node: ast.expr) -> int | bool | None:
    """Read a whole number as written.

    Parameters
    ----------
    node : ast.expr
        A number, with or without a sign, or None.

    Returns
    -------
    int, None or False
        None for None, False for anything that is no whole number of days or months.
    """
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        inner = whole(node.operand)
        if inner is None or inner is False:
            return False
        return -inner if isinstance(node.op, ast.USub) else inner
    if not isinstance(node, ast.Constant):
        return False
    if node.value is None:
        return None
    number = node.value
    return number if isinstance(number, int) and not isinstance(number, bool) and abs(number) < MOST else False


# ---------------------------------------------------------------- the functions


def count(rule: Translator, node: ast.Call) -> Value:
    """How many rows."""
    asked = _ask(rule, node)
    if asked is None:
        return NOTHING
    rows = rule.calls.group(asked.group, exp.Count(this=exp.Star()), asked.rows, asked.span)
    return Value(exp.Coalesce(this=rows, expressions=[ZERO.copy()]), "number", whole=True)


def exists(rule: Translator, node: ast.Call) -> Value:
    """Whether there is a row."""
    counted = count(rule, node)
    if counted is NOTHING:
        return NOTHING
    return Value(exp.GT(this=counted.sql, expression=ZERO.copy()), "yes or no")


def end_of(name: str) -> Callable[[Translator, ast.Call], Value]:
    """first and last: the value in the row with the earliest or latest date; on one day, by the order of the file."""

    def make(rule: Translator, node: ast.Call) -> Value:
        asked = _ask(rule, node, of_column=True, dated=True)
        if asked is None or asked.day is None or asked.value.kind == "empty":
            return NOTHING
        value = asked.value.sql
        if rule.scope.tables[asked.table].has_places:
            tie: exp.Expr = rule.calls.order(asked.table, asked.level)
        else:
            tie = word("CODE", value.copy()) if asked.value.kind == "text" else value.copy()
        box = rule.calls.group(asked.group, word(name, value, asked.day, tie), asked.rows, asked.span)
        return Value(word("UNBOX", box), asked.value.kind, asked.value.whole)

    return make


def _total(rule: Translator, node: ast.Call) -> tuple[_Asked, Value, exp.Expr] | None:
    """What is asked, its numbers and their sum; a sum of fractions does not depend on the order of the rows."""
    asked = _ask(rule, node, of_column=True)
    if asked is None:
        return None
    number = rule.need(asked.value, "number", node.args[1], "Only numbers can be added up")
    if number.whole:
        total = rule.calls.group(asked.group, exp.Sum(this=as_type(number.sql, "BIGINT")), asked.rows, asked.span)
        return asked, number, as_type(total, "DOUBLE")
    values = rule.calls.group(asked.group, word("VALUES", number.sql), asked.rows, asked.span)
    return asked, number, word("TOTAL", values)


def sum_of(rule: Translator, node: ast.Call) -> Value:
    """The sum of the values there are; 0 without a row, missing where there are rows and none has a value."""
    found = _total(rule, node)
    if found is None:
        return NOTHING
    asked, number, total = found
    rows = rule.calls.group(asked.group, exp.Count(this=exp.Star()), asked.rows, asked.span)
    none = exp.EQ(this=exp.Coalesce(this=rows, expressions=[ZERO.copy()]), expression=ZERO.copy())
    return Value(
        exp.Case(ifs=[exp.If(this=none, true=as_type(ZERO.copy(), "DOUBLE"))], default=total), "number", number.whole
    )


def mean(rule: Translator, node: ast.Call) -> Value:
    """The mean of the values there are; missing where there is none."""
    found = _total(rule, node)
    if found is None:
        return NOTHING
    asked, number, total = found
    counted = rule.calls.group(asked.group, exp.Count(this=number.sql.copy()), asked.rows, asked.span)
    several = exp.func("NULLIF", as_type(counted, "DOUBLE"), as_type(ZERO.copy(), "DOUBLE"))
    return Value(exp.Div(this=total, expression=several, typed=False, safe=False), "number")
