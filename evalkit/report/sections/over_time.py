"""Over time: how days and events added up, how scores grew, and what missing people would have to be like."""

from __future__ import annotations

from typing import Any

import pandas as pd

from evalkit import words
from evalkit.outcomes.looks.cumulative import MONTH
from evalkit.outcomes.looks.growth import ALIKE
from evalkit.report.blocks import Column, Figure, How, Table
from evalkit.report.distance import arm_name
from evalkit.report.figures.cumulative import At, Curve, Frame, cumulative
from evalkit.report.html import lower_first
from evalkit.report.phrases import finite, real
from evalkit.report.rough import TENS, few, tens
from evalkit.report.sections import section


@section("over_time", "Over time", 41)
def over_time(evaluation: Any) -> list[Any]:
    """Cumulative curves, growth, and the sensitivity to those who were not seen."""
    if evaluation.outcomes is None:
        return []
    looks = evaluation.outcomes.looks
    blocks: list[Any] = [_curves(evaluation, one) for one in looks.get("cumulative outcomes", ())]
    grown = [one for one in looks.get("growth", ()) if not few(one.people, evaluation)]
    blocks += [_growth(evaluation, grown)] if grown else []
    return [*blocks, *(_supposed(evaluation, one) for one in looks.get("missing outcomes", ()))]


# ---------------------------------------------------------------- adding up


def _curves(evaluation: Any, one: Any) -> Figure:
    curves = []
    table = _joined(evaluation, one)
    for arm, mine in table.groupby("arm", sort=False):
        points = [_point(evaluation, row) for row in mine.itertuples() if finite(row.mean)]
        curves.append(Curve(arm_name(evaluation, str(arm)), arm != "comparison", points))
    lines = [(one.contract_baseline, "contract baseline")] if one.contract_baseline is not None else []
    each = "person" if evaluation.study.study.people == "people" else f"each of the {evaluation.study.study.people}"
    drawn = cumulative(curves, Frame(f"{one.unit} so far, mean for {each}", lines, digits=_digits(one)))
    return Figure(
        f"cumulative-{one.measure}",
        f"{one.title}{_counted(one)}: {_ends(evaluation, one)}",
        f"Mean {one.unit} so far by month since the start, with 95% intervals; not adjusted for differences",
        drawn.wide,
        drawn.narrow,
        notes=[TENS],
        how=How(
            [
                "Mean cumulative function over those still followed (Nelson 1995); intervals allow for the dependence "
                "of one person's days and of people in one cluster (Lawless and Nadeau 1995).",
                "Only whole months are drawn; months with few events are joined to the next, so that none shows.",
            ]
        ),
    )


def _each(one: Any) -> str:
    return "a person" if one.unit == "events" else str(one.unit)


def _counted(one: Any) -> str:
    return ", every one counted" if one.unit == "events" else ""


def _digits(one: Any) -> int:
    """Events are few for each person."""
    return 2 if one.unit == "events" else 1


def _joined(evaluation: Any, one: Any) -> pd.DataFrame:
    """Months joined until in each arm so many events lie between two points that none tells of a few."""
    table = one.curve.table
    if one.unit != "events":
        return table
    wide = table.assign(count=table["mean"] * table["n"]).pivot(index="day", columns="arm", values="count").dropna()
    kept = [0]
    for place in range(1, len(wide)):
        rise = (wide.iloc[place] - wide.iloc[kept[-1]]).round()
        if not any(few(n, evaluation) for n in rise):
            kept.append(place)
    if len(kept) > 1:  # what is left over belongs to the last step, so that the curve ends where it ends
        kept[-1] = len(wide) - 1
    return table[table["day"].isin(wide.index[kept])]


def _point(evaluation: Any, row: Any) -> At:
    month = round(real(row.day) / MONTH, 1)
    return At(month, real(row.mean), real(row.low), real(row.high), tens(row.n, evaluation))


def _ends(evaluation: Any, one: Any) -> str:
    told = []
    for arm, mine in one.curve.table.groupby("arm", sort=False):
        last = mine[mine["mean"].notna()].iloc[-1]
        if few(last["n"], evaluation) or (one.unit == "events" and few(round(last["mean"] * last["n"]), evaluation)):
            told.append(f"too few to show with {arm_name(evaluation, str(arm))}")
        else:
            told.append(
                f"{words.number(real(last['mean']), _digits(one))} {_each(one)} with {arm_name(evaluation, str(arm))}"
            )
    return ", ".join(told)


# ---------------------------------------------------------------- growth


def _growth(evaluation: Any, grown: list[Any]) -> Table:
    rows: list[list[object]] = []
    for one in grown:
        digits = 2 if one.unit == "SD" else 1
        rows.append(
            [
                one.title,
                tens(one.people, evaluation),
                one.services or words.NOT_APPLICABLE,
                words.number(one.comparison, digits, sign=True),
                words.number(one.effect, digits, sign=True),
                words.interval(one.low, one.high, digits),
                words.p_value(one.p),
                words.number(one.end, digits, sign=True),
                words.interval(one.end_low, one.end_high, digits),
            ]
        )
    columns = [
        Column("Measure", False),
        Column("people"),
        Column("services"),
        Column("comparison", group="Change a year"),
        Column("difference", group="Change a year"),
        Column("95% interval", group="Change a year"),
        Column("p", group="Change a year"),
        Column("points", group="Difference at the last occasion"),
        Column("95% interval", group="Difference at the last occasion"),
    ]
    return Table(
        "growth",
        _grew(grown),
        "A line through each person's readings, on the dates they were taken; each measure in its own unit",
        columns,
        rows,
        notes=[
            "Beside the planned analysis, not in its place. p is not adjusted. The difference at the last occasion "
            "holds whatever difference there was at the start; and where the arms did not start alike, a steeper line "
            "may be a coming back to the mean.",
            TENS,
        ],
        how=How([*dict.fromkeys(one.how for one in grown)]),
    )


def _grew(grown: list[Any]) -> str:
    parts = []
    for one in grown:
        clear = one.low > 0 or one.high < 0
        better = (one.effect > 0) == (one.better == "higher")
        word = ("towards better" if better else "towards worse") if clear else "not clearly otherwise"
        start = ", from starts that were not alike" if abs(one.apart) > ALIKE else ""
        parts.append(f"{lower_first(one.title)} {word}{start}")
    return "Lines with the programme, against the comparison's: " + "; ".join(parts)


# ---------------------------------------------------------------- those who were not seen


def _supposed(evaluation: Any, one: Any) -> Table:
    table: pd.DataFrame = one.shift.table
    digits = 2 if one.unit == "SD" else 1
    rows = [
        [
            words.number(real(row.delta), 2, sign=True),
            words.number(real(row.effect), digits, sign=True),
            words.interval(real(row.low), real(row.high), digits),
            words.p_value(real(row.p)),
        ]
        for row in table.itertuples()
    ]
    return Table(
        f"unseen-{one.outcome}",
        f"{one.title}: {lower_first(one.shift.says)}",
        f"{_adjusted(one)}, in {one.unit or 'points'}, supposing that the unseen treated stood so much higher or lower "
        "than people like them, in SD",
        [Column("Supposed, SD", False), Column("difference"), Column("95% interval"), Column("p")],
        rows,
        notes=["The row 0.00 supposes that the unseen are like the seen of their arm with the same characteristics."],
        how=How(
            [
                "Missing values drawn from a normal regression by arm, clusters kept together; sets pooled by Rubin's "
                "rules with Barnard-Rubin degrees of freedom; linear regression with CR2 standard errors, HC2 without "
                "clusters. It stands beside the planned analysis and need not equal it."
            ]
        ),
    )


def _adjusted(one: Any) -> str:
    if not one.adjusted_for:
        return "Difference of the means"
    return "Difference adjusted by linear regression for what the planned analysis adjusts for"
