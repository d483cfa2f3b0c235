"""Finding the nearest comparison people by several numbers (Mahalanobis distance), the same in any row order."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray
FIRST_LOOK, FEW = 8, 4096  # points looked at first; windows up to this size are searched through


class Space:
    """Comparison people as points; people with the same covariates share a point.

    Parameters
    ----------
    comparison : ndarray, shape (n0, k)
        Coordinates in which the distance is Euclidean; sorted by id.
    line : ndarray, shape (n0,)
        The number that a caliper is on; the same for people of one point.
    width : float or None
        The caliper.
    """

    def __init__(self, comparison: Array, line: Array, width: float | None) -> None:
        self.points, self.people, self.starts = _gathered(comparison)
        self.line, self.width = line[self.people[self.starts[:-1]]], width
        self.along = np.argsort(self.line, kind="stable")
        self.ordered = self.line[self.along]
        self.taken = np.zeros(len(self.points), int)
        self._tree: Any = None

    @property
    def tree(self) -> Any:
        """A k-d tree of the points."""
        if self._tree is None:
            from scipy.spatial import cKDTree

            self._tree = cKDTree(self.points)
        return self._tree

    def look(self, place: Array, at: float, k: int) -> tuple[Array, Array, bool]:
        """List the nearest points with their squared distances, and whether these are all that a caliper allows.

        Parameters
        ----------
        place : ndarray, shape (k,)
            From where.
        at : float
            The number of the caliper there.
        k : int
            How many points at least, where there are so many.

        Returns
        -------
        (ndarray, ndarray, bool)
            In ascending distance.
        """
        low, high = 0, len(self.points)
        if self.width is not None:  # a little too wide; the exact rule follows
            rim = self.width * (1 + 1e-9)
            low = int(np.searchsorted(self.ordered, at - rim, "left"))
            high = int(np.searchsorted(self.ordered, at + rim, "right"))
        whole = high - low <= max(FEW if self.width is not None else 0, k) or k > FEW
        found = self.along[low:high] if whole else np.sort(np.atleast_1d(self.tree.query(place, k=k)[1]))
        if self.width is not None:
            found = found[np.abs(self.line[found] - at) <= self.width]
        squared = ((self.points[found] - place) ** 2).sum(axis=1)
        order = np.lexsort((found, squared))
        return found[order], squared[order], whole

    def nearest(self, place: Array, at: float, ratio: int, slack: float | None = None) -> Array:
        """The nearest people who are left.

        Parameters
        ----------
        place, at
            As in `look`.
        ratio : int
            How many.
        slack : float, optional
            Take everybody whose squared distance is at most the last one's plus this.

        Returns
        -------
        ndarray of int
            Places of people, the lowest ids first among the equally near; fewer than ``ratio`` where there are no more.
        """
        k = FIRST_LOOK + ratio
        while True:
            found, squared, whole = self.look(place, at, k)
            left = self.starts[found + 1] - self.starts[found] - self.taken[found]
            enough = int(np.searchsorted(np.cumsum(left), ratio)) if len(left) else 0
            if enough < len(left):
                reach = squared[enough] + (slack or 0.0)
                if whole or squared[-1] > reach * (1 + 1e-9):
                    return self._people(found, squared, reach, ratio if slack is None else None)
            elif whole:
                return self._people(found, squared, np.inf, ratio if slack is None else None)
            k *= 4

    def _people(self, found: Array, squared: Array, reach: float, most: int | None) -> Array:
        """People of the points within reach, nearest first, then by id."""
        keep = squared <= reach
        people, distances = [], []
        for point, distance in zip(found[keep].tolist(), squared[keep].tolist(), strict=True):
            own = self.people[self.starts[point] + self.taken[point] : self.starts[point + 1]][:most]
            people.append(own)
            distances.append(np.full(len(own), distance))
        if not people:
            return np.zeros(0, int)
        everybody = np.concatenate(people)
        return everybody[np.lexsort((everybody, np.concatenate(distances)))][:most]

    def take(self, person: int) -> None:
        """Take somebody out, who must be the lowest id left of his or her point.

        Parameters
        ----------
        person : int
            Place in ``comparison``.
        """
        self.taken[self.point_of[person]] += 1

    @property
    def point_of(self) -> Array:
        """The point of each person."""
        if not hasattr(self, "_point_of"):
            self._point_of = np.empty(len(self.people), int)
            self._point_of[self.people] = np.repeat(np.arange(len(self.points)), np.diff(self.starts))
        return self._point_of


def _gathered(comparison: Array) -> tuple[Array, Array, Array]:
    """Distinct points, people by point and id, and where each point's people begin."""
    order = np.lexsort((np.arange(len(comparison)), *comparison.T[::-1]))
    ordered = comparison[order]
    new = np.append(True, (ordered[1:] != ordered[:-1]).any(axis=1))
    return ordered[new], order, np.append(np.flatnonzero(new), len(order))


def nearest_in_space(treated: Array, space: Space, order: Array, ratio: int, at: Array) -> Array:
    """Match on several whitened numbers, each treated in turn taking the nearest that is left.

    Parameters
    ----------
    treated : ndarray, shape (n1, k)
        Coordinates.
    space : Space
        The comparison people.
    order, ratio
        As in `nearest_on_line`.
    at : ndarray, shape (n1,)
        The number of the caliper.

    Returns
    -------
    ndarray of int, shape (n1, ratio)
        Positions in the comparison; -1 where nobody is left.
    """
    result = np.full((len(treated), ratio), -1)
    for turn in range(ratio):
        for person in order.tolist():
            if turn and result[person, turn - 1] < 0:
                continue
            found = space.nearest(treated[person], at[person], 1)
            if len(found):
                result[person, turn] = found[0]
                space.take(int(found[0]))
    return result


def again_in_space(
    treated: Array, space: Space, ratio: int, at: Array, slack: float | None = None
) -> tuple[Array, Array]:
    """Match on several whitened numbers, with replacement.

    Parameters
    ----------
    treated, space, ratio, at
        As in `nearest_in_space`.
    slack : float, optional
        As in `again_on_line`.

    Returns
    -------
    (ndarray of int, ndarray of int), both of shape (pairs,)
        Positions in ``treated`` and in the comparison.
    """
    found = [space.nearest(place, one, ratio, slack) for place, one in zip(treated, at, strict=True)]
    who = np.repeat(np.arange(len(treated)), [len(one) for one in found])
    return who, np.concatenate(found) if found else np.zeros(0, int)
