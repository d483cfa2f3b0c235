"""Tables with a known effect, in which an estimator's stated assumptions hold: what intervals are tested in.

Each function draws one table; the true effect stands in ``table.attrs["effect"]``. The same seed gives the same table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.errors import DataError

Array = np.ndarray
SPREAD = 3.0  # standard deviation of the outcome within an arm, given the covariates


def confounded(
    seed: int, treated: int = 150, comparison: int = 1_500, effect: float = 2.0, nonlinear: bool = False
) -> pd.DataFrame:
    """Draw people whom the programme's staff chose by five covariates that also move the outcome.

    Parameters
    ----------
    seed : int
        Of the draw.
    treated, comparison : int
        People in each arm; drawn until both are full.
    effect : float
        Of the programme, the same for everybody.
    nonlinear : bool
        Whether the outcome also follows a square and a product of covariates, which a linear model misses. The logit
        of treatment is linear in the covariates in both.

    Returns
    -------
    DataFrame, shape (treated + comparison, 8)
        person, x1 to x3 (numbers), x4 and x5 (0 or 1), treated, y.

    Raises
    ------
    DataError
        An arm without people.
    """
    _check(treated=treated, comparison=comparison)
    random = np.random.default_rng([seed, 101])
    people = _fill(random, _five_covariates, (treated, comparison))
    x, t = people[:, :5], people[:, 5]
    y = 10 + x @ np.array([2.0, 1.5, -1.0, 1.5, 1.0]) + effect * t + random.normal(0, SPREAD, len(t))
    if nonlinear:
        y = y + x[:, 0] ** 2 + 0.8 * x[:, 0] * x[:, 1]
    return _table(x, t, y, effect)


def rare(seed: int, treated: int = 300, comparison: int = 1_500, effect: float = -0.04) -> pd.DataFrame:
    """Draw a yes/no outcome that about one in ten of the comparison have, and a difference in risk.

    Parameters
    ----------
    seed : int
        Of the draw.
    treated, comparison : int
        People in each arm; drawn until both are full.
    effect : float
        Difference in risk, the same for everybody; from -0.05 to 0.5, so that every risk is one.

    Returns
    -------
    DataFrame, shape (treated + comparison, 6)
        person, x1 and x2 (0 or 1), x3 (from -1 to 1), treated, y (0 or 1). Risk is linear in the covariates, and so is
        the logit of treatment.

    Raises
    ------
    DataError
        An arm without people, or an effect that makes risks impossible.
    """
    _check(treated=treated, comparison=comparison)
    if not -0.05 <= effect <= 0.5:
        raise DataError("effect must lie between -0.05 and 0.5, so that every risk lies between 0 and 1.")
    random = np.random.default_rng([seed, 103])
    people = _fill(random, _three_covariates, (treated, comparison))
    x, t = people[:, :3], people[:, 3]
    risk = 0.07 + x @ np.array([0.03, 0.05, 0.02]) + effect * t
    return _table(x, t, (random.uniform(size=len(t)) < risk).astype(float), effect)


@dataclass(frozen=True)
class Teams:
    """How clusters look.

    Parameters
    ----------
    size : int
        People per treated cluster on average; sizes range from half to one and a half of it.
    ratio : float
        Comparison people for each treated one: within clusters, or by the size of comparison clusters.
    icc : float
        Share of the outcome's variance, given the covariates and within an arm, that lies between clusters.
    lean : float
        By how much the treated's covariates differ, in logits of treatment per standard deviation; 0 if by lot.
    times : int
        1, or 2 for a reading before and one after; then each cluster also has luck of its own in each of them.
    """

    size: int = 30
    ratio: float = 3.0
    icc: float = 0.1
    lean: float = 0.5
    times: int = 1


def clustered(
    seed: int,
    treated_clusters: int = 6,
    comparison_clusters: int = 6,
    within: bool = False,
    effect: float = 2.0,
    teams: Teams | None = None,
    **changes: float,
) -> pd.DataFrame:
    """Draw people who come in clusters: treated within them, or in clusters that are treated whole.

    Parameters
    ----------
    seed : int
        Of the draw.
    treated_clusters, comparison_clusters : int
        Clusters of each arm; with ``within`` their sum counts, and each holds both arms.
    within : bool
        Whether people of both arms share clusters.
    effect : float
        Of the programme, the same for everybody.
    teams : Teams, optional
        Size, ratio, icc, lean, times.
    **changes
        Any of these by name: ``icc=0.05``.

    Returns
    -------
    DataFrame
        person, cluster, x1 (number), x2 (0 or 1), treated, y; with ``times=2`` two rows each and time (0 before, 1
        after). Logit of treatment and outcome are linear in the covariates; with two times the arms also differ in
        level, which differences in differences take out.

    Raises
    ------
    DataError
        Fewer than two clusters, an arm without clusters, or a description that is not known.
    """
    how = _described(teams, changes)
    _check(treated_clusters=treated_clusters, comparison_clusters=comparison_clusters)
    random = np.random.default_rng([seed, 107])
    count = treated_clusters + comparison_clusters
    chosen = np.ones(count, bool) if within else random.permutation(count) < treated_clusters
    sizes = random.integers(max(how.size // 2, 2), how.size + how.size // 2 + 1, count)
    sizes = np.rint(sizes * (1 + how.ratio if within else np.where(chosen, 1.0, how.ratio))).astype(int)
    cluster = np.repeat(np.arange(count), np.maximum(sizes, 2))
    t = _by_lot(random, cluster, 1 / (1 + how.ratio)) if within else chosen[cluster].astype(float)
    x1 = random.normal(size=len(t)) + how.lean * t
    x2 = (random.uniform(size=len(t)) < 1 / (1 + np.exp(0.4 - how.lean * t))).astype(float)
    plain = 10 + 1.5 * x1 + x2
    table = _table(np.column_stack([x1, x2]), t, plain + effect * t, effect)
    table.insert(1, "cluster", [f"c{one:02d}" for one in cluster])
    if how.times == 1:
        return _with_outcome(table, table["y"] + _noise(random, cluster, how.icc))
    level = plain + 1.5 * t + random.normal(0, SPREAD, len(t)) + random.normal(0, 1.0, count)[cluster]
    before = _with_outcome(table.assign(time=0), level + _noise(random, cluster, how.icc))
    after = _with_outcome(table.assign(time=1), level + 1 + effect * t + _noise(random, cluster, how.icc))
    both = pd.concat([before, after], ignore_index=True)
    both.attrs["effect"] = effect
    return both


def _described(teams: Teams | None, changes: dict[str, float]) -> Teams:
    """What clusters look like, with what was named in place."""
    how = Teams() if teams is None else teams
    strange = sorted(set(changes) - set(vars(how)))
    if strange:
        raise DataError(f'clusters have no "{strange[0]}". Known: {", ".join(vars(how))}.')
    made = Teams(**{**vars(how), **changes})
    if not (0 <= made.icc < 1 and made.size >= 2 and made.ratio > 0 and made.times in (1, 2)):
        raise DataError("icc must lie from 0 to below 1, size must be 2 or more, ratio above 0, and times 1 or 2.")
    return made


def _check(**counts: int) -> None:
    """Every arm has somebody."""
    for name, count in counts.items():
        if count < 1:
            raise DataError(f"{name} = {count}: each arm needs one or more.")


def _fill(
    random: np.random.Generator, draw: Callable[[np.random.Generator, int], Array], sizes: tuple[int, int]
) -> Array:
    """People drawn until both arms are full; the last column is the arm, the order that of drawing."""
    kept: list[Array] = []
    have = [0, 0]
    while have[0] < sizes[0] or have[1] < sizes[1]:
        people = draw(random, 2 * sum(sizes))
        for place, (arm, size) in enumerate(zip((1.0, 0.0), sizes, strict=True)):
            taken = people[people[:, -1] == arm][: size - have[place]]
            kept.append(taken)
            have[place] += len(taken)
    return np.concatenate(kept)[random.permutation(sum(sizes))]


def _five_covariates(random: np.random.Generator, n: int) -> Array:
    """Five covariates and the arm they lead to."""
    x = random.normal(size=(n, 5))
    x[:, 4] = x[:, 4] + 0.5 * x[:, 0] > 0.8
    x[:, 3] = x[:, 3] > 0.3
    logit = -2.6 + x @ np.array([0.6, 0.5, -0.4, 0.5, 0.4])
    return np.column_stack([x, random.uniform(size=n) < 1 / (1 + np.exp(-logit))])


def _three_covariates(random: np.random.Generator, n: int) -> Array:
    """Two yes/no covariates, one between -1 and 1, and the arm they lead to."""
    x = np.column_stack([random.uniform(size=(n, 2)) < [0.5, 0.3], random.uniform(-1, 1, n)])
    logit = -2.0 + x @ np.array([0.6, 0.7, 0.4])
    return np.column_stack([x, random.uniform(size=n) < 1 / (1 + np.exp(-logit))])


def _by_lot(random: np.random.Generator, cluster: Array, share: float) -> Array:
    """Arms of people; the first two of each cluster are of either arm."""
    t = (random.uniform(size=len(cluster)) < share).astype(float)
    first = np.flatnonzero(np.diff(cluster, prepend=-1))
    t[first], t[first + 1] = 1.0, 0.0
    return t


def _noise(random: np.random.Generator, cluster: Array, icc: float) -> Array:
    """Luck of clusters and of people, of variance 9 together."""
    shared = random.normal(0, SPREAD * np.sqrt(icc), int(cluster.max()) + 1)
    return shared[cluster] + random.normal(0, SPREAD * np.sqrt(1 - icc), len(cluster))


def _with_outcome(table: pd.DataFrame, y: pd.Series | Array) -> pd.DataFrame:
    """The same people with this outcome, as the last column."""
    made = table.drop(columns="y").assign(y=np.asarray(y))
    made.attrs = dict(table.attrs)
    return made


def _table(x: Array, t: Array, y: Array, effect: float) -> pd.DataFrame:
    """One row per person, ids that sort as they were drawn."""
    width = len(str(len(t)))
    table = pd.DataFrame(
        {
            "person": [f"p{one:0{width}d}" for one in range(len(t))],
            **{f"x{place + 1}": column for place, column in enumerate(x.T)},
            "treated": t.astype(int),
            "y": y,
        }
    )
    table.attrs["effect"] = effect
    return table
