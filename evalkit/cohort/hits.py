"""Many questions about one table: its rows are joined once, and then grouped kind by kind.

The cost of a grouped pass is rows times questions. Where rules ask for `kind == "..."` again and again, the rows that
can matter to any of them are set aside once, and each kind's questions are asked of its own rows only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from sqlglot import exp

from evalkit.cohort.calls import Aggregate, Asked, Calls, Pass, conjuncts
from evalkit.cohort.engines.vocabulary import word
from evalkit.cohort.held import DATE, ORDER, ROW, column, short
from evalkit.cohort.sql import START, belongs, relation

ENOUGH = 8  # aggregates of one pass from which on setting rows aside costs less than it saves


def set_aside(calls: Calls) -> None:
    """Split passes with many aggregates by the value that their conditions ask a column for.

    Parameters
    ----------
    calls : Calls
        Its passes are replaced; the engine gets a table of the rows set aside.
    """
    for one in [one for one, asked in calls.passes.items() if len(asked) > ENOUGH and not one.inside]:
        asked = calls.passes[one]
        key = _key(asked.values())
        if key is not None:
            _split(calls, one, asked, key)


def _equalities(rows: exp.Expr | None) -> dict[str, exp.Literal]:
    """What a condition wants columns of the table to be."""
    found = {}
    for part in conjuncts(rows):
        is_value = isinstance(part, exp.EQ) and isinstance(part.expression, exp.Literal)
        if is_value and isinstance(part.this, exp.Column) and part.this.table == "t":
            found[part.this.name] = part.expression
    return found


def _key(asked: Iterable[Aggregate]) -> str | None:
    """The column that most of the conditions want to have a certain value."""
    asked = list(asked)
    counts = Counter(name for one in asked for name in _equalities(one.rows))
    name, count = max(counts.items(), key=lambda item: (item[1], item[0]), default=("", 0))
    return name if count * 2 >= len(asked) else None


def _split(calls: Calls, one: Pass, asked: Asked, key: str) -> None:
    """Put the aggregates of each value into a pass of their own over the rows set aside."""
    parts: dict[str, Asked] = {}
    values: dict[str, exp.Literal] = {}
    for text, aggregate in asked.items():
        value = _equalities(aggregate.rows).get(key)
        label = value.sql() if value is not None else ""
        parts.setdefault(label, {})[text] = aggregate
        if value is not None:
            values[label] = value
    aside = f"_aside of {short(one.table)}"
    _make(calls, one, aside, key, {label: (values[label], parts[label].values()) for label in values})
    del calls.passes[one]
    for place, (label, theirs) in enumerate(parts.items(), start=1):
        part = Pass(one.table, part=place, source=aside if label else "")
        calls.passes[part] = theirs
        calls.moved |= {(one.alias, aggregate.name): part.alias for aggregate in theirs.values()}


def _make(
    calls: Calls, one: Pass, aside: str, key: str, wanted: dict[str, tuple[exp.Literal, Iterable[Aggregate]]]
) -> None:
    """The rows that can matter to any aggregate: of each value those within the widest of its windows."""
    names = [calls.scope.sql_name(one.table, name) for name in sorted(calls.used.get(one.table, ()))]
    names += [ORDER] if one.table in calls.ordered else []
    rows = exp.select(column(ROW, "i"), *(column(name, "t") for name in names))
    rows = rows.from_(exp.alias_(exp.to_table(START, quoted=True), "i"))
    rows = rows.join(relation(calls, one.table, "t"), on=belongs("t"))
    near = [_near(column(key, "t").eq(value.copy()), list(asked)) for value, asked in wanted.values()]
    calls.scope.engine.make(aside, rows.where(exp.or_(*near, wrap=True)))


def _near(is_value: exp.Expr, asked: list[Aggregate]) -> exp.Expr:
    """Rows of one value within the widest window; where a call has no limit, or dates differ, of any day."""
    spans = [one.span for one in asked]
    days = {span[0].sql() for span in spans if span is not None}
    if len(days) != 1 or any(span is None for span in spans):
        return is_value
    low, high = min(span[1] for span in spans if span), max(span[2] for span in spans if span)
    day = spans[0][0]  # type: ignore[index]
    first, last = (word("PLUS_DAYS", column(DATE, "i"), n) for n in (low, high))
    return exp.and_(is_value, exp.GTE(this=day.copy(), expression=first), exp.LTE(this=day.copy(), expression=last))
