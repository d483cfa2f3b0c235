"""What a reader must be told about the payments: differences are questions to the parties, not findings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from evalkit import words
from evalkit.contract.checks import paper_flags
from evalkit.contract.hidden import hidden_metrics, totals_tell
from evalkit.contract.reading import Papers
from evalkit.contract.reconcile import CLOSE
from evalkit.errors import Flag
from evalkit.study import Study

MOST_LISTED = 25


def payment_flags(
    study: Study, papers: Papers, table: pd.DataFrame, totals: dict[str, Any], told: frozenset[str] = frozenset()
) -> list[Flag]:
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
    told : frozenset of str
        From `told_by_outcomes`.

    Returns
    -------
    list of Flag
        Of the room "contract".
    """
    secret = len(table) > 0 and totals_tell(study, table, told)
    return [
        *_mismatches(study, table, told),
        *_above(study, totals, secret),
        *([] if secret else _nameless(study, papers, totals)),
        *_plans(study, papers),
        *paper_flags(study, papers, table),
    ]


def _mismatches(study: Study, table: pd.DataFrame, told: frozenset[str]) -> list[Flag]:
    """One flag with one question per metric that was not paid as it follows from units and prices."""
    apart = table[table["difference"].abs() > CLOSE]
    if apart.empty:
        return []
    compared = int(table["difference"].notna().sum())
    text = f"Payments differ from units times price for {len(apart)} of {compared} metrics."
    few = hidden_metrics(study, table, told)
    questions = [_question(study, row, row["metric"] in few) for row in apart.head(MOST_LISTED).to_dict("records")]
    if len(apart) > MOST_LISTED:
        questions.append(f"And {len(apart) - MOST_LISTED} more.")
    return [Flag("contract", "caution", text, "\n".join(["To ask the parties:", *questions]), "payments")]


def _question(study: Study, row: Mapping[Any, Any], few: bool) -> str:
    """One metric's question; where few people are behind it, without the figures."""
    if few:
        return f"{row['title']}: paid and owed differ; the figures rest on a hidden count."
    paid, owed, price = (in_full(study, row[name]) for name in ("paid", "owed", "price"))
    units, implied = (_units(row[name]) for name in ("achieved", "implied_units"))
    if implied == words.NOT_AVAILABLE:
        return f"{row['title']}: {paid} was paid and {owed} follows from what was achieved: why?"
    if row["paid"] == 0:
        return f"{row['title']}: nothing is recorded as paid for {units} recorded units at {price} ({owed}): why?"
    of = f"{paid} was paid for {units} recorded units at {price} ({owed}{_after_caps(row)})"
    if row["implied_units"] % 1 > 1e-6:
        return f"{row['title']}: {of}: that is no whole number of units; were other prices paid?"
    return f"{row['title']}: {of}: were {implied} units paid, or other prices?"


def _after_caps(row: Mapping[Any, Any]) -> str:
    return " after caps" if row["cut"] > CLOSE else ""


def _above(study: Study, totals: dict[str, Any], secret: bool) -> list[Flag]:
    """Paid above a cap, or above a maximum on record."""
    plan, paid = study.contract, totals["paid"]
    flags = []
    amount = "An amount that rests on a hidden count" if secret or paid is None else in_full(study, paid)
    if (cap := totals["cap"]) is not None and paid is not None and paid > cap + CLOSE:
        most = in_full(study, cap)
        text = f"{amount} was paid, above the contract's cap of {most}: was the cap varied?"
        flags.append(Flag("contract", "serious", text, about="cap"))
    if plan and plan.maximum_recorded is not None and paid is not None and paid > plan.maximum_recorded + CLOSE:
        most = in_full(study, plan.maximum_recorded)
        text = f"{amount} was paid, above the recorded maximum of {most}: was it a cap, or was it varied?"
        flags.append(Flag("contract", "caution", text, "The maximum is not known to be a cap.", "maximum"))
    return flags


def _nameless(study: Study, papers: Papers, totals: dict[str, Any]) -> list[Flag]:
    """Payments that name no metric, or do not say whether they were planned or made."""
    flags = []
    if totals["paid_without_metric"] and len(papers.card):
        amount = in_full(study, totals["paid_without_metric"])
        text = f"{amount} of the payments name no metric: they are reconciled in total only."
        flags.append(Flag("contract", "caution", text, about="payments"))
    if totals["kind_not_stated"]:
        amount = in_full(study, totals["kind_not_stated"])
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
            text = (
                f"{equal} of the {len(both)} planned amounts of {name or 'the plan'} that were paid in the same period "
                "equal what was paid, to the pound."
            )
            flags.append(Flag("contract", "caution", text, "Was the plan overwritten with what was paid?", "plans"))
    return flags


def in_full(study: Study, value: float) -> str:
    """Money in full, with pence only where there are any.

    Parameters
    ----------
    study : Study
        For its currency.
    value : float
        May be missing.

    Returns
    -------
    str
        "£1,617,330", "£0.30".
    """
    digits = 0 if pd.isna(value) or abs(value - round(value)) < 0.005 else 2
    return words.whole_money(None if pd.isna(value) else float(value), study.study.currency, digits)


def _units(value: float) -> str:
    """Units without decimals where they are whole."""
    whole = pd.isna(value) or abs(value - round(value)) < 1e-6
    return words.number(None if pd.isna(value) else float(value), 0 if whole else 1)
