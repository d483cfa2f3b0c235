"""Estimates that come from areas and series: their paths, moments and mixes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.report.beside import axis_unit, level_scale, level_words, unit_of
from evalkit.report.blocks import Column, Figure, How, Table
from evalkit.report.cutoff import at_cutoff
from evalkit.report.figures.moments import Moment, Time, moments
from evalkit.report.figures.paths import Around, Step, paths
from evalkit.report.phrases import Wording, finite, outcome_name, real, said, wording
from evalkit.report.results import tells_of_few
from evalkit.report.rough import few

LEAST_WEIGHT = 0.005
FEW_AREAS = 3  # a point on fewer is said to be thin
NEXT = {"simple": "all periods, each unit's alike", "dynamic": "by time since the start", "group": "by start",
        "calendar": "by period"}  # fmt: skip


def traces(evaluation: Any) -> list[Any]:
    """The exhibits of every outcome that has a path, an event study, a mix of areas or a cut-off.

    Parameters
    ----------
    evaluation : Evaluation
        With effects.

    Returns
    -------
    list of blocks
        Empty where all estimates are of people in two arms.
    """
    blocks: list[Any] = []
    for row in evaluation.effects.table.itertuples():
        found = (evaluation.effects.estimates or {}).get(row.outcome)
        told = getattr(found, "diagnostics", None) or {}
        form = wording(row, evaluation.study.study.currency)
        makers = {"series": _paths, "event_study": _events, "donor_weights": _donors, "points": at_cutoff}
        for name, make in makers.items():
            if isinstance(told.get(name), pd.DataFrame | pd.Series) and len(told[name]):
                blocks.append(make(evaluation, row, found, form))
    return blocks


# ---------------------------------------------------------------- a path and what would have been


def _paths(evaluation: Any, row: Any, found: Any, form: Wording) -> Figure:
    told = found.diagnostics
    table = told["series"]
    start = int(told.get("n_before", 0))
    steps, gone = _steps(evaluation, table, form, start)
    began = steps[start].at if 0 < start < len(steps) else None
    axis = f"{outcome_name(row)}, {axis_unit(form)}"
    around = Around(axis, began=began, began_words="programme begins", points="fitted" in table, digits=form.digits)
    drawn = paths(steps, around)
    notes = (
        ["Periods with too few to be shown are not drawn, nor others from which they could be found."] if gone else []
    )
    if "low" in table:
        notes.append(f"Shaded: {level_words(evaluation)} interval of what would have been expected without it.")
    return Figure(
        f"path-{row.outcome}",
        _against(evaluation, row, form),
        f"{outcome_name(row)} by period: what was observed, and what would have been expected without the programme",
        drawn.wide,
        drawn.narrow,
        notes=notes,
        how=How(_of_path(told), table=_intervals(told, form)),
    )


def _few_at(evaluation: Any, seen: np.ndarray, start: int) -> np.ndarray:
    """Periods with few; and on each side of the start one more, since the others and their sum would give it away."""
    hide = np.array([few(value, evaluation) for value in seen], dtype=bool)
    for side in (slice(None, start), slice(start, None)):
        if hide[side].any() and not hide[side].all():
            shown = np.where(hide[side], np.inf, seen[side])
            hide[side][int(shown.argmin())] = True
    return hide


def _steps(evaluation: Any, table: pd.DataFrame, form: Wording, start: int) -> tuple[list[Step], bool]:
    """Periods with their numbers; counts of few people are left out."""
    seen = table["observed"].to_numpy(dtype=float)
    counts = form.kind == "number" and bool((seen == np.round(seen)).all()) and bool((seen >= 0).all())
    hide = _few_at(evaluation, seen, start) if counts else np.zeros(len(seen), dtype=bool)
    lines = [
        table[name].to_numpy(dtype=float) if name in table else np.full(len(table), math.nan)
        for name in ("counterfactual", "low", "high")
    ]
    drawn = np.column_stack([np.where(hide, math.nan, seen), *lines]) * level_scale(form)
    steps = []
    for place, (time, numbers) in enumerate(zip(table["time"].tolist(), drawn.tolist(), strict=True)):
        at, label = _time(time, place)
        observed, other, low, high = numbers
        steps.append(Step(at, observed, other, low, high, label))
    return steps, bool(hide.any())


def _time(time: object, place: int) -> tuple[float, str]:
    """Where a period stands, and what it is called where its number does not say it."""
    if isinstance(time, int | float | np.number):
        return float(time), ""
    if hasattr(time, "year") and hasattr(time, "month"):
        return float(time.year) + (float(time.month) - 1) / 12, f"{time.year}-{time.month:02d}"
    return float(place), str(time)


def _against(evaluation: Any, row: Any, form: Wording) -> str:
    if not finite(row.effect) or not finite(row.counterfactual):
        return f"{outcome_name(row)}: no difference could be estimated"
    if tells_of_few(row, evaluation):
        return f"{outcome_name(row)}: too few after the start to be shown"
    seen, other = form.level(row.observed), form.level(row.counterfactual)
    over = "in all" if form.ratio else "on average"
    told = f"After the start {seen} observed {over}, {other} expected without it: {form.directed(row.effect)}"
    return told + (f" ({form.spread(row.low, row.high)})" if finite(row.low) and finite(row.high) else "")


def _of_path(told: dict[str, Any]) -> list[str]:
    lines = []
    if "n_before" in told:
        lines.append(f"{told['n_before']} periods before the start, {told['n_after']} from then on.")
    if finite(told.get("rmspe_before")):
        gap = words.number(real(told["rmspe_before"]), 2)
        lines.append(f"Before the start the two lines are {gap} apart (root mean square).")
    if finite(told.get("dispersion")):
        lines.append(f"Dispersion {words.number(real(told['dispersion']), 2)}.")
    return lines


def _intervals(told: dict[str, Any], form: Wording) -> Table | None:
    """The same effect with other kinds of standard error, where the estimator gives them."""
    kinds = {
        "interval_quasi": "quasi-likelihood",
        "interval_poisson": "Poisson",
        "interval_model": "as modelled",
        "interval_hac": "neighbouring periods alike (Newey-West)",
        "interval_ar1": "errors that fade from period to period",
    }
    rows = [[says, form.interval(*told[name])] for name, says in kinds.items() if name in told]
    if not rows:
        return None
    return Table("intervals", "Intervals by other standard errors", "",
                 [Column("Standard error", False), Column("Interval")], rows)  # fmt: skip


# ---------------------------------------------------------------- before and after each start


def _events(evaluation: Any, row: Any, found: Any, form: Wording) -> Figure:
    told = found.diagnostics
    table = told["event_study"]
    known = [one for one in table.itertuples() if finite(one.effect)]
    p, off = told.get("pre_test"), _off_before(known)
    drawn = moments(
        [_event(one, form) for one in known],
        Time(f"Difference, {unit_of(form)}", "periods since the start (0: the first with it)", -0.5,
             "programme begins", form.none),
    )  # fmt: skip
    tested = f"; all before the start are zero: p {words.p_value(real(p))}" if finite(p) else ""
    return Figure(
        f"moments-{row.outcome}",
        _alike(p, 1 - real(found.level), off) + _since(row, form),
        f"{outcome_name(row)}, {unit_of(form)}, by time since each start, with {level_words(evaluation)} "
        f"intervals{tested}",
        drawn.wide,
        drawn.narrow,
        notes=[_before(p, 1 - real(found.level), off), *_thin(known)],
        how=How(
            [f"Each start is compared with units that had not begun. The test: {said(told.get('pre_test_method'))}."],
            table=_aggregates(told, form, level_words(evaluation)),
        ),
    )


def _event(one: Any, form: Wording) -> Moment:
    at = _away(one)
    printed = f"{form.change(one.effect)} ({form.interval(one.low, one.high)})"
    effect, low, high = (real(value) * form.scale for value in (one.effect, one.low, one.high))
    label = words.number(at, 0 if at.is_integer() else 1, sign=True)
    return Moment(at, label, effect, low, high, printed)


def _away(one: Any) -> float:
    """Periods since the start, whichever estimator counted them."""
    return real(getattr(one, "event_time", getattr(one, "relative", None)))


def _off_before(known: list[Any]) -> list[str]:
    """The times before the start whose band, which holds for all times at once, leaves out no difference."""
    ends = [(_away(one), real(getattr(one, "band_low", None)), real(getattr(one, "band_high", None))) for one in known]
    return [words.number(at, 0, sign=True) for at, low, high in ends if at < 0 and (low > 0 or high < 0)]


def _alike(p: object, alpha: float, off: list[str]) -> str:
    if finite(p) and real(p) < alpha:
        return "Before the start the trends were not alike"
    if off:
        return f"Before the start a difference was found, at {words.listed(off)}"
    if not finite(p):
        return "Whether trends were alike before the start could not be tested"
    return "Before the start no difference in trends was found"


def _before(p: object, alpha: float, off: list[str]) -> str:
    """What the times before the start say about trusting those after it."""
    if off:
        return (
            f"Before the start nothing should differ. At {words.listed(off)} something does, even by the band that "
            "holds for all times at once: the trends were not alike there, and what follows may be more of the same."
        )
    if finite(p) and real(p) < alpha:
        return "Before the start nothing should differ. All times together differ, so what follows may be more of it."
    if not finite(p):
        return "Before the start nothing should differ. Whether it did could not be tested for all times together."
    return (
        "Before the start nothing should differ. That no difference was found there does not show that the trends "
        "would have stayed alike."
    )


def _thin(known: list[Any]) -> list[str]:
    """The times that only one or two of the areas that began stand behind."""
    thin = [words.number(_away(one), 0, sign=True) for one in known if 0 < real(getattr(one, "n", None)) < FEW_AREAS]
    return [f"Fewer than {FEW_AREAS} areas that began stand behind {words.listed(thin)}."] if thin else []


def _since(row: Any, form: Wording) -> str:
    if not finite(row.effect) or not finite(row.low):
        return ""
    return f"; from then on {form.signed(row.effect)} ({form.interval(row.low, row.high)})"


def _aggregates(told: dict[str, Any], form: Wording, level: str) -> Table | None:
    table = told.get("aggregates")
    if table is None:
        return None
    rows = [
        [NEXT.get(str(row.Index), str(row.Index)), form.change(row.effect), form.interval(row.low, row.high)]
        for row in table.itertuples()
    ]
    columns = [Column("Averaged over", False), Column("Estimate"), Column(level)]
    return Table("aggregates", "The same, averaged in other ways", "", columns, rows)


# ---------------------------------------------------------------- the mix of areas


def _donors(evaluation: Any, row: Any, found: Any, form: Wording) -> Table:
    told = found.diagnostics
    weights: pd.Series = told["donor_weights"]
    without = told.get("leave_one_out")
    shown = weights[weights >= LEAST_WEIGHT]
    rows = [_donor(str(name), real(weight), without, form) for name, weight in shown.items()]
    rest = len(weights) - len(shown)
    if rest:
        share = real(weights[weights < LEAST_WEIGHT].sum())
        each = words.percent(share, 1) if share >= LEAST_WEIGHT / 10 else "none"
        rows.append(
            [
                f"{rest} other{'s together' if rest > 1 else ''}",
                each,
                *([words.NOT_APPLICABLE] if without is not None else []),
            ]
        )
    columns = [Column("Area", False), Column("Weight")]
    columns += [Column("Estimate without it")] if without is not None else []
    return Table(
        f"donors-{row.outcome}",
        _ranked(told, len(shown), len(weights)),
        f"{outcome_name(row)}: the mix of areas that stands for what would have been expected",
        columns,
        rows,
        notes=_rank_notes(told, form),
        how=How(_times(told)),
        meanings={words.NOT_APPLICABLE: "not applicable", words.NOT_AVAILABLE: "not available"},
        width=26,
    )


def _donor(name: str, weight: float, without: Any, form: Wording) -> list[object]:
    cells: list[object] = [name, words.percent(weight, 1)]
    if without is not None:
        known = name in without.index.astype(str)
        rows = without[without.index.astype(str) == name]
        cells.append(form.change(rows["effect"].iloc[0]) if known else words.NOT_AVAILABLE)
    return cells


def _ranked(told: dict[str, Any], counted: int, areas: int) -> str:
    mix = (
        f"{counted} of {areas} areas make up the comparison" if counted > 1 else f"1 of {areas} areas is the comparison"
    )
    if "placebo_rank" in told and finite(told.get("placebo_p")):
        place, of = int(told["placebo_rank"]), int(told["n_placebos"]) + 1
        rank = "the largest" if place == 1 else f"number {place}"
        return f"{mix}; the gap after the start is {rank} of {of} (p {words.p_value(real(told['placebo_p']))})"
    return mix


def _rank_notes(told: dict[str, Any], form: Wording) -> list[str]:
    notes = []
    if "placebo_rank" in told:
        by = told.get("ranked_by", "the gap after the start against the gap before")
        notes.append(f"Ranked by {by}, the same estimate made for every other area as if it had had the programme.")
    beside = [(name, says) for name, says in (("did", "difference in differences"),
              ("synthetic_control", "synthetic control")) if finite(told.get(name))]  # fmt: skip
    if beside:
        listed = words.listed([f"{says} {form.signed(told[name])}" for name, says in beside])
        notes.append(f"On the same table: {listed}.")
    return notes


def _times(told: dict[str, Any]) -> list[str]:
    weights = told.get("time_weights")
    if weights is None:
        return []
    shown = [f"{_time(time, 0)[1] or f'{real(time):g}'} {words.percent(real(weight), 0)}"
             for time, weight in weights.items() if real(weight) >= LEAST_WEIGHT]  # fmt: skip
    return [f"Weights of periods before: {', '.join(shown)}."] if shown else []
