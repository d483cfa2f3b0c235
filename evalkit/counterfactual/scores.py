"""The propensity score: how likely each person was to be treated, by an unpenalised logit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from evalkit import disclosure, words
from evalkit.counterfactual.balances import balance, balance_report
from evalkit.counterfactual.panel import Panel
from evalkit.errors import EstimationError, Flag

LARGE_WEIGHT, ON_ONE = 0.10, 0.50  # of the comparison's weight on one person
FEW = 10  # people that a weighted comparison should at least be worth


@dataclass(frozen=True, eq=False)
class Score:
    """A fitted logit.

    Parameters
    ----------
    logit, probability : ndarray, shape (n,)
        Of each row.
    design : ndarray, shape (n, k + 1)
        Constant and standardised covariates.
    treated : ndarray, shape (n,)
        What was fitted.
    """

    logit: np.ndarray
    probability: np.ndarray
    design: np.ndarray
    treated: np.ndarray

    @cached_property
    def influence(self) -> np.ndarray:
        """Contributions of the rows to the coefficients, shape (n, k + 1)."""
        information = _information(self.design, self.probability)
        return (self.design * (self.treated - self.probability)[:, None]) @ np.linalg.inv(information)


def propensity(panel: Panel) -> Score:
    """Fit the logit of treatment on the covariates by Newton's method.

    Parameters
    ----------
    panel : Panel
        Treated and covariates.

    Returns
    -------
    Score
        Identical covariates get bit-identical scores, so that ties are ties in any row order.

    Raises
    ------
    EstimationError
        There are no covariates, or they tell the arms apart without fail.
    """
    return fit_score(panel.x, panel.treated)


def fit_score(covariates: pd.DataFrame, treated: np.ndarray) -> Score:
    """Fit the logit of treatment on covariates that are numbers, vary and do not repeat each other.

    Parameters
    ----------
    covariates : DataFrame, shape (n, k)
        From `covariates.encode`.
    treated : ndarray, shape (n,)
        1 and 0.

    Returns
    -------
    Score
        As `propensity`.

    Raises
    ------
    EstimationError
        There are no covariates, or they tell the arms apart without fail.
    """
    if covariates.shape[1] == 0:
        raise EstimationError(
            'a propensity score needs covariates that vary. Name some, or use estimator = "difference".'
        )
    x = covariates.to_numpy()
    design = np.empty((len(x), x.shape[1] + 1), order="F")
    design[:, 0] = 1.0
    for place, column in enumerate(x.T, start=1):
        design[:, place] = (column - column.mean()) / column.std()
    beta = fit_logit(design, treated)
    if beta is None:
        raise EstimationError(_separated(covariates, treated))
    logit = _predict(design, beta)
    return Score(logit, _expit(logit), design, treated)


def fit_logit(design: np.ndarray, outcome: np.ndarray) -> np.ndarray | None:
    """Fit a logit by Newton's method, halving steps that overshoot.

    Parameters
    ----------
    design : ndarray, shape (n, k)
        Constant first; the other columns of about unit size.
    outcome : ndarray, shape (n,)
        1 and 0.

    Returns
    -------
    ndarray of shape (k,) or None
        Coefficients; None where they have no finite value, because the columns tell ones and zeros apart.
    """
    if not 0 < outcome.mean() < 1:
        return None
    beta = np.zeros(design.shape[1])
    beta[0] = np.log(outcome.mean() / (1 - outcome.mean()))
    logit = _predict(design, beta)
    now = _loss(logit, outcome)
    for _ in range(60):
        probability = _expit(logit)
        try:
            step = np.linalg.solve(_information(design, probability), design.T @ (outcome - probability))
        except np.linalg.LinAlgError:
            return None
        for _ in range(30):
            logit = _predict(design, beta + step)
            found = _loss(logit, outcome)
            if found <= now * (1 + 1e-12) or not np.abs(step).max() > 1e-11:
                break
            step = step / 2
        beta, now = beta + step, found
        if np.abs(beta).max() > 60 or np.abs(logit).max() > 33:
            return None
        if np.abs(step).max() < 1e-11:
            break
    return beta


def _loss(logit: np.ndarray, outcome: np.ndarray) -> float:
    """Minus the log likelihood."""
    return float(np.logaddexp(0, logit).sum() - outcome @ logit)


def _information(design: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """The information matrix."""
    return (design * (probability * (1 - probability))[:, None]).T @ design


def _predict(design: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """design @ beta column by column: equal rows then give equal bits, which a blocked product does not promise."""
    total = np.zeros(len(design))
    for column, slope in zip(design.T, beta, strict=True):
        total += column * slope
    return total


def _expit(logit: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-logit)) without overflow."""
    return 1 / (1 + np.exp(-np.clip(logit, -700, 700)))


def _separated(covariates: pd.DataFrame, treated: np.ndarray) -> str:
    """Which covariates tell the arms apart."""
    mine = treated == 1
    guilty = []
    for name in covariates:
        values = covariates[name].to_numpy()
        one, none = values[mine], values[~mine]
        if one.min() > none.max() or none.min() > one.max() or np.ptp(one) == 0 or np.ptp(none) == 0:
            guilty.append(str(name))
    named = f" Look at {words.listed(guilty)}." if guilty else ""
    return (
        "the covariates tell treated and comparison people apart without fail, so nobody comparable is left."
        f"{named} Drop or coarsen covariates, or leave out by a cohort rule "
        "people who could not have been in the other arm."
    )


def weight_flags(panel: Panel, score: Score, weights: np.ndarray) -> list[Flag]:
    """Say where the comparison rests on few people or does not reach the treated.

    Parameters
    ----------
    panel, score : Panel, Score
        People and their scores.
    weights : ndarray, shape (n,)
        Weights of all rows; the comparison's are looked at.

    Returns
    -------
    list of Flag
        Empty where nothing is to be said.
    """
    flags = heavy_flags(weights[panel.treated == 0])
    beyond = _beyond(panel, score, weights)
    if beyond.mean() > 0.02:
        share = disclosure.roughly(int(beyond.sum()), len(beyond))
        who = f"{share[:1].upper()}{share[1:]} of the treated"
        text = f"{who} are unlike anybody in the comparison (outside its range of scores)."
        flags.append(Flag("counterfactual", "serious" if beyond.mean() > 0.2 else "caution", text))
    return flags


def _beyond(panel: Panel, score: Score, weights: np.ndarray) -> np.ndarray:
    """Whether each of the treated lies outside the comparison's range of scores."""
    one, none = (score.logit[(panel.treated == arm) & (weights > 0)] for arm in (1, 0))
    return np.asarray((one > none.max()) | (one < none.min()))


def heavy_flags(weights: np.ndarray, arm: str = "comparison") -> list[Flag]:
    """Say where a weighted arm rests on few people.

    Parameters
    ----------
    weights : ndarray
        Of the arm.
    arm : str
        "comparison" or "treated".

    Returns
    -------
    list of Flag
        A caution where one person carries more than a tenth of the weight; serious above a half, or where all of them
        are worth fewer than ten people (and were more).
    """
    largest, effective = float(weights.max() / weights.sum()), effective_size(weights)
    few = effective < FEW and (weights > 0).sum() >= 2 * FEW
    if largest <= LARGE_WEIGHT and not few:
        return []
    who = "comparison person" if arm == "comparison" else "treated person"
    text = f"One {who} carries {words.percent(largest, 0)} of the {arm}'s weight."
    detail = f"The weighted {arm} is worth {words.number(effective, 0)} people."
    return [Flag("counterfactual", "serious" if few or largest > ON_ONE else "caution", text, detail)]


def for_everybody_flags(panel: Panel, weights: np.ndarray) -> list[Flag]:
    """Say where the treated, or the comparison, can hardly stand for everybody.

    Parameters
    ----------
    panel : Panel
        The people.
    weights : ndarray, shape (n,)
        Under which each arm stands for all people.

    Returns
    -------
    list of Flag
        A caution for each arm whose effective size is less than a third of its people; large single weights of the
        treated.
    """
    flags = heavy_flags(weights[panel.treated == 1], "treated")
    for arm, code in (("treated", 1), ("comparison", 0)):
        own = weights[(panel.treated == code) & (weights > 0)]
        if 3 * effective_size(own) < len(own):
            text = f"The {arm} can hardly stand for everybody: few of them are like many of the others."
            share = words.percent(effective_size(own) / len(own), 0)
            detail = f"Weighted, they are worth {share} of their number, and the interval may be too short."
            flags.append(Flag("counterfactual", "caution", text, f'{detail} estimand = "ATT" asks for less.'))
    return flags


def effective_size(weights: np.ndarray) -> float:
    """Compute Kish's effective sample size.

    Parameters
    ----------
    weights : ndarray
        Of one arm.

    Returns
    -------
    float
        The square of the sum over the sum of squares.
    """
    return float(weights.sum() ** 2 / (weights**2).sum())


def describe_weights(panel: Panel, score: Score | None, weights: np.ndarray) -> tuple[dict, list]:
    """Balance, effective size and flags of a weighting.

    Parameters
    ----------
    panel, score : Panel, Score
        People and scores; no score where the weights come without one.
    weights : ndarray, shape (n,)
        Of all rows.

    Returns
    -------
    (dict, list of Flag)
        balance, ess_comparison, weights (by person), max_smd_before, max_smd_after, outside_support
        (share of the treated outside the comparison's range of scores); and what to say.
    """
    frame = panel.covariates.assign(**{"(treated)": panel.treated})
    table = balance(frame, "(treated)", list(panel.columns.covariates), weights)
    found, flags = balance_report(table)
    own = weights[panel.treated == 0]
    said = heavy_flags(own) if score is None else weight_flags(panel, score, weights)
    if score is not None:
        found["outside_support"] = float(_beyond(panel, score, weights).mean())
    by_person = pd.Series(weights, index=pd.Index(panel.person, name="person"), name="weight")
    return {"balance": table, "ess_comparison": effective_size(own), "weights": by_person, **found}, [*said, *flags]
