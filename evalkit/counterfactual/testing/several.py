"""How the errors of several estimates go together, from what each person contributes to each."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from evalkit.counterfactual.nouns import Estimate
from evalkit.errors import EstimationError, did_you_mean, several

PARTS = ("effect", "observed", "counterfactual", "baseline")


def joint_covariance(
    estimates: Mapping[str, Estimate], clusters: pd.Series | None = None, part: str = "effect"
) -> pd.DataFrame:
    """Give the covariance of several estimates that share people.

    Parameters
    ----------
    estimates : mapping of str to Estimate
        Of one study, made with the same ``person`` column.
    clusters : Series, optional
        Cluster by person (index the ids as text): the clusters that the estimates were made with. Needed where they
        were made with clusters.
    part : {"effect", "observed", "counterfactual", "baseline"}
        Of which quantity.

    Returns
    -------
    DataFrame, shape (n_estimates, n_estimates)
        Its diagonal is each standard error squared ("wild" and "permutation" have none: that of CR2 or HC2). Estimates
        without contributions of persons have no row and no column.

    Raises
    ------
    EstimationError
        Nothing to work with, estimates with clusters and no ``clusters``, or people without one.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from evalkit.counterfactual.estimating import estimate
    >>> random = np.random.default_rng(1)
    >>> frame = pd.DataFrame({"id": np.arange(40), "arm": [0, 1] * 20, "y": random.normal(size=40)})
    >>> frame["z"] = frame["y"] + 0.1 * random.normal(size=40)
    >>> told = {"treated": "arm", "person": "id"}
    >>> found = {name: estimate(frame, "difference", outcome=name, **told) for name in ("y", "z")}
    >>> joint = joint_covariance(found)
    >>> bool(joint.loc["y", "z"] > 0.9 * joint.loc["y", "y"])
    True
    """
    if part not in PARTS:
        raise EstimationError(f'part = "{part}" is not known. {did_you_mean(part, PARTS)}')
    known = {
        name: e.influence[part] for name, e in estimates.items() if e.influence is not None and part in e.influence
    }
    if not known:
        raise EstimationError("none of these estimates has contributions of persons, so nothing joins them.")
    people = pd.DataFrame(known).fillna(0.0).sort_index()
    groups = _groups(estimates, people.index, clusters)
    sums = people.groupby(groups).sum().to_numpy()
    return pd.DataFrame(sums.T @ sums, index=list(known), columns=list(known))


def _groups(estimates: Mapping[str, Estimate], people: pd.Index, clusters: pd.Series | None) -> np.ndarray:
    """Whose contributions are summed before they are squared."""
    clustered = [name for name, e in estimates.items() if e.n_clusters is not None and e.influence is not None]
    if clusters is None:
        if clustered:
            problem = (
                f"{len(clustered)} were made with clusters. Give them: clusters = frame.set_index(person)[cluster]."
            )
            raise EstimationError(several("the joint covariance", [problem]))
        return np.arange(len(people))
    by_person = pd.Series(np.asarray(clusters), index=clusters.index.astype(str))
    by_person = by_person[~by_person.index.duplicated()]
    found = by_person.reindex(people.astype(str))
    lost = int(found.isna().sum())
    if lost:
        raise EstimationError(f"{lost} people of the estimates have no cluster in clusters. Give one for each.")
    return pd.factorize(found)[0]


def correlation(covariance: pd.DataFrame) -> pd.DataFrame:
    """Turn a covariance into correlations.

    Parameters
    ----------
    covariance : DataFrame, shape (k, k)
        From `joint_covariance`.

    Returns
    -------
    DataFrame, shape (k, k)
        Ones on the diagonal; not a number where an estimate does not vary.
    """
    spread = np.sqrt(np.diag(covariance))
    spread = np.where(spread > 0, spread, math.nan)
    return covariance.div(spread, axis=0).div(spread, axis=1)
