"""Distance travelled between a few stages: bands from where people started to where they ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from evalkit.errors import DataError
from evalkit.report.figures.layout import Item, apart, halves, hatch, head, hidden, key, known, nothing, pairs, told
from evalkit.report.figures.svg import HALF, NARROW, WIDE, Board, Drawn, fit
from evalkit.words import SUPPRESSED, number

MOST_STAGES = 5
TALL = 300.0
GAP = 10.0
NAMES = 106.0  # px for the names of the stages, at either side
KINDS = {"same": "same stage", "up": "moved up", "down": "moved down"}  # in the order drawn: what moved lies on top


@dataclass(frozen=True)
class Moves:
    """One arm: protected counts from stage to stage, the totals of the stages, and what is printed under them.

    `counts` has one row for each stage at the start and in it one number for each stage at the end, lowest stage
    first, or "[c]". `starts` and `ends` are the protected totals of the stages, or empty. `moved` are pairs of words
    and protected text.
    """

    name: str
    treated: bool
    counts: Sequence[Sequence[int | str]]
    starts: Sequence[int | str] = ()
    ends: Sequence[int | str] = ()
    moved: Sequence[tuple[str, str]] = ()
    n: str = ""


@dataclass(frozen=True)
class Stages:
    """The names of the stages, lowest first, and the words over the two sides."""

    names: Sequence[str]
    start: str = "start"
    end: str = "end"


class _Side(NamedTuple):
    """One side of a flow: people in each node, those in bands that show, where each node begins, px for a person."""

    sizes: list[float]
    seen: list[float]
    tops: list[float]
    unit: float


def stage_flow(panels: Sequence[Moves], stages: Stages) -> Drawn:
    """Draw bands from each stage at the start to each stage at the end, as high as the people who took that way.

    Parameters
    ----------
    panels : sequence of Moves
        One per arm, each drawn to its own full height, since what is compared are shares. What a total holds beyond
        the bands that may be shown is hatched, in one piece.
    stages : Stages
        Five at most.

    Returns
    -------
    Drawn
        Panels side by side, and one under another on a phone; a sentence where no band may be shown.

    Raises
    ------
    DataError
        More than five stages.
    """
    if len(stages.names) > MOST_STAGES:
        raise DataError(f"A flow of {len(stages.names)} stages cannot be read, five is the most. Draw slopes instead.")
    panels = [panel for panel in panels if any(_people(cell) for row in panel.counts for cell in row)]
    if not panels:
        return nothing("No move between stages may be shown: too few people took each way.")
    alt = " ".join(_words(panel, stages) for panel in panels)
    if len(panels) == 1:
        return Drawn(_draw(panels, stages, HALF).svg(alt), "", alt)
    return Drawn(_draw(panels, stages, WIDE).svg(alt), _draw(panels, stages, NARROW).svg(alt), alt)


def _people(cell: object) -> float:
    """The people of a cell that may be drawn; 0 where hidden."""
    return float(cell) if known(cell) else 0.0  # type: ignore[arg-type]


def _draw(panels: Sequence[Moves], stages: Stages, width: int) -> Board:
    board = Board(width)
    y = below = 13.0
    for panel, (x, first) in zip(panels, halves(board, width, len(panels)), strict=True):
        y = below if first else y
        below = max(below, _panel(board, panel, stages, (x, y), min(board.width, HALF)))
    items: list[Item] = [("fill", f"band{kind}", KINDS[kind]) for kind in ("up", "same", "down")]
    if any(hidden(cell) for panel in panels for row in panel.counts for cell in row):
        items.append(("hatch", "", f"not shown ({SUPPRESSED}): too few people"))
    board.height = key(board, items, 0, below, board.width) - 8
    return board


def _panel(board: Board, panel: Moves, stages: Stages, at: tuple[float, float], width: float) -> float:
    """One arm; returns the baseline at which what follows may begin."""
    x, y = at
    y = head(board, (panel.name, panel.treated, panel.n), x, y, width)
    left, right, top = x + NAMES, x + width - NAMES, y + 18
    board.text(left, y + 6, stages.start, "soft", "end")
    board.text(right, y + 6, stages.end, "soft")
    start, end = _sides(panel, top)
    _bands(board, panel, (start, end), (left + 10, right - 10))
    _nodes(board, start, left)
    _nodes(board, end, right - 10)
    _names(board, start, (stages.names, panel.starts), (left - 6, "end"))
    _names(board, end, (stages.names, panel.ends), (right + 6, "start"))
    return pairs(board, panel.moved, x, top + TALL + 28, width) + 12


def _sides(panel: Moves, top: float) -> tuple[_Side, _Side]:
    """Both sides on one scale; the best stage is on top."""
    found = []
    for rows, totals in ((panel.counts, panel.starts), (list(zip(*panel.counts, strict=True)), panel.ends)):
        seen = [sum(_people(cell) for cell in row) for row in rows]
        given = totals or [SUPPRESSED] * len(seen)
        found.append(([max(_people(total), part) for total, part in zip(given, seen, strict=True)], seen))
    unit = (TALL - GAP * (len(panel.counts) - 1)) / max(sum(sizes) for sizes, _ in found)
    start, end = (_Side(sizes, seen, _tops(sizes, unit, top), unit) for sizes, seen in found)
    return start, end


def _tops(sizes: Sequence[float], unit: float, top: float) -> list[float]:
    tops = []
    for size in reversed(sizes):
        tops.append(top)
        top += size * unit + GAP
    return tops[::-1]


def _bands(board: Board, panel: Moves, sides: tuple[_Side, _Side], ends: tuple[float, float]) -> None:
    """Bands leave a node in the order of where they go, best on top, so that they cross as little as they can."""
    left, right, unit = list(sides[0].tops), list(sides[1].tops), sides[0].unit
    drawn: list[tuple[str, float, float, float, str]] = []
    down = list(reversed(range(len(panel.counts))))
    for one, other in ((one, other) for one in down for other in down):
        people = _people(panel.counts[one][other])
        if people:
            kind = "same" if one == other else "up" if other > one else "down"
            drawn.append((kind, left[one], right[other], people * unit, number(people, 0)))
            left[one] += people * unit
            right[other] += people * unit
    for kind, a, b, size, _ in sorted(drawn, key=lambda band: list(KINDS).index(band[0])):
        board.path(_band(ends, a, b, size), f"band{kind}")
    for _, a, _, size, words in drawn:
        if size >= 12:
            board.text(ends[0] + 6, a + size / 2 + 4.5, words)


def _band(ends: tuple[float, float], a: float, b: float, size: float) -> str:
    (left, right), middle = ends, sum(ends) / 2
    over = f"M{left:.1f} {a:.1f}C{middle:.1f} {a:.1f} {middle:.1f} {b:.1f} {right:.1f} {b:.1f}"
    c, d = a + size, b + size
    return f"{over}L{right:.1f} {d:.1f}C{middle:.1f} {d:.1f} {middle:.1f} {c:.1f} {left:.1f} {c:.1f}Z"


def _nodes(board: Board, side: _Side, x: float) -> None:
    """The bars of the stages; the part of a total that no shown band holds is hatched."""
    for size, seen, y in zip(side.sizes, side.seen, side.tops, strict=True):
        if seen:
            board.rect(x, y, 10, seen * side.unit, "ink")
        hatch(board, x, y + seen * side.unit, 10, (size - seen) * side.unit, 5)


def _names(board: Board, side: _Side, words: tuple[Sequence[str], Sequence[int | str]], at: tuple[float, str]) -> None:
    """The names of the stages beside their nodes with their totals, moved apart where nodes are small."""
    names, totals = words
    counts = [number(float(t), 0) if known(t) else str(t) for t in totals] or [""] * len(names)
    blocks = [(fit(name, NAMES - 8), count) for name, count in zip(names, counts, strict=True)][::-1]
    heights = [16.0 * (len(lines) + bool(count)) + 4 for lines, count in blocks]
    middles = [y + size * side.unit / 2 for y, size in zip(side.tops, side.sizes, strict=True)][::-1]
    placed = apart(middles, heights, side.tops[-1] - 6, side.tops[-1] + TALL + 6)
    for (lines, count), middle, height in zip(blocks, placed, heights, strict=True):
        y = middle - height / 2 + 14
        if count:
            y = board.lines(at[0], y, [count], "bold", at[1])
        board.lines(at[0], y, lines, "soft", at[1])


def _words(panel: Moves, stages: Stages) -> str:
    cells = [(i, j, cell) for i, row in enumerate(panel.counts) for j, cell in enumerate(row)]
    ways = [
        f"{stages.names[i]} to {stages.names[j]} {number(_people(cell), 0)}" for i, j, cell in cells if _people(cell)
    ]
    lead = f"{panel.name} (n {panel.n})" if panel.n else panel.name
    away = " Other ways are not shown." if any(hidden(cell) for *_, cell in cells) else ""
    parts = [told(panel.moved), *ways]
    return f"{lead}, from {stages.start} to {stages.end}: {'; '.join(part for part in parts if part)}.{away}"
