"""What was spent: one sum, or costs by year over the whole life of the programme, discounted like the value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.errors import DataError, Flag, several
from evalkit.tables.kinds import Kind, convert
from evalkit.value.deflate import Prices, year_of
from evalkit.value.discount import Discounting

COLUMNS: dict[str, Kind] = {
    "year": "number",
    "what": "text",
    "amount": "money",
    "low": "money",
    "high": "money",
    "party": "text",
    "price_year": "text",
    "source": "text",
}
CALENDAR = 1900  # a year from here on is one of the calendar, not one of the programme
SPENT = "a ratio needs something that was spent"


@dataclass(frozen=True, eq=False)
class Cost:
    """What was spent.

    Parameters
    ----------
    amount : float
        In the study's currency and price year; of costs by year, their present value.
    low, high : float or None
        Its range, where one is given as one sum.
    rows : DataFrame or None
        Costs by year: year (0 is before year 1), what, party, source, amount, low, high, factor. Each has a range of
        its own.
    """

    amount: float
    low: float | None = None
    high: float | None = None
    rows: pd.DataFrame | None = None

    @property
    def by_year(self) -> bool:
        """Whether the costs of each year are known."""
        return self.rows is not None

    @property
    def varies(self) -> bool:
        """Whether any of it has a range."""
        if self.rows is not None:
            return bool((self.rows["high"] > self.rows["low"]).any())
        return self.low is not None or self.high is not None

    @property
    def last_year(self) -> int:
        """The last year with costs; 0 where they are one sum."""
        return 0 if self.rows is None else int(self.rows["year"].max())

    def each_year(self, years: int, column: str = "amount", present: bool = True) -> np.ndarray:
        """Costs from year 0 on.

        Parameters
        ----------
        years : int
            The last year.
        column : str
            "amount", "low" or "high".
        present : bool
            Whether they are discounted.

        Returns
        -------
        ndarray, shape (years + 1,)
            One sum stands in year 0.
        """
        out = np.zeros(years + 1)
        if self.rows is None:
            out[0] = self.amount
            return out
        worth = self.rows[column] * (self.rows["factor"] if present else 1.0)
        np.add.at(out, self.rows["year"].to_numpy(dtype=int), worth.to_numpy(dtype=float))
        return out


def one_cost(amount: float, low: float | None = None, high: float | None = None) -> Cost:
    """Check a cost that is one sum.

    Parameters
    ----------
    amount : float
        Above 0.
    low, high : float, optional
        Its range; an end left out is the amount itself.

    Returns
    -------
    Cost
        As given.

    Raises
    ------
    DataError
        It is not above 0, no number, or does not lie within its range.
    """
    try:
        ends = [float(amount if end is None else end) for end in (amount, low, high)]
    except (TypeError, ValueError):
        raise DataError(f'cost "{amount}" is not a number. Write 250000: no currency sign, no separators.') from None
    if not (ends[0] > 0 and np.isfinite(ends).all()):
        raise DataError(f"cost {amount} must be above 0: {SPENT}.")
    if not 0 < ends[1] <= ends[0] <= ends[2]:
        raise DataError(f"cost {ends[0]:g} does not lie between cost_low {ends[1]:g} and cost_high {ends[2]:g}.")
    return Cost(ends[0], None if low is None else ends[1], None if high is None else ends[2])


def read_whole_life(
    table: pd.DataFrame,
    discounting: Discounting,
    prices: Prices | None = None,
    where: str = "The table of costs by year",
    places: list[int] | None = None,
) -> tuple[Cost, list[Flag]]:
    """Check costs by year and discount them.

    Parameters
    ----------
    table : DataFrame
        year and amount; where known what, low, high, party, price_year, source. Years are those of the programme (0
        is before year 1), or of the calendar, of which the first is then year 1. A negative amount is money that came
        back.
    discounting : Discounting
        The convention of the map; year 0 is never discounted.
    prices : Prices, optional
        Amounts with another price_year are deflated as the map's are.
    where : str
        What messages call it.
    places : list of int, optional
        The file's line numbers.

    Returns
    -------
    (Cost, list of Flag)
        The present value and the rows behind it.

    Raises
    ------
    DataError
        Everything that is wrong with it, at once; among it a sum that is not above 0.
    """
    absent = [name for name in ("year", "amount") if name not in table]
    if absent or table.empty:
        problems = [f'it lacks the column "{name}".' for name in absent] or ["it has no rows."]
        raise DataError(several(where, problems))
    told = [f"line {places[row]}" if places else f"row {row + 1}" for row in range(len(table))]
    rows, problems = _typed(table.reset_index(drop=True), told)
    if problems := problems or _problems(rows, told):
        raise DataError(several(where, problems))
    rows, flags = _years(rows, where)
    rows, said = _deflated(rows, prices or Prices(), where, told)
    factors = np.concatenate([[1.0], discounting.factors(int(rows["year"].max()))])
    rows["factor"] = factors[rows["year"].to_numpy(dtype=int)]
    amount = float((rows["amount"] * rows["factor"]).sum())
    if not amount > 0:
        raise DataError(f"{where} comes to {amount:,.2f}, which is not above 0: {SPENT}.")
    if not (least := float((rows["low"] * rows["factor"]).sum())) > 0:
        remedy = "Count money that came back as value, in the impact map, or give narrower ranges."
        raise DataError(f"{where} comes to {least:,.2f} at the low ends, which is not above 0: {SPENT}. {remedy}")
    if silent := [told[row] for row in np.flatnonzero(rows["source"] == "")]:
        text = f"{len(silent)} of {len(rows)} costs by year are stated without a source."
        flags.append(Flag("value", "caution", text, f"{', '.join(silent)}. Write its source.", "cost"))
    return Cost(amount, rows=rows), flags + said


def _typed(table: pd.DataFrame, told: list[str]) -> tuple[pd.DataFrame, list[str]]:
    """The columns of their kinds, and the cells that cannot be."""
    rows, problems = pd.DataFrame(index=table.index), []
    for name, kind in COLUMNS.items():
        column = table[name] if name in table else pd.Series([None] * len(table))
        if kind == "text":
            rows[name] = column.map(lambda cell: "" if pd.isna(cell) else str(cell).strip()).astype("str")
            continue
        numbers, wrong = convert(column, kind)
        rows[name] = numbers.astype(float)
        if wrong is not None:
            where = ", ".join(told[row] for row in wrong.rows)
            problems.append(f'{where}: {name} "{wrong.first}" is not {wrong.finding[0]}. {wrong.remedy}')
    return rows, problems


def _problems(rows: pd.DataFrame, told: list[str]) -> list[str]:
    """What is wrong with years, amounts and ranges."""
    low, high = rows["low"].fillna(rows["amount"]), rows["high"].fillna(rows["amount"])
    wrong = (
        (~(rows["year"] >= 0) | (rows["year"] % 1 != 0), "year is not a whole number, 0 or more."),
        (rows["amount"].isna(), "it has no amount."),
        (~((low <= rows["amount"]) & (rows["amount"] <= high)) & rows["amount"].notna(),
         "amount does not lie between low and high."),
        ((rows["price_year"] != "") & rows["price_year"].map(year_of).isna(), "price_year is not a year."),
    )  # fmt: skip
    return [f"{told[row]}: {text}" for mask, text in wrong for row in np.flatnonzero(mask)]


def _years(rows: pd.DataFrame, where: str) -> tuple[pd.DataFrame, list[Flag]]:
    """Years of the programme; those of the calendar are counted from the first."""
    rows = rows.assign(low=rows["low"].fillna(rows["amount"]), high=rows["high"].fillna(rows["amount"]))
    calendar = rows["year"] >= CALENDAR
    if not calendar.any():
        return rows, []
    if not calendar.all():
        raise DataError(f"{where} mixes years of the calendar with years of the programme. Write one or the other.")
    first = int(rows["year"].min())
    text = f"The first year with costs, {first}, is counted as year 1."
    flag = Flag("value", "note", text, "Write years of the programme (0, 1, 2) if another year is its first.", "cost")
    return rows.assign(year=rows["year"] - first + 1), [flag]


def _deflated(rows: pd.DataFrame, prices: Prices, where: str, told: list[str]) -> tuple[pd.DataFrame, list[Flag]]:
    """Costs in the price year of the map."""
    stated = rows["price_year"].map(year_of)
    target = prices.target(stated)
    other = stated.notna() & (stated != target)
    if not other.any():
        return rows, []
    listed = ", ".join(told[row] for row in np.flatnonzero(other))
    if prices.deflators is None and prices.mixed == "refuse":
        raise DataError(f"{where}: {listed} are in other prices than those of {target}. Name a table of deflators.")
    if prices.deflators is None:
        text = f"Costs of different price years are added as if they were alike: {listed}."
        return rows, [Flag("value", "serious", text, "Give deflators to bring them to one year.", "price_year")]
    index: Any = prices.deflators["index"]
    wanted = [cast(int, target), *stated[other].astype(int)]
    if absent := [str(year) for year in dict.fromkeys(wanted) if year not in index.index]:
        raise DataError(f"{where}: the deflators hold no index for {words.listed(absent)}. Add the year.")
    times = pd.Series(1.0, index=rows.index)
    times[other] = index.loc[target] / stated[other].astype(int).map(index)
    rows = rows.assign(**{name: rows[name] * times for name in ("amount", "low", "high")})
    text = f"{int(other.sum())} of {len(rows)} costs by year were brought to prices of {target}."
    return rows, [Flag("value", "note", text, listed, "price_year")]
