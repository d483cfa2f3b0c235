"""The files a study names, and whether they are there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from evalkit.errors import did_you_mean, nearest
from evalkit.study.model import Study, TableInDatabase


def files_named(study: Study) -> Iterator[tuple[str, str]]:
    """Every file that a study names, with the place that names it.

    Parameters
    ----------
    study : Study
        Whose files.

    Yields
    ------
    place, file : str
        ``[contract] rate_card`` and ``rate_card.csv``. The file of a simulation's truth is one of them.
    """
    for name, table in study.tables.items():
        if not isinstance(table, TableInDatabase):
            yield f"[tables] {name}", table if isinstance(table, str) else table.file
    if study.cohort and study.cohort.drift and isinstance(study.cohort.drift.planned, str):
        yield "[cohort.drift] planned", study.cohort.drift.planned
    if study.counterfactual and study.counterfactual.rates:
        yield "[counterfactual] rates", study.counterfactual.rates
    for series in study.series:
        yield f"[[series]] {series.id}: file", series.file
    if study.contract:
        for key in ("rate_card", "achieved", "payments", "cash_flows", "variations", "costs", "budgets"):
            if file := getattr(study.contract, key):
                yield f"[contract] {key}", file
    if study.value:
        for key in ("impact_map", "whole_life", "unit_costs", "deflators", "splits"):
            if file := getattr(study.value, key):
                yield f"[value] {key}", file
    for curve in study.curve:
        yield f"[[curve]] {curve.id}: file", curve.file
    if study.framework:
        yield "[framework] file", study.framework.file
    if study.simulation:
        yield "[simulation] truth", study.simulation.truth


def missing_file(folder: Path, file: str) -> str:
    """Say that a file is not in the folder, and which one may have been meant.

    Parameters
    ----------
    folder : Path
        The study's folder.
    file : str
        As the study names it.

    Returns
    -------
    str
        A finding with its remedy, or nothing when the file is there.
    """
    path = folder / file
    if path.is_file():
        return ""
    if path.is_dir():
        return f'"{file}" is a folder, not a file.'
    there = sorted(each.name for each in folder.iterdir() if each.is_file() and each.name != "study.toml")
    near = nearest(file, there, alike=0.75)
    hint = f'Did you mean "{near}"?' if near else did_you_mean("", there).replace("Known", "The folder has")
    return f'there is no file "{file}" in the folder. {hint}'.rstrip()
