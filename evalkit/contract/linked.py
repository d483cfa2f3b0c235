"""How payments follow an effect: the share of the units achieved that there would be at another effect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evalkit.contract.paying import pay_at, trigger_key
from evalkit.contract.reading import Papers

SAME = 1e-9


@dataclass(frozen=True, eq=False)
class Link:
    """One metric that is paid for an estimated outcome.

    Parameters
    ----------
    metric, outcome : str
        As the rate card names them.
    deadweight : float
        The share of the units achieved that there would have been anyway: at no effect.
    effect, low, high : float
        The effect, in the outcome's unit, and its interval.
    observed : float
        Mean outcome of those in the programme.
    ratio : bool
        Whether the effect is written as a ratio (none: 1) rather than a difference (none: 0).
    slope : float
        Share of the units achieved that one unit of the effect adds; missing where it cannot be known.
    """

    metric: str
    outcome: str
    deadweight: float
    effect: float
    low: float
    high: float
    observed: float
    ratio: bool
    slope: float

    def effect_at(self, share: float) -> float:
        """The effect at which so large a share of the units would have been achieved anyway.

        Parameters
        ----------
        share : float
            A deadweight.

        Returns
        -------
        float
            In the outcome's unit; missing where nothing links the two.
        """
        if not self.ratio:
            return (1.0 - share) / self.slope if self.slope else np.nan
        # without the programme `share` in place of `deadweight`: both are linear in the counterfactual
        anyway = self.observed / self.effect if self.effect else np.nan
        gone = 1.0 - self.deadweight
        if abs(gone) < SAME:
            return np.nan
        level = self.observed + (anyway - self.observed) * (1.0 - share) / gone
        return self.observed / level if level else np.nan

    def holds(self, effect: float) -> bool | None:
        """Whether the effect's interval holds a value; None where there is no interval.

        Parameters
        ----------
        effect : float
            In the outcome's unit.

        Returns
        -------
        bool or None
            The ends count as inside.
        """
        if not np.isfinite([effect, self.low, self.high]).all():
            return None
        slack = SAME * max(abs(self.low), abs(self.high), 1.0)
        return bool(self.low - slack <= effect <= self.high + slack)

    def achieved_at(self, scale: np.ndarray) -> np.ndarray:
        """What would be achieved, as a share of what was, if the effect were so many times the estimate.

        Parameters
        ----------
        scale : ndarray
            0: no effect; 1: as estimated. What would have happened anyway stays as estimated.

        Returns
        -------
        ndarray
            Never below 0: below no units nothing is paid.
        """
        return np.maximum(self.deadweight + (1.0 - self.deadweight) * scale, 0.0)

    def anyway_at(self, scale: np.ndarray) -> np.ndarray:
        """The deadweight if the effect were so many times the estimate, what was achieved staying as it is.

        Parameters
        ----------
        scale : ndarray
            0: no effect, so all of it is deadweight; 1: as estimated.

        Returns
        -------
        ndarray
            Never below 0.
        """
        return np.maximum(1.0 - (1.0 - self.deadweight) * scale, 0.0)


def links(table: pd.DataFrame, effects: Any) -> dict[str, Link]:
    """Every metric whose outcome has an effect and a deadweight.

    Parameters
    ----------
    table : DataFrame
        The contract's, with metric and outcome.
    effects : Effects or None
        With ``table``.

    Returns
    -------
    dict of str to Link
        By metric; empty without effects.
    """
    if effects is None:
        return {}
    records: Any = effects.table.to_dict("records")
    rows = {row["outcome"]: row for row in records}
    found = {}
    for metric, outcome in zip(table["metric"], table["outcome"], strict=True):
        row = rows.get(outcome)
        if row is not None and np.isfinite(_number(row.get("deadweight"))):
            found[metric] = _link(metric, row)
    return found


def met_now(triggers: pd.DataFrame) -> dict[str, np.ndarray]:
    """Which triggers were met, as `pay_at` takes it.

    Parameters
    ----------
    triggers : DataFrame
        The contract's, with id and met.

    Returns
    -------
    dict of str to ndarray, shape (1,)
        `trigger_key` -> 1 where it was met, else 0.
    """
    return {
        trigger_key(str(name)): np.array([float(met == "met")])
        for name, met in zip(triggers["id"], triggers["met"], strict=True)
    }


def total_at(papers: Papers, plan: Any, shares: Mapping[str, Any], draws: int) -> np.ndarray:
    """What the whole contract pays at other shares of what was achieved.

    Parameters
    ----------
    papers : Papers
        The contract's tables.
    plan : ContractPlan
        Its caps and floor.
    shares : mapping of str to ndarray
        By metric; 1 where absent.
    draws : int
        Length of every array.

    Returns
    -------
    ndarray, shape (draws,)
        Money.
    """
    paid = list(pay_at(papers, plan, shares, draws).values())
    return np.sum(paid, axis=0) if paid else np.zeros(draws)


def _number(value: object) -> float:
    """A number, or NaN."""
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return np.nan


def _link(metric: str, row: Mapping[str, Any]) -> Link:
    names = ("deadweight", "effect", "low", "high", "observed")
    share, effect, low, high, observed = (_number(row.get(name)) for name in names)
    ratio = row.get("scale") == "ratio"
    slope = np.nan if ratio else _slope(share, effect, observed, row)
    return Link(metric, str(row["outcome"]), share, effect, low, high, observed, ratio, slope)


def _slope(share: float, effect: float, observed: float, row: Mapping[str, Any]) -> float:
    """1 - deadweight is a multiple of the effect: which one."""
    if np.isfinite(effect) and abs(effect) > SAME:
        return (1.0 - share) / effect
    if row.get("values") == "yes or no" and row.get("better") == "lower":
        return -1.0 / (1.0 - observed) if observed < 1 else np.nan
    good = row.get("values") == "yes or no" or (row.get("values") == "amount" and row.get("better") == "higher")
    return 1.0 / observed if good and observed > 0 else np.nan
