"""Folders that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from evalkit.errors import StudyError
from evalkit.study import shown


def written_whole(folder: Path, files: Mapping[str, str], mark: str, replace: bool = False) -> Path:
    """Write a folder aside and put it in its place when it is whole.

    Parameters
    ----------
    folder : Path
        The new folder; its parents are made.
    files : dict of str to str
        Text by file name.
    mark : str
        The file by which a folder that may be replaced is known.
    replace : bool
        Whether one that is there already may be replaced.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    StudyError
        It is there already and may not, or cannot, be replaced.
    """
    refuse_standing(folder, mark, replace)
    aside = folder.with_name(f".{folder.name}.{os.getpid()}")
    aside.mkdir(parents=True)
    try:
        for name, text in files.items():
            (aside / name).write_text(text, encoding="utf-8", newline="\n")
        _put(aside, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return folder


def refuse_standing(folder: Path, mark: str, replace: bool) -> None:
    """Refuse to write where something stands that may not be replaced."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not replace:
        raise StudyError(f"{shown(folder)} exists already. Choose another folder, or write --replace to replace it.")
    if not (folder / mark).is_file():
        raise StudyError(f"{shown(folder)} holds no {mark}: it is not replaced. Choose another folder.")


def _put(aside: Path, folder: Path) -> None:
    old = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    if folder.exists():
        folder.rename(old)
    aside.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
