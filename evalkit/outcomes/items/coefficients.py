"""A reliability as a noun: the coefficient, its interval, the persons behind it and the policy for missing answers."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from evalkit.errors import DataError, Flag, Level, as_list
from evalkit.outcomes.items.itemtable import complete_rows
from evalkit.words import interval, number, percent

_FEW = 30
_MANY_LOST = 0.1
_NAMES = {
    "alpha": "Cronbach's alpha",
    "omega": "Omega total",
    "icc": "Intraclass correlation ICC(A,1)",
    "retest": "Test-retest correlation",
}


@dataclass(frozen=True, eq=False)
class Reliability:
    """A reliability with its interval, the persons behind it and how missing answers were treated.

    Attributes
    ----------
    value, low, high : float
        The coefficient and its interval.
    n : int
        Persons used: complete rows listwise, rows with any answer pairwise.
    policy : {"listwise", "pairwise"}
        How missing answers were treated.
    kind : {"alpha", "omega", "icc", "retest"}
        Which coefficient.
    k : int
        Items, raters or occasions.
    n_all : int
        Rows given.
    level : float
        Of the interval.
    method : str
        How the interval was made.
    items : DataFrame or None
        alpha: by item ``r_rest`` (correlation with the sum of the other items), ``alpha_without``, ``n``; omega: by
        item ``loading``, ``uniqueness``, ``standardised``.
    standardised : float or None
        alpha of items brought to one variance.
    table : DataFrame or None
        icc: a row per form; retest: ``r``, ICC(C,1), ICC(A,1), each with standard error of measurement ``sem`` and
        ``smallest_change``.
    sem, smallest_change : float or None
        retest: from ICC(A,1), so that a shift of the level counts; in the measure's own unit.
    flags : tuple of Flag
        Rows left out, few persons, items against the rest.
    """

    value: float
    low: float
    high: float
    n: int
    policy: str
    kind: str
    k: int
    n_all: int
    level: float = 0.95
    method: str = ""
    items: pd.DataFrame | None = None
    standardised: float | None = None
    table: pd.DataFrame | None = None
    sem: float | None = None
    smallest_change: float | None = None
    flags: tuple[Flag, ...] = field(default=())

    @property
    def text(self) -> str:
        """The result as a sentence."""
        bounds = f"{percent(self.level, 0)} interval {interval(self.low, self.high, 3)}"
        what = {"icc": "raters", "retest": "occasions"}.get(self.kind, "items")
        people = f"n {number(self.n, 0)} of {number(self.n_all, 0)}, {self.k} {what}, {self.policy}"
        return f"{_NAMES[self.kind]} {number(self.value, 3)} ({bounds}; {people}; {self.method})"

    def __repr__(self) -> str:
        return "\n".join([f"Reliability({self.text})", *(f"{flag.level}: {flag.text}" for flag in self.flags)])

    def _repr_html_(self) -> str:
        tables = [table.to_html() for table in (self.items, self.table) if table is not None]
        return f"<p>{self.text}</p>{''.join(tables)}{as_list(self.flags)}"


def used_rows(values: np.ndarray, missing: str, least: int) -> tuple[np.ndarray, list[Flag]]:
    """Pick the rows that take part, and say what is to be said of the others.

    Parameters
    ----------
    values : ndarray, shape (n, k)
        NaN where missing.
    missing : {"listwise", "pairwise"}
        Complete rows, or rows with any answer.
    least : int
        How many are needed.

    Returns
    -------
    used : ndarray, shape (n_used, k)
        These rows.
    flags : list of Flag
        Rows left out, few persons.

    Raises
    ------
    DataError
        Too few rows.
    """
    whole = complete_rows(values)
    kept = whole if missing == "listwise" else ~np.isnan(values).all(axis=1)
    n, rows = int(kept.sum()), len(values)
    if n < least:
        raise DataError(
            f"items: {n} usable rows ({missing}) of {rows}; at least {least} are needed. Give more persons, or look at "
            "which item is missing so often."
        )
    flags = []
    if n < rows:
        level: Level = "caution" if n < (1 - _MANY_LOST) * rows else "note"
        text = f"Reliability rests on {percent(n / rows)} of the rows."
        flags.append(Flag("outcomes", level, text, f"{rows - n} of {rows} left out, {missing}."))
    if n < _FEW:
        text = f"Reliability rests on fewer than {_FEW} persons: its interval is wide."
        flags.append(Flag("outcomes", "caution", text, f"{n} persons."))
    return values[kept], flags
