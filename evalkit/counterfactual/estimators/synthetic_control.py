"""Synthetic control: a mix of other areas that followed the treated area until the start."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.counterfactual.areas.donors import donor_weights, out_of_range
from evalkit.counterfactual.areas.grid import Grid, make_grid, named, panel_did
from evalkit.counterfactual.areas.placebos import Placebos, interval_of_rank, run_placebos
from evalkit.counterfactual.inference import Interval, conclude_from_interval
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.panel import Panel, Plan
from evalkit.counterfactual.registry import estimator
from evalkit.errors import Flag

POOR, BAD = 0.25, 1.0  # gap before, in standard deviations of the treated area's own outcome before
RANKED_BY = {True: "the gap after the start", False: "the gap after the start against the gap before"}
COUNTS = 1e-6  # a weight below this is rounding


@estimator(
    "synthetic control",
    options={"draws": 500, "seed": 20},
    se=("placebo",),
    clustered_se="placebo",
    data="panel",
    needs=("treated", "time", "unit"),
    adjusts=False,
    assumes="a mix of other areas would have gone on alike",
    says="treated area less the mix of other areas that followed it before the start",
)
def synthetic_control(panel: Panel, plan: Plan) -> Estimate:
    """Weights on the outcome's own path before the start; p and interval by ranking the same estimate of every area.

    ``treated`` is 1 in the treated areas' rows from the start on. The effect is the mean gap after. p is the share of
    areas whose gap after, in units of their gap before, is at least as large; the interval holds the effects around the
    estimate, the same at every time, which that test does not reject. There is no standard error. Several areas treated
    at the same time are taken together as their average and ranked among other sets of as many areas (at most
    ``draws``, by ``seed``).
    """
    grid = make_grid(panel)
    placebos = run_placebos(grid, plan.options["draws"], plan.options["seed"])
    alone = len(grid.donor_names) == 1
    found = Interval() if alone else interval_of_rank(placebos, plan.level)
    gap = placebos.gaps[0]
    return conclude_from_interval(
        panel,
        plan,
        float(gap[grid.start :].mean()),
        found,
        float(grid.path[grid.start :].mean()),
        n_treated=int(grid.treated.sum()),
        n_comparison=len(grid.donor_names),
        diagnostics=_diagnostics(grid, placebos, found.p),
        flags=[*grid.flags, *_fit_flags(grid, placebos), *_rank_flags(placebos, found, plan.level, alone)],
    )


def _diagnostics(grid: Grid, placebos: Placebos, p: float) -> dict[str, Any]:
    """Weights, fit, gaps and ranks."""
    times = pd.Index(grid.times, name="time")
    gap, before, after = placebos.gaps[0], float(placebos.before[0]), float(placebos.after[0])
    weights = pd.Series(placebos.weights[0][~grid.treated], pd.Index(grid.donor_names, name="unit"), name="weight")
    return {
        "donor_weights": weights.sort_values(ascending=False, kind="stable"),
        "placebo_rank": placebos.rank,
        "placebo_p": p,
        "n_placebos": len(placebos.gaps) - 1,
        "rmspe_before": before,
        "ranked_by": RANKED_BY[placebos.perfect],
        "pre_fit": _missed(grid, before),
        "rmspe_ratio": after / before if before > 0 else math.inf,
        "gap": pd.Series(gap, times, name="gap"),
        "placebo_gaps": pd.DataFrame(placebos.gaps[1:].T, times, _set_names(grid, placebos.sets[1:])),
        "series": pd.DataFrame({"time": grid.times, "observed": grid.path, "counterfactual": grid.path - gap}),
        "leave_one_out": _leave_one_out(grid, weights),
        "did": panel_did(grid),
        "start": grid.times[grid.start],
        "n_before": grid.start,
        "n_after": len(grid.times) - grid.start,
        "left_out_units": grid.left_out,
    }


def _missed(grid: Grid, before: float) -> float:
    """The gap before in standard deviations of the treated area's own outcome before; NaN where it did not move."""
    own = float(grid.path[: grid.start].std())
    return before / own if own > 0 else math.nan


def _set_names(grid: Grid, sets: np.ndarray) -> pd.Index:
    """The placebo's area, or its areas joined by a plus."""
    return pd.Index([" + ".join(grid.units[chosen].tolist()) for chosen in sets], name="unit")


def _leave_one_out(grid: Grid, weights: pd.Series) -> pd.DataFrame:
    """The effect without each donor that counts; without any other it is the same."""
    rows = {}
    counted = np.flatnonzero(weights.to_numpy() > COUNTS).tolist()
    for place in counted if len(weights) > 1 else []:
        rest = np.delete(grid.donors, place, axis=0)
        gap = grid.path - donor_weights(grid.path[: grid.start], rest[:, : grid.start]) @ rest
        fit = float(np.sqrt((gap[: grid.start] ** 2).mean()))
        rows[weights.index[place]] = (weights.iloc[place], float(gap[grid.start :].mean()), fit)
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["weight", "effect", "rmspe_before"])
    return table.rename_axis("left_out").sort_values("weight", ascending=False, kind="stable")


def _fit_flags(grid: Grid, placebos: Placebos) -> list[Flag]:
    """A mix that did not follow the area before cannot say where it would have gone after."""
    flags = []
    share = _missed(grid, float(placebos.before[0]))
    if share > POOR:
        text = "The mix of comparison areas does not follow the treated area closely before the start."
        detail = f"The gap before is {words.number(share, 2)} standard deviations of its own outcome before the start."
        flags.append(Flag("counterfactual", "serious" if share > BAD else "caution", text, detail))
    outside = out_of_range(grid.path, grid.donors)[: grid.start]
    if outside.any() and len(grid.donor_names) > 1:
        text = "Before the start the treated area lies outside the range of all comparison areas."
        detail = f"No mix can reach it at {named(grid.times[: grid.start][outside])}."
        flags.append(Flag("counterfactual", "serious" if outside.mean() > 0.5 else "caution", text, detail))
    weights = placebos.weights[0]
    if weights.max() > 0.99 and len(grid.donor_names) > 1:
        text = "All weight is on one comparison area, so the effect is the difference from that area alone."
        flags.append(Flag("counterfactual", "serious", text, f"It is {grid.units[weights.argmax()]}."))
    return flags


def _rank_flags(placebos: Placebos, found: Interval, level: float, alone: bool) -> list[Flag]:
    """What the rank can and cannot say."""
    if alone:
        text = "There is one comparison area only: the effect is the difference from it, with no p and no interval."
        return [Flag("counterfactual", "serious", text, "Add areas that could have been treated.")]
    n, least = len(placebos.gaps), words.number(1 / len(placebos.gaps), 3)
    percent = words.percent(level, 0)
    text = f"p and interval rank the treated area among {n}, as if each had been as likely to be the treated one."
    detail = f"p cannot be below {least}; the interval is for an effect that is the same at every time after."
    flags = [Flag("counterfactual", "note", text, detail)]
    if placebos.perfect:
        text = "Some areas are fitted without any gap before, so gaps after are ranked and not their ratio to before."
        flags.append(Flag("counterfactual", "caution", text, "More times before, or fewer comparison areas, help."))
    if n * (1 - level) < 1 - 1e-9:
        text = f"There is no {percent} interval: with {n} areas in all p cannot be below {least}."
        flags.append(Flag("counterfactual", "serious", text))
    elif math.isnan(found.low):
        text = f"There is no {percent} interval: no effect that is the same at every time after fits the gaps."
        flags.append(Flag("counterfactual", "caution", text, "The effect grows or fades; see the gap at each time."))
    elif not math.isfinite(found.high - found.low):
        text = f"The {percent} interval has no bound on a side: the areas are too few, or followed too loosely."
        flags.append(Flag("counterfactual", "caution", text))
    elif placebos.rank > n * (1 - level) + 1e-9 and not found.low <= 0 <= found.high:
        text = f"The {percent} interval leaves out 0 though p does not reject it: effects not rejected lie apart."
        flags.append(Flag("counterfactual", "caution", text, "Read p for whether there was an effect."))
    return flags
