"""Versions of one outcome on one axis: in one unit, or each divided by a declared scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.counterfactual.estimating import COMMON
from evalkit.counterfactual.many.specifications import Specification
from evalkit.counterfactual.panel import Columns, Plan, prepare
from evalkit.counterfactual.registry import find_estimator
from evalkit.errors import EstimationError, several


@dataclass(frozen=True)
class Scale:
    """What effects on one version of the outcome are divided by; below 0 the version is turned over."""

    value: float = 1.0

    def of(self, numbers: dict[str, float]) -> dict[str, float]:
        """Divide an effect and its interval.

        Parameters
        ----------
        numbers : dict
            effect, se, low, high, and others that stay as they are.

        Returns
        -------
        dict
            The same names.
        """
        if self.value == 1.0:
            return numbers
        ends = numbers["low"] / self.value, numbers["high"] / self.value
        low, high = ends if self.value > 0 else ends[::-1]
        told = {"effect": numbers["effect"] / self.value, "se": numbers["se"] / abs(self.value)}
        return {**numbers, **told, "low": low, "high": high}


def scales_of(
    frame: pd.DataFrame,
    listed: Sequence[Specification],
    standardise: bool | Mapping[str, float],
    arguments: dict[str, Any],
) -> dict[str | None, Scale]:
    """Find what each version of the outcome is divided by.

    Parameters
    ----------
    frame : DataFrame
        The people.
    listed : sequence of Specification
        With their versions and units.
    standardise : bool or dict
        As for `specification_curve`.
    arguments : dict
        outcome, treated and treated_is are looked at.

    Returns
    -------
    dict of outcome (None for the curve's own) to Scale
        1 for all where nothing is to be divided.

    Raises
    ------
    EstimationError
        Several versions that are not known to be in one unit; a scale that is missing, 0, or has no spread.
    """
    versions = list(dict.fromkeys(one.outcome for one in listed))
    if standardise is False:
        _check_units(listed, arguments)
        return dict.fromkeys(versions, Scale())
    columns = {version: str(version or arguments["outcome"]) for version in versions}
    if isinstance(standardise, Mapping):
        return _declared(columns, standardise)
    return {version: Scale(_spread(frame, column, arguments)) for version, column in columns.items()}


def _check_units(listed: Sequence[Specification], arguments: dict[str, Any]) -> None:
    """Several versions must be known to be in one unit."""
    units = {str(one.outcome or arguments["outcome"]): one.unit for one in listed if not one.why}
    if len(units) < 2 or (len(set(units.values())) == 1 and next(iter(units.values()))):
        return
    told = words.listed([f"{name} ({unit or 'no unit given'})" for name, unit in units.items()])
    raise EstimationError(
        f"the versions of the outcome are not known to be in one unit: {told}. Say their unit, as in "
        'outcomes = {"score_parent": "points", "score_teacher": "points"}, or divide each by its comparison\'s '
        "standard deviation: standardise = True."
    )


def _declared(columns: dict[str | None, str], declared: Mapping[str, float]) -> dict[str | None, Scale]:
    """The numbers that the user gave."""
    problems = [
        f'standardise has no number other than 0 for outcome "{column}".'
        for column in columns.values()
        if not np.isfinite(declared.get(column, np.nan)) or declared[column] == 0
    ]
    if problems:
        raise EstimationError(several("the scales", problems))
    return {version: Scale(float(declared[column])) for version, column in columns.items()}


def _spread(frame: pd.DataFrame, column: str, arguments: dict[str, Any]) -> float:
    """The comparison's standard deviation of one version."""
    if arguments.get("treated") is None:
        raise EstimationError("standardise = True divides by the comparison's spread: name treated = ...")
    plan = Plan("difference", treated_is=arguments.get("treated_is", COMMON["treated_is"]))
    panel = prepare(frame, Columns(column, arguments["treated"]), plan, find_estimator("difference"))
    spread = float(panel.y[panel.treated == 0].std(ddof=1)) if (panel.treated == 0).sum() > 1 else 0.0
    if not spread > 0:
        raise EstimationError(f'outcome "{column}" does not vary in the comparison, so it cannot be standardised.')
    return spread
