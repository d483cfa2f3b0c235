"""Minimum wages and fast-food employment: two times, two states."""

from __future__ import annotations

import pandas as pd

from evalkit.counterfactual import estimate
from evalkit.validation.nouns import Line
from evalkit.validation.repeated import paper

OWN = "four means by hand"


@paper(
    "card krueger",
    "Fast-food employment in New Jersey and Pennsylvania",
    "Card and Krueger (1994), American Economic Review 84, 772-793",
    file="card_krueger_long.csv",
    licence="none stated (public archive of D. Card)",
    shipped=False,
    obtain="From D. Card's public data archive: njmin, public.dat; one row for each store and wave, with id, nj, "
    "chain, co_owned, wave (1, 2) and fte = full-time + managers + half of part-time.",
)
def card_krueger(frame: pd.DataFrame) -> list[Line]:
    """All stores, and stores seen twice."""
    asked = {"outcome": "fte", "treated": "nj", "time": "wave", "person": "id"}
    every, balanced = estimate(frame, "did", **asked), estimate(frame, "did", **asked, balanced=True)
    before = every.terms["values"]
    return [
        Line("New Jersey after", 21.0274, every.observed, 1e-4, OWN),
        Line("New Jersey before", 20.4394, before["baseline"], 1e-4, OWN),
        Line("difference in differences, all stores", 2.753606, every.effect, 1e-5, OWN),
        Line("the same, as published", 2.76, every.effect, 0.01, "published"),
        Line("stores seen twice", 2.75, balanced.effect, 1e-5, OWN),
        Line("stores seen twice: HC2 standard error", 1.3423, balanced.se, 1e-4, OWN),
        Line("the same, as published", 1.34, balanced.se, 0.01, "published"),
    ]
