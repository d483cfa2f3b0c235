"""Hiding further cells until no small cell can be found by subtraction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

import numpy as np

Cell = tuple[object, str]
Sum = tuple[Cell, list[Cell]]
MANY = 100  # cells of a system for each further cell that is hidden at a time
Solved = dict[frozenset[Cell], set[Cell]]  # by the unknown cells of a group of sums, those that follow from it


def hide_complements(
    values: Mapping[Cell, float],
    small: set[Cell],
    sums: Sequence[Sum],
    below: int,
    unseen: Set[Cell] = frozenset(),
    keep: Set[Cell] = frozenset(),
    fixed: Set[Cell] = frozenset(),
) -> set[Cell]:
    """Hide further cells until no small cell can be found by subtraction.

    Parameters
    ----------
    values : dict
        Cell -> value, for every cell that stands in a sum.
    small : set of cells
        Those that must not become known.
    sums : list of (whole, parts)
        What adds up to what.
    below : int
        A group of hidden parts whose sum is known must itself reach this.
    unseen : set of cells
        Cells that are not printed but could be worked out (people leaving one arm).
    keep : set of cells
        Cells to be hidden only when nothing else is left.
    fixed : set of cells
        Cells that are known already and cannot be hidden any more.

    Returns
    -------
    set of cells
        All hidden cells, `small` included. The smallest visible part goes first; the first of equals.
    """
    order = {cell: place for place, cell in enumerate(values)}
    hidden, solved = set(small), Solved()
    while True:
        near, far, joined = _loose_sums(values, small, sums, below, hidden | unseen, solved)
        if not near:
            return hidden
        taken = hidden | unseen | fixed
        # One cell at a time hides the fewest; in a system of many sums several at once spare most of the work.
        some = [_ready([one], [], [], taken | keep, taken) for one in near[1 : len(values) // MANY]]
        ready = [_ready(near[:1], far, joined, taken | keep, taken), *some]
        if not ready[0]:
            return hidden
        hidden |= {min(choice, key=lambda cell: (values[cell], order[cell])) for choice in ready if choice}


def _ready(near: list[Sum], far: list[Sum], joined: list[Sum], kept: set[Cell], taken: set[Cell]) -> list[Cell]:
    """The cells of which one is to be hidden: the parts of a sum, else its whole, else those further away."""
    choices = [[c for _, parts in near for c in parts if c not in kept]]
    choices += [[c for whole, _ in near if (c := whole) not in kept]]
    choices += [[c for whole, parts in far for c in (*parts, whole) if c not in kept]]
    choices += [[c for whole, parts in near + far for c in (*parts, whole) if c not in taken]]
    choices += [[c for whole, parts in joined for c in (*parts, whole) if c not in taken]]
    return next((choice for choice in choices if choice), [])


def _loose_sums(
    values: Mapping[Cell, float], small: set[Cell], sums: Sequence[Sum], below: int, unknown: set[Cell], solved: Solved
) -> tuple[list[Sum], list[Sum], list[Sum]]:
    """The sums that give a small cell away, those through which that can happen, and all joined to them."""
    guilty = []
    for cells, group in _joined(sums, unknown):
        if cells not in solved:  # a group that the last cell to be hidden did not touch is as it was
            solved[cells] = _determined(group, unknown)
        if solved[cells] & small:
            guilty.append((group, solved[cells]))
    found = {cell for _, known in guilty for cell in known & small}
    near = [s for s in sums if _few(values, small, s, below, unknown) or found & {s[0], *s[1]}]
    far = [s for group, known in guilty for s in group if known & {s[0], *s[1]}]
    first = [s for s in near if {s[0], *s[1]} - unknown] or near
    return first, [*near, *far], [s for group, _ in guilty for s in group]


def _few(values: Mapping[Cell, float], small: set[Cell], one: Sum, below: int, unknown: set[Cell]) -> bool:
    """Whether the hidden parts of a sum are known to hold fewer people than may be shown."""
    whole, parts = one
    open_parts = [cell for cell in parts if cell in unknown]
    if whole in unknown or not any(cell in small for cell in open_parts):
        return False
    return sum(values[cell] for cell in open_parts) < below


def _joined(sums: Sequence[Sum], unknown: set[Cell]) -> list[tuple[frozenset[Cell], list[Sum]]]:
    """Sums in groups that share unknown cells; each group can be solved by itself."""
    groups: list[tuple[set[Cell], list[Sum]]] = []
    for one in sums:
        cells = {one[0], *one[1]} & unknown
        if not cells:
            continue
        met = [group for group in groups if group[0] & cells]
        groups = [group for group in groups if not group[0] & cells]
        groups.append((cells.union(*(group[0] for group in met)), [s for group in met for s in group[1]] + [one]))
    return [(frozenset(cells), group) for cells, group in groups]


def _determined(sums: Sequence[Sum], unknown: set[Cell]) -> set[Cell]:
    """The unknown cells whose value follows from the sums: those without any freedom left."""
    cells = sorted({c for whole, parts in sums for c in (whole, *parts) if c in unknown}, key=str)
    if len(sums) == 1:
        return set(cells) if len(cells) == 1 else set()
    place = {cell: number for number, cell in enumerate(cells)}
    system = np.zeros((len(sums), len(cells)))
    for row, (whole, parts) in enumerate(sums):
        for cell, sign in [(whole, -1.0), *((part, 1.0) for part in parts)]:
            if cell in place:
                system[row, place[cell]] += sign
    return {cells[column] for column in _alone(system)}


def _alone(system: np.ndarray) -> list[int]:
    """Unknowns that stand alone in a row once the system is reduced (by hand: small, and no threads are started)."""
    pivots: list[int] = []
    for column in range(system.shape[1]):
        top = len(pivots)
        if top == len(system):
            break
        best = top + int(np.abs(system[top:, column]).argmax())
        if abs(system[best, column]) < 1e-9:
            continue
        system[[top, best]] = system[[best, top]]
        system[top] /= system[top, column]
        touched = np.flatnonzero(np.abs(system[:, column]) > 1e-12)  # few: a count stands in few sums
        touched = touched[touched != top]
        across = np.flatnonzero(system[top])
        system[np.ix_(touched, across)] -= system[touched, column][:, None] * system[top, across]
        pivots.append(column)
    return [column for row, column in enumerate(pivots) if (np.abs(system[row]) > 1e-9).sum() == 1]
