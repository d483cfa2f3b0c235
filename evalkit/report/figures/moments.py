"""One effect at several moments: before and after the start (an event study), or as it fades."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from evalkit.report.figures.layout import nothing, room
from evalkit.report.figures.svg import NARROW, WIDE, Board, Drawn, Scale, fit, tick_digits, ticks
from evalkit.words import number

TALL = {WIDE: 240.0, NARROW: 220.0}


@dataclass(frozen=True)
class Moment:
    """One moment: where it stands, what the axis calls it, the effect with its interval, and both as printed."""

    at: float
    label: str
    effect: float
    low: float
    high: float
    printed: str


@dataclass(frozen=True)
class Time:
    """What stands around the moments: words of the axis, of the time, a line at a time with its words, and the number
    that stands for no difference (1 for ratios)."""

    words: str
    times: str
    line: float | None = None
    line_words: str = ""
    none: float = 0.0


def moments(found: Sequence[Moment], time: Time) -> Drawn:
    """Draw effects with intervals over time; no effect is the line at zero.

    Parameters
    ----------
    found : sequence of Moment
        In the order of time.
    time : Time
        Words.

    Returns
    -------
    Drawn
        Wide and narrow drawing; a sentence where no moment has an effect.
    """
    found = [one for one in found if math.isfinite(one.effect)]
    if not found:
        return nothing("No effect at any moment may be shown.")
    alt = f"{time.words}. {'; '.join(f'{one.label}: {one.printed}' for one in found)}."
    return Drawn(_draw(found, time, WIDE).svg(alt), _draw(found, time, NARROW).svg(alt), alt)


def _draw(found: Sequence[Moment], time: Time, width: int) -> Board:
    board = Board(width)
    values = [v for m in found for v in (m.effect, m.low, m.high) if math.isfinite(v)] + [time.none]
    marks = ticks(min(values), max(values), 5)
    digits = tick_digits(marks)
    left = max(room(number(mark, digits, sign=True)) for mark in marks) + 14
    top = board.lines(0, 13, fit(time.words, width), "soft") + (20 if time.line is not None else 0)
    ends = [one.at for one in found] + ([time.line] if time.line is not None else [])
    across = Scale(min(ends), max(ends), left + 24, width - 36)
    up = Scale(marks[0], marks[-1], top + TALL[width], top)
    for mark in marks:
        board.line(left, up(mark), width, up(mark), "zero" if mark == time.none else "grid")
        board.text(left - 8, up(mark) + 4.5, number(mark, digits, sign=not time.none) if mark else "0", "soft", "end")
    if time.line is not None:
        x = across(time.line)
        board.line(x, up.end - 6, x, up.start, "reference")
        side = "end" if x > (across.start + across.end) / 2 else "start"
        board.text(x, up.end - 10, time.line_words, "soft", side)
    _points(board, found, (across, up))
    board.text(width, up.start + 38, time.times, "soft", "end")
    board.height = up.start + 46
    return board


def _points(board: Board, found: Sequence[Moment], scales: tuple[Scale, Scale]) -> None:
    across, up = scales
    each = max(room(one.label) for one in found) + 12
    every = max(1, math.ceil(each * (len(found) - 1) / max(across.end - across.start, 1)))
    for place, one in enumerate(found):
        x = across(one.at)
        if math.isfinite(one.low) and math.isfinite(one.high):
            board.line(x, up(one.low), x, up(one.high), "inkline")
        board.square(x, up(one.effect), "solid", 8)
        if place % every == 0:
            board.line(x, up.start, x, up.start + 4)
            board.text(x, up.start + 18, one.label, "soft", "middle")
