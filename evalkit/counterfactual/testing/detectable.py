"""How large an effect had to be to be seen, after the fact from the standard error, and before from the sizes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from evalkit import words
from evalkit.counterfactual.nouns import Estimate
from evalkit.errors import EstimationError, several

SHARES = ("icc", "icc_effect", "explained_between")


@dataclass(frozen=True)
class Detectable:
    """The smallest effect that would probably be found.

    Parameters
    ----------
    effect : float
        In the outcome's unit; in standard deviations where none was given.
    se, df : float
        The standard error and degrees of freedom it rests on.
    power, level : float
        The chance of finding it, and the level of the interval.
    says : str
        In a sentence.
    """

    effect: float
    se: float
    df: float
    power: float
    level: float
    says: str


def detectable_effect(estimate: Estimate, power: float = 0.8, level: float | None = None) -> Detectable:
    """Say how large an effect would have been found with a given chance, from the standard error that was reached.

    It depends on the standard error alone, never on the effect found ("observed power" says nothing new).

    Parameters
    ----------
    estimate : Estimate
        With a standard error.
    power : float
        The chance of finding it: 0.8.
    level : float, optional
        Of the interval; default the estimate's.

    Returns
    -------
    Detectable
        By the non-central t distribution, either sign.

    Raises
    ------
    EstimationError
        No standard error, or a power that is none.

    Examples
    --------
    >>> from evalkit.counterfactual.testing.examples import an_estimate
    >>> round(detectable_effect(an_estimate(effect=0.0, se=1.0)).effect, 3)
    2.802
    """
    if not math.isfinite(estimate.se):
        raise EstimationError("this estimate has no standard error, so no detectable effect can be worked out from it.")
    df = estimate.df if math.isfinite(estimate.df) and estimate.df > 0 else math.inf
    half = (estimate.high - estimate.low) / 2  # what was tested: at a cutoff, more than the standard error shown
    se = half / float(stats.t.ppf(0.5 + estimate.level / 2, df)) if math.isfinite(half) else estimate.se
    return _detectable(se, df, power, estimate.level if level is None else level, "")


def detectable_effect_before(
    treated: int,
    comparison: int,
    power: float = 0.8,
    level: float = 0.95,
    sd: float = 1.0,
    explained: float = 0.0,
    **clusters: float,
) -> Detectable:
    """Work out the smallest effect a design would probably find, before there are data.

    Parameters
    ----------
    treated, comparison : int
        People in each arm.
    power, level : float
        The chance of finding it, and the level of the interval.
    sd : float
        Standard deviation of the outcome; 1 gives the effect in standard deviations.
    explained : float
        Share of the variance that covariates explain, 0 to below 1.
    **clusters
        icc (share of the variance between clusters), treated_clusters and comparison_clusters where whole clusters are
        treated; or icc, clusters and within = True where each cluster holds both arms (then icc_effect, the share of
        the variance by which the effect differs between clusters, counts instead; default 0); explained_between, the
        share of the variance between clusters that covariates explain (default ``explained``).

    Returns
    -------
    Detectable
        Degrees of freedom are clusters less 2 (less 1 within clusters), people less 2 without clusters.

    Raises
    ------
    EstimationError
        Sizes, shares or names that make no sense; all at once.

    References
    ----------
    Bloom (1995), Evaluation Review 19, 547-556; Donner and Klar (2000), chapter 5.

    Examples
    --------
    >>> round(detectable_effect_before(100, 100).effect, 3)
    0.398
    >>> round(detectable_effect_before(180, 180, icc=0.1, treated_clusters=6, comparison_clusters=6).effect, 2)
    0.65
    """
    told = {"icc": 0.0, "treated_clusters": 0, "comparison_clusters": 0, "clusters": 0, "within": False}
    told |= {"icc_effect": 0.0, "explained_between": explained}
    _check_design((treated, comparison, sd, explained), clusters, told)
    told |= clusters
    people = (1 - told["icc"]) * (1 - explained) * (1 / treated + 1 / comparison)
    between, df = 0.0, float(treated + comparison - 2)
    if told["within"]:
        between, df = told["icc_effect"] / told["clusters"], float(told["clusters"] - 1)
    elif told["treated_clusters"]:
        one, none = told["treated_clusters"], told["comparison_clusters"]
        between = told["icc"] * (1 - told["explained_between"]) * (1 / one + 1 / none)
        df = float(one + none - 2)
    return _detectable(sd * math.sqrt(people + between), df, power, level, "" if sd != 1.0 else " standard deviations")


def _check_design(sizes: tuple[float, float, float, float], given: dict, known: dict) -> None:
    """Sizes and shares that can be."""
    treated, comparison, sd, explained = sizes
    problems = [f'"{name}" is not part of a design. Known: {", ".join(known)}.' for name in given if name not in known]
    if min(treated, comparison) < 1 or treated + comparison < 3:
        problems.append("each arm needs people, and three or more in all.")
    if not sd > 0:
        problems.append("sd must be above 0.")
    shares = {"explained": explained, **{name: float(given.get(name, 0.0)) for name in SHARES}}
    problems += [f"{name} must lie from 0 to below 1." for name, share in shares.items() if not 0 <= share < 1]
    whole = [int(given.get(name, 0)) for name in ("treated_clusters", "comparison_clusters")]
    if given.get("within") and int(given.get("clusters", 0)) < 2:
        problems.append("within = True needs clusters = their number, 2 or more.")
    if not given.get("within") and given.get("icc") and (min(whole) < 1 or sum(whole) < 3):
        problems.append("icc needs treated_clusters and comparison_clusters, three or more in all; or within = True.")
    if problems:
        raise EstimationError(several("the design", problems))


def _detectable(se: float, df: float, power: float, level: float, unit: str) -> Detectable:
    """The effect at which a two-sided test finds it with this power."""
    if not (0 < level < 1 and 1 - level < power < 1):
        raise EstimationError("level and power must lie between 0 and 1, and power above 1 - level: 0.95 and 0.8.")
    critical = float(stats.t.ppf(0.5 + level / 2, df))
    from scipy.optimize import brentq

    shift = brentq(lambda size: _power(size, critical, df) - power, 0.0, 2 * critical + 40)
    effect = float(shift) * se
    says = (
        f"An effect of {words.number(effect, 3)}{unit} would be found with a chance of {words.percent(power, 0)}; "
        "smaller ones may be missed."
    )
    return Detectable(effect, se, df, power, level, says)


def _power(shift: float, critical: float, df: float) -> float:
    """The chance that |t| passes the critical value when the effect is ``shift`` standard errors.

    The mean over 20,000 equally likely standard errors: scipy's non-central t fails in its far tail.
    """
    chances = (np.arange(20_000) + 0.5) / 20_000
    scale = np.ones(1) if math.isinf(df) else np.sqrt(stats.chi2.ppf(chances, df) / df)
    found = stats.norm.sf(critical * scale - shift) + stats.norm.cdf(-critical * scale - shift)
    return float(found.mean())
