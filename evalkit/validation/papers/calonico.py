"""Incumbency in the United States Senate: a regression discontinuity."""

from __future__ import annotations

import pandas as pd

from evalkit.counterfactual import estimate
from evalkit.validation.nouns import Line
from evalkit.validation.repeated import paper

PEER = "rdrobust"


@paper(
    "calonico cattaneo titiunik",
    "The advantage of incumbents in the United States Senate",
    "Calonico, Cattaneo and Titiunik (2014), Econometrica 82, 2295-2326",
    file="senate_rdd.csv",
    licence="GPL-3 (Python package rdrobust)",
)
def senate(frame: pd.DataFrame) -> list[Line]:
    """Local linear regression with the bias corrected."""
    found = estimate(frame, "regression discontinuity", outcome="vote", running="margin", cutoff=0)
    told = found.diagnostics
    return [
        Line("effect", 7.414131, found.effect, 1e-5, PEER),
        Line("standard error", 1.458716, found.se, 1e-5, PEER),
        Line("bias-corrected effect", 7.506502, told["bias_corrected"], 1e-5, PEER),
        Line("robust interval, low", 4.093699, found.low, 1e-5, PEER),
        Line("robust interval, high", 10.919306, found.high, 1e-5, PEER),
        Line("bandwidth", 17.754398, told["bandwidth"], 1e-5, PEER),
        Line("bandwidth of the bias", 28.028089, told["bandwidth_bias"], 1e-5, PEER),
    ]
