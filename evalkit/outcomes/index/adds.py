"""What each measure of a domain adds: the index without it, set against its cost in money and burden."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from evalkit.errors import DataError, EstimationError, did_you_mean
from evalkit.linear import least_squares, row_contributions
from evalkit.outcomes.index.clustering import cluster_index
from evalkit.outcomes.index.units import arms_of, codes_of, matrix, members, need_clusters, signs_of
from evalkit.outcomes.index.weights import pair_sums, positive_definite

Array = np.ndarray


def what_each_adds(
    frame: pd.DataFrame,
    measures: Sequence[str],
    treated: pd.Series | Array,
    reference: pd.Series | Array,
    cluster: pd.Series | Array | None = None,
    polarity: Mapping[str, object] | None = None,
    cost: Mapping[str, float] | None = None,
    minutes: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Leave out each measure in turn and see what is lost.

    Parameters
    ----------
    frame : DataFrame, shape (n_persons, ...)
        One row per person.
    measures : sequence of str
        Two columns or more.
    treated : Series or array, shape (n_persons,)
        1 treated, 0 comparison; those with neither count for the covariance only.
    reference : Series or array of bool, shape (n_persons,)
        Whose mean and SD define the unit.
    cluster : Series or array, shape (n_persons,), optional
        With it standard errors are CR2, else HC2.
    polarity : mapping, optional
        As in `cluster_index`.
    cost : mapping, optional
        Money for one reading, by measure.
    minutes : mapping, optional
        Minutes one reading takes from those who answer, by measure.

    Returns
    -------
    DataFrame
        A row per measure: ``measure``; ``n`` (readings); ``weight`` (in the inverse-covariance index);
        ``effect``, ``se`` (of the index of all measures, in SD of the reference); ``effect_alone``, ``se_alone``
        (the measure by itself); ``effect_without``, ``se_without`` (the index of the others); ``n_without`` (persons
        who then have an index); ``precision``, ``precision_without`` (1/se^2 of the weighted mean of the z-scores:
        how precisely a shift common to all measures is told, with it and without it); ``precision_added`` (the share
        that is lost without it; below 0 where the others alone are more precise); ``correlation_without`` (of the
        index with and without it); ``unique`` (share of its variance that the others do not explain, 1 - R^2); ``cost``
        and ``minutes`` for one reading, ``cost_all`` and ``hours_all`` for all of them, ``precision_per_cost`` (added
        precision per unit of money) and ``precision_per_hour``. Missing where no cost was given. Counts are of people:
        let `disclosure.protect` see the table before it leaves.

    Raises
    ------
    DataError, EstimationError
        As in `cluster_index`; a cost for an unknown measure or below zero; an arm without anyone or in one cluster.

    Notes
    -----
    Precision is judged on the weighted mean of z-scores, not on ``scaled``: that has SD 1 whatever it is made of, so
    its standard error hardly knows how many measures stand behind it.

    A measure may be worth its cost although it adds no precision: because it is what was promised, or because only it
    speaks of something that matters. ``unique`` near 1 says that nothing else here does.

    References
    ----------
    Anderson (2008), JASA 103, 1481-1495, section 3.2, on why a measure that repeats others adds little.
    """
    names = list(measures)
    prices = {what: _prices(given, names, what) for what, given in (("cost", cost), ("minutes", minutes))}
    arms, inside = arms_of(treated, frame.index), members(reference, frame.index, "reference")
    codes = None if cluster is None else codes_of(cluster, frame.index, "cluster")
    options = (inside, "icw", "full", polarity)
    whole = cluster_index(frame, names, *options)  # type: ignore[arg-type]
    effect, se = _difference(whole.scaled.to_numpy(), arms, codes)
    precision = _difference(whole.values.to_numpy(), arms, codes)[1] ** -2
    alone = (matrix(frame, names) - whole.mean.to_numpy()) * (whole.polarity / whole.sd).to_numpy()
    unique = _unique(alone)
    rows = []
    for place, name in enumerate(names):
        rest = [other for other in names if other != name]
        mean, without = _index_of(frame, rest, inside, polarity)
        by_itself, lesser = _difference(alone[:, place], arms, codes), _difference(without, arms, codes)
        left = _difference(mean, arms, codes)[1] ** -2
        both = ~np.isnan(without) & whole.values.notna().to_numpy()
        rows.append({
            "measure": name, "n": int((~np.isnan(alone[:, place])).sum()), "weight": whole.weights[name],
            "effect": effect, "se": se, "effect_alone": by_itself[0], "se_alone": by_itself[1],
            "effect_without": lesser[0], "se_without": lesser[1], "n_without": int((~np.isnan(without)).sum()),
            "precision": precision, "precision_without": left, "precision_added": 1 - left / precision,
            "correlation_without": float(np.corrcoef(whole.values[both], without[both])[0, 1]), "unique": unique[place],
        })  # fmt: skip
    return _priced(pd.DataFrame(rows), prices)


def _prices(given: Mapping[str, float] | None, names: list[str], what: str) -> dict[str, float]:
    for name, price in (given or {}).items():
        if name not in names:
            raise DataError(f'{what} names "{name}", which is not among the measures. {did_you_mean(name, names)}')
        if price is not None and not price >= 0:
            raise DataError(f'{what} of "{name}" must be 0 or more.')
    return {name: float(price) for name, price in (given or {}).items() if price is not None}


def _index_of(
    frame: pd.DataFrame, names: list[str], inside: Array, polarity: Mapping[str, object] | None
) -> tuple[Array, Array]:
    """The index of some measures, as it is and scaled; of one, the measure itself in units of the reference."""
    signs = {name: sign for name, sign in (polarity or {}).items() if name in names}
    if len(names) > 1:
        found = cluster_index(frame, names, inside, polarity=signs)
        return found.values.to_numpy(), found.scaled.to_numpy()
    raw = matrix(frame, names)
    mean, sd = pair_sums(raw, inside).unit
    alone = ((raw - mean) / sd)[:, 0] * signs_of(names, signs)[0]
    return alone, alone


def _difference(values: Array, treated: Array, codes: Array | None) -> tuple[float, float]:
    """Difference of means between arms and its standard error (HC2, with clusters CR2)."""
    seen = ~np.isnan(values) & ~np.isnan(treated)
    if min((treated[seen] == 1).sum(), (treated[seen] == 0).sum()) < 2:
        raise EstimationError("An arm has fewer than two people with a value, so what a measure adds is not defined.")
    x = np.column_stack([treated[seen], np.ones(seen.sum())]).astype(float)
    fit = least_squares(values[seen], x)
    if codes is None:
        parts = row_contributions(fit, np.array([1.0, 0.0]), "hc2")
    else:
        inside = np.unique(codes[seen], return_inverse=True)[1]
        need_clusters(treated[seen], inside)
        parts = np.bincount(inside, row_contributions(fit, np.array([1.0, 0.0]), "cr2", inside))
    return float(fit.beta[0]), float(np.sqrt((parts**2).sum()))


def _unique(z: Array) -> Array:
    """Share of each measure's variance that the others do not explain, from the pairwise covariance."""
    spreads = pair_sums(z, np.ones(len(z), dtype=bool)).covariance
    return 1 / (np.diag(spreads) * np.diag(np.linalg.inv(positive_definite(spreads)[0])))


def _priced(table: pd.DataFrame, prices: dict[str, dict[str, float]]) -> pd.DataFrame:
    """Beside what a measure adds, what it costs."""
    cost, minutes = (table["measure"].map(prices[what]).astype(float) for what in ("cost", "minutes"))
    gained = table["precision"] - table["precision_without"]
    found = table.assign(cost=cost, minutes=minutes, cost_all=cost * table["n"], hours_all=minutes * table["n"] / 60)
    for per, whole in (("precision_per_cost", "cost_all"), ("precision_per_hour", "hours_all")):
        found[per] = (gained / found[whole].where(found[whole] > 0)).to_numpy()
    return found
