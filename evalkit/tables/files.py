"""One file to one table: csv as text, the others as they come; what is not what its name says is told so."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from evalkit.errors import DataError
from evalkit.tables.words import rows_listed

if TYPE_CHECKING:
    import pyarrow as pa

MAGIC = {
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"%PDF": "a PDF document",
    b"PAR1": "a parquet file",
    b"$FL2": "an SPSS file",
    b"$FL3": "an SPSS file",
    b"<stata_dta>": "a Stata file",
    b"\xd0\xcf\x11\xe0": "an old Excel file (xls)",
    b"PK\x03\x04": "a zip or Excel file",
    b"\x1f\x8b": "a compressed file (gzip)",
    b"SQLite format": "a SQLite database",
}


def read_file(path: Path, sheet: str | None = None) -> pd.DataFrame:
    """Read one table from a file, by its suffix.

    Parameters
    ----------
    path : Path
        csv, tsv, parquet, xlsx, sav or dta.
    sheet : str, optional
        Sheet of an Excel file; default: the first.

    Returns
    -------
    DataFrame
        csv and tsv: text only, empty cells missing. Others: the types of the file.

    Raises
    ------
    DataError
        The file is not there, is not what its name says, is empty, or its rows do not fit its header.
    """
    suffix = path.suffix.lower()
    if not path.is_file():
        raise DataError("the file is not in the folder.")
    if suffix not in READERS:
        raise DataError(f'files of the kind "{suffix}" are not read. Save it as one of: {", ".join(READERS)}.')
    _check_kind(path, suffix)
    frame = READERS[suffix](path, sheet)
    _check_repeated(frame.columns)
    if frame.empty:
        raise DataError("the table is empty: a header and no rows.")
    return frame


def _check_repeated(names: Iterable[object]) -> None:
    repeated = [str(name) for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise DataError(f"the header has {_columns(repeated)} more than once. Give each column its own name.")


def _columns(names: list[str]) -> str:
    return f"the column{'s' if len(names) > 1 else ''} {', '.join(names)}"


def _check_kind(path: Path, suffix: str) -> None:
    """Compare a file's first bytes with its name."""
    with path.open("rb") as file:
        start = file.read(4096)
    if not start.strip():
        raise DataError("the file is empty.")
    found = next((kind for magic, kind in MAGIC.items() if start.startswith(magic)), "")
    if not found and start.lstrip(b"\xef\xbb\xbf \r\n\t").lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        found = "a web page or XML"
    wanted = {".parquet": "a parquet file", ".xlsx": "a zip or Excel file", ".sav": "an SPSS file"}.get(suffix)
    stata = suffix == ".dta" and (
        found == "a Stata file" or (not found and start[0] in range(102, 116) and start[1:2] in (b"\1", b"\2"))
    )
    if stata or (wanted is not None and found == wanted):
        return
    if suffix in (".csv", ".tsv") and not found:
        if b"\0" in start:
            raise DataError(f"the file is not text, though its name ends in {suffix}. Export it again as CSV UTF-8.")
        return
    what = found or "something else, perhaps text"
    raise DataError(f"the file is {what}, though its name ends in {suffix}. Export it again, or correct its name.")


# ---------------------------------------------------------------- csv


def _read_csv(path: Path, _: str | None) -> pd.DataFrame:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    header = _header(path, delimiter)
    ragged: list[object] = []

    def skip(row: object) -> str:
        ragged.append(row)
        return "skip"

    options = {
        "read_options": arrow_csv.ReadOptions(use_threads=False, column_names=_unique(header), skip_rows=0),
        "parse_options": arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=skip),
        "convert_options": arrow_csv.ConvertOptions(
            column_types={name: pa.string() for name in _unique(header)},
            strings_can_be_null=True,
            null_values=[""],
            quoted_strings_can_be_null=True,
        ),
    }
    try:
        table = arrow_csv.read_csv(path, **options)
    except pa.ArrowInvalid as error:
        raise DataError(_unreadable(path, str(error))) from None
    if ragged:
        raise DataError(_ragged(path, delimiter, len(header)))
    return _as_text(table.slice(1), header)


def csv_header(path: Path) -> list[str]:
    """Read the header of a csv file that is too large to be read whole.

    Parameters
    ----------
    path : Path
        csv or tsv.

    Returns
    -------
    list of str
        Its columns.

    Raises
    ------
    DataError
        It is not there, is not what its name says, or its header is not usable.
    """
    if not path.is_file():
        raise DataError("the file is not in the folder.")
    _check_kind(path, path.suffix.lower())
    names = _header(path, "\t" if path.suffix.lower() == ".tsv" else ",")
    _check_repeated(names)
    return names


def find_csv_fault(path: Path) -> str:
    """Look for what keeps a csv file from being read, line by line.

    Parameters
    ----------
    path : Path
        csv or tsv, which an engine could not read.

    Returns
    -------
    str
        What is wrong, with line numbers; empty where every row fits the header.
    """
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    try:
        width = len(_header(path, delimiter))
        found = _ragged(path, delimiter, width)
    except UnicodeDecodeError as error:
        return _unreadable(path, str(error))
    return "" if "another number of cells" in found else found


def _as_text(table: pa.Table, header: list[str]) -> pd.DataFrame:
    """Text without spaces around it; a cell of spaces is missing."""
    import pyarrow.compute as pc

    columns = []
    for column in table.columns:
        text = pc.utf8_trim_whitespace(column)
        columns.append(pc.if_else(pc.equal(text, ""), None, text))
    frame = table.from_arrays(columns, names=_unique(header)).to_pandas()
    frame.columns = header
    return frame.astype("str")


def _unique(header: list[str]) -> list[str]:
    return [f"{number}" for number, _ in enumerate(header)]


def _header(path: Path, delimiter: str) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            names = next((row for row in csv.reader(file, delimiter=delimiter) if row), [])
    except UnicodeDecodeError as error:
        raise DataError(_unreadable(path, str(error))) from None
    names = [name.strip() for name in names]
    if delimiter == "," and len(names) == 1 and (";" in names[0] or "\t" in names[0]):
        between = "semicolons" if ";" in names[0] else "tabs"
        raise DataError(f"the columns are separated by {between}. Save it with commas between the columns.")
    if "" in names:
        raise DataError(f"column {names.index('') + 1} has no name in the header. Name it or delete it.")
    return names


def _unreadable(path: Path, message: str) -> str:
    """Say in which line the text stops being UTF-8, or what the reader said."""
    for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            return f"line {number} is not UTF-8 text. Save it as CSV UTF-8."
    return f"it cannot be read as a table: {message.splitlines()[0]}. Is a quote left open?"


def _ragged(path: Path, delimiter: str, width: int) -> str:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file, delimiter=delimiter)
        wrong = [(rows.line_num, len(row)) for row in rows if row and len(row) != width]
    cells = sorted({count for _, count in wrong})
    found = f"{' or '.join(map(str, cells[:3]))} cells" if cells else "another number of cells"
    return (
        f"the header has {width} columns and {rows_listed([line for line, _ in wrong])} "
        f"{'has' if len(wrong) == 1 else 'have'} {found}. Is a comma missing, or not in quotes?"
    )


def line_numbers(path: Path) -> list[int] | None:
    """The file's line number of each row, for messages.

    Parameters
    ----------
    path : Path
        The file of a table.

    Returns
    -------
    list of int or None
        Line 1 is the header. None where the file has no lines.
    """
    if path.suffix.lower() not in (".csv", ".tsv"):
        return None
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
        return [rows.line_num for row in rows if row][1:]


# ---------------------------------------------------------------- other kinds


def _read_parquet(path: Path, _: str | None) -> pd.DataFrame:
    return pd.read_parquet(path)


def _read_xlsx(path: Path, sheet: str | None) -> pd.DataFrame:
    import openpyxl

    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    if sheet is not None and sheet not in book.sheetnames:
        raise DataError(f'there is no sheet "{sheet}". The file has: {", ".join(book.sheetnames)}.')
    rows = [list(row) for row in book[sheet or book.sheetnames[0]].iter_rows(values_only=True)]
    book.close()
    rows = [row for row in rows if any(cell is not None for cell in row)]
    if not rows:
        raise DataError("the sheet is empty.")
    width = max(number for number, name in enumerate(rows[0], start=1) if name is not None)
    names = [str(name).strip() if name is not None else "" for name in rows[0][:width]]
    if "" in names:
        raise DataError(f"column {names.index('') + 1} has no name in the header. Name it or delete it.")
    return pd.DataFrame([row[:width] for row in rows[1:]], columns=names, dtype=object)


def _read_sav(path: Path, _: str | None) -> pd.DataFrame:
    import pyreadstat

    return pyreadstat.read_sav(path)[0]


def _read_dta(path: Path, _: str | None) -> pd.DataFrame:
    return pd.read_stata(path, convert_categoricals=False)


def _told(reader: Callable[[Path, str | None], pd.DataFrame]) -> Callable[[Path, str | None], pd.DataFrame]:
    """A reader whose library's own errors are told as ours."""

    def read(path: Path, sheet: str | None) -> pd.DataFrame:
        try:
            return reader(path, sheet)
        except DataError:
            raise
        except Exception as error:  # each library has errors of its own
            said = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise DataError(f"it cannot be read as {path.suffix[1:]}: {said[:120]}. Export it again.") from error

    return read


READERS: dict[str, Callable[[Path, str | None], pd.DataFrame]] = {
    ".csv": _read_csv,
    ".tsv": _read_csv,
    ".parquet": _told(_read_parquet),
    ".xlsx": _told(_read_xlsx),
    ".sav": _told(_read_sav),
    ".dta": _told(_read_dta),
}
