"""One figure for each table of a cohort; all of them draw only counts that may leave."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from evalkit import words
from evalkit.disclosure import ProtectedCohort
from evalkit.errors import DataError
from evalkit.report.common import column_title, safe_cohort
from evalkit.report.figures.love import differences
from evalkit.report.figures.quarters import Panel, Row, by_quarter
from evalkit.report.figures.svg import Drawn
from evalkit.report.figures.windows import Window, windows
from evalkit.report.phrases import arm_names, finite, real, said

RULE = "uk-children-10"
STARTS = (("planned", "planned", "hollow"), ("starts", "actual", "filled"))


def flow_figure(cohort: Any, rule: str | None = None) -> Drawn:
    """Draw `cohort.flow` as CONSORT does, comparison groups side by side, analysis sets beneath.

    Parameters
    ----------
    cohort : Cohort
        With a flow and, where it has them, sets.
    rule : str, optional
        The disclosure rule; default: the study's, else "uk-children-10".

    Returns
    -------
    Drawn
        Wide and narrow drawing and the counts in words; it shows itself in a notebook.
    """
    from evalkit.report.followed import draw_flow, followed  # that module draws with the ones beside this

    safe, study = _safe(cohort, rule), cohort.study
    return draw_flow(safe, followed(safe, study.study.people if study is not None else "people"), study)


def drift_figure(cohort: Any, rule: str | None = None) -> Drawn:
    """Draw `cohort.drift`: referrals and the share eligible by quarter, planned and actual starts.

    Parameters
    ----------
    cohort : Cohort
        With a drift table.
    rule : str, optional
        As in `flow_figure`.

    Returns
    -------
    Drawn
        Quarters of few people are joined to half-years or years.

    Raises
    ------
    DataError
        The cohort has no drift.
    """
    return draw_drift(_wanted(_safe(cohort, rule).drift, "drift", "Give cohort.drift in the study."))


def starts_figure(cohort: Any, rule: str | None = None) -> Drawn:
    """Draw the index dates of `cohort.table` by quarter and arm.

    Parameters
    ----------
    cohort : Cohort
        Whose index dates differ.
    rule : str, optional
        As in `flow_figure`.

    Returns
    -------
    Drawn
        Quarters of few people are joined to half-years or years.

    Raises
    ------
    DataError
        All index dates lie in one quarter.
    """
    table = _wanted(_safe(cohort, rule).starts, "starts in more than one quarter", "One fixed date needs no figure.")
    names = {"people": "people", **dict(zip(("treated", "comparison"), arm_names(cohort.study), strict=True))}
    periods = list(dict.fromkeys(table["period"]))
    there = [name for name in names if name in set(table["series"])]
    rows = [Row(names[name], name if name != "people" else "filled", _values(table, name, periods)) for name in there]
    return by_quarter(periods, [Panel("People by index date", rows)])


def baseline_figure(cohort: Any, rule: str | None = None, label: Callable[[str], str] | None = None) -> Drawn:
    """Draw `cohort.baseline`: how far the arms differ on each characteristic at the start.

    Parameters
    ----------
    cohort : Cohort
        With a baseline table.
    rule : str, optional
        As in `flow_figure`.
    label : callable, optional
        From a column's name to what the figure calls it; default: the study's titles.

    Returns
    -------
    Drawn
        Characteristics with a hidden count are left out.

    Raises
    ------
    DataError
        The cohort has no baseline, or nothing of it may be shown.
    """
    table = _wanted(_safe(cohort, rule).baseline, "baseline", "It needs two arms and columns to compare.")
    name = label or (lambda column: column_title(cohort.study, column))
    rows = [
        (f"{name(str(row.column))}: {said(row.value)}".removesuffix(": "), real(row.difference))
        for row in table.itertuples()
        if finite(row.difference)
    ]
    if not rows:
        raise DataError("Every difference at the start rests on a count that may not be shown.")
    return differences(rows)


def windows_figure(cohort: Any, rule: str | None = None) -> Drawn:
    """Draw the windows of `cohort.sql`'s rules around the index date; what lies after it is visibly the future.

    Parameters
    ----------
    cohort : Cohort
        With a table of windows.
    rule : str, optional
        Not used: windows count nobody. Taken so that every figure is called alike.

    Returns
    -------
    Drawn
        One bar for each window.

    Raises
    ------
    DataError
        No rule looks at a window.
    """
    table = getattr(cohort, "windows", None)
    given = _wanted(table if isinstance(table, pd.DataFrame) and len(table) else None, "window", "No rule names one.")
    return windows(
        [
            Window(said(row.kind), said(row.says), said(row.table), said(row.unit), _limit(row.low), _limit(row.high))
            for row in given.itertuples()
        ]
    )


def draw_drift(table: pd.DataFrame) -> Drawn:
    """Draw a protected table of quarters.

    Parameters
    ----------
    table : DataFrame
        As `evalkit.disclosure.protect_cohort` gives it.

    Returns
    -------
    Drawn
        A panel for referrals, one for the share eligible, one for starts, as far as the table has them.
    """
    periods = list(dict.fromkeys(table["period"]))
    series = set(table["series"])
    counts = [("referred", "referred", "outlined"), ("eligible", "of them eligible", "solid")]
    panels = []
    if "referred" in series:
        rows = [Row(says, draws, _values(table, name, periods)) for name, says, draws in counts if name in series]
        panels.append(Panel("People referred", rows))
    if {"referred", "eligible"} <= series:
        shares = _values(table, "eligible", periods, "share")
        panels.append(Panel("Share eligible, of those referred", [Row("eligible", "filled", shares)], share=True))
    if series & {"planned", "starts"}:
        rows = [Row(says, draws, _values(table, name, periods)) for name, says, draws in STARTS if name in series]
        panels.append(Panel("Starts", rows))
    return by_quarter(periods, panels)


def _values(table: pd.DataFrame, series: str, periods: list[str], column: str = "people") -> list[object]:
    """The values of a series, one for each period: a number, "[c]", or None."""
    here = table[table["series"] == series].set_index("period")[column]
    found = [here.get(period) for period in periods]
    return [value if value == words.SUPPRESSED else real(value) if finite(value) else None for value in found]


def _safe(cohort: Any, rule: str | None) -> ProtectedCohort:
    plan = getattr(cohort.study, "disclosure", None)
    return safe_cohort(cohort, rule or (str(plan.rule) if plan is not None else RULE))


def _wanted(table: pd.DataFrame | None, what: str, remedy: str) -> pd.DataFrame:
    if table is None:
        raise DataError(f"The cohort has no {what} to draw. {remedy}")
    return table


def _limit(value: object) -> float | None:
    return real(value) if finite(value) else None
