"""All tables about one cohort, judged together: flow, sets, reasons, comparisons and quarters in one ledger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from evalkit.disclosure.compare import Sides, enter_comparison, how_many
from evalkit.disclosure.complement import Cell
from evalkit.disclosure.flow import enter_flow, groups_of
from evalkit.disclosure.ledger import Ledger
from evalkit.disclosure.quarters import SIZES, Anchors, enter_quarters
from evalkit.disclosure.reasons import enter_reasons
from evalkit.disclosure.rules import find_rule

ARMS = ("treated", "comparison")
SIDES = ("started", "not_started")


@dataclass(frozen=True, eq=False)
class ProtectedCohort:
    """What may leave of a cohort; each part is None where the cohort has none.

    Parameters
    ----------
    rule : str
        The rule set in force.
    groups : tuple of str
        The columns of the flow that count people of an arm or group.
    flow : DataFrame
        step, kind, says, rule, people, left_out, unknown and one column for each arm or group.
    sets : DataFrame or None
        set, says, rule, people, lost, unknown and a column for each arm; the first row is everyone eligible.
    reasons : DataFrame or None
        kind, says, left_out, failed, only; the last two rounded.
    baseline, selection : DataFrame or None
        As the cohort's, with the step to which each side's shares are to be rounded.
    readings : DataFrame or None
        Further characteristics of the arms, as baseline.
    drift, starts : DataFrame or None
        period, series, value, people, of, share; ``attrs["quarters"]``: how many quarters a period has.
    """

    rule: str
    groups: tuple[str, ...]
    flow: pd.DataFrame
    sets: pd.DataFrame | None
    reasons: pd.DataFrame | None
    baseline: pd.DataFrame | None
    selection: pd.DataFrame | None
    drift: pd.DataFrame | None
    starts: pd.DataFrame | None
    readings: pd.DataFrame | None = None


def protect_cohort(cohort: Any, rule: str = "uk-children-10", readings: pd.DataFrame | None = None) -> ProtectedCohort:
    """Protect every table about a cohort, so that nothing small follows from all of them together.

    Parameters
    ----------
    cohort : Cohort
        Its flow and, where it has them, sets, baseline, selection, drift and table.
    rule : str
        The rule set in force.
    readings : DataFrame, optional
        Further characteristics of the arms (questionnaires at the start), in the form of the baseline.

    Returns
    -------
    ProtectedCohort
        The tables as they may be printed.

    Raises
    ------
    DisclosureError
        A column is not a column of counts, or the rule is not known.
    """
    ledger = Ledger(find_rule(rule))
    flow, sets = _numbered(cohort.flow), _given(cohort, "sets")
    shown = enter_flow(ledger, _joined(flow, sets), len(flow) - 1).table
    top, end = shown.iloc[: len(flow)], len(flow) - 1
    baseline = _baseline(ledger, _given(cohort, "baseline"), end, "baseline")
    selection = _selection(ledger, _complete(_given(cohort, "selection"), baseline), flow, sets)
    drift = _drift(ledger, _given(cohort, "drift"), flow, sets)
    starts = _starts(ledger, _given(cohort, "table"), flow, drift)
    reasons = enter_reasons(ledger, flow, top)
    further = _baseline(ledger, readings, end, "readings")
    beneath = _sets(sets, shown.iloc[end:])
    groups = tuple(groups_of(flow))
    return ProtectedCohort(rule, groups, top, beneath, reasons, baseline, selection, drift, starts, further)


def _given(cohort: Any, name: str) -> pd.DataFrame | None:
    table = getattr(cohort, name, None)
    return table if isinstance(table, pd.DataFrame) and len(table) else None


def _numbered(table: pd.DataFrame) -> pd.DataFrame:
    """Rows from 0, counts as whole numbers that may be missing."""
    table = table.reset_index(drop=True)
    known = ("people", "left_out", "unknown", "failed", "only", *groups_of(table))
    names = [name for name in known if name in table]
    return table.assign(**{name: pd.to_numeric(table[name]).astype("Int64") for name in names})


def _joined(flow: pd.DataFrame, sets: pd.DataFrame | None) -> pd.DataFrame:
    """The flow with the analysis sets beneath it: those who are not in the next set have left it."""
    if sets is None or len(sets) < 2:
        return flow
    beneath = sets.iloc[1:].rename(columns={"lost": "left_out"}).assign(kind="set")
    names = [name for name in beneath if name in flow]
    both = pd.concat([flow.astype(object), beneath[names].astype(object)], ignore_index=True)
    counts = [str(name) for name in flow if pd.api.types.is_integer_dtype(flow[name]) and name != "step"]
    return both.assign(**{name: both[name].astype("Int64") for name in counts})


def _sets(sets: pd.DataFrame | None, shown: pd.DataFrame) -> pd.DataFrame | None:
    """The sets as they may be printed: the first is the flow's end, and nobody was lost before it."""
    if sets is None:
        return None
    found = shown.rename(columns={"left_out": "lost"}).reset_index(drop=True)
    found = found.astype(object).assign(set=list(sets["set"]), says=list(sets["says"]))
    found.loc[0, [name for name in ("lost", "unknown") if name in found]] = None
    return found


def _baseline(ledger: Ledger, table: pd.DataFrame | None, end: int, label: str) -> pd.DataFrame | None:
    if table is None or not len(table):
        return None
    return enter_comparison(ledger, table, label, Sides(ARMS, ((end, "treated"), (end, "comparison"))))


def _complete(table: pd.DataFrame | None, other: pd.DataFrame | None) -> pd.DataFrame | None:
    """A comparison with every answer of another: that one is not listed would say that nobody gave it."""
    if table is None or other is None:
        return table
    listed = set(zip(table["column"], table["value"].astype(object), strict=True))
    rows = []
    for column, value in zip(other["column"], other["value"], strict=True):
        same = table[(table["column"] == column) & (table["kind"] == "share")]
        if len(same) and (column, value) not in listed:
            nobody = {f"{side}{end}": 0 for side in SIDES for end in ("", "_n")}
            rows.append(same.iloc[0].to_dict() | nobody | {"value": value, "difference": None})
    if not rows:
        return table
    both = pd.DataFrame([*table.to_dict("records"), *rows])
    order = {column: place for place, column in enumerate(dict.fromkeys(both["column"]))}
    both = both.sort_values("column", key=lambda names: names.map(order), kind="stable").reset_index(drop=True)
    both.attrs = dict(table.attrs)
    return both


def _selection(
    ledger: Ledger, table: pd.DataFrame | None, flow: pd.DataFrame, sets: pd.DataFrame | None
) -> pd.DataFrame | None:
    """Those who started and those who did not: together all who are eligible, or all of the treated."""
    if table is None:
        return None
    totals = _started(ledger, table, flow, sets)
    same = [[("baseline", "treated")], [("baseline", arm) for arm in ARMS]]
    return enter_comparison(ledger, table, "selection", Sides(SIDES, totals), same)


def _started(
    ledger: Ledger, table: pd.DataFrame, flow: pd.DataFrame, sets: pd.DataFrame | None
) -> tuple[Cell | None, Cell | None]:
    """The cells of the flow and the sets that count all who started, and all who did not."""
    started, others = (how_many(table, side) for side in SIDES)
    rows = range(len(flow), len(flow) + (0 if sets is None else len(sets) - 1))
    ins: list[Cell] = [(row, name) for row in rows for name in ("people", "treated")]
    outs: list[Cell] = [(row, name) for row in rows for name in ("left_out", "leaving treated")]
    return _equal(ledger, ins, started), _equal(ledger, outs, others)


def _equal(ledger: Ledger, cells: list[Cell], people: int) -> Cell | None:
    """The first cell that counts so many."""
    return next((cell for cell in cells if ledger.values.get(cell) == people), None)


def _drift(
    ledger: Ledger, table: pd.DataFrame | None, flow: pd.DataFrame, sets: pd.DataFrame | None
) -> pd.DataFrame | None:
    if table is None:
        return None
    rows = range(len(flow), len(flow) + (0 if sets is None else len(sets) - 1))
    wholes: dict[str, list[Cell]] = {
        "referred": [(row, "people") for row in flow.index if flow.at[row, "kind"] in ("start", "pick")],
        # Who meets every rule is counted before the arms are told; without arms at the end.
        "eligible": [(row, "people") for row in flow.index[-2:]],
        "starts": [(row, name) for row in rows for name in ("people", "treated")],
    }
    return enter_quarters(ledger, table, Anchors(wholes, [("baseline", arm) for arm in ARMS]))


def _starts(
    ledger: Ledger, table: pd.DataFrame | None, flow: pd.DataFrame, drift: pd.DataFrame | None
) -> pd.DataFrame | None:
    """Index dates by quarter and arm, in the periods of the drift where there is one."""
    if table is None or "index_date" not in table or table["index_date"].isna().all():
        return None
    dates = pd.to_datetime(table["index_date"])
    quarter = dates.dt.year.astype("Int64").astype(str) + "-Q" + dates.dt.quarter.astype("Int64").astype(str)
    arm = table["arm"] if "arm" in table else pd.Series("people", index=table.index)
    if quarter[dates.notna()].nunique() < 2:
        return None
    dated = pd.DataFrame({"quarter": quarter, "series": arm.astype(str)})[dates.notna()]
    long = dated.value_counts().rename("people").reset_index().sort_values(["quarter", "series"])
    long = long.assign(value="", of=float("nan"), share=float("nan"))
    end, shortest = len(flow) - 1, 1 if drift is None else drift.attrs["quarters"]
    wholes = {name: [(end, name)] for name in dated["series"].unique()}
    anchors = Anchors(wholes, within=("drift", "eligible"), holding=("drift", "starts", "treated"))
    return enter_quarters(ledger, long, anchors, "starts", [size for size in SIZES if size >= shortest])
