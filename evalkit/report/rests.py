"""Which amounts of a contract rest on too few people to be printed, alike in every section about them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from evalkit.contract import hidden
from evalkit.report.phrases import finite
from evalkit.report.results import tells_of_few

OF_ALL = ("gross", "cut", "owed", "paid", "difference", "paid_without_metric")
OF_JUDGED = ("anyway", "judged", "added")


def hidden_metrics(evaluation: Any) -> set[str]:
    """Metrics whose amounts are hidden: as where payments are printed, so that none can be found from another table.

    Parameters
    ----------
    evaluation : Evaluation
        With a contract.

    Returns
    -------
    set of str
        Those of few people, and those whose deadweight, beside the effect, would tell how few had the outcome.
    """
    table = evaluation.contract.table
    gone = set(hidden.hidden_metrics(evaluation.study, table))
    told = set() if evaluation.study.contract.published else _told_by_the_outcome(evaluation, table)
    return gone | _and_one_more(table, gone | told)


def printed_totals(evaluation: Any) -> dict[str, Any]:
    """The contract's totals without those that would tell of few people.

    Parameters
    ----------
    evaluation : Evaluation
        Its contract may be missing.

    Returns
    -------
    dict
        As ``contract.totals``; None in place of what may not be printed. Empty without a contract.
    """
    contract = evaluation.contract
    if contract is None:
        return {}
    table = contract.table
    tell = len(table) > 0 and hidden.totals_tell(evaluation.study, table)
    withheld = set(OF_ALL) if tell else set()
    if tell or _one_hidden(table, hidden_metrics(evaluation)):
        withheld |= {name for name in contract.totals if name.startswith(OF_JUDGED)}
    return {name: None if name in withheld else value for name, value in contract.totals.items()}


def _one_hidden(table: pd.DataFrame, gone: set[str]) -> bool:
    """Whether one hidden metric would follow from the total of those that can be judged."""
    judged = table.loc[table["anyway"].map(finite), "metric"]
    return len(gone.intersection(judged)) == 1


def _told_by_the_outcome(evaluation: Any, table: pd.DataFrame) -> set[str]:
    """Metrics of outcomes whose observed level is hidden: effect and deadweight together would give it away."""
    effects = evaluation.contract.effects
    if effects is None:
        return set()
    few = {str(row.outcome) for row in effects.table.itertuples() if tells_of_few(row, evaluation)}
    return {str(metric) for metric, outcome in zip(table["metric"], table["outcome"], strict=True) if outcome in few}


def _and_one_more(table: pd.DataFrame, gone: set[str]) -> set[str]:
    """One hidden metric alone would follow from the totals: the judged one with the least owed is hidden too."""
    if not _one_hidden(table, gone):
        return gone
    judged = table[table["anyway"].map(finite)]
    others = judged[~judged["metric"].isin(gone)].sort_values("owed", kind="stable")
    return gone if others.empty else {*gone, str(others["metric"].iloc[0])}
