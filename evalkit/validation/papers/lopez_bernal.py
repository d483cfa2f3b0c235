"""A smoking ban and coronary events: an interrupted time series."""

from __future__ import annotations

import pandas as pd

from evalkit.counterfactual import estimate
from evalkit.validation.nouns import Line
from evalkit.validation.repeated import paper

PEER = "statsmodels GLM"


@paper(
    "lopez bernal",
    "The Italian smoking ban and acute coronary events in Sicily",
    "Lopez Bernal, Cummins and Gasparrini (2017), International Journal of Epidemiology 46, 348-355",
    file="sicily_its.csv",
    licence="none stated (supplement of the paper)",
    shipped=False,
    obtain="From the code and data of the paper (repository 2017_lopezbernal_IJE_codedata of its last author): the "
    "monthly series with the columns year, month, aces, time, smokban, pop and stdpop.",
)
def lopez_bernal(frame: pd.DataFrame) -> list[Line]:
    """Level change, with and without seasons, and what was averted."""
    asked = {"outcome": "aces", "treated": "smokban", "time": "time", "exposure": "stdpop"}
    quasi = estimate(frame, "interrupted time series", **asked)
    poisson = estimate(frame, "interrupted time series", **asked, family="poisson")
    seasons = estimate(frame, "interrupted time series", **asked, harmonics=2)
    slope = estimate(frame, "interrupted time series", **asked, harmonics=2, slope=True)
    return [
        Line("rate ratio", 0.894377, quasi.effect, 1e-5, PEER),
        Line("rate ratio, as published", 0.894, quasi.effect, 5e-4, "published"),
        Line("Poisson interval, low", 0.864, poisson.low, 1e-3, "published"),
        Line("Poisson interval, high", 0.925, poisson.high, 1e-3, "published"),
        Line("interval with dispersion, low", 0.8392, quasi.low, 1e-4, PEER),
        Line("interval with dispersion, high", 0.9532, quasi.high, 1e-4, PEER),
        Line("dispersion", 3.559195, quasi.diagnostics["dispersion"], 1e-5, PEER),
        Line("with seasons: rate ratio", 0.885072, seasons.effect, 1e-5, PEER),
        Line("with seasons: low, as published", 0.839, seasons.low, 1e-3, "published"),
        Line("with seasons: high, as published", 0.933, seasons.high, 1e-3, "published"),
        Line("with seasons: dispersion", 2.262186, seasons.diagnostics["dispersion"], 1e-5, PEER),
        Line("with seasons: events without the ban", 22284.07, seasons.counterfactual, 0.01, PEER),
        Line("with seasons: events averted", 2561.07, seasons.diagnostics["averted"], 0.01, PEER),
        Line("with seasons, level and slope: rate ratio", 0.876464, slope.effect, 1e-5, PEER),
    ]
