"""Planned starts by quarter: read, and set against the starts that were."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from evalkit.cohort.checks import FEW, how_many
from evalkit.disclosure import roughly
from evalkit.errors import DataError, EvalkitError, Flag, StudyError, did_you_mean, several
from evalkit.study import shown
from evalkit.tables.files import line_numbers, read_file
from evalkit.tables.kinds import convert
from evalkit.tables.words import quoted, rows_listed
from evalkit.words import listed, number

BEHIND, FAR_BEHIND = 0.10, 0.25


def read_planned(given: dict[str, float] | str, folder: Path) -> dict[str, float]:
    """Read the planned starts by calendar quarter.

    Parameters
    ----------
    given : dict of str to float, or str
        By quarter ("2018-Q2", or the date of its first day), or the name of a csv file with quarter and planned.
    folder : Path
        The study's folder.

    Returns
    -------
    dict of str to float
        By "2018-Q2", in order of time.

    Raises
    ------
    StudyError, DataError
        All that is wrong with the plan, or with the file, in one message.
    """
    if not isinstance(given, str):
        cells = [(quoted(key), str(key), value) for key, value in given.items()]
        return _planned(cells, "[cohort.drift] planned", StudyError, None)
    where, lines = f"{shown(folder)}/{given}", None
    try:
        frame = read_file(folder / given)
        lines = line_numbers(folder / given)
    except DataError as error:
        raise DataError(f"{where}: {error}") from error
    absent = [name for name in ("quarter", "planned") if name not in frame.columns]
    if absent:
        problems = [f'column "{name}" is missing. {did_you_mean(name, frame.columns)}' for name in absent]
        raise DataError(several(where, problems))
    quarters, numbers = convert(frame["quarter"], "text")[0], convert(frame["planned"], "number")[0]
    cells = [("", str(key), value) for key, value in zip(quarters.fillna(""), numbers, strict=True)]
    return _planned(cells, where, DataError, lines or list(range(2, len(cells) + 2)))


def _planned(
    cells: Sequence[tuple[str, str, object]], where: str, error: type[EvalkitError], lines: list[int] | None
) -> dict[str, float]:
    """Quarters and numbers, or all that is wrong with them: told by row in a file, by key in the study."""
    labels = [_label(key) for _, key, _ in cells]
    wrong = {
        "no calendar quarter. Write 2018-Q2, or its first day, 2018-04-01": [not label for label in labels],
        "there already. Keep one row a quarter": [bool(q) and q in labels[:at] for at, q in enumerate(labels)],
        "without a number of people. Write 0 or more, in digits": [not _is_count(value) for _, _, value in cells],
    }
    problems = [] if cells else ['no quarter is given. Write planned = { "2018-Q2" = 12 }, or leave it out.']
    for finding, bad in wrong.items():
        at = [place for place, one in enumerate(bad) if one]
        if at and lines is None:
            problems.append(f"{listed([cells[place][0] for place in at])} {_be(at)} {finding}.")
        elif at and lines is not None:
            told = f"(the first: {quoted(cells[at[0]][1])})"
            problems.append(f"{rows_listed([lines[place] for place in at])} {told} {_be(at)} {finding}.")
    if problems:
        raise error(several(where, problems))
    found = {label: float(str(value)) for label, (_, _, value) in zip(labels, cells, strict=True)}
    return dict(sorted(found.items()))


def _be(places: list[int]) -> str:
    return "is" if len(places) == 1 else "are"


def _label(text: str) -> str:
    """The quarter a text names, or nothing."""
    if re.fullmatch(r"\d{4}-Q[1-4]", text):
        return text
    day = re.fullmatch(r"(\d{4})-(01|04|07|10)-01", text)
    return f"{day[1]}-Q{(int(day[2]) + 2) // 3}" if day else ""


def _is_count(value: object) -> bool:
    number_like = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return number_like and np.isfinite(float(str(value))) and float(str(value)) >= 0


def behind_plan(whole: pd.DataFrame, last: str, rule: str) -> list[Flag]:
    """Tell that fewer people started than planned.

    Parameters
    ----------
    whole : DataFrame
        Index quarter, ascending; starts and planned.
    last : str
        The last quarter that looks finished.
    rule : str
        The disclosure rule in force.

    Returns
    -------
    list of Flag
        A note from 10% on, a caution from 25% on: starts against plan, both summed from the plan's first quarter to the
        last quarter that has both; and since when the sum of starts has stayed below the plan's.
    """
    planned = whole["planned"].dropna()
    if planned.empty or whole["starts"].isna().all() or planned.index[0] > last:
        return []
    until = min(planned.index[-1], last)
    sums = whole.loc[planned.index[0] : until, ["starts", "planned"]].fillna(0).cumsum()
    started, wanted = sums.iloc[-1]
    short = 1 - started / wanted if wanted > 0 else 0.0
    if short < BEHIND:
        return []
    level = np.flatnonzero((sums["starts"] >= sums["planned"]).to_numpy())
    since = sums.index[level[-1] + 1 if len(level) else 0]
    much = f"{roughly(round(wanted - started), round(wanted), rule)} fewer people had started than"
    few = f"{how_many(int(started), 'person', 'people')} had started of"
    text = (
        f"By {until} {few if started < FEW else much} the {number(wanted, 0)} planned; behind the plan since {since}."
    )
    detail = (
        f"Summed from {planned.index[0]}. A start counts in the quarter of the index date, not of the start itself."
    )
    return [Flag("cohort", "caution" if short >= FAR_BEHIND else "note", text, detail, "starts")]
