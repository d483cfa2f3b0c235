"""Offences as a process: few, more of them where there is more trouble, and none the fewer for therapy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

Array = np.ndarray
FIRST, LAST = -365, 730  # days after referral that the records reach back and forth
YEAR = 365


@dataclass(frozen=True, eq=False)
class Offences:
    """Proven offences, the same with and without the programme.

    Parameters
    ----------
    person : ndarray of int, shape (offences,)
        Position of who committed it.
    day : ndarray of int, shape (offences,)
        Days after referral.
    severity : ndarray of int, shape (offences,)
        1 to 5.
    """

    person: Array
    day: Array
    severity: Array

    def any_within_a_year(self, people: int) -> Array:
        """Who committed at least one in the year after referral.

        Parameters
        ----------
        people : int
            How many people there are.

        Returns
        -------
        ndarray of int, shape (people,)
            0 or 1.
        """
        here = (self.day >= 0) & (self.day < YEAR)
        return (np.bincount(self.person[here], minlength=people) > 0).astype(int)


def offend(record: pd.DataFrame, problems: Array, team: Array, rng: np.random.Generator) -> Offences:
    """Draw offences from a year before referral to two years after it.

    There are more with trouble and age, by boys, and by some more than by others.

    Parameters
    ----------
    record : DataFrame
        ``age`` and ``female`` of each person.
    problems, team : ndarray, shape (people,)
        Latent difficulties, and what is true of the person's team, in log offences a year.
    rng : Generator
        Source of chance.

    Returns
    -------
    Offences
        In the order of people.
    """
    own = 0.6 * rng.standard_normal(len(record)) + team
    known = 0.35 * problems + 0.1 * (record["age"].to_numpy() - 14) - 0.5 * record["female"].to_numpy()
    rate = np.exp(np.log(0.16) + known + own)
    count = rng.poisson(rate * (LAST - FIRST) / YEAR)
    person = np.repeat(np.arange(len(record)), count)
    day = rng.integers(FIRST, LAST, size=len(person))
    return Offences(person, day, 1 + rng.binomial(4, 0.2, size=len(person)))
