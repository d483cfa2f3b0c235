"""The impact map: its lines read, its unit values looked up, its defaults said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from evalkit.errors import DataError, Flag, StudyError, several
from evalkit.tables.kinds import NOT_THERE, Kind, convert
from evalkit.tables.rows import as_rows
from evalkit.value import checks
from evalkit.value.deflate import Prices, bring, price_problems, year_of
from evalkit.value.discount import read_line_rate
from evalkit.value.unit_costs import both_levels, look_up

SHARES = ("deadweight", "displacement", "attribution", "drop_off")
RANGED = ("quantity", "proxy", *SHARES)
SOURCES = tuple(f"{name}_source" for name in RANGED)
NOT_VALUED = "not valued"  # as a proxy: stands beside the money, with its quantity
LABELS = ("outcome", "title", "stakeholder", "agency", "bottom_line", "kind_of_value", "agreed", "rate")
TEXTS = (*LABELS, "source", "partners", *SOURCES)
COLUMNS: dict[str, Kind] = {
    **dict.fromkeys(LABELS[:6], "text"),
    "cashable": "share",
    "agreed": "text",
    "quantity": "number",
    "proxy": "text",
    "price_year": "text",
    **dict.fromkeys(SHARES, "share"),
    "duration": "number",
    "starts_year": "number",
    "rate": "text",
    "source": "text",
    "partners": "text",
    **{f"{name}_{end}": "share" if name in SHARES else "number" for name in RANGED for end in ("low", "high")},
    **dict.fromkeys(SOURCES, "text"),
}
NUMBERS = [name for name, kind in COLUMNS.items() if kind != "text"]
DAYS_A_YEAR = 365
Line = dict[str, Any]
DEFLATE = "Leave price_year empty, or deflate the amount first and write it."
SIGNS = "[-+\u2212(]?\\s*(?:[£$€¥]|[A-Z]{3}\\b)?\\s*[-+\u2212]?"
MONEY_LIKE = re.compile(rf"\s*{SIGNS}\d[\d.,' \u00a0]*\s*(?:[£$€¥kKmM%]|[A-Z]{{3}})?\)?\s*$")


@dataclass(frozen=True)
class Origin:
    """Where the lines of an impact map stand, for messages.

    Parameters
    ----------
    where : str
        The file, or "The impact map" for a table that came from no file.
    numbers : sequence of int
        The file's line number of each row; empty: rows are counted from 1.
    """

    where: str = "The impact map"
    numbers: Sequence[int] = ()

    def place(self, row: int) -> str:
        """What a message calls the row at a position."""
        return f"line {self.numbers[row]}" if row < len(self.numbers) else f"row {row + 1}"


@dataclass(frozen=True)
class Reading:
    """How an impact map is read.

    Parameters
    ----------
    currency : str or None
        The study's; unit values in another are refused.
    origin : Origin
        Where it stands.
    prices : Prices
        The price year that amounts are brought to, and how.
    own : DataFrame or None
        The study's own unit costs, which are looked at before the shelf.
    """

    currency: str | None = None
    origin: Origin = field(default_factory=Origin)
    prices: Prices = field(default_factory=Prices)
    own: pd.DataFrame | None = None


def read_lines(impact_map: pd.DataFrame, reading: Reading | None = None) -> tuple[pd.DataFrame, list[Flag]]:
    """Check an impact map and fill in what is left empty.

    Parameters
    ----------
    impact_map : DataFrame
        At least outcome, quantity and proxy; proxy is an amount, the id of a unit value, or "not valued". Empty shares
        count as 0, an empty duration as 1 year and an empty starts_year as year 1, and flags say so; so they do of
        assumptions without a source, amounts without a price year, and attribution without partners. quantity may be
        missing (it comes from an effect); where the proxy is too, the benefit is not valued in money.
    reading : Reading, optional
        The study's currency, the place in its file, its price year and deflators, its own unit values.

    Returns
    -------
    (DataFrame, list of Flag)
        One row per line with every column of `COLUMNS`, numbers as float, amounts in the price year asked for, and
        line (number for messages), proxy_id, per, given_deadweight, stakeholder_group, price_factor, proxy_stated,
        price_year_stated.

    Raises
    ------
    DataError
        Everything that is wrong with the lines, at once.
    """
    reading = reading or Reading()
    absent = [name for name in ("outcome", "quantity", "proxy") if name not in impact_map]
    if absent or impact_map.empty:
        problems = [f'It lacks the column "{name}".' for name in absent] or ["It has no lines."]
        raise DataError(several(reading.origin.where, problems))
    lines = _texts(impact_map, reading.origin)
    lines, problems = _unit_values(lines, reading)
    problems += _numbers(lines)
    twice, overlapping = both_levels(lines, reading.own)
    lines["title"] = lines["title"].where(lines["title"] != "", lines["outcome"])
    lines["given_deadweight"] = lines[["deadweight", "deadweight_low", "deadweight_high"]].fillna(0.0).ne(0).any(axis=1)
    lines["stakeholder_group"] = lines["stakeholder"].map(checks.group_of).astype("str")
    flags = checks.defaults(lines[lines["proxy"].notna()])
    lines[list(SHARES)] = lines[list(SHARES)].fillna(0.0)
    flags += checks.unsupported(lines[lines["proxy"].notna()]) + checks.groups_noted(lines)
    lines[["duration", "starts_year"]] = lines[["duration", "starts_year"]].fillna(1.0)
    problems += checks.problems(lines, RANGED, SHARES) + _rates(lines) + price_problems(lines, reading.prices) + twice
    if not problems and lines["proxy"].isna().all():
        problems = ["No line has a proxy: nothing is valued in money. Write at least one, or leave out [value]."]
    if problems:
        raise DataError(several(reading.origin.where, problems))
    lines, said = bring(lines, reading.prices)
    return lines, [*flags, *overlapping, *said]


def _texts(impact_map: pd.DataFrame, origin: Origin) -> pd.DataFrame:
    """Every column there is to be, texts as text, each assumption with its source or the line's, rows named."""
    lines = impact_map.reset_index(drop=True).assign(**{name: None for name in COLUMNS if name not in impact_map})
    for name in TEXTS:
        lines[name] = lines[name].map(_text).astype("str")
    for name in ("bottom_line", "kind_of_value"):
        lines[name] = lines[name].str.lower()
    named = lines["title"].where(lines["title"] != "", lines["outcome"])
    lines["line"] = [f'{origin.place(row)} ("{title}")' for row, title in enumerate(named)]
    return lines


def _text(value: object) -> str:
    """A cell as text, whole numbers without decimals."""
    if value is None or value is pd.NA or value != value:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def _unit_values(lines: pd.DataFrame, reading: Reading) -> tuple[pd.DataFrame, list[str]]:
    """Proxies that are names of unit values become amounts, with their price year, agency, kind and source."""
    records: list[Line] = as_rows(lines)
    problems: list[str] = []
    for line in records:
        line |= {"proxy_id": "", "per": "", "not_valued": False, "unread": False}
        own, stated, proxy = line["source"], line["price_year"], _text(line["proxy"])
        proxy = "" if proxy in NOT_THERE else proxy
        line["price_year"] = year_of(stated)
        if pd.isna(line["price_year"]) and _text(stated):
            problems.append(f'{line["line"]}: price_year "{stated}" is not a year. Write 2013, or 2013/14.')
        if proxy.lower().startswith(NOT_VALUED):
            line |= {"proxy": None, "not_valued": True}
        elif not proxy or _is_number(line["proxy"]):
            line["proxy"] = None if not proxy else float(line["proxy"])
        elif MONEY_LIKE.match(proxy):
            problems.append(f'{line["line"]}: proxy "{proxy}" is not an amount. {_remedy(proxy)}')
            line |= {"proxy": None, "unread": True}
        else:
            problems += _looked_up(line, proxy, reading)
        for name in SOURCES:
            line[name] = line[name] or own  # a unit value's source says nothing of the shares taken off
    return pd.DataFrame(records, index=lines.index), problems


def _looked_up(line: Line, proxy: str, reading: Reading) -> list[str]:
    """Fill a line from its unit value; what is wrong with that."""
    try:
        entry = look_up(proxy, reading.own)
    except StudyError as error:
        line |= {"proxy": None, "unread": True}
        return [f"{line['line']}: {error}"]
    wrong = [f"{line['line']}: {entry['id']} {text}" for text in _unlike(line, entry, reading.currency)]
    line |= {"proxy": float(entry["amount"]), "proxy_id": entry["id"], "per": entry.get("per", "")}
    line |= {"price_year": year_of(entry["price_year"]), "agency": line["agency"] or entry.get("agency", "")}
    line |= {"proxy_source": line["proxy_source"] or entry.get("source", "")}
    line |= {"source": line["source"] or entry.get("source", "")}
    line |= {"kind_of_value": line["kind_of_value"] or str(entry.get("kind_of_value", ""))}
    if all(_text(line[f"proxy_{end}"]) == "" for end in ("low", "high")):
        line |= {f"proxy_{end}": entry.get(end) for end in ("low", "high")}
    if _text(line["cashable"]) == "":
        line["cashable"] = entry.get("cashable")
    return wrong


def _unlike(line: Line, entry: Line, currency: str | None) -> list[str]:
    """Where a unit value is in another currency or price year than the line."""
    found = []
    if currency and entry.get("currency", currency) != currency:
        found.append(f"is in {entry['currency']}, the study in {currency}.")
    if pd.notna(line["price_year"]) and line["price_year"] != year_of(entry["price_year"]):
        label = entry.get("price_year_label", entry["price_year"])
        found.append(f"is in prices of {label}, the line says {int(line['price_year'])}. {DEFLATE}")
    return found


def _is_number(value: object) -> bool:
    """Whether a proxy is an amount."""
    return bool(pd.notna(pd.to_numeric(pd.Series([value]), errors="coerce").iloc[0]))


def _remedy(text: str) -> str:
    """How an amount is written."""
    plain = re.sub(r"[^0-9.]", "", text)
    example = plain if re.fullmatch(r"\d+(\.\d{1,2})?", plain) else "1250.50"
    return f"Write amounts as {example}: no currency sign, no thousands separator, no words, a point for pence."


def _numbers(lines: pd.DataFrame) -> list[str]:
    """Turn the columns of numbers into numbers, in place; the cells that are none."""
    problems = []
    for name in NUMBERS:
        money = name.startswith("proxy")
        numbers, wrong = convert(lines[name], "money" if money else "number")
        if wrong is not None:
            remedy = "Write 18 % as 0.18." if COLUMNS[name] == "share" else wrong.remedy
            if name.startswith("quantity"):
                remedy = _remedy(wrong.first).replace("amounts as", "numbers as").replace(", a point for pence", "")
            where = ", ".join(lines["line"].iloc[wrong.rows])
            problems.append(f'{where}: {name} "{wrong.first}" is not a number. {remedy}')
        lines[name] = numbers.astype(float)
    lines["proxy"] = lines["proxy"].astype(float)
    return problems


def _rates(lines: pd.DataFrame) -> list[str]:
    """Rates of their own that cannot be found."""
    problems = []
    for rate in dict.fromkeys(lines["rate"][lines["rate"] != ""]):
        try:
            read_line_rate(rate, True)
        except StudyError as error:
            problems.append(f"{', '.join(lines.loc[lines['rate'] == rate, 'line'])}: rate: {error}")
    return problems


def daily(lines: pd.DataFrame, units: dict[str, str]) -> tuple[pd.DataFrame, list[Flag]]:
    """Yearly unit values become daily ones where the effect is counted in days.

    Parameters
    ----------
    lines : DataFrame
        From `read_lines`.
    units : dict
        Outcome -> its unit.

    Returns
    -------
    (DataFrame, list of Flag)
        The lines, and a note where that was done.
    """
    in_days = lines["outcome"].map(lambda name: "day" in units.get(name, "").lower()).astype(bool)
    wrong = (in_days & (lines["per"] == "year")).to_numpy()
    if not wrong.any():
        return lines, []
    amounts = ["proxy", "proxy_low", "proxy_high", "proxy_stated"]
    changed = lines.assign(**{name: np.where(wrong, lines[name] / DAYS_A_YEAR, lines[name]) for name in amounts})
    titles = ", ".join(lines.loc[wrong, "title"])
    return changed, [Flag("value", "note", f"Yearly unit values were divided by {DAYS_A_YEAR} for days: {titles}.")]
