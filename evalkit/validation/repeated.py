"""Repeating every published result on the list whose data are at hand."""

from __future__ import annotations

import importlib
import os
import pkgutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from evalkit.errors import EvalkitError, StudyError, did_you_mean
from evalkit.validation.nouns import COLUMNS, Line, Paper, Validation

_LIST: dict[str, Paper] = {}
PLACES = ("tests/data", "data/reference")  # what may be shipped, and where a user puts the rest


def paper(id: str, title: str, reference: str, **about: Any) -> Callable[..., Any]:
    """Put a repeated result on the list: a function from the data to lines.

    Parameters
    ----------
    id, title, reference : str
        As in `Paper`.
    **about
        file, licence, shipped, obtain.

    Returns
    -------
    callable
        The decorator; the function is left as it is.
    """

    def register(run: Callable[[pd.DataFrame], list[Line]]) -> Callable[[pd.DataFrame], list[Line]]:
        _LIST[id] = Paper(id, title, reference, run, **about)
        return run

    return register


def papers() -> dict[str, Paper]:
    """All results on the list, by id.

    Returns
    -------
    dict of str to Paper
        In the order of their ids.
    """
    import evalkit.validation.papers as folder

    for module in pkgutil.iter_modules(folder.__path__):
        importlib.import_module(f"{folder.__name__}.{module.name}")
    return dict(sorted(_LIST.items()))


def validate(
    data: str | os.PathLike[str] | Sequence[str] | None = None, only: Iterable[str] | None = None
) -> Validation:
    """Repeat every published and peer result whose data are at hand.

    Parameters
    ----------
    data : path or sequence of path, optional
        Folders to look for the data in, beside ``tests/data`` and ``data/reference`` of the project.
    only : iterable of str, optional
        Ids of papers; default: all.

    Returns
    -------
    Validation
        Expected beside obtained for every number, and which data were not found.

    Raises
    ------
    StudyError
        A folder that is not there, or a paper that is not on the list.
    """
    known = papers()
    wanted = list(known) if only is None else list(only)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise StudyError(f'There is no paper "{unknown[0]}" to repeat. {did_you_mean(unknown[0], known)}')
    folders = _folders(data)
    rows: list[dict[str, Any]] = []
    done, absent = {}, {}
    for name in wanted:
        file = _find(known[name].file, folders)
        if known[name].file and file is None:
            absent[name] = known[name]
            continue
        rows += _lines(known[name], file)
        done[name] = known[name]
    return Validation(pd.DataFrame(rows, columns=COLUMNS), done, absent)


def _folders(data: str | os.PathLike[str] | Sequence[str] | None) -> list[Path]:
    given = [] if data is None else [data] if isinstance(data, str | os.PathLike) else list(data)
    named = [Path(folder) for folder in given]
    gone = [folder for folder in named if not folder.is_dir()]
    if gone:
        raise StudyError(f'"{gone[0]}" is not a folder. Name one that holds reference data as csv files.')
    own = Path(__file__).resolve().parents[2]
    return [*named, *(place / folder for place in (Path.cwd(), own) for folder in PLACES)]


def _find(file: str, folders: list[Path]) -> Path | None:
    """The file, or the same file under the number by which it is kept here ("v06_lalonde.csv")."""
    for folder in folders if file else ():
        for name in (file, f"{file}.gz"):
            if (folder / name).is_file():
                return folder / name
        kept = sorted(folder.glob(f"v[0-9][0-9]_{file}")) if folder.is_dir() else []
        if kept:
            return kept[0]
    return None


def _lines(one: Paper, file: Path | None) -> list[dict[str, Any]]:
    """The rows of one paper; where it cannot be repeated, one row that says so and does not agree."""
    try:
        lines = one.run(pd.read_csv(file) if file is not None else pd.DataFrame())
    except (EvalkitError, KeyError, ValueError) as error:
        lines = [Line(f"could not be repeated: {error}", float("nan"), float("nan"), 0.0, "")]
    return [
        {
            "paper": one.id,
            **{name: getattr(line, name) for name in ("what", "expected", "obtained")},
            "difference": line.obtained - line.expected,
            **{name: getattr(line, name) for name in ("tolerance", "agrees", "source")},
        }
        for line in lines
    ]
