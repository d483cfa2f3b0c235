"""The flow of several groups side by side: the same rules, and how many of each group are left at each step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evalkit.report.figures.flow import Step, box, minus
from evalkit.report.figures.svg import NARROW, WIDE, Board, Drawn, fit
from evalkit.words import listed

LEFT = 350  # width of the part that says the rules, in the wide drawing


@dataclass(frozen=True)
class Group:
    """One group: its name, its role ("treated", "comparison", "beside"), its count at the start and after each step."""

    name: str
    role: str
    counts: Sequence[str]


@dataclass(frozen=True)
class Below:
    """A set beneath the end: its count and words, how many of the one above are not in it, and its count by group."""

    people: str
    says: str
    lost: str
    counts: Sequence[str]


@dataclass(frozen=True)
class Flow:
    """All that is drawn: first box, steps, last box, groups (counts: start, steps, end) and sets beneath."""

    start: tuple[str, str]
    steps: Sequence[Step]
    end: tuple[str, str]
    groups: Sequence[Group]
    sets: Sequence[Below] = ()


def flow_of_groups(found: Flow) -> Drawn:
    """Draw the groups of a cohort side by side, step by step.

    Parameters
    ----------
    found : Flow
        Its counts already protected.

    Returns
    -------
    Drawn
        Wide and narrow drawing, and the counts in words.
    """
    alt = _words(found)
    return Drawn(_wide(found).svg(alt), _narrow(found).svg(alt), alt)


def _words(found: Flow) -> str:
    parts = [f"{found.start[0]} {found.start[1]} ({_by_group(found.groups, 0)})"]
    parts += [
        f"{step.says}: {step.left_out} left out, {step.remain} remain ({_by_group(found.groups, place)})"
        for place, step in enumerate(found.steps, start=1)
    ]
    parts.append(f"{found.end[0]} {found.end[1]} ({_by_group(found.groups, -1)})")
    for one in found.sets:
        each = [f"{n} {group.name}" for group, n in zip(found.groups, one.counts, strict=True) if n]
        parts.append(f"{one.people} {one.says}" + (f" ({listed(each)})" if each else ""))
    return f"Cohort flow by group. {'; '.join(parts)}."


def _by_group(groups: Sequence[Group], place: int) -> str:
    return listed([f"{group.counts[place]} {group.name}" for group in groups])


def _centres(groups: Sequence[Group], start: float, width: float) -> list[float]:
    each = (width - start) / len(groups)
    return [start + each * (place + 0.5) for place in range(len(groups))]


def _mark(board: Board, group: Group, x: float, y: float) -> None:
    if group.role == "beside":
        board.square(x, y, "outlined")
    else:
        (board.circle if group.role == "treated" else board.diamond)(x, y)


def _heads(board: Board, groups: Sequence[Group], xs: Sequence[float], each: float) -> float:
    """Marks and names over the columns; returns where they end."""
    names = [fit(group.name, each - 14) for group in groups]
    for group, x, lines in zip(groups, xs, names, strict=True):
        _mark(board, group, x, 6)
        board.lines(x, 28, lines, "soft", "middle")
    return 28 + 16 * max(len(lines) for lines in names)


def _counts(board: Board, xs: Sequence[float], y: float, counts: Sequence[str], css: str = "halo") -> None:
    for x, count in zip(xs, counts, strict=True):
        board.text(x, y, count, css, "middle")


def _ends(board: Board, found: Flow, xs: Sequence[float], y: float, each: float) -> None:
    """The last box of each group, its bar in the group's colour."""
    bars = {"treated": "treated", "comparison": "comparisonfill", "beside": "edge"}
    for group, x in zip(found.groups, xs, strict=True):
        wide = min(each - 10, 120)
        board.rect(x - wide / 2, y, wide, 5, bars[group.role])
        board.rect(x - wide / 2, y + 5, wide, 30, "box")
        board.text(x, y + 25, group.counts[-1], "bold", "middle")


def _wide(found: Flow) -> Board:
    board = Board(WIDE)
    each = (WIDE - LEFT - 20) / len(found.groups)
    xs = _centres(found.groups, LEFT + 20, WIDE)
    top = _heads(board, found.groups, xs, each)
    rails = len(board.parts)
    foot = box(board, 0, 0, LEFT, found.start)
    y = max(foot, top + 14)
    board.line(16, foot, 16, y)
    _counts(board, xs, top + 6, [group.counts[0] for group in found.groups])
    for place, step in enumerate(found.steps, start=1):
        y = _step(board, step, y, LEFT)
        _counts(board, xs, y - 8, [group.counts[place] for group in found.groups])
    board.line(16, y, 16, y + 12)
    board.arrow(16, y + 16)
    end = y + 16
    y = box(board, 0, end, LEFT, found.end)
    _ends(board, found, xs, end + 6, each)
    _rails(board, xs, (top + 12, end), rails)
    for one in found.sets:
        y = _set(board, one, y, LEFT, xs)
    board.height = y + 2
    return board


def _rails(board: Board, xs: Sequence[float], ends: tuple[float, float], place: int) -> None:
    """The lines from the heads to the last boxes, drawn under the counts."""
    lines = Board(board.width)
    for x in xs:
        lines.line(x, ends[0], x, ends[1], "grid")
        lines.arrow(x, ends[1] + 5)
    board.parts[place:place] = lines.parts


def _step(board: Board, step: Step, y: float, width: float) -> float:
    """One rule, as the narrow flow writes it; returns where it ends."""
    middle = y + 20
    board.line(16, middle, 36, middle)
    board.arrow(40, middle, down=False)
    board.text(84, middle + 4.5, minus(step.left_out), "bold", "end")
    after = board.lines(94, middle + 4.5, fit(step.says, width - 96), "soft")
    board.text(94, after, f"{step.remain} left", "soft")
    board.line(16, y, 16, after + 4)
    return after + 4


def _set(board: Board, one: Below, y: float, width: float, xs: Sequence[float]) -> float:
    """A set beneath the end: its box, how many are not in it, its count by group."""
    board.line(16, y, 16, y + 24)
    board.arrow(16, y + 28)
    if one.lost:
        board.text(28, y + 20, f"{minus(one.lost)} not among them", "soft")
    below = box(board, 0, y + 28, width, (one.people, one.says), "openbox")
    _counts(board, xs, y + 52, one.counts, "")
    return below


def _narrow(found: Flow) -> Board:
    board = Board(NARROW)
    each = NARROW / len(found.groups)
    xs = _centres(found.groups, 0, NARROW)
    y = _heads(board, found.groups, xs, each) + 4
    y = box(board, 0, y, NARROW, found.start)
    _counts(board, xs, y + 18, [group.counts[0] for group in found.groups])
    board.line(16, y, 16, y + 24)
    y += 24
    for place, step in enumerate(found.steps, start=1):
        y = _step(board, step, y, NARROW) + 18
        board.line(16, y - 18, 16, y + 8)
        _counts(board, xs, y, [group.counts[place] for group in found.groups])
        y += 8
    board.line(16, y, 16, y + 10)
    board.arrow(16, y + 14)
    y = box(board, 0, y + 14, NARROW, found.end)
    _ends(board, found, xs, y + 8, each)
    y += 44
    for one in found.sets:
        y = _set(board, one, y, NARROW, []) if not any(one.counts) else _narrow_set(board, one, y, xs)
    board.height = y + 4
    return board


def _narrow_set(board: Board, one: Below, y: float, xs: Sequence[float]) -> float:
    below = box(board, 0, y + 14, NARROW, (one.people, one.says), "openbox")
    _counts(board, xs, below + 18, one.counts, "")
    return below + 22
