"""Means over the occasions: filled circle and solid line for the treated, hollow diamond and dashes for comparison."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from evalkit.report.figures.layout import Item, apart, key, nothing, room
from evalkit.report.figures.svg import HALF, Board, Drawn, Scale, fit, tick_digits, ticks
from evalkit.words import number

TALL = 194  # px of the plot
REACH = 2.5  # a band or a cut-off farther away than this many times what the means span is said, not drawn


@dataclass(frozen=True)
class Point:
    """One mean: where on the time axis (days), its interval, and n as it may be printed."""

    at: float
    mean: float
    low: float
    high: float
    n: str


@dataclass(frozen=True)
class Line:
    """One arm's points, in the order of time; points whose n is hidden have been left out."""

    name: str
    treated: bool
    points: Sequence[Point]


@dataclass(frozen=True)
class Band:
    """A range of a norm or of a clinical band: its ends (infinite where it has none) and its name with the source."""

    low: float
    high: float
    label: str


@dataclass(frozen=True)
class Cutoff:
    """A clinical cut-off and its name with the source; `at` None: there is no agreed one, and the label says so."""

    at: float | None
    label: str


@dataclass(frozen=True)
class _Ground:
    """What stands behind the means: the axis, the band and the cut-off."""

    marks: list[float]
    band: Band | None
    cutoff: Cutoff | None


def trajectories(
    lines: Sequence[Line],
    occasions: Sequence[tuple[float, str]],
    better: str,
    digits: int = 1,
    band: Band | None = None,
    cutoff: Cutoff | None = None,
    ends: bool = False,
) -> Drawn:
    """Draw the means of one measure by arm over the occasions.

    Parameters
    ----------
    lines : sequence of Line
        One per arm.
    occasions : sequence of (float, str)
        Day and title of each occasion, the ticks.
    better : str
        "higher" or "lower", said at the top of the axis.
    digits : int
        Decimals of the means in the words for the figure.
    band : Band, optional
        Shaded and named; one that lies far from the means is said in words.
    cutoff : Cutoff, optional
        A line with its name; far from the means, or without a value, words only.
    ends : bool
        Whether the last mean of each arm is written beside it.

    Returns
    -------
    Drawn
        One drawing of half width, which also serves a phone; a sentence where no mean may be shown.
    """
    lines = [line for line in lines if line.points]
    if not lines:
        return nothing("No mean may be shown: too few people at every occasion.")
    ground = _ground(lines, band, cutoff)
    board = Board(HALF)
    top = _heads(board, ground, better)
    up = Scale(ground.marks[0], ground.marks[-1], top + TALL, top)
    last = [number(line.points[-1].mean, digits) for line in lines] if ends else []
    across = Scale(0, max(len(occasions) - 1, 1), 74, HALF - max([34.0, *(room(text) + 14 for text in last)]))
    _frame(board, ground, up)
    foot = _occasions(board, occasions, across, up)
    places = {day: place if len(occasions) > 1 else 0.5 for place, (day, _) in enumerate(occasions)}
    for index, line in enumerate(lines):
        _draw(board, line, (places, across, up), (index - (len(lines) - 1) / 2) * 6, foot + 17 * index)
    _ends(board, lines, last, (places, across, up))
    board.height = foot + 8 + 17 * len(lines)
    alt = _words(lines, occasions, digits, ground)
    return Drawn(board.svg(alt), "", alt)


def _ground(lines: Sequence[Line], band: Band | None, cutoff: Cutoff | None) -> _Ground:
    """The axis, stretched to the edge of the band and to the cut-off where they are near; the rest becomes words."""
    values = [value for line in lines for p in line.points for value in (p.low, p.high, p.mean) if value == value]
    low, high = min(values), max(values)
    span = (high - low) or abs(high) or 1.0

    far = [band.low, band.high] if band is not None else []
    far += [cutoff.at] if cutoff is not None and cutoff.at is not None else []
    reached = [at for at in far if math.isfinite(at) and max(high, at) - min(low, at) <= REACH * span]
    marks = ticks(min([low, *reached]), max([high, *reached]), 5)
    if band is not None and (band.high <= marks[0] or band.low >= marks[-1]):
        side = "below" if band.high <= marks[0] else "above"
        band = Band(math.nan, math.nan, f"{band.label} ({side} this axis)")
    if cutoff is not None and cutoff.at is not None and not marks[0] <= cutoff.at <= marks[-1]:
        cutoff = Cutoff(None, f"{cutoff.label} ({'below' if cutoff.at < marks[0] else 'above'} this axis)")
    return _Ground(marks, band, cutoff)


def _heads(board: Board, ground: _Ground, better: str) -> float:
    """What is better, and the names of band and cut-off with their swatches; returns where the plot begins."""
    board.text(0, 13, f"{better} is better", "soft")
    y, named = 32.0, list[tuple[str, str, float | None, str]]()
    if ground.band is not None:
        named.append(("fill", "markfill", ground.band.low, ground.band.label))
    if ground.cutoff is not None:
        named.append(("line", "cutoff", ground.cutoff.at, ground.cutoff.label))
    for kind, css, at, label in named:
        if at is None or at != at:
            y = board.lines(0, y, fit(label, HALF), "soft") + 2
        else:
            item: Item = (kind, css, label)
            y = key(board, [item], 0, y, HALF)
    return y - 4 if named else 28.0


def _frame(board: Board, ground: _Ground, up: Scale) -> None:
    marks = ground.marks
    digits = tick_digits(marks)
    if ground.band is not None and ground.band.low == ground.band.low:
        bottom, top = max(ground.band.low, marks[0]), min(ground.band.high, marks[-1])
        board.rect(34, up(top), HALF - 34, up(bottom) - up(top), "markfill")
    for tick in marks:
        board.line(34, up(tick), HALF, up(tick), "axis" if tick == marks[0] else "grid")
        board.text(28, up(tick) + 4.5, number(tick, digits), "soft", "end")
    if ground.cutoff is not None and ground.cutoff.at is not None:
        board.line(34, up(ground.cutoff.at), HALF, up(ground.cutoff.at), "cutoff")


def _occasions(board: Board, occasions: Sequence[tuple[float, str]], across: Scale, up: Scale) -> float:
    """Ticks and titles; returns the middle of the first row of n."""
    floor, width = up(up.low), (HALF - 40) / max(len(occasions), 1)
    foot = floor + 34
    for place, (_, title) in enumerate(occasions):
        x = across(place if len(occasions) > 1 else 0.5)
        board.line(x, floor, x, floor + 4)
        lines = fit(title, width - 4)
        middle = min(x, HALF - max(room(text) for text in lines) / 2)
        foot = max(foot, board.lines(middle, floor + 18, lines, "soft", "middle"))
    return foot + 6


def _draw(board: Board, line: Line, scales: tuple[dict[float, float], Scale, Scale], shift: float, y: float) -> None:
    places, across, up = scales
    spots = [(across(places[p.at]) + shift, up(p.mean)) for p in line.points]
    arm = "treated" if line.treated else "comparison"
    if len(spots) > 1:
        board.path("M" + "L".join(f"{x:.1f} {at:.1f}" for x, at in spots), f"{arm}line")
    for (x, _), point in zip(spots, line.points, strict=True):
        if point.low == point.low and point.high == point.high:
            board.line(x, up(point.low), x, up(point.high), f"{arm}bar")
    mark = board.circle if line.treated else board.diamond
    for (x, at), point in zip(spots, line.points, strict=True):
        mark(x, at)
        board.text(x - shift, y + 4.5, point.n, f"{arm}text", "middle")
    mark(6, y)
    board.text(18, y + 4.5, "n", f"{arm}text")


def _ends(
    board: Board, lines: Sequence[Line], last: Sequence[str], scales: tuple[dict[float, float], Scale, Scale]
) -> None:
    """The last means beside their marks, moved apart where they are close."""
    places, across, up = scales
    wanted = [up(line.points[-1].mean) for line in lines]
    placed = apart(wanted, [15.0] * len(wanted), up.end - 8, up.start + 8) if last else []
    for line, text, y in zip(lines, last, placed, strict=False):
        x = across(places[line.points[-1].at]) + 11
        board.text(x, y + 4.5, text, f"{'treated' if line.treated else 'comparison'}text halo")


def _words(lines: Sequence[Line], occasions: Sequence[tuple[float, str]], digits: int, ground: _Ground) -> str:
    titles = dict(occasions)
    parts = []
    for line in lines:
        points = ", ".join(f"{titles[p.at]} {number(p.mean, digits)} (n {p.n})" for p in line.points)
        parts.append(f"{line.name}: {points}")
    named = [told.label for told in (ground.band, ground.cutoff) if told is not None]
    return f"Means over time. {'; '.join(parts)}.{''.join(f' {label}.' for label in named)}"
