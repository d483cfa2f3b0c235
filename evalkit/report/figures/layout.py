"""What several figures place alike: labels that do not cover each other, keys, hidden cells, pairs of words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from numbers import Real

from evalkit.report.figures.svg import HALF, LETTER, Board, Drawn, fit
from evalkit.words import SUPPRESSED

DIGIT = 7.3  # width of a figure of 13 px in the page's sans
CAPITAL = 8.9  # and the mean of its capitals, as in SDQ
WIDER = {"%": 11.6, "m": 10.9, "w": 9.4, "\u2212": 7.6, "+": 7.6}
LINE = 16.0
SHADES = 5

# A swatch: how it is drawn ("line", "fill", "hatch", "circle", "square", or "" for words alone), its class, its words.
Item = tuple[str, str, str]


def hidden(value: object) -> bool:
    """Whether a number was hidden ("[c]")."""
    return value == SUPPRESSED


def known(value: object) -> bool:
    """Whether there is a number to draw: not hidden, not missing."""
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def room(text: str) -> float:
    """The px a text of 13 px needs; digits and capitals are wider than the mean letter."""
    return sum(WIDER.get(c, CAPITAL if c.isupper() else DIGIT if c.isdigit() else LETTER) for c in text)


def apart(wanted: Sequence[float], heights: Sequence[float], low: float, high: float) -> list[float]:
    """The places nearest to those wanted at which labels do not cover each other.

    Parameters
    ----------
    wanted : sequence of float
        The px at which the middle of each label would best stand.
    heights : sequence of float
        The height of each label in px.
    low, high : float
        Where the first may begin and the last should end; where there is no room for all they run past `high`.

    Returns
    -------
    list of float
        Middles, in the order given: the least squares solution that keeps the order.
    """
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    offsets, blocks = [0.0], list[tuple[float, int]]()
    for one, other in pairwise(order):
        offsets.append(offsets[-1] + (heights[one] + heights[other]) / 2)
    for index, offset in zip(order, offsets, strict=False):
        total, size = wanted[index] - offset, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / size:
            total, size = total + blocks[-1][0], size + blocks[-1][1]
            blocks.pop()
        blocks.append((total, size))
    if not order:
        return []
    first, last = low + heights[order[0]] / 2, high - heights[order[-1]] / 2 - offsets[-1]
    flat = [total / size for total, size in blocks for _ in range(size)]
    placed = [max(min(value, last), first) + offset for value, offset in zip(flat, offsets, strict=True)]
    return [placed[order.index(index)] for index in range(len(wanted))]


def nothing(words: str, width: int = HALF) -> Drawn:
    """The figure of which nothing may be drawn: its place says so in words.

    Parameters
    ----------
    words : str
        Why there is nothing.
    width : int
        Of the drawing, in px; it serves a phone too where it is `HALF`.

    Returns
    -------
    Drawn
        One drawing with a sentence.
    """
    board = Board(min(width, HALF))
    board.height = board.lines(0, 13, fit(words, board.width), "soft") - 8
    return Drawn(board.svg(words), "", words)


def mark(board: Board, treated: bool, x: float, y: float) -> None:
    """The mark of an arm: filled circle or hollow diamond."""
    (board.circle if treated else board.diamond)(x, y)


def head(board: Board, arm: tuple[str, bool, str], x: float, y: float, width: float) -> float:
    """The mark, name and n of an arm over its panel; returns the baseline after it."""
    name, treated, n = arm
    mark(board, treated, x + 6, y - 4.5)
    return board.lines(x + 18, y, fit(f"{name}, n {n}" if n else name, width - 18), "bold")


def halves(board: Board, width: int, panels: int) -> list[tuple[float, bool]]:
    """Where each panel begins (px from the left) and whether a new row begins with it; also widens the board."""
    side_by_side = width > HALF and panels > 1
    board.width = width if side_by_side else min(width, HALF)
    return [
        ((width - HALF) if side_by_side and place % 2 else 0.0, not side_by_side or place % 2 == 0)
        for place in range(panels)
    ]


def hatch(board: Board, x: float, y: float, width: float, height: float, step: float = 8) -> None:
    """Strokes that say "not shown", drawn as one path, so that the figure needs no pattern with an id of its own."""
    strokes, across = [], step
    while across < width + height:
        left, right = max(across - height, 0.0), min(across, width)
        strokes.append(f"M{x + left:.1f} {y + across - left:.1f}L{x + right:.1f} {y + across - right:.1f}")
        across += step
    if strokes and width > 0 and height > 0:
        board.path("".join(strokes), "notshown")


def shade(share: float) -> tuple[str, str]:
    """The classes of a tile and of the number in it; darker is more, in equal steps.

    Parameters
    ----------
    share : float
        From 0 to 1.

    Returns
    -------
    tuple of (str, str)
        "shade1" to "shade5", and "paper" where the number must be light.
    """
    step = min(max(int(share * SHADES + 1e-9), 0), SHADES - 1) + 1
    return f"shade{step}", "paper" if step > 3 else ""


def key(board: Board, items: Sequence[Item], x: float, y: float, width: float) -> float:
    """Swatches with their words, in as many lines as they need; returns the baseline after the last."""
    at = x
    for kind, css, words in items:
        indent = 32 if kind else 0
        lines = fit(words, width - indent)
        size = indent + max(room(line) for line in lines)
        if at > x and at - x + size > width:
            at, y = x, y + 20
        if kind:
            _swatch(board, kind, css, at, y - 4.5)
        y = board.lines(at + indent, y, lines, "soft") - LINE
        at += size + 18
    return y + 20 if items else y


def _swatch(board: Board, kind: str, css: str, x: float, y: float) -> None:
    if kind == "line":
        board.line(x, y, x + 24, y, css)
    elif kind == "circle":
        board.circle(x + 12, y, css)
    elif kind == "square":
        board.square(x + 12, y, css)
    else:
        board.rect(x, y - 6, 24, 12, css if kind == "fill" else "openbox")
        if kind == "hatch":
            hatch(board, x, y - 6, 24, 12)


def pairs(board: Board, rows: Sequence[tuple[str, str]], x: float, y: float, width: float) -> float:
    """Words at the left and their numbers at the right, one pair under another; returns the baseline after them."""
    for words, value in rows:
        board.text(x + width, y, value, "", "end")
        y = board.lines(x, y, fit(words, width - room(value) - 12), "soft")
    return y


def told(rows: Sequence[tuple[str, str]]) -> str:
    """The same pairs in a sentence."""
    return ", ".join(f"{words} {value}" for words, value in rows)
