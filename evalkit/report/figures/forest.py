"""Estimates with intervals, one under another: square and line, an index as a diamond as wide as its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from evalkit.report.figures.svg import LETTER, NARROW, WIDE, Board, Drawn, Scale, fit, tick_digits, ticks
from evalkit.words import number


@dataclass(frozen=True)
class Mark:
    """One estimate: its label, n and p as printed, the number with interval as printed, and its kind.

    ``kind`` is "measure" (square), "index" (diamond, after a rule), "planned" (bold square), "other" (grey square) or
    "reference" (hollow circle).
    """

    label: str
    effect: float
    low: float
    high: float
    printed: str
    n: str = ""
    p: str = ""
    kind: str = "measure"


@dataclass(frozen=True)
class Axis:
    """What stands around a forest: heads of the columns, words at the two sides, an extra line and its words."""

    first: str
    printed: str
    left: str = ""
    right: str = ""
    reference: float | None = None
    reference_words: str = ""
    zero: float = 0.0


def forest(marks: Sequence[Mark], axis: Axis) -> Drawn:
    """Draw estimates side by side on one scale.

    Parameters
    ----------
    marks : sequence of Mark
        From top to bottom.
    axis : Axis
        Heads and words.

    Returns
    -------
    Drawn
        Wide and narrow drawing, and the numbers in words.
    """
    alt = f"{axis.first}. " + "; ".join(f"{m.label}: {m.printed}" for m in marks) + "."
    if axis.reference is not None:
        alt += f" Line: {axis.reference_words}."
    return Drawn(_wide(marks, axis).svg(alt), _narrow(marks, axis).svg(alt), alt)


def _scale(marks: Sequence[Mark], axis: Axis, start: float, end: float) -> tuple[Scale, list[float]]:
    numbers = [v for m in marks for v in (m.effect, m.low, m.high) if math.isfinite(v)] + [axis.zero]
    numbers += [axis.reference] if axis.reference is not None else []
    shown = ticks(min(numbers), max(numbers), 5)
    return Scale(shown[0], shown[-1], start, end), shown


def _wide(marks: Sequence[Mark], axis: Axis) -> Board:
    board = Board(WIDE)
    with_n, with_p = any(m.n for m in marks), any(m.p for m in marks)
    start, end = (296 if with_n else 246), (620 if with_p else 660)
    scale, shown = _scale(marks, axis, start, end)
    printed_at = WIDE - 52 if with_p else WIDE
    board.text(0, 13, axis.first, "soft bold")
    board.text(printed_at, 13, axis.printed, "soft bold", "end")
    if with_n:
        board.text(262, 13, "n", "soft bold", "end")
    if with_p:
        board.text(WIDE, 13, "p", "soft bold", "end")
    y, rows = 46, []
    for mark in marks:
        lines = fit(mark.label, 210 if with_n else 226)
        rows.append((mark, lines, y))
        y += 34 + 16 * (len(lines) - 1)
    _axis(board, scale, shown, axis, (24, y - 14))
    for mark, lines, at in rows:
        style = "bold" if mark.kind in {"index", "planned"} else ""
        if mark.kind == "index":
            board.line(0, at - 20, WIDE, at - 20, "axis")
        board.lines(0, at + 4.5, lines, style)
        board.text(262, at + 4.5, mark.n, style, "end") if mark.n else None
        _mark(board, mark, scale, at)
        board.text(printed_at, at + 4.5, mark.printed, style, "end")
        board.text(WIDE, at + 4.5, mark.p, style, "end") if mark.p else None
    board.height = y + (26 if axis.left or axis.right or axis.reference is not None else 10)
    return board


def _narrow(marks: Sequence[Mark], axis: Axis) -> Board:
    board = Board(NARROW)
    scale, shown = _scale(marks, axis, 18, NARROW - 18)
    y, rows = 14, []
    for mark in marks:
        rows.append((mark, fit(mark.label, NARROW - 60), y))
        y += 66 + 16 * (len(rows[-1][1]) - 1)
    _axis(board, scale, shown, axis, (2, y - 14))
    for mark, lines, top in rows:
        style = "bold halo" if mark.kind in {"index", "planned"} else "halo"
        at = board.lines(0, top, lines, style)
        board.text(NARROW, top, f"n {mark.n}", "soft halo", "end") if mark.n else None
        board.text(0, at, f"{mark.printed}{f', p {mark.p}' if mark.p else ''}", "soft halo")
        _mark(board, mark, scale, at + 15)
    board.height = y + (26 if axis.left or axis.right or axis.reference is not None else 10)
    return board


def _axis(board: Board, scale: Scale, shown: list[float], axis: Axis, span: tuple[float, float]) -> None:
    top, bottom = span
    digits = tick_digits(shown)
    for tick in shown:
        board.line(scale(tick), top, scale(tick), bottom, "zero" if tick == axis.zero else "grid")
        board.text(
            scale(tick), bottom + 16, number(tick, digits, sign=axis.zero == 0) if tick else "0", "soft", "middle"
        )
    if axis.zero not in shown:
        board.line(scale(axis.zero), top, scale(axis.zero), bottom, "zero")
    if axis.reference is not None:
        board.line(scale(axis.reference), top, scale(axis.reference), bottom, "reference")
        board.text(scale(axis.reference), bottom + 33, axis.reference_words, "soft", "middle")
    elif axis.left or axis.right:
        zero = scale(axis.zero)
        if axis.left and zero - 24 > LETTER * len(axis.left):
            board.text(zero - 8, bottom + 33, f"\u2190 {axis.left}", "soft", "end")
        if axis.right and zero + 24 + LETTER * len(axis.right) < board.width:
            board.text(zero + 8, bottom + 33, f"{axis.right} \u2192", "soft")


def _mark(board: Board, mark: Mark, scale: Scale, y: float) -> None:
    if not math.isfinite(mark.effect):
        return
    has_interval = math.isfinite(mark.low) and math.isfinite(mark.high)
    x = scale(mark.effect)
    if mark.kind == "index" and has_interval:
        board.path(f"M{scale(mark.low):.1f} {y}L{x:.1f} {y - 6}L{scale(mark.high):.1f} {y}L{x:.1f} {y + 6}Z", "solid")
        return
    if has_interval:
        board.line(scale(mark.low), y, scale(mark.high), y, "greyline" if mark.kind == "other" else "inkline")
    if mark.kind == "reference":
        board.circle(x, y, "hollow")
    else:
        board.square(x, y, "edge" if mark.kind == "other" else "solid")
