"""The weights of an index: what is summed over persons, and what must be said of the weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evalkit.errors import DataError, EstimationError, Flag
from evalkit.words import listed, number

Array = np.ndarray
# Rows taken at once: small enough to stay in the processor's memory, so that no copy of the whole table is made.
BLOCK = 4096
# The provisional centre may lie so many SD from the mean before the sums of squares lose digits.
_FAR = 100.0
_LARGEST_INVERSE_SUM = 2.0
_OPPOSED = -0.3
# A unique share this small (the floor of the one-factor model is .005) puts all weight on one measure.
_FLOOR = 0.0051


@dataclass(frozen=True, eq=False)
class Pairs:
    """Of every pair of measures (k, k), over the persons who have both: how many, sum of the first, sum of products.

    ``own`` (3, k) is count, sum and sum of squares of each measure in the reference; all sums are from ``centre``.
    """

    count: Array
    total: Array
    product: Array
    own: Array
    centre: Array

    @property
    def covariance(self) -> Array:
        """Pairwise covariance (k, k), each pair about its own means."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return (self.product - self.total * self.total.T / self.count) / (self.count - 1)

    @property
    def unit(self) -> tuple[Array, Array]:
        """Mean and standard deviation (k,) of each measure in the reference."""
        count, total, square = self.own
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = total / count
            return self.centre + mean, np.sqrt(np.maximum(square - total * mean, 0) / (count - 1))


def blocks(raw: Array, centre: Array):  # type: ignore[no-untyped-def]
    """Walk over the rows: which rows, distances from the centre with 0 for a missing one, and 1 where there is one."""
    for start in range(0, len(raw), BLOCK):
        rows = slice(start, start + BLOCK)
        filled = raw[rows] - centre
        absent = np.isnan(filled)
        filled[absent] = 0.0
        yield rows, filled, 1.0 - absent


def pair_sums(raw: Array, inside: Array, only_inside: bool = False) -> Pairs:
    """Sum over persons what means, deviations and covariances are made of, in one pass.

    Parameters
    ----------
    raw : ndarray, shape (n, k)
        Missing values are NaN.
    inside : ndarray of bool, shape (n,)
        The reference.
    only_inside : bool
        Whether the pairs, too, are of the reference only.

    Returns
    -------
    Pairs
        Sums from a centre near the reference's mean, so that no digits are lost.
    """
    if only_inside:
        raw, inside = raw[inside], inside[inside]
    found = summed(raw, inside, _near_centre(raw, inside))
    mean, sd = found.unit
    far = np.abs(mean - found.centre) > _FAR * sd
    return summed(raw, inside, np.where(far, mean, found.centre)) if far.any() else found


def _near_centre(raw: Array, inside: Array) -> Array:
    """The mean of about a thousand of the reference, spread over the whole table."""
    rows = np.flatnonzero(inside)
    some = raw[rows[:: max(1, len(rows) // 1000)]]
    there = ~np.isnan(some)
    return np.where(there, some, 0.0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)


def summed(raw: Array, inside: Array, centre: Array) -> Pairs:
    """The sums of `pair_sums` from a given centre."""
    k = raw.shape[1]
    count, total, product = np.zeros((3, k, k))
    own = np.zeros((3, k))
    weight = inside.astype(float)
    for rows, filled, there in blocks(raw, centre):
        count += there.T @ there
        total += filled.T @ there
        product += filled.T @ filled
        own += np.stack([weight[rows] @ part for part in (there, filled, filled**2)])
    return Pairs(count, total, product, own, centre)


def together(pairs: Pairs, names: list[str], instead: str) -> None:
    """Raise a DataError where two measures are hardly ever observed in the same person."""
    if pairs.count.min() >= 2:
        return
    one, other = np.unravel_index(int(pairs.count.argmin()), pairs.count.shape)
    raise DataError(
        f'"{names[one]}" and "{names[other]}" are hardly ever observed in the same person, so their covariance '
        f"is unknown. {instead}"
    )


# ---------------------------------------------------------------- weights from a covariance


def inverse_weights(matrix: Array) -> tuple[Array, Array, float]:
    """Weights that sum to 1, the row sums of the inverse, and by how much correlations had to be shrunk."""
    matrix, shrunk = positive_definite(matrix)
    sums = np.linalg.solve(matrix, np.ones(len(matrix)))
    return sums / sums.sum(), sums, shrunk


def positive_definite(matrix: Array) -> tuple[Array, float]:
    """The matrix, its correlations shrunk in steps of 5 % as far as is needed to invert it."""
    diagonal = np.diag(np.diag(matrix))
    for step in range(20):
        share = step / 20
        shrunk = (1 - share) * matrix + share * diagonal
        if np.linalg.eigvalsh(shrunk)[0] > 1e-8 * np.trace(matrix):
            return shrunk, share
    return diagonal, 1.0


def factor_weights(matrix: Array, n: int, names: list[str]) -> tuple[Array, Array]:
    """Weights and loadings of Bartlett's factor score.

    Parameters
    ----------
    matrix : ndarray, shape (k, k)
        Covariance of the standardised measures.
    n : int
        Persons behind it.
    names : list of str
        Measures, for messages.

    Returns
    -------
    weights, loadings : ndarray, shape (k,)
        Weights (loading over uniqueness) sum to 1; the score of a person is the weighted sum of their z-scores over
        the weighted sum of the loadings, over the measures they have.

    Raises
    ------
    DataError
        Fewer than three measures.
    EstimationError
        A uniqueness at or below zero (a Heywood case), or loadings that cancel out.

    References
    ----------
    Bartlett (1937), British Journal of Psychology 28, 97-104.
    """
    if len(names) < 3:
        raise DataError(
            'index = "factor" needs at least three measures: with two, one factor is not determined. '
            'Use "icw" or "klk".'
        )
    from evalkit.outcomes.items.onefactor import one_factor

    found = one_factor(positive_definite(matrix)[0], n)
    loadings, unique = (np.asarray(part, dtype=float) for part in (found.loadings, found.uniquenesses))
    heywood = [name for name, u, s in zip(names, unique, np.diag(matrix), strict=True) if u <= _FLOOR * s]
    if heywood:
        raise EstimationError(
            f"One factor leaves nothing of {listed(heywood)} unexplained (a Heywood case), so its score would rest on "
            'that alone. Use index = "icw" or "klk", or take that measure out of the domain.'
        )
    loadings = loadings * (1.0 if loadings.sum() >= 0 else -1.0)
    pull = loadings / unique
    if abs(pull.sum()) < 1e-8 * np.abs(pull).sum():
        raise EstimationError('The loadings on one factor cancel out. Check the polarity, or use index = "klk".')
    return pull / pull.sum(), loadings


# ---------------------------------------------------------------- what must be said


def weight_flags(names: list[str], weights: Array, sums: Array | None, shrunk: float, matrix: Array) -> list[Flag]:
    """What must be said of inverse-covariance weights: negative ones, an inverse that blows up, shrinking.

    Parameters
    ----------
    names : list of str
        Measures.
    weights : ndarray, shape (k,)
        Sum to 1.
    sums : ndarray, shape (k,), optional
        Row sums of the inverse. They are 1 for measures that have nothing in common and smaller where measures
        share something, so one outside 0 to 2 means an inverse that lives on small differences: the range of which
        the Stata command ivcvscore warns (Hess 2021).
    shrunk : float
        Share by which correlations were shrunk.
    matrix : ndarray, shape (k, k)
        The covariance before that.

    Returns
    -------
    list of Flag
        In that order.
    """
    flags = []
    negative = [f"{name} ({number(weight, 3)})" for name, weight in zip(names, weights, strict=True) if weight < 0]
    if negative:
        text = f"The index gives a negative weight to {listed(negative)}: a better score there lowers the index."
        flags.append(_caution(text, "Measures that nearly repeat each other cause this; equal weights (klk) do not."))
    large = [] if sums is None else [name for name, s in zip(names, sums, strict=True) if s > _LARGEST_INVERSE_SUM]
    if large:
        text = f"The weight of {listed(large)} lives on small differences between measures that nearly repeat others."
        detail = f"The row sums of the inverse covariance exceed 2; {_closest(names, matrix)} Compare with klk."
        flags.append(_caution(text, detail))
    if shrunk:
        text = f"The measures' covariances had to be shrunk by {number(shrunk * 100, 0)}% to be inverted."
        detail = "Pairs of measures are observed in different persons, or measures repeat each other: "
        flags.append(_caution(text, detail + _closest(names, matrix)))
    return flags


def opposed_flags(names: list[str], matrix: Array) -> list[Flag]:
    """Say which measures run against each other: what is better in the one goes with what is worse in the other.

    Parameters
    ----------
    names : list of str
        Measures.
    matrix : ndarray, shape (k, k)
        Covariance of the measures turned so that higher is better; missing where two were never seen together.

    Returns
    -------
    list of Flag
        One, or none.
    """
    sd = np.sqrt(np.diag(matrix))
    alike = matrix / np.outer(sd, sd)
    pairs = [
        f"{names[one]} and {names[other]} ({number(alike[one, other], 2)})"
        for one, other in zip(*np.triu_indices(len(names), 1), strict=True)
        if alike[one, other] < _OPPOSED
    ]
    if not pairs:
        return []
    text = f"Measures of the index run against each other (correlation): {listed(pairs)}."
    return [_caution(text, 'Is one of them better when it is lower? Say so by polarity, or better = "lower".')]


def _closest(names: list[str], matrix: Array) -> str:
    """The two measures that go together most."""
    sd = np.sqrt(np.diag(matrix))
    alike = matrix / np.outer(sd, sd)
    np.fill_diagonal(alike, 0)
    one, other = sorted(np.unravel_index(int(np.abs(alike).argmax()), alike.shape))
    return f"the closest pair is {names[one]} and {names[other]} (correlation {number(alike[one, other], 2)})."


def _caution(text: str, detail: str) -> Flag:
    return Flag("outcomes", "caution", text, detail)
