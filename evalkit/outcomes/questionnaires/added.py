"""The added value score of the parent SDQ: change beyond what referred families would have seen anyway.

The formula predicts the total at follow-up from three scores at baseline; what a service added is that prediction
less the total observed. It stands for a comparison group where there is none, and is no substitute for one.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evalkit import disclosure
from evalkit.errors import DataError, EstimationError, EvalkitWarning, several
from evalkit.outcomes.questionnaires.answers import numbers, rows_in_words
from evalkit.outcomes.questionnaires.keys import part_of, questionnaire, scale_entry
from evalkit.words import SUPPRESSED, interval, number

_INSTRUMENT = "sdq_parent"
_BY_NAME = "added_value (unconfirmed)"
CAVEAT = "The coefficients of the added value score are unconfirmed."
_SCALES = {"total_1": "total", "impact_1": "impact", "emotion_1": "emotion", "total_2": "total"}


@dataclass(frozen=True, repr=False)
class AddedValueSummary:
    """What a service added on average, in points of the SDQ total; 0 is no added value.

    Attributes
    ----------
    n, n_missing : int
        Children with a score, and without.
    mean, low, high : float
        Mean with its 95 % interval by t, as if children were independent.
    effect_size, effect_size_low, effect_size_high : float
        The same in standard deviations.
    text : str
        The finding in one sentence.
    """

    n: int
    n_missing: int
    mean: float
    low: float
    high: float
    effect_size: float
    effect_size_low: float
    effect_size_high: float
    text: str

    def __repr__(self) -> str:
        shown = disclosure.count(self.n) != SUPPRESSED
        return f"AddedValueSummary({self.text if shown else 'too few children to be shown; ' + CAVEAT})"


def added_value(total_1: Any, impact_1: Any, emotion_1: Any, total_2: Any) -> Any:
    """Score the added value of a service, child by child, from the parent SDQ at two occasions.

    Above 0 a child did better than expected, below 0 worse; 0 is no added value. The variables and their signs are
    checked, the coefficients are not, and an erratum of the paper was not read: a warning says so every time. A
    single child's score is uncertain by about 10 points either way, so it is for a service, not for a child.

    Parameters
    ----------
    total_1, impact_1, emotion_1 : Series, array or number, shape (n_children,)
        Total difficulties (0 to 40), impact (0 to 10) and emotional symptoms (0 to 10) at baseline.
    total_2 : Series, array or number, shape (n_children,)
        Total difficulties 4 to 8 months later.

    Returns
    -------
    Series of float, or float
        In points; missing where one of the four is. A Series is named "added_value" and has the index of the Series
        given; four single numbers give a single number.

    Raises
    ------
    DataError
        Scores that cannot be, with rows and count; lengths or indices that do not agree.

    References
    ----------
    Ford, Hutchings, Bywater, Goodman and Goodman (2009), British Journal of Psychiatry 194, 552-558.
    """
    warnings.warn(f"{CAVEAT} {added_value_part()['note']}", EvalkitWarning, stacklevel=2)
    found = computed({"total_1": total_1, "impact_1": impact_1, "emotion_1": emotion_1, "total_2": total_2})
    single = all(np.ndim(each) == 0 for each in (total_1, impact_1, emotion_1, total_2))
    return float(found.iloc[0]) if single else found


def computed(given: dict[str, Any]) -> pd.Series:
    """The formula by itself, for those who say what must be said of it in another way.

    Parameters
    ----------
    given : dict of str to Series, array or number
        ``total_1``, ``impact_1``, ``emotion_1``, ``total_2``, as in `added_value`.

    Returns
    -------
    Series of float
        As in `added_value`.

    Raises
    ------
    DataError
        As in `added_value`.
    """
    keys, formula = questionnaire(_INSTRUMENT), added_value_part()
    index = _index(given)
    values = {name: _scores(each, len(index)) for name, each in given.items()}
    _refuse_impossible(values, given, keys, index)
    found = formula["constant"] + sum(formula[name] * each for name, each in values.items())
    return pd.Series(found, index=index, name="added_value")


def added_value_part() -> dict[str, Any]:
    """The entry of the added value score on the shelf, asked for by its unconfirmed name."""
    return part_of(questionnaire(_INSTRUMENT), _BY_NAME)


def added_value_effect_size(values: pd.Series) -> pd.Series:
    """Write added value scores in standard deviations, 5 points being one.

    Parameters
    ----------
    values : Series
        From `added_value`.

    Returns
    -------
    Series of float
        Named "effect_size"; missing stays missing.
    """
    return (pd.Series(values, dtype=float) / _sd()).rename("effect_size")


def added_value_summary(values: pd.Series) -> AddedValueSummary:
    """Say what a service added on average.

    Parameters
    ----------
    values : Series
        From `added_value`; missing scores are left out and counted.

    Returns
    -------
    AddedValueSummary
        Mean and 95 % interval in points and in standard deviations. Children of one team or family are taken as
        independent; where they are not, the interval is too narrow.

    Raises
    ------
    EstimationError
        Fewer than two scores.
    """
    from scipy.stats import t

    scores = pd.Series(values, dtype=float).to_numpy()
    known = scores[~np.isnan(scores)]
    if len(known) < 2:
        raise EstimationError("Added value needs at least two children with both forms; fewer have no interval.")
    mean = float(known.mean())
    half = float(t.ppf(0.975, len(known) - 1) * known.std(ddof=1) / np.sqrt(len(known)))
    low, high, sd = mean - half, mean + half, _sd()
    text = (
        f"Added value {number(mean, 1, sign=True)} points (95% {interval(low, high)}); 0 = no added value. "
        f"{_reading(low, high)} The coefficients behind it are unconfirmed."
    )
    return AddedValueSummary(
        len(known), len(scores) - len(known), mean, low, high, mean / sd, low / sd, high / sd, text
    )


def _reading(low: float, high: float) -> str:
    if low > 0:
        return "Children did better than referred children are expected to."
    return (
        "Children did worse than referred children are expected to."
        if high < 0
        else "The interval holds 0, so no added value is shown."
    )


def _sd() -> float:
    return float(added_value_part()["sd"])


def _index(given: dict[str, Any]) -> pd.Index:
    """The index of the Series given, which must agree; else rows are numbered from 0."""
    indices = [each.index for each in given.values() if isinstance(each, pd.Series)]
    lengths = {np.size(each) for each in given.values()} - {1}
    if len(lengths) > 1 or any(not index.equals(indices[0]) for index in indices[1:]):
        raise DataError(
            "added value: the four scores do not belong to the same rows. Give them with one index and length."
        )
    return indices[0] if indices else pd.RangeIndex(lengths.pop() if lengths else 1)


def _scores(given: Any, count: int) -> np.ndarray:
    column = given if isinstance(given, pd.Series) else pd.Series(np.atleast_1d(np.asarray(given)))
    return np.broadcast_to(numbers(column).astype(float), (count,))


def _refuse_impossible(
    values: dict[str, np.ndarray], given: dict[str, Any], keys: dict[str, Any], index: pd.Index
) -> None:
    problems = []
    for name, scores in values.items():
        low, high = scale_entry(keys, _SCALES[name])["range"]
        wrong = (scores < low) | (scores > high) | (np.isnan(scores) & np.atleast_1d(pd.notna(given[name])))
        if wrong.any():
            rows = rows_in_words(list(index[np.flatnonzero(wrong)]))
            problems.append(f"{name}, {rows}: not a possible score, which is from {low} to {high}. Correct it.")
    if problems:
        raise DataError(several("added value", problems))
