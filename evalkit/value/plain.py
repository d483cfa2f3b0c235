"""Appraising a plain table, without a study."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from evalkit.errors import DataError, Flag, StudyError, did_you_mean, nearest, several
from evalkit.tables.kinds import must_be_table
from evalkit.value.appraisal import appraise_lines
from evalkit.value.beside import beside_money, part_money
from evalkit.value.deflate import Prices, read_deflators
from evalkit.value.discount import Discounting, read_rate
from evalkit.value.lines import COLUMNS, SHARES, Reading, read_lines
from evalkit.value.noun import Value
from evalkit.value.ranges import Drawing
from evalkit.value.whole_life import Cost, one_cost, read_whole_life

OPTIONS = ("mixed_price_years", "deflators", "price_year", "cost_low", "cost_high")
MIXED = ("refuse", "warn")
ASSUMPTIONS = (*SHARES, "duration")
WITHOUT_STUDY = ("tornado", "switching", "subtotals", "together")


def appraise(
    impact_map: pd.DataFrame,
    cost: float | pd.DataFrame,
    discount_rate: float | str,
    discount_first_year: bool = True,
    draws: int = 10_000,
    seed: int = 20260101,
    **options: Any,
) -> Value:
    """Appraise a plain impact map.

    Parameters
    ----------
    impact_map : DataFrame
        outcome, quantity, proxy, deadweight, displacement, attribution, drop_off, duration; where known title,
        stakeholder, agency, bottom_line, price_year, starts_year, rate, source and a source per assumption
        (proxy_source ...), and ranges such as proxy_low and proxy_high. A line with neither quantity nor proxy, or
        with the proxy "not valued", is not valued in money and is shown beside it.
    cost : float or DataFrame
        What was spent, in the same currency and price year; or costs by year: year, amount, where known what, low,
        high, party, source.
    discount_rate : float or str
        A share a year, or a dated parameter file: "stpr 2022".
    discount_first_year : bool
        Whether the value of year 1 is discounted once.
    draws, seed : int
        For the ranges.
    **options
        cost_low, cost_high: the range of a cost that is one sum. price_year: the year whose prices are wanted
        (default: the latest that a line states). deflators: DataFrame of year, index, source, that brings amounts of
        other price years to it. mixed_price_years: "refuse" (default), or "warn" to add them all the same, with a
        serious flag.

    Returns
    -------
    Value
        ratio_low and ratio_high are None, with a flag, where no ranges are given; looks hold "tornado", "switching",
        "subtotals" and "together".

    Raises
    ------
    DataError
        The map or the costs are wrong: all problems at once, mixed price years among them.
    StudyError
        An option or the discount rate is not known.

    References
    ----------
    The SROI formula as described by Social Value UK; discounting as in HM Treasury's Green Book.
    """
    must_be_table(impact_map, "The impact map")
    _refuse_misspelt(impact_map)
    prices = _prices(options)
    rate = read_rate(discount_rate, discount_first_year)
    lines, flags = read_lines(impact_map, Reading(prices=prices))
    lines, beside = part_money(lines)
    if missing := list(lines.loc[lines["quantity"].isna(), "line"]):
        raise DataError(f"The impact map has lines without a quantity: {', '.join(missing)}. Write how many.")
    lines = lines.assign(quantity_from="typed")
    prices = replace(prices, year=prices.target(lines["price_year"]))  # the cost is held to the prices of the map
    spent, more = _cost(cost, rate, prices, options)
    drawing = Drawing(draws, seed)
    flags = [*flags, *_nothing_anyway(lines), *more]
    value = beside_money(appraise_lines(lines, spent, rate, drawing, flags), beside)
    return _looked_at(value, lines, (spent, rate, drawing))


def _refuse_misspelt(impact_map: pd.DataFrame) -> None:
    """An assumption that stands there under nearly its name: left out, it would count as nothing."""
    strange = [str(name) for name in impact_map.columns if name not in COLUMNS]
    absent = [name for name in ASSUMPTIONS if name not in impact_map]
    near = {name: nearest(name, strange, alike=0.8) for name in absent}
    told = [f'It lacks the column "{name}". Did you mean "{meant}"?' for name, meant in near.items() if meant]
    if told:
        raise DataError(several("The impact map", told))


def _nothing_anyway(lines: pd.DataFrame) -> list[Flag]:
    """Lines of which no deadweight is taken off."""
    gross = ", ".join(lines.loc[~lines["given_deadweight"], "title"])
    if not gross:
        return []
    text = f"No deadweight is taken off: {gross}. Everything is counted as owed to the programme."
    return [Flag("value", "serious", text, "Estimate or state what would have happened anyway.", "deadweight")]


def _prices(options: dict[str, Any]) -> Prices:
    """What the options say of price years."""
    if strange := [name for name in options if name not in OPTIONS]:
        raise StudyError(f'appraise knows no option "{strange[0]}". {did_you_mean(strange[0], OPTIONS)}')
    mixed = options.get("mixed_price_years", "refuse")
    if mixed not in MIXED:
        raise StudyError(f'mixed_price_years "{mixed}" is not known. {did_you_mean(str(mixed), MIXED)}')
    table, year = options.get("deflators"), options.get("price_year")
    return Prices(None if year is None else int(year), None if table is None else read_deflators(table), mixed)


def _cost(
    cost: float | pd.DataFrame, rate: Discounting, prices: Prices, options: dict[str, Any]
) -> tuple[Cost, list[Any]]:
    """One sum, or costs by year."""
    if isinstance(cost, pd.DataFrame):
        return read_whole_life(cost, rate, prices)
    return one_cost(cost, options.get("cost_low"), options.get("cost_high")), []


def _looked_at(value: Value, lines: pd.DataFrame, how: tuple[Cost, Discounting, Drawing]) -> Value:
    """The looks that need no study."""
    from evalkit.value.looks import View, look_at_some  # the looks stand on the appraisal

    looks, said = look_at_some(View(value, lines, *how), WITHOUT_STUDY)
    return replace(value, looks=looks, flags=(*value.flags, *said))
