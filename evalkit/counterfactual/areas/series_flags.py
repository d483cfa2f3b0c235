"""What a reader of an interrupted time series must be told."""

from __future__ import annotations

import math
from typing import Any

from scipy import stats

from evalkit import words
from evalkit.counterfactual.areas.segmented import Fit
from evalkit.counterfactual.panel import Plan
from evalkit.errors import Flag

FEW_BEFORE, FEW_AFTER = 8, 3
SHORT = 100  # periods below which related errors often go unseen
LONG_ENOUGH = 200  # periods from which on Newey-West intervals come near what they say


def series_flags(fit: Fit, plan: Plan, found: dict[str, Any], chosen: bool = False) -> list[Flag]:
    """Say what weakens the estimate.

    Parameters
    ----------
    fit : Fit
        The model.
    plan : Plan
        The options.
    found : dict
        The estimate's diagnostics.
    chosen : bool
        Whether the standard error was chosen by the data.

    Returns
    -------
    list of Flag
        Short series, missing periods, seasons, dispersion, related errors, a slope.
    """
    return [
        *_length(found),
        *_seasons(plan, found),
        *_dispersion(fit, plan, found),
        *_related(fit, plan, found, chosen),
        *_slope(plan, found),
    ]


def _length(found: dict[str, Any]) -> list[Flag]:
    """Short series and gaps."""
    flags = []
    before, after, missing = found["n_before"], found["n_after"], found["missing_periods"]
    if before < FEW_BEFORE or after < FEW_AFTER:
        text = f"The series is short: {before} periods before the start and {after} after."
        detail = f"A trend from fewer than {FEW_BEFORE} periods, or a level from fewer than {FEW_AFTER}, may be chance."
        flags.append(Flag("counterfactual", "serious", text, detail))
    if missing:
        text = f"Periods missing between the first and the last: {missing}. The rest keep their place in time."
        flags.append(Flag("counterfactual", "caution", text))
    return flags


def _seasons(plan: Plan, found: dict[str, Any]) -> list[Flag]:
    """Seasons that rest on less than two rounds of them."""
    rounds = found["n_before"] / plan.options["period"]
    if not plan.options["harmonics"] or rounds >= 2:
        return []
    text = "The seasons are estimated from fewer than two whole rounds before the start."
    return [Flag("counterfactual", "serious" if rounds < 1 else "caution", text, f"{words.number(rounds, 1)} rounds.")]


def _dispersion(fit: Fit, plan: Plan, found: dict[str, Any]) -> list[Flag]:
    """Counts that vary more than Poisson ones, where the interval leaves that out."""
    over = fit.dispersion > 1 and stats.chi2.sf(fit.dispersion * fit.df, fit.df) < 0.05
    if plan.se != "model" or not fit.design.log or not over:
        return []
    text = f"The counts vary {words.number(fit.dispersion, 1)} times as much as the Poisson interval supposes."
    low, high = found["interval_quasi"]
    ends = words.interval(low, high, 3)
    return [Flag("counterfactual", "serious", text, f'Use se = "quasi" with family = "quasi-poisson": {ends}.')]


def _related(fit: Fit, plan: Plan, found: dict[str, Any], chosen: bool) -> list[Flag]:
    """Errors that are related, where the interval supposes that they are not."""
    about, n = found["autocorrelation"], len(fit.fitted)
    if chosen and plan.se in ("ar1", "hac"):
        text = (
            "Neighbouring errors are alike, and the interval allows for it; in a short series it may not do so fully."
        )
        low, high = found["interval_quasi"]
        measured = f"Lag-1 correlation {words.number(about['errors'], 2)}."
        detail = f'{measured} Were they not, it would be {words.interval(low, high, 3)} (se = "quasi").'
        return [Flag("counterfactual", "caution", text, detail)]
    if plan.se == "hac" and n < LONG_ENOUGH:
        text = f'Newey-West intervals are too narrow in a series as short as this ({n} periods). Use se = "ar1".'
        return [Flag("counterfactual", "caution", text, _with_ar1(found))]
    near = about["errors"] > stats.norm.ppf(0.95) / math.sqrt(n)
    if plan.se in ("hac", "ar1"):
        return []
    if not (near or about["ljung_box_p"] < 0.05):
        return _unseen(n, found) if chosen and n < SHORT else []
    correlation = words.number(about["errors"] if near else about["lag_1"], 2)
    measured = f"Lag-1 correlation {correlation}, Ljung-Box p {words.p_value(about['ljung_box_p'])}."
    if near:
        text = f'Neighbouring errors are alike, so the interval is too narrow. Use se = "{_better(found)}".'
        return [Flag("counterfactual", "serious", text, f"{measured} {_with_ar1(found)}".strip())]
    text = "Errors some periods apart are related: a season or a bend that the model leaves out."
    remedy = "harmonics = 2" if not plan.options["harmonics"] else "more harmonics, or covariates"
    return [Flag("counterfactual", "caution", text, f"{measured} Try {remedy}; the interval may be too narrow.")]


def _unseen(n: int, found: dict[str, Any]) -> list[Flag]:
    """A short series hides how alike errors are."""
    text = f"In {n} periods it can hardly be seen whether neighbouring errors are alike; the interval takes it not."
    detail = "Were they, some 90 of 100 such intervals would cover."
    return [Flag("counterfactual", "note", text, f"{detail} {_with_ar1(found).replace('With it', 'With se = ar1')}")]


def _better(found: dict[str, Any]) -> str:
    """The standard error that allows for related errors in a series of this length."""
    return "ar1" if "interval_ar1" in found else "hac"


def _with_ar1(found: dict[str, Any]) -> str:
    """The interval that allows for related errors."""
    if "interval_ar1" not in found:
        return ""
    low, high = found["interval_ar1"]
    return f"With it the interval is {words.interval(low, high, 3)}."


def _slope(plan: Plan, found: dict[str, Any]) -> list[Flag]:
    """A change of trend makes the effect one of many."""
    if not plan.options["slope"]:
        return []
    text = "The effect is the change of level at the start; the trend changes too, so it differs at every period after."
    ends = " to ".join(words.number(found[name], 3) for name in ("effect_first", "effect_last"))
    return [Flag("counterfactual", "note", text, f"{ends} from the first to the last period after.")]
