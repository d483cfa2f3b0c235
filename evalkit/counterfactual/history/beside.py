"""The past set beside now: effect, interval, deadweight, and what each row contributes."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from evalkit.counterfactual.deadweights import deadweight_of, define_deadweight
from evalkit.counterfactual.history.sides import ALONE, Side
from evalkit.counterfactual.inference import mean_contributions
from evalkit.counterfactual.nouns import Deadweight, Estimate
from evalkit.counterfactual.panel import Panel, Plan
from evalkit.counterfactual.two_shares import difference_ends, p_of_difference, ratio_ends
from evalkit.errors import Flag


def set_beside(panel: Panel, plan: Plan, now: Side, past: Side) -> Estimate:
    """The estimate: now less the past moved to now.

    Parameters
    ----------
    panel, plan : Panel, Plan
        What was estimated, and how.
    now, past : Side
        From `now_side` and `past_side`.

    Returns
    -------
    Estimate
        Contributions of people, and of the past as one more row where its error is no person's. A yes/no of
        independent people has the interval of two score intervals, else Student's t.
    """
    influence = _influence(panel, plan, now, past)
    sums = _sums(panel, influence)
    blind = any(math.isnan(value) for value in (now.outside, past.outside, now.df, past.df))
    se = math.nan if blind else math.sqrt(float((sums["effect"] ** 2).sum()))
    df = math.nan if blind else _freedom(panel, now, past, se)
    low, high, p, freedom = _interval(plan, now, past, se, df)
    values = {"observed": now.level, "counterfactual": past.level, "effect": now.level - past.level}
    start = _start(panel, plan, now)
    values |= {} if start is None else {"baseline": start[0]}
    deadweight, why, terms = _deadweight(plan, now, past, values, sums, (se, df))
    flags = [ALONE, *panel.flags, *now.flags, *past.flags]
    return Estimate(
        effect=now.level - past.level,
        se=se,
        low=low,
        high=high,
        p=p,
        df=freedom,
        scale="difference",
        n_treated=0 if math.isnan(now.n) else int(now.n),
        n_comparison=0 if math.isnan(past.n) else int(past.n),
        observed=now.level,
        counterfactual=past.level,
        deadweight=deadweight,
        balance=past.about.get("balance"),
        diagnostics={"dropped": panel.dropped, **{k: v for k, v in past.about.items() if k != "balance"}},
        flags=tuple(flags if not why else [*flags, Flag("counterfactual", "note", f"No deadweight: {why}.")]),
        level=plan.level,
        estimator=plan.estimator,
        n_clusters=None if panel.cluster is None else len(np.unique(panel.cluster)),
        influence=influence if math.isfinite(low) and plan.options["n"] is None else None,
        why_no_deadweight=why,
        terms=terms,
    )


def _interval(plan: Plan, now: Side, past: Side, se: float, df: float) -> tuple[float, float, float, float]:
    """Bounds, p and degrees of freedom: of two score intervals where both sides are plain shares, else Student's t."""
    effect = now.level - past.level
    if math.isnan(se):
        return math.nan, math.nan, math.nan, math.nan
    if now.share is not None and past.share is not None:
        z = float(stats.norm.ppf(0.5 + plan.level / 2))
        return *difference_ends(now.share, past.share, z), p_of_difference(now.share, past.share), math.inf
    if se == 0:
        return math.nan, math.nan, math.nan, math.nan
    critical = float(stats.t.ppf(0.5 + plan.level / 2, df))
    return effect - critical * se, effect + critical * se, float(2 * stats.t.sf(abs(effect) / se, df)), df


def _influence(panel: Panel, plan: Plan, now: Side, past: Side) -> pd.DataFrame:
    """Contributions by person; what is no person's in rows of their own, named for the outcome."""
    index = pd.Index(panel.person, name="person")
    parts = {"effect": now.rows - past.rows, "observed": now.rows, "counterfactual": past.rows}
    frame = pd.DataFrame(parts, index=index)
    start = _start(panel, plan, now)
    if start is not None:
        frame["baseline"] = start[1]
    more = [("now", 1.0, 0.0, now.outside), ("past", 0.0, 1.0, past.outside)]
    for name, observed, counterfactual, error in more:
        if error == 0:
            continue
        row = {"effect": observed - counterfactual, "observed": observed, "counterfactual": counterfactual}
        scaled = {part: value * error for part, value in row.items()}
        label = pd.Index([f"({name}, {panel.columns.outcome})"], name="person")
        frame = pd.concat([frame, pd.DataFrame(scaled, index=label)])
    return frame.fillna(0.0) if start is not None else frame


def _start(panel: Panel, plan: Plan, now: Side) -> tuple[float, np.ndarray] | None:
    """The level from which people now started, on those read twice, and the rows' contributions; scores only."""
    if panel.baseline is None or plan.values != "score":
        return None
    gain = np.where(panel.treated == 1, panel.y - panel.baseline, np.nan)
    if (~np.isnan(gain)).sum() < 2:
        return None
    return now.level - float(np.nanmean(gain)), now.rows - mean_contributions(panel, gain)


def _sums(panel: Panel, influence: pd.DataFrame) -> dict[str, np.ndarray]:
    """Contributions summed by cluster; rows that are no person's are clusters of their own."""
    n = len(panel.y)
    own = np.arange(n) if panel.cluster is None else panel.cluster
    groups = np.concatenate([own, own.max() + 1 + np.arange(len(influence) - n)])
    return {str(name): np.bincount(groups, column.to_numpy()) for name, column in influence.items()}


def _freedom(panel: Panel, now: Side, past: Side, se: float) -> float:
    """Satterthwaite's degrees of freedom of the rows' part and the rest; with a line those of its residuals alone.

    A line's residuals judge a new period's chance and its sampling in one, so that all of the error is as unsure as
    they are.
    """
    if "periods" in past.about and math.isfinite(past.outside_df):
        return past.outside_df
    inside = max(se**2 - now.outside**2 - past.outside**2, 0.0)
    rows_df = past.df if past.rows.any() else now.df
    bottom = inside**2 / rows_df + past.outside**4 / past.outside_df
    return se**4 / bottom if bottom > 0 else math.inf


def _deadweight(
    plan: Plan, now: Side, past: Side, values: dict[str, float], sums: dict[str, np.ndarray], known: tuple[float, float]
) -> tuple[Deadweight | None, str, dict]:
    """The share that the past would have reached anyway, its reason where there is none, and its terms."""
    se, df = known
    definition = define_deadweight(plan, "baseline" in values)
    critical = math.nan if math.isnan(se) else float(stats.t.ppf(0.5 + plan.level / 2, df))
    found, why = deadweight_of(definition, values, sums, critical)
    if found is not None and math.isnan(se):
        found = replace(found, low=math.nan, high=math.nan, method=f"{definition.says}; sampling error unknown")
    elif found is not None and plan.values == "yes or no" and now.share is not None and past.share is not None:
        adverse = plan.better == "lower"
        top, bottom = (past.share.absence(), now.share.absence()) if adverse else (past.share, now.share)
        low, high = ratio_ends(top, bottom, float(stats.norm.ppf(0.5 + plan.level / 2)))
        told = "from the score intervals of both shares" if math.isfinite(low) else "not bounded"
        found = replace(found, low=low, high=high, method=f"{definition.says}; {told}")
    return found, why, {"top": definition.top, "bottom": definition.bottom, "values": values, "df": df}
