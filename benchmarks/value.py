"""Ranges of an impact map by joint draws against a plain loop in the same run; all impact bonds read and reconciled.

Usage: python benchmarks/value.py [--repeats N] [--quick] [--indigo FOLDER] [--plot FILE] [--write].
The impact bond data set is read from beside the project; without it, that part is left out and says so.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
RESULTS = HERE / "results"
INDIGO = HERE.parents[1] / "shared" / "data" / "indigo"
SHARES = ("deadweight", "displacement", "attribution", "drop_off")
RANGED = ("quantity", "proxy", *SHARES)
LINES, DRAWS = (5, 50, 500), (10_000, 100_000, 1_000_000)
LARGEST_PEER = 50 * 1_000_000  # lines times draws: the loop holds every draw of a line and year at once
JUDGED = (50, 100_000)
LIMIT, INDIGO_LIMIT = 1.0, 5.0
WIDTH = 110
ALIKE = 0.01  # ends by two streams of chance
RATE = 0.035
WAYS = {"evalkit": "evalkit, whole appraisal", "loop": "numpy, a loop over lines and years"}


def impact_map(lines: int) -> pd.DataFrame:
    """An invented map: every number of every line has a range, lines last one to six years."""
    random = np.random.default_rng(7)
    table = pd.DataFrame(
        {
            "outcome": [f"outcome {place}" for place in range(lines)],
            "stakeholder": [("children", "carers", "community")[place % 3] for place in range(lines)],
            "agency": [f"agency {place % 7}" for place in range(lines)],
            "quantity": random.uniform(10, 100, lines),
            "proxy": random.uniform(100, 9000, lines),
            "deadweight": 0.3, "displacement": 0.1, "attribution": 0.2, "drop_off": 0.25,
            "duration": 1 + np.arange(lines) % 6,
        }
    )  # fmt: skip
    for name in RANGED:
        table[f"{name}_low"], table[f"{name}_high"] = table[name] * 0.8, table[name] * 1.3
    return table


def cost_of(table: pd.DataFrame) -> float:
    """What makes the ratio about 1."""
    return float((table["quantity"] * table["proxy"]).sum())


def by_evalkit(table: pd.DataFrame, draws: int) -> tuple[float, float]:
    """The whole appraisal: checks, flags, by line, group and year, payback, tornado and switching values."""
    from evalkit.value import appraise

    value = appraise(table, cost_of(table), RATE, draws=draws)
    return float(value.ratio_low or 0), float(value.ratio_high or 0)


def by_loop(table: pd.DataFrame, draws: int) -> tuple[float, float]:
    """The ratio's range alone, as one writes it by hand: numpy's triangular draws, line by line and year by year."""
    random = np.random.default_rng(3)
    total = np.zeros(draws)
    for line in table.to_dict("records"):
        drawn = {n: random.triangular(line[f"{n}_low"], line[n], line[f"{n}_high"], draws) for n in RANGED}
        worth = drawn["quantity"] * drawn["proxy"]
        for name in SHARES[:3]:
            worth = worth * (1 - drawn[name])
        for year in range(1, int(line["duration"]) + 1):
            total += worth * (1 - drawn["drop_off"]) ** (year - 1) / (1 + RATE) ** year
    low, high = np.quantile(total / cost_of(table), [0.025, 0.975])
    return float(low), float(high)


def all_projects(folder: Path) -> int:
    """Read, check and reconcile every project of the data set."""
    from evalkit.contract import read_indigo

    data = read_indigo(folder)
    data.reconcile_all()
    return len(data.projects)


RUNS: dict[str, Callable[[pd.DataFrame, int], tuple[float, float]]] = {"evalkit": by_evalkit, "loop": by_loop}


def one(way: str, lines: int, draws: int, folder: str) -> dict[str, Any]:
    """Run one way in this process, after a small run that loads what it needs: seconds, CPU seconds, memory."""
    if way == "indigo":
        work: Callable[[], Any] = lambda: all_projects(Path(folder))  # noqa: E731
        import evalkit.contract  # noqa: F401  (imports are off the clock)
    else:
        table = impact_map(lines)
        work = lambda: RUNS[way](table, draws)  # noqa: E731
        RUNS[way](table.head(2), 1000)
    begin, cpu = time.perf_counter(), time.process_time()
    answer = work()
    spent = {"seconds": time.perf_counter() - begin, "cpu": time.process_time() - cpu}
    return {**spent, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "answer": answer}


def measured(way: str, lines: int, draws: int, given: argparse.Namespace) -> dict[str, Any]:
    """The middle of several processes, each with one thread of linear algebra."""
    environment = os.environ | {f"{name}_NUM_THREADS": "1" for name in ("OPENBLAS", "OMP", "MKL")}
    command = [sys.executable, __file__, "--one", way, str(lines), str(draws), str(given.indigo)]
    runs = []
    for _ in range(given.repeats if lines * draws <= LARGEST_PEER else 1):
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        if done.returncode:
            raise SystemExit(f"{way}, {lines} lines, {draws} draws failed:\n{done.stderr.strip()}")
        runs.append(json.loads(done.stdout.splitlines()[-1]))
    middle = {name: median(run[name] for run in runs) for name in ("seconds", "cpu", "peak")}
    return {"way": way, "lines": lines, "draws": draws, **middle, "answer": runs[0]["answer"]}


def sizes(quick: bool) -> list[tuple[int, int]]:
    """Growth in lines and in draws."""
    if quick:
        return [(5, 10_000), JUDGED]
    return [(lines, draws) for lines in LINES for draws in DRAWS]


def compare(found: list[dict[str, Any]]) -> None:
    """Both ways must find the same range."""
    for size in {(run["lines"], run["draws"]) for run in found}:
        both = [run["answer"] for run in found if (run["lines"], run["draws"]) == size]
        if len(both) == 2 and not np.allclose(both[0], both[1], rtol=ALIKE):
            raise SystemExit(f"{size[0]} lines, {size[1]} draws: evalkit finds {both[0]}, the loop {both[1]}")


def show(console: Console, found: list[dict[str, Any]], indigo: dict[str, Any] | None) -> None:
    """Size by size, evalkit beside the loop; then the data set."""
    table = Table(title="ranges of an impact map, every assumption ranged", title_justify="left")
    for place, column in enumerate(("lines", "draws", "way", "seconds", "CPU s", "MB", "ratio", "")):
        table.add_column(column, justify="left" if place in (2, 7) else "right", no_wrap=True)
    own: dict[tuple[int, int], float] = {}
    for run in found:
        size = (run["lines"], run["draws"])
        ratio = ""
        if run["way"] == "evalkit":
            own[size] = run["cpu"]
        else:
            ratio = f"{own[size] / run['cpu']:.2f}"
        verdict = judged(run["cpu"], LIMIT) if size == JUDGED and run["way"] == "evalkit" else ""
        table.add_row(f"{size[0]:,}", f"{size[1]:,}", WAYS[run["way"]], f"{run['seconds']:.3g}", f"{run['cpu']:.3g}",
                      f"{run['peak']:,.0f}", ratio, verdict)  # fmt: skip
    console.print(table)
    if indigo is None:
        console.print("The impact bond data set is not beside the project: it was not read.")
        return
    told = f"{indigo['answer']} projects read, checked and reconciled: {indigo['seconds']:.2f} s"
    verdict = judged(indigo["cpu"], INDIGO_LIMIT)
    console.print(f"{told}, CPU {indigo['cpu']:.2f} s, {indigo['peak']:,.0f} MB; {verdict}")


def judged(value: float, most: float) -> str:
    """Whether it keeps within its limit."""
    return f"limit {most:g} s: {'ok' if value <= most else 'too much'}"


def draw(found: list[dict[str, Any]], file: Path) -> None:
    """CPU seconds by draws, a line for each number of lines."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4.5))
    for way, style in (("evalkit", "-"), ("loop", ":")):
        for place, lines in enumerate(dict.fromkeys(run["lines"] for run in found)):
            mine = [run for run in found if run["way"] == way and run["lines"] == lines]
            axes.plot([run["draws"] for run in mine], [run["cpu"] for run in mine], style, marker="o",
                      color=f"C{place}", label=f"{lines} lines, {way}")  # fmt: skip
    axes.set(xscale="log", yscale="log", xlabel="draws", ylabel="CPU seconds")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, fontsize=8)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)


def write(found: list[dict[str, Any]], indigo: dict[str, Any] | None) -> Path:
    """Keep the numbers, with what they were measured on."""
    machine = {"cores": os.cpu_count(), "processor": platform.machine(), "python": platform.python_version()}
    machine |= {name: version(name) for name in ("numpy", "pandas")}
    path = RESULTS / "value.json"
    path.parent.mkdir(exist_ok=True)
    kept = {"machine": machine, "limit": {"lines": JUDGED[0], "draws": JUDGED[1], "seconds": LIMIT}}
    path.write_text(json.dumps({**kept, "ranges": found, "indigo": indigo}, indent=2) + "\n")
    return path


def asked() -> argparse.Namespace:
    """What was asked for."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--repeats", type=int, default=3, help="processes of each way; the median is shown")
    given.add_argument("--quick", action="store_true", help="two sizes only, no growth")
    given.add_argument("--indigo", type=Path, default=INDIGO, help="folder of the impact bond data set")
    given.add_argument("--plot", type=Path, default=RESULTS / "value_growth.svg", help="where growth is drawn")
    given.add_argument("--write", action="store_true", help=f"keep the numbers in {RESULTS.name}/value.json")
    given.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    found = given.parse_args()
    if found.write and found.quick:
        given.error("--write keeps the whole run: leave out --quick")
    return found


def main() -> None:
    """Run both ways at every size, read the data set, show the numbers, draw how they grow."""
    given = asked()
    if given.one:
        way, lines, draws, folder = given.one
        sys.stdout.write(json.dumps(one(way, int(lines), int(draws), folder)) + "\n")
        return
    console, found = Console(), []
    console = Console(width=max(console.width, WIDTH))
    for lines, draws in sizes(given.quick):
        for way in WAYS:
            if way == "loop" and lines * draws > LARGEST_PEER:
                continue
            found.append(measured(way, lines, draws, given))
    compare(found)
    indigo = measured("indigo", 0, 0, given) if given.indigo.is_dir() else None
    show(console, found, indigo)
    if not given.quick:
        draw(found, given.plot)
        console.print(f"The growth is drawn in {given.plot}.")
    if given.write:
        console.print(f"The numbers are kept in {write(found, indigo)}.")


if __name__ == "__main__":
    main()
