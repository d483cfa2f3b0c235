"""Deadweight of a yes/no where nobody, or everybody, of an arm has the event: its variance is not 0 but unknown."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from evalkit.counterfactual.arms import TINY
from evalkit.counterfactual.nouns import Deadweight
from evalkit.counterfactual.panel import Panel, Plan
from evalkit.errors import Flag


@dataclass(frozen=True)
class Arm:
    """The share of one arm that is counted as achieved, and the people it is worth."""

    share: float
    people: float

    def range(self, level: float) -> tuple[float, float]:
        """The share itself, or from 0 or to 1 its exact bound (Clopper and Pearson 1934)."""
        bound = ((1 - level) / 2) ** (1 / self.people)
        if self.share == 0:
            return 0.0, 1 - bound
        return (bound, 1.0) if self.share == 1 else (self.share, self.share)


def allow_for_no_events(
    panel: Panel, plan: Plan, found: Deadweight, analysed: np.ndarray, worth: float | None, known: bool
) -> tuple[Deadweight, list[Flag]]:
    """Widen the interval of a deadweight by the exact bound of an arm without variation.

    Parameters
    ----------
    panel, plan : Panel, Plan
        What was estimated, and how.
    found : Deadweight
        With Fieller's interval.
    analysed : ndarray of bool, shape (n,)
        Rows that count.
    worth : float or None
        Effective size of the comparison, where it is weighted.
    known : bool
        Whether Fieller's interval holds beside the exact bound.

    Returns
    -------
    (Deadweight, list of Flag)
        As given where both arms vary or the outcome is no yes/no; with clusters not bounded.
    """
    if plan.values != "yes or no" or panel.time is not None:
        return found, []
    treated, comparison = (_arm(panel, plan, analysed & (panel.treated == arm)) for arm in (1.0, 0.0))
    if {treated.share, comparison.share}.isdisjoint({0.0, 1.0}):
        return found, []
    comparison = replace(comparison, people=min(comparison.people, worth or math.inf))
    says = found.method.partition(";")[0]
    text = "Nobody, or everybody, in an arm has this outcome, so "
    if panel.cluster is not None:
        flag = Flag("counterfactual", "caution", f"{text}the deadweight has no bounds: people come in clusters.")
        return replace(found, low=-math.inf, high=math.inf, method=f"{says}; not bounded"), [flag]
    low, high = _widened(found, treated, comparison, plan.level, known)
    flag = Flag("counterfactual", "caution", f"{text}the deadweight's interval rests on an exact bound.")
    return replace(found, low=low, high=high, method=f"{says}; exact bound of an arm without variation"), [flag]


def _arm(panel: Panel, plan: Plan, rows: np.ndarray) -> Arm:
    """The share that has the event; where it is unwanted, that has been spared it."""
    share = float(panel.y[rows].mean())
    return Arm(1 - share if plan.better == "lower" else share, float(rows.sum()))


def _widened(found: Deadweight, treated: Arm, comparison: Arm, level: float, known: bool) -> tuple[float, float]:
    """From the lowest to the highest ratio; Fieller's interval and the estimate lie inside."""
    (top_low, top_high), (bottom_low, bottom_high) = comparison.range(level), treated.range(level)
    if treated.share == 0:
        return -math.inf, math.inf
    ends = [found.value, top_low / bottom_high, top_high / bottom_low]
    if known:
        stretch = bottom_high / bottom_low
        ends += [found.low, found.high, found.high * stretch]
    low, high = min(ends), max(ends)
    return (0.0 if abs(low) < TINY else low), high
