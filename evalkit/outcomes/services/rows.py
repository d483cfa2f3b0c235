"""The rows of a comparison of services."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit import disclosure
from evalkit.errors import DataError, EstimationError, Flag, did_you_mean, several
from evalkit.outcomes.growing.design import coded

Array = np.ndarray


@dataclass(frozen=True)
class Rows:
    """Rows used: outcome, covariates at the average as 0, each row's person and service, each person's service."""

    y: Array
    x: Array
    person: Array
    service: Array
    home: Array
    names: pd.Index
    binary: bool
    repeated: bool


def read(
    frame: pd.DataFrame, outcome: str, service: str, covariates: tuple[str, ...], person: str | None
) -> tuple[Rows, list[Flag]]:
    """Check the table and lay out its rows.

    Parameters
    ----------
    frame : DataFrame
        One row per person, or per person and occasion.
    outcome, service, covariates, person
        Columns, as for `compare_services`.

    Returns
    -------
    Rows, list of Flag
        Complete rows only, and what a reader must know of the others.

    Raises
    ------
    DataError, EstimationError
        Columns missing or of the wrong kind; one service, or no spread.
    """
    named = list(dict.fromkeys([outcome, service, *covariates, *([person] if person else [])]))
    problems = [
        f'has no column "{name}". {did_you_mean(name, map(str, frame.columns))}' for name in named if name not in frame
    ]
    if not problems and not pd.api.types.is_numeric_dtype(frame[outcome].infer_objects()):
        problems = [
            f'column "{outcome}" holds {frame[outcome].dtype} values, not numbers. Give numbers (no as 0, yes as 1).'
        ]
    if problems:
        raise DataError(several("The table of services", problems))
    used = frame[named].dropna()
    used = used[np.isfinite(used[outcome].to_numpy(dtype=float))]
    code, names = pd.factorize(used[service], sort=True)
    if len(names) < 2:
        raise EstimationError("A comparison of services needs two services or more with a value of the outcome.")
    y = used[outcome].to_numpy(dtype=float)
    if np.ptp(y) == 0:
        raise EstimationError(f'All have the same value of "{outcome}": services cannot differ.')
    columns = [term - term.mean() for name in covariates for term in coded(used[name], name).values()]
    stay = np.arange(len(used)) if person is None else pd.factorize(pd.MultiIndex.from_arrays([code, used[person]]))[0]
    home = np.zeros(int(stay.max()) + 1, dtype=int)
    home[stay] = code
    data = Rows(
        y, np.column_stack([np.ones(len(y)), *columns]), stay, code, home, pd.Index(names, name=service),
        set(np.unique(y)) == {0.0, 1.0}, len(home) < len(y),
    )  # fmt: skip
    return data, _flags_of_rows(used, len(frame), outcome, person, home)


def _flags_of_rows(used: pd.DataFrame, given: int, outcome: str, person: str | None, home: Array) -> list[Flag]:
    flags = []
    if dropped := given - len(used):
        share = disclosure.roughly(dropped, given)
        flags.append(
            Flag("outcomes", "caution", "Rows with a missing value are left out.", f"{share} of the rows.", outcome)
        )
    if person is not None and used[person].nunique() < len(home):
        detail = "Each stay counts as a person of its own."
        flags.append(Flag("outcomes", "caution", "Some people were in more than one service.", detail, outcome))
    return flags
