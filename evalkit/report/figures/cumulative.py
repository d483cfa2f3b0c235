"""Curves over the months: days or events so far for each person, or the share who still attend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from evalkit.report.figures.layout import Item, apart, hidden, key, known, nothing, room
from evalkit.report.figures.svg import HALF, NARROW, WIDE, Board, Drawn, Scale, fit, tick_digits, ticks
from evalkit.words import number, percent

TALL = {WIDE: 260.0, HALF: 190.0, NARROW: 220.0}


@dataclass(frozen=True)
class At:
    """The curve at the end of one month: its value with interval (NaN where there is none) and the n at risk."""

    month: float
    value: float
    low: float
    high: float
    n: str


@dataclass(frozen=True)
class Curve:
    """One arm's curve, in the order of the months."""

    name: str
    treated: bool
    points: Sequence[At]

    @property
    def seen(self) -> list[At]:
        """The points that may be drawn: n not hidden, value known."""
        return [point for point in self.points if known(point.value) and not hidden(point.n)]


@dataclass(frozen=True)
class Frame:
    """What stands around the curves: the words of the axis, lines to read them against (value, words), decimals."""

    words: str
    lines: Sequence[tuple[float, str]] = ()
    share: bool = False
    digits: int = 1
    months: str = "months after the start"
    counted: bool = True  # whether n at risk stands under the months


def cumulative(curves: Sequence[Curve], frame: Frame) -> Drawn:
    """Draw the mean number of days (or events) for each person so far, by arm.

    Parameters
    ----------
    curves : sequence of Curve
        Only whole months are drawn, the last value at or before each, so that no step shows the day of one event;
        months whose n at risk is hidden are left out and the curve is broken there.
    frame : Frame
        Target and baseline of the contract are its lines.

    Returns
    -------
    Drawn
        Wide and narrow drawing; a sentence where no month may be shown.
    """
    kept = _kept(curves)
    if not kept:
        return nothing("No month may be shown: too few people were followed.")
    alt = _words(kept, frame)
    return Drawn(_draw(kept, frame, WIDE).svg(alt), _draw(kept, frame, NARROW).svg(alt), alt)


def attending(curves: Sequence[Curve], frame: Frame) -> Drawn:
    """Draw the share of people who still attend, by month; a small figure.

    Parameters
    ----------
    curves : sequence of Curve
        As for `cumulative`; the values are shares from 0 to 1.
    frame : Frame
        With ``share=True`` the axis runs from 0% to 100%.

    Returns
    -------
    Drawn
        One drawing of half width, which also serves a phone; a sentence where no month may be shown.
    """
    kept = _kept(curves)
    if not kept:
        return nothing("No month may be shown: too few people attended.")
    alt = _words(kept, frame)
    return Drawn(_draw(kept, frame, HALF).svg(alt), "", alt)


def _kept(curves: Sequence[Curve]) -> list[Curve]:
    """Curves at whole months, those without a month that may be shown left out."""
    kept = [Curve(curve.name, curve.treated, monthly(curve.points)) for curve in curves]
    return [curve for curve in kept if curve.seen]


def monthly(points: Sequence[At]) -> list[At]:
    """The points at whole months: the last at or before each; where n is hidden, so is the value.

    Parameters
    ----------
    points : sequence of At
        In the order of the months, at any times.

    Returns
    -------
    list of At
        One for each whole month from the first point to the last.
    """
    if not points:
        return []
    found = []
    for month in range(math.ceil(points[0].month), math.floor(points[-1].month + 1e-9) + 1):
        last = [point for point in points if point.month <= month + 1e-9][-1]
        value, low, high = (math.nan,) * 3 if hidden(last.n) else (last.value, last.low, last.high)
        found.append(At(float(month), value, low, high, last.n))
    return found


def _said(value: float, frame: Frame) -> str:
    return percent(value, 0) if frame.share else number(value, frame.digits)


def _draw(curves: Sequence[Curve], frame: Frame, width: int) -> Board:
    board = Board(width)
    labels = [_end_label(curve, frame, width) for curve in curves]
    margin = max(room(line) for lines in labels for line in lines) + 16
    marks = _marks(curves, frame)
    left = max(room(_tick(mark, marks, frame)) for mark in marks) + 12
    top = _heads(board, curves, frame, width)
    last = max(point.month for curve in curves for point in curve.seen)
    across = Scale(0, max(last, 1.0), max(left, 30.0), width - margin)
    up = Scale(marks[0], marks[-1], top + TALL[width], top)
    foot = _axes(board, marks, (across, up), frame)
    for css in ("area", "line"):
        for curve in curves:
            _curve(board, curve, (across, up), css)
    _ends(board, curves, labels, (across, up))
    counted = curves if frame.counted else []
    for place, curve in enumerate(counted):
        _at_risk(board, curve, across, foot + 17 * place)
    board.height = foot + 17 * len(counted) - 8
    return board


def _marks(curves: Sequence[Curve], frame: Frame) -> list[float]:
    if frame.share:
        return [0.0, 0.25, 0.5, 0.75, 1.0]
    values = [v for curve in curves for p in curve.seen for v in (p.value, p.low, p.high) if math.isfinite(v)]
    values += [value for value, _ in frame.lines] + [0.0]
    return ticks(min(values), max(values), 5)


def _tick(mark: float, marks: Sequence[float], frame: Frame) -> str:
    return percent(mark, 0) if frame.share else number(mark, tick_digits(marks))


def _end_label(curve: Curve, frame: Frame, width: int) -> list[str]:
    """The value at the end, with the name of the arm where there is room for it."""
    value = _said(curve.seen[-1].value, frame)
    return [*fit(curve.name, 110), value] if width == WIDE else [value]


def _heads(board: Board, curves: Sequence[Curve], frame: Frame, width: int) -> float:
    """The words of the axis and, where names have no room at the curves, a key; returns where the plot begins."""
    y = board.lines(0, 13, fit(frame.words, width), "soft")
    items: list[Item] = []
    if width != WIDE:
        items = [("line", "treatedline" if c.treated else "comparisonline", c.name) for c in curves]
    items += [("line", ("target", "cutoff")[min(place, 1)], words) for place, (_, words) in enumerate(frame.lines)]
    return (key(board, items, 0, y + 4, width) if items else y) - 2


def _axes(board: Board, marks: list[float], scales: tuple[Scale, Scale], frame: Frame) -> float:
    """Grid, months and lines to read against; returns the baseline of the first row of n."""
    across, up = scales
    for mark in marks:
        board.line(across.start, up(mark), across.end, up(mark), "axis" if mark == marks[0] else "grid")
        board.text(across.start - 8, up(mark) + 4.5, _tick(mark, marks, frame), "soft", "end")
    for month in _months(across):
        board.line(across(month), up.start, across(month), up.start + 4)
        board.text(across(month), up.start + 18, number(month, 0), "soft", "middle")
    for place, (value, _) in enumerate(frame.lines):
        board.line(across.start, up(value), across.end, up(value), ("target", "cutoff")[min(place, 1)])
    if frame.counted:
        board.text(0, up.start + 36, "n", "soft bold")
    board.text(across.end, up.start + 36, frame.months, "soft", "end")
    return up.start + 56


def _months(across: Scale) -> list[int]:
    """Ticks at 1, 3, 6, 12 months and so on, as many as have room for their n."""
    for step in (1, 3, 6, 12, 24, 60):
        if across(step) - across(0) >= 44:
            return list(range(0, int(across.high) + 1, step))
    return [0, int(across.high)]


def _runs(points: Sequence[At]) -> list[list[At]]:
    """The points in runs of months without a gap."""
    runs: list[list[At]] = []
    for point in points:
        if runs and point.month - runs[-1][-1].month < 1.5:
            runs[-1].append(point)
        else:
            runs.append([point])
    return runs


def _curve(board: Board, curve: Curve, scales: tuple[Scale, Scale], css: str) -> None:
    """The steps of a curve, or the area of its interval with its edges."""
    arm = "treated" if curve.treated else "comparison"
    for run in _runs(curve.seen):
        if css == "line":
            board.path(f"M{_steps([(p.month, p.value) for p in run], scales)}", f"{arm}line")
            continue
        both = [p for p in run if math.isfinite(p.low) and math.isfinite(p.high)]
        if len(both) > 1:
            # The last step has no width: its interval is the bar at the end of the curve.
            forth, back = (_steps([(p.month, at(p)) for p in both], scales).split("L")[:-1] for at in (_high, _low))
            board.path(f"M{'L'.join([*forth, *back[::-1]])}Z", f"{arm}area")
            for edge in (forth, back):
                board.path(f"M{'L'.join(edge)}", f"{arm}edge")


def _high(point: At) -> float:
    return point.high


def _low(point: At) -> float:
    return point.low


def _steps(points: Sequence[tuple[float, float]], scales: tuple[Scale, Scale]) -> str:
    """A value holds until the next month."""
    across, up = scales
    spots = []
    for place, (month, value) in enumerate(points):
        if place:
            spots.append(f"{across(month):.1f} {up(points[place - 1][1]):.1f}")
        spots.append(f"{across(month):.1f} {up(value):.1f}")
    return "L".join(spots)


def _ends(board: Board, curves: Sequence[Curve], labels: Sequence[Sequence[str]], scales: tuple[Scale, Scale]) -> None:
    """Marks, intervals and labels where the curves end, the labels moved apart where they are close."""
    across, up = scales
    last = [curve.seen[-1] for curve in curves]
    heights = [16.0 * len(lines) + 4 for lines in labels]
    placed = apart([up(point.value) for point in last], heights, up.end - 14, up.start + 10)
    for index, (curve, point, lines) in enumerate(zip(curves, last, labels, strict=True)):
        arm = "treated" if curve.treated else "comparison"
        x, bottom = across(point.month), placed[index] + heights[index] / 2
        if math.isfinite(point.low) and math.isfinite(point.high):
            side = x + (index - (len(curves) - 1) / 2) * 4
            board.line(side, up(point.low), side, up(point.high), f"{arm}bar")
        (board.circle if curve.treated else board.diamond)(x, up(point.value))
        board.lines(x + 12, placed[index] - heights[index] / 2 + 14, lines[:-1], f"{arm}text halo")
        board.text(x + 12, bottom - 5, lines[-1], f"{arm}text bold halo")


def _at_risk(board: Board, curve: Curve, across: Scale, y: float) -> None:
    arm = "treated" if curve.treated else "comparison"
    (board.circle if curve.treated else board.diamond)(6, y - 4.5)
    by_month = {int(point.month): point.n for point in curve.points}
    for month in _months(across):
        if month in by_month:
            board.text(across(month), y, by_month[month], f"{arm}text", "middle")


def _words(curves: Sequence[Curve], frame: Frame) -> str:
    parts = []
    for curve in curves:
        picked = [p for p in curve.seen if p.month % 6 == 0 or p is curve.seen[-1]]
        told = ", ".join(f"month {number(p.month, 0)} {_point(p, frame)}" for p in picked)
        parts.append(f"{curve.name}: {told}")
    lines = "".join(f" Line: {words} ({_said(value, frame)})." for value, words in frame.lines)
    return f"{frame.words}. {'; '.join(parts)}.{lines}"


def _point(point: At, frame: Frame) -> str:
    between = ""
    if math.isfinite(point.low) and math.isfinite(point.high):
        between = f", {_said(point.low, frame)} to {_said(point.high, frame)}"
    return f"{_said(point.value, frame)} (n {point.n}{between})"
