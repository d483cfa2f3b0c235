"""A project's schedule: every version of its plan against what was paid."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evalkit.contract.indigo.findings import flags_of, records
from evalkit.contract.schedule import month_of, month_text, schedule_of
from evalkit.errors import Flag
from evalkit.words import listed, percent, whole_money

if TYPE_CHECKING:
    from evalkit.contract.indigo.data import IndigoProject

NO_PLAN = "No planned payments are recorded: nothing can be said of timing."
TABLES = ("outcome_payments", "outcome_payment_plans", "projects")
ABOUT_PLANS = (
    *(
        "several plan versions",
        "plan id in other capitals",
        "plan equals what was paid",
        "period ends before it starts",
    ),
    *("planned and actual periods do not line up", "date not understood", "paid above the recorded maximum"),
    *("payment type not stated", "payment without an amount", "currencies mixed"),
)


@dataclass(frozen=True, eq=False)
class Planned:
    """What one project planned to pay and paid.

    Parameters
    ----------
    project : str
        Its id.
    currency : str
        Of the payments.
    table : DataFrame
        One row per plan version, never added: see `evalkit.contract.schedule_of`.
    actual_total : float or None
        All actual payments.
    last_actual_period_end : str or None
        Which month "to date" means.
    maximum, share_of_maximum : float or None
        The most that can be paid on record, not known to be a cap; actual / maximum.
    flags : tuple of Flag
        What a reader must be told.
    """

    project: str
    currency: str
    table: pd.DataFrame
    actual_total: float | None
    last_actual_period_end: str | None
    maximum: float | None
    share_of_maximum: float | None
    flags: tuple[Flag, ...]


def schedule_of_project(project: IndigoProject) -> Planned:
    """Build one project's schedule; empty, with a flag, where it has no plan or several currencies."""
    rows = project.data.prepared.payments.get(project.id)
    if rows is None:
        return _nothing(project)
    currencies = [code for code in rows["currency"].unique() if code]
    flags = _cannot(rows, currencies)
    table = schedule_of(rows[["kind", "plan", "start", "end", "amount"]].iloc[: 0 if len(currencies) > 1 else None])
    actual = rows[(rows["kind"] == "actual") & rows["amount"].notna()]
    total = (actual["amount"] * 100).round().sum() / 100 if len(actual) and len(currencies) < 2 else None
    row, maximum = project.row, _maximum(project)
    comparable = total is not None and maximum and row["maximum_currency"] in ("", *currencies)
    ends = [month_of(end, True) for end in actual["end"].unique()]
    return Planned(
        project=project.id,
        currency=currencies[0] if len(currencies) == 1 else "several" if currencies else "",
        table=table,
        actual_total=None if total is None else float(total),
        last_actual_period_end=month_text(np.nanmax(ends)) if np.isfinite(ends).any() else None,
        maximum=maximum,
        share_of_maximum=float(total / maximum) if comparable else None,  # type: ignore[operator]
        flags=(*flags, *_told(table, currencies), *_found(project)),
    )


def _nothing(project: IndigoProject) -> Planned:
    """No planned and no actual payments at all."""
    flags = (Flag("contract", "note", NO_PLAN, about="plans"), *_found(project))
    return Planned(project.id, "", _no_plans().copy(), None, None, _maximum(project), None, flags)


@cache
def _no_plans() -> pd.DataFrame:
    return schedule_of(pd.DataFrame({"kind": [], "amount": []}))


def _maximum(project: IndigoProject) -> float | None:
    value = project.row["maximum"]
    return None if pd.isna(value) else float(value)


def _found(project: IndigoProject) -> tuple[Flag, ...]:
    found = project.data.prepared.findings.get(project.id, [])
    return flags_of([one for one in found if one.fault in ABOUT_PLANS and one.table in TABLES])


def _cannot(rows: pd.DataFrame, currencies: list[str]) -> list[Flag]:
    if len(currencies) > 1:
        text = f"The payments are in {listed(currencies)}: they are not added up, and no schedule is drawn."
        return [Flag("contract", "serious", text, about="plans")]
    if not (rows["kind"] == "planned").any():
        return [Flag("contract", "note", NO_PLAN, about="plans")]
    if not (rows["kind"] == "actual").any():
        return [Flag("contract", "note", "No actual payments are recorded beside the plan.", about="plans")]
    return []


def _told(table: pd.DataFrame, currencies: list[str]) -> list[Flag]:
    """What the running sums do not hold, and what the versions say against each other."""
    currency, flags = (currencies[0] if currencies else "GBP"), []
    loose = {
        "planned": table["planned_without_period"].max() if len(table) else 0,
        "actual": table["actual_without_period"].max() if len(table) else 0,
    }
    for kind, amount in loose.items():
        if amount:
            text = (
                f"{whole_money(float(amount), currency)} of {kind} payments have no period: they count in totals only."
            )
            flags.append(Flag("contract", "caution", text, about="plans"))
    shares = table["share"].dropna()
    if len(shares) > 1:
        each = [f"{percent(row.share)} of {row.plan or 'the plan'}" for row in records(table)]
        flags.append(Flag("contract", "note", f"Paid: {listed(each)}. Plans are never added.", about="plans"))
    return flags
