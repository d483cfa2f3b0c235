"""What a staggered design shows beside its effect: event study, other aggregates, the times before treatment."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from evalkit import words
from evalkit.counterfactual.areas import grouptimes
from evalkit.counterfactual.areas.cohorts import Cohorts
from evalkit.counterfactual.areas.grouptimes import AGGREGATES, Cells, Summed
from evalkit.errors import Flag

BAND_DRAWS = 10_000
DOUBT, ENOUGH = 0.05, 30  # degrees of freedom from which chi-squared may stand for F
NOT_TRUSTED = (
    "Two-way fixed effects takes units treated earlier for comparison, and so can have the wrong sign where effects "
    "differ; it is shown beside the estimate only."
)


def event_study(cells: Cells, parts: Summed, since: np.ndarray, level: float) -> pd.DataFrame:
    """Effects by time since treatment, with a band that holds for all of them at once.

    Parameters
    ----------
    cells, parts : Cells, Summed
        The cells, and their sums by time since treatment.
    since : ndarray, shape (m,)
        Times since treatment; below 0 before it.
    level : float
        Of interval and band.

    Returns
    -------
    DataFrame
        event_time, effect, se, low, high, p, band_low, band_high, n (treated units behind it).
    """
    rows = grouptimes.table(cells, parts, level)
    sampled = grouptimes.spread(cells, parts)
    half = _band(cells, parts, sampled, level) * sampled.small
    table = pd.DataFrame({"event_time": since}).join(rows)
    table["band_low"], table["band_high"] = rows["effect"] - half, rows["effect"] + half
    counts = (cells.cohorts.first[:, None] == cells.cohort[None, :]).sum(axis=0)
    away = cells.time - cells.cohort
    table["n"] = [int(counts[np.isclose(away, one)].sum()) for one in since]
    # The time that all others are measured from is 0 by definition and has no sampling error.
    fixed = ~(parts.psi != 0).any(axis=0)
    table.loc[fixed, ["se", "low", "high", "p", "band_low", "band_high"]] = np.nan
    return _whole(table, "event_time")


def _band(cells: Cells, parts: Summed, sampled: grouptimes.Spread, level: float) -> float:
    """How many standard errors hold all effects at once: the quantile of the largest of their joint t."""
    joint = grouptimes.covariance(cells, parts)
    size = np.sqrt(np.diag(joint))
    keep = (size > 0) & np.isfinite(sampled.small)
    if not keep.any():
        return math.nan
    values, vectors = np.linalg.eigh(joint[np.ix_(keep, keep)] / np.outer(size[keep], size[keep]))
    random, df = np.random.default_rng(0), float(sampled.df[keep].min())
    drawn = random.normal(size=(BAND_DRAWS, int(keep.sum()))) * np.sqrt(np.maximum(values, 0)) @ vectors.T
    drawn /= np.sqrt(random.chisquare(df, BAND_DRAWS) / df)[:, None]
    alone = float(stats.t.ppf(0.5 + level / 2, sampled.df[keep].min()))
    return max(float(np.quantile(np.abs(drawn).max(axis=1), level)), alone)


def group_time(cells: Cells, level: float) -> pd.DataFrame:
    """Effects by cohort and time.

    Parameters
    ----------
    cells : Cells
        All of them.
    level : float
        Of the intervals.

    Returns
    -------
    DataFrame
        group, time (as the table writes them), effect, se, low, high, p, n (units of the cohort).
    """
    shown = cells.cohorts.shown
    names = {
        "group": [shown.get(one, one) for one in cells.cohort],
        "time": [shown.get(one, one) for one in cells.time],
    }
    table = pd.DataFrame(names).join(grouptimes.table(cells, grouptimes.every_cell(cells), level))
    table["n"] = (cells.cohorts.first[:, None] == cells.cohort[None, :]).sum(axis=0)
    return table


def every_aggregate(cells: Cells, level: float) -> pd.DataFrame:
    """All four ways to sum up.

    Parameters
    ----------
    cells : Cells
        All of them.
    level : float
        Of the intervals.

    Returns
    -------
    DataFrame
        Index aggregate; effect, se, low, high, p.
    """
    sums = [grouptimes.aggregate(cells, kind) for kind in AGGREGATES]
    return grouptimes.table(cells, grouptimes.join(sums), level).set_index(pd.Index(AGGREGATES, name="aggregate"))


def part_by_part(cells: Cells, kind: str, level: float) -> pd.DataFrame:
    """Effects by cohort, or by calendar time.

    Parameters
    ----------
    cells : Cells
        All of them.
    kind : {"group", "calendar"}
        Which.
    level : float
        Of the intervals.

    Returns
    -------
    DataFrame
        first_treated or time (as the table writes them), effect, se, low, high, p.
    """
    parts, names = grouptimes.by_part(cells, kind)
    name = "first_treated" if kind == "group" else "time"
    shown = [cells.cohorts.shown.get(one, one) for one in names]
    return pd.DataFrame({name: shown}).join(grouptimes.table(cells, parts, level))


def joint_covariance(cells: Cells, parts: Summed, since: np.ndarray) -> pd.DataFrame:
    """Covariance of the effects by time since treatment.

    Parameters
    ----------
    cells, parts, since
        As for `event_study`.

    Returns
    -------
    DataFrame, shape (m, m)
        Rows and columns by event time.
    """
    names = since.astype(int) if (since == np.round(since)).all() else since
    return pd.DataFrame(grouptimes.covariance(cells, parts), names, names)


def _whole(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Whole numbers as such."""
    values = table[column].to_numpy()
    return table.assign(**{column: values.astype(int)}) if (values == np.round(values)).all() else table


def pre_test(cells: Cells) -> tuple[dict[str, Any], list[Flag]]:
    """Test whether cohorts and comparison moved alike before treatment.

    Parameters
    ----------
    cells : Cells
        All of them.

    Returns
    -------
    (dict, list of Flag)
        pre_test_statistic, pre_test_df, pre_test_chi_squared (Wald test that every effect before treatment is 0, as
        published software has it); pre_test_small_sample (Hotelling's F of the effects by time since treatment, from
        cohorts with more units than such times); pre_test: the first p, but the second where units are few, since
        chi-squared then rejects many true nulls; pre_test_method says which. NaN where there is nothing to test.

    References
    ----------
    Callaway and Sant'Anna (2021), Journal of Econometrics 225, 200-230, section 4.
    """
    mine = ~cells.post & (cells.psi != 0).any(axis=0)
    names = ("pre_test", "pre_test_statistic", "pre_test_df", "pre_test_chi_squared", "pre_test_small_sample")
    if not mine.any():
        text = "No time before treatment is left to test whether the units moved alike, so parallel trends are assumed."
        return dict.fromkeys(names, math.nan), [Flag("counterfactual", "caution", text)]
    value, q = cells.value[mine], int(mine.sum())
    joint = grouptimes.covariance(cells, grouptimes.every_cell(cells))[np.ix_(mine, mine)]
    small, room = _small_test(cells, mine)
    statistic = math.nan
    if np.linalg.matrix_rank(joint, hermitian=True) == q:
        statistic = float(value @ np.linalg.solve(joint, value))
    plain = float(stats.chi2.sf(statistic, q))
    enough = room - q + 1 >= ENOUGH and math.isfinite(plain)
    p = plain if enough else small
    found = dict(zip(names, (p, statistic, q, plain, small), strict=True))
    return found | {"pre_test_method": "chi-squared" if enough else "F"}, _trend_flags(p)


def _small_test(cells: Cells, before: np.ndarray) -> tuple[float, float]:
    """Hotelling's test of the effects by time before treatment, and the degrees of freedom of one of them.

    A cohort with hardly more units than times before treatment cannot show how its own effects go together.
    """
    cohorts, times = np.unique(cells.cohort[before], return_counts=True)
    sizes = (cells.cohorts.first[:, None] == cohorts).sum(axis=0)
    known = before & np.isin(cells.cohort, cohorts[sizes - 1 > times])
    if not known.any():
        return math.nan, 0.0
    some = {name: getattr(cells, name)[known] for name in ("cohort", "time", "value", "base")}
    part = replace(cells, psi=cells.psi[:, known], **some)
    parts, since = grouptimes.by_part(part, "dynamic", before=True)
    sampled, q = grouptimes.spread(part, parts), len(since)
    joint, room = grouptimes.covariance(part, parts), float(np.median(sampled.df))
    if np.linalg.matrix_rank(joint, hermitian=True) < q or room - q + 1 <= 0:
        return math.nan, room
    allowed = parts.value * sampled.se / sampled.small
    statistic = float(allowed @ np.linalg.solve(joint, allowed)) * (room - q + 1) / (room * q)
    return float(stats.f.sf(statistic, q, room - q + 1)), room


def _trend_flags(p: float) -> list[Flag]:
    """What the times before treatment say about those after."""
    if math.isnan(p):
        text = "There are too few units to test whether they moved alike before treatment."
        return [Flag("counterfactual", "caution", text)]
    if p < DOUBT:
        text = "Units treated later already moved differently before treatment, so parallel trends are in doubt."
        return [Flag("counterfactual", "serious", text, f"Test of all effects before treatment: p {words.p_value(p)}.")]
    text = "No difference in trends was found before treatment; that does not show that there is none."
    return [Flag("counterfactual", "note", text, f"Test of all effects before treatment: p {words.p_value(p)}.")]


def two_way(cohorts: Cohorts) -> dict[str, Any]:
    """The regression on unit, time and treatment status that studies used to report, with its warning.

    Parameters
    ----------
    cohorts : Cohorts
        The complete panel.

    Returns
    -------
    dict
        effect, se (by unit, or by cluster), negative_weights (share of treated unit-times that count against
        themselves), warning.

    References
    ----------
    de Chaisemartin and D'Haultfoeuille (2020), American Economic Review 110, 2964-2996; Goodman-Bacon (2021), Journal
    of Econometrics 225, 254-277.
    """
    begun = (cohorts.first[:, None] > 0) & (cohorts.times[None, :] >= cohorts.first[:, None])
    status, y = _centred(begun.astype(float)), _centred(cohorts.y)
    square = float((status**2).sum())
    effect = float((status * y).sum() / square)
    scores = (status * (y - effect * status)).sum(axis=1)
    groups = np.arange(len(scores)) if cohorts.cluster is None else cohorts.cluster
    sums = np.bincount(groups, scores)
    n, g = y.size, len(sums)
    # Unit effects lie within clusters and cost no degrees of freedom; times and treatment do.
    factor = g / max(g - 1, 1) * (n - 1) / (n - y.shape[1] - 1)
    return {
        "effect": effect,
        "se": math.sqrt(factor * float((sums**2).sum())) / square,
        "negative_weights": float((status[begun] < 0).mean()),
        "warning": NOT_TRUSTED,
    }


def _centred(values: np.ndarray) -> np.ndarray:
    """Without the means of units and of times."""
    return values - values.mean(axis=1, keepdims=True) - values.mean(axis=0, keepdims=True) + values.mean()
