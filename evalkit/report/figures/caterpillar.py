"""Services beside each other: shrunken estimates with intervals, sorted, against the line of all services."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from evalkit.report.figures.layout import hidden, known, nothing, room
from evalkit.report.figures.svg import NARROW, WIDE, Board, Drawn, Scale, fit, tick_digits, ticks
from evalkit.words import interval, number

NAME, COUNT = 210.0, 262.0


@dataclass(frozen=True)
class Service:
    """One service: its name, its estimate with interval, and its protected n (a number, or "[c]")."""

    name: str
    estimate: float
    low: float
    high: float
    n: int | str


@dataclass(frozen=True)
class Overall:
    """The line services are read against: its value and words, the heads of the columns, decimals and better side."""

    at: float
    label: str = "all services"
    first: str = "Service"
    printed: str = "Estimate, 95% interval"
    better: str = ""
    digits: int = 1


def caterpillar(services: Sequence[Service], overall: Overall) -> Drawn:
    """Draw services by their shrunken estimates, highest first.

    Parameters
    ----------
    services : sequence of Service
        Those whose n is hidden are left out, their number is said below.
    overall : Overall
        The line, in ink. A mark is filled where the interval excludes it, hollow where it does not.

    Returns
    -------
    Drawn
        Wide drawing; narrow one with names above the rows; a sentence where every n is hidden.
    """
    shown = sorted((s for s in services if known(s.estimate) and not hidden(s.n)), key=lambda s: -s.estimate)
    note = left_out(len(services) - len(shown))
    if not shown:
        return nothing(f"No service may be shown: too few people in each. {note}".strip())
    alt = _words(shown, overall, note)
    return Drawn(_wide(shown, overall, note).svg(alt), _narrow(shown, overall, note).svg(alt), alt)


def left_out(count: int) -> str:
    """The sentence that says how many services are not drawn."""
    if not count:
        return ""
    return f"{count} service{'s' if count > 1 else ''} not shown: too few people, or no estimate."


def _scale(services: Sequence[Service], overall: Overall, ends: tuple[float, float]) -> tuple[Scale, list[float]]:
    values = [v for s in services for v in (s.estimate, s.low, s.high) if math.isfinite(v)]
    shown = ticks(min([*values, overall.at]), max([*values, overall.at]), 5 if ends[1] > NARROW else 4)
    return Scale(shown[0], shown[-1], *ends), shown


def _printed(service: Service, overall: Overall) -> str:
    between = interval(service.low, service.high, overall.digits)
    return f"{number(service.estimate, overall.digits)} ({between})"


def _wide(services: Sequence[Service], overall: Overall, note: str) -> Board:
    board = Board(WIDE)
    widest = max(room(_printed(service, overall)) for service in services)
    scale, shown = _scale(services, overall, (COUNT + 26, WIDE - max(widest, room(overall.printed) * 1.06) - 22))
    board.text(0, 13, overall.first, "soft bold")
    board.text(COUNT, 13, "n", "soft bold", "end")
    board.text(WIDE, 13, overall.printed, "soft bold", "end")
    y, rows = 58.0, []
    for service in services:
        lines = fit(service.name, NAME)
        rows.append((service, lines, y))
        y += 22 + 16 * (len(lines) - 1)
    _axis(board, (scale, shown), overall, (40, y - 12))
    for service, lines, at in rows:
        board.lines(0, at + 4.5, lines)
        board.text(COUNT, at + 4.5, _n(service), "", "end")
        board.text(WIDE, at + 4.5, _printed(service, overall), "", "end")
        _row(board, service, scale, at, overall.at)
    return _foot(board, note, y + 6, overall)


def _narrow(services: Sequence[Service], overall: Overall, note: str) -> Board:
    board = Board(NARROW)
    scale, shown = _scale(services, overall, (22, NARROW - 22))
    y, rows = 48.0, []
    for service in services:
        n = f"n {_n(service)}"
        lines = fit(service.name, NARROW - room(n) - 12)
        rows.append((service, n, lines, y))
        y += 58 + 16 * (len(lines) - 1)
    _axis(board, (scale, shown), overall, (20, y - 14))
    for service, n, lines, top in rows:
        at = board.lines(0, top, lines, "halo")
        board.text(NARROW, top, n, "soft halo", "end")
        board.text(0, at, _printed(service, overall), "soft halo")
        _row(board, service, scale, at + 15, overall.at)
    return _foot(board, note, y + 4, overall)


def _n(service: Service) -> str:
    return number(float(service.n), 0) if known(service.n) else str(service.n)


def _axis(board: Board, axis: tuple[Scale, list[float]], overall: Overall, span: tuple[float, float]) -> None:
    """The grid, its numbers below, and the line of all services with its words above."""
    (scale, shown), (top, bottom) = axis, span
    for tick in shown:
        board.line(scale(tick), top, scale(tick), bottom, "grid")
        board.text(scale(tick), bottom + 16, number(tick, tick_digits(shown)), "soft", "middle")
    words = f"{overall.label} {number(overall.at, overall.digits)}"
    half = room(words) / 2
    middle = min(max(scale(overall.at), half), board.width - half)
    board.text(middle, top - 6, words, "halo", "middle")
    board.line(scale(overall.at), top, scale(overall.at), bottom, "zero")


def _row(board: Board, service: Service, scale: Scale, y: float, against: float) -> None:
    if not math.isnan(service.low) and not math.isnan(service.high):
        # An interval without a bound runs to the edge of the scale.
        low, high = (min(max(at, scale.low), scale.high) for at in (service.low, service.high))
        board.line(scale(low), y, scale(high), y, "inkline")
    apart = service.low > against or service.high < against
    board.circle(scale(service.estimate), y, "solid" if apart else "hollow", 4.5)


def _foot(board: Board, note: str, y: float, overall: Overall) -> Board:
    """The words under the axis: which side is better, what the marks mean, who is not shown."""
    side = f"{overall.better} is better. " if overall.better else ""
    words = f"{side}Filled: the interval excludes the line. Hollow: it does not. {note}".strip()
    board.height = board.lines(0, y + 30, fit(words[:1].upper() + words[1:], board.width), "soft") - 8
    return board


def _words(services: Sequence[Service], overall: Overall, note: str) -> str:
    rows = "; ".join(f"{s.name} {_printed(s, overall)}, n {_n(s)}" for s in services)
    line = f"{overall.label} {number(overall.at, overall.digits)}"
    return f"{overall.printed} by {overall.first.lower()}, line: {line}. {rows}. {note}".strip()
