"""What the names in a rule mean: the tables, their columns, the columns of the starting rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from evalkit.cohort.engines.base import Engine
from evalkit.cohort.held import Held, told_apart
from evalkit.cohort.kinds import Kind
from evalkit.cohort.placed import PlacedTable
from evalkit.study.counted import Followed

INDEX_DATE = "index_date"


@dataclass(frozen=True, eq=False)
class Scope:
    """All that a rule may name.

    Parameters
    ----------
    engine : Engine
        Where the rules run.
    person : str
        The column of person ids in every table.
    tables : dict of str to Held
        The tables by the names the rules use.
    origin : dict of str to str
        For each column of the starting rows, the table it comes from: the index row's, then people's.
    home : tuple of str
        The tables that starting rows come from: that of the index row, that of people.
    definitions : dict of str to str
        New columns of the cohort and named rules, and the rule that makes each.
    followed : Followed, optional
        From when until when a person can be seen.
    date : str
        The column of the index row that is the index date; empty with one fixed date.
    by_order : bool
        Whether a starting row is a row of the index table, found by its place; else a person, found by the id.
    """

    engine: Engine
    person: str
    tables: dict[str, Held]
    origin: dict[str, str] = field(default_factory=dict)
    home: tuple[str, ...] = ()
    definitions: dict[str, str] = field(default_factory=dict)
    followed: Followed | None = None
    date: str = ""
    by_order: bool = False

    @cached_property
    def whole_ids(self) -> bool:
        """Whether person ids are whole numbers in every table: then they are joined as such, which is faster."""
        theirs = [table for table in self.tables.values() if self.person in table.columns]
        return bool(theirs) and all(table.whole_ids for table in theirs)

    @cached_property
    def _start_names(self) -> dict[str, str]:
        return told_apart(self.origin)

    def kind(self, table: str | None, name: str) -> Kind:
        """What a column holds, judged by the whole table; None: a column of the starting rows."""
        return self.tables[table or self.origin[name]].kind(name)

    def whole(self, table: str | None, name: str) -> bool:
        """Whether a column of numbers holds whole numbers only."""
        return self.kind(table, name) == "number" and self.tables[table or self.origin[name]].whole(name)

    def sql_name(self, table: str | None, name: str) -> str:
        """A column's name in SQL."""
        return self._start_names[name] if table is None else self.tables[table].sql_name(name)

    def columns(self, table: str | None) -> Iterable[str]:
        """The columns that may be named of a table, or of the starting rows."""
        return self.origin if table is None else self.tables[table].columns

    def placed(self) -> list[PlacedTable]:
        """The tables that stay where they are."""
        return [table for table in self.tables.values() if isinstance(table, PlacedTable)]
