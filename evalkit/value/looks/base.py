"""What a look at a value may see, and the list that looks are on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit.errors import Flag
from evalkit.value.appraisal import Cost, Drawing
from evalkit.value.discount import Discounting
from evalkit.value.noun import Value

if TYPE_CHECKING:
    from evalkit.study import Study
    from evalkit.study.model import ValuePlan

Look = Callable[["View"], tuple[Any, list[Flag]]]
LOOKS: dict[str, Look] = {}


@dataclass(frozen=True, eq=False)
class View:
    """What a look may see: the value, and what it was reckoned from.

    Parameters
    ----------
    value : Value
        With study, contract and effects; its own looks are not taken yet.
    lines : DataFrame
        The lines valued in money, as `read_lines` gives them, quantities filled.
    cost : Cost
        What was spent.
    discounting : Discounting
        The convention.
    drawing : Drawing
        How ranges are drawn, with the draws of the quantities that come from effects.
    """

    value: Value
    lines: pd.DataFrame
    cost: Cost
    discounting: Discounting
    drawing: Drawing

    @property
    def study(self) -> Study:
        """The study."""
        study: Any = self.value.study
        return study

    @property
    def plan(self) -> ValuePlan:
        """The part of it about value."""
        plan: Any = self.study.value
        return plan


def look(name: str) -> Callable[[Look], Look]:
    """Put a look on the list, under the name by which the report asks for it."""

    def put(function: Look) -> Look:
        LOOKS[name] = function
        return function

    return put
