"""One number from a person's readings over the occasions: the end, the mean, the area, the slope, what was held."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalkit.errors import StudyError, did_you_mean
from evalkit.outcomes.change.occasions import occasion_summary
from evalkit.outcomes.ground import Found, Ground, Reading
from evalkit.outcomes.kinds import Earlier, about, kind, once

if TYPE_CHECKING:
    from evalkit.study.model import Measure


@kind("over_time")
def over_time(ground: Ground, measure: Measure, earlier: Earlier) -> Found:
    """Summarise another measure, or a domain, over its occasions, on the days on which it was read."""
    plan: Any = measure.over_time
    if plan.of not in earlier:
        raise StudyError(f'over_time names "{plan.of}". {did_you_mean(plan.of, earlier)}')
    found = earlier[plan.of]
    frame = _readings(ground, found.readings)
    order = [occasion.id for occasion in sorted(ground.study.occasion, key=lambda occasion: occasion.day)]
    known = [occasion for occasion in order if occasion in set(frame["occasion"])]
    if plan.start not in known:
        raise StudyError(f'over_time: "{plan.of}" has no reading at "{plan.start}". {did_you_mean(plan.start, known)}')
    frame["occasion"] = pd.Categorical(frame["occasion"], known, ordered=True)
    better = measure.better or found.about["better"]
    told = occasion_summary(frame, "person", "occasion", "value", plan.kind, "day", plan.start, better)
    values = told.values.reindex(np.arange(len(ground.people))).to_numpy(dtype=float)
    unit = found.about["unit"]
    facts = about(
        measure,
        title=f"{found.about['title']}, {plan.kind}",
        unit=f"{unit} a year".strip() if plan.kind == "slope" else unit,
        better=better,
    )
    return Found([once(measure, values)], facts, [replace(flag, about=measure.id) for flag in told.flags])


def _readings(ground: Ground, readings: list[Reading]) -> pd.DataFrame:
    """A row per person and occasion that was read, with the day of the reading, else of its occasion."""
    planned = {occasion.id: occasion.day for occasion in ground.study.occasion}
    start = ground.index_date.to_numpy(dtype="datetime64[D]")
    parts = []
    for reading in readings:
        if reading.occasion not in planned:
            continue
        there = np.flatnonzero(np.isfinite(reading.values))
        day = np.full(len(there), float(planned[reading.occasion]))
        if reading.dates is not None:
            own = (reading.dates[there].astype("datetime64[D]") - start[there]) / np.timedelta64(1, "D")
            day = np.where(np.isfinite(own), own, day)
        parts.append(
            pd.DataFrame({"person": there, "occasion": reading.occasion, "value": reading.values[there], "day": day})
        )
    columns = ["person", "occasion", "value", "day"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
