"""The few words that each engine says in its own way; all other SQL is written once and translated by sqlglot.

A statement is built from these words (``EK_...``) and turned into an engine's own SQL last of all. So what differs
between engines stands in one place, side by side, and a test can hold the engines to each other.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

PREFIX = "EK_"
Words = dict[str, Callable[..., exp.Expr]]


def word(name: str, *parts: exp.Expr | str | int) -> exp.Anonymous:
    """A word of the vocabulary.

    Parameters
    ----------
    name : str
        As an engine's list has it.
    *parts : Expression, str or int
        What it is said of; numbers and text become literals.

    Returns
    -------
    sqlglot.exp.Anonymous
        To be replaced by `spoken`.
    """
    return exp.Anonymous(this=PREFIX + name, expressions=[exp.convert(part) for part in parts])


def spoken(query: exp.Expr, words: Words) -> exp.Expr:
    """Replace every word by what an engine says for it.

    Parameters
    ----------
    query : sqlglot.exp.Expr
        A statement or a part of one; it is left as it is.
    words : dict of str to callable
        An engine's own way of each word.

    Returns
    -------
    sqlglot.exp.Expr
        A new expression without words of the vocabulary.
    """
    root = exp.Paren(this=query.copy())
    for node in reversed(list(root.find_all(exp.Anonymous, bfs=True))):
        if str(node.this).startswith(PREFIX):
            node.replace(words[str(node.this).removeprefix(PREFIX)](*node.expressions))
    return root.this


def wrap(value: exp.Expr) -> exp.Expr:
    """Brackets around a part of an expression, where they could matter."""
    atomic = exp.Column | exp.Literal | exp.Cast | exp.Func | exp.Paren | exp.Boolean | exp.Null
    joined = exp.And | exp.Or
    return value if isinstance(value, atomic) and not isinstance(value, joined) else exp.paren(value)


def as_type(value: exp.Expr, to: str) -> exp.Expr:
    """A cast."""
    return exp.cast(value, to)


def call(name: str, *parts: exp.Expr) -> exp.Anonymous:
    """A function of an engine by its own name."""
    return exp.Anonymous(this=name, expressions=list(parts))


def plus(day: exp.Expr, days: exp.Expr) -> exp.Expr:
    """A date moved by days, where an engine adds whole numbers to dates."""
    return exp.paren(exp.Add(this=wrap(day), expression=wrap(days)))


def minus(start: exp.Expr, end: exp.Expr) -> exp.Expr:
    """The days between two dates, where an engine subtracts dates."""
    return exp.paren(exp.Sub(this=wrap(end), expression=wrap(start)))


def finite(day: exp.Expr) -> exp.Expr:
    """A day, missing where it is endless, for engines that know such days ("until further notice")."""
    return exp.Case(ifs=[exp.If(this=call("ISFINITE", day), true=day.copy())])


def no_day(day: exp.Expr) -> exp.Expr:
    """Whether `finite` gives no day; so written, a parquet file's statistics tell without its rows being read."""
    return exp.or_(day.is_(exp.null()), day.copy().isin("infinity", "-infinity"))


def same(value: exp.Expr) -> exp.Expr:
    """The value as it is, where an engine needs no word."""
    return value


def row_number(*keys: exp.Expr) -> exp.Expr:
    """The place of a row, from 1, in the order of some columns, missing values last; without columns, in any order."""
    order = exp.Order(expressions=[exp.Ordered(this=key, nulls_first=False) for key in keys])
    return exp.Window(this=exp.RowNumber(), order=order if keys else None)


def literal(part: exp.Expr) -> int | str:
    """What a literal of a word says.

    Parameters
    ----------
    part : sqlglot.exp.Expr
        A literal, or a literal with a sign.

    Returns
    -------
    int or str
        Its value.
    """
    if isinstance(part, exp.Neg):
        return -int(part.this.name)
    return int(part.name) if isinstance(part, exp.Literal) and not part.is_string else part.name
