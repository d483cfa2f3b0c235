"""What the service, the schools and the police keep: sessions, ratings on the ladder, half-days, offences."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalkit.simulate.ladder import AREAS, RATED_ON
from evalkit.simulate.world import EXTRACTED, OCCASIONS, Drawn, EdgeOfCare

Array = np.ndarray
COMPLETED = 12  # whoever attended so many sessions ended therapy by agreement
_GIVEN_UP_AFTER = 3  # sessions missed in a row, after which none is offered any more
_STREAM = 80
_NOT_RATED = {"baseline": 0.03, "m6": 0.08, "m12": 0.12}
_AREA_BLANK, _TERM_NOT_KNOWN = 0.006, 0.03


def registers(world: EdgeOfCare, drawn: Drawn, record: pd.DataFrame, seed: int) -> dict[str, pd.DataFrame]:
    """Write down what others than the evaluator keep about the people drawn.

    Parameters
    ----------
    world : EdgeOfCare
        The world's settings; ``missing`` scales what was not recorded.
    drawn : Drawn
        From `draw_people`.
    record : DataFrame
        The record with person ids and the sessions that each attended.
    seed : int
        Seed of the chance in what was recorded.

    Returns
    -------
    dict of str to DataFrame
        sessions, ladder, attendance, offences, each sorted by person and date.
    """
    rng = np.random.default_rng([seed, _STREAM])
    return {
        "sessions": _sessions(record, rng),
        "ladder": _ladder(world, drawn, record, rng),
        "attendance": _attendance(world, drawn, record, rng),
        "offences": _offences(drawn, record),
    }


def _sessions(record: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Weekly sessions offered to those in therapy; as many attended as the referral says."""
    people = record[record["treated"]]
    attended = people["sessions"].to_numpy(dtype=int)
    skipped = rng.negative_binomial(np.maximum(attended, 1), rng.beta(24, 5, len(people)))
    skipped = np.minimum(skipped, attended // 2)  # somebody who skips more than that is not offered a slot for ever
    until_last = attended + skipped
    offered = until_last + np.where(attended < COMPLETED, _GIVEN_UP_AFTER, 0)
    ready = people["referred_on"].to_numpy().astype("datetime64[D]") + rng.integers(15, 36, len(people))
    begins = np.busday_offset(ready, 0, roll="forward")
    person = np.repeat(np.arange(len(people)), offered)
    week = np.arange(len(person)) - np.repeat(np.cumsum(offered) - offered, offered)
    return pd.DataFrame(
        {
            "person_id": people["person_id"].to_numpy()[person],
            "date": begins[person] + 7 * week,
            "attended": _came(person, week, until_last, skipped, rng),
        }
    )


def _came(person: Array, week: Array, until_last: Array, skipped: Array, rng: np.random.Generator) -> Array:
    """1 where a session was attended: the last of a person's stretch always, of those before all but the skipped."""
    order = rng.random(len(person))
    order[week == until_last[person] - 1] = 2  # never among the skipped
    order[week >= until_last[person]] = -1  # given up
    rank = pd.Series(order).groupby(person).rank(method="first").to_numpy()
    given_up = np.bincount(person, weights=order == -1, minlength=len(skipped)).astype(int)
    return (rank > (skipped + given_up)[person]).astype(int)


def _ladder(world: EdgeOfCare, drawn: Drawn, record: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """The worker's ratings: only of those in therapy, and later on only of those who ever came."""
    found = []
    for occasion in RATED_ON:
        days = rng.integers(2, 15, len(record)) if occasion == "baseline" else rng.integers(-30, 31, len(record))
        rated = record["treated"].to_numpy() & (rng.random(len(record)) >= _NOT_RATED[occasion] * world.missing)
        if occasion != "baseline":
            rated &= record["sessions"].fillna(0).to_numpy(dtype=int) > 0
        steps = drawn.ladder[occasion, 1].astype(int)
        steps[rng.random(steps.shape) < _AREA_BLANK * world.missing] = 0
        when = record["referred_on"].to_numpy().astype("datetime64[D]") + OCCASIONS[occasion] + days
        marks = pd.DataFrame(steps[rated], columns=list(AREAS)).astype("Int64")
        marks = marks.mask(marks == 0)
        marks.insert(0, "person_id", record["person_id"].to_numpy()[rated])
        marks.insert(1, "date", when[rated])
        found.append(marks)
    return pd.concat(found).sort_values(["person_id", "date"], kind="stable")


def _attendance(world: EdgeOfCare, drawn: Drawn, record: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """One row per person and term of school age; 0 half-days possible where the school did not return the term."""
    school, arm = drawn.school, record["treated"].to_numpy()[:, None]
    missed = np.where(arm, school.missed[1], school.missed[0])
    known = rng.random(missed.shape) >= _TERM_NOT_KNOWN * world.missing
    person, term = np.nonzero((school.possible > 0) & (school.opens <= EXTRACTED))
    return pd.DataFrame(
        {
            "person_id": record["person_id"].to_numpy()[person],
            "date": school.opens[person, term],
            "missed": (missed * known)[person, term],
            "possible": (school.possible * known)[person, term],
        }
    )


def _offences(drawn: Drawn, record: pd.DataFrame) -> pd.DataFrame:
    """One row per proven offence."""
    offences = drawn.offences
    referred = record["referred_on"].to_numpy().astype("datetime64[D]")
    table = pd.DataFrame(
        {
            "person_id": record["person_id"].to_numpy()[offences.person],
            "date": referred[offences.person] + offences.day,
            "severity": offences.severity,
        }
    )
    return table[table["date"] <= EXTRACTED].sort_values(["person_id", "date", "severity"], kind="stable")
