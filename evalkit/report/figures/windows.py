"""Windows around the index date: which days each rule looks at, and whether any lie in the future."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from evalkit.report.figures.svg import NARROW, WIDE, Board, Drawn, Scale, fit
from evalkit.words import number

DAYS = {"days": 1.0, "months": 365.25 / 12}
HEADS = {
    "include": "Rules that let people in",
    "exclude": "Rules that keep people out",
    "group": "Groups",
    "column": "Characteristics",
    "set": "Analysis sets",
}
YEAR = 365.25


@dataclass(frozen=True)
class Window:
    """One window: its kind, the sentence of its rule, the table, the unit and its ends (None: no limit)."""

    kind: str
    says: str
    table: str
    unit: str
    low: float | None
    high: float | None

    @property
    def ahead(self) -> bool:
        """Whether a rule that decides who is counted looks past the index date."""
        return self.kind in ("include", "exclude", "group") and (self.high is None or self.high > 0)

    def told(self) -> str:
        """The window in words: "365 days before to the day itself"."""
        if self.low is None and self.high is None:
            return f"every row of {self.table}, whenever"
        return f"{self._end(self.low, 'from the first row')} to {self._end(self.high, 'the last row')}"

    def ends(self, reach: tuple[float, float]) -> tuple[float, float]:
        """Its ends in days; those of the drawing where there is no limit."""
        size = DAYS.get(self.unit, 1.0)
        return (
            reach[0] if self.low is None else self.low * size,
            reach[1] if self.high is None else self.high * size,
        )

    def _end(self, at: float | None, otherwise: str) -> str:
        if at is None:
            return otherwise
        if at == 0:
            return "day 0"
        unit = self.unit or "days"
        unit = unit.removesuffix("s") if abs(at) == 1 else unit
        return f"{number(abs(at), 0)} {unit} {'before' if at < 0 else 'after'}"


def windows(rows: Sequence[Window]) -> Drawn:
    """Draw each window as a bar on one axis of days around the index date.

    Parameters
    ----------
    rows : sequence of Window
        At least one.

    Returns
    -------
    Drawn
        Wide and narrow drawing, and the windows in words. What lies after day 0 stands on shaded ground and is drawn
        in ink; a rule for eligibility that looks there is marked in words.
    """
    ordered = sorted(rows, key=lambda row: list(HEADS).index(row.kind) if row.kind in HEADS else 9)
    each = [f"{row.says} ({row.told()}{'; looks ahead' if row.ahead else ''})" for row in ordered]
    alt = f"Windows around the index date, day 0. {'; '.join(each)}."
    return Drawn(_draw(ordered, WIDE).svg(alt), _draw(ordered, NARROW).svg(alt), alt)


def _reach(rows: Sequence[Window]) -> tuple[float, float]:
    ends = [end for row in rows for end in row.ends((0.0, 0.0))]
    low, high = min([*ends, -30.0]), max([*ends, 30.0])
    room = max((high - low) * 0.08, 15.0)
    return low - room, high + room


def _draw(rows: Sequence[Window], width: int) -> Board:
    board = Board(width)
    wide = width == WIDE
    reach = _reach(rows)
    scale = Scale(*reach, 330 if wide else 4, width - 4)
    top = 24.0
    placed: list[tuple[Window | None, str, float]] = []
    y, before = top + 8, ""
    for row in rows:
        if row.kind != before:
            placed.append((None, HEADS.get(row.kind, row.kind), y))
            y += 20
        placed.append((row, "", y))
        y += _height(row, wide)
        before = row.kind
    board.rect(scale(0), top, scale(reach[1]) - scale(0), y - top, "markfill")
    _axis(board, scale, reach, (top, y))
    for found, head, at in placed:
        if found is None:
            board.text(0, at + 12, head, "bold halo")
        else:
            _bar(board, found, scale, at, wide)
    board.height = y + 22
    return board


def _lines(row: Window, wide: bool) -> list[str]:
    return fit(row.says, 310 if wide else NARROW)


def _height(row: Window, wide: bool) -> float:
    lines = len(_lines(row, wide))
    return 16.0 * (lines + 1) + 14 if wide else 16.0 * (lines + 1) + 26


def _bar(board: Board, row: Window, scale: Scale, y: float, wide: bool) -> None:
    """The rule in words, its window in words, and its bar: grey before day 0, ink after it."""
    after = board.lines(0, y + 12, _lines(row, wide), "" if wide else "halo")
    ahead = ": looks ahead" if row.ahead else ""
    board.text(0, after, f"{row.told()}{ahead}", ("bold" if row.ahead else "soft") + ("" if wide else " halo"))
    middle = y + 10 if wide else after + 14
    low, high = row.ends((scale.low, scale.high))
    if low == high:
        board.square(scale(low), middle, "solid" if low > 0 else "edge")
        return
    for left, right, css in ((low, min(high, 0.0), "edge"), (max(low, 0.0), high, "solid")):
        if right > left:
            board.rect(scale(left), middle - 5, scale(right) - scale(left), 10, css)
    for end, limit, way in ((low, row.low, 1), (high, row.high, -1)):
        if limit is None:
            _open(board, scale(end), middle, way)


def _open(board: Board, x: float, y: float, way: int) -> None:
    """A window without a limit: its end is cut as an arrow."""
    board.path(f"M{x - way:.1f} {y - 7:.1f}L{x + 9 * way:.1f} {y - 7:.1f}L{x - way:.1f} {y:.1f}Z", "paper")
    board.path(f"M{x - way:.1f} {y + 7:.1f}L{x + 9 * way:.1f} {y + 7:.1f}L{x - way:.1f} {y:.1f}Z", "paper")


def _axis(board: Board, scale: Scale, reach: tuple[float, float], ends: tuple[float, float]) -> None:
    """Day 0, and ticks in years or in months."""
    span = reach[1] - reach[0]
    step = next((s for s in (1, 3, 6, 12, 24, 60, 120) if span / (s * YEAR / 12) <= 7), 240)
    size = step * YEAR / 12
    for place in range(math.ceil(reach[0] / size), math.floor(reach[1] / size) + 1):
        x = scale(place * size)
        board.line(x, ends[0], x, ends[1], "zero" if place == 0 else "grid")
        board.text(x, ends[1] + 16, _tick(place * step), "soft", "middle")
    board.text(min(scale(0) - 8, board.width - 90), 14, "before", "soft", "end")
    narrow = board.width - scale(0) < 90
    board.text(board.width if narrow else scale(0) + 8, 14, "after day 0", "soft", "end" if narrow else "start")


def _tick(months: int) -> str:
    if months == 0:
        return "day 0"
    size = abs(months)
    text = f"{number(size / 12, 0)} y" if size % 12 == 0 else f"{size} m"
    return f"\u2212{text}" if months < 0 else f"+{text}"
