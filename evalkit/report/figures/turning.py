"""A curve to be turned: the past, the forecast with its range, other forecasts, the desired and the actual course."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from evalkit.report.figures.layout import apart
from evalkit.report.figures.svg import NARROW, WIDE, Board, Drawn, Scale, tick_digits, ticks
from evalkit.words import number

Points = Sequence[tuple[int, float]]
TALL = 300.0


@dataclass(frozen=True)
class Path:
    """One line: its short name, how it is drawn, its points, and whether each point has a mark."""

    name: str
    css: str
    points: Points
    marked: bool = False


def turning(
    paths: Sequence[Path], band: Sequence[tuple[int, float, float]], until: int, digits: int, alt: str
) -> Drawn:
    """Draw a curve and its forecasts.

    Parameters
    ----------
    paths : sequence of Path
        From the back to the front; each is named at its right end.
    band : sequence of (year, low, high)
        The forecast's interval; empty where there is none.
    until : int
        Last year of the past: a line stands after it.
    digits : int
        Decimals of the numbers at the ends.
    alt : str
        The numbers in words.

    Returns
    -------
    Drawn
        Wide and narrow drawing.
    """
    wide, narrow = (_draw(paths, band, until, digits, width).svg(alt) for width in (WIDE, NARROW))
    return Drawn(wide, narrow, alt)


def _draw(
    paths: Sequence[Path], band: Sequence[tuple[int, float, float]], until: int, digits: int, width: int
) -> Board:
    board = Board(width)
    years = sorted({year for path in paths for year, _ in path.points} | {year for year, *_ in band})
    values = [value for path in paths for _, value in path.points] + [end for _, *ends in band for end in ends]
    marks = ticks(min(values), max(values), 5)
    left, right = 44.0, width - (190.0 if width == WIDE else 122.0)
    across = Scale(years[0], years[-1], left + 8, right - 8)
    up = Scale(marks[0], marks[-1], TALL, 12)
    for mark in marks:
        board.line(left, up(mark), right, up(mark), "axis" if mark == 0 else "grid")
        board.text(left - 8, up(mark) + 4.5, number(mark, tick_digits(marks)), "soft", "end")
    if band:
        _band(board, band, across, up)
    board.line(across(until + 0.5), 12, across(until + 0.5), TALL, "reference")
    for path in paths:
        _path(board, path, across, up)
    _names(board, paths, up, right, digits)
    _years(board, years, across, width)
    return board


def _band(board: Board, band: Sequence[tuple[int, float, float]], across: Scale, up: Scale) -> None:
    above = [(across(year), up(high)) for year, _, high in band]
    below = [(across(year), up(low)) for year, low, _ in reversed(band)]
    board.path("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in [*above, *below]) + "Z", "bandsame")


def _path(board: Board, path: Path, across: Scale, up: Scale) -> None:
    spots = [(across(year), up(value)) for year, value in path.points if math.isfinite(value)]
    for one, other in pairwise(spots):
        board.line(*one, *other, path.css)
    for spot in spots if path.marked else ():
        board.square(*spot, "solid", 7)


def _names(board: Board, paths: Sequence[Path], up: Scale, right: float, digits: int) -> None:
    """Each path's name and last number at its right end; the past has none of its own."""
    named = [path for path in paths if path.name and path.points]
    wanted = [up(path.points[-1][1]) for path in named]
    for path, y in zip(named, apart(wanted, [17.0] * len(named), 4, TALL + 24), strict=True):
        text = f"{path.name} {number(path.points[-1][1], digits)}"
        board.text(right + 2, y + 4.5, text, "bold" if path.marked else "soft")


def _years(board: Board, years: Sequence[int], across: Scale, width: int) -> None:
    first, last = years[0], years[-1]
    each = max(1, math.ceil((last - first + 1) / (12 if width == WIDE else 5)))
    for year in range(first, last + 1, each):
        board.text(across(year), TALL + 20, str(year), "soft", "middle")
    board.height = TALL + 36
