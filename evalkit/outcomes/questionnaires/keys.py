"""The keys of an instrument: its entry on the shelf, its scales, and the parts that must be asked for by name.

A part of an entry (a set of bands, a reliable change, a norm) has a status of its own. What is unconfirmed is never
used unasked: it comes by its full name, "<name> (unconfirmed)", as an unconfirmed entry does.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from evalkit import library
from evalkit.errors import DataError, StudyError, did_you_mean
from evalkit.words import listed

UNCONFIRMED = "unconfirmed"
_BY_THAT_NAME = f" ({UNCONFIRMED})"
_NEEDED = ("id", "items", "range", "scale", "better")
_NOT_PARTS = ("scale", "example")
_CASES = ("at or above", "above", "at or below", "below")
_RECORDS = {
    "attainment": "a column of the table",
    "attendance": "outcomes.attendance",
    "days_in_care": "outcomes.days_in_state",
    "ladder": "outcomes.distance_travelled",
    "offending": "outcomes.offending",
    "placements": "outcomes.placements",
}


def questionnaire(instrument: str | dict[str, Any]) -> dict[str, Any]:
    """Take a questionnaire off the shelf, or look over one of the user's own.

    Parameters
    ----------
    instrument : str or dict
        An id on the shelf, or an entry of the same shape.

    Returns
    -------
    dict
        The entry.

    Raises
    ------
    StudyError
        Not on the shelf, unconfirmed and not asked for as such, a record instead of a questionnaire, or an entry
        that lacks something.
    """
    keys = library.load("instruments", instrument) if isinstance(instrument, str) else instrument
    if keys.get("type") == "record":
        name = str(keys.get("id", ""))
        raise StudyError(f'"{name}" is a kind of record and has no items to score. {_served_by(name)}'.strip())
    lacks = [name for name in _NEEDED if name not in keys]
    lacks += [f"bands.from ({one.get('id', 'a set')})" for one in keys.get("bands", []) if "from" not in one]
    if lacks:
        raise StudyError(f"The instrument's entry lacks {listed(lacks)}. Give it as the files on the shelf do.")
    return keys


def _served_by(name: str) -> str:
    return f"Use {_RECORDS[name]} instead." if name in _RECORDS else ""


def confirmed(part: dict[str, Any]) -> bool:
    """Whether an entry or a part of one may be used unasked."""
    return part.get("status") != UNCONFIRMED


def part_of(keys: dict[str, Any], name: str) -> dict[str, Any]:
    """Take a part of an entry by its name: "change", "added_value", or the id of bands, norms, a cut-off.

    Parameters
    ----------
    keys : dict
        The instrument's entry.
    name : str
        An unconfirmed part comes only as "<name> (unconfirmed)".

    Returns
    -------
    dict
        The part.

    Raises
    ------
    StudyError
        No such part, with the nearest, or an unconfirmed one not asked for as such.
    """
    wanted = name.removesuffix(_BY_THAT_NAME)
    parts = _parts(keys)
    if wanted not in parts:
        raise StudyError(f'"{keys["id"]}" has no part "{wanted}". {did_you_mean(wanted, parts)}'.strip())
    if not confirmed(parts[wanted]) and wanted == name:
        raise StudyError(
            f'"{wanted}" of "{keys["id"]}" is unconfirmed: it has no second source. '
            f'To use it all the same, ask for "{wanted}{_BY_THAT_NAME}".'
        )
    return parts[wanted]


def _parts(keys: dict[str, Any]) -> dict[str, dict[str, Any]]:
    parts: dict[str, dict[str, Any]] = {}
    for name, value in keys.items():
        if isinstance(value, dict) and "status" in value:
            parts[name] = value
        elif name not in _NOT_PARTS and isinstance(value, list):
            parts |= {each["id"]: each for each in value if isinstance(each, dict) and "id" in each}
    return parts


def measure_keys(instrument: str | dict[str, Any], scale: str | None = None) -> dict[str, Any]:
    """Say what one score of an instrument is, its own direction included.

    Parameters
    ----------
    instrument : str or dict
        An id on the shelf, or an entry of the same shape.
    scale : str, optional
        Default: the main scale.

    Returns
    -------
    dict
        ``id``, ``scale``, ``title``, ``unit``, ``values``, ``better`` (of this scale: SDQ prosocial is better
        higher), ``low``, ``high``, ``informants``, ``reference_period``, and ``cutoff`` and ``change``: the first
        confirmed ones of this scale, or None. A score on the cut-off's ``at`` counts as clinical; ``says`` is the
        rule in the source's own terms ("below 15", for which ``at`` is 14).

    Raises
    ------
    DataError
        No such scale, no main one, or a cut-off that does not say which side of it is clinical.
    """
    keys = questionnaire(instrument)
    entry = main_scale(keys, scale)
    low, high = entry["range"]
    cutoffs = [
        part
        for part in keys.get("cutoff", [])
        if part["scale"] == entry["id"] and confirmed(part) and not part.get("by_name")
    ]
    change = keys.get("change")
    mine = change is not None and confirmed(change) and change.get("scale", entry["id"]) == entry["id"]
    return {
        "id": keys["id"],
        "scale": entry["id"],
        "title": f"{keys.get('title', keys['id'])}: {entry.get('title', entry['id'])}",
        "unit": keys.get("unit", "points"),
        "values": keys.get("values", "score"),
        "better": entry.get("better", keys["better"]),
        "low": low,
        "high": high,
        "informants": keys.get("informants", []),
        "reference_period": keys.get("reference_period", {}),
        "cutoff": _reached(cutoffs[0], keys, entry) if cutoffs else None,
        "change": change if mine else None,
    }


def _reached(cutoff: dict[str, Any], keys: dict[str, Any], scale: dict[str, Any]) -> dict[str, Any]:
    """A cut-off by the last score that counts as clinical, whichever way its source words it."""
    case, at = cutoff.get("case", ""), cutoff["at"]
    if case not in _CASES:
        ways = listed([f'"{one}"' for one in _CASES], last="or")
        raise DataError(
            f'The cut-off "{cutoff["id"]}" of "{keys["id"]}" does not say which scores are clinical. '
            f"Write case = {ways}."
        )
    clinical_high = case in ("at or above", "above")
    if clinical_high is (scale.get("better", keys["better"]) == "higher"):
        raise DataError(f'The cut-off "{cutoff["id"]}" of "{keys["id"]}" calls the better scores clinical. Correct it.')
    if case in ("below", "above"):
        toward = -1 if case == "below" else 1
        whole = _whole(keys, scale) and float(at).is_integer()
        at = at + toward if whole else float(np.nextafter(at, toward * np.inf))
    return cutoff | {"at": at, "says": f"{case} {cutoff['at']:g}"}


def _whole(keys: dict[str, Any], scale: dict[str, Any]) -> bool:
    """Whether a scale has whole scores only: sums of whole answers, none pro-rated unless rounded."""
    if keys.get("answers") == "decimal" or "convert" in scale or scale.get("divide", 1) != 1:
        return False
    if "sum_of" in scale:
        return all(_whole(keys, scale_entry(keys, part)) for part in scale["sum_of"])
    complete = scale["answered"] == len(scale["items"]) or keys.get("rounding") == "half up"
    return complete and (scale.get("combine", "sum") == "sum" or len(scale["items"]) == 1)


def main_scale(keys: dict[str, Any], scale: str | None = None) -> dict[str, Any]:
    """Find the scale asked for, or the instrument's main one.

    Raises
    ------
    DataError
        The instrument has no such scale, or no score of it is the main one.
    """
    if scale is None and not keys.get("main"):
        names = [one["id"] for one in keys["scale"]]
        raise DataError(f'No score of "{keys["id"]}" is the main one. Name one: scale = {listed(names, last="or")}.')
    return scale_entry(keys, scale or keys["main"])


def scale_entry(keys: dict[str, Any], name: str) -> dict[str, Any]:
    """Find a scale by its id; a DataError where there is none."""
    known = {scale["id"]: scale for scale in keys["scale"]}
    if name not in known:
        raise DataError(f'"{keys["id"]}" has no scale "{name}". {did_you_mean(name, known)}')
    return known[name]


def items_of(keys: dict[str, Any], scale: str) -> list[str]:
    """The items that make up a scale, through the scales it adds up or converts."""
    entry = scale_entry(keys, scale)
    if "items" in entry:
        return list(entry["items"])
    parts = entry.get("sum_of", [entry["convert"]] if "convert" in entry else [])
    return [item for part in parts for item in items_of(keys, part)]


# ---------------------------------------------------------------- bands


def result_columns(keys: dict[str, Any]) -> list[str]:
    """The columns a scored instrument has: its scales, then the bands of each scale."""
    scales = [scale["id"] for scale in keys["scale"]]
    banded = dict.fromkeys(name for bands in keys.get("bands", []) for name in bands["from"])
    return [*scales, *(column for name in banded for column, _ in shown_bands(keys, name))]


def shown_bands(keys: dict[str, Any], scale: str) -> list[tuple[str, dict[str, Any]]]:
    """The sets of bands that are added unasked to the scores of a scale, each with its column."""
    sets = [one for one in keys.get("bands", []) if scale in one["from"]]
    shown = [one for one in sets if confirmed(one) and not one.get("by_name", False)]
    return [(one.get("column", f"{scale}_{one['id']}"), one) for one in shown]


def in_bands(values: np.ndarray, bands: dict[str, Any], scale: dict[str, Any], keys: dict[str, Any]) -> np.ndarray:
    """Number the bands of scores, best first; ``from`` holds the lowest score of each, so none falls between two.

    Parameters
    ----------
    values : ndarray of float
        Scores, NaN for missing; they need not be whole numbers.
    bands : dict
        A set of bands: ``from`` by scale, ``first`` the number of the best.
    scale, keys : dict
        The scale's and the instrument's entry.

    Returns
    -------
    ndarray of float
        NaN for missing.

    Raises
    ------
    DataError
        The set has no bands for this scale.
    """
    if scale["id"] not in bands.get("from", {}):
        known = did_you_mean(scale["id"], bands.get("from", {}))
        raise DataError(f'"{bands["id"]}" of "{keys["id"]}" has no bands for "{scale["id"]}". {known}'.strip())
    starts = bands["from"][scale["id"]]
    higher = scale.get("better", keys["better"]) == "higher"
    worse = [values < start for start in starts[:-1]] if higher else [values >= start for start in starts[1:]]
    band = np.full(len(values), float(bands.get("first", 1)))
    for one in worse:
        band += one
    band[np.isnan(values)] = np.nan
    return band
