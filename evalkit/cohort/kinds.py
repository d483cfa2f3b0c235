"""What a column in memory holds, and the same column as the engine reads it.

A rule compares like with like, so each column has one kind. Dates are days: a time of day is dropped, so that the last
day of a window counts whole. An instant with a time zone is read on the clock the study names, else on its own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import pyarrow

Kind = Literal["number", "text", "date", "yes or no", "empty"]
ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def kind_of(column: pd.Series) -> Kind:
    """Tell what a prepared column holds.

    Parameters
    ----------
    column : Series
        A column of a prepared table.

    Returns
    -------
    {"number", "text", "date", "yes or no", "empty"}
        "empty" where every value is missing: it agrees with anything and answers nothing.
    """
    if column.isna().all():
        return "empty"
    if pd.api.types.is_bool_dtype(column.dtype):
        return "yes or no"
    if pd.api.types.is_numeric_dtype(column.dtype):
        return "number"
    return "date" if pd.api.types.is_datetime64_any_dtype(column.dtype) else "text"


def as_ids(column: pd.Series) -> pd.Series:
    """Write person ids as text: 17, 17.0 and "17" are the same person; an empty id is missing.

    Parameters
    ----------
    column : Series
        Ids as text or as whole numbers.

    Returns
    -------
    Series of str
        Same index.
    """
    column = _from_arrow(column)
    if pd.api.types.is_float_dtype(column.dtype):
        some = column.dropna()
        column = column.astype("Int64") if (some % 1 == 0).all() and (some.abs() < 2**53).all() else column
    missing = column.isna()
    text = column.astype("str")
    first = column.first_valid_index()
    if first is not None and text.loc[first].endswith(".0") and text[~missing].str.fullmatch(r"\d+\.0").all():
        text = text.str.removesuffix(".0")  # whole numbers as statistics programs write them into a csv file
    return text.mask(missing | (text == ""))


def among(ids: pd.Series, known: pd.Series) -> np.ndarray:
    """Tell which ids are among the known ones.

    Parameters
    ----------
    ids, known : Series of str
        Person ids; a missing id is not known.

    Returns
    -------
    array of bool
        In the order of ``ids``.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    asked, there = (pa.array(one.astype("str"), from_pandas=True) for one in (ids, known))
    return pc.is_in(asked, value_set=there.drop_null(), skip_nulls=True).to_numpy(zero_copy_only=False)


def as_dates(column: pd.Series) -> pd.Series:
    """Read text as ISO dates; what is none becomes missing.

    Parameters
    ----------
    column : Series
        Text.

    Returns
    -------
    Series of datetime64
        Same index.
    """
    text = column.astype("str").str.strip()
    iso = text.str.fullmatch(ISO_DATE.pattern).fillna(False).astype(bool)
    return pd.to_datetime(text.where(iso), format="%Y-%m-%d", errors="coerce")


def prepare(frame: pd.DataFrame, person: str, zone: str | None = None) -> pd.DataFrame:
    """Give every column of a table one of the kinds a rule knows.

    Parameters
    ----------
    frame : DataFrame
        A table as read, or as an evaluator holds it.
    person : str
        Its column of person ids, which become text.
    zone : str, optional
        On whose clock an instant with a time zone is read; default: its own.

    Returns
    -------
    DataFrame
        A new table with the same rows numbered from 0; text columns that hold ISO dates only are dates.
    """
    frame = frame.reset_index(drop=True)
    columns = {name: as_ids(frame[name]) if name == person else _prepared(frame[name], zone) for name in frame.columns}
    return pd.DataFrame(columns, index=frame.index)


def _prepared(column: pd.Series, zone: str | None) -> pd.Series:
    """One column as number, text, date or yes/no."""
    column = _from_arrow(column)
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return (column.dt.tz_convert(zone) if zone else column).dt.tz_localize(None)
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    if column.dtype == object:
        column = _from_objects(column)
    return _dates_if_all_are(column) if pd.api.types.is_string_dtype(column.dtype) else column


def _from_arrow(column: Any) -> Any:
    """A column that Arrow holds as pandas itself holds such: numbers with gaps, dates, text."""
    if not isinstance(column.dtype, pd.ArrowDtype):
        return column
    kind: Any = column.dtype.pyarrow_dtype
    stored = str(kind)
    if stored.startswith(("date", "timestamp")):
        zone = getattr(kind, "tz", None)
        days: Any = column.astype(f"timestamp[us, tz={zone}][pyarrow]" if zone else "timestamp[us][pyarrow]")
        return days.astype(pd.DatetimeTZDtype("us", zone) if zone else "datetime64[us]")
    if stored == "bool":
        return column.astype("boolean")
    if stored.startswith(("int", "uint")) and stored != "uint64":
        return column.astype("Int64")
    if stored.startswith(("uint64", "float", "double", "halffloat", "decimal")):
        return column.astype("float64")
    return column.astype("str")


def _from_objects(column: pd.Series) -> pd.Series:
    """A column of Python objects as what the objects are."""
    inferred = pd.api.types.infer_dtype(column, skipna=True)
    if inferred in {"date", "datetime", "datetime64"}:
        return pd.to_datetime(column)
    if inferred == "boolean":
        return column.astype("boolean")
    if inferred in {"integer", "floating", "mixed-integer-float", "decimal"}:
        return pd.to_numeric(column)
    return column if inferred == "empty" else column.astype("str")


def _dates_if_all_are(column: pd.Series) -> pd.Series:
    """Dates where every value is an ISO date; a look at the first value spares the rest of the work."""
    first = column.first_valid_index()
    if first is None or not ISO_DATE.fullmatch(str(column.loc[first]).strip()):
        return column
    dates = as_dates(column)
    return dates if dates.notna().equals(column.notna()) else column


def is_whole(column: pd.Series) -> bool:
    """Whether a column of numbers is stored as whole numbers."""
    return pd.api.types.is_integer_dtype(column.dtype)


def as_arrow(column: pd.Series, kind: Kind) -> pyarrow.Array:
    """Hand one column to the engine, missing values as NULL.

    Parameters
    ----------
    column : Series
        A column of a prepared table.
    kind : {"number", "text", "date", "yes or no", "empty"}
        What it holds.

    Returns
    -------
    pyarrow.Array
        int64 or double, string, date32, bool or null.
    """
    import pyarrow as pa

    if kind == "empty":
        return pa.nulls(len(column))
    if kind == "date":
        return pa.array(column.to_numpy().astype("datetime64[D]"), type=pa.date32(), from_pandas=True)
    if kind == "number":
        if is_whole(column) and str(column.dtype).lower() != "uint64":
            return pa.array(column, type=pa.int64(), from_pandas=True)
        return pa.array(column.astype("float64"), type=pa.float64(), from_pandas=True)
    if kind == "yes or no":
        return pa.array(column.astype("boolean"), type=pa.bool_(), from_pandas=True)
    return pa.array(column.astype("str"), from_pandas=True)
