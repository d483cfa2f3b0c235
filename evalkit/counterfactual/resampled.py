"""Intervals of a regression's effect by making the data again: the wild cluster bootstrap, and arms re-drawn by lot."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.counterfactual.arms import arm_clusters
from evalkit.counterfactual.few_people import freedom
from evalkit.counterfactual.inference import Interval, conclude
from evalkit.counterfactual.leverage import leverage_of
from evalkit.counterfactual.matched.overlaps import told_apart
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.panel import Panel, Plan, codes
from evalkit.errors import EstimationError, Flag, did_you_mean
from evalkit.linear import Fit, bound_by_test, row_contributions, wild_cluster
from evalkit.outcomes.multiplicity.assigned import Assignment, read_assignment

Array = np.ndarray
RESAMPLED = ("wild", "permutation")
WEIGHTS = ("auto", "webb", "rademacher")
_ALL = 20_000  # ways the arms could have fallen, up to which all are taken instead of a draw
_COUNTED = 10**9  # ways beyond which their number is not said
_FEW_TREATED = 5  # clusters in the smaller arm below which the wild bootstrap is known to reject too rarely
_LEAST = 99  # draws below which no p-value of 0.05 has a meaning


@dataclass(frozen=True)
class Resampled:
    """What re-made data say: the interval, what was done for the diagnostics, what a reader must be told."""

    interval: Interval
    about: dict[str, Any]
    flags: tuple[Flag, ...]


def conclude_regression(panel: Panel, plan: Plan, fit: Fit, contrasts: dict[str, Array], **also: Any) -> Estimate:
    """Make the `Estimate` of a least-squares regression, by whichever standard error ``plan.se`` names.

    Parameters
    ----------
    panel, plan : Panel, Plan
        Who was analysed, and how.
    fit : Fit
        The regression.
    contrasts : dict of ndarray, shape (k,)
        "effect", and "observed" where the regression gives it too.
    **also
        As for `conclude`; rows (contributions that are not the regression's), cluster (if not the panel's).

    Returns
    -------
    Estimate
        With "wild" and "permutation" the standard error is blank; contributions are then those of CR2 or HC2.

    Raises
    ------
    EstimationError
        The data cannot be re-made as asked.
    """
    cluster = also.pop("cluster", panel.cluster)
    se = plain_se(plan, cluster is not None)
    rows = {name: row_contributions(fit, one, se, cluster) for name, one in contrasts.items()} | also.pop("rows", {})
    df = freedom(panel, fit, contrasts["effect"], se, cluster)
    lever, leaning = leverage_of(fit, contrasts["effect"], cluster)
    also["diagnostics"] = lever | also.get("diagnostics", {})
    also["flags"] = [*also.get("flags", ()), *told_apart(panel), *leaning]
    made = resample(panel, plan, fit, contrasts["effect"])
    if made is not None:
        also["interval"] = made.interval
        also["diagnostics"] = also.get("diagnostics", {}) | made.about
        also["flags"] = [*also.get("flags", ()), *made.flags]
    return conclude(panel, plan, float(contrasts["effect"] @ fit.beta), rows, df, **also)


def plain_se(plan: Plan, clustered: bool) -> str:
    """Name the standard error whose contributions stand in for a re-made interval, which has none.

    Parameters
    ----------
    plan : Plan
        With ``se``.
    clustered : bool
        Whether contributions are summed by cluster.

    Returns
    -------
    str
        ``plan.se`` itself where it is one.
    """
    if plan.se not in RESAMPLED:
        return plan.se
    return "cr2" if clustered else "hc2"


def resample(panel: Panel, plan: Plan, fit: Fit, contrast: Array) -> Resampled | None:
    """Bound the effect by the method that ``plan.se`` names.

    Parameters
    ----------
    panel, plan : Panel, Plan
        Who was analysed, and how; ``se`` is "wild" or "permutation".
    fit : Fit
        The regression.
    contrast : ndarray, shape (k,)
        The effect's place among its coefficients.

    Returns
    -------
    Resampled or None
        None for other standard errors.

    Raises
    ------
    EstimationError
        No clusters for the wild bootstrap, too few draws, unknown weights, or arms that can fall in one way only.
    """
    if plan.se not in RESAMPLED:
        return None
    if plan.draws < _LEAST:
        raise EstimationError(f"draws = {plan.draws} is too few for a p-value: use {_LEAST} or more, such as 9,999.")
    return _wild(panel, plan, fit, contrast) if plan.se == "wild" else _permuted(panel, plan, fit, contrast)


def _regressed(fit: Fit) -> Array:
    """What was regressed, centred as the regression centred it."""
    return np.asarray(fit.x @ fit.beta + fit.residuals)


# ---------------------------------------------------------------- the wild cluster bootstrap


def _wild(panel: Panel, plan: Plan, fit: Fit, contrast: Array) -> Resampled:
    """The wild cluster bootstrap with the hypothesis imposed."""
    if panel.cluster is None:
        raise EstimationError('se = "wild" is for clustered data: name the column of clusters (cluster = ...).')
    weights = str(plan.options.get("weights", "auto"))
    if weights not in WEIGHTS:
        raise EstimationError(
            f'weights = "{weights}" are not weights of the wild bootstrap. {did_you_mean(weights, WEIGHTS)}'
        )
    found = wild_cluster(_regressed(fit), fit.x, contrast, panel.cluster, plan.draws, plan.seed, weights, plan.level)
    interval = Interval(low=float(found.low), high=float(found.high), p=found.p)
    about: dict[str, Any] = {"bootstrap": {"weights": found.weights, "sets": found.sets, "all_sets": found.enumerated}}
    return Resampled(interval, about, tuple(_wild_flags(panel, interval)))


def _wild_flags(panel: Panel, interval: Interval) -> list[Flag]:
    """Few treated clusters, and bounds that are not there."""
    flags = [_unbounded()] if math.isinf(interval.low) or math.isinf(interval.high) else []
    arms = arm_clusters(panel)
    smaller = min(arms, key=lambda name: arms[name])
    if arms[smaller] < _FEW_TREATED:
        text = f"With {arms[smaller]} {smaller} clusters the wild bootstrap finds too little rather than too much."
        flags.append(
            Flag("counterfactual", "caution", text, "MacKinnon and Webb (2017). Its interval may be too wide.")
        )
    return flags


def _unbounded() -> Flag:
    """An interval with an open end."""
    text = "The interval has no bound on at least one side: there are too few clusters or people to reject anything."
    return Flag("counterfactual", "serious", text)


# ---------------------------------------------------------------- arms re-drawn by lot


@dataclass(frozen=True)
class _Parts:
    """Per way the arms could have fallen: slopes of outcome and of the true arm, and the three sums of the variance."""

    slope: Array
    moved: Array
    squares: Array
    cross: Array
    moved_squares: Array

    def t(self, tested: float) -> Array:
        """The studentised statistic if the effect were ``tested``, in absolute value; infinite where undefined."""
        top = np.abs(self.slope - tested * self.moved)
        variance = self.squares - 2 * tested * self.cross + tested**2 * self.moved_squares
        scale = np.abs(self.squares) + tested**2 * np.abs(self.moved_squares)
        safe = variance > 1e-12 * scale  # below is rounding
        return np.where(safe, top / np.sqrt(np.where(safe, variance, 1.0)), np.inf)


def _permuted(panel: Panel, plan: Plan, fit: Fit, contrast: Array) -> Resampled:
    """The sharp null that the programme changed nobody by more or less than the value tested."""
    place = int(np.flatnonzero(contrast)[0])
    if np.count_nonzero(contrast) != 1 or not np.array_equal(fit.x[:, place], panel.treated):
        raise EstimationError(
            'se = "permutation" needs one row per person and a regression on the arm itself. For a "did" of people '
            'who were not all seen at both times, use "cr2" or "wild".'
        )
    lot, how = _lot(panel)
    whole = lot.ways <= max(_ALL, plan.draws)
    if lot.ways < 2:
        raise EstimationError(f"the arms could not have fallen otherwise ({how}), so there is nothing to re-draw.")
    y, others = _regressed(fit), np.delete(fit.x, place, axis=1)
    observed = _parts(panel, y, others, iter([lot.treated[None, :].astype(float)]), lot.unit)
    chunks = lot.all_ways() if whole else lot.drawn(plan.draws, plan.seed)
    test = _test(observed, _parts(panel, y, others, chunks, lot.unit), whole)
    scale = float(np.sqrt((row_contributions(fit, contrast, "hc1") ** 2).sum()))
    scale = max(scale, 1e-12 * float(np.abs(y).max()))
    effect = float(fit.beta[place])
    low, high = (float(bound_by_test(test, effect, side * scale, 1 - plan.level)) for side in (-1, 1))
    interval = Interval(low=low, high=high, p=test(0.0))
    about: dict[str, Any] = {
        "permutation": {"redrawn": how, "ways": lot.ways if lot.ways <= _COUNTED else math.inf, "all_ways": whole}
    }
    return Resampled(interval, about, tuple(_lot_flags(interval, lot.ways, how)))


def _test(observed: _Parts, others: _Parts, whole: bool) -> Callable[[float], float]:
    """The p-value as a function of the value tested."""

    def p(tested: float) -> float:
        own = observed.t(tested)[0]
        larger = int((others.t(tested) >= own * (1 - 1e-9)).sum())
        count = len(others.slope)
        return larger / count if whole else (1 + larger) / (1 + count)

    return p


def _lot(panel: Panel) -> tuple[Assignment, str]:
    """How the arms fell: whole clusters where each lies in one arm, else people, within strata or mixed clusters."""
    strata = panel.columns.strata
    empty = 0 if strata is None else int(panel.frame[strata].isna().sum())
    if empty:
        raise EstimationError(f'strata = "{strata}" is empty in {empty} rows. Fill it in, or leave these people out.')
    inside = np.zeros(len(panel.y), int) if strata is None else codes(panel.frame[strata])
    arm = pd.DataFrame({"arm": panel.treated.astype(int)})
    if panel.cluster is not None:
        size = np.bincount(panel.cluster)
        taken = np.bincount(panel.cluster, panel.treated)
        if ((taken == 0) | (taken == size)).all():
            lot = read_assignment(arm, "arm", (), panel.cluster, inside)
            return lot, lot.says
        inside = codes(np.char.add(np.char.add(inside.astype(str), "/"), panel.cluster.astype(str)))
        lot = read_assignment(arm, "arm", (), None, inside, "individual")
        return lot, "people within clusters"
    lot = read_assignment(arm, "arm", (), None, inside, "individual")
    return lot, lot.says


def _lot_flags(interval: Interval, ways: int, how: str) -> list[Flag]:
    """What the test takes for granted."""
    text = f"The p-value holds if the arms were drawn by lot ({how}); it tests that nobody was affected at all."
    count = words.number(ways, 0) if ways <= _COUNTED else "more than a thousand million"
    flags = [Flag("counterfactual", "note", text, f"The arms could have fallen in {count} ways.")]
    return [*flags, _unbounded()] if math.isinf(interval.low) or math.isinf(interval.high) else flags


def _parts(panel: Panel, y: Array, others: Array, chunks: Iterator[Array], unit: Array) -> _Parts:
    """The five sums of every way; covariates are taken out of outcome and arm by least squares."""
    q = np.linalg.qr(others)[0]
    rest, true = (column - q @ (q.T @ column) for column in (y, panel.treated))
    found = []
    for arms in chunks:
        for start in range(0, len(arms), step := max(4_000_000 // len(y), 1)):
            t = arms[start : start + step][:, unit]
            found.append(_sums(t - (t @ q) @ q.T, rest, true, panel.cluster))
    return _Parts(*(np.concatenate(column) for column in zip(*found, strict=True)))


def _sums(t: Array, rest: Array, true: Array, cluster: Array | None) -> tuple[Array, ...]:
    """Slopes and squared scores of a chunk of ways, shape (ways, n)."""
    room = (t**2).sum(axis=1)
    known = room > 1e-10 * t.shape[1]
    safe = np.where(known, room, 1.0)
    slope, moved = t @ rest / safe, t @ true / safe
    scores = [t * (column - by[:, None] * t) for column, by in ((rest, slope), (true, moved))]
    if cluster is not None:
        scores = [_by_cluster(one, cluster) for one in scores]
    one, two = (column / safe[:, None] for column in scores)
    sums = [(one * one).sum(axis=1), (one * two).sum(axis=1), (two * two).sum(axis=1)]
    return slope, moved, *(np.where(known, column, np.nan) for column in sums)


def _by_cluster(scores: Array, cluster: Array) -> Array:
    """Sums of columns that share a cluster; shape (ways, clusters)."""
    order = np.argsort(cluster, kind="stable")
    starts = np.flatnonzero(np.diff(cluster[order], prepend=-1))
    return np.add.reduceat(scores[:, order], starts, axis=1)
