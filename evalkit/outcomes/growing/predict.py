"""Random effects of persons and clusters, as far as the data tell them (EBLUP)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalkit.outcomes.growing.design import CONSTANT, Design
from evalkit.outcomes.growing.fit import Fit, is_singular
from evalkit.outcomes.growing.likelihood import apply
from evalkit.outcomes.growing.sums import Array


def effects(design: Design, found: Fit) -> dict[str, pd.DataFrame]:
    """Predict the random effects of every person and cluster.

    Parameters
    ----------
    design : Design
        Whose they are.
    found : Fit
        The optimum.

    Returns
    -------
    dict of str to DataFrame
        By column: a row per id, a column per random term, in the outcome's unit and the time given.
    """
    asked = design.asked
    people, clusters = predictions(found)
    result = {asked.person: _table(people, design.people, asked.levels[0], asked.time)}
    if asked.cluster is not None and asked.levels[1] != "none":
        result[asked.cluster] = _table(clusters, design.clusters, asked.levels[1], asked.time)
    return result


def predictions(found: Fit) -> tuple[Array, Array]:
    """Random effects as arrays.

    Parameters
    ----------
    found : Fit
        The optimum.

    Returns
    -------
    people, clusters : ndarray, shapes (q, persons) and (q, clusters)
        Relative covariance times Z'V^-1 r.
    """
    sums, point = found.sums, found.point
    turned = np.append(-point.beta, 1.0)
    above = apply(point.k2, (point.pulled @ turned)[:, :, None])[:, :, 0]
    rest = sums.c @ turned
    if sums.group is not None:
        rest = rest - apply(sums.a[:, :, sums.pattern], above[:, sums.group, None])[:, :, 0]
    own = apply(point.k[:, :, sums.pattern], rest[:, :, None])[:, :, 0]
    back = sums.unit * sums.back
    return back @ own, back @ above


def _table(values: Array, ids: pd.Index, kind: str, time: str | None) -> pd.DataFrame:
    terms = [CONSTANT, str(time)][: 2 if kind == "slope" else 1]
    return pd.DataFrame(values[: len(terms)].T, index=ids, columns=terms)


def on_edge(design: Design, found: Fit) -> list[str]:
    """Columns of the levels whose covariance lies on its edge."""
    names = [design.asked.person, design.asked.cluster]
    return [str(names[level]) for level in (0, 1) if is_singular(found.theta, found.entries, level)]
