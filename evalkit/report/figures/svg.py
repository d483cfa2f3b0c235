"""A small drawing board: lines, marks and text in SVG, a linear scale with round ticks.

Colours are never written here: every mark has a class, and the page's style sheet gives it a colour in the light,
in the dark and on paper.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from evalkit.report.html import esc
from evalkit.report.look import in_notebook

WIDE, HALF, NARROW = 864, 414, 350
LETTER = 6.6  # mean width of a letter of 13 px in the page's sans


@dataclass(frozen=True)
class Drawn:
    """A figure drawn: wide and narrow SVG and the words that give its numbers."""

    wide: str
    narrow: str
    alt: str

    def _repr_html_(self) -> str:
        """The drawing in a notebook, with the style that gives its classes their colours."""
        if not self.narrow:
            return in_notebook(self.wide)
        return in_notebook(f'<div class="ek-wide">{self.wide}</div><div class="ek-narrow">{self.narrow}</div>')


def fit(text: str, width: float, letter: float = LETTER) -> list[str]:
    """Break text into lines that fit a width in px."""
    lines, room = [""], max(int(width / letter), 6)
    for word in str(text).split():
        joined = f"{lines[-1]} {word}".strip()
        if len(joined) > room and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = joined
    return lines


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers that cover an interval, about so many of them."""
    if high == low:
        low, high = low - (abs(low) or 1.0) / 2, high + (abs(high) or 1.0) / 2
    span = high - low
    raw = span / max(about, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if raw <= factor * power * 1.0001)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(index * step, 10) for index in range(first, last + 1)]


def tick_digits(values: Iterable[float]) -> int:
    """The fewest decimals with which all ticks differ."""
    values = list(values)
    for digits in range(5):
        if all(abs(round(value, digits) - value) < 1e-9 for value in values):
            return digits
    return 5


@dataclass(frozen=True)
class Scale:
    """A linear scale from numbers to px."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The px at which a number stands."""
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return self.start + share * (self.end - self.start)


@dataclass
class Board:
    """A drawing being made; `svg` closes it."""

    width: float
    height: float = 0
    parts: list[str] = field(default_factory=list)

    def line(self, x1: float, y1: float, x2: float, y2: float, css: str = "axis") -> None:
        """A straight line."""
        self.path(f"M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}", css)

    def path(self, data: str, css: str) -> None:
        """Any path."""
        self.parts.append(f'<path class="{css}" d="{data}"/>')

    def rect(self, x: float, y: float, width: float, height: float, css: str) -> None:
        """A rectangle."""
        self.parts.append(
            f'<rect class="{css}" x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{height:.1f}"/>'
        )

    def circle(self, x: float, y: float, css: str = "treated", size: float = 4.5) -> None:
        """The treated arm's mark, or a hollow one for "before"."""
        self.parts.append(f'<circle class="{css}" cx="{x:.1f}" cy="{y:.1f}" r="{size}"/>')

    def diamond(self, x: float, y: float, css: str = "comparison", half: float = 5.5, tall: float = 5.5) -> None:
        """The comparison arm's mark, or an index whose width is its interval."""
        self.path(f"M{x - half:.1f} {y:.1f}L{x:.1f} {y - tall:.1f}L{x + half:.1f} {y:.1f}L{x:.1f} {y + tall:.1f}Z", css)

    def square(self, x: float, y: float, css: str = "solid", size: float = 9) -> None:
        """The mark of an estimate, or of "after"."""
        self.rect(x - size / 2, y - size / 2, size, size, css)

    def arrow(self, x: float, y: float, down: bool = True) -> None:
        """The head of an arrow that ends here."""
        tip = f"M{x - 4:.1f} {y - 6:.1f}L{x:.1f} {y:.1f}L{x + 4:.1f} {y - 6:.1f}Z"
        side = f"M{x - 6:.1f} {y - 4:.1f}L{x:.1f} {y:.1f}L{x - 6:.1f} {y + 4:.1f}Z"
        self.path(tip if down else side, "edge")

    def text(self, x: float, y: float, words: str, css: str = "", anchor: str = "start") -> None:
        """One line of text; y is its baseline."""
        style = f' class="{css}"' if css else ""
        side = f' text-anchor="{anchor}"' if anchor != "start" else ""
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}"{style}{side}>{esc(words)}</text>')

    def lines(self, x: float, y: float, words: Iterable[str], css: str = "", anchor: str = "start") -> float:
        """Several lines of text, 16 px apart; returns the baseline after the last."""
        for line in words:
            self.text(x, y, line, css, anchor)
            y += 16
        return y

    def patterns(self, name: str) -> None:
        """Hatching ("anyway") and dots ("not known") under ids that start with a name of the figure's own."""
        self.parts.append(
            f'<defs><pattern id="{name}-anyway" width="5" height="5" '
            'patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
            f'<rect class="paper" width="5" height="5"/><rect class="hatch" width="2.2" height="5"/></pattern>'
            f'<pattern id="{name}-unknown" width="5" height="5" patternUnits="userSpaceOnUse">'
            f'<rect class="paper" width="5" height="5"/><circle class="edge" cx="2.5" cy="2.5" r="1"/></pattern></defs>'
        )

    def filled(self, x: float, y: float, width: float, height: float, kind: str, name: str) -> None:
        """A bar of kind "added", "anyway" or "unknown"."""
        if width <= 0:
            return
        if kind == "added":
            self.rect(x, y, width, height, "added")
            return
        outline = "hatched" if kind == "anyway" else "dotted"
        self.parts.append(
            f'<rect class="{outline}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" '
            f'height="{height:.1f}" fill="url(#{name}-{kind})"/>'
        )

    def svg(self, alt: str = "") -> str:
        """The drawing as one SVG element; without words for it, it is decoration and hidden from readers."""
        role = f'role="img" aria-label="{esc(alt)}"' if alt else 'aria-hidden="true" focusable="false"'
        size = f'viewBox="0 0 {self.width:g} {self.height:g}" width="{self.width:g}" height="{self.height:g}"'
        return f"<svg {size} {role}>{''.join(self.parts)}</svg>"
