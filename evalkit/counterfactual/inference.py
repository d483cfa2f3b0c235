"""From what each person contributes to the whole estimate: standard error, interval, p, deadweight, flags."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from evalkit import words
from evalkit.counterfactual.arms import TINY, arm_clusters, cluster_flags, no_interval, normal_flags
from evalkit.counterfactual.deadweights import deadweight_of, deadweight_of_known, define_deadweight
from evalkit.counterfactual.exact import allow_for_no_events
from evalkit.counterfactual.gaps import missing_shares
from evalkit.counterfactual.nouns import Deadweight, Estimate
from evalkit.counterfactual.panel import Panel, Plan
from evalkit.errors import EstimationError, Flag

LEAST_WORTH = 2.0  # people that a weighted arm must be worth


@dataclass(frozen=True)
class Interval:
    """What a method says of its effect's uncertainty; NaN for what it does not give."""

    se: float = math.nan
    low: float = math.nan
    high: float = math.nan
    p: float = math.nan
    df: float = math.nan


def mean_contributions(panel: Panel, values: np.ndarray | None = None) -> np.ndarray:
    """Say what each row contributes to the treated's mean.

    Parameters
    ----------
    panel : Panel
        The people.
    values : ndarray, optional
        Default: the outcome; gaps are left out.

    Returns
    -------
    ndarray, shape (n,)
        0 for the comparison.
    """
    values = panel.y if values is None else values
    mask = (panel.treated == 1) & ~np.isnan(values)
    n = int(mask.sum())
    spread = np.where(mask, values - values[mask].mean(), 0.0) / n
    if panel.cluster is None:
        return spread * math.sqrt(n / max(n - 1, 1))
    groups = len(np.unique(panel.cluster[mask]))
    return spread * (math.sqrt(groups / (groups - 1)) if groups > 1 else 1.0)


def conclude(
    panel: Panel,
    plan: Plan,
    effect: float,
    rows: dict[str, np.ndarray],
    df: float,
    observed: float | None = None,
    **also: Any,
) -> Estimate:
    """Make the `Estimate` from the effect and the rows' contributions.

    Parameters
    ----------
    panel, plan : Panel, Plan
        What was estimated, and how.
    effect : float
        In the outcome's unit.
    rows : dict of ndarray, shape (n,)
        Contributions of each row to "effect" and, if not those of the treated's mean, to "observed"; to "baseline"
        where the estimator has its own.
    df : float
        Degrees of freedom of the effect; infinity for the normal.
    observed : float, optional
        Default: the treated's mean outcome.
    **also
        balance, diagnostics, flags, n_treated, n_comparison; analysed (rows that count), readings (what was compared,
        if not the outcome), baseline (the treated's level before, where the estimator has its own), interval (one that
        does not rest on the contributions, such as a bootstrap's; its standard error may be blank), skew_counted (the
        error already allows for contributions that lie to one side).

    Returns
    -------
    Estimate
        Finished, with deadweight; without an interval where that would be false.
    """
    treated = panel.treated == 1
    analysed = also.get("analysed", np.ones(len(panel.y), bool))
    observed = float(panel.y[treated].mean()) if observed is None else observed
    effect = 0.0 if _constant(panel, also.get("readings", panel.y)) else float(effect)
    before = _before(panel, plan, rows, analysed & treated, observed, also.get("baseline"))
    influence = _by_person(panel, rows, before)
    groups = _person_groups(panel, influence.index)
    sums = {str(name): np.bincount(groups, column.to_numpy()) for name, column in influence.items()}
    se = math.sqrt(float((sums["effect"] ** 2).sum()))
    fault = no_interval(panel, analysed, se, plan.se) or _on_one(also)
    sound = fault is None and no_interval(panel, analysed, se, plan.se.replace("permutation", "")) is None
    critical = float(stats.t.ppf(0.5 + plan.level / 2, df)) if sound else math.nan
    found = _interval(plan, effect, (se, df, critical), fault, also.get("interval"))
    values = {"effect": effect, "observed": observed, "counterfactual": observed - effect}
    values |= {} if before.value is None else {"baseline": before.value}
    deadweight, terms = _deadweight(panel, plan, values, sums, (critical, analysed, also), before)
    flags = [*([fault] if fault else _weak(panel, plan, (analysed, df, sums["effect"]), also)), *terms.pop("flags")]
    return Estimate(
        effect=effect,
        se=found.se,
        low=found.low,
        high=found.high,
        p=found.p,
        df=found.df,
        scale="difference",
        n_treated=also.get("n_treated", panel.people(treated)),
        n_comparison=also.get("n_comparison", panel.people(~treated)),
        observed=observed,
        counterfactual=observed - effect,
        deadweight=deadweight,
        balance=also.get("balance"),
        diagnostics=_prepared(panel) | also.get("diagnostics", {}),
        flags=(*panel.flags, *also.get("flags", ()), *flags),
        level=plan.level,
        estimator=plan.estimator,
        n_clusters=None if panel.cluster is None else len(np.unique(panel.cluster)),
        influence=influence if sound else None,
        why_no_deadweight=terms.pop("why"),
        terms={**terms, "values": values, "df": float(df) if sound else math.nan},
    )


def _weak(panel: Panel, plan: Plan, how: tuple[np.ndarray, float, np.ndarray], also: dict[str, Any]) -> list[Flag]:
    """What makes an interval less sure than it looks: few clusters, and means that are far from normal."""
    analysed, df, sums = how
    flags = cluster_flags(panel, analysed, df)
    if also.get("interval") is not None or also.get("skew_counted"):
        return flags
    return [*flags, *normal_flags(panel, plan.values == "yes or no", analysed, sums)]


def _interval(
    plan: Plan, effect: float, own: tuple[float, float, float], fault: Flag | None, given: Interval | None
) -> Interval:
    """The interval: of the contributions, or one that was made otherwise; none where it would be false."""
    if fault is not None or given is not None:
        return Interval() if fault is not None or given is None else given
    se, df, critical = own
    p = float(2 * stats.t.sf(abs(effect) / se, df))
    return Interval(se, effect - critical * se, effect + critical * se, p, float(df))


def conclude_from_interval(
    panel: Panel, plan: Plan, effect: float, found: Interval, observed: float, **also: Any
) -> Estimate:
    """Make the `Estimate` of a method that gives an interval and no contributions of people or units.

    What was observed is taken as it happened, so that the interval of the counterfactual is that of the effect, and
    the deadweight's follows from it.

    Parameters
    ----------
    panel, plan : Panel, Plan
        What was estimated, and how.
    effect : float
        In the outcome's unit; observed less counterfactual unless ``counterfactual`` is given (ratios).
    found : Interval
        Standard error, bounds, p, degrees of freedom; NaN for what the method does not give.
    observed : float
        What happened to the treated.
    **also
        counterfactual with counterfactual_low and counterfactual_high (where the effect is a ratio), scale, balance,
        diagnostics, flags, n_treated, n_comparison, n_clusters.

    Returns
    -------
    Estimate
        Without influence.
    """
    counterfactual = float(also.get("counterfactual", observed - effect))
    ends = also.get("counterfactual_low", observed - found.high), also.get("counterfactual_high", observed - found.low)
    definition = define_deadweight(plan, False)
    deadweight, why = deadweight_of_known(definition, observed, counterfactual, ends)
    flags = (*panel.flags, *also.get("flags", ()))
    return Estimate(
        effect=float(effect),
        se=found.se,
        low=found.low,
        high=found.high,
        p=found.p,
        df=found.df,
        scale=also.get("scale", "difference"),
        n_treated=also.get("n_treated", panel.people(panel.treated == 1)),
        n_comparison=also.get("n_comparison", panel.people(panel.treated == 0)),
        observed=float(observed),
        counterfactual=counterfactual,
        deadweight=deadweight,
        balance=also.get("balance"),
        diagnostics=_prepared(panel) | also.get("diagnostics", {}),
        flags=flags if not why else (*flags, Flag("counterfactual", "note", f"No deadweight: {why}.")),
        level=plan.level,
        estimator=plan.estimator,
        n_clusters=also.get("n_clusters"),
        influence=None,
        why_no_deadweight=why,
        terms={"top": definition.top, "bottom": definition.bottom},
    )


def _on_one(also: dict[str, Any]) -> Flag | None:
    """Why no interval would be true where nearly all weight lies on one person."""
    worth = also.get("diagnostics", {}).get("ess_comparison")
    if worth is None or worth >= LEAST_WORTH:
        return None
    text = "The weighted comparison is worth fewer than two people, so no interval or p-value can be given."
    return Flag("counterfactual", "serious", text, "Nobody else shows how much it varies. Name fewer covariates.")


def _prepared(panel: Panel) -> dict[str, Any]:
    """What preparing the people found."""
    found: dict[str, Any] = {"dropped": panel.dropped, "missing_covariates": missing_shares(panel.covariates)}
    arms = arm_clusters(panel) if panel.cluster is not None else {}
    return found | ({"fewest_clusters": min(arms.values())} if arms else {})


def _constant(panel: Panel, readings: np.ndarray) -> bool:
    """Whether everybody has the same reading, so that the effect is 0 and not a rounding error."""
    return bool(np.ptp(readings) <= TINY * max(float(np.abs(panel.y).max()), 1e-300))


def _deadweight(
    panel: Panel, plan: Plan, values: dict[str, float], sums: dict[str, np.ndarray], how: tuple, before: Before
) -> tuple[Deadweight | None, dict[str, Any]]:
    """The deadweight; its terms, the reason where there is none, and what to say of it."""
    critical, analysed, also = how
    definition = define_deadweight(plan, before.value is not None)
    found, why = deadweight_of(definition, values, sums, critical)
    why = why if not why or plan.values != "score" or not before.why else before.why
    flags = [Flag("counterfactual", "note", f"No deadweight: {why}.")] if why else []
    if found is not None:
        worth = also.get("diagnostics", {}).get("ess_comparison")
        found, more = allow_for_no_events(panel, plan, found, analysed, worth, math.isfinite(critical))
        flags += [*more, *(before.flags if plan.values == "score" else [])]
    return found, {"top": definition.top, "bottom": definition.bottom, "why": why, "flags": flags}


def _by_person(panel: Panel, rows: dict[str, np.ndarray], before: Before) -> pd.DataFrame:
    """Contributions summed by person: effect, observed, counterfactual, and baseline where it is known."""
    observed = _observed_rows(panel, rows)
    table = {"effect": rows["effect"], "observed": observed, "counterfactual": observed - rows["effect"]}
    if before.value is not None:
        table["baseline"] = before.rows
    frame = pd.DataFrame(table, index=pd.Index(panel.person, name="person"))
    return frame if panel.one_row_each or frame.index.is_unique else frame.groupby(level="person").sum()


def _observed_rows(panel: Panel, rows: dict[str, np.ndarray]) -> np.ndarray:
    """Contributions to the treated's mean, the estimator's own if it has them."""
    return rows["observed"] if "observed" in rows else mean_contributions(panel)


@dataclass(frozen=True)
class Before:
    """The treated's level before the programme as the deadweight needs it, or why there is none."""

    value: float | None = None
    rows: np.ndarray | None = None
    why: str = ""
    flags: tuple[Flag, ...] = ()


def _before(
    panel: Panel,
    plan: Plan,
    rows: dict[str, np.ndarray],
    mine: np.ndarray,
    observed: float,
    own: float | None,
) -> Before:
    """The level from which the same people improved: the observed mean less their mean improvement.

    Improvement is taken over the analysed treated who were also read before, so that both ends are the same people's.
    """
    if panel.baseline is None:
        return Before()
    if own is not None:
        return Before(own, rows["baseline"])
    if plan.estimand == "ATE":
        return Before(why="a score's deadweight is of the treated's improvement, and this effect is that on everybody")
    gain = np.where(mine, panel.y - panel.baseline, np.nan)
    there = mine & ~np.isnan(gain)
    if there.sum() < 2:
        return Before()
    spread = _observed_rows(panel, rows) - mean_contributions(panel, gain)
    lost = 1 - there.sum() / mine.sum()
    text = "The deadweight leaves out the treated who have no reading from before."
    flag = Flag("counterfactual", "caution", text, f"{words.percent(lost, 1)} of those analysed.")
    return Before(observed - float(gain[there].mean()), spread, flags=(flag,) if lost > 0 else ())


def _person_groups(panel: Panel, people: pd.Index) -> np.ndarray:
    """The cluster of each person; the person where there is no cluster."""
    if panel.cluster is None:
        return np.arange(len(people))
    if panel.one_row_each:
        return panel.cluster
    first = pd.Series(panel.cluster, index=panel.person)
    return first[~first.index.duplicated()].reindex(people).to_numpy()


def check_nested(panel: Panel) -> None:
    """A person belongs to one cluster only.

    Parameters
    ----------
    panel : Panel
        The people.

    Raises
    ------
    EstimationError
        Somebody changes cluster.
    """
    if panel.cluster is None:
        return
    pairs = pd.DataFrame({"person": panel.person, "cluster": panel.cluster}).drop_duplicates()
    movers = int(pairs["person"].duplicated().sum())
    if movers:
        raise EstimationError(f"{movers} people are in more than one cluster. Use the cluster at the index date.")
