"""All estimated effects of a study: the noun of this room."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats

from evalkit import evidence, words
from evalkit.counterfactual.deadweights import Quantities
from evalkit.counterfactual.nouns import Estimate
from evalkit.errors import Flag

if TYPE_CHECKING:
    from evalkit.outcomes import Outcomes, WeightedViews
    from evalkit.study import Study

PARTS = ["effect", "observed", "counterfactual", "deadweight"]


@dataclass(frozen=True, eq=False)
class Effects:
    """What the programme changed, outcome by outcome.

    Parameters
    ----------
    outcomes : Outcomes or None
        What the effects were estimated from; None where they come from published rates.
    study : Study
        The plan.
    table : DataFrame, one row per outcome
        outcome (as the study names it), title, occasion_title, unit, values, better, is_domain, primary, estimator,
        scale, n_treated, n_comparison, n_clusters, observed, counterfactual, effect, se, low, high, df, p, p_adjusted
        (Holm over the planned outcomes), deadweight with _low, _high, _method, why_no_deadweight, level (Maryland),
        conclusion, rounding_low, rounding_high, relative (change as a share of the comparison, published rates only)
        with _low, _high from rounding, truth (simulated studies), source.
    also : DataFrame
        Every analysis of every outcome, the planned one included: outcome, id, says, estimator, effect, se, low, high,
        p, n_treated, n_comparison, planned.
    estimates : dict of str to Estimate
        The planned ones by outcome.
    measures : DataFrame
        Single measures beside each domain's index, in SD of the reference, better to the right.
    benchmark : DataFrame or None
        Estimates against an experiment.
    attrition : DataFrame
        outcome, arm, people, analysed, share.
    evidence : evidence.Level
        What the design allows to be said.
    flags : tuple of Flag
        What a reader must be told.
    views : WeightedViews or None
        The headline as each of the study's constituencies weighs the outcomes.
    looks : dict
        What was looked at beside the estimates, by name: "subgroups", "specifications", "unmeasured causes" ...
    """

    outcomes: Outcomes | None
    study: Study
    table: pd.DataFrame
    also: pd.DataFrame
    estimates: dict[str, Estimate]
    measures: pd.DataFrame
    benchmark: pd.DataFrame | None
    attrition: pd.DataFrame
    evidence: evidence.Level
    flags: tuple[Flag, ...]
    views: WeightedViews | None = None
    looks: dict[str, Any] = field(default_factory=dict)

    def joint(self, draws: int, seed: int) -> pd.DataFrame:
        """Draw all effects together, as far as they share people and clusters.

        Parameters
        ----------
        draws : int
            How many.
        seed : int
            The same seed gives the same draws.

        Returns
        -------
        DataFrame, shape (draws, 4 per outcome)
            Columns (outcome, "effect" | "observed" | "counterfactual" | "deadweight"). Normal, or t with each
            estimate's own degrees of freedom, heavy together. Differences that have a standard error and no
            contributions of people (areas, cutoffs, published rates with numbers) are drawn from their interval,
            independent of the others: observed stays as it happened, and all the error is the counterfactual's.
            Outcomes without a standard error (assumed shares, ranks of areas), and ratios, are absent.
        """
        shared = {name: e for name, e in self.estimates.items() if e.influence is not None}
        alone = {name: e for name, e in self.estimates.items() if e.influence is None and _has_error(e)}
        random = np.random.default_rng([seed, 3])  # another stream than that of the shared people
        pieces = self._together(shared, draws, seed) if shared else {}
        pieces |= {name: _drawn_alone(estimate, draws, random) for name, estimate in alone.items()}
        names = [name for name in self.estimates if name in pieces]
        columns = pd.MultiIndex.from_product([names, PARTS], names=["outcome", "part"])
        if not names:
            return pd.DataFrame(index=range(draws), columns=columns, dtype=float)
        return pd.DataFrame(np.hstack([pieces[name] for name in names]), columns=columns)

    def _together(self, known: dict[str, Estimate], draws: int, seed: int) -> dict[str, np.ndarray]:
        """Draws of the outcomes whose contributions by person are known."""
        sums = self._cluster_sums(known)
        random = np.random.default_rng([seed, 1])
        noise, luck = _noise(sums, draws, random), random.uniform(size=(draws, 1))
        pieces, start = {}, 0
        for name, estimate in known.items():
            width = len(estimate.influence.columns)  # type: ignore[union-attr]
            pieces[name] = _drawn(estimate, noise[:, start : start + width] * _heavier(_freedom(estimate), luck))
            start += width
        return pieces

    def _cluster_sums(self, known: dict[str, Estimate]) -> np.ndarray:
        """Contributions of all outcomes side by side, summed by cluster."""
        people = pd.concat([e.influence for e in known.values()], axis=1).fillna(0.0).sort_index()
        groups = cluster_of(self.outcomes, people.index)
        return people.groupby(groups.to_numpy()).sum().to_numpy()

    def __repr__(self) -> str:
        return f"Effects({len(self.table)} outcomes, {len(self.flags)} flags)"

    def _repr_html_(self) -> str:
        """One line per outcome."""
        shown = pd.DataFrame(
            {
                "outcome": self.table["title"],
                "effect": [words.number(value, 3) for value in self.table["effect"]],
                "interval": [
                    words.interval(a, b, 3) for a, b in zip(self.table["low"], self.table["high"], strict=True)
                ],
                "p (adjusted)": [words.p_value(value) for value in self.table["p_adjusted"]],
                "deadweight": [words.percent(value, 0) for value in self.table["deadweight"]],
                "conclusion": self.table["conclusion"],
            }
        )
        return shown.to_html(index=False, border=0) + f"<p>{self.evidence.reason}</p>"


def cluster_of(outcomes: Outcomes | None, people: pd.Index) -> pd.Series:
    """The cluster of each person; the person where the cohort has no clusters or does not know the person.

    Parameters
    ----------
    outcomes : Outcomes or None
        With the cohort.
    people : Index of str
        Ids.

    Returns
    -------
    Series
        By person.
    """
    own = pd.Series([f"person {name}" for name in people], index=people)
    table = None if outcomes is None else outcomes.cohort.table
    if table is None or "cluster" not in table or table["cluster"].isna().all():
        return own
    known = table.set_index(table["person"].astype(str))["cluster"].reindex(people)
    return ("cluster " + known.astype(str)).where(known.notna(), own)


def sums_by_cluster(outcomes: Outcomes | None, parts: dict[str, pd.Series]) -> pd.DataFrame:
    """What each cluster, or person, contributes to several estimates.

    Parameters
    ----------
    outcomes : Outcomes or None
        With the cohort.
    parts : dict of str to Series
        Contributions by person; 0 for those who are not in an estimate.

    Returns
    -------
    DataFrame, shape (n_clusters, n_estimates)
        Their cross-products are the covariance of the estimates.
    """
    people = pd.DataFrame(parts).fillna(0.0)
    return people.groupby(cluster_of(outcomes, people.index).to_numpy()).sum()


def _noise(sums: np.ndarray, draws: int, random: np.random.Generator) -> np.ndarray:
    """Normal draws with covariance sums' sums, which may be singular: what adds up in the data adds up in each draw."""
    _, size, axes = np.linalg.svd(sums, full_matrices=False)
    return random.standard_normal((draws, len(size))) @ (size[:, None] * axes)


def _freedom(estimate: Estimate) -> float:
    """Degrees of freedom of the contributions: an interval from shuffles or a bootstrap has none of its own."""
    return float(estimate.terms.get("df", estimate.df))


def _heavier(df: float, luck: np.ndarray) -> np.ndarray:
    """What turns normal draws into t draws, from one uniform draw for all outcomes; 1 without finite df."""
    return np.sqrt(df / stats.chi2.ppf(luck, df)) if math.isfinite(df) else np.ones(luck.shape)


def _has_error(estimate: Estimate) -> bool:
    """Whether an effect without contributions can be drawn all the same."""
    numbers = (estimate.effect, estimate.observed, estimate.se)
    return estimate.scale == "difference" and all(math.isfinite(one) for one in numbers) and estimate.se > 0


def _drawn_alone(estimate: Estimate, draws: int, random: np.random.Generator) -> np.ndarray:
    """Draws of one outcome from its own interval, what was observed taken as it happened."""
    df = float(estimate.df)
    luck = random.standard_t(df, draws) if math.isfinite(df) else random.standard_normal(draws)
    effect = estimate.effect + luck * _spread(estimate, luck)
    drawn: dict[str, Any] = {"effect": effect, "observed": np.full(draws, float(estimate.observed))}
    drawn["counterfactual"] = drawn["observed"] - effect
    drawn |= (
        {"baseline": estimate.terms["values"]["baseline"]} if "baseline" in estimate.terms.get("values", {}) else {}
    )
    return np.column_stack([*(drawn[name] for name in PARTS[:3]), _share(estimate, drawn)])


def _spread(estimate: Estimate, luck: np.ndarray) -> np.ndarray:
    """The standard error on the side of each draw, so that the draws have the interval that is reported.

    A robust or a score interval is not the effect plus and minus the same: each side has its own width, and where the
    effect lies outside of it, half the interval's width.
    """
    low, high = float(estimate.low), float(estimate.high)
    if not (math.isfinite(low) and math.isfinite(high) and high > low):
        return np.full(len(luck), estimate.se)
    tail = 0.5 + estimate.level / 2
    critical = float(stats.t.ppf(tail, estimate.df) if math.isfinite(estimate.df) else stats.norm.ppf(tail))
    below, above = estimate.effect - low, high - estimate.effect
    if below < 0 or above < 0:
        below = above = (high - low) / 2
    return np.where(luck < 0, below, above) / critical


def _drawn(estimate: Estimate, noise: np.ndarray) -> np.ndarray:
    """Effect, observed, counterfactual and deadweight of one outcome by draw."""
    names = list(estimate.influence.columns)  # type: ignore[union-attr]
    centre = estimate.terms["values"]
    drawn: dict[str, Any] = {name: centre[name] + noise[:, place] for place, name in enumerate(names)}
    return np.column_stack([*(drawn[name] for name in PARTS[:3]), _share(estimate, drawn)])


def _share(estimate: Estimate, drawn: dict[str, Any]) -> np.ndarray:
    """Deadweight by draw; NaN where it is not defined."""
    top, bottom = estimate.terms.get("top"), estimate.terms.get("bottom")
    if top is None or bottom is None or estimate.deadweight is None:
        return np.full(len(drawn["effect"]), np.nan)
    return _sum(top, drawn) / _sum(bottom, drawn)


def _sum(weights: Quantities, drawn: dict[str, np.ndarray]) -> np.ndarray:
    """A linear combination by draw."""
    total = np.zeros(len(drawn["effect"]))
    for name, weight in weights.items():
        total = total + weight * (1.0 if name == "one" else drawn[name])
    return total
