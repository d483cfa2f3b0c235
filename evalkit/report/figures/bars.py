"""Money as bars: planned, owed and paid, with what was added, what would have happened anyway and what is not known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from evalkit.report.figures.svg import NARROW, WIDE, Board, Drawn, Scale, fit, ticks
from evalkit.words import SYMBOLS, money, number, whole_money


@dataclass(frozen=True)
class Bar:
    """One bar, in money: its whole, how it splits (None: outlined only), and the interval of the boundary."""

    label: str
    total: float
    anyway: float | None = None
    unknown: float = 0.0
    anyway_low: float = math.nan
    anyway_high: float = math.nan
    split: bool = False
    bold: bool = False


def payments(bars: Sequence[Bar], currency: str, name: str) -> Drawn:
    """Draw planned, owed and paid from zero on one scale.

    Parameters
    ----------
    bars : sequence of Bar
        From top to bottom.
    currency : str
        For the labels.
    name : str
        The figure's own word: ids of its patterns start with it.

    Returns
    -------
    Drawn
        Wide and narrow drawing, and the amounts in words.
    """
    alt = f"Bars. {'; '.join(_told(bar, currency) for bar in bars)}."
    wide = _draw(bars, currency, f"{name}-wide", WIDE)
    return Drawn(wide.svg(alt), _draw(bars, currency, f"{name}-narrow", NARROW).svg(alt), alt)


def _told(bar: Bar, currency: str) -> str:
    words = f"{bar.label} {money(bar.total, currency)}"
    if bar.split and bar.anyway is not None:
        words += f", of which {money(bar.anyway, currency)} would have happened anyway"
    if bar.split and bar.unknown:
        words += f", {money(bar.unknown, currency)} not known"
    return words


def _short(value: float, currency: str, biggest: float) -> str:
    """One unit within a figure: millions throughout, or whole amounts throughout."""
    if biggest < 1e6:
        return whole_money(value, currency)
    return f"{SYMBOLS.get(currency, f'{currency} ')}{number(value / 1e6, 2)}m"


def _draw(bars: Sequence[Bar], currency: str, name: str, width: int) -> Board:
    board = Board(width)
    board.patterns(name)
    wide = width == WIDE
    start = 200 if wide else 2
    shown = ticks(0, max([bar.total for bar in bars] + [1.0]), 4 if wide else 3)
    scale = Scale(0, shown[-1], start, width - (70 if wide else 60))
    placed, y = [], 6 if wide else 14
    for bar in bars:
        lines = fit(bar.label, start - 14 if wide else NARROW)
        placed.append((bar, lines, y))
        y += (34 if wide else 48) + 16 * (len(lines) - 1)
    for tick in shown:
        board.line(scale(tick), 0, scale(tick), y - 4, "zero" if tick == 0 else "grid")
        board.text(
            scale(tick),
            y + 13,
            "0" if tick == 0 else _short(tick, currency, shown[-1]),
            "soft",
            "middle" if tick or wide else "start",
        )
    for bar, lines, at in placed:
        board.lines(0, at + 14 if wide else at, lines, "bold" if bar.bold else "halo")
        _bar(board, bar, scale, at if wide else at + 8 + 16 * (len(lines) - 1), name)
        tip, base = scale(bar.total) + 6, at + 14 if wide else at + 22 + 16 * (len(lines) - 1)
        board.text(tip, base, _short(bar.total, currency, shown[-1]), "bold halo" if bar.bold else "halo")
    board.height = y + 18
    return board


def _bar(board: Board, bar: Bar, scale: Scale, y: float, name: str) -> None:
    if not bar.split:
        board.rect(scale(0), y, scale(bar.total) - scale(0), 19, "outlined")
        return
    anyway = min(max(bar.anyway or 0.0, 0.0), bar.total - bar.unknown)
    added = bar.total - bar.unknown - anyway
    edges = [scale(0), scale(added), scale(added + anyway), scale(bar.total)]
    for kind, left, right in zip(("added", "anyway", "unknown"), edges, edges[1:], strict=False):
        board.filled(left, y, right - left, 19, kind, name)
    if math.isfinite(bar.anyway_low) and math.isfinite(bar.anyway_high):
        judged = bar.total - bar.unknown
        low, high = scale(max(judged - bar.anyway_high, 0)), scale(min(judged - bar.anyway_low, judged))
        board.line(low, y + 24, high, y + 24, "inkline")
        for x in (low, high):
            board.line(x, y + 21, x, y + 27, "inkline")


def anyway_bar(total: float, anyway: float, unknown: float, name: str) -> str:
    """The small bar of a tile: added, anyway, not known, with the words under it; decoration beside the numbers."""
    board = Board(300, 44)
    board.patterns(name)
    scale = Scale(0, total or 1.0, 0, 300)
    added = max(total - unknown - max(anyway, 0.0), 0.0)
    cut = min(max(anyway, 0.0), total - unknown)
    board.filled(0, 8, scale(added), 16, "added", name)
    board.filled(scale(added), 8, scale(cut), 16, "anyway", name)
    board.filled(scale(added + cut), 8, scale(unknown), 16, "unknown", name)
    last = -60.0
    for word, left, size in (("added", 0.0, added), ("anyway", added, cut), ("not known", added + cut, unknown)):
        if size > 0.02 * (total or 1.0):
            last = max(scale(left), last + 56)
            board.text(min(last, 300 - 6.2 * len(word)), 43, word, "soft" if word == "not known" else "")
    return board.svg()
