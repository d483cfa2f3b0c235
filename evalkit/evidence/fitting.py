"""Whether an estimator carries out the design that a study names."""

from __future__ import annotations

from typing import Any

from evalkit import words
from evalkit.evidence.shelf import find_design, plain, standard


def fits(design: str | None, estimator: str) -> str:
    """Find a contradiction between the design that is named and the estimator that is used.

    Parameters
    ----------
    design : str or None
        On the list of `designs`; None contradicts nothing.
    estimator : str
        On the list of estimators.

    Returns
    -------
    str
        Empty where they go together; else the finding and the remedy.

    Raises
    ------
    StudyError
        The design is not on the list.

    Examples
    --------
    >>> fits("RCT", "difference")
    ''
    """
    if design is None or not design.strip():
        return ""
    entry, name = find_design(design), plain(estimator)
    if name == "published" or name in {plain(one) for one in entry["estimators"]}:
        return ""
    if name == "assumed":
        return (
            f'estimator "assumed" states a share and estimates nothing, so the design "{entry["name"]}" earns no '
            'level. Drop the design, or write "self-reported additionality" or "impact modelling".'
        )
    known = words.listed([f'"{one}"' for one in entry["estimators"]], "or")
    own = [f'"{one["name"]}"' for one in _designs_of(name)]
    remedy = "Change the estimator"
    remedy += f", or name the design that was carried out: {words.listed(own[:4], 'or')}." if own else "."
    return f'estimator "{estimator}" does not carry out the design "{entry["name"]}", which {known} would. {remedy}'


def _designs_of(estimator: str) -> list[dict[str, Any]]:
    """The designs that an estimator carries out."""
    entries = standard("maryland_sms")["design"]
    return [one for one in entries if estimator in {plain(name) for name in one["estimators"]}]
