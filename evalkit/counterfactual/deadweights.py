"""Deadweight, defined once: the share of what is counted as achieved that would have been achieved anyway."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from evalkit.counterfactual.nouns import Deadweight
from evalkit.counterfactual.panel import Plan

Quantities = dict[str, float]


@dataclass(frozen=True)
class Definition:
    """A ratio of two linear combinations of observed, counterfactual, baseline and 1; or why there is none."""

    top: Quantities | None
    bottom: Quantities | None
    says: str
    why: str = ""


def define_deadweight(plan: Plan, has_baseline: bool) -> Definition:
    """Which ratio is the deadweight of this kind of outcome.

    Parameters
    ----------
    plan : Plan
        ``values`` ("yes or no", "amount", "score" or None), ``better`` and ``contract_baseline``.
    has_baseline : bool
        Whether the treated's own readings before the programme are known.

    Returns
    -------
    Definition
        The ratio, or the reason for none.
    """
    base = plan.contract_baseline
    if plan.values == "yes or no" and plan.better == "lower":
        return Definition({"one": 1.0, "counterfactual": -1.0}, {"one": 1.0, "observed": -1.0}, "share of its absence")
    if plan.values == "yes or no" or (plan.values == "amount" and plan.better == "higher" and base is None):
        return Definition({"counterfactual": 1.0}, {"observed": 1.0}, "counterfactual / observed")
    if plan.values == "amount" and base is not None:
        sign = 1.0 if plan.better == "lower" else -1.0
        says = "(contract baseline - counterfactual) / (contract baseline - observed)"
        return Definition({"one": sign * base, "counterfactual": -sign}, {"one": sign * base, "observed": -sign}, says)
    if plan.values == "amount":
        why = "an amount that should fall has a deadweight only against a contract baseline, and none is given"
        return Definition(None, None, "", why)
    if plan.values == "score" and has_baseline:
        sign = -1.0 if plan.better == "lower" else 1.0
        top, bottom = {"counterfactual": sign, "baseline": -sign}, {"observed": sign, "baseline": -sign}
        return Definition(top, bottom, "share of the improvement from baseline that the comparison also made")
    if plan.values == "score":
        return Definition(None, None, "", "not defined for a score")
    return Definition(None, None, "", 'not known whether this outcome is a "score", an "amount" or "yes or no"')


def combine(weights: Quantities, values: Quantities) -> float:
    """A linear combination of named quantities.

    Parameters
    ----------
    weights : dict
        Name to weight; "one" is the constant 1.
    values : dict
        Name to value.

    Returns
    -------
    float
        The sum.
    """
    return float(sum(weight * (1.0 if name == "one" else values[name]) for name, weight in weights.items()))


def fieller(top: float, bottom: float, covariance: np.ndarray, critical: float) -> tuple[float, float]:
    """The interval of a ratio from the joint distribution of its parts.

    Parameters
    ----------
    top, bottom : float
        The two estimates.
    covariance : ndarray, shape (2, 2)
        Their covariance.
    critical : float
        The quantile of t or normal for the level wanted.

    Returns
    -------
    (float, float)
        The bounds; (-inf, inf) where the set is unbounded or in two pieces.

    References
    ----------
    Fieller (1954), JRSS B 16, 175-185.
    """
    square = critical**2
    a = bottom**2 - square * covariance[1, 1]
    b = top * bottom - square * covariance[0, 1]
    c = top**2 - square * covariance[0, 0]
    if not a > 0:
        return -math.inf, math.inf
    root = math.sqrt(max(b**2 - a * c, 0.0))
    return (b - root) / a, (b + root) / a


def deadweight_of(
    definition: Definition, values: Quantities, contributions: dict[str, np.ndarray], critical: float
) -> tuple[Deadweight | None, str]:
    """The deadweight and its interval, or the reason for none.

    Parameters
    ----------
    definition : Definition
        From `define_deadweight`.
    values : dict
        observed, counterfactual and, where used, baseline.
    contributions : dict of ndarray
        The same names: contributions summed by cluster, so that products summed over clusters are covariances.
    critical : float
        The quantile for the level wanted.

    Returns
    -------
    (Deadweight or None, str)
        The second is the reason where the first is None.
    """
    if definition.top is None or definition.bottom is None:
        return None, definition.why
    top, bottom = combine(definition.top, values), combine(definition.bottom, values)
    if not bottom > 0:
        return None, "nothing was achieved on average, so there is no share of it to give"
    parts = [_combined(weights, contributions) for weights in (definition.top, definition.bottom)]
    covariance = np.array([[float((one * two).sum()) for two in parts] for one in parts])
    low, high = fieller(top, bottom, covariance, critical)
    bounded = "Fieller's interval" if math.isfinite(low) else "Fieller's interval, not bounded"
    return Deadweight(top / bottom, low, high, f"{definition.says}; {bounded}"), ""


def deadweight_of_known(
    definition: Definition, observed: float, counterfactual: float, ends: tuple[float, float]
) -> tuple[Deadweight | None, str]:
    """The deadweight where what was observed is taken as it happened and only the counterfactual is uncertain.

    Parameters
    ----------
    definition : Definition
        From `define_deadweight`; without baseline.
    observed, counterfactual : float
        What happened, and what is estimated to have happened anyway.
    ends : (float, float)
        The interval of the counterfactual; NaN where there is none.

    Returns
    -------
    (Deadweight or None, str)
        The second is the reason where the first is None.

    Examples
    --------
    19,723 hospital admissions happened and 22,284 (21,500 to 23,100) were expected; admissions should fall, and the
    contract counts from 25,000. Of 5,277 fewer than that, 2,716 would have come anyway.

    >>> from evalkit.counterfactual.panel import Plan
    >>> plan = Plan("interrupted time series", values="amount", better="lower", contract_baseline=25_000)
    >>> share, why = deadweight_of_known(define_deadweight(plan, False), 19_723, 22_284, (21_500, 23_100))
    >>> round(share.value, 3), round(share.low, 3), round(share.high, 3)
    (0.515, 0.36, 0.663)
    """
    if definition.top is None or definition.bottom is None:
        return None, definition.why
    bottom = combine(definition.bottom, {"observed": observed})
    if not bottom > 0:
        return None, "nothing was achieved on average, so there is no share of it to give"
    value, *shares = (
        combine(definition.top, {"observed": observed, "counterfactual": one}) / bottom
        for one in (counterfactual, *ends)
    )
    low, high = (math.nan, math.nan) if any(math.isnan(one) for one in shares) else (min(shares), max(shares))
    told = "sampling error unknown" if math.isnan(low) else "interval of the counterfactual, observed as it happened"
    return Deadweight(value, low, high, f"{definition.says}; {told}"), ""


def _combined(weights: Quantities, contributions: dict[str, np.ndarray]) -> np.ndarray:
    """The same combination of the contributions (a constant contributes nothing)."""
    length = len(next(iter(contributions.values())))
    return sum((w * contributions[name] for name, w in weights.items() if name != "one"), np.zeros(length))
