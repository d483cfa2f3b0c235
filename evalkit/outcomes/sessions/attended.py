"""Sessions as they count: within the time, of people in the cohort, each once."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalkit.disclosure import in_words
from evalkit.errors import DataError, Flag, several
from evalkit.outcomes.questionnaires.answers import rows_in_words

_RECENT = 28


def counted_sessions(sessions: pd.DataFrame, cohort: pd.DataFrame, until: int) -> tuple[pd.DataFrame, list[Flag]]:
    """Keep the sessions that count, and say which were left out.

    Parameters
    ----------
    sessions : DataFrame
        ``person``, ``date``, ``attended`` and ``session`` where there are.
    cohort : DataFrame
        ``person``, ``index_date``, ``arm``, and ``treated`` where known.
    until : int
        Days after the index date.

    Returns
    -------
    tuple of (DataFrame, list of Flag)
        ``person``, ``day`` (after the index date), ``attended`` (1 or 0); and what a reader must know.

    Raises
    ------
    DataError
        Dates that are none, ``attended`` other than 0 and 1, or no session that counts.
    """
    table, flags = _read(sessions)
    index_date = pd.to_datetime(cohort["index_date"]).dt.normalize().set_axis(cohort["person"].to_numpy())
    outside = ~table["person"].isin(index_date.index)
    table["day"] = (table["date"] - table["person"].map(index_date)).dt.days
    early, late = table["day"] < 0, table["day"] >= until
    kept = table[~outside & ~early & ~late]
    if kept.empty:
        raise DataError(
            "sessions: none is of a person in the cohort and within the time after the index date. "
            "Compare the ids of both tables, and the dates."
        )
    flags += _left_out(table, {"of people outside the cohort": outside, "before the index date": early})
    flags += _left_out(table, {f"{until} days or more after the index date": late})
    flags += _once(kept)
    flags += _others(kept, cohort) + _unfinished(table, cohort, index_date, until)
    keys = ["person", "date", *(["session"] if "session" in kept else [])]
    counted = kept.groupby(keys, sort=False, dropna=False).agg(day=("day", "first"), attended=("attended", "max"))
    return counted.reset_index()[["person", "day", "attended"]], flags


def _read(sessions: pd.DataFrame) -> tuple[pd.DataFrame, list[Flag]]:
    table = sessions[[name for name in ("person", "date", "session") if name in sessions]].copy()
    rows = table.index.to_numpy()
    dates = pd.to_datetime(table["date"], errors="coerce")
    problems, flags = [], []
    if dates.isna().any():
        problems.append(f"{rows_in_words(list(rows[dates.isna()]))}: no date that can be read. Correct it.")
    if table["person"].isna().any():
        problems.append(f"{rows_in_words(list(rows[table['person'].isna()]))}: no person. Fill it in.")
    attended = sessions["attended"] if "attended" in sessions else pd.Series(1, index=sessions.index)
    codes = numeric_answers(attended)
    strange = attended.notna().to_numpy() & np.isnan(codes)
    if strange.any():
        found = rows_in_words(list(rows[strange]))
        problems.append(f'"attended", {found}: neither 1 nor 0. Write 1 where the person came, 0 where not.')
    if problems:
        raise DataError(several("sessions", problems))
    if np.isnan(codes).any():
        share = in_words(int(np.isnan(codes).sum()), len(codes))
        text = f"For {share} of the sessions it is not recorded whether the person came."
        flags.append(Flag("outcomes", "caution", text, "They count as offered and not attended."))
    table["date"], table["attended"] = dates.dt.normalize(), np.nan_to_num(codes).astype(int)
    return table, flags


def numeric_answers(column: pd.Series) -> np.ndarray:
    """Answers as 1 and 0.

    Parameters
    ----------
    column : Series
        1 and 0, true and false, or yes and no.

    Returns
    -------
    ndarray of float
        Missing where the answer is missing or is none of these.
    """
    words = column.astype("str").str.strip().str.lower()
    known = {"1": 1, "1.0": 1, "true": 1, "yes": 1, "0": 0, "0.0": 0, "false": 0, "no": 0}
    return words.map(known).to_numpy(dtype=float, na_value=np.nan)


def _left_out(table: pd.DataFrame, reasons: dict[str, pd.Series]) -> list[Flag]:
    return [
        Flag("outcomes", "note", f"Left out: {in_words(int(found.sum()), len(table))} of the sessions, {reason}.")
        for reason, found in reasons.items()
        if found.any()
    ]


def _once(kept: pd.DataFrame) -> list[Flag]:
    keys = ["person", "date", *(["session"] if "session" in kept else [])]
    repeats = kept.duplicated(keys)
    if not repeats.any():
        return []
    text = f"{in_words(int(repeats.sum()), len(kept))} of the sessions repeat another of the same person and day."
    told = "Each counts once, as attended if one of the records says so; a column session would tell them apart."
    return [Flag("outcomes", "caution", text[0].upper() + text[1:], told)]


def _others(kept: pd.DataFrame, cohort: pd.DataFrame) -> list[Flag]:
    """Sessions of people who were not to have any."""
    if "treated" not in cohort:
        return []
    came = kept.loc[kept["attended"] == 1, "person"]
    comparison = cohort.loc[cohort["treated"].astype(int) == 0, "person"]
    found = int(comparison.isin(came).sum())
    if not found:
        return []
    text = f"Of the comparison, {in_words(found, len(comparison))} attended sessions."
    detail = "Where the comparison has what the treated have, the difference between them understates the effect."
    return [Flag("outcomes", "serious", text, detail)]


def _unfinished(table: pd.DataFrame, cohort: pd.DataFrame, index_date: pd.Series, until: int) -> list[Flag]:
    """People who were still offered sessions when the records end, before their time was over."""
    arms = cohort.loc[cohort["person"].isin(table["person"]), "arm"].unique()
    own = index_date[cohort["arm"].isin(arms).to_numpy()]
    end = table["date"].max()
    last = own.index.to_series().map(table.groupby("person")["date"].max())
    recent = (last > end - pd.Timedelta(days=_RECENT)).to_numpy()
    open_still = recent & (own + pd.Timedelta(days=until) > end + pd.Timedelta(days=1)).to_numpy()
    if not open_still.any():
        return []
    share = in_words(int(open_still.sum()), len(own))
    text = f"The records end while sessions of {share} of the people may still have gone on."
    detail = f"They had one in the last {_RECENT} days on record, and their time was not over: they may be cut short."
    return [Flag("outcomes", "note", text, detail)]
