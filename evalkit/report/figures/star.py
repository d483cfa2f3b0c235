"""The star: means of each area at the start and at the end, a companion to the slopes and never alone."""

from __future__ import annotations

import math
from collections.abc import Sequence

from evalkit.report.figures.layout import apart, known, nothing
from evalkit.report.figures.slopes import Area
from evalkit.report.figures.svg import HALF, Board, Drawn, Scale, fit, tick_digits
from evalkit.report.figures.svg import ticks as round_ticks
from evalkit.words import NOT_AVAILABLE, SUPPRESSED, number

REACH = 88.0
FEWEST, MOST = 3, 10
UPRIGHT = 0.2  # an axis nearer to upright than this has its label over or under it
NOTE = "The area within an outline grows with the square of the means, so it exaggerates: read the axes, not the area."


def star(areas: Sequence[Area], ladder: tuple[float, float], note: str = NOTE, digits: int = 1) -> Drawn:
    """Draw the means of one group's areas on axes from one centre: hollow and dashed at the start, filled at the end.

    Parameters
    ----------
    areas : sequence of Area
        From 3 to 10, clockwise from the top; where a mean is hidden or missing, the outline is open.
    ladder : tuple of (lowest, highest)
        The ends of every axis.
    note : str
        Why its area must not be read; printed under it.
    digits : int
        Decimals of the means.

    Returns
    -------
    Drawn
        One drawing of half width, which also serves a phone; a sentence where a star cannot be drawn.
    """
    if not FEWEST <= len(areas) <= MOST:
        return nothing(f"A star of {len(areas)} areas cannot be read; it needs {FEWEST} to {MOST}. See the slopes.")
    if not any(known(value) for area in areas for value in (area.start, area.end)):
        return nothing("No mean may be shown: too few people were rated.")
    board = Board(HALF)
    angles = [2 * math.pi * place / len(areas) - math.pi / 2 for place in range(len(areas))]
    texts = [(area.name, _means(area, digits)) for area in areas]
    centre = (HALF / 2, 16.0 * len(_wrapped(texts[0], angles, 0)) + REACH + 22)
    spokes = Scale(*ladder, 0, REACH)
    _axes(board, centre, angles, spokes)
    floor = _labels(board, centre, angles, texts)
    for ended in (False, True):
        _outline(board, [area.end if ended else area.start for area in areas], (centre, angles, spokes), ended)
    board.height = _foot(board, note, floor + 8)
    each = "; ".join(f"{name} {means}" for name, means in texts)
    alt = f"Star, axes from {number(ladder[0], 0)} to {number(ladder[1], 0)}, start to end. {each}. {note}"
    return Drawn(board.svg(alt), "", alt)


def _means(area: Area, digits: int) -> str:
    start, end = (number(v, digits) if known(v) else v or NOT_AVAILABLE for v in (area.start, area.end))  # type: ignore[arg-type]
    return SUPPRESSED if start == end == SUPPRESSED else f"{start} to {end}"


def _spot(centre: tuple[float, float], angle: float, far: float) -> tuple[float, float]:
    return centre[0] + far * math.cos(angle), centre[1] + far * math.sin(angle)


def _axes(board: Board, centre: tuple[float, float], angles: Sequence[float], spokes: Scale) -> None:
    rings = [ring for ring in round_ticks(spokes.low, spokes.high, 4) if spokes.low < ring <= spokes.high]
    for ring in dict.fromkeys([*rings, spokes.high]):
        spots = [_spot(centre, angle, spokes(ring)) for angle in angles]
        board.path("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in spots) + "Z", "grid")
    for angle in angles:
        board.line(*centre, *_spot(centre, angle, REACH), "axis")
    middle = (angles[0] + angles[1]) / 2
    inner = math.cos(math.pi / len(angles))  # the rings are straight between the axes, so they lie nearer there
    for ring in (spokes.low, *dict.fromkeys([*rings, spokes.high])):
        x, y = _spot(centre, middle, spokes(ring) * inner)
        board.text(x, y + 4.5, number(ring, tick_digits([ring])), "soft halo", "middle")


def _wrapped(text: tuple[str, str], angles: Sequence[float], place: int) -> list[str]:
    """A label in the room it has: to the edge of the drawing, or at top and bottom between its neighbours."""
    name, means = text
    side = abs(math.cos(angles[place]))
    free = HALF / 2 - (REACH + 12) * side
    if side < UPRIGHT:
        free = min(2 * (REACH + 12) * math.sin(2 * math.pi / len(angles)) - 10, 190.0)
    return [*fit(name, free), means]


def _labels(
    board: Board, centre: tuple[float, float], angles: Sequence[float], texts: Sequence[tuple[str, str]]
) -> float:
    """The labels around the axes, apart where they are close; returns the lowest baseline."""
    lines = [_wrapped(text, angles, place) for place, text in enumerate(texts)]
    heights = [16.0 * len(label) + 2 for label in lines]
    spots = [_spot(centre, angle, REACH + 12) for angle in angles]
    lowest = centre[1] + REACH
    for anchor in ("start", "end", "middle"):
        mine = [place for place, angle in enumerate(angles) if _anchor(angle) == anchor]
        wanted = [spots[i][1] + math.sin(angles[i]) * (heights[i] / 2 - 4) for i in mine]
        tall = [heights[i] for i in mine]
        for i, middle in zip(mine, apart(wanted, tall, 0, centre[1] + REACH + 90), strict=True):
            first = middle - heights[i] / 2 + 13
            lowest = max(lowest, board.lines(spots[i][0], first, lines[i], "halo", anchor) - 16)
    return lowest


def _anchor(angle: float) -> str:
    return "middle" if abs(math.cos(angle)) < UPRIGHT else "start" if math.cos(angle) > 0 else "end"


def _outline(
    board: Board,
    values: Sequence[object],
    where: tuple[tuple[float, float], Sequence[float], Scale],
    ended: bool,
) -> None:
    """The outline of the start or of the end, open where a mean is not known."""
    centre, angles, spokes = where
    spots = [
        _spot(centre, angle, spokes(float(value))) if known(value) else None  # type: ignore[arg-type]
        for angle, value in zip(angles, values, strict=True)
    ]
    for one, other in zip(spots, [*spots[1:], spots[0]], strict=True):
        if one is not None and other is not None:
            board.line(*one, *other, "inkline" if ended else "startline")
    for spot in spots:
        if spot is not None:
            board.circle(*spot, "solid" if ended else "hollow", 4 if ended else 4.5)


def _foot(board: Board, note: str, y: float) -> float:
    y += 22
    board.line(0, y - 4.5, 24, y - 4.5, "startline")
    board.circle(12, y - 4.5, "hollow")
    board.text(32, y, "start", "soft")
    board.line(80, y - 4.5, 104, y - 4.5, "inkline")
    board.circle(92, y - 4.5, "solid", 4)
    board.text(112, y, "end", "soft")
    return board.lines(0, y + 22, fit(note, HALF), "soft") - 8
