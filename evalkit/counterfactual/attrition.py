"""Who has an outcome, by arm: uneven loss can make a difference of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalkit import disclosure, words
from evalkit.counterfactual.analysed.people import check_columns, read_arms, yes
from evalkit.errors import EstimationError, Flag, did_you_mean

if TYPE_CHECKING:
    from evalkit.outcomes import Outcomes

COLUMNS = ["outcome", "arm", "people", "analysed", "share"]
UNEVEN = 0.05
STANDARD = "arms no more than 5 points apart (a convention of evalkit's own)"


def attrition_table(outcomes: Outcomes, names: list[str]) -> pd.DataFrame:
    """How many of everyone referred and eligible have each outcome.

    Parameters
    ----------
    outcomes : Outcomes
        With the cohort.
    names : list of str
        Outcomes.

    Returns
    -------
    DataFrame
        outcome, arm, people, analysed, share; one row per outcome and arm.
    """
    table = outcomes.cohort.table
    if "treated" not in table.columns:  # one arm: nobody's loss can be compared
        return pd.DataFrame(columns=COLUMNS)
    rows = []
    for name in names:
        there = outcomes.wide[outcomes.find(name)].reindex(table["person"]).notna().to_numpy()
        for arm, code in (("treated", 1), ("comparison", 0)):
            mine = (table["treated"] == code).fillna(False).to_numpy(dtype=bool)
            people, analysed = int(mine.sum()), int((mine & there).sum())
            share = analysed / people if people else float("nan")
            rows.append({"outcome": name, "arm": arm, "people": people, "analysed": analysed, "share": share})
    return pd.DataFrame(rows, columns=COLUMNS)


def attrition_flags(table: pd.DataFrame) -> list[Flag]:
    """Say where one arm lost more than 5 points more than the other.

    Parameters
    ----------
    table : DataFrame
        From `attrition_table`.

    Returns
    -------
    list of Flag
        One per outcome concerned.
    """
    flags = []
    for name, rows in table.groupby("outcome", sort=False):
        share = rows.set_index("arm")["share"]
        gap = share["treated"] - share["comparison"]
        if abs(gap) > UNEVEN:
            text = f"The arms differ by about {max(1, round(100 * abs(gap)))} points in how many have this outcome."
            told = [
                f"{row['arm']} {disclosure.roughly(int(row['people']) - int(row['analysed']), int(row['people']))}"
                for row in rows.to_dict("records")
            ]
            detail = f"Without it: {words.listed(told)}."
            flags.append(Flag("counterfactual", "caution", text, detail, str(name)))
    return flags


def attrition_by_wave(
    frame: pd.DataFrame,
    outcomes: str | Sequence[str],
    treated: str,
    *,
    time: str | None = None,
    person: str | None = None,
    due: Mapping[str, str] | None = None,
    cluster: str | None = None,
    treated_is: Any = None,
) -> pd.DataFrame:
    """How many of those due were traced and read, by arm and wave.

    Parameters
    ----------
    frame : DataFrame
        One row per person, one column per wave; or, with ``time``, one row per person and wave, where a person without
        a row at a wave was not read at it. Everyone referred and eligible must be on it.
    outcomes : str or sequence of str
        Columns of outcomes; a missing cell was not read.
    treated : str
        Column that is 1 for the treated and 0 for the comparison, or two words. Whoever has neither is not counted.
    time, person : str, optional
        The wave and the ids, for one row per person and wave.
    due : dict, optional
        Outcome (with ``time``: wave) to a yes/no column that says who was due for it; others are not counted. Default:
        everyone was.
    cluster : str, optional
        Groups people come in; the interval of the difference allows for them.
    treated_is
        The word that means the treated.

    Returns
    -------
    DataFrame
        One row per wave and arm: outcome, arm, people (due), analysed (read), share (the tracing rate) with low and
        high (Wilson's, 95 %); and of the wave, on both rows: difference of the tracing rates (treated less comparison)
        with difference_low and difference_high (Newcombe's; with clusters CR2), overall (share read in both arms),
        uneven (whether the arms differ by more than 5 points) and standard. `attrition_flags` takes it. It holds
        counts: `evalkit.disclosure` must see it before anybody else does.

    Raises
    ------
    EstimationError
        A column is missing, an arm is empty, or a wave has nobody due.

    Examples
    --------
    >>> people = pd.DataFrame({"arm": [1] * 10 + [0] * 10})
    >>> people["m6"], people["m12"] = [1.0] * 18 + [None] * 2, [1.0] * 8 + [None] * 12
    >>> table = attrition_by_wave(people, ["m6", "m12"], "arm")
    >>> table[["outcome", "arm", "share", "difference"]].round(2).values.tolist()[0]
    ['m6', 'treated', 1.0, 0.2]
    """
    names = [outcomes] if isinstance(outcomes, str) else list(outcomes)
    if time is not None and person is None:
        raise EstimationError("with time there is one row per person and wave: say who is who (person = ...).")
    named = [*names, treated, *(name for name in (time, person, cluster) if name), *(due or {}).values()]
    check_columns(frame, named)
    wide, waves = (frame, {name: name for name in names}) if time is None else _widened(frame, names, str(person), time)
    if strange := [wave for wave in due or {} if wave not in waves]:
        raise EstimationError(f'due names "{strange[0]}", which is no wave. {did_you_mean(strange[0], waves)}')
    arm = read_arms(wide, treated, treated_is)
    rows: list[dict[str, Any]] = []
    for label, column in waves.items():
        counted = yes(wide[due[label]], due[label]) if due and label in due else np.ones(len(wide), bool)
        read = wide[column].notna().to_numpy(float)
        rows += _wave(label, read, np.where(counted, arm, np.nan), wide[cluster] if cluster else None)
    return pd.DataFrame(rows)


def _widened(frame: pd.DataFrame, names: list[str], person: str, time: str) -> tuple[pd.DataFrame, dict[str, str]]:
    """One row per person: their other columns as first seen, and each outcome at each wave."""
    if frame[person].isna().any():
        raise EstimationError(f'"{person}" is missing in {int(frame[person].isna().sum())} rows: whose are they?')
    twice = int(frame.duplicated([person, time]).sum())
    if twice:
        raise EstimationError(f'{twice} rows repeat a person within one wave ("{time}"). Keep one row each.')
    people = frame.drop(columns=[*names, time]).groupby(person, sort=False).first()
    waves: dict[str, str] = {}
    for name in names:
        table = frame.pivot(index=person, columns=time, values=name).reindex(people.index)
        for wave in table.columns:
            label = str(wave) if len(names) == 1 else f"{name}@{wave}"
            waves[label] = f"({label})"
            people[waves[label]] = table[wave]
    return people.reset_index(), waves


def _wave(label: str, read: np.ndarray, arm: np.ndarray, cluster: pd.Series | None) -> list[dict[str, Any]]:
    """Both arms of one wave, and how they differ."""
    from evalkit.outcomes.change.shares import compare_shares

    for code, name in ((1.0, "treated"), (0.0, "comparison")):
        if not (arm == code).any():
            raise EstimationError(f'nobody in the {name} arm was due at "{label}". Leave that wave out.')
    found = compare_shares(read, arm, cluster)
    both = {
        "difference": found.difference,
        "difference_low": found.difference_low,
        "difference_high": found.difference_high,
        "overall": sum(found.count.values()) / sum(found.n.values()),
        "uneven": bool(abs(found.difference) > UNEVEN),
        "standard": STANDARD,
    }
    own = ("share", "low", "high")
    return [
        {
            "outcome": label,
            "arm": name,
            "people": found.n[name],
            "analysed": int(found.count[name]),
            **{part: getattr(found, part)[name] for part in own},
            **both,
        }
        for name in ("treated", "comparison")
    ]
