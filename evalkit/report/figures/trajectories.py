"""Means over the occasions: filled circle and solid line for the treated, hollow diamond and dashes for comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evalkit.report.figures.svg import HALF, Board, Drawn, Scale, fit, tick_digits, ticks
from evalkit.words import number


@dataclass(frozen=True)
class Point:
    """One mean: where on the time axis (days), its interval, and n as it may be printed."""

    at: float
    mean: float
    low: float
    high: float
    n: str


@dataclass(frozen=True)
class Line:
    """One arm's points, in the order of time; points whose n is hidden have been left out."""

    name: str
    treated: bool
    points: Sequence[Point]


def trajectories(lines: Sequence[Line], occasions: Sequence[tuple[float, str]], better: str, digits: int = 1) -> Drawn:
    """Draw the means of one measure by arm over the occasions.

    Parameters
    ----------
    lines : sequence of Line
        One per arm.
    occasions : sequence of (float, str)
        Day and title of each occasion, the ticks.
    better : str
        "higher" or "lower", said at the top of the axis.
    digits : int
        Decimals of the means in the words for the figure.

    Returns
    -------
    Drawn
        One drawing of half width, which also serves a phone.
    """
    board = Board(HALF, 262 + 17 * len(lines))
    places = {day: place for place, (day, _) in enumerate(occasions)}
    values = [value for line in lines for p in line.points for value in (p.low, p.high, p.mean) if value == value]
    marks = ticks(min(values), max(values), 5)
    across = Scale(0, max(len(occasions) - 1, 1), 74, HALF - 34)
    up = Scale(marks[0], marks[-1], 222, 28)
    _frame(board, marks, up, better)
    for place, (_, title) in enumerate(occasions):
        x = across(place) if len(occasions) > 1 else (74 + HALF) / 2
        board.line(x, 222, x, 226)
        width = (HALF - 40) / max(len(occasions), 1)
        board.lines(x, 240, fit(title, width)[:2], "soft small" if len(title) > 10 else "soft", "middle")
    for index, line in enumerate(lines):
        _draw(board, line, (places, across, up), (index - (len(lines) - 1) / 2) * 6, 274 + 17 * index)
    board.height = 282 + 17 * len(lines)
    alt = _words(lines, occasions, digits)
    return Drawn(board.svg(alt), "", alt)


def _frame(board: Board, marks: list[float], up: Scale, better: str) -> None:
    digits = tick_digits(marks)
    board.text(0, 13, f"{better} is better", "soft")
    for mark in marks:
        board.line(34, up(mark), HALF, up(mark), "axis" if mark == marks[0] else "grid")
        board.text(28, up(mark) + 4.5, number(mark, digits), "soft", "end")


def _draw(board: Board, line: Line, scales: tuple[dict[float, int], Scale, Scale], shift: float, y: float) -> None:
    places, across, up = scales
    spots = [(across(places[p.at]) + shift, up(p.mean)) for p in line.points]
    arm = "treated" if line.treated else "comparison"
    if len(spots) > 1:
        board.path("M" + "L".join(f"{x:.1f} {at:.1f}" for x, at in spots), f"{arm}line")
    for (x, _), point in zip(spots, line.points, strict=True):
        if point.low == point.low and point.high == point.high:
            board.line(x, up(point.low), x, up(point.high), f"{arm}bar")
    mark = board.circle if line.treated else board.diamond
    for (x, at), point in zip(spots, line.points, strict=True):
        mark(x, at)
        board.text(x - shift, y + 4.5, point.n, f"{arm}text", "middle")
    mark(6, y)
    board.text(18, y + 4.5, "n", f"{arm}text")


def _words(lines: Sequence[Line], occasions: Sequence[tuple[float, str]], digits: int) -> str:
    titles = dict(occasions)
    told = []
    for line in lines:
        points = ", ".join(f"{titles[p.at]} {number(p.mean, digits)} (n {p.n})" for p in line.points)
        told.append(f"{line.name}: {points}")
    return f"Means over time. {'; '.join(told)}."
