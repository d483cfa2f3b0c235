"""What was found: better, worse, no worthwhile difference, or not clear; from the interval alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evalkit.errors import StudyError, did_you_mean
from evalkit.evidence.comparability import as_number

BETTER, WORSE, NOTHING, UNCLEAR = "better", "worse", "no worthwhile difference", "no clear difference"
KNOWN = (BETTER, WORSE, NOTHING, UNCLEAR)
OTHER_NAMES = {"harm": WORSE, "not effective": NOTHING, "equivalent": NOTHING, "not settled": UNCLEAR}


def finding_of(diagnostics: Mapping[str, Any]) -> str:
    """Judge an interval, or take the finding that was named.

    Parameters
    ----------
    diagnostics : dict
        ``low`` and ``high`` of a difference, ``better`` ("higher" or "lower", default "higher") and
        ``smallest_worthwhile`` (a size, without sign); or ``finding`` itself.

    Returns
    -------
    str
        "better" (the interval lies beyond 0 on the good side and may reach a worthwhile size), "worse" (it lies
        beyond 0 on the bad side), "no worthwhile difference" (it holds nothing as large as the smallest worthwhile
        effect), "no clear difference"; empty where nothing is known.

    Raises
    ------
    StudyError
        A finding, or a way of being better, that is not known.
    """
    low, high = as_number(diagnostics.get("low")), as_number(diagnostics.get("high"))
    named = diagnostics.get("finding")
    if named:
        named = OTHER_NAMES.get(str(named), str(named))
        if named not in KNOWN:
            raise StudyError(f'finding "{named}" is not known. {did_you_mean(named, KNOWN)}')
    if low is None or high is None:
        return named or ""
    judged = _judged(low, high, diagnostics)
    # The interval decides; allowing for all outcomes together can only take clearness away from it.
    return UNCLEAR if named == UNCLEAR and judged in (BETTER, WORSE) else judged


def _judged(low: float, high: float, diagnostics: Mapping[str, Any]) -> str:
    """By the interval."""
    better = diagnostics.get("better") or "higher"
    if better not in ("higher", "lower"):
        raise StudyError(f'better = "{better}" is not known. {did_you_mean(str(better), ("higher", "lower"))}')
    worst, best = (low, high) if better == "higher" else (-high, -low)
    worth = as_number(diagnostics.get("smallest_worthwhile"))
    if best < 0:
        return WORSE
    if worth is not None and best < abs(worth):
        return NOTHING
    return BETTER if worst > 0 else UNCLEAR
