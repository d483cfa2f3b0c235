"""Standard errors that hold when the model of the covariance does not: sums of what each cluster contributes (CR2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evalkit.outcomes.growing.fit import Fit
from evalkit.outcomes.growing.likelihood import apply
from evalkit.outcomes.growing.sums import Array

_ROOM = 1e-8  # a direction with less room than this is fitted by one cluster alone
_SLIGHT = 0.01  # below this leverage three terms of a series give the root to 1e-8


@dataclass(frozen=True)
class Sandwich:
    """What each cluster (or person, where there are no clusters) contributes to the coefficients.

    Attributes
    ----------
    root : ndarray, shape (p, p)
        Lower-triangular root of the inverse of X'V^-1 X.
    shares : ndarray, shape (clusters, p, p)
        Each cluster's share of the information; they sum to the identity.
    bend : ndarray, shape (clusters, p, p)
        (I - share)^(-1/2); 0 in directions that a cluster fits alone.
    alone : ndarray, shape (directions, p)
        Those directions.
    scores : ndarray, shape (clusters, p)
        X'V^-1 r of each cluster, on the root's scale.
    turn : ndarray, shape (p, p)
        From the inner to the given basis, the outcome's unit included.
    """

    root: Array
    shares: Array
    bend: Array
    alone: Array
    scores: Array
    turn: Array

    def standard_error(self, contrast: Array) -> tuple[float, float]:
        """CR2 standard error of ``contrast`` @ coefficients, and Satterthwaite's degrees of freedom.

        Parameters
        ----------
        contrast : ndarray, shape (p,)
            Which combination of coefficients.

        Returns
        -------
        se, df : float
            Both missing where the contrast rests on one cluster alone, which leaves nothing to compare it with.

        Notes
        -----
        With the residuals e of cluster s and the fitted covariance V, each contributes a'(I - M)^(-1/2) L'u, where
        L L' = bread, M = L'X'V^-1 X L, u = X'V^-1 e and a = L'contrast: the root is taken in the space of the fixed
        terms, which gives the same as taking that of I - H over whitened rows. The variance is unbiased if V holds, and
        right for many clusters if V does not.
        """
        a = self.root.T @ (self.turn.T @ contrast)
        if ((self.alone @ a) ** 2 > _ROOM * (a @ a)).any():
            return np.nan, np.nan
        pulls = self.bend @ a
        shared = np.einsum("spq,sq->sp", self.shares, pulls)
        squares, lengths = (pulls * shared).sum(axis=1), (shared**2).sum(axis=1)
        trace = squares.sum() - lengths.sum()
        bottom = (squares**2).sum() - 2 * squares @ lengths + ((shared.T @ shared) ** 2).sum()
        if trace <= _ROOM * squares.sum() or bottom <= 0:
            return np.nan, np.nan
        own = (pulls * self.scores).sum(axis=1)
        return float(np.sqrt((own**2).sum())), float(trace**2 / bottom)


def sandwich(found: Fit) -> Sandwich:
    """Collect the contributions at an optimum.

    Parameters
    ----------
    found : Fit
        The optimum; clusters are those of its data, persons where it has none.

    Returns
    -------
    Sandwich
        From which any contrast has its standard error.

    References
    ----------
    Bell and McCaffrey (2002), Survey Methodology 28, 169-181; Pustejovsky and Tipton (2018), J. Business and Economic
    Statistics 36, 672-683, whose working covariance is here the fitted one.
    """
    information = _information(found)
    point = found.point
    p = len(point.beta)
    root = np.linalg.cholesky(point.bread)
    shares = np.einsum("ap,sab,bk->spk", root, information[:, :p, :p], root, optimize=True)
    scores = (information[:, :p, p] - information[:, :p, :p] @ point.beta) @ root
    bend, alone = _bend(shares)
    return Sandwich(root, shares, bend, alone, scores, found.sums.turn * found.sums.unit)


def _bend(shares: Array) -> tuple[Array, Array]:
    """(I - share)^(-1/2), by a series where the share is slight, and the directions without room."""
    square = shares @ shares
    bend = np.eye(shares.shape[1]) + shares / 2 + 3 / 8 * square + 5 / 16 * square @ shares
    large = np.flatnonzero(np.trace(shares, axis1=1, axis2=2) > _SLIGHT)
    values, vectors = np.linalg.eigh(shares[large])
    room = 1 - values
    power = np.where(room < _ROOM, 0.0, np.maximum(room, _ROOM) ** -0.5)
    bend[large] = np.einsum("spk,sk,sqk->spq", vectors, power, vectors, optimize=True)
    return bend, vectors.transpose(0, 2, 1)[room < _ROOM]


def _information(found: Fit) -> Array:
    """[X y]'V^-1 [X y] of every cluster, shape (clusters, m, m)."""
    sums, point = found.sums, found.point
    pulled = apply(point.k[:, :, sums.pattern], sums.c)
    m = sums.rows.shape[1]
    blocks = np.empty((int(sums.block.max()) + 1, m, m))
    for i in range(m):
        for j in range(i + 1):
            taken = (pulled[:, :, i] * sums.c[:, :, j]).sum(axis=0)
            if sums.group is not None:
                taken = np.bincount(sums.group, taken, minlength=sums.groups)
            given = np.bincount(sums.block, sums.rows[:, i] * sums.rows[:, j], minlength=len(blocks))
            blocks[:, i, j] = blocks[:, j, i] = given - taken
    if sums.groups:
        blocks -= np.einsum("asj,ask->sjk", apply(point.k2, point.pulled), point.pulled)
    return blocks
