"""Overlap: how likely people of each arm were to be treated, the treated above the line and the comparison below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evalkit.report.figures.layout import Item, key, nothing
from evalkit.report.figures.svg import NARROW, WIDE, Board, Drawn, Scale, fit, ticks
from evalkit.words import percent

HALF_TALL = 92.0
STEPS = {WIDE: 10, NARROW: 5}


@dataclass(frozen=True)
class Band:
    """People of one arm whose chance of being treated lies between two numbers, as a share of the arm."""

    low: float
    high: float
    share: float

    @property
    def tall(self) -> float:
        """Share for each unit of chance, so that areas and not heights are shares."""
        return self.share / (self.high - self.low) if self.high > self.low else 0.0


def overlap(treated: Sequence[Band], comparison: Sequence[Band], names: tuple[str, str], words: str) -> Drawn:
    """Draw both arms over the chance of being treated; equal areas are equal shares of an arm.

    Parameters
    ----------
    treated, comparison : sequence of Band
        In ascending order; each holds enough people to be shown.
    names : (str, str)
        Of the treated and the comparison.
    words : str
        Of the axis.

    Returns
    -------
    Drawn
        Wide and narrow drawing; a sentence where an arm has no band.
    """
    if not treated or not comparison:
        return nothing("No band of scores may be shown: too few people.")
    alt = f"{words}. {_told(names[0], treated)} {_told(names[1], comparison)}"
    arms = (treated, comparison)
    return Drawn(_draw(arms, names, words, WIDE).svg(alt), _draw(arms, names, words, NARROW).svg(alt), alt)


def _draw(
    arms: tuple[Sequence[Band], Sequence[Band]], names: tuple[str, str], words: str, width: int
) -> Board:  # fmt: skip
    board = Board(width)
    items: list[Item] = [
        ("fill", "treatedarea", f"above the line: {names[0]}"),
        ("fill", "comparisonarea", f"below the line: {names[1]}"),
    ]
    top = key(board, items, 0, board.lines(0, 13, fit(words, width), "soft") + 4, width)
    bands = [*arms[0], *arms[1]]
    across = Scale(min(band.low for band in bands), max(band.high for band in bands), 18, width - 20)
    middle = top + HALF_TALL
    tall = Scale(0, max([band.tall for band in bands] + [1e-9]), 0, HALF_TALL - 4)
    for arm, name, side in ((arms[0], "treated", -1), (arms[1], "comparison", 1)):
        spots = [(across(at), middle + side * tall(band.tall)) for band in arm for at in (band.low, band.high)]
        outline = "L".join(f"{x:.1f} {y:.1f}" for x, y in spots)
        ends = (spots[0][0], spots[-1][0])
        board.path(f"M{ends[0]:.1f} {middle:.1f}L{outline}L{ends[1]:.1f} {middle:.1f}Z", f"{name}area")
        board.path(f"M{outline}", f"{name}line")
    board.line(across.start, middle, across.end, middle)
    foot = middle + HALF_TALL + 6
    for mark in ticks(across.low, across.high, STEPS[width]):
        if across.low <= mark <= across.high:
            board.line(across(mark), foot, across(mark), foot + 4)
            board.text(across(mark), foot + 18, percent(mark, 0), "soft", "middle")
    board.line(across.start, foot, across.end, foot)
    board.height = foot + 26
    return board


def _told(name: str, bands: Sequence[Band]) -> str:
    parts = [f"{percent(band.low, 0)} to {percent(band.high, 0)}: {percent(band.share, 0)}" for band in bands]
    return f"Of {name}, at a chance of {'; '.join(parts)}."
