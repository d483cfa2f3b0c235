"""Arms, clusters and strata: the groups that people of a cohort come in."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalkit.cohort.checks import how_many, raise_data
from evalkit.cohort.flow import Step
from evalkit.cohort.kinds import as_ids
from evalkit.errors import Flag, StudyError, did_you_mean, several
from evalkit.study.model import Arm, CohortPlan
from evalkit.words import listed


def text_of(column: pd.Series) -> pd.Series:
    """Write a column of groups as text: 17, 17.0 and "17" are the same group.

    Parameters
    ----------
    column : Series
        Names or numbers of groups.

    Returns
    -------
    Series of str
        Missing where it was missing.
    """
    return as_ids(column)


def arm_of(plan: CohortPlan, rows: pd.DataFrame, where: str) -> pd.Series | None:
    """Tell each starting row's arm.

    Parameters
    ----------
    plan : CohortPlan
        With its arm, cluster and strata.
    rows : DataFrame
        The starting rows with the new columns.
    where : str
        The study or definition, for messages.

    Returns
    -------
    Series of str or None
        "treated", "comparison" or missing; None where the plan has no arm.

    Raises
    ------
    StudyError
        A column of arm, cluster or strata is not there.
    """
    named = {"arm.column": plan.arm.column if plan.arm else None, "cluster": plan.cluster, "strata": plan.strata}
    known = [name for name in rows.columns if not str(name).startswith("_")]
    problems = [
        f'[cohort] {key} names "{name}", not a column of the index row or of people. {did_you_mean(name, known)}'
        for key, name in named.items()
        if name is not None and name not in rows.columns
    ]
    if problems:
        raise StudyError(several(where, problems))
    if plan.arm is None:
        return None
    column = rows[plan.arm.column]
    arms = np.where(
        _is(column, plan.arm.treated), "treated", np.where(_is(column, plan.arm.comparison), "comparison", "")
    )
    found = pd.Series(arms, index=rows.index, dtype="str")
    return found.mask(found == "")


def _is(column: pd.Series, value: str | int | bool) -> np.ndarray:
    """Where a column holds a value of the plan; 1, 1.0, "1" and yes are alike where the column is of another type."""
    if isinstance(value, bool) and not pd.api.types.is_string_dtype(column.dtype):
        return (column.astype("object") == value).fillna(False).to_numpy(dtype=bool)
    text = text_of(column)
    if isinstance(value, bool) or pd.api.types.is_bool_dtype(column.dtype):
        words = {True: ("true", "yes", "1"), False: ("false", "no", "0")}
        wanted = value if isinstance(value, bool) else str(value).lower() in words[True]
        return text.str.lower().isin(words[wanted]).to_numpy(dtype=bool)
    return (text == str(value)).fillna(False).to_numpy(dtype=bool)


def arm_step(arm: Arm, rows: pd.DataFrame, arms: pd.Series, origin: dict[str, str]) -> Step:
    """The last step of the flow: people in neither arm are left out.

    Parameters
    ----------
    arm : Arm
        The plan's arm.
    rows : DataFrame
        The starting rows.
    arms : Series of str
        "treated", "comparison" or missing.
    origin : dict of str to str
        The table of each column.

    Returns
    -------
    Step
        Unknown where the arm's column is missing.
    """
    met = pd.Series(arms.notna().to_numpy(), index=rows.index, dtype="boolean")
    if arm.column in origin:
        met = met.mask(rows[arm.column].isna().to_numpy())
    names = [arm.treated_name or str(arm.treated), arm.comparison_name or str(arm.comparison)]
    return Step("arm", f"in one of the two arms: {names[0]} or {names[1]}", "", met)


def check_arms(plan: CohortPlan, rows: pd.DataFrame, arms: pd.Series, flow: pd.DataFrame, where: str) -> None:
    """Somebody must be left in each arm.

    Parameters
    ----------
    plan : CohortPlan
        With an arm.
    rows : DataFrame
        The starting rows.
    arms : Series of str
        The arm of each.
    flow : DataFrame
        The finished flow.
    where : str
        The study or definition, for messages.

    Raises
    ------
    DataError
        An arm has nobody in it.
    """
    if plan.arm is None:
        return
    problems = []
    for name, value in (("treated", plan.arm.treated), ("comparison", plan.arm.comparison)):
        if flow[name].iloc[-1]:
            continue
        lead = f'the {name} arm ({plan.arm.column} is "{value}") has nobody in it'
        if (arms == name).any():
            empty = flow[flow[name] == 0].iloc[0]
            problems.append(f'{lead} after {empty["kind"]} "{empty["says"]}". Check that rule.')
        else:
            values = text_of(rows[plan.arm.column]).dropna().unique()
            shown = did_you_mean(str(value), values) if len(values) <= 10 else ""
            problems.append(f"{lead}: no row has that value. {shown}".strip())
    raise_data(where, problems)


def flag_words(plan: CohortPlan, rows: pd.DataFrame, arms: pd.Series | None) -> list[Flag]:
    """A caveat on words of the arm's column that are neither arm: often a slip of the pen.

    Parameters
    ----------
    plan : CohortPlan
        With an arm, or without.
    rows : DataFrame
        The starting rows.
    arms : Series of str, or None
        The arm of each.

    Returns
    -------
    list of Flag
        At most one, naming the words.
    """
    if plan.arm is None or arms is None:
        return []
    words_found = text_of(rows.loc[arms.isna(), plan.arm.column]).dropna().unique()
    if not len(words_found):
        return []
    shown = listed([f'"{word}"' for word in words_found[:5]])
    text = f"Column {plan.arm.column} holds words that are neither arm: {shown}."
    detail = (
        f'These people are left out. The arms are "{plan.arm.treated}" and "{plan.arm.comparison}", letter by letter.'
    )
    return [Flag("cohort", "caution", text, detail, plan.arm.column)]


def flag_groups(plan: CohortPlan, table: pd.DataFrame) -> list[Flag]:
    """Caveats on people whose cluster or stratum is missing.

    Parameters
    ----------
    plan : CohortPlan
        With cluster and strata.
    table : DataFrame
        The cohort's table.

    Returns
    -------
    list of Flag
        One per column with missing values.
    """
    flags = []
    for name, source in (("cluster", plan.cluster), ("strata", plan.strata)):
        missing = int(table[name].isna().sum()) if source is not None else 0
        if missing:
            who = how_many(missing, "person", "people")
            detail = (
                "Intervals that allow for clusters cannot count them."
                if name == "cluster"
                else "They belong to no block."
            )
            flags.append(Flag("cohort", "caution", f"For {who} the {name} ({source}) is missing.", detail, str(source)))
    return flags
