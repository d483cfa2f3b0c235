"""What one estimate is: an effect, what would have happened anyway, and everything needed to doubt them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from evalkit import words
from evalkit.errors import Flag


@dataclass(frozen=True)
class Deadweight:
    """The share of what is counted as achieved that would have been achieved anyway.

    Parameters
    ----------
    value : float
        The share; above 1 or below 0 is kept as such.
    low, high : float
        Its interval; minus and plus infinity where the Fieller set has no bound; NaN where nothing is known.
    method : str
        The formula, and how the interval was made.
    """

    value: float
    low: float
    high: float
    method: str


@dataclass(frozen=True, eq=False)
class Estimate:
    """One effect on one outcome.

    Parameters
    ----------
    effect, se, low, high, p, df : float
        The effect in the outcome's unit, its standard error, interval, p-value and degrees of freedom; NaN where
        there is no sampling distribution.
    scale : {"difference", "ratio"}
        How the effect is written.
    n_treated, n_comparison : int
        People behind it, after missing outcomes and unmatched people have left.
    observed, counterfactual : float
        The mean outcome of the treated, and what it is estimated to have been without the programme.
    deadweight : Deadweight or None
        None where it is not defined; ``why_no_deadweight`` and a flag say why.
    balance : DataFrame or None
        Standardised mean differences of the covariates, before and after weighting or matching.
    diagnostics : dict
        The estimator's own: ess_comparison, dropped, pairs, max_smd_after ...
    flags : tuple of Flag
        What a reader must be told.
    level : float
        Confidence level of every interval.
    estimator : str
        The estimator's name.
    n_clusters : int or None
        Clusters that the interval allows for.
    influence : DataFrame or None
        Index person; columns effect, observed, counterfactual (and baseline where it is part of the deadweight): each
        person's contribution, so that the variance is the sum over clusters of the squared sum of contributions.
    why_no_deadweight : str
        One sentence; empty where there is a deadweight.
    terms : dict
        What the deadweight is made of (numerator and denominator as weights of observed, counterfactual, baseline).
    """

    effect: float
    se: float
    low: float
    high: float
    p: float
    df: float
    scale: str
    n_treated: int
    n_comparison: int
    observed: float
    counterfactual: float
    deadweight: Deadweight | None
    balance: pd.DataFrame | None
    diagnostics: dict[str, Any]
    flags: tuple[Flag, ...]
    level: float
    estimator: str
    n_clusters: int | None
    influence: pd.DataFrame | None
    why_no_deadweight: str = ""
    terms: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        """The estimate without the people behind it."""
        text = f"{words.number(self.effect, 4)} ({words.interval(self.low, self.high, 4)})"
        return f"Estimate({self.estimator}: {self.scale} {text}, p {words.p_value(self.p)}, {len(self.flags)} flags)"

    def _repr_html_(self) -> str:
        """The estimate in one line, with its caveats."""
        text = f"{words.number(self.effect, 4)} ({words.interval(self.low, self.high, 4)})"
        caveats = "".join(f"<li>{flag.level}: {flag.text}</li>" for flag in self.flags)
        return f"<p>Effect ({self.estimator}): <strong>{text}</strong>, p {words.p_value(self.p)}</p><ul>{caveats}</ul>"
