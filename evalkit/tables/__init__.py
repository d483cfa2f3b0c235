"""Reading a study's tables: each column of the kind the plan needs, every problem of every table told at once."""

from __future__ import annotations

from evalkit.tables.read import read_csv_checked, read_tables

__all__ = ["read_csv_checked", "read_tables"]
