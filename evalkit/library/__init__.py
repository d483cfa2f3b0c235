"""The shelf: instruments, unit values, parameters, standards and frameworks, each a small file with its source.

Data and no logic: a thing is added by adding a TOML file to its folder, and the tests over the shelf find it.
"""

from __future__ import annotations

import copy
import functools
import importlib.resources
import tomllib
from typing import TYPE_CHECKING, Any

from evalkit.errors import StudyError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("instruments", "unit_values", "parameters", "standards", "frameworks")
UNCONFIRMED = "unconfirmed"
_BY_THAT_NAME = f" ({UNCONFIRMED})"


def catalogue() -> pd.DataFrame:
    """List everything on the shelf.

    Returns
    -------
    DataFrame
        One row per entry: ``kind``, ``id``, ``title``, ``status`` ("checked", "unconfirmed" or what the file says),
        ``source`` and ``file`` (inside the package).
    """
    import pandas as pd

    rows = [_line(kind, entry, file) for kind in KINDS for file, entry in _shelf(kind).items()]
    return pd.DataFrame(rows, columns=["kind", "id", "title", "status", "source", "file"])


def load(kind: str, id: str, allow_unconfirmed: bool = False) -> dict[str, Any]:
    """Take one entry off the shelf.

    Parameters
    ----------
    kind : {"instruments", "unit_values", "parameters", "standards", "frameworks"}
        Which board of the shelf; the singular is understood.
    id : str
        The entry's id. An entry whose status is "unconfirmed" comes only by its full name, "<id> (unconfirmed)".
    allow_unconfirmed : bool
        Whether an unconfirmed entry may come by its plain id too.

    Returns
    -------
    dict
        The file's content; a copy, so that nothing done to it reaches the shelf.

    Raises
    ------
    StudyError
        No such board or entry (with the nearest name), or an unconfirmed entry not asked for as such.
    """
    board = _board(kind)
    wanted = str(id).removesuffix(_BY_THAT_NAME)
    entries = {str(entry["id"]): entry for entry in _shelf(board).values()}
    if wanted not in entries:
        singular = board.removesuffix("s").replace("_", " ")
        raise StudyError(f'{singular} "{wanted}" is not known. {did_you_mean(wanted, entries)}'.strip())
    entry = entries[wanted]
    asked = allow_unconfirmed or str(id).endswith(_BY_THAT_NAME)
    if entry.get("status") == UNCONFIRMED and not asked:
        raise StudyError(
            f'"{wanted}" on the shelf ({board}) is unconfirmed: it has no second source. '
            f'To use it all the same, ask for "{wanted}{_BY_THAT_NAME}".'
        )
    return copy.deepcopy(entry)


def _board(kind: str) -> str:
    board = next((name for name in KINDS if kind in (name, name.removesuffix("s"))), None)
    if board is None:
        raise StudyError(f'The shelf has no "{kind}". {did_you_mean(kind, KINDS)}')
    return board


@functools.cache
def _shelf(kind: str) -> dict[str, dict[str, Any]]:
    """All entries of one board by file name, read once."""
    folder = importlib.resources.files(__name__) / kind
    if not folder.is_dir():
        return {}
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
    return {file.name: _entry(kind, file) for file in files}


def _entry(kind: str, file: Any) -> dict[str, Any]:
    try:
        entry = tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as problem:
        raise StudyError(f"library/{kind}/{file.name} cannot be read: {problem}.") from problem
    return {"id": file.name.removesuffix(".toml"), **entry}


def _line(kind: str, entry: dict[str, Any], file: str) -> dict[str, str]:
    source = entry.get("source", entry.get("sources", ""))
    return {
        "kind": kind,
        "id": str(entry["id"]),
        "title": str(entry.get("title", entry.get("label", entry["id"]))),
        "status": str(entry.get("status", "")),
        "source": source if isinstance(source, str) else "; ".join(map(str, source)),
        "file": f"library/{kind}/{file}",
    }
