"""Reading the tables of a contract and holding them to each other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import tables, words
from evalkit.contract.ledger import in_order, levels_in, read_prices, unpriced
from evalkit.contract.mechanisms import Price
from evalkit.contract.paying import CONTRACT_FLOOR, trigger_key
from evalkit.contract.prices import FIRST_LINE, together
from evalkit.errors import DataError, StudyError, did_you_mean, several
from evalkit.study import shown
from evalkit.tables.files import line_numbers
from evalkit.tables.kinds import Kind, plain_text
from evalkit.tables.words import rows_listed

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
    "cap_year": "money",
    "floor_metric": "money",
    "lag_days": "number",
    "deadweight_in_price": "text",
    "claw_back": "text",
    "per": "text",
    "from": "date",
    "until": "date",
    "currency": "text",
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
    "currency": "text",
    "why": "text",
}
CASH_FLOWS: Columns = {
    "date": "date",
    "amount": "money",
    "kind": "text",
    "investor": "text",
    "currency": "text",
    "source": "text",
}
KINDS = ("planned", "actual", "")


@dataclass(frozen=True, eq=False)
class Papers:
    """The tables of a contract, checked: empty where the study has none.

    Parameters
    ----------
    card : DataFrame
        The rate card as read, texts filled.
    prices : dict
        Metric -> Price; ``in_price`` is settled: as its row says, else as the contract says.
    claims : DataFrame
        What was achieved, in date order: metric, person, date, units, line (of its file).
    payments : DataFrame
        metric (`trigger_key` where it names a trigger), kind ("planned", "actual" or ""), plan (lower case), start,
        end, amount, payer, currency, why, line.
    cash_flows : DataFrame or None
        date, amount.
    currency : str
        The study's.
    """

    card: pd.DataFrame
    prices: dict[str, Price]
    claims: pd.DataFrame
    payments: pd.DataFrame
    cash_flows: pd.DataFrame | None
    currency: str = ""


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
    files: dict[str, tuple[str | None, Columns, list[str]]] = {
        "card": (plan.rate_card, RATE_CARD, ["metric", "price"]),
        "claims": (plan.achieved, ACHIEVED, ["metric", "units"]),
        "payments": (plan.payments, PAYMENTS, ["kind", "amount"]),
        "flows": (plan.cash_flows, CASH_FLOWS, ["date", "amount"]),
    }
    raw = together(f"The contract of {study.id}", {name: partial(_read, study, *how) for name, how in files.items()})
    card, flows = raw["card"], None if plan.cash_flows is None else raw["flows"]
    read = together(
        f"The contract of {study.id}",
        {"prices": partial(_prices, study, card), "claims": partial(_claims, study, raw["claims"], levels_in(card))},
    )
    prices, claims = read["prices"], read["claims"]
    payments = _payments(study, raw["payments"], list(prices))
    known, file, currency = list(prices), str(plan.payments), study.study.currency
    also = [trigger_key(one.id) for one in plan.trigger] + [CONTRACT_FLOOR]
    problems = _wrong_payments(payments, file) + _other_currency(payments, file, currency)
    problems += _other_currency(card.assign(line=_lines(study, plan.rate_card, card)), str(plan.rate_card), currency)
    if flows is not None:
        lines = _lines(study, plan.cash_flows, flows)
        problems += _other_currency(flows.assign(line=lines), str(plan.cash_flows), currency)
    problems += _strange_metrics(claims, known, str(plan.achieved))
    problems += _strange_metrics(payments[~payments["metric"].isin(also)], known, file)
    problems += [f"{plan.achieved}: {problem}" for problem in unpriced(claims, prices)]
    if plan.floor and plan.cap and plan.floor > plan.cap:
        problems.append("[contract] floor is above cap: what is the least and what the most that is paid?")
    if problems:
        raise DataError(several(f"The contract of {study.id}", problems))
    return Papers(card, prices, claims, payments, flows, currency)


def _prices(study: Study, card: pd.DataFrame) -> dict[str, Price]:
    """Prices that say for themselves whether deadweight is in them."""
    plan: Any = study.contract
    if card.empty:
        return {}
    prices = read_prices(card, f"{shown(study.folder)}/{plan.rate_card}", _lines(study, plan.rate_card, card))
    return {
        metric: replace(price, in_price=plan.deadweight_in_price if price.in_price is None else price.in_price)
        for metric, price in prices.items()
    }


def _claims(study: Study, table: pd.DataFrame, levels: frozenset[str]) -> pd.DataFrame:
    """What was achieved, in date order, each row with its line in the file."""
    file = study.contract.achieved if study.contract else None
    return in_order(table, _lines(study, file, table), levels)


def _lines(study: Study, file: str | None, table: pd.DataFrame) -> list[int]:
    """The line of each row in its file."""
    found = None if file is None else line_numbers(study.path(file))
    return list(range(FIRST_LINE, FIRST_LINE + len(table))) if found is None else found


def _read(study: Study, file: str | None, columns: Columns, required: list[str]) -> pd.DataFrame:
    """A checked table with all its columns, or an empty one."""
    if file is None:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in columns})
    table = tables.read_csv_checked(study, file, columns, required=required)
    table = table.assign(**dict.fromkeys([name for name in columns if name not in table]))
    for name, kind in columns.items():
        if kind == "text":
            table[name] = plain_text(table[name])
    return table.reset_index(drop=True)


def _payments(study: Study, table: pd.DataFrame, on_card: list[str]) -> pd.DataFrame:
    """Payments with kinds and plan names in lower case (plan1 and Plan1 are the same plan), triggers by their key."""
    plan: Any = study.contract
    keys = {one.id: trigger_key(one.id) for one in plan.trigger}
    texts = {name: table[name].astype("str").str.lower() for name in ("kind", "plan")}
    metrics = table["metric"].astype("str")
    return table.assign(
        **texts,
        metric=metrics.where(metrics.isin(on_card), metrics.map(lambda name: keys.get(name, name))),
        amount=pd.to_numeric(table["amount"]).astype(float),
        start=pd.to_datetime(table["start"]),
        end=pd.to_datetime(table["end"]),
        line=pd.Series(_lines(study, plan.payments, table), index=table.index, dtype="int64"),
    )


def _wrong_payments(payments: pd.DataFrame, file: str) -> list[str]:
    """Kinds of payment that are not known, amounts that are missing, and periods that end before they start."""
    strange = payments.loc[~payments["kind"].isin(KINDS), "kind"].value_counts(sort=False)
    problems = [
        f'{file}: kind "{kind}" (rows: {rows}) is not known. {did_you_mean(str(kind), KINDS[:2])}'
        for kind, rows in strange.items()
    ]
    if missing := int((without := payments["amount"].isna()).sum()):
        problems.append(
            f"{file}: {missing} rows have no amount, in {rows_listed(list(payments.loc[without, 'line']))}."
        )
    if (backwards := payments["end"] < payments["start"]).any():
        at = rows_listed(list(payments.loc[backwards, "line"]))
        problems.append(f"{file}: the period ends before it starts, in {at}. Are start and end the wrong way round?")
    return problems


def _other_currency(table: pd.DataFrame, file: str, currency: str) -> list[str]:
    """Amounts in another currency than the study's."""
    codes = table["currency"].astype("str").str.upper().replace("NONE", "").replace("NAN", "")
    other = (codes != "") & (codes != currency.upper())
    if not other.any():
        return []
    found, at = words.listed(sorted(set(codes[other]))), rows_listed(list(table.loc[other, "line"]))
    return [
        f"{file}: amounts are in {found} and the study is in {currency}, in {at}: two currencies are never added. "
        "Convert them at a dated rate and say so in the source, or leave them out."
    ]


def _strange_metrics(table: pd.DataFrame, known: list[str], file: str) -> list[str]:
    """Metrics that are not on the rate card; payments may come without any."""
    strange = table[(table["metric"] != "") & ~table["metric"].isin(known)]
    return [
        f'{file}: metric "{metric}" (rows: {len(rows)}) is not on the rate card. {did_you_mean(str(metric), known)} '
        f"See {rows_listed(sorted(rows['line']))}."
        for metric, rows in strange.groupby("metric", sort=False)
    ]
