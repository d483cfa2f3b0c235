"""Codes of unit costs: whose child an entry is, whether children are parts of their parent, agencies that are one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal

import pandas as pd

PRICE_YEAR = re.compile(r"^\s*((?:19|20)\d\d)(?:[/\u2013-]\d\d(?:\d\d)?)?\s*$")
BRACKET = re.compile(r"\s*\([^()]*\)\s*$")
AGES = re.compile(r"\b(\d{1,2})\s*(?:-|\u2013|to)\s*(\d{1,2})\b(?=[ -]*year)")


def parents_of(codes: pd.Series) -> pd.Series:
    """Derive the parent of each code: the code itself without its last part, where that is a code too.

    Parameters
    ----------
    codes : Series of str
        "A2.0", "A2.0.1": the second is a child of the first.

    Returns
    -------
    Series of str
        Empty where there is no parent.
    """
    known = set(codes)
    cut = codes.str.rsplit(".", n=1).str[0]
    return cut.where(cut.isin(known) & (cut != codes), "").astype("str")


def ancestors(code: str, parents: Mapping[str, str]) -> list[str]:
    """List the parents of a code, and theirs.

    Parameters
    ----------
    code : str
        Where to begin.
    parents : mapping of str to str
        Code -> its parent, or "".

    Returns
    -------
    list of str
        Nearest first; a circle ends it.
    """
    found: list[str] = []
    while (code := parents.get(code, "")) and code not in found:
        found.append(code)
    return found


def rounding(amounts: Iterable[float]) -> float:
    """Say by how much a sum may miss because each amount was rounded.

    Parameters
    ----------
    amounts : iterable of float
        As they are written: 9219 may be off by 0.5, 63.69 by 0.005.

    Returns
    -------
    float
        Half a unit of the last digit of each, added up.
    """
    digits = (int(Decimal(repr(float(amount))).normalize().as_tuple().exponent) for amount in amounts)
    return sum(0.5 * 10.0 ** min(exponent, 0) for exponent in digits)


def one_name(agencies: pd.Series) -> tuple[pd.Series, dict[str, str]]:
    """Write agencies that differ only in capitals and spaces in one way.

    Parameters
    ----------
    agencies : Series of str
        Names.

    Returns
    -------
    (Series of str, dict)
        The most frequent way of writing each; what was changed into what.
    """
    tidy = agencies.map(lambda name: " ".join(str(name).split()))
    best: dict[str, str] = {}
    for name, _ in Counter(tidy).most_common():  # of equally frequent ones, the first
        best.setdefault(name.casefold(), name)
    named = tidy.map(lambda name: best[name.casefold()]).astype("str")
    return named, {old: new for old, new in zip(agencies, named, strict=True) if old != new}


def before_bracket(name: str) -> str:
    """The name of an agency without the part of it in brackets at the end."""
    return BRACKET.sub("", name).strip() or name


def contradiction(parent: str, child: str) -> str:
    """Find ages in which two descriptions differ.

    Parameters
    ----------
    parent, child : str
        What the entries say they are.

    Returns
    -------
    str
        "18-24 against 16-17"; empty where they agree, or one says nothing of ages.
    """
    above, below = (["-".join(ages) for ages in AGES.findall(text)] for text in (parent, child))
    if not above or not below or set(above) & set(below):
        return ""
    return f"{', '.join(above)} against {', '.join(dict.fromkeys(below))}"
