"""Reading a study: the file's text, its parts, then whether the parts agree; every problem is told at once."""

from __future__ import annotations

import copy
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from evalkit.errors import StudyError, did_you_mean, nearest, several
from evalkit.study.checks import disagreements
from evalkit.study.model import Study, StudyFile
from evalkit.study.names import Names
from evalkit.study.wording import Loc, nearest_key, sentences, trimmed

FILE = "study.toml"


def read_study(folder: str | Path, with_files: bool = True) -> Study:
    """Read and validate a study before any data are read.

    Parameters
    ----------
    folder : str or Path
        The study's folder, or its study.toml.
    with_files : bool
        Whether the files it names must be there; False before a synthetic study is drawn.

    Returns
    -------
    Study
        Every part of study.toml as an attribute, and the folder.

    Raises
    ------
    StudyError
        There is no such study, its file is not TOML, or the plan is wrong: all problems in one message.
    """
    path = study_file(Path(folder))
    raw = _parse(path)
    problems: list[str] = []
    study: Study | None = None
    try:
        study = _as_study(raw, path.parent)
    except ValidationError as error:
        problems = sentences(error.errors(), raw)
        mended = _mended(raw, path.parent)
        study = _as_study(mended, path.parent) if mended is not None else None
    if study is not None:
        problems += disagreements(study, Names.of(study, raw), with_files)
    if problems or study is None:
        raise StudyError(several(shown(path), problems))
    return study


def schema() -> dict[str, Any]:
    """The JSON Schema of study.toml, for editors that complete and check as one types.

    Returns
    -------
    dict
        JSON Schema, draft 2020-12.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **StudyFile.model_json_schema(),
        "title": "evalkit study.toml",
    }


def shown(path: Path) -> str:
    """A path as a reader sees it: from the working folder where it lies below, else by its name.

    Parameters
    ----------
    path : Path
        A file or folder.

    Returns
    -------
    str
        With forward slashes, never absolute; a file's name comes with that of its folder.
    """
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return "/".join(path.resolve().parts[-1 if path.is_dir() else -2 :])


# ---------------------------------------------------------------- the file


def study_file(path: Path) -> Path:
    """Where a study's file lies.

    Parameters
    ----------
    path : Path
        The study's folder, or its study.toml.

    Returns
    -------
    Path
        The study.toml, absolute.

    Raises
    ------
    StudyError
        There is no such study, with the nearest ones.
    """
    path = _in_project(path)
    if path.is_dir():
        if (path / FILE).is_file():
            return (path / FILE).resolve()
        raise StudyError(f"{shown(path)} has no {FILE}. {_studies_near(path)}".rstrip())
    if path.is_file():
        if path.suffix == ".toml":
            return path.resolve()
        raise StudyError(f"{shown(path)} is not a study. Give the study's folder, or its {FILE}.")
    raise StudyError(f"There is no study folder {_as_given(path)}. {_studies_near(path)}".rstrip())


def _in_project(path: Path) -> Path:
    """A relative folder is also looked up from the folders above: a notebook runs in notebooks/, not in the project."""
    if path.is_absolute() or path.exists():
        return path
    found = (above / path for above in Path.cwd().parents[:3] if (above / path).exists())
    return next(found, path)


def _as_given(path: Path) -> str:
    return shown(path) if path.is_absolute() else path.as_posix()


def _studies_near(path: Path) -> str:
    """Suggest study folders inside, beside, or in data/raw."""
    for parent in (path, path.parent, Path("data/raw")):
        if parent.is_dir():
            found = {each.parent.name: each.parent for each in sorted(parent.glob(f"*/{FILE}"))}
            if near := nearest(path.name, found):
                return f'Did you mean "{shown(found[near])}"?'
            if found:
                return did_you_mean("", [shown(each) for each in found.values()])
    return f"A study is a folder with a {FILE}; evalkit new NAME writes one."


def _parse(path: Path) -> dict[str, Any]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise StudyError(f"{shown(path)} is not a text file in UTF-8. Open it in a text editor and save it as UTF-8.")
    text = text.replace("\r\n", "\n")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyError(_syntax(shown(path), str(error), text)) from None


def _syntax(where: str, message: str, text: str) -> str:
    """A syntax error with its line quoted."""
    finding, _, spot = message.partition(" (at ")
    digits = "".join(c if c.isdigit() else " " for c in spot).split()
    if not digits:
        return several(where, [f"It ends too early: {finding}. Is a quote or bracket left open?"])
    number = int(digits[0])
    line = text.split("\n")[number - 1].strip()
    return several(where, [f"Line {number} is not TOML: {finding}. The line reads: {line[:80]}"])


# ---------------------------------------------------------------- what is wrong, and going on in spite of it


def _as_study(raw: dict[str, Any], folder: Path) -> Study:
    if "folder" in raw:  # the noun's own field is not a key of the file
        StudyFile.model_validate(raw)
    return Study.model_validate({**raw, "folder": folder})


def _mended(raw: dict[str, Any], folder: Path) -> dict[str, Any] | None:
    """A copy without what was wrong, so that the rest can still be checked; None when that cannot be had."""
    mended = copy.deepcopy(raw)
    for _ in range(20):
        about = mended.get("study")
        mended["study"] = {"id": "x", "title": "x", "kind": "real", **(about if isinstance(about, dict) else {})}
        try:
            _as_study(mended, folder)
        except ValidationError as error:
            unknown = [one for one in error.errors() if one["type"] == "extra_forbidden"]
            for one in reversed(unknown or error.errors()):
                _mend(mended, one)
        else:
            return mended
    return None


def _mend(mended: dict[str, Any], error: ErrorDetails) -> None:
    """Rename a misspelt key, drop a wrong value, drop the entry in which something is missing."""
    loc = trimmed(error["loc"], mended)
    *path, last = _entry(loc) if error["type"] == "missing" else loc
    here: Any = mended
    for key in path:
        if isinstance(here, dict) and key not in here:
            return  # gone already, with an entry in which something else was missing
        here = here[key]
    value = here.pop(last, None) if isinstance(here, dict) else here.pop(last)
    if error["type"] == "extra_forbidden":
        near = nearest_key(error["loc"])
        if near and near not in here:
            here[near] = value


def _entry(loc: Loc) -> Loc:
    """The entry of a list, or the part, in which something is missing."""
    inside = [number for number, key in enumerate(loc[:-1]) if isinstance(key, int)]
    return loc[: inside[-1] + 1] if inside else loc[:1]
