"""Finding for each treated person the nearest comparison people, without replacement, the same in any row order."""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def nearest_on_line(treated: Array, comparison: Array, order: Array, ratio: int, caliper: float | None) -> Array:
    """Match on one number (the score), each treated in turn taking the nearest that is left.

    Parameters
    ----------
    treated, comparison : ndarray, shape (n1,), (n0,)
        Scores; both sorted by id, so that lower positions win ties.
    order : ndarray of int, shape (n1,)
        Whose turn it is.
    ratio : int
        Rounds: everybody gets a first neighbour before anybody gets a second.
    caliper : float or None
        Largest distance allowed.

    Returns
    -------
    ndarray of int, shape (n1, ratio)
        Positions in ``comparison``; -1 where nobody is left or near enough.

    Notes
    -----
    Sorted once; removed people are skipped by path-halving links (union-find), so the work is nearly linear.
    """
    by_score = np.argsort(comparison, kind="stable")
    line = comparison[by_score]
    starts = np.searchsorted(line, line, side="left").tolist()
    places = np.searchsorted(line, treated, side="left").tolist()
    values, scores = line.tolist(), treated.tolist()
    n = len(values)
    right, left = list(range(n + 1)), list(range(n + 1))  # left is shifted by one: 0 stands for nobody
    limit = np.inf if caliper is None else float(caliper)
    result = np.full((len(scores), ratio), -1)
    for turn in range(ratio):
        for person in order.tolist():
            if turn and result[person, turn - 1] < 0:
                continue
            place = _nearer(
                values,
                scores[person],
                _find(right, places[person]),
                _find(left, places[person]) - 1,
                by_score,
                starts,
                right,
            )
            if place < 0 or abs(values[place] - scores[person]) > limit:
                continue
            result[person, turn] = by_score[place]
            right[place], left[place + 1] = place + 1, place
    return np.column_stack([_dealt(treated, comparison, order, result[:, turn]) for turn in range(ratio)])


def _dealt(treated: Array, comparison: Array, order: Array, partner: Array) -> Array:
    """Deal comparison people of one and the same score, below their treated, in the order in which MatchIt deals them.

    Who is matched does not change, nor any distance; only which of the equal ones stands beside whom, on which the
    set-clustered standard error depends a little.
    """
    partner = partner.copy()
    turns = order[(partner[order] >= 0)]
    turns = turns[comparison[partner[turns]] < treated[turns]]
    scores = comparison[partner[turns]]
    equal, counts = np.unique(scores, return_counts=True)
    for score in equal[counts > 1]:
        people = turns[scores == score]
        partner[people] = partner[people][::-1]
    return partner


def _find(links: list[int], place: int) -> int:
    """Follow links to what is left, halving the path."""
    while links[place] != place:
        links[place] = links[links[place]]
        place = links[place]
    return place


def _nearer(
    values: list[float], score: float, above: int, below: int, by_score: Array, starts: list[int], right: list[int]
) -> int:
    """The nearer of the two candidates; among equals the lowest id."""
    if below >= 0:
        below = _find(right, starts[below])
    if above >= len(values) or below < 0:
        return below if above >= len(values) else above
    up, down = abs(values[above] - score), abs(values[below] - score)
    if up == down:
        return above if by_score[above] < by_score[below] else below
    return above if up < down else below


def nearest_in_space(
    treated: Array, comparison: Array, order: Array, ratio: int, allowed: Array | None = None
) -> Array:
    """Match on several whitened numbers (Mahalanobis distance), each treated in turn taking the nearest that is left.

    Parameters
    ----------
    treated, comparison : ndarray, shape (n1, k), (n0, k)
        Coordinates in which the distance is Euclidean; sorted by id.
    order, ratio
        As in `nearest_on_line`.
    allowed : ndarray of bool, shape (n1, n0), optional
        Who may be matched with whom (caliper).

    Returns
    -------
    ndarray of int, shape (n1, ratio)
        Positions in ``comparison``; -1 where nobody is left.
    """
    left = np.ones(len(comparison), bool)
    result = np.full((len(treated), ratio), -1)
    for turn in range(ratio):
        for person in order.tolist():
            free = left if allowed is None else left & allowed[person]
            if not free.any() or (turn and result[person, turn - 1] < 0):
                continue
            distance = ((comparison - treated[person]) ** 2).sum(axis=1)
            place = int(np.argmin(np.where(free, distance, np.inf)))
            result[person, turn], left[place] = place, False
    return result
