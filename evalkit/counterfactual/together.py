"""The measures of one domain tested together: shuffled as the arms were assigned, or drawn again by cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evalkit import evidence
from evalkit.counterfactual.effects import sums_by_cluster
from evalkit.counterfactual.nouns import Estimate
from evalkit.errors import EvalkitError
from evalkit.outcomes import adjust, gatekeep, romano_wolf_from_influence, westfall_young
from evalkit.words import number

if TYPE_CHECKING:
    from evalkit.outcomes import Outcomes
    from evalkit.study.model import Counterfactual

DRAWS = 1999
FEWEST_CLUSTERS = 12  # below which clusters drawn again repeat each other, and Holm is the safe choice
RANDOMISED = 5  # on the Maryland scale, where chance decides
HOLM = "Holm"


def step_down(outcomes: Outcomes, plan: Counterfactual, found: dict[str, Estimate]) -> tuple[np.ndarray, str]:
    """Adjust the p-values of the measures of one domain for being several.

    Parameters
    ----------
    outcomes : Outcomes
        With the study.
    plan : Counterfactual
        Where its design is an experiment, arms are shuffled as they were assigned (Westfall and Young); else clusters'
        contributions are drawn again (Romano and Wolf); where there are few clusters, Holm.
    found : dict of str to Estimate
        By wide key.

    Returns
    -------
    (ndarray, str)
        Adjusted p, never below the estimate's own, and how it was found, in words.
    """
    own = np.array([estimate.p for estimate in found.values()])
    if len(found) < 2:
        return own, ""
    try:
        together, how = _together(outcomes, plan, found)
    except EvalkitError:  # what cannot be shuffled or drawn again is still adjusted
        together, how = adjust(own), HOLM
    return np.fmax(together, own), how


def gates(table: pd.DataFrame, measures: pd.DataFrame, level: float) -> pd.Series:
    """Say of each measure what its test may be taken for, the domain's index being tested first.

    Parameters
    ----------
    table : DataFrame
        Effects with ``outcome``, ``is_domain`` and ``p``.
    measures : DataFrame
        Single measures with ``domain``, ``measure`` and ``p_adjusted``.
    level : float
        Confidence level; one less it is the family-wise error over domains, and within a domain that passed.

    Returns
    -------
    Series of str, shape (n_measures,)
        A verdict in words.
    """
    domains = table[table["is_domain"].astype(bool)].set_index("outcome")["p"].astype(float)
    told = gatekeep(domains, measures[["domain", "measure", "p_adjusted"]], round(1 - level, 10))
    verdicts = told[told["measure"] != ""].set_index(["domain", "measure"])["verdict"]
    keys = zip(measures["domain"], measures["measure"], strict=True)
    return pd.Series([str(verdicts[key]) for key in keys], index=measures.index, dtype="str")


def _together(outcomes: Outcomes, plan: Counterfactual, found: dict[str, Estimate]) -> tuple[np.ndarray, str]:
    if evidence.level(plan.design).sms == RANDOMISED:
        return _shuffled(outcomes, list(found))
    known = {key: estimate for key, estimate in found.items() if estimate.influence is not None}
    sums = _by_cluster(outcomes, known)
    if len(known) < len(found) or len(sums) < FEWEST_CLUSTERS:
        return adjust([estimate.p for estimate in found.values()]), HOLM
    effects = pd.Series({key: estimate.effect for key, estimate in known.items()})
    errors = pd.Series({key: estimate.se for key, estimate in known.items()})
    df = pd.Series({key: estimate.df for key, estimate in known.items()})
    table = romano_wolf_from_influence(effects, errors, sums, DRAWS, _seed(outcomes), df=df)
    return table["p_adjusted"].to_numpy(), f"Romano-Wolf step-down, {number(DRAWS, 0)} draws of clusters' contributions"


def _by_cluster(outcomes: Outcomes, known: dict[str, Estimate]) -> pd.DataFrame:
    """What each cluster (or person) contributes to each effect."""
    parts = {key: estimate.influence["effect"] for key, estimate in known.items() if estimate.influence is not None}
    return sums_by_cluster(outcomes, parts)


def _shuffled(outcomes: Outcomes, keys: list[str]) -> tuple[np.ndarray, str]:
    """Arms shuffled as they were assigned: whole clusters where each lies in one arm, else people within them."""
    cohort = outcomes.cohort.table.reset_index(drop=True)
    frame = outcomes.wide[keys].reset_index(drop=True).assign(**{"(arm)": cohort["treated"]})
    columns = {name: cohort[name] for name in ("cluster", "strata") if name in cohort and cohort[name].notna().any()}
    inside = frame["(arm)"].notna().to_numpy() & np.all([column.notna() for column in columns.values()] or True, axis=0)
    units = {name: column[inside].to_numpy() for name, column in columns.items()}
    arm = frame.loc[inside, "(arm)"]
    how: dict[str, object] = {"strata": units["strata"]} if "strata" in units else {}
    if "cluster" in units and arm.groupby(units["cluster"]).nunique().max() == 1:
        how["cluster"] = units["cluster"]
    else:
        how = {"strata": units.get("strata", units.get("cluster")), "assigned": "individual"}
    table = westfall_young(frame[inside], "(arm)", keys, DRAWS, _seed(outcomes), **how)  # type: ignore[arg-type]
    said = f"Westfall-Young step-down, {number(table['draws'].iloc[0], 0)} shuffles of {table['permuted'].iloc[0]}"
    return table["p_adjusted"].to_numpy(), said


def _seed(outcomes: Outcomes) -> int:
    study = outcomes.cohort.study
    return study.study.seed if study is not None else 0
