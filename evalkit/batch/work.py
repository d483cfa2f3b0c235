"""What one process does: make one report beside the others, and put it in its place when it is whole.

papermill and IPython are imported where they are used: the parent, which only hands out work, never needs them.
"""

from __future__ import annotations

import logging
import os
import shutil
import warnings
from multiprocessing.connection import Connection
from pathlib import Path

from evalkit import errors
from evalkit.batch import cache

EXECUTED = "report.ipynb"
LONGEST = 10_000  # characters of a reason: more would fill the pipe and wait for a reader that waits for the end
USERS = {name for name, thing in vars(errors).items() if isinstance(thing, type) and issubclass(thing, Exception)}


def make_report(folder: Path, name: str, key: str, target: Path, pipe: Connection) -> None:
    """Make one report and say on the pipe how it ended: nothing when it is done, else the reason.

    Parameters
    ----------
    folder : Path
        The study.
    name : str
        Name of the report's folder.
    key : str
        Digest of everything it depends on, kept beside the finished report.
    target : Path
        The folder of all reports.
    pipe : Connection
        Where the parent listens.
    """
    from evalkit.batch.engine import register
    from evalkit.report import render_report

    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    aside = target / f".making-{name}-{os.getpid()}"
    aside.mkdir(parents=True)
    try:
        render_report(folder, aside, engine=register())
        (aside / cache.KEY).write_text(key, encoding="utf-8")
        _publish(aside, target / name)
        (target / "failed" / f"{name}.ipynb").unlink(missing_ok=True)
        (target / "failed" / f"{name}.txt").unlink(missing_ok=True)
        reason = ""
    except Exception as error:  # whatever it is, it must cost this report only
        reason = _reason(error)
        _keep_notebook(aside / EXECUTED, target / "failed" / f"{name}.ipynb")
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    pipe.send(reason[:LONGEST])


def make_index(folder: Path, name: str, key: str, target: Path, pipe: Connection) -> None:
    """Write the page of all reports where one of them has changed.

    Parameters
    ----------
    folder, name, key
        As for `make_report`, and not needed here: the page is made from the finished reports.
    target : Path
        The folder of all reports.
    pipe : Connection
        Where the parent listens: nothing when it is done, else the reason.
    """
    from evalkit.batch.engine import register
    from evalkit.portfolio import render_portfolio

    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    try:
        render_portfolio(target, engine=register())
        pipe.send("")
    except Exception as error:  # the reports themselves are finished and stay
        pipe.send(_reason(error)[:LONGEST])


def _reason(error: Exception) -> str:
    """The user's own mistakes in the words of their message; anything else by its kind as well."""
    from papermill.exceptions import PapermillExecutionError

    if isinstance(error, PapermillExecutionError):
        return str(error.evalue) if error.ename in USERS else f"{error.ename}: {error.evalue}"
    return str(error) if isinstance(error, errors.EvalkitError) else f"{type(error).__name__}: {error}"


def _publish(aside: Path, report: Path) -> None:
    old = report.with_name(f".making-{report.name}-old-{os.getpid()}")
    if report.exists():
        report.rename(old)
    aside.rename(report)
    shutil.rmtree(old, ignore_errors=True)


def _keep_notebook(executed: Path, kept: Path) -> None:
    if executed.is_file():
        kept.parent.mkdir(exist_ok=True)
        executed.replace(kept)
