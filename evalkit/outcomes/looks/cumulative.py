"""Days in a state and events, added up from day to day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evalkit.errors import Flag
from evalkit.outcomes.ground import dates, ids
from evalkit.outcomes.looks.base import View, look
from evalkit.outcomes.records.cumulative import MeanCumulative, mean_cumulative

MONTH = 30.4375  # days


@dataclass(frozen=True, eq=False)
class Added:
    """How a measure adds up: its id, title, unit, the curve, and the contract's level where there is one."""

    measure: str
    title: str
    unit: str
    curve: MeanCumulative
    contract_baseline: float | None


@look("cumulative outcomes")
def cumulative(view: View) -> tuple[list[Added], list[Flag]]:
    """Every measure of days in a state, and of offences, at monthly points so that no single event shows."""
    added, flags = [], []
    for measure in view.study.measure:
        plan = measure.days_in or measure.offending
        if measure.id not in view.found or plan is None:
            continue
        records = _records(view, plan)
        windows = _windows(view, plan.window_days, view.ground.last_date(*_ends(records)))
        inside = np.ones(len(windows), bool) if view.treated is None else np.isfinite(view.treated)
        arm = None if view.treated is None else view.treated[inside]
        reach = int(((windows["end"] - windows["start"]).dt.days)[inside].max())
        if reach < 1:
            continue
        months = (round(month * MONTH) for month in range(int(reach / MONTH) + 1))
        grid = sorted({*(day for day in months if day <= reach), reach})
        curve = mean_cumulative(records, windows[inside], arm, view.clusters(inside), grid)
        about = view.found[measure.id].about
        added.append(Added(measure.id, about["title"], curve.unit, curve, measure.contract_baseline))
        flags += [Flag(f.room, f.level, f.text, f.detail, measure.id) for f in curve.flags]
    return added, flags


def _ends(records: pd.DataFrame) -> list[pd.Series]:
    return [records[name] for name in ("start", "end", "date") if name in records]


def _windows(view: View, days: int, last: pd.Timestamp) -> pd.DataFrame:
    """The planned windows, as far as the data reach: later days are not seen, which is not the same as empty."""
    start = view.ground.index_date
    people = view.ground.people.to_numpy()
    seen = np.minimum((start + pd.Timedelta(days=days)).to_numpy(), np.datetime64(last + pd.Timedelta(days=1)))
    end = np.maximum(seen, start.to_numpy())
    return pd.DataFrame({"person": people, "start": start, "end": end})


def _records(view: View, plan: Any) -> pd.DataFrame:
    """Episodes in the state, or events, of the people of the cohort."""
    person = view.study.cohort.person  # type: ignore[union-attr]
    table = view.ground.table(plan.table).reset_index(drop=True)
    where = view.ground.where(plan.table)
    if hasattr(plan, "date"):
        return pd.DataFrame({"person": ids(table[person]), "date": dates(table[plan.date], where)}).dropna()
    here = (table[plan.state_column].astype("str") == plan.state).to_numpy()
    spells = {
        "person": ids(table[person]),
        "start": dates(table[plan.start], where),
        "end": dates(table[plan.end], where),
    }
    return pd.DataFrame(spells)[here].reset_index(drop=True)
