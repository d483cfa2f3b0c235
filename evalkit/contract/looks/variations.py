"""How the contract was varied, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from evalkit import tables
from evalkit.contract.looks.base import View, look
from evalkit.contract.schedule import month_of, month_text
from evalkit.contract.variations import COLUMNS, Ending, ending_of, variation_flags, variations_of
from evalkit.errors import Flag
from evalkit.tables.kinds import Kind

KINDS: dict[str, Kind] = {"date": "date", "kind": "text", "what": "text", "reason": "text", "source": "text"}


@dataclass(frozen=True, eq=False)
class Varied:
    """The log of variations in the order of their dates (date, kind, what, reason, source), and the ending."""

    table: pd.DataFrame
    ending: Ending


@look("variations")
def variations(view: View) -> tuple[Varied | None, list[Flag]]:
    """Variations on record, and whether the contract was terminated, extended or ended as planned.

    Parameters
    ----------
    view : View
        With [contract] variations, ends, or versions of a plan.

    Returns
    -------
    Varied or None, list of Flag
        None where neither variations nor an end are on record.
    """
    plan, payments = view.plan, view.papers.payments
    table = pd.DataFrame(columns=COLUMNS).astype({"date": "datetime64[us]", "reason": "str", "what": "str"})
    if plan.variations is not None:
        table = variations_of(tables.read_csv_checked(view.study, plan.variations, KINDS, required=["date", "what"]))
    versions = payments.loc[payments["kind"] == "planned", "plan"].nunique()
    flags = variation_flags(table, versions, plan.starts)
    if plan.variations is None and plan.ends is None:
        return None, flags
    ending = ending_of(table, plan.ends, last_paid(payments))
    if ending.question:
        flags.append(Flag("contract", "note", ending.says, ending.question, "ends"))
    return Varied(table, ending), flags


def last_paid(payments: pd.DataFrame) -> str | None:
    """The month in which the last period with a payment ends.

    Parameters
    ----------
    payments : DataFrame
        kind, amount, start, end.

    Returns
    -------
    str or None
        "2023-06"; None where no payment has a period.
    """
    paid = payments[(payments["kind"] == "actual") & (payments["amount"].fillna(0) != 0)]
    ends = paid["end"].where(paid["end"].notna(), paid["start"])
    months = [month_of(value, last=True) for value in ends.dropna()]
    return month_text(max(months, default=None))
