"""What each arm is worth: its clusters, its effective size, and the room they leave for an interval."""

from __future__ import annotations

import math

import numpy as np

from evalkit import words
from evalkit.counterfactual.panel import Panel
from evalkit.errors import EstimationError, Flag

FEW_CLUSTERS, FEW_IN_ARM = 20, 10
TINY = 1e-10  # of the largest reading: less than this is rounding, not variation
ARMS = (("treated", 1.0), ("comparison", 0.0))


def arm_clusters(panel: Panel, analysed: np.ndarray | None = None) -> dict[str, int]:
    """Count the clusters in which each arm lies.

    Parameters
    ----------
    panel : Panel
        The people.
    analysed : ndarray of bool, shape (n,), optional
        Rows that count (the matched); default all.

    Returns
    -------
    dict
        "treated" and "comparison" to a number, where anybody is in that arm; empty without clusters.
    """
    if panel.cluster is None:
        return {}
    rows = np.ones(len(panel.y), bool) if analysed is None else analysed
    there = {name: rows & (panel.treated == arm) for name, arm in ARMS}
    return {name: len(np.unique(panel.cluster[mine])) for name, mine in there.items() if mine.any()}


def allow_for_size(
    panel: Panel, rows: np.ndarray, weights: np.ndarray, modelled: tuple[str, ...]
) -> tuple[np.ndarray, float]:
    """By how much contributions grow because arms are small, and the degrees of freedom that are left.

    Each arm counts by its effective number of clusters (or people): Kish's, from the weights. An arm whose outcome was
    modelled also pays for the covariates.

    Parameters
    ----------
    panel : Panel
        The people.
    rows : ndarray, shape (n,)
        Contributions to the effect.
    weights : ndarray, shape (n,)
        Of every row in its own arm.
    modelled : tuple of str
        The arms that a model with all covariates was fitted to or that are weighted by one.

    Returns
    -------
    (ndarray of shape (n,), float)
        The factor of each row; with clusters the smaller arm's effective clusters less 1, else Welch's degrees of
        freedom; at least 1.

    Raises
    ------
    EstimationError
        A modelled arm has no more people than there are terms.
    """
    factor, variances, room = np.ones(len(rows)), [], []
    k = panel.x.shape[1]
    for name, arm in ARMS:
        mine = panel.treated == arm
        n, lost = int(mine.sum()), k if name in modelled else 0
        if lost and n <= k + 1:
            raise EstimationError(f"the {name} arm has {n} people for {k} covariates. Name fewer covariates.")
        size = _effective(weights[mine], None if panel.cluster is None else panel.cluster[mine])
        factor[mine] = math.sqrt(size / (size - 1)) if size > 1 + 1e-9 else 1.0
        if panel.cluster is None:
            factor[mine] *= math.sqrt(n / (n - lost - 1)) if lost else 1.0
            size = min(size, n - lost)
        variances.append(float(((factor * rows)[mine] ** 2).sum()))
        room.append(max(size - 1, 1.0))
    if panel.cluster is not None or not sum(variances) > 0:
        return factor, min(room)
    return factor, sum(variances) ** 2 / sum(v**2 / df for v, df in zip(variances, room, strict=True))


def _effective(weights: np.ndarray, cluster: np.ndarray | None) -> float:
    """Kish's effective number of clusters; of people without clusters."""
    totals = weights if cluster is None else np.bincount(cluster, weights)
    return float(totals.sum() ** 2 / (totals**2).sum())


def no_interval(panel: Panel, analysed: np.ndarray, se: float, kind: str = "") -> Flag | None:
    """Why an interval would be false.

    Parameters
    ----------
    panel : Panel
        The people.
    analysed : ndarray of bool, shape (n,)
        Rows that count.
    se : float
        The standard error as computed.
    kind : str
        Of standard error; "classical" takes one person's spread from the other arm, and "permutation" ranks one person
        or cluster among the others.

    Returns
    -------
    Flag or None
        Serious; None where an interval can be given.
    """
    lonely = [name for name, count in arm_clusters(panel, analysed).items() if count < 2]
    if lonely and kind != "permutation":
        text = f"The whole {words.listed(lonely)} arm lies in one cluster, so no interval or p-value can be given."
        detail = "What the programme did cannot be told apart from what is particular to that cluster."
        return Flag("counterfactual", "serious", text, detail)
    alone = [name for name, arm in ARMS if panel.people(analysed & (panel.treated == arm)) == 1]
    if alone and panel.cluster is None and kind not in ("classical", "permutation"):
        text = f"The {words.listed(alone)} arm is one person or place, so no interval or p-value can be given."
        detail = 'Nobody else shows how much the arm varies. se = "permutation" ranks it among the others.'
        return Flag("counterfactual", "serious", text, detail)
    if se <= TINY * max(float(np.abs(panel.y).max()), 1e-300):
        text = "The outcome does not vary within the arms, so no interval or p-value can be given."
        return Flag("counterfactual", "serious", text)
    return None


def cluster_flags(panel: Panel, analysed: np.ndarray, df: float) -> list[Flag]:
    """Few clusters, in all or in one arm, make intervals less sure than they look.

    Parameters
    ----------
    panel : Panel
        The people.
    analysed : ndarray of bool, shape (n,)
        Rows that count.
    df : float
        Degrees of freedom of the interval.

    Returns
    -------
    list of Flag
        Empty without clusters, and with enough of them.
    """
    if panel.cluster is None:
        return []
    count, arms = len(np.unique(panel.cluster)), arm_clusters(panel, analysed)
    smaller = min(arms, key=lambda name: arms[name])
    few = []
    if count < FEW_CLUSTERS:
        few.append((f"There are few clusters ({count})", f"{FEW_CLUSTERS} or more are wished for"))
    if arms[smaller] < min(FEW_IN_ARM, count):
        few.append(
            (f"The {smaller} arm lies in few clusters ({arms[smaller]})", f"{FEW_IN_ARM} or more are wished for")
        )
    left = f"Degrees of freedom {words.number(df, 1)}; "
    unsure = "so the interval and p-value are less certain than they look."
    return [Flag("counterfactual", "caution", f"{text}, {unsure}", f"{left}{wish}.") for text, wish in few]
