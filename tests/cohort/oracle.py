"""The rule language a second time, in plain Python, to hold the engines to.

Written from the words of docs/reference/rules.md and from nothing else: it shares no line with evalkit. A missing
value is None, unknown is None, a row is a dict, a table is a list of rows in the order of the file.
"""

from __future__ import annotations

import ast
import calendar
import datetime as dt
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

Row = dict[str, Any]
COMPARED = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
COMPUTED = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


# ---------------------------------------------------------------- three values


def negation(a: bool | None) -> bool | None:
    return None if a is None else not a


def all_hold(truths: list[bool | None]) -> bool | None:
    return False if False in truths else None if None in truths else True


def any_holds(truths: list[bool | None]) -> bool | None:
    return True if True in truths else None if None in truths else False


# ---------------------------------------------------------------- the calendar


def plus_months(day: dt.date, months: int) -> dt.date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def shifted(day: dt.date, unit: str, n: int | None) -> dt.date | None:
    if n is None:
        return None
    return plus_months(day, n) if unit == "months" else day + dt.timedelta(days=n)


def birthdays(born: dt.date, on: dt.date) -> int:
    """Completed birthdays; a year without 29 February has that birthday on 1 March."""
    leapling = (born.month, born.day) == (2, 29)
    on_day = (3, 1) if leapling and not calendar.isleap(on.year) else (born.month, born.day)
    return on.year - born.year - ((on.month, on.day) < on_day)


def whole_months(start: dt.date, end: dt.date) -> int:
    """The largest number of months by which start can be moved without passing end."""
    n = (end.year - start.year) * 12 + end.month - start.month + 1
    while plus_months(start, n) > end:
        n -= 1
    return n


# ---------------------------------------------------------------- rules


@dataclass(frozen=True)
class World:
    """Everything a rule may ask about.

    ``tables`` are all the tables but that of the index rows; ``dates`` names, per table, its columns of dates in
    their order; ``ties`` says what first and last take among rows of one day: "file" or "value".
    """

    tables: dict[str, list[Row]]
    dates: dict[str, list[str]]
    person: str = "person"
    rules: dict[str, str] = field(default_factory=dict)
    followed: dict[str, list[str]] = field(default_factory=dict)
    ties: str = "file"

    def answer(self, rule: str, row: Row, on: dt.date) -> Any:
        """What a rule gives for one index row."""
        return Reading(self, (row,), on).value(ast.parse(rule, mode="eval").body)


@dataclass(frozen=True)
class Reading:
    """A rule read at one place: the rows that names mean, the inner one first, and the index date."""

    world: World
    rows: tuple[Row, ...]
    on: dt.date

    def value(self, node: ast.AST) -> Any:
        return getattr(self, f"_{type(node).__name__.lower()}")(node)

    def _constant(self, node: ast.Constant) -> Any:
        return node.value

    def _name(self, node: ast.Name) -> Any:
        return self.named(node.id)

    def named(self, name: str) -> Any:
        for row in self.rows:
            if name in row:
                return row[name]
        if name == "index_date":
            return self.on
        return replace(self, rows=self.rows[-1:]).value(ast.parse(self.world.rules[name], mode="eval").body)

    def _boolop(self, node: ast.BoolOp) -> bool | None:
        truths = [self.value(part) for part in node.values]
        return all_hold(truths) if isinstance(node.op, ast.And) else any_holds(truths)

    def _unaryop(self, node: ast.UnaryOp) -> Any:
        given = self.value(node.operand)
        if isinstance(node.op, ast.Not):
            return negation(given)
        return None if given is None else -given if isinstance(node.op, ast.USub) else given

    def _compare(self, node: ast.Compare) -> bool | None:
        sides = [node.left, *node.comparators]
        return all_hold([self._link(a, op, b) for a, op, b in zip(sides, node.ops, node.comparators, strict=False)])

    def _link(self, left: ast.AST, op: ast.cmpop, right: ast.AST) -> bool | None:
        if isinstance(op, ast.NotIn):
            return negation(self._link(left, ast.In(), right))
        a = self.value(left)
        if isinstance(op, ast.In) and isinstance(right, ast.Tuple | ast.List):
            return any_holds([compared(operator.eq, a, self.value(item)) for item in right.elts])
        b = self.value(right)
        if isinstance(op, ast.In):
            return None if a is None or b is None else a in b
        return compared(COMPARED[type(op)], a, b)

    def _binop(self, node: ast.BinOp) -> Any:
        a, b = self.value(node.left), self.value(node.right)
        if a is None or b is None or (isinstance(node.op, ast.Div) and b == 0):
            return None
        if isinstance(a, dt.date):
            if isinstance(b, dt.date | str):
                return (a - as_day(b)).days
            return COMPUTED[type(node.op)](a, dt.timedelta(days=b))
        return COMPUTED[type(node.op)](a, b)

    def _call(self, node: ast.Call) -> Any:
        name = node.func.id  # type: ignore[attr-defined]
        if name in ON_ROWS:
            return getattr(self, f"_of_{name}")(node, self._rows_asked(node, name))
        if name == "followed":
            return self._followed(node)
        if name == "column":
            return self.named(ast.literal_eval(node.args[0]))
        given = [self.value(part) for part in node.args]
        if name == "missing":
            return given[0] is None
        return None if None in given else PLAIN[name](*given)

    # ------------------------------------------------------------ rows of a table

    def _rows_asked(self, node: ast.Call, name: str) -> list[Row]:
        """The person's rows that meet condition and window, in the order of the file."""
        table = node.args[0].id  # type: ignore[attr-defined]
        conditions = node.args[1:] if name in ("exists", "count") else node.args[2:]
        me = self.rows[-1][self.world.person]
        mine = [row for row in self.world.tables[table] if row[self.world.person] == me]
        seen = [row for row in mine if self._in_window(node, table, row)]
        return [row for row in seen if all(self._inside(row).value(one) is True for one in conditions)]

    def _inside(self, row: Row) -> Reading:
        return replace(self, rows=(row, *self.rows))

    def _in_window(self, node: ast.Call, table: str, row: Row) -> bool:
        given = {key.arg: key.value for key in node.keywords}
        unit = next((unit for unit in ("days", "months") if unit in given), None)
        if unit is None:
            return True
        low, high = (shifted(self.on, unit, n) for n in ast.literal_eval(given[unit]))
        if "on" not in given and {"start", "end"} <= set(self.world.dates[table]):
            return spell_within(row["start"], row["end"], low, high)
        day = row[self._dated_by(node, table)]
        return day is not None and (low is None or day >= low) and (high is None or day <= high)

    def _dated_by(self, node: ast.Call, table: str) -> str:
        for key in node.keywords:
            if key.arg == "on":
                return ast.literal_eval(key.value)
        dates = self.world.dates[table]
        return next(name for name in ("date", "start", *dates) if name in dates)

    def _of_exists(self, node: ast.Call, rows: list[Row]) -> bool:
        return bool(rows)

    def _of_count(self, node: ast.Call, rows: list[Row]) -> int:
        return len(rows)

    def _values(self, node: ast.Call, rows: list[Row]) -> list[Any]:
        return [self._inside(row).value(node.args[1]) for row in rows]

    def _of_sum(self, node: ast.Call, rows: list[Row]) -> float | None:
        known = [value for value in self._values(node, rows) if value is not None]
        return math.fsum(known) if known else None if rows else 0

    def _of_mean(self, node: ast.Call, rows: list[Row]) -> float | None:
        known = [value for value in self._values(node, rows) if value is not None]
        return math.fsum(known) / len(known) if known else None

    def _of_first(self, node: ast.Call, rows: list[Row]) -> Any:
        return self._end(node, rows, min, 0)

    def _of_last(self, node: ast.Call, rows: list[Row]) -> Any:
        return self._end(node, rows, max, -1)

    def _end(self, node: ast.Call, rows: list[Row], most: Callable[[list], Any], place: int) -> Any:
        on = self._dated_by(node, node.args[0].id)  # type: ignore[attr-defined]
        dated = [row for row in rows if row[on] is not None]
        if not dated:
            return None
        day = most([row[on] for row in dated])
        values = self._values(node, [row for row in dated if row[on] == day])
        if self.world.ties == "file":
            return values[place]
        known = [value for value in values if value is not None]
        return most(known) if known else None

    # ------------------------------------------------------------ the person

    def _followed(self, node: ast.Call) -> bool:
        key = node.keywords[0]
        given = ast.literal_eval(key.value)
        low, high = given if isinstance(given, tuple) else (min(given, 0), max(given, 0))
        start, end = shifted(self.on, str(key.arg), low), shifted(self.on, str(key.arg), high)
        since = self._limits("since")
        until = self._limits("until")
        assert start is not None
        assert end is not None
        return all(start >= day for day in since) and all(end <= day for day in until)

    def _limits(self, which: str) -> list[dt.date]:
        told = self.world.followed.get(which, [])
        found = [dt.date.fromisoformat(one) if one[:1].isdigit() else self.named(one) for one in told]
        return [day for day in found if day is not None]


ON_ROWS = ("exists", "count", "sum", "mean", "first", "last")
PLAIN: dict[str, Callable[..., Any]] = {
    "age": lambda born, on: birthdays(as_day(born), as_day(on)),
    "days": lambda a, b: (as_day(b) - as_day(a)).days,
    "months": lambda a, b: whole_months(as_day(a), as_day(b)),
    "date": lambda text: as_day(text),
    "startswith": lambda text, prefix: text.startswith(prefix),
}


def as_day(given: dt.date | str) -> dt.date:
    return dt.date.fromisoformat(given) if isinstance(given, str) else given


def compared(test: Callable[[Any, Any], bool], a: Any, b: Any) -> bool | None:
    if a is None or b is None:
        return None
    if isinstance(a, dt.date) or isinstance(b, dt.date):
        a, b = as_day(a), as_day(b)
    return test(a, b)


def spell_within(start: dt.date | None, end: dt.date | None, low: dt.date | None, high: dt.date | None) -> bool:
    """Whether one of the days from start until the day before end lies in the window."""
    if start is None or (end is not None and end <= start):
        return False
    ends_after = low is None or end is None or end > low
    return ends_after and (high is None or start <= high)
