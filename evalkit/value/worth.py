"""The arithmetic of the impact map: quantity times proxy less what would have happened anyway, year by year."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from evalkit.value.lines import RANGED

Drawn = Mapping[int, np.ndarray]
TAIL = (0.025, 0.975)


def worth_by_year(line: Mapping[str, float | np.ndarray], duration: int) -> np.ndarray:
    """The value of one line in each of its years.

    impact = quantity x proxy x (1 - deadweight) x (1 - displacement) x (1 - attribution);
    value in year k = impact x (1 - drop_off)^(k - 1).

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
    kept = (1 - line["deadweight"]) * (1 - line["displacement"]) * (1 - line["attribution"])
    impact = np.asarray(line["quantity"] * line["proxy"] * kept, dtype=float)
    stays = 1 - np.asarray(line["drop_off"], dtype=float)
    return impact[..., None] * stays[..., None] ** np.arange(duration)


def value_matrix(lines: pd.DataFrame) -> np.ndarray:
    """The value of every line in every year.

    Parameters
    ----------
    lines : DataFrame
        From `read_lines`, quantities filled.

    Returns
    -------
    ndarray, shape (n_lines, longest duration)
        0 after a line's own duration.
    """
    out = np.zeros((len(lines), int(lines["duration"].max())))
    for place, line in enumerate(lines.to_dict("records")):
        years = int(line["duration"])
        out[place, :years] = worth_by_year({str(name): line[name] for name in RANGED}, years)
    return out


def draw_present_values(
    lines: pd.DataFrame, factors: np.ndarray, quantities: Drawn, random: np.random.Generator, draws: int
) -> np.ndarray:
    """Present value of every line in every draw.

    Parameters
    ----------
    lines : DataFrame
        From `read_lines`; ranges in the columns that end in _low and _high.
    factors : ndarray, shape (years,)
        Discount factors.
    quantities : dict
        Place of the line -> drawn quantities, for lines whose quantity comes from an effect.
    random : Generator
        Seeded by the study.
    draws : int
        How many.

    Returns
    -------
    ndarray, shape (draws, n_lines)
        Ranges are triangular, the stated value being the most likely one. Lines that share a unit value of the shelf
        share its draw: where it is too high for one of them it is too high for all.
    """
    shared: dict[str, np.ndarray] = {}
    out = np.empty((draws, len(lines)))
    for place, line in enumerate(lines.to_dict("records")):
        chances = {name: random.uniform(size=draws) for name in RANGED}
        if line["proxy_id"]:
            chances["proxy"] = shared.setdefault(line["proxy_id"], chances["proxy"])
        drawn = {
            name: triangular(chance, line[f"{name}_low"], line[name], line[f"{name}_high"])
            for name, chance in chances.items()
        }
        drawn["quantity"] = quantities.get(place, drawn["quantity"])
        years = int(line["duration"])
        out[:, place] = worth_by_year(drawn, years) @ factors[:years]
    return out


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
    start, end = float(low), float(high)  # type: ignore[arg-type]
    rising = start + np.sqrt(chance * (end - start) * (mode - start))
    falling = end - np.sqrt((1 - chance) * (end - start) * (end - mode))
    return np.where(chance * (end - start) < mode - start, rising, falling)


def payback(present: np.ndarray, cost: float) -> float | None:
    """Months until the cumulative present value passes the cost, value spread evenly in each year.

    Parameters
    ----------
    present : ndarray, shape (years,)
        Present value of each year.
    cost : float
        To be passed.

    Returns
    -------
    float or None
        Months; None where it is never passed.
    """
    so_far = 0.0
    for year, value in enumerate(present):
        if value > 0 and so_far + value >= cost:
            return 12 * (year + (cost - so_far) / value)
        so_far += value
    return None


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
