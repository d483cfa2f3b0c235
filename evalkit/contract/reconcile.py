"""Owed against paid, metric by metric, and planned against actual, plan by plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from evalkit import disclosure, words
from evalkit.contract.ledger import due
from evalkit.contract.mechanisms import STEPPED
from evalkit.contract.reading import Papers
from evalkit.errors import Flag
from evalkit.study import Study

CLOSE = 0.5  # half a unit of the currency
MOST_LISTED = 25


def reconcile(papers: Papers, cap: float | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Hold what was owed to what was paid.

    Parameters
    ----------
    papers : Papers
        The contract's tables.
    cap : float or None
        The most that can be paid under the contract.

    Returns
    -------
    (DataFrame, DataFrame)
        The table per metric (without the columns about deadweight), and the ledger.
    """
    card = papers.card.drop_duplicates("metric").set_index("metric")
    if card.empty:
        return _empty(), due(pd.DataFrame({"metric": [], "price": []}), papers.claims)
    ledger = due(papers.card, papers.claims, cap)
    table = pd.DataFrame(index=card.index)
    table["title"] = card["title"].where(card["title"] != "", card.index.to_series())
    table["outcome"] = card["outcome"]
    table["mechanism"] = [papers.prices[metric].mechanism for metric in card.index]
    table["price"] = [np.nan if papers.prices[m].mechanism == "step" else papers.prices[m].price for m in card.index]
    table["people"] = _people(table["mechanism"], ledger)
    totals = ledger.groupby("metric")[["units", "gross", "cut_off", "paid"]].sum().reindex(table.index, fill_value=0.0)
    highest = ledger.groupby("metric")["units"].max().reindex(table.index, fill_value=0.0)
    table["achieved"] = totals["units"].where(~table["mechanism"].isin(STEPPED), highest)
    table["gross"], table["cut"], table["owed"] = totals["gross"], totals["cut_off"], totals["paid"]
    table["paid"] = _paid(papers.payments, table.index)
    table["difference"] = table["paid"] - table["owed"]
    by_unit = ~table["mechanism"].isin(STEPPED) & (table["price"] > 0) & (table["cut"] <= CLOSE)
    table["implied_units"] = (table["paid"] / table["price"]).where(by_unit)
    return table.reset_index(), ledger


def _empty() -> pd.DataFrame:
    """The table of a contract without a rate card."""
    names = ["metric", "title", "outcome", "mechanism", "price", "people", "achieved"]
    names += ["gross", "cut", "owed", "paid", "difference", "implied_units"]
    texts = ("metric", "title", "outcome", "mechanism")
    return pd.DataFrame({name: pd.Series(dtype="str" if name in texts else float) for name in names})


def _people(mechanism: pd.Series, ledger: pd.DataFrame) -> pd.Series:
    """How many people are behind each metric: those named, else the units where a unit is a person's."""
    named = ledger[ledger["person"] != ""].groupby("metric")["person"].nunique()
    nameless = ledger[ledger["person"] == ""].groupby("metric")["units"].sum()
    counted = nameless.reindex(mechanism.index).where(mechanism.isin(["unit", "milestone"]))
    return named.reindex(mechanism.index).astype(float).fillna(counted)


def _paid(payments: pd.DataFrame, metrics: pd.Index) -> pd.Series:
    """Actual payments by metric; not known for a metric without one while some payments name no metric."""
    actual = payments[payments["kind"] == "actual"]
    by_metric = actual[actual["metric"] != ""].groupby("metric")["amount"].sum()
    complete = len(actual) > 0 and (actual["metric"] != "").all()
    return by_metric.reindex(metrics).fillna(0.0 if complete else np.nan).astype(float)


def total_up(study: Study, papers: Papers, table: pd.DataFrame) -> dict[str, Any]:
    """The contract's totals, before anything is said about deadweight.

    Parameters
    ----------
    study : Study
        With a [contract].
    papers : Papers
        Its tables.
    table : DataFrame
        From `reconcile`.

    Returns
    -------
    dict
        gross, cut, owed, paid, difference, planned, cap, paid_without_metric, kind_not_stated; None where not known.
    """
    payments = papers.payments
    actual = payments[payments["kind"] == "actual"]
    owed = float(table["owed"].sum()) if len(papers.claims) else None
    paid = float(actual["amount"].sum()) if len(actual) else None
    planned = payments[payments["kind"] == "planned"].groupby("plan", sort=True)["amount"].sum()
    return {
        "gross": float(table["gross"].sum()) if len(papers.claims) else None,
        "cut": float(table["cut"].sum()) if len(papers.claims) else None,
        "owed": owed,
        "paid": paid,
        "difference": None if owed is None or paid is None else paid - owed,
        "planned": {str(plan) or "plan": float(amount) for plan, amount in planned.items()},
        "cap": study.contract.cap if study.contract else None,
        "paid_without_metric": float(actual.loc[actual["metric"] == "", "amount"].sum()),
        "kind_not_stated": float(payments.loc[payments["kind"] == "", "amount"].sum()),
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


def payment_flags(study: Study, papers: Papers, table: pd.DataFrame, totals: dict[str, Any]) -> list[Flag]:
    """Everything about the payments that a reader must be told, differences as questions to the parties.

    Parameters
    ----------
    study : Study
        With a [contract].
    papers : Papers
        Its tables.
    table : DataFrame
        From `reconcile`.
    totals : dict
        From `total_up`.

    Returns
    -------
    list of Flag
        Of the room "contract".
    """
    flags = [
        *_mismatches(study, table),
        *_above(study, totals),
        *_nameless(study, papers, totals),
        *_plans(study, papers),
    ]
    capped = [papers.prices[metric] for metric in papers.claims.loc[papers.claims["person"] == "", "metric"].unique()]
    if loose := [price.metric for price in capped if np.isfinite(price.cap_person)]:
        text = f"A cap per person could not be applied to {words.listed(loose)}: their claims name no person."
        flags.append(Flag("contract", "caution", text, about="rate_card"))
    return flags


def _mismatches(study: Study, table: pd.DataFrame) -> list[Flag]:
    """One flag with one question per metric that was not paid as it follows from units and prices."""
    apart = table[table["difference"].abs() > CLOSE]
    if apart.empty:
        return []
    compared = int(table["difference"].notna().sum())
    text = f"Payments differ from units times price for {len(apart)} of {compared} metrics."
    questions = [_question(study, row) for row in apart.head(MOST_LISTED).to_dict("records")]
    if len(apart) > MOST_LISTED:
        questions.append(f"And {len(apart) - MOST_LISTED} more.")
    return [Flag("contract", "caution", text, "\n".join(["To ask the parties:", *questions]), "payments")]


def _question(study: Study, row: Mapping[Any, Any]) -> str:
    """One metric's question; where few people are behind it, without the figures."""
    published, rule = bool(study.contract and study.contract.published), study.disclosure.rule
    few = pd.notna(row["people"]) and disclosure.count(row["people"], rule, published) == words.SUPPRESSED
    if few and not published:
        return f"{row['title']}: paid and owed differ; the figures rest on a hidden count."
    paid, owed, price = (_money(study, row[name]) for name in ("paid", "owed", "price"))
    units, implied = (_units(row[name]) for name in ("achieved", "implied_units"))
    if implied == words.NOT_AVAILABLE:
        return f"{row['title']}: {paid} was paid and {owed} follows from what was achieved: why?"
    of = f"{paid} was paid for {units} recorded units at {price} ({owed}{_after_caps(row)})"
    if row["implied_units"] % 1 > 1e-6:
        return f"{row['title']}: {of}: that is no whole number of units; were other prices paid?"
    return f"{row['title']}: {of}: were {implied} units paid, or other prices?"


def _after_caps(row: Mapping[Any, Any]) -> str:
    return " after caps" if row["cut"] > CLOSE else ""


def _above(study: Study, totals: dict[str, Any]) -> list[Flag]:
    """Paid above a cap, or above a maximum on record."""
    plan, paid = study.contract, totals["paid"]
    flags = []
    if plan and plan.cap is not None and paid is not None and paid > plan.cap + CLOSE:
        most = _money(study, plan.cap)
        text = f"{_money(study, paid)} was paid, above the contract's cap of {most}: was the cap varied?"
        flags.append(Flag("contract", "serious", text, about="cap"))
    if plan and plan.maximum_recorded is not None and paid is not None and paid > plan.maximum_recorded + CLOSE:
        most = _money(study, plan.maximum_recorded)
        text = f"{_money(study, paid)} was paid, above the recorded maximum of {most}: was it a cap, or was it varied?"
        flags.append(Flag("contract", "caution", text, "The maximum is not known to be a cap.", "maximum"))
    return flags


def _nameless(study: Study, papers: Papers, totals: dict[str, Any]) -> list[Flag]:
    """Payments that name no metric, or do not say whether they were planned or made."""
    flags = []
    if totals["paid_without_metric"] and len(papers.card):
        amount = _money(study, totals["paid_without_metric"])
        text = f"{amount} of the payments name no metric: they are reconciled in total only."
        flags.append(Flag("contract", "caution", text, about="payments"))
    if totals["kind_not_stated"]:
        amount = _money(study, totals["kind_not_stated"])
        text = f"{amount} is recorded without saying whether it was planned or paid; it is counted as neither."
        flags.append(Flag("contract", "caution", text, about="payments"))
    return flags


def _plans(study: Study, papers: Papers) -> list[Flag]:
    """Several plan versions; and plans that equal what was paid to the pound."""
    planned = papers.payments[papers.payments["kind"] == "planned"]
    actual = papers.payments[papers.payments["kind"] == "actual"]
    names = list(dict.fromkeys(planned["plan"]))
    flags = []
    if len(names) > 1:
        text = f"There are {len(names)} versions of the payment plan ({words.listed(names)}); they are never added."
        flags.append(Flag("contract", "note", text, "The share of plan is given against each version.", "plans"))
    for name in names:
        both = planned[planned["plan"] == name].merge(actual, on=["metric", "start", "end"], suffixes=("", "_actual"))
        equal = int((both["amount"] - both["amount_actual"]).abs().le(1).sum())
        if equal >= 3 and equal * 2 >= len(both):
            text = f"{equal} of {len(both)} planned amounts of {name or 'the plan'} equal what was paid to the pound."
            flags.append(Flag("contract", "caution", text, "Was the plan overwritten with what was paid?", "plans"))
    return flags


def _money(study: Study, value: float) -> str:
    """Money in full, with pence only where there are any."""
    digits = 0 if pd.isna(value) or abs(value - round(value)) < 0.005 else 2
    return words.whole_money(None if pd.isna(value) else float(value), study.study.currency, digits)


def _units(value: float) -> str:
    """Units without decimals where they are whole."""
    whole = pd.isna(value) or abs(value - round(value)) < 1e-6
    return words.number(None if pd.isna(value) else float(value), 0 if whole else 1)
