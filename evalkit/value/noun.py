"""The value as a noun: the impact map, by year and by agency, and a ratio that never goes without its range."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from evalkit import words
from evalkit.errors import Flag


@dataclass(frozen=True, eq=False)
class Value:
    """What `appraise` and `appraise_value` found.

    Parameters
    ----------
    lines : DataFrame
        One row per line of the impact map: outcome, title, stakeholder, agency, quantity, quantity_from ("effect",
        "typed" or "not valued in money", then without quantity, proxy and present_value), proxy, proxy_id, price_year,
        deadweight, displacement, attribution, drop_off, duration (years), impact (value of year 1), present_value with
        low and high (2.5 and 97.5 % of the draws), source.
    by_year : DataFrame
        year, value, factor, present_value.
    by_agency, by_stakeholder : DataFrame
        agency or stakeholder, present_value, low, high.
    present_value, npv, cost : float
        In the study's currency and price year.
    ratio, net_ratio : float
        present_value / cost and npv / cost.
    ratio_low, ratio_high : float or None
        2.5 and 97.5 % of the draws; None, with a flag, where nothing has a range.
    payback_months : float or None
        Months until the cumulative present value passes the cost; None where it never does.
    convention : str
        Discounting, drop-off and payback in one sentence.
    range_method : str
        How the ranges were drawn; empty where there are none.
    probability_exceeds_cost : float or None
        Share of the draws in which the present value exceeds the cost.
    flags : tuple of Flag
        What a reader must be told.
    study, contract, effects : Study, Contract, Effects or None
        What the value was made from.
    looks : dict of str to object
        What else was seen, by the name of the look: tornado, switching, savings ...; see `evalkit.value.looks`.
    """

    lines: pd.DataFrame
    by_year: pd.DataFrame
    by_agency: pd.DataFrame
    by_stakeholder: pd.DataFrame
    present_value: float
    npv: float
    ratio: float
    net_ratio: float
    ratio_low: float | None
    ratio_high: float | None
    payback_months: float | None
    cost: float
    convention: str
    range_method: str
    probability_exceeds_cost: float | None
    flags: tuple[Flag, ...]
    study: Any = None
    contract: Any = None
    effects: Any = None
    looks: Mapping[str, Any] = field(default_factory=dict)

    def _repr_html_(self) -> str:
        """The ratio with its range, the convention, and the flags."""
        spread = "no range given" if self.ratio_low is None else words.interval(self.ratio_low, self.ratio_high, 2)
        caveats = "".join(f"<li>{flag.level}: {flag.text}</li>" for flag in self.flags)
        ratio = f"Value per unit of cost: {words.number(self.ratio, 2)} ({spread})."
        return f"<p>{ratio}</p><p>{self.convention}</p><ul>{caveats}</ul>"
