"""What one repeated result is: a number as printed elsewhere, the same number as evalkit finds it, and how near."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

import pandas as pd

from evalkit import words

COLUMNS = ["paper", "what", "expected", "obtained", "difference", "tolerance", "agrees", "source"]


@dataclass(frozen=True)
class Line:
    """One number: what it is, as printed by its source, as obtained, and how far apart they may be (absolute)."""

    what: str
    expected: float
    obtained: float
    tolerance: float
    source: str

    @property
    def agrees(self) -> bool:
        """Whether the two are as near as they should be; two missing numbers are not."""
        return bool(abs(self.obtained - self.expected) <= self.tolerance)


@dataclass(frozen=True)
class Paper:
    """One published study: what it is, whose data, how to get them where they may not be shipped, and its lines.

    Parameters
    ----------
    id : str
        A stable word.
    title : str
        In a line: what is repeated.
    reference : str
        Author, year, journal.
    run : callable
        From the data (None where no data are needed) to lines.
    file : str
        The data's file name; empty where no data are needed.
    licence : str
        Of the data.
    shipped : bool
        Whether the file may stand in this project.
    obtain : str
        How to get the file where it may not.
    """

    id: str
    title: str
    reference: str
    run: Callable[[pd.DataFrame], list[Line]]
    file: str = ""
    licence: str = ""
    shipped: bool = True
    obtain: str = ""


@dataclass(frozen=True, eq=False)
class Validation:
    """All repeated results.

    Parameters
    ----------
    table : DataFrame
        A row per number: paper (id), what, expected, obtained, difference, tolerance, agrees, source.
    papers : dict of str to Paper
        Those that were repeated, by id.
    absent : dict of str to Paper
        Those whose data were not found.
    """

    table: pd.DataFrame
    papers: dict[str, Paper]
    absent: dict[str, Paper]

    @property
    def agrees(self) -> bool:
        """Whether every number that could be repeated agrees."""
        return bool(self.table["agrees"].all())

    @property
    def says(self) -> str:
        """The result in one sentence."""
        n, good = len(self.table), int(self.table["agrees"].sum())
        found = f"{good} of {n} numbers from {len(self.papers)} sources agree to the stated tolerance"
        missing = f"; the data of {len(self.absent)} more are not here" if self.absent else ""
        return f"{found}{missing}."

    def lines(self, paper: str) -> pd.DataFrame:
        """The rows of one paper.

        Parameters
        ----------
        paper : str
            Its id.

        Returns
        -------
        DataFrame
            In the order of the paper.
        """
        return self.table[self.table["paper"] == paper]

    def _repr_html_(self) -> str:
        """One line for each paper."""
        rows = []
        for name, paper in self.papers.items():
            mine = self.lines(name)
            rows.append({"paper": paper.reference, "numbers": len(mine), "agree": int(mine["agrees"].sum())})
        return f"<p>{escape(self.says)}</p>" + pd.DataFrame(rows).to_html(index=False, border=0)

    def __repr__(self) -> str:
        return f"Validation({self.says})"


def printed(value: float, tolerance: float) -> str:
    """A number with the digits that its tolerance gives meaning to.

    Parameters
    ----------
    value : float
        The number.
    tolerance : float
        How far it may be off.

    Returns
    -------
    str
        0.1331 for 0.13312 within 0.001.
    """
    if not math.isfinite(value):
        return words.NOT_AVAILABLE
    if tolerance == 0:  # a count, or a yes or no
        digits = 0 if float(value).is_integer() else 4
    else:
        digits = min(max(1 - math.floor(math.log10(tolerance)), 0), 8) if tolerance < 1 else 0
    return words.number(value, digits)
