"""What stands below the table of payments: what can be judged, limits, conventions; and how it was computed."""

from __future__ import annotations

from typing import Any

from evalkit import words
from evalkit.contract.deadweight import IN_PRICE
from evalkit.contract.limits import ORDER
from evalkit.report.amounts import HALF_A_PENNY
from evalkit.report.common import rule_of
from evalkit.report.html import sentence
from evalkit.report.ledger_tables import conventions
from evalkit.report.phrases import finite, real, said


def notes(evaluation: Any, with_anyway: bool) -> list[str]:
    """The notes below the rate card.

    Parameters
    ----------
    evaluation : Evaluation
        With a contract.
    with_anyway : bool
        Whether the table shows what was paid for deadweight.

    Returns
    -------
    list of str
        One paragraph each.
    """
    table = evaluation.contract.table
    told = _judged(evaluation) if with_anyway else []
    different = [gap for gap in table["difference"] if finite(gap) and abs(real(gap)) >= HALF_A_PENNY]
    if different:
        told.append(
            f"In bold: paid and owed differ in {len(different)} of {len(table)} metrics. Each difference is a "
            "question, not a finding."
        )
    told += _limits(evaluation)
    named = [said(title) for title in table.loc[table["why_no_anyway"] == IN_PRICE, "title"]]
    if 0 < len(named) < len(table):
        told.append(f"Deadweight is already in the price of {words.listed(named)}, and is not taken a second time.")
    if len(evaluation.contract.ledger):
        told += conventions(evaluation)
    if not evaluation.study.contract.published:
        told.append(f"Rule in force: {rule_of(evaluation)}.")
    return told


def _judged(evaluation: Any) -> list[str]:
    """Of what the total share is one, and what the programme added where that is below nothing."""
    totals, currency = evaluation.contract.totals, str(evaluation.study.study.currency)
    span = words.interval(real(totals.get("anyway_share_low")), real(totals.get("anyway_share_high")), 0, percent=True)
    judged, added = words.whole_money(real(totals.get("judged")), currency), totals.get("added")
    told = [
        f"The total share is that of the {judged} that can be judged; 95% interval {span}. It is the contract's own "
        "mechanism recomputed at the outcome expected without the programme."
    ]
    if finite(added) and real(added) < 0:
        told.append(
            f"The programme added {words.whole_money(real(added), currency, sign=True)} to what is owed: by the same "
            "mechanism more would have been earned without it."
        )
    return told


def _limits(evaluation: Any) -> list[str]:
    """The contract's caps and floor; a cap in another currency is printed and not applied."""
    plan, currency = evaluation.study.contract, str(evaluation.study.study.currency)
    own = not plan.cap_currency or plan.cap_currency.upper() == currency.upper()
    of = currency if own else plan.cap_currency.upper()
    told = {
        "Most that could be paid": (plan.cap, of),
        "Most in any one year": (plan.cap_year, of),
        "Least that is paid": (plan.floor, currency),
    }
    apart = f", not applied to prices in {currency}"
    lines = [
        f"{says}: {words.whole_money(most, code)}{'' if code == currency else apart}."
        for says, (most, code) in told.items()
        if most is not None
    ]
    if plan.maximum_recorded is not None:
        recorded = words.whole_money(plan.maximum_recorded, currency)
        lines.append(f"A maximum of {recorded} is on record; it is not known to be a cap.")
    return lines


def method(contract: Any) -> list[str]:
    """How what is owed was computed, and why deadweight could not be judged.

    Parameters
    ----------
    contract : Contract
        With its table.

    Returns
    -------
    list of str
        For the drawer of the table.
    """
    why = dict.fromkeys(said(reason) for reason in contract.table["why_no_anyway"] if said(reason))
    return [
        "Owed = price \u00d7 achieved, cut where a cap of a person, a metric, a year or the contract is reached, and "
        "lifted where a floor is not.",
        ORDER,
        *(sentence(reason) for reason in why),
    ]
