"""How likely each person was to be read, fitted within each arm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.counterfactual.arms import ARMS
from evalkit.counterfactual.covariates import encode
from evalkit.counterfactual.scores import fit_score
from evalkit.errors import EstimationError, Flag

UNLIKELY = 0.1  # chance of being read below which a weight is called extreme
LARGE, UNEVEN = 0.10, 3.0  # of an arm's weight on one person; and so many times an even share


@dataclass(frozen=True, eq=False)
class Observing:
    """How likely each person was to be read, fitted within an arm.

    Parameters
    ----------
    rows : ndarray of bool, shape (n,)
        The arm.
    probability : ndarray, shape (n_arm,)
        Of being read; 1 where nobody of the arm was lost.
    design, influence : ndarray, shape (n_arm, k)
        Of the logit, and the rows' contributions to its coefficients; no columns where nobody was lost.
    """

    rows: np.ndarray
    probability: np.ndarray
    design: np.ndarray
    influence: np.ndarray


def fit_observing(covariates: pd.DataFrame, read: np.ndarray, arm: np.ndarray) -> list[Observing]:
    """Fit within each arm the logit of being read.

    Parameters
    ----------
    covariates : DataFrame, shape (n, k)
        As people write them.
    read, arm : ndarray, shape (n,)
        1 where the outcome is known; 1, 0 or NaN.

    Returns
    -------
    list of Observing
        One for each arm.

    Raises
    ------
    EstimationError
        Nobody of an arm was read, or the covariates tell the read from the lost without fail.
    """
    found = []
    for name, code in ARMS:
        mine = arm == code
        there = read[mine]
        if not there.any():
            raise EstimationError(f"nobody in the {name} arm was read, so nobody can speak for it.")
        fitted = _fit_arm(encode(covariates[mine].reset_index(drop=True))[0], there)
        if fitted is None:
            raise EstimationError(
                f"in the {name} arm the covariates tell the read from the lost without fail, so some of the lost have "
                "nobody to speak for them. Name fewer covariates, or use attrition_bounds."
            )
        found.append(Observing(mine, *fitted))
    return found


def _fit_arm(x: pd.DataFrame, there: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Probability, design and influence; None where some of the lost are like nobody who was read.

    People of a kind of whom all were read are read for certain, which a logit can only approach: they are set aside.
    """
    unsure = np.ones(len(there), bool)
    while not there[unsure].all():
        part, _ = encode(x[unsure].reset_index(drop=True))
        try:
            design, probability, influence = _fit_unsure(part, there[unsure])
        except EstimationError:
            certain = _all_read(part, there[unsure])
            if not certain.any():
                return None
            unsure[np.flatnonzero(unsure)[certain]] = False
            continue
        return _spread(probability, unsure, 1.0), _spread(design, unsure, 0.0), _spread(influence, unsure, 0.0)
    return np.ones(len(there)), np.zeros((len(there), 0)), np.zeros((len(there), 0))


def _fit_unsure(part: pd.DataFrame, there: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Design, probability and influence of a logit; of the share itself where nothing varies."""
    if part.shape[1]:
        score = fit_score(part, there)
        return score.design, score.probability, score.influence
    share = float(there.mean())
    if share == 0:
        raise EstimationError("nobody was read.")
    influence = (there - share)[:, None] / (len(there) * share * (1 - share))
    return np.ones((len(there), 1)), np.full(len(there), share), influence


def _all_read(part: pd.DataFrame, there: np.ndarray) -> np.ndarray:
    """People of a kind (a value of a two-valued column) of whom all were read."""
    certain = np.zeros(len(there), bool)
    for name in part:
        values = part[name].to_numpy()
        kinds = np.unique(values)
        for kind in kinds if len(kinds) == 2 else ():
            if there[values == kind].all():
                certain |= values == kind
    return certain


def _spread(values: np.ndarray, unsure: np.ndarray, fill: float) -> np.ndarray:
    """Rows of the unsure among all rows."""
    full = np.full((len(unsure), *values.shape[1:]), fill)
    full[unsure] = values
    return full


def extreme_flags(models: list[Observing], read: np.ndarray) -> list[Flag]:
    """Say where few people speak for many.

    Parameters
    ----------
    models : list of Observing
        By arm.
    read : ndarray, shape (n,)
        1 where the outcome is known.

    Returns
    -------
    list of Flag
        One per arm concerned.
    """
    flags = []
    for model, (name, _) in zip(models, ARMS, strict=True):
        there = read[model.rows] == 1
        weights = 1 / model.probability[there]
        worst, size = float(weights.max() / weights.sum()), float(weights.sum() ** 2 / (weights**2).sum())
        if worst > LARGE or model.probability[there].min() < UNLIKELY:
            text = f"In the {name} arm a few people who were read speak for many who were lost."
            detail = f"The largest weight is {words.percent(worst, 0)} of the arm's; all are worth "
            flags.append(Flag("counterfactual", "caution", text, f"{detail}{words.number(size, 0)} people."))
    return flags
