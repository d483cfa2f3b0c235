"""Leaving out people by their score, and lowering the largest weights: counted, and said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from evalkit import disclosure
from evalkit.counterfactual.panel import Panel
from evalkit.errors import EstimationError, Flag

MANY = 0.05


def score_bounds(trim: float | Sequence[float] | None, ate: bool) -> tuple[float, float] | None:
    """Read the option ``trim``.

    Parameters
    ----------
    trim : number, pair of numbers or None
        One number a: up to 1 - a, and from a on where everybody counts; or the bounds themselves.
    ate : bool
        Whether the effect is that on everybody.

    Returns
    -------
    (float, float) or None
        Bounds of the scores kept, ends included.

    Raises
    ------
    EstimationError
        Not numbers, or bounds that keep nobody.
    """
    if trim is None:
        return None
    told = "trim must be a number between 0 and 0.5, such as 0.1, or two bounds of the score, such as (0.05, 0.95)."
    given: list[Any] = list(trim) if isinstance(trim, list | tuple) else [trim]
    if len(given) not in (1, 2) or not all(_number(one) for one in given):
        raise EstimationError(told)
    ends = [float(one) for one in given]
    low, high = ends if len(ends) == 2 else (ends[0] if ate else 0.0, 1 - ends[0])
    if not 0 <= low < high <= 1 or (len(ends) == 1 and not 0 < ends[0] < 0.5):
        raise EstimationError(told)
    return low, high


def _number(value: object) -> bool:
    """Whether it is a number and not a yes or no."""
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def kept_by(panel: Panel, probability: np.ndarray, bounds: tuple[float, float] | None) -> np.ndarray:
    """Say who is kept.

    Parameters
    ----------
    panel : Panel
        The people.
    probability : ndarray, shape (n,)
        Scores.
    bounds : (float, float) or None
        From `score_bounds`.

    Returns
    -------
    ndarray of bool, shape (n,)

    Raises
    ------
    EstimationError
        Fewer than two people of an arm are left.
    """
    if bounds is None:
        return np.ones(len(probability), bool)
    keep = (probability >= bounds[0]) & (probability <= bounds[1])
    if min(int((keep & (panel.treated == arm)).sum()) for arm in (0, 1)) < 2:
        raise EstimationError(f"trim keeps scores from {bounds[0]:g} to {bounds[1]:g}, which leaves an arm empty.")
    return keep


def truncated(weights: np.ndarray, quantile: float | None, mine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lower the largest weights of one arm.

    Parameters
    ----------
    weights : ndarray, shape (n,)
        0 for who is not in the arm or was left out.
    quantile : float or None
        Of the arm's weights above 0: what lies above becomes this.
    mine : ndarray of bool, shape (n,)
        The arm.

    Returns
    -------
    (ndarray, ndarray of bool), both of shape (n,)
        Weights, and whose were lowered.

    Raises
    ------
    EstimationError
        Not a share between 0.5 and 1.
    """
    if quantile is None:
        return weights, np.zeros(len(weights), bool)
    if not (_number(quantile) and 0.5 <= quantile < 1):
        raise EstimationError("truncate must be a share from 0.5 up to 1, such as 0.99.")
    top = float(np.quantile(weights[mine & (weights > 0)], quantile))
    high = weights > top
    return np.where(high, top, weights), high


def trim_flags(panel: Panel, keep: np.ndarray, lowered: int) -> list[Flag]:
    """Say who was left out by the score, and that weights were lowered.

    Parameters
    ----------
    panel : Panel
        The people.
    keep : ndarray of bool, shape (n,)
        Who was kept.
    lowered : int
        How many weights were lowered.

    Returns
    -------
    list of Flag
        Empty where nothing was done.
    """
    flags = []
    if not keep.all():
        lost, all_treated = int(((panel.treated == 1) & ~keep).sum()), int((panel.treated == 1).sum())
        parts = [f"{disclosure.roughly(lost, all_treated)} of the treated"] if lost else []
        others, comparison = int(((panel.treated == 0) & ~keep).sum()), int((panel.treated == 0).sum())
        parts += [f"{disclosure.roughly(others, comparison)} of the comparison"] if others else []
        text = "People with extreme scores were left out, so the effect is that on those who were kept."
        flags.append(Flag("counterfactual", "caution", text, f"Left out: {' and '.join(parts)}."))
    if lowered:
        share = lowered / len(keep)
        text = "The largest weights were lowered, which leaves some of the difference between the arms in the estimate."
        detail = f"{disclosure.roughly(lowered, len(keep)).capitalize()} of those analysed had theirs lowered."
        flags.append(Flag("counterfactual", "caution" if share > MANY else "note", text, detail))
    return flags
