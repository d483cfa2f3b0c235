"""The SQL that answers rules: one grouped pass over each table, joined to the starting rows.

Every rule over a table is answered in the same pass, so that fifty rules cost little more than six. Where a table's
condition asks about a second table, that one has a pass of its own before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlglot import exp

from evalkit.cohort.calls import Aggregate, Calls, Pass
from evalkit.cohort.engines.vocabulary import word
from evalkit.cohort.held import DATE, EPISODE, ORDER, PERSON, ROW, column
from evalkit.cohort.scope import Scope

START = "_start"
KNOWN = "_known"  # whether the table of people has the person of an index row


def relation(calls: Calls, table: str, alias: str) -> exp.Expr:
    """A table's columns that the statement reads, and no others.

    Parameters
    ----------
    calls : Calls
        What the statement needs.
    table : str
        The table.
    alias : str
        Its name in the statement.

    Returns
    -------
    sqlglot.exp.Expr
        To be put into a FROM or a JOIN.
    """
    held = calls.scope.tables[table]
    wanted = sorted(calls.used.get(table, ()))
    return exp.alias_(held.relation(wanted, calls.scope.whole_ids, table in calls.ordered), alias, table=True)


def _depends(asked: Iterable[Aggregate], passes: Iterable[Pass]) -> list[Pass]:
    """The passes that the conditions and values of another pass refer to."""
    named = {
        node.table
        for one in asked
        for part in (one.total, one.rows)
        if part is not None
        for node in part.find_all(exp.Column)
    }
    return [one for one in passes if one.alias in named]


def belongs(alias: str) -> exp.Expr:
    """Rows of a table belong to the starting rows of their person."""
    return exp.EQ(this=column(PERSON, alias), expression=column(PERSON, "i"))


def _any_of(asked: Iterable[Aggregate]) -> exp.Expr | None:
    """What a row must meet to count in any aggregate, so that no other row is grouped; None where any row may."""
    rows = [one.rows for one in asked]
    if any(condition is None for condition in rows):
        return None
    different = {condition.sql(): condition.copy() for condition in rows if condition is not None}
    return exp.or_(*different.values(), wrap=True) if len(different) > 1 else next(iter(different.values()))


def grouped(calls: Calls, one: Pass) -> exp.Select:
    """One pass over a table: every aggregate any rule asked of it, per starting row.

    Parameters
    ----------
    calls : Calls
        What the statement needs.
    one : Pass
        Which pass.

    Returns
    -------
    sqlglot.exp.Select
        A column per aggregate.
    """
    asked = list(calls.passes[one].values())
    keys = [column(ROW, "i"), *([column(ORDER, "t")] if one.by_row else [])]
    where = _any_of(asked)
    # One condition for all: the rows are chosen before they are grouped.
    alone = len({a.rows.sql() for a in asked if a.rows is not None}) == 1 and where is not None
    chosen = [exp.alias_(a.total.copy() if alone else a.filtered, a.name, quoted=True) for a in asked]
    query = exp.select(*keys, *chosen).from_(exp.alias_(exp.to_table(START, quoted=True), "i"), copy=False)
    if one.by_row:
        query = query.join(relation(calls, one.inside, "t"), on=belongs("t"), copy=False)
    if one.source:
        aside = exp.alias_(exp.to_table(one.source, quoted=True), one.level)
        query = query.join(aside, on=column(ROW, one.level).eq(column(ROW, "i")), copy=False)
    else:
        query = query.join(relation(calls, one.table, one.level), on=belongs(one.level), copy=False)
    query = beside(query, asked, calls)
    chosen_rows = query if where is None else query.where(where, copy=False)
    return chosen_rows.group_by(*(key.copy() for key in keys), copy=False)


def beside(query: exp.Select, asked: Iterable[Aggregate], calls: Calls) -> exp.Select:
    """Join to a pass the answers of those passes that its own conditions refer to.

    Parameters
    ----------
    query : sqlglot.exp.Select
        The pass.
    asked : iterable of Aggregate
        What it asks.
    calls : Calls
        All passes.

    Returns
    -------
    sqlglot.exp.Select
        The same with joins.
    """
    for other in _depends(asked, calls.passes):
        table = exp.Table(this=exp.to_identifier(other.alias, quoted=True))
        query = query.join(table, on=_same_key(other), join_type="left")
    return query


def _same_key(other: Pass) -> exp.Expr:
    """How the answers of a pass are joined: by starting row and, where it has one answer per row, by that row."""
    row = exp.EQ(this=column(ROW, other.alias), expression=column(ROW, "i"))
    if not other.by_row:
        return row
    return exp.and_(row, exp.EQ(this=column(ORDER, other.alias), expression=column(ORDER, "t")))


def statement(calls: Calls, answers: dict[str, exp.Expr], also: Iterable[exp.Expr] = ()) -> exp.Select:
    """Write one statement that answers everything asked, a row per starting row.

    Parameters
    ----------
    calls : Calls
        What the answers need from the tables.
    answers : dict of str to Expression
        Column name of each answer and the expression that gives it.
    also : iterable of Expression
        Columns of the starting rows to be passed on.

    Returns
    -------
    sqlglot.exp.Select
        In no dialect yet.
    """
    chosen = [exp.alias_(_where_moved(calls, value), name, quoted=True) for name, value in answers.items()]
    query = exp.select(column(ROW, "i"), column(PERSON, "i"), *also, *chosen)
    query = query.from_(exp.alias_(exp.to_table(START, quoted=True), "i"), copy=False)
    for one in sorted(calls.passes, key=lambda one: not one.inside):  # those inside others' conditions come before them
        query = query.with_(exp.to_identifier(one.alias, quoted=True), as_=grouped(calls, one), copy=False)
        if not one.inside:
            table = exp.Table(this=exp.to_identifier(one.alias, quoted=True))
            query = query.join(table, on=_same_key(one), join_type="left", copy=False)
    return query


def _where_moved(calls: Calls, value: exp.Expr) -> exp.Expr:
    """An answer that refers to the parts of passes that were split."""
    found = exp.Paren(this=value.copy())
    for node in found.find_all(exp.Column) if calls.moved else ():
        alias = calls.moved.get((node.table, node.name))
        if alias:
            node.set("table", exp.to_identifier(alias, quoted=True))
    return found.this


def starting_rows(calls: Calls, picked: exp.Expr) -> exp.Select:
    """The picked rows with those columns of the index row and of people that the statement reads.

    Parameters
    ----------
    calls : Calls
        What the statement needs.
    picked : Expression
        The picked rows, a table or a subquery: _row, _person, _index_date, _order, _episode.

    Returns
    -------
    sqlglot.exp.Select
        One row per picked row.
    """
    scope = calls.scope
    wanted = sorted(calls.used.get(None, ()))
    keys = [column(name, "p") for name in (ROW, PERSON, DATE, ORDER, EPISODE)]
    known = column(PERSON, f"h{len(scope.home) - 1}").is_(exp.null()).not_() if len(scope.home) > 1 else exp.true()
    keys.append(known.as_(KNOWN, quoted=True))  # type: ignore[arg-type]
    bounds = [word("PLUS_MONTHS", column(DATE, "p"), n).as_(name, quoted=True) for name, n in calls.bounds.items()]
    chosen = [
        column(scope.tables[scope.origin[name]].sql_name(name), _alias(scope, name)).as_(
            scope.sql_name(None, name), quoted=True
        )
        for name in wanted
    ]
    query = exp.select(*keys, *bounds, *chosen).from_(exp.alias_(picked.copy(), "p", table=True))
    for place, table in enumerate(scope.home):
        theirs = [name for name in wanted if scope.origin[name] == table]
        by_order = scope.by_order and place == 0
        key = column(ORDER if by_order else PERSON, "p")
        if theirs or place:
            source = scope.tables[table].relation(theirs, scope.whole_ids, order=by_order)
            on = exp.EQ(this=column(key.name, f"h{place}"), expression=key)
            query = query.join(exp.alias_(source, f"h{place}", table=True), on=on, join_type="left")
    return query


def _alias(scope: Scope, name: str) -> str:
    return f"h{scope.home.index(scope.origin[name])}"


def self_contained(query: exp.Select, made: Mapping[str, exp.Expr]) -> exp.Select:
    """A statement with all that its own tables were made from before it, so that it runs by itself.

    Parameters
    ----------
    query : sqlglot.exp.Select
        A statement.
    made : dict of str to Expression
        Tables of the session, and the statement that made each.

    Returns
    -------
    sqlglot.exp.Select
        The same with common table expressions in front.
    """
    before: dict[str, exp.Expr] = {}

    def need(part: exp.Expr) -> None:
        for table in part.find_all(exp.Table):
            if not table.db and table.name in made and table.name not in before:
                need(made[table.name])
                before[table.name] = made[table.name]

    need(query)
    own = [cte.copy() for cte in query.ctes]
    whole = query.copy()
    whole.set("with_", None)
    for name, part in before.items():
        whole = whole.with_(exp.to_identifier(name, quoted=True), as_=part.copy(), copy=False)
    for cte in own:
        whole = whole.with_(exp.to_identifier(cte.alias, quoted=True), as_=cte.this, copy=False)
    return whole


def written(text: str, heading: list[str]) -> str:
    """Write SQL for a reader, with comment lines above it.

    Parameters
    ----------
    text : str
        The statement.
    heading : list of str
        One line each.

    Returns
    -------
    str
        SQL that runs as it stands.
    """
    lines = [f"-- {line}" for one in heading for line in one.splitlines()]
    return "\n".join([*lines, text])
