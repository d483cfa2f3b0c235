"""Synthetic difference in differences: weights on comparison areas and on times before."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from evalkit import words
from evalkit.counterfactual.areas.donors import donor_weights
from evalkit.counterfactual.areas.grid import Grid, make_grid, panel_did
from evalkit.counterfactual.inference import Interval, conclude_from_interval
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.panel import Panel, Plan
from evalkit.counterfactual.registry import estimator
from evalkit.errors import EstimationError, Flag


@dataclass(frozen=True, eq=False)
class Fitted:
    """What the library found: effect, placebo effects, weights, fit before and what it warned of."""

    effect: float
    placebos: np.ndarray
    units: pd.Series
    times: pd.Series
    fit: float
    unlike: float


@estimator(
    "synthetic did",
    options={"draws": 200, "seed": 20},
    se=("placebo",),
    clustered_se="placebo",
    data="panel",
    needs=("treated", "time", "unit"),
    adjusts=False,
    assumes="a mix of other areas would have moved in parallel",
    says="change of the treated area less that of a mix of other areas, over the telling times before",
)
def synthetic_did(panel: Panel, plan: Plan) -> Estimate:
    """Weights on areas and on times before; the standard error is that of placebo estimates among comparison areas.

    ``treated`` is 1 in the treated areas' rows from the start on. The standard error is the spread of ``draws``
    estimates for comparison areas drawn by ``seed`` as if they were treated: it supposes that the treated areas'
    outcome is as noisy as theirs, and differs a little by seed. The interval takes Student's t with one degree of
    freedom less than there are separate placebo sets, times the root of 1 + 1 / sets; with fewer sets than a rank at
    this level needs (19 for .95) it takes half of these and reaches at least as far as the largest placebo, and a flag
    says that it may still be too short.

    References
    ----------
    Arkhangelsky, Athey, Hirshberg, Imbens and Wager (2021), American Economic Review 111, 4088-4118, algorithms 1, 4.
    """
    grid = make_grid(panel)
    fitted = _fit(grid, int(plan.options["draws"]), int(plan.options["seed"]))
    found = _interval(grid, fitted, plan.level)
    return conclude_from_interval(
        panel,
        plan,
        fitted.effect,
        found,
        float(grid.path[grid.start :].mean()),
        n_treated=int(grid.treated.sum()),
        n_comparison=len(grid.donor_names),
        diagnostics=_diagnostics(grid, fitted),
        flags=[*grid.flags, *_flags(grid, fitted, found, plan.level)],
    )


def _fit(grid: Grid, draws: int, seed: int) -> Fitted:
    """The library's estimate; its warnings are raised again here as flags."""
    if len(grid.donor_names) < 2:
        raise EstimationError(
            "synthetic did needs at least two comparison areas without gaps, and there is one. "
            'Add areas, or compare the two by "synthetic control", which gives no interval.'
        )
    from diff_diff import SyntheticDiD

    # Outcomes in their own spread: the library stops on a step that is absolute for very small or large units.
    middle, spread = float(grid.y.mean()), float(grid.y[:, : grid.start].std()) or 1.0
    rows = pd.DataFrame(
        {
            "unit": np.repeat(np.arange(len(grid.units)), len(grid.times)),
            "time": np.tile(np.arange(len(grid.times)), len(grid.units)),
            "y": ((grid.y - middle) / spread).ravel(),
            "treated": np.repeat(grid.treated.astype(int), len(grid.times)),
        }
    )
    after = list(range(grid.start, len(grid.times)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = SyntheticDiD(variance_method="placebo", n_bootstrap=max(draws, 2), seed=seed)
        result = model.fit(rows, "y", "treated", "unit", "time", post_periods=after)
    placebos = np.asarray([] if result.variance_effects is None else result.variance_effects, float)
    units = pd.Series({grid.units[place]: float(weight) for place, weight in result.unit_weights.items()})
    times = pd.Series({grid.times[place]: float(weight) for place, weight in result.time_weights.items()})
    unlike = result.pre_fit_placebo_pvalue
    return Fitted(
        effect=float(result.att) * spread,
        placebos=placebos[np.isfinite(placebos)] * spread,
        units=units.rename_axis("unit").rename("weight").sort_values(ascending=False, kind="stable"),
        times=times.rename_axis("time").rename("weight"),
        fit=float(result.pre_treatment_fit) * spread,
        unlike=math.nan if unlike is None else float(unlike),
    )


def _interval(grid: Grid, fitted: Fitted, level: float) -> Interval:
    """The placebo standard error (R's form: divided by the number of draws), with Student's t as for a new draw.

    Where placebo sets are too few to rank at this level, the interval also reaches as far as the largest placebo, and
    half the degrees of freedom count: gaps between areas have heavy tails (with an excess kurtosis of 2 a variance is
    worth half as much), and nothing else guards against them.
    """
    apart = _apart(grid)
    if apart < 2 or len(fitted.placebos) < 2 or not fitted.placebos.std() > 0:
        return Interval()
    few = _few(grid, level)
    se, df = float(fitted.placebos.std()), max((apart - 1) / 2, 1.0) if few else apart - 1.0
    spread = se * math.sqrt(1 + 1 / apart)
    half = float(stats.t.ppf(0.5 + level / 2, df)) * spread
    if few:
        half = max(half, float(np.abs(fitted.placebos).max()) * math.sqrt(1 + 1 / apart))
        spread = half / float(stats.t.ppf(0.5 + level / 2, df))
    p = float(2 * stats.t.sf(abs(fitted.effect) / spread, df))
    return Interval(se, fitted.effect - half, fitted.effect + half, p, df)


def _apart(grid: Grid) -> int:
    """How many placebo sets share no area."""
    return len(grid.donor_names) // int(grid.treated.sum())


def _few(grid: Grid, level: float) -> bool:
    """Whether the treated and separate placebo sets together are too few for a rank at this level."""
    return (_apart(grid) + 1) * (1 - level) < 1 - 1e-9


def _diagnostics(grid: Grid, fitted: Fitted) -> dict[str, Any]:
    """Weights, placebos, and what the two simpler methods say of the same table."""
    mix = fitted.units.reindex(grid.donor_names).to_numpy() @ grid.donors
    lead = fitted.times.to_numpy()
    offset = float(lead @ (grid.path - mix)[: grid.start])
    before = slice(None, grid.start)
    control = grid.path - donor_weights(grid.path[before], grid.donors[:, before]) @ grid.donors
    placebos = np.abs(fitted.placebos)
    share = (1 + (placebos >= abs(fitted.effect)).sum()) / (1 + len(placebos)) if len(placebos) else math.nan
    return {
        "donor_weights": fitted.units,
        "time_weights": fitted.times,
        "placebo_effects": fitted.placebos,
        "placebo_p": float(share),
        "rmspe_before": fitted.fit,
        "did": panel_did(grid),
        "synthetic_control": float(control[grid.start :].mean()),
        "series": pd.DataFrame({"time": grid.times, "observed": grid.path, "counterfactual": mix + offset}),
        "gap": pd.Series(grid.path - mix - offset, pd.Index(grid.times, name="time"), name="gap"),
        "start": grid.times[grid.start],
        "n_before": grid.start,
        "n_after": len(grid.times) - grid.start,
        "left_out_units": grid.left_out,
    }


def _flags(grid: Grid, fitted: Fitted, found: Interval, level: float) -> list[Flag]:
    """What the placebo standard error supposes, and signs that the weights do not do their work."""
    donors = len(grid.donor_names)
    if math.isnan(found.se):
        text = "There is no interval: comparison areas are too few, or too alike, to stand in for the treated ones."
        return [Flag("counterfactual", "serious", text, f"{donors} for {int(grid.treated.sum())} treated.")]
    text = (
        "The standard error is that of placebo estimates: it supposes that the treated area is as noisy as the others."
    )
    detail = f"{len(fitted.placebos)} draws among {donors} comparison areas; it changes a little with the seed."
    flags = [Flag("counterfactual", "note", text, detail)]
    if _few(grid, level):
        text = f"The interval rests on few comparison areas ({donors}) and may be too short."
        detail = "It supposes that chance differences between areas are about normal. " + _rank_says(grid)
        flags.append(Flag("counterfactual", "serious", text, detail))
    if fitted.unlike <= 0.05:
        text = "The mix follows the treated area before the start less well than it follows nearly every other area."
        detail = f"The gap before is {words.number(fitted.fit, 3)}, p {words.p_value(fitted.unlike)}."
        flags.append(Flag("counterfactual", "caution", text, detail))
    if fitted.units.iloc[0] > 0.99:
        text = "All weight is on one comparison area."
        flags.append(Flag("counterfactual", "serious", text, f"It is {fitted.units.index[0]}."))
    return flags


def _rank_says(grid: Grid) -> str:
    """What ranking, which supposes nothing of the kind, could show at most."""
    areas = _apart(grid) + 1
    least = words.number(1 / areas, 2)
    return f"Ranking {areas} separate areas supposes less, and its p cannot be below {least}."
