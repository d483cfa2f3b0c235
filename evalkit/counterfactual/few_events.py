"""A yes/no that hardly anybody, or nearly everybody, of an arm has: score intervals in place of Student's t."""

from __future__ import annotations

import math
from dataclasses import replace

from scipy import stats

from evalkit.counterfactual.arms import FEW_EVENTS
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.panel import Panel, Plan
from evalkit.counterfactual.two_shares import Share, difference_ends, p_of_difference, ratio_ends
from evalkit.errors import Flag

USUAL = ("hc2",)  # a standard error that was asked for by another name is left as it is


def few_events(panel: Panel, plan: Plan) -> tuple[Share, Share] | None:
    """The two arms' shares, where one of them has fewer than ten people with the event or without it.

    Parameters
    ----------
    panel, plan : Panel, Plan
        Independent people, nothing adjusted for.

    Returns
    -------
    (Share, Share) or None
        Treated and comparison. None for other outcomes, with clusters, with enough events, and where neither arm
        varies.
    """
    if plan.values != "yes or no" or panel.cluster is not None or plan.se not in USUAL or not panel.one_row_each:
        return None
    arms = [panel.y[panel.treated == arm] for arm in (1.0, 0.0)]
    least = min(min(float(y.sum()), float(len(y) - y.sum())) for y in arms)
    still = all(y.min() == y.max() for y in arms)
    if least >= FEW_EVENTS or still or min(len(y) for y in arms) < 2:
        return None
    one, none = (Share(float(y.mean()), float(len(y))) for y in arms)
    return one, none


def interval_of(shares: tuple[Share, Share], level: float) -> tuple[float, float, float]:
    """Newcombe's interval of the difference, and its p.

    Parameters
    ----------
    shares : (Share, Share)
        From `few_events`.
    level : float
        Such as 0.95.

    Returns
    -------
    (float, float, float)
        Low, high, p.

    References
    ----------
    Newcombe (1998), Statistics in Medicine 17, 873-890, method 10.
    """
    low, high = difference_ends(*shares, float(stats.norm.ppf(0.5 + level / 2)))
    return low, high, p_of_difference(*shares)


def by_scores(found: Estimate, shares: tuple[Share, Share], plan: Plan) -> Estimate:
    """The estimate with intervals that hold for few events.

    Parameters
    ----------
    found : Estimate
        With Student's t, and a standard error that stays.
    shares : (Share, Share)
        From `few_events`.
    plan : Plan
        Level, and which way is good.

    Returns
    -------
    Estimate
        The deadweight's interval rests on the same two score intervals, unless an arm has no variation at all: then
        that on an exact bound stays.
    """
    if math.isnan(found.low):
        return found
    low, high, p = interval_of(shares, plan.level)
    text = "Few people of an arm have this outcome, or lack it: the interval is made of the score intervals of both."
    flag = Flag("counterfactual", "note", text, "Newcombe's; the standard error shown is the usual one, and not in it.")
    kept = (one for one in found.flags if not one.text.startswith(f"Fewer than {FEW_EVENTS} people of an arm"))
    made = replace(found, low=low, high=high, p=p, df=math.inf, flags=(*kept, flag))
    if found.deadweight is None or any(share.value in (0.0, 1.0) for share in shares):
        return made
    one, none = (share.absence() for share in shares) if plan.better == "lower" else shares
    ends = ratio_ends(none, one, float(stats.norm.ppf(0.5 + plan.level / 2)))
    told = "from the score intervals of both shares" if math.isfinite(ends[0]) else "not bounded"
    says = found.deadweight.method.partition(";")[0]
    return replace(made, deadweight=replace(found.deadweight, low=ends[0], high=ends[1], method=f"{says}; {told}"))
