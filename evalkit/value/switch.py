"""Assumptions one at a time: what the value is over the range of each, and where each would make it equal the cost."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from evalkit.tables.rows import as_rows
from evalkit.value.lines import RANGED
from evalkit.value.worth import by_year_of

NAMES = {
    "quantity": "Quantity",
    "proxy": "Worth each",
    "deadweight": "Deadweight",
    "displacement": "Displacement",
    "attribution": "Attribution",
    "drop_off": "Drop-off",
}
TAKEN_OFF = ("deadweight", "displacement", "attribution")
STEPS = 80  # halvings of an interval of length 1: beyond the last digit of a double


@dataclass(frozen=True, eq=False)
class Assumption:
    """One thing that was assumed or estimated, wherever in the map it stands.

    Parameters
    ----------
    name : str
        "quantity", "proxy", a share, or "cost".
    title : str
        Whose: the title of the line, the unit value or outcome that several lines share.
    kind : {"line", "effect", "unit value", "cost"}
        What it is: of one line, an estimated effect, a unit value of several lines, the cost.
    places : tuple of int
        The lines.
    low, central, high : ndarray, shape (len(places),)
        The ends NaN where it has no range.
    source : str
        Whence it comes.
    """

    name: str
    title: str
    kind: str
    places: tuple[int, ...]
    low: np.ndarray = field(default_factory=lambda: np.empty(0))
    central: np.ndarray = field(default_factory=lambda: np.empty(0))
    high: np.ndarray = field(default_factory=lambda: np.empty(0))
    source: str = ""

    @property
    def says(self) -> str:
        """What it is, in words."""
        if self.kind == "cost":
            return self.title
        what = "Estimated effect" if self.kind == "effect" else NAMES[self.name]
        return f"{what}: {self.title}"

    @property
    def ranged(self) -> bool:
        """Whether it has a range."""
        return bool((self.high > self.low).any())


def assumptions_of(lines: pd.DataFrame) -> list[Assumption]:
    """Every assumption of a map, those that several lines share once.

    Parameters
    ----------
    lines : DataFrame
        From `read_lines`, quantities and quantity_from filled; quantities that come from an effect with its interval
        in quantity_low and quantity_high.

    Returns
    -------
    list of Assumption
        In the order of the map.
    """
    records = as_rows(lines)
    groups: dict[tuple[str, str, str], list[int]] = {}
    for place, line in enumerate(records):
        for name in RANGED:
            shared = name == "proxy" and line["proxy_id"]
            effect = name == "quantity" and line["quantity_from"] == "effect"
            kind = "unit value" if shared else "effect" if effect else "line"
            same = line["proxy_id"] if shared else line["outcome"] if effect else str(place)
            groups.setdefault((name, kind, str(same)), []).append(place)
    return [_assumption(records, key, places) for key, places in groups.items()]


def _assumption(records: list[dict[str, Any]], key: tuple[str, str, str], places: list[int]) -> Assumption:
    """One assumption from its lines."""
    name, kind, _ = key
    mine = [records[place] for place in places]
    low, central, high = (
        np.array([line[column] for line in mine], dtype=float) for column in (f"{name}_low", name, f"{name}_high")
    )
    titles, sources = (dict.fromkeys(line[column] for line in mine) for column in ("title", f"{name}_source"))
    source = "; ".join(one for one in sources if one)
    return Assumption(name, ", ".join(titles), kind, tuple(places), low, central, high, source)


def present_value_with(
    numbers: Mapping[str, np.ndarray], factors: np.ndarray, one: Assumption, values: np.ndarray
) -> float:
    """Present value of the lines of an assumption, were it something else.

    Parameters
    ----------
    numbers : dict of str to ndarray, shape (n_lines,)
        As they are.
    factors : ndarray, shape (n_lines, years)
        Discount factors.
    one : Assumption
        Of these lines.
    values : ndarray, shape (len(places),)
        In its place.

    Returns
    -------
    float
        Of its lines only.
    """
    places = list(one.places)
    mine = {name: column[places] for name, column in numbers.items()} | {one.name: values}
    return float((by_year_of(mine, factors.shape[1]) * factors[places]).sum())


# ---------------------------------------------------------------- where value equals cost


@dataclass(frozen=True)
class Switch:
    """Where an assumption would make value equal cost.

    Parameters
    ----------
    value : float or None
        The first line's value at which the net present value is 0, the others at their central value; None where
        there is none.
    times : float
        The factor by which a quantity, a unit value or an effect is taken; NaN for shares and where there is none.
    why_none : str
        Empty where there is one.
    """

    value: float | None
    times: float = math.nan
    why_none: str = ""


def switch_of(numbers: Mapping[str, np.ndarray], factors: np.ndarray, one: Assumption, npv: float) -> Switch:
    """Find where an assumption would make value equal cost.

    Parameters
    ----------
    numbers, factors
        As for `present_value_with`.
    one : Assumption
        Of one or several lines.
    npv : float
        As it stands.

    Returns
    -------
    Switch
        Shares only from 0 to 1.
    """
    now = present_value_with(numbers, factors, one, one.central)
    if one.name in TAKEN_OFF:
        return _of_share(numbers, factors, one, now - npv)
    if one.name == "drop_off":
        return _of_drop_off(numbers, factors, one, now - npv)
    if now == 0:
        return Switch(None, why_none="it is worth nothing at any size")
    times = (now - npv) / now
    return Switch(float(one.central[0]) * times, times)


def _of_share(numbers: Mapping[str, np.ndarray], factors: np.ndarray, one: Assumption, wanted: float) -> Switch:
    """What is taken off works on the line in proportion: 1 less it."""
    whole = present_value_with(numbers, factors, one, np.zeros(len(one.places)))
    if whole == 0:
        return Switch(None, why_none="the line is worth nothing")
    share = 1 - wanted / whole
    if not -1e-12 <= share <= 1 + 1e-12:
        return Switch(None, why_none="none between 0 and 1")
    return Switch(min(max(share, 0.0), 1.0))


def _of_drop_off(numbers: Mapping[str, np.ndarray], factors: np.ndarray, one: Assumption, wanted: float) -> Switch:
    """Halve the interval from 0 to 1: present value moves one way with drop-off."""
    if (numbers["duration"][list(one.places)] <= 1).all():
        return Switch(None, why_none="it lasts one year")

    def short(drop: float) -> float:
        return present_value_with(numbers, factors, one, np.full(len(one.places), drop)) - wanted

    found = bisect(short, 0.0, 1.0)
    return Switch(found) if found is not None else Switch(None, why_none="none between 0 and 1")


def bisect(of: Callable[[float], float], low: float, high: float) -> float | None:
    """Find where a function that moves one way is 0, by halving.

    Parameters
    ----------
    of : callable
        From a number to a number.
    low, high : float
        Where to look.

    Returns
    -------
    float or None
        None where it has the same sign at both ends.
    """
    at_low, at_high = of(low), of(high)
    if at_low == 0 or at_high == 0:
        return low if at_low == 0 else high
    if at_low * at_high > 0:
        return None
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if of(middle) * at_low > 0 else (low, middle)
    return (low + high) / 2


def common_deadweight(numbers: Mapping[str, np.ndarray], factors: np.ndarray, cost: float) -> float | None:
    """The one deadweight of all lines at which value equals cost.

    Parameters
    ----------
    numbers : dict of str to ndarray, shape (n_lines,)
        Of the map. A line whose quantity is an effect is net of deadweight already: for it this is what would have
        happened anyway beyond what the estimate takes off.
    factors : ndarray, shape (n_lines, years)
        Discount factors.
    cost : float
        Present cost.

    Returns
    -------
    float or None
        In place of every line's own deadweight; None where no share between 0 and 1 does it: value is below cost
        without any deadweight.
    """

    def short(share: float) -> float:
        same = {**numbers, "deadweight": np.full(len(factors), share)}
        return float((by_year_of(same, factors.shape[1]) * factors).sum() - cost)

    return bisect(short, 0.0, 1.0)
