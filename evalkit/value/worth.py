"""The arithmetic of the impact map: quantity times proxy less what would have happened anyway, year by year."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pandas as pd

from evalkit.tables.rows import as_rows
from evalkit.value.lines import RANGED

Drawn = Mapping[int, np.ndarray]
TAIL = (0.025, 0.975)
PIECE = 8192  # draws worked on at a time: they stay in the processor's cache
SHARED, ALIKE = 2**32, 2**34  # apart from any line's own stream


def worth_by_year(line: Mapping[str, float | np.ndarray], duration: int) -> np.ndarray:
    """The value of one line in each of its years.

    impact = quantity x proxy x (1 - deadweight) x (1 - displacement) x (1 - attribution);
    value in its year k = impact x (1 - drop_off)^(k - 1).

    Parameters
    ----------
    line : dict
        quantity, proxy, deadweight, displacement, attribution, drop_off; numbers, or arrays over draws.
    duration : int
        Years.

    Returns
    -------
    ndarray, shape (..., duration)
        Negative where the quantity or the proxy is.

    References
    ----------
    The SROI formula as described by Social Value UK.
    """
    impact = np.asarray(impact_of(line), dtype=float)
    stays = 1 - np.asarray(line["drop_off"], dtype=float)
    return impact[..., None] * stays[..., None] ** np.arange(duration)


def impact_of(line: Mapping[str, float | np.ndarray]) -> float | np.ndarray:
    """What a line is worth in its first year.

    Parameters
    ----------
    line : dict
        As for `worth_by_year`.

    Returns
    -------
    float or ndarray
        quantity x proxy x (1 - deadweight) x (1 - displacement) x (1 - attribution).
    """
    kept = (1 - line["deadweight"]) * (1 - line["displacement"]) * (1 - line["attribution"])
    return line["quantity"] * line["proxy"] * kept


def last_year(lines: pd.DataFrame) -> int:
    """The last year in which any line has value.

    Parameters
    ----------
    lines : DataFrame
        With starts_year and duration.

    Returns
    -------
    int
        Counted from year 1.
    """
    return int((lines["starts_year"] + lines["duration"]).max()) - 1


def numbers_of(lines: pd.DataFrame) -> dict[str, np.ndarray]:
    """The numbers of a map as arrays, for arithmetic over many lines at once.

    Parameters
    ----------
    lines : DataFrame
        From `read_lines`, quantities filled.

    Returns
    -------
    dict of str to ndarray, shape (n_lines,)
        The assumptions, starts_year and duration.
    """
    return {name: lines[name].to_numpy(dtype=float) for name in (*RANGED, "starts_year", "duration")}


def by_year_of(numbers: Mapping[str, np.ndarray], years: int) -> np.ndarray:
    """The value of every line in every year.

    Parameters
    ----------
    numbers : dict of str to ndarray, shape (n_lines,)
        From `numbers_of`.
    years : int
        How many.

    Returns
    -------
    ndarray, shape (n_lines, years)
        0 before a line starts and after its duration.
    """
    since = np.arange(1, years + 1)[None, :] - numbers["starts_year"][:, None]
    running = (since >= 0) & (since < numbers["duration"][:, None])
    stays = (1 - numbers["drop_off"])[:, None] ** np.where(running, since, 0)
    impact = np.asarray(impact_of(numbers))
    return np.where(running, impact[:, None] * stays, 0.0)


def value_matrix(lines: pd.DataFrame) -> np.ndarray:
    """The value of every line in every year, from the table.

    Parameters
    ----------
    lines : DataFrame
        From `read_lines`, quantities filled.

    Returns
    -------
    ndarray, shape (n_lines, last year)
        0 outside a line's own years.
    """
    return by_year_of(numbers_of(lines), last_year(lines))


# ---------------------------------------------------------------- draws


def draw_lines(
    lines: pd.DataFrame, factors: np.ndarray, quantities: Drawn, root: tuple[int, bool], by_year: np.ndarray
) -> Iterator[np.ndarray]:
    """Present value of one line after another in every draw.

    Parameters
    ----------
    lines : DataFrame
        From `read_lines`; ranges in the columns that end in _low and _high.
    factors : ndarray, shape (n_lines, years)
        Discount factors.
    quantities : dict
        Place of the line -> drawn quantities, for lines whose quantity comes from an effect.
    root : (int, bool)
        Of the random streams, and whether all ranges of one kind share theirs. Otherwise every assumption has a stream
        of its own, so that a range more or less on one line changes nothing in the draws of the others. Lines that
        share a unit value share its stream: where it is too high for one of them it is too high for all.
    by_year : ndarray, shape (years, draws)
        The present value of every line is added to it.

    Yields
    ------
    ndarray, shape (draws,)
        Present values of a line.
    """
    for place, line in enumerate(as_rows(lines)):
        drawing = {name: _drawer(line, name, _stream(line, name, place, root)) for name in RANGED}
        if place in quantities:
            drawing["quantity"] = _given(quantities[place])
        first, years = int(line["starts_year"]) - 1, int(line["duration"])
        worth = np.empty(by_year.shape[1])
        for begin in range(0, len(worth), PIECE):
            piece = slice(begin, min(begin + PIECE, len(worth)))
            drawn = {name: draw(piece.start, piece.stop) for name, draw in drawing.items()}
            worth[piece] = _add(drawn, factors[place, first : first + years], by_year[first : first + years, piece])
        yield worth


def _add(drawn: Mapping[str, float | np.ndarray], factors: np.ndarray, by_year: np.ndarray) -> np.ndarray:
    """Present value of a line in a piece of the draws; its years are added to those of the others."""
    impact = np.broadcast_to(impact_of(drawn), by_year.shape[1:])
    drop = drawn["drop_off"]
    if np.ndim(drop) == 0:
        pattern = (1 - float(drop)) ** np.arange(len(factors)) * factors
        for year, share in enumerate(pattern):
            by_year[year] += impact * share
        return np.asarray(impact * pattern.sum())
    worth, total, stays, now = impact.copy(), np.zeros(by_year.shape[1]), 1 - drop, np.empty(by_year.shape[1])
    for year, factor in enumerate(factors):
        np.multiply(worth, factor, out=now)
        by_year[year] += now
        total += now
        worth *= stays
    return total


def _stream(line: Mapping[str, object], name: str, place: int, root: tuple[int, bool]) -> list[int]:
    """The seed of an assumption's stream."""
    begin, alike = root
    if alike:
        return [begin, ALIKE, RANGED.index(name)]
    if name == "proxy" and line["proxy_id"]:
        return [begin, SHARED, zlib.crc32(str(line["proxy_id"]).encode())]
    return [begin, place, RANGED.index(name)]


def _drawer(line: Mapping[str, float], name: str, seed: list[int]) -> Callable[[int, int], float | np.ndarray]:
    """What draws an assumption, piece after piece; the number itself where it has no range."""
    low, mode, high = line[f"{name}_low"], float(line[name]), line[f"{name}_high"]
    if not float(high) > float(low):
        return lambda begin, end: mode
    random = np.random.default_rng(seed)
    return lambda begin, end: triangular(random.random(end - begin), low, mode, high)


def _given(values: np.ndarray) -> Callable[[int, int], np.ndarray]:
    return lambda begin, end: values[begin:end]


def draw_present_values(
    lines: pd.DataFrame, factors: np.ndarray, quantities: Drawn, random: np.random.Generator, draws: int
) -> np.ndarray:
    """Present value of every line in every draw, for whoever needs them line by line.

    Parameters
    ----------
    lines, quantities
        As for `draw_lines`.
    factors : ndarray, shape (years,) or (n_lines, years)
        Discount factors.
    random : Generator
        Seeded by the study; the streams of the assumptions follow from its next number.
    draws : int
        How many.

    Returns
    -------
    ndarray, shape (draws, n_lines)
        Ranges are triangular, the stated value being the most likely one.
    """
    factors = np.broadcast_to(factors, (len(lines), np.shape(factors)[-1]))
    by_year = np.zeros((factors.shape[1], draws))
    drawn = list(draw_lines(lines, factors, quantities, (root_of(random), False), by_year))
    return np.column_stack(drawn) if drawn else np.empty((draws, 0))


def root_of(random: np.random.Generator) -> int:
    """The root of the streams, from a seeded generator."""
    return int(random.integers(2**62))


def triangular(chance: np.ndarray, low: float | None, mode: float, high: float | None) -> np.ndarray:
    """Turn chances into draws from a triangular distribution; constant where there is no range.

    Parameters
    ----------
    chance : ndarray, shape (draws,)
        Even draws between 0 and 1: the share of the distribution below each draw.
    low, high : float or None
        The ends; missing, or equal, for no range.
    mode : float
        The most likely value.

    Returns
    -------
    ndarray, shape (draws,)
        The draws.
    """
    if pd.isna(low) or pd.isna(high) or not float(high) > float(low):  # type: ignore[arg-type]
        return np.full(len(chance), float(mode))
    start, end, top = float(low), float(high), float(mode)  # type: ignore[arg-type]
    width, turn = end - start, (top - start) / (end - start)
    below, rising, falling = chance < turn, chance * (width * (top - start)), 1 - chance
    falling *= width * (end - top)  # in place, and each mask once: this runs for every draw of every assumption
    root = np.where(below, rising, falling)
    np.sqrt(root, out=root)
    np.subtract(end, root, out=falling)
    root += start
    return np.where(below, root, falling)


def quantiles_of(draws: np.ndarray | None) -> Callable[[np.ndarray], tuple[float, float]]:
    """Prepare the interval of any group of lines.

    Parameters
    ----------
    draws : ndarray, shape (draws, n_lines), or None
        Present values.

    Returns
    -------
    callable
        From line numbers to the 2.5 and 97.5 % quantiles of their sum; NaN where there are no draws.
    """

    def of(chosen: np.ndarray) -> tuple[float, float]:
        if draws is None:
            return np.nan, np.nan
        low, high = np.quantile(draws[:, chosen].sum(axis=1), TAIL)
        return float(low), float(high)

    return of


# ---------------------------------------------------------------- payback


def payback(present: np.ndarray, cost: float) -> float | None:
    """Months until the cumulative present value passes the cost for good, value spread evenly in each year.

    Parameters
    ----------
    present : ndarray, shape (years,)
        Present value of each year.
    cost : float
        To be passed, spent before year 1.

    Returns
    -------
    float or None
        Months; None where it is never passed, or not for good.
    """
    costs = np.concatenate([[float(cost)], np.zeros(len(present))])
    months = float(payback_of(np.concatenate([[0.0], present]), costs))
    return None if math.isinf(months) else months


def payback_of(values: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """Months from which the cumulative present value stays above the cumulative present cost.

    Parameters
    ----------
    values, costs : ndarray, shape (years + 1, ...)
        Present value and present cost of year 0 (at once), 1, 2 and so on (spread evenly within the year).

    Returns
    -------
    ndarray, shape (...)
        0 where value never lags behind; infinite where it is behind at the end.
    """
    net = np.cumsum(values - costs, axis=0)
    behind = net < 0
    last = len(net) - 1 - np.argmax(behind[::-1], axis=0)  # the last year at whose end value was behind
    after = np.minimum(last + 1, len(net) - 1)
    at, then = (np.take_along_axis(net, place[None], axis=0)[0] for place in (last, after))
    gain = np.where(then > at, then - at, 1.0)
    months = 12 * (last - at / gain)
    return np.where(behind[-1], np.inf, np.where(behind.any(axis=0), months, 0.0))
