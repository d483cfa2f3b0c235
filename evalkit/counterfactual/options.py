"""What an estimate is asked beside its columns: options in plain types and words, and what is wrong with them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from evalkit.counterfactual.registry import Entry
from evalkit.errors import EstimationError, did_you_mean

ANY_CASE = ("se", "values", "better", "distance", "ties", "random", "method", "kernel", "treated_side", "base")
PER_ROW = ("offset", "exposure")  # a column, or its values
NUMBERS = (
    *("contract_baseline", "per", "rounding", "dispersion", "deadweight", "low", "high", "years"),
    *("baseline_rate", "baseline_mean", "baseline_sd", "baseline_n", "baseline_se", "trend", "trend_low", "trend_high"),
)


def tidy(options: dict[str, Any]) -> dict[str, Any]:
    """Numbers of numpy as plain ones, and words in the case in which they are known.

    Parameters
    ----------
    options : dict
        As they were given; "HC2" and "att" are "hc2" and "ATT".

    Returns
    -------
    dict
        New.
    """
    plain = {name: given.item() if isinstance(given, np.generic) else given for name, given in options.items()}
    for name in ANY_CASE:
        if isinstance(plain.get(name), str):
            plain[name] = plain[name].strip().lower()
    if isinstance(plain.get("se"), str):
        plain["se"] = plain["se"].replace("_", "-")
    if isinstance(plain.get("estimand"), str):
        plain["estimand"] = plain["estimand"].strip().upper()
    return plain


def with_values(frame: pd.DataFrame, entry: Entry, options: dict[str, Any]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Values given in place of a column become a column.

    Parameters
    ----------
    frame : DataFrame, shape (n, ...)
        Left as it is.
    entry : Entry
        The estimator.
    options : dict
        ``offset`` and ``exposure`` may hold n values.

    Returns
    -------
    (DataFrame, dict)
        With the columns "(offset)" and "(exposure)" where there were values.

    Raises
    ------
    EstimationError
        The values do not belong to the rows.
    """
    for name in PER_ROW:
        given = options.get(name)
        if name not in entry.options or given is None or isinstance(given, str):
            continue
        fits = isinstance(given, pd.Series | pd.Index | np.ndarray | list | tuple) and np.shape(given) == (len(frame),)
        if not fits or (isinstance(given, pd.Series) and not given.index.equals(frame.index)):
            raise EstimationError(
                f'{name} must be a column of the table ("people"), its logarithm ("log(people)"), or one value for '
                "each row of the table, in the same order."
            )
        frame, options = frame.assign(**{f"({name})": np.asarray(given)}), {**options, name: f"({name})"}
    return frame, options


def faults(entry: Entry, options: dict[str, Any], known: list[str]) -> list[str]:
    """Say which options do not exist, and which numbers are none.

    Parameters
    ----------
    entry : Entry
        The estimator.
    options : dict
        From `tidy`.
    known : list of str
        Every option there is.

    Returns
    -------
    list of str
        Problems.
    """
    problems = [
        f'"{entry.name}" has no option "{name}". {did_you_mean(name, known)}' for name in options if name not in known
    ]
    for name in NUMBERS:
        given = options.get(name)
        if given is not None and (isinstance(given, bool) or not isinstance(given, int | float)):
            problems.append(f"{name} must be a number, and is a {type(given).__name__}.")
    problems += [
        f"{name} must be true or false, and is a {type(options[name]).__name__}."
        for name, default in entry.options.items()
        if isinstance(default, bool) and options.get(name, default) not in (True, False)
    ]
    if "n" in entry.options and not isinstance(options.get("n"), str | None):
        problems.append('n must be the name of the column with the numbers of people, such as n = "people".')
    return problems
