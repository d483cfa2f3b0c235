"""Cluster bootstrap of least-squares coefficients from sums by cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import numpy as np
import pandas as pd

from evalkit.errors import EstimationError
from evalkit.outcomes.resampling.bootstrap import by_cluster, columns_of, kept_rows
from evalkit.outcomes.resampling.clusters import accepted, clusters_of
from evalkit.outcomes.resampling.intervals import Bootstrap, Rare, checked, concluded

Array = np.ndarray


def bootstrap_coefficients(
    frame: pd.DataFrame,
    outcome: str,
    terms: Sequence[str],
    cluster: str | pd.Series | Array | None,
    draws: int = 2000,
    seed: int = 1,
    **rare: Unpack[Rare],
) -> Bootstrap:
    """Bootstrap the coefficients of a least-squares regression from sums by cluster.

    Parameters
    ----------
    frame : DataFrame, shape (n_persons, ...)
        Persons who lack the outcome or a term are left out.
    outcome : str
        A column.
    terms : sequence of str
        Columns; a constant is added.
    cluster : str, Series or array, shape (n_persons,)
        Column or labels; None draws persons.
    draws, seed : int
        How many, and from which start.
    **rare : optional
        ``strata``, ``level`` and ``interval``, here also "studentised".

    Returns
    -------
    Bootstrap
        A row per term, then "constant".

    Raises
    ------
    EstimationError
        Terms that repeat each other, or as in `cluster_bootstrap`.
    """
    names = [*terms, "constant"]
    raw = columns_of(frame, [*terms, outcome])
    complete = ~np.isnan(raw).any(axis=1)
    frame, _, cluster, rare = kept_rows(complete, frame, complete, cluster, rare)
    clusters = clusters_of(frame, cluster, rare.get("strata"))
    checked(rare, clusters, True)
    x, y = raw[complete, :-1], raw[complete, -1]
    middle, spread = x.mean(axis=0), x.std(axis=0)
    x = np.column_stack([(x - middle) / np.where(spread > 0, spread, 1.0), np.ones(len(x))])
    back = _unscaled(middle, np.where(spread > 0, spread, 1.0))
    squares = by_cluster((x[:, :, None] * x[:, None, :]).reshape(len(x), -1), clusters.codes)
    squares = squares.reshape(-1, len(names), len(names))
    pulls = by_cluster(x * (y - y.mean())[:, None], clusters.codes)

    def compute(counts: Array) -> tuple[Array, ...]:
        return _coefficients(squares, pulls, counts, back)

    effect, own = (part[0] for part in compute(np.ones((1, clusters.count))))
    if not np.isfinite(effect).all():
        raise EstimationError("Terms of the regression repeat each other, or do not vary. Drop some.")
    (found, each), redrawn = accepted(compute, clusters, draws, seed)
    shift = np.where(np.array(names) == "constant", y.mean(), 0.0)
    return concluded(names, effect + shift, (found + shift, redrawn), clusters, rare, (own, each))


def _unscaled(middle: Array, spread: Array) -> Array:
    """The matrix that takes coefficients of standardised terms to those of the terms, the constant last."""
    k = len(middle)
    back = np.diag([*(1 / spread), 1.0])
    back[k, :k] = -middle / spread
    return back


def _coefficients(squares: Array, pulls: Array, counts: Array, back: Array) -> tuple[Array, Array]:
    """Coefficients in each draw, shape (b, k), and their cluster-robust standard errors."""
    k = pulls.shape[1]
    design = np.tensordot(counts, squares, axes=1)
    lowest = np.linalg.eigvalsh(design)[:, 0] > 1e-10 * np.trace(design, axis1=1, axis2=2)
    bread = np.full((len(counts), k, k), np.nan)
    bread[lowest] = np.linalg.inv(design[lowest])
    beta = np.einsum("bij,bj->bi", bread, counts @ pulls)
    scores = pulls[None] - np.einsum("gij,bj->bgi", squares, beta)
    moved = np.einsum("bgi,bij->bgj", scores, bread) @ back.T
    groups = counts.sum(axis=1, keepdims=True)
    square = np.einsum("bg,bgj->bj", counts, moved**2) * groups / (groups - 1)
    return beta @ back.T, np.sqrt(square)
