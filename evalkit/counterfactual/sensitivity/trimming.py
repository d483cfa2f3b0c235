"""Whether people at the edges make the effect: those with extreme scores, weights or outcomes are left out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.counterfactual.estimating import estimate
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.panel import Columns, Panel, Plan, prepare
from evalkit.counterfactual.registry import Entry, find_estimator
from evalkit.counterfactual.scores import propensity
from evalkit.counterfactual.sensitivity.again import numbers_of, once_more, range_said, signs_said, used_columns
from evalkit.errors import EstimationError, did_you_mean, several

Rule = tuple[str, float, np.ndarray]  # what it is called, the share cut off, who stays
CRUMP = 0.1
ROW = "(row)"
EVERYBODY = "everybody"
CHANGED = {
    "score": "After trimming, the effect is on the treated who have their like in the comparison, not on all treated.",
    "weights": "After trimming, the comparison is without the people who weigh most, so it need not match all treated.",
    "outcome": "After trimming, it is a difference of trimmed means: the effect without the most extreme outcomes.",
}


def trimmed(
    frame: pd.DataFrame,
    estimator: str,
    shares: float | Sequence[float] = (0, 0.01, 0.05, 0.1),
    by: str = "score",
    **arguments: Any,
) -> pd.DataFrame:
    """Estimate again without the people at the edges.

    Parameters
    ----------
    frame : DataFrame, shape (n_people, ...)
        One row per person.
    estimator : str
        A name on the list that works on one row per person.
    shares : float or sequence of float
        Shares to be cut off, from 0 to below 0.5.
    by : {"score", "weights", "outcome"}
        "score": the propensity score from the covariates; below the share's quantile of the treated and above the
        (1 - share)'s of the comparison people are left out; two further rows leave out who lies outside the range of
        scores that both arms have, and who has a score below 0.1 or above 0.9. "weights": the share of largest weights
        by the inverse of the score is left out (of the comparison; for ATE of both arms). "outcome": the share is cut
        off at both ends of each arm.
    **arguments
        Of `estimate`. The estimator's own score or weights are estimated anew on who is left.

    Returns
    -------
    DataFrame
        A row for each rule: rule, share, n_treated, n_comparison, share_left (of people), effect, low, high, p, change
        (from everybody's effect) and why (where nothing could be estimated). ``attrs``: "effect", "estimand" (what the
        effect is on after trimming) and "says".

    Raises
    ------
    EstimationError
        A share outside its range, an unknown ``by``, a yes/no outcome trimmed by itself, an estimator that does not
        work on one row per person, no covariates to make a score of; and what `estimate` raises for everybody.

    References
    ----------
    Crump, Hotz, Imbens and Mitnik (2009), Biometrika 96, 187-199 (scores of 0.1 to 0.9); Sturmer, Rothman, Avorn and
    Glynn (2010), American J. of Epidemiology 172, 843-854 (quantiles of the arms); Dehejia and Wahba (1999), JASA 94,
    1053-1062 (the range that both arms have).
    """
    entry = find_estimator(estimator)
    wanted = np.atleast_1d(np.asarray(shares, dtype=float))
    _check(entry, wanted, by, arguments)
    full = estimate(frame, estimator, **arguments)
    used = used_columns(frame, arguments)
    panel = _panel(used, entry, arguments)
    rules = {"score": _by_score, "weights": _by_weights, "outcome": _by_outcome}[by](panel, wanted, entry, arguments)
    rows = [_row(used, panel, rule, estimator, arguments, full) for rule in rules]
    table = pd.DataFrame(rows)
    table.attrs = {"effect": full.effect, "estimand": CHANGED[by], "says": _says(table, full, by)}
    return table


def _check(entry: Entry, shares: np.ndarray, by: str, arguments: dict[str, Any]) -> None:
    """All that can be wrong with what was asked."""
    problems = []
    if by not in CHANGED:
        problems.append(f'by = "{by}" is not known. {did_you_mean(by, CHANGED)}')
    if not len(shares) or not ((shares >= 0) & (shares < 0.5)).all():
        problems.append("shares must lie from 0 to below 0.5, such as (0, 0.01, 0.05).")
    if entry.data != "people":
        problems.append(f'"{entry.name}" does not work on one row per person, so nobody can be left out by a row.')
    elif by in ("score", "weights") and not arguments.get("covariates"):
        problems.append("a propensity score needs covariates: name them, or trim by the outcome.")
    if problems:
        raise EstimationError(several("the trimming", problems))


def _panel(used: pd.DataFrame, entry: Entry, arguments: dict[str, Any]) -> Panel:
    """The people as the estimator sees them, with their place in the table."""
    covariates = arguments.get("covariates", ())
    columns = Columns(
        outcome=arguments["outcome"],
        treated=arguments.get("treated"),
        covariates=(covariates,) if isinstance(covariates, str) else tuple(covariates),
        person=arguments.get("person"),
        cluster=arguments.get("cluster"),
        extra=(ROW,),
    )
    plan = Plan(entry.name, treated_is=arguments.get("treated_is"))
    return prepare(used.assign(**{ROW: np.arange(len(used))}), columns, plan, entry)


def _by_score(panel: Panel, shares: np.ndarray, entry: Entry, arguments: dict[str, Any]) -> list[Rule]:
    """Everybody, the common range, scores of 0.1 to 0.9, and tails."""
    score, one = propensity(panel).probability, panel.treated == 1
    low, high = max(score[one].min(), score[~one].min()), min(score[one].max(), score[~one].max())
    known = [
        ("scores that both arms have", math.nan, (score >= low) & (score <= high)),
        ("scores from 0.1 to 0.9", math.nan, (score >= CRUMP) & (score <= 1 - CRUMP)),
    ]
    rules = [
        (EVERYBODY if share == 0 else f"without {words.percent(share)} at the ends of the scores", float(share), stays)
        for share in shares
        for stays in [_between(score, np.quantile(score[one], share), np.quantile(score[~one], 1 - share), share)]
    ]
    first = [rule for rule in rules if rule[0] == EVERYBODY]
    return [*first, *known, *(rule for rule in rules if rule[0] != EVERYBODY)]


def _between(score: np.ndarray, low: float, high: float, share: float) -> np.ndarray:
    """Who stays between two scores; everybody where nothing is cut off."""
    return np.ones(len(score), bool) if share == 0 else (score >= low) & (score <= high)


def _by_weights(panel: Panel, shares: np.ndarray, entry: Entry, arguments: dict[str, Any]) -> list[Rule]:
    """Without the largest weights of the comparison; of both arms where the effect is on everybody."""
    score, one = propensity(panel).probability, panel.treated == 1
    ate = (arguments.get("estimand") or entry.estimands[0]) == "ATE"
    weights = np.where(one, 1 / score, 1 / (1 - score)) if ate else np.where(one, 0.0, score / (1 - score))
    rules = []
    for share in shares:
        stays = np.ones(len(score), bool)
        for arm in (one, ~one) if ate else (~one,):
            stays &= ~arm | (weights <= np.quantile(weights[arm], 1 - share))
        name = EVERYBODY if share == 0 else f"without the largest {words.percent(share)} of weights"
        rules.append((name, float(share), stays))
    return rules


def _by_outcome(panel: Panel, shares: np.ndarray, entry: Entry, arguments: dict[str, Any]) -> list[Rule]:
    """Without the ends of each arm's outcomes: both arms alike, so that an effect does not trim itself away."""
    if len(np.unique(panel.y)) <= 2:
        raise EstimationError(
            f'"{panel.columns.outcome}" has no more than two values, so there are no extremes. Trim by "score".'
        )
    rules = []
    for share in shares:
        stays = np.ones(len(panel.y), bool)
        for arm in (panel.treated == 1, panel.treated == 0):
            low, high = np.quantile(panel.y[arm], [share, 1 - share])
            stays &= ~arm | ((panel.y >= low) & (panel.y <= high))
        name = EVERYBODY if share == 0 else f"without {words.percent(share)} at each end of the outcomes"
        rules.append((name, float(share), stays))
    return rules


def _row(
    used: pd.DataFrame, panel: Panel, rule: Rule, estimator: str, arguments: dict[str, Any], full: Estimate
) -> dict[str, Any]:
    """The estimate on who stays."""
    name, share, stays = rule
    found, why = full, ""
    if not stays.all():
        kept = np.sort(panel.frame[ROW].to_numpy()[stays])
        found, why = once_more(used.iloc[kept], estimator, arguments)  # type: ignore[assignment]
    numbers = numbers_of(found)
    return {
        "rule": name,
        "share": share,
        "n_treated": int((stays & (panel.treated == 1)).sum()),
        "n_comparison": int((stays & (panel.treated == 0)).sum()),
        "share_left": float(stays.mean()),
        **numbers,
        "change": numbers["effect"] - full.effect,
        "why": why,
    }


def _says(table: pd.DataFrame, full: Estimate, by: str) -> str:
    """The range, the sign, and whom the effect is on."""
    if not table["effect"].notna().any():
        return "Without the people at the edges nothing can be estimated."
    what = {"score": "scores", "weights": "weights", "outcome": "outcomes"}[by]
    said = range_said(table["effect"], full)
    return f"Leaving out people with extreme {what}, {said}. {signs_said(table, full)} {CHANGED[by]}"
