"""Scoring an instrument: item answers in, scale scores and bands out, by the keys on the shelf.

Answers are turned into small integers once (`answers`), and every scale is a lookup by one sum that tells both how
many items are blank and what the others add up to. The missing rule, the rounding, conversions and bands then stand
in small tables instead of in arithmetic on half a million forms.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from evalkit.errors import DataError, EvalkitWarning, Flag
from evalkit.outcomes.questionnaires.answers import (
    Answers,
    NameRows,
    item_columns,
    numbers,
    read_answers,
    refuse,
    rows_in_words,
)
from evalkit.outcomes.questionnaires.keys import (
    confirmed,
    in_bands,
    main_scale,
    measure_keys,
    part_of,
    questionnaire,
    result_columns,
    scale_entry,
)
from evalkit.outcomes.questionnaires.steps import filled
from evalkit.words import listed

__all__ = [
    "banded",
    "confirmed",
    "item_columns",
    "main_scale",
    "measure_keys",
    "numbers",
    "part_of",
    "questionnaire",
    "rows_in_words",
    "score",
    "scored",
]

# The words by which the shelf tells informants apart; other words (a foster carer, a key worker) are the user's own.
INFORMANTS = ("parent", "teacher", "self", "clinician")
_LOOKED_AT = 5000  # forms from which the direction of the reversed items is judged
_ENOUGH = 20
_BY_CHANCE = 1.64  # times 1 / sqrt(n): a correlation further below zero is not put down to chance


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
        An id on the shelf, or an entry of the same shape (a licensed instrument of the user's own). An unconfirmed
        entry comes by its full name only: "rcads_47 (unconfirmed)".
    columns : sequence of str, optional
        The item columns in the instrument's own order, supplement items last; default: the shelf's names. Without
        the supplement its scores are missing.
    coding : {"as_ticked", "as_scored"}
        Whether the answers stand as printed on the form, or the reverse keys have been applied already.

    Returns
    -------
    DataFrame, shape (n_forms, n_scores)
        The same index; one column per scale in points, then the bands, all float with NaN for missing. What must be
        said of them stands in ``.attrs["flags"]`` (tuple of Flag) and is warned of (EvalkitWarning): reversed items
        that run against the rest, a scale without any score, unconfirmed keys, and forms of several informants or
        versions where ``items`` has a column ``informant`` or ``version``.

    Raises
    ------
    DataError
        Missing columns, or answers that are not possible, with column, rows, count and remedy.
    StudyError
        An instrument that is not on the shelf, is unconfirmed and not asked for as such, or is no questionnaire.

    References
    ----------
    The ``sources`` of the instrument's own file.
    """
    if not isinstance(items, pd.DataFrame):
        raise DataError("items must be a DataFrame, a row for each form: pd.DataFrame(answers, columns=[...]).")
    keys = questionnaire(instrument)
    where = f'answers to "{keys["id"]}"'
    found, said, answers = scored(items, keys, columns, coding, where, lambda positions: items.index[positions])
    found.attrs["flags"] = (*_mixed_flags(items, answers, keys), *said, *_empty_flags(answers, keys, found))
    for flag in found.attrs["flags"]:
        warnings.warn(f"{flag.text} {flag.detail}".strip(), EvalkitWarning, stacklevel=2)
    return found


def banded(scores: pd.Series, instrument: str | dict[str, Any], bands: str, scale: str | None = None) -> pd.Series:
    """Put scores into the bands of a named set, also one that `score` does not add.

    Parameters
    ----------
    scores : Series
        Scores of one scale, NaN for missing.
    instrument : str or dict
        As in `score`.
    bands : str
        The set's id in the instrument's file; an unconfirmed set comes as "<id> (unconfirmed)".
    scale : str, optional
        Default: the instrument's main scale.

    Returns
    -------
    Series of float
        The band's number, counted from the set's ``first``, best first; NaN for missing.

    Raises
    ------
    StudyError
        No such set, or an unconfirmed one not asked for as such.
    DataError
        No such scale, or none of that scale in the set.
    """
    keys = questionnaire(instrument)
    entry = scale_entry(keys, scale) if scale else main_scale(keys)
    found = part_of(keys, bands)
    values = in_bands(scores.to_numpy(dtype=float, na_value=np.nan), found, entry, keys)
    return pd.Series(values, index=scores.index, name=found.get("column", f"{entry['id']}_{found['id']}"))


def scored(
    items: pd.DataFrame,
    keys: dict[str, Any],
    columns: Sequence[str] | None,
    coding: str,
    where: str,
    name_rows: NameRows,
) -> tuple[pd.DataFrame, tuple[Flag, ...], Answers]:
    """Score answers by an entry, with what must be said of them and the answers themselves.

    Parameters
    ----------
    items, columns, coding
        As in `score`.
    keys : dict
        The instrument's entry.
    where : str
        The file or table, for messages.
    name_rows : callable
        From row positions to the words by which the user finds them (line numbers, index labels).

    Returns
    -------
    DataFrame, tuple of Flag, Answers
        The scores with the index of ``items``.

    Raises
    ------
    DataError
        As in `score`.
    """
    answers = read_answers(items, keys, columns, coding, where)
    names = result_columns(keys)
    out, wrong = filled(answers, keys, names)
    refuse(answers, keys, wrong, where, name_rows)
    found = pd.DataFrame(out.T, index=items.index, columns=names, copy=False)
    return found, (*_unconfirmed_flags(keys), *_coding_flags(answers, keys, coding)), answers


# ---------------------------------------------------------------- what must be said


def _mixed_flags(items: pd.DataFrame, answers: Answers, keys: dict[str, Any]) -> list[Flag]:
    """Forms of several informants or versions in one table; only the shelf's own words for informants are repeated."""
    told = _told(items, "informant", answers), _told(items, "version", answers)
    known = [word for word in INFORMANTS if word in told[0]]
    other = ["others"] if told[0] - set(known) else []
    flags = []
    if len(told[0]) > 1:
        text = f"Forms of several informants are scored as one: {listed([*known, *other])}."
        detail = f"{keys['id']} is for {listed(keys.get('informants', INFORMANTS), 'or')}; score each by itself."
        flags.append(Flag("outcomes", "caution", text, detail, keys["id"]))
    elif wrong := [word for word in known if word not in keys.get("informants", INFORMANTS)]:
        text = f"The forms are those of the informant {wrong[0]}."
        detail = f"{keys['id']} is for {listed(keys['informants'], 'or')}: bands and norms do not hold for another."
        flags.append(Flag("outcomes", "caution", text, detail, keys["id"]))
    if len(told[1]) > 1:
        text = f"Forms of {len(told[1])} versions are scored as one."
        detail = "Scores of two versions need not mean the same: score each by itself."
        flags.append(Flag("outcomes", "caution", text, detail, keys["id"]))
    return flags


def _told(items: pd.DataFrame, name: str, answers: Answers) -> set[str]:
    """What a column beside the answers says of the forms, in small letters; nothing where there is no such column."""
    if name not in items.columns or name in {item.column for item in answers.items.values()}:
        return set()
    values = items.loc[:, [name]].iloc[:, 0].dropna().unique()
    return {str(value).strip().lower() for value in values} - {""}


def _unconfirmed_flags(keys: dict[str, Any]) -> list[Flag]:
    if confirmed(keys):
        return []
    text = f"The keys of {keys['id']} are unconfirmed: they have no second source."
    return [Flag("outcomes", "caution", text, " ".join(keys.get("unconfirmed", [])), keys["id"])]


def empty_scales(answers: Answers, keys: dict[str, Any], found: pd.DataFrame) -> list[dict[str, Any]]:
    """Scales of which no form has enough answers, though their columns are there."""
    scales = [scale for scale in keys["scale"] if "items" in scale and set(scale["items"]) <= set(answers.items)]
    return [scale for scale in scales if len(found) and np.isnan(found[scale["id"]].to_numpy()).all()]


def _empty_flags(answers: Answers, keys: dict[str, Any], found: pd.DataFrame) -> list[Flag]:
    texts = [
        f"{keys['id']}: no form has enough answers for {one['title']}." for one in empty_scales(answers, keys, found)
    ]
    return [Flag("outcomes", "caution", text, keys.get("missing", ""), keys["id"]) for text in texts]


def _coding_flags(answers: Answers, keys: dict[str, Any], coding: str) -> list[Flag]:
    """Reversing twice is silent, since the range does not change; it shows where reversed items oppose the rest."""
    reverse = keys.get("reverse", [])
    if not reverse or not answers.count:
        return []
    rows = np.unique(np.linspace(0, answers.count - 1, min(answers.count, _LOOKED_AT)).astype(np.intp))
    sample = answers.keyed(rows)
    if sum(_opposes(item, keys, sample) for item in reverse) <= len(reverse) / 2:
        return []
    text = f"Most reversed items of {keys['id']} run against the rest of their scale: the coding may be wrong."
    other = "as_scored" if coding == "as_ticked" else "as_ticked"
    detail = f'Read as coding = "{coding}". If the keys were applied before, or were not, write coding = "{other}".'
    return [Flag("outcomes", "serious", text, detail, keys["id"])]


def _opposes(item: str, keys: dict[str, Any], sample: dict[str, np.ndarray]) -> bool:
    """Whether an item goes down as the mean of the others goes up, further than chance would have it."""
    reverse = set(keys["reverse"])
    scale = next(scale for scale in keys["scale"] if item in scale.get("items", []))
    mine = [other for other in scale["items"] if other not in reverse]
    others = np.array([sample[other] for other in mine or keys["items"] if other not in reverse])
    known = ~np.isnan(others)
    answered = known.sum(axis=0)
    rest = np.where(known, others, 0).sum(axis=0) / np.maximum(answered, 1)
    both = ~np.isnan(sample[item]) & (answered > 0)
    mine_now, rest_now = sample[item][both], rest[both]
    if both.sum() < _ENOUGH or mine_now.std() == 0 or rest_now.std() == 0:
        return False
    return bool(np.corrcoef(mine_now, rest_now)[0, 1] < -_BY_CHANCE / np.sqrt(both.sum()))
