"""Outcomes that the programme cannot have changed: an effect on them is a sign that the groups were not alike."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from evalkit import words
from evalkit.counterfactual.covariates import as_numbers, is_number
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.registry import find_estimator
from evalkit.counterfactual.sensitivity.again import numbers_of, once_more
from evalkit.errors import EstimationError, did_you_mean, several
from evalkit.outcomes import adjust

PERSON = "(person)"
SAME = 1e-8  # eigenvalue of a correlation matrix: below it outcomes repeat each other


def placebo_outcomes(
    frame: pd.DataFrame, estimator: str, outcomes: str | Sequence[str], method: str = "holm", **arguments: Any
) -> pd.DataFrame:
    """Estimate "effects" on outcomes that the programme cannot have changed, such as those before it began.

    Parameters
    ----------
    frame : DataFrame
        As for `estimate`.
    estimator : str
        A name on the list.
    outcomes : str or sequence of str
        Columns of numbers.
    method : str
        How p-values are adjusted for being several, as `evalkit.outcomes.adjust` names it.
    **arguments
        Of `estimate`, without ``outcome``. A placebo outcome that is also a covariate or the baseline is not adjusted
        for itself: it is left out of the covariates of its own row.

    Returns
    -------
    DataFrame
        A row for each outcome: outcome, effect, low, high, p, p_adjusted, in_sd (effect over the outcome's standard
        deviation), verdict, why. ``attrs``: "joint" (statistic, df, df_error, p, method: that all are zero) and "says".

    Raises
    ------
    EstimationError
        No outcomes, a column that is not there or is no column of numbers, or the real outcome among them.

    References
    ----------
    Imbens and Rubin (2015), Causal Inference for Statistics, Social, and Biomedical Sciences, chapter 21; Lipsitch,
    Tchetgen Tchetgen and Cohen (2010), Epidemiology 21, 383-388 (negative controls).
    """
    entry = find_estimator(estimator)
    names = [outcomes] if isinstance(outcomes, str) else list(outcomes)
    _check(frame, names, arguments)
    if entry.data == "people" and arguments.get("person") is None:
        frame, arguments = _with_ids(frame), arguments | {"person": PERSON}
    found, rows = {}, []
    level = float(arguments.get("level") or 0.95)
    for name in names:
        found[name], why = once_more(frame, estimator, _for_itself(name, arguments))
        deviation = float(np.nanstd(as_numbers(frame[name]), ddof=1)) if frame[name].notna().sum() > 1 else math.nan
        rows.append({"outcome": name, **numbers_of(found[name]), "sd": deviation, "why": why})
    table = pd.DataFrame(rows)
    table["p_adjusted"] = adjust(table["p"].to_numpy(), method)
    table["in_sd"] = (table["effect"] / table["sd"]).where(table["sd"] > 0)
    table["verdict"] = [_verdict(row, level) for row in table.to_dict("records")]
    table = table[["outcome", "effect", "low", "high", "p", "p_adjusted", "in_sd", "verdict", "why"]]
    joint = _joint(frame, {name: one for name, one in found.items() if one is not None}, arguments)
    table.attrs = {"joint": joint, "says": _says(table, joint, level)}
    return table


def _check(frame: pd.DataFrame, names: list[str], arguments: dict[str, Any]) -> None:
    """All that can be wrong with the outcomes."""
    problems = [] if names else ["no placebo outcome is named."]
    problems += [
        f'column "{name}" is not in the table. {did_you_mean(name, frame.columns)}'
        for name in names
        if name not in frame.columns
    ]
    problems += [
        f'placebo outcome "{name}" is not a column of numbers. Turn its words into numbers first.'
        for name in names
        if name in frame.columns and not is_number(frame[name])
    ]
    if "outcome" in arguments:
        problems.append("leave out outcome = ...: the placebo outcomes stand in its place.")
    twice = sorted({name for name in names if names.count(name) > 1})
    problems += [f'placebo outcome "{name}" is named twice.' for name in twice]
    problems += [f'"{name}" is the arm, not an outcome.' for name in names if name == arguments.get("treated")]
    if problems:
        raise EstimationError(several("the placebo outcomes", problems))


def _with_ids(frame: pd.DataFrame) -> pd.DataFrame:
    """Ids in the order in which rows without ids are taken, so that outcomes with different gaps can be joined."""
    n = len(frame)
    by_index = frame.index.is_unique and frame.index.nlevels == 1
    order = frame.index.argsort(kind="stable") if by_index else np.arange(n)
    place = np.empty(n, int)
    place[order] = np.arange(n)
    return frame.assign(**{PERSON: np.char.zfill(place.astype(str), len(str(n)))})


def _for_itself(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments for one outcome, which must not be adjusted for itself."""
    given = arguments.get("covariates", ())
    covariates = [one for one in ([given] if isinstance(given, str) else given) if one != name]
    told = arguments | {"outcome": name, "covariates": covariates}
    if told.get("baseline") == name:
        del told["baseline"]
    return told


def _verdict(row: Mapping[Any, Any], level: float) -> str:
    """In plain words."""
    if row["why"]:
        return "could not be estimated"
    if math.isnan(row["low"]) or math.isnan(row["high"]):
        return "no interval, so it says nothing"
    if row["p_adjusted"] <= 1 - level:
        return "differs where the programme cannot have changed anything: the groups were not alike"
    if row["p"] <= 1 - level:
        return "differs by itself, but not after allowing for the number of outcomes looked at"
    if not row["sd"] > 0:
        return "no difference found"
    most = max(abs(row["low"]), abs(row["high"])) / row["sd"]
    return f"no difference found; differences up to {words.number(most, 2)} standard deviations cannot be ruled out"


def _joint(frame: pd.DataFrame, found: dict[str, Estimate], arguments: dict[str, Any]) -> dict[str, Any]:
    """Hotelling's test that all are zero, from people's contributions; where there are none, Bonferroni's."""
    known = {name: one for name, one in found.items() if math.isfinite(one.p)}
    if not known:
        return {"statistic": math.nan, "df": 0, "df_error": math.nan, "p": math.nan, "method": "none"}
    k = len(known)
    least = min(min(one.p for one in known.values()) * k, 1.0)
    plain = {"statistic": math.nan, "df": k, "df_error": math.nan, "p": least, "method": "Bonferroni"}
    sums = _sums(frame, known, arguments)
    if sums is None:
        return plain
    effects = np.array([one.effect for one in known.values()])
    errors = np.array([one.se for one in known.values()])
    correlation = (sums.T @ sums) / np.outer(errors, errors)
    values, vectors = np.linalg.eigh(correlation)
    keep = values > SAME * values.max()
    rank, df = int(keep.sum()), min(one.df for one in known.values())
    room = df - rank + 1
    if not room > 0:
        return plain
    squared = float((((vectors[:, keep].T @ (effects / errors)) ** 2) / values[keep]).sum())
    statistic = squared / rank * (room / df if math.isfinite(df) else 1.0)
    p = float(stats.f.sf(statistic, rank, room)) if math.isfinite(df) else float(stats.chi2.sf(squared, rank))
    return {"statistic": statistic, "df": rank, "df_error": float(room), "p": p, "method": "Hotelling's F"}


def _sums(frame: pd.DataFrame, known: dict[str, Estimate], arguments: dict[str, Any]) -> np.ndarray | None:
    """Contributions by cluster (or person) to each effect, shape (groups, outcomes); None where they are not known."""
    person = arguments.get("person") or arguments.get("unit")
    if person is None or any(one.influence is None or one.scale != "difference" for one in known.values()):
        return None
    parts = {name: one.influence["effect"] for name, one in known.items() if one.influence is not None}
    table = pd.DataFrame(parts).fillna(0.0)
    if (cluster := arguments.get("cluster")) is not None:
        who = frame[frame[person].notna() & frame[cluster].notna()]
        group = pd.Series(who[cluster].astype(str).to_numpy(), index=who[person].astype(str).to_numpy())
        table = table.groupby(group[~group.index.duplicated()].reindex(table.index).to_numpy()).sum()
    sums = table.to_numpy()
    same = np.allclose((sums**2).sum(axis=0), [one.se**2 for one in known.values()], rtol=1e-6)
    return sums if same else None


def _says(table: pd.DataFrame, joint: dict[str, Any], level: float) -> str:
    """How many differ, and all of them together."""
    known = table.dropna(subset="p")
    if not len(known):
        return "None of the placebo outcomes could be judged."
    differ = int((known["p_adjusted"] <= 1 - level).sum())
    if len(known) == 1:
        verb = "differs between the arms, where nothing can have changed" if differ else "shows no difference"
        return f"The placebo outcome {verb} (p {words.p_value(float(known['p'].iloc[0]))})."
    together = f"All together: p {words.p_value(joint['p'])} ({joint['method']})."
    if not differ:
        return f"None of {len(known)} placebo outcomes differs between the arms. {together}"
    verb = "differs" if differ == 1 else "differ"
    where = "between the arms, where the programme cannot have changed anything"
    return f"{differ} of {len(known)} placebo outcomes {verb} {where}. {together}"
