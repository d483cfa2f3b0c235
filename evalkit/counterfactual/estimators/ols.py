"""Linear regression on the arm and the covariates."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalkit.counterfactual.balances import balance
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.panel import Panel, Plan, codes
from evalkit.counterfactual.registry import REGRESSION, estimator
from evalkit.counterfactual.resampled import RESAMPLED, conclude_regression
from evalkit.errors import EstimationError, did_you_mean
from evalkit.linear import Fit, demean, least_squares


@estimator(
    "ols",
    options={"within": None, "weights": "auto"},
    se=(*REGRESSION, *RESAMPLED),
    says="linear regression on the arm and the covariates",
)
def ols(panel: Panel, plan: Plan) -> Estimate:
    """Analysis of covariance; ``within`` takes out the differences between the levels of one column."""
    within = plan.options["within"]
    if within is None:
        fit = least_squares(panel.y, np.column_stack([panel.treated, np.ones(len(panel.y)), panel.x]))
    else:
        fit = _within(panel, plan, str(within))
    table = _balance(panel) if panel.columns.covariates else None
    contrast = np.eye(fit.x.shape[1])[0]
    return conclude_regression(panel, plan, fit, {"effect": contrast}, balance=table)


def _balance(panel: Panel) -> pd.DataFrame:
    """The arms as they came: regression weights nobody."""
    frame = panel.covariates.assign(**{"(treated)": panel.treated})
    return balance(frame, "(treated)", list(panel.columns.covariates))


def _within(panel: Panel, plan: Plan, column: str) -> Fit:
    """The same with one level's mean per value of a column.

    Levels nested in clusters are absorbed by centring, which leaves CR2 unchanged (Pustejovsky and Tipton 2018,
    theorem 2); otherwise they enter as dummies, because leverages then matter.
    """
    if column not in panel.frame:
        raise EstimationError(f'within = "{column}": no such column. {did_you_mean(column, panel.frame.columns)}')
    if panel.frame[column].isna().any():
        raise EstimationError(f'within = "{column}" has missing values; give these people a level of their own.')
    level = codes(panel.frame[column])
    _check_variation(panel, level, column)
    design = np.column_stack([panel.treated, panel.x])
    if plan.se != "permutation" and _nested(level, panel.cluster):
        centred = demean(design, level)
        keep = (centred**2).sum(axis=0) > 1e-10 * np.maximum((design**2).sum(axis=0), 1e-300)
        absorbed = 0 if plan.se in ("cr1s", "cr2", "cr3", "wild") else int(level.max() + 1)
        return least_squares(demean(panel.y, level), centred[:, keep], absorbed)
    dummies = (level[:, None] == np.arange(level.max() + 1)).astype(float)
    spread = ((design - dummies @ (dummies.T @ design / dummies.sum(axis=0)[:, None])) ** 2).sum(axis=0)
    keep = spread > 1e-10 * np.maximum((design**2).sum(axis=0), 1e-300)
    return least_squares(panel.y, np.column_stack([design[:, keep], dummies]))


def _nested(level: np.ndarray, cluster: np.ndarray | None) -> bool:
    """Whether every level lies within one cluster."""
    if cluster is None:
        return False
    first = np.unique(level, return_index=True)[1]
    return bool((cluster[first][level] == cluster).all())


def _check_variation(panel: Panel, level: np.ndarray, column: str) -> None:
    """Some level must hold both arms."""
    if ((demean(panel.treated, level)) ** 2).sum() < 1e-10:
        raise EstimationError(
            f'within = "{column}": no value of it has both arms, so nothing can be compared within it.'
        )
