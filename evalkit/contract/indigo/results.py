"""What was achieved of each metric, where several results of it are recorded: nothing cumulative is added up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from evalkit.contract.schedule import month_of

KEY = ["project", "metric"]
COLUMNS = ["achieved", "engaged", "results", "rests_on", "achieved_text", "why"]


def achieved_of(results: pd.DataFrame) -> pd.DataFrame:
    """Decide which number of units each metric's results amount to.

    Parameters
    ----------
    results : DataFrame
        project, metric, level, type, start, end, achieved (missing where no plain number), achieved_text, engaged.

    Returns
    -------
    DataFrame
        Indexed by project and metric: achieved; engaged; results, how many are recorded; rests_on ("final", "interim",
        "type not stated", "" where there is no number); achieved_text, what is written where there is no number; why,
        what was decided where there was something to decide.

    Notes
    -----
    Results of the outcome level go before those of the project level; the two are never added. A result whose period
    covers the others' is cumulative and stands for them; so does the only final result where periods are not known.
    Results of periods that follow one another are added. What cannot be told apart gives no number.
    """
    rows = results[results["metric"] != ""]
    whole = rows["achieved"].notna()
    grouped = rows.groupby(KEY, sort=False)
    table = pd.DataFrame({"results": grouped.size()})
    numbers = rows[whole]
    count = numbers.groupby(KEY, sort=False).size()
    single = numbers.set_index(KEY)[["achieved", "engaged", "type"]]
    single = single[single.index.isin(count[count == 1].index)]
    for name in ("achieved", "engaged"):
        table[name] = single[name].reindex(table.index)
    table["rests_on"] = single["type"].str.lower().replace("", "type not stated").reindex(table.index).fillna("")
    texts = rows.loc[~whole & (rows["achieved_text"] != "")].groupby(KEY, sort=False)["achieved_text"].agg("\n".join)
    table["achieved_text"] = texts.reindex(table.index).fillna("").astype("str")
    table["why"] = _passed_over(table, rows[~whole]).astype("str")
    for key in count[count > 1].index:
        several = numbers[(numbers["project"] == key[0]) & (numbers["metric"] == key[1])]
        for name, value in zip(("achieved", "engaged", "rests_on", "why"), _decide(several), strict=True):
            table.at[key, name] = value
    return table[COLUMNS]


def _passed_over(table: pd.DataFrame, wordy: pd.DataFrame) -> pd.Series:
    """Where an interim number stands beside a final result in words."""
    final = wordy[(wordy["type"].str.lower() == "final") & (wordy["achieved_text"] != "")].set_index(KEY).index
    said = (table["rests_on"] != "final") & table["achieved"].notna() & table.index.isin(final)
    return pd.Series(np.where(said, "a final result is recorded in words only", ""), index=table.index)


def _decide(rows: pd.DataFrame) -> list[Any]:
    """achieved, engaged, rests_on and why, for the several plain numbers of one metric."""
    level = rows["level"].str.lower()
    said = ""
    if (level == "outcome level").any() and (level != "outcome level").any():
        rows = rows[level == "outcome level"]
        said = "results of the project level were left aside; "
    if len(rows) == 1:
        return [*_of(rows, rows.index), f"{said}one result is left"]
    same = rows.drop_duplicates(["type", "start", "end", "achieved"])
    if len(same) < len(rows):
        said += "a result recorded twice counts once; "
    chosen, why = _by_period(same)
    if chosen is None:
        return [np.nan, np.nan, "", f"{said}{why}"]
    return [*_of(same, chosen), f"{said}{why}"]


def _of(rows: pd.DataFrame, chosen: pd.Index) -> list[Any]:
    """achieved, engaged and rests_on of the chosen rows."""
    taken = rows.loc[chosen]
    types = {kind.lower() or "type not stated" for kind in taken["type"]}
    return [taken["achieved"].sum(), taken["engaged"].max(), " and ".join(sorted(types))]


def _by_period(rows: pd.DataFrame) -> tuple[pd.Index | None, str]:
    """Which rows to count, and why; None where the record does not say."""
    if len(rows) == 1:
        return rows.index, "one result is left"
    start, end = (_months(rows[name], name == "end") for name in ("start", "end"))
    final = rows["type"].str.lower() == "final"
    if start.isna().any() or end.isna().any():
        if final.sum() == 1:
            return rows.index[final], "the final result counts, earlier ones are part of it"
        return None, "several results, and their periods do not say whether they are cumulative"
    covers = (start == start.min()) & (end == end.max())
    pick = covers & final if (covers & final).sum() == 1 else covers
    if pick.sum() == 1:
        return rows.index[pick], "the result whose period covers the others counts"
    order = np.lexsort((end, start))
    if (start.to_numpy()[order][1:] >= end.to_numpy()[order][:-1]).all() and not covers.any():
        return rows.index, "results of periods that follow one another were added"
    if final.sum() == 1 and end[final].iloc[0] == end.max():
        return rows.index[final], "the final result counts; its period overlaps the earlier ones'"
    return None, "several results whose periods overlap: which of them counts is not known"


def _months(column: pd.Series, last: bool) -> pd.Series:
    return column.map(lambda text: month_of(text, last)).astype(float)
