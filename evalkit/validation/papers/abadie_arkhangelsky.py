"""California's tobacco programme: synthetic control and synthetic difference in differences."""

from __future__ import annotations

import pandas as pd

from evalkit.counterfactual import estimate
from evalkit.validation.nouns import Line
from evalkit.validation.repeated import paper

QP = "a quadratic programme on the outcome path, two solvers"


@paper(
    "abadie arkhangelsky",
    "Proposition 99: cigarettes in California against 38 states",
    "Abadie, Diamond and Hainmueller (2010), JASA 105, 493-505; Arkhangelsky et al. (2021), American Economic Review "
    "111, 4088-4118",
    file="prop99.csv",
    licence="BSD-3 (R package synthdid)",
    shipped=False,
    obtain='In R: data("california_prop99", package = "synthdid"), then write.csv(california_prop99, "prop99.csv", '
    "row.names = FALSE): State, Year, PacksPerCapita and treated.",
)
def proposition_99(frame: pd.DataFrame) -> list[Line]:
    """Three estimators of the same panel."""
    asked = {"outcome": "PacksPerCapita", "treated": "treated", "unit": "State", "time": "Year"}
    control = estimate(frame, "synthetic control", **asked)
    blended = estimate(frame, "synthetic did", **asked)
    plain = estimate(frame, "did", **asked)
    told = control.diagnostics
    weights = {"Utah": 0.3939, "Montana": 0.2318, "Nevada": 0.2049, "Connecticut": 0.1091, "New Hampshire": 0.0454,
               "Colorado": 0.0148}  # fmt: skip
    return [
        Line("difference in differences", -27.3491, plain.effect, 1e-3, QP),
        Line("the same, as published", -27.3, plain.effect, 0.05, "published"),
        Line("synthetic difference in differences", -15.60383, blended.effect, 1e-3, "diff-diff"),
        Line("the same, as published", -15.6, blended.effect, 0.05, "published"),
        Line("synthetic control", -19.51363, control.effect, 1e-3, QP),
        Line("the same, as published", -19.6, control.effect, 0.1, "published"),
        Line("gap in 2000", -26.5966, float(told["gap"].loc[2000]), 1e-3, QP),
        Line("error before", 1.656400, told["rmspe_before"], 1e-3, QP),
        Line("ratio of errors", 12.43997, told["rmspe_ratio"], 1e-3, QP),
        Line("rank among 39 states", 3, told["placebo_rank"], 0, QP),
        Line("placebo p", 0.0769, control.p, 1e-4, QP),
        *(
            Line(f"weight of {state}", weight, float(told["donor_weights"].get(state, 0.0)), 1e-3, QP)
            for state, weight in weights.items()
        ),
    ]
