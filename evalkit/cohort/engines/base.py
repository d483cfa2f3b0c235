"""What any engine can do for a cohort: hold tables, make tables of its own, answer a statement."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from sqlglot import exp

from evalkit.cohort.engines.vocabulary import Words, spoken
from evalkit.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

# What a column is in a file or a database, before anybody has looked at its values.
Stored = Literal["text", "whole", "number", "date", "time", "instant", "yes or no", "other"]


def without_cells(text: str) -> str:
    """Take what may be a cell of a person's row out of an engine's message: text in single quotes, and numbers.

    Parameters
    ----------
    text : str
        What an engine said.

    Returns
    -------
    str
        Its first line, without them.
    """
    first = (text.strip().splitlines() or [""])[0]
    return re.sub(r"'[^']*'|(?<![\w\"])[-+]?\d[\d.,:eE+-]*", "...", first)[:300]


class Engine(ABC):
    """An engine that runs statements where the data are.

    Attributes
    ----------
    dialect : str
        sqlglot's name of its SQL.
    words : dict
        How it says each word of the vocabulary.
    reads_files : bool
        Whether it reads csv and parquet files where they lie.
    """

    dialect: ClassVar[str]
    words: ClassVar[Words]
    reads_files: ClassVar[bool] = False

    def sql(self, query: exp.Expr, pretty: bool = False) -> str:
        """A statement as this engine reads it."""
        return spoken(query, self.words).sql(self.dialect, pretty=pretty, copy=False)

    @abstractmethod
    def fetch(self, query: exp.Expr) -> pd.DataFrame:
        """The rows of a statement, with missing values as such; a DataError where it cannot be answered."""

    def count(self, rows: exp.Query) -> int:
        """How many rows a statement has."""
        counted = exp.select(exp.Count(this=exp.Star()).as_("n")).from_(rows.subquery("r"))
        return int(self.fetch(counted)["n"].iloc[0])

    def __init__(self) -> None:
        self.made: dict[str, exp.Expr] = {}

    def make(self, name: str, query: exp.Expr) -> None:
        """A table inside the engine, of this session alone; one of that name is replaced. What made it is kept."""
        self._create(name, query)
        self.made[name] = query

    def define(self, name: str, query: exp.Expr) -> None:
        """A name for a statement whose rows need not be kept; an engine may keep them all the same."""
        self._define(name, query)
        self.made[name] = query

    def _define(self, name: str, query: exp.Expr) -> None:
        """Name the statement."""
        self._create(name, query)

    @abstractmethod
    def _create(self, name: str, query: exp.Expr) -> None:
        """Make the table."""

    @abstractmethod
    def drop(self, name: str) -> None:
        """Let go of a table that was made; what made it is remembered."""

    @abstractmethod
    def load(self, name: str, columns: Mapping[str, object]) -> None:
        """A table inside the engine, of this session alone, from Arrow arrays by column."""

    @abstractmethod
    def stored(self, source: exp.Expr) -> dict[str, Stored]:
        """The columns of a file or a table of the engine, and what they are stored as."""

    def file(self, path: Path) -> tuple[exp.Expr, exp.Expr, exp.Expr | None]:
        """What stands in a FROM for a file; the same with the places of its rows; what gives such a place."""
        raise DataError(f"{path.name}: this engine reads no files.")

    @abstractmethod
    def explain(self, query: exp.Expr) -> str:
        """How the engine would answer a statement."""

    @abstractmethod
    def close(self) -> None:
        """Let go of everything made in the session."""
