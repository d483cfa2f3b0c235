"""The likelihood of factor models with means in several groups: its height, slope and curvature at a point.

Each free place of a model moves the implied covariance by a pair of outer products and the implied mean by one vector.
Slopes and curvatures are sums over these vectors, so no derivative of a whole matrix is ever built.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np


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

    @cached_property
    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows and columns that are free; of a square matrix the lower half, of a vector column 0."""
        free = np.atleast_2d(self.index.T).T >= 0
        square = self.index.ndim == 2 and self.index.shape[0] == self.index.shape[1]
        symmetric = square and np.array_equal(self.index, self.index.T)
        row, column = np.nonzero(np.tril(free) if symmetric else free)
        return row, column

    def numbers(self) -> np.ndarray:
        """The parameters at the free places, in the order of `places`."""
        row, column = self.places
        return np.atleast_2d(self.index.T).T[row, column]


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

    @cached_property
    def numbers(self) -> np.ndarray:
        """The parameter at every free place: loadings, factors, residuals, intercepts, means."""
        return np.concatenate([getattr(self, part.name).numbers() for part in fields(self)])

    @cached_property
    def gather(self) -> tuple[np.ndarray, np.ndarray]:
        """The parameters this group uses, and the matrix that sums places into them."""
        own, place = np.unique(self.numbers, return_inverse=True)
        matrix = np.zeros((len(own), len(place)))
        matrix[place, np.arange(len(place))] = 1.0
        return own, matrix

    def renumbered(self) -> GroupModel:
        """The same model with its own parameters numbered from 0."""
        own, _ = self.gather
        parts = {part.name: getattr(self, part.name) for part in fields(self)}
        return GroupModel(**{
            name: Slots(np.where(slots.index >= 0, np.searchsorted(own, slots.index), -1), slots.fixed)
            for name, slots in parts.items()
        })  # fmt: skip


@dataclass(frozen=True, eq=False)
class Local:
    """The likelihood around a point.

    Attributes
    ----------
    value : float
        The discrepancy: times n it is the chi-square.
    slope : ndarray, shape (m,)
        Its first derivatives.
    expected, observed : ndarray, shape (m, m)
        Its second derivatives: as they are on average where the model is true, and as they are.
    """

    value: float
    slope: np.ndarray
    expected: np.ndarray
    observed: np.ndarray


@dataclass(frozen=True, eq=False)
class Surface:
    """Samples and models of all groups.

    Attributes
    ----------
    samples, models : sequences of equal length
        One per group.
    size : int
        Number of parameters.
    with_means : bool
        Whether the means belong to the model.
    """

    samples: Sequence[Sample]
    models: Sequence[GroupModel]
    size: int
    with_means: bool

    @cached_property
    def total(self) -> int:
        """Persons in all groups."""
        return sum(sample.n for sample in self.samples)

    def height(self, point: np.ndarray) -> float:
        """The discrepancy; infinite where an implied covariance is not positive definite."""
        value = 0.0
        for sample, model in zip(self.samples, self.models, strict=True):
            around = _around(sample, model, point, self.with_means)
            if around is None:
                return np.inf
            value += sample.n / self.total * around[0]
        return value

    def local(self, point: np.ndarray) -> Local:
        """Discrepancy, slope and curvatures at a point where the discrepancy is finite."""
        value, slope = 0.0, np.zeros(self.size)
        expected, observed = np.zeros((self.size, self.size)), np.zeros((self.size, self.size))
        for sample, model in zip(self.samples, self.models, strict=True):
            around = _around(sample, model, point, self.with_means)
            if around is None:
                return Local(np.inf, slope, expected, observed)
            share = sample.n / self.total
            own, gather = model.gather
            found = _derivatives(model, point, around[1:])
            value += share * around[0]
            slope[own] += share * (gather @ found[0])
            expected[np.ix_(own, own)] += share * (gather @ found[1] @ gather.T)
            observed[np.ix_(own, own)] += share * (gather @ found[2] @ gather.T)
        return Local(value, slope, expected, observed)


def _around(
    sample: Sample, model: GroupModel, point: np.ndarray, with_means: bool
) -> tuple[float, np.ndarray, np.ndarray, np.ndarray] | None:
    """Discrepancy of a group, what whitens its implied covariance, and what is left of covariance and mean."""
    covariance, mean = model.implied(point)
    try:
        lower = np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        return None
    white = np.linalg.inv(lower)
    gap = white @ (sample.mean - mean) if with_means else np.zeros(len(mean))
    scatter = white @ sample.covariance @ white.T
    value = 2 * np.log(np.diag(lower)).sum() - sample.log_volume + np.trace(scatter) - len(mean) + gap @ gap
    return float(value), white, np.eye(len(mean)) - scatter - np.outer(gap, gap), gap


def _derivatives(
    model: GroupModel, point: np.ndarray, around: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Slope, expected and observed curvature of one group by free place.

    Writing a place's effect on the covariance as M = uv' + vu' and on the mean as a, all whitened, K for what is left
    of the covariance and d for what is left of the mean: slope tr(K M) - 2 a'd, expected curvature tr(M M) + 2 a'a, and
    the observed one less 2 tr(K M M), plus 4 a'M d and what two places do together.
    """
    white, pull, gap = around
    left, right, shift = _directions(model, point, white)
    slope = 2 * ((left @ pull) * right).sum(axis=1) - 2 * shift @ gap
    mixed = left @ right.T
    expected = 2 * ((left @ left.T) * (right @ right.T) + mixed * mixed.T + shift @ shift.T)
    pulled = (left @ pull @ left.T, left @ pull @ right.T, right @ pull @ right.T)
    triple = mixed.T * pulled[1] + (right @ right.T) * pulled[0] + (left @ left.T) * pulled[2] + mixed * pulled[1].T
    means = (shift @ left.T) * (right @ gap) + (shift @ right.T) * (left @ gap)
    together = _together(model, point, (white.T @ pull @ white, white.T @ gap))
    return slope, expected, expected - triple - triple.T + 2 * (means + means.T) + together


def _directions(model: GroupModel, point: np.ndarray, white: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """By free place u, v and a, whitened, each of shape (places, p)."""
    loadings = model.loadings.filled(point)
    reach = white @ loadings
    spread, means = reach @ model.factors.filled(point), model.means.filled(point)
    row, column = model.loadings.places
    parts = [(white[:, row], spread[:, column], white[:, row] * means[column])]
    for slots, basis in ((model.factors, reach), (model.residuals, white)):
        row, column = slots.places
        half = np.where(row == column, 0.5, 1.0)
        parts.append((basis[:, row], basis[:, column] * half, np.zeros((len(white), len(row)))))
    for slots, basis in ((model.intercepts, white), (model.means, reach)):
        row, _ = slots.places
        flat = np.zeros((len(white), len(row)))
        parts.append((flat, flat, basis[:, row]))
    left, right, shift = (np.concatenate([part[place] for part in parts], axis=1).T for place in range(3))
    return left, right, shift


def _together(model: GroupModel, point: np.ndarray, left: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """What two places change together: loadings with loadings, with factor variances and with factor means."""
    pull, gap = left
    counts = [len(getattr(model, part.name).places[0]) for part in fields(model)]
    ends = np.cumsum([0, *counts])
    found = np.zeros((ends[-1], ends[-1]))
    row, column = model.loadings.places
    found[: ends[1], : ends[1]] = 2 * pull[np.ix_(row, row)] * model.factors.filled(point)[np.ix_(column, column)]
    first, second = model.factors.places
    reach = pull @ model.loadings.filled(point)
    half = np.where(first == second, 0.5, 1.0)
    same_first, same_second = column[:, None] == first, column[:, None] == second
    cross = 2 * half * (same_second * reach[np.ix_(row, first)] + same_first * reach[np.ix_(row, second)])
    mean = -2 * gap[row][:, None] * (column[:, None] == model.means.places[0])
    for block, start, end in ((cross, ends[1], ends[2]), (mean, ends[4], ends[5])):
        found[: ends[1], start:end] = block
        found[start:end, : ends[1]] = block.T
    return found
