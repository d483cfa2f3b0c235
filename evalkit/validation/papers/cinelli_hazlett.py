"""Exposure to violence and attitudes to peace in Darfur: how strong an unmeasured cause would have to be."""

from __future__ import annotations

import pandas as pd

from evalkit.counterfactual import omitted_variable_bounds
from evalkit.validation.nouns import Line
from evalkit.validation.repeated import paper

PEER = "PySensemakr"


@paper(
    "cinelli hazlett",
    "Violence and attitudes to peace in Darfur: unmeasured causes",
    "Cinelli and Hazlett (2020), JRSS B 82, 39-67",
    file="darfur.csv",
    licence="MIT (Python package PySensemakr)",
)
def darfur(frame: pd.DataFrame) -> list[Line]:
    """Robustness values, and an unmeasured cause one to three times as strong as the person's sex."""
    covariates = ["age", "farmer_dar", "herder_dar", "pastvoted", "hhsize_darfur", "female"]
    found = omitted_variable_bounds(
        frame, outcome="peacefactor", treated="directlyharmed", covariates=covariates, benchmark="female",
        within="village",
    )  # fmt: skip
    lines = [
        Line("effect", 0.097316, found.effect, 1e-5, PEER),
        Line("standard error", 0.023257, found.se, 1e-5, PEER),
        Line("t", 4.18445, found.t, 1e-4, PEER),
        Line("partial R2 with the treatment", 0.021873, found.partial_r2, 1e-5, PEER),
        Line("robustness value", 0.138776, found.robustness_value, 1e-5, PEER),
        Line("robustness value, as published", 0.139, found.robustness_value, 5e-4, "published"),
        Line("robustness value at 5%", 0.076258, found.robustness_value_significance, 1e-5, PEER),
        Line("robustness value at 5%, as published", 0.076, found.robustness_value_significance, 5e-4, "published"),
    ]
    wanted = {1: (0.075220, 0.032283), 2: (0.052915, 0.012968), 3: (0.030396, -0.006253)}
    table = found.bounds.set_index("times")[["effect", "low"]].to_dict("index")
    for times, pair in wanted.items():
        for name, expected in zip(("effect", "low"), pair, strict=True):
            lines.append(Line(f"{times} times sex: {name}", expected, float(table[times][name]), 1e-5, PEER))
    return lines
