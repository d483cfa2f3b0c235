"""Whether a claim holds of a reading: at the point, and over the whole of its interval."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

from evalkit.evidence.claim_readings import MIDDLE, Reading
from evalkit.evidence.claim_words import Said

Holds = Literal["holds", "not over its interval", "fails"]
BEST = re.compile(r"\b(?:up to|as much as|as many as)\b", re.IGNORECASE)
_ABOUT, _NEARLY = 0.1, 0.9


def judge(reading: Reading, said: Said) -> Holds:
    """Whether a claim holds of a reading: at the point, and over the whole of its interval.

    Parameters
    ----------
    reading : Reading
        One reading.
    said : Said
        What is claimed.

    Returns
    -------
    str
        "holds"; "not over its interval": the claim is compatible with the interval and not borne out by all of it;
        "fails".
    """
    test = _test(said)
    point = test(reading)
    if said.bound == "up to" and said.low is not None and BEST.search(said.text):
        best = float(reading) if reading.high is None else reading.high
        point = point and best >= said.low - said.half
        return "holds" if point else "not over its interval"
    if reading.low is None or reading.high is None:
        return "holds" if point else "fails"
    if said.bound in ("exactly", "about") and said.kind != "ratio" and not (said.in_words and said.kind != "share"):
        nothing = 1.0 if reading.unit == "times" else 0.0
        settled = not reading.low <= nothing <= reading.high
        return ("holds" if settled else "not over its interval") if point else "fails"
    if said.kind == "ratio" and said.bound in ("exactly", "about", "nearly"):
        if reading.formula == MIDDLE and said.low is not None:
            point = reading.low - said.half <= said.low <= reading.high + said.half
        nothing = 0.0 if reading.says == "the net ratio" else 1.0
        if point and said.low != nothing and reading.low <= nothing <= reading.high:
            return "not over its interval"  # whether value exceeds cost at all is open
        return "holds" if point else "fails"
    ends = [test(reading.low), test(reading.high)]
    if point and all(ends):
        return "holds"
    touches = (
        said.bound == "between"
        and said.low is not None
        and reading.low <= (said.high or said.low)
        and said.low <= reading.high
    )
    return "not over its interval" if point or any(ends) or touches else "fails"


def _test(said: Said) -> Callable[[float], bool]:
    """Whether one number bears the claim out."""
    low, half = said.low if said.low is not None else 0.0, said.half + 1e-9
    high = said.high if said.high is not None else low
    least = said.in_words and said.kind != "share"  # "halved" is so of a fall by 60%; "a third of them" not of 80%
    tests: dict[str, Callable[[float], bool]] = {
        "more than": lambda value: value > low + 1e-9,
        "at least": lambda value: value >= low - 1e-9,
        "up to": lambda value: value <= high + half,
        "less than": lambda value: value < low - 1e-9,
        "nearly": lambda value: value >= _NEARLY * low,
        "about": lambda value: abs(value - low) <= _ABOUT * abs(low) + half,
        "between": lambda value: low - half <= value <= high + half,
    }
    exactly: Callable[[float], bool] = lambda value: value >= low - half if least else abs(value - low) <= half  # noqa: E731
    return tests.get(said.bound, exactly)
