"""Areas and series estimated again: without a donor, or as if the change had come at an earlier date."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from evalkit.counterfactual.areas.grid import named
from evalkit.counterfactual.estimating import estimate
from evalkit.counterfactual.panel import OTHER_WORDS, TREATED_WORDS
from evalkit.counterfactual.registry import find_estimator
from evalkit.counterfactual.sensitivity.again import numbers_of, once_more
from evalkit.errors import EstimationError

DONORS = ("synthetic control", "synthetic did")


def leave_one_donor_out(frame: pd.DataFrame, estimator: str = "synthetic control", **arguments: Any) -> pd.DataFrame:
    """Estimate again without each comparison area that has weight.

    Parameters
    ----------
    frame : DataFrame
        One row per area and time. Left as it is.
    estimator : {"synthetic control", "synthetic did"}
        Which.
    **arguments
        Those of `evalkit.counterfactual.estimate`: outcome, treated, time, unit and options.

    Returns
    -------
    DataFrame
        One row per area left out, the heaviest first, index "left_out": weight (in the full estimate), effect,
        rmspe_before. Without an area that has no weight a synthetic control is the same, so those are not listed.

    Raises
    ------
    EstimationError
        The estimator has no donors, or the estimate itself cannot be made.
    """
    name = find_estimator(estimator).name
    if name not in DONORS:
        raise EstimationError(f'"{name}" has no donors to leave out. Take one of: {", ".join(DONORS)}.')
    found = estimate(frame, name, **arguments)
    if name == "synthetic control":
        return found.diagnostics["leave_one_out"].copy()
    weights = found.diagnostics["donor_weights"]
    units, rows = frame[arguments["unit"]].astype(str), {}
    for donor, weight in weights[weights > 1e-6].items():
        again, _ = once_more(frame[units != donor], name, {**arguments, "draws": 2})
        fit = np.nan if again is None else again.diagnostics["rmspe_before"]
        rows[donor] = (weight, numbers_of(again)["effect"], fit)
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["weight", "effect", "rmspe_before"])
    return table.rename_axis("left_out")


def placebo_date(frame: pd.DataFrame, estimator: str, dates: Sequence[Any], **arguments: Any) -> pd.DataFrame:
    """Pretend that the change came earlier, and estimate what it did from the times before it alone.

    An effect where nothing had happened yet says that the method, and not the programme, makes effects of that size.

    Parameters
    ----------
    frame : DataFrame
        One row per time (series) or per area and time (panel). Left as it is.
    estimator : str
        "interrupted time series", "synthetic control", "synthetic did", or another that works on such rows and knows
        the treated by a column that is 1 from the start on.
    dates : sequence
        First times of the pretended change, in the table's own units; each before the real start.
    **arguments
        Those of `evalkit.counterfactual.estimate`.

    Returns
    -------
    DataFrame
        One row per date, index "date": effect, low, high, p, n_before, n_after (times), why (the reason where nothing
        could be estimated; else empty).

    Raises
    ------
    EstimationError
        The estimator works on other rows, or a date is not before the start.
    """
    entry = find_estimator(estimator)
    if entry.data not in ("panel", "series") or "treated" not in entry.needs:
        raise EstimationError(f'"{entry.name}" has no start that could be moved. Take one for series or panels.')
    _check_named(frame, arguments)
    time, on = frame[arguments["time"]], _is_treated(frame[arguments["treated"]], arguments.get("treated_is"))
    if not on.any():
        raise EstimationError(f'"{arguments["treated"]}" marks nothing as treated, so there is no start.')
    start = time[on].min()
    ever = on if entry.data == "series" else frame[arguments["unit"]].isin(frame.loc[on, arguments["unit"]])
    before = frame[time < start]
    moved = [_as_time(date, time) for date in dates]
    _check_dates(moved, time, start)
    told = {key: value for key, value in arguments.items() if key != "treated_is"}
    rows = []
    for date in moved:
        late = before[arguments["time"]] >= date
        switched = late if entry.data == "series" else late & ever.loc[before.index]
        again = before.assign(**{arguments["treated"]: switched.astype(int)})
        found, why = once_more(again, entry.name, told)
        times = before.loc[~late, arguments["time"]].nunique(), before.loc[late, arguments["time"]].nunique()
        rows.append({**numbers_of(found), "n_before": times[0], "n_after": times[1], "why": why})
    return pd.DataFrame(rows, index=pd.Index(list(dates), name="date"))


def _check_named(frame: pd.DataFrame, arguments: dict[str, Any]) -> None:
    """The columns that place a row in time are there."""
    wanted = ["treated", "time", *(["unit"] if arguments.get("unit") else [])]
    absent = [name for name in wanted if arguments.get(name) not in frame.columns]
    if absent:
        raise EstimationError(f"placebo dates need the columns {', '.join(absent)} of the table: name them.")


def _is_treated(column: pd.Series, treated_is: object) -> pd.Series:
    """Which rows are treated, by number or by word."""
    if treated_is is not None:
        return column.astype(str) == str(treated_is)
    if pd.api.types.is_numeric_dtype(column):
        return column.eq(1)
    plain = column.astype(str).str.strip().str.casefold()
    return plain.isin(TREATED_WORDS) if plain.isin(TREATED_WORDS).any() else ~plain.isin(OTHER_WORDS) & column.notna()


def _as_time(date: Any, time: pd.Series) -> Any:
    """A date as the column has it: text becomes a time where the column holds times."""
    if isinstance(time.dtype, pd.PeriodDtype):
        return pd.Series([date]).astype(time.dtype).iloc[0]
    return pd.Timestamp(date) if pd.api.types.is_datetime64_any_dtype(time) else date


def _check_dates(dates: list[Any], time: pd.Series, start: Any) -> None:
    """Every date lies before the start and after the first time."""
    wrong = [date for date in dates if not time.min() < date < start]
    if not dates:
        raise EstimationError("no date is given. Name at least one before the start.")
    if wrong:
        raise EstimationError(
            f"a placebo date must lie after the first time and before the start ({start}); {named(wrong)} "
            f"{'does' if len(wrong) == 1 else 'do'} not."
        )
