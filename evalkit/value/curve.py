"""Turning the curve: where a series was heading, with a range and alternatives, where it should go, where it went."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.errors import DataError, EstimationError, Flag, as_list, did_you_mean
from evalkit.tables.kinds import must_be_table
from evalkit.value.area_series import AreaSeries, neighbours_of, read_area_series

LEVEL = 0.95
DAMPING = 0.8  # each further year moves by four fifths of the year before it
FEWEST_FOR_A_RANGE = 4
NOT_AN_EFFECT = (
    "A gap is not an effect: it is the actual value less a forecast, and much else may have moved the series."
)
ALTERNATIVES = {
    "trend": "straight line through the past, carried forward",
    "last": "last value of the past, carried forward",
    "mean": "mean of the past",
    "damped": "straight line that flattens by a fifth each year",
    "neighbours": "last value of the past, moved as the neighbours' median moved",
}


@dataclass(frozen=True, eq=False)
class Curve:
    """A series of an area: its past, its forecasts, its actual course, and the gap between them.

    Parameters
    ----------
    area, indicator : str
        Whose curve, of what.
    past : DataFrame
        year, value: what the forecast rests on.
    table : DataFrame
        A row per year after the past: year, forecast, low, high (95 % prediction interval), actual, gap (actual less
        forecast), gap_low, gap_high, desired, and the alternative forecasts last, mean, damped, neighbours.
    slope_per_year, residual_sd : float or None
        Of the least-squares line; the standard deviation with n - 2.
    neighbours : DataFrame
        year, areas, low, median, high.
    better : str
        "higher" or "lower".
    flags : tuple of Flag
        What a reader must be told.
    plan : object
        The study's [[curve]], where there is one: story, partners, actions.
    """

    area: str
    indicator: str
    past: pd.DataFrame
    table: pd.DataFrame
    slope_per_year: float | None
    residual_sd: float | None
    neighbours: pd.DataFrame
    better: str = "lower"
    flags: tuple[Flag, ...] = ()
    plan: Any = None
    says: str = field(default=NOT_AN_EFFECT)

    @property
    def forecast(self) -> pd.Series:
        """The trend's forecast by year."""
        return self.table.set_index("year")["forecast"]

    @property
    def actual(self) -> pd.Series:
        """What came, by year."""
        return self.table.set_index("year")["actual"]

    @property
    def gap(self) -> pd.Series:
        """Actual less forecast, by year: a gap, never an effect."""
        return self.table.set_index("year")["gap"]

    @property
    def alternatives(self) -> dict[str, pd.Series]:
        """The other forecasts, by name."""
        known = [name for name in ALTERNATIVES if name != "trend" and name in self.table]
        return {name: self.table.set_index("year")[name] for name in known if self.table[name].notna().any()}

    @property
    def latest(self) -> Any:
        """The last year with an actual value, as a row of the table; None where there is none."""
        there = self.table[self.table["actual"].notna()]
        return None if there.empty else next(there.tail(1).itertuples(index=False))

    @property
    def signs_differ(self) -> bool:
        """Whether the forecasts disagree on the side on which the latest gap lies."""
        last = self.latest
        if last is None:
            return False
        gaps = [last.actual - last.forecast, *(last.actual - one[last.year] for one in self.alternatives.values())]
        return len({math.copysign(1, gap) for gap in gaps if math.isfinite(gap) and abs(gap) > 1e-9}) > 1

    def __repr__(self) -> str:
        """The latest gap with its range, in one line."""
        last = self.latest
        if last is None:
            return f"Curve({self.indicator}, {self.area}; no actual value yet)"
        span = words.interval(last.gap_low, last.gap_high)
        return f"Curve({self.indicator}, {self.area}; gap in {last.year} {span}, centre {words.number(last.gap)})"

    def _repr_html_(self) -> str:
        """The table, that a gap is not an effect, and the flags."""
        head = escape(f"{self.indicator}, {self.area}. {self.says}")
        return f"<p>{head}</p>{self.table.to_html(index=False)}{as_list(self.flags)}"


def turn_curve(
    series: pd.DataFrame | AreaSeries | str | Path,
    baseline_until: int,
    area: str | None = None,
    column: str | None = None,
    baseline_from: int | None = None,
    desired: Mapping[Any, float] | None = None,
    neighbours: Sequence[str] = (),
    better: str = "lower",
) -> Curve:
    """Carry the past of a series forward, and hold what came against it.

    Parameters
    ----------
    series : DataFrame, AreaSeries or path
        A row per area and year: area, year and the indicator. Without an area column it is one area's series. Symbols
        such as c, z, k, x are missing values, never 0. Or what `read_area_series` read, or can read.
    baseline_until : int
        Last year of the past that is carried forward.
    area : str, optional
        Whose curve; needed where there are several.
    column : str, optional
        The indicator; default: the only column of numbers.
    baseline_from : int, optional
        First year of that past; default: the first there is.
    desired : dict, optional
        Year -> the value aimed at.
    neighbours : sequence of str
        Areas of the same table, for context and for one of the alternatives.
    better : {"lower", "higher"}
        Which way is better.

    Returns
    -------
    Curve
        Forecast by least squares with a 95 % prediction interval (t with n - 2, the line's own uncertainty included),
        alternatives, actual, gap. The interval takes each year to scatter by itself around a straight line: where
        years resemble their neighbours (autocorrelation 0.6, ten years) it covers about 84 %. With three years of the
        past or fewer no range is given, and a flag says so.

    Raises
    ------
    DataError
        No such area, column or year; an area twice in a year.
    EstimationError
        Fewer than two years of the past.

    References
    ----------
    Friedman (2005), Trying Hard Is Not Good Enough (turning the curve); the interval: any text on linear regression.
    """
    if better not in ("lower", "higher"):
        raise DataError(f'better = "{better}" is not known. {did_you_mean(better, ("lower", "higher"))}')
    read = _read(series, column, area)
    curve = turned(read.table, read.column, int(baseline_until), area, baseline_from, desired, neighbours, better)
    return replace(curve, flags=(*curve.flags, *read.only([curve.area, *neighbours]).flags))


def _read(series: pd.DataFrame | AreaSeries | str | Path, column: str | None, area: str | None) -> AreaSeries:
    """The indicator by area and year, from whatever holds it."""
    if isinstance(series, AreaSeries):
        if column not in (None, series.column):
            raise DataError(f'The series is of "{series.column}". Read it again with column = "{column}".')
        return series
    if isinstance(series, str | Path):
        return read_area_series(series, column)
    must_be_table(series, "The series")
    named = {"area", "area_name", "geographic_level"} & set(series.columns)
    return read_area_series(series if named else series.assign(area=area or "the area"), column)


def turned(
    frame: pd.DataFrame,
    indicator: str,
    until: int,
    area: str | None,
    since: int | None,
    desired: Mapping[Any, float] | None,
    neighbours: Sequence[str],
    better: str,
) -> Curve:
    """Turn a curve whose table has been read.

    Parameters
    ----------
    frame : DataFrame
        From `read_area_series`: area, year, value.
    indicator : str
        Its name.
    until, since : int
        Last and first year of the past; `since` may be None.
    area, desired, neighbours, better
        As in `turn_curve`.

    Returns
    -------
    Curve
        Without a plan.
    """
    area = _area(frame, area, neighbours)
    mine = frame[(frame["area"] == area) & frame["value"].notna()].sort_values("year")[["year", "value"]]
    if (again := mine["year"].duplicated()).any():
        raise DataError(f"{area} has two values in {mine.loc[again, 'year'].iloc[0]}: keep one row for each year.")
    past = mine[(mine["year"] <= until) & (mine["year"] >= (since if since is not None else -math.inf))]
    if len(past) < 2:
        raise EstimationError(
            f"{area} has {len(past)} years of {indicator} up to {until}, and a line needs two at least. "
            f"Years with values: {', '.join(map(str, mine['year']))}."
        )
    later = mine[mine["year"] > until].set_index("year")["value"]
    wanted = {int(year): float(value) for year, value in (desired or {}).items()}
    ends = [until + 1, *later.index, *wanted]
    years = np.arange(until + 1, max(ends) + 1)
    slope, sd, forecast, low, high = _line(past, years)
    around = neighbours_of(frame, area, neighbours)
    table = pd.DataFrame({"year": years, "forecast": forecast, "low": low, "high": high})
    table["actual"] = later.reindex(years).to_numpy()
    table["gap"] = table["actual"] - table["forecast"]
    table["gap_low"], table["gap_high"] = table["actual"] - table["high"], table["actual"] - table["low"]
    table["desired"] = pd.Series(wanted, dtype=float).reindex(years).to_numpy()
    table = table.assign(**_others(past, years, slope, around))
    curve = Curve(area, indicator, past.reset_index(drop=True), table, slope, sd, around, better)
    return replace(curve, flags=tuple(_flags(curve, neighbours, frame)))


def _area(frame: pd.DataFrame, area: str | None, neighbours: Sequence[str]) -> str:
    known = list(dict.fromkeys(frame["area"].astype(str)))
    if area is None:
        if len(known) != 1:
            raise DataError(
                f"The series has {len(known)} areas: say whose curve it is, area = ... {did_you_mean('', known)}"
            )
        return known[0]
    for one in (area, *neighbours):
        if one not in known:
            raise DataError(f'area "{one}" is not in the series. {did_you_mean(one, known)}')
    return area


def _line(past: pd.DataFrame, years: np.ndarray) -> tuple[float, float | None, np.ndarray, np.ndarray, np.ndarray]:
    """Slope, residual SD, forecast and its prediction interval."""
    from scipy import stats

    x, y = past["year"].to_numpy(dtype=float), past["value"].to_numpy(dtype=float)
    n, centre = len(x), x.mean()
    spread = float(((x - centre) ** 2).sum())
    slope = float(((x - centre) * (y - y.mean())).sum() / spread)
    forecast = y.mean() + slope * (years - centre)
    nothing = np.full(len(years), np.nan)
    if n < 3:
        return slope, None, forecast, nothing, nothing
    sd = math.sqrt(float(((y - y.mean() - slope * (x - centre)) ** 2).sum()) / (n - 2))
    if n < FEWEST_FOR_A_RANGE:
        return slope, sd, forecast, nothing, nothing
    reach = float(stats.t.ppf(0.5 + LEVEL / 2, n - 2)) * sd * np.sqrt(1 + 1 / n + (years - centre) ** 2 / spread)
    return slope, sd, forecast, forecast - reach, forecast + reach


def _others(past: pd.DataFrame, years: np.ndarray, slope: float, around: pd.DataFrame) -> dict[str, np.ndarray]:
    """The alternative forecasts."""
    last_year, last = int(past["year"].iloc[-1]), float(past["value"].iloc[-1])
    ahead = years - last_year
    fitted = float(past["value"].mean() + slope * (last_year - past["year"].mean()))
    steps = DAMPING * (1 - DAMPING**ahead) / (1 - DAMPING)
    median = around.set_index("year")["median"]
    start = median.get(last_year, np.nan)
    moved = last + median.reindex(years).to_numpy(dtype=float) - start
    return {
        "last": np.full(len(years), last),
        "mean": np.full(len(years), float(past["value"].mean())),
        "damped": fitted + slope * steps,
        "neighbours": moved,
    }


def _flags(curve: Curve, neighbours: Sequence[str], frame: pd.DataFrame) -> list[Flag]:
    """What bounds the forecast."""
    flags = [Flag("value", "note", NOT_AN_EFFECT, about=curve.indicator)]
    n = len(curve.past)
    if n < FEWEST_FOR_A_RANGE:
        text = f"The forecast rests on {n} years: no range is given, for so few years say nothing of their own scatter."
        flags.append(Flag("value", "caution", text, about=curve.indicator))
    if curve.signs_differ:
        text = f"Forecasts of {curve.indicator} in {curve.area} disagree on which side of them the latest value lies."
        flags.append(Flag("value", "caution", text, "No single forecast should be quoted alone.", curve.indicator))
    missing = sorted({*range(int(curve.past["year"].min()), int(curve.past["year"].max()) + 1)} - {*curve.past["year"]})
    if missing:
        flags.append(
            Flag("value", "note", f"The past lacks {words.listed(list(map(str, missing)))}.", about=curve.indicator)
        )
    if (curve.past["value"] >= 0).all() and (curve.table["forecast"] < 0).any():
        year = int(curve.table.loc[curve.table["forecast"] < 0, "year"].iloc[0])
        text = f"From {year} on the straight line falls below 0, where the indicator never was: it cannot hold so long."
        flags.append(Flag("value", "caution", text, about=curve.indicator))
    if len(set(neighbours)) == 1:
        flags.append(Flag("value", "note", "One neighbour is no range: its own path is shown.", about=curve.indicator))
    return flags


def study_curves(study: Any) -> list[Curve]:
    """Turn every curve that a study names.

    Parameters
    ----------
    study : Study
        With [[curve]].

    Returns
    -------
    list of Curve
        In the order of the file, each with its plan.

    Raises
    ------
    DataError, EstimationError
        With the file and the remedy.
    """
    return [_of_plan(study, plan) for plan in study.curve]


def _of_plan(study: Any, plan: Any) -> Curve:
    where = f"[[curve]] {plan.id} ({plan.file})"
    try:
        read = read_area_series(study.path(plan.file), plan.column, plan.where, plan.area_column, plan.year_column)
        curve = turned(read.table, plan.title, plan.baseline_until, plan.area, plan.baseline_from, plan.desired,
                       plan.neighbours, plan.better)  # fmt: skip
    except (DataError, EstimationError) as fault:
        raise type(fault)(f"{where}: {fault}") from fault
    return replace(curve, plan=plan, flags=(*curve.flags, *read.only([curve.area, *plan.neighbours]).flags))
