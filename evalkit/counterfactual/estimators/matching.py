"""Nearest-neighbour matching without replacement."""

from __future__ import annotations

import math
import re

import numpy as np
import pandas as pd

from evalkit import disclosure
from evalkit.counterfactual.arms import arm_clusters
from evalkit.counterfactual.balances import balance, balance_report
from evalkit.counterfactual.inference import conclude
from evalkit.counterfactual.neighbours import nearest_in_space, nearest_on_line
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.panel import Panel, Plan, codes
from evalkit.counterfactual.registry import estimator
from evalkit.counterfactual.scores import Score, propensity
from evalkit.errors import EstimationError, Flag, did_you_mean
from evalkit.linear import least_squares, row_contributions

Side = tuple[np.ndarray, np.ndarray, np.ndarray]  # rows of the treated, of the comparison, and whose turn it is
DISTANCES = ("score", "logit", "mahalanobis")


@estimator(
    "matching",
    options={"distance": "score", "caliper": None, "ratio": 1, "replacement": False, "exact": (), "adjust": False},
    se=("pairs",),
    clustered_se="pairs",
    says="each treated person beside the most similar comparison person",
)
def matching(panel: Panel, plan: Plan) -> Estimate:
    """Largest score first, nearest comparison left, ties by ascending id; standard error clustered by matched set.

    With clusters, two-way by set and cluster (Cameron, Gelbach and Miller 2011), never below either one-way.
    """
    _check_options(plan)
    score = propensity(panel)
    sets = _match(panel, plan, score)
    kept = np.flatnonzero(sets >= 0)
    weights = _weights(panel, sets)
    effect, rows = _contrast(panel, plan, sets, weights, kept)
    rows, df = _carried(panel, rows, sets, kept)
    table = balance(
        panel.covariates.assign(**{"(treated)": panel.treated}), "(treated)", list(panel.columns.covariates), weights
    )
    found, flags = balance_report(table)
    matched = sets >= 0
    treated = matched & (panel.treated == 1)
    observed = float(panel.y[treated].mean())
    spread = np.where(treated, panel.y - observed, 0.0) / treated.sum() * math.sqrt(treated.sum() / (treated.sum() - 1))
    return conclude(
        panel,
        plan,
        effect,
        {"effect": rows, "observed": spread},
        df,
        observed=observed,
        analysed=matched,
        n_treated=int(treated.sum()),
        n_comparison=int((matched & (panel.treated == 0)).sum()),
        balance=table,
        diagnostics={"pairs": int(treated.sum()), "weights": _named(panel, weights), **found},
        flags=[*_unmatched(panel, treated), *flags],
    )


def _check_options(plan: Plan) -> None:
    """Distances that are known, calipers above 0, whole ratios."""
    option = plan.options
    if option["distance"] not in DISTANCES:
        raise EstimationError(
            f'distance = "{option["distance"]}" is not known. {did_you_mean(option["distance"], DISTANCES)}'
        )
    if option["replacement"]:
        raise EstimationError(
            "matching here is without replacement. Leave replacement out, or use ipw or aipw, which use everybody."
        )
    if option["caliper"] is not None and not option["caliper"] > 0:
        raise EstimationError("caliper must be above 0, in standard deviations of the distance over all people.")
    if not (isinstance(option["ratio"], int) and option["ratio"] >= 1):
        raise EstimationError("ratio must be a whole number, 1 or more.")


def _exact_groups(panel: Panel, plan: Plan) -> np.ndarray:
    """Codes of the combinations that must agree."""
    exact = [plan.options["exact"]] if isinstance(plan.options["exact"], str) else list(plan.options["exact"])
    for name in exact:
        if name not in panel.frame:
            raise EstimationError(
                f'exact names "{name}", which is no column. {did_you_mean(name, panel.frame.columns)}'
            )
    if not exact:
        return np.zeros(len(panel.y), int)
    return codes(panel.frame[exact].astype(str).agg("\x1f".join, axis=1))


def _match(panel: Panel, plan: Plan, score: Score) -> np.ndarray:
    """The matched set of each row; -1 for those unmatched."""
    line = score.logit if plan.options["distance"] == "logit" else score.probability
    caliper = plan.options["caliper"]
    width = None if caliper is None else float(caliper) * line.std(ddof=1)
    groups = _exact_groups(panel, plan)
    sets = np.full(len(panel.y), -1)
    for group in range(groups.max() + 1):
        one = np.flatnonzero((groups == group) & (panel.treated == 1))
        none = np.flatnonzero((groups == group) & (panel.treated == 0))
        if not len(one) or not len(none):
            continue
        order = _turns(panel.person[one], score.probability[one])
        found = _neighbours(panel, plan, line, width, (one, none, order))
        for person, partners in zip(one, found, strict=True):
            if partners[0] >= 0:
                sets[person] = person
                sets[none[partners[partners >= 0]]] = person
    _check_matches(panel, sets, line, width, groups)
    return sets


def _turns(person: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Largest score first; among equal scores by ascending id, numbers within ids by their value."""
    names = [[(part.zfill(20) if part.isdigit() else part) for part in re.split(r"(\d+)", name)] for name in person]
    rank = np.empty(len(person), int)
    rank[sorted(range(len(person)), key=names.__getitem__)] = np.arange(len(person))
    return np.lexsort((rank, -score))


def _neighbours(panel: Panel, plan: Plan, line: np.ndarray, width: float | None, people: Side) -> np.ndarray:
    """Partners of the treated of one group by the distance wanted."""
    one, none, order = people
    ratio = plan.options["ratio"]
    if plan.options["distance"] != "mahalanobis":
        return nearest_on_line(line[one], line[none], order, ratio, width)
    space = _whitened(panel)
    allowed = None if width is None else np.abs(line[one][:, None] - line[none][None, :]) <= width
    return nearest_in_space(space[one], space[none], order, ratio, allowed)


def _whitened(panel: Panel) -> np.ndarray:
    """Covariates in which the covariance within arms is the unit matrix."""
    x = panel.x.to_numpy()
    means = [x[panel.treated == arm].mean(axis=0) for arm in (0, 1)]
    centred = x - np.where(panel.treated[:, None] == 1, means[1], means[0])
    values, vectors = np.linalg.eigh(centred.T @ centred / (len(x) - 2))
    keep = values > 1e-12 * values.max()
    return x @ vectors[:, keep] / np.sqrt(values[keep])


def _check_matches(panel: Panel, sets: np.ndarray, line: np.ndarray, width: float | None, groups: np.ndarray) -> None:
    """What was promised holds: caliper, exact agreement, nobody used twice; and there are pairs."""
    partner = np.flatnonzero((sets >= 0) & (panel.treated == 0))
    if len(partner) < 2 or len(np.unique(sets[partner])) < 2:
        raise EstimationError(
            "fewer than two treated people found a comparison person. Widen the caliper or match exactly on less."
        )
    if width is not None and (np.abs(line[partner] - line[sets[partner]]) > width).any():
        raise EstimationError(
            "a matched pair lies outside the caliper; this is a fault of the matcher, please report it."
        )
    if (groups[partner] != groups[sets[partner]]).any():
        raise EstimationError(
            "a matched pair differs where it must agree; this is a fault of the matcher, please report it."
        )


def _weights(panel: Panel, sets: np.ndarray) -> np.ndarray:
    """1 for matched treated, 1 over the set's comparison people for these, 0 for others."""
    comparison = (sets >= 0) & (panel.treated == 0)
    sizes = np.bincount(sets[comparison], minlength=len(sets))
    weights = ((sets >= 0) & (panel.treated == 1)).astype(float)
    weights[comparison] = 1 / sizes[sets[comparison]]
    return weights


def _contrast(
    panel: Panel, plan: Plan, sets: np.ndarray, weights: np.ndarray, kept: np.ndarray
) -> tuple[float, np.ndarray]:
    """Weighted regression on the matched; HC1-style factor for matched sets as clusters."""
    design = [panel.treated, np.ones(len(sets))]
    if plan.options["adjust"]:
        varies = (panel.x.iloc[kept] != panel.x.iloc[kept[0]]).any(axis=0).to_numpy()
        design.append(panel.x.to_numpy()[:, varies])
    x = np.column_stack(design)[kept]
    root = np.sqrt(weights[kept])
    fit = least_squares(panel.y[kept] * root, x * root[:, None])
    contrast = np.eye(x.shape[1])[0]
    pairs = codes(sets[kept])
    rows = row_contributions(fit, contrast, "cr1s", pairs)
    return float(fit.beta[0]), rows


def _carried(panel: Panel, rows: np.ndarray, sets: np.ndarray, kept: np.ndarray) -> tuple[np.ndarray, float]:
    """Contributions of all rows, and degrees of freedom.

    Without clusters a set's contribution is carried by its treated person, so that sums over people give the
    set-clustered variance. With clusters each person keeps his own, scaled to the two-way variance.
    """
    full = np.zeros(len(sets))
    if panel.cluster is None:
        np.add.at(full, sets[kept], rows)
        return full, float(len(np.unique(sets[kept])) - 1)
    full[kept] = rows
    cluster, pair = panel.cluster[kept], codes(sets[kept])
    both = codes(np.char.add(np.char.add(cluster.astype(str), "/"), pair.astype(str)))
    count = max(2, min(arm_clusters(panel, sets >= 0).values()))  # with 1 no interval is given, see `conclude`
    by_pair, by_cluster, by_both = (float((np.bincount(g, rows) ** 2).sum()) for g in (pair, cluster, both))
    by_cluster *= count / (count - 1)  # the smaller arm's: it has the least to say about clusters
    wanted = max(by_pair + by_cluster - by_both, by_pair, by_cluster)
    now = float((np.bincount(cluster, rows) ** 2).sum())
    return full * math.sqrt(wanted / now) if now > 0 else full, float(min(count, len(np.unique(pair))) - 1)


def _named(panel: Panel, weights: np.ndarray) -> pd.Series:
    """The matching weights by person."""
    return pd.Series(weights, index=pd.Index(panel.person, name="person"), name="weight")


def _unmatched(panel: Panel, treated: np.ndarray) -> list[Flag]:
    """Treated people who found nobody: the effect is then not that of all treated."""
    lost = int((panel.treated == 1).sum() - treated.sum())
    if not lost:
        return []
    share = disclosure.roughly(lost, int((panel.treated == 1).sum()))
    who = f"{share[:1].upper()}{share[1:]} of the treated"
    text = f"{who} found no comparison person near enough and are not in this estimate."
    return [Flag("counterfactual", "caution", text, "The effect is that of the treated who could be matched.")]
