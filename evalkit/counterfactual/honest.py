"""How far an effect holds when trends were not quite parallel: tests of the times before, bounds for those after."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize, stats

from evalkit import words
from evalkit.counterfactual.nouns import Estimate
from evalkit.errors import EstimationError, Flag, did_you_mean

KINDS = {"relative magnitude": (0.0, 0.5, 1.0, 1.5, 2.0), "smoothness": (0.0,)}
POWER = 0.8
EXPERIMENTAL = Flag(
    "counterfactual",
    "note",
    "Bounds under departures from parallel trends are experimental.",
    "Smoothness agrees with another implementation on one published event study; no published table was at hand. "
    "Intervals for relative magnitude are a conservative union, wider than those of the paper where trends are noisy.",
)


@dataclass(frozen=True, eq=False)
class Series:
    """An event study measured from the last time before treatment: times, effects (k,), covariance (k, k)."""

    times: np.ndarray
    effect: np.ndarray
    covariance: np.ndarray

    @property
    def before(self) -> np.ndarray:
        """Which are before treatment."""
        return self.times < 0


def honest_did(
    study: Estimate | pd.DataFrame,
    kind: str = "relative magnitude",
    m: float | list[float] | None = None,
    level: float = 0.95,
    target: str | int = "average",
    covariance: pd.DataFrame | np.ndarray | None = None,
) -> pd.DataFrame:
    """Bound an effect when trends may have parted after treatment (experimental).

    Parameters
    ----------
    study : Estimate or DataFrame
        Of "staggered did"; or an event study with event_time and effect, measured from time -1 (left out, or 0).
    kind : {"relative magnitude", "smoothness"}
        After treatment trends part, from one time to the next, by at most ``m`` times the largest step seen before it;
        or the difference in trends changes its slope by at most ``m``, in the outcome's unit.
    m : float or list of float, optional
        Default: 0, 0.5, 1, 1.5, 2 for relative magnitude; 0 to the largest change of slope seen before treatment in
        four steps for smoothness.
    level : float
        Of the intervals.
    target : "average" or int
        The mean of all effects after treatment, each time alike; or the effect at one time since treatment.
    covariance : DataFrame or ndarray, shape (k, k), optional
        Of the effects, in the order of the rows; needed with a DataFrame.

    Returns
    -------
    DataFrame
        A row for each m: m, low, high (interval), bounds_low, bounds_high (what the estimates alone allow; empty where
        the times before treatment contradict m), excludes_zero. ``attrs``: kind, level, target, effect, breakdown (the
        largest m listed at which the interval still excludes 0; NaN for none) and flags.

    Raises
    ------
    EstimationError
        No time before treatment, a gap between times, or no covariance.

    Notes
    -----
    Smoothness: diff-diff's optimal fixed-length interval. Relative magnitude: what the estimates allow is diff-diff's;
    its interval leaves out that the largest step before treatment is itself an estimate, so here the interval is the
    union, over each step before treatment and its sign, of the intervals that hold if that step is the largest
    (an intersection-union test: it covers at least as often as it says).

    References
    ----------
    Rambachan and Roth (2023), Review of Economic Studies 90, 2555-2591; Berger (1982), Technometrics 24, 295-300.
    """
    kind = " ".join(str(kind).replace("_", " ").lower().split()).replace("magnitudes", "magnitude")
    if kind not in KINDS:
        raise EstimationError(f'kind = "{kind}" is not known. {did_you_mean(kind, KINDS)}')
    series = _consecutive(_series(study, covariance, level))
    weights = _weights(series, target)
    rows = [_bound(series, kind, one, weights, level) for one in _grid(series, kind, m)]
    table = pd.DataFrame(rows)
    table["excludes_zero"] = (table["low"] > 0) | (table["high"] < 0)
    held = table.loc[table["excludes_zero"].cummin(), "m"]
    table.attrs |= {"kind": kind, "level": level, "target": target, "flags": (EXPERIMENTAL,)}
    table.attrs["effect"] = float(weights @ series.effect[~series.before])
    table.attrs["breakdown"] = float(held.max()) if len(held) else math.nan
    return table


@dataclass(frozen=True)
class PreTrends:
    """What the times before treatment say, and what they could have hidden.

    Parameters
    ----------
    statistic, df, p : float
        Wald test that all effects before treatment are 0 (chi-squared).
    p_small_sample : float
        The same by Hotelling's F, for few units; NaN where it was not computed.
    detectable_slope : float
        The difference in linear trends, per time, that this test finds with a chance of 80 %.
    hidden_effect : float
        What such a trend, going on after treatment, would add to the mean effect.
    effect : float
        That mean effect, to compare.
    flags : tuple of Flag
        In words.
    """

    statistic: float
    df: float
    p: float
    p_small_sample: float
    detectable_slope: float
    hidden_effect: float
    effect: float
    flags: tuple[Flag, ...]


def pre_trends(
    study: Estimate | pd.DataFrame, covariance: pd.DataFrame | np.ndarray | None = None, level: float = 0.95
) -> PreTrends:
    """Test the times before treatment, and say how large a trend the test would have missed.

    Parameters
    ----------
    study : Estimate or DataFrame
        As for `honest_did`.
    covariance : DataFrame or ndarray, shape (k, k), optional
        Of the effects; needed with a DataFrame.
    level : float
        1 less the level of the test.

    Returns
    -------
    PreTrends
        Test, detectable slope, and the effect that such a slope would feign.

    Raises
    ------
    EstimationError
        No time before treatment but the one all are measured from, or no covariance.

    References
    ----------
    Roth (2022), American Economic Review: Insights 4, 305-322.
    """
    series = _series(study, covariance, None)
    before = series.before
    joint = series.covariance[np.ix_(before, before)]
    if np.linalg.matrix_rank(joint, hermitian=True) < before.sum():
        raise EstimationError("there are too few units to test all times before treatment together.")
    told = study.diagnostics if isinstance(study, Estimate) else {}
    value, k = series.effect[before], int(before.sum())
    statistic = float(told.get("pre_test_statistic", value @ np.linalg.solve(joint, value)))
    df = float(told.get("pre_test_df", k))
    away = series.times[before] + 1.0  # times from the one that all are measured from
    critical = stats.chi2.ppf(level, k)
    needed = optimize.brentq(lambda x: stats.ncx2.sf(critical, k, x) - POWER, 1e-6, 1e4)
    slope = math.sqrt(needed / float(away @ np.linalg.solve(joint, away)))
    after = series.times[~before] + 1.0
    hidden, effect = slope * float(after.mean()), float(series.effect[~before].mean())
    p = float(stats.chi2.sf(statistic, df))
    small = float(told.get("pre_test_small_sample", math.nan))
    return PreTrends(statistic, df, p, small, slope, hidden, effect, tuple(_power_flags(hidden, effect)))


def _power_flags(hidden: float, effect: float) -> list[Flag]:
    """A test that would have missed a trend as large as the effect reassures nobody."""
    if hidden < abs(effect):
        return []
    text = (
        "The test of the times before treatment is weak: a trend that explains the whole effect could have been missed."
    )
    detail = (
        f"A trend found with a chance of {words.percent(POWER, 0)} would add {words.number(hidden, 3)} to the mean "
        f"effect of {words.number(effect, 3)}."
    )
    return [Flag("counterfactual", "caution", text, detail)]


def _series(study: Estimate | pd.DataFrame, covariance: Any, level: float | None) -> Series:
    """The event study without its reference time, its covariance widened where units are few."""
    if isinstance(study, Estimate):
        if "event_study_universal" not in study.diagnostics:
            raise EstimationError('this estimate has no event study. Use one of "staggered did".')
        table = study.diagnostics["event_study_universal"]
        covariance = study.diagnostics["event_study_universal_covariance"]
        widened = 1.0
        if level is not None and math.isfinite(study.df):
            # Normal intervals with this covariance are then as wide as those of t with the estimate's own df.
            widened = float((stats.t.ppf(0.5 + level / 2, study.df) / stats.norm.ppf(0.5 + level / 2)) ** 2)
    else:
        table, widened = study, 1.0
        if covariance is None:
            raise EstimationError("an event study as a table needs the covariance of its effects: covariance = ...")
    return _without_reference(table, np.asarray(covariance, dtype=float) * widened)


def _without_reference(table: pd.DataFrame, joint: np.ndarray) -> Series:
    """The times that were estimated."""
    absent = [name for name in ("event_time", "effect") if name not in table]
    if absent:
        raise EstimationError(f'the event study lacks "{absent[0]}". {did_you_mean(absent[0], table.columns)}')
    if joint.shape != (len(table), len(table)):
        raise EstimationError(f"the event study has {len(table)} rows and its covariance is {joint.shape}.")
    order = np.argsort(table["event_time"].to_numpy(), kind="stable")
    times, effect = table["event_time"].to_numpy(float)[order], table["effect"].to_numpy(float)[order]
    joint = joint[np.ix_(order, order)]
    keep = (np.diag(joint) > 0) & np.isfinite(effect)
    if (times[keep] == -1).any():
        raise EstimationError(
            "the event study has an effect at time -1, so its effects before treatment are not measured from one time. "
            'Give the estimate itself, or an event study of base = "universal".'
        )
    if not (times[keep] < 0).any() or not (times[keep] >= 0).any():
        raise EstimationError(
            "nothing can be said of trends: the event study needs two times before treatment and one after it."
        )
    return Series(times[keep], effect[keep], joint[np.ix_(keep, keep)])


def _consecutive(series: Series) -> Series:
    """Every time in turn, since steps from one time to the next are what is bounded."""
    steps = np.diff(np.sort(np.append(series.times, -1.0)))
    if not np.allclose(steps, 1.0):
        raise EstimationError(
            "the times of the event study are not consecutive around treatment, so steps between them cannot be "
            "compared. Drop the times beyond the gap, or give times as 1, 2, 3 ..."
        )
    return series


def _weights(series: Series, target: str | int) -> np.ndarray:
    """How the effects after treatment are averaged."""
    after = series.times[~series.before]
    if target == "average":
        return np.full(len(after), 1 / len(after))
    if target not in after.tolist():
        raise EstimationError(f"target = {target!r} is no time after treatment. {did_you_mean(str(target), after)}")
    return (after == target).astype(float)


def _grid(series: Series, kind: str, m: float | list[float] | None) -> list[float]:
    """The departures asked for."""
    if m is not None:
        wanted = [float(one) for one in np.atleast_1d(np.asarray(m, dtype=float))]
        if any(not (math.isfinite(one) and one >= 0) for one in wanted):
            raise EstimationError("m must be 0 or more.")
        return sorted(wanted)
    if kind == "relative magnitude":
        return list(KINDS[kind])
    bends = np.abs(np.diff(_levels_before(series), 2))
    largest = float(bends.max()) if len(bends) else 0.0
    return sorted({round(share * largest, 12) for share in (0.0, 0.25, 0.5, 0.75, 1.0)})


def _levels_before(series: Series) -> np.ndarray:
    """Effects before treatment, and 0 at the time all are measured from."""
    return np.append(series.effect[series.before], 0.0)


def _bound(series: Series, kind: str, m: float, weights: np.ndarray, level: float) -> dict[str, float]:
    """One row of the table."""
    from diff_diff.honest_did import HonestDiD

    method = "smoothness" if kind == "smoothness" else "relative_magnitude"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = HonestDiD(method=method, M=m, alpha=1 - level, l_vec=weights).fit(_as_library(series))
    low, high = float(found.ci_lb), float(found.ci_ub)
    if kind == "relative magnitude":
        low, high = _union(series, m, weights, level)
    return {"m": m, "low": low, "high": high, "bounds_low": float(found.lb), "bounds_high": float(found.ub)}


def _as_library(series: Series) -> Any:
    """The event study as diff-diff's own noun."""
    from diff_diff.results import MultiPeriodDiDResults, PeriodEffect

    se = np.sqrt(np.diag(series.covariance))
    names = [int(one) for one in series.times]
    nothing = (math.nan, math.nan)
    effects = {
        name: PeriodEffect(name, float(value), float(error), float(value / error), math.nan, nothing)
        for name, value, error in zip(names, series.effect, se, strict=True)
    }
    return MultiPeriodDiDResults(
        period_effects=effects,
        avg_att=math.nan,
        avg_se=math.nan,
        avg_t_stat=math.nan,
        avg_p_value=math.nan,
        avg_conf_int=nothing,
        n_obs=0,
        n_treated=0,
        n_control=0,
        pre_periods=[name for name in names if name < 0],
        post_periods=[name for name in names if name >= 0],
        vcov=series.covariance,
        reference_period=-1,
        interaction_indices={name: i for i, name in enumerate(names)},
    )


def _union(series: Series, m: float, weights: np.ndarray, level: float) -> tuple[float, float]:
    """From the lowest to the highest interval over which step before treatment, and with which sign, is the largest."""
    before = int(series.before.sum())
    steps = np.diff(np.eye(before + 1)[:, :before], axis=0)
    # How far a departure of 1 at every step after treatment moves the target at most.
    reach = float(np.abs(np.cumsum(weights[::-1])).sum())
    rows = [np.append(sign * m * reach * step, weights) for step in steps for sign in (-1.0, 1.0)]
    ways = np.array(rows)
    centre = ways @ series.effect
    error = np.sqrt(np.einsum("ij,jk,ik->i", ways, series.covariance, ways))
    critical = float(stats.norm.ppf(0.5 + level / 2))
    return float((centre - critical * error).min()), float((centre + critical * error).max())
