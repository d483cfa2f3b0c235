"""What an omitted variable would do to a regression's effect, from how much it explains of treatment and outcome."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from evalkit.errors import EstimationError, several

Numbers = float | np.ndarray


@dataclass(frozen=True, eq=False)
class Adjusted:
    """An effect as it would be with the omitted variable in the regression; numbers, or arrays of one shape.

    Parameters
    ----------
    effect, se, t, low, high : float or ndarray
        With the variable taken into account.
    bias : float or ndarray
        What it takes away (or adds), at least 0.
    """

    effect: Numbers
    se: Numbers
    t: Numbers
    low: Numbers
    high: Numbers
    bias: Numbers


@dataclass(frozen=True)
class Regression:
    """What the formulas need of a regression.

    Parameters
    ----------
    effect, se, df : float
        As the interval uses them (allowing for clusters, if there are any).
    plain_se, residual_df : float
        The classical standard error and n - k, from which shares explained follow.
    level : float
        Of the interval.
    clustered : bool
        Whether ``se`` and ``df`` allow for clusters.
    """

    effect: float
    se: float
    df: float
    plain_se: float
    residual_df: float
    level: float = 0.95
    clustered: bool = False

    @property
    def critical(self) -> float:
        """The quantile once one more variable is in the regression."""
        lost = 0 if self.clustered else 1  # degrees of freedom from clusters do not count variables
        return float(stats.t.ppf(0.5 + self.level / 2, self.df - lost))

    def with_variable(self, r2_treatment: Numbers, r2_outcome: Numbers, reduce: bool = True) -> Adjusted:
        """The effect had a variable of that strength been in the regression."""
        odds = r2_treatment / (1 - r2_treatment)
        bias = self.plain_se * math.sqrt(self.residual_df) * np.sqrt(r2_outcome * odds)
        side = math.copysign(1.0, self.effect)
        effect = side * (abs(self.effect) - bias if reduce else abs(self.effect) + bias)
        grows = self.residual_df / (self.residual_df - 1)
        se = self.se * np.sqrt((1 - r2_outcome) / (1 - r2_treatment) * grows)
        t = np.divide(effect, se, out=np.full(np.shape(se), np.nan), where=np.asarray(se) > 0)
        parts = (effect, se, t, effect - self.critical * se, effect + self.critical * se, bias)
        return Adjusted(*(part if np.ndim(part) else float(part) for part in parts))

    def robustness(self, q: float, alone: bool) -> float:
        """The robustness value of the estimate alone, or of its significance."""
        f = q * abs(self.effect) / self.plain_se / math.sqrt(self.residual_df)
        limit = 0.0 if alone else self.critical * self.se / self.plain_se / math.sqrt(self.residual_df - 1)
        return _share(f, limit)


def partial_r2(t: float, df: float) -> float:
    """The share of what is left of the outcome that one term of a regression explains.

    Parameters
    ----------
    t : float
        Its t statistic, with the classical standard error.
    df : float
        Residual degrees of freedom of the regression.

    Returns
    -------
    float
        t^2 / (t^2 + df), from 0 to 1.

    Raises
    ------
    EstimationError
        t is not a number, or there are no degrees of freedom.

    References
    ----------
    Cinelli and Hazlett (2020), JRSS B 82, 39-67, section 4.1.
    """
    _check(t=t, df=df)
    return float(t**2 / (t**2 + df))


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

    Raises
    ------
    EstimationError
        t is not a number, fewer than 2 degrees of freedom, a negative q, or an alpha outside 0 to 1.

    References
    ----------
    Cinelli and Hazlett (2020), JRSS B 82, 39-67, sections 4.2 and 4.3.
    """
    if _finite(df) and not df > 1:
        raise EstimationError("the robustness value needs more than 1 degree of freedom.")
    _check(t=t, df=df, q=q)
    if alpha is not None and not 0 < alpha <= 1:
        raise EstimationError(f"alpha = {alpha} must lie between 0 and 1, such as 0.05; None for the estimate alone.")
    limit = 0.0 if alpha is None else abs(float(stats.t.ppf(alpha / 2, df - 1))) / math.sqrt(df - 1)
    return _share(q * abs(t) / math.sqrt(df), limit)


def _share(f: float, limit: float) -> float:
    """The robustness value of Cohen's f; ``limit`` is the f that is just significant, 0 for the estimate alone."""
    if f <= limit:
        return 0.0
    if f * limit > 1:
        return float((f**2 - limit**2) / (1 + f**2))
    return float(2 / (1 + math.sqrt(1 + 4 / (f - limit) ** 2)))


def adjusted_estimate(
    effect: float,
    se: float,
    df: float,
    r2_treatment: Any,
    r2_outcome: Any,
    level: float = 0.95,
    reduce: bool = True,
) -> Adjusted:
    """The effect as it would be had an omitted variable of a given strength been in the regression.

    Parameters
    ----------
    effect, se, df : float
        Of the regression: the effect, its classical standard error, residual degrees of freedom.
    r2_treatment : float or array
        Share of what is left of treatment that the variable explains (0 to below 1).
    r2_outcome : float or array
        Share of what is left of the outcome, treatment given, that it explains (0 to 1).
    level : float
        Of the interval.
    reduce : bool
        Whether the variable has made the effect look larger than it is; False: smaller.

    Returns
    -------
    Adjusted
        effect, se, t, low, high, bias.

    Raises
    ------
    EstimationError
        A share outside its range, a standard error that is not above 0, or too few degrees of freedom.

    References
    ----------
    Cinelli and Hazlett (2020), JRSS B 82, 39-67, equations 10 to 13.
    """
    _check(effect=effect, se=se, df=df)
    first, second = np.asarray(r2_treatment, float), np.asarray(r2_outcome, float)
    problems = [] if ((first >= 0) & (first < 1)).all() else ["r2_treatment must lie from 0 to below 1."]
    problems += [] if ((second >= 0) & (second <= 1)).all() else ["r2_outcome must lie from 0 to 1."]
    problems += [] if df > 2 else ["an adjustment needs more than 2 degrees of freedom."]
    problems += [] if 0.5 < level < 1 else [f"level = {level} must be between 0.5 and 1, such as 0.95."]
    if problems:
        raise EstimationError(several("the adjusted estimate", problems))
    first, second = np.broadcast_arrays(first, second)
    return Regression(effect, se, df, se, df, level).with_variable(first, second, reduce)


def extreme_scenarios(
    t: float, df: float, r2_outcome: Sequence[float] = (1.0, 0.75, 0.5), q: float = 1
) -> pd.DataFrame:
    """How much of treatment a variable would have to explain that explains nearly all of the outcome.

    Parameters
    ----------
    t : float
        The effect's t statistic, with the classical standard error.
    df : float
        Residual degrees of freedom.
    r2_outcome : sequence of float
        Shares of what is left of the outcome that the variable explains, above 0.
    q : float
        Share of the effect to be taken away; 1 takes it to zero.

    Returns
    -------
    DataFrame
        Columns r2_outcome and r2_treatment: the share of treatment at which q of the effect is gone. With all of the
        outcome explained and q = 1 it is the partial R2 of treatment with the outcome.

    Raises
    ------
    EstimationError
        A share outside its range, or numbers that are none.

    References
    ----------
    Cinelli and Hazlett (2020), JRSS B 82, 39-67, section 5.3.
    """
    _check(t=t, df=df, q=q)
    shares = np.atleast_1d(np.asarray(r2_outcome, float))
    if not ((shares > 0) & (shares <= 1)).all():
        raise EstimationError("r2_outcome must lie above 0 and up to 1.")
    odds = (q * t) ** 2 / df / shares
    return pd.DataFrame({"r2_outcome": shares, "r2_treatment": odds / (1 + odds)})


def _finite(value: object) -> bool:
    """Whether it is a number, and not infinite."""
    return isinstance(value, Real) and math.isfinite(value)


def _check(**given: float) -> None:
    """Finite numbers; se and df above 0, q not below."""
    problems = [f"{name} is not a finite number." for name, value in given.items() if not _finite(value)]
    if not problems:
        problems += [f"{name} must be above 0." for name in ("se", "df") if name in given and not given[name] > 0]
        problems += ["q must not be below 0."] if given.get("q", 0) < 0 else []
    if problems:
        raise EstimationError(several("the sensitivity to an omitted variable", problems))
