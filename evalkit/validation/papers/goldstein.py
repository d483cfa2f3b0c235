"""Examinations in inner London: pupils within schools."""

from __future__ import annotations

import pandas as pd

from evalkit.counterfactual import Estimate, estimate
from evalkit.validation.nouns import Line
from evalkit.validation.repeated import paper

PEER = "lme4 and statsmodels"


@paper(
    "goldstein",
    "Examination scores and intake in 65 London schools",
    "Goldstein et al. (1993), Oxford Review of Education 19, 425-433",
    file="exam_inner_london.csv",
    licence="GPL-2 or later (R package mlmRev)",
)
def london(frame: pd.DataFrame) -> list[Line]:
    """Random intercepts, then random slopes."""
    level, slope = _run(frame, "intercept"), _run(frame, "slope")
    between = level.diagnostics["variance_components"]
    return [
        Line("random intercept: slope of intake", 0.563371, level.effect, 1e-3, PEER),
        Line("its standard error", 0.012465, level.se, 1e-3, PEER),
        Line("variance between schools", 0.092129, float(between["school intercept"]), 1e-3, PEER),
        Line("variance within schools", 0.565731, float(between["residual"]), 1e-3, PEER),
        Line("-2 log likelihood", 9357.2432, level.diagnostics["minus_2_log_likelihood"], 1e-3, PEER),
        Line("the same, as published", 9357.2, level.diagnostics["minus_2_log_likelihood"], 0.05, "published (MLwiN)"),
        Line("random slope: slope of intake", 0.556730, slope.effect, 1e-3, PEER),
        Line("its standard error", 0.019938, slope.se, 1e-3, PEER),
        Line("-2 log likelihood", 9316.8710, slope.diagnostics["minus_2_log_likelihood"], 1e-3, PEER),
        Line("the same, as published", 9316.9, slope.diagnostics["minus_2_log_likelihood"], 0.05, "published (MLwiN)"),
    ]


def _run(frame: pd.DataFrame, random: str) -> Estimate:
    columns = {"outcome": "normexam", "treated": "standLRT", "cluster": "school"}
    return estimate(frame, "multilevel", **columns, random=random, method="ml")
