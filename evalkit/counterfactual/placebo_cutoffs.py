"""Jumps where there should be none: other cutoffs, each among people of one side only."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from evalkit import words
from evalkit.counterfactual.estimating import estimate
from evalkit.errors import EstimationError


def placebo_cutoffs(
    frame: pd.DataFrame,
    estimator: str = "regression discontinuity",
    cutoffs: list[float] | None = None,
    **arguments: Any,
) -> pd.DataFrame:
    """Look for jumps where there should be none: at other cutoffs, each among people of one side only.

    Parameters
    ----------
    frame : DataFrame
        As for `estimate`.
    estimator : str
        "regression discontinuity".
    cutoffs : list of float, optional
        Default: the quartiles of the number on each side.
    **arguments
        As for `estimate`; ``treated`` is not used, since nothing changes hands at these cutoffs.

    Returns
    -------
    DataFrame
        cutoff, side, effect, low, high, p; NaN where nothing can be fitted.

    Raises
    ------
    EstimationError
        No column ``running``, or the true cutoff itself among the placebos.
    """
    name, true = arguments.get("running"), float(arguments.get("cutoff") or 0.0)
    if name not in frame:
        raise EstimationError("placebo cutoffs need the number that decided who was treated (running = ...).")
    score = frame[name].astype(float)
    sides = {"left": score < true, "right": score >= true}
    wanted = cutoffs if cutoffs is not None else _quartiles([score[mask] for mask in sides.values()])
    if true in wanted:
        raise EstimationError(f"{words.number(true, 2)} is the true cutoff. Leave it out of the placebos.")
    rest = {key: value for key, value in arguments.items() if key not in ("treated", "treated_side", "cutoff")}
    rows: list[dict[str, Any]] = []
    faults: list[EstimationError] = []
    for one in wanted:
        side = "left" if one < true else "right"
        row: dict[str, Any] = {"cutoff": float(one), "side": side}
        try:
            found = estimate(frame[sides[side]], estimator, cutoff=float(one), **rest)
            row |= {"effect": found.effect, "low": found.low, "high": found.high, "p": found.p}
        except EstimationError as fault:
            faults.append(fault)
            row |= dict.fromkeys(("effect", "low", "high", "p"), math.nan)
        rows.append(row)
    if faults and len(faults) == len(wanted):
        raise faults[0]
    return pd.DataFrame(rows)


def _quartiles(sides: list[pd.Series]) -> list[float]:
    """Quartiles of each side, ascending, without repeats."""
    return sorted({float(one) for side in sides for one in side.quantile([0.25, 0.5, 0.75])})
