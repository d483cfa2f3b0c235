"""What `outcomes.py` measured, in tables and in a figure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

SIZES = (1_000, 10_000, 100_000, 500_000)
OURS = "evalkit"
Measured = dict[str, Any]


def _table(title: str, *columns: str) -> Table:
    """A table whose first column is words and whose other columns are numbers."""
    shown = Table(title=title, title_justify="left")
    for place, column in enumerate(columns):
        shown.add_column(column, justify="right" if place else "left", no_wrap=bool(place))
    return shown


def _said(value: float | None) -> str:
    """A number in three digits."""
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def show(console: Console, found: Measured) -> None:
    """What each way of a job took."""
    shown = _table(found["job"], "", "sec.", "CPU", "first", "MB", "before", "apart")
    for line in found["ways"]:
        if "over" in line:
            shown.add_row(line["says"], f"over {line['over']}")
            continue
        numbers = (_said(line[name]) for name in ("seconds", "cpu", "first", "peak", "before"))
        shown.add_row(line["says"], *numbers, f"{max(line['apart'].values()):.0e}" if line["apart"] else "")
    console.print(shown)


def show_ratios(console: Console, found: list[Measured]) -> None:
    """evalkit as a share of each peer, beside the most it may be, which is judged by CPU seconds."""
    shown = _table("evalkit as a share of", "", "time", "CPU time", "at most")
    for job in (job for job in found if len(job["ways"]) > 1):
        ours = job["ways"][0]
        shown.add_section()
        shown.add_row(f"[bold]{job['job']}[/bold]")
        if job["limit"]:
            shown.add_row("  (seconds)", _said(ours["seconds"]), _judged(ours["cpu"], job["limit"]), f"{job['limit']}")
        for line in (line for line in job["ways"][1:] if "of_cpu" in line):
            most = "" if line["most"] is None else f"{line['most']:.3g}"
            shown.add_row(f"  {line['says']}", _said(line["of_seconds"]), _judged(line["of_cpu"], line["most"]), most)
    console.print(shown)


def _judged(value: float, most: float | None) -> str:
    """A number, marked where it is more than it may be."""
    return _said(value) if most is None or value <= most else f"{_said(value)} (too much)"


def show_growth(console: Console, found: list[Measured]) -> None:
    """CPU seconds by size, and between two sizes the power of the rows by which they grow."""
    names = [f"{SIZES[0]:,}", *(name for size in SIZES[1:] for name in ("^", f"{size:,}"))]
    shown = _table("CPU seconds by rows, and between (^) the power of the rows by which they grow", "", *names)
    for job in dict.fromkeys(line["job"] for line in found):
        shown.add_section()
        shown.add_row(f"[bold]{job}[/bold]")
        for line in (line for line in found if line["job"] == job):
            cells = [_said(line["cpu"][0])] if line["cpu"] else []
            for power, value in zip(line["power"], line["cpu"][1:], strict=True):
                cells += [f"{power:.2f}", _said(value)]
            shown.add_row(f"  {line['says'].split(' (')[0]}", *cells)
    console.print(shown)


def draw(found: list[Measured], path: Path) -> None:
    """Plot CPU seconds against rows, a panel a job: evalkit drawn through, others dashed and named at their end."""
    import matplotlib

    matplotlib.use("Agg")
    # Text stays text and ids do not change from run to run: a small file with small differences.
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "outcomes", "font.size": 8})
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(line["job"] for line in found))
    rows, columns = -(-len(names) // 3), min(3, len(names))
    figure = Figure(figsize=(2.8 * columns, 2.6 * rows), layout="constrained")
    axes = np.atleast_1d(figure.subplots(rows, columns)).ravel()
    for one, name in zip(axes, names, strict=False):
        _panel(one, [line for line in found if line["job"] == name and line["cpu"]])
        one.set_title(name, loc="left", fontsize=9)
    for one in axes[len(names) :]:
        one.set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else {})


def _panel(axes: Any, lines: list[Measured]) -> None:
    """One job's lines; names that would lie on each other are moved apart."""
    last = 0.0
    for line in sorted(lines, key=lambda line: line["cpu"][-1]):
        ours = line["way"] == OURS
        colour, width, dashes = ("#1b5e7b", 1.8, "-") if ours else ("#c2571a", 1.1, "--")
        axes.loglog(line["sizes"], line["cpu"], marker="o", ms=3, color=colour, lw=width, ls=dashes)
        end = (line["sizes"][-1], line["cpu"][-1])
        near = 7 if last and end[1] < 1.5 * last else 0
        axes.annotate(line["way"], end, xytext=(5, near), textcoords="offset points", va="center", color=colour)
        last = end[1]
    axes.set(xlabel="rows", ylabel="CPU seconds")
    axes.minorticks_off()
    axes.spines[["top", "right"]].set_visible(False)
