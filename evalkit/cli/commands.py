"""Each command: what it takes, whom it asks, what it says; heavy rooms are opened inside the one that needs them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from evalkit.errors import EvalkitError, StudyError

RAW = Path("data/raw")

app = typer.Typer(
    help="From a folder per social impact bond to a finished evaluation report.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

StudyArgument = Annotated[Path, typer.Argument(metavar="STUDY", help="A study's folder.", show_default=False)]


@app.command()
def run(
    studies: Annotated[
        list[Path] | None, typer.Argument(metavar="[STUDY]...", help="Study folders; none: every study in data/raw.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Reports made at the same time.")] = 2,
    out: Annotated[Path, typer.Option(help="Where reports go.")] = Path("reports"),
    force: Annotated[bool, typer.Option("--force", help="Make reports again that have not changed.")] = False,
) -> None:
    """Evaluate studies and write their reports."""
    folders = _folders(studies or [])
    from evalkit.batch import run_studies

    result = run_studies(folders, out, workers=workers, force=force, progress=True)
    for name in result.done:
        typer.echo(f"{name}: report written")
    for name in result.unchanged:
        typer.echo(f"{name}: nothing has changed")
    for name, reason in result.failed.items():
        typer.echo(f"{name}: failed. {reason}", err=True)
    if result.failed:
        raise typer.Exit(1)


def _folders(given: list[Path]) -> list[Path]:
    """The folders named, each a study; or all of data/raw."""
    if not given:
        found = sorted(file.parent for file in RAW.glob("*/study.toml"))
        if not found:
            raise StudyError(f"There is no study in {RAW.as_posix()}. evalkit new NAME writes one to begin with.")
        return found
    from evalkit.study.read import study_file

    problems, folders = [], []
    for folder in given:
        try:
            folders.append(study_file(folder).parent)
        except StudyError as error:
            problems.append(str(error))
    if problems:
        raise StudyError("\n".join(problems))
    return folders


@app.command()
def check(
    studies: Annotated[list[Path], typer.Argument(metavar="STUDY...", help="Study folders.", show_default=False)],
) -> None:
    """Check studies without making reports: the plan, the tables, the cohort, the contract's papers."""
    from evalkit.cli.check import findings

    unsound = False
    for folder in studies:
        try:
            for line in findings(folder):
                typer.echo(line)
        except EvalkitError as error:
            unsound = True
            typer.echo(f"{type(error).__name__}: {error}", err=True)
    if unsound:
        raise typer.Exit(2)


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="A short word: letters, digits, _ and -.", show_default=False)],
    folder: Annotated[Path, typer.Option(help="Where the study's folder is made.")] = RAW,
) -> None:
    """Write a commented study with invented data that runs at once, to change step by step."""
    from evalkit.cli.new import write_new_study

    place = write_new_study(name, folder)
    typer.echo(f"{place.as_posix()} is written, with invented data. Open {place.as_posix()}/study.toml; then:")
    typer.echo(f"  evalkit check {place.as_posix()}")
    typer.echo(f"  evalkit run {place.as_posix()}")


@app.command()
def schema() -> None:
    """Print the JSON Schema of study.toml, for editors that complete and check it."""
    from evalkit.study import schema as study_schema

    typer.echo(json.dumps(study_schema(), indent=2))


@app.command()
def cohort(
    study: StudyArgument,
    explain: Annotated[
        str | None,
        typer.Option(metavar="PERSON", help="Each rule's answer for one person, and the rows that decided it."),
    ] = None,
) -> None:
    """Show how many people are left after each rule; or why one person is counted or left out."""
    from evalkit.cli.check import explain_lines, flow_lines

    for line in flow_lines(study) if explain is None else explain_lines(study, explain):
        typer.echo(line)


@app.command()
def simulate(
    study: StudyArgument,
    seed: Annotated[int | None, typer.Option(min=0, help="Another draw; default: the study's own seed.")] = None,
    draws: Annotated[
        int | None, typer.Option(min=20, help="Try the study's own design on so many invented data sets instead.")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="With --draws: save the table as design.csv.")] = False,
) -> None:
    """Draw a synthetic study's tables again; with --draws, try any study's design before its outcomes exist."""
    if draws is not None:
        from evalkit.cli.design import design_lines

        lines = design_lines(study, draws, seed, write)
    elif write:
        raise StudyError("--write saves what --draws finds. Write, for example, --draws 500 --write.")
    else:
        from evalkit.cli.new import redraw_study

        lines = redraw_study(study, seed)
    for line in lines:
        typer.echo(line)


@app.command()
def lock(
    study: StudyArgument,
    again: Annotated[
        str | None, typer.Option(metavar="REASON", help="Lock another plan, and why; the old one is kept.")
    ] = None,
    show: Annotated[
        bool, typer.Option("--show", help="List the departures from the locked plan; change nothing.")
    ] = False,
) -> None:
    """Lock the plan of the analysis: its hash and date, so that every later departure is told."""
    from evalkit.cli.lock import departure_lines, lock_lines

    for line in departure_lines(study) if show else lock_lines(study, again):
        typer.echo(line)


@app.command()
def validate(
    data: Annotated[Path | None, typer.Option(help="A further folder of reference data.", show_default=False)] = None,
    out: Annotated[Path, typer.Option(help="The page.")] = Path("reports/validation.html"),
) -> None:
    """Repeat every published result whose data are at hand, and write the page that shows it."""
    from evalkit.batch.engine import register
    from evalkit.report import render_validation

    page, told = render_validation(out, data, engine=register())
    typer.echo(told["says"])
    typer.echo(f"{page.as_posix()} is written.")
    if not told["agrees"]:
        raise typer.Exit(1)


@app.command()
def indigo(
    target: Annotated[
        str | None, typer.Argument(metavar="[STUDY or PROJECT-ID]", help="What to export, or what to make a study of.")
    ] = None,
    source: Annotated[Path | None, typer.Option("--from", help="The folder of the INDIGO data set.")] = None,
    to: Annotated[Path, typer.Option(help="Where study folders are made.")] = RAW,
    every: Annotated[bool, typer.Option("--all", help="Every project: studies, reports, portfolio, findings.")] = False,
    out: Annotated[Path, typer.Option(help="With --all: where reports go.")] = Path("reports"),
    export: Annotated[Path | None, typer.Option(help="Write the study's public results here.")] = None,
    schema: Annotated[Path | None, typer.Option(help="INDIGO's schema, to check an export against.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace an earlier study or export.")] = False,
) -> None:
    """Export a study's public results as INDIGO data, or make studies of INDIGO's projects."""
    from evalkit.cli.indigo import Asked, check_asked, every_lines, export_lines, project_lines

    asked = Asked(target, source, to, out, export, schema, every, replace)
    check_asked(asked)
    if not every:
        for line in export_lines(asked) if export is not None else project_lines(asked):
            typer.echo(line)
        return
    failed = False
    for line, bad in every_lines(asked):
        failed |= bad
        typer.echo(line, err=bad)
    if failed:
        raise typer.Exit(1)
