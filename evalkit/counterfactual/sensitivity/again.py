"""Running an estimate again on other people or another outcome, and saying why where that cannot be."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.counterfactual.estimating import estimate
from evalkit.counterfactual.nouns import Estimate
from evalkit.errors import EvalkitError


def once_more(frame: pd.DataFrame, estimator: str, arguments: dict[str, Any]) -> tuple[Estimate | None, str]:
    """Estimate; where the rows left cannot support it, say why.

    Parameters
    ----------
    frame : DataFrame
        The rows.
    estimator : str
        A name on the list.
    arguments : dict
        Of `estimate`.

    Returns
    -------
    (Estimate or None, str)
        And the reason for none.
    """
    try:
        return estimate(frame, estimator, **arguments), ""
    except (EvalkitError, np.linalg.LinAlgError) as fault:
        return None, " ".join(str(fault).split())


def numbers_of(found: Estimate | None) -> dict[str, float]:
    """Effect, interval and p of an estimate, NaN without one.

    Parameters
    ----------
    found : Estimate or None
        An estimate.

    Returns
    -------
    dict
        effect, low, high, p.
    """
    return {name: math.nan if found is None else float(getattr(found, name)) for name in ("effect", "low", "high", "p")}


def used_columns(frame: pd.DataFrame, arguments: dict[str, Any]) -> pd.DataFrame:
    """The columns that the arguments name, so that rows are not copied with columns nobody needs.

    Parameters
    ----------
    frame : DataFrame
        Any.
    arguments : dict
        Of `estimate`.

    Returns
    -------
    DataFrame
        The same rows.
    """
    named = set(_texts(arguments))
    return frame[[column for column in frame.columns if str(column) in named]]


def _texts(value: Any) -> Iterator[str]:
    """Every text within an argument."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list | tuple | set | pd.Index):
        for one in value:
            yield from _texts(one)


def decimals(effect: float, se: float = math.nan) -> int:
    """How many decimals a number needs in a sentence.

    Parameters
    ----------
    effect : float
        The number.
    se : float
        Its standard error, whose two first digits are shown; without one three digits of the number are.

    Returns
    -------
    int
        0 to 6.
    """
    size, digits = (se, 1) if math.isfinite(se) and se > 0 else (abs(effect), 2)
    if not (math.isfinite(size) and size > 0):
        return 2
    return int(min(max(digits - math.floor(math.log10(size)), 0), 6))


def range_said(effects: pd.Series, full: Estimate) -> str:
    """The smallest and the largest of several effects, and the full one.

    Parameters
    ----------
    effects : Series of float
        NaN are left out.
    full : Estimate
        Everybody's.

    Returns
    -------
    str
        "the effect runs from 0.06 to 0.13 (with all: 0.10)".
    """
    places = decimals(full.effect, full.se)
    ends = (words.number(float(value), places) for value in (effects.min(), effects.max()))
    return f"the effect runs from {' to '.join(ends)} (with all: {words.number(full.effect, places)})"


def signs_said(table: pd.DataFrame, full: Estimate) -> str:
    """Whether sign and significance hold in every row.

    Parameters
    ----------
    table : DataFrame
        With effect, low and high.
    full : Estimate
        Everybody's.

    Returns
    -------
    str
        Two clauses.
    """
    known = table.dropna(subset="effect")
    turned = int((np.sign(known["effect"]) != np.sign(full.effect)).sum())
    sign = "Its sign never changes" if not turned else f"Its sign changes in {turned} of {len(known)}"
    bounded = known.dropna(subset=["low", "high"])
    if not len(bounded) or math.isnan(full.low):
        return f"{sign}."
    null = 1.0 if full.scale == "ratio" else 0.0
    inside = int(((bounded["low"] <= null) & (bounded["high"] >= null)).sum())
    if inside in (0, len(bounded)):
        return f"{sign}; {'every' if inside else 'no'} interval includes no effect."
    return f"{sign}; {inside} of {len(bounded)} intervals include no effect."
