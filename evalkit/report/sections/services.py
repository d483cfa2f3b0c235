"""Services: how they compare, and what people were offered and attended."""

from __future__ import annotations

import re
from typing import Any, Literal

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.outcomes import funnel_limits
from evalkit.report.blocks import Column, Figure, How, Pair, Table, Text
from evalkit.report.common import hidden, rule_of
from evalkit.report.distance import arm_name
from evalkit.report.figures.caterpillar import Overall, Service, caterpillar
from evalkit.report.figures.cumulative import At, Curve, Frame, attending
from evalkit.report.figures.funnel import Dot, Limits, Plane, funnel
from evalkit.report.html import lower_first
from evalkit.report.phrases import real
from evalkit.report.sections import section

_STEPS = 40
FIVES = "People are counted to the nearest five."


@section("services", "Services and engagement", 46)
def services(evaluation: Any) -> list[Any]:
    """Caterpillar and funnel, then engagement and dose."""
    if evaluation.outcomes is None:
        return []
    looks = evaluation.outcomes.looks
    blocks: list[Any] = []
    for one in looks.get("services", ()):
        blocks += _compared(evaluation, one)
    if "engagement" in looks:
        blocks += _engagement(evaluation, looks["engagement"])
    return blocks


# ---------------------------------------------------------------- side by side


def _compared(evaluation: Any, one: Any) -> list[Any]:
    table = _safe(evaluation, one.services)
    shown = table[~table["n"].map(hidden)]
    if shown.empty:
        return [Text(f"Services are too small for {one.title} to be shown by service.")]
    return [_caterpillar(one, table), _funnel(one, shown)]


def _safe(evaluation: Any, services: Any) -> pd.DataFrame:
    """Services in their order, those that tell of few people hidden, and n to the nearest five."""
    counts = services.protected(rule_of(evaluation))["n"]
    shown = [n if hidden(n) else 5 * round(int(n) / 5) for n in counts]
    return services.table.assign(n=pd.Series(shown, index=services.table.index, dtype=object))


def _digits(one: Any) -> int:
    return 2 if one.unit == "SD" else 1


def _unit(one: Any) -> str:
    return one.unit or "share"


def _caterpillar(one: Any, table: pd.DataFrame) -> Figure:
    parts = zip(table.index, table["estimate"], table["low"], table["high"], table["n"].tolist(), strict=True)
    rows = [Service(str(name), real(estimate), real(low), real(high), n) for name, estimate, low, high, n in parts]
    overall = Overall(one.services.mean, "all services", one.service, better=one.better, digits=_digits(one))
    drawn = caterpillar(rows, overall)
    at = f" at {one.occasion}" if one.occasion and not one.occasion.startswith("at ") else f" {one.occasion}".rstrip()
    whom = "those offered the programme" if one.people == "treated" else "everyone"
    return Figure(
        f"services-{one.outcome}",
        _apart(one),
        f"{one.title}{at} by {one.service}, {_unit(one)}, {whom}; each pulled towards the mean as far as it is small",
        drawn.wide,
        drawn.narrow,
        notes=["Places in this order are not a league table: most intervals share the mean.", FIVES],
        how=How(
            [
                f"{one.services.method[:1].upper()}{one.services.method[1:]}. Standard deviation between services "
                f"{words.number(one.services.between_sd, 3)}; share of variance between them "
                f"{words.percent(one.services.icc, 0)}."
            ]
        ),
    )


def _apart(one: Any) -> str:
    table = one.services.table
    away = int(((table["low"] > one.services.mean) | (table["high"] < one.services.mean)).sum())
    if not away:
        return f"{one.title}: no service is clearly apart from the others"
    which = "one service is" if away == 1 else f"{away} services are"
    return f"{one.title}: {which} clearly apart from the mean of {len(table)}"


def _funnel(one: Any, shown: pd.DataFrame) -> Figure:
    people = shown["n"].astype(int).tolist()
    dots = [Dot(str(name), n, value) for name, n, value in zip(shown.index, people, shown["adjusted"], strict=True)]
    sizes = np.unique(np.linspace(max(0.8 * min(people), 2), 1.05 * max(people), _STEPS).round())
    kind: Literal["share", "score"] = "share" if one.services.binary else "score"
    inner = funnel_limits(sizes, one.services.mean, one.services.within_sd, 0.95, kind)
    outer = funnel_limits(sizes, one.services.mean, one.services.within_sd, 0.998, kind)
    limits = [Limits(*map(float, row)) for row in zip(sizes, *inner, *outer, strict=True)]
    drawn = funnel(dots, limits, Plane(one.services.mean, estimate=_unit(one), digits=_digits(one)))
    out = int((shown["outside"] != "").sum())
    return Figure(
        f"funnel-{one.outcome}",
        f"{one.title}: {out or 'none'} of the {len(shown)} services shown outside the 95% limits",
        "Mean of each service, not pulled towards the others, against how many people are behind it",
        drawn.wide,
        drawn.narrow,
        notes=[
            "Limits allow for chance only. Chance alone puts one service in twenty outside the inner ones; what is "
            "outside is a question to be asked of that service, not an answer.",
            FIVES,
        ],
    )


# ---------------------------------------------------------------- engagement


def _engagement(evaluation: Any, one: Any) -> list[Any]:
    rule = rule_of(evaluation)
    shown = one.found.shown(rule)
    blocks: list[Any] = [_attended(evaluation, one, shown)]
    for key, found in one.by.items():
        digits = 2 if evaluation.outcomes.describe(key)["unit"] == "SD" else 1
        blocks.append(_by_dose(evaluation, key, found.shown(rule, digits)))
    return [*blocks, _stayed(evaluation, one)]


def _attended(evaluation: Any, one: Any, shown: pd.DataFrame) -> Table:
    rows = []
    for row in shown.itertuples():
        name = f"{arm_name(evaluation, str(row.arm))}: {row.what}" if shown["arm"].nunique() > 1 else str(row.what)
        reach = f"{row.low} to {row.high}" if not hidden(row.low) else words.SUPPRESSED
        rows.append([name[:1].upper() + name[1:], str(row.kind), str(row.value), reach])
    done = f" Completed: {one.complete_at} sessions or more." if one.complete_at else ""
    return Table(
        "engagement",
        _reached(shown),
        "The simple measure (reached, completed) beside the complex ones (how many sessions, how steadily)",
        [Column("What", False), Column("kind", False), Column("value"), Column("interval or quartiles")],
        rows,
        notes=[f"Shares to the nearest twentieth, so that no few people follow from them.{done}"],
        how=How(["Shares with Wilson's 95% interval; numbers of sessions as median with quartiles."]),
    )


def _reached(shown: pd.DataFrame) -> str:
    told = {str(row.what): str(row.value) for row in shown.itertuples() if row.kind == "simple"}
    told = {what: value for what, value in told.items() if not hidden(value)}
    if not told:
        return "Who was reached may not be shown: too few people"
    return "Of those offered the programme: " + ", ".join(f"{what} {value}" for what, value in told.items())


def _by_dose(evaluation: Any, key: str, shown: pd.DataFrame) -> Table:
    told = evaluation.outcomes.describe(key)
    rows = [
        [str(row.dose), str(row.people), str(row.sessions), str(row.mean), f"{row.low} to {row.high}"]
        if not hidden(row.mean)
        else [str(row.dose), str(row.people), *[words.SUPPRESSED] * 3]
        for row in shown.itertuples()
    ]
    return Table(
        f"dose-{key}",
        f"{told['title']} by how many sessions were attended: a description, not an effect",
        f"{lower_first(told['occasion_title'])}, {told['unit'] or 'share'}; those offered the programme",
        [Column("Sessions attended", False), Column("people"), Column("sessions, mean"), Column("mean"),
         Column("95% interval")],
        rows,
        notes=["People who come more often differ from those who stop, in ways that also decide their outcomes."],
    )  # fmt: skip


def _stayed(evaluation: Any, one: Any) -> Any:
    curves = []
    table = one.found.curve
    for arm, mine in table[table["by"] == "month"].groupby("arm", sort=False):
        rule = rule_of(evaluation)
        still = one.found.curve_shown(rule)
        still = still[(still["arm"] == arm) & (still["by"] == "month")]["still"]
        points = [_still(float(at), str(text)) for at, text in zip(mine["at"], still, strict=True)]
        curves.append(Curve(arm_name(evaluation, str(arm)), arm != "comparison", points))
    drawn = attending(curves, Frame("share still attending", share=True, counted=False))
    words_ = "Still attending, by month"
    note = "Shares to the nearest twentieth, of those who came at least once; where they are few, nothing is drawn."
    return Pair([Figure("attending", words_, "Attended a session in that month or later", drawn.wide, notes=[note])])


def _still(month: float, text: str) -> At:
    """A share in words as a point: "about 95%" at 0.95; what is in other words is not drawn but at the very start."""
    found = re.search(r"(\d+)%", text)
    if found:
        return At(month, int(found.group(1)) / 100, np.nan, np.nan, "")
    return (
        At(month, 1.0, np.nan, np.nan, "")
        if text.startswith("all")
        else At(month, np.nan, np.nan, np.nan, words.SUPPRESSED)
    )
