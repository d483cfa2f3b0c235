"""Reading the tables of a contract and holding them to each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from evalkit import tables
from evalkit.contract.ledger import in_order, read_prices
from evalkit.contract.mechanisms import Price
from evalkit.errors import DataError, StudyError, did_you_mean, several
from evalkit.tables.kinds import Kind

if TYPE_CHECKING:
    from evalkit.study import Study

Columns = dict[str, Kind]

RATE_CARD: Columns = {
    "metric": "text",
    "title": "text",
    "outcome": "text",
    "price": "money",
    "mechanism": "text",
    "threshold": "number",
    "baseline": "number",
    "cap_person": "money",
    "cap_metric": "money",
}
ACHIEVED: Columns = {"metric": "text", "units": "number", "date": "date", "person": "text"}
PAYMENTS: Columns = {
    "metric": "text",
    "kind": "text",
    "plan": "text",
    "start": "date",
    "end": "date",
    "amount": "money",
    "payer": "text",
}
CASH_FLOWS: Columns = {"date": "date", "amount": "money"}
KINDS = ("planned", "actual", "")


@dataclass(frozen=True, eq=False)
class Papers:
    """The tables of a contract, checked: empty where the study has none.

    Parameters
    ----------
    card : DataFrame
        The rate card as read, texts filled.
    prices : dict
        Metric -> Price.
    claims : DataFrame
        What was achieved, in date order.
    payments : DataFrame
        metric, kind ("planned", "actual" or ""), plan (lower case), start, end, amount, payer.
    cash_flows : DataFrame or None
        date, amount.
    """

    card: pd.DataFrame
    prices: dict[str, Price]
    claims: pd.DataFrame
    payments: pd.DataFrame
    cash_flows: pd.DataFrame | None


def read_papers(study: Study) -> Papers:
    """Read the rate card, what was achieved, the payments and the cash flows.

    Parameters
    ----------
    study : Study
        With a [contract].

    Returns
    -------
    Papers
        The checked tables.

    Raises
    ------
    StudyError
        No [contract].
    DataError
        Metrics that are not on the rate card, kinds of payment that are not known, rows without an amount.
    """
    plan = study.contract
    if plan is None:
        raise StudyError(f"{study.id} has no [contract]. Add one with a rate_card, payments or a trigger.")
    card = _read(study, plan.rate_card, RATE_CARD, ["metric", "price"])
    prices = read_prices(card) if len(card) else {}
    claims = in_order(_read(study, plan.achieved, ACHIEVED, ["metric", "units"]))
    payments = _payments(_read(study, plan.payments, PAYMENTS, ["kind", "amount"]))
    flows = None if plan.cash_flows is None else _read(study, plan.cash_flows, CASH_FLOWS, ["date", "amount"])
    named = {str(plan.achieved): claims["metric"], str(plan.payments): payments["metric"]}
    problems = _strange_kinds(payments, str(plan.payments))
    problems += [
        problem for file, metrics in named.items() for problem in _strange_metrics(metrics, list(prices), file)
    ]
    if problems:
        raise DataError(several(f"The contract of {study.id}", problems))
    return Papers(card, prices, claims, payments, flows)


def _read(study: Study, file: str | None, columns: Columns, required: list[str]) -> pd.DataFrame:
    """A checked table with all its columns, or an empty one."""
    if file is None:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in columns})
    table = tables.read_csv_checked(study, file, columns, required=required)
    table = table.assign(**dict.fromkeys([name for name in columns if name not in table]))
    for name, kind in columns.items():
        if kind == "text":
            table[name] = table[name].map(lambda value: "" if pd.isna(value) else str(value).strip()).astype("str")
    return table.reset_index(drop=True)


def _payments(table: pd.DataFrame) -> pd.DataFrame:
    """Payments with kinds and plan names in lower case (plan1 and Plan1 are the same plan)."""
    lower = {name: table[name].str.lower() for name in ("kind", "plan")} if len(table) else {}
    return table.assign(**lower, amount=pd.to_numeric(table["amount"]).astype(float))


def _strange_kinds(payments: pd.DataFrame, file: str) -> list[str]:
    """Kinds of payment that are not known, and amounts that are missing."""
    strange = payments.loc[~payments["kind"].isin(KINDS), "kind"].value_counts(sort=False)
    problems = [
        f'{file}: kind "{kind}" (rows: {rows}) is not known. {did_you_mean(str(kind), KINDS[:2])}'
        for kind, rows in strange.items()
    ]
    if missing := int(payments["amount"].isna().sum()):
        problems.append(f"{file}: {missing} rows have no amount.")
    return problems


def _strange_metrics(metrics: pd.Series, known: list[str], file: str) -> list[str]:
    """Metrics that are not on the rate card; payments may come without any."""
    strange = metrics[(metrics != "") & ~metrics.isin(known)].value_counts(sort=False)
    return [
        f'{file}: metric "{metric}" (rows: {rows}) is not on the rate card. {did_you_mean(str(metric), known)}'
        for metric, rows in strange.items()
    ]
