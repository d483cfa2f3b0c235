"""One test of a whole specification curve, for arms that were assigned by chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.counterfactual.many.curves import SpecificationCurve, specification_curve, task_of
from evalkit.counterfactual.many.running import run_all
from evalkit.counterfactual.many.scales import scales_of
from evalkit.counterfactual.many.shuffling import Shuffle, assigned_as
from evalkit.counterfactual.many.specifications import Specification
from evalkit.counterfactual.registry import find_estimator
from evalkit.errors import EstimationError, Flag, as_list


@dataclass(frozen=True, eq=False)
class CurveTest:
    """Whether the whole curve could be chance.

    Parameters
    ----------
    table : DataFrame, one row per statistic
        statistic ("median effect", "share significant on the main one's side", "average z"), observed, expected
        (its mean over the deals), p.
    draws : int
        Deals of the arms, the real one not counted.
    curve : SpecificationCurve
        The real one.
    says : str
        In a sentence.
    flags : tuple of Flag
        What a reader must be told.
    """

    table: pd.DataFrame
    draws: int
    curve: SpecificationCurve
    says: str
    flags: tuple[Flag, ...]

    def _repr_html_(self) -> str:
        return f"<p>{self.says}</p>{self.table.to_html(index=False, float_format='{:.3f}'.format)}{as_list(self.flags)}"


def curve_test(
    frame: pd.DataFrame,
    specifications: Sequence[Specification],
    *,
    draws: int = 200,
    seed: int = 0,
    workers: int = 2,
    standardise: bool | Mapping[str, float] = False,
    **arguments: Any,
) -> CurveTest:
    """Deal the arms out again many times and ask how often a curve as far from nothing appears.

    The arms are dealt out as they were assigned: whole clusters where each lies in one arm, else people, within
    strata. Every specification is run at every deal, so the time is draws times that of the curve.

    Parameters
    ----------
    frame, specifications, workers, standardise, **arguments
        As for `specification_curve`; ``main`` and ``level`` too.
    draws : int
        Deals.
    seed : int
        Of the deals.

    Returns
    -------
    CurveTest
        Two-sided p for the median effect and the average z; for the share that is significant, on the main one's side
        against the larger of both sides at each deal.

    Raises
    ------
    EstimationError
        The estimators have no people in two arms, or draws are fewer than 20.

    References
    ----------
    Simonsohn, Simmons and Nelson (2020), Nature Human Behaviour 4, 1208-1214 (joint inference over the curve).
    """
    if draws < 20:
        raise EstimationError("the test of a curve needs 20 draws or more; 500 are better.")
    if not all(find_estimator(one.estimator).persons for one in specifications if not one.why):
        raise EstimationError("the test of a curve is for people in two arms; these estimators have none.")
    curve = specification_curve(frame, specifications, workers=workers, standardise=standardise, **arguments)
    able = {one.id: one for one in specifications if not one.why}
    wanted = [able[name] for name in curve.counted["id"]]
    own = {name: value for name, value in arguments.items() if name not in ("main", "level")}
    unit, within = assigned_as(frame, own)
    tasks = [
        replace(
            task_of(one, {**own, "level": curve.level}), shuffle=Shuffle(own["treated"], unit, within, (seed, draw))
        )
        for draw in range(draws)
        for one in wanted
    ]
    found = run_all(frame, tasks, workers)
    scales = scales_of(frame, wanted, standardise, own)
    told = [_numbers(answer, scales[one.outcome].value) for answer, one in zip(found, wanted * draws, strict=True)]
    dealt = np.array(told).reshape(draws, len(wanted), 4)
    real = curve.counted.set_index("id").loc[[one.id for one in wanted]]
    observed = real[["effect", "se", "low", "high"]].to_numpy(dtype=float)
    return _test(curve, observed, dealt)


def _numbers(answer: dict[str, Any], scale: float) -> tuple[float, float, float, float]:
    """Effect, standard error and interval in the curve's unit; missing where it could not be done."""
    if answer["why"]:
        return (np.nan,) * 4
    low, high = sorted((answer["low"] / scale, answer["high"] / scale))
    return answer["effect"] / scale, answer["se"] / abs(scale), low, high


def _statistics(numbers: np.ndarray, sign: float) -> np.ndarray:
    """Median effect, share significant on one side, average z of each deal."""
    effect, se, low, high = np.moveaxis(numbers, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.nanmean(effect / se, axis=-1)
    away = low > 0 if sign > 0 else high < 0
    return np.stack([np.nanmedian(effect, axis=-1), away.mean(axis=-1), z], axis=-1)


def _test(curve: SpecificationCurve, observed: np.ndarray, dealt: np.ndarray) -> CurveTest:
    """The real curve among the dealt ones."""
    whole = ~np.isnan(dealt[:, :, 0]).all(axis=1)
    dealt = dealt[whole]
    sign = float(np.sign(curve.main["effect"]))
    real, ours, theirs = _statistics(observed, sign), _statistics(dealt, sign), _statistics(dealt, -sign)
    far = np.abs(ours)
    far[:, 1] = np.maximum(ours[:, 1], theirs[:, 1])
    beyond = (far >= np.abs(real) * (1 - 1e-9)).sum(axis=0)
    p = (1 + beyond) / (1 + len(dealt))
    names = ["median effect", "share significant on the main one's side", "average z"]
    table = pd.DataFrame({"statistic": names, "observed": real, "expected": ours.mean(axis=0), "p": p})
    says = (
        f"If the programme had changed nothing for anybody, a median effect at least as far from nothing as "
        f"{words.number(real[0], 3)} would appear with p {words.p_value(p[0])} "
        f"({words.number(len(dealt), 0)} deals of the arms)."
    )
    text = "The test of the curve holds only where the arms were assigned by chance."
    flags = [
        Flag("counterfactual", "caution", text, "It tests no effect for anybody, over all specifications at once.")
    ]
    if not whole.all():
        flags.append(Flag("counterfactual", "note", "Some deals of the arms allowed no estimate and are left out."))
    return CurveTest(table, len(dealt), curve, says, tuple(flags))
