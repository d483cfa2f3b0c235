"""Series of areas over the years, as national statistics publish them: symbols kept apart from numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.errors import DataError, Flag, did_you_mean, several

# What stands where a number is not given; none of them is a zero.
SYMBOLS = {
    "c": "suppressed to protect people",
    "z": "not applicable",
    "k": "rounds to 0 and is not 0",
    "x": "not available",
    "u": "too unreliable to publish",
    ":": "not available",
    "..": "not available",
    "-": "not available",
}
EMPTY = ("", "NA", "NaN", "nan", "N/A", "NULL")
COLUMNS = ["area", "year", "value", "symbol", "level", "code"]
_NAMES = {"National": "country_name", "Regional": "region_name", "Local authority": "la_name"}
_CODES = {"National": "country_code", "Regional": "region_code", "Local authority": "new_la_code"}
_PUBLISHED_RATE = ("number", "population_estimate", "rate_per_10000")
PER = 10_000


@dataclass(frozen=True, eq=False)
class AreaSeries:
    """An indicator by area and year.

    Parameters
    ----------
    table : DataFrame
        One row per area and year: area, year, value (missing where a symbol stands), symbol ("c", "z", "k", "x" ... or
        empty), level ("National", "Regional", "Local authority" or empty), code.
    column : str
        The indicator.
    flags : tuple of Flag
        Symbols, areas that start or stop, rounding, rates that do not follow from their own numbers.
    """

    table: pd.DataFrame
    column: str
    flags: tuple[Flag, ...] = ()

    def only(self, areas: Sequence[str]) -> AreaSeries:
        """The same for some areas, with what must be told of them alone."""
        table = self.table[self.table["area"].isin(list(areas))].reset_index(drop=True)
        flags = [*_symbol_flags(table), *_coming_and_going(table)] if len(table) else []
        return AreaSeries(table, self.column, tuple(flags))


def read_area_series(
    source: str | Path | pd.DataFrame,
    column: str | None = None,
    where: Mapping[str, str] | None = None,
    area_column: str = "area",
    year_column: str = "year",
) -> AreaSeries:
    """Read an indicator by area and year.

    Parameters
    ----------
    source : path or DataFrame
        A csv file (with or without a byte order mark) or its table: columns of area, year and indicator; a table of the
        Department for Education (time_period, geographic_level ...); or a list of indicators by area_name and period.
    column : str, optional
        The indicator's column; default: the only one that holds numbers, or "value".
    where : dict, optional
        Column -> the answer wanted, where a table holds several measures: {"measure": "Percentage"}.
    area_column, year_column : str
        Where the table is neither of the published forms.

    Returns
    -------
    AreaSeries
        A year written "2017/18" or "2017-18" is the year in which it ends.

    Raises
    ------
    DataError
        No such column, several measures and none chosen, a year or a value that is neither number nor symbol, an area
        with two values in one year: all at once.

    References
    ----------
    Department for Education, children's social care statistics: symbols c, z, k, x as its methodology explains them.
    """
    raw, called = _raw(source)
    raw = _chosen(raw, where or {}, called)
    frame = _placed(raw, area_column, year_column, called)
    name = _indicator(raw, column, [area_column, year_column], called)
    values, symbols, problems = _values(raw[name], name)
    frame = frame.assign(value=values, symbol=symbols)[COLUMNS]
    frame, aside = _one_code(frame)
    raw = raw.loc[frame.index]
    problems += _twice(frame, raw)
    if problems:
        raise DataError(several(called, problems))
    flags = [*aside, *_symbol_flags(frame), *_coming_and_going(frame), *_rates(raw, frame), *_rounded(frame, name)]
    return AreaSeries(frame.reset_index(drop=True), name, tuple(flags))


def _raw(source: str | Path | pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The table as text, and what to call it."""
    if isinstance(source, pd.DataFrame):
        return source.copy(), "The series"
    path = Path(source)
    if not path.is_file():
        raise DataError(f'there is no file "{path.name}".')
    try:
        return pd.read_csv(path, dtype=str, encoding="utf-8-sig", keep_default_na=False), path.name
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as fault:
        raise DataError(f"{path.name} cannot be read as a csv file in UTF-8: {fault}.") from fault


def _chosen(raw: pd.DataFrame, where: Mapping[str, str], called: str) -> pd.DataFrame:
    problems = []
    for name, answer in where.items():
        if name not in raw:
            problems.append(f'column "{name}" is missing. {did_you_mean(name, raw.columns)}')
        elif not (raw[name].astype(str) == str(answer)).any():
            problems.append(f'column "{name}" nowhere says "{answer}". {did_you_mean(str(answer), raw[name].unique())}')
        else:
            raw = raw[raw[name].astype(str) == str(answer)]
    if problems:
        raise DataError(several(called, problems))
    return raw


def _placed(raw: pd.DataFrame, area: str, year: str, called: str) -> pd.DataFrame:
    """Area, level, code and year of each row, from whichever form the table has."""
    if {"time_period", "geographic_level"} <= set(raw) and area not in raw:
        level = raw["geographic_level"].astype(str)
        frame = pd.DataFrame(
            {"area": _by_level(raw, level, _NAMES), "code": _by_level(raw, level, _CODES), "level": level}, dtype="str"
        )
        year = "time_period"
    else:
        area = area if area in raw or "area_name" not in raw else "area_name"
        year = year if year in raw or "period" not in raw else "period"
        absent = [name for name in (area, year) if name not in raw]
        if absent:
            told = [f'column "{name}" is missing. {did_you_mean(name, raw.columns)}' for name in absent]
            raise DataError(several(called, told))
        code = raw["area_code"] if "area_code" in raw else pd.Series("", index=raw.index)
        frame = pd.DataFrame({"area": raw[area].astype(str).str.strip(), "code": code.astype(str), "level": ""})
    years, wrong = _years(raw[year])
    if wrong:
        raise DataError(several(called, [wrong]))
    return frame.assign(year=years)


def _by_level(raw: pd.DataFrame, level: pd.Series, columns: dict[str, str]) -> pd.Series:
    out = pd.Series("", index=raw.index, dtype=object)
    for name, column in columns.items():
        if column in raw:
            out = out.where(level != name, raw[column].astype(str).str.strip())
    return out


def _years(column: pd.Series) -> tuple[pd.Series, str]:
    """The year, or the year in which a period ends."""
    text = column.astype(str).str.strip().str.replace(r"\.0$", "", regex=True)
    parts = text.str.extract(r"^(\d{4})(?:\s*[/\-\u2013]\s*(\d{2,4}))?$")
    first = pd.to_numeric(parts[0], errors="coerce")
    end = pd.to_numeric(parts[1], errors="coerce")
    end = end.where(~(end < 100), (first // 100) * 100 + end)
    end = end.where(~(end < first), end + 100)
    years = end.fillna(first)
    if (bad := years.isna()).any():
        rows = ", ".join(str(place + 2) for place in np.flatnonzero(bad.to_numpy())[:5])
        return years, f'line {rows}: "{text[bad].iloc[0]}" is not a year. Write 2018 or 2017/18.'
    return years.astype(int), ""


def _indicator(raw: pd.DataFrame, column: str | None, others: list[str], called: str) -> str:
    if column is not None:
        if column not in raw:
            raise DataError(f'{called}: column "{column}" is missing. {did_you_mean(column, raw.columns)}')
        return column
    if "value" in raw:
        return "value"
    taken = {*others, "time_period", "area_code", "old_la_code", "period"}
    numeric = [
        name for name in raw if name not in taken and pd.to_numeric(raw[name], errors="coerce").notna().mean() > 0.5
    ]
    if len(numeric) != 1:
        told = f"It has: {', '.join(map(str, numeric))}." if numeric else "None of its columns holds numbers."
        raise DataError(f"{called}: say which column is the indicator, column = ... {told}")
    return str(numeric[0])


def _values(column: pd.Series, name: str) -> tuple[pd.Series, pd.Series, list[str]]:
    """Numbers, and the symbols that stand where there is none."""
    text = column.astype(object).where(column.notna(), "").astype(str).str.strip()
    numbers = pd.to_numeric(text, errors="coerce").astype(float)
    known = text.str.lower().isin(SYMBOLS) & numbers.isna()
    bad = numbers.isna() & ~known & ~text.isin(EMPTY)
    symbols = text.str.lower().where(known, "")
    if not bad.any():
        return numbers, symbols, []
    rows = ", ".join(str(place + 2) for place in np.flatnonzero(bad.to_numpy())[:5])
    remedy = f"Write a plain number, or a symbol: {', '.join(SYMBOLS)}."
    return numbers, symbols, [f'column "{name}", line {rows}: "{text[bad].iloc[0]}" is not a number. {remedy}']


def _one_code(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[Flag]]:
    """Of an area under an old and a new code, the row without a value is left aside, and that is said."""
    keys = ["area", "level", "year"]
    # A value says most, a symbol that a value exists somewhere says more than "not applicable".
    says = frame["value"].notna() * 2 + (~frame["symbol"].isin(["z", ""])) * 1
    most = frame.assign(says=says).groupby(keys)["says"].transform("max")
    aside = frame.duplicated(keys, keep=False) & (says < most) & (frame["symbol"] != "")
    if not aside.any():
        return frame, []
    names = words.listed([str(one) for one in frame.loc[aside, "area"].unique()[:6]])
    text = f"{names}: under two codes in one year; the row that only holds a symbol was left aside."
    return frame[~aside], [Flag("value", "note", text, "Is it the same area before and after?")]


def _twice(frame: pd.DataFrame, raw: pd.DataFrame) -> list[str]:
    """An area that has two values in a year, and the column that probably tells them apart."""
    again = frame[frame.duplicated(["area", "level", "year"], keep=False)]
    if again.empty:
        return []
    area, year, level = again.iloc[0][["area", "year", "level"]]
    same = raw[((frame["area"] == area) & (frame["year"] == year) & (frame["level"] == level)).to_numpy()]
    apart = [name for name in same if 1 < same[name].nunique() <= 12 and not _numeric(same[name])]
    told = f"{area} has {len(same)} rows in {year}."
    if not apart:
        return [f"{told} Keep one row for each area and year."]
    answers = words.listed([f'"{one}"' for one in same[apart[0]].unique()], "or")
    return [f'{told} Column "{apart[0]}" tells them apart: choose with where = {{ {apart[0]} = ... }}: {answers}.']


def _numeric(column: pd.Series) -> bool:
    return bool(pd.to_numeric(column, errors="coerce").notna().all())


def _symbol_flags(frame: pd.DataFrame) -> list[Flag]:
    counts = frame.loc[frame["symbol"] != "", "symbol"].value_counts()
    told = [f"{count} \u00d7 {symbol} ({SYMBOLS[str(symbol)]})" for symbol, count in counts.items()]
    if not told:
        return []
    return [
        Flag("value", "note", f"Some values are not published, and none of them is taken for 0: {words.listed(told)}.")
    ]


def _coming_and_going(frame: pd.DataFrame) -> list[Flag]:
    """Areas without a value for every year, and areas whose code changed: boundaries may have moved."""
    first, last = int(frame["year"].min()), int(frame["year"].max())
    there = frame[frame["value"].notna()].groupby("area")["year"].agg(["min", "max"])
    late = {str(area): f"{area} from {row['min']}" for area, row in there.iterrows() if row["min"] > first}
    gone = {str(area): f"{area} until {row['max']}" for area, row in there.iterrows() if row["max"] < last}
    codes = frame[frame["code"].astype(str) != ""].groupby("area")["code"].nunique()
    flags = []
    if late or gone:
        count = len({*late, *gone})
        many = "1 area does" if count == 1 else f"{count} areas do"
        text = f"{many} not have values in every year from {first} to {last}."
        told = "; ".join([*late.values(), *gone.values()][:12])
        flags.append(Flag("value", "note", text, f"{told}. Boundaries may have changed."))
    if (changed := list(codes.index[codes > 1])) and not frame.duplicated(["area", "year"]).any():
        names = words.listed(list(map(str, changed)))
        flags.append(Flag("value", "caution", f"The code of {names} changed: is it the same area?"))
    return flags


def _rates(raw: pd.DataFrame, frame: pd.DataFrame) -> list[Flag]:
    """Rates worked out again from the numbers beside them."""
    if not set(_PUBLISHED_RATE) <= set(raw):
        return []
    number, population, published = (pd.to_numeric(raw[name], errors="coerce") for name in _PUBLISHED_RATE)
    again = rate(number, population)
    off = (again - published).abs() > 0.5 + 5 / population * PER  # a whole rate, and a number rounded to 10
    if not off.any():
        text = f"All {int(again.notna().sum())} published rates follow from number / population \u00d7 {PER:,}."
        return [Flag("value", "note", text)]
    named = [f"{frame['area'].loc[row]} {frame['year'].loc[row]}" for row in frame.index[off.loc[frame.index]]]
    text = f"{int(off.sum())} published rates do not follow from number / population \u00d7 {PER:,}."
    return [Flag("value", "caution", text, f"{'; '.join(named[:8])}. The published rate is used as it stands.")]


def rate(number: Any, population: Any, per: float = PER) -> Any:
    """A rate worked out from its numbers.

    Parameters
    ----------
    number, population : number or Series
        Counts; missing stays missing.
    per : float
        For so many.

    Returns
    -------
    float or Series
        number / population x per.
    """
    return number / population * per


def _rounded(frame: pd.DataFrame, name: str) -> list[Flag]:
    """National counts are rounded to 10 where those of authorities are not, so they need not add up."""
    national = frame.loc[frame["level"] == "National", "value"].dropna()
    local = frame.loc[frame["level"] == "Local authority", "value"].dropna()
    whole = len(national) > 0 and bool((national % 10 == 0).all()) and bool((national > 100).all())
    if whole and len(local) and not bool((local % 10 == 0).all()):
        return [
            Flag(
                "value",
                "note",
                f"National {name} are rounded to 10, those of authorities are not: they need not add up.",
            )
        ]
    return []


def neighbours_of(frame: pd.DataFrame, area: str, neighbours: Sequence[str] = ()) -> pd.DataFrame:
    """The median and the range of an area's neighbours, by year; no rank.

    Parameters
    ----------
    frame : DataFrame
        area, year, value.
    area : str
        Left out.
    neighbours : sequence of str
        Which areas.

    Returns
    -------
    DataFrame
        year, areas (how many have a value), low, median, high.
    """
    theirs = frame[frame["area"].isin([one for one in neighbours if one != area]) & frame["value"].notna()]
    grouped = theirs.groupby("year")["value"].agg(["count", "min", "median", "max"]).reset_index()
    return grouped.set_axis(["year", "areas", "low", "median", "high"], axis=1)
