"""What is said from bootstrap draws: standard errors, intervals, and when not to trust them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypedDict, get_args

import numpy as np
import pandas as pd

from evalkit.errors import DataError, EstimationError, Flag, did_you_mean
from evalkit.outcomes.resampling.clusters import Clusters
from evalkit.words import number, percent

Array = np.ndarray
Interval = Literal["t", "percentile", "studentised"]
FEW, FEW_IN_ARM = 12, 6
_OPTIONS = ("strata", "level", "interval", "polarity", "reference")


class Rare(TypedDict, total=False):
    """What is seldom asked of a bootstrap."""

    strata: str | pd.Series | np.ndarray
    level: float
    interval: Interval


@dataclass(frozen=True, eq=False, repr=False)
class Bootstrap:
    """What a cluster bootstrap gives.

    Attributes
    ----------
    table : DataFrame
        A row per statistic: ``effect`` (on the data themselves), ``se``, ``low``, ``high``.
    draws : ndarray, shape (n_draws, n_statistics)
        The statistic in each draw.
    weights_sd : Series or None
        By measure, how much its weight in the index varied over the draws.
    clusters, strata : int
        How many were resampled, and within how many strata.
    df : float
        Clusters less strata; where arms are drawn apart Satterthwaite's, which the smaller arm decides.
    level : float
        Of the intervals.
    interval : {"t", "percentile", "studentised"}
        How they were made.
    redrawn : int
        Draws that did not define the statistic (an arm or the reference was empty) and were drawn again.
    flags : tuple of Flag
        Few clusters, draws drawn again.
    """

    table: pd.DataFrame
    draws: Array
    weights_sd: pd.Series | None
    clusters: int
    strata: int
    df: float
    level: float
    interval: str
    redrawn: int
    flags: tuple[Flag, ...]

    @property
    def effect(self) -> float:
        """The first statistic on the data themselves."""
        return float(self.table["effect"].iloc[0])

    @property
    def se(self) -> float:
        """Its standard error."""
        return float(self.table["se"].iloc[0])

    @property
    def low(self) -> float:
        """Lower end of its interval."""
        return float(self.table["low"].iloc[0])

    @property
    def high(self) -> float:
        """Upper end of its interval."""
        return float(self.table["high"].iloc[0])

    def __repr__(self) -> str:
        return f"Bootstrap({len(self.table)} statistics, {len(self.draws):,} draws of {self.clusters:,} clusters)"

    def _repr_html_(self) -> str:
        head = f"<p>{len(self.draws):,} draws of {self.clusters:,} clusters, {percent(self.level, 0)} intervals</p>"
        return head + self.table.round(4).to_html(border=0)


# ---------------------------------------------------------------- what is said from them


def concluded(
    names: list[str],
    effect: Array,
    found: tuple[Array, int],
    clusters: Clusters,
    rare: Rare,
    studentised: tuple[Array, Array] | None = None,
    weights_sd: pd.Series | None = None,
) -> Bootstrap:
    """Standard errors and intervals from draws.

    Parameters
    ----------
    names : list of str
        Of the statistics.
    effect : ndarray, shape (k,)
        On the data themselves.
    found : ndarray of shape (draws, k), int
        In the draws, and how many were drawn again.
    clusters : Clusters
        Of the data.
    rare : dict
        ``level`` and ``interval``.
    studentised : ndarray (k,) and ndarray (draws, k), optional
        Standard error on the data and in each draw.
    weights_sd : Series, optional
        Kept on the result.

    Returns
    -------
    Bootstrap
        The standard error is the draws' standard deviation times sqrt(G / (G - H)) for G clusters in H strata: drawing
        G of G understates a variance by that factor (Rao and Wu 1988). Of two arms each has its own factor, so that
        one of few clusters counts as such.

    Raises
    ------
    DataError
        An unknown interval or level.
    EstimationError
        A percentile interval from fewer than 12 clusters, or a studentised one of a statistic without a standard
        error.

    References
    ----------
    Cameron, Gelbach and Miller (2008), Review of Economics and Statistics 90, 414-427. Rao and Wu (1988), JASA 83,
    231-241. Efron and Tibshirani (1993), chapters 12 and 13.
    """
    draws, redrawn = found
    level, interval = checked(rare, clusters, studentised is not None)
    se = draws.std(axis=0, ddof=1) * np.sqrt(clusters.inflation)
    low, high = _ends(effect, draws, se, clusters, (level, interval), studentised)
    table = pd.DataFrame({"effect": effect, "se": se, "low": low, "high": high}, index=names)
    flags = _flags(clusters, redrawn, len(draws))
    return Bootstrap(
        table, draws, weights_sd, clusters.count, clusters.n_strata, clusters.df, level, interval, redrawn, flags
    )


def checked(rare: Rare, clusters: Clusters, can_studentise: bool) -> tuple[float, str]:
    """The level and the kind of interval, or why they cannot be had (before any draw is made)."""
    for word in rare:
        if word not in _OPTIONS:
            raise DataError(f'"{word}" is no option of a bootstrap. {did_you_mean(word, _OPTIONS)}')
    level, interval = rare.get("level", 0.95), rare.get("interval", "t")
    if not 0 < level < 1:
        raise DataError("level is a share between 0 and 1, such as 0.95.")
    if interval not in get_args(Interval):
        raise DataError(f'"{interval}" is no kind of interval. {did_you_mean(interval, get_args(Interval))}')
    if interval == "percentile" and _few(clusters):
        raise EstimationError(
            f"A percentile interval from {_counted(clusters)} is too narrow (at least {FEW} are asked for, "
            f'{FEW_IN_ARM} in each arm). Use interval = "t", or "studentised" where it is offered.'
        )
    if interval == "studentised" and not can_studentise:
        raise EstimationError('This statistic brings no standard error of its own. Use interval = "t" or "percentile".')
    return level, interval


def _few(clusters: Clusters) -> bool:
    return clusters.count < FEW or clusters.fewest < FEW_IN_ARM


def _counted(clusters: Clusters) -> str:
    few_in_arm = clusters.apart and clusters.count >= FEW
    return f"{clusters.fewest} clusters in the smaller arm" if few_in_arm else f"{clusters.count} clusters"


def _ends(
    effect: Array, draws: Array, se: Array, clusters: Clusters, asked: tuple[float, str], studentised: tuple | None
) -> tuple[Array, Array]:
    level, interval = asked
    tails = [(1 - level) / 2, (1 + level) / 2]
    if interval == "percentile":
        low, high = np.quantile(draws, tails, axis=0)
        return low, high
    if interval == "studentised" and studentised is not None:
        own, each = studentised
        with np.errstate(divide="ignore", invalid="ignore"):
            pivots = (draws - effect) / each
        ends = [np.nanquantile(column, tails) for column in pivots.T]
        return effect - own * [end[1] for end in ends], effect - own * [end[0] for end in ends]
    from scipy.stats import t

    half = t.ppf(tails[1], clusters.df) * se
    return effect - half, effect + half


def _flags(clusters: Clusters, redrawn: int, draws: int) -> tuple[Flag, ...]:
    flags = []
    if _few(clusters):
        text = f"The interval rests on {_counted(clusters)}, too few for a bootstrap to be relied on."
        detail = (
            f"It takes the t distribution with {clusters.df:.3g} degrees of freedom. Show beside it a permutation test "
            "that follows the assignment, or CR2 standard errors."
        )
        flags.append(Flag("outcomes", "serious", text, detail))
    if redrawn:
        share = percent(redrawn / (redrawn + draws))
        text = f"{number(redrawn, 0)} draws ({share}) left an arm or the reference empty or without spread."
        detail = "They were drawn again, so the interval speaks of samples in which the effect is defined."
        flags.append(Flag("outcomes", "caution" if redrawn > 0.01 * draws else "note", text, detail))
    return tuple(flags)
