"""What has been printed about one cohort so far, so that each further table is judged together with all before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

from evalkit.disclosure.complement import Cell, Sum, hide_complements
from evalkit.disclosure.rules import Rule


@dataclass(frozen=True)
class Counts:
    """The counts of one table, and how they hang together with each other and with those before.

    Parameters
    ----------
    values : dict of Cell to float
        Every count, those that are not printed included.
    sums : list of (whole, parts)
        What adds up to what; cells of earlier tables may stand in a sum.
    unseen : set of cells
        Not printed, but to be had by subtraction.
    quiet : set of cells
        Where zero tells nothing about anyone: nobody left, nothing is missing.
    keep : set of cells
        Hidden only when nothing else is left.
    """

    values: dict[Cell, float] = field(default_factory=dict)
    sums: list[Sum] = field(default_factory=list)
    unseen: set[Cell] = field(default_factory=set)
    quiet: set[Cell] = field(default_factory=set)
    keep: set[Cell] = field(default_factory=set)

    def printed(self, cell: Cell, value: float) -> None:
        """Enter a count that the table prints."""
        self.values[cell] = value

    def split(self, whole: Cell, parts: Sequence[Cell], rest: Cell, known: Mapping[Cell, float]) -> None:
        """Enter that parts, and a rest that is not printed, make up a whole; nothing where they exceed it."""
        values = {**known, **self.values}
        left = values[whole] - sum(values[part] for part in parts)
        if left < 0:
            return
        self.values[rest] = left
        self.unseen.add(rest)
        self.quiet.add(rest)
        self.sums.append((whole, [*parts, rest]))


@dataclass
class Ledger:
    """Everything printed about one cohort.

    What is safe stays safe: before a table is added nothing small can be worked out; its cells are hidden until that
    holds for it and all earlier tables together. Cells printed earlier are never taken back.
    """

    rule: Rule
    values: dict[Cell, float] = field(default_factory=dict)
    small: set[Cell] = field(default_factory=set)
    dark: set[Cell] = field(default_factory=set)
    sums: list[Sum] = field(default_factory=list)

    def add(self, counts: Counts) -> set[Cell]:
        """Judge a further table.

        Parameters
        ----------
        counts : Counts
            Its cells and sums.

        Returns
        -------
        set of cells
            Those of its printed cells that must be hidden. Under a rule that rounds, only the small ones.
        """
        small = {cell for cell, value in counts.values.items() if value < self.rule.below}
        printed = set(counts.values) - counts.unseen
        if self.rule.nearest > 1:
            return small & printed
        before: Set[Cell] = set(self.values) - self.dark
        silent = {cell for cell in counts.quiet if counts.values[cell] == 0}
        self.values |= counts.values
        self.sums += counts.sums
        self.small |= small - silent
        self.dark |= counts.unseen - silent
        fixed = before | (silent & counts.unseen)
        hidden = hide_complements(
            self.values, self.small, self.sums, self.rule.below, self.dark, frozenset(counts.keep), fixed
        )
        self.dark |= hidden
        return (hidden | small) & printed

    def copy(self) -> Ledger:
        """The same ledger, to try a table on."""
        return replace(self, values=dict(self.values), small=set(self.small), dark=set(self.dark), sums=list(self.sums))
