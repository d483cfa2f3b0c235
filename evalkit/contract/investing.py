"""The investors' side of a contract: what came back, to whom, and what would have come back in other cases."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.contract.hidden import totals_tell
from evalkit.contract.reading import Papers
from evalkit.contract.returns import Returns, by_day, checked_flows, returns
from evalkit.contract.scenarios import BY_KIND, RESTS, Case, Reach, case, losses, outcome_flows, reach
from evalkit.errors import Flag
from evalkit.tables.kinds import plain_text

NOT_NAMED = "not named"


@dataclass(frozen=True, eq=False)
class Investors:
    """What investors paid in and got back.

    Parameters
    ----------
    whole : Returns
        All flows together.
    by_investor : dict of str to Returns
        In the order of the table; empty where the flows name fewer than two.
    curve : DataFrame
        date, amount (of the day) and balance (all so far).
    effects : tuple of Case
        At the low end of the effects' joint interval, as it was, at its high end, with no effect, and where the money
        just comes back; empty where no payment follows an estimated effect.
    losses : tuple of Case
        Payments smaller, stopping, at the contract's limits, and nothing at all.
    reach : Reach or None
        How payments follow the effects.
    payments : float
        The outcome payments among the flows.
    taken : str
        Which flows are taken for outcome payments, and what is held the same.
    facts : dict
        paid_in_before: what was paid in before the first outcome payment, as a share of all that was; on_outcomes:
        share of what was owed on metrics linked to an estimated outcome; cap, floor (or None).
    """

    whole: Returns
    by_investor: dict[str, Returns]
    curve: pd.DataFrame
    effects: tuple[Case, ...]
    losses: tuple[Case, ...]
    reach: Reach | None
    payments: float
    taken: str
    facts: dict[str, Any]


def invest(papers: Papers, contract: Any) -> tuple[Investors, list[Flag]]:
    """Work out the investors' side.

    Parameters
    ----------
    papers : Papers
        With cash flows.
    contract : Contract
        Settled.

    Returns
    -------
    (Investors, list of Flag)
        Everything about the investors, and what a reader must be told.

    Raises
    ------
    DataError
        The cash flows are not dates and plain amounts in one currency, or name kinds that are not known.
    """
    study = contract.study
    flows = checked_flows(papers.cash_flows)  # type: ignore[arg-type]
    chosen, says = outcome_flows(flows)
    whole = returns(flows)
    payments = float(sum((Decimal(repr(float(one))) for one in flows.loc[chosen, "amount"]), Decimal(0)))
    follows: Reach | None = None
    cases: tuple[Case, ...] = ()
    if payments > 0:
        follows = reach(papers, study, contract, 1.0 - whole.net / payments)
        cases = _at_effects(flows, chosen, follows) if follows is not None else ()
    found = Investors(
        whole=whole,
        by_investor=_each(flows),
        curve=_curve(flows),
        effects=cases,
        losses=tuple(losses(flows, chosen, contract, papers)) if payments > 0 else (),
        reach=follows,
        payments=payments,
        taken=f"{says} {RESTS}",
        facts=_facts(flows, chosen, contract, study.contract),
    )
    return found, _flags(flows, found, says, contract)


def _each(flows: pd.DataFrame) -> dict[str, Returns]:
    """The returns of each investor, where the flows name at least two."""
    if "investor" not in flows:
        return {}
    names = plain_text(flows["investor"]).replace("", NOT_NAMED)
    if names.nunique() < 2:
        return {}
    return {str(name): returns(rows) for name, rows in flows.groupby(names, sort=False)}


def _curve(flows: pd.DataFrame) -> pd.DataFrame:
    days = by_day(flows)
    return days.assign(balance=days["amount"].cumsum().astype(float), amount=days["amount"].astype(float))


def _at_effects(flows: pd.DataFrame, chosen: pd.Series, follows: Reach) -> tuple[Case, ...]:
    """The flows with the outcome payments that other effects would have earned."""
    named = [
        ("low", "effects at the low end of their joint interval", follows.low),
        ("as_it_was", "as it was", 1.0),
        ("high", "effects at the high end of their joint interval", follows.high),
        ("no_effect", "no effect at all", follows.none),
        ("money_back", "investors just get their money back", follows.needed),
    ]
    usable = [(name, says, ratio) for name, says, ratio in named if np.isfinite(ratio) and ratio >= 0]
    return tuple(case(flows, chosen, (name, says), ratio) for name, says, ratio in usable)


def _facts(flows: pd.DataFrame, chosen: pd.Series, contract: Any, plan: Any) -> dict[str, Any]:
    """What the numbers say about who carried the risk."""
    paid_in = flows["amount"].where(flows["amount"] < 0, 0.0)
    first = flows.loc[chosen, "date"].min() if chosen.any() else None
    before = None if first is None or not paid_in.sum() else float(paid_in[flows["date"] < first].sum() / paid_in.sum())
    table = contract.table
    owed = float(table["owed"].sum()) if len(table) else 0.0
    linked = float(table.loc[table["outcome"] != "", "owed"].sum()) / owed if owed > 0 else None
    return {"paid_in_before": before, "on_outcomes": linked, "cap": plan.cap, "floor": plan.floor}


def _flags(flows: pd.DataFrame, found: Investors, says: str, contract: Any) -> list[Flag]:
    flags = []
    if found.whole.why:
        flags.append(
            Flag("contract", "note", f"The investors have no rate of return: {found.whole.why}.", "", "investors")
        )
    if says != BY_KIND:
        flags.append(Flag("contract", "note", says, "The cases for investors rest on this.", "investors"))
    flags += _signs(flows)
    paid, currency = contract.totals.get("paid"), contract.study.study.currency
    if says == BY_KIND and paid is not None and abs(found.payments - paid) > 0.5:
        amounts = [words.whole_money(one, currency) for one in (found.payments, paid)]
        text = "The outcome payments among the investors' cash flows differ from those of the contract."
        secret = len(contract.table) > 0 and totals_tell(contract.study, contract.table)
        against = "" if secret else f"{amounts[0]} against {amounts[1]}: "
        detail = f"{against}did some reach other parties, or fall outside either table?"
        flags.append(Flag("contract", "caution", text, detail, "investors"))
    return flags


def _signs(flows: pd.DataFrame) -> list[Flag]:
    """Kinds whose amounts have the other sign than their name."""
    if "kind" not in flows:
        return []
    kinds = flows["kind"].astype("str").str.strip().str.lower()
    wrong = (kinds.isin(("payment", "repayment")) & (flows["amount"] < 0)) | (
        kinds.isin(("investment", "cost")) & (flows["amount"] > 0)
    )
    if not wrong.any():
        return []
    text = f"{int(wrong.sum())} of {len(flows)} cash flows have the other sign than their kind."
    detail = "Payments and repayments are written above 0, investments and costs below: are these corrections?"
    return [Flag("contract", "caution", text, detail, "investors")]
