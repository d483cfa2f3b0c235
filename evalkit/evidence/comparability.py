"""What the data say against a design: balance, overlap, earlier trends, attrition, instruments, cut-offs."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any

from evalkit import words
from evalkit.evidence.shelf import standard

Diagnostics = Mapping[str, Any]


def as_number(value: object) -> float | None:
    """A finite number, or None.

    Parameters
    ----------
    value : object
        A number; or a mapping with "p", as the result of a test comes.

    Returns
    -------
    float or None
        None for what is not a finite number.
    """
    if isinstance(value, Mapping):
        value = value.get("p")
    value = getattr(value, "p", value)
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _number(found: Diagnostics, *names: str) -> float | None:
    """The first of these that is a number."""
    return next((one for name in names if (one := as_number(found.get(name))) is not None), None)


def _balance(found: Diagnostics, limits: dict[str, float]) -> str:
    smd = _number(found, "max_smd_after")
    if smd is None or abs(smd) <= limits["largest_smd"]:
        return ""
    return f"after adjustment the arms still differ by {words.number(abs(smd), 2)} standard deviations"


def _overlap(found: Diagnostics, limits: dict[str, float]) -> str:
    share = _number(found, "outside_support")
    if share is None or share <= limits["outside_support"]:
        return ""
    return f"{words.percent(share, 0)} of the treated are unlike anybody in the comparison"


def _pre_trend(found: Diagnostics, limits: dict[str, float]) -> str:
    p = _number(found, "pre_test")
    if p is None or p >= limits["pre_test"]:
        return ""
    return f"trends differed before the programme (p {words.p_value(p)})"


def _attrition(found: Diagnostics, limits: dict[str, float]) -> str:
    gap = _number(found, "attrition_gap")
    if gap is None or abs(gap) <= limits["attrition_gap"]:
        return ""
    return f"the arms differ by {words.number(100 * abs(gap), 0)} points in how many were lost"


def _pre_outcome(found: Diagnostics, limits: dict[str, float]) -> str:
    if found.get("pre_programme_outcome") is not False:
        return ""
    return "the outcome before the programme is not among what was adjusted for"


def _one_cluster(found: Diagnostics, limits: dict[str, float]) -> str:
    fewest = _number(found, "fewest_clusters")
    if fewest is None or fewest > 1:
        return ""
    return "one arm is a single cluster, so that the programme cannot be told from the place"


def _instrument(found: Diagnostics, limits: dict[str, float]) -> str:
    strength = _number(found, "first_stage_f")
    if strength is None or strength >= limits["first_stage_f"]:
        return ""
    return f"what decided who took part hardly moved anybody (first-stage F {words.number(strength, 1)})"


def _sorting(found: Diagnostics, limits: dict[str, float]) -> str:
    p = _number(found, "density_test")
    if p is None or p >= limits["density_test"]:
        return ""
    return f"people are bunched on one side of the cut-off (p {words.p_value(p)})"


def _fit(found: Diagnostics, limits: dict[str, float]) -> str:
    gap = _number(found, "pre_fit")
    if gap is None or gap <= limits["pre_fit"]:
        return ""
    told = f"{words.number(gap, 2)} standard deviations of their own outcome before it"
    return f"before the programme the comparison already missed the treated by {told}"


LOOKS: dict[str, Callable[[Diagnostics, dict[str, float]], str]] = {
    "balance": _balance,
    "overlap": _overlap,
    "pre-trend": _pre_trend,
    "attrition": _attrition,
    "pre-programme outcome": _pre_outcome,
    "one cluster": _one_cluster,
    "weak instrument": _instrument,
    "sorting at the cut-off": _sorting,
    "fit before": _fit,
}


def failures(diagnostics: Diagnostics, only: Collection[str] | None = None) -> list[str]:
    """Say in words what the data speak against.

    Parameters
    ----------
    diagnostics : dict
        As `evalkit.evidence.level` takes them.
    only : collection of str, optional
        Which of "balance", "overlap", "pre-trend", "attrition", "pre-programme outcome", "one cluster",
        "weak instrument", "sorting at the cut-off", "fit before" to look at; default: all.

    Returns
    -------
    list of str
        One clause each.
    """
    limits = standard("maryland_sms")["limits"]
    names = LOOKS if only is None else [name for name in LOOKS if name in only]
    return [says for name in names if (says := LOOKS[name](diagnostics, limits))]


def comparability_shown(diagnostics: Diagnostics) -> bool:
    """Whether balance or equal trends before were looked at, and nothing spoke against them.

    Parameters
    ----------
    diagnostics : dict
        As `evalkit.evidence.level` takes them.

    Returns
    -------
    bool
        False where nothing was shown.
    """
    looked = any(_number(diagnostics, name) is not None for name in ("max_smd_after", "pre_test"))
    return looked and not failures(diagnostics, ("balance", "overlap", "pre-trend", "pre-programme outcome"))
