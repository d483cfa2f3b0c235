"""What is known and what is missing: one tile for each measure, occasion and arm, darker where more is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evalkit.report.figures.layout import Item, hatch, hidden, key, known, mark, nothing, room, shade
from evalkit.report.figures.svg import NARROW, WIDE, Board, Drawn, fit
from evalkit.words import NOT_APPLICABLE, SUPPRESSED, number, percent

Share = float | str | None  # from 0 to 1, or "[c]" where hidden, or None where the measure was not due
NAME = 200.0
LEAST = 40.0  # px of a tile that holds "100%"
ROW = 26.0


@dataclass(frozen=True)
class Known:
    """One arm: its name, whether it is the treated one, and its shares, a row for each measure."""

    name: str
    treated: bool
    shares: Sequence[Sequence[Share]]


def gaps(measures: Sequence[str], occasions: Sequence[str], arms: Sequence[Known]) -> Drawn:
    """Draw the share of people with a known value, by measure, occasion and arm.

    Parameters
    ----------
    measures : sequence of str
        The rows.
    occasions : sequence of str
        The columns of each arm.
    arms : sequence of Known
        Their shares protected: a hidden one is hatched and printed as "[c]", one that was not due is left empty.

    Returns
    -------
    Drawn
        Arms side by side where the tiles have room for their numbers, else one row for each arm under the name of
        the measure, as on a phone; a sentence where there is nothing to draw.
    """
    if not measures or not occasions or not arms:
        return nothing("There is no measure whose completeness could be shown.")
    alt = _words(measures, occasions, arms)
    beside = (WIDE - NAME) / len(arms) - 18 >= LEAST * len(occasions)
    wide = _beside(measures, occasions, arms) if beside else _under(measures, occasions, arms, WIDE)
    return Drawn(wide.svg(alt), _under(measures, occasions, arms, NARROW).svg(alt), alt)


def _beside(measures: Sequence[str], occasions: Sequence[str], arms: Sequence[Known]) -> Board:
    board = Board(WIDE)
    each = (WIDE - NAME) / len(arms)
    size = min((each - 18) / len(occasions), 92.0)
    starts = [NAME + 18 + each * place for place in range(len(arms))]
    heads = [fit(arm.name, each - 36) for arm in arms]
    top = 17 + 16.0 * max(len(lines) for lines in heads)
    for arm, lines, x in zip(arms, heads, starts, strict=True):
        mark(board, arm.treated, x + 6, 8.5)
        board.lines(x + 18, 13, lines, "bold")
        y = _occasions(board, occasions, (x, top), size)
    for place, measure in enumerate(measures):
        lines = fit(measure, NAME)
        tall = max(ROW, 16.0 * len(lines) + 6)
        board.lines(0, y + tall / 2 + 12.5 - 8 * len(lines), lines)
        for arm, x in zip(arms, starts, strict=True):
            _tiles(board, arm.shares[place], (x, y), (size, tall))
        y += tall
    return _foot(board, arms, y)


def _under(measures: Sequence[str], occasions: Sequence[str], arms: Sequence[Known], width: int) -> Board:
    """The names of the measures above their rows, one row for each arm."""
    board, left, y = Board(width), 22.0, 13.0
    for arm in arms:
        mark(board, arm.treated, 6, y - 4.5)
        y = board.lines(left, y, fit(arm.name, width - left), "bold") + 2
    size = min((width - left) / len(occasions), 92.0)
    y = _occasions(board, occasions, (left, y + 4), size) + 8
    for place, measure in enumerate(measures):
        y = board.lines(0, y + 9, fit(measure, width)) - 8
        for arm in arms:
            mark(board, arm.treated, 6, y + ROW / 2)
            _tiles(board, arm.shares[place], (left, y), (size, ROW))
            y += ROW
        y += 10
    return _foot(board, arms, y - 4)


def _occasions(board: Board, occasions: Sequence[str], at: tuple[float, float], size: float) -> float:
    """The titles of the occasions over their columns, upright where they have room, else turned; returns their end."""
    x, y = at
    if max(room(word) for title in occasions for word in title.split() or [""]) <= size - 2:
        lines = [fit(title, size - 8) for title in occasions]
        for place, title in enumerate(lines):
            board.lines(x + size * (place + 0.5), y, title, "soft", "middle")
        return y + 16.0 * max(len(title) for title in lines) - 8
    tall = max(room(title) for title in occasions)
    for place, words in enumerate(occasions):
        _turned(board, x + size * (place + 0.5) + 4.5, y - 10 + tall, words)
    return y - 4 + tall


def _turned(board: Board, x: float, y: float, words: str) -> None:
    board.text(x, y, words, "soft")
    board.parts[-1] = board.parts[-1].replace("<text ", f'<text transform="rotate(-90 {x:.1f} {y:.1f})" ', 1)


def _tiles(board: Board, shares: Sequence[Share], at: tuple[float, float], size: tuple[float, float]) -> None:
    (x, y), (wide, tall) = at, size
    for share in shares:
        middle = (x + wide / 2, y + tall / 2 + 4.5)
        if hidden(share):
            hatch(board, x + 1, y + 1, wide - 2, tall - 2)
            board.text(*middle, SUPPRESSED, "halo", "middle") if wide >= 26 else None
        elif known(share):
            tile, number_css = shade(float(share))  # type: ignore[arg-type]
            board.rect(x + 1, y + 1, wide - 2, tall - 2, tile)
            words = _printed(float(share), wide)  # type: ignore[arg-type]
            board.text(*middle, words, number_css, "middle") if words else None
        x += wide


def _printed(share: float, wide: float) -> str:
    """The share as a tile has room for it: "87%", "87", or nothing, which leaves it to the words of the figure."""
    short = number(share * 100, 0)
    return percent(share, 0) if wide >= LEAST else short if wide >= room("100") + 4 else ""


def _foot(board: Board, arms: Sequence[Known], y: float) -> Board:
    items: list[Item] = [("fill", f"shade{step + 1}", f"{step * 20} to {step * 20 + 20}%") for step in range(5)]
    if any(hidden(share) for arm in arms for row in arm.shares for share in row):
        items.append(("hatch", "", f"{SUPPRESSED} not shown: a count is too small"))
    if any(share is None for arm in arms for row in arm.shares for share in row):
        items.append(("", "", "empty: not due"))
    board.height = key(board, items, 0, y + 26, board.width) - 8
    return board


def _words(measures: Sequence[str], occasions: Sequence[str], arms: Sequence[Known]) -> str:
    rows = []
    for place, measure in enumerate(measures):
        by_arm = []
        for arm in arms:
            pairs = zip(occasions, arm.shares[place], strict=True)
            by_arm.append(f"{arm.name} {', '.join(f'{title} {_said(share)}' for title, share in pairs)}")
        rows.append(f"{measure}: {'; '.join(by_arm)}")
    return f"Share of people with a known value. {'. '.join(rows)}."


def _said(share: Share) -> str:
    if hidden(share):
        return SUPPRESSED
    return percent(float(share), 0) if known(share) else NOT_APPLICABLE  # type: ignore[arg-type]
