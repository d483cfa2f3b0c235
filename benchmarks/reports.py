"""Seconds per report: evalkit's warm processes against papermill and nbconvert in turn, in the same run."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from evalkit.batch import run_studies

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
STUDIES = sorted(path.parent for path in (ROOT / "data" / "raw").glob("*/study.toml"))


def peer(study: Path, out: Path) -> None:
    """Run the same notebook as a person would without evalkit."""
    ran = out / f"{study.name}.ipynb"
    notebook = ROOT / "notebooks" / "evaluation.ipynb"
    subprocess.run([BIN / "papermill", notebook, ran, "-p", "study", study], check=True, capture_output=True, cwd=ROOT)
    subprocess.run([BIN / "jupyter", "nbconvert", "--to", "html", ran], check=True, capture_output=True)


def main() -> None:
    """Time both and print the ratio."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        result = run_studies(STUDIES, Path(folder) / "reports", workers=2, progress=False)
        ours = (time.perf_counter() - start) / len(STUDIES)
        start = time.perf_counter()
        again = run_studies(STUDIES, Path(folder) / "reports", workers=2, progress=False)
        unchanged = time.perf_counter() - start
        start = time.perf_counter()
        for study in STUDIES:
            peer(study, Path(folder))
        theirs = (time.perf_counter() - start) / len(STUDIES)
    table = Table(title=f"{len(STUDIES)} studies")
    for column in ("", "seconds"):
        table.add_column(column, justify="left" if not column else "right")
    table.add_row("evalkit run, 2 processes, per report", f"{ours:.2f}")
    table.add_row("papermill + nbconvert, in turn, per report", f"{theirs:.2f}")
    table.add_row("ratio", f"{theirs / ours:.1f}")
    table.add_row("evalkit run again, all unchanged, in all", f"{unchanged:.2f}")
    Console().print(table)
    if result.failed or again.done:
        raise SystemExit(f"failed: {result.failed}; made again: {again.done}")


if __name__ == "__main__":
    main()
