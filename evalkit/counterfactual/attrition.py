"""Who has an outcome, by arm: uneven loss can make a difference of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from evalkit import disclosure, words
from evalkit.errors import Flag

if TYPE_CHECKING:
    from evalkit.outcomes import Outcomes

COLUMNS = ["outcome", "arm", "people", "analysed", "share"]
UNEVEN = 0.05


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
