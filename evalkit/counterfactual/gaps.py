"""What an adjustment leaves open: people whose covariates are missing, and units that are estimated themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.registry import find_estimator
from evalkit.errors import Flag

MUCH_MISSING = 0.05
LARGE_EFFECT = 0.5  # of a standard deviation


def missing_shares(covariates: pd.DataFrame) -> dict[str, float]:
    """Say how much of each covariate is missing.

    Parameters
    ----------
    covariates : DataFrame, shape (n, k)
        As they were given.

    Returns
    -------
    dict
        Name to share of people, only where anything is missing.
    """
    shares = covariates.isna().mean()
    return {str(name): float(share) for name, share in shares.items() if share > 0}


def largest_difference(found: Estimate) -> float | None:
    """The largest standardised difference after adjustment, where people without a covariate keep theirs.

    A mean in a gap and a mark beside it balance the mark, not what is missing: for the share of people who lack the
    covariate the arms are taken to differ as they did before.

    Parameters
    ----------
    found : Estimate
        With balance and diagnostics.

    Returns
    -------
    float or None
        In standard deviations; None where the estimator shows no balance and nothing is missing.
    """
    worst = [found.diagnostics["max_smd_after"]] if "max_smd_after" in found.diagnostics else []
    table = found.balance
    for name, share in found.diagnostics.get("missing_covariates", {}).items():
        if table is None or "smd_before" not in table:
            continue
        rows = table[[row == name or str(row).startswith(f"{name} ") for row in table.index]]
        after = rows["smd_after"].abs() if "smd_after" in rows else 0.0
        worst += (after + share * rows["smd_before"].abs()).dropna().tolist()
    return float(np.max(worst)) if worst else None


def gap_flags(found: Mapping[str, Estimate], randomised: bool) -> list[Flag]:
    """Say where people without a covariate are not adjusted for it.

    Parameters
    ----------
    found : dict
        Estimates by outcome.
    randomised : bool
        Whether chance decided who was treated: then nothing needs adjusting for.

    Returns
    -------
    list of Flag
        Serious, one per outcome concerned; empty where every cause is known or chance decided.
    """
    flags = []
    for name, estimated in found.items():
        if randomised or find_estimator(estimated.estimator).assumes != "no unmeasured causes":
            continue
        shares = estimated.diagnostics.get("missing_covariates", {})
        much = {covariate: share for covariate, share in shares.items() if share > MUCH_MISSING}
        if not much:
            continue
        text = f"People without {words.listed(list(much))} are not adjusted for it."
        parts = [f"{covariate} is missing for about {5 * round(20 * share)}%" for covariate, share in much.items()]
        flags.append(Flag("counterfactual", "serious", text, f"{words.listed(parts)} of those analysed.", name))
    return flags


def unit_flags(found: Estimate, told: Mapping[str, Any]) -> list[Flag]:
    """Say that a large effect in standard deviations is less certain than its interval.

    Parameters
    ----------
    found : Estimate
        Of an index.
    told : dict
        What the outcome is; ``kind`` "domain" for an index.

    Returns
    -------
    list of Flag
        A note, where the effect is above half a standard deviation.
    """
    if told["kind"] != "domain" or not abs(found.effect) > LARGE_EFFECT or found.influence is None:
        return []
    text = "The effect is in the reference's standard deviation, which is estimated too; the interval leaves that out."
    return [Flag("counterfactual", "note", text)]
