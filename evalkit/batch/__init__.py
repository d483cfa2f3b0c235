"""Running many reports: side by side, each whole or not at all, none spoilt by another.

Every report runs in a process of its own, forked from one server that has the libraries loaded already. A study that
breaks, or a process that is killed, costs its own report and nothing else. A report is written aside and renamed when
it is whole; what has not changed since its last whole report is not run again.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context, get_start_method
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from evalkit.batch import cache
from evalkit.batch.work import make_index, make_report
from evalkit.errors import StudyError, several
from evalkit.portfolio import is_current

PRELOAD = ["evalkit.batch.warm"]


@dataclass(frozen=True)
class BatchResult:
    """What became of each study.

    Parameters
    ----------
    done, unchanged : tuple of str
        Reports made now, and reports that were up to date.
    failed : dict of str to str
        Reason by study.
    seconds : dict of str to float
        Wall time of each report made or tried.
    """

    done: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    failed: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """One report to make: the study's folder, its name, and the key of everything it depends on."""

    folder: Path
    name: str
    key: str


@dataclass
class Running:
    """A job in its process, and the pipe on which it says how it ended."""

    job: Job
    process: Any
    pipe: Connection
    started: float


def run_studies(
    folders: Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str] = "reports",
    workers: int = 2,
    force: bool = False,
    progress: bool = True,
) -> BatchResult:
    """Make the report of each study, several at a time.

    Parameters
    ----------
    folders : sequence of path
        Study folders.
    out : path
        Where reports go: ``out/<study>/report.html``; what failed goes to ``out/failed/``.
    workers : int
        Reports made at the same time.
    force : bool
        Make reports again that have not changed.
    progress : bool
        Show a progress bar.

    Returns
    -------
    BatchResult
        Nothing is raised for a study that fails: it is listed with its reason.

    Raises
    ------
    StudyError
        Two folders would write the same report.
    """
    target = Path(out).resolve()
    target.mkdir(parents=True, exist_ok=True)
    cache.sweep(target)
    jobs = _jobs([Path(folder).resolve() for folder in folders])
    due = [job for job in jobs if force or not cache.is_current(target / job.name, job.key)]
    unchanged = tuple(job.name for job in jobs if job not in due)
    with _bar(progress and bool(due)) as bar:
        ended = _run(due, target, max(1, workers), bar)
    failed = {job.name: reason for job, reason, _ in ended if reason}
    _list_failures(target, failed)
    failed |= _index(target)
    return BatchResult(
        done=tuple(job.name for job, reason, _ in ended if not reason),
        unchanged=unchanged,
        failed=failed,
        seconds={job.name: seconds for job, _, seconds in ended},
    )


def _index(target: Path) -> dict[str, str]:
    """The page of all reports, in a process of its own too; its reason where it could not be made."""
    if is_current(target):
        return {}
    one = _start(_context(), Job(target, "index", ""), target, make_index)
    reason = _ending(one)
    return {"index": reason} if reason else {}


def _jobs(folders: list[Path]) -> list[Job]:
    jobs = [Job(folder, cache.report_name(folder), cache.key(folder)) for folder in folders]
    by_name: dict[str, list[Job]] = {}
    for job in jobs:
        by_name.setdefault(job.name, []).append(job)
    problems = [
        f'The id "{name}" is used by {" and ".join(str(job.folder) for job in same)}. Give each study its own id.'
        for name, same in by_name.items()
        if len({job.folder for job in same}) > 1
    ]
    if problems:
        raise StudyError(several("The list of studies", problems))
    return [same[0] for same in by_name.values()]


def _run(jobs: list[Job], target: Path, workers: int, bar: Progress) -> list[tuple[Job, str, float]]:
    """Keep `workers` processes busy until every job has ended; a job's reason is empty when it is done."""
    context = _context()
    waiting = list(jobs)
    running: list[Running] = []
    ended: list[tuple[Job, str, float]] = []
    task = bar.add_task("reports", total=len(jobs))
    while waiting or running:
        while waiting and len(running) < workers:
            running.append(_start(context, waiting.pop(0), target))
        bar.update(task, description=", ".join(one.job.name for one in running))
        over = set(wait([one.process.sentinel for one in running]))
        for one in [one for one in running if one.process.sentinel in over]:
            running.remove(one)
            reason = _ending(one)
            ended.append((one.job, reason, time.monotonic() - one.started))
            bar.console.print(f"[red]failed[/] {one.job.name}" if reason else f"[green]made[/]   {one.job.name}")
            bar.advance(task)
    return ended


def _context() -> BaseContext:
    """Fork from a warm server where the platform can; start afresh where it cannot."""
    # One thread per process: two reports on two cores do not fight, and a fork never meets a second thread.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    try:
        context = get_context("forkserver")
    except ValueError:
        return get_context(get_start_method())
    context.set_forkserver_preload(PRELOAD)
    return context


def _start(context: BaseContext, job: Job, target: Path, make: Callable[..., None] = make_report) -> Running:
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=make, args=(job.folder, job.name, job.key, target, theirs), daemon=True)  # type: ignore[attr-defined]
    process.start()
    theirs.close()
    return Running(job, process, ours, time.monotonic())


def _ending(one: Running) -> str:
    """What a finished process said, or what its silence means."""
    one.process.join()
    try:
        said = one.pipe.recv() if one.pipe.poll() else None
    except EOFError:
        said = None
    one.pipe.close()
    if said is not None:
        return str(said)
    code = one.process.exitcode
    how = f"was killed by signal {-code}" if code and code < 0 else f"ended with status {code}"
    remedy = "Run it again; if it was killed for want of memory, use --workers 1."
    return f"The process making this report {how} before it had finished. {remedy}"


def _bar(shown: bool) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), disable=not shown, transient=True)


def _list_failures(target: Path, failed: dict[str, str]) -> None:
    """Write each reason beside its notebook; what no longer fails disappears."""
    folder = target / "failed"
    for name, reason in failed.items():
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.txt").write_text(f"{reason}\n", encoding="utf-8")
    if folder.is_dir() and not any(folder.iterdir()):
        shutil.rmtree(folder)
