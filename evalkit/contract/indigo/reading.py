"""Reading the tables of the impact bond data set: csv files of one folder, or the sheets of one spreadsheet.

Nothing is repaired. A number that is not written as one stays as text beside an empty number, and every row keeps its
line in the file.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from evalkit.contract.indigo.columns import PERSONAL, REQUIRED, columns_of, plain, table_of
from evalkit.contract.indigo.labels import LABELS
from evalkit.errors import DataError, did_you_mean, nearest, several
from evalkit.tables.files import find_csv_fault, read_file

TEXT_OF = "{}_text"


@dataclass(frozen=True, eq=False)
class Read:
    """The tables as read, and what reading them met.

    Parameters
    ----------
    tables : dict of str to DataFrame
        Every table of the data set, empty where it was not there: columns by their short names, text "" where empty,
        numbers and money missing where they are not plainly written, ``<column>_text`` beside every number column as
        it was typed, and ``line``, the row's line in its file (1 is the header).
    absent : tuple of str
        Tables that were not there.
    dropped : dict of str to int
        Table -> how many columns about persons were left out.
    unknown : dict of str to tuple of str
        Table -> headers that are none of the data set's; kept as text.
    """

    tables: dict[str, pd.DataFrame]
    absent: tuple[str, ...]
    dropped: dict[str, int]
    unknown: dict[str, tuple[str, ...]]


def read_all(place: Path) -> Read:
    """Read every table in a folder or spreadsheet.

    Parameters
    ----------
    place : Path
        A folder of csv files named for their tables ("original_projects_results.csv"), or one xlsx with such sheets.

    Returns
    -------
    Read
        The tables.

    Raises
    ------
    DataError
        There is no such folder, it holds no such tables, or some of them cannot be read: all at once.
    """
    raw, problems = _raw(place)
    if REQUIRED not in raw and not problems:
        problems.append(_not_the_data_set(place, raw))
    dropped: dict[str, int] = {}
    unknown: dict[str, tuple[str, ...]] = {}
    tables = {}
    for name in LABELS:
        if name in raw:
            tables[name], dropped[name], unknown[name] = _typed(name, raw[name])
            problems += _keyless(name, tables[name])
        else:
            tables[name] = _empty(name)
    if problems:
        raise DataError(several(str(place), problems))
    absent = tuple(name for name in LABELS if name not in raw)
    kept = {name: count for name, count in dropped.items() if count}
    return Read(tables, absent, kept, {name: heads for name, heads in unknown.items() if heads})


def _raw(place: Path) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """Tables as text, and what could not be read."""
    if place.is_file() and place.suffix.lower() in (".xlsx", ".xlsm"):
        return _sheets(place)
    if place.is_file():
        raise DataError(f"{place} is a file. Give the folder that holds it, or the data set as one xlsx file.")
    if not place.is_dir():
        beside = [path.name for path in place.parent.iterdir()] if place.parent.is_dir() else []
        near = nearest(place.name, beside)
        hint = f'Did you mean "{near}"?' if near else "Give the folder that holds original_projects.csv."
        raise DataError(several(str(place), [f"There is no such folder. {hint}"]))
    tables: dict[str, pd.DataFrame] = {}
    problems: list[str] = []
    for path in sorted(place.iterdir()):
        name = table_of(path.stem)
        if path.suffix.lower() != ".csv" or name is None:
            continue
        if name in tables:
            problems.append(f'{path.name}: there are two files of the table "{name}". Leave only one.')
            continue
        try:
            tables[name] = _csv(path)
        except DataError as error:
            problems.append(f"{path.name}: {error}")
    books = sorted(place.glob("*.xlsx"))
    if not tables and not problems and len(books) == 1:
        return _sheets(books[0])
    return tables, problems


def _csv(path: Path) -> pd.DataFrame:
    """One file as text, with the line of each row."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(find_csv_fault(path) or str(error)) from None
    if not rows:
        raise DataError("the file is empty.")
    header = rows[0][1]
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise DataError(f"the header has {', '.join(repeated)} more than once. Give each column its own name.")
    if any(len(row) != len(header) for _, row in rows):
        raise DataError(find_csv_fault(path))
    table = pd.DataFrame([row for _, row in rows[1:]], columns=header, dtype="str")
    return table.assign(line=np.array([line for line, _ in rows[1:]], dtype="int64"))


def _sheets(path: Path) -> tuple[dict[str, pd.DataFrame], list[str]]:
    import openpyxl

    book = openpyxl.load_workbook(path, read_only=True)
    names = {sheet: table_of(sheet) for sheet in book.sheetnames}
    book.close()
    tables: dict[str, pd.DataFrame] = {}
    problems = []
    for sheet, name in names.items():
        if name is None:
            continue
        try:
            table = read_file(path, sheet)
        except DataError as error:
            if "the table is empty" not in str(error):
                problems.append(f'{path.name}, sheet "{sheet}": {error}')
            continue
        text = pd.DataFrame({head: table[head].map(_cell).astype("str") for head in table})
        tables[name] = text.assign(line=np.arange(len(text)) + 2)
    return tables, problems


def _cell(value: object) -> str:
    """A cell of a spreadsheet as it would stand in a csv file."""
    if value is None or value != value:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.strftime("%Y-%m-%d") if hasattr(value, "strftime") else str(value).strip()


def _not_the_data_set(place: Path, raw: dict[str, pd.DataFrame]) -> str:
    if raw:
        return f"It has no table of projects (original_projects.csv), only: {', '.join(sorted(raw))}."
    there = [path.name for path in sorted(place.iterdir())] if place.is_dir() else []
    for path in (place / name for name in there):
        if path.is_dir() and any(table_of(file.stem) == REQUIRED for file in path.glob("*.csv")):
            return f'Its tables are in the folder "{path.name}" inside it. Give that folder.'
    found = f"It holds {', '.join(there[:5])}{', ...' if len(there) > 5 else ''}." if there else "It is empty."
    return (
        f"No table of the impact bond data set is here. {found} "
        "Give the folder that holds original_projects.csv and the tables beside it."
    )


def _typed(table: str, raw: pd.DataFrame) -> tuple[pd.DataFrame, int, tuple[str, ...]]:
    """A table with short names and typed columns; how many personal columns fell away; strange headers."""
    known = columns_of(table)
    columns: dict[str, pd.Series] = {"line": raw["line"]}
    dropped, strange = 0, []
    for header in raw.columns.drop("line"):
        word = plain(header)
        if table == "organisations" and PERSONAL.search(word):
            dropped += 1
            continue
        column = known.get(word)
        text = raw[header]
        if column is None or column.short in columns:
            strange.append(str(header))
            columns.setdefault(word or "nameless", text)
        elif column.kind in ("number", "money"):
            columns[column.short], columns[TEXT_OF.format(column.short)] = plain_numbers(text), text
        else:
            columns[column.short] = text
    frame = pd.DataFrame(columns)
    return _completed(table, frame), dropped, tuple(head for head in strange if "sandbox" not in head.lower())


def plain_numbers(text: pd.Series) -> pd.Series:
    """Numbers where a cell is one and nothing else; "3600 (as of May)", "$1.2M" and "5%" are none.

    Parameters
    ----------
    text : Series of str
        "" where empty.

    Returns
    -------
    Series of float
        Missing where a cell is no plain number.
    """
    numbers = pd.to_numeric(text, errors="coerce").astype(float)
    return numbers.where(np.isfinite(numbers))


def _completed(table: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Every known column, in the data set's order, and the others after it."""
    text = pd.Series([""] * len(frame), index=frame.index, dtype="str")
    none = pd.Series(np.nan, index=frame.index, dtype=float)
    absent = {}
    for column in columns_of(table).values():
        numeric, typed = column.kind in ("number", "money"), TEXT_OF.format(column.short)
        if column.short not in frame:
            absent[column.short] = none if numeric else text
        if numeric and typed not in frame:
            absent[typed] = text
    frame = frame.assign(**absent) if absent else frame
    first = [column.short for column in columns_of(table).values()]
    frame = frame[[*first, *[name for name in frame if name not in first]]]
    return _normal(frame) if table in ("outcome_payments", "outcome_payment_plans") else frame


def _normal(frame: pd.DataFrame) -> pd.DataFrame:
    """Plan ids and kinds of payment in lower case, with what was written beside them."""
    frame = frame.assign(plan_text=frame["plan"], plan=frame["plan"].str.lower())
    return frame.assign(kind_text=frame["kind"], kind=frame["kind"].str.lower()) if "kind" in frame else frame


def _empty(table: str) -> pd.DataFrame:
    return _completed(table, pd.DataFrame({"line": pd.Series(dtype="int64")}))


def _keyless(table: str, frame: pd.DataFrame) -> list[str]:
    """A table without its id column is another table."""
    key = next(iter(columns_of(table).values()))
    if len(frame) and bool((frame[key.short] == "").all()):
        heads = [re.sub(r"_text$", "", str(name)) for name in frame.columns]
        return [f'The table "{table}" has no column "{key.header}". {did_you_mean(key.header, heads)}']
    return []
