"""What was bought: the cost of an outcome, of an outcome that was added, and the effect that pays for nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evalkit.contract.linked import Link, links, met_now
from evalkit.contract.mechanisms import FLOOR, STEPPED, TRIGGER
from evalkit.contract.paying import pay_at
from evalkit.contract.reading import Papers

GRID = 401
PENNY = 0.005
ALMOST = 0.999
LINEAR = ("unit", "day", "milestone", "saved")
SCALES = np.linspace(0.0, 1.0, 2 * GRID - 1)
LEVEL_PAID = "a level is paid for, not a number of outcomes"
RELEASED = "a trigger is paid for, not a number of outcomes"
LIFTED = "a floor is paid whatever is achieved"
NONE_ACHIEVED = "nothing was achieved"
NONE_PAID = "nothing is recorded as paid for it"
NOT_BOUNDED = "the deadweight itself is not bounded"
_ENDS = ("", "_low", "_high")
Terms = tuple[Papers, Any, dict[str, np.ndarray]]  # tables, plan, and which triggers were met


@dataclass(frozen=True, eq=False)
class Bought:
    """What the payments bought.

    Parameters
    ----------
    table : DataFrame, one row per metric
        metric, title, outcome, mechanism, achieved; amount and basis ("paid" where that is known, else "owed");
        cost_per_outcome, why_no_cost; additional with _low and _high: units achieved that would not have been anyway
        (below 0 where there would have been more); cost_per_additional with _low and _high (infinite: no upper bound;
        missing: no such number), verdict ("bounded", "at least", "none added", "not bounded", "no interval" or "");
        owed, anyway, anyway_share, _low, _high, paid_anyway, paid_unexplained; nothing_share, nothing_effect and
        nothing_inside: the deadweight and the effect at which all that was owed would have been paid anyway, and
        whether the effect's interval holds it; assumed, estimated with _low, _high: deadweight where the price
        already allows for it.
    whole : dict
        owed, judged, anyway, added, unknown: the split of all that was owed; scale: the multiple of all estimated
        effects at which all that can be judged would have been paid anyway, None where nothing can be judged;
        at_estimate and inside: whether that holds at the estimates, and whether the interval of the anyway share
        reaches 100 %.
    """

    table: pd.DataFrame
    whole: dict[str, Any]


def buy(papers: Papers, contract: Any) -> Bought:
    """Work out the cost of what was achieved and of what was added.

    The cost of an added outcome is what was paid over units x (1 - deadweight), which for everybody in the programme
    is effect x people. Its interval is that of the deadweight, turned over, so the two agree: where no effect is
    within the interval it has no upper bound.

    Parameters
    ----------
    papers : Papers
        The contract's tables.
    contract : Contract
        Settled, with its plan, table, totals, triggers and effects.

    Returns
    -------
    Bought
        ``table`` and ``whole``.
    """
    plan, table, effects = contract.study.contract, contract.table, contract.effects
    known, met = links(table, effects), met_now(contract.triggers)
    rows = {} if effects is None else {row["outcome"]: row for row in effects.table.to_dict("records")}
    lines: list[dict[str, Any]] = []
    used: Any = table[(table["mechanism"] != FLOOR) | (table["owed"] > 0)].to_dict("records")
    for row in used:
        judged = np.isfinite(float(row["anyway"]))
        line = _cost(row)
        line |= _added(line, row, rows.get(row["outcome"], {}), judged)
        line |= _split(row)
        line |= _nothing((papers, plan, met), known.get(row["metric"]) if judged else None, row)
        lines.append(line | _assumed(papers, plan, row, rows.get(row["outcome"], {})))
    return Bought(pd.DataFrame(lines), _whole(papers, plan, table, contract.totals, known))


def _cost(row: dict[str, Any]) -> dict[str, Any]:
    """What was paid, and what that comes to for each unit achieved."""
    line = {name: row[name] for name in ("metric", "title", "outcome", "mechanism", "achieved")}
    paid, achieved = float(row["paid"]), float(row["achieved"])
    line["basis"] = "paid" if np.isfinite(paid) else "owed"
    line["amount"] = paid if np.isfinite(paid) else float(row["owed"])
    why = {TRIGGER: RELEASED, FLOOR: LIFTED, **dict.fromkeys(STEPPED, LEVEL_PAID)}.get(row["mechanism"], "")
    unpaid = NONE_PAID if line["amount"] == 0 and float(row["owed"]) > 0 else ""  # 0 for each would not be its price
    line["why_no_cost"] = why or (unpaid if achieved > 0 else NONE_ACHIEVED)
    line["cost_per_outcome"] = line["amount"] / achieved if not line["why_no_cost"] else np.nan
    return line


def _added(line: dict[str, Any], row: dict[str, Any], effect: dict[str, Any], judged: bool) -> dict[str, Any]:
    """Units that would not have been achieved anyway, and what was paid for each."""
    names = ("additional", "additional_low", "additional_high", *(f"cost_per_additional{end}" for end in _ENDS))
    nothing = {**dict.fromkeys(names, np.nan), "verdict": ""}
    if not judged or line["why_no_cost"]:
        return nothing
    achieved = float(row["achieved"])
    point, low, high = (1.0 - float(effect[f"deadweight{end}"]) for end in ("", "_high", "_low"))
    found = {"additional": achieved * point, "additional_low": achieved * low, "additional_high": achieved * high}
    return nothing | found | _price_of_one(line["amount"], found, _may_be_none(effect))


def _may_be_none(effect: dict[str, Any]) -> bool:
    """Whether the effect's own interval holds no effect at all."""
    low, high = float(effect.get("low", np.nan)), float(effect.get("high", np.nan))
    none = 1.0 if effect.get("scale") == "ratio" else 0.0
    return bool(low <= none <= high)


def _price_of_one(amount: float, units: dict[str, float], may_be_none: bool) -> dict[str, Any]:
    """Money for each unit added: with an interval, a lower bound only, or no number at all."""
    point, low, high = (units[f"additional{end}"] for end in _ENDS)
    cost = amount / point if point > 0 else np.nan
    if np.isinf(low) or np.isinf(high):
        return {"verdict": "not bounded" if point > 0 else "none added", "cost_per_additional": cost}
    if np.isnan(low) or np.isnan(high):
        return {"verdict": "no interval" if point > 0 else "none added", "cost_per_additional": cost}
    least = amount / high if high > 0 else np.nan
    if point <= 0:
        return {"verdict": "none added", "cost_per_additional_low": least, "cost_per_additional_high": np.inf}
    bounded = low > 0 and not may_be_none
    return {
        "verdict": "bounded" if bounded else "at least",
        "cost_per_additional": cost,
        "cost_per_additional_low": least,
        "cost_per_additional_high": amount / low if bounded else np.inf,
    }


def _split(row: dict[str, Any]) -> dict[str, Any]:
    """What was owed by what would have happened anyway, and the same for what was paid."""
    owed, paid, anyway = float(row["owed"]), float(row["paid"]), float(row["anyway"])
    within = min(paid, owed) / owed if owed > 0 else np.nan
    ends = {f"anyway_share{end}": _over(row[f"anyway{end}"], owed) for end in _ENDS}
    more = {"paid_anyway": anyway * within, "paid_unexplained": max(paid - owed, 0.0) if np.isfinite(paid) else np.nan}
    return {"owed": owed, "anyway": anyway, **ends, **more, "why_no_anyway": row["why_no_anyway"]}


def _over(amount: object, owed: float) -> float:
    return float(amount) / owed if owed > 0 else np.nan  # type: ignore[arg-type]


def _nothing(terms: Terms, link: Link | None, row: dict[str, Any]) -> dict[str, Any]:
    """The least deadweight at which the metric would have been paid in full anyway, and the effect with it."""
    owed = float(row["owed"])
    if link is None or owed <= PENNY:
        return {"nothing_share": np.nan, "nothing_effect": np.nan, "nothing_inside": None}
    share = 1.0 if _even(terms[0], row) else _enough(terms, link.metric, owed)
    effect = link.effect_at(share) if share < 1 else 1.0 if link.ratio else 0.0
    return {"nothing_share": share, "nothing_effect": effect, "nothing_inside": link.holds(effect)}


def _even(papers: Papers, row: dict[str, Any]) -> bool:
    """Whether every unit was paid for alike, so that fewer of them always pay less."""
    price = papers.prices.get(row["metric"])
    linear = price is not None and price.mechanism in LINEAR and not price.floor
    return bool(linear and float(row["cut"]) < PENNY)


def _enough(terms: Terms, metric: str, owed: float) -> float:
    """The least share of the units that pays as much as all of them, everything else being as it was."""
    papers, plan, met = terms
    low, high = 0.0, 1.0
    for _ in range(2):
        shares = np.linspace(low, high, GRID)
        enough = np.flatnonzero(pay_at(papers, plan, {**met, metric: shares}, GRID)[metric] >= owed - PENNY)
        place = int(enough[0]) if len(enough) else GRID - 1
        low, high = float(shares[max(place - 1, 0)]), float(shares[place])
    return 1.0 if high > ALMOST else high  # a ledger rounded line by line may miss the last pennies


def _assumed(papers: Papers, plan: Any, row: dict[str, Any], effect: dict[str, Any]) -> dict[str, Any]:
    """Where the price already allows for deadweight: what was estimated, to be read beside it and never taken again."""
    price = papers.prices.get(row["metric"])
    own = None if price is None else price.in_price
    in_price = bool(plan.deadweight_in_price) if own is None else own
    names = ("deadweight", "deadweight_low", "deadweight_high")
    found = [effect.get(name) for name in names] if in_price else [None] * 3
    return {"in_price": in_price, **dict(zip(("estimated", "estimated_low", "estimated_high"), found, strict=True))}


def _whole(
    papers: Papers, plan: Any, table: pd.DataFrame, totals: dict[str, Any], known: dict[str, Link]
) -> dict[str, Any]:
    """The split of all that was owed, and the common multiple of the effects at which it pays for nothing."""
    owed, judged = float(table["owed"].sum()), float(totals.get("judged") or 0.0)
    anyway = totals.get("anyway")
    metrics = [metric for metric, value in zip(table["metric"], table["anyway"], strict=True) if np.isfinite(value)]
    whole = {"owed": owed, "judged": judged, "anyway": anyway, "unknown": owed - judged}
    whole["added"] = None if anyway is None else judged - anyway
    if anyway is None or judged <= PENNY:
        return {**whole, "scale": None, "at_estimate": None, "inside": None}
    paid_at = _at_scales(papers, plan, metrics, known)
    short = np.flatnonzero(paid_at < judged - PENNY)
    scale = 1.0 if not len(short) else float(SCALES[max(int(short[0]) - 1, 0)])
    return {**whole, "scale": scale, "at_estimate": not len(short), "inside": _reaches(totals)}


def _at_scales(papers: Papers, plan: Any, metrics: list[str], known: dict[str, Link]) -> np.ndarray:
    """What those metrics would have been paid anyway if all effects were so many times their estimates."""
    shares = {metric: known[metric].anyway_at(SCALES) for metric in metrics if metric in known}
    paid = pay_at(papers, plan, shares, len(SCALES))
    return np.sum([paid[metric] for metric in metrics], axis=0)


def _reaches(totals: dict[str, Any]) -> bool | None:
    """Whether the interval of what would have been paid anyway reaches all of it."""
    low, high = totals.get("anyway_share_low"), totals.get("anyway_share_high")
    if low is None or high is None or np.isnan([low, high]).any():
        return None
    return bool(high >= 1.0 - 1e-9)
