"""Balance before and after: hollow before, filled after, shaded to the usual limit of 0.1."""

from __future__ import annotations

import math
from collections.abc import Sequence

from evalkit.report.figures.svg import HALF, NARROW, WIDE, Board, Drawn, Scale, fit, tick_digits, ticks
from evalkit.words import number

LIMIT = 0.1


def love(rows: Sequence[tuple[str, float, float]], after_words: str = "after weighting") -> Drawn:
    """Draw absolute standardised differences before and after.

    Parameters
    ----------
    rows : sequence of (label, before, after)
        In SD; after may be NaN where nothing was weighted or matched.
    after_words : str
        What was done between: "after weighting", "after matching".

    Returns
    -------
    Drawn
        Wide and narrow drawing, and the numbers in words.
    """
    rows = sorted(((label, abs(before), abs(after)) for label, before, after in rows), key=lambda row: -row[1])
    told = "; ".join(f"{label} {number(before, 2)} to {number(after, 2)}" for label, before, after in rows)
    alt = f"Absolute standardised differences before and {after_words}. {told}."
    return Drawn(_draw(rows, after_words, WIDE, 230).svg(alt), _draw(rows, after_words, NARROW, 150).svg(alt), alt)


def differences(rows: Sequence[tuple[str, float]]) -> Drawn:
    """Draw absolute standardised differences as they are, one mark a row.

    Parameters
    ----------
    rows : sequence of (label, difference)
        In SD.

    Returns
    -------
    Drawn
        Wide and narrow drawing, and the numbers in words.
    """
    ordered = sorted(((label, abs(value)) for label, value in rows), key=lambda row: -row[1])
    told = "; ".join(f"{label} {number(value, 2)}" for label, value in ordered)
    alt = f"Absolute standardised differences. {told}."
    marks = [(label, value, math.nan) for label, value in ordered]
    return Drawn(_draw(marks, "", WIDE, 230).svg(alt), _draw(marks, "", NARROW, 150).svg(alt), alt)


def _draw(rows: Sequence[tuple[str, float, float]], after_words: str, width: int, start: int) -> Board:
    board = Board(width)
    finite = [value for _, *pair in rows for value in pair if math.isfinite(value)]
    shown = [t for t in ticks(0, max([*finite, 0.2]), 5 if width > HALF else 3) if t >= 0]
    scale = Scale(0, shown[-1], start, width - 16)
    placed, y = [], 16
    for label, before, after in rows:
        lines = fit(label, start - 14)
        placed.append((lines, before, after, y))
        y += 26 + 16 * (len(lines) - 1)
    bottom = y - 6
    board.rect(start, 2, scale(LIMIT) - start, bottom - 2, "markfill")
    for tick in shown:
        board.line(scale(tick), 2, scale(tick), bottom, "zero" if tick == 0 else "grid")
        board.text(scale(tick), bottom + 16, number(tick, tick_digits(shown)) if tick else "0", "soft", "middle")
    board.line(scale(LIMIT), 2, scale(LIMIT), bottom, "reference")
    for lines, before, after, at in placed:
        board.lines(0, at + 4.5, lines)
        if math.isfinite(after) and math.isfinite(before):
            board.line(scale(before), at, scale(after), at)
        if math.isfinite(before):
            board.circle(scale(before), at, "hollow")
        if math.isfinite(after):
            board.square(scale(after), at)
    _key(board, bottom + 38, after_words, width)
    board.height = bottom + (48 if width > HALF or not after_words else 66)
    return board


def _key(board: Board, y: float, after_words: str, width: int) -> None:
    """What the marks are, where there are two, and what is shaded."""
    if after_words:
        board.circle(6, y - 4, "hollow")
        board.text(17, y, "before", "soft")
        board.square(76, y - 4.5)
        board.text(87, y, after_words, "soft")
    else:
        y -= 0 if width > HALF else 18
    if width > HALF:
        board.text(width - 16, y, "shaded: up to 0.1, the usual limit", "soft", "end")
    else:
        board.text(0, y + 18, "shaded: up to 0.1, the usual limit", "soft")
