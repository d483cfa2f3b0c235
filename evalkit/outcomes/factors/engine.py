"""The search for the maximum: factor models with means in several groups, by Fisher scoring.

Each free place of a model moves the implied covariance by a pair of outer products and the implied mean by one vector.
Slopes and information are sums over these vectors, so no matrix of second derivatives of a matrix is ever built.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evalkit.errors import EstimationError

# Of an item's variance: the least a residual variance may be where the free search does not settle.
FLOOR = 0.005
# A free search that goes this far below nought runs away: there is no greatest likelihood on that side.
_FAR = -0.5
_STEPS = 200
_SETTLED = 1e-13
_ROUNDING = 1e-9
_SINGULAR = 1e-9


@dataclass(frozen=True, eq=False)
class Sample:
    """What one group tells a model.

    Attributes
    ----------
    covariance : ndarray, shape (p, p)
        Divisor n.
    mean : ndarray, shape (p,)
        Of the items.
    n : int
        Persons.
    """

    covariance: np.ndarray
    mean: np.ndarray
    n: int

    @cached_property
    def log_volume(self) -> float:
        """Logarithm of the determinant of the covariance."""
        return float(np.linalg.slogdet(self.covariance)[1])


@dataclass(frozen=True, eq=False)
class Slots:
    """One matrix or vector of a model: which parameter stands where, and the value where none does.

    Attributes
    ----------
    index : ndarray of int
        Number of the parameter, -1 where the value is fixed.
    fixed : ndarray of float
        The same shape.
    """

    index: np.ndarray
    fixed: np.ndarray

    def filled(self, parameters: np.ndarray) -> np.ndarray:
        """The matrix at these parameters."""
        return np.where(self.index >= 0, parameters[self.index], self.fixed)


@dataclass(frozen=True, eq=False)
class GroupModel:
    """The model of one group: covariance L P L' + T and mean i + L a.

    Attributes
    ----------
    loadings, factors, residuals, intercepts, means : Slots
        L (p, q), P (q, q), T (p, p), i (p,), a (q,).
    """

    loadings: Slots
    factors: Slots
    residuals: Slots
    intercepts: Slots
    means: Slots

    def implied(self, parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Covariance (p, p) and mean (p,) at these parameters."""
        loadings = self.loadings.filled(parameters)
        covariance = loadings @ self.factors.filled(parameters) @ loadings.T + self.residuals.filled(parameters)
        return covariance, self.intercepts.filled(parameters) + loadings @ self.means.filled(parameters)


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
        Of Fisher scoring.
    held : int
        Residual variances that had to be held at their floor.
    """

    parameters: np.ndarray
    discrepancy: float
    information: np.ndarray
    gradient: float
    steps: int
    held: int = 0


def fitted(
    samples: Sequence[Sample], models: Sequence[GroupModel], starts: Sequence[np.ndarray], with_means: bool
) -> Solution:
    """Find the parameters of greatest likelihood.

    Residual variances are free to go below nought, as in lavaan; only where that search does not settle are they held
    at a floor.

    Parameters
    ----------
    samples, models : sequences of equal length
        One per group.
    starts : sequence of ndarray, shape (m,)
        Where to begin; the first at which the implied covariances are positive definite is used.
    with_means : bool
        Whether the means belong to the model.

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
    possible = [start for start in starts if np.isfinite(_state(samples, models, start, with_means, full=False)[0])]
    far, near = (_floors(samples, models, len(starts[0]), share) for share in (_FAR, FLOOR))
    for begin, floor in [*((start, far) for start in possible[:1]), *((start, near) for start in possible[::-1])]:
        found = _scored(samples, models, np.maximum(begin, floor), floor, with_means, leave=floor is far)
        if found is not None and not (floor is far and found.held):
            return found
    raise EstimationError(
        "The factor model did not settle: the search for the greatest likelihood ended on a slope. Fewer groups, more "
        "persons per group, or leaving out an item that hardly loads usually helps."
    )


def _floors(samples: Sequence[Sample], models: Sequence[GroupModel], size: int, share: float) -> np.ndarray:
    """The least each residual variance may be, as a share of its item's smallest variance; nothing else is held."""
    least = np.full(size, np.inf)
    for sample, model in zip(samples, models, strict=True):
        place = np.diag(model.residuals.index)
        np.minimum.at(least, place[place >= 0], np.diag(sample.covariance)[place >= 0])
    return np.where(np.isinf(least), -np.inf, share * least)


def _scored(
    samples: Sequence[Sample],
    models: Sequence[GroupModel],
    start: np.ndarray,
    floor: np.ndarray,
    with_means: bool,
    leave: bool,
) -> Solution | None:
    """Fisher scoring, parameters held at or above their floor; none where it does not settle, or when told to leave."""
    point = start
    value, slope, information = _state(samples, models, point, with_means, full=True)
    for count in range(_STEPS):
        held = (point <= floor) & (slope > 0)
        step, scale = _step(np.where(held, 0.0, slope), information, ~held)
        gain = float(-slope @ step)
        settled = gain < _SETTLED * max(1.0, value)
        moved = None if settled else _moved(samples, models, (point, step, value, gain), floor, with_means)
        if settled or (moved is None and gain < _ROUNDING * max(1.0, value)):
            gradient = float(np.abs(np.where(held, 0.0, slope) / scale).max(initial=0.0))
            return Solution(point, value, information, gradient, count, int(held.sum()))
        if moved is None or (held.any() and leave):
            return None
        point = moved
        value, slope, information = _state(samples, models, point, with_means, full=True)
    return None


def _step(slope: np.ndarray, information: np.ndarray, free: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The Newton step with the expected information, in scaled units, never along a direction without information."""
    scale = np.sqrt(np.maximum(np.diag(information), 1e-300))
    scaled = (information / np.outer(scale, scale))[np.ix_(free, free)]
    step, down = np.zeros(len(slope)), (-slope / scale)[free]
    try:
        np.linalg.cholesky(scaled - _SINGULAR * np.eye(len(scaled)))
        step[free] = np.linalg.solve(scaled, down)
    except np.linalg.LinAlgError:
        step[free] = np.linalg.lstsq(scaled, down, rcond=_SINGULAR)[0]
    return step / scale, scale


def _moved(
    samples: Sequence[Sample],
    models: Sequence[GroupModel],
    now: tuple[np.ndarray, np.ndarray, float, float],
    floor: np.ndarray,
    with_means: bool,
) -> np.ndarray | None:
    """Halve the step until the fit is better, or none where no step helps."""
    point, step, value, gain = now
    length = 1.0
    for _ in range(40):
        there = np.maximum(point + length * step, floor)
        found = _state(samples, models, there, with_means, full=False)[0]
        if found <= value - 1e-4 * length * gain + 1e-15 * max(1.0, value):
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


# ---------------------------------------------------------------- discrepancy, slope, information


def _state(
    samples: Sequence[Sample], models: Sequence[GroupModel], point: np.ndarray, with_means: bool, full: bool
) -> tuple[float, np.ndarray, np.ndarray]:
    """Discrepancy over all groups, with slope and information when asked; infinite where a covariance is impossible."""
    size = len(point) if full else 0
    slope, information, value = np.zeros(size), np.zeros((size, size)), 0.0
    total = sum(sample.n for sample in samples)
    for sample, model in zip(samples, models, strict=True):
        covariance, mean = model.implied(point)
        try:
            lower = np.linalg.cholesky(covariance)
        except np.linalg.LinAlgError:
            return np.inf, slope, information
        white = np.linalg.inv(lower)
        share = sample.n / total
        gap = white @ (sample.mean - mean) if with_means else np.zeros(len(mean))
        scatter = white @ sample.covariance @ white.T
        log_ratio = 2 * np.log(np.diag(lower)).sum() - sample.log_volume
        value += share * (log_ratio + np.trace(scatter) - len(mean) + gap @ gap)
        if full:
            pull = np.eye(len(mean)) - scatter - np.outer(gap, gap)
            _add_group(model, point, (white, pull, gap), share, (slope, information))
    return float(value), slope, information


def _add_group(
    model: GroupModel,
    point: np.ndarray,
    whitened: tuple[np.ndarray, np.ndarray, np.ndarray],
    share: float,
    sums: tuple[np.ndarray, np.ndarray],
) -> None:
    """Add one group's part to the slope and the information."""
    white, pull, gap = whitened
    number, left, right, shift = _directions(model, point, white)
    slope = 2 * ((left @ pull) * right).sum(axis=1) - 2 * shift @ gap
    information = 2 * ((left @ left.T) * (right @ right.T) + (left @ right.T) * (right @ left.T))
    information += 2 * shift @ shift.T
    own, place = np.unique(number, return_inverse=True)
    gather = np.zeros((len(own), len(number)))
    gather[place, np.arange(len(number))] = 1.0
    sums[0][own] += share * (gather @ slope)
    sums[1][np.ix_(own, own)] += share * (gather @ information @ gather.T)


def _directions(model: GroupModel, point: np.ndarray, white: np.ndarray) -> tuple[np.ndarray, ...]:
    """Each free place as (u, v, a): it moves the covariance by uv' + vu' and the mean by a, both whitened.

    Returns
    -------
    number : ndarray of int, shape (places,)
        The parameter that stands there.
    left, right, shift : ndarray, shape (places, p)
        u, v and a.
    """
    loadings = model.loadings.filled(point)
    reach = white @ loadings
    spread, means = reach @ model.factors.filled(point), model.means.filled(point)
    row, column = np.nonzero(model.loadings.index >= 0)
    parts = [(model.loadings.index[row, column], white[:, row], spread[:, column], white[:, row] * means[column])]
    for slots, basis in ((model.factors, reach), (model.residuals, white)):
        row, column = np.nonzero(np.tril(slots.index >= 0))
        half = np.where(row == column, 0.5, 1.0)
        flat = np.zeros((len(white), len(row)))
        parts.append((slots.index[row, column], basis[:, row], basis[:, column] * half, flat))
    for slots, basis in ((model.intercepts, white), (model.means, reach)):
        place = np.flatnonzero(slots.index >= 0)
        flat = np.zeros((len(white), len(place)))
        parts.append((slots.index[place], flat, flat, basis[:, place]))
    number = np.concatenate([part[0] for part in parts])
    return number, *(np.concatenate([part[place] for part in parts], axis=1).T for place in (1, 2, 3))
