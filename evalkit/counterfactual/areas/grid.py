"""Areas by times: one row of outcomes per area, who is treated, and from when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.counterfactual.areas.cohorts import read_starts
from evalkit.counterfactual.panel import Panel
from evalkit.errors import EstimationError, Flag, several

_SHOWN = 5


@dataclass(frozen=True, eq=False)
class Grid:
    """A complete table of areas and times with one start.

    Parameters
    ----------
    y : ndarray, shape (n_units, n_times)
        Outcomes; no gaps.
    units : ndarray of str, shape (n_units,)
        Names, ascending as text.
    times : ndarray, shape (n_times,)
        As in the table, ascending.
    treated : ndarray of bool, shape (n_units,)
        Areas that are treated from the start on; the others never are.
    start : int
        Place of the first treated time: times before it are "before".
    left_out : tuple of str
        Comparison areas without a value at some time.
    flags : tuple of Flag
        What making the table found.
    """

    y: np.ndarray
    units: np.ndarray
    times: np.ndarray
    treated: np.ndarray
    start: int
    left_out: tuple[str, ...] = ()
    flags: tuple[Flag, ...] = ()

    @property
    def path(self) -> np.ndarray:
        """The treated areas' mean outcome at each time, shape (n_times,)."""
        return np.asarray(self.y[self.treated].mean(axis=0))

    @property
    def donors(self) -> np.ndarray:
        """The comparison areas' outcomes, shape (n_donors, n_times)."""
        return np.asarray(self.y[~self.treated])

    @property
    def donor_names(self) -> np.ndarray:
        """The comparison areas' names, shape (n_donors,)."""
        return np.asarray(self.units[~self.treated])


def named(values: np.ndarray | list[str]) -> str:
    """List the first few areas or times.

    Parameters
    ----------
    values : array-like
        Names; areas and times are no people, so they may be shown.

    Returns
    -------
    str
        "Utah, Nevada and 3 more".
    """
    shown = [str(_plain(value)) for value in values[:_SHOWN]]
    return words.listed(shown if len(values) <= _SHOWN else [*shown, f"{len(values) - _SHOWN} more"])


def _plain(value: object) -> object:
    """A date without its midnight."""
    return np.datetime_as_string(value, unit="D") if isinstance(value, np.datetime64) else value


def make_grid(panel: Panel) -> Grid:
    """Lay the rows out as areas by times and check the design.

    Parameters
    ----------
    panel : Panel
        One row per area and time; ``treated`` is 1 in the treated areas' rows from the start on.

    Returns
    -------
    Grid
        Comparison areas with gaps are left out, with a flag.

    Raises
    ------
    EstimationError
        A treated area has a gap, is treated from the first time, stops being treated, or starts at another time than
        the rest; fewer than two times before; no comparison area without gaps.
    """
    y, on = _tables(panel)
    treated = on.eq(1).any(axis=1).to_numpy()
    times = y.columns.to_numpy()
    _check_treatment(on[treated], times)
    start = int(on.eq(1).any(axis=0).to_numpy().argmax())
    _check_gaps(y[treated], times)
    gaps = y.isna().any(axis=1).to_numpy() & ~treated
    if not (~treated & ~gaps).any():
        raise EstimationError(_no_donors(y[~treated], times))
    kept = y[~gaps]
    left_out = tuple(str(name) for name in y.index[gaps])
    return Grid(
        y=kept.to_numpy(float),
        units=kept.index.to_numpy(),
        times=times,
        treated=treated[~gaps],
        start=start,
        left_out=left_out,
        flags=_flags(treated, left_out, start, panel.cluster is not None),
    )


def _tables(panel: Panel) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Outcome and treatment, areas by times, in an order that does not depend on the rows'."""
    if not np.ptp(panel.y) > 0:
        raise EstimationError(
            f'"{panel.columns.outcome}" is the same everywhere and always, so there is nothing to tell.'
        )
    for name, what in ((panel.columns.time, "time"), (panel.columns.unit, "unit")):
        if lost := int(panel.frame[name].isna().sum()):
            raise EstimationError(f'{lost} rows have no {what} ("{name}"). Fill it in, or drop them.')
    time = panel.frame[panel.columns.time]
    rows = pd.DataFrame({"unit": panel.frame[panel.columns.unit].astype(str).to_numpy(), "time": time.to_numpy()})
    twice = int(rows.duplicated().sum())
    if twice:
        raise EstimationError(
            f'{twice} rows repeat a unit within one time ("{panel.columns.unit}"). Keep one row each.'
        )
    rows["y"], rows["on"] = panel.y, _on(panel)
    y, on = (rows.pivot(index="unit", columns="time", values=name) for name in ("y", "on"))
    return y.sort_index().sort_index(axis=1), on.sort_index().sort_index(axis=1)


def _on(panel: Panel) -> np.ndarray:
    """1 from the start on in the treated areas: by the column of the start where one is given."""
    if panel.columns.first_treated is None:
        return panel.treated
    times, first, _ = read_starts(panel)
    on = (first > 0) & (times >= first)
    said = panel.treated == 1
    if not on.any():
        raise EstimationError(f'by "{panel.columns.first_treated}" no area is treated at any time of the panel.')
    if panel.columns.treated is not None and not ((said == on).all() or (said == (first > 0)).all()):
        raise EstimationError(
            f'"{panel.columns.treated}" and "{panel.columns.first_treated}" do not say the same. Name one of them.'
        )
    return on.astype(float)


def _check_treatment(on: pd.DataFrame, times: np.ndarray) -> None:
    """Nobody is treated from the first time, or stops, or starts at another time than the rest."""
    treated = on.eq(1).to_numpy()
    first = treated.argmax(axis=1)
    names = on.index.to_numpy()
    problems = []
    always = names[first == 0]
    if len(always):
        problems.append(
            f"{named(always)} {_are(always)} treated from the first time ({_plain(times[0])}), so there is no before. "
            "The treated column must be 1 only from the start on, and 0 before it."
        )
    later = np.arange(len(times)) > first[:, None]
    off = later & on.eq(0).to_numpy()
    if off.any():
        when = times[off.any(axis=0)]
        problems.append(
            f"treatment switches off in {named(names[off.any(axis=1)])} (at {named(when)}). "
            "Keep only the times up to the end of treatment."
        )
    if not problems and len(np.unique(first)) > 1:
        starts = named(times[np.unique(first)])
        problems.append(f'the treated areas start at different times ({starts}). Use "staggered did" for those.')
    if not problems and first[0] < 2:
        problems.append(f"there is only one time before the start ({_plain(times[first[0]])}). Two are the least.")
    if problems:
        raise EstimationError(several("the panel", problems))


def _are(names: np.ndarray) -> str:
    return "is" if len(names) == 1 else "are"


def _check_gaps(y: pd.DataFrame, times: np.ndarray) -> None:
    """The treated areas have a value at every time."""
    gaps = y.isna().to_numpy()
    if not gaps.any():
        return
    who, when = named(y.index.to_numpy()[gaps.any(axis=1)]), named(times[gaps.any(axis=0)])
    raise EstimationError(
        f"the treated {who} has no value at {when}. Fill the gap from the source, or leave those times out for all."
    )


def _no_donors(y: pd.DataFrame, times: np.ndarray) -> str:
    """Why no comparison area is left."""
    if not len(y):
        return "every area is treated at some time, so there is none to compare with. Add areas that never are."
    lacking = y.isna().to_numpy().sum(axis=0)
    worst = times[lacking == lacking.max()]
    return (
        f"none of the {len(y)} comparison areas has a value at every time; {int(lacking.max())} lack one at "
        f"{named(worst)}. Leave those times out, or fill them from the source."
    )


def _flags(treated: np.ndarray, left_out: tuple[str, ...], start: int, clustered: bool) -> tuple[Flag, ...]:
    """Areas left out, areas averaged, a short time before."""
    flags = []
    if clustered:
        flags.append(Flag("counterfactual", "note", "Areas are ranked one by one; the clusters named are not used."))
    if left_out:
        text = (
            f"{len(left_out)} of {int((~treated).sum())} comparison areas lack a value at some time and are left out."
        )
        flags.append(Flag("counterfactual", "caution", text, f"{named(list(left_out))}."))
    if treated.sum() > 1:
        text = f"The {int(treated.sum())} treated areas are taken together, as their plain average."
        flags.append(Flag("counterfactual", "note", text))
    if start < 8:
        text = f"There are only {start} times before the start, so a good fit before may be chance."
        flags.append(Flag("counterfactual", "serious" if start < 4 else "caution", text))
    return tuple(flags)


def panel_did(grid: Grid) -> float:
    """Difference in differences of the same table: all comparison areas and all times count alike.

    Parameters
    ----------
    grid : Grid
        From `make_grid`.

    Returns
    -------
    float
        The treated areas' change from the mean of all times before to the mean of all times after, less that of the
        comparison areas; in the outcome's unit. Equal to two-way fixed effects, since there is one start.
    """
    treated, donors = grid.path, grid.donors.mean(axis=0)
    gap = treated - donors
    return float(gap[grid.start :].mean() - gap[: grid.start].mean())
