"""People in clusters as a two-level model: one fit, what each row contributes, and how sure one can be."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.outcomes.growing.fit import Fit, fit, is_singular, satterthwaite
from evalkit.outcomes.growing.robust import Sandwich, sandwich
from evalkit.outcomes.growing.sums import free, sums_of

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class TwoLevels:
    """A fitted two-level model.

    Parameters
    ----------
    found : Fit
        The optimum.
    robust : Sandwich
        What each cluster contributes.
    x : ndarray, shape (n, p)
        Fixed terms, constant first.
    slope : ndarray, shape (n,), or None
        The variable whose slope differs between clusters.
    y : ndarray, shape (n,)
        Outcome.
    cluster : ndarray of int, shape (n,)
        Codes from 0 without gaps.
    """

    found: Fit
    robust: Sandwich
    x: Array
    slope: Array | None
    y: Array
    cluster: Array

    @property
    def singular(self) -> bool:
        """Whether a variance between clusters is estimated as nothing."""
        return is_singular(self.found.theta, self.found.entries, 0)

    def rows(self, contrast: Array) -> Array:
        """What each row contributes to ``contrast @ coefficients``.

        Parameters
        ----------
        contrast : ndarray, shape (p,)
            Which combination.

        Returns
        -------
        ndarray, shape (n,)
            Sums by cluster, squared and summed, are the CR2 variance.
        """
        robust, sums = self.robust, self.found.sums
        pulls = robust.bend @ (robust.root.T @ (robust.turn.T @ contrast))
        thin = self.x @ (sums.turn @ robust.root)
        return np.asarray((thin * pulls[self.cluster]).sum(axis=1) * self._weighted() / sums.unit)

    def _weighted(self) -> Array:
        """V^-1 r, with V over the residual variance."""
        beta = np.array([self.found.estimate(one) for one in np.eye(self.x.shape[1])])
        rest = self.y - self.x @ beta
        z = np.ones((len(rest), 1)) if self.slope is None else np.column_stack([np.ones(len(rest)), self.slope])
        relative = self.found.covariance(0) / self.found.residual
        count = int(self.cluster.max()) + 1
        own = np.column_stack([np.bincount(self.cluster, column * rest, minlength=count) for column in z.T])
        pairs = [[np.bincount(self.cluster, a * b, minlength=count) for b in z.T] for a in z.T]
        moments = np.moveaxis(np.array(pairs), 2, 0)
        inner = np.linalg.solve(np.eye(z.shape[1]) + relative @ moments, (own @ relative.T)[:, :, None])[:, :, 0]
        return np.asarray(rest - (z * inner[self.cluster]).sum(axis=1))

    def degrees_of_freedom(self, contrast: Array, column: Array) -> float:
        """How many degrees of freedom the model's standard error has.

        Parameters
        ----------
        contrast : ndarray, shape (p,)
            Which combination.
        column : ndarray, shape (n,)
            The fixed term whose coefficient it is.

        Returns
        -------
        float
            Satterthwaite's, and never more than between-within: clusters less terms that do not vary within them where
            the column does not either; with a slope of its own in each cluster, clusters less the fixed terms.
        """
        count = int(self.cluster.max()) + 1
        steady = np.array([_constant_within(one, self.cluster) for one in self.x.T])
        limit = float(len(self.y) - count - (~steady).sum())
        if _constant_within(column, self.cluster):
            limit = float(count - steady.sum())
        elif self.slope is not None:
            limit = float(count - 1)
        return max(min(satterthwaite(self.found, contrast), limit), 1.0)

    def variances(self, names: tuple[str, str]) -> pd.Series:
        """The variance components.

        Parameters
        ----------
        names : (str, str)
            Of the cluster column and of the variable with a slope.

        Returns
        -------
        Series
            "<cluster> intercept", "<cluster> slope of <variable>", "<cluster> covariance", "residual": variances and a
            covariance in squared units of the outcome.
        """
        between = self.found.covariance(0)
        parts = {f"{names[0]} intercept": float(between[0, 0])}
        if self.slope is not None:
            parts[f"{names[0]} slope of {names[1]}"] = float(between[1, 1])
            parts[f"{names[0]} covariance"] = float(between[0, 1])
        return pd.Series(parts | {"residual": self.found.residual}, name="variance")


def two_levels(y: Array, x: Array, slope: Array | None, cluster: Array, reml: bool) -> TwoLevels:
    """Fit a two-level model by (restricted) maximum likelihood.

    Parameters
    ----------
    y : ndarray, shape (n,)
        Outcome.
    x : ndarray, shape (n, p)
        Fixed terms, constant first.
    slope : ndarray, shape (n,), or None
        The variable whose slope differs between clusters; None for intercepts only.
    cluster : ndarray of int, shape (n,)
        Codes from 0 without gaps.
    reml : bool
        Restricted likelihood.

    Returns
    -------
    TwoLevels
        The fit.

    Raises
    ------
    EstimationError
        Fixed terms repeat each other, the outcome has no spread, or no best fit was found.
    """
    kind = "intercept" if slope is None else "slope"
    found = fit(sums_of(y, x, slope, cluster, None), free([kind]), reml)
    return TwoLevels(found, sandwich(found), x, slope, y, cluster)


def _constant_within(column: Array, cluster: Array) -> bool:
    """Whether a column has one value in each cluster."""
    first = np.unique(cluster, return_index=True)[1]
    return bool((column == column[first][cluster]).all())


def scaled_to(rows: Array, cluster: Array, se: float) -> Array:
    """Contributions scaled so that their cluster sums, squared and summed, are the square of a standard error.

    Parameters
    ----------
    rows : ndarray, shape (n,)
        Contributions.
    cluster : ndarray of int, shape (n,)
        Codes.
    se : float
        The standard error wanted.

    Returns
    -------
    ndarray, shape (n,)
        As they were where all are 0.
    """
    now = math.sqrt(float((np.bincount(cluster, rows) ** 2).sum()))
    return rows * (se / now) if now > 0 and math.isfinite(se) else rows
