"""Days spent in a state (in care, in custody) within a window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit import disclosure
from evalkit.errors import DataError, Flag, did_you_mean
from evalkit.outcomes.questionnaires.answers import rows_in_words
from evalkit.words import listed

Array = np.ndarray
# A start or an end that is blank.
NEVER = np.iinfo(np.int64).min
OPEN = np.iinfo(np.int64).max
# What the same column is called in the tables of providers and of published examples, by what it means.
_USUAL = {
    "person": ("person", "id", "person_id"),
    "start": ("start", "from", "window_start"),
    "end": ("end", "to", "window_end", "window_end_excl"),
}


def days_in_state(episodes: pd.DataFrame, windows: pd.DataFrame) -> pd.Series:
    """Count the days of each window that fall within at least one episode.

    Episodes and windows are half open: the first day counts, the last does not. Episodes are clipped to the window,
    days covered by several episodes count once, and an empty end means still in the state.

    Parameters
    ----------
    episodes : DataFrame, shape (n_episodes, 3 or more)
        ``person`` (or ``id``, ``person_id``), ``start`` (or ``from``, ``window_start``) and ``end`` (or ``to``,
        ``window_end``, ``window_end_excl``), the two as dates.
    windows : DataFrame, shape (n_windows, 3 or more)
        The same; a person may have several windows.

    Returns
    -------
    Series of float, shape (n_windows,)
        Days, with the index and in the row order of ``windows``; 0 without an episode, missing where a window has
        no start or end.

    Raises
    ------
    DataError
        A missing column or two of the same meaning, what is not a date, an episode without a person or a start, an
        episode or a window that ends before it starts, or ids that are numbers in one table and text in the other;
        with the rows.
    """
    spans = covered_spans(episodes, windows)
    days = np.bincount(spans.window, weights=spans.end - spans.start, minlength=len(windows)).astype(float)
    days[~spans.known] = np.nan
    return pd.Series(days, index=windows.index, name="days")


@dataclass(frozen=True, eq=False, repr=False)
class Spans:
    """The days of each window that are within an episode, as spans that do not overlap.

    Attributes
    ----------
    window : ndarray of int, shape (n_spans,)
        Row of the windows table.
    start, end : ndarray of int, shape (n_spans,)
        Days after the window's start; half open.
    length : ndarray of int, shape (n_windows,)
        Days of each window, 0 where not known.
    known : ndarray of bool, shape (n_windows,)
        Whether a window has both ends.
    """

    window: Array
    start: Array
    end: Array
    length: Array
    known: Array


def covered_spans(episodes: pd.DataFrame, windows: pd.DataFrame) -> Spans:
    """Find what each window and a person's episodes have in common, each day once.

    Parameters
    ----------
    episodes, windows : DataFrame
        As in `days_in_state`.

    Returns
    -------
    Spans
        Sorted by window and start.

    Raises
    ------
    DataError
        As in `days_in_state`.
    """
    who, first, last = read_spans(episodes, "episodes")
    person, opens, closes = read_spans(windows, "windows")
    length, known = _lengths(opens, closes)
    row, episode = matched(person, who)
    row, episode = row[known[row]], episode[known[row]]
    start = np.maximum(first[episode], opens[row])
    end = np.minimum(last[episode], closes[row])
    within = start < end
    row, start, end = row[within], start[within], end[within]
    order = np.lexsort((start, row))
    row, start, end = _once(row[order], start[order], end[order])
    return Spans(row, start - opens[row], end - opens[row], length, known)


def window_days(windows: pd.DataFrame) -> tuple[Array, Array]:
    """Count the days of each window, and say which windows have both ends.

    Parameters
    ----------
    windows : DataFrame
        As in `days_in_state`.

    Returns
    -------
    days : ndarray of int, shape (n_windows,)
        0 where an end is missing.
    known : ndarray of bool, shape (n_windows,)
        Whether both ends are there.

    Raises
    ------
    DataError
        As in `days_in_state`.
    """
    _, opens, closes = read_spans(windows, "windows")
    return _lengths(opens, closes)


def _lengths(opens: Array, closes: Array) -> tuple[Array, Array]:
    known = (opens != NEVER) & (closes != OPEN)
    return np.where(known, closes - np.where(known, opens, closes), 0), known


def _once(row: Array, start: Array, end: Array) -> tuple[Array, Array, Array]:
    """Take out of each span what an earlier one of its window covers; spans sorted by window and start."""
    if not len(row):
        return row, start, end
    # An offset per window, larger than any date, lets one running maximum serve all windows.
    offset = row * (end.max() - start.min() + 1)
    reached = np.maximum.accumulate(end + offset)
    before = np.concatenate([[NEVER], reached[:-1]])
    fresh = np.maximum(start + offset, before) - offset
    kept = fresh < end
    return row[kept], fresh[kept], end[kept]


def matched(person: pd.Series, who: pd.Series) -> tuple[Array, Array]:
    """All pairs of a row of ``person`` and a row of ``who`` with the same id, as two arrays of positions.

    Parameters
    ----------
    person, who : Series
        Ids; both numbers or both text.

    Returns
    -------
    row, other : ndarray of int
        Positions in ``person`` and in ``who``.

    Raises
    ------
    DataError
        Ids that are numbers in one and text in the other, which would match nobody.
    """
    numeric = [_is_number(column) for column in (person, who)]
    if len(person) and len(who) and numeric[0] != numeric[1]:
        raise DataError(
            'person is a number in one table and text in the other, so nobody would be found. Write .astype("str") '
            "on both, or read both as numbers."
        )
    codes, known = pd.factorize(person)
    place = pd.Index(known).get_indexer(pd.Index(who))
    order = np.argsort(codes, kind="stable")
    sizes = np.bincount(codes[codes >= 0], minlength=len(known))
    begins = np.concatenate([[0], np.cumsum(sizes)[:-1]]) + int((codes < 0).sum())
    found = np.flatnonzero(place >= 0)
    times = sizes[place[found]]
    other = np.repeat(found, times)
    within = np.arange(len(other)) - np.repeat(np.cumsum(times) - times, times)
    return order[begins[place[other]] + within], other


def _is_number(column: pd.Series) -> bool:
    if column.dtype == object:
        return pd.api.types.infer_dtype(column, skipna=True) in ("integer", "floating", "mixed-integer-float")
    return pd.api.types.is_numeric_dtype(column.dtype)


def read_spans(table: pd.DataFrame, name: str) -> tuple[pd.Series, Array, Array]:
    """Read persons, first days and the days after the last, as whole days since 1970.

    Parameters
    ----------
    table : DataFrame
        As in `days_in_state`.
    name : {"episodes", "windows"}
        What they are; a window may lack its start.

    Returns
    -------
    person : Series
        As it stands.
    start, end : ndarray of int
        `NEVER` and `OPEN` where blank.

    Raises
    ------
    DataError
        As in `days_in_state`.
    """
    columns = _found(table, name)
    person = table[columns["person"]]
    start, end = (day_numbers(table[columns[one]], name) for one in ("start", "end"))
    begins, ends = ~np.isnan(start), ~np.isnan(end)
    must = {"person": person.notna().to_numpy()}
    if name == "episodes":
        must["start"] = begins
    for column, there in must.items():
        if not there.all():
            rows = rows_in_words(list(table.index[~there]))
            raise DataError(f"{name}: {rows} have no {column}. Give it, or take the row out.")
    backwards = begins & ends & (end < start)
    if backwards.any():
        rows = rows_in_words(list(table.index[backwards]))
        raise DataError(f"{name}: {rows} end before they start. Correct the dates.")
    first = np.where(begins, np.nan_to_num(start), NEVER).astype(np.int64)
    last = np.where(ends, np.nan_to_num(end), 0).astype(np.int64)
    return person, np.where(begins, first, NEVER), np.where(ends, last, OPEN)


def _found(table: pd.DataFrame, name: str) -> dict[str, str]:
    """Which column of a table is the person, the first day and the day after the last."""
    columns: dict[str, str] = {}
    problems = []
    for meaning, names in _USUAL.items():
        mine = [column for column in table.columns if column in names]
        if len(mine) == 1:
            columns[meaning] = mine[0]
        elif not mine:
            also = listed([f'"{other}"' for other in names[1:]], last="or")
            hint = did_you_mean(meaning, table.columns)
            problems.append(f'{name} lacks the column "{meaning}" (or {also}). {hint}'.strip())
        else:
            both = listed([f'"{column}"' for column in mine])
            problems.append(f"{name} has {both}, each of which may be the {meaning}. Leave out or rename all but one.")
    if problems:
        raise DataError(" ".join(problems))
    return columns


def usual_names(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Name the columns of episodes or windows ``person``, ``start`` and ``end``, whatever usual names they have.

    Parameters
    ----------
    table : DataFrame
        As in `days_in_state`; left as it is.
    name : {"episodes", "windows"}
        What they are, for messages.

    Returns
    -------
    DataFrame
        The same rows; other columns keep their names.

    Raises
    ------
    DataError
        A column that is missing, or two of the same meaning.
    """
    return table.rename(columns={column: meaning for meaning, column in _found(table, name).items()})


def day_numbers(column: pd.Series, name: str) -> Array:
    """A column of dates as whole days since 1970, NaN where blank; a DataError names the rows that are not dates."""
    found = column if pd.api.types.is_datetime64_any_dtype(column.dtype) else pd.to_datetime(column, errors="coerce")
    wrong = (found.isna() & column.notna()).to_numpy()
    if wrong.any():
        rows = rows_in_words(list(column.index[wrong]))
        raise DataError(f'{name}: column "{column.name}", {rows}: not a date. Write dates as 2026-03-16.')
    if getattr(found.dtype, "tz", None) is not None:
        found = found.dt.tz_localize(None)
    days = found.to_numpy().astype("datetime64[D]")
    return np.where(np.isnat(days), np.nan, days.astype(np.int64).astype(float))


def overlap_flags(episodes: pd.DataFrame, what: str = "episodes", about: str = "") -> list[Flag]:
    """Say where a person's episodes overlap, which `days_in_state` counts once.

    Parameters
    ----------
    episodes : DataFrame
        As in `days_in_state`.
    what : str
        What to call them.
    about : str
        The measure concerned.

    Returns
    -------
    list of Flag
        One, or none.

    Raises
    ------
    DataError
        As in `days_in_state`.
    """
    who, first, last = read_spans(episodes, "episodes")
    if not len(who):
        return []
    codes = pd.factorize(who)[0].astype(np.int64)
    order = np.lexsort((first, codes))
    codes, first, last = codes[order], first[order], np.where(last[order] == OPEN, first[order].max() + 1, last[order])
    offset = codes * (last.max() - first.min() + 1)
    reached = np.maximum.accumulate(last + offset)
    again = np.concatenate([[False], (first + offset)[1:] < reached[:-1]])
    if not again.any():
        return []
    share = disclosure.roughly(int(again.sum()), len(again))
    text = f"Some {what} begin before an earlier one of the same person has ended."
    return [Flag("outcomes", "note", text, f"That is {share} of them; days covered twice count once.", about)]
