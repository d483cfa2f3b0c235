"""A bare estimate for examples and for reasoning about published figures."""

from __future__ import annotations

import math
from typing import Any

from scipy import stats

from evalkit.counterfactual.nouns import Estimate


def an_estimate(effect: float, se: float, df: float = math.inf, level: float = 0.95, **more: Any) -> Estimate:
    """Make an `Estimate` from an effect and its standard error, such as a paper prints.

    Parameters
    ----------
    effect, se : float
        In the outcome's unit.
    df : float
        Degrees of freedom; infinite for the normal.
    level : float
        Of the interval.
    **more
        Other fields of `Estimate`.

    Returns
    -------
    Estimate
        Without people, deadweight or contributions.
    """
    half = float(stats.t.ppf(0.5 + level / 2, df)) * se
    told: dict[str, Any] = {
        "effect": effect, "se": se, "low": effect - half, "high": effect + half,
        "p": float(2 * stats.t.sf(abs(effect) / se, df)) if se > 0 else math.nan, "df": df, "scale": "difference",
        "n_treated": 0, "n_comparison": 0, "observed": math.nan, "counterfactual": math.nan, "deadweight": None,
        "balance": None, "diagnostics": {}, "flags": (), "level": level, "estimator": "as printed",
        "n_clusters": None, "influence": None,
    }  # fmt: skip
    return Estimate(**{**told, **more})
