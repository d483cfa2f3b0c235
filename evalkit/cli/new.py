"""What evalkit new and evalkit simulate write."""

from __future__ import annotations

import importlib.resources
import os
import re
import shutil
from pathlib import Path

from evalkit.errors import StudyError
from evalkit.study import read_study, shown
from evalkit.study.read import study_file

NAME = r"[A-Za-z][A-Za-z0-9_-]{0,59}"
TEMPLATES = {
    "study.toml": "new_study.toml",
    "rate_card.csv": "new_rate_card.csv",
    "impact_map.csv": "new_impact_map.csv",
}


def write_new_study(name: str, parent: Path) -> Path:
    """Write a commented study with invented data.

    Parameters
    ----------
    name : str
        The new folder's name and the study's id.
    parent : Path
        Where the folder is made; made itself where it is not there.

    Returns
    -------
    Path
        The new folder: whole, or not there at all.

    Raises
    ------
    StudyError
        The name cannot be a folder's and an id, or the folder exists.
    """
    if not re.fullmatch(NAME, name):
        raise StudyError(
            f'"{name}" cannot name a study. Begin with a letter; then letters, digits, _ and - only, 60 at most.'
        )
    place = parent / name
    if place.exists():
        raise StudyError(f"{place.as_posix()} exists already. Choose another name, or remove it first.")
    aside = parent / f".{name}.{os.getpid()}"
    aside.mkdir(parents=True)
    try:
        _fill(aside, name)
        aside.rename(place)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return place


def _fill(folder: Path, name: str) -> None:
    from evalkit.simulate import redraw

    title = name.replace("_", " ").replace("-", " ")
    shelf = importlib.resources.files("evalkit.study")
    for file, template in TEMPLATES.items():
        text = (shelf / template).read_text(encoding="utf-8")
        text = text.replace("NEW_STUDY_ID", name).replace("NEW_STUDY_TITLE", title[0].upper() + title[1:])
        (folder / file).write_text(text, encoding="utf-8", newline="\n")
    redraw(read_study(folder, with_files=False))
    read_study(folder)


def redraw_study(folder: Path, seed: int | None = None) -> list[str]:
    """Draw a synthetic study's tables again.

    Parameters
    ----------
    folder : Path
        The study's folder.
    seed : int, optional
        Another seed than the study's.

    Returns
    -------
    list of str
        What was done, in words.

    Raises
    ------
    StudyError
        The study is not a synthetic one.
    """
    from evalkit.simulate import redraw

    study = read_study(study_file(folder).parent, with_files=False)
    plan = study.simulation
    if plan is not None and seed is not None:
        study = study.model_copy(update={"simulation": plan.model_copy(update={"seed": seed})})
    redraw(study)
    drawn = study.simulation
    lines = [f"{shown(study.folder)}: drawn again from the world {drawn.world}, seed {drawn.seed}."] if drawn else []
    if plan is not None and seed not in (None, plan.seed):
        lines.append(f"study.toml says seed = {plan.seed}. Write seed = {seed} there, so that it tells what was drawn.")
    return lines
