"""The contract as a noun: what was owed, paid, planned, and paid for what would have happened anyway."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import words
from evalkit.contract.hidden import totals_tell
from evalkit.errors import Flag

if TYPE_CHECKING:
    from evalkit.contract.returns import Returns
    from evalkit.study import Study


@dataclass(frozen=True, eq=False)
class Contract:
    """What `settle_contract` found.

    Parameters
    ----------
    study : Study
        The plan.
    effects : Effects or None
        The effects the payments were held against.
    table : DataFrame
        One row per metric, then one for each trigger that pays ("trigger ID") and one for the contract's floor
        ("contract floor"): metric, title, outcome, mechanism, price, people (behind it, where known), achieved, gross,
        cut, owed, paid, difference (paid - owed), implied_units (paid / price, where no cap cut), people_cut (by a cap
        of one person), lifted (by a floor; part of gross), anyway, anyway_low, anyway_high, anyway_share,
        why_no_anyway. Money in the study's currency, exact sums of the ledger's pennies. Bounds are infinite where
        "not bounded".
    totals : dict
        gross, cut, owed, paid, difference, planned (plan -> amount; plans are never added), cap, paid_without_metric,
        floors (what lifted sums), triggers (owed for those met), judged (owed on metrics whose deadweight is known),
        anyway with _low, _high, and anyway_share with _low, _high.
    ledger : DataFrame
        One row per claim, trigger and floor, as `due` gives it. May hold ids of people: it never leaves.
    plans : DataFrame
        plan, planned, actual, share: one row per plan version.
    triggers : DataFrame
        id, says, scope, outcome, threshold, relative, relative_low, relative_high (improvement as a share), met, note.
    flags : tuple of Flag
        What a reader must be told.
    investor : Returns or None
        Where the study has cash flows.
    looks : dict of str to object
        What else was seen, by the name of the look: schedule, bought, costs ...; see `evalkit.contract.looks`.
    """

    study: Study
    effects: Any
    table: pd.DataFrame
    totals: dict[str, Any]
    ledger: pd.DataFrame
    plans: pd.DataFrame
    triggers: pd.DataFrame
    flags: tuple[Flag, ...]
    investor: Returns | None = None
    looks: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        """What was owed and paid, in one line; never the ledger, which may hold ids of people."""
        owed, paid = self._owed_and_paid()
        return f"Contract(owed {owed}, paid {paid}; {len(self.table)} metrics, {len(self.flags)} flags)"

    def _repr_html_(self) -> str:
        """The totals in a sentence, and the flags; never the ledger."""
        owed, paid = self._owed_and_paid()
        caveats = "".join(f"<li>{escape(f'{flag.level}: {flag.text}')}</li>" for flag in self.flags)
        return f"<p>Contract of {escape(self.study.study.title)}: owed {owed}, paid {paid}.</p><ul>{caveats}</ul>"

    def _owed_and_paid(self) -> tuple[str, str]:
        """The two totals; hidden where one metric of few people makes them up: over its price it is their number."""
        currency, told = self.study.study.currency, totals_tell(self.study, self.table)
        amounts = [self.totals[name] for name in ("owed", "paid")]
        owed, paid = (
            words.SUPPRESSED if told else words.whole_money(amount, currency) if amount is not None else "not known"
            for amount in amounts
        )
        return owed, paid
