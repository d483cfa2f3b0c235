"""Which parameter stands where: configural, metric, scalar and strict models over groups and occasions.

A cell is a group at an occasion. What a level holds equal carries one key for all cells, the rest a key per cell. The
first cell sets the scale: its factors have variance 1 and mean 0, so no single item has to serve as the yardstick.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from evalkit.outcomes.factors.starts import GroupStart, group_start, scaled_by_marker
from evalkit.outcomes.factors.surface import GroupModel, Sample, Slots

LEVELS = ("configural", "metric", "scalar", "strict")
ITEM_KINDS = {"loading": 1, "intercept": 2, "residual": 3}
Key = tuple[Hashable, ...]


@dataclass(frozen=True, eq=False)
class Design:
    """What is to be fitted: items, factors and cells.

    Attributes
    ----------
    items : tuple of str
        In the order of the matrices, for one occasion.
    factors : tuple of str
        Names.
    owner : ndarray of int, shape (p,)
        The factor each item belongs to.
    groups, occasions : tuple of str
        One entry where there is only one.
    samples : tuple of Sample
        One per group; over several occasions the items of all occasions stand side by side.
    with_means : bool
        Whether the means belong to the model.
    marker : bool
        Whether the first item of each factor sets its scale (loading 1) instead of a factor variance of 1.
    """

    items: tuple[str, ...]
    factors: tuple[str, ...]
    owner: np.ndarray
    groups: tuple[str, ...]
    occasions: tuple[str, ...]
    samples: tuple[Sample, ...]
    with_means: bool = True
    marker: bool = False

    @property
    def n(self) -> int:
        """Persons in all groups."""
        return sum(sample.n for sample in self.samples)

    @property
    def moments(self) -> int:
        """Means and covariances there are to be fitted."""
        size = len(self.samples[0].mean)
        return len(self.groups) * (size * (size + 1) // 2 + (size if self.with_means else 0))

    @cached_property
    def starts(self) -> list[GroupStart]:
        """First guesses, one per group."""
        many, times = len(self.factors), len(self.occasions)
        owner = np.concatenate([self.owner + time * many for time in range(times)])
        guesses = [group_start(sample, owner, many * times) for sample in self.samples]
        return [scaled_by_marker(guess, owner, self.marker) for guess in guesses]

    @property
    def markers(self) -> set[int]:
        """The first item of each factor."""
        return {int(np.flatnonzero(self.owner == place)[0]) for place in range(len(self.factors))}


@dataclass
class Book:
    """The parameters met so far, each with the values proposed as its start."""

    number: dict[Key, int] = field(default_factory=dict)
    proposed: list[list[float]] = field(default_factory=list)

    def enter(self, key: Key, start: float) -> int:
        """The parameter's number; a key met again is the same parameter."""
        if key not in self.number:
            self.number[key] = len(self.number)
            self.proposed.append([])
        self.proposed[self.number[key]].append(float(start))
        return self.number[key]

    @property
    def start(self) -> np.ndarray:
        """The mean of what was proposed, shape (m,)."""
        return np.array([np.mean(values) for values in self.proposed])


def models(design: Design, level: str, released: Sequence[tuple[str, str]] = ()) -> tuple[list[GroupModel], Book]:
    """Write the model of a level down, group by group.

    Parameters
    ----------
    design : Design
        Items, factors, groups and occasions.
    level : {"configural", "metric", "scalar", "strict"}
        What is equal in all cells: nothing; loadings; intercepts too; residual variances too.
    released : sequence of (kind, item)
        What is free in every cell all the same, such as ("intercept", "x3").

    Returns
    -------
    models : list of GroupModel
        One per group.
    book : Book
        Keys, numbers and starts of the parameters.
    """
    book, free = Book(), set(released)
    return [_group_model(design, place, LEVELS.index(level), free, book) for place in range(len(design.groups))], book


def _group_model(design: Design, group: int, level: int, free: set[tuple[str, str]], book: Book) -> GroupModel:
    size, many, times = len(design.items), len(design.factors), len(design.occasions)
    parts = {
        "loadings": _blank(size * times, many * times),
        "factors": _blank(many * times, many * times),
        "residuals": _blank(size * times, size * times),
        "intercepts": _blank(size * times),
        "means": _blank(many * times),
    }
    start = design.starts[group]
    for time in range(times):
        _enter_items(design, (group, time), start, (level, free), (parts, book))
        _enter_factors(design, (group, time), start, level, (parts, book))
    _enter_between(design, group, start, (parts, book))
    return GroupModel(**parts)


def _blank(*shape: int) -> Slots:
    return Slots(np.full(shape, -1), np.zeros(shape))


def _enter_items(
    design: Design,
    cell: tuple[int, int],
    start: GroupStart,
    held: tuple[int, set[tuple[str, str]]],
    out: tuple[dict[str, Slots], Book],
) -> None:
    """Loadings, intercepts and residual variances of one group at one occasion."""
    (level, free), (parts, book) = held, out
    for item, name in enumerate(design.items):

        def key(kind: str, name: str = name) -> Key:
            equal = level >= ITEM_KINDS[kind] and (kind, name) not in free
            return (kind, name, "all" if equal else cell)

        row = cell[1] * len(design.items) + item
        column = cell[1] * len(design.factors) + int(design.owner[item])
        if design.marker and item in design.markers:
            parts["loadings"].fixed[row, column] = 1.0
        else:
            parts["loadings"].index[row, column] = book.enter(key("loading"), start.loadings[row])
        parts["residuals"].index[row, row] = book.enter(key("residual"), start.residuals[row])
        if design.with_means:
            parts["intercepts"].index[row] = book.enter(key("intercept"), start.intercepts[row])


def _enter_factors(
    design: Design, cell: tuple[int, int], start: GroupStart, level: int, out: tuple[dict[str, Slots], Book]
) -> None:
    """Variances, covariances and means of the factors within a cell."""
    parts, book = out
    first = cell[1] * len(design.factors)
    yardstick = cell == (0, 0)
    for a, name in enumerate(design.factors):
        here = first + a
        if design.marker or (level >= 1 and not yardstick):
            parts["factors"].index[here, here] = book.enter(("variance", name, cell), start.factors[here, here])
        else:
            parts["factors"].fixed[here, here] = 1.0
        if design.with_means and level >= 2 and not yardstick:
            parts["means"].index[here] = book.enter(("mean", name, cell), 0.0)
        for there in range(first, here):
            other = design.factors[there - first]
            _pair(
                parts["factors"],
                (here, there),
                book.enter(("covariance", other, name, cell), start.factors[here, there]),
            )


def _enter_between(design: Design, group: int, start: GroupStart, out: tuple[dict[str, Slots], Book]) -> None:
    """What ties occasions together: factors across them, and what each item keeps to itself."""
    parts, book = out
    size, many = len(design.items), len(design.factors)
    for later in range(1, len(design.occasions)):
        for earlier in range(later):
            span = (group, earlier, later)
            for a, b in np.ndindex(many, many):
                place = (later * many + a, earlier * many + b)
                _pair(parts["factors"], place, book.enter(("across", a, b, span), start.factors[place]))
            for item in range(size):
                place = (later * size + item, earlier * size + item)
                _pair(parts["residuals"], place, book.enter(("kept", item, span), 0.0))


def _pair(slots: Slots, place: tuple[int, int], number: int) -> None:
    slots.index[place] = slots.index[place[::-1]] = number
