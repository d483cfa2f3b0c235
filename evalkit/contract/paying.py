"""Walking through claims: price first, caps second, floors last; as it was settled, and as it might have been."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.contract.limits import Limits, anything, held, lifted, limits_of
from evalkit.contract.mechanisms import (
    FLOOR,
    MECHANISMS,
    STEPPED,
    TRIGGER,
    Claim,
    Memory,
    Price,
    Tariff,
)
from evalkit.contract.pennies import DRAWN, EXACT, NONE, Amount, Sums, exact

if TYPE_CHECKING:
    from evalkit.contract.reading import Papers
    from evalkit.study.model import ContractPlan

CONTRACT_FLOOR = "contract floor"  # reserved: no metric may be called so
MOST = 1e9  # a share beyond this is no share
NO_SHARES: dict[str, Amount] = {}


@dataclass(frozen=True)
class Line:
    """What one claim, or one floor, came to.

    Parameters
    ----------
    metric : str
        Whose it is; `CONTRACT_FLOOR` for what lifts the whole contract.
    place : int or None
        Its place among the claims; None for a floor.
    gross, paid : Decimal or ndarray
        Before and after caps.
    why : str
        What kept gross or paid down, or lifted it.
    """

    metric: str
    place: int | None
    gross: Amount
    paid: Amount
    why: str


def trigger_key(name: str) -> str:
    """The metric under which a trigger's payment stands in ledger and table."""
    return f"trigger {name}"


def with_triggers(
    claims: pd.DataFrame, card: Mapping[str, Price], plan: ContractPlan | None, met: Mapping[str, float]
) -> tuple[pd.DataFrame, dict[str, Price]]:
    """Put the payments of triggers among the claims, one unit each at the amount they pay.

    Parameters
    ----------
    claims : DataFrame
        In date order.
    card : mapping of str to Price
        The rate card.
    plan : ContractPlan or None
        With its triggers; those that pay nothing are left out.
    met : mapping of str to float
        `trigger_key` -> 1 where it was met, 0 where it was not or is not settled; absent: left out.

    Returns
    -------
    (DataFrame, dict)
        Claims and prices with them, in date order.
    """
    paying = [(trigger_key(one.id), one) for one in (plan.trigger if plan else []) if one.pays is not None]
    paying = [(key, one) for key, one in paying if key in met]
    if not paying:
        return claims, dict(card)
    prices = {key: Price(key, TRIGGER, (Tariff(((NONE, exact(one.pays)),)),)) for key, one in paying}
    rows = pd.DataFrame(
        {
            "metric": [key for key, _ in paying],
            "person": "",
            "date": pd.to_datetime(pd.Series([one.due_on for _, one in paying]), format="ISO8601"),
            "units": [float(met[key]) for key, _ in paying],
        }
    )
    rows = rows.astype({"metric": "str", "person": "str", "date": "datetime64[us]"})
    both = rows if claims.empty else pd.concat([claims, rows], ignore_index=True)
    both = both.sort_values("date", kind="stable", na_position="last").reset_index(drop=True)
    return both, {**card, **prices}


def walk(
    claims: pd.DataFrame,
    card: Mapping[str, Price],
    limits: Limits,
    sums: Sums = EXACT,
    shares: Mapping[str, Amount] = NO_SHARES,
    stretched: Mapping[str, Amount] = NO_SHARES,
) -> Iterator[Line]:
    """Price every claim, then hold it to the caps, in date order and then file order; then lift the sums to the floors.

    Parameters
    ----------
    claims : DataFrame
        metric, person ("" where not known), date, units; sorted by `in_order`.
    card : mapping of str to Price
        Every metric of the claims.
    limits : Limits
        Of the contract.
    sums : Sums
        `EXACT` for the settled contract, `DRAWN` for draws.
    shares : mapping of str to ndarray
        Metric -> share of what is counted that is to be paid for, by draw; 1 where absent. Of "saved" it is the share
        of what was saved. A level or threshold reached by one person is priced in full and the share taken of its
        price: a share of the people reach it, rather than everybody a share of it.
    stretched : mapping of str to ndarray
        Metric -> factor by which its units are multiplied, before a baseline is taken off; 1 where absent.

    Yields
    ------
    Line
        One for each claim, then one for each floor that lifts anything.
    """
    memory, one = Memory(sums), sums.of(1)
    columns = (claims[name] for name in ("metric", "person", "date", "units"))
    for place, (metric, person, date, units) in enumerate(zip(*columns, strict=True)):
        price = card[metric]
        tariff = price.at(date) or price.tariffs[0]
        share, factor = shares.get(metric, one), stretched.get(metric, one)
        single = price.single(person)
        counted = sums.of(units) * (one if single else factor)
        if tariff.baseline is not None:
            counted = sums.of(tariff.baseline) - counted
        counted = counted if single else counted * share
        gross, why = MECHANISMS[price.mechanism](price, tariff, Claim(metric, price.whose(person), counted), memory)
        share = share * factor if single else share
        gross = sums.rounded(gross * share if single else gross, share)
        year = limits.year(date, date + pd.Timedelta(days=price.lag_days))
        paid, cut = held(gross, price, person, year, limits, memory)
        yield Line(metric, place, gross, paid, cut or why)
    yield from _floors(card, limits, memory)


def _floors(card: Mapping[str, Price], limits: Limits, memory: Memory) -> Iterator[Line]:
    """What lifts each metric, and then the contract, to its floor; no year's cap applies, since no year earned it."""
    for price in card.values():
        if price.floor > 0:
            missing = lifted(price.floor, f"all of {price.metric}", memory)
            yield from _top_up(price, missing, f"floor of {_amount(price.floor)} for the metric", (limits, memory))
    if limits.floor > 0:
        whole = Price(CONTRACT_FLOOR, FLOOR, (Tariff(((NONE, NONE),)),))
        missing = lifted(limits.floor, "all", memory)
        yield from _top_up(whole, missing, f"floor of {_amount(limits.floor)} for the contract", (limits, memory))


def _top_up(price: Price, missing: Amount, why: str, within: tuple[Limits, Memory]) -> Iterator[Line]:
    """The line of one floor, where anything is missing to it."""
    limits, memory = within
    if anything(missing):
        paid, cut = held(missing, price, "", None, limits, memory)
        yield Line(price.metric, None, missing, paid, f"{why}, {cut}" if cut else why)


def _amount(value: Any) -> str:
    return words.number(float(value), 0 if value == value.to_integral_value() else 2)


def pay_at(
    papers: Papers,
    plan: ContractPlan | None,
    shares: Mapping[str, np.ndarray],
    draws: int,
    units: Mapping[str, Any] | None = None,
) -> dict[str, np.ndarray]:
    """What every metric would be paid at other outcomes, through every mechanism, cap and floor in the same order.

    Parameters
    ----------
    papers : Papers
        The contract's tables.
    plan : ContractPlan or None
        Its caps, floor and triggers.
    shares : mapping of str to ndarray, shape (draws,)
        Metric -> share of what was achieved (of what was saved, for "saved"), 1 where absent; not below 0, and 0 where
        missing. `trigger_key` of a trigger -> 1 where it is met, 0 where it is not (0 where absent).
    draws : int
        Length of every array.
    units : mapping of str to float or ndarray, optional
        Metric -> its units in all (the level, for a step, slide or scale; what was observed, for "saved") instead of
        what was claimed: every claim is stretched alike, those of single people with a level or threshold in number.

    Returns
    -------
    dict of str to ndarray, shape (draws,)
        Money by metric, its floor included; under `CONTRACT_FLOOR` what lifts the contract to its floor, where it has
        one; under `trigger_key` what each trigger pays, where it pays anything.
    """
    tame = {key: np.clip(np.nan_to_num(np.asarray(share, dtype=float)), 0.0, MOST) for key, share in shares.items()}
    triggers = {trigger_key(one.id): 1.0 for one in (plan.trigger if plan else []) if one.pays is not None}
    claims, card = with_triggers(papers.claims, papers.prices, plan, triggers)
    tame = {**dict.fromkeys(triggers, np.zeros(1)), **tame}
    claims, stretched = _replaced(
        claims, card, {key: np.asarray(one, dtype=float) for key, one in (units or {}).items()}
    )
    paid: dict[str, Any] = dict.fromkeys([*card, *([CONTRACT_FLOOR] if plan and plan.floor else [])], 0.0)
    for line in walk(claims, card, limits_of(plan, papers.currency), DRAWN, tame, stretched):
        paid[line.metric] = paid[line.metric] + line.paid
    return {
        metric: np.broadcast_to(np.asarray(amount, dtype=float), (draws,)).copy() for metric, amount in paid.items()
    }


def _replaced(
    claims: pd.DataFrame, card: Mapping[str, Price], units: Mapping[str, np.ndarray]
) -> tuple[pd.DataFrame, dict[str, Amount]]:
    """Claims, and the factor that brings each metric to the units asked for; a metric without claims gets one."""
    factors: dict[str, Amount] = {}
    for metric, wanted in units.items():
        own = claims.loc[claims["metric"] == metric, "units"]
        whole = float(own.max() if card[metric].mechanism in STEPPED else own.sum()) if len(own) else 0.0
        if whole == 0:
            more = {"metric": [metric], "person": [""], "date": [pd.NaT], "units": [1.0]}
            claims = pd.concat([claims[claims["metric"] != metric], pd.DataFrame(more)], ignore_index=True)
        factors[metric] = wanted / (whole or 1.0)
    return claims, factors
