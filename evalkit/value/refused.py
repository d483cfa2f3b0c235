"""What an impact map may not say beside estimated effects: deadweight twice, quantities that no effect can give."""

from __future__ import annotations

from typing import Any

import pandas as pd

from evalkit.errors import StudyError, did_you_mean, several
from evalkit.study import Study, shown
from evalkit.tables.rows import as_rows

Row = dict[str, Any]


def refuse(study: Study, lines: pd.DataFrame, known: dict[str, Row], estimated: bool) -> None:
    """Refuse what would count something twice or cannot be worked out, everything at once.

    Parameters
    ----------
    study : Study
        For messages.
    lines : DataFrame
        Those valued in money, from `read_lines`.
    known : dict
        Outcome -> its row of ``effects.table``.
    estimated : bool
        Whether the study estimates effects.

    Raises
    ------
    StudyError
        An outcome is not estimated; a deadweight is stated that the estimator nets out; an effect gives no quantity.
    """
    problems: list[str] = []
    for line in as_rows(lines):
        where, outcome = line["line"], line["outcome"]
        empty = bool(pd.isna(line["quantity"]))
        row = known.get(outcome)
        if row is None:
            if empty or (estimated and outcome):
                problems.append(f"{where}: {_not_estimated(outcome, known, estimated)}")
            continue
        problems += [f"{where}: {text}" for text in _contradictions(line, row, empty, of_areas(study))]
    if problems:
        raise StudyError(several(f"{shown(study.folder)}/{study.value.impact_map if study.value else ''}", problems))


def _not_estimated(outcome: str, known: dict[str, Row], estimated: bool) -> str:
    """Why a line cannot take its quantity from an effect."""
    if not estimated:
        return "its quantity is empty, and this study estimates no effect. Write the quantity."
    if not outcome:
        return "its quantity and its outcome are both empty. Write the quantity, or name an estimated outcome."
    return (
        f'outcome "{outcome}" is not estimated. {did_you_mean(outcome, known)} Else leave outcome empty and use title.'
    )


def of_areas(study: Study) -> bool:
    """Say whether the effects are those of areas over time, not of people.

    Parameters
    ----------
    study : Study
        With its counterfactual.

    Returns
    -------
    bool
        True where it compares areas.
    """
    return study.counterfactual is not None and study.counterfactual.areas is not None


def _contradictions(line: Row, row: Row, empty: bool, of_areas: bool) -> list[str]:
    """Deadweight twice, and quantities that no effect can give."""
    found = []
    if line["given_deadweight"] and row["estimator"] != "assumed":
        found.append(
            f'it gives a deadweight, and the estimator "{row["estimator"]}" already nets it out. '
            'Drop the deadweight, or use the estimator "assumed".'
        )
    if line["given_deadweight"] and row["estimator"] == "assumed" and empty:
        found.append("its quantity comes from an effect that is already net of the assumed deadweight. Drop it here.")
    return found + (impossible(row, of_areas) if empty else [])


def impossible(row: Row, of_areas: bool = False) -> list[str]:
    """Say why an effect gives no quantity in the world.

    Parameters
    ----------
    row : dict
        Of ``effects.table``.
    of_areas : bool
        Whether the effects are those of areas over time.

    Returns
    -------
    list of str
        Empty where it gives one.
    """
    found = []
    if row.get("values") == "score":
        found.append(
            "a score has no quantity in the world. Use a yes-or-no outcome or an amount, or write the quantity."
        )
    if row.get("scale", "difference") == "ratio":
        found.append("its effect is a ratio, which is no quantity. Write the quantity.")
    if of_areas:
        found.append("its effect is per area and period, not per person; write the quantity.")
    if pd.isna(row["effect"]) or pd.isna(row["n_treated"]):
        found.append("its effect or the number treated is not known. Write the quantity.")
    return found
