"""A user's copy of a unit cost database, read with its price years, its families of codes and its faults."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from evalkit import words
from evalkit.errors import DataError, Flag, several
from evalkit.tables.files import read_file
from evalkit.tables.kinds import plain_text
from evalkit.value.unit_cost_codes import PRICE_YEAR, contradiction, one_name, parents_of, rounding

NAMES = {
    "code": ("code",),
    "title": ("title", "description"),
    "agency": ("agency",),
    "agency_detail": ("agency_detail",),
    "amount": ("amount", "cost_gbp", "gbp", "cost"),
    "unit": ("unit",),
    "price_year": ("price_year", "source_detail", "year"),
    "category": ("category",),
    "kind_of_value": ("kind_of_value",),
    "parent": ("parent",),
    "cashable": ("cashable",),
    "low": ("low",),
    "high": ("high",),
    "source": ("source",),
    "notes": ("notes",),
}
KIND = re.compile(r"\b(fiscal|economic|social)(?=,| and (?:fiscal|economic|social)\b| (?:value|cost|benefit|saving))")
MUCH = 0.05  # further from their parent than this, children are no parts of it
Rows = list[dict[str, Any]]


@dataclass(frozen=True, eq=False)
class UnitCosts:
    """A database of unit costs.

    Parameters
    ----------
    table : DataFrame
        One row per code: code, parent, title, agency, agency_detail, amount, currency, unit, per, price_year,
        price_year_label, kind_of_value, cashable, low, high, category, source, notes, doubt (what is odd about the
        entry, empty where nothing is). It can be used as the study's own table, and written as its csv.
    flags : tuple of Flag
        What a user must know of it.
    """

    table: pd.DataFrame
    flags: tuple[Flag, ...]


def unit_costs_from(file: str | Path, currency: str = "GBP") -> UnitCosts:
    """Read a copy of a unit cost database.

    Parameters
    ----------
    file : str or Path
        json, as an object with categories of entries or a plain list of entries, or a table (csv, xlsx). Columns:
        code, description or title, cost_gbp or amount, agency, unit, source_detail or price_year ("2013/14").
    currency : str
        Of its amounts.

    Returns
    -------
    UnitCosts
        Formulas in notes are dropped, agencies that differ only in capitals are written in one way, parents are
        derived from codes. Entries that contradict their parent, and families whose parts do not add up to it, are
        named in ``doubt`` and in a flag; nothing is mended.

    Raises
    ------
    DataError
        Codes that are missing or occur twice, amounts that are no numbers, price years that are no years.

    Notes
    -----
    Whether a database may be copied is a matter of its licence; this reads the copy that a user has.
    """
    path = Path(file)
    rows, source = _entries(path)
    table = _columns(rows, path, source)
    table["agency"], merged = one_name(table["agency"])
    table = table.assign(
        parent=table["parent"].where(table["parent"] != "", parents_of(table["code"])),
        currency=currency,
        per=table["unit"].map(_per),
        kind_of_value=table["kind_of_value"].where(table["kind_of_value"] != "", table["title"].map(_kind)),
    )
    table["doubt"] = _doubts(table)
    return UnitCosts(table, tuple(_flags(table, merged, path.name)))


def _entries(path: Path) -> tuple[Rows, str]:
    """The entries of a file as they stand, and what the file calls itself."""
    if path.suffix.lower() != ".json":
        try:
            return read_file(path).to_dict("records"), ""  # type: ignore[return-value]
        except DataError as error:
            raise DataError(f"{path.name}: {error}") from error
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path.name} cannot be read as json: {error}.") from error
    parts = data.get("categories", {}) if isinstance(data, dict) else {}
    groups = list(parts.values()) if isinstance(parts, dict) else list(parts)
    found = [entry for group in groups for entry in group.get("entries", [])]
    found = found or (data.get("entries", []) if isinstance(data, dict) else data)
    return list(found), str(data.get("source", "")) if isinstance(data, dict) else ""


def _columns(rows: Rows, path: Path, source: str) -> pd.DataFrame:
    """The columns of our own names; formulas are no notes."""
    raw = pd.DataFrame(rows)
    chosen = {name: next((other for other in others if other in raw), None) for name, others in NAMES.items()}
    if absent := [name for name in ("code", "amount", "price_year") if chosen[name] is None]:
        known = [f"no column for the {name} ({' or '.join(NAMES[name])})." for name in absent]
        raise DataError(several(path.name, known))
    table = pd.DataFrame({name: raw[other] if other else None for name, other in chosen.items()}, index=raw.index)
    for name in table.columns.difference(["amount", "cashable", "low", "high"]):
        table[name] = plain_text(table[name])
    table["notes"] = table["notes"].where(~table["notes"].str.startswith("="), "")
    problems = _problems(table)
    if problems:
        raise DataError(several(path.name, problems))
    for name in ("amount", "cashable", "low", "high"):
        table[name] = pd.to_numeric(table[name]).astype(float)
    label = table["price_year"]
    named = table["source"].where(
        table["source"] != "", [f"{source or path.stem}, entry {code}" for code in table["code"]]
    )
    return table.assign(
        price_year=label.str.extract(PRICE_YEAR, expand=False).astype(int), price_year_label=label, source=named
    )


def _problems(table: pd.DataFrame) -> list[str]:
    """Entries that cannot be used, by code."""
    codes, amounts = table["code"], pd.to_numeric(table["amount"], errors="coerce")
    wrong = {
        "have no code": codes == "",
        "occur more than once": (codes != "") & codes.duplicated(keep=False),
        "have an amount that is no plain number": amounts.isna(),
        "have a price year that is no year (2013, or 2013/14)": ~table["price_year"].str.match(PRICE_YEAR),
    }
    found = []
    for what, mask in wrong.items():
        if mask.any():
            numbered = enumerate(zip(codes, mask, strict=True), start=1)
            some = list(dict.fromkeys(code or f"entry {place}" for place, (code, wrong) in numbered if wrong))
            more = "" if len(some) <= 8 else f" and {len(some) - 8} more"
            found.append(f"{', '.join(some[:8])}{more}: {what}.")
    return found


def _per(unit: str) -> str:
    """Whether an amount is for a year, or for a lifetime."""
    low = unit.lower()
    if "lifetime" in low or "year period" in low:
        return "lifetime" if "lifetime" in low else low.split("over ", 1)[-1].removeprefix("a ").strip()
    return "year" if "per year" in low else ""


def _kind(title: str) -> str:
    """The kinds of value that a description names."""
    return " and ".join(dict.fromkeys(KIND.findall(title.lower())))


def _doubts(table: pd.DataFrame) -> pd.Series:
    """What is odd about each entry, held to its parent or its children."""
    by_code = {row["code"]: row for row in table.to_dict("records")}
    said: dict[str, list[str]] = {code: [] for code in by_code}
    for code, children in table[table["parent"] != ""].groupby("parent", sort=False):
        if code not in by_code:
            continue
        parent = by_code[code]
        total = float(children["amount"].sum())
        if abs(total - parent["amount"]) > rounding([parent["amount"], *children["amount"]]):
            said[str(code)].append(_not_the_sum(parent, total, children))
        for child in children.to_dict("records"):
            if ages := contradiction(parent["title"], child["title"]):
                said[child["code"]].append(f"its description contradicts that of its parent: ages {ages}")
            if child["price_year"] != parent["price_year"]:
                years = f"{child['price_year_label']} against {parent['price_year_label']}"
                said[child["code"]].append(f"its price year is not that of its parent: {years}")
    return table["code"].map(lambda code: "; ".join(said[code])).astype("str")


def _not_the_sum(parent: Mapping[Any, Any], total: float, children: pd.DataFrame) -> str:
    """In what way children do not add up to their parent."""
    count, amount = len(children), parent["amount"]
    whose = "its only child is" if count == 1 else f"its {count} children sum to"
    numbers = f"{whose} {words.number(total, 2)}, it is {words.number(amount, 2)}"
    units = sorted(set(children["unit"].str.lower()) - {parent["unit"].lower()})
    if units:
        return f"{numbers}: they are counted {', '.join(units)}, it is {parent['unit'].lower()}"
    if abs(total - amount) <= MUCH * abs(amount):
        return f"{numbers}: more than rounding explains"
    return f"{numbers}: they are scenarios, or not all of its parts"


def _flags(table: pd.DataFrame, merged: dict[str, str], file: str) -> list[Flag]:
    """What a user of the copy must know."""
    years = sorted(table["price_year"].unique())
    flags = []
    if len(years) > 1:
        text = f"{file} holds prices of {len(years)} years, {years[0]} to {years[-1]}."
        flags.append(
            Flag("value", "caution", text, "Bring amounts to one price year before they are added.", "unit_costs")
        )
    if len(odd := table[table["doubt"] != ""]):
        listed = "\n".join(f"{row.code}: {row.doubt}." for row in odd.itertuples())
        text = f"{len(odd)} of {len(table)} entries of {file} contradict their parent or their children."
        flags.append(Flag("value", "caution", text, f"Read each before it is used.\n{listed}", "unit_costs"))
    if merged:
        told = "; ".join(f'"{old}" is read as "{new}"' for old, new in merged.items())
        flags.append(
            Flag("value", "note", f"Agencies written in two ways in {file} are one: {told}.", "", "unit_costs")
        )
    if children := int((table["parent"] != "").sum()):
        text = f"{children} entries of {file} are children of another: a parent and its children are the same money."
        flags.append(Flag("value", "note", text, "Use the parent, or its children, never both.", "unit_costs"))
    return flags
