"""How a price turns units into money: one small class per mechanism, and the caps that come after it.

Every amount is an array over draws, so that the same mechanism that settles the contract as it was (one draw) can be
run again at what would have happened anyway (many draws), thresholds, steps and caps included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from evalkit import words

Amounts = np.ndarray
TWICE = "milestone already counted for this person"
LOWER = "no further than before"
STEPPED = ("step", "slide")


@dataclass(frozen=True)
class Price:
    """One metric of the rate card.

    Parameters
    ----------
    metric : str
        Its id.
    mechanism : str
        A name in `MECHANISMS`.
    steps : ndarray, shape (n_rows, 2)
        Threshold and price of each of its rows, lowest threshold first; one row for unit, milestone and day.
    cap_person, cap_metric : float
        Infinite where there is none.
    """

    metric: str
    mechanism: str
    steps: np.ndarray
    cap_person: float = np.inf
    cap_metric: float = np.inf

    @property
    def price(self) -> float:
        """The price of the first row."""
        return float(self.steps[0, 1])


@dataclass
class Memory:
    """What has been counted and paid so far, while a ledger is walked through.

    Parameters
    ----------
    draws : int
        Length of every array.
    seen : set
        Metric and person of milestones already counted.
    reached : dict
        Metric and person -> what the level reached so far is worth.
    spent : dict
        Cap -> what has been paid against it.
    """

    draws: int
    seen: set[tuple[str, str]] = field(default_factory=set)
    reached: dict[tuple[str, str], Amounts] = field(default_factory=dict)
    spent: dict[str, Amounts] = field(default_factory=dict)

    def of(self, key: str) -> Amounts:
        """What has been paid against one cap.

        Parameters
        ----------
        key : str
            The cap.

        Returns
        -------
        ndarray, shape (draws,)
            Money.
        """
        return self.spent.setdefault(key, np.zeros(self.draws))


@dataclass(frozen=True)
class Claim:
    """One row of what was achieved.

    Parameters
    ----------
    metric, person : str
        Person is "" where not known.
    units : ndarray, shape (draws,)
        Units, days or the level reached.
    """

    metric: str
    person: str
    units: Amounts


@dataclass(frozen=True)
class Line:
    """What one claim came to.

    Parameters
    ----------
    place : int
        Its place among the claims.
    gross, paid : ndarray, shape (draws,)
        Before and after caps.
    why : str
        What kept gross or paid down.
    """

    place: int
    gross: Amounts
    paid: Amounts
    why: str


def _by_unit(price: Price, claim: Claim, memory: Memory) -> tuple[Amounts, str]:
    """Price times units; units below nothing pay nothing."""
    return price.price * np.maximum(claim.units, 0.0), ""


def _once(price: Price, claim: Claim, memory: Memory) -> tuple[Amounts, str]:
    """Each person's milestone counts once."""
    key = (price.metric, claim.person)
    if claim.person and key in memory.seen:
        return np.zeros(memory.draws), TWICE
    memory.seen.add(key)
    return _by_unit(price, claim, memory)


def _further(worth: Callable[[Price, Amounts], Amounts]) -> Callable[[Price, Claim, Memory], tuple[Amounts, str]]:
    """Pay what the level now reached is worth, less what an earlier level was already worth."""

    def gross(price: Price, claim: Claim, memory: Memory) -> tuple[Amounts, str]:
        key = (price.metric, claim.person)
        before = memory.reached.get(key, np.zeros(memory.draws))
        more = np.maximum(worth(price, claim.units) - before, 0.0)
        memory.reached[key] = before + more
        return more, LOWER if before.any() and not more.any() else ""

    return gross


def _step(price: Price, level: Amounts) -> Amounts:
    """The amount of the highest step reached; nothing below the first, nothing in between."""
    amounts = np.concatenate([[0.0], price.steps[:, 1]])
    return amounts[np.searchsorted(price.steps[:, 0], level + 1e-9, side="right")]


def _slide(price: Price, level: Amounts) -> Amounts:
    """The price for every unit above the threshold; the cap ends it."""
    return price.price * np.maximum(level - price.steps[0, 0], 0.0)


MECHANISMS: dict[str, Callable[[Price, Claim, Memory], tuple[Amounts, str]]] = {
    "unit": _by_unit,
    "day": _by_unit,
    "milestone": _once,
    "step": _further(_step),
    "slide": _further(_slide),
}


def walk(
    claims: pd.DataFrame, card: Mapping[str, Price], cap: float, shares: Mapping[str, Amounts], draws: int = 1
) -> Iterator[Line]:
    """Price every claim, then hold it to the caps, in date order and then file order.

    Parameters
    ----------
    claims : DataFrame
        metric, person ("" where not known), date, units; sorted by `in_order`.
    card : dict
        Metric -> its price.
    cap : float
        Of the contract; infinite where there is none.
    shares : dict
        Metric -> share of the units to be paid for, by draw; 1 where absent. A step or slide reached by one person is
        priced at full units and the share taken of its price: a share of the people reach the level, rather than
        everybody a share of the level.
    draws : int
        Length of every array.

    Yields
    ------
    Line
        Person's cap first, then the metric's, then the contract's.
    """
    memory = Memory(draws)
    columns = (claims[name] for name in ("metric", "person", "units"))
    for place, (metric, person, units) in enumerate(zip(*columns, strict=True)):
        price = card[metric]
        share = shares.get(metric, np.ones(draws))
        whole = bool(person) and price.mechanism in STEPPED
        claim = Claim(metric, person, np.full(draws, float(units)) if whole else float(units) * share)
        gross, why = MECHANISMS[price.mechanism](price, claim, memory)
        gross = gross * share if whole else gross
        paid, cut = _capped(price, claim, gross, memory, cap)
        yield Line(place, gross, paid, why or cut)


def _capped(price: Price, claim: Claim, gross: Amounts, memory: Memory, cap: float) -> tuple[Amounts, str]:
    """What remains under each cap in turn; the words name the caps that cut in the first draw."""
    limits = [("contract", cap, "the contract"), (f"metric {price.metric}", price.cap_metric, "the metric")]
    if claim.person:
        limits.append((f"person {claim.person}", price.cap_person, "one person"))
    paid, cuts = gross, []
    active = [limit for limit in reversed(limits) if np.isfinite(limit[1])]
    for key, limit, says in active:
        room = np.maximum(limit - memory.of(key), 0.0)
        if paid[0] > room[0] + 1e-9:
            cuts.append(f"cap of {words.number(limit, 0)} for {says}")
        paid = np.minimum(paid, room)
    for key, _, _ in active:
        memory.spent[key] = memory.of(key) + paid
    return paid, words.listed(cuts)
