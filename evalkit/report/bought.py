"""The words and results of what was bought: prices of outcomes, and what of them may be printed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from evalkit import words
from evalkit.report.phrases import Wording, finite, real, wording
from evalkit.report.rests import hidden_metrics, judged_tell
from evalkit.report.results import Result, unit_of

NOT_ADDED = "none added"


def found_in(evaluation: Any) -> Any:
    """What was bought, as the contract's look found it; None where there is nothing to show."""
    contract = evaluation.contract
    looks = getattr(contract, "looks", None) or {}
    return looks.get("bought")


def per_cent(evaluation: Any) -> str:
    """The level of the intervals: "95%"."""
    plan = getattr(evaluation.study, "counterfactual", None)
    return words.percent(plan.level if plan is not None else 0.95, 0)


def price(value: object, currency: str) -> str:
    """Money for one outcome: with pence below a thousand."""
    return words.whole_money(real(value), currency, 0 if abs(real(value)) >= 1000 else 2)


def each_added(row: Any, currency: str) -> str:
    """Cost of one added outcome in words."""
    if row.verdict == NOT_ADDED:
        return NOT_ADDED
    return price(row.cost_per_additional, currency) if finite(row.cost_per_additional) else words.NOT_AVAILABLE


def span_of(row: Any, currency: str) -> str:
    """The interval of the cost of one added outcome."""
    low, high = real(row.cost_per_additional_low), real(row.cost_per_additional_high)
    if row.verdict == "bounded":
        return f"{price(low, currency)} to {price(high, currency)}"
    if row.verdict == "no interval":
        return words.NOT_AVAILABLE
    if not finite(low):
        return "none at either end" if row.verdict == NOT_ADDED else words.UNBOUNDED
    return f"at least {price(low, currency)}"


def form_of(evaluation: Any, outcome: str) -> Wording:
    """How numbers of an outcome are written."""
    rows = [row for row in evaluation.contract.effects.table.itertuples() if row.outcome == outcome]
    return wording(rows[0], evaluation.study.study.currency)


def of_effects(whole: dict[str, Any]) -> str:
    """The multiple of the estimated effects at which the whole contract pays for nothing, in words."""
    if whole["at_estimate"]:
        return "the estimated effects themselves"
    if not whole["scale"]:
        return "no effect at all"
    return f"{words.percent(whole['scale'], 0)} of the estimated effects"


def results(evaluation: Any) -> Iterator[Result]:
    """Every number of the section about what was bought.

    Parameters
    ----------
    evaluation : Evaluation
        Its contract may have looked at what was bought.

    Yields
    ------
    Result
        As the page prints them; nothing that is hidden there.
    """
    found = found_in(evaluation)
    if found is None:
        return
    gone, totals, whole = hidden_metrics(evaluation), evaluation.contract.totals, found.whole
    shown = not judged_tell(evaluation)
    if finite(totals.get("anyway_share")) and shown:
        text = words.percent(real(totals["anyway_share"]), 0)
        yield _result("contract.anyway_share", "share", text, "the contract's mechanism at the counterfactual", *(
            totals.get(f"anyway_share{end}") for end in ("", "_low", "_high")))  # fmt: skip
    for row in found.table.itertuples():
        if row.metric not in gone:
            yield from _of_metric(evaluation, row)
    if whole["scale"] is not None and shown:
        source = "common multiple of the estimated effects"
        yield _result("contract.pays_for_nothing_at", "share", of_effects(whole), source, whole["scale"])


def _of_metric(evaluation: Any, row: Any) -> Iterator[Result]:
    currency = str(evaluation.study.study.currency)
    if finite(row.cost_per_outcome):
        text, source = price(row.cost_per_outcome, currency), f"{row.basis} / units achieved"
        yield _result(f"contract.cost_per_outcome.{row.metric}", currency, text, source, row.cost_per_outcome)
    if row.verdict:
        source = f"{row.basis} / (units achieved x (1 - deadweight))"
        yield _result(f"contract.cost_per_additional.{row.metric}", currency, each_added(row, currency), source,
                      row.cost_per_additional, row.cost_per_additional_low, row.cost_per_additional_high)  # fmt: skip
    if finite(row.nothing_effect):
        form, source = form_of(evaluation, row.outcome), "the effect at which all that was owed is paid anyway"
        text = form.signed(row.nothing_effect)
        yield _result(
            f"contract.pays_for_nothing_at.{row.metric}", unit_of(form, currency), text, source, row.nothing_effect
        )


def _result(
    name: str, unit: str, text: str, source: str, value: object, low: object = None, high: object = None
) -> Result:
    numbers = [real(one) if finite(one) else None for one in (value, low, high)]
    return Result(name, numbers[0], unit, numbers[1], numbers[2], text, "bought", source)
