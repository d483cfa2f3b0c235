"""School as a process: terms around the referral, half-days possible, half-days missed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

Array = np.ndarray
TERMS_BEFORE, TERMS_AFTER = 3, 5
SCHOOL_YEAR = 365
_LEAVES_AT = 16
# First days of autumn, spring and summer term (the next weekday), and their half-days: invented, 190 days a year.
_FIRST_DAYS, _HALF_DAYS = ("09-03", "01-06", "04-20"), (146, 114, 120)
_YEARS = range(2014, 2024)


@dataclass(frozen=True, eq=False)
class School:
    """Terms of everyone, the last three before the referral and the first five after it.

    Parameters
    ----------
    opens : ndarray of datetime64[D], shape (people, 8)
        First day of the term.
    day : ndarray of int, shape (people, 8)
        The same in days after referral.
    possible : ndarray of int, shape (people, 8)
        Half-days of the term; 0 for who has left school.
    missed : dict
        arm 0 or 1 to half-days missed, shape (people, 8).
    """

    opens: Array
    day: Array
    possible: Array
    missed: dict[int, Array]

    def share_attended(self, arm: int) -> Array:
        """Share of the half-days of the year after referral that were attended.

        Parameters
        ----------
        arm : int
            0 without therapy, 1 with it.

        Returns
        -------
        ndarray of float, shape (people,)
            0 to 1, NaN where no term of that year was one of school age.
        """
        return share_attended(self.day, self.possible, self.missed[arm])


def share_attended(day: Array, possible: Array, missed: Array) -> Array:
    """Share of half-days attended in the terms that begin within a year after referral.

    Parameters
    ----------
    day, possible, missed : ndarray of int, shape (people, terms)
        First day of the term after referral, half-days possible and missed.

    Returns
    -------
    ndarray of float, shape (people,)
        NaN where none was possible.
    """
    within = (day >= 0) & (day < SCHOOL_YEAR)
    most = (possible * within).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(most > 0, 1 - (missed * within).sum(axis=1) / most, np.nan)


def attend(record: pd.DataFrame, problems: Array, team: Array, effect: float, rng: np.random.Generator) -> School:
    """Draw everyone's terms, without and with therapy by the same chance.

    More is missed with age and trouble, and by some more than by others.

    Parameters
    ----------
    record : DataFrame
        ``referred_on``, ``born`` and ``age`` of each person.
    problems, team : ndarray, shape (people,)
        Latent difficulties, and what is true of the person's team, in log odds.
    effect : float
        Change of the log odds of missing a half-day under therapy, from the first term after referral on.
    rng : Generator
        Source of chance.

    Returns
    -------
    School
        Eight terms a person.
    """
    referred, born = (record[name].to_numpy().astype("datetime64[D]") for name in ("referred_on", "born"))
    own = 0.7 * rng.standard_normal(len(record)) + team
    odds = -1.9 + 0.35 * problems + 0.12 * (record["age"].to_numpy() - 14) + own
    starts, lengths = _calendar()
    number = np.searchsorted(starts, referred)[:, None] + np.arange(-TERMS_BEFORE, TERMS_AFTER)
    opens = starts[number]
    possible = np.where(opens < _leaves(born)[:, None], lengths[number], 0)
    passing = 0.45 * rng.standard_normal(opens.shape)
    chance = rng.random(opens.shape)
    helped = effect * (np.arange(opens.shape[1]) >= TERMS_BEFORE)
    missed = {
        arm: np.floor(possible / (1 + np.exp(-(odds[:, None] + passing + arm * helped))) + chance).astype(int)
        for arm in (0, 1)
    }
    return School(opens, (opens - referred[:, None]).astype(int), possible, missed)


def _calendar() -> tuple[Array, Array]:
    days = [f"{year}-{day}" for year in _YEARS for day in _FIRST_DAYS]
    lengths = np.tile(_HALF_DAYS, len(_YEARS))
    order = np.argsort(days)
    opens = np.busday_offset(np.array(days, "datetime64[D]")[order], 0, roll="forward")
    return opens, lengths[order]


def _leaves(born: Array) -> Array:
    """1 September after the school year in which a person turns 16."""
    month = born.astype("datetime64[M]").astype(int)
    year, of_year = month // 12 + _LEAVES_AT + 1970, month % 12
    summer = np.where(of_year >= 8, year + 1, year)
    return (12 * (summer - 1970) + 8).astype("datetime64[M]").astype("datetime64[D]")
