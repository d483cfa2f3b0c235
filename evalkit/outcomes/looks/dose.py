"""What people were offered and attended: the simple measure beside the complex one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from evalkit.errors import DataError, Flag
from evalkit.outcomes.ground import dates, ids, lines
from evalkit.outcomes.looks.base import View, look
from evalkit.outcomes.sessions.dose import ByDose, by_dose
from evalkit.outcomes.sessions.engagement import Engagement, engagement


@dataclass(frozen=True, eq=False)
class Engaged:
    """Engagement as counts, and outcomes by how much was attended; no person's row is shown."""

    found: Engagement
    complete_at: int | None
    by: dict[str, ByDose]


@look("engagement")
def engaged(view: View) -> tuple[Engaged | None, list[Flag]]:
    """Sessions offered and attended, as the study plans it."""
    plan = view.study.engagement
    if plan is None:
        return None, []
    try:
        found = engagement(_sessions(view, plan), _cohort(view), plan.until_days, plan.complete_at)
    except DataError as problem:
        raise DataError(f"{view.ground.where(plan.table)}: {problem}") from problem
    by = {}
    for name in _outcomes(view):
        outcome = pd.Series(view.outcomes.wide[name].to_numpy(), index=view.ground.people.to_numpy())
        if outcome.reindex(found.table["person"]).notna().any():
            by[name] = by_dose(found, outcome)
    flags = [*found.flags, *(flag for one in by.values() for flag in one.flags)]
    return Engaged(found, plan.complete_at, by), list(dict.fromkeys(flags))


def _sessions(view: View, plan: Any) -> pd.DataFrame:
    person = view.study.cohort.person  # type: ignore[union-attr]
    table = view.ground.need(plan.table, [person, plan.date, *([plan.attended] if plan.attended else [])])
    table = table.reset_index(drop=True)
    sessions = pd.DataFrame(
        {"person": ids(table[person]), "date": dates(table[plan.date], view.ground.where(plan.table))}
    )
    if plan.attended:
        sessions["attended"] = table[plan.attended].to_numpy()
    return sessions.set_axis(pd.Index(lines(range(len(sessions)))), axis="index")


def _cohort(view: View) -> pd.DataFrame:
    arm = pd.Series("all", index=range(len(view.ground.people)))
    for name, rows in view.ground.arms.items():
        arm[rows] = name
    cohort = pd.DataFrame({"person": view.ground.people.to_numpy(), "index_date": view.ground.index_date, "arm": arm})
    return cohort if view.ground.treated is None else cohort[pd.Series(view.ground.treated).notna()]


def _outcomes(view: View) -> list[str]:
    """The first domain as it is planned to be estimated, or nothing."""
    return [view.planned(domain.id) for domain in view.study.domain][:1]
