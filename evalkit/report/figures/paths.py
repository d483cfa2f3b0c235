"""What happened beside what would have happened: two lines over time, and the moment at which the programme began."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from evalkit.report.figures.layout import Item, key, nothing, room
from evalkit.report.figures.svg import NARROW, WIDE, Board, Drawn, Scale, fit, tick_digits, ticks
from evalkit.words import number

TALL = {WIDE: 280.0, NARROW: 230.0}


@dataclass(frozen=True)
class Step:
    """One period: what happened, what would have happened, and the interval of the latter; NaN where not known.

    ``label`` is what the axis and the words call the period; empty: its number.
    """

    at: float
    observed: float
    counterfactual: float
    low: float = math.nan
    high: float = math.nan
    label: str = ""

    @property
    def name(self) -> str:
        """The period in words; a year is no amount: 1989, not 1,989."""
        return self.label or (f"{self.at:.0f}" if float(self.at).is_integer() else f"{self.at:.1f}")


@dataclass(frozen=True)
class Around:
    """What stands around the lines: words of the axis, names of both lines, where the programme began, and whether
    what happened is drawn as a line (areas) or as points (a series with noise); decimals of the numbers in words."""

    words: str
    observed: str = "observed"
    counterfactual: str = "without the programme"
    began: float | None = None
    began_words: str = "programme began"
    points: bool = False
    times: str = ""
    digits: int = 1


def paths(steps: Sequence[Step], around: Around) -> Drawn:
    """Draw a series with its counterfactual.

    Parameters
    ----------
    steps : sequence of Step
        In the order of time.
    around : Around
        Words.

    Returns
    -------
    Drawn
        Wide and narrow drawing; a sentence where there are fewer than two periods.
    """
    if sum(math.isfinite(step.counterfactual) for step in steps) < 2:
        return nothing("There are fewer than two periods to draw.")
    alt = _told(steps, around)
    return Drawn(_draw(steps, around, WIDE).svg(alt), _draw(steps, around, NARROW).svg(alt), alt)


def _draw(steps: Sequence[Step], around: Around, width: int) -> Board:
    board = Board(width)
    values = [v for s in steps for v in (s.observed, s.counterfactual, s.low, s.high) if math.isfinite(v)]
    marks = ticks(min(values), max(values), 5)
    left = max(room(number(mark, tick_digits(marks))) for mark in marks) + 12
    top = _heads(board, around, width) + (20 if around.began is not None else 0)
    across = Scale(steps[0].at, steps[-1].at, left + 4, width - 12)
    up = Scale(marks[0], marks[-1], top + TALL[width], top)
    _axes(board, marks, (across, up), around, steps)
    _band(board, steps, (across, up))
    _line(board, [(s.at, s.counterfactual) for s in steps], (across, up), "comparisonline")
    seen = [(s.at, s.observed) for s in steps]
    if around.points:
        for at, value in seen:
            if math.isfinite(value):
                board.circle(across(at), up(value), "treated", 3)
    else:
        _line(board, seen, (across, up), "treatedline")
    board.height = up.start + 40
    return board


def _heads(board: Board, around: Around, width: int) -> float:
    y = board.lines(0, 13, fit(around.words, width), "soft")
    mark: Item = ("circle", "treated", around.observed) if around.points else ("line", "treatedline", around.observed)
    return key(board, [mark, ("line", "comparisonline", around.counterfactual)], 0, y + 4, width) - 2


def _axes(
    board: Board, marks: list[float], scales: tuple[Scale, Scale], around: Around, steps: Sequence[Step]
) -> None:  # fmt: skip
    across, up = scales
    for mark in marks:
        board.line(across.start - 4, up(mark), across.end, up(mark), "axis" if mark == marks[0] else "grid")
        board.text(across.start - 12, up(mark) + 4.5, number(mark, tick_digits(marks)), "soft", "end")
    for step in _shown(steps, across):
        x = across(step.at)
        board.line(x, up.start, x, up.start + 4)
        half = room(step.name) / 2
        board.text(min(max(x, half), board.width - half), up.start + 18, step.name, "soft", "middle")
    if around.times:
        board.text(across.end, up.start + 36, around.times, "soft", "end")
    if around.began is not None:
        x = across(around.began)
        board.line(x, up.end - 6, x, up.start, "reference")
        side = "end" if x > (across.start + across.end) / 2 else "start"
        board.text(x, up.end - 10, around.began_words, "soft", side)


def _shown(steps: Sequence[Step], across: Scale) -> list[Step]:
    """As many periods as have room, evenly apart."""
    each = max(room(step.name) for step in steps) + 14
    every = max(1, math.ceil(each * len(steps) / (across.end - across.start)))
    return list(steps[::every])


def _band(board: Board, steps: Sequence[Step], scales: tuple[Scale, Scale]) -> None:
    across, up = scales
    known = [s for s in steps if math.isfinite(s.low) and math.isfinite(s.high)]
    if len(known) > 1:
        forth = [f"{across(s.at):.1f} {up(s.high):.1f}" for s in known]
        back = [f"{across(s.at):.1f} {up(s.low):.1f}" for s in reversed(known)]
        board.path(f"M{'L'.join(forth + back)}Z", "comparisonarea")


def _line(
    board: Board, points: Sequence[tuple[float, float]], scales: tuple[Scale, Scale], css: str
) -> None:  # fmt: skip
    across, up = scales
    spots = [f"{across(at):.1f} {up(value):.1f}" for at, value in points if math.isfinite(value)]
    if len(spots) > 1:
        board.path(f"M{'L'.join(spots)}", css)


def _told(steps: Sequence[Step], around: Around) -> str:
    picked = [steps[0], *(s for s in steps if s.at == around.began), steps[-1]]
    parts = []
    for step in dict.fromkeys(picked):
        seen, other = (
            number(value, around.digits) if math.isfinite(value) else "not shown"
            for value in (step.observed, step.counterfactual)
        )
        parts.append(f"{step.name}: {around.observed} {seen}, {around.counterfactual} {other}")
    return f"{around.words}. {'; '.join(parts)}."
