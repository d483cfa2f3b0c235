"""From checked lines to a Value: by line, by year, by agency, with ranges by joint draws."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from evalkit.errors import DataError, Flag
from evalkit.value.beside import beside_money, part_money
from evalkit.value.discount import Discounting, read_rate
from evalkit.value.lines import RANGED, read_lines
from evalkit.value.noun import Value
from evalkit.value.worth import TAIL, draw_present_values, payback, quantiles_of, triangular, value_matrix

NO_RANGE = "The ratio has no range: no line gives one, so it must not be quoted alone."
SHOWN = [
    "outcome", "title", "stakeholder", "agency", "quantity", "quantity_from", "proxy", "proxy_id", "price_year",
    "deadweight", "displacement", "attribution", "drop_off", "duration",
    "impact", "present_value", "low", "high", "source",
]  # fmt: skip


@dataclass(frozen=True)
class Cost:
    """What was spent.

    Parameters
    ----------
    amount : float
        In the study's currency and price year.
    low, high : float or None
        Its range, where one is given.
    """

    amount: float
    low: float | None = None
    high: float | None = None


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
    """

    draws: int = 10_000
    seed: int = 20260101
    quantities: dict[int, np.ndarray] = field(default_factory=dict)


def appraise(
    impact_map: pd.DataFrame,
    cost: float,
    discount_rate: float | str,
    discount_first_year: bool = True,
    draws: int = 10_000,
    seed: int = 20260101,
) -> Value:
    """Appraise a plain impact map.

    Parameters
    ----------
    impact_map : DataFrame
        outcome, quantity, proxy, deadweight, displacement, attribution, drop_off, duration; where known title,
        stakeholder, agency, price_year, source, and ranges such as proxy_low and proxy_high. A line with neither
        quantity nor proxy is not valued in money and is shown beside it.
    cost : float
        What was spent, in the same currency and price year.
    discount_rate : float or str
        A share a year, or a dated parameter file: "stpr 2022".
    discount_first_year : bool
        Whether the value of year 1 is discounted once.
    draws, seed : int
        For the ranges.

    Returns
    -------
    Value
        ratio_low and ratio_high are None, with a flag, where no ranges are given.

    Raises
    ------
    DataError
        The map is wrong: all problems at once, mixed price years among them.

    References
    ----------
    The SROI formula as described by Social Value UK; discounting as in HM Treasury's Green Book.
    """
    lines, flags = read_lines(impact_map)
    lines, beside = part_money(lines)
    if missing := list(lines.loc[lines["quantity"].isna(), "title"]):
        raise DataError(f"The impact map has lines without a quantity: {', '.join(missing)}.")
    lines = lines.assign(quantity_from="typed")
    rate = read_rate(discount_rate, discount_first_year)
    return beside_money(appraise_lines(lines, Cost(cost), rate, Drawing(draws, seed), flags), beside)


def appraise_lines(
    lines: pd.DataFrame, cost: Cost, discounting: Discounting, drawing: Drawing, flags: list[Flag]
) -> Value:
    """Work out the value of checked lines.

    Parameters
    ----------
    lines : DataFrame
        From `read_lines`, with quantity and quantity_from.
    cost, discounting, drawing : Cost, Discounting, Drawing
        What was spent, the convention, how ranges are drawn.
    flags : list of Flag
        Raised so far.

    Returns
    -------
    Value
        Without its study, contract and effects.
    """
    if not cost.amount > 0:
        raise DataError(f"cost {cost.amount} must be above 0: a ratio needs something that was spent.")
    matrix = value_matrix(lines)
    factors = discounting.factors(matrix.shape[1])
    by_line = matrix @ factors
    total = float(by_line.sum())
    drawn, costs = _draws(lines, cost, factors, drawing)
    spread = quantiles_of(drawn)
    ratios = None if drawn is None else drawn.sum(axis=1) / costs
    low, high = (None, None) if ratios is None else (float(q) for q in np.quantile(ratios, TAIL))
    flags = flags + _sign_flags(lines, by_line) + ([_no_range()] if ratios is None else [])
    return Value(
        lines=_lines(lines, matrix, by_line, spread),
        by_year=_by_year(matrix, factors),
        by_agency=_by(lines["agency"], by_line, spread),
        by_stakeholder=_by(lines["stakeholder"], by_line, spread),
        present_value=total,
        npv=total - cost.amount,
        ratio=total / cost.amount,
        net_ratio=(total - cost.amount) / cost.amount,
        ratio_low=low,
        ratio_high=high,
        payback_months=payback(matrix.sum(axis=0) * factors, cost.amount),
        cost=cost.amount,
        convention=discounting.says,
        range_method=_method(drawing) if ratios is not None else "",
        probability_exceeds_cost=None if ratios is None else float((ratios > 1).mean()),
        flags=tuple(flags),
    )


def _draws(
    lines: pd.DataFrame, cost: Cost, factors: np.ndarray, drawing: Drawing
) -> tuple[np.ndarray | None, np.ndarray | float]:
    """Present values by draw and line, and costs by draw; None where nothing has a range."""
    has_range = any((lines[f"{name}_high"] > lines[f"{name}_low"]).any() for name in RANGED)
    if not (has_range or drawing.quantities or cost.low is not None):
        return None, cost.amount
    random = np.random.default_rng([drawing.seed, 3])  # another stream than the draws of effects (1) and contract (2)
    values = draw_present_values(lines, factors, drawing.quantities, random, drawing.draws)
    low, high = (cost.amount if end is None else end for end in (cost.low, cost.high))
    return values, triangular(random.uniform(size=drawing.draws), low, cost.amount, high)


def _lines(lines: pd.DataFrame, matrix: np.ndarray, by_line: np.ndarray, spread: Any) -> pd.DataFrame:
    """The lines as they are shown."""
    ends = [spread(np.array([place])) for place in range(len(lines))]
    out = lines.assign(
        impact=matrix[:, 0],
        present_value=by_line,
        low=[end[0] for end in ends],
        high=[end[1] for end in ends],
        duration=lines["duration"].astype(int),
    )
    return out[SHOWN]


def _by_year(matrix: np.ndarray, factors: np.ndarray) -> pd.DataFrame:
    """Value and present value of each year."""
    value = matrix.sum(axis=0)
    years = np.arange(1, len(factors) + 1)
    return pd.DataFrame({"year": years, "value": value, "factor": factors, "present_value": value * factors})


def _by(names: pd.Series, by_line: np.ndarray, spread: Any) -> pd.DataFrame:
    """Present value by agency or stakeholder, in the order of the map; an empty name is "not stated"."""
    labels = names.where(names != "", "not stated").to_numpy()
    rows = []
    for label in dict.fromkeys(labels):
        chosen = np.flatnonzero(labels == label)
        low, high = spread(chosen)
        rows.append({names.name: label, "present_value": float(by_line[chosen].sum()), "low": low, "high": high})
    return pd.DataFrame(rows)


def _method(drawing: Drawing) -> str:
    """How the ranges were drawn, in words."""
    effects = "effects from their joint sampling distribution; " if drawing.quantities else ""
    says = "stated ranges from triangular distributions with the stated value most likely"
    return f"Ranges: {drawing.draws:,} draws, {effects}{says}; 2.5% to 97.5% of the draws; seed {drawing.seed}."


def _sign_flags(lines: pd.DataFrame, by_line: np.ndarray) -> list[Flag]:
    """Negative lines, and a negative total, are said."""
    flags = []
    if (by_line < 0).any():
        titles = ", ".join(lines["title"][by_line < 0])
        flags.append(Flag("value", "caution", f"Some outcomes cost rather than save, and stay in: {titles}."))
    if by_line.sum() < 0:
        text = "The value is negative: outcomes were worse than without the programme."
        flags.append(Flag("value", "serious", text, "No positive ratio can be built on it."))
    return flags


def _no_range() -> Flag:
    return Flag(
        "value",
        "serious",
        NO_RANGE,
        "Give low and high columns in the impact map, or let quantities come from effects.",
    )
