"""The specification curve: every defensible analysis in the order of its effect, and the choices behind each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from evalkit.report.figures.layout import LINE, nothing, room
from evalkit.report.figures.svg import NARROW, WIDE, Board, Drawn, Scale, fit, tick_digits, ticks
from evalkit.words import number

TALL = {WIDE: 220.0, NARROW: 180.0}
ROW = 18.0


@dataclass(frozen=True)
class Way:
    """One analysis: effect with interval, whether it is the planned one, and its choices by kind."""

    effect: float
    low: float
    high: float
    planned: bool
    choices: dict[str, str]


def specification_curve(ways: Sequence[Way], words: str, none: float = 0.0) -> Drawn:
    """Draw effects in ascending order over a board of the choices made.

    Parameters
    ----------
    ways : sequence of Way
        In any order; kinds of choice that never differ are left out.
    words : str
        Of the axis.
    none : float
        The number that stands for no difference: 1 for ratios.

    Returns
    -------
    Drawn
        Wide and narrow drawing; a sentence where nothing could be estimated.
    """
    ways = sorted((way for way in ways if math.isfinite(way.effect)), key=lambda way: way.effect)
    if not ways:
        return nothing("Not one of the analyses listed could be made.")
    alt = _told(ways, words)
    return Drawn(_draw(ways, words, none, WIDE).svg(alt), _draw(ways, words, none, NARROW).svg(alt), alt)


def _rows(ways: Sequence[Way]) -> list[tuple[str, str]]:
    """Kinds and choices, in the order in which they come, of the kinds that differ."""
    kinds = dict.fromkeys(kind for way in ways for kind in way.choices)
    rows = []
    for kind in kinds:
        chosen = dict.fromkeys(way.choices.get(kind, "") for way in ways)
        rows += [(kind, choice) for choice in sorted(chosen) if choice] if len(chosen) > 1 else []
    return rows


def _draw(ways: Sequence[Way], words: str, none: float, width: int) -> Board:
    board = Board(width)
    rows = _rows(ways)
    values = [v for w in ways for v in (w.effect, w.low, w.high) if math.isfinite(v)] + [none]
    marks = ticks(min(values), max(values), 5)
    digits = tick_digits(marks)
    names = [choice for _, choice in rows]
    wanted = max([room(name) for name in names] + [room(number(mark, digits, sign=True)) for mark in marks]) + 14
    left = min(wanted, width * 0.42)
    top = board.lines(0, 13, fit(words, width), "soft")
    across = Scale(-0.5, len(ways) - 0.5, left, width - 2)
    up = Scale(marks[0], marks[-1], top + TALL[width], top)
    for mark in marks:
        board.line(left, up(mark), width, up(mark), "zero" if mark == none else "grid")
        board.text(left - 8, up(mark) + 4.5, number(mark, digits, sign=not none) if mark else "0", "soft", "end")
    for place, way in enumerate(ways):
        _way(board, way, across(place), up)
    board.height = _choices(board, ways, rows, across, up.start + 30)
    return board


def _way(board: Board, way: Way, x: float, up: Scale) -> None:
    if math.isfinite(way.low) and math.isfinite(way.high):
        board.line(x, up(way.low), x, up(way.high), "inkline" if way.planned else "greyline")
    if way.planned:
        board.square(x, up(way.effect), "solid", 9)
    else:
        board.circle(x, up(way.effect), "edge", 2)


def _choices(
    board: Board, ways: Sequence[Way], rows: Sequence[tuple[str, str]], across: Scale, y: float
) -> float:  # fmt: skip
    """A row for each choice, a tick where an analysis made it; returns the height of the drawing."""
    before = ""
    for kind, choice in rows:
        if kind != before:
            y += 10
            board.text(0, y, kind, "soft bold")
            y, before = y + ROW, kind
        for place, way in enumerate(ways):
            if way.choices.get(kind) == choice:
                x = across(place)
                board.line(x, y - 10, x, y, "inkline" if way.planned else "greyline")
        y = board.lines(0, y, fit(choice, across.start - 8)) + ROW - LINE
    return y


def _told(ways: Sequence[Way], words: str) -> str:
    """The range and the planned one, in words."""
    low, high = ways[0].effect, ways[-1].effect
    size = max(abs(low), abs(high))
    digits = 0 if size >= 100 else 1 if size >= 10 else 3
    planned = next((way for way in ways if way.planned), None)
    told = f" The planned one: {number(planned.effect, digits)}." if planned else ""
    return f"{words}. {len(ways)} analyses, from {number(low, digits)} to {number(high, digits)}.{told}"
