"""The contract's books of an invented study: units achieved, payments, cash flows, all from the same people."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalkit.errors import StudyError
from evalkit.simulate.world import WINDOW
from evalkit.study import Study

# Planned units per hundred treated people, and the half-years over which the plan spread them.
_PLAN = {"engagement": (90, "2017-01-01", 6), "care_days": (8_000, "2018-07-01", 6),
         "no_care": (62, "2018-07-01", 6), "sdq_better": (50, "2018-01-01", 6)}  # fmt: skip
_ENGAGED_FROM = 6  # sessions attended
_OVERPAID = 2  # units paid in error in the second half-year of no_care, so that a reconciliation has something to find
_PAYER = "Northmoor Council (for the three authorities)"
_DELIVERY_HALVES = pd.date_range("2017-06-30", periods=7, freq="6ME")


def write_books(study: Study, record: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Work out achieved units, payments and cash flows from the people drawn.

    Parameters
    ----------
    study : Study
        Its rate card gives prices, baselines and caps.
    record : DataFrame
        The simulation's record.

    Returns
    -------
    dict of str to DataFrame
        By file name, for each of these files that [contract] names.
    """
    contract = study.contract
    if contract is None or contract.rate_card is None:
        return {}
    card = _rate_card(study, contract.rate_card)
    achieved = _achieved(record, card)
    payments = _payments(achieved, card, int(record.loc[record["treated"], "eligible"].sum()))
    books = {contract.achieved: achieved, contract.payments: payments}
    if contract.cash_flows and study.value is not None and study.value.cost is not None:
        books[contract.cash_flows] = _cash_flows(payments, study.value.cost)
    return {file: table for file, table in books.items() if file}


def _rate_card(study: Study, file: str) -> pd.DataFrame:
    path = study.path(file)
    if not path.is_file():
        raise StudyError(f"{study.folder.name}/{file} is missing. The rate card is written by hand before drawing.")
    card = pd.read_csv(path).set_index("metric")
    return card.reindex(columns=list(dict.fromkeys([*card.columns, "baseline", "cap_metric"])))


def _achieved(record: pd.DataFrame, card: pd.DataFrame) -> pd.DataFrame:
    """Units by metric and quarter: those treated and eligible, counted when their result is known."""
    people = record[record["treated"] & record["eligible"]]
    baseline = float(card["baseline"].get("care_days", np.nan))
    units = {
        "engagement": (90, (people["sessions"] >= _ENGAGED_FROM).astype(float)),
        "care_days": (WINDOW, baseline - people["care_days"]),
        "no_care": (WINDOW, people["no_care"].astype(float)),
        "sdq_better": (365, people["sdq_better"].astype(float).fillna(0)),
    }
    rows = []
    for metric in card.index.intersection(list(units)):
        day, counted = units[metric]
        due = people["referred_on"] + pd.Timedelta(days=day)
        quarter = due.dt.to_period("Q").dt.end_time.dt.normalize()
        found = (
            counted.groupby(quarter).sum().clip(lower=0)
        )  # a quarter above the baseline earns nothing, and owes nothing
        rows.append(pd.DataFrame({"metric": metric, "units": found.round().astype(int), "date": found.index}))
    blank = pd.DataFrame({"metric": [], "units": [], "date": []})
    return pd.concat(rows or [blank], ignore_index=True).assign(person="")


def _payments(achieved: pd.DataFrame, card: pd.DataFrame, treated: int) -> pd.DataFrame:
    """Planned and actual payments by half-year; actual ones stop at the metric's cap."""
    rows = []
    for metric, mine in achieved.groupby("metric", sort=False):
        price, cap = (float(card[column].loc[metric]) for column in ("price", "cap_metric"))
        half = mine["date"].map(_half_end)
        gross = (mine["units"] * price).groupby(half).sum()
        if metric == "no_care" and len(gross) > 1:
            gross.iloc[1] += _OVERPAID * price
        paid = gross.cumsum().clip(upper=np.inf if np.isnan(cap) else cap).diff().fillna(gross.iloc[0])
        ends = pd.DatetimeIndex(paid.index)
        rows += [_row(metric, "actual", end, amount) for end, amount in zip(ends, paid, strict=True) if amount > 0]
        per_hundred, start, halves = _PLAN[str(metric)]
        each = round(per_hundred * treated / 100 / halves) * price
        ends = pd.date_range(pd.Timestamp(start) + pd.offsets.MonthEnd(6), periods=halves, freq="6ME")
        rows += [_row(metric, "planned", end, each) for end in ends]
    return pd.DataFrame(rows, columns=["metric", "kind", "plan", "start", "end", "amount", "payer"])


def _half_end(date: pd.Timestamp) -> pd.Timestamp:
    return pd.Timestamp(date.year, 6, 30) if date.month <= 6 else pd.Timestamp(date.year, 12, 31)


def _row(metric: object, kind: str, end: pd.Timestamp, amount: float) -> dict[str, object]:
    start = (end - pd.offsets.MonthBegin(6)).normalize()
    return {"metric": metric, "kind": kind, "plan": "plan1" if kind == "planned" else "", "start": start, "end": end,
            "amount": round(amount), "payer": _PAYER}  # fmt: skip


def _cash_flows(payments: pd.DataFrame, cost: float) -> pd.DataFrame:
    """The investors' side: they pay the cost of delivery as it falls due and receive the outcome payments."""
    received = payments[payments["kind"] == "actual"].groupby("end")["amount"].sum()
    spent = pd.Series(-cost / len(_DELIVERY_HALVES), index=_DELIVERY_HALVES)
    net = received.add(spent, fill_value=0).sort_index().round().astype(int)
    return pd.DataFrame({"date": net.index, "amount": net.to_numpy()})
