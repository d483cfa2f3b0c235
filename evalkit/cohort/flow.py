"""How many were left after each step, and why each person left."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.cohort.scope import PERSON


@dataclass(frozen=True, eq=False)
class Step:
    """One step of the flow.

    Parameters
    ----------
    kind : str
        "start", "pick", "include", "exclude" or "arm".
    says : str
        The sentence a report prints.
    rule : str
        The rule as written, empty where there is none.
    met : Series of boolean
        Over starting rows: whether the row may stay; missing where that could not be answered.
    unknown_stays : bool
        Whether a row stays where that could not be answered (exclude rules).
    """

    kind: str
    says: str
    rule: str
    met: pd.Series
    unknown_stays: bool = False

    @property
    def stays(self) -> np.ndarray:
        """Whether each row stays."""
        return self.met.fillna(self.unknown_stays).to_numpy(dtype=bool)

    @property
    def unknown(self) -> np.ndarray:
        """Whether it could not be answered for a row."""
        return self.met.isna().to_numpy(dtype=bool)


def flow_table(rows: pd.DataFrame, steps: list[Step], arm: pd.Series | None) -> tuple[pd.DataFrame, np.ndarray]:
    """Count people after each step.

    Parameters
    ----------
    rows : DataFrame
        The starting rows, sorted by person and date.
    steps : list of Step
        In order, the first being the start.
    arm : Series or None
        "treated", "comparison" or missing, per starting row.

    Returns
    -------
    flow : DataFrame
        One row per step, as `Cohort` describes it.
    alive : array of bool
        The starting rows left at the end.
    """
    who = _People(rows)
    alive, lines = np.ones(len(rows), dtype=bool), []
    for place, step in enumerate(steps):
        before = alive
        alive = before & step.stays
        gone = who.any_of(before) & ~who.any_of(alive)
        unknown = who.any_of((alive if step.unknown_stays else before) & step.unknown)
        counted = unknown if step.unknown_stays else unknown & gone
        line = {"step": place, "kind": step.kind, "says": step.says, "rule": step.rule, "left_out": gone.sum()}
        line |= {"unknown": counted.sum(), "people": who.any_of(alive).sum()}
        lines.append(line | who.by_arm(alive, arm))
    flow = pd.DataFrame(lines)
    counts = ["left_out", "unknown", "people", "treated", "comparison"]
    return flow.astype(dict.fromkeys(counts, "Int64")), alive


class _People:
    """The people behind the starting rows, in the order of their ids."""

    def __init__(self, rows: pd.DataFrame) -> None:
        self.of_row, self.ids = pd.factorize(rows[PERSON])

    def any_of(self, chosen: np.ndarray) -> np.ndarray:
        """Per person, whether any of the person's rows is chosen."""
        found = np.zeros(len(self.ids), dtype=bool)
        found[self.of_row[chosen]] = True
        return found

    def by_arm(self, alive: np.ndarray, arm: pd.Series | None) -> dict[str, object]:
        """People left by the arm of their first row left."""
        if arm is None:
            return {"treated": pd.NA, "comparison": pd.NA}
        left = np.flatnonzero(alive)
        firsts = left[np.unique(self.of_row[left], return_index=True)[1]]
        arms = arm.to_numpy(dtype=object)[firsts]
        return {name: int((arms == name).sum()) for name in ("treated", "comparison")}


def reasons_table(rows: pd.DataFrame, steps: list[Step], alive: np.ndarray) -> pd.DataFrame:
    """List every rule that each person who started does not meet, whatever the order of the rules.

    Parameters
    ----------
    rows : DataFrame
        The starting rows.
    steps : list of Step
        All steps.
    alive : array of bool
        The rows left at the end.

    Returns
    -------
    DataFrame
        person, rule, answer. Where a person has several rows, a rule is not met if it is met in none of them; a person
        who meets every rule, but never all in one row, is listed at the rule where the last row left.
    """
    who = _People(rows)
    dated = next((step.stays for step in steps if step.kind == "pick"), np.ones(len(rows), dtype=bool))
    found = []
    for place, step in enumerate(steps):
        judged = dated if step.kind in {"include", "exclude"} else np.ones(len(rows), dtype=bool)
        out = who.any_of(judged) & ~who.any_of(judged & step.stays)
        found.append(_listed(who, out, place, step.says, who.any_of(judged & step.unknown)))
    explained = np.isin(np.arange(len(who.ids)), np.concatenate([one["_who"] for one in found]))
    found += _where_last_left(who, steps, ~explained & ~who.any_of(alive))
    listed = pd.concat(found, ignore_index=True).sort_values(["_who", "_at"], kind="stable")
    people = pd.Series(who.ids.take(listed["_who"].to_numpy()), index=listed.index, dtype="str")
    return listed.assign(person=people)[["person", "rule", "answer"]].reset_index(drop=True)


def _listed(who: _People, out: np.ndarray, place: int, says: str, unknown: np.ndarray) -> pd.DataFrame:
    """People who do not meet one rule, by their number."""
    numbers = np.flatnonzero(out)
    answers = pd.Series(np.where(unknown[numbers], "unknown", "no"), dtype="str")
    sentence = pd.Series(says, answers.index, "str")
    return pd.DataFrame({"_who": numbers, "_at": place, "rule": sentence, "answer": answers})


def _where_last_left(who: _People, steps: list[Step], people: np.ndarray) -> list[pd.DataFrame]:
    """For people of whom no single row meets every rule: the step at which none was left."""
    alive, found = people[who.of_row], []
    for place, step in enumerate(steps):
        after = alive & step.stays
        gone = who.any_of(alive) & ~who.any_of(after)
        found.append(_listed(who, gone, place, step.says, np.zeros(len(who.ids), dtype=bool)))
        alive = after
    return found
