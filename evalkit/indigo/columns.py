"""INDIGO's spreadsheets: which tables there are, their headers, and a project's rows in them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

PROJECT, ORGANISATIONS = "projects", "organisations"
_OF_PROJECT = f"{PROJECT}_"
# The two tables whose header carries no word on what a cell is: an organisation is published as it stands.
_BARE = (ORGANISATIONS,)


@cache
def tables() -> dict[str, dict[str, str]]:
    """Where each value stands in the JSON form, and its label, by table and in the order of the columns."""
    text = (resources.files("evalkit.indigo") / "columns.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def headers(table: str) -> list[str]:
    """The header row of one table.

    Parameters
    ----------
    table : str
        "projects", "projects_outcome_payments", ..., "organisations".

    Returns
    -------
    list of str
        A label ends in " - (Value)" where the JSON form keeps a value and its status apart.
    """
    return [_header(table, place, label) for place, label in tables()[table].items()]


def _header(table: str, place: str, label: str) -> str:
    bare = table in _BARE and place != "type.value"
    return label if bare or not place.endswith(".value") else f"{label} - (Value)"


def file_of(table: str) -> str:
    """The name of a table's file."""
    return f"original_{table}.csv"


def rows(table: str, project: Mapping[str, Any], organisations: list[dict[str, Any]]) -> list[list[str]]:
    """One project's rows in one table.

    Parameters
    ----------
    table : str
        As for `headers`.
    project : dict
        In the JSON form, with ``id``.
    organisations : list of dict
        In the JSON form, each with ``id``.

    Returns
    -------
    list of list of str
        One cell per column; empty where the project says nothing.
    """
    places = tables()[table]
    return [[_cell(item, place, project["id"]) for place in places] for item in _items(table, project, organisations)]


def _items(table: str, project: Mapping[str, Any], organisations: list[dict[str, Any]]) -> Iterator[Mapping[str, Any]]:
    if table == PROJECT:
        yield project
    elif table == ORGANISATIONS:
        yield from organisations
    else:
        yield from project.get(table.removeprefix(_OF_PROJECT), [])


def _cell(item: Mapping[str, Any], place: str, project_id: str) -> str:
    if place == "project_id":
        return project_id
    found: Any = item
    for key in place.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    return "" if found is None else str(found)
