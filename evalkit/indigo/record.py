"""One project of the data set as its study needs it: tidy cells, names for ids, one currency, words for dates."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from evalkit import words
from evalkit.indigo.dated import coarse, day_of
from evalkit.indigo.toml import one_line
from evalkit.tables.rows import as_rows

CODE = re.compile(r"[A-Z]{3}")
# Where a project's currency is looked for: what was paid before what was promised.
_CURRENCIES = (
    ("outcome_payments", "currency"),
    ("outcome_pricings", "currency"),
    ("projects", "paid_currency"),
    ("projects", "maximum_currency"),
    ("provider_side_cost", "currency"),
    ("projects", "investment_currency"),
    ("investments", "currency"),
)

Row = Mapping[Any, Any]


@dataclass(frozen=True, eq=False)
class Record:
    """A project's rows, cell by cell.

    Parameters
    ----------
    id : str
        INDIGO-POJ-nnnn, as recorded.
    tables : dict of str to DataFrame
        The project's rows of each table, columns by their short names.
    names : dict of str to str
        Organisation id -> name.
    dated : str
        Which release of the data set, in words; may be empty.
    """

    id: str
    tables: Mapping[str, pd.DataFrame]
    names: Mapping[str, str]
    dated: str = ""
    _tidied: dict[str, list[Row]] = field(default_factory=dict, init=False, repr=False)

    def rows(self, table: str) -> Iterator[Row]:
        """The rows of one table, each a dict of tidy cells; tidied once, however often they are read."""
        if table not in self._tidied:
            frame = self.tables.get(table)
            self._tidied[table] = [] if frame is None or frame.empty else _tidy(frame)
        return iter(self._tidied[table])

    @property
    def about(self) -> Row:
        """The project's own row."""
        return next(self.rows("projects"), {})

    @property
    def source(self) -> str:
        """What stands as the source of every figure."""
        release = f", {self.dated}" if self.dated else ""
        return f"INDIGO impact bond dataset{release}, project {self.id}"

    @cached_property
    def currency(self) -> str | None:
        """The currency the study is in; None where no code is recorded."""
        for table, column in _CURRENCIES:
            codes = [row.get(column, "") for row in self.rows(table)]
            known = pd.Series([code for code in codes if CODE.fullmatch(str(code))], dtype="str")
            if len(known):
                return str(known.mode().iloc[0])
        return None

    def organisation(self, id: str) -> str:
        """An organisation's name, or its id where no name is recorded."""
        return one_line(self.names.get(id, "")) or id


def _tidy(frame: pd.DataFrame) -> list[Row]:
    return [
        {name: one_line(cell) if isinstance(cell, str) else cell for name, cell in row.items()}
        for row in as_rows(frame)
    ]


def text(row: Row, name: str) -> str:
    """A cell as text; "" where it is empty or missing."""
    value = row.get(name, "")
    return value if isinstance(value, str) else "" if value is None or pd.isna(value) else str(value)


def amount(row: Row, name: str) -> float | None:
    """A cell as a number; None where it is not plainly one."""
    value = row.get(name)
    return None if value is None or isinstance(value, str) or pd.isna(value) else float(value)


def number(value: float | None) -> str:
    """A number for a csv file or a sentence: no decimal point where it is whole."""
    if value is None:
        return ""
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def as_recorded(row: Row, name: str) -> str:
    """A number column in words: the number with its thousands, or the text that stood there."""
    value = amount(row, name)
    if value is None:
        return text(row, f"{name}_text")
    return words.number(value, 0 if value.is_integer() else len(f"{value:.6f}".rstrip("0").partition(".")[2]) or 2)


def as_share(row: Row, name: str, kind: str = "") -> str:
    """A share of 0 to 1 in per cent and as it was recorded, with what it is a rate of; else `as_recorded`."""
    value, told = amount(row, name), as_recorded(row, name)
    if value is not None and 0 <= value <= 1:
        told = f"{100 * value:.6g}% (recorded as {value:.6g})"
    return f"{told}, {text(row, kind)}" if told and text(row, kind) else told


def money(row: Row, name: str, currency: str) -> str:
    """An amount with its currency as recorded."""
    value, code = amount(row, name), text(row, currency)
    if value is None:
        return " ".join(part for part in (text(row, f"{name}_text"), code) if part) if text(row, f"{name}_text") else ""
    digits = 0 if value.is_integer() else 2
    if CODE.fullmatch(code):
        return words.whole_money(value, code, digits)
    return f"{words.number(value, digits)} ({code or 'currency not stated'})"


def when(value: str) -> str:
    """A recorded date in words: "October 2018", "2018", "1 October 2018"; as it stands where it is no date."""
    day = day_of(value)
    if day is None:
        return value
    if not coarse(value):
        return words.day(day)
    return words.month(day) if len(value) > 4 else value


def span(start: str, end: str) -> str:
    """A period in words."""
    first, last = when(start), when(end)
    if first and last and first != last:
        return f"{first} to {last}"
    return first or (f"to {last}" if last else "")
