"""Effects by subgroup: never one alone, always with the test that they differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from evalkit import disclosure, words
from evalkit.counterfactual.estimating import estimate
from evalkit.counterfactual.many.equality import EqualEffects, equal_effects
from evalkit.counterfactual.many.groups import By, groups_of
from evalkit.counterfactual.many.joint import contributions, covariance, share_clusters, with_ids
from evalkit.counterfactual.many.running import FAULTS
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.registry import Entry, find_estimator
from evalkit.errors import EstimationError, Flag, as_list, did_you_mean
from evalkit.outcomes.multiplicity.adjusting import adjust

FEWEST, FEWEST_CLUSTERS = 10, 2  # people and clusters in each arm of a group
TABLE = [
    *["column", "group", "n_treated", "n_comparison", "effect", "se", "low", "high", "p", "p_adjusted"],
    *["difference", "difference_se", "difference_low", "difference_high", "why"],
]
INTERACTIONS = ["column", "groups", "statistic", "df", "df_error", "p", "p_adjusted", "method", "why"]
NUMBERS = ["n_treated", "n_comparison", "effect", "se", "low", "high", "p"]


@dataclass(frozen=True, eq=False)
class Subgroups:
    """Effects for parts of the people.

    Parameters
    ----------
    table : DataFrame, one row per column and group
        column, group, n_treated, n_comparison (missing below 10), effect, se, low, high, p, p_adjusted (Holm over all
        groups of all columns), difference (from the other groups of the column, each by its number of treated) with
        _se, _low, _high, why (it was not estimated).
    interactions : DataFrame, one row per column
        column, groups (estimated), statistic (F), df, df_error, p (all groups have one effect), p_adjusted (Holm over
        the columns), method, why (there is no test).
    planned : bool
        Whether the subgroups were fixed before the outcomes were seen.
    says : str
        In plain words.
    flags : tuple of Flag
        What a reader must be told.
    level : float
        Of the intervals.
    """

    table: pd.DataFrame
    interactions: pd.DataFrame
    planned: bool
    says: str
    flags: tuple[Flag, ...]
    level: float

    def _repr_html_(self) -> str:
        shown = self.table[["column", "group", "effect", "low", "high", "why"]]
        return f"<p>{self.says}</p>{shown.to_html(index=False, float_format='{:.3f}'.format)}{as_list(self.flags)}"


def subgroup_effects(
    frame: pd.DataFrame, estimator: str, by: By, *, planned: bool = False, **arguments: Any
) -> Subgroups:
    """Estimate the effect in every subgroup, and test whether the effects differ.

    Each subgroup is estimated by itself, by the same estimator with the same covariates (matching is within it).

    Parameters
    ----------
    frame : DataFrame
        As for `evalkit.counterfactual.estimate`; left as it is.
    estimator : str
        A name on the list of estimators, one whose rows are people or units.
    by : str, sequence of str, or dict of column to cuts
        What was known before the programme: a column's levels (``"sex"``, ``["sex", "need"]``), or a number cut at
        declared points (``{"age": [14]}``: below 14, 14 or over). Nothing is cut by the data.
    planned : bool
        Whether these subgroups were fixed before the outcomes were seen; without it they are called exploratory.
    **arguments
        Columns and options of `evalkit.counterfactual.estimate`.

    Returns
    -------
    Subgroups
        Effects with p adjusted over all groups of all columns; one joint test per column. A group with fewer than 10
        people (or 2 clusters) in an arm is not estimated, and says so.

    Raises
    ------
    EstimationError
        A column of ``by`` cannot make subgroups, or the estimator has no people to divide.

    Notes
    -----
    That one group's effect is "significant" and another's is not does not mean that they differ: the test of the
    difference does (Gelman and Stern 2006, The American Statistician 60, 328-331). Groups are different people, so
    their effects are independent unless they share clusters; then cluster sums of the contributions give the
    covariance.

    References
    ----------
    Welch (1951), Biometrika 38, 330-336; Holm (1979), Scandinavian J. of Statistics 6, 65-70.
    """
    entry = find_estimator(estimator)
    if entry.data in ("rates", "series", "history"):
        raise EstimationError(f'"{entry.name}" has no rows of people in two arms, so there are no subgroups to take.')
    named = [arguments[part] for part in ("outcome", "treated", "time", "unit", "person") if arguments.get(part)]
    for name in [one for one in named if one not in frame.columns]:
        raise EstimationError(f'column "{name}" is not in the table. {did_you_mean(str(name), frame.columns)}')
    frame, arguments = with_ids(frame, estimator, arguments)
    level = float(arguments.get("level", 0.95))
    tables, tests, flags = [], [], []
    for column, groups in groups_of(frame, by, arguments).items():
        table, test, told = _by_column(frame, entry, (column, groups), arguments, level)
        tables.append(table)
        tests.append({"column": column, "groups": int((table["why"] == "").sum()), **vars(test)})
        flags += told
    table = pd.concat(tables, ignore_index=True)
    table["p_adjusted"] = adjust(table["p"].to_numpy(dtype=float))
    interactions = pd.DataFrame(tests)
    interactions["p_adjusted"] = adjust(interactions["p"].to_numpy(dtype=float))
    table, interactions = table[TABLE], interactions[INTERACTIONS]
    flags = [*flags, *_flags(table, interactions, planned, level)]
    return Subgroups(table, interactions, planned, _says(interactions, 1 - level), tuple(flags), level)


def _by_column(
    frame: pd.DataFrame, entry: Entry, parts: tuple[str, pd.Series], arguments: dict[str, Any], level: float
) -> tuple[pd.DataFrame, EqualEffects, list[Flag]]:
    """The groups of one column, the test that they differ, and what to say."""
    column, groups = parts
    rows, found, frames = [], {}, {}
    for group in groups.cat.categories:
        one = frame[(groups == group).to_numpy()]
        told, why = _one_group(one, entry, column, arguments)
        numbers = {name: np.nan if why or told is None else getattr(told, name) for name in NUMBERS}
        rows.append({"column": column, "group": group, **numbers, "why": why})
        if told is not None and not why:
            found[group], frames[group] = told, one
    table = pd.DataFrame(rows)
    table[["difference", "difference_se", "difference_low", "difference_high"]] = np.nan
    test = EqualEffects(why="fewer than two groups could be estimated")
    if len(found) > 1:
        test = _compare(table, found, frames, arguments, level)
    flags = []
    missing = int(groups.isna().sum())
    if missing:
        text = f"People without a value of {column} are in none of its groups."
        detail = f"{disclosure.roughly(missing, len(groups))} of the rows.".capitalize()
        flags.append(Flag("counterfactual", "caution", text, detail, column))
    return table, test, flags


def _one_group(one: pd.DataFrame, entry: Entry, column: str, arguments: dict[str, Any]) -> tuple[Estimate | None, str]:
    """The effect in one group, or why there is none."""
    given: Any = arguments.get("covariates")
    covariates = [given] if isinstance(given, str) else [] if given is None else list(given)
    if column in covariates and one[column].nunique() < 2:  # it is the same for the whole group
        covariates.remove(column)
    own = {**arguments, "covariates": covariates}
    try:
        found = estimate(one, entry.name, **own)
    except FAULTS as reason:
        few = _too_few(one, arguments)
        return None, few or str(reason)
    few = _too_few(one, arguments)
    if few or (entry.data != "panel" and min(found.n_treated, found.n_comparison) < FEWEST):
        return None, few or f"fewer than {FEWEST} people in an arm"
    return found, ""


def _too_few(one: pd.DataFrame, arguments: dict[str, Any]) -> str:
    """Whether an arm of the group has too few people or clusters, as far as the table shows its arms."""
    treated, cluster = arguments.get("treated"), arguments.get("cluster")
    if treated is None or arguments.get("unit") is not None:
        return ""
    rows = one[one[[arguments["outcome"], treated]].notna().all(axis=1)]
    person = arguments.get("person")
    people = rows.groupby(treated)[person].nunique() if person is not None else rows.groupby(treated).size()
    if len(people) < 2 or people.min() < FEWEST:
        return f"fewer than {FEWEST} people in an arm"
    if cluster is not None and rows.groupby(treated)[cluster].nunique().min() < FEWEST_CLUSTERS:
        return f"fewer than {FEWEST_CLUSTERS} clusters in an arm"
    return ""


def _compare(
    table: pd.DataFrame,
    found: dict[str, Estimate],
    frames: dict[str, pd.DataFrame],
    arguments: dict[str, Any],
    level: float,
) -> EqualEffects:
    """Fill in each group's difference from the others; test all at once."""
    effects = np.array([one.effect for one in found.values()])
    df = np.array([one.df if np.isfinite(one.df) else np.inf for one in found.values()])
    joint, shared = _joint(found, frames, arguments)
    if joint is None:
        return EqualEffects(why="the groups share clusters, and this estimator does not say what clusters contribute")
    if len({one.scale for one in found.values()} | {"difference"}) > 1:
        return EqualEffects(why="the effects are ratios")
    treated = np.array([one.n_treated for one in found.values()], dtype=float)
    critical_df = float(df.min())
    for place, group in enumerate(found):
        others = np.where(np.arange(len(effects)) == place, 0.0, treated)
        contrast = -others / others.sum()
        contrast[place] = 1.0
        gap, se = float(contrast @ effects), float(np.sqrt(max(contrast @ joint @ contrast, 0.0)))
        parts = contrast**2 * np.diag(joint)
        own = critical_df if shared else float(parts.sum() ** 2 / max(float((parts**2 / df).sum()), 1e-300))
        reach = float(stats.t.ppf(0.5 + level / 2, own)) * se
        row = table.index[table["group"] == group][0]
        names = ["difference", "difference_se", "difference_low", "difference_high"]
        table.loc[row, names] = [gap, se, gap - reach, gap + reach]
    return equal_effects(effects, joint, df, shared)


def _joint(
    found: dict[str, Estimate], frames: dict[str, pd.DataFrame], arguments: dict[str, Any]
) -> tuple[np.ndarray | None, bool]:
    """The covariance of the groups' effects, and whether they share clusters; None where it cannot be known."""
    own = np.diag([one.se**2 for one in found.values()])
    cluster = arguments.get("cluster")
    if cluster is None:
        return own, False
    named = [set(one[cluster].dropna().astype(str)) for one in frames.values()]
    if sum(len(one) for one in named) == len(set().union(*named)):
        return own, False
    parts = [contributions(one, frames[group], arguments) for group, one in found.items()]
    told = [part for part in parts if part is not None]
    if len(told) < len(parts):
        return None, True
    return covariance(told), share_clusters(told)


def _says(interactions: pd.DataFrame, alpha: float) -> str:
    """One sentence per column."""
    told = []
    for row in interactions.to_dict("records"):
        if row["why"]:
            told.append(f"Whether the effect differs by {row['column']} cannot be tested: {row['why']}.")
        elif row["p_adjusted"] < alpha:
            told.append(
                f"The effect differs between the groups of {row['column']} (p {words.p_value(row['p_adjusted'])})."
            )
        else:
            told.append(
                f"No difference in effect between the groups of {row['column']} was shown "
                f"(p {words.p_value(row['p_adjusted'])}); that is not evidence that they are alike."
            )
    return " ".join(told)


def _flags(table: pd.DataFrame, interactions: pd.DataFrame, planned: bool, level: float) -> list[Flag]:
    """What a reader of subgroups must be told."""
    flags = []
    if not planned:
        text = "These subgroups were not fixed beforehand: what they show is exploratory."
        detail = "A finding here is a question for the next study, not an answer. Planned ones: planned = True."
        flags.append(Flag("counterfactual", "caution", text, detail))
    for column, rows in table[table["why"] != ""].groupby("column", sort=False):
        named = [f"{row['group']} ({row['why']})" for row in rows.to_dict("records")]
        text = f"Some groups of {column} were not estimated."
        flags.append(Flag("counterfactual", "caution", text, f"{'; '.join(named)}.", str(column)))
    if (table["why"] != "").all():
        flags.append(Flag("counterfactual", "serious", "No subgroup has enough people for an estimate."))
    for row in interactions[interactions["why"] == ""].to_dict("records"):
        p = table.loc[(table["column"] == row["column"]) & (table["why"] == ""), "p"]
        if (p < 1 - level).any() and not (p < 1 - level).all() and row["p"] >= 1 - level:
            text = f"One group of {row['column']} shows an effect and another not: that is no difference in effect."
            detail = f"The test of the difference itself has p {words.p_value(row['p'])}."
            flags.append(Flag("counterfactual", "caution", text, detail, row["column"]))
    tests = int(table["p"].notna().sum())
    text = f"{tests} effects in subgroups were looked at; p-values are adjusted for that (Holm)."
    return [*flags, Flag("counterfactual", "note", text, "Intervals are not: each is for its own group alone.")]
