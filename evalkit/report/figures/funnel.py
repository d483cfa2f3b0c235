"""Services by their size: estimates against n, with the limits within which chance alone would keep them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evalkit.report.figures.caterpillar import left_out
from evalkit.report.figures.layout import Item, key, known, nothing, room
from evalkit.report.figures.svg import NARROW, WIDE, Board, Drawn, Scale, fit, tick_digits, ticks
from evalkit.words import number

TALL = 300.0
ANCHORS = {1: "start", -1: "end"}
Box = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True)
class Dot:
    """One service: its name, its protected n (a number, or "[c]") and its own estimate, not shrunken."""

    name: str
    n: int | str
    estimate: float


@dataclass(frozen=True)
class Limits:
    """The limits at one n: 95% and 99.8%."""

    n: float
    low: float
    high: float
    lowest: float
    highest: float


@dataclass(frozen=True)
class Plane:
    """The line in the middle with its words, what is estimated, decimals, and the word for n."""

    centre: float
    label: str = "all services"
    estimate: str = "Estimate"
    count: str = "people"
    digits: int = 1


def funnel(dots: Sequence[Dot], limits: Sequence[Limits], plane: Plane) -> Drawn:
    """Draw estimates against n; only services outside the 95% limits are named.

    Parameters
    ----------
    dots : sequence of Dot
        Those whose n is hidden are left out, their number is said below.
    limits : sequence of Limits
        In the order of n, close enough to be joined by straight lines; they decide what is outside.
    plane : Plane
        Words and the line in the middle.

    Returns
    -------
    Drawn
        Wide and narrow drawing; a sentence where every n is hidden.
    """
    shown = [dot for dot in dots if known(dot.n) and known(dot.estimate)]
    note = left_out(len(dots) - len(shown))
    if not shown or not limits:
        return nothing(f"No service may be shown: too few people in each. {note}".strip())
    alt = _words(shown, limits, plane, note)
    wide, narrow = (_draw(shown, limits, plane, note, width) for width in (WIDE, NARROW))
    return Drawn(wide.svg(alt), narrow.svg(alt), alt)


def outside(dot: Dot, limits: Sequence[Limits]) -> int:
    """How far outside a service lies: 0 within the 95% limits, 1 beyond them, 2 beyond the 99.8% limits.

    Parameters
    ----------
    dot : Dot
        With a known n.
    limits : sequence of Limits
        In the order of n; between two of them the limits are straight, before and after them level.

    Returns
    -------
    int
        0, 1 or 2.
    """
    here = [_between(limits, float(dot.n), name) for name in ("low", "high", "lowest", "highest")]
    if dot.estimate < here[2] or dot.estimate > here[3]:
        return 2
    return int(dot.estimate < here[0] or dot.estimate > here[1])


def _between(limits: Sequence[Limits], n: float, name: str) -> float:
    at = [float(getattr(limit, name)) for limit in limits]
    if n <= limits[0].n:
        return at[0]
    for one, other, a, b in zip(limits, limits[1:], at, at[1:], strict=False):
        if n <= other.n:
            return a + (b - a) * (n - one.n) / ((other.n - one.n) or 1.0)
    return at[-1]


def _draw(dots: Sequence[Dot], limits: Sequence[Limits], plane: Plane, note: str, width: int) -> Board:
    board = Board(width)
    sizes = [float(dot.n) for dot in dots]
    n_marks = ticks(0, max(sizes), 6 if width == WIDE else 4)
    inside = [limit for limit in limits if min(sizes) <= limit.n <= n_marks[-1]] or list(limits)
    values = [v for limit in inside for v in (limit.lowest, limit.highest)] + [dot.estimate for dot in dots]
    marks = ticks(min(values), max(values), 5)
    left = max(room(number(mark, tick_digits(marks))) for mark in marks) + 12
    across, up = Scale(0, n_marks[-1], left, width - 16), Scale(marks[0], marks[-1], 26 + TALL, 26)
    board.text(0, 13, plane.estimate, "soft")
    _frame(board, (n_marks, marks), (across, up), plane)
    _limits(board, limits, (across, up))
    unnamed = _dots(board, dots, limits, (across, up), plane)
    words = f"{plane.label} {number(plane.centre, plane.digits)}"
    items: list[Item] = [("line", "zero", words), ("line", "cutoff", "95% limits")]
    items += [("line", "greyline", "99.8% limits"), ("circle", "hollow", "within 95%")]
    items.append(("circle", "solid", "outside 95%, named"))
    y = key(board, items, 0, 26 + TALL + 62, width)
    also = [f"{dot.name} {number(dot.estimate, plane.digits)} (n {number(float(dot.n), 0)})" for dot in unnamed]
    for words in ([f"Also outside, without room for a name: {'; '.join(also)}."] if also else []) + [note] * bool(note):
        y = board.lines(0, y, fit(words, width), "soft") + 2
    board.height = y - 8
    return board


def _frame(board: Board, marks: tuple[list[float], list[float]], scales: tuple[Scale, Scale], plane: Plane) -> None:
    (across, up), floor = scales, scales[1].start
    for mark in marks[1]:
        board.line(across.start, up(mark), across.end, up(mark), "axis" if mark == marks[1][0] else "grid")
        board.text(across.start - 6, up(mark) + 4.5, number(mark, tick_digits(marks[1])), "soft", "end")
    for mark in marks[0]:
        board.line(across(mark), floor, across(mark), floor + 4)
        board.text(across(mark), floor + 18, number(mark, tick_digits(marks[0])), "soft", "middle")
    board.text(across.end, floor + 36, plane.count, "soft", "end")
    board.line(across.start, up(plane.centre), across.end, up(plane.centre), "zero")


def _limits(board: Board, limits: Sequence[Limits], scales: tuple[Scale, Scale]) -> None:
    """The four curves, cut where they leave the plot."""
    for name, css in (("low", "cutoff"), ("high", "cutoff"), ("lowest", "greyline"), ("highest", "greyline")):
        strokes, pen = "", "M"
        for limit in limits:
            value = float(getattr(limit, name))
            if scales[1].low <= value <= scales[1].high and 0 <= limit.n <= scales[0].high:
                strokes += f"{pen}{scales[0](limit.n):.1f} {scales[1](value):.1f}"
                pen = "L"
            else:
                pen = "M"
        if strokes:
            board.path(strokes, css)


def _dots(
    board: Board, dots: Sequence[Dot], limits: Sequence[Limits], scales: tuple[Scale, Scale], plane: Plane
) -> list[Dot]:
    """The marks, and the names of those outside; returns those for whose name there was no room."""
    across, up = scales
    spots = [(across(float(dot.n)), up(dot.estimate)) for dot in dots]
    taken = [(x - 6, y - 6, x + 6, y + 6) for x, y in spots]
    unnamed = []
    for dot, (x, y) in zip(dots, spots, strict=True):
        far = outside(dot, limits)
        lines = fit(f"{dot.name} {number(dot.estimate, plane.digits)}", board.width * 0.4)
        if far and not _name(board, lines, (x, y), taken, (dot.estimate < plane.centre, far == 2)):
            unnamed.append(dot)
    for dot, (x, y) in zip(dots, spots, strict=True):
        board.circle(x, y, "solid" if outside(dot, limits) else "hollow", 4.5)
    return unnamed


def _name(
    board: Board, lines: Sequence[str], at: tuple[float, float], taken: list[Box], kind: tuple[bool, bool]
) -> bool:
    """A name beside its mark: at its side if that is free, else further off, led to it; returns whether it had room."""
    (x, y), (below, bold) = at, kind
    wide, tall = max(room(line) for line in lines) * (1.07 if bold else 1), 16.0 * len(lines)
    steps = [*range(7), *range(-1, -7, -1)]  # a longer leader cannot be followed
    away = [(way, 17.0 * step * (1 if below else -1)) for step in steps for way in (1, -1)]
    boxes = [(x + 10 if way > 0 else x - 10 - wide, y + shift - tall / 2, way, shift) for way, shift in away]
    inside = [box for box in boxes if box[0] >= 0 and box[0] + wide <= board.width and 16 <= box[1] <= 26 + TALL - tall]
    free = [box for box in inside if not any(_meet((box[0], box[1], box[0] + wide, box[1] + tall), b) for b in taken)]
    if not free:
        return False
    left, top, way, shift = free[0]
    taken.append((left, top, left + wide, top + tall))
    if shift:
        board.line(x, y, left if way > 0 else left + wide, top + tall / 2, "axis")
    board.lines(left if way > 0 else left + wide, top + 12, lines, f"{'bold ' if bold else ''}halo", ANCHORS[way])
    return True


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _words(dots: Sequence[Dot], limits: Sequence[Limits], plane: Plane, note: str) -> str:
    names = ("within the 95% limits", "outside the 95% limits", "outside the 99.8% limits")
    rows = [
        f"{dot.name} {number(dot.estimate, plane.digits)}, n {number(float(dot.n), 0)}"
        + (f" ({names[outside(dot, limits)]})" if outside(dot, limits) else "")
        for dot in sorted(dots, key=lambda dot: -dot.estimate)
    ]
    line = f"{plane.label} {number(plane.centre, plane.digits)}"
    return f"{plane.estimate} by number of {plane.count}, line: {line}. {'; '.join(rows)}. {note}".strip()
