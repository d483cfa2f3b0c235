"""Least squares: the fit, what each row contributes, and the degrees of freedom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.errors import EstimationError

Array = np.ndarray
CLUSTERED = ("cr1s", "cr2", "cr3")
_NO_ROOM = 1e-10  # a direction with less room than this is fitted by one cluster alone
_ROOM_FOR_ALL = 20_000_000  # numbers that may be held for all clusters together


@dataclass(frozen=True)
class Fit:
    """A least-squares fit: x (n, k), residuals (n,), beta (k,), bread = inverse of x'x (k, k), absorbed parameters."""

    x: Array
    residuals: Array
    beta: Array
    bread: Array
    absorbed: int = 0


def least_squares(y: Array, x: Array, absorbed: int = 0) -> Fit:
    """Fit y on the columns of x.

    Parameters
    ----------
    y : ndarray, shape (n,)
        Outcome.
    x : ndarray, shape (n, k)
        Design, constant included where there is one.
    absorbed : int
        Fixed effects already taken out of y and x that cost degrees of freedom.

    Returns
    -------
    Fit
        Coefficients, residuals and bread.

    Raises
    ------
    EstimationError
        Columns of the design repeat each other, or there are fewer rows than columns.
    """
    n, k = x.shape
    scale = np.sqrt((x**2).sum(axis=0))
    enough = n > k + absorbed and (scale > 0).all()
    q, r = np.linalg.qr(x / scale) if enough else (x, np.zeros((k, k)))
    if not enough or np.linalg.matrix_rank(r, rtol=n * np.finfo(float).eps) < k:
        raise EstimationError(
            f"the regression has {k + absorbed} terms and {n} rows, or terms that repeat each other, so its effect "
            "cannot be told apart. Drop covariates."
        )
    inverse = np.linalg.inv(r) / scale[:, None]
    beta = inverse @ (q.T @ y)
    return Fit(x, y - x @ beta, beta, inverse @ inverse.T, absorbed)


def row_contributions(fit: Fit, contrast: Array, se: str, cluster: Array | None = None) -> Array:
    """What each row contributes to the estimate ``contrast @ beta``.

    Parameters
    ----------
    fit : Fit
        The regression.
    contrast : ndarray, shape (k,)
        Which combination of coefficients.
    se : {"classical", "hc0", "hc1", "hc2", "hc3", "cr1s", "cr2", "cr3"}
        The kind of standard error.
    cluster : ndarray of int, shape (n,), optional
        Cluster codes; needed by the kinds that begin with "cr".

    Returns
    -------
    ndarray, shape (n,)
        The variance is the sum of squares (over clusters: of cluster sums).

    References
    ----------
    MacKinnon and White (1985) for HC2 and HC3; Bell and McCaffrey (2002) and Pustejovsky and Tipton (2018) for CR2.
    """
    pull = fit.x @ (fit.bread @ contrast)
    n, k = len(pull), fit.x.shape[1] + fit.absorbed
    if se in CLUSTERED and cluster is not None:
        if se == "cr1s":
            groups = len(np.unique(cluster))
            return pull * fit.residuals * np.sqrt(groups / max(groups - 1, 1) * (n - 1) / (n - k))
        return pull * _adjusted(fit, cluster, fit.residuals, -0.5 if se == "cr2" else -1.0)
    raw = pull * fit.residuals
    if se == "classical":
        wanted = (fit.residuals**2).sum() / (n - k) * (pull**2).sum()
        return raw * np.sqrt(wanted / (raw**2).sum()) if (raw**2).sum() > 0 else raw
    if se == "hc1":
        return raw * np.sqrt(n / (n - k))
    power = {"hc0": 0.0, "hc2": 0.5, "hc3": 1.0}[se]
    room = 1 - np.einsum("ij,jk,ik->i", fit.x, fit.bread, fit.x)
    return raw * np.where(room > 1e-10, np.maximum(room, 1e-10) ** -power, 0.0)


def degrees_of_freedom(fit: Fit, contrast: Array, se: str, cluster: Array | None = None) -> float:
    """Degrees of freedom that go with `row_contributions`.

    Parameters
    ----------
    fit, contrast, se, cluster
        As there.

    Returns
    -------
    float
        n - k; with clusters G - 1; for "cr2" Satterthwaite's under independent rows.

    References
    ----------
    Bell and McCaffrey (2002); Pustejovsky and Tipton (2018), section 2.3.
    """
    if se not in CLUSTERED or cluster is None:
        return float(len(fit.residuals) - fit.x.shape[1] - fit.absorbed)
    groups = len(np.unique(cluster))
    if se != "cr2":
        return float(groups - 1)
    pull = fit.x @ (fit.bread @ contrast)
    bent = _adjusted(fit, cluster, pull, -0.5)
    squares = np.bincount(cluster, bent**2, minlength=groups)
    sums = np.column_stack([np.bincount(cluster, bent * column, minlength=groups) for column in fit.x.T])
    shared = sums @ fit.bread
    lengths, square = (shared * sums).sum(axis=1), shared.T @ sums
    # The trace of Q = diag(squares) - sums bread sums' and that of its square, without that matrix of clusters.
    top = squares.sum() - lengths.sum()
    bottom = (squares**2).sum() - 2 * (squares * lengths).sum() + (square * square.T).sum()
    return float(top**2 / bottom) if bottom > 1e-20 * (squares**2).sum() else float(groups - 1)


def _adjusted(fit: Fit, cluster: Array, values: Array, power: float) -> Array:
    """(I - H_gg)^power applied to each cluster's values; directions without room (leverage 1) are dropped."""
    thin = fit.x @ np.linalg.cholesky(fit.bread)
    groups, k = int(cluster.max()) + 1, thin.shape[1]
    if groups * k**2 > _ROOM_FOR_ALL:
        return _adjusted_one_by_one(thin, cluster, values, power)
    moments = np.empty((groups, k, k))
    for i in range(k):
        for j in range(i + 1):
            moments[:, i, j] = moments[:, j, i] = np.bincount(cluster, thin[:, i] * thin[:, j], minlength=groups)
    leverage, axes = np.linalg.eigh(moments)
    sums = np.column_stack([np.bincount(cluster, column * values, minlength=groups) for column in thin.T])
    along = np.einsum("gji,gj->gi", axes, sums) * _bend(leverage, power)
    return np.asarray(values + (thin * np.einsum("gij,gj->gi", axes, along)[cluster]).sum(axis=1))


def _bend(leverage: Array, power: float) -> Array:
    """((1 - leverage)^power - 1) / leverage, -1 / leverage where there is no room; its limit where there is none."""
    room = 1 - leverage
    bend = np.where(room > _NO_ROOM, np.maximum(room, _NO_ROOM) ** power, 0.0) - 1
    small = leverage < 1e-9
    return np.where(small, -power, bend / np.where(small, 1.0, leverage))


def _adjusted_one_by_one(thin: Array, cluster: Array, values: Array, power: float) -> Array:
    """The same where sums of products of all clusters together would not fit into memory."""
    result = values.astype(float).copy()
    order = np.argsort(cluster, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(cluster[order])) + 1):
        u, s, _ = np.linalg.svd(thin[rows], full_matrices=False)
        result[rows] += u @ (_bend(s**2, power) * s**2 * (u.T @ values[rows]))
    return result


def cluster_numbers(labels: pd.Series | Array) -> Array:
    """Number the clusters; whoever has none is one of their own.

    Parameters
    ----------
    labels : Series or array, shape (n,)
        Names of clusters, missing where there is none.

    Returns
    -------
    ndarray of int, shape (n,)
        From 0, in the order of the names, so that the order of rows does not matter; then those of their own.
    """
    found, known = pd.factorize(pd.Series(labels), sort=True)
    codes = found.astype(np.int64)
    alone = codes < 0
    codes[alone] = len(known) + np.arange(int(alone.sum()))
    return codes


def demean(values: Array, group: Array) -> Array:
    """Take group means out of a vector or of every column.

    Parameters
    ----------
    values : ndarray, shape (n,) or (n, k)
        What to centre.
    group : ndarray of int, shape (n,)
        Group codes from 0.

    Returns
    -------
    ndarray
        The same shape.
    """
    counts = np.bincount(group)
    if values.ndim == 1:
        return values - (np.bincount(group, values) / counts)[group]
    return np.column_stack([demean(column, group) for column in values.T])
