"""What the names in a rule mean: the tables, their columns, and which date of a table a window is read on."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from evalkit.cohort.kinds import Kind, kind_of

ROW, PERSON, DATE, ORDER = "_row", "_person", "_index_date", "_order"
INDEX_DATE = "index_date"


@dataclass(frozen=True, eq=False)
class Scope:
    """All that a rule may name.

    Parameters
    ----------
    person : str
        The column of person ids in every table.
    tables : dict of str to DataFrame
        The prepared tables.
    start : DataFrame
        One row per candidate: the index row with the person's columns of people beside it.
    origin : dict of str to str
        For each column of ``start``, the table it came from.
    definitions : dict of str to str
        New columns of the cohort and the rule that makes each.
    """

    person: str
    tables: dict[str, pd.DataFrame]
    start: pd.DataFrame
    origin: dict[str, str]
    definitions: dict[str, str] = field(default_factory=dict)
    _kinds: dict[tuple[str | None, str], Kind] = field(default_factory=dict, repr=False)

    def frame(self, table: str | None) -> pd.DataFrame:
        """The table of that name; None: the starting rows."""
        return self.start if table is None else self.tables[table]

    def kind(self, table: str | None, column: str) -> Kind:
        """What a column holds; None: a column of the starting rows."""
        key = (table, column)
        if key not in self._kinds:
            # A candidate's column is judged by the whole table, so that a rule means the same for a few people.
            home = self.origin.get(column) if table is None else table
            source = self.tables[home] if home in self.tables and column in self.tables[home] else self.frame(table)
            self._kinds[key] = kind_of(source[column])
        return self._kinds[key]

    def sql_name(self, table: str | None, column: str) -> str:
        """The column's name in SQL, where names that differ only in case are the same."""
        earlier = list(self.frame(table).columns)
        place = earlier.index(column)
        twins = sum(str(name).casefold() == str(column).casefold() for name in earlier[:place])
        return f"{column}_{twins + 1}" if twins else str(column)

    def date_columns(self, table: str) -> list[str]:
        """The columns of a table that hold dates."""
        return [str(name) for name in self.frame(table).columns if self.kind(table, name) == "date"]

    def is_spells(self, table: str) -> bool:
        """Whether each row of a table lasts from ``start`` until ``end`` (still open where that is empty)."""
        columns = self.frame(table).columns
        if not {"start", "end"} <= set(columns):
            return False
        return self.kind(table, "start") == "date" and self.kind(table, "end") in {"date", "empty"}

    def date_of(self, table: str) -> str | None:
        """The date of a row where the rule does not say: its only one, else "date", else "start", else the first."""
        dates = self.date_columns(table)
        named = [name for name in ("date", "start") if name in dates]
        return next(iter([*named, *dates]), None)
