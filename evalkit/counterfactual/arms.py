"""What each arm is worth: its clusters, its effective size, and the room they leave for an interval."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from evalkit import words
from evalkit.counterfactual.panel import Panel
from evalkit.errors import EstimationError, Flag

FEW_CLUSTERS, FEW_IN_ARM = 20, 10
EVEN, USUAL = 0.05, 1.96  # skewness of an estimate that is let pass; the normal quantile at which it is judged
FEW_EVENTS, LOPSIDED = 10, 0.2
TAIL = 0.975  # the quantile at which degrees of freedom stand in for a wider error
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


def freedom_for_size(
    panel: Panel, rows: np.ndarray, weights: np.ndarray, modelled: tuple[str, ...]
) -> tuple[float, float]:
    """Degrees of freedom so low that the interval is as wide as `allow_for_size` makes it, the error as it is printed.

    The standard error is then that of the field's papers and programs, and the interval is the honest one.

    Parameters
    ----------
    panel, rows, weights, modelled
        As there.

    Returns
    -------
    (float, float)
        What contributions are still to be multiplied by (1, unless one degree of freedom is not few enough), and the
        degrees of freedom.
    """
    factor, df = allow_for_size(panel, rows, weights, modelled)
    grown, plain = (_square(panel, part) for part in (factor * rows, rows))
    if not plain > 0:
        return 1.0, df
    wanted = math.sqrt(grown / plain) * float(stats.t.ppf(TAIL, df))
    if float(stats.t.ppf(TAIL, 1)) <= wanted:
        return wanted / float(stats.t.ppf(TAIL, 1)), 1.0
    low, high = 0.0, math.log(max(df, 1.0 + 1e-9))
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if float(stats.t.ppf(TAIL, math.exp(middle))) > wanted else (low, middle)
    return 1.0, math.exp((low + high) / 2)


def _square(panel: Panel, rows: np.ndarray) -> float:
    """The variance that contributions add up to."""
    sums = rows if panel.cluster is None else np.bincount(panel.cluster, rows)
    return float((sums**2).sum())


def allow_for_skew(panel: Panel, rows: np.ndarray) -> float:
    """By how much the error grows because few contributions, on one side, decide the estimate.

    Such an estimate misses on one side more often than Student's t supposes: the first term of the studentised mean's
    expansion moves its quantile by skewness x (2 z^2 + 1) / 6. Both sides are widened by it, as far as the skewness of
    the estimate is above 0.05, so that the interval stays centred.

    Parameters
    ----------
    panel : Panel
        The people.
    rows : ndarray, shape (n,)
        Contributions to the effect.

    Returns
    -------
    float
        1 or more.

    References
    ----------
    Johnson (1978), JASA 73, 536-544; Hall (1992), J. of the Royal Statistical Society B 54, 221-228.
    """
    sums = rows if panel.cluster is None else np.bincount(panel.cluster, rows)
    square = float((sums**2).sum())
    if not square > 0:
        return 1.0
    skewness = abs(float((sums**3).sum())) / square**1.5
    return 1 + max(skewness - EVEN, 0.0) * (2 * USUAL**2 + 1) / (6 * USUAL)


def skew_flags(factor: float) -> list[Flag]:
    """Say that few people decide an estimate.

    Parameters
    ----------
    factor : float
        From `allow_for_skew`.

    Returns
    -------
    list of Flag
        A caution where the error grew by more than a tenth.
    """
    if factor <= 1.1:
        return []
    text = "A few people, all to one side, decide the effect on everybody."
    detail = f"The interval was widened by {words.percent(factor - 1, 0)} for that, and may still be too short there."
    return [Flag("counterfactual", "caution", text, f'{detail} estimand = "ATT" asks for less.')]


def normal_flags(panel: Panel, yes_or_no: bool, analysed: np.ndarray, sums: np.ndarray) -> list[Flag]:
    """Say where the mean of an arm is far from normal, so that Student's t says too much.

    Parameters
    ----------
    panel : Panel
        The people.
    yes_or_no : bool
        Whether the outcome is one.
    analysed : ndarray of bool, shape (n,)
        Rows that count.
    sums : ndarray
        Contributions to the effect by person or cluster.

    Returns
    -------
    list of Flag
        A caution: fewer than ten people of an arm with the outcome, or without it; or, without clusters, an estimate
        whose skewness is above 0.2 (amounts of money in a small arm: in simulation with 20 people and a log-normal
        amount, 88 of 100 intervals covered).
    """
    if panel.time is not None:
        return []
    if yes_or_no:
        arms = [panel.y[analysed & (panel.treated == arm)] for _, arm in ARMS]
        least = min((min(float(y.sum()), float((1 - y).sum())) for y in arms if len(y)), default=FEW_EVENTS)
        text = f"Fewer than {FEW_EVENTS} people of an arm have this outcome, or fewer lack it."
        detail = 'The interval takes means as normal, and may be too short. "difference" has one for few events.'
        return [Flag("counterfactual", "caution", text, detail)] if 0 < least < FEW_EVENTS else []
    square = float((sums**2).sum())
    if panel.cluster is not None or not square > 0 or abs(float((sums**3).sum())) <= LOPSIDED * square**1.5:
        return []
    text = "A few people with values far to one side decide this effect, so the interval may be too short on one side."
    detail = 'Look at them; a yes/no, a cap fixed beforehand, or (by lot) se = "permutation" leans on them less.'
    return [Flag("counterfactual", "caution", text, detail)]


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
