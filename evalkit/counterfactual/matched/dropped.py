"""Whom an analysis leaves out: how the treated without a counterfactual differ from those kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.counterfactual.balances import FAR_APART, balance
from evalkit.counterfactual.panel import Panel
from evalkit.errors import Flag

ENOUGH = 10  # people in each group before their means are compared


def who_was_dropped(panel: Panel, kept: np.ndarray) -> tuple[dict[str, Any], list[Flag]]:
    """Compare the treated who are not in the estimate with those who are.

    Parameters
    ----------
    panel : Panel
        The people.
    kept : ndarray of bool, shape (n,)
        The treated who are in the estimate.

    Returns
    -------
    (dict, list of Flag)
        "who_was_dropped": a table by covariate of mean_kept, mean_dropped and difference in standard deviations of the
        kept, if both groups have ten people or more, else nothing; a caution where they differ by more than 0.25.
    """
    treated = panel.treated == 1
    lost = treated & ~kept
    if lost.sum() < ENOUGH or kept.sum() < ENOUGH or not len(panel.columns.covariates):
        return {}, []
    frame = panel.covariates[treated].assign(**{"(kept)": kept[treated].astype(float)})
    table = balance(frame, "(kept)", list(panel.columns.covariates))
    shown = pd.DataFrame(
        {
            "mean_kept": table["mean_treated"],
            "mean_dropped": table["mean_comparison"],
            "difference": -table["smd_before"],
        }
    )
    far = shown["difference"].abs()
    far = far[far > FAR_APART].sort_values(ascending=False, kind="stable")
    if not len(far):
        return {"who_was_dropped": shown}, []
    names = words.listed([str(name) for name in far.index[:4]])
    text = f"The treated who are not in this estimate differ from those who are in {names}."
    detail = "The effect need not be theirs."
    return {"who_was_dropped": shown}, [Flag("counterfactual", "caution", text, detail)]
