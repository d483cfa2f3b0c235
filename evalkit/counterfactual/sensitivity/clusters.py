"""Whether one cluster alone makes the effect."""

from __future__ import annotations

from typing import Any

import pandas as pd

from evalkit import disclosure
from evalkit.counterfactual.estimating import estimate
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.registry import Entry, find_estimator
from evalkit.counterfactual.sensitivity.again import numbers_of, once_more, range_said, signs_said, used_columns
from evalkit.errors import EstimationError

SMALL = "a small cluster"


def leave_one_cluster_out(frame: pd.DataFrame, estimator: str, **arguments: Any) -> pd.DataFrame:
    """Estimate again without each cluster in turn.

    Parameters
    ----------
    frame : DataFrame
        As for `estimate`.
    estimator : str
        A name on the list.
    **arguments
        Of `estimate`; ``cluster``, or for panels ``unit``, names what is left out.

    Returns
    -------
    DataFrame
        A row for each cluster, smallest effect first: cluster, effect, low, high, p, change (from the effect with all)
        and why (where nothing could be estimated). Clusters of fewer than 10 people are not named. ``attrs``: "effect"
        with all, and "says".

    Raises
    ------
    EstimationError
        No clusters are named, or there is only one; and what `estimate` raises with all clusters.
    """
    entry = find_estimator(estimator)
    column = arguments.get("cluster") or arguments.get("unit")
    if column is None:
        raise EstimationError("name the column of clusters whose part is to be seen (cluster = ...).")
    full = estimate(frame, estimator, **arguments)
    used = used_columns(frame, arguments)
    label = used[column].astype("str").where(used[column].notna())
    if label.nunique() < 2:
        raise EstimationError(f'"{column}" has one cluster only, so none can be left out.')
    small = _small(used, label, entry, arguments)
    rows = []
    for name in sorted(label.dropna().unique()):
        found, why = once_more(used[label != name], estimator, arguments)
        numbers = numbers_of(found)
        shown = SMALL if name in small else name
        rows.append({"cluster": shown, **numbers, "change": numbers["effect"] - full.effect, "why": why})
    # In the order of effects: among names in their own order a hidden one could be told by its place.
    table = pd.DataFrame(rows).sort_values(["effect", "low"], kind="stable", ignore_index=True)
    table.attrs = {"effect": full.effect, "says": _says(table, full)}
    return table


def _small(used: pd.DataFrame, label: pd.Series, entry: Entry, arguments: dict[str, Any]) -> set[str]:
    """Clusters of so few people that they are not named; areas in a panel are no people."""
    if entry.data in ("panel", "rates", "series"):
        return set()
    person = arguments.get("person")
    sizes = label.groupby(label).size() if person is None else used[person].groupby(label).nunique()
    return {str(name) for name, n in sizes.items() if not isinstance(disclosure.count(int(n)), int)}


def _says(table: pd.DataFrame, full: Estimate) -> str:
    """The range, the sign, and where nothing could be said."""
    if not table["effect"].notna().any():
        return "With any one cluster left out, nothing can be estimated: the effect rests on each of them."
    failed = int(table["effect"].isna().sum())
    lost = f" For {failed} of {len(table)} clusters nothing can be estimated without it." if failed else ""
    said = range_said(table["effect"], full)
    return f"Leaving out one cluster at a time, {said}. {signs_said(table, full)}{lost}"
