"""Regression to the mean: what would have come back by itself, said in words and drawn as a line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evalkit import disclosure
from evalkit.errors import DataError, EstimationError, Flag, did_you_mean
from evalkit.linear import degrees_of_freedom, least_squares, row_contributions
from evalkit.outcomes.change.pairs import pair, readings
from evalkit.outcomes.change.shares import read_arm
from evalkit.outcomes.records.ratios import cluster_codes, error, quantile, ratio
from evalkit.outcomes.summaries import mean_interval
from evalkit.words import SUPPRESSED, interval, number

_WORST = 1 / 3
_ALIKE = 0.1  # of a standard deviation, the usual line for arms that start alike


@dataclass(frozen=True, repr=False)
class MeanChange:
    """The mean change of each arm and the difference, treated less comparison, in the measure's unit.

    Attributes
    ----------
    treated, comparison, difference : float
        Means of after - before, and their difference.
    low, high : float
        95 % interval of the difference, robust to clusters where given (CR2).
    worst : float
        The comparison's mean change among the third that was worst off at the start.
    n_treated, n_comparison, n_worst : int
        People with both readings, and those in the comparison's worst third.
    apart : float
        Mean at the start, treated less comparison, in SD of the comparison.
    adjusted, adjusted_low, adjusted_high : float
        The difference adjusted for where each person started (linear regression of after on arm and before; HC2, with
        clusters CR2): where the arms did not start alike, the plain one holds more coming back in one arm than in the
        other. Missing where it cannot be estimated.
    """

    treated: float
    comparison: float
    difference: float
    low: float
    high: float
    worst: float
    n_treated: int
    n_comparison: int
    n_worst: int
    apart: float
    adjusted: float
    adjusted_low: float
    adjusted_high: float

    def __repr__(self) -> str:
        if SUPPRESSED in (disclosure.count(self.n_treated), disclosure.count(self.n_comparison)):
            return f"MeanChange(difference {SUPPRESSED})"
        reach = interval(self.low, self.high, 2)
        return f"MeanChange(difference {number(self.difference, 2, sign=True)}, {reach})"


def mean_change(before: Any, after: Any, arm: Any, cluster: Any = None, better: str = "lower") -> MeanChange:
    """Compare the mean change of the two arms.

    Parameters
    ----------
    before, after : array-like, shape (n,)
        The same people in the same order; NaN where missing.
    arm : array-like, shape (n,)
        "treated" or 1, "comparison" or 0; missing for neither.
    cluster : array-like, shape (n,), optional
        Who belongs together.
    better : {"lower", "higher"}
        Which way is better; says who is worst off.

    Returns
    -------
    MeanChange
        Means, difference and interval.

    Raises
    ------
    DataError
        Readings that do not belong together, or an arm without anyone who has both.
    """
    if better not in ("lower", "higher"):
        raise DataError(f'better must be "lower" or "higher". {did_you_mean(better, ("lower", "higher"))}')
    both = pair(before, after)
    treated = read_arm(arm, len(both))
    codes, clusters = cluster_codes(cluster, len(both))
    start, change = both["before"].to_numpy(), (both["after"] - both["before"]).to_numpy()
    seen = np.isfinite(change)
    parts = []
    for value, name in ((1.0, "treated"), (0.0, "comparison")):
        rows = seen & (treated == value)
        if not rows.any():
            raise DataError(f"Nobody of the {name} arm has both readings, so there is nothing to compare.")
        parts.append(ratio(change[rows], np.ones(int(rows.sum())), codes[rows], clusters))
    worst = _worst(start, seen & (treated == 0), better)
    se, df = error(parts, [1.0, -1.0])
    half, difference = quantile(df) * se, parts[0].value - parts[1].value
    own = None if cluster is None else codes[seen]
    return MeanChange(
        parts[0].value, parts[1].value, difference, difference - half, difference + half,
        float(change[worst].mean()), int(parts[0].bottom), int(parts[1].bottom), int(worst.sum()),
        _apart(start[seen], treated[seen]), *_adjusted(both[seen], treated[seen], own),
    )  # fmt: skip


def _apart(start: np.ndarray, treated: np.ndarray) -> float:
    one, other = start[treated == 1], start[treated == 0]
    spread = other.std(ddof=1) if len(other) > 1 else 0.0
    return float((one.mean() - other.mean()) / spread) if spread > 0 else np.nan


def _adjusted(both: pd.DataFrame, treated: np.ndarray, codes: np.ndarray | None) -> tuple[float, float, float]:
    """The difference adjusted for the start, with its interval."""
    inside = np.isfinite(treated)
    design = np.column_stack([np.ones(len(both)), treated, both["before"].to_numpy()])[inside]
    contrast, kind = np.array([0.0, 1.0, 0.0]), "hc2" if codes is None else "cr2"
    code = None if codes is None else np.unique(codes[inside], return_inverse=True)[1]
    try:
        fit = least_squares(both["after"].to_numpy()[inside], design)
    except EstimationError:  # everyone started at the same point, or there are too few
        return np.nan, np.nan, np.nan
    pull = row_contributions(fit, contrast, kind, code)
    se = float(np.sqrt(((pull if code is None else np.bincount(code, pull)) ** 2).sum()))
    half = quantile(degrees_of_freedom(fit, contrast, kind, code)) * se
    return float(fit.beta[1]), float(fit.beta[1] - half), float(fit.beta[1] + half)


def _worst(start: np.ndarray, inside: np.ndarray, better: str) -> np.ndarray:
    """The third of these that is worst off at the start, ties with the last of them included."""
    badness = start if better == "lower" else -start
    return inside & (badness >= np.quantile(badness[inside], 1 - _WORST))


def regression_to_the_mean(
    before: Any,
    after: Any,
    arm: Any = None,
    cluster: Any = None,
    better: str = "lower",
    unit: str = "points",
    rule: str = "uk-children-10",
) -> str:
    """Say in plain words how much of a change may have come by itself.

    Parameters
    ----------
    before, after, arm, cluster, better
        As in `mean_change`; without ``arm`` the words say that it cannot be told.
    unit : str
        Of the measure.
    rule : str
        The disclosure rule in force; means that rest on few people are not written.

    Returns
    -------
    str
        One or two sentences, from the numbers.
    """
    if arm is None:
        change = pair(before, after).diff(axis=1)["after"].dropna()
        few = disclosure.count(len(change), rule) == SUPPRESSED
        moved = "the change" if few else f"the change of {number(change.mean(), 1, sign=True)} {unit}"
        return (
            "People often start when things are at their worst and tend to come back by themselves. "
            f"There is no comparison here, so how much of {moved} is that cannot be told."
        )
    found = mean_change(before, after, arm, cluster, better)
    counts = (found.n_treated, found.n_comparison, found.n_worst, found.n_comparison - found.n_worst)
    if any(disclosure.count(n, rule) == SUPPRESSED for n in counts):
        return (
            "People furthest out at the start tend to come back by themselves, so only the difference from the "
            "comparison's change can be put down to the programme; the arms are too small to print it."
        )
    return f"{_came_back(found, better, unit)} {_only_the_difference(found, unit)}"


def _came_back(found: MeanChange, better: str, unit: str) -> str:
    worst, all_of_it = number(found.worst, 1, sign=True), number(found.comparison, 1, sign=True)
    toward = -1 if better == "lower" else 1
    more = toward * found.worst > max(toward * found.comparison, 0)
    lead = (
        "Those furthest out at the start tend to come back by themselves"
        if more
        else "Those furthest out at the start often come back by themselves; here they did not more than others"
    )
    return f"{lead}: the comparison changed by {all_of_it} {unit} on average, its worst-off third by {worst}."


def _only_the_difference(found: MeanChange, unit: str) -> str:
    reach = interval(found.low, found.high)
    if abs(found.apart) > _ALIKE:
        return _not_alike(found, unit)
    return (
        f"The programme changed by {number(found.treated, 1, sign=True)}; only the difference of "
        f"{number(found.difference, 1, sign=True)} {unit} (95% interval {reach}) can be put down to it, and only as "
        "far as the two arms were alike."
    )


def _not_alike(found: MeanChange, unit: str) -> str:
    """Where one arm started further out, more of its change is a coming back: the difference is not the programme's."""
    lead = (
        f"The programme changed by {number(found.treated, 1, sign=True)}, {number(found.difference, 1, sign=True)} "
        f"{unit} apart from the comparison. That cannot simply be put down to it: the arms did not start alike "
        f"({number(abs(found.apart), 2)} SD apart), so more of one arm's change is a coming back."
    )
    if not np.isfinite(found.adjusted):
        return lead
    reach = interval(found.adjusted_low, found.adjusted_high)
    told = number(found.adjusted, 1, sign=True)
    return f"{lead} Adjusted for where each started, the difference is {told} {unit} (95% interval {reach})."


# ---------------------------------------------------------------- a single arm


@dataclass(frozen=True, eq=False, repr=False)
class ExpectedChange:
    """The follow-up to expect from regression to the mean alone.

    Attributes
    ----------
    expected : Series, shape (n,)
        Expected follow-up per person. Never shown.
    slope, intercept : float
        Of the line: expected = intercept + slope x before.
    n : int
        People with a reading before (and after, where given).
    mean_before, mean_expected, mean_change : float
        Their means, and the change to expect.
    observed, added, low, high : float
        With ``after``: the mean change seen, how far it goes beyond the expected (after - expected), and the 95 %
        interval of that; NaN without.
    flags : tuple of Flag
        What the line rests on.
    """

    expected: pd.Series
    slope: float
    intercept: float
    n: int
    mean_before: float
    mean_expected: float
    mean_change: float
    observed: float
    added: float
    low: float
    high: float
    flags: tuple[Flag, ...]

    def __repr__(self) -> str:
        change = "[c]" if disclosure.count(self.n) == SUPPRESSED else number(self.mean_change, 2, sign=True)
        return f"ExpectedChange({self.n:,} people, expected change {change})"


def expected_change(
    before: Any, mean: float, reliability: float, after: Any = None, cluster: Any = None
) -> ExpectedChange:
    """Say where people would be expected at follow-up by regression to the mean alone.

    Parameters
    ----------
    before : array-like, shape (n,)
        Readings at the start; NaN where missing.
    mean : float
        Of the population these people come from, in points.
    reliability : float
        Correlation of two readings without any help, over the same time; a retest figure, from 0 to 1.
    after : array-like, shape (n,), optional
        Readings at follow-up.
    cluster : array-like, shape (n,), optional
        Who belongs together.

    Returns
    -------
    ExpectedChange
        Expected follow-up = mean + reliability x (before - mean).

    Raises
    ------
    DataError
        A reliability outside 0 to 1, or nobody with a reading.

    References
    ----------
    Bland and Altman (1994), BMJ 308, 1499 (regression towards the mean).
    """
    if not 0 <= reliability <= 1 or not np.isfinite(mean):
        raise DataError("expected_change needs a mean and a reliability from 0 to 1.")
    both = pair(before, after) if after is not None else readings(before, "before").to_frame()
    seen = both.notna().all(axis=1).to_numpy()
    if not seen.any():
        raise DataError("Nobody has a reading at the start. Check the occasion.")
    start = both["before"]
    expected = (mean + reliability * (start - mean)).rename("expected")
    observed = added = low = high = np.nan
    if after is not None:
        codes = None if cluster is None else cluster_codes(cluster, len(both))[0][seen]
        added, low, high = mean_interval((both["after"] - expected)[seen].to_numpy(), codes)
        observed = float((both["after"] - start)[seen].mean())
    return ExpectedChange(
        expected, float(reliability), float(mean * (1 - reliability)), int(seen.sum()), float(start[seen].mean()),
        float(expected[seen].mean()), float((expected - start)[seen].mean()), observed, added, low, high, _RESTS_ON,
    )  # fmt: skip


_RESTS_ON = (
    Flag(
        "outcomes",
        "caution",
        "The expected change rests on a population mean and a retest correlation, not on a comparison.",
        "If these people come from a group with another mean, or would have got better or worse over time by "
        "themselves, what goes beyond the line is not the effect of the programme.",
    ),
)
