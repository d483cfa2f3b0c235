"""The search for the greatest likelihood of a factor model: Newton steps where they lead down, else Fisher scoring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evalkit.errors import EstimationError
from evalkit.outcomes.factors.surface import Local, Surface

_STEPS = 200
_SETTLED = 1e-13
_ROUNDING = 1e-9
_SINGULAR = 1e-9
# Of an item's variance: the least a residual variance may be where the free search does not settle.
FLOOR = 0.005
# A free search that goes this far below nought runs away: there is no greatest likelihood on that side.
_FAR = -0.5
_HAIR = 0.02


@dataclass(frozen=True, eq=False)
class Solution:
    """Where the search ended.

    Attributes
    ----------
    parameters : ndarray, shape (m,)
        The estimates.
    discrepancy : float
        Times n it is the chi-square.
    information : ndarray, shape (m, m)
        Expected second derivatives of the discrepancy.
    gradient : float
        The largest slope left, each in units of its parameter's own standard scale.
    steps : int
        That were taken.
    held : int
        Residual variances that had to be held at their floor.
    """

    parameters: np.ndarray
    discrepancy: float
    information: np.ndarray
    gradient: float
    steps: int
    held: int = 0


def fitted(surface: Surface, starts: Sequence[np.ndarray]) -> Solution:
    """Find the parameters of greatest likelihood.

    Residual variances are free to go below nought, as in lavaan; only where that search does not settle are they held
    at a floor. Groups that share no parameter are searched one by one.

    Parameters
    ----------
    surface : Surface
        Samples and models.
    starts : sequence of ndarray, shape (m,)
        Where to begin; the first at which the implied covariances are positive definite is used.

    Returns
    -------
    Solution
        At which the slope is nil.

    Raises
    ------
    EstimationError
        The search did not settle.

    References
    ----------
    Joreskog (1971), Psychometrika 36, 409-426. Browne and Arminger (1995), Handbook of Statistical Modeling, 185-249.
    """
    owned = [model.gather[0] for model in surface.models]
    if len(owned) > 1 and sum(len(own) for own in owned) == surface.size:
        return _one_by_one(surface, starts, owned)
    possible = [start for start in starts if np.isfinite(surface.height(start))]
    far, near = (_floors(surface, share) for share in (_FAR, FLOOR))
    for begin, floor in [*((start, far) for start in possible[:1]), *((start, near) for start in possible[::-1])]:
        found = _search(surface, np.maximum(begin, floor), floor, leave=floor is far)
        if found is not None:
            return found
    raise EstimationError(
        "The factor model did not settle: the search for the greatest likelihood ended on a slope. Fewer groups, more "
        "persons per group, or leaving out an item that hardly loads usually helps."
    )


def _one_by_one(surface: Surface, starts: Sequence[np.ndarray], owned: list[np.ndarray]) -> Solution:
    """Search each group by itself and put the solutions together."""
    point, information = np.zeros(surface.size), np.zeros((surface.size, surface.size))
    value, parts = 0.0, []
    for sample, model, own in zip(surface.samples, surface.models, owned, strict=True):
        alone = Surface([sample], [model.renumbered()], len(own), surface.with_means)
        found = fitted(alone, [start[own] for start in starts])
        share = sample.n / surface.total
        point[own], information[np.ix_(own, own)] = found.parameters, share * found.information
        value += share * found.discrepancy
        parts.append(found)
    steepest, steps = max(part.gradient for part in parts), max(part.steps for part in parts)
    return Solution(point, value, information, steepest, steps, sum(part.held for part in parts))


def _floors(surface: Surface, share: float) -> np.ndarray:
    """The least each residual variance may be, as a share of its item's smallest variance; nothing else is held."""
    least = np.full(surface.size, np.inf)
    for sample, model in zip(surface.samples, surface.models, strict=True):
        place = np.diag(model.residuals.index)
        np.minimum.at(least, place[place >= 0], np.diag(sample.covariance)[place >= 0])
    return np.where(np.isinf(least), -np.inf, share * least)


def _search(surface: Surface, start: np.ndarray, floor: np.ndarray, leave: bool) -> Solution | None:
    """Go down until the slope is nil, parameters at or above their floor.

    None where it does not settle, or, when told to ``leave``, where a parameter would have to be held.
    """
    point, here = start, surface.local(start)
    edge = np.where(np.isfinite(floor), floor + _HAIR * np.abs(np.where(np.isfinite(floor), floor, 0.0)), -np.inf)
    for count in range(_STEPS):
        held = (point <= edge) & (here.slope > 0)
        if leave and held.any():
            return None
        # Within a hair of the floor and pushed further down: put on the floor, or the steps would only graze it.
        point = np.where(held, floor, point)
        slope = np.where(held, 0.0, here.slope)
        step, scale = _step(slope, here, ~held)
        gain = float(-slope @ step)
        settled = gain < _SETTLED * max(1.0, here.value)
        moved = None if settled else _moved(surface, point, step, (here.value, gain), floor)
        if settled or (moved is None and gain < _ROUNDING * max(1.0, here.value)):
            gradient = float(np.abs(slope / scale).max(initial=0.0))
            return Solution(point, here.value, here.expected, gradient, count, int(held.sum()))
        if moved is None:
            return None
        point, here = moved, surface.local(moved)
    return None


def _step(slope: np.ndarray, here: Local, free: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The Newton step where the surface curves upward in all directions, else that of Fisher scoring."""
    scale = np.sqrt(np.maximum(np.diag(here.expected), 1e-300))
    step, down, unit = np.zeros(len(slope)), (-slope / scale)[free], np.outer(scale, scale)
    for curvature in (here.observed, here.expected):
        scaled = (curvature / unit)[np.ix_(free, free)]
        try:
            np.linalg.cholesky(scaled - _SINGULAR * np.eye(len(scaled)))
        except np.linalg.LinAlgError:
            continue
        step[free] = np.linalg.solve(scaled, down)
        return step / scale, scale
    # Without a full rank even on average: never along a direction that leaves no trace.
    step[free] = np.linalg.lstsq((here.expected / unit)[np.ix_(free, free)], down, rcond=_SINGULAR)[0]
    return step / scale, scale


def _moved(
    surface: Surface, point: np.ndarray, step: np.ndarray, now: tuple[float, float], floor: np.ndarray
) -> np.ndarray | None:
    """Halve the step until the fit is better, or none where no step helps."""
    value, gain = now
    length = 1.0
    for _ in range(40):
        there = np.maximum(point + length * step, floor)
        if surface.height(there) <= value - 1e-4 * length * gain + 1e-15 * max(1.0, value):
            return there
        length /= 2
    return None


def identified(solution: Solution) -> bool:
    """Whether every parameter leaves its own trace in the implied means and covariances."""
    information = solution.information
    scale = np.sqrt(np.maximum(np.diag(information), 0.0))
    if (scale <= 0).any():
        return False
    return bool(np.linalg.eigvalsh(information / np.outer(scale, scale))[0] > _SINGULAR)
