"""Who starts: the rows that may count a person in, picked inside the engine."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from evalkit.cohort.answers import PICKED
from evalkit.cohort.checks import how_many
from evalkit.cohort.engines.base import Engine
from evalkit.cohort.engines.vocabulary import as_type, word
from evalkit.cohort.held import DATE, EPISODE, ORDER, PERSON, ROW, Held, column
from evalkit.cohort.scope import Scope
from evalkit.cohort.sql import START
from evalkit.cohort.starters import check_plan, fixed_date, flag_blank, named, people_table
from evalkit.errors import Flag
from evalkit.study.counted import CohortPlan

KEYS = (PERSON, DATE, ORDER)


@dataclass(frozen=True, eq=False)
class Start:
    """Who starts.

    Parameters
    ----------
    scope : Scope
        What a rule may name.
    says : str
        Who they are, for the flow.
    pick : str
        How a person's row was chosen; empty with one fixed date.
    several : bool
        Whether a person may have several rows of which the first eligible one counts.
    picked : Expression
        The rows that may count, a subquery or a table of the engine: _row, _person, _index_date, _order, _episode.
    flags : list of Flag
        What was seen on the way.
    """

    scope: Scope
    says: str
    pick: str
    several: bool
    picked: exp.Expr
    flags: list[Flag]


def find_start(plan: CohortPlan, engine: Engine, tables: dict[str, Held], where: str) -> Start:
    """Find everyone who starts, and the row that counts.

    Parameters
    ----------
    plan : CohortPlan
        Who is counted.
    engine : Engine
        Where the tables are.
    tables : dict of str to Held
        The tables.
    where : str
        The study or definition, for messages.

    Returns
    -------
    Start
        With pick "first" or "last" one row per person; with "first eligible" and "every" perhaps several.

    Raises
    ------
    StudyError
        The plan names a table that is not there, or no date.
    DataError
        A person stands twice among people, or an index row belongs to nobody; columns or dates are missing.
    """
    people, index = people_table(plan, tables, where), plan.index.table
    home = str(index or people)
    scope = _scope(plan, engine, tables, home, people)
    check_plan(plan, scope, people, where)
    says = f"people in {home}"
    flags = flag_blank(scope, home)
    if index is None:
        day = as_type(exp.Literal.string(fixed_date(plan, where).date().isoformat()), "DATE")
        order = as_type(exp.null(), "BIGINT")
        rows = named(scope, home, []).select(day.as_(DATE, quoted=True), order.as_(ORDER, quoted=True))
        return Start(
            scope,
            says,
            "",
            False,
            _numbered(rows.select(exp.convert(1).as_(EPISODE, quoted=True)), whole_ids=scope.whole_ids),
            flags,
        )
    tables[index].number_rows(tables[index].columns, scope.whole_ids)
    if plan.index.pick == "every":
        says, pick = f"person-episodes in {home}", _every(plan, scope)
        return Start(scope, says, pick, False, exp.to_table(PICKED, quoted=True), flags)
    several = plan.index.pick == "first eligible"
    return Start(scope, says, _pick_says(plan), several, _numbered(_rank(plan, scope), several, scope.whole_ids), flags)


def _scope(plan: CohortPlan, engine: Engine, tables: dict[str, Held], home: str, people: str | None) -> Scope:
    """What names mean: the columns of the index row, then those of people it has not."""
    origin = dict.fromkeys(tables[home].columns, home) if home in tables else {}
    if people is not None and people != home:
        origin |= {name: people for name in tables[people].columns if name not in origin}
    homes = tuple(dict.fromkeys(name for name in (home, people) if name is not None))
    named = {**plan.rules, **plan.columns}
    date = str(plan.index.date) if plan.index.table else ""
    return Scope(engine, plan.person, tables, origin, homes, named, plan.followed, date, bool(date))


def _numbered(rows: exp.Query, several: bool = False, whole_ids: bool = False) -> exp.Subquery:
    """The picked rows, each with a number: where a person has one row and a whole number for an id, that number."""
    if whole_ids and not several:
        place: exp.Expr = column(PERSON, "r")
    else:
        place = word("ROW_ID", *(column(name, "r") for name in KEYS if several))
    chosen = [column(name, "r") for name in (*KEYS, EPISODE)]
    return exp.select(place.as_(ROW, quoted=True), *chosen).from_(rows.subquery("r")).subquery()


# ---------------------------------------------------------------- first, last, first eligible


def _ranked(plan: CohortPlan, scope: Scope) -> exp.Select:
    """Every index row with its place among those of its person, rows without a date last."""
    index, last = str(plan.index.table), plan.index.pick == "last"
    date = column(scope.tables[index].sql_name(str(plan.index.date)), "t")
    order = column(ORDER, "t")
    keys = exp.Order(expressions=[exp.Ordered(this=key.copy(), desc=last, nulls_first=False) for key in (date, order)])
    person = [column(PERSON, "t")]
    place = exp.Window(this=exp.RowNumber(), partition_by=person, order=keys)
    following = exp.Window(this=exp.Lead(this=date.copy()), partition_by=[person[0].copy()], order=keys.copy())
    rows = named(scope, index, [str(plan.index.date)], order=True)
    return rows.select(
        date.as_(DATE, quoted=True), order, place.as_("_n", quoted=True), following.as_("_next", quoted=True)
    )


def _rank(plan: CohortPlan, scope: Scope) -> exp.Select:
    """The row of each person that counts, or all dated rows of which the first eligible one will."""
    chosen: exp.Expr = column("_n").eq(1)
    if plan.index.pick == "first eligible":
        chosen = exp.or_(chosen, column(DATE).is_(exp.null()).not_())
    tied = exp.and_(column("_n").eq(1), column("_next").eq(column(DATE)))
    # There is one episode; a tie is remembered as 2 until it has been counted.
    episode = exp.Case(ifs=[exp.If(this=tied, true=exp.convert(2))], default=exp.convert(1))
    rows = exp.select(*(column(name) for name in KEYS), episode.as_(EPISODE, quoted=True))
    return rows.from_(_ranked(plan, scope).subquery("q")).where(chosen)


def flag_start(plan: CohortPlan, scope: Scope) -> list[Flag]:
    """Caveats on how rows were picked, by the starting rows just made: ties, and people who count more than once.

    Parameters
    ----------
    plan : CohortPlan
        The plan.
    scope : Scope
        The tables and the engine.

    Returns
    -------
    list of Flag
        At most one.
    """
    if plan.index.table is None:
        return []
    people = exp.Count(this=exp.Distinct(expressions=[column(PERSON)])).as_("n")
    query = exp.select(people).from_(exp.to_table(START, quoted=True)).where(column(EPISODE) > 1)
    twice = int(scope.engine.fetch(query)["n"].iloc[0])
    if not twice:
        return []
    if plan.index.pick == "every":
        text = f"{how_many(twice, 'person counts', 'people count').capitalize()} in more than one episode."
        detail = "Episodes of one person are not independent: intervals must count the person as a cluster."
        return [Flag("cohort", "caution", text, detail, "index")]
    who = how_many(twice, "person", "people").capitalize()
    text = f"{who} have more than one row of {plan.index.table} on the index date."
    keep = "last" if plan.index.pick == "last" else "first"
    by = "in the order of the file" if scope.tables[str(plan.index.table)].has_places else "by the values of the row"
    return [Flag("cohort", "caution", text, f"The {keep} of them {by} was taken.", str(plan.index.table))]


def _pick_says(plan: CohortPlan) -> str:
    index = plan.index
    if index.pick == "first eligible":
        return f"has a date in {index.date}; the first row of {index.table} that meets every rule counts"
    return f"{index.pick} row of {index.table} by {index.date}"


# ---------------------------------------------------------------- every


def _every(plan: CohortPlan, scope: Scope) -> str:
    """Person-episodes: the first row counts, then each that lies far enough from the last one counted."""
    index, engine = plan.index, scope.engine
    table = scope.tables[str(index.table)]
    extra = [index.exit] if index.exit else []
    rows = named(scope, table.name, [str(index.date), *extra], order=True)
    date = column(table.sql_name(str(index.date)), "t")
    since = column(table.sql_name(index.exit), "t") if index.exit else date
    gap = max(index.gap_days, 1) if index.exit else index.gap_days
    keys = exp.Order(expressions=[exp.Ordered(this=k, nulls_first=False) for k in (date.copy(), column(ORDER, "t"))])
    place = exp.Window(this=exp.RowNumber(), partition_by=[column(PERSON, "t")], order=keys)
    free = word("PLUS_DAYS", since.copy(), gap)
    chosen = [
        date.as_(DATE, quoted=True),
        column(ORDER, "t"),
        place.as_("_n", quoted=True),
        free.as_("_free", quoted=True),
    ]
    engine.make("_dated", rows.select(*chosen))
    parts, n = [], 0
    while not n or engine.count(exp.select(column(PERSON)).from_(f'"_round {n}"')):
        n += 1
        engine.make(f"_round {n}", _round(n))
        parts.append(
            exp.select(*(column(name) for name in KEYS), exp.convert(n).as_(EPISODE, quoted=True)).from_(
                f'"_round {n}"'
            )
        )
    rounds = exp.union(*parts, distinct=False) if len(parts) > 1 else parts[0]
    engine.make(PICKED, exp.select("*").from_(_numbered(rounds, several=True).as_("n")))
    for name in ("_dated", *(f"_round {one}" for one in range(1, n + 1))):
        engine.drop(name)
    after = f"{gap} days or more after " + ("the exit from " if index.exit else "") + "the last one counted"
    return f"every row of {index.table} by {index.date}, {after}"


def _round(n: int) -> exp.Select:
    """The next row of each person that lies far enough from the last one counted."""
    every = [column(name, "d") for name in (*KEYS, "_n", "_free")]
    rows = exp.select(*every).from_(exp.alias_(exp.to_table("_dated", quoted=True), "d"))
    if n == 1:
        return rows.where(column("_n", "d").eq(1))
    later = exp.and_(
        column(PERSON, "d").eq(column(PERSON, "l")),
        column(DATE, "d") >= column("_free", "l"),
        column("_n", "d") > column("_n", "l"),
    )
    following = (
        exp.select(column(PERSON, "d"), exp.Min(this=column("_n", "d")).as_("_n", quoted=True))
        .from_(exp.alias_(exp.to_table("_dated", quoted=True), "d"))
        .join(exp.alias_(exp.to_table(f"_round {n - 1}", quoted=True), "l"), on=later)
        .group_by(column(PERSON, "d"))
    )
    same = exp.and_(column(PERSON, "d").eq(column(PERSON, "f")), column("_n", "d").eq(column("_n", "f")))
    return rows.join(following.subquery("f"), on=same)
