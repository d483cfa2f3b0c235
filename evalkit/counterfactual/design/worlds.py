"""Invented people, units and times whose effect is known: one drawing for each kind of data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from evalkit.counterfactual.covariates import encode
from evalkit.counterfactual.design.settings import Setting
from evalkit.errors import EstimationError

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Drawn:
    """One invented data set before any effect.

    Parameters
    ----------
    frame : DataFrame
        Everything but the outcome.
    plain : ndarray, shape (n,)
        The outcome without the programme; for "yes or no" what lies behind it, in SD.
    reached : ndarray of bool, shape (n,)
        The rows that the programme reaches.
    """

    frame: pd.DataFrame
    plain: Array
    reached: Array

    def __repr__(self) -> str:
        return f"Drawn({len(self.frame)} rows)"


def outcome_under(drawn: Drawn, setting: Setting, shift: float) -> pd.DataFrame:
    """The data as they would be seen under an effect.

    Parameters
    ----------
    drawn : Drawn
        The data set.
    setting : Setting
        The world.
    shift : float
        The effect; for "yes or no" what is added behind it, from `shift_for`.

    Returns
    -------
    DataFrame
        With "outcome".
    """
    moved = drawn.plain + shift * drawn.reached
    y = (moved > 0).astype(float) if setting.yes_or_no else moved
    return drawn.frame.assign(outcome=y)


def shift_for(setting: Setting, effect: float, everybody: bool = False) -> float:
    """What must be added so that the true effect is the one wanted.

    Parameters
    ----------
    setting : Setting
        The world.
    effect : float
        In the outcome's unit: for "yes or no" a difference of shares.
    everybody : bool
        Whether the effect wanted is that on everybody (ATE) rather than on the treated.

    Returns
    -------
    float
        The effect itself for numbers.

    Raises
    ------
    EstimationError
        A share cannot go below 0 or above 1.
    """
    if not setting.yes_or_no or effect == 0:
        return effect
    from scipy.optimize import brentq

    cut = stats.norm.ppf(setting.base_rate)
    means, spread = _behind(setting, everybody)
    anyway = float(stats.norm.cdf((cut + means) / spread).mean())
    if not 0 < anyway + effect < 1:
        raise EstimationError(
            f"{anyway:.3f} of the treated would have a yes anyway, so an effect of {effect:+.3f} cannot be. "
            "Give a smaller effect, or another base_rate."
        )

    def missed(shift: float) -> float:
        return float(stats.norm.cdf((cut + means + shift) / spread).mean()) - anyway - effect

    return float(brentq(missed, -20, 20, xtol=1e-12))


def _behind(setting: Setting, everybody: bool) -> tuple[Array, float]:
    """Means and spread of what lies behind the yes of those whose effect is wanted."""
    if setting.people is not None:
        index, treated = _index_of(setting.people, setting), setting.people["treated"].to_numpy() == 1
        means = np.sqrt(setting.r2) * index + setting.bias * treated
        return means[treated | everybody], float(np.sqrt(1 - setting.r2))
    theirs = np.sqrt(setting.r2) * setting.confounding + setting.bias
    others = setting.comparison if everybody else 0
    return np.repeat([theirs, 0.0], [setting.treated, others]), 1.0


# ---------------------------------------------------------------- people


def people(setting: Setting, random: np.random.Generator) -> Drawn:
    """People with covariates, in clusters or not, some of them lost.

    Parameters
    ----------
    setting : Setting
        The world.
    random : Generator
        The draw's own.

    Returns
    -------
    Drawn
        Columns person, treated, x1 ... (or the real covariates), cluster where there are clusters.
    """
    frame, index = _who(setting, random)
    treated = frame["treated"].to_numpy(dtype=float)
    noise = _clustered(frame, setting, 1 - setting.r2, random)
    behind = np.sqrt(setting.r2) * index + noise + setting.bias * treated
    cut = stats.norm.ppf(setting.base_rate) if setting.yes_or_no else 0.0
    plain = behind + cut if setting.yes_or_no else setting.mean + setting.sd * behind
    kept = random.uniform(size=len(frame)) >= np.where(treated == 1, *setting.attrition)
    return Drawn(frame[kept].reset_index(drop=True), plain[kept], treated[kept] == 1)


def _who(setting: Setting, random: np.random.Generator) -> tuple[pd.DataFrame, Array]:
    """The people and what their covariates come to: mean 0 in the comparison, SD 1 within arms."""
    if setting.people is not None:
        return setting.people, _index_of(setting.people, setting)
    treated = np.repeat([1.0, 0.0], [setting.treated, setting.comparison])
    frame = pd.DataFrame({"person": np.arange(len(treated)), "treated": treated})
    if setting.clusters is not None:
        frame["cluster"] = _cluster_ids(setting)
    if not setting.covariates:
        return frame, np.zeros(len(frame))
    weights = np.full(setting.covariates, 1 / np.sqrt(setting.covariates))
    x = random.standard_normal((len(frame), setting.covariates)) + np.outer(treated * setting.confounding, weights)
    named = pd.DataFrame(x, columns=[f"x{place + 1}" for place in range(setting.covariates)])
    return pd.concat([frame, named], axis=1), x @ weights


def _cluster_ids(setting: Setting) -> Array:
    """Clusters of about equal size; of one arm each, or shared by both."""
    mine, theirs = setting.clusters or (1, 1)
    shared = setting.assigned == "people"
    first = np.arange(setting.treated) % mine
    second = np.arange(setting.comparison) % (mine if shared else theirs)
    return np.concatenate([first, second + (0 if shared else mine)])


def _index_of(known: pd.DataFrame, setting: Setting) -> Array:
    """What real covariates come to: each turned the way in which the treated have more of it, all counted alike."""
    names = [name for name in known if name not in ("person", "treated", "cluster")]
    if not names:
        return np.zeros(len(known))
    x = encode(known[names])[0].to_numpy(dtype=float)
    treated = known["treated"].to_numpy() == 1
    gap = x[treated].mean(axis=0) - x[~treated].mean(axis=0)
    spread = np.sqrt((x[treated].var(axis=0) + x[~treated].var(axis=0)) / 2)
    turned = np.divide(x * np.where(gap < 0, -1, 1), spread, out=np.zeros_like(x), where=spread > 0).sum(axis=1)
    within = np.sqrt((turned[treated].var() + turned[~treated].var()) / 2)
    return (turned - turned[~treated].mean()) / within if within > 0 else np.zeros(len(known))


def _clustered(frame: pd.DataFrame, setting: Setting, left: float, random: np.random.Generator) -> Array:
    """Noise of variance ``left``, of which icc is shared by a cluster."""
    own = random.standard_normal(len(frame))
    if "cluster" not in frame:
        return np.sqrt(left) * own
    codes = np.unique(frame["cluster"].astype(str), return_inverse=True)[1]
    shared = random.standard_normal(int(codes.max()) + 1)[codes]
    return np.sqrt(setting.icc) * shared + np.sqrt(max(left - setting.icc, 0.0)) * own


# ---------------------------------------------------------------- people twice, panels, cut-offs, series


def people_twice(setting: Setting, random: np.random.Generator) -> Drawn:
    """People read before and after; a yes or no is drawn as a number of the same spread.

    Parameters
    ----------
    setting : Setting
        ``unmeasured`` is how far the treated would have drifted away by themselves.
    random : Generator
        The draw's own.

    Returns
    -------
    Drawn
        Two rows a person: person, treated, time, cluster where there are clusters.
    """
    frame, _ = _who(setting, random)
    treated = frame["treated"].to_numpy(dtype=float)
    own = np.sqrt(setting.correlation) * random.standard_normal(len(frame)) + setting.confounding * treated
    readings = [own + _clustered(frame, setting, 1 - setting.correlation, random) for _ in range(2)]
    readings[1] = readings[1] + setting.bias * treated
    kept = random.uniform(size=len(frame)) >= np.where(treated == 1, *setting.attrition)
    both = pd.concat([frame.assign(time=0), frame.assign(time=1)], ignore_index=True)
    rows = np.tile(kept, 2)
    plain = setting.mean + setting.sd * np.concatenate(readings)
    reached = (both["treated"] == 1) & (both["time"] == 1)
    return Drawn(both[rows].reset_index(drop=True), plain[rows], reached.to_numpy()[rows])


def panel(setting: Setting, random: np.random.Generator) -> Drawn:
    """Units over time: levels of their own, times shared by all, noise; half of the treated may start later.

    Parameters
    ----------
    setting : Setting
        ``unmeasured`` is how far the treated drift away by themselves, once the programme has begun.
    random : Generator
        The draw's own.

    Returns
    -------
    Drawn
        unit, time, treated (1 from the start on), first_treated (0: never).
    """
    units = setting.treated + setting.comparison
    later = setting.before + max((setting.periods - setting.before) // 2, 1)
    start = np.zeros(units, dtype=int)
    start[: setting.treated] = setting.before + 1
    if setting.staggered and setting.treated >= 4:
        start[: setting.treated // 2] = min(later, setting.periods - 1) + 1
    unit, time = np.repeat(np.arange(units), setting.periods), np.tile(np.arange(1, setting.periods + 1), units)
    level = np.sqrt(setting.correlation) * random.standard_normal(units)
    shared = 0.5 * random.standard_normal(setting.periods)
    noise = np.sqrt(1 - setting.correlation) * random.standard_normal(len(unit))
    first = start[unit]
    reached = (first > 0) & (time >= first)
    plain = setting.mean + setting.sd * (level[unit] + shared[time - 1] + noise + setting.bias * reached)
    names = np.char.add("u", np.char.zfill(unit.astype(str), 5))
    table = {"unit": names, "time": time, "treated": reached.astype(int), "first_treated": first}
    return Drawn(pd.DataFrame(table), plain, reached)


def running(setting: Setting, random: np.random.Generator) -> Drawn:
    """People on both sides of a cut-off at 0.

    Parameters
    ----------
    setting : Setting
        ``r2`` is what the running number explains.
    random : Generator
        The draw's own.

    Returns
    -------
    Drawn
        person, running.
    """
    sides = [random.uniform(0, 1, setting.treated), -random.uniform(0, 1, setting.comparison)]
    number = np.concatenate(sides)
    noise = np.sqrt(1 - setting.r2) * random.standard_normal(len(number))
    plain = setting.mean + setting.sd * (np.sqrt(3 * setting.r2) * number + noise)
    frame = pd.DataFrame({"person": np.arange(len(number)), "running": number})
    return Drawn(frame, plain, number >= 0)


def series(setting: Setting, random: np.random.Generator) -> Drawn:
    """One series before and after, with noise around a level.

    Parameters
    ----------
    setting : Setting
        ``comparison`` times before, ``treated`` times after.
    random : Generator
        The draw's own.

    Returns
    -------
    Drawn
        time, treated.
    """
    time = np.arange(1, setting.comparison + setting.treated + 1)
    after = time > setting.comparison
    plain = setting.mean + setting.sd * (random.standard_normal(len(time)) + setting.bias * after)
    return Drawn(pd.DataFrame({"time": time, "treated": after.astype(int)}), plain, after)


DRAW: dict[str, Callable[[Setting, np.random.Generator], Drawn]] = {
    "people": people,
    "people twice": people_twice,
    "panel": panel,
    "running": running,
    "series": series,
}


def arguments(data: str, needs: tuple[str, ...], drawn: Drawn, adjusts: bool) -> dict[str, Any]:
    """Which column is which, for `estimate`.

    Parameters
    ----------
    data : str
        The estimator's kind of data.
    needs : tuple of str
        Columns it needs.
    drawn : Drawn
        One data set.
    adjusts : bool
        Whether it uses covariates.

    Returns
    -------
    dict
        outcome, treated, covariates, person, cluster, time, unit, first_treated, running as far as they are there.
    """
    there = drawn.frame.columns
    told: dict[str, Any] = {"outcome": "outcome"}
    told |= {name: name for name in ("treated", "person", "cluster", "time", "unit") if name in there}
    told |= {name: name for name in needs if name in there}
    if data in ("people", "people twice") and adjusts:
        aside = {"person", "treated", "cluster", "time"}
        told["covariates"] = [name for name in there if name not in aside] if data == "people" else []
    if "first_treated" in needs:
        told.pop("treated", None)
    return told
