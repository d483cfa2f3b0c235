"""Weights of comparison areas whose mix follows the treated area's outcome before the start."""

from __future__ import annotations

import numpy as np

# The mix that fits is the only one where the treated area lies outside the donors' range; inside it many fit alike, and
# this share of the donors' own variation settles on the most even of them. It moves a unique answer by about 1e-9.
EVENNESS = 1e-10


def donor_weights(path: np.ndarray, donors: np.ndarray) -> np.ndarray:
    """Mix the comparison areas so that they follow a path most closely.

    Minimises the sum of squared gaps with weights that are not negative and sum to 1.

    Parameters
    ----------
    path : ndarray, shape (n_times,)
        The treated area's outcome at the times before.
    donors : ndarray, shape (n_donors, n_times)
        The comparison areas' at the same times.

    Returns
    -------
    ndarray, shape (n_donors,)
        Sum 1. The exact solution of the quadratic programme; where several mixes fit equally well the most even one.

    Notes
    -----
    With weights w = s u, u on the simplex, the least of |Z w|^2 + (sum w - 1)^2 over s is |Z u|^2 / (1 + |Z u|^2),
    which grows with |Z u|^2: so the non-negative least squares solution, scaled to sum 1, is the one wanted.

    References
    ----------
    Abadie, Diamond and Hainmueller (2010), JASA 105, 493-505, with the outcome before as the only predictor; Lawson
    and Hanson (1974), Solving Least Squares Problems, chapter 23.
    """
    from scipy.optimize import nnls

    gaps = (donors - path).T
    n = gaps.shape[1]
    scale = float(np.sqrt((gaps**2).mean()))
    if n == 1 or scale == 0:
        return np.full(n, 1 / n)
    design = np.vstack([gaps / scale, np.sqrt(EVENNESS) * np.eye(n), np.ones(n)])
    wanted = np.zeros(len(design))
    wanted[-1] = 1.0
    weights, _ = nnls(design, wanted, maxiter=100 * n)
    return np.asarray(weights / weights.sum())


def out_of_range(path: np.ndarray, donors: np.ndarray) -> np.ndarray:
    """Say at which times no mix of donors can reach the treated area.

    Parameters
    ----------
    path, donors : ndarray, shape (n_times,) and (n_donors, n_times)
        Outcomes.

    Returns
    -------
    ndarray of bool, shape (n_times,)
        Whether the treated area lies above the highest or below the lowest of them.
    """
    return np.asarray((path > donors.max(axis=0)) | (path < donors.min(axis=0)))
