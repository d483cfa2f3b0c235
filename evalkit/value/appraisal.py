"""From checked lines to a Value: by line, by year, by agency, with ranges by joint draws."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from evalkit.errors import Flag
from evalkit.value.checks import NOT_STATED
from evalkit.value.discount import Discounting, line_factors, rates_table
from evalkit.value.lines import RANGED, SOURCES
from evalkit.value.noun import Value
from evalkit.value.ranges import Drawing, Spread, flags_of, method, spread_of
from evalkit.value.switch import common_deadweight
from evalkit.value.whole_life import Cost
from evalkit.value.worth import by_year_of, impact_of, last_year, numbers_of, payback_of

__all__ = ["Cost", "Drawing", "appraise_lines"]
GROUPINGS = ("agency", "stakeholder", "stakeholder_group", "bottom_line", "kind_of_value")
SHOWN = [
    "outcome", "title", "stakeholder", "stakeholder_group", "agency", "bottom_line", "kind_of_value", "cashable",
    "agreed", "quantity", "quantity_from", "proxy", "proxy_id", "price_year", "proxy_stated", "price_year_stated",
    "price_factor", "deflator_source", "deadweight", "displacement", "attribution", "drop_off", "duration",
    "starts_year", "rate", "impact", "present_value", "low", "high", "source", "partners",
    *SOURCES, *(f"{name}_{end}" for name in RANGED for end in ("low", "high")),
]  # fmt: skip


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
    numbers = numbers_of(lines)
    years = max(last_year(lines), cost.last_year)
    factors = line_factors(lines["rate"].tolist(), discounting, years)
    matrix = by_year_of(numbers, years)
    by_line = (matrix * factors).sum(axis=1)
    labels = {by: _labels(lines[by]) for by in GROUPINGS}
    spread = spread_of(lines, factors, cost, drawing, labels)
    total, spent = float(by_line.sum()), cost.each_year(years)
    months = float(payback_of(np.concatenate([[0.0], (matrix * factors).sum(axis=0)]), spent))
    sums = {by: _by(by, names, by_line, spread) for by, names in labels.items()}
    return Value(
        lines=_lines(lines, np.asarray(impact_of(numbers)), by_line, spread),
        by_year=_by_year(matrix, factors, discounting, (cost, spread)),
        by_agency=sums["agency"],
        by_stakeholder=sums["stakeholder"],
        by_group=sums["stakeholder_group"],
        by_bottom_line=sums["bottom_line"],
        by_kind=sums["kind_of_value"],
        present_value=total,
        npv=total - cost.amount,
        ratio=total / cost.amount,
        net_ratio=(total - cost.amount) / cost.amount,
        **_ends(spread),
        payback_months=None if math.isinf(months) else months,
        cost=cost.amount,
        costs=cost.rows,
        convention=_convention(discounting, cost),
        rates=rates_table(lines, discounting),
        range_method=method(drawing, spread) if spread is not None else "",
        spread=spread,
        break_even_deadweight=common_deadweight(numbers, factors, cost.amount),
        flags=tuple(flags + _sign_flags(lines, by_line) + flags_of(spread)),
    )


def _ends(spread: Spread | None) -> dict[str, Any]:
    """The ends of every figure, by the name of the field; None where nothing has a range."""
    names = ("present_value", "npv", "ratio", "payback")
    if spread is None:
        return dict.fromkeys([f"{n}_{end}" for n in names for end in ("low", "high")] + ["probability_exceeds_cost"])
    found: dict[str, Any] = {"probability_exceeds_cost": spread.exceeds}
    for name in names:
        found[f"{name}_low"], found[f"{name}_high"] = getattr(spread, name)
    return found


def _lines(lines: pd.DataFrame, impact: np.ndarray, by_line: np.ndarray, spread: Spread | None) -> pd.DataFrame:
    """The lines as they are shown."""
    ends = np.full((len(lines), 2), np.nan) if spread is None else spread.by_line
    whole = {name: lines[name].astype(int) for name in ("duration", "starts_year")}
    return lines.assign(impact=impact, present_value=by_line, low=ends[:, 0], high=ends[:, 1], **whole)[SHOWN]


def _by_year(
    matrix: np.ndarray, factors: np.ndarray, discounting: Discounting, more: tuple[Cost, Spread | None]
) -> pd.DataFrame:
    """Value and present value of each year, beside the costs where they are known by year."""
    cost, spread = more
    years = matrix.shape[1]
    table = pd.DataFrame(
        {
            "year": np.arange(years + 1),
            "value": np.concatenate([[0.0], matrix.sum(axis=0)]),
            "factor": np.concatenate([[1.0], discounting.factors(years)]),
            "present_value": np.concatenate([[0.0], (matrix * factors).sum(axis=0)]),
        }
    )
    if spread is not None:
        table = table.assign(low=spread.by_year["low"], high=spread.by_year["high"])
    if cost.by_year:
        table["cost"] = cost.each_year(years, present=False)
        table["present_cost"] = cost.each_year(years)
    table["cumulative_net"] = (table["present_value"] - cost.each_year(years)).cumsum()
    if spread is not None:
        table["paid_back"] = spread.by_year["paid_back"]
    begins = 0 if cost.by_year and table["cost"].iloc[0] != 0 else 1
    return table.iloc[begins:].reset_index(drop=True)


def _labels(names: pd.Series) -> np.ndarray:
    """The names of the groups; an empty one is "not stated"."""
    labels: np.ndarray = names.where(names != "", NOT_STATED).to_numpy(dtype=object)
    return labels


def _by(by: str, labels: np.ndarray, by_line: np.ndarray, spread: Spread | None) -> pd.DataFrame:
    """Present value by group, in the order of the map."""
    rows = []
    for label in dict.fromkeys(labels):
        low, high = (np.nan, np.nan) if spread is None else spread.by_group[by][label]
        rows.append({by: label, "present_value": float(by_line[labels == label].sum()), "low": low, "high": high})
    return pd.DataFrame(rows)


def _convention(discounting: Discounting, cost: Cost) -> str:
    """Discounting, drop-off, payback and cost in words."""
    if cost.by_year:
        return f"{discounting.says} Costs are discounted by the same rate; those before year 1 are not."
    return f"{discounting.says} The cost is one sum, spent before year 1, and is not discounted."


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
