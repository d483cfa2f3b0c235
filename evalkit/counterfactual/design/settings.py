"""What a design is tried on: how many people, what spread, what is shared, what is lost, when the contract pays."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from evalkit.counterfactual.registry import Entry
from evalkit.errors import EstimationError, did_you_mean, several

WORLDS = ("people", "people twice", "panel", "running", "series")
INSTEAD = {
    "rates": 'Its sizes are those of two groups of people: try estimator = "difference".',
    "history": 'Its sizes are those of people now and people before: try estimator = "difference" for its sampling '
    "error alone; nothing simulated can say whether the times changed.",
}
CONFOUNDED = 0.3


@dataclass(frozen=True, eq=False)
class Setting:
    """A world for one design.

    Parameters
    ----------
    treated, comparison : int
        People with and without the programme; for a panel units; for a series times after and before.
    clusters : (int, int) or None
        Clusters of the treated and of the comparison.
    assigned : {"clusters", "people"}
        Whether whole clusters are in one arm, or both arms are in each cluster (then the first number counts).
    icc : float
        Share of the spread that lies between clusters.
    mean, sd : float
        Of the outcome without the programme, within the comparison.
    base_rate : float
        Share of yes in the comparison, for "yes or no".
    r2 : float
        Share of the spread that the covariates explain.
    covariates : int
        How many there are.
    confounding : float
        How far the arms start apart on what the covariates explain, in SD of it.
    unmeasured : float
        Bias from causes that nobody recorded, in SD of the outcome (of what lies behind a yes), above 0 where it makes
        the programme look better; for two readings and panels how far the treated would have drifted by themselves.
    attrition : (float, float)
        Share of each arm that is lost at random.
    correlation : float
        Between the readings of one person or unit.
    periods, before : int
        Times of a panel, and those before the programme.
    staggered : bool
        Whether half of a panel's treated units start later.
    values : {"score", "amount", "yes or no"}
        What the outcome is.
    better : {"higher", "lower"}
        Which way is good.
    threshold : float or None
        The effect, towards better, from which the contract pays.
    threshold_is : {"effect", "relative"}
        In the outcome's unit, or as a share of the level without the programme.
    power, level : float
        The power wanted, and the confidence level.
    people : DataFrame or None
        Real people without outcomes: "treated", "cluster" where there are clusters, and the covariates.
    """

    treated: int
    comparison: int
    clusters: tuple[int, int] | None = None
    assigned: str = "clusters"
    icc: float = 0.0
    mean: float = 0.0
    sd: float = 1.0
    base_rate: float = 0.5
    r2: float = 0.3
    covariates: int = 3
    confounding: float = 0.0
    unmeasured: float = 0.0
    attrition: tuple[float, float] = (0.0, 0.0)
    correlation: float = 0.5
    periods: int = 10
    before: int = 5
    staggered: bool = False
    values: str = "score"
    better: str = "higher"
    threshold: float | None = None
    threshold_is: str = "effect"
    power: float = 0.8
    level: float = 0.95
    people: pd.DataFrame | None = None

    @property
    def sign(self) -> float:
        """1 where more is better, -1 where less is."""
        return 1.0 if self.better == "higher" else -1.0

    @property
    def bias(self) -> float:
        """What causes that nobody recorded add to the outcome of the treated, in SD of it."""
        return self.sign * self.unmeasured

    @property
    def yes_or_no(self) -> bool:
        """Whether the outcome is."""
        return self.values == "yes or no"


FIELDS = tuple(field.name for field in dataclasses.fields(Setting))


def check_can_be_drawn(entry: Entry) -> None:
    """Data of this kind can be invented.

    Parameters
    ----------
    entry : Entry
        The estimator.

    Raises
    ------
    EstimationError
        They cannot, and what to try instead.
    """
    if entry.data not in WORLDS:
        raise EstimationError(
            f'the design of estimator "{entry.name}" cannot be tried on invented data. {INSTEAD.get(entry.data, "")}'
        )


def setting_for(entry: Entry, given: dict[str, Any]) -> Setting:
    """Check what was given and fill in the rest.

    Parameters
    ----------
    entry : Entry
        The estimator.
    given : dict
        Fields of `Setting`; None means its default. ``clusters`` may be one number for both arms together,
        ``attrition`` one share for both.

    Returns
    -------
    Setting
        Complete.

    Raises
    ------
    EstimationError
        The estimator's kind of data cannot be drawn, or a number cannot be; all problems at once.
    """
    check_can_be_drawn(entry)
    told = {name: value for name, value in given.items() if value is not None}
    chance = entry.assumes == "random assignment" or entry.data not in ("people", "people twice")
    told.setdefault("confounding", 0.0 if chance else CONFOUNDED)
    told.setdefault("staggered", "first_treated" in entry.needs)
    told["clusters"] = _clusters(told)
    lost = told.get("attrition", 0.0)
    told["attrition"] = tuple(lost) if isinstance(lost, list | tuple) else (lost, lost)
    setting = Setting(**told)
    if problems := _problems(setting, entry):
        raise EstimationError(several("the design", problems))
    return setting


def _clusters(told: dict[str, Any]) -> tuple[int, int] | None:
    """Clusters by arm; one number is shared out as people are."""
    clusters = told.get("clusters")
    if clusters is None or isinstance(clusters, list | tuple):
        return None if clusters is None else (int(clusters[0]), int(clusters[1]))
    if told.get("assigned") == "people":
        return int(clusters), int(clusters)
    share = told["treated"] / max(told["treated"] + told["comparison"], 1)
    mine = min(max(round(clusters * share), 1), int(clusters) - 1)
    return mine, int(clusters) - mine


def _problems(setting: Setting, entry: Entry) -> list[str]:
    """Everything that cannot be."""
    found = []
    shares = {"icc": setting.icc, "r2": setting.r2, "correlation": setting.correlation}
    shares |= {"attrition": max(setting.attrition), "attrition (the other arm)": min(setting.attrition)}
    found += [
        f"{name} = {value} must be at least 0 and below 1." for name, value in shares.items() if not 0 <= value < 1
    ]
    if setting.icc + setting.r2 > 1:
        found.append(f"icc = {setting.icc} and r2 = {setting.r2} are shares of one spread and come to more than 1.")
    if setting.yes_or_no and not 0 < setting.base_rate < 1:
        found.append(f"base_rate = {setting.base_rate} must lie between 0 and 1, such as 0.3.")
    if not (setting.sd > 0 and math.isfinite(setting.sd)):
        found.append(f"sd = {setting.sd} must be above 0.")
    for name, least in (("treated", 1 if entry.data == "panel" else 2), ("comparison", 2)):
        if getattr(setting, name) < least:
            found.append(f"{name} = {getattr(setting, name)} is too few. Give at least {least}.")
    if setting.clusters is not None and min(setting.clusters) < 1:
        found.append(f"clusters = {list(setting.clusters)}: each arm needs one at least.")
    if entry.data == "panel" and not 2 <= setting.before < setting.periods:
        found.append(f"before = {setting.before} must be at least 2 and below periods = {setting.periods}.")
    words = {"values": ("score", "amount", "yes or no"), "better": ("higher", "lower")}
    words |= {"threshold_is": ("effect", "relative"), "assigned": ("clusters", "people")}
    for name, allowed in words.items():
        if getattr(setting, name) not in allowed:
            found.append(
                f'{name} = "{getattr(setting, name)}" is not known. {did_you_mean(getattr(setting, name), allowed)}'
            )
    if entry.data == "series" and setting.mean <= 0:
        found.append("a series needs its level without the programme: mean = ..., above 0; sd is the spread around it.")
    relative = setting.threshold is not None and setting.threshold_is == "relative"
    if relative and not setting.yes_or_no and setting.mean <= 0:
        found.append("a relative threshold needs the level without the programme: mean = ..., above 0.")
    return found
