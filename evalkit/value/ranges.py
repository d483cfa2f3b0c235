"""Ranges by joint draws: of value, net value, ratio and payback, of every line and every group of lines."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.errors import EstimationError, Flag
from evalkit.value.discount import Discounting, line_factors
from evalkit.value.lines import RANGED
from evalkit.value.whole_life import Cost
from evalkit.value.worth import (
    TAIL,
    by_year_of,
    draw_lines,
    draw_present_values,
    last_year,
    numbers_of,
    payback_of,
    root_of,
    triangular,
)

FEWEST = 200
STREAM = 3  # another one than those of the draws of effects (1) and contract (2)
# apart from any line's own stream: a seed of this size is read as two numbers, (0, 2), so a third must follow it, or
# it would be the stream of line 0's third assumption
SPENT = 2**33
ROUGH = 0.02  # of the width of the range: an end known no better than this is said to be rough
ONE_SIDED = (0.25, 0.75)
Ends = tuple[float, float]


@dataclass(frozen=True)
class Drawing:
    """How ranges are drawn.

    Parameters
    ----------
    draws : int
        How many.
    seed : int
        Of the study.
    quantities : dict
        Place of the line -> quantities drawn from effects, shape (draws,).
    alike : bool
        Whether all ranges of one kind (all deadweights, all unit values ...) move together: a bound on what is not
        known of how assumptions hang together. Otherwise each moves by itself.
    """

    draws: int = 10_000
    seed: int = 20260101
    quantities: dict[int, np.ndarray] = field(default_factory=dict)
    alike: bool = False


@dataclass(frozen=True, eq=False)
class Spread:
    """What the draws say.

    Parameters
    ----------
    present_value, npv, ratio, payback : (float, float)
        2.5 and 97.5 % of the draws. payback in months; infinite where value never catches up.
    exceeds : float
        Share of the draws in which value exceeds cost: in them it pays back within the years of the map.
    error : float
        Monte Carlo standard error of the worse known end of the ratio: what more draws would narrow.
    exceeds_error : float
        The same of ``exceeds``.
    below_centre : float
        Share of the draws whose ratio is below that of the stated values.
    mean, median, skewness : float
        Of the drawn ratios.
    by_line : ndarray, shape (n_lines, 2)
        Ends of the present value of each line.
    by_group : dict of str to dict of str to (float, float)
        Ends by grouping (agency, stakeholder ...) and label.
    by_year : DataFrame
        year (from 0), low and high of the present value, paid_back (share of the draws in which value has caught up
        with cost by the year's end, for good).
    """

    present_value: Ends
    npv: Ends
    ratio: Ends
    payback: Ends
    exceeds: float
    error: float
    exceeds_error: float
    below_centre: float
    mean: float
    median: float
    skewness: float
    by_line: np.ndarray
    by_group: dict[str, dict[str, Ends]]
    by_year: pd.DataFrame


def anything_varies(lines: pd.DataFrame, cost: Cost, drawing: Drawing) -> bool:
    """Whether there is anything to draw.

    Parameters
    ----------
    lines : DataFrame
        From `read_lines`.
    cost : Cost
        What was spent.
    drawing : Drawing
        With the quantities that come from effects.

    Returns
    -------
    bool
        False where no line, no effect and no cost has a range.
    """
    ranged = any((lines[f"{name}_high"] > lines[f"{name}_low"]).any() for name in RANGED)
    return bool(ranged or drawing.quantities or cost.varies)


def spread_of(
    lines: pd.DataFrame, factors: np.ndarray, cost: Cost, drawing: Drawing, labels: Mapping[str, np.ndarray]
) -> Spread | None:
    """Draw everything uncertain together.

    Parameters
    ----------
    lines : DataFrame
        From `read_lines`, quantities filled.
    factors : ndarray, shape (n_lines, years)
        Discount factors; years reach to the last year of value or cost.
    cost : Cost
        What was spent.
    drawing : Drawing
        How many draws, the seed, quantities from effects.
    labels : dict of str to ndarray, shape (n_lines,)
        Groupings whose sums are wanted: agency, stakeholder ...

    Returns
    -------
    Spread or None
        None where nothing has a range.

    Raises
    ------
    EstimationError
        Fewer draws than the ends of a range can be read from.
    """
    if not anything_varies(lines, cost, drawing):
        return None
    if drawing.draws < FEWEST:
        raise EstimationError(f"{drawing.draws} draws are too few for the ends of a range. Ask for {FEWEST} or more.")
    root = root_of(np.random.default_rng([drawing.seed, STREAM]))
    years, draws = factors.shape[1], drawing.draws
    values = np.zeros((years + 1, draws))
    groups = _Groups(labels)
    ends = np.empty((len(lines), 2))
    for place, worth in enumerate(draw_lines(lines, factors, drawing.quantities, (root, drawing.alike), values[1:])):
        ends[place] = np.quantile(worth, TAIL)
        groups.add(place, worth, ends[place])
    costs = drawn_costs(cost, years, root, draws)
    return _summed(values, costs, (ends, groups.ends), _central(lines, factors, cost))


def _central(lines: pd.DataFrame, factors: np.ndarray, cost: Cost) -> float:
    """The ratio of the stated values."""
    return float((by_year_of(numbers_of(lines), factors.shape[1]) * factors).sum() / cost.amount)


def drawn_costs(cost: Cost, years: int, root: int, draws: int) -> np.ndarray:
    """Present costs by year and draw.

    Parameters
    ----------
    cost : Cost
        One sum, which stands in year 0, or rows by year.
    years : int
        The last year.
    root : int
        Of the random streams.
    draws : int
        How many.

    Returns
    -------
    ndarray, shape (years + 1, draws), or (years + 1, 1) where no cost has a range
        Triangular, each row of the costs by itself.
    """
    fixed = cost.each_year(years)[:, None]
    if not cost.varies:
        return fixed
    out = np.zeros((years + 1, draws))
    if cost.rows is None:
        low, high = (cost.amount if end is None else end for end in (cost.low, cost.high))
        out[0] = triangular(np.random.default_rng([root, SPENT, 0]).random(draws), low, cost.amount, high)
        return out
    rows: Any = cost.rows.itertuples()
    for place, row in enumerate(rows):
        chance = np.random.default_rng([root, SPENT, place]).random(draws)
        out[int(row.year)] += row.factor * triangular(chance, row.low, row.amount, row.high)
    return out


class _Groups:
    """Sums of the draws by group, each kept only until its last line is in."""

    def __init__(self, labels: Mapping[str, np.ndarray]) -> None:
        self.labels = labels
        self.waiting = {by: pd.Series(names).value_counts().to_dict() for by, names in labels.items()}
        self.sums: dict[tuple[str, str], np.ndarray] = {}
        self.ends: dict[str, dict[str, Ends]] = {by: {} for by in labels}

    def add(self, place: int, worth: np.ndarray, ends: np.ndarray) -> None:
        """Add a line to each of its groups."""
        for by, names in self.labels.items():
            name, key = names[place], (by, names[place])
            self.waiting[by][name] -= 1
            if self.waiting[by][name] == 0 and key not in self.sums:
                self.ends[by][name] = (float(ends[0]), float(ends[1]))
                continue
            if key in self.sums:
                self.sums[key] += worth
            else:
                self.sums[key] = worth.copy()
            if self.waiting[by][name] == 0:
                low, high = np.quantile(self.sums.pop(key), TAIL)
                self.ends[by][name] = (float(low), float(high))


def _summed(
    values: np.ndarray, costs: np.ndarray, parts: tuple[np.ndarray, dict[str, dict[str, Ends]]], centre: float
) -> Spread:
    """The summary of the draws."""
    total, spent = values.sum(axis=0), costs.sum(axis=0)
    ratio, draws = total / spent, values.shape[1]
    months = payback_of(values, costs)
    ends, error = _ends_with_error(ratio)
    exceeds = float((total > spent).mean())  # not ratio > 1: money that came back may leave nothing spent in a draw
    mean, sd = float(ratio.mean()), float(ratio.std())
    return Spread(
        present_value=_ends(total),
        npv=_ends(total - spent),
        ratio=ends,
        payback=_ends(months),
        exceeds=exceeds,
        error=error,
        exceeds_error=math.sqrt(exceeds * (1 - exceeds) / draws),
        below_centre=float((ratio < centre).mean()),
        mean=mean,
        median=float(np.median(ratio)),
        skewness=float((((ratio - mean) / sd) ** 3).mean()) if sd > 0 else 0.0,
        by_line=parts[0],
        by_group=parts[1],
        by_year=_years(values, months),
    )


def _ends(drawn: np.ndarray) -> Ends:
    """2.5 and 97.5 % of the draws; an end beyond which value never catches up is infinite."""
    if np.isinf(drawn).any():
        low, high = np.quantile(drawn, TAIL, method="inverted_cdf")  # no averaging with what is infinite
    else:
        low, high = np.quantile(drawn, TAIL)
    return float(low), float(high)


def _ends_with_error(drawn: np.ndarray) -> tuple[Ends, float]:
    """The ends and the larger of their standard errors, from the draws around them."""
    step = math.sqrt(TAIL[0] * TAIL[1] / len(drawn))
    around = np.clip([TAIL[0] - step, TAIL[0], TAIL[0] + step, TAIL[1] - step, TAIL[1], TAIL[1] + step], 0, 1)
    found = np.quantile(drawn, around)
    return (float(found[1]), float(found[4])), float(max(found[2] - found[0], found[5] - found[3]) / 2)


def _years(values: np.ndarray, months: np.ndarray) -> pd.DataFrame:
    """Ends of every year's present value, and how often value has caught up by its end."""
    ends = np.array([np.quantile(year, TAIL) for year in values])
    numbers = np.arange(len(values))
    paid = np.array([(months <= 12 * year).mean() for year in numbers])
    return pd.DataFrame({"year": numbers, "low": ends[:, 0], "high": ends[:, 1], "paid_back": paid})


def method(drawing: Drawing, spread: Spread) -> str:
    """Say how the ranges were drawn.

    Parameters
    ----------
    drawing : Drawing
        Draws and seed.
    spread : Spread
        For the error that is left.

    Returns
    -------
    str
        One sentence.
    """
    effects = "effects from their joint sampling distribution; " if drawing.quantities else ""
    return (
        f"Ranges: {drawing.draws:,} draws, {effects}stated ranges from triangular distributions with the stated value "
        "most likely, each assumption by itself, lines that share a unit value together; 2.5% to 97.5% of the draws; "
        f"seed {drawing.seed}; the ends of the ratio are known to \u00b1{rough(spread.error)} "
        "(one standard error of the draws)."
    )


def rough(error: float) -> str:
    """Write a small number with its first digit that is not 0: "0.004".

    Parameters
    ----------
    error : float
        0 or more.

    Returns
    -------
    str
        Two digits from 0.1 on.
    """
    digits = 2 if error >= 0.1 or error <= 0 else min(-math.floor(math.log10(error)), 8)
    return words.number(error, digits)


def flags_of(spread: Spread | None) -> list[Flag]:
    """Say where the range is missing, rough or one-sided.

    Parameters
    ----------
    spread : Spread or None
        None where nothing has a range.

    Returns
    -------
    list of Flag
        Serious where there is none.
    """
    if spread is None:
        text = "The ratio has no range: no line gives one, so it must not be quoted alone."
        remedy = "Give low and high columns in the impact map, or let quantities come from effects."
        return [Flag("value", "serious", text, remedy, "ratio")]
    flags, width = [], spread.ratio[1] - spread.ratio[0]
    if spread.error > ROUGH * width:
        text = "The ends of the ratio's range are rough: more draws would move them."
        detail = f"Their standard error is {rough(spread.error)}. Ask for more draws."
        flags.append(Flag("value", "caution", text, detail, "ratio"))
    if not ONE_SIDED[0] <= spread.below_centre <= ONE_SIDED[1]:
        side = "low" if spread.below_centre < ONE_SIDED[0] else "high"
        text = f"The central ratio lies at the {side} end of its range: the ranges lean to one side."
        detail = (
            f"{words.percent(spread.below_centre, 0)} of the draws lie below it; their mean is "
            f"{words.number(spread.mean, 2)}, their median {words.number(spread.median, 2)}, their skewness "
            f"{words.number(spread.skewness, 2)}."
        )
        flags.append(Flag("value", "caution", text, detail, "ratio"))
    return flags


def lines_drawn(
    lines: pd.DataFrame, cost: Cost, discounting: Discounting, drawing: Drawing
) -> tuple[np.ndarray, np.ndarray | None]:
    """Present value of every line, and its draws: the same joint draws as those behind the ratio.

    Parameters
    ----------
    lines, cost, discounting, drawing
        As a look sees them: ``view.lines``, ``view.cost``, ``view.discounting``, ``view.drawing``.

    Returns
    -------
    (ndarray of shape (n_lines,), ndarray of shape (draws, n_lines) or None)
        None where nothing has a range.
    """
    factors = line_factors(lines["rate"].tolist(), discounting, max(last_year(lines), cost.last_year))
    values = (by_year_of(numbers_of(lines), factors.shape[1]) * factors).sum(axis=1)
    if not anything_varies(lines, cost, drawing):
        return values, None
    random = np.random.default_rng([drawing.seed, STREAM])
    return values, draw_present_values(lines, factors, drawing.quantities, random, drawing.draws)
