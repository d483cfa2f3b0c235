"""Matching, weighting, the wild bootstrap, the specification curve and placebos against their peers in the same run.

Usage: python benchmarks/counterfactual.py [--repeats N] [--only NAME] [--no-growth] [--no-large] [--threads N]
[--plot FILE] [--write]. R with MatchIt takes part where it is installed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from outcomes import LIMIT, Bench, Job, Run, growth, measure
from outcomes_shown import OURS, SIZES, Measured, draw, show, show_growth
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
RESULTS = HERE / "results"
PEERS = HERE / "counterfactual_peers.py"
GROUPS = ("matching", "weighting", "wild", "curve", "placebos")
PACKAGES = ("numpy", "pandas", "scipy", "statsmodels", "diff-diff")
MATCHING, LARGE = 202_000, 2_020_000  # 2,000 treated beside 200,000; 20,000 beside 2,000,000
MEMORY = 4_000  # MB
# Peers by hand that do the same, and how far the effects may lie apart: rounding of a score may swap a pair or two.
ALIKE = {"matching": ("greedy", 0.01), "balancing": ("dual", 1e-5)}
WIDTH = 110
NOTES = (
    "Seconds and CPU seconds of one run: the middle of up to seven in a process, then of the processes, the ways "
    "taking turns. First: the first run. MB: the most memory that the process held, its data and packages included. "
    "Imports, drawing data and a run on 4,000 rows are off the clock. Limits are judged by CPU seconds, that of the "
    "specification curve by seconds, since it uses two cores. On a busy machine trust the CPU seconds.",
    "evalkit does more in its time: it checks and sorts the people, and gives balance, diagnostics, flags and, for the "
    "wild bootstrap and placebos, an interval. What the peers leave out stands in their docstrings.",
    "MatchIt is Debian's 4.5.1, for its time only: its caliper is broken and its matches are not those of 4.7.2, so "
    "that answers are not compared and no caliper is asked of it. It gives no standard error here.",
)


@dataclass(frozen=True)
class Limited(Job):
    """A job whose seconds may be judged by the clock, and whose memory is limited."""

    by: str = "cpu"
    memory: float | None = None


def jobs(large: bool) -> tuple[Limited, ...]:
    """All that is measured."""
    ours = Run(OURS, OURS, up_to=SIZES[-1])
    same = {"effect": 1e-8}
    matching = Limited(
        "matching 2,000 treated, 200,000 comparison", "matching", "matching", MATCHING,
        (
            ours,
            Run("caliper", "evalkit, caliper .2 SD of the logit"),
            Run("MatchIt", "R, MatchIt: logit, matching, balance", None, SIZES[-1], once=True),
            Run("logit", "statsmodels, the logit alone", None, SIZES[-1]),
            Run("greedy", "its logit and a greedy loop", None, SIZES[-1]),
        ),
        {}, 1.9,
    )  # fmt: skip
    far = Limited(
        "matching 20,000 treated, 2,000,000 comparison", "matching", "matching", LARGE,
        (Run(OURS, OURS, once=True), Run("logit", "statsmodels, the logit alone", once=True)), {}, memory=MEMORY,
    )  # fmt: skip
    return (
        matching,
        *([far] if large else []),
        Limited("entropy balancing of 200,000", "weighting", "balancing", 200_000,
                (ours, Run("dual", "scipy, the dual by hand", None, SIZES[-1]),
                 Run("logit_wls", "statsmodels, Logit and WLS (other weights)")), {}, 2.0),
        Limited("aipw of 200,000", "weighting", "aipw", 200_000,
                (ours, Run("statsmodels", "statsmodels, Logit and OLS", None, SIZES[-1])), same, 2.0),
        Limited("9,999 wild draws, 35 clusters, 1,861 rows", "wild", "wild", 1_861,
                (ours, Run("refit", "numpy, refitting (200 draws, x 50)", None, SIZES[-1], times=50)),
                {"effect": 1e-8, "p": 0.1}, 0.5),
        Limited("200 specifications on 5,000 rows", "curve", "curve", 5_000,
                (Run(OURS, "evalkit, two processes", once=True), Run("one by one", "one after the other", once=True)),
                {"effects": 1e-10}, 30.0, by="seconds"),
        Limited("all placebos of 39 states, 31 years", "placebos", "placebos", 39,
                (Run(OURS, OURS), Run("SLSQP", "scipy, SLSQP for each state", once=True)), {"effect": 1e-3}, 1.0),
    )  # fmt: skip


def asked() -> argparse.Namespace:
    """What was asked for."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--repeats", type=int, default=3, help="processes of each way; the median is shown")
    given.add_argument("--only", choices=GROUPS, help="one group of jobs")
    given.add_argument("--no-growth", action="store_true", help="leave out 1,000 to 500,000 rows")
    given.add_argument("--no-large", action="store_true", help="leave out 2,020,000 people")
    given.add_argument("--threads", type=int, default=1, help="of linear algebra, in every way; 0: as installed")
    given.add_argument("--plot", type=Path, default=RESULTS / "counterfactual_growth.svg", help="where growth is drawn")
    given.add_argument("--write", action="store_true", help=f"keep the numbers in {RESULTS.name}/counterfactual.json")
    found = given.parse_args()
    if found.write and (found.only or found.no_growth or found.no_large):
        given.error("--write keeps the whole run: leave out --only, --no-growth and --no-large")
    return found


def matchit() -> str:
    """The version of MatchIt, or nothing where R or MatchIt is not installed."""
    if shutil.which("Rscript") is None:
        return ""
    load = 'suppressMessages(library(MatchIt)); cat(as.character(packageVersion("MatchIt")))'
    done = subprocess.run(["Rscript", "-e", load], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


class Compared(Bench):
    """Runs the ways of `counterfactual_peers`."""

    def __init__(self, given: argparse.Namespace, folder: Path, console: Console) -> None:
        self.given, self.folder, self.console = given, folder, console
        self.kept: dict[tuple[str, str, int], list[Measured]] = {}
        self.matchit = matchit()
        self.without = () if self.matchit else ("MatchIt",)

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


# ---------------------------------------------------------------- showing


def show_judged(console: Console, found: list[Measured]) -> None:
    """evalkit beside each peer, and whether it keeps within its limit."""
    table = Table(title="job by job (CPU seconds; the curve: seconds)", title_justify="left")
    for place, column in enumerate(("job", "evalkit", "peer", "ratio", "limit", "")):
        table.add_column(column, justify="right" if 0 < place < 5 else "left", no_wrap=place > 0)
    for job in found:
        table.add_section()
        own, by = job["ways"][0], job["by"]
        if by not in own:
            table.add_row(job["job"], f"over {own['over']}", "", "", "", "too much")
            continue
        limit = "" if job["limit"] is None else f"{job['limit']:g} s"
        table.add_row(f"[bold]{job['job']}[/bold]", f"{own[by]:.3g}", "", "", limit, _judged(own[by], job["limit"]))
        if job["memory"]:
            table.add_row("  most memory, MB", f"{own['peak']:,.0f}", "", "", f"{job['memory']:,}",
                          _judged(own["peak"], job["memory"]))  # fmt: skip
        for line in (line for line in job["ways"][1:] if by in line):
            table.add_row(f"  {line['says']}", "", f"{line[by]:.3g}", f"{own[by] / line[by]:.3g}", "", "")
    console.print(table)


def _judged(value: float, most: float | None) -> str:
    """Whether it keeps within its limit."""
    return "" if most is None else "ok" if value <= most else "too much"


def compare(bench: Compared, job: Limited) -> None:
    """evalkit's effect must be that of the peer by hand which does the same."""
    way, most = ALIKE.get(job.name, ("", 0.0))
    files = [bench.file(job.name, one, job.size) for one in (OURS, way)]
    if all(file.exists() for file in files):
        own, hand = (float(np.load(file)["effect"][0]) for file in files)
        if not abs(own - hand) <= most:
            raise SystemExit(f"{job.title}: evalkit finds {own} and {way} by hand {hand}")


def write(found: Measured, bench: Compared) -> Path:
    """Keep the numbers, with what they were measured on."""
    packages = {name: version(name) for name in PACKAGES}
    machine = {"cores": os.cpu_count(), "processor": platform.machine(), "python": platform.python_version()}
    path = RESULTS / "counterfactual.json"
    path.parent.mkdir(exist_ok=True)
    kept = {"machine": {**machine, **packages, "MatchIt": bench.matchit or None}, **found}
    path.write_text(json.dumps(kept, indent=2) + "\n")
    return path


def main() -> None:
    """Run every way of every job, show the numbers, draw how they grow."""
    given, console = asked(), Console()
    console = Console(width=max(console.width, WIDTH))
    chosen = [job for job in jobs(not given.no_large) if given.only in (None, job.group)]
    with tempfile.TemporaryDirectory() as folder:
        bench = Compared(given, Path(folder), console)
        if bench.without:
            console.print("R with MatchIt (Debian: r-cran-matchit) is not installed and takes no part.")
        found: Measured = {"repeats": given.repeats, "threads": given.threads, "jobs": []}
        for job in chosen:
            found["jobs"].append(measure(job, bench) | {"by": job.by, "memory": job.memory})
            compare(bench, job)
            show(console, found["jobs"][-1])
        show_judged(console, found["jobs"])
        for note in NOTES:
            console.print(note, style="dim")
        if not given.no_growth:
            growing = [job for job in chosen if job.size != LARGE]
            found["growth"] = growth(growing, bench)
            if found["growth"]:
                show_growth(console, found["growth"])
                draw(found["growth"], given.plot)
                console.print(f"The growth is drawn in {given.plot}.")
        if given.write:
            console.print(f"The numbers are kept in {write(found, bench)}.")


if __name__ == "__main__":
    main()
