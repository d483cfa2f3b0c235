"""What of the money rests on too few people to be printed, alike in every section about it."""

from __future__ import annotations

from typing import Any

import pandas as pd

from evalkit.contract import hidden
from evalkit.report.common import treated
from evalkit.report.phrases import finite
from evalkit.report.results import tells_of_few

OF_ALL = ("gross", "cut", "owed", "paid", "difference", "paid_without_metric")
OF_JUDGED = ("anyway", "judged", "added")
RESTS = "it rests on a hidden count of people."


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
    return set(hidden.hidden_metrics(evaluation.study, evaluation.contract.table, _told_by_the_outcome(evaluation)))


def totals_tell(evaluation: Any) -> bool:
    """Whether the contract's totals would tell a hidden amount.

    Parameters
    ----------
    evaluation : Evaluation
        Its contract may be missing.

    Returns
    -------
    bool
        True where no total may be printed, nor what was paid for one plan, against one cost or to one investor.
    """
    contract = evaluation.contract
    if contract is None or not len(contract.table):
        return False
    return hidden.totals_tell(evaluation.study, contract.table, _told_by_the_outcome(evaluation))


def judged_tell(evaluation: Any) -> bool:
    """Whether totals of what can be judged would tell a hidden amount: any hidden metric in them, with its deadweight.

    Parameters
    ----------
    evaluation : Evaluation
        Its contract may be missing.

    Returns
    -------
    bool
        True where neither what was paid anyway nor what was added may be told in sum.
    """
    if evaluation.contract is None:
        return False
    table = evaluation.contract.table
    judged = set(table.loc[table["anyway"].map(finite), "metric"]) if len(table) else set()
    return totals_tell(evaluation) or bool(judged and judged & hidden_metrics(evaluation))


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
    withheld = set(OF_ALL) if totals_tell(evaluation) else set()
    if judged_tell(evaluation):
        withheld |= {name for name in contract.totals if name.startswith(OF_JUDGED)}
    return {name: None if name in withheld else value for name, value in contract.totals.items()}


def printed_value(evaluation: Any) -> Any:
    """The value where it may be printed: no part of it counts few people in the study's own care.

    One line that may not be told would follow from every total, subtotal and ratio, since unit values and effects are
    printed. In a study of real people a small quantity that somebody typed is taken for a count of them.

    Parameters
    ----------
    evaluation : Evaluation
        Its value may be missing.

    Returns
    -------
    Value or None
        None where there is none, or where it would tell of few people.
    """
    value, study = evaluation.value, evaluation.study
    published = study.contract is not None and study.contract.published
    if value is None or getattr(evaluation, "cohort", None) is None or published or study.study.kind != "real":
        return value
    lines = value.lines
    if "quantity" not in lines:
        return value
    counted = lines["quantity_from"].eq("effect") if "quantity_from" in lines else pd.Series(False, index=lines.index)
    few = pd.to_numeric(lines.loc[~counted, "quantity"]).abs().map(lambda n: n > 0 and hidden.is_few(study, n))
    return None if few.any() or (counted.any() and treated(evaluation) is None) else value


def _told_by_the_outcome(evaluation: Any) -> frozenset[str]:
    """Metrics of outcomes whose observed level is hidden: effect and deadweight together would give it away."""
    effects, table = evaluation.contract.effects, evaluation.contract.table
    if effects is None or evaluation.study.contract.published:
        return frozenset()
    few = {str(row.outcome) for row in effects.table.itertuples() if tells_of_few(row, evaluation)}
    return frozenset(str(one) for one, outcome in zip(table["metric"], table["outcome"], strict=True) if outcome in few)
