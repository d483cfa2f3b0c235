"""Estimates at a cut-off: means on both sides of it, the bandwidth, and whether people crowd on one side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.report.beside import axis_unit, between, level_scale, level_words
from evalkit.report.blocks import Column, Figure, How, Table
from evalkit.report.common import column_title, few_events, rule_of
from evalkit.report.figures.jump import Bin, Cut, jump
from evalkit.report.html import lower_first
from evalkit.report.phrases import Wording, finite, outcome_name, real


def at_cutoff(evaluation: Any, row: Any, found: Any, form: Wording) -> Figure:
    """Draw the jump of one outcome.

    Parameters
    ----------
    evaluation : Evaluation
        With effects.
    row : namedtuple
        Of the main table.
    found : Estimate
        By regression discontinuity.
    form : Wording
        Of the outcome.

    Returns
    -------
    Figure
        Bands, limits, bandwidth, and the test of crowding.
    """
    told, plan = found.diagnostics, evaluation.study.counterfactual
    cutoff = real((plan.options or {}).get("cutoff", 0.0)) if plan is not None else 0.0
    right = int(found.n_treated) == int(told["n_right"])
    below, above = math.nan, math.nan
    if not told.get("fuzzy"):
        other, mine = real(found.counterfactual) * level_scale(form), real(found.observed) * level_scale(form)
        below, above = (other, mine) if right else (mine, other)
    running = _running(evaluation)
    cut = Cut(cutoff, below, above, f"{outcome_name(row)}, mean in bands, {axis_unit(form)}", running, right)
    drawn = jump(_bins(evaluation, told["points"], form), cut)
    return Figure(
        f"jump-{row.outcome}",
        _jumps(row, form),
        f"Bands of ten people or more; lines compared within {words.number(real(told['bandwidth']), 2)} of the cut-off "
        f"at {words.number(cutoff, 2).rstrip('0').rstrip('.')}{_crowded(told)}",
        drawn.wide,
        drawn.narrow,
        notes=["About people near the cut-off only; it need not hold for those far from it."],
        how=How([_bias(told, form)], table=_bandwidths(told, form, level_words(evaluation))),
    )


def _running(evaluation: Any) -> str:
    plan = evaluation.study.counterfactual
    name = getattr(plan, "running", None)
    return column_title(evaluation.study, str(name)) if name else "the number that decided"


def _bins(evaluation: Any, table: pd.DataFrame, form: Wording) -> list[Bin]:
    """Bands; of a yes or no joined until enough people said either, so that none tells of few."""
    bins = []
    for _, side in table.sort_values("running").groupby("side", sort=False):
        parts = side[["running", "outcome", "n"]].to_numpy(dtype=float)
        for mine in _joined(evaluation, parts) if form.kind == "share" else [one[None, :] for one in parts]:
            n = mine[:, 2]
            bins.append(
                Bin(
                    float((mine[:, 0] * n).sum() / n.sum()), float((mine[:, 1] * n).sum() / n.sum()) * level_scale(form)
                )
            )
    return sorted(bins, key=lambda one: one.at)


def _joined(evaluation: Any, parts: np.ndarray) -> list[np.ndarray]:
    """Neighbouring bands put together; what is left over joins the last, or is left out where there is none."""
    made: list[np.ndarray] = []
    held: list[np.ndarray] = []
    for one in parts:
        held.append(one)
        together = np.array(held)
        n = together[:, 2].sum()
        if not few_events((together[:, 1] * together[:, 2]).sum() / n, n, rule_of(evaluation)):
            made.append(together)
            held = []
    if held and made:
        made[-1] = np.vstack([made[-1], *held])
    return made


def _jumps(row: Any, form: Wording) -> str:
    name = lower_first(outcome_name(row))
    if not finite(row.low) or not finite(row.high):
        return f"At the cut-off {name} differs by {form.signed(row.effect)}; there is no interval"
    ends = between(form, row.low, row.high)
    if form.clear(row.low, row.high):
        return f"At the cut-off {name} jumps by {form.signed(row.effect)} ({ends})"
    return f"At the cut-off no clear jump in {name}: {form.signed(row.effect)} ({ends})"


def _crowded(told: dict[str, Any]) -> str:
    """Whether people crowd on one side, with the p of the test that could be made."""
    p = told.get("density_p") if finite(told.get("density_p")) else told.get("binomial_p")
    return f"; that people do not crowd on one side of it: p {words.p_value(real(p))}" if finite(p) else ""


def _bias(told: dict[str, Any], form: Wording) -> str:
    return (
        f"Local regression, corrected for bias: {form.signed(told['bias_corrected'])}. The interval is robust, and not "
        "centred on the estimate (Calonico, Cattaneo and Titiunik 2014)."
    )


def _bandwidths(told: dict[str, Any], form: Wording, level: str) -> Table | None:
    table: Sequence[Any] = list(told["bandwidths"].itertuples()) if "bandwidths" in told else []
    rows = [[words.number(real(one.bandwidth), 2), form.change(one.effect), form.interval(one.low, one.high)]
            for one in table]  # fmt: skip
    columns = [Column("Bandwidth", False), Column("Estimate"), Column(level)]
    return Table("bandwidths", "With other bandwidths", "", columns, rows) if rows else None
