"""Ranges on a line: a tile's interval, a ratio against 1, a relative change against the threshold of a trigger."""

from __future__ import annotations

import math
from collections.abc import Sequence

from evalkit.report.figures.svg import NARROW, WIDE, Board, Drawn, Scale, fit, tick_digits, ticks
from evalkit.words import number


def small_range(centre: float, low: float, high: float, against: float, printed: Sequence[str]) -> str:
    """The small drawing of a tile: interval, centre, and the line it is read against; decoration beside the numbers.

    Parameters
    ----------
    centre, low, high, against : float
        The estimate, its interval, and the value that would mean nothing happened (0, or 1 for a ratio).
    printed : sequence of str
        Words under low, high and against.

    Returns
    -------
    str
        SVG, 300 by 44 px.
    """
    board = Board(300, 44)
    ends = [value for value in (centre, low, high, against) if math.isfinite(value)]
    scale = Scale(min(ends), max(ends), 34, 266)
    board.line(0, 16, 300, 16)
    board.line(scale(against), 4, scale(against), 28, "zero")
    if math.isfinite(low) and math.isfinite(high):
        board.rect(scale(low), 13, scale(high) - scale(low), 6, "ink")
    if math.isfinite(centre):
        board.circle(scale(centre), 16, "hollow", 6)
    taken: list[float] = []
    for at, words, css in ((low, printed[0], ""), (high, printed[1], ""), (against, printed[2], "soft")):
        if math.isfinite(at) and all(abs(scale(at) - other) > 44 for other in taken):
            board.text(scale(at), 43, words, css, "middle")
            taken.append(scale(at))
    return board.svg()


def value_range(ratio: tuple[float, float, float], others: Sequence[tuple[str, float]], words: str) -> Drawn:
    """Draw a ratio's range against 1, "worth what it cost".

    Parameters
    ----------
    ratio : tuple of (low, centre, high)
        Value for each unit of cost.
    others : sequence of (label, ratio)
        Further readings, hollow (the net ratio).
    words : str
        The sentence that stands for the figure.

    Returns
    -------
    Drawn
        Wide and narrow drawing.
    """
    drawings = [_ratio(ratio, others, width) for width in (WIDE, NARROW)]
    return Drawn(drawings[0].svg(words), drawings[1].svg(words), words)


def _ratio(ratio: tuple[float, float, float], others: Sequence[tuple[str, float]], width: int) -> Board:
    low, centre, high = ratio
    board = Board(width, 96)
    shown = ticks(0, max([high, centre, 1.2, *(value for _, value in others)]), 5 if width == WIDE else 3)
    scale = Scale(0, shown[-1], 14, width - 22)
    digits = max(tick_digits(shown), 1)
    for tick in shown:
        board.line(scale(tick), 18, scale(tick), 66, "grid")
        board.text(scale(tick), 84, number(tick, digits) if tick else "0", "soft", "middle")
    board.line(scale(1), 16, scale(1), 66, "zero")
    board.text(scale(1), 11, "1 = cost", "soft", "middle")
    if math.isfinite(low) and math.isfinite(high):
        board.rect(scale(low), 39, scale(high) - scale(low), 6, "ink")
        for at in (low, high):
            board.text(scale(at), 60, number(at, 2), "halo", "middle")
    board.circle(scale(centre), 42, "hollow", 6)
    board.text(scale(centre), 31, number(centre, 2), "bold halo", "middle")
    return board


def two_rates(rows: Sequence[tuple[str, float, bool]], unit: str, digits: int = 0) -> Drawn:
    """Draw two published rates as bars: treated solid, comparison hatched.

    Parameters
    ----------
    rows : sequence of (label, rate, treated)
        In the order to be drawn.
    unit : str
        For the words.
    digits : int
        Decimals as published.

    Returns
    -------
    Drawn
        Wide and narrow drawing.
    """
    alt = "Bars. " + "; ".join(f"{label}: {number(rate, digits)} {unit}" for label, rate, _ in rows) + "."
    wide, narrow = (_rates(rows, digits, width, f"rates-{width}") for width in (WIDE, NARROW))
    return Drawn(wide.svg(alt), narrow.svg(alt), alt)


def _rates(rows: Sequence[tuple[str, float, bool]], digits: int, width: int, name: str) -> Board:
    board = Board(width)
    board.patterns(name)
    start = 200 if width == WIDE else 0
    scale = Scale(0, ticks(0, max(rate for _, rate, _ in rows), 4)[-1], start, width - 60)
    y = 4 if width == WIDE else 14
    for label, rate, treated in rows:
        lines = fit(label, 190 if width == WIDE else width)
        above = 0 if width == WIDE else 16 * len(lines) - 8
        board.lines(0, y + 15 if width == WIDE else y, lines, "halo")
        board.filled(start, y + above, scale(rate) - start, 21, "added" if treated else "anyway", name)
        board.text(scale(rate) + 6, y + above + 15, number(rate, digits), "bold")
        y += 36 + above + (16 * (len(lines) - 1) if width == WIDE else 8)
    board.line(start + 0.5, 0, start + 0.5, y - 8, "zero")
    board.height = y
    return board


def threshold(centre: float, low: float, high: float, lines: Sequence[tuple[float, str]]) -> Drawn:
    """Draw a relative change and its range against the thresholds that would have triggered a payment.

    Parameters
    ----------
    centre, low, high : float
        Shares, towards better; the range is that of the rounding where no sampling error is known.
    lines : sequence of (threshold, words)
        Shares.

    Returns
    -------
    Drawn
        Wide and narrow drawing.
    """
    told = "; ".join(f"{words} {number(at * 100, 1)}%" for at, words in lines)
    alt = (
        f"Change {number(centre * 100, 1)}%, range {number(low * 100, 1)}% to {number(high * 100, 1)}%. Lines: {told}."
    )
    drawings = [_threshold((centre, low, high), lines, width) for width in (WIDE, NARROW)]
    return Drawn(drawings[0].svg(alt), drawings[1].svg(alt), alt)


def _threshold(change: tuple[float, float, float], lines: Sequence[tuple[float, str]], width: int) -> Board:
    centre, low, high = change
    ends = [value for value in (*change, 0.0, *(at for at, _ in lines)) if math.isfinite(value)]
    shown = ticks(min(ends) * 100, max(ends) * 100, 5)
    scale = Scale(shown[0], shown[-1], 24, width - 24)
    top = 8 + 18 * len(lines)
    board = Board(width, top + 70)
    for tick in shown:
        board.line(scale(tick), top, scale(tick), top + 48, "zero" if tick == 0 else "grid")
        board.text(scale(tick), top + 64, f"{number(tick, tick_digits(shown))}%", "soft", "middle")
    for index, (at, words) in enumerate(lines):
        x, y = scale(at * 100), 13 + 18 * index
        board.line(x, y + 4, x, top + 48, "reference")
        board.text(x if x < width - 150 else x + 20, y, words, "soft halo", "middle" if x < width - 150 else "end")
    if math.isfinite(low) and math.isfinite(high):
        board.rect(scale(low * 100), top + 21, scale(high * 100) - scale(low * 100), 6, "ink")
    board.circle(scale(centre * 100), top + 24, "hollow", 6)
    board.text(scale(centre * 100), top + 14, f"{number(centre * 100, 1)}%", "bold halo", "middle")
    return board
