"""Minimum wages and teenage employment: effects by group and time."""

from __future__ import annotations

from typing import Any

import pandas as pd

from evalkit.counterfactual import Estimate, estimate
from evalkit.validation.nouns import Line
from evalkit.validation.repeated import paper

R = "R, did 2.5.1"


@paper(
    "callaway santanna",
    "Minimum wages and teenage employment in 500 counties",
    "Callaway and Sant'Anna (2021), Journal of Econometrics 225, 200-230",
    file="mpdta.csv",
    licence="MIT (Python package csdid); the same data as did::mpdta in R",
    shipped=False,
    obtain='In R: write.csv(did::mpdta, "mpdta.csv", row.names = FALSE), with year, countyreal, lpop, lemp, '
    "first_treat (0: never) and treat; first.treat is renamed.",
)
def callaway_santanna(frame: pd.DataFrame) -> list[Line]:
    """All four summaries, the event study, the pre-test, and two variants."""
    wanted = {
        "simple": (-0.0399512752, 0.0120340128),
        "group": (-0.0310182822, 0.0124460593),
        "dynamic": (-0.0772398215, 0.0199649891),
        "calendar": (-0.0417004321, 0.0159718519),
    }
    lines = []
    for name, (effect, se) in wanted.items():
        found = _run(frame, aggregate=name)
        lines += [Line(f"{name}: effect", effect, found.effect, 1e-6, R), Line(f"{name}: SE", se, found.se, 1e-5, R)]
    return lines + _events(frame) + _variants(frame)


def _run(frame: pd.DataFrame, **options: Any) -> Estimate:
    columns = {"outcome": "lemp", "unit": "countyreal", "time": "year", "first_treated": "first_treat"}
    return estimate(frame, "staggered did", **columns, **options)


def _events(frame: pd.DataFrame) -> list[Line]:
    found = _run(frame, aggregate="dynamic")
    table = found.diagnostics["event_study"].set_index("event_time")
    wanted = {0: (-0.0199318, 0.0118264), 1: (-0.0509574, 0.0168935), 2: (-0.1372587, 0.0364357),
              3: (-0.1008114, 0.0343592), -3: (0.0305067, 0.0150336)}  # fmt: skip
    lines = []
    for event, (effect, se) in wanted.items():
        lines.append(Line(f"{event:+d} years: effect", effect, float(table.loc[event, "effect"]), 1e-6, R))
        lines.append(Line(f"{event:+d} years: SE", se, float(table.loc[event, "se"]), 1e-5, R))
    tested = found.diagnostics
    return [
        *lines,
        Line("test of trends before: statistic", 7.791237, float(tested["pre_test_statistic"]), 1e-4, R),
        Line("test of trends before: p", 0.16812, float(tested["pre_test"]), 1e-5, R),
    ]


def _variants(frame: pd.DataFrame) -> list[Line]:
    adjusted, later = _run(frame, covariates=["lpop"]), _run(frame, comparison="not yet treated")
    return [
        Line("adjusted for population: effect", -0.0417515, adjusted.effect, 1e-6, R),
        Line("adjusted for population: SE", 0.0115029, adjusted.se, 1e-5, R),
        Line("not yet treated: effect", -0.0397636, later.effect, 1e-6, R),
        Line("not yet treated: SE", 0.0120524, later.se, 1e-5, R),
    ]
