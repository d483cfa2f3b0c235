"""The impact map: its lines checked, its unit values looked up, its defaults said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from evalkit import library
from evalkit.errors import DataError, Flag, StudyError, several
from evalkit.tables.kinds import Kind

SHARES = ("deadweight", "displacement", "attribution", "drop_off")
RANGED = ("quantity", "proxy", *SHARES)
TEXTS = ("outcome", "title", "stakeholder", "agency", "source", "partners")
COLUMNS: dict[str, Kind] = {
    "outcome": "text",
    "title": "text",
    "stakeholder": "text",
    "agency": "text",
    "quantity": "number",
    "proxy": "text",
    "price_year": "number",
    **dict.fromkeys(SHARES, "share"),
    "duration": "number",
    "source": "text",
    "partners": "text",
    **{f"{name}_{end}": "share" if name in SHARES else "number" for name in RANGED for end in ("low", "high")},
}
DAYS_A_YEAR = 365
Line = dict[str, Any]
DEFLATE = "Deflate it first and write the amount."


def read_lines(impact_map: pd.DataFrame, currency: str | None = None) -> tuple[pd.DataFrame, list[Flag]]:
    """Check an impact map and fill in what is left empty.

    Parameters
    ----------
    impact_map : DataFrame
        At least outcome, quantity and proxy; proxy is an amount or the id of a unit value on the shelf. Empty shares
        count as 0 and an empty duration as 1 year, and flags say so; so they do of shares without a source, and of
        attribution without partners. quantity may be missing (it comes from an effect);
        where the proxy is too, the benefit is not valued in money.
    currency : str, optional
        The study's; unit values in another are refused.

    Returns
    -------
    (DataFrame, list of Flag)
        One row per line with every column of `COLUMNS`, numbers as float, and proxy_id, per, given_deadweight.

    Raises
    ------
    DataError
        Everything that is wrong with the lines, at once.
    """
    absent = [name for name in ("outcome", "quantity", "proxy") if name not in impact_map]
    if absent or impact_map.empty:
        problems = [f'It lacks the column "{name}".' for name in absent] or ["It has no lines."]
        raise DataError(several("The impact map", problems))
    lines = impact_map.reset_index(drop=True).assign(**{name: None for name in COLUMNS if name not in impact_map})
    for name in TEXTS:
        lines[name] = lines[name].map(lambda value: "" if pd.isna(value) else str(value).strip()).astype("str")
    lines, problems = _unit_values(lines, currency)
    numbers = [name for name, kind in COLUMNS.items() if kind != "text"]
    for name in [*numbers, "proxy"]:
        lines[name] = pd.to_numeric(lines[name], errors="coerce").astype(float)
    lines["title"] = lines["title"].where(lines["title"] != "", lines["outcome"])
    lines["given_deadweight"] = lines[["deadweight", "deadweight_low", "deadweight_high"]].fillna(0.0).ne(0).any(axis=1)
    flags = _defaults(lines[lines["proxy"].notna()])
    lines[list(SHARES)] = lines[list(SHARES)].fillna(0.0)
    flags += _unsupported(lines[lines["proxy"].notna()])
    lines["duration"] = lines["duration"].fillna(1.0)
    problems += _problems(lines)
    if not problems and lines["proxy"].isna().all():
        problems = ["No line has a proxy: nothing is valued in money. Write at least one, or leave out [value]."]
    if problems:
        raise DataError(several("The impact map", problems))
    return lines, flags


def _unit_values(lines: pd.DataFrame, currency: str | None) -> tuple[pd.DataFrame, list[str]]:
    """Proxies that are ids of unit values become amounts, with their price year, agency and source."""
    records: list[Line] = [
        {str(name): value for name, value in row.items()} | {"proxy_id": "", "per": ""}
        for row in lines.to_dict("records")
    ]
    problems: list[str] = []
    for place, line in enumerate(records):
        if pd.isna(line["proxy"]) or _is_number(line["proxy"]):
            continue
        where = _name(place, line)
        try:
            entry = library.load("unit_values", str(line["proxy"]).strip())
        except StudyError as error:
            problems.append(f"{where}: {error}")
            continue
        problems += [f"{where}: {entry['id']} {text}" for text in _unlike(line, entry, currency)]
        line |= {"proxy": entry["amount"], "proxy_id": entry["id"], "per": entry.get("per", "")}
        line |= {"price_year": entry["price_year"], "agency": line["agency"] or entry["agency"]}
        line |= {"source": line["source"] or entry["source"]}
    return pd.DataFrame(records), problems


def _unlike(line: Line, entry: Line, currency: str | None) -> list[str]:
    """Where a unit value is in another currency or price year than the line."""
    found = []
    if currency and entry["currency"] != currency:
        found.append(f"is in {entry['currency']}, the study in {currency}.")
    if pd.notna(line["price_year"]) and int(line["price_year"]) != entry["price_year"]:
        label = entry["price_year_label"]
        found.append(f"is in prices of {label}, the line says {int(line['price_year'])}. {DEFLATE}")
    return found


def _is_number(value: object) -> bool:
    """Whether a proxy is an amount."""
    return bool(pd.notna(pd.to_numeric(pd.Series([value]), errors="coerce").iloc[0]))


def _name(place: int, line: Line) -> str:
    """What a message calls a line."""
    return f'line {place + 1} ("{line["title"] or line["outcome"]}")'


def _problems(lines: pd.DataFrame) -> list[str]:
    """Everything that is wrong with the numbers."""
    found: list[str] = []
    years: dict[str, int] = {}
    for place, row in enumerate(lines.to_dict("records")):
        line: Line = {str(name): value for name, value in row.items()}
        where = _name(place, line)
        if pd.isna(line["proxy"]) and pd.notna(line["quantity"]):
            found.append(f"{where} has no proxy. Write an amount, or the id of a unit value.")
        if line["duration"] < 1 or line["duration"] % 1:
            found.append(f"{where}: duration {line['duration']:g} is not a whole number of years, 1 or more.")
        strange = [name for name in SHARES if not 0 <= line[name] <= 1]
        found += [f"{where}: {name} {line[name]:g} is not a share between 0 and 1." for name in strange]
        found += [f"{where}: {text}" for name in RANGED for text in _range_problems(line, name)]
        if pd.notna(line["price_year"]):
            years[where] = int(line["price_year"])
    if len(set(years.values())) > 1:
        listed = "; ".join(f"{where}: {year}" for where, year in years.items())
        found.append(f"Price years differ ({listed}). Deflate the proxies to one price year first.")
    return found


def _range_problems(line: Line, name: str) -> list[str]:
    """What is wrong with one range."""
    low, value, high = line[f"{name}_low"], line[name], line[f"{name}_high"]
    if pd.isna(low) and pd.isna(high):
        return []
    if pd.isna(low) or pd.isna(high):
        return [f"{name} has only one end of its range. Give {name}_low and {name}_high."]
    if pd.isna(value):
        return [f"{name} is empty and has a range: an effect brings its own. Drop {name}_low and {name}_high."]
    if not low <= value <= high:
        return [f"{name} {value:g} does not lie between {name}_low {low:g} and {name}_high {high:g}."]
    if name in SHARES and not 0 <= low <= high <= 1:
        return [f"{name}_low and {name}_high must be shares between 0 and 1."]
    return []


def _defaults(lines: pd.DataFrame) -> list[Flag]:
    """What was left empty and is counted as nothing."""
    says = {
        "attribution": "nobody else is named who served only those treated",
        "displacement": "nothing is said of outcomes moved from elsewhere",
    }
    flags = []
    for name, why in says.items():
        empty = lines[name].isna()
        if empty.any():
            these = f"{int(empty.sum())} of {len(lines)} lines"
            text = f"{name.capitalize()} is not given for {these} and counted as 0: {why}."
            flags.append(Flag("value", "caution", text, about=name))
    lasting = lines["drop_off"].isna() & (lines["duration"].fillna(1) > 1)
    if lasting.any():
        text = f"Drop-off is not given for {int(lasting.sum())} lines that last longer than a year and counted as 0."
        flags.append(Flag("value", "caution", text, about="drop_off"))
    if (lines["duration"].isna()).any():
        text = f"Duration is not given for {int(lines['duration'].isna().sum())} lines and counted as one year."
        flags.append(Flag("value", "note", text, about="duration"))
    return flags


def _unsupported(lines: pd.DataFrame) -> list[Flag]:
    """Shares that are taken off without saying for whom, or whence they come."""
    flags = []
    nameless = list(lines.loc[(lines["attribution"] != 0) & (lines["partners"] == ""), "title"])
    if nameless:
        text = f"Attribution is taken off and no partner is named: {', '.join(nameless)}."
        detail = "Write in partners who served those treated, and not those compared."
        flags.append(Flag("value", "caution", text, detail, "attribution"))
    for name in SHARES:
        silent = list(lines.loc[(lines[name] != 0) & (lines["source"] == ""), "title"])
        if silent:
            text = f"{name.replace('_', '-').capitalize()} is stated without a source: {', '.join(silent)}."
            flags.append(Flag("value", "caution", text, "Write its source in the column source.", name))
    return flags


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
    amounts = ["proxy", "proxy_low", "proxy_high"]
    changed = lines.assign(**{name: np.where(wrong, lines[name] / DAYS_A_YEAR, lines[name]) for name in amounts})
    titles = ", ".join(lines.loc[wrong, "title"])
    return changed, [Flag("value", "note", f"Yearly unit values were divided by {DAYS_A_YEAR} for days: {titles}.")]
