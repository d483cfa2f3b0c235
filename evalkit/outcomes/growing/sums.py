"""Sums of products per person, of which the likelihood of a growth model is made: rows are read once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.errors import EstimationError

Array = np.ndarray
_FEW_PATTERNS = 500  # beyond this, folding patterns one by one costs more than it saves


@dataclass(frozen=True)
class Sums:
    """What the rows come to; q random terms per level, p fixed terms, m = p + 1 with the outcome last.

    Everything is in an inner basis in which fits are well conditioned: time is centred and scaled, the fixed terms are
    orthonormal, the outcome is the residual of ordinary least squares in units of its standard deviation.

    Attributes
    ----------
    n : int
        Rows.
    a, count, pattern : ndarray, shapes (q, q, patterns), (patterns,) and (persons,)
        Z'Z of each pattern of occasions, the persons who have it, and who has which.
    c : ndarray, shape (q, persons, m)
        Z'[X y] of each person.
    folded, folded_pattern : ndarray, shapes (q, rows, m) and (rows,)
        The persons of a pattern folded into as few as have the same sums of products.
    cell, cell_pattern, cell_group, cell_count : ndarray
        Sums of ``c`` over persons of one pattern in one cluster; shapes (q, cells, m) and (cells,); ordered by cluster.
    group : ndarray of int, shape (persons,), or None
        Each person's cluster.
    groups : int
        Clusters; 0 without.
    total : ndarray, shape (m, m)
        [X y]'[X y].
    rows, block : ndarray, shapes (n, m) and (n,)
        [X y], and each row's cluster, or person where there are no clusters.
    turn : ndarray, shape (p, p)
        Coefficients in the basis given = ``start`` + ``unit`` * ``turn`` @ inner coefficients.
    start : ndarray, shape (p,)
        Ordinary least squares.
    unit : float
        Inner unit of the outcome.
    back : ndarray, shape (q, q)
        Random effects in the basis given = ``unit`` * ``back`` @ inner ones.
    logdet : float
        Logarithm of det(X'X) in the basis given.
    """

    n: int
    a: Array
    count: Array
    pattern: Array
    c: Array
    folded: Array
    folded_pattern: Array
    cell: Array
    cell_pattern: Array
    cell_group: Array
    cell_count: Array
    group: Array | None
    groups: int
    total: Array
    rows: Array
    block: Array
    turn: Array
    start: Array
    unit: float
    back: Array
    logdet: float


def sums_of(y: Array, x: Array, time: Array | None, person: Array, group: Array | None) -> Sums:
    """Read the rows once.

    Parameters
    ----------
    y : ndarray, shape (n,)
        Outcome.
    x : ndarray, shape (n, p)
        Fixed terms, constant first.
    time : ndarray, shape (n,), or None
        The random slope's variable; None for random intercepts only (q = 1).
    person : ndarray of int, shape (n,)
        Codes from 0 without gaps.
    group : ndarray of int, shape (persons,), or None
        Each person's cluster, codes from 0 without gaps.

    Returns
    -------
    Sums
        All that `fit` needs.

    Raises
    ------
    EstimationError
        Fixed terms repeat each other, or the outcome is what the fixed terms say, without error.
    """
    w, turn, start, unit, logdet = _inner(y, x)
    z, back = _terms(time, len(y))
    persons = int(person.max()) + 1
    a = _moments(z, person, persons)
    c = np.stack([_added(w * column[:, None], person, persons) for column in z.T])
    pattern, first = _patterns(a)
    folded, folded_pattern = _fold(c, pattern)
    patterns = int(pattern.max()) + 1
    key = pattern if group is None else pattern + group.astype(np.int64) * patterns
    cells, cell_of = np.unique(key, return_inverse=True)
    return Sums(
        n=len(y), a=a[:, :, first], count=np.bincount(pattern), pattern=pattern, c=c,
        folded=folded, folded_pattern=folded_pattern,
        cell=np.stack([_added(one, cell_of, len(cells)) for one in c]),
        cell_pattern=cells % patterns, cell_group=cells // patterns, cell_count=np.bincount(cell_of),
        group=group, groups=0 if group is None else int(group.max()) + 1, total=w.T @ w,
        rows=w, block=person if group is None else group[person],
        turn=turn, start=start, unit=unit, back=back, logdet=logdet,
    )  # fmt: skip


def _inner(y: Array, x: Array) -> tuple[Array, Array, Array, float, float]:
    """[X y] with orthonormal X and y its residual in units of its standard deviation, and the way back."""
    scale = np.sqrt((x**2).sum(axis=0))
    n, p = x.shape
    if n <= p or (scale == 0).any() or np.linalg.matrix_rank((r := np.linalg.qr(x / scale, mode="r")), 1e-8) < p:
        raise EstimationError(
            f"The growth model has {p} fixed terms and {n} rows, or terms that repeat each other. Drop covariates."
        )
    turn = np.linalg.inv(r) / scale[:, None]
    thin = x @ turn
    start = turn @ (thin.T @ y)
    rest = y - x @ start
    rest -= thin @ (thin.T @ rest)
    unit = float(np.sqrt((rest**2).mean()))
    if not unit > 1e-10 * np.sqrt((y**2).mean()):
        raise EstimationError(
            "The outcome is constant, or follows from the fixed terms without error: there is nothing to estimate. "
            "Check the outcome's column and whether a covariate repeats it."
        )
    logdet = 2 * float(np.log(np.abs(np.diag(r)) * scale).sum())
    return np.column_stack([thin, rest / unit]), turn, start, unit, logdet


def _terms(time: Array | None, n: int) -> tuple[Array, Array]:
    """Random terms (a column of ones, and centred and scaled time), and the matrix that takes effects back."""
    if time is None:
        return np.ones((n, 1)), np.eye(1)
    centre, spread = float(time.mean()), float(time.std())
    back = np.array([[1.0, -centre / spread], [0.0, 1 / spread]])
    return np.column_stack([np.ones(n), (time - centre) / spread]), back


def _moments(z: Array, person: Array, persons: int) -> Array:
    """Z'Z per person, rounded to 12 digits of the largest so that equal schedules in another row order stay equal."""
    q = z.shape[1]
    a = np.empty((q, q, persons))
    for i in range(q):
        for j in range(i + 1):
            a[i, j] = a[j, i] = np.bincount(person, z[:, i] * z[:, j], minlength=persons)
    grain = np.abs(a).max() * 1e-12
    return np.round(a / grain) * grain


def _added(values: Array, code: Array, size: int) -> Array:
    """Sums of the columns by code."""
    return np.column_stack([np.bincount(code, column, minlength=size) for column in values.T])


def _patterns(a: Array) -> tuple[Array, Array]:
    """Codes of equal Z'Z, and the first person of each."""
    keys = pd.DataFrame({f"{i}{j}": a[i, j] for i in range(len(a)) for j in range(i + 1)})
    pattern = keys.groupby(list(keys.columns), sort=False).ngroup().to_numpy()
    return pattern, np.unique(pattern, return_index=True)[1]


def _fold(c: Array, pattern: Array) -> tuple[Array, Array]:
    """Replace the persons of a pattern by the rows of a triangular factor, where that is fewer."""
    q, persons, m = c.shape
    large = np.flatnonzero(np.bincount(pattern) > q * m)
    if len(large) > _FEW_PATTERNS or not len(large):
        return c, pattern
    flat = c.transpose(1, 0, 2).reshape(persons, q * m)
    small = ~np.isin(pattern, large)
    parts: list[Array] = [flat[small], *(_triangular(flat[pattern == one]) for one in large)]
    codes = np.concatenate([pattern[small], np.repeat(large, q * m)])
    return np.ascontiguousarray(np.concatenate(parts).reshape(-1, q, m).transpose(1, 0, 2)), codes


def _triangular(x: Array) -> Array:
    return np.asarray(np.linalg.qr(x, mode="r"))


def free(random: Sequence[str]) -> list[tuple[int, int, int]]:
    """The free entries (level, row, column) of the lower-triangular factors of the levels' covariance.

    Parameters
    ----------
    random : sequence of {"slope", "intercept", "none"}
        By level, persons first.

    Returns
    -------
    list of (int, int, int)
        In the order of the parameter vector.
    """
    entries = {"none": [], "intercept": [(0, 0)], "slope": [(0, 0), (1, 0), (1, 1)]}
    return [(level, *entry) for level, kind in enumerate(random) for entry in entries[kind]]
