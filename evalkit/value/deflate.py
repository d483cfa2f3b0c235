"""Price years: amounts of other years are brought to one year with a dated table, or refused, or told apart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.errors import DataError, Flag, several
from evalkit.tables.kinds import Kind, convert

COLUMNS: dict[str, Kind] = {"year": "text", "index": "number", "source": "text"}
AMOUNTS = ("proxy", "proxy_low", "proxy_high")
REMEDY = (
    "Deflate them: name a table of deflators (year, index, source) that holds those years and the year wanted. "
    'Or go on with mixed_price_years = "warn": then the sum mixes pounds of different worth, and says so.'
)
YEAR = re.compile(r"^\s*(\d{4})(?:\.0+)?\s*(?:[/\u2013-]\s*(\d{2}|\d{4}))?\s*$")


@dataclass(frozen=True, eq=False)
class Prices:
    """The price year that amounts are brought to, and how.

    Parameters
    ----------
    year : int or None
        The study's price year; None: the latest that a line states.
    deflators : DataFrame or None
        From `read_deflators`: index and source by year.
    mixed : {"refuse", "warn"}
        What is done where price years differ and no deflators are given.
    """

    year: int | None = None
    deflators: pd.DataFrame | None = None
    mixed: Literal["refuse", "warn"] = "refuse"

    def target(self, years: pd.Series) -> int | None:
        """The year that these amounts are brought to; None where no year is known."""
        if self.year is not None:
            return self.year
        return None if years.isna().all() else int(years.max())


def year_of(value: object) -> float:
    """Read a price year: 2013, "2013", or a financial year by its first: "2013/14".

    Parameters
    ----------
    value : object
        A cell.

    Returns
    -------
    float
        NaN where it is no year.
    """
    found = YEAR.match(str(value))
    return float(found.group(1)) if found else np.nan


def read_deflators(table: pd.DataFrame, where: str = "The table of deflators") -> pd.DataFrame:
    """Check a dated table of a price index.

    Parameters
    ----------
    table : DataFrame
        year (2013 or "2013/14"), index (any base), source.
    where : str
        What messages call it.

    Returns
    -------
    DataFrame
        index and source, by year.

    Raises
    ------
    DataError
        Columns are missing, a year is none or comes twice, an index is not above 0, or a row has no source.
    """
    absent = [name for name in COLUMNS if name not in table]
    if absent or table.empty:
        problems = [f'it lacks the column "{name}".' for name in absent] or ["it has no rows."]
        raise DataError(several(where, problems))
    years, index = table["year"].map(year_of).reset_index(drop=True), convert(table["index"], "number")[0]
    index = index.astype(float).reset_index(drop=True)
    source = table["source"].map(lambda cell: "" if pd.isna(cell) else str(cell).strip()).reset_index(drop=True)
    problems = [
        f"row {row + 1}: {text}"
        for wrong, text in (
            (years.isna(), "year is not a year. Write 2013, or 2013/14."),
            (years.duplicated() & years.notna(), "its year stands there twice."),
            (~(index > 0), "index is not a number above 0."),
            (source == "", "it has no source. A deflator is a dated figure of somebody: say whose."),
        )
        for row in np.flatnonzero(wrong)
    ]
    if problems:
        raise DataError(several(where, problems))
    return pd.DataFrame({"index": index.to_numpy(), "source": source.to_numpy()}, index=years.astype(int).to_numpy())


def price_problems(lines: pd.DataFrame, prices: Prices) -> list[str]:
    """List what keeps amounts of different price years from being added.

    Parameters
    ----------
    lines : DataFrame
        With line, proxy and price_year (a number, or missing).
    prices : Prices
        What is wanted.

    Returns
    -------
    list of str
        Empty where all are of the year wanted, can be brought to it, or are to be mixed all the same.
    """
    other = _of_other_years(lines, prices)
    target = prices.target(lines["price_year"])
    if not len(other):
        return []
    if prices.deflators is not None:
        wanted = dict.fromkeys([int(cast(int, target)), *other["price_year"].astype(int)])
        absent = [str(year) for year in wanted if year not in prices.deflators.index]
        return [f"The deflators hold no index for {words.listed(absent)}. Add the year."] if absent else []
    if prices.mixed == "warn":
        return []
    return [f"{_differ(lines, other, prices)} {REMEDY}"]


def _of_other_years(lines: pd.DataFrame, prices: Prices) -> pd.DataFrame:
    """Lines whose amount is of another price year than the one wanted."""
    priced = lines[_priced(lines)]
    target = prices.target(priced["price_year"])
    return priced if target is None else priced[priced["price_year"] != target]


def _priced(lines: pd.DataFrame) -> pd.Series:
    """Lines that state a price year for an amount, or for one that is still to be written."""
    wanted = lines["proxy"].notna() | (lines["quantity"].notna() & ~lines["not_valued"])
    return wanted & lines["price_year"].notna()


def _differ(lines: pd.DataFrame, other: pd.DataFrame, prices: Prices) -> str:
    """In which prices the lines are."""
    stated = lines[_priced(lines)]
    years = sorted(set(stated["price_year"].astype(int)))
    if prices.year is not None and len(years) == 1:
        return f"The impact map is in prices of {years[0]}, the study in prices of {prices.year}."
    listed = "; ".join(f"{line}: {int(year)}" for line, year in zip(stated["line"], stated["price_year"], strict=True))
    study = f"; the study: {prices.year}" if prices.year is not None and len(other) else ""
    return f"Price years differ ({listed}{study})."


def bring(lines: pd.DataFrame, prices: Prices) -> tuple[pd.DataFrame, list[Flag]]:
    """Bring amounts to the price year wanted.

    Parameters
    ----------
    lines : DataFrame
        As for `price_problems`, which found none.
    prices : Prices
        What is wanted.

    Returns
    -------
    (DataFrame, list of Flag)
        With proxy_stated and price_year_stated (as they were given), price_factor (what they were multiplied with; 1
        where nothing was done) and deflator_source; and flags: a note of each factor, or that price years are mixed.
    """
    lines = lines.assign(
        proxy_stated=lines["proxy"], price_year_stated=lines["price_year"], price_factor=1.0, deflator_source=""
    )
    other, target = _of_other_years(lines, prices), prices.target(lines["price_year"])
    if not len(other):
        return lines, []
    if prices.deflators is None or target is None:
        text = f"Amounts of different price years are added as if they were alike. {_differ(lines, other, prices)}"
        return lines, [Flag("value", "serious", text, "Give deflators to bring them to one year.", "price_year")]
    index = prices.deflators["index"]
    factor = index.loc[target] / other["price_year"].astype(int).map(index)
    lines.loc[other.index, "price_factor"] = factor
    lines.loc[other.index, "price_year"] = float(target)
    lines.loc[other.index, "deflator_source"] = str(prices.deflators.at[target, "source"])
    for name in AMOUNTS:
        lines[name] = lines[name] * lines["price_factor"]
    told = "; ".join(
        f"{title}: {int(year)} prices \u00d7 {words.number(times, 4)}"
        for title, year, times in zip(other["title"], other["price_year"], factor, strict=True)
    )
    sources = dict.fromkeys(prices.deflators.loc[[target, *other["price_year"].astype(int)], "source"])
    text = f"{len(other)} of {len(lines)} amounts were brought to prices of {target}."
    return lines, [Flag("value", "note", text, f"{told}. Deflators: {'; '.join(sources)}.", "price_year")]
