"""The two doors: the tables of persons, and the small csv files of contract and value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from evalkit.errors import DataError, did_you_mean, several
from evalkit.study import Study, shown
from evalkit.study.model import TableFile, TableInDatabase
from evalkit.tables.expected import Needed, columns_needed, columns_used, covariates_unknown, person_tables
from evalkit.tables.files import line_numbers, read_file
from evalkit.tables.kinds import Kind, Wrong, convert
from evalkit.tables.words import quoted, rows_listed, shape
from evalkit.words import number


def read_tables(study: Study, names: Iterable[str] | None = None) -> dict[str, pd.DataFrame]:
    """Read the tables of a study and make their columns what the plan needs.

    Parameters
    ----------
    study : Study
        Its [tables] name the files: csv, tsv, parquet, xlsx, sav or dta.
    names : iterable of str, optional
        Which tables; default: all.

    Returns
    -------
    dict of str to DataFrame
        Empty cells are missing; columns whose every value is a number or an ISO date are numbers or dates; the
        column that identifies a person is text in every table.

    Raises
    ------
    DataError
        Everything that is wrong with any of the tables, in one message.
    """
    wanted = list(study.tables) if names is None else list(names)
    problems: list[str] = []
    raw: dict[str, pd.DataFrame] = {}
    for name in wanted:
        try:
            raw[name] = _read(study, name)
        except DataError as error:
            problems.append(f"{_called(study, name)}: {error}")
    needed = [one for one in columns_needed(study) if all(table in raw for table in one.tables)]
    problems += _absent(study, raw, needed)
    tables = {name: _typed(study, name, frame, needed, problems) for name, frame in raw.items()}
    if set(person_tables(study)) <= set(raw):
        problems += _covariates(study, raw)
    if problems:
        raise DataError(several(f"The data of {shown(study.folder)}", problems))
    return tables


def _called(study: Study, name: str) -> str:
    source = study.tables.get(name)
    file = source if isinstance(source, str) else source.file if isinstance(source, TableFile) else ""
    return f'table "{name}" ({file})' if file else f'table "{name}"'


def _read(study: Study, name: str) -> pd.DataFrame:
    source = study.tables.get(name)
    if source is None:
        raise DataError(f"the study has no such table. {did_you_mean(name, study.tables)}")
    if isinstance(source, TableInDatabase):
        raise DataError("tables in a database are not read by this version. Export it to a parquet file.")
    file, sheet = (source, None) if isinstance(source, str) else (source.file, source.sheet)
    return read_file(study.path(file), sheet)


def _path(study: Study, name: str) -> Path:
    source = study.tables[name]
    return study.path(source if isinstance(source, str) else getattr(source, "file", ""))


def _absent(study: Study, raw: dict[str, pd.DataFrame], needed: list[Needed]) -> list[str]:
    """Columns that the plan names and no table has, those of one place in one sentence."""
    by_place: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for one in needed:
        if not any(one.column in raw[table].columns for table in one.tables):
            by_place.setdefault((one.by, one.tables), []).append(one.column)
    problems = []
    for (by, tables), columns in by_place.items():
        where = " and ".join(_called(study, table) for table in tables)
        there = [str(column) for table in tables for column in raw[table].columns]
        names = ", ".join(f'"{column}"' for column in columns[:5]) + (", ..." if len(columns) > 5 else "")
        what = f"no column {names}" if len(columns) == 1 else f"not the {number(len(columns), 0)} columns {names}"
        problems.append(f"{where} has {what}, which {by} names. {did_you_mean(columns[0], there)}")
    return problems


def _typed(study: Study, name: str, raw: pd.DataFrame, needed: list[Needed], problems: list[str]) -> pd.DataFrame:
    """One table with each column of its kind; what cannot be is added to the problems."""
    kinds: dict[str, Kind] = {}
    for one in needed:
        if name in one.tables and one.kind != "any":
            kinds.setdefault(one.column, one.kind)
    used = columns_used(study)
    columns = {}
    for column in raw.columns:
        columns[column], wrong = convert(raw[column], kinds.get(column, "any"), column in used)
        if wrong is not None:
            where, first = f'{_called(study, name)}, column "{column}"', f"the first looks like {shape(wrong.first)}"
            problems.append(_cells(where, wrong, _path(study, name), first))
    frame = pd.DataFrame(columns)
    for column in (c for c, kind in kinds.items() if kind == "text" and c in frame.columns):
        empty = Wrong(("", ""), frame.index[frame[column].isna()].tolist(), "", "")
        if empty.rows:
            lines = _lines(empty, _path(study, name))
            problems.append(
                f'{_called(study, name)}, column "{column}": {_cell_count(len(lines))} empty, in {rows_listed(lines)}. '
                "Every row must say whose it is."
            )
    return frame


def _lines(wrong: Wrong, path: Path) -> list[int]:
    lines = line_numbers(path)
    return [row + 2 if lines is None else lines[row] for row in wrong.rows]


def _cell_count(count: int) -> str:
    return "1 cell is" if count == 1 else f"{number(count, 0)} cells are"


def _cells(where: str, wrong: Wrong, path: Path, first: str) -> str:
    lines = _lines(wrong, path)
    found = f"{_cell_count(len(lines))} not {wrong.finding[len(lines) > 1]}"
    return f"{where}: {found}, in {rows_listed(lines)} ({first}). {wrong.remedy}"


def _covariates(study: Study, raw: dict[str, pd.DataFrame]) -> list[str]:
    columns = {str(column) for table in person_tables(study) for column in raw[table].columns}
    return [
        f'[counterfactual] names "{name}", which is neither a column of a person nor a measure. '
        f"{did_you_mean(name, known)}"
        for name, known in covariates_unknown(study, columns)
    ]


def read_csv_checked(study: Study, file: str, columns: dict[str, Kind], required: Sequence[str] = ()) -> pd.DataFrame:
    """Read one of the small csv files that people edit: a rate card, payments, an impact map.

    Parameters
    ----------
    study : Study
        In whose folder the file lies.
    file : str
        As the study names it.
    columns : dict of str to {"text", "number", "money", "date", "share"}
        The columns that are understood, with their kinds.
    required : sequence of str
        Columns that must be there.

    Returns
    -------
    DataFrame
        The columns asked for, in that order, missing where the file has none; then any others, as they are.

    Raises
    ------
    DataError
        All that is wrong with the file, in one message; row numbers are its line numbers, the header being line 1.
    """
    where = f"{shown(study.folder)}/{file}"
    try:
        raw = read_file(study.path(file))
    except DataError as error:
        raise DataError(f"{where}: {error}") from error
    problems = _headings(raw, columns, required)
    frame = pd.DataFrame(index=raw.index)
    for name in [*columns, *(other for other in raw.columns if other not in columns)]:
        if name not in raw.columns:
            frame[name] = _nothing(raw.index, columns[name])
            continue
        frame[name], wrong = convert(raw[name], columns.get(name, "any"))
        if wrong is not None:
            first = f"the first: {quoted(wrong.first)}"
            problems.append(_cells(f'column "{name}"', wrong, study.path(file), first))
    if problems:
        raise DataError(several(where, problems))
    return frame


def _headings(raw: pd.DataFrame, columns: dict[str, Kind], required: Sequence[str]) -> list[str]:
    """Columns that are wanted and not there, and columns that look like one of those misspelt."""
    there = [str(name) for name in raw.columns]
    absent = [name for name in columns if name not in there]
    problems = []
    for name in required:
        if name not in there:
            hint = did_you_mean(name, [other for other in there if other not in columns])
            problems.append(f'column "{name}" is missing. {hint if hint.startswith("Did") else _header_of(there)}')
    for other in there:
        hint = did_you_mean(other, [name for name in absent if name not in required])
        if other not in columns and hint.startswith("Did"):
            problems.append(f'column "{other}" is not known. {hint}')
    return problems


def _header_of(there: list[str]) -> str:
    return f"The header has: {', '.join(there)}."


def _nothing(index: pd.Index, kind: Kind) -> pd.Series:
    """A column of nothing known, of its kind."""
    dtype = {"text": "str", "any": "str", "date": "datetime64[us]"}.get(kind, "float64")
    return pd.Series([None] * len(index), index=index, dtype=dtype)
