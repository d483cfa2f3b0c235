"""A reader with pencil and paper: everything printed about a cohort, and what follows from it about a count."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import pandas as pd
from scipy.optimize import linprog

HIDDEN = "[c]"
Mask = Callable[[pd.DataFrame], pd.Series]


@dataclass
class Reader:
    """Kinds of people (every combination there could be), and what is printed of them.

    Not knowing how many there are of each kind, the reader finds the least and the most that any count can be.
    """

    kinds: pd.DataFrame
    equal: list[tuple[np.ndarray, float]] = field(default_factory=list)
    most: list[tuple[np.ndarray, float]] = field(default_factory=list)

    def reads(self, mask: Mask, printed: object, spread: tuple[float, float] = (0, 0)) -> None:
        """A printed count, or a rounded one that may be so much lower or higher."""
        if printed is None or printed == HIDDEN or pd.isna(printed):
            return
        row = mask(self.kinds).to_numpy(dtype=float)
        if spread == (0, 0):
            self.equal.append((row, float(printed)))
            return
        self.most.append((row, float(printed) + spread[1]))
        self.most.append((-row, -float(printed) + spread[0]))

    def reads_share(self, part: Mask, whole: Mask, printed: object, half: float) -> None:
        """A printed share, known to half of its last digit."""
        if printed == HIDDEN or pd.isna(printed):
            return
        part_row, whole_row = (mask(self.kinds).to_numpy(dtype=float) for mask in (part, whole))
        self.most.append((part_row - (float(printed) + half) * whole_row, 1e-7))
        self.most.append(((float(printed) - half) * whole_row - part_row, 1e-7))

    def bounds(self, masks: dict[str, Mask]) -> dict[str, tuple[float, float]]:
        """The least and the most that counts can be."""
        limits = {"A_eq": np.array([row for row, _ in self.equal]), "b_eq": [b for _, b in self.equal]}
        if self.most:
            limits |= {"A_ub": np.array([row for row, _ in self.most]), "b_ub": [b for _, b in self.most]}
        found = {}
        for name, mask in masks.items():
            aim = mask(self.kinds).to_numpy(dtype=float)
            ends = [linprog(sign * aim, bounds=(0, 5000), **limits) for sign in (1, -1)]
            assert [end.status for end in ends] == [0, 0], ends[0].message
            found[name] = (float(ends[0].fun), -float(ends[1].fun))
        return found


def every_kind(values: dict[str, Sequence[object]], possible: Mask) -> pd.DataFrame:
    """Every combination of values that could be."""
    kinds = pd.DataFrame(list(product(*values.values())), columns=list(values))
    return kinds[possible(kinds)].reset_index(drop=True)


def found_out(reader: Reader, people: pd.DataFrame, targets: dict[str, Mask], below: int = 10) -> dict[str, object]:
    """The small counts (1 to 9) that the reader can find exactly."""
    true = {name: int(mask(people).sum()) for name, mask in targets.items()}
    few = {name: mask for name, mask in targets.items() if 0 < true[name] < below}
    return {name: (true[name], ends) for name, ends in reader.bounds(few).items() if ends[1] - ends[0] < 0.99}
