"""How sure a matched estimate is: by matched sets, and where comparison people are shared (Abadie and Imbens)."""

from __future__ import annotations

import math

import numpy as np

from evalkit.counterfactual.arms import allow_for_size, arm_clusters
from evalkit.counterfactual.matched.pairs import Pairs, whitened
from evalkit.counterfactual.matched.space import Space, again_in_space
from evalkit.counterfactual.neighbours import again_on_line
from evalkit.counterfactual.panel import Panel, Plan
from evalkit.counterfactual.scores import effective_size
from evalkit.linear import least_squares, row_contributions


def by_sets(panel: Panel, plan: Plan, pairs: Pairs) -> tuple[float, np.ndarray, float]:
    """Weighted regression on the matched, with matched sets as clusters.

    Parameters
    ----------
    panel, plan, pairs : Panel, Plan, Pairs
        Matched without replacement.

    Returns
    -------
    (float, ndarray of shape (n,), float)
        Effect, contributions of the rows, degrees of freedom.
    """
    n = len(panel.y)
    sets = np.full(n, -1)
    sets[pairs.one], sets[pairs.none] = pairs.one, pairs.one
    kept = np.flatnonzero(sets >= 0)
    x = _design(panel, plan, kept)
    root = np.sqrt(pairs.used(n)[kept])
    fit = least_squares(panel.y[kept] * root, x * root[:, None])
    pair = np.unique(sets[kept], return_inverse=True)[1]
    rows = row_contributions(fit, np.eye(x.shape[1])[0], "cr1s", pair)
    full, df = _carried(panel, rows, sets, kept, pair)
    return float(fit.beta[0]), full, df


def _design(panel: Panel, plan: Plan, kept: np.ndarray) -> np.ndarray:
    """Arm, constant, and the covariates that vary among the matched where the effect is adjusted."""
    parts = [panel.treated[kept], np.ones(len(kept))]
    if plan.options["adjust"]:
        x = panel.x.to_numpy()[kept]
        parts.append(x[:, (x != x[0]).any(axis=0)])
    return np.column_stack(parts)


def _carried(
    panel: Panel, rows: np.ndarray, sets: np.ndarray, kept: np.ndarray, pair: np.ndarray
) -> tuple[np.ndarray, float]:
    """Contributions of all rows, and degrees of freedom.

    Without clusters a set's contribution is carried by its treated person, so that sums over people give the
    set-clustered variance. With clusters each person keeps his own, scaled to the two-way variance.
    """
    full = np.zeros(len(sets))
    if panel.cluster is None:
        np.add.at(full, sets[kept], rows)
        return full, float(pair.max())
    full[kept] = rows
    cluster = panel.cluster[kept]
    both = np.unique(cluster.astype(np.int64) * (pair.max() + 1) + pair, return_inverse=True)[1]
    count = max(2, min(arm_clusters(panel, sets >= 0).values()))  # with 1 no interval is given, see `conclude`
    by_pair, by_cluster, by_both = (float((np.bincount(g, rows) ** 2).sum()) for g in (pair, cluster, both))
    by_cluster *= count / (count - 1)  # the smaller arm's: it has the least to say about clusters
    wanted = max(by_pair + by_cluster - by_both, by_pair, by_cluster)
    now = float((np.bincount(cluster, rows) ** 2).sum())
    return full * math.sqrt(wanted / now) if now > 0 else full, float(min(count, pair.max() + 1) - 1)


def shared(panel: Panel, plan: Plan, pairs: Pairs) -> tuple[float, np.ndarray, float]:
    """The mean of the treated's differences from their neighbours, and its variance where neighbours are shared.

    Parameters
    ----------
    panel, plan, pairs : Panel, Plan, Pairs
        Matched with replacement.

    Returns
    -------
    (float, ndarray of shape (n,), float)
        Effect, contributions of the rows, degrees of freedom.

    Notes
    -----
    The variance is that of the effect on the treated of a population: the spread of the treated's own differences,
    and for each comparison person used more than once (K squared less the sum of squared shares) times the variance of
    outcomes given covariates. That variance is taken from the ``own_neighbours`` nearest people of the comparison
    (Abadie and Imbens 2006, section 4), or with 0 is one for everybody: half the mean squared deviation of the pairs'
    differences. With ``adjust`` each difference is corrected by a linear model of the comparison (Abadie and Imbens
    2011). The score is taken as known; that it was estimated usually makes the effect on the treated a little surer,
    and may make it less sure (Abadie and Imbens 2016). With clusters, contributions are residuals of a linear model
    times the weights, summed by cluster.

    References
    ----------
    Abadie and Imbens (2006), Econometrica 74, 235-267; (2011), J. of Business and Economic Statistics 29, 1-11;
    (2016), Econometrica 84, 781-807.
    """
    n = len(panel.y)
    matched = np.unique(pairs.one)
    expected = _expected(panel, pairs) if plan.options["adjust"] or panel.cluster is not None else None
    gap = panel.y[pairs.one] - panel.y[pairs.none]
    if plan.options["adjust"] and expected is not None:
        gap = gap - (expected[pairs.one] - expected[pairs.none])
    own = np.bincount(pairs.one, pairs.share * gap, minlength=n)[matched]
    effect = float(own.mean())
    if panel.cluster is not None and expected is not None:
        return effect, *_by_cluster(panel, pairs, expected)
    rows = np.zeros(n)
    rows[matched] = (own - effect) / len(matched)
    extra = np.sqrt(np.maximum(pairs.used(n) ** 2 - pairs.used(n, 2), 0.0))
    reused = np.flatnonzero((extra > 0) & (panel.treated == 0))
    rows[reused] = -extra[reused] * _deviations(panel, plan, pairs, gap - effect, reused) / len(matched)
    return effect, rows, _freedom(panel, pairs, rows)


def _expected(panel: Panel, pairs: Pairs) -> np.ndarray:
    """What a linear model of the comparison, weighted as used, expects of everybody."""
    used = pairs.used(len(panel.y))
    rows = np.flatnonzero((panel.treated == 0) & (used > 0))
    design = np.column_stack([np.ones(len(panel.y)), panel.x])
    root = np.sqrt(used[rows])
    beta = np.linalg.lstsq(design[rows] * root[:, None], panel.y[rows] * root, rcond=1e-10)[0]
    return design @ beta


def _deviations(panel: Panel, plan: Plan, pairs: Pairs, off: np.ndarray, reused: np.ndarray) -> np.ndarray:
    """By how much comparison people deviate from those like them; scaled to one variance if that is wanted."""
    neighbours = int(plan.options["own_neighbours"])
    others = np.flatnonzero(panel.treated == 0)
    count = min(max(neighbours, 1), len(others) - 1)
    mean = _mean_of_nearest(panel, plan, pairs, (reused, others), count)
    deviation = (panel.y[reused] - mean) * math.sqrt(count / (count + 1))
    if neighbours:
        return deviation
    spread = math.sqrt(float((pairs.share * off**2).sum() / pairs.share.sum()) / 2)
    return np.where(deviation < 0, -spread, spread)


def _mean_of_nearest(panel: Panel, plan: Plan, pairs: Pairs, people: tuple, count: int) -> np.ndarray:
    """Mean outcome of the nearest others in the comparison."""
    reused, others = people
    if plan.options["distance"] == "mahalanobis":
        space = whitened(panel)
        room = Space(space[others], pairs.line[others], None)
        _, partner = again_in_space(space[reused], room, count + 1, pairs.line[reused])
    else:
        _, partner = again_on_line(pairs.line[reused], pairs.line[others], count + 1, None)
    partner = others[partner].reshape(len(reused), count + 1)
    mine = partner == reused[:, None]
    mine[~mine.any(axis=1), -1] = True  # among many equal ones oneself may not be listed: the last goes
    return panel.y[partner[~mine].reshape(len(reused), count)].mean(axis=1)


def _freedom(panel: Panel, pairs: Pairs, rows: np.ndarray) -> float:
    """Welch's degrees of freedom of the two arms' parts; the comparison counts by its effective size."""
    comparison = panel.treated == 0
    size = max(effective_size(pairs.used(len(rows))[comparison]) - 1, 1.0)
    parts = [(float((rows[~comparison] ** 2).sum()), len(np.unique(pairs.one)) - 1.0)]
    parts.append((float((rows[comparison] ** 2).sum()), size))
    total = sum(part for part, _ in parts)
    return total**2 / sum(part**2 / df for part, df in parts) if total > 0 else size


def _by_cluster(panel: Panel, pairs: Pairs, expected: np.ndarray) -> tuple[np.ndarray, float]:
    """Weighted residuals of the two arms, to be summed by cluster."""
    used = pairs.used(len(panel.y))
    rows = np.zeros(len(used))
    for arm, sign in ((1.0, 1.0), (0.0, -1.0)):
        mine = panel.treated == arm
        left = panel.y[mine] - expected[mine]
        rows[mine] = sign * used[mine] * (left - (used[mine] @ left) / used[mine].sum()) / used[mine].sum()
    factor, df = allow_for_size(panel, rows, used, ())
    return rows * factor, df
