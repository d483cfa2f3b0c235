"""Distance travelled by area: one line from the mean at the start to the mean at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evalkit.report.figures.layout import apart, halves, head, known, mark, nothing
from evalkit.report.figures.svg import HALF, NARROW, WIDE, Board, Drawn, Scale, fit
from evalkit.words import number

RIGHT = 96.0  # px for the mean at the end and the change
Value = float | str | None  # a mean, or "[c]" where hidden, or None where there is none


@dataclass(frozen=True)
class Area:
    """One area of a ladder, or one measure: its name and its means at the start and at the end."""

    name: str
    start: Value
    end: Value


@dataclass(frozen=True)
class Arm:
    """One arm: its name, whether it is the treated one, its areas, and n as it may be printed."""

    name: str
    treated: bool
    areas: Sequence[Area]
    n: str = ""


def slopes(arms: Sequence[Arm], start: str = "start", end: str = "end", digits: int = 1) -> Drawn:
    """Draw one line per area from its mean at the start to its mean at the end, each labelled directly.

    Parameters
    ----------
    arms : sequence of Arm
        One panel each, on one scale; an area with a hidden or missing mean is left out and named below.
    start, end : str
        Words over the two sides.
    digits : int
        Decimals of the means.

    Returns
    -------
    Drawn
        Panels side by side, and one under another on a phone; a sentence where no mean may be shown.
    """
    drawn = [arm for arm in arms if any(_both(area) for area in arm.areas)]
    if not drawn:
        return nothing("No mean may be shown: too few people were rated twice.")
    alt = " ".join(_words(arm, (start, end), digits) for arm in drawn)
    if len(drawn) == 1:
        return Drawn(_draw(drawn, (start, end), digits, HALF).svg(alt), "", alt)
    wide, narrow = (_draw(drawn, (start, end), digits, width) for width in (WIDE, NARROW))
    return Drawn(wide.svg(alt), narrow.svg(alt), alt)


def _both(area: Area) -> bool:
    return known(area.start) and known(area.end)


def _ends(area: Area) -> tuple[float, float]:
    return float(area.start), float(area.end)  # type: ignore[arg-type]


def _draw(arms: Sequence[Arm], sides: tuple[str, str], digits: int, width: int) -> Board:
    board = Board(width)
    values = [value for arm in arms for area in arm.areas if _both(area) for value in _ends(area)]
    spread = (min(values), max(values)) if max(values) > min(values) else (min(values) - 1, max(values) + 1)
    y = below = 13.0
    for arm, (x, first) in zip(arms, halves(board, width, len(arms)), strict=True):
        y = below + 4 if first and below > 13 else y
        below = max(below, _panel(board, arm, (spread, sides, digits), (x, y), min(board.width, HALF)))
    board.height = below - 10
    return board


def _panel(
    board: Board,
    arm: Arm,
    given: tuple[tuple[float, float], tuple[str, str], int],
    at: tuple[float, float],
    width: float,
) -> float:
    """One arm; returns the baseline at which what follows may begin."""
    (low, high), sides, digits = given
    x, y = at
    y = head(board, (arm.name, arm.treated, arm.n), x, y, width)
    areas = [area for area in arm.areas if _both(area)]
    left, right = x + (190 if width > NARROW else 158), x + width - RIGHT
    labels = [(fit(area.name, left - x - 52), area) for area in areas]
    heights = [16.0 * len(lines) + 2 for lines, _ in labels]
    top, tall = y + 22, max(220.0, 1.3 * sum(heights))
    board.text(left, y + 4, sides[0], "soft", "end")
    board.text(right, y + 4, sides[1], "soft")
    for side in (left, right):
        board.line(side, top, side, top + tall, "grid")
    up = Scale(low, high, top + tall - 10, top + 10)
    _lines(board, arm, areas, (left, right), up)
    _labels(board, labels, heights, (left, right, digits), up, (top, top + tall))
    away = [area.name for area in arm.areas if not _both(area)]
    after = top + tall + 20
    return board.lines(x, after, fit(f"Not shown: {', '.join(away)}.", width), "soft") + 14 if away else after + 8


def _lines(board: Board, arm: Arm, areas: Sequence[Area], ends: tuple[float, float], up: Scale) -> None:
    css = "treatedline" if arm.treated else "comparisonline"
    for area in areas:
        one, other = _ends(area)
        board.line(ends[0], up(one), ends[1], up(other), css)
    for area in areas:
        for x, value in zip(ends, _ends(area), strict=True):
            mark(board, arm.treated, x, up(value))


def _labels(
    board: Board,
    labels: Sequence[tuple[list[str], Area]],
    heights: Sequence[float],
    where: tuple[float, float, int],
    up: Scale,
    span: tuple[float, float],
) -> None:
    """Names and means at the left, means and changes at the right, led to their marks where moved apart."""
    left, right, digits = where
    starts = apart([up(_ends(area)[0]) for _, area in labels], heights, *span)
    ends = apart([up(_ends(area)[1]) for _, area in labels], [16.0] * len(labels), *span)
    for (lines, area), height, y, other in zip(labels, heights, starts, ends, strict=True):
        one, two = _ends(area)
        for x, wanted, placed, way in ((left, up(one), y, -1), (right, up(two), other, 1)):
            board.line(x + 6 * way, wanted, x + 14 * way, placed, "axis")
        board.text(left - 17, y + 4.5, number(one, digits), "", "end")
        board.lines(left - 52, y - height / 2 + 13.5, lines, "soft", "end")
        board.text(right + 17, other + 4.5, number(two, digits))
        board.text(right + RIGHT, other + 4.5, f"({_change(area, digits)})", "soft", "end")


def _change(area: Area, digits: int) -> str:
    one, other = _ends(area)
    return number(other - one, digits, sign=True)


def _words(arm: Arm, sides: tuple[str, str], digits: int) -> str:
    parts = [
        f"{area.name} {number(_ends(area)[0], digits)} to {number(_ends(area)[1], digits)} ({_change(area, digits)})"
        if _both(area)
        else f"{area.name} not shown"
        for area in arm.areas
    ]
    lead = f"{arm.name} (n {arm.n})" if arm.n else arm.name
    return f"{lead}, means at {sides[0]} and {sides[1]}: {'; '.join(parts)}."
