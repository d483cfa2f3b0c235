"""From what each person contributes to the whole estimate: standard error, interval, p, deadweight, flags."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from evalkit import words
from evalkit.counterfactual.deadweights import deadweight_of, define_deadweight
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.panel import Panel, Plan
from evalkit.errors import EstimationError, Flag

FEW_CLUSTERS = 20


def small_sample(groups: np.ndarray | None) -> float:
    """Give the factor by which contributions grow because clusters are few.

    Parameters
    ----------
    groups : ndarray or None
        Cluster codes of the rows concerned.

    Returns
    -------
    float
        sqrt(G / (G - 1)); 1 without clusters.

    Raises
    ------
    EstimationError
        There is only one cluster.
    """
    if groups is None:
        return 1.0
    count = len(np.unique(groups))
    if count < 2:
        raise EstimationError("all people are in one cluster, so nothing is known about differences between clusters.")
    return math.sqrt(count / (count - 1))


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
        Contributions of each row to "effect" and, if not those of the treated's mean, to "observed".
    df : float
        Degrees of freedom of the effect; infinity for the normal.
    observed : float, optional
        Default: the treated's mean outcome.
    **also
        balance, diagnostics, flags, n_treated, n_comparison.

    Returns
    -------
    Estimate
        Finished, with deadweight.
    """
    treated = panel.treated == 1
    observed = float(panel.y[treated].mean()) if observed is None else observed
    influence = _by_person(panel, rows)
    groups = _person_groups(panel, influence.index)
    sums = {str(name): np.bincount(groups, column.to_numpy()) for name, column in influence.items()}
    se = math.sqrt(float((sums["effect"] ** 2).sum()))
    critical = float(stats.t.ppf(0.5 + plan.level / 2, df))
    values = {"effect": effect, "observed": observed, "counterfactual": observed - effect}
    if "baseline" in influence:
        values["baseline"] = float(np.nanmean(panel.baseline[treated]))  # type: ignore[index]
    definition = define_deadweight(plan, "baseline" in influence)
    deadweight, why = deadweight_of(definition, values, sums, critical)
    n_clusters = None if panel.cluster is None else len(np.unique(panel.cluster))
    flags = [*panel.flags, *also.get("flags", ()), *_cluster_flags(panel, n_clusters, df), *_no_deadweight(why)]
    return Estimate(
        effect=float(effect),
        se=se,
        low=effect - critical * se,
        high=effect + critical * se,
        p=_p(effect, se, df),
        df=float(df),
        scale="difference",
        n_treated=also.get("n_treated", len(np.unique(panel.person[treated]))),
        n_comparison=also.get("n_comparison", len(np.unique(panel.person[~treated]))),
        observed=observed,
        counterfactual=observed - effect,
        deadweight=deadweight,
        balance=also.get("balance"),
        diagnostics={"dropped": panel.dropped, **also.get("diagnostics", {})},
        flags=tuple(flags),
        level=plan.level,
        estimator=plan.estimator,
        n_clusters=n_clusters,
        influence=influence,
        why_no_deadweight=why,
        terms={"top": definition.top, "bottom": definition.bottom, "values": values},
    )


def _p(effect: float, se: float, df: float) -> float:
    """Two-sided p of no effect; NaN where the outcome does not vary at all."""
    return float(2 * stats.t.sf(abs(effect) / se, df)) if se > 0 else math.nan


def _by_person(panel: Panel, rows: dict[str, np.ndarray]) -> pd.DataFrame:
    """Contributions summed by person: effect, observed, counterfactual, and baseline where it is known."""
    observed = rows.get("observed")
    observed = mean_contributions(panel) if observed is None else observed
    table = {"effect": rows["effect"], "observed": observed, "counterfactual": observed - rows["effect"]}
    if panel.baseline is not None and (~np.isnan(panel.baseline[panel.treated == 1])).any():
        table["baseline"] = mean_contributions(panel, panel.baseline)
    frame = pd.DataFrame(table, index=pd.Index(panel.person, name="person"))
    return frame if frame.index.is_unique else frame.groupby(level="person").sum()


def _person_groups(panel: Panel, people: pd.Index) -> np.ndarray:
    """The cluster of each person; the person where there is no cluster."""
    if panel.cluster is None:
        return np.arange(len(people))
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


def _cluster_flags(panel: Panel, n_clusters: int | None, df: float) -> list[Flag]:
    """Few clusters make intervals less sure than they look."""
    if n_clusters is None or n_clusters >= FEW_CLUSTERS:
        return []
    text = f"There are few clusters ({n_clusters}), so the interval and p-value are less certain than they look."
    return [
        Flag("counterfactual", "caution", text, f"Degrees of freedom {words.number(df, 1)}; 20 or more are wished for.")
    ]


def _no_deadweight(why: str) -> list[Flag]:
    """The reason for no deadweight."""
    return [Flag("counterfactual", "note", f"No deadweight: {why}.")] if why else []
