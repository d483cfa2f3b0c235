"""The cohort flow: who was left out at each step, and how many remain in each arm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from evalkit.report.figures.svg import NARROW, WIDE, Board, Drawn, fit


@dataclass(frozen=True)
class Step:
    """One rule of the flow, its counts already protected: how many it left out, how many remain, what it says."""

    says: str
    left_out: str
    remain: str


@dataclass(frozen=True)
class Branch:
    """One arm: its name, whether it is the treated one, its count, and the boxes below it (count, words)."""

    name: str
    treated: bool
    people: str
    below: Sequence[tuple[str, str]] = ()


class _Parts(NamedTuple):
    """All that a flow shows."""

    start: tuple[str, str]
    steps: Sequence[Step]
    end: tuple[str, str]
    arms: Sequence[Branch]
    below: Sequence[tuple[str, str]]


def flow(
    start: tuple[str, str],
    steps: Sequence[Step],
    end: tuple[str, str],
    arms: Sequence[Branch],
    below: Sequence[tuple[str, str]] = (),
) -> Drawn:
    """Draw a flow as CONSORT does.

    Parameters
    ----------
    start, end : tuple of (count, words)
        The first box and the box of those who remain.
    steps : sequence of Step
        In the order of the rules.
    arms : sequence of Branch
        Empty where there are no arms.
    below : sequence of (count, words)
        Boxes under the last one, where there are no arms to stand under.

    Returns
    -------
    Drawn
        Wide and narrow drawing, and the counts in words.
    """
    drawn = _Parts(start, steps, end, arms, below)
    alt = _words(drawn)
    return Drawn(_wide(drawn).svg(alt), _narrow(drawn).svg(alt), alt)


def _words(drawn: _Parts) -> str:
    start, steps, end, arms, below = drawn
    parts = [f"{start[0]} {start[1]}"]
    parts += [f"{step.says}: {step.left_out} left out, {step.remain} remain" for step in steps]
    parts.append(f"{end[0]} {end[1]}")
    parts += [f"{n} {words}" for n, words in below]
    parts += [", ".join([f"{arm.people} {arm.name}", *(f"{n} {words}" for n, words in arm.below)]) for arm in arms]
    return f"Cohort flow. {'; '.join(parts)}."


def box(board: Board, x: float, y: float, width: float, content: tuple[str, str], css: str = "box") -> float:
    """A count in bold with its words; returns where the box ends."""
    lines = fit(content[1], width - 24)
    height = 32 + 16 * len(lines)
    board.rect(x, y, width, height, css)
    board.text(x + 12, y + 20, content[0], "bold")
    board.lines(x + 12, y + 37, lines, "soft")
    return y + height


def _branch(board: Board, x: float, y: float, width: float, arm: Branch) -> float:
    lines = fit(arm.name, width - 43)
    height = 28 + 16 * len(lines)
    board.rect(x, y, width, 5, "treated" if arm.treated else "comparisonfill")
    board.rect(x, y + 5, width, height, "box")
    (board.circle if arm.treated else board.diamond)(x + 18, y + 22)
    board.text(x + 31, y + 26.5, arm.people, "bold")
    board.lines(x + 31, y + 42, lines, "soft")
    return beneath(board, x, y + 5 + height, width, arm.below)


def beneath(board: Board, x: float, y: float, width: float, boxes: Sequence[tuple[str, str]]) -> float:
    """Open boxes one under another, each with an arrow from the one above; returns where they end."""
    for content in boxes:
        board.line(x + width / 2, y, x + width / 2, y + 18)
        board.arrow(x + width / 2, y + 22)
        y = box(board, x, y + 22, width, content, "openbox")
    return y


def _wide(drawn: _Parts) -> Board:
    start, steps, end, arms, below = drawn
    board = Board(WIDE)
    y = box(board, 0, 0, 400, start)
    for step in steps:
        lines = fit(step.says, WIDE - 534)
        middle = y + 21
        board.line(200, middle, 482, middle)
        board.arrow(488, middle, down=False)
        board.text(190, middle + 4.5, f"{step.remain} left", "soft", "end")
        board.text(524, middle + 4.5, minus(step.left_out), "bold", "end")
        foot = board.lines(534, middle + 4.5, lines, "soft") - 9
        board.line(200, y, 200, foot)
        y = foot
    if steps:
        board.line(200, y, 200, y + 14)
        board.arrow(200, y + 20)
        y = box(board, 0, y + 20, 400, end)
    y = _fork(board, y, arms) if arms else beneath(board, 0, y, 400, below)
    board.height = y + 2
    return board


def _fork(board: Board, y: float, arms: Sequence[Branch]) -> float:
    board.line(200, y, 200, y + 20)
    board.line(200, y + 20, 664, y + 20)
    ends = []
    for x, arm in zip((0, 464), arms, strict=False):
        board.line(x + 200, y + 20, x + 200, y + 34)
        board.arrow(x + 200, y + 38)
        ends.append(_branch(board, x, y + 38, 400, arm))
    return max(ends)


def _narrow(drawn: _Parts) -> Board:
    start, steps, end, arms, below = drawn
    board = Board(NARROW)
    y = box(board, 0, 0, NARROW, start)
    for step in steps:
        lines = fit(step.says, NARROW - 96)
        middle = y + 20
        board.line(16, middle, 36, middle)
        board.arrow(40, middle, down=False)
        board.text(84, middle + 4.5, minus(step.left_out), "bold", "end")
        after = board.lines(94, middle + 4.5, lines, "soft")
        board.text(94, after, f"{step.remain} left", "soft")
        board.line(16, y, 16, after + 4)
        y = after + 4
    if steps:
        board.line(16, y, 16, y + 12)
        board.arrow(16, y + 16)
        y = box(board, 0, y + 16, NARROW, end)
    for arm in arms:
        y = _branch(board, 0, y + 16, NARROW, arm)
    y = y if arms else beneath(board, 0, y, NARROW, below)
    board.height = y + 2
    return board


def minus(count: str) -> str:
    """A count of those who left, with its sign."""
    return f"\u2212{count}" if count[:1].isdigit() and count != "0" else count
