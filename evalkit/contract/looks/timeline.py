"""The steps of commissioning and delivery: when they were planned and when they were done."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import pandas as pd

from evalkit.contract.looks.base import View, look
from evalkit.errors import Flag

if TYPE_CHECKING:
    from evalkit.study.model import Step

MONTH = 365.25 / 12


@dataclass(frozen=True, eq=False)
class Timeline:
    """The steps as the study has them, and the phases they belong to.

    Parameters
    ----------
    steps : DataFrame
        says, phase, planned, done, known_to, days_late, months_late (to the nearest month; missing where either date
        is, or only the year is known), note, source.
    phases : DataFrame
        phase, planned_from, planned_until, done_from, done_until, steps, done: first and last days of their steps.
    """

    steps: pd.DataFrame
    phases: pd.DataFrame


@look("timeline")
def timeline(view: View) -> tuple[Timeline | None, list[Flag]]:
    """Planned against done, step by step and phase by phase.

    Parameters
    ----------
    view : View
        With [[contract.step]].

    Returns
    -------
    Timeline or None, list of Flag
        None where the study has no steps.
    """
    if not view.plan.step:
        return None, []
    names = ("says", "phase", "planned", "done", "known_to", "note", "source")
    steps = pd.DataFrame([{name: getattr(step, name) for name in names} for step in view.plan.step])
    late = [_days(step) for step in view.plan.step]
    steps["days_late"] = pd.Series(late, index=steps.index, dtype=float)
    steps["months_late"] = (steps["days_late"] / MONTH).round() + 0.0  # no minus before nothing
    phases = _phases(steps)
    return Timeline(steps, phases), _out_of_order(view.plan.step)


def _days(step: Step) -> float:
    """Days from planned to done; none where a date is missing or known to the year only."""
    if step.planned is None or step.done is None or step.known_to == "year":
        return float("nan")
    return float((step.done - step.planned).days)


def _phases(steps: pd.DataFrame) -> pd.DataFrame:
    """First and last days of each phase, in the order of the file; steps without a phase have none."""
    rows = []
    for phase in dict.fromkeys(steps["phase"]):
        if not phase:
            continue
        mine = steps[steps["phase"] == phase]
        planned, done = (sorted(day for day in mine[name] if day is not None) for name in ("planned", "done"))
        ends = [*([planned[0], planned[-1]] if planned else [None] * 2), *([done[0], done[-1]] if done else [None] * 2)]
        rows.append([phase, *ends, len(mine), len(done)])
    names = ["phase", "planned_from", "planned_until", "done_from", "done_until", "steps", "done"]
    return pd.DataFrame(rows, columns=names)


def _out_of_order(steps: list[Step]) -> list[Flag]:
    """Steps that were done before the one that stands above them: a question about the dates."""
    swapped = [f"{after.says} before {before.says}" for before, after in pairwise(steps) if _swapped(before, after)]
    if not swapped:
        return []
    text = "Some steps were done in another order than they are written: are the dates right?"
    return [Flag("contract", "note", text, "; ".join(swapped), "step")]


def _swapped(before: Step, after: Step) -> bool:
    """Whether a step was done first that stands second, and was not planned so."""
    if before.done is None or after.done is None or after.done >= before.done:
        return False
    return before.planned is None or after.planned is None or before.planned <= after.planned
