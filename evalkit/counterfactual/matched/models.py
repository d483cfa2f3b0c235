"""Models of outcome and score: evalkit's own, or the user's, which never predict the people they learnt from."""

from __future__ import annotations

import copy
import zlib
from typing import Any

import numpy as np
import pandas as pd

from evalkit.counterfactual.panel import Panel, Plan
from evalkit.counterfactual.scores import Score, fit_logit, propensity
from evalkit.errors import EstimationError, did_you_mean
from evalkit.linear import least_squares

Array = np.ndarray
OUTCOME, SCORE = ("linear", "logit"), ("logit",)
MOST_PULL = 0.9  # leverage counted; nearer to 1 there is no residual to judge by
NEAR_CERTAIN = 1e-6  # a score nearer to 0 or 1 than this gives weights without bound


def check_models(plan: Plan) -> None:
    """Each model is known by its name, or can be fitted.

    Parameters
    ----------
    plan : Plan
        ``outcome_model``, ``score_model`` and ``folds`` in the options.

    Raises
    ------
    EstimationError
        A name is not known, an object cannot be fitted, or folds are fewer than two.
    """
    for option, known in (("outcome_model", OUTCOME), ("score_model", SCORE)):
        given = plan.options[option]
        if isinstance(given, str) and given not in known:
            raise EstimationError(f'{option} = "{given}" is not known. {did_you_mean(given, known)}')
        if not isinstance(given, str) and not callable(given) and not hasattr(given, "fit"):
            raise EstimationError(
                f"{option} must be {' or '.join(known)}, an object with fit and predict, or a function "
                "(x, y, x_new) -> predictions."
            )
    folds = plan.options["folds"]
    if isinstance(folds, bool) or not isinstance(folds, int) or folds < 2:
        raise EstimationError("folds must be a whole number, 2 or more.")


def score_of(panel: Panel, plan: Plan) -> Score:
    """The score by the model wanted; by the user's, out of fold.

    Parameters
    ----------
    panel, plan : Panel, Plan
        People and options.

    Returns
    -------
    Score
        The user's has no influence of its own (the score enters as if known, which cross-fitting allows).

    Raises
    ------
    EstimationError
        The user's model gives something else than chances between 0 and 1.
    """
    model = plan.options["score_model"]
    if isinstance(model, str):
        return propensity(panel)
    chance = np.full(len(panel.y), np.nan)
    for inside, outside in _folds(panel, plan):
        chance[outside] = _learnt(model, panel.x[inside], panel.treated[inside], panel.x[outside], "score_model")
    if not ((chance > NEAR_CERTAIN) & (chance < 1 - NEAR_CERTAIN)).all():
        raise EstimationError(
            "score_model gives chances of 0 or 1 (or outside them) for some people, who then have no counterpart. Use "
            "a smoother model, or leave these people out by a cohort rule."
        )
    design = np.column_stack([np.ones(len(panel.y)), panel.x])
    return Score(np.log(chance / (1 - chance)), chance, design, panel.treated)


def expected_outcome(panel: Panel, plan: Plan, arm: float) -> Array:
    """What a model of one arm expects for everybody; the user's, out of fold.

    Parameters
    ----------
    panel, plan : Panel, Plan
        People and options.
    arm : {1.0, 0.0}
        Whose outcomes are modelled.

    Returns
    -------
    ndarray, shape (n,)

    Raises
    ------
    EstimationError
        A logit is asked for an outcome that is no yes or no, or the arm's outcomes can be told without fail.
    """
    model = plan.options["outcome_model"]
    if model == "linear":
        return _linear(panel, arm)
    if model == "logit":
        return _logit(panel, arm)
    expected = np.full(len(panel.y), np.nan)
    for inside, outside in _folds(panel, plan):
        own = inside & (panel.treated == arm)
        expected[outside] = _learnt(model, panel.x[own], panel.y[own], panel.x[outside], "outcome_model")
    if not np.isfinite(expected).all():
        raise EstimationError("outcome_model predicts missing or infinite values for some people.")
    return expected


def leverage(panel: Panel, plan: Plan, arm: float) -> Array:
    """How far each person of an arm pulls the linear model of its outcomes towards his or her own.

    Parameters
    ----------
    panel, plan : Panel, Plan
        People and options.
    arm : {1.0, 0.0}
        Whose outcomes are modelled.

    Returns
    -------
    ndarray, shape (n,)
        From 0 to `MOST_PULL`; 0 for the other arm, and for models other than the linear one.
    """
    found, mine = np.zeros(len(panel.y)), panel.treated == arm
    if plan.options["outcome_model"] != "linear":
        return found
    own = np.column_stack([np.ones(int(mine.sum())), panel.x[mine]])
    basis, size, _ = np.linalg.svd(own / np.sqrt((own**2).sum(axis=0)).clip(1e-300), full_matrices=False)
    found[mine] = (basis[:, size > 1e-10 * size[0]] ** 2).sum(axis=1)
    return np.minimum(found, MOST_PULL)


def _folds(panel: Panel, plan: Plan) -> list[tuple[Array, Array]]:
    """Who is learnt from and who is predicted, by the ids alone; people of one cluster stay together."""
    count = plan.options["folds"]
    labels = panel.person if panel.cluster is None else panel.cluster.astype(str)
    seed = plan.options["seed"]
    lots = np.array([zlib.crc32(f"{seed}/{label}".encode()) for label in labels], dtype=np.int64)
    place, few = np.empty(len(lots), int), False
    parts = [np.ones(len(lots), bool)] if panel.cluster is not None else [panel.treated == arm for arm in (1, 0)]
    for part in parts:  # by arm, so that every fold has its share of the treated
        drawn, code = np.unique(lots[part], return_inverse=True)
        place[part] = code % count
        few = few or len(drawn) < count
    pairs = [(place != fold, place == fold) for fold in range(count)]
    if few or any(len(np.unique(panel.treated[inside])) < 2 for inside, _ in pairs):
        raise EstimationError(f"there are too few people or clusters in an arm for {count} folds. Ask for fewer folds.")
    return pairs


def _learnt(model: Any, x: pd.DataFrame, y: Array, new: pd.DataFrame, option: str) -> Array:
    """Fit the user's model on some and let it predict others."""
    try:
        found = np.asarray(_predicted(model, x, y, new), float)
    except Exception as error:  # whatever the user's own code raises is told as a fault of that model
        raise EstimationError(f"{option} could not be used: {type(error).__name__}: {error}") from error
    if found.shape != (len(new),):
        raise EstimationError(f"{option} must give one prediction for each of the {len(new)} people asked for.")
    return found


def _predicted(model: Any, x: pd.DataFrame, y: Array, new: pd.DataFrame) -> Any:
    """What a function, or a model with fit and predict, says of people it has not seen."""
    if not hasattr(model, "fit"):
        return model(x, y, new)
    fitted = copy.deepcopy(model)
    fitted.fit(x, y)
    if not hasattr(fitted, "predict_proba"):
        return fitted.predict(new)
    found = np.asarray(fitted.predict_proba(new))
    return found[:, -1] if found.ndim == 2 else found


def _linear(panel: Panel, arm: float) -> Array:
    """A linear model of one arm."""
    design = np.column_stack([np.ones(len(panel.y)), panel.x])
    rows = panel.treated == arm
    own = design[rows]
    varies = np.append(True, np.ptp(own[:, 1:], axis=0) > 0)
    try:
        fit = least_squares(panel.y[rows], own[:, varies])
    except EstimationError:
        return design @ np.linalg.lstsq(own, panel.y[rows], rcond=None)[0]
    return design[:, varies] @ fit.beta


def _logit(panel: Panel, arm: float) -> Array:
    """A logit of one arm; where all of it answer alike, their answer."""
    if not np.isin(panel.y, (0.0, 1.0)).all():
        raise EstimationError('outcome_model = "logit" is for a yes/no outcome of 0 and 1. Use "linear".')
    rows = panel.treated == arm
    if np.ptp(panel.y[rows]) == 0:
        return np.full(len(panel.y), panel.y[rows][0])
    x = panel.x.to_numpy()
    x = x[:, np.ptp(x[rows], axis=0) > 0]
    design = np.column_stack([np.ones(len(x)), (x - x[rows].mean(axis=0)) / x[rows].std(axis=0)])
    beta = fit_logit(design[rows], panel.y[rows])
    if beta is None:
        name = "treated" if arm else "comparison"
        raise EstimationError(
            f"the covariates foretell the outcome of the {name} arm without fail, so a logit of it has no finite "
            'coefficients. Drop or coarsen covariates, or use outcome_model = "linear".'
        )
    return 1 / (1 + np.exp(-np.clip(design @ beta, -700, 700)))
