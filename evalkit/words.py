"""How numbers are written: one way for prose, tables, figures and flags.

A number is rounded once, here, at the end. Minus is U+2212, a plus stands on differences only, and zero has no sign.
"""

from __future__ import annotations

import datetime as dt
import math
from decimal import ROUND_HALF_UP, Context, Decimal

SYMBOLS = {"GBP": "£", "USD": "$", "EUR": "€"}
NOT_AVAILABLE = "[x]"
NOT_APPLICABLE = "[z]"
SUPPRESSED = "[c]"
_WIDE = Context(prec=400, rounding=ROUND_HALF_UP)  # room for the largest number there is
UNBOUNDED = "not bounded"
KEYS = {SUPPRESSED: "suppressed", NOT_AVAILABLE: "not available", NOT_APPLICABLE: "not applicable"}


def known(value: object) -> bool:
    """Whether there is a finite number to print."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _rounded(value: float, digits: int) -> str:
    exact = Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-digits), context=_WIDE)
    return f"{abs(exact):,.{digits}f}"


def number(value: float | None, digits: int = 1, sign: bool = False) -> str:
    """Write a number: thousands by comma, true minus, plus only when asked.

    Parameters
    ----------
    value : float or None
        None or not finite is written "[x]".
    digits : int
        Decimals.
    sign : bool
        Whether a positive number gets a plus (differences).

    Returns
    -------
    str
        "1,234.5", "−0.4", "+2.0", "0.0".
    """
    if value is None or not known(float(value)):
        return NOT_AVAILABLE
    text = _rounded(value, digits)
    if not any(character in "123456789" for character in text):
        return text
    if value < 0:
        return f"\u2212{text}"
    return f"+{text}" if sign else text


def percent(share: float | None, digits: int = 1, sign: bool = False) -> str:
    """Write a share (0.182) as a percentage ("18.2%")."""
    text = number(None if share is None else share * 100, digits, sign)
    return text if text == NOT_AVAILABLE else f"{text}%"


def points(difference: float | None, digits: int = 1, sign: bool = True) -> str:
    """Write a difference of shares (0.097) in percentage points ("+9.7 points")."""
    text = number(None if difference is None else difference * 100, digits, sign)
    return text if text == NOT_AVAILABLE else f"{text} points"


def money(value: float | None, currency: str = "GBP", sign: bool = False) -> str:
    """Write money in prose: £2.73m, £0.15m, £90,000, £220.

    Parameters
    ----------
    value : float or None
        In units of the currency.
    currency : str
        ISO 4217 code; a code without a symbol here is written in full before the number.
    sign : bool
        Whether a positive amount gets a plus.

    Returns
    -------
    str
        Millions with two decimals from 100,000 on, except for round thousands below a million.
    """
    if value is None or not known(float(value)):
        return NOT_AVAILABLE
    symbol = SYMBOLS.get(currency, f"{currency} ")
    in_millions = abs(value) >= 1e6 or (abs(value) >= 1e5 and abs(value) % 1000 > 1e-9)
    text = f"{_rounded(value / 1e6, 2)}m" if in_millions else _rounded(value, 0)
    lead = "" if round(abs(value), 2) == 0 else "\u2212" if value < 0 else "+" if sign else ""
    return f"{lead}{symbol}{text}"


def whole_money(value: float | None, currency: str = "GBP", digits: int = 0, sign: bool = False) -> str:
    """Write money in full, as reconciliations need it: £1,617,330."""
    text = number(value, digits, sign)
    if text == NOT_AVAILABLE:
        return text
    symbol = SYMBOLS.get(currency, f"{currency} ")
    return f"{text[0]}{symbol}{text[1:]}" if text[0] in "+\u2212" else f"{symbol}{text}"


def interval(low: float | None, high: float | None, digits: int = 1, percent: bool = False) -> str:
    """Write an interval: "−72.1 to −21.3"; a bound that is not finite makes it "not bounded".

    Parameters
    ----------
    low, high : float or None
        None for both: "[x]". One infinite bound: "not bounded".
    digits : int
        Decimals, those of the estimate.
    percent : bool
        Whether the numbers are shares to be written as percentages ("36% to 80%").

    Returns
    -------
    str
        The interval in words.
    """
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return NOT_AVAILABLE
    if math.isinf(low) or math.isinf(high):
        return UNBOUNDED
    scale, unit = (100, "%") if percent else (1, "")
    return f"{number(low * scale, digits)}{unit} to {number(high * scale, digits)}{unit}"


def p_value(p: float | None) -> str:
    """Write a p-value: "0.002", "0.061", "0.78", "< 0.001"; never "0.000"."""
    if p is None or not known(float(p)):
        return NOT_AVAILABLE
    if p < 0.001:
        return "< 0.001"
    return _rounded(p, 3 if p < 0.1 else 2)


def day(date: dt.date | None) -> str:
    """Write a date: "16 March 2026"."""
    return NOT_AVAILABLE if date is None else f"{date.day} {date:%B %Y}"


def month(date: dt.date | None) -> str:
    """Write a month: "March 2020"."""
    return NOT_AVAILABLE if date is None else f"{date:%B %Y}"


def listed(words: list[str], last: str = "and") -> str:
    """Join words as people do: "a, b and c"."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"
