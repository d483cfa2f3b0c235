"""Dated readings and the occasions they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evalkit.errors import Flag, Level
from evalkit.outcomes.ground import Ground, Reading
from evalkit.words import listed, percent

if TYPE_CHECKING:
    from evalkit.study.model import Occasion

_MANY_OUTSIDE = 0.1


def align(rows: pd.DataFrame, occasions: Sequence[Occasion]) -> pd.DataFrame:
    """Give each reading the occasion it belongs to, and keep one per person and occasion.

    A reading belongs to the nearest occasion among those whose window holds it (the earlier of two as near). Of
    several readings the one nearest the occasion's day is kept, of two as near the earlier.

    Parameters
    ----------
    rows : DataFrame
        ``person`` (any key), ``day`` (days after the index date); other columns are carried along.
    occasions : sequence of Occasion
        ``id``, ``day`` and ``window`` (days around ``day``, ends included).

    Returns
    -------
    DataFrame
        All rows, in their order, with ``occasion`` (missing outside every window) and ``kept`` (bool).
    """
    day = rows["day"].to_numpy(dtype=float)
    place, distance = np.full(len(rows), -1), np.full(len(rows), np.inf)
    ordered = sorted(occasions, key=lambda occasion: occasion.day)
    for number, occasion in enumerate(ordered):
        away = day - occasion.day
        nearer = (away >= occasion.window[0]) & (away <= occasion.window[1]) & (np.abs(away) < distance)
        place[nearer], distance[nearer] = number, np.abs(away[nearer])
    found = rows.assign(_place=place, _distance=distance).reset_index(drop=True)
    best = found[found["_place"] >= 0].sort_values(["_place", "person", "_distance", "day"], kind="stable")
    kept = best.drop_duplicates(["_place", "person"]).index
    names = np.array([*(occasion.id for occasion in ordered), None], dtype=object)
    found["occasion"], found["kept"] = names[place], found.index.isin(kept)
    return found.drop(columns=["_place", "_distance"]).set_index(rows.index)


def dated_readings(
    ground: Ground, measure: str, rows: pd.DataFrame, occasions: Sequence[Occasion]
) -> tuple[list[Reading], list[Flag]]:
    """Turn dated rows (person position, date, value) into one reading per occasion, with what must be said.

    Parameters
    ----------
    ground : Ground
        The cohort.
    measure : str
        The measure's id.
    rows : DataFrame
        ``person`` (position in the cohort, -1 outside it), ``date``, ``value``; numbered from 0.
    occasions : sequence of Occasion
        Those at which the measure is read.

    Returns
    -------
    list of Reading, list of Flag
        Occasions at which nobody was read are left out, with a flag.
    """
    ours = rows[rows["person"] >= 0]
    dated = ours[ours["value"].notna() & ours["date"].notna()]
    days = dated["date"].to_numpy() - ground.index_date.to_numpy()[dated["person"]]
    aligned = align(dated.assign(day=days / np.timedelta64(1, "D"), row=dated.index), occasions)
    readings = [_reading(ground, measure, occasion.id, aligned) for occasion in occasions]
    present = [reading for reading in readings if not np.isnan(reading.values).all()]
    flags = _flags(ground, measure, ours, aligned, occasions)
    absent = [reading.occasion for reading in readings if np.isnan(reading.values).all()]
    if present and absent:
        titles = ", ".join(ground.study.occasion_title(occasion) for occasion in absent)
        flags.append(Flag("outcomes", "caution", f"No reading falls into the window of: {titles}.", about=measure))
    return present, flags


def _reading(ground: Ground, measure: str, occasion: str, aligned: pd.DataFrame) -> Reading:
    rows = aligned[(aligned["occasion"] == occasion) & aligned["kept"]]
    values = np.full(len(ground.people), np.nan)
    when = np.full(len(ground.people), np.datetime64("NaT"), dtype="datetime64[s]")
    place = np.full(len(ground.people), -1)
    values[rows["person"]], when[rows["person"]] = rows["value"], rows["date"].to_numpy()
    place[rows["person"]] = rows["row"]
    return Reading(f"{measure}@{occasion}", measure, occasion, values, when, place)


def _flags(
    ground: Ground, measure: str, ours: pd.DataFrame, aligned: pd.DataFrame, occasions: Sequence[Occasion]
) -> list[Flag]:
    unscored = int(ours["value"].isna().sum())
    undated = int((ours["value"].notna() & ours["date"].isna()).sum())
    again = int((aligned["occasion"].notna() & ~aligned["kept"]).sum())
    flags: list[Flag] = []
    if unscored:
        text = f"{_readings(ground, unscored)} have too few answers for a score, or no value, and are not used."
        flags.append(Flag("outcomes", "note", text, about=measure))
    if undated:
        text = f"{_readings(ground, undated)} have no date and are not used."
        flags.append(Flag("outcomes", "caution", text, about=measure))
    if again:
        text = f"{_readings(ground, again)} fall into an occasion that already has one for the person."
        detail = "The reading nearest the occasion's day is used; of two as near, the earlier."
        flags.append(Flag("outcomes", "note", text, detail, measure))
    return flags + _outside_flags(ground, measure, aligned, occasions)


def _readings(ground: Ground, count: int, of: int = 0) -> str:
    """The start of a sentence about so many readings, to two figures: exact totals could be set against the tables."""
    shown = ground.says(count)
    if not shown[0].isdigit():
        return f"{shown[:1].upper()}{shown[1:]} readings"
    rough = round(count, 1 - len(str(count))) if count >= 10 else count
    return f"About {rough:,} readings{f' ({percent(count / of, 0)})' if of and count / of >= 0.005 else ''}"


def _outside_flags(ground: Ground, measure: str, aligned: pd.DataFrame, occasions: Sequence[Occasion]) -> list[Flag]:
    outside = aligned[aligned["occasion"].isna()]
    if outside.empty:
        return []
    first = min(occasion.day + occasion.window[0] for occasion in occasions)
    last = max(occasion.day + occasion.window[1] for occasion in occasions)
    early, late = int((outside["day"] < first).sum()), int((outside["day"] > last).sum())
    parts = [(early, "too early"), (late, "too late"), (len(outside) - early - late, "between two windows")]
    found = f"{_readings(ground, len(outside), len(aligned))} fall outside every occasion's window and are not used."
    detail = listed([word for n, word in parts if n])
    level: Level = "caution" if len(outside) > _MANY_OUTSIDE * len(aligned) else "note"
    return [Flag("outcomes", level, found, f"{detail[:1].upper()}{detail[1:]}.", measure)]
