"""Study folders of every project of the data set; a fault in one never stops the rest."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evalkit.errors import StudyError
from evalkit.indigo.aside import written_whole
from evalkit.indigo.folder import STUDY, folder_name, is_made_here, study_files


@dataclass(frozen=True)
class Folders:
    """What became of each project.

    Parameters
    ----------
    folders : tuple of Path
        Studies that stand, in the order of the projects.
    written : int
        How many of them were written now; the others were the same already.
    failed : dict of str to str
        Reason by project.
    """

    folders: tuple[Path, ...]
    written: int = 0
    failed: dict[str, str] = field(default_factory=dict)


def organisation_names(data: Any) -> dict[str, str]:
    """Organisation id -> name."""
    table = data.tables["organisations"]
    return dict(zip(table["organisation"].astype(str), table["name"].astype(str), strict=True))


def write_every_study(
    data: Any,
    to: str | os.PathLike[str],
    dated: str = "",
    replace: bool = False,
    told: Callable[[str], None] | None = None,
) -> Folders:
    """Write the study folder of every project; one that is the same already is left as it is.

    Parameters
    ----------
    data : IndigoData
        What `evalkit.contract.read_indigo` read.
    to : path
        Where the folders are made.
    dated : str
        Which release of the data set, in words.
    replace : bool
        Whether a study made from another record of the project is replaced.
    told : callable, optional
        Told of each project before it is written.

    Returns
    -------
    Folders
        Nothing is raised for a project that fails: it is listed with its reason.
    """
    names, folders, failed, written = organisation_names(data), [], {}, 0
    for id in dict.fromkeys(str(one) for one in data.projects["project"]):
        if told is not None:
            told(id)
        folder = Path(to) / folder_name(id)
        try:
            files = study_files(data.project(id), names, dated)
            if not _same(folder, files):
                _refuse_others(folder)
                written_whole(folder, files, STUDY, replace)
                written += 1
            folders.append(folder)
        except Exception as error:  # whatever it is, it must cost this project only
            failed[id] = str(error) if isinstance(error, StudyError) else f"{type(error).__name__}: {error}"
    return Folders(tuple(folders), written, failed)


def _refuse_others(folder: Path) -> None:
    if folder.exists() and not is_made_here(folder):
        raise StudyError(f"{folder.name} was not made by evalkit indigo: it is not replaced.")


def _same(folder: Path, files: dict[str, str]) -> bool:
    """Whether just these files stand there."""
    if not folder.is_dir() or {path.name for path in folder.iterdir()} != set(files):
        return False
    return all((folder / name).read_text(encoding="utf-8") == text for name, text in files.items())
