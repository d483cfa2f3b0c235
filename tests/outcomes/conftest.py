"""A cohort drawn by hand, so that this room is tested without the rooms before it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd
import pytest

from evalkit.study import Study


@dataclass(frozen=True, eq=False)
class DrawnCohort:
    study: Study
    table: pd.DataFrame
    tables: dict[str, pd.DataFrame]
    answers: dict[str, pd.Series] = field(default_factory=dict)

    def rule_answers(self, rule: str) -> pd.Series:
        return self.answers[rule]


@pytest.fixture
def cohort_of(tmp_path):
    """A function: (table, tables, rest of the study file, answers to rules) -> cohort."""

    def draw(table: pd.DataFrame, tables: dict, plan: dict, answers: dict | None = None) -> DrawnCohort:
        parts = {
            "study": {"id": "drawn", "title": "Drawn", "kind": "synthetic"},
            "tables": {name: f"{name}.csv" for name in tables},
            "cohort": {"person": "id", "index": {"table": "people", "date": "start"}},
            "folder": tmp_path,
        }
        return DrawnCohort(Study.model_validate(parts | plan), table, tables, answers or {})

    return draw


@pytest.fixture
def people():
    """A function: four people a to d (or more), two in each arm, indexed on 1 January 2024."""

    def draw(count: int = 4, **columns: list) -> pd.DataFrame:
        treated = [int(number < count / 2) for number in range(count)]
        table = pd.DataFrame({
            "person": [f"p{number:03d}" for number in range(count)],
            "index_date": pd.Timestamp("2024-01-01"),
            "arm": ["treated" if one else "comparison" for one in treated],
            "treated": treated,
        })  # fmt: skip
        return table.assign(**columns)

    return draw
