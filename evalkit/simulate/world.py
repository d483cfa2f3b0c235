"""The world "edge of care": family therapy for young people who may otherwise move into care.

Everything in it is invented. Children come in social-work teams, teams in authorities. Who is offered therapy depends
on what the referral panel sees (age, earlier days in care, both questionnaires), so a plain difference misleads and an
adjusted one need not. The programme shortens and prevents spells in care and lifts how young people themselves feel;
it changes nothing that parents tick. Those who had it go to school a little more; it changes nothing in what the
police record.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from evalkit.simulate import forms
from evalkit.simulate import ladder as ladders
from evalkit.simulate.care import care_chance, days_within, spells
from evalkit.simulate.offending import Offences, offend
from evalkit.simulate.school import School, attend

Array = np.ndarray
AUTHORITIES = ("Northmoor", "Eastvale", "Westhaven")
OCCASIONS = {"baseline": 0, "m6": 183, "m12": 365, "m18": 548}
WINDOW = 548
IMPROVED_BY = 5
_CONCERNS = (0.06, 0.12, 0.17)  # cumulated shares: concern in the year before referral, long before it, after it
FIRST_DAY, LAST_DAY = np.datetime64("2016-11-01"), np.datetime64("2020-02-29")
EXTRACTED = np.datetime64("2021-12-31")  # nothing after this day is in any table
# Streams of chance of their own, so that what came later into this world changes nothing of what was there before.
_SCHOOL, _LADDER, _OFFENCES = 77, 78, 79
INCLUDED = (np.datetime64("2017-01-01"), np.datetime64("2019-12-31"))


@dataclass(frozen=True)
class EdgeOfCare:
    """What can be set in this world.

    Parameters
    ----------
    teams : int
        Social-work teams; one in twelve does not offer therapy.
    selection : float
        How strongly the panel chooses by need: 0 is a lottery, 1 as in the demonstration.
    entry_effect : float
        Change of the log rate of entering care under therapy.
    stay_effect : float
        Change of the log length of stay under therapy.
    wellbeing_effect : float
        Change of latent well-being as young people report it, in standard deviations.
    difficulties_effect : float
        Change of latent difficulties as parents report them, in standard deviations.
    attendance_effect : float
        Change of the log odds of missing a half-day of school under therapy.
    team_spread : float
        Standard deviation between teams of what is true of their people, in the units of each outcome's latent score.
    missing : float
        How much is missing: 0 nothing, 1 as in the demonstration.
    truth_people : int
        People drawn to work out the truth.
    """

    teams: int = 36
    selection: float = 1.0
    entry_effect: float = -0.45
    stay_effect: float = -0.2
    wellbeing_effect: float = 0.4
    difficulties_effect: float = 0.0
    attendance_effect: float = -0.25
    team_spread: float = 0.15
    missing: float = 1.0
    truth_people: int = 150_000


@dataclass(frozen=True, eq=False)
class Drawn:
    """Everything that was drawn about some people, potential outcomes included.

    Parameters
    ----------
    record : DataFrame
        One row per person.
    ticked : dict
        (instrument, occasion, arm 0 or 1) to answers, shape (people, items), nothing missing.
    spells : dict
        arm 0 or 1 to (starts, ends).
    ladder : dict
        (occasion, arm 0 or 1) to steps, shape (people, areas): as a worker would rate everyone.
    school : School
        Terms, half-days possible and missed.
    offences : Offences
        The same in both arms.
    """

    record: pd.DataFrame
    ticked: dict[tuple[str, str, int], Array]
    spells: dict[int, tuple[Array, Array]]
    ladder: dict[tuple[str, int], Array]
    school: School
    offences: Offences


def completed_years(born: Array, on: Array) -> Array:
    """Completed birthdays; whoever was born on 29 February turns on 1 March.

    Parameters
    ----------
    born, on : ndarray of datetime64[D]
        Dates.

    Returns
    -------
    ndarray of int
        Age in years.
    """
    years = on.astype("datetime64[Y]").astype(int) - born.astype("datetime64[Y]").astype(int)
    return years - (_month_and_day(on) < _month_and_day(born))


def _month_and_day(date: Array) -> Array:
    month = date.astype("datetime64[M]")
    return month.astype(int) % 12 * 100 + (date - month).astype(int)


def draw_people(
    world: EdgeOfCare, people: int, seed: int, occasions: tuple[str, ...] = tuple(OCCASIONS), teams: int | None = None
) -> Drawn:
    """Draw people with everything that happens to them, in both arms.

    Parameters
    ----------
    world : EdgeOfCare
        The world's settings.
    people : int
        How many.
    seed : int
        Seed of the chance.
    occasions : tuple of str
        Occasions for which questionnaires are drawn.
    teams : int, optional
        Number of teams, where it is not the world's.

    Returns
    -------
    Drawn
        Record, answers, spells, and what others keep.
    """
    rng = np.random.default_rng(seed)
    record, spread = _who(teams or world.teams, people, world.team_spread, rng)
    ticked, latent = _answers(world, record, spread, occasions, rng)
    record["sdq_parent_baseline"] = forms.sdq_total(ticked["sdq_parent", "baseline", 0])
    record["swemwbs_baseline"] = forms.swemwbs_metric(ticked["swemwbs", "baseline", 0])
    record["treated"] = _chosen(world, record, spread, rng)
    in_care = _care(world, record, spread, rng)
    steps = ladders.rate(latent, np.random.default_rng([seed, _LADDER]))
    problems = latent["baseline", 0][0]
    rng = np.random.default_rng([seed, _SCHOOL])
    school = attend(record, problems, _team_share(world, record, rng), world.attendance_effect, rng)
    rng = np.random.default_rng([seed, _OFFENCES])
    offences = offend(record, problems, _team_share(world, record, rng), rng)
    drawn = Drawn(record, ticked, in_care, steps, school, offences)
    return replace(drawn, record=_with_outcomes(drawn))


def _who(teams: int, people: int, spread: float, rng: np.random.Generator) -> tuple[pd.DataFrame, Array]:
    """Who they are, and what is true of their team (one column per latent score)."""
    team = rng.integers(teams, size=people)
    trait = rng.standard_normal(people)
    span = (LAST_DAY - FIRST_DAY).astype(int) + 1
    referred = FIRST_DAY + rng.integers(span, size=people)
    years = 10.2 + 8.2 * rng.beta(2.4, 2.0, size=people)
    born = referred - np.floor(years * 365.2425).astype(int)
    been_in_care = rng.random(people) < 1 / (1 + np.exp(0.6 + 0.4 * trait))
    earlier = np.clip(np.round(rng.gamma(1.6, 50, size=people)), 5, 300)
    concern = rng.random(people)
    record = pd.DataFrame(
        {
            "team": team,
            "authority": team % len(AUTHORITIES),
            "trait": trait,
            "female": rng.random(people) < 0.48,
            "referred_on": referred,
            "born": born,
            "age": completed_years(born, referred),
            "prior_care_days": np.where(been_in_care, earlier, 0).astype(int),
            "concern": np.array(["before", "long before", "after", ""])[np.searchsorted(_CONCERNS, concern)],
            "birth_known": rng.random(people) > 0.006,
        }
    )
    record["eligible"] = _eligible(record)
    return record, spread * rng.standard_normal((teams, 4))


def _eligible(record: pd.DataFrame) -> pd.Series:
    in_time = (record["referred_on"] >= INCLUDED[0]) & (record["referred_on"] <= INCLUDED[1])
    return in_time & record["birth_known"] & record["age"].between(11, 17) & (record["concern"] != "before")


def _answers(
    world: EdgeOfCare, record: pd.DataFrame, spread: Array, occasions: tuple[str, ...], rng: np.random.Generator
) -> tuple[dict[tuple[str, str, int], Array], ladders.Latent]:
    """Both questionnaires at each occasion, and what is behind them, without and with therapy by the same chance."""
    people, team = len(record), record["team"].to_numpy()
    family = rng.standard_normal(people)
    ticked: dict[tuple[str, str, int], Array] = {}
    latent: ladders.Latent = {}
    for occasion in occasions:
        passing, home = rng.standard_normal((2, people))
        felt = np.sqrt(0.7) * record["trait"].to_numpy() + np.sqrt(0.3) * passing
        seen = -0.7 * felt + np.sqrt(0.51) * (np.sqrt(0.7) * family + np.sqrt(0.3) * home)
        later = OCCASIONS[occasion] > 0
        easing = 0.15 * later  # things settle a little after a referral, therapy or not
        chance = {name: forms.noise(people, name, rng) for name in ("sdq_parent", "swemwbs")}
        for arm in (0, 1):
            helped = arm * later
            problems = seen + spread[team, 0] - easing + helped * world.difficulties_effect
            wellbeing = felt + spread[team, 1] + easing + helped * world.wellbeing_effect
            latent[occasion, arm] = problems, wellbeing
            ticked["sdq_parent", occasion, arm] = forms.sdq_answers(problems, chance["sdq_parent"])
            ticked["swemwbs", occasion, arm] = forms.swemwbs_answers(wellbeing, chance["swemwbs"])
    return ticked, latent


def _chosen(world: EdgeOfCare, record: pd.DataFrame, spread: Array, rng: np.random.Generator) -> Array:
    """Who is offered therapy: the panel sees age, earlier care and both forms; some teams do not offer it."""
    need = (
        0.30 * (record["sdq_parent_baseline"] - 18) / 6
        - 0.20 * (record["swemwbs_baseline"] - 19.5) / 4
        + 0.50 * (record["prior_care_days"] - 30) / 100
        + 0.12 * (record["age"] - 14)
    )
    team = record["team"].to_numpy()
    offered = (team // len(AUTHORITIES)) % 12 != 11
    odds = np.exp(-0.35 + world.selection * need.to_numpy() + 2 * spread[team, 2])
    return offered & (rng.random(len(record)) < odds / (1 + odds))


def _care(
    world: EdgeOfCare, record: pd.DataFrame, spread: Array, rng: np.random.Generator
) -> dict[int, tuple[Array, Array]]:
    """Spells in care without and with therapy, by the same chance."""
    risk = (
        0.25 * (record["sdq_parent_baseline"] - 18) / 6
        - 0.10 * (record["swemwbs_baseline"] - 19.5) / 4
        + 0.40 * (record["prior_care_days"] - 30) / 100
        + 0.08 * (record["age"] - 14)
    )
    chance = care_chance(len(record), rng)
    usual = risk.to_numpy() + spread[record["team"].to_numpy(), 3]
    return {
        arm: spells(
            np.exp(np.log(0.0013) + usual + arm * world.entry_effect),
            np.full(len(record), 250.0) * np.exp(arm * world.stay_effect),
            chance,
        )
        for arm in (0, 1)
    }


def _team_share(world: EdgeOfCare, record: pd.DataFrame, rng: np.random.Generator) -> Array:
    """What is true of a person's team, drawn anew for one outcome."""
    team = record["team"].to_numpy()
    return world.team_spread * rng.standard_normal(team.max() + 1)[team]


def _with_outcomes(drawn: Drawn) -> pd.DataFrame:
    """Add each outcome without and with therapy, every form and every term complete."""
    record, ticked = drawn.record, drawn.ticked
    start = record["sdq_parent_baseline"]
    offended = drawn.offences.any_within_a_year(len(record))
    for arm in (0, 1):
        starts, ends = drawn.spells[arm]
        record[f"care_days_{arm}"] = days_within(starts, ends, WINDOW)
        record[f"no_care_{arm}"] = (starts[:, 0] > WINDOW).astype(int)
        record[f"sdq_parent_m12_{arm}"] = forms.sdq_total(ticked["sdq_parent", "m12", arm])
        record[f"swemwbs_m12_{arm}"] = forms.swemwbs_metric(ticked["swemwbs", "m12", arm])
        record[f"sdq_better_{arm}"] = (start - record[f"sdq_parent_m12_{arm}"] >= IMPROVED_BY).astype(int)
        record[f"ladder_m12_{arm}"] = drawn.ladder["m12", arm].mean(axis=1)
        record[f"attendance_{arm}"] = drawn.school.share_attended(arm)
        record[f"offending_{arm}"] = offended
    return record
