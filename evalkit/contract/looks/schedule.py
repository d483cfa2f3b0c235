"""Planned against actual payments over time: by version of the plan, by outcome, and as running sums."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pandas as pd

from evalkit import words
from evalkit.contract.looks.base import View, look
from evalkit.contract.schedule import month_of, month_text, schedule_of
from evalkit.errors import Flag

BY_METRIC = [
    "metric",
    "title",
    "plan",
    "planned",
    "actual",
    "share",
    "half_planned_by",
    "half_actual_by",
    "months_late",
]


@dataclass(frozen=True, eq=False)
class Schedule:
    """What was planned and paid, when.

    Parameters
    ----------
    plans : DataFrame
        From `schedule_of`, in the order of the versions (plan2 before plan10).
    by_metric : DataFrame
        metric, title, plan, planned, actual, share, half_planned_by, half_actual_by, months_late, actual_from ("the
        payments", or "units achieved at their price" where payments name no metric).
    curves : DataFrame
        series ("actual" or the plan), is_plan, month ("2023-06"), amount (of the month), so_far.
    """

    plans: pd.DataFrame
    by_metric: pd.DataFrame
    curves: pd.DataFrame


@look("schedule")
def schedule(view: View) -> tuple[Schedule | None, list[Flag]]:
    """Each version of the plan against what was paid; which outcomes came late.

    Parameters
    ----------
    view : View
        With planned payments.

    Returns
    -------
    Schedule or None, list of Flag
        None where nothing was planned.
    """
    payments = view.papers.payments
    plans = in_order(schedule_of(payments))
    if plans.empty:
        return None, []
    found = Schedule(plans, _by_metric(view, list(plans["plan"])), _curves(payments))
    return found, _flags(found)


def in_order(plans: pd.DataFrame) -> pd.DataFrame:
    """The versions of a plan in the order of the numbers in their names.

    Parameters
    ----------
    plans : DataFrame
        With a column plan.

    Returns
    -------
    DataFrame
        plan2 before plan10.
    """
    order = sorted(range(len(plans)), key=lambda place: _natural(str(plans["plan"].iloc[place])))
    return plans.iloc[order].reset_index(drop=True)


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name) if part]


def _by_metric(view: View, plans: list[str]) -> pd.DataFrame:
    """Each metric that a plan names, against its payments, or against what was achieved of it."""
    payments = view.papers.payments
    titles = dict(zip(view.contract.table["metric"], view.contract.table["title"], strict=True))
    actual = payments[(payments["kind"] == "actual") & payments["amount"].notna()]
    nameless = bool((actual["metric"] == "").any())
    rows = []
    planned = payments[(payments["kind"] == "planned") & (payments["metric"] != "")]
    for metric in dict.fromkeys(planned["metric"]):
        mine, source = actual[actual["metric"] == metric], "the payments"
        if mine.empty or nameless:
            mine, source = _earned(view.contract.ledger, metric), "units achieved at their price"
        both = pd.concat([planned[planned["metric"] == metric], mine], ignore_index=True)
        found = schedule_of(both[["kind", "plan", "start", "end", "amount"]])
        rows += [
            {**row, "metric": metric, "title": titles.get(metric, metric), "actual_from": source}
            for row in found.to_dict("records")
        ]
    table = pd.DataFrame(rows, columns=[*BY_METRIC, "actual_from"])
    place = {name: index for index, name in enumerate(plans)}
    return table.sort_values("plan", key=lambda column: column.map(place), kind="stable").reset_index(drop=True)


def _earned(ledger: pd.DataFrame, metric: str) -> pd.DataFrame:
    """What was owed for a metric, by the day of each claim, as if it had been paid then."""
    mine = ledger[(ledger["metric"] == metric) & ledger["date"].notna()]
    found = pd.DataFrame({"end": mine["date"].to_numpy(), "amount": mine["paid"].to_numpy()})
    return found.assign(kind="actual", plan="", start=found["end"])


def _curves(payments: pd.DataFrame) -> pd.DataFrame:
    """Running sums at the ends of the periods, of what was paid and of each version of the plan."""
    frames = []
    ends = payments["end"].where(payments["end"].notna(), payments["start"])
    months = ends.map(lambda value: month_of(value, last=True)).astype(float)
    kinds = payments["kind"].where(payments["kind"] != "planned", "plan:" + payments["plan"])
    table = pd.DataFrame({"series": kinds, "month": months, "pennies": (payments["amount"] * 100).round()}).dropna()
    for series in ["actual", *sorted({*table["series"]} - {"actual", ""}, key=_natural)]:
        sums = table[table["series"] == series].groupby("month")["pennies"].sum()
        frames.append(
            pd.DataFrame(
                {
                    "series": series.removeprefix("plan:") if series != "actual" else series,
                    "is_plan": series != "actual",
                    "month": [month_text(month) for month in sums.index],
                    "amount": sums.to_numpy() / 100,
                    "so_far": sums.cumsum().to_numpy() / 100,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def _flags(found: Schedule) -> list[Flag]:
    """Plans that tell opposite stories; plans that equal what was paid; amounts without a period."""
    plans, flags = found.plans, []
    known = plans[plans["share"].notna()]
    sides = [round(float(known["share"].iloc[place]), 2) - 1 for place in ((0, -1) if len(known) > 1 else ())]
    if sides and min(sides) < 0 < max(sides):
        ends = (known["plan"].iloc[place] for place in (0, -1))
        shares = (words.percent(float(known["share"].iloc[place]), 0) for place in (0, -1))
        said = [f"{share} of {plan or 'the plan'}" for share, plan in zip(shares, ends, strict=True)]
        text = f"The first and the latest plan tell opposite stories: paid were {said[0]} and {said[1]}."
        flags.append(Flag("contract", "caution", text, "A share of plan says little without its version.", "plans"))
    loose = round(float(plans["planned_without_period"].max()) + float(plans["actual_without_period"].max()), 2)
    if loose > 0:
        text = "Some payments have no period: they count in the totals and in no running sum."
        flags.append(Flag("contract", "caution", text, "Months late may be too many or too few.", "plans"))
    return flags
