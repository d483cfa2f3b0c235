"""Deadweight, defined once: the share of what is counted as achieved that would have been achieved anyway."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from evalkit.counterfactual.nouns import Deadweight
from evalkit.counterfactual.panel import Plan

Quantities = dict[str, float]
UNKNOWN_KIND = 'it is not said whether this outcome is a "score", an "amount" or "yes or no" (values = ...)'


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
    return Definition(None, None, "", UNKNOWN_KIND)


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

    Examples
    --------
    3 (standard error 0.5) of 6 (standard error 1), independent of each other.

    >>> low, high = fieller(3.0, 6.0, np.diag([0.25, 1.0]), 1.96)
    >>> round(low, 3), round(high, 3)
    (0.308, 0.811)

    Where the whole may be nothing, no share can be ruled out: the set is in two pieces (below -3.04, above 0.93), or
    everything. Neither is an interval, and none is made of it.

    >>> fieller(3.0, 1.0, np.diag([0.25, 1.0]), 1.96)
    (-inf, inf)

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
    return float((b - root) / a), float((b + root) / a)


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
    definition: Definition,
    observed: float,
    counterfactual: float,
    ends: tuple[float, float],
    baseline: float = math.nan,
) -> tuple[Deadweight | None, str]:
    """The deadweight where what was observed is taken as it happened and only the counterfactual is uncertain.

    Parameters
    ----------
    definition : Definition
        From `define_deadweight`.
    observed, counterfactual : float
        What happened, and what is estimated to have happened anyway.
    ends : (float, float)
        The interval of the counterfactual; NaN where there is none.
    baseline : float
        The level before the programme, where the definition needs it; taken as it was.

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
    known = {"observed": observed, "baseline": baseline}
    bottom = combine(definition.bottom, known)
    if not bottom > 0:
        return None, "nothing was achieved on average, so there is no share of it to give"
    value, *shares = (
        combine(definition.top, known | {"counterfactual": one}) / bottom for one in (counterfactual, *ends)
    )
    low, high = (math.nan, math.nan) if any(math.isnan(one) for one in shares) else (min(shares), max(shares))
    told = "sampling error unknown" if math.isnan(low) else "interval of the counterfactual, observed as it happened"
    return Deadweight(value, low, high, f"{definition.says}; {told}"), ""


def deadweight_from_levels(
    observed: float,
    counterfactual: float,
    *,
    values: str,
    better: str = "higher",
    contract_baseline: float | None = None,
    baseline: float | None = None,
    interval: tuple[float, float] = (math.nan, math.nan),
) -> tuple[Deadweight | None, str]:
    """The deadweight of two plain levels, by the one definition that every estimator uses.

    Parameters
    ----------
    observed, counterfactual : float
        What happened to the treated, and what would have happened anyway; per person, in the outcome's unit.
    values : {"yes or no", "amount", "score"}
        What kind of outcome it is.
    better : {"higher", "lower"}
        Which way is good.
    contract_baseline : float, optional
        The level per person from which the contract counts.
    baseline : float, optional
        The treated's own level before the programme (scores).
    interval : (float, float)
        Of the counterfactual, where it is known.

    Returns
    -------
    (Deadweight or None, str)
        The second is the reason where the first is None.

    Examples
    --------
    *A good yes/no.* Six in ten found work, and three in ten would have: half of the jobs are deadweight.

    >>> share, why = deadweight_from_levels(0.6, 0.3, values="yes or no")
    >>> round(share.value, 4), share.method.partition(";")[0]
    (0.5, 'counterfactual / observed')

    *An amount with a natural zero.* 200 days in work a year, 150 anyway.

    >>> round(deadweight_from_levels(200, 150, values="amount")[0].value, 4)
    0.75

    *An adverse yes/no: its absence is counted.* Essex, as published: 10.8 % went into care and 55 % of the historical
    comparison (Social Finance). Staying out of care was achieved by 89.2 %, and 45 % would have stayed out anyway.

    >>> share, why = deadweight_from_levels(0.108, 0.55, values="yes or no", better="lower")
    >>> round(share.value, 4), share.method.partition(";")[0]
    (0.5045, 'share of its absence')

    *An adverse amount against a contract baseline.* The contract counts days in care below 180. 60 were observed: 120
    are counted as saved. 100 would have been spent in care anyway, so 80 of the 120 would have been saved.

    >>> days = deadweight_from_levels(60, 100, values="amount", better="lower", contract_baseline=180)[0]
    >>> round(days.value, 4)
    0.6667

    Without a contract baseline nothing says how many days count as saved.

    >>> deadweight_from_levels(60, 100, values="amount", better="lower")[1][:57]
    'an amount that should fall has a deadweight only against '

    *A score, by the improvement from baseline.* Well-being rose from 20 to 30; in the comparison it would have risen to
    26: six of the ten points.

    >>> round(deadweight_from_levels(30, 26, values="score", baseline=20)[0].value, 4)
    0.6

    *A score, by a declared responder definition.* Who improved by five points or more is a yes/no of its own: 45 % of
    the treated did, 27 % would have anyway.

    >>> round(deadweight_from_levels(0.45, 0.27, values="yes or no")[0].value, 4)
    0.6

    *A score with neither.*

    >>> deadweight_from_levels(30, 26, values="score")
    (None, 'not defined for a score')

    *Above 1 and below 0 it stays as it is.* The Innovation Fund, as published: 59 % in education, employment or
    training against 75 %. More than all would have been there anyway: the programme did harm, and no payment or value
    turns that into good. And a counterfactual beyond the contract's own baseline gives a share below 0.

    >>> round(deadweight_from_levels(0.59, 0.75, values="yes or no")[0].value, 4)
    1.2712
    >>> share = deadweight_from_levels(60, 190, values="amount", better="lower", contract_baseline=180)[0].value
    >>> round(share, 4)
    -0.0833

    *Nothing achieved, nothing to share.*

    >>> deadweight_from_levels(190, 200, values="amount", better="lower", contract_baseline=180)[1]
    'nothing was achieved on average, so there is no share of it to give'
    """
    plan = Plan("stated", values=values, better=better, contract_baseline=contract_baseline)
    definition = define_deadweight(plan, baseline is not None)
    return deadweight_of_known(
        definition, observed, counterfactual, interval, math.nan if baseline is None else float(baseline)
    )


def _combined(weights: Quantities, contributions: dict[str, np.ndarray]) -> np.ndarray:
    """The same combination of the contributions (a constant contributes nothing)."""
    length = len(next(iter(contributions.values())))
    return sum((w * contributions[name] for name, w in weights.items() if name != "one"), np.zeros(length))
