"""What the rules ask of the tables: grouped passes, the columns they read, the windows they look at."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp

from evalkit.cohort.held import DATE, ORDER, column, short
from evalkit.cohort.scope import Scope

ALIASES = ("i", "t", "u")  # the starting rows, the rows of a table, those of a table asked about inside its condition


@dataclass(frozen=True)
class Pass:
    """One grouped pass over a table.

    Parameters
    ----------
    table : str
        The table.
    inside : str
        The table in whose condition it is asked about; empty where it is asked about directly.
    by_row : bool
        Whether the answer is one per row of that table, rather than one per starting row.
    part : int
        Which part of a pass that was split; 0 where it was not.
    source : str
        The engine's table of rows set aside, already joined to their starting rows; empty: the table itself.
    """

    table: str
    inside: str = ""
    by_row: bool = False
    part: int = 0
    source: str = ""

    @property
    def alias(self) -> str:
        """Its name in the statement."""
        if self.by_row:
            return f"_in {short(f'{self.table} for each of {self.inside}')}"
        part = f", part {self.part}" if self.part else ""
        return f"_{'in' if self.inside else 'of'} {short(self.table)}{part}"

    @property
    def level(self) -> str:
        """The alias of its rows."""
        return ALIASES[2 if self.inside else 1]


@dataclass(frozen=True)
class Window:
    """The days around the index date that a call looks at; no limit where low or high is None.

    Parameters
    ----------
    table : str
        The table looked at, or "followed".
    on : str
        The column by which its rows are dated; empty where the whole table is looked at.
    unit : {"days", "months", ""}
        What low and high count; "" where the call gives no window.
    low, high : int or None
        Ends, both included.
    """

    table: str
    on: str
    unit: str
    low: int | None
    high: int | None

    @property
    def is_past(self) -> bool:
        """Whether it ends by the index date."""
        return self.high is not None and self.high <= 0


@dataclass(frozen=True)
class Aggregate:
    """One thing asked of a person's rows of a table.

    Parameters
    ----------
    name : str
        Its column in the grouped pass.
    total : Expression
        The aggregate.
    rows : Expression or None
        Over which rows; None: all.
    span : tuple of (Expression, int, int) or None
        The rows' date and days from the index date outside which no row counts; None: any day may count.
    """

    name: str
    total: exp.Expr
    rows: exp.Expr | None
    span: tuple[exp.Expr, int, int] | None = None

    @property
    def filtered(self) -> exp.Expr:
        """The aggregate over its rows."""
        if self.rows is None:
            return self.total.copy()
        return exp.Filter(this=self.total.copy(), expression=exp.Where(this=self.rows.copy()))


Asked = dict[str, Aggregate]


@dataclass
class Calls:
    """What one statement needs from the tables.

    Parameters
    ----------
    scope : Scope
        What names mean.

    Notes
    -----
    ``passes`` holds, per grouped pass, each aggregate once, with the condition on its rows; ``used`` the columns read
    per table (None: the starting rows); ``ordered`` the tables whose rows must have a place; ``bounds`` the ends of
    windows in months, worked out once per starting row; ``notes`` what an auditor must know and the SQL does not say;
    ``moved`` the parts of split passes in which an answer now stands.
    """

    scope: Scope
    passes: dict[Pass, Asked] = field(default_factory=dict)
    used: dict[str | None, set[str]] = field(default_factory=dict)
    ordered: set[str] = field(default_factory=set)
    bounds: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    moved: dict[tuple[str, str], str] = field(default_factory=dict)

    def read(self, table: str | None, name: str, level: int = 0) -> exp.Column:
        """A column of a table, or of the starting rows (level 0)."""
        if table is None and name == self.scope.date:
            return column(DATE, ALIASES[0])
        self.used.setdefault(table, set()).add(name)
        return column(self.scope.sql_name(table, name), ALIASES[level])

    def order(self, table: str, level: int) -> exp.Column:
        """The place of a row in its file."""
        self.ordered.add(table)
        return column(ORDER, ALIASES[level])

    def bound(self, months: int) -> exp.Column:
        """The index date moved by months."""
        name = f"_{abs(months)} months {'before' if months < 0 else 'after'}"
        self.bounds[name] = months
        return column(name, ALIASES[0])

    def group(
        self, one: Pass, total: exp.Expr, rows: exp.Expr | None, span: tuple[exp.Expr, int, int] | None = None
    ) -> exp.Column:
        """The result of an aggregate over rows of a table, as a column of its grouped pass."""
        self.used.setdefault(one.table, set())
        if one.by_row:
            self.used.setdefault(one.inside, set())
            self.ordered.add(one.inside)
        known = self.passes.setdefault(one, {})
        key = f"{total.sql()} | {rows.sql() if rows is not None else ''}"
        if key not in known:
            known[key] = Aggregate(f"v{len(known) + 1}", total, rows, span)
        return column(known[key].name, one.alias)

    def note(self, text: str) -> None:
        """Remember a sentence for the head of the SQL, once."""
        if text not in self.notes:
            self.notes.append(text)

    def number_rows(self) -> None:
        """Give the rows of a table a place where a rule needs one and the table has none at hand."""
        for name in sorted(self.ordered):
            self.scope.tables[name].number_rows(sorted(self.used.get(name, ())), self.scope.whole_ids)


def conjuncts(condition: exp.Expr | None) -> list[exp.Expr]:
    """Take a condition apart into those that must all hold.

    Parameters
    ----------
    condition : sqlglot.exp.Expr or None
        A condition; None for none.

    Returns
    -------
    list of sqlglot.exp.Expr
        Without brackets around them.
    """
    if condition is None:
        return []
    inner = condition.unnest()
    return [*conjuncts(inner.left), *conjuncts(inner.right)] if isinstance(inner, exp.And) else [inner]
