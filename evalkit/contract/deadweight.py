"""Paid for deadweight: the contract's own mechanism run again at what would have happened anyway."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from evalkit.contract.mechanisms import STEPPED, walk
from evalkit.contract.reading import Papers
from evalkit.errors import Flag, Level, StudyError, did_you_mean, several
from evalkit.study import Study

DRAWS = 2000
NO_LINK = "the rate card links it to no estimated outcome"
NO_EFFECTS = "this study estimates no effect"
IN_PRICE = "the price already allows for deadweight, which is not taken a second time"
NOT_KNOWN = "the deadweight of its outcome is not known"
NOT_DEFINED = "it is not defined for a step or slide paid for single people unless the outcome is yes or no"
FIXED = 1e-12  # draws closer together than this do not vary: what is left is rounding
COLUMNS = ("anyway", "anyway_low", "anyway_high", "anyway_share")


def add_anyway(
    study: Study, papers: Papers, table: pd.DataFrame, effects: Any, draws: int = DRAWS
) -> tuple[pd.DataFrame, dict[str, Any], list[Flag]]:
    """Recompute the payments at the counterfactual, by joint draws over outcomes.

    Each claim's units times the deadweight of its outcome are priced and held to the caps again, in the same order;
    metrics without a deadweight stay as they were achieved, so that shared caps bind alike. What was paid for
    deadweight is never more than what was owed, metric by metric and in total; the total may be more than the sum of
    the metrics, where a shared cap would have gone to other metrics. Below no units nothing would have been paid.
    What the programme added is what was owed less what the mechanism would have paid anyway, held to nothing: where
    the programme did worse than what would have happened anyway it is below 0, and stays so.

    Parameters
    ----------
    study : Study
        With a [contract].
    papers : Papers
        Its tables.
    table : DataFrame
        From `reconcile`.
    effects : Effects or None
        ``table`` (outcome, deadweight, deadweight_low, deadweight_high, why_no_deadweight) and ``joint(draws, seed)``.
    draws : int
        Joint draws for the intervals.

    Returns
    -------
    (DataFrame, dict, list of Flag)
        The table with anyway, anyway_low, anyway_high, anyway_share, why_no_anyway; the totals judged, anyway,
        anyway_share and added with _low and _high; flags. Intervals at the study's level.

    Raises
    ------
    StudyError
        The rate card names outcomes that are not estimated.
    """
    rows = _estimates(study, table, effects)
    why = _reasons(study, papers, table, effects, rows)
    judged = [metric for metric, reason in why.items() if not reason]
    level = study.counterfactual.level if study.counterfactual else 0.95
    links = dict(zip(table["metric"], table["outcome"], strict=True))
    points = {metric: np.array([float(rows[links[metric]]["deadweight"])]) for metric in judged}
    shares = _draw_shares({m: rows[links[m]] for m in judged}, effects, (draws, study.study.seed), level)
    owed = table.set_index("metric")["owed"]
    point = _run(papers, study, points, 1)
    drawn = _run(papers, study, shares, draws)
    spread = {m: _interval(np.minimum(drawn[m], owed[m]), rows[links[m]], shares[m], level) for m in judged}
    out = _with_columns(table, {m: min(float(point[m][0]), float(owed[m])) for m in judged}, spread, why)
    totals = _totals(owed, judged, point, drawn, (spread, level))
    return out, totals, _flags(study, out, why, rows)


def _estimates(study: Study, table: pd.DataFrame, effects: Any) -> dict[str, dict[str, Any]]:
    """The row of the effects behind each outcome that the rate card names."""
    named = [name for name in table["outcome"].unique() if name]
    if effects is None:
        return {}
    known = {row["outcome"]: row for row in effects.table.to_dict("records")}
    strange = [name for name in named if name not in known]
    if strange:
        problems = [f'outcome "{name}" is not estimated. {did_you_mean(name, known)}' for name in strange]
        raise StudyError(several(f"The rate card of {study.id}", problems))
    return {name: known[name] for name in named}


def _reasons(
    study: Study, papers: Papers, table: pd.DataFrame, effects: Any, rows: dict[str, dict[str, Any]]
) -> dict[str, str]:
    """Why nothing can be said about deadweight, by metric; empty where something can."""
    why = {}
    personal = set(papers.claims.loc[papers.claims["person"] != "", "metric"])
    for metric, outcome, mechanism in zip(table["metric"], table["outcome"], table["mechanism"], strict=True):
        why[metric] = _why_not(study, outcome, effects, rows)
        single = mechanism in STEPPED and metric in personal
        if not why[metric] and single and rows[outcome].get("values") != "yes or no":
            why[metric] = NOT_DEFINED
    return why


def _why_not(study: Study, outcome: str, effects: Any, rows: dict[str, dict[str, Any]]) -> str:
    """Why nothing can be said about deadweight for a metric; empty where it can."""
    if study.contract and study.contract.deadweight_in_price:
        return IN_PRICE
    if not outcome:
        return NO_LINK
    if effects is None:
        return NO_EFFECTS
    row = rows[outcome]
    if pd.isna(row.get("deadweight")):
        reason = row.get("why_no_deadweight")
        return reason if isinstance(reason, str) and reason else NOT_KNOWN
    return ""


def _draw_shares(
    rows: dict[str, dict[str, Any]], effects: Any, drawing: tuple[int, int], level: float
) -> dict[str, np.ndarray]:
    """Deadweight by draw: joint over outcomes; over a stated range or bound; constant where nothing is known of it."""
    if not rows:
        return {}
    draws, seed = drawing
    joint = effects.joint(draws, seed)
    present = set(joint.columns.get_level_values(0)) if joint.columns.nlevels > 1 else set()
    random = np.random.default_rng([seed, 2])  # another stream than the effects' draws
    by_outcome = {}
    for row in {row["outcome"]: row for row in rows.values()}.values():
        name, uniform = row["outcome"], random.uniform(size=draws)
        drawn = joint[(name, "deadweight")].to_numpy(dtype=float) if name in present else None
        if drawn is None or np.isnan(drawn).all():
            drawn = _stated(row, uniform)
        elif np.isfinite(drawn).all() and np.ptp(drawn) < FIXED:
            drawn = _bounded(row, uniform, drawn, level)
        by_outcome[name] = drawn
    return {metric: by_outcome[row["outcome"]] for metric, row in rows.items()}


def _stated(row: dict[str, Any], uniform: np.ndarray) -> np.ndarray:
    """A stated deadweight: over its stated range, or constant."""
    low, high = row.get("deadweight_low"), row.get("deadweight_high")
    if pd.notna(low) and pd.notna(high) and np.isfinite([low, high]).all():
        return float(low) + (float(high) - float(low)) * uniform
    return np.full(len(uniform), float(row["deadweight"]))


def _bounded(row: dict[str, Any], uniform: np.ndarray, drawn: np.ndarray, level: float) -> np.ndarray:
    """Where nobody (or everybody) had the event: from the point to its exact bound, which are the interval's ends."""
    ends = np.array([row.get("deadweight_low"), row.get("deadweight_high")], dtype=float)
    if not np.isfinite(ends).all() or np.ptp(ends) < FIXED:
        return drawn
    point = float(row["deadweight"])
    bound = ends[np.argmax(np.abs(ends - point))]
    tail = (1 - level) / 2
    # the exact bound of no event among n, 1 - tail^(1/n), grows with -log(tail)
    way = (np.log1p(-tail) - np.log1p(-uniform)) / (np.log1p(-tail) - np.log(tail))
    return point + (bound - point) * np.maximum(way, 0.0)


def _run(papers: Papers, study: Study, shares: dict[str, np.ndarray], draws: int) -> dict[str, np.ndarray]:
    """What each judged metric would have been paid anyway, by draw, before it is held to what was owed."""
    cap = study.contract.cap if study.contract and study.contract.cap is not None else np.inf
    tame = {metric: np.clip(np.nan_to_num(share, nan=0.0), 0.0, 1e9) for metric, share in shares.items()}
    paid = {metric: np.zeros(draws) for metric in papers.prices}
    if shares:
        metrics = papers.claims["metric"].to_numpy()
        for line in walk(papers.claims, papers.prices, cap, tame, draws):
            paid[metrics[line.place]] += line.paid
    return {metric: paid[metric] for metric in shares}


def _interval(paid: np.ndarray, row: dict[str, Any], share: np.ndarray, level: float) -> tuple[float, float]:
    """The interval of one metric; without bounds where the deadweight has none, missing where nothing varies."""
    ends = (row.get("deadweight_low"), row.get("deadweight_high"))
    if any(pd.notna(end) and np.isinf(end) for end in ends) or not np.isfinite(share).all():
        return -np.inf, np.inf
    if np.ptp(share) < FIXED:
        return np.nan, np.nan
    tail = (1 - level) / 2
    low, high = np.quantile(paid, [tail, 1 - tail])
    return float(low), float(high)


def _with_columns(
    table: pd.DataFrame, anyway: dict[str, float], spread: dict[str, tuple[float, float]], why: dict[str, str]
) -> pd.DataFrame:
    """The table with the columns about deadweight."""
    metrics = table["metric"]
    nothing = (np.nan, np.nan)
    out = table.assign(
        anyway=[anyway.get(metric, np.nan) for metric in metrics],
        anyway_low=[spread.get(metric, nothing)[0] for metric in metrics],
        anyway_high=[spread.get(metric, nothing)[1] for metric in metrics],
        why_no_anyway=[why[metric] for metric in metrics],
    )
    out["anyway_share"] = (out["anyway"] / out["owed"]).where(out["owed"] > 0)
    return out[[*table.columns, *COLUMNS, "why_no_anyway"]]


def _totals(
    owed: pd.Series,
    judged: list[str],
    point: dict[str, np.ndarray],
    drawn: dict[str, np.ndarray],
    spread: tuple[dict[str, tuple[float, float]], float],
) -> dict[str, Any]:
    """What was paid for deadweight in all, over the metrics that can be judged."""
    names = ["anyway", "anyway_low", "anyway_high", "anyway_share", "anyway_share_low", "anyway_share_high"]
    names += ["added", "added_low", "added_high"]
    amount = float(owed[judged].sum())
    if not judged or amount <= 0:
        return {"judged": amount, **dict.fromkeys(names)}
    by_metric, level = spread
    # held to what was owed only in the sum: under a shared cap one metric may give way to another
    whole = float(sum(point[metric][0] for metric in judged))
    in_all = np.sum([drawn[metric] for metric in judged], axis=0)
    tails = [(1 - level) / 2, (1 + level) / 2]
    low, high = np.quantile(np.minimum(in_all, amount), tails)
    least, most = np.quantile(amount - in_all, tails)
    if any(np.isinf(by_metric[metric][0]) for metric in judged):
        low, high, least, most = -np.inf, np.inf, -np.inf, np.inf
    elif all(np.isnan(by_metric[metric][0]) for metric in judged):
        low = high = least = most = np.nan
    anyway = min(whole, amount)
    values = [anyway, low, high, anyway / amount, low / amount, high / amount, amount - whole, least, most]
    return {"judged": amount, **{name: _number(value) for name, value in zip(names, values, strict=True)}}


def _number(value: float) -> float | None:
    """A plain number; None where there is none."""
    return None if np.isnan(value) else float(value)


def _flags(study: Study, table: pd.DataFrame, why: dict[str, str], rows: dict[str, dict[str, Any]]) -> list[Flag]:
    """Why nothing can be said, reason by reason; intervals without bounds or without sampling error."""
    flags = []
    for reason in dict.fromkeys(reason for reason in why.values() if reason):
        metrics = [metric for metric, given in why.items() if given == reason]
        about = "all metrics" if len(metrics) == len(why) else f"{len(metrics)} of {len(why)} metrics"
        text = f"How much was paid for deadweight cannot be said for {about}: {reason}."
        level: Level = "note" if reason == IN_PRICE else "caution"
        flags.append(Flag("contract", level, text, "" if about == "all metrics" else ", ".join(metrics), "deadweight"))
    known = table[table["anyway"].notna()]
    if loose := list(known.loc[np.isinf(known["anyway_low"]), "metric"]):
        text = f"The amount paid for deadweight is not bounded for {', '.join(loose)}: the deadweight itself is not."
        flags.append(Flag("contract", "caution", text, about="deadweight"))
    if fixed := list(known.loc[known["anyway_low"].isna(), "metric"]):
        text = f"The amount paid for deadweight has no interval for {', '.join(fixed)}: its deadweight has no range."
        flags.append(Flag("contract", "caution", text, about="deadweight"))
    return flags
