"""What evalkit simulate STUDY --draws prints: the design tried before its outcomes exist."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit.errors import EvalkitError
from evalkit.study import Study, read_study, shown
from evalkit.words import NOT_AVAILABLE, number, percent

if TYPE_CHECKING:
    from evalkit.counterfactual.design import DesignStage

MANY = 300  # from so many draws on a second process is worth its start
SHARES = {"coverage": "Covers the truth", "power": "Effect found", "pays": "Contract pays"}


def design_lines(folder: Path, draws: int, seed: int | None = None, write: bool = False) -> list[str]:
    """Try a study's design.

    Parameters
    ----------
    folder : Path
        The study's folder.
    draws : int
        Invented data sets.
    seed : int, optional
        Default: the study's own.
    write : bool
        Whether data/processed/<study>/design.csv is written.

    Returns
    -------
    list of str
        A table, plain sentences, flags.

    Raises
    ------
    EvalkitError
        The plan is wrong, or its design cannot be tried.
    """
    from evalkit.counterfactual.design import study_design

    study = read_study(folder, with_files=False)
    cohort, why = _cohort(study)
    try:
        found = study_design(study, cohort, draws, seed, workers=2 if draws >= MANY else 1)
    except EvalkitError as error:
        raise type(error)(f"{error} {why}".rstrip()) from None
    lines = [f"{shown(study.folder)}: the design tried on invented outcomes; none of the study's own is used."]
    lines += [*_table(found), *found.says]
    lines += [f"{flag.level}: {flag.text} {flag.detail}".rstrip() for flag in found.flags]
    return [*lines, f"Written: {shown(_write(study, found))}"] if write else lines


def _cohort(study: Study) -> tuple[Any, str]:
    """The cohort where it can be built and is wanted, or why it cannot."""
    plan = study.design
    if study.cohort is None or (plan is not None and plan.treated is not None and plan.comparison is not None):
        return None, ""
    from evalkit.cohort import build_cohort

    try:
        return build_cohort(study), ""
    except (EvalkitError, OSError) as error:
        said = str(error).splitlines()[0]
        return None, f"(The cohort cannot be built yet: {said})"


def _table(found: DesignStage) -> list[str]:
    """One row for each true effect."""
    from rich.console import Console
    from rich.table import Table

    rows = found.table.to_dict("records")
    kept = {name: title for name, title in SHARES.items() if not found.table[name].isna().all()}
    table = Table(
        "True effect", "", "Bias (error)", "Spread", "Mean se", *[f"{title} (error)" for title in kept.values()]
    )
    for column in table.columns[1:]:
        column.justify = "right"
    digits = 3 if found.setting.yes_or_no or found.setting.sd < 10 else 1
    for row in rows:
        plain = [number(row["effect"], digits, sign=True), _pair(row, "bias", digits)]
        plain += [number(row["sd"], digits), number(row["mean_se"], digits)]
        table.add_row(str(row["name"]), *plain, *[_share(row, name) for name in kept])
    text = io.StringIO()
    Console(file=text, width=132, no_color=True).print(table)
    return text.getvalue().splitlines()


def _pair(row: Any, name: str, digits: int) -> str:
    return f"{number(row[name], digits, sign=True)} ({number(row[f'{name}_error'], digits)})"


def _share(row: Any, name: str) -> str:
    text = percent(row[name])
    return text if text == NOT_AVAILABLE else f"{text} ({number(100 * row[f'{name}_error'])})"


def _write(study: Study, found: DesignStage) -> Path:
    """The table, whole or not at all."""
    from evalkit.evaluation import processed_folder

    folder = processed_folder(study)
    folder.mkdir(parents=True, exist_ok=True)
    path, aside = folder / "design.csv", folder / f".design.{os.getpid()}"
    try:
        found.table.to_csv(aside, index=False, lineterminator="\n")
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)
    return path
