"""What the programme truly changes in this world, worked out from its own record of both outcomes."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd

from evalkit.simulate.world import EdgeOfCare, draw_people

_TRUTH_SEED = 20_170_101  # its own, so that the truth depends on the world alone and not on the study's seed
_NOTE = (
    "Average over treated, eligible people of an endless supply of studies from this world, "
    "from {people:,} invented people whose outcome was drawn with and without the programme"
)
# Outcome, column of the record, unit, and whose truth it is.
_KEPT_BY_OTHERS = (
    ("ladder@m12", "ladder_m12", "steps", "; mean over the areas, as a worker would rate everyone"),
    ("attendance", "attendance", "share", "; those with a term of school age within the year"),
    ("offending", "offending", "share", ""),
)


@functools.lru_cache(maxsize=32)
def _effects(world: EdgeOfCare) -> tuple[tuple[str, float, str, str], ...]:
    """The rows of the truth table, drawn once per world."""
    people = world.truth_people
    teams = max(world.teams, round(people * world.teams / 900))
    record = draw_people(world, people, _TRUTH_SEED, occasions=("baseline", "m12"), teams=teams).record
    record = record[record["eligible"]]
    treated = record[record["treated"]]
    note = _NOTE.format(people=people)
    rows = [
        (name, float((treated[f"{name}_1"] - treated[f"{name}_0"]).mean()), unit, f"{note}.")
        for name, unit in (("care_days", "days"), ("no_care", "share"), ("sdq_better", "share"))
    ]
    says = f"{note}; index of complete forms, in standard deviations of the comparison at baseline."
    rows.insert(2, ("wellbeing@m12", _index_effect(record), "SD", says))
    rows += [
        (name, float((treated[f"{column}_1"] - treated[f"{column}_0"]).mean()), unit, f"{note}{more}.")
        for name, column, unit, more in _KEPT_BY_OTHERS
    ]
    return tuple(rows)


def truth(world: EdgeOfCare) -> pd.DataFrame:
    """The true effects of a world.

    Parameters
    ----------
    world : EdgeOfCare
        Its settings.

    Returns
    -------
    DataFrame
        ``outcome``, ``effect``, ``unit``, ``note``; effects on those treated, in the population of all such studies.
    """
    return pd.DataFrame(_effects(world), columns=["outcome", "effect", "unit", "note"])


def _index_effect(record: pd.DataFrame) -> float:
    """Mean change of the index among the treated, in its own unit: weights, means and unit as at baseline."""
    reference = ~record["treated"].to_numpy()

    def scores(when: str) -> np.ndarray:
        """Both questionnaires, better upwards, in standard deviations of the comparison at baseline."""
        columns = []
        for name, sign in (("sdq_parent", -1.0), ("swemwbs", 1.0)):
            base = record[f"{name}_baseline"][reference]
            columns.append(sign * (record[f"{name}_{when}"] - base.mean()) / base.std())
        return np.column_stack(columns)

    start = scores("baseline")
    weights = np.linalg.solve(np.cov(start, rowvar=False), np.ones(2))
    weights /= weights.sum()
    change = (scores("m12_1") - scores("m12_0"))[~reference] @ weights
    return float(change.mean() / (start[reference] @ weights).std(ddof=1))
