"""The rule language: one line in Python syntax, parsed, checked against a short list, and turned into SQL.

Nothing is ever evaluated. Missing values are answered in three values: a comparison with something missing is
neither yes nor no. Text compares by code point, `/` is real division and division by zero is missing.
"""

from __future__ import annotations

import ast
import datetime as dt
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from evalkit.cohort.calls import Calls, Window
from evalkit.cohort.engines.vocabulary import as_type, word, wrap
from evalkit.cohort.held import DATE, column, places
from evalkit.cohort.kinds import Kind
from evalkit.cohort.problems import HINTS, NOT_ALLOWED, Problem, character, one_line
from evalkit.cohort.scope import INDEX_DATE, Scope
from evalkit.errors import did_you_mean

SQL_TYPES = {"number": "DOUBLE", "text": "TEXT", "date": "DATE", "yes or no": "BOOLEAN"}
COMPARED = {ast.Lt: exp.LT, ast.LtE: exp.LTE, ast.Gt: exp.GT, ast.GtE: exp.GTE, ast.Eq: exp.EQ, ast.NotEq: exp.NEQ}
COMPUTED = {ast.Add: exp.Add, ast.Sub: exp.Sub, ast.Mult: exp.Mul}
LONGEST = 4000


@dataclass(frozen=True)
class Value:
    """Part of a rule as SQL, and what it gives.

    Parameters
    ----------
    sql : sqlglot.exp.Expr
        The expression.
    kind : {"number", "text", "date", "yes or no", "empty"}
        What it gives; "empty" agrees with anything.
    whole : bool
        A number that is always whole.
    literal : object
        The value of a literal, else None.
    column : tuple of (table or None, column), optional
        The column it is, where it is one.
    """

    sql: exp.Expr
    kind: Kind
    whole: bool = False
    literal: object = None
    column: tuple[str | None, str] | None = None


NOTHING = Value(exp.null(), "empty")


class Translator:
    """Turns one rule into SQL and keeps every problem it meets.

    Parameters
    ----------
    scope : Scope
        What names mean.
    calls : Calls
        Where aggregates over tables are collected.
    where : str
        The part of the study that holds the rule.
    rule : str
        The rule as written.
    defining : tuple of str
        New columns and named rules of whose definitions this rule is part: none may need itself.
    depth : int
        How many tables' conditions it already stands in.
    """

    def __init__(
        self, scope: Scope, calls: Calls, where: str, rule: str, defining: tuple[str, ...] = (), depth: int = 0
    ) -> None:
        self.scope, self.calls, self.where, self.rule = scope, calls, where, one_line(rule)
        self.defining, self.depth = defining, depth
        self.problems: list[Problem] = []
        self.inside: list[str] = []  # the tables in whose conditions the reading stands, the outer one first
        self.outer_read = False  # whether a condition of the inner table has named a column of the outer one's row
        self.births: list[exp.Expr] = []
        self.windows: list[Window] = []
        self.names_anything = False

    def translate(self, truth: bool = True) -> Value:
        """The whole rule; with ``truth`` it must be answerable by yes or no."""
        tree = self._parse()
        if tree is None:
            return NOTHING
        try:
            value = self.value(tree)
        except RecursionError:
            return self._at(0, "this is nested too deeply. Write two rules.")
        return self.need(value, "yes or no", tree, "A rule is answered by yes or no") if truth else value

    def _parse(self) -> ast.expr | None:
        """The rule as a tree, or a problem that says where reading stopped."""
        if not self.rule:
            self._at(0, "the rule is empty. Write a condition, or leave the rule out.")
            return None
        if len(self.rule) > LONGEST:
            self._at(0, f"the rule is longer than {LONGEST:,} characters. Write several rules.")
            return None
        try:
            return ast.parse(self.rule, mode="eval").body
        except SyntaxError as error:
            at = min(max((error.offset or 1) - 1, 0), len(self.rule))
            hint = next((hint for pattern, hint in HINTS if re.search(pattern, self.rule)), "")
            self._at(at, f"this cannot be read as a rule. {hint}".strip())
        except (ValueError, MemoryError, RecursionError):
            self._at(0, "this cannot be read as a rule.")
        return None

    def _at(self, at: int, finding: str, in_data: bool = False) -> Value:
        self.problems.append(Problem(self.where, self.rule, at, finding, in_data))
        return NOTHING

    def problem(self, node: ast.AST, finding: str, in_data: bool = False) -> Value:
        """Keep a finding about a node; the rest of the rule is still read."""
        return self._at(character(self.rule, node), finding, in_data)

    def words(self, node: ast.AST) -> str:
        """A node as the user wrote it."""
        return ast.get_source_segment(self.rule, node) or ""

    # ------------------------------------------------------------ parts of a rule

    def value(self, node: ast.AST) -> Value:
        """Any part of a rule as SQL."""
        reader = READERS.get(type(node))
        if reader is None:
            name = NOT_ALLOWED.get(type(node), "this")
            return self.problem(node, f"{name} is not part of the rule language.")
        return reader(self, node)

    def _constant(self, node: ast.Constant) -> Value:
        given = node.value
        if isinstance(given, bool):
            return Value(exp.true() if given else exp.false(), "yes or no", literal=given)
        if isinstance(given, int | float) and math.isfinite(given):
            whole = isinstance(given, int) and abs(given) < 2**63
            text = str(given) if whole else repr(float(given))
            sql = exp.Literal.number(text) if whole else as_type(exp.Literal.string(text), "DOUBLE")
            return Value(sql, "number", whole, given)
        if isinstance(given, str) and "\x00" not in given:
            return Value(exp.Literal.string(given), "text", literal=given)
        if given is None:
            return self.problem(node, "None is not a value here. Write missing(x) to ask whether x is missing.")
        return self.problem(node, f"{self.words(node)} is neither text, a number nor a date.")

    def _name(self, node: ast.Name) -> Value:
        return self.column_named(node.id, node)

    @property
    def table(self) -> str | None:
        """The table in whose condition the reading stands; None: the starting row."""
        return self.inside[-1] if self.inside else None

    def column_named(self, name: str, node: ast.AST) -> Value:
        """A column: of the tables asked about, else of the starting row, else a new column or a named rule."""
        scope = self.scope
        self.names_anything = True
        for place in range(len(self.inside), 0, -1):
            if name in scope.tables[self.inside[place - 1]].columns:
                self.outer_read |= place < len(self.inside)
                return self._column(self.inside[place - 1], name, place + self.depth)
        if name == INDEX_DATE:
            return Value(column(DATE, "i"), "date")
        if name in scope.origin:
            return self._column(None, name, 0)
        if name in scope.definitions:
            return self._defined(name, node)
        known = [*(one for table in self.inside for one in scope.columns(table)), *scope.origin, *scope.definitions]
        place_name = f"{self.table} or of the people" if self.table else "the index row or of people"
        hint = did_you_mean(name, [*known, INDEX_DATE])
        return self.problem(node, f'"{name}" is not a column of {place_name}. {hint}'.strip())

    def _column(self, table: str | None, name: str, level: int) -> Value:
        kind = self.scope.kind(table, name)
        if kind == "empty":
            return Value(exp.null(), "empty", column=(table, name))
        return Value(self.calls.read(table, name, level), kind, self.scope.whole(table, name), column=(table, name))

    def _defined(self, name: str, node: ast.AST) -> Value:
        """A new column or a named rule stands for its own rule, answered for the person and not for a table's row."""
        if name in self.defining:
            return self.problem(node, f'"{name}" needs itself. Define it by other columns.')
        inner = Translator(
            self.scope,
            self.calls,
            f"cohort definition {name}",
            self.scope.definitions[name],
            (*self.defining, name),
            self.depth + len(self.inside),
        )
        value = inner.translate(truth=False)
        self.problems += inner.problems
        self.births += inner.births
        self.windows += inner.windows
        return Value(wrap(value.sql), value.kind, value.whole)

    def _bool(self, node: ast.BoolOp) -> Value:
        parts = [wrap(self.truth(part).sql) for part in node.values]
        joined = exp.and_(*parts) if isinstance(node.op, ast.And) else exp.or_(*parts)
        return Value(wrap(joined), "yes or no")

    def _unary(self, node: ast.UnaryOp) -> Value:
        if isinstance(node.op, ast.Not):
            return Value(exp.Not(this=wrap(self.truth(node.operand).sql)), "yes or no")
        if not isinstance(node.op, ast.USub | ast.UAdd):
            return self.problem(node, "~ is not part of the rule language. Write not.")
        given = self.need(self.value(node.operand), "number", node.operand, "A sign stands before a number")
        if isinstance(node.op, ast.UAdd):
            return given
        literal = -given.literal if isinstance(given.literal, int | float) else None
        return Value(exp.Neg(this=wrap(given.sql)), "number", given.whole, literal)

    def truth(self, node: ast.AST) -> Value:
        """A part that must be answerable by yes or no."""
        return self.need(self.value(node), "yes or no", node, "and, or, not join conditions")

    def _compare(self, node: ast.Compare) -> Value:
        """A comparison; a chain a < b < c is a < b and b < c."""
        parts, left = [], node.left
        for op, right in zip(node.ops, node.comparators, strict=True):
            parts.append(
                self._membership(left, op, right) if isinstance(op, ast.In | ast.NotIn) else self._one(left, op, right)
            )
            left = right
        return Value(parts[0] if len(parts) == 1 else wrap(exp.and_(*parts)), "yes or no")

    def _one(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> exp.Expr:
        """One comparison of two parts of the same kind."""
        if isinstance(op, ast.Is | ast.IsNot):
            return self.problem(left, "is is not part of the rule language. Write missing(x), or == to compare.").sql
        a, b = self.alike(self.value(left), self.value(right), left, right)
        if a.kind == "yes or no" and not isinstance(op, ast.Eq | ast.NotEq):
            return self.problem(left, "yes and no have no order. Write == or !=, or the condition by itself.").sql
        return self._ordered(op, a, b)

    @staticmethod
    def _ordered(op: ast.cmpop, a: Value, b: Value) -> exp.Expr:
        """A comparison; text is put in order by code point, whatever an engine's language is set to."""
        by_code = a.kind == "text" and not isinstance(op, ast.Eq | ast.NotEq)
        left, right = (word("CODE", side.sql) if by_code else wrap(side.sql) for side in (a, b))
        return COMPARED[type(op)](this=left, expression=right)

    def _membership(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> exp.Expr:
        """x in (a, b), x not in (a, b); "part" in x asks whether text holds a part."""
        if not isinstance(right, ast.Tuple | ast.List | ast.Set):
            return self._part_of(left, op, right)
        if not right.elts:
            return self.problem(right, 'in needs a list of values: in ("a", "b").').sql
        one = self.value(left)
        values = [self.alike(one, self.value(item), left, item)[1].sql for item in right.elts]
        found = exp.In(this=wrap(one.sql), expressions=values)
        return exp.Not(this=wrap(found)) if isinstance(op, ast.NotIn) else found

    def _part_of(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> exp.Expr:
        """Whether one text stands somewhere in another."""
        if not (isinstance(left, ast.Constant) and isinstance(left.value, str)):
            hint = 'Whether text holds a part is asked by "part" in x.'
            return self.problem(right, f'in needs a list of values: in ("a", "b"). {hint}').sql
        text = self.need(self.value(right), "text", right, 'in needs a list of values: in ("a", "b"), or text')
        found = word("CONTAINS", text.sql, self.value(left).sql)
        return exp.Not(this=found) if isinstance(op, ast.NotIn) else found

    def _arithmetic(self, node: ast.BinOp) -> Value:
        """+ - * / on numbers; a date plus or minus days; the days between two dates."""
        if isinstance(node.op, ast.BitAnd | ast.BitOr):
            return self.problem(node, "& and | are not part of the rule language. Write and, or.")
        if not isinstance(node.op, ast.Add | ast.Sub | ast.Mult | ast.Div):
            return self.problem(node, "only + - * / are part of the rule language.")
        a, b = self.value(node.left), self.value(node.right)
        if a.kind == "date" and isinstance(node.op, ast.Add | ast.Sub):
            return self._date_arithmetic(node, a, b)
        a = self.need(a, "number", node.left, "Arithmetic needs numbers")
        b = self.need(b, "number", node.right, "Arithmetic needs numbers")
        x, y = as_type(a.sql, "DOUBLE"), as_type(b.sql, "DOUBLE")
        if isinstance(node.op, ast.Div):
            return Value(
                exp.Div(this=x, expression=exp.func("NULLIF", y, exp.Literal.number(0)), typed=False, safe=False),
                "number",
            )
        return Value(wrap(COMPUTED[type(node.op)](this=x, expression=y)), "number", a.whole and b.whole)

    def _date_arithmetic(self, node: ast.BinOp, a: Value, b: Value) -> Value:
        if b.kind in {"date", "text"} and isinstance(node.op, ast.Sub):
            return days_between(self.need(b, "date", node.right, "A date is subtracted from a date"), a)
        b = self.need(b, "number", node.right, "A date moves by a number of days")
        if not b.whole and b.kind != "empty":
            return self.problem(node.right, "a date moves by a whole number of days.")
        return Value(moved_days(a.sql, exp.Neg(this=wrap(b.sql)) if isinstance(node.op, ast.Sub) else b.sql), "date")

    def _call(self, node: ast.Call) -> Value:
        from evalkit.cohort.functions import call

        return call(self, node)

    # ------------------------------------------------------------ like with like

    def alike(self, a: Value, b: Value, left: ast.AST, right: ast.AST) -> tuple[Value, Value]:
        """Both sides as one kind: text beside a date is read as an ISO date."""
        if a.kind == "date" and b.kind == "text":
            return a, self.need(b, "date", right, "Dates compare with dates")
        if b.kind == "date" and a.kind == "text":
            return self.need(a, "date", left, "Dates compare with dates"), b
        if "empty" in (a.kind, b.kind) or a.kind == b.kind:
            return a, b
        if {a.kind, b.kind} == {"text", "number"}:
            side, value = (left, a) if a.kind == "text" else (right, b)
            if value.column is not None and self._spoilt(side, value, "number"):
                return NOTHING, NOTHING
        self.problem(right, f"{self._holds(left, a)} and {self._holds(right, b)}: they cannot be compared.")
        return NOTHING, NOTHING

    def need(self, value: Value, kind: Kind, node: ast.AST, why: str) -> Value:
        """A value of the kind that is needed, or a problem."""
        if value.kind == kind:
            return value
        if value.kind == "empty":
            return Value(as_type(value.sql, SQL_TYPES[kind]), kind)
        if kind == "date" and isinstance(value.literal, str):
            return self.date_literal(value.literal, node)
        if value.column is not None and value.kind == "text" and self._spoilt(node, value, kind):
            return NOTHING
        return self.problem(node, f"{why}, and {self._holds(node, value)}.")

    def date_literal(self, text: str, node: ast.AST) -> Value:
        """A date written as text."""
        try:
            day = dt.datetime.strptime(text, "%Y-%m-%d").date() if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else None
        except ValueError:
            day = None
        if day is None:
            return self.problem(node, f'"{text}" is not a date. Write year-month-day, such as "2020-01-31".')
        return Value(as_type(exp.Literal.string(day.isoformat()), "DATE"), "date", literal=day)

    def _holds(self, node: ast.AST, value: Value) -> str:
        """What a part gives, in words."""
        verb = "is" if value.literal is not None else "holds" if value.column else "gives"
        noun = {"number": "a number", "text": "text", "date": "a date", "yes or no": "yes or no", "empty": "nothing"}
        plural = {"number": "numbers", "date": "dates"}
        words = plural.get(value.kind, noun[value.kind]) if value.column else noun[value.kind]
        return f"{self.words(node)} {verb} {words}"

    def _spoilt(self, node: ast.AST, value: Value, kind: Kind) -> bool:
        """Whether a text column would be dates or numbers but for some values: then the data are wrong."""
        if kind not in {"date", "number"}:
            return False
        table, name = value.column or (None, "")
        home = table or self.scope.origin[name]
        total, wrong, first = self.scope.tables[home].not_of_kind(name, kind)
        if wrong * 2 > total:
            return False
        needed = "dates (year-month-day)" if kind == "date" else "numbers"
        found = f"{places(first, wrong)} of table {home}, column {name}, hold something else: mend the table"
        self.problem(node, f"{name} should hold {needed}; {found}.", in_data=True)
        return True


def days_between(start: Value, end: Value) -> Value:
    """Days from one date to another."""
    return Value(word("DAYS_BETWEEN", start.sql, end.sql), "number", whole=True)


def moved_days(day: exp.Expr, by: exp.Expr) -> exp.Expr:
    """A date moved by a whole number of days."""
    fixed = isinstance(by, exp.Literal) or (isinstance(by, exp.Neg) and isinstance(by.this, exp.Literal))
    return word("PLUS_DAYS", day, by if fixed else as_type(by, "INT"))


READERS: dict[type[ast.AST], Callable[[Translator, Any], Value]] = {
    ast.Constant: Translator._constant,
    ast.Name: Translator._name,
    ast.BoolOp: Translator._bool,
    ast.UnaryOp: Translator._unary,
    ast.Compare: Translator._compare,
    ast.BinOp: Translator._arithmetic,
    ast.Call: Translator._call,
}
