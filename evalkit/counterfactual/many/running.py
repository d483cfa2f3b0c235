"""Many estimates from one table: one after the other, or beside each other in processes of their own."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from evalkit.counterfactual.estimating import estimate
from evalkit.counterfactual.many.shuffling import Shuffle
from evalkit.counterfactual.registry import find_estimator
from evalkit.errors import EvalkitError

FAULTS = (EvalkitError, np.linalg.LinAlgError, ArithmeticError)
KEPT = ("effect", "se", "low", "high", "p", "df", "n_treated", "n_comparison", "scale")
LOOK = 16  # tasks run before deciding whether processes pay
START = 2.0  # seconds that a process of its own needs before it can begin
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Task:
    """One estimate to run: the estimator, its keyword arguments, and another deal of the arms where one is wanted."""

    estimator: str
    arguments: dict[str, Any] = field(default_factory=dict)
    shuffle: Shuffle | None = None


def run_one(frame: pd.DataFrame, task: Task) -> dict[str, Any]:
    """Run one estimate and keep its numbers.

    Parameters
    ----------
    frame : DataFrame
        The people.
    task : Task
        What to run.

    Returns
    -------
    dict
        effect, se, low, high, p, df, n_treated, n_comparison, scale and why; only ``why`` where it could not be done.
    """
    try:
        rows = frame if task.shuffle is None else task.shuffle.of(frame)
        found = estimate(rows, task.estimator, **task.arguments)
    except FAULTS as reason:
        return {"why": str(reason) or type(reason).__name__}
    return {name: getattr(found, name) for name in KEPT} | {"why": ""}


def run_all(frame: pd.DataFrame, tasks: Sequence[Task], workers: int = 2) -> list[dict[str, Any]]:
    """Run many estimates from one table.

    Parameters
    ----------
    frame : DataFrame
        The people; only columns that a task names are used.
    tasks : sequence of Task
        What to run.
    workers : int
        Processes, this one included. More than one are used only where they save time; the numbers are the same.

    Returns
    -------
    list of dict
        As `run_one` gives them, in the order of the tasks.
    """
    frame = frame[_named(frame, tasks)]
    stride = max(1, -(-len(tasks) // LOOK))
    order = [place for first in range(stride) for place in range(first, len(tasks), stride)]  # dear ones spread out
    found: dict[int, dict[str, Any]] = {}
    began = time.perf_counter()
    with one_thread():
        for place in order[:LOOK]:
            found[place] = run_one(frame, tasks[place])
        each = (time.perf_counter() - began) / max(1, len(found))
        rest = order[LOOK:]
        if workers > 1 and (os.cpu_count() or 1) > 1 and each * len(rest) > 2 * START and _portable(tasks):
            found |= run_beside(frame, tasks, rest, workers, START / each)
        for place in rest:
            if place not in found:
                found[place] = run_one(frame, tasks[place])
    return [found[place] for place in range(len(tasks))]


def run_beside(
    frame: pd.DataFrame, tasks: Sequence[Task], places: Sequence[int], workers: int, lead: float = 0.0
) -> dict[int, dict[str, Any]]:
    """Run estimates in this process and in others at once.

    A process of its own gets the table once, through a pipe and never through a file, and one thread for its sums.

    Parameters
    ----------
    frame, tasks
        As for `run_all`.
    places : sequence of int
        Which tasks.
    workers : int
        Processes, this one included.
    lead : float
        How many tasks this process does while others start.

    Returns
    -------
    dict of int to dict
        By place. What a failed process should have done is missing: the caller does it.
    """
    others = min(workers, os.cpu_count() or 1, len(places)) - 1
    mine = min(len(places), round((len(places) + others * lead) / (others + 1)))
    shares = [list(places[mine + other :: others]) for other in range(others)] if others > 0 else []
    with ThreadPoolExecutor(max_workers=max(1, others)) as pool:
        waiting = [pool.submit(_elsewhere, frame, [tasks[place] for place in share]) for share in shares if share]
        found = {place: run_one(frame, tasks[place]) for place in places[:mine]}
        for share, job in zip([share for share in shares if share], waiting, strict=True):
            found |= dict(zip(share, job.result(), strict=False))
    return found


def _elsewhere(frame: pd.DataFrame, tasks: list[Task]) -> list[dict[str, Any]]:
    """What another process found; nothing where it failed."""
    try:
        parcel = pickle.dumps((frame, tasks), protocol=pickle.HIGHEST_PROTOCOL)
        code = "from evalkit.counterfactual.many.running import serve; serve()"
        path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
        around = {**os.environ, "PYTHONPATH": path, **dict.fromkeys(THREADS, "1")}
        done = subprocess.run([sys.executable, "-c", code], input=parcel, capture_output=True, env=around, check=True)
        answers = pickle.loads(done.stdout)
    except Exception:  # whatever stops a helper (no pickle, no memory, no process): the caller does its share
        return []
    return answers if len(answers) == len(tasks) else []


def serve() -> None:
    """Answer as a process of its own: a table and tasks come in, their numbers go out."""
    frame, tasks = pickle.loads(sys.stdin.buffer.read())
    out, sys.stdout = sys.stdout, sys.stderr  # whatever a library prints must not mix with the answer
    answers = [run_one(frame, task) for task in tasks]
    out.buffer.write(pickle.dumps(answers, protocol=pickle.HIGHEST_PROTOCOL))
    out.flush()


@contextmanager
def one_thread() -> Iterator[None]:
    """Let sums use one thread, as they do in the other processes: the same bits, and no two fight for a core."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        yield
        return
    with threadpool_limits(limits=1):
        yield


def _portable(tasks: Sequence[Task]) -> bool:
    """Whether another process knows every estimator: one that a user added in his session it does not."""
    names = {task.estimator for task in tasks}
    return all(find_estimator(name).run.__module__.startswith("evalkit.") for name in names)


def _named(frame: pd.DataFrame, tasks: Sequence[Task]) -> list[Any]:
    """The table's columns that any task names, in the table's order."""
    wanted: set[Any] = set()
    for task in tasks:
        for given in task.arguments.values():
            wanted |= {one for one in (given if isinstance(given, list | tuple) else [given]) if isinstance(one, str)}
        if task.shuffle is not None:
            wanted |= {task.shuffle.treated, task.shuffle.unit, task.shuffle.within}
    return [name for name in frame.columns if name in wanted]
