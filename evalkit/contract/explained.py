"""Why what was paid in a period is not what was owed: a cap, a floor, another price or period, a stated reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from evalkit.contract.mechanisms import FLOOR, GATED, STEPPED, TRIGGER, Price
from evalkit.contract.pennies import exact, to_penny

KINDS = {
    "cap": "paid as if no cap had cut it",
    "floor": "paid without the floor",
    "threshold": "paid as if the threshold had been reached",
    "price": "paid at another price of the rate card",
    "lag": "owed in one period and paid in the next",
    "early": "paid in one period and owed in the next",
    "stated": "explained in the payments table",
}
MOST_UNITS = 1_000_000


@dataclass
class Row:
    """One metric in one period; amounts in pennies.

    Parameters
    ----------
    metric : str
        "" for all metrics together.
    owed, paid, cut, lifted : int
        Pennies; cut by caps, lifted by floors.
    units : float
        Claimed in the period.
    stated : str
        What the payments table gives as the reason.
    left : int
        What of paid - owed is not explained yet.
    """

    metric: str
    owed: int
    paid: int
    cut: int
    lifted: int
    units: float
    stated: str
    left: int = 0


Reason = dict[str, Any]


def explain(rows: Sequence[Row], card: Mapping[str, Price]) -> list[list[Reason]]:
    """Explain the differences of one metric, period after period.

    Parameters
    ----------
    rows : sequence of Row
        In time order; ``left`` is set to what remains unexplained.
    card : mapping of str to Price
        The rate card.

    Returns
    -------
    list of list of dict
        For each row its reasons: kind (of `KINDS`), amount (pennies, with the sign of paid - owed), says. Reasons and
        ``left`` together are paid - owed, to the penny.
    """
    reasons: list[list[Reason]] = []
    for row in rows:
        row.left = row.paid - row.owed
        reasons.append([])
        _take(row, reasons[-1], _of_row(row, card))
    for place in range(len(rows) - 1):
        _shifted(rows[place], rows[place + 1], (reasons[place], reasons[place + 1]))
    for row, so_far in zip(rows, reasons, strict=True):
        # another price comes after a shift in time: many amounts can be divided by some price of a card
        says = "" if so_far else _other_price(row, card)
        _take(row, so_far, _reason("price", row.left, says) if says else None)
        _take(row, so_far, _reason("stated", row.left, row.stated) if row.stated else None)
    return reasons


def _take(row: Row, so_far: list[Reason], found: Reason | None) -> None:
    """Put a reason to what is still open of a row."""
    if row.left and found:
        so_far.append(found)
        row.left -= found["amount"]


def _of_row(row: Row, card: Mapping[str, Price]) -> Reason | None:
    """A reason that explains the whole difference of one period, to the penny."""
    if not row.left:
        return None
    if row.cut and row.left == row.cut:
        return _reason("cap", row.left)
    if row.lifted and row.left == -row.lifted:
        return _reason("floor", row.left)
    if _at_its_own_price(row, card):
        return _reason("threshold", row.left)
    return None


def _reason(kind: str, amount: int, says: str = "") -> Reason:
    return {"kind": kind, "amount": amount, "says": says or KINDS[kind]}


def _at_its_own_price(row: Row, card: Mapping[str, Price]) -> bool:
    """Whether the units were paid at their price although they had not reached their threshold."""
    own = card.get(row.metric)
    if own is None or own.mechanism not in GATED or not row.paid:
        return False
    return any(to_penny(tariff.price * exact(row.units)) == Decimal(row.paid) / 100 for tariff in own.tariffs)


def _other_price(row: Row, card: Mapping[str, Price]) -> str:
    """The same units at another price of the card; or the one price that makes what was paid a number of units."""
    own = card.get(row.metric)
    if own is None or own.mechanism in (*STEPPED, TRIGGER, FLOOR) or not row.paid:
        return ""
    at_own = {tariff.price for tariff in own.tariffs}
    one_price = at_own if len(at_own) == 1 else set()
    others = {t.price for price in card.values() if price.mechanism not in STEPPED for t in price.tariffs}
    candidates = sorted(price for price in (others | at_own) if price > 0)
    paid, units = Decimal(row.paid) / 100, exact(row.units)
    here = one_price | {price for price in at_own if to_penny(price * units) == Decimal(row.owed + row.cut) / 100}
    same = [price for price in candidates if price not in here and units > 0 and to_penny(price * units) == paid]
    if same:
        return f"the same {_units(units)} at {_plain(same[0])}, another price of the rate card"
    if any(_divides(price, paid) for price in at_own if price > 0):
        return ""
    whole = [price for price in candidates if price not in at_own and _divides(price, paid)]
    if len(whole) == 1:  # with two prices that would do, neither explains anything
        return f"{_units(paid / whole[0])} at {_plain(whole[0])}, another price of the rate card"
    return ""


def _divides(price: Decimal, paid: Decimal) -> bool:
    return paid % price == 0 and 0 < paid / price <= MOST_UNITS


def _units(value: Decimal) -> str:
    return "1 unit" if value == 1 else f"{_plain(value)} units"


def _plain(value: Decimal) -> str:
    return f"{value.normalize():,f}"


def _shifted(row: Row, after: Row, reasons: tuple[list[Reason], list[Reason]]) -> None:
    """What one period lacks and the next has too much, or the other way round."""
    if row.left * after.left >= 0:
        return
    kind = "lag" if row.left < 0 else "early"
    moved = min(abs(row.left), abs(after.left)) * (1 if row.left > 0 else -1)
    reasons[0].append(_reason(kind, moved))
    reasons[1].append(_reason(kind, -moved))
    row.left -= moved
    after.left += moved
