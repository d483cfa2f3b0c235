"""Paid for deadweight: the contract's own mechanism run again at what would have happened anyway."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.contract.mechanisms import FLOOR, TRIGGER
from evalkit.contract.paying import CONTRACT_FLOOR, pay_at
from evalkit.contract.reading import Papers
from evalkit.errors import Flag, Level, StudyError, did_you_mean, several
from evalkit.study import Study, shown

DRAWS = 2000
NO_LINK = "the rate card links it to no estimated outcome"
NO_EFFECTS = "this study estimates no effect"
IN_PRICE = "the price already allows for deadweight, which is not taken a second time"
BY_TRIGGER = "a trigger pays for a difference from what would have happened anyway, so nothing is taken off again"
NOT_KNOWN = "the deadweight of its outcome is not known"
NOT_DEFINED = "it is not defined for a level that single people reach unless the outcome is yes or no"
SETTLED = (IN_PRICE, BY_TRIGGER)  # nothing is unknown here
APART = 0.1  # units and mean x people closer than this are taken for the same
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
    behind = {metric: rows[links[metric]] for metric in judged if metric != CONTRACT_FLOOR}
    points = {metric: np.array([float(row["deadweight"])]) for metric, row in behind.items()}
    shares = draw_shares(behind, effects, (draws, study.study.seed), level)
    owed = table.set_index("metric")["owed"]
    point, drawn = _run(papers, study, points, 1), _run(papers, study, shares, draws)
    spread = {m: _interval(np.minimum(drawn[m], owed[m]), row, shares[m], level) for m, row in behind.items()}
    out = _with_columns(table, {m: min(float(point[m][0]), float(owed[m])) for m in judged}, spread, why)
    totals = _totals(owed, judged, point, drawn, (spread, level))
    return (
        out,
        totals,
        [*_flags(study, out, why, rows), *_of_person_caps(papers, table, behind), *_counted(table, behind)],
    )


def _estimates(study: Study, table: pd.DataFrame, effects: Any) -> dict[str, dict[str, Any]]:
    """The row of the effects behind each outcome that the rate card names."""
    named = [name for name in table["outcome"].unique() if name]
    if effects is None:
        return {}
    known = {row["outcome"]: row for row in effects.table.to_dict("records")}
    strange = [name for name in named if name not in known]
    if strange:
        card = f"{shown(study.folder)}/{study.contract.rate_card if study.contract else ''}"
        metrics = {name: words.listed(list(table.loc[table["outcome"] == name, "metric"])) for name in strange}
        problems = [
            f'{metrics[name]}: outcome "{name}" is not estimated. {did_you_mean(name, known)} Else leave it empty.'
            for name in strange
        ]
        raise StudyError(several(card, problems))
    return {name: known[name] for name in named}


def _reasons(
    study: Study, papers: Papers, table: pd.DataFrame, effects: Any, rows: dict[str, dict[str, Any]]
) -> dict[str, str]:
    """Why nothing can be said about deadweight, by metric; empty where something can."""
    why = {}
    people = papers.claims.loc[papers.claims["person"] != ""].groupby("metric")["person"].first().to_dict()
    for metric, outcome, mechanism in zip(table["metric"], table["outcome"], table["mechanism"], strict=True):
        price = papers.prices.get(metric)
        in_price = bool(study.contract and study.contract.deadweight_in_price)
        if price is not None and price.in_price is not None:
            in_price = price.in_price
        why[metric] = BY_TRIGGER if mechanism == TRIGGER else IN_PRICE if in_price else _why_not(outcome, effects, rows)
        single = price is not None and price.single(people.get(metric, ""))
        if not why[metric] and single and rows[outcome].get("values") != "yes or no":
            why[metric] = NOT_DEFINED
    judged = any(not reason for reason in why.values())
    if judged and CONTRACT_FLOOR in why:
        why[CONTRACT_FLOOR] = ""  # a floor is paid whatever is achieved
    return why


def _why_not(outcome: str, effects: Any, rows: dict[str, dict[str, Any]]) -> str:
    """Why nothing can be said about the deadweight of an outcome; empty where it can."""
    if not outcome:
        return NO_LINK
    if effects is None:
        return NO_EFFECTS
    row = rows[outcome]
    if pd.isna(row.get("deadweight")):
        reason = row.get("why_no_deadweight")
        return reason if isinstance(reason, str) and reason else NOT_KNOWN
    return ""


def draw_shares(
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
    paid = pay_at(papers, study.contract, shares, draws) if shares else {}
    return {metric: paid[metric] for metric in [*shares, CONTRACT_FLOOR] if metric in paid}


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
    bounds = list(by_metric.values())  # a floor varies only as the metrics do
    # held to what was owed only in the sum: under a shared cap one metric may give way to another, and a floor lifts
    # what would have been paid anyway even where it did not lift what was owed
    whole = float(sum(paid[0] for paid in point.values()))
    in_all = np.sum(list(drawn.values()), axis=0)
    tails = [(1 - level) / 2, (1 + level) / 2]
    low, high = np.quantile(np.minimum(in_all, amount), tails)
    least, most = np.quantile(amount - in_all, tails)
    if any(np.isinf(low) for low, _ in bounds):
        low, high, least, most = -np.inf, np.inf, -np.inf, np.inf
    elif all(np.isnan(low) for low, _ in bounds):
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
        every = len(metrics) == len(why)
        about = "any metric" if every else f"{len(metrics)} of {len(why)} metrics"
        text = f"How much was paid for deadweight cannot be said for {about}: {reason}."
        level: Level = "note" if reason in SETTLED else "caution"
        flags.append(Flag("contract", level, text, "" if every else ", ".join(metrics), "deadweight"))
    known = table[table["anyway"].notna()]
    if loose := list(known.loc[np.isinf(known["anyway_low"]), "metric"]):
        text = f"The amount paid for deadweight is not bounded for {', '.join(loose)}: the deadweight itself is not."
        flags.append(Flag("contract", "caution", text, about="deadweight"))
    if fixed := list(known.loc[known["anyway_low"].isna() & (known["mechanism"] != FLOOR), "metric"]):
        text = f"The amount paid for deadweight has no interval for {', '.join(fixed)}: its deadweight has no range."
        flags.append(Flag("contract", "caution", text, about="deadweight"))
    return flags


def _of_person_caps(papers: Papers, table: pd.DataFrame, behind: dict[str, dict[str, Any]]) -> list[Flag]:
    """A cap of a person is applied to the expected units of each: by how much that can be too much."""
    capped = [m for m in behind if m in papers.prices and np.isfinite(float(papers.prices[m].cap_person))]
    named = set(papers.claims.loc[papers.claims["person"] != "", "metric"])
    rows = table[table["metric"].isin(named.intersection(capped)) & (table["cut"] > 0)]
    if rows.empty:
        return []
    # for one person the expected payment under a cap lies between share x capped and the cap of share x uncapped
    shares = rows["metric"].map(lambda metric: float(np.clip(behind[metric]["deadweight"], 0.0, 1.0)))
    most = float((shares * rows["cut"]).sum())
    text = "Where a cap of one person binds, what would have been paid anyway may be put too high."
    detail = (
        "The cap is applied to what each person would be expected to achieve; some would have reached it and others "
        f"not. The most this can be is {words.number(100 * most / max(float(rows['owed'].sum()), 0.01), 0)}% of what "
        f"was owed for {words.listed(list(rows['metric']))}."
    )
    return [Flag("contract", "note", text, detail, "deadweight")]


def _counted(table: pd.DataFrame, behind: dict[str, dict[str, Any]]) -> list[Flag]:
    """Where the units paid for are not the mean amount times people, its deadweight may not be theirs."""
    apart = []
    for metric, title, achieved in zip(table["metric"], table["title"], table["achieved"], strict=True):
        row = behind.get(metric, {})
        gone = 1.0 - float(row.get("deadweight", 1.0))
        if row.get("values") != "amount" or row.get("scale") != "difference" or abs(gone) < FIXED:
            continue
        # (1 - deadweight) is the effect over what is counted for one person
        expected = abs(float(row["effect"]) / gone) * float(row.get("n_treated", np.nan))
        if expected > 0 and abs(float(achieved) / expected - 1.0) > APART:
            apart.append(f"{title}: {words.percent(float(achieved) / expected, 0)} of the mean times people")
    if not apart:
        return []
    text = "The units paid for are not what the estimated mean comes to for the people it was estimated for."
    detail = (
        f"{'; '.join(apart)}. Were other people counted, or was the amount held to nothing person by person? Then the "
        "share that would have been paid anyway is that of the mean, not of the units."
    )
    return [Flag("contract", "caution", text, detail, "deadweight")]
