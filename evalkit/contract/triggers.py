"""Payments that fall due when an effect reaches a threshold."""

from __future__ import annotations

from typing import Any

import pandas as pd

from evalkit import words
from evalkit.errors import Flag, StudyError, did_you_mean, several
from evalkit.study import Study
from evalkit.study.model import Trigger

COLUMNS = ["id", "says", "scope", "outcome", "threshold", "relative", "relative_low", "relative_high", "met", "note"]
CLOSE = 1e-9
UNSETTLED = "not settled by the rounding"
NO_EFFECT = "No effect on this outcome was estimated."


def judge_triggers(study: Study, effects: Any) -> pd.DataFrame:
    """Hold each trigger to the relative improvement, over the whole interval that rounding leaves open.

    Parameters
    ----------
    study : Study
        With a [contract].
    effects : Effects or None
        ``table`` with outcome, better, observed, counterfactual, relative, relative_low, relative_high.

    Returns
    -------
    DataFrame
        One row per trigger. relative is the improvement (towards better) as a share of the counterfactual; met is
        "met", "not met", "not settled by the rounding" or "not judged".

    Raises
    ------
    StudyError
        A trigger names an outcome that is not estimated.
    """
    triggers = study.contract.trigger if study.contract else []
    known = [] if effects is None else list(effects.table["outcome"])
    strange = [one for one in triggers if one.judged and known and one.outcome not in known]
    if strange:
        problems = [
            f'trigger {t.id}: outcome "{t.outcome}" is not estimated. {did_you_mean(t.outcome, known)}' for t in strange
        ]
        raise StudyError(several(f"[contract] of {study.id}", problems))
    return pd.DataFrame([_judged(one, effects) for one in triggers], columns=COLUMNS)


def trigger_flags(study: Study, triggers: pd.DataFrame) -> list[Flag]:
    """Say which triggers are not settled, or not judged though money hangs on them.

    Parameters
    ----------
    study : Study
        With a [contract].
    triggers : DataFrame
        From `judge_triggers`.

    Returns
    -------
    list of Flag
        Of the room "contract".
    """
    pays = {one.id: one.pays for one in (study.contract.trigger if study.contract else []) if one.pays is not None}
    flags = []
    for row in triggers.itertuples():
        hangs = pays.get(str(row.id))
        if row.met == UNSETTLED:
            nothing = "" if hangs is None else f" {_money(study, hangs)} hangs on it, and nothing is counted as owed."
            text = f"Rounding does not settle whether this was met: {row.says}"
            flags.append(Flag("contract", "caution", text, nothing.strip(), "trigger"))
        elif row.met == "not judged" and hangs is not None:
            text = (
                f"{_money(study, hangs)} hangs on a trigger that is not judged, and is not in what is owed: {row.says}"
            )
            flags.append(Flag("contract", "caution", text, about="trigger"))
    return flags


def _money(study: Study, amount: float) -> str:
    return words.whole_money(amount, study.study.currency, 0 if amount == round(amount) else 2)


def _judged(trigger: Trigger, effects: Any) -> dict[str, Any]:
    """One trigger's row."""
    row: dict[str, Any] = {name: getattr(trigger, name) for name in ("id", "says", "scope", "outcome", "note")}
    row["threshold"] = trigger.at_least
    point, low, high = (None, None, None) if effects is None else improvement(effects.table, trigger.outcome)
    if not trigger.judged:
        return {**row, "met": "not judged"}
    if point is None or low is None or high is None:
        return {**row, "met": "not judged", "note": trigger.note or NO_EFFECT}
    verdicts = {value >= trigger.at_least - CLOSE for value in (low, point, high)}
    met = UNSETTLED if len(verdicts) == 2 else "met" if True in verdicts else "not met"
    return {**row, "relative": point, "relative_low": low, "relative_high": high, "met": met}


def improvement(table: pd.DataFrame, outcome: str) -> tuple[float | None, float | None, float | None]:
    """The relative improvement on one outcome, and the interval that rounding leaves open.

    Parameters
    ----------
    table : DataFrame
        ``effects.table``.
    outcome : str
        As the study names it.

    Returns
    -------
    (float, float, float) or Nones
        Improvement towards better as a share of the counterfactual; low; high (the point where nothing is rounded).
    """
    rows = table[table["outcome"] == outcome]
    if rows.empty:
        return None, None, None
    row = rows.iloc[0]
    sign = -1.0 if row["better"] == "lower" else 1.0
    relative = row.get("relative")
    if pd.isna(relative) and pd.notna(row["counterfactual"]) and row["counterfactual"] > 0:
        relative = (row["observed"] - row["counterfactual"]) / row["counterfactual"]
    if pd.isna(relative):
        return None, None, None
    ends = [row.get("relative_low"), row.get("relative_high")]
    if sign and pd.notna(row.get("effect")) and relative * row["effect"] < 0:
        sign = 1.0  # already written towards better
    low, high = sorted(sign * float(relative if pd.isna(end) else end) for end in ends)
    return sign * float(relative), low, high
