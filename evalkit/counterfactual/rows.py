"""From an estimate to its row in the table of effects."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from evalkit.counterfactual.nouns import Estimate

COLUMNS = [
    *["outcome", "title", "occasion_title", "unit", "values", "better", "is_domain", "primary", "estimator", "scale"],
    *[
        "n_treated",
        "n_comparison",
        "n_clusters",
        "observed",
        "counterfactual",
        "effect",
        "se",
        "low",
        "high",
        "df",
        "p",
    ],
    *[
        "p_adjusted",
        "deadweight",
        "deadweight_low",
        "deadweight_high",
        "deadweight_method",
        "why_no_deadweight",
        "level",
    ],
    *["conclusion", "rounding_low", "rounding_high", "relative", "relative_low", "relative_high", "truth", "source"],
]
ROUNDING = ("rounding_low", "rounding_high", "relative", "relative_low", "relative_high")
ALSO = [
    "outcome",
    "id",
    "says",
    "estimator",
    "effect",
    "se",
    "low",
    "high",
    "p",
    "n_treated",
    "n_comparison",
    "planned",
]


def conclude_in_words(low: float, high: float, better: str) -> str:
    """Which way the interval points.

    Parameters
    ----------
    low, high : float
        The interval of the effect; NaN where there is none.
    better : {"higher", "lower"}
        Which way is good.

    Returns
    -------
    str
        "better", "worse", "no clear difference" or "not known".
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return "not known"
    if low <= 0 <= high:
        return "no clear difference"
    return "better" if (low > 0) == (better == "higher") else "worse"


def conclude_jointly(table: pd.DataFrame, level: float) -> pd.Series:
    """Take back what does not hold once all planned outcomes are allowed for.

    Parameters
    ----------
    table : DataFrame
        Columns conclusion and p_adjusted, one row per planned outcome.
    level : float
        Of the intervals; an adjusted p above 1 - level is no clear difference.

    Returns
    -------
    Series of str
        "better", "worse", "no clear difference" or "not known", by row.
    """
    adjusted = pd.to_numeric(table["p_adjusted"], errors="coerce")
    doubtful = adjusted.gt(1 - level) & table["conclusion"].isin(["better", "worse"])
    return table["conclusion"].mask(doubtful, "no clear difference")


def no_effect(scale: str) -> float:
    """What an effect is where there is none.

    Parameters
    ----------
    scale : {"difference", "ratio"}
        How it is written.

    Returns
    -------
    float
        0, and 1 for a ratio.
    """
    return 1.0 if scale == "ratio" else 0.0


def effect_row(about: dict[str, Any], estimate: Estimate, level: int | None) -> dict[str, Any]:
    """One row of ``Effects.table``.

    Parameters
    ----------
    about : dict
        outcome, title, occasion_title, unit, values, better, is_domain, primary; source where there is one.
    estimate : Estimate
        The planned one.
    level : int or None
        Level on the Maryland scale.

    Returns
    -------
    dict
        By column; p_adjusted and truth are filled later.
    """
    plain = ("estimator", "scale", "n_treated", "n_comparison", "n_clusters", "observed", "counterfactual")
    numbers = ("effect", "se", "low", "high", "df", "p", "why_no_deadweight")
    share, none = estimate.deadweight, no_effect(estimate.scale)
    return {
        **about,
        **{name: getattr(estimate, name) for name in (*plain, *numbers)},
        "deadweight": np.nan if share is None else share.value,
        "deadweight_low": np.nan if share is None else share.low,
        "deadweight_high": np.nan if share is None else share.high,
        "deadweight_method": None if share is None else share.method,
        "level": level,
        "conclusion": conclude_in_words(estimate.low - none, estimate.high - none, about["better"]),
        **{name: estimate.diagnostics.get(name, np.nan) for name in ROUNDING},
    }


def unknown_row(about: dict[str, Any], estimator: str, why: str) -> dict[str, Any]:
    """Make the row of an outcome whose estimate was not possible.

    Parameters
    ----------
    about : dict
        As for `effect_row`.
    estimator : str
        What was planned.
    why : str
        Why there is no estimate.

    Returns
    -------
    dict
        By column; what is not known is missing.
    """
    return {**about, "estimator": estimator, "scale": "difference", "why_no_deadweight": why, "conclusion": "not known"}


def also_row(outcome: str, about: dict[str, Any], estimate: Estimate) -> dict[str, Any]:
    """Make one row of ``Effects.also``.

    Parameters
    ----------
    outcome : str
        As the study names it.
    about : dict
        id, says, planned.
    estimate : Estimate
        Of this analysis.

    Returns
    -------
    dict
        By column.
    """
    numbers = ("estimator", "effect", "se", "low", "high", "p", "n_treated", "n_comparison")
    return {"outcome": outcome, **about, **{name: getattr(estimate, name) for name in numbers}}


def as_table(rows: list[dict[str, Any]], columns: list[str]) -> pd.DataFrame:
    """Put rows into a table.

    Parameters
    ----------
    rows : list of dict
        By column.
    columns : list of str
        All columns, in order.

    Returns
    -------
    DataFrame
        Numbers as numbers, counts as integers that may be missing.
    """
    table = pd.DataFrame(rows).reindex(columns=columns) if rows else pd.DataFrame(columns=columns)
    for name in (
        "effect",
        "se",
        "low",
        "high",
        "df",
        "p",
        "p_adjusted",
        "observed",
        "counterfactual",
        "truth",
        *ROUNDING,
    ):
        if name in table:
            table[name] = table[name].astype(float)
    for name in ("n_treated", "n_comparison", "n_clusters", "level"):
        if name in table:
            table[name] = table[name].astype("Int64")
    for name in ("why_no_deadweight", "source", "occasion_title", "unit"):
        if name in table:
            table[name] = table[name].astype(object).where(table[name].notna(), "")
    return table


def holm(p: pd.Series) -> np.ndarray:
    """Holm's adjusted p-values; missing ones stay missing and do not count.

    Parameters
    ----------
    p : Series of float
        One per planned outcome.

    Returns
    -------
    ndarray
        The same length.
    """
    from evalkit.outcomes import adjust

    return adjust(p.to_numpy(dtype=float), "holm")
