"""How far one person, or one cluster, decides what a regression finds, by what was known of them alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from evalkit import words
from evalkit.errors import Flag
from evalkit.linear import Fit

MUCH = 0.5  # of a person's own fitted value, or of all that tells the effect
Array = np.ndarray


def leverage_of(fit: Fit, contrast: Array, cluster: Array | None) -> tuple[dict[str, Any], list[Flag]]:
    """Find the largest leverage, and the largest share of what tells the effect.

    Parameters
    ----------
    fit : Fit
        The regression.
    contrast : ndarray, shape (k,)
        Of the effect.
    cluster : ndarray of int, shape (n,), or None
        Clusters, where there are any: the share is then of a cluster.

    Returns
    -------
    (dict, list of Flag)
        max_leverage (of a person: how far the fitted value follows his or her own outcome, 0 to 1), max_share (of a
        person or cluster: the part of the effect's information that it holds); a caution where either is above half.

    References
    ----------
    Belsley, Kuh and Welsch (1980), Regression Diagnostics, chapter 2, for leverage and partial leverage.
    """
    own = np.einsum("ij,jk,ik->i", fit.x, fit.bread, fit.x)
    pull = (fit.x @ (fit.bread @ contrast)) ** 2
    parts = pull if cluster is None else np.bincount(cluster, pull)
    found = {"max_leverage": float(own.max()), "max_share": float(parts.max() / parts.sum())}
    flags = []
    if found["max_leverage"] > MUCH and len(own) > 2 * fit.x.shape[1]:
        text = "The regression follows one person's outcome: nobody else is like that person in the covariates."
        detail = f"Leverage {words.number(found['max_leverage'], 2)} of 1. Look for a slip in a covariate."
        flags.append(Flag("counterfactual", "caution", text, detail))
    if found["max_share"] > MUCH and len(parts) > 2:
        who = "person" if cluster is None else "cluster"
        text = f"One {who} holds {words.percent(found['max_share'], 0)} of what tells the effect."
        flags.append(Flag("counterfactual", "caution", text, f"Without that {who} the estimate may be another."))
    return found, flags
