"""How far the weights of an index can be relied on: what they would be without some of the people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evalkit.errors import Flag
from evalkit.outcomes.index.weights import Pairs, blocks, positive_definite, summed
from evalkit.words import listed, number

Array = np.ndarray
_MOVES = 0.5
_NOT_NOTHING = 0.25
# So many clusters are left out one by one; of more, none weighs much and a linear approximation is as good.
_ONE_BY_ONE = 2000
# So many people give a standard error to two digits.
_ENOUGH = 100_000


@dataclass(frozen=True, eq=False)
class Basis:
    """What weights were made from.

    ``raw`` (n, k) the measures, ``inside`` (n,) the reference, ``scale`` (k,) by which a distance becomes a
    standardised one, ``anew`` (k,) whether the unit is the reference's (and so as uncertain as the rest) or fixed by
    norms, ``pairs`` the sums, ``matrix`` (k, k) the covariance that was inverted.
    """

    raw: Array
    inside: Array
    scale: Array
    anew: Array
    pairs: Pairs
    matrix: Array


def weight_errors(basis: Basis, weights: Array, cluster: Array | None) -> tuple[Array, Array]:
    """Standard error of each inverse-covariance weight, and the most that leaving out one cluster moves it.

    Parameters
    ----------
    basis : Basis
        Of the persons whose covariance was inverted.
    weights : ndarray, shape (k,)
        What came of it.
    cluster : ndarray of int, shape (n,), optional
        Codes from 0; without it each person stands alone.

    Returns
    -------
    error, most : ndarray, shape (k,)
        Up to 2,000 clusters (or persons) are left out one by one, weights and unit made anew each time: the
        jackknife. Of more, the infinitesimal jackknife, which equals the bootstrap's standard error up to terms that
        vanish with their number (from a fifth, say, of the people where there are very many).

    References
    ----------
    Efron (1982), The Jackknife, the Bootstrap and Other Resampling Plans, chapters 3 and 6.
    """
    groups = len(basis.raw) if cluster is None else int(cluster.max()) + 1
    if groups <= _ONE_BY_ONE:
        return _jackknife(left_out(basis, np.arange(groups) if cluster is None else cluster), weights)
    if cluster is not None:
        kept = np.empty((len(weights), len(basis.raw)))
        for rows, moved in _moves(basis, weights, 1):
            kept[:, rows] = moved.T
        sums = np.abs([np.bincount(cluster, moved, minlength=groups) for moved in kept])
        return np.sqrt((sums**2).sum(axis=1) * groups / (groups - 1)), sums.max(axis=1)
    squares, most = np.zeros((2, len(weights)))
    step = -(-groups // _ENOUGH)
    for _, moved in _moves(basis, weights, step):
        across = np.abs(np.ascontiguousarray(moved.T))
        squares += (across**2).sum(axis=1)
        most = np.maximum(most, across.max(axis=1))
    return np.sqrt(squares * step), most


def _jackknife(without: Array, weights: Array) -> tuple[Array, Array]:
    defined = without[np.isfinite(without).all(axis=1)]
    groups = len(without)
    if len(defined) < 2:
        return np.full(len(weights), np.nan), np.full(len(weights), np.nan)
    squares = ((defined - defined.mean(axis=0)) ** 2).mean(axis=0)
    return np.sqrt(squares * (groups - 1)), np.abs(defined - weights).max(axis=0)


def left_out(basis: Basis, cluster: Array) -> Array:
    """The weights without each cluster in turn.

    Parameters
    ----------
    basis : Basis
        Of the persons whose covariance was inverted.
    cluster : ndarray of int, shape (n,)
        Codes from 0.

    Returns
    -------
    ndarray, shape (clusters, k)
        Missing where the others do not define weights.
    """
    pairs, groups = basis.pairs, int(cluster.max()) + 1
    # Numbers of 16 bits are sorted several times faster.
    order = np.argsort(cluster.astype(np.uint16), kind="stable")
    ends = np.cumsum(np.bincount(cluster, minlength=groups))
    raw, inside = basis.raw[order], basis.inside[order]
    parts = [
        summed(raw[end - size : end], inside[end - size : end], pairs.centre)
        for end, size in zip(ends, np.diff(ends, prepend=0), strict=True)
    ]
    count, total, product = (
        getattr(pairs, name) - np.stack([getattr(part, name) for part in parts])
        for name in ("count", "total", "product")
    )
    number_, sum_, square = np.moveaxis(pairs.own - np.stack([part.own for part in parts]), 1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        sd = np.sqrt(np.maximum(square - sum_**2 / number_, 0) / (number_ - 1))
        scale = np.where(basis.anew > 0, np.sign(basis.scale) / sd, basis.scale)
        spreads = (product - total * total.transpose(0, 2, 1) / count) / (count - 1)
        spreads = spreads * scale[:, :, None] * scale[:, None, :]
    return _solved(spreads, (count >= 2).all(axis=(1, 2)))


def _solved(spreads: Array, defined: Array) -> Array:
    found = np.full(spreads.shape[:2], np.nan)
    defined = defined & np.isfinite(spreads).all(axis=(1, 2))
    if not defined.any():
        return found
    chosen = spreads[defined]
    for place in np.flatnonzero(np.linalg.eigvalsh(chosen)[:, 0] <= 1e-8 * np.trace(chosen, axis1=1, axis2=2)):
        chosen[place] = positive_definite(chosen[place])[0]
    sums = np.linalg.solve(chosen, np.ones((spreads.shape[1], 1)))[..., 0]
    found[defined] = sums / sums.sum(axis=1, keepdims=True)
    return found


def _moves(basis: Basis, weights: Array, step: int):  # type: ignore[no-untyped-def]
    """By block of rows: how each person moves the weights, by what they do to the covariance and to the unit."""
    pairs, k = basis.pairs, len(weights)
    matrix = positive_definite(basis.matrix)[0]
    pull = -((np.eye(k) - np.outer(weights, np.ones(k))) @ np.linalg.inv(matrix)).T
    shares = weights[:, None] / pairs.count
    middle = pairs.centre + np.diag(pairs.total) / np.diag(pairs.count)
    shift = (middle - pairs.unit[0]) * basis.scale
    # A larger SD of one measure shrinks its row and its column of the covariance.
    shrink = (np.eye(k) * (matrix @ weights) + weights[:, None] * matrix) * (basis.anew / pairs.own[0] / 2)[:, None]
    # Half the digits are plenty for a standard error, and take half the time.
    half = [part.astype(np.float32) for part in (shares, matrix * shares, shrink, ((shift**2 - 1) * shrink.T).T)]
    here, turn, twice = (part.astype(np.float32) for part in (basis.inside[::step], pull, 2 * shift))
    for rows, wide, seen in blocks(basis.raw[::step], middle):
        filled, there = (wide * basis.scale).astype(np.float32), seen.astype(np.float32)
        moved = filled * (filled @ half[0])
        moved -= there * (there @ half[1])
        unit = (filled * (filled + twice)) @ half[2]
        unit += there @ half[3]
        unit *= here[rows, None]
        moved -= unit
        yield rows, moved @ turn


def stability_flags(names: list[str], weights: Array, errors: Array, most: Array, unit: str) -> list[Flag]:
    """Weights that other persons might well have given otherwise.

    A weight is called unstable when its standard error exceeds the weight itself and a quarter of the mean weight
    (a weight near nothing that surely stays near nothing harms nobody), or when one cluster (or person) moves it by
    more than half of the mean weight.
    """
    mean = 1 / len(names)
    leaning = most > _MOVES * mean
    loose = (errors > np.abs(weights)) & (errors > _NOT_NOTHING * mean) & ~leaning
    flags = []
    if leaning.any():
        parts = [name for name, flagged in zip(names, leaning, strict=True) if flagged]
        text = f"One {unit} alone decides the weight of {listed(parts)}: without it, it would be quite another."
        detail = f"It moves by more than half of the mean weight ({number(mean, 3)}). Compare with klk."
        flags.append(Flag("outcomes", "caution", text, detail))
    if loose.any():
        parts = [
            f"{name} ({number(weight, 3)}, standard error {number(error, 3)})"
            for name, weight, error, flagged in zip(names, weights, errors, loose, strict=True)
            if flagged
        ]
        text = f"The weight of {listed(parts)} is unstable: the next such group of people might give another sign."
        detail = "Too few people, or measures that nearly repeat each other. Compare with klk."
        flags.append(Flag("outcomes", "caution", text, detail))
    return flags
