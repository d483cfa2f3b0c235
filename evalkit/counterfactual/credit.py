"""What others did and what others lost: attribution to partners, and outcomes moved from elsewhere."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from evalkit import words
from evalkit.counterfactual.deadweights import fieller
from evalkit.counterfactual.nouns import Estimate
from evalkit.errors import EstimationError, Flag, several

NOBODY = Flag(
    "counterfactual",
    "caution",
    "Attribution is counted as 0: nobody else is named who served the treated alone.",
    "What others gave to both arms the effect has netted already.",
)


@dataclass(frozen=True)
class Attribution:
    """The share of the effect that others brought about who served the treated alone.

    Parameters
    ----------
    value : float
        Their shares together.
    partners : dict of str to float
        Name to share.
    flags : tuple of Flag
        What must be said.
    """

    value: float
    partners: dict[str, float]
    flags: tuple[Flag, ...]


@dataclass(frozen=True)
class Displacement:
    """The share of what was gained that others lost.

    Parameters
    ----------
    value : float
        Below 0 where others gained too; above 1 where they lost more than was gained.
    low, high : float
        Its interval; infinite where it has no bound.
    method : str
        How it was made.
    flags : tuple of Flag
        What must be said.
    """

    value: float
    low: float
    high: float
    method: str
    flags: tuple[Flag, ...]


def attribution(partners: Mapping[str, float] | None = None, source: str = "") -> Attribution:
    """Name the partners who served the treated alone, with their shares of the effect.

    Against a comparison with usual services the effect already nets what others give both arms. What is left to share
    is the work of partners whom only the treated had.

    Parameters
    ----------
    partners : dict of str to float, optional
        Name to share of the effect, between 0 and 1. None named: 0, with a flag.
    source : str
        Where the shares come from.

    Returns
    -------
    Attribution
        The sum of the shares.

    Raises
    ------
    EstimationError
        A share is not between 0 and 1, a partner has no name, or together they are more than all of it.

    Examples
    --------
    >>> attribution().value
    0.0
    >>> found = attribution({"school mentors": 0.1, "housing charity": 0.15}, source="partners' workshop, 2024")
    >>> found.value
    0.25
    >>> found.flags[0].text
    '25.0% of the effect is attributed to school mentors and housing charity, who served the treated alone.'
    """
    given = dict(partners or {})
    if not given:
        return Attribution(0.0, {}, (NOBODY,))
    problems = [
        f'"{name}": a share lies between 0 and 1, not {share}.' for name, share in given.items() if not 0 <= share <= 1
    ]
    problems += ["a partner has no name." for name in given if not str(name).strip()]
    total = float(sum(given.values()))
    if not problems and total > 1 + 1e-12:
        problems.append(f"the shares add up to {total:g}, more than all of the effect.")
    if problems:
        raise EstimationError(several("attribution", problems))
    who = words.listed(list(given))
    text = f"{words.percent(total)} of the effect is attributed to {who}, who served the treated alone."
    told = f"Source: {source}." if source else "No source is named for the shares."
    return Attribution(total, given, (Flag("counterfactual", "note" if source else "caution", text, told),))


def displacement_of(
    on_others: Estimate, gained: Estimate, *, others: float | None = None, treated: float | None = None
) -> Displacement:
    """What others lost for every unit that the treated gained.

    Parameters
    ----------
    on_others : Estimate
        The effect on people who were not served but could be touched (other pupils, other job seekers, neighbouring
        areas), in the same outcome and unit, per person.
    gained : Estimate
        The effect on the treated, per person.
    others, treated : float, optional
        How many people each effect is on; default: the treated of each estimate.

    Returns
    -------
    Displacement
        Minus the others' total over the treated's total, with Fieller's interval; people in both estimates are
        counted once.

    Raises
    ------
    EstimationError
        The estimates are ratios, at different levels, or the treated gained nothing to be displaced.

    Examples
    --------
    80 served found 0.25 more jobs each: 20 jobs. Among 200 other job seekers at the same firms there were 0.02 fewer
    each: 4 jobs. A fifth of the jobs was moved from them.

    >>> from evalkit.counterfactual import estimate
    >>> served = pd.DataFrame({"arm": [1] * 80 + [0] * 80, "job": [1] * 60 + [0] * 20 + [1] * 40 + [0] * 40})
    >>> beside = pd.DataFrame({"arm": [1] * 200 + [0] * 200, "job": [1] * 96 + [0] * 104 + [1] * 100 + [0] * 100})
    >>> on_served = estimate(served, "difference", outcome="job", treated="arm")
    >>> on_others = estimate(beside, "difference", outcome="job", treated="arm")
    >>> found = displacement_of(on_others, on_served)
    >>> round(found.value, 4), round(found.low, 2), round(found.high, 2)
    (0.2, -0.93, 1.54)

    References
    ----------
    Fieller (1954), JRSS B 16, 175-185.
    """
    _check(on_others, gained)
    sizes = [
        float(one.n_treated if given is None else given) for one, given in ((on_others, others), (gained, treated))
    ]
    lost, won = -on_others.effect * sizes[0], gained.effect * sizes[1]
    if won == 0 or not math.isfinite(won):
        raise EstimationError("the treated gained nothing, so there is no share of it that others could have lost.")
    says = "others' loss / the treated's gain"
    flags = (_touched(lost / won), *_shared(on_others, gained))
    if not (math.isfinite(on_others.se) and math.isfinite(gained.se)):
        return Displacement(lost / won, math.nan, math.nan, f"{says}; sampling error unknown", flags)
    covariance = _covariance(on_others, gained, sizes)
    df = min(df for df in (on_others.df, gained.df, math.inf) if not math.isnan(df))
    critical = float(stats.t.ppf(0.5 + gained.level / 2, df))
    sign = math.copysign(1.0, won)
    low, high = fieller(sign * lost, sign * won, covariance, critical)
    bounded = "Fieller's interval" if math.isfinite(low) else "Fieller's interval, not bounded"
    return Displacement(lost / won, low, high, f"{says}; {bounded}", flags)


def _check(on_others: Estimate, gained: Estimate) -> None:
    """Two differences at one level."""
    problems = []
    if "ratio" in (on_others.scale, gained.scale):
        problems.append("a ratio is no number of outcomes: estimate both effects as differences.")
    if on_others.level != gained.level:
        problems.append(f"the estimates are at different levels ({on_others.level} and {gained.level}).")
    if problems:
        raise EstimationError(several("displacement", problems))


def _covariance(on_others: Estimate, gained: Estimate, sizes: list[float]) -> np.ndarray:
    """Of the others' loss and the treated's gain; people in both are found by their ids, where both have them."""
    both, tables = 0.0, [one.influence for one in (on_others, gained) if one.influence is not None]
    if len(tables) == 2 and all(_named(table) for table in tables):
        pair = pd.concat([table["effect"] for table in tables], axis=1, join="inner")
        both = -float(pair.prod(axis=1).sum()) * sizes[0] * sizes[1]
    return np.array([[(on_others.se * sizes[0]) ** 2, both], [both, (gained.se * sizes[1]) ** 2]])


def _named(influence: pd.DataFrame) -> bool:
    """Whether rows are known by an id; numbers of rows of two tables are nobody's name."""
    return not influence.index.astype(str).str.startswith("row ").all()


def _touched(value: float) -> Flag:
    """What the number takes for granted."""
    text = "Displacement is estimated from an effect on others: it counts only those who were looked at."
    told = "Others gained as well." if value < 0 else "Whoever else may have lost is not in it."
    return Flag("counterfactual", "note", text, told)


def _shared(on_others: Estimate, gained: Estimate) -> tuple[Flag, ...]:
    """Clusters that hold people of both estimates."""
    if on_others.n_clusters is None and gained.n_clusters is None:
        return ()
    text = "Clusters that hold people of both estimates are taken as independent in the interval of the displacement."
    return (Flag("counterfactual", "caution", text),)
