"""Where the search for a factor model begins: one factor at a time, then how they go together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evalkit.errors import EstimationError
from evalkit.outcomes.factors.surface import Sample
from evalkit.outcomes.items.onefactor import first_loadings, fit_correlation

_LARGEST = 0.8


@dataclass(frozen=True, eq=False)
class GroupStart:
    """First guesses for one group, in the items' own units.

    Attributes
    ----------
    loadings, residuals, intercepts : ndarray, shape (p,)
        Of each item.
    factors : ndarray, shape (q, q)
        Variances and covariances of the factors.
    """

    loadings: np.ndarray
    residuals: np.ndarray
    intercepts: np.ndarray
    factors: np.ndarray


def group_start(sample: Sample, owner: np.ndarray, factors: int) -> GroupStart:
    """Guess loadings from each factor's own items and correlations from what they share.

    Parameters
    ----------
    sample : Sample
        Its covariance positive definite.
    owner : ndarray of int, shape (p,)
        The factor of each item.
    factors : int
        How many.

    Returns
    -------
    GroupStart
        With factors of variance 1; the covariance it implies is positive definite.
    """
    spread = np.sqrt(np.diag(sample.covariance))
    correlation = sample.covariance / np.outer(spread, spread)
    loadings = np.zeros(len(owner))
    for factor in range(factors):
        own = np.flatnonzero(owner == factor)
        loadings[own] = _loadings(correlation[np.ix_(own, own)])
    weights = np.zeros((len(owner), factors))
    weights[np.arange(len(owner)), owner] = loadings
    power = (weights**2).sum(axis=0)
    between = np.clip(weights.T @ correlation @ weights / np.outer(power, power), -_LARGEST, _LARGEST)
    np.fill_diagonal(between, 1.0)
    return GroupStart(loadings * spread, (1 - loadings**2) * spread**2, sample.mean, _possible(between))


def scaled_by_marker(start: GroupStart, owner: np.ndarray, marker: bool) -> GroupStart:
    """The same guesses with the first item of each factor as its unit, if asked."""
    if not marker:
        return start
    first = [int(np.flatnonzero(owner == factor)[0]) for factor in range(len(start.factors))]
    unit = start.loadings[first]
    return GroupStart(
        start.loadings / unit[owner], start.residuals, start.intercepts, start.factors * np.outer(unit, unit)
    )


def _loadings(correlation: np.ndarray) -> np.ndarray:
    """By the one-factor model where it exists, else by the leading axis."""
    if len(correlation) == 1:
        return np.array([_LARGEST])
    try:
        found = fit_correlation(correlation)[0] if len(correlation) > 2 else first_loadings(correlation)
    except EstimationError:
        found = first_loadings(correlation)
    # Never at the edge: a loading of nought or of one would leave the search without a slope.
    return np.clip(np.where(np.abs(found) < 0.05, 0.05, found), -0.95, 0.95)


def _possible(between: np.ndarray) -> np.ndarray:
    """Pull correlations towards nought until they are possible together."""
    pulled = between
    while np.linalg.eigvalsh(pulled)[0] < 0.05:
        pulled = 0.8 * pulled + 0.2 * np.eye(len(between))
    return pulled
