"""Overlap: how likely each arm was to be treated, band by band, the treated above the line and the comparison below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evalkit.report.figures.layout import Item, key, nothing
from evalkit.report.figures.svg import NARROW, WIDE, Board, Drawn, Scale, fit
from evalkit.words import percent

HALF_TALL = 96.0


@dataclass(frozen=True)
class Band:
    """People whose chance of being treated lies between two numbers: the share of each arm, None where hidden."""

    low: float
    high: float
    treated: float | None
    comparison: float | None


def overlap(bands: Sequence[Band], names: tuple[str, str], words: str) -> Drawn:
    """Draw the shares of both arms by band of the chance of being treated.

    Parameters
    ----------
    bands : sequence of Band
        In ascending order; shares protected.
    names : (str, str)
        Of the treated and the comparison.
    words : str
        Of the axis.

    Returns
    -------
    Drawn
        Wide and narrow drawing; a sentence where there is no band.
    """
    if not bands:
        return nothing("No band of scores may be shown: too few people.")
    alt = _told(bands, names, words)
    return Drawn(_draw(bands, names, words, WIDE).svg(alt), _draw(bands, names, words, NARROW).svg(alt), alt)


def _draw(bands: Sequence[Band], names: tuple[str, str], words: str, width: int) -> Board:
    board = Board(width)
    items: list[Item] = [
        ("fill", "treatedarea", f"{names[0]} (above)"),
        ("fill", "comparisonarea", f"{names[1]} (below)"),
    ]
    top = key(board, items, 0, board.lines(0, 13, fit(words, width), "soft") + 4, width)
    across = Scale(bands[0].low, bands[-1].high, 4, width - 4)
    most = max([b.treated or 0.0 for b in bands] + [b.comparison or 0.0 for b in bands] + [0.01])
    middle = top + HALF_TALL
    tall = Scale(0, most, 0, HALF_TALL - 16)
    for band in bands:
        x, wide = across(band.low), across(band.high) - across(band.low) - 1
        one, none = tall(band.treated or 0.0), tall(band.comparison or 0.0)
        board.rect(x, middle - one, wide, one, "treatedarea")
        board.rect(x, middle, wide, none, "comparisonarea")
        if wide >= 34:
            for share, y in ((band.treated, middle - one - 5), (band.comparison, middle + none + 14)):
                board.text(x + wide / 2, y, "[c]" if share is None else percent(share, 0), "soft halo", "middle")
    board.line(0, middle, width, middle)
    foot = middle + HALF_TALL + 12
    for at in dict.fromkeys([bands[0].low, *(band.high for band in bands)]):
        board.line(across(at), middle - 3, across(at), middle + 3)
    board.text(4, foot, percent(bands[0].low, 0), "soft")
    board.text(width - 4, foot, percent(bands[-1].high, 0), "soft", "end")
    board.height = foot + 8
    return board


def _told(bands: Sequence[Band], names: tuple[str, str], words: str) -> str:
    parts = []
    for band in bands:
        shares = [
            f"{name} {'hidden' if share is None else percent(share, 0)}"
            for name, share in zip(names, (band.treated, band.comparison), strict=True)
        ]
        parts.append(f"{percent(band.low, 0)} to {percent(band.high, 0)}: {', '.join(shares)}")
    return f"{words}. {'; '.join(parts)}."
