"""Worlds with a known effect for areas over time and for a cutoff: for tests, benchmarks and planning a design."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from evalkit.errors import StudyError, several

WARM_UP = 20  # times drawn and thrown away, so that each unit's errors do not begin at nought


def staggered_panel(
    units: int = 200,
    periods: int = 6,
    effect: float = 2.0,
    seed: int = 1,
    cohorts: Sequence[int] = (3, 4, 5),
    never: float | None = None,
    growth: float = 0.0,
    persistence: float = 0.3,
) -> pd.DataFrame:
    """Draw units that start treatment at different times and would have moved in parallel without it.

    Each unit has a level of its own, each time a shock that all share, and errors that remember the time before; levels
    differ between cohorts, so that only changes can be compared.

    Parameters
    ----------
    units, periods : int
        Units, and times from 1 on.
    effect : float
        What treatment adds at the time it begins.
    seed : int
        The same seed draws the same table.
    cohorts : sequence of int
        The times at which treatment begins; units are dealt to them evenly.
    never : float, optional
        Share of units that are never treated; default: as many as in one cohort.
    growth : float
        What each further time of treatment adds to the effect.
    persistence : float
        Correlation of a unit's errors from one time to the next.

    Returns
    -------
    DataFrame, shape (units * periods, 6)
        unit, time, first_treated (0 for never), x (of the unit, standard normal, of no consequence for trends), y, and
        true_effect: what treatment added to this y.

    Raises
    ------
    StudyError
        The sizes leave a cohort, or the comparison, without units.
    """
    random = np.random.default_rng([seed, 31])
    first = _first_treated(random, units, periods, cohorts, never)
    level = random.normal(10, 2, units) + 0.3 * first
    shared = random.normal(0, 1, periods).cumsum()
    x = random.normal(size=units)
    errors = _remembering(random, units, periods, persistence)
    time = np.arange(1, periods + 1)
    since = time[None, :] - first[:, None]
    added = np.where((first[:, None] > 0) & (since >= 0), effect + growth * since, 0.0)
    y = level[:, None] + shared[None, :] + 0.5 * x[:, None] + errors + added
    return pd.DataFrame(
        {
            "unit": np.repeat([f"u{i:04d}" for i in range(units)], periods),
            "time": np.tile(time, units),
            "first_treated": np.repeat(first, periods),
            "x": np.repeat(x, periods),
            "y": y.ravel(),
            "true_effect": added.ravel(),
        }
    )


def discontinuity_world(
    people: int = 1000,
    effect: float = 2.0,
    seed: int = 1,
    cutoff: float = 0.0,
    takeup: tuple[float, float] = (0.0, 1.0),
    side: str = "above",
) -> pd.DataFrame:
    """Draw people of whom a number decides who is offered the programme.

    Parameters
    ----------
    people : int
        How many.
    effect : float
        What treatment adds to the outcome.
    seed : int
        The same seed draws the same table.
    cutoff : float
        Where the offer begins.
    takeup : (float, float)
        Chance of being treated without and with the offer; (0, 1) is a sharp cutoff.
    side : {"above", "below"}
        Who gets the offer; a number equal to the cutoff counts as above.

    Returns
    -------
    DataFrame, shape (people, 5)
        person, score (the number that decides), treated (0 or 1), x (a covariate that does not jump), y.

    Raises
    ------
    StudyError
        Too few people, or chances outside 0 to 1.
    """
    problems = [] if people >= 50 else [f"people = {people} is too few. Give at least 50."]
    if not all(0 <= chance <= 1 for chance in takeup):
        problems.append(f"takeup = {takeup} must be two chances from 0 to 1.")
    if problems:
        raise StudyError(several("the discontinuity world", problems))
    random = np.random.default_rng([seed, 37])
    away = 2 * random.beta(2, 4, people) - 0.65
    offered = away >= 0 if side == "above" else away < 0
    treated = (random.uniform(size=people) < np.where(offered, takeup[1], takeup[0])).astype(int)
    x = 0.5 * away + random.normal(size=people)
    y = 10 + 3 * away - 2 * away**2 + 0.5 * x + effect * treated + random.normal(size=people)
    ids = [f"p{i:05d}" for i in range(people)]
    return pd.DataFrame({"person": ids, "score": cutoff + away, "treated": treated, "x": x, "y": y})


def _first_treated(
    random: np.random.Generator, units: int, periods: int, cohorts: Sequence[int], never: float | None
) -> np.ndarray:
    """When each unit is first treated, dealt as evenly as may be, in random order."""
    alone = round(units / (len(cohorts) + 1)) if never is None else round(units * never)
    problems = [f"cohort {one} lies outside the times 2 to {periods}." for one in cohorts if not 2 <= one <= periods]
    if units - alone < len(cohorts) or not cohorts:
        problems.append(f"{units} units are too few for {len(cohorts)} cohorts. Give more units or fewer cohorts.")
    if problems:
        raise StudyError(several("the staggered panel", problems))
    dealt = np.resize(np.asarray(cohorts), units - alone)
    return random.permutation(np.concatenate([np.zeros(alone, int), dealt]))


def _remembering(random: np.random.Generator, units: int, periods: int, persistence: float) -> np.ndarray:
    """Errors of variance 1 that follow a first-order autoregression, shape (units, periods)."""
    fresh = random.normal(0, np.sqrt(1 - persistence**2), (units, periods + WARM_UP))
    for t in range(1, fresh.shape[1]):
        fresh[:, t] += persistence * fresh[:, t - 1]
    return fresh[:, WARM_UP:]
