"""The tables that an evaluator of the world "edge of care" would receive."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalkit.simulate import forms
from evalkit.simulate.registers import registers
from evalkit.simulate.school import SCHOOL_YEAR
from evalkit.simulate.world import AUTHORITIES, EXTRACTED, OCCASIONS, Drawn, EdgeOfCare

Array = np.ndarray
FILES = {
    "people": "people.csv",
    "referrals": "referrals.csv",
    "episodes": "episodes.csv",
    "sdq": "assessments_sdq.csv",
    "swemwbs": "assessments_swemwbs.csv",
    "safeguarding": "safeguarding.csv",
    "sessions": "sessions.csv",
    "ladder": "ladder.csv",
    "attendance": "attendance.csv",
    "offences": "offences.csv",
}
_REASONS = ("family conflict", "behaviour", "going missing", "school attendance", "neglect")
# Shares of visits that did not happen, by occasion: usual care, therapy. Chance alone decides, within an arm.
_NO_VISIT = {"baseline": (0.02, 0.02), "m6": (0.14, 0.09), "m12": (0.18, 0.12), "m18": (0.24, 0.17)}


def tables_of(world: EdgeOfCare, drawn: Drawn, seed: int) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Write down what a real study would see of the people drawn.

    Parameters
    ----------
    world : EdgeOfCare
        The world's settings; ``missing`` scales what was not recorded.
    drawn : Drawn
        From `draw_people`.
    seed : int
        Seed of the chance in what was recorded.

    Returns
    -------
    tables : dict of str to DataFrame
        By table name, sorted by person and date.
    record : DataFrame
        The record with person ids and the outcomes as observed.
    """
    rng = np.random.default_rng([seed, 1])
    record = drawn.record.copy()
    record.insert(0, "person_id", [f"P{number:05d}" for number in range(1, len(record) + 1)])
    sdq, swemwbs = _assessments(world, drawn, record, rng)
    tables = {
        "people": _people(record),
        "referrals": _referrals(record, rng),
        "episodes": _episodes(drawn, record, rng),
        "sdq": sdq,
        "swemwbs": swemwbs,
        "safeguarding": _safeguarding(record, rng),
    }
    record["sessions"] = tables["referrals"].drop_duplicates("person_id")["sessions"].to_numpy()
    tables |= registers(world, drawn, record, seed)
    return {name: table.reset_index(drop=True) for name, table in tables.items()}, _observed(record, tables)


def _people(record: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "person_id": record["person_id"],
            "born": record["born"].where(record["birth_known"]),
            "sex": np.where(record["female"], "F", "M"),
            "local_authority": np.array(AUTHORITIES)[record["authority"]],
            "team": [f"team {number + 1:02d}" for number in record["team"]],
        }
    )


def _referrals(record: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """One row per referral: about one person in twelve is referred again later, to the same arm."""
    people = len(record)
    came = rng.random(people) < 0.92
    attended = np.where(came, 6 + rng.poisson(9, people), rng.poisson(2, people))
    first = pd.DataFrame(
        {
            "person_id": record["person_id"],
            "referred_on": record["referred_on"],
            "arm": np.where(record["treated"], "therapy", "usual care"),
            "reason": rng.choice(_REASONS, size=people),
            "prior_care_days": record["prior_care_days"],
            "sessions": pd.array(attended, dtype="Int64"),
        }
    )
    first.loc[~record["treated"], "sessions"] = pd.NA
    again = first[rng.random(people) < 0.08].copy()
    again["referred_on"] += pd.to_timedelta(rng.integers(60, 500, size=len(again)), unit="D")
    again["reason"] = rng.choice(_REASONS, size=len(again))
    again["sessions"] = pd.NA
    return pd.concat([first, again]).sort_values(["person_id", "referred_on"], kind="stable")


def _episodes(drawn: Drawn, record: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Spells in care before and after referral, and short breaks, which are not care."""
    treated = record["treated"].to_numpy()
    referred = record["referred_on"].to_numpy().astype("datetime64[D]")
    starts, ends = (np.where(treated[:, None], drawn.spells[1][end], drawn.spells[0][end]) for end in (0, 1))
    person, spell = np.nonzero(starts < 4000)  # beyond any date of extraction
    after = _spells(record, referred, person, starts[person, spell], ends[person, spell], "care")
    person = np.nonzero(record["prior_care_days"].to_numpy() > 0)[0]
    gone = -rng.integers(10, 200, size=len(person))
    before = _spells(record, referred, person, gone - record["prior_care_days"].to_numpy()[person], gone, "care")
    person = np.nonzero(rng.random(len(record)) < 0.1)[0]
    breaks = rng.integers(5, 500, size=len(person))
    pauses = _spells(record, referred, person, breaks, breaks + rng.integers(2, 9, size=len(person)), "short break")
    episodes = pd.concat([before, after, pauses])
    episodes = episodes[episodes["start"] <= EXTRACTED]
    episodes["end"] = episodes["end"].where(episodes["end"] <= EXTRACTED)
    return episodes.sort_values(["person_id", "start", "state"], kind="stable")


def _spells(record: pd.DataFrame, referred: Array, person: Array, start: Array, end: Array, state: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "person_id": record["person_id"].to_numpy()[person],
            "start": referred[person] + start,
            "end": referred[person] + end,
            "state": state,
        }
    )


def _safeguarding(record: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Concerns opened within the year before referral, long before it, or after it."""
    ranges = {"before": (-365, 1), "long before": (-1200, -365), "after": (1, 500)}
    rows = []
    for when, (low, high) in ranges.items():
        some = record[record["concern"] == when]
        opened = some["referred_on"].to_numpy().astype("datetime64[D]") + rng.integers(low, high, size=len(some))
        rows.append(pd.DataFrame({"person_id": some["person_id"], "opened_on": opened}))
    return pd.concat(rows).sort_values(["person_id", "opened_on"], kind="stable")


def _assessments(
    world: EdgeOfCare, drawn: Drawn, record: pd.DataFrame, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both questionnaires as filled in: visits that did not happen, late visits, blank answers."""
    rows: dict[str, list[pd.DataFrame]] = {"sdq_parent": [], "swemwbs": []}
    treated = record["treated"].to_numpy()
    for occasion, day in OCCASIONS.items():
        usual, therapy = _NO_VISIT[occasion]
        visited = rng.random(len(record)) >= world.missing * np.where(treated, therapy, usual)
        spread = rng.integers(-20, 11, len(record)) if day == 0 else rng.integers(-35, 36, len(record))
        late = (rng.random(len(record)) < 0.01 * world.missing) & (day > 0)
        when = record["referred_on"].to_numpy().astype("datetime64[D]") + day + np.where(late, 70, spread)
        for instrument, found in rows.items():
            given = visited & (rng.random(len(record)) >= 0.015 * world.missing)
            pair = [drawn.ticked[instrument, occasion, arm] for arm in (0, 1)]
            answers = np.where(treated[:, None], pair[1], pair[0]).astype(int)
            answers[rng.random(answers.shape) < 0.002 * world.missing] = -1
            found.append(_forms(instrument, record["person_id"][given], when[given], answers[given]))
    sdq, swemwbs = (
        pd.concat(found).sort_values(["person_id", "date"], kind="stable").reset_index(drop=True)
        for found in rows.values()
    )
    return sdq, swemwbs


def _forms(instrument: str, person: pd.Series, when: Array, answers: Array) -> pd.DataFrame:
    items = pd.DataFrame(answers, columns=forms.item_names(instrument)).astype("Int64")
    items = items.mask(items < 0)
    return pd.concat([person.reset_index(drop=True), pd.Series(when, name="date"), items], axis=1)


def _observed(record: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Add the outcomes as the study sees them."""
    treated = record["treated"]
    for name in ("care_days", "no_care"):
        record[name] = record[f"{name}_1"].where(treated, record[f"{name}_0"])
    record["offending"] = record["offending_0"]
    record["attendance"] = _attended(record, tables["attendance"])
    start, later = (_total_on(record, tables["sdq"], occasion) for occasion in ("baseline", "m12"))
    record["sdq_better"] = pd.Series(start - later >= 5).astype("Int64").mask(np.isnan(start - later))
    return record


def _attended(record: pd.DataFrame, terms: pd.DataFrame) -> Array:
    """Share of half-days attended in the year after referral, of the terms that schools returned."""
    referred = record.set_index("person_id")["referred_on"]
    day = (terms["date"] - terms["person_id"].map(referred)).dt.days
    year = terms[(day >= 0) & (day < SCHOOL_YEAR)].groupby("person_id")[["missed", "possible"]].sum()
    share = 1 - year["missed"] / year["possible"].where(year["possible"] > 0)
    return share.reindex(record["person_id"]).to_numpy()


def _total_on(record: pd.DataFrame, sdq: pd.DataFrame, occasion: str) -> Array:
    """SDQ total of the form filled in around an occasion."""
    low, high = (-30, 14) if occasion == "baseline" else (-45, 45)
    referred = record.set_index("person_id")["referred_on"]
    day = (sdq["date"] - sdq["person_id"].map(referred)).dt.days - OCCASIONS[occasion]
    here = sdq[day.between(low, high)]
    ticked = here.iloc[:, 2:].fillna(-1).to_numpy(dtype=int)
    totals = pd.Series(forms.sdq_total(ticked), index=here["person_id"])
    return totals.reindex(record["person_id"]).to_numpy()
