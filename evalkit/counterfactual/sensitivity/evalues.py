"""E-values: how strongly an unmeasured cause would have to go with treatment and outcome to explain an effect away."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Real

from evalkit import words
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.registry import known_estimators
from evalkit.errors import EstimationError

PER_SD = 0.91  # log risk ratio per standard deviation (VanderWeele and Ding 2017, table 2)


@dataclass(frozen=True)
class EValue:
    """E-value of the estimate and of the interval's limit nearer to 1 (None without an interval).

    Parameters
    ----------
    value : float
        Of the estimate, 1 or more; infinite where the outcome did not happen at all in one arm.
    interval : float or None
        Of the interval's limit nearer to no effect; 1 where the interval includes no effect.
    ratio : float
        The risk ratio it was worked out from.
    how : str
        How that ratio was found, where it was not given.
    """

    value: float
    interval: float | None
    ratio: float = math.nan
    how: str = ""

    @property
    def says(self) -> str:
        """What it means, in a sentence."""
        if self.value == 1:
            return "There is no effect to explain away."
        if math.isinf(self.value):
            return "No unmeasured cause of a finite strength could explain this effect away."
        times = _times(self.value)
        text = (
            f"To explain this effect away, an unmeasured cause would have to go with both treatment and the outcome "
            f"by a risk ratio of {times} each, beyond what was adjusted for"
        )
        if self.interval is not None and self.interval > 1:
            text += f"; by {_times(self.interval)} each to move the interval to no effect"
        elif self.interval is not None:
            text += "; the interval includes no effect already"
        return f"{text}. ({self.how})" if self.how else f"{text}."


def e_value(risk_ratio: float, low: float | None = None, high: float | None = None) -> EValue:
    """The risk ratio an unmeasured confounder would need with both treatment and outcome.

    Parameters
    ----------
    risk_ratio : float
        The estimate, above 0; below 1 it is turned over. A rate ratio, or a hazard ratio of a rare outcome, will do.
    low, high : float, optional
        Its interval.

    Returns
    -------
    EValue
        ``.value`` and ``.interval`` (1 where the interval includes 1).

    Raises
    ------
    EstimationError
        A ratio that is not above 0, or limits on the wrong sides of it.

    References
    ----------
    VanderWeele and Ding (2017), Annals of Internal Medicine 167, 268-274.
    """
    if not (_is_number(risk_ratio) and risk_ratio > 0) or (_is_number(low) and low < 0):  # type: ignore[operator]
        raise EstimationError("a risk ratio must be above 0; give ratios, not differences.")
    _check_limits("risk_ratio", risk_ratio, low, high)
    return _from_ratio((float(risk_ratio), low, high))


def e_value_from_risk_difference(
    difference: float, base_rate: float, low: float | None = None, high: float | None = None
) -> EValue:
    """E-value of a difference of two shares.

    Parameters
    ----------
    difference : float
        Treated less comparison, as a share (-0.04 for 4 points fewer).
    base_rate : float
        The share of the comparison (or the counterfactual) with the outcome.
    low, high : float, optional
        The difference's interval.

    Returns
    -------
    EValue
        Of the ratio (base rate + difference) / base rate. Limits are turned into ratios with the base rate as it is, so
        that the ratio's interval includes 1 exactly where the difference's includes 0.

    Raises
    ------
    EstimationError
        A base rate, or a share of the treated, that is no share; limits on the wrong sides.

    References
    ----------
    VanderWeele and Ding (2017), Annals of Internal Medicine 167, 268-274, table 2.
    """
    if not (_is_number(base_rate) and 0 < base_rate < 1):
        raise EstimationError(f"base_rate = {base_rate} must lie between 0 and 1: the comparison's share.")
    _check_limits("difference", difference, low, high)
    if not 0 <= base_rate + difference <= 1:
        raise EstimationError(
            f"a difference of {difference} from a base rate of {base_rate} is no share. Write 4 points as 0.04."
        )
    how = f"The difference was turned into a risk ratio with a base rate of {words.percent(base_rate)}."
    return _from_ratio((_ratio(value, base_rate) for value in (difference, low, high)), how)


def e_value_from_odds_ratio(
    odds_ratio: float, low: float | None = None, high: float | None = None, *, rare: bool
) -> EValue:
    """E-value of an odds ratio, from a logit or a case-control study.

    Parameters
    ----------
    odds_ratio : float
        Above 0.
    low, high : float, optional
        Its interval.
    rare : bool
        Whether the outcome is rare (below 15% by the end of follow-up): then the odds ratio is taken for the risk
        ratio; else its square root is.

    Returns
    -------
    EValue
        Of the approximate risk ratio.

    Raises
    ------
    EstimationError
        A ratio that is not above 0, or limits on the wrong sides of it.

    References
    ----------
    VanderWeele and Ding (2017), Annals of Internal Medicine 167, 268-274, table 2.
    """
    if not (_is_number(odds_ratio) and odds_ratio > 0) or (low is not None and low < 0):
        raise EstimationError("an odds ratio must be above 0; give ratios, not their logarithms.")
    _check_limits("odds_ratio", odds_ratio, low, high)
    power = 1.0 if rare else 0.5
    what = "The odds ratio" if rare else "The square root of the odds ratio"
    parts = [None if value is None else float(value) ** power for value in (odds_ratio, low, high)]
    return _from_ratio(parts, f"{what} was taken for the risk ratio.")


def e_value_from_difference(d: float, low: float | None = None, high: float | None = None) -> EValue:
    """E-value of a standardised mean difference (effect over the outcome's standard deviation).

    Parameters
    ----------
    d : float
        In standard deviations.
    low, high : float, optional
        Its interval, in standard deviations.

    Returns
    -------
    EValue
        Of the approximate risk ratio exp(0.91 d).

    Raises
    ------
    EstimationError
        Not a number, or limits on the wrong sides.

    References
    ----------
    VanderWeele and Ding (2017), Annals of Internal Medicine 167, 268-274, table 2; Chinn (2000), Statistics in
    Medicine 19, 3127-3131.
    """
    if not _is_number(d):
        raise EstimationError("the standardised difference is not a finite number.")
    _check_limits("d", d, low, high)
    parts = [None if value is None else math.exp(PER_SD * value) for value in (d, low, high)]
    how = "The difference in standard deviations was turned into an approximate risk ratio."
    return _from_ratio(parts, how)


def e_value_of(estimate: Estimate, sd: float | None = None) -> EValue:
    """E-value of an estimate, as far as its scale can be turned into a risk ratio.

    Parameters
    ----------
    estimate : Estimate
        Of a ratio; of a yes/no outcome or an amount with a natural zero (``values`` of `estimate`); or of anything,
        with ``sd``.
    sd : float, optional
        The outcome's standard deviation (the comparison's, say), for a score.

    Returns
    -------
    EValue
        With ``how`` saying what was converted.

    Raises
    ------
    EstimationError
        Nothing about cause was estimated, there is no effect, or it cannot be turned into a ratio.
    """
    entry = known_estimators().get(estimate.estimator)
    if entry is not None and not entry.earns_level:
        raise EstimationError(
            f'an effect that is "{estimate.estimator}" was not estimated, so there is no confounding to judge.'
        )
    if not _is_number(estimate.effect):
        raise EstimationError("the estimate has no effect, so it has no E-value.")
    low, high = (value if _is_number(value) else None for value in (estimate.low, estimate.high))
    if estimate.scale == "ratio":
        return e_value(estimate.effect, low, high)
    if sd is not None:
        if not (_is_number(sd) and sd > 0):
            raise EstimationError(f"sd = {sd} must be above 0: the outcome's standard deviation.")
        return e_value_from_difference(*(None if part is None else part / sd for part in (estimate.effect, low, high)))  # type: ignore[arg-type]
    return _of_means(estimate, low, high)


def _of_means(estimate: Estimate, low: float | None, high: float | None) -> EValue:
    """Of the ratio of the treated's share or amount to what it would have been."""
    top = estimate.terms.get("top")
    if not top or "baseline" in top:
        raise EstimationError(
            "the effect on a score has no risk ratio: give the outcome's standard deviation (sd = ...); or, if the "
            'outcome is a yes/no or an amount, estimate it with values = "yes or no" or "amount".'
        )
    base = estimate.counterfactual
    if not (base > 0 and estimate.observed >= 0):
        raise EstimationError(
            "a ratio needs a counterfactual above 0 and an outcome that is never negative. Give sd = ... instead."
        )
    how = "The ratio of the observed to the counterfactual mean was taken for the risk ratio."
    return _from_ratio((_ratio(value, base) for value in (estimate.effect, low, high)), how)


def _ratio(difference: float | None, base: float) -> float | None:
    """From a difference to a ratio, never below 0."""
    return None if difference is None else max((base + difference) / base, 0.0)


def _from_ratio(parts: Iterable[float | None], how: str = "") -> EValue:
    """E-values of a ratio, and of its limit (low, high) nearer to 1."""
    found, low, high = parts
    ratio = math.nan if found is None else float(found)
    limit = low if ratio >= 1 else high
    if limit is None:
        return EValue(_e_value(ratio), None, ratio, how)
    crosses = limit <= 1 if ratio >= 1 else limit >= 1
    return EValue(_e_value(ratio), 1.0 if crosses else _e_value(limit), ratio, how)


def _e_value(ratio: float) -> float:
    """RR + sqrt(RR (RR - 1)), for the ratio or its inverse."""
    if ratio == 0 or math.isinf(ratio):
        return math.inf
    ratio = max(ratio, 1 / ratio)
    return ratio + math.sqrt(ratio * (ratio - 1))


def _times(value: float) -> str:
    """One decimal; two where that would hide how near to 1 it is."""
    return words.number(value, 1 if value >= 2 else 2)


def _is_number(value: float | None) -> bool:
    return isinstance(value, Real) and math.isfinite(value)


def _check_limits(name: str, value: float, low: float | None, high: float | None) -> None:
    """A number, within its own interval."""
    if not _is_number(value):
        raise EstimationError(f"{name} is not a finite number.")
    for limit, side, wrong in ((low, "low", 1), (high, "high", -1)):
        if limit is not None and (not isinstance(limit, Real) or math.isnan(limit) or wrong * (limit - value) > 0):
            raise EstimationError(f"{side} = {limit} is no limit of an interval around {name} = {value}.")
