"""Money that never loses a penny: decimals as they were typed, rounded once, and totals of whole pennies.

The contract is settled with `EXACT`, in decimals. What might have been paid is drawn many times with `DRAWN`, in
arrays over draws. The mechanisms and caps are written once and work with either.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Protocol

import numpy as np

PENNY = Decimal("0.01")
NONE = Decimal(0)
NO_LIMIT = Decimal("Infinity")
ROUNDING = "Each line of the ledger is rounded once, to the penny, halves up; totals are sums of these lines."
CLOSE = 1e-9  # levels and thresholds closer together than this are the same number, written twice
SLACK = 1e-6  # of a penny: what binary fractions lose of a decimal one

Amount = Any  # a Decimal in the settled contract, an array over draws where amounts are drawn


class Sums(Protocol):
    """The arithmetic of mechanisms and caps: in decimals, or in arrays over draws."""

    def of(self, value: Any) -> Amount:
        """A number as this arithmetic holds it."""

    def larger(self, one: Amount, other: Amount) -> Amount:
        """The larger of two."""

    def smaller(self, one: Amount, other: Amount) -> Amount:
        """The smaller of two."""

    def where(self, condition: Any, yes: Amount, no: Amount) -> Amount:
        """One where a condition holds, the other where it does not."""

    def reached(self, level: Amount, thresholds: Sequence[Decimal]) -> Any:
        """How many of the rising thresholds a level has reached."""

    def picked(self, amounts: Sequence[Decimal], place: Any) -> Amount:
        """The amount at a place."""

    def rounded(self, amount: Amount, share: Amount) -> Amount:
        """The amount of one line to the penny, where all of its units are paid for."""


class Exact:
    """Decimals: how the contract is settled."""

    def of(self, value: Any) -> Decimal:
        """A number as the decimal it was typed as."""
        return exact(value)

    def larger(self, one: Decimal, other: Decimal) -> Decimal:
        """The larger of two."""
        return max(one, other)

    def smaller(self, one: Decimal, other: Decimal) -> Decimal:
        """The smaller of two."""
        return min(one, other)

    def where(self, condition: bool, yes: Decimal, no: Decimal) -> Decimal:
        """One where a condition holds, the other where it does not."""
        return yes if condition else no

    def reached(self, level: Decimal, thresholds: Sequence[Decimal]) -> int:
        """How many of the rising thresholds a level has reached."""
        return bisect_right(thresholds, level + exact(CLOSE))

    def picked(self, amounts: Sequence[Decimal], place: int) -> Decimal:
        """The amount at a place."""
        return amounts[place]

    def rounded(self, amount: Decimal, share: Decimal) -> Decimal:
        """The amount of one line to the penny, halves up."""
        return to_penny(amount)


class Drawn:
    """Arrays over draws (or one number where nothing varies): what might have been paid."""

    def of(self, value: Any) -> Amount:
        """A number or an array, as floats."""
        return value if isinstance(value, np.ndarray) else float(value)

    def larger(self, one: Amount, other: Amount) -> Amount:
        """The larger of two, draw by draw."""
        return np.maximum(one, other)

    def smaller(self, one: Amount, other: Amount) -> Amount:
        """The smaller of two, draw by draw."""
        return np.minimum(one, other)

    def where(self, condition: Any, yes: Amount, no: Amount) -> Amount:
        """One where a condition holds, the other where it does not, draw by draw."""
        return np.where(condition, yes, no)

    def reached(self, level: Amount, thresholds: Sequence[Decimal]) -> Any:
        """How many of the rising thresholds a level has reached, draw by draw."""
        return np.searchsorted(np.array(thresholds, dtype=float), np.asarray(level) + CLOSE, side="right")

    def picked(self, amounts: Sequence[Decimal], place: Any) -> Amount:
        """The amount at a place, draw by draw."""
        return np.array(amounts, dtype=float)[place]

    def rounded(self, amount: Amount, share: Amount) -> Amount:
        """To the penny where all units are paid for, as the ledger is; a share of them has no ledger to agree with."""
        pennies = np.floor(np.abs(amount) * 100 + 0.5 + SLACK) / 100
        return np.where(np.asarray(share) == 1, np.copysign(pennies, amount), amount)


EXACT, DRAWN = Exact(), Drawn()


def exact(value: Any) -> Decimal:
    """A number as the decimal that was typed: 1.005 is 1.005, not the binary fraction next to it.

    Parameters
    ----------
    value : int, float, str or Decimal
        A plain number.

    Returns
    -------
    Decimal
        Exact.
    """
    if isinstance(value, Decimal):
        return value
    whole = isinstance(value, int | np.integer)
    return Decimal(int(value)) if whole else Decimal(repr(float(value)))


def to_penny(value: Decimal) -> Decimal:
    """Round an exact amount to the penny, halves up (away from zero).

    Parameters
    ----------
    value : Decimal
        An exact amount.

    Returns
    -------
    Decimal
        With two decimals.
    """
    return value.quantize(PENNY, rounding=ROUND_HALF_UP)


def in_pennies(amounts: Iterable[Any]) -> np.ndarray:
    """Amounts as whole pennies; missing ones are none.

    Parameters
    ----------
    amounts : iterable of float
        Already to the penny; what else they hold is rounded.

    Returns
    -------
    ndarray of int
        Pennies.
    """
    values = np.asarray(list(amounts) if not isinstance(amounts, np.ndarray) else amounts, dtype=float)
    return np.floor(np.abs(np.nan_to_num(values)) * 100 + 0.5 + SLACK).astype("int64") * np.sign(
        np.nan_to_num(values)
    ).astype("int64")


def total(amounts: Iterable[Any]) -> float:
    """The exact sum of amounts of money.

    Parameters
    ----------
    amounts : iterable of float
        Each is taken to the penny first; missing ones are none.

    Returns
    -------
    float
        The number nearest to the sum of whole pennies.
    """
    return int(in_pennies(amounts).sum()) / 100


def less(one: float, other: float) -> float:
    """What remains of one amount after another, to the penny; missing where either is.

    Parameters
    ----------
    one, other : float
        Amounts.

    Returns
    -------
    float
        one - other, exact in pennies.
    """
    if np.isnan(one) or np.isnan(other):
        return float("nan")
    return total([one, -other])
