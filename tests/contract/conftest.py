"""An impact bond data set drawn in the test: only the columns that matter, by their short names."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from evalkit.contract.indigo import read_indigo
from evalkit.contract.indigo.columns import columns_of

DATA = Path(__file__).parents[3] / "shared" / "data" / "indigo"


def header_of(table: str, short: str) -> str:
    """The published label of a column: its header, then " - (Value)" except for ids and notes."""
    label = next((column.header for column in columns_of(table).values() if column.short == short), short)
    return label if label in ("ID", "Id", "Project ID", "Notes") else f"{label} - (Value)"


def write_table(folder: Path, table: str, drawn: str) -> None:
    """Write one drawn table as a csv file of the data set."""
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in drawn.strip().splitlines()]
    rows = [[*row, *[""] * (len(rows[0]) - len(row))] for row in rows]
    own = table in ("projects", "organisations", "funds")
    with (folder / f"original_{'' if own else 'projects_'}{table}.csv").open(
        "w", encoding="utf-8-sig", newline=""
    ) as file:
        writer = csv.writer(file)
        writer.writerow([header_of(table, name) for name in rows[0]])
        writer.writerows(rows[1:])


@pytest.fixture
def indigo(tmp_path):
    """``indigo(results="project | metric | achieved ...")``: the data set with these tables; project P1 by default."""

    def read(**drawn: str):
        tables = {"projects": "project | name\nP1 | One", **drawn}
        for table, text in tables.items():
            write_table(tmp_path, table, text)
        return read_indigo(tmp_path)

    return read


@pytest.fixture(scope="session")
def published():
    """The real data set, which lies beside the project because no licence came with it."""
    if not DATA.is_dir():
        pytest.skip("the INDIGO data set may not be committed (no licence came with it): put it in shared/data/indigo")
    return read_indigo(DATA)
