"""Counts by quarter: who was referred and eligible, planned and actual starts, index dates by arm."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from evalkit.report.figures.svg import LETTER, NARROW, WIDE, Board, Drawn, Scale, fit, tick_digits, ticks
from evalkit.words import NOT_AVAILABLE, SUPPRESSED, number, percent

Values = Sequence[object]  # a number, "[c]" where hidden, None where there is none


@dataclass(frozen=True)
class Row:
    """One series over the periods: its name in words, how it is drawn, and its values."""

    name: str
    draws: str
    values: Values


@dataclass(frozen=True)
class Panel:
    """One panel: its title, its rows, whether its values are shares, and its height in px."""

    title: str
    rows: Sequence[Row]
    share: bool = False
    height: float = 120


def by_quarter(periods: Sequence[str], panels: Sequence[Panel]) -> Drawn:
    """Draw panels over one axis of periods.

    Parameters
    ----------
    periods : sequence of str
        "2019-Q1", "2019-H1" or "2019", in order.
    panels : sequence of Panel
        From top to bottom. A row draws as "outlined" or "solid" (bars from zero), "hollow" or "filled" (marks in
        ink), "treated" or "comparison" (the arms' marks and lines).

    Returns
    -------
    Drawn
        Wide and narrow drawing, and the numbers in words.
    """
    alt = " ".join(_words(periods, panel) for panel in panels)
    return Drawn(_draw(periods, panels, WIDE).svg(alt), _draw(periods, panels, NARROW).svg(alt), alt)


def told(period: str) -> str:
    """A period in words: "2019 Q1", "first half of 2019", "2019"."""
    year, _, part = period.partition("-")
    if part.startswith("H"):
        return f"{'first' if part == 'H1' else 'second'} half of {year}"
    return f"{year} {part}".strip()


def _words(periods: Sequence[str], panel: Panel) -> str:
    parts = []
    for place, period in enumerate(periods):
        values = [f"{row.name} {_said(row.values[place], panel.share)}" for row in panel.rows]
        parts.append(f"{told(period)}: {', '.join(values)}")
    return f"{panel.title}. {'; '.join(parts)}."


def _said(value: object, share: bool) -> str:
    if value == SUPPRESSED:
        return SUPPRESSED
    if not _finite(value):
        return NOT_AVAILABLE
    return percent(_real(value), 0) if share else number(_real(value), 0)


def _finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _real(value: object) -> float:
    return float(value)  # type: ignore[arg-type]


def _draw(periods: Sequence[str], panels: Sequence[Panel], width: int) -> Board:
    board, y = Board(width), 0.0
    step = (width - 46) / len(periods)
    xs = [46 + step * (place + 0.5) for place in range(len(periods))]
    for panel in panels:
        y = _panel(board, panel, xs, y, width)
    board.height = _axis(board, periods, xs, y - 20) + 4
    return board


def _panel(board: Board, panel: Panel, xs: Sequence[float], y: float, width: int) -> float:
    """One panel; returns where the next may begin."""
    board.text(0, y + 13, panel.title, "bold")
    top = _keys(board, panel.rows, y + 32, width) + 10 if len(panel.rows) > 1 else y + 26
    values = [_real(v) for row in panel.rows for v in row.values if _finite(v)]
    marks = [0, 0.25, 0.5, 0.75, 1.0] if panel.share else ticks(0, max([*values, 4]), 4)
    up = Scale(0, marks[-1], top + panel.height, top + 8)
    for mark in marks:
        board.line(46, up(mark), width, up(mark), "axis" if mark == 0 else "grid")
        label = percent(mark, 0) if panel.share else number(mark, tick_digits(marks))
        board.text(38, up(mark) + 4.5, label, "soft", "end")
    for place, x in enumerate(xs):
        if any(row.values[place] == SUPPRESSED for row in panel.rows):
            board.text(x, up(0) - 6, SUPPRESSED, "soft small halo", "middle")
    for place, row in enumerate(panel.rows):
        _row(board, row, xs, up, (place - (len(panel.rows) - 1) / 2) * 5)
    return top + panel.height + 26


def _keys(board: Board, rows: Sequence[Row], y: float, width: float) -> float:
    """The marks of the rows and their names, in as many lines as they need; returns the last baseline."""
    x = 0.0
    for row in rows:
        lines = fit(row.name, width - 18)
        size = 18 + LETTER * max(len(line) for line in lines)
        if x and x + size > width:
            x, y = 0.0, y + 20
        if row.draws in ("outlined", "solid"):
            board.rect(x, y - 10, 12, 11, row.draws)
        else:
            _mark(board, row.draws, x + 6, y - 4.5)
        y = board.lines(x + 18, y, lines, "soft") - 16
        x += size + 24
    return y


def _mark(board: Board, draws: str, x: float, y: float) -> None:
    if draws == "filled":
        board.square(x, y, "solid", 8)
    elif draws == "comparison":
        board.diamond(x, y)
    else:
        board.circle(x, y, draws, 4.5)


def _row(board: Board, row: Row, xs: Sequence[float], up: Scale, shift: float) -> None:
    bars = row.draws in ("outlined", "solid")
    wide = min((xs[1] - xs[0] if len(xs) > 1 else 80) * 0.6, 44)
    if not bars:
        _lines(board, row, [x + shift for x in xs] if row.draws in ("treated", "comparison") else list(xs), up)
    for x, value in zip(xs, row.values, strict=True):
        if _finite(value) and bars:
            inset = 0 if row.draws == "outlined" else 2.5
            board.rect(x - wide / 2 + inset, up(_real(value)), wide - 2 * inset, up(0) - up(_real(value)), row.draws)


def _lines(board: Board, row: Row, xs: Sequence[float], up: Scale) -> None:
    """Marks, joined where neighbours are known."""
    css = {"treated": "treatedline", "comparison": "comparisonline", "hollow": "reference"}.get(row.draws, "inkline")
    spots = [(x, up(_real(v))) if _finite(v) else None for x, v in zip(xs, row.values, strict=True)]
    for one, other in pairwise(spots):
        if one is not None and other is not None:
            board.line(*one, *other, css)
    for spot in spots:
        if spot is not None:
            _mark(board, row.draws, *spot)


def _axis(board: Board, periods: Sequence[str], xs: Sequence[float], y: float) -> float:
    """The names of the periods, the year under the first of each; as many as fit."""
    parts = [period.partition("-") for period in periods]
    each = xs[1] - xs[0] if len(xs) > 1 else 100.0
    whole_years = not any(part for *_, part in parts)
    small = each < 24
    for place, (year, _, part) in enumerate(parts):
        first = place == 0 or parts[place - 1][0] != year
        if part and not small:
            board.text(xs[place], y + 16, part, "soft", "middle")
        if first and (not whole_years or each >= 34 or place % 2 == 0):
            board.text(xs[place], y + (16 if whole_years or small else 32), year, "soft", "middle")
    return y + (16 if whole_years or small else 32)
