"""Degrees of freedom where an arm is small: its own people, not everybody's, say how sure its mean is."""

from __future__ import annotations

import numpy as np

from evalkit.counterfactual.panel import Panel
from evalkit.linear import Fit, degrees_of_freedom

SMALL_ARM = 50  # people from which on Student's t is near enough to the normal whichever are counted
SINGLE = ("hc2", "hc3")


def freedom(panel: Panel, fit: Fit, contrast: np.ndarray, se: str, cluster: np.ndarray | None) -> float:
    """Degrees of freedom of a regression's effect, with Satterthwaite's where an arm has fewer than 50 people.

    Parameters
    ----------
    panel : Panel
        Who was analysed, a row each.
    fit : Fit
        The regression.
    contrast : ndarray, shape (k,)
        The effect's place among its coefficients.
    se : str
        Kind of standard error.
    cluster : ndarray of int, shape (n,), or None
        Cluster codes.

    Returns
    -------
    float
        Those of `evalkit.linear.degrees_of_freedom`; of "hc2" and "hc3" with a small arm no more than Satterthwaite's
        (with 20 treated and 2,000 others about 19, where n - k says 2,018).

    References
    ----------
    Bell and McCaffrey (2002), Survey Methodology 28, 169-181; Imbens and Kolesar (2016), Review of Economics and
    Statistics 98, 701-712.
    """
    usual = degrees_of_freedom(fit, contrast, se, cluster)
    smaller = min(int((panel.treated == arm).sum()) for arm in (0.0, 1.0))
    if cluster is not None or se not in SINGLE or smaller >= SMALL_ARM:
        return usual
    return min(usual, _satterthwaite(fit, contrast))


def _satterthwaite(fit: Fit, contrast: np.ndarray) -> float:
    """Of the sum of squared contributions of HC2 under independent errors of one variance."""
    pull = fit.x @ (fit.bread @ contrast)
    room = 1 - np.einsum("ij,jk,ik->i", fit.x, fit.bread, fit.x)
    weight = np.where(room > 1e-10, pull**2 / np.maximum(room, 1e-10), 0.0)
    crossed = (fit.x * weight[:, None]).T @ fit.x @ fit.bread
    top = float((weight * room).sum())
    bottom = float((weight**2 * (2 * room - 1)).sum() + (crossed * crossed.T).sum())
    return max(top**2 / bottom, 1.0) if bottom > 1e-12 * top**2 else 1.0
