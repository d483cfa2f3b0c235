"""The first social impact bond: two published rates of reconviction."""

from __future__ import annotations

import pandas as pd

from evalkit.counterfactual import estimate
from evalkit.validation.nouns import Line
from evalkit.validation.repeated import paper


@paper(
    "jolliffe hedderman",
    "HMP Peterborough, cohort 1: reconviction events against a matched comparison",
    "Jolliffe and Hedderman (2014), Ministry of Justice, as reported",
)
def peterborough(_: pd.DataFrame) -> list[Line]:
    """142 events per 100 men against 155."""
    rates = pd.DataFrame({"arm": [1, 0], "rate": [142.0, 155.0]})
    found = estimate(rates, "published", outcome="rate", treated="arm", rounding=1, values="amount", better="lower")
    fall = -100 * found.diagnostics["relative"]
    return [
        Line("fewer events, %", 8.387, fall, 0.01, "computed from the published rates"),
        Line("the same, as published, %", 8.4, fall, 0.05, "published"),
        Line("reaches the 10% needed for cohort 1 (1 yes, 0 no)", 0, float(fall >= 10), 0, "the contract"),
    ]
