"""Achievement awards, girls 2001: a cluster trial in 34 schools."""

from __future__ import annotations

from typing import Any

import pandas as pd

from evalkit.counterfactual import Estimate, estimate
from evalkit.validation.nouns import Line
from evalkit.validation.repeated import paper

R = "R, clubSandwich"
COVARIATES = ["school_type", "father_ed", "mother_ed", "immigrant", "siblings", "q"]


@paper(
    "angrist lavy",
    "Achievement awards in Israeli schools",
    "Angrist and Lavy (2009), American Economic Review 99, 1384-1414",
    file="achievement_girls_2001.csv",
    licence="GPL-3 (R package clubSandwich)",
)
def angrist_lavy(frame: pd.DataFrame) -> list[Line]:
    """Regression with standard errors by school, of every kind."""
    frame = frame.assign(q="quarter " + frame["q"].astype(str))
    stata, reduced, jack = (_run(frame, se=se) for se in ("cr1s", "cr2", "cr3"))
    wild = _run(frame, se="wild", draws=99_999, weights="rademacher", seed=1)
    bare = _run(frame, covariates=[])
    return [
        Line("effect", 0.0998235124, reduced.effect, 1e-7, R),
        Line("CR1S standard error", 0.0443288086, stata.se, 1e-7, R),
        Line("CR1S p", 0.0311057, stata.p, 1e-7, R),
        Line("CR2 standard error", 0.0471727191, reduced.se, 1e-7, R),
        Line("CR2 degrees of freedom", 20.843114, reduced.df, 1e-5, R),
        Line("CR2 p", 0.0465427, reduced.p, 1e-7, R),
        Line("CR2 interval, low", 0.0016775, reduced.low, 1e-7, R),
        Line("CR2 interval, high", 0.1979695, reduced.high, 1e-7, R),
        Line("CR3 standard error", 0.0512532931, jack.se, 1e-7, R),
        Line("wild cluster bootstrap p", 0.0478, wild.p, 0.003, "pyfixest, wildboottest"),
        Line("no covariates: effect", 0.1085139662, bare.effect, 1e-7, R),
        Line("no covariates: CR2 standard error", 0.0647068553, bare.se, 1e-7, R),
        Line("no covariates: degrees of freedom", 22.698434, bare.df, 1e-5, R),
    ]


def _run(frame: pd.DataFrame, covariates: list[str] | None = None, **options: Any) -> Estimate:
    named = COVARIATES if covariates is None else covariates
    columns = {"outcome": "Bagrut_status", "treated": "treated", "cluster": "school_id"}
    return estimate(frame, "ols", **columns, covariates=named, person="student_id", **options)
