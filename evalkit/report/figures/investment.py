"""What investors had in or out of pocket over time: a stepped line, its lowest point and the day it came back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from evalkit.report.figures.svg import NARROW, WIDE, Board, Drawn, Scale, fit, ticks
from evalkit.words import SYMBOLS, day, money, month, number, whole_money

Point = tuple[dt.date, float]
TALL = {WIDE: 250.0, NARROW: 236.0}
ROOM = 38.0  # below the lowest level, for the words of a mark


def investment(points: Sequence[Point], lowest: dt.date | None, back: dt.date | None, currency: str) -> Drawn:
    """Draw the running sum of all cash flows.

    Parameters
    ----------
    points : sequence of (date, float)
        The balance from each date on, dates rising.
    lowest, back : date or None
        When most was out of pocket, and from when on nothing was.
    currency : str
        For the labels.

    Returns
    -------
    Drawn
        Wide and narrow drawing, and the balances in words.
    """
    told = "; ".join(f"{day(date)} {money(value, currency)}" for date, value in points)
    alt = f"Line. Paid in and received so far: {told}."
    marks = (lowest, back)
    return Drawn(_draw(points, marks, currency, WIDE).svg(alt), _draw(points, marks, currency, NARROW).svg(alt), alt)


def _short(value: float, currency: str, biggest: float) -> str:
    if biggest < 1e6:
        return whole_money(value, currency)
    text = number(value / 1e6, 1)
    sign, size = (text[0], text[1:]) if text[0] == "\u2212" else ("", text)
    return f"{sign}{SYMBOLS.get(currency, f'{currency} ')}{size}m"


def _draw(points: Sequence[Point], marks: tuple[dt.date | None, dt.date | None], currency: str, width: int) -> Board:
    board, tall = Board(width), TALL[width]
    values = [0.0, *(value for _, value in points)]
    levels = ticks(min(values), max(values), 4)
    biggest = max(abs(level) for level in levels)
    left = 84.0 if width == WIDE else 70.0
    first, last = points[0][0].toordinal(), points[-1][0].toordinal()
    across = Scale(first, max(last, first + 1), left, width - 16)
    up = Scale(levels[0], levels[-1], tall - ROOM, 12)
    for level in levels:
        board.line(left, up(level), width - 16, up(level), "zero" if level == 0 else "grid")
        board.text(left - 8, up(level) + 4.5, "0" if level == 0 else _short(level, currency, biggest), "soft", "end")
    _years(board, points, across, tall)
    path = f"M{across(first):.1f} {up(0):.1f}"
    for date, value in points:
        path += f"H{across(date.toordinal()):.1f}V{up(value):.1f}"
    board.path(path, "inkline")
    for words, when in zip(("most out of pocket", "money back"), marks, strict=True):
        _mark(board, words, when, points, (across, up), currency)
    board.height = tall + 30
    return board


def _years(board: Board, points: Sequence[Point], across: Scale, tall: float) -> None:
    """The first day of each year that there is room for."""
    first, last = points[0][0], points[-1][0]
    years = [dt.date(year, 1, 1) for year in range(first.year + 1, last.year + 1)]
    step = max(1, -(-len(years) * 48 // int(across.end - across.start)))
    for date in years[::step] or [first]:
        at = across(date.toordinal())
        board.line(at, tall, at, tall + 5, "axis")
        board.text(at, tall + 20, f"{date.year}" if years else month(date), "soft", "middle" if years else "start")


def _mark(
    board: Board, words: str, date: dt.date | None, points: Sequence[Point], scales: tuple[Scale, Scale], currency: str
) -> None:
    """A mark on the line with its words, kept within the drawing."""
    if date is None:
        return
    across, up = scales
    value = next(balance for when, balance in points if when == date)
    x, y = across(date.toordinal()), up(value)
    board.circle(x, y, "solid")
    label = f"{words}, {month(date)}: {money(value, currency)}"
    lines = fit(label, 230 if board.width == WIDE else 150)
    side = "end" if x > (across.start + across.end) / 2 else "start"
    below = y + 20 + 16 * (len(lines) - 1) < up.start + ROOM
    top = y + 18 if below else y - 10 - 16 * (len(lines) - 1)
    board.lines(x + (-8 if side == "end" else 8), top, lines, "halo", side)
