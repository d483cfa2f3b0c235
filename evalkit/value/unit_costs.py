"""Unit costs: the study's own dated table, the shelf, and a parent that is never counted with its children."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import library, tables
from evalkit.errors import DataError, Flag, StudyError, did_you_mean, several
from evalkit.tables.files import line_numbers
from evalkit.tables.kinds import Kind, plain_text
from evalkit.tables.rows import as_rows
from evalkit.tables.words import rows_listed
from evalkit.value.unit_cost_codes import PRICE_YEAR, ancestors, parents_of
from evalkit.value.unit_cost_files import UnitCosts, unit_costs_from

if TYPE_CHECKING:
    from evalkit.study import Study

__all__ = ["UnitCosts", "both_levels", "children_of", "look_up", "read_unit_costs", "unit_costs_from"]

COLUMNS: dict[str, Kind] = {
    "code": "text",
    "parent": "text",
    "title": "text",
    "agency": "text",
    "amount": "money",
    "unit": "text",
    "per": "text",
    "price_year": "text",
    "kind_of_value": "text",
    "cashable": "share",
    "low": "money",
    "high": "money",
    "currency": "text",
    "source": "text",
    "notes": "text",
}
NEEDED = ("code", "amount", "price_year", "source")
VALUE_KINDS = ("fiscal", "economic", "social")
Entry = dict[str, Any]


def read_unit_costs(study: Study) -> pd.DataFrame | None:
    """Read the study's own unit costs.

    Parameters
    ----------
    study : Study
        Its [value] may name unit_costs: code, parent, title, agency, amount, unit, per, price_year, kind_of_value,
        cashable, low, high, currency, source, notes.

    Returns
    -------
    DataFrame or None
        One row per code: texts filled, price_year a whole number beside price_year_label as written ("2013/14"),
        parent derived from the code where it is empty ("A2.0" of "A2.0.1"), currency the study's where it is empty.
        None where the study names no such file.

    Raises
    ------
    DataError
        Everything that is wrong with the file, with its rows: a code, amount, price year or source that is missing,
        codes that occur twice, parents that are not in the table, kinds of value that are not known, a range that
        does not hold the amount, another currency than the study's.
    """
    file = study.value.unit_costs if study.value is not None else None
    if file is None:
        return None
    table = tables.read_csv_checked(study, file, COLUMNS, required=NEEDED).reset_index(drop=True)
    for name in (name for name, kind in COLUMNS.items() if kind == "text"):
        table[name] = plain_text(table[name])
    lines = line_numbers(study.path(file)) or [row + 2 for row in range(len(table))]
    currency = study.study.currency
    table["currency"] = table["currency"].where(table["currency"] != "", currency)
    problems = _missing(table, lines) + _strange(table, lines, currency)
    if problems:
        raise DataError(several(f"The unit costs of {study.id} ({file})", problems))
    return _finished(table)


def _finished(table: pd.DataFrame) -> pd.DataFrame:
    """Numbers as numbers, parents from codes, kinds in one way of writing."""
    years = table["price_year"].str.extract(PRICE_YEAR, expand=False)
    return table.assign(
        amount=table["amount"].astype(float),
        price_year_label=table["price_year"],
        price_year=years.astype(int),
        parent=table["parent"].where(table["parent"] != "", parents_of(table["code"])),
        kind_of_value=table["kind_of_value"].map(lambda kind: " and ".join(_kinds(kind))).astype("str"),
        title=table["title"].where(table["title"] != "", table["code"]),
    )


def _at(mask: pd.Series, lines: list[int]) -> str:
    """Rows by the line numbers of the file."""
    return rows_listed([lines[place] for place, wrong in enumerate(mask) if wrong])


def _missing(table: pd.DataFrame, lines: list[int]) -> list[str]:
    """Cells that an amount of money cannot do without."""
    remedies = {
        "code": "Give every unit cost a code of its own.",
        "amount": "Write the amount.",
        "price_year": "Write the year whose prices it is in: 2013, or 2013/14.",
        "source": "Write where the amount comes from.",
    }
    found = []
    for name, remedy in remedies.items():
        empty = table[name].isna() | (table[name].astype("str") == "")
        if empty.any():
            found.append(f'column "{name}" is empty in {_at(empty, lines)}. {remedy}')
    return found


def _strange(table: pd.DataFrame, lines: list[int], currency: str) -> list[str]:
    """Cells that contradict another, or are not known."""
    filled, codes = table["code"] != "", list(table["code"])
    twice = filled & table["code"].duplicated(keep=False)
    found = [
        f'code "{code}" occurs {len(rows)} times, in {_at(table["code"] == code, lines)}. Keep one.'
        for code, rows in table[twice].groupby("code", sort=False)
    ]
    for place, row in enumerate(table.to_dict("records")):
        where = f"row {lines[place]}"
        if row["parent"] and (row["parent"] not in codes or row["parent"] == row["code"]):
            known = [code for code in codes if code and code != row["code"]]
            found.append(
                f'{where}: parent "{row["parent"]}" is no other code here. {did_you_mean(row["parent"], known)}'
            )
        if row["price_year"] and not PRICE_YEAR.match(row["price_year"]):
            found.append(f'{where}: price_year "{row["price_year"]}" is no year. Write 2013, or 2013/14.')
        found += [
            f'{where}: kind_of_value "{kind}" is not known. {did_you_mean(kind, VALUE_KINDS)}'
            for kind in _kinds(row["kind_of_value"])
            if kind not in VALUE_KINDS
        ]
        found += [f"{where}: {text}" for text in _range_problems(row)]
        if row["currency"] != currency:
            text = (
                f"is in {row['currency']}, the study in {currency}. Convert it at a dated rate, and say so in source."
            )
            found.append(f"{where}: {text}")
    return found


def _range_problems(row: Mapping[Any, Any]) -> list[str]:
    """What is wrong with the range of one amount."""
    low, high, amount = row["low"], row["high"], row["amount"]
    if pd.isna(low) and pd.isna(high):
        return []
    if pd.isna(low) or pd.isna(high):
        return ["only one end of its range is given. Write low and high."]
    if pd.notna(amount) and not low <= amount <= high:
        return [f"amount {amount:g} does not lie between low {low:g} and high {high:g}."]
    return []


def _kinds(text: str) -> list[str]:
    """The kinds of value in a cell: "fiscal and economic" are two."""
    return [part for part in re.split(r"\s*(?:,|;|\band\b)\s*", text.strip().lower()) if part]


def look_up(name: str, own: pd.DataFrame | None = None) -> Entry:
    """Find a unit cost: in the study's own table first, then on the shelf.

    Parameters
    ----------
    name : str
        A code of the study's table, or the id of an entry of the shelf.
    own : DataFrame, optional
        From `read_unit_costs`, or ``.table`` of `unit_costs_from`.

    Returns
    -------
    dict
        Like an entry of the shelf: id, code, parent, title, amount, currency, unit, per ("year", "lifetime" or ""),
        price_year, price_year_label, agency, kind_of_value, cashable, low, high (None where not known), source,
        notes, status.

    Raises
    ------
    StudyError
        Neither has it; the nearest name of both is told.
    """
    wanted = str(name).strip()
    if own is not None and (own["code"] == wanted).any():
        return _own_entry(own[own["code"] == wanted].iloc[0].to_dict())
    try:
        entry = library.load("unit_values", wanted)
    except StudyError as error:
        if own is None or not len(own) or "unconfirmed" in str(error):
            raise
        shelf = library.catalogue().query("kind == 'unit_values'")["id"]
        hint = did_you_mean(wanted, [*own["code"], *shelf])
        raise StudyError(f'unit value "{wanted}" is not in the study\'s unit costs, nor on the shelf. {hint}') from None
    return {"parent": "", "cashable": None, "low": None, "high": None, **entry}


def _own_entry(row: Mapping[Any, Any]) -> Entry:
    """A row of a table of unit costs as an entry of the shelf."""
    entry: Entry = {str(key): None if pd.isna(value) else value for key, value in row.items()}
    texts = {
        key: entry.get(key) or "" for key in ("parent", "agency", "unit", "per", "kind_of_value", "source", "notes")
    }
    year, label = int(entry["price_year"]), str(entry.get("price_year_label") or entry["price_year"])
    numbers = {key: entry.get(key) for key in ("cashable", "low", "high")}
    same = {"id": entry["code"], "status": "the study's own", "price_year": year, "price_year_label": label}
    return {**entry, **texts, **numbers, **same, "date": label, "title": entry.get("title") or entry["code"]}


def children_of(name: str, own: pd.DataFrame | None = None) -> list[Entry]:
    """Find the entries that a unit cost is made up of.

    Parameters
    ----------
    name : str
        As for `look_up`.
    own : DataFrame, optional
        As for `look_up`.

    Returns
    -------
    list of dict
        Its children, from the same table; empty where it has none.
    """
    if own is not None and (own["code"] == name).any():
        return [_own_entry(row) for row in own[own["parent"] == name].to_dict("records")]
    ids = library.catalogue().query("kind == 'unit_values' and status != 'unconfirmed'")["id"]
    entries = [look_up(str(id)) for id in ids]
    return [entry for entry in entries if entry["parent"] == name and not entry.get("instead")]


def both_levels(lines: pd.DataFrame, own: pd.DataFrame | None = None) -> tuple[list[str], list[Flag]]:
    """Look for unit costs that are used together with their own parent: the same money twice.

    Parameters
    ----------
    lines : DataFrame
        Of an impact map: line (what messages call it), outcome, title, proxy_id (empty where the proxy is an amount).
    own : DataFrame, optional
        As for `look_up`.

    Returns
    -------
    (list of str, list of Flag)
        One sentence per pair of rows that value the same outcome with a parent and one of its children: to be
        refused. Pairs that value different outcomes so are a caution, since the money may overlap.
    """
    used = [row for row in as_rows(lines) if row["proxy_id"]]
    up = {row["proxy_id"]: _ancestors(row["proxy_id"], own) for row in used}
    problems, flags = [], []
    for child in used:
        for parent in (row for row in used if row["proxy_id"] in up[child["proxy_id"]]):
            pair = (
                f"{parent['line']} is valued with {parent['proxy_id']} and {child['line']} with {child['proxy_id']}, "
                "which is part of it or stands in its place"
            )
            if _valued(parent) == _valued(child):
                problems.append(f"{pair}: the same money twice. Keep the parent, or its children.")
            else:
                flags.append(Flag("value", "caution", f"{pair}: is the same money counted twice?", about="unit_costs"))
    return problems, flags


def _valued(row: Mapping[Any, Any]) -> str:
    """What a row values: its outcome, or its title where it names none."""
    return str(row["outcome"] or row["title"])


def _ancestors(name: str, own: pd.DataFrame | None) -> list[str]:
    """The parents of an entry, and theirs."""
    if own is not None and (own["code"] == name).any():
        return ancestors(name, dict(zip(own["code"], own["parent"], strict=True)))
    found: list[str] = []
    parent = look_up(name)["parent"]
    while parent and parent not in found:
        found.append(parent)
        parent = look_up(parent)["parent"]
    return found
