"""Running sums of payments: each version of the plan hollow, what was paid filled."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from evalkit import words
from evalkit.report.figures.layout import apart, nothing, room
from evalkit.report.figures.svg import NARROW, WIDE, Board, Drawn, Scale, fit, ticks

TALL = {WIDE: 280.0, NARROW: 230.0}
MANY = 30  # points from which on only the last has a mark
DAY_ONE = 12


@dataclass(frozen=True)
class Sum:
    """What had been planned or paid by the end of a month; ``month`` counts from year 0 (12 x year + month - 1)."""

    month: int
    amount: float


@dataclass(frozen=True)
class Line:
    """One version of a plan, or what was paid, in the order of the months."""

    name: str
    paid: bool
    sums: Sequence[Sum]


def planned_and_paid(lines: Sequence[Line], currency: str, varied: Sequence[int] = ()) -> Drawn:
    """Draw running sums by month.

    Parameters
    ----------
    lines : sequence of Line
        Those without a point are left out.
    currency : str
        ISO 4217 code, for the axis.
    varied : sequence of int
        Months in which the contract was varied, counted as in `Sum`: dotted lines, those outside the payments left out.

    Returns
    -------
    Drawn
        Wide and narrow drawing; a sentence where there is nothing.
    """
    kept = [line for line in lines if line.sums]
    if not kept:
        return nothing("Nothing of the plan or the payments has a period.")
    alt = _words(kept, currency)
    wide, narrow = (_draw(kept, currency, varied, width).svg(alt) for width in (WIDE, NARROW))
    return Drawn(wide, narrow, alt)


def _words(lines: Sequence[Line], currency: str) -> str:
    """Where each line ends, in a sentence."""
    told = [
        f"{line.name} {words.money(line.sums[-1].amount, currency)} by {month_words(line.sums[-1].month)}"
        for line in lines
    ]
    return f"Running sums of payments: {'; '.join(told)}."


def month_words(month: int) -> str:
    """A month counted from year 0 as "June 2021"."""
    return words.month(dt.date(month // 12, month % 12 + 1, 1))


def _draw(lines: Sequence[Line], currency: str, varied: Sequence[int], width: int) -> Board:
    board = Board(width)
    labels = [_label(line, currency, width) for line in lines]
    margin = max(room(text) for label in labels for text in label) + 14
    marks = ticks(0.0, max(point.amount for line in lines for point in line.sums), 5)
    heads = [words.money(mark, currency) for mark in marks]
    months = [point.month for line in lines for point in line.sums]
    across = Scale(min(months) - 1, max(months), max(room(head) for head in heads) + 12, width - margin)
    up = Scale(marks[0], marks[-1], 14 + TALL[width], 14)
    for mark, head in zip(marks, heads, strict=True):
        board.line(across.start, up(mark), across.end, up(mark), "axis" if mark == marks[0] else "grid")
        board.text(across.start - 8, up(mark) + 4.5, head, "soft", "end")
    _years(board, across, up)
    for month in (month for month in varied if across.low <= month <= across.high):
        board.line(across(month), up.start, across(month), up.end, "reference")
    for line in sorted(lines, key=lambda one: one.paid):  # what was paid lies on top
        _line(board, line, across, up)
    _ends(board, list(zip(lines, labels, strict=True)), across, up)
    board.height = up.start + 26
    return board


def _label(line: Line, currency: str, width: int) -> list[str]:
    """The name and the last sum, under each other at the end of the line."""
    return [*fit(line.name, 120 if width == WIDE else 70), words.money(line.sums[-1].amount, currency)]


def _years(board: Board, across: Scale, up: Scale) -> None:
    """A tick at each January with its year, as many as have room."""
    first, last = -(-int(across.low) // DAY_ONE), int(across.high) // DAY_ONE
    step = next((step for step in (1, 2, 5, 10) if (across(12 * step) - across(0)) >= 40), 10)
    for year in range(first, last + 1):
        x = across(year * DAY_ONE - 1)  # the end of December
        board.line(x, up.start, x, up.start + 4)
        if (year - first) % step == 0:
            board.text(x, up.start + 18, str(year), "soft", "middle")


def _line(board: Board, line: Line, across: Scale, up: Scale) -> None:
    spots = [(across(point.month), up(point.amount)) for point in line.sums]
    start = (across(line.sums[0].month - 1), up(0.0))
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in [start, *spots])
    board.path(f"M{path}", "inkline" if line.paid else "greyline")
    for x, y in spots if len(spots) <= MANY else spots[-1:]:
        board.circle(x, y, "solid" if line.paid else "hollow", 3.5)


def _ends(board: Board, labelled: Sequence[tuple[Line, list[str]]], across: Scale, up: Scale) -> None:
    """Names and sums at the right, moved apart where they are close."""
    wanted = [up(line.sums[-1].amount) for line, _ in labelled]
    heights = [16.0 * len(label) + 4 for _, label in labelled]
    middles = apart(wanted, heights, up.end - 14, up.start + 12)
    for (line, label), middle, height in zip(labelled, middles, heights, strict=True):
        css = "bold halo" if line.paid else "soft halo"
        board.lines(across.end + 10, middle - height / 2 + 14, label, css)
