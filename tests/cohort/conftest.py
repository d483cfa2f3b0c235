"""Drawn tables as DataFrames, and one rule asked of drawn people."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from evalkit.cohort import Cohort, select


def drawn(text: str) -> pd.DataFrame:
    """A drawn table: cells by |, empty cells missing, numbers as numbers, yes and no as such, else text."""
    lines = [[cell.strip() for cell in line.strip().split("|")] for line in text.strip().splitlines()]
    frame = pd.DataFrame(lines[1:], columns=lines[0]).astype("str")
    frame = frame.mask(frame == "")
    for name in frame.columns:
        numbers = pd.to_numeric(frame[name], errors="coerce")
        if frame[name].notna().any() and numbers.notna().equals(frame[name].notna()):
            frame[name] = numbers
        elif frame[name].isin(["yes", "no"]).all() and len(frame):
            frame[name] = frame[name] == "yes"
    return frame


@pytest.fixture
def table() -> Callable[[str], pd.DataFrame]:
    return drawn


@pytest.fixture
def cohort_of() -> Callable[..., Cohort]:
    """``cohort_of(people, table=..., on="2020-03-31", **definition)``: people counted from one fixed day."""

    def make(people: str, on: str = "2020-03-31", definition: dict | None = None, **tables: str) -> Cohort:
        frames = {"people": drawn(people), **{name: drawn(text) for name, text in tables.items()}}
        return select(frames, {"person": "person", "index": {"date": on}, **(definition or {})})

    return make


@pytest.fixture
def answer(cohort_of) -> Callable[..., list]:
    """``answer(rule, people, **tables)``: True, False or None per person, in the order of their ids."""

    def ask(rule: str, people: str, on: str = "2020-03-31", **tables: str) -> list:
        return [None if pd.isna(one) else bool(one) for one in cohort_of(people, on, **tables).rule_answers(rule)]

    return ask


@pytest.fixture
def value(cohort_of) -> Callable[..., list]:
    """``value(rule, people, **tables)``: what a new column holds per person; None where it is missing."""

    def ask(rule: str, people: str, on: str = "2020-03-31", **tables: str) -> list:
        column = cohort_of(people, on, {"columns": {"asked": rule}}, **tables).table["asked"]
        return [None if pd.isna(one) else one for one in column]

    return ask
