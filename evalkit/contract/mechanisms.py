"""How a price turns units into money: one small function per mechanism, and the prices they read.

Every mechanism is written once and works in decimals, for the contract as it was settled, and in arrays over draws,
for what would have been paid at other outcomes: thresholds, steps and baselines included (`evalkit.contract.pennies`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pandas as pd

from evalkit.contract.pennies import NO_LIMIT, NONE, Amount, Sums

TWICE = "milestone already counted for this person"
LOWER = "no further than before"
BELOW = "below the threshold"
NOTHING_SAVED = "not below the baseline"
STEPPED = ("step", "slide", "scale")  # units are a level reached, not a number of things
GATED = ("threshold", "excess")  # units count from a threshold on
WHOLE = (*STEPPED, *GATED)  # a share of the people reach it, rather than everybody a share of it
MANY_ROWS = ("step", "slide", "scale")
TRIGGER, FLOOR = "trigger", "floor"


@dataclass(frozen=True)
class Tariff:
    """The price of one metric while it held.

    Parameters
    ----------
    steps : tuple of (Decimal, Decimal)
        Threshold and price of each of its rows, lowest threshold first.
    baseline : Decimal or None
        What "saved" counts from.
    starts, until : Timestamp or None
        First and last day on which it held.
    """

    steps: tuple[tuple[Decimal, Decimal], ...]
    baseline: Decimal | None = None
    starts: pd.Timestamp | None = None
    until: pd.Timestamp | None = None

    @property
    def price(self) -> Decimal:
        """The price of the first row."""
        return self.steps[0][1]

    @property
    def thresholds(self) -> tuple[Decimal, ...]:
        """The thresholds, rising."""
        return tuple(threshold for threshold, _ in self.steps)

    @property
    def amounts(self) -> tuple[Decimal, ...]:
        """The price at each threshold."""
        return tuple(price for _, price in self.steps)

    def holds(self, date: pd.Timestamp) -> bool:
        """Whether it held on a day; a price without dates always does."""
        if self.starts is None and self.until is None:
            return True
        after = self.starts is None or date >= self.starts
        return bool(after and (self.until is None or date <= self.until))


@dataclass(frozen=True)
class Price:
    """One metric of the rate card.

    Parameters
    ----------
    metric : str
        Its id.
    mechanism : str
        A name in `MECHANISMS`.
    tariffs : tuple of Tariff
        One, or several that follow each other in time.
    cap_person, cap_metric, cap_year : Decimal
        Infinite where there is none.
    floor : Decimal
        Least paid for the metric; 0 where there is none.
    lag_days : int
        From achievement to the day on which payment falls due.
    in_price : bool or None
        Whether the price already allows for deadweight; None: as the contract says.
    claw_back : bool
        Whether "saved" takes money back where the observed amount lies above the baseline.
    per : {"", "person", "cohort"}
        Whose units reach a threshold or level; "": each person's where claims name people.
    """

    metric: str
    mechanism: str
    tariffs: tuple[Tariff, ...]
    cap_person: Decimal = NO_LIMIT
    cap_metric: Decimal = NO_LIMIT
    cap_year: Decimal = NO_LIMIT
    floor: Decimal = NONE
    lag_days: int = 0
    in_price: bool | None = None
    claw_back: bool = False
    per: str = ""

    @property
    def price(self) -> float:
        """The price of the first row; missing where several rows make one amount."""
        return price_of(self, self.tariffs[0])

    @property
    def steps(self) -> np.ndarray:
        """Threshold and price of each row of the first tariff, shape (n_rows, 2)."""
        return np.array(self.tariffs[0].steps, dtype=float)

    def at(self, date: pd.Timestamp) -> Tariff | None:
        """The price that held on a day; None where none did."""
        if len(self.tariffs) == 1 and self.tariffs[0].holds(date):
            return self.tariffs[0]
        return next((tariff for tariff in self.tariffs if pd.notna(date) and tariff.holds(date)), None)

    def whose(self, person: str) -> str:
        """Whose units reach a threshold together: the person's, or everybody's."""
        return "" if self.per == "cohort" else person

    def single(self, person: str) -> bool:
        """Whether one person reaches a level or threshold alone."""
        return bool(self.whose(person)) and self.mechanism in WHOLE


@dataclass(frozen=True)
class Claim:
    """One row of what was achieved.

    Parameters
    ----------
    metric, person : str
        Person is "" where not known, or where it is the cohort that reaches a threshold.
    units : Decimal or ndarray, shape (draws,)
        What is counted: units, the level reached, or what was saved.
    """

    metric: str
    person: str
    units: Amount


@dataclass
class Memory:
    """What has been counted and paid so far, while a ledger is walked through.

    Parameters
    ----------
    sums : Sums
        The arithmetic.
    seen : set
        Metric and person of milestones already counted.
    reached : dict
        Metric and person -> what the level reached so far is worth.
    counted, valued : dict
        Metric and person -> units so far, and what they come to at their prices.
    spent : dict
        Cap -> what has been paid against it.
    """

    sums: Sums
    seen: set[tuple[str, str]] = field(default_factory=set)
    reached: dict[tuple[str, str], Amount] = field(default_factory=dict)
    counted: dict[tuple[str, str], Amount] = field(default_factory=dict)
    valued: dict[tuple[str, str], Amount] = field(default_factory=dict)
    spent: dict[str, Amount] = field(default_factory=dict)

    @property
    def none(self) -> Amount:
        """Nothing, as this arithmetic writes it."""
        return self.sums.of(0)


Mechanism = Callable[[Price, Tariff, Claim, Memory], tuple[Amount, str]]


def _by_unit(price: Price, tariff: Tariff, claim: Claim, memory: Memory) -> tuple[Amount, str]:
    """Price times units; units below nothing pay nothing."""
    return memory.sums.of(tariff.price) * memory.sums.larger(claim.units, memory.none), ""


def _once(price: Price, tariff: Tariff, claim: Claim, memory: Memory) -> tuple[Amount, str]:
    """Each person's milestone counts once."""
    key = (price.metric, claim.person)
    if claim.person and key in memory.seen:
        return memory.none, TWICE
    memory.seen.add(key)
    return _by_unit(price, tariff, claim, memory)


def _saved(price: Price, tariff: Tariff, claim: Claim, memory: Memory) -> tuple[Amount, str]:
    """The price for everything below the baseline; above it nothing, or money back where that was agreed."""
    if price.claw_back:
        return memory.sums.of(tariff.price) * claim.units, ""
    amount, _ = _by_unit(price, tariff, claim, memory)
    return amount, NOTHING_SAVED if not np.any(amount) else ""


def _gated(all_of_them: bool) -> Mechanism:
    """Nothing until the units so far reach the threshold; then all of them, or only those above it."""

    def gross(price: Price, tariff: Tariff, claim: Claim, memory: Memory) -> tuple[Amount, str]:
        key, sums = (price.metric, claim.person), memory.sums
        before = memory.counted.get(key, memory.none)
        now = memory.counted[key] = before + sums.larger(claim.units, memory.none)
        at_least = sums.of(tariff.thresholds[0])
        rate, paid = sums.of(tariff.price), memory.reached.get(key, memory.none)
        if all_of_them:
            value = memory.valued[key] = memory.valued.get(key, memory.none) + rate * (now - before)
            more = sums.where(now + sums.of(1e-9) >= at_least, value - paid, memory.none)
        else:
            more = rate * (sums.larger(now - at_least, memory.none) - sums.larger(before - at_least, memory.none))
        memory.reached[key] = paid + more
        return more, BELOW if not np.any(more) else ""

    return gross


def _further(worth: Callable[[Tariff, Amount, Sums], Amount]) -> Mechanism:
    """Pay what the level now reached is worth, less what an earlier level was already worth."""

    def gross(price: Price, tariff: Tariff, claim: Claim, memory: Memory) -> tuple[Amount, str]:
        key = (price.metric, claim.person)
        before = memory.reached.get(key, memory.none)
        more = memory.sums.larger(worth(tariff, claim.units, memory.sums) - before, memory.none)
        memory.reached[key] = before + more
        return more, "" if np.any(more) else LOWER if np.any(before) else BELOW

    return gross


def _step(tariff: Tariff, level: Amount, sums: Sums) -> Amount:
    """The amount of the highest step reached; nothing below the first, nothing in between."""
    return sums.picked((NONE, *tariff.amounts), sums.reached(level, tariff.thresholds))


def _slide(tariff: Tariff, level: Amount, sums: Sums) -> Amount:
    """The price for every unit above its threshold, up to the next row's threshold; the cap ends it."""
    worth = sums.of(0)
    for (start, rate), (end, _) in pairwise((*tariff.steps, (NO_LIMIT, NONE))):
        within = sums.smaller(level, sums.of(end)) - sums.of(start)
        worth = worth + sums.of(rate) * sums.larger(within, sums.of(0))
    return worth


def _scale(tariff: Tariff, level: Amount, sums: Sums) -> Amount:
    """On the straight lines between the amounts of its rows; nothing below the first, no more above the last."""
    worth = sums.picked((NONE, tariff.amounts[0]), sums.smaller(sums.reached(level, tariff.thresholds), 1))
    for (start, low), (end, high) in pairwise(tariff.steps):
        within = sums.larger(sums.smaller(level, sums.of(end)) - sums.of(start), sums.of(0))
        worth = worth + sums.of(high - low) * within / sums.of(end - start)
    return worth


MECHANISMS: dict[str, Mechanism] = {
    "unit": _by_unit,
    "day": _by_unit,
    "milestone": _once,
    "saved": _saved,
    "threshold": _gated(all_of_them=True),
    "excess": _gated(all_of_them=False),
    "step": _further(_step),
    "slide": _further(_slide),
    "scale": _further(_scale),
    TRIGGER: _by_unit,
}
NOT_ON_A_CARD = (TRIGGER,)


def price_of(price: Price, tariff: Tariff) -> float:
    """The price of a line; missing where one amount is made of several prices.

    Parameters
    ----------
    price : Price
        The metric's.
    tariff : Tariff
        The one that held.

    Returns
    -------
    float
        Missing for a step or scale, and for a slide with several rates.
    """
    several = price.mechanism in ("step", "scale") or len(tariff.steps) > 1
    return float("nan") if several else float(tariff.price)
