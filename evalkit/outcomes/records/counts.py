"""What is counted from records: attendance, offending, placements. Definitions are the shelf's, by year and by name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evalkit import disclosure, library
from evalkit.errors import DataError, Flag, StudyError, did_you_mean, several
from evalkit.outcomes.change.shares import wilson
from evalkit.outcomes.questionnaires.answers import numbers, rows_in_words
from evalkit.outcomes.records.rates import events_within, rate_per_year
from evalkit.outcomes.records.states import NEVER, OPEN, matched, overlap_flags, read_spans, usual_names

Array = np.ndarray
_TIE = 1e-9
_UNCONFIRMED = " (unconfirmed)"


@dataclass(frozen=True, eq=False, repr=False)
class Counted:
    """What was counted for each person.

    Attributes
    ----------
    table : DataFrame
        One row per person (attendance) or per window. Never shown.
    definition : dict or None
        The shelf's entry behind a yes or no: ``title``, ``at_least``, ``source``, ``status``.
    flags : tuple of Flag
        What must be said.
    """

    table: pd.DataFrame
    definition: dict[str, Any] | None
    flags: tuple[Flag, ...]

    def __repr__(self) -> str:
        return f"Counted({len(self.table):,} rows: {', '.join(self.table.columns)})"


def definition(record: str, name: str, year: str | None = None) -> dict[str, Any]:
    """Take a definition of a record off the shelf.

    Parameters
    ----------
    record : str
        An id on the shelf: "attendance", "placements".
    name : str
        "persistent absence"; what is unconfirmed comes only by its full name, "severe absence (unconfirmed)".
    year : str, optional
        The school year whose definition holds: "2018/19".

    Returns
    -------
    dict
        ``id``, ``title``, ``at_least``, ``from``, ``to``, ``status``, ``source``.

    Raises
    ------
    StudyError
        No such definition, an unconfirmed one not asked for as such, or a year that is missing or cannot be.
    """
    entries = library.load("instruments", record)["definition"]
    wanted = name.removesuffix(_UNCONFIRMED)
    named = [entry for entry in entries if entry["id"] == wanted]
    if not named:
        known = [entry["id"] for entry in entries]
        raise StudyError(f'"{record}" has no definition of "{wanted}". {did_you_mean(wanted, known)}')
    if named[0]["status"] != "checked" and not name.endswith(_UNCONFIRMED):
        raise StudyError(f'"{wanted}" has no second source. To use it all the same, ask for "{wanted}{_UNCONFIRMED}".')
    if len(named) == 1:
        return dict(named[0])
    begins = _begins(year, wanted)
    holds = (entry for entry in named if _begins(entry["from"] or "0000/01", wanted) <= begins)
    return dict(next(entry for entry in holds if not entry["to"] or begins <= _begins(entry["to"], wanted)))


def _begins(year: str | None, name: str) -> int:
    """The calendar year in which a school year begins."""
    found = re.fullmatch(r"(\d{4})/(\d{2})", year or "")
    if found is None or (int(found[1]) + 1) % 100 != int(found[2]):
        raise StudyError(f'The definition of {name} depends on the school year. Write it as year = "2018/19".')
    return int(found[1])


# ---------------------------------------------------------------- attendance


def attendance(
    records: pd.DataFrame,
    person: str,
    missed: str,
    possible: str,
    year: str | None = None,
    says: str = "persistent absence",
) -> Counted:
    """Add up half-days of school per person.

    Parameters
    ----------
    records : DataFrame
        One or more rows per person.
    person, missed, possible : str
        Columns: who, half-days missed, half-days possible.
    year : str, optional
        A school year ("2018/19") for all rows, or a column that holds one; then persons are counted by year.
        Without it nobody is called persistently absent, since the line depends on the year.
    says : str
        The definition: "persistent absence", or "severe absence (unconfirmed)".

    Returns
    -------
    Counted
        ``table``: by person (and year) ``missed``, ``possible``, ``share_missed``, ``share_attended`` and, with a
        year, ``absent`` (1, 0; missing where nothing was possible), by the year's own line.

    Raises
    ------
    DataError
        Missing columns; negative numbers, text, or more missed than possible, with the rows.
    StudyError
        A year or definition that cannot be.

    References
    ----------
    Department for Education, guide to pupil absence statistics (10 % from 2015/16, 15 % from 2010/11, 20 % before).
    """
    by_year = year is not None and year in records.columns
    needed = [person, missed, possible, *([str(year)] if by_year else [])]
    _need(records, needed, "attendance")
    _known(records, [person, *([str(year)] if by_year else [])])
    away, there = _half_days(records, missed, possible)
    keys = {"person": records[person]} | ({"year": records[str(year)]} if by_year else {})
    frame = pd.DataFrame({**keys, "missed": away, "possible": there})
    blank = np.isnan(away) | np.isnan(there)
    table = frame[~blank].groupby(list(keys), sort=False).sum()
    table = table.reindex(frame.drop_duplicates(list(keys)).set_index(list(keys)).index)
    share = table["missed"] / table["possible"].where(table["possible"] > 0)
    table = table.assign(share_missed=share, share_attended=1 - share)
    found = None
    if year is not None:
        years = table.index.get_level_values("year") if by_year else np.full(len(table), year)
        lines = {str(one): definition("attendance", says, str(one)) for one in pd.unique(years)}
        line = pd.Series(years).astype("str").map({one: entry["at_least"] for one, entry in lines.items()}).to_numpy()
        table["absent"] = np.where(share.isna(), np.nan, share >= line - _TIE)
        found = next(iter(lines.values())) if len(lines) == 1 else {"title": says, "by_year": lines}
    return Counted(table, found, tuple(_attendance_flags(blank, table, found)))


def _half_days(records: pd.DataFrame, missed: str, possible: str) -> tuple[Array, Array]:
    away, there = (np.asarray(numbers(records[name]), dtype=float) for name in (missed, possible))
    problems = []
    for name, values in ((missed, away), (possible, there)):
        wrong = (np.isnan(values) & records[name].notna().to_numpy()) | (values < 0) | np.isinf(values)
        if wrong.any():
            rows = rows_in_words(list(records.index[wrong]))
            problems.append(f'Column "{name}", {rows}: negative or not a number. Give half-days, 0 or more.')
    over = away > there
    if over.any():
        rows = rows_in_words(list(records.index[over]))
        problems.append(f'{rows.capitalize()}: more in "{missed}" than in "{possible}". Correct one of them.')
    if problems:
        raise DataError(several("attendance", problems))
    return away, there


def _known(records: pd.DataFrame, columns: list[str]) -> None:
    for column in columns:
        blank = records[column].isna().to_numpy()
        if blank.any():
            rows = rows_in_words(list(records.index[blank]))
            raise DataError(f'attendance: column "{column}", {rows}: blank. Give it, or take the row out.')


def _need(table: pd.DataFrame, columns: list[str], where: str) -> None:
    for column in columns:
        if column not in table.columns:
            raise DataError(f'{where} lacks the column "{column}". {did_you_mean(column, table.columns)}')


def _attendance_flags(blank: Array, table: pd.DataFrame, found: dict[str, Any] | None) -> list[Flag]:
    flags = []
    if blank.any():
        text = "Rows of attendance without half-days missed or possible are not counted."
        flags.append(Flag("outcomes", "caution", text, f"That is {disclosure.roughly(int(blank.sum()), len(blank))}."))
    nothing = int((~(table["possible"] > 0)).sum())
    if nothing:
        share = disclosure.roughly(nothing, len(table))
        text = "For some people no half-day was possible, so they have no share."
        flags.append(Flag("outcomes", "caution", text, f"That is {share}."))
    if found is not None and found.get("status") == "unconfirmed":
        flags.append(Flag("outcomes", "caution", f"{found['title']}: this definition has no second source."))
    if found is not None and "by_year" in found and len({one["at_least"] for one in found["by_year"].values()}) > 1:
        text = "The definition of persistent absence changed between the years, so its shares are not comparable."
        flags.append(Flag("outcomes", "serious", text, "Compare the share of half-days missed instead."))
    return flags


# ---------------------------------------------------------------- offending


def offending(
    offences: pd.DataFrame,
    windows: pd.DataFrame,
    custody: pd.DataFrame | None = None,
    severity: str | None = None,
) -> Counted:
    """Count each person's proven offences: whether, how often, how grave per year at risk, how soon.

    Parameters
    ----------
    offences : DataFrame, shape (n_offences, 2 or more)
        ``person``, ``date`` (of the offence, not of the conviction).
    windows : DataFrame, shape (n_windows, 3 or more)
        ``person``, ``start``, ``end``; half open.
    custody : DataFrame, optional
        Episodes ``person``, ``start``, ``end`` whose days are not at risk.
    severity : str, optional
        Column of ``offences`` with each one's weight; without it each weighs 1.

    Returns
    -------
    Counted
        ``table`` by window: ``person``, ``any`` (1, 0), ``count``, ``severity``, ``days``, ``days_at_risk``, ``rate``,
        ``severity_rate`` (per 365 days at risk), ``days_to_first`` (missing where there is none).

    Raises
    ------
    DataError
        As in `rate_per_year`.
    """
    rates = rate_per_year(offences, windows, custody, severity)
    found = events_within(offences, windows)
    first = found.drop_duplicates("window").set_index("window")["day"]
    table = rates.table.copy()
    table.insert(1, "any", np.where(table["count"].isna(), np.nan, (table["count"] > 0).astype(float)))
    table["days_to_first"] = first.reindex(np.arange(len(windows))).to_numpy(dtype=float)
    return Counted(table, None, rates.flags)


# ---------------------------------------------------------------- placements


def placements(episodes: pd.DataFrame, windows: pd.DataFrame, says: str | None = None) -> Counted:
    """Count each child's placements within a window, and the moves between them.

    Parameters
    ----------
    episodes : DataFrame, shape (n_episodes, 3 or more)
        ``person``, ``start``, ``end`` (empty while it lasts), one row per placement; with a column ``place`` two
        rows at the same place are one placement. A placement counts if it has a day within the window, or began and
        ended on the same day of it. The same row twice counts once.
    windows : DataFrame, shape (n_windows, 3 or more)
        ``person``, ``start``, ``end``; half open.
    says : str, optional
        "unstable (unconfirmed)" adds whether there were three or more.

    Returns
    -------
    Counted
        ``table`` by window: ``person``, ``number`` (different placements), ``moves`` (changes from one to the next;
        coming into care is none, coming back after a time at home is one unless to the same place), and with
        ``says`` ``unstable``.

    Raises
    ------
    DataError
        As in `days_in_state`.
    StudyError
        A definition that is not known, or unconfirmed and not asked for as such.
    """
    line = definition("placements", says) if says else None
    windows = usual_names(windows, "windows")
    held = _held(episodes, windows)
    kept = held.drop_duplicates(["window", "place", "first", "last"])
    known = windows[["start", "end"]].notna().all(axis=1).to_numpy()
    different = kept.drop_duplicates(["window", "place"])["window"].to_numpy()
    same_window = kept["window"].to_numpy()[1:] == kept["window"].to_numpy()[:-1]
    moved = same_window & (kept["place"].to_numpy()[1:] != kept["place"].to_numpy()[:-1])
    count = np.bincount(different, minlength=len(windows)).astype(float)
    moves = np.bincount(kept["window"].to_numpy()[1:][moved], minlength=len(windows)).astype(float)
    table = pd.DataFrame({"person": windows["person"].to_numpy()}, index=windows.index)
    table["number"], table["moves"] = np.where(known, count, np.nan), np.where(known, moves, np.nan)
    flags = [_two_at_once(flag) for flag in overlap_flags(episodes, "placements")]
    if line is not None:
        table["unstable"] = np.where(known, count >= line["at_least"], np.nan)
        flags.append(Flag("outcomes", "caution", f"{line['title']}: this definition has no second source."))
    return Counted(table, line, tuple(flags))


def _held(episodes: pd.DataFrame, windows: pd.DataFrame) -> pd.DataFrame:
    """The placements of each window in order of time: window, place, first and last day (as numbers)."""
    who, first, last = read_spans(episodes, "episodes")
    person, opens, closes = read_spans(windows, "windows")
    row, episode = matched(person, who)
    begin, end, opening, closing = first[episode], last[episode], opens[row], closes[row]
    overlaps = (np.maximum(begin, opening) < np.minimum(end, closing)) | (
        (begin == end) & (begin >= opening) & (begin < closing)
    )
    inside = overlaps & (opening != NEVER) & (closing != OPEN)
    # Without places each pair of dates is a placement of its own.
    codes = pd.factorize(episodes["place"])[0] if "place" in episodes.columns else np.full(len(episodes), -1)
    own = pd.factorize(pd.MultiIndex.from_arrays([first, last]))[0] + int(codes.max(initial=-1)) + 1
    place = np.where(codes < 0, own, codes)
    held = pd.DataFrame({"window": row, "place": place[episode], "first": begin, "last": end})[inside]
    return held.sort_values(["window", "first", "last", "place"], kind="stable", ignore_index=True)


def _two_at_once(flag: Flag) -> Flag:
    detail = f"{flag.detail.split(';')[0]}. A child is in one placement at a time: check the dates."
    return Flag("outcomes", "caution", flag.text, detail, flag.about)


def share_of(counted: Counted, column: str) -> tuple[float, float, float, int]:
    """The share of people with a yes, with Wilson's interval.

    Parameters
    ----------
    counted : Counted
        From `attendance`, `offending` or `placements`.
    column : str
        A column of 1 and 0: "absent", "any", "unstable".

    Returns
    -------
    share, low, high : float
        95 %.
    n : int
        People with a yes or a no.

    Raises
    ------
    DataError
        No such column.
    """
    _need(counted.table, [column], "the counted table")
    known = counted.table[column].dropna()
    low, high = wilson(float(known.sum()), float(len(known)))
    return float(known.mean()), low, high, len(known)
