"""Effects of a study that counts nobody: published rates, areas, a series."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from evalkit.counterfactual.effects import Effects
from evalkit.counterfactual.kept import plan_flags
from evalkit.counterfactual.looks.base import Seen
from evalkit.counterfactual.looks.worthwhile import worth_of
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.rows import ALSO, COLUMNS, as_table, conclude_jointly, holm
from evalkit.counterfactual.standing import levels
from evalkit.errors import Flag
from evalkit.study import Study
from evalkit.study.model import Counterfactual

Row = dict[str, Any]


def effects_without_people(
    study: Study,
    rows: Iterable[Row],
    also: Iterable[Row],
    estimates: Mapping[str, Estimate],
    flags: Iterable[Flag] = (),
) -> Effects:
    """Put rows of effects together: adjusted p-values, conclusions, levels of evidence.

    Parameters
    ----------
    study : Study
        With [counterfactual].
    rows, also : iterable of dict
        From `effect_row` and `also_row`; the first row is the primary outcome's.
    estimates : dict of str to Estimate
        By outcome.
    flags : iterable of Flag
        Beside the estimates' own.

    Returns
    -------
    Effects
        Without outcomes of people, single measures, benchmark and attrition.
    """
    plan: Counterfactual = study.counterfactual  # type: ignore[assignment]
    table = _without_zeros(as_table(list(rows), COLUMNS))
    table["p_adjusted"] = holm(table["p"])
    table["conclusion"] = conclude_jointly(table, plan.level)
    earned = levels(plan, estimates, table)
    table["level"] = pd.array([earned[str(name)].sms for name in table["outcome"]], dtype="Int64")
    said = [*plan_flags(study), *(flag for found in estimates.values() for flag in found.flags)]
    return Effects(
        outcomes=None,
        study=study,
        table=table,
        also=_without_zeros(as_table(list(also), ALSO)),
        estimates=dict(estimates),
        measures=pd.DataFrame(columns=["domain", "measure", "effect"]),
        benchmark=None,
        attrition=pd.DataFrame(columns=["outcome", "arm", "people", "analysed", "share"]),
        evidence=earned[str(table["outcome"].iloc[0])],
        flags=tuple(dict.fromkeys([*said, *flags])),
        looks={"worthwhile": worths} if (worths := _worths(plan, table, estimates)) else {},
    )


def _worths(plan: Counterfactual, table: pd.DataFrame, estimates: Mapping[str, Estimate]) -> list[Seen]:
    """Each outcome against the smallest difference worth having."""
    seen = []
    for row in table.itertuples():
        name = str(row.outcome)
        worth = worth_of(plan, name, estimates[name], str(row.better)) if name in estimates else None
        seen += [] if worth is None else [Seen(name, str(row.title), worth)]
    return seen


def _without_zeros(table: pd.DataFrame) -> pd.DataFrame:
    """Numbers of people that nobody published are missing, not 0."""
    counts = {name: table[name].mask(table[name] == 0) for name in ("n_treated", "n_comparison")}
    return table.assign(**counts)
