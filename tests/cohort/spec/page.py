"""A page of the rule language: drawn tables, rules, and the answer each person must get.

Expected answers are worked out by hand from the words of docs/reference/rules.md, never by running evalkit.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from evalkit.cohort import Cohort, select
from tests.cohort.spec.homes import HOMES, holding

DAY = r"\d{4}-\d\d-\d\d"
TYPES = {
    "int": pa.int64(),
    "float": pa.float64(),
    "text": pa.string(),
    "date": pa.date32(),
    "time": pa.timestamp("us"),
    "instant": pa.timestamp("us", tz="UTC"),
    "yes or no": pa.bool_(),
}
LOOKS = [
    (r"[+-]?\d+", "int"),
    (r"[+-]?\d+(\.\d+)?(e[+-]?\d+)?|NaN", "float"),
    (r"yes|no", "yes or no"),
    (DAY, "date"),
    (rf"{DAY} \d\d:\d\d", "time"),
    (rf"{DAY} \d\d:\d\d Z", "instant"),
    (r".*", "text"),
]
READ: dict[str, Callable[[str], Any]] = {
    "int": int,
    "float": float,
    "text": lambda cell: "" if cell == "''" else cell,
    "date": dt.date.fromisoformat,
    "time": dt.datetime.fromisoformat,
    "instant": lambda cell: dt.datetime.fromisoformat(cell.replace(" Z", "+00:00")),
    "yes or no": lambda cell: cell == "yes",
}


def lines_of(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip().split("|")] for line in text.strip().splitlines()]


def drawn(text: str) -> pa.Table:
    """A drawn table. Its types are those its cells look like, or are written in the head (``born: date``).

    An empty cell is missing; '' is a text without letters; a time with Z is an instant.
    """
    head, *rows = lines_of(text)
    if any(len(row) != len(head) for row in rows):
        raise ValueError(f"a drawn row has not {len(head)} cells: {text}")
    columns, types = {}, {}
    for place, title in enumerate(head):
        name, _, kind = (part.strip() for part in title.partition(": "))
        cells = [row[place] for row in rows]
        kind = kind or looks_like([cell for cell in cells if cell])
        zone = kind.removeprefix("instant ") if kind.startswith("instant ") else ""
        read = READ["instant" if zone else kind]
        columns[name] = [read(cell) if cell else None for cell in cells]
        types[name] = pa.timestamp("us", tz=zone) if zone else TYPES[kind]
    # Built column by column: names may differ only in case.
    arrays = [pa.array(columns[name], type=types[name]) for name in columns]
    return pa.table(arrays, schema=pa.schema(list(types.items())))


def looks_like(cells: list[str]) -> str:
    if not cells:
        raise ValueError("a column without a value needs its type in the head")
    return next(kind for shape, kind in LOOKS if all(re.fullmatch(shape, cell) for cell in cells))


def plain(value: object) -> object:
    """A value as the drawn answers write it: None, yes or no, a number, a day, a text."""
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return None
    if isinstance(value, dt.date):  # a pandas time stamp is one too
        return value.strftime("%Y-%m-%d")
    return value.item() if hasattr(value, "item") else value


def answer_of(cell: str) -> object:
    """What a drawn answer means."""
    if not cell:
        return None
    kind = looks_like([cell])
    return cell if kind in {"text", "date"} else READ[kind](cell)


def same(found: object, expected: object) -> bool:
    """Whether two plain values are one; numbers to 12 digits, whole numbers exactly."""
    if isinstance(expected, bool) or expected is None or isinstance(expected, str):
        return found is expected or (type(found) is type(expected) and found == expected)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return False
    return found == expected or abs(found - expected) <= 1e-12 * max(abs(found), abs(expected))


@dataclass(frozen=True)
class Page:
    """One page.

    ``tables`` are drawn; ``answers`` has a rule per line and a column per person; ``counted`` draws the cohort's own
    rows, or some columns of them, where the page is about who is counted. ``definition`` is what else the definition
    of the cohort says; everybody is counted from 31 March 2020 unless it says otherwise.
    """

    says: str
    tables: dict[str, str]
    answers: str = ""
    counted: str = ""
    definition: dict[str, Any] = field(default_factory=dict)
    homes: tuple[str, ...] = HOMES

    def holds_in(self, home: str) -> None:
        """Ask everything at once of tables that live there, and compare."""
        head, *lines = lines_of(self.answers or "rule")
        rules = {f"rule {place}": line[0] for place, line in enumerate(lines)}
        base = {"person": "person", "index": {"date": "2020-03-31"}}
        definition = base | self.definition
        definition["columns"] = rules | definition.get("columns", {})
        with holding(home, {name: drawn(text) for name, text in self.tables.items()}) as sources:
            cohort = select(sources, definition)
        if self.answers:
            self._compare(cohort, head[1:], rules, lines)
        if self.counted:
            self._compare_rows(cohort)

    def _compare(self, cohort: Cohort, people: list[str], rules: dict[str, str], lines: list[list[str]]) -> None:
        assert cohort.table["person"].tolist() == people
        wrong = []
        for name, line in zip(rules, lines, strict=True):
            found = [plain(value) for value in cohort.table[name].astype("object")]
            expected = [answer_of(cell) for cell in line[1:]]
            if not all(map(same, found, expected)):
                wrong.append(f"{rules[name]}: found {found}, drawn {expected}")
        assert not wrong, "\n".join(["", *wrong])

    def _compare_rows(self, cohort: Cohort) -> None:
        head, *rows = lines_of(self.counted)
        found = [[plain(value) for value in row] for row in cohort.table[head].astype("object").values]
        expected = [
            [cell if name == "person" else answer_of(cell) for name, cell in zip(head, row, strict=True)]
            for row in rows
        ]
        assert [len(row) for row in found] == [len(row) for row in expected], found
        assert all(same(*pair) for pair in zip(chain(*found), chain(*expected), strict=True)), found


def on_every_home(pages: list[Page]) -> Any:
    """Run a test for each page in each of its homes."""
    cases = []
    for page in pages:
        for home in page.homes:
            marks = pytest.mark.xdist_group("spark") if home == "spark" else ()
            cases.append(pytest.param(page, home, marks=marks, id=f"{home}: {page.says}"))
    return pytest.mark.parametrize(("page", "home"), cases)
