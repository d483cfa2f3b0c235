"""Plain tables as evaluators bring them: columns filled in, words checked against a list, amounts as whole pennies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from evalkit.contract.pennies import in_pennies
from evalkit.errors import did_you_mean

PENNIES = 100
FIRST_LINE = 2  # the header of a csv file is line 1
LISTED = 5


def filled(table: pd.DataFrame, texts: Sequence[str], others: Sequence[str] = ()) -> pd.DataFrame:
    """Give a table every column it may have.

    Parameters
    ----------
    table : DataFrame
        Optional columns may be absent.
    texts, others : sequence of str
        Columns of text ("" where empty), and of anything else (missing where empty).

    Returns
    -------
    DataFrame
        Those columns only, rows numbered from 0.
    """
    blank = pd.Series([None] * len(table), index=table.index, dtype=object)
    columns = {name: words_of(table.get(name, blank)) for name in texts}
    columns |= {name: table.get(name, blank) for name in others}
    return pd.DataFrame(columns, index=table.index).reset_index(drop=True)


def words_of(column: pd.Series) -> pd.Series:
    """Text without outer blanks, "" where missing; whole numbers (years) without decimals."""
    return column.map(_word).astype("str")


def _word(value: object) -> str:
    if value is None or value is pd.NaT or value is pd.NA or value != value:
        return ""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()


def lines(wrong: pd.Series) -> str:
    """Write where rows stand: "line 4", or "3 rows, lines 2, 5, 9", as the lines of a csv file.

    Parameters
    ----------
    wrong : Series of bool
        In the order of the rows.

    Returns
    -------
    str
        At most five are listed.
    """
    places = [int(place) + FIRST_LINE for place in np.flatnonzero(wrong.to_numpy(dtype=bool))]
    shown = ", ".join(str(place) for place in places[:LISTED]) + (", ..." if len(places) > LISTED else "")
    return f"line {shown}" if len(places) == 1 else f"{len(places)} rows, lines {shown}"


def absent(table: pd.DataFrame, needed: Iterable[str]) -> list[str]:
    """Say which columns a table lacks.

    Parameters
    ----------
    table : DataFrame
        As it came.
    needed : iterable of str
        Columns without which nothing can be said.

    Returns
    -------
    list of str
        One sentence for each, with the name that may have been meant.
    """
    there = [str(name) for name in table.columns]
    return [f'column "{name}" is missing. {did_you_mean(name, there)}' for name in needed if name not in there]


def unknown(column: pd.Series, known: Sequence[str], name: str) -> list[str]:
    """Say which words of a column are not known; empty cells are no words.

    Parameters
    ----------
    column : Series of str
        Normalised as the known words are.
    known : sequence of str
        What would have been understood.
    name : str
        What the column is called.

    Returns
    -------
    list of str
        One sentence for each word, with its lines and the nearest known one.
    """
    strange = column[(column != "") & ~column.isin(known)]
    return [
        f'{name} "{word}" ({lines(column == word)}) is not known. {_near(word, known)}' for word in strange.unique()
    ]


def _near(word: str, known: Sequence[str]) -> str:
    hint = did_you_mean(word, known)
    return hint if hint.startswith("Did") else f"Known: {'; '.join(known)}."


def pennies(column: pd.Series, name: str, problems: list[str], below_zero: bool = False) -> pd.Series:
    """Read amounts as whole pennies; what cannot be read is added to the problems.

    Parameters
    ----------
    column : Series
        Numbers, or text of plain numbers.
    name : str
        What the column is called.
    problems : list of str
        Grows by what is wrong.
    below_zero : bool
        Whether an amount may be negative.

    Returns
    -------
    Series of float
        Whole numbers of pennies (each amount rounded once); missing where there is none.
    """
    numbers = pd.to_numeric(column, errors="coerce").astype(float)
    numbers = numbers.where(np.isfinite(numbers))
    given = column.map(_word) != ""
    if (bad := numbers.isna() & given).any():
        first = column[bad].iloc[0]
        problems.append(
            f'{name} "{first}" is not a plain number ({lines(bad)}). Write amounts as 1250.50: no currency sign, '
            "no thousands separator, no words."
        )
    if not below_zero and (bad := numbers < 0).any():
        problems.append(f"{name} is negative ({lines(bad)}). Write what was spent as an amount above zero.")
    whole = pd.Series(in_pennies(numbers.to_numpy()), index=numbers.index, dtype=float)  # halves up, as the ledger is
    return whole.where(numbers.notna())


def total(column: pd.Series) -> float:
    """The sum of pennies in whole units of the currency; NaN where nothing is known."""
    known = column.dropna()
    return float("nan") if known.empty else int(known.sum()) / PENNIES


def one_currency(column: pd.Series, currency: str) -> list[str]:
    """Say that amounts are in more than one currency, or in another than the study's.

    Parameters
    ----------
    column : Series of str
        ISO 4217 codes; empty is the study's.
    currency : str
        The study's.

    Returns
    -------
    list of str
        Empty where all agree.
    """
    codes = column.str.upper()
    other = sorted({*codes} - {"", currency.upper()})
    if not other:
        return []
    where = lines(codes.isin(other))
    return [
        f"amounts are in {' and '.join(other)} ({where}) and the study is in {currency}: two currencies are never "
        "added. Convert them at a dated rate and say so in source."
    ]
