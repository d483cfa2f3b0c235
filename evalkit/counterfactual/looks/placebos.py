"""Outcomes that the programme cannot have changed."""

from __future__ import annotations

import pandas as pd

from evalkit.counterfactual.looks.base import View, look
from evalkit.counterfactual.sensitivity import placebo_outcomes
from evalkit.errors import Flag


@look("placebo outcomes")
def placebos(view: View) -> tuple[pd.DataFrame | None, list[Flag]]:
    """By the planned estimator of the first outcome; none should show an effect."""
    plan = view.plan.placebo
    if not plan:
        return None, []
    asked = view.asked(view.first)
    names = {one.outcome: _name(view, one.outcome) for one in plan}
    frame = asked.frame.assign(**{name: view.column(given).to_numpy() for given, name in names.items()})
    left_out = ("outcome", "values", "contract_baseline", "baseline")
    arguments = {name: value for name, value in asked.arguments.items() if name not in left_out}
    table = placebo_outcomes(frame, asked.estimator, list(names.values()), **arguments)
    table["says"] = [one.says for one in plan]
    table["title"] = [_title(view, one.outcome) for one in plan]
    wrong = table[table["p_adjusted"] < 1 - view.plan.level]
    if wrong.empty:
        return table, []
    text = f"An outcome that the programme cannot have changed differs between the arms: {wrong['title'].iloc[0]}."
    flags = [Flag("counterfactual", "serious", text, str(table.attrs.get("says", "")), view.first)]
    own = set(wrong["outcome"]) & set(asked.arguments.get("covariates") or ())
    if own:
        text = "A placebo outcome is one of the covariates, so it was left out of its own adjustment."
        detail = "Where it decided who was offered the programme it must differ then, and says nothing."
        flags.append(Flag("counterfactual", "caution", text, detail, view.first))
    return table, flags


def _name(view: View, given: str) -> str:
    return given if given in view.outcomes.cohort.table.columns else view.outcomes.find(given)


def _title(view: View, given: str) -> str:
    if given in view.outcomes.cohort.table.columns:
        return given.replace("_", " ")
    told = view.outcomes.describe(given)
    return f"{told['title']}, {told['occasion_title']}" if told["occasion_title"] else str(told["title"])
