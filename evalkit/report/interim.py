"""A published series of rates before and after, as plain arithmetic: never an estimate, never a headline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from evalkit import words
from evalkit.tables import read_csv_checked

COLUMNS: dict[str, Any] = {
    "period": "text",
    "start": "date",
    "end": "date",
    "phase": "text",
    "treated": "number",
    "comparison": "number",
    "source": "text",
}


@dataclass(frozen=True)
class Change:
    """One way of taking the difference: its id, what it is, its value and the printed text."""

    id: str
    says: str
    value: float
    text: str


@dataclass(frozen=True, eq=False)
class Interim:
    """A series with its changes and the periods that overlap."""

    id: str
    title: str
    unit: str
    table: pd.DataFrame
    changes: tuple[Change, ...]
    overlaps: tuple[tuple[str, str], ...]
    plan: Any


def interim(study: Any) -> list[Interim]:
    """Read and work out every series that a study names.

    Parameters
    ----------
    study : Study
        With ``series``; each file has the columns period, start, end, phase (pre or post), treated, comparison.

    Returns
    -------
    list of Interim
        Differences in differences against the last and the mean of the earlier periods, and relative changes against
        a counterfactual by ratio and by addition (the last earlier period carried forward).
    """
    return [_one(study, plan) for plan in study.series]


def _one(study: Any, plan: Any) -> Interim:
    table = read_csv_checked(study, plan.file, COLUMNS, required=["period", "phase", "treated", "comparison"])
    return Interim(plan.id, plan.title, plan.unit, table, _changes(table), _overlaps(table), plan)


def _changes(table: pd.DataFrame) -> tuple[Change, ...]:
    before, after = table[table["phase"] == "pre"], table[table["phase"] == "post"]
    if before.empty or after.empty:
        return ()
    ours, theirs = (float(after[arm].iloc[-1]) for arm in ("treated", "comparison"))
    ours_before, theirs_before = (float(before[arm].iloc[-1]) for arm in ("treated", "comparison"))
    gap = ours - theirs
    by_last = gap - (ours_before - theirs_before)
    by_mean = gap - float((before["treated"] - before["comparison"]).mean())
    by_ratio = ours / (theirs * ours_before / theirs_before) - 1
    by_sum = ours / (theirs + ours_before - theirs_before) - 1
    return (
        Change(
            "last_pre", "Change in the gap since the last period before", by_last, words.number(by_last, 1, sign=True)
        ),
        Change(
            "mean_pre",
            f"Change in the gap since the mean of {len(before)} periods before",
            by_mean,
            words.number(by_mean, 1, sign=True),
        ),
        Change(
            "relative_ratio",
            "Relative change, had the ratio of the last period before held",
            by_ratio,
            words.percent(by_ratio, 1, sign=True),
        ),
        Change(
            "relative_additive",
            "Relative change, had the gap of the last period before held",
            by_sum,
            words.percent(by_sum, 1, sign=True),
        ),
    )


def _overlaps(table: pd.DataFrame) -> tuple[tuple[str, str], ...]:
    if not {"start", "end"} <= set(table.columns):
        return ()
    rows: list[Any] = list(table.sort_values("start").itertuples())
    return tuple((a.period, b.period) for i, a in enumerate(rows) for b in rows[i + 1 :] if b.start <= a.end)
