"""Many draws of one design, each estimated by the real estimator."""

from __future__ import annotations

import math
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from evalkit.counterfactual.design.settings import Setting
from evalkit.counterfactual.design.worlds import DRAW, Drawn, arguments, outcome_under, shift_for
from evalkit.counterfactual.estimating import estimate
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.registry import Entry
from evalkit.errors import EstimationError, EvalkitError

COLUMNS = ["effect", "se", "low", "high", "p", "df", "counterfactual"]
TRIED = 3
SHARE = 50  # draws given to a process at a time
SAME = 1e-7


@dataclass(frozen=True, eq=False)
class Trials:
    """The design that is tried: estimator, world, how many draws.

    Parameters
    ----------
    entry : Entry
        The estimator.
    setting : Setting
        The world.
    how : dict
        Options of `estimate`.
    draws, seed : int
        The same seed gives the same data sets, whatever the effect.
    pool : Executor, optional
        Processes that share the draws; the answer is the same with and without.
    """

    entry: Entry
    setting: Setting
    how: dict[str, Any]
    draws: int
    seed: int
    pool: Executor | None = None

    def drawn(self, place: int) -> Drawn:
        """One data set without an effect.

        Parameters
        ----------
        place : int
            Which.

        Returns
        -------
        Drawn
            The same for the same place.
        """
        return DRAW[self.entry.data](self.setting, np.random.default_rng([self.seed, place]))

    def one(self, drawn: Drawn, shift: float) -> Estimate:
        """Estimate one data set under an effect.

        Parameters
        ----------
        drawn : Drawn
            The data set.
        shift : float
            From `shift_for`.

        Returns
        -------
        Estimate
            By the real estimator.
        """
        frame = outcome_under(drawn, self.setting, shift)
        told = arguments(self.entry.data, self.entry.needs, drawn, self.entry.adjusts)
        return estimate(frame, self.entry.name, **told, **self.how)

    def under(self, effect: float) -> pd.DataFrame:
        """Estimate every data set under one true effect.

        Parameters
        ----------
        effect : float
            In the outcome's unit.

        Returns
        -------
        DataFrame, shape (draws, 7)
            effect, se, low, high, p, df, counterfactual; a row of gaps where the estimator refused.

        Raises
        ------
        EstimationError
            The estimator refused every data set; with its reason.
        """
        shift = shift_for(self.setting, effect, self.how.get("estimand") == "ATE")
        if self.pool is None:
            rows, reason = _several(self, shift, range(self.draws))
        else:
            alone, cuts = replace(self, pool=None), range(0, self.draws, SHARE)
            parts = [range(start, min(start + SHARE, self.draws)) for start in cuts]
            done = list(self.pool.map(_several, [alone] * len(parts), [shift] * len(parts), parts))
            rows, reason = [row for part, _ in done for row in part], next((said for _, said in done if said), "")
        found = pd.DataFrame(rows, columns=COLUMNS)
        if found["effect"].isna().all():
            raise EstimationError(
                f'"{self.entry.name}" could estimate none of {self.draws} data sets of this design. {reason}'
            )
        return found

    def moves_alike(self, effect: float) -> bool:
        """Whether a true effect only moves the estimate, so that other effects need no draws of their own.

        Parameters
        ----------
        effect : float
            One to try.

        Returns
        -------
        bool
            Tried on the first draws with the real estimator: effect, error, interval and p are those of the data
            without an effect, moved.
        """
        if self.setting.yes_or_no or effect == 0:
            return False
        for place in range(min(TRIED, self.draws)):
            drawn = self.drawn(place)
            try:
                plain, under = (_row(self.one(drawn, shift), self.setting) for shift in (0.0, effect))
            except EvalkitError:
                return False
            expected = moved(pd.DataFrame([plain]), effect).iloc[0]
            if not np.allclose(expected, list(under.values()), rtol=0, atol=SAME * self.setting.sd, equal_nan=True):
                return False
        return True


def _several(trials: Trials, shift: float, places: range) -> tuple[list[dict[str, float]], str]:
    """Some of the draws, and why the first refused one was refused."""
    rows, reason = [], ""
    for place in places:
        try:
            rows.append(_row(trials.one(trials.drawn(place), shift), trials.setting))
        except EvalkitError as error:
            reason = reason or str(error)
            rows.append(dict.fromkeys(COLUMNS, math.nan))
    return rows, reason


def moved(found: pd.DataFrame, effect: float) -> pd.DataFrame:
    """What would have been estimated under another effect.

    Parameters
    ----------
    found : DataFrame
        Under no effect.
    effect : float
        The true one.

    Returns
    -------
    DataFrame
        Effect and interval moved, p from t again.
    """
    estimates = found["effect"] + effect
    p = 2 * stats.t.sf(np.abs(estimates / found["se"]), found["df"].fillna(np.inf))
    return found.assign(effect=estimates, low=found["low"] + effect, high=found["high"] + effect, p=p)


def _row(found: Estimate, setting: Setting) -> dict[str, float]:
    """What is kept of one estimate; a ratio is written as a difference from the known level, which is what it moves."""
    row = {name: float(getattr(found, name)) for name in COLUMNS}
    if found.scale != "ratio":
        return row
    ends = {name: setting.mean * (row[name] - 1) for name in ("effect", "low", "high")}
    wide = 2 * float(stats.norm.ppf(0.5 + setting.level / 2))
    return {**row, **ends, "se": (ends["high"] - ends["low"]) / wide, "counterfactual": setting.mean}
