"""Standardised differences with exact small-sample corrections and noncentral-t intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from evalkit import disclosure
from evalkit.errors import EstimationError
from evalkit.outcomes.change.pairs import pair, readings
from evalkit.outcomes.records.ratios import LEVEL
from evalkit.words import SUPPRESSED, interval, number

Array = np.ndarray
# Mean 0 with rounding noise is no spread: a standard deviation this small against the values is arithmetic.
_NOISE = 1e-12
# How far from the observed t the search for a noncentrality goes first; it doubles until the root lies inside.
_FIRST_REACH = 2.0
_TOO_FAR = 1e6


@dataclass(frozen=True, repr=False)
class EffectSize:
    """A standardised mean difference with its interval.

    Attributes
    ----------
    value, low, high : float
        In standard deviations, treated less comparison; 95 % unless another level was asked for.
    n_treated, n_comparison : int
        People used.
    df : float
        Degrees of freedom behind the interval.
    kind : str
        "Hedges' g", "Cohen's d" or "Glass's delta".
    """

    value: float
    low: float
    high: float
    n_treated: int
    n_comparison: int
    df: float
    kind: str

    def __repr__(self) -> str:
        if SUPPRESSED in (disclosure.count(self.n_treated), disclosure.count(self.n_comparison)):
            return f"EffectSize({self.kind} {SUPPRESSED})"
        return f"EffectSize({self.kind} {number(self.value, 2)}, {interval(self.low, self.high, 2)})"

    @property
    def g(self) -> float:
        """The value (Hedges' g)."""
        return self.value

    @property
    def d(self) -> float:
        """The value (Cohen's d)."""
        return self.value

    @property
    def delta(self) -> float:
        """The value (Glass's delta)."""
        return self.value


def correction(df: float) -> float:
    """Hedges' exact factor J, which takes the small-sample bias out of Cohen's d.

    Parameters
    ----------
    df : float
        Degrees of freedom of the standard deviation, above 1.

    Returns
    -------
    float
        Gamma(df / 2) / (sqrt(df / 2) Gamma((df - 1) / 2)).

    References
    ----------
    Hedges (1981), Journal of Educational Statistics 6, 107-128.
    """
    from scipy.special import gammaln

    return float(np.exp(gammaln(df / 2) - gammaln((df - 1) / 2) - np.log(df / 2) / 2))


def hedges_g(treated: Any, comparison: Any, level: float = LEVEL) -> EffectSize:
    """Hedges' g: the difference of two means in pooled standard deviations, without small-sample bias.

    Parameters
    ----------
    treated, comparison : array-like, shape (n_treated,) and (n_comparison,)
        Outcomes (or changes); missing values are left out.
    level : float
        Confidence of the interval.

    Returns
    -------
    EffectSize
        ``g``, ``low``, ``high``. The interval is that of d from the noncentral t, times J. It takes everyone as
        independent: where people share clusters it is too narrow, and the effect's own interval is to be used.

    Raises
    ------
    DataError
        Text among the numbers.
    EstimationError
        Fewer than two people in an arm, or no spread within the arms.

    References
    ----------
    Hedges (1981), Journal of Educational Statistics 6, 107-128. Steiger (2004), Psychological Methods 9, 164-182.
    """
    found = cohens_d(treated, comparison, level)
    j = correction(found.df)
    return EffectSize(
        j * found.value, j * found.low, j * found.high, found.n_treated, found.n_comparison, found.df, "Hedges' g"
    )


def cohens_d(treated: Any, comparison: Any, level: float = LEVEL) -> EffectSize:
    """Cohen's d: the difference of two means in pooled standard deviations.

    Parameters
    ----------
    treated, comparison, level
        As in `hedges_g`.

    Returns
    -------
    EffectSize
        ``d``, ``low``, ``high``.

    Raises
    ------
    DataError, EstimationError
        As in `hedges_g`.

    References
    ----------
    Steiger (2004), Psychological Methods 9, 164-182.
    """
    one, other = _arm(treated, "treated"), _arm(comparison, "comparison")
    df = len(one) + len(other) - 2
    pooled = np.sqrt((_squares(one) + _squares(other)) / df)
    _need_spread(pooled, np.concatenate([one, other]), "within the arms")
    value = float((one.mean() - other.mean()) / pooled)
    unit = float(np.sqrt(1 / len(one) + 1 / len(other)))
    low, high = _noncentral(value / unit, df, level)
    return EffectSize(value, low * unit, high * unit, len(one), len(other), float(df), "Cohen's d")


def glass_delta(treated: Any, comparison: Any, level: float = LEVEL) -> EffectSize:
    """Glass's delta: the difference of two means in the comparison's standard deviations.

    Parameters
    ----------
    treated, comparison, level
        As in `hedges_g`.

    Returns
    -------
    EffectSize
        ``delta``, ``low``, ``high``; useful where the programme changes the spread as well.

    Raises
    ------
    DataError, EstimationError
        As in `hedges_g`; no spread in the comparison.

    References
    ----------
    Glass (1976), Educational Researcher 5(10), 3-8. Steiger (2004), Psychological Methods 9, 164-182.
    """
    one, other = _arm(treated, "treated"), _arm(comparison, "comparison")
    sd = float(other.std(ddof=1))
    _need_spread(sd, other, "in the comparison")
    value = float((one.mean() - other.mean()) / sd)
    unit = float(np.sqrt(1 / len(other) + one.var(ddof=1) / (len(one) * sd**2)))
    low, high = _noncentral(value / unit, len(other) - 1, level)
    return EffectSize(value, low * unit, high * unit, len(one), len(other), float(len(other) - 1), "Glass's delta")


@dataclass(frozen=True, repr=False)
class PairedEffects:
    """The mean change of the same people in three units; none is the effect of a programme without a comparison.

    Attributes
    ----------
    d_z : float
        In standard deviations of the change.
    d_av : float
        In the root mean square of the two standard deviations.
    d_pre : float
        In standard deviations at the start.
    r : float
        Correlation of the two readings; NaN where one has no spread.
    n : int
        People with both readings.
    """

    d_z: float
    d_av: float
    d_pre: float
    r: float
    n: int

    def __repr__(self) -> str:
        few = disclosure.count(self.n) == SUPPRESSED
        shown = [f"{name} {SUPPRESSED if few else number(getattr(self, name), 2)}" for name in ("d_z", "d_av", "d_pre")]
        return f"PairedEffects({', '.join(shown)})"


def paired_effects(before: Any, after: Any) -> PairedEffects:
    """Standardise the mean change (after - before) of the same people.

    Parameters
    ----------
    before, after : array-like, shape (n,)
        The same people in the same order; those without both readings are left out.

    Returns
    -------
    PairedEffects
        ``d_z``, ``d_av``, ``d_pre``, ``r``, ``n``.

    Raises
    ------
    DataError
        Readings that do not belong together.
    EstimationError
        Fewer than two people with both, everyone alike at the start, or everyone changing alike.

    References
    ----------
    Lakens (2013), Frontiers in Psychology 4, 863. Morris and DeShon (2002), Psychological Methods 7, 105-125.
    """
    both = pair(before, after).dropna()
    if len(both) < 2:
        raise EstimationError("Fewer than two people have both readings, so their spread is not known.")
    first, last = both["before"].to_numpy(), both["after"].to_numpy()
    change = last - first
    scale = np.concatenate([first, last])
    sd_change, sd_first, sd_last = (float(values.std(ddof=1)) for values in (change, first, last))
    _need_spread(sd_first, scale, "at the start")
    _need_spread(sd_change, scale, "in the change")
    mean = float(change.mean())
    alike = sd_last <= _NOISE * max(1.0, float(np.abs(scale).max()))
    r = np.nan if alike else float(np.corrcoef(first, last)[0, 1])
    average = float(np.sqrt((sd_first**2 + sd_last**2) / 2))
    return PairedEffects(mean / sd_change, mean / average, mean / sd_first, r, len(both))


# ---------------------------------------------------------------- parts


def _arm(values: Any, name: str) -> Array:
    found = readings(values, name).dropna().to_numpy()
    if len(found) < 2:
        raise EstimationError(f"The {name} arm has fewer than two people with a value, so its spread is not known.")
    return found


def _squares(values: Array) -> float:
    return float(((values - values.mean()) ** 2).sum())


def _need_spread(sd: float, values: Array, where: str) -> None:
    if not sd > _NOISE * max(1.0, float(np.abs(values).max())):
        raise EstimationError(f"Everyone is alike {where}, so there is no standard deviation to measure against.")


def _noncentral(t: float, df: float, level: float) -> tuple[float, float]:
    """The noncentralities under which the observed t stands at either end of the interval."""
    tail = (1 - level) / 2
    # The tail below a negative t is not reliable in floating point, and the interval of -t is the mirror image.
    if t < 0:
        low, high = _noncentral(-t, df, level)
        return -high, -low
    return _placed(t, df, 1 - tail), _placed(t, df, tail)


def _placed(t: float, df: float, chance: float) -> float:
    """The noncentrality under which t or less comes with this chance; it falls as the noncentrality rises."""
    from scipy.optimize import brentq
    from scipy.stats import nct

    def away(centre: float) -> float:
        with np.errstate(all="ignore"):
            return float(nct.cdf(t, df, centre)) - chance

    side = -1 if chance > 0.5 else 1
    near, reach = t, _FIRST_REACH
    while np.isfinite(away(near)) and side * away(near + side * reach) > 0 and reach < _TOO_FAR:
        near, reach = near + side * reach, 2 * reach
    far = near + side * reach
    if not side * away(far) < 0:
        raise EstimationError("The arms lie too far apart for an interval: check that both have the same unit.")
    return float(brentq(away, min(near, far), max(near, far), xtol=1e-10))
