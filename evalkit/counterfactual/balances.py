"""Whether the comparison people are like the treated, before and after weighting or matching."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.counterfactual.covariates import as_numbers, is_number, levels_of
from evalkit.errors import EstimationError, Flag, did_you_mean

COMPARABLE, FAR_APART = 0.1, 0.25


def balance(
    frame: pd.DataFrame,
    treated: str,
    covariates: Sequence[str],
    weights: str | Sequence[float] | np.ndarray | None = None,
) -> pd.DataFrame:
    """Standardised mean differences and variance ratios of the covariates.

    Parameters
    ----------
    frame : DataFrame, shape (n, ...)
        One row per person.
    treated : str
        Column that is 1 for the treated, 0 for the comparison.
    covariates : sequence of str
        Columns; words are shown by level.
    weights : str or array of shape (n,), optional
        Weights after weighting or matching (0: left out).

    Returns
    -------
    DataFrame
        Index covariate ("race black" for a level); mean_treated, mean_comparison, smd_before, variance_ratio_before and
        with weights the same with _after. The difference is divided by the treated's SD before weighting (for yes/no:
        sqrt(p (1 - p))), the same before and after; ``attrs["denominator"]`` says so. Variance ratios (treated over
        comparison) are for numbers only.

    Raises
    ------
    EstimationError
        A column is missing, or an arm is empty.
    """
    absent = [name for name in (treated, *covariates) if name not in frame.columns]
    if absent:
        raise EstimationError(f'column "{absent[0]}" is not in the table. {did_you_mean(absent[0], frame.columns)}')
    arm = as_numbers(frame[treated]) == 1
    if not arm.any() or arm.all():
        raise EstimationError(f'column "{treated}" has nobody in one of the arms, so there is no balance to show.')
    after = None if weights is None else np.asarray(frame[weights] if isinstance(weights, str) else weights, float)
    rows = []
    for name, values in _columns(frame[list(covariates)]):
        row = {"covariate": name, **_compare(values, arm, np.ones(len(frame)), "before")}
        rows.append(row if after is None else row | _compare(values, arm, after, "after"))
    table = pd.DataFrame(rows).set_index("covariate") if rows else pd.DataFrame(index=pd.Index([], name="covariate"))
    table.attrs["denominator"] = "standard deviation of the treated before weighting"
    return table


def _columns(covariates: pd.DataFrame) -> list[tuple[str, np.ndarray]]:
    """Numbers as they are, words level by level (all levels)."""
    result = []
    for name in covariates.columns:
        column = covariates[name]
        if is_number(column):
            result.append((str(name), as_numbers(column)))
            continue
        text = column.astype(str).to_numpy()
        gaps = column.isna().to_numpy()
        result += [(f"{name} {level}", np.where(gaps, np.nan, text == level)) for level in levels_of(column)]
    return result


def _moments(values: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Weighted mean and unbiased variance, gaps left out."""
    keep = ~np.isnan(values) & (weights > 0)
    values, weights = values[keep], weights[keep]
    total = weights.sum()
    if total == 0:
        return np.nan, np.nan
    mean = (weights * values).sum() / total
    room = total - (weights**2).sum() / total
    return float(mean), float((weights * (values - mean) ** 2).sum() / room) if room > 0 else np.nan


def _compare(values: np.ndarray, arm: np.ndarray, weights: np.ndarray, when: str) -> dict[str, float]:
    """Means, standardised difference and variance ratio under the weights."""
    (one, spread_one), (none, spread_none) = (_moments(values[side], weights[side]) for side in (arm, ~arm))
    own = values[arm]
    binary = bool(np.isin(values[~np.isnan(values)], (0.0, 1.0)).all())
    share = float(np.nanmean(own)) if (~np.isnan(own)).any() else np.nan
    sd = np.sqrt(share * (1 - share)) if binary else np.sqrt(_moments(own, np.ones(len(own)))[1])
    names = ("mean_treated", "mean_comparison") if when == "before" else ("mean_treated_after", "mean_comparison_after")
    return {
        names[0]: one,
        names[1]: none,
        f"smd_{when}": (one - none) / sd if sd > 0 else np.nan,
        f"variance_ratio_{when}": spread_one / spread_none if not binary and spread_none > 0 else np.nan,
    }


def balance_report(table: pd.DataFrame) -> tuple[dict[str, float], list[Flag]]:
    """The largest difference before and after, and what to say about it.

    Parameters
    ----------
    table : DataFrame
        From `balance`, with weights.

    Returns
    -------
    (dict, list of Flag)
        max_smd_before, max_smd_after; flags above 0.1 (caution) and above 0.25 (serious).
    """
    if "smd_after" not in table or table["smd_after"].abs().isna().all():
        return {}, []
    worst = table["smd_after"].abs()
    found = {"max_smd_before": float(table["smd_before"].abs().max()), "max_smd_after": float(worst.max())}
    if not worst.max() > COMPARABLE:
        return found, []
    far = worst[worst > COMPARABLE].sort_values(ascending=False)
    text = f"After adjustment the arms still differ in {words.listed([str(name) for name in far.index[:4]])}."
    detail = f"Largest standardised difference {words.number(far.iloc[0], 2)}; up to 0.1 is wished for."
    return found, [Flag("counterfactual", "serious" if far.iloc[0] > FAR_APART else "caution", text, detail)]
