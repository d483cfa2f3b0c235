"""What every pound bought: bars of one length, split into added, would have happened anyway, and not known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from evalkit.report.figures.layout import room
from evalkit.report.figures.svg import NARROW, WIDE, Board, Drawn, Scale, fit
from evalkit.words import interval, percent

TALL = 19.0
LABELS = 200.0


@dataclass(frozen=True)
class Share:
    """One bar: the share that would have happened anyway (NaN: not known), its interval, the share not known."""

    label: str
    anyway: float
    low: float = math.nan
    high: float = math.nan
    unknown: float = 0.0
    bold: bool = False

    @property
    def said(self) -> str:
        """The share anyway in words, with its interval."""
        if math.isnan(self.anyway):
            return "not known"
        span = interval(self.low, self.high, 0, percent=True)
        if math.isnan(self.low):
            return percent(self.anyway, 0)
        return f"{percent(self.anyway, 0)} ({span})"


def pound(bars: Sequence[Share], name: str) -> Drawn:
    """Draw each amount as a bar of the same length.

    Parameters
    ----------
    bars : sequence of Share
        From top to bottom.
    name : str
        The figure's own word: ids of its patterns start with it.

    Returns
    -------
    Drawn
        Wide and narrow drawing, and the shares in words.
    """
    told = "; ".join(f"{bar.label}: {bar.said}" for bar in bars)
    alt = f"Share of each amount that would have been paid anyway. {told}."
    wide, narrow = (_draw(bars, f"{name}-{word}", width) for word, width in (("wide", WIDE), ("narrow", NARROW)))
    return Drawn(wide.svg(alt), narrow.svg(alt), alt)


def _draw(bars: Sequence[Share], name: str, width: int) -> Board:
    board = Board(width)
    board.patterns(name)
    wide = width == WIDE
    start = LABELS if wide else 2.0
    right = max(room(bar.said) for bar in bars) + 12 if wide else 12.0
    scale = Scale(0, 1, start, width - right)
    placed, y = [], 6.0
    for bar in bars:
        lines = fit(bar.label if wide else f"{bar.label}: {bar.said}", start - 14 if wide else NARROW)
        placed.append((bar, lines, y))
        y += (36 if wide else 54) + 16 * (len(lines) - 1)
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        board.line(scale(tick), 0, scale(tick), y - 4, "zero" if tick == 0 else "grid")
        anchor = "middle" if wide and tick else "start" if tick == 0 else "middle" if tick < 1 else "end"
        board.text(scale(tick), y + 13, percent(tick, 0), "soft", anchor)
    for bar, lines, at in placed:
        board.lines(0, at + (14 if wide else 8), lines, "bold halo" if bar.bold else "halo")
        top = at if wide else at + 14 + 16 * (len(lines) - 1)
        _bar(board, bar, scale, top, name)
        if wide:
            board.text(scale(1) + 10, at + 14, bar.said, "bold" if bar.bold else "")
    board.height = y + 18
    return board


def _bar(board: Board, bar: Share, scale: Scale, y: float, name: str) -> None:
    unknown = 1.0 if math.isnan(bar.anyway) else bar.unknown
    judged = 1.0 - unknown
    anyway = 0.0 if math.isnan(bar.anyway) else min(max(bar.anyway, 0.0), 1.0) * judged
    edges = [scale(0), scale(judged - anyway), scale(judged), scale(1)]
    for kind, left, right in zip(("added", "anyway", "unknown"), edges, edges[1:], strict=False):
        board.filled(left, y, right - left, TALL, kind, name)
    if math.isfinite(bar.low) and math.isfinite(bar.high):
        low, high = (scale(judged * (1.0 - min(max(end, 0.0), 1.0))) for end in (bar.high, bar.low))
        board.line(low, y + 24, high, y + 24, "inkline")
        for x in (low, high):
            board.line(x, y + 21, x, y + 27, "inkline")
