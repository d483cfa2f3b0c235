"""What fell due: the rate card times what was achieved, claim by claim, price first and cap second."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from evalkit.contract.limits import Limits, YearBy, limits_from
from evalkit.contract.mechanisms import FLOOR, STEPPED, Price, price_of
from evalkit.contract.paying import walk
from evalkit.contract.pennies import to_penny
from evalkit.contract.prices import FIRST_LINE, cells, read_prices, texts, together
from evalkit.errors import DataError, did_you_mean, several
from evalkit.tables.kinds import must_be_table
from evalkit.tables.words import rows_listed

__all__ = ["COLUMNS", "due", "in_order", "read_prices", "refuse_unknown", "unpriced", "write_up"]

COLUMNS = ["metric", "person", "date", "units", "price", "gross", "paid", "cut_off", "why", "mechanism", "due_on"]


def due(
    rate_card: pd.DataFrame,
    achieved: pd.DataFrame,
    cap: float | None = None,
    cap_year: float | None = None,
    year_starts_month: int = 1,
    year_by: YearBy = "achieved",
    floor: float | None = None,
) -> pd.DataFrame:
    """Work out what fell due for what was achieved.

    Parameters
    ----------
    rate_card : DataFrame
        metric and price, and where they apply: mechanism (default "unit"), threshold, baseline, cap_person, cap_metric,
        cap_year, floor_metric, lag_days, from, until, per, claw_back, deadweight_in_price.

        - unit: price x units. day: the same, units being days below the contract's baseline.
        - milestone: the same, but each person's milestone counts once.
        - saved: units are what was observed; the price is paid for everything below the row's baseline, claim by
          claim; above it nothing, unless claw_back is yes: then money is taken back.
        - threshold: nothing until the units so far reach the threshold; then all of them are paid.
        - excess: nothing until then; then only the units above the threshold are paid.
        - step: one row per step (same metric, rising threshold); units are the level reached, and the price is what the
          highest step reached pays in all; nothing below the first step, nothing in between.
        - slide: units are the level reached; the price is paid for every unit above the threshold, up to the threshold
          of the metric's next row, if it has one (a row with price 0 ends it), and up to the cap.
        - scale: units are the level reached; the price of each row is the amount in all at its threshold, and in
          between the amount lies on the straight line; nothing below the first row (begin at threshold 0 for a floor),
          no more above the last (the ceiling).

        Levels and thresholds are reached by each person where claims name people, else by all claims together; per =
        "cohort" lets named people reach them together. cap_person is the most paid for one person over all metrics that
        carry one; cap_metric the most for the metric, cap_year the most for it in one year; floor_metric the least.
        Rows with from and until are prices that follow each other: a claim is priced by its date.
    achieved : DataFrame
        metric and units, and where known: date, person. Units are not negative, save the level of a step, slide or
        scale: a level below 0 says that things got worse, and pays nothing.
    cap, cap_year : float, optional
        The most that can be paid under the contract, and in any one year of it. Claims without a date count in no year.
    year_starts_month : int
        The month in which such a year begins.
    year_by : {"achieved", "due"}
        Whether the date of achievement or the date due (lag_days later) says in which year a payment counts.
    floor : float, optional
        The least that is paid under the contract.

    Returns
    -------
    DataFrame
        One row per claim, in date order and then in the order given (claims without a date last), then one row per
        floor that lifts a sum: metric, person, date, units, price, gross, paid, cut_off, why, mechanism, due_on.
        Amounts are rounded once per row, to the penny, halves up; ``gross - paid = cut_off`` in pennies; ``why`` names
        the caps and floors that bound. The price of a step or scale is missing: it has several.

    Raises
    ------
    DataError
        Metrics that are not on the rate card, unknown mechanisms, missing prices, amounts that are not plain numbers,
        negative units, claims at a time when no price held: all at once.
    """
    if year_by not in ("achieved", "due") or not 1 <= int(year_starts_month) <= 12:
        raise DataError('year_by is "achieved" or "due", and year_starts_month a month from 1 to 12.')
    must_be_table(rate_card, "The rate card")
    limits = limits_from(cap, cap_year, int(year_starts_month), year_by, floor)
    read = together(
        "What is due",
        {"card": lambda: read_prices(rate_card), "claims": lambda: in_order(achieved, levels=levels_in(rate_card))},
    )
    card, claims = read["card"], read["claims"]
    refuse_unknown(claims["metric"], list(card), "What was achieved")
    if problems := unpriced(claims, card):
        raise DataError(several("What was achieved", problems))
    return write_up(claims, card, limits)


def write_up(claims: pd.DataFrame, card: Mapping[str, Price], limits: Limits) -> pd.DataFrame:
    """Settle checked claims, in decimals, and write the ledger.

    Parameters
    ----------
    claims : DataFrame
        From `in_order`, each with a metric of the card.
    card : mapping of str to Price
        The rate card, with the triggers that pay.
    limits : Limits
        Of the contract.

    Returns
    -------
    DataFrame
        As `due`.
    """
    lines = list(walk(claims, card, limits))
    ledger = pd.DataFrame(
        {
            "metric": [line.metric for line in lines],
            "place": [np.nan if line.place is None else line.place for line in lines],
            "gross": [float(line.gross) for line in lines],
            "paid": [float(line.paid) for line in lines],
            "cut_off": [float(to_penny(line.gross - line.paid)) for line in lines],
            "why": [line.why for line in lines],
        }
    )
    rest = claims[["person", "date", "units"]].reset_index(drop=True).reindex(ledger["place"])
    ledger = pd.concat([ledger, rest.reset_index(drop=True)], axis=1)
    ledger["person"] = ledger["person"].fillna("")
    floors = ledger["place"].isna()
    ledger.loc[floors, "date"] = limits.ends
    ledger["date"] = pd.to_datetime(ledger["date"])
    ledger["mechanism"] = [
        FLOOR if lifts else card[m].mechanism for m, lifts in zip(ledger["metric"], floors, strict=True)
    ]
    ledger["price"] = [np.nan if lifts else _price(card[m], date) for m, date, lifts in
                       zip(ledger["metric"], ledger["date"], floors, strict=True)]  # fmt: skip
    lags = [0 if lifts else card[m].lag_days for m, lifts in zip(ledger["metric"], floors, strict=True)]
    ledger["due_on"] = ledger["date"] + pd.to_timedelta(pd.Series(lags, dtype="int64"), unit="D")
    text = dict.fromkeys(["metric", "person", "why", "mechanism"], "str")
    numbers = dict.fromkeys(["units", "price", "gross", "paid", "cut_off"], float)
    return ledger.astype({**text, **numbers})[COLUMNS]


def _price(price: Price, date: pd.Timestamp) -> float:
    return price_of(price, price.at(date) or price.tariffs[0])


def unpriced(claims: pd.DataFrame, card: Mapping[str, Price]) -> list[str]:
    """Say which claims fall on a day when their metric had no price, or have no date to choose a price by.

    Parameters
    ----------
    claims : DataFrame
        From `in_order`.
    card : mapping of str to Price
        The rate card.

    Returns
    -------
    list of str
        One sentence per metric.
    """
    problems = []
    for metric, rows in claims.groupby("metric", sort=False):
        price = card.get(str(metric))
        if price is None:
            continue
        without = [int(line) for date, line in zip(rows["date"], rows["line"], strict=True) if price.at(date) is None]
        if without:
            problems.append(
                f'Metric "{metric}" has no price for the date of {rows_listed(sorted(without))}. Give the claim a '
                'date, or the rate card a row whose "from" and "until" hold it.'
            )
    return problems


def levels_in(rate_card: pd.DataFrame) -> frozenset[str]:
    """Metrics whose units are a level reached, which may lie below 0: things got worse, and nothing is paid.

    Parameters
    ----------
    rate_card : DataFrame
        As for `due`.

    Returns
    -------
    frozenset of str
        Those with a step, slide or scale.
    """
    if not {"metric", "mechanism"} <= set(rate_card):
        return frozenset()
    return frozenset(texts(rate_card["metric"])[texts(rate_card["mechanism"]).str.lower().isin(STEPPED)])


def in_order(achieved: pd.DataFrame, lines: Sequence[int] | None = None, levels: Collection[str] = ()) -> pd.DataFrame:
    """Put what was achieved in date order, then file order, and refuse what is not a number of units.

    Parameters
    ----------
    achieved : DataFrame
        metric, units, and where known date and person.
    lines : sequence of int, optional
        The line of each row in its file; default: rows follow a header of one line.
    levels : collection of str
        Metrics whose units may be negative: see `levels_in`.

    Returns
    -------
    DataFrame
        metric (str), person (str, "" where not known), date (datetime64), units (float), line (int).

    Raises
    ------
    DataError
        A column is missing, units are missing or negative, dates are not dates.
    """
    must_be_table(achieved, "What was achieved")
    absent = [name for name in ("metric", "units") if name not in achieved]
    if absent:
        there = [str(name) for name in achieved.columns]
        told = [f'The table lacks the column "{name}". {did_you_mean(name, there)}'.strip() for name in absent]
        raise DataError(several("What was achieved", told))
    table = achieved.reset_index(drop=True)
    at = [FIRST_LINE + row for row in range(len(table))] if lines is None else list(lines)
    problems: list[str] = []
    claims = pd.DataFrame(
        {
            "metric": texts(table["metric"]),
            "person": texts(table.get("person", pd.Series([None] * len(table), dtype=object))),
            "date": cells(table, "date", "date", problems, at, people=True),
            "units": cells(table, "units", "number", problems, at, people=True),
            "line": pd.Series(at, dtype="int64"),
        }
    )
    empty = claims["units"].isna() & (texts(table["units"]) == "")
    checks = {
        "have no number of units": empty,
        "have no metric": claims["metric"] == "",
        "have negative units; correct the earlier claim instead": (claims["units"] < 0)
        & ~claims["metric"].isin(levels),
    }
    problems += [_rows_that(says, claims.loc[wrong, "line"]) for says, wrong in checks.items() if wrong.any()]
    if problems:
        raise DataError(several("What was achieved", problems))
    return claims.sort_values("date", kind="stable", na_position="last").reset_index(drop=True)


def refuse_unknown(metrics: pd.Series, known: list[str], where: str) -> None:
    """Refuse metrics that are not on the rate card, all of them at once.

    Parameters
    ----------
    metrics : Series of str
        As written in the table.
    known : list of str
        The rate card's metrics.
    where : str
        The table, for the message.

    Raises
    ------
    DataError
        Naming each unknown metric, its rows and the nearest known one.
    """
    strange = metrics[~metrics.isin(known)]
    problems = [
        f'Metric "{metric}" (rows: {rows}) is not on the rate card. {did_you_mean(str(metric), known)}'
        for metric, rows in strange.value_counts(sort=False).items()
    ]
    if problems:
        raise DataError(several(where, problems))


def _rows_that(says: str, lines: pd.Series) -> str:
    """How many rows are wrong, and the first few by their line in a file (the header is line 1)."""
    return f"{len(lines)} rows {says} (first at line {', '.join(str(line) for line in sorted(lines)[:3])})."
