"""How many treated a quantity counts: everyone in the cohort, and what is said where some were not estimated on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from evalkit import disclosure, words
from evalkit.errors import Flag, Level
from evalkit.study import Study

FEW = 10  # fewer people than this are not told apart by two numbers beside each other
MUCH = 0.05
ASSUMED = "those left out, without a reading or a match, are taken to have gained as much as the others"
Row = dict[str, Any]


def everyone_treated(row: Row, effects: Any) -> float:
    """Count the treated whom an effect is scaled up to.

    Parameters
    ----------
    row : dict
        Of ``effects.table``: outcome, n_treated.
    effects : Effects
        ``attrition``: outcome, arm, people, analysed; may be absent or empty (published figures).

    Returns
    -------
    float
        Everyone treated in the cohort; those analysed where the cohort is not known; NaN where neither is.
    """
    people, analysed = _counts(row, effects)
    return analysed if np.isnan(people) else people


def left_out_flags(study: Study, lines: pd.DataFrame, known: dict[str, Row], effects: Any) -> list[Flag]:
    """Say what is taken for granted about the treated whom an effect was not estimated on.

    Parameters
    ----------
    study : Study
        For its disclosure rule.
    lines : DataFrame
        With outcome, title and quantity_from.
    known : dict
        Outcome -> its row of ``effects.table``.
    effects : Effects or None
        As for `everyone_treated`.

    Returns
    -------
    list of Flag
        One per outcome that a quantity comes from and that was not estimated on all treated: a caution where more
        than 5 % are left out. No numbers where they would tell of fewer than 10 people.
    """
    used = lines.loc[lines["quantity_from"] == "effect", "outcome"].unique()
    found = [_left_out(study, known[outcome], effects) for outcome in used]
    return [flag for flag in found if flag is not None]


def _counts(row: Row, effects: Any) -> tuple[float, float]:
    """Everyone treated in the cohort, and those analysed; NaN where not known."""
    given = row.get("n_treated")
    analysed = np.nan if pd.isna(given) else float(given)
    attrition = getattr(effects, "attrition", None)
    if attrition is None or attrition.empty:
        return np.nan, analysed
    mine = attrition[(attrition["outcome"] == row["outcome"]) & (attrition["arm"] == "treated")]
    if mine.empty:
        return np.nan, analysed
    return float(mine["people"].iloc[0]), float(np.nanmin([analysed, mine["analysed"].iloc[0]]))


def _left_out(study: Study, row: Row, effects: Any) -> Flag | None:
    """The flag of one outcome; None where it was estimated on everyone treated, or the cohort is not known."""
    people, analysed = _counts(row, effects)
    if np.isnan(people) or not analysed < people:
        return None
    level: Level = "caution" if (people - analysed) / people > MUCH else "note"
    name = row.get("title") or row["outcome"]
    detail = "If they gained less, the value is less."
    return Flag("value", level, f"{name}: {_said(study, people, analysed)}: {ASSUMED}.", detail, row["outcome"])


def _said(study: Study, people: float, analysed: float) -> str:
    """Whom the effect was estimated on, with both numbers where they may be told."""
    rule = study.disclosure.rule
    shown = [disclosure.count(number, rule) for number in (analysed, people, people - analysed)]
    if people - analysed < FEW or words.SUPPRESSED in shown:
        return "the quantity counts everyone treated, and the effect was not estimated on all of them"
    with_reading, everyone = (words.number(float(number), 0) for number in shown[:2])
    return f"the effect was estimated on {with_reading} treated people and the quantity counts all {everyone}"
