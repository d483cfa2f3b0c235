"""How strong an unmeasured cause would have to be to explain an estimate away."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import stats

from evalkit.errors import EstimationError


@dataclass(frozen=True)
class EValue:
    """E-value of the estimate and of the interval's limit nearer to 1 (None without an interval)."""

    value: float
    interval: float | None


def e_value(risk_ratio: float, low: float | None = None, high: float | None = None) -> EValue:
    """The risk ratio an unmeasured confounder would need with both treatment and outcome.

    Parameters
    ----------
    risk_ratio : float
        The estimate, above 0; below 1 it is turned over.
    low, high : float, optional
        Its interval.

    Returns
    -------
    EValue
        ``.value`` and ``.interval`` (1 where the interval includes 1).

    Raises
    ------
    EstimationError
        A ratio that is not above 0.

    References
    ----------
    VanderWeele and Ding (2017), Annals of Internal Medicine 167, 268-274.
    """
    if not risk_ratio > 0 or (low is not None and low < 0):
        raise EstimationError("a risk ratio must be above 0; give ratios, not differences.")
    limit = low if risk_ratio >= 1 else high
    if limit is None:
        return EValue(_e_value(risk_ratio), None)
    crosses = limit <= 1 if risk_ratio >= 1 else limit >= 1
    return EValue(_e_value(risk_ratio), 1.0 if crosses else _e_value(limit))


def _e_value(ratio: float) -> float:
    """RR + sqrt(RR (RR - 1)), for the ratio or its inverse."""
    ratio = max(ratio, 1 / ratio)
    return ratio + math.sqrt(ratio * (ratio - 1))


def robustness_value(t: float, df: float, q: float = 1, alpha: float | None = 0.05) -> float:
    """Partial R2 with treatment and outcome at which a confounder takes away a share q of the estimate.

    Parameters
    ----------
    t : float
        The t statistic of the effect.
    df : float
        Degrees of freedom of the regression.
    q : float
        Share of the estimate to be taken away; 1 takes it to zero.
    alpha : float or None
        Level at which the remainder is no longer significant; None or 1: the estimate alone.

    Returns
    -------
    float
        A share between 0 and 1.

    References
    ----------
    Cinelli and Hazlett (2020), JRSS B 82, 39-67, sections 4.2 and 4.3.
    """
    if not df > 1:
        raise EstimationError("the robustness value needs more than 1 degree of freedom.")
    f = q * abs(t) / math.sqrt(df)
    if alpha is not None and alpha < 1:
        critical = abs(stats.t.ppf(alpha / 2, df - 1)) / math.sqrt(df - 1)
        if f <= critical:
            return 0.0
        if f > 1 / critical:
            return float((f**2 - critical**2) / (1 + f**2))
        f -= critical
    return float((math.sqrt(f**4 + 4 * f**2) - f**2) / 2)
