"""What every measure is read against: the cohort's persons, their index dates and the tables of the study."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalkit import disclosure
from evalkit.errors import DataError, Flag, Level, did_you_mean
from evalkit.outcomes.questionnaires.instruments import numbers, rows_in_words

if TYPE_CHECKING:
    from evalkit.cohort import Cohort
    from evalkit.study import Study

_MANY_UNKNOWN = 0.05
_HEADER_AND_ONE = 2  # the first row of a table stands on line 2 of its file
_YES_OR_NO = {"yes": 1.0, "no": 0.0, "true": 1.0, "false": 0.0}


@dataclass(frozen=True, eq=False)
class Reading:
    """One measure at one occasion (or once), a value per person in the cohort's order.

    ``rows`` is the place of the form or record that was read, -1 for those without.
    """

    key: str
    measure: str
    occasion: str
    values: np.ndarray
    dates: np.ndarray | None = None
    rows: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Forms:
    """The answers behind the readings of an instrument or a ladder.

    ``answers``, shape (n_forms, n_items): as they are scored, missing where blank; ``keys`` the shelf's entry;
    ``scale`` the items that make up the measure's own score.
    """

    answers: pd.DataFrame
    keys: dict[str, Any]
    scale: list[str]

    def behind(self, reading: Reading) -> pd.DataFrame:
        """The answers behind a reading, a row per person in the cohort's order."""
        rows = np.full(len(reading.values), -1) if reading.rows is None else reading.rows
        return self.answers.reset_index(drop=True).reindex(np.where(rows >= 0, rows, -1)).reset_index(drop=True)


@dataclass(frozen=True, eq=False)
class Found:
    """What one measure gave: its readings, what it is, what must be said about it, and the answers behind it."""

    readings: list[Reading]
    about: dict[str, Any]
    flags: list[Flag] = field(default_factory=list)
    forms: Forms | None = None


@dataclass(frozen=True, eq=False)
class Ground:
    """The cohort as the measures see it."""

    cohort: Cohort

    @cached_property
    def study(self) -> Study:
        """The plan behind the cohort."""
        study: Any = self.cohort.study
        return study

    @cached_property
    def people(self) -> pd.Index:
        """Persons in the cohort's order, as text."""
        return pd.Index(ids(self.cohort.table["person"]), name="person")

    @cached_property
    def index_date(self) -> pd.Series:
        """The day from which each person is counted, by position."""
        return pd.to_datetime(self.cohort.table["index_date"]).dt.normalize().reset_index(drop=True)

    @cached_property
    def treated(self) -> np.ndarray | None:
        """1 for the programme, 0 for the comparison, NaN for neither; None without arms."""
        table = self.cohort.table
        return numbers(table["treated"]) if "treated" in table.columns else None

    @cached_property
    def arms(self) -> dict[str, np.ndarray]:
        """Who is in which arm: "treated" and "comparison", or "all" where the study has no arms."""
        if self.treated is None:
            return {"all": np.ones(len(self.people), dtype=bool)}
        return {"treated": self.treated == 1, "comparison": self.treated == 0}

    def column(self, name: str) -> pd.Series:
        """A column of the cohort; all missing where the plan has none."""
        table = self.cohort.table
        if name not in table.columns:
            return pd.Series(pd.NA, index=table.index, dtype="str")
        return table[name]

    def table(self, name: str) -> pd.DataFrame:
        """One of the study's tables; a DataError where it was not read."""
        if name not in self.cohort.tables:
            raise DataError(f'There is no table "{name}". {did_you_mean(name, self.cohort.tables)}')
        return self.cohort.tables[name]

    def where(self, name: str) -> str:
        """A table and its file, for messages."""
        entry = self.study.tables.get(name)
        file = entry if isinstance(entry, str) else getattr(entry, "file", "")
        return f'{file} (table "{name}")' if file else f'table "{name}"'

    def need(self, name: str, columns: list[str]) -> pd.DataFrame:
        """A table that must have these columns."""
        table = self.table(name)
        for column in columns:
            if column not in table.columns:
                raise DataError(f'{self.where(name)} has no column "{column}". {did_you_mean(column, table.columns)}')
        return table

    def positions(self, name: str) -> np.ndarray:
        """For each row of a table, where its person stands in the cohort; -1 for those not in it."""
        person = self.study.cohort.person  # type: ignore[union-attr]
        return self.people.get_indexer(pd.Index(ids(self.need(name, [person])[person])))

    @cached_property
    def referred(self) -> set[str]:
        """Everyone the study knows of: the ids of the index and of people, the cohort's included."""
        plan: Any = self.study.cohort
        known = set(self.people)
        for name in (plan.index.table, plan.people, "people"):
            table = self.cohort.tables.get(name) if name else None
            if table is not None and plan.person in table.columns:
                known |= set(ids(table[plan.person]))
        return known

    def id_flags(self, name: str, about: str) -> list[Flag]:
        """Say how many rows of a table are of people whom the study does not know; a DataError where all are.

        Rows of people who were left out of the cohort are as they should be. Ids that nobody has are not: their days
        and events would count as nothing.
        """
        person = self.study.cohort.person  # type: ignore[union-attr]
        rows = self.need(name, [person])[person]
        if not len(rows) or name in (self.study.cohort.index.table, self.study.cohort.people):  # type: ignore[union-attr]
            return []
        unknown = ~pd.Series(ids(rows)).isin(self.referred).to_numpy()
        if unknown.all():
            raise DataError(
                f'{self.where(name)}: no id in "{person}" is that of anyone the study knows. '
                "Compare how ids are written in both tables: capitals, blanks, leading zeros."
            )
        if not unknown.any():
            return []
        share = disclosure.roughly(int(unknown.sum()), len(unknown), self.study.disclosure.rule)
        level: Level = "serious" if unknown.mean() > _MANY_UNKNOWN else "caution"
        text = f"{share[:1].upper()}{share[1:]} of the rows of {name} are of people whom the study does not know."
        detail = "What is recorded of them counts for nobody. Compare how ids are written in both tables."
        return [Flag("outcomes", level, text, detail, about)]

    def last_date(self, *also: pd.Series) -> Any:
        """The last date in any table, or in further columns of dates; missing where there is none."""
        columns = [frame[name] for frame in self.cohort.tables.values() for name in frame.select_dtypes("datetime")]
        return max((column.max() for column in [*columns, *also] if column.notna().any()), default=pd.NaT)

    def says(self, n: int) -> str:
        """A count of people or of their readings, as it may be printed."""
        shown = disclosure.count(n, self.study.disclosure.rule)
        return f"{shown:,}" if isinstance(shown, int) else "a few"


def ids(column: pd.Series) -> np.ndarray:
    """Persons' ids as text, 7.0 read from a file with gaps being "7"."""
    if pd.api.types.is_float_dtype(column.dtype):
        column = column.astype("Int64")
    return column.astype("str").to_numpy(dtype=object)


def lines(positions: Iterable[int]) -> list[int]:
    """Line numbers in the file, the header being line 1."""
    return [int(position) + _HEADER_AND_ONE for position in positions]


def dates(column: pd.Series, where: str) -> pd.Series:
    """A column of days; a DataError names the rows that are not dates."""
    found = pd.to_datetime(column, errors="coerce")
    wrong = np.flatnonzero((found.isna() & column.notna()).to_numpy())
    if len(wrong):
        raise DataError(
            f'{where}: column "{column.name}", {rows_in_words(lines(wrong))}: not a date. Write dates as 2026-03-16.'
        )
    return found.dt.normalize()


def amounts(column: pd.Series, where: str) -> np.ndarray:
    """A column of numbers, yes and no read as 1 and 0; a DataError names the rows that hold text."""
    found = numbers(column)
    unread = np.isnan(found) & column.notna().to_numpy()
    if unread.any():
        words = column[unread].astype("str").str.strip().str.lower().map(_YES_OR_NO)
        found = np.array(found)
        found[unread] = words.to_numpy(dtype=float)
        wrong = np.flatnonzero(unread & np.isnan(found))
        if len(wrong):
            raise DataError(
                f'{where}: column "{column.name}", {rows_in_words(lines(wrong))}: not a number. '
                "Correct it, or leave it blank when it is missing."
            )
    return found
