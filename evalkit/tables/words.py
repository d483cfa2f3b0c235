"""How rows are named in a message: the first few and a count, never a person."""

from __future__ import annotations

from collections.abc import Sequence

from evalkit.words import listed, number


def rows_listed(rows: Sequence[int], shown: int = 3) -> str:
    """Name the first few rows of a list.

    Parameters
    ----------
    rows : sequence of int
        Line numbers of a file; the header is line 1.
    shown : int
        How many are named.

    Returns
    -------
    str
        "row 5", "rows 5 and 9", "rows 5, 9, 12 and 41 more".
    """
    first = [str(row) for row in rows[:shown]]
    if len(rows) == 1:
        return f"row {first[0]}"
    more = [f"{number(len(rows) - shown, 0)} more"] if len(rows) > shown else []
    return f"rows {listed([*first, *more])}"


def quoted(value: object) -> str:
    """Quote a cell of a table that is not about persons, short."""
    text = str(value)
    return f'"{text}"' if len(text) <= 24 else f'"{text[:21]}..."'


def shape(value: object) -> str:
    """The shape of a cell of a person's row, which is never quoted: "aaaa", "99/99/9999"."""
    text = "".join("9" if c.isdigit() else "a" if c.isalpha() else c for c in str(value))
    return f'"{text}"' if len(text) <= 24 else f'"{text[:21]}..."'
