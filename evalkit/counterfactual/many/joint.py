"""What several estimates share: contributions by cluster, whose products are the joint covariance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.registry import find_estimator

PERSON = "(person)"


def with_ids(frame: pd.DataFrame, estimator: str, arguments: dict[str, Any]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Give people ids where the table has none, so that they are the same people in every estimate.

    Parameters
    ----------
    frame : DataFrame
        Left as it is.
    estimator : str
        Only where a row is a person can rows be named.
    arguments : dict
        Keyword arguments of `evalkit.counterfactual.estimate`.

    Returns
    -------
    (DataFrame, dict)
        The same where ids were given; else with a column of ids that sort as rows without ids would.
    """
    if arguments.get("person") is not None or find_estimator(estimator).data != "people":
        return frame, arguments
    sortable = frame.index.is_unique and frame.index.nlevels == 1
    ordered = frame.sort_index(kind="stable") if sortable else frame
    width = len(str(len(frame)))
    ids = [f"row {place:0{width}d}" for place in range(len(frame))]
    return ordered.assign(**{PERSON: ids}), {**arguments, "person": PERSON}


def contributions(estimate: Estimate, frame: pd.DataFrame, arguments: dict[str, Any]) -> pd.Series | None:
    """Sum an estimate's contributions by cluster, or by person where there is none.

    Parameters
    ----------
    estimate : Estimate
        One that kept its people's contributions.
    frame : DataFrame
        The table that it was made from.
    arguments : dict
        Keyword arguments of `evalkit.counterfactual.estimate` with which it was made.

    Returns
    -------
    Series or None
        Index: clusters (or people) as text. None where there are no contributions, or where their squares do not add
        up to the estimate's variance, so that nothing can be built on them.
    """
    if estimate.influence is None:
        return None
    rows = estimate.influence["effect"]
    labels = _labels(rows.index, frame, arguments)
    if labels is None:
        return None
    sums = rows.groupby(labels).sum()
    found = float(np.sqrt((sums**2).sum()))
    return sums if np.isclose(found, estimate.se, rtol=1e-6) else None


def _labels(people: pd.Index, frame: pd.DataFrame, arguments: dict[str, Any]) -> np.ndarray | None:
    """The cluster of each contribution as text; the person where there are no clusters."""
    cluster = arguments.get("cluster")
    person = arguments.get("person") or arguments.get("unit")
    if cluster is None:
        return people.to_numpy().astype(str)
    if person is not None:
        known = frame[frame[cluster].notna()]
        first = pd.Series(known[cluster].astype(str).to_numpy(), index=known[person].astype(str).to_numpy())
        return first[~first.index.duplicated()].reindex(people).astype(str).to_numpy()
    needed = [name for name in (arguments.get("outcome"), arguments.get("treated"), cluster) if name is not None]
    used = frame[frame[needed].notna().all(axis=1)]
    used = used.sort_index(kind="stable") if used.index.is_unique and used.index.nlevels == 1 else used
    return used[cluster].astype(str).to_numpy() if len(used) == len(people) else None


def covariance(parts: list[pd.Series]) -> np.ndarray:
    """Turn contributions into the covariance of the estimates.

    Parameters
    ----------
    parts : list of Series
        Contributions by cluster (or person) of each estimate; who is not in an estimate contributes nothing.

    Returns
    -------
    ndarray, shape (n_estimates, n_estimates)
        Sums over clusters of products.
    """
    table = pd.concat(parts, axis=1).fillna(0.0).to_numpy(dtype=float)
    return np.asarray(table.T @ table)


def share_clusters(parts: list[pd.Series]) -> bool:
    """Whether any cluster (or person) contributes to two of the estimates.

    Parameters
    ----------
    parts : list of Series
        As for `covariance`.

    Returns
    -------
    bool
        False: the estimates are independent.
    """
    named = [name for part in parts for name in part.index]
    return len(named) > len(set(named))
