"""Finding for each treated person the nearest comparison people by one number, the same in any row order."""

from __future__ import annotations

import numpy as np

from evalkit.errors import EstimationError

Array = np.ndarray
MOST_PAIRS = 50_000_000


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


def again_on_line(
    treated: Array, comparison: Array, ratio: int, caliper: float | None, slack: float | None = None
) -> tuple[Array, Array]:
    """Match on one number, with replacement: everybody's nearest comparison people, whoever else has them.

    Parameters
    ----------
    treated, comparison : ndarray, shape (n1,), (n0,)
        Scores; both sorted by id, so that lower positions win ties.
    ratio : int
        How many different comparison people each treated person gets.
    caliper : float or None
        Largest distance allowed.
    slack : float, optional
        Take everybody whose squared distance is at most that of the last one taken plus this; default: exactly
        ``ratio`` people.

    Returns
    -------
    (ndarray of int, ndarray of int), both of shape (pairs,)
        Positions in ``treated`` and in ``comparison``.

    Notes
    -----
    The comparison stands in a line by score, then by id. From the treated person's place one walks up and down it, so
    that among equals above the lowest id comes first and among equals below the highest, as MatchIt 4.7.2 does.
    """
    n, wanted = len(comparison), min(ratio, len(comparison))
    up = np.argsort(comparison, kind="stable")
    line = comparison[up]
    start = np.searchsorted(line, treated, side="left")
    step = np.arange(wanted)
    above, below = start[:, None] + step, start[:, None] - 1 - step
    walk = np.concatenate([above, below], axis=1)
    places = up[np.clip(walk, 0, n - 1)]
    distance = np.abs(comparison[places] - treated[:, None])
    distance[(walk < 0) | (walk >= n)] = np.inf
    order = np.lexsort((places, np.broadcast_to(np.tile(step, 2), walk.shape), distance), axis=1)[:, :wanted]
    limit = np.inf if caliper is None else float(caliper)
    places, distance = np.take_along_axis(places, order, 1), np.take_along_axis(distance, order, 1)
    if slack is None:
        who, turn = np.nonzero(distance <= limit)
        return who, places[who, turn]
    last = distance[:, -1]
    reach = np.minimum(np.sqrt(last**2 + slack) if slack > 0 else last, limit)
    return _everybody_within(treated, line, up, reach)


def _everybody_within(treated: Array, line: Array, up: Array, reach: Array) -> tuple[Array, Array]:
    """All pairs no further apart than the treated person's reach."""
    rim = reach * (1 + 1e-9) + 1e-300  # a little too wide; the exact rule follows
    low, high = np.searchsorted(line, treated - rim, "left"), np.searchsorted(line, treated + rim, "right")
    counts = high - low
    if counts.sum() > MOST_PAIRS:
        raise EstimationError(
            f'ties = "all" makes {counts.sum():,} pairs. Match on more or finer covariates, or leave ties out.'
        )
    who = np.repeat(np.arange(len(treated)), counts)
    place = np.arange(len(who)) - np.repeat(np.cumsum(counts) - counts, counts) + low[who]
    near = np.abs(line[place] - treated[who]) <= reach[who]
    who, partner = who[near], up[place[near]]
    order = np.lexsort((partner, who))
    return who[order], partner[order]
