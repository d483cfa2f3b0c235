"""Checks of the parts about the contract: its days, shares, risks, triggers, steps and limits."""

from __future__ import annotations

from collections.abc import Iterator

from evalkit.study.model import Study
from evalkit.study.names import Names

Problems = Iterator[str]
CLOSE = 1e-6


def _days(study: Study, _: Names) -> Problems:
    plan = study.contract
    if plan is None:
        return
    if plan.starts and plan.ends and plan.starts > plan.ends:
        yield f"[contract] starts on {plan.starts}, after it ends ({plan.ends}). Put the two days in order."
    for trigger in plan.trigger:
        if trigger.due_on and plan.starts and trigger.due_on < plan.starts:
            yield (
                f"[[contract.trigger]] {trigger.id}: due_on {trigger.due_on} is before the contract starts "
                f"({plan.starts}). Mend one of the two."
            )


def _limits(study: Study, _: Names) -> Problems:
    plan = study.contract
    if plan is None or plan.floor is None:
        return
    if plan.cap is not None and plan.floor > plan.cap:
        yield (
            f"[contract] floor = {plan.floor:g} is above cap = {plan.cap:g}: the least that is paid cannot be more "
            "than the most. Mend one of the two."
        )


def _shares(study: Study, _: Names) -> Problems:
    shares = [party.share for party in study.party if party.role == "commissioner" and party.share is not None]
    whole = sum(shares)
    if whole > 1 + CLOSE:
        yield (
            f"[[party]] share: the commissioners' shares are {whole:.4g} in sum. Together they can be at most 1: "
            "40 % is 0.4."
        )


def _risks(study: Study, _: Names) -> Problems:
    for risk in study.contract.risk if study.contract else ():
        if not risk.carried_by:
            yield (
                f'[[contract.risk]] "{risk.risk}": nobody carries it. Name who does, such as '
                'carried_by = ["investor"], or take the risk out.'
            )


def _triggers(study: Study, names: Names) -> Problems:
    for trigger in study.contract.trigger if study.contract else ():
        place = f"[[contract.trigger]] {trigger.id}"
        if trigger.at_least <= 0:
            yield f"{place}: at_least = {trigger.at_least:g} is met by no change at all. Write 10 % as 0.1."
        if trigger.pays is not None and trigger.judged and "counterfactual" not in names.parts:
            yield (
                f"{place} pays {trigger.pays:g} and nothing in the study estimates {trigger.outcome}. "
                "Add [counterfactual], with published rates if need be, or write judged = false and say why in note."
            )


def _steps(study: Study, _: Names) -> Problems:
    steps = study.contract.step if study.contract else []
    for step in steps:
        if step.planned is None and step.done is None:
            yield f'[[contract.step]] "{step.says}" has no date. Give planned, done, or both, or take the step out.'
    twice = {
        (step.phase, step.says)
        for step in steps
        if sum((o.phase, o.says) == (step.phase, step.says) for o in steps) > 1
    }
    for _phase, says in sorted(twice):
        yield f'[[contract.step]] "{says}" is written more than once in one phase. Keep one, or say how they differ.'


def _names(study: Study, _: Names) -> Problems:
    """Two commissioners of one name: what is recorded as paid could be either's."""
    names = [party.name for party in study.party if party.role == "commissioner"]
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        yield f'[[party]] "{name}" is written {names.count(name)} times as a commissioner. Keep one, with one share.'


CHECKS = (_days, _limits, _shares, _risks, _triggers, _steps, _names)
