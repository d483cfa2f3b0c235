"""What evalkit indigo does: a study out to INDIGO, a project in as a study, or all projects and their portfolio."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from evalkit.errors import StudyError


@dataclass(frozen=True)
class Asked:
    """What was asked for on the command line.

    Parameters
    ----------
    target : str or None
        A study's folder, or a project's id.
    source, to, out, export, schema : Path or None
        Folders: of the data set, of studies, of reports, of an export, of INDIGO's schema.
    every, replace : bool
        All projects; whether what stands may be replaced.
    """

    target: str | None = None
    source: Path | None = None
    to: Path = Path("data/raw")
    out: Path = Path("reports")
    export: Path | None = None
    schema: Path | None = None
    every: bool = False
    replace: bool = False


def check_asked(asked: Asked) -> None:
    """Refuse combinations that mean nothing, each with what to write instead.

    Parameters
    ----------
    asked : Asked
        The command line.

    Raises
    ------
    StudyError
        Of the three things it does, none or two are asked for.
    """
    if asked.every:
        if asked.source is None:
            raise StudyError("--all needs the data set. Write: evalkit indigo --all --from FOLDER")
        if asked.target is not None or asked.export is not None:
            raise StudyError("--all takes every project: leave out the name and --export.")
    elif asked.target is None:
        raise StudyError("Name a study (with --export FOLDER) or a project (with --from FOLDER), or write --all.")
    elif (asked.export is None) == (asked.source is None):
        raise StudyError(
            f"Say which way: evalkit indigo {asked.target} --export FOLDER writes a study's public results, "
            f"evalkit indigo {asked.target} --from FOLDER makes a study from a project."
        )
    if asked.schema is not None and asked.export is None:
        raise StudyError("--schema checks an export. Add --export FOLDER.")


def export_lines(asked: Asked) -> list[str]:
    """Write a study's public results in INDIGO's form.

    Parameters
    ----------
    asked : Asked
        With a target and an export folder.

    Returns
    -------
    list of str
        What was written, and what was left out.
    """
    from evalkit.evaluation import evaluate
    from evalkit.indigo import export_indigo, write_export
    from evalkit.study.read import study_file

    evaluation = evaluate(study_file(Path(str(asked.target))).parent)
    folder = write_export(evaluation, asked.export or Path(), asked.schema, asked.replace)
    left_out = export_indigo(evaluation).left_out
    checked = ", checked against the schema" if asked.schema else ""
    lines = [f"{folder.as_posix()} is written: project.json and INDIGO's spreadsheets{checked}."]
    lines += [f"  left out: {one['table']}, {one['what']}. {one['why']}" for one in left_out]
    return lines


def project_lines(asked: Asked) -> list[str]:
    """Make a study folder from one project.

    Parameters
    ----------
    asked : Asked
        With a target and the data set.

    Returns
    -------
    list of str
        What was written, its flags counted, and what to type next.
    """
    from evalkit.contract.indigo import read_indigo
    from evalkit.indigo import organisation_names, write_study

    data = read_indigo(asked.source or Path())
    project = data.project(str(asked.target))
    folder = write_study(project, organisation_names(data), asked.to, replace=asked.replace)
    many = len(project.flags)
    told = {0: "no fault was found in its record", 1: "1 fault of its record stands in it as a flag"}
    faults = told.get(many, f"{many} faults of its record stand in it as flags")
    return [
        f"{folder.as_posix()} is written: {project.name.strip()}; {faults}.",
        f"  evalkit run {folder.as_posix()}",
    ]


def every_lines(asked: Asked, workers: int = 2) -> Iterator[tuple[str, bool]]:
    """Make every project's study and report, the portfolio and the page of findings.

    Parameters
    ----------
    asked : Asked
        With the data set.
    workers : int
        Reports made at the same time.

    Yields
    ------
    (str, bool)
        A line, and whether it tells of a failure.
    """
    from evalkit.batch import run_studies
    from evalkit.contract.indigo import read_indigo
    from evalkit.indigo import QUALITY, render_quality, write_every_study

    data = read_indigo(asked.source or Path())
    made = write_every_study(data, asked.to, replace=asked.replace)
    yield f"{len(made.folders)} studies stand in {asked.to.as_posix()}, {made.written} of them written now.", False
    yield from ((f"{id}: no study. {reason}", True) for id, reason in made.failed.items())
    render_quality(data, asked.out, made.failed)  # before the reports, so that their index can name it
    result = run_studies(made.folders, asked.out, workers=workers, progress=True)
    yield f"{len(result.done)} reports written, {len(result.unchanged)} unchanged.", False
    yield from ((f"{name}: no report. {reason}", True) for name, reason in result.failed.items())
    if result.failed:
        render_quality(data, asked.out, made.failed | result.failed)
    yield f"{asked.out.as_posix()}/index.html and {asked.out.as_posix()}/{QUALITY} are written.", False
