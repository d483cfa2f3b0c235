"""Sums of an index over clusters for many draws at once.

The index of a person is the weighted sum of the z-scores they have over the sum of those weights. For all persons who
lack the same measures that is a linear function of sums, so sums by cluster and pattern of missing measures suffice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

Array = np.ndarray
_SMALLEST_WEIGHT_SUM = 1e-8
# More cells than this and single rows are cheaper than patterns.
_CELLS = 6_000_000
# Rows times draws taken at once.
_AT_ONCE = 4_000_000
# People of a cluster from which a product of matrices for each is cheaper than products of columns for all.
_SMALL_CLUSTER = 20
Group = tuple[Array, ...]
Make = Callable[["Pulls", Array], tuple[Group, Group, Group]]


@dataclass(frozen=True, eq=False)
class Pulls:
    """Per draw: weight over SD (b, k), weight (b, k) and mean (b, k) of each measure."""

    pull: Array
    weight: Array
    mean: Array


@dataclass(frozen=True, eq=False)
class IndexSums:
    """Standardised measures (0 where missing), which are there, clusters, and who is treated, comparison, reference."""

    filled: Array
    there: Array
    codes: Array
    count: int
    groups: tuple[Array, Array, Array]

    @cached_property
    def patterns(self) -> tuple[Array, Array]:
        """The patterns of measures that are there (p, k) without the empty one, and each row's (-1 for that)."""
        bits = self.there @ (2 ** np.arange(self.there.shape[1], dtype=np.int64)) if self.there.shape[1] < 62 else None
        if bits is None:
            kinds, place = np.unique(self.there, axis=0, return_inverse=True)
            empty = np.flatnonzero(~kinds.any(axis=1))
        else:
            _, first, place = np.unique(bits, return_index=True, return_inverse=True)
            kinds = self.there[first]
            empty = np.flatnonzero(~kinds.any(axis=1))
        if not len(empty):
            return kinds, place
        # The empty pattern sorts first either way.
        return kinds[1:], place - 1

    def by_cluster(self, values: Array, rows: Array) -> Array:
        """Sums over some rows by cluster, shape (clusters, columns)."""
        codes = self.codes[rows]
        order = np.argsort(codes, kind="stable")
        found = np.zeros((self.count, values.shape[1]))
        counts = np.bincount(codes, minlength=self.count)
        starts = (np.cumsum(counts) - counts)[counts > 0]
        if len(starts):
            found[counts > 0] = np.add.reduceat(values[order], starts, axis=0)
        return found

    def crossed(self, rows: Array) -> Array:
        """By cluster and pair of measures, shape (3, clusters, k * k): both there, sum of the one, sum of products."""
        k = self.filled.shape[1]
        if self.count * _SMALL_CLUSTER > int(rows.sum()):
            one, other = np.divmod(np.arange(k * k), k)
            filled, there = self.filled[rows], self.there[rows].astype(float)
            pairs = ((there, there), (filled, there), (filled, filled))
            return np.stack([self.by_cluster(a[:, one] * b[:, other], rows) for a, b in pairs])
        codes = self.codes[rows]
        order = np.argsort(codes, kind="stable")
        both = np.hstack([self.filled[rows], self.there[rows]])[order]
        ends = np.concatenate([[0], np.cumsum(np.bincount(codes, minlength=self.count))])
        found = np.empty((3, self.count, k, k))
        for cluster, (start, end) in enumerate(pairwise(ends.tolist())):
            block = both[start:end]
            square = block.T @ block
            found[:, cluster] = square[k:, k:], square[:k, k:], square[:k, :k]
        return found.reshape(3, self.count, k * k)


def few_patterns(sums: IndexSums) -> bool:
    """Whether sums by cluster and pattern are fewer than what going over rows would cost."""
    kinds, _ = sums.patterns
    k = sums.there.shape[1]
    return len(kinds) * (k * (k + 1) // 2 + k + 1) * sums.count <= _CELLS


# ---------------------------------------------------------------- by pattern


def by_patterns(sums: IndexSums) -> Make:
    """Make the sums of draws from sums by cluster and pattern.

    Parameters
    ----------
    sums : IndexSums
        Of the data.

    Returns
    -------
    callable
        From pulls and counts (b, clusters) to, for treated and comparison, the sum of the index and the count of
        persons by cluster (b, clusters), and for the reference the sum of squares too.
    """
    kinds, place = sums.patterns
    tables = [_Table(sums, group & (place >= 0), kinds, place) for group in sums.groups]
    # The reference is usually the comparison arm: its sums are then made once.
    same = bool((sums.groups[1] == sums.groups[2]).all())

    def make(pulls: Pulls, counts: Array) -> tuple[Group, Group, Group]:
        scores = _Scores(kinds, pulls)
        treated, reference = tables[0].sums(scores), tables[2].sums(scores)
        comparison = reference if same else tables[1].sums(scores)
        return treated, comparison, (*reference, tables[2].squares(scores))

    return make


class _Scores:
    """Per draw and pattern: what the index is, as a linear function of z-scores."""

    def __init__(self, kinds: Array, pulls: Pulls) -> None:
        shown = kinds.astype(float).T
        held = pulls.weight @ shown
        self.usable = np.abs(held) > _SMALLEST_WEIGHT_SUM
        self.inverse = np.divide(1.0, held, out=np.zeros_like(held), where=self.usable)
        self.pull = pulls.pull
        self.offset = ((pulls.pull * pulls.mean) @ shown) * self.inverse


class _Table:
    """Counts, sums and products of one group by pattern (only the measures it has) and cluster."""

    def __init__(self, sums: IndexSums, rows: Array, kinds: Array, place: Array) -> None:
        self.single = np.nonzero(kinds)
        k = kinds.shape[1]
        one, other = np.triu_indices(k)
        self.double = np.nonzero(kinds[:, one] & kinds[:, other])
        self.one, self.other = one[self.double[1]], other[self.double[1]]
        self.twice = np.where(self.one == self.other, 1.0, 2.0)
        # Only the clusters that have anyone of the group: where whole clusters were treated that is about half.
        self.members, codes = np.unique(sums.codes[rows], return_inverse=True)
        self.clusters = sums.count
        filled, cell = sums.filled[rows], place[rows] * len(self.members) + codes
        order = np.argsort(cell, kind="stable")
        cells, starts = np.unique(cell[order], return_index=True)
        self._cells, self._starts, self._filled = cells, starts, filled[order]
        self._shape = (len(kinds), len(self.members))
        self.count = self._spread(np.ones((len(order), 1)))[..., 0]
        self.total = self._spread(self._filled)[self.single[0], :, self.single[1]]
        self._product: Array | None = None

    def _spread(self, values: Array) -> Array:
        """Sums by pattern and cluster, shape (patterns, clusters, columns)."""
        found = np.zeros((self._shape[0] * self._shape[1], values.shape[1]))
        if len(self._starts):
            found[self._cells] = np.add.reduceat(values, self._starts, axis=0)
        return found.reshape(*self._shape, -1)

    @property
    def product(self) -> Array:
        """Sums of products, made when they are first asked for: only the reference needs them."""
        if self._product is None:
            one, other = np.triu_indices(self._filled.shape[1])
            spread = self._spread(self._filled[:, one] * self._filled[:, other])
            self._product = spread[self.double[0], :, self.double[1]]
        return self._product

    def sums(self, scores: _Scores) -> Group:
        """Sum of the index and count of persons, (b, clusters) each."""
        linear = scores.pull[:, self.single[1]] * scores.inverse[:, self.single[0]]
        found = linear @ self.total - scores.offset @ self.count
        return self._everywhere(found), self._everywhere(scores.usable.astype(float) @ self.count)

    def squares(self, scores: _Scores) -> Array:
        """Sum of squares of the index, (b, clusters)."""
        pattern = self.double[0]
        both = (scores.pull[:, self.one] * scores.pull[:, self.other]) * (scores.inverse**2)[:, pattern] * self.twice
        cross = scores.pull[:, self.single[1]] * (scores.inverse * scores.offset)[:, self.single[0]]
        return self._everywhere(both @ self.product - 2 * (cross @ self.total) + scores.offset**2 @ self.count)

    def _everywhere(self, values: Array) -> Array:
        """Values of the clusters with members as those of all clusters, 0 elsewhere."""
        if len(self.members) == self.clusters:
            return values
        found = np.zeros((len(values), self.clusters))
        found[:, self.members] = values
        return found


# ---------------------------------------------------------------- by row


def by_rows(sums: IndexSums) -> Make:
    """Make the sums of draws from single rows: for many patterns, or clusters of a person or two.

    Parameters
    ----------
    sums : IndexSums
        Of the data.

    Returns
    -------
    callable
        As `by_patterns`.
    """
    order = np.argsort(sums.codes, kind="stable")
    filled, there = sums.filled[order], sums.there[order].astype(float)
    groups = [group[order].astype(float)[:, None] for group in sums.groups]
    starts = np.concatenate([[0], np.cumsum(np.bincount(sums.codes, minlength=sums.count))[:-1]])
    alone, size = len(starts) == len(filled), max(1, _AT_ONCE // len(filled))

    def make(pulls: Pulls, counts: Array) -> tuple[Group, Group, Group]:
        parts = []
        for start in range(0, len(counts), size):
            draw = slice(start, start + size)
            held = there @ pulls.weight[draw].T
            usable = np.abs(held) > _SMALLEST_WEIGHT_SUM
            score = filled @ pulls.pull[draw].T - there @ (pulls.pull * pulls.mean)[draw].T
            score = np.divide(score, held, out=np.zeros_like(held), where=usable)
            made = [part * group for group in groups for part in (score, usable)]
            made.append(score**2 * groups[2])
            # Where every person is a cluster there is nothing to sum.
            parts.append([part.T if alone else np.add.reduceat(part, starts, axis=0).T for part in made])
        joined = [np.concatenate(part) for part in zip(*parts, strict=True)]
        return tuple(joined[:2]), tuple(joined[2:4]), tuple(joined[4:])

    return make
