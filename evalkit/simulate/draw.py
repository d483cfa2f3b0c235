"""The verbs of this room: draw a study, write its tables, draw a synthetic study's files again."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pandas as pd

from evalkit.errors import StudyError, did_you_mean, several
from evalkit.simulate.books import write_books
from evalkit.simulate.nouns import Simulated
from evalkit.simulate.recorded import FILES, tables_of
from evalkit.simulate.truth import truth
from evalkit.simulate.world import EdgeOfCare, draw_people
from evalkit.study import Study

# A world is its settings; another one is added here, with its own drawing, tables and truth.
_WORLDS = {"edge of care": EdgeOfCare}
FEWEST_PEOPLE = 50


def worlds() -> tuple[str, ...]:
    """The worlds that can be drawn from.

    Returns
    -------
    tuple of str
        Names, as [simulation] world takes them.
    """
    return tuple(_WORLDS)


def simulate_study(world: str = "edge of care", seed: int = 1, people: int = 900, **options: Any) -> Simulated:
    """Draw an invented study whose truth is known.

    Parameters
    ----------
    world : str
        One of `worlds`.
    seed : int
        The same seed, people and options give the same tables.
    people : int
        How many people are referred (about four in five are eligible).
    **options
        Settings of the world, such as ``selection=0`` or ``wellbeing_effect=0.0``; see `EdgeOfCare`.

    Returns
    -------
    Simulated
        Tables, truth and the world's own record.

    Raises
    ------
    StudyError
        A world or setting that is not known, or too few people.
    """
    settings = _settings(world, people, options)
    drawn = draw_people(settings, people, seed)
    tables, record = tables_of(settings, drawn, seed)
    return Simulated(world, seed, tables, dict(FILES), truth(settings), record)


def _settings(world: str, people: int, options: dict[str, Any]) -> EdgeOfCare:
    problems = []
    if world not in _WORLDS:
        problems.append(f'the world "{world}" is not known. {did_you_mean(world, _WORLDS)}')
    known = [field.name for field in dataclasses.fields(_WORLDS.get(world, EdgeOfCare))]
    problems += [_wrong(name, value, known) for name, value in options.items()]
    if people < FEWEST_PEOPLE:
        problems.append(f"people = {people} is too few. Give at least {FEWEST_PEOPLE}.")
    if found := [problem for problem in problems if problem]:
        raise StudyError(several("[simulation]", found))
    return _WORLDS[world](**options)


def _wrong(name: str, value: object, known: list[str]) -> str:
    """What is wrong with one setting, if anything."""
    if name not in known:
        return f'the setting "{name}" is not known. {did_you_mean(name, known)}'
    if not isinstance(value, int | float) or isinstance(value, bool):
        return f"{name} = {value!r} is not a number."
    least = {"teams": 1, "team_spread": 0, "missing": 0, "truth_people": 1000}.get(name)
    if least is not None and value < least:
        return f"{name} = {value} is too small. Give at least {least}."
    if name in ("teams", "truth_people") and not isinstance(value, int):
        return f"{name} = {value} is not a whole number."
    return ""


def write_study_tables(simulated: Simulated, folder: str | Path) -> list[Path]:
    """Write the tables and the truth as csv files, the same bytes for the same draw on every machine.

    Parameters
    ----------
    simulated : Simulated
        From `simulate_study`.
    folder : str or Path
        Where to; made if it is not there.

    Returns
    -------
    list of Path
        The files written.
    """
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    named = {file: simulated.tables[name] for name, file in simulated.files.items()}
    return [write_csv(table, place / file) for file, table in {**named, "truth.csv": simulated.truth}.items()]


def write_csv(table: pd.DataFrame, path: Path) -> Path:
    """Write one table: ISO dates, at most six decimals, line feeds, UTF-8.

    Parameters
    ----------
    table : DataFrame
        What to write; the index is left out.
    path : Path
        Where to.

    Returns
    -------
    Path
        The same path.
    """
    text = table.to_csv(index=False, date_format="%Y-%m-%d", float_format="%.6f", lineterminator="\n")
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def redraw(study: Study) -> None:
    """Draw the tables a synthetic study names again, and its achieved units, payments, cash flows and truth with them.

    Parameters
    ----------
    study : Study
        A study with [simulation]; its rate card is read, not written.

    Raises
    ------
    StudyError
        The study has no [simulation], or its world or settings are not known.
    """
    plan = study.simulation
    if plan is None:
        raise StudyError(
            f"{study.folder.name}/study.toml has no [simulation], so there is nothing to draw. "
            'Write [simulation] with world = "edge of care", seed and people, or keep the tables as they are.'
        )
    simulated = simulate_study(plan.world, plan.seed, plan.people, **plan.options)
    for name, file in _files(study, simulated.files).items():
        write_csv(simulated.tables[name], study.path(file))
    write_csv(simulated.truth, study.path(plan.truth))
    for file, table in write_books(study, simulated.record).items():
        write_csv(table, study.path(file))


def _files(study: Study, drawn: dict[str, str]) -> dict[str, str]:
    """The file of each table that the study uses: by its name, or by the file where the study has its own name."""
    named = {name: file for name, table in study.tables.items() if (file := _file_of(table))}
    return {table: named.get(table, file) for table, file in drawn.items() if table in named or file in named.values()}


def _file_of(table: object) -> str | None:
    return table if isinstance(table, str) else getattr(table, "file", None)
