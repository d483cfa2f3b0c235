"""Timescales: planned against paid by version of the plan, what came late, what was varied, and the steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from evalkit import words
from evalkit.report.amounts import amount, few_behind, unit_words
from evalkit.report.blocks import Column, Figure, How, Table, Text
from evalkit.report.figures.planned import Line, Sum, planned_and_paid
from evalkit.report.html import Cell, sentence
from evalkit.report.ledger_tables import periods_shown
from evalkit.report.phrases import finite, real, said
from evalkit.report.rests import RESTS, hidden_metrics, totals_tell
from evalkit.report.results import Result
from evalkit.report.sections import section

SHARE_SOURCE = "all that was paid, divided by the total of this version of the plan"
LATE_SOURCE = "months between the period ends at which half of this plan's total was planned and paid"


def _look(evaluation: Any, name: str) -> Any:
    return getattr(evaluation.contract, "looks", {}).get(name)


def _results(evaluation: Any) -> Iterator[Result]:
    """Share of plan and months late, each under the name of its version."""
    found = None if totals_tell(evaluation) else _look(evaluation, "schedule")
    for row in found.plans.to_dict("records") if found is not None else ():
        name = _name(row).replace(" ", "_")
        if finite(row["share"]):
            text = words.percent(real(row["share"]), 0)
            yield Result(f"contract.share_of_plan.{name}", real(row["share"]), "share", None, None, text, "timescales",
                         f"{SHARE_SOURCE} ({_name(row)})")  # fmt: skip
        if finite(row["months_late"]):
            yield Result(f"contract.months_late.{name}", real(row["months_late"]), "months", None, None, _late(row),
                         "timescales", f"{LATE_SOURCE} ({_name(row)})")  # fmt: skip


@section("timescales", "Timescales", 76, results=_results)
def timescales(evaluation: Any) -> list[Any]:
    """Plans against payments, late outcomes, variations, steps."""
    schedule, varied, timeline = (_look(evaluation, name) for name in ("schedule", "variations", "timeline"))
    secret, blocks = schedule is not None and totals_tell(evaluation), list[Any]()
    if secret:
        schedule = None
        blocks.append(Text(f"What was paid is not set beside the plan: {RESTS}"))
    if said_ := _opening(schedule, varied):
        blocks.append(Text(*said_))
    if schedule is not None:
        blocks += [_plans(evaluation, schedule), _curve(evaluation, schedule), _late_outcomes(evaluation, schedule)]
    if varied is not None and len(varied.table):
        blocks.append(_variations(varied.table))
    if timeline is not None and _tells_steps(timeline.steps):
        blocks.append(_steps(timeline))
    return [block for block in blocks if block is not None]


def _opening(schedule: Any, varied: Any) -> list[str]:
    """First and latest plan in one sentence; how the contract ended."""
    told = []
    if schedule is not None:
        told.append(_first_and_latest(schedule.plans))
    if varied is not None:
        told.append(f"{varied.ending.says} {varied.ending.question}".strip())
    return [line for line in told if line]


def _first_and_latest(plans: pd.DataFrame) -> str:
    known = [row for row in plans.to_dict("records") if finite(row["share"])]
    if not known:
        return "No payment is on record yet to set beside the plan."
    shares = [words.percent(real(row["share"]), 0) for row in known]
    if len(known) == 1:
        return f"What was paid is {shares[0]} of {_name(known[0])}, the only version of the plan on record."
    return (
        f"What was paid is {shares[0]} of {_name(known[0])}, the first plan, and {shares[-1]} of {_name(known[-1])}, "
        f"the latest of {len(plans)}."
    )


def _name(row: Any) -> str:
    return said(row["plan"]) or "plan"


def _late(row: Any) -> str:
    """Months late in words."""
    months = row["months_late"]
    if not finite(months):
        return (
            "not reached" if said(row["half_planned_by"]) and not said(row["half_actual_by"]) else words.NOT_AVAILABLE
        )
    if real(months) == 0:
        return "on time"
    size = "1 month" if abs(real(months)) == 1 else f"{words.number(abs(real(months)), 0)} months"
    return f"{size} {'late' if real(months) > 0 else 'early'}"


def _month(text: object) -> str:
    """The month "2023-06" as "June 2023"."""
    return words.month(pd.Period(str(text), "M").start_time.date()) if said(text) else words.NOT_AVAILABLE


def _share(value: object) -> str:
    return words.percent(real(value), 0) if finite(value) else words.NOT_AVAILABLE


def _plans(evaluation: Any, schedule: Any) -> Table:
    rows = [
        [
            _name(row),
            *(amount(row[name]) for name in ("planned", "planned_to_date", "actual")),
            *(_share(row[name]) for name in ("share", "share_to_date")),
            _month(row["half_planned_by"]),
            _month(row["half_actual_by"]),
            _late(row),
        ]
        for row in schedule.plans.to_dict("records")
    ]
    heads = [("In all", "Planned"), ("to the last payment", "Planned"), ("Paid", "")]
    heads += [("of plan", "Paid, share"), ("of plan to date", "Paid, share")]
    heads += [("planned by", "Half of the plan"), ("paid by", "Half of the plan"), ("", "Half of the plan")]
    columns = [Column("Plan", False), *(Column(head, True, group) for head, group in heads[:-1])]
    columns.append(Column("late or early", False, "Half of the plan"))
    return Table(
        "timescales-plans",
        _plans_finding(schedule.plans),
        f"Outcome payments by version of the plan, in {unit_words(evaluation)} as paid; versions are never added",
        columns,
        rows,
        notes=_plans_notes(schedule.plans),
        how=How(_method(), _ids(schedule.plans)),
        dense=True,
        width=54,
    )


def _method() -> list[str]:
    return [
        "Plans and payments are compared by running sums, not period by period: their periods need not line up.",
        "Half of the plan: the first period end at which the running sum reaches half of that plan's total, for what "
        "was planned and for what was paid alike.",
    ]


def _ids(plans: pd.DataFrame) -> list[str]:
    rows = plans.to_dict("records")
    shares = [f"contract.share_of_plan.{_name(row).replace(' ', '_')}" for row in rows if finite(row["share"])]
    return shares + [
        f"contract.months_late.{_name(row).replace(' ', '_')}" for row in rows if finite(row["months_late"])
    ]


def _plans_finding(plans: pd.DataFrame) -> str:
    rows = plans.to_dict("records")
    ends = rows if len(rows) == 1 else [rows[0], rows[-1]]
    told = []
    for row in ends:
        late = _late(row)
        half = "was not reached" if late == "not reached" else f"came {late}"
        if late != words.NOT_AVAILABLE:
            told.append(f"half of {_name(row)} {half}")
    return sentence(words.listed(told)).rstrip(".") if told else "What was planned and paid"


def _plans_notes(plans: pd.DataFrame) -> list[str]:
    notes = ["A share of plan says nothing without its version."] if len(plans) > 1 else []
    equal = [row for row in plans.to_dict("records") if row["periods_equal_to_an_actual"] > 0]
    for row in equal:
        some = f"{row['periods_equal_to_an_actual']} of all {row['periods']}"
        notes.append(
            f"{some} planned amounts of {_name(row)} equal some amount paid, in whatever period, to the pound. To ask "
            "the parties: was the plan overwritten with what was paid?"
        )
    return notes


def _curve(evaluation: Any, schedule: Any) -> Figure | None:
    """Running sums; months whose payments tell of few people run into the next."""
    lines = []
    for name, mine in schedule.curves.groupby("series", sort=False):
        plan = bool(mine["is_plan"].iloc[0])
        kept = mine if plan else _safe_months(evaluation, mine)
        sums = [Sum(_number(row["month"]), real(row["so_far"])) for row in kept.to_dict("records")]
        lines.append(Line((said(name) or "plan") if plan else "Paid", not plan, sums))
    if not any(line.paid for line in lines) or len(lines) < 2:
        return None
    varied = _look(evaluation, "variations")
    dates = list(varied.table["date"]) if varied is not None else []
    drawn = planned_and_paid(lines, str(evaluation.study.study.currency), [12 * d.year + d.month - 1 for d in dates])
    return Figure(
        "planned-paid",
        _curve_finding(schedule.plans),
        "Running sums of outcome payments at the ends of their periods; plans hollow, payments filled",
        drawn.wide,
        drawn.narrow,
        notes=[
            *(["Dotted lines: the contract was varied; see the table of variations."] if dates else []),
            "A gap between plan and payments is no effect of the programme.",
        ],
    )


def _curve_finding(plans: pd.DataFrame) -> str:
    told = [f"{_share(row['share'])} of {_name(row)}" for row in plans.to_dict("records") if finite(row["share"])]
    return f"What was paid reached {words.listed(told)}" if told else "What was planned and paid so far"


def _number(month: object) -> int:
    year, part = str(month).split("-")
    return 12 * int(year) + int(part) - 1


def _safe_months(evaluation: Any, months: pd.DataFrame) -> pd.DataFrame:
    """The months that may be drawn: what was paid since the last one is for enough people, at the highest price."""
    if not periods_shown(evaluation):
        return months.iloc[-1:]
    kept, since = [], 0.0
    for place, paid in enumerate(months["amount"]):
        since += real(paid)
        if not few_behind(evaluation, since):
            kept.append(place)
            since = 0.0
    last = len(months) - 1
    if kept and kept[-1] != last:
        kept[-1] = last  # the total is known: the last step takes up what could not be shown alone
    return months.iloc[kept]


def _late_outcomes(evaluation: Any, schedule: Any) -> Table | None:
    table = schedule.by_metric
    if table.empty:
        return None
    several = table["plan"].nunique() > 1
    few = _few(evaluation)
    rows = [
        [
            Cell(said(row["title"]), small=_name(row) if several else ""),
            _month(row["half_planned_by"]),
            _month(row["half_actual_by"]),
            _late(row),
            words.SUPPRESSED if row["metric"] in few else _share(row["share"]),
        ]
        for row in table.to_dict("records")
    ]
    sources = sorted(set(table["actual_from"]))
    return Table(
        "late-outcomes",
        _late_finding(table),
        "For each outcome: when half of its planned payments was planned and reached, by version of the plan"
        if several
        else f"For each outcome: when half of its payments in {_name(table.iloc[0])} was planned and reached",
        [
            Column("Outcome", False),
            Column("Half planned by"),
            Column("Half reached by"),
            Column("Late or early", False),
            Column("Share of plan"),
        ],
        rows,
        notes=[f"What was reached is taken from {words.listed(sources)}."],
    )


def _few(evaluation: Any) -> set[str]:
    """Metrics that rest on too few people for their share of plan to be printed."""
    return hidden_metrics(evaluation)


def _late_finding(table: pd.DataFrame) -> str:
    """Which outcomes came late against the first plan that names them."""
    first = table[table["plan"] == table["plan"].iloc[0]]
    rows = first.to_dict("records")
    late = [said(row["title"]) for row in rows if finite(row["months_late"]) and real(row["months_late"]) > 0]
    never = [said(row["title"]) for row in rows if _late(row) == "not reached"]
    told = [f"Late: {'; '.join(late)}"] if late else []
    told += [f"{'half' if told else 'Half'} of the plan not reached: {'; '.join(never)}"] if never else []
    return "; ".join(told) if told else f"No outcome came later than half of {_name(rows[0])} was planned"


def _variations(table: pd.DataFrame) -> Table:
    rows = [
        [
            words.day(row["date"].date()),
            sentence(row["kind"]).rstrip("."),
            row["what"],
            row["reason"] or words.NOT_AVAILABLE,
        ]
        for row in table.to_dict("records")
    ]
    number = "once" if len(rows) == 1 else f"{len(rows)} times"
    return Table(
        "variations",
        f"The contract was varied {number}",
        "Variations on record, in the order of their dates",
        [Column("Date", False), Column("Kind", False), Column("What was varied", False), Column("Reason", False)],
        rows,
        source="; ".join(dict.fromkeys(source for source in table["source"] if source)),
        meanings={words.NOT_AVAILABLE: "no reason is on record"},
        width=44,
    )


def _steps(timeline: Any) -> Table:
    rows: list[list[object]] = []
    for row in timeline.steps.to_dict("records"):
        planned, done = (_as_known(row[name], row["known_to"]) for name in ("planned", "done"))
        half = {"half_planned_by": row["planned"] or "", "half_actual_by": row["done"] or ""}
        late = _late({**row, **half})
        rows.append([Cell(row["says"], small=sentence(row["note"])), row["phase"], planned, done, _done(late)])
    return Table(
        "steps",
        _steps_finding(timeline.steps),
        "Steps of commissioning and delivery, in their order; months to the nearest whole one",
        [
            Column("Step", False),
            Column("Phase", False),
            Column("Planned"),
            Column("Done"),
            Column("Late or early", False),
        ],
        rows,
        notes=_phase_notes(timeline.phases),
        source="; ".join(dict.fromkeys(source for source in timeline.steps["source"] if source)),
        width=44,
    )


def _as_known(day: Any, known_to: str) -> str:
    """A date as exactly as it is known."""
    if day is None or known_to == "day":
        return words.day(day)
    return words.month(day) if known_to == "month" else str(day.year)


def _tells_steps(steps: pd.DataFrame) -> bool:
    """Whether there is a lateness to tell, or more than one step to set in order."""
    return len(steps) > 1 or bool(steps["months_late"].notna().any())


def _done(late: str) -> str:
    return "not on record as done" if late == "not reached" else late


def _steps_finding(steps: pd.DataFrame) -> str:
    both = steps["months_late"].dropna()
    if both.empty:
        return "The steps, as far as their dates are on record"
    late = int((both > 0).sum())
    if not late and len(both) == 1:
        return "The one step whose planned and actual dates are on record did not come late"
    if not late:
        return f"None of the {len(both)} steps whose planned and actual dates are on record came a month late"
    worst = steps.loc[both.index, "says"].iloc[int(both.argmax())]
    return f"{late} of {len(both)} steps came late, the most: {worst} ({_late_months(both.max())})"


def _late_months(months: float) -> str:
    return "1 month" if months == 1 else f"{words.number(months, 0)} months"


def _phase_notes(phases: pd.DataFrame) -> list[str]:
    """Each phase from its first to its last day done."""
    told = []
    for row in phases.to_dict("records"):
        if row["done_from"] is None or row["done_until"] is None or row["done"] < 2:
            continue
        days = [words.month(row[name]) for name in ("done_from", "done_until")]
        told.append(f"{row['phase']} {days[0]} to {days[1]}" if days[0] != days[1] else f"{row['phase']} {days[0]}")
    return [f"From the first to the last step done: {'; '.join(told)}."] if told else []
