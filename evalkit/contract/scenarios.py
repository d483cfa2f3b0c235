"""What investors would have got: at other effects, at the contract's limits, and when payments fall short."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.contract.deadweight import draw_shares
from evalkit.contract.limits import limits_of
from evalkit.contract.linked import Link, links, total_at
from evalkit.contract.paying import trigger_key
from evalkit.contract.reading import Papers
from evalkit.contract.returns import Returns, returns
from evalkit.errors import DataError, did_you_mean, several
from evalkit.tables.kinds import plain_text

KINDS = ("payment", "investment", "repayment", "cost")
FALLS = (0.1, 0.25, 0.5)
REACH = np.linspace(-1.0, 3.0, 801)  # multiples of the estimated effects that are looked through
MOST_STOPS = 4
CLOSE = 1e-9
BY_KIND = "The outcome payments are the flows of kind payment."
BY_REPAYMENT = "No flow is of kind payment: repayments are taken to move in proportion to the outcome payments."
BY_SIGN = "The flows do not say which are outcome payments (column kind), so every positive flow is taken for one."
RESTS = "What was paid in is taken to be the same in every case, later instalments included."


@dataclass(frozen=True, eq=False)
class Case:
    """One case: what the outcome payments among the flows would be, and what would follow.

    Parameters
    ----------
    id : str
        Stable word.
    says : str
        The case in words.
    ratio : float
        Outcome payments as a multiple of what they were; missing where they stop on a day.
    payments : float
        The outcome payments among the flows.
    found : Returns
        What investors would have got.
    """

    id: str
    says: str
    ratio: float
    payments: float
    found: Returns


@dataclass(frozen=True, eq=False)
class Reach:
    """How the payments follow the effects.

    Parameters
    ----------
    low, high : float
        Payments as a multiple of what was owed, at the ends of the effects' joint interval.
    none : float
        The same, had there been no effect at all.
    scale : float or None
        Multiple of the estimated effects at which investors just get their money back; None where none does.
    needed : float
        Payments as a multiple of what they were at which investors just get their money back.
    inside : bool or None
        Whether that lies within the joint interval; None without one.
    moved : float
        Share of what was owed that follows an estimated effect.
    level : float
        Of the interval.
    """

    low: float
    high: float
    none: float
    scale: float | None
    needed: float
    inside: bool | None
    moved: float
    level: float


def outcome_flows(flows: pd.DataFrame) -> tuple[pd.Series, str]:
    """Which of the flows are outcome payments, and how that is known.

    Parameters
    ----------
    flows : DataFrame
        From `checked_flows`; kind is optional: payment, investment, repayment or cost.

    Returns
    -------
    (Series of bool, str)
        By row; the assumption in words.

    Raises
    ------
    DataError
        A kind that is not known.
    """
    kinds = _kinds(flows)
    strange = kinds[~kinds.isin(("", *KINDS))]
    if len(strange):
        problems = [
            f'Column "kind": "{kind}" (lines {", ".join(str(row + 2) for row in rows.index[:5])}) is not known. '
            f"{did_you_mean(str(kind), KINDS)}"
            for kind, rows in strange.groupby(strange, sort=False)
        ]
        raise DataError(several("Cash flows", problems))
    for kind, says in (("payment", BY_KIND), ("repayment", BY_REPAYMENT)):
        chosen = (kinds == kind) & (flows["amount"] > 0)
        if chosen.any():
            return chosen, says
    return flows["amount"] > 0, BY_SIGN


def _kinds(flows: pd.DataFrame) -> pd.Series:
    if "kind" not in flows:
        return pd.Series("", index=flows.index, dtype="str")
    return plain_text(flows["kind"]).str.lower()


def scaled(flows: pd.DataFrame, chosen: pd.Series, ratio: float | pd.Series) -> pd.DataFrame:
    """The flows with the outcome payments multiplied, each rounded to the penny and all together exact.

    Parameters
    ----------
    flows : DataFrame
        date, amount.
    chosen : Series of bool
        The outcome payments.
    ratio : float or Series
        1 leaves them as they are.

    Returns
    -------
    DataFrame
        date, amount.
    """
    changed = (flows["amount"] * ratio).round(2).where(chosen, flows["amount"])
    if not isinstance(ratio, pd.Series) and chosen.any():  # the last payment takes the pennies that rounding left over
        before = _exact(flows.loc[chosen, "amount"])
        missing = round(Decimal(repr(float(ratio))) * before, 2) - _exact(changed[chosen])
        last = changed[chosen].index[-1]
        changed[last] = float(_exact(changed.loc[[last]]) + missing)
    return flows[["date"]].assign(amount=changed)


def _exact(amounts: pd.Series) -> Decimal:
    """The sum of amounts as they were typed."""
    return sum((Decimal(repr(float(amount))) for amount in amounts), Decimal(0))


def case(flows: pd.DataFrame, chosen: pd.Series, named: tuple[str, str], ratio: Any) -> Case:
    """One case: the flows with other outcome payments, and what follows.

    Parameters
    ----------
    flows, chosen, ratio
        As for `scaled`.
    named : (str, str)
        Its id, and what it is in words.

    Returns
    -------
    Case
        With its returns.
    """
    table = scaled(flows, chosen, ratio)
    plain = np.nan if isinstance(ratio, pd.Series) else float(ratio)
    return Case(*named, plain, float(_exact(table.loc[chosen, "amount"])), returns(table))


def losses(flows: pd.DataFrame, chosen: pd.Series, contract: Any, papers: Papers) -> list[Case]:
    """Cases in which less is paid than was, and the limits of the contract.

    Parameters
    ----------
    flows : DataFrame
        From `checked_flows`.
    chosen : Series of bool
        The outcome payments.
    contract : Contract
        For what was owed and paid in all, and its caps and floors.
    papers : Papers
        For the caps and floors of its metrics.

    Returns
    -------
    list of Case
        Payments smaller by a share, stopping on a day, the cap, the floor, and nothing at all: the largest loss.
    """
    plan, currency = contract.study.contract, contract.study.study.currency
    cases = [case(flows, chosen, (f"less_{round(fall * 100)}", _smaller(fall)), 1.0 - fall) for fall in FALLS]
    for day in _stops(flows.loc[chosen, "date"]):
        named = (f"stop_{day.year}", f"nothing more is paid from {words.day(day.date())} on")
        cases.append(case(flows, chosen, named, (flows["date"] < day).astype(float)))
    paid = contract.totals.get("paid") or contract.totals.get("owed")
    for named, limit in _limits(papers, plan, currency):
        if paid and paid > 0:
            cases.append(case(flows, chosen, named, limit / float(paid)))
    return [*cases, case(flows, chosen, ("nothing", "nothing is ever paid: the largest loss possible"), 0.0)]


def _limits(papers: Papers, plan: Any, currency: str) -> list[tuple[tuple[str, str], float]]:
    """The most and the least that the contract can pay, where either is agreed."""
    whole, prices = limits_of(plan, papers.currency), list(papers.prices.values())
    cap, caps = float(whole.cap), sum(float(price.cap_metric) for price in prices) if prices else np.inf
    most = min(cap, caps)
    least = max(float(whole.floor), sum(float(price.floor) for price in prices))
    found = []
    if np.isfinite(most):
        whose = "the caps of its metrics together" if caps < cap else "its cap"
        found.append((("cap", f"the most that the contract can pay: {whose}, {words.money(most, currency)}"), most))
    if least > 0:
        found.append((("floor", f"the least that the contract pays: {words.money(least, currency)}"), least))
    return found


def _smaller(fall: float) -> str:
    return f"every outcome payment is {words.percent(fall, 0)} smaller"


def _stops(dates: pd.Series) -> list[pd.Timestamp]:
    """Up to four first days of a year between the first outcome payment and the last."""
    years = range(dates.min().year + 1, dates.max().year + 1)
    days = [pd.Timestamp(year, 1, 1) for year in years]
    days = [day for day in days if dates.min() < day <= dates.max()]
    places = np.linspace(0, len(days) - 1, min(len(days), MOST_STOPS)).round()
    return [days[int(place)] for place in np.unique(places)]


def reach(papers: Papers, study: Any, contract: Any, needed: float, draws: int = 2000) -> Reach | None:
    """How what is paid follows the effects, over their joint interval and down to none.

    What would have happened anyway is held at its estimate, the effects are drawn together, and the contract's own
    mechanism is run on what would then have been achieved.

    Parameters
    ----------
    papers : Papers
        The contract's tables.
    study : Study
        Its [contract], seed and level.
    contract : Contract
        With table, triggers and effects.
    needed : float
        Payments, as a multiple of what they were, at which investors just get their money back.
    draws : int
        Joint draws.

    Returns
    -------
    Reach or None
        None where no metric follows an estimated effect, or nothing was owed.
    """
    known = links(contract.table, contract.effects)
    owed = float(contract.table["owed"].sum())
    if not known or owed <= 0:
        return None
    level = study.counterfactual.level if study.counterfactual else 0.95
    by_scale = _totals(papers, study.contract, known, contract.triggers, dict.fromkeys(known, REACH), len(REACH))
    base = by_scale[int(np.argmin(np.abs(REACH - 1.0)))]
    drawn = _scales(contract.effects, known, (draws, study.study.seed), level)
    ends = _totals(papers, study.contract, known, contract.triggers, drawn, draws) / base
    vary = any(np.ptp(one) > CLOSE for one in drawn.values())  # under a cap payments may stay where they are
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(ends, [tail, 1.0 - tail]) if vary else (np.nan, np.nan)
    none = float(by_scale[int(np.argmin(np.abs(REACH)))] / base)
    moved = float(contract.table.loc[contract.table["metric"].isin(list(known)), "owed"].sum()) / owed
    inside = bool(low <= needed <= high) if vary else None
    return Reach(float(low), float(high), none, _crossing(by_scale / base, needed), needed, inside, moved, level)


def _totals(
    papers: Papers, plan: Any, known: Mapping[str, Link], triggers: pd.DataFrame, scales: Mapping[str, Any], draws: int
) -> np.ndarray:
    """What the whole contract pays when each effect is so many times its estimate."""
    shares: dict[str, Any] = {metric: link.achieved_at(scales[metric]) for metric, link in known.items()}
    by_outcome = {link.outcome: scales[metric] for metric, link in known.items()}
    for row in triggers.to_dict("records"):
        met = np.full(draws, float(row["met"] == "met"))
        if row["outcome"] in by_outcome and row["met"] in ("met", "not met"):
            met = (by_outcome[row["outcome"]] * float(row["relative"]) >= float(row["threshold"]) - CLOSE).astype(float)
        shares[trigger_key(str(row["id"]))] = met
    return total_at(papers, plan, shares, draws)


def _scales(effects: Any, known: Mapping[str, Link], drawing: tuple[int, int], level: float) -> dict[str, np.ndarray]:
    """Each effect by draw as a multiple of its estimate, all drawn together."""
    records: Any = effects.table.to_dict("records")
    rows = {row["outcome"]: row for row in records}
    shares = draw_shares({metric: rows[link.outcome] for metric, link in known.items()}, effects, drawing, level)
    joint = effects.joint(*drawing)
    there = set(joint.columns) if joint.columns.nlevels > 1 else set()
    scales = {}
    for metric, link in known.items():
        drawn = joint[(link.outcome, "effect")].to_numpy(dtype=float) if (link.outcome, "effect") in there else None
        if drawn is not None and np.isfinite(drawn).all() and abs(link.effect) > 0 and not link.ratio:
            scales[metric] = drawn / link.effect
        else:  # no effect to draw: the deadweight's own range
            gone = 1.0 - link.deadweight
            scales[metric] = (1.0 - np.nan_to_num(shares[metric])) / gone if gone else np.ones(drawing[0])
    return scales


def _crossing(ratios: np.ndarray, needed: float) -> float | None:
    """The multiple of the effects, nearest to 1, at which the payments cross what is needed."""
    gap = ratios - needed
    exact = list(REACH[np.abs(gap) < 1e-12])
    places = np.flatnonzero(gap[:-1] * gap[1:] < 0)
    crossed = [float(REACH[at] - gap[at] * (REACH[at + 1] - REACH[at]) / (gap[at + 1] - gap[at])) for at in places]
    return min([*exact, *crossed], key=lambda scale: abs(scale - 1.0), default=None)
