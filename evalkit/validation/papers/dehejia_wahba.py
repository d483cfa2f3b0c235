"""National Supported Work: the experiment, and what matching and weighting make of a survey comparison."""

from __future__ import annotations

from typing import Any

import pandas as pd

from evalkit.counterfactual import Estimate, estimate
from evalkit.validation.nouns import Line
from evalkit.validation.repeated import paper

COVARIATES = ["age", "educ", "race", "married", "nodegree", "re74", "re75"]
MATCHIT, R, OWN = "R, MatchIt 4.7.2", "R, lm and glm", "a second implementation written for the check"
REFERENCE = "Dehejia and Wahba (1999), JASA 94, 1053-1062"


@paper(
    "dehejia wahba experiment",
    "The experiment: difference in mean earnings, 1978",
    REFERENCE,
    file="nsw_experimental.csv",
    licence="MIT (Python package causaldata, nsw_mixtape)",
)
def experiment(frame: pd.DataFrame) -> list[Line]:
    """The randomised benchmark."""
    asked = {"outcome": "re78", "treated": "treat", "person": "uid"}
    plain = estimate(frame, "difference", **asked, se="classical")
    robust = estimate(frame, "difference", **asked)
    return [
        Line("difference in means", 1794.3424, plain.effect, 1e-3, R),
        Line("difference in means, as published", 1794, plain.effect, 1, "published"),
        Line("classical standard error", 632.8534, plain.se, 1e-3, R),
        Line("classical standard error, as published", 633, plain.se, 1, "published"),
        Line("HC2 standard error", 670.9965, robust.se, 1e-3, R),
    ]


@paper(
    "dehejia wahba survey",
    "Participants against a survey: matching, weighting and regression",
    REFERENCE,
    file="lalonde.csv",
    licence="GPL-2 or later (R package MatchIt)",
)
def survey(frame: pd.DataFrame) -> list[Line]:
    """Every estimator of a cross-section."""
    return [*_matching(frame), *_weighting(frame), *_regression(frame), *_balance(frame)]


def _run(frame: pd.DataFrame, name: str, **options: Any) -> Estimate:
    return estimate(
        frame, name, outcome="re78", treated="treat", person="uid", covariates=COVARIATES, **options
    )  # fmt: skip


def _matching(frame: pd.DataFrame) -> list[Line]:
    nearest = _run(frame, "matching")
    adjusted = _run(frame, "matching", adjust=True)
    near = _run(frame, "matching", distance="logit", caliper=0.2)
    return [
        Line("one to one, no caliper", 894.367480, nearest.effect, 0.01, MATCHIT),
        Line("its standard error, by pairs", 705.229764, nearest.se, 3.5, MATCHIT),
        Line("the same, adjusted for the covariates", 1344.935605, adjusted.effect, 0.01, MATCHIT),
        Line("its standard error", 718.977, adjusted.se, 3.6, MATCHIT),
        Line("caliper 0.2 SD of the logit: pairs", 117, near.diagnostics["pairs"], 0, MATCHIT),
        Line("caliper 0.2 SD of the logit: effect", 1770.602906, near.effect, 0.01, MATCHIT),
        Line("its standard error", 924.234, near.se, 4.6, MATCHIT),
    ]


def _weighting(frame: pd.DataFrame) -> list[Line]:
    weighted = _run(frame, "ipw")
    balanced = _run(frame, "entropy balancing")
    plain, hajek = _run(frame, "aipw", normalise=False), _run(frame, "aipw")
    return [
        Line("inverse probability weights, ATT", 1214.071221, weighted.effect, 0.01, R),
        Line("effective size of the comparison", 99.815386, weighted.diagnostics["ess_comparison"], 1e-3, R),
        Line("standard error that counts the estimated score", 798.155, weighted.se, 8, R),
        Line("entropy balancing", 1273.2618, balanced.effect, 0.05, OWN),
        Line("effective size of the comparison", 98.4578, balanced.diagnostics["ess_comparison"], 0.05, OWN),
        Line("doubly robust, plain", 1226.5438, plain.effect, 0.05, OWN),
        Line("doubly robust, normalised", 1231.0443, hajek.effect, 0.05, OWN),
        Line("its standard error", 813.416, hajek.se, 8.2, OWN),
    ]


def _regression(frame: pd.DataFrame) -> list[Line]:
    errors = {"classical": 781.279, "hc2": 742.182, "hc3": 749.987}
    found = {se: _run(frame, "ols", se=se) for se in errors}
    lines = [Line("regression", 1548.243802, found["hc2"].effect, 1e-3, R)]
    return lines + [Line(f"{se} standard error", value, found[se].se, 1e-3, R) for se, value in errors.items()]


def _balance(frame: pd.DataFrame) -> list[Line]:
    table = _run(frame, "matching").balance
    before = {"age": -0.309445, "educ": 0.054965, "race black": 1.761542, "married": -0.826309, "re74": -0.721084,
              "re75": -0.290263}  # fmt: skip
    after = {"age": 0.071770, "educ": -0.129043, "race black": 1.025859, "re74": -0.050451}
    parts = ((before, "smd_before", "before"), (after, "smd_after", "after one to one"))
    return [
        Line(f"standardised difference {when}: {name}", value, float(table.loc[name, column]), 1e-5, MATCHIT)  # type: ignore[union-attr,arg-type]
        for values, column, when in parts
        for name, value in values.items()
    ]
