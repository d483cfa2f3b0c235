"""Looks: what is seen in the outcomes beside their means, each one function on a list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalkit.errors import Flag
from evalkit.outcomes.ground import Found, Ground, Reading

if TYPE_CHECKING:
    from evalkit.outcomes.noun import Outcomes
    from evalkit.study import Study

Look = Callable[["View"], tuple[Any, list[Flag]]]
LOOKS: dict[str, Look] = {}


@dataclass(frozen=True, eq=False)
class View:
    """What a look may see: the cohort, every measure as it was read, and the outcomes made of them."""

    ground: Ground
    found: dict[str, Found]
    outcomes: Outcomes

    @property
    def study(self) -> Study:
        """The plan."""
        return self.ground.study

    @property
    def rule(self) -> str:
        """The disclosure rule in force."""
        return self.study.disclosure.rule

    @property
    def start(self) -> str:
        """The occasion before the programme."""
        plan = self.study.counterfactual
        return plan.baseline if plan else "baseline"

    @property
    def treated(self) -> np.ndarray | None:
        """1 for the programme, 0 for the comparison, NaN for neither; None without two arms."""
        treated = self.ground.treated
        return treated if treated is not None and {0.0, 1.0} <= set(treated[~np.isnan(treated)]) else None

    @property
    def cluster(self) -> np.ndarray | None:
        """The cluster of each person; a person without one is one of their own."""
        column = self.ground.column("cluster").reset_index(drop=True)
        if column.isna().all():
            return None
        own = pd.Series([f"person {place}" for place in range(len(column))])
        return ("cluster " + column.astype("str")).where(column.notna(), own).to_numpy(dtype=object)

    def ends(self, measure: str) -> tuple[Reading, Reading] | None:
        """The first reading of a measure, before the programme, and its last; None where one is lacking."""
        days = {occasion.id: occasion.day for occasion in self.study.occasion}
        readings = {reading.occasion: reading for reading in self.found[measure].readings if reading.occasion in days}
        later = [occasion for occasion in readings if days[occasion] > days.get(self.start, np.inf)]
        if self.start not in readings or not later:
            return None
        return readings[self.start], readings[max(later, key=days.__getitem__)]

    def planned(self, domain: str) -> str:
        """The wide key of a domain as it is planned to be estimated; its last occasion where it is not."""
        plan = self.study.counterfactual
        named = [name for name in (plan.outcomes or () if plan else ()) if name.partition("@")[0] == domain]
        return self.outcomes.find(named[0] if named else domain)

    def title(self, occasion: str) -> str:
        """What the report calls an occasion."""
        return self.study.occasion_title(occasion)

    def clusters(self, rows: np.ndarray) -> np.ndarray | None:
        """The clusters of some rows."""
        return None if self.cluster is None else self.cluster[rows]


def look(name: str) -> Callable[[Look], Look]:
    """Put a look on the list, under the name by which the report asks for it."""

    def put(function: Look) -> Look:
        LOOKS[name] = function
        return function

    return put
