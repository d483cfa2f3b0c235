"""Who stands beside whom: pairs of treated and comparison people, made and checked."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from evalkit.counterfactual.matched.space import Space, again_in_space, nearest_in_space
from evalkit.counterfactual.neighbours import again_on_line, nearest_on_line
from evalkit.counterfactual.panel import Panel, Plan
from evalkit.counterfactual.scores import Score
from evalkit.errors import EstimationError, did_you_mean, several

DISTANCES = ("score", "logit", "mahalanobis")
TIES = ("first", "all")
OUTSIDE = "a matched pair lies outside the caliper; this is a fault of evalkit, please report it."
DIFFERS = "a matched pair differs where it must agree; this is a fault of evalkit, please report it."
TWICE = "a comparison person was used twice without replacement; this is a fault of evalkit, please report it."
AGAIN = "a treated person got the same comparison person twice; this is a fault of evalkit, please report it."


@dataclass(frozen=True, eq=False)
class Pairs:
    """Matched pairs, sorted by the treated person, then by the comparison person.

    Parameters
    ----------
    one, none : ndarray of int, shape (pairs,)
        Rows of the treated and of the comparison person.
    share : ndarray, shape (pairs,)
        The comparison person's part in the treated person's counterfactual; adds up to 1 for each treated person.
    distance : ndarray, shape (pairs,)
        On the distance used: in units of the score or logit, or Mahalanobis'.
    line : ndarray, shape (n,)
        What the caliper is on: the score, or the logit.
    width : float or None
        The caliper in units of the line.
    """

    one: np.ndarray
    none: np.ndarray
    share: np.ndarray
    distance: np.ndarray
    line: np.ndarray
    width: float | None

    def used(self, n: int, power: int = 1) -> np.ndarray:
        """How much each row is used: 1 for matched treated, the sum of its (squared) shares for the comparison."""
        total = np.bincount(self.none, self.share**power, minlength=n)
        total[self.one] = 1.0
        return total


def check_options(plan: Plan) -> None:
    """Distances and ties that are known, calipers above 0, whole ratios.

    Parameters
    ----------
    plan : Plan
        With the options of "matching".

    Raises
    ------
    EstimationError
        All that is wrong, at once.
    """
    option, problems = plan.options, []
    for name, known in (("distance", DISTANCES), ("ties", TIES)):
        if option[name] not in known:
            problems.append(f'{name} = "{option[name]}" is not known. {did_you_mean(option[name], known)}')
    caliper = option["caliper"]
    if caliper is not None and not (_number(caliper) and caliper > 0):
        problems.append("caliper must be above 0, in standard deviations of the distance over all people.")
    if not (isinstance(option["ratio"], int) and not isinstance(option["ratio"], bool) and option["ratio"] >= 1):
        problems.append("ratio must be a whole number, 1 or more.")
    if option["ties"] == "all" and not option["replacement"]:
        problems.append('ties = "all" needs replacement = True: without it nobody can be shared.')
    if plan.se == "abadie-imbens" and not option["replacement"]:
        problems.append('se = "abadie-imbens" is for replacement = True; without it use "pairs".')
    if not (_number(option["tolerance"]) and option["tolerance"] >= 0):
        problems.append("tolerance must be 0 or more, in squared standard deviations of the distance.")
    if not (isinstance(option["own_neighbours"], int) and option["own_neighbours"] >= 0):
        problems.append("own_neighbours must be a whole number, 0 or more.")
    if problems:
        raise EstimationError(several("matching", problems))


def _number(value: object) -> bool:
    """Whether it is a number and not a yes or no."""
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def pair_up(panel: Panel, plan: Plan, score: Score) -> Pairs:
    """Match, and make sure that what was promised holds.

    Parameters
    ----------
    panel, plan, score : Panel, Plan, Score
        People, options, scores.

    Returns
    -------
    Pairs
        Of everybody who found somebody.

    Raises
    ------
    EstimationError
        Fewer than two treated people found somebody; or a fault of the matcher.
    """
    line = score.probability if plan.options["distance"] == "score" else score.logit
    caliper = plan.options["caliper"]
    width = None if caliper is None else float(caliper) * float(line.std(ddof=1))
    space = whitened(panel) if plan.options["distance"] == "mahalanobis" else line
    groups = exact_groups(panel, plan)
    parts = []
    for one, none in _sides(panel, groups):
        who, partner = _matched(panel, plan, (score.probability, line, space, width), one, none)
        parts.append((one[who], none[partner]))
    ones, nones = (np.concatenate([part[side] for part in parts] or [np.zeros(0, int)]) for side in (0, 1))
    order = np.lexsort((nones, ones))
    ones, nones = ones[order], nones[order]
    share = 1 / np.bincount(ones, minlength=len(line))[ones]
    gap = space[ones] - space[nones]
    distance = np.abs(gap) if space.ndim == 1 else np.sqrt((gap**2).sum(axis=1))
    pairs = Pairs(ones, nones, share, distance, line, width)
    check_pairs(pairs, groups, bool(plan.options["replacement"]))
    return pairs


def _sides(panel: Panel, groups: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows of treated and comparison people, group by group where both are there."""
    order = np.argsort(groups, kind="stable")
    found = []
    for rows in np.split(order, np.flatnonzero(np.diff(groups[order])) + 1):
        one, none = rows[panel.treated[rows] == 1], rows[panel.treated[rows] == 0]
        if len(one) and len(none):
            found.append((one, none))
    return found


def exact_groups(panel: Panel, plan: Plan) -> np.ndarray:
    """Number the combinations of values that must agree.

    Parameters
    ----------
    panel, plan : Panel, Plan
        ``exact`` in the options: a column or several.

    Returns
    -------
    ndarray of int, shape (n,)
        All 0 where nothing must agree; missing agrees with missing.
    """
    given = plan.options["exact"]
    exact = (
        list(given) if isinstance(given, Collection) and not isinstance(given, str) else [given] * (given is not None)
    )
    for name in exact:
        if name not in panel.frame:
            raise EstimationError(
                f'exact names "{name}", which is no column. {did_you_mean(name, panel.frame.columns)}'
            )
    if not exact:
        return np.zeros(len(panel.y), int)
    found = panel.frame[exact].astype(object).where(panel.frame[exact].notna(), None).astype(str)
    return found.groupby(exact, sort=True, dropna=False).ngroup().to_numpy()


def _matched(
    panel: Panel, plan: Plan, numbers: tuple, one: np.ndarray, none: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of one group, as places among its treated and its comparison people."""
    probability, line, space, width = numbers
    ratio = plan.options["ratio"]
    slack = _slack(plan, space) if plan.options["ties"] == "all" else None
    if plan.options["distance"] != "mahalanobis":
        if plan.options["replacement"]:
            return again_on_line(line[one], line[none], ratio, width, slack)
        found = nearest_on_line(line[one], line[none], _turns(panel.person[one], probability[one]), ratio, width)
    else:
        room = Space(space[none], line[none], width)
        if plan.options["replacement"]:
            return again_in_space(space[one], room, ratio, line[one], slack)
        found = nearest_in_space(space[one], room, _turns(panel.person[one], probability[one]), ratio, line[one])
    who, turn = np.nonzero(found >= 0)
    return who, found[who, turn]


def _slack(plan: Plan, space: np.ndarray) -> float:
    """The tolerance for ties in squared units of the distance."""
    scale = float(space.var(ddof=1)) if space.ndim == 1 else 1.0
    return float(plan.options["tolerance"]) * scale


def _turns(person: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Largest score first; among equal scores by ascending id, numbers within ids by their value."""
    names = [[(part.zfill(20) if part.isdigit() else part) for part in re.split(r"(\d+)", name)] for name in person]
    rank = np.empty(len(person), int)
    rank[sorted(range(len(person)), key=names.__getitem__)] = np.arange(len(person))
    return np.lexsort((rank, -score))


def whitened(panel: Panel) -> np.ndarray:
    """Covariates in which the covariance within arms is the unit matrix.

    Parameters
    ----------
    panel : Panel
        The people.

    Returns
    -------
    ndarray, shape (n, k)
        Euclidean distances here are Mahalanobis distances; equal rows have equal bits.
    """
    x = panel.x.to_numpy()
    scale = x.std(axis=0)
    x = (x - x.mean(axis=0)) / scale
    means = [x[panel.treated == arm].mean(axis=0) for arm in (0, 1)]
    centred = x - np.where(panel.treated[:, None] == 1, means[1], means[0])
    values, vectors = np.linalg.eigh(centred.T @ centred / (len(x) - 2))
    keep = values > 1e-12 * values.max()
    turned = vectors[:, keep] / np.sqrt(values[keep])
    result = np.zeros((len(x), turned.shape[1]))
    for column, slopes in zip(x.T, turned, strict=True):
        result += column[:, None] * slopes
    return result


def check_pairs(pairs: Pairs, groups: np.ndarray, replacement: bool) -> None:
    """Hold every pair to what was promised: caliper, exact agreement, different people; and that there are pairs.

    Parameters
    ----------
    pairs : Pairs
        What the matcher found.
    groups : ndarray of int, shape (n,)
        Rows that may be matched with each other have the same number.
    replacement : bool
        Whether comparison people may be shared.

    Raises
    ------
    EstimationError
        Fewer than two treated people found somebody; or a fault of the matcher.
    """
    if len(np.unique(pairs.one)) < 2 or len(np.unique(pairs.none)) < 2:
        raise EstimationError(
            "fewer than two treated people found a comparison person, or all found the same one. Widen the caliper or "
            "match exactly on less."
        )
    gap = np.abs(pairs.line[pairs.one] - pairs.line[pairs.none])
    if pairs.width is not None and (gap > pairs.width).any():
        raise EstimationError(OUTSIDE)
    if (groups[pairs.one] != groups[pairs.none]).any():
        raise EstimationError(DIFFERS)
    if not replacement and len(np.unique(pairs.none)) < len(pairs.none):
        raise EstimationError(TWICE)
    if len(np.unique(pairs.one * len(groups) + pairs.none)) < len(pairs.one):
        raise EstimationError(AGAIN)
