"""The propensity score: how likely each person was to be treated, by an unpenalised logit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evalkit import disclosure, words
from evalkit.counterfactual.balances import balance, balance_report
from evalkit.counterfactual.panel import Panel
from evalkit.errors import EstimationError, Flag

LARGE_WEIGHT = 0.10


@dataclass(frozen=True)
class Score:
    """A fitted logit: by row its logit, probability, design (with constant) and contributions to the coefficients."""

    logit: np.ndarray
    probability: np.ndarray
    design: np.ndarray
    influence: np.ndarray


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
    if panel.x.shape[1] == 0:
        raise EstimationError(
            'a propensity score needs covariates that vary. Name some, or use estimator = "difference".'
        )
    x = panel.x.to_numpy()
    centre, scale = x.mean(axis=0), x.std(axis=0)
    design = np.column_stack([np.ones(len(x)), (x - centre) / scale])
    beta = np.zeros(design.shape[1])
    beta[0] = np.log(panel.treated.mean() / (1 - panel.treated.mean()))
    for _ in range(60):
        probability = _expit(_predict(design, beta))
        information = (design * (probability * (1 - probability))[:, None]).T @ design
        try:
            step = np.linalg.solve(information, design.T @ (panel.treated - probability))
        except np.linalg.LinAlgError:
            raise EstimationError(_separated(panel)) from None
        beta = beta + step
        if np.abs(beta).max() > 60:
            raise EstimationError(_separated(panel))
        if np.abs(step).max() < 1e-11:
            break
    logit = _predict(design, beta)
    if np.abs(logit).max() > 33:
        raise EstimationError(_separated(panel))
    probability = _expit(logit)
    information = (design * (probability * (1 - probability))[:, None]).T @ design
    influence = np.linalg.solve(information, (design * (panel.treated - probability)[:, None]).T).T
    return Score(logit, probability, design, influence)


def _predict(design: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """design @ beta column by column: equal rows then give equal bits, which a blocked product does not promise."""
    total = np.zeros(len(design))
    for column, slope in zip(design.T, beta, strict=True):
        total = total + column * slope
    return total


def _expit(logit: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-logit)) without overflow."""
    return 1 / (1 + np.exp(-np.clip(logit, -700, 700)))


def _separated(panel: Panel) -> str:
    """Which covariates tell the arms apart."""
    treated = panel.treated == 1
    guilty = []
    for name in panel.x:
        values = panel.x[name].to_numpy()
        one, none = values[treated], values[~treated]
        if one.min() > none.max() or none.min() > one.max() or one.std() == 0 or none.std() == 0:
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
    treated = panel.treated == 1
    share = weights[~treated] / weights[~treated].sum()
    effective = effective_size(weights[~treated])
    flags = []
    if share.max() > LARGE_WEIGHT:
        text = f"One comparison person carries {words.percent(share.max(), 0)} of the comparison's weight."
        flags.append(
            Flag(
                "counterfactual",
                "caution",
                text,
                f"The weighted comparison is worth {words.number(effective, 0)} people.",
            )
        )
    beyond = (score.logit[treated] > score.logit[~treated].max()) | (score.logit[treated] < score.logit[~treated].min())
    if beyond.mean() > 0.02:
        share = disclosure.roughly(int(beyond.sum()), len(beyond))
        who = f"{share[:1].upper()}{share[1:]} of the treated"
        text = f"{who} are unlike anybody in the comparison (outside its range of scores)."
        flags.append(Flag("counterfactual", "serious" if beyond.mean() > 0.2 else "caution", text))
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


def describe_weights(panel: Panel, score: Score, weights: np.ndarray) -> tuple[dict, list]:
    """Balance, effective size and flags of a weighting.

    Parameters
    ----------
    panel, score : Panel, Score
        People and scores.
    weights : ndarray, shape (n,)
        Of all rows.

    Returns
    -------
    (dict, list of Flag)
        balance, ess_comparison, max_smd_before, max_smd_after; and what to say.
    """
    frame = panel.covariates.assign(**{"(treated)": panel.treated})
    table = balance(frame, "(treated)", list(panel.columns.covariates), weights)
    found, flags = balance_report(table)
    ess = effective_size(weights[panel.treated == 0])
    return {"balance": table, "ess_comparison": ess, **found}, [*weight_flags(panel, score, weights), *flags]
