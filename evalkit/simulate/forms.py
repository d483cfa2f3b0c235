"""Answers to questionnaires from a latent score, and their totals by the keys on the shelf."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from evalkit import library

Array = np.ndarray

# Where the latent answer passes from one category to the next, in standard deviations; chosen so that the totals
# look like those of families in trouble (SDQ total about 18, SWEMWBS about 19), not taken from any source.
_PROBLEM_STEPS = np.array([-0.4, 0.7], dtype=np.float32)
_STRENGTH_STEPS = np.array([-1.3, 0.1], dtype=np.float32)
_WELLBEING_STEPS = np.array([-1.5, -0.6, 0.5, 1.6], dtype=np.float32)
_SDQ_LOADING, _WELLBEING_LOADING = 0.5, 0.7


@functools.cache
def _keys(instrument: str) -> dict[str, Any]:
    return library.load("instruments", instrument)


def item_names(instrument: str) -> list[str]:
    """The item columns of an instrument, in its own order.

    Parameters
    ----------
    instrument : str
        An id on the shelf.

    Returns
    -------
    list of str
        Without the supplement.
    """
    return list(_keys(instrument)["items"])


def _positions(instrument: str, names: list[str]) -> list[int]:
    order = item_names(instrument)
    return [order.index(name) for name in names]


def _scale(instrument: str, scale: str) -> dict[str, Any]:
    return next(one for one in _keys(instrument)["scale"] if one["id"] == scale)


def noise(people: int, instrument: str, rng: np.random.Generator) -> Array:
    """The part of each answer that the latent score does not explain.

    Parameters
    ----------
    people : int
        Number of forms.
    instrument : str
        An id on the shelf.
    rng : Generator
        Source of chance.

    Returns
    -------
    ndarray, shape (people, n_items)
        Standard normal.
    """
    return rng.standard_normal((people, len(item_names(instrument))), dtype=np.float32)


def sdq_answers(problems: Array, chance: Array) -> Array:
    """Tick the 25 items of the parent SDQ.

    Parameters
    ----------
    problems : ndarray, shape (people,)
        Latent difficulties, mean about 0, standard deviation about 1.
    chance : ndarray, shape (people, 25)
        From `noise`.

    Returns
    -------
    ndarray of int8, shape (people, 25)
        0, 1, 2 as ticked: reversed items stand as printed on the form.
    """
    latent = _SDQ_LOADING * problems.astype(np.float32)[:, None] + np.sqrt(1 - _SDQ_LOADING**2) * chance
    kind = _positions("sdq_parent", _scale("sdq_parent", "prosoc")["items"])
    ticked = np.searchsorted(_PROBLEM_STEPS, latent).astype(np.int8)
    ticked[:, kind] = np.searchsorted(_STRENGTH_STEPS, -latent[:, kind])
    reverse = _positions("sdq_parent", _keys("sdq_parent")["reverse"])
    ticked[:, reverse] = 2 - ticked[:, reverse]
    return ticked


def swemwbs_answers(wellbeing: Array, chance: Array) -> Array:
    """Tick the 7 items of the short well-being scale.

    Parameters
    ----------
    wellbeing : ndarray, shape (people,)
        Latent well-being, mean about 0, standard deviation about 1.
    chance : ndarray, shape (people, 7)
        From `noise`.

    Returns
    -------
    ndarray of int8, shape (people, 7)
        1 to 5.
    """
    latent = _WELLBEING_LOADING * wellbeing.astype(np.float32)[:, None] + np.sqrt(1 - _WELLBEING_LOADING**2) * chance
    return (1 + np.searchsorted(_WELLBEING_STEPS, latent)).astype(np.int8)


def sdq_total(ticked: Array) -> Array:
    """Total difficulties, by the missing rule on the shelf.

    Parameters
    ----------
    ticked : ndarray, shape (people, 25)
        0, 1, 2 as ticked; below 0 is blank.

    Returns
    -------
    ndarray of float, shape (people,)
        0 to 40, NaN where a scale has too few answers.
    """
    keys = _keys("sdq_parent")
    answers = np.where(ticked < 0, np.nan, ticked.astype(float))
    reverse = _positions("sdq_parent", keys["reverse"])
    answers[:, reverse] = 2 - answers[:, reverse]
    parts = [_prorated(answers, _scale("sdq_parent", part)) for part in _scale("sdq_parent", "total")["sum_of"]]
    return np.sum(parts, axis=0)


def _prorated(answers: Array, scale: dict[str, Any]) -> Array:
    """A scale's score rounded half up, missing below its least number of answers."""
    mine = answers[:, _positions("sdq_parent", scale["items"])]
    answered = (~np.isnan(mine)).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        score = np.floor(np.nansum(mine, axis=1) * mine.shape[1] / answered + 0.5)
    return np.where(answered >= scale["answered"], score, np.nan)


def swemwbs_metric(ticked: Array) -> Array:
    """The metric score, complete forms only.

    Parameters
    ----------
    ticked : ndarray, shape (people, 7)
        1 to 5; below 1 is blank.

    Returns
    -------
    ndarray of float, shape (people,)
        7 to 35, NaN where an answer is blank.
    """
    table = np.array(_scale("swemwbs", "metric")["table"])
    raw = np.clip(ticked.sum(axis=1, dtype=int), 7, 35)
    return np.where((ticked > 0).all(axis=1), table[raw - 7], np.nan)
