"""Fixtures that make tests read like pages of the manual: drawn tables, and studies written in the test."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

SHARED = Path(__file__).parents[2] / "shared" / "acceptance"

HEAD = """
[study]
id = "demo"
title = "A demonstration"
kind = "synthetic"
price_year = 2023
"""


@pytest.fixture
def beside():
    """Find a file of reference data that lies beside the project because its licence does not let it be committed."""

    def find(path: str) -> Path:
        file = SHARED / path
        if not file.exists():
            pytest.skip(f"{path} may not be committed (no licence came with it): put it in {SHARED.parent.name}/")
        return file

    return find


def parse_cell(text: str) -> object:
    """What a drawn cell means: a number, yes or no, a date, nothing, or text."""
    words = {"yes": True, "no": False, "": None, "-": None, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return dt.date.fromisoformat(text)
    for kind in (int, float):
        try:
            return kind(text.replace("_", ""))
        except ValueError:
            continue
    return text.strip("\"'")


def parse_grid(text: str) -> list[SimpleNamespace]:
    """Read a drawn table: a header, then one row per line, columns by |."""
    lines = [line for line in text.strip().splitlines() if line.strip() and not set(line.strip()) <= set("-|+ ")]
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    names = [name.replace(" ", "_") for name in rows[0]]
    for row in rows[1:]:
        if len(row) != len(names):
            raise ValueError(f"a drawn row has {len(row)} cells and the header {len(names)}: {row}")
    return [SimpleNamespace(**dict(zip(names, map(parse_cell, row), strict=True))) for row in rows[1:]]


def _decimals(text: str) -> int:
    return len(text.partition(".")[2]) if re.fullmatch(r"[+-]?\d+\.\d+", text) else 0


def _same(found: object, drawn: object, decimals: int) -> bool:
    if drawn is None:
        return found is None or found is pd.NaT or found is pd.NA or (isinstance(found, float) and math.isnan(found))
    number = isinstance(drawn, int | float) and not isinstance(drawn, bool)
    if number and not isinstance(found, str) and found is not None:
        return abs(float(found) - drawn) <= 0.5 * 10**-decimals + 1e-12 if decimals else float(found) == drawn
    return bool(found == drawn)


@pytest.fixture
def grid() -> Callable[..., None]:
    """``grid(drawn_table, function_of_a_row, column)``: what the function gives for each row is what the column says.

    A number is compared to as many decimals as were drawn; an empty cell means nothing (None or missing).
    """

    def check(text: str, function: Callable[[SimpleNamespace], object], column: str) -> None:
        rows = parse_grid(text)
        if not rows:
            raise ValueError("the drawn table has no rows")
        lines = [line.strip().strip("|").split("|") for line in text.strip().splitlines()]
        lines = [line for line in lines if set("".join(line).strip()) - set("-+ ")]
        position = [name.strip().replace(" ", "_") for name in lines[0]].index(column)
        for row, line in zip(rows, lines[1:], strict=True):
            found = function(row)
            drawn = getattr(row, column)
            told = f"{'|'.join(line).strip()}: drawn {column} = {drawn!r}, found {found!r}"
            assert _same(found, drawn, _decimals(line[position].strip())), told

    return check


@pytest.fixture
def make_study(tmp_path: Path) -> Callable[..., Path]:
    """``make_study(toml_text, **tables)``: a study's folder; a text without [study] gets one.

    A table is a DataFrame, or the text of a csv file drawn in the test; its name is its file's, with .csv.
    """

    def write(text: str = "", folder: str = "demo", **tables: pd.DataFrame | str) -> Path:
        place = tmp_path / folder
        place.mkdir(parents=True, exist_ok=True)
        body = text if re.search(r"^\[study\]", text, re.MULTILINE) else HEAD + text
        (place / "study.toml").write_text(body, encoding="utf-8")
        for name, table in tables.items():
            if isinstance(table, str):
                lines = (line.strip() for line in table.strip().splitlines())
                (place / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
            else:
                table.to_csv(place / f"{name}.csv", index=False)
        return place

    return write
