"""The value as a noun: the impact map, by year and by agency, and a ratio that never goes without its range."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import words
from evalkit.errors import Flag, as_list

if TYPE_CHECKING:
    from evalkit.value.ranges import Spread


@dataclass(frozen=True, eq=False)
class Value:
    """What `appraise` and `appraise_value` found.

    Parameters
    ----------
    lines : DataFrame
        One row per line of the impact map: outcome, title, stakeholder with stakeholder_group, agency, bottom_line,
        kind_of_value, cashable, agreed, quantity, quantity_from ("effect", "typed" or "not valued in money", then
        without proxy and present_value), proxy with proxy_id and price_year (proxy_stated, price_year_stated and
        price_factor where it was deflated), deadweight, displacement, attribution, drop_off, duration (years),
        starts_year, rate, impact (value of its first year), present_value with low and high (2.5 and 97.5 % of the
        draws), a source and a range for every assumption (deadweight_source, deadweight_low ...), source, partners.
    by_year : DataFrame
        year, value, factor, present_value; with ranges low and high of the present value and paid_back (share of the
        draws in which value has caught up by then); with costs by year cost and present_cost; cumulative_net.
    by_agency, by_stakeholder, by_group, by_bottom_line, by_kind : DataFrame
        agency, stakeholder, stakeholder_group, bottom_line or kind_of_value; present_value, low, high.
    present_value, npv, cost : float
        In the study's currency and price year; of costs by year the present cost.
    ratio, net_ratio : float
        present_value / cost and npv / cost.
    ratio_low, ratio_high, present_value_low, present_value_high, npv_low, npv_high : float or None
        2.5 and 97.5 % of the draws; None, with a flag, where nothing has a range.
    payback_months : float or None
        Months until the cumulative present value passes the cost for good; None where it never does.
    payback_low, payback_high : float or None
        Ends over the draws; infinite where value never catches up.
    convention : str
        Discounting, drop-off and payback in one sentence.
    rates : DataFrame
        rate, lines, source: the rates in use and the dated files they come from.
    range_method : str
        How the ranges were drawn; empty where there are none.
    probability_exceeds_cost : float or None
        Share of the draws in which the present value exceeds the cost.
    break_even_deadweight : float or None
        One deadweight for all lines at which value equals cost; None where value is below cost without any.
    spread : Spread or None
        More of what the draws say: Monte Carlo error, skewness.
    costs : DataFrame or None
        Costs by year: year, what, party, source, amount, low, high, factor.
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
    by_group: pd.DataFrame
    by_bottom_line: pd.DataFrame
    by_kind: pd.DataFrame
    present_value: float
    npv: float
    ratio: float
    net_ratio: float
    ratio_low: float | None
    ratio_high: float | None
    present_value_low: float | None
    present_value_high: float | None
    npv_low: float | None
    npv_high: float | None
    payback_months: float | None
    payback_low: float | None
    payback_high: float | None
    cost: float
    convention: str
    rates: pd.DataFrame
    range_method: str
    probability_exceeds_cost: float | None
    break_even_deadweight: float | None
    flags: tuple[Flag, ...]
    spread: Spread | None = None
    costs: pd.DataFrame | None = None
    study: Any = None
    contract: Any = None
    effects: Any = None
    looks: Mapping[str, Any] = field(default_factory=dict)

    @property
    def net_ratio_low(self) -> float | None:
        """The lower end of the net ratio."""
        return None if self.ratio_low is None else self.ratio_low - 1

    @property
    def net_ratio_high(self) -> float | None:
        """The upper end of the net ratio."""
        return None if self.ratio_high is None else self.ratio_high - 1

    def __repr__(self) -> str:
        """The ratio with its range, in one line."""
        return f"Value(ratio {self._ratio()}; {len(self.lines)} lines, {len(self.flags)} flags)"

    def _ratio(self) -> str:
        """The range first, the centre second; or that there is no range."""
        if self.ratio_low is None or self.ratio_high is None:
            return f"{words.number(self.ratio, 2)}, no range given"
        return f"{words.interval(self.ratio_low, self.ratio_high, 2)}, centre {words.number(self.ratio, 2)}"

    def _repr_html_(self) -> str:
        """The ratio with its range, the convention, and the flags."""
        ratio = f"Value per unit of cost: {self._ratio()}."
        return f"<p>{ratio}</p><p>{escape(self.convention)}</p>{as_list(self.flags)}"
