"""The verb of this room: from a study, or its effects, to the settled contract."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from evalkit import tables
from evalkit.contract.deadweight import add_anyway
from evalkit.contract.hidden import told_by_outcomes
from evalkit.contract.looks import View, look_at_all
from evalkit.contract.looks.budgets import COLUMNS as BUDGETS
from evalkit.contract.looks.costs import COLUMNS as COSTS
from evalkit.contract.looks.variations import KINDS as VARIATIONS
from evalkit.contract.noun import Contract
from evalkit.contract.prices import together
from evalkit.contract.questions import payment_flags
from evalkit.contract.reading import Papers, read_papers
from evalkit.contract.reconcile import plan_table, reconcile, total_up
from evalkit.contract.returns import returns
from evalkit.contract.triggers import judge_triggers, trigger_flags
from evalkit.study import Study
from evalkit.tables.kinds import Kind

BESIDE: dict[str, tuple[dict[str, Kind], list[str]]] = {
    "costs": (COSTS, ["phase", "what"]),
    "budgets": (BUDGETS, ["funder", "year", "amount"]),
    "variations": (VARIATIONS, ["date", "what"]),
}


def settle_contract(study_or_effects: Any) -> Contract:
    """Settle the contract: what was owed, paid, planned, and paid for what would have happened anyway.

    Parameters
    ----------
    study_or_effects : Study or Effects
        With a study alone nothing is said about deadweight, and triggers are not judged.

    Returns
    -------
    Contract
        See there for the columns.

    Raises
    ------
    StudyError
        The study has no contract, or its rate card or triggers name outcomes that are not estimated.
    DataError
        The tables contradict the rate card.
    """
    effects = None if isinstance(study_or_effects, Study) else study_or_effects
    study: Study = study_or_effects if effects is None else effects.study
    papers = _papers(study)
    triggers = judge_triggers(study, effects)
    table, ledger = reconcile(papers, study.contract, triggers)
    totals = total_up(study, papers, table, ledger)
    flags = payment_flags(study, papers, table, totals, told_by_outcomes(study, table, effects))
    table, anyway, more = add_anyway(study, papers, table, effects)
    investor = None if papers.cash_flows is None else returns(papers.cash_flows)
    flags += trigger_flags(study, triggers)
    settled = Contract(
        study, effects, table, totals | anyway, ledger, plan_table(totals), triggers, tuple(flags + more), investor
    )
    looks, said = look_at_all(View(settled, papers))
    return replace(settled, looks=looks, flags=(*settled.flags, *said))


def _papers(study: Study) -> Papers:
    """The tables of the contract; what is wrong with those that only a look reads is told with the rest."""
    calls: dict[str, Any] = {"papers": partial(read_papers, study)}
    for name, (columns, required) in BESIDE.items():
        if file := getattr(study.contract, name, None):
            calls[name] = partial(tables.read_csv_checked, study, file, columns, required=required)
    return together(f"The contract of {study.id}", calls)["papers"]  # type: ignore[no-any-return]
