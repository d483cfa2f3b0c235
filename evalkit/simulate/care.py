"""Time in care as a process: first entry, stay, time at home, entry again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Array = np.ndarray
SPELLS = 4


@dataclass(frozen=True)
class CareChance:
    """The chance behind a person's spells, the same with and without the programme.

    Parameters
    ----------
    entry, stay, home : ndarray, shape (people, SPELLS)
        Standard exponential: time to entry, length of stay, time at home before the next entry.
    """

    entry: Array
    stay: Array
    home: Array


def care_chance(people: int, rng: np.random.Generator) -> CareChance:
    """Draw the chance behind everyone's spells.

    Parameters
    ----------
    people : int
        Number of people.
    rng : Generator
        Source of chance.

    Returns
    -------
    CareChance
        Three blocks of standard exponentials.
    """
    return CareChance(*(rng.standard_exponential((people, SPELLS)) for _ in range(3)))


def spells(rate: Array, mean_stay: Array, chance: CareChance) -> tuple[Array, Array]:
    """Start and end of each spell in days after referral.

    Parameters
    ----------
    rate : ndarray, shape (people,)
        Entries per day at home.
    mean_stay : ndarray, shape (people,)
        Mean days of a stay beyond the first fortnight.
    chance : CareChance
        From `care_chance`.

    Returns
    -------
    starts, ends : ndarray of int, shape (people, SPELLS)
        Whole days; the first start is day 1 at the earliest, and the end is the first day at home again.
    """
    wait = 1 + np.floor(chance.entry / rate[:, None]).astype(int)
    stay = 14 + np.floor(chance.stay * mean_stay[:, None]).astype(int)
    home = 7 + np.floor(30 * chance.home).astype(int)
    home[:, 0] = 0
    before = np.cumsum(stay, axis=1) - stay
    starts = np.cumsum(wait + home, axis=1) + before
    return starts, starts + stay


def days_within(starts: Array, ends: Array, window: int) -> Array:
    """Days in care from referral to the end of a window, half open.

    Parameters
    ----------
    starts, ends : ndarray of int, shape (people, SPELLS)
        From `spells`.
    window : int
        Days.

    Returns
    -------
    ndarray of int, shape (people,)
        0 to `window`.
    """
    return np.clip(np.minimum(ends, window) - starts, 0, None).sum(axis=1)
