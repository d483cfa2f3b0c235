"""Scoring, index, cluster bootstrap and growth against numpy, pandas, statsmodels and lme4 in the same run.

Usage: python benchmarks/outcomes.py [--repeats N] [--only NAME] [--no-growth] [--whole] [--threads N] [--plot FILE]
[--write]. R with lme4 takes part where it is installed.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np
from outcomes_shown import OURS, SIZES, Measured, draw, show, show_growth, show_ratios
from rich.console import Console

HERE = Path(__file__).parent
RESULTS = HERE / "results"
PEERS = HERE / "outcomes_peers.py"
GROUPS = ("scoring", "index", "bootstrap", "growth", "information")
LIMIT = 900  # seconds after which a way is given up
NOTES = (
    "Seconds and CPU seconds of one run: the middle of up to seven in a process, then of the processes, the ways "
    "taking turns. First: the first run, when memory is new to the process. MB: the most memory held, and what was "
    "held before with the data. Imports, drawing data and a run on 1,000 rows are off the clock. On a busy machine "
    "trust the CPU seconds before the seconds.",
    "evalkit does more in its time: scoring also refuses what is no answer; the index also finds how far its weights "
    "can be relied on; growth also finds degrees of freedom and everyone's own line, and with services CR2 errors.",
)


@dataclass(frozen=True)
class Run:
    """One way of a job: the most that evalkit's time may be as a share of its own, and how far it goes in the growth.

    ``size`` and ``times``: it is run at another size, and its time taken so many times.
    """

    way: str
    says: str
    most: float | None = None
    up_to: int = 0
    size: int | None = None
    times: float = 1
    once: bool = False


@dataclass(frozen=True)
class Job:
    """What is measured: its size, the ways of `outcomes_peers.JOBS`, the most seconds, how far answers may differ."""

    title: str
    group: str
    name: str
    size: int
    runs: tuple[Run, ...]
    apart: dict[str, float]
    limit: float | None = None


def _scoring(kind: str, about: str) -> Job:
    grows = SIZES[-1] if kind == "float64" else 0
    return Job(
        f"500,000 SDQ forms, {about}", "scoring", f"scoring, {kind}", 500_000,
        (
            Run(OURS, OURS, up_to=grows),
            Run("pandas", "pandas, column by column", 1 / 3, grows),
            Run("pandas, rows", "pandas, sums over axis=1"),
            Run("numpy", "numpy, column by column", None, grows),
        ),
        {"scores": 0.0}, 0.3,
    )  # fmt: skip


def _index(kind: str, about: str) -> Job:
    grows = SIZES[-1] if kind == "full" else 0
    return Job(
        f"index of 500,000 x 8, {about}", "index", f"index, {kind}", 500_000,
        (
            Run(OURS, OURS, up_to=grows),
            Run("numpy", "numpy, sums of products", 2.0, grows),
            Run("numpy, nan", "numpy, nanmean and nanstd"),
            Run("pandas", "pandas, mean, std, cov"),
        ),
        {"weights": 1e-10, "index": 1e-10},
    )  # fmt: skip


def _bootstrap(kind: str, about: str, *more: Run) -> Job:
    refit = Run("refit", "numpy, refitting (20 draws, x 100)", 1 / 50, SIZES[-1], times=100)
    return Job(
        f"2,000 draws of 400 services, 95,000 rows: {about}", "bootstrap", f"bootstrap, {kind}", 95_000,
        (Run(OURS, OURS, up_to=SIZES[-1]), refit, *more), {"values": 1e-9},
    )  # fmt: skip


SAME_FIT = {"estimates": 1e-4, "standard errors": 1e-4, "variances": 1e-3}


def jobs(whole: bool) -> tuple[Job, ...]:
    """All that is measured; MixedLM at 200,000 rows only where asked for, since it takes minutes."""
    ours, lmer = Run(OURS, OURS), Run("lmer", "R, lme4")
    far = Run("MixedLM", "MixedLM (20,000 rows, x 10)", 1 / 50, 10_000, size=20_000, times=10, once=True)
    real = Run("MixedLM", "MixedLM at 200,000 rows itself", once=True)
    general = Run("general", "evalkit, refitting (20 draws, x 100)", times=100)
    fifth = Run("lmer", "R, lme4", 1 / 5, SIZES[-1])
    return (
        _scoring("float64", "3% blank, as read from csv"),
        _scoring("Int8", "3% blank, nullable whole numbers"),
        _scoring("uint8", "none blank, bytes"),
        _index("full", "everyone's covariance"),
        _index("reference", "the reference's covariance"),
        _bootstrap("means", "8 differences of means"),
        _bootstrap("index", "effect on the index, weights anew", general),
        Job("growth, 20,000 rows", "growth", "growth", 20_000,
            (ours, Run("MixedLM", "statsmodels MixedLM", once=True), lmer, Run("mixedlm", "mixedlm")), SAME_FIT),
        Job("growth, 200,000 rows", "growth", "growth", 200_000,
            (Run(OURS, OURS, up_to=SIZES[-1]), far, *([real] if whole else []), fifth,
             Run("mixedlm", "mixedlm", None, SIZES[-1])), SAME_FIT),
        Job("growth, 180,000 rows at dates of their own", "growth", "growth, dates", 200_000, (ours, lmer), SAME_FIT),
        Job("growth with 100 services, 20,000 rows", "growth", "growth, services", 20_000,
            (ours, lmer, Run("mixedlm", "mixedlm")), SAME_FIT),
        Job("alpha of 100,000 x 20", "information", "reliability", 100_000,
            (ours, Run("pingouin", "pingouin"), Run("numpy", "numpy, no interval")), {"values": 1e-10}),
        Job("days in care, 1,000,000 episodes", "information", "days", 1_000_000,
            (Run(OURS, OURS, up_to=SIZES[-1]), Run("pandas", "pandas, merge and cummax", None, SIZES[-1])),
            {"values": 0.0}),
        Job("maxT, 20,000 permutations x 30 x 38", "information", "permutation", 38,
            (ours, Run("numpy", "numpy, a loop")), {"statistic": 1e-10, "p": 0.02}),
        Job("invariance, 300 x 9, two groups", "information", "invariance", 300, (ours,), {}),
    )  # fmt: skip


def asked() -> argparse.Namespace:
    """What was asked for."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--repeats", type=int, default=3, help="processes of each way; the median is shown")
    given.add_argument("--only", choices=GROUPS, help="one group of jobs")
    given.add_argument("--no-growth", action="store_true", help="leave out 1,000 to 500,000 rows")
    given.add_argument("--whole", action="store_true", help="run MixedLM at 200,000 rows too: some minutes")
    given.add_argument("--threads", type=int, default=1, help="of linear algebra, in every way; 0: as installed")
    given.add_argument("--plot", type=Path, default=RESULTS / "outcomes_growth.svg", help="where the growth is drawn")
    given.add_argument("--write", action="store_true", help=f"keep the numbers in {RESULTS.name}/outcomes.json")
    found = given.parse_args()
    if found.write and (found.only or found.no_growth):
        given.error("--write keeps the whole run: leave out --only and --no-growth")
    return found


# ---------------------------------------------------------------- running


def lme4() -> str:
    """The version of lme4, or nothing where R or lme4 is not installed."""
    if shutil.which("Rscript") is None:
        return ""
    done = subprocess.run(
        ["Rscript", "-e", 'suppressMessages(library(lme4)); cat(as.character(packageVersion("lme4")))'],
        capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout.strip() if done.returncode == 0 else ""


class Bench:
    """Runs ways in processes of their own, each as often as asked, and keeps what they said."""

    def __init__(self, given: argparse.Namespace, folder: Path, console: Console) -> None:
        self.given, self.folder, self.console = given, folder, console
        self.kept: dict[tuple[str, str, int], list[Measured]] = {}
        self.without = () if lme4() else ("lmer",)

    def run(self, job: str, runs: list[tuple[Run, int]]) -> dict[tuple[str, int], Measured | None]:
        """Measure ways of a job, taking turns; None for one that took longer than the limit."""
        for repeat in range(self.given.repeats):
            for one, size in runs:
                found = self.kept.setdefault((job, one.way, size), [])
                if len(found) <= repeat and not (found and (one.once or not found[-1])):
                    with self.console.status(f"{job}: {one.says}, {size:,}, {repeat + 1} of {self.given.repeats}"):
                        found.append(self._process(job, one.way, size))
        return {(one.way, size): _middle(self.kept[job, one.way, size]) for one, size in runs}

    def _process(self, job: str, way: str, size: int) -> Measured:
        """Run one way in a process of its own; nothing where it took too long."""
        threads = {f"{name}_NUM_THREADS": str(self.given.threads) for name in ("OPENBLAS", "OMP", "MKL")}
        environment = os.environ | (threads if self.given.threads else {})
        command = [sys.executable, PEERS, job, way, str(size), self.file(job, way, size)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=LIMIT)
        except subprocess.TimeoutExpired:
            return {}
        if done.returncode:
            raise SystemExit(f"{job}, {way} failed:\n{done.stderr.strip()}")
        return json.loads(done.stdout.splitlines()[-1])

    def file(self, job: str, way: str, size: int) -> Path:
        """Where a way's answers are kept while the script runs."""
        return self.folder / f"{job}-{way}-{size}.npz".replace(" ", "").replace(",", "-")

    def differences(self, job: Job, run: Run) -> dict[str, float]:
        """How far a way's answers lie from evalkit's, where both ran at one size; too far ends the script."""
        size = run.size or job.size
        ours, theirs = self.file(job.name, OURS, size), self.file(job.name, run.way, size)
        if run.way == OURS or not (job.apart and ours.exists() and theirs.exists()):
            return {}
        with np.load(ours) as one, np.load(theirs) as other:
            found = {name: _apart(one[name], other[name]) for name in job.apart}
        far = {name: value for name, value in found.items() if not value <= job.apart[name]}
        if far:
            raise SystemExit(f"{job.title}: evalkit and {run.says} do not agree; largest differences: {far}")
        return found


def _apart(one: np.ndarray, other: np.ndarray) -> float:
    """The largest difference; missing must be missing in both."""
    if one.shape != other.shape or (np.isnan(one) != np.isnan(other)).any():
        return math.inf
    return float(np.nanmax(np.abs(one.astype(float) - other), initial=0.0))


def _middle(found: list[Measured]) -> Measured | None:
    """The median of each measure."""
    whole = [one for one in found if one]
    names = whole[0] if whole else {}
    return {name: _median([one[name] for one in whole]) for name in names} or None


def _median(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def measure(job: Job, bench: Bench) -> Measured:
    """All ways of a job: what they took, how far their answers differ, and evalkit as a share of each."""
    runs = [run for run in job.runs if run.way not in bench.without]
    found = bench.run(job.name, [(run, run.size or job.size) for run in runs])
    ours = found[OURS, job.size]
    lines = []
    for run in runs:
        took = found[run.way, run.size or job.size]
        line: Measured = {"way": run.way, "says": run.says, "most": run.most, "times": run.times}
        line |= {"size": run.size or job.size, "apart": bench.differences(job, run), **(took or {"over": LIMIT})}
        if took:
            line |= {name: took[name] * run.times for name in ("seconds", "cpu", "first")}
            line |= {f"of_{name}": ours[name] / line[name] for name in ("seconds", "cpu") if ours}
        lines.append(line)
    return {"job": job.title, "group": job.group, "size": job.size, "limit": job.limit, "ways": lines}


def _powers(sizes: list[int], took: list[float]) -> list[float]:
    """By which power of the size the time grows between neighbours: 1 is in step with it."""
    steps = zip(pairwise(took), pairwise(sizes), strict=True)
    return [math.log(later / before) / math.log(large / small) for (before, later), (small, large) in steps]


def growth(chosen: list[Job], bench: Bench) -> list[Measured]:
    """Seconds from 1,000 to 500,000 rows, and by which power of the rows the CPU seconds grow between neighbours."""
    lines = []
    for job in chosen:
        for run in (run for run in job.runs if run.up_to and run.way not in bench.without):
            sizes = [size for size in SIZES if size <= run.up_to]
            found = bench.run(job.name, [(run, size) for size in sizes])
            took = [one for size in sizes if (one := found[run.way, size])]
            times = 1 if run.size else run.times  # what was run at another size is not a share of the work
            line: Measured = {"job": job.name, "way": run.way, "says": run.says, "sizes": sizes[: len(took)]}
            line |= {name: [one[name] * times for one in took] for name in ("seconds", "cpu")}
            lines.append(line | {"power": _powers(line["sizes"], line["cpu"])})
    return lines


def write(found: Measured) -> Path:
    """Keep the numbers, with what they were measured on."""
    packages = {name: version(name) for name in ("numpy", "pandas", "scipy", "statsmodels", "mixedlm", "pingouin")}
    machine = {"cores": os.cpu_count(), "processor": platform.machine(), "python": platform.python_version()}
    path = RESULTS / "outcomes.json"
    path.parent.mkdir(exist_ok=True)
    kept = {"machine": {**machine, **packages, "lme4": lme4() or None}, **found}
    path.write_text(json.dumps(kept, indent=2) + "\n")
    return path


def main() -> None:
    """Run every way of every job, show the numbers, draw how they grow."""
    given, console = asked(), Console()
    chosen = [job for job in jobs(given.whole) if given.only in (None, job.group)]
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(given, Path(folder), console)
        if bench.without:
            console.print("R with lme4 is not installed and takes no part.")
        found: Measured = {"repeats": given.repeats, "threads": given.threads, "jobs": []}
        for job in chosen:
            found["jobs"].append(measure(job, bench))
            show(console, found["jobs"][-1])
        show_ratios(console, found["jobs"])
        for note in NOTES:
            console.print(note, style="dim")
        if not given.no_growth:
            found["growth"] = growth(chosen, bench)
            show_growth(console, found["growth"])
            draw(found["growth"], given.plot)
            console.print(f"The growth is drawn in {given.plot}.")
    if given.write:
        console.print(f"The numbers are kept in {write(found)}.")


if __name__ == "__main__":
    main()
