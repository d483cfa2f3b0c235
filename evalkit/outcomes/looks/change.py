"""Whose score changed by more than the error of measurement, beside the comparison's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from evalkit.errors import Flag
from evalkit.outcomes.change.expected import regression_to_the_mean
from evalkit.outcomes.change.reliable import ReliableChange, reliable_change, reliable_change_by_arm
from evalkit.outcomes.ground import Reading
from evalkit.outcomes.looks.base import View, look
from evalkit.outcomes.questionnaires.keys import measure_keys
from evalkit.study.model import Measure

_CELLS = 8
_JUST = 1e-6


@dataclass(frozen=True, eq=False, repr=False)
class Changed:
    """Reliable change in one measure, as counts: no person's row.

    ``table``, a row per arm and class: ``arm``, ``class``, ``n`` (with both readings), ``count``, ``share``, ``low``,
    ``high``; ``differences``, a row per class, or None with one arm; ``cells``, by arm the people in each cell of
    before (rows) and after (columns), ``edges`` their limits.
    """

    measure: str
    title: str
    unit: str
    better: str
    start: str
    end: str
    threshold: float
    z: float
    cutoff: float | None
    source: str
    table: pd.DataFrame
    differences: pd.DataFrame | None
    edges: np.ndarray
    cells: dict[str, np.ndarray]
    words: str

    def __repr__(self) -> str:
        return f"Changed({self.measure}, {self.start} to {self.end}, {len(self.cells)} arms)"


@look("reliable change")
def reliable(view: View) -> tuple[list[Changed], list[Flag]]:
    """Every score with a known error of measurement that was read before and after."""
    changed, flags = [], []
    for measure in view.study.measure:
        if measure.id not in view.found or (how := _how(view, measure)) is None:
            continue
        if (ends := view.ends(measure.id)) is not None:
            one, said = _changed(view, measure, how, ends)
            changed.append(one)
            flags += said
    return changed, flags


def _how(view: View, measure: Measure) -> dict[str, Any] | None:
    """What decides: the study's own figures, else confirmed ones of the instrument's."""
    better = view.found[measure.id].about["better"]
    if plan := measure.reliable_change:
        source = {"sd": plan.source, "reliability": f"{plan.kind}, {plan.source}"}
        return {
            "sd": plan.sd,
            "reliability": plan.reliability,
            "z": plan.z,
            "cutoff": plan.cutoff,
            "better": better,
            "source": source,
        }
    shelf = measure_keys(measure.instrument, measure.scale) if measure.instrument else {}
    change, cutoff = shelf.get("change"), shelf.get("cutoff")
    if not change:
        return None
    z = change.get("z", 1.96)
    how = {"z": z, "cutoff": cutoff["at"] if cutoff else None, "better": better}
    if "sd" in change and "reliability" in change:
        named = {"sd": change["source"], "reliability": f"{change.get('kind', 'reliability')}, {change['source']}"}
        return how | {"sd": change["sd"], "reliability": change["reliability"], "source": named}
    # A published threshold without the figures behind it: the standard deviation that gives it, and a change of just
    # so much counts, since manuals write whole numbers that are to be reached.
    named = dict.fromkeys(("sd", "reliability"), f"published: {change['threshold']:g} or more, {change['source']}")
    just_below = change["threshold"] - _JUST
    return how | {"sd": just_below / (z * np.sqrt(2)), "reliability": 0.0, "source": named}


def _changed(
    view: View, measure: Measure, how: dict[str, Any], ends: tuple[Reading, Reading]
) -> tuple[Changed, list[Flag]]:
    before, after = ends[0].values, ends[1].values
    about, treated = view.found[measure.id].about, view.treated
    if treated is None:
        found = reliable_change(before, after, **how)
        table, differences = _one_arm(found), None
    else:
        both = reliable_change_by_arm(before, after, treated, view.cluster, **how)
        found, table = both.change, _two_arms(both.table)
        names = ["difference", "difference_low", "difference_high", "method"]
        differences = both.table[names].reset_index(names="class")
    edges = _edges(before, after)
    cells = {arm: _cells(before[rows], after[rows], edges) for arm, rows in view.ground.arms.items()}
    told = regression_to_the_mean(before, after, treated, view.cluster, how["better"], about["unit"], view.rule)
    one = Changed(
        measure.id, about["title"], about["unit"], how["better"], view.title(ends[0].occasion),
        view.title(ends[1].occasion), found.threshold, found.z, found.cutoff, "; ".join(dict.fromkeys(
            str(text) for name, text in found.source.items() if name != "z")), table, differences, edges, cells, told,
    )  # fmt: skip
    return one, [replace(flag, about=measure.id) for flag in found.flags]


def _one_arm(found: ReliableChange) -> pd.DataFrame:
    counts = found.counts.reset_index(names="class")
    return counts.rename(columns={"n": "count"}).assign(arm="all", n=found.n)


def _two_arms(table: pd.DataFrame) -> pd.DataFrame:
    parts = []
    for arm in ("treated", "comparison"):
        mine = table.filter(regex=f"^{arm}_").rename(columns=lambda name: name.partition("_")[2])
        parts.append(mine.assign(arm=arm).reset_index(names="class"))
    return pd.concat(parts, ignore_index=True)


def _edges(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Limits of about eight cells of equal width in round numbers that hold every reading."""
    values = np.concatenate([before, after])
    low, high = np.nanmin(values), np.nanmax(values)
    raw = max((high - low) / _CELLS, 1e-9)
    power = 10.0 ** np.floor(np.log10(raw))
    step = next(one * power for one in (1, 2, 2.5, 5, 10) if raw <= one * power * 1.0001)
    first = np.floor(low / step) * step
    return first + step * np.arange(int(np.floor((high - first) / step)) + 2)


def _cells(before: np.ndarray, after: np.ndarray, edges: np.ndarray) -> np.ndarray:
    there = np.isfinite(before) & np.isfinite(after)
    return np.histogram2d(before[there], after[there], bins=[edges, edges])[0].astype(int)
