"""Scoring an instrument: item answers in, scale scores and bands out, by the keys on the shelf.

Answers are turned into small integers once, and every scale is a lookup by (sum, items answered). The missing rule
and the rounding then stand in one small table per scale instead of in arithmetic on half a million forms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from evalkit import library
from evalkit.errors import DataError, did_you_mean, several
from evalkit.words import listed

CODINGS = ("as_ticked", "as_scored")
_BLANK = -1
_SHOWN = 5


def score(
    items: pd.DataFrame,
    instrument: str | dict[str, Any],
    columns: Sequence[str] | None = None,
    coding: str = "as_ticked",
) -> pd.DataFrame:
    """Score the answers to an instrument.

    Parameters
    ----------
    items : DataFrame, shape (n_forms, n_items or more)
        One row per form; a blank answer is missing.
    instrument : str or dict
        An id on the shelf, or an entry of the same shape (a licensed instrument of the user's own).
    columns : sequence of str, optional
        The item columns in the instrument's own order, supplement items last; default: the shelf's names. Without
        the supplement its scores are missing.
    coding : {"as_ticked", "as_scored"}
        Whether the answers stand as printed on the form, or the reverse keys have been applied already.

    Returns
    -------
    DataFrame, shape (n_forms, n_scores)
        The same index; one column per scale in points, then the bands (1 is best), all float with NaN for missing.

    Raises
    ------
    DataError
        Missing columns, or answers that are not possible, with column, rows, count and remedy.
    StudyError
        An instrument that is not on the shelf.

    References
    ----------
    The ``sources`` of the instrument's own file.
    """
    keys = library.load("instruments", instrument) if isinstance(instrument, str) else instrument
    where = f'answers to "{keys["id"]}"'
    codes = answers(items, keys, columns, coding, where, lambda positions: items.index[positions])
    return pd.DataFrame(scores(codes, keys, len(items)), index=items.index)


def answers(
    items: pd.DataFrame,
    keys: dict[str, Any],
    columns: Sequence[str] | None,
    coding: str,
    where: str,
    name_rows: Callable[[np.ndarray], Iterable[object]],
) -> dict[str, np.ndarray]:
    """Check the answers and code them, lowest answer 0, blank -1, reverse keys and recodes applied.

    Parameters
    ----------
    items, keys, columns, coding
        As in `score`, with the instrument's entry as ``keys``.
    where : str
        The file or table, for messages.
    name_rows : callable
        From row positions to the words by which the user finds them (line numbers, index labels).

    Returns
    -------
    dict of str to int16 array, shape (n_forms,)
        By the shelf's item name.

    Raises
    ------
    DataError
        As in `score`.
    """
    if coding not in CODINGS:
        raise DataError(f'{where}: coding "{coding}" is not known. {did_you_mean(coding, CODINGS)}')
    named = _columns(items, keys, columns, where)
    problems, codes = [], {}
    for item, column in named.items():
        code, impossible = _code(items[column], _range(keys, item))
        if impossible.any():
            problems.append(_impossible(column, np.flatnonzero(impossible), _range(keys, item), name_rows))
        codes[item] = code
    if problems:
        raise DataError(several(where, problems))
    return _keyed(codes, keys, coding)


def scores(codes: dict[str, np.ndarray], keys: dict[str, Any], rows: int) -> dict[str, np.ndarray]:
    """Turn coded answers into scale scores and bands, by column name in the shelf's order."""
    found: dict[str, np.ndarray] = {}
    for scale in keys["scale"]:
        found[scale["id"]] = _scale(scale, codes, found, keys, rows)
    sets = keys.get("bands", [])
    for name in sets[0]["edges"] if sets else []:
        higher = _scale_entry(keys, name).get("better", keys["better"]) == "higher"
        for bands in sets:
            found[f"{name}_{bands['id']}"] = _band(found[name], bands["edges"][name], higher)
    return found


def main_scale(keys: dict[str, Any], scale: str | None = None) -> dict[str, Any]:
    """Find the scale asked for, or the instrument's main one.

    Raises
    ------
    DataError
        The instrument has no such scale.
    """
    return _scale_entry(keys, scale or keys["main"])


def _scale_entry(keys: dict[str, Any], name: str) -> dict[str, Any]:
    known = {scale["id"]: scale for scale in keys["scale"]}
    if name not in known:
        raise DataError(f'"{keys["id"]}" has no scale "{name}". {did_you_mean(name, known)}')
    return known[name]


# ---------------------------------------------------------------- answers


def _columns(items: pd.DataFrame, keys: dict[str, Any], columns: Sequence[str] | None, where: str) -> dict[str, str]:
    """Which column holds which item; without the supplement its items are left out."""
    core, extra = list(keys["items"]), list(keys.get("supplement", {}).get("items", []))
    if columns is None:
        wanted = core + (extra if set(extra) & set(items.columns) else [])
        named = dict(zip(wanted, wanted, strict=True))
    elif len(columns) in (len(core), len(core) + len(extra)):
        named = dict(zip(core + extra, columns, strict=False))
    else:
        also = f", or {len(core) + len(extra)} with the supplement" if extra else ""
        raise DataError(f"{where}: {len(columns)} item columns were named and the instrument has {len(core)}{also}.")
    absent = [column for column in named.values() if column not in items.columns]
    if absent:
        shown = listed([f'"{column}"' for column in absent[:_SHOWN]])
        raise DataError(
            f"{where}: {len(absent)} of {len(named)} item columns are not there: {shown}. "
            "Name the item columns in the instrument's order (items = [...])."
        )
    return named


def _range(keys: dict[str, Any], item: str) -> tuple[int, int]:
    low, high = keys["range"] if item in keys["items"] else keys["supplement"]["range"]
    return int(low), int(high)


def _code(column: pd.Series, limits: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Answers as integers from 0, blanks as -1, and which rows hold something else."""
    low, high = limits
    values = numbers(column)
    text = np.isnan(values) & column.notna().to_numpy() if column.dtype.kind not in "fiu" else None
    blank = np.isnan(values)
    code = np.where(blank | (np.abs(values) > 1e4), low + _BLANK, values).astype(np.int16)
    impossible = ~blank & ((code != values) | (code < low) | (code > high))
    return code - np.int16(low), impossible if text is None else impossible | text


def numbers(column: pd.Series) -> np.ndarray:
    """A column as float, NaN where blank and where the entry is not a number."""
    if column.dtype.kind == "f" and isinstance(column.dtype, np.dtype):
        return column.to_numpy()
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.to_numpy(dtype=float, na_value=np.nan)
    return pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)


def rows_in_words(found: Sequence[object]) -> str:
    """Name the first few rows: "rows 3, 9 and 12 (12 in all)"."""
    shown = listed([str(row) for row in found[:_SHOWN]])
    more = f" and others ({len(found)} in all)" if len(found) > _SHOWN else f" ({len(found)} in all)"
    return f"{'row' if len(found) == 1 else 'rows'} {shown}{more}"


def _impossible(column: str, positions: np.ndarray, limits: tuple[int, int], name_rows: Callable) -> str:
    rows = rows_in_words(list(name_rows(positions)))
    low, high = limits
    return (
        f'Column "{column}", {rows}: not a possible answer, which is a whole number from {low} to {high}. '
        "Correct it, or leave it blank when it is missing."
    )


def _keyed(codes: dict[str, np.ndarray], keys: dict[str, Any], coding: str) -> dict[str, np.ndarray]:
    """Apply the reverse keys and the supplement's recode; the extra last place of each table is for blanks."""
    low, high = keys["range"]
    if coding == "as_ticked":
        turn = np.array([*range(high - low, -1, -1), _BLANK], dtype=np.int16)
        codes = codes | {item: turn[codes[item]] for item in keys["reverse"]}
    extra = keys.get("supplement", {})
    if "recode" in extra:
        recode = np.array([*extra["recode"], _BLANK], dtype=np.int16)
        codes = codes | {item: recode[codes[item]] for item in extra["items"] if item in codes}
    return codes


# ---------------------------------------------------------------- scales and bands


def _scale(
    scale: dict[str, Any], codes: dict[str, np.ndarray], found: dict[str, np.ndarray], keys: dict[str, Any], rows: int
) -> np.ndarray:
    if "sum_of" in scale:
        return np.sum([found[part] for part in scale["sum_of"]], axis=0)
    if "convert" in scale:
        return _converted(found[scale["convert"]], scale["table"], scale["range"][0])
    if any(item not in codes for item in scale["items"]):
        return np.full(rows, np.nan)
    return _summed(scale, codes, keys)


def _summed(scale: dict[str, Any], codes: dict[str, np.ndarray], keys: dict[str, Any]) -> np.ndarray:
    """Look the score up by the sum of the codes and the number of blanks, whose codes are -1 each."""
    parts = [codes[item] for item in scale["items"]]
    blanks = np.zeros(len(parts[0]), dtype=np.int16)
    total = np.zeros(len(parts[0]), dtype=np.int16)
    for part in parts:
        blanks += part < 0
        total += part
    table = _score_table(scale, keys)
    return table[blanks, total + blanks]


def _score_table(scale: dict[str, Any], keys: dict[str, Any]) -> np.ndarray:
    """Scores by (blanks, sum of codes from 0), pro-rated and rounded once; NaN where too few are answered."""
    count = len(scale["items"])
    in_core = scale["items"][0] in keys["items"]
    low = keys["range"][0] if in_core or "recode" not in keys["supplement"] else 0
    top = (
        keys["range"][1] - keys["range"][0]
        if in_core
        else max(keys["supplement"].get("recode", [keys["supplement"]["range"][1]]))
    )
    table = np.full((count + 1, count * top + 1), np.nan)
    for blanks in range(count - scale["answered"] + 1):
        answered = count - blanks
        sums = np.arange(count * top + 1) + low * answered
        table[blanks] = _pro_rated(sums, count, answered, keys["rounding"])
    return table


def _lowest_and_span(keys: dict[str, Any], item: str) -> tuple[int, int]:
    """The lowest scored answer, and how far above it the highest stands."""
    recode = None if item in keys["items"] else keys["supplement"].get("recode")
    if recode is not None:
        return 0, max(recode)
    low, high = _range(keys, item)
    return low, high - low


def _pro_rated(sums: np.ndarray, count: int, answered: int, rounding: str) -> np.ndarray:
    """Sum x items / answered; half up in whole numbers, so that no half is lost to binary fractions."""
    if rounding == "half up":
        return (2 * sums * count + answered) // (2 * answered)
    return sums * count / answered


def _converted(raw: np.ndarray, table: list[float], low: int) -> np.ndarray:
    values = np.array([*table, np.nan])
    place = np.where(np.isnan(raw), len(table), raw - low).astype(np.intp)
    return values[place]


def _band(values: np.ndarray, edges: list[float], higher: bool) -> np.ndarray:
    """1 for the best band; edges are upper edges, or lower edges where higher is better."""
    beyond = [(values < edge) if higher else (values > edge) for edge in edges[:-1]]
    band = np.asarray(np.sum(beyond, axis=0, dtype=np.int8), dtype=float) + 1
    band[np.isnan(values)] = np.nan
    return band
