"""Reliable change: before against after, as counts of people in cells, since a point for each person never leaves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from evalkit.report.figures.layout import DIGIT, Item, halves, head, hidden, key, known, nothing, pairs, told
from evalkit.report.figures.layout import hatch as strokes
from evalkit.report.figures.svg import HALF, NARROW, WIDE, Board, Drawn, Scale, tick_digits
from evalkit.words import SUPPRESSED, number

SIDE = 330.0  # px of a plot at most
LEFT = 34.0  # room for the numbers of its axis


@dataclass(frozen=True)
class Changed:
    """One arm: its protected counts by cell, and what is printed under them.

    `counts` has one row for each bin before and in it one number for each bin after, from low to high, or "[c]".
    `regions` are pairs of words and protected text: ("reliably improved", "34% (102)").
    """

    name: str
    treated: bool
    counts: Sequence[Sequence[int | str]]
    regions: Sequence[tuple[str, str]] = ()
    n: str = ""


@dataclass(frozen=True)
class Rules:
    """What decides: edges of the bins, the change that counts as reliable, the cut-off, and which way is better."""

    edges: Sequence[float]
    reliable: float
    better: str
    cutoff: float | None = None
    cutoff_words: str = ""
    before: str = "before"
    after: str = "after"
    digits: int = 1


def change(panels: Sequence[Changed], rules: Rules) -> Drawn:
    """Draw how many people of each arm moved from where to where, with the band of change that is not reliable.

    Parameters
    ----------
    panels : sequence of Changed
        One per arm; the area of a square is its count, on one scale for all arms. Hidden cells are hatched alike,
        whatever they hold, so that nothing tells one from another.
    rules : Rules
        In points of the measure.

    Returns
    -------
    Drawn
        Panels side by side, and one under another on a phone; a sentence where there is no arm.
    """
    if not panels:
        return nothing("No change may be shown: too few people have both readings.")
    alt = _words(panels, rules)
    if len(panels) == 1:
        return Drawn(_draw(panels, rules, HALF).svg(alt), "", alt)
    return Drawn(_draw(panels, rules, WIDE).svg(alt), _draw(panels, rules, NARROW).svg(alt), alt)


def _draw(panels: Sequence[Changed], rules: Rules, width: int) -> Board:
    board = Board(width)
    most = max([float(cell) for panel in panels for row in panel.counts for cell in row if known(cell)] + [1.0])
    y = below = 13.0
    for panel, (x, first) in zip(panels, halves(board, width, len(panels)), strict=True):
        y = below if first else y
        below = max(below, _panel(board, panel, (rules, most), (x, y), min(board.width, HALF)))
    board.height = key(board, _items(panels, rules), 0, below, board.width) - 8
    return board


def _panel(board: Board, panel: Changed, given: tuple[Rules, float], at: tuple[float, float], width: float) -> float:
    """One arm; returns the baseline at which what follows may begin."""
    rules, most = given
    x, y = at
    side = min(width - LEFT - 14, SIDE)
    y = head(board, (panel.name, panel.treated, panel.n), x, y, width)
    where = "below" if rules.better == "lower" else "above"
    board.text(x, y + 4, f"{rules.after}; {where} the diagonal is better", "soft")
    left, top = x + LEFT, y + 16
    low, high = rules.edges[0], rules.edges[-1]
    across, up = Scale(low, high, left, left + side), Scale(low, high, top + side, top)
    _ground(board, rules, across, up)
    _cells(board, panel, rules.edges, (across, up), most)
    _axes(board, rules.edges, across, up)
    board.text(left + side, top + side + 34, rules.before, "soft", "end")
    return pairs(board, panel.regions, x + LEFT, top + side + 56, side) + 10


def _ground(board: Board, rules: Rules, across: Scale, up: Scale) -> None:
    """The band of change that is not reliable, the diagonal, and the cross of the cut-off."""
    low, high, size = across.low, across.high, min(rules.reliable, across.high - across.low)
    corners = [(low, low), (low, low + size), (high - size, high), (high, high), (high, high - size), (low + size, low)]
    board.path("M" + "L".join(f"{across(a):.1f} {up(b):.1f}" for a, b in corners) + "Z", "markfill")
    for one, other in ((corners[1], corners[2]), (corners[5], corners[4])):
        board.line(across(one[0]), up(one[1]), across(other[0]), up(other[1]), "reference")
    board.line(across(low), up(low), across(high), up(high), "zero")
    if rules.cutoff is not None and low <= rules.cutoff <= high:
        board.line(across(rules.cutoff), up(low), across(rules.cutoff), up(high), "cutoff")
        board.line(across(low), up(rules.cutoff), across(high), up(rules.cutoff), "cutoff")


def _cells(board: Board, panel: Changed, edges: Sequence[float], scales: tuple[Scale, Scale], most: float) -> None:
    across, up = scales
    arm = "treated" if panel.treated else "comparison"
    for place, row in enumerate(panel.counts):
        left, right = across(edges[place]), across(edges[place + 1])
        for other, cell in enumerate(row):
            bottom, top = up(edges[other]), up(edges[other + 1])
            if hidden(cell):
                strokes(board, left + 1, top + 1, right - left - 2, bottom - top - 2)
            elif known(cell) and float(cell) > 0:
                size = 0.94 * min(right - left, bottom - top) * math.sqrt(float(cell) / most)
                middle = ((left + right) / 2, (top + bottom) / 2)
                board.square(*middle, arm, size)
                _count(board, number(float(cell), 0), middle, size, "paper" if panel.treated else "comparisontext")


def _count(board: Board, text: str, at: tuple[float, float], size: float, css: str) -> None:
    """The number in its square, where it has room."""
    if size >= DIGIT * len(text) + 4 and size >= 15:
        board.text(at[0], at[1] + 4.5, text, css, "middle")


def _axes(board: Board, edges: Sequence[float], across: Scale, up: Scale) -> None:
    low, high, digits = across.low, across.high, tick_digits(edges)
    board.path(
        f"M{across(low):.1f} {up(high):.1f}L{across(low):.1f} {up(low):.1f}L{across(high):.1f} {up(low):.1f}", "axis"
    )
    wide, last = DIGIT * max(len(number(edge, digits)) for edge in edges) + 8, -math.inf
    for edge in edges:
        if across(edge) - last >= wide:
            last = across(edge)
            board.line(last, up(low), last, up(low) + 4)
            board.text(last, up(low) + 18, number(edge, digits), "soft", "middle")
            board.text(across(low) - 6, up(edge) + 4.5, number(edge, digits), "soft", "end")


def _items(panels: Sequence[Changed], rules: Rules) -> list[Item]:
    size = number(rules.reliable, rules.digits)
    items: list[Item] = [("line", "zero", "no change"), ("fill", "markfill", f"within ±{size}: not reliable change")]
    items.append(("line", "cutoff", _cutoff(rules)) if rules.cutoff is not None else ("", "", _cutoff(rules)))
    if any(hidden(cell) for panel in panels for row in panel.counts for cell in row):
        items.append(("hatch", "", f"not shown ({SUPPRESSED}): too few people"))
    items.append(("square", "solid", "area: number of people"))
    return items


def _cutoff(rules: Rules) -> str:
    if rules.cutoff is None:
        return rules.cutoff_words or "no agreed cut-off"
    return rules.cutoff_words or f"cut-off {number(rules.cutoff, tick_digits([rules.cutoff]))}"


def _words(panels: Sequence[Changed], rules: Rules) -> str:
    size = number(rules.reliable, rules.digits)
    lead = f"People by {rules.before} and {rules.after}; reliable change is beyond ±{size}; {_cutoff(rules)}."
    return f"{lead} {' '.join(_of_arm(panel, rules) for panel in panels)}"


def _of_arm(panel: Changed, rules: Rules) -> str:
    digits = tick_digits(rules.edges)
    span = [f"{number(a, digits)} to {number(b, digits)}" for a, b in zip(rules.edges, rules.edges[1:], strict=False)]
    cells = [(i, j, cell) for i, row in enumerate(panel.counts) for j, cell in enumerate(row)]
    shown = [
        f"{rules.before} {span[i]}, {rules.after} {span[j]}: {number(float(cell), 0)}"
        for i, j, cell in cells
        if known(cell) and float(cell) > 0
    ]
    parts = [told(panel.regions), *shown]
    lead = f"{panel.name} (n {panel.n})" if panel.n else panel.name
    away = " Other cells are not shown." if any(hidden(cell) for *_, cell in cells) else ""
    return f"{lead}: {'; '.join(part for part in parts if part)}.{away}"
