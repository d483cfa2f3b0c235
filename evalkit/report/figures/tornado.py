"""Tornado: how far the ratio moves with each assumption alone, the widest bar first, against the line of cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evalkit.report.figures.svg import LETTER, NARROW, WIDE, Board, Drawn, Scale, fit, tick_digits, ticks
from evalkit.words import number


@dataclass(frozen=True)
class Swing:
    """One assumption: its label, the ratio at its low and its high end, and both ends as printed."""

    label: str
    at_low: float
    at_high: float
    low: str
    high: str


def tornado(swings: Sequence[Swing], centre: float) -> Drawn:
    """Draw the swings of a ratio.

    Parameters
    ----------
    swings : sequence of Swing
        From top to bottom.
    centre : float
        The ratio with everything as stated.

    Returns
    -------
    Drawn
        Wide and narrow drawing, and the numbers in words. The ends of a bar carry the value of the assumption there.
    """
    told = "; ".join(f"{s.label}: {number(s.at_low, 2)} at {s.low}, {number(s.at_high, 2)} at {s.high}" for s in swings)
    alt = f"Value for each unit of cost, centre {number(centre, 2)}, cost at 1. {told}."
    wide, narrow = (_drawn(swings, centre, width).svg(alt) for width in (WIDE, NARROW))
    return Drawn(wide, narrow, alt)


def _drawn(swings: Sequence[Swing], centre: float, width: int) -> Board:
    """Labels at the left where there is room, above the bars where there is not."""
    board, beside = Board(width), width == WIDE
    reach = [end for s in swings for end in (s.at_low, s.at_high)]
    shown = ticks(min(*reach, 1.0, centre), max(*reach, 1.0, centre), 5 if beside else 3)
    room = LETTER * max(len(text) for s in swings for text in (s.low, s.high)) + 10
    scale = Scale(shown[0], shown[-1], (300 if beside else 0) + room, width - room)
    rows, y = [], 26.0
    for swing in swings:
        lines = fit(swing.label, 280 if beside else width)
        bar = y if beside else y + 16 * len(lines)
        rows.append((swing, lines, y, bar))
        y = bar + 22 + (max(16 * (len(lines) - 1), 6) if beside else 14)
    _axis(board, scale, shown, y, centre)
    for swing, lines, top, bar in rows:
        board.lines(0, top + 12, lines, "halo")
        _bar(board, scale, swing, bar)
    board.height = y + 26
    return board


def _axis(board: Board, scale: Scale, shown: list[float], bottom: float, centre: float) -> None:
    """Ticks, the line of cost, and the ratio as stated."""
    digits = max(tick_digits(shown), 1)
    for tick in shown:
        board.line(scale(tick), 18, scale(tick), bottom, "grid")
        board.text(scale(tick), bottom + 18, number(tick, digits), "soft", "middle")
    board.line(scale(1), 16, scale(1), bottom, "zero")
    board.text(scale(1), 11, "1 = cost", "soft halo", "middle")
    board.line(scale(centre), 18, scale(centre), bottom, "reference")


def _bar(board: Board, scale: Scale, swing: Swing, y: float) -> None:
    """The bar, and the value of the assumption at each of its ends."""
    left, right = sorted((swing.at_low, swing.at_high))
    board.rect(scale(left), y, scale(right) - scale(left), 16, "ink")
    words = (swing.low, swing.high) if swing.at_low <= swing.at_high else (swing.high, swing.low)
    board.text(scale(left) - 5, y + 13, words[0], "halo", "end")
    board.text(scale(right) + 5, y + 13, words[1], "halo")
