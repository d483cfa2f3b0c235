"""Whether the comparison people are like the treated, before and after weighting or matching."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.counterfactual.covariates import as_numbers, is_number, level_codes
from evalkit.errors import EstimationError, Flag, did_you_mean

COMPARABLE, FAR_APART = 0.1, 0.25
DENOMINATORS = {
    "treated": "standard deviation of the treated before weighting",
    "comparison": "standard deviation of the comparison before weighting",
    "pooled": "root of the mean of both arms' variances before weighting",
}


def balance(
    frame: pd.DataFrame,
    treated: str,
    covariates: Sequence[str],
    weights: str | Sequence[float] | np.ndarray | None = None,
    denominator: str = "treated",
) -> pd.DataFrame:
    """Standardised mean differences, variance ratios and Kolmogorov-Smirnov distances of the covariates.

    Parameters
    ----------
    frame : DataFrame, shape (n, ...)
        One row per person; those without an arm are left out.
    treated : str
        Column that is 1 for the treated, 0 for the comparison.
    covariates : sequence of str
        Columns; words are shown by level.
    weights : str or array of shape (n,), optional
        Weights after weighting or matching (0: left out); a Series goes by its index.
    denominator : {"treated", "pooled", "comparison"}
        Whose standard deviation before weighting the difference is divided by, before and after.

    Returns
    -------
    DataFrame
        Index covariate ("race black" for a level); mean_treated, mean_comparison, smd_before, variance_ratio_before,
        ks_before, and with weights the same with _after. For yes/no the standard deviation is sqrt(p (1 - p));
        ``attrs["denominator"]`` says whose it is. Variance ratios (treated over comparison) are for numbers only; ks is
        the largest distance between the arms' (weighted) cumulative shares, from 0 to 1: for yes/no the difference of
        the shares. Gaps are left out.

    Raises
    ------
    EstimationError
        A column is missing, an arm is empty, weights do not fit, or the denominator is not known.

    References
    ----------
    Austin and Stuart (2015), Statistics in Medicine 34, 3661-3679, for the measures.
    """
    names = [covariates] if isinstance(covariates, str) else list(dict.fromkeys(covariates))
    _check_columns(frame, [treated, *names])
    if denominator not in DENOMINATORS:
        raise EstimationError(f'denominator = "{denominator}" is not known. {did_you_mean(denominator, DENOMINATORS)}')
    after = None if weights is None else _weights(frame, weights)
    there = frame[treated].notna().to_numpy()
    if not there.all():
        frame, after = frame[there], None if after is None else after[there]
    arm = _arm(frame[treated])
    rows = [_row(name, values, arm, after, denominator) for name, values in _columns(frame[names])]
    table = pd.DataFrame(rows).set_index("covariate") if rows else pd.DataFrame(index=pd.Index([], name="covariate"))
    table.attrs["denominator"] = DENOMINATORS[denominator]
    return table


def _check_columns(frame: pd.DataFrame, names: list[str]) -> None:
    """Every column is there, once."""
    for name in names:
        if name not in frame.columns:
            raise EstimationError(f'column "{name}" is not in the table. {did_you_mean(name, frame.columns)}')
        if (frame.columns == name).sum() > 1:
            raise EstimationError(f'the table has several columns "{name}". Keep one of them.')


def _arm(column: pd.Series) -> np.ndarray:
    """Who is treated, of those of whom it is known."""
    values = as_numbers(column) if is_number(column) else np.full(len(column), np.nan)
    if len(values) and not np.isin(values, (0.0, 1.0)).all():
        raise EstimationError(f'column "{column.name}" must be 1 for the treated and 0 for the comparison.')
    if not (values == 1).any() or (values == 1).all():
        raise EstimationError(f'column "{column.name}" has nobody in one of the arms, so there is no balance to show.')
    return np.asarray(values == 1)


def _weights(frame: pd.DataFrame, weights: str | Sequence[float] | np.ndarray) -> np.ndarray:
    """Weights as an array that fits the rows."""
    if isinstance(weights, str) and weights not in frame.columns:
        raise EstimationError(f'column "{weights}" is not in the table. {did_you_mean(weights, frame.columns)}')
    if isinstance(weights, pd.Series) and len(weights) == len(frame) and not weights.index.equals(frame.index):
        if not weights.index.is_unique or not weights.index.sort_values().equals(frame.index.sort_values()):
            raise EstimationError("the index of the weights is not that of the table, so whose they are is not known.")
        weights = weights.reindex(frame.index)
    values = np.asarray(frame[weights] if isinstance(weights, str) else weights, float)
    if values.shape != (len(frame),):
        raise EstimationError(f"there are {values.size} weights for {len(frame)} rows. Give one for each row.")
    if not (values >= 0).all():
        raise EstimationError("weights must be 0 or more, and none may be missing.")
    return values


def _columns(covariates: pd.DataFrame) -> list[tuple[str, np.ndarray]]:
    """Numbers as they are, words level by level (all levels)."""
    result = []
    for name in covariates.columns:
        column = covariates[name]
        if is_number(column):
            result.append((str(name), as_numbers(column)))
            continue
        found, levels = level_codes(column)
        gaps = found < 0
        for place, level in enumerate(levels):
            result.append((f"{name} {level}", np.where(gaps, np.nan, found == place)))
    return result


def _row(
    name: str, values: np.ndarray, arm: np.ndarray, after: np.ndarray | None, denominator: str
) -> dict[str, str | float]:
    """One covariate's line of the table."""
    there = ~np.isnan(values)
    if not there.all():
        values, arm, after = values[there], arm[there], None if after is None else after[there]
    binary = bool(((values == 0) | (values == 1)).all())
    even = np.ones(len(values))
    sd = _divisor(values, arm, binary, denominator)
    row: dict[str, str | float] = {"covariate": name, **_compare(values, arm, even, sd, "before")}
    ranks = None if binary else np.argsort(values)
    row["ks_before"] = _distance(values, arm, even, ranks, row["mean_treated"], row["mean_comparison"])
    if after is not None:
        row |= _compare(values, arm, after, sd, "after")
        ends = row["mean_treated_after"], row["mean_comparison_after"]
        row["ks_after"] = _distance(values, arm, after, ranks, *ends)
    if binary:
        row |= {key: np.nan for key in row if key.startswith("variance_ratio")}
    return row


def _moments(values: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Weighted mean and unbiased variance."""
    keep = weights > 0
    if not keep.all():
        values, weights = values[keep], weights[keep]
    total = weights.sum()
    if not total > 0:
        return np.nan, np.nan
    mean = (weights @ values) / total
    room = total - (weights @ weights) / total
    spread = values - mean
    return float(mean), float((weights @ spread**2) / room) if room > 1e-12 * total else np.nan


def _divisor(values: np.ndarray, arm: np.ndarray, binary: bool, denominator: str) -> float:
    """The standard deviation that differences are divided by."""
    variances = {}
    for name, own in (("treated", values[arm]), ("comparison", values[~arm])):
        mean, variance = _moments(own, np.ones(len(own)))
        variances[name] = mean * (1 - mean) if binary else variance
    variances["pooled"] = (variances["treated"] + variances["comparison"]) / 2
    return float(np.sqrt(variances[denominator]))


def _compare(values: np.ndarray, arm: np.ndarray, weights: np.ndarray, sd: float, when: str) -> dict[str, float]:
    """Means, standardised difference and variance ratio under the weights."""
    (one, spread_one), (none, spread_none) = (_moments(values[side], weights[side]) for side in (arm, ~arm))
    names = ("mean_treated", "mean_comparison") if when == "before" else ("mean_treated_after", "mean_comparison_after")
    return {
        names[0]: one,
        names[1]: none,
        f"smd_{when}": (one - none) / sd if sd > 0 else np.nan,
        f"variance_ratio_{when}": spread_one / spread_none if spread_none > 0 else np.nan,
    }


def _distance(
    values: np.ndarray, arm: np.ndarray, weights: np.ndarray, ranks: np.ndarray | None, one: object, none: object
) -> float:
    """The Kolmogorov-Smirnov distance between the arms; of yes/no, the difference of the means."""
    if ranks is None:
        return float(abs(float(one) - float(none)))  # type: ignore[arg-type]
    totals = weights[arm].sum(), weights[~arm].sum()
    if not min(totals) > 0:
        return np.nan
    ordered = values[ranks]
    gap = np.cumsum((weights * np.where(arm, 1 / totals[0], -1 / totals[1]))[ranks])
    last = np.append(ordered[1:] != ordered[:-1], True)  # only where a value is finished
    return float(np.abs(gap[last]).max())


def for_love_plot(table: pd.DataFrame) -> pd.DataFrame:
    """Absolute standardised differences in long form, as a love plot draws them.

    Parameters
    ----------
    table : DataFrame
        From `balance`.

    Returns
    -------
    DataFrame
        covariate, when ("before" or "after"), difference (absolute, in standard deviations); the largest difference
        before comes first. ``attrs``: denominator, and the lines to draw (0.1 and 0.25).
    """
    kept = [name for name in ("smd_before", "smd_after") if name in table]
    order = table["smd_before"].abs().sort_values(ascending=False, kind="stable").index if kept else table.index
    parts = [
        pd.DataFrame({"covariate": order, "when": name.removeprefix("smd_"), "difference": table[name].abs()[order]})
        for name in kept
    ]
    result = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["covariate", "when", "difference"])
    result.attrs = {"denominator": table.attrs.get("denominator"), "lines": (COMPARABLE, FAR_APART)}
    return result


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
    far = worst[worst > COMPARABLE].sort_values(ascending=False, kind="stable")
    text = f"After adjustment the arms still differ in {words.listed([str(name) for name in far.index[:4]])}."
    detail = f"Largest standardised difference {words.number(far.iloc[0], 2)}; up to 0.1 is wished for."
    return found, [Flag("counterfactual", "serious" if far.iloc[0] > FAR_APART else "caution", text, detail)]
