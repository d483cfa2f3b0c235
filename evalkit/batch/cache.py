"""What a report depends on, and whether it has changed."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import tomllib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from evalkit.report import notebook

KEY = ".key"
PACKAGE = Path(__file__).parent.parent


def report_name(folder: Path) -> str:
    """Name the report of a study: its id where study.toml can be read, else the folder's name."""
    try:
        with (folder / "study.toml").open("rb") as file:
            name = tomllib.load(file)["study"]["id"]
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError):
        return folder.name
    return name if isinstance(name, str) and name.replace("_", "").replace("-", "").isalnum() else folder.name


def key(folder: Path) -> str:
    """Digest everything that a report depends on: study and tables, notebook, package, locked versions.

    Parameters
    ----------
    folder : Path
        The study's folder.

    Returns
    -------
    str
        A SHA-256 in hexadecimal.
    """
    digest = hashlib.sha256(_surroundings().encode())
    _add(digest, sorted(path for path in folder.rglob("*") if path.is_file()), folder)
    if _reads_a_database(folder):
        digest.update(os.urandom(16))  # nobody can tell whether it has changed: such a report is always made again
    return digest.hexdigest()


def _reads_a_database(folder: Path) -> bool:
    """Whether a table of the study lies in a database."""
    try:
        with (folder / "study.toml").open("rb") as file:
            tables = tomllib.load(file).get("tables", {})
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
        return False
    return isinstance(tables, dict) and any(isinstance(one, dict) and "database" in one for one in tables.values())


@lru_cache(maxsize=1)
def _surroundings() -> str:
    digest = hashlib.sha256(platform.python_version().encode())
    kinds = {".py", ".toml", ".j2", ".css", ".json"}
    _add(digest, sorted(path for path in PACKAGE.rglob("*") if path.suffix in kinds), PACKAGE)
    _add(digest, [notebook("evaluation")], PACKAGE)
    lock = PACKAGE.parent / "requirements.lock"
    _add(digest, [lock] if lock.is_file() else [], PACKAGE)
    return digest.hexdigest()


def _add(digest: hashlib._Hash, paths: Iterable[Path], base: Path) -> None:
    for path in paths:
        name = path.relative_to(base).as_posix() if path.is_relative_to(base) else path.name
        digest.update(f"{name}\0".encode())
        with path.open("rb") as file:  # piece by piece: tables may be larger than memory
            digest.update(hashlib.file_digest(file, "sha256").digest())


def is_current(report: Path, wanted: str) -> bool:
    """Whether a whole report stands that was made from just this."""
    written = report / KEY
    whole = (report / "report.html").is_file() and written.is_file()
    return whole and written.read_text(encoding="utf-8") == wanted


def sweep(target: Path) -> None:
    """Remove what a process that was killed left half-written."""
    for left in target.glob(".making-*"):
        shutil.rmtree(left, ignore_errors=True)
