"""What investors got back."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.contract.irr import counted, roots
from evalkit.errors import DataError, did_you_mean, several
from evalkit.tables.kinds import Kind, Wrong, convert, must_be_table

DAYS = 365
DAY_COUNT = "Actual/365"
FEW = 5
VAST = 10_000  # a share a year: what returns within days comes to over a whole year, told no more exactly


@dataclass(frozen=True)
class Returns:
    """What a row of cash flows came to.

    Parameters
    ----------
    irr : float or None
        Internal rate of return, a share a year, Actual/365; None where there is none or more than one: see ``why``.
    multiple : float or None
        Money out over money in; None where nothing was paid in.
    peak_drawdown : float
        The most that was ever out of pocket at the end of a day.
    net : float
        The exact sum of all flows.
    day_count : str
        The convention: days between two dates over 365, from the first flow on, leap years too.
    why : str
        Why there is no rate; empty where there is one.
    rates : tuple of float
        All rates where there is more than one.
    paid_in, paid_out : float
        Sums of the negative and of the positive amounts, both above 0.
    drawdown_on : date or None
        The first day on which the most was out of pocket; None where nothing ever was.
    back_on : date or None
        The first day from which on nothing was out of pocket any more; None where the money never came back.
    """

    irr: float | None
    multiple: float | None
    peak_drawdown: float
    net: float
    day_count: str = DAY_COUNT
    why: str = ""
    rates: tuple[float, ...] = ()
    paid_in: float = 0.0
    paid_out: float = 0.0
    drawdown_on: dt.date | None = None
    back_on: dt.date | None = None


def returns(cash_flows: pd.DataFrame) -> Returns:
    """Work out return, multiple and draw-down of an investment.

    Parameters
    ----------
    cash_flows : DataFrame
        date (dates, or text as 2024-03-31) and amount; negative amounts were paid in by the investors. Rows may come
        in any order; what falls on one day counts as one flow for the rate and the draw-down.

    Returns
    -------
    Returns
        ``irr multiple peak_drawdown net day_count why rates paid_in paid_out drawdown_on back_on``.

    Raises
    ------
    DataError
        Columns missing, no rows, dates that are not dates, amounts that are not plain numbers, two currencies: all at
        once, with the rows.

    Examples
    --------
    Two hundred were paid in, a hundred and twenty came back after one year and a hundred after two.

    >>> flows = pd.DataFrame({"date": ["2023-01-01", "2024-01-01", "2024-12-31"], "amount": [-200, 120, 100]})
    >>> found = returns(flows)
    >>> round(found.irr, 6), found.multiple, found.net, found.back_on.isoformat()
    (0.068115, 1.1, 20.0, '2024-12-31')
    """
    flows = checked_flows(cash_flows)
    exact = [Decimal(repr(float(amount))) for amount in flows["amount"]]
    paid_in = -sum((amount for amount in exact if amount < 0), Decimal(0))
    paid_out = sum((amount for amount in exact if amount > 0), Decimal(0))
    days = by_day(flows)
    running = days["amount"].cumsum()
    lowest = running.min()
    peak = int(np.argmin(running.to_numpy()))
    drawn = lowest < 0
    rates = counted(roots(days["amount"].astype(float).to_numpy(), _years(days["date"])))
    why = _why_none(rates, paid_in, paid_out, len(days))
    return Returns(
        irr=rates[0] if not why else None,
        multiple=float(paid_out / paid_in) if paid_in else None,
        peak_drawdown=float(-lowest) if drawn else 0.0,
        net=float(paid_out - paid_in),
        why=why,
        rates=tuple(rates) if len(rates) > 1 else (),
        paid_in=float(paid_in),
        paid_out=float(paid_out),
        drawdown_on=days["date"].iloc[peak].date() if drawn else None,
        back_on=_back_on(days["date"], running) if drawn else None,
    )


def checked_flows(cash_flows: pd.DataFrame) -> pd.DataFrame:
    """Check a table of cash flows and put it in the order of its dates.

    Parameters
    ----------
    cash_flows : DataFrame
        date, amount; a currency, where there is one, must be the same in every row.

    Returns
    -------
    DataFrame
        date (datetime64), amount (float) and the other columns as they are; dates rising, ties in the order given; the
        index is the place of each row in the table given, from 0.

    Raises
    ------
    DataError
        See `returns`.
    """
    must_be_table(cash_flows, "The table of cash flows")
    there = [str(name) for name in cash_flows.columns]
    absent = [name for name in ("date", "amount") if name not in cash_flows]
    if absent:
        raise DataError(several("Cash flows", [_lacks(name, there) for name in absent]))
    if cash_flows.empty:
        raise DataError("Cash flows have no rows. Write one row per flow: date and amount, negative where paid in.")
    table, problems = cash_flows.reset_index(drop=True), []
    for name, kind in (("date", "date"), ("amount", "money")):
        found, problem = _read(table[name], name, kind)  # type: ignore[arg-type]
        table = table.assign(**{name: found})
        problems += problem
    problems += _currencies(table)
    if problems:
        raise DataError(several("Cash flows", problems))
    return table.assign(amount=table["amount"].astype(float)).sort_values("date", kind="stable")


def by_day(flows: pd.DataFrame) -> pd.DataFrame:
    """Net the flows of each day, without losing a penny.

    Parameters
    ----------
    flows : DataFrame
        From `checked_flows`.

    Returns
    -------
    DataFrame
        date (rising, each once) and amount (Decimal).
    """
    exact = flows["amount"].map(lambda amount: Decimal(repr(float(amount)))).astype(object)
    sums: dict[pd.Timestamp, Decimal] = {}
    for day, amount in zip(flows["date"], exact, strict=True):
        sums[day] = sums.get(day, Decimal(0)) + amount
    return pd.DataFrame({"date": list(sums), "amount": pd.Series(list(sums.values()), dtype=object)})


def _years(dates: pd.Series) -> np.ndarray:
    """Years from the first flow: days over 365."""
    return (dates - dates.iloc[0]).dt.days.to_numpy() / DAYS


def _why_none(rates: list[float], paid_in: Decimal, paid_out: Decimal, days: int) -> str:
    """Why there is no one rate of return; empty where there is."""
    if not paid_in:
        return "nothing was paid in, so there is no rate of return"
    if not paid_out:
        return "nothing came back: all that was paid in is lost, and no rate of return describes that"
    if days == 1:
        return "all flows fall on one day, so there is no time over which to earn a rate"
    if not rates:
        return "no rate makes these flows worth nothing, so there is no rate of return"
    if len(rates) > 1:
        told = words.listed(
            [words.percent(rate) if rate < VAST else f"over {words.percent(VAST, 0)}" for rate in rates]
        )
        return f"{len(rates)} rates fit these flows equally well ({told} a year), so none is the rate of return"
    return ""


def _back_on(dates: pd.Series, running: pd.Series) -> dt.date | None:
    """The first day from which on the running sum is never below nothing again."""
    below = np.flatnonzero((running < 0).to_numpy(dtype=bool))
    after = below[-1] + 1
    return dates.iloc[after].date() if after < len(dates) else None


def _lacks(name: str, there: list[str]) -> str:
    return f'The table lacks the column "{name}". {did_you_mean(name, there)}'


def _read(column: pd.Series, name: str, kind: Kind) -> tuple[pd.Series, list[str]]:
    """One column of its kind, and what is wrong with it."""
    if kind == "date" and pd.api.types.is_numeric_dtype(column):
        column = column.map(lambda value: "" if pd.isna(value) else str(value)).astype("str").replace("", None)
    found, wrong = convert(column, kind)
    problems = [] if wrong is None else [_cells(name, wrong)]
    refused = set() if wrong is None else set(wrong.rows)
    gone = found.isna().to_numpy(dtype=bool)
    if kind == "money":
        gone = gone | ~np.isfinite(found.astype(float).to_numpy())
    empty = [int(row) for row in np.flatnonzero(gone) if row not in refused]
    if empty:
        problems.append(f'Column "{name}": empty in {_lines(empty)}. Every flow has a date and an amount.')
    return found, problems


def _cells(name: str, wrong: Wrong) -> str:
    one = len(wrong.rows) == 1
    what = f"is not {wrong.finding[0]}" if one else f"are not {wrong.finding[1]}"
    return f'Column "{name}": {_lines(wrong.rows)} {what} (the first: "{wrong.first}"). {wrong.remedy}'


def _lines(rows: list[int]) -> str:
    """Rows by their line in a file, the header being line 1."""
    named = ", ".join(str(row + 2) for row in rows[:FEW]) + (", ..." if len(rows) > FEW else "")
    return f"{'line' if len(rows) == 1 else f'{len(rows)} lines:'} {named}"


def _currencies(table: pd.DataFrame) -> list[str]:
    if "currency" not in table:
        return []
    named = table["currency"].dropna().map(lambda value: str(value).strip().upper())
    found = list(dict.fromkeys(name for name in named if name))
    if len(found) < 2:
        return []
    return [
        f"The flows are in {len(found)} currencies ({words.listed(found)}), which are never added. Give the flows of "
        "one currency, or convert them at a dated rate first."
    ]
