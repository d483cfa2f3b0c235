"""What the outcomes look like: means with intervals and completeness, by arm and occasion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from evalkit import disclosure
from evalkit.errors import Flag, Level
from evalkit.linear import cluster_numbers
from evalkit.outcomes.ground import Ground, Reading
from evalkit.outcomes.records.ratios import error, quantile, ratio
from evalkit.words import SUPPRESSED, listed, percent

ENOUGH = 0.7
_LEVEL = 0.95


def mean_interval(values: np.ndarray, clusters: np.ndarray | None = None) -> tuple[float, float, float]:
    """Mean with a 95 % interval, robust to clusters where there are any.

    Parameters
    ----------
    values : ndarray, shape (n,)
        No missing values.
    clusters : ndarray, shape (n,), optional
        Whole numbers; the interval is CR2's with Satterthwaite's degrees of freedom, which hold where clusters are few
        or of unequal size. With clusters of one size that is G / (G - 1) and G - 1 (Stata's ``mean, vce(cluster)``).

    Returns
    -------
    mean, low, high : float
        The interval is missing where fewer than two values or clusters are there.

    References
    ----------
    Bell and McCaffrey (2002), Survey Methodology 28, 169-181.
    """
    if not len(values):
        return np.nan, np.nan, np.nan
    mean = float(values.mean())
    codes = np.arange(len(values)) if clusters is None else np.unique(clusters, return_inverse=True)[1]
    part = ratio(values - mean, np.ones(len(values)), codes, int(codes.max()) + 1)
    se, df = error([part], [1.0])
    half = quantile(df, _LEVEL) * se
    return mean, mean - half, mean + half


def summarise(ground: Ground, readings: list[Reading], describe: Callable[[str], dict[str, Any]]) -> pd.DataFrame:
    """One row per reading and arm.

    Returns
    -------
    DataFrame
        ``measure``, ``title``, ``occasion``, ``occasion_title``, ``arm``, ``n``, ``mean``, ``sd``, ``low``, ``high``
        (in the measure's unit), ``n_people`` (the arm), ``outcome`` (wide key), ``kind``, ``unit``, ``values``.
    """
    clusters = _clusters(ground)
    rows = []
    for reading in readings:
        facts = describe(reading.key)
        for arm, inside in ground.arms.items():
            seen = inside & np.isfinite(reading.values)
            values = reading.values[seen]
            mean, low, high = mean_interval(values, None if clusters is None else clusters[seen])
            rows.append({
                "measure": reading.measure, "title": facts["title"], "occasion": reading.occasion,
                "occasion_title": facts["occasion_title"], "arm": arm, "n": int(seen.sum()), "mean": mean,
                "sd": values.std(ddof=1) if len(values) > 1 else np.nan, "low": low, "high": high,
                "n_people": int(inside.sum()), "outcome": reading.key,
                "kind": facts["kind"], "unit": facts["unit"], "values": facts["values"],
            })  # fmt: skip
    return pd.DataFrame(rows)


def _clusters(ground: Ground) -> np.ndarray | None:
    """Cluster numbers; a person without a cluster is one of their own."""
    column = ground.column("cluster")
    if column.isna().all():
        return None
    return cluster_numbers(column)


def completeness(ground: Ground, readings: list[Reading]) -> pd.DataFrame:
    """How many of each arm have a value.

    Returns
    -------
    DataFrame
        ``measure``, ``occasion``, ``arm``, ``people``, ``n``, ``share``, ``outcome`` (wide key).
    """
    rows = []
    for reading in readings:
        for arm, inside in ground.arms.items():
            people, n = int(inside.sum()), int((inside & np.isfinite(reading.values)).sum())
            share = n / people if people else np.nan
            rows.append({
                "measure": reading.measure, "occasion": reading.occasion, "arm": arm, "people": people, "n": n,
                "share": share, "outcome": reading.key,
            })  # fmt: skip
    return pd.DataFrame(rows)


def completeness_flags(ground: Ground, table: pd.DataFrame, titles: dict[str, str]) -> list[Flag]:
    """One flag per measure of which an arm has less than 70 %, with the numbers; another where an arm has none."""
    flags = []
    read = table.groupby(["measure", "arm"], sort=False)["n"].transform("sum") > 0
    for (measure, arm), _ in table[~read].groupby(["measure", "arm"], sort=False):
        text = f"{titles[str(measure)]} was read for nobody in the arm {_arm(ground, str(arm))}."
        flags.append(
            Flag("outcomes", "caution", text, "What it says cannot be set against the other arm.", str(measure))
        )
    for measure, rows in table[read & (table["share"] < ENOUGH)].groupby("measure", sort=False):
        text = f"{titles[str(measure)]}: fewer than {percent(ENOUGH, 0)} have a value."
        parts = [_share(ground, row) for _, row in rows.iterrows()]
        level: Level = "serious" if (rows["n"] == 0).any() else "caution"
        flags.append(Flag("outcomes", level, text, f"Share with a value: {listed(parts)}.", str(measure)))
    return flags


def _share(ground: Ground, row: pd.Series) -> str:
    title = ground.study.occasion_title(row["occasion"]) if row["occasion"] else ""
    at = "" if not title else f" {title}" if title.startswith("at ") else f" at {title}"
    return f"{_arm(ground, row['arm'])}{at} {_printable_share(ground, row)}"


def _arm(ground: Ground, arm: str) -> str:
    """What the report calls an arm."""
    cohort = ground.study.cohort
    plan = cohort.arm if cohort else None
    group = next((one.says for one in cohort.group if one.role == arm), "") if cohort else ""
    usual = {"treated": "programme", "comparison": "comparison"}.get(arm, "all")
    return (getattr(plan, f"{arm}_name", "") if plan else group) or usual


def _printable_share(ground: Ground, row: pd.Series) -> str:
    """The share, unless it would tell of few people, with a value or without."""
    rule = ground.study.disclosure.rule
    counts = [disclosure.count(int(number), rule) for number in (row["n"], row["people"] - row["n"])]
    return f"under {percent(ENOUGH, 0)}" if SUPPRESSED in counts else percent(row["share"])
