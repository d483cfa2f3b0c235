"""A table as the rules see it: what its columns hold, and how a statement reads them.

A small table is a DataFrame in memory. A large file or a table of a database stays where it is: what its columns
hold is asked of the engine, column by column and only when a rule names it.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable
from functools import cached_property

import pandas as pd
from sqlglot import exp

from evalkit.cohort.engines.base import Engine
from evalkit.cohort.kinds import Kind, as_arrow, as_dates, is_whole, kind_of, prepare
from evalkit.errors import DataError
from evalkit.words import listed, number

ROW, PERSON, DATE, ORDER, EPISODE = "_row", "_person", "_index_date", "_order", "_episode"
SHOWN = 5  # rows named in a message
LONG = 40  # bytes of a name


def column(name: str, table: str = "") -> exp.Column:
    """A quoted column, of an aliased table if one is given."""
    return exp.column(name, table=table or None, quoted=True)


def places(found: Iterable[int], count: int) -> str:
    """Name rows: how many, and the first few as a spreadsheet numbers them (the header is row 1).

    Parameters
    ----------
    found : iterable of int
        Places of the first rows, from 0.
    count : int
        How many there are.

    Returns
    -------
    str
        "3 rows (5, 17 and 20)"; without places "3 rows".
    """
    lines = [str(int(place) + 2) for place in list(found)[:SHOWN]]
    shown = listed(lines) if count <= SHOWN else f"{', '.join(lines)}, ..."
    return f"{number(count, 0)} {'row' if count == 1 else 'rows'}" + (f" ({shown})" if lines else "")


def told_apart(names: Iterable[str]) -> dict[str, str]:
    """Names in SQL, where those that differ only in case are the same and _ begins the cohort's own.

    Parameters
    ----------
    names : iterable of str
        Columns or tables, each once.

    Returns
    -------
    dict of str to str
        A name of its own for each.
    """
    taken: set[str] = set()
    found = {}
    for name in names:
        plain = name.lstrip("_") or "x"
        plain = plain if len(plain.encode()) <= LONG else short(plain)
        wanted, number = plain, 1
        while wanted.casefold() in taken:
            number += 1
            wanted = f"{plain}_{number}"
        taken.add(wanted.casefold())
        found[name] = wanted
    return found


def short(name: str) -> str:
    """Shorten a table's name, so that what is named after it is told apart where an engine cuts names after 63 bytes.

    Parameters
    ----------
    name : str
        As the study has it.

    Returns
    -------
    str
        At most 40 bytes; names that differ only in case are told apart too.
    """
    if len(name.encode()) <= LONG and name == name.casefold():
        return name
    return f"{name.encode()[:28].decode(errors='ignore')} {hashlib.sha256(name.encode()).hexdigest()[:8]}"


class Held(ABC):
    """One table of a study.

    Attributes
    ----------
    name : str
        As the rules name it.
    person : str
        Its column of person ids.
    columns : list of str
        Its columns.
    """

    def __init__(self, name: str, person: str, columns: Iterable[str]) -> None:
        self.name, self.person = name, person
        self.columns = [str(one) for one in columns]

    @cached_property
    def _twins(self) -> dict[str, str]:
        return told_apart(self.columns)

    def sql_name(self, name: str) -> str:
        """A column's name in SQL."""
        return self._twins[name]

    @property
    def date_columns(self) -> list[str]:
        """The columns that hold dates."""
        return [name for name in self.columns if self.kind(name) == "date"]

    @property
    def is_spells(self) -> bool:
        """Whether each row lasts from ``start`` until ``end`` (still open where that is empty)."""
        if not {"start", "end"} <= set(self.columns):
            return False
        return self.kind("start") == "date" and self.kind("end") in {"date", "empty"}

    @property
    def date(self) -> str | None:
        """The date of a row where the rule does not say: its only one, else "date", else "start", else the first."""
        dates = self.date_columns
        named = [name for name in ("date", "start") if name in dates]
        return next(iter([*named, *dates]), None)

    @abstractmethod
    def kind(self, name: str) -> Kind:
        """What a column holds."""

    @abstractmethod
    def whole(self, name: str) -> bool:
        """Whether a column of numbers holds whole numbers only."""

    @property
    @abstractmethod
    def has_places(self) -> bool:
        """Whether a row has a place in a file."""

    @property
    @abstractmethod
    def whole_ids(self) -> bool:
        """Whether its person ids are stored as whole numbers."""

    @property
    @abstractmethod
    def rows(self) -> int:
        """How many rows it has."""

    @abstractmethod
    def relation(self, columns: Iterable[str], whole_ids: bool, order: bool) -> exp.Expr:
        """The columns asked for, each as its kind, with _person and, if asked, _order; to be put into a FROM."""

    def number_rows(self, columns: Iterable[str], whole_ids: bool) -> None:  # noqa: B027 - files and frames have places
        """Give the rows a place, where they have none at hand."""

    def without_day(self, name: str) -> exp.Select:
        """The rows that have no day in a column of dates."""
        rows = exp.alias_(self.relation([name], whole_ids=False, order=False), "t", table=True)
        return exp.select(exp.convert(1).as_("one")).from_(rows).where(column(self.sql_name(name), "t").is_(exp.null()))

    @abstractmethod
    def not_of_kind(self, name: str, kind: Kind) -> tuple[int, int, list[int]]:
        """Of a text column: values there are, values that are no dates or numbers, places of the first of those."""


class FrameTable(Held):
    """A table in memory."""

    def __init__(
        self,
        name: str,
        person: str,
        frame: pd.DataFrame,
        engine: Engine,
        zone: str | None = None,
        kinds: dict[str, Kind] | None = None,
        sql_table: str = "",
    ) -> None:
        repeated = [str(one) for one, count in Counter(map(str, frame.columns)).items() if count > 1]
        if repeated:
            raise DataError(f"the column {repeated[0]} stands there more than once. Give each column its own name.")
        super().__init__(name, person, frame.columns)
        self.frame = prepare(frame.set_axis(self.columns, axis="columns"), person, zone)
        self.sql_table = sql_table or name
        self._engine, self._kinds = engine, dict(kinds or {})
        self._loaded: dict[str, object] = {}

    def kind(self, name: str) -> Kind:
        """What a column holds, by all its values."""
        if name not in self._kinds:
            self._kinds[name] = kind_of(self.frame[name])
        return self._kinds[name]

    def whole(self, name: str) -> bool:
        """Whether a column is stored as whole numbers."""
        return is_whole(self.frame[name])

    @property
    def whole_ids(self) -> bool:
        """Ids of a table in memory are text already."""
        return False

    @property
    def has_places(self) -> bool:
        """Its rows are in the order of the file or of the DataFrame."""
        return True

    @property
    def rows(self) -> int:
        """Its length."""
        return len(self.frame)

    def relation(self, columns: Iterable[str], whole_ids: bool, order: bool) -> exp.Expr:
        """The table by its name, once its columns are loaded into the engine."""
        import pyarrow as pa

        wanted = [name for name in columns if self.sql_name(name) not in self._loaded]
        if wanted or not self._loaded:
            ids = as_arrow(self.frame[self.person], "text") if self.person in self.columns else pa.nulls(self.rows)
            self._loaded.setdefault(PERSON, ids)
            self._loaded.setdefault(ORDER, pa.array(range(self.rows), type=pa.int64()))
            self._loaded |= {self.sql_name(name): as_arrow(self.frame[name], self.kind(name)) for name in wanted}
            self._engine.load(self.sql_table, self._loaded)
        return exp.Table(this=exp.to_identifier(self.sql_table, quoted=True))

    def not_of_kind(self, name: str, kind: Kind) -> tuple[int, int, list[int]]:
        """By all its values."""
        texts = self.frame[name]
        read = as_dates(texts) if kind == "date" else pd.to_numeric(texts, errors="coerce")
        bad = (texts.notna() & read.isna()).to_numpy(dtype=bool)
        return int(texts.notna().sum()), int(bad.sum()), [int(place) for place in bad.nonzero()[0][:SHOWN]]
