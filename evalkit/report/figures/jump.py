"""A discontinuity: means of people in bands on both sides of the cut-off, and the lines that meet it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from evalkit.report.figures.layout import Item, key, nothing, room
from evalkit.report.figures.svg import NARROW, WIDE, Board, Drawn, Scale, fit, tick_digits, ticks
from evalkit.words import number

TALL = {WIDE: 260.0, NARROW: 220.0}


@dataclass(frozen=True)
class Bin:
    """People whose running number lies in a band: its middle and their mean outcome; bands of few are left out."""

    at: float
    mean: float


@dataclass(frozen=True)
class Cut:
    """The cut-off, what the lines on its two sides say at it (below, above), and words for the axes."""

    at: float
    below: float
    above: float
    words: str
    running: str
    treated_above: bool = True


def jump(bins: Sequence[Bin], cut: Cut) -> Drawn:
    """Draw binned means around a cut-off, with the two limits whose difference is the effect.

    Parameters
    ----------
    bins : sequence of Bin
        In the order of the running number.
    cut : Cut
        Where it lies, and the limits.

    Returns
    -------
    Drawn
        Wide and narrow drawing; a sentence where no band may be shown.
    """
    if not bins:
        return nothing("No band may be shown: too few people near the cut-off.")
    told = f"Cut-off at {number(cut.at, 1)}."
    if math.isfinite(cut.below) and math.isfinite(cut.above):
        told = f"At the cut-off {number(cut.at, 1)}: {number(cut.below, 2)} below, {number(cut.above, 2)} above."
    alt = f"{cut.words}, {len(bins)} bands. {told}"
    return Drawn(_draw(bins, cut, WIDE).svg(alt), _draw(bins, cut, NARROW).svg(alt), alt)


def _draw(bins: Sequence[Bin], cut: Cut, width: int) -> Board:
    board = Board(width)
    values = [one.mean for one in bins] + [v for v in (cut.below, cut.above) if math.isfinite(v)]
    marks = ticks(min(values), max(values), 5)
    digits = tick_digits(marks)
    left = max(room(number(mark, digits)) for mark in marks) + 14
    items: list[Item] = [("circle", "treated", "treated; the others are hollow")]
    top = key(board, items, 0, board.lines(0, 13, fit(cut.words, width), "soft") + 4, width) + 18
    ends = [one.at for one in bins] + [cut.at]
    across = Scale(min(ends), max(ends), left + 8, width - 12)
    up = Scale(marks[0], marks[-1], top + TALL[width], top)
    for mark in marks:
        board.line(left, up(mark), width, up(mark), "axis" if mark == marks[0] else "grid")
        board.text(left - 8, up(mark) + 4.5, number(mark, digits), "soft", "end")
    x = across(cut.at)
    board.line(x, up.end - 6, x, up.start, "reference")
    board.text(min(max(x, 40), width - 40), up.end - 10, "cut-off", "soft", "middle")
    for one in bins:
        mine = (one.at >= cut.at) == cut.treated_above
        (board.circle if mine else board.diamond)(across(one.at), up(one.mean))
    for value, side in ((cut.below, -1), (cut.above, 1)):
        if math.isfinite(value):
            board.line(x, up(value), x + side * 40, up(value), "inkline")
    for mark in ticks(across.low, across.high, 5):
        if across.low <= mark <= across.high:
            board.line(across(mark), up.start, across(mark), up.start + 4)
            board.text(across(mark), up.start + 18, number(mark, 1 if across.high < 10 else 0), "soft", "middle")
    board.text(width, up.start + 38, cut.running, "soft", "end")
    board.height = up.start + 46
    return board
