"""Owed against paid, metric by metric, and planned against actual, plan by plan."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from evalkit.contract.ledger import write_up
from evalkit.contract.limits import OF_ONE_PERSON, limits_of, same_currency
from evalkit.contract.mechanisms import FLOOR, GATED, STEPPED, TRIGGER, TWICE, Price
from evalkit.contract.paying import CONTRACT_FLOOR, trigger_key, with_triggers
from evalkit.contract.pennies import in_pennies, less, total
from evalkit.contract.reading import Papers
from evalkit.contract.triggers import UNSETTLED
from evalkit.study import Study
from evalkit.study.model import ContractPlan

CLOSE = 0.5  # half a unit of the currency
TEXTS = ("metric", "title", "outcome", "mechanism")
NAMES = [
    *TEXTS,
    "price",
    "people",
    "achieved",
    "gross",
    "cut",
    "owed",
    "paid",
    "difference",
    "implied_units",
    "people_cut",
    "lifted",
]
JUDGED = {"met": 1.0, UNSETTLED: 0.0}


UNKNOWN = ["people", "achieved", "gross", "cut", "owed", "lifted"]


def reconcile(
    papers: Papers, plan: ContractPlan | None, triggers: pd.DataFrame | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Hold what was owed to what was paid.

    Parameters
    ----------
    papers : Papers
        The contract's tables.
    plan : ContractPlan or None
        Its caps, floor and triggers.
    triggers : DataFrame, optional
        From `judge_triggers`: a payment stands in the ledger where its trigger was met.

    Returns
    -------
    (DataFrame, DataFrame)
        The table per metric (without the columns about deadweight), in which each trigger that pays and the contract's
        floor have rows of their own; and the ledger. Sums of the ledger are those of the table, to the penny.
    """
    ledger = settle_ledger(papers, plan, triggers)
    card = papers.card.drop_duplicates("metric").set_index("metric")
    table = pd.DataFrame(index=pd.Index([*card.index, *_extra(plan)], dtype="str", name="metric"))
    titles = {**card["title"], **_extra(plan)}
    table["title"] = [titles[metric] or metric for metric in table.index]
    table["outcome"] = [card["outcome"].get(metric, "") for metric in table.index]
    prices = papers.prices
    table["mechanism"] = [prices[m].mechanism if m in prices else _kind(m) for m in table.index]
    table["price"] = [_single_price(prices.get(metric), metric, plan) for metric in table.index]
    table["people"] = _people(table["mechanism"], ledger)
    table["achieved"] = _achieved(table, ledger, prices)
    for name, column in (("gross", "gross"), ("cut", "cut_off"), ("owed", "paid")):
        table[name] = by_metric(ledger, column).reindex(table.index, fill_value=0.0)
    lifts = ledger[ledger["mechanism"] == FLOOR]
    table["lifted"] = by_metric(lifts, "gross").reindex(table.index, fill_value=0.0)
    if papers.claims.empty:  # nothing on record is not nothing owed; a trigger that was not met owes nothing
        table.loc[table.index.isin(list(prices)), UNKNOWN] = np.nan
    table["paid"] = _paid(papers.payments, table.index)
    table["difference"] = [less(paid, owed) for paid, owed in zip(table["paid"], table["owed"], strict=True)]
    table["implied_units"] = (table["paid"] / table["price"]).where(_by_unit(table, ledger))
    table["people_cut"] = _people_cut(ledger).reindex(table.index)
    table = table.reset_index()
    return table.astype({**dict.fromkeys(TEXTS, "str"), **dict.fromkeys(NAMES[4:], float)})[NAMES], ledger


def settle_ledger(papers: Papers, plan: ContractPlan | None, triggers: pd.DataFrame | None = None) -> pd.DataFrame:
    """The ledger of a study's contract, triggers and floors included.

    Parameters
    ----------
    papers, plan, triggers
        As for `reconcile`.

    Returns
    -------
    DataFrame
        As `due` gives it. Without anything achieved on record no floor lifts a sum: what is owed is not known.
    """
    verdicts = {} if triggers is None else dict(zip(triggers["id"], triggers["met"], strict=True))
    met = {trigger_key(name): JUDGED[verdict] for name, verdict in verdicts.items() if verdict in JUDGED}
    limits = limits_of(plan, papers.currency)
    claims, prices = with_triggers(papers.claims, papers.prices, plan, met)
    ledger = write_up(claims, {}, limits_of(None)) if claims.empty else write_up(claims, prices, limits)
    unsettled = [trigger_key(name) for name, verdict in verdicts.items() if verdict == UNSETTLED]
    ledger.loc[ledger["metric"].isin(unsettled), "why"] = f"{UNSETTLED}: nothing is paid"
    return ledger


def by_metric(ledger: pd.DataFrame, column: str) -> pd.Series:
    """Exact sums of one column of money, metric by metric.

    Parameters
    ----------
    ledger : DataFrame
        With metric.
    column : str
        A column of money.

    Returns
    -------
    Series
        By metric.
    """
    pennies = pd.Series(in_pennies(ledger[column].to_numpy(dtype=float)), index=ledger.index)
    return pennies.groupby(ledger["metric"]).sum() / 100


def _extra(plan: ContractPlan | None) -> dict[str, str]:
    """Rows beside the metrics: triggers that pay, and the contract's floor."""
    if plan is None:
        return {}
    rows = {trigger_key(one.id): one.says for one in plan.trigger if one.pays is not None}
    return rows | ({CONTRACT_FLOOR: "Lifted to the contract's floor"} if plan.floor else {})


def _kind(metric: str) -> str:
    return FLOOR if metric == CONTRACT_FLOOR else TRIGGER


def _single_price(price: Price | None, metric: str, plan: ContractPlan | None) -> float:
    """The one price of a metric; missing where it has several, one after another or one above another."""
    if price is not None:
        return price.price if len(price.tariffs) == 1 else np.nan
    paying = {trigger_key(one.id): one.pays for one in (plan.trigger if plan else [])}
    return float(paying.get(metric) or np.nan)


def units_counted(ledger: pd.DataFrame, prices: dict[str, Price]) -> pd.Series:
    """Count the units of each line of a ledger: what was saved against a baseline, and no milestone of a person twice.

    Parameters
    ----------
    ledger : DataFrame
        From `due`.
    prices : dict
        Metric -> Price.

    Returns
    -------
    Series of float
        In the order of the ledger.
    """
    units = ledger["units"].astype(float).where(~ledger["why"].str.contains(TWICE, regex=False), 0.0)
    saved = [prices[m].mechanism == "saved" if m in prices else False for m in ledger["metric"]]
    for place in (int(one) for one in np.flatnonzero(saved)):
        price = prices[ledger["metric"].iloc[place]]
        tariff = price.at(ledger["date"].iloc[place]) or price.tariffs[0]
        below = float(tariff.baseline or 0) - units.iloc[place]
        units.iloc[place] = below if price.claw_back else max(below, 0.0)
    return units


def _achieved(table: pd.DataFrame, ledger: pd.DataFrame, prices: dict[str, Price]) -> pd.Series:
    """Units by metric: in all, and the highest level of a step, slide or scale."""
    grouped = units_counted(ledger, prices).groupby(ledger["metric"])
    summed, highest = (one.reindex(table.index, fill_value=0.0) for one in (grouped.sum(), grouped.max()))
    return summed.where(~table["mechanism"].isin(STEPPED), highest)


def _by_unit(table: pd.DataFrame, ledger: pd.DataFrame) -> pd.Series:
    """Where an amount paid can be read as a number of units: one price for each, no cap cut, no floor lifted."""
    plain = ~table["mechanism"].isin([*STEPPED, *GATED, TRIGGER, FLOOR])
    lifted = set(ledger.loc[ledger["mechanism"] == FLOOR, "metric"])
    return plain & (table["price"] > 0) & (table["cut"] <= CLOSE) & ~table.index.isin(lifted)


def _people(mechanism: pd.Series, ledger: pd.DataFrame) -> pd.Series:
    """How many people are behind each metric: those named, else the units where a unit is a person's."""
    named = ledger[ledger["person"] != ""].groupby("metric")["person"].nunique()
    nameless = ledger[ledger["person"] == ""].groupby("metric")["units"].sum()
    counted = nameless.reindex(mechanism.index).where(mechanism.isin(["unit", "milestone", *GATED]))
    return named.reindex(mechanism.index).astype(float).fillna(counted)


def _people_cut(ledger: pd.DataFrame) -> pd.Series:
    """How many people a cap of one person cut, by metric; missing where it cut nobody."""
    cut = ledger[(ledger["cut_off"] > 0) & ledger["why"].str.contains(OF_ONE_PERSON, regex=False)]
    return cut.groupby("metric")["person"].nunique().astype(float)


def _paid(payments: pd.DataFrame, metrics: pd.Index) -> pd.Series:
    """Actual payments by metric; not known for a metric without one while some payments name no metric."""
    actual = payments[payments["kind"] == "actual"]
    named = by_metric(actual[actual["metric"] != ""], "amount")
    complete = len(actual) > 0 and (actual["metric"] != "").all()
    return named.reindex(metrics).fillna(0.0 if complete else np.nan).astype(float)


def total_up(study: Study, papers: Papers, table: pd.DataFrame, ledger: pd.DataFrame | None = None) -> dict[str, Any]:
    """The contract's totals, before anything is said about deadweight.

    Parameters
    ----------
    study : Study
        With a [contract].
    papers : Papers
        Its tables.
    table, ledger : DataFrame
        From `reconcile`.

    Returns
    -------
    dict
        gross, cut, owed, paid, difference, planned, cap, paid_without_metric, kind_not_stated, floors (what lifted
        sums), triggers (owed for those met); exact sums of pennies; None where not known.
    """
    payments, plan = papers.payments, study.contract
    actual = payments[payments["kind"] == "actual"]
    settled = len(papers.claims) > 0 or (ledger is not None and len(ledger) > 0)
    owed = total(table["owed"]) if settled else None
    paid = total(actual["amount"]) if len(actual) else None
    planned = payments[payments["kind"] == "planned"].groupby("plan", sort=True)["amount"]
    lifted = 0.0 if ledger is None else total(ledger.loc[ledger["mechanism"] == FLOOR, "paid"])
    return {
        "gross": total(table["gross"]) if settled else None,
        "cut": total(table["cut"]) if settled else None,
        "owed": owed,
        "paid": paid,
        "difference": None if owed is None or paid is None else less(paid, owed),
        "planned": {str(name) or "plan": total(amounts) for name, amounts in planned},
        "cap": plan.cap if plan and same_currency(plan, papers.currency) else None,
        "paid_without_metric": total(actual.loc[actual["metric"] == "", "amount"]),
        "kind_not_stated": total(payments.loc[payments["kind"] == "", "amount"]),
        "floors": lifted,
        "triggers": total(table.loc[table["mechanism"] == TRIGGER, "owed"]),
    }


def plan_table(totals: dict[str, Any]) -> pd.DataFrame:
    """Planned against actual, one row per plan version.

    Parameters
    ----------
    totals : dict
        From `total_up`.

    Returns
    -------
    DataFrame
        plan, planned, actual, share. Versions of a plan replace each other: they are never added.
    """
    paid = totals["paid"]
    rows = [
        {
            "plan": plan,
            "planned": amount,
            "actual": paid,
            "share": paid / amount if paid is not None and amount else None,
        }
        for plan, amount in totals["planned"].items()
    ]
    return pd.DataFrame(rows, columns=["plan", "planned", "actual", "share"])
