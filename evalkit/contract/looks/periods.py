"""Owed against paid by metric and period, and what explains the differences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from evalkit.contract.explained import Row, explain
from evalkit.contract.hidden import hidden_metrics, told_by_outcomes
from evalkit.contract.looks.base import View, look
from evalkit.contract.mechanisms import FLOOR
from evalkit.contract.pennies import in_pennies
from evalkit.contract.reconcile import units_counted
from evalkit.errors import Flag

ALL = "all metrics"
CONVENTION = (
    "What was owed counts in the first period that ends on or after the day it fell due (achievement plus any lag); "
    "a payment counts in the period that it was recorded for. Sums to date stand beside each period, because periods "
    "need not line up with claims."
)
COLUMNS = ["metric", "title", "start", "end", "units", "people", "gross", "cut", "lifted", "owed", "paid", "difference"]
COLUMNS += ["explained", "unexplained", "owed_to_date", "paid_to_date"]


@dataclass(frozen=True, eq=False)
class Periods:
    """What `by_period` found.

    Parameters
    ----------
    table : DataFrame
        One row per metric and period: metric ("all metrics" where payments name none), title, start, end, units, people
        (behind it, where known), gross, cut (by caps), lifted (by floors), owed, paid, difference (paid - owed),
        explained, unexplained, owed_to_date, paid_to_date. Exact in pennies: explained + unexplained = difference.
        The end is missing where something is owed without a date; it is after the last period where it fell due later.
    reasons : DataFrame
        metric, title, start, end, kind (cap, floor, price, lag, early, stated), amount, says: one row per explanation.
    convention : str
        How claims and payments were put into periods.
    """

    table: pd.DataFrame
    reasons: pd.DataFrame
    convention: str = CONVENTION


@look("periods")
def by_period(view: View) -> tuple[Periods | None, list[Flag]]:
    """Hold owed to paid period by period.

    Parameters
    ----------
    view : View
        The settled contract and its papers.

    Returns
    -------
    (Periods or None, list of Flag)
        None where nothing was claimed, or no payment has a date.
    """
    payments = view.papers.payments
    actual = payments[payments["kind"] == "actual"]
    actual = actual.assign(end=actual["end"].fillna(actual["start"]))
    if view.papers.claims.empty or actual["end"].isna().all():
        return None, []
    ledger = view.contract.ledger
    ledger = ledger.assign(on=ledger["due_on"], units=units_counted(ledger, view.papers.prices))
    nameless = (actual["metric"] == "").any()
    if nameless:
        ledger, actual = ledger.assign(metric=ALL), actual.assign(metric=ALL)
    titles = dict(zip(view.contract.table["metric"], view.contract.table["title"], strict=True))
    rows, reasons = [], []
    for metric in [ALL] if nameless else list(titles):
        ends = _ends(actual, metric)
        own = (ledger[ledger["metric"] == metric], actual[actual["metric"] == metric])
        if own[0].empty and own[1].empty:
            continue
        for row, told in _of_metric(view, metric, ends, own):
            named = {"metric": metric, "title": titles.get(metric, "All metrics together")}
            rows.append({**named, **row})
            reasons += [{**named, "start": row["start"], "end": row["end"], **one} for one in told]
    found = Periods(_typed(rows), _reasons(reasons))
    return found, _flags(view, found)


def _ends(actual: pd.DataFrame, metric: str) -> pd.DataFrame:
    """The periods of the whole contract where they follow each other, else those of the metric's own payments."""
    dated = actual[actual["end"].notna()]
    for rows in (dated, dated[dated["metric"] == metric]):
        periods = rows[["start", "end"]].drop_duplicates().sort_values(["end", "start"]).reset_index(drop=True)
        apart = all(not late["start"] <= early["end"] for (_, early), (_, late) in pairwise(periods.iterrows()))
        if apart and len(periods):
            return periods
    own = dated[dated["metric"] == metric]
    return pd.DataFrame(own.groupby("end")["start"].min().reset_index()[["start", "end"]])


def _of_metric(
    view: View, metric: str, periods: pd.DataFrame, own: tuple[pd.DataFrame, pd.DataFrame]
) -> Iterator[tuple[dict[str, object], list[dict[str, object]]]]:
    """The rows of one metric, in time order, with their reasons."""
    ledger, actual = own
    ends = periods["end"].to_numpy(dtype="datetime64[us]")
    owed_in, paid_in = (_place(dates, ends) for dates in (ledger["on"], actual["end"]))
    used = {*owed_in.tolist(), *paid_in.tolist()}
    places = [place for place in range(len(ends) + 2) if place < len(ends) or place in used]
    sums = _sums(ledger, actual, (owed_in, paid_in), len(ends) + 2)
    pennies = {name: found.astype("int64") for name, found in sums.items() if name != "units"}
    rows = [
        Row(
            metric,
            **{name: int(found[place]) for name, found in pennies.items()},
            units=float(sums["units"][place]),
            stated=_stated(actual, paid_in == place),
        )
        for place in places
    ]
    told = explain(rows, view.papers.prices)
    owed_so_far, paid_so_far = np.cumsum([row.owed for row in rows]), np.cumsum([row.paid for row in rows])
    for index, (place, row) in enumerate(zip(places, rows, strict=True)):
        gap = row.paid - row.owed
        told_here = {"gross": row.owed + row.cut, "cut": row.cut, "lifted": row.lifted, "owed": row.owed}
        told_here |= {"paid": row.paid, "difference": gap, "explained": gap - row.left, "unexplained": row.left}
        told_here |= {"owed_to_date": owed_so_far[index], "paid_to_date": paid_so_far[index]}
        here = ledger[owed_in == place] if place >= len(ends) or (ledger["person"] != "").any() else ledger.head(0)
        start, end = _bounds(place, periods, here)
        people = here.loc[here["person"] != "", "person"].nunique() or np.nan
        amounts = {name: value / 100 for name, value in told_here.items()}
        reasons = [{**one, "amount": one["amount"] / 100} for one in told[index]]
        yield {"start": start, "end": end, "units": row.units, "people": people, **amounts}, reasons


def _sums(
    ledger: pd.DataFrame, actual: pd.DataFrame, places: tuple[np.ndarray, np.ndarray], length: int
) -> dict[str, np.ndarray]:
    """Exact sums by place: pennies, and units."""
    owed_in, paid_in = places
    lifts = ledger["paid"].where(ledger["mechanism"] == FLOOR, 0.0)
    owed = {"owed": ledger["paid"], "cut": ledger["cut_off"], "lifted": lifts}
    found = {
        name: np.bincount(owed_in, in_pennies(column.to_numpy(dtype=float)), length) for name, column in owed.items()
    }
    found["paid"] = np.bincount(paid_in, in_pennies(actual["amount"].to_numpy(dtype=float)), length)
    found["units"] = np.bincount(owed_in, ledger["units"].fillna(0.0).to_numpy(dtype=float), length)
    return found


def _stated(actual: pd.DataFrame, here: np.ndarray) -> str:
    """The reasons that the payments table gives."""
    return "; ".join(dict.fromkeys(why for why in actual["why"].to_numpy()[here] if why))


def _place(dates: pd.Series, ends: np.ndarray) -> np.ndarray:
    """Which period a date belongs to; one beyond the last where it is later, two beyond where there is no date."""
    found = np.searchsorted(ends, dates.to_numpy(dtype="datetime64[us]"))
    return np.where(dates.isna(), len(ends) + 1, found).astype("int64")


def _bounds(place: int, periods: pd.DataFrame, claims: pd.DataFrame) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Start and end of a period; of what fell due after the last, the days on which it did."""
    if place < len(periods):
        return periods["start"].iloc[place], periods["end"].iloc[place]
    return claims["on"].min(), claims["on"].max()


def _typed(rows: list[dict[str, object]]) -> pd.DataFrame:
    """The table, dates as dates and amounts as numbers."""
    table = pd.DataFrame(rows, columns=COLUMNS)
    dates = dict.fromkeys(("start", "end"), "datetime64[us]")
    return table.astype({**dict.fromkeys(COLUMNS[4:], float), **dates, "metric": "str", "title": "str"})


def _reasons(rows: list[dict[str, object]]) -> pd.DataFrame:
    """The explanations, one row each."""
    table = pd.DataFrame(rows, columns=["metric", "title", "start", "end", "kind", "amount", "says"])
    dates = dict.fromkeys(("start", "end"), "datetime64[us]")
    return table.astype({**dates, "amount": float})


def _flags(view: View, found: Periods) -> list[Flag]:
    """How many differences there are, and how many are not explained; amounts only where they may be printed."""
    table = found.table
    apart, open_ones = table[table["difference"] != 0], table[table["unexplained"] != 0]
    if open_ones.empty or len(table) == table["metric"].nunique():  # one period: the table by metric says it all
        return []
    metrics = view.contract.table
    hidden = hidden_metrics(view.study, metrics, told_by_outcomes(view.study, metrics, view.effects))
    shown = open_ones[~open_ones["metric"].isin(hidden)]
    named = list(dict.fromkeys(str(title) for title in shown["title"]))
    text = (
        f"Owed and paid differ in {len(apart)} of {len(table)} periods of a metric; {len(open_ones)} of these "
        f"{'is' if len(open_ones) == 1 else 'are'} not explained by a cap, a floor, a lag, another price or a stated "
        "reason."
    )
    asked = f"To ask the parties about: {', '.join(named)}." if named else "The figures rest on hidden counts."
    return [Flag("contract", "caution", text, asked, "periods")]
