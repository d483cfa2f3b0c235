"""A null result with a tight interval is a finding: equivalence, non-inferiority, and what was found in plain words."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import stats

from evalkit import words
from evalkit.counterfactual.nouns import Estimate
from evalkit.errors import EstimationError, did_you_mean

SIDES = ("higher", "lower")


@dataclass(frozen=True)
class Equivalence:
    """What a test against a margin says.

    Parameters
    ----------
    p : float
        The larger of the two one-sided p-values; of the one that counts for non-inferiority.
    shown : bool
        Whether ``p`` is at most 1 less the level.
    low, high : float
        The interval that lies inside the margin when it is shown: of 2 x level - 1 for equivalence (90 % for a level of
        0.95), with one end open for non-inferiority.
    margin : float
        In the outcome's unit.
    says : str
        The verdict in a sentence.
    """

    p: float
    shown: bool
    low: float
    high: float
    margin: float
    says: str


@dataclass(frozen=True)
class Finding:
    """What was found: "better", "worse", "no worthwhile difference", "no clear difference" or "not known"; and why."""

    verdict: str
    says: str


def interval_at(estimate: Estimate, level: float) -> tuple[float, float]:
    """Give the interval of an estimate at another level.

    Parameters
    ----------
    estimate : Estimate
        With a standard error, or already at that level.
    level : float
        Between 0 and 1: 0.9, 0.99.

    Returns
    -------
    (float, float)
        Not numbers where the estimate has no interval.

    Raises
    ------
    EstimationError
        The level is none, or the interval was made otherwise (bootstrap, permutation): estimate again with ``level``.

    Examples
    --------
    >>> from evalkit.counterfactual.testing.examples import an_estimate
    >>> low, high = interval_at(an_estimate(effect=1.0, se=0.5), 0.90)
    >>> round(low, 3), round(high, 3)
    (0.178, 1.822)
    """
    if not 0 < level < 1:
        raise EstimationError(f"level = {level} must lie between 0 and 1, such as 0.9.")
    if math.isclose(level, estimate.level) or math.isnan(estimate.low):
        return estimate.low, estimate.high
    centre, se, df = _spread(estimate, f"estimate again with level = {level}")
    half = float(stats.t.ppf(0.5 + level / 2, df)) * se
    return centre - half, centre + half


def _spread(estimate: Estimate, remedy: str) -> tuple[float, float, float]:
    """Middle, standard error and degrees of freedom (infinite for the normal) on which the interval rests.

    A robust interval at a cutoff lies around the bias-corrected effect, and is not that of the standard error shown.
    """
    if estimate.scale != "difference" or not math.isfinite(estimate.se):
        raise EstimationError(f"this estimate has no standard error from which to work: {remedy}.")
    df = estimate.df if math.isfinite(estimate.df) and estimate.df > 0 else math.inf
    half, centre = (estimate.high - estimate.low) / 2, (estimate.high + estimate.low) / 2
    if math.isnan(half):
        return estimate.effect, estimate.se, df
    se = half / float(stats.t.ppf(0.5 + estimate.level / 2, df))
    if "bias_corrected" in estimate.diagnostics:
        return centre, se, df
    if abs(centre - estimate.effect) > 1e-6 * half or abs(se - estimate.se) > 1e-6 * se:
        raise EstimationError(f"this estimate's interval was not made from its standard error: {remedy}.")
    return estimate.effect, estimate.se, df


def equivalence(estimate: Estimate, margin: float, level: float = 0.95, better: str | None = None) -> Equivalence:
    """Test whether an effect is too small to matter, by two one-sided tests; or not worse than a margin.

    Parameters
    ----------
    estimate : Estimate
        With a standard error.
    margin : float
        The smallest difference that would matter, above 0, in the outcome's unit; said before the data were seen.
    level : float
        1 less the error of each one-sided test.
    better : {"higher", "lower"}, optional
        Tests non-inferiority instead: that the programme is not worse than by the margin.

    Returns
    -------
    Equivalence
        p, whether it is shown, the interval that goes with it, and a sentence.

    Raises
    ------
    EstimationError
        The margin is not above 0, or the estimate has no standard error.

    References
    ----------
    Schuirmann (1987), J. Pharmacokinetics and Biopharmaceutics 15, 657-680.

    Examples
    --------
    >>> from evalkit.counterfactual.testing.examples import an_estimate
    >>> found = equivalence(an_estimate(effect=0.1, se=0.2), margin=0.5)
    >>> found.shown, round(found.p, 4)
    (True, 0.0228)
    """
    if not (margin > 0 and math.isfinite(margin)):
        raise EstimationError(
            "margin must be above 0: the smallest difference that would matter, in the outcome's unit."
        )
    if not 0.5 < level < 1:
        raise EstimationError(f"level = {level} must be between 0.5 and 1, such as 0.95.")
    if better is not None and better not in SIDES:
        raise EstimationError(f'better = "{better}" is not known. {did_you_mean(better, SIDES)}')
    centre, se, df = _spread(estimate, f"compare the margin with its interval at level = {2 * level - 1:g} instead")
    above = float(stats.t.sf((centre + margin) / se, df))
    below = float(stats.t.cdf((centre - margin) / se, df))
    half = float(stats.t.ppf(level, df)) * se
    low, high = centre - half, centre + half
    if better is None:
        p = max(above, below)
        return Equivalence(p, p <= 1 - level, low, high, margin, _alike(p <= 1 - level, margin, low, high))
    p = above if better == "higher" else below
    ends = (low, math.inf) if better == "higher" else (-math.inf, high)
    bound = low if better == "higher" else high
    return Equivalence(p, p <= 1 - level, *ends, margin, _no_worse(p <= 1 - level, margin, bound))


def _alike(shown: bool, margin: float, low: float, high: float) -> str:
    """The verdict on equivalence."""
    ends = f"The interval, {words.interval(low, high, 3)},"
    if shown:
        return f"{ends} lies within {words.number(margin, 3)} either way: a difference that would matter is ruled out."
    return f"{ends} reaches beyond {words.number(margin, 3)}: a difference that would matter is not ruled out."


def _no_worse(shown: bool, margin: float, bound: float) -> str:
    """The verdict on non-inferiority."""
    if shown:
        return f"The programme is not worse by {words.number(margin, 3)} or more (bound {words.number(bound, 3)})."
    return f"It cannot be ruled out that the programme is worse by {words.number(margin, 3)} or more."


def finding(estimate: Estimate, smallest_worthwhile: float | None = None, better: str = "higher") -> Finding:
    """Say what an estimate found, a tight null result included.

    Parameters
    ----------
    estimate : Estimate
        With its interval at the level that counts.
    smallest_worthwhile : float, optional
        The smallest improvement worth having, above 0, in the outcome's unit.
    better : {"higher", "lower"}
        Which way is good.

    Returns
    -------
    Finding
        "worse" where the whole interval is on that side of no effect, however small (harm is never called nothing);
        "no worthwhile difference" where it lies within the smallest worthwhile effect either way, even if clear of 0;
        "better" where it is clear of 0 otherwise; "no clear difference" where it allows for both; "not known" without
        an interval.

    Raises
    ------
    EstimationError
        ``smallest_worthwhile`` is not above 0, or ``better`` is no word that is known.

    Examples
    --------
    >>> from evalkit.counterfactual.testing.examples import an_estimate
    >>> finding(an_estimate(effect=0.1, se=0.1), smallest_worthwhile=0.5).verdict
    'no worthwhile difference'
    """
    if better not in SIDES:
        raise EstimationError(f'better = "{better}" is not known. {did_you_mean(better, SIDES)}')
    least = math.inf if smallest_worthwhile is None else float(smallest_worthwhile)
    if not least > 0:
        raise EstimationError("smallest_worthwhile must be above 0, in the outcome's unit, whichever way is better.")
    nothing = 1.0 if estimate.scale == "ratio" else 0.0
    if math.isnan(estimate.low) or math.isnan(estimate.high):
        return Finding("not known", "There is no interval, so it is not known whether the programme changed this.")
    sign = 1.0 if better == "higher" else -1.0
    low, high = sorted(sign * (end - nothing) for end in (estimate.low, estimate.high))
    return _judged(low, high, least, words.interval(estimate.low, estimate.high, 3))


def _judged(low: float, high: float, least: float, ends: str) -> Finding:
    """The verdict, on a scale where more is better and 0 is no effect."""
    small = words.number(least, 3) if math.isfinite(least) else ""
    if high < 0:
        return Finding("worse", f"The interval, {ends}, lies wholly on the worse side of no effect.")
    if high < least < math.inf and low > -least:
        side = " There is an improvement, but a smaller one." if low > 0 else ""
        says = f"The interval, {ends}, rules out a difference of {small} or more, the smallest worth having."
        return Finding("no worthwhile difference", says + side)
    if low > 0:
        says = f"The interval, {ends}, lies wholly on the better side of no effect."
        return Finding("better", says + ("" if low >= least or not small else f" It may still be less than {small}."))
    if high < least < math.inf:
        says = f"The interval, {ends}, rules out an improvement of {small} or more, but not harm."
        return Finding("no clear difference", says)
    return Finding("no clear difference", f"The interval, {ends}, allows for better and for worse.")
