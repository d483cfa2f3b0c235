"""Added value of the parent SDQ, where the study asks for it by name: its coefficients are unconfirmed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from evalkit import disclosure
from evalkit.errors import EstimationError, Flag
from evalkit.outcomes.ground import Forms, Reading
from evalkit.outcomes.looks.base import View, look
from evalkit.outcomes.questionnaires.added import CAVEAT, added_value_part, computed
from evalkit.outcomes.questionnaires.added_by_arm import AddedValueByArm, added_value_by_arm
from evalkit.outcomes.questionnaires.instruments import scored
from evalkit.study.model import Measure

_MONTH = 365.25 / 12


@dataclass(frozen=True, eq=False, repr=False)
class Added:
    """Added value in one measure, by arm: no person's row.

    ``found``: ``table`` by arm, ``difference``, ``text``; ``start`` and ``end`` are the titles of the two occasions,
    ``months`` how far apart they are planned.
    """

    measure: str
    title: str
    start: str
    end: str
    months: float
    found: AddedValueByArm

    def __repr__(self) -> str:
        return f"Added({self.measure}, {self.start} to {self.end}; {CAVEAT[:1].lower()}{CAVEAT[1:-1]})"


@look("added value")
def added(view: View) -> tuple[list[Added], list[Flag]]:
    """Every parent SDQ whose added value the study asks for by name."""
    found: list[Added] = []
    flags: list[Flag] = []
    for measure in view.study.measure:
        if not measure.added_value or measure.id not in view.found:
            continue
        try:
            one, said = _added(view, measure)
        except EstimationError as problem:
            text = "Added value could not be shown."
            flags.append(Flag("outcomes", "caution", text, disclosure.uncounted(str(problem)), measure.id))
            continue
        found.append(one)
        flags += [replace(flag, about=measure.id) for flag in said]
    return found, flags


def _added(view: View, measure: Measure) -> tuple[Added, list[Flag]]:
    first, last, months = _occasions(view, measure.id)
    values = _values(view.found[measure.id].forms, first, last)
    found, said = _by_arm(view, values)
    titles = view.title(first.occasion), view.title(last.occasion)
    one = Added(measure.id, view.found[measure.id].about["title"], *titles, months, found)
    return one, [*found.flags, *said, *_time_flags(view, (first, last), values, months)]


def _occasions(view: View, measure: str) -> tuple[Reading, Reading, float]:
    """The reading before the programme, the one nearest to six months after it, and how many months that is."""
    days = {occasion.id: occasion.day for occasion in view.study.occasion}
    readings = {reading.occasion: reading for reading in view.found[measure].readings if reading.occasion in days}
    start = days.get(view.start, np.inf)
    later = [occasion for occasion in readings if days[occasion] > start]
    if view.start not in readings or not later:
        raise EstimationError("It needs a parent SDQ before the programme and one at a later occasion.")
    middle = start + _MONTH * float(np.mean(added_value_part()["months"]))
    chosen = min(later, key=lambda occasion: (abs(days[occasion] - middle), days[occasion]))
    return readings[view.start], readings[chosen], (days[chosen] - start) / _MONTH


def _values(forms: Forms | None, first: Reading, last: Reading) -> np.ndarray:
    """Each child's added value, from the forms behind the two readings."""
    if forms is None:
        raise EstimationError("The answers behind the scores are not there.")
    before, after = _scores(forms, first), _scores(forms, last)
    if before["impact"].isna().all():
        raise EstimationError(
            "It needs the impact supplement at the start (imp1 to imp5), and no form has it. Add those columns."
        )
    given = {"total_1": before["total"], "impact_1": before["impact"], "emotion_1": before["emotion"]}
    return computed(given | {"total_2": after["total"]}).to_numpy()


def _scores(forms: Forms, reading: Reading) -> pd.DataFrame:
    """Scale scores of the forms behind a reading, whose answers are recoded and reversed already."""
    extra = forms.keys["supplement"]
    as_recoded = {"items": extra["items"], "range": [0, max(extra["recode"])]}
    keys = forms.keys | {"supplement": as_recoded}
    return scored(forms.behind(reading), keys, None, "as_scored", "forms", lambda rows: rows)[0]


def _by_arm(view: View, values: np.ndarray) -> tuple[AddedValueByArm, list[Flag]]:
    """Both arms where both have forms; the programme's alone where the comparison has too few."""
    treated = view.treated
    if treated is None:
        return added_value_by_arm(values, None, view.cluster, view.rule), []
    try:
        return added_value_by_arm(values, treated, view.cluster, view.rule), []
    except EstimationError:
        ours = treated == 1
        alone = added_value_by_arm(values[ours], None, view.clusters(ours), view.rule)
    text = "The comparison has too few parent SDQs for an added value of its own."
    detail = "Whether the formula holds for these children cannot be seen."
    named = alone.table.rename(index={"all": "treated"})
    return replace(alone, table=named), [Flag("outcomes", "caution", text, detail)]


def _time_flags(view: View, ends: tuple[Reading, Reading], values: np.ndarray, months: float) -> list[Flag]:
    """Say where the follow-up is not as far from the start as the formula supposes."""
    early, late = added_value_part()["months"]
    should = f"The formula is for a follow-up {early} to {late} months after the start."
    if not early <= months <= late:
        text = f"Added value is read {round(months)} months after the start."
        return [Flag("outcomes", "caution", text, should)]
    first, last = (reading.dates for reading in ends)
    seen = np.isfinite(values)
    if first is None or last is None or not seen.any():
        return []
    apart = (last - first)[seen] / np.timedelta64(1, "D") / _MONTH
    outside = int(((apart < early) | (apart > late)).sum())
    if not outside:
        return []
    share = disclosure.roughly(outside, int(seen.sum()), view.rule)
    text = f"Some follow-up forms ({share}) were filled in earlier or later than the formula supposes."
    return [Flag("outcomes", "note", text, should)]
