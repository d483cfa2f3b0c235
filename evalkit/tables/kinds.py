"""From text to numbers and dates: by what every value of a column is, and by what the plan needs it to be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from evalkit.errors import DataError

Kind = Literal["text", "number", "money", "date", "share", "any"]
NOT_THERE = ("NA", "NaN", "nan", "N/A", "NULL")  # how R, Python and SQL write a missing number in a csv file
DATE_LIKE = r"^\d{4}-\d{1,2}-\d{1,2}(?:[T ].*)?$|^\d{1,2}/\d{1,2}(?:/\d{2,4})?$|^\d{1,2}[.-]\d{1,2}[.-]\d{2,4}$"
ISO = r"^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?Z?)?$"


@dataclass(frozen=True)
class Wrong:
    """Cells of one column that are not what they must be.

    Parameters
    ----------
    finding : (str, str)
        What they are not, one and many: "a number", "numbers".
    rows : list of int
        Positions, from 0.
    first : str
        The first such cell, as it stands: to be quoted only where rows are not persons.
    remedy : str
        What to do.
    """

    finding: tuple[str, str]
    rows: list[int]
    first: str
    remedy: str


def must_be_table(given: object, where: str) -> None:
    """Refuse what is no DataFrame.

    Parameters
    ----------
    given : object
        What a user called a table.
    where : str
        Which table, at the beginning of a sentence: "The rate card".

    Raises
    ------
    DataError
        A path, a list, nothing: with the remedy.
    """
    if isinstance(given, pd.DataFrame):
        return
    remedy = "Read the file first: pd.read_csv(...)." if isinstance(given, str | Path) else "Write pd.DataFrame(...)."
    raise DataError(f"{where} must be a pandas DataFrame, and is a {type(given).__name__}. {remedy}")


def _positions(mask: pd.Series) -> list[int]:
    return np.flatnonzero(mask.to_numpy(dtype=bool)).tolist()


def _wrong(column: pd.Series, bad: pd.Series, finding: tuple[str, str], remedy: str) -> Wrong | None:
    rows = _positions(bad)
    return Wrong(finding, rows, str(column.iloc[rows[0]]), remedy) if rows else None


def as_numbers(column: pd.Series) -> tuple[pd.Series, Wrong | None]:
    """Read a text column as numbers.

    Parameters
    ----------
    column : Series of str
        Empty cells are missing.

    Returns
    -------
    numbers : Series of int or float
        Missing where a cell is no number.
    wrong : Wrong or None
        The cells that are neither numbers nor a usual word for missing.
    """
    numbers = pd.to_numeric(column, errors="coerce")
    numbers = numbers.where(np.isfinite(numbers.astype("float64")))
    bad = column.notna() & numbers.isna() & ~column.isin(NOT_THERE)
    remedy = "Write digits with a point for decimals; leave the cell empty where nothing is known."
    return _smallest(numbers), _wrong(column, bad, ("a number", "numbers"), remedy)


def as_money(column: pd.Series) -> tuple[pd.Series, Wrong | None]:
    """Read a text column as amounts of money in the study's currency.

    Parameters
    ----------
    column : Series of str
        ``1250.50``; empty cells are missing.

    Returns
    -------
    amounts : Series of float
        Missing where a cell is no plain number.
    wrong : Wrong or None
        Cells with a currency sign, separators or words among them: what they mean is not guessed.
    """
    numbers, wrong = as_numbers(column)
    if wrong is None:
        return numbers, None
    plain = re.sub(r"[^0-9.\-]", "", wrong.first)
    example = plain if re.fullmatch(r"-?\d+(\.\d{1,2})?", plain) else "1250.50"
    remedy = f"Write amounts as {example}: no currency sign, no thousands separator, no words, a point for pence."
    return numbers, Wrong(("an amount", "amounts"), wrong.rows, wrong.first, remedy)


def _smallest(numbers: pd.Series) -> pd.Series:
    whole = numbers.notna().all() and bool((numbers == np.floor(numbers)).all()) and len(numbers) > 0
    return numbers.astype("int64") if whole and numbers.abs().max() < 2**53 and numbers.dtype != "float64" else numbers


def as_dates(column: pd.Series) -> tuple[pd.Series, Wrong | None]:
    """Read a text column as ISO dates.

    Parameters
    ----------
    column : Series of str
        ``2024-01-31``, with or without a time of day; empty cells are missing.

    Returns
    -------
    dates : Series of datetime64
        Missing where a cell is no date.
    wrong : Wrong or None
        The cells that are not dates: another order, or no day of the calendar.
    """
    iso = column.str.match(ISO).fillna(False).astype(bool)
    text = column.where(iso).str.slice(0, 10)
    dates = pd.to_datetime(text, format="%Y-%m-%d", errors="coerce").astype("datetime64[us]")
    bad = column.notna() & dates.isna() & ~column.isin(NOT_THERE)
    remedy = "Write dates as year-month-day, such as 2024-01-31, and only days of the calendar."
    return dates, _wrong(column, bad, ("a date", "dates"), remedy)


def as_shares(column: pd.Series) -> tuple[pd.Series, Wrong | None]:
    """Read a text column as shares between 0 and 1.

    Parameters
    ----------
    column : Series of str
        ``0.18`` for 18 %.

    Returns
    -------
    shares : Series of float
        Missing where a cell is no share.
    wrong : Wrong or None
        The cells that are not between 0 and 1.
    """
    numbers, _ = as_numbers(column)
    bad = column.notna() & ~numbers.between(0, 1) & ~column.isin(NOT_THERE)
    return numbers.astype("float64").where(~bad), _wrong(
        column, bad, ("a share between 0 and 1", "shares between 0 and 1"), "Write 18 % as 0.18."
    )


def as_text(column: pd.Series) -> pd.Series:
    """Any column as text: whole numbers without decimals, dates as ISO dates.

    Parameters
    ----------
    column : Series
        Of any type.

    Returns
    -------
    Series of str
        Missing stays missing.
    """
    if pd.api.types.is_datetime64_any_dtype(column):
        return column.dt.strftime("%Y-%m-%d").astype("str")
    if pd.api.types.is_float_dtype(column) and bool((column.dropna() % 1 == 0).all()):
        column = column.astype("Int64")
    if column.dtype == object:
        column = column.map(_cell, na_action="ignore")
    text = column.astype("str").str.strip()
    text = text.where(column.notna().to_numpy(dtype=bool))
    return text.where(text != "")


def _cell(value: object) -> object:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.strftime("%Y-%m-%d") if hasattr(value, "strftime") else str(value)


def _leading_zeros(column: pd.Series) -> bool:
    return bool(column.str.match(r"^[+-]?0\d").fillna(False).any())


def guess(column: pd.Series, used: bool) -> tuple[pd.Series, Wrong | None]:
    """Read a text column as what all its values are.

    Parameters
    ----------
    column : Series of str
        One column of a csv file.
    used : bool
        Whether the plan's rules or covariates name it: then a few cells that differ from all others are an error.

    Returns
    -------
    column : Series
        Numbers, dates, True and False, or text as it was (codes with leading zeros stay text).
    wrong : Wrong or None
        Cells that differ, and dates that no calendar has.
    """
    filled = column.dropna()
    if filled.empty:
        return column.astype("float64"), None
    if filled.isin(("True", "False", "true", "false", "TRUE", "FALSE")).all():
        answers = column.str.lower().map({"true": True, "false": False})
        return (answers.astype("bool") if len(filled) == len(column) else answers.astype("boolean")), None
    date_like = filled.str.match(DATE_LIKE).astype(bool)
    if date_like.mean() >= 0.5:
        dates, wrong = as_dates(column)
        impossible = filled.str.match(ISO).astype(bool).all()
        return (dates, wrong) if wrong is None or used or impossible else (column, None)
    numbers, wrong = as_numbers(column)
    if wrong is None:
        return (column, None) if _leading_zeros(filled) or numbers.notna().sum() == 0 else (numbers, None)
    nearly = used and len(wrong.rows) <= 0.2 * len(filled)
    return (numbers, wrong) if nearly else (column, None)


def convert(column: pd.Series, kind: Kind, used: bool = False) -> tuple[pd.Series, Wrong | None]:
    """Make a column of the kind the plan needs.

    Parameters
    ----------
    column : Series
        As read.
    kind : {"text", "number", "money", "date", "share", "any"}
        "any": by its values.
    used : bool
        See `guess`.

    Returns
    -------
    column : Series
        Converted.
    wrong : Wrong or None
        The cells that cannot be.
    """
    if kind == "text":
        return as_text(column), None
    typed = _already(column, kind)
    if typed is not None:
        return typed, None
    text = as_text(column)
    if kind == "any":
        return guess(text, used)
    return {"number": as_numbers, "money": as_money, "date": as_dates, "share": as_shares}[kind](text)


def _already(column: pd.Series, kind: Kind) -> pd.Series | None:
    """A typed column of a parquet, SPSS, Stata or Excel file that needs no reading."""
    if pd.api.types.is_datetime64_any_dtype(column) and kind in ("date", "any"):
        return column.dt.tz_localize(None).dt.normalize() if kind == "date" else column
    numeric = pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)
    if numeric and kind in ("number", "money", "any"):
        return column
    if numeric and kind == "share":
        return column if bool(column.dropna().between(0, 1).all()) else None
    return None


def plain_text(column: pd.Series) -> pd.Series:
    """Text without outer blanks, of cells of any kind.

    Parameters
    ----------
    column : Series
        As read.

    Returns
    -------
    Series of str
        "" where nothing is known.
    """
    return column.map(lambda value: "" if pd.isna(value) else str(value).strip()).astype("str")
