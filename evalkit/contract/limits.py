"""Caps and floors: what a payment is held to, and what lifts the sum, in the order in which they apply."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.contract.mechanisms import Memory, Price
from evalkit.contract.pennies import CLOSE, EXACT, NO_LIMIT, NONE, Amount, exact, to_penny
from evalkit.errors import DataError

if TYPE_CHECKING:
    from decimal import Decimal

    from evalkit.study.model import ContractPlan

YearBy = Literal["achieved", "due"]
ORDER = "Price first, then caps: of one person, of the metric in a year, of the metric, of the contract in a year, of"
ORDER += " the contract; floors last, of each metric and then of the contract, under the caps that are not of a year."
OF_ONE_PERSON = "for one person"
YEAR_BY = {"achieved": "the date of achievement", "due": "the date on which payment falls due"}


@dataclass(frozen=True)
class Limits:
    """What the contract as a whole is held to.

    Parameters
    ----------
    cap, cap_year : Decimal
        Most in all, and most in one year; infinite where there is none.
    year_starts_month : int
        The month in which a year of the contract begins.
    year_by : {"achieved", "due"}
        The date that says in which year a payment counts.
    floor : Decimal
        Least in all; 0 where there is none.
    ends : Timestamp
        The day on which floors fall due; missing where not known.
    """

    cap: Decimal = NO_LIMIT
    cap_year: Decimal = NO_LIMIT
    year_starts_month: int = 1
    year_by: YearBy = "achieved"
    floor: Decimal = NONE
    ends: pd.Timestamp = pd.NaT  # type: ignore[assignment]

    def year(self, achieved: pd.Timestamp, due_on: pd.Timestamp) -> int | None:
        """The year of the contract that a claim counts in, by the calendar year in which it begins."""
        date = due_on if self.year_by == "due" else achieved
        if pd.isna(date):
            return None
        return int(date.year) if date.month >= self.year_starts_month else int(date.year) - 1

    def called(self, year: int) -> str:
        """A year in words: "2017", or "2017/18" where it does not begin in January."""
        return str(year) if self.year_starts_month == 1 else f"{year}/{(year + 1) % 100:02d}"


def limits_of(plan: ContractPlan | None, currency: str = "") -> Limits:
    """The caps and the floor of a contract.

    Parameters
    ----------
    plan : ContractPlan or None
        The [contract] of a study.
    currency : str
        The study's. A cap written in another currency is not applied: there is no rate to hold it by.

    Returns
    -------
    Limits
        Without a plan: none.
    """
    if plan is None:
        return Limits()
    caps = (plan.cap, plan.cap_year) if same_currency(plan, currency) else (None, None)
    found = limits_from(*caps, plan.year_starts_month, plan.cap_year_by, plan.floor)
    return found if plan.ends is None else replace(found, ends=pd.Timestamp(plan.ends))


def limits_from(
    cap: float | None,
    cap_year: float | None = None,
    year_starts_month: int = 1,
    year_by: YearBy = "achieved",
    floor: float | None = None,
) -> Limits:
    """Caps and a floor given as plain numbers.

    Parameters
    ----------
    cap, cap_year, floor : float or None
        None where there is none.
    year_starts_month, year_by
        As in `Limits`.

    Returns
    -------
    Limits
        In decimals.

    Raises
    ------
    DataError
        A limit that is no plain amount or is negative, or a floor above the cap.
    """
    given = {"cap": cap, "cap_year": cap_year, "floor": floor}
    found = {name: _plain(name, value) for name, value in given.items()}
    least, most = found["floor"] or NONE, found["cap"] if found["cap"] is not None else NO_LIMIT
    if least > most:
        raise DataError("The contract's floor is above its cap: what is the least and what the most that is paid?")
    yearly = NO_LIMIT if found["cap_year"] is None else found["cap_year"]
    return Limits(most, yearly, year_starts_month, year_by, least)


def _plain(name: str, value: object) -> Decimal | None:
    """A limit in decimals; None where there is none."""
    if value is None or value is pd.NaT or value != value:
        return None
    try:
        found = exact(value)
        found = to_penny(found) if found.is_finite() else found
    except (TypeError, ValueError):
        raise DataError(f'{name} "{value}" is not a plain amount. Write it as 1250.50.') from None
    if found < 0:
        raise DataError(f"{name} is below nothing ({value}).")
    return found if found.is_finite() else None


def same_currency(plan: ContractPlan, currency: str) -> bool:
    """Whether the contract's caps are in the currency of its prices, so that they can be applied."""
    return not (currency and plan.cap_currency) or plan.cap_currency.upper() == currency.upper()


def held(
    gross: Amount, price: Price, person: str, year: int | None, limits: Limits, memory: Memory
) -> tuple[Amount, str]:
    """Hold one amount to every cap in turn, and remember what was spent of each.

    Parameters
    ----------
    gross : Decimal or ndarray
        Before caps.
    price : Price
        The metric's, with its caps.
    person : str
        "" where not known: no cap of a person is applied then.
    year : int or None
        Of the contract; None where not known: no cap of a year is applied then.
    limits : Limits
        Of the contract.
    memory : Memory
        What has been spent; added to.

    Returns
    -------
    (Decimal or ndarray, str)
        What remains, and the caps that cut in plain words (in the settled contract).
    """
    sums, paid, cuts = memory.sums, gross, []
    active = [limit for limit in _caps(price, person, year, limits) if limit[1].is_finite()]
    for key, limit, says in active:
        # where money was taken back a cap has room again, so room is never below nothing
        room = sums.larger(sums.of(limit) - memory.spent.get(key, memory.none), memory.none)
        if sums is EXACT and paid > room:
            digits = 0 if limit == limit.to_integral_value() else 2
            cuts.append(f"cap of {words.number(float(limit), digits)} {says}")
        paid = sums.smaller(paid, room)
    for key in [*(key for key, _, _ in active), *_tallies(price)]:
        memory.spent[key] = memory.spent.get(key, memory.none) + paid
    return paid, words.listed(cuts)


def _caps(price: Price, person: str, year: int | None, limits: Limits) -> list[tuple[str, Decimal, str]]:
    """Key, limit and words of every cap that an amount may meet, in order."""
    caps = [("person " + person, price.cap_person, OF_ONE_PERSON)] if person else []
    if year is not None:
        caps.append((f"metric {price.metric} in {year}", price.cap_year, f"for the metric in {limits.called(year)}"))
    caps.append((f"metric {price.metric}", price.cap_metric, "for the metric"))
    if year is not None:
        caps.append((f"contract in {year}", limits.cap_year, f"for the contract in {limits.called(year)}"))
    return [*caps, ("contract", limits.cap, "for the contract")]


def _tallies(price: Price) -> tuple[str, str]:
    """Where everything paid is counted, capped or not, for the floors."""
    return f"all of {price.metric}", "all"


def lifted(floor: Decimal, key: str, memory: Memory) -> Amount:
    """What is missing to a floor.

    Parameters
    ----------
    floor : Decimal
        The least that is paid.
    key : str
        "all of METRIC", or "all".
    memory : Memory
        What has been paid.

    Returns
    -------
    Decimal or ndarray
        Not below nothing.
    """
    return memory.sums.larger(memory.sums.of(floor) - memory.spent.get(key, memory.none), memory.none)


def cut_words(why: str) -> bool:
    """Whether the words of a line name a cap."""
    return why.startswith("cap of ")


def anything(amount: Amount) -> bool:
    """Whether there is any money in an amount, in any draw."""
    return bool(np.any(np.abs(np.asarray(amount, dtype=float)) > CLOSE))
