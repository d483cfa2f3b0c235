"""The cohort's rules on a register of national size, against hand-written SQL and pandas in the same run.

Usage: python benchmarks/cohort.py [--events N] [--repeats N] [--folder F] [--no-growth] [--plot FILE] [--write].
20 million events by default; the register is drawn once and kept in the folder.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from cohort_data import make
from cohort_peers import STEPS, WAYS
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
RESULTS = HERE / "results"
PEERS = HERE / "cohort_peers.py"
RULES, TABLES = (6, 12, 25, 50), (1, 4)
SAYS = {
    "joined": "SQL by hand: a join for each rule",
    "narrowed": "SQL by hand: joins to those left",
    "correlated": "SQL by hand: an EXISTS for each rule",
    "grouped": "SQL by hand: one pass a table",
    "pandas": "pandas: plain read_parquet",
    "pandas, lean": "pandas: reading sparingly",
    "evalkit": "evalkit",
}
# What is asked of evalkit: the measure, the peer, and the most that the ratio may be (none: for information).
ASKED = (
    ("seconds", "joined", 1.0),
    ("cpu", "joined", None),
    ("seconds", "narrowed", None),
    ("seconds", "pandas", 1 / 3),
    ("seconds", "pandas, lean", None),
    ("peak", "pandas", 1 / 4),
    ("peak", "pandas, lean", None),
)
MOST_GROWTH = 2.0
NOTES = (
    "Seconds, CPU seconds and, off the clock, seconds of imports; the most memory the process ever held, and what it "
    "held after imports. Median of the repeats, each in a process of its own, the ways taking turns, the files already "
    "in the system's cache. On a busy machine trust the CPU seconds before the seconds.",
    "The SQL and pandas only count who is left. evalkit also checks the tables, answers every rule for everyone who "
    "started, and makes the flow and the table of the cohort: it does more in its time.",
)
Measured = dict[str, Any]


def asked() -> argparse.Namespace:
    """What was asked for."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--events", type=int, default=20_000_000, help="rows of events; everything else scales with it")
    given.add_argument("--repeats", type=int, default=3, help="runs of each way; the median is shown")
    given.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "evalkit_benchmarks")
    given.add_argument("--no-growth", action="store_true", help="leave out 6 to 50 rules over one and four tables")
    given.add_argument("--plot", type=Path, default=RESULTS / "cohort_growth.svg", help="where the growth is drawn")
    given.add_argument("--write", action="store_true", help=f"keep the numbers in {RESULTS.name}/cohort.json")
    return given.parse_args()


def run(way: str, register: Path) -> Measured:
    """Run one way in a process of its own."""
    done = subprocess.run([sys.executable, PEERS, way, register], capture_output=True, text=True, cwd=HERE.parent)
    if done.returncode:
        raise SystemExit(f"{way} failed:\n{done.stderr.strip()}")
    return json.loads(done.stdout.splitlines()[-1])


def measure(ways: list[str], register: Path, repeats: int, console: Console) -> dict[str, Measured]:
    """Run every way so many times, taking turns so that a busy moment does not fall on one of them alone."""
    runs: dict[str, list[Measured]] = {way: [] for way in ways}
    for repeat in range(repeats):
        for way in ways:
            with console.status(f"{way}, {repeat + 1} of {repeats}"):
                runs[way].append(run(way, register))
    return {way: _middle(found) for way, found in runs.items()}


def _middle(found: list[Measured]) -> Measured:
    """The median of each measure; the answers must not differ from run to run."""
    if any(one["left"] != found[0]["left"] for one in found):
        raise SystemExit(f"the same way gave different answers: {[one['left'] for one in found]}")
    numbers = {name: median(one[name] for one in found) for name in found[0] if name != "left"}
    return numbers | {"left": found[0]["left"]}


def check_alike(ways: dict[str, Measured]) -> None:
    """All ways must leave the same people after every rule."""
    if len({tuple(one["left"]) for one in ways.values()}) > 1:
        lines = [f"{way}: {one['left']}" for way, one in ways.items()]
        raise SystemExit("\n".join(["the ways do not agree on who is left after each rule", *lines]))


def ratios(ways: dict[str, Measured]) -> list[Measured]:
    """evalkit over each peer."""
    return [
        {"measure": name, "peer": peer, "ratio": ways["evalkit"][name] / ways[peer][name], "most": most}
        for name, peer, most in ASKED
    ]


def growth(register: Path, repeats: int, console: Console) -> list[Measured]:
    """Seconds for 6 to 50 rules over one table and over four, and their ratio to those of 6."""
    found = measure([f"growth:{tables}:{rules}" for rules in RULES for tables in TABLES], register, repeats, console)
    lines = []
    for tables in TABLES:
        least = found[f"growth:{tables}:{RULES[0]}"]["seconds"]
        for rules in RULES:
            one = found[f"growth:{tables}:{rules}"]
            kept = {"seconds": one["seconds"], "cpu": one["cpu"], "peak": one["peak"], "people": one["left"][-1]}
            lines.append({"tables": tables, "rules": rules, **kept, "to_6": one["seconds"] / least})
    return lines


# ---------------------------------------------------------------- shown


def _table(title: str, *columns: str) -> Table:
    """A table whose first column is words and whose other columns are numbers."""
    shown = Table(title=title, title_justify="left")
    for place, column in enumerate(columns):
        shown.add_column(column, justify="right" if place else "left", no_wrap=not place)
    return shown


def show_ways(console: Console, ways: dict[str, Measured], events: int) -> None:
    """Who is left after each rule, and what each way took."""
    shown = _table(f"Left after each rule, the same in all {len(ways)} ways", "", "people")
    for says, people in zip(STEPS, ways["evalkit"]["left"], strict=True):
        shown.add_row(says, f"{people:,}")
    console.print(shown)
    columns = ("sec.", "CPU", "imp.", "MB", "imp.")
    shown = _table(f"Six rules on {events:,} events", "", *columns)
    for way, one in ways.items():
        seconds = (f"{one[name]:.2f}" for name in ("seconds", "cpu", "imports"))
        shown.add_row(SAYS[way], *seconds, f"{one['peak']:,.0f}", f"{one['before']:,.0f}")
    console.print(shown)
    for note in NOTES:
        console.print(note, style="dim")


def show_ratios(console: Console, found: list[Measured]) -> None:
    """evalkit as a share of each peer, beside the most it may be."""
    shown = _table("evalkit as a share of", "", "ratio", "at most")
    words = {"seconds": "time", "cpu": "CPU time", "peak": "memory"}
    for one in found:
        most = "" if one["most"] is None else f"{one['most']:.2f}"
        shown.add_row(f"{words[one['measure']]}: {SAYS[one['peer']]}", _judged(one["ratio"], one["most"]), most)
    console.print(shown)


def _judged(ratio: float, most: float | None) -> str:
    """A ratio, marked where it is more than it may be."""
    return f"{ratio:.2f}" if most is None or ratio <= most else f"{ratio:.2f} (too much)"


def show_growth(console: Console, found: list[Measured]) -> None:
    """Seconds and CPU seconds by number of rules, and the ratio of seconds to those of 6 rules."""
    columns = [text for tables in TABLES for text in (f"{tables} table{'s'[: tables - 1]}", "CPU", "to 6")]
    shown = _table(
        f"Seconds for more rules; {RULES[-1]} may take {MOST_GROWTH:.0f} times those of {RULES[0]}", "rules", *columns
    )
    for rules in RULES:
        cells = []
        for one in (one for one in found if one["rules"] == rules):
            most = MOST_GROWTH if rules == RULES[-1] else None
            cells += [f"{one['seconds']:.2f}", f"{one['cpu']:.2f}", _judged(one["to_6"], most)]
        shown.add_row(str(rules), *cells)
    console.print(shown)


def _tables(tables: int) -> str:
    return "one table" if tables == 1 else "four tables"


def draw(found: list[Measured], events: int, path: Path) -> None:
    """Plot seconds against rules, with the line that 50 rules should stay below."""
    import matplotlib

    matplotlib.use("Agg")
    # Text stays text and ids do not change from run to run: a small file with small differences.
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "cohort"})
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.8), layout="constrained")
    axes = figure.subplots()
    for tables, colour in zip(TABLES, ("#1b5e7b", "#c2571a"), strict=True):
        lines = [one for one in found if one["tables"] == tables]
        seconds = [one["seconds"] for one in lines]
        axes.plot(RULES, seconds, "o-", color=colour, label=f"{_tables(tables)}: {lines[-1]['to_6']:.1f} times 6 rules")
        axes.axhline(MOST_GROWTH * seconds[0], color=colour, lw=0.8, ls=":")
    axes.set(xticks=RULES, xlabel="rules", ylabel="seconds", ylim=(0, None))
    axes.set_title(f"evalkit, {events:,} events (dotted: {MOST_GROWTH:.0f} times the seconds of 6 rules)", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper left")
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata = {"Date": None} if path.suffix == ".svg" else {}
    figure.savefig(path, metadata=metadata)


def write(found: Measured) -> Path:
    """Keep the numbers, with what they were measured on."""
    packages = {name: version(name) for name in ("duckdb", "pandas", "pyarrow")}
    machine = {
        "cores": os.cpu_count(),
        "processor": platform.machine(),
        "python": platform.python_version(),
        **packages,
    }
    path = RESULTS / "cohort.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"machine": machine | packages, **found}, indent=2) + "\n")
    return path


def main() -> None:
    """Draw the register, run every way, show the numbers."""
    given, console = asked(), Console()
    with console.status("drawing the register, once"):
        register = make(given.folder, given.events)
    for path in register.glob("*.parquet"):
        path.read_bytes()  # into the system's cache, so that the first way to run does not pay for the disk
    ways = measure(list(WAYS), register, given.repeats, console)
    check_alike(ways)
    found: Measured = {"events": given.events, "repeats": given.repeats, "ways": ways, "ratios": ratios(ways)}
    show_ways(console, ways, given.events)
    show_ratios(console, found["ratios"])
    if not given.no_growth:
        found["growth"] = growth(register, given.repeats, console)
        show_growth(console, found["growth"])
        draw(found["growth"], given.events, given.plot)
        console.print(f"The growth is drawn in {given.plot}.")
    if given.write:
        console.print(f"The numbers are kept in {write(found)}.")


if __name__ == "__main__":
    main()
