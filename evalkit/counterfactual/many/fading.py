"""How an effect changes from one occasion to the next: by a straight line, and as a yearly share lost."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from evalkit import words
from evalkit.errors import StudyError, several

Array = np.ndarray
FINE = 4001  # candidates of the yearly ratio at which the set of those not rejected is looked for


@dataclass(frozen=True)
class Fade:
    """Change of the effect per year, in the outcome's unit, with interval and p; or why there is none."""

    value: float
    low: float
    high: float
    p: float
    method: str


@dataclass(frozen=True)
class DropOff:
    """The share of an effect that is lost each year.

    Parameters
    ----------
    value : float
        1 less the ratio of the effect to that of a year before; below 0 it grows, above 1 it has turned.
    low, high : float
        Its interval; infinite where it is not bounded, NaN where a stated one has none.
    method : str
        How it was found.
    source : str
        Of a stated one; empty where it was estimated.
    """

    value: float
    low: float
    high: float
    method: str
    source: str = ""

    @property
    def says(self) -> str:
        """The drop-off in words."""
        if self.source:
            told = "" if math.isnan(self.low) else f" ({words.interval(self.low, self.high, 0, percent=True)})"
            return f"{words.percent(self.value, 0)} a year{told}, as stated by {self.source}"
        return f"{words.percent(self.value, 0)} a year ({words.interval(self.low, self.high, 0, percent=True)})"


def stated_drop_off(value: float, low: float | None = None, high: float | None = None, source: str = "") -> DropOff:
    """State a yearly drop-off where the data do not allow an estimate.

    Parameters
    ----------
    value : float
        Share lost each year, 0 to 1.
    low, high : float, optional
        Its range; both or neither.
    source : str
        Where the figure is from; a number never travels without it.

    Returns
    -------
    DropOff
        With its source.

    Raises
    ------
    StudyError
        No source, a share outside 0 to 1, or a range that does not hold the value.
    """
    problems = []
    if not str(source or "").strip():
        problems.append('a stated drop-off needs its source: source = "Author (year), table 2".')
    given = [("value", value), *[(name, one) for name, one in (("low", low), ("high", high)) if one is not None]]
    problems += [f"{name} = {one} must be a share between 0 and 1." for name, one in given if not 0 <= one <= 1]
    if (low is None) != (high is None):
        problems.append("give both low and high, or neither.")
    elif low is not None and high is not None and not low <= value <= high:
        problems.append("low, value and high must stand in that order.")
    if problems:
        raise StudyError(several("the stated drop-off", problems))
    ends = (math.nan, math.nan) if low is None or high is None else (float(low), float(high))
    return DropOff(float(value), *ends, "stated", str(source).strip())


def fade_of(effects: Array, covariance: Array | None, se: Array, times: Array, how: tuple[float, float]) -> Fade:
    """Fit a straight line through the effects, each occasion counting alike.

    Parameters
    ----------
    effects, se, times : ndarray, shape (k,)
        Two occasions or more; times in years.
    covariance : ndarray, shape (k, k), or None
        Joint, of the effects. None: not known, and the interval allows for the worst that it could be.
    how : (float, float)
        Level and degrees of freedom.

    Returns
    -------
    Fade
        Below 0 the effect falls.
    """
    level, df = how
    away = times - times.mean()
    contrast = away / (away**2).sum()
    slope = float(contrast @ effects)
    if covariance is None:
        spread, told = float(np.abs(contrast) @ se), "their covariance unknown, so the widest interval it could give"
    else:
        spread, told = math.sqrt(max(float(contrast @ covariance @ contrast), 0.0)), "their joint covariance"
    reach = float(stats.t.ppf(0.5 + level / 2, df)) * spread
    p = float(2 * stats.t.sf(abs(slope) / spread, df)) if spread > 0 else math.nan
    method = f"straight line through {len(effects)} occasions; {told}"
    return Fade(slope, slope - reach, slope + reach, p, method)


def drop_off_of(effects: Array, covariance: Array, times: Array, how: tuple[float, float]) -> DropOff:
    """Fit one yearly ratio to the effects after the programme, and invert its test for the interval.

    With two occasions this is Fieller's interval of their ratio, taken to a year. A ratio below 0 (the effect has
    turned) is taken to a year by its size, with its sign.

    Parameters
    ----------
    effects, times : ndarray, shape (k,)
        Two occasions or more; times in years, ascending.
    covariance : ndarray, shape (k, k)
        Joint, of the effects.
    how : (float, float)
        Level and degrees of freedom.

    Returns
    -------
    DropOff
        The interval is infinite where the set of ratios that are not rejected has no bound.

    References
    ----------
    Fieller (1954), JRSS B 16, 175-185.
    """
    level, df = how
    critical = float(stats.t.ppf(0.5 + level / 2, df)) ** 2
    misfit = _misfit(effects, covariance, times)
    angles = np.linspace(-math.pi / 2, math.pi / 2, FINE)
    values = misfit(angles)
    best = _lowest(misfit, angles, values)
    ratio, lowest = math.tan(best), float(min(misfit(np.array([best]))[0], values.min()))
    allowed = values - lowest <= critical
    method = f"one yearly ratio through {len(effects)} occasions after the programme; its test inverted (Fieller)"
    if allowed[0] or allowed[-1]:
        return DropOff(1 - ratio, -math.inf, math.inf, f"{method}; not bounded")
    near = np.flatnonzero(allowed)
    below = angles[near[0] - 1 : near[0] + 1] if len(near) else (angles[angles < best][-1], best)
    above = angles[near[-1] + 1 : near[-1] - 1 : -1] if len(near) else (angles[angles > best][0], best)
    low, high = (_crossing(misfit, (one[0], one[1]), lowest + critical) for one in (below, above))
    return DropOff(1 - ratio, 1 - math.tan(high), 1 - math.tan(low), method)


def _misfit(effects: Array, covariance: Array, times: Array) -> Callable[[Array], Array]:
    """How badly yearly ratios fit, with the best first effect for each; by the ratio's angle, so that it has ends."""
    # Effects that differ by a constant have a covariance without an inverse; what is known exactly weighs most.
    weight = np.linalg.inv(covariance + 1e-9 * np.diag(np.diag(covariance)))
    gaps = times - times[0]
    whole = float(effects @ weight @ effects)

    def misfit(angles: Array) -> Array:
        # sine and cosine in place of the tangent: the same shape, and finite where the ratio is not
        size, sign = np.abs(np.sin(angles))[:, None], np.where(np.sin(angles) < 0, -1.0, 1.0)[:, None]
        shape = size**gaps * np.abs(np.cos(angles))[:, None] ** (gaps[-1] - gaps) * np.where(gaps > 0, sign, 1.0)
        top, bottom = shape @ weight @ effects, np.einsum("ak,kl,al->a", shape, weight, shape)
        return np.asarray(whole - np.divide(top**2, bottom, out=np.zeros_like(top), where=bottom > 0))

    return misfit


def _lowest(misfit: Callable[[Array], Array], angles: Array, values: Array) -> float:
    """The angle that fits best, found between the candidates beside the best of them."""
    from scipy.optimize import minimize_scalar

    place = min(max(int(values.argmin()), 1), len(angles) - 2)
    bounds = angles[place - 1], angles[place + 1]
    found = minimize_scalar(lambda one: misfit(np.array([one]))[0], bounds=bounds, method="bounded",
                            options={"xatol": 1e-12})  # fmt: skip
    return float(found.x if found.fun < values[place] else angles[place])


def _crossing(misfit: Callable[[Array], Array], between: tuple[float, float], wanted: float) -> float:
    """Where the misfit reaches what is still allowed, between an angle outside and one inside."""
    outside, inside = between
    for _ in range(60):
        middle = (outside + inside) / 2
        outside, inside = (middle, inside) if misfit(np.array([middle]))[0] > wanted else (outside, middle)
    return (outside + inside) / 2
